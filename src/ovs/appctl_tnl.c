/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovs-appctl tnl/... and ovs/route/...: the underlay, which is the host's (ovs.md 11.2, 11.12).
 * Tunnels listen on the host's sockets and keep no neighbours: there is nothing to list, and what
 * would change routes or neighbours is refused.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "io/hostroute.h"
#include "ovs/appctl.h"
#include "vxlan/device.h"

#define USE_HOST "tunnels use the host's routes and neighbours: use ip route, ip neigh"

/* --- tnl/... --------------------------------------------------------------------------------- */

static void show_ports(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	(void)argc, (void)argv, (void)aux;
	unixctl_reply(c, "Listening ports:");
}

static void show_neighbours(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	(void)argc, (void)argv, (void)aux;
	unixctl_reply(c,
		      "IP                                            MAC                 Bridge\n"
		      "==========================================================================");
}

static void set_neighbour(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct ip_addr ip;
	struct mac mac;

	(void)argc, (void)aux;
	if (ip_parse(argv[2], &ip) < 0)
		unixctl_fail(c, "bad IP address");
	else if (mac_parse(argv[3], &mac) < 0)
		unixctl_fail(c, "bad MAC address");
	else
		unixctl_fail(c, USE_HOST);
}

static void flush_neighbours(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	(void)argc, (void)argv, (void)aux;
	unixctl_reply(c, "OK");
}

static void age_neighbours(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	unsigned long long s;

	(void)aux;
	if (argc > 1 && (text_to_u64(argv[1], INT_MAX, &s) < 0 || !s))
		unixctl_fail(c, "bad aging value");
	else
		unixctl_fail(c, USE_HOST);
}

/* 3.1's upper end is never reached, vx's is. */
static void egress_ports(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct text t = {0};

	(void)argv, (void)aux;
	if (argc > 2) {
		unixctl_fail(c, "tunnels take UDP source ports of a range that can not be changed");
		return;
	}
	text_printf(&t, "Tunnel UDP source port range: %u-%u", VXLAN_SPORT_MIN,
		    VXLAN_SPORT_MAX + 1);
	appctl_reply(c, &t);
}

/* --- ovs/route/... --------------------------------------------------------------------------- */

static int plen(const struct host_route *r)
{
	return r->plen + (ip_is4(&r->dst) ? 96 : 0);
}

/* The longest prefix first, in order of address. */
static int longest_first(const void *a, const void *b)
{
	const struct host_route *x = a, *y = b;

	if (plen(x) != plen(y))
		return plen(y) - plen(x);
	return memcmp(x->dst.b, y->dst.b, sizeof(x->dst.b));
}

static void put_route(struct text *t, const struct host_route *r)
{
	char ip[IP_TEXT_MAX];

	text_printf(t, "Cached: %s/%u dev %s", ip_text(&r->dst, ip), r->plen, r->dev);
	if (!ip_is_any(&r->gateway))
		text_printf(t, " GW %s", ip_text(&r->gateway, ip));
	if (!ip_is_any(&r->src))
		text_printf(t, " SRC %s", ip_text(&r->src, ip));
	text_printf(t, "%s\n", r->is_local ? " local" : "");
}

static void show_routes(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct host_route *all;
	struct text t = {0};
	size_t n;
	int r = host_routes(&all, &n);

	(void)argc, (void)argv, (void)aux;
	if (r < 0) {
		unixctl_fail(c, strerror(-r));
		return;
	}
	qsort(all, n, sizeof(*all), longest_first);
	text_printf(&t, "Route Table:\n");
	for (size_t i = 0; i < n; i++)
		put_route(&t, &all[i]);
	free(all);
	appctl_reply(c, &t);
}

static void look_up(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	char src[IP_TEXT_MAX], gateway[IP_TEXT_MAX];
	unsigned long long mark = 0;
	struct host_route r;
	struct ip_addr dst;
	struct text t = {0};

	(void)aux;
	if (ip_parse(argv[1], &dst) < 0) {
		unixctl_fail(c, "Invalid parameters");
	} else if (argc > 2 && (strncmp(argv[2], "pkt_mark=", 9) != 0 ||
				text_to_u64(argv[2] + 9, UINT32_MAX, &mark) < 0)) {
		unixctl_fail(c, "Invalid pkt_mark");
	} else if (host_route_to(&dst, (uint32_t)mark, &r) < 0) {
		unixctl_fail(c, "Not found");
	} else {
		text_printf(&t, "src %s\ngateway %s\ndev %s\n", ip_text(&r.src, src),
			    ip_is_any(&r.gateway) ? "::" : ip_text(&r.gateway, gateway), r.dev);
		appctl_reply(c, &t);
	}
}

/* IP/LEN */
static bool is_prefix(const char *s)
{
	const char *slash = strchr(s, '/');
	unsigned long long len;
	char ip[IP_TEXT_MAX];
	struct ip_addr a;

	if (!slash || slash - s >= (ptrdiff_t)sizeof(ip))
		return false;
	snprintf(ip, sizeof(ip), "%.*s", (int)(slash - s), s);
	return ip_parse(ip, &a) == 0 && text_to_u64(slash + 1, ip_is4(&a) ? 32 : 128, &len) == 0;
}

static void change_route(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	(void)argc, (void)aux;
	unixctl_fail(c, is_prefix(argv[1]) ? USE_HOST : "Invalid parameters");
}

void appctl_add_tnl(struct unixctl_server *s, struct ovs *o)
{
	static const struct unixctl_command commands[] = {
		{"ovs/route/add", "ip_addr/prefix_len out_br_name [gw] [pkt_mark=mark]", 2, 5,
		 change_route},
		{"ovs/route/del", "ip_addr/prefix_len [pkt_mark=mark]", 1, 2, change_route},
		{"ovs/route/lookup", "ip_addr [pkt_mark=mark]", 1, 2, look_up},
		{"ovs/route/show", "", 0, 0, show_routes},
		{"tnl/arp/aging", "[SECS]", 0, 1, age_neighbours},
		{"tnl/arp/flush", "", 0, 0, flush_neighbours},
		{"tnl/arp/set", "BRIDGE IP MAC", 3, 3, set_neighbour},
		{"tnl/arp/show", "", 0, 0, show_neighbours},
		{"tnl/egress_port_range", "min max", 0, 2, egress_ports},
		{"tnl/neigh/aging", "[SECS]", 0, 1, age_neighbours},
		{"tnl/neigh/flush", "", 0, 0, flush_neighbours},
		{"tnl/neigh/set", "BRIDGE IP MAC", 3, 3, set_neighbour},
		{"tnl/neigh/show", "", 0, 0, show_neighbours},
		{"tnl/ports/show", "-v", 0, 1, show_ports},
	};

	unixctl_add(s, commands, ARRAY_LEN(commands), o);
}
