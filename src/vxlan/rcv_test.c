/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving: whole frames into a port of a struct vx, through its stack and its VXLAN device, to
 * the host's side of it.  The rows name the steps of spec/vxlan.md 2.1.
 */
#include "vxlan/testing.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "net/backlog.h"
#include "net/unfinished.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/tcp.h"
#include "wire/vxlan.h"

#define INNER_SRC "02:00:00:00:00:99"
#define INNER_DST "02:00:00:00:00:98"

static struct h_host H;
static struct t_port *up;
static struct dev *vx4;

/* A port with addresses of both families and a device with VNI 100 on it. */
static void make(const struct vxlan_opts *with, uint64_t present)
{
	struct vxlan_opts o;

	h_init(&H);
	up = t_add_port(H.t, "up0", T_ME, "10.0.0.1/24");
	t_add_addr(up, "fd00::1/64");
	o = with ? *with : h_opts(100, 4789);
	o.dev = up->dev->ifindex;
	vx4 = h_vxlan(&H, "vx", &o, present | VXA_BIT(VXA_DEV));
	t_mark(H.t);
}

/* A datagram for the device's port with this payload, into the port. */
static void outer(const char *src, const char *dst, uint8_t tos, const void *payload, uint32_t len)
{
	static uint8_t f[T_FRAME_MAX];
	struct t_ip ip = {.src = src, .dst = dst, .tos = tos, .data = payload, .len = len};

	len = t_udp(f, &ip, 40000, 4789);
	t_inject(up, f, len);
}

/* VXLAN header and an inner frame of 'n' bytes behind its Ethernet header. */
static uint32_t inner(uint8_t *b, const char *src, uint16_t type, uint32_t n)
{
	struct eth_hdr *eth = (struct eth_hdr *)(b + 8);

	h_vxlan_hdr(b, VXLAN_F_VNI, 100 << 8);
	*eth = (struct eth_hdr){.dst = t_mac(INNER_DST), .src = t_mac(src), .type = be16_put(type)};
	for (uint32_t i = 0; i < n; i++)
		b[22 + i] = (uint8_t)i;
	if (type == ETHTYPE_IP4 && n)
		b[22] = 0x45;
	if (type == ETHTYPE_IP6 && n)
		b[22] = 0x60;
	return 22 + n;
}

/* One drop for this reason, or one frame at the host's side; these counters and no other. */
static void expect(const char *row, enum drop why, const struct dev_stats *want)
{
	struct dev_stats st = h_stats(vx4);
	const struct t_frame *f = h_got(&H);
	struct account a;

	vx_account(H.t->vx, &a);
	if (t_dropped(H.t, why) != (why != DROP_NONE) ||
	    account_dropped(&a) - account_dropped(&H.t->acct) != (why != DROP_NONE) ||
	    !f != (why != DROP_NONE) || h_got(&H) || memcmp(&st, want, sizeof(st))) {
		t_show(H.t);
		print_message("rx %llu/%llu errors %llu length %llu frame %llu dropped %llu\n",
			      (unsigned long long)st.rx_packets, (unsigned long long)st.rx_bytes,
			      (unsigned long long)st.rx_errors, (unsigned long long)st.rx_length_errors,
			      (unsigned long long)st.rx_frame_errors,
			      (unsigned long long)st.rx_dropped);
		fail_msg("%s", row);
	}
}

#define GOT(n)	   &(struct dev_stats){.rx_packets = 1, .rx_bytes = n}
#define NOTHING	   &(struct dev_stats){0}
#define BAD_FRAME  &(struct dev_stats){.rx_errors = 1, .rx_frame_errors = 1}

/* U9: a VXLAN socket takes whatever came, and nobody is told. */
static void expect_taken(void)
{
	assert_int_equal(T_MOVED(H.t, UdpInDatagrams), 1);
	assert_int_equal(T_MOVED(H.t, UdpInErrors) + T_MOVED(H.t, UdpNoPorts), 0);
	t_assert_silent(up);
}

static bool is_learnt(const char *mac)
{
	struct mac m = t_mac(mac);

	return fdb_find(&vxlan_dev(vx4)->fdb, &m, vxlan_opts(vxlan_dev(vx4))->id) != NULL;
}

/* --- 2.1 --------------------------------------------------------------------------------------- */

static void rows_1_to_4(void **state)
{
	uint8_t b[256];
	uint32_t len;

	(void)state;
	for (len = 0; len < 8; len++) {
		make(NULL, 0);
		inner(b, INNER_SRC, ETHTYPE_IP4, 60);
		outer("10.0.0.2", "10.0.0.1", 0, b, len);
		expect("2.1-1: short", DROP_vxlan_too_short, NOTHING);
		expect_taken();
		h_end(&H);
	}
	make(NULL, 0);
	len = inner(b, INNER_SRC, ETHTYPE_IP4, 60);
	h_vxlan_hdr(b, 0xf7ffffff, 100 << 8 | 0xff);
	outer("10.0.0.2", "10.0.0.1", 0, b, len);
	expect("2.1-2: I flag before all else", DROP_vxlan_no_i_flag, NOTHING);
	expect_taken();
	h_end(&H);
	make(NULL, 0);
	len = inner(b, INNER_SRC, ETHTYPE_IP4, 60);
	h_vxlan_hdr(b, 0xffffffff, 101 << 8 | 0xff);
	outer("10.0.0.2", "10.0.0.1", 0, b, len);
	expect("2.1-4: VNI before reserved bits", DROP_vxlan_unknown_vni, NOTHING);
	expect_taken();
	assert_false(is_learnt(INNER_SRC));
	h_end(&H);
}

/* A datagram from the socket of the host form, without a turn. */
static void from_socket(const uint8_t *b, uint32_t len, uint16_t gso_size)
{
	struct worker *w = H.t->vx->workers[0];
	struct pkt *p = t_pkt(w, b, len, 0);
	struct batch one;

	w->acct.rx++;
	p->has_tun = true;
	p->tun = (struct tun_info){.src = t_addr("10.0.0.2"), .dst = t_addr("10.0.0.1"), .ttl = 64};
	p->csum_state = CSUM_UNSURE;
	p->gso_size = gso_size;
	batch_init(&one);
	batch_add(&one, p);
	udp_queue_rcv(w, &H.sock[0].sk, &one);
}

/* 3: a worker still has the socket, and control has taken the device off it meanwhile. */
static void row_3_detached(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	uint8_t b[256];
	uint32_t len = inner(b, INNER_SRC, 0x1234, 60);

	(void)state;
	h_init(&H);
	vx4 = h_vxlan(&H, "vx", &o, 0);
	assert_int_equal(dev_change_flags(vx4, false, NULL), 0);
	t_mark(H.t);
	from_socket(b, len, 0);
	t_turn(H.t);
	expect("2.1-3", DROP_vxlan_unknown_vni, NOTHING);
	assert_false(is_learnt(INNER_SRC));
	h_end(&H);
}

static void row_5_reserved_bits(void **state)
{
	uint8_t b[256];
	int bits = 0;

	(void)state;
	for (int i = 0; i < 64; i++) {
		uint64_t bit = 1ull << i;
		uint32_t len;

		if (!(VXLAN_RESERVED_DEFAULT & bit))
			continue;
		bits++;
		make(NULL, 0);
		len = inner(b, INNER_SRC, ETHTYPE_IP4, 60);
		h_vxlan_hdr(b, VXLAN_F_VNI | (uint32_t)(bit >> 32), 100 << 8 | (uint32_t)bit);
		outer("10.0.0.2", "10.0.0.1", 0, b, i & 1 ? len : 8); /* before row 7 */
		expect("2.1-5", DROP_vxlan_reserved_bits, BAD_FRAME);
		assert_false(is_learnt(INNER_SRC));
		h_end(&H);
	}
	assert_int_equal(bits, 39);
}

/* A mask of one's own: 1.4. */
static void row_5_mask(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	uint8_t b[256];
	uint32_t len = inner(b, INNER_SRC, 0x1234, 60);

	(void)state;
	o.reserved_bits = 0;
	make(&o, VXA_BIT(VXA_RESERVED_BITS));
	h_vxlan_hdr(b, 0xffffffff, 100 << 8 | 0xff);
	outer("10.0.0.2", "10.0.0.1", 0, b, len);
	expect("2.1-5: mask 0 takes all", DROP_NONE, GOT(60));
	h_end(&H);
	o.reserved_bits = 0xf7ffffff00000000;
	make(&o, VXA_BIT(VXA_RESERVED_BITS));
	h_vxlan_hdr(b, VXLAN_F_VNI, 100 << 8 | 0xff);
	outer("10.0.0.2", "10.0.0.1", 0, b, len);
	expect("last byte tolerated", DROP_NONE, GOT(60));
	h_end(&H);
	/* Changing something else leaves the mask (section 12). */
	make(&o, VXA_BIT(VXA_RESERVED_BITS));
	o.ttl = 7;
	assert_int_equal(link_changelink(vx4, &o, VXA_BIT(VXA_TTL), NULL), 0);
	outer("10.0.0.2", "10.0.0.1", 0, b, len);
	expect("still tolerated", DROP_NONE, GOT(60));
	h_end(&H);
}

static void rows_7_to_13(void **state)
{
	static const struct {
		const char *row;
		bool nolearning;
		const char *src;
		uint16_t type;
		uint32_t n, cut; /* bytes behind Ethernet; bytes cut off */
		enum drop why;
		struct dev_stats st;
		bool learnt;
	} rows[] = {
		{"2.1-7: header only", false, INNER_SRC, ETHTYPE_IP4, 0, 14, DROP_inner_too_short, {0}, false},
		{"2.1-7: 13 bytes", false, INNER_SRC, ETHTYPE_IP4, 0, 1, DROP_inner_too_short, {0}, false},
		{"2.1-11: own MAC", false, "own", ETHTYPE_IP4, 60, 0, DROP_own_mac, {0}, false},
		{"2.1-11: own MAC, nolearning", true, "own", ETHTYPE_IP4, 60, 0, DROP_own_mac, {0}, false},
		{"2.1-12: zero source", false, "00:00:00:00:00:00", 0x1234, 60, 0, DROP_inner_bad_source,
		 {0}, false},
		{"2.1-12: multicast source", false, "01:00:5e:00:00:01", 0x1234, 60, 0,
		 DROP_inner_bad_source, {0}, false},
		{"2.1-12: broadcast source", false, "ff:ff:ff:ff:ff:ff", 0x1234, 60, 0,
		 DROP_inner_bad_source, {0}, false},
		{"2.1-12: zero source, nolearning", true, "00:00:00:00:00:00", 0x1234, 60, 0, DROP_NONE,
		 {.rx_packets = 1, .rx_bytes = 60}, false},
		{"2.1-12: multicast source, nolearning", true, "01:00:5e:00:00:01", 0x1234, 60, 0,
		 DROP_NONE, {.rx_packets = 1, .rx_bytes = 60}, false},
		{"2.1-12: nolearning", true, INNER_SRC, 0x1234, 60, 0, DROP_NONE,
		 {.rx_packets = 1, .rx_bytes = 60}, false},
		{"2.1-13: no IPv4 header", false, INNER_SRC, ETHTYPE_IP4, 0, 0, DROP_inner_ip_too_short,
		 {.rx_errors = 1, .rx_length_errors = 1}, true},
		{"2.1-13: 19 bytes of IPv4", false, INNER_SRC, ETHTYPE_IP4, 19, 0, DROP_inner_ip_too_short,
		 {.rx_errors = 1, .rx_length_errors = 1}, true},
		{"2.1-13: 20 bytes of IPv4", false, INNER_SRC, ETHTYPE_IP4, 20, 0, DROP_NONE,
		 {.rx_packets = 1, .rx_bytes = 20}, true},
		{"2.1-13: 39 bytes of IPv6", false, INNER_SRC, ETHTYPE_IP6, 39, 0, DROP_inner_ip_too_short,
		 {.rx_errors = 1, .rx_length_errors = 1}, true},
		{"2.1-13: 40 bytes of IPv6", false, INNER_SRC, ETHTYPE_IP6, 40, 0, DROP_NONE,
		 {.rx_packets = 1, .rx_bytes = 40}, true},
		{"2.1-16: bare frame", false, INNER_SRC, 0x1234, 0, 0, DROP_NONE,
		 {.rx_packets = 1, .rx_bytes = 0}, true},
		{"2.1-16: 802.3 length", false, INNER_SRC, 0x0026, 38, 0, DROP_NONE,
		 {.rx_packets = 1, .rx_bytes = 38}, true},
		{"2.1-16: cut VLAN tag", false, INNER_SRC, ETHTYPE_VLAN, 1, 0, DROP_NONE,
		 {.rx_packets = 1, .rx_bytes = 1}, true},
		{"2.1-16: ARP, cut", false, INNER_SRC, ETHTYPE_ARP, 5, 0, DROP_NONE,
		 {.rx_packets = 1, .rx_bytes = 5}, true},
		{"2.1-16: 74 bytes count 60", false, INNER_SRC, ETHTYPE_IP4, 60, 0, DROP_NONE,
		 {.rx_packets = 1, .rx_bytes = 60}, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vxlan_opts o = h_opts(100, 4789);
		uint8_t b[256];
		char own[MAC_TEXT_MAX];
		const char *src = rows[i].src;
		uint32_t len;

		o.learning = !rows[i].nolearning;
		make(&o, VXA_BIT(VXA_LEARNING));
		if (!strcmp(src, "own"))
			src = mac_text(&vx4->mac, own);
		len = inner(b, src, rows[i].type, rows[i].n);
		outer("10.0.0.2", "10.0.0.1", 0, b, len - rows[i].cut);
		expect(rows[i].row, rows[i].why, &rows[i].st);
		if (is_learnt(src) != rows[i].learnt)
			fail_msg("%s: learnt", rows[i].row);
		h_end(&H);
	}
}

/* Learning over the wire: where to, moving, and what a static entry forbids. */
static void row_12_learning(void **state)
{
	struct mac m = t_mac(INNER_SRC);
	uint8_t b[256];
	uint32_t len;
	struct fdb_view v;
	struct fdb_entry *e;

	(void)state;
	make(NULL, 0);
	len = inner(b, INNER_SRC, 0x1234, 60);
	outer("10.0.0.2", "10.0.0.1", 0, b, len);
	e = fdb_find(&vxlan_dev(vx4)->fdb, &m, 100);
	fdb_view_of(&vxlan_dev(vx4)->fdb, e, 0, &v);
	assert_true(ip_eq(&v.dst, &(struct ip_addr){.b = {[10] = 0xff, 0xff, 10, 0, 0, 2}}));
	assert_true(v.port == 4789 && v.vni == 100 && v.state == FDB_REACHABLE && !v.ifindex);
	outer("10.0.0.3", "10.0.0.1", 0, b, len); /* roams, and is delivered */
	fdb_view_of(&vxlan_dev(vx4)->fdb, e, 0, &v);
	assert_int_equal(v.dst.b[15], 3);
	assert_int_equal(h_stats(vx4).rx_packets, 2);
	h_got(&H), h_got(&H);
	assert_int_equal(h_fdb(vx4, NLM_F_CREATE | NLM_F_REPLACE, INNER_SRC, "10.0.0.2",
			       FDB_REACHABLE | FDB_NOARP, 0, NULL),
			 0);
	t_mark(H.t);
	outer("10.0.0.3", "10.0.0.1", 0, b, len);
	expect("2.1-12: static elsewhere", DROP_fdb_static_elsewhere,
	       &(struct dev_stats){.rx_packets = 2, .rx_bytes = 120});
	t_mark(H.t);
	outer("10.0.0.2", "10.0.0.1", 0, b, len);
	expect("static here", DROP_NONE, &(struct dev_stats){.rx_packets = 3, .rx_bytes = 180});
	h_end(&H);
}

/* maxaddress is reached: not learnt, delivered. */
static void row_12_full(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	uint8_t b[256];
	uint32_t len = inner(b, INNER_SRC, 0x1234, 60);

	(void)state;
	o.maxaddress = 1;
	make(&o, VXA_BIT(VXA_LIMIT));
	assert_int_equal(h_fdb(vx4, NLM_F_CREATE | NLM_F_EXCL, "02:00:00:00:00:77", "10.0.0.2",
			       FDB_PERMANENT, 0, NULL),
			 0);
	outer("10.0.0.2", "10.0.0.1", 0, b, len);
	expect("2.1-12: full", DROP_NONE, GOT(60));
	assert_false(is_learnt(INNER_SRC));
	h_end(&H);
}

/* --- 2.7 --------------------------------------------------------------------------------------- */

enum { D_ = -1 };

static void ecn(void **state)
{
	/* [inner][outer], codes 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE. */
	static const int want[4][4] = {{0, 0, 0, D_}, {1, 1, 1, 3}, {2, 1, 2, 3}, {3, 3, 3, 3}};

	(void)state;
	for (int i = 0; i < 4 * 4 * 4; i++) {
		uint8_t in = i & 3, out = i >> 2 & 3, dscp = 0xb8, b[256];
		bool in6 = i >> 4 & 1, out6 = i >> 5 & 1;
		struct vxlan_opts o = h_opts(100, 4789);
		const struct t_frame *f;
		uint32_t len;

		if (out6)
			o.local = t_addr("fd00::1");
		make(&o, out6 ? VXA_BIT(VXA_LOCAL) : 0);
		len = 8 + t_ip(b + 8, &(struct t_ip){.smac = INNER_SRC,
						     .dmac = INNER_DST,
						     .src = in6 ? "fd01::2" : "192.168.0.2",
						     .dst = in6 ? "fd01::1" : "192.168.0.1",
						     .tos = dscp | in,
						     .proto = 200,
						     .data = "abcdefgh",
						     .len = 8});
		h_vxlan_hdr(b, VXLAN_F_VNI, 100 << 8);
		outer(out6 ? "fd00::2" : "10.0.0.2", out6 ? "fd00::1" : "10.0.0.1", 0x40 | out, b,
		      len);
		if (want[in][out] == D_) {
			expect("2.1-14: ECN", DROP_ecn_not_ect, BAD_FRAME);
			assert_true(is_learnt(INNER_SRC)); /* step 12 comes first */
			h_end(&H);
			continue;
		}
		f = h_got(&H);
		assert_non_null(f);
		assert_int_equal(f->len, len - 8);
		/* The expected frame: the same with the other field, checksum anew. */
		if (in6) {
			t_ip6_of(b + 8)->vtc_flow = ip6_vtc_flow((uint8_t)(dscp | want[in][out]), 0);
		} else {
			t_ip4_of(b + 8)->tos = (uint8_t)(dscp | want[in][out]);
			t_fix_ip4(b + 8);
		}
		if (memcmp(f->b, b + 8, f->len))
			fail_msg("inner %d outer %d, inner v%d, outer v%d", in, out, in6 ? 6 : 4,
				 out6 ? 6 : 4);
		h_end(&H);
	}
}

/* 2.1-14: not IP, tagged: ECN does not look. */
static void ecn_only_of_ip(void **state)
{
	static const uint16_t types[] = {ETHTYPE_ARP, ETHTYPE_VLAN, 0x1234, 0x0020};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const struct t_frame *f;
		uint8_t b[256];
		uint32_t len;

		make(NULL, 0);
		len = inner(b, INNER_SRC, types[i], 60);
		outer("10.0.0.2", "10.0.0.1", 3, b, len);
		f = h_got(&H);
		assert_non_null(f);
		assert_memory_equal(f->b, b + 8, len - 8);
		h_end(&H);
	}
}

/* The buffer of an ECN mark is the packet's own: a tap's clone keeps the old bytes. */
static void headers_in_pieces(void **state)
{
	uint8_t b[256], f[512];
	uint32_t len, total;

	(void)state;
	len = 8 + t_ip(b + 8, &(struct t_ip){.smac = INNER_SRC, .dmac = INNER_DST,
					     .src = "192.168.0.2", .dst = "192.168.0.1", .tos = 2,
					     .proto = 200, .data = "abcdefgh", .len = 8});
	h_vxlan_hdr(b, VXLAN_F_VNI, 100 << 8);
	total = t_udp(f, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1", .tos = 3, .data = b,
					.len = len},
		      40000, 4789);
	t_ip4_of(b + 8)->tos = 3;
	t_fix_ip4(b + 8);
	for (uint32_t split = 14; split < total; split++) {
		const struct t_frame *g;

		make(NULL, 0);
		up->split = split;
		t_inject(up, f, total);
		g = h_got(&H);
		if (!g || g->len != len - 8 || memcmp(g->b, b + 8, g->len)) {
			t_show(H.t);
			fail_msg("split at %u", split);
		}
		h_end(&H);
	}
}

/* --- 15, 17, down ------------------------------------------------------------------------------ */

static void row_15_down(void **state)
{
	struct vxlan_opts o = h_opts(101, 4789);
	uint8_t b[256];
	uint32_t len = inner(b, INNER_SRC, 0x1234, 60);

	(void)state;
	make(NULL, 0);
	/* The race: still in the table. */
	atomic_fetch_and(&vx4->flags, ~(uint32_t)IFF_UP);
	outer("10.0.0.2", "10.0.0.1", 0, b, len);
	expect("2.1-15", DROP_dev_down, &(struct dev_stats){.rx_dropped = 1});
	atomic_fetch_or(&vx4->flags, IFF_UP);
	/* Down, with another device on the port. */
	o.dev = up->dev->ifindex;
	h_vxlan(&H, "other", &o, VXA_BIT(VXA_DEV));
	assert_int_equal(dev_change_flags(vx4, false, NULL), 0);
	t_mark(H.t);
	outer("10.0.0.2", "10.0.0.1", 0, b, len);
	expect("down", DROP_vxlan_unknown_vni, &(struct dev_stats){.rx_dropped = 1});
	h_end(&H);
}

/* 2.1-17, and B2 of stack.md. */
static void row_17_cell_full(void **state)
{
	struct vxlan_opts o;
	uint8_t b[256];
	uint32_t len, n = 0;
	struct dev *d;
	struct dev_stats st;

	(void)state;
	h_init(&H);
	H.forget = true;
	o = h_opts(100, 4789);
	o.learning = false;
	d = h_vxlan(&H, "vx", &o, 0);
	len = inner(b, INNER_SRC, 0x1234, 60);
	while (n < BACKLOG_MAX + 5) {
		struct worker *w = H.t->vx->workers[0];
		struct batch bt;

		batch_init(&bt);
		for (int i = 0; i < 35; i++, n++) {
			struct pkt *p = pkt_new(w->pool, len);

			w->acct.rx++;
			memcpy(pkt_append(p, len), b, len);
			p->tun = (struct tun_info){.src = t_addr("10.0.0.2")};
			p->has_tun = true;
			batch_add(&bt, p);
		}
		udp_queue_rcv(w, &H.sock[0].sk, &bt);
		t_check(H.t); /* held in the cell */
	}
	t_turn(H.t);
	st = h_stats(d);
	assert_int_equal(n, BACKLOG_MAX + 15);
	assert_int_equal(st.rx_packets, n); /* step 16 comes first */
	assert_int_equal(st.rx_dropped, 15);
	assert_int_equal(t_dropped(H.t, DROP_cell_full), 15);
	h_end(&H);
}

/* A device that goes while a frame waits in its cell. */
static void gone_with_frames(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	uint8_t b[256];
	uint32_t len = inner(b, INNER_SRC, 0x1234, 60);

	(void)state;
	h_init(&H);
	vx4 = h_vxlan(&H, "vx", &o, 0);
	t_mark(H.t);
	from_socket(b, len, 0);
	t_check(H.t); /* held in the cell */
	link_dellink(vx4, false);
	t_advance(H.t, 1);
	t_advance(H.t, 1);
	assert_int_equal(vx_held(H.t->vx), 0);
	assert_int_equal(t_dropped(H.t, DROP_unhandled_proto), 1); /* its host side is gone already */
	h_end(&H);
}

/* --- stack.md 12: what arrives over virtual links -------------------------------------------------- */

enum { TCP4, TCP6, UDP4, UDP6, PROTOS };
enum content { GOOD, BAD, PSEUDO };

/* A VXLAN payload: TCP or UDP with 'n' bytes, its checksum right, wrong, or the pseudo-header's sum. */
static uint32_t transport(uint8_t *b, int proto, enum content what, uint32_t n)
{
	static uint8_t l4[T_FRAME_MAX];
	bool is6 = proto & 1, tcp = proto < UDP4;
	uint32_t hlen = tcp ? sizeof(struct tcp_hdr) : sizeof(struct udp_hdr), off = tcp ? 16 : 6;
	struct t_ip ip = {.smac = INNER_SRC, .dmac = INNER_DST,
			  .src = is6 ? "fd09::2" : "192.168.9.2", .dst = is6 ? "fd09::1" : "192.168.9.1",
			  .proto = tcp ? IPPROTO_TCP_ : IPPROTO_UDP_, .data = l4, .len = hlen + n};
	struct ip_addr s = t_addr(ip.src), d = t_addr(ip.dst);
	uint64_t sum = csum_pseudo(&s, &d, ip.proto, ip.len);
	be16 c;

	memset(l4, 0, hlen);
	memcpy(l4, "\1\2\3\4", 4);
	if (tcp) {
		l4[12] = 5 << 4;
		l4[13] = TCP_ACK;
	} else {
		c = be16_put((uint16_t)ip.len);
		memcpy(l4 + 4, &c, 2);
	}
	for (uint32_t i = 0; i < n; i++)
		l4[hlen + i] = (uint8_t)(i * 7);
	c = what == PSEUDO ? (be16){csum_reduce(sum)} : csum_fold_udp(csum_add(sum, l4, ip.len));
	if (what == BAD)
		c.raw ^= 0x101;
	memcpy(l4 + off, &c, 2);
	h_vxlan_hdr(b, VXLAN_F_VNI, 100 << 8);
	return 8 + t_ip(b + 8, &ip);
}

/* W2, W3: what a host's socket does not tell is found by the checksum itself; what is wrong goes on as
 * it is, for the receiver to judge. */
static void w3_unfinished(void **state)
{
	static const uint8_t states[] = {[GOOD] = CSUM_NONE, [BAD] = CSUM_NONE, [PSEUDO] = CSUM_PARTIAL};
	static uint8_t b[2000];

	(void)state;
	for (int proto = 0; proto < PROTOS; proto++)
		for (enum content what = GOOD; what <= PSEUDO; what++) {
			struct vxlan_opts o = h_opts(100, 4789);
			uint32_t len = transport(b, proto, what, 1300);
			const struct t_frame *f;

			h_init(&H);
			vx4 = h_vxlan(&H, "vx", &o, 0);
			h_datagram(&H, AF_INET, 4789, "10.0.0.2", 0, b, len);
			f = h_got(&H);
			assert_non_null(f);
			assert_int_equal(f->len, len - 8);
			assert_memory_equal(f->b, b + 8, f->len);
			assert_int_equal(H.side_csum_state, states[what]);
			assert_int_equal(H.side_gso_size, 0);
			h_end(&H);
		}
}

/* W1: a TCP super-frame comes whole, as large as they were seen; its segments are as long as the
 * overlay's MTU lets them be.  What is that long and finished is no super-frame. */
static void w1_super_frame(void **state)
{
	static const uint32_t total[] = {64374, 64832, 0, 0}; /* of the frame, by family */
	static const uint16_t type[] = {GSO_TCP4, GSO_TCP6, GSO_UDP, GSO_UDP};
	static uint8_t b[T_FRAME_MAX];

	(void)state;
	for (int proto = 0; proto < PROTOS; proto++)
		for (enum content what = GOOD; what <= PSEUDO; what += PSEUDO) {
			struct vxlan_opts o = h_opts(100, 4789);
			uint32_t ip = proto & 1 ? 40 : 20, l4 = proto < UDP4 ? 20 : 8, len;
			uint32_t n = total[proto] ? total[proto] - 14 - ip - l4 : 30000;
			const struct t_frame *f;

			h_init(&H);
			vx4 = h_vxlan(&H, "vx", &o, 0);
			assert_int_equal(vx4->mtu, 1500);
			len = transport(b, proto, what, n);
			h_datagram(&H, AF_INET, 4789, "10.0.0.2", 0, b, len);
			f = h_got(&H);
			assert_non_null(f);
			assert_int_equal(f->len, len - 8);
			assert_memory_equal(f->b, b + 8, f->len);
			assert_int_equal(H.side_csum_state, what == PSEUDO ? CSUM_PARTIAL : CSUM_NONE);
			assert_int_equal(H.side_gso_size, what == PSEUDO ? 1500 - ip - l4 : 0);
			assert_int_equal(H.side_gso_type, what == PSEUDO ? type[proto] : GSO_NONE);
			assert_int_equal(h_stats(vx4).rx_packets, 1);
			assert_int_equal(h_stats(vx4).rx_bytes, len - 22);
			h_end(&H);
		}
}

/* W2 on a packet port, where the source says what is unfinished: the inner checksum stays so, and an
 * outer one at or before that place counts as good, though it is wrong. */
static void w2_said_by_the_source(void **state)
{
	static const struct {
		const char *row;
		uint32_t start; /* of the checksum to be written, in the outer frame */
		uint8_t want;
	} row[] = {
		{"W2 inner TCP", 14 + 20 + 8 + 8 + 14 + 20, CSUM_PARTIAL},
		{"W2 outer UDP", 14 + 20, CSUM_NONE},
	};
	static uint8_t b[2000], f[2100];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		const struct t_frame *g;
		uint32_t len, n;

		make(NULL, 0);
		len = transport(b, TCP4, i ? GOOD : PSEUDO, 1300);
		n = t_udp(f, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1", .data = b, .len = len},
			  40000, 4789);
		t_udp_of(f)->csum.raw ^= 0x101;
		up->csum_state = CSUM_PARTIAL;
		up->csum_start = row[i].start;
		t_inject(up, f, n);
		g = h_got(&H);
		if (!g || H.side_csum_state != row[i].want)
			fail_msg("%s: %d", row[i].row, g ? H.side_csum_state : -1);
		assert_int_equal(g->len, len - 8);
		assert_memory_equal(g->b, b + 8, g->len);
		h_end(&H);
	}
}

/* W4: one frame, or a train?  The inner IP length says how long one frame is. */
static void w4_one_frame_or_train(void **state)
{
	static uint8_t b[T_FRAME_MAX];

	(void)state;
	for (int proto = 0; proto < PROTOS; proto++) {
		uint32_t len = transport(b, proto, PSEUDO, 5000);

		assert_int_equal(inner_claims(b, len), len);	 /* a super-frame: all of it */
		assert_int_equal(inner_claims(b, 2 * len), len); /* a train: more than its first */
		memmove(b + 24, b + 20, len - 20);
		memcpy(b + 20, "\x81\x00\x00\x05", 4);
		assert_int_equal(inner_claims(b, len + 4), len + 4);
		for (uint32_t cut = 0; cut < 40; cut++) /* no header, no claim */
			assert_int_equal(inner_claims(b, cut), 0);
	}
}

/* W4: the control message of one frame is the size of its segments. */
static void w4_segment_size(void **state)
{
	static uint8_t b[T_FRAME_MAX];
	struct vxlan_opts o = h_opts(100, 4789);
	uint32_t len = transport(b, UDP4, PSEUDO, 30000);

	(void)state;
	h_init(&H);
	vx4 = h_vxlan(&H, "vx", &o, 0);
	from_socket(b, len, 1111);
	t_turn(H.t);
	assert_int_equal(H.side_gso_size, 1111);
	assert_int_equal(H.side_gso_type, GSO_UDP);
	assert_int_equal(h_got(&H)->len, len - 8);
	h_end(&H);
}

/* --- peers (section 12) -------------------------------------------------------------------------- */

static void peers_known(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	uint8_t b[256];
	uint32_t len = inner(b, INNER_SRC, 0x1234, 60);

	(void)state;
	for (int step = 0; step < 5; step++) {
		bool taken = step >= 2;

		o.peers = step == 4 ? PEERS_ANY : PEERS_KNOWN;
		o.remote = step == 2 ? t_addr("10.0.0.2") : t_addr("10.0.0.9");
		make(&o, VXA_BIT(VXA_PEERS) | VXA_BIT(VXA_REMOTE));
		h_vxlan_hdr(b, VXLAN_F_VNI, 100 << 8);
		if (step == 1) /* before step 5 */
			h_vxlan_hdr(b, 0xffffffff, 100 << 8);
		if (step == 3)
			assert_int_equal(h_fdb(vx4, NLM_F_CREATE, "02:00:00:00:00:77", "10.0.0.2",
					       FDB_PERMANENT, 0, NULL),
					 0);
		outer("10.0.0.2", "10.0.0.1", 0, b, len);
		expect("peers", taken ? DROP_NONE : DROP_unknown_peer, taken ? GOT(60) : NOTHING);
		assert_int_equal(is_learnt(INNER_SRC), taken);
		h_end(&H);
	}
	/* Unknown VNI comes first: no device says what its peers are. */
	o.peers = PEERS_KNOWN;
	make(&o, VXA_BIT(VXA_PEERS));
	h_vxlan_hdr(b, VXLAN_F_VNI, 101 << 8);
	outer("10.0.0.2", "10.0.0.1", 0, b, len);
	expect("peers, VNI", DROP_vxlan_unknown_vni, NOTHING);
	h_end(&H);
}

/* --- what comes before the tunnel ------------------------------------------------------------------ */

static void udp_checksums(void **state)
{
	uint8_t b[256], f[512];
	uint32_t len = inner(b, INNER_SRC, 0x1234, 60), n;
	struct t_ip ip4 = {.src = "10.0.0.2", .dst = "10.0.0.1", .data = b, .len = len};
	struct t_ip ip6 = {.src = "fd00::2", .dst = "fd00::1", .data = b, .len = len};
	struct vxlan_opts o = h_opts(100, 4789);

	(void)state;
	make(NULL, 0);
	n = t_udp(f, &ip4, 40000, 4789);
	t_udp_of(f)->csum = (be16){0};
	t_inject(up, f, n);
	expect("IPv4, none", DROP_NONE, GOT(60));
	h_end(&H);
	make(NULL, 0);
	n = t_udp(f, &ip4, 40000, 4789);
	f[n - 1] ^= 1;
	t_inject(up, f, n);
	expect("IPv4, wrong", DROP_udp_csum, NOTHING);
	h_end(&H);
	for (int rx = 0; rx < 2; rx++) {
		o.local = t_addr("fd00::1");
		o.udp6zerocsumrx = rx;
		make(&o, VXA_BIT(VXA_LOCAL) | VXA_BIT(VXA_ZCSUM6RX));
		n = t_udp(f, &ip6, 40000, 4789);
		((struct udp_hdr *)(f + 54))->csum = (be16){0};
		t_inject(up, f, n);
		if (rx)
			expect("IPv6, none, taken", DROP_NONE, GOT(60));
		else
			expect("IPv6, none", DROP_udp_zero_csum, NOTHING);
		h_end(&H);
	}
}

/* An outer datagram in two fragments. */
static void outer_fragments(void **state)
{
	uint8_t b[256], whole[512], f[512];
	uint32_t len = inner(b, INNER_SRC, 0x1234, 60), n;

	(void)state;
	make(NULL, 0);
	n = t_udp(whole, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1", .data = b, .len = len},
		  40000, 4789);
	for (int i = 0; i < 2; i++) {
		struct t_ip ip = {.src = "10.0.0.2", .dst = "10.0.0.1", .proto = IPPROTO_UDP_, .id = 7,
				  .frag = i ? 2 : IP4_MF, .data = whole + 34 + i * 16,
				  .len = i ? n - 34 - 16 : 16};

		t_inject(up, f, t_ip(f, &ip));
	}
	expect("fragments", DROP_NONE, GOT(60));
	h_end(&H);
}

/* Delivered whatever its destination; the bytes are the sender's. */
static void delivered_whole(void **state)
{
	static const char *const dst[] = {"own", INNER_DST, "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01",
					  "00:00:00:00:00:00"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dst); i++) {
		const struct t_frame *f;
		uint8_t b[2048];
		uint32_t len;
		struct mac m;

		make(NULL, 0);
		len = inner(b, INNER_SRC, 0x1234, 1400);
		m = !strcmp(dst[i], "own") ? vx4->mac : t_mac(dst[i]);
		memcpy(b + 8, &m, 6);
		outer("10.0.0.2", "10.0.0.1", 0, b, len);
		f = h_got(&H);
		assert_non_null(f);
		assert_int_equal(f->len, len - 8);
		assert_memory_equal(f->b, b + 8, f->len);
		assert_ptr_equal(H.in_dev[0], vx4);
		assert_null(h_got(&H));
		h_end(&H);
	}
}

/* Good and bad ones in one batch, two devices on a socket: each gets its own, in order. */
static void mixed_batch(void **state)
{
	struct vxlan_opts o = h_opts(200, 4789);
	const struct t_frame *f;
	struct dev *d2;
	uint8_t b[256], out[512];
	uint32_t n1 = 0, n2 = 0;

	(void)state;
	make(NULL, 0);
	o.dev = up->dev->ifindex;
	d2 = h_vxlan(&H, "vx2", &o, VXA_BIT(VXA_DEV));
	t_mark(H.t);
	for (int i = 0; i < 60; i++) {
		uint32_t len = inner(b, INNER_SRC, 0x1234, 60);
		struct t_ip ip = {.src = "10.0.0.2", .dst = "10.0.0.1", .data = b, .len = len};

		b[30] = (uint8_t)i;
		h_vxlan_hdr(b, i % 5 ? VXLAN_F_VNI : 0, (i % 3 == 0 ? 100 : i % 3 == 1 ? 200 : 300) << 8);
		t_feed(up, out, t_udp(out, &ip, 40000, 4789));
	}
	t_turn(H.t);
	while ((f = h_got(&H))) {
		bool first = H.in_dev[(H.in_head - 1) % T_OUT] == vx4;
		uint32_t *n = first ? &n1 : &n2;

		while (*n % 5 == 0 || *n % 3 != (first ? 0 : 1))
			++*n;
		assert_int_equal(f->b[22], *n);
		++*n;
	}
	assert_int_equal(h_stats(vx4).rx_packets, 16);
	assert_int_equal(h_stats(d2).rx_packets, 16);
	assert_int_equal(t_dropped(H.t, DROP_vxlan_no_i_flag), 12);
	assert_int_equal(t_dropped(H.t, DROP_vxlan_unknown_vni), 16);
	h_end(&H);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_1_to_4),	      cmocka_unit_test(row_5_reserved_bits),
		cmocka_unit_test(row_5_mask),	      cmocka_unit_test(rows_7_to_13),
		cmocka_unit_test(row_12_learning),    cmocka_unit_test(row_12_full),
		cmocka_unit_test(ecn),		      cmocka_unit_test(ecn_only_of_ip),
		cmocka_unit_test(headers_in_pieces),  cmocka_unit_test(row_15_down),
		cmocka_unit_test(row_17_cell_full),   cmocka_unit_test(peers_known),
		cmocka_unit_test(udp_checksums),      cmocka_unit_test(outer_fragments),
		cmocka_unit_test(delivered_whole),    cmocka_unit_test(mixed_batch),
		cmocka_unit_test(row_3_detached),     cmocka_unit_test(gone_with_frames),
		cmocka_unit_test(w1_super_frame),     cmocka_unit_test(w2_said_by_the_source),
		cmocka_unit_test(w3_unfinished),      cmocka_unit_test(w4_one_frame_or_train),
		cmocka_unit_test(w4_segment_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
