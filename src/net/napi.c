/* SPDX-License-Identifier: Apache-2.0 */
#include "net/napi.h"

#include "net/vx.h"

void napi_init(struct napi *n, struct worker *w,
	       uint32_t (*poll)(struct napi *, struct worker *, uint32_t), void *ctx)
{
	*n = (struct napi){.w = w, .poll = poll, .ctx = ctx};
	list_init(&n->node);
}

void napi_schedule(struct napi *n)
{
	if (n->scheduled)
		return;
	n->scheduled = true;
	list_append(&n->w->napis, &n->node);
}

void napi_remove(struct napi *n)
{
	n->scheduled = false;
	list_remove(&n->node);
}

/* Stage napi_poll.  Less than the budget: complete and re-arm. */
static void napi_poll(struct napi *n)
{
	if (n->poll(n, n->w, NAPI_BUDGET) >= NAPI_BUDGET || !n->scheduled)
		return;
	napi_remove(n);
	if (n->rearm)
		n->rearm(n);
}

bool napi_poll_all(struct worker *w)
{
	/* What a poll schedules (a GRO cell) goes to the end and gets its turn, too; what stays
	 * scheduled is left for the next turn, so that each is visited once. */
	struct list again;

	list_init(&again);
	while (!list_is_empty(&w->napis)) {
		struct napi *n = container_of(w->napis.next, struct napi, node);

		napi_poll(n);
		if (n->scheduled && w->napis.next == &n->node) {
			list_remove(&n->node);
			list_append(&again, &n->node);
		}
	}
	while (!list_is_empty(&again)) {
		struct list *it = again.next;

		list_remove(it);
		list_append(&w->napis, it);
	}
	return !list_is_empty(&w->napis);
}
