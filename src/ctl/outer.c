/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/outer.h"

#include <string.h>

#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

uint32_t outer_head(const struct tun_info *t, uint32_t payload, uint8_t out[OUTER_HEAD_MAX])
{
	struct eth_hdr *eth = (struct eth_hdr *)out;
	struct udp_hdr *udp;
	uint32_t at = sizeof(*eth);

	memset(out, 0, OUTER_HEAD_MAX);
	if (ip_is4(&t->src)) {
		struct ip4_hdr *ip = (struct ip4_hdr *)(out + at);

		eth->type = be16_put(ETHTYPE_IP4);
		*ip = (struct ip4_hdr){.ver_ihl = 0x45, .tos = t->tos, .ttl = t->ttl,
				       .proto = IPPROTO_UDP_, .src = ip_get4(&t->src),
				       .dst = ip_get4(&t->dst)};
		ip->len = be16_put((uint16_t)(sizeof(*ip) + sizeof(*udp) + payload));
		ip->csum = csum(ip, sizeof(*ip));
		at += sizeof(*ip);
	} else {
		struct ip6_hdr *ip = (struct ip6_hdr *)(out + at);

		eth->type = be16_put(ETHTYPE_IP6);
		ip->vtc_flow = ip6_vtc_flow(t->tos, 0);
		ip->payload_len = be16_put((uint16_t)(sizeof(*udp) + payload));
		ip->next = IPPROTO_UDP_;
		ip->hop_limit = t->ttl;
		memcpy(ip->src, t->src.b, 16);
		memcpy(ip->dst, t->dst.b, 16);
		at += sizeof(*ip);
	}
	udp = (struct udp_hdr *)(out + at);
	udp->src = be16_put(t->sport);
	udp->dst = be16_put(t->dport);
	udp->len = be16_put((uint16_t)(sizeof(*udp) + payload));
	return at + (uint32_t)sizeof(*udp);
}
