/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The datapath, frames in and frames out: ports are ports in memory, flows and answers to upcalls
 * are text.  Every step ends with the accounting checked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/dp.h"
#include "datapath/format.h"
#include "datapath/testing.h"
#include "net/link.h"
#include "net/testing.h"
#include "net/watch.h"
#include "wire/crc32c.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/tcp.h"

/* A datapath with ports 1 to 3, named p1 to p3; what no flow matches gets 'answer' ("" is none). */
static struct world {
	struct t_net *t;
	struct dp *dp;
	struct t_port *p[4];
	const char *answer, *mask; /* of upcalls; mask NULL: no flow is made */
	uint32_t upcalls, with_act, gone;
	uint32_t order[2048]; /* in_port of each */
	struct act_userspace act;
	struct flow_key key;
} W;

static struct actions *acts(const char *s)
{
	struct actions *a = NULL;
	uint32_t at;

	if (parse_actions(s, W.dp, &a, &at) < 0)
		fail_msg("%s: at %u", s, at);
	return a;
}

static void on_upcall(void *ctx, struct upcall *u)
{
	struct flow_key k;

	assert_ptr_equal(ctx, &W);
	assert_int_equal(u->in->no, u->key->in_port);
	W.order[W.upcalls++ % 2048] = u->in->no;
	W.key = *u->key;
	if (u->act) {
		W.with_act++;
		W.act = *u->act;
	}
	if (!W.answer)
		return;
	u->actions = acts(W.answer);
	u->install = W.mask != NULL;
	if (W.mask)
		assert_int_equal(parse_key(W.mask, NULL, &k, &u->mask, NULL), 0);
}

static void on_gone(void *ctx, const struct vport *v)
{
	W.gone = v->no;
	(void)ctx;
}

static struct vport *add_port(const char *dev, uint32_t no, bool tunnel)
{
	struct vport *v;

	assert_int_equal(vport_new(W.dp, dev, no, tunnel, NULL, &v), 0);
	return v;
}

static int setup(void **state)
{
	memset(&W, 0, sizeof(W));
	W.t = t_new();
	assert_int_equal(dp_init_module(W.t->vx), 0);
	assert_int_equal(dp_new(W.t->vx, "ovs-system", NULL, &W.dp), 0);
	W.dp->upcall = on_upcall;
	W.dp->port_gone = on_gone;
	W.dp->ctx = &W;
	for (uint32_t i = 1; i <= 3; i++) {
		char name[8], mac[18];

		snprintf(name, sizeof(name), "p%u", i);
		snprintf(mac, sizeof(mac), "02:00:00:00:01:%02x", i);
		W.p[i] = t_add_port(W.t, name, mac, NULL);
		add_port(name, i, false);
	}
	(void)state;
	return 0;
}

static int teardown(void **state)
{
	t_end(W.t);
	(void)state;
	return 0;
}

static struct flow_id flow(const char *key, const char *list)
{
	struct flow_key k, m;
	struct flow_id id;
	uint32_t at;

	if (parse_key(key, W.dp, &k, &m, &at) < 0)
		fail_msg("%s: at %u", key, at);
	assert_int_equal(
		table_put(&W.dp->table, &k, &m, acts(list), NULL, TABLE_CREATE | TABLE_MODIFY, &id),
		0);
	return id;
}
#define ANY4 "in_port(1),eth_type(0x0800)"
#define ANY6 "in_port(1),eth_type(0x86dd)"

/* --- frames ------------------------------------------------------------------------------------
 */

static uint8_t F[T_FRAME_MAX], G[T_FRAME_MAX];
static const struct t_ip V4 = {
	.src = "10.0.0.2", .dst = "10.0.0.1", .tos = 0x11, .ttl = 64, .len = 101, .data = G};
static const struct t_ip V6 = {
	.src = "fd00::2", .dst = "fd00::1", .tos = 0x11, .ttl = 64, .len = 101, .data = G};

static void expect(struct t_port *p, const void *b, uint32_t len)
{
	const struct t_frame *f = t_out(p);

	assert_non_null(f);
	assert_int_equal(f->len, len);
	assert_memory_equal(f->b, b, len);
}

static uint32_t tcp(uint8_t *f, const struct t_ip *s, uint16_t sport, uint16_t dport)
{
	uint8_t b[120] = {0};
	struct tcp_hdr *h = (struct tcp_hdr *)b;
	struct ip_addr src = t_addr(s->src), dst = t_addr(s->dst);
	struct t_ip x = *s;

	*h = (struct tcp_hdr){
		.src = be16_put(sport), .dst = be16_put(dport), .off = 0x50, .flags = TCP_SYN};
	h->csum = csum_fold(csum_add(csum_pseudo(&src, &dst, 6, sizeof(b)), b, sizeof(b)));
	x.proto = 6;
	x.data = b;
	x.len = sizeof(b);
	return t_ip(f, &x);
}

/* So many come at once by port 'no', as from several queues. */
static void flood(uint32_t no, uint32_t n, const struct t_ip *ip)
{
	struct worker *w = W.t->vx->workers[0];

	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = t_udp(F, ip, (uint16_t)i, 2);

		w->acct.made++;
		vport_receive(w, dp_port(W.dp, no), t_pkt(w, F, len, 0));
	}
}

/* --- ports -------------------------------------------------------------------------------------
 */

static void test_link(void **state)
{
	struct dev *d = W.p[1]->dev;
	struct vport *v = dp_port(W.dp, 1), *u;
	struct t_port *other = t_add_port(W.t, "q", "02:00:00:00:02:00", NULL);
	struct link_cfg up = {.has_master = true};
	struct vx_err err;

	assert_ptr_equal(d->master, W.dp->dev);
	assert_ptr_equal(atomic_load(&d->rx_handler), vport_frame_hook);
	assert_int_equal(d->promiscuity, 1);
	assert_false(dev_is_up(W.dp->dev));
	assert_null(atomic_load(&W.dp->dev->host));
	/* Once only; neither by another master nor beside another handler; by nobody else. */
	assert_int_equal(vport_new(W.dp, "p1", 9, false, &err, &u), -EBUSY);
	assert_int_equal(vport_new(W.dp, "q", 1, false, &err, &u), -EBUSY);
	assert_int_equal(vport_new(W.dp, "nobody", 9, false, &err, &u), -ENODEV);
	assert_int_equal(vport_new(W.dp, "ovs-system", 9, false, &err, &u), -ELOOP);
	assert_int_equal(vport_new(W.dp, "q", 0, false, &err, &u), -EINVAL);
	assert_int_equal(vport_new(W.dp, "q", 65536, false, &err, &u), -EINVAL);
	assert_int_equal(dev_set_rx_handler(other->dev, vport_frame_hook), 0);
	assert_int_equal(vport_new(W.dp, "q", 9, false, &err, &u), -EBUSY);
	assert_null(dp_port(W.dp, 9));
	assert_null(other->dev->master);
	assert_int_equal(other->dev->promiscuity, 0);
	dev_set_rx_handler(other->dev, NULL);
	up.master = W.dp->dev->ifindex;
	assert_int_equal(link_setlink(other->dev, &up, &err), -EOPNOTSUPP);
	up.master = 0;
	assert_int_equal(link_setlink(d, &up, &err), -EOPNOTSUPP);
	assert_ptr_equal(d->master, W.dp->dev);
	/* The first free number. */
	assert_int_equal(vport_new(W.dp, "q", VPORT_ANY, false, &err, &u), 0);
	assert_int_equal(u->no, 4);
	vport_del(u);
	assert_null(dp_port(W.dp, 4));
	vport_del(v);
	assert_null(d->master);
	assert_null(atomic_load(&d->rx_handler));
	assert_int_equal(d->promiscuity, 0);
	assert_int_equal(W.gone, 0);
	assert_non_null(add_port("p1", 70, false)); /* and the table of ports grows */
	assert_ptr_equal(dp_port(W.dp, 70)->dev, d);
	/* A device that goes takes its port along, and tells. */
	link_dellink(d, false);
	assert_int_equal(W.gone, 70);
	assert_null(dp_port(W.dp, 70));
	t_advance(W.t, NS_PER_S);
	(void)state;
}

static void test_owner(void **state)
{
	struct link_cfg cfg = {.name = "dp1"};
	struct vx_err err;
	struct dp *dp;

	assert_int_equal(link_newlink(W.t->vx, link_type_find(W.t->vx, "openvswitch"), &cfg, NULL,
				      0, &err, NULL),
			 -EOPNOTSUPP);
	assert_int_equal(dp_new(W.t->vx, "a-name-that-is-too-long", &err, &dp), -EINVAL);
	assert_int_equal(dp_new(W.t->vx, "ovs-system", &err, &dp), -EEXIST);
	(void)state;
}

/* The datapath goes while packets wait in it. */
static void test_dp_del(void **state)
{
	t_mark(W.t);
	flood(1, 100, &V4);
	vx_turn(W.t->vx, 0, W.t->now);
	assert_int_equal(vx_held(W.t->vx), 100 - UPCALLS_A_SOURCE);
	dp_del(W.dp);
	t_advance(W.t, NS_PER_S);
	assert_int_equal(t_dropped(W.t, DROP_port_gone), 100 - UPCALLS_A_SOURCE);
	for (int i = 0; i < 10; i++)
		t_advance(W.t, NS_PER_S);
	assert_null(W.p[1]->dev->master);
	assert_int_equal(vx_held(W.t->vx), 0);
	(void)state;
}

/* --- flows -------------------------------------------------------------------------------------
 */

static void test_forward(void **state)
{
	struct flow_id id = flow(ANY4, "2");
	uint32_t len = t_udp(F, &V4, 1, 2);
	struct flow_view v;
	struct dp_stats s;

	t_mark(W.t);
	t_inject(W.p[1], F, len);
	expect(W.p[2], F, len);
	W.t->now += NS_PER_S;
	for (int i = 0; i < 3; i++)
		t_feed(W.p[1], F, len);
	t_turn(W.t);
	for (int i = 0; i < 3; i++)
		expect(W.p[2], F, len);
	t_assert_silent(W.p[2]);
	t_assert_silent(W.p[3]);
	assert_int_equal(table_get(&W.dp->table, id, &v), 0);
	assert_int_equal(v.stats.packets, 4);
	assert_int_equal(v.stats.bytes, 4 * len);
	assert_int_equal(v.stats.used, W.t->now);
	actions_put(v.actions);
	dp_sum_stats(W.dp, &s);
	assert_int_equal(s.hit, 4);
	assert_int_equal(s.cache_hit, 3);
	assert_int_equal(s.mask_hit, 1);
	assert_int_equal(s.missed, 0);
	/* Nothing was copied. */
	assert_int_equal(W.t->vx->workers[0]->acct.made, 0);
	/* Deleted, the cache does not remember it. */
	assert_int_equal(table_del(&W.dp->table, id, NULL), 0);
	t_inject(W.p[1], F, len);
	t_assert_silent(W.p[2]);
	assert_int_equal(W.upcalls, 1);
	assert_int_equal(t_dropped(W.t, DROP_upcall_lost), 1);
	(void)state;
}

static void test_miss(void **state)
{
	uint32_t len = tcp(F, &V4, 1, 2);
	struct flow_view v;
	uint32_t cursor = 0;
	struct dp_stats s;

	W.answer = "2,3";
	W.mask = "eth(dst=02:00:00:00:00:01)";
	for (int i = 0; i < 5; i++)
		t_feed(W.p[1], F, len);
	t_turn(W.t);
	assert_int_equal(W.upcalls, 1);
	for (int i = 0; i < 5; i++) {
		expect(W.p[2], F, len);
		expect(W.p[3], F, len);
	}
	assert_true(table_next(&W.dp->table, &cursor, &v));
	assert_int_equal(v.stats.packets, 4); /* not the first, which made it */
	assert_int_equal(v.stats.tcp_flags, TCP_SYN);
	assert_ptr_equal(v.source, &dp_port(W.dp, 1)->sources[0]);
	actions_put(v.actions);
	assert_false(table_next(&W.dp->table, &cursor, &v));
	dp_sum_stats(W.dp, &s);
	assert_int_equal(s.missed, 5);
	assert_int_equal(s.hit, 0);
	t_inject(W.p[1], F, len);
	dp_sum_stats(W.dp, &s);
	assert_int_equal(s.hit, 1);
	expect(W.p[2], F, len);
	expect(W.p[3], F, len);
	/* The port goes, and its flows with it. */
	vport_del(dp_port(W.dp, 1));
	cursor = 0;
	assert_false(table_next(&W.dp->table, &cursor, &v));
	(void)state;
}

static void test_drops(void **state)
{
	uint32_t len = t_udp(F, &V4, 1, 2);

	t_mark(W.t);
	flow(ANY4, "drop");
	t_inject(W.p[1], F, len);
	assert_int_equal(t_dropped(W.t, DROP_flow_drop), 1);
	flow(ANY4, "set(eth(src=02:00:00:00:00:09)),clone(pop_vlan)");
	t_inject(W.p[1], F, len);
	assert_int_equal(t_dropped(W.t, DROP_flow_drop), 2);
	flow(ANY4, "2,drop");
	t_inject(W.p[1], F, len);
	assert_int_equal(t_dropped(W.t, DROP_flow_drop), 3);
	expect(W.p[2], F, len);
	flow(ANY4, "9,2");
	t_inject(W.p[1], F, len);
	assert_int_equal(t_dropped(W.t, DROP_port_gone), 1);
	expect(W.p[2], F, len);
	flow(ANY4, "userspace(pid=1)");
	W.dp->upcall = NULL;
	t_inject(W.p[1], F, len);
	assert_int_equal(t_dropped(W.t, DROP_flow_no_handler), 1);
	F[12] = 0x81;
	F[13] = 0;
	t_inject(W.p[1], F, 16);
	assert_int_equal(t_dropped(W.t, DROP_flow_vlan_cut), 1);
	t_assert_silent(W.p[2]);
	(void)state;
}

/* Drops that only a race, a packet made by control, or the end of all brings about. */
static void test_rare_drops(void **state)
{
	struct worker *w = W.t->vx->workers[0];
	struct actions *a = acts("2");
	uint32_t len = t_udp(F, &V4, 1, 2);
	struct batch b = {0};

	t_mark(W.t);
	w->acct.made += 2;
	t_execute(w, W.dp, t_pkt(w, F, 5, 0), a, 1);
	assert_int_equal(t_dropped(W.t, DROP_pkt_too_small), 1);
	b.p[b.n++] = t_pkt(w, F, len, 0);
	vport_xmit(w, W.p[1]->dev, NULL, &b);
	assert_int_equal(t_dropped(W.t, DROP_port_gone), 1);
	t_check(W.t);
	actions_put(a);
	/* A cut tag that is the packet's type once the one before it is off. */
	memset(F, 0, sizeof(F));
	F[12] = F[16] = 0x81;
	F[15] = 5;
	flow("in_port(1),eth_type(0x8100),vlan(vid=5)", "pop_vlan,userspace(pid=1)");
	t_inject(W.p[1], F, 18);
	assert_int_equal(t_dropped(W.t, DROP_flow_vlan_cut), 1);
	assert_int_equal(W.upcalls, 0);
	/* What waits to be translated when all ends. */
	flood(2, 10, &V4);
	vx_turn(W.t->vx, 0, W.t->now);
	t_check(W.t);
	assert_in_range(W.upcalls, 1, 9);
	vx_drop_held(W.t->vx);
	assert_int_equal(t_dropped(W.t, DROP_shutdown), 10 - W.upcalls);
	t_check(W.t);
	(void)state;
}

/* --- sending -----------------------------------------------------------------------------------
 */

static uint32_t put_tag(uint8_t *f, uint32_t len, uint16_t tpid, uint16_t tci)
{
	memmove(f + 16, f + 12, len - 12);
	*(be16 *)(f + 12) = be16_put(tpid);
	*(be16 *)(f + 14) = be16_put(tci);
	return len + 4;
}

static void test_mtu(void **state)
{
	struct t_ip s = V4;
	uint32_t len;

	t_mark(W.t);
	W.p[2]->dev->mtu = 1500;
	s.len = 1472;
	len = t_udp(F, &s, 1, 2);
	assert_int_equal(len, 1514);
	flow(ANY4, "2");
	t_inject(W.p[1], F, len);
	expect(W.p[2], F, len);
	flow(ANY4, "push_vlan(vid=5,pcp=1),2");
	t_inject(W.p[1], F, len);
	len = put_tag(F, len, ETHTYPE_VLAN, 0x2005);
	expect(W.p[2], F, len);
	s.len = 1473;
	len = t_udp(F, &s, 1, 2);
	t_inject(W.p[1], F, len);
	t_assert_silent(W.p[2]);
	assert_int_equal(t_dropped(W.t, DROP_port_too_big), 1);
	assert_int_equal(dev_stats(W.p[2]->dev, W.t->vx->workers[0])->tx_errors, 1);
	(void)state;
}

/* The datapath's own device: what is output to port 0 comes up on it, what it sends comes in. */
static void test_local(void **state)
{
	struct dev *d = W.dp->dev;
	uint32_t len = t_udp(F, &V4, 1, 2);
	struct dev_stats *st = dev_stats(d, W.t->vx->workers[0]);
	struct pkt *p;
	struct batch b = {.n = 0};

	flow(ANY4, "0");
	t_mark(W.t);
	t_inject(W.p[1], F, len);
	assert_int_equal(t_dropped(W.t, DROP_dev_down), 1);
	assert_int_equal(st->rx_dropped, 1);
	assert_int_equal(dev_change_flags(d, true, NULL), 0);
	t_inject(W.p[1], F, len);
	assert_int_equal(st->rx_packets, 1);
	assert_int_equal(st->rx_bytes, len);
	assert_int_equal(t_dropped(W.t, DROP_unhandled_proto), 1); /* it has no address */
	flow("in_port(0),eth_type(0x0800)", "3");
	p = t_pkt(W.t->vx->workers[0], F, len, 0);
	W.t->vx->workers[0]->acct.made++;
	batch_add(&b, p);
	dev_queue_xmit(W.t->vx->workers[0], d, &b);
	t_turn(W.t);
	expect(W.p[3], F, len);
	assert_int_equal(st->tx_packets, 1);
	(void)state;
}

/* --- userspace ---------------------------------------------------------------------------------
 */

static void test_userspace(void **state)
{
	uint32_t len = t_udp(F, &V4, 1, 2);

	flow(ANY4, "push_vlan(vid=5,pcp=0),userspace(pid=7,slow_path(lacp)),pop_vlan,2");
	W.answer = "3";
	t_inject(W.p[1], F, len);
	expect(W.p[2], F, len);
	assert_int_equal(W.with_act, 1);
	assert_int_equal(W.act.a.arg, 7);
	assert_int_equal(W.act.slow, SLOW_LACP);
	assert_int_equal(be16_get(W.key.vlan[0].tci), 0x1005); /* as it was then */
	len = put_tag(F, len, ETHTYPE_VLAN, 5);
	expect(W.p[3], F, len);
	(void)state;
}

/* --- upcalls -----------------------------------------------------------------------------------
 */

/* One source floods; the first miss of another is served in the turn in which it comes. */
static void test_fairness(void **state)
{
	struct dp_stats st;

	t_mark(W.t);
	W.answer = "2";
	for (uint32_t turn = 0; turn < 6; turn++) {
		uint32_t before = W.upcalls;

		flood(1, 150, &V4);
		assert_true(vx_turn(W.t->vx, 0, W.t->now));
		assert_int_equal(W.upcalls - before, UPCALLS_A_SOURCE);
		t_check(W.t);
		while (t_out(W.p[2]))
			;
	}
	assert_int_equal(vx_held(W.t->vx), UPCALL_QUEUE_MAX - UPCALLS_A_SOURCE);
	W.upcalls = 0;
	flood(1, 150, &V4);
	flood(3, 1, &V4);
	vx_turn(W.t->vx, 0, W.t->now);
	assert_int_equal(W.upcalls, UPCALLS_A_SOURCE + 1);
	assert_true(W.order[0] == 3 || W.order[1] == 3);
	for (uint32_t i = 2; i < UPCALLS_A_SOURCE; i++)
		assert_int_equal(W.order[i], 1);
	for (uint32_t i = 0; i < UPCALL_QUEUE_MAX / UPCALLS_A_SOURCE; i++) {
		vx_turn(W.t->vx, 0, W.t->now);
		while (t_out(W.p[2]))
			;
	}
	assert_int_equal(vx_held(W.t->vx), 0);
	dp_sum_stats(W.dp, &st);
	assert_int_equal(st.missed, 7 * 150 + 1);
	assert_int_equal(st.lost, t_dropped(W.t, DROP_upcall_queue_full));
	assert_true(st.lost > 0);
	(void)state;
}

/* Straight into the queues: a source's limit, and who is the victim of the limit of all. */
static void test_queue_limits(void **state)
{
	struct worker *w = W.t->vx->workers[0];
	struct dp_worker *dw = &W.dp->workers[0];
	uint32_t len = t_udp(F, &V4, 1, 2);
	struct vport *v;

	t_add_port(W.t, "tun", "02:00:00:00:03:00", NULL);
	v = add_port("tun", 4, true);
	t_mark(W.t);
	for (uint32_t i = 0; i < UPCALL_QUEUE_MAX + 3; i++) {
		w->acct.made++;
		upcall(w, dw, &v->queues[0], t_pkt(w, F, len, 0), NULL);
	}
	assert_int_equal(t_dropped(W.t, DROP_upcall_queue_full), 3);
	for (uint32_t q = 1; q < 4; q++)
		for (uint32_t i = 0; i < UPCALL_QUEUE_MAX; i++) {
			w->acct.made++;
			upcall(w, dw, &v->queues[q], t_pkt(w, F, len, 0), NULL);
		}
	assert_int_equal(dw->upcalls.n, UPCALL_TOTAL_MAX);
	assert_int_equal(t_dropped(W.t, DROP_upcall_queue_full), 3);
	for (uint32_t i = 0; i < 50; i++) { /* another source has room: the longest lose */
		w->acct.made++;
		upcall(w, dw, &v->queues[9], t_pkt(w, F, len, 0), NULL);
	}
	assert_int_equal(v->queues[9].q.n, 50);
	assert_int_equal(dw->upcalls.n, UPCALL_TOTAL_MAX);
	assert_int_equal(t_dropped(W.t, DROP_upcall_queue_full), 53);
	for (uint32_t q = 0; q < 4; q++)
		assert_in_range(v->queues[q].q.n, UPCALL_QUEUE_MAX - 13, UPCALL_QUEUE_MAX - 12);
	assert_int_equal(v->waiting[0], UPCALL_TOTAL_MAX);
	assert_int_equal(dw->stats.lost, 53);
	dp_note_held(w, dw);
	t_check(W.t);
	/* The port goes: it is freed when they are dropped, a turn later. */
	vport_del(v);
	t_advance(W.t, NS_PER_S);
	assert_int_equal(t_dropped(W.t, DROP_port_gone), UPCALL_TOTAL_MAX);
	assert_int_equal(vx_held(W.t->vx), 0);
	t_advance(W.t, NS_PER_S);
	(void)state;
}

/* Whose last packet a worker has just taken has its queue in that worker's hands. */
static void test_port_in_hand(void **state)
{
	struct worker *w = W.t->vx->workers[0];
	struct dp_worker *dw = &W.dp->workers[0];
	struct quiesce *q = &W.t->vx->quiesce;
	struct vport *v = dp_port(W.dp, 1);
	uint32_t len = t_udp(F, &V4, 1, 2);

	w->acct.made++;
	upcall(w, dw, &v->queues[0], t_pkt(w, F, len, 0), NULL);
	vport_del(v);
	quiesce_pass(q, 0);
	quiesce_reap(q); /* it waits */
	quiesce_pass(q, 0);
	upcalls_drop(w, dw, DROP_port_gone);
	quiesce_reap(q);
	assert_int_equal(v->queues[0].served, 0); /* as who serves it does now */
	assert_int_equal(quiesce_reap(q), 1);
	quiesce_pass(q, 0);
	assert_int_equal(quiesce_reap(q), 0);
	(void)state;
}

/* The port that asks goes while it is asked for. */
static void on_upcall_port_goes(void *ctx, struct upcall *u)
{
	on_upcall(ctx, u);
	vport_del(dp_port(W.dp, 1));
}

static void test_port_goes_meanwhile(void **state)
{
	uint32_t len = t_udp(F, &V4, 1, 2), flows, masks;

	W.answer = "2";
	W.mask = "eth_type(0x0800)";
	W.dp->upcall = on_upcall_port_goes;
	t_inject(W.p[1], F, len);
	expect(W.p[2], F, len);
	table_count(&W.dp->table, &flows, &masks);
	assert_int_equal(flows, 0);
	t_advance(W.t, NS_PER_S); /* the port is freed */
	table_flush(&W.dp->table);
	(void)state;
}

/* Of a tunnel port the source is outer address and VNI. */
static void test_tunnel_sources(void **state)
{
	struct worker *w = W.t->vx->workers[0];
	struct pkt *p = t_pkt(w, F, t_udp(F, &V4, 1, 2), 0);
	struct upcall_queue *first;
	uint32_t others = 0;
	struct vport *v;

	t_add_port(W.t, "tun", "02:00:00:00:03:00", NULL);
	v = add_port("tun", 4, true);
	p->has_tun = true;
	p->tun = (struct tun_info){.src = t_addr("10.0.0.9"), .id = 1, .has_key = true};
	first = vport_queue(v, w, p);
	assert_ptr_equal(first, vport_queue(v, w, p));
	for (uint32_t i = 2; i < 20; i++) {
		p->tun.id = i;
		others += vport_queue(v, w, p) != first;
	}
	assert_true(others > 14);
	pkt_free(p);
	(void)state;
}

/* --- copies ------------------------------------------------------------------------------------
 */

/* More outputs than a turn makes copies: the rest is held and goes on, in order. */
static void test_copies(void **state)
{
	uint32_t len = t_udp(F, &V4, 1, 2), n = 0;
	struct act_buf b = {0};
	struct flow_key k, m;
	struct actions *a;
	int err;

	for (int i = 0; i < 2500; i++)
		act_output(&b, 9); /* no such port: counted, not sent */
	act_output(&b, 2);
	a = act_buf_done(&b, &err);
	assert_non_null(a);
	assert_int_equal(parse_key(ANY4, NULL, &k, &m, NULL), 0);
	assert_int_equal(table_put(&W.dp->table, &k, &m, a, NULL, TABLE_CREATE, NULL), 0);
	t_mark(W.t);
	t_feed(W.p[1], F, len);
	assert_true(vx_turn(W.t->vx, 0, W.t->now));
	assert_int_equal(t_dropped(W.t, DROP_port_gone), DP_COPIES_A_TURN);
	assert_int_equal(vx_held(W.t->vx), 1);
	t_check(W.t);
	table_flush(&W.dp->table); /* it goes on with what it had */
	t_advance(W.t, NS_PER_S);
	assert_int_equal(t_dropped(W.t, DROP_port_gone), 2500);
	expect(W.p[2], F, len);
	t_assert_silent(W.p[2]);
	while (vx_turn(W.t->vx, 0, W.t->now))
		n++;
	assert_int_equal(n, 0);
	(void)state;
}

/* In a clone, too; and what does not fit the queue is dropped for a reason. */
static void test_copies_nested(void **state)
{
	uint32_t len = t_udp(F, &V4, 1, 2);
	struct act_buf b = {0};
	struct actions *a;
	int err;

	act_clone(&b);
	for (int i = 0; i < 1500; i++)
		act_output(&b, 9);
	act_push_vlan(&b, ETHTYPE_VLAN, 5);
	act_output(&b, 3);
	act_clone_end(&b);
	for (int i = 0; i < 3; i++)
		act_output(&b, 9);
	act_output(&b, 2);
	a = act_buf_done(&b, &err);
	assert_non_null(a);
	t_mark(W.t);
	for (int i = 0; i < 2; i++) {
		W.t->vx->workers[0]->acct.made++;
		t_execute(W.t->vx->workers[0], W.dp, t_pkt(W.t->vx->workers[0], F, len, 0), a, 1);
	}
	/* The second had not even its first copy. */
	assert_int_equal(W.dp->workers[0].waiting.n, 3);
	t_turn(W.t);
	assert_int_equal(t_dropped(W.t, DROP_port_gone), 3006);
	expect(W.p[2], F, len);
	expect(W.p[2], F, len);
	len = put_tag(F, len, ETHTYPE_VLAN, 5);
	expect(W.p[3], F, len);
	expect(W.p[3], F, len);
	W.dp->workers[0].copies_turn = W.t->vx->workers[0]->turns;
	W.dp->workers[0].copies = DP_COPIES_A_TURN;
	for (uint32_t i = 0; i < DP_WAITING_MAX + 2; i++) {
		W.t->vx->workers[0]->acct.made++;
		t_execute(W.t->vx->workers[0], W.dp, t_pkt(W.t->vx->workers[0], F, len, 0), a, 1);
	}
	assert_int_equal(t_dropped(W.t, DROP_copies_waiting), 2);
	vx_turn(W.t->vx, 0, W.t->now);
	t_check(W.t);
	vx_drop_held(W.t->vx);
	assert_true(t_dropped(W.t, DROP_shutdown) > 1000);
	while (t_out(W.p[2]) || t_out(W.p[3]))
		;
	actions_put(a);
	(void)state;
}

/* Copies refer to the payload. */
static void test_shared(void **state)
{
	struct t_ip s = V4;
	uint32_t len;
	struct pool_stats st;

	s.len = 9000;
	len = t_udp(F, &s, 1, 2);
	for (int i = 1; i <= 3; i++)
		W.p[i]->dev->mtu = 9100;
	flow(ANY4, "2,3,2,3,2");
	t_inject(W.p[1], F, len);
	st = vx_pool_stats(W.t->vx);
	assert_int_equal(st.big_out, 0);
	for (int i = 0; i < 3; i++)
		expect(W.p[2], F, len);
	for (int i = 0; i < 2; i++)
		expect(W.p[3], F, len);
	assert_int_equal(W.t->vx->workers[0]->acct.made, 4);
	(void)state;
}

/* --- explain -----------------------------------------------------------------------------------
 */

static void test_trace(void **state)
{
	struct trace t = {.refs = 1};
	struct worker *w = W.t->vx->workers[0];
	struct pkt *p = t_pkt(w, F, t_udp(F, &V4, 1, 2), 0);
	static const struct {
		uint8_t stage, say;
	} want[] = {{STAGE_vport_frame_hook, SAY_NOTHING}, {STAGE_vport_receive, SAY_VPORT},
		    {STAGE_flow_key_extract, SAY_NOTHING}, {STAGE_dp_process_packet, SAY_FLOW},
		    {STAGE_execute_actions, SAY_ACTIONS},  {STAGE_do_output, SAY_VPORT},
		    {STAGE_vport_send, SAY_VPORT},	   {STAGE_dev_queue_xmit, SAY_DEV}};

	flow(ANY4, "2");
	w->acct.made++;
	p->trace = &t;
	t.refs = 2;
	vport_receive(w, dp_port(W.dp, 1), p);
	t_turn(W.t);
	for (uint32_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_int_equal(t.steps[i].stage, want[i].stage);
		assert_int_equal(t.steps[i].say, want[i].say);
	}
	assert_string_equal(t.steps[4].maker.text, "p2");
	assert_int_equal(t.steps[5].u[0], 2);
	assert_string_equal(t.steps[5].dev, "p2");
	assert_non_null(t_out(W.p[2]));
	(void)state;
}

/* --- rewriting: byte-exact ---------------------------------------------------------------------
 */

/* What 'list' makes of F is G. */
static void rewrite(const char *key, const char *list, uint32_t len, uint32_t want)
{
	char b[300];

	snprintf(b, sizeof(b), "%s,2", list);
	flow(key, b);
	for (uint32_t split = 14; split < 60; split += 5) {
		W.p[1]->split = split;
		t_inject(W.p[1], F, len);
		expect(W.p[2], G, want);
	}
	/* A copy sent before is not touched. */
	W.p[1]->split = 0;
	snprintf(b, sizeof(b), "3,%s,2", list);
	flow(key, b);
	t_inject(W.p[1], F, len);
	expect(W.p[2], G, want);
	expect(W.p[3], F, len);
}

static void test_set_eth(void **state)
{
	uint32_t len = t_udp(F, &V4, 1, 2);

	memcpy(G, F, len);
	memcpy(G, "\x02\0\0\0\0\x99", 6);
	rewrite(ANY4, "set(eth(dst=02:00:00:00:00:99))", len, len);
	memcpy(G, F, len);
	G[6] |= 0x40;
	rewrite(ANY4, "set(eth(src=40:00:00:00:00:00/40:00:00:00:00:00))", len, len);
	(void)state;
}

static void test_vlan(void **state)
{
	uint32_t len = t_udp(F, &V4, 1, 2), tagged;

	memcpy(G, F, len);
	tagged = put_tag(G, len, ETHTYPE_VLAN, 0x600a);
	rewrite(ANY4, "push_vlan(vid=10,pcp=3)", len, tagged);
	tagged = put_tag(G, tagged, ETHTYPE_QINQ, 0x0064);
	rewrite(ANY4, "push_vlan(vid=10,pcp=3),push_vlan(tpid=0x88a8,vid=100,pcp=0)", len, tagged);
	memcpy(G, F, len);
	rewrite(ANY4, "push_vlan(vid=10,pcp=3),pop_vlan,pop_vlan", len, len);
	tagged = put_tag(F, len, ETHTYPE_VLAN, 7);
	rewrite("in_port(1),eth_type(0x8100),vlan(vid=7),encap(eth_type(0x0800))", "pop_vlan",
		tagged, len);
	(void)state;
}

static void test_set_ip4(void **state)
{
	static const char list[] = "set(ipv4(src=9.8.7.6,dst=1.2.3.4,tos=0xb8/0xfc,ttl=63))";
	struct t_ip to = V4;
	uint32_t len;

	to.src = "9.8.7.6";
	to.dst = "1.2.3.4";
	to.tos = 0xb9;
	to.ttl = 63;
	memset(G + 60000, 0, 200);
	to.data = G + 60000;
	struct t_ip from = V4;
	from.data = G + 60000;
	len = t_udp(F, &from, 5, 6);
	t_udp(G, &to, 5, 6);
	rewrite(ANY4, list, len, len);
	len = tcp(F, &from, 5, 6);
	tcp(G, &to, 5, 6);
	rewrite(ANY4, list, len, len);
	len = t_echo(F, &from, 20);
	t_echo(G, &to, 20);
	rewrite(ANY4, list, len, len);
	/* Without a checksum there is none afterwards. */
	len = t_udp(F, &from, 5, 6);
	t_udp(G, &to, 5, 6);
	t_udp_of(F)->csum = t_udp_of(G)->csum = be16_put(0);
	rewrite(ANY4, list, len, len);
	/* A later fragment has no header behind IP's. */
	from.frag = to.frag = 10;
	len = t_udp(F, &from, 5, 6);
	t_udp(G, &to, 5, 6);
	memcpy(G + 34, F + 34, len - 34);
	rewrite("in_port(1),eth_type(0x0800),ipv4(frag=later)", list, len, len);
	/* A masked part of an address. */
	from.frag = to.frag = 0;
	to = from;
	to.dst = "10.0.7.1";
	len = t_udp(F, &from, 5, 6);
	t_udp(G, &to, 5, 6);
	rewrite(ANY4, "set(ipv4(dst=0.0.7.0/0.0.255.0))", len, len);
	(void)state;
}

static void test_set_ip6(void **state)
{
	static const char list[] =
		"set(ipv6(src=fd01::9,dst=fd01::8,label=0x12345,tclass=0xb8/0xfc,hlimit=9))";
	struct t_ip from = V6, to = V6;
	uint32_t len;

	memset(G + 60000, 0, 200);
	from.data = to.data = G + 60000;
	to.src = "fd01::9";
	to.dst = "fd01::8";
	to.tos = 0xb9;
	to.ttl = 9;
	len = t_udp(F, &from, 5, 6);
	t_udp(G, &to, 5, 6);
	t_ip6_of(G)->vtc_flow = ip6_vtc_flow(0xb9, 0x12345);
	rewrite(ANY6, list, len, len);
	len = tcp(F, &from, 5, 6);
	tcp(G, &to, 5, 6);
	t_ip6_of(G)->vtc_flow = ip6_vtc_flow(0xb9, 0x12345);
	rewrite(ANY6, list, len, len);
	len = t_echo(F, &from, 20);
	t_echo(G, &to, 20);
	t_ip6_of(G)->vtc_flow = ip6_vtc_flow(0xb9, 0x12345);
	rewrite(ANY6, list, len, len);
	(void)state;
}

static void test_set_ports(void **state)
{
	static const uint8_t payload[200];
	struct t_ip s = V4;
	uint32_t len;

	s.data = payload;
	len = t_udp(F, &s, 5, 6);
	t_udp(G, &s, 0x7005, 99);
	rewrite(ANY4, "set(udp(src=0x7000/0xff00,dst=99))", len, len);
	len = tcp(F, &s, 5, 6);
	tcp(G, &s, 5, 99);
	rewrite(ANY4, "set(tcp(dst=99))", len, len);
	/* Of another protocol it does nothing. */
	memcpy(G, F, len);
	rewrite(ANY4, "set(udp(dst=99)),set(ipv6(hlimit=3)),set(sctp(src=1))", len, len);
	(void)state;
}

static void put_sctp_sum(uint8_t *h, uint32_t len)
{
	uint32_t crc;

	memset(h + 8, 0, 4);
	crc = ~crc32c_add(~0u, h, len);
	for (int i = 0; i < 4; i++)
		h[8 + i] = (uint8_t)(crc >> 8 * i);
}

/* SCTP's sum is CRC32c over header and chunks, not over what pads the frame. */
static void test_set_sctp(void **state)
{
	uint8_t h[301] = {0, 5, 0, 6, 1, 2, 3, 4};
	struct t_ip s = V4;
	uint32_t len;

	for (uint32_t i = 12; i < sizeof(h); i++)
		h[i] = (uint8_t)(i * 7);
	s.proto = 132;
	s.data = h;
	s.len = sizeof(h);
	put_sctp_sum(h, sizeof(h));
	len = t_ip(F, &s);
	memset(F + len, 0xee, 10);
	memcpy(G, F, len + 10);
	G[37] = 99;
	put_sctp_sum(G + 34, sizeof(h));
	rewrite(ANY4, "set(sctp(dst=99))", len + 10, len + 10);
	/* A wrong one stays wrong by as much. */
	F[42] ^= 0x5a;
	G[42] ^= 0x5a;
	rewrite(ANY4, "set(sctp(dst=99))", len + 10, len + 10);
	(void)state;
}

/* An unfinished checksum stays one until the frame leaves, and is right then. */
static void test_partial(void **state)
{
	struct ip_addr src = t_addr("10.0.0.2"), dst = t_addr("10.0.0.1");
	static const uint8_t payload[200];
	struct t_ip from = V4, to = V4;
	uint32_t len;

	from.data = to.data = payload;
	to.dst = "1.2.3.4";
	len = t_udp(F, &from, 5, 6);
	t_udp(G, &to, 5, 99);
	t_udp_of(F)->csum = (be16){csum_reduce(csum_pseudo(&src, &dst, 17, len - 34))};
	W.p[1]->csum_state = CSUM_PARTIAL;
	W.p[1]->csum_start = 34;
	flow(ANY4, "set(ipv4(dst=1.2.3.4)),set(udp(dst=99)),push_vlan(vid=1,pcp=0),pop_vlan,2");
	{
		struct worker *w = W.t->vx->workers[0];
		struct pkt *p = t_pkt(w, F, len, 0);

		p->csum_state = CSUM_PARTIAL;
		p->csum_start = pkt_off(p) + 34;
		p->csum_offset = 6;
		w->acct.made++;
		vport_receive(w, dp_port(W.dp, 1), p);
		t_turn(W.t);
	}
	expect(W.p[2], G, len);
	(void)state;
}

/* A super-frame: tagged and rewritten whole, cut when it leaves. */
static void test_gso(void **state)
{
	struct worker *w = W.t->vx->workers[0];
	static uint8_t b[3020];
	struct ip_addr src = t_addr("10.0.0.2"), dst = t_addr("1.2.3.4");
	struct ip_addr was = t_addr("10.0.0.1");
	struct tcp_hdr *h = (struct tcp_hdr *)b;
	struct t_ip s = V4;
	struct pkt *p;
	uint32_t len;

	*h = (struct tcp_hdr){
		.src = be16_put(1), .dst = be16_put(2), .off = 0x50, .flags = TCP_ACK};
	h->csum = (be16){csum_reduce(csum_pseudo(&src, &was, 6, sizeof(b)))};
	s.proto = 6;
	s.data = b;
	s.len = sizeof(b);
	len = t_ip(F, &s);
	p = t_pkt(w, F, len, 0);
	p->csum_state = CSUM_PARTIAL;
	p->csum_start = pkt_off(p) + 34;
	p->csum_offset = 16;
	p->gso_type = GSO_TCP4;
	p->gso_size = 1000;
	p->gso_segs = 3;
	w->acct.made++;
	flow(ANY4, "set(ipv4(dst=1.2.3.4)),push_vlan(vid=5,pcp=0),2");
	vport_receive(w, dp_port(W.dp, 1), p);
	t_turn(W.t);
	for (int i = 0; i < 3; i++) {
		const struct t_frame *f = t_out(W.p[2]);

		assert_non_null(f);
		assert_int_equal(f->len, 14 + 4 + 40 + 1000);
		assert_int_equal(csum_reduce(csum_add(0, f->b + 18, 20)), 0xffff);
		assert_int_equal(
			csum_reduce(csum_add(csum_pseudo(&src, &dst, 6, 1020), f->b + 38, 1020)),
			0xffff);
	}
	t_assert_silent(W.p[2]);
	(void)state;
}

static void test_meta(void **state)
{
	struct worker *w = W.t->vx->workers[0];
	struct actions *a = acts("set(skb_mark(0x5/0xf)),set(tunnel(tun_id=0x6,ipv6_dst=fd00::2,"
				 "ttl=64,tp_dst=4789,flags(df|key))),2");
	struct pkt *p = t_pkt(w, F, t_udp(F, &V4, 1, 2), 0);
	struct flow_layers l = {0};
	struct dp_worker *dw = &W.dp->workers[0];
	struct batch *b = &dp_port(W.dp, 2)->out[0].b;

	w->acct.made++;
	p->mark = 0x7a;
	execute_actions(w, dw, p, a, 1, l);
	assert_int_equal(b->n, 1);
	assert_ptr_equal(b->p[0], p);
	assert_int_equal(p->mark, 0x75);
	assert_true(p->has_tun && p->tun.is_tx && p->tun.df && p->tun.has_key && !p->tun.has_csum);
	assert_int_equal(p->tun.id, 6);
	assert_int_equal(p->tun.dport, 4789);
	/* Over IPv6 the outer checksum is always there. */
	dp_send_all(w, dw);
	assert_non_null(t_out(W.p[2]));
	actions_put(a);
	/* Where a packet came from does not go with it. */
	p = t_pkt(w, F, t_udp(F, &V4, 1, 2), 0);
	w->acct.made++;
	p->has_tun = true;
	p->tun = (struct tun_info){.has_key = true};
	do_output(w, dw, p, 2);
	assert_false(p->has_tun);
	dp_send_all(w, dw);
	assert_non_null(t_out(W.p[2]));
	t_turn(W.t);
	(void)state;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_link),	  T(test_owner),	 T(test_dp_del),
		T(test_forward),  T(test_miss),		 T(test_drops),
		T(test_rare_drops),
		T(test_mtu),	  T(test_local),	 T(test_userspace),
		T(test_fairness), T(test_queue_limits), T(test_port_in_hand), T(test_port_goes_meanwhile),
		T(test_tunnel_sources),
		T(test_copies),	  T(test_copies_nested), T(test_shared),
		T(test_trace),	  T(test_set_eth),	 T(test_vlan),
		T(test_set_ip4),  T(test_set_ip6),	 T(test_set_ports),
		T(test_set_sctp), T(test_partial),	 T(test_gso),
		T(test_meta),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
