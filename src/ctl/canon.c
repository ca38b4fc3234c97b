/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/canon.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "bridge/bridge.h"
#include "ctl/words.h"
#include "io/mem.h"
#include "io/packet_sock.h"
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

/* The host lets names contain anything but white space, '/' and ':'. */
void canon_word(struct text *t, const char *s, bool quote)
{
	if (!quote && *s && !strpbrk(s, " \t#\"'")) {
		text_printf(t, " %s", s);
	} else if (!strchr(s, '"')) {
		text_printf(t, " \"%s\"", s);
	} else {
		text_printf(t, " ");
		for (; *s; s++)
			text_printf(t, *s == '"' ? "'%c'" : "\"%c\"", *s);
	}
}

/* The device that "link set" and "link add" are about: words of theirs can be names, too. */
static void link_name(struct text *t, const char *name)
{
	static const char *const words[] = {"type",   "up",    "down",    "mtu",   "master", "nomaster",
					    "nohost", "netns", "netname", "index", "name",   "dev"};
	bool is_word = words_match(name, "address");

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		is_word |= !strcmp(name, words[i]);
	if (is_word)
		text_printf(t, " dev");
	canon_word(t, name, false);
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
		if (*(const char *)at) {
			text_printf(t, " %s", a->name);
			canon_word(t, at, true);
		}
		return;
	}
	v = attr_get(a, opts);
	if (a->kind == ATTR_BOOL)
		text_printf(t, " %s%s", v ? "" : "no", a->name);
	else if (a->kind == ATTR_FLAG || (a->flags & ATTR_NO_WORD))
		text_printf(t, "%s%s", v ? " " : "", v ? a->name : ""); /* "ttl inherit" is the word itself */
	else if (a->kind == ATTR_WORDS)
		text_printf(t, " %s %s", a->name, a->words[v]);
	else if (a->kind == ATTR_DEV) {
		text_printf(t, " %s", a->name);
		canon_word(t, name_of(vx, (uint32_t)v, name), false);
	} else
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

static uint64_t mask_of_vxlan(const struct vxlan_opts *o, uint64_t mask)
{
	/* In words "external" stands in place of "id" and means "nolearning". */
	mask |= VXA_BIT(VXA_DSTPORT) | VXA_BIT(o->external ? VXA_LEARNING : VXA_ID);
	if (o->ttl_inherit) /* for good; a TTL beside it is not used, and could not be said */
		mask &= ~VXA_BIT(VXA_TTL);
	if (o->gbp && o->reserved_bits == VXLAN_RESERVED_GBP)
		mask &= ~VXA_BIT(VXA_RESERVED_BITS);
	return mask;
}

/* What has to be said of the options as they are. */
static uint64_t mask_of(const struct link_type *type, const void *opts)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; type->attrs && i < type->attrs->n; i++)
		if (!is_default(&type->attrs->attrs[i], opts))
			mask |= 1ull << i;
	return type->attrs == &vxlan_attrs ? mask_of_vxlan(opts, mask) : mask;
}

/* --- devices --------------------------------------------------------------------------------------- */

/* A port that has its interface's address and MTU. */
static bool follows_host(const struct dev *d)
{
	return !strcmp(d->type->kind, "packet") || !strcmp(d->type->kind, "netif");
}

/* What does not follow from the line that makes it with another. */
static void second(struct text *t, struct dev *d)
{
	struct link_cfg cfg = {.has_mac = true, .mac = d->mac, .has_mtu = true, .mtu = d->mtu};

	canon_link_set(t, d, &cfg, NULL, 0);
}

/* Of two that were made one by one, the second names the first. */
static bool is_first_of_pair(struct dev *d)
{
	struct dev *peer = io_mem_peer(d);

	if (!peer || peer->link_flags & DEV_SECOND)
		return false;
	list_for_each (x, &d->vx->devs, struct dev, node)
		if (x == d || x == peer)
			return x == d;
	return false;
}

static bool mtu_is_its_own(struct dev *d)
{
	if (follows_host(d))
		return packet_mtu_is_set(d);
	return !dev_is_bridge(d) || bridge_of(d)->mtu_is_set;
}

void canon_link_add(struct text *t, struct dev *d)
{
	char mac[MAC_TEXT_MAX];
	uint64_t mask;

	if (d->link_flags & DEV_SECOND)
		return;
	text_printf(t, "link add");
	link_name(t, d->name);
	if (d->ifindex >= VX_IFINDEX_FIRST)
		text_printf(t, " index %u", d->ifindex);
	if (!follows_host(d))
		text_printf(t, " address %s", mac_text(&d->mac, mac));
	if (mtu_is_its_own(d))
		text_printf(t, " mtu %u", d->mtu);
	if (d->link_flags & DEV_NOHOST)
		text_printf(t, " nohost");
	if (*d->netns) {
		text_printf(t, " netns");
		canon_word(t, d->netns, true);
	}
	if (*d->host_name) {
		text_printf(t, " netname");
		canon_word(t, d->host_name, false);
	}
	if (d->type->fill_info)
		d->type->fill_info(d, d->opts);
	mask = mask_of(d->type, d->opts);
	if (d->type->attrs == &mem_attrs && is_first_of_pair(d))
		mask = 0;
	canon_options(t, d->vx, d->type, d->opts, mask);
	text_printf(t, "\n");
	if (d->type->attrs == &mem_attrs && io_mem_peer(d) && io_mem_peer(d)->lower == d)
		second(t, io_mem_peer(d));
}

void canon_link_set(struct text *t, struct dev *d, const struct link_cfg *cfg, const void *opts,
		    uint64_t mask)
{
	char mac[MAC_TEXT_MAX], name[DEV_NAME_MAX];
	size_t begin = t->len, empty;

	text_printf(t, "link set");
	link_name(t, d->name);
	empty = t->len;
	if (cfg->has_mac)
		text_printf(t, " address %s", mac_text(&cfg->mac, mac));
	if (cfg->has_mtu)
		text_printf(t, " mtu %u", cfg->mtu);
	if (cfg->has_master && cfg->master) {
		text_printf(t, " master");
		canon_word(t, name_of(d->vx, cfg->master, name), false);
	} else if (cfg->has_master)
		text_printf(t, " nomaster");
	if (cfg->has_up)
		text_printf(t, cfg->up ? " up" : " down");
	if (mask)
		canon_options(t, d->vx, d->type, opts, mask);
	if (t->len == empty)
		text_cut(t, begin);
	else
		text_printf(t, "\n");
}

void canon_link_del(struct text *t, struct dev *d)
{
	text_printf(t, "link del");
	link_name(t, d->name);
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

	text_printf(t, "fdb %s %s dev", cmd, mac_text(&r->mac, mac));
	canon_word(t, d->name, false);
	if (r->has_dst)
		text_printf(t, " dst %s", ip_text(&r->dst, ip));
	if (r->has_port)
		text_printf(t, " port %u", r->port);
	if (r->has_vni)
		text_printf(t, " vni %u", r->vni);
	if (r->has_src_vni)
		text_printf(t, " src_vni %u", r->src_vni);
	if (r->has_ifindex) {
		text_printf(t, " via");
		canon_word(t, name_of(d->vx, r->ifindex, name), false);
	}
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
	text_printf(t, " dev");
	canon_word(t, d->name, false);
	text_printf(t, "\n");
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
	if (r->ifindex) {
		text_printf(t, " dev");
		canon_word(t, name_of(vx, r->ifindex, name), false);
	}
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
	text_printf(t, " dev");
	canon_word(t, d->name, false);
	text_printf(t, "\n");
}

/* --- all --------------------------------------------------------------------------------------------- */

struct all {
	struct text *t;
	struct vx *vx;
	struct dev *d;
	struct mac last; /* of the entry before */
	struct fdb_view *deflt; /* the remotes of a vxlan device's default entry */
	uint32_t n_deflt, cap_deflt;
};

enum { ENTRY_MARK = 1 }; /* where the lines of an entry begin, until they are put in order */

static void put_fdb(struct all *x, const char *cmd, const struct fdb_view *v)
{
	struct vxlan_dev *vd = dev_is_vxlan(x->d) ? vxlan_dev(x->d) : NULL;
	struct fdb_req r = {.mac = v->mac, .state = v->state, .flags = v->flags};

	r.has_dst = v->has_dst;
	r.dst = v->dst;
	r.port_dev = v->port_dev;
	if (v->has_dst) {
		r.has_port = vd && v->port != vxlan_opts(vd)->dstport;
		r.port = v->port;
		r.has_vni = vd && v->vni != vxlan_opts(vd)->id;
		r.vni = v->vni;
		r.has_src_vni = vd && v->src_vni != vxlan_opts(vd)->id;
		r.src_vni = v->src_vni;
		r.has_ifindex = v->ifindex != 0;
		r.ifindex = v->ifindex;
	}
	canon_fdb(x->t, v->port_dev ? v->port_dev : x->d, cmd, &r);
}

/* Of a routing daemon, which makes it anew. */
static bool is_others(const struct fdb_view *v)
{
	return v->flags & NTF_EXT_LEARNED || v->protocol;
}

static void keep_default(struct all *x, const struct fdb_view *v)
{
	if (x->n_deflt == x->cap_deflt) {
		uint32_t cap = x->cap_deflt ? 2 * x->cap_deflt : 8;
		struct fdb_view *list = realloc(x->deflt, cap * sizeof(*list));

		if (!list) {
			x->t->failed = true;
			return;
		}
		x->deflt = list;
		x->cap_deflt = cap;
	}
	x->deflt[x->n_deflt++] = *v;
}

static int one_fdb(void *ctx, const struct fdb_view *v)
{
	struct all *x = ctx;

	if (dev_is_vxlan(x->d) && mac_is_zero(&v->mac)) {
		keep_default(x, v);
		return 0;
	}
	if (v->maker.how != MAKER_CONTROL || is_others(v))
		return 0;
	if (!x->t->len || !mac_eq(&v->mac, &x->last))
		text_printf(x->t, "%c", ENTRY_MARK);
	x->last = v->mac;
	put_fdb(x, mac_is_unicast(&v->mac) ? "add" : "append", v);
	return 0;
}

/* What the remote option makes of the default entry when the device is made. */
static struct fdb_view default_of(const struct vxlan_opts *o)
{
	return (struct fdb_view){.state = NUD_PERMANENT | NUD_NOARP, .flags = NTF_SELF, .src_vni = o->id,
				 .has_dst = true, .dst = o->remote, .port = o->dstport, .vni = o->id,
				 .ifindex = o->dev};
}

static bool is_same_remote(const struct fdb_view *a, const struct fdb_view *b)
{
	return ip_eq(&a->dst, &b->dst) && a->port == b->port && a->vni == b->vni &&
	       a->ifindex == b->ifindex;
}

/* From that entry to the one that is; it is the first that a device has. */
static void put_default(struct all *x)
{
	const struct vxlan_opts *o = vxlan_opts(vxlan_dev(x->d));
	struct fdb_view made = default_of(o), *first = x->n_deflt ? &x->deflt[0] : NULL;
	bool is_made = !ip_is_any(&o->remote);
	uint32_t i = 0;

	if (first && is_others(first))
		return;
	if (is_made && first && is_same_remote(first, &made)) {
		if (first->state == made.state && first->flags == made.flags)
			i = 1; /* nothing to say of it */
	} else if (is_made) {
		put_fdb(x, "del", &made);
	}
	for (; i < x->n_deflt; i++)
		put_fdb(x, "append", &x->deflt[i]);
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

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines whose order means nothing, and differs from run to run. */
static void sorted(struct text *to, struct text *from)
{
	size_t n = 0, at = 0;
	char **lines;

	for (size_t i = 0; i < from->len; i++)
		n += from->s[i] == '\n';
	lines = calloc(n + 1, sizeof(*lines));
	to->failed |= !lines || from->failed;
	for (size_t i = 0; lines && i < n; i++) {
		lines[i] = from->s + at;
		at += strcspn(from->s + at, "\n");
		from->s[at++] = 0;
	}
	if (lines)
		qsort(lines, n, sizeof(*lines), by_text);
	for (size_t i = 0; lines && i < n; i++)
		text_printf(to, "%s\n", lines[i]);
	free(lines);
	text_done(from);
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
	struct text neighs = {0};

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
	x.t = &neighs;
	neigh_each(vx, NULL, one_neigh, &x);
	sorted(t, &neighs);
	list_for_each (d, &vx->devs, struct dev, node) {
		struct text entries = {0};

		x = (struct all){.t = &entries, .vx = vx, .d = d};
		if (d->ops->fdb_dump && d->owner == OWNER_NETLINK)
			d->ops->fdb_dump(d, one_fdb, &x);
		x.t = t;
		if (dev_is_vxlan(d) && d->owner == OWNER_NETLINK)
			put_default(&x);
		t->failed |= entries.failed;
		oldest_first(t, &entries);
		free(x.deflt);
	}
}
