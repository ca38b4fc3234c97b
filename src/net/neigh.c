/* SPDX-License-Identifier: Apache-2.0 */
/* The table of neighbours: entries, timers, what ARP and ND tell, control.  Packets that wait are
 * in neigh_wait.c. */
#include "net/neigh.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/arp.h"
#include "net/nd.h"
#include "net/neigh_table.h"

#define REACHABLE_TIME (30 * NS_PER_S)
#define DELAY_TIME     (5 * NS_PER_S)
#define PROBE_TIME     NS_PER_S
#define FAILED_TIME    (60 * NS_PER_S)
#define LOCK_TIME      NS_PER_S /* a MAC that was just set stays so long */
#define TIMER_GRAIN    (50 * NS_PER_MS)

static const struct mac no_mac;

static uint32_t bucket_of(const struct neigh_table *t, const struct ip_addr *ip,
			  const struct dev *d)
{
	return (uint32_t)hash_u64(t->vx->key, ip->d[0] ^ d->ifindex, ip->d[1]) % NEIGH_BUCKETS;
}

struct neigh *neigh_find(const struct neigh_table *t, const struct ip_addr *ip, const struct dev *d)
{
	struct neigh *n = atomic_load_explicit(
		&((struct neigh_table *)t)->bucket[bucket_of(t, ip, d)], memory_order_acquire);

	while (n && !(ip_eq(&n->ip, ip) && n->dev == d))
		n = atomic_load_explicit(&n->next, memory_order_acquire);
	return n;
}

struct neigh_table *neigh_table_new(struct vx *vx)
{
	struct neigh_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->vx = vx;
	pthread_mutex_init(&t->lock, NULL);
	atomic_store(&t->next_due, UINT64_MAX);
	atomic_store(&t->gen, 1);
	for (uint32_t i = 0; i < NEIGH_MAX; i++)
		t->free[t->n_free++] = (uint16_t)(NEIGH_MAX - 1 - i);
	return t;
}

void neigh_table_free(struct neigh_table *t)
{
	if (!t)
		return;
	for (int i = 0; i < NEIGH_MAX; i++)
		free(t->slot[i]);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* --- under the lock ----------------------------------------------------------------------------
 */

static void set_due(struct neigh_table *t, struct neigh *n, uint64_t at)
{
	n->due = at;
	if (at < atomic_load_explicit(&t->next_due, memory_order_relaxed))
		atomic_store_explicit(&t->next_due, at, memory_order_relaxed);
}

static void set_word(struct neigh_table *t, struct neigh *n, const struct mac *m, uint16_t state)
{
	atomic_store_explicit(&n->word, neigh_word(m, state), memory_order_release);
	atomic_fetch_add_explicit(&t->gen, 1, memory_order_release);
}

static void unlink_neigh(struct neigh_table *t, struct neigh *n)
{
	_Atomic(struct neigh *) *at = &t->bucket[bucket_of(t, &n->ip, n->dev)];
	struct neigh *q;

	while ((q = atomic_load(at)) != n)
		at = &q->next;
	atomic_store_explicit(at, atomic_load(&n->next), memory_order_release);
	t->slot[n->slot] = NULL;
	t->free[t->n_free++] = n->slot;
	t->per_dev[n->dev->ifindex % NEIGH_DEVS]--;
	atomic_fetch_add_explicit(&t->gen, 1, memory_order_release);
	quiesce_defer(&t->vx->quiesce, free, n);
}

/* Less is sooner to go; permanent entries never do. */
static uint32_t worth(uint16_t state)
{
	if (state & (NUD_PERMANENT | NUD_NOARP))
		return UINT32_MAX;
	return state == NUD_FAILED ? 0 : state == NUD_INCOMPLETE ? 1 : state == NUD_STALE ? 2 : 3;
}

/* The table is full: of a sample, the device with most entries gives its least worthy, oldest one.
 */
static bool evict(struct neigh_table *t)
{
	struct neigh *victim = NULL;

	for (uint32_t i = 0; i < NEIGH_MAX && !(victim && i >= 16); i++) {
		struct neigh *n = t->slot[t->hand++ % NEIGH_MAX];
		uint32_t a, b;

		if (!n || worth(neigh_state(n)) == UINT32_MAX)
			continue;
		if (!victim) {
			victim = n;
			continue;
		}
		a = t->per_dev[n->dev->ifindex % NEIGH_DEVS];
		b = t->per_dev[victim->dev->ifindex % NEIGH_DEVS];
		if (a == b) {
			a = worth(neigh_state(victim));
			b = worth(neigh_state(n));
		}
		if (a > b || (a == b && atomic_load(&n->used) < atomic_load(&victim->used)))
			victim = n;
	}
	if (victim)
		unlink_neigh(t, victim);
	return victim != NULL;
}

struct neigh *neigh_make(struct neigh_table *t, struct dev *d, const struct ip_addr *ip,
			 uint64_t now)
{
	_Atomic(struct neigh *) *at = &t->bucket[bucket_of(t, ip, d)];
	struct neigh *n;

	if (!t->n_free && !evict(t))
		return NULL;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->ip = *ip;
	n->dev = d;
	n->id = ++t->next_id;
	n->slot = t->free[--t->n_free];
	n->due = UINT64_MAX;
	n->updated = now;
	atomic_store(&n->used, now);
	atomic_store(&n->word, neigh_word(&no_mac, NUD_NONE));
	t->slot[n->slot] = n;
	t->per_dev[d->ifindex % NEIGH_DEVS]++;
	atomic_store(&n->next, atomic_load(at));
	atomic_store_explicit(at, n, memory_order_release);
	return n;
}

void neigh_start(struct neigh_table *t, struct neigh *n, uint64_t now)
{
	n->probes = 1;
	set_word(t, n, &no_mac, NUD_INCOMPLETE);
	set_due(t, n, now + PROBE_TIME);
}

/* --- timers ------------------------------------------------------------------------------------
 */

struct question {
	struct dev *dev;
	struct ip_addr ip;
	struct mac to;
	bool alone; /* asks 'to' and nobody else */
};

void neigh_ask(struct worker *w, struct dev *d, const struct ip_addr *ip, const struct mac *to)
{
	if (ip_is4(ip))
		arp_ask(w, d, ip, to);
	else
		nd_ask(w, d, ip, to);
}

/* A probe is due: true and a question, or the end. */
static bool probe(struct neigh_table *t, struct neigh *n, uint64_t now, struct question *q)
{
	uint16_t state = neigh_state(n);
	struct mac m = neigh_mac(n);

	if (n->probes >= NEIGH_PROBES) {
		set_word(t, n, &no_mac, NUD_FAILED);
		n->updated = now;
		set_due(t, n, now + FAILED_TIME);
		return false;
	}
	n->probes++;
	set_due(t, n, now + PROBE_TIME);
	*q = (struct question){n->dev, n->ip, m, state == NUD_PROBE};
	return true;
}

/* What is due for n; true: a question has to be sent. */
static bool expire(struct neigh_table *t, struct neigh *n, uint64_t now, struct question *q)
{
	struct mac m = neigh_mac(n);

	n->due = UINT64_MAX;
	switch (neigh_state(n)) {
	case NUD_REACHABLE:
		set_word(t, n, &m, NUD_STALE);
		return false;
	case NUD_DELAY:
		n->probes = 0;
		set_word(t, n, &m, NUD_PROBE);
		return probe(t, n, now, q);
	case NUD_INCOMPLETE:
	case NUD_PROBE:
		return probe(t, n, now, q);
	case NUD_FAILED:
		unlink_neigh(t, n);
		return false;
	default:
		return false;
	}
}

static void run_timers(struct worker *w, struct neigh_table *t)
{
	struct question q[32];
	uint64_t next = UINT64_MAX;
	uint32_t n_q = 0;

	if (pthread_mutex_trylock(&t->lock))
		return; /* another worker is at it */
	for (uint32_t i = 0; i < NEIGH_MAX; i++) {
		struct neigh *n = t->slot[i];

		if (!n || n->due == UINT64_MAX)
			continue;
		if (n->due <= w->now && n_q < ARRAY_LEN(q) && expire(t, n, w->now, &q[n_q]))
			n_q++;
		if (t->slot[i])
			next = MIN(next, t->slot[i]->due);
	}
	if (next != UINT64_MAX)
		next = MAX(next, w->now + TIMER_GRAIN);
	atomic_store_explicit(&t->next_due, next, memory_order_relaxed);
	pthread_mutex_unlock(&t->lock);
	for (uint32_t i = 0; i < n_q; i++)
		neigh_ask(w, q[i].dev, &q[i].ip, q[i].alone ? &q[i].to : NULL);
}

void neigh_turn(struct worker *w)
{
	struct neigh_table *t = w->vx->inet->neigh;

	if (unlikely(w->now >= atomic_load_explicit(&t->next_due, memory_order_relaxed)))
		run_timers(w, t);
	neigh_run_waiting(w);
}

/* A stale entry is used: it gets 5 s to be confirmed. */
void neigh_delay(struct worker *w, struct neigh *n)
{
	struct neigh_table *t = w->vx->inet->neigh;
	struct mac m;

	pthread_mutex_lock(&t->lock);
	if (neigh_state(n) == NUD_STALE && t->slot[n->slot] == n) {
		m = neigh_mac(n);
		atomic_store_explicit(&n->word, neigh_word(&m, NUD_DELAY), memory_order_release);
		set_due(t, n, w->now + DELAY_TIME);
	}
	pthread_mutex_unlock(&t->lock);
}

/* --- news --------------------------------------------------------------------------------------
 */

static void take_news(struct neigh_table *t, struct neigh *n, const struct neigh_news *news,
		      uint64_t now)
{
	uint16_t state = neigh_state(n);
	bool known = state & NEIGH_USABLE;
	struct mac m = neigh_mac(n);
	bool same = known && mac_eq(&m, &news->mac);

	if (state & (NUD_PERMANENT | NUD_NOARP))
		return;
	if (known && !same && (!news->override || now - n->updated < LOCK_TIME)) {
		if (state == NUD_REACHABLE && !news->override)
			set_word(t, n, &m, NUD_STALE); /* RFC 4861, 7.2.5 */
		return;
	}
	if (!same)
		n->updated = now;
	if (news->confirms) {
		n->confirmed = now;
		n->probes = 0;
		set_word(t, n, &news->mac, NUD_REACHABLE);
		set_due(t, n, now + REACHABLE_TIME);
	} else if (!same) {
		n->due = UINT64_MAX;
		set_word(t, n, &news->mac, NUD_STALE);
	}
}

void neigh_learn(struct worker *w, struct dev *d, const struct ip_addr *ip,
		 const struct neigh_news *news)
{
	struct neigh_table *t = w->vx->inet->neigh;
	struct neigh *n;

	if (!mac_is_unicast(&news->mac))
		return;
	pthread_mutex_lock(&t->lock);
	n = neigh_find(t, ip, d);
	if (!n && news->create) {
		n = neigh_make(t, d, ip, w->now);
		if (n)
			n->maker = (struct maker){.at = w->now, .how = MAKER_LEARNED};
	}
	if (n)
		take_news(t, n, news, w->now);
	pthread_mutex_unlock(&t->lock);
}

void neigh_dev_gone(struct inet *in, const struct dev *d)
{
	struct neigh_table *t = in->neigh;

	pthread_mutex_lock(&t->lock);
	for (int i = 0; i < NEIGH_MAX; i++)
		if (t->slot[i] && t->slot[i]->dev == d)
			unlink_neigh(t, t->slot[i]);
	pthread_mutex_unlock(&t->lock);
}

/* --- control -----------------------------------------------------------------------------------
 */

static int check_req(const struct neigh_req *r, uint16_t state, struct vx_err *err)
{
	if (atomic_load(&r->dev->host))
		return vx_fail(err, -EOPNOTSUPP,
			       "%s is an interface of the host: use ip without vx exec",
			       r->dev->name);
	if (ip_is_any(&r->ip) || ip_is_multicast(&r->ip))
		return vx_fail(err, -EINVAL, "no neighbour's address");
	if ((state & NEIGH_USABLE) && !(r->has_mac && mac_is_unicast(&r->mac)))
		return vx_fail(err, -EINVAL, "this state needs a unicast link-layer address");
	return 0;
}

static int add_locked(struct neigh_table *t, const struct neigh_req *r, uint16_t state,
		      uint64_t now)
{
	struct neigh *n = neigh_find(t, &r->ip, r->dev);

	if (n && (r->nl_flags & NLM_F_EXCL))
		return -EEXIST;
	if (!n && !(r->nl_flags & NLM_F_CREATE))
		return -ENOENT;
	if (!n)
		n = neigh_make(t, r->dev, &r->ip, now);
	else if (!(r->nl_flags & NLM_F_REPLACE) && (neigh_state(n) & NEIGH_USABLE))
		return -EEXIST;
	if (!n)
		return -ENOBUFS;
	n->maker = (struct maker){.at = now, .how = MAKER_CONTROL};
	if (r->maker)
		snprintf(n->maker.text, sizeof(n->maker.text), "%s", r->maker);
	n->protocol = r->protocol;
	n->updated = n->confirmed = now;
	n->probes = 0;
	n->due = UINT64_MAX;
	set_word(t, n, state & NEIGH_USABLE ? &r->mac : &no_mac, state);
	if (state == NUD_REACHABLE)
		set_due(t, n, now + REACHABLE_TIME);
	else if (state & (NUD_DELAY | NUD_PROBE | NUD_INCOMPLETE | NUD_FAILED))
		set_due(t, n, now);
	return 0;
}

int neigh_add(struct vx *vx, const struct neigh_req *r, struct vx_err *err)
{
	struct neigh_table *t = vx->inet->neigh;
	uint16_t state = r->state ? r->state : NUD_PERMANENT;
	int rc = check_req(r, state, err);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&t->lock);
	rc = add_locked(t, r, state, vx_now(vx));
	pthread_mutex_unlock(&t->lock);
	return rc;
}

int neigh_del(struct vx *vx, struct dev *d, const struct ip_addr *ip, struct vx_err *err)
{
	struct neigh_table *t = vx->inet->neigh;
	struct neigh *n;

	(void)err;
	pthread_mutex_lock(&t->lock);
	n = neigh_find(t, ip, d);
	if (n)
		unlink_neigh(t, n);
	pthread_mutex_unlock(&t->lock);
	return n ? 0 : -ENOENT;
}

static uint64_t ago(uint64_t now, uint64_t at)
{
	return now > at ? now - at : 0;
}

int neigh_each(struct vx *vx, const struct dev *dev,
	       int (*fn)(void *ctx, const struct neigh_view *v), void *ctx)
{
	struct neigh_table *t = vx->inet->neigh;
	uint64_t now = vx_now(vx);
	int rc = 0;

	pthread_mutex_lock(&t->lock);
	for (int i = 0; i < NEIGH_MAX && !rc; i++) {
		const struct neigh *n = t->slot[i];
		struct neigh_view v;

		if (!n || (dev && n->dev != dev))
			continue;
		v = (struct neigh_view){
			.dev = n->dev,
			.ip = n->ip,
			.mac = neigh_mac(n),
			.state = neigh_state(n),
			.protocol = n->protocol,
			.probes = n->probes,
			.used = ago(now, atomic_load(&((struct neigh *)n)->used)),
			.confirmed = ago(now, n->confirmed),
			.updated = ago(now, n->updated),
			.maker = n->maker,
		};
		rc = fn(ctx, &v);
	}
	pthread_mutex_unlock(&t->lock);
	return rc;
}
