/* SPDX-License-Identifier: Apache-2.0 */
/* GRO cells: where a tunnel device's packets wait for their second pass (vxlan.md 2.1, step 17). */
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

#endif
