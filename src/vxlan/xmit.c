/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stages vxlan_xmit and vxlan_xmit_one: from a frame to the remotes that get it.  The numbers are
 * the steps of spec/vxlan.md 3.1 and 3.5.
 */
#include <errno.h>
#include <sys/socket.h>

#include "net/gro.h"
#include "vxlan/build.h"
#include "vxlan/device.h"
#include "wire/eth.h"
#include "wire/flowhash.h"
#include "wire/vxlan.h"

enum { TUNNELS_MAX = 5 }; /* in each other, as in the kernel */

static void drop(struct worker *w, struct pkt *p, enum drop why)
{
	pkt_drop_at(w, p, why, STAGE_vxlan_xmit_one);
}

/* Copies what a sentence needs of the entry that decided; 'e' of another MAC is the default one. */
COLD static void trace_entry(struct vxlan_dev *v, struct pkt *p, struct fdb_entry *e)
{
	const struct mac *dst = &((const struct eth_hdr *)p->data)->dst;
	struct fdb_more *more = atomic_load_explicit(&e->more, memory_order_acquire);
	struct trace_step *s =
		trace_add(p, STAGE_vxlan_xmit, mac_eq(&e->mac, dst) ? SAY_FDB : SAY_FDB_DEFAULT);
	struct fdb_view view;

	fdb_view_of(&v->fdb, e, 0, &view);
	memcpy(s->dev, v->dev->name, sizeof(s->dev));
	s->mac = ((const struct eth_hdr *)p->data)->dst;
	s->ip = view.dst;
	s->state = (uint8_t)view.state;
	s->maker = view.maker;
	s->u[0] = more ? more->n : 1;
}

/* The peer's route as this worker has it, asked for anew when it is out of date. */
static ALWAYS_INLINE int route_to(struct worker *w, struct udp_sock *sk, struct peer *peer,
				  const struct udp_flow *f, struct dst **out)
{
	struct peer_route *r = &peer->route[w->id];
	int err;

	*out = &r->dst;
	if (likely(r->dst.gen == sk->ops->generation(sk) && r->tos == f->tos && r->dst.gen))
		return r->dst.type == DST_UNREACHABLE ? -EHOSTUNREACH : 0;
	err = sk->ops->route(w, sk, f, &r->dst);
	r->tos = f->tos;
	return err;
}

/* Step 7: the remote is this host, and a device here takes the frame directly.  Counts the whole
 * frame on both; it is learnt from the loopback address. */
static void local_bypass(struct worker *w, struct vxlan_dev *v, struct vxlan_sock *s, struct pkt *p,
			 uint16_t port, uint32_t vni)
{
	struct vxlan_sock *to = likely(port == s->port) ? s : vxlan_sock_on_port(s, port);
	struct dev *d = to ? vni_table_lookup(to->vnis, (vni_t){vni}) : NULL;
	struct dev_stats *st = dev_stats(v->dev, w);
	uint32_t len = pkt_total(p);
	struct ip_addr from = ip_from4(be32_put(0x7f000001));
	struct vxlan_dev *dv;

	if (!d) {
		st->tx_errors++;
		drop(w, p, DROP_bypass_no_device);
		return;
	}
	if (v->is6)
		from = (struct ip_addr){.b = {[15] = 1}};
	if (unlikely(pkt_trace(p))) {
		struct trace_step *step = trace_add(p, STAGE_vxlan_xmit_one, SAY_BYPASS);

		memcpy(step->dev, d->name, sizeof(step->dev));
		step->vni = vni;
	}
	st->tx_packets++;
	st->tx_bytes += len;
	dv = vxlan_dev(d);
	p->has_tun = false;
	eth_type_trans(p, d);
	if (vxlan_opts(dv)->learning) {
		const struct mac *src = &((const struct eth_hdr *)pkt_at(p, p->mac_off))->src;
		uint64_t h = fdb_hash(&dv->fdb, src, vxlan_opts(dv)->id);
		struct fdb_entry *e = fdb_lookup(&dv->fdb, h, src, vxlan_opts(dv)->id);

		if (!vxlan_snoop(w, dv, p, src, e, &from, 0))
			return;
	}
	st = dev_stats(d, w);
	if (!dev_is_up(d)) {
		st->rx_dropped++;
		drop(w, p, DROP_dev_down);
		return;
	}
	st->rx_packets++;
	st->rx_bytes += len;
	p->orig_dev = d;
	gro_cells_receive(w, d, p);
}

static void route_failed(struct worker *w, struct vxlan_dev *v, struct pkt *p,
			 const struct ip_addr *to)
{
	struct dev_stats *st = dev_stats(v->dev, w);

	st->tx_errors++;
	st->tx_carrier_errors++;
	if (unlikely(pkt_trace(p))) {
		struct trace_step *s = trace_add(p, STAGE_vxlan_xmit_one, SAY_REMOTE);

		s->ip = *to;
	}
	drop(w, p, DROP_tunnel_no_route);
}

COLD static void trace_route(struct pkt *p, const struct udp_flow *f, const struct dst *dst,
			     uint32_t vni)
{
	struct trace_step *s = trace_add(p, STAGE_vxlan_xmit_one, SAY_REMOTE);

	s->ip = f->dst;
	s->port = f->dport;
	s->vni = vni;
	s->u[0] = dst->mtu;
	s->u[1] = dst->ifindex;
}

/* Stage vxlan_xmit_one.  Takes p.  'traced' is known when this is compiled: a batch without a trace
 * asks no packet for one. */
static ALWAYS_INLINE void xmit_one(struct worker *w, struct vxlan_dev *v,
				   const struct vxlan_opts *o, struct pkt *p, struct peer *peer,
				   bool traced)
{
	struct vxlan_sock *s = vxlan_sock_of(v, v->is6);
	struct dev_stats *st = dev_stats(v->dev, w);
	struct udp_flow f;
	struct inner in;
	struct dst *dst;

	if (unlikely(inner_parse(w, p, &in) < 0)) {
		st->tx_dropped++;
		drop(w, p, DROP_pkt_too_small);
		return;
	}
	if (unlikely(ip_is_any(&peer->ip))) {
		st->tx_dropped++;
		drop(w, p, DROP_dst_any);
		return;
	}
	if (unlikely(!s)) {
		st->tx_errors++;
		drop(w, p, DROP_no_socket);
		return;
	}
	f = (struct udp_flow){
		.dst = peer->ip,
		.src = o->local,
		.ifindex = peer->ifindex,
		.mark = p->mark,
		.dport = peer->port,
	};
	source_range(o, &f);
	f.sport = source_port(p->hash, f.sport_min, f.sport_max);
	flow_fill(o, &in, ip_is_multicast(&peer->ip), v->is6, &f);
	if (unlikely(route_to(w, s->udp, peer, &f, &dst) < 0)) {
		route_failed(w, v, p, &peer->ip);
		return;
	}
	if (unlikely(dst->mtu_locked))
		f.df = false; /* the path takes less and does not tell: routers have to cut */
	if (traced && pkt_trace(p))
		trace_route(p, &f, dst, peer->vni);
	if (unlikely(dst->ifindex == v->dev->ifindex)) {
		st->tx_errors++;
		st->collisions++;
		drop(w, p, DROP_tunnel_loop);
		return;
	}
	if (unlikely(dst->type == DST_LOCAL && o->localbypass)) {
		local_bypass(w, v, s, p, f.dport, peer->vni);
		return;
	}
	if (unlikely(in.l3_len + v->overhead > dst->mtu) && vxlan_too_big(w, v, p, &in, &f, dst))
		return;
	if (vxlan_build(w, p, (vni_t){peer->vni}) < 0) {
		st->tx_dropped++;
		drop(w, p, DROP_no_memory);
		return;
	}
	if (unlikely(o->gbp))
		vxlan_build_policy(p, p->mark);
	if (traced && pkt_trace(p))
		vxlan_build_trace(p);
	udp_tunnel_set_len(p, in.l3_len);
	udp_tunnel_xmit(w, s->udp, p, &f, dst);
}

static void vxlan_xmit_one(struct worker *w, struct vxlan_dev *v, const struct vxlan_opts *o,
			   struct pkt *p, struct peer *peer)
{
	xmit_one(w, v, o, p, peer, false);
}

COLD static void xmit_one_traced(struct worker *w, struct vxlan_dev *v, const struct vxlan_opts *o,
				 struct pkt *p, struct peer *peer)
{
	xmit_one(w, v, o, p, peer, true);
}

static ALWAYS_INLINE void send_one(struct worker *w, struct vxlan_dev *v,
				   const struct vxlan_opts *o, struct pkt *p, struct peer *peer,
				   bool traced)
{
	if (traced)
		xmit_one_traced(w, v, o, p, peer);
	else
		vxlan_xmit_one(w, v, o, p, peer);
}

/* Step 8: second, third, ..., last, then first; clones for all but the first. */
static void replicate(struct worker *w, struct vxlan_dev *v, const struct vxlan_opts *o,
		      struct pkt *p, const struct fdb_more *more, bool traced)
{
	for (uint32_t i = 1; i < more->n; i++) {
		struct pkt *c = pkt_make_clone(w, p);

		if (c)
			send_one(w, v, o, c, more->peer[i], traced);
		else
			dev_stats(v->dev, w)->tx_dropped++;
	}
	send_one(w, v, o, p, more->peer[0], traced);
}

static ALWAYS_INLINE void send_to(struct worker *w, struct vxlan_dev *v, const struct vxlan_opts *o,
				  struct pkt *p, struct fdb_entry *e, bool traced)
{
	struct fdb_more *more = atomic_load_explicit(&e->more, memory_order_acquire);
	struct peer *peer = atomic_load_explicit(&e->peer, memory_order_acquire);

	fdb_touch_used(e, w->now);
	if (traced && pkt_trace(p))
		trace_entry(v, p, e);
	if (unlikely(more != NULL))
		replicate(w, v, o, p, more, traced);
	else
		send_one(w, v, o, p, peer, traced);
}

static ALWAYS_INLINE void send_all(struct worker *w, struct dev *d, struct batch *b,
				   const uint64_t *hash, bool traced)
{
	static const struct mac zero;
	struct vxlan_dev *v = vxlan_dev(d);
	const struct vxlan_opts *o = vxlan_opts(v);

	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];
		const struct mac *dst = &((const struct eth_hdr *)p->data)->dst;
		struct fdb_entry *e = fdb_lookup(&v->fdb, hash[i], dst, o->id);

		if (!p->hash)
			p->hash = flow_hash(w->vx->key, p->data, p->len);
		if (!e)
			e = fdb_lookup(&v->fdb, fdb_hash(&v->fdb, &zero, o->id), &zero, o->id);
		if (unlikely(!e)) {
			dev_stats(d, w)->tx_dropped++;
			pkt_drop_at(w, p, DROP_no_target, STAGE_vxlan_xmit);
			continue;
		}
		send_to(w, v, o, p, e, traced);
	}
}

COLD static void send_all_traced(struct worker *w, struct dev *d, struct batch *b,
				 const uint64_t *hash)
{
	send_all(w, d, b, hash, true);
}

/* Tunnels that lead through each other: without an end, what has to be cut would never run out of
 * headroom. */
COLD static void too_deep(struct worker *w, struct dev *d, struct batch *b)
{
	dev_stats(d, w)->tx_errors += b->n;
	for (uint32_t i = 0; i < b->n; i++)
		pkt_drop_at(w, b->p[i], DROP_tunnel_too_deep, STAGE_vxlan_xmit);
}

static void xmit_by_fdb(struct worker *w, struct dev *d, struct batch *b)
{
	struct vxlan_dev *v = vxlan_dev(d);
	uint32_t vni = vxlan_opts(v)->id;
	uint64_t hash[BATCH_MAX];

	for (uint32_t i = 0; i < b->n; i++) {
		const struct eth_hdr *eth = (const struct eth_hdr *)b->p[i]->data;

		hash[i] = fdb_hash(&v->fdb, &eth->dst, vni);
		fdb_prefetch(&v->fdb, hash[i]);
	}
	for (uint32_t i = 0; fdb_is_large(&v->fdb) && i < b->n; i++)
		fdb_prefetch_entry(&v->fdb, hash[i]);
	if (unlikely(b->traced))
		send_all_traced(w, d, b, hash);
	else
		send_all(w, d, b, hash, false);
}

static void flush(struct worker *w, struct vxlan_sock *s)
{
	if (s && s->udp->ops->flush)
		s->udp->ops->flush(w, s->udp);
}

void vxlan_xmit(struct worker *w, struct dev *d, struct batch *b)
{
	struct vxlan_dev *v = vxlan_dev(d);

	if (unlikely(w->tunnels == TUNNELS_MAX)) {
		too_deep(w, d, b);
		return;
	}
	w->tunnels++;
	if (unlikely(vxlan_opts(v)->external))
		vxlan_xmit_info(w, d, b);
	else
		xmit_by_fdb(w, d, b);
	flush(w, vxlan_sock_of(v, false));
	flush(w, vxlan_sock_of(v, true));
	w->tunnels--;
}
