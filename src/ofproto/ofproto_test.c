/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bridges and their ports on a dummy datapath: numbers, identities, undoing; patch ports, tunnels
 * by flow, counters, revalidation.
 */
#include "ofproto/testing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct o_world W;

static int setup(void **state)
{
	(void)state;
	o_init(&W);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	o_end(&W);
	return 0;
}

static int try(struct ofproto *br, const char *name, const char *type, const struct tunnel_cfg *tun,
	       uint16_t request, uint16_t *no, struct vx_err *err)
{
	struct ofproto_port_cfg c = {.name = name, .type = type, .ofport_request = request};
	uint16_t dummy;

	if (tun)
		c.tun = *tun;
	*err = (struct vx_err){0};
	return ofproto_port_add(br, &c, no ? no : &dummy, err);
}

static struct ofproto_port_view view(uint16_t ofport)
{
	struct ofproto_port_view v;

	assert_true(ofproto_port_get(W.br, ofport, &v));
	return v;
}

/* --- bridges and numbers --------------------------------------------------------------------- */

static void bridges(void **state)
{
	struct ofproto *p;
	struct vx_err err = {0};

	(void)state;
	assert_int_equal(o_create(W.t->vx, "br1", "nothing", &err, &p), -EAFNOSUPPORT);
	assert_string_equal(err.text, "datapath_type \"nothing\" is none of system, netdev");
	assert_int_equal(o_create(W.t->vx, "a-name-of-16-chars", "dummy", &err, &p), -EINVAL);
	assert_int_equal(o_create(W.t->vx, "br0", "dummy", &err, &p), -EEXIST);
	assert_int_equal(W.d->users, 1);
	assert_int_equal(o_create(W.t->vx, "br1", "dummy", &err, &p), 0);
	assert_ptr_equal(ofproto_dpif(p), W.d);
	assert_string_equal(view(OFPORT_LOCAL).name, "br0");
	assert_string_equal(view(OFPORT_LOCAL).type, "internal");
	ofproto_destroy(p, true);
	assert_int_equal(W.d->users, 1);
	W.t->vx->dpif_dummy = false;
	assert_int_equal(o_create(W.t->vx, "br1", "dummy", &err, &p), -EAFNOSUPPORT);
}

/* 6.2: up from 1, none again within an hour; a request is honoured where it is free (26). */
static void numbers(void **state)
{
	struct vx_err err;
	uint16_t no;

	(void)state;
	for (uint16_t i = 1; i <= 4; i++) {
		char name[8];

		snprintf(name, sizeof(name), "p%u", i);
		assert_int_equal(try(W.br, name, "", NULL, 0, &no, &err), 0);
		assert_int_equal(no, i);
	}
	assert_int_equal(ofproto_port_del(W.br, 4, true), 0);
	assert_int_equal(ofproto_port_del(W.br, 4, true), -ENOENT);
	assert_int_equal(try(W.br, "p4", "", NULL, 0, &no, &err), 0);
	assert_int_equal(no, 5);
	assert_int_equal(try(W.br, "p7", "", NULL, 7, &no, &err), 0);
	assert_int_equal(no, 7);
	assert_int_equal(try(W.br, "other", "", NULL, 7, &no, &err), 0);
	assert_int_equal(no, 6);
	assert_int_equal(try(W.br, "next", "", NULL, 0xffff, &no, &err), 0);
	assert_int_equal(no, 8);
	assert_int_equal(ofproto_port_find(W.br, "p7"), 7);
	assert_int_equal(ofproto_port_find(W.br, "none"), OFPORT_NONE);
	assert_int_equal(view(7).dp_port, 6);
	/* Names are one per datapath, with a sentence for what is none. */
	assert_int_equal(try(W.br, "p7", "", NULL, 0, &no, &err), -EEXIST);
	assert_int_equal(try(W.br, "", "", NULL, 0, &no, &err), -EINVAL);
	assert_int_equal(try(W.br, "x", "gre", NULL, 0, &no, &err), -EAFNOSUPPORT);
	assert_string_equal(err.text, "type \"gre\" is none of system, internal, patch, vxlan");
}

/* A port keeps all but its number; the one that it had rests. */
static void renumbered(void **state)
{
	uint16_t no = 30, back = 1, any = 0;
	struct vx_err err;

	(void)state;
	for (const char *name = "a\0b\0"; *name; name += 2)
		assert_int_equal(try(W.br, name, "", NULL, 0, &any, &err), 0);
	assert_int_equal(ofproto_port_renumber(W.br, 7, &no), -ENOENT);
	assert_int_equal(ofproto_port_renumber(W.br, 1, &any), -EEXIST); /* b's */
	assert_int_equal(ofproto_port_renumber(W.br, 1, &no), 0);
	assert_int_equal(ofproto_port_find(W.br, "a"), 30);
	assert_int_equal(view(30).dp_port, 2);
	any = 0;
	assert_int_equal(ofproto_port_renumber(W.br, 2, &any), 0);
	assert_int_equal(any, 3);
	assert_int_equal(ofproto_port_renumber(W.br, 30, &back), 0);
	assert_int_equal(ofproto_port_find(W.br, "a"), 1);
	assert_int_equal(ofproto_port_find(W.br, "b"), 3);
	assert_int_equal(ofproto_port_del(W.br, 30, true), -ENOENT);
}

/* When all had been used within the hour, the one that rested longest. */
static void numbers_used_up(void **state)
{
	struct vx_err err;
	uint16_t no;

	(void)state;
	for (uint32_t i = 1; i < 32768; i++) {
		assert_int_equal(try(W.br, "p", "patch", NULL, 0, &no, &err), 0);
		assert_int_equal(no, i);
		ofproto_port_del(W.br, no, true);
		if (i == 100)
			o_pass(&W, 100);
	}
	assert_int_equal(try(W.br, "p", "patch", NULL, 0, &no, &err), 0);
	assert_int_equal(no, 1);
	ofproto_port_del(W.br, no, true);
	assert_int_equal(try(W.br, "p", "patch", NULL, 0, &no, &err), 0);
	assert_int_equal(no, 2);
}

/* --- tunnel ports ---------------------------------------------------------------------------- */

static uint32_t n_dp_ports(void)
{
	uint32_t n = 0;

	list_for_each (port, &W.d->ports, struct dpif_port, node)
		n++;
	return n;
}

/* Statements 35 to 38. */
static void identities(void **state)
{
	struct tunnel_cfg t = o_tun("10.1.1.2", 100);
	struct ofproto *other;
	struct vx_err err;
	uint16_t a, b;

	(void)state;
	assert_int_equal(o_create(W.t->vx, "br1", "dummy", &err, &other), 0);
	assert_int_equal(n_dp_ports(), 2);
	assert_int_equal(try(W.br, "vx1", "vxlan", &t, 0, &a, &err), 0);
	assert_int_equal(try(W.br, "vx2", "vxlan", &t, 0, NULL, &err), -EEXIST);
	assert_int_equal(try(other, "vx2", "vxlan", &t, 0, NULL, &err), -EEXIST);
	assert_int_equal(n_dp_ports(), 3);
	assert_int_equal(view(a).dp_port, 3);
	t.out_key = 7; /* no part of it */
	assert_int_equal(try(W.br, "vx2", "vxlan", &t, 0, NULL, &err), -EEXIST);
	t.in_key = 101;
	assert_int_equal(try(W.br, "vx2", "vxlan", &t, 0, &b, &err), 0);
	assert_int_equal(view(b).dp_port, 3); /* the same device */
	assert_int_equal(n_dp_ports(), 3);
	t.in_key = 100;
	t.gbp = true;
	assert_int_equal(try(W.br, "vx3", "vxlan", &t, 0, NULL, &err), -EINVAL);
	assert_string_equal(err.text,
			    "vx3: VXLAN-GBP, and non-VXLAN-GBP tunnels can't be configured "
			    "on the same dst_port");
	t.gbp = false;
	t.dst_port = 8472;
	assert_int_equal(try(W.br, "vx3", "vxlan", &t, 0, &b, &err), 0);
	assert_int_equal(n_dp_ports(), 4);
	ofproto_port_del(W.br, b, true);
	assert_int_equal(n_dp_ports(), 3);
	/* Changed while it lives: number kept, identity checked, device with it (44). */
	t = o_tun("10.1.1.2", 101);
	assert_int_equal(
		ofproto_port_reconfigure(W.br, a, &(struct ofproto_port_cfg){.tun = t}, &err),
		-EEXIST);
	assert_int_equal(view(a).tun->in_key, 100);
	t.dst_port = 8472;
	assert_int_equal(
		ofproto_port_reconfigure(W.br, a, &(struct ofproto_port_cfg){.tun = t}, &err), 0);
	assert_int_equal(view(a).dp_port, 4);
	assert_int_equal(n_dp_ports(), 4);
	assert_int_equal(
		ofproto_port_reconfigure(W.br, 99, &(struct ofproto_port_cfg){.tun = t}, &err),
		-ENOENT);
	ofproto_destroy(other, true);
}

/* Which port takes a packet: 3.2's order. */
static const struct {
	const char *remote, *local; /* "flow"; NULL: any */
	int key;		    /* -1 is flow, 0 none */
} tun_port[] = {
	{"10.1.1.2", NULL, 5}, {"10.1.1.2", "10.1.1.1", 5},  {"flow", NULL, 5},
	{"flow", "flow", 5},   {"10.1.1.2", NULL, -1},	     {"flow", NULL, -1},
	{"flow", "flow", -1},  {"10.1.1.4", "10.1.1.1", -1}, {"10.1.1.5", NULL, 0},
};

static struct tunnel_cfg tun_cfg(size_t i)
{
	struct tunnel_cfg t = {.dst_port = 4789,
			       .ttl = 64,
			       .in_key_flow =
				       tun_port[i].key<0, .in_key_present = tun_port[i].key> 0,
			       .in_key = (uint32_t)MAX(tun_port[i].key, 0)};

	t.remote_flow = !strcmp(tun_port[i].remote, "flow");
	t.local_flow = tun_port[i].local && !strcmp(tun_port[i].local, "flow");
	if (!t.remote_flow)
		t.remote = t_addr(tun_port[i].remote);
	if (tun_port[i].local && !t.local_flow)
		t.local = t_addr(tun_port[i].local);
	return t;
}

static void lookup(void **state)
{
	static const struct {
		const char *src, *dst;
		int key, port;	  /* -1: none */
		uint32_t without; /* these ports are not there */
	} row[] = {
		{"10.1.1.2", "10.1.1.1", 5, 1, 0},     {"10.1.1.2", "10.1.1.9", 5, 0, 0},
		{"10.1.1.2", "10.1.1.1", 5, 0, 0x02},  {"10.1.1.2", "10.1.1.1", 5, 2, 0x03},
		{"10.1.1.3", "10.1.1.1", 5, 2, 0},     {"10.1.1.3", "10.1.1.1", 5, 3, 0x04},
		{"10.1.1.3", "10.1.1.1", 5, 5, 0x0c},  {"10.1.1.2", "10.1.1.1", 6, 4, 0},
		{"10.1.1.3", "10.1.1.1", 6, 5, 0},     {"10.1.1.3", "10.1.1.1", 6, 6, 0x20},
		{"10.1.1.4", "10.1.1.1", 6, 7, 0},     {"10.1.1.4", "10.1.1.7", 6, 5, 0},
		{"10.1.1.5", "10.1.1.1", 0, 8, 0},     {"10.1.1.5", "10.1.1.1", 1, 5, 0},
		{"10.1.1.5", "10.1.1.1", 1, -1, 0x60}, {"10.1.1.6", "10.1.1.1", 0, -1, 0x60},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		uint16_t no[ARRAY_LEN(tun_port)] = {0};
		char key[256];
		int took = -1;

		for (size_t k = 0; k < ARRAY_LEN(tun_port); k++) {
			struct tunnel_cfg t = tun_cfg(k);
			char name[8];

			snprintf(name, sizeof(name), "t%zu", k);
			if (!(row[i].without >> k & 1))
				no[k] = o_vxlan(W.br, name, &t);
		}
		snprintf(key, sizeof(key),
			 "tunnel(tun_id=%d,src=%s,dst=%s,flags(key)),in_port(2),"
			 "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x1234)",
			 row[i].key, row[i].src, row[i].dst);
		o_packet(&W, key);
		for (size_t k = 0; k < ARRAY_LEN(tun_port); k++) {
			struct ofproto_port_stats st = {0};

			if (no[k])
				ofproto_port_stats(W.br, no[k], &st);
			if (st.rx_packets)
				took = (int)k;
			ofproto_port_del(W.br, no[k], true);
		}
		if (took != row[i].port)
			fail_msg("row %zu: %d", i, took);
		/* Who belongs to nobody installs no flow (11.21). */
		if (took < 0)
			assert_int_equal(W.why, DROP_tunnel_port_not_found);
		assert_int_equal(o_flows(&W), 0);
	}
}

/* What a packet is sent with. */
static void transmission(void **state)
{
	static const struct {
		const char *row, *want, *ip; /* the packet's */
		const char *local;
		struct tunnel_cfg t;
	} row[] = {
		{"plain",
		 "tun_id=0x64,dst=10.1.1.2,ttl=64,tp_dst=4789,flags(df|key)",
		 "tos=0xb8,ttl=9",
		 NULL,
		 {.out_key_present = true, .out_key = 100, .df_default = true, .ttl = 64}},
		{"no key, no DF",
		 "dst=10.1.1.2,ttl=64,tp_dst=4789",
		 "tos=0,ttl=9",
		 NULL,
		 {.ttl = 64}},
		{"csum, local",
		 "tun_id=0x0,src=10.1.1.1,dst=10.1.1.2,ttl=44,tp_dst=4789,flags(csum|key)",
		 "tos=0,ttl=9",
		 "10.1.1.1",
		 {.out_key_present = true, .csum = TUNNEL_CSUM_ON, .ttl = 44}},
		{"tos",
		 "dst=10.1.1.2,tos=0xba,ttl=64,tp_dst=4789",
		 "tos=2,ttl=9",
		 NULL,
		 {.ttl = 64, .tos = 0xb8}},
		{"CE is ECT(0) outside",
		 "dst=10.1.1.2,tos=0x2,ttl=64,tp_dst=4789",
		 "tos=3,ttl=9",
		 NULL,
		 {.ttl = 64}},
		{"tos, ttl inherited",
		 "dst=10.1.1.2,tos=0xb9,ttl=9,tp_dst=4789",
		 "tos=0xb9,ttl=9",
		 NULL,
		 {.ttl = 64, .tos_inherit = true, .ttl_inherit = true}},
		{"key of no tunnel",
		 "tun_id=0x0,dst=10.1.1.2,ttl=64,tp_dst=4789,flags(key)",
		 "tos=0,ttl=9",
		 NULL,
		 {.ttl = 64, .out_key_flow = true}},
	};

	(void)state;
	o_port(W.br, "h0", "", NULL); /* 2 */
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct tunnel_cfg t = row[i].t;
		char key[256], want[256];
		const char *got;
		uint16_t no;

		t.remote = t_addr("10.1.1.2");
		if (row[i].local)
			t.local = t_addr(row[i].local);
		t.dst_port = 4789;
		no = o_vxlan(W.br, "vx", &t);
		snprintf(key, sizeof(key),
			 "in_port(2),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type("
			 "0x0800),"
			 "ipv4(src=1.1.1.1,dst=1.1.1.2,proto=17,%s,frag=no)",
			 row[i].ip);
		snprintf(want, sizeof(want), "set(tunnel(%s)),3,1", row[i].want);
		got = o_packet(&W, key);
		if (strcmp(got, want) != 0)
			fail_msg("%s: %s", row[i].row, got);
		ofproto_port_del(W.br, no, true);
		table_flush(W.d->table);
	}
}

/* 11.18; and a mark, which goes back afterwards. */
static void by_flow(void **state)
{
	struct tunnel_cfg flow = {.remote_flow = true,
				  .in_key_flow = true,
				  .out_key_flow = true,
				  .dst_port = 4789,
				  .ttl = 64};
	struct tunnel_cfg key = {.remote = t_addr("10.1.1.3"),
				 .in_key_flow = true,
				 .out_key_flow = true,
				 .dst_port = 4789,
				 .ttl = 64,
				 .has_mark = true,
				 .egress_pkt_mark = 7};

	(void)state;
	o_port(W.br, "h0", "", NULL); /* 2 */
	o_vxlan(W.br, "vxf", &flow);  /* 3 */
	o_expect(&W, "in_port(2),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x1234)",
		 "1");
	ofproto_bundle_del(W.br, (void *)(uintptr_t)OFPORT_LOCAL);
	revalidate_all(W.d, W.t->now);
	o_expect(&W, "in_port(2),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x1234)",
		 "drop");
	assert_int_equal(W.why, DROP_tunnel_no_remote);
	/* It receives whole, and the key goes on to where the remote is known. */
	o_vxlan(W.br, "vxk", &key);
	o_expect(&W,
		 "tunnel(tun_id=0x9,src=10.1.1.7,dst=10.1.1.1,flags(key)),in_port(3),"
		 "eth(src=02:00:00:00:00:03,dst=02:00:00:00:00:04),eth_type(0x1234)",
		 "2,set(tunnel(tun_id=0x9,dst=10.1.1.3,ttl=64,tp_dst=4789,flags(key))),"
		 "set(skb_mark(0x7)),3");
	o_bundle(W.br, OFPORT_LOCAL, (struct bundle_cfg){.tag = -1});
	o_expect(&W,
		 "tunnel(tun_id=0x9,src=10.1.1.7,dst=10.1.1.1,flags(key)),in_port(3),"
		 "eth(src=02:00:00:00:00:03,dst=02:00:00:00:00:05),eth_type(0x1234)",
		 "2,set(tunnel(tun_id=0x9,dst=10.1.1.3,ttl=64,tp_dst=4789,flags(key))),"
		 "set(skb_mark(0x7)),3,set(skb_mark(0)),1");
}

/* A policy goes on from tunnel to tunnel, where both know of them (5.4, 11.5); the flow looks at it
 * where that makes a difference. */
static void policies(void **state)
{
	static const char way[] =
		"in_port(2),eth(src=02:00:00:00:00:03,dst=ff:ff:ff:ff:ff:ff),eth_type(0x1234)";
	static const char from[] = "tunnel(tun_id=0x64,src=10.1.1.2,dst=10.1.1.1,%sflags(%skey))";
	static const struct {
		const char *in, *out, *key;
	} rows[] = {
		{"vxlan(gbp(id=85,flags=0x8)),", "vxlan(gbp(id=85,flags=0x8)),",
		 "vxlan(gbp(id=85,flags=0x8)),"},
		{"vxlan(gbp(id=65535,flags=0x48)),", "vxlan(gbp(id=65535,flags=0x48)),",
		 "vxlan(gbp(id=65535,flags=0x48)),"},
		{"", "", ""},
	};
	struct tunnel_cfg t[3] = {o_tun("10.1.1.2", 100), o_tun("10.1.1.3", 101),
				  o_tun("10.1.1.4", 102)};

	(void)state;
	t[0].gbp = t[1].gbp = true;
	t[2].dst_port = 4790;
	o_vxlan(W.br, "vx1", &t[0]); /* datapath port 2, as the next */
	o_vxlan(W.br, "vx2", &t[1]);
	o_vxlan(W.br, "plain", &t[2]); /* 3 */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char key[256], tun[128], want[512];

		snprintf(tun, sizeof(tun), from, rows[i].in, "");
		snprintf(key, sizeof(key), "%s,%s", tun, way);
		snprintf(want, sizeof(want),
			 "set(tunnel(tun_id=0x65,dst=10.1.1.3,ttl=64,tp_dst=4789,%sflags(df|key))),"
			 "2,"
			 "set(tunnel(tun_id=0x66,dst=10.1.1.4,ttl=64,tp_dst=4790,flags(df|key))),3,"
			 "1",
			 rows[i].out);
		o_expect(&W, key, want);
		snprintf(tun, sizeof(tun), from, rows[i].key, "+");
		if (strncmp(o_flow(W.d), tun, strlen(tun)) != 0)
			fail_msg("%s, not %s", o_flow(W.d), tun);
		table_flush(W.d->table);
	}
}

/* --- patch ports ----------------------------------------------------------------------------- */

/* Statement 60. */
static void patch(void **state)
{
	struct ofproto_port_stats st;
	struct ofproto *other;
	uint16_t a, b, no;

	(void)state;
	assert_int_equal(o_create(W.t->vx, "br1", "dummy", NULL, &other), 0); /* port 2 */
	o_bundle(other, OFPORT_LOCAL, (struct bundle_cfg){.tag = -1});
	o_port(W.br, "p0", "", NULL);	    /* 3 */
	no = o_port(other, "p1", "", NULL); /* 4 */
	o_bundle(other, no, (struct bundle_cfg){.vlan_mode = VLAN_ACCESS, .tag = 10});
	a = o_port(W.br, "to1", "patch", "to0");
	assert_int_equal(view(a).dp_port, DP_PORT_NONE);
	assert_string_equal(o_frame(&W, 3, 1, 2, -1), "1"); /* no peer yet */
	b = o_port(other, "to0", "patch", "else");
	revalidate_all(W.d, W.t->now);
	assert_string_equal(o_frame(&W, 3, 1, 2, -1), "1"); /* which does not name it */
	assert_int_equal(
		ofproto_port_reconfigure(other, b, &(struct ofproto_port_cfg){.peer = "to1"}, NULL),
		0);
	o_bundle(other, b, (struct bundle_cfg){.vlan_mode = VLAN_ACCESS, .tag = 10});
	table_flush(W.d->table);
	assert_string_equal(o_frame(&W, 3, 1, 2, -1), "4,push_vlan(vid=10,pcp=0),2,pop_vlan,1");
	/* Learnt in both, each in its VLAN. */
	assert_string_equal(o_frame(&W, 4, 2, 1, -1), "3");
	assert_int_equal(ofproto_port_stats(W.br, a, &st), 0);
	assert_true(st.only_counts && st.tx_packets == 1 && st.rx_packets == 1 &&
		    st.rx_bytes == 100);
	o_frame(&W, 3, 1, 2, -1); /* hits a flow: counted when that is walked */
	ofproto_port_stats(W.br, a, &st);
	assert_int_equal(st.tx_packets, 1);
	o_pass(&W, 500);
	ofproto_port_stats(W.br, a, &st);
	assert_true(st.tx_packets == 2 && st.tx_bytes == 200);
	ofproto_port_stats(other, b, &st);
	assert_true(st.tx_packets == 1 && st.rx_packets == 2);
	ofproto_destroy(other, true);
	revalidate_all(W.d, W.t->now);
	assert_string_equal(o_frame(&W, 3, 1, 9, -1), "1");
}

/* Two pairs between two bridges are a circle, three would be 2^64 ways. */
static void patch_loop(void **state)
{
	struct ofproto *other;

	(void)state;
	assert_int_equal(o_create(W.t->vx, "br1", "dummy", NULL, &other), 0);
	o_port(W.br, "p0", "", NULL); /* 3 */
	ofproto_bundle_del(W.br, (void *)(uintptr_t)OFPORT_LOCAL);
	o_port(W.br, "a0", "patch", "b0");
	o_port(other, "b0", "patch", "a0");
	o_port(W.br, "a1", "patch", "b1");
	o_port(other, "b1", "patch", "a1");
	assert_string_equal(o_frame(&W, 3, 1, 2, -1), "drop");
	assert_int_equal(W.why, DROP_patch_loop);
	o_port(W.br, "a2", "patch", "b2");
	o_port(other, "b2", "patch", "a2");
	table_flush(W.d->table);
	assert_string_equal(o_frame(&W, 3, 1, 2, -1), "drop");
	assert_int_equal(W.why, DROP_patch_loop);
	ofproto_destroy(other, true);
}

/* --- counters and revalidation --------------------------------------------------------------- */

static struct ofproto_port_stats stats(uint16_t no)
{
	struct ofproto_port_stats st;

	assert_int_equal(ofproto_port_stats(W.br, no, &st), 0);
	return st;
}

static void counters(void **state)
{
	struct tunnel_cfg t = o_tun("10.1.1.2", 100);
	struct dp_stats st;
	uint16_t vx;

	(void)state;
	o_port(W.br, "p2", "", NULL);
	vx = o_vxlan(W.br, "vx1", &t);
	for (int i = 0; i < 5; i++)
		o_frame(&W, 2, 1, 2, -1);
	W.d->class->get_stats(W.d, &st);
	assert_true(st.missed == 1 && st.hit == 4);
	assert_int_equal(stats(vx).tx_packets, 1); /* the one that was translated */
	o_pass(&W, 1000);
	assert_int_equal(stats(vx).tx_packets, 5);
	assert_int_equal(stats(vx).tx_bytes, 500);
	/* Idle for 10 s, it goes (73); what it had counted meanwhile is not lost. */
	o_frame(&W, 2, 1, 2, -1);
	assert_int_equal(o_flows(&W), 1);
	o_pass(&W, 9000);
	assert_int_equal(o_flows(&W), 1);
	o_frame(&W, 2, 1, 2, -1);
	o_pass(&W, 9800);
	assert_int_equal(o_flows(&W), 1);
	o_pass(&W, 1000);
	assert_int_equal(o_flows(&W), 0);
	assert_int_equal(stats(vx).tx_packets, 7);
	assert_int_equal(stats(OFPORT_LOCAL).tx_packets, 0); /* its device's */
	W.d->reval.keep_idle = true;
	o_frame(&W, 2, 1, 2, -1);
	o_pass(&W, 30000);
	assert_int_equal(o_flows(&W), 1);
}

/* Statement 74: within a second of the change, in the flow that is there. */
static void changes(void **state)
{
	static const uint64_t v20[64] = {1ull << 20};
	uint16_t p2, p3;

	(void)state;
	p2 = o_port(W.br, "p2", "", NULL);
	p3 = o_port(W.br, "p3", "", NULL);
	assert_string_equal(o_frame(&W, 2, 1, 2, -1), "3,1");
	assert_string_equal(o_frame(&W, 3, 2, 3, -1), "2,1"); /* 2 is learnt */
	o_pass(&W, 500);
	assert_string_equal(o_frame(&W, 2, 1, 2, -1), "3");
	o_frame(&W, 1, 2, 9, -1); /* and moves */
	o_pass(&W, 500);
	assert_string_equal(o_frame(&W, 2, 1, 2, -1), "1");
	ofproto_mac_flush(W.br);
	o_pass(&W, 500);
	assert_string_equal(o_frame(&W, 2, 1, 2, -1), "3,1");
	o_bundle(W.br, p2, (struct bundle_cfg){.vlan_mode = VLAN_ACCESS, .tag = 20});
	o_pass(&W, 500);
	assert_string_equal(o_frame(&W, 2, 1, 2, -1), "push_vlan(vid=20,pcp=0),3,1");
	o_bundle(W.br, p3,
		 (struct bundle_cfg){.vlan_mode = VLAN_NATIVE_UNTAGGED, .tag = 20, .trunks = v20});
	o_pass(&W, 500);
	assert_string_equal(o_frame(&W, 2, 1, 2, -1), "3,push_vlan(vid=20,pcp=0),1");
	ofproto_port_del(W.br, p3, true);
	o_pass(&W, 500);
	assert_string_equal(o_frame(&W, 2, 1, 2, -1), "push_vlan(vid=20,pcp=0),1");
	/* The flows that were there all the time. */
	assert_int_equal(W.d->dummy.missed, 3);
	/* The port that they came by: they go, the source with it. */
	ofproto_port_del(W.br, p2, true);
	o_pass(&W, 500);
	assert_int_equal(o_flows(&W), 1);
	assert_string_equal(o_frame(&W, 2, 1, 2, -1), "");
	assert_int_equal(W.why, DROP_ofport_unconnected);
}

/* Statement 44: for the very next packet. */
static void settled(void **state)
{
	static const char pkt[] =
		"in_port(2),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x1234)";
	struct tunnel_cfg t = o_tun("10.1.1.2", 100);
	struct ofproto_port_cfg c = {.name = "vx1", .type = "vxlan"};
	uint16_t vx;

	(void)state;
	o_port(W.br, "p2", "", NULL);
	vx = o_vxlan(W.br, "vx1", &t);
	o_expect(&W, pkt,
		 "set(tunnel(tun_id=0x64,dst=10.1.1.2,ttl=64,tp_dst=4789,flags(df|key))),3,1");
	c.tun = o_tun("10.1.1.3", 7);
	assert_int_equal(ofproto_port_reconfigure(W.br, vx, &c, NULL), 0);
	ofproto_settle(W.br, W.t->now);
	o_expect(&W, pkt,
		 "set(tunnel(tun_id=0x7,dst=10.1.1.3,ttl=64,tp_dst=4789,flags(df|key))),3,1");
	assert_int_equal(W.d->dummy.missed, 1); /* in the flow that was there */
	assert_int_equal(W.d->reval.walks, 1);
	ofproto_settle(W.br, W.t->now); /* nothing new */
	assert_int_equal(W.d->reval.walks, 1);
}

static int add_name(void *ctx, struct ofproto *p, const struct ofproto_port_view *v)
{
	strcat(ctx, v->name);
	return !strcmp(v->name, "t7");
}

/* As packets ask: statement 66's order. */
static void listing(void **state)
{
	char names[64] = "";

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(tun_port); k++) {
		struct tunnel_cfg t = tun_cfg(k);
		char name[8];

		snprintf(name, sizeof(name), "t%zu", k);
		o_vxlan(W.br, name, &t);
	}
	assert_int_equal(ofproto_tunnels(W.d, add_name, names), 1);
	assert_string_equal(names, "t1t0t8t2t3t7");
}

static void limits(void **state)
{
	struct dpif_limits l = DPIF_LIMITS_DEFAULT;
	struct tunnel_cfg t = o_tun("10.1.1.2", 100);
	uint16_t vx;

	(void)state;
	o_port(W.br, "p2", "", NULL);
	vx = o_vxlan(W.br, "vx1", &t);
	assert_ptr_equal(dpif_find(W.t->vx, "dummy"), W.d);
	assert_null(dpif_find(W.t->vx, "system"));
	l.flows = 3;
	dpif_set_limits(W.t->vx, &l);
	for (int i = 0; i < 5; i++)
		o_frame(&W, 2, i, 0xff, -1);
	assert_int_equal(o_flows(&W), 3);
	l.max_idle = 1000;
	dpif_set_limits(W.t->vx, &l);
	o_pass(&W, 2000);
	assert_int_equal(o_flows(&W), 0);
	for (int i = 0; i < 4; i++)
		o_frame(&W, 2, 1, 0xff, -1);
	assert_int_equal(stats(vx).tx_packets, 6);
	revalidate_purge(W.d, W.t->now);
	assert_int_equal(o_flows(&W), 0);
	assert_int_equal(stats(vx).tx_packets, 9);
}

/* A change that another flow's packets do not see leaves that flow untouched. */
static void changes_of_others(void **state)
{
	uint32_t walks;

	(void)state;
	o_port(W.br, "p2", "", NULL);
	o_frame(&W, 2, 1, 2, -1);
	o_pass(&W, 500);
	walks = W.d->reval.walks;
	for (int i = 0; i < 100; i++)
		o_frame(&W, 2, 100 + i, 0xff, -1);
	ofproto_run(W.br, W.t->now);
	/* A storm of news is one walk, not one each. */
	assert_in_range(W.d->reval.walks - walks, 0, 1);
	o_pass(&W, 1000);
	assert_int_equal(o_flows(&W), 101);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(bridges),    T(numbers),	     T(numbers_used_up), T(identities),
		T(lookup),     T(transmission),	     T(by_flow),	 T(patch),
		T(policies),   T(settled),	     T(patch_loop),	 T(counters),
		T(changes),    T(changes_of_others), T(listing),	 T(limits),
		T(renumbered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
