/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/vlog_ctl.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "log/vlog.h"

static void reply(struct unixctl_conn *c, void (*fn)(struct text *))
{
	struct text t = {0};

	fn(&t);
	unixctl_reply(c, text_get(&t));
	text_done(&t);
}

static void list(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	reply(c, vlog_list);
}

static void list_pattern(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	reply(c, vlog_list_patterns);
}

static void set(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct text why = {0};

	for (int i = 1; i < argc && !why.len; i++)
		vlog_set(argv[i], &why);
	if (why.len)
		unixctl_fail(c, text_get(&why));
	else
		unixctl_reply(c, "");
	text_done(&why);
}

static void reopen(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	int r = vlog_reopen();

	if (r == 0)
		unixctl_reply(c, "");
	else
		unixctl_fail(c, r == -ENOENT ? "Logging to file not configured" : strerror(-r));
}

static void close_log(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	vlog_close();
	unixctl_reply(c, "");
}

static void limit(struct unixctl_conn *c, int argc, const char *argv[], bool on)
{
	bool known = true;

	if (argc == 1)
		vlog_limit("ANY", on);
	for (int i = 1; i < argc && known; i++)
		known = vlog_limit(argv[i], on);
	if (known)
		unixctl_reply(c, "");
	else
		unixctl_fail(c, "unknown module");
}

static void enable(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	limit(c, argc, argv, true);
}

static void disable(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	limit(c, argc, argv, false);
}

void vlog_add_commands(struct unixctl_server *s)
{
	static const struct unixctl_command commands[] = {
		{"vlog/close", "", 0, 0, close_log},
		{"vlog/disable-rate-limit", "[module]...", 0, INT_MAX, disable},
		{"vlog/enable-rate-limit", "[module]...", 0, INT_MAX, enable},
		{"vlog/list", "", 0, 0, list},
		{"vlog/list-pattern", "", 0, 0, list_pattern},
		{"vlog/reopen", "", 0, 0, reopen},
		{"vlog/set", "{spec | PATTERN:destination:pattern}", 0, INT_MAX, set},
	};

	unixctl_add(s, commands, ARRAY_LEN(commands), NULL);
}
