/* SPDX-License-Identifier: Apache-2.0 */
/*
 * External devices (vxlan.md 2.8, 3.1 step 1, 3.5 column "tunnel-info", 1.6 and 1.7): what a packet
 * says of its tunnel when it comes, and where it goes when it brings one.
 */
#include "vxlan/testing.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <sys/socket.h>

#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/vxlan.h"

static struct h_host H;
static struct dev *ext;

/* Stands for the port of a datapath: keeps what comes. */
static struct seen {
	uint32_t n, len;
	bool has_tun;
	struct tun_info tun;
	struct dev *dev;
} S;

static enum rx_result look(struct worker *w, struct dev *d, struct pkt *p)
{
	S.n++;
	S.len = pkt_total(p);
	S.has_tun = p->has_tun;
	S.tun = p->tun;
	S.dev = d;
	pkt_consume(w, p);
	return RX_CONSUMED;
}

static struct vxlan_opts external(void)
{
	struct vxlan_opts o = h_opts(0, 4789);

	o.external = true;
	o.learning = false;
	return o;
}

static void make(bool learning)
{
	struct vxlan_opts o = external();

	h_init(&H);
	o.learning = learning;
	ext = h_vxlan(&H, "vxlan_sys_4789", &o, VXA_BIT(VXA_EXTERNAL));
	assert_int_equal(dev_set_rx_handler(ext, look), 0);
	S = (struct seen){0};
}

static void end(void)
{
	dev_set_rx_handler(ext, NULL);
	h_end(&H);
}

/* VXLAN header and a frame of ARP's type. */
static uint32_t payload(uint8_t *b, uint32_t vni)
{
	struct eth_hdr *eth = (struct eth_hdr *)(b + 8);

	h_vxlan_hdr(b, VXLAN_F_VNI, vni << 8);
	*eth = (struct eth_hdr){.dst = t_mac("02:00:00:00:00:98"), .src = t_mac("02:00:00:00:00:99"),
				.type = be16_put(0x1234)};
	memset(b + 22, 7, 40);
	return 62;
}

static void arrives(void **state)
{
	static const uint32_t vni[] = {0, 1, 100, VNI_MAX};
	uint8_t b[100];

	(void)state;
	make(false);
	for (uint32_t i = 0; i < 8; i++) {
		bool is6 = i % 2;

		S.n = 0;
		h_datagram(&H, is6 ? AF_INET6 : AF_INET, 4789, is6 ? "fd00::9" : "10.0.0.9", 0xb8, b,
			   payload(b, vni[i / 2]));
		assert_int_equal(S.n, 1);
		assert_ptr_equal(S.dev, ext);
		assert_int_equal(S.len, 40);
		assert_true(S.has_tun && S.tun.has_key && !S.tun.is_tx);
		assert_int_equal(S.tun.id, vni[i / 2]);
		assert_true(ip_eq(&S.tun.src, &(struct ip_addr[]){t_addr(is6 ? "fd00::9" : "10.0.0.9")}[0]));
		assert_int_equal(S.tun.tos, 0xb8);
		assert_int_equal(S.tun.dport, 4789);
	}
	assert_int_equal(h_stats(ext).rx_packets, 8);
	assert_int_equal(h_fdb(ext, 0, "02:00:00:00:00:99", NULL, 0, 0, NULL), -EINVAL); /* no dst */
	end();
}

/* A plain device's packets bring nothing with them. */
static void plain_has_none(void **state)
{
	struct vxlan_opts o = h_opts(100, 4789);
	uint8_t b[100];

	(void)state;
	h_init(&H);
	ext = h_vxlan(&H, "vx", &o, 0);
	assert_int_equal(dev_set_rx_handler(ext, look), 0);
	S = (struct seen){.has_tun = true};
	h_datagram(&H, AF_INET, 4789, "10.0.0.9", 0, b, payload(b, 100));
	assert_true(S.n == 1 && !S.has_tun);
	end();
}

static int count_entry(void *ctx, const struct fdb_view *v)
{
	uint32_t *seen = ctx;

	seen[v->src_vni == 5 ? 0 : v->src_vni == 6 ? 1 : 2]++;
	return 0;
}

/* Statement 71, and 2.8: one MAC in two networks is two entries. */
static void learns_per_vni(void **state)
{
	struct fdb_req r = {.mac = t_mac("02:00:00:00:00:99"), .nl_flags = 0x400 | 0x200 /* create, excl */,
			    .state = FDB_PERMANENT, .flags = NTF_SELF, .has_dst = true,
			    .dst = t_addr("10.0.0.3"), .has_src_vni = true, .src_vni = 7};
	struct vx_err err = {0};
	uint32_t n[3] = {0};
	uint8_t b[100];

	(void)state;
	make(true);
	h_datagram(&H, AF_INET, 4789, "10.0.0.9", 0, b, payload(b, 5));
	h_datagram(&H, AF_INET6, 4789, "fd00::9", 0, b, payload(b, 6));
	ext->ops->fdb_dump(ext, count_entry, n);
	assert_true(n[0] == 1 && n[1] == 1 && n[2] == 0);
	assert_int_equal(ext->ops->fdb_add(ext, &r, &err), 0);
	r.src_vni = 8;
	assert_int_equal(ext->ops->fdb_add(ext, &r, &err), 0);
	r.has_src_vni = false;
	assert_int_equal(ext->ops->fdb_del(ext, &r, &err), -ENOENT);
	memset(n, 0, sizeof(n));
	ext->ops->fdb_dump(ext, count_entry, n);
	assert_int_equal(n[2], 2);
	end();
}

/* --- transmit ------------------------------------------------------------------------------------- */

static uint32_t frame(uint8_t *f, bool is6, uint8_t tos)
{
	struct t_ip ip = {.src = is6 ? "fd09::1" : "192.168.9.1", .proto = 17, .tos = tos, .ttl = 9,
			  .dst = is6 ? "fd09::2" : "192.168.9.2", .data = "0123456789", .len = 10};

	return t_ip(f, &ip);
}

static void give(const uint8_t *f, uint32_t len, const struct tun_info *tun)
{
	struct worker *w = H.t->vx->workers[0];
	struct pkt *p = t_pkt(w, f, len, 0);
	struct batch b = {.n = 1, .p = {p}};

	w->acct.made++;
	p->has_tun = tun != NULL;
	if (tun)
		p->tun = *tun;
	dev_queue_xmit(w, ext, &b);
	t_turn(H.t);
}

/* Each field, from the information alone. */
static const struct {
	const char *row, *dst, *src;
	uint64_t id;
	uint16_t port;
	uint8_t tos, ttl, inner_tos, want_tos;
	bool df, csum, inner6;
	uint32_t label;
} row[] = {
	{"IPv4", "10.0.0.2", "10.0.0.1", 100, 0, 0, 64, 0, 0, false, false, false, 0},
	{"IPv6", "fd00::2", "fd00::1", 100, 0, 0, 64, 0, 0, false, false, false, 0},
	{"source left open", "10.0.0.2", NULL, 1, 0, 0, 64, 0, 0, false, false, false, 0},
	{"port", "10.0.0.2", NULL, 1, 8472, 0, 64, 0, 0, false, false, false, 0},
	{"VNI has 24 bits", "10.0.0.2", NULL, 0xffffff, 0, 0, 64, 0, 0, false, false, false, 0},
	{"VNI 0", "10.0.0.2", NULL, 0, 0, 0, 64, 0, 0, false, false, false, 0},
	{"ttl", "10.0.0.2", NULL, 1, 0, 0, 44, 0, 0, false, false, false, 0},
	{"ttl 0 is the route's", "10.0.0.2", NULL, 1, 0, 0, 0, 0, 0, false, false, false, 0},
	{"tos", "10.0.0.2", NULL, 1, 0, 0xb8, 64, 0, 0xb8, false, false, false, 0},
	{"ECN is the inner frame's", "10.0.0.2", NULL, 1, 0, 0xbb, 64, 1, 0xb9, false, false, false, 0},
	{"CE goes out as ECT(0)", "10.0.0.2", NULL, 1, 0, 0, 64, 3, 2, false, false, false, 0},
	{"DF", "10.0.0.2", NULL, 1, 0, 0, 64, 0, 0, true, false, false, 0},
	{"DF is IPv4's", "fd00::2", NULL, 1, 0, 0, 64, 0, 0, true, false, false, 0},
	{"checksum", "10.0.0.2", NULL, 1, 0, 0, 64, 0, 0, false, true, false, 0},
	{"checksum, IPv6", "fd00::2", NULL, 1, 0, 0, 64, 0, 0, false, true, false, 0},
	{"label", "fd00::2", NULL, 1, 0, 0, 64, 0, 0, false, false, false, 0xabcde},
	{"IPv6 in IPv4", "10.0.0.2", NULL, 1, 0, 4, 64, 2, 6, false, false, true, 0},
};

static void leaves(void **state)
{
	uint8_t f[T_FRAME_MAX];

	(void)state;
	make(false);
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct tun_info t = {.dst = t_addr(row[i].dst), .id = row[i].id, .dport = row[i].port,
				     .tos = row[i].tos, .ttl = row[i].ttl, .df = row[i].df,
				     .has_csum = row[i].csum, .has_key = true, .is_tx = true,
				     .label = row[i].label};
		uint32_t len = frame(f, row[i].inner6, row[i].inner_tos);
		const struct h_sent *s;
		bool is6 = !ip_is4(&t.dst);

		if (row[i].src)
			t.src = t_addr(row[i].src);
		give(f, len, &t);
		s = h_sent(&H);
		if (!s)
			fail_msg("%s: nothing was sent", row[i].row);
		if (!ip_eq(&s->flow.dst, &t.dst) || !ip_eq(&s->flow.src, &t.src) ||
		    s->flow.dport != (row[i].port ? row[i].port : 4789) ||
		    s->flow.tos != row[i].want_tos || s->flow.ttl != row[i].ttl ||
		    s->flow.df != (row[i].df && !is6) || s->flow.csum != row[i].csum ||
		    s->flow.label != row[i].label || s->flow.sport < 32768 || s->flow.sport > 60999 ||
		    s->len != len + 8 || memcmp(s->b + 8, f, len) ||
		    be32_get(((const struct vxlan_hdr *)s->b)->flags) != VXLAN_F_VNI ||
		    vxlan_hdr_vni((const struct vxlan_hdr *)s->b).v != row[i].id)
			fail_msg("%s: sent otherwise", row[i].row);
		assert_null(h_sent(&H));
	}
	assert_int_equal(h_stats(ext).tx_packets, ARRAY_LEN(row));
	end();
}

/* Statement 97: without information, or with what came in, nothing is sent and nothing counts. */
static void no_information(void **state)
{
	struct tun_info in = {.dst = t_addr("10.0.0.1"), .src = t_addr("10.0.0.2"), .id = 5, .has_key = true};
	struct dev_stats zero = {0}, st;
	uint8_t f[T_FRAME_MAX];
	uint32_t len = frame(f, false, 0);

	(void)state;
	make(false);
	t_mark(H.t);
	give(f, len, NULL);
	give(f, len, &in);
	assert_int_equal(t_dropped(H.t, DROP_no_tunnel_info), 2);
	st = h_stats(ext);
	assert_memory_equal(&st, &zero, sizeof(st));
	assert_null(h_sent(&H));
	end();
}

static void failures(void **state)
{
	struct tun_info t = {.id = 5, .has_key = true, .is_tx = true};
	uint8_t f[T_FRAME_MAX];
	uint32_t len = frame(f, false, 0);

	(void)state;
	make(false);
	t_mark(H.t);
	give(f, len, &t);
	assert_int_equal(t_dropped(H.t, DROP_dst_any), 1);
	assert_int_equal(h_stats(ext).tx_dropped, 1);
	t.dst = t_addr("10.0.0.2");
	f[15] = 0;
	give(f, 20, &t); /* IPv4 by its type, cut */
	assert_int_equal(t_dropped(H.t, DROP_pkt_too_small), 1);
	assert_int_equal(h_stats(ext).tx_dropped, 2);
	H.route_err = -ENETUNREACH;
	give(f, len, &t);
	give(f, len, &t); /* the refusal is remembered */
	assert_int_equal(t_dropped(H.t, DROP_tunnel_no_route), 2);
	assert_int_equal(h_stats(ext).tx_errors, 2);
	assert_int_equal(h_stats(ext).tx_carrier_errors, 2);
	H.route_err = 0;
	H.generation++;
	H.route.ifindex = ext->ifindex;
	give(f, len, &t);
	assert_int_equal(t_dropped(H.t, DROP_tunnel_loop), 1);
	assert_int_equal(h_stats(ext).collisions, 1);
	H.route.ifindex = 2;
	end();
}

/* D2: a route is asked for once, and again when routes, TOS, mark or source are others. */
static void routes_are_kept(void **state)
{
	struct tun_info t = {.dst = t_addr("10.0.0.2"), .id = 5, .has_key = true, .is_tx = true};
	uint8_t f[T_FRAME_MAX];
	uint32_t len = frame(f, false, 0), n;

	(void)state;
	make(false);
	give(f, len, &t);
	n = H.n_routes;
	give(f, len, &t);
	t.id = 6;
	give(f, len, &t);
	assert_int_equal(H.n_routes, n);
	t.tos = 0x20;
	give(f, len, &t);
	assert_int_equal(H.n_routes, n + 1);
	t.src = t_addr("10.0.0.1");
	give(f, len, &t);
	assert_int_equal(H.n_routes, n + 2);
	H.generation++;
	give(f, len, &t);
	assert_int_equal(H.n_routes, n + 3);
	while (h_sent(&H))
		;
	end();
}

/* A flood to a thousand remotes, again and again: nearly all of their routes are kept. */
static void many_routes_are_kept(void **state)
{
	struct tun_info t = {.id = 5, .has_key = true, .is_tx = true};
	uint8_t f[T_FRAME_MAX];
	uint32_t len = frame(f, false, 0), n = 0;

	(void)state;
	make(false);
	for (uint32_t i = 0; i < 3000; i++) {
		if (i == 1000)
			n = H.n_routes;
		t.dst = ip_from4(be32_put(0x0a010000 + i % 1000));
		give(f, len, &t);
		assert_true(h_sent(&H));
	}
	assert_int_equal(n, 1000);
	assert_in_range(H.n_routes, n, n + 200);
	end();
}

/* --- devices and sockets --------------------------------------------------------------------------- */

static uint32_t n_open(void)
{
	uint32_t n = 0;

	for (int i = 0; i < H_SOCKS; i++)
		n += H.sock[i].open;
	return n;
}

static int up_with(const char *name, const struct vxlan_opts *o, uint64_t present, struct vx_err *err)
{
	struct dev *d;
	int r;

	*err = (struct vx_err){0};
	r = h_try(&H, name, o, present, err, &d);
	return r;
}

/* 1.6, 1.7; vxlan.md 12: the second external device on a port does not come up. */
static void sockets(void **state)
{
	struct vxlan_opts o = external();
	struct vx_err err;

	(void)state;
	make(false);
	assert_int_equal(n_open(), 2);
	assert_int_equal(up_with("x2", &o, VXA_BIT(VXA_EXTERNAL), &err), -EEXIST);
	o.local = t_addr("fd00::1");
	assert_int_equal(up_with("x2", &o, VXA_BIT(VXA_EXTERNAL), &err), -EADDRINUSE);
	assert_string_equal(err.text, "another external device has UDP port 4789");
	o = h_opts(0, 4789);
	assert_int_equal(up_with("plain", &o, 0, &err), -EADDRINUSE);
	o = external();
	o.dstport = 8472;
	assert_int_equal(up_with("x3", &o, VXA_BIT(VXA_EXTERNAL), &err), 0);
	assert_int_equal(n_open(), 4);
	assert_int_equal(dev_change_flags(ext, false, NULL), 0);
	assert_int_equal(n_open(), 2);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrives),	 cmocka_unit_test(plain_has_none),
		cmocka_unit_test(learns_per_vni), cmocka_unit_test(leaves),
		cmocka_unit_test(no_information), cmocka_unit_test(failures),
		cmocka_unit_test(routes_are_kept), cmocka_unit_test(many_routes_are_kept),
		cmocka_unit_test(sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
