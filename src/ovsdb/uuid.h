/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs, and a hash map from them to the structs that embed a node. */
#ifndef VX_OVSDB_UUID_H
#define VX_OVSDB_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

enum { UUID_TEXT_LEN = 36 };

struct uuid {
	uint8_t b[16]; /* in the order of the text */
};

/* The whole of 's', "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx". */
bool uuid_parse(struct uuid *u, const char *s);
void uuid_print(const struct uuid *u, char text[UUID_TEXT_LEN + 1]);
int uuid_cmp(const struct uuid *a, const struct uuid *b);
bool uuid_is_zero(const struct uuid *u);

struct uuid_node {
	struct uuid_node *next;
	struct uuid uuid;
};

/* All zero but for the key, which is secret, is an empty map. */
struct uuid_map {
	struct uuid_node **bucket;
	size_t n, mask; /* mask + 1 buckets once there is one */
	struct hash_key key;
};

struct uuid_node *uuid_map_find(const struct uuid_map *m, const struct uuid *u);
/* 'node' has its uuid, which is not in the map.  False: out of memory. */
bool uuid_map_add(struct uuid_map *m, struct uuid_node *node);
void uuid_map_remove(struct uuid_map *m, struct uuid_node *node);
void uuid_map_done(struct uuid_map *m); /* the nodes are the caller's */

#endif
