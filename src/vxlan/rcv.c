/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage vxlan_rcv: the encapsulation hook.  The numbers are the steps of spec/vxlan.md 2.1; steps
 * 6 and 8 belong to extensions that are not built, 9 to metadata mode.
 */
#include <errno.h>
#include <sys/socket.h>

#include "net/gro.h"
#include "net/unfinished.h"
#include "vxlan/device.h"
#include "vxlan/ecn.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/vxlan.h"

/* What becomes known about a packet on its way through the loops of vxlan_rcv(). */
struct rx_item {
	struct pkt *p;
	struct vxlan_dev *v;
	const struct vxlan_opts *o;
	uint64_t hash; /* of the inner source MAC */
	uint32_t vni;  /* that it is learnt for: an external device's own is 0 */
};

static void drop(struct worker *w, struct pkt *p, enum drop why)
{
	pkt_drop_at(w, p, why, STAGE_vxlan_rcv);
}

COLD static void trace_reserved(struct pkt *p, uint64_t bits)
{
	struct trace_step *s = trace_add(p, STAGE_vxlan_rcv, SAY_RESERVED);

	s->u[0] = (uint32_t)(bits >> 32);
	s->u[1] = (uint32_t)bits;
}

/* Step 10.  An external device's packets carry it on, others are marked. */
static void take_policy(struct pkt *p, const struct vxlan_opts *o, uint32_t flags)
{
	p->tun.gbp = flags & VXLAN_GBP_POLICY;
	if (!o->external)
		p->mark = p->tun.gbp;
	if (unlikely(pkt_trace(p)))
		trace_add(p, STAGE_vxlan_rcv, SAY_POLICY)->u[0] = p->tun.gbp;
}

/* Steps 1 to 5 and 10: header, device, reserved bits, group policy. */
static enum drop check_header(struct worker *w, struct vxlan_sock *s, struct pkt *p,
			      struct rx_item *it)
{
	const struct vxlan_hdr *h;
	uint32_t flags, vni;
	struct dev *d;
	uint64_t bits;

	if (pkt_pull_frags(w->pool, p, sizeof(*h)) < 0)
		return DROP_vxlan_too_short;
	h = PKT_PEEK(p, struct vxlan_hdr);
	flags = be32_get(h->flags);
	vni = vxlan_hdr_vni(h).v;
	bits = (uint64_t)flags << 32 | be32_get(h->vni);
	if (!(flags & VXLAN_F_VNI))
		return DROP_vxlan_no_i_flag;
	d = vni_table_lookup(s->vnis, (vni_t){vni & s->vni_mask});
	if (!d)
		return DROP_vxlan_unknown_vni;
	p->dev = d;
	it->v = vxlan_dev(d);
	it->o = vxlan_opts(it->v);
	if (unlikely(it->o->peers == PEERS_KNOWN) && !peer_is_known(&it->v->fdb.peers, &p->tun.src))
		return DROP_unknown_peer;
	if (bits & it->o->reserved_bits) {
		dev_stats(d, w)->rx_errors++;
		dev_stats(d, w)->rx_frame_errors++;
		if (unlikely(pkt_trace(p)))
			trace_reserved(p, bits & it->o->reserved_bits);
		return DROP_vxlan_reserved_bits;
	}
	p->tun.id = it->vni = vni;
	p->tun.has_key = true;
	if (unlikely(it->o->gbp) && flags & VXLAN_F_GBP)
		take_policy(p, it->o, flags);
	return DROP_NONE;
}

/* Steps 7 and 11: pull, inner Ethernet, own MAC. */
static enum drop open_inner(struct worker *w, struct pkt *p, struct rx_item *it)
{
	const struct eth_hdr *eth;
	struct dev *d = p->dev;

	pkt_pull(p, sizeof(struct vxlan_hdr));
	if (pkt_pull_frags(w->pool, p, sizeof(*eth)) < 0)
		return DROP_inner_too_short;
	eth = (const struct eth_hdr *)p->data;
	if (dev_mac_is(d, &eth->src))
		return DROP_own_mac;
	eth_type_trans(p, d);
	it->hash = fdb_hash(&it->v->fdb, &eth->src, it->vni);
	return DROP_NONE;
}

static const struct eth_hdr *inner_eth(const struct pkt *p)
{
	return (const struct eth_hdr *)pkt_at(p, p->mac_off);
}

COLD static void trace_learn(struct vxlan_dev *v, struct pkt *p, const struct fdb_entry *e,
			     enum fdb_learned what, const struct ip_addr *ip)
{
	struct trace_step *s = trace_add(p, STAGE_vxlan_rcv, SAY_LEARNED);
	struct fdb_view view;

	p->trace_depth--;
	s->depth = p->trace_depth;
	memcpy(s->dev, v->dev->name, sizeof(s->dev));
	s->vni = (uint32_t)p->tun.id;
	s->mac = inner_eth(p)->src;
	s->ip = *ip;
	s->u[0] = what;
	if (!e)
		return;
	fdb_view_of(&v->fdb, e, 0, &view);
	s->state = (uint8_t)view.state;
	s->maker = view.maker;
	s->ip = view.dst;
}

COLD static enum fdb_learned learn_traced(struct worker *w, struct vxlan_dev *v, struct pkt *p,
					  const struct mac *src, uint32_t vni, struct fdb_entry *e,
					  const struct ip_addr *ip, uint32_t ifindex)
{
	enum fdb_learned what = fdb_learn(&v->fdb, src, vni, ip, ifindex, vxlan_opts(v)->dstport,
					  w->now, &e);

	trace_learn(v, p, e, what, ip);
	return what;
}

/* A group policy's "do not learn" (section 12): what control made is still held against it. */
static bool forbids_learning(const struct vxlan_opts *o, const struct pkt *p)
{
	return (o->external ? p->tun.gbp : p->mark) & VXLAN_GBP_DONT_LEARN;
}

/* Step 12. */
static ALWAYS_INLINE bool snoop(struct worker *w, struct vxlan_dev *v, const struct vxlan_opts *o,
				struct pkt *p, const struct mac *src, uint32_t vni,
				struct fdb_entry *e, const struct ip_addr *ip, uint32_t ifindex,
				bool traced)
{
	enum fdb_learned what;

	if (unlikely(!mac_is_unicast(src))) {
		drop(w, p, DROP_inner_bad_source);
		return false;
	}
	if (unlikely(o->gbp) && forbids_learning(o, p))
		what = fdb_check(e, ip, ifindex);
	else if (traced && pkt_trace(p))
		what = learn_traced(w, v, p, src, vni, e, ip, ifindex);
	else
		what = fdb_learn(&v->fdb, src, vni, ip, ifindex, o->dstport, w->now, &e);
	if (unlikely(what == FDB_STATIC)) {
		drop(w, p, DROP_fdb_static_elsewhere);
		return false;
	}
	return true;
}

bool vxlan_snoop(struct worker *w, struct vxlan_dev *v, struct pkt *p, const struct mac *src,
		 struct fdb_entry *e, const struct ip_addr *ip, uint32_t ifindex)
{
	const struct vxlan_opts *o = vxlan_opts(v);

	return snoop(w, v, o, p, src, o->id, e, ip, ifindex, true);
}

/* Step 13: the IP header that the EtherType promises. */
static enum drop check_inner_ip(struct worker *w, struct pkt *p)
{
	uint16_t type = be16_get(p->protocol);
	uint32_t need = type == ETHTYPE_IP4   ? sizeof(struct ip4_hdr)
			: type == ETHTYPE_IP6 ? sizeof(struct ip6_hdr)
					      : 0;

	if (pkt_pull_frags(w->pool, p, need) < 0) {
		dev_stats(p->dev, w)->rx_errors++;
		dev_stats(p->dev, w)->rx_length_errors++;
		return DROP_inner_ip_too_short;
	}
	return DROP_NONE;
}

static void set_ecn4(struct ip4_hdr *ip, uint8_t to)
{
	be16 from, now;

	memcpy(&from, ip, 2);
	ip->tos = (uint8_t)((ip->tos & ~ECN_MASK) | to);
	memcpy(&now, ip, 2);
	ip->csum = csum_update16(ip->csum, from, now);
}

COLD static void trace_ecn(struct pkt *p, uint8_t inner, uint8_t outer)
{
	struct trace_step *s = trace_add(p, STAGE_vxlan_rcv, SAY_ECN);

	s->u[0] = inner;
	s->u[1] = outer;
}

static enum drop merge_ecn(struct worker *w, struct pkt *p, uint8_t outer)
{
	uint16_t type = be16_get(p->protocol);
	uint8_t inner, to = 0;

	if (type == ETHTYPE_IP4)
		inner = ((const struct ip4_hdr *)p->data)->tos & ECN_MASK;
	else if (type == ETHTYPE_IP6)
		inner = ip6_tclass((const struct ip6_hdr *)p->data) & ECN_MASK;
	else
		return DROP_NONE;
	switch (ecn_decapsulate(inner, outer, &to)) {
	case ECN_KEEP:
		return DROP_NONE;
	case ECN_DROP:
		dev_stats(p->dev, w)->rx_errors++;
		dev_stats(p->dev, w)->rx_frame_errors++;
		if (unlikely(pkt_trace(p)))
			trace_ecn(p, inner, outer);
		return DROP_ecn_not_ect;
	case ECN_SET:
		break;
	}
	if (pkt_cow(w->pool, p) < 0)
		return DROP_no_memory;
	if (type == ETHTYPE_IP4) {
		set_ecn4((struct ip4_hdr *)p->data, to);
	} else {
		struct ip6_hdr *ip = (struct ip6_hdr *)p->data;

		ip->vtc_flow =
			ip6_vtc_flow((uint8_t)((ip6_tclass(ip) & ~ECN_MASK) | to), ip6_label(ip));
	}
	return DROP_NONE;
}

/* Step 14: ECN.  An outer Not-ECT changes nothing. */
static inline enum drop apply_ecn(struct worker *w, struct pkt *p)
{
	uint8_t outer = p->tun.tos & ECN_MASK;

	return outer ? merge_ecn(w, p, outer) : DROP_NONE;
}

/* An external device's own MTU says nothing of its tunnels': theirs over an Ethernet. */
static uint32_t usual_mtu(const struct pkt *p)
{
	return 1500 - (ip_is4(&p->tun.src) ? VXLAN_OVERHEAD4 : VXLAN_OVERHEAD6);
}

/* A host's socket does not say whether the inner checksum is finished. */
static ALWAYS_INLINE void check_unsure(struct worker *w, struct pkt *p, uint32_t mtu, bool traced)
{
	unfinished_check(w, p, mtu);
	if (traced && pkt_trace(p) && p->csum_state == CSUM_PARTIAL)
		trace_add(p, STAGE_vxlan_rcv, SAY_PARTIAL)->u[0] = p->gso_size;
}

/* Steps 15 to 17.  An external device hands the tunnel's metadata on (step 9). */
static ALWAYS_INLINE void deliver(struct worker *w, struct pkt *p, bool external, bool traced)
{
	struct dev *d = p->dev;
	struct dev_stats *st = dev_stats(d, w);

	if (unlikely(!dev_is_up(d))) {
		st->rx_dropped++;
		drop(w, p, DROP_dev_down);
		return;
	}
	st->rx_packets++;
	st->rx_bytes += pkt_total(p);
	if (p->csum_state == CSUM_UNSURE)
		check_unsure(w, p, external ? usual_mtu(p) : d->mtu, traced);
	p->orig_dev = d;
	p->hash = 0; /* the outer flow's */
	p->dst = NULL;
	p->has_tun = external;
	if (traced)
		gro_cells_receive(w, d, p);
	else
		gro_cells_add(w, d, p);
}

static ALWAYS_INLINE void finish(struct worker *w, struct rx_item *it, bool traced)
{
	struct pkt *p = it->p;
	const struct mac *src = &inner_eth(p)->src;
	enum drop why;

	if (it->o->learning) {
		struct fdb_entry *e = fdb_lookup(&it->v->fdb, it->hash, src, it->vni);
		uint32_t ifindex = ip_is_linklocal(&p->tun.src) ? p->tun.ifindex : 0;

		if (!snoop(w, it->v, it->o, p, src, it->vni, e, &p->tun.src, ifindex, traced))
			return;
	}
	why = check_inner_ip(w, p);
	if (why == DROP_NONE)
		why = apply_ecn(w, p);
	if (why == DROP_NONE)
		deliver(w, p, it->o->external, traced);
	else
		drop(w, p, why);
}

/* 'traced' is known when this is compiled: a batch without a trace asks no packet for one. */
static ALWAYS_INLINE void finish_all(struct worker *w, struct rx_item *item, uint32_t n,
				     bool traced)
{
	for (uint32_t i = 0; i < n; i++)
		finish(w, &item[i], traced);
}

COLD static void finish_traced(struct worker *w, struct rx_item *item, uint32_t n)
{
	finish_all(w, item, n, true);
}

COLD static void trace_vni(struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];
		const struct vxlan_hdr *h;
		struct trace_step *s;

		if (!pkt_trace(p))
			continue;
		h = PKT_PEEK(p, struct vxlan_hdr);
		s = trace_add(p, STAGE_vxlan_rcv, SAY_VNI);
		s->vni = h ? vxlan_hdr_vni(h).v : 0;
		s->len = pkt_total(p);
		s->ip = p->tun.src;
		s->port = p->tun.dport;
	}
}

void vxlan_rcv(struct worker *w, struct udp_sock *sk, struct batch *b)
{
	struct vxlan_sock *s = sk->tunnel.user_data;
	struct rx_item item[BATCH_MAX];
	bool large = false;
	uint32_t n = 0;

	if (unlikely(b->traced))
		trace_vni(b);
	for (uint32_t i = 0; i < b->n; i++) {
		struct rx_item *it = &item[n];
		enum drop why = check_header(w, s, b->p[i], it);

		it->p = b->p[i];
		if (likely(why == DROP_NONE))
			why = open_inner(w, it->p, it);
		if (unlikely(why != DROP_NONE)) {
			drop(w, it->p, why);
			continue;
		}
		fdb_prefetch(&it->v->fdb, it->hash);
		large |= fdb_is_large(&it->v->fdb);
		n++;
	}
	b->n = 0; /* every datagram is taken */
	for (uint32_t i = 0; large && i < n; i++)
		fdb_prefetch_entry(&item[i].v->fdb, item[i].hash);
	if (unlikely(b->traced))
		finish_traced(w, item, n);
	else
		finish_all(w, item, n, false);
}

/* vxlan.md 8: what the I flag and the VNI's device say comes later, for all that was merged. */
uint32_t vxlan_gro_receive(const struct udp_sock *sk, const uint8_t *p, uint32_t len)
{
	const struct vxlan_hdr *h = (const void *)p;

	(void)sk;
	return len >= sizeof(*h) && be32_get(h->flags) & VXLAN_F_VNI ? sizeof(*h) : 0;
}

/* vxlan.md 2.9: is the quoted datagram one of ours? 'p' is its UDP header. */
int vxlan_err_lookup(struct worker *w, struct udp_sock *sk, const uint8_t *p, uint32_t len)
{
	struct vxlan_sock *s = sk->tunnel.user_data;
	const struct vxlan_hdr *h = (const void *)(p + 8);

	(void)w;
	if (len < 8 + sizeof(*h) || !(be32_get(h->flags) & VXLAN_F_VNI))
		return -ENOENT;
	return vni_table_lookup(s->vnis, vxlan_hdr_vni(h)) ? 0 : -ENOENT;
}
