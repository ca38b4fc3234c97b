/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of an OVSDB server: keeps a copy of the wanted columns of one database up to date, holds
 * a lock, sends transactions (RFC 7047; ovs.md 1).  It knows nothing of what the database is for.
 *
 * One thread, never blocks.  The owner polls ovsdb_idl_fd() for reading until the deadline, calls
 * ovsdb_idl_run(), and looks at the tables when ovsdb_idl_seqno() has moved:
 *
 *	ovsdb_idl_run(idl, now);
 *	if (ovsdb_idl_has_lock(idl) && ovsdb_idl_seqno(idl) != seen) {
 *		seen = ovsdb_idl_seqno(idl);
 *		ovsdb_table_for_each(row, ovsdb_idl_table(idl, 0))
 *			...
 *	}
 *	ovsdb_idl_wait(idl, &deadline);
 *
 * While the server is away the copy stays as it was; the next snapshot then replaces it, and rows
 * that are as before stay so.  Columns that the schema calls ephemeral come back empty: their owner
 * writes them again, of which what has not changed is not sent, when ovsdb_idl_snapshots() has
 * moved.
 */
#ifndef VX_OVSDB_IDL_H
#define VX_OVSDB_IDL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ovsdb/cache.h"

struct ovsdb_idl;

struct ovsdb_idl_config {
	const char *remote; /* unix:PATH, tcp:ADDRESS[:PORT], several with commas: rpc/remote.h */
	const char *rundir; /* of a relative unix:PATH; may be NULL */
	const char *lock;   /* NULL: none, and transactions assert none */
	const struct ovsdb_db_def *db; /* borrowed for the idl's life */
};

/* 0; -EINVAL and why (the remote cannot be parsed); or another negative errno and why. */
int ovsdb_idl_create(struct ovsdb_idl **idl, const struct ovsdb_idl_config *cfg, char *why,
		     size_t why_size);
/* After every transaction of it.  NULL is fine. */
void ovsdb_idl_destroy(struct ovsdb_idl *idl);
/* Probes' interval, as session_set_probe() of rpc/session.h has it. */
void ovsdb_idl_set_probe(struct ovsdb_idl *idl, uint32_t ms);

/* The same descriptor for the idl's life: poll it for reading. */
int ovsdb_idl_fd(const struct ovsdb_idl *idl);
/* Lowers *deadline to when ovsdb_idl_run() has to be called even if the descriptor is silent. */
void ovsdb_idl_wait(const struct ovsdb_idl *idl, uint64_t *deadline);
/* Takes in what came, at most some messages a call.  'now' is ns of any origin, never going back.
 */
void ovsdb_idl_run(struct ovsdb_idl *idl, uint64_t now);

/* Moves with each message that brings news, each snapshot, and when the lock comes or goes. */
unsigned ovsdb_idl_seqno(const struct ovsdb_idl *idl);
/* Snapshots taken in so far; 0: the tables have never been filled. */
unsigned ovsdb_idl_snapshots(const struct ovsdb_idl *idl);
/* The copy is the server's state, but for what is under way. */
bool ovsdb_idl_is_live(const struct ovsdb_idl *idl);
bool ovsdb_idl_is_connected(const struct ovsdb_idl *idl);
/* True where there is no lock to hold and the copy is live. */
bool ovsdb_idl_has_lock(const struct ovsdb_idl *idl);
/* Somebody else has the lock: it was refused or stolen.  The server tells when it is ours. */
bool ovsdb_idl_is_lock_contended(const struct ovsdb_idl *idl);
/* Why the last session ended, or could not begin; "" if all went well. */
const char *ovsdb_idl_why(const struct ovsdb_idl *idl);
/* The remote in use, or tried next. */
const char *ovsdb_idl_remote(const struct ovsdb_idl *idl);

/* The table of this number in the definition. */
const struct ovsdb_table *ovsdb_idl_table(const struct ovsdb_idl *idl, size_t table);

/* --- transactions --- */

enum ovsdb_idl_txn_status {
	OVSDB_TXN_UNCOMMITTED,
	OVSDB_TXN_UNCHANGED,  /* nothing would change: nothing was sent */
	OVSDB_TXN_INCOMPLETE, /* on its way */
	OVSDB_TXN_SUCCESS,
	OVSDB_TXN_TRY_AGAIN, /* a wait failed, or the session ended: make it anew from the tables */
	OVSDB_TXN_NOT_LOCKED, /* the lock is not, or no longer, ours: nothing was written */
	OVSDB_TXN_ERROR,      /* ovsdb_idl_txn_error() says what */
};

struct ovsdb_idl_txn;

/* Changes of rows that exist.  Several may be on their way.  The tables show a change when the
 * server reports it, which is before the transaction's SUCCESS. */
struct ovsdb_idl_txn *ovsdb_idl_txn_create(struct ovsdb_idl *idl); /* NULL: out of memory */
/* In any state; what was sent stays sent.  NULL is fine. */
void ovsdb_idl_txn_destroy(struct ovsdb_idl_txn *txn);

/* Setting the column to 'd' would change nothing, nor what is on its way: a question that costs no
 * memory. */
bool ovsdb_idl_row_has(const struct ovsdb_row *row, size_t column, const struct ovsdb_datum *d);

/* Sets a column; 'd', of the column's types, is the txn's from here on.  A column that the server
 * lacks is left alone.  Out of memory shows at the commit. */
void ovsdb_idl_txn_set(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row, size_t column,
		       struct ovsdb_datum *d);
void ovsdb_idl_txn_set_string(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row, size_t column,
			      const char *s);
void ovsdb_idl_txn_set_integer(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row,
			       size_t column, int64_t n);
void ovsdb_idl_txn_set_boolean(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row,
			       size_t column, bool b);
void ovsdb_idl_txn_clear(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row, size_t column);
/* Adds one element of a set or pair of a map (of strings), or changes the pair's value; what else
 * the column has by then stays.  Not for a column that this transaction sets. */
void ovsdb_idl_txn_insert(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row, size_t column,
			  const union ovsdb_atom *key, const union ovsdb_atom *value);
void ovsdb_idl_txn_insert_pair(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row,
			       size_t column, const char *key, const char *value);
/* Nothing is written if the column has another value by then than it has now: TRY_AGAIN. */
void ovsdb_idl_txn_verify(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row, size_t column);

/* Sends it, once. */
enum ovsdb_idl_txn_status ovsdb_idl_txn_commit(struct ovsdb_idl_txn *txn);
enum ovsdb_idl_txn_status ovsdb_idl_txn_status(const struct ovsdb_idl_txn *txn);
const char *ovsdb_idl_txn_error(const struct ovsdb_idl_txn *txn); /* "" if there is none */

#endif
