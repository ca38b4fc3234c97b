/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What idl.c (session, lock), monitor.c (schema, rows) and txn.c share.
 *
 * AWAY		no connection.
 * SERVER_SCHEMA  asked for the schema of _Server, which old servers lack.
 * SERVER_DATA	asked for the rows of _Server.
 * NO_DB	_Server does not (yet) have our database, or not to our liking.
 * SCHEMA	asked for the schema of the database itself.
 * DATA		asked for the database's rows, in the newest way that was not refused yet.
 * LIVE		have them; updates follow.
 */
#ifndef VX_OVSDB_IDL_PRIV_H
#define VX_OVSDB_IDL_PRIV_H

#include <jansson.h>

#include "base/list.h"
#include "ovsdb/cache.h"
#include "ovsdb/idl.h"
#include "ovsdb/uuid.h"
#include "rpc/session.h"

enum idl_state {
	IDL_AWAY,
	IDL_SERVER_SCHEMA,
	IDL_SERVER_DATA,
	IDL_NO_DB,
	IDL_SCHEMA,
	IDL_DATA,
	IDL_LIVE
};

struct ovsdb_idl {
	struct session *session;
	unsigned serial; /* the session's, as of the last look */
	uint64_t now, next_id;
	enum idl_state state;
	uint64_t awaited; /* id of the request that the state waits for */
	unsigned seqno, snapshots;

	struct ovsdb_cache *data, *server; /* server: _Server's table */
	bool has_server;		   /* _Server is monitored in this session */
	json_t *server_monitor_id;
	struct uuid cid;     /* of the cluster that last_id is of */
	char *schema;	     /* _Server's text of it as last looked at, or NULL */
	bool asked_schema;   /* 'data' has its types from get_schema, in this session */
	int monitor_version; /* 3: monitor_cond_since, 2: monitor_cond, 1: monitor */
	json_t *monitor_id;  /* of the last monitor asked for; NULL: none in this session */
	bool monitor_on;     /* it was asked for, and not cancelled by the server */
	unsigned monitors;   /* asked for in this session: makes their ids differ */
	json_t *last_id;     /* NULL: a snapshot is wanted */

	char *lock;
	uint64_t lock_id; /* of the lock request on its way */
	bool has_lock, contended;

	struct list txns; /* on their way, oldest first */
	char why[256];	  /* of NO_DB */
};

/* In idl.c. */
uint64_t idl_ask(struct ovsdb_idl *idl, const char *method,
		 json_t *params); /* takes params; the id */
void idl_fail(struct ovsdb_idl *idl,
	      const char *why); /* the session ends: the next one begins anew */

/* In monitor.c: the states' work, from a session's first request on. */
extern const struct ovsdb_db_def monitor_server_db;
void monitor_begin(struct ovsdb_idl *idl);
void monitor_answered(struct ovsdb_idl *idl, const json_t *result); /* to idl->awaited */
void monitor_refused(struct ovsdb_idl *idl, const json_t *error);
void monitor_update(struct ovsdb_idl *idl, int version, const json_t *params);
void monitor_canceled(struct ovsdb_idl *idl, const json_t *params);

/* In txn.c.  A reply, maybe to a transaction: true if it was one's. */
bool txn_reply(struct ovsdb_idl *idl, uint64_t id, const json_t *result, const json_t *error);
void txn_session_ended(struct ovsdb_idl *idl);

#endif
