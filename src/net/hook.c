/* SPDX-License-Identifier: Apache-2.0 */
#include "net/hook.h"

#include <errno.h>
#include <stdlib.h>

#include "net/dev.h"
#include "net/inet.h"

static const enum stage stage_of[HOOK_POINTS] = {
	[HOOK_PREROUTING] = STAGE_hook_prerouting,
	[HOOK_INPUT] = STAGE_hook_input,
	[HOOK_OUTPUT] = STAGE_hook_output,
	[HOOK_POSTROUTING] = STAGE_hook_postrouting,
};

static void publish(struct vx *vx, struct hook_table *t)
{
	struct hook_table *old = atomic_exchange(&vx->inet->hooks, t);

	if (old)
		quiesce_defer(&vx->quiesce, free, old);
}

static struct hook_table *copy(struct vx *vx)
{
	struct hook_table *old = atomic_load(&vx->inet->hooks), *t = calloc(1, sizeof(*t));

	if (t && old)
		*t = *old;
	return t;
}

int hook_register(struct vx *vx, struct hook *h)
{
	struct hook_table *t = copy(vx);
	uint32_t i;

	if (!t)
		return -ENOMEM;
	i = t->n[h->point];
	if (i == HOOKS_MAX) {
		free(t);
		return -ENOSPC;
	}
	for (; i > 0 && t->h[h->point][i - 1]->priority > h->priority; i--)
		t->h[h->point][i] = t->h[h->point][i - 1];
	t->h[h->point][i] = h;
	t->n[h->point]++;
	h->id = ++vx->inet->hook_ids;
	publish(vx, t);
	return 0;
}

static bool remove_from(struct hook_table *t, const struct hook *h)
{
	uint32_t n = t->n[h->point], kept = 0, total = 0;

	for (uint32_t i = 0; i < n; i++)
		if (t->h[h->point][i] != h)
			t->h[h->point][kept++] = t->h[h->point][i];
	t->n[h->point] = kept;
	for (int i = 0; i < HOOK_POINTS; i++)
		total += t->n[i];
	return total != 0;
}

void hook_unregister(struct vx *vx, struct hook *h)
{
	struct hook_table *t = copy(vx);

	if (!t) { /* no memory for a smaller table: readers are waited for */
		t = atomic_exchange(&vx->inet->hooks, NULL);
		quiesce_wait(&vx->quiesce);
	}
	if (t && !remove_from(t, h)) {
		free(t);
		t = NULL; /* nobody is left: stages test a NULL pointer */
	}
	publish(vx, t);
}

/* Verdict of all.  Which rule decided is for the hook to say (SAY_HOOK). */
static enum hook_verdict ask(struct worker *w, const struct hook_table *t, enum hook_point point,
			     struct pkt *p)
{
	for (uint32_t i = 0; i < t->n[point]; i++) {
		const struct hook *h = t->h[point][i];
		enum hook_verdict v = h->fn(w, h, p);

		if (v != HOOK_ACCEPT)
			return v;
	}
	return HOOK_ACCEPT;
}

enum hook_verdict hook_run(struct worker *w, enum hook_point point, struct pkt *p)
{
	const struct hook_table *t =
		atomic_load_explicit(&w->vx->inet->hooks, memory_order_acquire);
	enum hook_verdict v;

	if (unlikely(pkt_trace(p)))
		trace_add(p, stage_of[point], SAY_NOTHING);
	if (likely(!t))
		return HOOK_ACCEPT;
	v = ask(w, t, point, p);
	if (v == HOOK_DROP)
		pkt_drop_at(w, p, DROP_hook_rule, stage_of[point]);
	return v;
}

void hook_run_batch(struct worker *w, enum hook_point point, struct batch *b)
{
	const struct hook_table *t =
		atomic_load_explicit(&w->vx->inet->hooks, memory_order_acquire);
	uint32_t kept = 0;

	if (likely(!b->traced && (!t || !t->n[point])))
		return;
	for (uint32_t i = 0; i < b->n; i++)
		if (hook_run(w, point, b->p[i]) == HOOK_ACCEPT)
			b->p[kept++] = b->p[i];
	b->n = kept;
}
