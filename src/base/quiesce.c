/* SPDX-License-Identifier: Apache-2.0 */
#include "base/quiesce.h"

#include <sched.h>
#include <stdlib.h>

struct quiesce_item {
	struct quiesce_item *next;
	uint64_t epoch; /* free once every reader has seen this */
	void (*fn)(void *arg);
	void *arg;
};

void quiesce_init(struct quiesce *q, uint32_t n_readers)
{
	assert(n_readers <= QUIESCE_MAX_READERS);
	*q = (struct quiesce){.n_readers = n_readers};
	q->last = &q->first;
	atomic_store(&q->epoch, 1);
	pthread_mutex_init(&q->lock, NULL);
}

static bool all_passed(struct quiesce *q, uint64_t epoch)
{
	for (uint32_t i = 0; i < q->n_readers; i++) {
		uint64_t seen = atomic_load_explicit(&q->reader[i].seen, memory_order_seq_cst);

		if (seen && seen < epoch)
			return false;
	}
	return true;
}

uint64_t quiesce_mark(struct quiesce *q)
{
	return atomic_fetch_add(&q->epoch, 1) + 1;
}

bool quiesce_has_passed(struct quiesce *q, uint64_t mark)
{
	return all_passed(q, mark);
}

static uint32_t count(struct quiesce *q)
{
	uint32_t n = 0;

	pthread_mutex_lock(&q->lock);
	for (struct quiesce_item *it = q->first; it; it = it->next)
		n++;
	pthread_mutex_unlock(&q->lock);
	return n;
}

/* The first item, unlinked, if it is due; else NULL. */
static struct quiesce_item *take_due(struct quiesce *q, bool all)
{
	struct quiesce_item *it;

	pthread_mutex_lock(&q->lock);
	it = q->first;
	if (it && (all || all_passed(q, it->epoch))) {
		q->first = it->next;
		if (!q->first)
			q->last = &q->first;
	} else {
		it = NULL;
	}
	pthread_mutex_unlock(&q->lock);
	return it;
}

static void run(struct quiesce *q, bool all, uint32_t at_most)
{
	struct quiesce_item *it;

	while (at_most-- && (it = take_due(q, all))) {
		it->fn(it->arg);
		free(it);
	}
}

uint32_t quiesce_reap(struct quiesce *q)
{
	/* Only what is there now: a function that defers itself again has its turn next time. */
	run(q, false, count(q));
	return count(q);
}

void quiesce_wait(struct quiesce *q)
{
	uint64_t epoch = atomic_fetch_add(&q->epoch, 1) + 1;

	while (!all_passed(q, epoch))
		sched_yield();
}

void quiesce_defer(struct quiesce *q, void (*fn)(void *arg), void *arg)
{
	struct quiesce_item *it = malloc(sizeof(*it));

	if (!it)
		return;
	pthread_mutex_lock(&q->lock);
	*it = (struct quiesce_item){
		.epoch = atomic_fetch_add(&q->epoch, 1) + 1, .fn = fn, .arg = arg};
	*q->last = it;
	q->last = &it->next;
	pthread_mutex_unlock(&q->lock);
}

void quiesce_done(struct quiesce *q)
{
	run(q, true, UINT32_MAX);
	pthread_mutex_destroy(&q->lock);
}
