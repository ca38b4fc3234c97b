/* SPDX-License-Identifier: Apache-2.0 */
/* Stage neigh_output, and the packets that wait for a neighbour (stack.md O3). */
#include <errno.h>
#include <stdlib.h>

#include "net/neigh_table.h"
#include "net/output.h"
#include "wire/eth.h"

/* A worker's packets for the neighbour in one slot. */
struct neigh_wait {
	struct list node; /* inet_worker.waiting, while it has packets */
	uint64_t id;	  /* of the neighbour: the slot may be another's by now */
	struct pkt_queue q;
	uint32_t bytes;
};

int neigh_worker_init(struct inet_worker *iw)
{
	iw->wait = calloc(NEIGH_MAX, sizeof(*iw->wait));
	if (!iw->wait)
		return -ENOMEM;
	for (int i = 0; i < NEIGH_MAX; i++)
		list_init(&iw->wait[i].node);
	return 0;
}

/* --- sending -----------------------------------------------------------------------------------
 */

static void send_to(struct worker *w, struct dev *d, struct pkt *p, const struct mac *m)
{
	p->dst = NULL; /* the caller's, and no longer needed */
	eth_push(p, d, m, be16_get(p->protocol));
	inet_xmit(w, d, p);
}

static struct mac group_mac(const struct ip_addr *ip)
{
	if (ip_is4(ip))
		return (struct mac){{0x01, 0x00, 0x5e, ip->b[13] & 0x7f, ip->b[14], ip->b[15]}};
	return (struct mac){{0x33, 0x33, ip->b[12], ip->b[13], ip->b[14], ip->b[15]}};
}

COLD static void trace_neigh(struct pkt *p, const struct ip_addr *ip, const struct mac *m,
			const struct neigh *n)
{
	struct trace_step *s = trace_add(p, STAGE_neigh_output, m ? SAY_NEIGH : SAY_QUEUED);

	s->ip = *ip;
	if (m)
		s->mac = *m;
	if (n) {
		s->state = (uint8_t)neigh_state(n);
		s->maker = n->maker;
	}
	if (p->dev)
		memcpy(s->dev, p->dev->name, sizeof(s->dev));
}

/* --- waiting -----------------------------------------------------------------------------------
 */

static void drop_one(struct worker *w, struct pkt *p, enum drop why)
{
	p->dev = NULL; /* may be gone by now */
	pkt_drop_at(w, p, why, STAGE_neigh_output);
}

static struct pkt *take_oldest(struct inet_worker *iw, struct neigh_wait *q)
{
	struct pkt *p = q->q.first;

	q->q.first = p->next;
	if (!q->q.first)
		q->q.last = NULL;
	q->q.n--;
	p->next = NULL;
	q->bytes -= pkt_total(p);
	iw->n_waiting--;
	return p;
}

static void drop_all(struct worker *w, struct neigh_wait *q, enum drop why)
{
	list_remove(&q->node);
	while (q->q.n)
		drop_one(w, take_oldest(w->inet, q), why);
}

static void queue(struct worker *w, struct pkt *p, uint32_t slot, uint64_t id)
{
	struct inet_worker *iw = w->inet;
	struct neigh_wait *q = &iw->wait[slot];
	uint32_t len = pkt_total(p);

	if (q->q.n && q->id != id)
		drop_all(w, q, DROP_neigh_failed);
	q->id = id;
	while (q->q.n && (q->bytes + len > NEIGH_QUEUE_BYTES || iw->n_waiting >= NEIGH_QUEUED_MAX))
		drop_one(w, take_oldest(iw, q), DROP_neigh_queue_full);
	if (iw->n_waiting >= NEIGH_QUEUED_MAX) {
		drop_one(w, p, DROP_neigh_queue_full);
		return;
	}
	p->dst = NULL;
	p->dev = p->orig_dev = NULL;
	pkt_queue_add(&q->q, p);
	q->bytes += len;
	iw->n_waiting++;
	if (list_is_empty(&q->node))
		list_append(&iw->waiting, &q->node);
}

/* No MAC is known: asks, unless somebody does already, and keeps p. */
static int wait_for(struct worker *w, struct pkt *p, struct dev *d, const struct ip_addr *ip)
{
	struct neigh_table *t = w->vx->inet->neigh;
	bool ask = false, usable = false;
	struct mac m = {{0}};
	uint32_t slot = 0;
	uint64_t id = 0;
	struct neigh *n;

	pthread_mutex_lock(&t->lock);
	n = neigh_find(t, ip, d);
	if (!n) {
		n = neigh_make(t, d, ip, w->now);
		if (n)
			n->maker = (struct maker){.at = w->now, .how = MAKER_LEARNED};
	}
	if (n) {
		slot = n->slot;
		id = n->id;
		usable = neigh_state(n) & NEIGH_USABLE;
		m = neigh_mac(n);
		ask = !usable && neigh_state(n) != NUD_INCOMPLETE;
		if (ask)
			neigh_start(t, n, w->now);
	}
	pthread_mutex_unlock(&t->lock);
	if (!n) {
		pkt_drop_at(w, p, DROP_neigh_queue_full, STAGE_neigh_output);
		return -ENOBUFS;
	}
	if (usable) { /* resolved meanwhile */
		send_to(w, d, p, &m);
		return 0;
	}
	if (unlikely(pkt_trace(p)))
		trace_neigh(p, ip, NULL, NULL);
	queue(w, p, slot, id);
	if (ask)
		neigh_ask(w, d, ip, NULL);
	return 0;
}

/* A state changed: does it concern q?  Sends or drops. */
static void review(struct worker *w, uint32_t slot)
{
	struct neigh_table *t = w->vx->inet->neigh;
	struct neigh_wait *q = &w->inet->wait[slot];
	struct dev *d = NULL;
	uint16_t state = NUD_FAILED;
	struct mac m = {{0}};
	struct neigh *n;

	pthread_mutex_lock(&t->lock);
	n = t->slot[slot];
	if (n && n->id == q->id) {
		state = neigh_state(n);
		m = neigh_mac(n);
		d = n->dev; /* stays until this turn ends */
	}
	pthread_mutex_unlock(&t->lock);
	if (state & NEIGH_USABLE) {
		struct pkt_queue ready = {0};

		list_remove(&q->node);
		while (q->q.n)
			pkt_queue_add(&ready, take_oldest(w->inet, q));
		while (ready.first) {
			struct pkt *p = ready.first;

			ready.first = p->next;
			p->next = NULL;
			send_to(w, d, p, &m);
		}
	} else if (state != NUD_INCOMPLETE) {
		drop_all(w, q, DROP_neigh_failed);
	}
}

void neigh_run_waiting(struct worker *w)
{
	struct inet_worker *iw = w->inet;
	uint64_t gen = atomic_load_explicit(&w->vx->inet->neigh->gen, memory_order_acquire);

	if (likely(gen == iw->neigh_seen))
		return;
	iw->neigh_seen = gen;
	list_for_each_safe (q, &iw->waiting, struct neigh_wait, node)
		review(w, (uint32_t)(q - iw->wait));
}

uint64_t neigh_next_timer(struct worker *w)
{
	uint64_t next = atomic_load_explicit(&w->vx->inet->neigh->next_due, memory_order_relaxed);

	/* An answer may come to another worker, which cannot wake this one. */
	if (w->inet->n_waiting && w->vx->n_workers > 1)
		next = MIN(next, w->now + 2 * NS_PER_MS);
	return next;
}

void neigh_drop_held(struct worker *w)
{
	list_for_each_safe (q, &w->inet->waiting, struct neigh_wait, node)
		drop_all(w, q, DROP_shutdown);
}

/* --- the stage ---------------------------------------------------------------------------------
 */

int neigh_output(struct worker *w, struct pkt *p)
{
	static const struct mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	const struct dst *dst = p->dst;
	struct dev *d = dst->dev;
	struct ip_addr to = dst->gateway;
	struct neigh *n = NULL;
	uint16_t state;
	uint64_t word;
	struct mac m;

	if (unlikely(dst->type == DST_BROADCAST || dst->type == DST_MULTICAST)) {
		m = dst->type == DST_BROADCAST ? broadcast : group_mac(&to);
	} else {
		n = neigh_find(w->vx->inet->neigh, &to, d);
		word = n ? atomic_load_explicit(&n->word, memory_order_acquire) : 0;
		state = (uint16_t)word;
		if (unlikely(!(state & NEIGH_USABLE)))
			return wait_for(w, p, d, &to);
		m = mac_of_word(word);
		if (unlikely(w->now - atomic_load_explicit(&n->used, memory_order_relaxed) >
			     NS_PER_S))
			atomic_store_explicit(&n->used, w->now, memory_order_relaxed);
		if (unlikely(state == NUD_STALE))
			neigh_delay(w, n);
	}
	if (unlikely(pkt_trace(p)))
		trace_neigh(p, &to, &m, n);
	send_to(w, d, p, &m);
	return 0;
}
