/* SPDX-License-Identifier: Apache-2.0 */
/* Advice that is nearer than the list's: what in the model is almost what the packet needed. */
#include <net/if.h>
#include <stdio.h>

#include "ctl/advice.h"
#include "net/dev.h"
#include "net/fib.h"
#include "net/host.h"
#include "vxlan/device.h"

/* Nobody has this VNI, or listens on this port: is there a device that nearly does? */
static const char *for_tunnel(const struct advice *x, char *buf, size_t size)
{
	bool is6 = x->v->has_outer && !ip_is4(&x->v->src);
	enum near why;
	const struct dev *d;

	if (!x->v->has_outer || !x->v->has_vni)
		return "let {peer} use a port of 'vx link show' (its dstport)";
	d = near_dev(x->vx, x->v->vni, x->v->dport, is6, trace_is_host(x->t), &why);
	if (!d)
		return NULL;
	switch (why) {
	case NEAR_DOWN:
		snprintf(buf, size, "`vx link set %s up`", d->name);
		break;
	case NEAR_FAMILY:
		snprintf(buf, size, "%s has vni {vni} over %s only: on {peer} set 'remote' to an %s "
			 "address of this host", d->name, is6 ? "IPv4" : "IPv6",
			 is6 ? "IPv4" : "IPv6");
		break;
	case NEAR_PORT:
		snprintf(buf, size, "%s has vni {vni} on port %u: on {peer} set 'dstport' to %u",
			 d->name, vxlan_opts(vxlan_dev(d))->dstport,
			 vxlan_opts(vxlan_dev(d))->dstport);
		break;
	case NEAR_FORM:
		snprintf(buf, size, "%s has vni {vni} on another underlay: take it down, then vx link "
			 "set %s type vxlan dev %s", d->name, d->name, x->t->dev);
		break;
	}
	return buf;
}

/* An interface of the host that is down, under the tunnel. */
static bool lower_is_down(const struct advice *x, struct host_link *l)
{
	const struct dev *d = advice_tunnel(x);

	*l = (struct host_link){0};
	return d && vxlan_dev(d)->host && d->lower_index && x->vx->host && x->vx->host->link &&
	       x->vx->host->link(x->vx->host_ctx, d->lower_index, NULL, l) == 0 &&
	       !(l->flags & IFF_UP);
}

static bool has_addr_of(struct vx *vx, const struct dev *d, bool is6)
{
	list_for_each (a, &vx->inet->addrs, struct inet_addr, node)
		if (a->dev == d && ip_is4(&a->ip) != is6)
			return true;
	return false;
}

/* The route of the stack underlay that refuses ip, or NULL. */
static const struct route *refusing(struct vx *vx, const struct ip_addr *ip)
{
	list_for_each (r, &vx->inet->routes, struct route, node) {
		uint32_t plen = r->r.plen + (ip_is4(&r->r.dst) ? 96u : 0u);

		if ((r->r.type == DST_UNREACHABLE || r->r.type == DST_BLACKHOLE) &&
		    ip_is4(&r->r.dst) == ip_is4(ip) && ip_in_prefix(ip, &r->r.dst, plen))
			return r;
	}
	return NULL;
}

static const char *for_no_route(const struct advice *x, char *buf, size_t size)
{
	const struct dev *d = advice_tunnel(x);
	const struct ip_addr *to = advice_target(x);
	const struct route *r;
	struct host_link l;
	char ip[IP_TEXT_MAX];

	if (lower_is_down(x, &l)) {
		snprintf(buf, size, "`ip link set %s up`", l.name);
		return buf;
	}
	if (!d || vxlan_dev(d)->host || !to)
		return NULL;
	r = refusing(x->vx, to);
	if (r) {
		snprintf(buf, size, "`vx route del %s%s/%u`",
			 r->r.type == DST_BLACKHOLE ? "blackhole " : "unreachable ",
			 ip_text(&r->r.dst, ip), r->r.plen);
		return buf;
	}
	if (d->lower && !has_addr_of(x->vx, d->lower, !ip_is4(to))) {
		snprintf(buf, size, "{under} has no %s address: vx addr add ADDRESS/LEN dev {under}",
			 ip_is4(to) ? "IPv4" : "IPv6");
		return buf;
	}
	return "`vx route add {to} dev {under}`";
}

static const char *for_no_target(const struct advice *x, char *buf, size_t size)
{
	const struct dev *d = advice_tunnel(x);
	const struct fdb *f = d ? &vxlan_dev(d)->fdb : NULL;
	struct ip_addr ip;

	if (f && f->limit && f->n >= f->limit) {
		snprintf(buf, size, "`vx fdb flush dev %s dynamic` makes room in the full table "
			 "(maxaddress %u), so that {dst} is learned when it sends; a larger "
			 "table takes a new device", d->name, f->limit);
		return buf;
	}
	if (advice_remote(x, advice_tunnel(x), &ip))
		return NULL;
	return "no remote is known yet: let the host with the MAC {dst} send first, so that it is "
	       "learned, or name one: vx fdb append 00:00:00:00:00:00 dev {dev} dst ADDRESS";
}

/* Which of bridge and port is down. */
static const char *for_bridge_down(const struct advice *x, char *buf, size_t size)
{
	const struct trace_step *to = advice_step(x, SAY_BRIDGE_PORT);
	const struct dev *d = dev_by_name(x->vx, advice_dev(x)), *other;

	other = to && *to->dev ? dev_by_name(x->vx, to->dev) : NULL;
	if (d && d->master && !dev_is_up(d->master))
		d = d->master;
	else if (other && !dev_is_up(other))
		d = other;
	if (!d)
		return NULL;
	snprintf(buf, size, "`vx link set %s up`", d->name);
	return buf;
}

static const char *for_no_port(const struct advice *x, char *buf, size_t size)
{
	const struct dev *d = dev_by_name(x->vx, advice_dev(x));
	const struct dev *br = d && d->master ? d->master : d;

	list_for_each (p, &x->vx->devs, struct dev, node)
		if (p->master == br && p != d && !dev_is_up(p)) {
			snprintf(buf, size, "`vx link set %s up`", p->name);
			return buf;
		}
	snprintf(buf, size, "%s has no other port that is up: add one (vx link set DEV master %s)",
		 br ? br->name : "the bridge", br ? br->name : "BRIDGE");
	return buf;
}

static const char *for_loop(const struct advice *x)
{
	const struct dev *d = advice_tunnel(x);

	return d && vxlan_dev(d)->host ? NULL : "`vx route replace {to} dev {under}`";
}

const char *advice_nearer(const struct advice *x, char *buf, size_t size)
{
	switch (x->drop->drop) {
	case DROP_vxlan_unknown_vni:
	case DROP_udp_no_socket:
	case DROP_host_no_socket:
		return for_tunnel(x, buf, size);
	case DROP_tunnel_no_route:
		return for_no_route(x, buf, size);
	case DROP_tunnel_loop:
		return for_loop(x);
	case DROP_no_target:
		return for_no_target(x, buf, size);
	case DROP_bridge_port_down:
		return for_bridge_down(x, buf, size);
	case DROP_bridge_no_port:
		return for_no_port(x, buf, size);
	}
	return NULL;
}
