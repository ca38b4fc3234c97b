/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes (stack.md 5).  Control keeps a list and builds a finished table (struct fib) of it and of
 * the addresses; workers look up without a lock.  Longest prefix, then lowest metric.
 */
#ifndef VX_NET_ROUTE_H
#define VX_NET_ROUTE_H

#include "net/dst.h"
#include "net/udp.h"

/* --- control -----------------------------------------------------------------------------------
 */

struct route_req {
	int family;	    /* AF_INET, AF_INET6 */
	struct ip_addr dst; /* any value for plen 0 */
	uint8_t plen;
	uint8_t type;		 /* enum dst_type: DST_UNICAST, DST_BLACKHOLE or DST_UNREACHABLE */
	uint8_t protocol, scope; /* RTPROT_*, RT_SCOPE_*: kept for dumps */
	struct ip_addr gateway;	 /* none: on link */
	struct ip_addr src;	 /* preferred source; none: chosen */
	uint32_t ifindex;	 /* 0: found by the gateway */
	uint32_t metric;
	uint32_t mtu; /* 0: the device's */
	bool mtu_locked;
	uint8_t hoplimit;  /* 0: 64 */
	uint16_t nl_flags; /* NLM_F_* */
	bool restored;	   /* by a state: the gateway need not be on link any more, if ifindex is given */
	const char *maker; /* may be NULL */
};

struct route_view {
	struct route_req r; /* family, prefix in dst, ...; maker NULL */
	bool connected;	    /* follows from an address */
	struct maker maker;
};

/* 0, -EEXIST, -ENOENT (replace without create), -EINVAL, -ENODEV, -ENETUNREACH (the gateway is not
 * on link), -ENOMEM. */
int route_add(struct vx *vx, const struct route_req *r, struct vx_err *err);
/* Deletes the first route that has the prefix and whatever else is given.  -ESRCH. */
int route_del(struct vx *vx, const struct route_req *r, struct vx_err *err);
/* AF_UNSPEC is both.  Until fn returns non-zero, which is then returned. */
int route_each(struct vx *vx, int family, int (*fn)(void *ctx, const struct route_view *v),
	       void *ctx);
/* As a worker would find it (RTM_GETROUTE).  0, -ENETUNREACH, -EHOSTUNREACH, -EINVAL. */
int route_get(struct vx *vx, const struct udp_flow *f, struct dst *out);

/* Builds and publishes the table anew; new generation.  Called after every change of an address, a
 * group, a route or a device.  Out of memory: -ENOMEM, and the old table stays. */
int route_rebuild(struct vx *vx);

/* --- workers -----------------------------------------------------------------------------------
 */

/* Stage route_input.  The dst lives until the end of the turn.  NULL: *why says why not. */
struct dst *route_input(struct worker *w, const struct pkt *p, const struct ip_addr *src,
			const struct ip_addr *dst, enum drop *why);
/* The way to f->dst.  0, -ENETUNREACH, -EHOSTUNREACH (unreachable route), -EINVAL (blackhole, or f->src
 * is no address of this host). */
int route_output(struct worker *w, const struct udp_flow *f, struct dst *out);
/* An address of this host? */
bool route_is_local(struct inet *in, const struct ip_addr *ip);
/* A source on this device for what goes to 'to'; false if it has no address of that family. */
bool route_source(struct inet *in, uint32_t ifindex, const struct ip_addr *to, struct ip_addr *src);

/* --- path MTU exceptions (kept 10 minutes, capped) ---------------------------------------------
 */

enum { PMTU_MAX = 1024, PMTU_MIN4 = 552, PMTU_MIN6 = 1280 };

/* An ICMP error that is about a packet of ours says so. */
void route_update_pmtu(struct worker *w, const struct ip_addr *to, uint32_t mtu);
struct pmtu_table *pmtu_new(struct hash_key key);
void pmtu_free(struct pmtu_table *t);
/* Control's timer: forgets what is old. */
uint64_t pmtu_age(struct inet *in, uint64_t now);

void fib_free(void *fib);
/* Control: the end of all routes over d (its addresses are gone already). */
void route_dev_gone(struct inet *in, const struct dev *d);
/* An address went.  If no other device has it, routes that prefer it as source go in IPv4 and lose
 * that preference in IPv6, as in the kernel.  True: there were some. */
bool route_source_gone(struct inet *in, const struct ip_addr *ip);
void routes_free(struct inet *in);

#endif
