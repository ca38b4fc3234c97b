/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour discovery (RFC 4861, 7): solicitations answered and sent, advertisements used. */
#ifndef VX_NET_ND_H
#define VX_NET_ND_H

#include "net/inet.h"

/* An ICMPv6 message 133..137 with a good checksum, data at the ICMP header.  Takes p. */
void nd_rcv(struct worker *w, struct pkt *p);
/* Asks for 'ip' on d: its solicited-node group, or 'to' alone. */
void nd_ask(struct worker *w, struct dev *d, const struct ip_addr *ip, const struct mac *to);
/* ff02::1:ffXX:XXXX of an address. */
struct ip_addr nd_solicited_node(const struct ip_addr *ip);

#endif
