/* SPDX-License-Identifier: Apache-2.0 */
#include "net/gro.h"

#include <errno.h>
#include <stdlib.h>

#include "net/dev.h"
#include "net/gro_flow.h"
#include "net/handoff.h"

/* --- cells -------------------------------------------------------------------------------------- */

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

void gro_cells_run(struct worker *w)
{
	struct list *it = w->napis.next;

	while (it != &w->napis) {
		struct napi *n = container_of(it, struct napi, node);

		it = it->next;
		if (n->poll == cell_poll)
			while (cell_poll(n, w, NAPI_BUDGET) == NAPI_BUDGET)
				;
	}
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

READS_COUNTERS bool gro_cells_busy(const struct dev *d)
{
	for (uint32_t i = 0; d->cells && i < d->vx->n_workers; i++)
		if (COUNTER_NOW(&d->cells[i].q.n) || COUNTER_NOW(&d->cells[i].napi.scheduled))
			return true;
	return false;
}

void gro_cells_drop(struct worker *w, struct dev *d)
{
	if (!d->cells)
		return;
	pkt_queue_drop(w, &d->cells[w->id].q, DROP_shutdown);
	napi_remove(&d->cells[w->id].napi);
}

void gro_cells_add(struct worker *w, struct dev *d, struct pkt *p)
{
	struct gro_cell *c = &d->cells[w->id];

	if (unlikely(c->q.n >= BACKLOG_MAX)) {
		dev_stats(d, w)->rx_dropped++;
		pkt_drop_at(w, p, DROP_cell_full, STAGE_gro_cells_receive);
		return;
	}
	pkt_queue_add(&c->q, p);
	napi_schedule(&c->napi);
}

/* Stage gro_cells_receive: from here on the packet is the tunnel device's. */
void gro_cells_receive(struct worker *w, struct dev *d, struct pkt *p)
{
	if (unlikely(pkt_trace(p)))
		trace_add(p, STAGE_gro_cells_receive, SAY_NOTHING);
	gro_cells_add(w, d, p);
}

/* --- gro_receive -------------------------------------------------------------------------------- */

/* Whether and how what comes in on a device is merged. */
enum merging { MERGE_NOT, MERGE_TUNNELS, MERGE_TCP, MERGE_TCP_UDP };

/* A tunnel device's frames are, where a host side that takes super-frames or a bridge (whose ports
 * cut for themselves) gets them; of other ports' frames what is in a tunnel that ends here.  A port
 * that a bridge has is left alone: its frames may go on as they came.  Plain frames of a port are
 * not merged: vx's own stack has nobody for super-frames, and a host merges what its interfaces
 * receive before a packet socket sees it. */
static enum merging merging_of(const struct dev *d)
{
	struct io *host = atomic_load_explicit(&d->host, memory_order_acquire);
	bool has_handler = atomic_load_explicit(&d->rx_handler, memory_order_relaxed) != NULL;

	if (!d->cells)
		return has_handler ? MERGE_NOT : MERGE_TUNNELS;
	if (has_handler)
		return MERGE_TCP; /* a bridge may hand a datagram to vx's own stack */
	if (!host || !(host->can & IO_CAN_TSO))
		return MERGE_NOT;
	return host->can & IO_CAN_USO ? MERGE_TCP_UDP : MERGE_TCP;
}

/* Result "normal", or what was held. */
static void pass(struct worker *w, struct pkt *p, struct batch *out)
{
	if (batch_is_full(out)) {
		handoff_receive(w, out);
		batch_init(out);
	}
	if (unlikely(pkt_trace(p)))
		out->traced = true;
	batch_add(out, p);
}

/* What is held between the two addresses of f goes first. */
static void flush_pair(struct worker *w, const struct gro_frame *f, struct batch *out)
{
	for (uint32_t i = 0; w->gro->n && i < GRO_BUCKETS; i++) {
		struct gro_bucket *b = &w->gro->bucket[i];

		for (uint32_t k = 0; k < b->n;)
			if (gro_ip_same_addresses(&b->flow[k].head, f))
				pass(w, gro_flow_take(w->gro, &b->flow[k]), out);
			else
				k++;
	}
}

static void hold(struct worker *w, const struct gro_frame *f, struct batch *out)
{
	struct gro_bucket *b = &w->gro->bucket[f->hash % GRO_BUCKETS];

	if (b->n == GRO_DEPTH)
		pass(w, gro_flow_take(w->gro, &b->flow[0]), out);
	gro_flow_hold(w->gro, f);
}

/* Results "merged", "held", "normal".  Order within a flow is kept: what is held of it goes before
 * what cannot join. */
static ALWAYS_INLINE void receive_one(struct worker *w, struct gro_frame *f, enum gro_kind kind,
				      struct batch *out)
{
	struct pkt *p = f->p;
	struct gro_flow *flow;

	if (kind != GRO_HAS_FLOW) {
		if (kind == GRO_NO_PORTS)
			flush_pair(w, f, out);
		pass(w, p, out);
		return;
	}
	flow = gro_flow_find(w->gro, f);
	if (flow && gro_flow_merge(w, flow, f)) {
		if (flow->complete)
			pass(w, gro_flow_take(w->gro, flow), out);
		return;
	}
	if (flow)
		pass(w, gro_flow_take(w->gro, flow), out);
	if (f->may_merge && !f->is_last)
		hold(w, f, out);
	else
		pass(w, p, out);
}

static void receive_tunnel(struct worker *w, struct pkt *p, struct batch *out)
{
	struct gro_frame f = {.p = p};

	receive_one(w, &f, gro_tunnel_find(w, &f), out);
}

/* Of a port's frames those in a tunnel that ends here.  False: there are none. */
static bool receive_tunnels(struct worker *w, struct batch *b, struct batch *out)
{
	uint64_t may = gro_tunnel_look(b);

	for (uint32_t i = 0; may && i < b->n; i++)
		if (may >> i & 1)
			receive_tunnel(w, b->p[i], out);
		else
			pass(w, b->p[i], out);
	return may;
}

/* Stage gro_receive. */
void gro_receive(struct worker *w, struct batch *b)
{
	enum merging how = b->n ? merging_of(b->p[0]->dev) : MERGE_NOT;
	struct batch out;

	if (unlikely(b->traced))
		for (uint32_t i = 0; i < b->n; i++)
			if (pkt_trace(b->p[i]))
				trace_add(b->p[i], STAGE_gro_receive, SAY_NOTHING);
	batch_init(&out);
	if (how == MERGE_NOT || (how == MERGE_TUNNELS && !receive_tunnels(w, b, &out))) {
		handoff_receive(w, b);
		return;
	}
	for (uint32_t i = 0; how != MERGE_TUNNELS && i < b->n; i++) {
		struct gro_frame f = {.p = b->p[i]};
		uint16_t type = be16_get(f.p->protocol);

		receive_one(w, &f, gro_ip_find(w, &f, type, how == MERGE_TCP_UDP), &out);
	}
	if (out.n)
		handoff_receive(w, &out);
}

static struct pkt *take_any(struct gro *g)
{
	uint32_t i = 0;

	while (!g->bucket[i].n)
		i++;
	return gro_flow_take(g, &g->bucket[i].flow[0]);
}

void gro_flush(struct worker *w)
{
	struct batch out;

	if (!w->gro->n)
		return;
	batch_init(&out);
	while (w->gro->n)
		pass(w, take_any(w->gro), &out);
	handoff_receive(w, &out);
}

void gro_drop(struct worker *w)
{
	while (w->gro->n)
		pkt_drop(w, take_any(w->gro), DROP_shutdown);
}

int gro_init(struct worker *w)
{
	w->gro = calloc(1, sizeof(*w->gro));
	return w->gro ? 0 : -ENOMEM;
}

void gro_done(struct worker *w)
{
	free(w->gro);
}

READS_COUNTERS uint64_t gro_held(const struct worker *w)
{
	return w->gro->n;
}
