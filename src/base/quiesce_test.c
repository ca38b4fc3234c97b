/* SPDX-License-Identifier: Apache-2.0 */
/* Deferred frees: not before every reader was quiescent, then soon; with threads, too. */
#include "base/quiesce.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int calls[16];

static void call(void *arg)
{
	++*(int *)arg;
}

static void waits_for_all(void **state)
{
	static struct quiesce q;

	(void)state;
	quiesce_init(&q, 3);
	quiesce_pass(&q, 0);
	quiesce_pass(&q, 1); /* the third never ran: idle */
	quiesce_defer(&q, call, &calls[0]);
	assert_int_equal(quiesce_reap(&q), 1);
	quiesce_pass(&q, 0);
	assert_int_equal(quiesce_reap(&q), 1);
	assert_int_equal(calls[0], 0);
	quiesce_pass(&q, 1);
	assert_int_equal(quiesce_reap(&q), 0);
	assert_int_equal(calls[0], 1);
	/* One that wakes up afterwards holds up only what comes later. */
	quiesce_defer(&q, call, &calls[1]);
	quiesce_pass(&q, 2);
	quiesce_defer(&q, call, &calls[2]);
	quiesce_pass(&q, 0);
	quiesce_pass(&q, 1);
	assert_int_equal(quiesce_reap(&q), 1);
	assert_true(calls[1] == 1 && calls[2] == 0);
	quiesce_idle(&q, 2);
	assert_int_equal(quiesce_reap(&q), 0);
	assert_int_equal(calls[2], 1);
	/* No reader at all: at once. */
	quiesce_idle(&q, 0);
	quiesce_idle(&q, 1);
	quiesce_defer(&q, call, &calls[3]);
	assert_int_equal(quiesce_reap(&q), 0);
	assert_int_equal(calls[3], 1);
	quiesce_done(&q);
}

static void marks(void **state)
{
	static struct quiesce q;
	uint64_t m;

	(void)state;
	quiesce_init(&q, 2);
	quiesce_pass(&q, 0);
	quiesce_pass(&q, 1);
	assert_true(quiesce_has_passed(&q, 0));
	m = quiesce_mark(&q);
	assert_false(quiesce_has_passed(&q, m));
	quiesce_pass(&q, 1);
	assert_false(quiesce_has_passed(&q, m));
	quiesce_pass(&q, 0);
	assert_true(quiesce_has_passed(&q, m));
	quiesce_done(&q);
}

/* In order; the end runs what is left; a deferred call may defer. */
static struct quiesce Q;
static int order[8], n_order;

static void note(void *arg)
{
	order[n_order++] = (int)(intptr_t)arg;
	if ((intptr_t)arg == 2)
		quiesce_defer(&Q, note, (void *)(intptr_t)9);
}

static void in_order(void **state)
{
	(void)state;
	quiesce_init(&Q, 1);
	quiesce_pass(&Q, 0);
	for (intptr_t i = 0; i < 4; i++)
		quiesce_defer(&Q, note, (void *)i);
	assert_int_equal(quiesce_reap(&Q), 4);
	quiesce_done(&Q);
	assert_int_equal(n_order, 5);
	for (int i = 0; i < 4; i++)
		assert_int_equal(order[i], i);
	assert_int_equal(order[4], 9);
}

/* --- threads ---------------------------------------------------------------------------------------- */

enum { READERS = 3 };

struct object {
	uint64_t a, b; /* a == ~b while it lives */
};

static _Atomic(struct object *) shared;
static _Atomic bool stop;
static _Atomic uint32_t begun;

static void object_free(void *arg)
{
	struct object *o = arg;

	o->a = o->b = 0; /* seen by a reader that still holds it, without any sanitizer */
	free(o);
}

static void *reader(void *arg)
{
	uint32_t id = (uint32_t)(uintptr_t)arg;
	uint64_t n = 0;

	atomic_fetch_add(&begun, 1);
	while (!atomic_load(&stop)) {
		quiesce_pass(&Q, id);
		for (int i = 0; i < 10; i++) {
			struct object *o = atomic_load_explicit(&shared, memory_order_acquire);

			assert(o->a == ~o->b);
			n++;
		}
		if (n % 70 == 0)
			quiesce_idle(&Q, id);
	}
	quiesce_idle(&Q, id);
	return NULL;
}

static struct object *object_new(uint64_t v)
{
	struct object *o = malloc(sizeof(*o));

	*o = (struct object){v, ~v};
	return o;
}

static void threads(void **state)
{
	pthread_t th[READERS];

	(void)state;
	quiesce_init(&Q, READERS);
	atomic_store(&shared, object_new(1));
	for (uintptr_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&th[i], NULL, reader, (void *)i), 0);
	while (atomic_load(&begun) < READERS)
		sched_yield();
	for (uint64_t i = 0; i < 20000; i++) {
		struct object *old = atomic_exchange(&shared, object_new(i));

		if (i % 500 == 499) { /* a writer that cannot defer */
			quiesce_wait(&Q);
			object_free(old);
		} else {
			quiesce_defer(&Q, object_free, old);
		}
		quiesce_reap(&Q);
	}
	while (!atomic_load(&stop) && quiesce_reap(&Q))
		;
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(th[i], NULL);
	assert_int_equal(quiesce_reap(&Q), 0);
	object_free(atomic_load(&shared));
	quiesce_done(&Q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_for_all),
		cmocka_unit_test(marks),
		cmocka_unit_test(in_order),
		cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
