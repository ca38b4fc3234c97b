/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow table of one datapath: key under a mask -> actions, statistics, source.
 *
 * Threads.  Control and the worker that had a miss write, one at a time under 'lock'.  Workers look
 * up without a lock: a flow, once found, stays readable until the worker's next quiescent state.
 *
 * Look-up.  Each worker has a cache in front (struct flow_cache): by the hash of the whole key,
 * four entries to a cache line, each naming a flow, whose own first line then confirms.  Behind it
 * every mask is tried; flows do not overlap, so the first hit is the only one.  A cache may name a
 * flow that is gone: slots of flows are never given back before the table ends, and a slot's
 * generation tells (odd is in use), so that no deletion has to clear caches.
 *
 * Size.  At most 'limit' flows.  Each belongs to a source (spec/ovs.md 11.21); beyond the limit the
 * source that has most loses its oldest.  The index grows as vxlan/fdb's does, in bounded steps.
 */
#ifndef VX_DATAPATH_TABLE_H
#define VX_DATAPATH_TABLE_H

#include <pthread.h>

#include "base/list.h"
#include "datapath/mask.h"

struct actions;
struct table;

enum {
	TABLE_LIMIT = 200000, /* default; other_config:flow-limit */
	TABLE_STEP = 8,	      /* flows moved to a larger index with each insertion */
	FLOW_CHUNK = 256,
	FLOW_CHUNKS_MAX = 4096,
	FLOW_CACHE_LINES = 4096,
	FLOW_CACHE_WAYS = 4,
};

/* Of one flow, by one worker. */
struct flow_stats {
	uint64_t packets, bytes;
	uint64_t used;	    /* ns; 0: never */
	uint64_t tcp_flags; /* seen, in host order */
};

/* What opens flows, and is held to its share of them. */
struct flow_source {
	struct list node;  /* table.sources while it has flows */
	struct list flows; /* struct flow.node, oldest first */
	uint32_t n;
	bool gone; /* who is at an upcall of it makes no flow for it any more */
};

struct CACHE_ALIGNED flow {
	/* What a hit touches. */
	_Atomic uint32_t gen; /* odd: in use */
	uint32_t index;
	const struct mask *mask;
	_Atomic(struct actions *) actions;
	struct flow_stats *stats; /* worker w's is w * FLOW_CHUNK further */
	uint64_t key[KEY_WORDS];  /* packed under the mask */

	_Atomic(struct flow *) next[2]; /* chains of the index in use and of the next */
	uint64_t hash;
	struct list node; /* of its source, of 'limbo' or of 'free' */
	struct flow_source *source;
	uint64_t created; /* ns */
	uint64_t mark;	  /* in limbo: to be used again when every worker has passed this */
};

struct flow_cache_line {
	struct flow_cache_entry {
		uint32_t tag, gen;
		struct flow *flow;
	} e[FLOW_CACHE_WAYS];
} CACHE_ALIGNED;
static_assert(sizeof(struct flow_cache_line) == CACHE_LINE, "one line a look-up");

/* One worker's. */
struct flow_cache {
	struct flow_cache_line line[FLOW_CACHE_LINES];
};

struct flow_index;
struct flow_chunk;
struct mask_list;

struct table {
	struct vx *vx;
	_Atomic(struct flow_index *) index;
	_Atomic(struct mask_list *) masks;
	pthread_mutex_t lock;
	uint32_t n, limit;
	uint32_t next_mask;
	struct flow_index *growing; /* being filled; NULL most of the time */
	uint32_t grow_at;
	uint64_t grown_at;
	struct list sources, free, limbo;
	struct flow_source none; /* of flows without a source */
	uint32_t n_chunks;
	struct flow_chunk *chunk[FLOW_CHUNKS_MAX];
};

int table_init(struct table *t, struct vx *vx); /* 0 or -ENOMEM */
void table_done(struct table *t);		/* no worker may read */
void flow_source_init(struct flow_source *s);

/* --- workers, without a lock ------------------------------------------------------------------ */

static inline void table_prefetch(const struct flow_cache *c, uint64_t hash)
{
	__builtin_prefetch(&c->line[hash % FLOW_CACHE_LINES]);
}

/* The flow's first two lines, if the cache names one. */
void table_prefetch_flow(const struct flow_cache *c, uint64_t hash);

/* 'hash' is key_hash() of k.  *tried: how many masks were, 0 where the cache knew. */
struct flow *table_lookup(struct table *t, struct flow_cache *c, const struct flow_key *k,
			  uint64_t hash, uint32_t *tried);

/* The worker's own. */
static inline struct flow_stats *flow_stats(const struct flow *f, const struct worker *w)
{
	return f->stats + w->id * FLOW_CHUNK;
}

/* --- control, and the worker that makes a flow -------------------------------------------------
 */

/* Names a flow over time; never names another one. */
struct flow_id {
	uint32_t index, gen; /* gen 0: none */
};

struct flow_view {
	struct flow_id id;
	struct flow_key key, mask;
	struct flow_stats stats; /* of all workers */
	uint64_t ufid[2];
	uint64_t created;
	const struct flow_source *source;
	struct actions *actions; /* a reference: actions_put() */
};

enum table_put_flag { TABLE_CREATE = 1, TABLE_MODIFY = 2 };

/* Takes 'acts', always.  Makes a flow, or gives the one with this key and mask other actions.
 * 'src' NULL: none.  0; -EEXIST, -ENOENT by 'flags'; -ENODEV: the source is gone; -ENOMEM; -ENOSPC:
 * too many deleted ones wait for workers. */
int table_put(struct table *t, const struct flow_key *key, const struct flow_key *mask,
	      struct actions *acts, struct flow_source *src, uint32_t flags, struct flow_id *id);
/* -ENOENT.  'out' may be NULL; else it has the flow as it was. */
int table_del(struct table *t, struct flow_id id, struct flow_view *out);
int table_get(struct table *t, struct flow_id id, struct flow_view *out);
/* The flow with this key under this mask. */
int table_find(struct table *t, const struct flow_key *key, const struct flow_key *mask,
	       struct flow_view *out);
/* The next flow from slot *cursor on (0 to begin with), which is moved.  False at the end.  Between
 * calls anything may change: what stays is seen once. */
bool table_next(struct table *t, uint32_t *cursor, struct flow_view *out);
void table_flush(struct table *t);
/* The source goes: its flows do, too, and no other is made for it. */
void table_flush_source(struct table *t, struct flow_source *src);
/* How many flows and masks there are. */
void table_count(struct table *t, uint32_t *flows, uint32_t *masks);
void table_set_limit(struct table *t, uint32_t limit);

#endif
