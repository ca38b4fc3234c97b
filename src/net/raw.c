/* SPDX-License-Identifier: Apache-2.0 */
#include "net/raw.h"

#include <errno.h>
#include <stdlib.h>

static int replace(struct vx *vx, struct raw_listener *add, struct raw_listener *del)
{
	struct raw_table *old = atomic_load(&vx->inet->raws), *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	for (uint32_t i = 0; old && i < old->n; i++)
		if (old->l[i] != del)
			t->l[t->n++] = old->l[i];
	if (add && t->n == RAW_MAX) {
		free(t);
		return -ENOSPC;
	}
	if (add)
		t->l[t->n++] = add;
	if (!t->n) {
		free(t);
		t = NULL;
	}
	atomic_store_explicit(&vx->inet->raws, t, memory_order_release);
	if (old)
		quiesce_defer(&vx->quiesce, free, old);
	return 0;
}

int raw_register(struct vx *vx, struct raw_listener *l)
{
	return replace(vx, l, NULL);
}

void raw_unregister(struct vx *vx, struct raw_listener *l)
{
	struct raw_table *t;

	if (replace(vx, NULL, l) == 0)
		return;
	/* No memory for a smaller table: all lose their listener while readers are waited for. */
	t = atomic_exchange(&vx->inet->raws, NULL);
	quiesce_wait(&vx->quiesce);
	for (uint32_t i = 0; i < t->n; i++)
		if (t->l[i] == l)
			t->l[i] = t->l[--t->n];
	atomic_store_explicit(&vx->inet->raws, t, memory_order_release);
}

static void give(struct worker *w, const struct raw_listener *l, struct pkt *p)
{
	struct pkt *c = pkt_make_clone(w, p);

	if (!c) /* this listener misses it, the packet goes on */
		return;
	if (unlikely(pkt_trace(c)))
		trace_add(c, STAGE_raw_deliver, SAY_RAW)->u[0] = l->proto;
	if (l->fam == INET_V4)
		pkt_push(c, pkt_off(c) - c->net_off);
	l->rcv(w, l, c);
}

bool raw_deliver(struct worker *w, int fam, struct pkt *p)
{
	const struct raw_table *t = atomic_load_explicit(&w->vx->inet->raws, memory_order_acquire);
	bool found = false;

	if (likely(!t))
		return false;
	for (uint32_t i = 0; i < t->n; i++)
		if (t->l[i]->fam == fam && t->l[i]->proto == p->ip_proto) {
			found = true;
			give(w, t->l[i], p);
		}
	return found;
}
