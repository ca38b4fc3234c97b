/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer: one remote end {address, port, VNI, via} of a VXLAN device, shared by all FDB entries
 * that lead there, counted.  It keeps each worker's route to it.
 *
 * Made and released under the FDB's lock; read by workers without one; freed after a grace
 * period.
 */
#ifndef VX_VXLAN_PEER_H
#define VX_VXLAN_PEER_H

#include "net/dst.h"
#include "net/vx.h"

/* A worker's own copy of the route; asked for anew when its generation or TOS is another. */
struct CACHE_ALIGNED peer_route {
	struct dst dst;
	uint8_t tos;
};

struct peer {
	_Atomic(struct peer *) next; /* in its bucket */
	struct ip_addr ip;
	uint32_t vni, ifindex;
	uint16_t port;
	uint32_t refs;
	_Atomic uint32_t control_refs; /* those of entries that control made */
	struct peer_route route[];     /* [n_workers] */
};

enum { PEER_BUCKETS = 256 };

struct peer_table {
	struct vx *vx;
	uint32_t n;
	_Atomic(struct peer *) bucket[PEER_BUCKETS];
};

/* Finds or makes, and counts one reference; NULL if out of memory. */
struct peer *peer_get(struct peer_table *t, const struct ip_addr *ip, uint16_t port, uint32_t vni,
		      uint32_t ifindex, bool by_control);
void peer_put(struct peer_table *t, struct peer *p, bool by_control);
/* Any worker: did control name this address as a remote? */
bool peer_is_known(const struct peer_table *t, const struct ip_addr *ip);
/* All of them; no worker may read. */
void peer_table_free(struct peer_table *t);

#endif
