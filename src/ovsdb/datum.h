/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A column's value: a set of atoms, or a map from atoms to atoms, sorted by key (RFC 7047, 5.1;
 * ovs.md 1.5).  A scalar is a set of one, an optional column a set of none or one.
 */
#ifndef VX_OVSDB_DATUM_H
#define VX_OVSDB_DATUM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ovsdb/uuid.h"

enum ovsdb_atomic {
	OVSDB_VOID, /* as a value's type: the datum is a set */
	OVSDB_INTEGER,
	OVSDB_REAL,
	OVSDB_BOOLEAN,
	OVSDB_STRING,
	OVSDB_UUID,
};

union ovsdb_atom {
	int64_t integer;
	double real;
	bool boolean;
	char *string; /* UTF-8, owned by the datum */
	struct uuid uuid;
};

enum { OVSDB_UNLIMITED = UINT32_MAX };

struct ovsdb_type {
	uint8_t key, value; /* enum ovsdb_atomic */
	uint32_t min, max;
};

struct ovsdb_datum {
	uint8_t key, value; /* enum ovsdb_atomic */
	uint32_t n, size;
	union ovsdb_atom *keys, *values; /* values: NULL for a set */
};

void ovsdb_datum_init(struct ovsdb_datum *d, enum ovsdb_atomic key, enum ovsdb_atomic value);
void ovsdb_datum_done(struct ovsdb_datum *d); /* all zero is fine */
/* Empty, or one default atom (pair) where 'type' has no empty value.  False: out of memory. */
bool ovsdb_datum_default(struct ovsdb_datum *d, const struct ovsdb_type *type);
bool ovsdb_datum_copy(struct ovsdb_datum *to, const struct ovsdb_datum *from);
bool ovsdb_datum_equal(const struct ovsdb_datum *a, const struct ovsdb_datum *b);

/* The index of 'key', or -1. */
int ovsdb_datum_find(const struct ovsdb_datum *d, const union ovsdb_atom *key);
/* Puts a key (and a value), replacing the value of one that is there.  Strings are copied, letters
 * that are not UTF-8 become '?'.  False: out of memory. */
bool ovsdb_datum_put(struct ovsdb_datum *d, const union ovsdb_atom *key,
		     const union ovsdb_atom *value);
bool ovsdb_datum_put_string(struct ovsdb_datum *d, const char *s);
bool ovsdb_datum_put_integer(struct ovsdb_datum *d, int64_t n);
bool ovsdb_datum_put_boolean(struct ovsdb_datum *d, bool b);
bool ovsdb_datum_put_pair(struct ovsdb_datum *d, const char *key, const char *value);
bool ovsdb_datum_put_count(struct ovsdb_datum *d, const char *key, int64_t value);

/* 'json' as a full value of 'type', or, if 'is_diff', as a difference, which may hold more or less
 * than the type allows.  0, -EPROTO or -ENOMEM. */
int ovsdb_datum_parse(struct ovsdb_datum *d, const struct ovsdb_type *type, const json_t *json,
		      bool is_diff);
/* NULL: out of memory. */
json_t *ovsdb_datum_json(const struct ovsdb_datum *d);

/* 'd' after the difference 'diff' of update2 and update3 (ovs.md 1.4).  False: out of memory, 'd'
 * as it was. */
bool ovsdb_datum_apply(struct ovsdb_datum *d, const struct ovsdb_type *type,
		       const struct ovsdb_datum *diff);

#endif
