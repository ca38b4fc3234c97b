/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unixctl server: JSON-RPC 1.0 over a Unix stream socket, as ovs-appctl speaks it (ovs.md 4.2).
 * A request names a command and its words; the answer is one text, or an error text.
 *
 * One thread.  The owner's event loop calls unixctl_accept() and unixctl_server_run().
 */
#ifndef VX_RPC_UNIXCTL_H
#define VX_RPC_UNIXCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

struct unixctl_conn;

/* Answers with unixctl_reply() or unixctl_fail(), once: now, or later (then the connection's next
 * request waits).  argv[0] is the command's name; 'aux' is unixctl_add()'s. */
typedef void unixctl_fn(struct unixctl_conn *c, int argc, const char *argv[], void *aux);

struct unixctl_command {
	const char *name, *usage;
	int min_args, max_args;
	unixctl_fn *fn;
};

struct unixctl_entry {
	const struct unixctl_command *command;
	void *aux;
};

struct unixctl_server {
	struct list conns;
	struct unixctl_entry *entries; /* by name */
	size_t n_entries;
};

struct unixctl_conn {
	struct list node;
	struct unixctl_server *server;
	int fd;
	json_t *id;	 /* of the request at work; NULL: none */
	char *in, *out;
	size_t in_len, in_size, out_len, out_size, out_sent;
	bool closing;
	/* Answered outside of unixctl_server_run(): it is to be called, since of a request that was
	 * read already the socket does not tell. */
	bool resumed;
	/* Of a command that answers later: called when the connection ends first. */
	void (*gone)(struct unixctl_conn *c, void *aux);
	void *aux;
};

/* Knows one command: list-commands. */
void unixctl_server_create(struct unixctl_server *s);
/* Adds commands, which stay the caller's and in place.  A name that is there already gets the new
 * meaning.  0 or -ENOMEM. */
int unixctl_add(struct unixctl_server *s, const struct unixctl_command *commands, size_t n,
		void *aux);
void unixctl_server_destroy(struct unixctl_server *s);
struct unixctl_conn *unixctl_conn_new(struct unixctl_server *s, int fd); /* NULL: memory */
void unixctl_conn_free(struct unixctl_conn *c);
/* Reads, runs commands, writes.  False: it ended (free it). */
bool unixctl_server_run(struct unixctl_conn *c);
static inline bool unixctl_conn_wants_write(const struct unixctl_conn *c)
{
	return c->out_len != 0;
}
/* Text that does not end with a newline gets one; "" stays empty. */
void unixctl_reply(struct unixctl_conn *c, const char *text);
void unixctl_fail(struct unixctl_conn *c, const char *text);

/* Client.  One command on the socket 'path': 0 and *text (free()), 1 and the error's text without
 * its last newline, or a negative errno of the connection. */
int unixctl_call(const char *path, int argc, const char *argv[], char **text);

#endif
