/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: lines, each a message to a database's copy.  The first letter says which: s a
 * schema, 1 and 2 an update in this form, a and b a snapshot in form 1 and 2; the rest is JSON.
 */
#include "base/fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ovsdb/schema.h"
#include "ovsdb/testing.h"
#include "ovsdb/update.h"

static json_t *schema;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	schema = json_loads(test_schema, 0, NULL);
	return schema ? 0 : -1;
}

/* Sorted, once each, and the same again after a way through JSON. */
static void check_datum(const struct ovsdb_datum *d, const struct ovsdb_column *col)
{
	struct ovsdb_type type = {d->key, d->value, 0, OVSDB_UNLIMITED};
	struct ovsdb_datum again;
	json_t *json;

	if (d->key != col->key || d->value != col->value || (d->value && d->n && !d->values))
		abort();
	for (uint32_t i = 0; i < d->n; i++)
		if (ovsdb_datum_find(d, &d->keys[i]) != (int)i)
			abort();
	json = ovsdb_datum_json(d);
	if (!json || ovsdb_datum_parse(&again, &type, json, false) || !ovsdb_datum_equal(d, &again))
		abort();
	json_decref(json);
	ovsdb_datum_done(&again);
}

static json_t *check(const struct ovsdb_cache *c)
{
	json_t *all = json_array();

	for (size_t i = 0; i < c->def->n_tables; i++) {
		const struct ovsdb_table *t = &c->t[i];
		size_t n = 0;

		ovsdb_table_for_each(row, t)
		{
			n++;
			if (ovsdb_table_find(t, &row->node.uuid) != row || row->seq > c->seq)
				abort();
			for (size_t j = 0; j < t->def->n_columns; j++) {
				check_datum(&row->d[j], &t->def->columns[j]);
				json_array_append_new(all, ovsdb_datum_json(&row->d[j]));
			}
		}
		if (n != t->rows.n)
			abort();
	}
	return all;
}

static void message(struct ovsdb_cache *c, char kind, json_t *json)
{
	enum ovsdb_form form = kind == '1' || kind == 'a' ? OVSDB_FORM_1 : OVSDB_FORM_2;
	json_t *before = check(c), *after;
	char why[200] = "";
	int r;

	if (kind == 's') {
		/* A client asks for a snapshot then. */
		if (ovsdb_schema_is(json, "Open_vSwitch")) {
			json_t *none = json_object();

			ovsdb_cache_set_schema(c, json);
			json_decref(ovsdb_cache_request(c));
			if (ovsdb_update(c, OVSDB_FORM_2, true, none, why, sizeof(why)))
				abort();
			json_decref(none);
		}
		json_decref(before);
		return;
	}
	r = ovsdb_update(c, form, kind == 'a' || kind == 'b', json, why, sizeof(why));
	after = check(c);
	if (!!r != !!why[0] || (r && !json_equal(before, after)))
		abort();
	json_decref(before);
	json_decref(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ovsdb_cache *c = ovsdb_cache_new(&test_db, (struct hash_key){1, 2});

	ovsdb_cache_set_schema(c, schema);
	while (size) {
		const uint8_t *nl = memchr(data, '\n', size);
		size_t len = nl ? (size_t)(nl - data) : size;
		json_t *json = len ? json_loadb((const char *)data + 1, len - 1, 0, NULL) : NULL;

		if (json)
			message(c, (char)data[0], json);
		json_decref(json);
		data += len + !!nl;
		size -= len + !!nl;
	}
	ovsdb_cache_free(c);
	return 0;
}

void fuzz_end(void)
{
	json_decref(schema);
}
