/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Neighbours: which MAC a next hop has.
 *
 * One table for all workers, NEIGH_MAX entries.  A worker reads without a lock; MAC and state of an
 * entry are one atomic word.  Changes of state take the table's lock: they are rare.  Packets that
 * wait stay with their worker, in a bounded queue per neighbour; the table's generation tells each
 * worker that a state changed.
 *
 * States (NUD_* of linux/neighbour.h):
 *   INCOMPLETE  probes go out, three, a second apart; packets wait.  Answer: REACHABLE.  None:
 * FAILED. REACHABLE   for 30 s after a confirmation; then STALE. STALE       used as it is; the
 * first use makes it DELAY. DELAY       5 s in which a confirmation may come; then PROBE. PROBE
 * unicast probes, three, a second apart; then FAILED. FAILED      the next packet makes it
 * INCOMPLETE again. PERMANENT, NOARP  control's; never change.
 */
#ifndef VX_NET_NEIGH_H
#define VX_NET_NEIGH_H

#include <linux/neighbour.h>

#include "net/inet.h"

enum {
	NEIGH_MAX = 1024,
	NEIGH_QUEUE_BYTES = 212992, /* per neighbour and worker */
	NEIGH_QUEUED_MAX = 4096,    /* packets, per worker */
	NEIGH_PROBES = 3,
};

/* --- control -----------------------------------------------------------------------------------
 */

struct neigh_req {
	struct dev *dev;
	struct ip_addr ip;
	bool has_mac;
	struct mac mac;
	uint16_t state; /* NUD_*; 0 is PERMANENT */
	uint8_t protocol;
	uint16_t nl_flags; /* NLM_F_* */
	const char *maker; /* may be NULL */
};

struct neigh_view {
	struct dev *dev;
	struct ip_addr ip;
	struct mac mac; /* zero: not known */
	uint16_t state; /* NUD_* */
	uint8_t protocol;
	uint32_t probes;
	uint64_t used, confirmed, updated; /* ns ago */
	struct maker maker;
};

/* 0, -EEXIST, -ENOENT, -EINVAL, -EOPNOTSUPP (d has a host side), -ENOBUFS (full of permanent ones).
 */
int neigh_add(struct vx *vx, const struct neigh_req *r, struct vx_err *err);
int neigh_del(struct vx *vx, struct dev *d, const struct ip_addr *ip,
	      struct vx_err *err); /* -ENOENT */
/* dev NULL: all.  Until fn returns non-zero, which is then returned.  fn must not call neigh_*().
 */
int neigh_each(struct vx *vx, const struct dev *dev,
	       int (*fn)(void *ctx, const struct neigh_view *v), void *ctx);

/* --- workers -----------------------------------------------------------------------------------
 */

/* What an ARP or ND message says about 'ip' on d. */
struct neigh_news {
	struct mac mac;
	bool create;   /* make an entry if there is none */
	bool confirms; /* an answer to a question of ours: REACHABLE; else STALE */
	bool override; /* takes the place of another MAC */
};
void neigh_learn(struct worker *w, struct dev *d, const struct ip_addr *ip,
		 const struct neigh_news *news);

/* Stage neigh_output: p has data at the IP header and p->dst set.  Takes it.  0 (also when it has
 * to wait) or a negative errno. */
int neigh_output(struct worker *w, struct pkt *p);

/* --- inet.c ------------------------------------------------------------------------------------
 */

struct neigh_table *neigh_table_new(struct vx *vx);
void neigh_table_free(struct neigh_table *t);
int neigh_worker_init(struct inet_worker *iw);
void neigh_dev_gone(struct inet *in, const struct dev *d);
void neigh_turn(struct worker *w);
uint64_t neigh_next_timer(struct worker *w);
void neigh_drop_held(struct worker *w);

#endif
