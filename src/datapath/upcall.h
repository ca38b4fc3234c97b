/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upcalls: packets that no flow matches, or whose flow asks, wait here until the end of the
 * worker's turn, where dp->upcall decides (spec/ovs.md 11.21).
 *
 * Each worker has its own queues, one per source: a port, or of a tunnel port one of 64 by outer
 * source and VNI.  They are served in turn, at most UPCALLS_A_TURN a turn, so who floods waits for
 * himself; and at most UPCALLS_A_SOURCE of one source: a turn of nothing but misses takes more in
 * than it decides, so that the flood's queue overflows and not the socket, which many share.
 *
 * A queue has a limit, and all of a worker's together have one, beyond which the longest loses its
 * oldest.  Packets that wait are held (vx_held()).
 */
#ifndef VX_DATAPATH_UPCALL_H
#define VX_DATAPATH_UPCALL_H

#include "base/list.h"
#include "datapath/action.h"
#include "net/backlog.h"

struct dp;
struct vport;

enum {
	UPCALL_SOURCES = 64, /* of a tunnel port */
	UPCALL_QUEUE_MAX = 256,
	UPCALL_TOTAL_MAX = 1024, /* of one worker */
	UPCALLS_A_TURN = 64,
	UPCALLS_A_SOURCE = 4,
};

/* One source's packets, of one worker. */
struct upcall_queue {
	struct list turn;   /* upcalls.turn while not empty: the order of service */
	struct list by_len; /* upcalls.by_len[q.n] */
	struct pkt_queue q;
	struct vport *port;
	struct flow_source *source;
	uint64_t turn_no; /* of the worker, when 'served' was counted */
	uint32_t served;
};

struct upcalls {
	struct list turn;
	struct list by_len[UPCALL_QUEUE_MAX + 1];
	uint32_t longest; /* no queue is longer */
	uint32_t n;
	uint64_t turn_no; /* of the worker, when 'served' was counted */
	uint32_t served;
};

/* What dp->upcall is asked, and answers. */
struct upcall {
	struct dp *dp;
	struct worker *w;
	struct vport *in;
	struct pkt *p; /* the datapath's: to be looked at, or cloned */
	const struct flow_key *key;
	const struct act_userspace *act; /* NULL: a miss */
	/* The answer; all zero before.  Nothing: the packet is dropped for the reason 'why'. */
	struct actions *actions; /* for this packet; a reference that is taken */
	bool install;		 /* for later ones, too: as a flow with 'mask' */
	struct flow_key mask;
	enum drop why;
};
typedef void upcall_fn(void *ctx, struct upcall *u);

void upcalls_init(struct upcalls *u);
void upcall_queue_init(struct upcall_queue *q, struct vport *port, struct flow_source *source);

/* Stage upcall.  Takes p: data at the Ethernet header.  'act' NULL: a miss. */
void upcall(struct worker *w, struct dp_worker *dw, struct upcall_queue *q, struct pkt *p,
	    const struct act_userspace *act);
/* Serves what this turn may.  True if something still waits. */
bool upcalls_serve(struct worker *w, struct dp_worker *dw);
void upcalls_drop(struct worker *w, struct dp_worker *dw, enum drop why);

#endif
