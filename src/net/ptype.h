/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocol handlers by EtherType, for every device or for one (stack.md R1).  Registered by
 * control; read by workers.
 */
#ifndef VX_NET_PTYPE_H
#define VX_NET_PTYPE_H

#include "net/dev.h"

struct ptype {
	uint16_t type; /* EtherType; PTYPE_ALL sees every frame before the rx handler (a tap) */
	struct dev *dev; /* NULL: any */
	/* Takes all of b: same EtherType and device, data at the network header.  A tap gets clones
	 * with data there, too. */
	void (*rcv)(struct worker *w, struct batch *b);
	void *ctx;
	bool needs_addr; /* only of devices that have an address of vx's own stack */
};

enum { PTYPE_ALL = 3, PTYPES_MAX = 16 };

/* What workers read: replaced as a whole. */
struct ptype_table {
	uint32_t n, n_taps;
	struct ptype *p[PTYPES_MAX]; /* in order of registration */
};

int ptype_add(struct vx *vx, struct ptype *pt); /* -ENOSPC; pt stays the caller's */
void ptype_del(struct vx *vx, struct ptype *pt);

#endif
