/* SPDX-License-Identifier: Apache-2.0 */
#include "vx/help.h"

#include <string.h>

#include "base/util.h"
#include "ctl/words.h"

static const struct {
	const char *name, *line, *text;
} topics[] = {
	{"link", "devices: add, set, del, show", NULL},
	{"fdb", "forwarding databases: add, append, replace, del, get, show, flush",
	 "Usage: vx fdb { add | append | replace | del } [to] MAC dev DEV [self] [master]\n"
	 "            [local|permanent|static|dynamic] [router] [extern_learn]\n"
	 "            [dst IP] [port PORT] [vni VNI] [via DEV]\n"
	 "       vx fdb [show [br BRIDGE] [dev DEV]]\n"
	 "       vx fdb get [to] MAC dev DEV [self] [master] [vni VNI]\n"
	 "       vx fdb flush dev DEV [FILTERS]\n"
	 "FILTERS: [no]permanent [no]static [no]dynamic [no]router [no]extern_learn\n"
	 "         dst IP  port PORT  vni VNI  src_vni VNI  via DEV\n"
	 "MAC 00:00:00:00:00:00 is the default: where frames without an entry go.\n"},
	{"addr", "addresses of vx's own stack: add, del, show",
	 "Usage: vx addr { add | del } IP/LEN [brd IP] dev DEV\n"
	 "       vx addr [show]\n"
	 "DEV is a port of vx (type packet, pcap, mem) or a device made with nohost; addresses of an\n"
	 "interface of the host are the host's: \"ip addr\".\n"},
	{"route", "routes of vx's own stack: add, append, replace, del, show",
	 "Usage: vx route { add | append | replace | del } [blackhole|unreachable] { IP/LEN | default }\n"
	 "               [via IP] [dev DEV] [src IP] [metric N] [mtu N] [hoplimit N]\n"
	 "       vx route [show]\n"},
	{"neigh", "neighbours of vx's own stack: add, replace, del, show",
	 "Usage: vx neigh { add | replace | del } IP [lladdr MAC] [nud STATE] dev DEV\n"
	 "       vx neigh [show]\n"},
	{"drops", "why packets were dropped, and what to change",
	 "Usage: vx [-j] drops\n"
	 "Each reason with its count, what it means, and what would change it.\n"},
	{"explain", "what happened to a packet, stage by stage, and why",
	 "Usage: vx [-d] [-j] explain [-c COUNT] [-w FILE] [drop REASON] [outer|inner] [EXPRESSION]\n"
	 "       vx [-d] [-j] explain -f CONFIG FILE.pcap [-w FILE] [drop REASON] [outer|inner]\n"
	 "                [EXPRESSION]\n"
	 "EXPRESSION is pcap's (man pcap-filter), tried on the outer and on the inner packet.\n"
	 "-d shows every stage, -j is JSON.  -w writes a pcapng FILE (- is standard output), each\n"
	 "packet with its explanation as the comment.  With -f no vxd is needed: the capture is replayed\n"
	 "through a switch that the commands in CONFIG make.\n"
	 "For example: vx explain -c 1 icmp;  vx explain drop vxlan_unknown_vni\n"},
	{"exec", "run a program (ip, bridge) with its rtnetlink led to vxd",
	 "Usage: vx exec COMMAND [ARGUMENTS]\n"
	 "For example: vx exec ip -d link show\n"},
	{"monitor", "notifications as they come",
	 "Usage: vx [-j] monitor [link] [fdb]\n"},
	{"check", "what this machine allows, and which way vxd will go",
	 "Usage: vx [-j] check [port PORT]\n"},
	{"nstat", "counters of vx's own IP stack, under the kernel's names", "Usage: vx nstat\n"},
	{"account", "the accounting of all packets, as JSON", "Usage: vx account\n"},
	{"rule", "accept or drop at the hooks of vx's own stack",
	 "Usage: vx rule add prerouting|input|output|postrouting accept|drop [EXPRESSION]\n"
	 "       vx rule del ID\n"
	 "       vx rule [show]\n"
	 "EXPRESSION is pcap's, on the IP packet.  The first rule of a hook that matches decides.\n"
	 "For packets of the stack underlay only: what the host carries, the host's firewall filters.\n"},
	{"ping", "ping from vx's own stack",
	 "Usage: vx ping IP [-c COUNT] [-i SECONDS] [-s SIZE] [-t TTL]\n"},
	{"udp", "datagrams from and to vx's own stack",
	 "Usage: vx udp send [lite COVERAGE] IP PORT TEXT\n"
	 "       vx udp listen [lite COVERAGE] PORT [inet6] [-c COUNT]\n"},
	{"save", "the configuration, as commands",
	 "Usage: vx save\nPrints what control made as commands for \"vx -b\" or \"vxd -f\".\n"},
	{"stop", "end vxd",
	 "Usage: vx stop [--keep]\n"
	 "Removes the interfaces that vxd made; --keep leaves them for the next vxd.\n"},
};

int help_all(FILE *f)
{
	fputs("Usage: vx [OPTIONS] OBJECT COMMAND\n"
	      "       vx [OPTIONS] -b FILE        a command a line; stops at the first error\n"
	      "OBJECTS:\n",
	      f);
	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		fprintf(f, "  %-9s %s\n", topics[i].name, topics[i].line);
	fputs("OPTIONS:\n"
	      "  -d  more detail   -s  statistics   -j  JSON (-p indented)   -V  version\n"
	      "  --rundir DIR      where vxd's sockets are\n"
	      "\"vx OBJECT help\" says more.\n",
	      f);
	return f == stderr ? 255 : 0;
}

static void print_options(const struct attr_set *s)
{
	printf("Options of \"type %s\":\n", s->kind);
	for (uint32_t i = 0; i < s->n; i++) {
		const struct attr *a = &s->attrs[i];
		char word[64];

		if (a->flags & (ATTR_NO_WORD | ATTR_NOT_BUILT))
			continue;
		snprintf(word, sizeof(word), "%s%s%s%s", a->kind == ATTR_BOOL ? "[no]" : "", a->name,
			 a->arg ? " " : "", a->arg ? a->arg : "");
		printf("  %-30s %s%s\n", word, a->help ? a->help : "",
		       a->kind == ATTR_BOOL && a->def ? " (default: on)" : "");
	}
}

int help_link(const char *kind)
{
	const struct attr_set *s = kind ? words_attrs(kind) : NULL;

	if (kind && !s) {
		fprintf(stderr, "vx has no link type \"%s\".\n", kind);
		return 1;
	}
	if (s) {
		print_options(s);
		return 0;
	}
	fputs("Usage: vx link add [name] NAME [address MAC] [mtu MTU] [up] [master BRIDGE]\n"
	      "               [nohost] [netns NAME|PID|PATH [netname NAME]] type TYPE [OPTIONS]\n"
	      "       vx link set [dev] NAME [up|down] [mtu MTU] [address MAC]\n"
	      "               [name NEWNAME] [master BRIDGE|nomaster] [type TYPE OPTIONS]\n"
	      "       vx link del [dev] NAME\n"
	      "       vx [-d] [-s] [-j] link [show [dev NAME] [type TYPE]]\n"
	      "TYPE: vxlan and others; \"vx link help TYPE\" lists the options of one.\n",
	      stdout);
	return 0;
}

int help_object(const char *object)
{
	if (words_match(object, "link"))
		return help_link(NULL);
	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		if (topics[i].text && words_match(object, topics[i].name)) {
			fputs(topics[i].text, stdout);
			return 0;
		}
	fprintf(stderr, "Object \"%s\" is unknown, try \"vx help\".\n", object);
	return 255;
}
