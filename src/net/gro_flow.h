/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging of frames (GRO), inside: what net/gro.c, gro_flow.c, gro_ip.c, gro_tcp.c and gro_udp.c
 * share.
 *
 * What merges follows Linux (vxlan.md 8): frames of one connection with the same Ethernet header,
 * TOS or traffic class, flow label, TTL and DF, IPv4 ids that count up by one or, with DF, stay;
 * for TCP the next sequence number, the same acknowledgement, window and options, no flag but ACK,
 * ECE and PSH.  All have the size of the first, but for the last, which may be shorter.  Cutting
 * the result again (net/gso) gives the same bytes.
 *
 * A tunnel's datagrams for a socket of vx's own stack merge by what is inside them, TCP only (their
 * device's cells merge the rest): the outer addresses, TOS, TTL, DF and ports, the tunnel's header
 * and the inner Ethernet header have to be the same, and there is an outer checksum in all or none.
 *
 * Only frames whose checksums are right are merged, since the result gets a new one.  Where nobody
 * has said so, the payload is summed once: the head's when its first follower comes, so that a
 * frame without company costs nothing.
 */
#ifndef VX_NET_GRO_FLOW_H
#define VX_NET_GRO_FLOW_H

#include "net/vx.h"

enum {
	GRO_BUCKETS = 8,
	GRO_DEPTH = 8,	 /* flows held in a bucket; one more sends the oldest on its way */
	GRO_PIECES = 60, /* of a merged packet: a TAP's writev takes 64 */
	GRO_IP_MAX = 65535,
};

/* A frame as gro_receive() sees it.  Offsets are from its data, which is the (outer) network
 * header; all but outer_l4 belong to what merges. */
struct gro_frame {
	struct pkt *p;
	uint32_t hash;	   /* of device, addresses, ports */
	uint16_t outer_l4; /* the tunnel's UDP header; 0: no tunnel */
	uint16_t net;	   /* 0, or behind the tunnel's headers */
	uint16_t l4;	   /* where the transport header is */
	uint16_t payload;  /* what it carries, and how much */
	uint16_t len;
	uint16_t end; /* of IP */
	uint8_t proto; /* TCP or UDP */
	bool is4;
	bool may_merge; /* as far as its own headers tell */
	bool is_last;	/* nothing may be merged behind it (PSH) */
};

/* How the IPv4 ids of a flow's frames go on; known from the second frame on. */
enum gro_ids { GRO_IDS_UNKNOWN, GRO_IDS_COUNT, GRO_IDS_FIXED };

/* A held packet: a head, and what was merged into it. */
struct gro_flow {
	struct gro_frame head; /* as it came */
	uint32_t merged;       /* bytes of payload, the head's included */
	uint16_t segs, pieces;
	uint8_t ids;   /* enum gro_ids */
	bool checked;  /* the head's checksum is right */
	bool complete; /* nothing more may be merged */
};

struct gro_bucket {
	uint32_t n;
	struct gro_flow flow[GRO_DEPTH]; /* oldest first */
};

struct gro {
	uint32_t n; /* packets held */
	struct gro_bucket bucket[GRO_BUCKETS];
};

/* --- gro_flow.c ------------------------------------------------------------------------------- */

/* The held flow that f belongs to, mergeable or not; NULL. */
struct gro_flow *gro_flow_find(struct gro *g, const struct gro_frame *f);
/* Merges f into the flow.  False: it does not fit, and is still the caller's; if its checksum was
 * found to be wrong f->may_merge is false now. */
bool gro_flow_merge(struct worker *w, struct gro_flow *flow, struct gro_frame *f);
/* Holds f; the bucket must have room. */
void gro_flow_hold(struct gro *g, const struct gro_frame *f);
/* Takes the flow out of the table.  Returns its packet, finished. */
struct pkt *gro_flow_take(struct gro *g, struct gro_flow *flow);

/* --- network header (gro_ip.c) ---------------------------------------------------------------- */

enum gro_kind {
	GRO_NO_FLOW,   /* not IP */
	GRO_NO_PORTS,  /* of some flow between its two addresses: a fragment, options, damaged */
	GRO_HAS_FLOW,
};

/* Finds addresses, transport and ports of f->p, from f->net on, where a network header of that
 * EtherType is.  'udp': UDP may merge. */
enum gro_kind gro_ip_find(struct worker *w, struct gro_frame *f, uint16_t type, bool udp);
bool gro_ip_same_addresses(const struct gro_frame *a, const struct gro_frame *b);
/* May f's network header follow those merged so far?  Sets *ids. */
bool gro_ip_follows(const struct gro_flow *flow, const struct gro_frame *f, uint8_t *ids);
/* Length and IPv4 checksum of the merged packet, which ends at 'end'. */
void gro_ip_finish(struct gro_flow *flow, uint32_t end);
/* Sum of the pseudo-header for 'len' bytes of transport. */
uint64_t gro_ip_pseudo(const struct gro_frame *f, uint32_t len);

/* --- tunnels (gro_tunnel.c) ------------------------------------------------------------------- */

/* Which packets of a port (bit i: b->p[i]) may be TCP in a tunnel that ends here? */
uint64_t gro_tunnel_look(const struct batch *b);
/* Is f->p, of which that was said?  Then what gro_ip_find() says of it. */
enum gro_kind gro_tunnel_find(struct worker *w, struct gro_frame *f);
/* Of two frames with tunnels: the same outer addresses, tunnel header and inner Ethernet header? */
bool gro_tunnel_same(const struct gro_frame *a, const struct gro_frame *b);
/* May f's outer headers follow those of the flow? */
bool gro_tunnel_follows(const struct gro_frame *head, const struct gro_frame *f);
/* Is the outer checksum right, with 'inner' the sum of what the inner transport header begins? */
bool gro_tunnel_csum_ok(const struct gro_frame *f, uint64_t inner);
/* Outer lengths and IPv4 checksum of the merged packet, which ends at 'end'. */
void gro_tunnel_finish(const struct gro_frame *head, uint32_t end);

/* --- transport (gro_tcp.c, gro_udp.c) ----------------------------------------------------------- */

/* Fills in payload, len, may_merge, is_last.  False: there is no whole header. */
bool gro_tcp_find(struct worker *w, struct gro_frame *f);
bool gro_udp_find(struct worker *w, struct gro_frame *f);
bool gro_tcp_follows(const struct gro_flow *flow, const struct gro_frame *f);
/* f's part of the merged header: PSH. */
void gro_tcp_merge(struct gro_flow *flow, const struct gro_frame *f);
/* Length and checksum field of the merged packet; the latter gets 'sum', the pseudo-header's. */
void gro_tcp_finish(struct gro_flow *flow, uint64_t sum);
void gro_udp_finish(struct gro_flow *flow, uint64_t sum, uint32_t len);

#endif
