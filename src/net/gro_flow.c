/* SPDX-License-Identifier: Apache-2.0 */
/* Merging: the table of held packets, and what joins which. */
#include "net/gro_flow.h"

#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/ip4.h"

static struct gro_bucket *bucket_of(struct gro *g, const struct gro_frame *f)
{
	return &g->bucket[f->hash % GRO_BUCKETS];
}

static bool same_flow(const struct gro_frame *a, const struct gro_frame *b)
{
	return a->hash == b->hash && a->proto == b->proto && a->net == b->net &&
	       gro_ip_same_addresses(a, b) &&
	       memcmp(a->p->data + a->l4, b->p->data + b->l4, 4) == 0 &&
	       (likely(!a->net) || gro_tunnel_same(a, b));
}

struct gro_flow *gro_flow_find(struct gro *g, const struct gro_frame *f)
{
	struct gro_bucket *b = bucket_of(g, f);

	for (uint32_t i = 0; i < b->n; i++)
		if (same_flow(&b->flow[i].head, f))
			return &b->flow[i];
	return NULL;
}

/* Are the transport checksum and a tunnel's right?  What was summed is remembered.  What a port
 * says of a tunnel's packet is said of its outer checksum. */
static bool csum_ok(const struct gro_frame *f)
{
	struct pkt *p = f->p;
	uint32_t len = f->end - f->l4;
	uint64_t sum;

	if (p->csum_state == CSUM_PARTIAL || (p->csum_state == CSUM_UNNECESSARY && !f->net))
		return true;
	sum = pkt_csum(p, f->l4, len);
	if (csum_reduce(gro_ip_pseudo(f, len) + sum) != 0xffff ||
	    (f->net && !gro_tunnel_csum_ok(f, sum)))
		return false;
	p->csum_state = CSUM_UNNECESSARY;
	return true;
}

static uint32_t pieces_of(const struct pkt *p)
{
	uint32_t n = 1;

	for (const struct pkt *f = p->frags; f; f = f->next)
		n++;
	return n;
}

static bool has_room(const struct gro_flow *flow, const struct gro_frame *f)
{
	return f->len <= flow->head.len &&
	       flow->head.payload + flow->merged + f->len <= GRO_IP_MAX &&
	       flow->pieces + pieces_of(f->p) <= GRO_PIECES;
}

/* What an external device's frames bring with them. */
static bool same_tunnel(const struct pkt *a, const struct pkt *b)
{
	const struct tun_info *x = &a->tun, *y = &b->tun;

	return a->has_tun == b->has_tun &&
	       (!a->has_tun ||
		(x->id == y->id && ip_eq(&x->src, &y->src) && ip_eq(&x->dst, &y->dst) &&
		 x->sport == y->sport && x->dport == y->dport && x->tos == y->tos &&
		 x->ttl == y->ttl && x->df == y->df && x->has_csum == y->has_csum &&
		 x->label == y->label && x->gbp == y->gbp));
}

static bool same_way(const struct pkt *a, const struct pkt *b)
{
	return a->mark == b->mark && same_tunnel(a, b) && memcmp(pkt_at(a, a->mac_off), pkt_at(b, b->mac_off),
					    sizeof(struct eth_hdr)) == 0;
}

/* Before the first follower: headers that may be written.  Of a slice of a train they get a buffer
 * of their own, and its payload becomes the first frag. */
static bool make_head(struct worker *w, struct gro_flow *flow)
{
	struct pkt *p = flow->head.p;
	uint32_t mac_len = pkt_off(p) - p->mac_off;
	int r = 0;

	if (pkt_is_shared(p)) {
		pkt_push(p, mac_len);
		r = pkt_split(w->pool, p, mac_len + flow->head.payload);
		pkt_pull(p, mac_len);
	}
	flow->pieces = (uint16_t)pieces_of(p);
	return r == 0;
}

/* p's bytes, all of them, behind the head's. */
static void append(struct pkt *head, struct pkt *p)
{
	struct pkt *f = p->frags, *next;

	p->frags = p->last_frag = NULL;
	p->frag_len = 0;
	pkt_add_frag(head, p);
	for (; f; f = next) {
		next = f->next;
		pkt_add_frag(head, f);
	}
}

/* The explanation goes on with the head; where that has one of its own it ends here. */
static void merge_trace(struct pkt *head, struct pkt *p)
{
	trace_add(p, STAGE_gro_receive, SAY_MERGED);
	if (pkt_trace(head)) {
		trace_put(p->trace);
	} else {
		head->trace = p->trace;
		head->trace_depth = p->trace_depth;
	}
	p->trace = NULL;
}

bool gro_flow_merge(struct worker *w, struct gro_flow *flow, struct gro_frame *f)
{
	bool is_tcp = f->proto == IPPROTO_TCP_;
	uint8_t ids = flow->ids;

	if (!f->may_merge || flow->complete || !has_room(flow, f) ||
	    !same_way(flow->head.p, f->p) || !gro_ip_follows(flow, f, &ids) ||
	    (f->net && !gro_tunnel_follows(&flow->head, f)) ||
	    (is_tcp && !gro_tcp_follows(flow, f)))
		return false;
	if (!csum_ok(f)) {
		f->may_merge = false;
		return false;
	}
	flow->checked = flow->checked || csum_ok(&flow->head);
	if (!flow->checked || (flow->segs == 1 && !make_head(w, flow)))
		return false;
	if (is_tcp)
		gro_tcp_merge(flow, f);
	if (unlikely(pkt_trace(f->p)))
		merge_trace(flow->head.p, f->p);
	flow->ids = ids;
	flow->segs++;
	flow->merged += f->len;
	flow->pieces = (uint16_t)(flow->pieces + pieces_of(f->p));
	flow->complete = f->is_last || f->len < flow->head.len || flow->pieces == GRO_PIECES ||
			 flow->head.payload + flow->merged + f->len > GRO_IP_MAX;
	pkt_pull(f->p, f->payload);
	append(flow->head.p, f->p);
	w->acct.merged++;
	return true;
}

void gro_flow_hold(struct gro *g, const struct gro_frame *f)
{
	struct gro_bucket *b = bucket_of(g, f);

	assert(b->n < GRO_DEPTH);
	b->flow[b->n++] = (struct gro_flow){.head = *f,
					    .merged = f->len,
					    .segs = 1,
					    .pieces = (uint16_t)pieces_of(f->p)};
	g->n++;
}

/* What makes a super-frame of a head with followers. */
static void finish(struct gro_flow *flow)
{
	const struct gro_frame *h = &flow->head;
	struct pkt *p = h->p;
	uint32_t end = h->payload + flow->merged, len = end - h->l4;
	uint64_t sum;

	gro_ip_finish(flow, end);
	if (h->net)
		gro_tunnel_finish(h, end);
	sum = gro_ip_pseudo(h, len);
	if (h->proto == IPPROTO_TCP_)
		gro_tcp_finish(flow, sum);
	else
		gro_udp_finish(flow, sum, len);
	p->csum_state = CSUM_PARTIAL;
	p->csum_start = pkt_off(p) + h->l4;
	p->gso_size = h->len;
	p->gso_segs = flow->segs;
}

struct pkt *gro_flow_take(struct gro *g, struct gro_flow *flow)
{
	struct gro_bucket *b = bucket_of(g, &flow->head);
	struct pkt *p = flow->head.p;

	if (flow->segs > 1)
		finish(flow);
	b->n--;
	g->n--;
	memmove(flow, flow + 1, (size_t)(&b->flow[b->n] - flow) * sizeof(*flow));
	return p;
}
