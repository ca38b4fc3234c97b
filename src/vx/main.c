/* SPDX-License-Identifier: Apache-2.0 */
/* vx: the command.  Options, then an object and what to do with it. */
#include <errno.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "ctl/lines.h"
#include "ctl/words.h"
#include "rpc/unixctl.h"
#include "vx/exec.h"
#include "vx/explain.h"
#include "vx/help.h"
#include "vx/vx.h"

int cli_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 255;
}

static bool json_pretty; /* -p: for people */

void print_json(json_t *j)
{
	char *s = json_dumps(j, json_pretty ? JSON_INDENT(4) : JSON_COMPACT);

	puts(s ? s : "[]");
	free(s);
	json_decref(j);
}

bool cli_connect(struct vx_cli *c)
{
	if (c->connected)
		return true;
	c->connected = nl_open(&c->nl, c->rundir) == 0;
	if (!c->connected)
		fprintf(stderr, "%s\n", c->nl.error);
	return c->connected;
}

char *cli_call(struct vx_cli *c, int argc, const char *argv[])
{
	char path[RUNDIR_MAX + 16], *text = NULL;
	int r;

	snprintf(path, sizeof(path), "%s/vxd.ctl", c->rundir);
	r = unixctl_call(path, argc, argv, &text);
	if (r == 0)
		return text;
	if (r == -ENOENT || r == -ECONNREFUSED)
		fprintf(stderr, "vxd is not running (nobody listens on %s): start it with \"vxd\"\n",
			path);
	else if (r < 0)
		fprintf(stderr, "cannot talk to vxd on %s: %s\n", path, strerror(-r));
	else
		fprintf(stderr, "%s\n", text ? text : "vxd refused");
	free(text);
	return NULL;
}

int cmd_unixctl(struct vx_cli *c, int argc, char **argv)
{
	char *text = cli_call(c, argc, (const char **)argv);

	if (!text)
		return 1;
	fputs(text, stdout);
	free(text);
	return 0;
}

/* --- commands that change something ------------------------------------------------------------- */

static uint32_t index_of(void *ctx, const char *name)
{
	struct vx_cli *c = ctx;

	return cli_connect(c) ? nl_ifindex(&c->nl, name) : 0;
}

static int change(struct vx_cli *c, int argc, char **argv, char *why, size_t size)
{
	struct words *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return 1;
	x->ifindex = index_of;
	x->ctx = c;
	r = words_parse(x, argc, argv);
	if (*x->note)
		fprintf(stderr, "%s\n", x->note);
	if (r < 0) {
		snprintf(why, size, "%s", x->error);
		r = x->exit_code;
	} else if (!cli_connect(c)) {
		*why = 0;
		r = 1;
	} else if (nl_talk(&c->nl, x->nlh, NULL, NULL) < 0) {
		snprintf(why, size, "%s", c->nl.error);
		r = words_match(argv[0], "fdb") ? 255 : NL_EXIT;
	}
	free(x);
	return r;
}

static int cmd_change(struct vx_cli *c, int argc, char **argv)
{
	char why[512] = "";
	int r = change(c, argc, argv, why, sizeof(why));

	if (r && *why)
		fprintf(stderr, "%s\n", why);
	return r;
}

/* --- vx -b FILE ------------------------------------------------------------------------------------ */

struct batch_ctx {
	struct vx_cli *c;
	int exit_code;
};

static int batch_line(void *ctx, int argc, char **argv, char *why, size_t size)
{
	struct batch_ctx *b = ctx;

	b->exit_code = change(b->c, argc, argv, why, size);
	return b->exit_code ? -1 : 0;
}

static int cmd_batch(struct vx_cli *c, const char *path)
{
	struct batch_ctx b = {.c = c};
	struct lines_result res;
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;

	if (!f)
		return cli_error("Cannot open file \"%s\" for reading: %s", path, strerror(errno)), 1;
	if (lines_run(f, batch_line, &b, &res) == 0)
		return 0;
	fprintf(stderr, "%s\nCommand failed %s:%u (the %u command%s before it %s applied)\n", res.why,
		path, res.line, res.done, res.done == 1 ? "" : "s", res.done == 1 ? "was" : "were");
	return b.exit_code ? b.exit_code : 1;
}

/* --- vx exec ---------------------------------------------------------------------------------------- */

/* The preloaded object: beside vx in a build tree, or where it was installed. */
static const char *find_preload(char *buf, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", buf, size - 32);
	char *slash;

	if (n > 0) {
		buf[n] = 0;
		slash = strrchr(buf, '/');
		if (slash) {
			snprintf(slash, 32, "/libvx-exec.so");
			if (access(buf, R_OK) == 0)
				return buf;
		}
	}
	return VX_LIBDIR "/libvx-exec.so";
}

static int cmd_exec(struct vx_cli *c, int argc, char **argv)
{
	char nl[RUNDIR_MAX + 16], abs[PATH_MAX], preload[PATH_MAX];

	if (argc < 2)
		return cli_error("vx exec needs a command: vx exec ip link show");
	snprintf(nl, sizeof(nl), "%s/vxd.nl", c->rundir);
	if (*nl != '/' && realpath(nl, abs))
		return vx_exec(abs, find_preload(preload, sizeof(preload)), argv + 1);
	return vx_exec(nl, find_preload(preload, sizeof(preload)), argv + 1);
}

/* --- dispatch ---------------------------------------------------------------------------------------- */

static int cmd_link(struct vx_cli *c, int argc, char **argv)
{
	if (argc < 2 || words_match(argv[1], "show") || !strcmp(argv[1], "list") ||
	    !strcmp(argv[1], "lst"))
		return cmd_link_show(c, argc - 1, argv + 1);
	if (!strcmp(argv[1], "help"))
		return help_link(argc > 2 ? argv[2] : NULL);
	if (words_is_change(argc, argv))
		return cmd_change(c, argc, argv);
	return cli_error("Command \"%s\" is unknown, try \"vx link help\".", argv[1]);
}

static int cmd_fdb(struct vx_cli *c, int argc, char **argv)
{
	if (argc < 2 || words_match(argv[1], "show") || !strcmp(argv[1], "list"))
		return cmd_fdb_show(c, argc - 1, argv + 1);
	if (!strcmp(argv[1], "get"))
		return cmd_fdb_get(c, argc - 1, argv + 1);
	if (!strcmp(argv[1], "help"))
		return help_object("fdb");
	if (words_is_change(argc, argv))
		return cmd_change(c, argc, argv);
	return cli_error("Command \"%s\" is unknown, try \"vx fdb help\".", argv[1]);
}

static int cmd_inet(struct vx_cli *c, int argc, char **argv)
{
	return words_is_change(argc, argv) ? cmd_change(c, argc, argv)
					   : cmd_inet_show(c, argc, argv);
}

static int cmd_help(struct vx_cli *c, int argc, char **argv)
{
	return argc > 1 ? help_object(argv[1]) : help_all(stdout);
}

static const struct {
	const char *name;
	int (*fn)(struct vx_cli *c, int argc, char **argv);
} objects[] = {
	{"link", cmd_link}, {"fdb", cmd_fdb}, {"address", cmd_inet}, {"route", cmd_inet},
	{"neighbour", cmd_inet}, {"neighbor", cmd_inet}, {"drops", cmd_drops}, {"exec", cmd_exec},
	{"explain", cmd_explain},
	{"monitor", cmd_monitor}, {"nstat", cmd_unixctl}, {"save", cmd_unixctl}, {"stop", cmd_unixctl},
	{"account", cmd_unixctl}, {"check", cmd_check},
	{"ping", cmd_ping}, {"udp", cmd_udp}, {"rule", cmd_unixctl}, {"help", cmd_help},
};

static int dispatch(struct vx_cli *c, int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "help") && strcmp(argv[0], "link"))
		return help_object(argv[0]);
	for (size_t i = 0; i < ARRAY_LEN(objects); i++)
		if (words_match(argv[0], objects[i].name))
			return objects[i].fn(c, argc, argv);
	return cli_error("Object \"%s\" is unknown, try \"vx help\".", argv[0]);
}

/* Letters of iproute2's options: -d, -s, -j, their long forms and beginnings. */
static bool simple_option(struct vx_cli *c, const char *o)
{
	if (*o == '-')
		o++;
	if (words_match(o, "details")) {
		c->all_detail = c->detail;
		c->detail = true;
	} else if (words_match(o, "statistics") || words_match(o, "stats")) {
		c->all_stats = c->stats;
		c->stats = true;
	} else if (words_match(o, "json")) {
		c->json = true;
	} else if (words_match(o, "pretty")) {
		json_pretty = true;
	} else {
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct vx_cli c = {.nl.fd = -1};
	const char *rundir = NULL, *batch = NULL;
	int i;

	for (i = 1; i < argc && *argv[i] == '-'; i++) {
		if (!strcmp(argv[i], "-V") || !strcmp(argv[i], "--version")) {
			puts("vx " VX_VERSION);
			return 0;
		}
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
			return help_all(stdout);
		if (!strcmp(argv[i], "--rundir") || !strcmp(argv[i], "-b") ||
		    !strcmp(argv[i], "-batch")) {
			if (i + 1 == argc)
				return cli_error("Option \"%s\" needs a value.", argv[i]);
			*(argv[i][2] == 'r' ? &rundir : &batch) = argv[i + 1];
			i++;
		} else if (!simple_option(&c, argv[i] + 1)) {
			return cli_error("Option \"%s\" is unknown, try \"vx -help\".", argv[i]);
		}
	}
	rundir_find(rundir, c.rundir);
	if (batch)
		return cmd_batch(&c, batch);
	if (i == argc)
		return help_all(stderr);
	return dispatch(&c, argc - i, argv + i);
}
