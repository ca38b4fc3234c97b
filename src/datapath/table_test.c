/* SPDX-License-Identifier: Apache-2.0 */
/* The flow table: masks, cache, growth, limit, slots that are used again. */
#include <errno.h>
#include <stdlib.h>

#include "datapath/action.h"
#include "datapath/table.h"
#include "net/testing.h"

static struct t_net *T;
static struct table X;
static struct flow_cache *C;

static int setup(void **state)
{
	T = t_new_workers(2);
	assert_int_equal(table_init(&X, T->vx), 0);
	C = aligned_alloc(CACHE_LINE, sizeof(*C));
	memset(C, 0, sizeof(*C));
	(void)state;
	return 0;
}

static int teardown(void **state)
{
	free(C);
	table_done(&X);
	t_end(T);
	(void)state;
	return 0;
}

static struct actions *out(uint32_t port)
{
	struct act_buf b = {0};
	int err;

	act_output(&b, port);
	return act_buf_done(&b, &err);
}

static struct flow_key key(uint32_t port, uint16_t sport, uint16_t dport)
{
	struct flow_key k = {.in_port = port,
			     .eth_type = be16_put(0x0800),
			     .tp_src = be16_put(sport),
			     .tp_dst = be16_put(dport)};

	return k;
}

static const struct flow_key EXACT = {.tp_src = {0xffff}, .tp_dst = {0xffff}};
static const struct flow_key BY_DST = {.tp_dst = {0xffff}};

static int put(const struct flow_key *k, const struct flow_key *m, uint32_t port,
	       struct flow_source *src, struct flow_id *id)
{
	return table_put(&X, k, m, out(port), src, TABLE_CREATE, id);
}

/* The port that the flow of k outputs to; 0: no flow. */
static uint32_t look(const struct flow_key *k, uint32_t *tried)
{
	uint32_t n;
	struct flow *f =
		table_lookup(&X, C, k, key_hash(T->vx->key, k, key_words(k)), tried ? tried : &n);

	return f ? act_at(atomic_load(&f->actions), 0)->arg : 0;
}

static void count(uint32_t flows, uint32_t masks)
{
	uint32_t f, m;

	table_count(&X, &f, &m);
	assert_int_equal(f, flows);
	assert_int_equal(m, masks);
}

/* No worker is in a turn, so grace periods pass at once; here worker 1 begins one. */
static void begin_turn(void)
{
	quiesce_pass(&T->vx->quiesce, 1);
}

static void end_turn(void)
{
	quiesce_idle(&T->vx->quiesce, 1);
}

static void test_masks(void **state)
{
	struct flow_key a = key(1, 10, 20), b = key(2, 10, 20), c = key(1, 10, 21);
	struct flow_id id, id2;
	uint32_t tried;

	assert_int_equal(look(&a, NULL), 0);
	assert_int_equal(put(&a, &EXACT, 5, NULL, &id), 0);
	assert_int_equal(put(&b, &BY_DST, 6, NULL, &id2), 0);
	count(2, 2);
	assert_int_equal(put(&a, &EXACT, 7, NULL, NULL), -EEXIST);
	assert_int_equal(table_put(&X, &c, &EXACT, out(1), NULL, TABLE_MODIFY, NULL), -ENOENT);
	assert_int_equal(look(&a, &tried), 5);
	assert_int_equal(tried, 1);
	assert_int_equal(look(&a, &tried), 5);
	assert_int_equal(tried, 0); /* by the cache */
	assert_int_equal(look(&b, &tried), 6);
	assert_int_equal(tried, 2);
	b.tp_src = be16_put(77); /* the mask does not look there */
	assert_int_equal(look(&b, NULL), 6);
	assert_int_equal(look(&c, &tried), 0);
	assert_int_equal(tried, 2);
	assert_int_equal(table_put(&X, &a, &EXACT, out(9), NULL, TABLE_MODIFY, NULL), 0);
	assert_int_equal(look(&a, NULL), 9);
	assert_int_equal(table_del(&X, id, NULL), 0);
	assert_int_equal(table_del(&X, id, NULL), -ENOENT);
	count(1, 1);
	assert_int_equal(look(&a, NULL), 0);
	assert_int_equal(look(&b, NULL), 6);
	table_flush(&X);
	count(0, 0);
	assert_int_equal(look(&b, NULL), 0);
	(void)state;
}

/* A slot is not used again while a worker may hold its flow, and a cache that names it does not
 * take the new flow for the old. */
static void test_slots(void **state)
{
	struct flow_key a = key(1, 10, 20), b = key(1, 11, 20);
	struct flow_id id, id2, id3;

	assert_int_equal(put(&a, &EXACT, 5, NULL, &id), 0);
	assert_int_equal(look(&a, NULL), 5);
	begin_turn();
	assert_int_equal(table_del(&X, id, NULL), 0);
	assert_int_equal(put(&b, &EXACT, 6, NULL, &id2), 0);
	assert_int_not_equal(id2.index, id.index);
	end_turn();
	assert_int_equal(table_del(&X, id2, NULL), 0);
	assert_int_equal(put(&b, &EXACT, 7, NULL, &id3), 0);
	assert_int_equal(id3.index, id.index);
	assert_int_not_equal(id3.gen, id.gen);
	assert_int_equal(look(&a, NULL), 0);
	assert_int_equal(look(&b, NULL), 7);
	assert_int_equal(table_get(&X, id, &(struct flow_view){0}), -ENOENT);
	(void)state;
}

static void test_growth(void **state)
{
	enum { N = 20000 };
	uint32_t cursor = 0, n = 0;
	struct flow_view v;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < N; i++) {
		struct flow_key k = key(i + 1, (uint16_t)i, 1),
				half = key(i / 2 + 1, (uint16_t)(i / 2), 1);

		assert_int_equal(put(&k, i % 3 ? &EXACT : &BY_DST, i + 1, NULL, NULL), 0);
		/* While the index grows everything is found. */
		assert_int_equal(look(&k, NULL), i + 1);
		assert_int_equal(look(&half, NULL), i / 2 + 1);
		if (i % 1000 == 0)
			vx_control_turn(T->vx, T->now);
	}
	count(N, 2);
	while (table_next(&X, &cursor, &v)) {
		n++;
		sum += act_at(v.actions, 0)->arg;
		assert_int_equal(v.key.in_port, act_at(v.actions, 0)->arg);
		actions_put(v.actions);
	}
	assert_int_equal(n, N);
	assert_int_equal(sum, (uint64_t)N * (N + 1) / 2);
	for (uint32_t i = 0; i < N; i += 2) {
		struct flow_key k = key(i + 1, (uint16_t)i, 1);

		assert_int_equal(table_find(&X, &k, i % 3 ? &EXACT : &BY_DST, &v), 0);
		actions_put(v.actions);
		assert_int_equal(table_del(&X, v.id, NULL), 0);
	}
	for (uint32_t i = 0; i < N; i++) {
		struct flow_key k = key(i + 1, (uint16_t)i, 1);

		assert_int_equal(look(&k, NULL), i % 2 ? i + 1 : 0);
	}
	count(N / 2, 2);
	(void)state;
}

/* At the limit the source that has most loses its oldest. */
static void test_limit(void **state)
{
	struct flow_source a, b;
	struct flow_key k;

	flow_source_init(&a);
	flow_source_init(&b);
	table_set_limit(&X, 10);
	for (uint16_t i = 0; i < 9; i++) {
		k = key(1, i, 1);
		assert_int_equal(put(&k, &EXACT, 5, &a, NULL), 0);
	}
	for (uint16_t i = 0; i < 4; i++) {
		k = key(2, i, 1);
		assert_int_equal(put(&k, &EXACT, 6, &b, NULL), 0);
	}
	count(10, 1);
	assert_int_equal(a.n, 6);
	assert_int_equal(b.n, 4);
	for (uint16_t i = 0; i < 9; i++) {
		k = key(1, i, 1);
		assert_int_equal(look(&k, NULL), i < 3 ? 0 : 5);
	}
	table_set_limit(&X, 5);
	count(5, 1);
	assert_in_range(a.n, 2, 3);
	table_flush_source(&X, &a);
	assert_int_equal(a.n, 0);
	table_flush(&X);
	count(0, 0);
	(void)state;
}

/* Deleted flows that no worker lets go are bounded, too. */
static void test_limbo(void **state)
{
	struct flow_key k;
	int r = 0;
	uint32_t n = 0;

	table_set_limit(&X, 1);
	begin_turn();
	for (; r == 0 && n < 10000; n++) {
		k = key(1, (uint16_t)n, 1);
		r = put(&k, &EXACT, 5, NULL, NULL);
	}
	assert_int_equal(r, -ENOSPC);
	assert_in_range(n, 4096, 4096 + 2 * FLOW_CHUNK);
	end_turn();
	assert_int_equal(put(&k, &EXACT, 5, NULL, NULL), 0);
	(void)state;
}

static void test_stats(void **state)
{
	struct flow_key k = key(1, 2, 3);
	struct flow_id id;
	struct flow_view v, again;
	struct flow *f;
	uint32_t tried;

	assert_int_equal(put(&k, &EXACT, 5, NULL, &id), 0);
	f = table_lookup(&X, C, &k, key_hash(T->vx->key, &k, key_words(&k)), &tried);
	*flow_stats(f, T->vx->workers[0]) = (struct flow_stats){3, 300, 1000, 2};
	*flow_stats(f, T->vx->workers[1]) = (struct flow_stats){4, 50, 2000, 16};
	assert_int_equal(table_get(&X, id, &v), 0);
	assert_int_equal(v.stats.packets, 7);
	assert_int_equal(v.stats.bytes, 350);
	assert_int_equal(v.stats.used, 2000);
	assert_int_equal(v.stats.tcp_flags, 18);
	assert_memory_equal(&v.key, &k, sizeof(k));
	assert_int_equal(table_del(&X, id, &again), 0);
	assert_int_equal(again.stats.packets, 7);
	assert_int_equal(again.ufid[0], v.ufid[0]);
	actions_put(v.actions);
	actions_put(again.actions);
	assert_int_equal(put(&k, &EXACT, 5, NULL, &id), 0);
	assert_int_equal(table_get(&X, id, &v), 0);
	assert_int_equal(v.stats.packets, 0); /* a new one */
	assert_int_equal(v.ufid[1], again.ufid[1]);
	actions_put(v.actions);
	(void)state;
}

/* --- beside each other --------------------------------------------------------------------------
 */

enum { THREAD_KEYS = 512, THREAD_FLOWS = 64 };

struct reader {
	pthread_t thread;
	uint32_t id;
	_Atomic bool *stop;
	_Atomic uint64_t hits;
	uint64_t wrong;
};

/* A flow of key n outputs to n: whatever slot it is in, and whoever was there before. */
static void *read_on(void *arg)
{
	struct reader *r = arg;
	struct flow_cache *c = aligned_alloc(CACHE_LINE, sizeof(*c));
	uint64_t random = r->id;

	memset(c, 0, sizeof(*c));
	while (!atomic_load(r->stop)) {
		quiesce_pass(&T->vx->quiesce, r->id);
		for (int i = 0; i < 32; i++) {
			uint32_t n = 1 + random_next(&random) % THREAD_KEYS, tried;
			struct flow_key k = key(n, (uint16_t)n, 1);
			struct flow *f = table_lookup(
				&X, c, &k, key_hash(T->vx->key, &k, key_words(&k)), &tried);

			if (!f)
				continue;
			atomic_fetch_add_explicit(&r->hits, 1, memory_order_relaxed);
			flow_stats(f, T->vx->workers[r->id])->packets++;
			r->wrong +=
				act_at(atomic_load_explicit(&f->actions, memory_order_acquire), 0)
					->arg != n;
		}
	}
	quiesce_idle(&T->vx->quiesce, r->id);
	free(c);
	return NULL;
}

static void test_threads(void **state)
{
	_Atomic bool stop = false;
	struct reader r[2] = {{.id = 0, .stop = &stop}, {.id = 1, .stop = &stop}};
	uint64_t random = 99;

	table_set_limit(&X, THREAD_FLOWS);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&r[i].thread, NULL, read_on, &r[i]), 0);
	for (uint32_t i = 0; i < 20000 || !atomic_load(&r[0].hits) || !atomic_load(&r[1].hits);
	     i++) {
		uint32_t n = 1 + random_next(&random) % THREAD_KEYS;
		struct flow_key k = key(n, (uint16_t)n, 1);
		int e = table_put(&X, &k, n % 3 ? &EXACT : &BY_DST, out(n), NULL,
				  TABLE_CREATE | TABLE_MODIFY, NULL);

		assert_true(e == 0 || e == -ENOSPC);
		quiesce_reap(&T->vx->quiesce);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++) {
		pthread_join(r[i].thread, NULL);
		assert_int_equal(r[i].wrong, 0);
	}
	(void)state;
}

#define U(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		U(test_masks), U(test_slots), U(test_growth),  U(test_limit),
		U(test_limbo), U(test_stats), U(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
