/* SPDX-License-Identifier: Apache-2.0 */
/* Merging: the headers of a tunnel around what merges (vxlan.md 8, outer level). */
#include "net/gro_flow.h"
#include "net/udp_inet.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

/* Behind the outer IP header: where a tunnel of 8 bytes (there is no other) has its inner frame, and
 * the linear bytes that tell whether it is TCP. */
enum {
	TUNNEL_LEN = 8,
	BEFORE_ETH = sizeof(struct udp_hdr) + TUNNEL_LEN,
	LEAST = BEFORE_ETH + sizeof(struct eth_hdr) + sizeof(struct ip4_hdr),
};

static bool is4(const struct gro_frame *f)
{
	return f->outer_l4 == sizeof(struct ip4_hdr);
}

static struct ip4_hdr *ip4_of(const struct gro_frame *f)
{
	return (struct ip4_hdr *)f->p->data;
}

static struct ip6_hdr *ip6_of(const struct gro_frame *f)
{
	return (struct ip6_hdr *)f->p->data;
}

static struct udp_hdr *udp_of(const struct gro_frame *f)
{
	return (struct udp_hdr *)(f->p->data + f->outer_l4);
}

/* A glance at bytes where plain headers have them. */
static inline bool may_be_tcp(const struct pkt *p)
{
	const be16 type4 = be16_put(ETHTYPE_IP4), type6 = be16_put(ETHTYPE_IP6);
	bool is6 = be16_eq(p->protocol, type6);
	uint32_t l4 = is6 ? sizeof(struct ip6_hdr) : sizeof(struct ip4_hdr);
	const uint8_t *d = p->data;
	const struct eth_hdr *eth;

	if ((!is6 && !be16_eq(p->protocol, type4)) || p->len < l4 + LEAST ||
	    d[is6 ? offsetof(struct ip6_hdr, next) : offsetof(struct ip4_hdr, proto)] != IPPROTO_UDP_)
		return false;
	eth = (const struct eth_hdr *)(d + l4 + BEFORE_ETH);
	if (be16_eq(eth->type, type4))
		return ((const struct ip4_hdr *)(eth + 1))->proto == IPPROTO_TCP_;
	return be16_eq(eth->type, type6) &&
	       ((const struct ip6_hdr *)(eth + 1))->next == IPPROTO_TCP_;
}

uint64_t gro_tunnel_look(const struct batch *b)
{
	uint64_t found = 0;

	for (uint32_t i = 0; i < b->n; i++)
		found |= (uint64_t)may_be_tcp(b->p[i]) << i;
	return found;
}

/* Outer headers without options, fragments or extensions, whose lengths are the packet's. */
static bool outer_is_plain(const struct gro_frame *f)
{
	uint32_t total = pkt_total(f->p);

	if (be16_get(udp_of(f)->len) != total - f->outer_l4)
		return false;
	if (is4(f)) {
		const struct ip4_hdr *ip = ip4_of(f);

		return ip->ver_ihl == 0x45 && !(be16_get(ip->frag) & ~IP4_DF) &&
		       be16_get(ip->len) == total && csum(ip, sizeof(*ip)).raw == 0;
	}
	return f->p->data[0] >> 4 == 6 &&
	       be16_get(ip6_of(f)->payload_len) + sizeof(struct ip6_hdr) == total;
}

enum gro_kind gro_tunnel_find(struct worker *w, struct gro_frame *f)
{
	bool is6 = be16_get(f->p->protocol) == ETHTYPE_IP6;
	const struct udp_sock *sk;
	uint32_t at;

	f->outer_l4 = is6 ? sizeof(struct ip6_hdr) : sizeof(struct ip4_hdr);
	at = f->outer_l4 + (uint32_t)sizeof(struct udp_hdr);
	sk = udp_tunnel_on(w->vx->inet, is6, be16_get(udp_of(f)->dst));
	if (!sk || !outer_is_plain(f) ||
	    sk->tunnel.gro_receive(sk, f->p->data + at, f->p->len - at) != TUNNEL_LEN)
		return GRO_NO_FLOW;
	f->net = (uint16_t)(f->outer_l4 + BEFORE_ETH + sizeof(struct eth_hdr));
	return gro_ip_find(w, f, be16_get(((const struct eth_hdr *)(f->p->data + f->net) - 1)->type),
			   false);
}

bool gro_tunnel_same(const struct gro_frame *a, const struct gro_frame *b)
{
	uint32_t at = a->outer_l4 + (uint32_t)sizeof(struct udp_hdr);

	if (a->outer_l4 != b->outer_l4 ||
	    memcmp(a->p->data + at, b->p->data + at, a->net - at) != 0)
		return false;
	if (is4(a))
		return memcmp(&ip4_of(a)->src, &ip4_of(b)->src, 8) == 0;
	return memcmp(ip6_of(a)->src, ip6_of(b)->src, 32) == 0;
}

/* Not the IPv4 ids: nothing of them is left when the tunnel ends. */
bool gro_tunnel_follows(const struct gro_frame *head, const struct gro_frame *f)
{
	const struct udp_hdr *u = udp_of(head), *v = udp_of(f);

	if (memcmp(u, v, 4) != 0 || !u->csum.raw != !v->csum.raw)
		return false;
	if (is4(head)) {
		const struct ip4_hdr *a = ip4_of(head), *b = ip4_of(f);

		return a->tos == b->tos && a->ttl == b->ttl && be16_eq(a->frag, b->frag);
	}
	return ip6_of(head)->vtc_flow.raw == ip6_of(f)->vtc_flow.raw &&
	       ip6_of(head)->hop_limit == ip6_of(f)->hop_limit;
}

bool gro_tunnel_csum_ok(const struct gro_frame *f, uint64_t inner)
{
	uint32_t len = f->end - f->outer_l4;
	be32 tail[2] = {be32_put(len), be32_put(IPPROTO_UDP_)};
	uint64_t sum = csum_add(inner, tail, sizeof(tail));

	if (!udp_of(f)->csum.raw)
		return true;
	sum = is4(f) ? csum_add(sum, &ip4_of(f)->src, 8) : csum_add(sum, ip6_of(f)->src, 32);
	sum = csum_add(sum, f->p->data + f->outer_l4, f->l4 - f->outer_l4);
	return csum_reduce(sum) == 0xffff;
}

/* The outer checksum stays as it is: that of an unfinished packet is looked at by nobody. */
void gro_tunnel_finish(const struct gro_frame *head, uint32_t end)
{
	udp_of(head)->len = be16_put((uint16_t)(end - head->outer_l4));
	if (is4(head)) {
		struct ip4_hdr *ip = ip4_of(head);

		ip->len = be16_put((uint16_t)end);
		ip->csum = (be16){0};
		ip->csum = csum(ip, sizeof(*ip));
	} else {
		ip6_of(head)->payload_len = be16_put((uint16_t)(end - sizeof(struct ip6_hdr)));
	}
}
