/* SPDX-License-Identifier: Apache-2.0 */
/* Flows as OpenFlow's text: what 3.1 prints of what it takes, and its words for what it does not.
 * (test/peer/ovs_trace_test.sh asks 3.1 itself.) */
#include "ovs/flow_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/format.h"
#include "ovs/testing.h"
#include "wire/eth.h"

#define ETH    "vlan_tci=0x0000,dl_src=00:00:00:00:00:00,dl_dst=00:00:00:00:00:00"
#define TAGGED ",vlan_tci1=0x0000,dl_src=00:00:00:00:00:00,dl_dst=00:00:00:00:00:00"
#define IP4    "nw_src=0.0.0.0,nw_dst=0.0.0.0"
#define IP6    "ipv6_src=::,ipv6_dst=::,ipv6_label=0x00000"
#define REST   "nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=no"
#define OTHER  "tun_erspan_ver=0,gtpu_flags=0,gtpu_msgtype=0"

static const struct {
	const char *text, *want;
} good[] = {
	{"", "in_port=ANY," ETH ",dl_type=0x0000"},
	{"in_port=1", "in_port=1," ETH ",dl_type=0x0000"},
	{"in_port=h0", "in_port=7," ETH ",dl_type=0x0000"},
	{"in_port=\"h0\" dl_type:0x88cc", "in_port=7," ETH ",dl_type=0x88cc"},
	{"in_port(local),,", "in_port=LOCAL," ETH ",dl_type=0x0000"},
	{"ip,in_port=1", "ip,in_port=1," ETH "," IP4 ",nw_proto=0," REST},
	{"in_port=1,tcp,nw_src=10.0.0.1/32,tp_dst=80,tcp_flags=syn|0x10",
	 NULL}, /* a number is no name */
	{"in_port=1,tcp,nw_src=10.0.0.1/32,tp_dst=80,tcp_flags=syn|ack",
	 "tcp,in_port=1," ETH ",nw_src=10.0.0.1,nw_dst=0.0.0.0," REST
	 ",tp_src=0,tp_dst=80,tcp_flags=syn|ack"},
	{"in_port=1,udp6,udp_src=5", "udp6,in_port=1," ETH "," IP6 "," REST ",tp_src=5,tp_dst=0"},
	{"in_port=1,icmp,icmp_type=8",
	 "icmp,in_port=1," ETH "," IP4 "," REST ",icmp_type=8,icmp_code=0"},
	{"in_port=1,icmp6,icmpv6_type=135,nd_target=fe80::1",
	 "icmp6,in_port=1," ETH "," IP6 "," REST ",icmp_type=135,icmp_code=0,nd_target=fe80::1,"
	 "nd_sll=00:00:00:00:00:00,nd_tll=00:00:00:00:00:00"},
	{"in_port=1,tcp,nw_frag=later",
	 "tcp,in_port=1," ETH "," IP4 ",nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=later"},
	{"in_port=1,ip,nw_tos=0xb9,ip_ecn=6,nw_ttl=010",
	 "ip,in_port=1," ETH "," IP4 ",nw_proto=0,nw_tos=184,nw_ecn=2,nw_ttl=8,nw_frag=no"},
	{"in_port=1,arp,arp_op=300,arp_spa=1.2.3.4",
	 "arp,in_port=1," ETH ",arp_spa=1.2.3.4,arp_tpa=0.0.0.0,arp_op=44,"
	 "arp_sha=00:00:00:00:00:00,arp_tha=00:00:00:00:00:00"},
	{"in_port=1,dl_vlan=5", "in_port=1,dl_vlan=5,dl_vlan_pcp=0" TAGGED ",dl_type=0x0000"},
	{"in_port=1,dl_vlan_pcp=3,dl_vlan=0x1007",
	 "in_port=1,dl_vlan=7,dl_vlan_pcp=3" TAGGED ",dl_type=0x0000"},
	{"in_port=1,dl_vlan=0xffff", "in_port=1," ETH ",dl_type=0x0000"},
	{"in_port=1,vlan_vid=5", "in_port=1,vlan_tci=0x0005" TAGGED ",dl_type=0x0000"},
	{"in_port=1,pkt_mark=5,skb_priority=6",
	 "pkt_mark=0x5,skb_priority=0x6,in_port=1," ETH ",dl_type=0x0000"},
	{"in_port=1,tun_id=9", "tun_id=0x9,in_port=1," ETH ",dl_type=0x0000"},
	{"in_port=1,tun_dst=1.2.3.4,tun_id=9,tun_tos=18",
	 "tun_src=0.0.0.0,tun_dst=1.2.3.4,tun_ipv6_src=::,tun_ipv6_dst=::,tun_gbp_id=0,"
	 "tun_gbp_flags=0,tun_tos=12,tun_ttl=0," OTHER ",tun_flags=0,in_port=1," ETH
	 ",dl_type=0x0000"},
};

#define BAD(value, what) ": bad value for " value " (" what ")"

static const struct {
	const char *text, *want; /* behind the text itself */
} wrong[] = {
	{"foo", ": unknown field foo"},
	{"=5", ": unknown field "},
	{"reg0=1", ": packets have no field reg0"},
	{"ct_state=trk", ": packets have no field ct_state"},
	{"nw_src=1.2.3.4,ip", ": prerequisites not met for setting nw_src"},
	{"udp,tp_src=5", ": prerequisites not met for setting tp_src"},
	{"ip,tcp", ": Ethernet type set multiple times"},
	{"dl_vlan=5,vlan_tci=0x1006", ": field vlan_tci set multiple times"},
	{"in_port=h1", BAD("in_port", "h1: invalid or unknown port for in_port")},
	{"in_port=65536", BAD("in_port", "65536: invalid or unknown port for in_port")},
	{"dl_src=1:2", BAD("dl_src", "1:2: invalid Ethernet address")},
	{"ip,nw_src=::1", BAD("nw_src", "::1: invalid IP address")},
	{"ip,nw_src=1.0.0.0/8", BAD("nw_src", "1.0.0.0/8: wildcards not allowed here")},
	{"ipv6,ipv6_src=::ffff:1.2.3.4",
	 BAD("ipv6_src", "::ffff:1.2.3.4: invalid IPv6 address")}, /* no key has it */
	{"tcp,tp_src=70000", BAD("tp_src", "70000: value too large for 2-byte field tcp_src")},
	{"ip,nw_ttl=-1", BAD("nw_ttl", "-1: value too large for 1-byte field nw_ttl")},
	{"ip,nw_ttl=5/3", BAD("nw_ttl", "5/3: invalid mask for field nw_ttl")},
	{"tun_id=1/2", BAD("tun_id", "1/2: wildcards not allowed here")},
	{"tun_id=x", BAD("tun_id", "x: bad syntax for tun_id value")},
	{"tcp,tcp_flags=+syn", BAD("tcp_flags", "+syn: wildcards not allowed here")},
	{"tun_flags=df", BAD("tun_flags", "df: unknown tunnel flag(s)")},
};

static void texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct text out = {0}, err = {0};
		struct flow_key k;
		int r = flow_parse(good[i].text, &ports, &k, &err);

		if ((r < 0) != !good[i].want || (r < 0) != (err.len != 0))
			fail_msg("%s: %d: %s", good[i].text, r, text_get(&err));
		if (r == 0)
			flow_put(&out, &k, NULL);
		if (r == 0 && strcmp(text_get(&out), good[i].want))
			fail_msg("%s:\n%s, not\n%s", good[i].text, text_get(&out), good[i].want);
		text_done(&out);
		text_done(&err);
	}
}

static void errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct text err = {0};
		struct flow_key k;
		char want[200];

		snprintf(want, sizeof(want), "%s%s", wrong[i].text, wrong[i].want);
		if (flow_parse(wrong[i].text, &ports, &k, &err) == 0 ||
		    strcmp(text_get(&err), want))
			fail_msg("%s: %s", want, text_get(&err));
		text_done(&err);
	}
}

/* What is not looked at is not there. */
static void masked(void **state)
{
	struct flow_key k, m = {.in_port = UINT32_MAX, .recirc_id = UINT32_MAX};
	struct text out = {0};

	(void)state;
	assert_int_equal(flow_parse("in_port=7,tcp,nw_src=10.1.2.3,nw_tos=8,nw_ecn=1,dl_vlan=9,"
				    "tun_dst=4.3.2.1,tun_id=5,tcp_src=80",
				    &ports, &k, NULL),
			 0);
	m.eth_type = be16_put(UINT16_MAX);
	m.ip_frag = FRAG_MASK;
	flow_put_masked(&out, &k, &m, &ports);
	assert_string_equal(text_get(&out), "recirc_id=0,eth,ip,in_port=h0,nw_frag=no");
	text_clear(&out);
	m.vlan[0].tci = be16_put(VLAN_PRESENT | VLAN_VID);
	m.ip_tos = 3;
	m.ip_src.w[3] = be32_put(0xffff0000);
	m.tun.id = UINT64_MAX;
	m.tun.flags = TUN_DF | TUN_KEY;
	memset(&m.tun.dst, 0xff, sizeof(m.tun.dst));
	k.tun.flags |= TUN_KEY;
	flow_put_masked(&out, &k, &m, NULL);
	assert_string_equal(text_get(&out),
			    "recirc_id=0,eth,ip,tun_id=0x5,tun_dst=4.3.2.1,tun_flags=-df+key,"
			    "in_port=7,dl_vlan=9,nw_src=10.1.2.3/255.255.0.0,nw_ecn=1,nw_frag=no");
	text_done(&out);
}

static bool meets(const char *match, const char *flow)
{
	struct flow_key k, m, key, mask;
	struct text err = {0};

	if (flow_parse_match(match, &ports, &k, &m, &err) < 0)
		fail_msg("%s", text_get(&err));
	assert_int_equal(parse_key(flow, NULL, &key, &mask, NULL), 0);
	mask_finish(&mask);
	return flow_overlaps(&k, &m, &key, &mask);
}

/* A match names some fields; a flow that does not look at them can be of its packets. */
static void matches(void **state)
{
	static const char ip[] = "in_port(7),eth(dst=02:00:00:00:00:01),eth_type(0x0800),"
				 "ipv4(dst=10.1.0.0/255.255.0.0,tos=0x1/0x3,frag=no)";
	static const char tagged[] = "in_port(3),eth(),eth_type(0x8100),vlan(vid=10),"
				     "encap(eth_type(0x0806),arp(op=1))";

	(void)state;
	assert_true(meets("", ip));
	assert_true(meets("ip", ip));
	assert_false(meets("ipv6", ip));
	assert_true(meets("in_port=h0", ip));
	assert_false(meets("in_port=3", ip));
	assert_true(meets("tcp,tp_dst=80", ip));
	assert_true(meets("ip,nw_dst=10.1.2.3", ip));
	assert_false(meets("ip,nw_dst=10.2.2.3", ip));
	assert_true(meets("ip,nw_ecn=1,nw_tos=0x10", ip));
	assert_false(meets("ip,nw_ecn=2", ip));
	assert_false(meets("ip,ip_frag=later", ip));
	assert_false(meets("dl_dst=02:00:00:00:00:02", ip));
	assert_false(meets("dl_vlan=10", ip));
	assert_true(meets("dl_vlan=65535", ip));
	assert_false(meets("dl_vlan=65535", tagged));
	assert_true(meets("dl_vlan=10,dl_vlan_pcp=3,arp,arp_op=1", tagged));
	assert_false(meets("vlan_vid=0x1014", tagged));
	assert_false(meets("arp,arp_op=2", tagged));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(errors),
		cmocka_unit_test(masked),
		cmocka_unit_test(matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
