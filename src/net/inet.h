/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack underlay: vx's own IPv4, IPv6, UDP and ICMP (architecture section 5, stack.md).
 *
 * struct inet holds what control makes (addresses, routes, groups, neighbours, sockets, hooks) and
 * the finished tables that workers read without a lock; struct inet_worker what one worker needs
 * alone.  Control's functions here are called by the handlers of RTM_NEWADDR and its like.
 */
#ifndef VX_NET_INET_H
#define VX_NET_INET_H

#include "net/backlog.h"
#include "net/dev.h"
#include "net/dst.h"
#include "net/hook.h"
#include "net/ptype.h"

struct fib;
struct icmp_error;
struct icmp_limits;
struct frag_table;
struct inet_udp;
struct neigh_table;
struct neigh_wait;
struct pmtu_table;
struct raw_table;

/* --- addresses (control) -----------------------------------------------------------------------
 */

struct inet_addr {
	struct list node; /* inet.addrs, in order of creation */
	struct dev *dev;
	struct ip_addr ip;
	struct ip_addr broadcast; /* none: only the prefix's own */
	uint8_t plen;		  /* of the connected prefix: 0..32 or 0..128 */
	struct maker maker;
};

/* Gives d an address; the connected route follows.  'broadcast' and 'maker' may be NULL.
 * 0, -EEXIST, -EINVAL, -EADDRNOTAVAIL (not a host's), -EOPNOTSUPP (d has a host side), -ENOMEM. */
int inet_addr_add(struct dev *d, const struct ip_addr *ip, uint8_t plen,
		  const struct ip_addr *broadcast, const char *maker, struct vx_err *err);
/* 'plen' must be the one given; -EADDRNOTAVAIL if there is none such. */
int inet_addr_del(struct dev *d, const struct ip_addr *ip, uint8_t plen, struct vx_err *err);
/* Calls fn for each until it returns non-zero, which is then returned. */
int inet_addr_each(struct vx *vx, int (*fn)(void *ctx, const struct inet_addr *a), void *ctx);

/* Multicast groups that d listens to; joined as often as left. */
int inet_group_join(struct dev *d, const struct ip_addr *group, struct vx_err *err);
int inet_group_leave(struct dev *d, const struct ip_addr *group);

/* --- protocols (control) -----------------------------------------------------------------------
 */

enum { INET_V4, INET_V6, INET_FAMILIES };

struct inet_proto {
	/* Takes packets out of b (data at the transport header, all bytes of the IP payload, p->tun
	 * has addresses, TOS, TTL).  What stays in b goes on as IP protocol p->again. */
	void (*handler)(struct worker *w, struct batch *b);
	/* An ICMP error quotes a packet of this protocol.  True: it is about something of ours. */
	bool (*err_handler)(struct worker *w, const struct icmp_error *e);
};

int inet_proto_add(struct vx *vx, int fam, uint8_t proto, const struct inet_proto *ip);
void inet_proto_del(struct vx *vx, int fam, uint8_t proto);

/* --- the whole ---------------------------------------------------------------------------------
 */

struct inet {
	struct vx *vx;
	_Atomic uint64_t gen; /* of routes: grows with every change */
	_Atomic(struct fib *) fib;
	_Atomic(struct hook_table *) hooks;
	_Atomic(struct raw_table *) raws;
	_Atomic(const struct inet_proto *) proto[INET_FAMILIES][256];
	_Atomic(struct inet_udp *) udp[256]; /* by port */
	struct neigh_table *neigh;
	struct pmtu_table *pmtu;
	/* Closed sockets with packets in their queues: each worker drops its own. */
	_Atomic uint32_t n_dying;
	pthread_mutex_t dying_lock;
	struct list dying; /* struct udp_sock.node */

	/* Control's. */
	struct list addrs, groups, routes;
	struct list closing; /* struct udp_sock.node: closed, a worker may still look at it */
	struct ptype ip4, ip6, arp;
	uint32_t hook_ids;
};

enum { IP_IDS = 2048 };

struct inet_worker {
	/* Frames on their way to one device, sent together. */
	struct batch out;
	struct dev *out_dev;
	struct flush flush;
	struct pkt_queue loop; /* to an address of this host */

	/* Packets that wait for a neighbour (net/neigh): by the neighbour's slot. */
	struct neigh_wait *wait;
	struct list waiting;
	uint64_t neigh_seen; /* generation of neighbours at the last walk */
	uint64_t n_waiting;  /* packets */

	struct frag_table *frags;
	struct icmp_limits *limits;
	uint32_t ip_id[IP_IDS];
};

int inet_new(struct vx *vx); /* 0 or -ENOMEM; sets vx->inet and each worker's */
void inet_free(struct vx *vx);
/* Workers stand still: drops all that is held. */
void inet_drop_held(struct vx *vx);
uint64_t inet_held(struct vx *vx);
bool inet_turn(struct worker *w); /* true: work is left */
uint64_t inet_next_timer(struct worker *w);
uint64_t inet_control_turn(struct vx *vx, uint64_t now);
/* d goes: its addresses, routes and neighbours do, too. */
void inet_dev_gone(struct dev *d);
/* Routes have to be asked for anew (a device's MTU changed). */
void inet_changed(struct vx *vx);

static inline uint64_t inet_gen(const struct inet *in)
{
	return atomic_load_explicit(&((struct inet *)in)->gen, memory_order_acquire);
}

#endif
