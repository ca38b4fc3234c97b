/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC over a socket pair: objects split at every byte, bad JSON, what is huge. */
#include "rpc/jsonrpc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "rpc/jsonframe.h"

static struct jsonrpc *conn;
static int peer;

static int begin(void **state)
{
	int sv[2], size = 1 << 20;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv), 0);
	setsockopt(sv[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	conn = jsonrpc_new(sv[0]);
	peer = sv[1];
	return 0;
}

static int finish(void **state)
{
	(void)state;
	jsonrpc_free(conn);
	close(peer);
	return 0;
}

static void put(const char *s, size_t len)
{
	assert_int_equal(send(peer, s, len, MSG_NOSIGNAL), len);
}

/* What ovsdb-server 3.1 and vswitchd said (ovs.md 1.2), with an escape, blanks and an odd member.
 */
static const char *const captured[] = {
	"{\"id\":4,\"result\":{\"locked\":true},\"error\":null}",
	"{\"id\":null,\"method\":\"locked\",\"params\":[\"ovs_vswitchd\"]}",
	"{\"id\":\"echo\",\"method\":\"echo\",\"params\":[]}",
	"{\"id\":6,\"error\":\"unknown method\"}",
	"{\"params\":[\"}\\\"]{\\\\\"],\"x\":[{}],\"id\":null,\"method\":\"a\\u00e4\xc3\xa4\"}",
};
static const enum jsonrpc_kind kinds[] = {JSONRPC_REPLY, JSONRPC_NOTIFY, JSONRPC_REQUEST,
					  JSONRPC_ERROR, JSONRPC_NOTIFY};

static void check_captured(size_t i, struct jsonrpc_msg *m)
{
	json_t *want = json_loads(captured[i], 0, NULL);

	assert_int_equal(m->kind, kinds[i]);
	assert_true(json_equal(m->json, want));
	json_decref(want);
	jsonrpc_msg_done(m);
}

/* S14. */
static void split_at_every_byte(void **state)
{
	struct jsonrpc_msg m;
	char all[2000] = "";
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(captured); i++) {
		strcat(all, i % 2 ? " \n" : "");
		strcat(all, captured[i]);
	}
	len = strlen(all);
	for (size_t cut = 1; cut < len; cut++) {
		size_t got = 0;

		begin(state);
		put(all, cut);
		while (jsonrpc_recv(conn, &m) == 1)
			check_captured(got++, &m);
		put(all + cut, len - cut);
		while (jsonrpc_recv(conn, &m) == 1)
			check_captured(got++, &m);
		assert_int_equal(got, ARRAY_LEN(captured));
		assert_string_equal(jsonrpc_why(conn), "");
		finish(state);
	}
}

static void one_byte_at_a_time(void **state)
{
	struct jsonrpc_msg m;

	begin(state);
	for (size_t i = 0; i < ARRAY_LEN(captured); i++) {
		size_t len = strlen(captured[i]);

		for (size_t at = 0; at < len; at++) {
			assert_int_equal(jsonrpc_recv(conn, &m), 0);
			put(captured[i] + at, 1);
		}
		assert_int_equal(jsonrpc_recv(conn, &m), 1);
		check_captured(i, &m);
	}
	finish(state);
}

/* Two messages in one read: the second has to be announced, the socket is empty. */
static void tells_of_input(void **state)
{
	struct jsonrpc_msg m;

	begin(state);
	put("{\"id\":1,\"result\":1}{\"id\":2,\"result\":2}", 38);
	assert_false(jsonrpc_has_input(conn));
	assert_int_equal(jsonrpc_recv(conn, &m), 1);
	jsonrpc_msg_done(&m);
	assert_true(jsonrpc_has_input(conn));
	assert_int_equal(jsonrpc_recv(conn, &m), 1);
	assert_int_equal(json_integer_value(m.id), 2);
	jsonrpc_msg_done(&m);
	assert_int_equal(jsonrpc_recv(conn, &m), 0);
	assert_false(jsonrpc_has_input(conn));
	assert_int_equal(jsonrpc_received(conn), 38);
	finish(state);
}

static void bad_input(void **state)
{
	static const struct {
		const char *in, *why;
	} rows[] = {
		{"GET / HTTP/1.0", "no JSON object"},
		{"[1]", "no JSON object"},
		{"  x", "no JSON object"},
		{"{]", "bad JSON"},
		{"{\"a\":}", "bad JSON"},
		{"{\"id\":1,\"result\":\"\\ud800\"}", "bad JSON"},
		{"{\"id\":99999999999999999999,\"result\":1}", "bad JSON"},
		{"{}", "neither method nor id"},
		{"{\"id\":null,\"result\":1}", "neither method nor id"},
		{"{\"method\":1,\"params\":[]}", "a method that is no string"},
		{"{\"method\":\"x\",\"params\":{}}", "without an array of params"},
		{"{\"method\":\"x\"}", "without an array of params"},
	};
	struct jsonrpc_msg m;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin(state);
		put(rows[i].in, strlen(rows[i].in));
		if (jsonrpc_recv(conn, &m) != -EPROTO || !strstr(jsonrpc_why(conn), rows[i].why))
			fail_msg("%s: \"%s\"", rows[i].in, jsonrpc_why(conn));
		assert_int_equal(jsonrpc_recv(conn, &m), -EPROTO); /* for good */
		assert_int_equal(jsonrpc_send(conn, jsonrpc_notify("x", json_array())), -EPROTO);
		finish(state);
	}
	begin(state);
	shutdown(peer, SHUT_WR);
	assert_int_equal(jsonrpc_recv(conn, &m), -ECONNRESET);
	finish(state);
}

/* Names in a database need not be UTF-8. */
static void mends_letters(void **state)
{
	struct jsonrpc_msg m;

	begin(state);
	put("{\"id\":1,\"result\":\"a\xff"
	    "b\xc3\xa4\"}",
	    25);
	assert_int_equal(jsonrpc_recv(conn, &m), 1);
	assert_string_equal(json_string_value(m.result), "a?b\xc3\xa4");
	jsonrpc_msg_done(&m);
	finish(state);
}

static void frame_limits(void **state)
{
	struct jsonframe f = {0};
	size_t start, end, n = JSONFRAME_VALUES_MAX + 100;
	char deep[JSONFRAME_DEPTH_MAX + 2], *many = malloc(n);
	const char *why = "";

	(void)state;
	memset(deep, '{', sizeof(deep));
	assert_int_equal(jsonframe_next(&f, deep, JSONFRAME_DEPTH_MAX, &start, &end, &why), 0);
	assert_int_equal(jsonframe_next(&f, deep, JSONFRAME_DEPTH_MAX + 1, &start, &end, &why), -1);
	assert_string_equal(why, "a message nested too deep");

	f = (struct jsonframe){0};
	memset(many, ',', n);
	many[0] = '{';
	assert_int_equal(jsonframe_next(&f, many, JSONFRAME_VALUES_MAX, &start, &end, &why), 0);
	assert_int_equal(jsonframe_next(&f, many, n, &start, &end, &why), -1);
	assert_string_equal(why, "a message of too many values");
	free(many);

	/* As if so much had been looked at already. */
	f = (struct jsonframe){.at = JSONFRAME_SIZE_MAX, .depth = 1, .in_string = true};
	assert_int_equal(jsonframe_next(&f, "{", JSONFRAME_SIZE_MAX, &start, &end, &why), 0);
	f.at++;
	assert_int_equal(jsonframe_next(&f, "{", JSONFRAME_SIZE_MAX + 1ul, &start, &end, &why), -1);
	assert_string_equal(why, "a message of more than 256 MiB");
}

static void deep_ends_session(void **state)
{
	char deep[200] = "{\"id\":1,\"result\":";
	struct jsonrpc_msg m;

	begin(state);
	memset(deep + strlen(deep), '[', 100);
	put(deep, strlen(deep));
	assert_int_equal(jsonrpc_recv(conn, &m), -EPROTO);
	assert_string_equal(jsonrpc_why(conn), "the peer sent a message nested too deep");
	finish(state);
}

/* 8 MiB there and back, through a socket that takes a little at a time. */
static void huge_values(void **state)
{
	size_t size = 8 << 20, got = 0, turns = 0;
	char *big = malloc(size + 1), *back = malloc(size + 100);
	struct jsonrpc_msg m;
	json_t *json;

	begin(state);
	for (size_t i = 0; i < size; i++)
		big[i] = (char)(' ' + i % 90 + (i % 90 == 2)); /* with backslashes, no quotes */
	big[size] = 0;
	json = json_string(big);
	assert_non_null(json);
	assert_int_equal(jsonrpc_send(conn, jsonrpc_reply(json_integer(7), json)), 0);
	assert_true(jsonrpc_wants_write(conn));
	do {
		ssize_t n = recv(peer, back + got, 65536, 0);

		if (n < 0)
			assert_int_equal(jsonrpc_flush(conn), 0);
		else
			got += (size_t)n;
		back = realloc(back, got + 65536 + 100);
		turns++;
	} while ((jsonrpc_wants_write(conn) || recv(peer, back + got, 1, MSG_PEEK) > 0) &&
		 turns < 100000);
	assert_in_range(got, size, size * 2);
	for (size_t at = 0; at < got;) { /* and in again */
		ssize_t n = send(peer, back + at, MIN(got - at, 100000u), MSG_NOSIGNAL);

		if (n > 0)
			at += (size_t)n;
		if (at < got)
			assert_int_equal(jsonrpc_recv(conn, &m), 0);
	}
	assert_int_equal(jsonrpc_recv(conn, &m), 1);
	assert_string_equal(json_string_value(m.result), big);
	jsonrpc_msg_done(&m);
	free(big);
	free(back);
	finish(state);
}

/* One who asks and does not read is not kept waiting for with ever more memory. */
static void peer_does_not_read(void **state)
{
	char *s = malloc((16 << 20) + 1);
	int r = 0;

	begin(state);
	memset(s, 'x', 16 << 20);
	s[16 << 20] = 0;
	for (int i = 0; i < 20 && !r; i++)
		r = jsonrpc_send(conn, jsonrpc_notify("x", json_pack("[s]", s)));
	assert_int_equal(r, -ENOBUFS);
	assert_string_equal(jsonrpc_why(conn), "the peer does not read");
	free(s);
	finish(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_at_every_byte), cmocka_unit_test(one_byte_at_a_time),
		cmocka_unit_test(tells_of_input),      cmocka_unit_test(bad_input),
		cmocka_unit_test(mends_letters),       cmocka_unit_test(frame_limits),
		cmocka_unit_test(deep_ends_session),   cmocka_unit_test(huge_values),
		cmocka_unit_test(peer_does_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
