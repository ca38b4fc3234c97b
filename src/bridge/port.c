/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/port.h"

#include <errno.h>
#include <stdlib.h>

#include "bridge/bridge.h"

struct bridge_port *bridge_port_of(struct dev *dev)
{
	return dev->master && dev_is_bridge(dev->master) ? atomic_load(&dev->bridge_port) : NULL;
}

static struct bridge_ports *ports_new(uint32_t n)
{
	return calloc(1, sizeof(struct bridge_ports) + n * sizeof(struct bridge_port *));
}

static void publish(struct bridge *br, struct bridge_ports *ports)
{
	struct bridge_ports *old = atomic_load(&br->ports);

	/* Release: who finds a port in the list finds it complete. */
	atomic_store_explicit(&br->ports, ports, memory_order_release);
	quiesce_defer(&br->dev->vx->quiesce, free, old);
}

static struct bridge_port *port_new(struct bridge *br, struct dev *dev)
{
	uint32_t n = dev->vx->n_workers;
	struct bridge_port *port = calloc(1, sizeof(*port));

	if (!port)
		return NULL;
	port->br = br;
	port->dev = dev;
	port->addr = dev->mac;
	port->out = calloc(n, sizeof(*port->out));
	if (!port->out) {
		free(port);
		return NULL;
	}
	for (uint32_t i = 0; i < n; i++) {
		list_init(&port->out[i].node);
		port->out[i].port = port;
	}
	return port;
}

static void port_free(void *arg)
{
	struct bridge_port *port = arg;

	free(port->out);
	free(port);
}

int bridge_add_slave(struct dev *d, struct dev *slave, struct vx_err *err)
{
	struct bridge *br = bridge_of(d);
	struct bridge_ports *old = atomic_load(&br->ports), *ports = ports_new(old->n + 1);
	struct bridge_port *port = port_new(br, slave);
	int r = -ENOMEM;

	if (!ports || !port)
		goto out_free;
	r = -ELOOP;
	if (dev_is_bridge(slave)) {
		vx_fail(err, r, "Can not enslave a bridge to a bridge");
		goto out_free;
	}
	r = -EBUSY;
	if (atomic_load(&slave->rx_handler)) {
		vx_fail(err, r, "%s has a master already", slave->name);
		goto out_free;
	}
	port->macs.dev = port->dev;
	mac_list_add(&br->macs, &port->macs.list);
	mac_add_local(&br->macs, &port->addr, &port->macs);
	memcpy(ports->p, old->p, old->n * sizeof(old->p[0]));
	ports->n = old->n;
	ports->p[ports->n++] = port;
	atomic_store(&slave->bridge_port, port);
	dev_set_rx_handler(slave, bridge_rcv);
	dev_set_promiscuity(slave, 1);
	publish(br, ports);
	bridge_follow_mtu(br);
	return 0;
out_free:
	free(ports);
	if (port)
		port_free(port);
	return r;
}

void bridge_del_slave(struct dev *d, struct dev *slave)
{
	struct bridge *br = bridge_of(d);
	struct bridge_port *port = atomic_load(&slave->bridge_port);
	struct bridge_ports *old = atomic_load(&br->ports), *ports = ports_new(old->n);

	dev_set_rx_handler(slave, NULL);
	dev_set_promiscuity(slave, -1);
	/* Without memory for a new list the old one is emptied: the other ports flood no more,
	 * which is better than a port that is gone. */
	for (uint32_t i = 0; ports && i < old->n; i++)
		if (old->p[i] != port)
			ports->p[ports->n++] = old->p[i];
	if (ports)
		publish(br, ports);
	else
		old->n = 0;
	mac_forget_port(&br->macs, &port->macs);
	quiesce_defer(&d->vx->quiesce, port_free, port);
	bridge_follow_mtu(br);
}

void bridge_slave_changed(struct dev *d, struct dev *slave)
{
	struct bridge *br = bridge_of(d);
	struct bridge_port *port = bridge_port_of(slave);

	if (!port)
		return;
	if (!mac_eq(&port->addr, &slave->mac)) {
		mac_del_local(&br->macs, &port->addr, &port->macs);
		port->addr = slave->mac;
		mac_add_local(&br->macs, &port->addr, &port->macs);
	}
	if (!dev_is_up(slave)) /* its stations may be reachable through another port by now */
		mac_flush(&br->macs, &port->macs, false, NULL);
	bridge_follow_mtu(br);
}
