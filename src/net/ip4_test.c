/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 input and local delivery: rows I1 to I12 and L1 to L6 of stack.md. */
#include "net/testing.h"

#include <errno.h>
#include <stdio.h>

#include "net/icmp.h"
#include "net/ip4.h"
#include "net/raw.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/tcp.h"

static uint8_t f[T_FRAME_MAX];
static uint32_t len;

/* This host is 10.0.0.1/24 on up0; she is 10.0.0.2. */
static struct t_net *net(struct t_port **p)
{
	struct t_net *t = t_new();

	*p = t_add_port(t, "up0", T_ME, "10.0.0.1/24");
	t_add_neigh(*p, "10.0.0.2", T_HER);
	return t;
}

static void no_change(void)
{
}

static void other_mac(void)
{
	f[5] = 9;
}
static void version(void)
{
	t_ip4_of(f)->ver_ihl = 0x65;
	t_fix_ip4(f);
}
static void ihl4(void)
{
	t_ip4_of(f)->ver_ihl = 0x44;
}
static void ihl_beyond(void)
{
	t_ip4_of(f)->ver_ihl = 0x4f;
	len = 34;
}
static void bad_csum(void)
{
	t_ip4_of(f)->csum.raw ^= 0x100;
}
static void cut_header(void)
{
	len = 14 + 19;
}
static void total_below_header(void)
{
	t_ip4_of(f)->len = be16_put(19);
	t_fix_ip4(f);
}
static void total_beyond(void)
{
	t_ip4_of(f)->len = be16_put((uint16_t)(len - 14 + 1));
	t_fix_ip4(f);
}
static void padded(void)
{
	memset(f + len, 0xee, 30);
	len += 30;
}
static void ttl0(void)
{
	t_ip4_of(f)->ttl = 0;
	t_fix_ip4(f);
}
static void ttl1(void)
{
	t_ip4_of(f)->ttl = 1;
	t_fix_ip4(f);
}

#define NO  MIB_COUNT
#define RCV MIB_IpInReceives
struct row {
	const char *row;
	void (*change)(void);
	const char *src, *dst;
	enum drop drop; /* none: an echo that is answered */
	enum mib_counter moved[6];
};

/* An answered ping to our address. */
#define ANSWERED                                                                                   \
	{                                                                                          \
		RCV, MIB_IpInDelivers, NO                                                          \
	}

static const struct row rows[] = {
	{"I1", other_mac, NULL, NULL, DROP_otherhost, {NO}},
	{"I2 version", version, NULL, NULL, DROP_ip_hdr_error, {RCV, MIB_IpInHdrErrors, NO}},
	{"I2 ihl", ihl4, NULL, NULL, DROP_ip_hdr_error, {RCV, MIB_IpInHdrErrors, NO}},
	{"I2 beyond", ihl_beyond, NULL, NULL, DROP_pkt_too_small, {RCV, MIB_IpInHdrErrors, NO}},
	{"I2 cut", cut_header, NULL, NULL, DROP_pkt_too_small, {RCV, MIB_IpInHdrErrors, NO}},
	{"I2 checksum",
	 bad_csum,
	 NULL,
	 NULL,
	 DROP_ip_csum,
	 {RCV, MIB_IpInHdrErrors, MIB_IpExtInCsumErrors, NO}},
	{"I3", total_below_header, NULL, NULL, DROP_ip_hdr_error, {RCV, MIB_IpInHdrErrors, NO}},
	{"I4", total_beyond, NULL, NULL, DROP_ip_truncated, {RCV, MIB_IpExtInTruncatedPkts, NO}},
	{"I5", padded, NULL, NULL, DROP_NONE, ANSWERED},
	{"I6 ttl 0", ttl0, NULL, NULL, DROP_NONE, ANSWERED},
	{"I6 ttl 1", ttl1, NULL, NULL, DROP_NONE, ANSWERED},
	{"I7 loopback", no_change, "127.0.0.1", NULL, DROP_ip_martian, {RCV, NO}},
	{"I7 multicast", no_change, "224.0.0.5", NULL, DROP_ip_martian, {RCV, NO}},
	{"I7 broadcast", no_change, "255.255.255.255", NULL, DROP_ip_martian, {RCV, NO}},
	{"I7 zero", no_change, "0.0.0.0", NULL, DROP_ip_martian, {RCV, NO}},
	{"I7 zero net", no_change, "0.1.2.3", NULL, DROP_ip_martian, {RCV, NO}},
	{"I7 own", no_change, "10.0.0.1", NULL, DROP_ip_martian, {RCV, NO}},
	{"I7 own broadcast", no_change, "10.0.0.255", NULL, DROP_ip_martian, {RCV, NO}},
	{"I8", no_change, NULL, "10.0.1.1", DROP_ip_not_local, {RCV, MIB_IpInAddrErrors, NO}},
	{"I9", no_change, NULL, "239.1.1.1", DROP_ip_group_not_joined, {RCV, NO}},
};

static void one_row(const struct row *r, uint32_t split)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	const struct t_frame *o;

	p->split = split;
	len = t_echo(f,
		     &(struct t_ip){.src = r->src ? r->src : "10.0.0.2",
				    .dst = r->dst ? r->dst : "10.0.0.1"},
		     56);
	r->change();
	t_mark(t);
	t_inject(p, f, len);
	if (r->drop != DROP_NONE) {
		if (t_dropped(t, r->drop) != 1)
			fail_msg("%s: not dropped as %s", r->row, drop_infos[r->drop].name);
		t_assert_moved(t, r->moved);
	} else {
		o = t_out(p);
		t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_ICMP4_);
		assert_int_equal(o->len, 14 + 20 + 8 + 56);
		assert_int_equal(t_icmp_of(o->b)->type, ICMP4_ECHO_REPLY);
		assert_memory_equal(o->b + 42, f + 42, 56);
		assert_int_equal(T_MOVED(t, IpInDelivers), 1);
	}
	t_assert_silent(p);
	t_end(t);
}

static void input_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		one_row(&rows[i], 0);
		one_row(&rows[i], 15); /* all headers but Ethernet in a second piece */
	}
}

/* I1: taps see another host's frame. */
static uint32_t tapped;
static void tap_rcv(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		tapped++;
		pkt_consume(w, b->p[i]);
	}
}

static void i1_tap(void **state)
{
	struct ptype tap = {.type = PTYPE_ALL, .rcv = tap_rcv};
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	assert_int_equal(ptype_add(t->vx, &tap), 0);
	len = t_echo(f, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1"}, 8);
	other_mac();
	t_inject(p, f, len);
	assert_int_equal(tapped, 1);
	ptype_del(t->vx, &tap);
	t_end(t);
}

/* I9 D: a joined group is delivered; L3 R: no answer about a group or a broadcast. */
static void i9_joined(void **state)
{
	struct ip_addr g = t_addr("239.1.1.1");
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	assert_int_equal(inet_group_join(p->dev, &g, NULL), 0);
	len = t_ip(f, &(struct t_ip){.dmac = "01:00:5e:01:01:01",
				     .src = "10.0.0.2",
				     .dst = "239.1.1.1",
				     .proto = 250});
	t_mark(t);
	t_inject(p, f, len);
	T_ASSERT_MOVED(t, RCV, MIB_IpExtInMcastPkts, MIB_IpInUnknownProtos);
	t_assert_silent(p);
	assert_int_equal(inet_group_leave(p->dev, &g), 0);
	t_mark(t);
	t_inject(p, f, len);
	assert_int_equal(t_dropped(t, DROP_ip_group_not_joined), 1);
	t_end(t);
}

static void with_options(const void *o, uint32_t n)
{
	len = t_echo(f,
		     &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1", .opts = o, .opts_len = n},
		     32);
}

/* I10. */
static void i10_malformed(void **state)
{
	static const struct {
		uint8_t o[8];
		uint8_t at;
	} row[] = {
		{{7, 9, 4}, 20},		/* record route beyond the header */
		{{7, 1, 4}, 20},		/* shorter than itself */
		{{7, 7, 3, 0, 0, 0, 0}, 22},	/* pointer into the option's head */
		{{7, 7, 6, 0, 0, 0, 0}, 22},	/* no room for a whole address */
		{{68, 3, 5, 0}, 21},		/* time stamp without its flags */
		{{1, 1, 1, 1, 1, 1, 1, 7}, 27}, /* cut */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		const struct t_frame *o;

		with_options(row[i].o, 8);
		t_mark(t);
		t_inject(p, f, len);
		T_ASSERT_MOVED(t, RCV, MIB_IpInHdrErrors, MIB_IcmpOutMsgs, MIB_IcmpOutParmProbs,
			       MIB_IpOutRequests);
		o = t_out(p);
		t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_ICMP4_);
		assert_int_equal(t_icmp_of(o->b)->type, ICMP4_PARAM);
		assert_int_equal(t_icmp_of(o->b)->code, 0);
		assert_int_equal(t_icmp_of(o->b)->b[0], row[i].at);
		t_end(t);
	}
}

/* I11. */
static void i11_source_route(void **state)
{
	static const uint8_t lsrr[8] = {131, 7, 4, 10, 0, 0, 9}, ssrr[8] = {137, 7, 4, 10, 0, 0, 9};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct t_port *p;
		struct t_net *t = net(&p);

		with_options(i ? ssrr : lsrr, 8);
		t_mark(t);
		t_inject(p, f, len);
		T_ASSERT_MOVED(t, RCV);
		assert_int_equal(t_dropped(t, DROP_ip_source_route), 1);
		t_assert_silent(p);
		t_end(t);
	}
}

/* I12, C4: the request's record route comes back, with this host twice (in and out). */
static void i12_record_route(void **state)
{
	static const uint8_t rr[16] = {7, 15, 8, 10, 0, 0, 9};
	static const uint8_t want[16] = {7, 15, 16, 10, 0, 0, 9, 10, 0, 0, 1, 10, 0, 0, 1};
	struct t_port *p;
	struct t_net *t = net(&p);
	const struct t_frame *o;

	(void)state;
	with_options(rr, 16);
	t_inject(p, f, len);
	o = t_out(p);
	t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_ICMP4_);
	assert_int_equal(ip4_hdr_len(t_ip4_of(o->b)), 36);
	assert_memory_equal(o->b + 34, want, 16);
	assert_int_equal(t_icmp_of(o->b)->type, ICMP4_ECHO_REPLY);
	t_end(t);
}

/* --- local delivery --------------------------------------------------------------------------- */

static struct pkt *stolen;
static uint32_t raw_got, raw_len;
static void raw_rcv(struct worker *w, const struct raw_listener *l, struct pkt *p)
{
	(void)l;
	raw_got++;
	raw_len = pkt_total(p);
	assert_int_equal(p->data[0] >> 4, 4);
	pkt_consume(w, p);
}

/* L1: every raw listener, and the protocol besides. */
static void l1_raw(void **state)
{
	struct raw_listener l = {.fam = INET_V4, .proto = IPPROTO_ICMP4_, .rcv = raw_rcv}, l2 = l;
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	raw_got = 0;
	assert_int_equal(raw_register(t->vx, &l), 0);
	assert_int_equal(raw_register(t->vx, &l2), 0);
	len = t_echo(f, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1"}, 10);
	t_inject(p, f, len);
	assert_int_equal(raw_got, 2);
	assert_int_equal(raw_len, len - 14);
	assert_non_null(t_out(p)); /* and the reply */
	raw_unregister(t->vx, &l);
	raw_unregister(t->vx, &l2);
	t_inject(p, f, len);
	assert_int_equal(raw_got, 2);
	t_end(t);
}

/* L1: first put together, then the input hook, then raw listeners, then the protocol; each sees the
 * whole once. */
static char way[64];
static void note_way(char who, const struct pkt *p)
{
	size_t n = strlen(way);

	snprintf(way + n, sizeof(way) - n, "%c%u ", who, pkt_total(p));
}
static enum hook_verdict way_hook(struct worker *w, const struct hook *h, struct pkt *p)
{
	(void)w, (void)h;
	note_way('h', p);
	return HOOK_ACCEPT;
}
static void way_raw(struct worker *w, const struct raw_listener *l, struct pkt *p)
{
	(void)l;
	note_way('r', p);
	pkt_consume(w, p);
}
static void way_proto(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		note_way('p', b->p[i]);
		pkt_consume(w, b->p[i]);
	}
	b->n = 0;
}

static void l1_order(void **state)
{
	static const struct inet_proto proto = {.handler = way_proto};
	struct raw_listener l = {.fam = INET_V4, .proto = 200, .rcv = way_raw};
	struct hook h = {.point = HOOK_INPUT, .fn = way_hook};
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	assert_int_equal(inet_proto_add(t->vx, INET_V4, 200, &proto), 0);
	assert_int_equal(raw_register(t->vx, &l), 0);
	assert_int_equal(hook_register(t->vx, &h), 0);
	way[0] = 0;
	t_mark(t);
	for (int i = 0; i < 2; i++) {
		len = t_ip(f, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1", .proto = 200, .id = 3,
					     .frag = i ? 2 : IP4_MF, .data = "0123456789abcdef",
					     .len = 16});
		t_inject(p, f, len);
	}
	assert_string_equal(way, "h52 r52 p32 ");
	T_ASSERT_MOVED(t, RCV, RCV, MIB_IpReasmReqds, MIB_IpReasmReqds, MIB_IpReasmOKs, MIB_IpInDelivers);
	raw_unregister(t->vx, &l);
	hook_unregister(t->vx, &h);
	t_end(t);
}

/* L6: an ICMP error reaches the protocol that it quotes, and no other; only about what this host sent. */
static struct icmp_error told;
static uint32_t n_told;
static bool tell(struct worker *w, const struct icmp_error *e)
{
	(void)w;
	told = *e;
	n_told++;
	assert_memory_equal(e->l4, "12345678", 8);
	return true;
}

static void l6_err_handler(void **state)
{
	static const struct inet_proto with = {.handler = way_proto, .err_handler = tell},
				       without = {.handler = way_proto};
	static const struct {
		const char *src;
		uint8_t proto, told;
	} row[] = {{"10.0.0.1", 200, 1}, {"10.0.0.1", 201, 0}, {"10.0.0.1", 250, 0}, {"10.0.0.9", 200, 0}};
	struct ip_addr her = t_addr("10.0.0.3");
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	assert_int_equal(inet_proto_add(t->vx, INET_V4, 200, &with), 0);
	assert_int_equal(inet_proto_add(t->vx, INET_V4, 201, &without), 0);
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		uint8_t q[8 + 28] = {3, 1};
		struct icmp_hdr *h = (struct icmp_hdr *)q;

		t_ip(f, &(struct t_ip){.src = row[i].src, .dst = "10.0.0.3", .proto = row[i].proto,
				       .data = "12345678", .len = 8});
		memcpy(q + 8, f + 14, 28);
		h->csum = csum(q, sizeof(q));
		len = t_ip(f, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1", .proto = IPPROTO_ICMP4_,
					     .data = q, .len = sizeof(q)});
		n_told = 0;
		t_inject(p, f, len);
		assert_int_equal(n_told, row[i].told);
		t_assert_silent(p);
	}
	assert_true(told.type == 3 && told.code == 1 && ip_eq(&told.dst, &her));
	t_end(t);
}

/* A protocol 200 that hands on as 201, 201 as 200: L2. */
static int handled[2];
static void hop(struct worker *w, struct batch *b)
{
	(void)w;
	for (uint32_t i = 0; i < b->n; i++) {
		handled[b->p[i]->ip_proto - 200]++;
		b->p[i]->again = b->p[i]->ip_proto == 200 ? 201 : 200;
	}
}
static void take(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		pkt_consume(w, b->p[i]);
	handled[1] += (int)b->n;
	b->n = 0;
}

/* L2, L4: only what a handler took counts. */
static void l2_resubmit(void **state)
{
	static const struct inet_proto hops = {.handler = hop}, takes = {.handler = take};
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	assert_int_equal(inet_proto_add(t->vx, INET_V4, 200, &hops), 0);
	assert_int_equal(inet_proto_add(t->vx, INET_V4, 200, &hops), -EEXIST);
	assert_int_equal(inet_proto_add(t->vx, INET_V4, 201, &takes), 0);
	len = t_ip(f, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1", .proto = 200});
	t_mark(t);
	t_inject(p, f, len);
	assert_int_equal(handled[0], 1);
	assert_int_equal(handled[1], 1);
	T_ASSERT_MOVED(t, RCV, MIB_IpInDelivers);
	inet_proto_del(t->vx, INET_V4, 201);
	assert_int_equal(inet_proto_add(t->vx, INET_V4, 201, &hops), 0);
	handled[0] = handled[1] = 0;
	t_mark(t);
	t_inject(p, f, len);
	assert_int_equal(handled[0] + handled[1], 1 + RESUBMITS_MAX);
	assert_int_equal(t_dropped(t, DROP_ip_resubmit), 1);
	T_ASSERT_MOVED(t, RCV);
	t_end(t);
}

/* L3, L4. */
static void l3_unknown(void **state)
{
	struct raw_listener l = {.fam = INET_V4, .proto = 250, .rcv = raw_rcv};
	struct t_port *p;
	struct t_net *t = net(&p);
	const struct t_frame *o;

	(void)state;
	len = t_ip(f, &(struct t_ip){.src = "10.0.0.2",
				     .dst = "10.0.0.1",
				     .proto = 250,
				     .tos = 0xb8,
				     .data = "hello",
				     .len = 5});
	t_mark(t);
	t_inject(p, f, len);
	T_ASSERT_MOVED(t, RCV, MIB_IpInUnknownProtos, MIB_IcmpOutMsgs, MIB_IcmpOutDestUnreachs,
		       MIB_IpOutRequests);
	o = t_out(p);
	t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_ICMP4_);
	assert_int_equal(t_icmp_of(o->b)->type, 3);
	assert_int_equal(t_icmp_of(o->b)->code, 2);
	assert_memory_equal(o->b + 42, f + 14, 25);
	raw_got = 0;
	raw_register(t->vx, &l);
	t_mark(t);
	t_inject(p, f, len);
	T_ASSERT_MOVED(t, RCV, MIB_IpInDelivers); /* with a raw listener neither */
	assert_int_equal(raw_got, 1);
	t_assert_silent(p);
	raw_unregister(t->vx, &l);
	len = t_ip(f, &(struct t_ip){.dmac = "ff:ff:ff:ff:ff:ff",
				     .src = "10.0.0.2",
				     .dst = "10.0.0.255",
				     .proto = 250});
	t_mark(t);
	t_inject(p, f, len);
	T_ASSERT_MOVED(t, RCV, MIB_IpExtInBcastPkts, MIB_IpInUnknownProtos);
	t_assert_silent(p);
	t_end(t);
}

static uint32_t tcp_frame(uint8_t flags)
{
	struct tcp_hdr h = {.src = be16_put(1000),
			    .dst = be16_put(80),
			    .seq = be32_put(5000),
			    .ack = be32_put(77),
			    .off = 5 << 4,
			    .flags = flags};
	struct ip_addr s = t_addr("10.0.0.2"), d = t_addr("10.0.0.1");

	h.csum = csum_fold(csum_add(csum_pseudo(&s, &d, IPPROTO_TCP_, sizeof(h)), &h, sizeof(h)));
	return t_ip(f, &(struct t_ip){.src = "10.0.0.2",
				      .dst = "10.0.0.1",
				      .proto = IPPROTO_TCP_,
				      .data = &h,
				      .len = sizeof(h)});
}

/* L5. */
static void l5_tcp(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	const struct t_frame *o;
	const struct tcp_hdr *r;

	(void)state;
	len = tcp_frame(TCP_SYN);
	t_mark(t);
	t_inject(p, f, len);
	T_ASSERT_MOVED(t, RCV, MIB_IpInDelivers, MIB_TcpInSegs, MIB_TcpOutRsts, MIB_IpOutRequests);
	assert_int_equal(t_dropped(t, DROP_tcp_reset), 1);
	o = t_out(p);
	t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_TCP_);
	r = (const struct tcp_hdr *)(o->b + 34);
	assert_int_equal(r->flags, 0x14);
	assert_int_equal(be32_get(r->ack), 5001);
	assert_int_equal(be16_get(r->dst), 1000);
	len = tcp_frame(TCP_ACK);
	t_inject(p, f, len);
	o = t_out(p);
	r = (const struct tcp_hdr *)(o->b + 34);
	assert_int_equal(r->flags, TCP_RST);
	assert_int_equal(be32_get(r->seq), 77);
	len = tcp_frame(TCP_SYN);
	f[46] = 0x40; /* a header shorter than itself */
	t_mark(t);
	t_inject(p, f, len);
	assert_int_equal(T_MOVED(t, TcpInErrs), 1);
	t_assert_silent(p);
	len = tcp_frame(TCP_RST);
	t_inject(p, f, len);
	t_assert_silent(p);
	len = tcp_frame(TCP_SYN);
	f[50] ^= 1;
	t_mark(t);
	t_inject(p, f, len);
	T_ASSERT_MOVED(t, RCV, MIB_IpInDelivers, MIB_TcpInSegs, MIB_TcpInErrs, MIB_TcpInCsumErrors);
	assert_int_equal(t_dropped(t, DROP_tcp_csum), 1);
	t_assert_silent(p);
	t_end(t);
}

/* --- hooks ------------------------------------------------------------------------------------ */

static char order[64];
static enum hook_verdict note(struct worker *w, const struct hook *h, struct pkt *p)
{
	size_t n = strlen(order);

	(void)w;
	assert_int_equal(p->data[0] >> 4, 4); /* at the IP header at every point */
	order[n] = "piox"[h->point];
	order[n + 1] = 0;
	return HOOK_ACCEPT;
}
static enum hook_verdict verdict(struct worker *w, const struct hook *h, struct pkt *p)
{
	(void)w;
	if (*(enum hook_verdict *)h->ctx == HOOK_STOLEN)
		stolen = p;
	return *(enum hook_verdict *)h->ctx;
}

/* O1, and each point of hooks. */
static void hooks(void **state)
{
	struct hook h[HOOK_POINTS];
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	len = t_echo(f, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1"}, 10);
	for (int i = 0; i < HOOK_POINTS; i++) {
		h[i] = (struct hook){.point = (enum hook_point)i, .fn = note};
		assert_int_equal(hook_register(t->vx, &h[i]), 0);
	}
	t_inject(p, f, len);
	assert_string_equal(order, "piox");
	assert_non_null(t_out(p));
	for (int i = 0; i < HOOK_POINTS; i++) {
		enum hook_verdict v = HOOK_DROP;
		struct hook d = {
			.point = (enum hook_point)i, .fn = verdict, .ctx = &v, .priority = -5};

		hook_register(t->vx, &d);
		t_mark(t);
		order[0] = 0;
		t_inject(p, f, len);
		assert_int_equal(t_dropped(t, DROP_hook_rule), 1);
		assert_int_equal(strlen(order), i); /* the lower priority came first */
		t_assert_silent(p);
		v = HOOK_STOLEN;
		t_feed(p, f, len);
		vx_turn(t->vx, 0, t->now);
		assert_non_null(stolen);
		pkt_drop(t->vx->workers[0], stolen, DROP_hook_rule);
		stolen = NULL;
		t_assert_silent(p);
		hook_unregister(t->vx, &d);
		vx_control_turn(t->vx, t->now);
	}
	for (int i = 0; i < HOOK_POINTS; i++)
		hook_unregister(t->vx, &h[i]);
	assert_null(atomic_load(&t->vx->inet->hooks));
	t_inject(p, f, len);
	assert_non_null(t_out(p));
	t_end(t);
}

/* D3, and a device without an address: its frames are nobody's. */
static void no_address(void **state)
{
	struct t_net *t = t_new();
	struct t_port *p = t_add_port(t, "up0", T_ME, NULL);

	(void)state;
	len = t_echo(f, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1"}, 10);
	t_mark(t);
	t_inject(p, f, len);
	assert_int_equal(t_dropped(t, DROP_unhandled_proto), 1);
	T_ASSERT_MOVED(t, MIB_COUNT);
	t_end(t);
}

/* To an address of this host: out and in again without a device. */
static void to_self(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	struct worker *w = t->vx->workers[0];

	(void)state;
	t_add_addr(p, "10.0.0.7/24");
	len = t_echo(f, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.7"}, 10);
	t_mark(t);
	t_inject(p, f, len);
	assert_non_null(t_out(p));
	t_mark(t);
	vx_turn(t->vx, 0, t->now);
	assert_int_equal(w->inet->loop.n, 0);
	t_end(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(input_rows),
		cmocka_unit_test(i1_tap),
		cmocka_unit_test(i9_joined),
		cmocka_unit_test(i10_malformed),
		cmocka_unit_test(i11_source_route),
		cmocka_unit_test(i12_record_route),
		cmocka_unit_test(l1_raw),
		cmocka_unit_test(l1_order),
		cmocka_unit_test(l6_err_handler),
		cmocka_unit_test(l2_resubmit),
		cmocka_unit_test(l3_unknown),
		cmocka_unit_test(l5_tcp),
		cmocka_unit_test(hooks),
		cmocka_unit_test(no_address),
		cmocka_unit_test(to_self),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
