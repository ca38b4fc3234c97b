/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A datapath: ports by number, a flow table, and its device, of link type 'openvswitch'
 * (spec/ovs.md 11.13): no host side, down, port 0.  It is named as its device ("ovs-system").
 *
 * A worker's packets come in batches of up to 64: all are parsed, all hashed, all looked up, then
 * each is acted on; what goes out is gathered per port.  On a hit nothing is allocated, locked, or
 * stored where other workers look.
 */
#ifndef VX_DATAPATH_DP_H
#define VX_DATAPATH_DP_H

#include "datapath/table.h"
#include "datapath/upcall.h"
#include "datapath/vport.h"
#include "net/napi.h"

enum { DP_COPIES_A_TURN = 1024, DP_WAITING_MAX = 1024 };

struct dp_stats {
	uint64_t hit, missed, lost;
	uint64_t mask_hit; /* masks that were tried */
	uint64_t cache_hit;
};

/* One worker's part. */
struct CACHE_ALIGNED dp_worker {
	struct dp *dp;
	struct flush flush; /* the end of the turn: what came in, what waits for an upcall */
	struct napi napi;   /* asks for another turn while something waits */
	struct batch in;    /* cb_ptr[0] is the port */
	struct list dirty;  /* struct vport_out.node, in order of their first packet */
	bool traced;
	uint64_t copies_turn; /* the turn that 'copies' are of */
	uint32_t copies;
	struct pkt_queue waiting; /* to go on with their actions */
	struct upcalls upcalls;
	_Atomic uint32_t held; /* waiting.n + upcalls.n, for control */
	struct dp_stats stats;
	struct flow_cache cache;
};

struct dp_ports {
	uint32_t n;
	_Atomic(struct vport *) p[];
};

struct dp {
	struct dev *dev;
	struct table table;
	_Atomic(struct dp_ports *) ports; /* never NULL */
	struct dp_worker *workers;	  /* [n_workers] */
	struct vport *local;		  /* port 0 */
	const struct vport *joining;	  /* the port that vport_link_netdev() is making a slave */
	/* Set by whoever makes flows, before there are ports; called by workers. */
	upcall_fn *upcall;
	/* Control: a port's device was removed, and the port with it.  NULL: nobody asks. */
	void (*port_gone)(void *ctx, const struct vport *v);
	void *ctx;
};

int dp_init_module(struct vx *vx); /* 0 or -ENOMEM */
/* Makes datapath and device.  'name' is the device's. */
int dp_new(struct vx *vx, const char *name, struct vx_err *err, struct dp **out);
void dp_del(struct dp *dp); /* with its ports */
bool dev_is_dp(const struct dev *d);

static inline struct dp *dp_of(const struct dev *d)
{
	return d->priv;
}

/* Workers, and control.  NULL. */
static inline struct vport *dp_port(const struct dp *dp, uint32_t no)
{
	struct dp_ports *t = atomic_load_explicit(&((struct dp *)dp)->ports, memory_order_acquire);

	return no < t->n ? atomic_load_explicit(&t->p[no], memory_order_acquire) : NULL;
}

/* Control. */
int dp_set_port(struct dp *dp, uint32_t no, struct vport *v); /* NULL removes; -ENOMEM */
uint32_t dp_free_port(struct dp *dp);			      /* the first free number from 1 on */
void dp_sum_stats(struct dp *dp, struct dp_stats *sum);

/* --- within the datapath ------------------------------------------------------------------------
 */

/* Stage dp_process_packet: what b's packets match.  Takes all of them. */
void dp_process_packet(struct worker *w, struct dp_worker *dw, struct batch *b);
/* Stage do_output.  Takes p. */
void do_output(struct worker *w, struct dp_worker *dw, struct pkt *p, uint32_t port);
/* Sends what is gathered per port. */
void dp_send_all(struct worker *w, struct dp_worker *dw);
/* A packet of f is about to be acted on. */
void dp_count(struct worker *w, struct flow *f, const struct pkt *p, const struct flow_key *k);
/* Tells the worker and control how much waits, and asks for another turn if anything does. */
void dp_note_held(struct worker *w, struct dp_worker *dw);
/* The flush of a worker. */
void dp_run(struct flush *f, struct worker *w);

#endif
