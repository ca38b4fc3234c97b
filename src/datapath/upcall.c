/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/upcall.h"

#include "datapath/dp.h"

void upcalls_init(struct upcalls *u)
{
	list_init(&u->turn);
	for (uint32_t i = 0; i <= UPCALL_QUEUE_MAX; i++)
		list_init(&u->by_len[i]);
}

void upcall_queue_init(struct upcall_queue *q, struct vport *port, struct flow_source *source)
{
	*q = (struct upcall_queue){.port = port, .source = source};
	list_init(&q->turn);
	list_init(&q->by_len);
}

/* --- queues ---------------------------------------------------------------------------------- */

/* q has another length: in the list of those, and told to control, which frees no port that
 * packets wait for. */
static void note_len(struct worker *w, struct upcalls *u, struct upcall_queue *q, int by)
{
	_Atomic uint32_t *waiting = &q->port->waiting[w->id];

	u->n += (uint32_t)by;
	atomic_store_explicit(waiting,
			      atomic_load_explicit(waiting, memory_order_relaxed) + (uint32_t)by,
			      memory_order_release);
	list_remove(&q->by_len);
	if (q->q.n)
		list_append(&u->by_len[q->q.n], &q->by_len);
	else
		list_remove(&q->turn);
	u->longest = MAX(u->longest, q->q.n);
	while (u->longest && list_is_empty(&u->by_len[u->longest]))
		u->longest--;
}

static struct pkt *take_oldest(struct worker *w, struct upcalls *u, struct upcall_queue *q)
{
	struct batch one;

	batch_init(&one);
	pkt_queue_take(&q->q, &one, 1);
	note_len(w, u, q, -1);
	return one.p[0];
}

static void lose(struct worker *w, struct dp_worker *dw, struct pkt *p)
{
	dw->stats.lost++;
	pkt_drop_at(w, p, DROP_upcall_queue_full, STAGE_upcall);
}

COLD static void trace_upcall(struct pkt *p, uint32_t what)
{
	trace_add(p, STAGE_upcall, SAY_UPCALL)->u[0] = what;
}

void upcall(struct worker *w, struct dp_worker *dw, struct upcall_queue *q, struct pkt *p,
	    const struct act_userspace *act)
{
	struct upcalls *u = &dw->upcalls;

	if (unlikely(pkt_trace(p)))
		trace_upcall(p, act != NULL);
	p->dev = p->orig_dev = dw->dp->dev; /* its own may go meanwhile */
	if (q->q.n == UPCALL_QUEUE_MAX) {
		lose(w, dw, p);
		return;
	}
	if (u->n == UPCALL_TOTAL_MAX) {
		struct upcall_queue *most =
			container_of(u->by_len[u->longest].next, struct upcall_queue, by_len);

		lose(w, dw, take_oldest(w, u, most));
	}
	p->cb[0] = act != NULL;
	if (act)
		memcpy(&p->cb[1], act, sizeof(*act));
	if (!q->q.n)
		list_append(&u->turn, &q->turn);
	pkt_queue_add(&q->q, p);
	note_len(w, u, q, 1);
}

const struct act_userspace *act_of_upcall(const struct pkt *p)
{
	return p->cb[0] ? (const struct act_userspace *)(const void *)&p->cb[1] : NULL;
}

/* --- service --------------------------------------------------------------------------------- */

/* Somebody else's packet of the same flow may have been here first. */
static bool found_meanwhile(struct worker *w, struct dp_worker *dw, struct pkt *p,
			    const struct flow_key *k, const struct flow_layers *l)
{
	uint32_t tried;
	struct flow *f = table_lookup(&dw->dp->table, &dw->cache, k,
				      key_hash(w->vx->key, k, key_words(k)), &tried);
	const struct actions *a;

	if (!f)
		return false;
	a = atomic_load_explicit(&f->actions, memory_order_acquire);
	if (unlikely(pkt_trace(p)))
		actions_trace(dw->dp, p, a);
	dp_count(w, f, p, k);
	execute_actions(w, dw, p, a, k->in_port, *l);
	return true;
}

static void answer(struct worker *w, struct dp_worker *dw, struct upcall_queue *q, struct upcall *u,
		   const struct flow_layers *l)
{
	bool made = false;

	if (!u->actions) {
		pkt_drop_at(w, u->p, u->why, STAGE_upcall);
		return;
	}
	/* Whatever it fails for (memory, another worker was first): this packet has its actions. */
	if (u->install)
		made = table_put(&dw->dp->table, u->key, &u->mask, actions_get(u->actions),
				 q->source, TABLE_CREATE, NULL) == 0;
	if (unlikely(pkt_trace(u->p))) {
		trace_upcall(u->p, made ? 3 : 2);
		actions_trace(dw->dp, u->p, u->actions);
	}
	execute_actions(w, dw, u->p, u->actions, u->key->in_port, *l);
	actions_put(u->actions);
}

static void serve(struct worker *w, struct dp_worker *dw, struct upcall_queue *q, struct pkt *p)
{
	struct act_userspace act;
	struct flow_layers l;
	struct flow_key k;
	struct upcall u = {
		.dp = dw->dp, .w = w, .in = q->port, .p = p, .key = &k, .why = DROP_upcall_lost};
	enum drop why = flow_key_extract(w, p, q->port->no, &k, &l);

	if (unlikely(why != DROP_NONE)) { /* what an action made of it */
		pkt_drop_at(w, p, why, STAGE_upcall);
		return;
	}
	if (act_of_upcall(p)) {
		act = *act_of_upcall(p);
		u.act = &act;
	} else if (found_meanwhile(w, dw, p, &k, &l)) {
		return;
	}
	if (!dw->dp->upcall) {
		pkt_drop_at(w, p, DROP_flow_no_handler, STAGE_upcall);
		return;
	}
	dw->dp->upcall(dw->dp->ctx, &u);
	answer(w, dw, q, &u, &l);
}

/* The queue whose turn it is; NULL: all that wait have had this turn's share. */
static struct upcall_queue *next_queue(const struct worker *w, struct upcalls *u)
{
	struct upcall_queue *first = NULL;

	while (u->n) {
		struct upcall_queue *q = container_of(u->turn.next, struct upcall_queue, turn);

		if (q->turn_no != w->turns) {
			q->turn_no = w->turns;
			q->served = 0;
		}
		if (q->served < UPCALLS_A_SOURCE)
			return q;
		if (q == first)
			break;
		first = first ? first : q;
		list_remove(&q->turn);
		list_append(&u->turn, &q->turn);
	}
	return NULL;
}

bool upcalls_serve(struct worker *w, struct dp_worker *dw)
{
	struct upcalls *u = &dw->upcalls;
	bool was_traced = dw->traced;
	struct upcall_queue *q;

	if (u->turn_no != w->turns) {
		u->turn_no = w->turns;
		u->served = 0;
	}
	dw->traced = true; /* one of them may have a trace */
	while (u->served < UPCALLS_A_TURN && (q = next_queue(w, u))) {
		struct pkt *p = take_oldest(w, u, q);

		q->served++;
		if (q->q.n) { /* behind the others */
			list_remove(&q->turn);
			list_append(&u->turn, &q->turn);
		}
		if (unlikely(atomic_load_explicit(&q->port->gone, memory_order_relaxed))) {
			pkt_drop_at(w, p, DROP_port_gone, STAGE_upcall);
			continue;
		}
		u->served++;
		serve(w, dw, q, p);
	}
	dp_send_all(w, dw);
	dw->traced = was_traced;
	return u->n;
}

void upcalls_drop(struct worker *w, struct dp_worker *dw, enum drop why)
{
	struct upcalls *u = &dw->upcalls;

	while (u->n)
		pkt_drop_at(
			w, take_oldest(w, u, container_of(u->turn.next, struct upcall_queue, turn)),
			why, STAGE_upcall);
}
