/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 and its extension headers (RFC 8200). */
#ifndef VX_WIRE_IP6_H
#define VX_WIRE_IP6_H

#include "wire/types.h"

struct WIRE ip6_hdr {
	be32 vtc_flow; /* version 4, traffic class 8, flow label 20 bits */
	be16 payload_len;
	uint8_t next, hop_limit;
	uint8_t src[16], dst[16];
};
static_assert(sizeof(struct ip6_hdr) == 40, "RFC 8200, 3");

struct WIRE ip6_ext_hdr {
	uint8_t next;
	uint8_t len; /* in units of 8 bytes beyond the first 8 */
};

struct WIRE ip6_frag_hdr {
	uint8_t next, rsvd;
	be16 frag; /* offset in units of 8 bytes << 3 | M */
	be32 id;
};
static_assert(sizeof(struct ip6_frag_hdr) == 8, "RFC 8200, 4.5");

enum {
	IP6_HOPOPTS = 0,
	IP6_ROUTING = 43,
	IP6_FRAGMENT = 44,
	IP6_AH = 51,
	IP6_NONEXT = 59,
	IP6_DSTOPTS = 60,
};

static inline uint8_t ip6_tclass(const struct ip6_hdr *h)
{
	return (uint8_t)(be32_get(h->vtc_flow) >> 20);
}

static inline uint32_t ip6_label(const struct ip6_hdr *h)
{
	return be32_get(h->vtc_flow) & 0xfffff;
}

static inline be32 ip6_vtc_flow(uint8_t tclass, uint32_t label)
{
	return be32_put(6u << 28 | (uint32_t)tclass << 20 | (label & 0xfffff));
}

#endif
