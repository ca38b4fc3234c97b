/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polling (spec/stack.md 1): one napi per queue of a port or socket.  Readiness schedules it,
 * once however often; a turn polls each scheduled napi once with a budget of 64; less than the
 * budget completes it.
 */
#ifndef VX_NET_NAPI_H
#define VX_NET_NAPI_H

#include "base/list.h"
#include "pkt/batch.h"

struct worker;

enum { NAPI_BUDGET = 64 };

struct napi {
	struct list node; /* in worker.napis while scheduled */
	struct worker *w;
	bool scheduled;
	/* Takes at most 'budget' and passes them on; returns how many it took. */
	uint32_t (*poll)(struct napi *n, struct worker *w, uint32_t budget);
	/* Asks the source to tell of new packets again; NULL where it always does. */
	void (*rearm)(struct napi *n);
	void *ctx;
	const char *name; /* for explain */
};

void napi_init(struct napi *n, struct worker *w,
	       uint32_t (*poll)(struct napi *, struct worker *, uint32_t), void *ctx);
/* Called by the worker's own thread (readiness comes through its event loop). */
void napi_schedule(struct napi *n);
void napi_remove(struct napi *n); /* the worker's thread, or while it is quiescent */
/* Polls each scheduled napi once.  Returns true if any stays scheduled. */
bool napi_poll_all(struct worker *w);

#endif
