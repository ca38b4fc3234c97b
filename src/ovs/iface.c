/* SPDX-License-Identifier: Apache-2.0 */
/* An interface: from its row to a port of its bridge, and what is said of it. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "io/hostdriver.h"
#include "io/hostroute.h"
#include "log/vlog.h"
#include "net/dev.h"
#include "net/host.h"
#include "net/link.h"
#include "ovs/model.h"
#include "ovs/vxlan_options.h"

enum { STATISTICS_MAX = 14 };

static const char *const known_types[] = {"system", "internal", "tap", "patch", "vxlan"};

/* The bridge's own: it is made with it, and again if the host deletes it. */
static bool is_local(const struct iface *i)
{
	return !strcmp(i->name, i->bridge->name);
}

static bool is_known_type(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(known_types); i++)
		if (!strcmp(type, known_types[i]))
			return true;
	return false;
}

static bool parse_patch(struct iface *i, const struct ovsdb_row *row, struct ofproto_port_cfg *cfg)
{
	const struct ovsdb_datum *o = ovsdb_row_datum(row, IFACE_OPTIONS);

	cfg->peer = ovsdb_row_get(row, IFACE_OPTIONS, "peer");
	if (!cfg->peer)
		text_printf(&i->error, "%s: patch type requires valid 'peer' argument", i->name);
	else if (o->n > 1)
		text_printf(&i->error, "%s: patch type takes only a 'peer' argument", i->name);
	else if (!strcmp(cfg->peer, i->name))
		text_printf(&i->error, "%s: patch peer must not be self", i->name);
	else if (strlen(cfg->peer) >= OVS_NAME_MAX)
		text_printf(&i->error, "%s: the patch peer's name is longer than %d bytes", i->name,
			    OVS_NAME_MAX - 1);
	return !i->error.len;
}

static void log_lines(const char *s)
{
	while (*s) {
		size_t n = strcspn(s, "\n");

		vlog(VLM_BRIDGE, VLL_WARN, "%.*s", (int)n, s);
		s += n + (s[n] == '\n');
	}
}

static bool parse_vxlan(struct iface *i, const struct ovsdb_row *row, struct ofproto_port_cfg *cfg)
{
	struct text warning = {0};
	bool good = vxlan_options_parse(i->name, ovsdb_row_datum(row, IFACE_OPTIONS), &cfg->tun,
					&i->error, &warning);

	if (strcmp(text_get(&i->warned), text_get(&warning)) != 0)
		log_lines(text_get(&warning));
	text_done(&i->warned);
	i->warned = warning;
	return good;
}

/* The datapaths' own, and those of what tunnels share. */
static bool is_reserved(const char *name)
{
	static const char *const prefixes[] = {
		"erspan_sys", "genev_sys", "gre_sys", "gtpu_sys", "ip6erspan_sys",
		"ip6gre_sys", "lisp_sys",  "stt_sys", "udp_sys",  "vxlan_sys"};

	for (size_t k = 0; k < ARRAY_LEN(prefixes); k++)
		if (!strncmp(name, prefixes[k], strlen(prefixes[k])))
			return true;
	return !strcmp(name, "ovs-netdev") || !strcmp(name, "ovs-system");
}

bool iface_parse(struct iface *i, const struct ovsdb_row *row, struct ofproto_port_cfg *cfg)
{
	int64_t want = ovsdb_row_integer(row, IFACE_OFPORT_REQUEST, 0);
	int64_t told = ovsdb_row_integer(row, IFACE_OFPORT, 0);
	int64_t had = told > 0 ? told : i->had_ofport;

	if (strlen(ovsdb_row_string(row, IFACE_NAME)) >= sizeof(i->name)) {
		text_printf(&i->error, "%.20s...: a name has at most %zu bytes", i->name,
			    sizeof(i->name) - 1);
		return false;
	}
	if (*i->refusal && !is_local(i)) {
		text_printf(&i->error, "%s", i->refusal);
		return false;
	}
	if (is_reserved(i->name)) { /* 3.1 tells the log only */
		vlog_limited(VLM_BRIDGE, VLL_WARN,
			     "could not create interface %s, name is reserved", i->name);
		return false;
	}
	*cfg = (struct ofproto_port_cfg){.name = i->name, .type = i->type};
	if (!strcmp(i->type, "tap")) /* one of the host's own making: as internal */
		cfg->type = "internal";
	/* Without a request the number of before is the one to have. */
	cfg->ofport_request = (uint16_t)(want > 0 ? want : had > 0 && had < 65280 ? had : 0);
	if (is_local(i))
		cfg->ofport_request = OFPORT_LOCAL;
	if (!is_known_type(i->type)) {
		text_printf(&i->error,
			    "could not open network device %s (Address family not "
			    "supported by protocol)",
			    i->name);
		return false;
	}
	if (!strcmp(i->type, "patch"))
		return parse_patch(i, row, cfg);
	return strcmp(i->type, "vxlan") || parse_vxlan(i, row, cfg);
}

static bool is_tap(const struct iface *i)
{
	return !strcmp(i->type, "internal") || !strcmp(i->type, "tap");
}

/* 3.1's sentence for what a port's making answered. */
static void say_error(struct iface *i, int r, const struct vx_err *err)
{
	if (is_tap(i) && *err->text) /* of a name that it cannot have (ovs.md 11.24) */
		text_printf(&i->error, "could not open network device %s (%s)", i->name,
			    strerror(r == -EEXIST ? EINVAL : -r));
	else if (r == -EEXIST || r == -EADDRINUSE)
		text_printf(&i->error, "could not add network device %s to ofproto (%s)", i->name,
			    strerror(-r));
	else if (r == -ENODEV || !*err->text)
		text_printf(&i->error, "could not open network device %s (%s)", i->name,
			    strerror(-r));
	else
		text_printf(&i->error, "%s", err->text);
}

static void fail(struct iface *i)
{
	if (i->ofport > 0)
		ofproto_port_del(i->bridge->ofproto, (uint16_t)i->ofport, true);
	i->ofport = OFPORT_FAILED;
	i->had_ofport = OFPORT_NONE; /* when that is mended it is another one, as in 3.1 */
}

/* Its device went: what is left is to take the port away, and to try anew. */
static bool is_gone(const struct iface *i)
{
	struct ofproto_port_view v;

	return i->ofport > 0 && ofproto_port_get(i->bridge->ofproto, (uint16_t)i->ofport, &v) &&
	       v.gone;
}

/* Group policies or none is a property of the tunnel device, which a change makes anew; where
 * others have it, too, that is refused. */
static bool needs_other_device(const struct iface *i, const struct ofproto_port_cfg *cfg)
{
	struct ofproto_port_view v;

	return ofproto_port_get(i->bridge->ofproto, (uint16_t)i->ofport, &v) && v.tun &&
	       v.tun->gbp != cfg->tun.gbp && v.tun->dst_port == cfg->tun.dst_port;
}

static int add_port(struct iface *i, const struct ofproto_port_cfg *cfg, struct vx_err *err)
{
	uint16_t ofport;
	int r = ofproto_port_add(i->bridge->ofproto, cfg, &ofport, err);

	i->ofport = r < 0 ? OFPORT_FAILED : ofport;
	i->had_ofport = r < 0 ? i->had_ofport : ofport;
	i->knows_mtu = false;
	link_random_mac(i->bridge->ovs->cfg.vx, &i->mac);
	if (r == 0)
		vlog(VLM_BRIDGE, VLL_INFO, "bridge %s: added interface %s on port %u",
		     i->bridge->name, i->name, ofport);
	return r;
}

/* As its row asks for. */
static int make(struct iface *i, const struct ovsdb_row *row, struct vx_err *err)
{
	struct ofproto_port_cfg cfg;
	int r;

	if (is_gone(i)) {
		ofproto_port_del(i->bridge->ofproto, (uint16_t)i->ofport, true);
		i->ofport = OFPORT_NONE;
	}
	if (!iface_parse(i, row, &cfg)) {
		fail(i);
		return 0;
	}
	if (i->ofport > 0 && needs_other_device(i, &cfg)) {
		cfg.ofport_request = (uint16_t)i->ofport;
		ofproto_port_del(i->bridge->ofproto, cfg.ofport_request, true);
		i->ofport = OFPORT_NONE;
	}
	if (i->ofport <= 0)
		return add_port(i, &cfg, err);
	r = ofproto_port_reconfigure(i->bridge->ofproto, (uint16_t)i->ofport, &cfg, err);
	if (r < 0)
		fail(i);
	return r;
}

/* ovs-vsctl sends who sees an error to the log: it is there when it comes and when it changes. */
static void log_error(const struct iface *i, const char *before, const struct vx_err *err)
{
	if (!i->error.len || !strcmp(text_get(&i->error), before))
		return;
	log_lines(text_get(&i->error));
	if (is_tap(i) && *err->text && strcmp(err->text, text_get(&i->error)) != 0)
		vlog(VLM_BRIDGE, VLL_WARN, "interface %s: %s", i->name, err->text);
}

void iface_create(struct iface *i, const struct ovsdb_row *row)
{
	struct text before = i->error;
	struct vx_err err = {0};
	int r;

	i->error = (struct text){0};
	if (is_gone(i) && is_tap(i)) /* ovs.md 11.24 */
		vlog(VLM_BRIDGE, VLL_WARN, "bridge %s: interface %s was deleted on the host, and is "
					   "made again: del-port is what removes it",
		     i->bridge->name, i->name);
	r = make(i, row, &err);
	if (r < 0)
		say_error(i, r, &err);
	log_error(i, text_get(&before), &err);
	text_done(&before);
}

static int64_t request_of(const struct iface *i)
{
	const struct ovsdb_table *t = ovsdb_idl_table(i->bridge->ovs->idl, OVS_INTERFACE);
	const struct ovsdb_row *row = ovsdb_table_find(t, &i->uuid);
	int64_t want = row ? ovsdb_row_integer(row, IFACE_OFPORT_REQUEST, 0) : 0;

	return want > 0 && want < OFPORT_MAX ? want : 0;
}

/* To that number, or to any (0). */
static void renumber(struct iface *i, uint16_t to)
{
	int32_t from = i->ofport;

	if (ofproto_port_renumber(i->bridge->ofproto, (uint16_t)from, &to) < 0)
		return;
	i->ofport = i->had_ofport = to;
	vlog(VLM_BRIDGE, VLL_INFO, "bridge %s: deleted interface %s on port %d", i->bridge->name,
	     i->name, from);
	vlog(VLM_BRIDGE, VLL_INFO, "bridge %s: added interface %s on port %u", i->bridge->name,
	     i->name, to);
}

void ifaces_renumber(struct bridge *b)
{
	list_for_each (i, &b->ifaces, struct iface, node) {
		int64_t want = i->ofport > 0 && !is_local(i) ? request_of(i) : 0;
		struct iface *other = NULL;

		if (!want || want == i->ofport)
			continue;
		list_for_each (k, &b->ifaces, struct iface, node)
			other = k->ofport == want ? k : other;
		if (other && request_of(other) == want)
			continue; /* it came first */
		if (other)
			renumber(other, 0);
		renumber(i, (uint16_t)want);
	}
}

void iface_destroy(struct iface *i)
{
	if (i->ofport > 0 && !is_local(i)) {
		vlog(VLM_BRIDGE, VLL_INFO, "bridge %s: deleted interface %s on port %d",
		     i->bridge->name, i->name, i->ofport);
		if (i->bridge->ofproto)
			ofproto_port_del(i->bridge->ofproto, (uint16_t)i->ofport, !i->keep);
	}
	if (i->bridge->ofproto)
		ofproto_bundle_del(i->bridge->ofproto, i);
	list_remove(&i->node);
	hmap_remove(&i->bridge->by_uuid, &i->by_uuid);
	text_done(&i->error);
	text_done(&i->unbuilt);
	text_done(&i->warned);
	free(i);
}

struct dev *iface_dev(const struct iface *i)
{
	struct ofproto_port_view v;

	if (i->ofport <= 0 || !ofproto_port_get(i->bridge->ofproto, (uint16_t)i->ofport, &v))
		return NULL;
	return v.gone ? NULL : v.dev;
}

/* The interface of the host that a device is, or has as its other side.  (One that was moved to
 * another namespace is not found, and nothing else has its name there: control.md I1.) */
static bool host_link(const struct dev *d, struct host_link *l)
{
	const char *name = *d->host_name ? d->host_name : d->name;

	return d->vx->host && d->vx->host->link(d->vx->host_ctx, 0, name, l) == 0;
}

static void tell_link_kind(const struct host_link *l, const struct ovsdb_row *row,
			   struct ovsdb_idl_txn *txn)
{
	struct host_driver drv;
	struct ovsdb_datum d;

	if (host_driver(l->name, &drv) < 0)
		return;
	ovsdb_datum_init(&d, OVSDB_STRING, OVSDB_STRING);
	ovsdb_datum_put_pair(&d, "driver_name", drv.name);
	ovsdb_datum_put_pair(&d, "driver_version", drv.version);
	ovsdb_datum_put_pair(&d, "firmware_version", drv.firmware);
	ovsdb_idl_txn_set(txn, row, IFACE_STATUS, &d);
	if (!drv.speed) {
		ovsdb_idl_txn_clear(txn, row, IFACE_LINK_SPEED);
		ovsdb_idl_txn_clear(txn, row, IFACE_DUPLEX);
		return;
	}
	ovsdb_idl_txn_set_integer(txn, row, IFACE_LINK_SPEED, (int64_t)drv.speed);
	ovsdb_idl_txn_set_string(txn, row, IFACE_DUPLEX, drv.is_full ? "full" : "half");
}

/* What it had when it was of another type, or until its device went. */
static void tell_no_device(const struct iface *i, const struct ovsdb_row *row,
			   struct ovsdb_idl_txn *txn)
{
	ovsdb_idl_txn_clear(txn, row, IFACE_MTU);
	if (strcmp(i->type, "vxlan") != 0 && strcmp(i->type, "patch") != 0)
		return;
	ovsdb_idl_txn_clear(txn, row, IFACE_LINK_SPEED);
	ovsdb_idl_txn_clear(txn, row, IFACE_DUPLEX);
	if (!strcmp(i->type, "patch"))
		ovsdb_idl_txn_clear(txn, row, IFACE_STATUS);
}

static void tell_device(struct iface *i, const struct ovsdb_row *row, struct ovsdb_idl_txn *txn)
{
	struct dev *d = iface_dev(i);
	struct host_link l;
	bool on_host = d && host_link(d, &l), carrier, up;
	char mac[MAC_TEXT_MAX];

	/* Of an interface of the host the host's, which has its own mind (2.4). */
	up = on_host ? l.flags & IFF_UP : !d || dev_is_up(d);
	carrier = on_host ? l.flags & IFF_RUNNING : up;
	i->link_resets += i->knows_carrier && carrier != i->had_carrier;
	i->had_carrier = carrier;
	i->knows_carrier = true;
	ovsdb_idl_txn_set_string(txn, row, IFACE_ADMIN_STATE, up ? "up" : "down");
	ovsdb_idl_txn_set_string(txn, row, IFACE_LINK_STATE, carrier ? "up" : "down");
	ovsdb_idl_txn_set_integer(txn, row, IFACE_LINK_RESETS, i->link_resets);
	ovsdb_idl_txn_set_integer(txn, row, IFACE_IFINDEX,
				  on_host ? l.ifindex : d ? d->ifindex : 0);
	ovsdb_idl_txn_set_string(txn, row, IFACE_MAC_IN_USE, mac_text(d ? &d->mac : &i->mac, mac));
	if (d)
		ovsdb_idl_txn_set_integer(txn, row, IFACE_MTU, d->mtu);
	else
		tell_no_device(i, row, txn);
	if (on_host)
		tell_link_kind(&l, row, txn);
}

static void ask_egress(const struct vx *vx, const struct tunnel_cfg *tun, struct egress *e)
{
	struct host_route route;
	struct host_link l;

	*e->dev = 0;
	if (tun->remote_flow || host_route_to(&tun->remote, tun->egress_pkt_mark, &route) < 0 ||
	    !vx->host || vx->host->link(vx->host_ctx, 0, route.dev, &l) < 0)
		return;
	snprintf(e->dev, sizeof(e->dev), "%s", route.dev);
	e->carrier = l.flags & IFF_RUNNING;
}

/* Where the host sends what the tunnel does (statement 50).  The host is asked anew when it, or the
 * tunnel, is not as it was: a change of one port of a thousand asks once. */
static void tell_egress(struct iface *i, const struct ovsdb_row *row, struct ovsdb_idl_txn *txn)
{
	const struct vx *vx = i->bridge->ovs->cfg.vx;
	struct egress now = {0}, *e = &i->egress;
	struct ofproto_port_view v;
	struct ovsdb_datum d;

	if (!ofproto_port_get(i->bridge->ofproto, (uint16_t)i->ofport, &v) || !v.tun)
		return;
	now.remote = v.tun->remote;
	now.mark = v.tun->egress_pkt_mark;
	if (vx->host && vx->host->generation)
		now.gen = vx->host->generation(vx->host_ctx);
	if (!now.gen || now.gen != e->gen || now.mark != e->mark || !ip_eq(&now.remote, &e->remote)) {
		ask_egress(vx, v.tun, &now);
		*e = now;
	}
	if (!*e->dev) {
		ovsdb_idl_txn_clear(txn, row, IFACE_STATUS);
		return;
	}
	ovsdb_datum_init(&d, OVSDB_STRING, OVSDB_STRING);
	ovsdb_datum_put_pair(&d, "tunnel_egress_iface", e->dev);
	ovsdb_datum_put_pair(&d, "tunnel_egress_iface_carrier", e->carrier ? "up" : "down");
	ovsdb_idl_txn_set(txn, row, IFACE_STATUS, &d);
}

/* In order of name, as the database has them; of a tunnel or patch port those that are its own (ovs.md
 * 2.4). */
static uint32_t list_counts(const struct ofproto_port_stats *s, union ovsdb_atom *names,
			    union ovsdb_atom *counts)
{
	const struct {
		const char *name;
		uint64_t n;
		bool is_own;
	} all[STATISTICS_MAX] = {
		{"collisions", s->dev.collisions, false},
		{"rx_bytes", s->rx_bytes, true},
		{"rx_crc_err", s->dev.rx_crc_errors, false},
		{"rx_dropped", s->dev.rx_dropped, false},
		{"rx_errors", s->dev.rx_errors, false},
		{"rx_frame_err", s->dev.rx_frame_errors, false},
		{"rx_missed_errors", s->dev.rx_missed_errors, false},
		{"rx_multicast_packets", s->dev.multicast, false},
		{"rx_over_err", s->dev.rx_over_errors, false},
		{"rx_packets", s->rx_packets, true},
		{"tx_bytes", s->tx_bytes, true},
		{"tx_dropped", s->dev.tx_dropped, false},
		{"tx_errors", s->dev.tx_errors, false},
		{"tx_packets", s->tx_packets, true},
	};
	uint32_t n = 0;

	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		if (s->only_counts && !all[k].is_own)
			continue;
		names[n].string = (char *)(uintptr_t)all[k].name;
		counts[n++].integer = (int64_t)all[k].n;
	}
	return n;
}

/* Of a thousand ports few have counted since the last time: those cost no memory. */
static void tell_statistics(struct iface *i, const struct ovsdb_row *row, struct ovsdb_idl_txn *txn)
{
	union ovsdb_atom names[STATISTICS_MAX], counts[STATISTICS_MAX];
	struct ovsdb_datum d, now = {
		.key = OVSDB_STRING, .value = OVSDB_INTEGER, .keys = names, .values = counts};
	struct ofproto_port_stats s;

	if (ofproto_port_stats(i->bridge->ofproto, (uint16_t)i->ofport, &s) < 0)
		return;
	now.n = list_counts(&s, names, counts);
	if (ovsdb_idl_row_has(row, IFACE_STATISTICS, &now))
		return;
	ovsdb_datum_init(&d, OVSDB_STRING, OVSDB_INTEGER);
	for (uint32_t k = 0; k < now.n; k++)
		ovsdb_datum_put_count(&d, names[k].string, counts[k].integer);
	ovsdb_idl_txn_set(txn, row, IFACE_STATISTICS, &d);
}

void iface_tell_status(struct iface *i, const struct ovsdb_row *row, struct ovsdb_idl_txn *txn)
{
	if (i->ofport <= 0)
		return;
	tell_device(i, row, txn);
	tell_statistics(i, row, txn);
}

/* A patch port that leads nowhere is there, and says so. */
static void check_patch(struct iface *i, const struct ovsdb_row *row)
{
	const char *name = ovsdb_row_get(row, IFACE_OPTIONS, "peer");
	struct ofproto_port_view peer;

	text_clear(&i->error);
	if (!name || !ofproto_port_by_name(ofproto_dpif(i->bridge->ofproto), name, &peer) ||
	    strcmp(peer.type, "patch") || strcmp(peer.peer, i->name))
		text_printf(&i->error, "No usable peer '%s' exists in '%s' datapath.",
			    name ? name : "", i->bridge->type);
}

void iface_tell(struct iface *i, const struct ovsdb_row *row, struct ovsdb_idl_txn *txn)
{
	static const enum ovs_interface_column gone[] = {
		IFACE_STATUS,	  IFACE_ADMIN_STATE, IFACE_DUPLEX,
		IFACE_LINK_SPEED, IFACE_LINK_STATE,  IFACE_MAC_IN_USE,
		IFACE_MTU,	  IFACE_STATISTICS,  IFACE_IFINDEX};

	ovsdb_idl_txn_set_integer(txn, row, IFACE_OFPORT, i->ofport);
	if (i->ofport > 0 && !strcmp(i->type, "patch"))
		check_patch(i, row);
	if (i->error.len)
		ovsdb_idl_txn_set_string(txn, row, IFACE_ERROR, text_get(&i->error));
	else
		ovsdb_idl_txn_clear(txn, row, IFACE_ERROR);
	if (i->ofport > 0) {
		iface_tell_status(i, row, txn);
		tell_egress(i, row, txn);
		return;
	}
	for (size_t k = 0; k < ARRAY_LEN(gone); k++)
		ovsdb_idl_txn_clear(txn, row, gone[k]);
}
