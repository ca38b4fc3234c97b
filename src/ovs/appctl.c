/* SPDX-License-Identifier: Apache-2.0 */
#include "ovs/appctl.h"

#include <string.h>

struct bridge *appctl_bridge(struct ovs *o, const char *name)
{
	list_for_each (b, &o->bridges, struct bridge, node)
		if (b->ofproto && !strcmp(b->name, name))
			return b;
	return NULL;
}

void appctl_reply(struct unixctl_conn *c, struct text *t)
{
	unixctl_reply(c, text_get(t));
	text_done(t);
}

void bridge_add_commands(struct ovs *o, struct unixctl_server *s)
{
	appctl_add_ofproto(s, o);
	appctl_add_trace(s, o);
}
