/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet II and 802.1Q/802.1ad (IEEE 802.3, 802.1Q 9.6). */
#ifndef VX_WIRE_ETH_H
#define VX_WIRE_ETH_H

#include "wire/types.h"

struct WIRE eth_hdr {
	struct mac dst, src;
	be16 type; /* below 0x600 a length */
};
static_assert(sizeof(struct eth_hdr) == 14, "IEEE 802.3");

struct WIRE vlan_hdr {
	be16 tci;
	be16 type; /* of what follows */
};
static_assert(sizeof(struct vlan_hdr) == 4, "IEEE 802.1Q");

enum {
	ETHTYPE_IP4 = 0x0800,
	ETHTYPE_ARP = 0x0806,
	ETHTYPE_TEB = 0x6558, /* transparent Ethernet bridging */
	ETHTYPE_RARP = 0x8035,
	ETHTYPE_VLAN = 0x8100,
	ETHTYPE_IP6 = 0x86dd,
	ETHTYPE_MPLS = 0x8847,
	ETHTYPE_MPLS_MC = 0x8848,
	ETHTYPE_QINQ = 0x88a8,
	ETHTYPE_MIN = 0x0600,
};

static inline bool ethtype_is_vlan(be16 t)
{
	uint16_t v = be16_get(t);

	return v == ETHTYPE_VLAN || v == ETHTYPE_QINQ;
}

#endif
