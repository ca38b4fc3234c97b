/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The accounting in the corners: full queues, empty pools, packets that cannot be sent.  Each test
 * goes somewhere that no other does (test/mutants/run.py); t_turn() checks that nothing is lost.
 */
#include "net/testing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/backlog.h"
#include "net/neigh.h"
#include "net/output.h"
#include "net/ptype.h"
#include "net/udp_inet.h"

enum { PROTO = 253, HELD_MAX = 70000 };

struct fixture {
	struct t_net *t;
	struct t_port *p;
	struct worker *w;
};

static struct fixture make(void)
{
	struct fixture f = {.t = t_new()};

	f.p = t_add_port(f.t, "up0", T_ME, "10.0.0.1/24");
	t_add_addr(f.p, "fd00::1/64");
	t_add_neigh(f.p, "10.0.0.2", T_HER);
	t_add_neigh(f.p, "fd00::2", T_HER);
	f.w = f.t->vx->workers[0];
	t_turn(f.t);
	t_mark(f.t);
	return f;
}

static int emit(struct fixture *f, const char *to, uint32_t len)
{
	struct pkt *p = pkt_make(f->w, len);
	struct ip_out o = {.dst = t_addr(to), .proto = PROTO};

	memset(pkt_append(p, len), 1, len);
	return ip_send_routed(f->w, p, &o, 0);
}

/* --- empty pools -------------------------------------------------------------------------------
 */

static struct pkt *taken[HELD_MAX];
static uint32_t n_taken;

/* All buffers but 'small' are somebody else's; packets too, but for 'pkts'. */
static void drain(struct worker *w, uint32_t small, uint32_t pkts)
{
	struct pkt *p;

	for (n_taken = 0; (p = pkt_new(w->pool, 0)); n_taken++)
		taken[n_taken] = p;
	while ((p = pkt_slice(w->pool, taken[0], 0, 0)))
		taken[n_taken++] = p;
	/* Those taken last hold no buffer of their own. */
	while (pkts--)
		pkt_free(taken[--n_taken]);
	for (uint32_t i = 1; i <= small; i++) {
		pkt_free(taken[i]);
		taken[i] = NULL;
	}
}

static void refill(void)
{
	while (n_taken)
		pkt_free(taken[--n_taken]);
}

/* An echo request is left without its reply. */
static void no_reply(void **state)
{
	struct fixture f = make();
	static uint8_t b[T_FRAME_MAX];
	uint32_t len = t_echo(b, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1"}, 10);

	(void)state;
	drain(f.w, 1, 0); /* for the request itself */
	t_inject(f.p, b, len);
	assert_int_equal(t_dropped(f.t, DROP_no_memory), 1);
	refill();
	t_end(f.t);
}

/* Fragments: none can be made, or not all, or one without its payload. */
static void no_fragments(void **state)
{
	static const struct {
		const char *to;
		uint32_t small, pkts, dropped;
	} row[] = {
		{"10.0.0.2", 0, 0, 1}, {"10.0.0.2", 1, 0, 2}, {"10.0.0.2", 1, 1, 1},
		{"fd00::2", 0, 0, 1},  {"fd00::2", 1, 0, 2},  {"fd00::2", 1, 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct fixture f = make();
		struct pkt *p = pkt_make(f.w, 3000);
		struct ip_out o = {.dst = t_addr(row[i].to), .proto = PROTO};

		memset(pkt_append(p, 3000), 1, 3000);
		drain(f.w, row[i].small, row[i].pkts);
		assert_true(ip_send_routed(f.w, p, &o, 0) < 0);
		t_turn(f.t);
		refill();
		t_turn(f.t);
		assert_int_equal(t_dropped(f.t, DROP_no_memory), row[i].dropped);
		t_end(f.t);
	}
}

/* A datagram put together from a shared buffer, and a recorded route: neither can be written. */
static void not_writable(void **state)
{
	static const uint8_t rr[8] = {7, 7, 4};
	struct fixture f = make();
	static uint8_t b[T_FRAME_MAX];
	struct t_ip ip = {.src = "10.0.0.2",
			  .dst = "10.0.0.1",
			  .proto = PROTO,
			  .data = "12345678",
			  .len = 8,
			  .opts = rr,
			  .opts_len = sizeof(rr)};
	struct pkt *p;
	struct batch one = {.n = 1};

	(void)state;
	for (int i = 0; i < 2; i++) {
		uint32_t len = t_ip(b, &ip);

		p = pkt_new(f.w->pool, len);
		f.w->acct.rx++;
		memcpy(pkt_append(p, len), b, len);
		eth_type_trans(p, f.p->dev);
		p->orig_dev = f.p->dev;
		one = (struct batch){.n = 1, .p = {p}};
		if (i == 1) /* the second fragment is whose arrival makes the whole */
			break;
		p = pkt_slice(f.w->pool, one.p[0], 0, 0);
		drain(f.w, 0, 0);
		netif_receive(f.w, &one);
		t_turn(f.t);
		pkt_free(p);
		refill();
		assert_int_equal(t_dropped(f.t, DROP_no_memory), 1);
		ip = (struct t_ip){.src = "10.0.0.2",
				   .dst = "10.0.0.1",
				   .proto = PROTO,
				   .id = 9,
				   .frag = 0x2000,
				   .data = "12345678",
				   .len = 8};
	}
	p = pkt_slice(f.w->pool, one.p[0], 0, 0); /* the first fragment is shared */
	netif_receive(f.w, &one);
	ip.frag = 1;
	t_feed(f.p, b, t_ip(b, &ip));
	drain(f.w, 1, 0);
	t_turn(f.t);
	refill();
	pkt_free(p);
	assert_int_equal(t_dropped(f.t, DROP_no_memory), 2);
	t_end(f.t);
}

static void not_writable6(void **state)
{
	/* Fragment header: next 253, bytes 0 and 8, id 7; and eight bytes. */
	static const uint8_t piece[2][16] = {{PROTO, 0, 0, 1, 0, 0, 0, 7},
					     {PROTO, 0, 0, 8, 0, 0, 0, 7}};
	struct fixture f = make();
	static uint8_t b[T_FRAME_MAX];
	struct t_ip ip = {
		.src = "fd00::2", .dst = "fd00::1", .proto = 44, .data = piece[0], .len = 16};
	uint32_t len = t_ip(b, &ip);
	struct pkt *p = pkt_new(f.w->pool, len), *other;
	struct batch one = {.n = 1, .p = {p}};

	(void)state;
	f.w->acct.rx++;
	memcpy(pkt_append(p, len), b, len);
	eth_type_trans(p, f.p->dev);
	p->orig_dev = f.p->dev;
	other = pkt_slice(f.w->pool, p, 0, 0);
	netif_receive(f.w, &one);
	ip.data = piece[1];
	t_feed(f.p, b, t_ip(b, &ip));
	drain(f.w, 1, 0);
	t_turn(f.t);
	refill();
	pkt_free(other);
	assert_int_equal(t_dropped(f.t, DROP_no_memory), 1);
	t_end(f.t);
}

/* --- full queues -------------------------------------------------------------------------------
 */

static uint32_t n_in_order;
static void in_order(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		assert_memory_equal(b->p[i]->data, &n_in_order, sizeof(n_in_order));
		n_in_order++;
		pkt_consume(w, b->p[i]);
	}
}

/* B1 of stack.md: 1,000 wait, in order; the device counts what is too much. */
static void b1_backlog(void **state)
{
	struct fixture f = make();
	struct ptype ear = {.type = 0x88b5, .rcv = in_order};
	struct dev_stats st;

	(void)state;
	assert_int_equal(BACKLOG_MAX, 1000);
	assert_int_equal(ptype_add(f.t->vx, &ear), 0);
	n_in_order = 0;
	for (uint32_t i = 0; i < BACKLOG_MAX + 2; i++) {
		struct pkt *p = pkt_make(f.w, 64);

		memcpy(pkt_append(p, 64), &i, sizeof(i));
		p->dev = p->orig_dev = f.p->dev;
		p->protocol = be16_put(0x88b5);
		netif_rx(f.w, p);
	}
	dev_sum_stats(f.p->dev, &st);
	assert_int_equal(st.rx_dropped, 2);
	t_turn(f.t);
	assert_int_equal(t_dropped(f.t, DROP_cpu_backlog), 2);
	assert_int_equal(n_in_order, BACKLOG_MAX);
	ptype_del(f.t->vx, &ear);
	t_end(f.t);
}

/* To this host itself: more than fit in a turn, and to an address that has gone meanwhile. */
static void full_loop(void **state)
{
	struct fixture f = make();
	struct ip_addr me = t_addr("10.0.0.1");

	(void)state;
	for (int i = 0; i < BACKLOG_MAX + 3; i++)
		emit(&f, "10.0.0.1", 20);
	assert_int_equal(t_dropped(f.t, DROP_cpu_backlog), 3);
	assert_int_equal(inet_addr_del(f.p->dev, &me, 24, NULL), 0);
	t_turn(f.t);
	assert_int_equal(t_dropped(f.t, DROP_ip_not_local), BACKLOG_MAX);
	t_end(f.t);
}

/* No slot for one more neighbour: all are permanent. */
static void full_neighbours(void **state)
{
	struct fixture f = make();
	char ip[32];

	(void)state;
	for (int i = 0; i < NEIGH_MAX + 10; i++) {
		struct neigh_req r = {.dev = f.p->dev,
				      .has_mac = true,
				      .mac = t_mac(T_HER),
				      .nl_flags = 0x400 /* NLM_F_CREATE */};

		snprintf(ip, sizeof(ip), "fd00::1:%x", i + 1);
		r.ip = t_addr(ip);
		if (neigh_add(f.t->vx, &r, NULL) < 0)
			break;
	}
	assert_true(emit(&f, "10.0.0.77", 20) < 0);
	assert_int_equal(t_dropped(f.t, DROP_neigh_queue_full), 1);
	t_turn(f.t);
	t_end(f.t);
}

/* --- what cannot be sent ------------------------------------------------------------------------
 */

static void too_long(void **state)
{
	struct fixture f = make();

	(void)state;
	assert_int_equal(emit(&f, "10.0.0.2", 65530), -EMSGSIZE);
	assert_int_equal(t_dropped(f.t, DROP_ip_out_too_big), 1);
	t_turn(f.t);
	t_end(f.t);
}

/* A super-frame that is none, and a checksum outside the packet. */
static void lies(void **state)
{
	struct fixture f = make();

	(void)state;
	for (int gso = 0; gso < 2; gso++) {
		struct pkt *p = pkt_make(f.w, 64);
		struct batch one = {.n = 1, .p = {p}};

		memset(pkt_append(p, 64), 0, 64);
		p->csum_state = CSUM_PARTIAL;
		p->csum_start = pkt_off(p) + 70;
		p->gso_size = gso ? 10 : 0;
		p->gso_type = gso ? GSO_TCP4 : GSO_NONE;
		dev_queue_xmit(f.w, f.p->dev, &one);
		assert_int_equal(t_dropped(f.t, DROP_gso_failed), gso + 1);
	}
	t_turn(f.t);
	t_end(f.t);
}

/* --- the end ------------------------------------------------------------------------------------ */

/* Packets on their way to a port and to this host itself, which nobody takes further: t_end() looks
 * whether they are accounted for. */
static void at_the_end(void **state)
{
	struct fixture f = make();

	(void)state;
	assert_int_equal(emit(&f, "10.0.0.2", 20), 0);
	assert_int_equal(emit(&f, "10.0.0.1", 20), 0);
	assert_int_equal(vx_held(f.t->vx), 2);
	t_end(f.t);
}

/* --- a tunnel's socket
 * ---------------------------------------------------------------------------- */

static void takes_nothing(struct worker *w, struct udp_sock *sk, struct batch *b)
{
	(void)w, (void)sk, (void)b;
}

/* No room for the outer headers; a host's socket has no reader for what its hook leaves. */
static void tunnel(void **state)
{
	struct fixture f = make();
	struct udp_sock_cfg cfg = {.vx = f.t->vx, .family = AF_INET, .port = 4789};
	struct udp_tunnel_cfg hook = {.rcv = takes_nothing};
	struct udp_flow flow = {.dst = t_addr("10.0.0.2"), .sport = 1, .dport = 4789};
	struct udp_sock host = {.cfg = cfg, .is_host = true}, *sk;
	struct pkt *p = pkt_make(f.w, 64);
	struct batch one = {.n = 1};
	struct dst d;

	(void)state;
	assert_int_equal(udp_sock_create(&cfg, false, &sk, NULL), 0);
	udp_tunnel_setup(sk, &hook);
	assert_int_equal(sk->ops->route(f.w, sk, &flow, &d), 0);
	pkt_push(p, pkt_headroom(p) - 10);
	p->dev = f.p->dev;
	udp_tunnel_set_len(p, 64);
	udp_tunnel_xmit(f.w, sk, p, &flow, &d);
	assert_int_equal(t_dropped(f.t, DROP_no_headroom), 1);
	udp_sock_release(sk);

	host.tunnel = hook;
	one.p[0] = pkt_make(f.w, 64);
	udp_queue_rcv(f.w, &host, &one);
	assert_int_equal(t_dropped(f.t, DROP_udp_no_socket), 1);
	t_turn(f.t);
	t_end(f.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_reply),
		cmocka_unit_test(no_fragments),
		cmocka_unit_test(not_writable),
		cmocka_unit_test(not_writable6),
		cmocka_unit_test(b1_backlog),
		cmocka_unit_test(full_loop),
		cmocka_unit_test(full_neighbours),
		cmocka_unit_test(too_long),
		cmocka_unit_test(lies),
		cmocka_unit_test(at_the_end),
		cmocka_unit_test(tunnel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
