/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of bridges between two snapshots.  Each is published at once, or, while the datapaths are
 * held, all of them as one snapshot when they are released: a thousand ports then cost a thousand
 * ports, not their square.
 *
 * What a change takes away waits for the snapshot that does not name it any more: first nothing is
 * translated to a port, then its device goes, then, a grace period later, its memory.
 */
#include <stdlib.h>

#include "ofproto/ofproto_priv.h"

static void lose_ports(struct dpif *d)
{
	list_for_each_safe (port, &d->leaving_ports, struct ofproto_port, node) {
		list_remove(&port->node);
		ofproto_port_disconnect(port);
		quiesce_defer(&d->vx->quiesce, ofproto_port_free, port);
	}
}

static void forget_elsewhere(void *ctx, const struct mac *mac, uint16_t vlan)
{
	struct ofproto *p = ctx;

	list_for_each (d, &p->d->vx->dpifs, struct dpif, node)
		list_for_each (other, &d->bridges, struct ofproto, node)
			if (other != p)
				mac_vlan_forget(&other->macs, mac, vlan);
}

/* Who was behind one may be anywhere now: other bridges may know him by a patch port, and forget
 * him, too, as in 3.1. */
static void lose_bundles(struct dpif *d)
{
	list_for_each_safe (b, &d->leaving_bundles, struct ofproto_bundle, node) {
		list_remove(&b->node);
		mac_vlan_walk_port(&b->p->macs, &b->macs, forget_elsewhere, b->p);
		mac_forget_port(&b->p->macs, &b->macs);
		quiesce_defer(&d->vx->quiesce, free, b);
	}
}

static void flush_bundle(struct ofproto_bundle *b)
{
	if (b->must_clear)
		mac_clear_port(&b->p->macs, &b->macs);
	else if (b->must_flush)
		mac_flush(&b->p->macs, &b->macs, false, NULL);
	b->must_clear = b->must_flush = false;
}

/* What was learnt by settings of before. */
static void flush_bundles(struct dpif *d)
{
	if (!d->must_flush)
		return;
	d->must_flush = false;
	list_for_each (p, &d->bridges, struct ofproto, node)
		list_for_each (b, &p->bundles, struct ofproto_bundle, node)
			flush_bundle(b);
}

static void put_tunnels(struct dpif *d)
{
	if (!d->must_put)
		return;
	d->must_put = false;
	list_for_each_safe (dp, &d->ports, struct dpif_port, node)
		for (uint32_t n = dp->leaving; n; n--) { /* the last one's put frees it */
			dp->leaving--;
			dpif_tunnel_put(d, dp);
		}
}

void pending_publish(struct dpif *d)
{
	d->is_dirty = false;
	dpif_publish_removal(d);
	lose_ports(d);
	lose_bundles(d);
	flush_bundles(d);
	put_tunnels(d);
}

void pending_make_room(struct dpif *d)
{
	if (!list_is_empty(&d->leaving_ports) || d->must_put)
		pending_publish(d);
}

void pending_change(struct dpif *d)
{
	if (d->vx->dpif_holds)
		d->is_dirty = true;
	else
		pending_publish(d);
}

int pending_try_change(struct dpif *d)
{
	if (!d->vx->dpif_holds)
		return dpif_publish(d);
	d->is_dirty = true;
	return 0;
}

void pending_flush(struct ofproto_bundle *b)
{
	b->must_flush = b->p->d->must_flush = true;
}

void pending_clear(struct ofproto_bundle *b)
{
	b->must_clear = b->p->d->must_flush = true;
}

void pending_put(struct dpif *d, struct dpif_port *dp)
{
	dp->leaving++;
	d->must_put = true;
	if (!d->vx->dpif_holds)
		put_tunnels(d);
}

void ofproto_hold(struct vx *vx)
{
	vx->dpif_holds++;
}

void ofproto_release(struct vx *vx)
{
	if (--vx->dpif_holds)
		return;
	list_for_each (d, &vx->dpifs, struct dpif, node)
		if (d->is_dirty)
			pending_publish(d);
}
