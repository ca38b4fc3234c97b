/* SPDX-License-Identifier: Apache-2.0 */
/* ARP (RFC 826): answers for this host's addresses, learns, asks. */
#ifndef VX_NET_ARP_H
#define VX_NET_ARP_H

#include "net/inet.h"

void arp_rcv(struct worker *w, struct batch *b);
/* Asks for 'ip' on d: by broadcast, or of 'to' alone. */
void arp_ask(struct worker *w, struct dev *d, const struct ip_addr *ip, const struct mac *to);

#endif
