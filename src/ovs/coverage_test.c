/* SPDX-License-Identifier: Apache-2.0 */
#include "ovs/coverage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void expect_line(const struct coverage *c, const char *want)
{
	struct text t = {0};

	coverage_show(c, &t);
	if (!strstr(text_get(&t), want))
		fail_msg("no \"%s\" in: %s", want, text_get(&t));
	text_done(&t);
}

static struct coverage *two_events(void)
{
	struct coverage *c = coverage_new(2);

	assert_non_null(c);
	coverage_name(c, 0, "drop_", "ttl");
	coverage_name(c, 1, "", "missed");
	return c;
}

/* 10 events in each of 30 spans: 2 a second; over the hour 300 events. */
static void rates(void **state)
{
	struct coverage *c = two_events();
	uint64_t total;

	(void)state;
	expect_line(c, ":\n2 events never hit\n");
	for (int i = 1; i <= 30; i++) {
		coverage_take(c, 0, (uint64_t)i * 10);
		coverage_step(c);
	}
	expect_line(c, "drop_ttl                   2.0/sec     2.000/sec        0.0833/sec   "
		       "total: 300\n1 events never hit\n");
	assert_true(coverage_read(c, "drop_ttl", &total));
	assert_int_equal(total, 300);
	assert_true(coverage_read(c, "missed", &total));
	assert_int_equal(total, 0);
	assert_false(coverage_read(c, "drop_", &total));
	/* Six spans without: half a minute is left of the minute. */
	for (int i = 0; i < 6; i++)
		coverage_step(c);
	expect_line(c, "drop_ttl                   0.0/sec     1.000/sec        0.0833/sec   "
		       "total: 300\n");
	/* An hour later nothing is left. */
	for (int i = 0; i < 720; i++)
		coverage_step(c);
	expect_line(c, "drop_ttl                   0.0/sec     0.000/sec        0.0000/sec   "
		       "total: 300\n");
	coverage_free(c);
}

static void counter_begins_anew(void **state)
{
	struct coverage *c = two_events();
	uint64_t total;

	(void)state;
	coverage_take(c, 1, 7);
	coverage_take(c, 1, 0);
	coverage_take(c, 1, 3);
	assert_true(coverage_read(c, "missed", &total));
	assert_int_equal(total, 10);
	coverage_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),
		cmocka_unit_test(counter_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
