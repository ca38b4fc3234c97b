/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MAC table as Open vSwitch's NORMAL has it (spec/ovs.md 3.6, 11.15): VLANs in the key, exact
 * order of use, static entries that stay where they are put.
 */
#include <errno.h>
#include <stdlib.h>

#include "bridge/mac_priv.h"

struct mac_port *mac_vlan_lookup(struct mac_table *t, const struct mac *mac, uint16_t vlan)
{
	struct mac_port *port;
	struct mac_entry *e;

	/* Control asks, too, which no worker waits for before it uses an entry again. */
	pthread_mutex_lock(&t->lock);
	e = mac_find(t, mac, vlan);
	port = e ? atomic_load(&e->port) : NULL;
	pthread_mutex_unlock(&t->lock);
	return port;
}

/* --- learning -------------------------------------------------------------------------------- */

/* Seen again: last in its port's list, and in a listing. */
static void refresh(struct mac_table *t, struct mac_entry *e, uint64_t seen)
{
	uint32_t ticks = mac_ticks(seen);
	struct mac_list *l = mac_list_of(t, atomic_load(&e->port));

	if ((int32_t)(ticks - atomic_load(&e->updated)) < 0)
		return;
	atomic_store_explicit(&e->updated, ticks, memory_order_relaxed);
	e->seq = t->seq++;
	list_remove(&e->node);
	list_append(&l->learned, &e->node);
}

/* The oldest of the port that has most. */
static void evict(struct mac_table *t)
{
	struct mac_list *most = mac_usage_most(t);

	if (!most)
		return;
	t->totals.evicted++;
	mac_entry_remove(t, container_of(most->learned.next, struct mac_entry, node));
}

static bool learn_new(struct mac_table *t, const struct mac *mac, uint16_t vlan,
		      struct mac_port *port, uint64_t seen)
{
	struct mac_entry *e;

	if (t->n >= t->limit)
		evict(t);
	if (t->n >= t->limit) /* static ones alone */
		return false;
	e = mac_entry_new(t, mac, vlan, MAC_LEARNED, 0, port, MAKER_LEARNED, NULL, seen);
	if (!e)
		return false;
	t->totals.learned++;
	mac_tell(t, VX_FDB_NEW, e);
	return true;
}

static bool is_elsewhere(const struct mac_entry *entry, const struct mac_port *port)
{
	struct mac_entry *e = (struct mac_entry *)entry;

	return atomic_load(&e->kind) == MAC_LEARNED && atomic_load(&e->port) != port;
}

bool mac_vlan_learn(struct mac_table *t, const struct mac *mac, uint16_t vlan,
		    struct mac_port *port, uint64_t seen)
{
	struct mac_entry *e;
	bool changed = false;

	pthread_mutex_lock(&t->lock);
	e = mac_find(t, mac, vlan);
	if (port->list.gone) {
		;
	} else if (!e) {
		changed = learn_new(t, mac, vlan, port, seen);
	} else if (is_elsewhere(e, port)) {
		changed = (int32_t)(mac_ticks(seen) - atomic_load(&e->updated)) >= 0;
		if (changed) {
			mac_entry_move(t, e, port);
			refresh(t, e, seen);
			t->totals.moved++;
			mac_tell(t, VX_FDB_NEW, e);
		}
	} else if (atomic_load(&e->kind) == MAC_LEARNED) {
		refresh(t, e, seen);
	}
	pthread_mutex_unlock(&t->lock);
	return changed;
}

/* --- static entries -------------------------------------------------------------------------- */

int mac_vlan_set_static(struct mac_table *t, const struct mac *mac, uint16_t vlan,
			struct mac_port *port, struct mac_port **was)
{
	struct mac_entry *e;

	*was = NULL;
	pthread_mutex_lock(&t->lock);
	e = mac_find(t, mac, vlan);
	if (e) {
		if (atomic_load(&e->kind) == MAC_LEARNED)
			*was = atomic_load(&e->port);
		mac_list_take(t, e);
		atomic_store_explicit(&e->port, port, memory_order_release);
		atomic_store(&e->kind, MAC_STATIC);
		e->seq = t->seq++;
		mac_list_put(t, e);
	} else {
		e = mac_entry_new(t, mac, vlan, MAC_STATIC, 0, port, MAKER_CONTROL, NULL,
				  vx_now(t->vx));
	}
	if (e)
		mac_tell(t, VX_FDB_NEW, e);
	pthread_mutex_unlock(&t->lock);
	return e ? 0 : -ENOMEM;
}

int mac_vlan_del_static(struct mac_table *t, const struct mac *mac, uint16_t vlan)
{
	struct mac_entry *e;
	bool found;

	pthread_mutex_lock(&t->lock);
	e = mac_find(t, mac, vlan);
	found = e && atomic_load(&e->kind) == MAC_STATIC;
	if (found)
		mac_entry_remove(t, e);
	pthread_mutex_unlock(&t->lock);
	return found ? 0 : -ENOENT;
}

/* --- control --------------------------------------------------------------------------------- */

static struct mac_row row_of(const struct mac_entry *entry, uint32_t now)
{
	struct mac_entry *e = (struct mac_entry *)entry;
	int32_t ticks = (int32_t)(now - atomic_load(&e->updated));

	return (struct mac_row){.mac = e->mac,
				.vlan = e->vlan,
				.is_static = atomic_load(&e->kind) != MAC_LEARNED,
				.age = (uint64_t)MAX(ticks, 0) * MAC_TICK_MS * NS_PER_MS,
				.port = atomic_load(&e->port)};
}

int mac_vlan_get(struct mac_table *t, const struct mac *mac, uint16_t vlan, struct mac_row *out)
{
	const struct mac_entry *e;

	pthread_mutex_lock(&t->lock);
	e = mac_find(t, mac, vlan);
	if (e)
		*out = row_of(e, mac_ticks(vx_now(t->vx)));
	pthread_mutex_unlock(&t->lock);
	return e ? 0 : -ENOENT;
}

struct row_at {
	uint32_t seq;
	struct mac_row row;
};

static int oldest_first(const void *a, const void *b)
{
	int32_t d = (int32_t)(((const struct row_at *)a)->seq - ((const struct row_at *)b)->seq);

	return d < 0 ? -1 : d > 0;
}

static uint32_t add_rows(struct list *l, uint32_t now, struct row_at *to)
{
	uint32_t n = 0;

	list_for_each (e, l, struct mac_entry, node)
		to[n++] = (struct row_at){.seq = e->seq, .row = row_of(e, now)};
	return n;
}

int mac_vlan_walk(struct mac_table *t, int (*fn)(void *ctx, const struct mac_row *r), void *ctx)
{
	uint32_t now = mac_ticks(vx_now(t->vx)), n = 0;
	struct row_at *rows;
	int r = 0;

	pthread_mutex_lock(&t->lock);
	rows = malloc((t->n + 1) * sizeof(*rows));
	if (rows)
		list_for_each (l, &t->lists, struct mac_list, node) {
			n += add_rows(&l->learned, now, rows + n);
			n += add_rows(&l->fixed, now, rows + n);
		}
	pthread_mutex_unlock(&t->lock);
	if (!rows)
		return -ENOMEM;
	qsort(rows, n, sizeof(*rows), oldest_first);
	for (uint32_t i = 0; i < n && r == 0; i++)
		r = fn(ctx, &rows[i].row);
	free(rows);
	return r;
}

void mac_vlan_walk_port(struct mac_table *t, struct mac_port *port,
			void (*fn)(void *ctx, const struct mac *mac, uint16_t vlan), void *ctx)
{
	struct list *const lists[] = {&port->list.learned, &port->list.fixed};

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		list_for_each (e, lists[i], struct mac_entry, node)
			fn(ctx, &e->mac, e->vlan);
	pthread_mutex_unlock(&t->lock);
}

void mac_vlan_forget(struct mac_table *t, const struct mac *mac, uint16_t vlan)
{
	struct mac_entry *e;

	pthread_mutex_lock(&t->lock);
	e = mac_find(t, mac, vlan);
	if (e)
		mac_entry_remove(t, e);
	pthread_mutex_unlock(&t->lock);
}

static void expire(struct mac_table *t, struct mac_list *l, uint32_t now, uint64_t limit)
{
	while (!list_is_empty(&l->learned)) {
		struct mac_entry *e = container_of(l->learned.next, struct mac_entry, node);
		int32_t age = (int32_t)(now - atomic_load(&e->updated));

		if (age < 0 || (uint64_t)age < limit)
			return;
		t->totals.expired++;
		mac_entry_remove(t, e);
	}
}

void mac_vlan_expire(struct mac_table *t, uint64_t now, uint64_t ageing_ms)
{
	struct mac_entry *e;

	pthread_mutex_lock(&t->lock);
	list_for_each (l, &t->lists, struct mac_list, node)
		expire(t, l, mac_ticks(now), ageing_ms / MAC_TICK_MS);
	for (uint32_t i = 0; i < MAC_AGE_SLICE && (e = mac_limbo_take(t)); i++)
		free(e);
	pthread_mutex_unlock(&t->lock);
}

void mac_vlan_set_limit(struct mac_table *t, uint32_t limit)
{
	uint32_t n;

	pthread_mutex_lock(&t->lock);
	t->limit = limit;
	do {
		n = t->n;
		if (n > limit)
			evict(t);
	} while (t->n < n);
	pthread_mutex_unlock(&t->lock);
}

void mac_vlan_summary(struct mac_table *t, struct mac_summary *out)
{
	pthread_mutex_lock(&t->lock);
	*out = (struct mac_summary){
		.n = t->n, .n_static = t->n - t->n_learned, .limit = t->limit, .totals = t->totals};
	pthread_mutex_unlock(&t->lock);
}

void mac_vlan_clear_totals(struct mac_table *t)
{
	pthread_mutex_lock(&t->lock);
	t->totals = (struct mac_totals){0};
	pthread_mutex_unlock(&t->lock);
}
