/* SPDX-License-Identifier: Apache-2.0 */
/* What a VXLAN packet's outer headers take from the inner frame and the device (vxlan.md 3.5-3.7). */
#ifndef VX_VXLAN_BUILD_H
#define VX_VXLAN_BUILD_H

#include "net/udp.h"
#include "vxlan/options.h"

/* The inner frame as far as encapsulation looks at it. */
struct inner {
	uint16_t type;	/* EtherType behind VLAN tags */
	bool tagged;
	bool df;	/* IPv4's bit; true for IPv6 */
	uint8_t tos, ttl; /* 0 for what is not IP */
	uint32_t label;
	uint32_t l3_len; /* bytes behind Ethernet and VLAN headers */
};

/* The gate: headers linear and long enough.  0, -EINVAL or -ENOMEM. */
int inner_parse(struct worker *w, struct pkt *p, struct inner *in);
/* All of f but addresses, ports of the remote and interface. */
void flow_fill(const struct vxlan_opts *o, const struct inner *in, bool to_multicast, bool is6,
	       struct udp_flow *f);
/* The range of source ports: the device's, or the kernel's default of
 * net.ipv4.ip_local_port_range. */
void source_range(const struct vxlan_opts *o, struct udp_flow *f);
/* Port from [low, high] by hash. */
uint16_t source_port(uint32_t hash, uint16_t low, uint16_t high);
/* Stage vxlan_build: pushes the VXLAN header.  0 or -ENOMEM. */
int vxlan_build(struct worker *w, struct pkt *p, vni_t vni);
/* Puts a group policy into the header that p begins with, of any value but 0 what can be sent. */
void vxlan_build_policy(struct pkt *p, uint32_t policy);
/* Records the step, by the header as it is now. */
void vxlan_build_trace(struct pkt *p);

#endif
