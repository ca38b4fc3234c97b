/* SPDX-License-Identifier: Apache-2.0 */
/* `vx fdb show|get`: text and JSON as `bridge` prints them (vxlan.md 9.4). */
#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/nlip.h"
#include "rpc/unixctl.h"
#include "vx/kept.h"
#include "vx/vx.h"
#include "wire/types.h"

struct fdb_line {
	const struct ndmsg *ndm;
	const struct nlattr *a[NDA_MAX + 1];
};

static const struct {
	uint8_t flag;
	const char *name;
} flag_names[] = {{NTF_SELF, "self"}, {NTF_ROUTER, "router"}, {NTF_EXT_LEARNED, "extern_learn"},
		  {NTF_OFFLOADED, "offload"}, {NTF_MASTER, "master"}, {NTF_STICKY, "sticky"}};

static const char *state_name(uint16_t state)
{
	if (state & NUD_PERMANENT)
		return "permanent";
	if (state & NUD_NOARP)
		return "static";
	if (state & NUD_STALE)
		return "stale";
	return "";
}

static void take_apart(const struct nlmsghdr *nlh, struct fdb_line *l)
{
	const struct nlattr *a;

	*l = (struct fdb_line){.ndm = mnl_nlmsg_get_payload(nlh)};
	mnl_attr_for_each (a, nlh, sizeof(*l->ndm))
		if (mnl_attr_get_type(a) <= NDA_MAX)
			l->a[mnl_attr_get_type(a)] = a;
}

static const char *dst_text(const struct nlattr *a, char *buf)
{
	struct ip_addr ip = {{{0}}};

	nlip_get(a, &ip);
	return ip_text(&ip, buf);
}

static const char *line_mac(const struct fdb_line *l, char *buf)
{
	struct mac m = {{0}};

	if (l->a[NDA_LLADDR])
		memcpy(&m, mnl_attr_get_payload(l->a[NDA_LLADDR]), sizeof(m));
	return mac_text(&m, buf);
}

static void text_line(struct vx_cli *c, const struct fdb_line *l, bool with_dev)
{
	char mac[MAC_TEXT_MAX], ip[IP_TEXT_MAX], name[IFNAMSIZ];

	printf("%s ", line_mac(l, mac));
	if (with_dev)
		printf("dev %s ", nl_ifname(&c->nl, (uint32_t)l->ndm->ndm_ifindex, name));
	if (l->a[NDA_DST])
		printf("dst %s ", dst_text(l->a[NDA_DST], ip));
	if (l->a[NDA_VLAN])
		printf("vlan %u ", mnl_attr_get_u16(l->a[NDA_VLAN]));
	if (l->a[NDA_PORT])
		printf("port %u ", ntohs(mnl_attr_get_u16(l->a[NDA_PORT])));
	if (l->a[NDA_VNI])
		printf("vni %u ", mnl_attr_get_u32(l->a[NDA_VNI]));
	if (l->a[NDA_SRC_VNI])
		printf("src_vni %u ", mnl_attr_get_u32(l->a[NDA_SRC_VNI]));
	if (l->a[NDA_IFINDEX])
		printf("via %s ", nl_ifname(&c->nl, mnl_attr_get_u32(l->a[NDA_IFINDEX]), name));
	if (c->stats && l->a[NDA_CACHEINFO]) {
		const struct nda_cacheinfo *ci = mnl_attr_get_payload(l->a[NDA_CACHEINFO]);

		printf("used %u/%u ", ci->ndm_used / 100, ci->ndm_updated / 100);
	}
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
		if (l->ndm->ndm_flags & flag_names[i].flag)
			printf("%s ", flag_names[i].name);
	if (l->a[NDA_MASTER])
		printf("master %s ", nl_ifname(&c->nl, mnl_attr_get_u32(l->a[NDA_MASTER]), name));
	printf("%s\n", state_name(l->ndm->ndm_state));
}

static json_t *json_line(struct vx_cli *c, const struct fdb_line *l, bool with_dev)
{
	char mac[MAC_TEXT_MAX], ip[IP_TEXT_MAX], name[IFNAMSIZ];
	json_t *j = json_object(), *flags = json_array();

	json_object_set_new(j, "mac", json_string(line_mac(l, mac)));
	if (with_dev)
		json_object_set_new(j, "ifname", json_string(nl_ifname(
			&c->nl, (uint32_t)l->ndm->ndm_ifindex, name)));
	if (l->a[NDA_DST])
		json_object_set_new(j, "dst", json_string(dst_text(l->a[NDA_DST], ip)));
	if (l->a[NDA_VLAN])
		json_object_set_new(j, "vlan", json_integer(mnl_attr_get_u16(l->a[NDA_VLAN])));
	if (l->a[NDA_PORT])
		json_object_set_new(j, "port",
				    json_integer(ntohs(mnl_attr_get_u16(l->a[NDA_PORT]))));
	if (l->a[NDA_VNI])
		json_object_set_new(j, "vni", json_integer(mnl_attr_get_u32(l->a[NDA_VNI])));
	if (l->a[NDA_SRC_VNI])
		json_object_set_new(j, "src_vni", json_integer(mnl_attr_get_u32(l->a[NDA_SRC_VNI])));
	if (l->a[NDA_IFINDEX])
		json_object_set_new(j, "viaIf", json_string(nl_ifname(
			&c->nl, mnl_attr_get_u32(l->a[NDA_IFINDEX]), name)));
	if (c->stats && l->a[NDA_CACHEINFO]) {
		const struct nda_cacheinfo *ci = mnl_attr_get_payload(l->a[NDA_CACHEINFO]);

		json_object_set_new(j, "used", json_integer(ci->ndm_used / 100));
		json_object_set_new(j, "updated", json_integer(ci->ndm_updated / 100));
	}
	for (size_t i = 0; i < ARRAY_LEN(flag_names); i++)
		if (l->ndm->ndm_flags & flag_names[i].flag)
			json_array_append_new(flags, json_string(flag_names[i].name));
	json_object_set_new(j, "flags", flags);
	if (l->a[NDA_MASTER])
		json_object_set_new(j, "master", json_string(nl_ifname(
			&c->nl, mnl_attr_get_u32(l->a[NDA_MASTER]), name)));
	json_object_set_new(j, "state", json_string(state_name(l->ndm->ndm_state)));
	return j;
}

void print_fdb(struct vx_cli *c, const struct nlmsghdr *nlh, bool with_dev, bool monitor)
{
	struct fdb_line l;
	json_t *j;

	take_apart(nlh, &l);
	if (!c->json) {
		if (nlh->nlmsg_type == RTM_DELNEIGH)
			printf("Deleted ");
		text_line(c, &l, with_dev);
		return;
	}
	j = json_line(c, &l, with_dev);
	if (monitor && nlh->nlmsg_type == RTM_DELNEIGH)
		json_object_set_new(j, "deleted", json_true());
	print_json(j);
}

static void print_kept(struct vx_cli *c, const struct kept *k, bool with_dev)
{
	json_t *list = c->json ? json_array() : NULL;
	struct fdb_line l;

	for (const struct nlmsghdr *nlh = NULL; (nlh = kept_next(k, nlh));) {
		take_apart(nlh, &l);
		if (list)
			json_array_append_new(list, json_line(c, &l, with_dev));
		else
			text_line(c, &l, with_dev);
	}
	if (list)
		print_json(list);
}

/* The MAC table of a bridge of Open vSwitch's; false: there is no such bridge. */
static bool show_macs(struct vx_cli *c, const char *br)
{
	const char *argv[] = {"bridge/macs", br};
	char path[RUNDIR_MAX + 16], *text = NULL;
	json_t *list, *m;
	size_t i;

	snprintf(path, sizeof(path), "%s/vxd.ctl", c->rundir);
	list = unixctl_call(path, 2, argv, &text) == 0 ? json_loads(text, 0, NULL) : NULL;
	free(text);
	if (!list)
		return false;
	if (c->json) {
		print_json(list);
		return true;
	}
	json_array_foreach (list, i, m)
		printf("%s vlan %lld port %s%s\n", json_string_value(json_object_get(m, "mac")),
		       (long long)json_integer_value(json_object_get(m, "vlan")),
		       json_string_value(json_object_get(m, "port")),
		       json_is_true(json_object_get(m, "static")) ? " static" : "");
	json_decref(list);
	return true;
}

int cmd_fdb_show(struct vx_cli *c, int argc, char **argv)
{
	char buf[256] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	const char *dev = NULL, *br = NULL;
	struct kept k = {0};
	uint32_t index;

	for (int i = 1; i < argc; i++) {
		if ((!strcmp(argv[i], "dev") || !strcmp(argv[i], "brport")) && i + 1 < argc)
			dev = argv[++i];
		else if (!strcmp(argv[i], "br") && i + 1 < argc)
			br = argv[++i];
		else if (!dev)
			dev = argv[i];
		else
			return cli_error("Error: either \"dev\" is duplicate, or \"%s\" is garbage.",
					 argv[i]);
	}
	if (!cli_connect(c))
		return 1;
	if (br && !dev && show_macs(c, br))
		return 0;
	nlh->nlmsg_type = RTM_GETNEIGH;
	nlh->nlmsg_flags = NLM_F_DUMP;
	ndm->ndm_family = AF_BRIDGE;
	if (dev) {
		index = nl_ifindex(&c->nl, dev);
		if (!index)
			return cli_error("Cannot find device \"%s\"", dev);
		ndm->ndm_ifindex = (int)index;
	}
	if (br) {
		index = nl_ifindex(&c->nl, br);
		if (!index)
			return cli_error("Cannot find bridge device \"%s\"", br);
		mnl_attr_put_u32(nlh, NDA_MASTER, index);
	}
	/* The filter's form (control.md N2) is told by its length: 12 or 20 bytes are an ndmsg. */
	if (nl_talk(&c->nl, nlh, kept_add, &k) < 0) {
		fprintf(stderr, "%s\n", c->nl.error);
		kept_done(&k);
		return 1;
	}
	print_kept(c, &k, !dev);
	kept_done(&k);
	return 0;
}

int cmd_fdb_get(struct vx_cli *c, int argc, char **argv)
{
	char buf[256] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	const char *dev = NULL, *mac = NULL;
	struct kept k = {0};
	unsigned long long v;
	struct mac m;
	uint32_t index;

	ndm->ndm_family = AF_BRIDGE;
	for (int i = 1; i < argc; i++) {
		if ((!strcmp(argv[i], "dev") || !strcmp(argv[i], "brport")) && i + 1 < argc) {
			dev = argv[++i];
		} else if (!strcmp(argv[i], "vni") && i + 1 < argc) {
			if (text_to_u64(argv[++i], VNI_MAX, &v) < 0)
				return cli_error("Error: argument \"%s\" is wrong: invalid VNI",
						 argv[i]);
			mnl_attr_put_u32(nlh, NDA_VNI, (uint32_t)v);
		} else if (!strcmp(argv[i], "self")) {
			ndm->ndm_flags |= NTF_SELF;
		} else if (!strcmp(argv[i], "master")) {
			ndm->ndm_flags |= NTF_MASTER;
		} else if (!strcmp(argv[i], "to") && i + 1 < argc) {
			mac = argv[++i];
		} else if (!mac) {
			mac = argv[i];
		} else {
			return cli_error("Error: either \"to\" is duplicate, or \"%s\" is garbage.",
					 argv[i]);
		}
	}
	if (!dev || !mac)
		return cli_error("Device and address are required arguments.");
	if (mac_parse(mac, &m) < 0)
		return cli_error("Invalid mac address %s", mac);
	if (!cli_connect(c))
		return 1;
	index = nl_ifindex(&c->nl, dev);
	if (!index)
		return cli_error("Cannot find device \"%s\"", dev);
	nlh->nlmsg_type = RTM_GETNEIGH;
	ndm->ndm_ifindex = (int)index;
	mnl_attr_put(nlh, NDA_LLADDR, sizeof(m), &m);
	if (nl_talk(&c->nl, nlh, kept_add, &k) < 0) {
		fprintf(stderr, "%s\n", c->nl.error);
		return 254;
	}
	print_kept(c, &k, true);
	kept_done(&k);
	return 0;
}
