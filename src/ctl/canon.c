/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/canon.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "bridge/bridge.h"
#include "net/host.h"
#include "vxlan/device.h"

static const char *name_of(struct vx *vx, uint32_t ifindex, char *buf)
{
	struct dev *d = dev_by_index(vx, ifindex);
	struct host_link l;

	if (d)
		return d->name;
	if (!vx->host || !vx->host->link || vx->host->link(vx->host_ctx, ifindex, NULL, &l) < 0)
		return "";
	memcpy(buf, l.name, DEV_NAME_MAX);
	return buf;
}

/* --- options -------------------------------------------------------------------------------------- */

static void option(struct text *t, struct vx *vx, const struct attr *a, const void *opts)
{
	const void *at = (const uint8_t *)opts + a->off;
	const struct attr_range *r = at;
	char ip[IP_TEXT_MAX], name[DEV_NAME_MAX];
	unsigned long long v;

	switch (a->kind) {
	case ATTR_IP:
		text_printf(t, " %s %s", ip_is_multicast(at) ? a->alias : a->name, ip_text(at, ip));
		return;
	case ATTR_RANGE:
		text_printf(t, " %s %u %u", a->name, r->low, r->high);
		return;
	case ATTR_STRING:
		if (*(const char *)at)
			text_printf(t, " %s \"%s\"", a->name, (const char *)at);
		return;
	}
	v = attr_get(a, opts);
	if (a->kind == ATTR_BOOL)
		text_printf(t, " %s%s", v ? "" : "no", a->name);
	else if (a->kind == ATTR_FLAG || (a->flags & ATTR_NO_WORD))
		text_printf(t, "%s%s", v ? " " : "", v ? a->name : ""); /* "ttl inherit" is the word itself */
	else if (a->kind == ATTR_WORDS)
		text_printf(t, " %s %s", a->name, a->words[v]);
	else if (a->kind == ATTR_DEV)
		text_printf(t, " %s %s", a->name, name_of(vx, (uint32_t)v, name));
	else
		text_printf(t, a->kind == ATTR_U8 && a->max == 255 && a->nl == 6 ? " %s 0x%llx"
			       : a->kind == ATTR_BE64				? " %s 0x%llx"
										: " %s %llu",
			    a->name, v);
}

void canon_options(struct text *t, struct vx *vx, const struct link_type *type, const void *opts,
		   uint64_t mask)
{
	text_printf(t, " type %s", type->kind);
	for (uint32_t i = 0; type->attrs && i < type->attrs->n; i++)
		if (mask & (1ull << i))
			option(t, vx, &type->attrs->attrs[i], opts);
}

static bool is_default(const struct attr *a, const void *opts)
{
	static const uint8_t zero[256];
	const uint8_t *at = (const uint8_t *)opts + a->off;

	if (a->kind == ATTR_IP || a->kind == ATTR_RANGE || a->kind == ATTR_STRING)
		return a->size <= sizeof(zero) && !memcmp(at, zero, a->size);
	return attr_get(a, opts) == a->def;
}

/* What has to be said of the options as they are. */
static uint64_t mask_of(const struct link_type *type, const void *opts)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; type->attrs && i < type->attrs->n; i++)
		if (!is_default(&type->attrs->attrs[i], opts))
			mask |= 1ull << i;
	if (type->attrs == &vxlan_attrs)
		mask |= VXA_BIT(VXA_ID) | VXA_BIT(VXA_DSTPORT);
	return mask;
}

/* --- devices --------------------------------------------------------------------------------------- */

/* A port that has its interface's address and MTU. */
static bool follows_host(const struct dev *d)
{
	return !strcmp(d->type->kind, "packet") || !strcmp(d->type->kind, "netif");
}

void canon_link_add(struct text *t, struct dev *d)
{
	char mac[MAC_TEXT_MAX];

	if (d->link_flags & DEV_SECOND)
		return;
	text_printf(t, "link add %s", d->name);
	if (d->ifindex >= VX_IFINDEX_FIRST)
		text_printf(t, " index %u", d->ifindex);
	if (!follows_host(d))
		text_printf(t, " address %s", mac_text(&d->mac, mac));
	if (!follows_host(d) && !(dev_is_bridge(d) && !bridge_of(d)->mtu_is_set))
		text_printf(t, " mtu %u", d->mtu);
	if (d->link_flags & DEV_NOHOST)
		text_printf(t, " nohost");
	if (*d->netns)
		text_printf(t, " netns \"%s\"", d->netns);
	if (d->type->fill_info)
		d->type->fill_info(d, d->opts);
	canon_options(t, d->vx, d->type, d->opts, mask_of(d->type, d->opts));
	text_printf(t, "\n");
}

void canon_link_set(struct text *t, struct dev *d, const struct link_cfg *cfg, const void *opts,
		    uint64_t mask)
{
	char mac[MAC_TEXT_MAX], name[DEV_NAME_MAX];
	size_t empty;

	text_printf(t, "link set %s", d->name);
	empty = t->len;
	if (cfg->has_mac)
		text_printf(t, " address %s", mac_text(&cfg->mac, mac));
	if (cfg->has_mtu)
		text_printf(t, " mtu %u", cfg->mtu);
	if (cfg->has_master && cfg->master)
		text_printf(t, " master %s", name_of(d->vx, cfg->master, name));
	else if (cfg->has_master)
		text_printf(t, " nomaster");
	if (cfg->has_up)
		text_printf(t, cfg->up ? " up" : " down");
	if (mask)
		canon_options(t, d->vx, d->type, opts, mask);
	if (t->len == empty)
		t->len -= strlen("link set ") + strlen(d->name);
	else
		text_printf(t, "\n");
}

/* --- entries --------------------------------------------------------------------------------------- */

static const char *fdb_state(uint16_t state)
{
	return state & NUD_PERMANENT ? "permanent" : state & NUD_NOARP ? "static" : "dynamic";
}

void canon_fdb(struct text *t, struct dev *d, const char *cmd, const struct fdb_req *r)
{
	char mac[MAC_TEXT_MAX], ip[IP_TEXT_MAX], name[DEV_NAME_MAX];

	text_printf(t, "fdb %s %s dev %s", cmd, mac_text(&r->mac, mac), d->name);
	if (r->has_dst)
		text_printf(t, " dst %s", ip_text(&r->dst, ip));
	if (r->has_port)
		text_printf(t, " port %u", r->port);
	if (r->has_vni)
		text_printf(t, " vni %u", r->vni);
	if (r->has_ifindex)
		text_printf(t, " via %s", name_of(d->vx, r->ifindex, name));
	text_printf(t, r->port_dev ? " master" : " self");
	if (r->flags & NTF_ROUTER)
		text_printf(t, " router");
	if (r->flags & NTF_STICKY)
		text_printf(t, " sticky");
	text_printf(t, strcmp(cmd, "del") ? " %s\n" : "\n", fdb_state(r->state));
}

void canon_addr(struct text *t, const char *cmd, struct dev *d, const struct ip_addr *ip,
		uint8_t plen, const struct ip_addr *broadcast)
{
	char a[IP_TEXT_MAX];

	text_printf(t, "addr %s %s/%u", cmd, ip_text(ip, a), plen);
	if (broadcast && !ip_is_none(broadcast))
		text_printf(t, " brd %s", ip_text(broadcast, a));
	text_printf(t, " dev %s\n", d->name);
}

void canon_route(struct text *t, struct vx *vx, const char *cmd, const struct route_req *r)
{
	char a[IP_TEXT_MAX], name[DEV_NAME_MAX];
	struct ip_addr any = r->family == AF_INET ? ip_from4((be32){0}) : (struct ip_addr){{{0}}};

	text_printf(t, "route %s", cmd);
	if (r->type == DST_BLACKHOLE || r->type == DST_UNREACHABLE)
		text_printf(t, r->type == DST_BLACKHOLE ? " blackhole" : " unreachable");
	text_printf(t, " %s/%u", ip_text(r->plen ? &r->dst : &any, a), r->plen);
	if (!ip_is_none(&r->gateway))
		text_printf(t, " via %s", ip_text(&r->gateway, a));
	if (r->ifindex)
		text_printf(t, " dev %s", name_of(vx, r->ifindex, name));
	if (!ip_is_none(&r->src))
		text_printf(t, " src %s", ip_text(&r->src, a));
	if (r->metric)
		text_printf(t, " metric %u", r->metric);
	if (r->mtu)
		text_printf(t, " mtu %u", r->mtu);
	if (r->hoplimit)
		text_printf(t, " hoplimit %u", r->hoplimit);
	text_printf(t, "\n");
}

void canon_neigh(struct text *t, const char *cmd, struct dev *d, const struct ip_addr *ip,
		 bool has_mac, const struct mac *mac, uint16_t state)
{
	char a[IP_TEXT_MAX];

	text_printf(t, "neigh %s %s", cmd, ip_text(ip, a));
	if (has_mac)
		text_printf(t, " lladdr %s", mac_text(mac, a));
	if (state & NUD_NOARP)
		text_printf(t, " nud noarp");
	text_printf(t, " dev %s\n", d->name);
}

/* --- all --------------------------------------------------------------------------------------------- */

struct all {
	struct text *t;
	struct vx *vx;
	struct dev *d;
	struct mac last; /* of the entry before */
};

enum { ENTRY_MARK = 1 }; /* where the lines of an entry begin, until they are put in order */

static int one_fdb(void *ctx, const struct fdb_view *v)
{
	struct all *x = ctx;
	struct vxlan_dev *vd = dev_is_vxlan(x->d) ? vxlan_dev(x->d) : NULL;
	struct fdb_req r = {.mac = v->mac, .state = v->state, .flags = v->flags};

	if (v->maker.how != MAKER_CONTROL || v->flags & NTF_EXT_LEARNED || v->protocol)
		return 0;
	if (!x->t->len || !mac_eq(&v->mac, &x->last))
		text_printf(x->t, "%c", ENTRY_MARK);
	x->last = v->mac;
	r.has_dst = v->has_dst;
	r.dst = v->dst;
	r.port_dev = v->port_dev;
	if (v->has_dst) {
		r.has_port = vd && v->port != vxlan_opts(vd)->dstport;
		r.port = v->port;
		r.has_vni = vd && v->vni != vxlan_opts(vd)->id;
		r.vni = v->vni;
		r.has_ifindex = v->ifindex != 0;
		r.ifindex = v->ifindex;
	}
	canon_fdb(x->t, v->port_dev ? v->port_dev : x->d,
		  mac_is_unicast(&v->mac) ? "add" : "append", &r);
	return 0;
}

static int one_addr(void *ctx, const struct inet_addr *a)
{
	struct all *x = ctx;

	canon_addr(x->t, "add", a->dev, &a->ip, a->plen, &a->broadcast);
	return 0;
}

static int one_route(void *ctx, const struct route_view *v)
{
	struct all *x = ctx;

	if (!v->connected)
		canon_route(x->t, x->vx, "append", &v->r);
	return 0;
}

static int one_neigh(void *ctx, const struct neigh_view *v)
{
	struct all *x = ctx;

	if ((v->state & (NUD_PERMANENT | NUD_NOARP)) && !v->protocol)
		canon_neigh(x->t, "add", v->dev, &v->ip, !mac_is_zero(&v->mac), &v->mac, v->state);
	return 0;
}

/* Entries come newest first; they are made oldest first, so that the order is kept.  An entry's
 * own lines, its remotes, keep theirs. */
static void oldest_first(struct text *to, struct text *from)
{
	size_t end = from->len;

	while (end) {
		size_t at = end - 1;

		while (from->s[at] != ENTRY_MARK)
			at--;
		text_append(to, from->s + at + 1, end - at - 1);
		end = at;
	}
	text_done(from);
}

void canon_all(struct text *t, struct vx *vx)
{
	struct all x = {.t = t, .vx = vx};

	list_for_each (d, &vx->devs, struct dev, node)
		if (d->owner == OWNER_NETLINK)
			canon_link_add(t, d);
	list_for_each (d, &vx->devs, struct dev, node) {
		struct link_cfg cfg = {.has_master = d->master != NULL, .has_up = dev_is_up(d),
				       .up = true};

		cfg.master = d->master ? d->master->ifindex : 0;
		if (d->owner == OWNER_NETLINK)
			canon_link_set(t, d, &cfg, NULL, 0);
	}
	inet_addr_each(vx, one_addr, &x);
	route_each(vx, AF_UNSPEC, one_route, &x);
	neigh_each(vx, NULL, one_neigh, &x);
	list_for_each (d, &vx->devs, struct dev, node) {
		struct text entries = {0};

		x = (struct all){.t = &entries, .vx = vx, .d = d};
		if (d->ops->fdb_dump && d->owner == OWNER_NETLINK)
			d->ops->fdb_dump(d, one_fdb, &x);
		oldest_first(t, &entries);
	}
}
