/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovs-appctl about what 3.1 has and vx does not: spanning trees, bonds, LACP, BFD, CFM, multicast
 * snooping, QoS.  The answers are 3.1's where none of it is configured, and true here always.
 */
#include "base/util.h"
#include "ovs/appctl.h"

/* Of all: there are none.  Of one: aux says that there is no such. */
static void none(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	(void)argv;
	if (argc > 1)
		unixctl_fail(c, aux);
	else
		unixctl_reply(c, "");
}

static void list_bonds(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	(void)argc, (void)argv, (void)aux;
	unixctl_reply(c, "bond\ttype\trecircID\tmembers");
}

static void show_mdb(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	(void)argc;
	unixctl_fail(c, appctl_bridge(aux, argv[1]) ? "multicast snooping is disabled"
						    : "no such bridge");
}

static void show_qos(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct text t = {0};

	(void)argc;
	for (struct bridge *b = NULL; (b = appctl_next_bridge(aux, NULL, b));)
		if (ofproto_port_find(b->ofproto, argv[1]) != OFPORT_NONE) {
			text_printf(&t, "QoS not configured on %s", argv[1]);
			appctl_reply(c, &t);
			return;
		}
	unixctl_fail(c, "no such interface");
}

void appctl_add_unused(struct unixctl_server *s, struct ovs *o)
{
	static const struct {
		struct unixctl_command command;
		const char *no_such;
	} none_of[] = {
		{{"bfd/show", "[interface]", 0, 1, none}, "no such bfd object"},
		{{"bond/show", "[port]", 0, 1, none}, "no such bond"},
		{{"cfm/show", "[interface]", 0, 1, none}, "no such CFM object"},
		{{"lacp/show", "[port]", 0, 1, none}, "no such lacp object"},
		{{"rstp/show", "[bridge]", 0, 1, none}, "No such RSTP object"},
		{{"stp/show", "[bridge]", 0, 1, none}, "no such stp object"},
	};
	static const struct unixctl_command commands[] = {
		{"bond/list", "", 0, 0, list_bonds},
		{"mdb/show", "bridge", 1, 1, show_mdb},
		{"qos/show", "interface", 1, 1, show_qos},
	};

	for (size_t i = 0; i < ARRAY_LEN(none_of); i++)
		unixctl_add(s, &none_of[i].command, 1, (void *)none_of[i].no_such);
	unixctl_add(s, commands, ARRAY_LEN(commands), o);
}
