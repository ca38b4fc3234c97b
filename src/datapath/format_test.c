/* SPDX-License-Identifier: Apache-2.0 */
/* Flows as text: the lines of spec/ovs.md 5.4 and 5.6, and what comes back from them. */
#include <errno.h>

#include "datapath/action.h"
#include "datapath/dp.h"
#include "datapath/format.h"
#include "net/testing.h"

static struct text X;

static const char *key_text(const struct flow_key *k, const struct flow_key *m, uint32_t flags)
{
	text_clear(&X);
	format_key(&X, k, m, NULL, flags);
	assert_false(X.failed);
	return text_get(&X);
}

/* Read and written, a key is what it was. */
static void test_keys(void **state)
{
	static const char *const keys[] = {
		/* as captured from 3.1 */
		"recirc_id(0),in_port(5),packet_type(ns=0,id=0),eth(src=3e:58:61:33:01:20,"
		"dst=c2:37:46:a8:c6:7a),eth_type(0x0800),ipv4(tos=0/0x3,frag=no)",
		"recirc_id(0),in_port(3),packet_type(ns=0,id=0),eth(src=ca:79:91:28:cc:0f,"
		"dst=56:d2:57:d2:b2:4a),eth_type(0x0800),ipv4(dst=10.1.1.1,proto=17,frag=no),"
		"udp(dst=4789)",
		"tunnel(tun_id=0x64,src=10.1.1.2,dst=10.1.1.1,flags(-df+csum+key)),recirc_id(0),"
		"in_port(4),packet_type(ns=0,id=0),eth(src=c2:37:46:a8:c6:7a,dst=3e:58:61:33:01:20)"
		","
		"eth_type(0x0800),ipv4(frag=no)",
		"recirc_id(0),in_port(5),packet_type(ns=0,id=0),eth(src=3e:58:61:33:01:20,"
		"dst=ff:ff:ff:ff:ff:ff),eth_type(0x0806),arp(sip=192.168.10.2,tip=192.168.10.1,op="
		"1)",
		"recirc_id(0),in_port(5),packet_type(ns=0,id=0),eth(src=02:00:00:00:00:01,"
		"dst=02:00:00:00:00:02),eth_type(0x8100),vlan(vid=20,pcp=3),encap(eth_type(0x0800),"
		"ipv4(tos=0/0x3,frag=no))",
		"tunnel(tun_id=0x6,ipv6_src=fd00::2,ipv6_dst=fd00::1,flags(-df+csum+key)),recirc_"
		"id(0),"
		"in_port(4),packet_type(ns=0,id=0),eth(),eth_type(0x0800),"
		"ipv4(dst=192.168.60.2,proto=1,frag=no)",
		/* on a host underlay only the key bit is looked at (11.9) */
		"tunnel(tun_id=0x64,src=10.1.1.2,dst=10.1.1.1,flags(+key)),recirc_id(0),in_port(4),"
		"packet_type(ns=0,id=0),eth(),eth_type(0x0806)",
		/* the other members */
		"tunnel(tun_id=0x64,src=10.1.1.2,dst=10.1.1.1,tos=0x2,ttl=63,tp_src=40000,tp_dst="
		"4789,"
		"vxlan(gbp(id=85,flags=0x8)),flags(-df-csum+key)),skb_mark(0x5/0xff),recirc_id(0),"
		"in_port(4),packet_type(ns=0,id=0),"
		"eth(src=00:00:00:00:00:00/01:00:00:00:00:00,dst=02:00:00:00:00:02),"
		"eth_type(0x86dd),ipv6(src=fd00::/"
		"ffff::,dst=fd00::1,label=0x12,proto=6,tclass=0xb8/0xfc,"
		"hlimit=64,frag=first),tcp(src=80,dst=440/0xfff8),tcp_flags(+syn-ack)",
		"recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(),eth_type(0x86dd),"
		"ipv6(proto=58,frag=no),icmpv6(type=135,code=0),"
		"nd(target=fd00::9,sll=02:00:00:00:00:07)",
		"recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(),eth_type(0x0800),"
		"ipv4(src=10.0.0.0/255.0.0.0,proto=1,ttl=64,frag=no),icmp(type=8,code=0)",
		"recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(),eth_type(0x0800),"
		"ipv4(proto=132,frag=later),sctp(src=1,dst=2)",
		"recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(),eth_type(0x88a8),vlan(vid="
		"100),"
		"encap(eth_type(0x8100),vlan(vid=16/0xff0,pcp=3),encap(eth_type(0x0800),"
		"ipv4(proto=6,frag=no),tcp(dst=80),tcp_flags(psh|ack)))",
	};
	struct flow_key k, m;
	uint32_t at;

	for (uint32_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (parse_key(keys[i], NULL, &k, &m, &at) < 0)
			fail_msg("%s: at %u: %s", keys[i], at, keys[i] + at);
		assert_string_equal(key_text(&k, &m, 0), keys[i]);
	}
	(void)state;
}

/* -m: every member, with its mask. */
static void test_more(void **state)
{
	static const char line[] =
		"skb_priority(0/0),skb_mark(0/0),ct_state(0/0),ct_zone(0/0),ct_mark(0/0),"
		"ct_label(0/0),recirc_id(0),dp_hash(0/0),in_port(5),packet_type(ns=0,id=0),"
		"eth(src=02:00:00:00:00:01,dst=00:00:00:00:00:00/"
		"00:00:00:00:00:00),eth_type(0x0800),"
		"ipv4(src=0.0.0.0/0.0.0.0,dst=10.0.0.1,proto=6,tos=0/0x3,ttl=0/0,frag=no),"
		"tcp(src=0/0,dst=80),tcp_flags(0/0)";
	struct flow_key k, m;

	assert_int_equal(parse_key("in_port(5),eth(src=02:00:00:00:00:01),eth_type(0x0800),"
				   "ipv4(dst=10.0.0.1,proto=6,tos=0/0x3,frag=no),tcp(dst=80)",
				   NULL, &k, &m, NULL),
			 0);
	assert_string_equal(key_text(&k, &m, FORMAT_MORE), line);
	assert_int_equal(parse_key(line, NULL, &k, &m, NULL), 0);
	assert_string_equal(key_text(&k, &m, FORMAT_MORE), line);
	(void)state;
}

static void test_actions(void **state)
{
	static const char *const lists[] = {
		"drop",
		"5",
		"set(eth(dst=02:00:00:00:00:99)),4",
		"set(ipv4(ttl=63)),4",
		"set(ipv4(dst=9.9.9.9,tos=0xb8/0xfc)),set(udp(dst=99)),4",
		"set(skb_mark(0x5)),5",
		"push_vlan(tpid=0x88a8,vid=100,pcp=0),5",
		"set(tunnel(tun_id=0x64,dst=10.1.1.2,ttl=64,tp_dst=4789,flags(df|key))),4",
		"set(tunnel(tun_id=0x1234,dst=10.1.1.2,ttl=64,tp_dst=4790,"
		"vxlan(gbp(id=85,flags=0x8)),flags(df|key))),6",
		"set(tunnel(tun_id=0x6,ipv6_dst=fd00::2,tos=0xb8,ttl=64,tp_dst=4789,"
		"flags(df|csum|key))),4",
		"push_vlan(vid=10,pcp=0),1,clone(push_vlan(vid=7,pcp=3),3),12,pop_vlan,9,"
		"push_vlan(vid=10,pcp=0),11",
		"userspace(pid=0,controller(reason=1,dont_send=1,continuation=0,recirc_id=1,"
		"rule_cookie=0,controller_id=0,max_len=64))",
		"userspace(pid=7,slow_path(controller))",
		"userspace(pid=7,slow_path(lacp|stp)),1",
		"clone(1,clone(2)),drop",
		"set(ipv6(src=fd00::1,label=0x5,tclass=0x3/0x3,hlimit=9)),set(tcp(src=1,dst=2)),"
		"set(sctp(src=16/0xff0)),set(skb_mark(0x1/0xf)),1",
	};
	struct actions *a;
	uint32_t at;

	for (uint32_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (parse_actions(lists[i], NULL, &a, &at) < 0)
			fail_msg("%s: at %u: %s", lists[i], at, lists[i] + at);
		text_clear(&X);
		format_actions(&X, a, NULL, 0);
		assert_string_equal(text_get(&X), lists[i]);
		actions_put(a);
	}
	(void)state;
}

#define DEEP "clone(clone(clone(clone(clone(clone(clone(clone(clone(1)))))))))"

static void test_bad(void **state)
{
	static const struct {
		const char *s;
		uint32_t at;
	} keys[] = {
		{"foo(1)", 0},
		{"in_port(x)", 9},
		{"in_port(1", 9},
		{"eth(src=1)", 9},
		{"eth(dst=02:00:00:00:00:01;)", 26},
		{"ipv4(tos=256)", 12},
		{"ipv4(src=::1)", 12},
		{"tcp(dst=1)x", 10},
		{"encap(eth_type(0x0800)", 22},
		{"ipv4(ttl=-1)", 11},
		{"vlan(vid=4096)", 13},
		{"tcp_flags(+foo)", 11},
		{"eth_type(0x86dd),arp(op=1)", 17},
		{"eth_type(0x0800),ipv4(ttl=1),ipv4(tos=0)", 29},
		{"ipv4(ttl=1),eth_type(0x0806)", 21},
	};
	static const char *const lists[] = {"",
					    "1,",
					    "foo",
					    "set(",
					    "set(eth(src=1))",
					    "clone(1",
					    "1)",
					    "push_vlan(vid=1)",
					    "set(ipv4(proto=6)),1",
					    "set(arp(op=1)),1",
					    "65536",
					    "userspace(pid=1",
					    DEEP};
	struct flow_key k, m;
	struct actions *a = NULL;
	uint32_t at;

	for (uint32_t i = 0; i < ARRAY_LEN(keys); i++) {
		assert_int_equal(parse_key(keys[i].s, NULL, &k, &m, &at), -EINVAL);
		if (at != keys[i].at)
			fail_msg("%s: at %u, not %u", keys[i].s, at, keys[i].at);
	}
	for (uint32_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (parse_actions(lists[i], NULL, &a, &at) != -EINVAL)
			fail_msg("%s was taken", lists[i]);
		assert_null(a);
	}
	(void)state;
}

/* A whole line, with ports by name. */
static void test_flow(void **state)
{
	struct t_net *t = t_new();
	struct flow_view v = {.stats = {.packets = 2, .bytes = 196}};
	uint64_t now = 5000 * NS_PER_S;
	struct vport *port;
	struct dp *dp;

	t_add_port(t, "h0", T_ME, NULL);
	assert_int_equal(dp_new(t->vx, "ovs-system", NULL, &dp), 0);
	assert_int_equal(vport_new(dp, "h0", 5, false, NULL, &port), 0);
	assert_int_equal(parse_key("in_port(h0),eth_type(0x0806)", dp, &v.key, &v.mask, NULL), 0);
	assert_int_equal(v.key.in_port, 5);
	assert_int_equal(parse_actions("h0,6,ovs-system", dp, &v.actions, NULL), 0);
	text_clear(&X);
	format_flow(&X, &v, dp, now, 0);
	assert_string_equal(text_get(&X),
			    "recirc_id(0),in_port(5),packet_type(ns=0,id=0),eth(),"
			    "eth_type(0x0806), packets:2, bytes:196, used:never, actions:5,6,0");
	v.stats.used = now - 7 * NS_PER_MS;
	v.stats.tcp_flags = 0x1b;
	v.ufid[0] = 0x65c93f069f094b62;
	v.ufid[1] = 0xb309951c36d3d98a;
	text_clear(&X);
	format_flow(&X, &v, dp, now, FORMAT_NAMES);
	assert_string_equal(text_get(&X),
			    "recirc_id(0),in_port(h0),packet_type(ns=0,id=0),eth(),"
			    "eth_type(0x0806), packets:2, bytes:196, used:0.007s, flags:SFP., "
			    "actions:h0,6,ovs-system");
	text_clear(&X);
	format_flow(&X, &v, dp, now + 8 * NS_PER_S, FORMAT_NAMES | FORMAT_MORE);
	assert_string_equal(text_get(&X),
			    "ufid:65c93f06-9f09-4b62-b309-951c36d3d98a, skb_priority(0/0),"
			    "skb_mark(0/0),ct_state(0/0),ct_zone(0/0),ct_mark(0/0),ct_label(0/0),"
			    "recirc_id(0),dp_hash(0/0),in_port(h0),packet_type(ns=0,id=0),"
			    "eth(src=00:00:00:00:00:00/00:00:00:00:00:00,"
			    "dst=00:00:00:00:00:00/00:00:00:00:00:00),eth_type(0x0806),"
			    "arp(sip=0.0.0.0/0.0.0.0,tip=0.0.0.0/0.0.0.0,op=0/0,"
			    "sha=00:00:00:00:00:00/00:00:00:00:00:00,"
			    "tha=00:00:00:00:00:00/00:00:00:00:00:00), packets:2, bytes:196, "
			    "used:8.007s, flags:SFP., dp:ovs, actions:h0,6,ovs-system");
	/* As dpif/dump-flows has it; a line behind another begins like the first. */
	text_clear(&X);
	for (int i = 0; i < 2; i++) {
		format_flow(&X, &v, dp, now, FORMAT_BRIDGE | (i ? 0 : FORMAT_MORE));
		text_printf(&X, "\n");
	}
	assert_non_null(strstr(text_get(&X), "ufid:65c93f06-9f09-4b62-b309-951c36d3d98a skb_"));
	assert_non_null(strstr(text_get(&X), "flags:SFP., actions:5,6,0\nrecirc_id(0),in_port(5)"));
	actions_put(v.actions);
	t_end(t);
	(void)state;
}

static int done(void **state)
{
	text_done(&X);
	(void)state;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),	cmocka_unit_test(test_more),
		cmocka_unit_test(test_actions), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_flow),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
