/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: a frame into the datapath, with what its flow does.  Every kind of packet goes
 * through key extraction, table, actions and upcall.
 *
 * Input: flags (1 in two pieces, 2 unfinished checksum, 4 from a tunnel, 8 super-frame, 0x10 as an
 * upcall's answer, 0x20 flow with a mask of every bit), where it is cut, number of actions, the
 * actions (a byte of kind and eight of argument each), the frame.
 */
#include "base/fuzz.h"

#include "datapath/testing.h"
#include "net/testing.h"

static struct t_net *T;
static struct dp *D;
static struct actions *answer;
static struct flow_key every_bit;
static bool install;
static uint64_t runs;

static void on_upcall(void *ctx, struct upcall *u)
{
	struct flow_key again;
	struct flow_layers l;

	(void)ctx;
	/* The same packet has the same key. */
	assert_int_equal(flow_key_extract(u->w, u->p, u->key->in_port, &again, &l), DROP_NONE);
	assert_memory_equal(&again, u->key, sizeof(again));
	if (u->act) /* else one packet would ask for ever more of them */
		return;
	u->actions = actions_get(answer);
	u->install = install;
	u->mask = every_bit;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const names[] = {"p1", "p2", "p3"};

	(void)argc, (void)argv;
	T = t_new();
	assert_int_equal(dp_init_module(T->vx), 0);
	assert_int_equal(dp_new(T->vx, "ovs-system", NULL, &D), 0);
	D->upcall = on_upcall;
	memset(&every_bit, 0xff, sizeof(every_bit));
	for (uint32_t i = 0; i < 3; i++) {
		t_add_port(T, names[i], T_ME, NULL);
		assert_int_equal(vport_new(D, names[i], i + 1, i == 2, NULL, NULL), 0);
	}
	table_set_limit(&D->table, 300);
	return 0;
}

/* Eight bytes of the input, again and again. */
static void fill(struct fuzz_in *in, void *to, size_t n)
{
	uint8_t b[8];

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = fuzz_u8(in);
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)(b[i % sizeof(b)] ^ i / sizeof(b));
}

static void add_action(struct act_buf *b, struct fuzz_in *in)
{
	uint8_t kind = fuzz_u8(in);
	union {
		struct act_eth eth;
		struct act_ip4 ip4;
		struct act_ip6 ip6;
		struct act_ports ports;
		struct act_userspace user;
		struct tun_info tun;
		uint32_t w[2];
	} u;

	fill(in, &u, sizeof(u));
	switch (kind % (ACT_TYPES + 2)) {
	case ACT_OUTPUT:
		act_output(b, u.w[0] % 5);
		return;
	case ACT_PUSH_VLAN:
		act_push_vlan(b, u.w[0] & 1 ? 0x8100 : 0x88a8, (uint16_t)u.w[1]);
		return;
	case ACT_POP_VLAN:
		act_pop_vlan(b);
		return;
	case ACT_SET_ETH:
		act_set_eth(b, &u.eth);
		return;
	case ACT_SET_IP4:
		act_set_ip4(b, &u.ip4);
		return;
	case ACT_SET_IP6:
		act_set_ip6(b, &u.ip6);
		return;
	case ACT_SET_TCP:
	case ACT_SET_UDP:
	case ACT_SET_SCTP:
		act_set_ports(b, (enum act_type)(kind % (ACT_TYPES + 2)), &u.ports);
		return;
	case ACT_SET_TUNNEL:
		/* The bytes of a bool are the compiler's. */
		act_set_tunnel(b, &(struct tun_info){.id = u.w[0],
						     .ttl = (uint8_t)u.w[1],
						     .has_key = u.w[1] & 1,
						     .df = u.w[1] & 2});
		return;
	case ACT_SET_MARK:
		act_set_mark(b, u.w[0], u.w[1]);
		return;
	case ACT_USERSPACE:
		act_userspace(b, u.w[0], &(struct act_userspace){.kind = USERSPACE_PLAIN});
		return;
	case ACT_CLONE:
		act_clone(b);
		return;
	case ACT_DROP:
		act_drop(b, DROP_NONE);
		return;
	default:
		if (b->depth)
			act_clone_end(b);
	}
}

static struct actions *make(struct fuzz_in *in)
{
	uint32_t n = fuzz_u8(in) % 12;
	struct act_buf b = {0};
	int err;

	while (n--)
		add_action(&b, in);
	while (b.depth && !b.err)
		act_clone_end(&b);
	return act_buf_done(&b, &err);
}

static void empty(struct t_port *p)
{
	p->out_head = p->out_tail;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct worker *w = T->vx->workers[0];
	struct fuzz_in in = {data, size};
	uint8_t flags = fuzz_u8(&in), cut = fuzz_u8(&in);
	struct pkt *p;

	actions_put(answer);
	answer = make(&in);
	if (!answer)
		return 0;
	install = flags & 0x20;
	in.n = MIN(in.n, 4000u);
	p = t_pkt(w, in.p, (uint32_t)in.n, flags & 1 ? cut : 0);
	if (flags & 2) {
		p->csum_state = CSUM_PARTIAL;
		p->csum_start = pkt_off(p) + 34;
		p->csum_offset = cut & 1 ? 16 : 6;
	}
	if (flags & 4) {
		p->has_tun = true;
		p->tun = (struct tun_info){
			.src = t_addr("10.0.0.2"), .id = cut, .has_key = true, .gbp = cut};
	}
	if (flags & 8 && flags & 2) {
		p->gso_size = (uint16_t)(cut * 4 + 400);
		p->gso_type = cut & 1 ? GSO_TCP4 : GSO_UDP;
	}
	w->acct.made++;
	if (flags & 0x10)
		t_execute(w, D, p, answer, 1 + cut % 3);
	else
		vport_receive(w, dp_port(D, 1 + cut % 3), p);
	T->now += NS_PER_MS;
	while (vx_turn(T->vx, 0, T->now))
		;
	for (uint32_t i = 0; i < T->n_ports; i++)
		empty(T->port[i]);
	if (++runs % 256 == 0) {
		vx_drop_held(T->vx);
		t_advance(T, 0); /* checks the accounting */
		table_flush(&D->table);
	}
	return 0;
}

void fuzz_end(void)
{
	vx_drop_held(T->vx);
	t_advance(T, 0);
	actions_put(answer);
	t_end(T);
}
