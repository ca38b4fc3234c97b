/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Freeing what readers without a lock may still hold.
 *
 * A writer unlinks an object, then defers its end.  Each reader (worker) says once per loop turn
 * that it holds nothing; a deferred function runs when every reader has said so after the call,
 * or is idle (asleep between turns).  One word per reader, nothing process-wide.
 *
 * quiesce_defer() may be called by any thread; quiesce_reap(), quiesce_wait() and quiesce_done() by
 * control alone.  The others belong to the reader with that number.
 */
#ifndef VX_BASE_QUIESCE_H
#define VX_BASE_QUIESCE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"

enum { QUIESCE_MAX_READERS = 64 };

struct quiesce_item; /* one deferred call */

struct quiesce {
	_Atomic uint64_t epoch; /* grows with each deferred call */
	uint32_t n_readers;
	pthread_mutex_t lock; /* of the list */
	struct quiesce_item *first, **last;
	struct CACHE_ALIGNED {
		_Atomic uint64_t seen; /* the epoch at its last quiescent state; 0 is idle */
	} reader[QUIESCE_MAX_READERS];
};

void quiesce_init(struct quiesce *q, uint32_t n_readers);
void quiesce_done(struct quiesce *q); /* runs all that waits; no reader may be active */

/* Calls fn(arg) when no reader can hold what was unlinked before this call.
 * Out of memory: never, which is the lesser evil. */
void quiesce_defer(struct quiesce *q, void (*fn)(void *arg), void *arg);
/* Runs what is due.  Returns how many still wait. */
uint32_t quiesce_reap(struct quiesce *q);
/* Returns when every reader has passed a quiescent state; a lone thread must not call it while
 * it is itself an active reader. */
void quiesce_wait(struct quiesce *q);

/* A point in time, and whether every reader has been quiescent since.  Any thread. */
uint64_t quiesce_mark(struct quiesce *q);
bool quiesce_has_passed(struct quiesce *q, uint64_t mark);

/* The reader holds nothing now and goes on. */
static inline void quiesce_pass(struct quiesce *q, uint32_t reader)
{
	uint64_t e = atomic_load_explicit(&q->epoch, memory_order_acquire);

	if (atomic_load_explicit(&q->reader[reader].seen, memory_order_relaxed) != e)
		atomic_store_explicit(&q->reader[reader].seen, e, memory_order_seq_cst);
	/* A reader that wakes from idle must not read tables before its 'seen' is visible. */
	atomic_thread_fence(memory_order_seq_cst);
}

/* The reader holds nothing and sleeps until its next quiesce_pass(). */
static inline void quiesce_idle(struct quiesce *q, uint32_t reader)
{
	atomic_store_explicit(&q->reader[reader].seen, 0, memory_order_release);
}

#endif
