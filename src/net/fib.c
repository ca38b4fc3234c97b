/* SPDX-License-Identifier: Apache-2.0 */
#include "net/fib.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "net/ip4.h"
#include "net/nd.h"
#include "net/output.h"

static struct ip_addr masked(const struct ip_addr *ip, uint32_t plen)
{
	struct ip_addr r = *ip;

	for (uint32_t i = plen; i < 128; i = (i | 7) + 1)
		r.b[i / 8] &= (uint8_t) ~(0xff >> (i % 8));
	return r;
}

bool ip_in_prefix(const struct ip_addr *ip, const struct ip_addr *prefix, uint32_t plen128)
{
	struct ip_addr a = masked(ip, plen128), b = masked(prefix, plen128);

	return ip_eq(&a, &b);
}

static uint32_t bucket_of(const struct fib *f, const struct ip_addr *ip, uint32_t plen)
{
	return (uint32_t)hash_u64(f->key, ip->d[0] ^ plen, ip->d[1]) & f->mask;
}

/* --- building ----------------------------------------------------------------------------------
 */

static struct dst dst_of(uint8_t type, struct dev *d)
{
	return (struct dst){
		.type = type,
		.dev = d,
		.ifindex = d ? d->ifindex : 0,
		.mtu = d ? d->mtu : 0,
		.input = ip_local_deliver,
		.output = ip_output,
	};
}

static void add_local(struct fib *f, uint8_t type, const struct ip_addr *ip, struct dev *d,
		      bool only_there, const struct ip_addr *src)
{
	struct fib_local *l = &f->locals[f->n_locals++], **at;

	*l = (struct fib_local){
		.ip = *ip, .ifindex = only_there ? d->ifindex : 0, .dst = dst_of(type, d)};
	l->dst.src = src ? *src : (struct ip_addr){0};
	at = &f->local_bucket[bucket_of(f, ip, 0)];
	while (*at) /* first made comes first */
		at = &(*at)->next;
	*at = l;
}

static void add_route(struct fib *f, const struct ip_addr *prefix, uint8_t plen, uint32_t metric,
		      const struct dst *dst)
{
	struct fib_route *r = &f->routes[f->n_routes];

	*r = (struct fib_route){.prefix = masked(prefix, plen),
				.metric = metric,
				.plen = plen,
				.seq = f->n_routes++,
				.dst = *dst};
	f->has_plen[plen] = true;
}

static void add_addr(struct fib *f, const struct inet_addr *a)
{
	struct ip_addr limited = ip_from4(be32_put(0xffffffff));
	bool is4 = ip_is4(&a->ip);
	uint8_t plen = (uint8_t)(a->plen + (is4 ? 96 : 0));
	struct dst on_link = dst_of(DST_UNICAST, a->dev);
	struct ip_addr group;

	f->addrs[f->n_addrs++] = (struct fib_addr){a->ip, a->dev, plen};
	add_local(f, DST_LOCAL, &a->ip, a->dev, ip_is_linklocal(&a->ip), &a->ip);
	if (!is4) {
		group = nd_solicited_node(&a->ip);
		add_local(f, DST_MULTICAST, &group, a->dev, true, &a->ip);
	}
	if (plen == 128)
		return;
	on_link.src = a->ip;
	add_route(f, &a->ip, plen, is4 ? 0 : 256, &on_link);
	if (!is4)
		return;
	if (plen < 127) {
		uint32_t host = ~0u >> a->plen;
		struct ip_addr b = ip_from4(be32_put(be32_get(ip_get4(&a->ip)) | host));

		add_local(f, DST_BROADCAST, &b, a->dev, false, &a->ip);
	}
	if (!ip_is_none(&a->broadcast))
		add_local(f, DST_BROADCAST, &a->broadcast, a->dev, false, &a->ip);
	add_local(f, DST_BROADCAST, &limited, a->dev, false, &a->ip);
}

/* All hosts, per device with an address. */
static void add_all_hosts(struct fib *f, const struct inet_addr *a)
{
	static const struct ip_addr all6 = {.b = {0xff, 0x02, [15] = 1}};
	struct ip_addr all4 = ip_from4(be32_put(0xe0000001));

	add_local(f, DST_MULTICAST, ip_is4(&a->ip) ? &all4 : &all6, a->dev, true, &a->ip);
}

static void add_static(struct fib *f, const struct route *r)
{
	uint8_t plen = (uint8_t)(r->r.plen + (r->r.family == AF_INET ? 96 : 0));
	struct ip_addr prefix = r->r.dst;
	struct dst d = dst_of(r->r.type, r->dev);

	if (r->r.family == AF_INET && !ip_is4(&prefix))
		prefix = ip_from4(be32_put(0));
	d.gateway = r->r.gateway;
	d.src = r->r.src;
	d.hoplimit = r->r.hoplimit;
	d.mtu_locked = r->r.mtu_locked;
	if (r->r.mtu)
		d.mtu = r->r.mtu_locked || !d.mtu ? r->r.mtu : MIN(r->r.mtu, d.mtu);
	add_route(f, &prefix, plen, r->r.metric, &d);
}

static int by_metric(const void *a, const void *b)
{
	const struct fib_route *x = a, *y = b;

	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	return x->seq < y->seq ? -1 : 1;
}

static void link_routes(struct fib *f)
{
	qsort(f->routes, f->n_routes, sizeof(*f->routes), by_metric);
	for (uint32_t i = f->n_routes; i-- > 0;) { /* pushed in reverse: the best comes first */
		struct fib_route *r = &f->routes[i];
		struct fib_route **at = &f->route_bucket[bucket_of(f, &r->prefix, r->plen)];

		r->next = *at;
		*at = r;
	}
}

void fib_free(void *arg)
{
	struct fib *f = arg;

	if (!f)
		return;
	free(f->locals);
	free(f->local_bucket);
	free(f->routes);
	free(f->route_bucket);
	free(f->addrs);
	free(f);
}

static uint32_t count(const struct list *head)
{
	uint32_t n = 0;

	for (const struct list *l = head->next; l != head; l = l->next)
		n++;
	return n;
}

static struct fib *fib_new(struct inet *in)
{
	uint32_t addrs = count(&in->addrs), groups = count(&in->groups);
	uint32_t routes = count(&in->routes) + addrs, buckets = 16;
	struct fib *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	while (buckets < 2 * (routes + 5 * addrs + groups))
		buckets *= 2;
	f->key = in->vx->key;
	f->mask = buckets - 1;
	f->locals = calloc(5 * addrs + groups + 1, sizeof(*f->locals));
	f->local_bucket = calloc(buckets, sizeof(*f->local_bucket));
	f->routes = calloc(routes + 1, sizeof(*f->routes));
	f->route_bucket = calloc(buckets, sizeof(*f->route_bucket));
	f->addrs = calloc(addrs + 1, sizeof(*f->addrs));
	if (f->locals && f->local_bucket && f->routes && f->route_bucket && f->addrs)
		return f;
	fib_free(f);
	return NULL;
}

struct fib *fib_build(struct inet *in)
{
	struct fib *f = fib_new(in);

	if (!f)
		return NULL;
	f->not_local =
		(struct dst){.type = DST_UNREACHABLE, .input = ip_error, .output = ip_output};
	list_for_each (a, &in->addrs, struct inet_addr, node)
		add_addr(f, a);
	list_for_each (a, &in->addrs, struct inet_addr, node)
		add_all_hosts(f, a);
	list_for_each (g, &in->groups, struct inet_group, node)
		add_local(f, DST_MULTICAST, &g->ip, g->dev, true, NULL);
	list_for_each (r, &in->routes, struct route, node)
		add_static(f, r);
	link_routes(f);
	return f;
}

/* --- looking up --------------------------------------------------------------------------------
 */

const struct fib_local *fib_find_local(const struct fib *f, const struct ip_addr *ip,
				       uint32_t ifindex)
{
	const struct fib_local *l = f->local_bucket[bucket_of(f, ip, 0)];

	for (; l; l = l->next)
		if (ip_eq(&l->ip, ip) && (!l->ifindex || !ifindex || l->ifindex == ifindex))
			return l;
	return NULL;
}

const struct fib_route *fib_find_route(const struct fib *f, const struct ip_addr *ip,
				       uint32_t ifindex)
{
	uint32_t least = ip_is4(ip) ? 96 : 0;

	for (uint32_t plen = 129; plen-- > least;) {
		const struct fib_route *r;
		struct ip_addr prefix;

		if (!f->has_plen[plen])
			continue;
		prefix = masked(ip, plen);
		r = f->route_bucket[bucket_of(f, &prefix, plen)];
		for (; r; r = r->next)
			if (r->plen == plen && ip_eq(&r->prefix, &prefix) &&
			    (!ifindex || !r->dst.ifindex || r->dst.ifindex == ifindex))
				return r;
	}
	return NULL;
}

const struct fib_addr *fib_source(const struct fib *f, uint32_t ifindex, const struct ip_addr *to)
{
	const struct fib_addr *first = NULL, *scope = NULL;
	bool is4 = ip_is4(to);

	for (uint32_t i = 0; i < f->n_addrs; i++) {
		const struct fib_addr *a = &f->addrs[i];

		if (ip_is4(&a->ip) != is4 || (ifindex && a->dev->ifindex != ifindex))
			continue;
		if (ip_in_prefix(to, &a->ip, a->plen))
			return a;
		if (!first)
			first = a;
		if (!scope && ip_is_linklocal(&a->ip) == ip_is_linklocal(to))
			scope = a;
	}
	return scope ? scope : first;
}
