/* SPDX-License-Identifier: Apache-2.0 */
/* ovs-appctl dpif/...: bridges by datapath, and a bridge's flows (ovs.md 3.4, 5.6; statement 66).
 */
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "datapath/format.h"
#include "ovs/appctl.h"
#include "ovs/tunnel_text.h"

/* --- dpif/show ------------------------------------------------------------------------------- */

static void put_port(struct text *t, const struct dpif *d, const struct ofproto_port_view *v)
{
	text_printf(t, "    %s %u/", v->name, v->ofport);
	if (v->dp_port == DP_PORT_NONE)
		text_printf(t, "none");
	else
		text_printf(t, "%u", v->dp_port);
	text_printf(t, ": (%s", appctl_port_type(d, v->type));
	if (v->tun) {
		text_printf(t, ": ");
		tunnel_text_config(t, v->tun);
	} else if (*v->peer) {
		text_printf(t, ": peer=%s", v->peer);
	}
	text_printf(t, ")\n");
}

static void put_bridge(struct text *t, const struct dpif *d, struct bridge *b)
{
	struct appctl_ports ports;

	text_printf(t, "  %s:\n", b->name);
	appctl_ports_init(&ports, b);
	t->failed |= ports.failed;
	for (size_t i = 0; i < ports.n; i++)
		put_port(t, d, &ports.v[i]);
	appctl_ports_done(&ports);
}

static void show(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct ovs *o = aux;
	struct text t = {0};

	(void)argc, (void)argv;
	for (struct dpif *d = NULL; (d = appctl_next_dpif(o, d));) {
		struct dp_stats s;

		dpif_get_stats(d, &s);
		text_printf(&t, "%s@%s: hit:%llu missed:%llu\n", d->type, d->name,
			    (unsigned long long)s.hit, (unsigned long long)s.missed);
		for (struct bridge *b = NULL; (b = appctl_next_bridge(o, d, b));)
			put_bridge(&t, d, b);
	}
	appctl_reply(c, &t);
}

static void dump_dps(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct ovs *o = aux;
	struct text t = {0};

	(void)argc, (void)argv;
	for (struct dpif *d = NULL; (d = appctl_next_dpif(o, d));)
		for (struct bridge *b = NULL; (b = appctl_next_bridge(o, d, b));)
			text_printf(&t, "%s@%s\n", d->type, b->name);
	appctl_reply(c, &t);
}

/* --- dpif/dump-flows ------------------------------------------------------------------------- */

static void dump_flows(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct bridge *b = appctl_bridge(aux, argv[argc - 1]);
	int names = -1;
	uint32_t flags = 0, at = 0;
	struct flow_view v;
	struct text t = {0};
	struct dpif *d;

	if (!b) {
		unixctl_fail(c, "no such bridge");
		return;
	}
	for (int i = 1; i < argc - 1; i++) {
		if (!strcmp(argv[i], "-m"))
			flags |= FORMAT_MORE;
		else
			appctl_take_names(argv[i], &names);
	}
	flags |= FORMAT_BRIDGE | appctl_names(names, flags);
	d = ofproto_dpif(b->ofproto);
	while (table_next(d->table, &at, &v)) {
		if (ofproto_has_flow(b->ofproto, &v.key)) {
			format_flow(&t, &v, d->dp, vx_now(d->vx), flags);
			text_printf(&t, "\n");
		}
		actions_put(v.actions);
	}
	appctl_reply(c, &t);
}

/* --- what the datapath can do ---------------------------------------------------------------- */

/* In the order of dpif/show-dp-features; 'word' is dpif/set-dp-features'. */
static const struct feature {
	const char *title, *word;
	bool is_number;
	unsigned value;
} features[] = {
	{"Masked set action", "masked_set_action", false, true},
	{"Tunnel push pop", "tnl_push_pop", false, false}, /* ovs.md 11.10 */
	{"Ufid", "ufid", false, true},
	{"Truncate action", "trunc", false, false},
	{"Clone action", "clone", false, true},
	{"Sample nesting", "sample_nesting", true, 0},
	{"Conntrack eventmask", "ct_eventmask", false, false},
	{"Conntrack clear", "ct_clear", false, false},
	{"Max dp_hash algorithm", "max_hash_alg", true, 0},
	{"Check pkt length action", "check_pkt_len", false, false},
	{"Conntrack timeout policy", "ct_timeout", false, false},
	{"Explicit Drop action", "explicit_drop_action", false, true},
	{"Optimized Balance TCP mode", "lb_output_action", false, false},
	{"Conntrack all-zero IP SNAT", "ct_zero_snat", false, false},
	{"MPLS Label add", "add_mpls", false, false},
	{"Max VLAN headers", "max_vlan_headers", true, 1}, /* that NORMAL looks at */
	{"Max MPLS depth", "max_mpls_depth", true, 0},
	{"Recirc", "recirc", false, false},
	{"CT state", "ct_state", false, false},
	{"CT zone", "ct_zone", false, false},
	{"CT mark", "ct_mark", false, false},
	{"CT label", "ct_label", false, false},
	{"CT state NAT", "ct_state_nat", false, false},
	{"CT orig tuple", "ct_orig_tuple", false, false},
	{"CT orig tuple for IPv6", "ct_orig_tuple6", false, false},
	{"IPv6 ND Extension", "nd_ext", false, false},
};

static void show_features(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct text t = {0};

	(void)argc;
	if (!appctl_bridge(aux, argv[1])) {
		unixctl_fail(c, "no such bridge");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		const struct feature *f = &features[i];

		if (f->is_number)
			text_printf(&t, "%s: %u\n", f->title, f->value);
		else
			text_printf(&t, "%s: %s\n", f->title, f->value ? "Yes" : "No");
	}
	appctl_reply(c, &t);
}

static void put_feature(struct text *t, const struct feature *f)
{
	text_printf(t, "%s (%s) : ", f->word, f->title);
	if (f->is_number)
		text_printf(t, "[run time]:%u, [boot time]:%u\n", f->value, f->value);
	else
		text_printf(t, "[run time]:%s, [boot time]:%s\n", f->value ? "true" : "false",
			    f->value ? "true" : "false");
}

/* They are what they are: what is asked for can only be that, or is refused. */
static void set_feature(struct text *t, const struct feature *f, const char *word)
{
	unsigned long long n;

	if (f->is_number) {
		if (text_to_u64(word, UINT32_MAX, &n) < 0) {
			text_printf(t, "Integer number expected\n");
			return;
		}
	} else if (!strcasecmp(word, "true") || !strcasecmp(word, "false")) {
		n = !strcasecmp(word, "true");
	} else {
		text_printf(t, "Boolean value expected\n");
		return;
	}
	if (n > f->value)
		text_printf(t, "Can not set value beyond the datapath capability\n");
	else if (n < f->value)
		text_printf(t, "%s can not be switched off\n", f->word);
}

static void set_features(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	bool found = argc == 2;
	struct text t = {0};

	if (!appctl_bridge(aux, argv[1])) {
		unixctl_fail(c, "no such bridge");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		const struct feature *f = &features[i];

		if (argc > 2 && strcmp(f->word, argv[2]) != 0)
			continue;
		found = true;
		if (argc > 3)
			set_feature(&t, f, argv[3]);
		else
			put_feature(&t, f);
	}
	if (!found)
		text_printf(&t, "Unexpected support field\n");
	appctl_reply(c, &t);
}

void appctl_add_dpif(struct unixctl_server *s, struct ovs *o)
{
	static const struct unixctl_command commands[] = {
		{"dpif/dump-dps", "", 0, 0, dump_dps},
		{"dpif/dump-flows", "[-m] [--names | --no-names] bridge", 1, INT_MAX, dump_flows},
		{"dpif/set-dp-features", "bridge", 1, 3, set_features},
		{"dpif/show", "", 0, 0, show},
		{"dpif/show-dp-features", "bridge", 1, 1, show_features},
	};

	unixctl_add(s, commands, ARRAY_LEN(commands), o);
}
