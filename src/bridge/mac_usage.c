/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which port has the most entries, as Open vSwitch tells it: its ports are in a binary heap by their
 * numbers of entries, so which of several that have as many comes first depends on how they came to
 * have them.  Without memory for it mac_usage_most() is the first of them.
 */
#include <stdlib.h>

#include "bridge/mac_priv.h"

/* Places count from 1; the children of n are at 2n and 2n + 1. */
static void put(struct mac_usage *u, uint32_t place, struct mac_list *l)
{
	u->at[place] = l;
	l->place = place;
}

static void swap(struct mac_usage *u, uint32_t a, uint32_t b)
{
	struct mac_list *l = u->at[a];

	put(u, a, u->at[b]);
	put(u, b, l);
}

static uint32_t count(const struct mac_usage *u, uint32_t place)
{
	return place <= u->n ? u->at[place]->n_learned : 0;
}

static void rise(struct mac_usage *u, uint32_t place)
{
	for (; place > 1 && count(u, place / 2) < count(u, place); place /= 2)
		swap(u, place / 2, place);
}

static void sink(struct mac_usage *u, uint32_t place)
{
	for (uint32_t most = place;; place = most) {
		for (uint32_t child = 2 * place; child <= 2 * place + 1; child++)
			if (count(u, child) > count(u, most))
				most = child;
		if (most == place)
			return;
		swap(u, most, place);
	}
}

static void leave(struct mac_usage *u, struct mac_list *l)
{
	uint32_t place = l->place;

	l->place = 0;
	if (place != u->n)
		put(u, place, u->at[u->n]);
	u->n--;
	if (place <= u->n) {
		rise(u, place);
		sink(u, place);
	}
}

void mac_usage_changed(struct mac_table *t, struct mac_list *l)
{
	struct mac_usage *u = &t->usage;

	if (!u->at)
		return;
	if (!l->n_learned) {
		if (l->place)
			leave(u, l);
		return;
	}
	if (!l->place)
		put(u, ++u->n, l);
	rise(u, l->place);
	sink(u, l->place);
}

void mac_usage_room(struct mac_table *t)
{
	struct mac_usage *u = &t->usage;
	struct mac_list **more;

	if (!u->is_kept || t->n_lists < u->room)
		return;
	more = realloc(u->at, (2 * (size_t)t->n_lists + 1) * sizeof(struct mac_list *));
	if (more) {
		u->at = more;
		u->room = 2 * t->n_lists + 1;
	} else {
		mac_usage_done(t);
	}
}

void mac_usage_keep(struct mac_table *t)
{
	t->usage.is_kept = true;
	mac_usage_room(t);
}

void mac_usage_done(struct mac_table *t)
{
	free(t->usage.at);
	t->usage = (struct mac_usage){0};
}

struct mac_list *mac_usage_most(const struct mac_table *t)
{
	struct mac_list *most = NULL;

	if (t->usage.at)
		return t->usage.n ? t->usage.at[1] : NULL;
	list_for_each (l, &t->lists, struct mac_list, node)
		if (l->n_learned && (!most || l->n_learned > most->n_learned))
			most = l;
	return most;
}
