/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is longer than its path takes (vxlan.md 3.9): who is told, with which bytes, and what
 * becomes of the frame.
 */
#include "vxlan/testing.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "net/neigh.h"
#include "net/output.h"
#include "net/route.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/tcp.h"

#define MAC_A "02:00:00:00:00:a1" /* the sender */
#define MAC_B "02:00:00:00:00:b1"

static struct h_host H;
static struct dev *vx;

/* What a bridge's port gets. */
static struct seen {
	uint32_t n, len;
	bool has_tun;
	struct tun_info tun;
	uint8_t b[2000];
} S;

static enum rx_result look(struct worker *w, struct dev *d, struct pkt *p)
{
	(void)d;
	pkt_push(p, pkt_off(p) - p->mac_off);
	S.n++;
	S.len = pkt_total(p);
	S.has_tun = p->has_tun;
	S.tun = p->tun;
	assert_in_range(S.len, 1, sizeof(S.b));
	pkt_copy_out(p, 0, S.b, S.len);
	pkt_consume(w, p);
	return RX_CONSUMED;
}

enum who { PORT, HOST, EXTERNAL };

static void make(enum who who, bool is6)
{
	struct vxlan_opts o = h_opts(who == EXTERNAL ? 0 : 100, 4789);

	h_init(&H);
	o.external = who == EXTERNAL;
	o.learning = false;
	o.remote = who == EXTERNAL ? (struct ip_addr){0} : t_addr(is6 ? "fd00::2" : "10.0.0.2");
	vx = h_vxlan(&H, "vx", &o,
		     VXA_BIT(VXA_LEARNING) |
			     (who == EXTERNAL ? VXA_BIT(VXA_EXTERNAL) : VXA_BIT(VXA_REMOTE)));
	if (who != HOST)
		assert_int_equal(dev_set_rx_handler(vx, look), 0);
	S = (struct seen){0};
	t_mark(H.t);
}

static void end(void)
{
	dev_set_rx_handler(vx, NULL);
	h_end(&H);
}

/* --- the answer --------------------------------------------------------------------------------
 */

/* Every field of an answer to 'f', of 'len' bytes. */
static void check_answer4(const char *row, const uint8_t *f, const uint8_t *b, uint32_t len,
			  uint32_t mtu)
{
	const struct ip4_hdr *from = t_ip4_of(f), *ip = t_ip4_of(b);
	const struct icmp_hdr *icmp = (const void *)(ip + 1);

	if (len != 590 || ip->ver_ihl != 0x45 || ip->tos || be16_get(ip->len) != 576 ||
	    ip->id.raw || be16_get(ip->frag) != IP4_DF || ip->ttl != from->ttl ||
	    ip->proto != IPPROTO_ICMP4_ || csum(ip, 20).raw || ip->src.raw != from->dst.raw ||
	    ip->dst.raw != from->src.raw || icmp->type != 3 || icmp->code != 4 ||
	    be16_get(icmp->frag.mtu) != mtu || icmp->frag.unused.raw || csum(icmp, 556).raw ||
	    memcmp(icmp + 1, from, 548) != 0)
		fail_msg("%s: another answer", row);
}

static void check_answer6(const char *row, const uint8_t *f, const uint8_t *b, uint32_t len,
			  uint32_t mtu)
{
	const struct ip6_hdr *from = t_ip6_of(f), *ip = t_ip6_of(b);
	const struct icmp_hdr *icmp = (const void *)(ip + 1);
	struct ip_addr src = ip_from6(ip->src), dst = ip_from6(ip->dst);
	uint64_t pseudo = csum_pseudo(&src, &dst, IPPROTO_ICMP6_, 1240);

	if (len != 1294 || be32_get(ip->vtc_flow) != 6u << 28 ||
	    be16_get(ip->payload_len) != 1240 || ip->next != IPPROTO_ICMP6_ ||
	    ip->hop_limit != from->hop_limit || memcmp(ip->src, from->dst, 16) != 0 ||
	    memcmp(ip->dst, from->src, 16) != 0 || icmp->type != 2 || icmp->code ||
	    be32_get(icmp->info) != mtu || csum_reduce(csum_add(pseudo, icmp, 1240)) != 0xffff ||
	    memcmp(icmp + 1, from, 1232) != 0)
		fail_msg("%s: another answer", row);
}

static void check_answer(const char *row, const uint8_t *f, const uint8_t *b, uint32_t len,
			 uint32_t mtu)
{
	const struct eth_hdr *from = (const void *)f, *eth = (const void *)b;

	assert_true(mac_eq(&eth->dst, &from->src) && mac_eq(&eth->src, &from->dst));
	assert_int_equal(eth->type.raw, from->type.raw);
	if (be16_get(from->type) == ETHTYPE_IP4)
		check_answer4(row, f, b, len, mtu);
	else
		check_answer6(row, f, b, len, mtu);
}

/* --- what is answered --------------------------------------------------------------------------
 */

static const struct row {
	const char *row;
	uint32_t l3, mtu; /* inner length; of the route */
	uint32_t told;	  /* 0: nobody is */
	uint16_t frag;
	uint8_t proto;
	uint8_t data[4];       /* the first bytes behind the IP header */
	const char *src, *dst; /* NULL: 192.168.9.1 and .2, with v6 fd09::1 and ::2 */
	bool v6, tag, over6;
} rows[] = {
	/* clang-format off */
	{"DF", 1451, 1500, 1450, IP4_DF, 17},
	{"DF, fits", 1450, 1500, 0, IP4_DF, 17},
	{"over IPv6", 1431, 1500, 1430, IP4_DF, 17, .over6 = true},
	{"over IPv6, fits", 1430, 1500, 0, IP4_DF, 17, .over6 = true},
	{"may be cut", 1451, 1500, 0, 0, 17},
	{"first piece", 1451, 1500, 0, IP4_DF | IP4_MF, 17},
	{"the least", 1000, 626, 576, IP4_DF, 17},
	{"too little", 1000, 625, 0, IP4_DF, 17},
	{"not known", 1451, 0, 0, IP4_DF, 17},
	{"nothing at all", 1451, 40, 0, IP4_DF, 17},
	{"to a group", 1451, 1500, 0, IP4_DF, 17, .dst = "239.1.1.1"},
	{"to all", 1451, 1500, 0, IP4_DF, 17, .dst = "255.255.255.255"},
	{"from nobody", 1451, 1500, 0, IP4_DF, 17, .src = "0.0.0.0"},
	{"from itself", 1451, 1500, 0, IP4_DF, 17, .src = "127.0.0.1"},
	{"from a group", 1451, 1500, 0, IP4_DF, 17, .src = "239.1.1.1"},
	{"from all", 1451, 1500, 0, IP4_DF, 17, .src = "255.255.255.255"},
	{"echo", 1451, 1500, 1450, IP4_DF, 1, {8}},
	{"an error", 1451, 1500, 0, IP4_DF, 1, {3}},
	{"ICMP of no kind", 1451, 1500, 0, IP4_DF, 1, {200}},
	{"tagged", 1451, 1500, 0, IP4_DF, 17, .tag = true},
	{"IPv6", 1500, 1500, 1450, 0, 17, .v6 = true},
	{"IPv6 over IPv6", 1500, 1500, 1430, 0, 17, .v6 = true, .over6 = true},
	{"IPv6, fits", 1450, 1500, 0, 0, 17, .v6 = true},
	{"IPv6, the least", 1500, 1330, 1280, 0, 17, .v6 = true},
	{"IPv6, too little", 1500, 1329, 0, 0, 17, .v6 = true},
	{"IPv6 from nobody", 1500, 1500, 0, 0, 17, .v6 = true, .src = "::"},
	{"IPv6 from itself", 1500, 1500, 0, 0, 17, .v6 = true, .src = "::1"},
	{"IPv6 to a group", 1500, 1500, 0, 0, 17, .v6 = true, .dst = "ff05::2"},
	{"IPv6, echo", 1500, 1500, 1450, 0, 58, {128}, .v6 = true},
	{"IPv6, an error", 1500, 1500, 0, 0, 58, {2}, .v6 = true},
	{"IPv6, redirect", 1500, 1500, 0, 0, 58, {137}, .v6 = true},
	{"IPv6, no next header", 1500, 1500, 0, 0, 59, .v6 = true},
	{"IPv6, options", 1500, 1500, 1450, 0, 0, {17, 0, 1, 4}, .v6 = true},
	{"IPv6, an error behind options", 1500, 1500, 0, 0, 60, {58, 0, 1, 4}, .v6 = true},
	{"IPv6, options without end", 1500, 1500, 0, 0, 0, {17, 255, 1, 4}, .v6 = true},
	{"IPv6, first piece", 1500, 1500, 1450, 0, 44, {17, 0, 0, 1}, .v6 = true},
	{"IPv6, later piece", 1500, 1500, 1450, 0, 44, {17, 0, 0, 9}, .v6 = true},
	{"IPv6, authenticated", 1500, 1500, 1450, 0, 51, {17, 4}, .v6 = true},
	/* clang-format on */
};

static uint32_t frame(uint8_t *f, const struct row *r)
{
	static uint8_t data[2000];
	uint32_t head = r->v6 ? 40 : 20, len;
	struct t_ip ip = {.smac = MAC_A,
			  .dmac = MAC_B,
			  .src = r->src	 ? r->src
				 : r->v6 ? "fd09::1"
					 : "192.168.9.1",
			  .dst = r->dst	 ? r->dst
				 : r->v6 ? "fd09::2"
					 : "192.168.9.2",
			  .proto = r->proto,
			  .tos = 4,
			  .ttl = 33,
			  .id = 7,
			  .frag = r->frag,
			  .data = data,
			  .len = r->l3 - head};

	for (uint32_t i = 8; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	memcpy(data, r->data, sizeof(r->data));
	len = t_ip(f, &ip);
	if (r->tag) {
		memmove(f + 16, f + 12, len - 12);
		memcpy(f + 12, (uint8_t[]){0x81, 0, 0, 5}, 4);
		len += 4;
	}
	return len;
}

static void expect_stats(const char *row, uint64_t rx, uint64_t rx_bytes, uint64_t tx,
			 uint64_t tx_bytes)
{
	struct dev_stats want = {
		.rx_packets = rx, .rx_bytes = rx_bytes, .tx_packets = tx, .tx_bytes = tx_bytes};
	struct dev_stats st = h_stats(vx);

	if (memcmp(&st, &want, sizeof(st)) != 0)
		fail_msg("%s: counters", row);
}

/* 3.9-2, statements 94 and 95: of a port. */
static void of_a_port(void **state)
{
	static uint8_t f[2000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		uint32_t len = frame(f, r);

		make(PORT, r->over6);
		H.route.mtu = r->mtu;
		h_send(&H, vx, f, len, 60); /* headers alone are linear */
		if (S.n != (r->told != 0) || !h_sent(&H) != (r->told != 0))
			fail_msg("%s: %u answers", r->row, S.n);
		if (r->told)
			check_answer(r->row, f, S.b, S.len, r->told);
		expect_stats(r->row, S.n, S.len, 1, r->told ? S.len : r->l3);
		assert_false(S.has_tun);
		end();
	}
}

/* 3.9-1, statement 96: the host behind the device hears of it, and the frame goes on (3.9-3). */
static void of_the_host(void **state)
{
	static uint8_t f[2000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		uint32_t len = frame(f, r);
		const struct t_frame *g;

		make(HOST, r->over6);
		H.route.mtu = r->mtu;
		h_send(&H, vx, f, len, 0);
		g = h_got(&H);
		if (!g != !r->told)
			fail_msg("%s: %s", r->row, g ? "answered" : "no answer");
		if (g)
			check_answer(r->row, f, g->b, g->len, r->told);
		assert_null(h_got(&H));
		assert_non_null(h_sent(&H));
		expect_stats(r->row, 0, 0, 1, r->l3);
		end();
	}
}

/* 3.9-2, external: the answer comes out of the tunnel that the frame was to take. */
static void of_a_datapath(void **state)
{
	static uint8_t f[2000];

	(void)state;
	for (int given = 0; given < 2; given++) {
		struct tun_info t = {.dst = t_addr("10.0.0.2"),
				     .id = 77,
				     .ttl = 64,
				     .tos = 8,
				     .has_key = true,
				     .is_tx = true,
				     .df = true,
				     .has_csum = true};
		struct ip_addr local = t_addr(given ? "10.0.0.11" : "10.0.0.1");
		uint32_t len = frame(f, &rows[0]);
		struct worker *w;
		struct batch b = {.n = 1};

		make(EXTERNAL, false);
		w = H.t->vx->workers[0];
		H.route.src = t_addr("10.0.0.1");
		if (given)
			t.src = local;
		b.p[0] = t_pkt(w, f, len, 0);
		w->acct.made++;
		b.p[0]->has_tun = true;
		b.p[0]->tun = t;
		dev_queue_xmit(w, vx, &b);
		t_turn(H.t);
		assert_int_equal(S.n, 1);
		check_answer("external", f, S.b, S.len, 1450);
		assert_true(S.has_tun && !S.tun.is_tx && S.tun.has_key && S.tun.id == 77);
		assert_true(!S.tun.df && !S.tun.has_csum); /* there was no outer packet */
		assert_true(ip_eq(&S.tun.src, &t.dst) && ip_eq(&S.tun.dst, &local));
		assert_null(h_sent(&H));
		expect_stats("external", 1, 590, 1, 590);
		end();
	}
}

/* 3.9-2: of a super-frame the segments have to fit. */
static void super_frame(void **state)
{
	static const struct {
		uint16_t gso;
		bool told;
	} sizes[] = {{1410, false}, {1411, true}};
	static uint8_t f[9000], data[8000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct t_ip ip = {.smac = MAC_A,
				  .dmac = MAC_B,
				  .src = "192.168.9.1",
				  .dst = "192.168.9.2",
				  .proto = IPPROTO_TCP_,
				  .frag = IP4_DF,
				  .data = data,
				  .len = sizeof(data)};
		struct tcp_hdr *tcp = (struct tcp_hdr *)data;
		struct batch b = {.n = 1};
		struct worker *w;
		uint32_t len;

		make(PORT, false);
		w = H.t->vx->workers[0];
		tcp->off = 5 << 4;
		len = t_ip(f, &ip);
		b.p[0] = t_pkt(w, f, len, 0);
		w->acct.made++;
		b.p[0]->csum_state = CSUM_PARTIAL;
		b.p[0]->csum_start = pkt_off(b.p[0]) + 34;
		b.p[0]->csum_offset = 16;
		b.p[0]->gso_size = sizes[i].gso;
		b.p[0]->gso_type = GSO_TCP4;
		dev_queue_xmit(w, vx, &b);
		t_turn(H.t);
		assert_int_equal(S.n, sizes[i].told);
		assert_int_equal(h_sent(&H) != NULL, !sizes[i].told);
		if (S.n)
			check_answer("super-frame", f, S.b, S.len, 1450);
		end();
	}
}

/* 3.9-1: vx's own stack sends the next ones shorter. */
static void of_vx_itself(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	struct link_cfg cfg = {
		.name = "vx", .has_up = true, .up = true, .nohost = true, .has_nohost = true};
	struct ip_out out = {.dst = t_addr("192.168.9.2"), .proto = 200, .df = true};
	struct udp_flow f = {.dst = out.dst};
	struct ip_addr me = t_addr("192.168.9.1");
	struct neigh_req n = {
		.ip = out.dst, .has_mac = true, .mac = t_mac(MAC_B), .nl_flags = NLM_F_CREATE};
	struct dst d;

	(void)state;
	h_init(&H);
	o.remote = t_addr("10.0.0.2");
	assert_int_equal(link_newlink(H.t->vx, link_type_find(H.t->vx, "vxlan"), &cfg, &o,
				      VXA_BIT(VXA_ID) | VXA_BIT(VXA_REMOTE) | VXA_BIT(VXA_DSTPORT),
				      NULL, &vx),
			 0);
	assert_int_equal(inet_addr_add(vx, &me, 24, NULL, "test", NULL), 0);
	n.dev = vx;
	assert_int_equal(neigh_add(H.t->vx, &n, NULL), 0);
	for (int i = 0; i < 2; i++) {
		struct worker *w = H.t->vx->workers[0];
		struct pkt *p = pkt_make(w, 1431);

		memset(pkt_append(p, 1431), 0, 1431);
		ip_send_routed(w, p, &out, 0);
		t_turn(H.t);
		/* The first goes on, the second does not begin. */
		assert_int_equal(h_sent(&H) != NULL, !i);
	}
	assert_int_equal(route_output(H.t->vx->workers[0], &f, &d), 0);
	assert_int_equal(d.mtu, 1450);
	h_end(&H);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_port),	 cmocka_unit_test(of_the_host),
		cmocka_unit_test(of_a_datapath), cmocka_unit_test(super_frame),
		cmocka_unit_test(of_vx_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
