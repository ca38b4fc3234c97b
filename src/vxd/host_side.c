/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/host_side.h"

#include <unistd.h>

#include "vxd/vxd.h"

/* The host's side of a device is gone: so is the device, as if vx had been told (control.md I3). */
static void gone_with_host(struct vxd *d, struct dev *dev)
{
	if (state_text(&d->state))
		canon_link_del(state_text(&d->state), dev);
	link_dellink(dev, false);
	state_commit(&d->state);
}

void host_side_lost(void *ctx)
{
	struct vxd *d = ctx;
	uint64_t one = 1;

	atomic_store(&d->side_lost, true);
	if (write(d->wake_fd, &one, sizeof(one)) < 0)
		return; /* its counter is full: control is awake anyway */
}

static struct dev *lost_one(struct vxd *d)
{
	list_for_each (dev, &d->vx->devs, struct dev, node)
		if (host_side_is_lost(dev))
			return dev;
	return NULL;
}

void host_side_remove_lost(struct vxd *d)
{
	struct dev *dev;

	if (!atomic_exchange(&d->side_lost, false))
		return;
	while ((dev = lost_one(d))) /* others may go with it */
		gone_with_host(d, dev);
}

/* The device whose host side is a veth pair with this hidden end. */
static struct dev *by_hidden_end(struct vxd *d, uint32_t ifindex)
{
	list_for_each (dev, &d->vx->devs, struct dev, node) {
		struct io *host = atomic_load(&dev->host);

		if (host && host->ifindex == ifindex && !strcmp(host->kind, "veth"))
			return dev;
	}
	return NULL;
}

void host_side_changed(void *ctx, const struct host_link *l, bool gone)
{
	struct vxd *d = ctx;
	struct dev *dev = dev_by_index(d->vx, l->ifindex);

	packet_host_changed(d->vx, l, gone);
	if (dev && atomic_load(&dev->host)) {
		struct link_cfg cfg = {0};

		if (gone) {
			gone_with_host(d, dev);
			return;
		}
		if (*l->name && strcmp(l->name, dev->name)) {
			dev_follow_name(dev, l->name);
			d->state.stale = state_text(&d->state) != NULL;
		}
		cfg.has_mtu = l->mtu && l->mtu != dev->mtu;
		cfg.mtu = l->mtu;
		cfg.has_mac = !mac_is_zero(&l->mac) && !mac_eq(&l->mac, &dev->mac);
		cfg.mac = l->mac;
		cfg.has_up = !!(l->flags & IFF_UP) != dev_is_up(dev);
		cfg.up = l->flags & IFF_UP;
		if (state_text(&d->state))
			canon_link_set(state_text(&d->state), dev, &cfg, NULL, 0);
		state_commit(&d->state);
		if (l->mtu && l->mtu != dev->mtu)
			dev_set_mtu(dev, l->mtu, NULL);
		if (!mac_is_zero(&l->mac) && !mac_eq(&l->mac, &dev->mac))
			dev_set_mac(dev, &l->mac, NULL);
		if (!!(l->flags & IFF_UP) != dev_is_up(dev))
			dev_change_flags(dev, l->flags & IFF_UP, NULL);
		return;
	}
	if (!gone)
		return;
	dev = by_hidden_end(d, l->ifindex);
	if (dev) {
		gone_with_host(d, dev);
		return;
	}
	list_for_each_safe (x, &d->vx->devs, struct dev, node)
		if (x->lower_index == l->ifindex && !x->lower)
			link_dellink(x, false);
}
