/* SPDX-License-Identifier: Apache-2.0 */
/* Reassembly and fragmentation: rows F1 to F7 and O1 of stack.md. */
#include "net/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/frag.h"
#include "net/udp_inet.h"
#include "wire/csum.h"

enum { PAYLOAD = 4000 }; /* of the ICMP echo that is cut */

static uint8_t f[T_FRAME_MAX], whole[T_FRAME_MAX];

static struct t_net *net(struct t_port **p)
{
	struct t_net *t = t_new();

	*p = t_add_port(t, "up0", T_ME, "10.0.0.1/24");
	t_add_addr(*p, "fd00::1/64");
	t_add_neigh(*p, "10.0.0.2", T_HER);
	t_add_neigh(*p, "fd00::2", T_HER);
	dev_set_mtu((*p)->dev, 9000, NULL);
	t_turn(t);
	return t;
}

struct piece {
	uint32_t off, len; /* of the IP payload, PAYLOAD + 8 bytes */
	bool more;
	uint8_t tos;
};

static void make_whole(void)
{
	t_echo(whole, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1"}, PAYLOAD);
}

static void inject(struct t_port *p, const struct piece *x, uint16_t id, const char *src)
{
	uint32_t len =
		t_ip(f, &(struct t_ip){.src = src,
				       .dst = "10.0.0.1",
				       .proto = IPPROTO_ICMP4_,
				       .id = id,
				       .tos = x->tos,
				       .frag = (uint16_t)(x->off / 8 | (x->more ? IP4_MF : 0)),
				       .data = whole + 34 + x->off,
				       .len = x->len});

	t_inject(p, f, len);
}

/* The echo of all came back, with this TOS. */
static void assert_reply(struct t_port *p, uint8_t tos)
{
	const struct t_frame *o = t_out(p);

	t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_ICMP4_);
	assert_int_equal(o->len, 34 + 8 + PAYLOAD);
	assert_int_equal(t_icmp_of(o->b)->type, ICMP4_ECHO_REPLY);
	assert_memory_equal(o->b + 42, whole + 42, PAYLOAD);
	assert_int_equal(t_ip4_of(o->b)->tos, tos);
	t_assert_silent(p);
}

struct row {
	const char *row;
	struct piece x[6]; /* ends with len 0 */
	bool complete;
	uint8_t tos; /* of the reply */
	uint32_t fails, held;
	enum drop why;
	uint32_t dropped;
};

#define A                                                                                          \
	{                                                                                          \
		0, 1600, true, 0                                                                   \
	}
#define B                                                                                          \
	{                                                                                          \
		1600, 1600, true, 0                                                                \
	}
#define C                                                                                          \
	{                                                                                          \
		3200, 808, false, 0                                                                \
	}
static const struct row rows[] = {
	{"F1 in order", {A, B, C}, true, 0, 0, 0, DROP_NONE, 0},
	{"F1 reverse", {C, B, A}, true, 0, 0, 0, DROP_NONE, 0},
	{"F1 mixed", {B, C, A}, true, 0, 0, 0, DROP_NONE, 0},
	{"F2 twice", {A, A, B, B, C}, true, 0, 0, 0, DROP_ip_reasm_duplicate, 2},
	{"F2 last twice", {C, C, A, B}, true, 0, 0, 0, DROP_ip_reasm_duplicate, 1},
	{"F2 within", {A, {800, 80, true, 0}, B, C}, true, 0, 0, 0, DROP_ip_reasm_duplicate, 1},
	{"F2 over two", {A, B, {1592, 16, true, 0}, C}, true, 0, 0, 0, DROP_ip_reasm_duplicate, 1},
	{"F3 head", {B, {0, 1608, true, 0}}, false, 0, 1, 0, DROP_ip_reasm_overlap, 2},
	{"F3 tail", {A, {1592, 16, true, 0}}, false, 0, 1, 0, DROP_ip_reasm_overlap, 2},
	{"F3 gap", {A, C, {1592, 1616, true, 0}}, false, 0, 1, 0, DROP_ip_reasm_overlap, 3},
	{"F3 around", {B, {1592, 1616, true, 0}}, false, 0, 1, 0, DROP_ip_reasm_overlap, 2},
	{"F4 not 8", {{0, 1604, true, 0}, B, C}, true, 0, 0, 0, DROP_NONE, 0},
	{"F4 below 8", {{0, 7, true, 0}}, false, 0, 1, 0, DROP_ip_reasm_error, 1},
	{"beyond the last", {C, {4008, 8, true, 0}}, false, 0, 1, 0, DROP_ip_reasm_error, 2},
	{"two lasts", {C, {3200, 800, false, 0}}, false, 0, 1, 0, DROP_ip_reasm_error, 2},

	{"F7 CE",
	 {{0, 1600, true, 2}, {1600, 1600, true, 3}, {3200, 808, false, 2}},
	 true,
	 3,
	 0,
	 0,
	 DROP_NONE,
	 0},
	{"F7 ECT",
	 {{0, 1600, true, 2}, {1600, 1600, true, 1}, {3200, 808, false, 2}},
	 true,
	 2,
	 0,
	 0,
	 DROP_NONE,
	 0},
	{"F7 Not-ECT and ECT",
	 {{0, 1600, true, 0}, {1600, 1600, true, 1}, {3200, 808, false, 0}},
	 false,
	 0,
	 1,
	 0,
	 DROP_ip_reasm_error,
	 3},
	{"F7 Not-ECT and CE",
	 {{0, 1600, true, 0}, {1600, 1600, true, 0}, {3200, 808, false, 3}},
	 false,
	 0,
	 1,
	 0,
	 DROP_ip_reasm_error,
	 3},
	{"incomplete", {A, C}, false, 0, 0, 2, DROP_NONE, 0},
};

static void one_row(const struct row *r, uint32_t split)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	uint32_t n = 0;

	make_whole();
	p->split = split;
	t_mark(t);
	for (; r->x[n].len; n++) {
		struct piece x = r->x[n];

		if (!(x.off + x.len <= PAYLOAD + 8))
			memset(whole + 34 + PAYLOAD + 8, 0, 64);
		inject(p, &x, 77, "10.0.0.2");
	}
	assert_int_equal(T_MOVED(t, IpReasmReqds), n);
	if (r->complete)
		assert_reply(p, r->tos);
	else
		t_assert_silent(p); /* R: neither is answered at once */
	if (T_MOVED(t, IpReasmOKs) != r->complete || T_MOVED(t, IpReasmFails) != r->fails)
		fail_msg("%s: OKs %d, fails %d", r->row, (int)T_MOVED(t, IpReasmOKs),
			 (int)T_MOVED(t, IpReasmFails));
	if (vx_held(t->vx) != r->held || (r->why && t_dropped(t, r->why) != r->dropped))
		fail_msg("%s: held %d, dropped %d", r->row, (int)vx_held(t->vx),
			 (int)t_dropped(t, r->why));
	t_end(t);
}

static void reassembly_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		one_row(&rows[i], 0);
		one_row(&rows[i], 100);
	}
}

/* F4: a piece that ends beyond 65,535 never completes. */
static void f4_beyond(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	struct piece last = {65528, 1000, false, 0};

	(void)state;
	memset(whole, 0, sizeof(whole));
	for (uint32_t off = 0; off < 65528; off += 8 * 1024) {
		struct piece x = {off, MIN(8192u, 65528 - off), true, 0};
		uint32_t len = t_ip(f, &(struct t_ip){.src = "10.0.0.2",
						      .dst = "10.0.0.1",
						      .proto = IPPROTO_ICMP4_,
						      .id = 5,
						      .frag = (uint16_t)(x.off / 8 | IP4_MF),
						      .data = whole,
						      .len = x.len});

		t_inject(p, f, len);
	}
	t_mark(t);
	t_inject(p, f,
		 t_ip(f, &(struct t_ip){.src = "10.0.0.2",
					.dst = "10.0.0.1",
					.proto = IPPROTO_ICMP4_,
					.id = 5,
					.frag = (uint16_t)(last.off / 8),
					.data = whole,
					.len = last.len}));
	assert_int_equal(T_MOVED(t, IpReasmOKs), 0);
	assert_int_equal(T_MOVED(t, IpReasmFails), 1);
	t_assert_silent(p);
	t_end(t);
}

/* F5: 30 s; ICMP 11/1 only if the first piece is there. */
static void f5_timeout(void **state)
{
	static const struct piece first[] = {A}, later[] = {B};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		const struct t_frame *o;

		make_whole();
		inject(p, i ? later : first, 9, "10.0.0.2");
		assert_int_equal(vx_next_timer(t->vx, 0), t->now + 30 * NS_PER_S);
		t_advance(t, 30 * NS_PER_S - 1);
		assert_int_equal(vx_held(t->vx), 1);
		t_mark(t);
		t_advance(t, 1);
		assert_int_equal(vx_held(t->vx), 0);
		assert_int_equal(T_MOVED(t, IpReasmFails), 1);
		assert_int_equal(T_MOVED(t, IpReasmTimeout), 1);
		assert_int_equal(T_MOVED(t, IcmpOutTimeExcds), !i);
		assert_int_equal(t_dropped(t, DROP_ip_reasm_timeout), 1);
		o = t_out(p);
		assert_true(!o == !!i);
		if (o) {
			t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_ICMP4_);
			assert_int_equal(t_icmp_of(o->b)->type, 11);
			assert_int_equal(t_icmp_of(o->b)->code, 1);
		}
		t_end(t);
	}
}

/* F6: who sends most loses; another's datagram is not touched. */
static void f6_caps(void **state)
{
	static const struct piece a[] = {A}, b[] = {B}, c[] = {C};
	struct t_port *p;
	struct t_net *t = net(&p);
	char src[32];

	(void)state;
	make_whole();
	inject(p, a, 1, "10.0.0.2");
	for (int i = 0; i < 3000; i++)
		inject(p, a, (uint16_t)(100 + i), "10.0.0.66");
	assert_true(vx_held(t->vx) < 600); /* a source's share */
	assert_int_equal(t->vx->workers[0]->acct.dropped[DROP_ip_reasm_limit] + vx_held(t->vx), 3001);
	for (int i = 0; i < 3000; i++) {
		snprintf(src, sizeof(src), "10.0.0.%d", 100 + i % 100);
		inject(p, a, (uint16_t)i, src);
	}
	assert_true(vx_held(t->vx) <= FRAG_QUEUES);
	inject(p, b, 1, "10.0.0.2");
	inject(p, c, 1, "10.0.0.2");
	while (t_out(p) && t->port[0]->out_head != t->port[0]->out_tail)
		;
	assert_int_equal(t->vx->workers[0]->mib.c[MIB_IpReasmOKs], 1);
	t_end(t);
}

/* IPv6: pieces, a header before the fragment header, an atomic fragment, what is refused. */
static uint32_t piece6(uint32_t off, uint32_t len, bool more, bool dstopts)
{
	uint8_t ext[16] = {0};
	uint32_t n = 0;

	if (dstopts) {
		ext[0] = IP6_FRAGMENT;
		ext[2] = 1; /* PadN */
		ext[3] = 4;
		n = 8;
	}
	ext[n] = IPPROTO_ICMP6_;
	ext[n + 2] = (uint8_t)(off >> 8);
	ext[n + 3] = (uint8_t)((off & 0xf8) | more);
	ext[n + 7] = 42;
	return t_ip(f, &(struct t_ip){.src = "fd00::2",
				      .dst = "fd00::1",
				      .proto = dstopts ? IP6_DSTOPTS : IP6_FRAGMENT,
				      .opts = ext,
				      .opts_len = n + 8,
				      .data = whole + 54 + off,
				      .len = len});
}

static void ip6_pieces(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		const struct t_frame *o;

		t_echo(whole, &(struct t_ip){.src = "fd00::2", .dst = "fd00::1"}, PAYLOAD);
		p->split = i & 4 ? 70 : 0;
		t_mark(t);
		if (i & 1) {
			t_inject(p, f, piece6(1600, PAYLOAD + 8 - 1600, false, i & 2));
			t_inject(p, f, piece6(0, 1600, true, i & 2));
		} else {
			t_inject(p, f, piece6(0, 1600, true, i & 2));
			t_inject(p, f, piece6(1600, PAYLOAD + 8 - 1600, false, false));
		}
		o = t_out(p);
		t_assert_ip6(o, "fd00::1", "fd00::2", IPPROTO_ICMP6_);
		assert_int_equal(o->len, 54 + 8 + PAYLOAD);
		assert_memory_equal(o->b + 62, whole + 62, PAYLOAD);
		assert_int_equal(T_MOVED(t, Ip6ReasmOKs), 1);
		assert_int_equal(T_MOVED(t, Ip6ReasmReqds), 2);
		t_end(t);
	}
}

static void ip6_refused(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	const struct t_frame *o;

	(void)state;
	t_echo(whole, &(struct t_ip){.src = "fd00::2", .dst = "fd00::1"}, PAYLOAD);
	t_mark(t);
	t_inject(p, f, piece6(0, PAYLOAD + 8, false, false)); /* atomic */
	assert_int_equal(T_MOVED(t, Ip6ReasmOKs), 1);
	o = t_out(p);
	t_assert_ip6(o, "fd00::1", "fd00::2", IPPROTO_ICMP6_);
	assert_int_equal(o->b[54], ICMP6_ECHO_REPLY);
	t_inject(p, f, piece6(0, 1601, true, false)); /* no multiple of 8 */
	o = t_out(p);
	t_assert_ip6(o, "fd00::1", "fd00::2", IPPROTO_ICMP6_);
	assert_int_equal(o->b[54], ICMP6_PARAM);
	assert_int_equal(o->b[61], 4);
	t_inject(p, f, piece6(0xfff8, 64, true, false)); /* beyond */
	o = t_out(p);
	assert_int_equal(o->b[54], ICMP6_PARAM);
	assert_int_equal(o->b[61], 42);
	assert_int_equal(T_MOVED(t, Ip6InHdrErrors), 2);
	t_inject(p, f, piece6(0, 0, true, false) - 4); /* half a fragment header */
	assert_int_equal(T_MOVED(t, Ip6InHdrErrors), 2);
	assert_int_equal(T_MOVED(t, Ip6InTruncatedPkts), 1);
	t_ip6_of(f)->payload_len = be16_put(4);
	t_inject(p, f, 54 + 4);
	assert_int_equal(T_MOVED(t, Ip6InHdrErrors), 3);
	assert_int_equal(vx_held(t->vx), 0);
	t_mark(t);
	t_inject(p, f, piece6(0, 1600, true, false));
	t_advance(t, 30 * NS_PER_S);
	o = t_out(p);
	assert_int_equal(o->b[54], ICMP6_TIME_EXCEEDED);
	assert_int_equal(o->b[55], 1);
	assert_int_equal(T_MOVED(t, Ip6ReasmFails), 1);
	assert_int_equal(T_MOVED(t, Ip6ReasmTimeout), 1);
	assert_int_equal(T_MOVED(t, Icmp6OutTimeExcds), 1);
	assert_int_equal(T_MOVED(t, Icmp6OutMsgs), 1);
	t_end(t);
}

/* O1: what is too long is cut, IPv4, and comes together again on the other side. */
static void o1_fragments(void **state)
{
	struct t_port *p, *q;
	struct t_net *t = net(&p), *u = t_new();
	struct udp_sock_cfg c = {.vx = t->vx, .family = AF_INET, .port = 7000};
	struct udp_sock *a, *b;
	struct ip_addr to = t_addr("10.0.0.2");
	static uint8_t data[9001], got[9001];

	(void)state;
	q = t_add_port(u, "up0", T_HER, "10.0.0.2/24");
	dev_set_mtu(p->dev, 1500, NULL);
	t_turn(u);
	inet_udp_open(&c, &a, NULL);
	c.vx = u->vx;
	inet_udp_open(&c, &b, NULL);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 13);
	for (uint32_t n = 1471; n < 9001; n += 753) {
		uint32_t payload = n + 8, want = (payload + 1479) / 1480, cut = 0;
		const struct t_frame *o;

		if (payload <= 1480)
			want = 0;
		t_mark(t);
		assert_int_equal(inet_udp_send(t->vx->workers[0], a, &to, 7000, data, n), 0);
		t_turn(t);
		assert_int_equal(T_MOVED(t, IpFragCreates), want);
		assert_int_equal(T_MOVED(t, IpFragOKs), want != 0);
		assert_int_equal(T_MOVED(t, IpOutRequests), 1);
		while ((o = t_out(p))) {
			t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_UDP_);
			assert_true(o->len <= 1514);
			cut++;
			t_inject(q, o->b, o->len);
		}
		assert_int_equal(cut, want ? want : 1);
		assert_int_equal(inet_udp_recv(u->vx->workers[0], b, got, sizeof(got), NULL), n);
		assert_memory_equal(data, got, n);
	}
	t_end(t);
	t_end(u);
}

/* IPv6: the sender cuts what it made itself. */
static void o1_fragments6(void **state)
{
	struct t_port *p, *q;
	struct t_net *t = net(&p), *u = t_new();
	struct udp_sock_cfg c = {.vx = t->vx, .family = AF_INET6, .port = 7000};
	struct udp_sock *a, *b;
	struct ip_addr to = t_addr("fd00::2");
	static uint8_t data[9001], got[9001];

	(void)state;
	q = t_add_port(u, "up0", T_HER, "fd00::2/64");
	dev_set_mtu(p->dev, 1500, NULL);
	t_turn(u);
	inet_udp_open(&c, &a, NULL);
	c.vx = u->vx;
	inet_udp_open(&c, &b, NULL);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 13);
	for (uint32_t n = 1452; n < 9001; n += 749) {
		uint32_t want = n == 1452 ? 0 : (n + 8 + 1447) / 1448, cut = 0;
		const struct t_frame *o;

		t_mark(t);
		assert_int_equal(inet_udp_send(t->vx->workers[0], a, &to, 7000, data, n), 0);
		t_turn(t);
		assert_int_equal(T_MOVED(t, Ip6FragCreates), want);
		assert_int_equal(T_MOVED(t, Ip6FragOKs), want != 0);
		while ((o = t_out(p))) {
			t_assert_ip6(o, "fd00::1", "fd00::2", want ? IP6_FRAGMENT : IPPROTO_UDP_);
			assert_true(o->len <= 1514);
			cut++;
			t_inject(q, o->b, o->len);
		}
		assert_int_equal(cut, want ? want : 1);
		assert_int_equal(inet_udp_recv(u->vx->workers[0], b, got, sizeof(got), NULL), n);
		assert_memory_equal(data, got, n);
	}
	t_end(t);
	t_end(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reassembly_rows), cmocka_unit_test(f4_beyond),
		cmocka_unit_test(f5_timeout),	   cmocka_unit_test(f6_caps),
		cmocka_unit_test(ip6_pieces),	   cmocka_unit_test(ip6_refused),
		cmocka_unit_test(o1_fragments), cmocka_unit_test(o1_fragments6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
