/* SPDX-License-Identifier: Apache-2.0 */
/* The state's lines about what the database made: read, written again, and what is no such line. */
#include "ctl/formers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/lines.h"
#include "net/vx.h"

static int line(struct vx *vx, const char *text)
{
	char copy[300], *words[LINE_WORDS_MAX], why[200] = "";
	const char *bad = "";
	int n, r;

	snprintf(copy, sizeof(copy), "%s", text);
	n = line_split(copy, words, LINE_WORDS_MAX, &bad);
	r = formers_line(vx, n, words, why, sizeof(why));
	assert_int_equal(r < 0, *why != 0);
	return r;
}

static void written_as_read(void **state)
{
	static const char text[] = "by-ovsdb br1 index 3 side\n"
				   "by-ovsdb vxlan_sys_4789 index 1048577\n"
				   "by-ovsdb \"a#1\" index 1048578 side netns \"/a b/c\" netname 'a\"'\n"
				   "by-ovsdb del index 1048579\n";
	struct vx *vx = vx_new(&(struct vx_config){.n_workers = 1});
	struct text out = {0};
	char one[200];

	(void)state;
	for (const char *at = text; *at; at += strcspn(at, "\n") + 1) {
		snprintf(one, sizeof(one), "%.*s", (int)strcspn(at, "\n"), at);
		assert_int_equal(line(vx, one), 0);
	}
	formers_canon(vx, &out);
	assert_string_equal(text_get(&out), "by-ovsdb br1 index 3 side\n"
					    "by-ovsdb vxlan_sys_4789 index 1048577\n"
					    "by-ovsdb \"a#1\" index 1048578 side netns \"/a b/c\" "
					    "netname \"a\"'\"'\n"
					    "by-ovsdb del index 1048579\n");
	text_done(&out);
	/* One of the same name takes its place; none is in use twice. */
	assert_int_equal(line(vx, "by-ovsdb br1 index 9"), 0);
	assert_int_equal(former_find(vx, "br1")->ifindex, 9);
	assert_false(former_find(vx, "br1")->has_side);
	assert_int_equal(vx->next_ifindex, 1048580);
	assert_int_equal(line(vx, "by-ovsdb del br1"), 0);
	assert_null(former_find(vx, "br1"));
	assert_int_equal(line(vx, "by-ovsdb del br1"), 0);
	vx_free(vx);
}

static void no_such_line(void **state)
{
	static const char *const bad[] = {
		"by-ovsdb", "by-ovsdb br1", "by-ovsdb br1 index", "by-ovsdb br1 index 0",
		"by-ovsdb br1 index x", "by-ovsdb br1 index 4294967295", "by-ovsdb br1 indices 3",
		"by-ovsdb br1 index 3 what", "by-ovsdb br1 index 3 netns",
		"by-ovsdb br1 index 3 side netname",
		"by-ovsdb sixteen-letters- index 3", "by-ovsdb br1 index 3 netname sixteen-letters-",
		("by-ovsdb br1 index 3 netns "
		 "1234567890123456789012345678901234567890123456789012345678901234"),
	};
	struct vx *vx = vx_new(&(struct vx_config){.n_workers = 1});

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(line(vx, bad[i]), -1);
		assert_true(list_is_empty(&vx->formers));
	}
	vx_free(vx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_as_read),
		cmocka_unit_test(no_such_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
