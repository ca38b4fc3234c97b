/* SPDX-License-Identifier: Apache-2.0 */
#include "pkt/pkt.h"

#include <errno.h>
#include <stdlib.h>

#include "pkt/trace.h"
#include "wire/csum.h"

/*
 * A pool belongs to one worker, who alone allocates.  Anybody may free: whoever frees pushes on
 * 'returned', the owner takes that stack whole when its own list is empty.  A worker that frees
 * its own packets does so without an atomic operation.
 *
 * Objects are made on demand up to a cap and kept, so memory follows the load; in a steady state
 * the packet path calls no malloc.
 */
struct supply {
	void *free;
	uint32_t made, cap;
	uint64_t taken, given; /* by the owner */
	_Atomic uint64_t given_others;
	_Atomic(void *) returned;
};

struct pool {
	struct supply pkts, small, big;
};

static void **link_of_pkt(void *o)
{
	return (void **)&((struct pkt *)o)->next;
}

static void **link_of_buf(void *o)
{
	return (void **)&((struct pbuf *)o)->next;
}

/* The pool whose owner runs on this thread; NULL on any other.  A cache, not state: it decides
 * only by which of two lists an object goes home. */
static _Thread_local struct pool *mine;

struct pool *pool_new(uint32_t max_pkts, uint32_t max_small, uint32_t max_big)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->pkts.cap = max_pkts;
	p->small.cap = max_small;
	p->big.cap = max_big;
	return p;
}

static void supply_free(struct supply *s, void **(*link)(void *))
{
	void *lists[2] = {s->free, atomic_load(&s->returned)};

	for (int i = 0; i < 2; i++)
		for (void *o = lists[i], *next; o; o = next) {
			next = *link(o);
			free(o);
		}
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	supply_free(&p->pkts, link_of_pkt);
	supply_free(&p->small, link_of_buf);
	supply_free(&p->big, link_of_buf);
	if (mine == p)
		mine = NULL;
	free(p);
}

READS_COUNTERS static uint64_t supply_out(struct supply *s)
{
	return s->taken - s->given - atomic_load(&s->given_others);
}

void pool_get_stats(struct pool *p, struct pool_stats *out)
{
	*out = (struct pool_stats){supply_out(&p->pkts), supply_out(&p->small), supply_out(&p->big)};
}

static void *take(struct supply *s, void **(*link)(void *), size_t size)
{
	void *o = s->free;

	if (unlikely(!o))
		o = s->free = atomic_exchange_explicit(&s->returned, NULL, memory_order_acquire);
	if (likely(o != NULL)) {
		s->free = *link(o);
	} else {
		if (s->made == s->cap)
			return NULL;
		o = aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1));
		if (!o)
			return NULL;
		s->made++;
	}
	s->taken++;
	return o;
}

static void give(struct supply *s, void *o, void **link, bool own)
{
	void *head;

	if (likely(own)) {
		*link = s->free;
		s->free = o;
		s->given++;
		return;
	}
	head = atomic_load_explicit(&s->returned, memory_order_relaxed);
	do {
		*link = head;
	} while (!atomic_compare_exchange_weak_explicit(&s->returned, &head, o, memory_order_release,
							memory_order_relaxed));
	atomic_fetch_add_explicit(&s->given_others, 1, memory_order_relaxed);
}

static struct pbuf *pbuf_take(struct pool *p, uint32_t room)
{
	bool big = room > PKT_HEADROOM + PBUF_SMALL;
	struct supply *s = big ? &p->big : &p->small;
	uint32_t size = PKT_HEADROOM + (big ? PBUF_BIG : PBUF_SMALL);
	struct pbuf *b;

	if (room > PKT_HEADROOM + PBUF_BIG)
		return NULL;
	b = take(s, link_of_buf, sizeof(*b) + size);
	if (!b)
		return NULL;
	b->size = size;
	b->pool = p;
	atomic_store_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

static void pbuf_put(struct pbuf *b)
{
	struct pool *p = b->pool;

	/* The last holder needs no read-modify-write: nobody else can see the buffer. */
	if (atomic_load_explicit(&b->refs, memory_order_acquire) != 1 &&
	    atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
		return;
	give(b->size > PKT_HEADROOM + PBUF_SMALL ? &p->big : &p->small, b, (void **)&b->next,
	     p == mine);
}

static struct pkt *pkt_take(struct pool *p)
{
	struct pkt *pkt;

	mine = p; /* only the owner allocates */
	pkt = take(&p->pkts, link_of_pkt, sizeof(*pkt));
	return pkt;
}

static void pkt_give(struct pkt *pkt)
{
	give(&pkt->pool->pkts, pkt, (void **)&pkt->next, pkt->pool == mine);
}

struct pkt *pkt_new(struct pool *p, uint32_t size)
{
	struct pkt *pkt = pkt_take(p);
	struct pbuf *b;

	if (unlikely(!pkt))
		return NULL;
	pkt->pool = p;
	b = pbuf_take(p, PKT_HEADROOM + size);
	if (unlikely(!b)) {
		pkt_give(pkt);
		return NULL;
	}
	/* Everything but the tunnel metadata, which has_tun guards. */
	memset(pkt, 0, offsetof(struct pkt, cb));
	pkt->pool = p;
	pkt->buf = b;
	pkt->data = b->bytes + PKT_HEADROOM;
	return pkt;
}

/* Metadata copied, bytes shared, frags left out. */
static struct pkt *share(struct pool *p, const struct pkt *from)
{
	struct pkt *pkt = pkt_take(p);

	if (!pkt)
		return NULL;
	memcpy(pkt, from, from->has_tun ? sizeof(*pkt) : offsetof(struct pkt, tun));
	atomic_fetch_add_explicit(&from->buf->refs, 1, memory_order_relaxed);
	pkt->pool = p;
	pkt->next = pkt->frags = pkt->last_frag = NULL;
	pkt->frag_len = 0;
	pkt->trace = NULL;
	return pkt;
}

struct pkt *pkt_clone(struct pool *p, const struct pkt *from)
{
	struct pkt *pkt = share(p, from);

	if (!pkt)
		return NULL;
	for (const struct pkt *f = from->frags; f; f = f->next) {
		struct pkt *c = share(p, f);

		if (!c) {
			pkt_free(pkt);
			return NULL;
		}
		pkt_add_frag(pkt, c);
	}
	return pkt;
}

struct pkt *pkt_slice(struct pool *p, const struct pkt *from, uint32_t off, uint32_t len)
{
	struct pkt *pkt = share(p, from);

	if (!pkt)
		return NULL;
	assert(off <= from->len && len <= from->len - off);
	pkt->data += off;
	pkt->len = len;
	return pkt;
}

/* What a plain packet has not. */
static void free_more(struct pkt *pkt)
{
	struct pkt *f, *next;

	if (pkt_trace(pkt))
		trace_put(pkt->trace);
	for (f = pkt->frags; f; f = next) {
		next = f->next;
		pbuf_put(f->buf);
		pkt_give(f);
	}
}

void pkt_free(struct pkt *pkt)
{
	if (!pkt)
		return;
	if (unlikely((uintptr_t)pkt_trace(pkt) | (uintptr_t)pkt->frags))
		free_more(pkt);
	pbuf_put(pkt->buf);
	pkt_give(pkt);
}

void pkt_add_frag(struct pkt *pkt, struct pkt *frag)
{
	assert(!frag->frags);
	frag->next = NULL;
	if (pkt->last_frag)
		pkt->last_frag->next = frag;
	else
		pkt->frags = frag;
	pkt->last_frag = frag;
	pkt->frag_len += frag->len;
}

int pkt_add_slices(struct pool *p, struct pkt *to, const struct pkt *from, uint32_t off,
		   uint32_t len)
{
	for (const struct pkt *f = from; len; f = f == from ? from->frags : f->next) {
		struct pkt *s;
		uint32_t n;

		if (off >= f->len) {
			off -= f->len;
			continue;
		}
		n = MIN(len, f->len - off);
		s = pkt_slice(p, f, off, n);
		if (!s)
			return -ENOMEM;
		pkt_add_frag(to, s);
		len -= n;
		off = 0;
	}
	return 0;
}

/* Header positions follow the bytes that moved by 'by' (modulo 2^32: it may be negative). */
static void move_offsets(struct pkt *pkt, uint32_t by)
{
	pkt->mac_off += by;
	pkt->net_off += by;
	pkt->l4_off += by;
	pkt->csum_start += by;
}

/* A private buffer with room for 'len' linear bytes; those there are copied, offsets kept.  A
 * slice from far inside a big buffer leaves behind what lies before its own headers. */
static int move_linear(struct pool *p, struct pkt *pkt, uint32_t len)
{
	uint32_t head = pkt_headroom(pkt);
	uint32_t skip = head > 2 * PKT_HEADROOM ? head - 2 * PKT_HEADROOM : 0;
	struct pbuf *b = pbuf_take(p, head - skip + len);

	if (!b)
		return -ENOMEM;
	/* Headers that were pulled lie before 'data' and are still wanted. */
	memcpy(b->bytes, pkt->buf->bytes + skip, head - skip + pkt->len);
	pbuf_put(pkt->buf);
	pkt->buf = b;
	pkt->data = b->bytes + head - skip;
	if (unlikely(skip))
		move_offsets(pkt, -skip);
	return 0;
}

int pkt_split(struct pool *p, struct pkt *pkt, uint32_t n)
{
	struct pkt *rest = pkt_slice(p, pkt, n, pkt->len - n);
	struct pbuf *b;

	if (!rest)
		return -ENOMEM;
	b = pbuf_take(p, PKT_HEADROOM + n);
	if (!b) {
		pkt_free(rest);
		return -ENOMEM;
	}
	memcpy(b->bytes + PKT_HEADROOM, pkt->data, n);
	move_offsets(pkt, PKT_HEADROOM - pkt_headroom(pkt));
	pbuf_put(pkt->buf); /* 'rest' holds it */
	pkt->buf = b;
	pkt->data = b->bytes + PKT_HEADROOM;
	pkt->len = n;
	rest->next = pkt->frags;
	pkt->frags = rest;
	if (!pkt->last_frag)
		pkt->last_frag = rest;
	pkt->frag_len += rest->len;
	return 0;
}

int pkt_cow(struct pool *p, struct pkt *pkt)
{
	return likely(!pkt_is_shared(pkt)) ? 0 : move_linear(p, pkt, pkt->len);
}

/* Takes the first frag's first 'n' bytes away. */
static void eat_frag(struct pkt *pkt, uint32_t n)
{
	struct pkt *f = pkt->frags;

	f->data += n;
	f->len -= n;
	pkt->frag_len -= n;
	if (f->len)
		return;
	pkt->frags = f->next;
	if (!pkt->frags)
		pkt->last_frag = NULL;
	pbuf_put(f->buf);
	pkt_give(f);
}

int pkt_pull_more(struct pool *p, struct pkt *pkt, uint32_t n)
{
	if (pkt_total(pkt) < n)
		return -EINVAL;
	if ((pkt_is_shared(pkt) || pkt_tailroom(pkt) < n - pkt->len) && move_linear(p, pkt, n) < 0)
		return -ENOMEM;
	while (pkt->len < n) {
		uint32_t m = MIN(n - pkt->len, pkt->frags->len);

		memcpy(pkt->data + pkt->len, pkt->frags->data, m);
		pkt->len += m;
		eat_frag(pkt, m);
	}
	return 0;
}

void pkt_trim(struct pkt *pkt, uint32_t len)
{
	struct pkt *f;

	if (pkt->len >= len) {
		while (pkt->frags)
			eat_frag(pkt, pkt->frags->len);
		pkt->len = len;
		return;
	}
	len -= pkt->len;
	if (len >= pkt->frag_len)
		return;
	pkt->frag_len = len;
	for (f = pkt->frags; len > f->len; f = f->next)
		len -= f->len;
	f->len = len;
	pkt->last_frag = f;
	for (struct pkt *g = f->next, *next; g; g = next) {
		next = g->next;
		pbuf_put(g->buf);
		pkt_give(g);
	}
	f->next = NULL;
}

void pkt_copy_out(const struct pkt *pkt, uint32_t off, void *to, uint32_t len)
{
	uint8_t *out = to;

	for (const struct pkt *f = pkt; len; f = f == pkt ? pkt->frags : f->next) {
		uint32_t n;

		if (off >= f->len) {
			off -= f->len;
			continue;
		}
		n = MIN(len, f->len - off);
		memcpy(out, f->data + off, n);
		out += n;
		len -= n;
		off = 0;
	}
}

uint64_t pkt_csum(const struct pkt *pkt, uint32_t off, uint32_t len)
{
	uint64_t sum = 0;
	bool odd = false;

	for (const struct pkt *f = pkt; len; f = f == pkt ? pkt->frags : f->next) {
		uint32_t n;

		if (off >= f->len) {
			off -= f->len;
			continue;
		}
		n = MIN(len, f->len - off);
		sum = odd ? csum_add_odd(sum, f->data + off, n) : csum_add(sum, f->data + off, n);
		odd ^= n & 1;
		len -= n;
		off = 0;
	}
	return sum;
}
