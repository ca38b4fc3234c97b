/* SPDX-License-Identifier: Apache-2.0 */
/* ovs-appctl ofproto/... and bridge/...: bridges (ovs.md 3.4, 4.3; statement 66). */
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

void appctl_add_ofproto(struct unixctl_server *s, struct ovs *o)
{
	static const struct unixctl_command commands[] = {
		{"ofproto/list", "", 0, 0, list},
		{"ofproto/list-tunnels", "", 0, 0, list_tunnels},
	};

	unixctl_add(s, commands, ARRAY_LEN(commands), o);
}
