/* SPDX-License-Identifier: Apache-2.0 */
/* What neigh.c and neigh_wait.c share. */
#ifndef VX_NET_NEIGH_TABLE_H
#define VX_NET_NEIGH_TABLE_H

#include "net/neigh.h"

enum { NEIGH_BUCKETS = 2048, NEIGH_DEVS = 64 };
enum {
	NEIGH_USABLE = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP
};

struct neigh {
	_Atomic(struct neigh *) next; /* in its bucket */
	struct ip_addr ip;
	struct dev *dev;
	_Atomic uint64_t word; /* MAC << 16 | state: changes as a whole */
	_Atomic uint64_t used; /* changes at most once a second */
	uint64_t id;	       /* never used twice, as slots are */
	uint16_t slot;
	/* Under the table's lock. */
	uint8_t probes, protocol;
	uint64_t confirmed, updated, due; /* due UINT64_MAX: no timer */
	struct maker maker;
};

struct neigh_table {
	struct vx *vx;
	_Atomic uint64_t gen;	   /* grows when a state or a MAC changes */
	_Atomic uint64_t next_due; /* of the earliest timer */
	pthread_mutex_t lock;
	uint64_t next_id;
	uint32_t hand, n_free;
	uint16_t free[NEIGH_MAX];
	uint16_t per_dev[NEIGH_DEVS]; /* entries by ifindex % NEIGH_DEVS */
	struct neigh *slot[NEIGH_MAX];
	_Atomic(struct neigh *) bucket[NEIGH_BUCKETS];
};

static inline uint64_t neigh_word(const struct mac *m, uint16_t state)
{
	uint64_t v = 0;

	for (int i = 0; i < 6; i++)
		v = v << 8 | m->b[i];
	return v << 16 | state;
}

static inline struct mac mac_of_word(uint64_t v)
{
	struct mac m;
	be32 high = be32_put((uint32_t)(v >> 32));
	be16 low = be16_put((uint16_t)(v >> 16));

	memcpy(m.b, &high, 4);
	memcpy(m.b + 4, &low, 2);
	return m;
}

static inline uint16_t neigh_state(const struct neigh *n)
{
	return (uint16_t)atomic_load_explicit(&((struct neigh *)n)->word, memory_order_acquire);
}

static inline struct mac neigh_mac(const struct neigh *n)
{
	return mac_of_word(atomic_load_explicit(&((struct neigh *)n)->word, memory_order_acquire));
}

/* Without a lock: valid until the end of the turn. */
struct neigh *neigh_find(const struct neigh_table *t, const struct ip_addr *ip,
			 const struct dev *d);
void neigh_delay(struct worker *w, struct neigh *n);
void neigh_ask(struct worker *w, struct dev *d, const struct ip_addr *ip, const struct mac *to);
/* Under the lock. */
struct neigh *neigh_make(struct neigh_table *t, struct dev *d, const struct ip_addr *ip,
			 uint64_t now);
void neigh_start(struct neigh_table *t, struct neigh *n, uint64_t now); /* INCOMPLETE */

void neigh_run_waiting(struct worker *w);

#endif
