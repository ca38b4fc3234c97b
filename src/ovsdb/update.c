/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/update.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { PUT, DIFF, DELETE };

/* One row's change.  PUT has all columns in 'row', DIFF those that changed (the rest is void). */
struct change {
	enum kind kind;
	struct ovsdb_table *table;
	struct uuid uuid;
	struct ovsdb_row *row; /* owned; NULL for DELETE */
};

struct update {
	struct ovsdb_cache *cache;
	enum ovsdb_form form;
	bool is_snapshot;
	struct change *change;
	size_t n, size;
	char *why;
	size_t why_size;
};

/* --- parsing
 * ---------------------------------------------------------------------------------------- */

static int bad_row(struct update *u, const struct ovsdb_table *t, const char *uuid,
		   const char *what)
{
	snprintf(u->why, u->why_size, "update of table %s, row %.40s: %s", t->def->name, uuid,
		 what);
	return -EPROTO;
}

static int fill_defaults(struct ovsdb_row *row)
{
	const struct ovsdb_table *t = row->table;

	for (size_t j = 0; j < t->def->n_columns; j++) {
		if (row->d[j].key)
			continue;
		if (!ovsdb_table_has(t, j))
			ovsdb_datum_init(&row->d[j], t->def->columns[j].key,
					 t->def->columns[j].value);
		else if (!ovsdb_datum_default(&row->d[j], &t->types[j]))
			return -ENOMEM;
	}
	return 0;
}

/* The columns of 'json', of which those that nobody wants are left out. */
static int parse_columns(struct update *u, struct ovsdb_row *row, const char *uuid, json_t *json,
			 bool is_diff)
{
	const struct ovsdb_table *t = row->table;
	const char *name;
	json_t *value;

	json_object_foreach(json, name, value)
	{
		int j = ovsdb_table_column(t, name), r;
		char text[80];

		if (j < 0 || !ovsdb_table_has(t, (size_t)j))
			continue;
		r = ovsdb_datum_parse(&row->d[j], &t->types[j], value, is_diff);
		if (r == -EPROTO) {
			row->d[j] = (struct ovsdb_datum){0};
			snprintf(text, sizeof(text), "column %.40s has a bad value", name);
			return bad_row(u, t, uuid, text);
		}
		if (r)
			return r;
	}
	return is_diff ? 0 : fill_defaults(row);
}

static struct change *add_change(struct update *u, struct ovsdb_table *t, const struct uuid *uuid)
{
	if (u->n == u->size) {
		size_t size = u->size ? u->size * 2 : 16;
		struct change *p = reallocarray(u->change, size, sizeof(*p));

		if (!p)
			return NULL;
		u->change = p;
		u->size = size;
	}
	u->change[u->n] = (struct change){.table = t, .uuid = *uuid};
	return &u->change[u->n++];
}

static int parse_put(struct update *u, struct change *ch, const char *uuid, json_t *json,
		     enum kind kind)
{
	if (!json_is_object(json))
		return bad_row(u, ch->table, uuid, "no columns");
	ch->kind = kind;
	ch->row = ovsdb_row_new(ch->table, &ch->uuid);
	if (!ch->row)
		return -ENOMEM;
	return parse_columns(u, ch->row, uuid, json, kind == DIFF);
}

/* {"new": ...}, {"old": ...}, or both: then new has all columns. */
static int parse_form_1(struct update *u, struct change *ch, const char *uuid, json_t *json)
{
	json_t *new_row = json_object_get(json, "new");

	if (new_row)
		return parse_put(u, ch, uuid, new_row, PUT);
	if (!json_object_get(json, "old"))
		return bad_row(u, ch->table, uuid, "neither old nor new");
	ch->kind = DELETE;
	return 0;
}

/* {OP: ROW} */
static int parse_form_2(struct update *u, struct change *ch, const char *uuid, json_t *json)
{
	json_t *row = json_object_get(json, "initial");

	if (json_object_size(json) != 1)
		return bad_row(u, ch->table, uuid, "not exactly one operation");
	if (!row)
		row = json_object_get(json, "insert");
	if (row)
		return parse_put(u, ch, uuid, row, PUT);
	row = json_object_get(json, "modify");
	if (row) {
		if (u->is_snapshot || !ovsdb_table_find(ch->table, &ch->uuid))
			return bad_row(u, ch->table, uuid,
				       "a difference to a row that is not there");
		return parse_put(u, ch, uuid, row, DIFF);
	}
	if (!json_object_get(json, "delete"))
		return bad_row(u, ch->table, uuid, "an unknown operation");
	ch->kind = DELETE;
	return 0;
}

static int parse_row(struct update *u, struct ovsdb_table *t, const char *text, json_t *json)
{
	struct change *ch;
	struct uuid uuid;

	if (!uuid_parse(&uuid, text) || !json_is_object(json))
		return bad_row(u, t, text, "not a uuid and an object");
	ch = add_change(u, t, &uuid);
	if (!ch)
		return -ENOMEM;
	return u->form == OVSDB_FORM_1 ? parse_form_1(u, ch, text, json)
				       : parse_form_2(u, ch, text, json);
}

static struct ovsdb_table *find_table(struct ovsdb_cache *c, const char *name)
{
	for (size_t i = 0; i < c->def->n_tables; i++)
		if (!strcmp(c->def->tables[i].name, name))
			return &c->t[i];
	return NULL;
}

static int parse_tables(struct update *u, const json_t *tables)
{
	const char *name, *uuid;
	json_t *rows, *row;

	if (!json_is_object(tables)) {
		snprintf(u->why, u->why_size, "an update that is no object of tables");
		return -EPROTO;
	}
	json_object_foreach((json_t *)(uintptr_t)tables, name, rows)
	{
		struct ovsdb_table *t = find_table(u->cache, name);

		if (!t || !t->present)
			continue;
		if (!json_is_object(rows))
			return bad_row(u, t, "", "no object of rows");
		json_object_foreach(rows, uuid, row)
		{
			int r = parse_row(u, t, uuid, row);

			if (r)
				return r;
		}
	}
	return 0;
}

/* --- taking in
 * ---------------------------------------------------------------------------------------- */

static bool is_news(const struct ovsdb_table *t, size_t column)
{
	return !(t->def->columns[column].flags & OVSDB_NO_ALERT);
}

static void mark(struct ovsdb_table *t, struct ovsdb_row *row, unsigned seq)
{
	t->seq = seq;
	if (row)
		row->seq = seq;
}

static bool put(struct change *ch, unsigned seq)
{
	struct ovsdb_table *t = ch->table;
	struct ovsdb_row *row = ovsdb_table_find(t, &ch->uuid);

	if (!row) {
		if (!ovsdb_table_add(t, ch->row))
			return false;
		ch->row->seen = true;
		mark(t, ch->row, seq);
		ch->row = NULL; /* the table's now */
		return true;
	}
	row->seen = true;
	for (size_t j = 0; j < t->def->n_columns; j++) {
		struct ovsdb_datum old = row->d[j];

		if (ovsdb_datum_equal(&old, &ch->row->d[j]))
			continue;
		row->d[j] = ch->row->d[j];
		ch->row->d[j] = old; /* goes with the change */
		if (is_news(t, j))
			mark(t, row, seq);
	}
	return true;
}

static bool apply_diff(struct change *ch, unsigned seq)
{
	struct ovsdb_table *t = ch->table;
	struct ovsdb_row *row = ovsdb_table_find(t, &ch->uuid);

	if (!row) /* deleted by this message, under another spelling of its uuid */
		return true;
	for (size_t j = 0; j < t->def->n_columns; j++) {
		const struct ovsdb_datum *diff = &ch->row->d[j];

		if (!diff->key)
			continue;
		if (t->types[j].max == 1 ? ovsdb_datum_equal(&row->d[j], diff) : !diff->n)
			continue;
		if (!ovsdb_datum_apply(&row->d[j], &t->types[j], diff))
			return false;
		if (is_news(t, j))
			mark(t, row, seq);
	}
	return true;
}

/* One that is not there is gone already. */
static void delete_row(struct change *ch, unsigned seq)
{
	struct ovsdb_row *row = ovsdb_table_find(ch->table, &ch->uuid);

	if (!row)
		return;
	mark(ch->table, NULL, seq);
	ovsdb_table_remove(ch->table, row);
}

static void forget_seen(struct ovsdb_cache *c)
{
	for (size_t i = 0; i < c->def->n_tables; i++)
		list_for_each (row, &c->t[i].order, struct ovsdb_row, in_table)
			row->seen = false;
}

static void delete_unseen(struct ovsdb_cache *c, unsigned seq)
{
	for (size_t i = 0; i < c->def->n_tables; i++) {
		struct ovsdb_table *t = &c->t[i];

		list_for_each_safe (row, &t->order, struct ovsdb_row, in_table) {
			if (row->seen)
				continue;
			mark(t, NULL, seq);
			ovsdb_table_remove(t, row);
		}
	}
}

/* All rows, before anyone looks: a reference may name a row that comes later in the message. */
static int take_in(struct update *u)
{
	struct ovsdb_cache *c = u->cache;
	unsigned seq = c->seq + 1;
	bool ok = true;

	if (u->is_snapshot)
		forget_seen(c);
	for (size_t i = 0; i < u->n && ok; i++) {
		if (u->change[i].kind == PUT)
			ok = put(&u->change[i], seq);
		else if (u->change[i].kind == DIFF)
			ok = apply_diff(&u->change[i], seq);
		else
			delete_row(&u->change[i], seq);
	}
	if (ok && u->is_snapshot)
		delete_unseen(c, seq);
	for (size_t i = 0; i < c->def->n_tables; i++)
		if (c->t[i].seq == seq)
			c->seq = seq;
	return ok ? 0 : -ENOMEM;
}

int ovsdb_update(struct ovsdb_cache *c, enum ovsdb_form form, bool is_snapshot,
		 const json_t *tables, char *why, size_t why_size)
{
	struct update u = {
		.cache = c,
		.form = form,
		.is_snapshot = is_snapshot,
		.why = why,
		.why_size = why_size,
	};
	int r = parse_tables(&u, tables);

	if (!r)
		r = take_in(&u);
	if (r == -ENOMEM)
		snprintf(why, why_size, "out of memory");
	for (size_t i = 0; i < u.n; i++)
		ovsdb_row_free(u.change[i].row);
	free(u.change);
	return r;
}
