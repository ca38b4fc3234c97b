/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of the wanted columns of one database: tables, rows by uuid, in the order in which they
 * came.
 *
 * Columns are numbers: places in the table's list of wanted ones.  One that the server's schema
 * lacks, or has with another type, is absent: its value is empty and writing it does nothing.
 *
 * A row's pointer is good until the next ovsdb_idl_run().
 */
#ifndef VX_OVSDB_CACHE_H
#define VX_OVSDB_CACHE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "ovsdb/datum.h"
#include "ovsdb/uuid.h"

enum {
	/* A change of this column alone is no news: the reader's own writing. */
	OVSDB_NO_ALERT = 1,
};

struct ovsdb_column {
	const char *name;
	uint8_t key, value; /* enum ovsdb_atomic; value OVSDB_VOID: a set, a scalar, an optional */
	uint8_t flags;
};

struct ovsdb_table_def {
	const char *name;
	const struct ovsdb_column *columns;
	size_t n_columns;
};

struct ovsdb_db_def {
	const char *name;
	const struct ovsdb_table_def *tables;
	size_t n_tables;
};

struct ovsdb_table {
	const struct ovsdb_table_def *def;
	struct ovsdb_cache *cache;
	bool present;		  /* the server has the table */
	struct ovsdb_type *types; /* of each column; key OVSDB_VOID: absent */
	struct uuid_map rows;
	struct list order;
	unsigned seq; /* the cache's when something in here last changed */
};

struct ovsdb_row {
	struct uuid_node node;
	struct list in_table;
	struct ovsdb_table *table;
	unsigned seq;		/* the cache's when the row came or last changed */
	bool seen;		/* by the snapshot that is being taken in */
	uint16_t *unsettled;	/* per column: transactions on their way that write it */
	struct ovsdb_datum d[]; /* per column */
};

struct ovsdb_cache {
	const struct ovsdb_db_def *def;
	unsigned seq; /* moves with each message that brings news */
	struct ovsdb_table t[];
};

struct ovsdb_cache *ovsdb_cache_new(const struct ovsdb_db_def *def, struct hash_key key);
void ovsdb_cache_free(struct ovsdb_cache *c); /* NULL is fine */
/* Which of the wanted columns 'schema' has.  Rows stay as they are. */
void ovsdb_cache_set_schema(struct ovsdb_cache *c, const json_t *schema);
/* {TABLE: [{"columns": [...]}]} of all that is present; NULL: out of memory. */
json_t *ovsdb_cache_request(const struct ovsdb_cache *c);

/* A row of 'table' that is not in it yet, all columns void; NULL: out of memory. */
struct ovsdb_row *ovsdb_row_new(struct ovsdb_table *t, const struct uuid *u);
void ovsdb_row_free(struct ovsdb_row *row); /* NULL is fine */
bool ovsdb_table_add(struct ovsdb_table *t, struct ovsdb_row *row);
void ovsdb_table_remove(struct ovsdb_table *t, struct ovsdb_row *row);
struct ovsdb_row *ovsdb_table_find(const struct ovsdb_table *t, const struct uuid *u);
/* A column's number, or -1. */
int ovsdb_table_column(const struct ovsdb_table *t, const char *name);

static inline bool ovsdb_table_has(const struct ovsdb_table *t, size_t column)
{
	return t->types[column].key != OVSDB_VOID;
}

/* --- reading --- */

const struct ovsdb_row *ovsdb_table_first(const struct ovsdb_table *t); /* NULL: none */
const struct ovsdb_row *ovsdb_row_next(const struct ovsdb_row *row);

#define ovsdb_table_for_each(row, t)                                                               \
	for (const struct ovsdb_row *row = ovsdb_table_first(t); row; row = ovsdb_row_next(row))

static inline const struct ovsdb_datum *ovsdb_row_datum(const struct ovsdb_row *row, size_t column)
{
	return &row->d[column];
}

/* The first atom of a set; what stands for none where it is empty. */
const char *ovsdb_row_string(const struct ovsdb_row *row, size_t column); /* "" */
int64_t ovsdb_row_integer(const struct ovsdb_row *row, size_t column, int64_t none);
bool ovsdb_row_boolean(const struct ovsdb_row *row, size_t column, bool none);
/* The value of 'key' in a map from strings to strings, or NULL. */
const char *ovsdb_row_get(const struct ovsdb_row *row, size_t column, const char *key);
/* The row of 't' that the i-th uuid of a set names; NULL: it is not there. */
const struct ovsdb_row *ovsdb_row_ref(const struct ovsdb_row *row, size_t column, uint32_t i,
				      const struct ovsdb_table *t);

#endif
