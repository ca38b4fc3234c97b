/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/dpif.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct dpif_class *const classes[] = {&dpif_vx_class, &dpif_dummy_class};

void dpif_dummy_enable(struct vx *vx)
{
	vx->dpif_dummy = true;
}

/* --- life ------------------------------------------------------------------------------------ */

static const struct dpif_class *class_find(struct vx *vx, const char **type)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		for (const char *const *t = classes[i]->types; *t; t++)
			if (!strcmp(*t, *type) &&
			    (classes[i] != &dpif_dummy_class || vx->dpif_dummy)) {
				*type = *t;
				return classes[i];
			}
	return NULL;
}

struct dpif *dpif_find(struct vx *vx, const char *type)
{
	list_for_each (d, &vx->dpifs, struct dpif, node)
		if (!strcmp(d->type, type))
			return d;
	return NULL;
}

static void dpif_free(void *arg)
{
	struct dpif *d = arg;

	revalidator_done(d);
	hmap_done(&d->names);
	hmap_done(&d->tunnels);
	snap_free(d->empty);
	snap_free(atomic_load(&d->snap));
	free(d);
}

static struct dpif *dpif_new(struct vx *vx, const struct dpif_class *class, const char *type)
{
	struct dpif *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->vx = vx;
	d->class = class;
	d->type = type;
	d->limit = TABLE_LIMIT;
	snprintf(d->name, sizeof(d->name), "ovs-%s", type);
	list_init(&d->node);
	list_init(&d->bridges);
	list_init(&d->ports);
	list_init(&d->leaving_ports);
	list_init(&d->leaving_bundles);
	d->empty = snap_new_empty(vx);
	atomic_store(&d->snap, snap_new_empty(vx));
	if (revalidator_init(d) == 0 && d->empty && atomic_load(&d->snap))
		return d;
	dpif_free(d);
	return NULL;
}

int dpif_open(struct vx *vx, const char *type, struct vx_err *err, struct dpif **out)
{
	const struct dpif_class *class = class_find(vx, &type);
	struct dpif *d;
	int r;

	if (!class)
		return vx_fail(err, -EAFNOSUPPORT, "datapath_type \"%s\" is none of system, netdev",
			       type);
	d = dpif_find(vx, type);
	if (!d) {
		d = dpif_new(vx, class, type);
		if (!d)
			return -ENOMEM;
		r = class->open(d, err);
		if (r < 0) {
			dpif_free(d);
			return r;
		}
		list_append(&vx->dpifs, &d->node);
	}
	d->users++;
	*out = d;
	return 0;
}

void dpif_close(struct dpif *d)
{
	if (--d->users)
		return;
	assert(list_is_empty(&d->bridges) && list_is_empty(&d->ports));
	list_remove(&d->node);
	d->class->close(d);
	/* Who translates, or learns, may be at it still. */
	quiesce_defer(&d->vx->quiesce, dpif_free, d);
}

void dpif_get_stats(struct dpif *d, struct dp_stats *out)
{
	d->class->get_stats(d, out);
}

void dpif_set_flow_limit(struct vx *vx, uint32_t flows)
{
	list_for_each (d, &vx->dpifs, struct dpif, node) {
		if (d->limit != flows)
			table_set_limit(d->table, flows);
		d->limit = flows;
	}
}

void dpif_set_limits(struct vx *vx, const struct dpif_limits *l)
{
	dpif_set_flow_limit(vx, l->flows);
	list_for_each (d, &vx->dpifs, struct dpif, node) {
		d->reval.max_idle = l->max_idle;
		d->reval.interval = MAX(l->max_revalidator, 1u);
		d->reval.keep_idle = l->keep_idle;
	}
}

/* --- what workers see ------------------------------------------------------------------------ */

static void publish(struct dpif *d, struct snap *s)
{
	struct snap *old = atomic_load(&d->snap);

	d->seq = s->seq;
	d->stale = false;
	atomic_store_explicit(&d->snap, s, memory_order_release);
	quiesce_defer(&d->vx->quiesce, snap_free, old);
}

int dpif_publish(struct dpif *d)
{
	struct snap *s;

	/* The one in reserve is gone only as long as it is the one that workers see: else what is
	 * taken away next would be freed under them. */
	if (!d->empty)
		d->empty = snap_new_empty(d->vx);
	s = d->empty ? snap_new(d, d->seq + 1) : NULL;
	if (!s)
		return -ENOMEM;
	publish(d, s);
	return 0;
}

void dpif_publish_removal(struct dpif *d)
{
	if (dpif_publish(d) == 0)
		return;
	if (d->empty) {
		d->empty->seq = d->seq + 1;
		publish(d, d->empty);
		d->empty = NULL;
	}
	d->stale = true;
}

void dpif_run(struct dpif *d, uint64_t now)
{
	if (d->ran == now) /* for another of its bridges */
		return;
	d->ran = now;
	if (!d->empty)
		d->empty = snap_new_empty(d->vx);
	if (d->stale)
		dpif_publish(d);
	revalidate_run(d, now);
}

uint64_t dpif_wait(struct dpif *d, uint64_t now)
{
	return d->stale ? now + NS_PER_S : revalidate_wait(d, now);
}

/* --- ports ----------------------------------------------------------------------------------- */

/* In order of number, as they are listed. */
static void insert_port(struct dpif *d, struct dpif_port *port)
{
	struct list *at = d->ports.prev;

	while (at != &d->ports && container_of(at, struct dpif_port, node)->no > port->no)
		at = at->prev;
	list_insert_after(at, &port->node);
}

int dpif_port_add(struct dpif *d, const struct dpif_port_cfg *cfg, struct vx_err *err,
		  struct dpif_port **out)
{
	struct dpif_port *port = calloc(1, sizeof(*port));
	int r;

	if (!port)
		return -ENOMEM;
	memcpy(port->name, cfg->name, sizeof(port->name));
	port->type = cfg->type;
	port->udp_port = cfg->udp_port;
	port->gbp = cfg->gbp;
	port->users = 1;
	r = d->class->port_add(d, cfg, port, err);
	if (r < 0) {
		free(port);
		return r;
	}
	insert_port(d, port);
	*out = port;
	return 0;
}

void dpif_port_del(struct dpif *d, struct dpif_port *port, bool del)
{
	list_remove(&port->node);
	d->class->port_del(d, port, del);
	free(port);
}

/* --- tunnel devices -------------------------------------------------------------------------- */

static struct dpif_port *tunnel_find(struct dpif *d, uint16_t udp_port)
{
	list_for_each (port, &d->ports, struct dpif_port, node)
		if (port->udp_port == udp_port && !port->gone)
			return port;
	return NULL;
}

int dpif_tunnel_get(struct dpif *d, const char *user, uint16_t udp_port, bool gbp,
		    struct vx_err *err, struct dpif_port **out)
{
	struct dpif_port_cfg cfg = {.type = "vxlan", .udp_port = udp_port, .gbp = gbp};
	struct dpif_port *port = tunnel_find(d, udp_port);

	if (port && port->gbp != gbp)
		return vx_fail(err, -EINVAL,
			       "%s: VXLAN-GBP, and non-VXLAN-GBP tunnels can't be configured on "
			       "the same dst_port",
			       user);
	if (port) {
		port->users++;
		*out = port;
		return 0;
	}
	snprintf(cfg.name, sizeof(cfg.name), "vxlan_sys_%u", udp_port);
	return dpif_port_add(d, &cfg, err, out);
}

void dpif_tunnel_put(struct dpif *d, struct dpif_port *port)
{
	if (!--port->users)
		dpif_port_del(d, port, true);
}
