/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advice for a drop: the list's sentence (pkt/drop_list.h) with what this packet and the model know
 * filled in, or a nearer one.  A command in backquotes is complete, or there are no backquotes: what
 * is not known makes prose of it.
 */
#include <net/if.h>
#include <stdio.h>

#include "base/hash.h"
#include "ctl/advice.h"
#include "net/dev.h"
#include "net/host.h"
#include "net/neigh.h"
#include "vxlan/device.h"

/* --- devices -------------------------------------------------------------------------------------- */

const char *advice_dev(const struct advice *x)
{
	if (*x->drop->dev)
		return x->drop->dev;
	for (const struct trace_step *s = x->drop; s-- > x->t->steps;)
		if (*s->dev)
			return s->dev;
	return x->t->dev;
}

struct dev *advice_tunnel(const struct advice *x)
{
	for (uint16_t i = x->t->n_steps; i-- > 0;) {
		const char *name = x->t->steps[i].dev;
		struct dev *d = *name ? dev_by_name(x->vx, name) : NULL;

		if (d && dev_is_vxlan(d))
			return d;
	}
	return NULL;
}

/* The only interface of the host that could lead anywhere; false: none, or several. */
static bool only_link(struct vx *vx, char *name)
{
	struct host_link l, found;
	uint32_t n = 0;

	for (uint32_t i = 1; i < 256 && vx->host && vx->host->link; i++) {
		l = (struct host_link){0};
		if (dev_by_index(vx, i) || vx->host->link(vx->host_ctx, i, NULL, &l) < 0 ||
		    !(l.flags & IFF_UP) || l.flags & IFF_LOOPBACK)
			continue;
		found = l;
		n++;
	}
	if (n == 1)
		snprintf(name, DEV_NAME_MAX, "%s", found.name);
	return n == 1;
}

/* What is below the tunnel: where the packet came in, what 'dev' says, the only one there is. */
static bool under(const struct advice *x, char *name)
{
	const struct dev *d = advice_tunnel(x);

	*name = 0;
	if (x->t->of_host || (x->v->has_outer && !x->t->from_udp)) {
		snprintf(name, DEV_NAME_MAX, "%s", x->t->dev);
		return true;
	}
	if (d && *d->lower_name) {
		snprintf(name, DEV_NAME_MAX, "%s", d->lower_name);
		return true;
	}
	list_for_each (o, &x->vx->devs, struct dev, node)
		if (!d && dev_is_vxlan(o) && *o->lower_name && !*name &&
		    vxlan_dev(o)->host == trace_is_host(x->t) &&
		    vxlan_opts(vxlan_dev(o))->dstport == x->v->dport)
			snprintf(name, DEV_NAME_MAX, "%s", o->lower_name);
	if (*name)
		return true;
	return (!d || vxlan_dev(d)->host) && only_link(x->vx, name);
}

/* --- addresses ------------------------------------------------------------------------------------ */

const struct trace_step *advice_step(const struct advice *x, enum trace_say say)
{
	for (uint16_t i = x->t->n_steps; i-- > 0;)
		if (x->t->steps[i].say == say)
			return &x->t->steps[i];
	return NULL;
}

const struct ip_addr *advice_target(const struct advice *x)
{
	const struct trace_step *s = advice_step(x, SAY_REMOTE);

	return s ? &s->ip : NULL;
}

/* The other end: where the packet came from, or was to go. */
static const struct ip_addr *peer(const struct advice *x)
{
	if (x->v->has_outer)
		return &x->v->src;
	return advice_target(x) ? advice_target(x) : x->v->inner_ip ? &x->v->inner_ip_src : NULL;
}

struct pick {
	bool is6, any;
	struct ip_addr ip;
};

static int pick_learned(void *ctx, const struct fdb_view *e)
{
	struct pick *p = ctx;

	if (!e->has_dst || ip_is_any(&e->dst) || ip_is4(&e->dst) == p->is6 ||
	    (e->maker.how != MAKER_LEARNED && !p->any))
		return 0;
	p->ip = e->dst;
	return 1;
}

static int pick_neigh(void *ctx, const struct neigh_view *n)
{
	struct pick *p = ctx;

	if (mac_is_zero(&n->mac) || ip_is4(&n->ip) == p->is6 || ip_is_linklocal(&n->ip))
		return 0;
	if (!ip_is_none(&p->ip))
		return 1; /* several: none */
	p->ip = n->ip;
	return 0;
}

bool advice_remote(const struct advice *x, struct dev *d, struct ip_addr *ip)
{
	struct pick p = {.is6 = d && vxlan_dev(d)->is6};

	if (!d)
		return false;
	if (!fdb_walk(&vxlan_dev(d)->fdb, pick_learned, &p)) {
		p.any = true;
		list_for_each (o, &x->vx->devs, struct dev, node)
			if (dev_is_vxlan(o) && ip_is_none(&p.ip))
				fdb_walk(&vxlan_dev(o)->fdb, pick_learned, &p);
	}
	if (ip_is_none(&p.ip) && !vxlan_dev(d)->host && neigh_each(x->vx, d->lower, pick_neigh, &p))
		return false;
	*ip = p.ip;
	return !ip_is_none(ip);
}

/* An address to be given to a device, with the prefix that it seems to share with the sender. */
static bool say_addr(const struct advice *x, struct text *out)
{
	bool outer = x->v->has_outer && x->drop->drop != DROP_unhandled_proto;
	const struct ip_addr *src = outer ? &x->v->src : &x->v->inner_ip_src;
	const struct ip_addr *dst = outer ? &x->v->dst : &x->v->inner_ip_dst;
	const struct dev *d = dev_by_name(x->vx, advice_dev(x));
	char buf[IP_TEXT_MAX];

	/* Not opened: the frame is the underlay's. */
	if (!outer && x->v->has_outer && !(d && dev_is_vxlan(d))) {
		src = &x->v->src;
		dst = &x->v->dst;
	}
	if ((!outer && !x->v->inner_ip && !x->v->has_outer) || ip_is_multicast(dst) ||
	    ip_is_any(dst) || (ip_is4(dst) && be32_get(ip_get4(dst)) == 0xffffffff))
		return false;
	text_printf(out, "%s/", ip_text(dst, buf));
	if (ip_is4(dst))
		text_printf(out, memcmp(src->b, dst->b, 15) ? "32" : "24");
	else
		text_printf(out, memcmp(src->b, dst->b, 8) ? "128" : "64");
	return true;
}

/* --- numbers and names ----------------------------------------------------------------------------- */

/* The longest packet that the way of the packet carries, as far as its steps and links say. */
static uint32_t path_mtu(const struct advice *x)
{
	uint32_t mtu = 0;

	for (uint16_t i = 0; i < x->t->n_steps; i++) {
		const struct trace_step *s = &x->t->steps[i];
		struct host_link l = {0};

		if (s->say == SAY_ROUTE && s->u[0])
			mtu = s->u[0];
		if (s->stage != STAGE_vxlan_xmit_one || s->say != SAY_REMOTE)
			continue;
		if (s->u[0])
			mtu = s->u[0];
		if (s->u[1] && x->vx->host && x->vx->host->link &&
		    x->vx->host->link(x->vx->host_ctx, s->u[1], NULL, &l) == 0 && l.mtu &&
		    (!mtu || l.mtu < mtu))
			mtu = l.mtu;
	}
	return mtu ? mtu : 1500;
}

/* The MTU for the device that lets this packet, or what the host makes of it, pass. */
static uint32_t best_mtu(const struct advice *x)
{
	const struct dev *d = advice_tunnel(x);
	uint32_t mtu = 1500;

	if (x->drop->drop != DROP_tx_too_big && d)
		return path_mtu(x) - (vxlan_dev(d)->is6 ? 70 : 50);
	for (uint16_t i = 0; i < x->t->n_steps; i++)
		if (x->t->steps[i].say == SAY_DEV && x->t->steps[i].len > 14)
			mtu = x->t->steps[i].len - 14;
	return mtu;
}

static uint32_t vni_of(const struct advice *x)
{
	const struct trace_step *s = advice_step(x, SAY_REMOTE);

	return x->v->has_vni ? x->v->vni : s ? s->vni : x->drop->vni;
}

/* A name for a new device of this VNI that none has yet. */
static void say_newdev(const struct advice *x, struct text *out)
{
	char name[32];

	snprintf(name, sizeof(name), "vxlan%u", vni_of(x));
	for (int i = 2; i < 100 && dev_by_name(x->vx, name); i++)
		snprintf(name, sizeof(name), "vx%u-%d", vni_of(x), i);
	text_printf(out, "%s", name);
}

/* A unicast, locally administered address made from the one that clashes. */
static void say_newmac(const struct advice *x, struct text *out)
{
	const struct dev *d = dev_by_name(x->vx, advice_dev(x));
	uint64_t h = hash_u64(x->vx->key, d ? d->ifindex : 0, x->t->at);
	struct mac m;
	char buf[MAC_TEXT_MAX];

	memcpy(m.b, &h, sizeof(m.b));
	m.b[0] = (uint8_t)((m.b[0] & 0xfc) | 2);
	text_printf(out, "%s", mac_text(&m, buf));
}

/* The interface of the host under a port, or the device's own. */
static void say_hostdev(const struct advice *x, struct text *out)
{
	const struct dev *d = dev_by_name(x->vx, advice_dev(x));
	struct io *io = d ? atomic_load(&d->io) : NULL;
	struct host_link l = {0};

	if (io && io->ifindex && x->vx->host && x->vx->host->link &&
	    x->vx->host->link(x->vx->host_ctx, io->ifindex, NULL, &l) == 0)
		text_printf(out, "%s", l.name);
	else
		text_printf(out, "%s", advice_dev(x));
}

/* --- filling in ------------------------------------------------------------------------------------- */

/* The words of a template: each writes its value, false: it has none. */
static bool say_ip(const struct ip_addr *ip, struct text *out)
{
	char buf[IP_TEXT_MAX];

	if (!ip || ip_is_none(ip))
		return false;
	text_printf(out, "%s", ip_text(ip, buf));
	return true;
}

static bool say_host_ip(const struct ip_addr *ip, struct text *out)
{
	if (!say_ip(ip, out))
		return false;
	text_printf(out, ip_is4(ip) ? "/32" : "/128");
	return true;
}

static bool say_mac(const struct advice *x, const struct mac *m, struct text *out)
{
	char buf[MAC_TEXT_MAX];

	if (x->v->has_inner)
		text_printf(out, "%s", mac_text(m, buf));
	return x->v->has_inner;
}

static bool fill_ip(const struct advice *x, const char *word, struct text *out)
{
	const struct trace_step *next = advice_step(x, SAY_QUEUED);
	struct ip_addr ip;

	if (!strcmp(word, "peer"))
		return say_ip(peer(x), out);
	if (!strcmp(word, "to"))
		return say_ip(advice_target(x), out);
	if (!strcmp(word, "dest"))
		return x->v->has_outer && say_host_ip(&x->v->dst, out);
	if (!strcmp(word, "next"))
		return say_ip(next ? &next->ip : advice_target(x), out);
	if (!strcmp(word, "known"))
		return advice_remote(x, advice_tunnel(x), &ip) && say_ip(&ip, out);
	if (!strcmp(word, "ip"))
		return say_ip(ip_is_none(&x->drop->ip) ? peer(x) : &x->drop->ip, out);
	return say_addr(x, out);
}

static bool fill_dev(const struct advice *x, const char *word, struct text *out)
{
	const struct dev *d = advice_tunnel(x);
	char name[DEV_NAME_MAX];

	if (!strcmp(word, "tunnel"))
		text_printf(out, "%s", d ? d->name : advice_dev(x));
	else if (!strcmp(word, "newdev"))
		say_newdev(x, out);
	else if (!strcmp(word, "hostdev"))
		say_hostdev(x, out);
	else if (!strcmp(word, "on"))
		text_printf(out, "%s%s", under(x, name) ? " dev " : "", name);
	else if (strcmp(word, "under") == 0)
		return under(x, name) && (text_printf(out, "%s", name), true);
	else
		text_printf(out, "%s", advice_dev(x));
	return true;
}

/* True: the word was written. */
static bool fill(const struct advice *x, const char *word, struct text *out)
{
	static const char *const devs[] = {"dev", "tunnel", "newdev", "hostdev", "on", "under"};
	const struct trace_step *fallback = advice_step(x, SAY_FDB_DEFAULT);

	for (size_t i = 0; i < ARRAY_LEN(devs); i++)
		if (!strcmp(word, devs[i]))
			return fill_dev(x, word, out);
	if (!strcmp(word, "vni")) {
		text_printf(out, "%u", vni_of(x));
	} else if (!strcmp(word, "port")) {
		const struct trace_step *s = advice_step(x, SAY_REMOTE);

		text_printf(out, "%u", x->v->dport ? x->v->dport : s ? s->port : x->drop->port);
	} else if (!strcmp(word, "mtu")) {
		text_printf(out, "%u", best_mtu(x));
	} else if (!strcmp(word, "rule")) {
		const struct trace_step *s = advice_step(x, SAY_HOOK);

		return s && (text_printf(out, "%u", s->u[0]), true);
	} else if (!strcmp(word, "newmac")) {
		say_newmac(x, out);
	} else if (!strcmp(word, "src")) {
		return say_mac(x, &x->v->inner_src, out);
	} else if (!strcmp(word, "dst")) {
		return say_mac(x, &x->v->inner_dst, out);
	} else if (!strcmp(word, "entry")) {
		return say_mac(x, fallback ? &(struct mac){{0}} : &x->v->inner_dst, out);
	} else {
		return fill_ip(x, word, out);
	}
	return true;
}

/* What stands for a word without a value, where there is nothing better. */
static void placeholder(const char *word, struct text *out)
{
	if (!strcmp(word, "peer"))
		text_printf(out, "the sender");
	else
		for (const char *c = word; *c; c++)
			text_printf(out, "%c", *c >= 'a' && *c <= 'z' ? *c - 32 : *c);
}

/* Writes a template; with a word unknown the backquotes go: it is no command any more. */
static void expand(struct advice *x, const char *s, struct text *out)
{
	struct text text = {0};
	bool command = false;

	while (*s) {
		const char *end = *s == '{' ? strchr(s, '}') : NULL;
		char word[16];

		if (!end) {
			command ^= *s == '`';
			text_append(&text, s++, 1);
			continue;
		}
		snprintf(word, sizeof(word), "%.*s", (int)(end - s - 1), s + 1);
		if (!fill(x, word, &text)) {
			placeholder(word, &text);
			x->unknown |= command;
		}
		s = end + 1;
	}
	s = text_get(&text);
	for (; *s; s++)
		if (*s != '`' || !x->unknown)
			text_append(out, s, 1);
	text_done(&text);
}

void explain_advice(struct vx *vx, const struct trace *t, const struct trace_step *drop,
		    const struct packet_view *v, char *out, size_t size)
{
	struct advice x = {.vx = vx, .t = t, .drop = drop, .v = v};
	struct text text = {0};
	char buf[400];
	const char *s = advice_nearer(&x, buf, sizeof(buf));

	expand(&x, s ? s : drop_infos[drop->drop].advice, &text);
	snprintf(out, size, "%s", text_get(&text));
	text_done(&text);
}
