/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GRO: frames that belong together go on as one (net/gro_flow.h says which), and GRO cells, where a
 * tunnel device's packets wait for their second pass (vxlan.md 2.1, step 17).
 *
 * What is held waits for the rest of the turn and no longer.  All is the worker's own.
 */
#ifndef VX_NET_GRO_H
#define VX_NET_GRO_H

#include "net/backlog.h"
#include "net/napi.h"

struct dev;

struct CACHE_ALIGNED gro_cell {
	struct pkt_queue q;
	struct napi napi;
};

int gro_cells_init(struct dev *d); /* 0 or -ENOMEM */
/* Unlinks from the workers (each must be quiescent), frees.  Packets must be gone. */
void gro_cells_free(struct dev *d);
uint64_t gro_cells_held(const struct dev *d);
/* Control: does any worker still have something to poll there? */
bool gro_cells_busy(const struct dev *d);
/* Drops what d's cell of this worker holds. */
void gro_cells_drop(struct worker *w, struct dev *d);

/* Polls the cells that have something, now, until they are empty: a source that brings many frames
 * at once calls it between batches, for the sake of the cache and of the cells' limit.  Not from
 * within a stage. */
void gro_cells_run(struct worker *w);

int gro_init(struct worker *w); /* 0 or -ENOMEM */
void gro_done(struct worker *w); /* nothing may be held; never set up is fine */
/* The end of a turn: passes on all that is held. */
void gro_flush(struct worker *w);
void gro_drop(struct worker *w); /* what is held, at shutdown */
uint64_t gro_held(const struct worker *w);

#endif
