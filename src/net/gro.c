/* SPDX-License-Identifier: Apache-2.0 */
#include "net/gro.h"

#include <errno.h>
#include <stdlib.h>

#include "net/dev.h"

static uint32_t cell_poll(struct napi *n, struct worker *w, uint32_t budget)
{
	struct gro_cell *c = n->ctx;
	struct batch b;
	uint32_t took;

	batch_init(&b);
	took = pkt_queue_take(&c->q, &b, budget);
	if (took)
		gro_receive(w, &b);
	return took;
}

int gro_cells_init(struct dev *d)
{
	struct vx *vx = d->vx;

	d->cells = aligned_alloc(CACHE_LINE, sizeof(*d->cells) * vx->n_workers);
	if (!d->cells)
		return -ENOMEM;
	memset(d->cells, 0, sizeof(*d->cells) * vx->n_workers);
	for (uint32_t i = 0; i < vx->n_workers; i++) {
		napi_init(&d->cells[i].napi, vx->workers[i], cell_poll, &d->cells[i]);
		d->cells[i].napi.name = d->name;
	}
	return 0;
}

void gro_cells_free(struct dev *d)
{
	free(d->cells);
	d->cells = NULL;
}

READS_COUNTERS uint64_t gro_cells_held(const struct dev *d)
{
	uint64_t n = 0;

	for (uint32_t i = 0; d->cells && i < d->vx->n_workers; i++)
		n += d->cells[i].q.n;
	return n;
}

bool gro_cells_busy(const struct dev *d)
{
	for (uint32_t i = 0; d->cells && i < d->vx->n_workers; i++)
		if (__atomic_load_n(&d->cells[i].q.n, __ATOMIC_ACQUIRE) ||
		    __atomic_load_n(&d->cells[i].napi.scheduled, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

void gro_cells_drop(struct worker *w, struct dev *d)
{
	if (!d->cells)
		return;
	pkt_queue_drop(w, &d->cells[w->id].q, DROP_dev_gone);
	napi_remove(&d->cells[w->id].napi);
}

/* Stage gro_cells_receive: from here on the packet is the tunnel device's. */
void gro_cells_receive(struct worker *w, struct dev *d, struct pkt *p)
{
	struct gro_cell *c = &d->cells[w->id];

	if (unlikely(p->trace))
		trace_add(p, STAGE_gro_cells_receive, SAY_NOTHING);
	if (unlikely(c->q.n >= BACKLOG_MAX)) {
		dev_stats(d, w)->rx_dropped++;
		pkt_drop_at(w, p, DROP_cell_full, STAGE_gro_cells_receive);
		return;
	}
	pkt_queue_add(&c->q, p);
	napi_schedule(&c->napi);
}

/* Stage gro_receive: every packet goes on as it came (result "normal"). */
void gro_receive(struct worker *w, struct batch *b)
{
	if (unlikely(b->traced))
		for (uint32_t i = 0; i < b->n; i++)
			if (b->p[i]->trace)
				trace_add(b->p[i], STAGE_gro_receive, SAY_NOTHING);
	netif_receive(w, b);
}
