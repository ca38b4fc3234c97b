/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 input (stack.md 4, RFC 8200). */
#ifndef VX_NET_IP6_H
#define VX_NET_IP6_H

#include "net/inet.h"

void ip6_rcv(struct worker *w, struct batch *b);
/* Data at the IPv6 header of a local packet: walks extension headers to the transport header, then
 * as ip_deliver_protocols() wants it.  False: p was taken (dropped, or waits as a fragment); *pp
 * may become another packet, a whole datagram. */
bool ip6_open(struct worker *w, struct pkt **pp);

#endif
