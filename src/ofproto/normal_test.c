/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NORMAL on a dummy datapath (spec/ovs.md 3.5, 3.6, 5.5, 11.15, 11.18): VLANs, learning, patch
 * ports, tunnels.
 */
#include "ofproto/testing.h"

#include <errno.h>
#include <stdio.h>

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

/* --- VLANs ----------------------------------------------------------------------------------- */

/* The table of 3.5: what comes in by port 2 with this tag is in this VLAN, which leaves by port 3,
 * a trunk, as a tag; -1 is untagged, -2 dropped. */
static const struct {
	enum vlan_mode mode;
	int tag;
	bool trunks; /* 20 and 30 */
	int in, out;
	enum drop why;
} in_row[] = {
	{VLAN_ACCESS, 10, false, -1, 10, DROP_NONE},
	{VLAN_ACCESS, 10, false, 0, 10, DROP_NONE},
	{VLAN_ACCESS, 10, false, 0xa000, 0xa00a, DROP_NONE}, /* PCP is kept */
	{VLAN_ACCESS, 10, false, 10, -2, DROP_vlan_tagged_on_access},
	{VLAN_ACCESS, 10, false, 20, -2, DROP_vlan_tagged_on_access},
	{VLAN_TRUNK, -1, false, -1, -1, DROP_NONE},
	{VLAN_TRUNK, -1, false, 20, 20, DROP_NONE},
	{VLAN_TRUNK, -1, false, 0x6014, 0x6014, DROP_NONE},
	{VLAN_TRUNK, -1, true, 20, 20, DROP_NONE},
	{VLAN_TRUNK, -1, true, 40, -2, DROP_vlan_not_on_port},
	{VLAN_TRUNK, -1, true, -1, -2, DROP_vlan_not_on_port}, /* VLAN 0 is none of them */
	{VLAN_NATIVE_TAGGED, 10, true, -1, 10, DROP_NONE},
	{VLAN_NATIVE_TAGGED, 10, true, 10, 10, DROP_NONE},
	{VLAN_NATIVE_TAGGED, 10, true, 20, 20, DROP_NONE},
	{VLAN_NATIVE_TAGGED, 10, true, 40, -2, DROP_vlan_not_on_port},
	{VLAN_NATIVE_UNTAGGED, 10, true, -1, 10, DROP_NONE},
	{VLAN_NATIVE_UNTAGGED, 10, true, 0, 10, DROP_NONE},
	{VLAN_NATIVE_UNTAGGED, 10, true, 10, 10, DROP_NONE},
	{VLAN_NATIVE_UNTAGGED, 10, true, 30, 30, DROP_NONE},
	{VLAN_NATIVE_UNTAGGED, 10, true, 40, -2, DROP_vlan_not_on_port},
	{VLAN_NATIVE_TAGGED, 10, true, 0xa000, 0xa00a, DROP_NONE},
	{VLAN_NATIVE_TAGGED, -1, true, -1, -1, DROP_NONE}, /* VLAN 0 is native */
	{VLAN_TRUNK, 10, false, -1, -1, DROP_NONE},	   /* of a trunk the tag says nothing */
	{VLAN_TRUNK, -1, false, 0xa000, 0xa000, DROP_NONE},
};

static const uint64_t some[64] = {1ull << 20 | 1ull << 30};

/* What the actions do to a frame with this tag before it leaves by 'port': its tag then, -2: it
 * does not. */
static int leaves(const char *acts, int tag, const char *port)
{
	char copy[512], *save, *a;

	snprintf(copy, sizeof(copy), "%s", acts);
	for (char *c = copy, *p = copy; *c; c++) { /* commas within parentheses are no separators */
		if (*c == '(')
			p = NULL;
		else if (*c == ')')
			p = c;
		else if (*c == ',' && !p)
			*c = ';';
	}
	for (a = strtok_r(copy, ",", &save); a; a = strtok_r(NULL, ",", &save)) {
		int vid, pcp;

		if (!strcmp(a, "pop_vlan"))
			tag = -1;
		else if (sscanf(a, "push_vlan(vid=%d;pcp=%d)", &vid, &pcp) == 2)
			tag = vid | pcp << VLAN_PCP_SHIFT;
		else if (!strcmp(a, port))
			return tag;
	}
	return -2;
}

/* S51. */
static void vlan_in(void **state)
{
	uint16_t a, b;

	(void)state;
	a = o_port(W.br, "p2", "", NULL);
	b = o_port(W.br, "p3", "", NULL);
	assert_true(a == 1 && b == 2); /* datapath ports 2 and 3 */
	for (size_t i = 0; i < ARRAY_LEN(in_row); i++) {
		int out;

		o_bundle(W.br, a,
			 (struct bundle_cfg){.vlan_mode = in_row[i].mode,
					     .tag = in_row[i].tag,
					     .trunks = in_row[i].trunks ? some : NULL});
		revalidate_all(W.d, W.t->now);
		ofproto_mac_flush(W.br);
		table_flush(W.d->table);
		W.why = DROP_NONE;
		out = leaves(o_frame(&W, 2, 1, 0xff, in_row[i].in), in_row[i].in, "3");
		if (out != in_row[i].out || W.why != in_row[i].why)
			fail_msg("row %zu: %d, %s", i, out,
				 W.why ? drop_infos[W.why].name : "no drop");
	}
}

static const struct {
	enum vlan_mode mode;
	int tag;
	bool trunks;
	enum priority_tags prio;
	int in, out; /* come in by port 3, a trunk */
} out_row[] = {
	{VLAN_ACCESS, 10, false, PRIORITY_TAGS_NEVER, 10, -1},
	{VLAN_ACCESS, 10, false, PRIORITY_TAGS_NEVER, 20, -2},
	{VLAN_ACCESS, 10, false, PRIORITY_TAGS_NEVER, -1, -2},
	{VLAN_ACCESS, 10, false, PRIORITY_TAGS_NEVER, 0xa00a, -1},
	{VLAN_ACCESS, 10, false, PRIORITY_TAGS_IF_NONZERO, 0xa00a, 0xa000},
	{VLAN_ACCESS, 10, false, PRIORITY_TAGS_IF_NONZERO, 10, -1},
	{VLAN_ACCESS, 10, false, PRIORITY_TAGS_ALWAYS, 10, -1}, /* it knows of no tag */
	{VLAN_ACCESS, 10, false, PRIORITY_TAGS_ALWAYS, 0xa00a, 0xa000},
	{VLAN_TRUNK, -1, false, PRIORITY_TAGS_NEVER, 20, 20},
	{VLAN_TRUNK, -1, false, PRIORITY_TAGS_NEVER, -1, -1},
	{VLAN_TRUNK, -1, false, PRIORITY_TAGS_NEVER, 0, -1}, /* a priority tag is no VLAN */
	{VLAN_TRUNK, -1, false, PRIORITY_TAGS_NEVER, 0xa000, 0xa000}, /* but its PCP is kept */
	{VLAN_TRUNK, -1, false, PRIORITY_TAGS_ALWAYS, 0, 0},
	{VLAN_TRUNK, -1, false, PRIORITY_TAGS_ALWAYS, -1, -1},
	{VLAN_TRUNK, -1, true, PRIORITY_TAGS_NEVER, 20, 20},
	{VLAN_TRUNK, -1, true, PRIORITY_TAGS_NEVER, 40, -2},
	{VLAN_TRUNK, -1, true, PRIORITY_TAGS_NEVER, -1, -2},
	{VLAN_NATIVE_TAGGED, 10, false, PRIORITY_TAGS_NEVER, -1, -2}, /* VLAN 0 is none of its */
	{VLAN_NATIVE_UNTAGGED, 10, false, PRIORITY_TAGS_NEVER, -1, -2},
	{VLAN_NATIVE_UNTAGGED, 0, false, PRIORITY_TAGS_NEVER, -1, -1},
	{VLAN_NATIVE_TAGGED, 10, true, PRIORITY_TAGS_NEVER, 10, 10},
	{VLAN_NATIVE_TAGGED, 10, true, PRIORITY_TAGS_NEVER, 30, 30},
	{VLAN_NATIVE_TAGGED, 10, true, PRIORITY_TAGS_NEVER, 40, -2},
	{VLAN_NATIVE_UNTAGGED, 10, true, PRIORITY_TAGS_NEVER, 10, -1},
	{VLAN_NATIVE_UNTAGGED, 10, true, PRIORITY_TAGS_NEVER, 30, 30},
	{VLAN_NATIVE_UNTAGGED, 10, true, PRIORITY_TAGS_IF_NONZERO, 0x200a, 0x2000},
	{VLAN_NATIVE_UNTAGGED, 10, false, PRIORITY_TAGS_NEVER, 40, 40},
	{VLAN_NATIVE_UNTAGGED, -1, false, PRIORITY_TAGS_NEVER, -1, -1},
	{VLAN_ACCESS, -1, false, PRIORITY_TAGS_NEVER, -1, -1},
};

/* S51. */
static void vlan_out(void **state)
{
	uint16_t a;

	(void)state;
	a = o_port(W.br, "p2", "", NULL);
	o_port(W.br, "p3", "", NULL);
	for (size_t i = 0; i < ARRAY_LEN(out_row); i++) {
		const char *acts;
		int out;

		o_bundle(W.br, a,
			 (struct bundle_cfg){.vlan_mode = out_row[i].mode,
					     .tag = out_row[i].tag,
					     .trunks = out_row[i].trunks ? some : NULL,
					     .priority_tags = out_row[i].prio});
		table_flush(W.d->table);
		acts = o_frame(&W, 3, 1, 0xff, out_row[i].in);
		out = leaves(acts, out_row[i].in, "2");
		if (out != out_row[i].out)
			fail_msg("row %zu: %d: %s", i, out, acts);
	}
}

/* A tag that a port puts on has the TPID of the one that came, if the VLAN goes by it. */
static void tpids(void **state)
{
	uint16_t a;

	(void)state;
	a = o_port(W.br, "p2", "", NULL);
	o_bundle(W.br, a, (struct bundle_cfg){.vlan_mode = VLAN_ACCESS, .tag = 10});
	o_port(W.br, "p3", "", NULL);
	o_expect(&W,
		 "in_port(2),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x88a8),"
		 "vlan(vid=0,pcp=2),encap(eth_type(0x1234))",
		 "pop_vlan,push_vlan(tpid=0x88a8,vid=10,pcp=2),3,1");
	o_bundle(W.br, a,
		 (struct bundle_cfg){.vlan_mode = VLAN_ACCESS,
				     .tag = 10,
				     .priority_tags = PRIORITY_TAGS_IF_NONZERO});
	o_expect(
		&W,
		"in_port(3),eth(src=02:00:00:00:00:03,dst=02:00:00:00:00:04),eth_type(0x88a8),"
		"vlan(vid=10,pcp=2),encap(eth_type(0x1234))",
		"pop_vlan,push_vlan(vid=0,pcp=2),2,pop_vlan,push_vlan(tpid=0x88a8,vid=10,pcp=2),1");
}

/* 5.5: only what changes is done, in order of ofport. */
static void composition(void **state)
{
	struct tunnel_cfg tun = o_tun("10.1.1.2", 100);
	uint16_t no;

	(void)state;
	no = o_port(W.br, "h0", "", NULL); /* 2 */
	o_bundle(W.br, no, (struct bundle_cfg){.vlan_mode = VLAN_ACCESS, .tag = 10});
	o_vxlan(W.br, "vx1", &tun);   /* 3 */
	o_port(W.br, "i1", "", NULL); /* 4 */
	no = o_port(W.br, "i4", "", NULL);
	o_bundle(W.br, no, (struct bundle_cfg){.vlan_mode = VLAN_NATIVE_UNTAGGED, .tag = 10});
	no = o_port(W.br, "i5", "", NULL);
	o_bundle(W.br, no, (struct bundle_cfg){.vlan_mode = VLAN_NATIVE_TAGGED, .tag = 10});
	o_expect(&W, "in_port(2),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x1234)",
		 "set(tunnel(tun_id=0x64,dst=10.1.1.2,ttl=64,tp_dst=4789,flags(df|key))),"
		 "push_vlan(vid=10,pcp=0),3,4,pop_vlan,5,push_vlan(vid=10,pcp=0),6,1");
}

/* A tag that is left alone is looked at for its VLAN; one that is taken off or changed, or whose
 * priority decides, for all. (S52) */
static void priorities(void **state)
{
	uint16_t a;

	(void)state;
	o_port(W.br, "p2", "", NULL);
	a = o_port(W.br, "p3", "", NULL);
	for (int pcp = 0; pcp < 8; pcp++)
		assert_string_equal(o_frame(&W, 2, 1, 0xff, pcp << VLAN_PCP_SHIFT | 20), "3,1");
	assert_int_equal(o_flows(&W), 1);
	/* In VLAN 0 it decides whether there is one. */
	assert_string_equal(o_frame(&W, 2, 1, 0xff, 0xa000), "3,1");
	assert_string_equal(o_frame(&W, 2, 1, 0xff, 0), "pop_vlan,3,1");
	o_bundle(W.br, a, (struct bundle_cfg){.vlan_mode = VLAN_ACCESS, .tag = 20});
	table_flush(W.d->table);
	for (int pcp = 0; pcp < 8; pcp++) {
		char want[80];

		snprintf(want, sizeof(want), "pop_vlan,3,push_vlan(vid=20,pcp=%d),1", pcp);
		assert_string_equal(o_frame(&W, 2, 1, 0xff, pcp << VLAN_PCP_SHIFT | 20), want);
	}
	assert_int_equal(o_flows(&W), 8);
}

static void protected_ports(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		char name[8];

		snprintf(name, sizeof(name), "p%d", i);
		o_bundle(W.br, o_port(W.br, name, "", NULL),
			 (struct bundle_cfg){.tag = -1, .is_protected = i < 2});
	}
	assert_string_equal(o_frame(&W, 2, 1, 9, -1), "4,1"); /* not to 3 */
	assert_string_equal(o_frame(&W, 4, 9, 1, -1), "2");
	assert_string_equal(o_frame(&W, 3, 2, 1, -1), "drop");
	assert_int_equal(W.why, DROP_port_protected);
}

/* --- learning -------------------------------------------------------------------------------- */

static char Macs[4096];

static int add_mac(void *ctx, const struct ofproto_mac *m)
{
	size_t n = strlen(Macs);

	(void)ctx;
	snprintf(Macs + n, sizeof(Macs) - n,
		 m->is_static ? "%s%u/%u/%02x static" : "%s%u/%u/%02x %u", n ? ", " : "", m->ofport,
		 m->vlan, m->mac.b[5], m->age);
	return 0;
}

static const char *macs(void)
{
	Macs[0] = 0;
	assert_int_equal(ofproto_macs(W.br, add_mac, NULL), 0);
	return Macs;
}

/* S53, S54. */
static void learning(void **state)
{
	struct mac_summary s;

	(void)state;
	o_port(W.br, "p2", "", NULL);
	o_port(W.br, "p3", "", NULL);
	assert_string_equal(o_frame(&W, 2, 1, 2, -1), "3,1");
	assert_string_equal(o_frame(&W, 3, 2, 1, -1), "2");
	/* Another VLAN knows nothing of it (statement 53). */
	assert_string_equal(o_frame(&W, 3, 2, 1, 20), "2,1");
	assert_string_equal(macs(), "1/0/01 0, 2/0/02 0, 2/20/02 0");
	/* On the port that it came by (54). */
	assert_string_equal(o_frame(&W, 2, 3, 1, -1), "drop");
	assert_int_equal(W.why, DROP_bridge_same_port);
	/* A source that is a group is not learnt. */
	o_expect(&W, "in_port(2),eth(src=03:00:00:00:00:09,dst=02:00:00:00:00:02),eth_type(0x1234)",
		 "3");
	/* It moves. */
	assert_string_equal(o_frame(&W, 3, 1, 9, -1), "2,1");
	assert_string_equal(macs(), "2/0/02 0, 2/20/02 0, 1/0/03 0, 2/0/01 0");
	ofproto_mac_summary(W.br, &s);
	assert_true(s.n == 4 && s.n_static == 0 && s.limit == 8192);
	assert_true(s.totals.learned == 4 && s.totals.moved == 1 && !s.totals.evicted &&
		    !s.totals.expired);
	ofproto_mac_flush(W.br);
	assert_string_equal(macs(), "");
	ofproto_mac_clear_totals(W.br);
	ofproto_mac_summary(W.br, &s);
	assert_int_equal(s.totals.learned, 0);
}

/* S55, first half: 3 is 15. */
static void ageing(void **state)
{
	struct mac_summary s;

	(void)state;
	o_port(W.br, "p2", "", NULL);
	ofproto_set_mac_aging_time(W.br, 3);
	o_frame(&W, 2, 1, 0xff, -1);
	o_pass(&W, 7000);
	assert_string_equal(macs(), "1/0/01 7");
	o_pass(&W, 7900);
	assert_string_equal(macs(), "1/0/01 14");
	o_pass(&W, 1200);
	assert_string_equal(macs(), "");
	ofproto_mac_summary(W.br, &s);
	assert_int_equal(s.totals.expired, 1);
	/* A flow in use keeps its source alive. */
	o_frame(&W, 2, 1, 0xff, -1);
	for (int i = 0; i < 30; i++) {
		o_frame(&W, 2, 1, 0xff, -1);
		o_pass(&W, 1000);
	}
	assert_int_equal(o_flows(&W), 1);
	assert_string_equal(macs(), "1/0/01 1");
}

/* S55, second half: 5 is 10; the port with most gives up its oldest. */
static void limit(void **state)
{
	struct mac_summary s;

	(void)state;
	o_port(W.br, "p2", "", NULL);
	o_port(W.br, "p3", "", NULL);
	ofproto_set_mac_table_size(W.br, 5);
	for (int i = 1; i <= 8; i++)
		o_frame(&W, 2, i, 0xff, -1);
	for (int i = 11; i <= 13; i++)
		o_frame(&W, 3, i, 0xff, -1);
	ofproto_mac_summary(W.br, &s);
	assert_true(s.n == 10 && s.limit == 10 && s.totals.evicted == 1);
	assert_string_equal(macs(), "1/0/02 0, 1/0/03 0, 1/0/04 0, 1/0/05 0, 1/0/06 0, 1/0/07 0, "
				    "1/0/08 0, 2/0/0b 0, 2/0/0c 0, 2/0/0d 0");
}

/* S58. */
static void static_entries(void **state)
{
	struct mac m = t_mac("02:00:00:00:00:01");
	uint16_t was;

	(void)state;
	o_port(W.br, "p2", "", NULL);
	o_port(W.br, "p3", "", NULL);
	assert_int_equal(ofproto_mac_add(W.br, 77, 0, &m, &was), -ENODEV);
	o_frame(&W, 3, 1, 0xff, -1);
	assert_int_equal(ofproto_mac_add(W.br, 1, 0, &m, &was), 0);
	assert_int_equal(was, 2); /* overrides */
	assert_string_equal(macs(), "1/0/01 static");
	ofproto_mac_flush(W.br);
	o_frame(&W, 3, 1, 5, -1);
	assert_string_equal(macs(), "1/0/01 static");
	assert_string_equal(o_frame(&W, 3, 9, 1, -1), "2");
	o_pass(&W, 400000);
	assert_string_equal(macs(), "1/0/01 static");
	assert_int_equal(ofproto_mac_del(W.br, 1, &m), -ENOENT);
	assert_int_equal(ofproto_mac_del(W.br, 0, &m), 0);
	assert_int_equal(ofproto_mac_del(W.br, 0, &m), -ENOENT);
	assert_string_equal(macs(), "");
}

/* New settings of a port: who was behind it is forgotten, unless nothing that counts has changed.
 */
static void forgotten(void **state)
{
	struct mac m = t_mac("02:00:00:00:00:07");
	uint16_t was, a;

	(void)state;
	a = o_port(W.br, "p2", "", NULL);
	o_frame(&W, 2, 1, 0xff, -1);
	assert_int_equal(ofproto_mac_add(W.br, a, 9, &m, &was), 0);
	o_bundle(W.br, a, (struct bundle_cfg){.vlan_mode = VLAN_TRUNK, .tag = 10});
	assert_string_equal(macs(), "1/0/01 0, 1/9/07 static");
	o_bundle(W.br, a, (struct bundle_cfg){.vlan_mode = VLAN_NATIVE_TAGGED, .tag = 10});
	assert_string_equal(macs(), "");
}

/* A port that goes takes who was behind it from the tables of other bridges, too. */
static void forgotten_elsewhere(void **state)
{
	struct ofproto *other;
	uint16_t a;

	(void)state;
	a = o_port(W.br, "p2", "", NULL);
	o_port(W.br, "x", "patch", "y");
	assert_int_equal(o_create(W.t->vx, "br1", "dummy", NULL, &other), 0);
	o_port(other, "y", "patch", "x");
	o_bundle(other, OFPORT_LOCAL, (struct bundle_cfg){.tag = -1});
	o_frame(&W, 2, 1, 0xff, -1);
	o_frame(&W, 1, 5, 0xff, -1); /* the bridge's own */
	Macs[0] = 0;
	ofproto_macs(other, add_mac, NULL);
	assert_string_equal(Macs, "1/0/01 0, 1/0/05 0");
	ofproto_bundle_del(W.br, (void *)(uintptr_t)a);
	ofproto_port_del(W.br, a, true);
	Macs[0] = 0;
	ofproto_macs(other, add_mac, NULL);
	assert_string_equal(Macs, "1/0/05 0");
	ofproto_destroy(other, true);
}

/* Where a known destination is does not depend on VLANs. */
static void known_elsewhere(void **state)
{
	static const uint64_t five[64] = {1ull << 5};
	struct mac m = t_mac("02:00:00:00:00:02");
	uint16_t was, a;

	(void)state;
	o_port(W.br, "p2", "", NULL);
	a = o_port(W.br, "p3", "", NULL);
	o_bundle(W.br, a, (struct bundle_cfg){.tag = -1, .trunks = some});
	assert_int_equal(ofproto_mac_add(W.br, a, 5, &m, &was), 0);
	assert_string_equal(o_frame(&W, 2, 1, 2, 5), "3");
	/* But in a VLAN that is flooded nobody is known. */
	ofproto_set_flood_vlans(W.br, five);
	revalidate_all(W.d, W.t->now);
	assert_string_equal(o_frame(&W, 2, 1, 2, 5), "1");
}

/* 3.1 parses one tag: what is behind an outer tag of VLAN 0, once that is off, is none to it. */
static void half_tag(void **state)
{
	struct ofproto *other;

	(void)state;
	o_port(W.br, "p2", "", NULL);
	o_port(W.br, "x", "patch", "y");
	assert_int_equal(o_create(W.t->vx, "br1", "dummy", NULL, &other), 0);
	o_port(other, "y", "patch", "x");
	o_bundle(other, OFPORT_LOCAL, (struct bundle_cfg){.tag = -1});
	o_bundle(W.br, OFPORT_LOCAL, (struct bundle_cfg){.vlan_mode = VLAN_ACCESS, .tag = 9});
	o_expect(&W,
		 "in_port(2),eth(src=02:00:00:00:00:01,dst=ff:ff:ff:ff:ff:ff),eth_type(0x8100),"
		 "vlan(vid=0,pcp=0),encap(eth_type(0x8100),vlan(vid=7,pcp=0),encap(eth_type(0x1234)"
		 "))",
		 "drop");
	assert_int_equal(W.why, DROP_normal_half_tag);
	o_expect(&W,
		 "in_port(2),eth(src=02:00:00:00:00:01,dst=ff:ff:ff:ff:ff:ff),eth_type(0x8100),"
		 "vlan(vid=6,pcp=0),encap(eth_type(0x8100),vlan(vid=7,pcp=0),encap(eth_type(0x1234)"
		 "))",
		 "3");
	ofproto_destroy(other, true);
}

/* S56 and S57. */
static const struct {
	const char *mac;
	bool passes;
} reserved[] = {
	{"01:80:c2:00:00:0f", false}, {"00:e0:2b:00:00:00", false}, {"00:e0:2b:00:00:04", false},
	{"00:e0:2b:00:00:05", true},  {"00:e0:2b:00:00:06", false}, {"01:00:0c:00:00:00", false},
	{"01:00:0c:cc:cc:bf", true},  {"01:00:0c:cc:cc:c0", false}, {"01:00:0c:cc:cc:c7", false},
	{"01:00:0c:cc:cc:c8", true},  {"01:00:0c:cc:cc:cc", false}, {"01:00:0c:cc:cc:cd", false},
	{"01:00:0c:cc:cc:ce", true},  {"01:00:0c:cd:cd:cd", false},
};

static void exceptions(void **state)
{
	static const uint64_t five[64] = {1ull << 5};

	(void)state;
	o_port(W.br, "p2", "", NULL);
	ofproto_set_flood_vlans(W.br, five);
	o_frame(&W, 2, 1, 0xff, 5);
	assert_string_equal(macs(), "");
	o_expect(&W, "in_port(2),eth(src=02:00:00:00:00:01,dst=01:80:c2:00:00:00),eth_type(0x1234)",
		 "drop");
	assert_int_equal(W.why, DROP_normal_reserved_dst);
	o_expect(&W, "in_port(2),eth(src=02:00:00:00:00:01,dst=01:80:c2:00:00:10),eth_type(0x1234)",
		 "1");
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
		char key[128];

		snprintf(key, sizeof(key),
			 "in_port(2),eth(src=02:00:00:00:00:01,dst=%s),eth_type(0x1234)",
			 reserved[i].mac);
		if (strcmp(o_packet(&W, key), reserved[i].passes ? "1" : "drop") != 0)
			fail_msg("%s", reserved[i].mac);
	}
	ofproto_set_forward_bpdu(W.br, true);
	revalidate_all(W.d, W.t->now);
	o_expect(&W, "in_port(2),eth(src=02:00:00:00:00:01,dst=01:80:c2:00:00:00),eth_type(0x1234)",
		 "1");
	ofproto_set_fail_secure(W.br, true);
	revalidate_all(W.d, W.t->now);
	assert_string_equal(o_frame(&W, 2, 1, 0xff, -1), "drop");
	assert_int_equal(W.why, DROP_fail_secure);
}

/* --- rules and flows ------------------------------------------------------------------------- */

static char Rules[512];

static int add_rule(void *ctx, const struct ofproto_rule *r)
{
	size_t n = strlen(Rules);

	(void)ctx;
	if (r->packets || !r->table)
		snprintf(Rules + n, sizeof(Rules) - n, "%u %s %s %llu/%llu %llu s;", r->table,
			 r->match, r->actions, (unsigned long long)r->packets,
			 (unsigned long long)r->bytes, (unsigned long long)(r->age / NS_PER_S));
	return 0;
}

static const char *rules_text(uint32_t n)
{
	Rules[0] = 0;
	assert_int_equal(ofproto_rules(W.br, add_rule, NULL), n);
	assert_int_equal(ofproto_rules(W.br, NULL, NULL), n);
	return Rules;
}

/* Rules count what comes to the bridge, by flows as by misses. */
static void rules(void **state)
{
	(void)state;
	o_port(W.br, "p2", "", NULL);
	for (int i = 0; i < 3; i++)
		o_frame(&W, 2, 1, 9, -1);
	o_pass(&W, 2000);
	assert_string_equal(rules_text(5), "0  NORMAL 3/300 2 s;");
	ofproto_set_fail_secure(W.br, true);
	o_pass(&W, 1000);
	for (int i = 0; i < 2; i++)
		o_frame(&W, 2, 1, 9, -1);
	o_pass(&W, 1000);
	assert_string_equal(rules_text(4), "254 reg0=0x2 drop 2/200 4 s;");
	/* The default rule is another one. */
	ofproto_set_fail_secure(W.br, false);
	o_pass(&W, 1000);
	o_frame(&W, 2, 1, 9, -1);
	assert_string_equal(rules_text(5),
			    "0  NORMAL 1/100 1 s;254 reg0=0x2 drop 2/200 5 s;");
}

static void walks(void **state)
{
	struct flow_view v;
	uint32_t want, at = 0;
	struct ofproto_mac m;

	(void)state;
	o_port(W.br, "p2", "", NULL);
	o_frame(&W, 2, 1, 9, -1);
	want = revalidate_soon(W.d);
	assert_int_not_equal(W.d->reval.walks, want);
	ofproto_run(W.br, W.t->now);
	assert_int_equal(W.d->reval.walks, want);
	assert_int_equal(W.d->reval.max_flows, 1);
	/* Whose flow it is. */
	assert_true(table_next(W.d->table, &at, &v));
	assert_true(ofproto_has_flow(W.br, &v.key));
	actions_put(v.actions);
	v.key.in_port = 77;
	assert_false(ofproto_has_flow(W.br, &v.key));
	assert_int_equal(ofproto_mac_get(W.br, 0, &(struct mac){{2, 0, 0, 0, 0, 1}}, &m), 0);
	assert_int_equal(m.ofport, 1);
	assert_int_equal(ofproto_mac_get(W.br, 1, &m.mac, &m), -ENOENT);
	dpif_set_flow_limit(W.t->vx, 3);
	for (int i = 1; i < 9; i++)
		o_frame(&W, 2, i, 9, -1);
	assert_int_equal(o_flows(&W), 3);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(vlan_in),
		T(vlan_out),
		T(tpids),
		T(composition),
		T(priorities),
		T(protected_ports),
		T(learning),
		T(ageing),
		T(limit),
		T(static_entries),
		T(forgotten),
		T(forgotten_elsewhere),
		T(known_elsewhere),
		T(half_tag),
		T(exceptions),
		T(rules),
		T(walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
