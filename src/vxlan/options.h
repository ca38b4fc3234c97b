/* SPDX-License-Identifier: Apache-2.0 */
/* Options of a VXLAN device: spec/vxlan.md 1.1, and vx's own. */
#ifndef VX_VXLAN_OPTIONS_H
#define VX_VXLAN_OPTIONS_H

#include "net/attr.h"
#include "wire/types.h"

struct vxlan_opts {
	uint64_t reserved_bits; /* word 0 << 32 | word 1 of the header */
	struct ip_addr remote, local;
	uint32_t id, dev, flowlabel, label_policy, ageing, maxaddress;
	struct attr_range srcport; /* 0 0: the host's ephemeral range */
	uint16_t dstport;	   /* 0: 8472 */
	uint8_t ttl, tos, df, peers;
	bool ttl_inherit, learning, proxy, rsc, l2miss, l3miss, udpcsum, udp6zerocsumtx,
		udp6zerocsumrx, remcsumtx, remcsumrx, remcsum_nopartial, gbp, gpe, external,
		vnifilter, localbypass, mcroute;
};

enum { DF_UNSET, DF_SET, DF_INHERIT };
enum { LABEL_FIXED, LABEL_INHERIT };
enum { PEERS_ANY, PEERS_KNOWN };
enum { VXLAN_SPORT_MIN = 32768, VXLAN_SPORT_MAX = 60999 }; /* unless srcport says otherwise */

/* In the order in which iproute2 looks for an abbreviation. */
enum vxlan_attr {
	VXA_ID, VXA_REMOTE, VXA_LOCAL, VXA_DEV, VXA_TTL, VXA_TTL_INHERIT, VXA_TOS, VXA_DF,
	VXA_LABEL, VXA_LABEL_POLICY, VXA_AGEING, VXA_LIMIT, VXA_SRCPORT, VXA_DSTPORT,
	VXA_LEARNING, VXA_PROXY, VXA_RSC, VXA_L2MISS, VXA_L3MISS, VXA_UDPCSUM, VXA_ZCSUM6TX,
	VXA_ZCSUM6RX, VXA_REMCSUMTX, VXA_REMCSUMRX, VXA_REMCSUM_NOPARTIAL, VXA_EXTERNAL,
	VXA_VNIFILTER, VXA_GBP, VXA_GPE, VXA_LOCALBYPASS, VXA_RESERVED_BITS, VXA_MCROUTE,
	VXA_PEERS,
	VXA_COUNT
};

#define VXA_BIT(a) (1ull << (a))
#define VXLAN_RESERVED_DEFAULT 0xf7ffffff000000ffull
#define VXLAN_RESERVED_GBP 0x77000000000000ffull /* with group policies */

extern const struct attr_set vxlan_attrs;

#endif
