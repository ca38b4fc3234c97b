/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports of bridges: the chain from ofproto_port_add() down to the datapath, and back up where a
 * link of it fails.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ofproto/ofproto_priv.h"

const char *const port_kinds[PORT_KINDS] = {
	[PORT_SYSTEM] = "system",
	[PORT_INTERNAL] = "internal",
	[PORT_PATCH] = "patch",
	[PORT_VXLAN] = "vxlan",
};

enum { OFPORT_AUTO_MAX = 32768 };
#define OFPORT_REST (3600 * NS_PER_S) /* a number is not given again for so long */

static struct ofproto_port *port_find(struct ofproto *p, uint16_t ofport)
{
	list_for_each (port, &p->ports, struct ofproto_port, node)
		if (port->ofport == ofport)
			return port;
	return NULL;
}

/* On any bridge of the datapath. */
static struct ofproto_port *port_named(struct dpif *d, const char *name)
{
	list_for_each (p, &d->bridges, struct ofproto, node)
		list_for_each (port, &p->ports, struct ofproto_port, node)
			if (!strcmp(port->name, name))
				return port;
	return NULL;
}

/* --- numbers --------------------------------------------------------------------------------- */

/* The next one up that is free and had its rest; failing that the one that rested longest. */
static uint16_t next_ofport(struct ofproto *p, uint64_t now)
{
	uint16_t no = p->last_ofport, best = OFPORT_NONE;

	for (uint32_t i = 1; i < OFPORT_AUTO_MAX; i++) {
		no = no + 1 == OFPORT_AUTO_MAX ? 1 : no + 1;
		if (port_find(p, no))
			continue;
		if (!p->ofport_used[no] || now - p->ofport_used[no] > OFPORT_REST) {
			best = no;
			break;
		}
		if (!best || p->ofport_used[no] < p->ofport_used[best])
			best = no;
	}
	p->last_ofport = best ? best : p->last_ofport;
	return best;
}

static uint16_t choose_ofport(struct ofproto *p, uint16_t asked)
{
	if (asked && (asked < OFPORT_MAX || asked == OFPORT_LOCAL) && !port_find(p, asked))
		return asked;
	return next_ofport(p, vx_now(p->d->vx));
}

static void insert_port(struct ofproto *p, struct ofproto_port *port)
{
	struct list *at = &p->ports;

	list_for_each (x, &p->ports, struct ofproto_port, node)
		if (x->ofport < port->ofport)
			at = &x->node;
	list_insert_after(at, &port->node);
	p->n_ports++;
}

/* --- the datapath's part --------------------------------------------------------------------- */

/* Is there a tunnel port of this identity, but for 'self'? */
static int check_identity(struct dpif *d, const struct tunnel_cfg *cfg, uint32_t dp_port,
			  const struct ofproto_port *self)
{
	struct tunnel_id id, other;

	tunnel_id_of(cfg, dp_port, &id);
	list_for_each (p, &d->bridges, struct ofproto, node)
		list_for_each (port, &p->ports, struct ofproto_port, node) {
			if (port->kind != PORT_VXLAN || port == self)
				continue;
			tunnel_id_of(&port->tun, port->dp->no, &other);
			if (tunnel_id_eq(&id, &other))
				return -EEXIST;
		}
	return 0;
}

static int connect_tunnel(struct ofproto_port *port, const struct tunnel_cfg *cfg,
			  struct vx_err *err, struct dpif_port **out)
{
	struct dpif *d = port->p->d;
	int r = dpif_tunnel_get(d, port->name, cfg->dst_port, cfg->gbp, err, out);

	if (r < 0)
		return r;
	r = check_identity(d, cfg, (*out)->no, port);
	if (r < 0)
		dpif_tunnel_put(d, *out);
	return r;
}

static int connect_port(struct ofproto_port *port, struct vx_err *err)
{
	struct dpif_port_cfg cfg = {.type = port_kinds[port->kind]};

	switch (port->kind) {
	case PORT_PATCH:
		return 0;
	case PORT_VXLAN:
		return connect_tunnel(port, &port->tun, err, &port->dp);
	default:
		memcpy(cfg.name, port->name, sizeof(cfg.name));
		return dpif_port_add(port->p->d, &cfg, err, &port->dp);
	}
}

static void disconnect_port(struct ofproto_port *port, bool del)
{
	if (!port->dp)
		return;
	if (port->kind == PORT_VXLAN)
		dpif_tunnel_put(port->p->d, port->dp);
	else
		dpif_port_del(port->p->d, port->dp, del);
	port->dp = NULL;
}

/* --- add, remove, change --------------------------------------------------------------------- */

static int kind_of(const char *type, enum port_kind *kind)
{
	if (!type || !*type)
		type = port_kinds[PORT_SYSTEM];
	for (int i = 0; i < PORT_KINDS; i++)
		if (!strcmp(type, port_kinds[i])) {
			*kind = (enum port_kind)i;
			return 0;
		}
	return -EAFNOSUPPORT;
}

/* Tunnel and patch ports are no devices, and may have longer names than those. */
static size_t name_max(enum port_kind kind)
{
	return kind == PORT_VXLAN || kind == PORT_PATCH ? OFPORT_NAME_MAX : DEV_NAME_MAX;
}

static void port_free(void *arg)
{
	struct ofproto_port *port = arg;

	free(port->counters);
	free(port);
}

struct port_counters *port_counters_new(struct vx *vx)
{
	size_t size = (vx->n_workers + 1) * sizeof(struct port_counters);
	struct port_counters *c = aligned_alloc(CACHE_LINE, size);

	if (c)
		memset(c, 0, size);
	return c;
}

static struct ofproto_port *port_new(struct ofproto *p, const struct ofproto_port_cfg *cfg,
				     enum port_kind kind)
{
	struct ofproto_port *port = calloc(1, sizeof(*port));

	if (!port)
		return NULL;
	port->counters = port_counters_new(p->d->vx);
	if (!port->counters) {
		free(port);
		return NULL;
	}
	list_init(&port->node);
	port->p = p;
	port->kind = kind;
	port->tun = cfg->tun;
	snprintf(port->name, sizeof(port->name), "%s", cfg->name);
	snprintf(port->peer, sizeof(port->peer), "%s", cfg->peer ? cfg->peer : "");
	return port;
}

int ofproto_port_add(struct ofproto *p, const struct ofproto_port_cfg *cfg, uint16_t *ofport,
		     struct vx_err *err)
{
	uint16_t last = p->last_ofport;
	struct ofproto_port *port;
	enum port_kind kind;
	int r = kind_of(cfg->type, &kind);

	if (r < 0)
		return vx_fail(err, r, "type \"%s\" is none of system, internal, patch, vxlan",
			       cfg->type);
	if (!*cfg->name || strlen(cfg->name) >= name_max(kind))
		return vx_fail(err, -EINVAL, "\"%s\" is no valid interface name", cfg->name);
	if (cfg->peer && strlen(cfg->peer) >= OFPORT_NAME_MAX)
		return vx_fail(err, -EINVAL, "\"%s\" is no valid peer", cfg->peer);
	if (port_named(p->d, cfg->name))
		return -EEXIST;
	port = port_new(p, cfg, kind);
	if (!port)
		return -ENOMEM;
	port->ofport = choose_ofport(p, cfg->ofport_request);
	r = port->ofport ? connect_port(port, err) : -EFBIG;
	if (r < 0)
		goto out_free;
	insert_port(p, port);
	r = dpif_publish(p->d);
	if (r < 0)
		goto out_disconnect;
	*ofport = port->ofport;
	return 0;
out_disconnect:
	list_remove(&port->node);
	p->n_ports--;
	disconnect_port(port, true);
out_free:
	port_free(port);
	if (r != -EEXIST) /* a twin uses up a number in 3.1, too: it is found late */
		p->last_ofport = last;
	return r;
}

int ofproto_port_del(struct ofproto *p, uint16_t ofport, bool del)
{
	struct ofproto_port *port = port_find(p, ofport);

	if (!port)
		return -ENOENT;
	if (port->bundle) {
		mac_flush(&p->macs, &port->bundle->macs, false, NULL);
		port->bundle->port = NULL;
	}
	list_remove(&port->node);
	p->n_ports--;
	if (ofport < OFPORT_MAX)
		p->ofport_used[ofport] = MAX(vx_now(p->d->vx), 1ull);
	/* First from what workers read: nothing is translated to it any more. */
	dpif_publish_removal(p->d);
	disconnect_port(port, del);
	quiesce_defer(&p->d->vx->quiesce, port_free, port);
	return 0;
}

/* The port stays, for whoever wants to know, and takes part in nothing. */
void ofproto_port_lost(struct dpif *d, const struct dpif_port *dp)
{
	dpif_publish_removal(d);
	list_for_each (p, &d->bridges, struct ofproto, node)
		list_for_each (port, &p->ports, struct ofproto_port, node)
			if (port->dp == dp && port->bundle)
				mac_flush(&p->macs, &port->bundle->macs, false, NULL);
}

static int reconfigure_tunnel(struct ofproto_port *port, const struct tunnel_cfg *cfg,
			      struct vx_err *err)
{
	struct dpif_port *old_dp = port->dp, *dp;
	struct tunnel_cfg old = port->tun;
	int r = connect_tunnel(port, cfg, err, &dp);

	if (r < 0)
		return r;
	port->dp = dp;
	port->tun = *cfg;
	r = dpif_publish(port->p->d);
	if (r < 0) {
		port->dp = old_dp;
		port->tun = old;
		old_dp = dp;
	}
	dpif_tunnel_put(port->p->d, old_dp);
	return r;
}

static int reconfigure_patch(struct ofproto_port *port, const char *peer)
{
	char old[OFPORT_NAME_MAX];
	int r;

	if (peer && strlen(peer) >= sizeof(port->peer))
		return -EINVAL;
	memcpy(old, port->peer, sizeof(old));
	snprintf(port->peer, sizeof(port->peer), "%s", peer ? peer : "");
	r = dpif_publish(port->p->d);
	if (r < 0)
		memcpy(port->peer, old, sizeof(old));
	return r;
}

int ofproto_port_reconfigure(struct ofproto *p, uint16_t ofport, const struct ofproto_port_cfg *cfg,
			     struct vx_err *err)
{
	struct ofproto_port *port = port_find(p, ofport);

	if (!port)
		return -ENOENT;
	switch (port->kind) {
	case PORT_VXLAN:
		return reconfigure_tunnel(port, &cfg->tun, err);
	case PORT_PATCH:
		return reconfigure_patch(port, cfg->peer);
	default:
		return 0; /* nothing to set */
	}
}

/* --- views ----------------------------------------------------------------------------------- */

static void view(const struct ofproto_port *port, struct ofproto_port_view *v)
{
	bool gone = port->dp && port->dp->gone;

	*v = (struct ofproto_port_view){
		.name = port->name,
		.type = port_kinds[port->kind],
		.peer = port->peer,
		.ofport = port->ofport,
		.dp_port = port->dp && !gone ? port->dp->no : DP_PORT_NONE,
		.gone = gone,
		.dev = port->dp && port->kind != PORT_VXLAN ? port->dp->dev : NULL,
		.tun = port->kind == PORT_VXLAN ? &port->tun : NULL,
	};
}

int ofproto_ports(struct ofproto *p, int (*fn)(void *ctx, const struct ofproto_port_view *v),
		  void *ctx)
{
	struct ofproto_port_view v;
	int r = 0;

	list_for_each_safe (port, &p->ports, struct ofproto_port, node) {
		view(port, &v);
		r = fn(ctx, &v);
		if (r)
			return r;
	}
	return 0;
}

int ofproto_tunnels(struct dpif *d,
		    int (*fn)(void *ctx, struct ofproto *p, const struct ofproto_port_view *v),
		    void *ctx)
{
	struct ofproto_port_view v;
	struct tunnel_id id;
	int r = 0;

	for (uint32_t c = 0; c < TUNNEL_CLASSES; c++)
		list_for_each (p, &d->bridges, struct ofproto, node)
			list_for_each (port, &p->ports, struct ofproto_port, node) {
				if (port->kind != PORT_VXLAN)
					continue;
				tunnel_id_of(&port->tun, port->dp->no, &id);
				if (tunnel_class(&id) != c)
					continue;
				view(port, &v);
				r = fn(ctx, p, &v);
				if (r)
					return r;
			}
	return 0;
}

bool ofproto_port_get(struct ofproto *p, uint16_t ofport, struct ofproto_port_view *out)
{
	const struct ofproto_port *port = port_find(p, ofport);

	if (port)
		view(port, out);
	return port != NULL;
}

uint16_t ofproto_port_find(struct ofproto *p, const char *name)
{
	list_for_each (port, &p->ports, struct ofproto_port, node)
		if (!strcmp(port->name, name))
			return port->ofport;
	return OFPORT_NONE;
}

READS_COUNTERS int ofproto_port_stats(struct ofproto *p, uint16_t ofport,
				      struct ofproto_port_stats *out)
{
	struct ofproto_port *port = port_find(p, ofport);

	if (!port)
		return -ENOENT;
	memset(out, 0, sizeof(*out));
	out->only_counts = port->kind == PORT_VXLAN || port->kind == PORT_PATCH;
	if (!out->only_counts) {
		if (port->dp->dev)
			dev_sum_stats(port->dp->dev, &out->dev);
		out->rx_packets = out->dev.rx_packets;
		out->rx_bytes = out->dev.rx_bytes;
		out->tx_packets = out->dev.tx_packets;
		out->tx_bytes = out->dev.tx_bytes;
		return 0;
	}
	for (uint32_t i = 0; i <= p->d->vx->n_workers; i++) {
		const struct port_counters *c = &port->counters[i];

		out->rx_packets += COUNTER_NOW(&c->rx_packets);
		out->rx_bytes += COUNTER_NOW(&c->rx_bytes);
		out->tx_packets += COUNTER_NOW(&c->tx_packets);
		out->tx_bytes += COUNTER_NOW(&c->tx_bytes);
	}
	return 0;
}
