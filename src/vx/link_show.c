/* SPDX-License-Identifier: Apache-2.0 */
/* `vx link show`: text and JSON as iproute2 7.1 prints them (vxlan.md 9.2, 9.3). */
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ctl/rtnl.h"
#include "ctl/words.h"
#include "io/nlip.h"
#include "vx/kept.h"
#include "vx/vx.h"
#include "vxlan/options.h"

enum { TSO_MAX_SIZE = 59, TSO_MAX_SEGS = 60, ALLMULTI = 61, GSO4_MAX = 63, GRO4_MAX = 64, IFLA_TOP = 70 };

/* A link message, taken apart. */
struct link_view {
	const struct ifinfomsg *ifi;
	const struct nlattr *a[IFLA_TOP];
	const char *kind, *hostkind, *netns, *netname, *owner;
	bool nohost;
	struct vxlan_opts vxlan;
	uint64_t present;
};

static uint32_t u32(const struct link_view *v, int type)
{
	return v->a[type] ? mnl_attr_get_u32(v->a[type]) : 0;
}

static const char *str(const struct link_view *v, int type)
{
	return v->a[type] ? mnl_attr_get_str(v->a[type]) : "";
}

static void take_option(struct link_view *v, const struct nlattr *na)
{
	bool is6;
	int i = attr_by_nl(&vxlan_attrs, mnl_attr_get_type(na), &is6);
	const struct attr *a;
	const uint8_t *p = mnl_attr_get_payload(na);
	uint8_t *to = (uint8_t *)&v->vxlan;
	uint64_t n = 0;

	if (i < 0)
		return;
	a = &vxlan_attrs.attrs[i];
	v->present |= 1ull << i;
	if (a->kind == ATTR_IP) {
		struct ip_addr ip;

		if (nlip_get(na, &ip))
			memcpy(to + a->off, &ip, sizeof(ip));
		return;
	}
	if (a->kind == ATTR_RANGE) {
		v->vxlan.srcport = (struct attr_range){(uint16_t)(p[0] << 8 | p[1]),
						       (uint16_t)(p[2] << 8 | p[3])};
		return;
	}
	if (a->kind == ATTR_FLAG)
		n = 1;
	else if (a->kind == ATTR_BE16 || a->kind == ATTR_BE32 || a->kind == ATTR_BE64)
		for (int k = 0; k < mnl_attr_get_payload_len(na); k++)
			n = n << 8 | p[k];
	else
		memcpy(&n, p, MIN((size_t)mnl_attr_get_payload_len(na), sizeof(n)));
	attr_put(a, to, n);
}

static void take_apart(const struct nlmsghdr *nlh, struct link_view *v)
{
	const struct nlattr *a, *b, *o;

	*v = (struct link_view){.ifi = mnl_nlmsg_get_payload(nlh), .kind = "", .netns = "", .netname = ""};
	mnl_attr_for_each (a, nlh, sizeof(*v->ifi)) {
		uint16_t type = mnl_attr_get_type(a);

		if (type < IFLA_TOP)
			v->a[type] = a;
		else if (type == IFLA_VX_NOHOST)
			v->nohost = true;
		else if (type == IFLA_VX_HOSTKIND)
			v->hostkind = mnl_attr_get_str(a);
		else if (type == IFLA_VX_OWNER)
			v->owner = mnl_attr_get_str(a);
		else if (type == IFLA_VX_NETNS)
			v->netns = mnl_attr_get_str(a);
		else if (type == IFLA_VX_NETNAME)
			v->netname = mnl_attr_get_str(a);
	}
	if (!v->a[IFLA_LINKINFO])
		return;
	mnl_attr_for_each_nested (b, v->a[IFLA_LINKINFO]) {
		if (mnl_attr_get_type(b) == IFLA_INFO_KIND)
			v->kind = mnl_attr_get_str(b);
		if (mnl_attr_get_type(b) == IFLA_INFO_DATA && !strcmp(v->kind, "vxlan"))
			mnl_attr_for_each_nested (o, b)
				take_option(v, o);
	}
}

/* --- the vxlan part ------------------------------------------------------------------------------ */

/* Booleans in the order of show; printed when they are not the default. */
static const struct {
	int attr;
	const char *name;
	bool deflt;
} shown[] = {
	{VXA_EXTERNAL, "external", false},	  {VXA_VNIFILTER, "vnifilter", false},
	{VXA_LEARNING, "learning", true},	  {VXA_PROXY, "proxy", false},
	{VXA_RSC, "rsc", false},		  {VXA_L2MISS, "l2miss", false},
	{VXA_L3MISS, "l3miss", false},		  {VXA_UDPCSUM, "udp_csum", true},
	{VXA_ZCSUM6TX, "udp_zero_csum6_tx", false}, {VXA_ZCSUM6RX, "udp_zero_csum6_rx", false},
	{VXA_REMCSUMTX, "remcsum_tx", false},	  {VXA_REMCSUMRX, "remcsum_rx", false},
	{VXA_LOCALBYPASS, "localbypass", true},
};

static const char *const df_names[] = {"unset", "set", "inherit"};

static void text_booleans(struct vx_cli *c, const struct vxlan_opts *o)
{
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		bool v = attr_get(&vxlan_attrs.attrs[shown[i].attr], o) != 0;

		if (v != shown[i].deflt || c->all_detail)
			printf("%s%s ", v ? "" : "no", shown[i].name);
	}
}

static void text_vxlan(struct vx_cli *c, const struct link_view *v)
{
	const struct vxlan_opts *o = &v->vxlan;
	char ip[IP_TEXT_MAX], name[IFNAMSIZ];

	printf("\n    vxlan id %u ", o->id);
	if (!ip_is_any(&o->remote))
		printf("%s %s ", ip_is_multicast(&o->remote) ? "group" : "remote",
		       ip_text(&o->remote, ip));
	if (!ip_is_any(&o->local))
		printf("local %s ", ip_text(&o->local, ip));
	if (o->dev)
		printf("dev %s ", nl_ifname(&c->nl, o->dev, name));
	printf("srcport %u %u dstport %u ", o->srcport.low, o->srcport.high, o->dstport);
	if (o->tos == 1)
		printf("tos inherit ");
	else if (o->tos)
		printf("tos 0x%x ", o->tos);
	if (o->ttl_inherit)
		printf("ttl inherit ");
	else if (o->ttl)
		printf("ttl %u ", o->ttl);
	else
		printf("ttl auto ");
	if (o->df && o->df <= 2)
		printf("df %s ", df_names[o->df]);
	if (o->label_policy)
		printf("flowlabel inherit ");
	else if (o->flowlabel)
		printf("flowlabel 0x%x ", o->flowlabel);
	printf("ageing %u ", o->ageing);
	if (o->maxaddress)
		printf("maxaddr %u ", o->maxaddress);
	printf(o->reserved_bits ? "reserved_bits 0x%llx " : "reserved_bits %llu ",
	       (unsigned long long)o->reserved_bits);
	if (o->gbp)
		printf("gbp ");
	if (o->peers == PEERS_KNOWN)
		printf("peers known ");
	text_booleans(c, o);
}

static void set_hex(json_t *j, const char *key, unsigned long long n)
{
	char s[24];

	snprintf(s, sizeof(s), n ? "0x%llx" : "%llu", n);
	json_object_set_new(j, key, json_string(s));
}

static void json_addresses(struct vx_cli *c, json_t *j, const struct vxlan_opts *o)
{
	char ip[IP_TEXT_MAX], name[IFNAMSIZ];

	if (!ip_is_any(&o->remote))
		json_object_set_new(j,
				    ip_is_multicast(&o->remote)
					    ? (ip_is4(&o->remote) ? "group" : "group6")
					    : (ip_is4(&o->remote) ? "remote" : "remote6"),
				    json_string(ip_text(&o->remote, ip)));
	if (!ip_is_any(&o->local))
		json_object_set_new(j, ip_is4(&o->local) ? "local" : "local6",
				    json_string(ip_text(&o->local, ip)));
	if (o->dev)
		json_object_set_new(j, "link", json_string(nl_ifname(&c->nl, o->dev, name)));
}

static json_t *json_vxlan(struct vx_cli *c, const struct link_view *v)
{
	const struct vxlan_opts *o = &v->vxlan;
	json_t *j = json_object();

	json_object_set_new(j, "id", json_integer(o->id));
	json_addresses(c, j, o);
	json_object_set_new(j, "port_range", json_pack("{s:i, s:i}", "low", o->srcport.low, "high",
						       o->srcport.high));
	json_object_set_new(j, "port", json_integer(o->dstport));
	if (o->tos)
		set_hex(j, "tos", o->tos);
	/* iproute2 leaves it out for "inherit"; vx says so (vxlan.md 12). */
	json_object_set_new(j, "ttl", o->ttl_inherit ? json_string("inherit") : json_integer(o->ttl));
	json_object_set_new(j, "df", json_string(df_names[MIN(o->df, 2)]));
	if (o->flowlabel)
		set_hex(j, "label", o->flowlabel);
	if (o->label_policy)
		json_object_set_new(j, "label", json_string("inherit"));
	json_object_set_new(j, "ageing", json_integer(o->ageing));
	if (o->maxaddress)
		json_object_set_new(j, "limit", json_integer(o->maxaddress));
	set_hex(j, "reserved_bits", o->reserved_bits);
	if (o->gbp)
		json_object_set_new(j, "gbp", json_null());
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		bool on = attr_get(&vxlan_attrs.attrs[shown[i].attr], o) != 0;

		if (shown[i].attr != VXA_VNIFILTER || on)
			json_object_set_new(j, shown[i].name, json_boolean(on));
	}
	if (o->peers == PEERS_KNOWN)
		json_object_set_new(j, "peers", json_string("known"));
	return j;
}

/* --- the generic part ------------------------------------------------------------------------------ */

static const struct {
	unsigned int flag;
	const char *name;
} flag_names[] = {
	{IFF_LOOPBACK, "LOOPBACK"}, {IFF_BROADCAST, "BROADCAST"}, {IFF_POINTOPOINT, "POINTOPOINT"},
	{IFF_MULTICAST, "MULTICAST"}, {IFF_NOARP, "NOARP"}, {IFF_ALLMULTI, "ALLMULTI"},
	{IFF_PROMISC, "PROMISC"}, {IFF_DEBUG, "DEBUG"}, {IFF_UP, "UP"}, {1 << 16, "LOWER_UP"},
};

static const char *const states[] = {"UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING",
				     "DORMANT", "UP"};

static const char *state_of(const struct link_view *v)
{
	unsigned int s = v->a[IFLA_OPERSTATE] ? mnl_attr_get_u8(v->a[IFLA_OPERSTATE]) : 0;

	return states[s < ARRAY_LEN(states) ? s : 0];
}

static void mac_of(const struct link_view *v, int type, char *buf)
{
	struct mac m = {{0}};

	if (v->a[type] && mnl_attr_get_payload_len(v->a[type]) == sizeof(m))
		memcpy(&m, mnl_attr_get_payload(v->a[type]), sizeof(m));
	mac_text(&m, buf);
}

static void text_first_lines(struct vx_cli *c, const struct link_view *v)
{
	char mac[MAC_TEXT_MAX], brd[MAC_TEXT_MAX], name[IFNAMSIZ];
	const char *sep = "";

	printf("%d: %s: <", v->ifi->ifi_index, str(v, IFLA_IFNAME));
	if (v->ifi->ifi_flags & IFF_UP && !(v->ifi->ifi_flags & IFF_RUNNING)) {
		printf("NO-CARRIER");
		sep = ",";
	}
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
		if (v->ifi->ifi_flags & flag_names[i].flag) {
			printf("%s%s", sep, flag_names[i].name);
			sep = ",";
		}
	printf("> mtu %u qdisc %s ", u32(v, IFLA_MTU), str(v, IFLA_QDISC));
	if (v->a[IFLA_MASTER])
		printf("master %s ", nl_ifname(&c->nl, u32(v, IFLA_MASTER), name));
	printf("state %s mode DEFAULT group default qlen %u", state_of(v), u32(v, IFLA_TXQLEN));
	mac_of(v, IFLA_ADDRESS, mac);
	mac_of(v, IFLA_BROADCAST, brd);
	printf("\n    link/ether %s brd %s", mac, brd);
}

static void text_detail(struct vx_cli *c, const struct link_view *v)
{
	printf(" promiscuity %u allmulti %u minmtu %u maxmtu %u ", u32(v, IFLA_PROMISCUITY),
	       u32(v, ALLMULTI), u32(v, IFLA_MIN_MTU), u32(v, IFLA_MAX_MTU));
	if (!strcmp(v->kind, "vxlan"))
		text_vxlan(c, v);
	else if (*v->kind)
		printf("\n    %s ", v->kind);
	printf("addrgenmode eui64 numtxqueues %u numrxqueues %u gso_max_size %u gso_max_segs %u "
	       "tso_max_size %u tso_max_segs %u gro_max_size %u gso_ipv4_max_size %u "
	       "gro_ipv4_max_size %u ",
	       u32(v, IFLA_NUM_TX_QUEUES), u32(v, IFLA_NUM_RX_QUEUES), u32(v, IFLA_GSO_MAX_SIZE),
	       u32(v, IFLA_GSO_MAX_SEGS), u32(v, TSO_MAX_SIZE), u32(v, TSO_MAX_SEGS),
	       u32(v, IFLA_GRO_MAX_SIZE), u32(v, GSO4_MAX), u32(v, GRO4_MAX));
	/* vx's own: what stands behind the device. */
	printf("\n    vx %s%s", v->nohost ? "nohost" : v->hostkind ? v->hostkind : "-",
	       *v->netns ? " netns " : "");
	printf("%s%s%s", v->netns, *v->netname ? " netname " : "", v->netname);
	if (v->owner && strcmp(v->owner, "netlink"))
		printf(" owner %s", v->owner);
}

static void get_stats(const struct link_view *v, struct rtnl_link_stats64 *s)
{
	const struct nlattr *a = v->a[IFLA_STATS64];

	*s = (struct rtnl_link_stats64){0};
	if (a)
		memcpy(s, mnl_attr_get_payload(a), MIN((size_t)mnl_attr_get_payload_len(a), sizeof(*s)));
}

enum { STAT_COLS = 6 };

struct stat_row {
	const char *title, *names[STAT_COLS];
	uint64_t v[STAT_COLS]; /* the first column of an "errors" row is empty */
};

static bool is_errors(const struct stat_row *r)
{
	return !*r->names[0];
}

static void text_stat_row(const struct stat_row *r, const int *width)
{
	int first = is_errors(r) ? 1 : 0;

	printf("\n    %s%*s", r->title, width[0] - (int)strlen(r->title), r->names[0]);
	for (int i = 1; i < STAT_COLS; i++)
		printf(" %*s", width[i], r->names[i]);
	/* Where iproute2 has a column for compressed packets. */
	printf("%s\n    %*s", first ? "" : "           ", first ? width[0] + 1 : 0, "");
	for (int i = first; i < STAT_COLS; i++)
		printf("%*llu ", width[i], (unsigned long long)r->v[i]);
}

static void text_stats(struct vx_cli *c, const struct link_view *v)
{
	struct rtnl_link_stats64 s;
	int width[STAT_COLS] = {10, 7, 6, 7, 7, 7};

	get_stats(v, &s);
	const struct stat_row rows[] = {
		{"RX:", {"bytes", "packets", "errors", "dropped", "missed", "mcast"},
		 {s.rx_bytes, s.rx_packets, s.rx_errors, s.rx_dropped, s.rx_missed_errors,
		  s.multicast}},
		{"RX errors:", {"", "length", "crc", "frame", "fifo", "overrun"},
		 {0, s.rx_length_errors, s.rx_crc_errors, s.rx_frame_errors, s.rx_fifo_errors,
		  s.rx_over_errors}},
		{"TX:", {"bytes", "packets", "errors", "dropped", "carrier", "collsns"},
		 {s.tx_bytes, s.tx_packets, s.tx_errors, s.tx_dropped, s.tx_carrier_errors,
		  s.collisions}},
		{"TX errors:", {"", "aborted", "fifo", "window", "heartbt", "transns"},
		 {0, s.tx_aborted_errors, s.tx_fifo_errors, s.tx_window_errors,
		  s.tx_heartbeat_errors, 0}},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int k = 0; k < STAT_COLS && (c->all_stats || !is_errors(&rows[i])); k++)
			width[k] = MAX(width[k], snprintf(NULL, 0, "%llu",
							  (unsigned long long)rows[i].v[k]));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (c->all_stats || !is_errors(&rows[i]))
			text_stat_row(&rows[i], width);
}

static void add_numbers(json_t *j, const char *const *names, const uint64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		json_object_set_new(j, names[i], json_integer((json_int_t)v[i]));
}

static json_t *json_stats(struct vx_cli *c, const struct link_view *v)
{
	static const char *const rx_names[] = {"bytes", "packets", "errors", "dropped",
					       "over_errors", "multicast", "length_errors",
					       "crc_errors", "frame_errors", "fifo_errors",
					       "missed_errors"};
	static const char *const tx_names[] = {"bytes", "packets", "errors", "dropped",
					       "carrier_errors", "collisions", "aborted_errors",
					       "fifo_errors", "window_errors", "heartbeat_errors",
					       "carrier_changes"};
	json_t *j = json_object(), *rx = json_object(), *tx = json_object();
	size_t n = c->all_stats ? ARRAY_LEN(rx_names) : 6;
	struct rtnl_link_stats64 s;

	get_stats(v, &s);
	add_numbers(rx, rx_names,
		    (uint64_t[]){s.rx_bytes, s.rx_packets, s.rx_errors, s.rx_dropped,
				 s.rx_over_errors, s.multicast, s.rx_length_errors, s.rx_crc_errors,
				 s.rx_frame_errors, s.rx_fifo_errors, s.rx_missed_errors}, n);
	add_numbers(tx, tx_names,
		    (uint64_t[]){s.tx_bytes, s.tx_packets, s.tx_errors, s.tx_dropped,
				 s.tx_carrier_errors, s.collisions, s.tx_aborted_errors,
				 s.tx_fifo_errors, s.tx_window_errors, s.tx_heartbeat_errors, 0}, n);
	json_object_set_new(j, "rx", rx);
	json_object_set_new(j, "tx", tx);
	return j;
}

static json_t *json_flags(const struct link_view *v)
{
	json_t *flags = json_array();

	if (v->ifi->ifi_flags & IFF_UP && !(v->ifi->ifi_flags & IFF_RUNNING))
		json_array_append_new(flags, json_string("NO-CARRIER"));
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
		if (v->ifi->ifi_flags & flag_names[i].flag)
			json_array_append_new(flags, json_string(flag_names[i].name));
	return flags;
}

static void json_detail(struct vx_cli *c, const struct link_view *v, json_t *j)
{
	static const struct {
		const char *name;
		int type;
	} tail[] = {{"num_tx_queues", IFLA_NUM_TX_QUEUES}, {"num_rx_queues", IFLA_NUM_RX_QUEUES},
		    {"gso_max_size", IFLA_GSO_MAX_SIZE},   {"gso_max_segs", IFLA_GSO_MAX_SEGS},
		    {"tso_max_size", TSO_MAX_SIZE},	   {"tso_max_segs", TSO_MAX_SEGS},
		    {"gro_max_size", IFLA_GRO_MAX_SIZE},   {"gso_ipv4_max_size", GSO4_MAX},
		    {"gro_ipv4_max_size", GRO4_MAX}};

	json_object_set_new(j, "promiscuity", json_integer(u32(v, IFLA_PROMISCUITY)));
	json_object_set_new(j, "allmulti", json_integer(u32(v, ALLMULTI)));
	json_object_set_new(j, "min_mtu", json_integer(u32(v, IFLA_MIN_MTU)));
	json_object_set_new(j, "max_mtu", json_integer(u32(v, IFLA_MAX_MTU)));
	if (*v->kind) {
		json_t *info = json_pack("{s:s}", "info_kind", v->kind);

		if (!strcmp(v->kind, "vxlan"))
			json_object_set_new(info, "info_data", json_vxlan(c, v));
		json_object_set_new(j, "linkinfo", info);
	}
	json_object_set_new(j, "inet6_addr_gen_mode", json_string("eui64"));
	for (size_t i = 0; i < ARRAY_LEN(tail); i++)
		json_object_set_new(j, tail[i].name, json_integer(u32(v, tail[i].type)));
	json_object_set_new(j, "vx", json_pack("{s:s}", "host", v->nohost ? "nohost"
						: v->hostkind ? v->hostkind : "-"));
	if (v->owner && strcmp(v->owner, "netlink"))
		json_object_set_new(json_object_get(j, "vx"), "owner", json_string(v->owner));
	if (*v->netns)
		json_object_set_new(json_object_get(j, "vx"), "netns", json_string(v->netns));
	if (*v->netname)
		json_object_set_new(json_object_get(j, "vx"), "netname", json_string(v->netname));
}

static json_t *json_link(struct vx_cli *c, const struct link_view *v)
{
	char mac[MAC_TEXT_MAX], brd[MAC_TEXT_MAX], name[IFNAMSIZ];
	json_t *j = json_pack("{s:i, s:s, s:o, s:i, s:s}", "ifindex", v->ifi->ifi_index, "ifname",
			      str(v, IFLA_IFNAME), "flags", json_flags(v), "mtu",
			      (int)u32(v, IFLA_MTU), "qdisc", str(v, IFLA_QDISC));

	if (v->a[IFLA_MASTER])
		json_object_set_new(j, "master",
				    json_string(nl_ifname(&c->nl, u32(v, IFLA_MASTER), name)));
	mac_of(v, IFLA_ADDRESS, mac);
	mac_of(v, IFLA_BROADCAST, brd);
	json_object_set_new(j, "operstate", json_string(state_of(v)));
	json_object_set_new(j, "linkmode", json_string("DEFAULT"));
	json_object_set_new(j, "group", json_string("default"));
	json_object_set_new(j, "txqlen", json_integer(u32(v, IFLA_TXQLEN)));
	json_object_set_new(j, "link_type", json_string("ether"));
	json_object_set_new(j, "address", json_string(mac));
	json_object_set_new(j, "broadcast", json_string(brd));
	if (c->detail)
		json_detail(c, v, j);
	if (c->stats)
		json_object_set_new(j, "stats64", json_stats(c, v));
	return j;
}

static void text_link(struct vx_cli *c, const struct link_view *v)
{
	text_first_lines(c, v);
	if (c->detail)
		text_detail(c, v);
	if (c->stats)
		text_stats(c, v);
	putchar('\n');
}

void print_link(struct vx_cli *c, const struct nlmsghdr *nlh)
{
	struct link_view v;

	take_apart(nlh, &v);
	if (nlh->nlmsg_type == RTM_DELLINK)
		printf("Deleted ");
	if (c->json)
		print_json(json_link(c, &v));
	else
		text_link(c, &v);
}

/* --- the command ------------------------------------------------------------------------------------- */

static void print_all(struct vx_cli *c, struct kept *k)
{
	json_t *list = c->json ? json_array() : NULL;

	for (const struct nlmsghdr *nlh = NULL; (nlh = kept_next(k, nlh));) {
		struct link_view v;

		take_apart(nlh, &v);
		if (list)
			json_array_append_new(list, json_link(c, &v));
		else
			text_link(c, &v);
	}
	kept_done(k);
	if (list)
		print_json(list);
}

int cmd_link_show(struct vx_cli *c, int argc, char **argv)
{
	char buf[512] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	const char *dev = NULL, *kind = NULL;
	struct kept k = {0};
	int r;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "type") && i + 1 < argc)
			kind = argv[++i];
		else if (!strcmp(argv[i], "dev") && i + 1 < argc)
			dev = argv[++i];
		else if (!dev)
			dev = argv[i];
		else
			return cli_error("Error: either \"dev\" is duplicate, or \"%s\" is garbage.",
					 argv[i]);
	}
	if (!cli_connect(c))
		return 1;
	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = dev ? 0 : NLM_F_DUMP;
	mnl_attr_put(nlh, IFLA_VX_OWN, 0, NULL);
	if (dev)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, dev);
	if (kind) {
		struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);

		mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind);
		mnl_attr_nest_end(nlh, info);
	}
	if (dev && strlen(dev) >= IFNAMSIZ)
		r = -1;
	else
		r = nl_talk(&c->nl, nlh, kept_add, &k);
	if (r < 0 && dev) {
		fprintf(stderr, "Device \"%s\" does not exist.\n", dev);
		return 1;
	}
	if (r < 0) {
		fprintf(stderr, "%s\n", c->nl.error);
		return 1;
	}
	print_all(c, &k);
	return 0;
}
