/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions; idl.h holds the contract. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ovsdb/idl.h"
#include "ovsdb/idl_priv.h"

/* What is to become of one column.  A datum without types (key OVSDB_VOID) is not wanted. */
struct column_change {
	struct ovsdb_datum set, insert, verify;
	bool sent;
};

struct row_change {
	struct uuid_node node;
	struct list in_txn;
	const struct ovsdb_table *table;
	struct column_change c[];
};

struct ovsdb_idl_txn {
	struct ovsdb_idl *idl;
	struct list in_idl;
	enum ovsdb_idl_txn_status status;
	struct uuid_map map;
	struct list rows; /* in the order in which they were first named */
	bool no_memory;
	bool orphan; /* its owner destroyed it while it was on its way */
	uint64_t id;
	size_t n_ops;
	char error[256];
};

struct ovsdb_idl_txn *ovsdb_idl_txn_create(struct ovsdb_idl *idl)
{
	struct ovsdb_idl_txn *txn = calloc(1, sizeof(*txn));

	if (!txn)
		return NULL;
	txn->idl = idl;
	txn->map.key = idl->data->t[0].rows.key;
	list_init(&txn->in_idl);
	list_init(&txn->rows);
	return txn;
}

static void txn_free(struct ovsdb_idl_txn *txn)
{
	list_remove(&txn->in_idl);
	list_for_each_safe (rc, &txn->rows, struct row_change, in_txn) {
		for (size_t j = 0; j < rc->table->def->n_columns; j++) {
			ovsdb_datum_done(&rc->c[j].set);
			ovsdb_datum_done(&rc->c[j].insert);
			ovsdb_datum_done(&rc->c[j].verify);
		}
		free(rc);
	}
	uuid_map_done(&txn->map);
	free(txn);
}

void ovsdb_idl_txn_destroy(struct ovsdb_idl_txn *txn)
{
	if (!txn)
		return;
	if (txn->status == OVSDB_TXN_INCOMPLETE)
		txn->orphan = true; /* what it writes is unsettled until the reply */
	else
		txn_free(txn);
}

enum ovsdb_idl_txn_status ovsdb_idl_txn_status(const struct ovsdb_idl_txn *txn)
{
	return txn->status;
}

const char *ovsdb_idl_txn_error(const struct ovsdb_idl_txn *txn)
{
	return txn->error;
}

/* --- what it shall do
 * ----------------------------------------------------------------------------------- */

static struct row_change *row_change(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row)
{
	struct uuid_node *n = uuid_map_find(&txn->map, &row->node.uuid);
	struct row_change *rc;

	if (n)
		return container_of(n, struct row_change, node);
	rc = calloc(1, sizeof(*rc) + row->table->def->n_columns * sizeof(rc->c[0]));
	if (!rc)
		return NULL;
	rc->node.uuid = row->node.uuid;
	rc->table = row->table;
	if (!uuid_map_add(&txn->map, &rc->node)) {
		free(rc);
		return NULL;
	}
	list_append(&txn->rows, &rc->in_txn);
	return rc;
}

/* The column's place in the transaction, or NULL: the server lacks it, or memory does. */
static struct column_change *column_change(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row,
					   size_t column)
{
	struct row_change *rc;

	assert(txn->status == OVSDB_TXN_UNCOMMITTED && column < row->table->def->n_columns);
	if (!ovsdb_table_has(row->table, column))
		return NULL;
	rc = row_change(txn, row);
	if (!rc)
		txn->no_memory = true;
	return rc ? &rc->c[column] : NULL;
}

void ovsdb_idl_txn_set(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row, size_t column,
		       struct ovsdb_datum *d)
{
	const struct ovsdb_column *col = &row->table->def->columns[column];
	struct column_change *cc = column_change(txn, row, column);

	assert(d->key == col->key && d->value == col->value);
	if (!cc) {
		ovsdb_datum_done(d);
		return;
	}
	assert(!cc->insert.key);
	ovsdb_datum_done(&cc->set);
	cc->set = *d;
	*d = (struct ovsdb_datum){0};
}

/* What the column will be is only known while nobody else of ours writes it. */
static bool is_settled(const struct ovsdb_row *row, size_t column)
{
	return !row->unsettled[column];
}

bool ovsdb_idl_row_has(const struct ovsdb_row *row, size_t column, const struct ovsdb_datum *d)
{
	return !ovsdb_table_has(row->table, column) ||
	       (is_settled(row, column) && ovsdb_datum_equal(&row->d[column], d));
}

/* Sets a column to one atom; 'atom' NULL: to none.  Most of what is set is so already, and costs no
 * memory, as long as this transaction says nothing of the row. */
static void set_atom(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row, size_t column,
		     const union ovsdb_atom *atom)
{
	const struct ovsdb_column *col = &row->table->def->columns[column];
	struct ovsdb_datum d, one = {.key = col->key,
				     .value = col->value,
				     .n = atom != NULL,
				     .keys = (union ovsdb_atom *)(uintptr_t)atom};

	if (!uuid_map_find(&txn->map, &row->node.uuid) && ovsdb_idl_row_has(row, column, &one))
		return;
	ovsdb_datum_init(&d, col->key, col->value);
	if (atom && !ovsdb_datum_put(&d, atom, NULL))
		txn->no_memory = true;
	ovsdb_idl_txn_set(txn, row, column, &d);
}

void ovsdb_idl_txn_set_string(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row, size_t column,
			      const char *s)
{
	union ovsdb_atom a = {.string = (char *)(uintptr_t)s};
	const struct ovsdb_column *col = &row->table->def->columns[column];

	assert(col->key == OVSDB_STRING && !col->value);
	set_atom(txn, row, column, &a);
}

void ovsdb_idl_txn_set_integer(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row,
			       size_t column, int64_t n)
{
	union ovsdb_atom a = {.integer = n};
	const struct ovsdb_column *col = &row->table->def->columns[column];

	assert(col->key == OVSDB_INTEGER && !col->value);
	set_atom(txn, row, column, &a);
}

void ovsdb_idl_txn_set_boolean(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row,
			       size_t column, bool b)
{
	union ovsdb_atom a = {.boolean = b};
	const struct ovsdb_column *col = &row->table->def->columns[column];

	assert(col->key == OVSDB_BOOLEAN && !col->value);
	set_atom(txn, row, column, &a);
}

void ovsdb_idl_txn_clear(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row, size_t column)
{
	set_atom(txn, row, column, NULL);
}

void ovsdb_idl_txn_insert(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row, size_t column,
			  const union ovsdb_atom *key, const union ovsdb_atom *value)
{
	const struct ovsdb_column *col = &row->table->def->columns[column];
	struct column_change *cc = column_change(txn, row, column);

	if (!cc)
		return;
	assert(!cc->set.key);
	if (!cc->insert.key)
		ovsdb_datum_init(&cc->insert, col->key, col->value);
	if (!ovsdb_datum_put(&cc->insert, key, value))
		txn->no_memory = true;
}

void ovsdb_idl_txn_insert_pair(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row,
			       size_t column, const char *key, const char *value)
{
	union ovsdb_atom k = {.string = (char *)(uintptr_t)key};
	union ovsdb_atom v = {.string = (char *)(uintptr_t)value};
	const struct ovsdb_column *col = &row->table->def->columns[column];

	assert(col->key == OVSDB_STRING && col->value == OVSDB_STRING);
	ovsdb_idl_txn_insert(txn, row, column, &k, &v);
}

void ovsdb_idl_txn_verify(struct ovsdb_idl_txn *txn, const struct ovsdb_row *row, size_t column)
{
	struct column_change *cc = column_change(txn, row, column);

	if (cc && !cc->verify.key && !ovsdb_datum_copy(&cc->verify, &row->d[column]))
		txn->no_memory = true;
}

/* --- the request
 * ---------------------------------------------------------------------------------------- */

struct request {
	struct ovsdb_idl_txn *txn;
	json_t *waits, *writes; /* arrays of operations */
};

/* {"op": OP, "table": T, "where": this row} */
static json_t *operation(const char *op, const struct row_change *rc)
{
	char text[UUID_TEXT_LEN + 1];

	uuid_print(&rc->node.uuid, text);
	return json_pack("{s:s, s:s, s:[[s, s, [s, s]]]}", "op", op, "table", rc->table->def->name,
			 "where", "_uuid", "==", "uuid", text);
}

/* Whether the sets or maps say that every element of 'some' is in the row. */
static bool has_all(const struct ovsdb_datum *d, const struct ovsdb_datum *some)
{
	struct ovsdb_datum one = {.key = d->key, .value = d->value, .n = 1}, it = one;

	for (uint32_t i = 0; i < some->n; i++) {
		int at = ovsdb_datum_find(d, &some->keys[i]);

		if (at < 0)
			return false;
		one.keys = &d->keys[at];
		it.keys = &some->keys[i];
		if (d->value) {
			one.values = &d->values[at];
			it.values = &some->values[i];
		}
		if (!ovsdb_datum_equal(&one, &it))
			return false;
	}
	return true;
}

/* The keys of 'd' as a set. */
static json_t *keys_json(const struct ovsdb_datum *d)
{
	struct ovsdb_datum keys = {.key = d->key, .n = d->n, .keys = d->keys};

	return ovsdb_datum_json(&keys);
}

static void add_update(struct request *rq, struct row_change *rc, const struct ovsdb_row *row)
{
	json_t *columns = json_object(), *op;

	for (size_t j = 0; j < rc->table->def->n_columns; j++) {
		struct column_change *cc = &rc->c[j];

		if (!cc->set.key || (is_settled(row, j) && ovsdb_datum_equal(&cc->set, &row->d[j])))
			continue;
		cc->sent = true;
		if (json_object_set_new(columns, rc->table->def->columns[j].name,
					ovsdb_datum_json(&cc->set)))
			rq->txn->no_memory = true;
	}
	if (!json_object_size(columns)) {
		json_decref(columns);
		return;
	}
	op = operation("update", rc);
	if (json_object_set_new(op, "row", columns) || json_array_append_new(rq->writes, op))
		rq->txn->no_memory = true;
}

/* "insert" leaves the pair of a key that is there, so such a key has to go first. */
static json_t *mutations_of(const char *name, const struct column_change *cc)
{
	json_t *all = json_array();

	if (cc->insert.value)
		json_array_append_new(
			all, json_pack("[s, s, o]", name, "delete", keys_json(&cc->insert)));
	json_array_append_new(
		all, json_pack("[s, s, o]", name, "insert", ovsdb_datum_json(&cc->insert)));
	return all;
}

static void add_mutate(struct request *rq, struct row_change *rc, const struct ovsdb_row *row)
{
	json_t *all = json_array(), *op;

	for (size_t j = 0; j < rc->table->def->n_columns; j++) {
		struct column_change *cc = &rc->c[j];
		json_t *some;

		if (!cc->insert.key || (is_settled(row, j) && has_all(&row->d[j], &cc->insert)))
			continue;
		cc->sent = true;
		some = mutations_of(rc->table->def->columns[j].name, cc);
		if (json_array_size(some) != 1u + !!cc->insert.value ||
		    json_array_extend(all, some))
			rq->txn->no_memory = true;
		json_decref(some);
	}
	if (!json_array_size(all)) {
		json_decref(all);
		return;
	}
	op = operation("mutate", rc);
	if (json_object_set_new(op, "mutations", all) || json_array_append_new(rq->writes, op))
		rq->txn->no_memory = true;
}

/* The row has to be in the table with these values when the transaction is run: no time to wait. */
static void add_wait(struct request *rq, struct row_change *rc)
{
	json_t *names = json_array(), *values = json_object(), *op;

	for (size_t j = 0; j < rc->table->def->n_columns; j++) {
		const char *name = rc->table->def->columns[j].name;

		if (!rc->c[j].verify.key)
			continue;
		if (json_array_append_new(names, json_string(name)) ||
		    json_object_set_new(values, name, ovsdb_datum_json(&rc->c[j].verify)))
			rq->txn->no_memory = true;
	}
	if (!json_array_size(names)) {
		json_decref(names);
		json_decref(values);
		return;
	}
	op = operation("wait", rc);
	if (json_object_set_new(op, "columns", names) ||
	    json_object_set_new(op, "until", json_string("==")) ||
	    json_object_set_new(op, "rows", json_pack("[o]", values)) ||
	    json_object_set_new(op, "timeout", json_integer(0)) ||
	    json_array_append_new(rq->waits, op))
		rq->txn->no_memory = true;
}

/* A row that went meanwhile has nothing to write. */
static void add_operations(struct request *rq)
{
	list_for_each (rc, &rq->txn->rows, struct row_change, in_txn) {
		const struct ovsdb_row *row = ovsdb_table_find(rc->table, &rc->node.uuid);

		add_wait(rq, rc);
		if (!row)
			continue;
		add_update(rq, rc, row);
		add_mutate(rq, rc, row);
	}
}

static json_t *params_of(const struct request *rq)
{
	const struct ovsdb_idl *idl = rq->txn->idl;
	json_t *params = json_pack("[s]", idl->data->def->name);
	int bad = json_array_extend(params, rq->waits) | json_array_extend(params, rq->writes);

	if (idl->lock)
		bad |= json_array_append_new(
			params, json_pack("{s:s, s:s}", "op", "assert", "lock", idl->lock));
	if (!bad)
		return params;
	json_decref(params);
	return NULL;
}

/* --- on its way
 * ------------------------------------------------------------------------------------------ */

/* Counts each column that was sent up or down in the row's unsettled ones. */
static void settle(struct ovsdb_idl_txn *txn, int step)
{
	list_for_each (rc, &txn->rows, struct row_change, in_txn) {
		struct ovsdb_row *row = ovsdb_table_find(rc->table, &rc->node.uuid);

		for (size_t j = 0; row && j < rc->table->def->n_columns; j++) {
			uint16_t *n = &row->unsettled[j];

			/* A row that went and came back has forgotten. */
			if (rc->c[j].sent && (step > 0 ? *n < UINT16_MAX : *n > 0))
				*n = (uint16_t)(*n + step);
		}
	}
}

static enum ovsdb_idl_txn_status send(struct ovsdb_idl_txn *txn, const struct request *rq)
{
	struct ovsdb_idl *idl = txn->idl;
	json_t *params = params_of(rq);

	if (!params || txn->no_memory) {
		json_decref(params);
		snprintf(txn->error, sizeof(txn->error), "out of memory");
		return OVSDB_TXN_ERROR;
	}
	txn->n_ops = json_array_size(params) - 1;
	txn->id = idl->next_id++;
	list_append(&idl->txns, &txn->in_idl);
	settle(txn, 1);
	/* A connection that ends here ends the transaction in the next ovsdb_idl_run(). */
	session_send(idl->session, idl->now, jsonrpc_request(txn->id, "transact", params));
	return OVSDB_TXN_INCOMPLETE;
}

static enum ovsdb_idl_txn_status commit(struct ovsdb_idl_txn *txn)
{
	struct ovsdb_idl *idl = txn->idl;
	struct request rq = {.txn = txn};
	enum ovsdb_idl_txn_status status;

	if (!ovsdb_idl_is_live(idl))
		return OVSDB_TXN_TRY_AGAIN;
	if (!ovsdb_idl_has_lock(idl))
		return OVSDB_TXN_NOT_LOCKED;
	rq.waits = json_array();
	rq.writes = json_array();
	add_operations(&rq);
	if (!txn->no_memory && rq.writes && !json_array_size(rq.writes))
		status = OVSDB_TXN_UNCHANGED;
	else
		status = send(txn, &rq);
	json_decref(rq.waits);
	json_decref(rq.writes);
	return status;
}

enum ovsdb_idl_txn_status ovsdb_idl_txn_commit(struct ovsdb_idl_txn *txn)
{
	if (txn->status == OVSDB_TXN_UNCOMMITTED)
		txn->status = commit(txn);
	return txn->status;
}

/* --- how it ended
 * ---------------------------------------------------------------------------------------- */

static void finish(struct ovsdb_idl_txn *txn, enum ovsdb_idl_txn_status status)
{
	settle(txn, -1);
	list_remove(&txn->in_idl);
	txn->status = status;
	if (txn->orphan)
		txn_free(txn);
}

/* The status that an error of the server's means; keeps its text. */
static enum ovsdb_idl_txn_status failed(struct ovsdb_idl_txn *txn, const json_t *error,
					const json_t *details)
{
	const char *e = json_string_value(error), *d = json_string_value(details);

	snprintf(txn->error, sizeof(txn->error), "%.80s%s%.160s", e ? e : "an error without a text",
		 d ? ": " : "", d ? d : "");
	if (e && (!strcmp(e, "timed out") || !strcmp(e, "canceled")))
		return OVSDB_TXN_TRY_AGAIN;
	return e && !strcmp(e, "not owner") ? OVSDB_TXN_NOT_LOCKED : OVSDB_TXN_ERROR;
}

/* Success: an object for each operation and none with an error.  What fails at the commit comes as
 * one object more. */
static enum ovsdb_idl_txn_status judge(struct ovsdb_idl_txn *txn, const json_t *result)
{
	size_t i, n = json_array_size(result), done = 0;
	json_t *r;

	json_array_foreach(result, i, r)
	{
		const json_t *error = json_object_get(r, "error");

		if (error && !json_is_null(error))
			return failed(txn, error, json_object_get(r, "details"));
		done += json_is_object(r);
	}
	if (n == txn->n_ops && done == n)
		return OVSDB_TXN_SUCCESS;
	snprintf(txn->error, sizeof(txn->error), "%zu results of %zu operations", done, txn->n_ops);
	return OVSDB_TXN_ERROR;
}

bool txn_reply(struct ovsdb_idl *idl, uint64_t id, const json_t *result, const json_t *error)
{
	list_for_each (txn, &idl->txns, struct ovsdb_idl_txn, in_idl) {
		enum ovsdb_idl_txn_status status;

		if (txn->id != id)
			continue;
		if (!error)
			status = judge(txn, result);
		else if (json_is_object(error))
			status = failed(txn, json_object_get(error, "error"),
					json_object_get(error, "details"));
		else
			status = failed(txn, error, NULL);
		finish(txn, status);
		return true;
	}
	return false;
}

/* Whether they were run nobody knows: their owners look at the tables. */
void txn_session_ended(struct ovsdb_idl *idl)
{
	list_for_each_safe (txn, &idl->txns, struct ovsdb_idl_txn, in_idl)
		finish(txn, OVSDB_TXN_TRY_AGAIN);
}
