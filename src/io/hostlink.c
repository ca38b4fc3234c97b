/* SPDX-License-Identifier: Apache-2.0 */
#include "io/hostlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "io/hostnl.h"
#include "net/dev.h"

/* DEVCONF_DISABLE_IPV6: linux/ipv6.h does not go with netinet/in.h. */
enum { CONF_DISABLE_IPV6 = 26 };

static struct nlmsghdr *message(char *buf, uint16_t type, uint16_t flags, uint32_t ifindex)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	ifi->ifi_index = (int)ifindex;
	return nlh;
}

static void parse_af_spec(const struct nlattr *spec, struct host_link *l)
{
	const struct nlattr *af, *a;

	mnl_attr_for_each_nested (af, spec) {
		if (mnl_attr_get_type(af) != AF_INET6)
			continue;
		mnl_attr_for_each_nested (a, af) {
			const int32_t *conf = mnl_attr_get_payload(a);

			if (mnl_attr_get_type(a) == IFLA_INET6_CONF &&
			    mnl_attr_get_payload_len(a) > CONF_DISABLE_IPV6 * sizeof(*conf))
				l->ip6_disabled = conf[CONF_DISABLE_IPV6];
		}
	}
}

void hostlink_parse(const struct nlmsghdr *nlh, struct host_link *l)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;

	*l = (struct host_link){.ifindex = (uint32_t)ifi->ifi_index, .flags = ifi->ifi_flags};
	mnl_attr_for_each (a, nlh, sizeof(*ifi)) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			snprintf(l->name, sizeof(l->name), "%s", mnl_attr_get_str(a));
			break;
		case IFLA_MTU:
			l->mtu = mnl_attr_get_u32(a);
			break;
		case IFLA_TSO_MAX_SIZE:
			l->tso_max_size = mnl_attr_get_u32(a);
			break;
		case IFLA_ADDRESS:
			if (mnl_attr_get_payload_len(a) == sizeof(l->mac))
				memcpy(&l->mac, mnl_attr_get_payload(a), sizeof(l->mac));
			break;
		case IFLA_AF_SPEC:
			parse_af_spec(a, l);
			break;
		}
	}
}

static int on_link(const struct nlmsghdr *nlh, void *data)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		hostlink_parse(nlh, data);
	return MNL_CB_OK;
}

int hostlink_get(uint32_t ifindex, const char *name, struct host_link *out)
{
	char buf[256];
	struct nlmsghdr *nlh = message(buf, RTM_GETLINK, 0, ifindex);

	if (!ifindex)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return hostnl_ask(nlh, on_link, out);
}

int hostlink_set(const struct link_ask *a)
{
	char buf[256];
	struct nlmsghdr *nlh;
	struct ifinfomsg *ifi;
	struct host_link now;
	bool any = false;
	int r = hostlink_get(a->ifindex, NULL, &now);

	if (r < 0)
		return r;
	nlh = message(buf, RTM_NEWLINK, 0, a->ifindex);
	ifi = mnl_nlmsg_get_payload(nlh);
	if (a->up >= 0 && (a->up > 0) != !!(now.flags & IFF_UP)) {
		ifi->ifi_change = IFF_UP;
		ifi->ifi_flags = a->up ? IFF_UP : 0;
		any = true;
	}
	if (*a->name && strcmp(a->name, now.name)) {
		mnl_attr_put_strz(nlh, IFLA_IFNAME, a->name);
		any = true;
	}
	if (a->mtu && a->mtu != now.mtu) {
		mnl_attr_put_u32(nlh, IFLA_MTU, a->mtu);
		any = true;
	}
	if (a->has_mac && !mac_eq(&a->mac, &now.mac)) {
		mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(a->mac), &a->mac);
		any = true;
	}
	return any ? hostnl_ask(nlh, NULL, NULL) : 0;
}

struct link_where hostlink_where(const struct host_link *l, const char *netns)
{
	struct link_where w = {.ifindex = l->ifindex, .mtu = l->mtu, .flags = l->flags,
			       .mac = l->mac};

	snprintf(w.netns, sizeof(w.netns), "%s", netns);
	snprintf(w.name, sizeof(w.name), "%s", l->name);
	return w;
}

static bool get_flag(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) && mnl_attr_get_u8(a);
}

static void parse_tun(const struct nlattr *data, struct host_tap *t)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested (a, data) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_TUN_TYPE:
			t->is_tap = mnl_attr_get_payload_len(a) && mnl_attr_get_u8(a) == IFF_TAP;
			break;
		case IFLA_TUN_PI:
			t->has_pi = get_flag(a);
			break;
		case IFLA_TUN_VNET_HDR:
			t->has_vnet_hdr = get_flag(a);
			break;
		case IFLA_TUN_PERSIST:
			t->is_persistent = get_flag(a);
			break;
		case IFLA_TUN_MULTI_QUEUE:
			t->is_multi_queue = get_flag(a);
			break;
		case IFLA_TUN_NUM_QUEUES:
			if (mnl_attr_validate(a, MNL_TYPE_U32) >= 0)
				t->n_queues = mnl_attr_get_u32(a);
			break;
		}
	}
}

static int on_tap(const struct nlmsghdr *nlh, void *data)
{
	struct host_tap *t = data;
	const struct nlattr *a, *b, *tun = NULL;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	mnl_attr_for_each (a, nlh, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(a) != IFLA_LINKINFO)
			continue;
		mnl_attr_for_each_nested (b, a) {
			if (mnl_attr_get_type(b) == IFLA_INFO_KIND)
				t->is_tun = !strcmp(mnl_attr_get_str(b), "tun");
			else if (mnl_attr_get_type(b) == IFLA_INFO_DATA)
				tun = b;
		}
	}
	if (tun && t->is_tun)
		parse_tun(tun, t);
	return MNL_CB_OK;
}

int hostlink_tap_is_left(const char *name, bool any, struct host_tap *t)
{
	char buf[256];
	struct nlmsghdr *nlh = message(buf, RTM_GETLINK, 0, 0);
	int r;

	*t = (struct host_tap){0};
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	r = hostnl_ask(nlh, on_tap, t);
	if (r < 0)
		return r;
	if (!t->is_tap || !t->is_persistent)
		return -EEXIST;
	if (!any && (t->has_pi || !t->has_vnet_hdr || !t->is_multi_queue))
		return -EEXIST;
	return t->n_queues ? -EBUSY : 0;
}

int hostlink_del(uint32_t ifindex)
{
	char buf[256];

	return hostnl_ask(message(buf, RTM_DELLINK, 0, ifindex), NULL, NULL);
}

int hostlink_move(uint32_t ifindex, int netns_fd, const char *name)
{
	char buf[256];
	struct nlmsghdr *nlh = message(buf, RTM_NEWLINK, 0, ifindex);

	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return hostnl_ask(nlh, NULL, NULL);
}

int hostlink_veth_add(const char *name, const char *hidden, int netns_fd)
{
	char buf[512];
	struct nlmsghdr *nlh = message(buf, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	struct nlattr *info, *data, *other;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	if (netns_fd >= 0)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, hidden);
	mnl_attr_nest_end(nlh, other);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return hostnl_ask(nlh, NULL, NULL);
}

int hostlink_silence(const char *name, uint32_t ifindex)
{
	char buf[512], path[80];
	struct nlmsghdr *nlh = message(buf, RTM_NEWLINK, 0, ifindex);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	FILE *f;

	/* No IPv6 there, so no router solicitations; where /proc is not ours, no address at least. */
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	f = fopen(path, "we");
	if (f) {
		fputs("1\n", f);
		fclose(f);
	}
	ifi->ifi_change = ifi->ifi_flags = IFF_UP | IFF_NOARP;
	mnl_attr_put_u32(nlh, IFLA_MTU, DEV_MTU_MAX);
	return hostnl_ask(nlh, NULL, NULL);
}
