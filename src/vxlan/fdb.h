/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forwarding database of one VXLAN device (spec/vxlan.md 4): MAC and source VNI -> state, times
 * and remotes.
 *
 * Threads.  Control and learning workers write, one at a time under 'lock'.  Workers look up
 * without a lock: an entry, once found, stays readable until the worker's next quiescent state.
 *
 * Size.  An entry is one cache line; the index costs a pointer per bucket, one bucket per entry at
 * most two.  The index grows by moving FDB_STEP entries with each insertion: an entry has two
 * chain links, one for the index in use and one for the next, and is in both while the next is
 * being filled, so that a reader sees a whole index at any time.
 *
 * States of an entry are the kernel's NUD bits: PERMANENT, NOARP, REACHABLE.
 */
#ifndef VX_VXLAN_FDB_H
#define VX_VXLAN_FDB_H

#include <pthread.h>

#include "net/dev.h"
#include "vxlan/peer.h"

enum {
	FDB_REACHABLE = 0x02,
	FDB_STALE = 0x04,
	FDB_NOARP = 0x40,
	FDB_PERMANENT = 0x80,

	FDB_STEP = 8,	/* entries moved to a larger index with each insertion */
	FDB_TICK_MS = 100, /* unit of an entry's times */
};

/* The remotes of an entry that has several; replaced as a whole. */
struct fdb_more {
	uint32_t n; /* all remotes, the first included */
	struct peer *peer[];
};

struct fdb_entry {
	_Atomic(struct fdb_entry *) next[2];
	struct mac mac;
	_Atomic uint8_t state; /* NUD bits; all fit */
	uint8_t flags; /* NTF_* */
	_Atomic uint32_t vni; /* source VNI << 8 | enum maker_how */
	uint32_t seq;  /* order of creation */
	_Atomic uint32_t used, updated; /* ticks */
	uint32_t created;
	uint32_t protocol;
	_Atomic(struct peer *) peer; /* the first remote */
	_Atomic(struct fdb_more *) more;  /* NULL: one remote */
};
static_assert(sizeof(struct fdb_entry) <= CACHE_LINE + 8, "one line and a word");

struct fdb_index; /* buckets */

struct fdb {
	_Atomic(struct fdb_index *) index;
	_Atomic bool is_large; /* more than what stays in a cache: look-ups prefetch entries */
	struct vx *vx;
	struct dev *dev;
	pthread_mutex_t lock;
	uint32_t n, limit; /* limit 0: none */
	uint32_t seq;
	/* An index that is being filled; NULL most of the time. */
	struct fdb_index *growing;
	uint32_t grow_at;  /* the next bucket of the one in use to be moved */
	uint64_t grown_at; /* quiesce_mark() of the last change: links are reused after it */
	struct peer_table peers;
};

int fdb_init(struct fdb *f, struct dev *d); /* 0 or -ENOMEM */
void fdb_done(struct fdb *f); /* no worker may read */

static inline uint32_t fdb_ticks(uint64_t now)
{
	return (uint32_t)(now / (FDB_TICK_MS * NS_PER_MS));
}

static inline uint32_t fdb_entry_vni(const struct fdb_entry *e)
{
	return atomic_load_explicit(&e->vni, memory_order_relaxed) >> 8;
}

static inline enum maker_how fdb_entry_how(const struct fdb_entry *e)
{
	return (enum maker_how)(atomic_load_explicit(&e->vni, memory_order_relaxed) & 0xff);
}

/* --- workers, without a lock ------------------------------------------------------------- */

uint64_t fdb_hash(const struct fdb *f, const struct mac *mac, uint32_t vni);
/* The bucket; when that is there, and the table is large, its first entry. */
void fdb_prefetch(const struct fdb *f, uint64_t hash);
void fdb_prefetch_entry(const struct fdb *f, uint64_t hash);
static inline bool fdb_is_large(const struct fdb *f)
{
	return atomic_load_explicit(&((struct fdb *)f)->is_large, memory_order_relaxed);
}
struct fdb_entry *fdb_lookup(const struct fdb *f, uint64_t hash, const struct mac *mac,
			     uint32_t vni);

enum fdb_learned { FDB_KEEP, FDB_NEW, FDB_ROAMED, FDB_STATIC, FDB_FULL };
/* Learns that 'mac' is at 'ip' ('ifindex' for a link-local one): vxlan.md 2.3 from step 2 on.
 * Takes the lock for a new entry and a move only.  FDB_STATIC: the frame has to be dropped.
 * FDB_FULL: no entry was made.  '*e' is what fdb_lookup() found, and becomes the entry. */
enum fdb_learned fdb_learn(struct fdb *f, const struct mac *mac, uint32_t vni,
			   const struct ip_addr *ip, uint32_t ifindex, uint16_t port,
			   uint64_t now, struct fdb_entry **e);
/* As fdb_learn(), but learns nothing: FDB_KEEP or FDB_STATIC.  'e' may be NULL. */
enum fdb_learned fdb_check(const struct fdb_entry *e, const struct ip_addr *ip, uint32_t ifindex);
void fdb_touch_used(struct fdb_entry *e, uint64_t now);

/* --- control ------------------------------------------------------------------------------ */

/* The remote that a request names, defaults filled in. */
struct fdb_remote {
	struct ip_addr ip;
	uint16_t port;
	uint32_t vni, ifindex;
};

int fdb_update(struct fdb *f, const struct fdb_req *r, uint32_t src_vni,
	       const struct fdb_remote *to, enum maker_how how, struct vx_err *err);
/* 'to' NULL: the whole entry. */
int fdb_delete(struct fdb *f, const struct mac *mac, uint32_t src_vni, const struct fdb_remote *to,
	       struct vx_err *err);
struct fdb_entry *fdb_find(struct fdb *f, const struct mac *mac, uint32_t src_vni);
void fdb_view_of(struct fdb *f, const struct fdb_entry *e, uint32_t remote, struct fdb_view *v);
/* Newest entry first, remotes in order, until fn returns non-zero, which is returned. */
int fdb_walk(struct fdb *f, int (*fn)(void *ctx, const struct fdb_view *e), void *ctx);
void fdb_flush_matching(struct fdb *f, const struct fdb_flush *m);
/* Removes what 'ageing' seconds have passed over (0: nothing).  Returns ticks to the next expiry,
 * at most 100 (10 s). */
uint32_t fdb_age(struct fdb *f, uint64_t now, uint32_t ageing);
/* Device down: what is neither PERMANENT nor NOARP goes, but for the default entry. */
void fdb_flush_dynamic(struct fdb *f);

#endif
