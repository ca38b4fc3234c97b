/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions that change a packet: tags and header fields, with the checksums that cover them.
 *
 * Checksums are updated by the difference (RFC 1624), so a wrong one stays wrong and fragments and
 * super-frames work alike.  Of an unfinished one (CSUM_PARTIAL) there is only the pseudo-header's
 * sum.
 */
#include <errno.h>

#include "datapath/action.h"
#include "wire/crc32c.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

/* --- bits ------------------------------------------------------------------------------------ */

static void put_bits(void *to, const void *value, const void *mask, uint32_t n)
{
	const uint8_t *v = value, *m = mask;
	uint8_t *t = to;

	for (uint32_t i = 0; i < n; i++)
		t[i] = (uint8_t)((t[i] & ~m[i]) | (v[i] & m[i]));
}

static uint8_t mix8(uint8_t old, uint8_t value, uint8_t mask)
{
	return (uint8_t)((old & ~mask) | (value & mask));
}

/* What is to be added where a sum was over 'before' and is over 'after' now. */
static uint64_t difference(uint64_t before, uint64_t after)
{
	return after + (uint16_t)~csum_reduce(before);
}

static be16 apply(be16 c, uint64_t diff)
{
	return (be16){(uint16_t)~csum_reduce((uint16_t)~c.raw + diff)};
}

/* --- transport checksums --------------------------------------------------------------------- */

/* Where the checksum lies that covers pseudo-header and ports; NULL: there is none. */
static be16 *l4_csum_of(const struct pkt *p, const struct flow_layers *l)
{
	uint8_t *h = pkt_at(p, p->l4_off);

	switch (l->ip_proto) {
	case IPPROTO_TCP_:
		return &((struct tcp_hdr *)h)->csum;
	case IPPROTO_UDP_:
	case IPPROTO_UDPLITE_:
		return &((struct udp_hdr *)h)->csum;
	case IPPROTO_ICMP6_:
		return &((struct icmp_hdr *)h)->csum;
	}
	return NULL;
}

/* 'pseudo': what changed belongs to the pseudo-header, else to the transport header itself. */
static void fix_l4(struct pkt *p, const struct flow_layers *l, uint64_t diff, bool pseudo)
{
	be16 *c = l4_csum_of(p, l);
	bool is_udp = l->ip_proto == IPPROTO_UDP_;

	if (!c)
		return;
	if (p->csum_state == CSUM_PARTIAL && p->csum_start == p->l4_off) {
		if (pseudo) /* not complemented; the rest is summed when it leaves */
			c->raw = csum_reduce(c->raw + diff);
		return;
	}
	if (is_udp && !c->raw) /* sent without */
		return;
	*c = apply(*c, diff);
	if (is_udp && !c->raw)
		c->raw = 0xffff;
}

/* --- network --------------------------------------------------------------------------------- */

static void set_ip4(struct pkt *p, const struct act_ip4 *a, const struct flow_layers *l)
{
	struct ip4_hdr *ip = (struct ip4_hdr *)pkt_at(p, p->net_off);
	uint64_t before = csum_ip4_hdr(ip, sizeof(*ip));
	uint64_t addrs = csum_add(0, &ip->src, 8);

	put_bits(&ip->src, &a->src, &a->src_mask, sizeof(ip->src));
	put_bits(&ip->dst, &a->dst, &a->dst_mask, sizeof(ip->dst));
	ip->tos = mix8(ip->tos, a->tos, a->tos_mask);
	ip->ttl = mix8(ip->ttl, a->ttl, a->ttl_mask);
	ip->csum = apply(ip->csum, difference(before, csum_ip4_hdr(ip, sizeof(*ip))));
	fix_l4(p, l, difference(addrs, csum_add(0, &ip->src, 8)), true);
}

static void set_ip6(struct pkt *p, const struct act_ip6 *a, const struct flow_layers *l)
{
	struct ip6_hdr *ip = (struct ip6_hdr *)pkt_at(p, p->net_off);
	/* With hops left the pseudo-header's destination is the last of them. */
	uint32_t covered = l->frag & LAYER_ROUTED ? 16 : 32;
	uint64_t before = csum_add(0, ip->src, covered);
	uint32_t label = be32_get(a->label_mask) & 0xfffff;

	put_bits(ip->src, &a->src, &a->src_mask, sizeof(ip->src));
	put_bits(ip->dst, &a->dst, &a->dst_mask, sizeof(ip->dst));
	ip->vtc_flow = ip6_vtc_flow(mix8(ip6_tclass(ip), a->tclass, a->tclass_mask),
				    (ip6_label(ip) & ~label) | (be32_get(a->label) & label));
	ip->hop_limit = mix8(ip->hop_limit, a->hlimit, a->hlimit_mask);
	fix_l4(p, l, difference(before, csum_add(0, ip->src, covered)), true);
}

/* --- ports ----------------------------------------------------------------------------------- */

static void set_ports(struct pkt *p, const struct act_ports *a, const struct flow_layers *l)
{
	struct udp_hdr *u = (struct udp_hdr *)pkt_at(p, p->l4_off);
	uint64_t before = csum_add(0, u, 4);

	put_bits(&u->src, &a->src, &a->src_mask, sizeof(u->src));
	put_bits(&u->dst, &a->dst, &a->dst_mask, sizeof(u->dst));
	fix_l4(p, l, difference(before, csum_add(0, u, 4)), false);
}

/* Over what the IP header says is SCTP's, with the checksum's own bytes as zeros. */
static uint32_t sctp_crc(const struct pkt *p, uint32_t len)
{
	uint32_t at = p->l4_off - pkt_off(p), crc = ~0u;
	uint8_t b[256];

	for (uint32_t done = 0; done < len;) {
		uint32_t n = MIN(len - done, (uint32_t)sizeof(b));

		pkt_copy_out(p, at + done, b, n);
		if (!done)
			memset(b + 8, 0, 4);
		crc = crc32c_add(crc, b, n);
		done += n;
	}
	return ~crc;
}

static uint32_t l4_len(const struct pkt *p, const struct flow_layers *l)
{
	uint8_t *net = pkt_at(p, p->net_off);
	uint32_t len = l->eth_type == ETHTYPE_IP4
			       ? be16_get(((struct ip4_hdr *)net)->len)
			       : (uint32_t)sizeof(struct ip6_hdr) +
					 be16_get(((struct ip6_hdr *)net)->payload_len);

	return len - (p->l4_off - p->net_off);
}

/* The sum covers the whole datagram, which a fragment is not: its ports stay. */
static void set_sctp(struct pkt *p, const struct act_ports *a, const struct flow_layers *l)
{
	uint8_t *h = pkt_at(p, p->l4_off);
	uint32_t len = l4_len(p, l), was, crc;

	if ((l->frag & FRAG_MASK) != FRAG_NO)
		return;
	crc = sctp_crc(p, len);
	put_bits(h, &a->src, &a->src_mask, 2);
	put_bits(h + 2, &a->dst, &a->dst_mask, 2);
	crc ^= sctp_crc(p, len);
	/* By the difference: a wrong one stays wrong. */
	was = h[8] | (uint32_t)h[9] << 8 | (uint32_t)h[10] << 16 | (uint32_t)h[11] << 24;
	was ^= crc;
	for (int i = 0; i < 4; i++)
		h[8 + i] = (uint8_t)(was >> 8 * i);
}

/* --- tags ------------------------------------------------------------------------------------ */

static int push_vlan(struct pkt *p, const struct act_vlan *a)
{
	if (pkt_headroom(p) < sizeof(struct vlan_hdr))
		return -ENOBUFS;
	pkt_push(p, sizeof(struct vlan_hdr));
	memmove(p->data, p->data + sizeof(struct vlan_hdr), 2 * sizeof(struct mac));
	memcpy(p->data + 12, &a->tpid, sizeof(a->tpid));
	memcpy(p->data + 14, &a->tci, sizeof(a->tci));
	p->mac_off = pkt_off(p);
	return 0;
}

/* Without a tag there is nothing to take. */
static int pop_vlan(struct worker *w, struct pkt *p)
{
	const uint32_t both = sizeof(struct eth_hdr) + sizeof(struct vlan_hdr);

	if (!ethtype_is_vlan(((const struct eth_hdr *)p->data)->type) || pkt_total(p) < both)
		return 0;
	if (pkt_pull_frags(w->pool, p, both) < 0)
		return -ENOMEM;
	memmove(p->data + sizeof(struct vlan_hdr), p->data, 2 * sizeof(struct mac));
	pkt_pull(p, sizeof(struct vlan_hdr));
	p->mac_off = pkt_off(p);
	return 0;
}

static void set_eth(struct pkt *p, const struct act_eth *a)
{
	struct eth_hdr *eth = (struct eth_hdr *)p->data;

	put_bits(&eth->src, &a->src, &a->src_mask, sizeof(eth->src));
	put_bits(&eth->dst, &a->dst, &a->dst_mask, sizeof(eth->dst));
}

/* --- one action ------------------------------------------------------------------------------ */

/* Does the packet have what the action changes? */
static bool applies(const struct act *a, const struct flow_layers *l)
{
	switch (a->type) {
	case ACT_SET_IP4:
		return l->eth_type == ETHTYPE_IP4;
	case ACT_SET_IP6:
		return l->eth_type == ETHTYPE_IP6;
	case ACT_SET_TCP:
		return l->ip_proto == IPPROTO_TCP_;
	case ACT_SET_UDP:
		return l->ip_proto == IPPROTO_UDP_;
	case ACT_SET_SCTP:
		return l->ip_proto == IPPROTO_SCTP_;
	}
	return true;
}

/* Of the packet's metadata: no byte is touched. */
static bool set_meta(struct pkt *p, const struct act *a)
{
	const struct act_mark *m = (const struct act_mark *)a;

	switch (a->type) {
	case ACT_SET_TUNNEL:
		p->tun = ((const struct act_tunnel *)a)->tun;
		p->has_tun = true;
		return true;
	case ACT_SET_MARK:
		p->mark = (p->mark & ~m->mask) | (m->mark & m->mask);
		return true;
	}
	return false;
}

int act_rewrite(struct worker *w, struct pkt *p, const struct act *a, const struct flow_layers *l)
{
	if (set_meta(p, a) || !applies(a, l))
		return 0;
	if (pkt_cow(w->pool, p) < 0)
		return -ENOMEM;
	/* The sum over all bytes is of those that came. */
	if (p->csum_state == CSUM_COMPLETE && a->type != ACT_SET_ETH)
		p->csum_state = CSUM_NONE;
	switch (a->type) {
	case ACT_PUSH_VLAN:
		return push_vlan(p, (const struct act_vlan *)a);
	case ACT_POP_VLAN:
		return pop_vlan(w, p);
	case ACT_SET_ETH:
		set_eth(p, (const struct act_eth *)a);
		return 0;
	case ACT_SET_IP4:
		set_ip4(p, (const struct act_ip4 *)a, l);
		return 0;
	case ACT_SET_IP6:
		set_ip6(p, (const struct act_ip6 *)a, l);
		return 0;
	case ACT_SET_TCP:
	case ACT_SET_UDP:
		set_ports(p, (const struct act_ports *)a, l);
		return 0;
	case ACT_SET_SCTP:
		set_sctp(p, (const struct act_ports *)a, l);
		return 0;
	}
	return -EINVAL;
}
