/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports of a bridge: the devices whose master it is.
 *
 * Control adds and removes; workers read the published list.  A port is freed after a grace period.
 */
#ifndef VX_BRIDGE_PORT_H
#define VX_BRIDGE_PORT_H

#include "bridge/mac.h"

struct bridge;

/* What one worker gathered for one port; sent within the same stage. */
struct bridge_out {
	struct list node; /* in bridge_worker.dirty while there is something */
	struct bridge_port *port;
	struct batch b;
};

struct bridge_port {
	struct bridge *br;
	struct dev *dev;
	struct mac_port macs;
	struct bridge_out *out; /* [n_workers] */
	struct mac addr;	/* the device's, as the MAC table has it */
};

/* What workers flood to: replaced as a whole.  In order of joining. */
struct bridge_ports {
	uint32_t n;
	struct bridge_port *p[];
};

/* The port of an entry; NULL: the bridge itself. */
static inline struct bridge_port *bridge_port_at(struct mac_port *m)
{
	return m ? container_of(m, struct bridge_port, macs) : NULL;
}
static inline struct mac_port *macs_of(struct bridge_port *port)
{
	return port ? &port->macs : NULL;
}

/* dev_ops of the bridge device. */
int bridge_add_slave(struct dev *d, struct dev *slave, struct vx_err *err);
void bridge_del_slave(struct dev *d, struct dev *slave);
void bridge_slave_changed(struct dev *d, struct dev *slave);
/* NULL: 'dev' is no port of a bridge. */
struct bridge_port *bridge_port_of(struct dev *dev);

#endif
