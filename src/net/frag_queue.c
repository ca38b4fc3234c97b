/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues of pieces, and the sources that they belong to.  Sources are listed by the size class of
 * the memory that their queues take, so that the largest is found at once: its oldest queue goes
 * first (F6).
 */
#include "net/frag_queue.h"

#include <stdlib.h>

struct frag_table *frag_table_new(void)
{
	struct frag_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	list_init(&t->by_age);
	for (int i = 0; i < FRAG_CLASSES; i++)
		list_init(&t->by_class[i]);
	for (int i = 0; i < FRAG_QUEUES; i++) {
		t->queues[i].next = t->free_queues;
		t->free_queues = &t->queues[i];
		t->sources[i].next = t->free_sources;
		t->free_sources = &t->sources[i];
	}
	return t;
}

void frag_table_free(struct frag_table *t)
{
	free(t);
}

/* --- sources and queues ----------------------------------------------------------------------- */

static uint32_t hash_ip(struct worker *w, const struct ip_addr *ip)
{
	return (uint32_t)hash_u64(w->vx->key, ip->d[0], ip->d[1]) % FRAG_BUCKETS;
}

static uint32_t hash_key(struct worker *w, const struct frag_key *k)
{
	uint64_t a = hash_u64(w->vx->key, k->src.d[0] ^ k->id, k->src.d[1] ^ k->proto);

	return (uint32_t)hash_u64(w->vx->key, k->dst.d[0] ^ a, k->dst.d[1]) % FRAG_BUCKETS;
}

/* Buffers that a piece keeps from others. */
uint32_t frag_cost(const struct pkt *p)
{
	return (uint32_t)sizeof(*p) + MAX(pkt_total(p), (uint32_t)PBUF_SMALL) + PKT_HEADROOM;
}

void frag_charge(struct frag_table *t, struct frag_queue *q, int64_t by)
{
	struct frag_source *s = q->src;

	q->bytes = (uint32_t)(q->bytes + by);
	s->bytes = (uint32_t)(s->bytes + by);
	t->bytes = (uint32_t)(t->bytes + by);
	list_remove(&s->node);
	list_append(&t->by_class[s->bytes ? 31 - __builtin_clz(s->bytes) : 0], &s->node);
}

static struct frag_source *source_get(struct worker *w, const struct ip_addr *ip)
{
	struct frag_table *t = w->inet->frags;
	struct frag_source **at = &t->source_bucket[hash_ip(w, ip)], *s;

	for (s = *at; s; s = s->next)
		if (ip_eq(&s->ip, ip))
			return s;
	s = t->free_sources; /* there are as many as queues */
	t->free_sources = s->next;
	*s = (struct frag_source){.ip = *ip, .next = *at};
	list_init(&s->node);
	list_init(&s->queues);
	*at = s;
	return s;
}

static void source_put(struct worker *w, struct frag_source *s)
{
	struct frag_table *t = w->inet->frags;
	struct frag_source **at = &t->source_bucket[hash_ip(w, &s->ip)];

	if (!list_is_empty(&s->queues))
		return;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	list_remove(&s->node);
	s->next = t->free_sources;
	t->free_sources = s;
}

/* The queue without its pieces, which are the caller's. */
struct pkt *frag_queue_end(struct worker *w, struct frag_queue *q)
{
	struct frag_table *t = w->inet->frags;
	struct frag_queue **at = &t->bucket[hash_key(w, &q->key)];
	struct pkt *pieces = q->first;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	t->held -= q->n;
	frag_charge(t, q, -(int64_t)q->bytes);
	list_remove(&q->node);
	list_remove(&q->of_source);
	source_put(w, q->src);
	q->next = t->free_queues;
	t->free_queues = q;
	return pieces;
}

static void count_fail(struct worker *w, const struct frag_queue *q)
{
	if (ip_is4(&q->key.src))
		MIB_INC(w, IpReasmFails);
	else
		MIB_INC(w, Ip6ReasmFails);
}

void frag_queue_drop(struct worker *w, struct frag_queue *q, enum drop why)
{
	struct pkt *p = frag_queue_end(w, q), *next;

	for (; p; p = next) {
		next = p->next;
		p->next = NULL;
		pkt_drop_at(w, p, why, STAGE_ip_defrag);
	}
}

void frag_queue_fail(struct worker *w, struct frag_queue *q, enum drop why)
{
	count_fail(w, q);
	frag_queue_drop(w, q, why);
}

/* The oldest queue of the largest source. */
void frag_evict(struct worker *w)
{
	struct frag_table *t = w->inet->frags;

	for (int i = FRAG_CLASSES; i-- > 0;) {
		struct frag_source *s;

		if (list_is_empty(&t->by_class[i]))
			continue;
		s = container_of(t->by_class[i].next, struct frag_source, node);
		frag_queue_fail(w, container_of(s->queues.next, struct frag_queue, of_source),
				DROP_ip_reasm_limit);
		return;
	}
}

struct frag_queue *frag_queue_find(struct worker *w, const struct frag_key *k)
{
	struct frag_queue *q = w->inet->frags->bucket[hash_key(w, k)];

	while (q && !(q->key.id == k->id && q->key.proto == k->proto &&
		      ip_eq(&q->key.src, &k->src) && ip_eq(&q->key.dst, &k->dst)))
		q = q->next;
	return q;
}

struct frag_queue *frag_queue_new(struct worker *w, const struct frag_key *k)
{
	struct frag_table *t = w->inet->frags;
	struct frag_queue **at = &t->bucket[hash_key(w, k)], *q;

	if (!t->free_queues)
		frag_evict(w);
	q = t->free_queues;
	t->free_queues = q->next;
	*q = (struct frag_queue){.next = *at, .key = *k, .until = w->now + FRAG_TIMEOUT};
	*at = q;
	q->src = source_get(w, &k->src);
	list_append(&t->by_age, &q->node);
	list_append(&q->src->queues, &q->of_source);
	frag_charge(t, q, 0);
	return q;
}
