/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending: frames into a VXLAN device whose UDP sockets are the test's (vxlan/testing.h), so that
 * both what a packet is to be sent with and its bytes are seen.  Steps are spec/vxlan.md 3.1, 3.5.
 */
#include "vxlan/testing.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "wire/eth.h"
#include "wire/vxlan.h"

#define MAC_A "02:00:00:00:00:a1"
#define MAC_Z "00:00:00:00:00:00"

enum {
	PERM = FDB_PERMANENT | FDB_NOARP,
	ADD = NLM_F_CREATE | NLM_F_EXCL,
	APP = NLM_F_CREATE | NLM_F_APPEND,
};

static struct h_host H;
static struct dev *vx;

static void make(const struct vxlan_opts *o, uint64_t present)
{
	struct vxlan_opts plain = h_opts(100, 4789);

	h_init(&H);
	vx = h_vxlan(&H, "vx", o ? o : &plain, present);
	t_mark(H.t);
}

static void done(void)
{
	h_end(&H);
}

/* --- inner frames ------------------------------------------------------------------------------- */

enum kind { IP4, IP6, ARP, TAG4, TAG6, QINQ4, OTHER, SHORT4, SHORT6, SHORT_TAG, BARE, KINDS };

/* Puts a tag of this type behind the addresses. */
static uint32_t tag(uint8_t *f, uint32_t len, uint16_t type)
{
	be16 t[2] = {be16_put(type), be16_put(7)};

	memmove(f + 16, f + 12, len - 12);
	memcpy(f + 12, t, 4);
	return len + 4;
}

/* 60 bytes behind Ethernet; TOS 0x4b (CE would be 3), TTL 33, IPv4 with DF, label 0x12345. */
static uint32_t frame(uint8_t *f, enum kind k, uint8_t tos, const char *dmac)
{
	struct t_ip ip = {.smac = T_ME, .dmac = dmac, .src = "192.168.0.1", .dst = "192.168.0.2",
			  .proto = 200, .tos = tos, .ttl = 33, .frag = IP4_DF,
			  .data = "0123456789012345678901234567890123456789", .len = 40};
	uint32_t len;

	if (k == IP6 || k == TAG6 || k == SHORT6) {
		ip.src = "fd01::1";
		ip.dst = "fd01::2";
		ip.len = 20;
	}
	len = t_ip(f, &ip);
	if (ip.len == 20)
		t_ip6_of(f)->vtc_flow = ip6_vtc_flow(tos, 0x12345);
	switch (k) {
	case ARP:
		((struct eth_hdr *)f)->type = be16_put(ETHTYPE_ARP);
		break;
	case OTHER:
		((struct eth_hdr *)f)->type = be16_put(0x1234);
		break;
	case QINQ4:
		len = tag(f, len, ETHTYPE_VLAN);
		/* fall through */
	case TAG4:
	case TAG6:
		len = tag(f, len, k == QINQ4 ? ETHTYPE_QINQ : ETHTYPE_VLAN);
		break;
	case SHORT4:
		len = 14 + 19;
		break;
	case SHORT6:
		len = 14 + 39;
		break;
	case SHORT_TAG:
		((struct eth_hdr *)f)->type = be16_put(ETHTYPE_VLAN);
		len = 14 + 3;
		break;
	case BARE:
		((struct eth_hdr *)f)->type = be16_put(0x1234);
		len = 14;
		break;
	default:
		break;
	}
	return len;
}

static void send_frame(enum kind k, uint8_t tos, const char *dmac)
{
	uint8_t f[256];

	h_send(&H, vx, f, frame(f, k, tos, dmac), 0);
}

static void add(const char *mac, const char *dst)
{
	assert_int_equal(h_fdb(vx, APP, mac, dst, PERM, 0, NULL), 0);
}

static void expect_stats(const char *row, const struct dev_stats *want)
{
	struct dev_stats st = h_stats(vx);

	if (!memcmp(&st, want, sizeof(st)))
		return;
	print_message("tx %llu/%llu errors %llu dropped %llu carrier %llu aborted %llu collisions "
		      "%llu\n",
		      (unsigned long long)st.tx_packets, (unsigned long long)st.tx_bytes,
		      (unsigned long long)st.tx_errors, (unsigned long long)st.tx_dropped,
		      (unsigned long long)st.tx_carrier_errors,
		      (unsigned long long)st.tx_aborted_errors, (unsigned long long)st.collisions);
	fail_msg("%s", row);
}

#define SENT(n, b) &(struct dev_stats){.tx_packets = n, .tx_bytes = b}

static void expect_drop(const char *row, enum drop why, uint64_t n)
{
	struct account a;

	vx_account(H.t->vx, &a);
	if (t_dropped(H.t, why) != n || account_dropped(&a) - account_dropped(&H.t->acct) != n) {
		t_show(H.t);
		fail_msg("%s: not dropped as %s", row, drop_infos[why].name);
	}
}

/* The remotes that the packets since the last call went to, as last bytes of addresses. */
static const char *went(void)
{
	static char text[256];
	const struct h_sent *s;

	text[0] = 0;
	while ((s = h_sent(&H)))
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s.%u", *text ? " " : "",
			 s->flow.dst.b[15]);
	return text;
}

/* --- 3.1: which remotes -------------------------------------------------------------------------- */

static void targets(void **state)
{
	(void)state;
	make(NULL, 0);
	/* 3.1-7: nothing at all. */
	send_frame(IP4, 0, MAC_A);
	expect_drop("no target", DROP_no_target, 1);
	expect_stats("no target", &(struct dev_stats){.tx_dropped = 1});
	assert_string_equal(went(), "");
	/* 3.1-8: second, third, ..., first. */
	add(MAC_Z, "10.0.0.2");
	add(MAC_Z, "10.0.0.3");
	add(MAC_Z, "10.0.0.4");
	send_frame(IP4, 0, MAC_A); /* unknown unicast */
	assert_string_equal(went(), ".3 .4 .2");
	expect_stats("once for each",
		     &(struct dev_stats){.tx_dropped = 1, .tx_packets = 3, .tx_bytes = 180});
	send_frame(IP4, 0, "ff:ff:ff:ff:ff:ff");
	assert_string_equal(went(), ".3 .4 .2");
	send_frame(IP4, 0, "01:00:5e:00:00:05");
	assert_string_equal(went(), ".3 .4 .2");
	send_frame(IP4, 0, MAC_Z);
	assert_string_equal(went(), ".3 .4 .2");
	/* 3.1-5: an entry of its own replaces the list. */
	add(MAC_A, "10.0.0.7");
	send_frame(IP4, 0, MAC_A);
	assert_string_equal(went(), ".7");
	add("ff:ff:ff:ff:ff:ff", "10.0.0.8");
	add("ff:ff:ff:ff:ff:ff", "10.0.0.9");
	send_frame(IP4, 0, "ff:ff:ff:ff:ff:ff");
	assert_string_equal(went(), ".9 .8");
	add("01:00:5e:00:00:05", "10.0.0.6");
	send_frame(IP4, 0, "01:00:5e:00:00:05");
	assert_string_equal(went(), ".6");
	done();
}

/* 3.1-5: sending moves "used", not "updated" (4.7). */
static void moves_used(void **state)
{
	struct fdb_req q = {.mac = t_mac(MAC_A)};
	struct fdb_view v;

	(void)state;
	make(NULL, 0);
	add(MAC_A, "10.0.0.2");
	t_advance(H.t, 5 * NS_PER_S);
	send_frame(IP4, 0, MAC_A);
	assert_int_equal(vx->ops->fdb_get(vx, &q, &v, NULL), 0);
	assert_true(v.used == 0 && v.updated == 5 * NS_PER_S);
	done();
}

/* --- 3.5, 3.7: bytes and parameters ---------------------------------------------------------------- */

/* 3.7-plain. */
static void bytes(void **state)
{
	static const uint8_t hdr[8] = {8, 0, 0, 0, 0xab, 0xcd, 0xef, 0};
	struct vxlan_opts o = h_opts(0xabcdef, 4789);

	(void)state;
	for (uint32_t split = 0; split < 74; split = split ? split + 1 : 14) {
		const struct h_sent *s;
		uint8_t f[256];
		uint32_t len;

		make(&o, 0);
		add(MAC_Z, "10.0.0.2");
		add(MAC_Z, "10.0.0.3");
		len = frame(f, IP4, 0, MAC_A);
		h_send(&H, vx, f, len, split);
		for (int i = 0; i < 2; i++) {
			s = h_sent(&H);
			assert_non_null(s);
			assert_int_equal(s->len, len + 8);
			assert_memory_equal(s->b, hdr, 8);
			assert_memory_equal(s->b + 8, f, len);
		}
		assert_null(h_sent(&H));
		expect_stats("bytes", SENT(2, 120));
		done();
	}
}

struct flow_row {
	const char *row;
	enum kind kind;
	uint8_t inner_tos;
	/* Of the device: */
	bool is6;
	uint8_t ttl, tos, df;
	bool ttl_inherit, noudpcsum, zcsum6tx, label_inherit;
	uint32_t label;
	/* Wanted: */
	uint8_t want_ttl, want_tos;
	bool want_df, want_csum;
	uint32_t want_label, want_len;
};

static const struct flow_row flow_rows[] = {
	{"plain", IP4, 0x48, .want_ttl = 0, .want_csum = 1},
	{"ttl", IP4, 0, .ttl = 7, .want_ttl = 7, .want_csum = 1},
	{"ttl inherit, IPv4", IP4, 0, .ttl = 7, .ttl_inherit = 1, .want_ttl = 33, .want_csum = 1},
	{"ttl inherit, IPv6", IP6, 0, .ttl_inherit = 1, .want_ttl = 33, .want_csum = 1},
	{"ttl inherit, ARP", ARP, 0, .ttl = 7, .ttl_inherit = 1, .want_ttl = 0, .want_csum = 1},
	{"ttl inherit, tagged", TAG4, 0, .ttl_inherit = 1, .want_ttl = 33, .want_csum = 1},
	/* TOS: the DSCP is the device's, ECN the inner packet's, CE as ECT(0). */
	{"ECN 1", IP4, 0x49, .want_tos = 1, .want_csum = 1},
	{"ECN 2", IP4, 0x4a, .want_tos = 2, .want_csum = 1},
	{"ECN 3", IP4, 0x4b, .want_tos = 2, .want_csum = 1},
	{"ECN 3, IPv6", IP6, 0x4b, .want_tos = 2, .want_csum = 1},
	{"tos 0x13", IP4, 0, .tos = 0x13, .want_tos = 0x10, .want_csum = 1},
	{"tos 0x13, ECN 3", IP4, 0x4b, .tos = 0x13, .want_tos = 0x12, .want_csum = 1},
	{"tos inherit", IP4, 0x4b, .tos = 1, .want_tos = 0x4a, .want_csum = 1},
	{"tos inherit, IPv6", IP6, 0xb9, .tos = 1, .want_tos = 0xb9, .want_csum = 1},
	{"tos inherit, tagged", TAG4, 0x4a, .tos = 1, .want_tos = 0x4a, .want_csum = 1},
	{"tos inherit, two tags", QINQ4, 0x4a, .tos = 1, .want_tos = 0x4a, .want_csum = 1},
	{"tos inherit, tagged IPv6", TAG6, 0x4a, .tos = 1, .want_tos = 0x4a, .want_csum = 1},
	{"tos inherit, ARP", ARP, 0x4a, .tos = 1, .want_tos = 0, .want_csum = 1},
	{"tos 0x10, ARP", ARP, 0x4b, .tos = 0x10, .want_tos = 0x10, .want_csum = 1},
	/* DF. */
	{"df set", ARP, 0, .df = DF_SET, .want_df = 1, .want_csum = 1},
	{"df inherit, IPv4 with", IP4, 0, .df = DF_INHERIT, .want_df = 1, .want_csum = 1},
	{"df inherit, IPv6", IP6, 0, .df = DF_INHERIT, .want_df = 1, .want_csum = 1},
	{"df inherit, ARP", ARP, 0, .df = DF_INHERIT, .want_csum = 1},
	{"df inherit, tagged", TAG4, 0, .df = DF_INHERIT, .want_csum = 1},
	{"df inherit, tagged IPv6", TAG6, 0, .df = DF_INHERIT, .want_csum = 1},
	{"df set, IPv6 outer", IP4, 0, .is6 = 1, .df = DF_SET, .want_csum = 1},
	/* Checksums. */
	{"noudpcsum", IP4, 0, .noudpcsum = 1},
	{"noudpcsum, IPv6", IP4, 0, .is6 = 1, .noudpcsum = 1, .want_csum = 1},
	{"udp6zerocsumtx", IP4, 0, .is6 = 1, .zcsum6tx = 1},
	{"udp6zerocsumtx, IPv4", IP4, 0, .zcsum6tx = 1, .want_csum = 1},
	/* Flow label. */
	{"no label", IP6, 0, .is6 = 1, .want_csum = 1},
	{"label", IP6, 0, .is6 = 1, .label = 0xabcde, .want_label = 0xabcde, .want_csum = 1},
	{"label inherit", IP6, 0, .is6 = 1, .label_inherit = 1, .want_label = 0x12345, .want_csum = 1},
	{"label inherit, tagged", TAG6, 0, .is6 = 1, .label_inherit = 1, .want_label = 0x12345,
	 .want_csum = 1},
	{"label inherit, IPv4", IP4, 0, .is6 = 1, .label_inherit = 1, .want_csum = 1},
	{"IPv6 outer", IP4, 0x4b, .is6 = 1, .ttl = 9, .tos = 1, .want_ttl = 9, .want_tos = 0x4a,
	 .want_csum = 1},
};

static void flows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(flow_rows); i++) {
		const struct flow_row *r = &flow_rows[i];
		struct vxlan_opts o = h_opts(100, 4789);
		struct ip_addr me = t_addr(r->is6 ? "fd00::1" : "10.0.0.1");
		struct ip_addr her = t_addr(r->is6 ? "fd00::2" : "10.0.0.2");
		const struct h_sent *s;

		o.ttl = r->ttl;
		o.tos = r->tos;
		o.df = r->df;
		o.ttl_inherit = r->ttl_inherit;
		o.udpcsum = !r->noudpcsum;
		o.udp6zerocsumtx = r->zcsum6tx;
		o.label_policy = r->label_inherit;
		o.flowlabel = r->label;
		o.local = me;
		o.remote = her;
		make(&o, VXA_BIT(VXA_LOCAL) | VXA_BIT(VXA_REMOTE));
		send_frame(r->kind, r->inner_tos, MAC_A);
		s = h_sent(&H);
		assert_non_null(s);
		if (s->flow.ttl != r->want_ttl || s->flow.tos != r->want_tos ||
		    s->flow.df != r->want_df || s->flow.csum != r->want_csum ||
		    s->flow.label != r->want_label)
			fail_msg("%s: ttl %u tos 0x%02x df %d csum %d label 0x%x", r->row, s->flow.ttl,
				 s->flow.tos, s->flow.df, s->flow.csum, s->flow.label);
		assert_true(ip_eq(&s->flow.src, &me) && ip_eq(&s->flow.dst, &her));
		assert_int_equal(s->flow.dport, 4789);
		assert_int_equal(H.last_route.tos, r->want_tos); /* the route is asked with it, too */
		expect_stats(r->row, SENT(1, 60));
		done();
	}
}

/* Port, VNI, interface of the entry; mark of the packet; no local address. */
static void remote_parts(void **state)
{
	static const struct {
		bool has_port, has_vni, has_via;
		uint16_t port;
		uint32_t vni, via;
		uint16_t want_port;
		uint32_t want_vni, want_via;
	} rows[] = {
		{0, 0, 0, 0, 0, 0, 4789, 100, 0},	   {1, 0, 0, 5000, 0, 0, 5000, 100, 0},
		{0, 1, 0, 0, 55, 0, 4789, 55, 0},	   {0, 1, 0, 0, 0, 0, 4789, 0, 0},
		{0, 1, 0, 0, 0xffffff, 0, 4789, 0xffffff, 0}, {0, 0, 1, 0, 0, 2, 4789, 100, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fdb_req q = {.mac = t_mac(MAC_A), .state = PERM, .nl_flags = ADD,
				    .has_dst = true, .dst = t_addr("10.0.0.2"),
				    .has_port = rows[i].has_port, .port = rows[i].port,
				    .has_vni = rows[i].has_vni, .vni = rows[i].vni,
				    .has_ifindex = rows[i].has_via, .ifindex = rows[i].via};
		const struct h_sent *s;

		make(NULL, 0);
		assert_int_equal(vx->ops->fdb_add(vx, &q, NULL), 0);
		send_frame(IP4, 0, MAC_A);
		s = h_sent(&H);
		assert_non_null(s);
		assert_int_equal(s->flow.dport, rows[i].want_port);
		assert_int_equal(s->flow.ifindex, rows[i].want_via);
		assert_int_equal(s->b[4] << 16 | s->b[5] << 8 | s->b[6], rows[i].want_vni);
		assert_true(ip_is_none(&s->flow.src));
		done();
	}
}

/* 3.8-counters, 3.8-bare, 3.5-1. */
static void counted_lengths(void **state)
{
	static const struct {
		enum kind kind;
		enum drop why;
		struct dev_stats st;
		bool sent;
	} rows[] = {
		{IP4, DROP_NONE, {.tx_packets = 1, .tx_bytes = 60}, true},
		{TAG4, DROP_NONE, {.tx_packets = 1, .tx_bytes = 60}, true},
		{QINQ4, DROP_NONE, {.tx_packets = 1, .tx_bytes = 60}, true},
		{BARE, DROP_NONE, {.tx_dropped = 1}, true}, /* sent, and counted as dropped */
		{SHORT4, DROP_pkt_too_small, {.tx_dropped = 1}, false},
		{SHORT6, DROP_pkt_too_small, {.tx_dropped = 1}, false},
		{SHORT_TAG, DROP_pkt_too_small, {.tx_dropped = 1}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char row[16];

		snprintf(row, sizeof(row), "row %zu", i);
		make(NULL, 0);
		add(MAC_A, "10.0.0.2");
		send_frame(rows[i].kind, 0, MAC_A);
		assert_int_equal(h_sent(&H) != NULL, rows[i].sent);
		expect_stats(row, &rows[i].st);
		if (rows[i].why)
			expect_drop(row, rows[i].why, 1);
		done();
	}
}

/* A super-frame counts once, and reaches the socket whole. */
static void super_frame(void **state)
{
	static uint8_t data[8000], f[9000];
	struct t_ip ip = {.smac = T_ME, .dmac = MAC_A, .src = "192.168.0.1", .dst = "192.168.0.2",
			  .proto = IPPROTO_UDP_, .data = data, .len = sizeof(data)};
	struct worker *w;
	const struct h_sent *s;
	struct batch b;
	struct pkt *p;
	uint32_t len;

	(void)state;
	make(NULL, 0);
	add(MAC_A, "10.0.0.2");
	w = H.t->vx->workers[0];
	len = t_ip(f, &ip);
	p = pkt_make(w, len);
	memcpy(pkt_append(p, len), f, len);
	p->csum_state = CSUM_PARTIAL;
	p->csum_start = pkt_off(p) + 34;
	p->csum_offset = 6;
	p->gso_size = 1000;
	p->gso_type = GSO_UDP;
	p->mark = 0x1234;
	batch_init(&b);
	batch_add(&b, p);
	dev_queue_xmit(w, vx, &b);
	s = h_sent(&H);
	assert_non_null(s);
	assert_int_equal(s->len, len + 8);
	assert_true(s->gso_size == 1000 && s->gso_type == GSO_UDP &&
		    s->csum_state == CSUM_PARTIAL);
	assert_int_equal(s->flow.mark, 0x1234);
	expect_stats("super", SENT(1, len - 14));
	done();
}

/* --- ends ---------------------------------------------------------------------------------------- */

static void failures(void **state)
{
	struct vxlan_opts o6 = h_opts(100, 4789);

	(void)state;
	make(NULL, 0); /* 3.5-2: remote any */
	add(MAC_A, "0.0.0.0");
	send_frame(IP4, 0, MAC_A);
	expect_drop("any", DROP_dst_any, 1);
	expect_stats("any", &(struct dev_stats){.tx_dropped = 1});
	assert_int_equal(H.n_routes, 0);
	done();

	make(NULL, 0); /* 3.5-6: no route, for the second packet, too */
	add(MAC_A, "10.0.0.2");
	H.route_err = -EHOSTUNREACH;
	for (int i = 0; i < 2; i++)
		send_frame(IP4, 0, MAC_A);
	expect_drop("no route", DROP_tunnel_no_route, 2);
	expect_stats("no route", &(struct dev_stats){.tx_errors = 2, .tx_carrier_errors = 2});
	H.route_err = 0; /* routes changed */
	H.generation++;
	send_frame(IP4, 0, MAC_A);
	assert_string_equal(went(), ".2");
	done();

	make(NULL, 0); /* 3.5-6: the route leads out of the device */
	add(MAC_A, "10.0.0.2");
	H.route.ifindex = vx->ifindex;
	send_frame(IP4, 0, MAC_A);
	expect_drop("loop", DROP_tunnel_loop, 1);
	expect_stats("loop", &(struct dev_stats){.tx_errors = 1, .collisions = 1});
	done();

	make(NULL, 0); /* 3.8-error4 */
	add(MAC_A, "10.0.0.2");
	H.xmit_err = -EMSGSIZE;
	send_frame(IP4, 0, MAC_A);
	expect_stats("error 4", &(struct dev_stats){.tx_dropped = 1});
	done();

	o6.local = t_addr("fd00::1"); /* 3.8-error6 */
	make(&o6, VXA_BIT(VXA_LOCAL));
	add(MAC_A, "fd00::2");
	H.xmit_err = -EMSGSIZE;
	send_frame(IP4, 0, MAC_A);
	expect_stats("error 6", &(struct dev_stats){.tx_errors = 1, .tx_aborted_errors = 1});
	done();

	make(NULL, 0); /* down */
	add(MAC_A, "10.0.0.2");
	assert_int_equal(dev_change_flags(vx, false, NULL), 0);
	send_frame(IP4, 0, MAC_A);
	expect_drop("down", DROP_dev_down, 1);
	expect_stats("down", &(struct dev_stats){.tx_dropped = 1});
	atomic_fetch_or(&vx->flags, IFF_UP); /* 3.5-5: the race */
	t_mark(H.t);
	send_frame(IP4, 0, MAC_A);
	expect_drop("no socket", DROP_no_socket, 1);
	expect_stats("no socket", &(struct dev_stats){.tx_dropped = 1, .tx_errors = 1});
	atomic_fetch_and(&vx->flags, ~(uint32_t)IFF_UP);
	done();
}

/* 3.1-8: one remote fails, the others get theirs. */
static void one_of_many(void **state)
{
	(void)state;
	make(NULL, 0);
	add(MAC_Z, "10.0.0.2");
	add(MAC_Z, "0.0.0.0");
	add(MAC_Z, "10.0.0.4");
	send_frame(IP4, 0, MAC_A);
	assert_string_equal(went(), ".4 .2");
	expect_stats("two of three",
		     &(struct dev_stats){.tx_packets = 2, .tx_bytes = 120, .tx_dropped = 1});
	done();
}

/* A route is asked for once, until routes change or the TOS is another. */
static void route_is_kept(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);

	(void)state;
	o.tos = 1;
	make(&o, VXA_BIT(VXA_TOS));
	add(MAC_A, "10.0.0.2");
	for (int i = 0; i < 5; i++)
		send_frame(IP4, 0x40, MAC_A);
	assert_int_equal(H.n_routes, 1);
	H.generation++;
	send_frame(IP4, 0x40, MAC_A);
	assert_int_equal(H.n_routes, 2);
	send_frame(IP4, 0x80, MAC_A);
	assert_int_equal(H.n_routes, 3);
	done();
}

/* Copies of one frame wait for their next hops' addresses: none has another's headers. */
static void copies_that_wait(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	const struct t_frame *g;
	struct t_port *up;
	uint8_t f[256];
	uint32_t len, seen = 0;

	(void)state;
	h_init(&H);
	up = t_add_port(H.t, "up0", T_ME, "10.0.0.1/24");
	o.dev = up->dev->ifindex;
	vx = h_vxlan(&H, "vx", &o, VXA_BIT(VXA_DEV));
	for (uint32_t i = 2; i < 6; i++) {
		struct fdb_req q = {.nl_flags = APP, .state = PERM, .has_dst = true, .has_vni = true,
				    .vni = i, .dst = ip_from4(be32_put(0x0a000000 + i))};

		assert_int_equal(vx->ops->fdb_add(vx, &q, NULL), 0);
	}
	len = frame(f, OTHER, 0, MAC_A);
	h_send(&H, vx, f, len, 0);
	while (t_out(up)) /* the questions */
		;
	for (int i = 2; i < 6; i++) {
		char ip[16], mac[24];
		uint8_t arp[64];

		snprintf(ip, sizeof(ip), "10.0.0.%d", i);
		snprintf(mac, sizeof(mac), "02:00:00:00:01:%02x", i);
		t_inject(up, arp, t_arp(arp, 2, mac, ip, "10.0.0.1", T_ME));
	}
	while ((g = t_out(up))) {
		uint8_t i = g->b[33];

		assert_int_equal(g->len, 50 + len);
		assert_int_equal(g->b[5], i); /* next hop, remote, VNI */
		assert_int_equal(g->b[48], i);
		assert_memory_equal(g->b + 50, f, len);
		seen |= 1u << i;
	}
	assert_int_equal(seen, 0x3c);
	done();
}

/* --- 3.5, step 7: local bypass -------------------------------------------------------------------- */

/* 3.5-7. */
static void bypass(void **state)
{
	struct vxlan_opts o = h_opts(200, 4789);
	struct mac me = t_mac(T_ME);

	(void)state;
	for (int is6 = 0; is6 < 2; is6++) {
		struct vxlan_opts o1 = h_opts(100, 4789);
		struct fdb_req q = {.mac = t_mac(MAC_A), .state = PERM, .nl_flags = ADD,
				    .has_dst = true, .has_vni = true, .vni = 200};
		struct dev_stats st;
		const struct t_frame *f;
		struct fdb_entry *e;
		struct fdb_view v;
		struct dev *d2;
		uint8_t b[256];
		uint32_t len;

		o1.local = o.local = t_addr(is6 ? "fd00::1" : "10.0.0.1");
		q.dst = t_addr(is6 ? "fd00::2" : "10.0.0.2");
		make(&o1, VXA_BIT(VXA_LOCAL));
		H.route.type = DST_LOCAL;
		assert_int_equal(vx->ops->fdb_add(vx, &q, NULL), 0);
		/* Nobody has the VNI. */
		send_frame(IP4, 0, MAC_A);
		expect_drop("bypass", DROP_bypass_no_device, 1);
		expect_stats("bypass", &(struct dev_stats){.tx_errors = 1});
		d2 = h_vxlan(&H, "vx2", &o, VXA_BIT(VXA_LOCAL));
		/* Whole frames count, on both; learnt from the loopback address. */
		len = frame(b, IP4, 0, MAC_A);
		h_send(&H, vx, b, len, 0);
		expect_stats("bypass", &(struct dev_stats){.tx_errors = 1, .tx_packets = 1,
							   .tx_bytes = 74});
		st = h_stats(d2);
		assert_true(st.rx_packets == 1 && st.rx_bytes == 74);
		assert_null(h_sent(&H));
		f = h_got(&H);
		assert_non_null(f);
		assert_ptr_equal(H.in_dev[0], d2);
		assert_int_equal(f->len, len);
		assert_memory_equal(f->b, b, len);
		e = fdb_find(&vxlan_dev(d2)->fdb, &me, 200);
		assert_non_null(e);
		fdb_view_of(&vxlan_dev(d2)->fdb, e, 0, &v);
		assert_true(ip_is_loopback(&v.dst) && ip_is4(&v.dst) == !is6);
		/* That device is down: nobody has the VNI. */
		assert_int_equal(dev_change_flags(d2, false, NULL), 0);
		h_send(&H, vx, b, len, 0);
		assert_int_equal(h_stats(vx).tx_errors, 2);
		done();
	}
}

/* 3.5-7. */
static void no_bypass(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	struct fdb_req q = {.mac = t_mac(MAC_A), .state = PERM, .nl_flags = ADD, .has_dst = true,
			    .dst = t_addr("10.0.0.2"), .has_port = true, .port = 5000};
	struct dev *d2;

	(void)state;
	o.localbypass = false;
	make(&o, VXA_BIT(VXA_LOCALBYPASS));
	H.route.type = DST_LOCAL;
	add(MAC_A, "10.0.0.2");
	send_frame(IP4, 0, MAC_A);
	assert_string_equal(went(), ".2");
	expect_stats("nolocalbypass", SENT(1, 60));
	done();
	make(NULL, 0); /* a remote on another port: the socket there is asked */
	H.route.type = DST_LOCAL;
	assert_int_equal(vx->ops->fdb_add(vx, &q, NULL), 0);
	send_frame(IP4, 0, MAC_A);
	expect_drop("other port", DROP_bypass_no_device, 1);
	o = h_opts(100, 5000);
	d2 = h_vxlan(&H, "vx2", &o, 0);
	send_frame(IP4, 0, MAC_A);
	assert_int_equal(h_stats(d2).rx_packets, 1);
	assert_null(h_sent(&H));
	done();
}

/* 3.5-7: the sender itself may have the VNI. */
static void bypass_to_oneself(void **state)
{
	(void)state;
	make(NULL, 0);
	H.route.type = DST_LOCAL;
	add(MAC_A, "10.0.0.2");
	send_frame(IP4, 0, MAC_A);
	expect_stats("self", &(struct dev_stats){.tx_packets = 1, .tx_bytes = 74, .rx_packets = 1,
						 .rx_bytes = 74});
	done();
}

/* --- 3.6: source port -------------------------------------------------------------------------------- */

static uint16_t port_of(uint8_t *f, uint32_t len)
{
	const struct h_sent *s;

	h_send(&H, vx, f, len, 0);
	s = h_sent(&H);
	assert_non_null(s);
	return s->flow.sport;
}

/* 3.6-range (MAX included, section 12), 3.6-hash. */
static void source_ports(void **state)
{
	static const struct {
		uint16_t low, high, want_low, want_high;
		uint32_t all; /* so many different ones are seen */
	} rows[] = {
		{0, 0, 32768, 60999, 400},    {5000, 5003, 5000, 5003, 4}, {5000, 5001, 5000, 5001, 2},
		{5000, 5000, 5000, 5000, 1}, {0, 3, 0, 3, 4},		   {65534, 65535, 65534, 65535, 2},
		{0, 65535, 0, 65535, 400},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static bool seen[65536];
		struct vxlan_opts o = h_opts(100, 4789);
		uint32_t n = 0;

		memset(seen, 0, sizeof(seen));
		o.srcport = (struct attr_range){rows[i].low, rows[i].high};
		make(&o, VXA_BIT(VXA_SRCPORT));
		add(MAC_Z, "10.0.0.2");
		for (int k = 0; k < 500; k++) {
			uint8_t f[256], back[256];
			char ip[20];
			struct t_ip q = {.smac = T_ME, .dmac = MAC_A, .src = "192.168.0.1", .dst = ip};
			uint32_t len;
			uint16_t p;

			snprintf(ip, sizeof(ip), "192.168.1.%d", k % 250 + 1);
			len = t_udp(f, &q, (uint16_t)(1000 + k), 53);
			p = port_of(f, len);
			assert_true(p >= rows[i].want_low && p <= rows[i].want_high);
			assert_int_equal(p, port_of(f, len)); /* stable */
			q = (struct t_ip){.smac = MAC_A, .dmac = T_ME, .src = ip,
					  .dst = "192.168.0.1", .ttl = 3, .tos = 4};
			len = t_udp(back, &q, 53, (uint16_t)(1000 + k));
			assert_int_equal(p, port_of(back, len)); /* either direction */
			n += !seen[p];
			seen[p] = true;
		}
		if (n < rows[i].all)
			fail_msg("row %zu: %u ports", i, n);
		assert_int_equal(H.last_route.sport_min, rows[i].want_low);
		assert_int_equal(H.last_route.sport_max, rows[i].want_high);
		done();
	}
}

/* A hash that somebody computed before is taken: its bits are spread over the range. */
static void known_hash_is_used(void **state)
{
	uint8_t f[256];
	uint32_t len;
	struct worker *w;
	struct batch b;
	struct pkt *k;

	(void)state;
	make(NULL, 0);
	add(MAC_Z, "10.0.0.2");
	w = H.t->vx->workers[0];
	len = frame(f, IP4, 0, MAC_A);
	k = pkt_make(w, len);
	memcpy(pkt_append(k, len), f, len);
	k->hash = 0x80000000;
	batch_init(&b);
	batch_add(&b, k);
	dev_queue_xmit(w, vx, &b);
	assert_int_equal(h_sent(&H)->flow.sport, 32768 + (60999 - 32768 + 1) / 2);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets),	     cmocka_unit_test(moves_used),
		cmocka_unit_test(bytes),	     cmocka_unit_test(flows),
		cmocka_unit_test(remote_parts),	     cmocka_unit_test(counted_lengths),
		cmocka_unit_test(super_frame),	     cmocka_unit_test(failures),
		cmocka_unit_test(one_of_many),	     cmocka_unit_test(route_is_kept),
		cmocka_unit_test(bypass),	     cmocka_unit_test(no_bypass),
		cmocka_unit_test(bypass_to_oneself), cmocka_unit_test(source_ports),
		cmocka_unit_test(known_hash_is_used),
		cmocka_unit_test(copies_that_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
