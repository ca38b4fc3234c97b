/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzz target's script: what control does, and what programs do with sockets. */
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/link.h"
#include "net/neigh.h"
#include "net/route.h"
#include "net/script.h"

static struct vx_err err;

static uint32_t slot_of(struct script *s)
{
	return fuzz_u8(&s->in) % SCRIPT_SLOTS;
}

static bool in_use(uint32_t used, uint32_t slot)
{
	return used >> slot & 1;
}

/* --- addresses, routes, neighbours --------------------------------------------------- */

static void op_addr(struct script *s)
{
	uint8_t what = fuzz_u8(&s->in), plen = fuzz_u8(&s->in);
	struct dev *d = script_dev(s);
	struct ip_addr ip = script_ip(s), brd = {0};

	if (what & 2)
		brd = script_ip(s);
	if (!d)
		return;
	if (what & 1)
		inet_addr_del(d, &ip, plen, &err);
	else
		inet_addr_add(d, &ip, plen, what & 2 ? &brd : NULL, what & 4 ? "script" : NULL,
			      &err);
}

static void op_group(struct script *s)
{
	uint8_t what = fuzz_u8(&s->in);
	struct dev *d = script_dev(s);
	struct ip_addr ip = script_ip(s);

	if (!d)
		return;
	if (what & 1)
		inet_group_leave(d, &ip);
	else
		inet_group_join(d, &ip, &err);
}

static void op_route(struct script *s)
{
	static const uint16_t nl[] = {NLM_F_CREATE,
				      NLM_F_CREATE | NLM_F_EXCL,
				      NLM_F_REPLACE,
				      NLM_F_CREATE | NLM_F_REPLACE,
				      NLM_F_CREATE | NLM_F_APPEND,
				      0};
	uint8_t what = fuzz_u8(&s->in), has = fuzz_u8(&s->in);
	struct route_req r = {.dst = script_ip(s)};
	struct dev *d;

	r.plen = fuzz_u8(&s->in);
	r.family = what & 2 ? AF_INET6 : AF_INET;
	r.nl_flags = nl[(what >> 4) % ARRAY_LEN(nl)];
	r.type = what & 4 ? fuzz_u8(&s->in) : DST_UNICAST;
	r.maker = what & 8 ? "script" : NULL;
	if (has & 1)
		r.gateway = script_ip(s);
	if (has & 2)
		r.src = script_ip(s);
	d = has & 4 ? script_dev(s) : NULL;
	r.ifindex = d ? d->ifindex : has & 8 ? 7 : 0;
	r.metric = has & 16 ? fuzz_u8(&s->in) : 0;
	r.mtu = has & 32 ? script_mtu(s) : 0;
	r.mtu_locked = has & 64;
	r.hoplimit = has & 128 ? fuzz_u8(&s->in) : 0;
	if (what & 1)
		route_del(s->t->vx, &r, &err);
	else
		route_add(s->t->vx, &r, &err);
}

static void op_route_get(struct script *s)
{
	struct ip_addr to = script_ip(s), from = script_ip(s);
	struct udp_flow f = {.dst = to, .src = from};
	struct dev *d = script_dev(s);
	bool by_dev = fuzz_u8(&s->in) & 1;
	struct dst out;

	f.ifindex = d && by_dev ? d->ifindex : 0;
	route_get(s->t->vx, &f, &out);
}

static void op_neigh(struct script *s)
{
	static const uint16_t nl[] = {NLM_F_CREATE, NLM_F_CREATE | NLM_F_EXCL, NLM_F_REPLACE, 0};
	uint8_t what = fuzz_u8(&s->in);
	struct neigh_req r = {.dev = script_dev(s)};

	r.ip = script_ip(s);
	r.state = fuzz_u8(&s->in);
	r.has_mac = what & 2;
	if (r.has_mac)
		r.mac = script_mac(s);
	r.nl_flags = nl[what >> 2 & 3];
	r.maker = what & 16 ? "script" : NULL;
	if (!r.dev)
		return;
	if (what & 1)
		neigh_del(s->t->vx, r.dev, &r.ip, &err);
	else
		neigh_add(s->t->vx, &r, &err);
}

/* --- sockets ------------------------------------------------------------------------- */

/* An encapsulation that keeps even payloads, sends odd ones on as the protocol that they begin
 * with, and leaves those with bit 1 to the socket. */
static void encap(struct worker *w, struct udp_sock *sk, struct batch *b)
{
	uint32_t kept = 0;

	(void)sk;
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];
		uint8_t what = 0;

		if (pkt_total(p))
			pkt_copy_out(p, 0, &what, 1);
		p->again = what & 1 ? what : 0;
		if (what & 3)
			b->p[kept++] = p;
		else
			pkt_consume(w, p);
	}
	b->n = kept;
}

static int err_lookup(struct worker *w, struct udp_sock *sk, const uint8_t *p, uint32_t len)
{
	return len > 8 && p[8] & 1 ? -ENOENT : 0;
}

static void destroyed(struct udp_sock *sk)
{
	assert_non_null(sk->tunnel.rcv);
}

static void ready(struct worker *w, struct udp_sock *sk, void *ctx)
{
	uint8_t b[16];

	assert_non_null(ctx);
	inet_udp_recv(w, sk, b, sizeof(b), NULL);
}

static const uint16_t ports[] = {7000, 4789, 7001, 7256, 0};

static void op_open(struct script *s)
{
	static const struct udp_tunnel_cfg tunnel = {
		.rcv = encap, .err_lookup = err_lookup, .destroy = destroyed};
	uint32_t i = slot_of(s);
	uint8_t what = fuzz_u8(&s->in), least;
	struct udp_sock_cfg cfg = {.vx = s->t->vx,
				   .family = what & 1 ? AF_INET6 : AF_INET,
				   .lite = what & 2,
				   .zero_csum6_rx = what & 4,
				   .rcvbuf = what & 8 ? 300 : 0,
				   .port = ports[fuzz_u8(&s->in) % ARRAY_LEN(ports)]};

	if (what & 16)
		cfg.addr = script_ip(s);
	least = what & 128 ? fuzz_u8(&s->in) : LITE_ANY;
	if (s->sock[i] || inet_udp_open(&cfg, &s->sock[i], &err) < 0)
		return;
	if (what & 32)
		udp_tunnel_setup(s->sock[i], &tunnel);
	else if (what & 64)
		inet_udp_set_reader(s->sock[i], ready, s);
	inet_udp_set_coverage(s->sock[i], least);
}

static void op_connect(struct script *s)
{
	struct udp_sock *sk = s->sock[slot_of(s)];
	struct ip_addr ip = script_ip(s);
	uint16_t port = fuzz_u16(&s->in);

	if (sk)
		inet_udp_connect(sk, &ip, port);
}

static void op_send(struct script *s)
{
	static const uint8_t buf[70000];
	struct worker *w = script_worker(s);
	struct udp_sock *sk = s->sock[slot_of(s)];
	struct ip_addr to = script_ip(s);
	uint8_t port = fuzz_u8(&s->in);
	uint32_t len = fuzz_u16(&s->in);

	if (!sk)
		return;
	inet_udp_send(w, sk, &to, port & 0x80 ? port : ports[port % ARRAY_LEN(ports)], buf, len);
	t_turn(s->t);
}

static void op_recv(struct script *s)
{
	struct worker *w = script_worker(s);
	struct udp_sock *sk = s->sock[slot_of(s)];
	struct udp_from from;
	uint8_t b[64];
	int n;

	if (!sk)
		return;
	n = inet_udp_recv(w, sk, b, sizeof(b), &from);
	assert_true(n < 0 || ((uint32_t)n <= from.len && (uint32_t)n <= sizeof(b)));
}

static void op_close(struct script *s)
{
	uint32_t i = slot_of(s);

	udp_sock_release(s->sock[i]);
	s->sock[i] = NULL;
}

/* --- who else sees packets ------------------------------------------------------------- */

static enum hook_verdict on_hook(struct worker *w, const struct hook *h, struct pkt *p)
{
	uintptr_t v = (uintptr_t)h->ctx;

	if (v == HOOK_STOLEN)
		pkt_consume(w, p);
	return (enum hook_verdict)v;
}

static void op_hook(struct script *s)
{
	uint8_t what = fuzz_u8(&s->in);
	uint32_t i = slot_of(s);
	int8_t priority = what & 1 ? (int8_t)fuzz_u8(&s->in) : 0;

	if (in_use(s->hooks, i) == (what & 1))
		return;
	if (what & 1) {
		s->hook[i] = (struct hook){.point = what >> 1 & 3,
					   .priority = priority,
					   .fn = on_hook,
					   .ctx = (void *)(uintptr_t)((what >> 3) % 3)};
		if (hook_register(s->t->vx, &s->hook[i]) < 0)
			return;
	} else {
		hook_unregister(s->t->vx, &s->hook[i]);
	}
	s->hooks ^= 1u << i;
}

static void on_raw(struct worker *w, const struct raw_listener *l, struct pkt *p)
{
	assert_true(l->fam < INET_FAMILIES);
	pkt_consume(w, p);
}

static void op_raw(struct script *s)
{
	uint8_t what = fuzz_u8(&s->in);
	uint32_t i = slot_of(s);
	uint8_t number = what & 1 ? fuzz_u8(&s->in) : 0;

	if (in_use(s->raws, i) == (what & 1))
		return;
	if (what & 1) {
		s->raw[i] =
			(struct raw_listener){.fam = what >> 1 & 1, .proto = number, .rcv = on_raw};
		if (raw_register(s->t->vx, &s->raw[i]) < 0)
			return;
	} else {
		raw_unregister(s->t->vx, &s->raw[i]);
	}
	s->raws ^= 1u << i;
}

static void on_ptype(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		pkt_consume(w, b->p[i]);
}

static void op_ptype(struct script *s)
{
	static const uint16_t types[] = {PTYPE_ALL, 0x1234, 0x0800, 0x0806};
	uint8_t what = fuzz_u8(&s->in);
	uint32_t i = slot_of(s);
	struct dev *d = what & 16 ? script_dev(s) : NULL;

	if (in_use(s->ptypes, i) == (what & 1))
		return;
	if (what & 1) {
		s->ptype[i] = (struct ptype){.type = types[what >> 1 & 3],
					     .needs_addr = what & 8,
					     .dev = d,
					     .rcv = on_ptype};
		if (ptype_add(s->t->vx, &s->ptype[i]) < 0)
			return;
	} else {
		ptype_del(s->t->vx, &s->ptype[i]);
	}
	s->ptypes ^= 1u << i;
}

static struct script *rx_script; /* whose handler was set last */

/* Takes, passes or turns a frame by its first byte behind the Ethernet header. */
static enum rx_result on_rx(struct worker *w, struct dev *dev, struct pkt *p)
{
	struct script *s = rx_script;
	uint8_t what = 0;

	if (pkt_total(p))
		pkt_copy_out(p, 0, &what, 1);
	if (what % 4 == RX_CONSUMED)
		pkt_consume(w, p);
	if (what % 4 == RX_ANOTHER)
		p->dev = s->port[0].port ? s->port[0].port->dev : dev;
	return (enum rx_result)(what % 4);
}

static void op_rx_handler(struct script *s)
{
	uint8_t what = fuzz_u8(&s->in);
	struct dev *d = script_dev(s);

	rx_script = s;
	if (d)
		dev_set_rx_handler(d, what & 1 ? on_rx : NULL);
}

static void proto_rcv(struct worker *w, struct batch *b)
{
	(void)w;
	for (uint32_t i = 0; i < b->n; i++) {
		uint8_t what = 0;

		if (pkt_total(b->p[i]))
			pkt_copy_out(b->p[i], 0, &what, 1);
		b->p[i]->again = what;
	}
}

static void op_proto(struct script *s)
{
	static const struct inet_proto proto = {.handler = proto_rcv};
	uint8_t what = fuzz_u8(&s->in);

	if (what & 1)
		inet_proto_add(s->t->vx, what >> 1 & 1, 200, &proto);
	else
		inet_proto_del(s->t->vx, what >> 1 & 1, 200);
}

static uint64_t match(struct watch *wt, const struct batch *b, bool from_udp)
{
	const struct script *s = container_of(wt, struct script, watch);
	uint64_t taken = 0;

	for (uint32_t i = 0; i < b->n; i++)
		if (from_udp || !(pkt_total(b->p[i]) & s->watch_mask))
			taken |= 1ull << i;
	return taken;
}

static void traced(void *ctx, struct trace *t)
{
	struct watch *wt = ctx;

	assert_true(t->n_steps <= TRACE_STEPS);
	for (uint32_t i = 0; i < t->n_steps; i++)
		assert_true(t->steps[i].stage < STAGE_COUNT && t->steps[i].drop < DROP_COUNT);
	atomic_fetch_sub(&wt->out, 1);
	free(t);
}

static void op_watch(struct script *s)
{
	uint8_t what = fuzz_u8(&s->in);

	s->watch.match = match;
	s->watch.done = traced;
	s->watch.ctx = &s->watch;
	s->watch_mask = what >> 1 & 1;
	atomic_store(&s->watch.left, what >> 2);
	watch_set(s->t->vx, what & 1 ? &s->watch : NULL);
}

/* --- devices --------------------------------------------------------------------------- */

static void op_set_link(struct script *s)
{
	uint8_t what = fuzz_u8(&s->in);
	struct dev *d = script_dev(s), *master;
	struct link_cfg cfg = {.has_mac = what & 1,
			       .has_mtu = what & 2,
			       .has_up = what & 4,
			       .up = what & 8,
			       .has_master = what & 16};

	if (cfg.has_mac)
		cfg.mac = script_mac(s);
	if (cfg.has_mtu)
		cfg.mtu = script_mtu(s);
	master = what & 32 ? script_dev(s) : NULL;
	cfg.master = master ? master->ifindex : what & 64 ? 7 : 0;
	if (d)
		link_setlink(d, &cfg, &err);
}

static void op_del_link(struct script *s)
{
	uint8_t what = fuzz_u8(&s->in);
	struct dev *d = script_dev(s);

	if (d)
		link_dellink(d, what & 1);
}

/* As the bridge does with its ports, and as a host's name reaches vx. */
static void op_promisc(struct script *s)
{
	uint8_t what = fuzz_u8(&s->in);
	struct dev *d = script_dev(s);
	char name[8] = {'n', (char)('a' + what % 4)};

	if (!d)
		return;
	if (what & 4)
		link_follow_name(d, name);
	else
		dev_set_promiscuity(d, d->promiscuity ? -1 : 1);
}

/* --- reading --------------------------------------------------------------------------- */

static int see_addr(void *ctx, const struct inet_addr *a)
{
	assert_true(a->plen <= (ip_is4(&a->ip) ? 32 : 128));
	return --*(int *)ctx == 0;
}

static int see_route(void *ctx, const struct route_view *v)
{
	assert_true(v->r.plen <= (v->r.family == AF_INET ? 32 : 128));
	return --*(int *)ctx == 0;
}

static int see_neigh(void *ctx, const struct neigh_view *v)
{
	assert_non_null(v->dev);
	return --*(int *)ctx == 0;
}

static void see_type(void *ctx, const struct link_type *t)
{
	assert_ptr_equal(link_type_find(ctx, t->kind), t);
}

static void op_dump(struct script *s)
{
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
	uint8_t what = fuzz_u8(&s->in);
	struct dev *d = script_dev(s);
	struct vx *vx = s->t->vx;
	struct dev_stats st;
	int n = what % 8, m = n, k = n;

	inet_addr_each(vx, see_addr, &n);
	route_each(vx, families[(what >> 3) % 3], see_route, &m);
	neigh_each(vx, what & 128 ? d : NULL, see_neigh, &k);
	link_types_each(vx, see_type, vx);
	for (uint32_t i = 0; i < vx->n_workers; i++)
		assert_true(vx_next_timer(vx, i) > 0);
	if (d)
		dev_sum_stats(d, &st);
}

static void called(struct worker *w, struct worker_call *c)
{
	struct script *s = container_of(c, struct script, call);

	assert_ptr_equal(w->vx, s->t->vx);
	s->calls--;
}

static void op_call(struct script *s)
{
	uint32_t id = script_worker(s)->id;

	s->call.fn = called;
	s->calls++;
	vx_call(s->t->vx, id, &s->call);
	t_turn(s->t);
	assert_int_equal(s->calls, 0);
}

/* --- all ------------------------------------------------------------------------------- */

void script_ctl(struct script *s, uint8_t op)
{
	static void (*const ops[SCRIPT_OPS])(struct script *) = {
		[3] = op_addr,	    [4] = op_group,	  [5] = op_route,    [6] = op_route_get,
		[7] = op_neigh,	    [8] = op_open,	  [9] = op_connect,  [10] = op_send,
		[11] = op_recv,	    [12] = op_close,	  [13] = op_hook,    [14] = op_raw,
		[15] = op_ptype,    [16] = op_rx_handler, [17] = op_proto,   [18] = op_watch,
		[19] = op_set_link, [20] = op_del_link,	  [21] = op_promisc, [22] = op_dump,
		[23] = op_call};

	if (op < SCRIPT_OPS && ops[op])
		ops[op](s);
}

void script_ctl_end(struct script *s)
{
	for (uint32_t i = 0; i < SCRIPT_SLOTS; i++) {
		if (in_use(s->hooks, i))
			hook_unregister(s->t->vx, &s->hook[i]);
		if (in_use(s->raws, i))
			raw_unregister(s->t->vx, &s->raw[i]);
		if (in_use(s->ptypes, i))
			ptype_del(s->t->vx, &s->ptype[i]);
	}
}
