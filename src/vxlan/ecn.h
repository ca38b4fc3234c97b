/* SPDX-License-Identifier: Apache-2.0 */
/* ECN through a tunnel: RFC 6040, as vxlan.md 2.7 and 3.5 have it. */
#ifndef VX_VXLAN_ECN_H
#define VX_VXLAN_ECN_H

#include "pkt/pkt.h"

struct worker;

/* What the outer header's ECN field does to the inner packet. */
enum ecn_result { ECN_KEEP, ECN_SET, ECN_DROP };

/* For inner and outer ECN (0..3): what to do; *to is the inner field after ECN_SET. */
enum ecn_result ecn_decapsulate(uint8_t inner, uint8_t outer, uint8_t *to);

/* The outer TOS byte: DSCP of 'tos', ECN of the inner packet, CE as ECT(0). */
static inline uint8_t ecn_encapsulate(uint8_t tos, uint8_t inner)
{
	uint8_t ecn = inner & 3;

	return (uint8_t)((tos & 0xfc) | (ecn == 3 ? 2 : ecn));
}

#endif
