/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a monitor reports, in its three forms (ovs.md 1.4), taken into a cache whole or not at all:
 * the message is parsed and checked first, and only memory can fail after that.
 */
#ifndef VX_OVSDB_UPDATE_H
#define VX_OVSDB_UPDATE_H

#include <jansson.h>
#include <stdbool.h>

#include "ovsdb/cache.h"

enum ovsdb_form {
	OVSDB_FORM_1 = 1, /* monitor, update: old and new */
	OVSDB_FORM_2,	  /* monitor_cond, update2; monitor_cond_since, update3: differences */
};

/* 'tables' is {TABLE: {UUID: ...}}.  A snapshot replaces all rows: one that it does not name goes.
 * Returns 0; -EPROTO and why: the cache is as it was; -ENOMEM: part of it was taken in, and only
 * another snapshot mends that. */
int ovsdb_update(struct ovsdb_cache *c, enum ovsdb_form form, bool is_snapshot,
		 const json_t *tables, char *why, size_t why_size);

#endif
