/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/mac.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/mac_priv.h"

enum { BUCKETS_MIN = 64 };

static struct mac_index *index_new(uint32_t n, uint32_t link)
{
	struct mac_index *x = calloc(1, sizeof(*x) + n * sizeof(x->bucket[0]));

	if (x) {
		x->n = n;
		x->link = link;
	}
	return x;
}

int mac_table_init(struct mac_table *t, struct vx *vx, struct dev *bridge)
{
	struct mac_index *x = index_new(BUCKETS_MIN, 0);

	if (!x)
		return -ENOMEM;
	*t = (struct mac_table){.vx = vx, .dev = bridge, .limit = MAC_LIMIT};
	atomic_store(&t->index, x);
	pthread_mutex_init(&t->lock, NULL);
	list_init(&t->limbo);
	list_init(&t->lists);
	mac_list_add(t, &t->own);
	return 0;
}

void mac_table_done(struct mac_table *t)
{
	struct mac_index *x = atomic_load(&t->index);

	mac_usage_done(t);
	for (uint32_t i = 0; x && i < x->n; i++)
		for (struct mac_entry *e = atomic_load(&x->bucket[i]), *next; e; e = next) {
			next = atomic_load(&e->next[x->link]);
			free(e);
		}
	list_for_each_safe (e, &t->limbo, struct mac_entry, node)
		free(e);
	free(x);
	free(t->growing);
	pthread_mutex_destroy(&t->lock);
}

static uint64_t hash_of(const struct mac_table *t, const struct mac *mac, uint16_t vlan)
{
	uint64_t m = 0;

	memcpy(&m, mac->b, sizeof(mac->b));
	return hash_u64(t->vx->key, m, vlan);
}

uint64_t mac_hash(const struct mac_table *t, const struct mac *mac)
{
	return hash_of(t, mac, 0);
}

void mac_prefetch(const struct mac_table *t, uint64_t hash)
{
	struct mac_index *x = atomic_load_explicit(&t->index, memory_order_acquire);

	__builtin_prefetch(&x->bucket[hash & (x->n - 1)]);
}

void mac_prefetch_entry(const struct mac_table *t, uint64_t hash)
{
	struct mac_index *x = atomic_load_explicit(&t->index, memory_order_acquire);

	__builtin_prefetch(
		atomic_load_explicit(&x->bucket[hash & (x->n - 1)], memory_order_relaxed));
}

struct mac_entry *mac_lookup(const struct mac_table *t, uint64_t hash, const struct mac *mac)
{
	struct mac_index *x = atomic_load_explicit(&t->index, memory_order_acquire);
	struct mac_entry *e =
		atomic_load_explicit(&x->bucket[hash & (x->n - 1)], memory_order_acquire);

	while (e && !mac_eq(&e->mac, mac))
		e = atomic_load_explicit(&e->next[x->link], memory_order_acquire);
	return e;
}

struct mac_entry *mac_find(struct mac_table *t, const struct mac *mac, uint16_t vlan)
{
	struct mac_index *x = atomic_load_explicit(&t->index, memory_order_acquire);
	uint64_t hash = hash_of(t, mac, vlan);
	struct mac_entry *e =
		atomic_load_explicit(&x->bucket[hash & (x->n - 1)], memory_order_acquire);

	while (e && !(mac_eq(&e->mac, mac) && e->vlan == vlan))
		e = atomic_load_explicit(&e->next[x->link], memory_order_acquire);
	return e;
}

static uint64_t entry_hash(const struct mac_table *t, const struct mac_entry *e)
{
	return hash_of(t, &e->mac, e->vlan);
}

/* --- index, under the lock ------------------------------------------------------------------- */

static void index_add(struct mac_table *t, struct mac_index *x, struct mac_entry *e)
{
	_Atomic(struct mac_entry *) *head = &x->bucket[entry_hash(t, e) & (x->n - 1)];

	atomic_store_explicit(&e->next[x->link], atomic_load(head), memory_order_relaxed);
	/* Release: who finds the entry finds it complete. */
	atomic_store_explicit(head, e, memory_order_release);
}

static void index_del(struct mac_table *t, struct mac_index *x, struct mac_entry *e)
{
	_Atomic(struct mac_entry *) *at = &x->bucket[entry_hash(t, e) & (x->n - 1)];
	struct mac_entry *q;

	while ((q = atomic_load(at)) && q != e)
		at = &q->next[x->link];
	if (q)
		atomic_store_explicit(at, atomic_load(&e->next[x->link]), memory_order_release);
}

static void grow_finish(struct mac_table *t)
{
	struct mac_index *old = atomic_load(&t->index);
	struct quiesce *q = &t->vx->quiesce;

	atomic_store_explicit(&t->index, t->growing, memory_order_release);
	t->growing = NULL;
	t->grown_at = quiesce_mark(q);
	t->age_at = 0;
	quiesce_defer(q, free, old);
}

/* Moves a bounded number of entries to the larger index. */
static void grow_step(struct mac_table *t)
{
	struct mac_index *x = atomic_load(&t->index);
	uint32_t moved = 0;

	while (moved < MAC_STEP && t->grow_at < x->n) {
		struct mac_entry *e = atomic_load(&x->bucket[t->grow_at++]);

		for (; e; e = atomic_load(&e->next[x->link]), moved++)
			index_add(t, t->growing, e);
		moved++;
	}
	if (t->grow_at == x->n)
		grow_finish(t);
}

/* In the index being filled, too, if the entry's bucket was moved already. */
static bool is_moved(struct mac_table *t, const struct mac_entry *e)
{
	struct mac_index *x = atomic_load(&t->index);

	return t->growing && (entry_hash(t, e) & (x->n - 1)) < t->grow_at;
}

static void link_entry(struct mac_table *t, struct mac_entry *e)
{
	struct mac_index *x = atomic_load(&t->index);

	index_add(t, x, e);
	if (is_moved(t, e))
		index_add(t, t->growing, e);
	t->n++;
	/* The links that a new index uses are those of the one before: its readers must be gone. */
	if (!t->growing && t->n > x->n &&
	    quiesce_has_passed(&t->vx->quiesce, t->grown_at)) {
		t->growing = index_new(x->n * 2, !x->link);
		t->grow_at = 0;
	}
	if (t->growing)
		grow_step(t);
}

/* --- lists of the ports, under the lock ------------------------------------------------------ */

void mac_list_add(struct mac_table *t, struct mac_list *l)
{
	list_init(&l->learned);
	list_init(&l->fixed);
	l->n_learned = 0;
	l->gone = false;
	l->place = 0;
	pthread_mutex_lock(&t->lock);
	list_append(&t->lists, &l->node);
	t->n_lists++;
	mac_usage_room(t);
	pthread_mutex_unlock(&t->lock);
}

struct mac_list *mac_list_of(struct mac_table *t, struct mac_port *port)
{
	return port ? &port->list : &t->own;
}

void mac_list_put(struct mac_table *t, struct mac_entry *e)
{
	struct mac_list *l = mac_list_of(t, atomic_load(&e->port));
	bool learned = atomic_load(&e->kind) == MAC_LEARNED;

	list_append(learned ? &l->learned : &l->fixed, &e->node);
	l->n_learned += learned;
	t->n_learned += learned;
	if (learned)
		mac_usage_changed(t, l);
}

void mac_list_take(struct mac_table *t, struct mac_entry *e)
{
	struct mac_list *l = mac_list_of(t, atomic_load(&e->port));
	bool learned = atomic_load(&e->kind) == MAC_LEARNED;

	list_remove(&e->node);
	l->n_learned -= learned;
	t->n_learned -= learned;
	if (learned)
		mac_usage_changed(t, l);
}

/* --- entries --------------------------------------------------------------------------------- */

uint16_t mac_nud_state(const struct mac_entry *e)
{
	switch (atomic_load(&((struct mac_entry *)e)->kind)) {
	case MAC_LOCAL:
		return NUD_PERMANENT;
	case MAC_STATIC:
		return NUD_NOARP;
	default:
		return NUD_REACHABLE;
	}
}

uint8_t mac_ntf_flags(const struct mac_entry *e)
{
	uint8_t f = atomic_load(&((struct mac_entry *)e)->flags);

	return (uint8_t)((f & MAC_STICKY ? NTF_STICKY : 0) |
			 (f & MAC_EXT_LEARNED ? NTF_EXT_LEARNED : 0));
}

void mac_view(struct mac_table *t, const struct mac_entry *entry, struct fdb_view *v)
{
	struct mac_entry *e = (struct mac_entry *)entry;
	struct mac_port *port = atomic_load_explicit(&e->port, memory_order_acquire);
	uint32_t now = mac_ticks(vx_now(t->vx));
	uint64_t tick = MAC_TICK_MS * NS_PER_MS;

	*v = (struct fdb_view){
		.mac = e->mac,
		.state = mac_nud_state(e),
		.flags = mac_ntf_flags(e),
		.protocol = e->protocol,
		.used = (uint32_t)(now - atomic_load_explicit(&e->used, memory_order_relaxed)) *
			tick,
		.updated = (uint32_t)(now -
				      atomic_load_explicit(&e->updated, memory_order_relaxed)) *
			   tick,
		.port_dev = port ? port->dev : NULL,
		.maker = e->maker,
	};
}

void mac_tell(struct mac_table *t, enum vx_event_kind kind, const struct mac_entry *e)
{
	struct vx_events *ev = &t->vx->events;
	struct fdb_view v;

	if (t->changed)
		t->changed(t->ctx, &e->mac, e->vlan);
	if (!ev->fdb || !t->dev)
		return;
	mac_view(t, e, &v);
	ev->fdb(ev->ctx, kind, t->dev, &v);
}

static bool passed(struct mac_table *t, const struct mac_entry *e)
{
	return quiesce_has_passed(&t->vx->quiesce, e->removed_at);
}

void mac_entry_remove(struct mac_table *t, struct mac_entry *e)
{
	if (is_moved(t, e))
		index_del(t, t->growing, e);
	index_del(t, atomic_load(&t->index), e);
	t->n--;
	mac_tell(t, VX_FDB_DEL, e);
	mac_list_take(t, e);
	e->removed_at = quiesce_mark(&t->vx->quiesce);
	list_append(&t->limbo, &e->node);
	t->n_limbo++;
}

struct mac_entry *mac_limbo_take(struct mac_table *t)
{
	struct mac_entry *e;

	if (list_is_empty(&t->limbo))
		return NULL;
	e = container_of(t->limbo.next, struct mac_entry, node);
	if (!passed(t, e))
		return NULL;
	list_remove(&e->node);
	t->n_limbo--;
	return e;
}

/* Makes room for one more learnt entry of 'l': from the port that has the most. */
static void evict(struct mac_table *t, struct mac_list *l)
{
	struct mac_entry *worst = NULL;
	uint32_t now = mac_ticks(vx_now(t->vx));

	/* Who has its fair share gives up its own; who has less takes from the largest. */
	if (l->n_learned < t->limit / t->n_lists || !l->n_learned)
		list_for_each (x, &t->lists, struct mac_list, node)
			if (x->n_learned > l->n_learned)
				l = x;
	for (uint32_t i = 0; i < MIN((uint32_t)MAC_VICTIMS, l->n_learned); i++) {
		struct mac_entry *e = container_of(l->learned.next, struct mac_entry, node);

		if (!worst || now - atomic_load(&e->updated) > now - atomic_load(&worst->updated))
			worst = e;
		list_remove(&e->node); /* another time others are looked at */
		list_append(&l->learned, &e->node);
	}
	if (!worst)
		return;
	t->totals.evicted++;
	mac_entry_remove(t, worst);
}

struct mac_entry *mac_entry_new(struct mac_table *t, const struct mac *mac, uint16_t vlan,
				enum mac_kind kind,
				   uint8_t flags, struct mac_port *port, enum maker_how how,
				   const char *maker, uint64_t now)
{
	struct mac_entry *e = mac_limbo_take(t);

	if (!e && (t->n_limbo < MAC_LIMBO || how != MAKER_LEARNED))
		e = aligned_alloc(CACHE_LINE, (sizeof(*e) + CACHE_LINE - 1) & -(size_t)CACHE_LINE);
	if (!e)
		return NULL;
	memset(e, 0, sizeof(*e));
	e->mac = *mac;
	e->vlan = vlan;
	e->kind = (uint8_t)kind;
	e->flags = flags;
	e->seq = t->seq++;
	e->maker = (struct maker){.at = now, .how = (uint8_t)how};
	if (maker)
		snprintf(e->maker.text, sizeof(e->maker.text), "%s", maker);
	atomic_store(&e->used, mac_ticks(now));
	atomic_store(&e->updated, mac_ticks(now));
	atomic_store(&e->port, port);
	mac_list_put(t, e);
	link_entry(t, e);
	return e;
}

static void touch(_Atomic uint32_t *at, uint32_t now)
{
	/* A store only when it changes: other workers read this line. */
	if (atomic_load_explicit(at, memory_order_relaxed) != now)
		atomic_store_explicit(at, now, memory_order_relaxed);
}

void mac_touch_used(struct mac_entry *e, uint64_t now)
{
	touch(&e->used, mac_ticks(now));
}

/* --- learning -------------------------------------------------------------------------------- */

static struct mac_entry *learn_new(struct mac_table *t, const struct mac *mac,
				   struct mac_port *port, uint64_t now)
{
	struct mac_entry *e;

	pthread_mutex_lock(&t->lock);
	e = mac_find(t, mac, 0); /* another worker may have been faster */
	if (!e && !port->list.gone) {
		if (t->n_learned >= t->limit)
			evict(t, &port->list);
		e = mac_entry_new(t, mac, 0, MAC_LEARNED, 0, port, MAKER_LEARNED, NULL, now);
		t->totals.learned += e != NULL;
		if (e)
			mac_tell(t, VX_FDB_NEW, e);
	}
	pthread_mutex_unlock(&t->lock);
	return e;
}

void mac_entry_move(struct mac_table *t, struct mac_entry *e, struct mac_port *port)
{
	mac_list_take(t, e);
	atomic_store_explicit(&e->port, port, memory_order_release);
	mac_list_put(t, e);
}

static void move(struct mac_table *t, struct mac_entry *e, struct mac_port *port)
{
	pthread_mutex_lock(&t->lock);
	if (mac_find(t, &e->mac, e->vlan) == e && atomic_load(&e->port) != port &&
	    !port->list.gone) {
		t->totals.moved++;
		mac_entry_move(t, e, port);
		/* What a routing daemon said of the old place is no longer its word. */
		atomic_fetch_and(&e->flags, (uint8_t)~MAC_EXT_LEARNED);
		mac_tell(t, VX_FDB_NEW, e);
	}
	pthread_mutex_unlock(&t->lock);
}

struct mac_entry *mac_learn(struct mac_table *t, const struct mac *mac, struct mac_port *port,
			    uint64_t now, struct mac_entry *e)
{
	if (unlikely(!e))
		return learn_new(t, mac, port, now);
	if (atomic_load_explicit(&e->kind, memory_order_relaxed) == MAC_LOCAL)
		return e;
	touch(&e->updated, mac_ticks(now));
	if (unlikely(atomic_load_explicit(&e->port, memory_order_relaxed) != port) &&
	    !(atomic_load_explicit(&e->flags, memory_order_relaxed) & MAC_STICKY))
		move(t, e, port);
	return e;
}
