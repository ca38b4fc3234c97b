/* SPDX-License-Identifier: Apache-2.0 */
#include "net/watch.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "net/dev.h"

struct watch *watch_set(struct vx *vx, struct watch *wt)
{
	return atomic_exchange(&vx->watch, wt);
}

static struct trace *trace_begin(struct worker *w, struct watch *wt, const struct pkt *p,
				 bool from_udp)
{
	struct trace *t = malloc(sizeof(*t));

	if (!t)
		return NULL;
	memset(t, 0, offsetof(struct trace, bytes)); /* the rest is filled as n_bytes and n_steps grow */
	t->done = wt->done;
	t->ctx = wt->ctx;
	t->at = w->now;
	t->id = atomic_fetch_add(&wt->next_id, 1) + 1;
	t->refs = 1;
	atomic_fetch_add(&wt->out, 1);
	t->len = pkt_total(p);
	t->n_bytes = (uint16_t)MIN(t->len, (uint32_t)TRACE_BYTES);
	t->from_udp = from_udp;
	pkt_copy_out(p, 0, t->bytes, t->n_bytes);
	if (p->dev)
		memcpy(t->dev, p->dev->name, sizeof(t->dev));
	if (p->has_tun) {
		t->src = p->tun.src;
		t->dst = p->tun.dst;
		t->sport = p->tun.sport;
		t->dport = p->tun.dport;
	}
	return t;
}

void watch_batch(struct worker *w, struct batch *b, bool from_udp)
{
	struct watch *wt = atomic_load_explicit(&w->vx->watch, memory_order_acquire);
	uint64_t taken;

	if (!wt || !b->n || atomic_load(&wt->left) <= 0)
		return;
	for (taken = wt->match(wt, b, from_udp); taken; taken &= taken - 1) {
		struct pkt *p = b->p[__builtin_ctzll(taken)];

		if (pkt_trace(p) || atomic_fetch_sub(&wt->left, 1) <= 0)
			continue;
		p->trace = trace_begin(w, wt, p, from_udp);
		p->trace_depth = 0;
		b->traced |= pkt_trace(p) != NULL;
	}
}
