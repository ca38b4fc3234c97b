/* SPDX-License-Identifier: Apache-2.0 */
#include "io/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/hostlink.h"
#include "io/hostnl.h"
#include "io/nlip.h"
#include "net/dev.h"

enum { NL_BUF = 32768 };

static void read_port_range(struct io_host *h)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned int low, high;

	h->port_low = 32768;
	h->port_high = 60999;
	if (!f)
		return;
	if (fscanf(f, "%u %u", &low, &high) == 2 && low && low <= high && high <= 65535) {
		h->port_low = (uint16_t)low;
		h->port_high = (uint16_t)high;
	}
	fclose(f);
}

int io_host_init(struct io_host *h, const struct io_wake *wake)
{
	*h = (struct io_host){.wake = wake, .open = &io_open_direct, .elsewhere = -1};
	atomic_store(&h->route_gen, 1);
	list_init(&h->closing);
	for (int i = 0; i < VX_WORKERS_MAX; i++)
		h->route_nl[i] = -1;
	read_port_range(h);
	h->nl = hostnl_open(0, false);
	if (h->nl < 0)
		return h->nl;
	h->monitor = hostnl_open(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
				     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE |
				     1u << (RTNLGRP_IPV6_RULE - 1),
			     true);
	if (h->monitor < 0) {
		close(h->nl);
		return h->monitor;
	}
	return 0;
}

void io_host_done(struct io_host *h)
{
	close(h->nl);
	close(h->monitor);
	if (h->elsewhere >= 0)
		close(h->elsewhere);
	for (int i = 0; i < VX_WORKERS_MAX; i++)
		if (h->route_nl[i] >= 0)
			close(h->route_nl[i]);
}

int host_request(struct io_host *h, struct nlmsghdr *nlh,
		 int (*cb)(const struct nlmsghdr *nlh, void *data), void *data)
{
	return hostnl_talk(h->nl, nlh, cb, data);
}

/* --- links ----------------------------------------------------------------------------------- */

static int on_link(const struct nlmsghdr *nlh, void *data)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		hostlink_parse(nlh, data);
	return MNL_CB_OK;
}

static int link_get(int nl, uint32_t ifindex, const char *name, struct host_link *out)
{
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi;

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)ifindex;
	if (!ifindex)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return hostnl_talk(nl, nlh, on_link, out);
}

int host_link_get(struct io_host *h, uint32_t ifindex, const char *name, struct host_link *out)
{
	return link_get(h->nl, ifindex, name, out);
}

int host_link_set(struct io_host *h, const char *netns, uint32_t ifindex, uint32_t mtu,
		  const struct mac *mac, int up)
{
	struct link_ask a = {.ifindex = ifindex, .mtu = mtu, .up = (int8_t)up};

	snprintf(a.netns, sizeof(a.netns), "%s", netns);
	if (mac) {
		a.mac = *mac;
		a.has_mac = 1;
	}
	return h->open->link_set(h->open->ctx, &a);
}

int host_link_rename(struct io_host *h, const char *netns, uint32_t ifindex, const char *name)
{
	struct link_ask a = {.ifindex = ifindex, .up = -1};

	snprintf(a.netns, sizeof(a.netns), "%s", netns);
	snprintf(a.name, sizeof(a.name), "%s", name);
	return h->open->link_set(h->open->ctx, &a);
}

/* --- routes ---------------------------------------------------------------------------------- */

static void parse_metrics(const struct nlattr *nest, struct dst *d)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested (a, nest) {
		if (mnl_attr_get_type(a) == RTAX_MTU)
			d->mtu = mnl_attr_get_u32(a);
		else if (mnl_attr_get_type(a) == RTAX_HOPLIMIT)
			d->hoplimit = (uint8_t)mnl_attr_get_u32(a);
		else if (mnl_attr_get_type(a) == RTAX_LOCK)
			d->mtu_locked = mnl_attr_get_u32(a) & (1u << RTAX_MTU);
	}
}

static uint8_t dst_type_of(uint8_t rtn)
{
	switch (rtn) {
	case RTN_LOCAL:
		return DST_LOCAL;
	case RTN_BROADCAST:
		return DST_BROADCAST;
	case RTN_MULTICAST:
		return DST_MULTICAST;
	case RTN_BLACKHOLE:
		return DST_BLACKHOLE;
	case RTN_UNICAST:
		return DST_UNICAST;
	}
	return DST_UNREACHABLE;
}

static int on_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;
	struct dst *d = data;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	d->type = dst_type_of(rt->rtm_type);
	mnl_attr_for_each (a, nlh, sizeof(*rt)) {
		switch (mnl_attr_get_type(a)) {
		case RTA_OIF:
			d->ifindex = mnl_attr_get_u32(a);
			break;
		case RTA_PREFSRC:
			nlip_get(a, &d->src);
			break;
		case RTA_GATEWAY:
			nlip_get(a, &d->gateway);
			break;
		case RTA_METRICS:
			parse_metrics(a, d);
			break;
		}
	}
	return MNL_CB_OK;
}

/* The worker's own netlink socket, so that no answer is another's. */
static int worker_nl(struct io_host *h, struct worker *w)
{
	if (h->route_nl[w->id] < 0)
		h->route_nl[w->id] = hostnl_open(0, false);
	return h->route_nl[w->id];
}

/* What a route without a metric takes: what its link does.  0: not known. */
static uint32_t link_mtu(struct io_host *h, struct worker *w, uint32_t ifindex, uint64_t gen)
{
	struct host_link l;

	if (h->route_link[w->id].gen != gen || h->route_link[w->id].ifindex != ifindex) {
		h->route_link[w->id].gen = gen;
		h->route_link[w->id].ifindex = ifindex;
		h->route_link[w->id].mtu =
			link_get(worker_nl(h, w), ifindex, NULL, &l) < 0 ? 0 : l.mtu;
	}
	return h->route_link[w->id].mtu;
}

/* That there is none holds as long as a route would: or who sends there all the same has the host asked
 * for each packet, which takes as long as many sent ones. */
static int no_route(struct dst *out, uint64_t gen)
{
	*out = (struct dst){.type = DST_UNREACHABLE, .gen = gen};
	return -EHOSTUNREACH;
}

int host_route(struct io_host *h, struct worker *w, const struct udp_flow *f, struct dst *out)
{
	uint64_t gen = host_route_gen(h); /* before the question: what changes after makes it old */
	char buf[512];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rt;
	int fd = worker_nl(h, w), r;

	if (fd < 0)
		return fd;
	*out = (struct dst){0};
	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));
	rt->rtm_family = ip_is4(&f->dst) ? AF_INET : AF_INET6;
	rt->rtm_dst_len = ip_is4(&f->dst) ? 32 : 128;
	rt->rtm_tos = f->tos & 0x1c;
	nlip_put(nlh, RTA_DST, &f->dst);
	if (!ip_is_any(&f->src)) {
		rt->rtm_src_len = rt->rtm_dst_len;
		nlip_put(nlh, RTA_SRC, &f->src);
	}
	if (f->ifindex)
		mnl_attr_put_u32(nlh, RTA_OIF, f->ifindex);
	if (f->mark)
		mnl_attr_put_u32(nlh, RTA_MARK, f->mark);
	mnl_attr_put_u8(nlh, RTA_IP_PROTO, IPPROTO_UDP);
	mnl_attr_put_u16(nlh, RTA_DPORT, htons(f->dport));
	r = hostnl_talk(fd, nlh, on_route, out);
	if (r == -ENETUNREACH || r == -EHOSTUNREACH)
		return no_route(out, gen);
	if (r < 0)
		return r;
	if (out->type == DST_UNREACHABLE || out->type == DST_BLACKHOLE)
		return no_route(out, gen);
	if (!out->mtu && out->ifindex)
		out->mtu = link_mtu(h, w, out->ifindex, gen);
	out->gen = gen;
	return 0;
}

/* --- notifications --------------------------------------------------------------------------- */

static int on_event(const struct nlmsghdr *nlh, void *data)
{
	struct io_host *h = data;
	struct host_link l, now;
	bool gone;

	atomic_fetch_add(&h->route_gen, 1);
	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return MNL_CB_OK;
	/* The message may be older than what control did since: what counts is how it is now. */
	hostlink_parse(nlh, &l);
	gone = host_link_get(h, l.ifindex, NULL, &now) < 0;
	if (h->link_changed && (!gone || nlh->nlmsg_type == RTM_DELLINK))
		h->link_changed(h->ctx, gone ? &l : &now, gone);
	return MNL_CB_OK;
}

void netdev_run(struct io_host *h)
{
	char buf[NL_BUF];

	for (int i = 0; i < 64; i++) {
		ssize_t n = recv(h->monitor, buf, sizeof(buf), 0);

		if (n < 0 && errno == ENOBUFS) {
			/* Something was lost: whatever was cached may be wrong. */
			atomic_fetch_add(&h->route_gen, 1);
			if (h->overrun)
				h->overrun(h->ctx);
			continue;
		}
		if (n <= 0)
			return;
		mnl_cb_run(buf, (size_t)n, 0, 0, on_event, h);
	}
}

static int on_elsewhere(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct io_host *h = data;

	if ((nlh->nlmsg_type == RTM_NEWLINK || nlh->nlmsg_type == RTM_DELLINK) &&
	    mnl_nlmsg_get_payload_len(nlh) >= sizeof(*ifi))
		h->elsewhere_changed(h->ctx, (uint32_t)ifi->ifi_index);
	return MNL_CB_OK;
}

void host_elsewhere_run(struct io_host *h)
{
	char buf[NL_BUF];

	for (int i = 0; i < 64; i++) {
		bool is_ours;
		ssize_t n = hostnl_recv_all(h->elsewhere, buf, sizeof(buf), &is_ours);

		if (n == -ENOBUFS)
			h->overrun(h->ctx);
		else if (n <= 0)
			return;
		else if (!is_ours)
			mnl_cb_run(buf, (size_t)n, 0, 0, on_elsewhere, h);
	}
}

/* --- struct host_ops ---------------------------------------------------------------------------- */

static int op_link(void *ctx, uint32_t ifindex, const char *name, struct host_link *out)
{
	return host_link_get(ctx, ifindex, name, out);
}

static int op_side_add(void *ctx, struct dev *d, bool adopt, struct vx_err *err)
{
	return tap_side_add(ctx, d, adopt, err);
}

static uint64_t op_generation(void *ctx)
{
	return host_route_gen(ctx);
}

const struct host_ops io_host_ops = {
	.link = op_link,
	.side_add = op_side_add,
	.udp_open = host_udp_open,
	.generation = op_generation,
};
