/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash map of structs that embed a node; hashing and comparing are the caller's.  All zero is an
 * empty map.  Adding cannot fail: without memory to grow it gets slower.
 *
 *	hmap_for_each (node, &map, hash)
 *		if (is_wanted(container_of(node, struct thing, by_name)))
 *			...
 */
#ifndef VX_BASE_HMAP_H
#define VX_BASE_HMAP_H

#include <stddef.h>
#include <stdint.h>

struct hmap_node {
	struct hmap_node *next;
	uint64_t hash;
};

struct hmap {
	struct hmap_node **bucket; /* NULL: 'first' is the only one */
	struct hmap_node *first;
	size_t n, mask;
};

static inline struct hmap_node **hmap_bucket(const struct hmap *m, uint64_t hash)
{
	return m->bucket ? &m->bucket[hash & m->mask]
			 : (struct hmap_node **)(uintptr_t)&m->first;
}

/* This one, or the next after it, that has the hash; NULL. */
static inline struct hmap_node *hmap_match(struct hmap_node *n, uint64_t hash)
{
	while (n && n->hash != hash)
		n = n->next;
	return n;
}

/* Nodes of this hash; the body neither adds nor removes. */
#define hmap_for_each(pos, map, h)                                                                 \
	for (struct hmap_node *pos = hmap_match(*hmap_bucket(map, h), h); pos;                     \
	     pos = hmap_match(pos->next, h))

void hmap_add(struct hmap *m, struct hmap_node *n, uint64_t hash);
void hmap_remove(struct hmap *m, struct hmap_node *n);
void hmap_done(struct hmap *m); /* the nodes are the caller's */

#endif
