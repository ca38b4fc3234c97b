/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An external device sends a packet where the tunnel information that it carries says (vxlan.md 3.1
 * step 1, 3.5, column "tunnel-info").  There is no remote to keep the route, so each worker keeps
 * those it used last.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "vxlan/build.h"
#include "vxlan/device.h"
#include "vxlan/ecn.h"
#include "wire/flowhash.h"
#include "wire/vxlan.h"

/* A thousand remotes fit: of so many, two in a hundred share a set with four others. */
enum { SETS = 1024, WAYS = 4 };

struct info_route {
	struct ip_addr dst, src;
	uint32_t mark;
	uint8_t tos;
	struct dst route;
};

struct info_routes {
	struct info_route slot[SETS][WAYS]; /* one such array per worker; touched where used */
	uint8_t victim[SETS];
};

struct info_routes *info_routes_new(struct vx *vx)
{
	return calloc(vx->n_workers, sizeof(struct info_routes));
}

static void drop(struct worker *w, struct pkt *p, enum drop why)
{
	pkt_drop_at(w, p, why, STAGE_vxlan_xmit_one);
}

/* Where its route is; else the place that it gets, whose gen is 0. */
static struct info_route *slot_of(struct worker *w, struct vxlan_dev *v, const struct udp_flow *f)
{
	struct info_routes *all = &v->routes[w->id];
	struct info_route *set, *old;
	uint64_t a[4];
	uint32_t at;

	memcpy(a, f->dst.b, 16);
	memcpy(a + 2, f->src.b, 16);
	at = (uint32_t)hash_u64(w->vx->key, a[0] ^ a[2] << 1, a[1] ^ a[3] << 1) % SETS;
	set = all->slot[at];
	for (uint32_t i = 0; i < WAYS; i++)
		if (likely(ip_eq(&set[i].dst, &f->dst) && ip_eq(&set[i].src, &f->src) &&
			   set[i].tos == f->tos && set[i].mark == f->mark))
			return &set[i];
	old = &set[all->victim[at]++ % WAYS];
	*old = (struct info_route){
		.dst = f->dst, .src = f->src, .tos = f->tos, .mark = f->mark};
	return old;
}

static int route_to(struct worker *w, struct vxlan_dev *v, struct udp_sock *sk,
		    const struct udp_flow *f, struct dst **out)
{
	struct info_route *r = slot_of(w, v, f);

	*out = &r->route;
	if (likely(r->route.gen && r->route.gen == sk->ops->generation(sk)))
		return r->route.type == DST_UNREACHABLE ? -EHOSTUNREACH : 0;
	return sk->ops->route(w, sk, f, &r->route);
}

static void fill(const struct vxlan_opts *o, const struct pkt *p, const struct inner *in,
		 struct udp_flow *f)
{
	const struct tun_info *t = &p->tun;
	bool is6 = !ip_is4(&t->dst);

	*f = (struct udp_flow){
		.dst = t->dst,
		.src = t->src,
		.mark = p->mark,
		.dport = t->dport ? t->dport : o->dstport,
		.tos = ecn_encapsulate(t->tos, in->tos),
		.ttl = t->ttl,
		.df = t->df && !is6,
		.csum = t->has_csum,
		.label = is6 ? t->label : 0,
	};
	source_range(o, f);
	f->sport = source_port(p->hash, f->sport_min, f->sport_max);
}

COLD static void trace_info(struct pkt *p, const struct udp_flow *f, const struct dst *dst)
{
	struct trace_step *s;

	trace_add(p, STAGE_vxlan_xmit, SAY_NOTHING); /* nothing to look up: it brought its remote */
	s = trace_add(p, STAGE_vxlan_xmit_one, SAY_REMOTE);
	s->ip = f->dst;
	s->port = f->dport;
	s->vni = (uint32_t)p->tun.id;
	if (!dst)
		return;
	s->u[0] = dst->mtu;
	s->u[1] = dst->ifindex;
}

static void xmit_one(struct worker *w, struct vxlan_dev *v, const struct vxlan_opts *o,
		     struct pkt *p)
{
	struct dev_stats *st = dev_stats(v->dev, w);
	vni_t vni = {(uint32_t)p->tun.id & VNI_MAX};
	struct vxlan_sock *s;
	struct udp_flow f;
	struct inner in;
	struct dst *dst;

	if (unlikely(!p->has_tun || !p->tun.is_tx)) {
		drop(w, p, DROP_no_tunnel_info); /* no counter (R) */
		return;
	}
	if (unlikely(inner_parse(w, p, &in) < 0 || ip_is_any(&p->tun.dst))) {
		st->tx_dropped++;
		drop(w, p, ip_is_any(&p->tun.dst) ? DROP_dst_any : DROP_pkt_too_small);
		return;
	}
	s = vxlan_sock_of(v, !ip_is4(&p->tun.dst));
	if (unlikely(!s)) {
		st->tx_errors++;
		drop(w, p, DROP_no_socket);
		return;
	}
	if (!p->hash)
		p->hash = flow_hash(w->vx->key, p->data, p->len);
	fill(o, p, &in, &f);
	if (unlikely(route_to(w, v, s->udp, &f, &dst) < 0)) {
		st->tx_errors++;
		st->tx_carrier_errors++;
		if (pkt_trace(p))
			trace_info(p, &f, NULL);
		drop(w, p, DROP_tunnel_no_route);
		return;
	}
	if (unlikely(pkt_trace(p)))
		trace_info(p, &f, dst);
	if (unlikely(dst->ifindex == v->dev->ifindex)) {
		st->tx_errors++;
		st->collisions++;
		drop(w, p, DROP_tunnel_loop);
		return;
	}
	if (unlikely(in.l3_len + vxlan_overhead(!ip_is4(&f.dst)) > dst->mtu) &&
	    vxlan_too_big(w, v, p, &in, &f, dst))
		return;
	if (vxlan_build(w, p, vni) < 0) {
		st->tx_dropped++;
		drop(w, p, DROP_no_memory);
		return;
	}
	if (unlikely(o->gbp))
		vxlan_build_policy(p, p->tun.gbp);
	if (unlikely(pkt_trace(p)))
		vxlan_build_trace(p);
	udp_tunnel_set_len(p, in.l3_len);
	udp_tunnel_xmit(w, s->udp, p, &f, dst);
}

void vxlan_xmit_info(struct worker *w, struct dev *d, struct batch *b)
{
	struct vxlan_dev *v = vxlan_dev(d);
	const struct vxlan_opts *o = vxlan_opts(v);

	for (uint32_t i = 0; i < b->n; i++)
		xmit_one(w, v, o, b->p[i]);
}
