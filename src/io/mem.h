/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Link type 'mem': pairs of ports in memory.  What one sends the other receives, as it is:
 * super-frames whole, unfinished checksums unfinished.  The two ends may belong to two struct vx
 * of one process.
 *
 * `vx link add m0 type mem peer m1` makes both ends and joins them (or joins m0 to an m1 that has
 * no peer).  m1 goes with m0; when m1 alone goes, m0 stays without a peer and drops what it is to
 * send.
 *
 * Threads.  Where both ends are polled by one thread there is no system call.  Where an end's
 * napi belongs to another thread, its wake() is called when its queue becomes non-empty: an
 * eventfd's, if the type was registered with an io_wake, or the one of io_mem_set_wake().
 */
#ifndef VX_IO_MEM_H
#define VX_IO_MEM_H

#include "io/wake.h"
#include "net/link.h"

enum {
	MEM_QUEUE_MAX = 1024, /* packets on their way to one end */
	MEM_NL_PEER = 0x2001,
	MEM_NL_PEER_INDEX = 0x2002,
};

/* The owner keeps it until after vx_free(). */
struct mem_ctx {
	/* NULL: all workers run on one thread, or io_mem_set_wake() is used. */
	const struct io_wake *wake;
	struct link_type type; /* not the owner's */
};

extern const struct attr_set mem_attrs;
int mem_init_module(struct vx *vx, struct mem_ctx *c); /* 0 or -ENOMEM */

/* Joins two mem ports that have no peer; 0, -EINVAL (no mem port), -EBUSY or -ENOMEM.
 * Control of both. */
int io_mem_pair(struct dev *a, struct dev *b);
struct dev *io_mem_peer(struct dev *d); /* NULL if it has none */
/* fn is called by the sender's thread, under a lock: it has to get napi_schedule(napi) called by
 * the thread of d's worker, and must not call into vx itself. */
void io_mem_set_wake(struct dev *d, void (*fn)(void *ctx, struct napi *n), void *ctx);

#endif
