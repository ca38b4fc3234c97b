/* SPDX-License-Identifier: Apache-2.0 */
/* The provider of struct udp_sock_ops in the stack form: how a tunnel's packets leave. */
#include <errno.h>

#include "net/gso.h"
#include "net/output.h"
#include "net/route.h"
#include "net/udp_inet.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

static int provider_route(struct worker *w, struct udp_sock *sk, const struct udp_flow *f,
			  struct dst *out)
{
	int err = route_output(w, f, out);

	(void)sk;
	if (err < 0 || !ip_is_none(&out->src))
		return err;
	out->type = DST_UNREACHABLE; /* the tunnel keeps it */
	return -EADDRNOTAVAIL;
}

static uint64_t provider_generation(struct udp_sock *sk)
{
	return inet_gen(sk->cfg.vx->inet);
}

static int fail(struct worker *w, struct pkt *p, enum drop why, int err)
{
	pkt_drop_at(w, p, why, STAGE_udp_tunnel_xmit);
	return err;
}

/* One packet, data at the tunnel header. */
static int xmit_one(struct worker *w, struct pkt *p, const struct udp_flow *f, const struct dst *d,
		    const struct ip_addr *src)
{
	bool is4 = ip_is4(&f->dst);
	uint32_t need = sizeof(struct udp_hdr) + sizeof(struct eth_hdr) + d->dev->headroom +
			(is4 ? sizeof(struct ip4_hdr) : sizeof(struct ip6_hdr));
	struct ip_out o = {.src = *src,
			   .dst = f->dst,
			   .proto = IPPROTO_UDP_,
			   .tos = f->tos,
			   .ttl = f->ttl,
			   .df = f->df || !is4,
			   .label = f->label};
	struct udp_hdr *u;
	uint32_t len;

	if (unlikely(pkt_headroom(p) < need)) /* also ends a tunnel that leads through itself */
		return fail(w, p, DROP_no_headroom, -ENOBUFS);
	if (unlikely(p->csum_state == CSUM_PARTIAL) && csum_finish(w, p) < 0)
		return fail(w, p, DROP_gso_failed, -EINVAL);
	len = pkt_total(p) + (uint32_t)sizeof(*u);
	if (unlikely(len > 65535))
		return fail(w, p, DROP_ip_out_too_big, -EMSGSIZE);
	u = pkt_push(p, sizeof(*u));
	*u = (struct udp_hdr){.src = be16_put(f->sport),
			      .dst = be16_put(f->dport),
			      .len = be16_put((uint16_t)len)};
	if (f->csum)
		u->csum = csum_fold_udp(csum_pseudo(src, &f->dst, IPPROTO_UDP_, len) +
					pkt_csum(p, 0, len));
	return ip_tunnel_xmit(w, p, &o, d);
}

/* A super-frame is cut before the outer headers are pushed. */
static int xmit_segments(struct worker *w, struct pkt *p, const struct udp_flow *f,
			 const struct dst *d, const struct ip_addr *src)
{
	struct pkt_queue q = {0};
	int err = gso_segment(w, p, true, &q), first = 0;

	if (err < 0)
		return fail(w, p, DROP_gso_failed, err);
	while (q.first) {
		struct pkt *s = q.first;

		q.first = s->next;
		s->next = NULL;
		err = xmit_one(w, s, f, d, src);
		if (err < 0 && !first)
			first = err;
	}
	return first;
}

static void provider_xmit(struct worker *w, struct udp_sock *sk, struct pkt *p,
			  const struct udp_flow *f, const struct dst *d)
{
	const struct ip_addr *src = ip_is_any(&f->src) ? &d->src : &f->src;
	uint32_t len = udp_tunnel_get_len(p);
	struct dev *tunnel = p->dev;
	int err;

	if (unlikely(p->gso_size))
		err = xmit_segments(w, p, f, d, src);
	else
		err = xmit_one(w, p, f, d, src);
	udp_tunnel_sent(w, tunnel, len, sk->cfg.family, err);
}

static void provider_flush(struct worker *w, struct udp_sock *sk)
{
	(void)sk;
	inet_xmit_flush(w);
}

const struct udp_sock_ops inet_udp_ops = {
	.route = provider_route,
	.generation = provider_generation,
	.xmit = provider_xmit,
	.flush = provider_flush,
	.close = udp_close,
};
