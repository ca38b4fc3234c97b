/* SPDX-License-Identifier: Apache-2.0 */
/* `vx addr|route|neigh show`: vx's own stack, in iproute2's words. */
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "ctl/rtnl.h"
#include "io/nlip.h"
#include "vx/kept.h"
#include "vx/vx.h"
#include "wire/types.h"

enum { ATTR_MAX = 64 };

static const char *ip_of(const struct nlattr *a, char *buf)
{
	struct ip_addr ip = {{{0}}};

	nlip_get(a, &ip);
	return ip_text(&ip, buf);
}

/* Each puts a line's fields into j; text is made of the same fields, so the two cannot part. */
typedef void fields_fn(struct vx_cli *c, const void *header, const struct nlattr **a, json_t *j);

static void set_ip(json_t *j, const char *key, const struct nlattr *a)
{
	char ip[IP_TEXT_MAX];

	if (a)
		json_object_set_new(j, key, json_string(ip_of(a, ip)));
}

static void set_dev(struct vx_cli *c, json_t *j, const char *key, uint32_t index)
{
	char name[IFNAMSIZ];

	if (index)
		json_object_set_new(j, key, json_string(nl_ifname(&c->nl, index, name)));
}

static void addr_fields(struct vx_cli *c, const void *header, const struct nlattr **a, json_t *j)
{
	const struct ifaddrmsg *ifa = header;

	set_dev(c, j, "ifname", ifa->ifa_index);
	json_object_set_new(j, "family", json_string(ifa->ifa_family == AF_INET ? "inet" : "inet6"));
	set_ip(j, "local", a[IFA_ADDRESS]);
	json_object_set_new(j, "prefixlen", json_integer(ifa->ifa_prefixlen));
	set_ip(j, "broadcast", a[IFA_BROADCAST]);
	json_object_set_new(j, "scope",
			    json_string(ifa->ifa_scope == RT_SCOPE_LINK ? "link" : "global"));
}

static void text_addr(const json_t *j)
{
	const json_t *brd = json_object_get(j, "broadcast");

	printf("%s    %s %s/%d%s%s scope %s\n", json_string_value(json_object_get(j, "ifname")),
	       json_string_value(json_object_get(j, "family")),
	       json_string_value(json_object_get(j, "local")),
	       (int)json_integer_value(json_object_get(j, "prefixlen")), brd ? " brd " : "",
	       brd ? json_string_value(brd) : "", json_string_value(json_object_get(j, "scope")));
}

static void route_metrics(const struct nlattr *nest, json_t *j)
{
	const struct nlattr *a;

	if (!nest)
		return;
	mnl_attr_for_each_nested (a, nest) {
		if (mnl_attr_get_type(a) == RTAX_MTU)
			json_object_set_new(j, "mtu", json_integer(mnl_attr_get_u32(a)));
		else if (mnl_attr_get_type(a) == RTAX_HOPLIMIT)
			json_object_set_new(j, "hoplimit", json_integer(mnl_attr_get_u32(a)));
	}
}

static void route_fields(struct vx_cli *c, const void *header, const struct nlattr **a, json_t *j)
{
	const struct rtmsg *rt = header;
	char dst[IP_TEXT_MAX + 8] = "default", ip[IP_TEXT_MAX];

	if (a[RTA_DST] && rt->rtm_dst_len == (rt->rtm_family == AF_INET ? 32 : 128))
		snprintf(dst, sizeof(dst), "%s", ip_of(a[RTA_DST], ip));
	else if (a[RTA_DST])
		snprintf(dst, sizeof(dst), "%s/%u", ip_of(a[RTA_DST], ip), rt->rtm_dst_len);
	if (rt->rtm_type == RTN_BLACKHOLE || rt->rtm_type == RTN_UNREACHABLE)
		json_object_set_new(j, "type", json_string(rt->rtm_type == RTN_BLACKHOLE
								   ? "blackhole"
								   : "unreachable"));
	json_object_set_new(j, "dst", json_string(dst));
	set_ip(j, "gateway", a[RTA_GATEWAY]);
	if (a[RTA_OIF])
		set_dev(c, j, "dev", mnl_attr_get_u32(a[RTA_OIF]));
	if (rt->rtm_protocol == RTPROT_KERNEL)
		json_object_set_new(j, "protocol", json_string("kernel"));
	if (rt->rtm_scope == RT_SCOPE_LINK)
		json_object_set_new(j, "scope", json_string("link"));
	set_ip(j, "prefsrc", a[RTA_PREFSRC]);
	if (a[RTA_PRIORITY])
		json_object_set_new(j, "metric", json_integer(mnl_attr_get_u32(a[RTA_PRIORITY])));
	route_metrics(a[RTA_METRICS], j);
}

/* "key value" of each field that is there, under the text's own word. */
static void text_pairs(const json_t *j, const char *const (*words)[2], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_object_get(j, words[i][0]);

		if (json_is_string(v))
			printf(" %s%s%s", words[i][1], *words[i][1] ? " " : "", json_string_value(v));
		else if (v)
			printf(" %s %lld", words[i][1], (long long)json_integer_value(v));
	}
}

static void text_route(const json_t *j)
{
	static const char *const words[][2] = {{"gateway", "via"}, {"dev", "dev"},
					       {"protocol", "proto"}, {"scope", "scope"},
					       {"prefsrc", "src"}, {"metric", "metric"},
					       {"mtu", "mtu"}, {"hoplimit", "hoplimit"}};
	const json_t *type = json_object_get(j, "type");

	printf("%s%s%s", type ? json_string_value(type) : "", type ? " " : "",
	       json_string_value(json_object_get(j, "dst")));
	text_pairs(j, words, ARRAY_LEN(words));
	printf(" \n");
}

static const struct {
	uint16_t bit;
	const char *name;
} nud[] = {{NUD_INCOMPLETE, "INCOMPLETE"}, {NUD_REACHABLE, "REACHABLE"}, {NUD_STALE, "STALE"},
	   {NUD_DELAY, "DELAY"},	   {NUD_PROBE, "PROBE"},	 {NUD_FAILED, "FAILED"},
	   {NUD_NOARP, "NOARP"},	   {NUD_PERMANENT, "PERMANENT"}};

static void neigh_fields(struct vx_cli *c, const void *header, const struct nlattr **a, json_t *j)
{
	const struct ndmsg *ndm = header;
	char mac[MAC_TEXT_MAX];
	struct mac m;

	set_ip(j, "dst", a[NDA_DST]);
	set_dev(c, j, "dev", (uint32_t)ndm->ndm_ifindex);
	if (a[NDA_LLADDR] && mnl_attr_get_payload_len(a[NDA_LLADDR]) == sizeof(m)) {
		memcpy(&m, mnl_attr_get_payload(a[NDA_LLADDR]), sizeof(m));
		json_object_set_new(j, "lladdr", json_string(mac_text(&m, mac)));
	}
	for (size_t i = 0; i < ARRAY_LEN(nud); i++)
		if (ndm->ndm_state & nud[i].bit)
			json_object_set_new(j, "state", json_string(nud[i].name));
}

static void text_neigh(const json_t *j)
{
	static const char *const words[][2] = {{"dev", "dev"}, {"lladdr", "lladdr"}, {"state", ""}};

	printf("%s", json_string_value(json_object_get(j, "dst")));
	text_pairs(j, words, ARRAY_LEN(words));
	printf("\n");
}

static int dump(struct vx_cli *c, uint16_t type, size_t header, fields_fn *fields,
		void (*text)(const json_t *j))
{
	char buf[256] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	json_t *list = json_array(), *j;
	struct kept k = {0};
	size_t i;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(nlh, header);
	mnl_attr_put(nlh, IFLA_VX_OWN, 0, NULL);
	if (nl_talk(&c->nl, nlh, kept_add, &k) < 0) {
		fprintf(stderr, "%s\n", c->nl.error);
		json_decref(list);
		return 1;
	}
	for (const struct nlmsghdr *m = NULL; (m = kept_next(&k, m));) {
		const struct nlattr *a[ATTR_MAX] = {0}, *p;

		mnl_attr_for_each (p, m, (unsigned int)header)
			if (mnl_attr_get_type(p) < ATTR_MAX)
				a[mnl_attr_get_type(p)] = p;
		j = json_object();
		fields(c, mnl_nlmsg_get_payload(m), a, j);
		json_array_append_new(list, j);
	}
	kept_done(&k);
	if (c->json) {
		print_json(list);
		return 0;
	}
	json_array_foreach (list, i, j)
		text(j);
	json_decref(list);
	return 0;
}

int cmd_inet_show(struct vx_cli *c, int argc, char **argv)
{
	if (argc > 2 || (argc == 2 && strcmp(argv[1], "show") && strcmp(argv[1], "list")))
		return cli_error("Command \"%s\" is unknown, try \"vx %s help\".", argv[argc - 1],
				 argv[0]);
	if (!cli_connect(c))
		return 1;
	switch (*argv[0]) {
	case 'a':
		return dump(c, RTM_GETADDR, sizeof(struct ifaddrmsg), addr_fields, text_addr);
	case 'r':
		return dump(c, RTM_GETROUTE, sizeof(struct rtmsg), route_fields, text_route);
	}
	return dump(c, RTM_GETNEIGH, sizeof(struct ndmsg), neigh_fields, text_neigh);
}
