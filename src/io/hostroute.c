/* SPDX-License-Identifier: Apache-2.0 */
#include "io/hostroute.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/util.h"
#include "io/hostlink.h"
#include "io/hostnl.h"
#include "io/nlip.h"
#include "net/fib.h"

/* An array that grows. */
struct items {
	void *p;
	size_t n, size;
};

/* NULL: memory. */
static void *item_add(struct items *x, size_t each)
{
	if (x->n == x->size) {
		size_t size = x->size ? 2 * x->size : 32;
		void *more = realloc(x->p, size * each);

		if (!more)
			return NULL;
		x->p = more;
		x->size = size;
	}
	return (char *)x->p + each * x->n++;
}

static uint32_t plen_in_128(const struct ip_addr *ip, uint8_t plen)
{
	return plen + (ip_is4(ip) ? 96u : 0u);
}

static struct nlmsghdr *begin(char *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	return nlh;
}

/* --- addresses ------------------------------------------------------------------------------- */

struct address {
	struct ip_addr ip;
	uint32_t ifindex;
	uint8_t plen;
};

static int on_address(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct address a = {.ifindex = ifa->ifa_index, .plen = ifa->ifa_prefixlen}, *to;
	const struct nlattr *at;

	if (nlh->nlmsg_type != RTM_NEWADDR)
		return MNL_CB_OK;
	mnl_attr_for_each(at, nlh,
			  sizeof(*ifa)) /* on a link between two IFA_ADDRESS is the other */
		if (mnl_attr_get_type(at) == IFA_LOCAL || (mnl_attr_get_type(at) == IFA_ADDRESS &&
							   ip_is_none(&a.ip))) nlip_get(at, &a.ip);
	to = item_add(data, sizeof(*to));
	if (!to) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	*to = a;
	return MNL_CB_OK;
}

static int get_addresses(struct items *addresses)
{
	char buf[128];
	struct nlmsghdr *nlh = begin(buf, RTM_GETADDR, NLM_F_DUMP);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifaddrmsg));
	return hostnl_ask(nlh, on_address, addresses);
}

/* The device's own address in the network that 'ip' is in; zero: none. */
static void source_for(const struct items *addresses, uint32_t ifindex, const struct ip_addr *ip,
		       struct ip_addr *src)
{
	const struct address *a = addresses->p;
	uint32_t best = 0;

	for (size_t i = 0; i < addresses->n; i++) {
		uint32_t plen = plen_in_128(&a[i].ip, a[i].plen);

		if (a[i].ifindex == ifindex && ip_is4(&a[i].ip) == ip_is4(ip) && plen > best &&
		    ip_in_prefix(ip, &a[i].ip, plen)) {
			best = plen;
			*src = a[i].ip;
		}
	}
}

/* --- routes ---------------------------------------------------------------------------------- */

struct told_route {
	struct host_route r;
	uint32_t ifindex, table;
};

static bool parse_route(const struct nlmsghdr *nlh, struct told_route *to)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;

	*to = (struct told_route){.table = rt->rtm_table};
	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    (rt->rtm_type != RTN_UNICAST && rt->rtm_type != RTN_LOCAL))
		return false;
	if (rt->rtm_family == AF_INET)
		to->r.dst = to->r.gateway = to->r.src = ip_from4((be32){0});
	to->r.plen = rt->rtm_dst_len;
	to->r.is_local = rt->rtm_type == RTN_LOCAL;
	mnl_attr_for_each(a, nlh, sizeof(*rt))
	{
		switch (mnl_attr_get_type(a)) {
		case RTA_DST:
			nlip_get(a, &to->r.dst);
			break;
		case RTA_GATEWAY:
			nlip_get(a, &to->r.gateway);
			break;
		case RTA_PREFSRC:
			nlip_get(a, &to->r.src);
			break;
		case RTA_OIF:
			to->ifindex = mnl_attr_get_u32(a);
			break;
		case RTA_TABLE:
			to->table = mnl_attr_get_u32(a);
			break;
		}
	}
	return true;
}

static int on_route(const struct nlmsghdr *nlh, void *data)
{
	struct told_route r, *to;

	if (!parse_route(nlh, &r) ||
	    (r.table != RT_TABLE_LOCAL && r.table != RT_TABLE_MAIN && r.table != RT_TABLE_DEFAULT))
		return MNL_CB_OK;
	to = item_add(data, sizeof(*to));
	if (!to) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	*to = r;
	return MNL_CB_OK;
}

static int get_routes(struct items *routes, uint8_t family)
{
	char buf[128];
	struct nlmsghdr *nlh = begin(buf, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));

	rt->rtm_family = family;
	return hostnl_ask(nlh, on_route, routes);
}

/* What a message leaves to be looked up: the device's name, the source. */
static int complete(struct told_route *r, const struct items *addresses)
{
	struct host_link link;
	int err = hostlink_get(r->ifindex, NULL, &link);

	if (err < 0)
		return err;
	memcpy(r->r.dev, link.name, sizeof(r->r.dev));
	if (ip_is_any(&r->r.src))
		source_for(addresses, r->ifindex,
			   ip_is_any(&r->r.gateway) ? &r->r.dst : &r->r.gateway, &r->r.src);
	return 0;
}

int host_routes(struct host_route **out, size_t *n)
{
	struct items routes = {0}, addresses = {0};
	struct told_route *r;
	int err = get_addresses(&addresses);

	if (err == 0)
		err = get_routes(&routes, AF_INET);
	if (err == 0)
		err = get_routes(&routes, AF_INET6);
	r = routes.p;
	*n = 0;
	*out = err == 0 ? malloc((routes.n + 1) * sizeof(**out)) : NULL;
	for (size_t i = 0; *out && i < routes.n; i++)
		if (complete(&r[i], &addresses) == 0) /* else it has just gone, or has no device */
			(*out)[(*n)++] = r[i].r;
	free(routes.p);
	free(addresses.p);
	return err < 0 ? err : *out ? 0 : -ENOMEM;
}

static int on_answer(const struct nlmsghdr *nlh, void *data)
{
	struct told_route r;

	if (parse_route(nlh, &r))
		*(struct told_route *)data = r;
	return MNL_CB_OK;
}

int host_route_to(const struct ip_addr *dst, uint32_t mark, struct host_route *out)
{
	struct items none = {0};
	struct told_route r = {0};
	char buf[256];
	struct nlmsghdr *nlh = begin(buf, RTM_GETROUTE, NLM_F_ACK);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));
	int err;

	rt->rtm_family = ip_is4(dst) ? AF_INET : AF_INET6;
	rt->rtm_dst_len = ip_is4(dst) ? 32 : 128;
	nlip_put(nlh, RTA_DST, dst);
	if (mark)
		mnl_attr_put_u32(nlh, RTA_MARK, mark);
	err = hostnl_ask(nlh, on_answer, &r);
	if (err == 0 && !r.ifindex) /* unreachable, blackhole */
		err = -ENETUNREACH;
	if (err == 0)
		err = complete(&r, &none);
	if (err == 0)
		*out = r.r;
	return err;
}
