/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A port of a datapath, which is a device: what it receives is looked up, what is output to it is
 * sent through it.
 *
 * Made and removed by control.  Workers find it by its number and use it to the end of their turn;
 * packets of it that wait for longer know the number alone, or hold it back from being freed.
 */
#ifndef VX_DATAPATH_VPORT_H
#define VX_DATAPATH_VPORT_H

#include "datapath/table.h"
#include "datapath/upcall.h"
#include "net/dev.h"

enum { VPORT_MAX = 65535, VPORT_LOCAL = 0 };
#define VPORT_ANY UINT32_MAX /* the first number that is free */

/* What one worker gathers for a port. */
struct vport_out {
	struct list node; /* dp_worker.dirty while not empty */
	struct vport *port;
	struct batch b;
};

struct vport {
	struct vx *vx;
	struct dp *dp;
	struct dev *dev;
	uint32_t no;
	bool is_internal; /* the datapath's own device, or one like it: output goes up on it */
	bool is_tunnel;
	_Atomic bool gone;
	uint32_t n_sources;
	struct flow_source *sources; /* [n_sources] */
	struct vport_out *out;	     /* [n_workers] */
	struct upcall_queue *queues; /* [n_workers][n_sources] */
	_Atomic uint32_t *waiting;   /* [n_workers]: packets in its queues */
	char name[DEV_NAME_MAX];
};

/* Makes port 'no' of the device with that name: 0; -ENODEV; -EBUSY (the number is taken, or the
 * device has a master or receive handler); -ELOOP; -EINVAL; -ENOMEM. */
int vport_new(struct dp *dp, const char *dev, uint32_t no, bool is_tunnel, struct vx_err *err,
	      struct vport **out);
/* A port whose device is the datapath's own or like it, and linked to nothing: what it sends comes
 * in by vport_receive(), what is output goes up on it.  -EBUSY, -EINVAL, -ENOMEM. */
int vport_new_internal(struct dp *dp, struct dev *dev, uint32_t no, struct vx_err *err,
		       struct vport **out);
/* Its device goes without vport_del(): tells the datapath's owner, and goes, too. */
void vport_lost(struct vport *v);
/* Unlinks: its flows go at once, it goes itself when no packet of it waits. */
void vport_del(struct vport *v);

/* Device held, slave of the datapath's device, receive handler, LRO off, promiscuous; and back. */
int vport_link_netdev(struct vport *v, struct vx_err *err);
void vport_unlink_netdev(struct vport *v);
/* The datapath's device gets or loses a slave (dev_ops). */
int vport_add_slave(struct dev *d, struct dev *slave, struct vx_err *err);
void vport_del_slave(struct dev *d, struct dev *slave);

/* Stage vport_frame_hook: the receive handler of a port's device. */
rx_handler_fn vport_frame_hook;
/* Stage vport_receive.  Takes p: data at the Ethernet header. */
void vport_receive(struct worker *w, struct vport *v, struct pkt *p);
/* What the device 'd' sends comes in by its port; NULL: that is gone.  A dev_ops.xmit. */
void vport_xmit(struct worker *w, struct dev *d, struct vport *v, struct batch *b);
/* Stage vport_send.  Takes all of b. */
void vport_send(struct worker *w, struct vport *v, struct batch *b);

/* The queue that p, which came by this port, waits in. */
struct upcall_queue *vport_queue(struct vport *v, struct worker *w, const struct pkt *p);

#endif
