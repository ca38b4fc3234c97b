/* SPDX-License-Identifier: Apache-2.0 */
/* Levels, patterns, the file, what is left out of too many lines. */
#include "log/vlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "log/pattern.h"

static void patterns(void **state)
{
	static const struct {
		const char *pattern, *line;
	} rows[] = {
		{"%A: %m", "vxd: it is"},
		{"ovs|%05N|%c%T|%p|%m", "ovs|00042|bridge|WARN|it is"},
		{"%D{%Y-%m-%dT%H:%M:%S.###Z}|%m", "2026-11-24T00:00:01.207Z|it is"},
		{"%D{%H}%D{%M:##}", "0000:20"},
		{"%6c|%-8c|%08c", "bridge|bridge  |00bridge"},
		{"%1000m|", "                                                           it is|"},
		{"%n%%%t%T", "\n%main"},
		{"%D{%H", "2026-11-24 00:00:01.207{"}, /* not closed */
		{"%", ""},
		{"%5", ""},
		{"%q%m", "it is"},
		{"", ""},
	};
	struct pattern_values v = {.program = "vxd", .module = "bridge", .message = "it is",
				   .level = VLL_WARN, .serial = 42, .ms = 1795478401207};
	struct text t = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_clear(&t);
		pattern_format(&t, rows[i].pattern, &v);
		if (strcmp(text_get(&t), rows[i].line))
			fail_msg("%s: \"%s\"", rows[i].pattern, text_get(&t));
	}
	text_done(&t);
}

static void specs(void **state)
{
	static const struct {
		const char *spec, *why, *bridge; /* its line of vlog/list */
	} rows[] = {
		{"ANY:ANY:off", "", "bridge             OFF        OFF        OFF\n"},
		{"bridge:file:dbg", "", "bridge             OFF        OFF        DBG\n"},
		{"FILE,Err", "", "bridge             OFF        OFF        ERR\n"},
		{"syslog warn", "", "bridge             OFF       WARN        ERR\n"},
		{"vlog", "", "bridge             OFF       WARN        ERR\n"},
		{"bridge:foo", "no destination, level, or module \"foo\"",
		 "bridge             OFF       WARN        ERR\n"},
		{"PATTERN", "missing destination", NULL},
		{"PATTERN:", "missing destination", NULL},
		{"PATTERN:nowhere:%m", "unknown destination \"nowhere\"", NULL},
		{"PATTERN:file", "missing pattern", NULL},
		{NULL, "", "bridge             DBG        DBG        DBG\n"},
	};

	(void)state;
	vlog_init("vxd", true);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text why = {0}, list = {0};

		assert_int_equal(vlog_set(rows[i].spec, &why), !*rows[i].why);
		assert_string_equal(text_get(&why), rows[i].why);
		vlog_list(&list);
		if (rows[i].bridge && !strstr(text_get(&list), rows[i].bridge))
			fail_msg("%s: %s", rows[i].spec, text_get(&list));
		text_done(&why);
		text_done(&list);
	}
	assert_false(vlog_limit("nobody", true));
	assert_true(vlog_limit("bridge", true));
}

static char path[] = "/tmp/vlog_test.XXXXXX";

static const char *written(void)
{
	static char text[16384];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = 0;
	if (f)
		fclose(f);
	return text;
}

static void file(void **state)
{
	struct text why = {0};
	const char *s;
	int fd = mkstemp(path), lines = 0;

	(void)state;
	close(fd);
	vlog_init("vxd", true);
	vlog_close_console();
	assert_int_equal(vlog_reopen(), -2);
	assert_true(vlog_set("PATTERN:file:%c %p %m", &why));
	assert_int_equal(vlog_set_file(path), 0);
	vlog(VLM_BRIDGE, VLL_WARN, "of\tmany\nlines");
	vlog(VLM_BRIDGE, VLL_DBG, "not wanted");
	s = strchr(written(), '\n') + 1;
	assert_string_equal(s, "bridge WARN of many lines\n");
	assert_int_equal(truncate(path, 0), 0);
	for (int i = 0; i < 100; i++)
		vlog_limited(VLM_BRIDGE, VLL_INFO, "again");
	for (s = written(); (s = strchr(s, '\n')); s++)
		lines++;
	assert_in_range(lines, 60, 62); /* a busy machine: some seconds may pass */
	vlog_limit("bridge", false);
	vlog_limited(VLM_BRIDGE, VLL_INFO, "last");
	assert_non_null(strstr(written(), "bridge INFO Dropped "));
	assert_non_null(strstr(written(), "bridge INFO last\n"));
	vlog_close();
	unlink(path);
	assert_int_equal(vlog_set_file("/nowhere/at/all"), -2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns),
		cmocka_unit_test(specs),
		cmocka_unit_test(file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
