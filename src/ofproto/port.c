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

static uint64_t hash_name(const struct dpif *d, const char *name)
{
	return hash_bytes(d->vx->key, name, strlen(name));
}

struct ofproto_port *ofproto_port_named(struct dpif *d, const char *name)
{
	hmap_for_each (n, &d->names, hash_name(d, name)) {
		struct ofproto_port *port = container_of(n, struct ofproto_port, by_name);

		if (!strcmp(port->name, name))
			return port;
	}
	return NULL;
}

/* --- numbers --------------------------------------------------------------------------------- */

/* The next one up that is free and had its rest; failing that the one that rested longest. */
static uint16_t next_ofport(struct ofproto *p, uint64_t now)
{
	uint16_t no = p->last_ofport, best = OFPORT_NONE;

	for (uint32_t i = 1; i < OFPORT_AUTO_MAX; i++) {
		no = no + 1 == OFPORT_AUTO_MAX ? 1 : no + 1;
		if (ofproto_port_at(p, no))
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
	if (asked && (asked < OFPORT_MAX || asked == OFPORT_LOCAL) && !ofproto_port_at(p, asked))
		return asked;
	return next_ofport(p, vx_now(p->d->vx));
}

/* A tunnel's, under the datapath port that it has by now. */
static void add_identity(struct ofproto_port *port)
{
	struct dpif *d = port->p->d;
	struct tunnel_id id;

	tunnel_id_of(&port->tun, port->dp->no, &id);
	hmap_add(&d->tunnels, &port->by_id, tunnel_id_hash(d->vx->key, &id));
}

/* Where its number says. */
static void place_port(struct ofproto *p, struct ofproto_port *port)
{
	struct list *at = p->ports.prev; /* new ones have high numbers */

	while (at != &p->ports &&
	       container_of(at, struct ofproto_port, node)->ofport > port->ofport)
		at = at->prev;
	list_insert_after(at, &port->node);
	p->by_no[port->ofport] = port;
}

static void insert_port(struct ofproto *p, struct ofproto_port *port)
{
	place_port(p, port);
	p->n_ports++;
	hmap_add(&p->d->names, &port->by_name, hash_name(p->d, port->name));
	if (port->kind == PORT_VXLAN)
		add_identity(port);
}

static void take_port(struct ofproto *p, struct ofproto_port *port)
{
	list_remove(&port->node);
	p->n_ports--;
	p->by_no[port->ofport] = NULL;
	hmap_remove(&p->d->names, &port->by_name);
	if (port->kind == PORT_VXLAN)
		hmap_remove(&p->d->tunnels, &port->by_id);
}

/* --- the datapath's part --------------------------------------------------------------------- */

/* Is there a tunnel port of this identity, but for 'self'? */
static int check_identity(struct dpif *d, const struct tunnel_cfg *cfg, uint32_t dp_port,
			  const struct ofproto_port *self)
{
	struct tunnel_id id, other;

	tunnel_id_of(cfg, dp_port, &id);
	hmap_for_each (n, &d->tunnels, tunnel_id_hash(d->vx->key, &id)) {
		const struct ofproto_port *port = container_of(n, struct ofproto_port, by_id);

		tunnel_id_of(&port->tun, port->dp->no, &other);
		if (port != self && tunnel_id_eq(&id, &other))
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

void ofproto_port_disconnect(struct ofproto_port *port)
{
	if (!port->dp)
		return;
	if (port->kind == PORT_VXLAN)
		dpif_tunnel_put(port->p->d, port->dp);
	else
		dpif_port_del(port->p->d, port->dp, port->del);
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

void ofproto_port_free(void *port)
{
	free(((struct ofproto_port *)port)->counters);
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
	if (ofproto_port_named(p->d, cfg->name))
		return -EEXIST;
	pending_make_room(p->d);
	port = port_new(p, cfg, kind);
	if (!port)
		return -ENOMEM;
	port->ofport = choose_ofport(p, cfg->ofport_request);
	r = port->ofport ? connect_port(port, err) : -EFBIG;
	if (r < 0)
		goto out_free;
	insert_port(p, port);
	r = pending_try_change(p->d);
	if (r < 0)
		goto out_disconnect;
	*ofport = port->ofport;
	return 0;
out_disconnect:
	take_port(p, port);
	port->del = true;
	ofproto_port_disconnect(port);
out_free:
	ofproto_port_free(port);
	if (r != -EEXIST) /* a twin uses up a number in 3.1, too: it is found late */
		p->last_ofport = last;
	return r;
}

int ofproto_port_del(struct ofproto *p, uint16_t ofport, bool del)
{
	struct ofproto_port *port = ofproto_port_at(p, ofport);

	if (!port)
		return -ENOENT;
	if (port->bundle) {
		pending_flush(port->bundle);
		port->bundle->port = NULL;
	}
	take_port(p, port);
	if (ofport < OFPORT_MAX)
		p->ofport_used[ofport] = MAX(vx_now(p->d->vx), 1ull);
	port->del = del;
	list_append(&p->d->leaving_ports, &port->node);
	pending_change(p->d);
	return 0;
}

int ofproto_port_renumber(struct ofproto *p, uint16_t from, uint16_t *to)
{
	struct ofproto_port *port = ofproto_port_at(p, from);

	if (!port)
		return -ENOENT;
	if (*to && (*to >= OFPORT_MAX || ofproto_port_at(p, *to)))
		return -EEXIST;
	*to = choose_ofport(p, *to);
	if (!*to)
		return -EFBIG;
	list_remove(&port->node);
	p->by_no[from] = NULL;
	if (from < OFPORT_MAX)
		p->ofport_used[from] = MAX(vx_now(p->d->vx), 1ull);
	port->ofport = *to;
	place_port(p, port);
	pending_change(p->d);
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

static void set_tunnel(struct ofproto_port *port, struct dpif_port *dp,
		       const struct tunnel_cfg *cfg)
{
	hmap_remove(&port->p->d->tunnels, &port->by_id);
	port->dp = dp;
	port->tun = *cfg;
	add_identity(port);
}

static int reconfigure_tunnel(struct ofproto_port *port, const struct tunnel_cfg *cfg,
			      struct vx_err *err)
{
	struct dpif_port *old_dp = port->dp, *dp;
	struct tunnel_cfg old = port->tun;
	int r;

	if (!memcmp(&old, cfg, sizeof(old)) && !old_dp->gone) /* holes that differ do no harm */
		return 0;
	pending_make_room(port->p->d);
	r = connect_tunnel(port, cfg, err, &dp);
	if (r < 0)
		return r;
	set_tunnel(port, dp, cfg);
	r = pending_try_change(port->p->d);
	if (r < 0) {
		set_tunnel(port, old_dp, &old);
		old_dp = dp;
	}
	pending_put(port->p->d, old_dp);
	return r;
}

static int reconfigure_patch(struct ofproto_port *port, const char *peer)
{
	char old[OFPORT_NAME_MAX];
	int r;

	if (peer && strlen(peer) >= sizeof(port->peer))
		return -EINVAL;
	if (!strcmp(port->peer, peer ? peer : ""))
		return 0;
	memcpy(old, port->peer, sizeof(old));
	snprintf(port->peer, sizeof(port->peer), "%s", peer ? peer : "");
	r = pending_try_change(port->p->d);
	if (r < 0)
		memcpy(port->peer, old, sizeof(old));
	return r;
}

int ofproto_port_reconfigure(struct ofproto *p, uint16_t ofport, const struct ofproto_port_cfg *cfg,
			     struct vx_err *err)
{
	struct ofproto_port *port = ofproto_port_at(p, ofport);

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
	const struct ofproto_port *port = ofproto_port_at(p, ofport);

	if (port)
		view(port, out);
	return port != NULL;
}

uint16_t ofproto_port_find(struct ofproto *p, const char *name)
{
	const struct ofproto_port *port = ofproto_port_named(p->d, name);

	return port && port->p == p ? port->ofport : OFPORT_NONE;
}

bool ofproto_port_by_name(struct dpif *d, const char *name, struct ofproto_port_view *out)
{
	const struct ofproto_port *port = ofproto_port_named(d, name);

	if (port)
		view(port, out);
	return port != NULL;
}

READS_COUNTERS int ofproto_port_stats(struct ofproto *p, uint16_t ofport,
				      struct ofproto_port_stats *out)
{
	struct ofproto_port *port = ofproto_port_at(p, ofport);

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
