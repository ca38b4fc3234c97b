/* SPDX-License-Identifier: Apache-2.0 */
/* What the client monitors: _Server, and the database itself in the newest way that the server has.
 * idl_priv.h tells of the states. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ovsdb/idl_priv.h"
#include "ovsdb/schema.h"
#include "ovsdb/update.h"

enum { SRV_NAME, SRV_MODEL, SRV_CONNECTED, SRV_LEADER, SRV_SCHEMA, SRV_CID };

static const struct ovsdb_column server_columns[] = {
	[SRV_NAME] = {"name", OVSDB_STRING, OVSDB_VOID, 0},
	[SRV_MODEL] = {"model", OVSDB_STRING, OVSDB_VOID, 0},
	[SRV_CONNECTED] = {"connected", OVSDB_BOOLEAN, OVSDB_VOID, 0},
	[SRV_LEADER] = {"leader", OVSDB_BOOLEAN, OVSDB_VOID, 0},
	[SRV_SCHEMA] = {"schema", OVSDB_STRING, OVSDB_VOID, 0},
	[SRV_CID] = {"cid", OVSDB_UUID, OVSDB_VOID, 0},
};
static const struct ovsdb_table_def server_table = {
	"Database", server_columns, sizeof(server_columns) / sizeof(server_columns[0])};
const struct ovsdb_db_def monitor_server_db = {"_Server", &server_table, 1};

/* --- requests
 * ----------------------------------------------------------------------------------------- */

static void ask_schema(struct ovsdb_idl *idl, enum idl_state state, const char *db)
{
	idl->state = state;
	idl->awaited = idl_ask(idl, "get_schema", json_pack("[s]", db));
}

void monitor_begin(struct ovsdb_idl *idl)
{
	ask_schema(idl, IDL_SERVER_SCHEMA, monitor_server_db.name);
}

/* A new id each time: what is still under way for a cancelled monitor is not for the next one. */
static json_t *new_monitor_id(struct ovsdb_idl *idl)
{
	const char *db = idl->data->def->name;

	if (!idl->monitors++)
		return json_pack("[s, s]", "monid", db);
	return json_pack("[s, s, i]", "monid", db, (int)idl->monitors);
}

/* Takes the params' last one, of monitor_cond_since only. */
static void ask_data_as(struct ovsdb_idl *idl, const char *method, json_t *last_id)
{
	json_t *params;

	json_decref(idl->monitor_id);
	idl->monitor_id = new_monitor_id(idl);
	params = json_pack("[s, O, o]", idl->data->def->name, idl->monitor_id,
			   ovsdb_cache_request(idl->data));
	if (last_id)
		json_array_append_new(params, last_id);
	idl->monitor_on = true;
	idl->state = IDL_DATA;
	idl->awaited = idl_ask(idl, method, params);
}

static void ask_data(struct ovsdb_idl *idl)
{
	if (idl->monitor_on)
		idl_ask(idl, "monitor_cancel", json_pack("[O]", idl->monitor_id));
	if (idl->monitor_version == 3)
		ask_data_as(idl, "monitor_cond_since",
			    idl->last_id ? json_incref(idl->last_id)
					 : json_string("00000000-0000-0000-0000-000000000000"));
	else
		ask_data_as(idl, idl->monitor_version == 2 ? "monitor_cond" : "monitor", NULL);
}

static void want_snapshot(struct ovsdb_idl *idl)
{
	json_decref(idl->last_id);
	idl->last_id = NULL;
}

/* --- _Server
 * ------------------------------------------------------------------------------------------ */

static const struct ovsdb_row *our_database(const struct ovsdb_idl *idl)
{
	ovsdb_table_for_each(row, &idl->server->t[0]) if (!strcmp(ovsdb_row_string(row, SRV_NAME),
								  idl->data->def->name)) return row;
	return NULL;
}

/* Whether the schema of 'text' is the one at work.  False: it is no schema. */
static bool use_schema(struct ovsdb_idl *idl, const char *text, bool *changed)
{
	json_t *schema;

	*changed = !idl->schema || strcmp(idl->schema, text);
	if (!*changed)
		return true;
	schema = json_loads(text, 0, NULL);
	if (!ovsdb_schema_is(schema, idl->data->def->name)) {
		json_decref(schema);
		return false;
	}
	ovsdb_cache_set_schema(idl->data, schema);
	json_decref(schema);
	free(idl->schema);
	idl->schema = strdup(text);
	want_snapshot(idl);
	return true;
}

/* What a server of a cluster gave is no use with another one, and locks are the leader's to give.
 */
static bool is_wanted_server(struct ovsdb_idl *idl, const struct ovsdb_row *row)
{
	const struct ovsdb_datum *cid = &row->d[SRV_CID];

	if (strcmp(ovsdb_row_string(row, SRV_MODEL), "clustered"))
		return true;
	if (!cid->n || uuid_cmp(&cid->keys[0].uuid, &idl->cid))
		want_snapshot(idl);
	if (cid->n)
		idl->cid = cid->keys[0].uuid;
	return ovsdb_row_boolean(row, SRV_CONNECTED, false) &&
	       (!idl->lock || ovsdb_row_boolean(row, SRV_LEADER, false));
}

static void wait_for_db(struct ovsdb_idl *idl)
{
	idl->state = IDL_NO_DB; /* the server tells when it comes */
	idl->awaited = 0;
	snprintf(idl->why, sizeof(idl->why), "%s: the server has no database %.80s",
		 session_remote(idl->session), idl->data->def->name);
}

/* After each change of _Server: our database may have come, gone, or got another schema. */
static void look_at_server(struct ovsdb_idl *idl)
{
	const struct ovsdb_row *row = our_database(idl);
	bool changed;

	if (row && !is_wanted_server(idl, row)) {
		idl_fail(idl, "this server of the cluster is not its leader, or cut off from it");
		return;
	}
	if (!row || !row->d[SRV_SCHEMA].n) {
		wait_for_db(idl);
		return;
	}
	if (!use_schema(idl, ovsdb_row_string(row, SRV_SCHEMA), &changed)) {
		idl_fail(idl, "the server sent a schema that is none");
		return;
	}
	if (changed || idl->state == IDL_NO_DB || (!idl->monitor_on && idl->state != IDL_SCHEMA))
		ask_data(idl);
}

/* From the database itself: an old server, or one whose _Server still tells of the schema before a
 * conversion, as 3.1's does. */
static void ask_db_schema(struct ovsdb_idl *idl)
{
	idl->asked_schema = true;
	ask_schema(idl, IDL_SCHEMA, idl->data->def->name);
}

static void got_server_schema(struct ovsdb_idl *idl, const json_t *schema)
{
	if (ovsdb_schema_is(schema, monitor_server_db.name)) {
		ovsdb_cache_set_schema(idl->server, schema);
		if (ovsdb_table_has(&idl->server->t[0], SRV_NAME) &&
		    ovsdb_table_has(&idl->server->t[0], SRV_SCHEMA)) {
			idl->state = IDL_SERVER_DATA;
			idl->awaited = idl_ask(idl, "monitor_cond",
					       json_pack("[s, O, o]", monitor_server_db.name,
							 idl->server_monitor_id,
							 ovsdb_cache_request(idl->server)));
			return;
		}
	}
	ask_db_schema(idl);
}

static void got_server_data(struct ovsdb_idl *idl, const json_t *tables)
{
	char why[200];

	if (ovsdb_update(idl->server, OVSDB_FORM_2, true, tables, why, sizeof(why))) {
		idl_fail(idl, why);
		return;
	}
	idl->has_server = true;
	/* Else the server ends the session whenever any database of it comes or goes. */
	idl_ask(idl, "set_db_change_aware", json_pack("[b]", 1));
	look_at_server(idl);
}

static void got_schema(struct ovsdb_idl *idl, const json_t *schema)
{
	if (!ovsdb_schema_is(schema, idl->data->def->name)) {
		idl_fail(idl, "the server sent a schema that is none");
		return;
	}
	want_snapshot(idl);
	ovsdb_cache_set_schema(idl->data, schema);
	ask_data(idl);
}

/* --- data
 * -------------------------------------------------------------------------------------------- */

static void keep_last_id(struct ovsdb_idl *idl, json_t *id)
{
	json_decref(idl->last_id);
	idl->last_id = json_is_string(id) ? json_incref(id) : NULL;
}

/* Takes in; the session ends if that fails. */
static bool take(struct ovsdb_idl *idl, enum ovsdb_form form, bool is_snapshot,
		 const json_t *tables)
{
	unsigned seq = idl->data->seq;
	char why[200];
	int r = ovsdb_update(idl->data, form, is_snapshot, tables, why, sizeof(why));

	if (r) {
		want_snapshot(idl);
		idl_fail(idl, why);
		return false;
	}
	if (is_snapshot || idl->data->seq != seq)
		idl->seqno++;
	return true;
}

static void got_data(struct ovsdb_idl *idl, const json_t *result)
{
	const json_t *tables = result;
	bool is_snapshot = true;

	if (idl->monitor_version == 3) {
		if (json_array_size(result) != 3) {
			idl_fail(idl,
				 "the server's answer to monitor_cond_since is not of three parts");
			return;
		}
		is_snapshot = !idl->last_id || !json_is_true(json_array_get(result, 0));
		tables = json_array_get(result, 2);
	}
	if (!take(idl, idl->monitor_version == 1 ? OVSDB_FORM_1 : OVSDB_FORM_2, is_snapshot,
		  tables))
		return;
	if (idl->monitor_version == 3)
		keep_last_id(idl, json_array_get(result, 1));
	idl->state = IDL_LIVE;
	idl->snapshots++;
	if (!is_snapshot)
		idl->seqno++;
}

static void data_refused(struct ovsdb_idl *idl, const char *why)
{
	idl->monitor_on = false;
	if (!idl->asked_schema) {
		ask_db_schema(idl); /* maybe a column is not there any more */
		return;
	}
	if (idl->monitor_version == 1) {
		idl_fail(idl, why);
		return;
	}
	idl->monitor_version--;
	want_snapshot(idl);
	ask_data(idl);
}

void monitor_update(struct ovsdb_idl *idl, int version, const json_t *params)
{
	const json_t *id = json_array_get(params, 0);
	const json_t *tables = json_array_get(params, version == 3 ? 2 : 1);
	char why[200];

	if (idl->has_server && version == 2 && json_equal(id, idl->server_monitor_id)) {
		if (ovsdb_update(idl->server, OVSDB_FORM_2, false, tables, why, sizeof(why)))
			idl_fail(idl, why);
		else
			look_at_server(idl);
		return;
	}
	if (!idl->monitor_on || idl->state == IDL_NO_DB || !json_equal(id, idl->monitor_id))
		return; /* of a monitor that was cancelled meanwhile, or will be */
	if (idl->state != IDL_LIVE || version != idl->monitor_version) {
		idl_fail(idl, "the server sent an update that was not asked for");
		return;
	}
	if (take(idl, version == 1 ? OVSDB_FORM_1 : OVSDB_FORM_2, false, tables) && version == 3)
		keep_last_id(idl, json_array_get(params, 1));
}

/* The database went, or was converted.  _Server may have told already, tell later, or (3.1, of a
 * conversion) never. */
void monitor_canceled(struct ovsdb_idl *idl, const json_t *params)
{
	if (!idl->monitor_on || !json_equal(json_array_get(params, 0), idl->monitor_id))
		return;
	idl->monitor_on = false;
	want_snapshot(idl);
	if (!idl->has_server)
		idl_fail(idl, "the server cancelled the monitor");
	else if (our_database(idl))
		ask_db_schema(idl);
	else
		wait_for_db(idl);
}

/* --- answers
 * ---------------------------------------------------------------------------------------- */

/* What the server said, for people. */
static void error_text(const json_t *error, char *text, size_t size)
{
	const char *s =
		json_string_value(json_is_object(error) ? json_object_get(error, "error") : error);
	const char *details = json_string_value(json_object_get(error, "details"));

	snprintf(text, size, "%.80s%s%.160s", s ? s : "an error without a text",
		 details ? ": " : "", details ? details : "");
}

void monitor_refused(struct ovsdb_idl *idl, const json_t *error)
{
	char text[256], why[320];

	error_text(error, text, sizeof(text));
	switch (idl->state) {
	case IDL_SERVER_SCHEMA:
	case IDL_SERVER_DATA:
		ask_db_schema(idl);
		break;
	case IDL_DATA:
		snprintf(why, sizeof(why), "monitor was refused: %s", text);
		data_refused(idl, why);
		break;
	default:
		snprintf(why, sizeof(why), "get_schema of %s was refused: %s", idl->data->def->name,
			 text);
		if (idl->has_server)
			wait_for_db(idl); /* it is about to go: _Server will tell */
		else
			idl_fail(idl, why);
	}
}

void monitor_answered(struct ovsdb_idl *idl, const json_t *result)
{
	switch (idl->state) {
	case IDL_SERVER_SCHEMA:
		got_server_schema(idl, result);
		break;
	case IDL_SERVER_DATA:
		got_server_data(idl, result);
		break;
	case IDL_SCHEMA:
		got_schema(idl, result);
		break;
	case IDL_DATA:
		got_data(idl, result);
		break;
	case IDL_AWAY:
	case IDL_NO_DB:
	case IDL_LIVE:
		break; /* waits for no answer */
	}
}
