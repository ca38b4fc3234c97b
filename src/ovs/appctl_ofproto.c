/* SPDX-License-Identifier: Apache-2.0 */
/* ovs-appctl ofproto/...: bridges. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "ovs/appctl.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct ovs *o = aux;
	const char **names;
	struct text t = {0};
	size_t n = 0;

	(void)argc, (void)argv;
	list_for_each (b, &o->bridges, struct bridge, node)
		n++;
	names = calloc(n + 1, sizeof(*names));
	n = 0;
	list_for_each (b, &o->bridges, struct bridge, node)
		if (names && b->ofproto)
			names[n++] = b->name;
	if (names)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++)
		text_printf(&t, "%s\n", names[i]);
	free(names);
	appctl_reply(c, &t);
}

void appctl_add_ofproto(struct unixctl_server *s, struct ovs *o)
{
	static const struct unixctl_command commands[] = {
		{"ofproto/list", "", 0, 0, list},
	};

	unixctl_add(s, commands, ARRAY_LEN(commands), o);
}
