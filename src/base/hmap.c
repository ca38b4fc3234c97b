/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hmap.h"

#include <stdlib.h>

static void push(struct hmap *m, struct hmap_node *n)
{
	struct hmap_node **to = hmap_bucket(m, n->hash);

	n->next = *to;
	*to = n;
}

static void grow(struct hmap *m)
{
	struct hmap bigger = {.mask = m->bucket ? m->mask * 2 + 1 : 15, .n = m->n};

	bigger.bucket = calloc(bigger.mask + 1, sizeof(*bigger.bucket));
	if (!bigger.bucket)
		return;
	for (size_t i = 0; i <= m->mask; i++)
		for (struct hmap_node *n = *hmap_bucket(m, i), *next; n; n = next) {
			next = n->next;
			push(&bigger, n);
		}
	free(m->bucket);
	*m = bigger;
}

void hmap_add(struct hmap *m, struct hmap_node *n, uint64_t hash)
{
	if (m->n > m->mask)
		grow(m);
	n->hash = hash;
	push(m, n);
	m->n++;
}

void hmap_remove(struct hmap *m, struct hmap_node *n)
{
	struct hmap_node **at = hmap_bucket(m, n->hash);

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	m->n--;
}

void hmap_done(struct hmap *m)
{
	free(m->bucket);
	*m = (struct hmap){0};
}
