/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open vSwitch bridges with packets, end to end: two struct vx, each with a bridge, a port in
 * memory and VXLAN ports, a cable between their underlays.
 */
#include "net/testing.h"

#include <errno.h>
#include <stdio.h>

#include "bridge/bridge.h"
#include "bridge/options.h"
#include "datapath/format.h"
#include "net/link.h"
#include "ofproto/dpif.h"
#include "ofproto/testing.h"
#include "pkt/note.h"
#include "vxlan/testing.h"
#include "wire/eth.h"

struct host {
	struct t_net *t;
	struct t_port *up, *port;
	struct ofproto *br;
	uint16_t vx1;
};

static struct host A, B;
static uint8_t F[T_FRAME_MAX];

static uint16_t add_port(struct ofproto *br, const struct ofproto_port_cfg *cfg)
{
	struct bundle_cfg b = {.n_ports = 1, .tag = -1, .name = cfg->name};
	struct vx_err err = {0};
	uint16_t no;
	int r = ofproto_port_add(br, cfg, &no, &err);

	if (r < 0)
		fail_msg("%s: %d %s", cfg->name, r, err.text);
	b.ports = &no;
	assert_int_equal(ofproto_bundle_set(br, (void *)(uintptr_t)no, &b), 0);
	return no;
}

static uint16_t add_vxlan(struct ofproto *br, const char *name, const char *remote, uint32_t key)
{
	struct ofproto_port_cfg c = {.name = name,
				     .type = "vxlan",
				     .tun = {.remote = t_addr(remote),
					     .in_key_present = true,
					     .out_key_present = true,
					     .in_key = key,
					     .out_key = key,
					     .dst_port = 4789,
					     .ttl = 64,
					     .df_default = true}};

	return add_port(br, &c);
}

static void make_host(struct host *h, int me, int her)
{
	char mac[24], addr[24];

	*h = (struct host){.t = t_new()};
	assert_int_equal(dp_init_module(h->t->vx), 0);
	assert_int_equal(vxlan_init_module(h->t->vx), 0);
	snprintf(mac, sizeof(mac), "02:00:00:00:00:%02x", me);
	snprintf(addr, sizeof(addr), "10.0.0.%d/24", me);
	h->up = t_add_port(h->t, "up0", mac, addr);
	h->port = t_add_port(h->t, "h0", "02:00:00:00:01:01", NULL);
	assert_int_equal(o_create(h->t->vx, "br0", "", NULL, &h->br), 0);
	add_port(h->br, &(struct ofproto_port_cfg){.name = "h0", .type = "system"});
	snprintf(addr, sizeof(addr), "10.0.0.%d", her);
	h->vx1 = add_vxlan(h->br, "vx1", addr, 100);
}

static void run_both(void)
{
	for (int i = 0; i < 10; i++) {
		t_turn(A.t);
		t_turn(B.t);
	}
}

static int setup(void **state)
{
	(void)state;
	make_host(&A, 1, 2);
	make_host(&B, 2, 1);
	t_join(A.up, B.up);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ofproto_destroy(A.br, true);
	ofproto_destroy(B.br, true);
	assert_null(dev_by_name(A.t->vx, "vxlan_sys_4789"));
	assert_null(dev_by_name(A.t->vx, "ovs-system"));
	t_end(A.t);
	t_end(B.t);
	return 0;
}

static uint32_t frame(const char *smac, const char *dmac)
{
	struct t_ip ip = {.smac = smac,
			  .dmac = dmac,
			  .src = "192.168.9.1",
			  .dst = "192.168.9.2",
			  .proto = 17,
			  .data = "0123456789",
			  .len = 10};

	return t_ip(F, &ip);
}

/* From h0 of one to h0 of the other. */
static void cross(struct host *from, struct host *to, const char *smac, const char *dmac)
{
	uint32_t len = frame(smac, dmac);
	const struct t_frame *f;

	t_inject(from->port, F, len);
	run_both();
	f = t_out(to->port);
	assert_non_null(f);
	assert_int_equal(f->len, len);
	assert_memory_equal(f->b, F, len);
}

static uint32_t n_flows(struct host *h)
{
	uint32_t flows, masks;

	table_count(ofproto_dpif(h->br)->table, &flows, &masks);
	return flows;
}

static void end_to_end(void **state)
{
	struct dp_stats st;

	(void)state;
	cross(&A, &B, "02:00:00:00:0a:01", "02:00:00:00:0b:01");
	cross(&B, &A, "02:00:00:00:0b:01", "02:00:00:00:0a:01");
	assert_int_equal(n_flows(&A), 2);
	assert_int_equal(n_flows(&B), 2);
	/* From the second on no flow is missed. */
	dp_sum_stats(ofproto_dpif(A.br)->dp, &st);
	assert_int_equal(st.missed, 2);
	cross(&A, &B, "02:00:00:00:0a:01", "02:00:00:00:0b:01");
	dp_sum_stats(ofproto_dpif(A.br)->dp, &st);
	assert_int_equal(st.missed, 2);
	assert_int_equal(st.hit, 1);
}

/* --- what the datapath refuses, and that all is undone -------------------------------------------
 */

static uint32_t n_devs(struct host *h)
{
	uint32_t n = 0;

	list_for_each (d, &h->t->vx->devs, struct dev, node)
		n++;
	return n;
}

static int try_vxlan(struct ofproto *br, const char *name, uint16_t udp, bool gbp,
		     struct vx_err *err)
{
	struct ofproto_port_cfg c = {
		.name = name,
		.type = "vxlan",
		.tun = {.remote = t_addr("10.0.0.9"), .dst_port = udp, .ttl = 64, .gbp = gbp}};
	uint16_t no;

	*err = (struct vx_err){0};
	return ofproto_port_add(br, &c, &no, err);
}

static void device(void **state)
{
	struct dev *d = dev_by_name(A.t->vx, "vxlan_sys_4789");
	struct dev *br0 = dev_by_name(A.t->vx, "br0");
	struct vxlan_opts o;

	(void)state;
	d->type->fill_info(d, &o);
	assert_true(o.external && !o.learning && o.udp6zerocsumrx && o.dstport == 4789 && !o.gbp);
	assert_int_equal(d->mtu, 65000);
	assert_true(dev_is_up(d) && d->link_flags & DEV_NOHOST && d->owner == OWNER_OVSDB);
	assert_int_equal(d->promiscuity, 1);
	assert_string_equal(d->master->name, "ovs-system");
	assert_string_equal(br0->type->kind, "openvswitch");
	assert_true(!dev_is_up(br0) && br0->promiscuity == 1 && !br0->master &&
		    br0->owner == OWNER_OVSDB);
}

static void refusals(void **state)
{
	struct ofproto_port_cfg none = {.name = "nobody"};
	struct link_cfg cfg = {
		.name = "plain", .has_up = true, .up = true, .nohost = true, .has_nohost = true};
	struct ofproto *net;
	struct vxlan_opts o;
	struct vx_err err;
	uint32_t n = n_devs(&A);
	uint16_t no;

	(void)state;
	assert_int_equal(ofproto_port_add(A.br, &none, &no, &err), -ENODEV);
	assert_int_equal(n_devs(&A), n);
	none = (struct ofproto_port_cfg){.name = "h0"}; /* is a port already */
	assert_int_equal(ofproto_port_add(A.br, &none, &no, &err), -EEXIST);
	/* UDP port: another datapath's, a plain device's (11.1). */
	assert_int_equal(o_create(A.t->vx, "net0", "netdev", NULL, &net), 0);
	assert_non_null(dev_by_name(A.t->vx, "ovs-netdev"));
	assert_int_equal(try_vxlan(net, "v", 4789, false, &err), -EADDRINUSE);
	none = (struct ofproto_port_cfg){.name = "h0"};
	assert_int_equal(ofproto_port_add(net, &none, &no, &err), -EBUSY);
	ofproto_destroy(net, true);
	assert_int_equal(n_devs(&A), n);
	attr_defaults(&vxlan_attrs, &o);
	o.id = 5;
	o.dstport = 8472;
	assert_int_equal(link_newlink(A.t->vx, link_type_find(A.t->vx, "vxlan"), &cfg, &o,
				      VXA_BIT(VXA_ID) | VXA_BIT(VXA_DSTPORT), &err, NULL),
			 0);
	assert_int_equal(try_vxlan(A.br, "v", 8472, false, &err), -EADDRINUSE);
	assert_null(dev_by_name(A.t->vx, "vxlan_sys_8472"));
	assert_int_equal(ofproto_port_find(A.br, "v"), OFPORT_NONE);
	/* A bridge whose local port cannot be. */
	assert_int_equal(o_create(A.t->vx, "plain", "netdev", NULL, &net), -EINVAL);
	assert_null(dev_by_name(A.t->vx, "ovs-netdev"));
	link_dellink(dev_by_name(A.t->vx, "plain"), false);
	assert_int_equal(n_devs(&A), n);
	/* When the holder is gone, it works. */
	assert_int_equal(try_vxlan(A.br, "v", 8472, false, &err), 0);
	assert_int_equal(n_devs(&A), n + 1);
}

/* Statement 86: a port's device is removed under way. */
static void device_goes(void **state)
{
	struct ofproto_port_view v;

	(void)state;
	cross(&A, &B, "02:00:00:00:0a:01", "02:00:00:00:0b:01");
	link_dellink(A.port->dev, false);
	assert_true(ofproto_port_get(A.br, 1, &v));
	assert_true(v.gone && v.dp_port == DP_PORT_NONE && !v.dev);
	assert_int_equal(n_flows(&A), 0);
	/* B sends on: nowhere but to the local port, which is in no bundle. */
	t_mark(A.t);
	t_inject(B.port, F, frame("02:00:00:00:0b:01", "02:00:00:00:0a:01"));
	run_both();
	assert_int_equal(t_dropped(A.t, DROP_normal_no_port), 1);
	assert_int_equal(ofproto_port_del(A.br, 1, true), 0);
}

/* --- tunnels with packets ------------------------------------------------------------------------
 */

/* Statement 83; and 11.20: what is known of a device is the device's. */
static void statistics(void **state)
{
	struct ofproto_port_stats st;

	(void)state;
	for (int i = 0; i < 3; i++)
		cross(&A, &B, "02:00:00:00:0a:01", "02:00:00:00:0b:01");
	for (int i = 0; i < 10; i++) {
		t_advance(A.t, NS_PER_S / 10);
		t_advance(B.t, NS_PER_S / 10);
		ofproto_run(A.br, A.t->now);
		ofproto_run(B.br, B.t->now);
	}
	assert_int_equal(ofproto_port_stats(A.br, A.vx1, &st), 0);
	assert_true(st.only_counts && st.tx_packets == 3 && st.tx_bytes == 3 * frame(NULL, NULL));
	assert_true(!st.rx_packets && !st.rx_bytes);
	assert_int_equal(ofproto_port_stats(B.br, B.vx1, &st), 0);
	assert_true(st.rx_packets == 3 && st.rx_bytes == 3 * frame(NULL, NULL) && !st.tx_packets);
	assert_int_equal(ofproto_port_stats(B.br, 1, &st), 0);
	assert_true(!st.only_counts && st.tx_packets == 3 && st.dev.tx_packets == 3);
	assert_int_equal(ofproto_port_stats(B.br, 99, &st), -ENOENT);
	assert_true(ofproto_wait(A.br, A.t->now) > A.t->now);
}

/* Spec 5.2, 11.9: vx's own stack sees DF and checksum of the outer packet, so each kind has a flow.
 */
static void outer_flags(void **state)
{
	static const struct {
		bool df, csum;
		uint8_t tos;
		const char *tunnel;
	} rows[] = {
		{true, false, 0, "flags(+df-csum+key)"},
		{false, false, 0, "flags(-df-csum+key)"},
		{true, true, 0xb8, "tos=0xb8,flags(+df+csum+key)"},
		{false, true, 0, "flags(-df+csum+key)"},
	};
	struct ofproto_port_cfg c = {.name = "vx1", .type = "vxlan"};
	char want[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		c.tun = o_tun("10.0.0.2", 100);
		c.tun.df_default = rows[i].df;
		c.tun.csum = rows[i].csum ? TUNNEL_CSUM_ON : TUNNEL_CSUM_OFF;
		c.tun.tos = rows[i].tos;
		assert_int_equal(ofproto_port_reconfigure(A.br, A.vx1, &c, NULL), 0);
		table_flush(ofproto_dpif(A.br)->table);
		cross(&A, &B, "02:00:00:00:0a:01", "02:00:00:00:0b:01");
		snprintf(want, sizeof(want), "tunnel(tun_id=0x64,src=10.0.0.1,dst=10.0.0.2,%s),",
			 rows[i].tunnel);
		if (strncmp(o_flow(ofproto_dpif(B.br)), want, strlen(want)) != 0)
			fail_msg("%s: %s", rows[i].tunnel, o_flow(ofproto_dpif(B.br)));
		table_flush(ofproto_dpif(B.br)->table);
	}
}

/* Statements 46 and 47, on the underlay where vx itself sees the outer packet: dropped and counted.
 */
static void broken(void **state)
{
	static const struct {
		const char *row;
		uint32_t word0, low;
		uint8_t outer_ecn;
		bool bad_csum;
		enum drop why;
	} rows[] = {
		{"good", 0x08000000, 0, 0, false, DROP_NONE},
		{"no I flag", 0, 0, 0, false, DROP_vxlan_no_i_flag},
		{"G flag", 0x88000000, 0, 0, false, DROP_vxlan_reserved_bits},
		{"reserved flag", 0x0c000000, 0, 0, false, DROP_vxlan_reserved_bits},
		{"reserved byte", 0x08000000, 1, 0, false, DROP_vxlan_reserved_bits},
		{"bad checksum", 0x08000000, 0, 0, true, DROP_udp_csum},
		{"CE around Not-ECT", 0x08000000, 0, 3, false, DROP_ecn_not_ect},
		{"ECT around Not-ECT", 0x08000000, 0, 2, false, DROP_NONE},
	};
	static uint8_t f[T_FRAME_MAX], b[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dev_stats st, before = h_stats(dev_by_name(B.t->vx, "vxlan_sys_4789"));
		uint32_t n = frame("02:00:00:00:0a:01", "02:00:00:00:0b:01"), len;
		struct t_ip ip = {.smac = "02:00:00:00:00:01",
				  .dmac = "02:00:00:00:00:02",
				  .src = "10.0.0.1",
				  .dst = "10.0.0.2",
				  .tos = rows[i].outer_ecn,
				  .data = b,
				  .len = 8 + n};

		h_vxlan_hdr(b, rows[i].word0, 100 << 8 | rows[i].low);
		memcpy(b + 8, F, n);
		len = t_udp(f, &ip, 40000, 4789);
		if (rows[i].bad_csum)
			f[40] ^= 1;
		t_mark(B.t);
		t_inject(B.up, f, len);
		run_both();
		if (!t_out(B.port) != (rows[i].why != DROP_NONE) ||
		    (rows[i].why && t_dropped(B.t, rows[i].why) != 1))
			fail_msg("%s", rows[i].row);
		st = h_stats(dev_by_name(B.t->vx, "vxlan_sys_4789"));
		assert_int_equal(st.rx_errors - before.rx_errors,
				 rows[i].why == DROP_vxlan_reserved_bits ||
					 rows[i].why == DROP_ecn_not_ect);
		assert_int_equal(T_MOVED(B.t, UdpInCsumErrors), rows[i].why == DROP_udp_csum);
	}
}

/* 11.9: a host's socket does not, so nothing is said of them. */
static void outer_flags_of_a_socket(void **state)
{
	static const char want[] = "tunnel(tun_id=0x64,src=10.0.0.9,flags(+key)),";
	struct ofproto_port_cfg c = {.name = "vx1", .type = "vxlan", .tun = o_tun("10.0.0.9", 100)};
	static struct h_host h;
	struct ofproto *br;
	uint8_t b[8 + 200];
	uint32_t len;

	(void)state;
	h_init(&h);
	assert_int_equal(dp_init_module(h.t->vx), 0);
	t_add_port(h.t, "h0", "02:00:00:00:01:01", NULL);
	assert_int_equal(o_create(h.t->vx, "br0", "system", NULL, &br), 0);
	add_port(br, &(struct ofproto_port_cfg){.name = "h0"});
	add_port(br, &c);
	h_vxlan_hdr(b, 0x08000000, 100 << 8);
	len = frame("02:00:00:00:0a:01", "02:00:00:00:0b:01");
	memcpy(b + 8, F, len);
	h_datagram(&h, 2 /* AF_INET */, 4789, "10.0.0.9", 0, b, 8 + len);
	for (int i = 0; i < 4; i++)
		t_turn(h.t);
	if (strncmp(o_flow(ofproto_dpif(br)), want, strlen(want)) != 0)
		fail_msg("%s", o_flow(ofproto_dpif(br)));
	ofproto_destroy(br, true);
	h_end(&h);
}

/* Statements 40 and 41; 11.21. */
static void wrong_key(void **state)
{
	struct ofproto_port_cfg c = {.type = "vxlan",
				     .tun = {.remote = t_addr("10.0.0.2"),
					     .dst_port = 4789,
					     .ttl = 64,
					     .out_key_present = true,
					     .out_key = 101}};

	(void)state;
	assert_int_equal(ofproto_port_reconfigure(A.br, A.vx1, &c, NULL), 0);
	t_mark(B.t);
	for (int i = 0; i < 2; i++) {
		t_inject(A.port, F, frame("02:00:00:00:0a:01", "02:00:00:00:0b:01"));
		run_both();
	}
	assert_int_equal(t_dropped(B.t, DROP_tunnel_port_not_found), 2);
	assert_int_equal(n_flows(&B), 0);
	t_assert_silent(B.port);
	c.tun = (struct tunnel_cfg){
		.remote_flow = true, .in_key_flow = true, .dst_port = 4789, .ttl = 64};
	c.name = "vxf";
	add_port(B.br, &c);
	cross(&A, &B, "02:00:00:00:0a:01", "02:00:00:00:0b:01");
}

static void over_ip6(void **state)
{
	struct ofproto_port_cfg c = {.name = "vx6",
				     .type = "vxlan",
				     .tun = {.dst_port = 4789,
					     .ttl = 64,
					     .in_key_present = true,
					     .out_key_present = true,
					     .in_key = 6,
					     .out_key = 6}};

	(void)state;
	ofproto_port_del(A.br, A.vx1, true);
	ofproto_port_del(B.br, B.vx1, true);
	assert_null(dev_by_name(A.t->vx, "vxlan_sys_4789"));
	t_add_addr(A.up, "fd00::1/64");
	t_add_addr(B.up, "fd00::2/64");
	c.tun.remote = t_addr("fd00::2");
	add_port(A.br, &c);
	c.tun.remote = t_addr("fd00::1");
	add_port(B.br, &c);
	cross(&A, &B, "02:00:00:00:0a:01", "02:00:00:00:0b:01");
	cross(&B, &A, "02:00:00:00:0b:01", "02:00:00:00:0a:01");
}

/* What `vx explain` tells of a miss: whose port it came by, and what was known. */
static void explained(void **state)
{
	struct worker *w = A.t->vx->workers[0];
	const struct trace_step *found = NULL;
	struct text notes = {0};
	static struct trace t; /* outlives the packet, which may wait for ARP */
	struct bundle_cfg b = {.vlan_mode = VLAN_ACCESS, .tag = 10};
	uint32_t len = frame("02:00:00:00:0a:01", "02:00:00:00:0b:01");
	struct pkt *p = t_pkt(w, F, len, 0);

	(void)state;
	o_bundle(A.br, 1, b);
	t = (struct trace){.refs = 2};
	w->acct.made++;
	p->trace = &t;
	vport_receive(w, dp_port(ofproto_dpif(A.br)->dp, 2), p);
	run_both();
	for (uint32_t i = 0; i < t.n_steps; i++)
		if (t.steps[i].say == SAY_BRIDGE) {
			found = &t.steps[i];
		} else if (t.steps[i].say == SAY_NOTE) {
			assert_int_equal(t.steps[i].stage, STAGE_upcall);
			note_text(&notes, &t.steps[i]);
			text_append(&notes, ";", 1);
		}
	assert_non_null(found);
	assert_int_equal(found->stage, STAGE_upcall);
	assert_string_equal(found->maker.text, "br0");
	assert_string_equal(found->dev, "h0");
	assert_true(found->port == 1 && found->u[0] == 10 && found->u[1] == 2);
	assert_string_equal(text_get(&notes),
			    "learned that 02:00:00:00:0a:01 is on port h0 in VLAN 10;"
			    "no learned MAC for destination, flooding;");
	text_done(&notes);
}

/* --- the local port ------------------------------------------------------------------------------
 */

static void local_port(void **state)
{
	static struct h_host h;
	struct ofproto *br;
	struct t_port *p;
	struct dev *d;
	const struct t_frame *f;
	uint32_t len;

	(void)state;
	h_init(&h);
	assert_int_equal(dp_init_module(h.t->vx), 0);
	p = t_add_port(h.t, "h0", "02:00:00:00:01:01", NULL);
	assert_int_equal(o_create(h.t->vx, "br0", "system", NULL, &br), 0);
	add_port(br, &(struct ofproto_port_cfg){.name = "h0"});
	o_bundle(br, OFPORT_LOCAL, (struct bundle_cfg){.tag = -1});
	d = dev_by_name(h.t->vx, "br0");
	assert_non_null(atomic_load(&d->host));
	assert_null(atomic_load(&dev_by_name(h.t->vx, "ovs-system")->host));
	len = frame("02:00:00:00:0a:01", "02:00:00:00:0b:01");
	t_mark(h.t);
	t_inject(p, F, len); /* down */
	assert_null(h_got(&h));
	assert_int_equal(t_dropped(h.t, DROP_dev_down), 1);
	assert_int_equal(dev_change_flags(d, true, NULL), 0);
	t_inject(p, F, len);
	f = h_got(&h);
	assert_non_null(f);
	assert_int_equal(f->len, len);
	assert_memory_equal(f->b, F, len);
	len = frame("02:00:00:00:0b:01", "02:00:00:00:0a:01");
	h_send(&h, d, F, len, 0);
	f = t_out(p);
	assert_non_null(f);
	assert_memory_equal(f->b, F, len);
	/* Its interface goes: the port is gone, the bridge goes on. */
	link_dellink(d, false);
	t_inject(p, F, len);
	ofproto_destroy(br, false);
	h_end(&h);
}

/* An internal device that is a system port of another type's datapath goes with neither that port nor
 * its memory, but with its own. */
static void in_two_datapaths(void **state)
{
	struct dev *d = dev_by_name(A.t->vx, "br0");
	struct ofproto *other;
	uint16_t no;

	(void)state;
	assert_int_equal(o_create(A.t->vx, "br1", "netdev", NULL, &other), 0);
	no = add_port(other, &(struct ofproto_port_cfg){.name = "br0", .type = "system"});
	assert_int_equal(ofproto_port_del(other, no, true), 0);
	t_advance(A.t, NS_PER_S);
	t_advance(A.t, NS_PER_S);
	assert_ptr_equal(dev_by_name(A.t->vx, "br0"), d);
	add_port(other, &(struct ofproto_port_cfg){.name = "br0", .type = "system"});
	ofproto_port_del(A.br, OFPORT_LOCAL, true);
	assert_null(dev_by_name(A.t->vx, "br0"));
	ofproto_destroy(other, true);
}

/* A worker that has read the handler of a bridge's port comes to it after control made the device a port
 * of a datapath, and the other way round. */
static void handler_of_before(void **state)
{
	struct vx *vx = A.t->vx;
	struct worker *w = vx->workers[0];
	struct dev *d = t_add_port(A.t, "h1", "02:00:00:00:01:02", NULL)->dev, *br;
	struct link_cfg cfg = {.name = "b0"}, in = {.has_master = true}, out = in;
	struct bridge_opts o = {0};
	uint16_t no = 0;

	(void)state;
	assert_int_equal(bridge_init_module(vx), 0);
	attr_defaults(link_type_find(vx, "bridge")->attrs, &o);
	assert_int_equal(link_newlink(vx, link_type_find(vx, "bridge"), &cfg, &o, 0, NULL, &br), 0);
	in.master = br->ifindex;
	for (int to_bridge = 0; to_bridge < 2; to_bridge++) {
		rx_handler_fn *before;
		struct pkt *p;

		if (!to_bridge)
			assert_int_equal(link_setlink(d, &in, NULL), 0);
		before = atomic_load(&d->rx_handler);
		if (to_bridge) {
			ofproto_port_del(A.br, no, true);
			assert_int_equal(link_setlink(d, &in, NULL), 0);
		} else {
			assert_int_equal(link_setlink(d, &out, NULL), 0);
			no = add_port(A.br, &(struct ofproto_port_cfg){.name = "h1"});
		}
		assert_ptr_not_equal(before, atomic_load(&d->rx_handler));
		p = t_pkt(w, F, frame("02:00:00:00:00:aa", "02:00:00:00:00:bb"), 0);
		w->acct.made++;
		assert_true(eth_type_trans(p, d));
		assert_int_equal(before(w, d, p), RX_CONSUMED);
		t_turn(A.t);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(end_to_end),	T(device),     T(refusals),
		T(device_goes), T(statistics), T(wrong_key),
		T(over_ip6),	T(explained),  cmocka_unit_test(local_port),
		T(outer_flags), T(broken),     T(in_two_datapaths), T(handler_of_before),
		    cmocka_unit_test(outer_flags_of_a_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
