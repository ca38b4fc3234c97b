/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What explain waits for.  While a watch is set, each packet that enters (from a port, a socket
 * or the host's side) is shown to its filter; a packet that it takes gets a trace.
 */
#ifndef VX_NET_WATCH_H
#define VX_NET_WATCH_H

#include "net/vx.h"

_Static_assert(BATCH_MAX <= 64, "a bit for each packet of a batch");

struct watch {
	/* Which of them does the filter take?  Bit i is for b->p[i] (b is not empty): data at the Ethernet header, or,
	 * from a host socket, at the tunnel's header with tun filled in.  Any worker's thread. */
	uint64_t (*match)(struct watch *wt, const struct batch *b, bool from_udp);
	/* The finished trace is the callee's (free()).  Any worker's thread. */
	void (*done)(void *ctx, struct trace *t);
	void *ctx;
	_Atomic uint32_t next_id;
	_Atomic int64_t left; /* traces still to begin; below 1 none is begun */
	/* Traces begun and not done: the owner, whose 'done' has returned for each, counts it down,
	 * and may not free the watch before it is 0. */
	_Atomic uint32_t out;
};

/* Control.  NULL ends it; returns the old one, which is unused after a grace period. */
struct watch *watch_set(struct vx *vx, struct watch *wt);
/* Begins traces for packets of b that the filter takes; sets b->traced. */
void watch_batch(struct worker *w, struct batch *b, bool from_udp);

static inline bool watch_is_on(const struct worker *w)
{
	return TRACE_IS_BUILT &&
	       unlikely(atomic_load_explicit(&w->vx->watch, memory_order_relaxed) != NULL);
}

#endif
