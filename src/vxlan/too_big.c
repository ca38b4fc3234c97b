/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame that is longer than its path takes: who sent it is told, so that the next ones are
 * shorter (vxlan.md 3.9).  A port of a bridge or of a datapath gets the ICMP error as if it had
 * come out of the tunnel, and the frame is gone.  vx's own stack lowers the route's MTU, the host
 * behind a device gets the error, and the frame goes on, in fragments if it may.
 */
#include "net/gro.h"
#include "net/gso.h"
#include "net/icmp.h"
#include "net/route.h"
#include "vxlan/build.h"
#include "vxlan/device.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/vxlan.h"

enum {
	ETH = sizeof(struct eth_hdr),
	MTU4_MIN = 576, /* of what is told, and how long the error is at most */
	MTU6_MIN = 1280,
	HEAD4 = sizeof(struct ip4_hdr) + sizeof(struct icmp_hdr),
	HEAD6 = sizeof(struct ip6_hdr) + sizeof(struct icmp_hdr),
};

/* --- what may be answered ----------------------------------------------------------------------
 */

/* The type of the ICMP message behind 'at' bytes, if it is there. */
static bool icmp_type(const struct pkt *p, uint32_t at, uint8_t *type)
{
	if (at >= pkt_total(p))
		return false;
	pkt_copy_out(p, at, type, 1);
	return true;
}

static bool may_tell4(const struct pkt *p, uint32_t mtu)
{
	const struct ip4_hdr *ip = (const struct ip4_hdr *)(p->data + ETH);
	struct ip_addr src = ip_from4(ip->src), dst = ip_from4(ip->dst);
	uint8_t type;

	if (mtu < MTU4_MIN || be16_get(ip->frag) != IP4_DF || ip_is_multicast(&dst) ||
	    be32_get(ip->dst) == UINT32_MAX || !icmp_is_single_host(&src))
		return false;
	return ip->proto != IPPROTO_ICMP4_ ||
	       (icmp_type(p, ETH + ip4_hdr_len(ip), &type) && !icmp4_is_error(type));
}

/* Behind extension headers, whose chain has to end within the packet. */
static bool find_upper6(const struct pkt *p, uint8_t *proto, uint32_t *at)
{
	uint8_t next = ((const struct ip6_hdr *)(p->data + ETH))->next;
	uint32_t off = ETH + sizeof(struct ip6_hdr);

	while (next == IP6_HOPOPTS || next == IP6_ROUTING || next == IP6_DSTOPTS ||
	       next == IP6_AH || next == IP6_FRAGMENT) {
		struct ip6_frag_hdr h; /* as long as the least of any */

		if (off > pkt_total(p) || sizeof(h) > pkt_total(p) - off)
			return false;
		pkt_copy_out(p, off, &h, sizeof(h));
		if (next == IP6_FRAGMENT && be16_get(h.frag) & ~7u)
			break; /* a later piece: what it is of does not show */
		off += next == IP6_FRAGMENT ? sizeof(h)
		       : next == IP6_AH	    ? (h.rsvd + 2u) * 4
					    : (h.rsvd + 1u) * 8;
		next = h.next;
	}
	*proto = next;
	*at = off;
	return next != IP6_NONEXT && off <= pkt_total(p);
}

/* A group could not be the error's source; the kernel sends it all the same. */
static bool may_tell6(const struct pkt *p, uint32_t mtu)
{
	const struct ip6_hdr *ip = (const struct ip6_hdr *)(p->data + ETH);
	struct ip_addr src = ip_from6(ip->src), dst = ip_from6(ip->dst);
	uint8_t proto, type;
	uint32_t at;

	if (mtu < MTU6_MIN || !icmp_is_single_host(&src) || ip_is_multicast(&dst) ||
	    !find_upper6(p, &proto, &at))
		return false;
	return proto != IPPROTO_ICMP6_ || (icmp_type(p, at, &type) && !icmp6_is_error(type));
}

/* --- the answer --------------------------------------------------------------------------------
 */

/* A frame back to where p came from, with 'head' bytes of IP and ICMP header to be filled in, and
 * as much of p behind them as makes 'max' in all.  NULL: no memory. */
static struct pkt *answer(struct worker *w, const struct pkt *p, uint32_t head, uint32_t max)
{
	const struct eth_hdr *from = (const struct eth_hdr *)p->data;
	uint32_t quote = MIN(pkt_total(p) - ETH, max - head);
	struct pkt *r = pkt_make(w, ETH + head + quote);
	struct eth_hdr *eth;

	if (!r)
		return NULL;
	eth = pkt_append(r, ETH + head + quote);
	*eth = (struct eth_hdr){.dst = from->src, .src = from->dst, .type = from->type};
	pkt_copy_out(p, ETH, (uint8_t *)(eth + 1) + head, quote);
	r->mark = p->mark;
	return r;
}

static struct pkt *answer4(struct worker *w, const struct pkt *p, uint32_t mtu)
{
	const struct ip4_hdr *from = (const struct ip4_hdr *)(p->data + ETH);
	struct pkt *r = answer(w, p, HEAD4, MTU4_MIN);
	struct icmp_hdr *icmp;
	struct ip4_hdr *ip;

	if (!r)
		return NULL;
	ip = (struct ip4_hdr *)(r->data + ETH);
	*ip = (struct ip4_hdr){.ver_ihl = 0x45,
			       .len = be16_put((uint16_t)(r->len - ETH)),
			       .frag = be16_put(IP4_DF),
			       .ttl = from->ttl,
			       .proto = IPPROTO_ICMP4_,
			       .src = from->dst,
			       .dst = from->src};
	ip->csum = csum(ip, sizeof(*ip));
	icmp = (struct icmp_hdr *)(ip + 1);
	*icmp = (struct icmp_hdr){.type = ICMP4_UNREACH,
				  .code = ICMP4_UNREACH_FRAG,
				  .frag.mtu = be16_put((uint16_t)MIN(mtu, 0xffffu))};
	icmp->csum = csum(icmp, r->len - ETH - sizeof(*ip));
	return r;
}

static struct pkt *answer6(struct worker *w, const struct pkt *p, uint32_t mtu)
{
	const struct ip6_hdr *from = (const struct ip6_hdr *)(p->data + ETH);
	struct ip_addr src = ip_from6(from->dst), dst = ip_from6(from->src);
	struct pkt *r = answer(w, p, HEAD6, MTU6_MIN);
	struct icmp_hdr *icmp;
	struct ip6_hdr *ip;
	uint32_t len;

	if (!r)
		return NULL;
	ip = (struct ip6_hdr *)(r->data + ETH);
	len = r->len - ETH - (uint32_t)sizeof(*ip);
	*ip = (struct ip6_hdr){.vtc_flow = ip6_vtc_flow(0, 0),
			       .payload_len = be16_put((uint16_t)len),
			       .next = IPPROTO_ICMP6_,
			       .hop_limit = from->hop_limit};
	memcpy(ip->src, src.b, sizeof(ip->src));
	memcpy(ip->dst, dst.b, sizeof(ip->dst));
	icmp = (struct icmp_hdr *)(ip + 1);
	*icmp = (struct icmp_hdr){.type = ICMP6_TOO_BIG, .info = be32_put(mtu)};
	icmp->csum = csum_fold(csum_add(csum_pseudo(&src, &dst, IPPROTO_ICMP6_, len), icmp, len));
	return r;
}

/* NULL: none is due, or there is no memory for it. */
static struct pkt *make_answer(struct worker *w, const struct pkt *p, const struct inner *in,
			       uint32_t mtu)
{
	if (in->tagged)
		return NULL;
	if (in->type == ETHTYPE_IP4)
		return may_tell4(p, mtu) ? answer4(w, p, mtu) : NULL;
	if (in->type == ETHTYPE_IP6)
		return may_tell6(p, mtu) ? answer6(w, p, mtu) : NULL;
	return NULL;
}

/* --- to whom -------------------------------------------------------------------------------------
 */

COLD static void trace_told(struct pkt *p, struct pkt *r, uint32_t mtu)
{
	trace_add(p, STAGE_vxlan_xmit_one, SAY_TOLD)->u[0] = mtu;
	trace_fork(p, r);
}

/* As if it had come in by the device, in the turn's second pass. */
static void hand_up(struct worker *w, struct dev *d, struct pkt *r)
{
	eth_type_trans(r, d);
	r->orig_dev = d;
	gro_cells_receive(w, d, r);
}

/* An external device's frame came out of the tunnel that p was to take. */
static void turn_round(struct pkt *r, const struct pkt *p, const struct udp_flow *f,
		       const struct dst *d)
{
	r->has_tun = true;
	r->tun = (struct tun_info){.src = f->dst,
				   .dst = ip_is_any(&f->src) ? d->src : f->src,
				   .id = p->tun.id,
				   .has_key = true,
				   .tos = p->tun.tos,
				   .ttl = p->tun.ttl,
				   .dport = f->dport};
}

static void tell_port(struct worker *w, struct vxlan_dev *v, const struct pkt *p, struct pkt *r,
		      const struct udp_flow *f, const struct dst *d)
{
	struct dev_stats *st = dev_stats(v->dev, w);
	uint32_t len = pkt_total(r);

	if (vxlan_opts(v)->external)
		turn_round(r, p, f, d);
	st->tx_packets++;
	st->tx_bytes += len;
	st->rx_packets++;
	st->rx_bytes += len;
	hand_up(w, v->dev, r);
}

/* A packet of vx's own stack has one of its addresses. */
static void lower_own_route(struct worker *w, const struct dev *d, const struct pkt *p,
			    const struct inner *in, uint32_t mtu)
{
	const uint8_t *at = p->data + ETH;
	const struct ip4_hdr *ip4 = (const struct ip4_hdr *)at;
	const struct ip6_hdr *ip6 = (const struct ip6_hdr *)at;
	bool is4 = in->type == ETHTYPE_IP4;
	struct ip_addr src, dst;

	if (likely(!atomic_load_explicit(&d->has_addr, memory_order_relaxed)) || in->tagged ||
	    (!is4 && in->type != ETHTYPE_IP6))
		return;
	src = is4 ? ip_from4(ip4->src) : ip_from6(ip6->src);
	dst = is4 ? ip_from4(ip4->dst) : ip_from6(ip6->dst);
	if (route_is_local(w->vx->inet, &src))
		route_update_pmtu(w, &dst, mtu);
}

/* Of a super-frame each segment has to fit. */
static bool fits(struct worker *w, struct pkt *p, uint32_t mtu)
{
	uint32_t len = p->gso_size ? gso_network_len(w, p) : 0;

	return len && len <= mtu;
}

bool vxlan_too_big(struct worker *w, struct vxlan_dev *v, struct pkt *p, const struct inner *in,
		   const struct udp_flow *f, const struct dst *d)
{
	uint32_t overhead = vxlan_overhead(!ip_is4(&f->dst));
	uint32_t mtu = d->mtu > overhead ? d->mtu - overhead : 0;
	bool is_port = atomic_load_explicit(&v->dev->rx_handler, memory_order_acquire) != NULL;
	struct pkt *r;

	if (!d->mtu || fits(w, p, mtu))
		return false;
	lower_own_route(w, v->dev, p, in, mtu);
	if (!is_port && !atomic_load_explicit(&v->dev->host, memory_order_relaxed))
		return false;
	r = make_answer(w, p, in, mtu);
	if (!r)
		return false;
	if (unlikely(pkt_trace(p)))
		trace_told(p, r, mtu);
	if (!is_port) {
		hand_up(w, v->dev, r);
		return false;
	}
	tell_port(w, v, p, r, f, d);
	pkt_consume(w, p);
	return true;
}
