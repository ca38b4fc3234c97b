/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage ip_defrag.  Each datagram that is incomplete has a queue of pieces in order of offset; each
 * source a count of the memory that its queues take.  Sources are listed by the size class of that
 * count, so that the largest is found at once: its oldest queue goes first (F6).
 */
#include "net/frag.h"

#include <stdlib.h>

#include "net/backlog.h"
#include "net/icmp.h"
#include "wire/csum.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { BUCKETS = 1024, CLASSES = 32, DATAGRAM_MAX = 65535 };

struct frag_key {
	struct ip_addr src, dst;
	uint32_t id;
	uint32_t proto; /* IPv4; of IPv6 256 */
};

/* One that has sent pieces. */
struct source {
	struct source *next; /* in its bucket */
	struct list node;    /* of its class */
	struct list queues;  /* oldest first */
	struct ip_addr ip;
	uint32_t bytes;
};

struct queue {
	struct queue *next; /* in its bucket */
	struct list node;   /* by age */
	struct list of_source;
	struct source *src;
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
	struct list by_class[CLASSES];
	struct queue *bucket[BUCKETS], *free_queues;
	struct source *source_bucket[BUCKETS], *free_sources;
	struct queue queues[FRAG_QUEUES];
	struct source sources[FRAG_QUEUES];
};

/* What a held piece carries in cb. */
enum { CB_OFF, CB_END, CB_HDR, CB_PREV };

struct frag_table *frag_table_new(void)
{
	struct frag_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	list_init(&t->by_age);
	for (int i = 0; i < CLASSES; i++)
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

/* --- sources and queues ------------------------------------------------------------------------------- */

static uint32_t hash_ip(struct worker *w, const struct ip_addr *ip)
{
	return (uint32_t)hash_u64(w->vx->key, ip->d[0], ip->d[1]) % BUCKETS;
}

static uint32_t hash_key(struct worker *w, const struct frag_key *k)
{
	uint64_t a = hash_u64(w->vx->key, k->src.d[0] ^ k->id, k->src.d[1] ^ k->proto);

	return (uint32_t)hash_u64(w->vx->key, k->dst.d[0] ^ a, k->dst.d[1]) % BUCKETS;
}

/* Buffers that a piece keeps from others. */
static uint32_t cost(const struct pkt *p)
{
	return (uint32_t)sizeof(*p) + MAX(pkt_total(p), (uint32_t)PBUF_SMALL) + PKT_HEADROOM;
}

static void charge(struct frag_table *t, struct queue *q, int64_t by)
{
	struct source *s = q->src;

	q->bytes = (uint32_t)(q->bytes + by);
	s->bytes = (uint32_t)(s->bytes + by);
	t->bytes = (uint32_t)(t->bytes + by);
	list_remove(&s->node);
	list_append(&t->by_class[s->bytes ? 31 - __builtin_clz(s->bytes) : 0], &s->node);
}

static struct source *source_get(struct worker *w, const struct ip_addr *ip)
{
	struct frag_table *t = w->inet->frags;
	struct source **at = &t->source_bucket[hash_ip(w, ip)], *s;

	for (s = *at; s; s = s->next)
		if (ip_eq(&s->ip, ip))
			return s;
	s = t->free_sources; /* there are as many as queues */
	t->free_sources = s->next;
	*s = (struct source){.ip = *ip, .next = *at};
	list_init(&s->node);
	list_init(&s->queues);
	*at = s;
	return s;
}

static void source_put(struct worker *w, struct source *s)
{
	struct frag_table *t = w->inet->frags;
	struct source **at = &t->source_bucket[hash_ip(w, &s->ip)];

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
static struct pkt *queue_end(struct worker *w, struct queue *q)
{
	struct frag_table *t = w->inet->frags;
	struct queue **at = &t->bucket[hash_key(w, &q->key)];
	struct pkt *pieces = q->first;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	t->held -= q->n;
	charge(t, q, -(int64_t)q->bytes);
	list_remove(&q->node);
	list_remove(&q->of_source);
	source_put(w, q->src);
	q->next = t->free_queues;
	t->free_queues = q;
	return pieces;
}

static void count_fail(struct worker *w, const struct queue *q)
{
	if (ip_is4(&q->key.src))
		MIB_INC(w, IpReasmFails);
	else
		MIB_INC(w, Ip6ReasmFails);
}

static void queue_drop(struct worker *w, struct queue *q, enum drop why)
{
	struct pkt *p = queue_end(w, q), *next;

	for (; p; p = next) {
		next = p->next;
		p->next = NULL;
		pkt_drop_at(w, p, why, STAGE_ip_defrag);
	}
}

static void queue_fail(struct worker *w, struct queue *q, enum drop why)
{
	count_fail(w, q);
	queue_drop(w, q, why);
}

/* The oldest queue of the largest source. */
static void evict(struct worker *w)
{
	struct frag_table *t = w->inet->frags;

	for (int i = CLASSES; i-- > 0;) {
		struct source *s;

		if (list_is_empty(&t->by_class[i]))
			continue;
		s = container_of(t->by_class[i].next, struct source, node);
		queue_fail(w, container_of(s->queues.next, struct queue, of_source),
			   DROP_ip_reasm_limit);
		return;
	}
}

static struct queue *queue_find(struct worker *w, const struct frag_key *k)
{
	struct queue *q = w->inet->frags->bucket[hash_key(w, k)];

	while (q && !(q->key.id == k->id && q->key.proto == k->proto &&
		      ip_eq(&q->key.src, &k->src) && ip_eq(&q->key.dst, &k->dst)))
		q = q->next;
	return q;
}

static struct queue *queue_new(struct worker *w, const struct frag_key *k)
{
	struct frag_table *t = w->inet->frags;
	struct queue **at = &t->bucket[hash_key(w, k)], *q;

	if (!t->free_queues)
		evict(w);
	q = t->free_queues;
	t->free_queues = q->next;
	*q = (struct queue){.next = *at, .key = *k, .until = w->now + FRAG_TIMEOUT};
	*at = q;
	q->src = source_get(w, &k->src);
	list_append(&t->by_age, &q->node);
	list_append(&q->src->queues, &q->of_source);
	charge(t, q, 0);
	return q;
}

/* --- pieces --------------------------------------------------------------------------------------------- */

enum place { PLACED, DUPLICATE, OVERLAP };

/* Puts p, [off, end), in its place.  What lies whole within pieces that touch each other is a
 * duplicate; any other overlap kills. */
static enum place place(struct queue *q, struct pkt *p)
{
	uint64_t off = p->cb[CB_OFF], end = p->cb[CB_END], run = 0;
	struct pkt **at = &q->first, *x;
	bool touched = false;

	if (q->last && q->last->cb[CB_END] <= off) { /* the usual case: in order */
		p->next = NULL;
		q->last->next = p;
		q->last = p;
		return PLACED;
	}
	while ((x = *at) && x->cb[CB_END] <= off)
		at = &x->next;
	for (x = *at; x && x->cb[CB_OFF] < end; x = x->next) {
		if (x->cb[CB_OFF] > (touched ? run : off))
			return OVERLAP; /* begins before x, or in a gap */
		touched = true;
		run = x->cb[CB_END];
		if (run >= end)
			return DUPLICATE;
	}
	if (touched)
		return OVERLAP;
	p->next = *at;
	*at = p;
	if (!p->next)
		q->last = p;
	return PLACED;
}

/* Lengths against what is known of the whole.  False: they contradict each other. */
static bool fits(struct queue *q, uint32_t end, bool more)
{
	if (!more) {
		if (end < q->end || (q->has_last && end != q->end))
			return false;
		q->has_last = true;
	} else if (end > q->end && q->has_last) {
		return false;
	}
	q->end = MAX(q->end, end);
	return true;
}

/* The set of ECN fields seen makes the result's; 0xff: they cannot belong together (F7). */
static uint8_t ecn_result(uint8_t set)
{
	bool not_ect = set & (1 << ECN_NOT), others = set & ~(1 << ECN_NOT);

	if (not_ect && others)
		return 0xff;
	return set & (1 << ECN_CE) ? ECN_CE : 0;
}

/* All bytes of 'from' behind its header go to the end of 'to'. */
static void append(struct worker *w, struct pkt *to, struct pkt *from)
{
	struct pkt *f = from->frags, *next;

	if (unlikely(from->trace)) {
		trace_add(from, STAGE_ip_defrag, SAY_MERGED);
		trace_put(from->trace);
		from->trace = NULL;
	}
	pkt_pull(from, (uint32_t)from->cb[CB_HDR]); /* linear: the gate saw to it */
	from->frags = from->last_frag = NULL;
	from->frag_len = 0;
	pkt_add_frag(to, from);
	for (; f; f = next) {
		next = f->next;
		pkt_add_frag(to, f);
	}
	w->acct.merged++;
}

/* All pieces are there: one packet, the first piece's headers before all bytes. */
static struct pkt *assemble(struct worker *w, struct queue *q)
{
	struct pkt *p = queue_end(w, q), *rest = p->next, *next;

	p->next = NULL;
	for (; rest; rest = next) {
		next = rest->next;
		append(w, p, rest);
	}
	p->csum_state = CSUM_NONE;
	return p;
}

static void hold(struct worker *w, struct queue *q, struct pkt *p)
{
	struct frag_table *t = w->inet->frags;

	if (unlikely(p->trace))
		trace_add(p, STAGE_ip_defrag, SAY_QUEUED);
	if (!q->first) /* place() does it from the second on */
		q->first = q->last = p;
	p->dev = p->orig_dev = NULL; /* may go while it waits */
	p->dst = NULL;
	q->n++;
	t->held++;
	q->got += (uint32_t)(p->cb[CB_END] - p->cb[CB_OFF]);
	charge(t, q, cost(p));
}

/* Makes room for p, F6.  May end q, too: then NULL. */
static struct queue *make_room(struct worker *w, struct queue *q, const struct frag_key *k,
			       const struct pkt *p)
{
	struct frag_table *t = w->inet->frags;
	uint32_t need = cost(p);

	while (q->src->bytes + need > FRAG_SOURCE_MAX || t->bytes + need > FRAG_BYTES_MAX) {
		if (q->src->bytes + need > FRAG_SOURCE_MAX) {
			struct queue *old = container_of(q->src->queues.next, struct queue, of_source);

			if (old == q) { /* alone, or oldest */
				queue_fail(w, q, DROP_ip_reasm_limit);
				return NULL;
			}
			queue_fail(w, old, DROP_ip_reasm_limit);
		} else {
			evict(w);
			if (queue_find(w, k) != q)
				return NULL;
		}
	}
	return q;
}

static struct pkt *fail_piece(struct worker *w, struct pkt *p, struct queue *q, enum drop why)
{
	if (q)
		queue_fail(w, q, why);
	pkt_drop_at(w, p, why, STAGE_ip_defrag);
	return NULL;
}

/* p is the piece [off, end), with its place in cb.  The whole, or NULL. */
static struct pkt *add_piece(struct worker *w, struct pkt *p, const struct frag_key *k, bool more,
			     uint8_t ecn)
{
	struct queue *q = queue_find(w, k);

	if (!q)
		q = queue_new(w, k);
	if (!fits(q, (uint32_t)p->cb[CB_END], more) || p->cb[CB_END] == p->cb[CB_OFF])
		return fail_piece(w, p, q, DROP_ip_reasm_error);
	q = make_room(w, q, k, p);
	if (!q)
		return fail_piece(w, p, NULL, DROP_ip_reasm_limit);
	p->next = NULL;
	switch (q->first ? place(q, p) : PLACED) {
	case DUPLICATE: /* F2 */
		pkt_drop_at(w, p, DROP_ip_reasm_duplicate, STAGE_ip_defrag);
		return NULL;
	case OVERLAP: /* F3 */
		return fail_piece(w, p, q, DROP_ip_reasm_overlap);
	case PLACED:
		break;
	}
	hold(w, q, p);
	q->ecn |= (uint8_t)(1 << ecn);
	if (!q->has_last || q->got != q->end)
		return NULL;
	if (ecn_result(q->ecn) == 0xff || q->end + q->first->cb[CB_HDR] > DATAGRAM_MAX) {
		queue_fail(w, q, DROP_ip_reasm_error);
		return NULL;
	}
	ecn = ecn_result(q->ecn);
	p = assemble(w, q);
	p->cb[CB_END] = ecn; /* for the caller */
	return p;
}

/* --- IPv4 -------------------------------------------------------------------------------------------------- */

static struct pkt *finish4(struct worker *w, struct pkt *p)
{
	struct ip4_hdr *ip;

	if (pkt_cow(w->pool, p) < 0) {
		pkt_drop_at(w, p, DROP_no_memory, STAGE_ip_defrag);
		return NULL;
	}
	ip = (struct ip4_hdr *)p->data;
	ip->len = be16_put((uint16_t)pkt_total(p));
	ip->frag = be16_put(0);
	ip->tos |= (uint8_t)p->cb[CB_END];
	ip->csum = (be16){0};
	ip->csum = csum(ip, ip4_hdr_len(ip));
	MIB_INC(w, IpReasmOKs);
	return p;
}

struct pkt *ip4_defrag(struct worker *w, struct pkt *p)
{
	const struct ip4_hdr *ip = (const struct ip4_hdr *)p->data;
	uint32_t hlen = ip4_hdr_len(ip), off = (be16_get(ip->frag) & IP4_OFFSET) * 8u;
	uint32_t end = off + pkt_total(p) - hlen;
	bool more = be16_get(ip->frag) & IP4_MF;
	struct frag_key k = {.src = ip_from4(ip->src), .dst = ip_from4(ip->dst),
			     .id = be16_get(ip->id), .proto = ip->proto};
	struct dev *dev = p->dev, *orig_dev = p->orig_dev;
	struct dst *dst = p->dst;

	MIB_INC(w, IpReasmReqds);
	if (more && (end & 7)) { /* F4 */
		end &= ~7u;
		pkt_trim(p, hlen + end - off);
	}
	p->cb[CB_OFF] = off;
	p->cb[CB_END] = end;
	p->cb[CB_HDR] = hlen;
	p = add_piece(w, p, &k, more, ip->tos & ECN_MASK);
	if (!p)
		return NULL;
	p->dev = dev;
	p->orig_dev = orig_dev;
	p->dst = dst;
	p = finish4(w, p);
	if (p && unlikely(p->trace))
		trace_add(p, STAGE_ip_defrag, SAY_NOTHING)->len = pkt_total(p);
	return p;
}

/* --- IPv6 -------------------------------------------------------------------------------------------------- */

/* Takes the fragment header out: what lies before it moves up. */
static struct pkt *finish6(struct worker *w, struct pkt *p, uint32_t at, uint32_t prev, uint8_t ecn)
{
	struct ip6_hdr *ip;
	uint8_t next;

	if (pkt_cow(w->pool, p) < 0) {
		pkt_drop_at(w, p, DROP_no_memory, STAGE_ip_defrag);
		return NULL;
	}
	next = p->data[at];
	memmove(p->data + sizeof(struct ip6_frag_hdr), p->data, at);
	pkt_pull(p, sizeof(struct ip6_frag_hdr));
	p->data[prev] = next;
	p->net_off = pkt_off(p);
	ip = (struct ip6_hdr *)p->data;
	ip->payload_len = be16_put((uint16_t)(pkt_total(p) - sizeof(*ip)));
	ip->vtc_flow = ip6_vtc_flow((uint8_t)(ip6_tclass(ip) | ecn), ip6_label(ip));
	return p;
}

/* RFC 8200, 4.5: what is answered at once. */
static struct pkt *refuse6(struct worker *w, struct pkt *p, uint32_t pointer)
{
	icmp6_send(w, p, ICMP6_PARAM, ICMP6_PARAM_FIELD, pointer);
	MIB_INC(w, Ip6InHdrErrors);
	pkt_drop_at(w, p, DROP_ip_reasm_error, STAGE_ip_defrag);
	return NULL;
}

struct pkt *ip6_defrag(struct worker *w, struct pkt *p, uint32_t *at, uint32_t *prev)
{
	const struct ip6_hdr *ip;
	struct ip6_frag_hdr fh;
	struct dev *dev = p->dev, *orig_dev = p->orig_dev;
	struct dst *dst = p->dst;
	uint32_t off, end, hlen = *at + (uint32_t)sizeof(fh);
	struct frag_key k;
	bool more;

	MIB_INC(w, Ip6ReasmReqds);
	if (pkt_pull_frags(w->pool, p, hlen) < 0) {
		MIB_INC(w, Ip6InHdrErrors);
		pkt_drop_at(w, p, DROP_ip6_ext_hdr, STAGE_ip_defrag);
		return NULL;
	}
	ip = (const struct ip6_hdr *)p->data;
	memcpy(&fh, p->data + *at, sizeof(fh));
	off = be16_get(fh.frag) & 0xfff8;
	more = be16_get(fh.frag) & 1;
	end = off + pkt_total(p) - hlen;
	if (!off && !more) { /* RFC 6946: whole, whatever else has this number */
		MIB_INC(w, Ip6ReasmOKs);
		return finish6(w, p, *at, *prev, 0);
	}
	if (end > DATAGRAM_MAX)
		return refuse6(w, p, *at + 2);
	if (more && (end & 7))
		return refuse6(w, p, 4);
	k = (struct frag_key){.src = ip_from6(ip->src), .dst = ip_from6(ip->dst),
			      .id = be32_get(fh.id), .proto = 256};
	p->cb[CB_OFF] = off;
	p->cb[CB_END] = end;
	p->cb[CB_HDR] = hlen;
	p->cb[CB_PREV] = *prev;
	p = add_piece(w, p, &k, more, ip6_tclass(ip) & ECN_MASK);
	if (!p)
		return NULL;
	p->dev = dev;
	p->orig_dev = orig_dev;
	p->dst = dst;
	*at = (uint32_t)p->cb[CB_HDR] - (uint32_t)sizeof(fh); /* the first piece's */
	*prev = (uint32_t)p->cb[CB_PREV];
	p = finish6(w, p, *at, *prev, (uint8_t)p->cb[CB_END]);
	if (p)
		MIB_INC(w, Ip6ReasmOKs);
	return p;
}

/* --- time -------------------------------------------------------------------------------------------------- */

/* F5. */
static void expire(struct worker *w, struct queue *q)
{
	bool is4 = ip_is4(&q->key.src), has_first = q->first && !q->first->cb[CB_OFF];

	if (is4)
		MIB_INC(w, IpReasmTimeout);
	else
		MIB_INC(w, Ip6ReasmTimeout);
	if (has_first && is4)
		icmp_send(w, q->first, ICMP4_TIME_EXCEEDED, ICMP4_EXC_REASM, 0);
	else if (has_first)
		icmp6_send(w, q->first, ICMP6_TIME_EXCEEDED, ICMP6_EXC_REASM, 0);
	queue_fail(w, q, DROP_ip_reasm_timeout);
}

static struct queue *oldest(const struct frag_table *t)
{
	return list_is_empty(&t->by_age) ? NULL
					 : container_of(t->by_age.next, struct queue, node);
}

void frag_turn(struct worker *w)
{
	struct queue *q;

	while (unlikely((q = oldest(w->inet->frags)) != NULL) && q->until <= w->now)
		expire(w, q);
}

uint64_t frag_next_timer(const struct frag_table *t)
{
	const struct queue *q = oldest(t);

	return q ? q->until : UINT64_MAX;
}

uint64_t frag_held(const struct frag_table *t)
{
	return t->held;
}

void frag_drop_held(struct worker *w)
{
	struct queue *q;

	while (w->inet->frags && (q = oldest(w->inet->frags)))
		queue_drop(w, q, DROP_shutdown);
}
