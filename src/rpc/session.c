/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/util.h"
#include "rpc/remote.h"

enum state { BACKOFF, CONNECTING, ACTIVE, IDLE };

/* Echo requests answered in a row before the caller's loop has its turn. */
enum { OWN_MAX = 50 };

struct session {
	struct remotes remotes;
	size_t at;	  /* remote at work or next */
	size_t tried;	  /* since the last pause */
	int64_t probe_ms; /* -1: the remote's default */
	int epfd, fd;	  /* fd: of CONNECTING only; then the connection's */
	bool armed_write;
	enum state state;
	uint64_t since; /* when the state began; BACKOFF: when it ends */
	uint64_t connected_at, active_at;
	uint64_t received;  /* as of the last look */
	uint32_t backoff_s; /* 0: no failure yet */
	struct jsonrpc *rpc;
	unsigned serial;
	char why[256];
};

static void shuffle(struct remotes *rs, uint64_t seed)
{
	for (size_t i = rs->n; i > 1; i--) {
		struct remote r = rs->r[i - 1];
		size_t j;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		j = (seed >> 33) % i;
		rs->r[i - 1] = rs->r[j];
		rs->r[j] = r;
	}
}

int session_new(struct session **out, const char *remotes, const char *rundir, uint64_t seed,
		char *why, size_t why_size)
{
	struct session *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->probe_ms = -1;
	s->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epfd < 0) {
		r = -errno;
		snprintf(why, why_size, "epoll: %s", strerror(-r));
		goto out_free;
	}
	r = remotes_parse(&s->remotes, remotes, rundir, why, why_size);
	if (r)
		goto out_close;
	shuffle(&s->remotes, seed);
	*out = s;
	return 0;

out_close:
	close(s->epfd);
out_free:
	free(s);
	return r;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	if (s->rpc)
		jsonrpc_free(s->rpc);
	else if (s->fd >= 0)
		close(s->fd);
	close(s->epfd);
	remotes_done(&s->remotes);
	free(s);
}

void session_set_probe(struct session *s, uint32_t ms)
{
	s->probe_ms = ms ? MAX(ms, 1000u) : 0;
}

int session_fd(const struct session *s)
{
	return s->epfd;
}

bool session_is_connected(const struct session *s)
{
	return s->state == ACTIVE || s->state == IDLE;
}

unsigned session_serial(const struct session *s)
{
	return s->serial;
}

const char *session_remote(const struct session *s)
{
	return s->remotes.r[s->at].name;
}

const char *session_why(const struct session *s)
{
	return s->why;
}

static uint32_t next_backoff(const struct session *s)
{
	if (!s->backoff_s)
		return SESSION_BACKOFF_MIN_S;
	return MIN(s->backoff_s * 2, (uint32_t)SESSION_BACKOFF_MAX_S);
}

uint32_t session_backoff(const struct session *s)
{
	return s->state == BACKOFF ? s->backoff_s : next_backoff(s);
}

static uint64_t probe_interval(const struct session *s)
{
	if (s->probe_ms >= 0)
		return (uint64_t)s->probe_ms * NS_PER_MS;
	return s->remotes.r[s->at].probes ? SESSION_PROBE_MS * NS_PER_MS : 0;
}

static uint64_t connect_limit(const struct session *s)
{
	return MAX(s->backoff_s, 1u) * NS_PER_S;
}

uint64_t session_deadline(const struct session *s)
{
	uint64_t interval = probe_interval(s);

	switch (s->state) {
	case BACKOFF:
		return s->since;
	case CONNECTING:
		return s->since + connect_limit(s);
	case ACTIVE:
	case IDLE:
		break;
	}
	if (jsonrpc_has_input(s->rpc))
		return 0;
	if (!interval)
		return UINT64_MAX;
	return s->state == ACTIVE ? s->active_at + interval : s->since + interval;
}

/* --- the connection's life
 * -------------------------------------------------------------------------- */

static void arm(struct session *s, bool write)
{
	struct epoll_event ev = {.events = write ? EPOLLIN | EPOLLOUT : EPOLLIN};

	if (s->armed_write == write)
		return;
	if (epoll_ctl(s->epfd, EPOLL_CTL_MOD, s->fd, &ev) == 0)
		s->armed_write = write;
}

/* Whether the connection that ends now was a good one: see session.h. */
static bool was_good(const struct session *s, uint64_t now)
{
	return session_is_connected(s) && s->received &&
	       now - s->connected_at >= MAX(s->backoff_s, 1u) * NS_PER_S;
}

static void disconnect(struct session *s, uint64_t now, const char *why)
{
	bool was_connected = session_is_connected(s);

	snprintf(s->why, sizeof(s->why), "%s: %s", session_remote(s), why);
	if (was_good(s, now)) {
		s->backoff_s = 0;
		s->tried = 0;
	}
	if (s->rpc)
		jsonrpc_free(s->rpc); /* and with the socket goes its place in epfd */
	else if (s->fd >= 0)
		close(s->fd);
	s->rpc = NULL;
	s->fd = -1;
	s->at = (s->at + 1) % s->remotes.n;
	s->state = BACKOFF;
	s->since = now;
	if (++s->tried >= s->remotes.n) {
		s->tried = 0;
		s->backoff_s = next_backoff(s);
		s->since = now + s->backoff_s * NS_PER_S;
	}
	if (was_connected)
		s->serial++;
}

void session_fail(struct session *s, uint64_t now, const char *why)
{
	if (s->state != BACKOFF)
		disconnect(s, now, why);
}

static void start(struct session *s, uint64_t now)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT};

	s->state = CONNECTING;
	s->since = now;
	s->fd = remote_connect(&s->remotes.r[s->at]);
	if (s->fd < 0) {
		int err = -s->fd;

		s->fd = -1;
		disconnect(s, now, strerror(err));
		return;
	}
	s->armed_write = true;
	if (epoll_ctl(s->epfd, EPOLL_CTL_ADD, s->fd, &ev) < 0)
		disconnect(s, now, strerror(errno));
}

/* Whether the socket that connects has an end to tell. */
static bool is_settled(struct session *s)
{
	struct epoll_event ev;

	return epoll_wait(s->epfd, &ev, 1, 0) == 1;
}

static void run_connecting(struct session *s, uint64_t now)
{
	int err;

	if (!is_settled(s)) {
		if (now >= s->since + connect_limit(s))
			disconnect(s, now, strerror(ETIMEDOUT));
		return;
	}
	err = remote_connected(s->fd);
	if (err) {
		disconnect(s, now, strerror(-err));
		return;
	}
	s->rpc = jsonrpc_new(s->fd);
	if (!s->rpc) {
		s->fd = -1; /* jsonrpc_new() closed it */
		disconnect(s, now, strerror(ENOMEM));
		return;
	}
	s->state = ACTIVE;
	s->since = s->connected_at = s->active_at = now;
	s->received = 0;
	s->serial++;
	arm(s, false);
}

static void probe(struct session *s, uint64_t now)
{
	uint64_t interval = probe_interval(s);
	char why[80];

	if (!interval)
		return;
	if (s->state == ACTIVE && now >= s->active_at + interval) {
		s->state = IDLE;
		s->since = now;
		session_send(
			s, now,
			json_pack("{s:s, s:s, s:[]}", "id", "echo", "method", "echo", "params"));
	} else if (s->state == IDLE && now >= s->since + interval) {
		snprintf(why, sizeof(why), "no answer to a probe after %llu s",
			 (unsigned long long)(interval / NS_PER_S));
		disconnect(s, now, why);
	}
}

/* Bytes came: the peer lives. */
static void note_activity(struct session *s, uint64_t now)
{
	uint64_t received = jsonrpc_received(s->rpc);

	if (received == s->received)
		return;
	s->received = received;
	s->active_at = now;
	if (s->state == IDLE) {
		s->state = ACTIVE;
		s->since = now;
	}
}

void session_run(struct session *s, uint64_t now)
{
	if (s->state == BACKOFF && now >= s->since)
		start(s, now);
	if (s->state == CONNECTING)
		run_connecting(s, now);
	if (!session_is_connected(s))
		return;
	if (jsonrpc_flush(s->rpc)) {
		disconnect(s, now, jsonrpc_why(s->rpc));
		return;
	}
	arm(s, jsonrpc_wants_write(s->rpc));
}

/* --- messages
 * ---------------------------------------------------------------------------------------- */

void session_send(struct session *s, uint64_t now, json_t *msg)
{
	if (!session_is_connected(s)) {
		json_decref(msg);
		return;
	}
	if (jsonrpc_send(s->rpc, msg))
		disconnect(s, now, jsonrpc_why(s->rpc));
	else
		arm(s, jsonrpc_wants_write(s->rpc));
}

static bool is_echo_id(const json_t *id)
{
	const char *s = json_string_value(id);

	return s && !strcmp(s, "echo");
}

/* Whether this message was the session's own business. */
static bool handled(struct session *s, uint64_t now, const struct jsonrpc_msg *m)
{
	switch (m->kind) {
	case JSONRPC_REQUEST:
		if (!strcmp(m->method, "echo"))
			session_send(s, now,
				     jsonrpc_reply(json_incref(m->id), json_incref(m->params)));
		else
			session_send(
				s, now,
				jsonrpc_error(json_incref(m->id), json_string("unknown method")));
		return true;
	case JSONRPC_REPLY:
	case JSONRPC_ERROR:
		return is_echo_id(m->id);
	case JSONRPC_NOTIFY:
		break;
	}
	return false;
}

bool session_recv(struct session *s, uint64_t now, struct jsonrpc_msg *m)
{
	for (int own = 0; own < OWN_MAX && session_is_connected(s); own++) {
		int r = jsonrpc_recv(s->rpc, m);

		note_activity(s, now);
		if (r < 0) {
			disconnect(s, now, jsonrpc_why(s->rpc));
			return false;
		}
		if (r == 0) {
			probe(s, now);
			return false;
		}
		if (!handled(s, now, m))
			return true;
		jsonrpc_msg_done(m);
	}
	return false;
}
