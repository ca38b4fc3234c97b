/* SPDX-License-Identifier: Apache-2.0 */
/* Merging: the network header. */
#include "net/gro_flow.h"

#include "net/dev.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

static const struct ip4_hdr *ip4_of(const struct gro_frame *f)
{
	return (const struct ip4_hdr *)(f->p->data + f->net);
}

static const struct ip6_hdr *ip6_of(const struct gro_frame *f)
{
	return (const struct ip6_hdr *)(f->p->data + f->net);
}

static bool addresses4(struct gro_frame *f)
{
	f->is4 = true;
	return pkt_peek(f->p, f->net + sizeof(struct ip4_hdr)) && ip4_of(f)->ver_ihl >> 4 == 4;
}

/* No options, no fragment (nor the bit above DF), header checksum right: it will be replaced. */
static bool plain4(struct gro_frame *f)
{
	const struct ip4_hdr *ip = ip4_of(f);

	f->l4 = f->net + sizeof(*ip);
	f->end = (uint16_t)MIN(f->net + be16_get(ip->len), GRO_IP_MAX);
	f->proto = ip->proto;
	return ip->ver_ihl == 0x45 && !(be16_get(ip->frag) & ~IP4_DF) &&
	       csum(ip, sizeof(*ip)).raw == 0;
}

static bool addresses6(struct gro_frame *f)
{
	f->is4 = false;
	return pkt_peek(f->p, f->net + sizeof(struct ip6_hdr)) && f->p->data[f->net] >> 4 == 6;
}

static bool plain6(struct gro_frame *f)
{
	const struct ip6_hdr *ip = ip6_of(f);
	uint32_t end = f->net + be16_get(ip->payload_len) + (uint32_t)sizeof(*ip);

	f->l4 = f->net + sizeof(*ip);
	f->end = (uint16_t)MIN(end, (uint32_t)GRO_IP_MAX); /* more is never the frame's length */
	f->proto = ip->next;
	return true;
}

static uint32_t hash_of(struct worker *w, const struct gro_frame *f)
{
	uint64_t a[4], tail;
	uint32_t ports;

	memcpy(&ports, f->p->data + f->l4, sizeof(ports));
	tail = (uint64_t)ports << 32 | (f->p->dev->ifindex << 8 ^ f->proto);
	if (f->is4) {
		memcpy(a, &ip4_of(f)->src, 8);
		return (uint32_t)hash_u64(w->vx->key, a[0], tail);
	}
	memcpy(a, ip6_of(f)->src, 32);
	tail ^= hash_u64(w->vx->key, a[0] ^ a[2] << 1, a[1] ^ a[3] << 1);
	return (uint32_t)hash_u64(w->vx->key, a[3], tail);
}

/* A checksum that is to be filled in elsewhere than here (a tunnel inside) must stay so. */
static bool partial_elsewhere(const struct gro_frame *f)
{
	return f->p->csum_state == CSUM_PARTIAL && f->p->csum_start != pkt_off(f->p) + f->l4;
}

enum gro_kind gro_ip_find(struct worker *w, struct gro_frame *f, uint16_t type, bool udp)
{
	struct pkt *p = f->p;
	bool found;

	if (type == ETHTYPE_IP4 && addresses4(f))
		found = plain4(f);
	else if (type == ETHTYPE_IP6 && addresses6(f))
		found = plain6(f);
	else
		return GRO_NO_FLOW;
	if (found && f->proto == IPPROTO_TCP_)
		found = gro_tcp_find(w, f);
	else if (found && f->proto == IPPROTO_UDP_)
		found = gro_udp_find(w, f);
	else
		found = false;
	if (!found)
		return GRO_NO_PORTS;
	f->hash = hash_of(w, f);
	/* Padding behind IP, or a part that is missing, would end up inside the payload. */
	f->may_merge = f->may_merge && !p->gso_size && f->end == pkt_total(p) &&
		       !partial_elsewhere(f) && (udp || f->proto != IPPROTO_UDP_);
	return GRO_HAS_FLOW;
}

bool gro_ip_same_addresses(const struct gro_frame *a, const struct gro_frame *b)
{
	if (a->p->dev != b->p->dev || a->is4 != b->is4)
		return false;
	if (a->is4)
		return memcmp(&ip4_of(a)->src, &ip4_of(b)->src, 8) == 0;
	return memcmp(ip6_of(a)->src, ip6_of(b)->src, 32) == 0;
}

static bool ids_follow(const struct gro_flow *flow, const struct ip4_hdr *a,
		       const struct ip4_hdr *b, uint8_t *ids)
{
	uint16_t by = (uint16_t)(be16_get(b->id) - be16_get(a->id));

	if (by == flow->segs && flow->ids != GRO_IDS_FIXED)
		*ids = GRO_IDS_COUNT;
	else if (by == 0 && flow->ids != GRO_IDS_COUNT && be16_get(a->frag) & IP4_DF)
		*ids = GRO_IDS_FIXED;
	else
		return false;
	return true;
}

bool gro_ip_follows(const struct gro_flow *flow, const struct gro_frame *f, uint8_t *ids)
{
	const struct gro_frame *h = &flow->head;

	if (h->is4) {
		const struct ip4_hdr *a = ip4_of(h), *b = ip4_of(f);

		return a->tos == b->tos && a->ttl == b->ttl && be16_eq(a->frag, b->frag) &&
		       ids_follow(flow, a, b, ids);
	}
	return ip6_of(h)->vtc_flow.raw == ip6_of(f)->vtc_flow.raw &&
	       ip6_of(h)->hop_limit == ip6_of(f)->hop_limit;
}

void gro_ip_finish(struct gro_flow *flow, uint32_t end)
{
	struct pkt *p = flow->head.p;
	uint32_t len = end - flow->head.net;

	if (flow->head.is4) {
		struct ip4_hdr *ip = (struct ip4_hdr *)(p->data + flow->head.net);

		ip->len = be16_put((uint16_t)len);
		ip->csum = (be16){0};
		ip->csum = csum(ip, sizeof(*ip));
		p->gso_fixed_id = flow->ids == GRO_IDS_FIXED;
	} else {
		struct ip6_hdr *ip = (struct ip6_hdr *)(p->data + flow->head.net);

		ip->payload_len = be16_put((uint16_t)(len - sizeof(*ip)));
	}
}

uint64_t gro_ip_pseudo(const struct gro_frame *f, uint32_t len)
{
	be32 tail[2] = {be32_put(len), be32_put(f->proto)};
	uint64_t sum = csum_add(0, tail, sizeof(tail));

	return f->is4 ? csum_add(sum, &ip4_of(f)->src, 8) : csum_add(sum, ip6_of(f)->src, 32);
}
