/* SPDX-License-Identifier: Apache-2.0 */
/* Remotes, pauses, probes: a session against listeners of the test's own, with times that it gives.
 */
#include "rpc/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "rpc/remote.h"

static char dir[] = "/tmp/vxsess.XXXXXX";
static uint64_t now;

static void remotes(void **state)
{
	static const struct {
		const char *text, *why; /* NULL: accepted */
		size_t n;
	} rows[] = {
		{"unix:/x/db.sock", NULL, 1},
		{"unix:db.sock", NULL, 1},
		{"tcp:127.0.0.1", NULL, 1},
		{"tcp:127.0.0.1:1", NULL, 1},
		{"tcp:[::1]:6640,tcp:[fe80::1],unix:x", NULL, 3},
		{"tcp:::1", "port is not a number", 0},
		{"tcp:[::1]x", "the form is", 0},
		{"tcp:[::1", "the form is", 0},
		{"tcp:127.0.0.1:0", "1 to 65535", 0},
		{"tcp:127.0.0.1:65536", "1 to 65535", 0},
		{"tcp:127.0.0.1:", "1 to 65535", 0},
		{"tcp:localhost", "names are not looked up", 0},
		{"ssl:127.0.0.1", "ssl is not built", 0},
		{"unix:", "no path", 0},
		{"punix:/x", "is accepted", 0},
		{"", "is accepted", 0},
		{"unix:a,", "is accepted", 0},
		{"unix:a,unix:a,unix:a,unix:a,unix:a,unix:a,unix:a,unix:a,unix:a,unix:a,unix:a,"
		 "unix:a,"
		 "unix:a,unix:a,unix:a,unix:a,unix:a",
		 "more than 16 remotes", 0},
		{"unix:"
		 "0123456789012345678901234567890123456789012345678901234567890123456789012345678"
		 "90123456789012345678901234567890123456789",
		 "too long", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct remotes rs;
		char why[200] = "";
		int r = remotes_parse(&rs, rows[i].text, "/run/x", why, sizeof(why));

		if (r != (rows[i].why ? -EINVAL : 0) || rs.n != rows[i].n ||
		    (rows[i].why && !strstr(why, rows[i].why)))
			fail_msg("%s: %d \"%s\"", rows[i].text, r, why);
		if (!strcmp(rows[i].text, "unix:db.sock"))
			assert_string_equal(((struct sockaddr_un *)&rs.r[0].sa)->sun_path,
					    "/run/x/db.sock");
		if (!strcmp(rows[i].text, "tcp:127.0.0.1"))
			assert_int_equal(ntohs(((struct sockaddr_in *)&rs.r[0].sa)->sin_port),
					 6640);
		remotes_done(&rs);
	}
}

static int listen_unix(const char *name)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s", dir, name);
	unlink(sun.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static int listen_tcp(uint16_t *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

/* What was left waiting there. */
static void accept_all(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(fd);
}

static struct session *make(const char *fmt, ...)
{
	struct session *s;
	char text[200], why[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (session_new(&s, text, dir, 1, why, sizeof(why)))
		fail_msg("%s", why);
	return s;
}

static bool is_ready(const struct session *s, int ms)
{
	struct epoll_event ev;
	int ep = epoll_create1(EPOLL_CLOEXEC), n;

	ev.events = EPOLLIN;
	epoll_ctl(ep, EPOLL_CTL_ADD, session_fd(s), &ev);
	n = epoll_wait(ep, &ev, 1, ms);
	close(ep);
	return n == 1;
}

/* The connection is made without a pause; the other end. */
static int connect_now(struct session *s, int listener)
{
	unsigned serial = session_serial(s);
	int fd;

	session_run(s, now);
	if (!session_is_connected(s)) {
		assert_true(is_ready(s, 2000));
		session_run(s, now);
	}
	assert_true(session_is_connected(s));
	assert_int_equal(session_serial(s), serial + 1);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void expect(int fd, const char *text)
{
	char buf[1000];
	ssize_t n = 0;

	for (int i = 0; i < 200 && n <= 0; i++) {
		n = recv(fd, buf, sizeof(buf) - 1, 0);
		if (n < 0)
			usleep(5000);
	}
	buf[n > 0 ? n : 0] = 0;
	assert_string_equal(buf, text);
}

static bool recv_when_ready(struct session *s, struct jsonrpc_msg *m)
{
	assert_true(is_ready(s, 2000));
	return session_recv(s, now, m);
}

static void pauses(void **state)
{
	static const uint64_t want[] = {1, 2, 4, 8, 8, 8};
	struct session *s = make("unix:nobody");
	struct jsonrpc_msg m;
	int listener, fd;

	(void)state;
	now = 100 * NS_PER_S;
	assert_true(session_deadline(s) <= now);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		session_run(s, now);
		assert_int_equal(session_deadline(s), now + want[i] * NS_PER_S);
		assert_int_equal(session_backoff(s), want[i]);
		assert_non_null(strstr(session_why(s), "unix:nobody: No such file"));
		session_run(s, session_deadline(s) - 1); /* nothing yet */
		assert_int_equal(session_deadline(s), now + want[i] * NS_PER_S);
		now = session_deadline(s);
	}
	listener = listen_unix("nobody");
	fd = connect_now(s, listener);
	assert_int_equal(session_deadline(s), UINT64_MAX); /* no probes on unix: */
	/* It says nothing and goes: no better than none. */
	now += 20 * NS_PER_S;
	close(fd);
	assert_false(recv_when_ready(s, &m));
	assert_false(session_is_connected(s));
	assert_int_equal(session_deadline(s), now + 8 * NS_PER_S);
	now = session_deadline(s);
	/* It speaks, but goes at once. */
	fd = connect_now(s, listener);
	assert_int_equal(send(fd, "{\"id\":1,\"result\":2}", 19, 0), 19);
	assert_true(recv_when_ready(s, &m));
	jsonrpc_msg_done(&m);
	close(fd);
	assert_false(recv_when_ready(s, &m));
	assert_int_equal(session_deadline(s), now + 8 * NS_PER_S);
	now = session_deadline(s);
	/* It speaks and stays. */
	fd = connect_now(s, listener);
	assert_int_equal(send(fd, "{\"id\":1,\"result\":2}", 19, 0), 19);
	assert_true(recv_when_ready(s, &m));
	jsonrpc_msg_done(&m);
	now += 8 * NS_PER_S;
	close(fd);
	assert_false(recv_when_ready(s, &m));
	assert_int_equal(session_deadline(s), now + 1 * NS_PER_S);
	close(listener);
	session_free(s);
}

/* All of a list are tried before there is a pause. */
static void several(void **state)
{
	struct session *s = make("unix:a,unix:b,unix:c");
	char seen[4] = "";
	int listener;

	(void)state;
	now = NS_PER_S;
	for (int i = 0; i < 3; i++) {
		strncat(seen, session_remote(s) + 5, 1);
		assert_true(session_deadline(s) <= now);
		session_run(s, now);
	}
	assert_non_null(strchr(seen, 'a'));
	assert_non_null(strchr(seen, 'b'));
	assert_non_null(strchr(seen, 'c'));
	assert_int_equal(session_deadline(s), 2 * NS_PER_S);
	listener = listen_unix("b");
	now = 2 * NS_PER_S;
	for (int i = 0; i < 3 && !session_is_connected(s); i++)
		session_run(s, now);
	assert_true(session_is_connected(s));
	assert_string_equal(session_remote(s), "unix:b");
	session_fail(s, now, "it will not do");
	assert_string_equal(session_why(s), "unix:b: it will not do");
	/* A bad connection goes: it was one of the round.  A good one: the others are tried at once. */
	for (int good = 0; good < 2; good++) {
		struct jsonrpc_msg m;
		int fd;

		accept_all(listener);
		now += 60 * NS_PER_S;
		for (int i = 0; i < 5 && !session_is_connected(s); i++) {
			now = MAX(now, session_deadline(s));
			session_run(s, now);
		}
		assert_true(session_is_connected(s));
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		assert_int_equal(send(fd, "{\"id\":1,\"result\":2}", 19, 0), 19);
		assert_true(recv_when_ready(s, &m));
		jsonrpc_msg_done(&m);
		now += good ? 8 * NS_PER_S : 0;
		close(fd);
		close(listener);
		assert_false(recv_when_ready(s, &m));
		for (int i = 0; i < 2 && (good || session_deadline(s) <= now); i++) {
			assert_true(session_deadline(s) <= now);
			session_run(s, now);
		}
		if (good)
			assert_int_equal(session_deadline(s), now + NS_PER_S);
		else
			assert_in_range(session_deadline(s), now + 2 * NS_PER_S, now + 8 * NS_PER_S);
		listener = listen_unix("b");
	}
	close(listener);
	session_free(s);
}

/* Servers that speak and hang up: no busy loop between them. */
static void nobody_lasts(void **state)
{
	int listener = listen_unix("b"), fd;
	struct session *s = make("unix:b,unix:b");
	struct jsonrpc_msg m;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(session_deadline(s) <= now);
		fd = connect_now(s, listener);
		assert_int_equal(send(fd, "{\"id\":1,\"result\":2}", 19, 0), 19);
		assert_true(recv_when_ready(s, &m));
		jsonrpc_msg_done(&m);
		close(fd);
		assert_false(recv_when_ready(s, &m));
	}
	assert_int_equal(session_deadline(s), now + NS_PER_S);
	close(listener);
	session_free(s);
}

static void probes(void **state)
{
	uint16_t port;
	int listener = listen_tcp(&port), fd;
	struct session *s = make("tcp:127.0.0.1:%u", port);
	struct jsonrpc_msg m;

	(void)state;
	now = 50 * NS_PER_S;
	fd = connect_now(s, listener);
	assert_int_equal(session_deadline(s), now + 5 * NS_PER_S);
	assert_false(session_recv(s, now + 5 * NS_PER_S - 1, &m));
	now += 5 * NS_PER_S;
	assert_false(session_recv(s, now, &m));
	expect(fd, "{\"id\":\"echo\",\"method\":\"echo\",\"params\":[]}");
	assert_int_equal(session_deadline(s), now + 5 * NS_PER_S);
	/* The answer is the session's own business. */
	now += 4 * NS_PER_S;
	assert_int_equal(send(fd, "{\"id\":\"echo\",\"result\":[],\"error\":null}", 38, 0), 38);
	assert_false(recv_when_ready(s, &m));
	assert_int_equal(session_deadline(s), now + 5 * NS_PER_S);
	/* Any byte is life. */
	now += 4 * NS_PER_S;
	assert_int_equal(send(fd, "{", 1, 0), 1);
	assert_false(recv_when_ready(s, &m));
	assert_int_equal(session_deadline(s), now + 5 * NS_PER_S);
	/* Two intervals without any. */
	now += 5 * NS_PER_S;
	assert_false(session_recv(s, now, &m));
	assert_true(session_is_connected(s));
	now += 5 * NS_PER_S;
	assert_false(session_recv(s, now, &m));
	assert_false(session_is_connected(s));
	assert_non_null(strstr(session_why(s), "no answer to a probe after 5 s"));
	close(fd);
	/* Other intervals. */
	session_set_probe(s, 1);
	now += 60 * NS_PER_S;
	fd = connect_now(s, listener);
	assert_int_equal(session_deadline(s), now + NS_PER_S);
	session_set_probe(s, 0);
	assert_int_equal(session_deadline(s), UINT64_MAX);
	close(fd);
	close(listener);
	session_free(s);
}

static void echo_is_answered(void **state)
{
	static const char ask[] = "{\"id\":\"echo\",\"method\":\"echo\",\"params\":[]}"
				  "{\"method\":\"echo\",\"id\":[1],\"params\":[{\"x\":2}]}"
				  "{\"id\":3,\"method\":\"other\",\"params\":[]}"
				  "{\"id\":null,\"method\":\"note\",\"params\":[]}";
	int listener = listen_unix("echo"), fd;
	struct session *s = make("unix:echo");
	struct jsonrpc_msg m;

	(void)state;
	fd = connect_now(s, listener);
	assert_int_equal(send(fd, ask, strlen(ask), 0), strlen(ask));
	assert_true(recv_when_ready(s, &m));
	assert_int_equal(m.kind, JSONRPC_NOTIFY);
	assert_string_equal(m.method, "note");
	jsonrpc_msg_done(&m);
	expect(fd, "{\"id\":\"echo\",\"result\":[],\"error\":null}"
		   "{\"id\":[1],\"result\":[{\"x\":2}],\"error\":null}"
		   "{\"id\":3,\"result\":null,\"error\":\"unknown method\"}");
	close(fd);
	close(listener);
	session_free(s);
}

/* A peer that asks without end gets answers, and the caller's loop its turn. */
static void echo_flood(void **state)
{
	static const char ask[] = "{\"id\":1,\"method\":\"echo\",\"params\":[]}";
	int listener = listen_unix("flood"), fd;
	struct session *s = make("unix:flood");
	struct jsonrpc_msg m;
	char buf[60 * 100];
	size_t got = 0;

	(void)state;
	fd = connect_now(s, listener);
	for (int i = 0; i < 60; i++)
		assert_int_equal(send(fd, ask, strlen(ask), 0), strlen(ask));
	assert_false(recv_when_ready(s, &m));
	got += (size_t)recv(fd, buf, sizeof(buf), 0);
	assert_int_equal(session_deadline(s), 0);
	assert_false(session_recv(s, now, &m));
	assert_int_not_equal(session_deadline(s), 0);
	got += (size_t)recv(fd, buf, sizeof(buf), 0);
	assert_int_equal(got, 60 * strlen("{\"id\":1,\"result\":[],\"error\":null}"));
	close(fd);
	close(listener);
	session_free(s);
}

/* What the socket does not take is sent when it does: the descriptor tells. */
static void writes_later(void **state)
{
	int listener = listen_unix("slow"), fd;
	struct session *s = make("unix:slow");
	size_t size = 4 << 20, got = 0;
	char *big = malloc(size + 1), *buf = malloc(1 << 16);
	struct jsonrpc_msg m;

	(void)state;
	fd = connect_now(s, listener);
	assert_false(session_recv(s, now, &m));
	assert_false(is_ready(s, 0));
	memset(big, 'x', size);
	big[size] = 0;
	session_send(s, now, jsonrpc_notify("n", json_pack("[s]", big)));
	for (int i = 0; i < 10000 && got < size; i++) {
		ssize_t n = recv(fd, buf, 1 << 16, 0);

		if (n > 0)
			got += (size_t)n;
		else if (is_ready(s, 1000))
			session_run(s, now);
	}
	assert_in_range(got, size, size + 60);
	session_run(s, now);
	assert_false(is_ready(s, 0));
	free(big);
	free(buf);
	close(fd);
	close(listener);
	session_free(s);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const names[] = {"nobody", "b", "echo", "flood", "slow"};
	char path[100];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remotes),	    cmocka_unit_test(pauses),
		cmocka_unit_test(several), cmocka_unit_test(nobody_lasts),	    cmocka_unit_test(probes),
		cmocka_unit_test(echo_is_answered), cmocka_unit_test(echo_flood),
		cmocka_unit_test(writes_later),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
