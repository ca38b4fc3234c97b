/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/snapshot.h"

#include <stdlib.h>

#include "ofproto/ofproto_priv.h"

static uint32_t highest_dp_port(const struct dpif *d)
{
	return list_is_empty(&d->ports) ? 0 : container_of(d->ports.prev, struct dpif_port, node)->no;
}

/* Rooms for so many; calloc() of at least one, so that NULL is no memory. */
static struct snap *snap_alloc(struct vx *vx, uint32_t bridges, uint32_t ports, uint32_t bundles,
			       uint32_t trunks, uint32_t dp_ports, uint32_t tunnels)
{
	struct snap *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->n_bridges = bridges;
	s->n_dp_ports = dp_ports;
	s->bridges = calloc(bridges + 1, sizeof(*s->bridges));
	s->ports = calloc(ports + 1, sizeof(*s->ports));
	s->bundles = calloc(bundles + 1, sizeof(*s->bundles));
	s->trunks = calloc(trunks + 1, TRUNK_WORDS * sizeof(*s->trunks));
	s->by_dp = calloc(dp_ports + 1, sizeof(*s->by_dp));
	s->tun_flags = calloc(dp_ports + 1, sizeof(*s->tun_flags));
	s->tunnels = tunnel_map_new(vx->key, tunnels);
	if (s->bridges && s->ports && s->bundles && s->trunks && s->by_dp && s->tun_flags && s->tunnels)
		return s;
	snap_free(s);
	return NULL;
}

struct snap *snap_new_empty(struct vx *vx)
{
	return snap_alloc(vx, 0, 0, 0, 0, 0, 0);
}

void snap_free(void *snap)
{
	struct snap *s = snap;

	if (!s)
		return;
	free(s->bridges);
	free(s->ports);
	free(s->bundles);
	free(s->trunks);
	free(s->by_dp);
	free(s->tun_flags);
	tunnel_map_free(s->tunnels);
	free(s);
}

static void fill_port(struct snap *s, const struct snap_bridge *br, struct ofproto_port *port,
		      struct snap_port *sp)
{
	port->snap = sp;
	*sp = (struct snap_port){.br = br,
				 .counters = port->counters,
				 .dp_port =
					 port->dp && !port->dp->gone ? port->dp->no : DP_PORT_NONE,
				 .ofport = port->ofport,
				 .is_tunnel = port->kind == PORT_VXLAN,
				 .tun = port->tun};
	memcpy(sp->name, port->name, sizeof(sp->name));
	if (sp->dp_port == DP_PORT_NONE)
		return;
	if (sp->is_tunnel) {
		struct tunnel_id id;

		tunnel_id_of(&port->tun, sp->dp_port, &id);
		tunnel_map_add(s->tunnels, &id, sp);
		s->tun_flags[sp->dp_port] =
			port->dp->sees_outer ? TUN_DF | TUN_CSUM | TUN_KEY : TUN_KEY;
	} else {
		s->by_dp[sp->dp_port] = sp;
	}
}

static bool is_there(const struct ofproto_port *port)
{
	return port && !(port->dp && port->dp->gone);
}

/* 'trunks' is room for its own, if it has any. */
static void fill_bundle(struct ofproto_bundle *b, struct snap_bundle *sb, uint64_t *trunks)
{
	*sb = (struct snap_bundle){.live = b,
				   .macs = &b->macs,
				   .port = is_there(b->port) ? b->port->snap : NULL,
				   .mode = b->mode,
				   .priority_tags = b->priority_tags,
				   .trunks = b->has_trunks ? trunks : NULL,
				   .protected_ = b->is_protected,
				   .tag = b->tag};
	if (b->has_trunks)
		memcpy(trunks, b->trunks, sizeof(b->trunks));
	if (is_there(b->port))
		b->port->snap->bundle = sb;
}

static void fill_bridge(struct snap *s, struct ofproto *p, struct snap_bridge *br,
			struct snap_port *ports, struct snap_bundle *bundles,
			uint64_t **trunks)
{
	*br = (struct snap_bridge){.macs = &p->macs,
				   .rule = p->rule,
				   .secure = p->secure,
				   .forward_bpdu = p->forward_bpdu,
				   .n_bundles = p->n_bundles,
				   .ports = ports,
				   .bundles = bundles};
	memcpy(br->name, p->name, sizeof(br->name));
	memcpy(br->flood_vlans, p->flood_vlans, sizeof(br->flood_vlans));
	list_for_each (port, &p->ports, struct ofproto_port, node)
		fill_port(s, br, port, &ports[br->n_ports++]);
	list_for_each (b, &p->bundles, struct ofproto_bundle, node) {
		fill_bundle(b, &bundles[b->slot], *trunks);
		*trunks += b->has_trunks * TRUNK_WORDS;
	}
}

/* Two patch ports are a pair when each names the other. */
static void join_patch_ports(struct dpif *d)
{
	list_for_each (p, &d->bridges, struct ofproto, node)
		list_for_each (port, &p->ports, struct ofproto_port, node) {
			struct ofproto_port *peer =
				port->kind == PORT_PATCH ? ofproto_port_named(d, port->peer) : NULL;

			if (peer && peer != port && peer->kind == PORT_PATCH &&
			    !strcmp(peer->peer, port->name))
				port->snap->peer = peer->snap;
		}
}

struct snap *snap_new(struct dpif *d, uint64_t seq)
{
	uint32_t bridges = 0, ports = 0, bundles = 0, trunked = 0, tunnels = 0;
	uint64_t *trunks;
	struct snap *s;

	list_for_each (p, &d->bridges, struct ofproto, node) {
		bridges++;
		bundles += p->n_bundles;
		list_for_each (port, &p->ports, struct ofproto_port, node) {
			ports++;
			tunnels += port->kind == PORT_VXLAN;
		}
		list_for_each (b, &p->bundles, struct ofproto_bundle, node)
			trunked += b->has_trunks;
	}
	s = snap_alloc(d->vx, bridges, ports, bundles, trunked, highest_dp_port(d) + 1, tunnels);
	if (!s)
		return NULL;
	s->seq = seq;
	trunks = s->trunks;
	bridges = ports = bundles = 0;
	list_for_each (p, &d->bridges, struct ofproto, node) {
		fill_bridge(s, p, &s->bridges[bridges++], &s->ports[ports], &s->bundles[bundles],
			    &trunks);
		ports += p->n_ports;
		bundles += p->n_bundles;
	}
	join_patch_ports(d);
	return s;
}

const struct snap_bundle *snap_bundle_of(const struct snap_bridge *br, struct mac_port *m)
{
	struct ofproto_bundle *live = container_of(m, struct ofproto_bundle, macs);

	if (live->slot >= br->n_bundles || br->bundles[live->slot].live != live)
		return NULL;
	return &br->bundles[live->slot];
}

const struct snap_port *snap_ingress(const struct snap *s, const struct flow_key *k)
{
	if (k->in_port >= s->n_dp_ports)
		return NULL;
	if (!s->tun_flags[k->in_port])
		return s->by_dp[k->in_port];
	return k->tun.flags & TUN_PRESENT ? tunnel_map_find(s->tunnels, k->in_port, &k->tun) : NULL;
}
