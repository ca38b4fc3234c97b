/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON-RPC 1.0 on a stream socket: bytes in, messages out, and back (ovs.md 1.1).  One thread,
 * never blocks.
 *
 * What the peer can make grow has a cap: a message that is too large, too deep or of too many
 * values ends the connection with a reason, and so does a peer that does not read what it asked
 * for.
 */
#ifndef VX_RPC_JSONRPC_H
#define VX_RPC_JSONRPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct jsonrpc;

enum jsonrpc_kind { JSONRPC_REQUEST, JSONRPC_NOTIFY, JSONRPC_REPLY, JSONRPC_ERROR };

struct jsonrpc_msg {
	enum jsonrpc_kind kind;
	json_t *json; /* owns the rest; jsonrpc_msg_done() */
	const char *method;
	json_t *params; /* an array: of a request or notification */
	json_t *result; /* of a reply; NULL if it has none */
	json_t *error;	/* of an error */
	json_t *id;	/* NULL for a notification */
};

/* Takes 'json'.  0, or -EPROTO and why (then json is freed). */
int jsonrpc_msg_parse(struct jsonrpc_msg *m, json_t *json, const char **why);
void jsonrpc_msg_done(struct jsonrpc_msg *m);

/* Messages to send.  Each takes the json_t it is given, of which any may be NULL for want of
 * memory; then the result is NULL, too. */
json_t *jsonrpc_request(uint64_t id, const char *method, json_t *params);
json_t *jsonrpc_notify(const char *method, json_t *params);
json_t *jsonrpc_reply(json_t *id, json_t *result);
json_t *jsonrpc_error(json_t *id, json_t *error);

/* Takes the connected non-blocking socket 'fd', even on failure.  NULL: out of memory. */
struct jsonrpc *jsonrpc_new(int fd);
void jsonrpc_free(struct jsonrpc *c); /* NULL is fine */

/* Takes 'msg' (NULL: -ENOMEM), queues it and writes what the socket takes.  0 or a negative errno,
 * after which the connection is of no more use. */
int jsonrpc_send(struct jsonrpc *c, json_t *msg);
/* Writes what waits.  0 or a negative errno as above. */
int jsonrpc_flush(struct jsonrpc *c);
/* 1 and a message, 0 when none is whole, or a negative errno: the connection ended. */
int jsonrpc_recv(struct jsonrpc *c, struct jsonrpc_msg *m);
bool jsonrpc_wants_write(const struct jsonrpc *c);
/* Bytes were read that jsonrpc_recv() has not been asked about: the socket will not tell of them.
 */
bool jsonrpc_has_input(const struct jsonrpc *c);
uint64_t jsonrpc_received(const struct jsonrpc *c); /* bytes, ever */
/* Why the connection ended. */
const char *jsonrpc_why(const struct jsonrpc *c);

#endif
