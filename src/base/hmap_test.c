/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

#include "base/list.h"

struct thing {
	struct hmap_node node;
	unsigned id;
};

enum { THINGS = 1000, HASHES = 300 };

static uint64_t hash_of(unsigned id)
{
	return (id % HASHES) * 0x9e3779b97f4a7c15ull;
}

static unsigned count(const struct hmap *m, unsigned id)
{
	unsigned n = 0;

	hmap_for_each (x, m, hash_of(id))
		n += container_of(x, struct thing, node)->id == id;
	return n;
}

/* Several have the same hash: each is found, once, until it is removed. */
static void finds_what_was_added(void **state)
{
	static struct thing t[THINGS];
	struct hmap m = {0};

	(void)state;
	assert_int_equal(count(&m, 3), 0);
	for (unsigned i = 0; i < THINGS; i++) {
		t[i].id = i;
		hmap_add(&m, &t[i].node, hash_of(i));
		assert_int_equal(count(&m, i / 2), 1);
	}
	assert_int_equal(m.n, THINGS);
	assert_true(m.mask + 1 >= THINGS); /* chains stay short */
	for (unsigned i = 0; i < THINGS; i += 2)
		hmap_remove(&m, &t[i].node);
	for (unsigned i = 0; i < THINGS; i++)
		assert_int_equal(count(&m, i), i % 2);
	assert_int_equal(m.n, THINGS / 2);
	hmap_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(finds_what_was_added)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
