/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: the rows of table Port, a port of a bridge with its VLANs. */
#include <stdlib.h>
#include <errno.h>

#include "ofproto/ofproto_priv.h"

static uint64_t hash_aux(const struct ofproto *p, const void *aux)
{
	return hash_u64(p->d->vx->key, (uintptr_t)aux, 0);
}

static struct ofproto_bundle *bundle_find(struct ofproto *p, const void *aux)
{
	hmap_for_each (n, &p->by_aux, hash_aux(p, aux)) {
		struct ofproto_bundle *b = container_of(n, struct ofproto_bundle, by_aux);

		if (b->aux == aux)
			return b;
	}
	return NULL;
}

/* The lowest slot that is free, and the list's place for it. */
static void give_slot(struct ofproto *p, struct ofproto_bundle *b)
{
	struct list *at = &p->bundles;
	bool is_full = p->n_slots_used == p->n_bundles;

	b->slot = is_full ? p->n_bundles : 0;
	if (is_full)
		at = p->bundles.prev;
	else
		list_for_each (x, &p->bundles, struct ofproto_bundle, node) {
			if (x->slot != b->slot)
				break;
			b->slot++;
			at = &x->node;
		}
	list_insert_after(at, &b->node);
	p->n_slots_used++;
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
	hmap_add(&p->by_aux, &b->by_aux, hash_aux(p, aux));
	mac_list_add(&p->macs, &b->macs.list);
	return b;
}

static struct ofproto_port *port_of(struct ofproto *p, const struct bundle_cfg *cfg)
{
	return cfg->n_ports == 1 ? ofproto_port_at(p, cfg->ports[0]) : NULL;
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
	if (b)
		pending_clear(b); /* what was learnt, or put there, by the old settings */
	else
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
	pending_change(p->d);
	return 0;
}

void ofproto_bundle_del(struct ofproto *p, const void *aux)
{
	struct ofproto_bundle *b = bundle_find(p, aux);

	if (!b)
		return;
	set_port(b, NULL);
	list_remove(&b->node);
	hmap_remove(&p->by_aux, &b->by_aux);
	p->n_slots_used--;
	p->n_bundles = list_is_empty(&p->bundles)
			       ? 0
			       : container_of(p->bundles.prev, struct ofproto_bundle, node)->slot + 1;
	list_append(&p->d->leaving_bundles, &b->node);
	pending_change(p->d);
}
