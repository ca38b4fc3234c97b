/* SPDX-License-Identifier: Apache-2.0 */
#include "vxlan/peer.h"

#include <stdlib.h>

static uint32_t bucket_of(const struct peer_table *t, const struct ip_addr *ip)
{
	return (uint32_t)hash_u64(t->vx->key, ip->d[0], ip->d[1]) % PEER_BUCKETS;
}

struct peer *peer_get(struct peer_table *t, const struct ip_addr *ip, uint16_t port, uint32_t vni,
		      uint32_t ifindex, bool by_control)
{
	_Atomic(struct peer *) *head = &t->bucket[bucket_of(t, ip)];
	struct peer *p = atomic_load_explicit(head, memory_order_relaxed);
	size_t size = sizeof(*p) + sizeof(p->route[0]) * t->vx->n_workers;

	while (p && !(ip_eq(&p->ip, ip) && p->port == port && p->vni == vni &&
		      p->ifindex == ifindex))
		p = atomic_load_explicit(&p->next, memory_order_relaxed);
	if (!p) {
		p = aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1));
		if (!p)
			return NULL;
		memset(p, 0, size);
		p->ip = *ip;
		p->port = port;
		p->vni = vni;
		p->ifindex = ifindex;
		atomic_store_explicit(&p->next, atomic_load(head), memory_order_relaxed);
		atomic_store_explicit(head, p, memory_order_release);
		t->n++;
	}
	p->refs++;
	if (by_control)
		atomic_fetch_add_explicit(&p->control_refs, 1, memory_order_relaxed);
	return p;
}

void peer_put(struct peer_table *t, struct peer *p, bool by_control)
{
	_Atomic(struct peer *) *at;
	struct peer *q;

	if (by_control)
		atomic_fetch_sub_explicit(&p->control_refs, 1, memory_order_relaxed);
	if (--p->refs)
		return;
	at = &t->bucket[bucket_of(t, &p->ip)];
	while ((q = atomic_load(at)) != p)
		at = &q->next;
	atomic_store_explicit(at, atomic_load(&p->next), memory_order_release);
	t->n--;
	quiesce_defer(&t->vx->quiesce, free, p);
}

bool peer_is_known(const struct peer_table *t, const struct ip_addr *ip)
{
	struct peer *p = atomic_load_explicit(&t->bucket[bucket_of(t, ip)], memory_order_acquire);

	for (; p; p = atomic_load_explicit(&p->next, memory_order_acquire))
		if (ip_eq(&p->ip, ip) &&
		    atomic_load_explicit(&p->control_refs, memory_order_relaxed))
			return true;
	return false;
}

void peer_table_free(struct peer_table *t)
{
	for (int i = 0; i < PEER_BUCKETS; i++)
		for (struct peer *p = atomic_load(&t->bucket[i]), *next; p; p = next) {
			next = atomic_load(&p->next);
			free(p);
		}
}
