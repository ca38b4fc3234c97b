/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/key.h"

#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/nd.h"
#include "wire/tcp.h"
#include "wire/udp.h"

uint64_t key_hash(struct hash_key key, const struct flow_key *k, uint32_t n)
{
	uint64_t h = key.a ^ n;
	uint32_t i;

	for (i = 0; i + 1 < n; i += 2)
		h = hash_mum(h ^ key_word(k, i), key_word(k, i + 1) ^ key.b ^ i);
	if (i < n)
		h = hash_mum(h ^ key_word(k, i), key.b ^ i);
	return hash_mum(h ^ key.b, 0xd6e8feb86659fd93ull);
}

/* --- the gate -------------------------------------------------------------------------------- */

/* Where the parser is.  Bytes are looked at only after need() said that they are there. */
struct parser {
	struct worker *w;
	struct pkt *p;
	struct flow_key *k;
	struct flow_layers *l;
	uint32_t at;  /* of the header looked at, from data */
	uint32_t end; /* of the bytes that this layer's length claims and the frame has */
};

/* 'n' bytes at 'at', linear; NULL if the layer does not have them. */
static ALWAYS_INLINE const void *need(struct parser *x, uint32_t n)
{
	if (n > x->end || x->at > x->end - n)
		return NULL;
	if (unlikely(x->at + n > x->p->len) && pkt_pull_frags(x->w->pool, x->p, x->at + n) < 0)
		return NULL;
	return x->p->data + x->at;
}

/* --- transport ------------------------------------------------------------------------------- */

static void take_ports(struct parser *x, const void *h)
{
	const struct udp_hdr *u = h; /* ports lie at the front of TCP, UDP, SCTP alike */

	x->k->tp_src = u->src;
	x->k->tp_dst = u->dst;
	x->l->ip_proto = x->k->ip_proto;
}

/* Options of a solicitation or advertisement.  A second one of a kind, or one whose length lies,
 * and nothing of ND is in the key, as in Open vSwitch. */
static bool nd_options(struct parser *x, uint8_t type)
{
	const struct nd_lladdr_opt *o;

	for (; x->at < x->end; x->at += o->len * 8u) {
		struct mac *to = NULL;

		o = need(x, 8);
		if (!o || !o->len || o->len * 8u > x->end - x->at)
			return false;
		if (o->type == ND_OPT_SOURCE_LLADDR && type == ICMP6_NS)
			to = &x->k->sha;
		else if (o->type == ND_OPT_TARGET_LLADDR && type == ICMP6_NA)
			to = &x->k->tha;
		if (!to || o->len != 1)
			continue;
		if (!mac_is_zero(to))
			return false;
		*to = o->addr;
	}
	return true;
}

static void parse_nd(struct parser *x, uint8_t type)
{
	const struct nd_msg *m = need(x, sizeof(*m));

	if (!m)
		return;
	x->k->nd_target = ip_from6(m->target);
	x->at += sizeof(*m);
	if (nd_options(x, type))
		return;
	x->k->nd_target = (struct ip_addr){.d = {0, 0}};
	x->k->sha = x->k->tha = (struct mac){{0}};
}

static void parse_icmp(struct parser *x, bool is6)
{
	const struct icmp_hdr *h = need(x, sizeof(*h));

	if (!h)
		return;
	x->k->tp_src = be16_put(h->type);
	x->k->tp_dst = be16_put(h->code);
	x->l->ip_proto = x->k->ip_proto;
	if (is6 && !h->code && (h->type == ICMP6_NS || h->type == ICMP6_NA))
		parse_nd(x, h->type);
}

/* A transport header that is cut leaves its members zero: the packet is whole as far as IP knows.
 */
static ALWAYS_INLINE void parse_l4(struct parser *x, bool is6)
{
	const struct tcp_hdr *t;
	const void *h;

	x->p->l4_off = pkt_off(x->p) + x->at;
	x->l->frag |= x->k->ip_frag;
	if (x->k->ip_frag == FRAG_LATER)
		return;
	switch (x->k->ip_proto) {
	case IPPROTO_TCP_:
		t = need(x, sizeof(*t));
		if (!t)
			return;
		take_ports(x, t);
		x->k->tcp_flags = be16_put((uint16_t)((t->off & 0x0f) << 8 | t->flags));
		return;
	case IPPROTO_UDP_:
		h = need(x, sizeof(struct udp_hdr));
		if (h)
			take_ports(x, h);
		return;
	case IPPROTO_UDPLITE_: /* nothing of it is in a key; its checksum is kept right */
		if (need(x, sizeof(struct udp_hdr)))
			x->l->ip_proto = x->k->ip_proto;
		return;
	case IPPROTO_SCTP_:
		h = need(x, 12); /* RFC 9260, 3.1 */
		if (h)
			take_ports(x, h);
		return;
	case IPPROTO_ICMP4_:
		if (!is6)
			parse_icmp(x, false);
		return;
	case IPPROTO_ICMP6_:
		if (is6)
			parse_icmp(x, true);
		return;
	}
}

/* --- network ---------------------------------------------------------------------------------
 * Of a header that is cut, or whose lengths lie, nothing is in the key, as in Open vSwitch: a
 * switch passes it on. */

static ALWAYS_INLINE bool has(const struct parser *x, uint32_t n)
{
	return n <= x->end - x->at;
}

static ALWAYS_INLINE enum drop parse_ip4(struct parser *x)
{
	const struct ip4_hdr *ip;
	uint32_t hlen, total;
	uint16_t frag;

	if (unlikely(!has(x, sizeof(*ip))))
		return DROP_NONE;
	ip = need(x, sizeof(*ip));
	if (unlikely(!ip))
		return DROP_no_memory;
	hlen = ip4_hdr_len(ip);
	total = be16_get(ip->len);
	if (unlikely(ip->ver_ihl >> 4 != 4 || hlen < sizeof(*ip) || total < hlen || !has(x, total)))
		return DROP_NONE;
	x->end = x->at + total;
	ip = need(x, hlen);
	if (unlikely(!ip))
		return DROP_no_memory;
	x->k->ip_src = ip_from4(ip->src);
	x->k->ip_dst = ip_from4(ip->dst);
	x->k->ip_proto = ip->proto;
	x->k->ip_tos = ip->tos;
	x->k->ip_ttl = ip->ttl;
	frag = be16_get(ip->frag);
	if (unlikely(frag & (IP4_MF | IP4_OFFSET)))
		x->k->ip_frag = frag & IP4_OFFSET ? FRAG_LATER : FRAG_FIRST;
	x->l->eth_type = ETHTYPE_IP4;
	x->at += hlen;
	parse_l4(x, false);
	return DROP_NONE;
}

/* Walks the extension headers; x->at ends at the transport header.  False: they are cut, and
 * nothing but the addresses is in the key. */
static bool skip_ext(struct parser *x, uint8_t next)
{
	for (;;) {
		const struct ip6_frag_hdr *f;
		const struct ip6_ext_hdr *e;
		uint32_t len;

		x->k->ip_proto = next;
		switch (next) {
		case IP6_HOPOPTS:
		case IP6_ROUTING:
		case IP6_DSTOPTS:
		case IP6_AH:
			e = need(x, 8);
			if (!e)
				return false;
			if (next == IP6_ROUTING && ((const uint8_t *)e)[3])
				x->l->frag |= LAYER_ROUTED;
			next = e->next;
			len = x->k->ip_proto == IP6_AH ? (e->len + 2u) * 4 : (e->len + 1u) * 8;
			break;
		case IP6_FRAGMENT:
			f = need(x, sizeof(*f));
			if (!f)
				return false;
			next = f->next;
			len = sizeof(*f);
			if (be16_get(f->frag) & 0xfff8) { /* what follows is payload */
				x->k->ip_frag = FRAG_LATER;
				x->k->ip_proto = next;
				x->at += len;
				return true;
			}
			/* A fragment that is the whole packet (RFC 6946) is none. */
			x->k->ip_frag = be16_get(f->frag) & 1 ? FRAG_FIRST : x->k->ip_frag;
			break;
		default:
			return true;
		}
		if (!has(x, len))
			return false;
		x->at += len;
	}
}

static ALWAYS_INLINE enum drop parse_ip6(struct parser *x)
{
	const struct ip6_hdr *ip;
	uint32_t total;

	if (unlikely(!has(x, sizeof(*ip))))
		return DROP_NONE;
	ip = need(x, sizeof(*ip));
	if (unlikely(!ip))
		return DROP_no_memory;
	total = (uint32_t)sizeof(*ip) + be16_get(ip->payload_len);
	if (unlikely(x->p->data[x->at] >> 4 != 6 || !has(x, total)))
		return DROP_NONE;
	x->end = x->at + total;
	x->k->ip_src = ip_from6(ip->src);
	x->k->ip_dst = ip_from6(ip->dst);
	x->l->eth_type = ETHTYPE_IP6;
	x->at += sizeof(*ip);
	if (unlikely(!skip_ext(x, ip->next))) {
		x->k->ip_proto = 0;
		x->k->ip_frag = FRAG_NO;
		return DROP_NONE;
	}
	ip = (const struct ip6_hdr *)pkt_at(x->p, x->p->net_off); /* it may have moved */
	x->k->ip_tos = ip6_tclass(ip);
	x->k->ip_ttl = ip->hop_limit;
	x->k->ip6_label = be32_put(ip6_label(ip));
	parse_l4(x, true);
	return DROP_NONE;
}

/* ARP for IPv4 over Ethernet; any other kind has only its EtherType. */
static void parse_arp(struct parser *x)
{
	const struct arp_hdr *a = need(x, sizeof(*a));

	if (!a || be16_get(a->hw_type) != 1 || be16_get(a->proto) != ETHTYPE_IP4 ||
	    a->hw_len != sizeof(struct mac) || a->proto_len != sizeof(be32))
		return;
	x->k->ip_src = ip_from4(a->spa);
	x->k->ip_dst = ip_from4(a->tpa);
	x->k->ip_proto = be16_get(a->op) > 255 ? 0 : (uint8_t)be16_get(a->op);
	x->k->sha = a->sha;
	x->k->tha = a->tha;
	x->l->eth_type = ETHTYPE_ARP;
}

/* --- Ethernet -------------------------------------------------------------------------------- */

/* Of a frame with a length in place of the type: the type of its SNAP header, if it has one. */
static be16 parse_llc(struct parser *x)
{
	static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
	const uint8_t *h = need(x, 8);
	be16 type;

	if (!h || memcmp(h, snap, sizeof(snap)))
		return be16_put(ETHTYPE_NONE);
	memcpy(&type, h + 6, sizeof(type));
	if (be16_get(type) < ETHTYPE_MIN)
		return be16_put(ETHTYPE_NONE);
	x->at += 8;
	return type;
}

static ALWAYS_INLINE enum drop parse_eth(struct parser *x)
{
	const struct eth_hdr *eth = need(x, sizeof(*eth));
	be16 type;

	if (unlikely(!eth))
		return DROP_pkt_too_small;
	x->k->eth_src = eth->src;
	x->k->eth_dst = eth->dst;
	type = eth->type;
	x->at += sizeof(*eth);
	for (uint32_t i = 0; i < ARRAY_LEN(x->k->vlan) && ethtype_is_vlan(type); i++) {
		const struct vlan_hdr *v = need(x, sizeof(*v));

		if (unlikely(!v)) {
			if (!i)
				return DROP_flow_vlan_cut;
			break; /* what is behind the first is the payload's matter */
		}
		x->k->vlan[i].tpid = type;
		x->k->vlan[i].tci = be16_put(be16_get(v->tci) | VLAN_PRESENT);
		type = v->type;
		x->at += sizeof(*v);
	}
	if (unlikely(be16_get(type) < ETHTYPE_MIN))
		type = parse_llc(x);
	x->k->eth_type = type;
	x->p->net_off = pkt_off(x->p) + x->at;
	return DROP_NONE;
}

/* Only a tunnel in metadata mode gives the packet its key; what other devices remember of where a
 * packet came from is none of the datapath's. */
static void take_tunnel(const struct pkt *p, struct flow_tun *t)
{
	const struct tun_info *i = &p->tun;

	if (!i->has_key || i->is_tx)
		return;
	t->src = i->src;
	t->dst = i->dst;
	t->id = i->id;
	t->tp_src = be16_put(i->sport);
	t->tp_dst = be16_put(i->dport);
	t->tos = i->tos;
	t->ttl = i->ttl;
	t->flags = (uint8_t)(TUN_PRESENT | TUN_KEY | (i->df ? TUN_DF : 0) |
			     (i->has_csum ? TUN_CSUM : 0));
	t->gbp_id = gbp_id(i->gbp);
	t->gbp_flags = gbp_flags(i->gbp);
}

enum drop flow_key_extract(struct worker *w, struct pkt *p, uint32_t in_port, struct flow_key *k,
			   struct flow_layers *l)
{
	struct parser x = {.w = w, .p = p, .k = k, .l = l, .end = pkt_total(p)};
	enum drop why;

	memset(k, 0, sizeof(*k));
	*l = (struct flow_layers){0};
	k->in_port = in_port;
	k->skb_mark = p->mark;
	p->mac_off = pkt_off(p);
	if (unlikely(p->has_tun))
		take_tunnel(p, &k->tun);
	why = parse_eth(&x);
	if (unlikely(why != DROP_NONE))
		return why;
	p->l4_off = p->net_off;
	switch (be16_get(k->eth_type)) {
	case ETHTYPE_IP4:
		return parse_ip4(&x);
	case ETHTYPE_IP6:
		return parse_ip6(&x);
	case ETHTYPE_ARP:
		parse_arp(&x);
	}
	return DROP_NONE;
}
