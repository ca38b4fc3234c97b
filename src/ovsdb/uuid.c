/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/uuid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool uuid_parse(struct uuid *u, const char *s)
{
	struct uuid out = {{0}};

	if (strlen(s) != UUID_TEXT_LEN)
		return false;
	for (size_t i = 0; i < 16; i++) {
		int hi, lo;

		if (i == 4 || i == 6 || i == 8 || i == 10)
			if (*s++ != '-')
				return false;
		hi = hex(*s++);
		lo = hex(*s++);
		if (hi < 0 || lo < 0)
			return false;
		out.b[i] = (uint8_t)(hi << 4 | lo);
	}
	*u = out;
	return true;
}

void uuid_print(const struct uuid *u, char text[UUID_TEXT_LEN + 1])
{
	const uint8_t *b = u->b;

	snprintf(text, UUID_TEXT_LEN + 1,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
}

int uuid_cmp(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool uuid_is_zero(const struct uuid *u)
{
	static const struct uuid zero;

	return !uuid_cmp(u, &zero);
}

static size_t bucket_of(const struct uuid_map *m, const struct uuid *u)
{
	uint64_t w[2];

	memcpy(w, u->b, sizeof(w));
	return hash_u64(m->key, w[0], w[1]) & m->mask;
}

struct uuid_node *uuid_map_find(const struct uuid_map *m, const struct uuid *u)
{
	struct uuid_node *n = m->bucket ? m->bucket[bucket_of(m, u)] : NULL;

	while (n && uuid_cmp(&n->uuid, u))
		n = n->next;
	return n;
}

static bool grow(struct uuid_map *m)
{
	struct uuid_map bigger = {.mask = m->bucket ? m->mask * 2 + 1 : 15, .key = m->key};

	bigger.bucket = calloc(bigger.mask + 1, sizeof(*bigger.bucket));
	if (!bigger.bucket)
		return false;
	for (size_t i = 0; m->bucket && i <= m->mask; i++) {
		while (m->bucket[i]) {
			struct uuid_node *n = m->bucket[i], **to;

			m->bucket[i] = n->next;
			to = &bigger.bucket[bucket_of(&bigger, &n->uuid)];
			n->next = *to;
			*to = n;
		}
	}
	free(m->bucket);
	m->bucket = bigger.bucket;
	m->mask = bigger.mask;
	return true;
}

bool uuid_map_add(struct uuid_map *m, struct uuid_node *node)
{
	struct uuid_node **at;

	if ((!m->bucket || m->n > m->mask) && !grow(m))
		return false;
	at = &m->bucket[bucket_of(m, &node->uuid)];
	node->next = *at;
	*at = node;
	m->n++;
	return true;
}

void uuid_map_remove(struct uuid_map *m, struct uuid_node *node)
{
	struct uuid_node **at = &m->bucket[bucket_of(m, &node->uuid)];

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	m->n--;
}

void uuid_map_done(struct uuid_map *m)
{
	free(m->bucket);
	m->bucket = NULL;
	m->n = m->mask = 0;
}
