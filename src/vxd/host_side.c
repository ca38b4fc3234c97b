/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/host_side.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log/vlog.h"
#include "vxd/vxd.h"

/* The host's side of a device is gone: so is the device, as if vx had been told (control.md I3). */
static void gone_with_host(struct vxd *d, struct dev *dev)
{
	if (state_text(&d->state))
		canon_link_del(state_text(&d->state), dev);
	link_dellink(dev, false);
	state_commit(&d->state);
	bridge_links_changed(d->ovs); /* which asks for it, maybe */
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

/* Where it is when nobody can tell: nothing can be changed there, and the next start does not find
 * it. */
static const char somewhere[] = "?";

/* The host asked dev for what ip would be refused: it is told in the only way there is. */
static void set_back(struct dev *dev, const char *why)
{
	struct io *host = atomic_load(&dev->host);

	vlog(VLM_HOST, VLL_WARN, "the host changed its side of %s, which cannot follow, and is set back: %s",
		dev->name, why);
	host->ops->set_mac(host, &dev->mac);
	host->ops->set_mtu(host, dev->mtu);
	host->ops->set_up(host, dev_is_up(dev));
}

static void follow_setting(struct vxd *d, struct dev *dev, const struct link_cfg *cfg)
{
	struct vx_err err = {0};
	int r = link_setlink(dev, cfg, &err);

	if (r < 0)
		set_back(dev, *err.text ? err.text : strerror(-r));
	else if (state_text(&d->state))
		canon_link_set(state_text(&d->state), dev, cfg, NULL, 0);
}

/* The host's side of dev is as 'l' says: so is dev, and the state. */
static void follow_settings(struct vxd *d, struct dev *dev, const struct host_link *l)
{
	struct link_cfg mac = {.has_mac = true, .mac = l->mac}, mtu = {.has_mtu = true, .mtu = l->mtu},
			up = {.has_up = true, .up = l->flags & IFF_UP};

	if (!mac_is_zero(&l->mac) && !mac_eq(&l->mac, &dev->mac))
		follow_setting(d, dev, &mac);
	if (l->mtu && l->mtu != dev->mtu)
		follow_setting(d, dev, &mtu);
	if (up.up != dev_is_up(dev))
		follow_setting(d, dev, &up);
}

/* Names are unique here; elsewhere they need not be (control.md I1), and dev may have its own. */
static void follow_name(struct vxd *d, struct dev *dev, const char *name)
{
	struct io *host = atomic_load(&dev->host);

	if (!*name || !strcmp(name, *dev->host_name ? dev->host_name : dev->name))
		return;
	if (!strcmp(name, dev->name))
		dev->host_name[0] = 0;
	else if (link_follow_name(dev, name) < 0 && !*dev->netns)
		host->ops->set_name(host, dev->name);
	d->state.stale = state_text(&d->state) != NULL;
}

static void follow(struct vxd *d, struct dev *dev, const struct host_link *l)
{
	follow_name(d, dev, l->name);
	follow_settings(d, dev, l);
	state_commit(&d->state);
}

static void moved(struct vxd *d, struct dev *dev, const char *netns, uint32_t ifindex)
{
	host_side_set_index(dev, ifindex);
	if (!*netns)
		dev->host_name[0] = 0;
	link_follow_netns(dev, netns, ifindex);
	d->state.stale = state_text(&d->state) != NULL;
	if (!strcmp(netns, somewhere))
		vlog(VLM_HOST, VLL_WARN, "%s was moved to a network namespace that vxd cannot enter: it goes "
				"on working, but its settings there are not followed, and the next start "
				"does not find it", dev->name);
}

/* Something happened to the host's side of dev: is it gone, or elsewhere, and how is it now? */
static void look(struct vxd *d, struct dev *dev)
{
	struct link_where w = {{0}};
	struct host_link l = {0};
	int r = host_side_find(dev, &w);

	if (r == -ENODEV) {
		gone_with_host(d, dev);
		return;
	}
	if (r < 0) {
		if (!*dev->netns && host_link_get(&d->host, host_side_index(dev), NULL, &l) < 0)
			moved(d, dev, somewhere, host_side_index(dev));
		state_commit(&d->state);
		return;
	}
	if (strcmp(w.netns, dev->netns))
		moved(d, dev, w.netns, w.ifindex);
	host_side_set_index(dev, w.ifindex);
	l = (struct host_link){.ifindex = w.ifindex, .mtu = w.mtu, .flags = w.flags, .mac = w.mac};
	memcpy(l.name, w.name, sizeof(l.name));
	follow(d, dev, &l);
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

static struct dev *over_host_link(struct vxd *d, uint32_t ifindex)
{
	list_for_each (dev, &d->vx->devs, struct dev, node)
		if (dev->lower_index == ifindex && !dev->lower)
			return dev;
	return NULL;
}

/* An interface of the host went: so do the devices over it. */
static void lower_gone(struct vxd *d, uint32_t ifindex)
{
	struct dev *dev;

	while ((dev = over_host_link(d, ifindex))) /* others may go with it */
		gone_with_host(d, dev);
}

static void lower_renamed(struct vxd *d, const struct host_link *l)
{
	list_for_each (dev, &d->vx->devs, struct dev, node) {
		if (dev->lower_index != l->ifindex || dev->lower || !*l->name ||
		    !strcmp(dev->lower_name, l->name))
			continue;
		memcpy(dev->lower_name, l->name, sizeof(dev->lower_name));
		packet_host_renamed(dev, l->name);
		d->state.stale = state_text(&d->state) != NULL;
	}
	state_commit(&d->state);
}

void host_side_changed(void *ctx, const struct host_link *l, bool gone)
{
	struct vxd *d = ctx;
	struct dev *dev = dev_by_index(d->vx, l->ifindex);

	packet_host_changed(d->vx, l, gone);
	if (dev && atomic_load(&dev->host)) {
		if (gone)
			look(d, dev);
		else
			follow(d, dev, l);
		return;
	}
	if (!gone) {
		lower_renamed(d, l);
		return;
	}
	dev = by_hidden_end(d, l->ifindex);
	if (dev)
		gone_with_host(d, dev);
	else
		lower_gone(d, l->ifindex);
}

void host_side_changed_elsewhere(void *ctx, uint32_t ifindex)
{
	struct vxd *d = ctx;

	list_for_each (dev, &d->vx->devs, struct dev, node)
		if (atomic_load(&dev->host) && *dev->netns && host_side_index(dev) == ifindex) {
			look(d, dev); /* dev may be gone then */
			return;
		}
}

/* The next one in the order of indices, in which devices may come and go. */
static struct dev *next_side(struct vxd *d, uint32_t after)
{
	struct dev *next = NULL;

	list_for_each (dev, &d->vx->devs, struct dev, node)
		if (atomic_load(&dev->host) && dev->ifindex > after &&
		    (!next || dev->ifindex < next->ifindex))
			next = dev;
	return next;
}

void host_side_check_all(void *ctx)
{
	struct vxd *d = ctx;
	struct dev *dev;
	uint32_t at = 0;

	while ((dev = next_side(d, at))) {
		at = dev->ifindex;
		look(d, dev);
	}
}
