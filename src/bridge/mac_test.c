/* SPDX-License-Identifier: Apache-2.0 */
/* The MAC table under two learning workers and a control that ages, flushes and lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bridge/mac_priv.h"
#include "bridge/port.h"

enum { WORKERS = 2, ROUNDS = 60, MACS = 3000 };

static struct vx *vx;
static struct dev bridge;
static struct mac_table table;
static struct bridge_port port[WORKERS];
static _Atomic int running;

static struct mac station(uint32_t i)
{
	return (struct mac){{2, 0, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
}

/* Half of the addresses are this worker's alone, half roam between both. */
static void *learner(void *arg)
{
	uint32_t id = (uint32_t)(uintptr_t)arg;
	uint64_t now = NS_PER_S;

	for (uint32_t r = 0; r < ROUNDS; r++) {
		for (uint32_t i = 0; i < MACS; i++) {
			struct mac m = station(i % 2 ? i : i + (id + 1) * 10000);
			struct mac_entry *e = mac_lookup(&table, mac_hash(&table, &m), &m);

			if (i % 64 == 0)
				quiesce_pass(&vx->quiesce, id);
			e = mac_learn(&table, &m, &port[id].macs, now, e);
			assert_true(!e || mac_eq(&e->mac, &m));
			now += 50000;
		}
	}
	quiesce_idle(&vx->quiesce, id);
	running--;
	return NULL;
}

static int count(void *ctx, const struct fdb_view *e)
{
	++*(uint32_t *)ctx;
	return 0;
}

static void together(void **state)
{
	pthread_t t[WORKERS];
	uint64_t now = NS_PER_S;
	uint32_t n = 0;

	table.limit = 2000; /* always full */
	running = WORKERS;
	for (uintptr_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, learner, (void *)i), 0);
	while (running) {
		mac_age(&table, now += NS_PER_S / 10, 2000);
		mac_walk(&table, NULL, true, count, &n);
		if (n % 7 == 0)
			mac_flush(&table, &port[0].macs, false, NULL);
		quiesce_reap(&vx->quiesce);
	}
	for (int i = 0; i < WORKERS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(table.n_learned, port[0].macs.list.n_learned + port[1].macs.list.n_learned);
	assert_in_range(table.n_learned, 0, 2000);
	n = 0;
	mac_walk(&table, NULL, true, count, &n);
	assert_int_equal(n, table.n);
	for (int i = 0; i < WORKERS; i++)
		mac_forget_port(&table, &port[i].macs);
	assert_int_equal(table.n, 0);
	for (int i = 0; i < 2; i++) /* a full limbo and a full table are two slices */
		mac_age(&table, now, 2000);
	assert_int_equal(table.n_limbo, 0);
}

static void learn(uint32_t at, uint32_t i)
{
	struct mac m = station(i);

	mac_vlan_learn(&table, &m, 0, &port[at].macs, NS_PER_S);
}

/* As Open vSwitch has it: of two that have as many, who had them first. */
static void who_has_most(void **state)
{
	struct bridge_port more[5] = {0};
	struct mac m = station(1);

	mac_usage_keep(&table);
	table.limit = 4;
	learn(1, 1);
	learn(1, 2);
	learn(0, 3);
	learn(0, 4);
	assert_ptr_equal(mac_usage_most(&table), &port[1].macs.list);
	learn(0, 5);
	assert_null(mac_vlan_lookup(&table, &m, 0));
	assert_ptr_equal(mac_usage_most(&table), &port[0].macs.list);

	table.limit = 40;
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		mac_list_add(&table, &more[i].macs.list);
	for (uint32_t i = 0, n = 1; i < 4000; i++) {
		struct mac_port *p;
		uint32_t most = 0;

		n = n * 1103515245 + 12345;
		p = n >> 16 & 1 ? &port[n >> 17 & 1].macs : &more[(n >> 17) % 5].macs;
		m = station(n >> 24);
		mac_vlan_learn(&table, &m, 0, p, NS_PER_S);
		list_for_each (l, &table.lists, struct mac_list, node)
			most = MAX(most, l->n_learned);
		assert_int_equal(mac_usage_most(&table)->n_learned, most);
	}
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		mac_forget_port(&table, &more[i].macs);
	for (int i = 0; i < WORKERS; i++)
		mac_forget_port(&table, &port[i].macs);
	assert_int_equal(table.usage.n, 0);
	assert_null(mac_usage_most(&table));
}

static int setup(void **state)
{
	struct vx_config cfg = {.n_workers = WORKERS, .key = {5, 6}, .now = NS_PER_S};

	vx = vx_new(&cfg);
	bridge.vx = vx;
	assert_int_equal(mac_table_init(&table, vx, &bridge), 0);
	for (int i = 0; i < WORKERS; i++)
		mac_list_add(&table, &port[i].macs.list);
	return 0;
}

static int teardown(void **state)
{
	mac_table_done(&table);
	vx_free(vx);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(together, setup, teardown),
		cmocka_unit_test_setup_teardown(who_has_most, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
