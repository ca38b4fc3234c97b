/* SPDX-License-Identifier: Apache-2.0 */
#include "ovs/appctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/format.h"

struct bridge *appctl_bridge(struct ovs *o, const char *name)
{
	list_for_each (b, &o->bridges, struct bridge, node)
		if (b->ofproto && !strcmp(b->name, name))
			return b;
	return NULL;
}

struct bridge *appctl_next_bridge(struct ovs *o, const struct dpif *d, const struct bridge *prev)
{
	struct bridge *next = NULL;

	list_for_each (b, &o->bridges, struct bridge, node) {
		if (!b->ofproto || (d && ofproto_dpif(b->ofproto) != d))
			continue;
		if ((!prev || strcmp(b->name, prev->name) > 0) &&
		    (!next || strcmp(b->name, next->name) < 0))
			next = b;
	}
	return next;
}

struct dpif *appctl_next_dpif(struct ovs *o, const struct dpif *prev)
{
	struct dpif *next = NULL;

	list_for_each (d, &o->cfg.vx->dpifs, struct dpif, node)
		if ((!prev || strcmp(d->type, prev->type) > 0) &&
		    (!next || strcmp(d->type, next->type) < 0))
			next = d;
	return next;
}

const char *appctl_port_type(const struct dpif *d, const char *type)
{
	return !strcmp(d->type, "netdev") && !strcmp(type, "internal") ? "tap" : type;
}

static int add_port(void *ctx, const struct ofproto_port_view *v)
{
	struct appctl_ports *ports = ctx;

	if (ports->n == ports->size) {
		size_t size = ports->size ? 2 * ports->size : 16;
		struct ofproto_port_view *more = realloc(ports->v, size * sizeof(*more));

		if (!more)
			return -ENOMEM;
		ports->v = more;
		ports->size = size;
	}
	ports->v[ports->n++] = *v;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct ofproto_port_view *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void appctl_ports_init(struct appctl_ports *ports, struct bridge *b)
{
	*ports = (struct appctl_ports){0};
	ports->failed = ofproto_ports(b->ofproto, add_port, ports) < 0;
	if (ports->n)
		qsort(ports->v, ports->n, sizeof(*ports->v), by_name);
}

void appctl_ports_done(struct appctl_ports *ports)
{
	free(ports->v);
}

bool appctl_take_names(const char *word, int *names)
{
	bool on = !strcmp(word, "--names");

	if (!on && strcmp(word, "--no-names") != 0)
		return false;
	*names = on;
	return true;
}

uint32_t appctl_names(int names, uint32_t flags)
{
	bool on = names < 0 ? (flags & FORMAT_MORE) != 0 : names != 0;

	return on ? FORMAT_NAMES : 0;
}

void appctl_reply(struct unixctl_conn *c, struct text *t)
{
	if (t->failed)
		unixctl_fail(c, "out of memory");
	else
		unixctl_reply(c, text_get(t));
	text_done(t);
}

void bridge_add_commands(struct ovs *o, struct unixctl_server *s)
{
	appctl_add_coverage(s, o);
	appctl_add_dpctl(s, o);
	appctl_add_dpif(s, o);
	appctl_add_fdb(s, o);
	appctl_add_ofproto(s, o);
	appctl_add_trace(s, o);
	appctl_add_tnl(s, o);
	appctl_add_unused(s, o);
	appctl_add_upcall(s, o);
}
