/* SPDX-License-Identifier: Apache-2.0 */
#include "net/handoff.h"

#include "net/backlog.h"
#include "net/dev.h"
#include "wire/flowhash.h"

static uint32_t flow_of(struct worker *w, struct pkt *p)
{
	if (!p->hash) {
		uint32_t back = pkt_off(p) - p->mac_off;

		p->hash = flow_hash(w->vx->key, p->data - back, p->len + back);
	}
	return p->hash;
}

/* A trace belongs to one worker at a time: it goes along with its only holder, else this copy goes
 * without. */
static void move_trace(struct pkt *p, uint32_t to)
{
	struct trace_step *s = trace_add(p, STAGE_netif_rx, SAY_WORKER);

	s->u[0] = to;
	if (p->trace->refs == 1)
		return;
	trace_put(p->trace);
	p->trace = NULL;
}

static void hand_over(struct worker *w, struct worker *to, struct pkt *p)
{
	struct pkt *old;

	if (atomic_load_explicit(&to->n_handed, memory_order_relaxed) >= BACKLOG_MAX) {
		dev_stats(p->dev, w)->rx_dropped++;
		pkt_drop_at(w, p, DROP_cpu_backlog, STAGE_netif_rx);
		return;
	}
	if (unlikely(pkt_trace(p)))
		move_trace(p, to->id);
	w->acct.to_worker++;
	atomic_fetch_add_explicit(&to->n_handed, 1, memory_order_relaxed);
	old = atomic_load_explicit(&to->handed, memory_order_relaxed);
	do {
		p->next = old;
	} while (!atomic_compare_exchange_weak_explicit(&to->handed, &old, p, memory_order_release,
							memory_order_relaxed));
	if (!old && w->vx->wake_worker)
		w->vx->wake_worker(w->vx->wake_ctx, to->id);
}

void handoff_receive(struct worker *w, struct batch *b)
{
	uint32_t n = w->vx->n_workers, kept = 0;

	if (likely(n == 1)) {
		netif_receive(w, b);
		return;
	}
	for (uint32_t i = 0; i < b->n; i++) {
		uint32_t to = b->p[i]->dev->cells ? flow_of(w, b->p[i]) % n : w->id;

		if (to == w->id)
			b->p[kept++] = b->p[i];
		else
			hand_over(w, w->vx->workers[to], b->p[i]);
	}
	b->n = kept;
	if (kept)
		netif_receive(w, b);
}

READS_COUNTERS bool worker_has_waiting(const struct worker *w)
{
	return atomic_load(&((struct worker *)w)->n_handed) || COUNTER_NOW(&w->backlog->q.n);
}

/* All that was handed over, oldest first. */
static struct pkt *take_all(struct worker *w)
{
	struct pkt *p = atomic_exchange_explicit(&w->handed, NULL, memory_order_acquire);
	struct pkt *in_order = NULL, *next;

	for (; p; p = next) {
		next = p->next;
		p->next = in_order;
		in_order = p;
		atomic_fetch_sub_explicit(&w->n_handed, 1, memory_order_relaxed);
		w->acct.from_worker++;
	}
	return in_order;
}

void handoff_take(struct worker *w)
{
	if (likely(!atomic_load_explicit(&w->handed, memory_order_relaxed)))
		return;
	for (struct pkt *p = take_all(w), *next; p; p = next) {
		next = p->next;
		netif_rx(w, p);
	}
}

void handoff_drop(struct worker *w)
{
	for (struct pkt *p = take_all(w), *next; p; p = next) {
		next = p->next;
		pkt_drop(w, p, DROP_shutdown);
	}
}
