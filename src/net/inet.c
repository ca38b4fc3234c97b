/* SPDX-License-Identifier: Apache-2.0 */
#include "net/inet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/arp.h"
#include "net/fib.h"
#include "net/frag.h"
#include "net/icmp.h"
#include "net/icmp_limit.h"
#include "net/ip4.h"
#include "net/ip6.h"
#include "net/neigh.h"
#include "net/output.h"
#include "net/tcp.h"
#include "net/udp_inet.h"
#include "wire/eth.h"
#include "wire/ip4.h"

/* --- addresses ---------------------------------------------------------------------------------
 */

static int check_addr(const struct dev *d, const struct ip_addr *ip, uint8_t plen,
		      struct vx_err *err)
{
	if (atomic_load(&((struct dev *)d)->host))
		return vx_fail(err, -EOPNOTSUPP,
			       "%s is an interface of the host: use ip without vx exec", d->name);
	if (plen > (ip_is4(ip) ? 32 : 128))
		return vx_fail(err, -EINVAL, "Invalid prefix length");
	if (ip_is_any(ip) || ip_is_multicast(ip) || ip_is_loopback(ip) ||
	    (ip_is4(ip) && (ip->b[12] == 0 || ip->b[12] >= 0xf0)))
		return vx_fail(err, -EADDRNOTAVAIL, "no address that a host can have");
	return 0;
}

int inet_addr_add(struct dev *d, const struct ip_addr *ip, uint8_t plen,
		  const struct ip_addr *broadcast, const char *maker, struct vx_err *err)
{
	struct inet *in = d->vx->inet;
	struct inet_addr *a;
	int r = check_addr(d, ip, plen, err);

	if (r < 0)
		return r;
	list_for_each (x, &in->addrs, struct inet_addr, node)
		if (x->dev == d && ip_eq(&x->ip, ip))
			return -EEXIST;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->dev = d;
	a->ip = *ip;
	a->plen = plen;
	if (broadcast)
		a->broadcast = *broadcast;
	a->maker = (struct maker){.at = vx_now(d->vx), .how = MAKER_CONTROL};
	if (maker)
		snprintf(a->maker.text, sizeof(a->maker.text), "%s", maker);
	list_append(&in->addrs, &a->node);
	r = route_rebuild(d->vx);
	if (r < 0) {
		list_remove(&a->node);
		free(a);
		return r;
	}
	atomic_fetch_add(&d->has_addr, 1);
	return 0;
}

int inet_addr_del(struct dev *d, const struct ip_addr *ip, uint8_t plen, struct vx_err *err)
{
	struct inet *in = d->vx->inet;

	list_for_each (a, &in->addrs, struct inet_addr, node) {
		struct list *before = a->node.prev;
		int r;

		if (a->dev != d || !ip_eq(&a->ip, ip) || a->plen != plen)
			continue;
		list_remove(&a->node);
		r = route_rebuild(d->vx);
		if (r < 0) {
			list_insert_after(before, &a->node);
			return r;
		}
		atomic_fetch_sub(&d->has_addr, 1);
		/* Out of memory, they work until the next change. */
		if (route_source_gone(in, &a->ip))
			route_rebuild(d->vx);
		free(a);
		return 0;
	}
	return vx_fail(err, -EADDRNOTAVAIL, "Address not found");
}

int inet_addr_each(struct vx *vx, int (*fn)(void *ctx, const struct inet_addr *a), void *ctx)
{
	list_for_each (a, &vx->inet->addrs, struct inet_addr, node) {
		int r = fn(ctx, a);

		if (r)
			return r;
	}
	return 0;
}

int inet_group_join(struct dev *d, const struct ip_addr *group, struct vx_err *err)
{
	struct inet *in = d->vx->inet;
	struct inet_group *g;
	int r;

	if (!ip_is_multicast(group))
		return vx_fail(err, -EINVAL, "no multicast address");
	list_for_each (x, &in->groups, struct inet_group, node)
		if (x->dev == d && ip_eq(&x->ip, group)) {
			x->refs++;
			return 0;
		}
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	*g = (struct inet_group){.dev = d, .ip = *group, .refs = 1};
	list_append(&in->groups, &g->node);
	r = route_rebuild(d->vx);
	if (r < 0) {
		list_remove(&g->node);
		free(g);
	}
	return r;
}

int inet_group_leave(struct dev *d, const struct ip_addr *group)
{
	list_for_each (g, &d->vx->inet->groups, struct inet_group, node) {
		struct list *before = g->node.prev;

		if (g->dev != d || !ip_eq(&g->ip, group))
			continue;
		if (g->refs > 1) {
			g->refs--;
			return 0;
		}
		list_remove(&g->node);
		if (route_rebuild(d->vx) < 0) {
			list_insert_after(before, &g->node);
			return -ENOMEM;
		}
		free(g);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

/* A worker that still used the old table may have made an entry for d since. */
static void purge_neigh(void *arg)
{
	struct dev *d = arg;

	neigh_dev_gone(d->vx->inet, d);
}

void inet_dev_gone(struct dev *d)
{
	struct inet *in = d->vx->inet;

	list_for_each_safe (a, &in->addrs, struct inet_addr, node)
		if (a->dev == d) {
			list_remove(&a->node);
			route_source_gone(in, &a->ip);
			free(a);
		}
	list_for_each_safe (g, &in->groups, struct inet_group, node)
		if (g->dev == d) {
			list_remove(&g->node);
			free(g);
		}
	atomic_store(&d->has_addr, 0);
	route_dev_gone(in, d);
	neigh_dev_gone(in, d);
	if (route_rebuild(d->vx) < 0) {
		/* No memory for a table without d: better none than one that leads to it. */
		quiesce_defer(&d->vx->quiesce, fib_free, atomic_exchange(&in->fib, NULL));
		atomic_fetch_add(&in->gen, 1);
	}
	quiesce_defer(&d->vx->quiesce, purge_neigh, d); /* before the caller defers d's own end */
}

void inet_changed(struct vx *vx)
{
	route_rebuild(vx);
}

/* --- protocols ---------------------------------------------------------------------------------
 */

int inet_proto_add(struct vx *vx, int fam, uint8_t proto, const struct inet_proto *ip)
{
	const struct inet_proto *none = NULL;

	return atomic_compare_exchange_strong(&vx->inet->proto[fam][proto], &none, ip) ? 0
										       : -EEXIST;
}

void inet_proto_del(struct vx *vx, int fam, uint8_t proto)
{
	atomic_store_explicit(&vx->inet->proto[fam][proto], NULL, memory_order_release);
}

static void add_protocols(struct vx *vx)
{
	inet_proto_add(vx, INET_V4, IPPROTO_ICMP4_, &icmp4_proto);
	inet_proto_add(vx, INET_V6, IPPROTO_ICMP6_, &icmp6_proto);
	for (int fam = 0; fam < INET_FAMILIES; fam++) {
		inet_proto_add(vx, fam, IPPROTO_UDP_, &udp_proto);
		inet_proto_add(vx, fam, IPPROTO_UDPLITE_, &udplite_proto);
		inet_proto_add(vx, fam, IPPROTO_TCP_, &tcp_proto);
	}
}

/* --- life --------------------------------------------------------------------------------------
 */

static void flush_fn(struct flush *f, struct worker *w)
{
	(void)f;
	inet_xmit_flush(w);
}

static int worker_new(struct worker *w)
{
	struct inet_worker *iw = calloc(1, sizeof(*iw));

	if (!iw)
		return -ENOMEM;
	w->inet = iw;
	iw->flush.fn = flush_fn;
	list_init(&iw->waiting);
	for (int i = 0; i < IP_IDS; i++)
		iw->ip_id[i] = (uint32_t)random_next(&w->random);
	iw->frags = frag_table_new();
	iw->limits = icmp_limits_new(w->vx);
	if (!iw->frags || !iw->limits || neigh_worker_init(iw) < 0)
		return -ENOMEM;
	return 0;
}

static void worker_free(struct worker *w)
{
	struct inet_worker *iw = w ? w->inet : NULL;

	if (!iw)
		return;
	frag_table_free(iw->frags);
	free(iw->limits);
	free(iw->wait);
	free(iw);
	w->inet = NULL;
}

static int add_ptypes(struct vx *vx)
{
	struct inet *in = vx->inet;
	int r;

	in->ip4 = (struct ptype){.type = ETHTYPE_IP4, .rcv = ip4_rcv, .needs_addr = true};
	in->ip6 = (struct ptype){.type = ETHTYPE_IP6, .rcv = ip6_rcv, .needs_addr = true};
	in->arp = (struct ptype){.type = ETHTYPE_ARP, .rcv = arp_rcv, .needs_addr = true};
	r = ptype_add(vx, &in->ip4);
	if (r == 0)
		r = ptype_add(vx, &in->ip6);
	if (r == 0)
		r = ptype_add(vx, &in->arp);
	return r;
}

int inet_new(struct vx *vx)
{
	struct inet *in = calloc(1, sizeof(*in));
	int r = 0;

	if (!in)
		return -ENOMEM;
	vx->inet = in;
	in->vx = vx;
	list_init(&in->addrs);
	list_init(&in->groups);
	list_init(&in->routes);
	list_init(&in->closing);
	list_init(&in->dying);
	pthread_mutex_init(&in->dying_lock, NULL);
	in->neigh = neigh_table_new(vx);
	in->pmtu = pmtu_new(vx->key);
	if (!in->neigh || !in->pmtu)
		return -ENOMEM;
	for (uint32_t i = 0; i < vx->n_workers && r == 0; i++)
		r = worker_new(vx->workers[i]);
	if (r == 0)
		r = route_rebuild(vx);
	add_protocols(vx);
	return r < 0 ? r : add_ptypes(vx);
}

void inet_free(struct vx *vx)
{
	struct inet *in = vx->inet;

	if (!in)
		return;
	for (uint32_t i = 0; i < vx->n_workers; i++)
		worker_free(vx->workers[i]);
	list_for_each_safe (a, &in->addrs, struct inet_addr, node)
		free(a);
	list_for_each_safe (g, &in->groups, struct inet_group, node)
		free(g);
	udp_free_all(in);
	routes_free(in);
	fib_free(atomic_load(&in->fib));
	free(atomic_load(&in->hooks));
	free(atomic_load(&in->raws));
	neigh_table_free(in->neigh);
	pmtu_free(in->pmtu);
	pthread_mutex_destroy(&in->dying_lock);
	free(in);
	vx->inet = NULL;
}

/* --- turns -------------------------------------------------------------------------------------
 */

static void drop_batch(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		pkt_drop(w, b->p[i], DROP_shutdown);
	b->n = 0;
}

void inet_drop_held(struct vx *vx)
{
	for (uint32_t i = 0; vx->inet && i < vx->n_workers; i++) {
		struct worker *w = vx->workers[i];

		if (!w || !w->inet)
			continue;
		drop_batch(w, &w->inet->out);
		pkt_queue_drop(w, &w->inet->loop, DROP_shutdown);
		if (w->inet->wait)
			neigh_drop_held(w);
		frag_drop_held(w);
		udp_drop_held(w);
	}
}

READS_COUNTERS uint64_t inet_held(struct vx *vx)
{
	uint64_t n = 0;

	for (uint32_t i = 0; vx->inet && i < vx->n_workers; i++) {
		const struct inet_worker *iw = vx->workers[i]->inet;

		n += iw->out.n + iw->loop.n + iw->n_waiting + frag_held(iw->frags) +
		     udp_held(vx->workers[i]);
	}
	return n;
}

/* What was sent to an address of this host arrives. */
static bool run_loop(struct worker *w)
{
	struct batch b;

	batch_init(&b);
	if (!pkt_queue_take(&w->inet->loop, &b, BATCH_MAX))
		return false;
	ip_loop_rcv(w, &b);
	return w->inet->loop.n != 0;
}

bool inet_turn(struct worker *w)
{
	bool more = false;

	if (unlikely(w->inet->loop.n))
		more = run_loop(w);
	neigh_turn(w);
	frag_turn(w);
	udp_turn(w);
	return more;
}

uint64_t inet_next_timer(struct worker *w)
{
	return MIN(neigh_next_timer(w), frag_next_timer(w->inet->frags));
}

uint64_t inet_control_turn(struct vx *vx, uint64_t now)
{
	uint64_t next = pmtu_age(vx->inet, now);

	return udp_reap(vx->inet) ? MIN(next, now + 10 * NS_PER_MS) : next;
}
