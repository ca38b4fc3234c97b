/* SPDX-License-Identifier: Apache-2.0 */
#include "net/vx.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/backlog.h"
#include "net/dev.h"
#include "net/former.h"
#include "net/gro.h"
#include "net/handoff.h"
#include "net/inet.h"
#include "net/link.h"
#include "net/napi.h"

int vx_fail(struct vx_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return code;
}

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void pkt_drop(struct worker *w, struct pkt *p, enum drop why)
{
	w->acct.dropped[why]++;
	if (unlikely(pkt_trace(p))) {
		struct trace_step *s = trace_add(p, STAGE_NONE, SAY_DROP);

		s->drop = (uint16_t)why;
		if (p->dev)
			memcpy(s->dev, p->dev->name, sizeof(s->dev));
	}
	pkt_free(p);
}

void pkt_drop_at(struct worker *w, struct pkt *p, enum drop why, enum stage stage)
{
	w->acct.dropped[why]++;
	if (unlikely(pkt_trace(p))) {
		struct trace_step *s = trace_add(p, stage, SAY_DROP);

		s->drop = (uint16_t)why;
		if (p->dev)
			memcpy(s->dev, p->dev->name, sizeof(s->dev));
	}
	pkt_free(p);
}

static void worker_free(struct worker *w)
{
	if (!w)
		return;
	free(w->backlog);
	gro_done(w);
	pool_free(w->pool);
	free(w);
}

static struct worker *worker_new(struct vx *vx, uint32_t id, const struct vx_config *cfg)
{
	struct worker *w = aligned_alloc(
		CACHE_LINE, (sizeof(*w) + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1));

	if (!w)
		return NULL;
	memset(w, 0, sizeof(*w));
	w->vx = vx;
	w->id = id;
	w->now = cfg->now;
	w->random = random_next(&vx->random);
	list_init(&w->napis);
	list_init(&w->flushes);
	w->pool = pool_new(cfg->pool_pkts ? cfg->pool_pkts : 32768,
			   cfg->pool_small ? cfg->pool_small : 16384,
			   cfg->pool_big ? cfg->pool_big : 512);
	w->backlog = calloc(1, sizeof(*w->backlog));
	if (w->pool && w->backlog && gro_init(w) == 0)
		return w;
	worker_free(w);
	return NULL;
}

struct vx *vx_new(const struct vx_config *cfg)
{
	struct vx *vx = aligned_alloc(
		CACHE_LINE, (sizeof(*vx) + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1));

	if (!vx)
		return NULL;
	memset(vx, 0, sizeof(*vx));
	assert(cfg->n_workers >= 1 && cfg->n_workers <= VX_WORKERS_MAX);
	vx->key = cfg->key;
	vx->random = cfg->random;
	vx->host = cfg->host;
	vx->host_ctx = cfg->host_ctx;
	vx->events = cfg->events;
	vx->wake_worker = cfg->wake_worker;
	vx->wake_ctx = cfg->wake_ctx;
	vx->next_ifindex = VX_IFINDEX_FIRST;
	atomic_store(&vx->now, cfg->now);
	quiesce_init(&vx->quiesce, cfg->n_workers);
	list_init(&vx->devs);
	list_init(&vx->leaving);
	list_init(&vx->link_types);
	list_init(&vx->formers);
	list_init(&vx->vxlan_socks);
	list_init(&vx->dpifs);
	vx->n_workers = cfg->n_workers;
	for (uint32_t i = 0; i < cfg->n_workers; i++) {
		vx->workers[i] = worker_new(vx, i, cfg);
		if (!vx->workers[i]) {
			vx_free(vx);
			return NULL;
		}
	}
	if (inet_new(vx) < 0) {
		vx_free(vx);
		return NULL;
	}
	return vx;
}

static void drop_held_by(struct worker *w, struct list *devs)
{
	list_for_each (d, devs, struct dev, node)
		if (d->ops->drop_held)
			d->ops->drop_held(w, d);
}

void vx_drop_held(struct vx *vx)
{
	inet_drop_held(vx);
	for (uint32_t i = 0; i < vx->n_workers; i++) {
		struct worker *w = vx->workers[i];

		if (!w) /* not all could be made */
			continue;
		gro_drop(w);
		handoff_drop(w);
		pkt_queue_drop(w, &w->backlog->q, DROP_shutdown);
		drop_held_by(w, &vx->devs);
		drop_held_by(w, &vx->leaving);
	}
}

void vx_free(struct vx *vx)
{
	if (!vx)
		return;
	vx->stopping = true;
	vx_drop_held(vx);
	while (!list_is_empty(&vx->devs))
		link_dellink(container_of(vx->devs.prev, struct dev, node), false);
	quiesce_done(&vx->quiesce);
	inet_free(vx);
	link_types_free(vx);
	formers_free(vx);
	free(atomic_load(&vx->ptypes));
	free(atomic_load(&vx->vxlan_ports));
	for (uint32_t i = 0; i < vx->n_workers; i++)
		worker_free(vx->workers[i]);
	free(vx);
}

static void run_flushes(struct worker *w)
{
	while (!list_is_empty(&w->flushes)) {
		struct flush *f = container_of(w->flushes.next, struct flush, node);

		list_remove(&f->node);
		f->queued = false;
		f->fn(f, w);
	}
}

static void note_time(struct vx *vx, uint64_t now)
{
	uint64_t old = atomic_load_explicit(&vx->now, memory_order_relaxed);

	while (old < now && !atomic_compare_exchange_weak(&vx->now, &old, now))
		;
}

void vx_call(struct vx *vx, uint32_t id, struct worker_call *call)
{
	_Atomic(struct worker_call *) *head = &vx->workers[id]->calls;
	struct worker_call *old = atomic_load(head);

	do {
		call->next = old;
	} while (!atomic_compare_exchange_weak(head, &old, call));
}

static void run_calls(struct worker *w)
{
	struct worker_call *c = atomic_exchange(&w->calls, NULL), *in_order = NULL, *next;

	for (; c; c = next) {
		next = c->next;
		c->next = in_order;
		in_order = c;
	}
	for (c = in_order; c; c = next) {
		next = c->next; /* fn may free it */
		c->fn(w, c);
	}
}

bool vx_turn(struct vx *vx, uint32_t id, uint64_t now)
{
	struct worker *w = vx->workers[id];
	bool more;

	w->now = now;
	w->turns++;
	note_time(vx, now);
	quiesce_pass(&vx->quiesce, id);
	if (unlikely(atomic_load_explicit(&w->calls, memory_order_relaxed) != NULL))
		run_calls(w);
	handoff_take(w);
	more = napi_poll_all(w);
	more |= backlog_run(w);
	more |= inet_turn(w);
	gro_flush(w);
	run_flushes(w);
	/* What the flushes gave rise to (a bypass to another device's cell) is for the next turn. */
	return more || w->inet->loop.n || !list_is_empty(&w->napis);
}

uint64_t vx_next_timer(struct vx *vx, uint32_t id)
{
	return inet_next_timer(vx->workers[id]);
}

uint64_t vx_control_turn(struct vx *vx, uint64_t now)
{
	uint64_t next;

	note_time(vx, now);
	next = inet_control_turn(vx, now);
	if (quiesce_reap(&vx->quiesce))
		next = MIN(next, now + 10 * NS_PER_MS);
	list_for_each (d, &vx->devs, struct dev, node) {
		uint64_t at = d->ops->timer ? d->ops->timer(d, now) : UINT64_MAX;

		next = MIN(next, at);
	}
	return next;
}

READS_COUNTERS void vx_account(struct vx *vx, struct account *sum)
{
	*sum = (struct account){0};
	for (uint32_t i = 0; i < vx->n_workers; i++) {
		const uint64_t *from = (const uint64_t *)&vx->workers[i]->acct;
		uint64_t *to = (uint64_t *)sum;

		for (size_t k = 0; k < sizeof(*sum) / sizeof(*to); k++)
			to[k] += COUNTER_NOW(&from[k]);
	}
}

static uint64_t held_by(struct dev *d)
{
	return gro_cells_held(d) + (d->ops->held ? d->ops->held(d) : 0);
}

READS_COUNTERS uint64_t vx_held(struct vx *vx)
{
	uint64_t n = inet_held(vx);

	for (uint32_t i = 0; i < vx->n_workers; i++)
		n += vx->workers[i]->backlog->q.n + gro_held(vx->workers[i]);
	list_for_each (d, &vx->devs, struct dev, node)
		n += held_by(d);
	list_for_each (d, &vx->leaving, struct dev, node)
		n += held_by(d);
	return n;
}

struct pool_stats vx_pool_stats(struct vx *vx)
{
	struct pool_stats sum = {0}, one;

	for (uint32_t i = 0; i < vx->n_workers; i++) {
		pool_get_stats(vx->workers[i]->pool, &one);
		sum.pkts_out += one.pkts_out;
		sum.small_out += one.small_out;
		sum.big_out += one.big_out;
	}
	return sum;
}
