/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: flows from text.  Whatever is taken comes out as text that means the same.
 *
 * Input: the text; its first byte says what of (even: a key, odd: actions).
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "datapath/action.h"
#include "datapath/format.h"
#include "net/testing.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void one_key(const char *s)
{
	struct flow_key k, m, k2, m2;
	struct text a = {0}, b = {0};

	if (parse_key(s, NULL, &k, &m, NULL) < 0)
		return;
	format_key(&a, &k, &m, NULL, FORMAT_MORE);
	text_clear(&a);
	format_key(&a, &k, &m, NULL, 0);
	if (parse_key(text_get(&a), NULL, &k2, &m2, NULL) < 0)
		fail_msg("%s became %s", s, text_get(&a));
	format_key(&b, &k2, &m2, NULL, 0);
	assert_string_equal(text_get(&a), text_get(&b));
	text_done(&a);
	text_done(&b);
}

static void one_list(const char *s)
{
	struct text a = {0};
	struct actions *x, *y;

	if (parse_actions(s, NULL, &x, NULL) < 0)
		return;
	format_actions(&a, x, NULL, 0);
	if (parse_actions(text_get(&a), NULL, &y, NULL) < 0)
		fail_msg("%s became %s", s, text_get(&a));
	if (!actions_eq(x, y))
		fail_msg("%s is not %s", s, text_get(&a));
	actions_put(x);
	actions_put(y);
	text_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s;

	if (!size)
		return 0;
	s = malloc(size); /* exactly: a read beyond is seen */
	memcpy(s, data + 1, size - 1);
	s[size - 1] = '\0';
	if (data[0] & 1)
		one_list(s);
	else
		one_key(s);
	free(s);
	return 0;
}

void fuzz_end(void)
{
}
