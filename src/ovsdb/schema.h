/* SPDX-License-Identifier: Apache-2.0 */
/* A database's schema as get_schema gives it (RFC 7047, 3.2): the type of a column, if it has it.
 */
#ifndef VX_OVSDB_SCHEMA_H
#define VX_OVSDB_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

#include "ovsdb/datum.h"

/* Whether 'json' has the form of a schema, of the database 'name'. */
bool ovsdb_schema_is(const json_t *json, const char *name);
bool ovsdb_schema_table(const json_t *schema, const char *table);
/* 1 and the type, 0 if the schema has no such column, -EPROTO if its type has no known form. */
int ovsdb_schema_column(const json_t *schema, const char *table, const char *column,
			struct ovsdb_type *type);

#endif
