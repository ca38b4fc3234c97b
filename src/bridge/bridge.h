/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Link type 'bridge': a learning switch.
 *
 * A frame that a port receives is learnt from and goes to the port of its destination, or to all
 * others; what is for the bridge's own address, a port's, or a group goes up on the bridge device,
 * which is an interface of its own (groups only where it has a host side or an address).  What that
 * interface sends is forwarded like a port's frame, but not learnt from.
 *
 * As the kernel's bridge (br_input.c, br_forward.c, br_fdb.c), without STP, VLANs and IGMP
 * snooping.  Different on purpose: 01:80:c2:00:00:0x is never forwarded (the kernel forwards BPDUs
 * while it does not speak STP itself); a full MAC table evicts fairly, where the kernel stops to
 * learn; the bridge's MAC does not change when ports join; ports flood in order of joining.
 *
 * FDB requests (dev_ops.fdb_*) name the port by fdb_req.port_dev, or by being called with the port
 * in place of the bridge: master->ops->fdb_dump(port, ...) lists the port's entries, with the
 * bridge all.  Without a port they are for the bridge itself.
 */
#ifndef VX_BRIDGE_BRIDGE_H
#define VX_BRIDGE_BRIDGE_H

#include "bridge/port.h"
#include "net/link.h"

enum { BRIDGE_AGEING_CS = 30000 }; /* default, centiseconds as in IFLA_BR_AGEING_TIME */

/* One worker's frames on their way through the bridge. */
struct CACHE_ALIGNED bridge_worker {
	struct bridge *br;
	struct flush flush; /* runs what was gathered at the end of the turn */
	struct batch in;    /* from ports; cb_ptr[0] is the port */
	struct list dirty;  /* struct bridge_out.node, in order of their first frame */
	struct batch up;    /* for the bridge device itself */
	bool traced; /* what is on its way to the ports, or up, may have a trace */
};

struct bridge {
	struct dev *dev;
	struct mac_table macs;
	_Atomic(struct bridge_ports *) ports; /* never NULL */
	_Atomic uint32_t ageing_cs;	      /* 0: nothing is learnt (a hub), as in the kernel */
	struct bridge_worker *workers;	      /* [n_workers] */
	uint64_t next_age;
	struct mac addr; /* the bridge's, as the MAC table has it */
	bool mtu_is_set; /* by the user: ports no longer change it */
	bool mtu_is_auto; /* bridge_follow_mtu() is at work */
	uint32_t max_learned; /* option: 0 is MAC_LIMIT */
};

int bridge_init_module(struct vx *vx); /* 0 or -ENOMEM */
bool dev_is_bridge(const struct dev *d);

static inline struct bridge *bridge_of(const struct dev *d)
{
	return d->priv;
}

/* Stage bridge_rcv: the ports' rx handler. */
rx_handler_fn bridge_rcv;
/* Stage bridge_xmit: what the bridge device sends. */
void bridge_xmit(struct worker *w, struct dev *d, struct batch *b);
/* The flush of a worker. */
void bridge_turn(struct flush *f, struct worker *w);
/* The bridge's MTU is the least of its ports', unless it was set. */
void bridge_follow_mtu(struct bridge *br);

#endif
