/* SPDX-License-Identifier: Apache-2.0 */
/* ovs-appctl ofproto/... and bridge/...: bridges (ovs.md 3.4, 4.3; statement 66). */
#include <string.h>

#include "base/util.h"
#include "ovs/appctl.h"
#include "ovs/tunnel_text.h"

static void list(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct text t = {0};

	(void)argc, (void)argv;
	for (struct bridge *b = NULL; (b = appctl_next_bridge(aux, NULL, b));)
		text_printf(&t, "%s\n", b->name);
	appctl_reply(c, &t);
}

static int put_tunnel(void *ctx, struct ofproto *p, const struct ofproto_port_view *v)
{
	(void)p;
	tunnel_text_line(ctx, v);
	return 0;
}

static void list_tunnels(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct text t = {0};

	(void)argc, (void)argv;
	for (struct dpif *d = NULL; (d = appctl_next_dpif(aux, d));)
		ofproto_tunnels(d, put_tunnel, &t);
	appctl_reply(c, &t);
}

struct rules_text {
	struct text t;
	bool offload; /* what cards did, too: nothing */
};

static int put_rule(void *ctx, const struct ofproto_rule *r)
{
	struct rules_text *to = ctx;
	struct text *t = &to->t;

	if (r->table)
		text_printf(t, "table_id=%u, ", r->table);
	text_printf(t, "duration=%llus, n_packets=%llu, n_bytes=%llu, ",
		    (unsigned long long)(r->age / NS_PER_S), (unsigned long long)r->packets,
		    (unsigned long long)r->bytes);
	if (to->offload)
		text_printf(t, "n_offload_packets=0, n_offload_bytes=0, ");
	text_printf(t, "priority=%u,%s%sactions=%s\n", r->priority, r->match, *r->match ? "," : "",
		    r->actions);
	return 0;
}

static void dump_flows(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct bridge *b = appctl_bridge(aux, argv[argc - 1]);
	struct rules_text to = {.offload = argc > 2};

	if (!b || (argc > 2 && strcmp(argv[1], "--offload-stats") != 0)) {
		unixctl_fail(c, "Unknown bridge");
		return;
	}
	ofproto_rules(b->ofproto, put_rule, &to);
	appctl_reply(c, &to.t);
}

void appctl_add_ofproto(struct unixctl_server *s, struct ovs *o)
{
	static const struct unixctl_command commands[] = {
		{"bridge/dump-flows", "[--offload-stats] bridge", 1, 2, dump_flows},
		{"ofproto/list", "", 0, 0, list},
		{"ofproto/list-tunnels", "", 0, 0, list_tunnels},
	};

	unixctl_add(s, commands, ARRAY_LEN(commands), o);
}
