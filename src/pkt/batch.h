/* SPDX-License-Identifier: Apache-2.0 */
/* Up to 64 packets that go through a stage together, in order. */
#ifndef VX_PKT_BATCH_H
#define VX_PKT_BATCH_H

#include "pkt/pkt.h"

enum { BATCH_MAX = 64 };

struct batch {
	uint32_t n;
	bool traced; /* one of them has a trace: the stage's only branch for explain */
	struct pkt *p[BATCH_MAX];
};

static inline void batch_init(struct batch *b)
{
	b->n = 0;
	b->traced = false;
}

static inline bool batch_is_full(const struct batch *b)
{
	return b->n == BATCH_MAX;
}

/* There must be room. */
static inline void batch_add(struct batch *b, struct pkt *p)
{
	b->p[b->n++] = p;
}

#endif
