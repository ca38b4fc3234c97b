/* SPDX-License-Identifier: Apache-2.0 */
/* The unixctl server over a socket pair: requests split at every byte, garbage, what is huge. */
#include "rpc/unixctl.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct unixctl_server S;
static struct unixctl_conn *conn;
static struct unixctl_conn *later; /* who waits for an answer */
static int fd, gone_calls;

static void echo(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	char text[256] = "";

	(void)aux;
	for (int i = 0; i < argc; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.100s", i ? "|" : "",
			 argv[i]);
	unixctl_reply(c, text);
}

static void big(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	char *s = malloc(2000001);

	(void)argc, (void)argv, (void)aux;
	for (int i = 0; i < 2000000; i++)
		s[i] = (char)('a' + i % 23);
	s[2000000] = 0;
	unixctl_reply(c, s);
	free(s);
}

static void on_gone(struct unixctl_conn *c, void *aux)
{
	(void)c, (void)aux;
	gone_calls++;
	later = NULL;
}

static void wait(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	(void)argc, (void)argv, (void)aux;
	later = c;
	c->gone = on_gone;
}

static void not_utf8(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	(void)argc, (void)argv, (void)aux;
	unixctl_reply(c, "\xff\xfe");
}

static void none(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	(void)argc, (void)argv, (void)aux;
	unixctl_reply(c, "");
}

static const struct unixctl_command commands[] = {
	{"echo", "[WORD]...", 0, 40, echo},
	{"two", "A B", 2, 2, echo},
	{"big", "", 0, 0, big},
	{"wait", "", 0, 0, wait},
	{"bad", "", 0, 0, not_utf8},
	{"none", "", 0, 0, none},
};

static void begin(void)
{
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv), 0);
	unixctl_server_create(&S);
	assert_int_equal(unixctl_add(&S, commands, sizeof(commands) / sizeof(commands[0]), NULL), 0);
	conn = unixctl_conn_new(&S, sv[0]);
	fd = sv[1];
}

static void end(void)
{
	unixctl_server_destroy(&S);
	if (fd >= 0)
		close(fd);
}

static void say(const char *s, size_t len)
{
	assert_int_equal(send(fd, s, len, MSG_NOSIGNAL), len);
}

static void say_text(const char *s)
{
	say(s, strlen(s));
}

/* All that was answered so far. */
static char in[8192];
static const char *hear(void)
{
	ssize_t n = recv(fd, in, sizeof(in) - 1, MSG_DONTWAIT);

	in[n > 0 ? n : 0] = 0;
	return in;
}

static const struct {
	const char *request, *answer; /* NULL: the connection ends */
} rows[] = {
	{"{\"method\":\"echo\",\"params\":[],\"id\":0}",
	 "{\"result\":\"echo\\n\",\"error\":null,\"id\":0}"},
	{"{\"id\": \"x\", \"params\": [\"a b\", \"\\u00e9\\n\"], \"method\": \"echo\"}",
	 "{\"result\":\"echo|a b|é\\n\",\"error\":null,\"id\":\"x\"}"},
	{"{\"method\":\"echo\",\"params\":[\"\xf0\x9f\x98\x80\", \"\\ud83d\\ude00\"],\"id\":1}",
	 "{\"result\":\"echo|\xf0\x9f\x98\x80|\xf0\x9f\x98\x80\\n\",\"error\":null,\"id\":1}"},
	{"{\"method\":\"none\",\"params\":[],\"id\":[1,\"a\"]}",
	 "{\"result\":\"\",\"error\":null,\"id\":[1,\"a\"]}"},
	{"{\"method\":\"two\",\"params\":[\"a\"],\"id\":2}",
	 "{\"result\":null,\"error\":\"\\\"two\\\" command requires at least 2 arguments\\n\",\"id\":2}"},
	{"{\"method\":\"two\",\"params\":[\"a\",\"b\",\"c\"],\"id\":2}",
	 "{\"result\":null,\"error\":\"\\\"two\\\" command takes at most 2 arguments\\n\",\"id\":2}"},
	{"{\"method\":\"nope\",\"params\":[],\"id\":3}",
	 "{\"result\":null,\"error\":\"\\\"nope\\\" is not a valid command (use \\\"list-commands\\\" to "
	 "see a list of valid commands)\\n\",\"id\":3}"},
	{"{\"method\":\"echo\",\"params\":[5],\"id\":3}",
	 "{\"result\":null,\"error\":\"\\\"echo\\\" command has non-string argument\\n\",\"id\":3}"},
	{"{\"method\":\"bad\",\"params\":[],\"id\":4}",
	 "{\"result\":\"(text that is not UTF-8)\\n\",\"error\":null,\"id\":4}"},
	{"{\"method\":\"echo\",\"params\":{},\"id\":3}", NULL},
	{"{\"method\":5,\"params\":[],\"id\":[1,{\"a\":true}]}", NULL},
	{"{\"method\":\"echo\",\"params\":[],\"id\":null}", NULL},
	{"{\"method\":\"echo\",\"params\":[]}", NULL},
	{"[1,-2.5e3,true,false,null]", NULL},
};

static void split_everywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].request);

		for (size_t at = 0; at <= len; at++) {
			begin();
			if (at)
				say(rows[i].request, at);
			if (!unixctl_server_run(conn) && (at < len || rows[i].answer))
				fail_msg("row %zu, split at %zu: ended", i, at);
			if (at < len) {
				assert_string_equal(hear(), "");
				say(rows[i].request + at, len - at);
				assert_int_equal(unixctl_server_run(conn), rows[i].answer != NULL);
			}
			if (strcmp(hear(), rows[i].answer ? rows[i].answer : ""))
				fail_msg("row %zu, split at %zu: %s", i, at, in);
			end();
		}
	}
}

/* Byte by byte, and several behind each other with what may lie between. */
static void byte_by_byte(void **state)
{
	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && rows[i].answer; i++) {
		for (const char *c = rows[i].request; *c; c++) {
			say(c, 1);
			if (!unixctl_server_run(conn))
				fail_msg("row %zu ended before %s", i, c);
		}
		say_text(" \n\t");
		assert_true(unixctl_server_run(conn));
		assert_string_equal(hear(), rows[i].answer);
	}
	end();
	begin();
	say_text("{\"method\":\"echo\",\"params\":[],\"id\":0}{\"method\":\"echo\",\"params\":[],\"id\":1}\n\n"
	    "{\"method\":\"echo\",\"params\":[],\"id\":2");
	assert_true(unixctl_server_run(conn));
	assert_string_equal(hear(), "{\"result\":\"echo\\n\",\"error\":null,\"id\":0}"
				    "{\"result\":\"echo\\n\",\"error\":null,\"id\":1}");
	end();
}

/* What is no JSON ends the connection. */
static void garbage(void **state)
{
	static const char *const bad[] = {
		"GET / HTTP/1.0\r\n\r\n", "}{",	  "{\"a\" 5}", "[1,,2]", "\"only a string\" ",
		"nope ",		  "\x01\x02\x03", "{\"a\":\"\xff\"} ", "{\"a\":\"\\x\"} ",
		"{\"method\":\"\\u0000\"} ", "[1] x {", "{,} ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		say(bad[i], strlen(bad[i]));
		if (unixctl_server_run(conn))
			fail_msg("%s: goes on", bad[i]);
		end();
	}
	begin(); /* NUL bytes */
	say("\0\0\0\0", 4);
	assert_false(unixctl_server_run(conn));
	end();
}

/* Sends 'n' bytes of c, or fewer if the connection ends; how many. */
static size_t pour(const char *c, size_t period, size_t n)
{
	size_t sent = 0;
	static char block[4096];

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = c[i % period];
	while (sent < n) {
		ssize_t k = send(fd, block, sizeof(block) / period * period, MSG_NOSIGNAL);

		if (k < 0 && errno != EAGAIN)
			break;
		sent += k > 0 ? (size_t)k : 0;
		if (!unixctl_server_run(conn))
			break;
	}
	return sent;
}

static void huge(void **state)
{
	(void)state;
	begin(); /* a string without end: bounded */
	say_text("{\"method\":\"");
	assert_true(pour("a", 1, 2 << 20) < 1 << 20);
	assert_true(conn->in_size < 1 << 20);
	end();
	begin(); /* deep */
	assert_true(pour("[", 1, 2 << 20) < 1 << 20);
	end();
	begin();
	assert_true(pour("{\"a\":", 5, 2 << 20) < 1 << 20);
	end();
	begin(); /* many parameters */
	say_text("{\"id\":1,\"method\":\"echo\",\"params\":[\"a\"");
	assert_int_equal(pour(",\"a\"", 4, 4096), 4096);
	say_text("]}");
	assert_true(unixctl_server_run(conn));
	assert_string_equal(hear(), "{\"result\":null,\"error\":\"\\\"echo\\\" command takes at most 40 "
				    "arguments\\n\",\"id\":1}");
	end();
	begin(); /* a long name */
	say_text("{\"id\":1,\"params\":[],\"method\":\"");
	assert_int_equal(pour("a", 1, 4096), 4096);
	say_text("\"}");
	assert_true(unixctl_server_run(conn));
	assert_true(strlen(hear()) < 400 && strstr(in, "is not a valid command"));
	end();
}

/* An answer that the socket does not take at once. */
static void slow_reader(void **state)
{
	size_t n = 0;

	(void)state;
	begin();
	say_text("{\"method\":\"big\",\"params\":[],\"id\":1}");
	assert_true(unixctl_server_run(conn));
	assert_true(unixctl_conn_wants_write(conn));
	while (*hear()) {
		for (size_t i = 0; in[i]; i++, n++) {
			char want = (char)('a' + (n - 11) % 23); /* {"result":" */

			if (n >= 11 && n < 2000011 && in[i] != want)
				fail_msg("byte %zu", n);
		}
		assert_true(unixctl_server_run(conn));
	}
	assert_false(unixctl_conn_wants_write(conn));
	assert_int_equal(n, 2000000 + strlen("{\"result\":\"\\n\",\"error\":null,\"id\":1}"));
	end();
}

/* One request at a time: the next waits for the answer; who goes before it is told. */
static void answered_later(void **state)
{
	(void)state;
	begin();
	say_text("{\"method\":\"wait\",\"params\":[],\"id\":1}{\"method\":\"echo\",\"params\":[],\"id\":2}");
	assert_true(unixctl_server_run(conn));
	assert_ptr_equal(later, conn);
	assert_false(conn->resumed);
	assert_string_equal(hear(), "");
	unixctl_reply(later, "now");
	assert_true(conn->resumed); /* or its owner would wait for the socket */
	assert_string_equal(hear(), "{\"result\":\"now\\n\",\"error\":null,\"id\":1}");
	assert_true(unixctl_server_run(conn));
	assert_string_equal(hear(), "{\"result\":\"echo\\n\",\"error\":null,\"id\":2}");
	say_text("{\"method\":\"wait\",\"params\":[],\"id\":3}");
	assert_true(unixctl_server_run(conn));
	gone_calls = 0;
	end();
	assert_int_equal(gone_calls, 1);
}

static void client_gone(void **state)
{
	(void)state;
	begin();
	say_text("{\"method\":\"big\",\"params\":[],\"id\":1}");
	close(fd);
	fd = -1;
	assert_false(unixctl_server_run(conn) && unixctl_server_run(conn));
	end();
	begin();
	shutdown(fd, SHUT_WR);
	assert_false(unixctl_server_run(conn));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_everywhere), cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(garbage),	    cmocka_unit_test(huge),
		cmocka_unit_test(slow_reader),	    cmocka_unit_test(answered_later),
		cmocka_unit_test(client_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
