/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `vx explain`, the live half: one client at a time sets a watch and fetches the traces.
 *
 *   explain/start COUNT WHERE REASON EXPRESSION   WHERE: any, outer, inner; "" is none.  Answers
 *                   with a line about what can be seen
 *   explain/next    answers when there are traces: {"traces": [...], "missed": N, "done": bool}
 *   explain/stop
 *
 * A client that does not ask for 10 seconds is gone.
 */
#ifndef VX_VXD_EXPLAIN_H
#define VX_VXD_EXPLAIN_H

#include <pthread.h>

#include "ctl/filter.h"
#include "io/underlay_watch.h"
#include "net/watch.h"
#include "rpc/unixctl.h"
#include "vxd/loop.h"

struct vxd;

enum { EXPLAIN_QUEUE_MAX = 1024 };

struct explain_job {
	struct explain_job *next; /* in vxd.explain_ended */
	struct watch watch;
	struct filter filter;
	struct vxd *d;
	enum drop only; /* DROP_NONE: all */
	int64_t count;	/* still to be shown */
	uint64_t began, asked; /* asked: when the client last did */
	struct unixctl_conn *waiting; /* in explain/next; NULL: none */
	/* What the host keeps from the sockets; NULL: none is on the host, or it cannot be seen. */
	struct underlay_watch *underlay;
	struct loop_source underlay_src;
	/* Finished traces, by the workers. */
	pthread_mutex_t lock;
	struct trace *first, **last;
	uint32_t n;
	uint64_t missed;
};

unixctl_fn explain_cmd_start, explain_cmd_next, explain_cmd_stop;
void explain_run(struct vxd *d);	    /* traces may have come */
uint64_t explain_timer(struct vxd *d, uint64_t now); /* when it wants to be called again */
void explain_end(struct vxd *d);

#endif
