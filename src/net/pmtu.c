/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path MTU exceptions: what an ICMP error said about a destination.  A capped table under a lock;
 * only route look-ups (not packets: their dst is cached) ask it, and only while it has entries.
 */
#include <stdlib.h>

#include "net/pmtu.h"

enum { WAYS = 4, SETS = PMTU_MAX / WAYS };
#define PMTU_LIFE (600 * NS_PER_S)

struct pmtu_entry {
	struct ip_addr to;
	uint64_t until; /* 0: free */
	uint32_t mtu;
	bool locked;
};

struct pmtu_table {
	struct hash_key key;
	_Atomic uint32_t n;
	pthread_mutex_t lock;
	struct pmtu_entry set[SETS][WAYS];
};

struct pmtu_table *pmtu_new(struct hash_key key)
{
	struct pmtu_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->key = key;
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void pmtu_free(struct pmtu_table *t)
{
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static struct pmtu_entry *set_of(struct pmtu_table *t, const struct ip_addr *to)
{
	return t->set[hash_u64(t->key, to->d[0], to->d[1]) % SETS];
}

void pmtu_apply(struct inet *in, uint64_t now, const struct ip_addr *to, struct dst *d)
{
	struct pmtu_table *t = in->pmtu;
	struct pmtu_entry *s;

	if (likely(!atomic_load_explicit(&t->n, memory_order_acquire)) || d->mtu_locked)
		return;
	s = set_of(t, to);
	pthread_mutex_lock(&t->lock);
	for (int i = 0; i < WAYS; i++)
		if (s[i].until > now && ip_eq(&s[i].to, to) && s[i].mtu < d->mtu) {
			d->mtu = s[i].mtu;
			d->mtu_locked = s[i].locked;
		}
	pthread_mutex_unlock(&t->lock);
}

/* The entry for 'to', else a free one, else the oldest. */
static struct pmtu_entry *choose(struct pmtu_entry *s, const struct ip_addr *to)
{
	struct pmtu_entry *best = &s[0];

	for (int i = 0; i < WAYS; i++) {
		if (s[i].until && ip_eq(&s[i].to, to))
			return &s[i];
		if (s[i].until < best->until)
			best = &s[i];
	}
	return best;
}

void route_update_pmtu(struct worker *w, const struct ip_addr *to, uint32_t mtu)
{
	struct inet *in = w->vx->inet;
	struct pmtu_table *t = in->pmtu;
	uint32_t least = ip_is4(to) ? PMTU_MIN4 : PMTU_MIN6;
	struct pmtu_entry *e;
	bool changed;

	pthread_mutex_lock(&t->lock);
	e = choose(set_of(t, to), to);
	if (!e->until)
		atomic_fetch_add(&t->n, 1);
	/* A report that is not lower only keeps the entry, so that nobody can have routes asked
	 * for anew with every packet. */
	changed = !e->until || !ip_eq(&e->to, to) || e->until <= w->now || MAX(mtu, least) < e->mtu;
	if (changed)
		*e = (struct pmtu_entry){.to = *to, .mtu = MAX(mtu, least), .locked = mtu < least};
	e->until = w->now + PMTU_LIFE;
	pthread_mutex_unlock(&t->lock);
	if (changed)
		atomic_fetch_add(&in->gen, 1);
}

uint64_t pmtu_age(struct inet *in, uint64_t now)
{
	struct pmtu_table *t = in->pmtu;
	uint64_t next = UINT64_MAX;
	bool changed = false;

	if (!atomic_load(&t->n))
		return next;
	pthread_mutex_lock(&t->lock);
	for (int i = 0; i < PMTU_MAX; i++) {
		struct pmtu_entry *e = &t->set[i / WAYS][i % WAYS];

		if (!e->until)
			continue;
		if (e->until <= now) {
			e->until = 0;
			atomic_fetch_sub(&t->n, 1);
			changed = true;
		} else {
			next = MIN(next, e->until);
		}
	}
	pthread_mutex_unlock(&t->lock);
	if (changed)
		atomic_fetch_add(&in->gen, 1);
	return next;
}
