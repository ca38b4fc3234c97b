/* SPDX-License-Identifier: Apache-2.0 */
/* ovs-appctl dpctl/...: datapaths as such (ovs.md 4.3, 5.6; statements 66, 67). */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "datapath/format.h"
#include "ovs/appctl.h"
#include "ovs/flow_text.h"

#define PROGRAM "ovs-vswitchd: "

enum { VXLAN_PORT = 4789 };

/* --- words ----------------------------------------------------------------------------------- */

/* A command's words, options taken off. */
struct words {
	struct ovs *o;
	int argc;
	const char **argv; /* argv[0] is the command's name */
	uint32_t flags;	   /* enum format_flag */
	bool statistics;
};

/* Options come first.  False: the answer is given. */
static bool take_options(struct unixctl_conn *c, struct words *w, int argc, const char *argv[],
			 void *aux)
{
	char text[100];
	int names = -1;

	*w = (struct words){.o = aux, .argc = argc, .argv = argv};
	for (; w->argc > 1 && w->argv[1][0] == '-'; w->argc--, w->argv++) {
		const char *s = w->argv[1];

		if (!strcmp(s, "-m") || !strcmp(s, "--more")) {
			w->flags |= FORMAT_MORE;
		} else if (!strcmp(s, "-s") || !strcmp(s, "--statistics")) {
			w->statistics = true;
		} else if (!appctl_take_names(s, &names)) {
			snprintf(text, sizeof(text), "Unrecognized option %.60s", s);
			unixctl_fail(c, text);
			return false;
		}
	}
	w->flags |= appctl_names(names, w->flags);
	return true;
}

/* --- datapaths ------------------------------------------------------------------------------- */

/* "netdev@ovs-netdev"; without a type it is "system".  *err says why it is none. */
static struct dpif *dpif_named(struct ovs *o, const char *name, int *err)
{
	const char *at = strchr(name, '@'), *own = at ? at + 1 : name;
	size_t len = at ? (size_t)(at - name) : strlen("system");
	const char *type = at ? name : "system";
	bool is_netdev = len == strlen("netdev") && !strncmp(type, "netdev", len);

	for (struct dpif *d = NULL; (d = appctl_next_dpif(o, d));)
		if (strlen(d->type) == len && !strncmp(d->type, type, len) && !strcmp(d->name, own))
			return d;
	if (is_netdev)
		*err = ENODEV;
	else if (len == strlen("system") && !strncmp(type, "system", len))
		*err = ENOENT;
	else
		*err = EAFNOSUPPORT;
	return NULL;
}

static void put_failed(struct text *t, const char *name, int err)
{
	text_printf(t, PROGRAM "opening datapath %s failed (%s)\n", name, strerror(err));
}

/* Answers with that, as an error. */
static void refuse(struct unixctl_conn *c, struct text *t)
{
	unixctl_fail(c, text_get(t));
	text_done(t);
}

/* The one that argv[1] names if it names one (which is then taken off); else, if nothing else is
 * said, the only one.  NULL: the answer is given. */
static struct dpif *choose(struct unixctl_conn *c, struct words *w, int max_argc)
{
	struct dpif *d = NULL;
	const char *why = "";
	struct text t = {0};
	int err;

	if (w->argc > 1) {
		d = dpif_named(w->o, w->argv[1], &err);
		if (d) {
			w->argc--;
			w->argv++;
			return d;
		}
	}
	if (w->argc < max_argc) {
		d = appctl_next_dpif(w->o, NULL);
		if (d && !appctl_next_dpif(w->o, d))
			return d;
		why = d ? PROGRAM "multiple datapaths, specify one\n"
			: PROGRAM "no datapaths exist\n";
	}
	text_printf(&t, "%s" PROGRAM "datapath not found (Invalid argument)", why);
	refuse(c, &t);
	return NULL;
}

static void dump_dps(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct text t = {0};

	(void)argc, (void)argv;
	for (struct dpif *d = NULL; (d = appctl_next_dpif(aux, d));)
		text_printf(&t, "%s@%s\n", d->type, d->name);
	appctl_reply(c, &t);
}

/* --- dpctl/show ------------------------------------------------------------------------------ */

static void put_count(struct text *t, const char *name, uint64_t n, bool is_known)
{
	if (is_known)
		text_printf(t, "%s%llu", name, (unsigned long long)n);
	else
		text_printf(t, "%s?", name);
}

static void put_bytes(struct text *t, const char *name, uint64_t n)
{
	static const struct {
		uint64_t unit;
		const char *name;
	} units[] = {{1ull << 40, "TiB"}, {1ull << 30, "GiB"}, {1ull << 20, "MiB"}, {1024, "KiB"}};

	put_count(t, name, n, true);
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (n >= units[i].unit) {
			text_printf(t, " (%.1f %s)", (double)n / (double)units[i].unit,
				    units[i].name);
			return;
		}
}

/* Of a tunnel's device packets and bytes are all there is, as in 3.1. */
static void put_statistics(struct text *t, struct dev *dev, bool is_tunnel)
{
	struct dev_stats s = {0};
	bool all = !is_tunnel;

	if (dev)
		dev_sum_stats(dev, &s);
	put_count(t, "    RX packets:", s.rx_packets, true);
	put_count(t, " errors:", s.rx_errors, all);
	put_count(t, " dropped:", s.rx_dropped, all);
	put_count(t, " overruns:", s.rx_over_errors, all);
	put_count(t, " frame:", s.rx_frame_errors, all);
	put_count(t, "\n    TX packets:", s.tx_packets, true);
	put_count(t, " errors:", s.tx_errors, all);
	put_count(t, " dropped:", s.tx_dropped, all);
	put_count(t, " aborted:", s.tx_aborted_errors, all);
	put_count(t, " carrier:", s.tx_carrier_errors, all);
	put_count(t, "\n    collisions:", s.collisions, all);
	put_bytes(t, "\n    RX bytes:", s.rx_bytes);
	put_bytes(t, "  TX bytes:", s.tx_bytes);
	text_printf(t, "\n");
}

/* Tunnels are shared, whoever's options a packet is sent with: 3.1 calls that packet_type=ptap. */
static void put_port(struct text *t, const struct dpif *d, const struct dpif_port *port)
{
	const char *type = appctl_port_type(d, port->type);

	text_printf(t, "  port %u: %s", port->no, port->name);
	if (port->udp_port) {
		text_printf(t, " (%s: ", type);
		if (port->udp_port != VXLAN_PORT)
			text_printf(t, "dst_port=%u, ", port->udp_port);
		text_printf(t, "packet_type=ptap)");
	} else if (strcmp(type, "system") != 0) {
		text_printf(t, " (%s)", type);
	}
	text_printf(t, "\n");
}

static void put_datapath(struct text *t, struct dpif *d, bool statistics)
{
	uint32_t flows, masks;
	struct dp_stats s;

	dpif_get_stats(d, &s);
	table_count(d->table, &flows, &masks);
	text_printf(t, "%s@%s:\n  lookups: hit:%llu missed:%llu lost:%llu\n  flows: %u\n", d->type,
		    d->name, (unsigned long long)s.hit, (unsigned long long)s.missed,
		    (unsigned long long)s.lost, flows);
	text_printf(t, "  port 0: %s (%s)\n", d->name, appctl_port_type(d, "internal"));
	if (statistics)
		put_statistics(t, d->dp ? d->dp->dev : NULL, false);
	list_for_each (port, &d->ports, struct dpif_port, node) {
		if (port->gone)
			continue;
		put_port(t, d, port);
		if (statistics)
			put_statistics(t, port->dev, port->udp_port);
	}
}

static void show(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	bool failed = false;
	struct text t = {0};
	struct words w;
	int err;

	if (!take_options(c, &w, argc, argv, aux))
		return;
	if (w.argc == 1)
		for (struct dpif *d = NULL; (d = appctl_next_dpif(w.o, d));)
			put_datapath(&t, d, w.statistics);
	for (int i = 1; i < w.argc; i++) {
		struct dpif *d = dpif_named(w.o, w.argv[i], &err);

		if (d)
			put_datapath(&t, d, w.statistics);
		else
			put_failed(&t, w.argv[i], err);
		failed |= !d;
	}
	if (failed)
		refuse(c, &t);
	else
		appctl_reply(c, &t);
}

/* --- flows ----------------------------------------------------------------------------------- */

/* Is a flow, which is in no card's hands, of one of these kinds?  -EINVAL: one is none. */
static int parse_types(const char *s)
{
	static const struct {
		const char *name;
		bool is_ours;
	} types[] = {{"all", true},	   {"dpdk", false}, {"non-offloaded", true},
		     {"offloaded", false}, {"ovs", true},   {"partially-offloaded", false},
		     {"tc", false}};
	bool is_ours = false;

	while (*s) {
		size_t n = strcspn(s, ","), i = 0;

		while (i < ARRAY_LEN(types) &&
		       (strlen(types[i].name) != n || strncmp(types[i].name, s, n) != 0))
			i++;
		if (i == ARRAY_LEN(types))
			return -EINVAL;
		is_ours |= types[i].is_ours;
		s += n + (s[n] == ',');
	}
	return is_ours;
}

/* What dump-flows is asked to leave out; all NULL: nothing. */
struct filters {
	const char *filter, *types, *pmd;
	struct flow_key key, mask; /* of 'filter' */
	bool is_ours;		   /* of 'types' and 'pmd': flows are there at all */
};

static void take_filters(struct words *w, struct filters *f)
{
	*f = (struct filters){0};
	for (; w->argc > 1; w->argc--) {
		const char *last = w->argv[w->argc - 1];

		if (!strncmp(last, "filter=", 7) && !f->filter)
			f->filter = last + 7;
		else if (!strncmp(last, "type=", 5) && !f->types)
			f->types = last + 5;
		else if (!strncmp(last, "pmd=", 4) && !f->pmd)
			f->pmd = last + 4;
		else
			return;
	}
}

static bool find_port(void *ctx, const char *name, uint16_t *no)
{
	const struct dpif *d = ctx;

	list_for_each (port, &d->ports, struct dpif_port, node)
		if (!strcmp(port->name, name)) {
			*no = (uint16_t)port->no;
			return true;
		}
	return false;
}

/* False: the answer is given. */
static bool parse_filters(struct unixctl_conn *c, struct dpif *d, struct filters *f)
{
	struct flow_ports ports = {.find = find_port, .ctx = d};
	int is_ours = f->types ? parse_types(f->types) : true;
	struct text t = {0}, why = {0};

	if (is_ours < 0)
		text_printf(&t, PROGRAM "Failed to parse type (%s) (Invalid argument)", f->types);
	else if (flow_parse_match(f->filter ? f->filter : "", &ports, &f->key, &f->mask, &why) < 0)
		text_printf(&t, PROGRAM "Failed to parse filter (%s)", text_get(&why));
	text_done(&why);
	/* The main thread's number is -1; no other has flows. */
	f->is_ours = is_ours && (!f->pmd || !strcmp(f->pmd, "-1"));
	if (!t.len)
		return true;
	refuse(c, &t);
	return false;
}

static void put_flows(struct text *t, struct dpif *d, const struct filters *f, uint32_t flags)
{
	struct flow_view v;
	uint32_t at = 0;

	while (table_next(d->table, &at, &v)) {
		if (flow_overlaps(&f->key, &f->mask, &v.key, &v.mask)) {
			if (!t->len)
				text_printf(t, "flow-dump from the main thread:\n");
			format_flow(t, &v, d->dp, vx_now(d->vx), flags);
			text_printf(t, "\n");
		}
		actions_put(v.actions);
	}
}

static void dump_flows(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct text t = {0};
	struct filters f;
	struct words w;
	struct dpif *d;

	if (!take_options(c, &w, argc, argv, aux))
		return;
	take_filters(&w, &f);
	d = choose(c, &w, 2);
	if (!d || !parse_filters(c, d, &f))
		return;
	if (f.is_ours)
		put_flows(&t, d, &f, w.flags);
	appctl_reply(c, &t);
}

static void del_flows(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct words w;
	struct dpif *d;

	if (!take_options(c, &w, argc, argv, aux))
		return;
	d = choose(c, &w, 2);
	if (!d)
		return;
	revalidate_purge(d, vx_now(d->vx));
	unixctl_reply(c, "");
}

static bool parse_ufid(const char *s, uint64_t ufid[2])
{
	unsigned a, b, c, d;
	unsigned long long e;
	int n = 0;

	if (sscanf(s, "ufid:%8x-%4x-%4x-%4x-%12llx%n", &a, &b, &c, &d, &e, &n) != 5 || s[n])
		return false;
	ufid[0] = (uint64_t)a << 32 | b << 16 | c;
	ufid[1] = (uint64_t)d << 48 | e;
	return true;
}

static void put_flow(struct text *t, struct dpif *d, const uint64_t ufid[2], uint32_t flags)
{
	struct flow_view v;
	uint32_t at = 0;

	while (!t->len && table_next(d->table, &at, &v)) {
		if (v.ufid[0] == ufid[0] && v.ufid[1] == ufid[1])
			format_flow(t, &v, d->dp, vx_now(d->vx), flags);
		actions_put(v.actions);
	}
}

static void get_flow(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct text t = {0};
	struct words w;
	struct dpif *d;
	uint64_t ufid[2];

	if (!take_options(c, &w, argc, argv, aux))
		return;
	d = choose(c, &w, 3);
	if (!d)
		return;
	if (w.argc < 2 || !parse_ufid(w.argv[w.argc - 1], ufid)) {
		unixctl_reply(c, PROGRAM "parsing flow ufid");
		return;
	}
	put_flow(&t, d, ufid, w.flags);
	if (t.len)
		appctl_reply(c, &t);
	else
		unixctl_fail(c, PROGRAM "getting flow (No such file or directory)");
}

void appctl_add_dpctl(struct unixctl_server *s, struct ovs *o)
{
	static const struct unixctl_command commands[] = {
		{"dpctl/del-flows", "[dp] [file]", 0, 2, del_flows},
		{"dpctl/dump-dps", "", 0, 0, dump_dps},
		{"dpctl/dump-flows", "[-m] [--names] [dp] [filter=..] [type=..] [pmd=..]", 0, 6,
		 dump_flows},
		{"dpctl/get-flow", "[dp] ufid", 1, 2, get_flow},
		{"dpctl/show", "[-s] [dp...]", 0, INT_MAX, show},
	};

	unixctl_add(s, commands, ARRAY_LEN(commands), o);
}
