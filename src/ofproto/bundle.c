/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: the rows of table Port, a port of a bridge with its VLANs. */
#include <stdlib.h>
#include <errno.h>

#include "ofproto/ofproto_priv.h"

static struct ofproto_bundle *bundle_find(struct ofproto *p, const void *aux)
{
	list_for_each (b, &p->bundles, struct ofproto_bundle, node)
		if (b->aux == aux)
			return b;
	return NULL;
}

/* The lowest slot that is free, and the list's place for it. */
static void give_slot(struct ofproto *p, struct ofproto_bundle *b)
{
	struct list *at = &p->bundles;

	b->slot = 0;
	list_for_each (x, &p->bundles, struct ofproto_bundle, node) {
		if (x->slot != b->slot)
			break;
		b->slot++;
		at = &x->node;
	}
	list_insert_after(at, &b->node);
	p->n_bundles = MAX(p->n_bundles, b->slot + 1);
}

static struct ofproto_bundle *bundle_new(struct ofproto *p, const void *aux)
{
	struct ofproto_bundle *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->p = p;
	b->aux = aux;
	give_slot(p, b);
	mac_list_add(&p->macs, &b->macs.list);
	return b;
}

static struct ofproto_port *port_of(struct ofproto *p, const struct bundle_cfg *cfg)
{
	if (cfg->n_ports != 1)
		return NULL;
	list_for_each (port, &p->ports, struct ofproto_port, node)
		if (port->ofport == cfg->ports[0])
			return port;
	return NULL;
}

static void set_port(struct ofproto_bundle *b, struct ofproto_port *port)
{
	if (b->port)
		b->port->bundle = NULL;
	if (port && port->bundle)
		port->bundle->port = NULL;
	b->port = port;
	if (port)
		port->bundle = b;
}

/* The VLANs of a row as they are used: of a trunk the tag does not count, of an access port the
 * trunks do not; one with a native VLAN takes part in that, and in VLAN 0 only if it is that. */
struct vlans {
	uint16_t tag;
	bool has_trunks;
	uint64_t trunks[64];
};

static void vlans_of(struct vlans *v, const struct bundle_cfg *c)
{
	*v = (struct vlans){0};
	if (c->vlan_mode != VLAN_TRUNK && c->tag >= 0 && c->tag <= VLAN_VID)
		v->tag = (uint16_t)c->tag;
	if (c->vlan_mode == VLAN_ACCESS)
		return;
	v->has_trunks = c->trunks != NULL;
	if (c->trunks)
		memcpy(v->trunks, c->trunks, sizeof(v->trunks));
	if (!v->tag)
		return;
	if (!v->has_trunks)
		memset(v->trunks, 0xff, sizeof(v->trunks));
	v->has_trunks = true;
	v->trunks[v->tag / 64] |= 1ull << v->tag % 64;
	v->trunks[0] &= ~1ull;
}

static bool is_same(const struct ofproto_bundle *b, const struct ofproto_port *port,
		    const struct bundle_cfg *c, const struct vlans *v)
{
	return b->port == port && b->mode == c->vlan_mode && b->tag == v->tag &&
	       b->priority_tags == c->priority_tags && b->is_protected == c->is_protected &&
	       b->has_trunks == v->has_trunks && !memcmp(b->trunks, v->trunks, sizeof(b->trunks));
}

int ofproto_bundle_set(struct ofproto *p, const void *aux, const struct bundle_cfg *c)
{
	struct ofproto_bundle *b = bundle_find(p, aux);
	struct ofproto_port *port = port_of(p, c);
	struct vlans v;

	vlans_of(&v, c);
	if (b && is_same(b, port, c, &v))
		return 0;
	if (!b)
		b = bundle_new(p, aux);
	if (!b)
		return -ENOMEM;
	set_port(b, port);
	b->mode = (uint8_t)c->vlan_mode;
	b->priority_tags = (uint8_t)c->priority_tags;
	b->is_protected = c->is_protected;
	b->tag = v.tag;
	b->has_trunks = v.has_trunks;
	memcpy(b->trunks, v.trunks, sizeof(b->trunks));
	dpif_publish_removal(p->d);
	/* What was learnt, or put there, by the old settings. */
	mac_clear_port(&p->macs, &b->macs);
	return 0;
}

static void forget_elsewhere(void *ctx, const struct mac *mac, uint16_t vlan)
{
	struct ofproto *p = ctx;

	list_for_each (d, &p->d->vx->dpifs, struct dpif, node)
		list_for_each (other, &d->bridges, struct ofproto, node)
			if (other != p)
				mac_vlan_forget(&other->macs, mac, vlan);
}

void ofproto_bundle_del(struct ofproto *p, const void *aux)
{
	struct ofproto_bundle *b = bundle_find(p, aux);

	if (!b)
		return;
	set_port(b, NULL);
	list_remove(&b->node);
	p->n_bundles = 0;
	list_for_each (x, &p->bundles, struct ofproto_bundle, node)
		p->n_bundles = x->slot + 1;
	dpif_publish_removal(p->d);
	/* Who was behind it may be anywhere now: other bridges may know him by a patch port, and
	 * forget him, too, as in 3.1. */
	mac_vlan_walk_port(&p->macs, &b->macs, forget_elsewhere, p);
	mac_forget_port(&p->macs, &b->macs);
	quiesce_defer(&p->d->vx->quiesce, free, b);
}
