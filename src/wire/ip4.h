/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 (RFC 791, ECN: RFC 3168). */
#ifndef VX_WIRE_IP4_H
#define VX_WIRE_IP4_H

#include "wire/types.h"

struct WIRE ip4_hdr {
	uint8_t ver_ihl; /* version in the high nibble; header length in 32-bit words */
	uint8_t tos;	 /* DSCP << 2 | ECN */
	be16 len;	 /* header and payload */
	be16 id;
	be16 frag; /* flags and offset in units of 8 bytes */
	uint8_t ttl, proto;
	be16 csum;
	be32 src, dst;
};
static_assert(sizeof(struct ip4_hdr) == 20, "RFC 791, 3.1");

enum { IP4_DF = 0x4000, IP4_MF = 0x2000, IP4_OFFSET = 0x1fff };

enum {
	IPPROTO_ICMP4_ = 1,
	IPPROTO_IGMP_ = 2,
	IPPROTO_TCP_ = 6,
	IPPROTO_UDP_ = 17,
	IPPROTO_ICMP6_ = 58,
	IPPROTO_SCTP_ = 132,
	IPPROTO_UDPLITE_ = 136,
};

enum { ECN_MASK = 3, ECN_NOT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3 };

static inline uint32_t ip4_hdr_len(const struct ip4_hdr *h)
{
	return (h->ver_ihl & 0xfu) * 4;
}

#endif
