/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of pieces of datagrams: what frag.c and frag_queue.c share. */
#ifndef VX_NET_FRAG_QUEUE_H
#define VX_NET_FRAG_QUEUE_H

#include "net/frag.h"

enum { FRAG_BUCKETS = 1024, FRAG_CLASSES = 32, FRAG_DATAGRAM_MAX = 65535 };

struct frag_key {
	struct ip_addr src, dst;
	uint32_t id;
	uint32_t proto; /* IPv4; of IPv6 256 */
};

/* One that has sent pieces. */
struct frag_source {
	struct frag_source *next; /* in its bucket */
	struct list node;	  /* of its class */
	struct list queues;	  /* oldest first */
	struct ip_addr ip;
	uint32_t bytes;
};

struct frag_queue {
	struct frag_queue *next; /* in its bucket */
	struct list node;	 /* by age */
	struct list of_source;
	struct frag_source *src;
	struct frag_key key;
	struct pkt *first, *last; /* by offset */
	uint64_t until;
	uint32_t n, bytes; /* bytes: of buffers */
	uint32_t got, end; /* payload bytes; end of the last piece so far */
	bool has_last;
	uint8_t ecn; /* set of 1 << field */
};

struct frag_table {
	uint64_t held;
	uint32_t bytes;
	struct list by_age;
	struct list by_class[FRAG_CLASSES];
	struct frag_queue *bucket[FRAG_BUCKETS], *free_queues;
	struct frag_source *source_bucket[FRAG_BUCKETS], *free_sources;
	struct frag_queue queues[FRAG_QUEUES];
	struct frag_source sources[FRAG_QUEUES];
};

/* What a held piece carries in cb. */
enum { CB_OFF, CB_END, CB_HDR, CB_PREV };

struct frag_queue *frag_queue_find(struct worker *w, const struct frag_key *k);
struct frag_queue *frag_queue_new(struct worker *w,
				  const struct frag_key *k); /* may evict another */
/* The queue without its pieces, which are the caller's. */
struct pkt *frag_queue_end(struct worker *w, struct frag_queue *q);
void frag_queue_drop(struct worker *w, struct frag_queue *q, enum drop why);
void frag_queue_fail(struct worker *w, struct frag_queue *q, enum drop why); /* counted, too */
void frag_evict(struct worker *w);	 /* the oldest queue of the largest source */
uint32_t frag_cost(const struct pkt *p); /* buffers that a piece keeps from others */
void frag_charge(struct frag_table *t, struct frag_queue *q, int64_t by);

#endif
