/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/idl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ovsdb/idl_priv.h"

/* Messages a run: the owner's loop has others to serve. */
enum { RUN_MAX = 50 };

int ovsdb_idl_create(struct ovsdb_idl **out, const struct ovsdb_idl_config *cfg, char *why,
		     size_t why_size)
{
	struct {
		struct hash_key key;
		uint64_t shuffle;
	} seed;
	struct ovsdb_idl *idl = calloc(1, sizeof(*idl));
	int r = -ENOMEM;

	snprintf(why, why_size, "out of memory");
	if (!idl)
		return -ENOMEM;
	list_init(&idl->txns);
	idl->next_id = 1;
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		r = -EIO;
		snprintf(why, why_size, "no random numbers");
		goto out_destroy;
	}
	idl->data = ovsdb_cache_new(cfg->db, seed.key);
	idl->server = ovsdb_cache_new(&monitor_server_db, seed.key);
	idl->lock = cfg->lock ? strdup(cfg->lock) : NULL;
	idl->server_monitor_id = json_pack("[s, s]", "monid", monitor_server_db.name);
	if (!idl->data || !idl->server || (cfg->lock && !idl->lock) || !idl->server_monitor_id)
		goto out_destroy;
	r = session_new(&idl->session, cfg->remote, cfg->rundir, seed.shuffle, why, why_size);
	if (r)
		goto out_destroy;
	idl->serial = session_serial(idl->session);
	*out = idl;
	return 0;

out_destroy:
	ovsdb_idl_destroy(idl);
	return r;
}

void ovsdb_idl_destroy(struct ovsdb_idl *idl)
{
	if (!idl)
		return;
	txn_session_ended(idl);
	session_free(idl->session);
	ovsdb_cache_free(idl->data);
	ovsdb_cache_free(idl->server);
	json_decref(idl->server_monitor_id);
	json_decref(idl->monitor_id);
	json_decref(idl->last_id);
	free(idl->schema);
	free(idl->lock);
	free(idl);
}

void ovsdb_idl_set_probe(struct ovsdb_idl *idl, uint32_t ms)
{
	session_set_probe(idl->session, ms);
}

int ovsdb_idl_fd(const struct ovsdb_idl *idl)
{
	return session_fd(idl->session);
}

void ovsdb_idl_wait(const struct ovsdb_idl *idl, uint64_t *deadline)
{
	uint64_t d = session_deadline(idl->session);

	/* A connection that ended while its owner sent: its transactions' ends are not told yet. */
	if (idl->serial != session_serial(idl->session))
		d = 0;
	if (d < *deadline)
		*deadline = d;
}

unsigned ovsdb_idl_seqno(const struct ovsdb_idl *idl)
{
	return idl->seqno;
}

unsigned ovsdb_idl_snapshots(const struct ovsdb_idl *idl)
{
	return idl->snapshots;
}

bool ovsdb_idl_is_live(const struct ovsdb_idl *idl)
{
	return idl->state == IDL_LIVE && session_is_connected(idl->session);
}

bool ovsdb_idl_is_connected(const struct ovsdb_idl *idl)
{
	return session_is_connected(idl->session);
}

bool ovsdb_idl_has_lock(const struct ovsdb_idl *idl)
{
	return ovsdb_idl_is_live(idl) && (!idl->lock || idl->has_lock);
}

bool ovsdb_idl_is_lock_contended(const struct ovsdb_idl *idl)
{
	return idl->contended;
}

const char *ovsdb_idl_why(const struct ovsdb_idl *idl)
{
	if (idl->state == IDL_LIVE)
		return "";
	return idl->state == IDL_NO_DB ? idl->why : session_why(idl->session);
}

const char *ovsdb_idl_remote(const struct ovsdb_idl *idl)
{
	return session_remote(idl->session);
}

const struct ovsdb_table *ovsdb_idl_table(const struct ovsdb_idl *idl, size_t table)
{
	return &idl->data->t[table];
}

/* --- requests
 * ------------------------------------------------------------------------------------------ */

uint64_t idl_ask(struct ovsdb_idl *idl, const char *method, json_t *params)
{
	uint64_t id = idl->next_id++;

	session_send(idl->session, idl->now, jsonrpc_request(id, method, params));
	return id;
}

/* The session cannot go on: the next one begins anew. */
void idl_fail(struct ovsdb_idl *idl, const char *why)
{
	session_fail(idl->session, idl->now, why);
}

/* --- the lock
 * ----------------------------------------------------------------------------------------- */

static void set_lock(struct ovsdb_idl *idl, bool has, bool contended)
{
	if (has != idl->has_lock || contended != idl->contended)
		idl->seqno++;
	idl->has_lock = has;
	idl->contended = contended;
}

static void got_lock_reply(struct ovsdb_idl *idl, const json_t *result, const json_t *error)
{
	const json_t *locked = json_object_get(result, "locked");

	idl->lock_id = 0;
	if (error || !json_is_boolean(locked))
		idl_fail(idl, "the server refused a lock request");
	else
		set_lock(idl, json_is_true(locked), !json_is_true(locked));
}

static void got_lock_notice(struct ovsdb_idl *idl, const json_t *params, bool has)
{
	const char *name = json_string_value(json_array_get(params, 0));

	if (idl->lock && name && !strcmp(name, idl->lock))
		set_lock(idl, has, !has);
}

/* --- messages
 * ------------------------------------------------------------------------------------------ */

static void got_notice(struct ovsdb_idl *idl, const char *method, const json_t *params)
{
	if (!strcmp(method, "update3"))
		monitor_update(idl, 3, params);
	else if (!strcmp(method, "update2"))
		monitor_update(idl, 2, params);
	else if (!strcmp(method, "update"))
		monitor_update(idl, 1, params);
	else if (!strcmp(method, "monitor_canceled"))
		monitor_canceled(idl, params);
	else if (!strcmp(method, "locked"))
		got_lock_notice(idl, params, true);
	else if (!strcmp(method, "stolen"))
		got_lock_notice(idl, params, false);
}

static void got_reply(struct ovsdb_idl *idl, const struct jsonrpc_msg *m)
{
	uint64_t id = json_is_integer(m->id) ? (uint64_t)json_integer_value(m->id) : 0;

	if (!id)
		return;
	if (id == idl->awaited) {
		idl->awaited = 0;
		if (m->error)
			monitor_refused(idl, m->error);
		else
			monitor_answered(idl, m->result);
	} else if (id == idl->lock_id) {
		got_lock_reply(idl, m->result, m->error);
	} else {
		txn_reply(idl, id, m->result, m->error);
	}
}

/* --- running
 * -------------------------------------------------------------------------------------------- */

static void say_hello(struct ovsdb_idl *idl)
{
	monitor_begin(idl);
	if (idl->lock)
		idl->lock_id = idl_ask(idl, "lock", json_pack("[s]", idl->lock));
}

/* The connection is another one, or gone: nothing of the last one counts but the data. */
static void begin_session(struct ovsdb_idl *idl)
{
	idl->serial = session_serial(idl->session);
	idl->state = IDL_AWAY;
	idl->awaited = idl->lock_id = 0;
	idl->has_server = idl->monitor_on = false;
	if (idl->asked_schema) {
		/* The types are not those of that text. */
		free(idl->schema);
		idl->schema = NULL;
	}
	idl->asked_schema = false;
	idl->monitors = 0;
	idl->monitor_version = 3;
	set_lock(idl, false, false);
	txn_session_ended(idl);
	if (session_is_connected(idl->session))
		say_hello(idl);
}

void ovsdb_idl_run(struct ovsdb_idl *idl, uint64_t now)
{
	struct jsonrpc_msg m;

	idl->now = now;
	session_run(idl->session, now);
	if (idl->serial != session_serial(idl->session))
		begin_session(idl);
	for (int i = 0; i < RUN_MAX && session_recv(idl->session, now, &m); i++) {
		if (m.kind == JSONRPC_NOTIFY)
			got_notice(idl, m.method, m.params);
		else
			got_reply(idl, &m);
		jsonrpc_msg_done(&m);
		if (idl->serial != session_serial(idl->session))
			break;
	}
	if (idl->serial != session_serial(idl->session))
		begin_session(idl);
}
