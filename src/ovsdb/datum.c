/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/datum.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* --- atoms
 * ----------------------------------------------------------------------------------------- */

static int atom_cmp(uint8_t type, const union ovsdb_atom *a, const union ovsdb_atom *b)
{
	switch (type) {
	case OVSDB_INTEGER:
		return a->integer < b->integer ? -1 : a->integer > b->integer;
	case OVSDB_REAL:
		return a->real < b->real ? -1 : a->real > b->real;
	case OVSDB_BOOLEAN:
		return a->boolean - b->boolean;
	case OVSDB_STRING:
		return strcmp(a->string, b->string);
	case OVSDB_UUID:
		return uuid_cmp(&a->uuid, &b->uuid);
	}
	return 0;
}

static void atom_done(uint8_t type, union ovsdb_atom *a)
{
	if (type == OVSDB_STRING)
		free(a->string);
}

static bool atom_copy(uint8_t type, union ovsdb_atom *to, const union ovsdb_atom *from)
{
	*to = *from;
	if (type != OVSDB_STRING)
		return true;
	to->string = strdup(from->string);
	if (to->string)
		text_mend_utf8(to->string, strlen(to->string));
	return to->string;
}

static int parse_uuid(struct uuid *u, const json_t *json)
{
	const char *tag = json_string_value(json_array_get(json, 0));
	const char *text = json_string_value(json_array_get(json, 1));

	if (json_array_size(json) != 2 || !tag || strcmp(tag, "uuid") || !text)
		return -EPROTO;
	return uuid_parse(u, text) ? 0 : -EPROTO;
}

static int atom_parse(uint8_t type, union ovsdb_atom *a, const json_t *json)
{
	*a = (union ovsdb_atom){0};
	switch (type) {
	case OVSDB_INTEGER:
		a->integer = json_integer_value(json);
		return json_is_integer(json) ? 0 : -EPROTO;
	case OVSDB_REAL:
		a->real = json_number_value(json);
		return json_is_number(json) ? 0 : -EPROTO;
	case OVSDB_BOOLEAN:
		a->boolean = json_is_true(json);
		return json_is_boolean(json) ? 0 : -EPROTO;
	case OVSDB_STRING:
		if (!json_is_string(json))
			return -EPROTO;
		a->string = strdup(json_string_value(json));
		return a->string ? 0 : -ENOMEM;
	case OVSDB_UUID:
		return parse_uuid(&a->uuid, json);
	}
	return -EPROTO;
}

static json_t *atom_json(uint8_t type, const union ovsdb_atom *a)
{
	char text[UUID_TEXT_LEN + 1];

	switch (type) {
	case OVSDB_INTEGER:
		return json_integer(a->integer);
	case OVSDB_REAL:
		return json_real(a->real);
	case OVSDB_BOOLEAN:
		return json_boolean(a->boolean);
	case OVSDB_STRING:
		return json_string(a->string);
	case OVSDB_UUID:
		uuid_print(&a->uuid, text);
		return json_pack("[s, s]", "uuid", text);
	}
	return NULL;
}

/* --- datums
 * ----------------------------------------------------------------------------------------- */

void ovsdb_datum_init(struct ovsdb_datum *d, enum ovsdb_atomic key, enum ovsdb_atomic value)
{
	*d = (struct ovsdb_datum){.key = (uint8_t)key, .value = (uint8_t)value};
}

void ovsdb_datum_done(struct ovsdb_datum *d)
{
	for (uint32_t i = 0; i < d->n; i++) {
		atom_done(d->key, &d->keys[i]);
		if (d->values)
			atom_done(d->value, &d->values[i]);
	}
	free(d->keys);
	free(d->values);
	d->keys = d->values = NULL;
	d->n = d->size = 0;
}

static bool reserve(struct ovsdb_datum *d, uint32_t size)
{
	union ovsdb_atom *p;

	if (size <= d->size)
		return true;
	p = reallocarray(d->keys, size, sizeof(*p));
	if (!p)
		return false;
	d->keys = p;
	if (d->value) {
		p = reallocarray(d->values, size, sizeof(*p));
		if (!p)
			return false;
		d->values = p;
	}
	d->size = size;
	return true;
}

static bool append(struct ovsdb_datum *d, const union ovsdb_atom *key,
		   const union ovsdb_atom *value)
{
	if (d->n == d->size && !reserve(d, d->size ? d->size * 2 : 1))
		return false;
	if (!atom_copy(d->key, &d->keys[d->n], key))
		return false;
	if (d->value && !atom_copy(d->value, &d->values[d->n], value)) {
		atom_done(d->key, &d->keys[d->n]);
		return false;
	}
	d->n++;
	return true;
}

bool ovsdb_datum_default(struct ovsdb_datum *d, const struct ovsdb_type *type)
{
	static char empty[] = "";
	union ovsdb_atom key = {0}, value = {0};

	ovsdb_datum_init(d, type->key, type->value);
	if (!type->min)
		return true;
	if (type->key == OVSDB_STRING)
		key.string = empty;
	if (type->value == OVSDB_STRING)
		value.string = empty;
	if (append(d, &key, &value))
		return true;
	ovsdb_datum_done(d);
	return false;
}

bool ovsdb_datum_copy(struct ovsdb_datum *to, const struct ovsdb_datum *from)
{
	ovsdb_datum_init(to, from->key, from->value);
	if (!reserve(to, from->n))
		goto out_done;
	for (uint32_t i = 0; i < from->n; i++)
		if (!append(to, &from->keys[i], from->values ? &from->values[i] : NULL))
			goto out_done;
	return true;

out_done:
	ovsdb_datum_done(to);
	return false;
}

bool ovsdb_datum_equal(const struct ovsdb_datum *a, const struct ovsdb_datum *b)
{
	if (a->key != b->key || a->value != b->value || a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (atom_cmp(a->key, &a->keys[i], &b->keys[i]) ||
		    (a->value && atom_cmp(a->value, &a->values[i], &b->values[i])))
			return false;
	return true;
}

/* Where 'key' is, or else would be: *found says which. */
static uint32_t place(const struct ovsdb_datum *d, const union ovsdb_atom *key, bool *found)
{
	uint32_t lo = 0, hi = d->n;

	*found = false;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = atom_cmp(d->key, &d->keys[mid], key);

		if (!c) {
			*found = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int ovsdb_datum_find(const struct ovsdb_datum *d, const union ovsdb_atom *key)
{
	bool found;
	uint32_t at = place(d, key, &found);

	return found ? (int)at : -1;
}

/* Moves the last element to 'at'. */
static void rotate(union ovsdb_atom *a, uint32_t at, uint32_t n)
{
	union ovsdb_atom last = a[n - 1];

	memmove(&a[at + 1], &a[at], (n - 1 - at) * sizeof(*a));
	a[at] = last;
}

bool ovsdb_datum_put(struct ovsdb_datum *d, const union ovsdb_atom *key,
		     const union ovsdb_atom *value)
{
	union ovsdb_atom copy;
	bool found;
	uint32_t at;

	if (!atom_copy(d->key, &copy, key)) /* its place is that of the mended string */
		return false;
	at = place(d, &copy, &found);
	if (!found) {
		bool ok = append(d, &copy, value);

		atom_done(d->key, &copy);
		if (ok) {
			rotate(d->keys, at, d->n);
			if (d->values)
				rotate(d->values, at, d->n);
		}
		return ok;
	}
	atom_done(d->key, &copy);
	if (!d->value)
		return true;
	if (!atom_copy(d->value, &copy, value))
		return false;
	atom_done(d->value, &d->values[at]);
	d->values[at] = copy;
	return true;
}

bool ovsdb_datum_put_string(struct ovsdb_datum *d, const char *s)
{
	union ovsdb_atom a = {.string = (char *)(uintptr_t)s};

	assert(d->key == OVSDB_STRING && !d->value);
	return ovsdb_datum_put(d, &a, NULL);
}

bool ovsdb_datum_put_integer(struct ovsdb_datum *d, int64_t n)
{
	union ovsdb_atom a = {.integer = n};

	assert(d->key == OVSDB_INTEGER && !d->value);
	return ovsdb_datum_put(d, &a, NULL);
}

bool ovsdb_datum_put_boolean(struct ovsdb_datum *d, bool b)
{
	union ovsdb_atom a = {.boolean = b};

	assert(d->key == OVSDB_BOOLEAN && !d->value);
	return ovsdb_datum_put(d, &a, NULL);
}

bool ovsdb_datum_put_pair(struct ovsdb_datum *d, const char *key, const char *value)
{
	union ovsdb_atom k = {.string = (char *)(uintptr_t)key};
	union ovsdb_atom v = {.string = (char *)(uintptr_t)value};

	assert(d->key == OVSDB_STRING && d->value == OVSDB_STRING);
	return ovsdb_datum_put(d, &k, &v);
}

bool ovsdb_datum_put_count(struct ovsdb_datum *d, const char *key, int64_t value)
{
	union ovsdb_atom k = {.string = (char *)(uintptr_t)key}, v = {.integer = value};

	assert(d->key == OVSDB_STRING && d->value == OVSDB_INTEGER);
	return ovsdb_datum_put(d, &k, &v);
}

/* --- JSON
 * ------------------------------------------------------------------------------------------- */

/* The elements of ["tag", [...]], or NULL if json is something else. */
static const json_t *tagged(const json_t *json, const char *tag)
{
	const char *s = json_string_value(json_array_get(json, 0));
	const json_t *all = json_array_get(json, 1);

	if (json_array_size(json) != 2 || !s || strcmp(s, tag) || !json_is_array(all))
		return NULL;
	return all;
}

static int parse_element(struct ovsdb_datum *d, const json_t *json)
{
	int r;

	if (d->value && json_array_size(json) != 2)
		return -EPROTO;
	r = atom_parse(d->key, &d->keys[d->n], d->value ? json_array_get(json, 0) : json);
	if (r)
		return r;
	if (d->value) {
		r = atom_parse(d->value, &d->values[d->n], json_array_get(json, 1));
		if (r) {
			atom_done(d->key, &d->keys[d->n]);
			return r;
		}
	}
	d->n++;
	return 0;
}

struct pair {
	union ovsdb_atom key, value;
};

static int pair_cmp(const void *a, const void *b, void *aux)
{
	const uint8_t *type = aux;
	const struct pair *x = a, *y = b;

	return atom_cmp(*type, &x->key, &y->key);
}

/* The server sends most values sorted, by an order of its own for some types. */
static int sort(struct ovsdb_datum *d)
{
	bool sorted = true;
	struct pair *p;

	for (uint32_t i = 1; i < d->n && sorted; i++)
		sorted = atom_cmp(d->key, &d->keys[i - 1], &d->keys[i]) < 0;
	if (sorted)
		return 0;
	p = calloc(d->n, sizeof(*p));
	if (!p)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->n; i++) {
		p[i].key = d->keys[i];
		if (d->values)
			p[i].value = d->values[i];
	}
	qsort_r(p, d->n, sizeof(*p), pair_cmp, &d->key);
	for (uint32_t i = 0; i < d->n; i++) {
		d->keys[i] = p[i].key;
		if (d->values)
			d->values[i] = p[i].value;
	}
	free(p);
	for (uint32_t i = 1; i < d->n; i++)
		if (!atom_cmp(d->key, &d->keys[i - 1], &d->keys[i]))
			return -EPROTO; /* twice the same key */
	return 0;
}

static int parse_all(struct ovsdb_datum *d, const json_t *all)
{
	size_t i;
	json_t *e;

	if (!reserve(d, (uint32_t)json_array_size(all)))
		return -ENOMEM;
	json_array_foreach(all, i, e)
	{
		int r = parse_element(d, e);

		if (r)
			return r;
	}
	return sort(d);
}

int ovsdb_datum_parse(struct ovsdb_datum *d, const struct ovsdb_type *type, const json_t *json,
		      bool is_diff)
{
	const json_t *all = tagged(json, type->value ? "map" : "set");
	int r;

	ovsdb_datum_init(d, type->key, type->value);
	if (all)
		r = parse_all(d, all);
	else if (type->value)
		r = -EPROTO;
	else
		r = reserve(d, 1) ? parse_element(d, json) : -ENOMEM;
	/* The difference of a scalar or an optional value is the new value. */
	if (!r && (!is_diff || type->max == 1) && (d->n < type->min || d->n > type->max))
		r = -EPROTO;
	if (r)
		ovsdb_datum_done(d);
	return r;
}

static json_t *element_json(const struct ovsdb_datum *d, uint32_t i)
{
	json_t *key = atom_json(d->key, &d->keys[i]);

	if (!d->value)
		return key;
	return json_pack("[o, o]", key, atom_json(d->value, &d->values[i]));
}

json_t *ovsdb_datum_json(const struct ovsdb_datum *d)
{
	json_t *all;

	if (!d->value && d->n == 1)
		return element_json(d, 0);
	all = json_array();
	for (uint32_t i = 0; i < d->n; i++)
		if (json_array_append_new(all, element_json(d, i)) < 0) {
			json_decref(all);
			return NULL;
		}
	return json_pack("[s, o]", d->value ? "map" : "set", all);
}

/* --- differences
 * -------------------------------------------------------------------------------------- */

static bool append_from(struct ovsdb_datum *to, const struct ovsdb_datum *from, uint32_t i)
{
	return append(to, &from->keys[i], from->values ? &from->values[i] : NULL);
}

/* Both are sorted: one pass. */
static bool merge(struct ovsdb_datum *out, const struct ovsdb_datum *d,
		  const struct ovsdb_datum *diff)
{
	uint32_t i = 0, j = 0;

	while (i < d->n || j < diff->n) {
		int c = i == d->n      ? 1
			: j == diff->n ? -1
				       : atom_cmp(d->key, &d->keys[i], &diff->keys[j]);
		bool ok = true;

		if (c < 0) {
			ok = append_from(out, d, i++);
		} else if (c > 0) {
			ok = append_from(out, diff, j++);
		} else {
			/* In both: a set's element goes, a map's pair goes or gets the new value.
			 */
			if (d->value && atom_cmp(d->value, &d->values[i], &diff->values[j]))
				ok = append_from(out, diff, j);
			i++;
			j++;
		}
		if (!ok)
			return false;
	}
	return true;
}

bool ovsdb_datum_apply(struct ovsdb_datum *d, const struct ovsdb_type *type,
		       const struct ovsdb_datum *diff)
{
	struct ovsdb_datum out;
	bool ok;

	ovsdb_datum_init(&out, d->key, d->value);
	if (type->max == 1)
		ok = ovsdb_datum_copy(&out, diff);
	else
		ok = merge(&out, d, diff);
	if (!ok) {
		ovsdb_datum_done(&out);
		return false;
	}
	ovsdb_datum_done(d);
	*d = out;
	return true;
}
