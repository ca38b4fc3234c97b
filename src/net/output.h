/* SPDX-License-Identifier: Apache-2.0 */
/* IP output (stack.md 10): from a transport packet to frames of a device. */
#ifndef VX_NET_OUTPUT_H
#define VX_NET_OUTPUT_H

#include "net/inet.h"

/* What an IP header is made of. */
struct ip_out {
	struct ip_addr src, dst;
	uint8_t proto, tos;
	uint8_t ttl; /* 0: the route's, or 64 */
	bool df; /* IPv6: not to be sent in fragments (a tunnel's never are) */
	uint32_t label;
	const uint8_t *opts; /* IPv4 options, a multiple of 4 bytes */
	uint8_t opts_len;
};

/* All take p and return 0 or a negative errno.  d has to stay until they return. */

/* Stage ip_tunnel_xmit: data at the transport header; pushes the IP header. */
int ip_tunnel_xmit(struct worker *w, struct pkt *p, const struct ip_out *o, const struct dst *d);
/* The same without a tunnel: replies and errors. */
int ip_send(struct worker *w, struct pkt *p, const struct ip_out *o, const struct dst *d);
/* Finds the way for o (src may be none: chosen and stored) from 'ifindex' (0: any), then ip_send().
 */
int ip_send_routed(struct worker *w, struct pkt *p, struct ip_out *o, uint32_t ifindex);
/* Data at the IP header, p->dst set. */
int ip_local_out(struct worker *w, struct pkt *p);
int ip_output(struct worker *w, struct pkt *p); /* dst->output */
int ip4_fragment(struct worker *w, struct pkt *p, uint32_t mtu); /* stage ip_fragment */
int ip6_fragment(struct worker *w, struct pkt *p, uint32_t mtu);

/* A frame for d, data at the Ethernet header: gathered, sent at the end of the turn at the latest.
 */
void inet_xmit(struct worker *w, struct dev *d, struct pkt *p);
void inet_xmit_flush(struct worker *w);
/* Pushes an Ethernet header. */
void eth_push(struct pkt *p, const struct dev *d, const struct mac *dst, uint16_t type);

/* Identification for a packet that is not marked DF, too (vxlan.md 3.8). */
uint16_t ip4_next_id(struct worker *w, const struct ip_addr *src, const struct ip_addr *dst,
		     uint8_t proto);
uint32_t ip6_next_id(struct worker *w, const struct ip_addr *src, const struct ip_addr *dst);

#endif
