/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client against a server that a script plays: the captured session, servers that refuse what
 * is newer than they are, databases that come and go, the lock, transactions.
 */
#include "ovsdb/idl.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "ovsdb/testing.h"
#include "rpc/jsonrpc.h"

#define ROOT	   "c8704653-5fd6-4029-ac3e-05bdd9bb51e7"
#define BR1	   "77b6233c-baa1-4fce-8a3e-05bdd9bb51e7"
#define IFACE1	   "83420000-0000-0000-0000-000000000003"
#define ZERO	   "00000000-0000-0000-0000-000000000000"
#define SERVER_ROW "7b380000-0000-0000-0000-000000000007"

static const char server_schema[] =
	"{\"name\":\"_Server\",\"version\":\"1.2.0\",\"tables\":{\"Database\":{\"columns\":{"
	"\"name\":{\"type\":\"string\"},\"model\":{\"type\":\"string\"},"
	"\"connected\":{\"type\":\"boolean\"},\"leader\":{\"type\":\"boolean\"},"
	"\"schema\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":1}},"
	"\"cid\":{\"type\":{\"key\":\"uuid\",\"min\":0,\"max\":1}}}}}}";

static char dir[] = "/tmp/vxidl.XXXXXX";
static struct ovsdb_idl *idl;
static struct jsonrpc *srv;
static struct jsonrpc_msg req; /* the last that expect() took */
static json_t *lock_id;
static int listener;
static uint64_t now;

static void make_idl(const char *lock)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct ovsdb_idl_config cfg = {
		.remote = "unix:db.sock", .rundir = dir, .lock = lock, .db = &test_db};
	char why[200];

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/db.sock", dir);
	unlink(sun.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(listener, 4), 0);
	if (ovsdb_idl_create(&idl, &cfg, why, sizeof(why)))
		fail_msg("%s", why);
}

static int begin(void **state)
{
	(void)state;
	now += 1000 * NS_PER_S;
	make_idl("ovs_vswitchd");
	return 0;
}

static int finish(void **state)
{
	char path[100];

	(void)state;
	ovsdb_idl_destroy(idl);
	jsonrpc_msg_done(&req);
	json_decref(lock_id);
	lock_id = NULL;
	jsonrpc_free(srv);
	srv = NULL;
	close(listener);
	snprintf(path, sizeof(path), "%s/db.sock", dir);
	unlink(path);
	return 0;
}

/* Runs the client until there is nothing to do. */
static void run(void)
{
	for (int i = 0; i < 100; i++) {
		struct pollfd p = {.fd = ovsdb_idl_fd(idl), .events = POLLIN};
		uint64_t deadline = UINT64_MAX;

		ovsdb_idl_wait(idl, &deadline);
		if (deadline > now && poll(&p, 1, 0) != 1)
			return;
		ovsdb_idl_run(idl, now);
	}
	fail_msg("it never comes to rest");
}

static void accept_idl(void)
{
	int fd;

	run();
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd >= 0);
	jsonrpc_free(srv);
	srv = jsonrpc_new(fd);
}

/* The next request is this one, with these params (NULL: any). */
static void expect(const char *method, const char *params)
{
	jsonrpc_msg_done(&req);
	run();
	if (jsonrpc_recv(srv, &req) != 1)
		fail_msg("no %s came: %s", method, ovsdb_idl_why(idl));
	assert_int_equal(req.kind, JSONRPC_REQUEST);
	assert_string_equal(req.method, method);
	if (params) {
		json_t *want = json_loads(params, 0, NULL);

		assert_non_null(want);
		if (!json_equal(want, req.params))
			fail_msg("%s %s", method, json_dumps(req.params, 0));
		json_decref(want);
	}
}

static void expect_silence(void)
{
	struct jsonrpc_msg m;

	run();
	if (jsonrpc_recv(srv, &m) == 1)
		fail_msg("%s", json_dumps(m.json, 0));
}

static json_t *parse(const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

	if (!json)
		fail_msg("no JSON: %s", text);
	return json;
}

static void answer_id(json_t *id, const char *text)
{
	assert_int_equal(jsonrpc_send(srv, jsonrpc_reply(json_incref(id), parse(text))), 0);
	run();
}

static void answer(const char *text)
{
	answer_id(req.id, text);
}

/* As ovsdb-server 3.1 does it: without a result. */
static void refuse(const char *error)
{
	assert_int_equal(
		jsonrpc_send(srv, json_pack("{s:O, s:o}", "id", req.id, "error", parse(error))), 0);
	run();
}

static void notify(const char *method, const char *params)
{
	assert_int_equal(jsonrpc_send(srv, jsonrpc_notify(method, parse(params))), 0);
	run();
}

static void expect_hello(void)
{
	struct jsonrpc_msg hello;

	expect("get_schema", "[\"_Server\"]");
	hello = req;
	req = (struct jsonrpc_msg){0};
	expect("lock", "[\"ovs_vswitchd\"]");
	json_decref(lock_id);
	lock_id = json_incref(req.id);
	jsonrpc_msg_done(&req);
	req = hello;
}

/* {SERVER_ROW: {op: {the database with this schema}}} as text; to be freed. */
static char *server_rows(const char *op, const char *schema, const char *more)
{
	json_t *s = json_string(schema);
	char *quoted = json_dumps(s, JSON_ENCODE_ANY), *text = malloc(strlen(quoted) + 500);

	sprintf(text,
		"{\"Database\":{\"" SERVER_ROW "\":{\"%s\":{\"name\":\"Open_vSwitch\",\"model\":"
		"\"standalone\",\"connected\":true,\"leader\":true,\"schema\":%s%s}}}}",
		op, quoted, more);
	json_decref(s);
	free(quoted);
	return text;
}

/* Until the data is asked for with monitor_cond_since. */
static void to_data(const char *schema)
{
	char *text;

	accept_idl();
	expect_hello();
	answer(server_schema);
	expect("monitor_cond",
	       "[\"_Server\",[\"monid\",\"_Server\"],{\"Database\":[{\"columns\":[\"name\","
	       "\"model\",\"connected\",\"leader\",\"schema\",\"cid\"]}]}]");
	text = server_rows("initial", schema, "");
	answer(text);
	free(text);
	expect("set_db_change_aware", "[true]");
	answer("{}");
	expect("monitor_cond_since", NULL);
}

#define INITIAL                                                                                    \
	"{\"Open_vSwitch\":{\"" ROOT "\":{\"initial\":{}}},\"Interface\":{\"" IFACE1               \
	"\":{\"initial\":{\"name\":\"vx1\",\"status\":[\"map\",[[\"a\",\"1\"]]]}}}}"

static void to_live(void)
{
	to_data(test_schema);
	answer("[false,\"" ZERO "\"," INITIAL "]");
	assert_true(ovsdb_idl_is_live(idl));
	answer_id(lock_id, "{\"locked\":true}");
	assert_true(ovsdb_idl_has_lock(idl));
}

static const struct ovsdb_row *first(size_t table)
{
	return ovsdb_table_first(ovsdb_idl_table(idl, table));
}

/* --- sessions
 * ----------------------------------------------------------------------------------------- */

static const char all_columns[] =
	"{\"Open_vSwitch\":[{\"columns\":[\"bridges\",\"cur_cfg\",\"next_cfg\",\"iface_types\","
	"\"other_config\"]}],\"Bridge\":[{\"columns\":[\"name\",\"ports\",\"datapath_id\",\"fail_"
	"mode\","
	"\"stp_enable\",\"flood_vlans\"]}],\"Port\":[{\"columns\":[\"name\",\"interfaces\",\"tag\"]"
	"}],"
	"\"Interface\":[{\"columns\":[\"name\",\"type\",\"options\",\"ofport\",\"error\","
	"\"statistics\","
	"\"status\",\"mac_in_use\"]}]}";

static void captured_session(void **state)
{
	char text[1000];
	unsigned seqno;
	json_t *want;

	(void)state;
	to_data(test_schema);
	snprintf(text, sizeof(text),
		 "[\"Open_vSwitch\",[\"monid\",\"Open_vSwitch\"],%s,\"" ZERO "\"]", all_columns);
	want = parse(text);
	assert_true(json_equal(req.params, want));
	json_decref(want);
	assert_false(ovsdb_idl_is_live(idl));
	assert_int_equal(ovsdb_idl_snapshots(idl), 0);
	assert_null(first(T_ROOT));
	seqno = ovsdb_idl_seqno(idl);
	answer("[false,\"" ZERO "\",{\"Open_vSwitch\":{\"" ROOT "\":{\"initial\":{}}}}]");
	assert_true(ovsdb_idl_is_live(idl));
	assert_int_equal(ovsdb_idl_snapshots(idl), 1);
	assert_int_not_equal(ovsdb_idl_seqno(idl), seqno);
	assert_non_null(first(T_ROOT));
	assert_false(ovsdb_idl_has_lock(idl));
	assert_false(ovsdb_idl_is_lock_contended(idl));
	seqno = ovsdb_idl_seqno(idl);
	answer_id(lock_id, "{\"locked\":true}");
	assert_true(ovsdb_idl_has_lock(idl));
	assert_int_not_equal(ovsdb_idl_seqno(idl), seqno);
	seqno = ovsdb_idl_seqno(idl);
	notify("update3", "[[\"monid\",\"Open_vSwitch\"],\"" ZERO "\",{\"Open_vSwitch\":{\"" ROOT
			  "\":{\"modify\":{\"next_cfg\":1}}}}]");
	assert_int_equal(ovsdb_idl_seqno(idl), seqno + 1);
	assert_int_equal(ovsdb_row_integer(first(T_ROOT), ROOT_NEXT_CFG, -1), 1);
	notify("update3", "[[\"monid\",\"Open_vSwitch\"],\"" ZERO "\",{\"Open_vSwitch\":{\"" ROOT
			  "\":{\"modify\":{\"cur_cfg\":1}}}}]");
	assert_int_equal(ovsdb_idl_seqno(idl), seqno + 1); /* its own writing is no news */
	assert_int_equal(ovsdb_row_integer(first(T_ROOT), ROOT_CUR_CFG, -1), 1);
	assert_string_equal(ovsdb_idl_why(idl), "");
}

/* A server without _Server, of monitor_cond or of monitor only. (S13) */
static void old_server(void **state)
{
	char text[1000];

	for (int oldest = 0; oldest < 2; oldest++) {
		if (oldest)
			begin(state);
		accept_idl();
		expect_hello();
		refuse("\"unknown database\"");
		expect("get_schema", "[\"Open_vSwitch\"]");
		answer_id(lock_id, "{\"locked\":true}");
		answer(test_schema);
		expect("monitor_cond_since", NULL);
		refuse("\"unknown method\"");
		snprintf(text, sizeof(text), "[\"Open_vSwitch\",[\"monid\",\"Open_vSwitch\",2],%s]",
			 all_columns);
		expect("monitor_cond", text);
		if (!oldest) {
			answer(INITIAL);
			notify("update2",
			       "[[\"monid\",\"Open_vSwitch\",2],{\"Interface\":{\"" IFACE1
			       "\":{\"modify\":{\"status\":[\"map\",[[\"a\",\"1\"]]]}}}}]");
			assert_int_equal(first(T_IFACE)->d[IFACE_STATUS].n, 0); /* a difference */
		} else {
			refuse("{\"error\":\"unknown method\",\"details\":\"x\"}");
			snprintf(text, sizeof(text),
				 "[\"Open_vSwitch\",[\"monid\",\"Open_vSwitch\",3],%s]",
				 all_columns);
			expect("monitor", text);
			answer("{\"Interface\":{\"" IFACE1 "\":{\"new\":{\"name\":\"vx1\"}}}}");
			notify("update",
			       "[[\"monid\",\"Open_vSwitch\",3],{\"Interface\":{\"" IFACE1
			       "\":{\"old\":{\"status\":[\"map\",[]]},\"new\":{\"name\":\"vx1\","
			       "\"status\":[\"map\",[[\"a\",\"1\"]]]}}}}]");
			assert_string_equal(ovsdb_row_get(first(T_IFACE), IFACE_STATUS, "a"), "1");
		}
		assert_true(ovsdb_idl_has_lock(idl));
		assert_string_equal(ovsdb_row_string(first(T_IFACE), IFACE_NAME), "vx1");
		expect_silence();
		if (!oldest)
			finish(state);
	}
}

static void nothing_works(void **state)
{
	uint64_t deadline = UINT64_MAX;

	(void)state;
	accept_idl();
	expect_hello();
	refuse("\"unknown database\"");
	expect("get_schema", "[\"Open_vSwitch\"]");
	refuse("\"unknown database\"");
	assert_false(ovsdb_idl_is_connected(idl));
	assert_non_null(strstr(ovsdb_idl_why(idl),
			       "get_schema of Open_vSwitch was refused: unknown database"));
	ovsdb_idl_wait(idl, &deadline);
	assert_int_equal(deadline, now + NS_PER_S);
	now = deadline;
	accept_idl();
	expect_hello();
	answer("{\"name\":\"_Server\",\"tables\":{}}"); /* not as it should be: as if it were not
							   there */
	expect("get_schema", "[\"Open_vSwitch\"]");
	answer("{\"name\":\"Other\",\"tables\":{}}");
	assert_non_null(strstr(ovsdb_idl_why(idl), "a schema that is none"));
}

/* An older schema lacks columns: they are not asked for, are empty, and writing them does nothing. (S12) */
static void older_schema(void **state)
{
	struct ovsdb_idl_txn *txn;
	json_t *want;

	(void)state;
	to_data("{\"name\":\"Open_vSwitch\",\"tables\":{\"Interface\":{\"columns\":{\"name\":{"
		"\"type\":"
		"\"string\"}}}}}");
	want = parse("{\"Interface\":[{\"columns\":[\"name\"]}]}");
	assert_true(json_equal(json_array_get(req.params, 2), want));
	json_decref(want);
	answer("[false,\"" ZERO "\",{\"Interface\":{\"" IFACE1
	       "\":{\"initial\":{\"name\":\"a\"}}}}]");
	answer_id(lock_id, "{\"locked\":true}");
	assert_int_equal(ovsdb_row_integer(first(T_IFACE), IFACE_OFPORT, -3), -3);
	txn = ovsdb_idl_txn_create(idl);
	ovsdb_idl_txn_set_integer(txn, first(T_IFACE), IFACE_OFPORT, 4);
	ovsdb_idl_txn_insert_pair(txn, first(T_IFACE), IFACE_STATUS, "a", "b");
	ovsdb_idl_txn_verify(txn, first(T_IFACE), IFACE_ERROR);
	assert_int_equal(ovsdb_idl_txn_commit(txn), OVSDB_TXN_UNCHANGED);
	ovsdb_idl_txn_destroy(txn);
	expect_silence();
}

static void reconnect(void)
{
	uint64_t deadline = UINT64_MAX;

	jsonrpc_free(srv);
	srv = NULL;
	run();
	assert_false(ovsdb_idl_is_connected(idl));
	ovsdb_idl_wait(idl, &deadline);
	assert_true(deadline <= now + 8 * NS_PER_S);
	now = deadline;
}

/* The copy stays while the server is away, the next snapshot replaces it. */
static void server_restarts(void **state)
{
	const struct ovsdb_row *kept;
	unsigned seqno, seq;

	(void)state;
	to_live();
	kept = first(T_IFACE);
	seq = kept->seq;
	seqno = ovsdb_idl_seqno(idl);
	jsonrpc_free(srv);
	srv = NULL;
	run();
	assert_false(ovsdb_idl_is_live(idl));
	assert_false(ovsdb_idl_has_lock(idl));
	assert_false(ovsdb_idl_is_lock_contended(idl));
	assert_int_not_equal(ovsdb_idl_seqno(idl), seqno); /* the lock went */
	assert_ptr_equal(first(T_IFACE), kept);
	assert_string_equal(ovsdb_row_get(kept, IFACE_STATUS, "a"), "1");
	assert_non_null(strstr(ovsdb_idl_why(idl), "closed the connection"));
	now += 8 * NS_PER_S;
	to_data(test_schema);
	assert_string_equal(ovsdb_row_get(kept, IFACE_STATUS, "a"), "1");
	/* ids go on */
	assert_true(json_integer_value(req.id) > 6);
	answer("[false,\"" ZERO "\",{\"Interface\":{\"" IFACE1
	       "\":{\"initial\":{\"name\":\"vx1\"}}}}]");
	assert_int_equal(ovsdb_idl_snapshots(idl), 2);
	assert_null(first(T_ROOT));
	assert_ptr_equal(first(T_IFACE), kept);
	assert_int_equal(kept->seq, seq); /* status is its owner's to write again */
	assert_int_equal(kept->d[IFACE_STATUS].n, 0);
}

/* A clustered server takes the id of the last transaction and gives the difference only. */
static void fast_resync(void **state)
{
	static const char last[] = "99990000-0000-0000-0000-000000000001";
	char text[300];

	(void)state;
	to_live();
	snprintf(text, sizeof(text), "[[\"monid\",\"Open_vSwitch\"],\"%s\",{}]", last);
	notify("update3", text);
	reconnect();
	to_data(test_schema);
	assert_string_equal(json_string_value(json_array_get(req.params, 3)), last);
	snprintf(text, sizeof(text),
		 "[true,\"%s\",{\"Open_vSwitch\":{\"" ROOT "\":{\"modify\":{\"next_cfg\":9}}}}]",
		 last);
	answer(text);
	assert_true(ovsdb_idl_is_live(idl));
	assert_int_equal(ovsdb_row_integer(first(T_ROOT), ROOT_NEXT_CFG, -1), 9);
	assert_non_null(first(T_IFACE));
	/* With another schema the difference would be of other columns. */
	reconnect();
	to_data("{\"name\":\"Open_vSwitch\",\"tables\":{\"Interface\":{\"columns\":{\"name\":{"
		"\"type\":"
		"\"string\"}}}}}");
	assert_string_equal(json_string_value(json_array_get(req.params, 3)), ZERO);
	/* "found" to a client that had nothing to find is a snapshot. */
	answer("[true,\"" ZERO "\",{}]");
	assert_null(first(T_IFACE));
}

/* The database goes and comes back, without the session's end. */
static void database_goes(void **state)
{
	char *text;

	(void)state;
	to_live();
	notify("update2",
	       "[[\"monid\",\"_Server\"],{\"Database\":{\"" SERVER_ROW "\":{\"delete\":null}}}]");
	notify("monitor_canceled", "[[\"monid\",\"Open_vSwitch\"]]");
	assert_true(ovsdb_idl_is_connected(idl));
	assert_false(ovsdb_idl_is_live(idl));
	assert_non_null(strstr(ovsdb_idl_why(idl), "has no database Open_vSwitch"));
	assert_non_null(first(T_IFACE)); /* the copy stays */
	expect_silence();
	{
		char *rows = server_rows("insert", test_schema, "");

		text = malloc(strlen(rows) + 100);
		sprintf(text, "[[\"monid\",\"_Server\"],%s]", rows);
		free(rows);
	}
	notify("update2", text);
	free(text);
	expect("monitor_cond_since", NULL);
	assert_int_equal(json_integer_value(json_array_get(json_array_get(req.params, 1), 2)), 2);
	answer("[false,\"" ZERO "\"," INITIAL "]");
	assert_true(ovsdb_idl_has_lock(idl));			      /* it never went */
	notify("monitor_canceled", "[[\"monid\",\"Open_vSwitch\"]]"); /* the first one's, late */
	notify("update3", "[[\"monid\",\"Open_vSwitch\"],\"" ZERO "\",{\"Interface\":{\"" IFACE1
			  "\":{\"delete\":null}}}]");
	assert_non_null(first(T_IFACE));
	assert_true(ovsdb_idl_is_live(idl));
}

/* The schema is converted: the monitor is asked for anew, with what there is now. */
static void conversion(void **state)
{
	char *rows, *text;

	(void)state;
	to_live();
	notify("monitor_canceled", "[[\"monid\",\"Open_vSwitch\"]]");
	expect("get_schema", "[\"Open_vSwitch\"]"); /* 3.1's _Server does not tell */
	answer(test_schema);
	expect("monitor_cond_since", NULL);
	assert_int_equal(json_integer_value(json_array_get(json_array_get(req.params, 1), 2)), 2);
	answer("[false,\"" ZERO "\"," INITIAL "]");
	assert_true(ovsdb_idl_has_lock(idl));
	/* Later ones tell, too. */
	rows = server_rows(
		"insert",
		"{\"name\":\"Open_vSwitch\",\"tables\":{\"Interface\":{\"columns\":{\"name\":"
		"{\"type\":\"string\"}}}}}",
		"");
	text = malloc(strlen(rows) + 100);
	sprintf(text, "[[\"monid\",\"_Server\"],%s]", rows);
	notify("update2", text);
	free(rows);
	free(text);
	expect("monitor_cancel", "[[\"monid\",\"Open_vSwitch\",2]]");
	refuse("\"unknown monitor\"");
	assert_false(ovsdb_idl_is_live(idl));
	expect("monitor_cond_since", "[\"Open_vSwitch\",[\"monid\",\"Open_vSwitch\",3],{"
				     "\"Interface\":[{\"columns\":[\"name\"]}]},"
				     "\"" ZERO "\"]");
	answer("[false,\"" ZERO "\",{}]");
	assert_true(ovsdb_idl_is_live(idl));
	assert_null(first(T_IFACE));
}

/* _Server's schema is out of date: a column of it is refused. */
static void stale_schema(void **state)
{
	(void)state;
	to_data(test_schema);
	refuse("{\"error\":\"syntax error\",\"details\":\"error is not a valid column name\"}");
	expect("get_schema", "[\"Open_vSwitch\"]");
	answer("{\"name\":\"Open_vSwitch\",\"tables\":{\"Interface\":{\"columns\":{\"name\":{"
	       "\"type\":"
	       "\"string\"}}}}}");
	expect("monitor_cond_since", "[\"Open_vSwitch\",[\"monid\",\"Open_vSwitch\",2],{"
				     "\"Interface\":[{\"columns\":[\"name\"]}]},"
				     "\"" ZERO "\"]");
	answer("[false,\"" ZERO "\",{}]");
	assert_true(ovsdb_idl_is_live(idl));
	/* In the next session the text is looked at again. */
	reconnect();
	to_data(test_schema);
	assert_int_equal(json_object_size(json_array_get(req.params, 2)), 4);
	refuse("\"unknown database\"");
	expect("get_schema", NULL);
	refuse("\"unknown database\""); /* it is about to go */
	assert_true(ovsdb_idl_is_connected(idl));
	assert_non_null(strstr(ovsdb_idl_why(idl), "has no database"));
}

static void cluster(void **state)
{
	static const struct {
		const char *more;
		bool ok;
	} rows[] = {
		{"\"model\":\"clustered\",\"connected\":true,\"leader\":true", true},
		{"\"model\":\"clustered\",\"connected\":true,\"leader\":false", false},
		{"\"model\":\"clustered\",\"connected\":false,\"leader\":true", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char more[200], *text;

		if (i)
			begin(state);
		accept_idl();
		expect_hello();
		answer(server_schema);
		expect("monitor_cond", NULL);
		snprintf(more, sizeof(more), ",%s", rows[i].more); /* the last of a name counts */
		text = server_rows("initial", test_schema, more);
		answer(text);
		free(text);
		assert_int_equal(ovsdb_idl_is_connected(idl), rows[i].ok);
		if (!rows[i].ok)
			assert_non_null(strstr(ovsdb_idl_why(idl), "not its leader"));
		if (i + 1 < ARRAY_LEN(rows))
			finish(state);
	}
}

/* What a server must not send ends the session, says why, and the copy is as it was. */
static void hostile_server(void **state)
{
	static const struct {
		const char *method, *params, *why;
	} rows[] = {
		{"update3",
		 "[[\"monid\",\"Open_vSwitch\"],\"" ZERO "\",{\"Interface\":{\"" IFACE1
		 "\":{\"modify\":{\"ofport\":\"x\"}}}}]",
		 "column ofport has a bad value"},
		{"update3",
		 "[[\"monid\",\"Open_vSwitch\"],\"" ZERO "\",{\"Port\":{\"" IFACE1
		 "\":{\"modify\":{}}}}]",
		 "a row that is not there"},
		{"update3", "[[\"monid\",\"Open_vSwitch\"]]", "no object of tables"},
		{"update2", "[[\"monid\",\"Open_vSwitch\"],{}]", "not asked for"},
		{"update", "[[\"monid\",\"Open_vSwitch\"],{}]", "not asked for"},
		{"update2", "[[\"monid\",\"_Server\"],{\"Database\":{\"x\":{}}}]", "not a uuid"},
	};
	static const char *const harmless[][2] = {
		{"update3", "[]"},	   {"update2", "[null]"},  {"update", "[[\"monid\"],{}]"},
		{"locked", "[]"},	   {"stolen", "[7]"},	   {"locked", "[\"other\"]"},
		{"stolen", "[\"other\"]"}, {"no_such", "[1,2,3]"}, {"monitor_canceled", "[]"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (i)
			begin(state);
		to_live();
		for (size_t j = 0; j < ARRAY_LEN(harmless); j++)
			notify(harmless[j][0], harmless[j][1]);
		answer_id(json_true(), "{}");
		answer_id(lock_id, "7"); /* a second answer */
		assert_true(ovsdb_idl_has_lock(idl));
		notify(rows[i].method, rows[i].params);
		assert_false(ovsdb_idl_is_connected(idl));
		if (!strstr(ovsdb_idl_why(idl), rows[i].why))
			fail_msg("%s: \"%s\"", rows[i].params, ovsdb_idl_why(idl));
		assert_string_equal(ovsdb_row_get(first(T_IFACE), IFACE_STATUS, "a"), "1");
		if (i + 1 < ARRAY_LEN(rows))
			finish(state);
	}
}

/* --- the lock
 * ------------------------------------------------------------------------------------------ */

/* S3. */
static void lock_contention(void **state)
{
	unsigned seqno;

	(void)state;
	to_data(test_schema);
	answer("[false,\"" ZERO "\"," INITIAL "]");
	answer_id(lock_id, "{\"locked\":false}");
	assert_false(ovsdb_idl_has_lock(idl));
	assert_true(ovsdb_idl_is_lock_contended(idl));
	seqno = ovsdb_idl_seqno(idl);
	notify("locked", "[\"ovs_vswitchd\"]");
	assert_true(ovsdb_idl_has_lock(idl));
	assert_false(ovsdb_idl_is_lock_contended(idl));
	assert_int_equal(ovsdb_idl_seqno(idl), seqno + 1);
	notify("stolen", "[\"ovs_vswitchd\"]");
	assert_false(ovsdb_idl_has_lock(idl));
	assert_true(ovsdb_idl_is_lock_contended(idl));
	assert_int_equal(ovsdb_idl_seqno(idl), seqno + 2);
	expect_silence(); /* the server queues who was robbed: no new request */
}

static void no_lock_wanted(void **state)
{
	struct ovsdb_idl_txn *txn;

	(void)state;
	finish(state);
	make_idl(NULL);
	accept_idl();
	expect("get_schema", "[\"_Server\"]");
	refuse("\"unknown database\"");
	expect("get_schema", "[\"Open_vSwitch\"]");
	answer(test_schema);
	expect("monitor_cond_since", NULL);
	assert_false(ovsdb_idl_has_lock(idl));
	answer("[false,\"" ZERO "\"," INITIAL "]");
	assert_true(ovsdb_idl_has_lock(idl));
	txn = ovsdb_idl_txn_create(idl);
	ovsdb_idl_txn_set_integer(txn, first(T_ROOT), ROOT_CUR_CFG, 1);
	assert_int_equal(ovsdb_idl_txn_commit(txn), OVSDB_TXN_INCOMPLETE);
	expect("transact", "[\"Open_vSwitch\",{\"op\":\"update\",\"table\":\"Open_vSwitch\","
			   "\"where\":[[\"_uuid\","
			   "\"==\",[\"uuid\",\"" ROOT "\"]]],\"row\":{\"cur_cfg\":1}}]");
	ovsdb_idl_txn_destroy(txn);
}

/* --- transactions
 * -------------------------------------------------------------------------------------- */

#define WHERE(uuid) "\"where\":[[\"_uuid\",\"==\",[\"uuid\",\"" uuid "\"]]]"
#define ASSERT	    "{\"op\":\"assert\",\"lock\":\"ovs_vswitchd\"}"

/* S11. */
static void txn_writes(void **state)
{
	struct ovsdb_idl_txn *txn;
	struct ovsdb_datum d;

	(void)state;
	to_live();
	txn = ovsdb_idl_txn_create(idl);
	ovsdb_idl_txn_set_integer(txn, first(T_IFACE), IFACE_OFPORT, 7);
	ovsdb_idl_txn_set_integer(txn, first(T_IFACE), IFACE_OFPORT, 1); /* the last one counts */
	ovsdb_idl_txn_clear(txn, first(T_IFACE), IFACE_ERROR);		 /* is clear */
	ovsdb_idl_txn_set_string(txn, first(T_IFACE), IFACE_MAC_IN_USE, "e2:46:a4:30:01:33");
	ovsdb_datum_init(&d, OVSDB_STRING, OVSDB_INTEGER);
	assert_true(ovsdb_datum_put_count(&d, "tx_packets", 3) &&
		    ovsdb_datum_put_count(&d, "rx_packets", 1ll << 62));
	ovsdb_idl_txn_set(txn, first(T_IFACE), IFACE_STATISTICS, &d);
	ovsdb_idl_txn_set_integer(txn, first(T_ROOT), ROOT_CUR_CFG, 1);
	ovsdb_datum_init(&d, OVSDB_STRING, OVSDB_VOID);
	assert_true(ovsdb_datum_put_string(&d, "vxlan") && ovsdb_datum_put_string(&d, "internal"));
	ovsdb_idl_txn_set(txn, first(T_ROOT), ROOT_IFACE_TYPES, &d);
	ovsdb_idl_txn_verify(txn, first(T_IFACE), IFACE_ERROR);
	assert_int_equal(ovsdb_idl_txn_status(txn), OVSDB_TXN_UNCOMMITTED);
	assert_int_equal(ovsdb_idl_txn_commit(txn), OVSDB_TXN_INCOMPLETE);
	assert_int_equal(ovsdb_idl_txn_commit(txn), OVSDB_TXN_INCOMPLETE); /* once */
	expect("transact",
	       "[\"Open_vSwitch\","
	       "{\"op\":\"wait\",\"table\":\"Interface\"," WHERE(
		       IFACE1) ",\"columns\":[\"error\"],"
			       "\"until\":\"==\",\"rows\":[{\"error\":[\"set\",[]]}],\"timeout\":0}"
			       ","
			       "{\"op\":\"update\",\"table\":\"Interface\"," WHERE(
				       IFACE1) ",\"row\":{\"ofport\":1,"
					       "\"mac_in_use\":\"e2:46:a4:30:01:33\","
					       "\"statistics\":[\"map\",[[\"rx_packets\","
					       "4611686018427387904],[\"tx_packets\",3]]]}},"
					       "{\"op\":\"update\",\"table\":\"Open_"
					       "vSwitch\"," WHERE(
						       ROOT) ",\"row\":{\"cur_cfg\":1,"
							     "\"iface_types\":[\"set\",["
							     "\"internal\",\"vxlan\"]]}}," ASSERT
							     "]");
	expect_silence();
	/* As captured: the update comes before the reply. */
	notify("update3", "[[\"monid\",\"Open_vSwitch\"],\"" ZERO "\",{\"Interface\":{\"" IFACE1
			  "\":{\"modify\":{\"ofport\":1}}}}]");
	assert_int_equal(ovsdb_row_integer(first(T_IFACE), IFACE_OFPORT, -1), 1);
	assert_int_equal(ovsdb_idl_txn_status(txn), OVSDB_TXN_INCOMPLETE);
	answer("[{},{\"count\":1},{\"count\":1},{}]");
	assert_int_equal(ovsdb_idl_txn_status(txn), OVSDB_TXN_SUCCESS);
	assert_string_equal(ovsdb_idl_txn_error(txn), "");
	ovsdb_idl_txn_destroy(txn);
	/* Nothing new: nothing sent. */
	txn = ovsdb_idl_txn_create(idl);
	ovsdb_idl_txn_set_integer(txn, first(T_IFACE), IFACE_OFPORT, 1);
	ovsdb_idl_txn_verify(txn, first(T_IFACE), IFACE_ERROR);
	assert_int_equal(ovsdb_idl_txn_commit(txn), OVSDB_TXN_UNCHANGED);
	ovsdb_idl_txn_destroy(txn);
	expect_silence();
}

static void txn_inserts(void **state)
{
	struct ovsdb_idl_txn *txn;

	(void)state;
	to_live();
	txn = ovsdb_idl_txn_create(idl);
	ovsdb_idl_txn_insert_pair(txn, first(T_IFACE), IFACE_STATUS, "a", "1"); /* is there */
	assert_int_equal(ovsdb_idl_txn_commit(txn), OVSDB_TXN_UNCHANGED);
	ovsdb_idl_txn_destroy(txn);
	txn = ovsdb_idl_txn_create(idl);
	ovsdb_idl_txn_insert_pair(txn, first(T_IFACE), IFACE_STATUS, "a", "2");
	ovsdb_idl_txn_insert_pair(txn, first(T_IFACE), IFACE_STATUS, "b", "3");
	ovsdb_idl_txn_insert(txn, first(T_ROOT), ROOT_IFACE_TYPES,
			     &(union ovsdb_atom){.string = (char[]){"tap"}}, NULL);
	assert_int_equal(ovsdb_idl_txn_commit(txn), OVSDB_TXN_INCOMPLETE);
	expect("transact",
	       "[\"Open_vSwitch\",{\"op\":\"mutate\",\"table\":\"Interface\"," WHERE(
		       IFACE1) ","
			       "\"mutations\":[[\"status\",\"delete\",[\"set\",[\"a\",\"b\"]]],"
			       "[\"status\",\"insert\",[\"map\",[[\"a\",\"2\"],[\"b\",\"3\"]]]]]},"
			       "{\"op\":\"mutate\",\"table\":\"Open_vSwitch\"," WHERE(
				       ROOT) ",\"mutations\":[["
					     "\"iface_types\",\"insert\",\"tap\"]]}," ASSERT "]");
	answer("[{\"count\":1},{\"count\":1},{}]");
	assert_int_equal(ovsdb_idl_txn_status(txn), OVSDB_TXN_SUCCESS);
	ovsdb_idl_txn_destroy(txn);
}

static struct ovsdb_idl_txn *set_ofport(int64_t n)
{
	struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(idl);

	ovsdb_idl_txn_set_integer(txn, first(T_IFACE), IFACE_OFPORT, n);
	return txn;
}

static void txn_results(void **state)
{
	static const struct {
		const char *result, *error; /* of the reply: one of the two */
		enum ovsdb_idl_txn_status status;
		const char *text;
	} rows[] = {
		{"[{\"count\":1},{}]", NULL, OVSDB_TXN_SUCCESS, ""},
		{"[{\"count\":0},{}]", NULL, OVSDB_TXN_SUCCESS, ""}, /* the row went meanwhile */
		{"[{\"count\":1},{\"details\":\"Asserted lock ovs_vswitchd not "
		 "held.\",\"error\":\"not owner\"}]",
		 NULL, OVSDB_TXN_NOT_LOCKED, "not owner: Asserted lock ovs_vswitchd not held."},
		{"[{\"details\":\"\\\"where\\\" clause test failed\",\"error\":\"timed "
		 "out\"},null]",
		 NULL, OVSDB_TXN_TRY_AGAIN, "timed out: \"where\" clause test failed"},
		/* found at the commit: one more */
		{"[{\"count\":1},{},{\"error\":\"constraint violation\"}]", NULL, OVSDB_TXN_ERROR,
		 "constraint violation"},
		{"[{\"error\":\"referential integrity violation\",\"details\":7}]", NULL,
		 OVSDB_TXN_ERROR, "referential integrity violation"},
		{"[{\"error\":{}},{}]", NULL, OVSDB_TXN_ERROR, "an error without a text"},
		{"[{\"count\":1}]", NULL, OVSDB_TXN_ERROR, "1 results of 2 operations"},
		{"[{\"count\":1},null]", NULL, OVSDB_TXN_ERROR, "1 results of 2 operations"},
		{"[]", NULL, OVSDB_TXN_ERROR, "0 results of 2 operations"},
		{"7", NULL, OVSDB_TXN_ERROR, "0 results of 2 operations"},
		{NULL, "\"canceled\"", OVSDB_TXN_TRY_AGAIN, "canceled"},
		{NULL, "{\"error\":\"unknown database\",\"details\":\"x\"}", OVSDB_TXN_ERROR,
		 "unknown database: x"},
	};

	(void)state;
	to_live();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ovsdb_idl_txn *txn = set_ofport(5);

		assert_int_equal(ovsdb_idl_txn_commit(txn), OVSDB_TXN_INCOMPLETE);
		expect("transact", NULL);
		if (rows[i].result)
			answer(rows[i].result);
		else
			refuse(rows[i].error);
		if (ovsdb_idl_txn_status(txn) != rows[i].status ||
		    strcmp(ovsdb_idl_txn_error(txn), rows[i].text))
			fail_msg("row %zu: %d \"%s\"", i, ovsdb_idl_txn_status(txn),
				 ovsdb_idl_txn_error(txn));
		ovsdb_idl_txn_destroy(txn);
	}
}

/* While a write is on its way nobody knows the value: the next one is sent, whatever the tables
 * say. */
static void txn_several(void **state)
{
	struct ovsdb_idl_txn *a, *b, *c;
	json_t *a_id, *b_id;

	(void)state;
	to_live();
	a = set_ofport(1);
	assert_int_equal(ovsdb_idl_txn_commit(a), OVSDB_TXN_INCOMPLETE);
	expect("transact", NULL);
	a_id = json_incref(req.id);
	b = ovsdb_idl_txn_create(idl);
	ovsdb_idl_txn_clear(b, first(T_IFACE), IFACE_OFPORT); /* as the tables say it is */
	assert_int_equal(ovsdb_idl_txn_commit(b), OVSDB_TXN_INCOMPLETE);
	expect("transact", NULL);
	b_id = json_incref(req.id);
	c = ovsdb_idl_txn_create(idl); /* not the same column */
	ovsdb_idl_txn_clear(c, first(T_IFACE), IFACE_ERROR);
	assert_int_equal(ovsdb_idl_txn_commit(c), OVSDB_TXN_UNCHANGED);
	ovsdb_idl_txn_destroy(c);
	answer_id(b_id, "[{\"count\":1},{}]"); /* in any order */
	assert_int_equal(ovsdb_idl_txn_status(a), OVSDB_TXN_INCOMPLETE);
	assert_int_equal(ovsdb_idl_txn_status(b), OVSDB_TXN_SUCCESS);
	ovsdb_idl_txn_destroy(b);
	/* Its owner is gone, but it is still on its way. */
	ovsdb_idl_txn_destroy(a);
	c = ovsdb_idl_txn_create(idl);
	ovsdb_idl_txn_clear(c, first(T_IFACE), IFACE_OFPORT);
	assert_int_equal(ovsdb_idl_txn_commit(c), OVSDB_TXN_INCOMPLETE);
	expect("transact", NULL);
	answer_id(a_id, "[{\"count\":1},{}]");
	answer("[{\"count\":1},{}]");
	assert_int_equal(ovsdb_idl_txn_status(c), OVSDB_TXN_SUCCESS);
	ovsdb_idl_txn_destroy(c);
	c = ovsdb_idl_txn_create(idl);
	ovsdb_idl_txn_clear(c, first(T_IFACE), IFACE_OFPORT);
	assert_int_equal(ovsdb_idl_txn_commit(c), OVSDB_TXN_UNCHANGED);
	ovsdb_idl_txn_destroy(c);
	json_decref(a_id);
	json_decref(b_id);
}

static void txn_not_now(void **state)
{
	struct ovsdb_idl_txn *txn, *sent, *early;

	(void)state;
	early = ovsdb_idl_txn_create(idl);
	assert_int_equal(ovsdb_idl_txn_commit(early), OVSDB_TXN_TRY_AGAIN); /* no data yet */
	ovsdb_idl_txn_destroy(early);
	to_live();
	notify("stolen", "[\"ovs_vswitchd\"]");
	txn = set_ofport(3);
	assert_int_equal(ovsdb_idl_txn_commit(txn), OVSDB_TXN_NOT_LOCKED);
	ovsdb_idl_txn_destroy(txn);
	expect_silence();
	notify("locked", "[\"ovs_vswitchd\"]");
	sent = set_ofport(3);
	assert_int_equal(ovsdb_idl_txn_commit(sent), OVSDB_TXN_INCOMPLETE);
	txn = set_ofport(4); /* for a row that goes before it is committed */
	ovsdb_idl_txn_verify(txn, first(T_IFACE), IFACE_ERROR);
	notify("update3", "[[\"monid\",\"Open_vSwitch\"],\"" ZERO "\",{\"Interface\":{\"" IFACE1
			  "\":{\"delete\":null}}}]");
	assert_int_equal(ovsdb_idl_txn_commit(txn), OVSDB_TXN_UNCHANGED);
	ovsdb_idl_txn_destroy(txn);
	/* What is on its way when the session ends may have been run, or not. */
	jsonrpc_free(srv);
	srv = NULL;
	run();
	assert_int_equal(ovsdb_idl_txn_status(sent), OVSDB_TXN_TRY_AGAIN);
	ovsdb_idl_txn_destroy(sent);
}

/* The session ends while a transaction is sent: its end is told at once, not after the pause. */
static void txn_ends_session(void **state)
{
	struct ovsdb_idl_txn *txn;
	uint64_t deadline = UINT64_MAX;

	(void)state;
	to_live();
	jsonrpc_free(srv);
	srv = NULL;
	txn = set_ofport(3);
	assert_int_equal(ovsdb_idl_txn_commit(txn), OVSDB_TXN_INCOMPLETE);
	assert_false(ovsdb_idl_is_connected(idl));
	ovsdb_idl_wait(idl, &deadline);
	assert_true(deadline <= now);
	ovsdb_idl_run(idl, now);
	assert_int_equal(ovsdb_idl_txn_status(txn), OVSDB_TXN_TRY_AGAIN);
	ovsdb_idl_txn_destroy(txn);
}

static void bad_config(void **state)
{
	struct ovsdb_idl_config cfg = {.remote = "ssl:127.0.0.1", .db = &test_db};
	struct ovsdb_idl *other;
	char why[200];

	(void)state;
	assert_int_equal(ovsdb_idl_create(&other, &cfg, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "ssl is not built"));
	ovsdb_idl_destroy(NULL);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)
	const struct CMUnitTest tests[] = {
		TEST(captured_session), TEST(old_server),      TEST(nothing_works),
		TEST(older_schema),	TEST(server_restarts), TEST(fast_resync),
		TEST(database_goes),	TEST(conversion),      TEST(cluster),
		TEST(stale_schema),	TEST(hostile_server),  TEST(lock_contention),
		TEST(no_lock_wanted),	TEST(txn_writes),      TEST(txn_inserts),
		TEST(txn_results),	TEST(txn_several),     TEST(txn_not_now),
		TEST(txn_ends_session), TEST(bad_config),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
