/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of packets: first in, first out, of one worker. */
#ifndef VX_NET_BACKLOG_H
#define VX_NET_BACKLOG_H

#include "pkt/batch.h"

struct worker;

enum { BACKLOG_MAX = 1000 }; /* net.core.netdev_max_backlog */

struct pkt_queue {
	struct pkt *first, *last;
	uint32_t n;
};

struct backlog {
	struct pkt_queue q;
};

void pkt_queue_add(struct pkt_queue *q, struct pkt *p);
/* Appends up to 'max' packets to b, which has room.  Returns how many. */
uint32_t pkt_queue_take(struct pkt_queue *q, struct batch *b, uint32_t max);
void pkt_queue_drop(struct worker *w, struct pkt_queue *q, enum drop why);

#endif
