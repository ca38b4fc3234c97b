/* SPDX-License-Identifier: Apache-2.0 */
/* VXLAN header (RFC 7348, section 5). */
#ifndef VX_WIRE_VXLAN_H
#define VX_WIRE_VXLAN_H

#include "wire/types.h"

struct WIRE vxlan_hdr {
	be32 flags;
	be32 vni; /* VNI << 8 | reserved */
};
static_assert(sizeof(struct vxlan_hdr) == 8, "RFC 7348, section 5");

#define VXLAN_F_VNI 0x08000000u /* the I flag */
#define VXLAN_F_GBP                                                                                \
	0x80000000u /* the G flag: word 0 has a group policy (draft-smith-vxlan-group-policy) */

/* A group policy in word 0, and where it is kept: its id and two flags, in the same places. */
#define VXLAN_GBP_DONT_LEARN 0x00400000u
#define VXLAN_GBP_APPLIED    0x00080000u
#define VXLAN_GBP_ID	     0x0000ffffu
#define VXLAN_GBP_POLICY     (VXLAN_GBP_DONT_LEARN | VXLAN_GBP_APPLIED | VXLAN_GBP_ID)
#define VXLAN_GBP_USED	     0x80ffffffu /* bits of word 0 that are not reserved with this extension */

enum {
	VXLAN_PORT_IANA = 4789,
	VXLAN_PORT_LINUX = 8472,
	VXLAN_PORT_GPE = 4790,
	VXLAN_OVERHEAD4 = 50, /* Ethernet 14, IPv4 20, UDP 8, VXLAN 8 */
	VXLAN_OVERHEAD6 = 70,
};

static inline uint32_t vxlan_overhead(bool is6)
{
	return is6 ? VXLAN_OVERHEAD6 : VXLAN_OVERHEAD4;
}

static inline vni_t vxlan_hdr_vni(const struct vxlan_hdr *h)
{
	return (vni_t){be32_get(h->vni) >> 8};
}

static inline be32 vxlan_vni_field(vni_t vni)
{
	return be32_put(vni.v << 8);
}

#endif
