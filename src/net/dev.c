/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dev.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "net/inet.h"
#include "net/link.h"

struct dev *dev_by_name(struct vx *vx, const char *name)
{
	list_for_each (d, &vx->devs, struct dev, node)
		if (!strcmp(d->name, name))
			return d;
	return NULL;
}

struct dev *dev_by_index(struct vx *vx, uint32_t ifindex)
{
	list_for_each (d, &vx->devs, struct dev, node)
		if (d->ifindex == ifindex)
			return d;
	return NULL;
}

READS_COUNTERS void dev_sum_stats(struct dev *d, struct dev_stats *sum)
{
	uint64_t *to = (uint64_t *)sum;

	*sum = (struct dev_stats){0};
	for (uint32_t i = 0; i < d->vx->n_workers; i++) {
		const uint64_t *from = (const uint64_t *)&d->stats[i];

		for (size_t k = 0; k < sizeof(*sum) / sizeof(*to); k++)
			to[k] += COUNTER_NOW(&from[k]);
	}
	if (d->ops->stats)
		d->ops->stats(d, sum);
}

static_assert(offsetof(struct dev, no_mac) == offsetof(struct dev, mac) + sizeof(struct mac),
	      "dev_mac() loads both");

static struct io *any_io(struct dev *d)
{
	struct io *io = atomic_load(&d->host);

	return io ? io : atomic_load(&d->io);
}

static int dev_open(struct dev *d, struct vx_err *err)
{
	struct io *io = any_io(d);
	int r = d->ops->open ? d->ops->open(d, err) : 0;

	if (r < 0)
		return r;
	atomic_fetch_or(&d->flags, IFF_UP);
	d->link_flags |= DEV_WAS_UP;
	if (io && io->ops->set_up)
		io->ops->set_up(io, true);
	return 0;
}

static void dev_close(struct dev *d)
{
	struct io *io = any_io(d);
	bool is_left = d->link_flags & DEV_LEFT && io == atomic_load(&d->host);

	atomic_fetch_and(&d->flags, ~(uint32_t)IFF_UP);
	if (io && io->ops->set_up && !is_left)
		io->ops->set_up(io, false);
	if (d->ops->stop)
		d->ops->stop(d);
}

static void tell_master(struct dev *d)
{
	if (d->master && d->master->ops->slave_changed)
		d->master->ops->slave_changed(d->master, d);
}

int dev_change_flags(struct dev *d, bool up, struct vx_err *err)
{
	int r = 0;

	if (up == dev_is_up(d))
		return 0;
	if (up)
		r = dev_open(d, err);
	else
		dev_close(d);
	tell_master(d);
	return r;
}

int dev_set_mtu(struct dev *d, uint32_t mtu, struct vx_err *err)
{
	struct io *io = any_io(d);
	int r;

	if (mtu == d->mtu)
		return 0;
	if (mtu < d->min_mtu)
		return vx_fail(err, -EINVAL, "mtu less than device minimum");
	if (mtu > d->max_mtu)
		return vx_fail(err, -EINVAL, "mtu greater than device maximum");
	if (d->ops->change_mtu) {
		r = d->ops->change_mtu(d, mtu, err);
		if (r < 0)
			return r;
	}
	if (io && io->ops->set_mtu) {
		r = io->ops->set_mtu(io, mtu);
		if (r < 0)
			return vx_fail(err, r, "the host refuses mtu %u for its side of %s", mtu,
				       d->name);
	}
	d->mtu = mtu;
	inet_changed(d->vx);
	tell_master(d);
	return 0;
}

void dev_follow_mac(struct dev *d, const struct mac *mac)
{
	uint64_t v = 0;

	memcpy(&v, mac, sizeof(*mac));
	__atomic_store_n((uint64_t *)(void *)&d->mac, v, __ATOMIC_RELAXED);
	tell_master(d);
}

int dev_set_mac(struct dev *d, const struct mac *mac, struct vx_err *err)
{
	struct io *io = any_io(d);
	int r;

	if (!mac_is_unicast(mac))
		return vx_fail(err, -EADDRNOTAVAIL, "Provided Ethernet address is not unicast");
	if (d->ops->set_mac) {
		r = d->ops->set_mac(d, mac, err);
		if (r < 0)
			return r;
	}
	if (io && io->ops->set_mac) {
		r = io->ops->set_mac(io, mac);
		if (r < 0)
			return vx_fail(err, r, "the host refuses this address for its side of %s",
				       d->name);
	}
	dev_follow_mac(d, mac);
	return 0;
}

void dev_take_name(struct dev *d, const char *name)
{
	snprintf(d->name, sizeof(d->name), "%s", name);
	if (!strcmp(d->name, d->host_name))
		d->host_name[0] = 0;
	list_for_each (x, &d->vx->devs, struct dev, node)
		if (x->lower == d)
			memcpy(x->lower_name, d->name, sizeof(x->lower_name));
}

int dev_set_promiscuity(struct dev *d, int by)
{
	assert(by >= 0 || d->promiscuity >= (uint32_t)-by);
	d->promiscuity = (uint32_t)((int)d->promiscuity + by);
	if (d->promiscuity)
		atomic_fetch_or(&d->flags, IFF_PROMISC);
	else
		atomic_fetch_and(&d->flags, ~(uint32_t)IFF_PROMISC);
	if (d->ops->set_rx_mode)
		d->ops->set_rx_mode(d);
	return 0;
}

int dev_set_rx_handler(struct dev *d, rx_handler_fn *fn)
{
	if (fn && atomic_load(&d->rx_handler))
		return -EBUSY;
	atomic_store_explicit(&d->rx_handler, fn, memory_order_release);
	return 0;
}

int dev_set_master(struct dev *d, struct dev *master, struct vx_err *err)
{
	int r;

	if (d->master == master)
		return 0;
	if (master && !master->ops->add_slave)
		return vx_fail(err, -EOPNOTSUPP, "%s is no bridge", master->name);
	if (d->master) {
		d->master->ops->del_slave(d->master, d);
		list_remove(&d->slave_node);
		d->master = NULL;
	}
	if (!master)
		return 0;
	r = master->ops->add_slave(master, d, err);
	if (r < 0)
		return r;
	d->master = master;
	list_append(&master->slaves, &d->slave_node);
	return 0;
}
