/* SPDX-License-Identifier: Apache-2.0 */
#include "net/gso.h"

#include <errno.h>

#include "net/backlog.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

int csum_finish(struct worker *w, struct pkt *p)
{
	uint32_t head = pkt_headroom(p), start, at;
	be16 sum;

	if (p->csum_state != CSUM_PARTIAL)
		return 0;
	if (p->csum_start < head)
		return -EINVAL;
	start = p->csum_start - head;
	at = start + p->csum_offset;
	if (at + 2 > pkt_total(p) || pkt_pull_frags(w->pool, p, at + 2) < 0)
		return -EINVAL;
	if (pkt_cow(w->pool, p) < 0)
		return -ENOMEM;
	sum = csum_fold_udp(pkt_csum(p, start, pkt_total(p) - start));
	memcpy(p->data + at, &sum, 2);
	p->csum_state = CSUM_UNNECESSARY;
	return 0;
}

/* Where the headers of a super-frame lie, as offsets from its data. */
struct layout {
	uint32_t net, l4, payload;
	bool is4, is_tcp;
};

/* The gate for what a super-frame claims: all headers linear, lengths consistent. */
static int find_layout(struct worker *w, struct pkt *p, struct layout *l)
{
	uint32_t head = pkt_headroom(p), total = pkt_total(p), l4_len;

	if (p->csum_state != CSUM_PARTIAL || p->csum_start < head || !p->gso_size)
		return -EINVAL;
	l->l4 = p->csum_start - head;
	l->is_tcp = p->gso_type != GSO_UDP;
	l4_len = l->is_tcp ? sizeof(struct tcp_hdr) : sizeof(struct udp_hdr);
	if (l->l4 + l4_len > total || pkt_pull_frags(w->pool, p, l->l4 + l4_len) < 0)
		return -EINVAL;
	l->net = p->net_off >= head ? p->net_off - head : sizeof(struct eth_hdr);
	if (l->net + sizeof(struct ip4_hdr) > l->l4)
		return -EINVAL;
	l->is4 = p->data[l->net] >> 4 == 4;
	if (!l->is4 && (p->data[l->net] >> 4 != 6 || l->net + sizeof(struct ip6_hdr) > l->l4))
		return -EINVAL;
	if (l->is_tcp) {
		l4_len = tcp_hdr_len((const struct tcp_hdr *)(p->data + l->l4));
		if (l4_len < sizeof(struct tcp_hdr))
			return -EINVAL;
	}
	l->payload = l->l4 + l4_len;
	if (l->payload >= total || pkt_pull_frags(w->pool, p, l->payload) < 0)
		return -EINVAL;
	return 0;
}

uint32_t gso_network_len(struct worker *w, struct pkt *p)
{
	struct layout l;

	return find_layout(w, p, &l) < 0 ? 0 : l.payload - l.net + p->gso_size;
}

/* Lengths, IPv4 id and checksum, and the pseudo-header's sum of segment number 'i'. */
static void fix_headers(struct pkt *seg, const struct layout *l, bool fixed_id, uint32_t i,
			bool last, uint32_t done)
{
	uint32_t ip_len = pkt_total(seg) - l->net, l4_len = pkt_total(seg) - l->l4;
	struct ip_addr src, dst;
	uint64_t sum;

	if (l->is4) {
		struct ip4_hdr *ip = (struct ip4_hdr *)(seg->data + l->net);

		ip->len = be16_put((uint16_t)ip_len);
		ip->id = be16_put((uint16_t)(be16_get(ip->id) + (fixed_id ? 0 : i)));
		ip->csum = (be16){0};
		ip->csum = csum(ip, l->l4 - l->net);
		src = ip_from4(ip->src);
		dst = ip_from4(ip->dst);
	} else {
		struct ip6_hdr *ip = (struct ip6_hdr *)(seg->data + l->net);

		ip->payload_len = be16_put((uint16_t)(ip_len - sizeof(*ip)));
		src = ip_from6(ip->src);
		dst = ip_from6(ip->dst);
	}
	sum = csum_pseudo(&src, &dst, l->is_tcp ? IPPROTO_TCP_ : IPPROTO_UDP_, l4_len);
	if (l->is_tcp) {
		struct tcp_hdr *tcp = (struct tcp_hdr *)(seg->data + l->l4);

		tcp->seq = be32_put(be32_get(tcp->seq) + done);
		if (!last)
			tcp->flags &= (uint8_t)~(TCP_FIN | TCP_PSH);
		if (i)
			tcp->flags &= (uint8_t)~TCP_CWR;
		tcp->csum = (be16){csum_reduce(sum)};
	} else {
		struct udp_hdr *udp = (struct udp_hdr *)(seg->data + l->l4);

		udp->len = be16_put((uint16_t)l4_len);
		udp->csum = (be16){csum_reduce(sum)};
	}
}

static struct pkt *make_segment(struct worker *w, const struct pkt *p, const struct layout *l,
				uint32_t off, uint32_t len)
{
	struct pkt *seg = pkt_new(w->pool, l->payload);

	if (!seg)
		return NULL;
	memcpy(pkt_append(seg, l->payload), p->data, l->payload);
	seg->dev = p->dev;
	seg->orig_dev = p->orig_dev;
	seg->protocol = p->protocol;
	seg->hash = p->hash;
	seg->type = p->type;
	seg->mark = p->mark;
	seg->mac_off = pkt_off(seg);
	seg->net_off = pkt_off(seg) + l->net;
	seg->l4_off = seg->csum_start = pkt_off(seg) + l->l4;
	seg->csum_state = CSUM_PARTIAL;
	seg->csum_offset = p->csum_offset;
	if (pkt_add_slices(w->pool, seg, p, l->payload + off, len) < 0) {
		pkt_free(seg);
		return NULL;
	}
	return seg;
}

int gso_segment(struct worker *w, struct pkt *p, bool csum, struct pkt_queue *out)
{
	struct pkt_queue q = {0};
	struct layout l;
	uint32_t payload;
	int err = find_layout(w, p, &l);

	if (err < 0)
		return err;
	payload = pkt_total(p) - l.payload;
	for (uint32_t off = 0, i = 0; off < payload; i++) {
		uint32_t n = MIN((uint32_t)p->gso_size, payload - off);
		struct pkt *seg = make_segment(w, p, &l, off, n);

		if (!seg)
			goto out_free;
		w->acct.made++;
		if (unlikely(pkt_trace(p)))
			trace_fork(p, seg);
		fix_headers(seg, &l, p->gso_fixed_id, i, off + n == payload, off);
		pkt_queue_add(&q, seg);
		if (csum && csum_finish(w, seg) < 0)
			goto out_free;
		off += n;
	}
	if (out->last)
		out->last->next = q.first;
	else
		out->first = q.first;
	out->last = q.last;
	out->n += q.n;
	w->acct.merged++;
	pkt_free(p);
	return 0;
out_free:
	pkt_queue_drop(w, &q, DROP_no_memory);
	return -ENOMEM;
}
