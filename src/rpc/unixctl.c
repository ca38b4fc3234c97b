/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/unixctl.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "base/util.h"

/* Each piece that is read makes the parser start anew, so IN_MAX bounds the work, too. */
enum { IN_MAX = 256 << 10, OUT_MAX = 64 << 20, ARGS_MAX = 64 };

/* --- commands ---------------------------------------------------------------------------------- */

static void list_commands(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	const struct unixctl_server *s = c->server;
	struct text t = {0};

	(void)argc, (void)argv, (void)aux;
	text_printf(&t, "The available commands are:\n");
	for (size_t i = 0; i < s->n_entries; i++)
		text_printf(&t, "  %-23s %s\n", s->entries[i].command->name,
			    s->entries[i].command->usage);
	unixctl_reply(c, text_get(&t));
	text_done(&t);
}

void unixctl_server_create(struct unixctl_server *s)
{
	static const struct unixctl_command list = {"list-commands", "", 0, 0, list_commands};

	*s = (struct unixctl_server){0};
	list_init(&s->conns);
	unixctl_add(s, &list, 1, NULL);
}

void unixctl_server_destroy(struct unixctl_server *s)
{
	while (!list_is_empty(&s->conns))
		unixctl_conn_free(container_of(s->conns.next, struct unixctl_conn, node));
	free(s->entries);
	s->entries = NULL;
	s->n_entries = 0;
}

/* The first entry that is not before 'name'. */
static size_t place(const struct unixctl_server *s, const char *name)
{
	size_t low = 0, high = s->n_entries;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (strcmp(s->entries[mid].command->name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct unixctl_entry *find(struct unixctl_server *s, const char *name)
{
	size_t i = place(s, name);

	if (i == s->n_entries || strcmp(s->entries[i].command->name, name))
		return NULL;
	return &s->entries[i];
}

int unixctl_add(struct unixctl_server *s, const struct unixctl_command *commands, size_t n,
		void *aux)
{
	struct unixctl_entry *more = realloc(s->entries, (s->n_entries + n) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	s->entries = more;
	for (size_t k = 0; k < n; k++) {
		struct unixctl_entry *e = find(s, commands[k].name);

		if (!e) {
			e = more + place(s, commands[k].name);
			memmove(e + 1, e, (size_t)(more + s->n_entries++ - e) * sizeof(*e));
		}
		*e = (struct unixctl_entry){&commands[k], aux};
	}
	return 0;
}

/* --- connections ------------------------------------------------------------------------------- */

struct unixctl_conn *unixctl_conn_new(struct unixctl_server *s, int fd)
{
	struct unixctl_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->server = s;
	c->fd = fd;
	list_append(&s->conns, &c->node);
	return c;
}

void unixctl_conn_free(struct unixctl_conn *c)
{
	if (!c)
		return;
	if (c->gone)
		c->gone(c, c->aux);
	list_remove(&c->node);
	close(c->fd);
	json_decref(c->id);
	free(c->in);
	free(c->out);
	free(c);
}

/* --- answers ----------------------------------------------------------------------------------- */

static bool grow(char **buf, size_t *size, size_t want, size_t max)
{
	size_t n = *size ? *size : 4096;
	char *p;

	if (want > max)
		return false;
	while (n < want)
		n *= 2;
	if (n == *size)
		return true;
	p = realloc(*buf, n);
	if (!p)
		return false;
	*buf = p;
	*size = n;
	return true;
}

static void write_out(struct unixctl_conn *c)
{
	while (c->out_sent < c->out_len) {
		ssize_t n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				c->closing = true;
			return;
		}
		c->out_sent += (size_t)n;
	}
	c->out_len = c->out_sent = 0;
}

static void answer(struct unixctl_conn *c, json_t *result, json_t *error)
{
	json_t *msg = json_pack("{s:o, s:o, s:o}", "result", result, "error", error, "id",
				c->id ? c->id : json_null());
	char *s = msg ? json_dumps(msg, JSON_COMPACT) : NULL;
	size_t len = s ? strlen(s) : 0;

	c->id = NULL; /* json_pack took it */
	c->resumed = true;
	c->gone = NULL;
	json_decref(msg);
	if (!s || !grow(&c->out, &c->out_size, c->out_len + len, OUT_MAX))
		c->closing = true;
	else
		memcpy(c->out + c->out_len, s, len);
	c->out_len += c->closing ? 0 : len;
	free(s);
	write_out(c);
}

static json_t *string(const char *text)
{
	json_t *s = json_string(text);

	return s ? s : json_string("(text that is not UTF-8)");
}

/* A text with its last newline: the client prints what it gets. */
static json_t *line(const char *text)
{
	size_t len = strlen(text);
	json_t *s = len && text[len - 1] != '\n' ? json_sprintf("%s\n", text) : json_string(text);

	return s ? s : json_string("(text that is not UTF-8)\n");
}

void unixctl_reply(struct unixctl_conn *c, const char *text)
{
	answer(c, line(text), json_null());
}

void unixctl_fail(struct unixctl_conn *c, const char *text)
{
	answer(c, json_null(), line(text));
}

/* --- requests ----------------------------------------------------------------------------------- */

static void process_command(struct unixctl_conn *c, const char *method, json_t *params)
{
	const struct unixctl_entry *e = find(c->server, method);
	const struct unixctl_command *cmd = e ? e->command : NULL;
	const char *argv[ARGS_MAX + 1] = {method};
	int argc = (int)MIN(json_array_size(params), (size_t)ARGS_MAX) + 1;
	char text[300] = "";

	for (int i = 1; i < argc; i++) {
		argv[i] = json_string_value(json_array_get(params, (size_t)i - 1));
		if (!argv[i] && !*text)
			snprintf(text, sizeof(text), "\"%.100s\" command has non-string argument",
				 method);
	}
	if (!cmd)
		snprintf(text, sizeof(text), "\"%.100s\" is not a valid command (use "
			 "\"list-commands\" to see a list of valid commands)", method);
	else if (argc - 1 < cmd->min_args)
		snprintf(text, sizeof(text), "\"%.100s\" command requires at least %d arguments",
			 method, cmd->min_args);
	else if (json_array_size(params) > (size_t)cmd->max_args)
		snprintf(text, sizeof(text), "\"%.100s\" command takes at most %d arguments", method,
			 cmd->max_args);
	if (*text)
		unixctl_fail(c, text);
	else
		cmd->fn(c, argc, argv, e->aux);
}

/* Length without a UTF-8 letter at the end of which more bytes have to come: json_loadb() takes it for
 * a wrong one. */
static size_t whole_letters(const char *s, size_t len)
{
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		uint8_t b = (uint8_t)s[len - back];

		if ((b & 0xc0) == 0x80)
			continue;
		if (b >= (back == 1 ? 0xc0 : back == 2 ? 0xe0 : 0xf0))
			return len - back;
		break;
	}
	return len;
}

/* One request from the front of what was read.  False: none is whole yet. */
static bool one_request(struct unixctl_conn *c)
{
	json_error_t err;
	const char *method;
	size_t len;
	json_t *msg, *params, *id;

	if (!c->in_len)
		return false;
	len = whole_letters(c->in, c->in_len);
	msg = json_loadb(c->in, len, JSON_DISABLE_EOF_CHECK, &err);
	if (!msg) {
		/* Cut off in the middle, or no JSON at all. */
		c->closing = err.position < (int)len || c->in_len >= IN_MAX;
		return false;
	}
	memmove(c->in, c->in + err.position, c->in_len - (size_t)err.position);
	c->in_len -= (size_t)err.position;
	method = json_string_value(json_object_get(msg, "method"));
	params = json_object_get(msg, "params");
	id = json_object_get(msg, "id");
	c->id = id ? json_incref(id) : NULL;
	if (!method || !json_is_array(params) || json_is_null(c->id) || !c->id)
		c->closing = true; /* no request */
	else
		process_command(c, method, params);
	json_decref(msg);
	return true;
}

static bool run(struct unixctl_conn *c)
{
	write_out(c);
	while (!c->closing && !c->id && !c->out_len) { /* one request at a time, and its answer */
		ssize_t n;

		if (one_request(c) || c->closing)
			continue;
		if (!grow(&c->in, &c->in_size, c->in_len + 4096, IN_MAX + 4096))
			return false;
		n = recv(c->fd, c->in + c->in_len, c->in_size - c->in_len, MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0)
			return false;
		c->in_len += (size_t)n;
	}
	return !c->closing;
}

bool unixctl_server_run(struct unixctl_conn *c)
{
	bool alive = run(c);

	c->resumed = false;
	return alive;
}

/* --- client --------------------------------------------------------------------------------------- */

static int connect_to(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd, err;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

struct reader {
	int fd;
	int err; /* a negative errno; 0: none */
	size_t left; /* of what is read at most */
};

static size_t read_some(void *buf, size_t size, void *data)
{
	struct reader *r = data;
	ssize_t n;

	do {
		n = recv(r->fd, buf, MIN(size, r->left), 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0) {
		r->err = n < 0 ? -errno : r->left ? -ECONNRESET : -EMSGSIZE;
		return 0;
	}
	r->left -= (size_t)n;
	return (size_t)n;
}

/* The last newline is the client's to print. */
static char *without_newline(const char *s)
{
	size_t len = strlen(s);

	return strndup(s, len && s[len - 1] == '\n' ? len - 1 : len);
}

static int read_answer(int fd, char **text)
{
	struct reader rd = {.fd = fd, .left = (size_t)OUT_MAX * 2};
	json_t *msg = json_load_callback(read_some, &rd, JSON_DISABLE_EOF_CHECK, NULL);
	const char *result = json_string_value(json_object_get(msg, "result"));
	const char *error = json_string_value(json_object_get(msg, "error"));
	int r = msg || !rd.err ? -EPROTO : rd.err;

	if (error) {
		*text = without_newline(error);
		r = 1;
	} else if (result) {
		*text = strdup(result);
		r = 0;
	}
	json_decref(msg);
	return r;
}

int unixctl_call(const char *path, int argc, const char *argv[], char **text)
{
	int fd = connect_to(path), r = -ENOMEM;
	json_t *params = json_array(), *msg;
	char *s;

	*text = NULL;
	for (int i = 1; i < argc; i++)
		json_array_append_new(params, string(argv[i]));
	msg = json_pack("{s:s, s:o, s:i}", "method", argv[0], "params", params, "id", 0);
	s = msg ? json_dumps(msg, JSON_COMPACT) : NULL;
	if (fd < 0)
		r = fd;
	else if (s)
		r = send(fd, s, strlen(s), MSG_NOSIGNAL) < 0 ? -errno : read_answer(fd, text);
	json_decref(msg);
	free(s);
	if (fd >= 0)
		close(fd);
	return r;
}
