/* SPDX-License-Identifier: Apache-2.0 */
/* Stage ip_defrag: pieces find their place, and become a datagram.  The numbers are the rows of
 * stack.md 6. */
#include "net/frag.h"

#include "net/frag_queue.h"
#include "net/icmp.h"
#include "wire/csum.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

/* --- pieces ----------------------------------------------------------------------------------- */

enum place { PLACED, DUPLICATE, OVERLAP };

/* Puts p, [off, end), in its place.  What lies whole within pieces that touch each other is a
 * duplicate; any other overlap kills. */
static enum place place(struct frag_queue *q, struct pkt *p)
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
static bool fits(struct frag_queue *q, uint32_t end, bool more)
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

	if (unlikely(pkt_trace(from))) {
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
static struct pkt *assemble(struct worker *w, struct frag_queue *q)
{
	struct pkt *p = frag_queue_end(w, q), *rest = p->next, *next;

	p->next = NULL;
	for (; rest; rest = next) {
		next = rest->next;
		append(w, p, rest);
	}
	p->csum_state = CSUM_NONE;
	return p;
}

static void hold(struct worker *w, struct frag_queue *q, struct pkt *p)
{
	struct frag_table *t = w->inet->frags;

	if (unlikely(pkt_trace(p)))
		trace_add(p, STAGE_ip_defrag, SAY_QUEUED);
	if (!q->first) /* place() does it from the second on */
		q->first = q->last = p;
	p->dev = p->orig_dev = NULL; /* may go while it waits */
	p->dst = NULL;
	q->n++;
	t->held++;
	q->got += (uint32_t)(p->cb[CB_END] - p->cb[CB_OFF]);
	frag_charge(t, q, frag_cost(p));
}

/* Makes room for p, F6.  May end q, too: then NULL. */
static struct frag_queue *make_room(struct worker *w, struct frag_queue *q,
				    const struct frag_key *k, const struct pkt *p)
{
	struct frag_table *t = w->inet->frags;
	uint32_t need = frag_cost(p);

	while (q->src->bytes + need > FRAG_SOURCE_MAX || t->bytes + need > FRAG_BYTES_MAX) {
		if (q->src->bytes + need > FRAG_SOURCE_MAX) {
			struct frag_queue *old =
				container_of(q->src->queues.next, struct frag_queue, of_source);

			if (old == q) { /* alone, or oldest */
				frag_queue_fail(w, q, DROP_ip_reasm_limit);
				return NULL;
			}
			frag_queue_fail(w, old, DROP_ip_reasm_limit);
		} else {
			frag_evict(w);
			if (frag_queue_find(w, k) != q)
				return NULL;
		}
	}
	return q;
}

static struct pkt *fail_piece(struct worker *w, struct pkt *p, struct frag_queue *q, enum drop why)
{
	if (q)
		frag_queue_fail(w, q, why);
	pkt_drop_at(w, p, why, STAGE_ip_defrag);
	return NULL;
}

/* p is the piece [off, end), with its place in cb.  The whole, or NULL. */
static struct pkt *add_piece(struct worker *w, struct pkt *p, const struct frag_key *k, bool more,
			     uint8_t ecn)
{
	struct frag_queue *q = frag_queue_find(w, k);

	if (!q)
		q = frag_queue_new(w, k);
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
	if (ecn_result(q->ecn) == 0xff || q->end + q->first->cb[CB_HDR] > FRAG_DATAGRAM_MAX) {
		frag_queue_fail(w, q, DROP_ip_reasm_error);
		return NULL;
	}
	ecn = ecn_result(q->ecn);
	p = assemble(w, q);
	p->cb[CB_END] = ecn; /* for the caller */
	return p;
}

/* --- IPv4 ------------------------------------------------------------------------------------- */

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
	struct frag_key k = {.src = ip_from4(ip->src),
			     .dst = ip_from4(ip->dst),
			     .id = be16_get(ip->id),
			     .proto = ip->proto};
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
	if (p && unlikely(pkt_trace(p)))
		trace_add(p, STAGE_ip_defrag, SAY_NOTHING)->len = pkt_total(p);
	return p;
}

/* --- IPv6 ------------------------------------------------------------------------------------- */

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
	if (end > FRAG_DATAGRAM_MAX)
		return refuse6(w, p, *at + 2);
	if (more && (end & 7))
		return refuse6(w, p, 4);
	k = (struct frag_key){.src = ip_from6(ip->src),
			      .dst = ip_from6(ip->dst),
			      .id = be32_get(fh.id),
			      .proto = 256};
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

/* --- time ------------------------------------------------------------------------------------- */

/* F5. */
static void expire(struct worker *w, struct frag_queue *q)
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
	frag_queue_fail(w, q, DROP_ip_reasm_timeout);
}

static struct frag_queue *oldest(const struct frag_table *t)
{
	return list_is_empty(&t->by_age) ? NULL
					 : container_of(t->by_age.next, struct frag_queue, node);
}

void frag_turn(struct worker *w)
{
	struct frag_queue *q;

	while (unlikely((q = oldest(w->inet->frags)) != NULL) && q->until <= w->now)
		expire(w, q);
}

uint64_t frag_next_timer(const struct frag_table *t)
{
	const struct frag_queue *q = oldest(t);

	return q ? q->until : UINT64_MAX;
}

READS_COUNTERS uint64_t frag_held(const struct frag_table *t)
{
	return t->held;
}

void frag_drop_held(struct worker *w)
{
	struct frag_queue *q;

	while (w->inet->frags && (q = oldest(w->inet->frags)))
		frag_queue_drop(w, q, DROP_shutdown);
}
