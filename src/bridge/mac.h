/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MAC table of one bridge: MAC -> port, state, times, maker.
 *
 * Threads.  Control and learning workers write, one at a time under 'lock'.  Workers look up
 * without a lock: an entry, once found, stays readable until the worker's next quiescent state.
 *
 * Size.  The hash is keyed, so that no stranger can aim at a bucket.  At most 'limit' entries are
 * learnt; beyond, the port with the most gives up the stalest of its oldest, so that a port that
 * floods the table with addresses displaces its own.  Memory is bounded, too: removed entries wait
 * in 'limbo' until no worker can see them, and are used again.
 *
 * The index grows as vxlan/fdb's does: an entry has two chain links, one for the index in use and
 * one for the next, and is in both while the next is being filled.
 */
#ifndef VX_BRIDGE_MAC_H
#define VX_BRIDGE_MAC_H

#include "net/dev.h"

enum {
	MAC_LIMIT = 1 << 16,
	MAC_STEP = 8,	   /* entries moved to a larger index with each insertion */
	MAC_VICTIMS = 8,   /* looked at for the stalest */
	MAC_LIMBO = 4096,  /* removed entries beyond which none is made for a learner */
	MAC_TICK_MS = 100, /* unit of an entry's times */
	MAC_AGE_SLICE = 4096, /* buckets looked at by one mac_age() */
};

enum mac_kind {
	MAC_LEARNED, /* ages; moves with the address */
	MAC_STATIC,  /* by control: does not age; moves unless MAC_STICKY, as the kernel has it */
	MAC_LOCAL,   /* an address of this host's (NUD_PERMANENT): frames for it go up */
};

enum mac_flag { MAC_STICKY = 1, MAC_EXT_LEARNED = 2 }; /* the latter: a routing daemon's */

struct mac_port;

struct mac_entry { /* begins a cache line */
	/* What a look-up touches. */
	_Atomic(struct mac_entry *) next[2];
	struct mac mac;
	_Atomic uint8_t kind, flags;
	_Atomic(struct mac_port *) port; /* NULL: the bridge itself */
	_Atomic uint32_t used, updated;	    /* ticks; stored only when they change */
	uint16_t vlan;			    /* of a bridge's table always 0 */

	/* The table's, under the lock. */
	uint32_t seq;
	uint8_t protocol;
	uint64_t removed_at;	/* quiesce_mark() */
	struct list node;	/* in its port's (or the bridge's) list; in limbo */
	struct maker maker;
};
static_assert(offsetof(struct mac_entry, seq) <= CACHE_LINE, "a look-up costs one line");

/* The entries of one port, or of the bridge itself. */
struct mac_list {
	struct list node; /* in mac_table.lists */
	struct list learned; /* oldest first, roughly */
	struct list fixed;   /* static and local ones */
	uint32_t n_learned;
	uint32_t place; /* in mac_usage.at; 0: it is not there */
	bool gone; /* left: workers that still see the port learn nothing for it */
};

/* What a table has as a port: part of its owner's port. */
struct mac_port {
	struct mac_list list;
	struct dev *dev; /* told in views; may be NULL */
};

struct mac_index;

/* Since the table was made, or the last clearing. */
struct mac_totals {
	uint64_t learned, expired, evicted, moved;
};

/* Who has most (mac_usage.c). */
struct mac_usage {
	struct mac_list **at; /* from 1 to n; NULL: it is not kept */
	uint32_t n, room;
	bool is_kept;
};

struct mac_table {
	_Atomic(struct mac_index *) index;
	struct vx *vx;
	struct dev *dev; /* the bridge: events are of it; NULL: none */
	pthread_mutex_t lock;
	uint32_t n, n_learned, limit, seq;
	struct mac_index *growing;
	uint32_t grow_at, age_at;
	uint32_t age_next; /* ticks to the next expiry found in this round of mac_age() */
	uint64_t grown_at;
	struct list limbo; /* in order of removal */
	uint32_t n_limbo;
	struct list lists; /* struct mac_list.node */
	uint32_t n_lists;
	struct mac_list own;
	struct mac_usage usage;
	/* Called where an entry is new, elsewhere or gone; under the lock, by any thread.  May be
	 * NULL. */
	void (*changed)(void *ctx, const struct mac *mac, uint16_t vlan);
	void *ctx;
	struct mac_totals totals;
};

/* 0 or -ENOMEM.  'bridge' may be NULL. */
int mac_table_init(struct mac_table *t, struct vx *vx, struct dev *bridge);
void mac_table_done(struct mac_table *t);		      /* no worker may read */
/* Before there are entries: ports give up theirs in Open vSwitch's order. */
void mac_usage_keep(struct mac_table *t);
/* A port joins.  Control. */
void mac_list_add(struct mac_table *t, struct mac_list *l);

/* --- workers --------------------------------------------------------------------------------- */

uint64_t mac_hash(const struct mac_table *t, const struct mac *mac);
void mac_prefetch(const struct mac_table *t, uint64_t hash);	     /* the bucket */
void mac_prefetch_entry(const struct mac_table *t, uint64_t hash); /* its first entry, later */
struct mac_entry *mac_lookup(const struct mac_table *t, uint64_t hash, const struct mac *mac);
/* 'mac' was seen on 'port'; 'e' is what mac_lookup() found.  Returns the entry, or NULL if none
 * could be made.  Takes the lock for a new entry and a move only. */
struct mac_entry *mac_learn(struct mac_table *t, const struct mac *mac, struct mac_port *port,
			    uint64_t now, struct mac_entry *e);
void mac_touch_used(struct mac_entry *e, uint64_t now);
void mac_view(struct mac_table *t, const struct mac_entry *e, struct fdb_view *v);

/* --- control --------------------------------------------------------------------------------- */

/* RTM_NEWNEIGH: adds or changes; 'port' NULL is the bridge itself. */
int mac_update(struct mac_table *t, const struct fdb_req *r, struct mac_port *port,
	       struct vx_err *err);
/* An address of the bridge's own or of a port's; silently does nothing if there is one. */
void mac_add_local(struct mac_table *t, const struct mac *mac, struct mac_port *port);
/* -ENOENT, or -EBUSY: an address of the port's device itself. */
int mac_delete(struct mac_table *t, const struct mac *mac, struct mac_port *port);
void mac_del_local(struct mac_table *t, const struct mac *mac, struct mac_port *port);
int mac_get(struct mac_table *t, const struct mac *mac, struct fdb_view *out);
/* Newest first, of one port or ('all') of all. */
int mac_walk(struct mac_table *t, struct mac_port *port, bool all,
	     int (*fn)(void *ctx, const struct fdb_view *e), void *ctx);
/* Removes what 'm' matches (NULL: all that was learnt) and is on 'port' or ('all') anywhere. */
void mac_flush(struct mac_table *t, struct mac_port *port, bool all, const struct fdb_flush *m);
/* Everything on the port goes, static entries and local addresses, too. */
void mac_clear_port(struct mac_table *t, struct mac_port *port);
/* The port leaves: its list and everything on it goes, local addresses, too. */
void mac_forget_port(struct mac_table *t, struct mac_port *port);
/* Removes a slice of what was not seen for 'ageing_ms'.  Returns ms to the next call. */
uint32_t mac_age(struct mac_table *t, uint64_t now, uint64_t ageing_ms);

/* --- with VLANs, in order of use (mac_vlan.c) ---------------------------------------------------
 * Who learns by these takes the lock each time, for slow paths: in return the lists of the ports
 * are exact, least recently seen first, and so are victims and listings.  A static entry neither
 * ages nor moves. */

/* Where a frame for 'mac' goes; NULL: not known.  The port may leave at any time, but is not freed
 * before the worker's next quiescent state. */
struct mac_port *mac_vlan_lookup(struct mac_table *t, const struct mac *mac, uint16_t vlan);
/* Seen on 'port' at 'seen', which may be in the past (a flow's last use): what is known to be
 * elsewhere since then is left there.  True: new or moved. */
bool mac_vlan_learn(struct mac_table *t, const struct mac *mac, uint16_t vlan,
		    struct mac_port *port, uint64_t seen);
/* Counts as seen now.  *was: the port of the dynamic entry that it replaced, else NULL. */
int mac_vlan_set_static(struct mac_table *t, const struct mac *mac, uint16_t vlan,
			struct mac_port *port, struct mac_port **was);
int mac_vlan_del_static(struct mac_table *t, const struct mac *mac, uint16_t vlan); /* -ENOENT */

struct mac_row {
	struct mac mac;
	uint16_t vlan;
	bool is_static;
	uint64_t age; /* ns since it was last seen */
	struct mac_port *port;
};
int mac_vlan_get(struct mac_table *t, const struct mac *mac, uint16_t vlan,
		 struct mac_row *out); /* -ENOENT */
/* Least recently seen first.  Control. */
int mac_vlan_walk(struct mac_table *t, int (*fn)(void *ctx, const struct mac_row *r), void *ctx);
/* What is on one port, under the lock: fn may call for other tables.  Control. */
void mac_vlan_walk_port(struct mac_table *t, struct mac_port *port,
			void (*fn)(void *ctx, const struct mac *mac, uint16_t vlan), void *ctx);
void mac_vlan_forget(struct mac_table *t, const struct mac *mac, uint16_t vlan); /* if it is there */
/* Removes what was not seen for 'ageing_ms'. */
void mac_vlan_expire(struct mac_table *t, uint64_t now, uint64_t ageing_ms);
void mac_vlan_set_limit(struct mac_table *t, uint32_t limit); /* of all entries */

struct mac_summary {
	uint32_t n, n_static, limit;
	struct mac_totals totals;
};
void mac_vlan_summary(struct mac_table *t, struct mac_summary *out);
void mac_vlan_clear_totals(struct mac_table *t);

#endif
