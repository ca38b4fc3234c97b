/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void grows(void **state)
{
	struct text t = {0};
	char *model = malloc(200000), piece[600];
	size_t len = 0;

	(void)state;
	assert_string_equal(text_get(&t), "");
	srand(1);
	for (int i = 0; i < 500; i++) {
		size_t n = (size_t)rand() % sizeof(piece);

		if (i == 100)
			n = 127; /* the edges of the first sizes */
		memset(piece, 'a' + i % 26, sizeof(piece));
		if (n)
			piece[n - 1] = 0;
		if (i & 1) {
			text_append(&t, piece, n ? n - 1 : 0);
		} else {
			text_printf(&t, "%s", n ? piece : "");
		}
		if (n > 1)
			memset(model + len, 'a' + i % 26, n - 1);
		len += n ? n - 1 : 0;
		model[len] = 0;
		assert_int_equal(t.len, len);
		assert_int_equal(strlen(text_get(&t)), len);
	}
	assert_string_equal(text_get(&t), model);
	text_clear(&t);
	assert_string_equal(text_get(&t), "");
	text_printf(&t, "%d-%s", 5, "x");
	assert_string_equal(text_get(&t), "5-x");
	text_done(&t);
	text_append(&t, "again", 5);
	assert_string_equal(text_get(&t), "again");
	text_done(&t);
	/* Exactly what fits, and one more. */
	for (size_t n = 120; n < 140; n++) {
		text_append(&t, model, n);
		assert_int_equal(strlen(text_get(&t)), n);
		text_printf(&t, "%c", 'y');
		assert_int_equal(strlen(text_get(&t)), n + 1);
		text_done(&t);
	}
	free(model);
}

static void numbers(void **state)
{
	static const struct {
		const char *s;
		unsigned long long max;
		int rc;
		unsigned long long v;
	} rows[] = {
		{"0", 10, 0, 0},
		{"10", 10, 0, 10},
		{"11", 10, -ERANGE, 0},
		{"0x1F", 100, 0, 31},
		{"010", 100, 0, 8},
		{"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
		{"18446744073709551616", UINT64_MAX, -ERANGE, 0},
		{"99999999999999999999999", 10, -ERANGE, 0},
		{"", 10, -EINVAL, 0},
		{"-1", UINT64_MAX, -EINVAL, 0},
		{"+1", 10, -EINVAL, 0},
		{" 1", 10, -EINVAL, 0},
		{"1 ", 10, -EINVAL, 0},
		{"1x", 10, -EINVAL, 0},
		{"0x", 10, -EINVAL, 0},
		{"08", 10, -EINVAL, 0},
		{"x", 10, -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned long long v = 77;
		int rc = text_to_u64(rows[i].s, rows[i].max, &v);

		if (rc != rows[i].rc || v != (rc ? 77 : rows[i].v))
			fail_msg("\"%s\": %d %llu", rows[i].s, rc, v);
	}
}

static void mends_utf8(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"", ""},
		{"plain", "plain"},
		{"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"\x80", "?"},
		{"a\xff\xfe", "a??"},
		{"\xc3", "?"},
		{"\xc3z", "?z"},
		{"\xe2\x82", "??"},
		{"\xe2\x82z", "??z"},
		{"\xc0\xaf", "??"},	     /* overlong */
		{"\xe0\x9f\xbf", "???"},     /* overlong */
		{"\xed\xa0\x80", "???"},     /* surrogate */
		{"\xed\x9f\xbf", "\xed\x9f\xbf"},
		{"\xf0\x8f\xbf\xbf", "????"}, /* overlong */
		{"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
		{"\xf4\x90\x80\x80", "????"}, /* above 0x10ffff */
		{"\xf5\x80\x80\x80", "????"},
		{"\xc2\xc3\xa4", "?\xc3\xa4"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char s[32];
		bool mended;

		strcpy(s, rows[i].in);
		mended = text_mend_utf8(s, strlen(s));
		if (strcmp(s, rows[i].out) || mended != !!strcmp(rows[i].in, rows[i].out))
			fail_msg("row %zu: \"%s\"", i, s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(grows), cmocka_unit_test(numbers),
					   cmocka_unit_test(mends_utf8)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
