/* SPDX-License-Identifier: Apache-2.0 */
/* Reassembly of IPv4 and IPv6 datagrams (stack.md 6, F1-F7).  Per worker: all pieces of a datagram
 * come to the same one. */
#ifndef VX_NET_FRAG_H
#define VX_NET_FRAG_H

#include "net/inet.h"

enum {
	FRAG_QUEUES = 1024,	   /* datagrams at a time */
	FRAG_BYTES_MAX = 4 << 20,  /* of buffers, in total */
	FRAG_SOURCE_MAX = 1 << 20, /* of one source */
};
#define FRAG_TIMEOUT (30 * NS_PER_S)

struct frag_table *frag_table_new(void);
void frag_table_free(struct frag_table *t); /* empty */

/* Stage ip_defrag: p is a piece, data at the IP header; takes it.  Returns the whole datagram once
 * complete (data at its IP header), else NULL. */
struct pkt *ip4_defrag(struct worker *w, struct pkt *p);
/* The same for IPv6: the fragment header lies *at bytes behind data, *prev is where the number that
 * names it stands.  Of the whole datagram, which has no fragment header, *at is where the next
 * header begins. */
struct pkt *ip6_defrag(struct worker *w, struct pkt *p, uint32_t *at, uint32_t *prev);

uint64_t frag_held(const struct frag_table *t);
void frag_turn(struct worker *w); /* time-outs */
uint64_t frag_next_timer(const struct frag_table *t);
void frag_drop_held(struct worker *w);

#endif
