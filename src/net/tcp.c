/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tcp.h"

#include "net/l4.h"
#include "net/output.h"
#include "wire/ip4.h"
#include "wire/tcp.h"

/* RFC 9293, 3.10.7.1: what a closed port answers. */
static void send_reset(struct worker *w, const struct pkt *p, const struct tcp_hdr *in,
		       uint32_t payload)
{
	struct ip_out o = {.dst = p->tun.src, .src = p->tun.dst, .proto = IPPROTO_TCP_, .df = true};
	uint32_t ifindex = ip_is_linklocal(&o.dst) ? p->dev->ifindex : 0;
	struct pkt *r = pkt_make(w, sizeof(struct tcp_hdr));
	struct tcp_hdr *t;

	if (!r)
		return;
	t = pkt_append(r, sizeof(*t));
	*t = (struct tcp_hdr){.src = in->dst, .dst = in->src, .off = 5 << 4, .flags = TCP_RST};
	if (in->flags & TCP_ACK) {
		t->seq = in->ack;
	} else {
		t->flags |= TCP_ACK;
		t->ack = be32_put(be32_get(in->seq) + payload + !!(in->flags & TCP_SYN) +
				  !!(in->flags & TCP_FIN));
	}
	t->csum = csum_fold(
		csum_add(csum_pseudo(&o.src, &o.dst, IPPROTO_TCP_, sizeof(*t)), t, sizeof(*t)));
	MIB_INC(w, TcpOutRsts);
	ip_send_routed(w, r, &o, ifindex);
}

static void rcv_one(struct worker *w, struct pkt *p)
{
	uint32_t len = pkt_total(p);
	struct tcp_hdr t;

	if (p->type != PKT_HOST || (p->dst && p->dst->type != DST_LOCAL)) {
		pkt_drop_at(w, p, DROP_tcp_reset, STAGE_tcp_rcv);
		return;
	}
	MIB_INC(w, TcpInSegs);
	if (len < sizeof(t))
		goto bad;
	pkt_copy_out(p, 0, &t, sizeof(t));
	if (tcp_hdr_len(&t) < sizeof(t) || tcp_hdr_len(&t) > len)
		goto bad;
	if (!l4_csum_ok(p, len, csum_pseudo(&p->tun.src, &p->tun.dst, IPPROTO_TCP_, len))) {
		MIB_INC(w, TcpInCsumErrors);
		MIB_INC(w, TcpInErrs);
		pkt_drop_at(w, p, DROP_tcp_csum, STAGE_tcp_rcv);
		return;
	}
	if (!(t.flags & TCP_RST))
		send_reset(w, p, &t, len - tcp_hdr_len(&t));
	pkt_drop_at(w, p, DROP_tcp_reset, STAGE_tcp_rcv);
	return;
bad:
	MIB_INC(w, TcpInErrs);
	pkt_drop_at(w, p, DROP_pkt_too_small, STAGE_tcp_rcv);
}

static void tcp_rcv(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		if (unlikely(pkt_trace(b->p[i])))
			trace_add(b->p[i], STAGE_tcp_rcv, SAY_NOTHING);
		rcv_one(w, b->p[i]);
	}
	b->n = 0;
}

const struct inet_proto tcp_proto = {.handler = tcp_rcv};
