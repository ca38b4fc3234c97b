/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines to messages: a line, then the message, decoded, or the error's exit code and text.
 * Texts and codes are iproute2's: spec/vxlan.md 1.3, 4.10, 9.1.
 */
#include "ctl/words.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "ctl/rtnl.h"

struct row {
	const char *line;
	int exit_code;
	const char *want; /* the message; the error's beginning */
};

static uint32_t ifindex(void *ctx, const char *name)
{
	static const struct {
		const char *name;
		uint32_t index;
	} devs[] = {{"vx", 7}, {"eth0", 2}, {"br0", 8}};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(devs); i++)
		if (!strcmp(devs[i].name, name))
			return devs[i].index;
	return 0;
}

/* --- decoding ----------------------------------------------------------------------------------- */

static void put_hex(struct text *t, const struct nlattr *a)
{
	const uint8_t *p = mnl_attr_get_payload(a);

	text_printf(t, " %u:", mnl_attr_get_type(a));
	for (uint32_t i = 0; i < mnl_attr_get_payload_len(a); i++)
		text_printf(t, "%02x", p[i]);
}

static void put_linkinfo(struct text *t, const struct nlattr *info)
{
	const struct nlattr *a, *b;

	mnl_attr_for_each_nested(a, info) {
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND) {
			text_printf(t, " %s{", mnl_attr_get_str(a));
		} else {
			mnl_attr_for_each_nested(b, a)
				put_hex(t, b);
		}
	}
	text_printf(t, " }");
}

static void put_attrs(struct text *t, const struct nlmsghdr *nlh, unsigned int at, bool link)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, at) {
		if (link && mnl_attr_get_type(a) == IFLA_IFNAME)
			text_printf(t, " name %s", mnl_attr_get_str(a));
		else if (link && mnl_attr_get_type(a) == IFLA_LINKINFO)
			put_linkinfo(t, a);
		else if (!link || mnl_attr_get_type(a) != IFLA_VX_MAKER)
			put_hex(t, a);
	}
}

static void decode(struct text *t, const struct nlmsghdr *nlh)
{
	static const char *const names[] = {
		[RTM_NEWLINK] = "newlink",   [RTM_DELLINK] = "dellink",	  [RTM_NEWNEIGH] = "newneigh",
		[RTM_DELNEIGH] = "delneigh", [RTM_NEWADDR] = "newaddr",	  [RTM_DELADDR] = "deladdr",
		[RTM_NEWROUTE] = "newroute", [RTM_DELROUTE] = "delroute",
	};
	const void *head = mnl_nlmsg_get_payload(nlh);
	const struct ifinfomsg *ifi = head;
	const struct ndmsg *ndm = head;
	const struct ifaddrmsg *ifa = head;
	const struct rtmsg *rt = head;
	bool is_new = (nlh->nlmsg_type & 3) == 0;

	assert_int_equal(nlh->nlmsg_flags & (NLM_F_REQUEST | NLM_F_ACK), NLM_F_REQUEST | NLM_F_ACK);
	text_printf(t, "%s%s%s%s%s", names[nlh->nlmsg_type],
		    is_new && nlh->nlmsg_flags & NLM_F_EXCL ? " excl" : "",
		    is_new && nlh->nlmsg_flags & NLM_F_REPLACE ? " repl" : "",
		    is_new && nlh->nlmsg_flags & NLM_F_APPEND ? " app" : "",
		    !is_new && nlh->nlmsg_flags & 0x200 ? " bulk" : "");
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		text_printf(t, " %d", ifi->ifi_index);
		if (ifi->ifi_change)
			text_printf(t, " %s", ifi->ifi_flags & IFF_UP ? "up" : "down");
		put_attrs(t, nlh, sizeof(*ifi), true);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		text_printf(t, " %d f%u s%02x n%02x", ndm->ndm_ifindex, ndm->ndm_family,
			    ndm->ndm_state, ndm->ndm_flags);
		put_attrs(t, nlh, sizeof(*ndm), false);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		text_printf(t, " %u f%u /%u", ifa->ifa_index, ifa->ifa_family, ifa->ifa_prefixlen);
		put_attrs(t, nlh, sizeof(*ifa), false);
		break;
	default:
		text_printf(t, " f%u /%u t%u", rt->rtm_family, rt->rtm_dst_len, rt->rtm_type);
		put_attrs(t, nlh, sizeof(*rt), false);
	}
}

static void run(const struct row *rows, size_t n)
{
	int bad = 0;

	for (size_t i = 0; i < n; i++) {
		static struct words x;
		struct text t = {0};
		char line[1024], *argv[128];
		int argc = 0, r;

		x.ifindex = ifindex;
		snprintf(line, sizeof(line), "%s", rows[i].line);
		for (char *w = strtok(line, " "); w; w = strtok(NULL, " "))
			argv[argc++] = w;
		r = words_parse(&x, argc, argv);
		if (r == 0)
			decode(&t, x.nlh);
		else
			text_printf(&t, "%s", x.error);
		if ((r < 0 ? x.exit_code : 0) != rows[i].exit_code ||
		    (r < 0 ? strncmp(text_get(&t), rows[i].want, strlen(rows[i].want))
			   : strcmp(text_get(&t), rows[i].want))) {
			print_message("%s:\n %d %s\nnot\n %d %s\n", rows[i].line, x.exit_code,
				      text_get(&t), rows[i].exit_code, rows[i].want);
			bad++;
		}
		text_done(&t);
	}
	assert_int_equal(bad, 0);
}

/* --- link ---------------------------------------------------------------------------------------- */

#define L "link add v type vxlan "
#define N "newlink excl 0 vxlan{ 1:64000000"

static const struct row vxlan_rows[] = {
	{L "id 100", 0, N " } name v"},
	{L "vni 0x64", 0, N " } name v"},
	{L "i 100", 0, N " } name v"},
	{"link add name v up type vxlan id 100", 0, "newlink excl 0 up vxlan{ 1:64000000 } name v"},
	{"link add v mtu 1400 address 2:0:0:0:0:1 nohost type vxlan id 100", 0,
	 "newlink excl 0 4:78050000 1:020000000001 8192: vxlan{ 1:64000000 } name v"},
	{"link add type vxlan id 100", 0, N " }"},
	{L "id 100 remote 10.0.0.2 local 10.0.0.1 dev eth0", 0,
	 N " 2:0a000002 4:0a000001 3:02000000 } name v"},
	{L "id 100 remote fd00::2", 0, N " 16:fd000000000000000000000000000002 } name v"},
	{L "id 100 remote 0.0.0.0", 0, N " 2:00000000 } name v"},
	{L "id 100 ttl 64 tos 0x10 df set", 0, N " 5:40 6:10 29:01 } name v"},
	{L "id 100 hoplimit 1 dsfield inherit df inherit", 0, N " 5:01 6:01 29:02 } name v"},
	{L "id 100 ttl auto", 0, N " 5:00 } name v"},
	{L "id 100 ttl inherit", 0, N " 28: } name v"},
	{L "id 100 flowlabel 0xabcde", 0, N " 26:000abcde } name v"},
	{L "id 100 flowlabel inherit", 0, N " 32:01000000 } name v"},
	{L "id 100 ageing 10 maxaddress 5", 0, N " 8:0a000000 9:05000000 } name v"},
	{L "id 100 ageing none maxaddress unlimited", 0, N " 8:00000000 9:00000000 } name v"},
	{L "id 100 srcport 5000 5003 dstport 4789", 0, N " 10:1388138b 15:12b5 } name v"},
	{L "id 100 port 0 0", 0, N " } name v"},
	{L "id 100 nolearning noproxy norsc nol2miss nol3miss", 0,
	 N " 7:00 11:00 12:00 13:00 14:00 } name v"},
	{L "id 100 learning proxy rsc l2miss l3miss", 0, N " 7:01 11:01 12:01 13:01 14:01 } name v"},
	{L "id 100 noudpcsum udp6zerocsumtx udp6zerocsumrx remcsumtx noremcsumrx", 0,
	 N " 18:00 19:01 20:01 21:01 22:00 } name v"},
	{L "id 100 gbp", 0, N " 23: } name v"},
	{L "id 100 nolocalbypass reserved_bits 0xf7ffffff00000000", 0,
	 N " 31:00 33:f7ffffff00000000 } name v"},
	{L "id 100 peers known", 0, N " 8193:01 } name v"},
	{L "external dstport 4789", 0, "newlink excl 0 vxlan{ 25:01 15:12b5 7:00 } name v"},
	/* 1.3 */
	{L, 1, "vxlan: missing virtual network identifier"},
	{L "dstport 4789", 1, "vxlan: missing virtual network identifier"},
	{L "external id 1", 1, "vxlan: both 'external' and vni cannot be specified"},
	{L "id 1 vnifilter", 1, "vxlan: vnifilter is valid only when 'external' is set"},
	{L "id 1 remote 10.0.0.2 group 239.1.1.1 dev eth0", 1,
	 "vxlan: both group and remote cannot be specified"},
	{L "id 1 group 239.1.1.1", 1, "vxlan: 'group' requires 'dev' to be specified"},
	{L "id 1 id 2", 255, "Error: either \"id\" is duplicate, or \"2\" is garbage."},
	{L "id 1 ttl 5 ttl 6", 255, "Error: either \"ttl\" is duplicate, or \"6\" is garbage."},
	{L "id 1 dstport 5 dstport 6", 255, "Error: either \"dstport\" is duplicate, or \"6\" is garbage."},
	{L "id 1 local 10.0.0.1 remote fd00::2", 1,
	 "Error: inet address is expected rather than \"fd00::2\"."},
	{L "id 1 remote fd00::2 local 10.0.0.1", 1,
	 "Error: inet6 address is expected rather than \"10.0.0.1\"."},
	/* 9.1 */
	{L "id 16777216", 255, "Error: argument \"16777216\" is wrong: invalid id"},
	{L "id x", 255, "Error: argument \"x\" is wrong: invalid id"},
	{L "id -1", 255, "Error: argument \"-1\" is wrong: invalid id"},
	{L "id 1 group 10.0.0.2 dev eth0", 255, "Error: argument \"10.0.0.2\" is wrong: invalid group address"},
	{L "id 1 remote 239.1.1.1", 255, "Error: argument \"239.1.1.1\" is wrong: invalid remote address"},
	{L "id 1 local 239.1.1.1", 255, "Error: argument \"239.1.1.1\" is wrong: invalid local address"},
	{L "id 1 ttl 256", 255, "Error: argument \"256\" is wrong: TTL must be <= 255"},
	{L "id 1 ttl x", 255, "Error: argument \"x\" is wrong: invalid TTL"},
	{L "id 1 tos 0x100", 255, "Error: argument \"0x100\" is wrong: bad TOS value"},
	{L "id 1 df maybe", 255,
	 "Error: argument \"maybe\" is wrong: DF must be 'unset', 'set' or 'inherit'"},
	{L "id 1 flowlabel 0x100000", 255, "Error: argument \"0x100000\" is wrong: invalid flowlabel"},
	{L "id 1 dstport 65536", 255, "Error: argument \"65536\" is wrong: dst port"},
	{L "id 1 srcport x 5", 255, "Error: argument \"x\" is wrong: min port"},
	{L "id 1 srcport 5 65536", 255, "Error: argument \"65536\" is wrong: max port"},
	{L "id 1 ageing x", 255, "Error: argument \"x\" is wrong: ageing timer"},
	{L "id 1 maxaddress x", 255, "Error: argument \"x\" is wrong: max addresses"},
	{L "id 1 reserved_bits x", 255, "Error: argument \"x\" is wrong: reserved_bits"},
	{L "id 1 peers some", 255, "Error: argument \"some\" is wrong: must be 'any' or 'known'"},
	{L "id", 255, "Command line is not complete. Try option \"help\""},
	{L "id 1 srcport 5", 255, "Command line is not complete. Try option \"help\""},
	{L "id 1 dev nope", 255, "Cannot find device \"nope\""},
	{L "id 1 nonsense", 1, "vxlan: unknown command \"nonsense\"?"},
	{L "id 1 localby", 1, "vxlan: unknown command \"localby\"?"}, /* exact words only */
	{L "id 1 reserved 0", 1, "vxlan: unknown command \"reserved\"?"},
};

static const struct row set_rows[] = {
	{"link set vx up", 0, "newlink 7 up"},
	{"link set dev vx down", 0, "newlink 7 down"},
	{"link set vx mtu 1400 up", 0, "newlink 7 up 4:78050000"},
	{"link set vx address 02:00:00:00:00:01", 0, "newlink 7 1:020000000001"},
	{"link set vx master br0", 0, "newlink 7 10:08000000"},
	{"link set vx nomaster", 0, "newlink 7 10:00000000"},
	{"link set vx type vxlan ttl 7", 0, "newlink 7 vxlan{ 5:07 }"},
	{"link set vx name v9", 0, "newlink 7 name v9"},
	{"link set name v9 dev vx up", 0, "newlink 7 up name v9"},
	{"link set name vx up", 0, "newlink 7 up"}, /* as ip: the device's, where there is no other */
	{"link set vx name vx", 0, "newlink 7"},
	{"link set vx name", 255, "Command line is not complete. Try option \"help\""},
	{"link set vx name v8 name v9", 255, "Error: either \"name\" is duplicate"},
	{"link set vx br0", 255, "Error: either \"dev\" is duplicate"},
	{"link set vx name a/b", 255, "Error: argument \"a/b\" is wrong: \"name\" not a valid ifname"},
	{"link del name vx", 0, "dellink 7"},
	{"link del vx", 0, "dellink 7"},
	{"li de vx", 0, "dellink 7"},
	{"link set", 255, "Not enough"},
	{"link del", 255, "Not enough"},
	{"link set nope up", 1, "Cannot find device \"nope\""},
	{"link del nope", 1, "Cannot find device \"nope\""},
	{"link set vx mtu x", 255, "Error: argument \"x\" is wrong: Invalid \"mtu\" value"},
	{"link set vx mtu", 255, "Command line is not complete. Try option \"help\""},
	{"link set vx address 02:00:00:00:00", 255, "\"02:00:00:00:00\" is invalid lladdr."},
	{"link set vx master nope", 255, "Error: argument \"nope\" is wrong: Device does not exist"},
	{"link add averyveryverylongname type vxlan id 1", 255,
	 "Error: argument \"averyveryverylongname\" is wrong: \"name\" not a valid ifname"},
	{"link add a/b type vxlan id 1", 255,
	 "Error: argument \"a/b\" is wrong: \"name\" not a valid ifname"},
	{"link add v", 255, "Not enough information: \"type\" argument is required"},
	{"link add v type", 255, "Command line is not complete. Try option \"help\""},
	{"link add v type nope", 255, "Garbage instead of arguments"},
	{"link frobnicate", 255, "\"link frobnicate\" is no command"},
	{"", 255, "\"\" is no command"},
};

/* --- fdb ------------------------------------------------------------------------------------------ */

#define F "fdb add 02:00:00:00:00:01 dev vx "
#define M "newneigh excl 7 f7 sc0 n02"
#define MAC " 2:020000000001"

static const struct row fdb_rows[] = {
	{F "dst 10.0.0.2", 0, M " 1:0a000002" MAC},
	{"fdb append to 02:00:00:00:00:01 dev vx dst fd00::2", 0,
	 "newneigh app 7 f7 sc0 n02 1:fd000000000000000000000000000002" MAC},
	{"fdb replace 2:0:0:0:0:1 dev vx dst 10.0.0.2", 0,
	 "newneigh repl 7 f7 sc0 n02 1:0a000002" MAC},
	{"fdb del 02:00:00:00:00:01 dev vx", 0, "delneigh 7 f7 sc0 n02" MAC},
	{"fdb del 02:00:00:00:00:01 dev vx dst 10.0.0.2 port 5000", 0,
	 "delneigh 7 f7 sc0 n02 1:0a000002 6:1388" MAC},
	/* States (4.2). */
	{F "dst 10.0.0.2 permanent", 0, M " 1:0a000002" MAC},
	{F "dst 10.0.0.2 local", 0, M " 1:0a000002" MAC},
	{F "dst 10.0.0.2 static", 0, "newneigh excl 7 f7 s42 n02 1:0a000002" MAC},
	{F "dst 10.0.0.2 temp", 0, "newneigh excl 7 f7 s42 n02 1:0a000002" MAC},
	{F "dst 10.0.0.2 dynamic", 0, "newneigh excl 7 f7 s02 n02 1:0a000002" MAC},
	{F "dst 10.0.0.2 dyn", 0, "newneigh excl 7 f7 s02 n02 1:0a000002" MAC},
	/* Flags. */
	{F "dst 10.0.0.2 self router extern_learn", 0, "newneigh excl 7 f7 sc0 n92 1:0a000002" MAC},
	{F "dst 10.0.0.2 master", 0, "newneigh excl 7 f7 sc0 n04 1:0a000002" MAC},
	{F "dst 10.0.0.2 self master", 0, "newneigh excl 7 f7 sc0 n06 1:0a000002" MAC},
	{F "dst 10.0.0.2 use", 0, "newneigh excl 7 f7 sc0 n03 1:0a000002" MAC},
	{F "dst 10.0.0.2 sticky", 0, "newneigh excl 7 f7 sc0 n42 1:0a000002" MAC},
	/* Values. */
	{F "dst 10.0.0.2 vni 0x37 port 5000 via eth0 src_vni 7 vlan 5", 0,
	 M " 1:0a000002 7:37000000 6:1388 8:02000000 11:07000000 5:0500" MAC},
	{F "nhid 5", 0, M " 13:05000000" MAC},
	/* 4.10 */
	{F "dst 10.0.0.2 vni 16777216", 255, "Error: argument \"16777216\" is wrong: invalid VNI"},
	{F "dst 10.0.0.2 port 70000", 255, "Error: argument \"70000\" is wrong: invalid port"},
	{"fdb add 02:00:00:00:01 dev vx dst 10.0.0.2", 255, "Invalid mac address 02:00:00:00:01"},
	{"fdb add -1:+2:00:00:00:01 dev vx dst 10.0.0.2", 255, "Invalid mac address -1:+2:00:00:00:01"},
	{"fdb add 02:00:00:00:00:01 dst 10.0.0.2", 255, "Device and address are required arguments."},
	{"fdb add dev vx dst 10.0.0.2", 255, "Device and address are required arguments."},
	{"fdb add 02:00:00:00:00:01 dev x dst 10.0.0.2", 255, "Cannot find device \"x\""},
	{F "dst 10.0.0.2 via x", 255, "Cannot find device \"x\""},
	{F "dst 10.0.0.2 dst 10.0.0.3", 255,
	 "Error: either \"dst\" is duplicate, or \"10.0.0.3\" is garbage."},
	{F "dst x", 1, "Error: any valid"},
	{F "dst", 255, "Command line is not complete. Try option \"help\""},
	{F "dst 10.0.0.2 nhid 5", 255, "dst, port, vni are mutually exclusive with nhid"},
	{F "dst 10.0.0.2 nonsense", 255, "Error: either \"to\" is duplicate, or \"nonsense\" is garbage."},
	/* 4.6 */
	{"fdb flush dev vx", 0, "delneigh bulk 7 f7 s00 n02"},
	{"fdb flush dev vx permanent", 0, "delneigh bulk 7 f7 s80 n02 16:8000"},
	{"fdb flush dev vx nopermanent", 0, "delneigh bulk 7 f7 s00 n02 16:8000"},
	{"fdb flush dev vx static", 0, "delneigh bulk 7 f7 s40 n02 16:c000"},
	{"fdb flush dev vx dynamic", 0, "delneigh bulk 7 f7 s00 n02 16:c000"},
	{"fdb flush dev vx router noextern_learn", 0, "delneigh bulk 7 f7 s00 n82 17:90"},
	{"fdb flush dev vx dst 10.0.0.2 port 5 vni 6 via eth0", 0,
	 "delneigh bulk 7 f7 s00 n02 1:0a000002 6:0005 7:06000000 8:02000000"},
	{"fdb flush", 255, "Device is a required argument."},
	{"fdb flush dev vx nonsense", 255, "Error: either \"flush\" is duplicate, or \"nonsense\" is garbage."},
};

/* --- addr, route, neigh ---------------------------------------------------------------------------- */

static const struct row inet_rows[] = {
	{"addr add 10.0.0.1/24 dev vx", 0, "newaddr excl 7 f2 /24 2:0a000001 1:0a000001"},
	{"addr add 10.0.0.1 dev vx", 0, "newaddr excl 7 f2 /32 2:0a000001 1:0a000001"},
	{"addr del fd00::1/64 dev vx", 0,
	 "deladdr 7 f10 /64 2:fd000000000000000000000000000001 1:fd000000000000000000000000000001"},
	{"addr add 10.0.0.1/33 dev vx", 1, "Error: any valid prefix is expected rather than \"10.0.0.1/33\"."},
	{"addr add 10.0.0.1/24", 255, "Not enough information: \"dev\" argument is required."},
	{"addr add dev vx", 255, "Not enough information"},
	{"addr add 10.0.0.1/24 10.0.0.2/24 dev vx", 255, "Error: either \"local\" is duplicate"},
	{"addr add 10.0.0.1/24 dev nope", 1, "Cannot find device \"nope\""},
	{"route add 10.1.0.0/16 via 10.0.0.9", 0, "newroute excl f2 /16 t1 1:0a010000 5:0a000009"},
	{"route add default via fd00::9 dev vx", 0,
	 "newroute excl f10 /0 t1 5:fd000000000000000000000000000009 4:07000000"},
	{"route add blackhole 10.1.0.0/16", 0, "newroute excl f2 /16 t6 1:0a010000"},
	{"route replace 10.1.0.0/16 dev vx mtu 1400 hoplimit 9 metric 5", 0,
	 "newroute repl f2 /16 t1 1:0a010000 4:07000000 6:05000000 8:08000200780500000800"
	 "0a0009000000"},
	{"route del 10.1.0.0/16", 0, "delroute f2 /16 t0 1:0a010000"},
	{"route add via 10.0.0.1", 255, "Not enough information"},
	{"route add 10.0.0.0/8 mtu x", 255, "Error: argument \"x\" is wrong: \"mtu\" value is invalid"},
	{"neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev vx", 0,
	 "newneigh excl 7 f2 s80 n00 2:020000000002 1:0a000002"},
	{"neigh replace fd00::2 lladdr 02:00:00:00:00:02 dev vx nud reachable", 0,
	 "newneigh repl 7 f10 s02 n00 2:020000000002 1:fd000000000000000000000000000002"},
	{"neigh del 10.0.0.2 dev vx", 0, "delneigh 7 f2 s80 n00 1:0a000002"},
	{"neigh add 10.0.0.2", 255, "Device and destination are required arguments."},
	{"neigh add 10.0.0.2 dev vx lladdr x", 255, "\"x\" is invalid lladdr."},
	{"neigh add 10.0.0.2 dev vx nud x", 255, "Error: argument \"x\" is wrong: nud state is bad"},
};

static void links(void **state)
{
	(void)state;
	run(vxlan_rows, ARRAY_LEN(vxlan_rows));
	run(set_rows, ARRAY_LEN(set_rows));
}

static void fdbs(void **state)
{
	(void)state;
	run(fdb_rows, ARRAY_LEN(fdb_rows));
}

static void inets(void **state)
{
	(void)state;
	run(inet_rows, ARRAY_LEN(inet_rows));
}

/* The hint about the port: only where it is missing. */
static void notes(void **state)
{
	static const char *none[] = {"link", "add", "v", "type", "vxlan", "id", "1"};
	static const char *port[] = {"link", "add", "v", "type", "vxlan", "id", "1", "dstport", "0"};
	static struct words x;

	(void)state;
	x.ifindex = ifindex;
	assert_int_equal(words_parse(&x, ARRAY_LEN(none), (char **)none), 0);
	assert_string_equal(x.note,
			    "vxlan: destination port not specified\n"
			    "Will use Linux kernel default (non-standard value)\n"
			    "Use 'dstport 4789' to get the IANA assigned value\n"
			    "Use 'dstport 0' to get default and quiet this message");
	assert_int_equal(words_parse(&x, ARRAY_LEN(port), (char **)port), 0);
	assert_string_equal(x.note, "");
}

/* A line without end overruns no message. */
static void endless(void **state)
{
	static const char *const pairs[][4] = {
		{"link", "set", "mtu", "1400"},	      {"link", "set", "address", "02:00:00:00:00:01"},
		{"addr", "add", "broadcast", "fd00::1"}, {"neigh", "add", "lladdr", "02:00:00:00:00:01"},
		{"route", "add", "via", "fd00::1"},   {"route", "add", "metric", "5"},
		{"link", "set", "netns", "a-name-that-is-sixty-three-bytes-long-which-is-the-longest-------"},
		{"link", "set", "up", "down"},
	};
	static struct words x;
	static char *argv[8002];

	(void)state;
	x.ifindex = ifindex;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		argv[0] = (char *)pairs[i][0];
		argv[1] = (char *)pairs[i][1];
		for (int k = 2; k < 8002; k++)
			argv[k] = (char *)pairs[i][2 + (k & 1)];
		assert_int_equal(words_parse(&x, 8002, argv), -1);
		assert_int_equal(x.exit_code, 255);
		assert_true(*x.error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links), cmocka_unit_test(fdbs),    cmocka_unit_test(inets),
		cmocka_unit_test(notes), cmocka_unit_test(endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
