/* SPDX-License-Identifier: Apache-2.0 */
/* `vx drops` and `vx monitor`. */
#include <ctype.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "vx/vx.h"

/* The advice without a packet: {dev} is DEV. */
static void print_advice(const char *s)
{
	bool inside = false;

	for (; *s; s++) {
		if (*s == '{' || *s == '}')
			inside = *s == '{';
		else
			putchar(inside ? toupper((unsigned char)*s) : *s);
	}
	putchar('\n');
}

static void text_drop(const json_t *d)
{
	const char *advice = json_string_value(json_object_get(d, "advice"));

	printf("%12lld  %-22s %s\n",
	       (long long)json_integer_value(json_object_get(d, "packets")),
	       json_string_value(json_object_get(d, "reason")),
	       json_string_value(json_object_get(d, "text")));
	if (advice && *advice) {
		printf("%37s", "");
		print_advice(advice);
	}
}

int cmd_drops(struct vx_cli *c, int argc, char **argv)
{
	const char *call[] = {"drops"};
	char *text;
	json_t *list, *d;
	size_t i;

	if (argc > 1)
		return cli_error("Error: \"%s\" is garbage: vx drops takes no argument.", argv[1]);
	text = cli_call(c, 1, call);
	if (!text)
		return 1;
	list = json_loads(text, 0, NULL);
	free(text);
	if (c->json) {
		print_json(list);
		return 0;
	}
	if (!json_array_size(list))
		puts("No packet was dropped.");
	json_array_foreach (list, i, d)
		text_drop(d);
	json_decref(list);
	return 0;
}

static int on_event(const struct nlmsghdr *nlh, void *data)
{
	struct vx_cli *c = data;

	if (nlh->nlmsg_type == RTM_NEWNEIGH || nlh->nlmsg_type == RTM_DELNEIGH)
		print_fdb(c, nlh, true, true);
	else if (nlh->nlmsg_type == RTM_NEWLINK || nlh->nlmsg_type == RTM_DELLINK)
		print_link(c, nlh);
	fflush(stdout);
	return MNL_CB_OK;
}

int cmd_monitor(struct vx_cli *c, int argc, char **argv)
{
	uint32_t groups = 0;
	struct nl events;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "link"))
			groups |= RTMGRP_LINK;
		else if (!strcmp(argv[i], "fdb") || !strcmp(argv[i], "neigh"))
			groups |= RTMGRP_NEIGH;
		else if (strcmp(argv[i], "all"))
			return cli_error("Argument \"%s\" is unknown: link, fdb, all.", argv[i]);
	}
	/* Names are asked for on a connection of their own, beside the events. */
	if (!cli_connect(c))
		return 1;
	if (nl_open(&events, c->rundir) < 0) {
		fprintf(stderr, "%s\n", events.error);
		return 1;
	}
	nl_monitor(&events, groups ? groups : RTMGRP_LINK | RTMGRP_NEIGH, on_event, c);
	fprintf(stderr, "vxd ended.\n");
	return 1;
}
