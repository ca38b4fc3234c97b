/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP and ICMPv6: echo, errors in both directions (stack.md 9). */
#ifndef VX_NET_ICMP_H
#define VX_NET_ICMP_H

#include "net/inet.h"

/* An ICMP error as a protocol's err_handler sees it. */
struct icmp_error {
	int fam; /* INET_V4, INET_V6 */
	uint8_t type, code;
	uint32_t info;		 /* the rest of the header: next-hop MTU, or pointer */
	struct ip_addr src, dst; /* of the quoted packet: src is ours */
	const uint8_t *l4;	 /* quoted transport header: 'len' bytes are there */
	uint32_t len;
	struct dev *dev;
	bool is_pmtu; /* fragmentation needed, packet too big: info is the MTU */
};

/* Sends an error about p (data at the IP header, which was checked; p stays the caller's), unless
 * C2, C3 forbid.  'info' as it stands in the header after the checksum, host order. */
void icmp_send(struct worker *w, const struct pkt *p, uint8_t type, uint8_t code, uint32_t info);
void icmp6_send(struct worker *w, const struct pkt *p, uint8_t type, uint8_t code, uint32_t info);
/* About p that is in local delivery (data at the transport header): goes back to net_off. */
void icmp_unreach(struct worker *w, int fam, struct pkt *p, bool port);

/* C2: no error is about a message of this type, or goes to such an address. */
bool icmp4_is_error(uint8_t type);
bool icmp6_is_error(uint8_t type);
bool icmp_is_single_host(const struct ip_addr *a);

extern const struct inet_proto icmp4_proto, icmp6_proto;

#endif
