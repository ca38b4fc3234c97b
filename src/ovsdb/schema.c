/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/schema.h"

#include <errno.h>
#include <string.h>

bool ovsdb_schema_is(const json_t *json, const char *name)
{
	const char *s = json_string_value(json_object_get(json, "name"));

	return s && !strcmp(s, name) && json_is_object(json_object_get(json, "tables"));
}

bool ovsdb_schema_table(const json_t *schema, const char *table)
{
	return json_object_get(json_object_get(schema, "tables"), table);
}

/* "string" or {"type": "string", ...}; OVSDB_VOID if it is neither. */
static uint8_t base_type(const json_t *json)
{
	static const char *const names[] = {
		[OVSDB_INTEGER] = "integer", [OVSDB_REAL] = "real", [OVSDB_BOOLEAN] = "boolean",
		[OVSDB_STRING] = "string",   [OVSDB_UUID] = "uuid",
	};
	const char *s =
		json_string_value(json_is_object(json) ? json_object_get(json, "type") : json);

	for (uint8_t i = OVSDB_INTEGER; s && i <= OVSDB_UUID; i++)
		if (!strcmp(s, names[i]))
			return i;
	return OVSDB_VOID;
}

static bool count(const json_t *json, uint32_t *n)
{
	const char *s = json_string_value(json);
	json_int_t v = json_integer_value(json);

	if (!json)
		return true; /* as it was */
	if (s && !strcmp(s, "unlimited")) {
		*n = OVSDB_UNLIMITED;
		return true;
	}
	if (!json_is_integer(json) || v < 0 || v >= OVSDB_UNLIMITED)
		return false;
	*n = (uint32_t)v;
	return true;
}

static bool parse_type(const json_t *json, struct ovsdb_type *t)
{
	const json_t *value = json_object_get(json, "value");

	*t = (struct ovsdb_type){.min = 1, .max = 1};
	if (!json_is_object(json)) {
		t->key = base_type(json);
		return t->key;
	}
	t->key = base_type(json_object_get(json, "key"));
	t->value = value ? base_type(value) : OVSDB_VOID;
	if (!t->key || (value && !t->value))
		return false;
	return count(json_object_get(json, "min"), &t->min) &&
	       count(json_object_get(json, "max"), &t->max) && t->min <= 1 && t->max >= 1;
}

int ovsdb_schema_column(const json_t *schema, const char *table, const char *column,
			struct ovsdb_type *type)
{
	const json_t *t = json_object_get(json_object_get(schema, "tables"), table);
	const json_t *c = json_object_get(json_object_get(t, "columns"), column);

	if (!c)
		return 0;
	return parse_type(json_object_get(c, "type"), type) ? 1 : -EPROTO;
}
