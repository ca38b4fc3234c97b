/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stages dp_process_packet and do_output: from the packets of a turn to the flows that they match,
 * and from actions to the ports.
 */
#include "datapath/dp.h"

/* One packet on its way. */
struct found {
	struct flow_key key;
	struct flow_layers l;
	uint32_t tried;
	uint64_t hash;
	struct flow *flow;
};

/* --- out ------------------------------------------------------------------------------------- */

COLD static void trace_output(struct batch *b, const struct vport *v)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct trace_step *s;

		if (!pkt_trace(b->p[i]))
			continue;
		s = trace_add(b->p[i], STAGE_do_output, SAY_VPORT);
		s->u[0] = v->no;
		memcpy(s->dev, v->name, sizeof(s->dev));
	}
}

static void send_port(struct worker *w, struct dp_worker *dw, struct vport_out *o)
{
	struct batch b;

	/* Taken out first: what the device below does may lead here again. */
	b.n = o->b.n;
	b.traced = dw->traced;
	memcpy(b.p, o->b.p, b.n * sizeof(b.p[0]));
	batch_init(&o->b);
	list_remove(&o->node);
	if (unlikely(b.traced))
		trace_output(&b, o->port);
	vport_send(w, o->port, &b);
}

void dp_send_all(struct worker *w, struct dp_worker *dw)
{
	while (!list_is_empty(&dw->dirty))
		send_port(w, dw, container_of(dw->dirty.next, struct vport_out, node));
}

void do_output(struct worker *w, struct dp_worker *dw, struct pkt *p, uint32_t port)
{
	struct vport *v = dp_port(dw->dp, port);
	struct vport_out *o;

	if (unlikely(!v)) {
		pkt_drop_at(w, p, DROP_port_gone, STAGE_do_output);
		return;
	}
	if (p->has_tun && !p->tun.is_tx) /* where it came from is not where it goes */
		p->has_tun = false;
	o = &v->out[w->id];
	if (unlikely(batch_is_full(&o->b)))
		send_port(w, dw, o);
	if (!o->b.n)
		list_append(&dw->dirty, &o->node);
	batch_add(&o->b, p);
}

/* --- in -------------------------------------------------------------------------------------- */

static const struct actions *actions_of(const struct found *f)
{
	return atomic_load_explicit(&f->flow->actions, memory_order_acquire);
}

COLD static void trace_extract(struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (pkt_trace(b->p[i]))
			trace_add(b->p[i], STAGE_flow_key_extract, SAY_NOTHING);
}

COLD static void trace_found(struct dp *dp, struct batch *b, const struct found *f)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct trace_step *s;

		if (!pkt_trace(b->p[i]))
			continue;
		s = trace_add(b->p[i], STAGE_dp_process_packet, f[i].flow ? SAY_FLOW : SAY_NO_FLOW);
		memcpy(s->dev, dp->dev->name, sizeof(s->dev));
		s->u[1] = f[i].tried;
		if (!f[i].flow)
			continue;
		s->u[0] = f[i].flow->index;
		s->maker.at = f[i].flow->created;
		actions_trace(dp, b->p[i], actions_of(&f[i]));
	}
}

/* Parses all.  What is malformed is dropped; the others close up. */
static void parse_all(struct worker *w, struct batch *b, struct found *f)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];
		const struct vport *v = p->cb_ptr[0];
		enum drop why = flow_key_extract(w, p, v->no, &f[n].key, &f[n].l);

		if (unlikely(why != DROP_NONE)) {
			pkt_drop_at(w, p, why, STAGE_flow_key_extract);
			continue;
		}
		b->p[n++] = p;
	}
	b->n = n;
}

static void look_up_all(struct worker *w, struct dp_worker *dw, const struct batch *b,
			struct found *f)
{
	for (uint32_t i = 0; i < b->n; i++) {
		f[i].hash = key_hash(w->vx->key, &f[i].key, key_words(&f[i].key));
		table_prefetch(&dw->cache, f[i].hash);
	}
	for (uint32_t i = 0; i < b->n; i++)
		table_prefetch_flow(&dw->cache, f[i].hash);
	for (uint32_t i = 0; i < b->n; i++)
		f[i].flow =
			table_lookup(&dw->dp->table, &dw->cache, &f[i].key, f[i].hash, &f[i].tried);
}

void dp_count(struct worker *w, struct flow *f, const struct pkt *p, const struct flow_key *k)
{
	struct flow_stats *st = flow_stats(f, w);

	st->packets++;
	st->bytes += pkt_total(p);
	st->used = w->now;
	st->tcp_flags |= be16_get(k->tcp_flags);
}

static void act_on(struct worker *w, struct dp_worker *dw, struct pkt *p, const struct found *f)
{
	struct dp_stats *st = &dw->stats;

	st->mask_hit += f->tried;
	if (unlikely(!f->flow)) {
		st->missed++;
		upcall(w, dw, vport_queue(p->cb_ptr[0], w, p), p, NULL);
		return;
	}
	st->hit++;
	st->cache_hit += !f->tried;
	dp_count(w, f->flow, p, &f->key);
	execute_actions(w, dw, p, actions_of(f), f->key.in_port, f->l);
}

void dp_process_packet(struct worker *w, struct dp_worker *dw, struct batch *b)
{
	struct found f[BATCH_MAX];
	bool was_traced = dw->traced; /* what a port's device does may lead here again */

	dw->traced |= b->traced;
	if (unlikely(b->traced))
		trace_extract(b);
	parse_all(w, b, f);
	look_up_all(w, dw, b, f);
	if (unlikely(b->traced))
		trace_found(dw->dp, b, f);
	for (uint32_t i = 0; i < b->n; i++)
		act_on(w, dw, b->p[i], &f[i]);
	dp_send_all(w, dw);
	dw->traced = was_traced;
}

void dp_run(struct flush *f, struct worker *w)
{
	struct dp_worker *dw = container_of(f, struct dp_worker, flush);
	struct batch b = dw->in;

	batch_init(&dw->in);
	if (b.n)
		dp_process_packet(w, dw, &b);
	upcalls_serve(w, dw);
	dp_note_held(w, dw);
}
