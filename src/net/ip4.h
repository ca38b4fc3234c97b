/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 input (stack.md 4 and 6), and what both families share of local delivery. */
#ifndef VX_NET_IP4_H
#define VX_NET_IP4_H

#include "net/inet.h"

enum { RESUBMITS_MAX = 4 };

/* Stage ip4_rcv: data at the network header. */
void ip4_rcv(struct worker *w, struct batch *b);
/* dst->input of what is for this host, of either family: takes p. */
void ip_local_deliver(struct worker *w, struct pkt *p);
void ip_local_deliver_batch(struct worker *w, int fam, struct batch *b);
/* dst->input of what is not (D3). */
void ip_error(struct worker *w, struct pkt *p);

/* Data at the transport header, p->ip_proto set, p->tun filled in: raw listeners, then the protocol
 * table, again with what a handler leaves. */
void ip_deliver_protocols(struct worker *w, int fam, struct batch *b);

/* What left ip_output for an address of this host comes in again. */
void ip_loop_rcv(struct worker *w, struct batch *b);

/* dst->input for a batch that went through route_input: runs of local packets stay together. */
void dst_input(struct worker *w, int fam, struct batch *b);

#endif
