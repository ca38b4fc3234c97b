/* SPDX-License-Identifier: Apache-2.0 */
/* The three forms of updates with their rules of difference, and values; inputs are ovs.md's. */
#include "ovsdb/update.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ovsdb/schema.h"
#include "ovsdb/testing.h"

#define ROOT   "c8704653-5fd6-4029-ac3e-05bdd9bb51e7"
#define BR1    "77b6233c-baa1-4fce-8a3e-05bdd9bb51e7"
#define PORT1  "31770000-0000-0000-0000-000000000001"
#define PORT2  "d2570000-0000-0000-0000-000000000002"
#define IFACE1 "83420000-0000-0000-0000-000000000003"
#define IFACE2 "83420000-0000-0000-0000-000000000004"

static struct ovsdb_cache *cache;
static char why[200];

static int begin(void **state)
{
	json_t *schema = json_loads(test_schema, 0, NULL);

	(void)state;
	assert_non_null(schema);
	cache = ovsdb_cache_new(&test_db, (struct hash_key){1, 2});
	ovsdb_cache_set_schema(cache, schema);
	json_decref(schema);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	ovsdb_cache_free(cache);
	return 0;
}

static int update(enum ovsdb_form form, bool is_snapshot, const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	int r;

	if (!json)
		fail_msg("no JSON: %s", text);
	why[0] = 0;
	r = ovsdb_update(cache, form, is_snapshot, json, why, sizeof(why));
	json_decref(json);
	return r;
}

static void good(enum ovsdb_form form, bool is_snapshot, const char *text)
{
	if (update(form, is_snapshot, text))
		fail_msg("%s: %s", text, why);
}

static const struct ovsdb_row *row(size_t table, const char *uuid)
{
	struct uuid u;

	assert_true(uuid_parse(&u, uuid));
	return ovsdb_table_find(&cache->t[table], &u);
}

/* The column as JSON. */
static void expect(size_t table, const char *uuid, size_t column, const char *text)
{
	json_t *want = json_loads(text, JSON_DECODE_ANY, NULL), *have;

	assert_non_null(row(table, uuid));
	have = ovsdb_datum_json(&row(table, uuid)->d[column]);
	if (!json_equal(want, have))
		fail_msg("%s is not %s", json_dumps(have, JSON_ENCODE_ANY), text);
	json_decref(want);
	json_decref(have);
}

static size_t count(size_t table)
{
	size_t n = 0;

	ovsdb_table_for_each(r, &cache->t[table]) n++;
	assert_int_equal(n, cache->t[table].rows.n);
	return n;
}

/* Columns that are not named have their defaults, in the captured "initial":{} all of them. (S9) */
static void defaults(void **state)
{
	(void)state;
	good(OVSDB_FORM_2, true, "{\"Open_vSwitch\":{\"" ROOT "\":{\"initial\":{}}}}");
	good(OVSDB_FORM_2, false,
	     "{\"Bridge\":{\"" BR1 "\":{\"insert\":{}}},\"Port\":{\"" PORT1 "\":{\"insert\":{}}},"
	     "\"Interface\":{\"" IFACE1 "\":{\"insert\":{}}}}");
	expect(T_ROOT, ROOT, ROOT_BRIDGES, "[\"set\",[]]");
	expect(T_ROOT, ROOT, ROOT_CUR_CFG, "0");
	expect(T_ROOT, ROOT, ROOT_OTHER_CONFIG, "[\"map\",[]]");
	expect(T_BRIDGE, BR1, BRIDGE_NAME, "\"\"");
	expect(T_BRIDGE, BR1, BRIDGE_FAIL_MODE, "[\"set\",[]]");
	expect(T_BRIDGE, BR1, BRIDGE_STP_ENABLE, "false");
	expect(T_PORT, PORT1, PORT_INTERFACES,
	       "[\"uuid\",\"00000000-0000-0000-0000-000000000000\"]");
	/* Absent columns are empty, of the wanted type. */
	expect(T_IFACE, IFACE1, IFACE_NOT_THERE, "[\"set\",[]]");
	expect(T_IFACE, IFACE1, IFACE_OTHER_TYPE, "[\"set\",[]]");
	assert_false(ovsdb_table_has(&cache->t[T_IFACE], IFACE_NOT_THERE));
	assert_false(ovsdb_table_has(&cache->t[T_IFACE], IFACE_OTHER_TYPE));
	assert_true(ovsdb_table_has(&cache->t[T_IFACE], IFACE_OFPORT));
	assert_int_equal(ovsdb_row_integer(row(T_IFACE, IFACE1), IFACE_NOT_THERE, -7), -7);
	assert_int_equal(ovsdb_row_integer(row(T_IFACE, IFACE1), IFACE_OFPORT, -7), -7);
	assert_int_equal(ovsdb_row_integer(row(T_ROOT, ROOT), ROOT_CUR_CFG, -7), 0);
	assert_string_equal(ovsdb_row_string(row(T_BRIDGE, BR1), BRIDGE_FAIL_MODE), "");
	assert_true(ovsdb_row_boolean(row(T_BRIDGE, BR1), BRIDGE_STP_ENABLE, true) == false);
	assert_null(ovsdb_row_get(row(T_IFACE, IFACE1), IFACE_OPTIONS, "key"));
	assert_null(ovsdb_row_ref(row(T_PORT, PORT1), PORT_INTERFACES, 0, &cache->t[T_IFACE]));
	assert_null(ovsdb_row_ref(row(T_PORT, PORT1), PORT_INTERFACES, 1, &cache->t[T_IFACE]));
}

/* The captured update3 of ovs.md 1.4: a VXLAN port is added. */
static void vxlan_port(void **state)
{
	const struct ovsdb_row *iface, *port;
	unsigned seq;

	(void)state;
	good(OVSDB_FORM_2, true, "{\"Bridge\":{\"" BR1 "\":{\"initial\":{\"name\":\"br1\"}}}}");
	seq = cache->seq;
	good(OVSDB_FORM_2, false,
	     "{\"Bridge\":{\"" BR1 "\":{\"modify\":{\"ports\":[\"uuid\",\"" PORT1 "\"]}}},"
	     "\"Interface\":{\"" IFACE1
	     "\":{\"insert\":{\"name\":\"vx1\",\"options\":[\"map\",[[\"key\","
	     "\"100\"],[\"remote_ip\",\"10.1.1.2\"]]],\"type\":\"vxlan\"}}},"
	     "\"Port\":{\"" PORT1 "\":{\"insert\":{\"interfaces\":[\"uuid\",\"" IFACE1
	     "\"],\"name\":\"vx1\"}}}}");
	assert_int_equal(cache->seq, seq + 1);
	port = ovsdb_row_ref(row(T_BRIDGE, BR1), BRIDGE_PORTS, 0, &cache->t[T_PORT]);
	assert_non_null(port);
	assert_string_equal(ovsdb_row_string(port, PORT_NAME), "vx1");
	iface = ovsdb_row_ref(port, PORT_INTERFACES, 0, &cache->t[T_IFACE]);
	assert_non_null(iface);
	assert_string_equal(ovsdb_row_string(iface, IFACE_TYPE), "vxlan");
	assert_string_equal(ovsdb_row_get(iface, IFACE_OPTIONS, "key"), "100");
	assert_string_equal(ovsdb_row_get(iface, IFACE_OPTIONS, "remote_ip"), "10.1.1.2");
	assert_null(ovsdb_row_get(iface, IFACE_OPTIONS, "local_ip"));
	assert_int_equal(iface->seq, cache->seq);
	/* It goes: weak references and what hung on them, as extra rows with null. */
	good(OVSDB_FORM_2, false,
	     "{\"Bridge\":{\"" BR1 "\":{\"modify\":{\"ports\":[\"uuid\",\"" PORT1 "\"]}}},"
	     "\"Interface\":{\"" IFACE1 "\":{\"delete\":null}},\"Port\":{\"" PORT1
	     "\":{\"delete\":null}}}");
	expect(T_BRIDGE, BR1, BRIDGE_PORTS, "[\"set\",[]]");
	assert_int_equal(count(T_IFACE) + count(T_PORT), 0);
	good(OVSDB_FORM_2, false, "{\"Port\":{\"" PORT1 "\":{\"delete\":null}}}"); /* already */
}

/* Column, value, difference, value then: 1.4's rules. (S8) */
static void differences(void **state)
{
	static const struct {
		size_t table, column;
		const char *name, *before, *diff, *after;
	} rows[] = {
		/* sets: what is in both goes, what is in one stays */
		{T_BRIDGE, BRIDGE_PORTS, "ports", "[\"set\",[]]", "[\"uuid\",\"" PORT1 "\"]",
		 "[\"uuid\",\"" PORT1 "\"]"},
		{T_BRIDGE, BRIDGE_PORTS, "ports", "[\"uuid\",\"" PORT1 "\"]",
		 "[\"uuid\",\"" PORT1 "\"]", "[\"set\",[]]"},
		{T_BRIDGE, BRIDGE_PORTS, "ports", "[\"uuid\",\"" PORT1 "\"]",
		 "[\"set\",[[\"uuid\",\"" PORT1 "\"],[\"uuid\",\"" PORT2 "\"]]]",
		 "[\"uuid\",\"" PORT2 "\"]"},
		{T_BRIDGE, BRIDGE_FLOOD_VLANS, "flood_vlans", "[\"set\",[1,3,5]]",
		 "[\"set\",[5,4,1]]", "[\"set\",[3,4]]"},
		{T_BRIDGE, BRIDGE_FLOOD_VLANS, "flood_vlans", "[\"set\",[2]]", "7",
		 "[\"set\",[2,7]]"},
		{T_BRIDGE, BRIDGE_FLOOD_VLANS, "flood_vlans", "[\"set\",[2]]", "[\"set\",[]]", "2"},
		/* a set of at least one: the difference may be of none to many */
		{T_PORT, PORT_INTERFACES, "interfaces", "[\"uuid\",\"" IFACE1 "\"]",
		 "[\"set\",[[\"uuid\",\"" IFACE1 "\"],[\"uuid\",\"" IFACE2 "\"]]]",
		 "[\"uuid\",\"" IFACE2 "\"]"},
		/* maps: {foo:bar,foo2:bar2} to {foo2:x}, then foo2 deleted, as captured */
		{T_ROOT, ROOT_OTHER_CONFIG, "other_config",
		 "[\"map\",[[\"foo\",\"bar\"],[\"foo2\",\"bar2\"]]]",
		 "[\"map\",[[\"foo\",\"bar\"],[\"foo2\",\"x\"]]]", "[\"map\",[[\"foo2\",\"x\"]]]"},
		{T_ROOT, ROOT_OTHER_CONFIG, "other_config", "[\"map\",[[\"foo2\",\"x\"]]]",
		 "[\"map\",[[\"foo2\",\"x\"]]]", "[\"map\",[]]"},
		{T_ROOT, ROOT_OTHER_CONFIG, "other_config", "[\"map\",[[\"b\",\"2\"]]]",
		 "[\"map\",[[\"c\",\"3\"],[\"a\",\"1\"]]]",
		 "[\"map\",[[\"a\",\"1\"],[\"b\",\"2\"],[\"c\",\"3\"]]]"},
		{T_IFACE, IFACE_STATISTICS, "statistics", "[\"map\",[[\"rx\",1],[\"tx\",0]]]",
		 "[\"map\",[[\"rx\",2],[\"tx\",0]]]", "[\"map\",[[\"rx\",2]]]"},
		/* scalars and optional scalars: the new value itself */
		{T_IFACE, IFACE_OFPORT, "ofport", "5", "5", "5"},
		{T_IFACE, IFACE_OFPORT, "ofport", "5", "[\"set\",[]]", "[\"set\",[]]"},
		{T_IFACE, IFACE_OFPORT, "ofport", "5", "[\"set\",[-1]]", "-1"},
		{T_IFACE, IFACE_OFPORT, "ofport", "[\"set\",[]]", "65534", "65534"},
		{T_IFACE, IFACE_TYPE, "type", "\"vxlan\"", "\"\"", "\"\""},
		{T_ROOT, ROOT_CUR_CFG, "cur_cfg", "9223372036854775807", "-9223372036854775808",
		 "-9223372036854775808"},
		{T_BRIDGE, BRIDGE_STP_ENABLE, "stp_enable", "false", "true", "true"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *table = test_tables[rows[i].table].name;
		char text[500];

		begin(state);
		snprintf(text, sizeof(text), "{\"%s\":{\"" BR1 "\":{\"insert\":{\"%s\":%s}}}}",
			 table, rows[i].name, rows[i].before);
		good(OVSDB_FORM_2, false, text);
		expect(rows[i].table, BR1, rows[i].column,
		       rows[i].before[1] == '"' && strstr(rows[i].before, "[2]") ? "2"
										 : rows[i].before);
		snprintf(text, sizeof(text), "{\"%s\":{\"" BR1 "\":{\"modify\":{\"%s\":%s}}}}",
			 table, rows[i].name, rows[i].diff);
		good(OVSDB_FORM_2, false, text);
		expect(rows[i].table, BR1, rows[i].column, rows[i].after);
		finish(state);
	}
}

/* Form 1: new has all columns, old those that changed. */
static void form_1(void **state)
{
	(void)state;
	good(OVSDB_FORM_1, true,
	     "{\"Interface\":{\"" IFACE1 "\":{\"new\":{\"name\":\"vx1\",\"type\":\"vxlan\","
	     "\"options\":[\"map\",[[\"a\",\"1\"],[\"b\",\"2\"]]],\"ofport\":[\"set\",[]]}}}}");
	expect(T_IFACE, IFACE1, IFACE_OFPORT, "[\"set\",[]]");
	good(OVSDB_FORM_1, false,
	     "{\"Interface\":{\"" IFACE1
	     "\":{\"old\":{\"ofport\":[\"set\",[]],\"options\":[\"map\",[["
	     "\"a\",\"1\"],[\"b\",\"2\"]]]},\"new\":{\"name\":\"vx1\",\"type\":\"vxlan\","
	     "\"ofport\":3,"
	     "\"options\":[\"map\",[[\"a\",\"1\"]]]}}}}");
	expect(T_IFACE, IFACE1, IFACE_OFPORT, "3");
	/* No difference: in form 2 this would take the pair away. */
	expect(T_IFACE, IFACE1, IFACE_OPTIONS, "[\"map\",[[\"a\",\"1\"]]]");
	good(OVSDB_FORM_1, false, "{\"Interface\":{\"" IFACE2 "\":{\"new\":{\"name\":\"vx2\"}}}}");
	assert_int_equal(count(T_IFACE), 2);
	good(OVSDB_FORM_1, false,
	     "{\"Interface\":{\"" IFACE1 "\":{\"old\":{\"name\":\"vx1\",\"ofport\":3}}}}");
	assert_int_equal(count(T_IFACE), 1);
	assert_null(row(T_IFACE, IFACE1));
}

/* A snapshot replaces everything, and what is as before is no news. */
static void snapshots(void **state)
{
	static const char two[] =
		"{\"Interface\":{\"" IFACE1 "\":{\"initial\":{\"name\":\"a\"}},\"" IFACE2
		"\":{\"initial\":{\"name\":\"b\",\"ofport\":2}}}}";
	const struct ovsdb_row *kept;
	unsigned seq, row_seq;

	(void)state;
	good(OVSDB_FORM_2, true, two);
	seq = cache->seq;
	kept = row(T_IFACE, IFACE1);
	row_seq = kept->seq;
	good(OVSDB_FORM_2, true, two);
	assert_int_equal(cache->seq, seq);
	good(OVSDB_FORM_2, true,
	     "{\"Interface\":{\"" IFACE1 "\":{\"initial\":{\"name\":\"a\"}},\"" IFACE2
	     "\":{\"initial\":{\"name\":\"b\"}}}}");
	assert_int_equal(cache->seq, seq); /* ofport is no news, but gone */
	expect(T_IFACE, IFACE2, IFACE_OFPORT, "[\"set\",[]]");
	good(OVSDB_FORM_2, true, "{\"Interface\":{\"" IFACE1 "\":{\"initial\":{\"name\":\"a\"}}}}");
	assert_int_equal(cache->seq, seq + 1);
	assert_int_equal(count(T_IFACE), 1);
	assert_ptr_equal(row(T_IFACE, IFACE1), kept);
	assert_int_equal(kept->seq, row_seq);
	good(OVSDB_FORM_1, true, "{}");
	assert_int_equal(count(T_IFACE), 0);
}

static void news(void **state)
{
	unsigned seq;

	(void)state;
	good(OVSDB_FORM_2, false, "{\"Interface\":{\"" IFACE1 "\":{\"insert\":{\"name\":\"a\"}}}}");
	seq = cache->seq;
	good(OVSDB_FORM_2, false,
	     "{\"Interface\":{\"" IFACE1
	     "\":{\"modify\":{\"ofport\":4,\"statistics\":[\"map\",[[\"x\",1]]"
	     "]}}}}");
	expect(T_IFACE, IFACE1, IFACE_OFPORT, "4");
	assert_int_equal(cache->seq, seq);
	good(OVSDB_FORM_2, false, "{\"Interface\":{\"" IFACE1 "\":{\"modify\":{\"type\":\"\"}}}}");
	assert_int_equal(cache->seq, seq); /* as it was */
	good(OVSDB_FORM_2, false, "{\"Interface\":{\"" IFACE1 "\":{\"modify\":{\"type\":\"x\"}}}}");
	assert_int_equal(cache->seq, seq + 1);
	assert_int_equal(cache->t[T_IFACE].seq, seq + 1);
	assert_int_not_equal(cache->t[T_BRIDGE].seq, seq + 1);
	good(OVSDB_FORM_2, false, "{\"Interface\":{\"" IFACE1 "\":{\"delete\":null}}}");
	assert_int_equal(cache->seq, seq + 2);
}

/* Each is refused whole: the good row before it is not taken in. */
static void refused(void **state)
{
#define BAD(column, value) "{\"modify\":{\"" column "\":" value "}}"
	static const struct {
		const char *row, *why;
	} rows[] = {
		{BAD("ofport", "\"x\""), "column ofport has a bad value"},
		{BAD("ofport", "1.5"), "bad value"},
		{BAD("ofport", "null"), "bad value"},
		{BAD("ofport", "[\"set\",[1,2]]"), "bad value"},
		{BAD("ofport", "[\"set\",1]"), "bad value"},
		{BAD("ofport", "[\"set\"]"), "bad value"},
		{BAD("ofport", "[\"map\",[]]"), "bad value"},
		{BAD("ofport", "[]"), "bad value"},
		{BAD("type", "[\"set\",[]]"), "bad value"},
		{BAD("type", "[\"uuid\",\"" ROOT "\"]"), "bad value"},
		{BAD("options", "[\"set\",[]]"), "bad value"},
		{BAD("options", "\"x\""), "bad value"},
		{BAD("options", "[\"map\",[[\"a\"]]]"), "bad value"},
		{BAD("options", "[\"map\",[[\"a\",1]]]"), "bad value"},
		{BAD("options", "[\"map\",[[\"b\",\"1\"],[\"a\",\"1\"],[\"b\",\"2\"]]]"),
		 "bad value"},
		{"{}", "not exactly one operation"},
		{"{\"modify\":{},\"delete\":null}", "not exactly one operation"},
		{"{\"odd\":{}}", "an unknown operation"},
		{"{\"modify\":1}", "no columns"},
		{"{\"insert\":[]}", "no columns"},
		{"[]", "not a uuid and an object"},
	};
	char text[500];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin(state);
		good(OVSDB_FORM_2, true, "{\"Interface\":{\"" IFACE1 "\":{\"initial\":{}}}}");
		snprintf(text, sizeof(text),
			 "{\"Bridge\":{\"" BR1 "\":{\"insert\":{}}},\"Interface\":{\"" IFACE1
			 "\":%s}}",
			 rows[i].row);
		if (update(OVSDB_FORM_2, false, text) != -EPROTO || !strstr(why, rows[i].why))
			fail_msg("%s: \"%s\"", text, why);
		assert_int_equal(count(T_BRIDGE), 0);
		finish(state);
	}
	begin(state);
	assert_int_equal(update(OVSDB_FORM_2, false, "{\"Interface\":{\"x\":{\"delete\":null}}}"),
			 -EPROTO);
	assert_int_equal(update(OVSDB_FORM_2, false, "{\"Interface\":[]}"), -EPROTO);
	assert_int_equal(update(OVSDB_FORM_2, false, "[]"), -EPROTO);
	assert_int_equal(update(OVSDB_FORM_1, false, "{\"Interface\":{\"" IFACE1 "\":{}}}"),
			 -EPROTO);
	assert_int_equal(
		update(OVSDB_FORM_2, false, "{\"Interface\":{\"" IFACE1 "\":{\"modify\":{}}}}"),
		-EPROTO);
	assert_non_null(strstr(why, "a difference to a row that is not there"));
	/* Others' tables and columns are nobody's business. */
	good(OVSDB_FORM_2, false,
	     "{\"QoS\":5,\"Interface\":{\"" IFACE1
	     "\":{\"insert\":{\"odd\":{},\"external_ids\":1}}}}");
	/* One row in two spellings: gone by the time of the difference. */
	good(OVSDB_FORM_2, true, "{\"Port\":{\"" PORT2 "\":{\"initial\":{}}}}");
	good(OVSDB_FORM_2, false,
	     "{\"Port\":{\"" PORT2 "\":{\"delete\":null},\"D2570000-0000-0000-0000-000000000002\":"
	     "{\"modify\":{\"tag\":1}}}}");
	assert_int_equal(count(T_PORT), 0);
	finish(state);
}

/* In by one order, out by another; bare and wrapped. */
static void values(void **state)
{
	static const struct ovsdb_type reals = {OVSDB_REAL, OVSDB_VOID, 0, OVSDB_UNLIMITED};
	static const struct ovsdb_type flags = {OVSDB_BOOLEAN, OVSDB_UUID, 0, 2};
	static const struct {
		const struct ovsdb_type *type;
		const char *in, *out;
		int r;
	} rows[] = {
		{&reals, "[\"set\",[2.5,1,-3]]", "[\"set\",[-3.0,1.0,2.5]]", 0},
		{&reals, "7", "7.0", 0},
		{&reals, "[\"set\",[1,1.0]]", NULL, -EPROTO},
		{&flags,
		 "[\"map\",[[true,[\"uuid\",\"" BR1 "\"]],[false,[\"uuid\",\"" ROOT "\"]]]]",
		 "[\"map\",[[false,[\"uuid\",\"" ROOT "\"]],[true,[\"uuid\",\"" BR1 "\"]]]]", 0},
		{&flags, "[\"map\",[[true,[\"named-uuid\",\"x\"]]]]", NULL, -EPROTO},
		{&flags, "[\"map\",[[true,[\"uuid\",\"77b6233c-baa1-4fce-8a3e05bdd9bb51e7--\"]]]]",
		 NULL, -EPROTO},
		{&flags, "[\"map\",[[1,[\"uuid\",\"" BR1 "\"]]]]", NULL, -EPROTO},
	};
	struct ovsdb_datum d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *in = json_loads(rows[i].in, JSON_DECODE_ANY, NULL), *out, *want;

		assert_int_equal(ovsdb_datum_parse(&d, rows[i].type, in, false), rows[i].r);
		json_decref(in);
		if (rows[i].r)
			continue;
		out = ovsdb_datum_json(&d);
		want = json_loads(rows[i].out, JSON_DECODE_ANY, NULL);
		assert_true(json_equal(out, want));
		json_decref(out);
		json_decref(want);
		ovsdb_datum_done(&d);
	}
	/* Building: in order, once each, and what is not UTF-8 mended. */
	ovsdb_datum_init(&d, OVSDB_STRING, OVSDB_STRING);
	assert_true(ovsdb_datum_put_pair(&d, "b", "1") && ovsdb_datum_put_pair(&d, "a", "2") &&
		    ovsdb_datum_put_pair(&d, "b", "3") && ovsdb_datum_put_pair(&d, "\xff", "\xfe"));
	assert_int_equal(d.n, 3);
	assert_string_equal(d.keys[0].string, "?");
	assert_string_equal(d.values[0].string, "?");
	assert_string_equal(d.values[1].string, "2");
	assert_string_equal(d.values[2].string, "3");
	ovsdb_datum_done(&d);
}

static void schema_types(void **state)
{
	static const struct {
		const char *type;
		int r;
		struct ovsdb_type want;
	} rows[] = {
		{"\"integer\"", 1, {OVSDB_INTEGER, OVSDB_VOID, 1, 1}},
		{"{\"key\":\"uuid\"}", 1, {OVSDB_UUID, OVSDB_VOID, 1, 1}},
		{"{\"key\":{\"type\":\"real\"},\"value\":\"boolean\",\"min\":0,\"max\":7}",
		 1,
		 {OVSDB_REAL, OVSDB_BOOLEAN, 0, 7}},
		{"\"float\"", -EPROTO, {0}},
		{"{\"key\":\"string\",\"max\":0}", -EPROTO, {0}},
		{"{\"key\":\"string\",\"min\":2,\"max\":7}", -EPROTO, {0}},
		{"{\"key\":\"string\",\"max\":\"many\"}", -EPROTO, {0}},
		{"{\"key\":\"string\",\"value\":{}}", -EPROTO, {0}},
		{"{}", -EPROTO, {0}},
		{"7", -EPROTO, {0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ovsdb_type t = {0};
		char text[300];
		json_t *schema;

		snprintf(text, sizeof(text),
			 "{\"name\":\"X\",\"tables\":{\"T\":{\"columns\":{\"c\":{\"type\":%s}}}}}",
			 rows[i].type);
		schema = json_loads(text, 0, NULL);
		assert_true(ovsdb_schema_is(schema, "X"));
		assert_false(ovsdb_schema_is(schema, "Y"));
		assert_int_equal(ovsdb_schema_column(schema, "T", "c", &t), rows[i].r);
		assert_int_equal(ovsdb_schema_column(schema, "T", "d", &t), 0);
		assert_int_equal(ovsdb_schema_column(schema, "U", "c", &t), 0);
		if (rows[i].r == 1 && (t.key != rows[i].want.key || t.value != rows[i].want.value ||
				       t.min != rows[i].want.min || t.max != rows[i].want.max))
			fail_msg("%s", rows[i].type);
		json_decref(schema);
	}
}

/* Only what the server has is asked for. (S12) */
static void request(void **state)
{
	json_t *schema =
		json_loads("{\"name\":\"Open_vSwitch\",\"tables\":{\"Port\":{\"columns\":{\"name\":"
			   "{\"type\":\"string\"},\"tag\":{\"type\":\"string\"}}}}}",
			   0, NULL);
	json_t *want = json_loads("{\"Port\":[{\"columns\":[\"name\"]}]}", 0, NULL), *have;

	(void)state;
	ovsdb_cache_set_schema(cache, schema);
	have = ovsdb_cache_request(cache);
	assert_true(json_equal(have, want));
	json_decref(schema);
	json_decref(have);
	json_decref(want);
}

/* More rows than the map's first sizes. */
static void many_rows(void **state)
{
	struct ovsdb_table *t = &cache->t[T_PORT];
	struct uuid u = {{0}};

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		memcpy(u.b + 4, &i, sizeof(i));
		assert_true(ovsdb_table_add(t, ovsdb_row_new(t, &u)));
	}
	for (uint32_t i = 0; i < 5000; i += 2) {
		memcpy(u.b + 4, &i, sizeof(i));
		ovsdb_table_remove(t, ovsdb_table_find(t, &u));
	}
	for (uint32_t i = 0; i < 5000; i++) {
		memcpy(u.b + 4, &i, sizeof(i));
		assert_int_equal(!!ovsdb_table_find(t, &u), i % 2);
	}
	assert_int_equal(count(T_PORT), 2500);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)
	const struct CMUnitTest tests[] = {
		TEST(defaults),
		TEST(vxlan_port),
		cmocka_unit_test(differences),
		TEST(form_1),
		TEST(snapshots),
		TEST(news),
		cmocka_unit_test(refused),
		TEST(request),
		TEST(many_rows),
		cmocka_unit_test(values),
		cmocka_unit_test(schema_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
