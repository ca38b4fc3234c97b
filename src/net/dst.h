/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A route's result.  Valid while its generation equals that of the table it came from; whoever
 * keeps one (a tunnel's peer) asks again when it does not.
 */
#ifndef VX_NET_DST_H
#define VX_NET_DST_H

#include "wire/types.h"

struct batch;
struct dev;
struct pkt;
struct worker;

enum dst_type {
	DST_NONE,
	DST_UNICAST,
	DST_LOCAL,
	DST_BROADCAST,
	DST_MULTICAST,
	DST_BLACKHOLE,
	DST_UNREACHABLE,
};

struct dst {
	uint64_t gen;	/* 0: never valid */
	uint8_t type;	/* enum dst_type */
	uint8_t hoplimit; /* 0: the default */
	bool mtu_locked;
	uint32_t mtu;
	uint32_t ifindex; /* out (or, of a local one, where the address is) */
	struct dev *dev;  /* NULL in the host form */
	struct ip_addr src;	/* preferred source */
	struct ip_addr gateway; /* next hop; the destination itself if on link */
	/* What happens to an arriving, and to a leaving packet.  Both take it; output returns 0 or a
	 * negative errno.  Of the stack form only. */
	void (*input)(struct worker *w, struct pkt *p);
	int (*output)(struct worker *w, struct pkt *p);
};

#endif
