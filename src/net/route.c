/* SPDX-License-Identifier: Apache-2.0 */
/* Stage route_input, route_output; control's list of routes. */
#include "net/route.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/fib.h"
#include "net/pmtu.h"

static const struct fib *fib_of(struct inet *in)
{
	return atomic_load_explicit(&in->fib, memory_order_acquire);
}

/* --- workers -----------------------------------------------------------------------------------
 */

static bool is_zeronet(const struct ip_addr *a)
{
	return ip_is4(a) && a->b[12] == 0;
}

static bool is_limited_broadcast(const struct ip_addr *a)
{
	return ip_is4(a) && be32_get(ip_get4(a)) == 0xffffffff;
}

/* I7: can this be a sender's address?  '0.0.0.0' only to a broadcast (DHCP) or a group. */
static bool source_is_sane(const struct fib *f, const struct ip_addr *src,
			   const struct ip_addr *dst, uint8_t type, uint32_t ifindex)
{
	const struct fib_local *l;

	if (ip_is_multicast(src) || is_limited_broadcast(src) || ip_is_loopback(src))
		return false;
	if (ip_is_any(src))
		return type == DST_BROADCAST || (type == DST_MULTICAST && !ip_is4(src)) ||
		       (type == DST_MULTICAST &&
			(be32_get(ip_get4(dst)) & 0xffffff00) == 0xe0000000);
	if (is_zeronet(src))
		return false;
	l = fib_find_local(f, src, ifindex);
	return !l || (l->dst.type != DST_LOCAL && l->dst.type != DST_BROADCAST);
}

struct dst *route_input(struct worker *w, const struct pkt *p, const struct ip_addr *src,
			const struct ip_addr *dst, enum drop *why)
{
	const struct fib *f = fib_of(w->vx->inet);
	uint32_t ifindex = p->dev->ifindex;
	const struct fib_local *l;

	*why = DROP_ip_martian;
	if (unlikely(!f))
		return NULL;
	if (ip_is_any(dst) || is_zeronet(dst) || ip_is_loopback(dst))
		return NULL;
	l = fib_find_local(f, dst, ifindex);
	if (unlikely(!l)) {
		if (ip_is_multicast(dst)) {
			*why = DROP_ip_group_not_joined;
			return NULL;
		}
		if (!source_is_sane(f, src, dst, DST_UNICAST, ifindex))
			return NULL;
		return (struct dst *)&f->not_local;
	}
	if (unlikely(!source_is_sane(f, src, dst, l->dst.type, ifindex)))
		return NULL;
	return (struct dst *)&l->dst;
}

static int output_multicast(const struct fib *f, const struct udp_flow *fl, struct dst *out)
{
	const struct fib_route *r = fib_find_route(f, &fl->dst, fl->ifindex);
	const struct fib_addr *a = NULL;
	const struct fib_local *l;
	uint64_t gen = out->gen;

	if (r && r->dst.type == DST_UNICAST) {
		*out = r->dst;
		out->gen = gen;
	} else {
		if (fl->ifindex) {
			a = fib_source(f, fl->ifindex, &fl->dst);
		} else if (!ip_is_none(&fl->src)) {
			l = fib_find_local(f, &fl->src, 0);
			a = l ? fib_source(f, l->dst.ifindex, &fl->dst) : NULL;
		}
		if (!a)
			return -ENETUNREACH;
		*out = f->not_local;
		out->gen = gen;
		out->dev = a->dev;
		out->ifindex = a->dev->ifindex;
		out->mtu = a->dev->mtu;
		out->src = a->ip;
	}
	out->type = DST_MULTICAST;
	out->gateway = fl->dst;
	return 0;
}

/* A device is named and no route leads there: assume that the destination is on its link. */
static int output_on_link(const struct fib *f, const struct udp_flow *fl, struct dst *out)
{
	const struct fib_addr *a = fl->ifindex ? fib_source(f, fl->ifindex, &fl->dst) : NULL;
	uint64_t gen = out->gen;

	if (!a)
		return -ENETUNREACH;
	*out = f->not_local;
	out->gen = gen;
	out->type = DST_UNICAST;
	out->dev = a->dev;
	out->ifindex = a->dev->ifindex;
	out->mtu = a->dev->mtu;
	out->src = a->ip;
	return 0;
}

static int output_unicast(const struct fib *f, const struct udp_flow *fl, struct dst *out)
{
	const struct fib_route *r = fib_find_route(f, &fl->dst, fl->ifindex);
	const struct fib_addr *a;
	uint64_t gen = out->gen;
	int err;

	if (r) {
		*out = r->dst;
		out->gen = gen;
	} else {
		err = output_on_link(f, fl, out);
		if (err < 0)
			return err;
	}
	if (out->type == DST_UNREACHABLE)
		return -EHOSTUNREACH;
	if (out->type == DST_BLACKHOLE)
		return -EINVAL;
	if (ip_is_none(&out->gateway))
		out->gateway = fl->dst;
	if (ip_is_none(&out->src)) {
		a = fib_source(f, out->ifindex, &out->gateway);
		if (!a)
			a = fib_source(f, 0, &fl->dst);
		if (a)
			out->src = a->ip;
	}
	return 0;
}

/* Nothing is sent in another host's name: a source that is given has to be here. */
static bool source_is_ours(const struct fib *f, const struct ip_addr *src)
{
	const struct fib_local *l;

	if (ip_is_none(src) || ip_is_any(src))
		return true;
	l = fib_find_local(f, src, 0);
	return l && l->dst.type == DST_LOCAL;
}

static int output_by(struct inet *in, uint64_t now, const struct udp_flow *fl, struct dst *out)
{
	const struct fib *f;
	const struct fib_local *l;
	int err = 0;

	*out = (struct dst){.gen = inet_gen(in)}; /* before the table is read */
	f = fib_of(in);
	if (!f)
		return -ENETUNREACH;
	l = fib_find_local(f, &fl->dst, fl->ifindex);
	if (!source_is_ours(f, &fl->src)) {
		err = -EINVAL;
	} else if (l && (l->dst.type == DST_LOCAL || l->dst.type == DST_BROADCAST)) {
		uint64_t gen = out->gen;

		*out = l->dst;
		out->gen = gen;
		out->gateway = fl->dst;
		if (out->type == DST_LOCAL)
			out->mtu = 65535;
	} else if (ip_is_multicast(&fl->dst)) {
		err = output_multicast(f, fl, out);
	} else {
		err = output_unicast(f, fl, out);
	}
	if (err < 0) {
		out->type = DST_UNREACHABLE; /* who keeps it must not send by it */
		return err;
	}
	if (!ip_is_none(&fl->src))
		out->src = fl->src;
	if (out->type == DST_UNICAST)
		pmtu_apply(in, now, &fl->dst, out);
	return 0;
}

int route_output(struct worker *w, const struct udp_flow *f, struct dst *out)
{
	return output_by(w->vx->inet, w->now, f, out);
}

bool route_is_local(struct inet *in, const struct ip_addr *ip)
{
	const struct fib *f = fib_of(in);
	const struct fib_local *l = f ? fib_find_local(f, ip, 0) : NULL;

	return l && l->dst.type == DST_LOCAL;
}

bool route_source(struct inet *in, uint32_t ifindex, const struct ip_addr *to, struct ip_addr *src)
{
	const struct fib *f = fib_of(in);
	const struct fib_addr *a = f ? fib_source(f, ifindex, to) : NULL;

	if (!a)
		return false;
	*src = a->ip;
	return true;
}

/* --- control -----------------------------------------------------------------------------------
 */

int route_get(struct vx *vx, const struct udp_flow *f, struct dst *out)
{
	return output_by(vx->inet, vx_now(vx), f, out);
}

int route_rebuild(struct vx *vx)
{
	struct inet *in = vx->inet;
	struct fib *f = fib_build(in), *old;

	if (!f)
		return -ENOMEM;
	old = atomic_exchange_explicit(&in->fib, f, memory_order_acq_rel);
	atomic_fetch_add_explicit(&in->gen, 1, memory_order_release);
	if (old)
		quiesce_defer(&vx->quiesce, fib_free, old);
	return 0;
}

static bool same_prefix(const struct route_req *a, const struct route_req *b)
{
	uint32_t plen = a->plen + (a->family == AF_INET ? 96u : 0u);

	return a->family == b->family && a->plen == b->plen && ip_in_prefix(&a->dst, &b->dst, plen);
}

static struct route *find(struct inet *in, const struct route_req *r)
{
	list_for_each (x, &in->routes, struct route, node)
		if (same_prefix(&x->r, r) && x->r.metric == r->metric)
			return x;
	return NULL;
}

/* The device whose address has the gateway on its link. */
static struct dev *dev_of_gateway(struct inet *in, const struct ip_addr *gw, uint32_t ifindex)
{
	list_for_each (a, &in->addrs, struct inet_addr, node) {
		uint32_t plen = a->plen + (ip_is4(&a->ip) ? 96u : 0u);

		if ((!ifindex || a->dev->ifindex == ifindex) && ip_is4(&a->ip) == ip_is4(gw) &&
		    (ip_in_prefix(gw, &a->ip, plen) || (ifindex && ip_is_linklocal(gw))))
			return a->dev;
	}
	return NULL;
}

static int check(struct vx *vx, struct route_req *r, struct dev **dev, struct vx_err *err)
{
	bool is4 = r->family == AF_INET;

	*dev = NULL;
	if (r->plen > (is4 ? 32 : 128))
		return vx_fail(err, -EINVAL, "Invalid prefix length");
	if (is4 && !ip_is4(&r->dst))
		r->dst = ip_from4(be32_put(0));
	if (r->mtu && r->mtu < (is4 ? DEV_MTU_MIN : PMTU_MIN6))
		return vx_fail(err, -EINVAL, "mtu less than %d", is4 ? DEV_MTU_MIN : PMTU_MIN6);
	if (!ip_is_none(&r->gateway) && ip_is4(&r->gateway) != is4)
		return vx_fail(err, -EAFNOSUPPORT, "the gateway is of another family");
	if (!ip_is_none(&r->src) && !route_is_local(vx->inet, &r->src))
		return vx_fail(err, -EINVAL, "Invalid preferred source address");
	if (r->type == DST_BLACKHOLE || r->type == DST_UNREACHABLE)
		return 0;
	if (r->type != DST_UNICAST)
		return vx_fail(err, -EOPNOTSUPP, "this type of route is not built");
	if (r->ifindex) {
		*dev = dev_by_index(vx, r->ifindex);
		if (!*dev)
			return vx_fail(err, -ENODEV, "the device is none of vx");
	}
	if (!ip_is_none(&r->gateway) && !(r->restored && *dev)) {
		*dev = dev_of_gateway(vx->inet, &r->gateway, r->ifindex);
		if (!*dev)
			return vx_fail(err, -ENETUNREACH, "Nexthop has invalid gateway");
	}
	if (!*dev)
		return vx_fail(err, -ENODEV, "a route needs a device or a gateway");
	if (atomic_load(&(*dev)->host))
		return vx_fail(err, -EOPNOTSUPP,
			       "%s is an interface of the host: use ip without vx exec",
			       (*dev)->name);
	r->ifindex = (*dev)->ifindex;
	return 0;
}

int route_add(struct vx *vx, const struct route_req *req, struct vx_err *err)
{
	struct inet *in = vx->inet;
	struct route_req r = *req;
	struct route *old, *x;
	struct dev *dev;
	int rc = check(vx, &r, &dev, err);

	if (rc < 0)
		return rc;
	if (r.family == AF_INET6 && !r.metric)
		r.metric = 1024;
	old = find(in, &r);
	if (old && (r.nl_flags & NLM_F_EXCL))
		return -EEXIST;
	if (!old && !(r.nl_flags & NLM_F_CREATE))
		return -ENOENT;
	x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	x->r = r;
	x->r.maker = NULL;
	x->dev = dev;
	x->maker = (struct maker){.at = vx_now(vx), .how = MAKER_CONTROL};
	if (r.maker)
		snprintf(x->maker.text, sizeof(x->maker.text), "%s", r.maker);
	if (old && !(r.nl_flags & NLM_F_APPEND))
		list_insert_after(old->node.prev, &x->node);
	else
		list_append(&in->routes, &x->node);
	if (old && (r.nl_flags & NLM_F_REPLACE))
		list_remove(&old->node);
	else
		old = NULL;
	rc = route_rebuild(vx);
	if (rc == 0) {
		free(old);
		return 0;
	}
	if (old)
		list_insert_after(&x->node, &old->node);
	list_remove(&x->node);
	free(x);
	return rc;
}

static bool matches(const struct route *x, const struct route_req *r)
{
	return same_prefix(&x->r, r) && (!r->metric || r->metric == x->r.metric) &&
	       (!r->ifindex || r->ifindex == x->r.ifindex) && (!r->type || r->type == x->r.type) &&
	       (ip_is_none(&r->gateway) || ip_eq(&r->gateway, &x->r.gateway));
}

int route_del(struct vx *vx, const struct route_req *req, struct vx_err *err)
{
	struct inet *in = vx->inet;
	struct route_req r = *req;

	if (r.family == AF_INET && !ip_is4(&r.dst))
		r.dst = ip_from4(be32_put(0));
	list_for_each (x, &in->routes, struct route, node) {
		struct list *before = x->node.prev;
		int rc;

		if (!matches(x, &r))
			continue;
		list_remove(&x->node);
		rc = route_rebuild(vx);
		if (rc < 0)
			list_insert_after(before, &x->node);
		else
			free(x);
		return rc;
	}
	return vx_fail(err, -ESRCH, "there is no such route (connected ones go with the address)");
}

static void view_connected(const struct inet_addr *a, struct route_view *v)
{
	bool is4 = ip_is4(&a->ip);

	*v = (struct route_view){
		.r = {.family = is4 ? AF_INET : AF_INET6,
		      .dst = a->ip,
		      .plen = a->plen,
		      .type = DST_UNICAST,
		      .protocol = 2,	      /* RTPROT_KERNEL */
		      .scope = is4 ? 253 : 0, /* RT_SCOPE_LINK */
		      .ifindex = a->dev->ifindex,
		      .metric = is4 ? 0 : 256},
		.connected = true,
		.maker = a->maker,
	};
	if (is4)
		v->r.src = a->ip;
	for (uint32_t i = a->plen + (is4 ? 96u : 0u); i < 128; i++)
		v->r.dst.b[i / 8] &= (uint8_t) ~(0x80 >> (i % 8));
}

int route_each(struct vx *vx, int family, int (*fn)(void *ctx, const struct route_view *v),
	       void *ctx)
{
	struct route_view v;
	int rc;

	list_for_each (a, &vx->inet->addrs, struct inet_addr, node) {
		view_connected(a, &v);
		if (a->plen == (v.r.family == AF_INET ? 32 : 128) ||
		    (family != AF_UNSPEC && family != v.r.family))
			continue;
		rc = fn(ctx, &v);
		if (rc)
			return rc;
	}
	list_for_each (x, &vx->inet->routes, struct route, node) {
		if (family != AF_UNSPEC && family != x->r.family)
			continue;
		v = (struct route_view){.r = x->r, .maker = x->maker};
		rc = fn(ctx, &v);
		if (rc)
			return rc;
	}
	return 0;
}

void route_dev_gone(struct inet *in, const struct dev *d)
{
	list_for_each_safe (x, &in->routes, struct route, node)
		if (x->dev == d) {
			list_remove(&x->node);
			free(x);
		}
}

bool route_source_gone(struct inet *in, const struct ip_addr *ip)
{
	bool any = false;

	list_for_each (a, &in->addrs, struct inet_addr, node)
		if (ip_eq(&a->ip, ip))
			return false;
	list_for_each_safe (x, &in->routes, struct route, node) {
		if (!ip_eq(&x->r.src, ip))
			continue;
		any = true;
		x->r.src = (struct ip_addr){{{0}}};
		if (x->r.family == AF_INET) {
			list_remove(&x->node);
			free(x);
		}
	}
	return any;
}

void routes_free(struct inet *in)
{
	list_for_each_safe (x, &in->routes, struct route, node)
		free(x);
	list_init(&in->routes);
}
