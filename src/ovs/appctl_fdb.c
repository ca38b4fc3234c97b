/* SPDX-License-Identifier: Apache-2.0 */
/* ovs-appctl fdb/...: MAC tables of bridges (ovs.md 3.6, 4.3; statements 55, 56, 58, 65). */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/util.h"
#include "bridge/mac.h"
#include "ovs/appctl.h"

enum { VLAN_MAX = 4095 };

/* The bridge of that name; NULL: the answer is given. */
static struct bridge *bridge_named(struct unixctl_conn *c, struct ovs *o, const char *name)
{
	struct bridge *b = appctl_bridge(o, name);

	if (!b)
		unixctl_fail(c, "no such bridge");
	return b;
}

static void put_ofport(struct text *t, uint16_t ofport)
{
	if (ofport == OFPORT_LOCAL)
		text_printf(t, "LOCAL");
	else
		text_printf(t, "%u", ofport);
}

static int put_mac(void *ctx, const struct ofproto_mac *m)
{
	struct text *t = ctx, port = {0};
	char mac[MAC_TEXT_MAX];

	put_ofport(&port, m->ofport);
	text_printf(t, "%5s  %4u  %s  ", text_get(&port), m->vlan, mac_text(&m->mac, mac));
	text_done(&port);
	if (m->is_static)
		text_printf(t, "static\n");
	else
		text_printf(t, "%3u\n", m->age);
	return 0;
}

static void show(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct bridge *b = bridge_named(c, aux, argv[1]);
	struct text t = {0};

	(void)argc;
	if (!b)
		return;
	text_printf(&t, " port  VLAN  MAC                Age\n");
	if (ofproto_macs(b->ofproto, put_mac, &t) < 0)
		t.failed = true;
	appctl_reply(c, &t);
}

static int put_json(void *ctx, const struct ofproto_mac *m)
{
	struct {
		struct bridge *b;
		json_t *list;
	} *x = ctx;
	struct ofproto_port_view v;
	char mac[MAC_TEXT_MAX];

	if (!ofproto_port_get(x->b->ofproto, m->ofport, &v))
		return 0;
	return json_array_append_new(x->list, json_pack("{s:s, s:i, s:s, s:b, s:I}", "mac",
							mac_text(&m->mac, mac), "vlan", m->vlan,
							"port", v.name, "static", m->is_static,
							"age", (json_int_t)m->age));
}

/* For `vx fdb show br`: as JSON. */
static void macs(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct {
		struct bridge *b;
		json_t *list;
	} x = {bridge_named(c, aux, argv[1]), NULL};
	char *text;

	(void)argc;
	if (!x.b)
		return;
	x.list = json_array();
	text = x.list && ofproto_macs(x.b->ofproto, put_json, &x) == 0
		       ? json_dumps(x.list, JSON_COMPACT)
		       : NULL;
	if (text)
		unixctl_reply(c, text);
	else
		unixctl_fail(c, "out of memory");
	free(text);
	json_decref(x.list);
}

/* Of the bridge that is named, or of all. */
static void on_bridges(struct unixctl_conn *c, int argc, const char *argv[], struct ovs *o,
		       void (*fn)(struct ofproto *p), const char *done)
{
	struct bridge *b =
		argc > 1 ? bridge_named(c, o, argv[1]) : appctl_next_bridge(o, NULL, NULL);

	if (argc > 1 && !b)
		return;
	for (; b; b = argc > 1 ? NULL : appctl_next_bridge(o, NULL, b))
		fn(b->ofproto);
	unixctl_reply(c, done);
}

static void flush(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	on_bridges(c, argc, argv, aux, ofproto_mac_flush, "table successfully flushed");
}

static void stats_clear(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	appctl_coverage_take(aux);
	on_bridges(c, argc, argv, aux, ofproto_mac_clear_totals, "statistics successfully cleared");
	appctl_coverage_take(aux);
}

static void stats_show(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct bridge *b = bridge_named(c, aux, argv[1]);
	struct mac_summary s;
	struct text t = {0};

	(void)argc;
	if (!b)
		return;
	ofproto_mac_summary(b->ofproto, &s);
	text_printf(&t, "Statistics for bridge \"%s\":\n", b->name);
	text_printf(&t, "  Current/maximum MAC entries in the table: %u/%u\n", s.n, s.limit);
	text_printf(&t, "  Current static MAC entries in the table : %u\n", s.n_static);
	text_printf(&t, "  Total number of learned MAC entries     : %llu\n",
		    (unsigned long long)s.totals.learned);
	text_printf(&t, "  Total number of expired MAC entries     : %llu\n",
		    (unsigned long long)s.totals.expired);
	text_printf(&t, "  Total number of evicted MAC entries     : %llu\n",
		    (unsigned long long)s.totals.evicted);
	text_printf(&t, "  Total number of port moved MAC entries  : %llu\n",
		    (unsigned long long)s.totals.moved);
	appctl_reply(c, &t);
}

/* False: the answer is given.  3.1 takes whatever atoi() makes of a VLAN. */
static bool parse(struct unixctl_conn *c, const char *vlan_word, const char *mac_word,
		  uint16_t *vlan, struct mac *mac)
{
	unsigned long long n;

	if (text_to_u64(vlan_word, VLAN_MAX, &n) < 0) {
		unixctl_fail(c, "bad VLAN, 0 to 4095 is accepted");
		return false;
	}
	*vlan = (uint16_t)n;
	if (mac_parse(mac_word, mac) == 0)
		return true;
	unixctl_fail(c, "bad MAC address");
	return false;
}

/* Says what an entry that is there is overridden by one for 'ofport', as far as that is news. */
static void put_overridden(struct text *t, const struct ofproto_mac *was, uint16_t ofport)
{
	if (was->is_static && was->ofport == ofport)
		return;
	text_printf(t, "Overriding already existing %s entry on ",
		    was->is_static ? "static" : "dynamic");
	put_ofport(t, was->ofport);
	text_printf(t, "\n");
}

static void add(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct bridge *b = bridge_named(c, aux, argv[1]);
	uint16_t vlan, ofport, was_on;
	struct ofproto_mac was;
	struct text t = {0};
	struct mac mac;
	bool is_there;
	int r;

	(void)argc;
	if (!b || !parse(c, argv[3], argv[4], &vlan, &mac))
		return;
	ofport = ofproto_port_find(b->ofproto, argv[2]);
	is_there = ofproto_mac_get(b->ofproto, vlan, &mac, &was) == 0;
	r = ofport == OFPORT_NONE ? -ENODEV
				  : ofproto_mac_add(b->ofproto, ofport, vlan, &mac, &was_on);
	if (r < 0) {
		unixctl_fail(c, r == -ENODEV ? "software error, odp port is present but no ofp port"
					     : "out of memory");
		return;
	}
	if (is_there)
		put_overridden(&t, &was, ofport);
	appctl_reply(c, &t);
}

static void del(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct bridge *b = bridge_named(c, aux, argv[1]);
	struct mac mac;
	uint16_t vlan;

	(void)argc;
	if (!b || !parse(c, argv[2], argv[3], &vlan, &mac))
		return;
	if (ofproto_mac_del(b->ofproto, vlan, &mac) < 0)
		unixctl_fail(c, "could not find static mac entry");
	else
		unixctl_reply(c, "");
}

void appctl_add_fdb(struct unixctl_server *s, struct ovs *o)
{
	static const struct unixctl_command commands[] = {
		{"fdb/add", "bridge port vlan mac", 4, 4, add},
		{"fdb/del", "bridge vlan mac", 3, 3, del},
		{"fdb/flush", "[bridge]", 0, 1, flush},
		{"fdb/show", "bridge", 1, 1, show},
		{"fdb/stats-clear", "[bridge]", 0, 1, stats_clear},
		{"fdb/stats-show", "bridge", 1, 1, stats_show},
	};

	unixctl_add(s, commands, ARRAY_LEN(commands), o);
}

void bridge_add_own_commands(struct ovs *o, struct unixctl_server *s)
{
	static const struct unixctl_command commands[] = {{"bridge/macs", "bridge", 1, 1, macs}};

	unixctl_add(s, commands, ARRAY_LEN(commands), o);
}
