/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, routes and neighbours of vx's own stack; what is the host's is read from the host. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "ctl/rtnl.h"
#include "io/nlip.h"
#include "net/inet.h"
#include "net/neigh.h"
#include "net/route.h"

/* --- what they share ----------------------------------------------------------------------------- */

/* Nothing for an address that is not set. */
static void put_ip(struct nlmsghdr *nlh, uint16_t type, const struct ip_addr *ip)
{
	if (!ip_is_none(ip))
		nlip_put(nlh, type, ip);
}

static uint32_t attr_u32(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) >= 4 ? mnl_attr_get_u32(a) : 0;
}

/* Does the request ask for vx's own alone? */
static bool own_only(const struct nlmsghdr *nlh, size_t header)
{
	const struct nlattr *a;

	if (mnl_nlmsg_get_payload_len(nlh) < header)
		return false;
	mnl_attr_for_each (a, nlh, (unsigned int)header)
		if (mnl_attr_get_type(a) == IFLA_VX_OWN)
			return true;
	return false;
}

/* The device of an address or neighbour; a sentence if it is the host's. */
static int find_dev(struct rtnl *r, uint32_t ifindex, const char *tool, struct dev **out,
		    struct vx_err *err)
{
	struct host_link l;

	*out = dev_by_index(r->vx, ifindex);
	if (*out && !atomic_load(&(*out)->host))
		return 0;
	if (*out)
		return vx_fail(err, -EOPNOTSUPP,
			       "%s is an interface of the host: use %s without vx exec",
			       (*out)->name, tool);
	if (r->host && ifindex && host_link_get(r->host, ifindex, NULL, &l) == 0)
		return vx_fail(err, -EOPNOTSUPP,
			       "%s is an interface of the host: use %s without vx exec", l.name,
			       tool);
	return -ENODEV;
}

/* --- addresses ------------------------------------------------------------------------------------ */

struct addr_msg {
	const struct ifaddrmsg *ifa;
	struct ip_addr ip, broadcast;
	bool has_ip, has_local;
};

static int parse_addr(const struct nlmsghdr *nlh, struct addr_msg *m, struct vx_err *err)
{
	const struct nlattr *a;
	struct ip_addr ip;

	*m = (struct addr_msg){0};
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m->ifa))
		return vx_fail(err, -EINVAL, "an address message without its header");
	m->ifa = mnl_nlmsg_get_payload(nlh);
	mnl_attr_for_each (a, nlh, sizeof(*m->ifa)) {
		switch (mnl_attr_get_type(a)) {
		case IFA_LOCAL:
		case IFA_ADDRESS:
			if (!nlip_get(a, &ip))
				return vx_fail(err, -EINVAL, "this is no IP address");
			/* The local one counts, whatever the order. */
			if (mnl_attr_get_type(a) == IFA_LOCAL || !m->has_local)
				m->ip = ip;
			m->has_local |= mnl_attr_get_type(a) == IFA_LOCAL;
			m->has_ip = true;
			break;
		case IFA_BROADCAST:
			if (!nlip_get(a, &m->broadcast))
				return vx_fail(err, -EINVAL, "this is no broadcast address");
			break;
		case IFA_FLAGS:
		case IFA_CACHEINFO:
		case IFA_LABEL:
			break;
		default:
			return vx_fail(err, -EOPNOTSUPP,
				       "vx does not do what attribute %u of an address message asks",
				       mnl_attr_get_type(a));
		}
	}
	return m->has_ip ? 0 : vx_fail(err, -EINVAL, "an address message without an address");
}

int rtnl_newaddr(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	struct addr_msg m;
	struct dev *d;
	int r = parse_addr(nlh, &m, err);

	if (r == 0)
		r = find_dev(c->r, m.ifa->ifa_index, "ip", &d, err);
	if (r < 0)
		return r;
	r = inet_addr_add(d, &m.ip, m.ifa->ifa_prefixlen,
			  ip_is_none(&m.broadcast) ? NULL : &m.broadcast, "vx addr add", err);
	if (r == 0 && state_text(c->r->state))
		canon_addr(state_text(c->r->state), "add", d, &m.ip, m.ifa->ifa_prefixlen,
			   &m.broadcast);
	return r;
}

int rtnl_deladdr(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	struct addr_msg m;
	struct dev *d;
	int r = parse_addr(nlh, &m, err);

	if (r == 0)
		r = find_dev(c->r, m.ifa->ifa_index, "ip", &d, err);
	if (r == 0)
		r = inet_addr_del(d, &m.ip, m.ifa->ifa_prefixlen, err);
	if (r == 0 && state_text(c->r->state))
		canon_addr(state_text(c->r->state), "del", d, &m.ip, m.ifa->ifa_prefixlen, NULL);
	return r;
}

struct dump {
	struct rtnl_conn *c;
	uint8_t family; /* 0: all */
	uint32_t ifindex;
};

static bool wants_family(const struct dump *x, const struct ip_addr *ip)
{
	return !x->family || (x->family == AF_INET) == ip_is4(ip);
}

static int dump_addr(void *ctx, const struct inet_addr *a)
{
	struct dump *x = ctx;
	uint8_t buf[512] = {0};
	struct nlmsghdr *nlh = rtnl_begin(x->c, buf, RTM_NEWADDR, NLM_F_MULTI);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	if (!wants_family(x, &a->ip) || (x->ifindex && x->ifindex != a->dev->ifindex))
		return 0;
	ifa->ifa_family = ip_is4(&a->ip) ? AF_INET : AF_INET6;
	ifa->ifa_prefixlen = a->plen;
	ifa->ifa_flags = IFA_F_PERMANENT;
	ifa->ifa_scope = ip_is_linklocal(&a->ip) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	ifa->ifa_index = a->dev->ifindex;
	put_ip(nlh, IFA_ADDRESS, &a->ip);
	if (ip_is4(&a->ip)) {
		put_ip(nlh, IFA_LOCAL, &a->ip);
		mnl_attr_put_strz(nlh, IFA_LABEL, a->dev->name);
	}
	put_ip(nlh, IFA_BROADCAST, &a->broadcast);
	rtnl_put(x->c, nlh);
	return 0;
}

int rtnl_getaddr(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct dump x = {.c = c};
	int r = own_only(nlh, sizeof(*ifa)) ? 0 : rtnl_relay(c, nlh, err);

	if (r < 0)
		return r;
	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(*ifa)) {
		x.family = ifa->ifa_family;
		x.ifindex = c->strict || own_only(nlh, sizeof(*ifa)) ? ifa->ifa_index : 0;
	}
	return inet_addr_each(c->r->vx, dump_addr, &x);
}

/* --- routes ------------------------------------------------------------------------------------------ */

static int parse_metrics(const struct nlattr *nest, struct route_req *q)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested (a, nest) {
		if (mnl_attr_get_type(a) == RTAX_MTU)
			q->mtu = attr_u32(a);
		else if (mnl_attr_get_type(a) == RTAX_HOPLIMIT)
			q->hoplimit = (uint8_t)attr_u32(a);
		else if (mnl_attr_get_type(a) == RTAX_LOCK)
			q->mtu_locked = attr_u32(a) & (1u << RTAX_MTU);
	}
	return 0;
}

static int route_type(uint8_t rtn, struct route_req *q, struct vx_err *err)
{
	switch (rtn) {
	case RTN_UNSPEC:
	case RTN_UNICAST:
		q->type = DST_UNICAST;
		return 0;
	case RTN_BLACKHOLE:
		q->type = DST_BLACKHOLE;
		return 0;
	case RTN_UNREACHABLE:
		q->type = DST_UNREACHABLE;
		return 0;
	}
	return vx_fail(err, -EOPNOTSUPP, "a route of vx is unicast, blackhole or unreachable");
}

static int get_route_attr(const struct nlattr *a, struct route_req *q, struct vx_err *err)
{
	struct ip_addr *ip = NULL;

	switch (mnl_attr_get_type(a)) {
	case RTA_DST:
		ip = &q->dst;
		break;
	case RTA_GATEWAY:
		ip = &q->gateway;
		break;
	case RTA_PREFSRC:
		ip = &q->src;
		break;
	case RTA_OIF:
		q->ifindex = attr_u32(a);
		return 0;
	case RTA_PRIORITY:
		q->metric = attr_u32(a);
		return 0;
	case RTA_METRICS:
		return parse_metrics(a, q);
	case RTA_TABLE:
		return attr_u32(a) == RT_TABLE_MAIN || !attr_u32(a)
			       ? 0
			       : vx_fail(err, -EOPNOTSUPP, "vx has one routing table, main");
	case RTA_CACHEINFO:
	case IFLA_VX_OWN:
		return 0;
	default:
		return vx_fail(err, -EOPNOTSUPP,
			       "vx does not do what attribute %u of a route message asks",
			       mnl_attr_get_type(a));
	}
	return nlip_get(a, ip) ? 0 : vx_fail(err, -EINVAL, "this is no IP address");
}

static int parse_route(const struct nlmsghdr *nlh, struct route_req *q, struct vx_err *err)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;
	int r;

	*q = (struct route_req){.nl_flags = nlh->nlmsg_flags, .maker = "vx route add"};
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rt))
		return vx_fail(err, -EINVAL, "a route message without its header");
	q->family = rt->rtm_family;
	q->plen = rt->rtm_dst_len;
	q->protocol = rt->rtm_protocol;
	q->scope = rt->rtm_scope;
	if (q->family != AF_INET && q->family != AF_INET6)
		return vx_fail(err, -EAFNOSUPPORT, "a route is IPv4 or IPv6");
	q->dst = q->family == AF_INET ? ip_from4((be32){0}) : (struct ip_addr){{{0}}};
	r = route_type(rt->rtm_type, q, err);
	mnl_attr_for_each (a, nlh, sizeof(*rt)) {
		if (r == 0)
			r = get_route_attr(a, q, err);
	}
	return r;
}

/* A route through the host's interface, or to nowhere without a word that it is vx's, is the
 * host's. */
static int check_route_dev(struct rtnl *r, const struct route_req *q, struct vx_err *err)
{
	struct dev *d;

	return q->ifindex ? find_dev(r, q->ifindex, "ip", &d, err) : 0;
}

int rtnl_newroute(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	struct route_req q;
	int r = parse_route(nlh, &q, err);

	if (r == 0)
		r = check_route_dev(c->r, &q, err);
	q.restored = c->r->state && c->r->state->replaying;
	if (r == 0)
		r = route_add(c->r->vx, &q, err);
	if (r == 0 && state_text(c->r->state))
		canon_route(state_text(c->r->state), c->r->vx,
			    q.nl_flags & NLM_F_REPLACE ? "replace" : "append", &q);
	return r;
}

int rtnl_delroute(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	struct route_req q;
	int r = parse_route(nlh, &q, err);

	if (r == 0)
		r = check_route_dev(c->r, &q, err);
	if (r == 0)
		r = route_del(c->r->vx, &q, err);
	if (r == 0 && state_text(c->r->state))
		canon_route(state_text(c->r->state), c->r->vx, "del", &q);
	return r;
}

static void put_metrics(struct nlmsghdr *nlh, const struct route_req *q)
{
	struct nlattr *nest;

	if (!q->mtu && !q->hoplimit)
		return;
	nest = mnl_attr_nest_start(nlh, RTA_METRICS);
	nest->nla_type = RTA_METRICS;
	if (q->mtu_locked)
		mnl_attr_put_u32(nlh, RTAX_LOCK, 1u << RTAX_MTU);
	if (q->mtu)
		mnl_attr_put_u32(nlh, RTAX_MTU, q->mtu);
	if (q->hoplimit)
		mnl_attr_put_u32(nlh, RTAX_HOPLIMIT, q->hoplimit);
	mnl_attr_nest_end(nlh, nest);
}

static int dump_route(void *ctx, const struct route_view *v)
{
	struct dump *x = ctx;
	uint8_t buf[512] = {0};
	struct nlmsghdr *nlh = rtnl_begin(x->c, buf, RTM_NEWROUTE, NLM_F_MULTI);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));

	rt->rtm_family = (uint8_t)v->r.family;
	rt->rtm_dst_len = v->r.plen;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = v->r.protocol;
	rt->rtm_scope = v->r.scope;
	rt->rtm_type = v->r.type == DST_BLACKHOLE	? RTN_BLACKHOLE
		       : v->r.type == DST_UNREACHABLE ? RTN_UNREACHABLE
						      : RTN_UNICAST;
	mnl_attr_put_u32(nlh, RTA_TABLE, RT_TABLE_MAIN);
	if (v->r.plen)
		put_ip(nlh, RTA_DST, &v->r.dst);
	put_ip(nlh, RTA_GATEWAY, &v->r.gateway);
	put_ip(nlh, RTA_PREFSRC, &v->r.src);
	if (v->r.ifindex)
		mnl_attr_put_u32(nlh, RTA_OIF, v->r.ifindex);
	if (v->r.metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, v->r.metric);
	put_metrics(nlh, &v->r);
	rtnl_put(x->c, nlh);
	return 0;
}

int rtnl_getroute(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);
	struct dump x = {.c = c};
	int r;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rt))
		return vx_fail(err, -EINVAL, "a route message without its header");
	r = own_only(nlh, sizeof(*rt)) ? 0 : rtnl_relay(c, nlh, err);
	if (r < 0 || (nlh->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		return r;
	return route_each(c->r->vx, rt->rtm_family, dump_route, &x);
}

/* --- neighbours --------------------------------------------------------------------------------------- */

static int parse_neigh(struct rtnl *r, const struct nlmsghdr *nlh, struct neigh_req *q,
		       struct vx_err *err)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	bool has_ip = false;
	const struct nlattr *a;

	*q = (struct neigh_req){.nl_flags = nlh->nlmsg_flags, .maker = "vx neigh add"};
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm))
		return vx_fail(err, -EINVAL, "a neighbour message without its header");
	q->state = ndm->ndm_state;
	mnl_attr_for_each (a, nlh, sizeof(*ndm)) {
		switch (mnl_attr_get_type(a)) {
		case NDA_DST:
			has_ip = nlip_get(a, &q->ip);
			break;
		case NDA_LLADDR:
			if (mnl_attr_get_payload_len(a) != sizeof(q->mac))
				return vx_fail(err, -EINVAL, "an Ethernet address has 6 bytes");
			memcpy(&q->mac, mnl_attr_get_payload(a), sizeof(q->mac));
			q->has_mac = true;
			break;
		case NDA_PROTOCOL:
			if (mnl_attr_get_payload_len(a) >= 1)
				q->protocol = mnl_attr_get_u8(a);
			break;
		case NDA_CACHEINFO:
		case NDA_PROBES:
		case NDA_FLAGS_EXT:
			break;
		default:
			return vx_fail(err, -EOPNOTSUPP,
				       "vx does not do what attribute %u of a neighbour message asks",
				       mnl_attr_get_type(a));
		}
	}
	if (!has_ip)
		return vx_fail(err, -EINVAL, "a neighbour message without an address");
	return find_dev(r, (uint32_t)ndm->ndm_ifindex, "ip", &q->dev, err);
}

int rtnl_newneigh_ip(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	struct neigh_req q;
	int r = parse_neigh(c->r, nlh, &q, err);

	if (r == 0)
		r = neigh_add(c->r->vx, &q, err);
	if (r == 0 && state_text(c->r->state) && !q.protocol)
		canon_neigh(state_text(c->r->state), "replace", q.dev, &q.ip, q.has_mac, &q.mac,
			    q.state);
	return r;
}

int rtnl_delneigh_ip(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	struct neigh_req q;
	int r = parse_neigh(c->r, nlh, &q, err);

	if (r == 0)
		r = neigh_del(c->r->vx, q.dev, &q.ip, err);
	if (r == 0 && state_text(c->r->state))
		canon_neigh(state_text(c->r->state), "del", q.dev, &q.ip, false, NULL, 0);
	return r;
}

static int dump_neigh(void *ctx, const struct neigh_view *v)
{
	const uint64_t tick = NS_PER_S / 100;
	struct dump *x = ctx;
	uint8_t buf[512] = {0};
	struct nlmsghdr *nlh = rtnl_begin(x->c, buf, RTM_NEWNEIGH, NLM_F_MULTI);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	struct nda_cacheinfo ci = {.ndm_confirmed = (uint32_t)(v->confirmed / tick),
				   .ndm_used = (uint32_t)(v->used / tick),
				   .ndm_updated = (uint32_t)(v->updated / tick)};

	if (!wants_family(x, &v->ip))
		return 0;
	ndm->ndm_family = ip_is4(&v->ip) ? AF_INET : AF_INET6;
	ndm->ndm_ifindex = (int)v->dev->ifindex;
	ndm->ndm_state = v->state;
	put_ip(nlh, NDA_DST, &v->ip);
	if (!mac_is_zero(&v->mac))
		mnl_attr_put(nlh, NDA_LLADDR, sizeof(v->mac), &v->mac);
	mnl_attr_put_u32(nlh, NDA_PROBES, v->probes);
	mnl_attr_put(nlh, NDA_CACHEINFO, sizeof(ci), &ci);
	rtnl_put(x->c, nlh);
	return 0;
}

int rtnl_getneigh_ip(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	struct dump x = {.c = c};
	struct dev *d = NULL;
	int r = own_only(nlh, sizeof(*ndm)) ? 0 : rtnl_relay(c, nlh, err);

	if (r < 0 || (nlh->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		return r;
	if (len >= 1)
		x.family = *(const uint8_t *)ndm;
	if (len >= sizeof(*ndm) && own_only(nlh, sizeof(*ndm)) && ndm->ndm_ifindex)
		d = dev_by_index(c->r->vx, (uint32_t)ndm->ndm_ifindex);
	return neigh_each(c->r->vx, d, dump_neigh, &x);
}
