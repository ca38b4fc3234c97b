/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rows say of a bridge, a port and the whole, applied to what is there (ovs.md 2.1 to 2.4).
 * What they ask for and vx has not is named in the log, when it comes and when it changes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "log/vlog.h"
#include "net/link.h"
#include "ofproto/dpif.h"
#include "ovs/model.h"

static uint32_t other_number(const struct ovsdb_row *row, size_t column, const char *key,
			     uint32_t none)
{
	const char *s = ovsdb_row_get(row, column, key);
	unsigned long long n;

	return s && text_to_u64(s, UINT32_MAX, &n) == 0 ? (uint32_t)n : none;
}

static bool other_true(const struct ovsdb_row *row, size_t column, const char *key)
{
	const char *s = ovsdb_row_get(row, column, key);

	return s && !strcmp(s, "true");
}

/* --- columns that ask for what is not built ------------------------------------------------------
 */

struct unbuilt {
	size_t column;
	const char *name;
};

/* A column that is not as it is without anybody's wish. */
static bool is_set(const struct ovsdb_row *row, size_t column)
{
	const struct ovsdb_datum *d = ovsdb_row_datum(row, column);

	if (!d->n)
		return false;
	if (row->table->types[column].key == OVSDB_BOOLEAN)
		return d->keys[0].boolean;
	return row->table->types[column].key != OVSDB_INTEGER || d->keys[0].integer != 0;
}

static void name_unbuilt(struct text *t, const struct ovsdb_row *row, const struct unbuilt *list,
			 size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_set(row, list[i].column))
			text_printf(t, "%s%s", t->len ? ", " : "", list[i].name);
}

/* Tells once; *before is what was told last. */
static void warn_unbuilt(const char *what, struct text *before, struct text *now)
{
	if (strcmp(text_get(before), text_get(now)) && now->len)
		vlog(VLM_BRIDGE, VLL_WARN, "%s: not built, and ignored: %s", what, text_get(now));
	text_done(before);
	*before = *now;
}

static void warn_bridge(struct bridge *b, const struct ovsdb_row *row)
{
	static const struct unbuilt list[] = {
		{BRIDGE_CONTROLLER, "controller"},	{BRIDGE_MIRRORS, "mirrors"},
		{BRIDGE_NETFLOW, "netflow"},		{BRIDGE_SFLOW, "sflow"},
		{BRIDGE_IPFIX, "ipfix"},		{BRIDGE_STP, "stp_enable"},
		{BRIDGE_RSTP, "rstp_enable"},		{BRIDGE_MCAST_SNOOPING, "mcast_snooping_enable"},
		{BRIDGE_FLOW_TABLES, "flow_tables"},
	};
	struct text now = {0};

	name_unbuilt(&now, row, list, ARRAY_LEN(list));
	warn_unbuilt(b->name, &b->unbuilt, &now);
}

static void warn_iface(struct iface *i, const struct ovsdb_row *port, const struct ovsdb_row *row)
{
	static const struct unbuilt of_port[] = {
		{PORT_QOS, "qos"}, {PORT_LACP, "lacp"}, {PORT_MAC, "mac of its Port"}};
	static const struct unbuilt of_iface[] = {
		{IFACE_POLICING_RATE, "ingress_policing_rate"},
		{IFACE_POLICING_KPKTS, "ingress_policing_kpkts_rate"},
		{IFACE_BFD, "bfd"},
		{IFACE_CFM_MPID, "cfm_mpid"},
		{IFACE_LLDP, "lldp"},
	};
	struct text now = {0};

	name_unbuilt(&now, port, of_port, ARRAY_LEN(of_port));
	name_unbuilt(&now, row, of_iface, ARRAY_LEN(of_iface));
	if (ovsdb_row_datum(row, IFACE_MTU_REQUEST)->n && !iface_dev(i))
		text_printf(&now, "%smtu_request (it has no MTU)", now.len ? ", " : "");
	warn_unbuilt(i->name, &i->unbuilt, &now);
}

/* --- the whole -----------------------------------------------------------------------------------
 */

enum { STATS_MS = 5000 };

static void warn_root(struct ovs *o, const struct ovsdb_row *root)
{
	static const char *const keys[] = {"enable-statistics", "hw-offload",
					   "userspace-tso-enable", "dpdk-init"};
	struct text now = {0};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (other_true(root, ROOT_OTHER_CONFIG, keys[i]))
			text_printf(&now, "%sother_config:%s", now.len ? ", " : "", keys[i]);
	if (other_number(root, ROOT_OTHER_CONFIG, "vlan-limit", 1) != 1)
		text_printf(&now, "%sother_config:vlan-limit other than 1", now.len ? ", " : "");
	warn_unbuilt("Open_vSwitch", &o->unbuilt, &now);
}

void settings_root(struct ovs *o, const struct ovsdb_row *root)
{
	const struct dpif_limits none = DPIF_LIMITS_DEFAULT;
	struct dpif_limits l = {
		.flows = other_number(root, ROOT_OTHER_CONFIG, "flow-limit", none.flows),
		.max_idle = other_number(root, ROOT_OTHER_CONFIG, "max-idle", none.max_idle),
		.max_revalidator = other_number(root, ROOT_OTHER_CONFIG, "max-revalidator",
						none.max_revalidator),
		.keep_idle = other_true(root, ROOT_OTHER_CONFIG, "flow-restore-wait"),
	};

	/* 3.1's least of each. */
	l.flows = MAX(l.flows, 1000u);
	l.max_idle = MAX(l.max_idle, 500u);
	l.max_revalidator = MAX(l.max_revalidator, 100u);
	dpif_set_limits(o->cfg.vx, &l);
	warn_root(o, root);
	o->stats_ms = MAX(other_number(root, ROOT_OTHER_CONFIG, "stats-update-interval", STATS_MS),
			  (uint32_t)STATS_MS);
}

/* --- addresses -----------------------------------------------------------------------------------
 */

/* One that a device may have as its own. */
static bool parse_mac(const char *text, struct mac *m)
{
	return text && mac_parse(text, m) == 0 && mac_is_unicast(m);
}

struct least {
	const struct bridge *b;
	struct mac mac;
	bool found;
};

/* The smallest of those that were given by a maker: 3.1's choice where nobody says (2.2). */
static int take_least(void *ctx, const struct ofproto_port_view *v)
{
	struct least *l = ctx;

	if (v->ofport == OFPORT_LOCAL || !v->dev || v->dev->mac.b[0] & 3 || mac_is_zero(&v->dev->mac))
		return 0;
	if (!l->found || memcmp(&v->dev->mac, &l->mac, sizeof(l->mac)) < 0)
		l->mac = v->dev->mac;
	l->found = true;
	return 0;
}

static struct mac choose_mac(const struct bridge *b, const struct ovsdb_row *row)
{
	const char *asked = ovsdb_row_get(row, BRIDGE_OTHER_CONFIG, "hwaddr");
	const uint8_t *u = b->uuid.b;
	struct least l = {.b = b};
	struct mac m;

	if (parse_mac(asked, &m))
		return m;
	if (asked)
		vlog_limited(VLM_BRIDGE, VLL_ERR,
			     "bridge %s: other-config:hwaddr \"%s\" is no address that an interface can "
			     "have", b->name, asked);
	ofproto_ports(b->ofproto, take_least, &l);
	if (l.found)
		return l.mac;
	return (struct mac){{(uint8_t)((u[3] & 0xfe) | 2), u[2], u[1], u[0], u[7], u[6]}};
}

static uint64_t choose_dpid(const struct bridge *b, const struct ovsdb_row *row)
{
	const char *asked = ovsdb_row_get(row, BRIDGE_OTHER_CONFIG, "datapath-id");
	uint64_t id = 0;

	if (asked && strlen(asked) == 16 && strspn(asked, "0123456789abcdefABCDEF") == 16)
		id = strtoull(asked, NULL, 16);
	if (asked && !id)
		vlog_limited(VLM_BRIDGE, VLL_WARN,
			     "bridge %s: other-config:datapath-id \"%s\" is ignored: 16 hexadecimal "
			     "digits are accepted", b->name, asked);
	for (int i = 0; i < 6 && !(asked && id && i == 0); i++)
		id = id << 8 | b->mac.b[i];
	return id;
}

static void set_dev_mac(const char *name, struct dev *d, const struct mac *m)
{
	struct link_cfg cfg = {.has_mac = true, .mac = *m};
	struct vx_err err = {0};

	if (d && !mac_eq(&d->mac, m) && link_setlink(d, &cfg, &err) < 0)
		vlog_limited(VLM_BRIDGE, VLL_ERR, "interface %s: setting MAC failed (%s)", name,
			     err.text);
}

/* The local port's address, and what follows from it; ports are there. */
void settings_address(struct bridge *b, const struct ovsdb_row *row)
{
	struct ofproto_port_view v;
	uint64_t dpid;

	b->mac = choose_mac(b, row);
	if (ofproto_port_get(b->ofproto, OFPORT_LOCAL, &v))
		set_dev_mac(b->name, v.dev, &b->mac);
	dpid = choose_dpid(b, row);
	if (dpid != b->dpid)
		vlog(VLM_BRIDGE, VLL_INFO, "bridge %s: using datapath ID %016llx", b->name,
		     (unsigned long long)dpid);
	b->dpid = dpid;
}

/* Who else may change it. */
static void set_owned(struct dev *d, enum dev_link_flag what, bool owned)
{
	if (d)
		d->link_flags = (uint16_t)(owned ? d->link_flags | what : d->link_flags & ~what);
}

static void set_iface_mac(struct iface *i, const struct ovsdb_row *row)
{
	const char *text = ovsdb_row_string(row, IFACE_MAC);
	struct mac m;

	set_owned(iface_dev(i), DEV_MAC_OWNED,
		  !strcmp(i->name, i->bridge->name) || (*text && !strcmp(i->type, "internal")));
	if (!*text || strcmp(i->type, "internal"))
		return;
	if (!strcmp(i->name, i->bridge->name))
		vlog_limited(VLM_BRIDGE, VLL_ERR,
			     "interface %s: ignoring mac in Interface record (use Bridge record to set "
			     "local port's mac)", i->name);
	else if (parse_mac(text, &m))
		set_dev_mac(i->name, iface_dev(i), &m);
	else
		vlog_limited(VLM_BRIDGE, VLL_ERR, "interface %s: \"%s\" is no address that it can have",
			     i->name, text);
}

/* --- MTU -----------------------------------------------------------------------------------------
 */

static void set_mtu(struct iface *i, uint32_t mtu)
{
	struct link_cfg cfg = {.has_mtu = true, .mtu = mtu};
	struct vx_err err = {0};
	struct dev *d = iface_dev(i);

	if (d && d->mtu != mtu && link_setlink(d, &cfg, &err) < 0)
		vlog_limited(VLM_BRIDGE, VLL_WARN, "interface %s: could not set MTU %u: %s", i->name, mtu,
			     err.text);
}

static bool follows_mtu(const struct iface *i)
{
	return (!strcmp(i->type, "internal") || !strcmp(i->type, "tap")) && !i->has_mtu_request;
}

/* Internal ports that nobody gave an MTU have the least of the others'. */
void settings_mtus(struct bridge *b)
{
	uint32_t least = 0;

	list_for_each (i, &b->ifaces, struct iface, node) {
		struct dev *d = iface_dev(i);

		if (d && !follows_mtu(i) && (!least || d->mtu < least))
			least = d->mtu;
	}
	least = least ? least : 1500;
	list_for_each (i, &b->ifaces, struct iface, node) {
		if (!follows_mtu(i) || (i->knows_mtu && least == b->mtu))
			continue; /* what the host set since then is its wish */
		set_mtu(i, least);
		i->knows_mtu = true;
	}
	b->mtu = least;
}

void settings_iface(struct iface *i, const struct ovsdb_row *port, const struct ovsdb_row *row)
{
	int64_t mtu = ovsdb_row_integer(row, IFACE_MTU_REQUEST, 0);

	warn_iface(i, port, row);
	if (i->ofport <= 0)
		return;
	set_iface_mac(i, row);
	if (mtu > 0)
		set_mtu(i, (uint32_t)MIN(mtu, (int64_t)UINT16_MAX));
	i->knows_mtu &= mtu > 0 || !i->has_mtu_request; /* a wish that went */
	i->has_mtu_request = mtu > 0;
	set_owned(iface_dev(i), DEV_MTU_OWNED, mtu > 0);
}

/* --- the bridge, and VLANs -----------------------------------------------------------------------
 */

static enum vlan_mode vlan_mode(const struct ovsdb_row *port)
{
	const char *m = ovsdb_row_string(port, PORT_VLAN_MODE);

	if (!strcmp(m, "access"))
		return VLAN_ACCESS;
	if (!strcmp(m, "native-tagged"))
		return VLAN_NATIVE_TAGGED;
	if (!strcmp(m, "native-untagged"))
		return VLAN_NATIVE_UNTAGGED;
	return !strcmp(m, "trunk") || !ovsdb_row_datum(port, PORT_TAG)->n ? VLAN_TRUNK
									  : VLAN_ACCESS;
}

enum { VLAN_WORDS = 4096 / 64 };

/* A column of VLANs as a bitmap; NULL: it is empty. */
static const uint64_t *vlans(const struct ovsdb_row *row, size_t column, uint64_t map[VLAN_WORDS])
{
	const struct ovsdb_datum *d = ovsdb_row_datum(row, column);

	memset(map, 0, VLAN_WORDS * sizeof(*map));
	for (uint32_t k = 0; k < d->n; k++)
		if (d->keys[k].integer >= 0 && d->keys[k].integer < 4096)
			map[d->keys[k].integer / 64] |= 1ull << d->keys[k].integer % 64;
	return d->n ? map : NULL;
}

static enum priority_tags priority_tags(const struct ovsdb_row *port)
{
	const char *s = ovsdb_row_get(port, PORT_OTHER_CONFIG, "priority-tags");

	if (s && (!strcmp(s, "if-nonzero") || !strcmp(s, "true")))
		return PRIORITY_TAGS_IF_NONZERO;
	return s && !strcmp(s, "always") ? PRIORITY_TAGS_ALWAYS : PRIORITY_TAGS_NEVER;
}

/* What the row says of the bridge as a whole. */
void settings_bridge(struct bridge *b, const struct ovsdb_row *row)
{
	bool secure = !strcmp(ovsdb_row_string(row, BRIDGE_FAIL_MODE), "secure");
	uint64_t flood[VLAN_WORDS];

	ofproto_set_mac_aging_time(b->ofproto, other_number(row, BRIDGE_OTHER_CONFIG, "mac-aging-time", 300));
	ofproto_set_mac_table_size(b->ofproto, other_number(row, BRIDGE_OTHER_CONFIG, "mac-table-size", 8192));
	ofproto_set_flood_vlans(b->ofproto, vlans(row, BRIDGE_FLOOD_VLANS, flood));
	ofproto_set_forward_bpdu(b->ofproto, other_true(row, BRIDGE_OTHER_CONFIG, "forward-bpdu"));
	ofproto_set_fail_secure(b->ofproto, secure);
	if (secure && !b->is_secure) /* ovs.md 11.19 */
		vlog(VLM_BRIDGE, VLL_WARN,
		     "%s: fail_mode=secure and OpenFlow is not built: all packets are dropped", b->name);
	b->is_secure = secure;
	warn_bridge(b, row);
}

void settings_bundle(struct iface *i, const struct ovsdb_row *port)
{
	uint64_t trunks[VLAN_WORDS];
	uint16_t ofport;

	if (i->ofport <= 0)
		return;
	ofport = (uint16_t)i->ofport;
	ofproto_bundle_set(i->bridge->ofproto, i,
			   &(struct bundle_cfg){.name = i->name,
						.ports = &ofport,
						.n_ports = 1,
						.vlan_mode = vlan_mode(port),
						.tag = (int)ovsdb_row_integer(port, PORT_TAG, -1),
						.trunks = vlans(port, PORT_TRUNKS, trunks),
						.priority_tags = priority_tags(port),
						.is_protected = ovsdb_row_boolean(
							port, PORT_PROTECTED, false)});
}
