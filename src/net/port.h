/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct io: where packets enter and leave a struct vx.  io/ fills in the operations; net/ and
 * all above it see only this.
 *
 * rx and tx are called by the worker that owns the queue; the others by control.
 */
#ifndef VX_NET_PORT_H
#define VX_NET_PORT_H

#include "pkt/batch.h"

struct dev;
struct napi;
struct vx;
struct worker;

struct io;

struct io_ops {
	const char *name;
	/* Adds up to 'budget' packets (all that b has room for at most) with dev, orig_dev, type,
	 * protocol, csum state and GSO fields set, data at the Ethernet header; counts acct.rx.
	 * Returns how many it took from the source: less than budget means it is empty. */
	uint32_t (*rx)(struct io *io, struct worker *w, struct batch *b, uint32_t budget);
	/* Takes all packets of b: counts acct.tx for each handed over, drops the rest. */
	void (*tx)(struct io *io, struct worker *w, struct batch *b);
	/* Whatever tx kept back for a fuller system call.  NULL is fine. */
	void (*flush)(struct io *io, struct worker *w);
	int (*set_mac)(struct io *io, const struct mac *mac);
	int (*set_mtu)(struct io *io, uint32_t mtu);
	int (*set_up)(struct io *io, bool up);
	int (*set_name)(struct io *io, const char *name);
	void (*udp_port_add)(struct io *io, int family, uint16_t port); /* a tunnel port opened */
	void (*udp_port_del)(struct io *io, int family, uint16_t port);
	/* Removes the napi and closes.  'keep' leaves what the host shows (a persistent TAP). */
	void (*close)(struct io *io, bool keep);
};

/* What a port can take as it is; the rest is done in software before tx. */
enum io_can {
	IO_CAN_CSUM = 1,  /* CSUM_PARTIAL */
	IO_CAN_TSO = 2,	  /* GSO_TCP4, GSO_TCP6 */
	IO_CAN_USO = 4,   /* GSO_UDP */
	IO_CAN_FRAGS = 8, /* packets with frags */
};

struct io {
	const struct io_ops *ops;
	struct vx *vx;
	struct dev *dev;
	uint32_t can;
	uint32_t ifindex;    /* of the host's interface, 0 is none */
	const char *kind;    /* for `vx link show`: "tap", "veth", "packet", ... */
	bool shared; /* the host's own stack gets these frames, too, which it should not */
	struct napi *napi;
};

/* Polls of a port's napi (ctx is the struct io): frames from outside go up, through GRO; frames
 * from the host's side of a virtual device go down, through its dev_queue_xmit. */
uint32_t port_poll(struct napi *n, struct worker *w, uint32_t budget);
uint32_t port_host_poll(struct napi *n, struct worker *w, uint32_t budget);
/* xmit of a device whose frames leave by dev->io. */
void port_xmit(struct worker *w, struct dev *d, struct batch *b);

#endif
