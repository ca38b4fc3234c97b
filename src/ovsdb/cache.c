/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ovsdb/schema.h"

struct ovsdb_cache *ovsdb_cache_new(const struct ovsdb_db_def *def, struct hash_key key)
{
	struct ovsdb_cache *c = calloc(1, sizeof(*c) + def->n_tables * sizeof(c->t[0]));

	if (!c)
		return NULL;
	c->def = def;
	for (size_t i = 0; i < def->n_tables; i++) {
		struct ovsdb_table *t = &c->t[i];

		t->def = &def->tables[i];
		t->cache = c;
		t->rows.key = key;
		list_init(&t->order);
	}
	for (size_t i = 0; i < def->n_tables; i++) {
		c->t[i].types = calloc(def->tables[i].n_columns, sizeof(*c->t[i].types));
		if (!c->t[i].types) {
			ovsdb_cache_free(c);
			return NULL;
		}
	}
	return c;
}

void ovsdb_cache_free(struct ovsdb_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->def->n_tables; i++) {
		struct ovsdb_table *t = &c->t[i];

		list_for_each_safe (row, &t->order, struct ovsdb_row, in_table)
			ovsdb_row_free(row);
		uuid_map_done(&t->rows);
		free(t->types);
	}
	free(c);
}

void ovsdb_cache_set_schema(struct ovsdb_cache *c, const json_t *schema)
{
	for (size_t i = 0; i < c->def->n_tables; i++) {
		struct ovsdb_table *t = &c->t[i];

		t->present = ovsdb_schema_table(schema, t->def->name);
		for (size_t j = 0; j < t->def->n_columns; j++) {
			const struct ovsdb_column *col = &t->def->columns[j];
			struct ovsdb_type type;

			if (ovsdb_schema_column(schema, t->def->name, col->name, &type) != 1 ||
			    type.key != col->key || type.value != col->value)
				type = (struct ovsdb_type){.key = OVSDB_VOID};
			t->types[j] = type;
		}
	}
}

static json_t *columns_of(const struct ovsdb_table *t)
{
	json_t *columns = json_array();

	for (size_t j = 0; j < t->def->n_columns; j++)
		if (ovsdb_table_has(t, j))
			json_array_append_new(columns, json_string(t->def->columns[j].name));
	return columns;
}

json_t *ovsdb_cache_request(const struct ovsdb_cache *c)
{
	json_t *all = json_object();

	for (size_t i = 0; i < c->def->n_tables; i++) {
		const struct ovsdb_table *t = &c->t[i];

		if (t->present &&
		    json_object_set_new(all, t->def->name,
					json_pack("[{s:o}]", "columns", columns_of(t)))) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

/* --- rows
 * ------------------------------------------------------------------------------------------- */

struct ovsdb_row *ovsdb_row_new(struct ovsdb_table *t, const struct uuid *u)
{
	size_t n = t->def->n_columns;
	struct ovsdb_row *row =
		calloc(1, sizeof(*row) + n * (sizeof(row->d[0]) + sizeof(uint16_t)));

	if (!row)
		return NULL;
	row->node.uuid = *u;
	row->table = t;
	row->unsettled = (uint16_t *)&row->d[n];
	list_init(&row->in_table);
	return row;
}

void ovsdb_row_free(struct ovsdb_row *row)
{
	if (!row)
		return;
	for (size_t j = 0; j < row->table->def->n_columns; j++)
		ovsdb_datum_done(&row->d[j]);
	free(row);
}

bool ovsdb_table_add(struct ovsdb_table *t, struct ovsdb_row *row)
{
	if (!uuid_map_add(&t->rows, &row->node))
		return false;
	list_append(&t->order, &row->in_table);
	return true;
}

void ovsdb_table_remove(struct ovsdb_table *t, struct ovsdb_row *row)
{
	uuid_map_remove(&t->rows, &row->node);
	list_remove(&row->in_table);
	ovsdb_row_free(row);
}

struct ovsdb_row *ovsdb_table_find(const struct ovsdb_table *t, const struct uuid *u)
{
	struct uuid_node *n = uuid_map_find(&t->rows, u);

	return n ? container_of(n, struct ovsdb_row, node) : NULL;
}

int ovsdb_table_column(const struct ovsdb_table *t, const char *name)
{
	for (size_t j = 0; j < t->def->n_columns; j++)
		if (!strcmp(t->def->columns[j].name, name))
			return (int)j;
	return -1;
}

/* --- reading
 * ---------------------------------------------------------------------------------------- */

static const struct ovsdb_row *row_at(const struct ovsdb_table *t, const struct list *at)
{
	return at == &t->order ? NULL : container_of(at, struct ovsdb_row, in_table);
}

const struct ovsdb_row *ovsdb_table_first(const struct ovsdb_table *t)
{
	return row_at(t, t->order.next);
}

const struct ovsdb_row *ovsdb_row_next(const struct ovsdb_row *row)
{
	return row_at(row->table, row->in_table.next);
}

/* The asserts: a reader that takes a column for another type is a bug of its own. */
const char *ovsdb_row_string(const struct ovsdb_row *row, size_t column)
{
	assert(row->table->def->columns[column].key == OVSDB_STRING);
	return row->d[column].n ? row->d[column].keys[0].string : "";
}

int64_t ovsdb_row_integer(const struct ovsdb_row *row, size_t column, int64_t none)
{
	assert(row->table->def->columns[column].key == OVSDB_INTEGER);
	return row->d[column].n ? row->d[column].keys[0].integer : none;
}

bool ovsdb_row_boolean(const struct ovsdb_row *row, size_t column, bool none)
{
	assert(row->table->def->columns[column].key == OVSDB_BOOLEAN);
	return row->d[column].n ? row->d[column].keys[0].boolean : none;
}

const char *ovsdb_row_get(const struct ovsdb_row *row, size_t column, const char *key)
{
	union ovsdb_atom a = {.string = (char *)(uintptr_t)key};
	const struct ovsdb_column *col = &row->table->def->columns[column];
	int at;

	assert(col->key == OVSDB_STRING && col->value == OVSDB_STRING);
	at = row->d[column].n ? ovsdb_datum_find(&row->d[column], &a) : -1;
	return at < 0 ? NULL : row->d[column].values[at].string;
}

const struct ovsdb_row *ovsdb_row_ref(const struct ovsdb_row *row, size_t column, uint32_t i,
				      const struct ovsdb_table *t)
{
	const struct ovsdb_datum *d = &row->d[column];

	assert(row->table->def->columns[column].key == OVSDB_UUID);
	return i < d->n ? ovsdb_table_find(t, &d->keys[i].uuid) : NULL;
}
