/* SPDX-License-Identifier: Apache-2.0 */
/* ARP for IPv4 over Ethernet (RFC 826). */
#ifndef VX_WIRE_ARP_H
#define VX_WIRE_ARP_H

#include "wire/types.h"

struct WIRE arp_hdr {
	be16 hw_type, proto;
	uint8_t hw_len, proto_len;
	be16 op;
	struct mac sha;
	be32 spa;
	struct mac tha;
	be32 tpa;
};
static_assert(sizeof(struct arp_hdr) == 28, "RFC 826");

enum { ARP_HW_ETHER = 1, ARP_REQUEST = 1, ARP_REPLY = 2 };

#endif
