/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct vx owns everything: devices, link types, sockets, workers.  No global variable, no
 * system call, no clock: time is a number of nanoseconds that the caller passes in.
 *
 * Threads.  "Control" is one thread: it makes, changes and removes.  Each worker is a thread that
 * calls vx_turn() with its number; it reads what control publishes and frees nothing that others
 * read.  A program with one thread may play both: when its turns are done it calls quiesce_idle(),
 * or control may wait for a worker that it is itself.
 */
#ifndef VX_NET_VX_H
#define VX_NET_VX_H

#include <pthread.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/quiesce.h"
#include "net/mib.h"
#include "pkt/account.h"
#include "pkt/batch.h"
#include "pkt/trace.h"

struct dev;
struct host_ops;
struct inet;
struct napi;
struct worker;

enum { VX_WORKERS_MAX = 16, VX_IFINDEX_FIRST = 1 << 20, ERR_TEXT_MAX = 256 };

/* Why a request was refused: one sentence without a full stop, or "" (then errno says it). */
struct vx_err {
	char text[ERR_TEXT_MAX];
	uint16_t attr; /* the attribute that is wrong, 0 is none: for the extended ACK's offset */
};
/* Sets err->text (err may be NULL) and returns 'code'. */
int vx_fail(struct vx_err *err, int code, const char *fmt, ...) PRINTF(3, 4);

enum vx_event_kind { VX_LINK_NEW, VX_LINK_DEL, VX_FDB_NEW, VX_FDB_DEL };

/* What libvx tells its owner.  'fdb' may come from any worker; the others from control. */
struct fdb_view;
struct vx_events {
	void (*link)(void *ctx, enum vx_event_kind kind, struct dev *dev);
	void (*fdb)(void *ctx, enum vx_event_kind kind, struct dev *dev, const struct fdb_view *e);
	void *ctx;
};

struct vx_config {
	uint32_t n_workers;	  /* 1..VX_WORKERS_MAX */
	struct hash_key key;	  /* secret and random */
	uint64_t random;	  /* seeds the generator of MACs and ids */
	uint64_t now;		  /* ns, any origin, never back */
	uint32_t pool_pkts, pool_small, pool_big; /* caps per worker; 0 is a default */
	const struct host_ops *host; /* NULL: no host underlay, no TAPs */
	void *host_ctx;
	struct vx_events events; /* members may be NULL */
	/* A worker got something from another one: it has to have a turn.  Any worker's thread; NULL
	 * where all turns are taken by one thread anyway. */
	void (*wake_worker)(void *ctx, uint32_t id);
	void *wake_ctx;
};

/* What explain waits for: packets that the filter takes get a trace (net/watch). */
struct watch;
struct vxlan_ports;
struct ptype_table;
struct hook_table;

struct vx {
	struct hash_key key;
	uint64_t random; /* control's generator */
	_Atomic uint64_t now; /* the last that any worker or control gave */
	struct quiesce quiesce;
	const struct host_ops *host;
	void *host_ctx;
	struct vx_events events;
	void (*wake_worker)(void *ctx, uint32_t id);
	void *wake_ctx;

	struct list devs;	/* struct dev.node, in order of creation; control's */
	struct list leaving;	/* struct dev.node: removed, a worker may still hold packets of it */
	uint32_t n_devs;
	uint32_t next_ifindex;
	struct list link_types; /* struct link_type_reg */
	struct list formers;	/* struct former.node */
	_Atomic(struct vxlan_ports *) vxlan_ports; /* the same for workers (vxlan/sock) */
	struct list vxlan_socks;/* struct vxlan_sock.node (vxlan/sock) */
	struct list dpifs;	/* struct dpif.node (ofproto/dpif) */
	uint32_t dpif_holds;	/* no snapshot is published (ofproto/pending) */
	bool dpif_dummy;	/* datapaths of type "dummy" may be made (ofproto/dpif) */
	struct inet *inet;	/* the stack underlay (net/inet) */
	_Atomic(struct ptype_table *) ptypes;
	_Atomic(struct watch *) watch; /* NULL: nothing is traced */
	bool stopping; /* vx_free(): no worker runs any more */
	uint32_t n_workers;
	struct worker *workers[VX_WORKERS_MAX];
};

/* One thread of packets.  Everything here is the worker's own, but for reading counters. */
struct worker {
	struct vx *vx;
	uint32_t id;
	uint64_t now; /* of this turn */
	uint64_t turns; /* begun: for what has a limit per turn */
	struct pool *pool;
	struct account acct;
	struct mib mib;
	uint64_t random;
	_Atomic(struct worker_call *) calls; /* newest first */
	_Atomic(struct pkt *) handed; /* by other workers (net/handoff), newest first */
	_Atomic uint32_t n_handed;
	struct list napis;	/* scheduled */
	struct backlog *backlog;
	struct gro *gro;
	struct list flushes;	/* struct flush.node: to be flushed at the end of the turn */
	struct inet_worker *inet;
	void *host;		/* the host provider's (io/udp) */
	uint32_t tunnels;	/* that are sending now, each inside the next */
};

/* Something that gathers packets for one system call and is flushed at the end of the turn. */
struct flush {
	struct list node;
	bool queued;
	void (*fn)(struct flush *f, struct worker *w);
};

static inline void flush_queue(struct worker *w, struct flush *f)
{
	if (f->queued)
		return;
	f->queued = true;
	list_append(&w->flushes, &f->node);
}

struct vx *vx_new(const struct vx_config *cfg); /* NULL: memory */
/* No worker may run.  Removes devices, drops what is held as DROP_shutdown. */
void vx_free(struct vx *vx);

/* One turn of worker 'id' at 'now': polls what is scheduled, once each, runs the backlog, flushes.
 * Returns true if work is left (call again at once). */
bool vx_turn(struct vx *vx, uint32_t id, uint64_t now);
/* Something that a worker does for control: fn(w, call) at the beginning of its next turn, on its
 * thread (which the caller has to wake).  The call is the caller's until then. */
struct worker_call {
	struct worker_call *next;
	void (*fn)(struct worker *w, struct worker_call *call);
};
void vx_call(struct vx *vx, uint32_t id, struct worker_call *call);

/* When the worker wants its next turn at the latest, ns; UINT64_MAX is never. */
uint64_t vx_next_timer(struct vx *vx, uint32_t id);
/* Control's timers and deferred frees.  Returns when it wants to be called again. */
uint64_t vx_control_turn(struct vx *vx, uint64_t now);

static inline uint64_t vx_now(const struct vx *vx)
{
	return atomic_load_explicit(&vx->now, memory_order_relaxed);
}

/* Sum over workers.  held is found by walking; only exact while no worker runs. */
void vx_account(struct vx *vx, struct account *sum);
uint64_t vx_held(struct vx *vx);
/* Drops what is held, but for what the devices' own cells hold, as DROP_shutdown.  No worker may run. */
void vx_drop_held(struct vx *vx);
/* Buffers out of all pools. */
struct pool_stats vx_pool_stats(struct vx *vx);

uint64_t random_next(uint64_t *state); /* splitmix64: not for secrets */

/* Drops a packet for a reason: counts, tells its trace, frees. */
void pkt_drop(struct worker *w, struct pkt *p, enum drop why);
/* Drops, too, and names the stage and the device that did. */
void pkt_drop_at(struct worker *w, struct pkt *p, enum drop why, enum stage stage);

/* Consumed here as intended (ARP, ICMP, raw, UDP reader). */
static inline void pkt_consume(struct worker *w, struct pkt *p)
{
	w->acct.local++;
	pkt_free(p);
}

/* New packets of vx's own making; NULL if the pool is empty. */
static inline struct pkt *pkt_make(struct worker *w, uint32_t size)
{
	struct pkt *p = pkt_new(w->pool, size);

	if (p)
		w->acct.made++;
	return p;
}

static inline struct pkt *pkt_make_clone(struct worker *w, const struct pkt *from)
{
	struct pkt *p = pkt_clone(w->pool, from);

	if (!p)
		return NULL;
	w->acct.made++;
	if (unlikely(pkt_trace(from)))
		trace_fork(from, p);
	return p;
}

#endif
