/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/words.h"

#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>

#include "bridge/options.h"
#include "io/mem.h"
#include "io/netif.h"
#include "io/packet.h"
#include "io/pcap.h"
#include "vxlan/options.h"

int words_fail(struct words *x, int exit_code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(x->error, sizeof(x->error), fmt, ap);
	va_end(ap);
	x->exit_code = exit_code;
	return -1;
}

int words_bad_arg(struct words *x, const char *arg, const char *why)
{
	return words_fail(x, WORDS_EXIT_USAGE, "Error: argument \"%s\" is wrong: %s", arg, why);
}

int words_duplicate(struct words *x, const char *key, const char *arg)
{
	return words_fail(x, WORDS_EXIT_USAGE,
			  "Error: either \"%s\" is duplicate, or \"%s\" is garbage.", key, arg);
}

int words_no_device(struct words *x, const char *name)
{
	return words_fail(x, WORDS_EXIT_TYPE, "Cannot find device \"%s\"", name);
}

const char *words_next(struct words *x)
{
	return x->at < x->argc ? x->argv[x->at++] : NULL;
}

const char *words_need(struct words *x)
{
	const char *w = words_next(x);

	if (!w)
		words_fail(x, WORDS_EXIT_USAGE, "Command line is not complete. Try option \"help\"");
	return w;
}

bool words_match(const char *word, const char *full)
{
	return *word && strncmp(word, full, strlen(word)) == 0;
}

void *words_begin(struct words *x, uint16_t type, uint16_t flags, size_t size)
{
	memset(x->buf, 0, sizeof(x->buf));
	x->nlh = mnl_nlmsg_put_header(x->buf);
	x->nlh->nlmsg_type = type;
	x->nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return mnl_nlmsg_put_extra_header(x->nlh, size);
}

struct ifinfomsg *words_begin_link(struct words *x, uint16_t type, uint16_t flags)
{
	return words_begin(x, type, flags, sizeof(struct ifinfomsg));
}

static const struct {
	const char *object, *command;
	int (*parse)(struct words *x, const char *command);
} changes[] = {
	{"link", "add", words_link},	{"link", "set", words_link},	{"link", "delete", words_link},
	{"link", "change", words_link}, {"link", "replace", words_link}, {"fdb", "add", words_fdb},
	{"fdb", "append", words_fdb},	{"fdb", "replace", words_fdb},	{"fdb", "delete", words_fdb},
	{"fdb", "flush", words_fdb},	{"address", "add", words_addr}, {"address", "delete", words_addr},
	{"route", "add", words_route},	{"route", "append", words_route},
	{"route", "replace", words_route}, {"route", "delete", words_route},
	{"neighbour", "add", words_neigh}, {"neighbour", "replace", words_neigh},
	{"neighbour", "delete", words_neigh}, {"neighbor", "add", words_neigh},
	{"neighbor", "replace", words_neigh}, {"neighbor", "delete", words_neigh},
};

static int find_change(int argc, char **argv)
{
	if (argc < 2)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		if (words_match(argv[0], changes[i].object) &&
		    words_match(argv[1], changes[i].command))
			return (int)i;
	return -1;
}

bool words_is_change(int argc, char **argv)
{
	return find_change(argc, argv) >= 0;
}

int words_parse(struct words *x, int argc, char **argv)
{
	int i = find_change(argc, argv);

	*x->error = *x->note = 0;
	x->exit_code = 0;
	x->argc = argc;
	x->argv = argv;
	x->at = 2;
	if (argc > WORDS_ARGC_MAX)
		return words_fail(x, WORDS_EXIT_USAGE, "Error: a command has at most %d words.",
				  WORDS_ARGC_MAX);
	if (i < 0)
		return words_fail(x, WORDS_EXIT_USAGE,
				  "\"%s%s%s\" is no command that changes something: link "
				  "add|set|del, fdb add|append|replace|del|flush, addr add|del, "
				  "route add|replace|del, neigh add|replace|del",
				  argc ? argv[0] : "", argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	return changes[i].parse(x, changes[i].command);
}

const struct attr_set *words_attrs(const char *kind)
{
	static const struct attr_set *const sets[] = {
		&vxlan_attrs,
#define ATTR_SET(s) &(s),
#include "ctl/attr_sets.h"
#undef ATTR_SET
	};

	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		if (!strcmp(sets[i]->kind, kind))
			return sets[i];
	return NULL;
}
