/* SPDX-License-Identifier: Apache-2.0 */
/* Merging: TCP. */
#include "net/gro_flow.h"

#include "wire/csum.h"
#include "wire/tcp.h"

static struct tcp_hdr *tcp_of(const struct gro_frame *f)
{
	return (struct tcp_hdr *)(f->p->data + f->l4);
}

bool gro_tcp_find(struct worker *w, struct gro_frame *f)
{
	const struct tcp_hdr *t;
	uint32_t hlen;

	if (pkt_pull_frags(w->pool, f->p, f->l4 + sizeof(*t)) < 0)
		return false;
	hlen = tcp_hdr_len(tcp_of(f));
	if (hlen < sizeof(*t) || f->l4 + hlen >= f->end)
		return true; /* an acknowledgement, or damaged: it has ports, that is all */
	if (pkt_pull_frags(w->pool, f->p, f->l4 + hlen) < 0)
		return true;
	t = tcp_of(f);
	f->payload = (uint16_t)(f->l4 + hlen);
	f->len = f->end - f->payload;
	f->may_merge = (t->flags & ~(TCP_PSH | TCP_ECE)) == TCP_ACK;
	f->is_last = t->flags & TCP_PSH;
	return true;
}

/* Everything from the acknowledgement on, but for PSH, the checksum, and what seq says. */
bool gro_tcp_follows(const struct gro_flow *flow, const struct gro_frame *f)
{
	const struct tcp_hdr *a = tcp_of(&flow->head), *b = tcp_of(f);
	uint32_t opts = tcp_hdr_len(a) - (uint32_t)sizeof(*a);

	return be32_get(b->seq) == be32_get(a->seq) + flow->merged && a->ack.raw == b->ack.raw &&
	       a->off == b->off && ((a->flags ^ b->flags) & ~TCP_PSH) == 0 &&
	       be16_eq(a->window, b->window) && be16_eq(a->urg, b->urg) &&
	       memcmp(a + 1, b + 1, opts) == 0;
}

void gro_tcp_merge(struct gro_flow *flow, const struct gro_frame *f)
{
	tcp_of(&flow->head)->flags |= tcp_of(f)->flags & TCP_PSH;
}

void gro_tcp_finish(struct gro_flow *flow, uint64_t sum)
{
	tcp_of(&flow->head)->csum = (be16){csum_reduce(sum)};
	flow->head.p->csum_offset = offsetof(struct tcp_hdr, csum);
	flow->head.p->gso_type = flow->head.is4 ? GSO_TCP4 : GSO_TCP6;
}
