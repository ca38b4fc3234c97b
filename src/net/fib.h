/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The finished table that workers look routes up in: addresses of this host, and prefixes by
 * length.  Built by control as a whole, never changed, freed after a grace period.  IPv4 lies in
 * the one address space as ::ffff:0:0/96.
 */
#ifndef VX_NET_FIB_H
#define VX_NET_FIB_H

#include "net/inet.h"
#include "net/route.h"

/* Control's list of routes (inet.routes). */
struct route {
	struct list node;
	struct route_req r;
	struct dev *dev; /* NULL: blackhole and its like */
	struct maker maker;
};

/* A group that a device listens to (inet.groups). */
struct inet_group {
	struct list node;
	struct dev *dev;
	struct ip_addr ip;
	uint32_t refs;
};

struct fib_local {
	struct fib_local *next; /* in its bucket */
	struct ip_addr ip;
	uint32_t ifindex; /* only there; 0: on any device */
	struct dst dst;
};

struct fib_route {
	struct fib_route *next; /* in its bucket: lower metric first */
	struct ip_addr prefix;
	uint32_t metric, seq;
	uint8_t plen; /* in 128 bits */
	struct dst dst;
};

struct fib_addr {
	struct ip_addr ip;
	struct dev *dev;
	uint8_t plen; /* in 128 bits */
};

struct fib {
	struct hash_key key;
	uint32_t mask; /* of both arrays of buckets */
	uint32_t n_locals, n_routes, n_addrs;
	struct fib_local *locals, **local_bucket;
	struct fib_route *routes, **route_bucket;
	struct fib_addr *addrs; /* in order of creation */
	bool has_plen[129];
	struct dst not_local;
};

struct fib *fib_build(struct inet *in); /* NULL: out of memory */

/* The local, broadcast or group entry of ip for what arrives on (leaves by) ifindex; 0 is any. */
const struct fib_local *fib_find_local(const struct fib *f, const struct ip_addr *ip,
				       uint32_t ifindex);
/* Longest prefix, lowest metric; ifindex 0 is any. */
const struct fib_route *fib_find_route(const struct fib *f, const struct ip_addr *ip,
				       uint32_t ifindex);
/* The device's first address whose prefix holds 'to', else its first of that family (IPv6: of the
 * same scope, if there is one).  ifindex 0: of any device. */
const struct fib_addr *fib_source(const struct fib *f, uint32_t ifindex, const struct ip_addr *to);
bool ip_in_prefix(const struct ip_addr *ip, const struct ip_addr *prefix, uint32_t plen128);

#endif
