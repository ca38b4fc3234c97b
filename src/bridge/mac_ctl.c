/* SPDX-License-Identifier: Apache-2.0 */
/* The MAC table as control sees it: requests, dumps, flushes, ageing. */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>

#include "bridge/mac_priv.h"

/* --- requests of control --------------------------------------------------------------------- */

static enum mac_kind kind_of(uint16_t state)
{
	return state & NUD_PERMANENT ? MAC_LOCAL : state & NUD_NOARP ? MAC_STATIC : MAC_LEARNED;
}

static uint8_t flags_of(const struct fdb_req *r)
{
	return (uint8_t)((r->flags & NTF_STICKY ? MAC_STICKY : 0) |
			 (r->flags & NTF_EXT_LEARNED ? MAC_EXT_LEARNED : 0));
}

static int change(struct mac_table *t, struct mac_entry *e, const struct fdb_req *r,
		  struct mac_port *port)
{
	enum mac_kind kind = kind_of(r->state);
	bool changed = false;

	if (r->nl_flags & NLM_F_EXCL)
		return -EEXIST;
	if (atomic_load(&e->port) != port || atomic_load(&e->kind) != kind) {
		mac_list_take(t, e);
		atomic_store_explicit(&e->port, port, memory_order_release);
		atomic_store(&e->kind, (uint8_t)kind);
		mac_list_put(t, e);
		changed = true;
	}
	if (atomic_load(&e->flags) != flags_of(r)) {
		atomic_store(&e->flags, flags_of(r));
		changed = true;
	}
	e->protocol = r->has_protocol ? r->protocol : 0;
	e->maker = (struct maker){.at = vx_now(t->vx), .how = MAKER_CONTROL};
	if (r->maker)
		snprintf(e->maker.text, sizeof(e->maker.text), "%s", r->maker);
	atomic_store(&e->used, mac_ticks(vx_now(t->vx)));
	atomic_store(&e->updated, mac_ticks(vx_now(t->vx)));
	if (changed)
		mac_tell(t, VX_FDB_NEW, e);
	return 0;
}

int mac_update(struct mac_table *t, const struct fdb_req *r, struct mac_port *port,
	       struct vx_err *err)
{
	struct mac_entry *e;
	int rc = 0;

	if (!(r->state & (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE)))
		return vx_fail(err, -EINVAL, "RTM_NEWNEIGH with invalid state %#x", r->state);
	pthread_mutex_lock(&t->lock);
	e = mac_find(t, &r->mac, 0);
	if (e) {
		rc = change(t, e, r, port);
	} else if (!(r->nl_flags & NLM_F_CREATE)) {
		rc = -ENOENT;
	} else {
		e = mac_entry_new(t, &r->mac, 0, kind_of(r->state), flags_of(r), port, MAKER_CONTROL,
			      r->maker, vx_now(t->vx));
		rc = e ? 0 : -ENOMEM;
		if (e) {
			e->protocol = r->has_protocol ? r->protocol : 0;
			mac_tell(t, VX_FDB_NEW, e);
		}
	}
	pthread_mutex_unlock(&t->lock);
	return rc;
}

void mac_add_local(struct mac_table *t, const struct mac *mac, struct mac_port *port)
{
	struct mac_entry *e;

	pthread_mutex_lock(&t->lock);
	e = mac_find(t, mac, 0);
	if (e && atomic_load(&e->kind) == MAC_LEARNED) {
		mac_entry_remove(t, e);
		e = NULL;
	}
	if (!e) {
		e = mac_entry_new(t, mac, 0, MAC_LOCAL, 0, port, MAKER_OPTION, NULL,
			      vx_now(t->vx));
		if (e)
			mac_tell(t, VX_FDB_NEW, e);
	}
	pthread_mutex_unlock(&t->lock);
}

static bool is_own(const struct mac_entry *e)
{
	return e->maker.how == MAKER_OPTION;
}

static int delete(struct mac_table *t, const struct mac *mac, struct mac_port *port, bool own)
{
	struct mac_entry *e;
	int rc = 0;

	pthread_mutex_lock(&t->lock);
	e = mac_find(t, mac, 0);
	if (!e || atomic_load(&e->port) != port)
		rc = -ENOENT;
	else if (is_own(e) != own)
		rc = -EBUSY;
	else
		mac_entry_remove(t, e);
	pthread_mutex_unlock(&t->lock);
	return rc;
}

int mac_delete(struct mac_table *t, const struct mac *mac, struct mac_port *port)
{
	return delete(t, mac, port, false);
}

void mac_del_local(struct mac_table *t, const struct mac *mac, struct mac_port *port)
{
	delete(t, mac, port, true);
}

int mac_get(struct mac_table *t, const struct mac *mac, struct fdb_view *out)
{
	struct mac_entry *e;

	pthread_mutex_lock(&t->lock);
	e = mac_find(t, mac, 0);
	if (e)
		mac_view(t, e, out);
	pthread_mutex_unlock(&t->lock);
	return e ? 0 : -ENOENT;
}

/* --- all entries ----------------------------------------------------------------------------- */

static int newest_first(const void *a, const void *b)
{
	uint32_t x = (*(struct mac_entry *const *)a)->seq, y = (*(struct mac_entry *const *)b)->seq;

	return x == y ? 0 : (int32_t)(y - x) < 0 ? -1 : 1;
}

/* Copies, so that fn may take its time, and call back. */
int mac_walk(struct mac_table *t, struct mac_port *port, bool all,
	     int (*fn)(void *ctx, const struct fdb_view *e), void *ctx)
{
	struct mac_entry **list;
	struct fdb_view *v;
	struct mac_index *x;
	uint32_t k = 0;
	int rc = 0;

	pthread_mutex_lock(&t->lock);
	x = atomic_load(&t->index);
	list = malloc((t->n + 1) * sizeof(*list));
	v = malloc((t->n + 1) * sizeof(*v));
	for (uint32_t i = 0; list && v && i < x->n; i++)
		for (struct mac_entry *e = atomic_load(&x->bucket[i]); e;
		     e = atomic_load(&e->next[x->link]))
			if (all || atomic_load(&e->port) == port)
				list[k++] = e;
	if (k)
		qsort(list, k, sizeof(*list), newest_first);
	for (uint32_t i = 0; i < k; i++)
		mac_view(t, list[i], &v[i]);
	pthread_mutex_unlock(&t->lock);
	if (!list || !v)
		rc = -ENOMEM;
	for (uint32_t i = 0; i < k && !rc; i++)
		rc = fn(ctx, &v[i]);
	free(list);
	free(v);
	return rc;
}

static bool matches(const struct mac_entry *e, const struct fdb_flush *m)
{
	if (!m)
		return mac_nud_state(e) == NUD_REACHABLE && !(mac_ntf_flags(e) & NTF_EXT_LEARNED);
	return !((mac_nud_state(e) ^ m->state) & m->state_mask) &&
	       !((mac_ntf_flags(e) ^ m->flags) & m->flags_mask);
}

static void flush_list(struct mac_table *t, struct list *l, const struct fdb_flush *m)
{
	list_for_each_safe (e, l, struct mac_entry, node)
		if (!is_own(e) && matches(e, m))
			mac_entry_remove(t, e);
}

void mac_flush(struct mac_table *t, struct mac_port *port, bool all, const struct fdb_flush *m)
{
	pthread_mutex_lock(&t->lock);
	list_for_each (l, &t->lists, struct mac_list, node) {
		if (!all && l != mac_list_of(t, port))
			continue;
		flush_list(t, &l->learned, m);
		flush_list(t, &l->fixed, m);
	}
	pthread_mutex_unlock(&t->lock);
}

static void clear(struct mac_table *t, struct mac_list *l)
{
	list_for_each_safe (e, &l->learned, struct mac_entry, node)
		mac_entry_remove(t, e);
	list_for_each_safe (f, &l->fixed, struct mac_entry, node)
		mac_entry_remove(t, f);
}

void mac_clear_port(struct mac_table *t, struct mac_port *port)
{
	pthread_mutex_lock(&t->lock);
	clear(t, &port->list);
	pthread_mutex_unlock(&t->lock);
}

void mac_forget_port(struct mac_table *t, struct mac_port *port)
{
	struct mac_list *l = &port->list;

	pthread_mutex_lock(&t->lock);
	clear(t, l);
	l->gone = true;
	list_remove(&l->node);
	t->n_lists--;
	pthread_mutex_unlock(&t->lock);
}

static bool ages(struct mac_entry *e)
{
	return atomic_load(&e->kind) == MAC_LEARNED &&
	       !(atomic_load(&e->flags) & MAC_EXT_LEARNED);
}

/* One chain; returns the least time to an expiry, in ticks. */
static uint32_t age_chain(struct mac_table *t, struct mac_index *x, uint32_t bucket, uint32_t now,
			  uint64_t limit)
{
	uint32_t next = UINT32_MAX;

	for (struct mac_entry *e = atomic_load(&x->bucket[bucket]), *follow; e; e = follow) {
		int32_t age = (int32_t)(now - atomic_load(&e->updated));

		follow = atomic_load(&e->next[x->link]);
		if (!ages(e) || age < 0)
			continue;
		if ((uint64_t)age >= limit) {
			t->totals.expired++;
			mac_entry_remove(t, e);
		} else {
			next = MIN(next, (uint32_t)MIN(limit - (uint64_t)age, UINT32_MAX));
		}
	}
	return next;
}

uint32_t mac_age(struct mac_table *t, uint64_t now, uint64_t ageing_ms)
{
	struct mac_index *x;
	struct mac_entry *e;
	uint32_t end, wait = 10;

	pthread_mutex_lock(&t->lock);
	x = atomic_load(&t->index);
	if (!t->age_at)
		t->age_next = 10000 / MAC_TICK_MS;
	end = MIN(x->n, t->age_at + MAC_AGE_SLICE);
	for (; t->age_at < end; t->age_at++)
		t->age_next = MIN(t->age_next, age_chain(t, x, t->age_at, mac_ticks(now),
							 ageing_ms / MAC_TICK_MS));
	if (t->age_at >= x->n) {
		t->age_at = 0;
		wait = MAX(t->age_next, 1u) * MAC_TICK_MS;
	}
	for (uint32_t i = 0; i < MAC_AGE_SLICE && (e = mac_limbo_take(t)); i++)
		free(e);
	pthread_mutex_unlock(&t->lock);
	return wait;
}
