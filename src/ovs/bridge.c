/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From rows to bridges (ovs.md 6.2): what is no longer wanted goes first, then what is new comes,
 * and the database is told in one transaction, cur_cfg with it.  A failure of one thing stops no
 * other.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "log/vlog.h"
#include "net/link.h"
#include "ovs/appctl.h"
#include "ovs/coverage.h"
#include "ovs/model.h"

static const struct ovsdb_table *table(const struct ovs *o, enum ovs_table t)
{
	return ovsdb_idl_table(o->idl, t);
}

/* --- what is there -------------------------------------------------------------------------------
 */

static struct bridge *bridge_find(struct ovs *o, const struct uuid *u)
{
	list_for_each (b, &o->bridges, struct bridge, node)
		if (!uuid_cmp(&b->uuid, u))
			return b;
	return NULL;
}

static uint64_t hash_uuid(const struct bridge *b, const struct uuid *u)
{
	return hash_bytes(b->ovs->cfg.vx->key, u, sizeof(*u));
}

static struct iface *iface_find(struct bridge *b, const struct uuid *u)
{
	hmap_for_each (n, &b->by_uuid, hash_uuid(b, u)) {
		struct iface *i = container_of(n, struct iface, by_uuid);

		if (!uuid_cmp(&i->uuid, u))
			return i;
	}
	return NULL;
}

static void bridge_destroy(struct bridge *b, bool keep)
{
	struct vx *vx = b->ovs->cfg.vx;

	ofproto_hold(vx); /* one snapshot without all of its ports */
	while (!list_is_empty(&b->ifaces)) {
		struct iface *i = container_of(b->ifaces.prev, struct iface, node);

		i->keep = keep;
		iface_destroy(i);
	}
	if (b->ofproto)
		ofproto_destroy(b->ofproto, !keep);
	ofproto_release(vx);
	list_remove(&b->node);
	hmap_done(&b->by_uuid);
	text_done(&b->unbuilt);
	free(b);
}

static void all_destroy(struct ovs *o, bool keep)
{
	while (!list_is_empty(&o->bridges))
		bridge_destroy(container_of(o->bridges.prev, struct bridge, node), keep);
}

/* --- what is wanted ------------------------------------------------------------------------------
 */

static const char *bridge_type(const struct ovsdb_row *row)
{
	const char *t = ovsdb_row_string(row, BRIDGE_DATAPATH_TYPE);

	return *t ? t : "system";
}

static const char *iface_type(const struct bridge *b, const struct ovsdb_row *row)
{
	const char *t = ovsdb_row_string(row, IFACE_TYPE);

	if (!strcmp(ovsdb_row_string(row, IFACE_NAME), b->name))
		return "internal";
	return *t ? t : "system";
}

static void want_iface(struct bridge *b, const struct ovsdb_row *row, const char *refusal)
{
	struct iface *i = iface_find(b, &row->node.uuid);
	const char *type = iface_type(b, row);

	if (i && !strcmp(i->type, type)) {
		i->wanted = true;
		snprintf(i->refusal, sizeof(i->refusal), "%s", refusal);
		return;
	}
	i = calloc(1, sizeof(*i));
	if (!i)
		return;
	i->bridge = b;
	i->uuid = row->node.uuid;
	i->wanted = true;
	snprintf(i->name, sizeof(i->name), "%s", ovsdb_row_string(row, IFACE_NAME));
	snprintf(i->type, sizeof(i->type), "%s", type);
	snprintf(i->refusal, sizeof(i->refusal), "%s", refusal);
	list_append(&b->ifaces, &i->node);
	hmap_add(&b->by_uuid, &i->by_uuid, hash_uuid(b, &i->uuid));
}

/* Calls fn for each interface that a bridge's row names. */
static void each_iface(struct ovs *o, struct bridge *b, const struct ovsdb_row *row,
		       void (*fn)(struct bridge *b, const struct ovsdb_row *port,
				  const struct ovsdb_row *iface))
{
	const struct ovsdb_datum *ports = ovsdb_row_datum(row, BRIDGE_PORTS);

	for (uint32_t k = 0; k < ports->n; k++) {
		const struct ovsdb_row *port =
			ovsdb_row_ref(row, BRIDGE_PORTS, k, table(o, OVS_PORT));
		uint32_t n = port ? ovsdb_row_datum(port, PORT_INTERFACES)->n : 0;

		for (uint32_t m = 0; m < n; m++) {
			const struct ovsdb_row *iface =
				ovsdb_row_ref(port, PORT_INTERFACES, m, table(o, OVS_INTERFACE));

			if (iface)
				fn(b, port, iface);
		}
	}
}

static void want_port_iface(struct bridge *b, const struct ovsdb_row *port,
			    const struct ovsdb_row *iface)
{
	const char *name = ovsdb_row_string(port, PORT_NAME);
	char refusal[REFUSAL_MAX] = "";

	if (ovsdb_row_datum(port, PORT_INTERFACES)->n > 1) /* ovs.md 11.17 */
		snprintf(refusal, sizeof(refusal), "%s: bonds are not built, use one interface", name);
	else if (!strcmp(ovsdb_row_string(port, PORT_VLAN_MODE), "dot1q-tunnel"))
		snprintf(refusal, sizeof(refusal),
			 "%s: vlan_mode dot1q-tunnel is not built, use access, trunk, native-tagged or "
			 "native-untagged", name);
	want_iface(b, iface, refusal);
}

static struct bridge *bridge_add(struct ovs *o, const struct ovsdb_row *row)
{
	struct bridge *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->ovs = o;
	b->uuid = row->node.uuid;
	snprintf(b->name, sizeof(b->name), "%s", ovsdb_row_string(row, BRIDGE_NAME));
	snprintf(b->type, sizeof(b->type), "%s", bridge_type(row));
	list_init(&b->ifaces);
	list_append(&o->bridges, &b->node);
	return b;
}

static void want_bridge(struct ovs *o, const struct ovsdb_row *row)
{
	const char *name = ovsdb_row_string(row, BRIDGE_NAME), *type = bridge_type(row);
	struct bridge *b = bridge_find(o, &row->node.uuid);

	if (strpbrk(name, "/\\")) {
		vlog_limited(VLM_BRIDGE, VLL_WARN, "ignoring bridge with invalid name '%s'", name);
		return;
	}
	if (b && strcmp(b->type, type)) {
		bridge_destroy(b, false);
		b = NULL;
	}
	if (!b)
		b = bridge_add(o, row);
	if (b)
		b->wanted = true;
}

/* --- making it so --------------------------------------------------------------------------------
 */

static void delete_unwanted(struct ovs *o)
{
	list_for_each_safe (b, &o->bridges, struct bridge, node) {
		if (!b->wanted) {
			bridge_destroy(b, false);
			continue;
		}
		list_for_each_safe (i, &b->ifaces, struct iface, node)
			if (!i->wanted)
				iface_destroy(i);
	}
}

static void bridge_failed(struct bridge *b, const char *why)
{
	if (!b->told_failure)
		vlog(VLM_BRIDGE, VLL_ERR, "failed to create bridge %s: %s", b->name, why);
	b->told_failure = true;
}

static void open_bridge(struct bridge *b)
{
	struct vx_err err = {0};
	int r;

	if (b->ofproto)
		return;
	if (strcmp(b->type, "system") && strcmp(b->type, "netdev")) {
		snprintf(err.text, sizeof(err.text), "unknown datapath type %s", b->type);
		bridge_failed(b, err.text);
		return;
	}
	r = ofproto_open(b->ovs->cfg.vx, b->name, b->type, &err, &b->ofproto);
	if (r < 0)
		bridge_failed(b, *err.text ? err.text : strerror(-r));
	else
		b->told_failure = false;
}

/* A bridge has a local port, even if the database has no row of it. */
static void add_local(struct bridge *b)
{
	struct ofproto_port_cfg cfg = {
		.name = b->name, .type = "internal", .ofport_request = OFPORT_LOCAL};
	struct ofproto_port_view v;
	struct vx_err err = {0};
	uint16_t no;

	list_for_each (i, &b->ifaces, struct iface, node)
		if (!strcmp(i->name, b->name))
			return;
	if (ofproto_port_get(b->ofproto, OFPORT_LOCAL, &v))
		return;
	if (ofproto_port_add(b->ofproto, &cfg, &no, &err) < 0)
		vlog_limited(VLM_BRIDGE, VLL_WARN, "bridge %s: it has no local port: %s", b->name,
			     err.text);
}

enum { N_CLAIMS = 3 };

/* Who has his number first: who asks for it, then who had it before. */
static int claim(const struct ovsdb_row *row)
{
	if (ovsdb_row_integer(row, IFACE_OFPORT_REQUEST, 0) > 0)
		return 0;
	return ovsdb_row_integer(row, IFACE_OFPORT, 0) > 0 ? 1 : 2;
}

static void bridge_add_ports(struct bridge *b)
{
	add_local(b);
	for (int pass = 0; pass < N_CLAIMS; pass++)
		list_for_each (i, &b->ifaces, struct iface, node) {
			const struct ovsdb_row *row =
				ovsdb_table_find(table(b->ovs, OVS_INTERFACE), &i->uuid);

			if (row && claim(row) == pass)
				iface_create(i, row);
		}
	ifaces_renumber(b);
}

/* --- telling the database ------------------------------------------------------------------------
 */

static void tell_bridge(struct bridge *b, const struct ovsdb_row *row, struct ovsdb_idl_txn *txn)
{
	char id[17];

	list_for_each (i, &b->ifaces, struct iface, node) {
		const struct ovsdb_row *iface =
			ovsdb_table_find(table(b->ovs, OVS_INTERFACE), &i->uuid);

		if (iface && (b->ofproto || i->ofport == OFPORT_FAILED))
			iface_tell(i, iface, txn);
	}
	if (!b->ofproto)
		return;
	snprintf(id, sizeof(id), "%016llx", (unsigned long long)b->dpid);
	ovsdb_idl_txn_set_string(txn, row, BRIDGE_DATAPATH_ID, id);
	ovsdb_idl_txn_set_string(txn, row, BRIDGE_DATAPATH_VERSION, "<built-in>");
}

static void tell_root(struct ovs *o, const struct ovsdb_row *root, struct ovsdb_idl_txn *txn)
{
	static const char *const types[] = {"internal", "patch", "system", "tap", "vxlan"};
	struct ovsdb_datum d;

	ovsdb_idl_txn_set_integer(txn, root, ROOT_CUR_CFG,
				  ovsdb_row_integer(root, ROOT_NEXT_CFG, 0));
	ovsdb_datum_init(&d, OVSDB_STRING, OVSDB_VOID);
	ovsdb_datum_put_string(&d, "netdev");
	ovsdb_datum_put_string(&d, "system");
	ovsdb_idl_txn_set(txn, root, ROOT_DATAPATH_TYPES, &d);
	ovsdb_datum_init(&d, OVSDB_STRING, OVSDB_VOID);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		ovsdb_datum_put_string(&d, types[i]);
	ovsdb_idl_txn_set(txn, root, ROOT_IFACE_TYPES, &d);
	ovsdb_idl_txn_set_boolean(txn, root, ROOT_DPDK_INITIALIZED, false);
	ovsdb_idl_txn_set_string(txn, root, ROOT_DPDK_VERSION, "none");
	list_for_each (b, &o->bridges, struct bridge, node) {
		const struct ovsdb_row *row = ovsdb_table_find(table(o, OVS_BRIDGE), &b->uuid);

		if (row)
			tell_bridge(b, row, txn);
	}
}

static void tell(struct ovs *o, const struct ovsdb_row *root)
{
	ovsdb_idl_txn_destroy(o->txn);
	o->txn = ovsdb_idl_txn_create(o->idl);
	if (!o->txn)
		return;
	tell_root(o, root, o->txn);
	ovsdb_idl_txn_commit(o->txn);
}

static void set_port_iface(struct bridge *b, const struct ovsdb_row *port,
			   const struct ovsdb_row *row)
{
	struct iface *i = iface_find(b, &row->node.uuid);

	if (!i)
		return;
	settings_iface(i, port, row);
	settings_bundle(i, port);
}

/* Makes bridges and their ports as the rows want them. */
static void bridge_reconfigure(struct ovs *o, const struct ovsdb_row *root)
{
	uint32_t n = ovsdb_row_datum(root, ROOT_BRIDGES)->n;

	o->reconfigured++;
	ofproto_hold(o->cfg.vx);
	list_for_each (b, &o->bridges, struct bridge, node) {
		b->wanted = false;
		list_for_each (i, &b->ifaces, struct iface, node)
			i->wanted = false;
	}
	for (uint32_t k = 0; k < n; k++) {
		const struct ovsdb_row *row =
			ovsdb_row_ref(root, ROOT_BRIDGES, k, table(o, OVS_BRIDGE));
		struct bridge *b;

		if (!row)
			continue;
		want_bridge(o, row);
		b = bridge_find(o, &row->node.uuid);
		if (b)
			each_iface(o, b, row, want_port_iface);
	}
	delete_unwanted(o);
	list_for_each (b, &o->bridges, struct bridge, node)
		open_bridge(b);
	settings_root(o, root); /* of every datapath that is open by now */
	list_for_each (b, &o->bridges, struct bridge, node) {
		const struct ovsdb_row *row = ovsdb_table_find(table(o, OVS_BRIDGE), &b->uuid);

		if (!b->ofproto || !row)
			continue;
		settings_bridge(b, row);
		bridge_add_ports(b);
		settings_address(b, row);
		each_iface(o, b, row, set_port_iface);
		settings_mtus(b);
	}
	/* Before anybody is told that it is so (statement 44). */
	ofproto_release(o->cfg.vx);
	list_for_each (b, &o->bridges, struct bridge, node)
		if (b->ofproto)
			ofproto_settle(b->ofproto, vx_now(o->cfg.vx));
}

/* --- running -------------------------------------------------------------------------------------
 */

int bridge_init(struct ovs **out, const struct ovs_config *cfg, char *why, size_t why_size)
{
	struct ovsdb_idl_config ic = {.remote = cfg->remote,
				      .rundir = cfg->rundir,
				      .lock = "ovs_vswitchd",
				      .db = &ovs_db};
	struct ovs *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return -ENOMEM;
	o->cfg = *cfg;
	list_init(&o->bridges);
	list_init(&o->waiters);
	r = appctl_coverage_init(o);
	if (r == 0)
		r = ovsdb_idl_create(&o->idl, &ic, why, why_size);
	if (r < 0) {
		coverage_free(o->coverage);
		free(o);
		return r;
	}
	*out = o;
	return 0;
}

void bridge_exit(struct ovs *o, bool cleanup)
{
	if (!o)
		return;
	appctl_upcall_exit(o);
	all_destroy(o, !cleanup);
	ovsdb_idl_txn_destroy(o->txn);
	ovsdb_idl_txn_destroy(o->status_txn);
	ovsdb_idl_destroy(o->idl);
	coverage_free(o->coverage);
	text_done(&o->unbuilt);
	free(o);
}

int bridge_fd(const struct ovs *o)
{
	return ovsdb_idl_fd(o->idl);
}

static bool must_tell_again(const struct ovs *o)
{
	enum ovsdb_idl_txn_status s;

	if (!o->txn)
		return false;
	s = ovsdb_idl_txn_status(o->txn);
	return s == OVSDB_TXN_TRY_AGAIN || s == OVSDB_TXN_NOT_LOCKED;
}

static void note_done(struct ovs *o)
{
	enum ovsdb_idl_txn_status s = o->txn ? ovsdb_idl_txn_status(o->txn) : OVSDB_TXN_UNCOMMITTED;

	if (s == OVSDB_TXN_SUCCESS || s == OVSDB_TXN_UNCHANGED)
		o->is_configured = true;
	if (s == OVSDB_TXN_ERROR && !o->told_error)
		vlog_limited(VLM_BRIDGE, VLL_ERR, "the database does not take what is written: %s",
			     ovsdb_idl_txn_error(o->txn));
	o->told_error = s == OVSDB_TXN_ERROR;
}

/* The connection comes and goes; attempts that fail are told once. */
static void log_connection(struct ovs *o)
{
	bool connected = ovsdb_idl_is_connected(o->idl);
	const char *why = ovsdb_idl_why(o->idl), *remote = ovsdb_idl_remote(o->idl);

	if (connected && !o->was_connected)
		vlog_limited(VLM_RECONNECT, VLL_INFO, "%s: connected", remote);
	else if (!connected && o->was_connected)
		vlog_limited(VLM_RECONNECT, VLL_INFO, "%s: connection lost (%s)", remote, why);
	else if (!connected && *why && !o->told_attempt)
		vlog_limited(VLM_RECONNECT, VLL_INFO,
			     "%s: connection attempt failed (%s), continuing to reconnect in the "
			     "background but suppressing further logging", remote, why);
	o->told_attempt = !connected && (o->told_attempt || (*why && !o->was_connected));
	o->was_connected = connected;
}

static void follow_database(struct ovs *o, uint64_t now)
{
	const struct ovsdb_row *root;
	bool again;

	ovsdb_idl_run(o->idl, now);
	log_connection(o);
	if (ovsdb_idl_is_lock_contended(o->idl) && !o->is_contended) {
		vlog(VLM_BRIDGE, VLL_ERR, "another ovs-vswitchd process is running, disabling this "
					  "process (pid %d) until it goes away", (int)getpid());
		all_destroy(o, true); /* ovs.md 11.23 */
	}
	o->is_contended = ovsdb_idl_is_lock_contended(o->idl);
	note_done(o);
	root = ovsdb_table_first(table(o, OVS_ROOT));
	if (!ovsdb_idl_has_lock(o->idl)) {
		/* What the host takes away comes back while the database is away, too. */
		if (root && o->links_changed && o->is_configured && !o->is_contended)
			bridge_reconfigure(o, root);
		o->links_changed = false;
		return;
	}
	if (!root) { /* asks for nothing, if that is known */
		if (ovsdb_idl_snapshots(o->idl))
			all_destroy(o, false);
		return;
	}
	again = must_tell_again(o) || o->links_changed;
	o->links_changed = false;
	if (ovsdb_idl_seqno(o->idl) == o->seen && !again)
		return;
	o->seen = ovsdb_idl_seqno(o->idl);
	bridge_reconfigure(o, root);
	tell(o, root);
}

/* Is there anybody to tell, who has heard all that was told before? */
static bool may_tell_status(const struct ovs *o)
{
	return o->is_configured && ovsdb_idl_has_lock(o->idl) &&
	       !(o->status_txn && ovsdb_idl_txn_status(o->status_txn) == OVSDB_TXN_INCOMPLETE);
}

/* Statistics, every stats-update-interval; what has not changed is not sent. */
static void tell_status(struct ovs *o, uint64_t now)
{
	if (now < o->next_status || !may_tell_status(o))
		return;
	o->next_status = now + o->stats_ms * NS_PER_MS;
	ovsdb_idl_txn_destroy(o->status_txn);
	o->status_txn = ovsdb_idl_txn_create(o->idl);
	if (!o->status_txn)
		return;
	list_for_each (b, &o->bridges, struct bridge, node)
		list_for_each (i, &b->ifaces, struct iface, node) {
			const struct ovsdb_row *row =
				ovsdb_table_find(table(o, OVS_INTERFACE), &i->uuid);

			if (row && b->ofproto)
				iface_tell_status(i, row, o->status_txn);
		}
	ovsdb_idl_txn_commit(o->status_txn);
}

void bridge_links_changed(struct ovs *o)
{
	if (o)
		o->links_changed = true;
}

void bridge_run(struct ovs *o, uint64_t now)
{
	follow_database(o, now);
	tell_status(o, now);
	list_for_each (b, &o->bridges, struct bridge, node)
		if (b->ofproto)
			ofproto_run(b->ofproto, now);
	appctl_upcall_run(o);
	appctl_coverage_run(o, now);
}

void bridge_wait(const struct ovs *o, uint64_t now, uint64_t *deadline)
{
	ovsdb_idl_wait(o->idl, deadline);
	*deadline = MIN(*deadline, o->next_coverage);
	if (may_tell_status(o) && !list_is_empty(&o->bridges))
		*deadline = MIN(*deadline, o->next_status);
	list_for_each (b, &o->bridges, struct bridge, node)
		if (b->ofproto)
			*deadline = MIN(*deadline, ofproto_wait(b->ofproto, now));
}

bool bridge_wants(const struct ovs *o, const char *name)
{
	list_for_each (b, &o->bridges, struct bridge, node)
		list_for_each (i, &b->ifaces, struct iface, node)
			if (!strcmp(i->name, name))
				return true;
	return false;
}

bool bridge_is_ready(const struct ovs *o)
{
	return o->is_configured || (ovsdb_idl_has_lock(o->idl) && ovsdb_idl_snapshots(o->idl) &&
				    !ovsdb_table_first(table(o, OVS_ROOT)));
}
