/* SPDX-License-Identifier: Apache-2.0 */
#include "net/unfinished.h"

#include "net/vx.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"
#include "wire/vxlan.h"

/* Where transport begins, and what its pseudo-header is made of; false if p is not a whole,
 * unfragmented IP packet without extension headers. */
struct transport {
	struct ip_addr src, dst;
	uint32_t at, len; /* from the network header */
	uint8_t proto;
	bool is4;
};

static bool find4(const struct pkt *p, struct transport *t)
{
	const struct ip4_hdr *ip = PKT_PEEK(p, struct ip4_hdr);
	uint32_t total;

	if (!ip || ip->ver_ihl >> 4 != 4)
		return false;
	t->at = ip4_hdr_len(ip);
	total = be16_get(ip->len);
	if (t->at < sizeof(*ip) || total < t->at || total > pkt_total(p) ||
	    (be16_get(ip->frag) & (IP4_MF | IP4_OFFSET)))
		return false;
	t->len = total - t->at;
	t->proto = ip->proto;
	t->src = ip_from4(ip->src);
	t->dst = ip_from4(ip->dst);
	t->is4 = true;
	return true;
}

static bool find6(const struct pkt *p, struct transport *t)
{
	const struct ip6_hdr *ip = PKT_PEEK(p, struct ip6_hdr);

	if (!ip || p->data[0] >> 4 != 6)
		return false;
	t->at = sizeof(*ip);
	t->len = be16_get(ip->payload_len);
	if (t->len > pkt_total(p) - t->at)
		return false;
	t->proto = ip->next;
	t->src = ip_from6(ip->src);
	t->dst = ip_from6(ip->dst);
	return true;
}

static void mark_super(struct pkt *p, const struct transport *t, uint32_t mtu)
{
	uint32_t hdr = t->proto == IPPROTO_TCP_
			       ? tcp_hdr_len((const struct tcp_hdr *)(p->data + t->at))
			       : sizeof(struct udp_hdr);

	if (t->at + t->len <= mtu || mtu <= t->at + hdr || hdr < sizeof(struct udp_hdr))
		return;
	if (!p->gso_size) /* else a control message said it */
		p->gso_size = (uint16_t)(mtu - t->at - hdr);
	p->gso_type = t->proto == IPPROTO_UDP_ ? GSO_UDP : t->is4 ? GSO_TCP4 : GSO_TCP6;
	p->gso_segs = (uint16_t)((t->len - hdr + p->gso_size - 1) / p->gso_size);
}

void unfinished_check(struct worker *w, struct pkt *p, uint32_t mtu)
{
	uint16_t type = be16_get(p->protocol), gso_size = p->gso_size;
	struct transport t = {0};
	uint32_t need, off;
	be16 sum;

	p->csum_state = CSUM_NONE;
	p->gso_size = 0;
	if (!(type == ETHTYPE_IP4 && find4(p, &t)) && !(type == ETHTYPE_IP6 && find6(p, &t)))
		return;
	if (t.proto == IPPROTO_TCP_) {
		need = sizeof(struct tcp_hdr);
		off = offsetof(struct tcp_hdr, csum);
	} else if (t.proto == IPPROTO_UDP_) {
		need = sizeof(struct udp_hdr);
		off = offsetof(struct udp_hdr, csum);
	} else {
		return;
	}
	if (t.len < need || pkt_pull_frags(w->pool, p, t.at + need) < 0)
		return;
	memcpy(&sum, p->data + t.at + off, sizeof(sum));
	if (sum.raw != csum_reduce(csum_pseudo(&t.src, &t.dst, t.proto, t.len)))
		return;
	p->csum_state = CSUM_PARTIAL;
	p->csum_start = pkt_off(p) + t.at;
	p->csum_offset = (uint16_t)off;
	p->gso_size = gso_size;
	mark_super(p, &t, mtu);
	if (!p->gso_type)
		p->gso_size = 0;
}

uint32_t inner_claims(const uint8_t *p, uint32_t len)
{
	uint32_t at = sizeof(struct vxlan_hdr) + sizeof(struct eth_hdr);
	be16 type;

	if (len < at)
		return 0;
	type = ((const struct eth_hdr *)(p + sizeof(struct vxlan_hdr)))->type;
	while (ethtype_is_vlan(type) && len - at >= sizeof(struct vlan_hdr)) {
		type = ((const struct vlan_hdr *)(p + at))->type;
		at += sizeof(struct vlan_hdr);
	}
	if (be16_get(type) == ETHTYPE_IP4 && len - at >= sizeof(struct ip4_hdr))
		return at + be16_get(((const struct ip4_hdr *)(p + at))->len);
	if (be16_get(type) == ETHTYPE_IP6 && len - at >= sizeof(struct ip6_hdr))
		return at + (uint32_t)sizeof(struct ip6_hdr) +
		       be16_get(((const struct ip6_hdr *)(p + at))->payload_len);
	return 0;
}
