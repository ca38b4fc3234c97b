/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON-RPC session that outlives its connections: connects to one of several remotes, asks
 * whether the peer is alive, connects again with growing pauses (ovs.md 1.8).
 *
 * BACKOFF	nothing is open; ends at a time.
 * CONNECTING	a socket is on its way; fails after the pause's length, 1 s at least.
 * ACTIVE	connected, and bytes came within the probe interval.
 * IDLE		connected, a probe is out; one interval more without a byte ends the connection.
 *
 * The pause is 1 s, then 2, 4 and 8 s; the remotes of a list are tried one after the other without
 * a pause between them.  A connection that received something and lasted as long as the pause
 * before it, 1 s at least, counts as good: after it all begins anew.
 *
 * One thread, never blocks.  Times are ns of any origin that the caller gives, never going back.
 */
#ifndef VX_RPC_SESSION_H
#define VX_RPC_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "rpc/jsonrpc.h"

struct session;

enum { SESSION_PROBE_MS = 5000, SESSION_BACKOFF_MIN_S = 1, SESSION_BACKOFF_MAX_S = 8 };

/* 'remotes' and 'rundir' as in rpc/remote.h; nothing is opened to them yet.  'seed' makes the order
 * in which a list is tried.  0, -EINVAL and why, or another negative errno. */
int session_new(struct session **s, const char *remotes, const char *rundir, uint64_t seed,
		char *why, size_t why_size);
void session_free(struct session *s); /* NULL is fine */

/* The interval of probes on each remote: 0 is never, less than 1000 ms is 1000 ms.  Without this
 * call 5000 ms, and never on unix:. */
void session_set_probe(struct session *s, uint32_t ms);

/* One descriptor for the session's life: readable (level) when session_run() has something to do.
 * It is an epoll descriptor around the socket, so who polls need not follow reconnections. */
int session_fd(const struct session *s);
/* When session_run() has something to do even if the descriptor is silent; UINT64_MAX: never. */
uint64_t session_deadline(const struct session *s);

/* Connects, writes, probes. */
void session_run(struct session *s, uint64_t now);
/* The next message; echo requests and the answers to ours are dealt with here.  True and *m
 * (jsonrpc_msg_done() it), or false: none now. */
bool session_recv(struct session *s, uint64_t now, struct jsonrpc_msg *m);
/* Takes 'msg' as jsonrpc_send() does.  Without a connection it is lost, as it would be in one that
 * ends: see session_serial(). */
void session_send(struct session *s, uint64_t now, json_t *msg);
/* Ends this connection: 'why' is the caller's; the next remote is tried after a pause. */
void session_fail(struct session *s, uint64_t now, const char *why);

bool session_is_connected(const struct session *s);
/* Moves with each connection made and each one lost: whatever was asked before is lost. */
unsigned session_serial(const struct session *s);
/* The remote at work, or the next one. */
const char *session_remote(const struct session *s);
/* Why the last connection or attempt ended, "" if none did. */
const char *session_why(const struct session *s);
/* The pause that the session is in or that a failure now would bring, in s. */
uint32_t session_backoff(const struct session *s);

#endif
