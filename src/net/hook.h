/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hook points of the IP stages: functions that see each packet (data at the IP header) and say
 * accept, drop or stolen.  Registered and removed by control at run time; arrays are replaced as a
 * whole.  Users: the explain filter and `vx rule`.
 */
#ifndef VX_NET_HOOK_H
#define VX_NET_HOOK_H

#include "net/vx.h"

enum hook_point { HOOK_PREROUTING, HOOK_INPUT, HOOK_OUTPUT, HOOK_POSTROUTING, HOOK_POINTS };
enum hook_verdict { HOOK_ACCEPT, HOOK_DROP, HOOK_STOLEN };

struct hook {
	enum hook_point point;
	int32_t priority; /* lower comes first; the same: in order of registration */
	/* Any worker's thread.  p->dev is the device that it came from or that made it; on the way out
	 * p->dst->dev is the one that it goes to.  Stolen: it owns p now.  Drop: the caller drops p. */
	enum hook_verdict (*fn)(struct worker *w, const struct hook *h, struct pkt *p);
	void *ctx;
	uint32_t id; /* set by hook_register(), counts from 1: for explain */
};

enum { HOOKS_MAX = 64 }; /* per point */

struct hook_table {
	uint32_t n[HOOK_POINTS];
	struct hook *h[HOOK_POINTS][HOOKS_MAX];
};

int hook_register(struct vx *vx, struct hook *h); /* -ENOSPC, -ENOMEM; h stays the caller's */
/* h is unused after a grace period. */
void hook_unregister(struct vx *vx, struct hook *h);

/* Runs the hooks of a point.  After HOOK_DROP p is dropped already; after HOOK_STOLEN it is
 * somebody else's. */
enum hook_verdict hook_run(struct worker *w, enum hook_point point, struct pkt *p);
/* The same for a batch: what goes on stays in b. */
void hook_run_batch(struct worker *w, enum hook_point point, struct batch *b);

#endif
