/* SPDX-License-Identifier: Apache-2.0 */
/* Stages netif_rx and backlog_run (stack.md 3), and the queue that both they and GRO cells use. */
#include "net/backlog.h"

#include "net/dev.h"

void pkt_queue_add(struct pkt_queue *q, struct pkt *p)
{
	p->next = NULL;
	if (q->last)
		q->last->next = p;
	else
		q->first = p;
	q->last = p;
	q->n++;
}

uint32_t pkt_queue_take(struct pkt_queue *q, struct batch *b, uint32_t max)
{
	uint32_t n = 0;

	for (; q->first && n < max; n++) {
		struct pkt *p = q->first;

		q->first = p->next;
		p->next = NULL;
		if (!q->first)
			q->last = NULL;
		q->n--;
		if (unlikely(pkt_trace(p)))
			b->traced = true;
		batch_add(b, p);
	}
	return n;
}

void pkt_queue_drop(struct worker *w, struct pkt_queue *q, enum drop why)
{
	struct batch b;

	for (;;) {
		batch_init(&b);
		if (!pkt_queue_take(q, &b, BATCH_MAX))
			return;
		for (uint32_t i = 0; i < b.n; i++)
			pkt_drop(w, b.p[i], why);
	}
}

void netif_rx(struct worker *w, struct pkt *p)
{
	if (unlikely(pkt_trace(p)))
		trace_add(p, STAGE_netif_rx, SAY_NOTHING);
	if (w->backlog->q.n >= BACKLOG_MAX) {
		dev_stats(p->dev, w)->rx_dropped++;
		pkt_drop_at(w, p, DROP_cpu_backlog, STAGE_netif_rx);
		return;
	}
	pkt_queue_add(&w->backlog->q, p);
}

bool backlog_run(struct worker *w)
{
	struct batch b;

	batch_init(&b);
	if (!pkt_queue_take(&w->backlog->q, &b, BATCH_MAX))
		return false;
	if (unlikely(b.traced))
		for (uint32_t i = 0; i < b.n; i++)
			if (pkt_trace(b.p[i]))
				trace_add(b.p[i], STAGE_backlog_run, SAY_NOTHING);
	netif_receive(w, &b);
	return w->backlog->q.n != 0;
}
