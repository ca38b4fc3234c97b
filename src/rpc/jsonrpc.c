/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/jsonrpc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "rpc/jsonframe.h"

enum {
	READ_MIN = 16 << 10,
	/* A buffer that one huge message left behind is not kept for the small ones. */
	KEEP_MAX = 1 << 20,
	OUT_MAX = 256 << 20,
};

struct jsonrpc {
	int fd;
	char *in;
	size_t in_start, in_len, in_size; /* in_len counts from in_start */
	struct jsonframe frame;
	bool drained; /* all of 'in' was looked at */
	struct text out;
	size_t out_start;
	uint64_t received;
	int error;
	char why[160];
};

/* --- messages -----------------------------------------------------------------------------------
 */

static const char *parse(struct jsonrpc_msg *m)
{
	json_t *method = json_object_get(m->json, "method");
	json_t *error = json_object_get(m->json, "error");

	m->id = json_object_get(m->json, "id");
	if (json_is_null(m->id))
		m->id = NULL;
	if (method) {
		m->kind = m->id ? JSONRPC_REQUEST : JSONRPC_NOTIFY;
		m->method = json_string_value(method);
		m->params = json_object_get(m->json, "params");
		if (!m->method)
			return "a method that is no string";
		return json_is_array(m->params) ? NULL : "a request without an array of params";
	}
	if (!m->id)
		return "a message with neither method nor id";
	if (error && !json_is_null(error)) {
		m->kind = JSONRPC_ERROR;
		m->error = error;
		return NULL;
	}
	m->kind = JSONRPC_REPLY;
	m->result = json_object_get(m->json, "result");
	return NULL;
}

int jsonrpc_msg_parse(struct jsonrpc_msg *m, json_t *json, const char **why)
{
	*m = (struct jsonrpc_msg){.json = json};
	*why = json_is_object(json) ? parse(m) : "something that is no JSON object";
	if (!*why)
		return 0;
	jsonrpc_msg_done(m);
	return -EPROTO;
}

void jsonrpc_msg_done(struct jsonrpc_msg *m)
{
	json_decref(m->json);
	*m = (struct jsonrpc_msg){0};
}

json_t *jsonrpc_request(uint64_t id, const char *method, json_t *params)
{
	return json_pack("{s:I, s:s, s:o}", "id", (json_int_t)id, "method", method, "params",
			 params);
}

json_t *jsonrpc_notify(const char *method, json_t *params)
{
	return json_pack("{s:n, s:s, s:o}", "id", "method", method, "params", params);
}

json_t *jsonrpc_reply(json_t *id, json_t *result)
{
	return json_pack("{s:o, s:o, s:n}", "id", id, "result", result, "error");
}

json_t *jsonrpc_error(json_t *id, json_t *error)
{
	return json_pack("{s:o, s:n, s:o}", "id", id, "result", "error", error);
}

/* --- the connection
 * ------------------------------------------------------------------------------- */

struct jsonrpc *jsonrpc_new(int fd)
{
	struct jsonrpc *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return NULL;
	}
	c->fd = fd;
	c->drained = true;
	return c;
}

void jsonrpc_free(struct jsonrpc *c)
{
	if (!c)
		return;
	close(c->fd);
	free(c->in);
	text_done(&c->out);
	free(c);
}

/* Ends the connection; the first reason is the one that stays. */
static int end(struct jsonrpc *c, int error, const char *why)
{
	if (!c->error) {
		c->error = error;
		snprintf(c->why, sizeof(c->why), "%s", why);
	}
	return c->error;
}

bool jsonrpc_wants_write(const struct jsonrpc *c)
{
	return c->out.len > c->out_start;
}

bool jsonrpc_has_input(const struct jsonrpc *c)
{
	return !c->drained;
}

uint64_t jsonrpc_received(const struct jsonrpc *c)
{
	return c->received;
}

const char *jsonrpc_why(const struct jsonrpc *c)
{
	return c->why;
}

/* --- out
 * ------------------------------------------------------------------------------------------- */

static void forget_written(struct jsonrpc *c)
{
	if (c->out_start == c->out.len) {
		if (c->out.size > KEEP_MAX)
			text_done(&c->out);
		else
			text_clear(&c->out);
		c->out_start = 0;
	} else if (c->out_start > c->out.len / 2) {
		c->out.len -= c->out_start;
		memmove(c->out.s, c->out.s + c->out_start, c->out.len);
		c->out_start = 0;
	}
}

int jsonrpc_flush(struct jsonrpc *c)
{
	while (!c->error && jsonrpc_wants_write(c)) {
		ssize_t n = send(c->fd, c->out.s + c->out_start, c->out.len - c->out_start,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return end(c, -errno, strerror(errno));
		c->out_start += (size_t)n;
	}
	forget_written(c);
	return c->error;
}

static int append(const char *s, size_t len, void *aux)
{
	struct text *out = aux;

	text_append(out, s, len);
	return out->failed || out->len > OUT_MAX ? -1 : 0;
}

int jsonrpc_send(struct jsonrpc *c, json_t *msg)
{
	int r = msg ? 0 : end(c, -ENOMEM, "out of memory");

	/* A dump that stopped in the middle leaves half a message: nothing may follow it. */
	if (!r && !c->error && json_dump_callback(msg, append, &c->out, JSON_COMPACT) < 0)
		r = end(c, c->out.failed ? -ENOMEM : -ENOBUFS,
			c->out.failed ? "out of memory" : "the peer does not read");
	json_decref(msg);
	return r ? r : jsonrpc_flush(c);
}

/* --- in
 * -------------------------------------------------------------------------------------------- */

/* Room for READ_MIN bytes more behind what is there. */
static bool make_room(struct jsonrpc *c)
{
	size_t size = c->in_size ? c->in_size : READ_MIN;
	char *p;

	if (c->in_start) {
		memmove(c->in, c->in + c->in_start, c->in_len);
		c->in_start = 0;
	}
	if (!c->in_len && c->in_size > KEEP_MAX) {
		free(c->in);
		c->in = NULL;
		c->in_size = 0;
		size = READ_MIN;
	}
	while (size - c->in_len < READ_MIN)
		size *= 2;
	if (size == c->in_size)
		return true;
	p = realloc(c->in, size);
	if (!p)
		return false;
	c->in = p;
	c->in_size = size;
	return true;
}

/* 1 if something was read, 0 if nothing is there, or a negative errno. */
static int read_more(struct jsonrpc *c)
{
	ssize_t n;

	if (!make_room(c))
		return end(c, -ENOMEM, "out of memory");
	do
		n = recv(c->fd, c->in + c->in_len, c->in_size - c->in_len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : end(c, -errno, strerror(errno));
	if (n == 0)
		return end(c, -ECONNRESET, "the peer closed the connection");
	c->in_len += (size_t)n;
	c->received += (uint64_t)n;
	c->drained = false;
	return 1;
}

/* ovsdb-server 3.1 refuses strings that are not UTF-8, but one bad letter, of whoever speaks, must
 * not end each session that it comes up in. */
static json_t *load(char *s, size_t len, json_error_t *err)
{
	json_t *json = json_loadb(s, len, 0, err);

	if (!json && text_mend_utf8(s, len))
		json = json_loadb(s, len, 0, err);
	return json;
}

static int parse_message(struct jsonrpc *c, size_t start, size_t stop, struct jsonrpc_msg *m)
{
	const char *why;
	char text[160];
	json_error_t err;
	json_t *json = load(c->in + c->in_start + start, stop - start, &err);

	c->in_start += stop;
	c->in_len -= stop;
	c->frame = (struct jsonframe){0};
	if (json && !jsonrpc_msg_parse(m, json, &why))
		return 1;
	if (json)
		snprintf(text, sizeof(text), "the peer sent %s", why);
	else
		snprintf(text, sizeof(text), "the peer sent bad JSON: %.100s", err.text);
	return end(c, -EPROTO, text);
}

int jsonrpc_recv(struct jsonrpc *c, struct jsonrpc_msg *m)
{
	while (!c->error) {
		size_t start, stop;
		const char *why;
		char text[100];
		int r = jsonframe_next(&c->frame, c->in ? c->in + c->in_start : "", c->in_len,
				       &start, &stop, &why);

		if (r > 0)
			return parse_message(c, start, stop, m);
		if (r < 0) {
			snprintf(text, sizeof(text), "the peer sent %s", why);
			return end(c, -EPROTO, text);
		}
		c->drained = true;
		r = read_more(c);
		if (r <= 0)
			return r;
	}
	return c->error;
}
