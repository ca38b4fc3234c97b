/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VXLAN device puts on the wire over vx's own stack: whole frames at the port, byte by byte.
 * Only the source port and IPv4's identification are taken from what came; they are tested for what
 * they have to be.  Rows are those of spec/vxlan.md 3.5 to 3.9.
 */
#include "vxlan/testing.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "net/route.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/tcp.h"
#include "wire/vxlan.h"

#define MAC_A "02:00:00:00:00:a1"
#define MAC_Z "00:00:00:00:00:00"
#define NEXT  "02:00:00:00:00:fe" /* a router */

enum { VNI = 0xabcdef, PORT = 4789, PERM = FDB_PERMANENT | FDB_NOARP };

static struct h_host H;
static struct t_port *up;
static struct dev *vx;

/* up0 with both families and a device on it; her addresses are known. */
static void make(const struct vxlan_opts *with, uint64_t present)
{
	struct vxlan_opts o = with ? *with : h_opts(VNI, PORT);

	h_init(&H);
	up = t_add_port(H.t, "up0", T_ME, "10.0.0.1/24");
	t_add_addr(up, "fd00::1/64");
	t_add_neigh(up, "10.0.0.2", T_HER);
	t_add_neigh(up, "fd00::2", T_HER);
	o.dev = up->dev->ifindex;
	vx = h_vxlan(&H, "vx", &o, present | VXA_BIT(VXA_DEV));
	t_mark(H.t);
}

static void to_her(bool is6)
{
	assert_int_equal(h_fdb(vx, NLM_F_CREATE | NLM_F_APPEND, MAC_Z, is6 ? "fd00::2" : "10.0.0.2",
			       PERM, 0, NULL),
			 0);
}

static void add_route(const char *to, struct route_req r)
{
	r.dst = t_addr(to);
	r.family = ip_is4(&r.dst) ? AF_INET : AF_INET6;
	r.plen = ip_is4(&r.dst) ? 32 : 128;
	r.type = r.type ? r.type : DST_UNICAST;
	r.nl_flags = NLM_F_CREATE | NLM_F_REPLACE;
	assert_int_equal(route_add(H.t->vx, &r, NULL), 0);
}

/* --- frames ---------------------------------------------------------------------------------- */

enum kind { IP4, IP6, ARP, TAG4, TAG6 };

/* 60 bytes behind Ethernet and a tag; TTL 33, label 0x12345. */
static uint32_t frame(uint8_t *f, enum kind k, uint8_t tos, bool df)
{
	bool is6 = k == IP6 || k == TAG6;
	struct t_ip ip = {.smac = "02:00:00:00:00:51",
			  .dmac = MAC_A,
			  .src = is6 ? "fd01::1" : "192.168.0.1",
			  .dst = is6 ? "fd01::2" : "192.168.0.2",
			  .proto = 200,
			  .tos = tos,
			  .ttl = 33,
			  .frag = df ? IP4_DF : 0,
			  .data = "0123456789012345678901234567890123456789",
			  .len = is6 ? 20 : 40};
	uint32_t len = t_ip(f, &ip);

	if (is6)
		t_ip6_of(f)->vtc_flow = ip6_vtc_flow(tos, 0x12345);
	if (k == ARP)
		((struct eth_hdr *)f)->type = be16_put(ETHTYPE_ARP);
	if (k == TAG4 || k == TAG6) {
		memmove(f + 16, f + 12, len - 12);
		memcpy(f + 12, "\x81\x00\x00\x07", 4);
		len += 4;
	}
	return len;
}

/* What the outer headers have to be. */
struct want {
	bool is6, no_csum, df;
	uint8_t tos, ttl; /* ttl 0: 64 */
	uint32_t label, vni;
	uint16_t dport;
	const char *src, *dst, *dmac; /* NULL: this host, her */
};

static uint16_t sport_of(const struct t_frame *o, bool is6)
{
	return be16_get(((const struct udp_hdr *)(o->b + (is6 ? 54 : 34)))->src);
}

/* The next frame at the port is 'inner' in VXLAN, and nothing else. */
static const struct t_frame *expect(const char *row, const struct want *w, const uint8_t *inner,
				    uint32_t len)
{
	static uint8_t want[T_FRAME_MAX], payload[T_FRAME_MAX];
	const struct t_frame *o = t_out(up);
	struct t_ip ip = {.smac = T_ME,
			  .dmac = w->dmac ? w->dmac : T_HER,
			  .tos = w->tos,
			  .ttl = w->ttl,
			  .src = w->src ? w->src : w->is6 ? "fd00::1" : "10.0.0.1",
			  .dst = w->dst ? w->dst : w->is6 ? "fd00::2" : "10.0.0.2",
			  .data = payload,
			  .len = len + 8};
	uint32_t at = w->is6 ? 54 : 34, n;

	if (!o)
		fail_msg("%s: nothing was sent", row);
	h_vxlan_hdr(payload, VXLAN_F_VNI, w->vni << 8);
	memcpy(payload + 8, inner, len);
	if (!w->is6) {
		ip.id = be16_get(t_ip4_of(o->b)->id);
		ip.frag = w->df ? IP4_DF : 0;
		assert_int_not_equal(ip.id, 0); /* 3.8-id: also when DF is set */
	}
	n = t_udp(want, &ip, sport_of(o, w->is6), w->dport);
	if (w->is6)
		t_ip6_of(want)->vtc_flow = ip6_vtc_flow(w->tos, w->label);
	if (w->no_csum)
		((struct udp_hdr *)(want + at))->csum = (be16){0};
	if (o->len != n)
		fail_msg("%s: %u bytes, not %u", row, o->len, n);
	for (uint32_t i = 0; i < n; i++)
		if (o->b[i] != want[i])
			fail_msg("%s: byte %u is %02x, not %02x", row, i, o->b[i], want[i]);
	return o;
}

#define PLAIN &(struct want){.vni = VNI, .dport = PORT}

static void expect_stats(const char *row, const struct dev_stats *want)
{
	struct dev_stats st = h_stats(vx);

	if (memcmp(&st, want, sizeof(st)))
		fail_msg("%s: tx %llu/%llu errors %llu dropped %llu carrier %llu aborted %llu", row,
			 (unsigned long long)st.tx_packets, (unsigned long long)st.tx_bytes,
			 (unsigned long long)st.tx_errors, (unsigned long long)st.tx_dropped,
			 (unsigned long long)st.tx_carrier_errors,
			 (unsigned long long)st.tx_aborted_errors);
}

#define SENT(n, bytes) &(struct dev_stats){.tx_packets = n, .tx_bytes = bytes}

/* --- 3.5, the table; 3.7; 3.8 ---------------------------------------------------------------- */

struct row {
	const char *row;
	enum kind kind;
	uint8_t inner_tos;
	bool inner_df;
	/* Of the device: */
	uint8_t ttl, tos, df;
	bool ttl_inherit, noudpcsum, zcsum6tx, label_inherit;
	uint32_t label;
	struct want w;
};

static const struct row rows[] = {
	{"3.5-family, 3.7-plain: IPv4", IP4, .w = {0}},
	{"3.5-family, 3.7-plain: IPv6", IP4, .w = {.is6 = 1}},
	{"3.5-ttl: fixed", IP4, .ttl = 7, .w = {.ttl = 7}},
	{"3.5-ttl: fixed, IPv6", IP4, .ttl = 7, .w = {.is6 = 1, .ttl = 7}},
	{"3.5-ttl: inherit, IPv4", IP4, .ttl = 7, .ttl_inherit = 1, .w = {.ttl = 33}},
	{"3.5-ttl: inherit, IPv6 in IPv6", IP6, .ttl_inherit = 1, .w = {.is6 = 1, .ttl = 33}},
	{"3.5-ttl: inherit, tagged", TAG4, .ttl_inherit = 1, .w = {.ttl = 33}},
	{"3.5-ttl: inherit, not IP", ARP, .ttl = 7, .ttl_inherit = 1, .w = {.ttl = 64}},
	{"3.5-tos: fixed, its ECN is not used", IP4, 0, .tos = 0x13, .w = {.tos = 0x10}},
	{"3.5-tos: inherit", IP4, 0xb8, .tos = 1, .w = {.tos = 0xb8}},
	{"3.5-tos: inherit, IPv6 in IPv6", IP6, 0xb8, .tos = 1, .w = {.is6 = 1, .tos = 0xb8}},
	{"3.5-tos: inherit, tagged", TAG6, 0xb8, .tos = 1, .w = {.tos = 0xb8}},
	{"3.5-tos: inherit, not IP", ARP, 0xb8, .tos = 1, .w = {.tos = 0}},
	{"3.5-ecn: 1", IP4, 0x49, .w = {.tos = 1}},
	{"3.5-ecn: 2", IP4, 0x4a, .w = {.tos = 2}},
	{"3.5-ecn: 3 is 2", IP4, 0x4b, .w = {.tos = 2}},
	{"3.5-ecn: 3 is 2, IPv6 in IPv6", IP6, 0x4b, .tos = 0x40, .w = {.is6 = 1, .tos = 0x42}},
	{"3.5-ecn: none of what is not IP", ARP, 0x4b, .tos = 0x10, .w = {.tos = 0x10}},
	{"3.5-label: none", IP6, .w = {.is6 = 1}},
	{"3.5-label: fixed", IP4, .label = 0xabcde, .w = {.is6 = 1, .label = 0xabcde}},
	{"3.5-label: inherit", IP6, .label_inherit = 1, .w = {.is6 = 1, .label = 0x12345}},
	{"3.5-label: inherit, IPv4 inside", IP4, .label_inherit = 1, .w = {.is6 = 1}},
	{"3.5-label, 3.5-tos: both",
	 IP6,
	 0xb9,
	 .tos = 1,
	 .label = 0xfffff,
	 .w = {.is6 = 1, .tos = 0xb9, .label = 0xfffff}},
	{"3.5-df: unset", IP4, .inner_df = 1, .df = DF_UNSET, .w = {.df = 0}},
	{"3.5-df: set", ARP, .df = DF_SET, .w = {.df = 1}},
	{"3.5-df: inherit, DF", IP4, .inner_df = 1, .df = DF_INHERIT, .w = {.df = 1}},
	{"3.5-df: inherit, no DF", IP4, .df = DF_INHERIT, .w = {.df = 0}},
	{"3.5-df: inherit, IPv6", IP6, .df = DF_INHERIT, .w = {.df = 1}},
	{"3.5-df: inherit, tagged", TAG4, .inner_df = 1, .df = DF_INHERIT, .w = {.df = 0}},
	{"3.5-csum: noudpcsum", IP4, .noudpcsum = 1, .w = {.no_csum = 1}},
	{"3.5-csum: udp6zerocsumtx is not IPv4's", IP4, .zcsum6tx = 1, .w = {0}},
	{"3.5-csum: udp6zerocsumtx", IP4, .zcsum6tx = 1, .w = {.is6 = 1, .no_csum = 1}},
	{"3.5-csum: noudpcsum is not IPv6's", IP4, .noudpcsum = 1, .w = {.is6 = 1}},
};

static struct vxlan_opts opts_of(const struct row *r)
{
	struct vxlan_opts o = h_opts(VNI, PORT);

	o.ttl = r->ttl;
	o.tos = r->tos;
	o.df = r->df;
	o.ttl_inherit = r->ttl_inherit;
	o.udpcsum = !r->noudpcsum;
	o.udp6zerocsumtx = r->zcsum6tx;
	o.label_policy = r->label_inherit;
	o.flowlabel = r->label;
	o.local = t_addr(r->w.is6 ? "fd00::1" : "10.0.0.1");
	o.remote = t_addr(r->w.is6 ? "fd00::2" : "10.0.0.2");
	return o;
}

static void outer_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vxlan_opts o = opts_of(&rows[i]);
		struct want w = rows[i].w;
		uint8_t f[256];
		uint32_t len;

		w.vni = VNI;
		w.dport = PORT;
		make(&o, VXA_BIT(VXA_LOCAL) | VXA_BIT(VXA_REMOTE));
		len = frame(f, rows[i].kind, rows[i].inner_tos, rows[i].inner_df);
		h_send(&H, vx, f, len, i % 2 ? 14 : 0);
		expect(rows[i].row, &w, f, len);
		t_assert_silent(up);
		expect_stats(rows[i].row, SENT(1, 60)); /* 3.8-counters: tags are not counted */
		h_end(&H);
	}
}

/* 3.5-ttl0: the route's hop limit, else 64. */
static void ttl_of_the_route(void **state)
{
	(void)state;
	for (int is6 = 0; is6 < 2; is6++) {
		struct want w = {.is6 = is6, .ttl = 64, .vni = VNI, .dport = PORT};
		struct vxlan_opts o = h_opts(VNI, PORT);
		uint8_t f[256];
		uint32_t len = frame(f, IP4, 0, false);

		o.local = t_addr(is6 ? "fd00::1" : "10.0.0.1");
		make(&o, VXA_BIT(VXA_LOCAL));
		to_her(is6);
		h_send(&H, vx, f, len, 0);
		expect("3.5-ttl0: default", &w, f, len);
		add_route(is6 ? "fd00::2" : "10.0.0.2",
			  (struct route_req){.ifindex = up->dev->ifindex, .hoplimit = 77});
		h_send(&H, vx, f, len, 0);
		w.ttl = 77;
		expect("3.5-ttl0: metric", &w, f, len);
		h_end(&H);
	}
}

/* 3.5-df: forced to 0 if the route's MTU is locked. */
static void df_of_a_locked_route(void **state)
{
	(void)state;
	for (int locked = 0; locked < 2; locked++) {
		struct vxlan_opts o = h_opts(VNI, PORT);
		uint8_t f[256];
		uint32_t len = frame(f, IP4, 0, true);

		o.df = DF_SET;
		make(&o, VXA_BIT(VXA_DF));
		to_her(false);
		add_route("10.0.0.2", (struct route_req){.ifindex = up->dev->ifindex,
							 .mtu = 1400,
							 .mtu_locked = locked});
		h_send(&H, vx, f, len, 0);
		expect("3.5-df: locked", &(struct want){.df = !locked, .vni = VNI, .dport = PORT}, f,
		       len);
		h_end(&H);
	}
}

/* 3.5-port, 3.5-vni, 3.5-oif: of the entry, or the device's. */
static void of_the_entry(void **state)
{
	static const struct {
		const char *row;
		bool has_port, has_vni, has_via;
		uint16_t port;
		uint32_t vni;
		struct want w;
	} row[] = {
		{"3.5-port, 3.5-vni: the device's", 0, 0, 0, 0, 0, {.vni = VNI, .dport = PORT}},
		{"3.5-port: the entry's", 1, 0, 0, 5000, 0, {.vni = VNI, .dport = 5000}},
		{"3.5-vni: the entry's", 0, 1, 0, 0, 0xffffff, {.vni = 0xffffff, .dport = PORT}},
		{"3.5-vni: 0 is sent as 0", 0, 1, 0, 0, 0, {.vni = 0, .dport = PORT}},
		{"3.5-oif: via", 0, 0, 1, 0, 0, {.vni = VNI, .dport = PORT}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct fdb_req q = {.mac = t_mac(MAC_A),
				    .state = PERM,
				    .has_dst = true,
				    .nl_flags = NLM_F_CREATE | NLM_F_EXCL,
				    .dst = t_addr("10.0.0.2"),
				    .has_port = row[i].has_port,
				    .port = row[i].port,
				    .has_vni = row[i].has_vni,
				    .vni = row[i].vni};
		struct t_port *up1;
		uint8_t f[256];
		uint32_t len = frame(f, IP4, 0, false);

		make(NULL, 0);
		up1 = t_add_port(H.t, "up1", NEXT, "10.0.0.66/24");
		t_add_neigh(up1, "10.0.0.2", "02:00:00:00:00:22");
		q.has_ifindex = row[i].has_via;
		q.ifindex = up1->dev->ifindex;
		assert_int_equal(vx->ops->fdb_add(vx, &q, NULL), 0);
		h_send(&H, vx, f, len, 0);
		if (row[i].has_via) { /* that way, with that interface's addresses */
			const struct t_frame *o = t_out(up1);

			t_assert_silent(up);
			t_assert_ip4(o, "10.0.0.66", "10.0.0.2", IPPROTO_UDP_);
			assert_memory_equal(o->b, "\2\0\0\0\0\x22\2\0\0\0\0\xfe", 12);
			assert_memory_equal(o->b + 50, f, len);
		} else {
			expect(row[i].row, &row[i].w, f, len);
			t_assert_silent(up1);
		}
		h_end(&H);
	}
}

/* 3.5-source: the device's local address, else the route's choice or preference. */
static void source_address(void **state)
{
	(void)state;
	for (int local = 0; local < 2; local++) {
		struct want w = {.src = local ? "10.0.0.7" : NULL, .vni = VNI, .dport = PORT};
		struct vxlan_opts o = h_opts(VNI, PORT);
		uint8_t f[256];
		uint32_t len = frame(f, IP4, 0, false);

		if (local)
			o.local = t_addr("10.0.0.7");
		make(&o, local ? VXA_BIT(VXA_LOCAL) : 0);
		t_add_addr(up, "10.0.0.7/24");
		t_add_addr(up, "10.0.0.8/24");
		to_her(false);
		h_send(&H, vx, f, len, 0);
		expect("3.5-source", &w, f, len);
		add_route("10.0.0.2", (struct route_req){.ifindex = up->dev->ifindex,
							 .src = t_addr("10.0.0.8")});
		h_send(&H, vx, f, len, 0);
		w.src = local ? "10.0.0.7" : "10.0.0.8";
		expect("3.5-source: preferred", &w, f, len);
		h_end(&H);
	}
}

/* 3.5-6, stack.md D2: a route is asked for again when the table has changed; what has no way, or
 * a local address that is not here, is lost. */
static void routes_change(void **state)
{
	struct vxlan_opts o = h_opts(VNI, PORT);
	uint8_t f[256];
	uint32_t len = frame(f, IP4, 0, false);

	(void)state;
	make(NULL, 0);
	t_add_neigh(up, "10.0.0.254", NEXT);
	to_her(false);
	h_send(&H, vx, f, len, 0);
	expect("on link", PLAIN, f, len);
	add_route("10.0.0.2", (struct route_req){.gateway = t_addr("10.0.0.254")});
	h_send(&H, vx, f, len, 0);
	expect("D2: by a router", &(struct want){.dmac = NEXT, .vni = VNI, .dport = PORT}, f, len);
	add_route("10.0.0.2", (struct route_req){.type = DST_BLACKHOLE});
	h_send(&H, vx, f, len, 0);
	t_assert_silent(up);
	assert_int_equal(t_dropped(H.t, DROP_tunnel_no_route), 1);
	expect_stats("3.5-6: blackhole",
		     &(struct dev_stats){.tx_packets = 2,
					 .tx_bytes = 120,
					 .tx_errors = 1,
					 .tx_carrier_errors = 1});
	h_end(&H);
	o.local = t_addr("10.0.0.99");
	make(&o, VXA_BIT(VXA_LOCAL));
	to_her(false);
	h_send(&H, vx, f, len, 0);
	t_assert_silent(up);
	assert_int_equal(t_dropped(H.t, DROP_tunnel_no_route), 1);
	expect_stats("3.5-6: local is not here",
		     &(struct dev_stats){.tx_errors = 1, .tx_carrier_errors = 1});
	h_end(&H);
}

/* 3.5-7: the remote is this host.  Directly the whole frame counts, and it is learnt from the
 * loopback address; else it goes out and comes in again, and is learnt from the real one. */
static void to_this_host(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		bool is6 = i & 1, bypass = i & 2;
		struct vxlan_opts o = h_opts(VNI, PORT), o2 = h_opts(200, PORT);
		const char *me = is6 ? "fd00::1" : "10.0.0.1";
		struct fdb_req q = {.mac = t_mac(MAC_A),
				    .state = PERM,
				    .nl_flags = NLM_F_CREATE,
				    .has_dst = true,
				    .dst = t_addr(me),
				    .has_vni = true,
				    .vni = 200};
		struct ip_addr from = t_addr(!bypass ? me : is6 ? "::1" : "127.0.0.1");
		struct mac src = t_mac("02:00:00:00:00:51");
		uint64_t n = bypass ? 74 : 60;
		const struct t_frame *g;
		struct fdb_entry *e;
		struct fdb_view view;
		struct dev_stats st;
		struct dev *vx2;
		uint8_t f[256];
		uint32_t len = frame(f, IP4, 0, false);

		o.local = o2.local = t_addr(me);
		o.localbypass = bypass;
		make(&o, VXA_BIT(VXA_LOCAL) | VXA_BIT(VXA_LOCALBYPASS));
		o2.dev = up->dev->ifindex;
		vx2 = h_vxlan(&H, "vx2", &o2, VXA_BIT(VXA_DEV) | VXA_BIT(VXA_LOCAL));
		assert_int_equal(vx->ops->fdb_add(vx, &q, NULL), 0);
		h_send(&H, vx, f, len, 0);
		t_assert_silent(up);
		g = h_got(&H);
		assert_non_null(g);
		assert_ptr_equal(H.in_dev[0], vx2);
		assert_int_equal(g->len, len);
		assert_memory_equal(g->b, f, len);
		expect_stats("3.5-7", SENT(1, n));
		st = h_stats(vx2);
		assert_true(st.rx_packets == 1 && st.rx_bytes == n);
		e = fdb_find(&vxlan_dev(vx2)->fdb, &src, 200);
		assert_non_null(e);
		fdb_view_of(&vxlan_dev(vx2)->fdb, e, 0, &view);
		assert_true(ip_eq(&view.dst, &from));
		h_end(&H);
	}
}

/* --- 3.6 ------------------------------------------------------------------------------------- */

static uint16_t sport_for(const uint8_t *f, uint32_t len)
{
	const struct t_frame *o;

	h_send(&H, vx, f, len, 0);
	o = t_out(up);
	assert_non_null(o);
	return sport_of(o, false);
}

/* 3.6-hash: MACs, TTL, TOS and ICMP's id do not count; of what is not IP, nothing does. */
static void source_port(void **state)
{
	struct t_ip ip = {.smac = "02:00:00:00:00:51",
			  .dmac = MAC_A,
			  .src = "192.168.0.1",
			  .dst = "192.168.0.2"};
	uint8_t f[256];
	uint16_t port;
	uint32_t len;

	(void)state;
	make(NULL, 0);
	to_her(false);
	len = t_udp(f, &ip, 1000, 53);
	port = sport_for(f, len);
	assert_in_range(port, 32768, 60999); /* 3.6-range */
	assert_int_equal(port, sport_for(f, len));
	ip.smac = "02:00:00:00:00:52";
	ip.dmac = "02:00:00:00:00:a2";
	ip.ttl = 5;
	ip.tos = 0xb8;
	assert_int_equal(port, sport_for(f, t_udp(f, &ip, 1000, 53)));
	assert_int_not_equal(port, sport_for(f, t_udp(f, &ip, 1001, 53)));
	len = t_echo(f, &ip, 8);
	port = sport_for(f, len);
	f[14 + 20 + 5] ^= 0x55; /* the id */
	assert_int_equal(port, sport_for(f, len));
	/* Not IP: one port for an EtherType, whatever the MACs. */
	len = frame(f, ARP, 0, false);
	port = sport_for(f, len);
	f[5] ^= 1;
	f[11] ^= 1;
	f[40] ^= 1;
	assert_int_equal(port, sport_for(f, len));
	h_end(&H);
}

/* --- 3.7, 3.8 -------------------------------------------------------------------------------- */

/* 3.8-csum0: a sum of 0 is sent as 0xffff, over both families. */
static void csum_zero(void **state)
{
	(void)state;
	for (int is6 = 0; is6 < 2; is6++) {
		struct vxlan_opts o = h_opts(VNI, PORT);
		struct want w = {.is6 = is6, .vni = VNI, .dport = PORT};
		const struct t_frame *g;
		uint8_t f[256];
		uint32_t len = frame(f, ARP, 0, false), at = (is6 ? 54 : 34) + 6;

		o.local = t_addr(is6 ? "fd00::1" : "10.0.0.1");
		make(&o, VXA_BIT(VXA_LOCAL));
		to_her(is6);
		memset(f + 40, 0, 2);
		h_send(&H, vx, f, len, 0);
		g = expect("3.8-csum0: before", &w, f, len);
		memcpy(f + 40, g->b + at, 2); /* the same port: not IP (3.6) */
		h_send(&H, vx, f, len, 0);
		g = expect("3.8-csum0", &w, f, len);
		assert_memory_equal(g->b + at, "\xff\xff", 2);
		h_end(&H);
	}
}

/* 3.8-id: counts for a destination; 3.8-gso: one number a segment, one port, one packet counted;
 * 3.7-inner: each segment is a normal frame. */
static void super_frame(void **state)
{
	struct tcp_hdr h = {
		.src = be16_put(1), .dst = be16_put(2), .off = 5 << 4, .flags = TCP_ACK};
	struct ip_addr s = t_addr("192.168.9.1"), d = t_addr("192.168.9.2");
	uint8_t data[20 + 3500] = {0}, f[4000];
	uint16_t id = 0, port = 0;
	struct worker *w;
	struct batch one;
	struct pkt *p;
	uint32_t len;

	(void)state;
	make(NULL, 0);
	to_her(false);
	w = H.t->vx->workers[0];
	h.csum.raw = csum_reduce(csum_pseudo(&s, &d, IPPROTO_TCP_, sizeof(data)));
	memcpy(data, &h, sizeof(h));
	len = t_ip(f, &(struct t_ip){.smac = "02:00:00:00:00:51",
				     .dmac = MAC_A,
				     .src = "192.168.9.1",
				     .dst = "192.168.9.2",
				     .proto = IPPROTO_TCP_,
				     .data = data,
				     .len = sizeof(data)});
	p = pkt_make(w, len);
	memcpy(pkt_append(p, len), f, len);
	p->csum_state = CSUM_PARTIAL;
	p->csum_start = pkt_off(p) + 34;
	p->csum_offset = 16;
	p->gso_size = 1000;
	p->gso_type = GSO_TCP4;
	batch_init(&one);
	batch_add(&one, p);
	dev_queue_xmit(w, vx, &one);
	t_turn(H.t);
	for (uint32_t i = 0; i < 4; i++) {
		const struct t_frame *o = t_out(up);
		uint32_t n = i == 3 ? 500 : 1000;
		uint8_t inner[1100];

		assert_non_null(o);
		assert_int_equal(o->len, 50 + 14 + 40 + n);
		memcpy(inner, o->b + 50, o->len - 50);
		t_assert_ip4(&(struct t_frame){o->len - 50, inner}, "192.168.9.1", "192.168.9.2",
			     IPPROTO_TCP_);
		assert_int_equal(csum_reduce(csum_add(csum_pseudo(&s, &d, IPPROTO_TCP_, 20 + n),
						      inner + 34, 20 + n)),
				 0xffff);
		if (i) {
			assert_int_equal(be16_get(t_ip4_of(o->b)->id), (uint16_t)(id + 1));
			assert_int_equal(sport_of(o, false), port);
		}
		id = be16_get(t_ip4_of(o->b)->id);
		port = sport_of(o, false);
	}
	t_assert_silent(up);
	expect_stats("3.8-gso", SENT(1, len - 14));
	h_end(&H);
}

/* 3.8-neighbour: a packet that waits for its next hop was sent, for the device. */
static void unresolved(void **state)
{
	uint8_t f[256];
	uint32_t len = frame(f, IP4, 0, false);
	const struct t_frame *o;

	(void)state;
	make(NULL, 0);
	assert_int_equal(h_fdb(vx, NLM_F_CREATE, MAC_A, "10.0.0.3", PERM, 0, NULL), 0);
	h_send(&H, vx, f, len, 0);
	o = t_out(up);
	assert_int_equal(be16_get(((const struct eth_hdr *)o->b)->type), ETHTYPE_ARP);
	t_assert_silent(up);
	expect_stats("3.8-neighbour", SENT(1, 60));
	h_end(&H);
}

/* 3.8-mark: rules of the output hook see the inner packet's mark. */
static uint32_t seen_mark;
static enum hook_verdict look(struct worker *w, const struct hook *h, struct pkt *p)
{
	(void)w, (void)h;
	seen_mark = p->mark;
	return HOOK_ACCEPT;
}

static void mark(void **state)
{
	struct hook h = {.point = HOOK_OUTPUT, .fn = look};
	uint8_t f[256];
	uint32_t len = frame(f, IP4, 0, false);
	struct worker *w;
	struct batch one;
	struct pkt *p;

	(void)state;
	make(NULL, 0);
	to_her(false);
	assert_int_equal(hook_register(H.t->vx, &h), 0);
	w = H.t->vx->workers[0];
	p = pkt_make(w, len);
	memcpy(pkt_append(p, len), f, len);
	p->mark = 0x481234;
	batch_init(&one);
	batch_add(&one, p);
	dev_queue_xmit(w, vx, &one);
	t_turn(H.t);
	assert_int_equal(seen_mark, 0x481234);
	expect("3.8-mark", PLAIN, f, len);
	hook_unregister(H.t->vx, &h);
	h_end(&H);
}

/* A device behind the other: no host side, an address, its remote at the other's end. */
static struct dev *loop_dev(int i)
{
	static const char *const addr[2] = {"10.1.0.1", "10.2.0.1"}, *const her[2] = {"10.1.0.2",
										      "10.2.0.2"};
	struct link_cfg cfg = {.has_up = true,
			       .up = true,
			       .nohost = true,
			       .has_nohost = true,
			       .has_mtu = true,
			       .mtu = 1300};
	struct vxlan_opts o = h_opts(200 + (uint32_t)i, PORT);
	struct t_port p = {.net = H.t};
	struct ip_addr a = t_addr(addr[i]);

	snprintf(cfg.name, sizeof(cfg.name), "loop%d", i);
	o.dev = up->dev->ifindex;
	assert_int_equal(link_newlink(H.t->vx, link_type_find(H.t->vx, "vxlan"), &cfg, &o,
				      VXA_BIT(VXA_ID) | VXA_BIT(VXA_DSTPORT) | VXA_BIT(VXA_DEV),
				      NULL, &p.dev),
			 0);
	assert_int_equal(inet_addr_add(p.dev, &a, 24, NULL, NULL, NULL), 0);
	t_add_neigh(&p, her[i], MAC_A);
	assert_int_equal(h_fdb(p.dev, NLM_F_CREATE, MAC_A, her[!i], PERM, 0, NULL), 0);
	return p.dev;
}

/* 3.8-recursion: two tunnels, each behind the other, also where each header makes it so long that
 * it is cut anew. */
static void behind_each_other(void **state)
{
	(void)state;
	for (int cut = 0; cut < 2; cut++) {
		struct dev_stats st[2];
		struct dev *d[2];
		uint8_t f[1400] = {0};
		uint32_t len = frame(f, ARP, 0, false);

		make(NULL, 0);
		d[0] = loop_dev(0);
		d[1] = loop_dev(1);
		t_mark(H.t);
		h_send(&H, d[0], f, cut ? 1300 : len, 0);
		t_assert_silent(up);
		st[0] = h_stats(d[0]);
		st[1] = h_stats(d[1]);
		assert_in_range(t_dropped(H.t, DROP_tunnel_too_deep), 1, cut ? 32 : 1);
		assert_int_equal(st[0].tx_errors + st[1].tx_errors,
				 t_dropped(H.t, DROP_tunnel_too_deep));
		/* A piece has less room before it than what it was cut from. */
		assert_in_range(t_dropped(H.t, DROP_no_headroom), cut ? 1 : 0, cut ? 32 : 0);
		assert_int_equal(st[0].tx_dropped + st[1].tx_dropped,
				 t_dropped(H.t, DROP_no_headroom));
		if (!cut) /* five went into the next one each */
			assert_int_equal(st[0].tx_packets + st[1].tx_packets, 5);
		h_end(&H);
	}
}

/* 3.9-3, 3.8-fragment, 3.8-error4, 3.8-error6: longer than the path takes. */
static void too_big(void **state)
{
	static const struct {
		const char *row;
		bool is6, df;
		uint32_t l3; /* inner */
		uint32_t frames;
		struct dev_stats st;
	} row[] = {
		{"IPv4, fits", false, false, 1450, 1, {.tx_packets = 1, .tx_bytes = 1450}},
		{"IPv4, DF clear: cut", false, false, 1451, 2, {.tx_packets = 1, .tx_bytes = 1451}},
		{"IPv4, DF set, fits", false, true, 1450, 1, {.tx_packets = 1, .tx_bytes = 1450}},
		{"IPv4, DF set: lost", false, true, 1451, 0, {.tx_dropped = 1}},
		{"IPv6, fits", true, false, 1430, 1, {.tx_packets = 1, .tx_bytes = 1430}},
		{"IPv6: lost", true, false, 1431, 0, {.tx_errors = 1, .tx_aborted_errors = 1}},
	};
	static uint8_t data[2000], f[2100];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct vxlan_opts o = h_opts(VNI, PORT);
		uint8_t whole[2100];
		uint32_t len, n, at = 0;
		const struct t_frame *g;

		o.local = t_addr(row[i].is6 ? "fd00::1" : "10.0.0.1");
		o.df = row[i].df ? DF_SET : DF_UNSET;
		make(&o, VXA_BIT(VXA_LOCAL) | VXA_BIT(VXA_DF));
		to_her(row[i].is6);
		len = t_ip(f, &(struct t_ip){.smac = "02:00:00:00:00:51",
					     .dmac = MAC_A,
					     .src = "192.168.0.1",
					     .dst = "192.168.0.2",
					     .proto = 200,
					     .data = data,
					     .len = row[i].l3 - 20});
		h_send(&H, vx, f, len, 0);
		for (n = 0; (g = t_out(up)); n++) {
			uint32_t hdr = row[i].is6 ? 54 : 34;

			assert_true(g->len <= 14 + 1500);
			if (!row[i].is6) {
				t_assert_ip4(g, "10.0.0.1", "10.0.0.2", IPPROTO_UDP_);
				assert_int_equal(be16_get(t_ip4_of(g->b)->frag) & IP4_OFFSET,
						 at / 8);
			}
			memcpy(whole + at, g->b + hdr, g->len - hdr);
			at += g->len - hdr;
		}
		if (n != row[i].frames)
			fail_msg("%s: %u frames", row[i].row, n);
		if (n) {
			assert_int_equal(at, 16 + len);
			assert_memory_equal(whole + 16, f, len);
		}
		assert_int_equal(t_dropped(H.t, DROP_ip_out_too_big), !n);
		expect_stats(row[i].row, &row[i].st);
		h_end(&H);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outer_headers),	cmocka_unit_test(ttl_of_the_route),
		cmocka_unit_test(df_of_a_locked_route), cmocka_unit_test(of_the_entry),
		cmocka_unit_test(source_address),	cmocka_unit_test(routes_change),
		cmocka_unit_test(to_this_host),		cmocka_unit_test(source_port),
		cmocka_unit_test(csum_zero),		cmocka_unit_test(super_frame),
		cmocka_unit_test(unresolved),		cmocka_unit_test(mark),
		cmocka_unit_test(behind_each_other),	cmocka_unit_test(too_big),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
