/* SPDX-License-Identifier: Apache-2.0 */
/* Stages ip_tunnel_xmit, ip_local_out, ip_output, ip_fragment; frames gathered per device. */
#include "net/output.h"

#include <errno.h>

#include "net/neigh.h"
#include "net/route.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { DEFAULT_TTL = 64 };

/* --- frames ------------------------------------------------------------------------------------
 */

void eth_push(struct pkt *p, const struct dev *d, const struct mac *dst, uint16_t type)
{
	struct eth_hdr *eth = pkt_push(p, sizeof(*eth));

	eth->dst = *dst;
	eth->src = dev_mac(d);
	eth->type = be16_put(type);
}

void inet_xmit_flush(struct worker *w)
{
	struct inet_worker *iw = w->inet;
	struct batch b = iw->out; /* sending may lead to more: a tunnel in a tunnel */

	if (!b.n)
		return;
	iw->out.n = 0;
	iw->out.traced = false;
	dev_queue_xmit(w, iw->out_dev, &b);
}

void inet_xmit(struct worker *w, struct dev *d, struct pkt *p)
{
	struct inet_worker *iw = w->inet;

	if (iw->out_dev != d || batch_is_full(&iw->out)) {
		inet_xmit_flush(w);
		iw->out_dev = d;
	}
	batch_add(&iw->out, p);
	if (unlikely(pkt_trace(p)))
		iw->out.traced = true;
	flush_queue(w, &iw->flush);
}

/* --- IP header ---------------------------------------------------------------------------------
 */

/* Of a keyed counter per destination and protocol; no two workers use the same number. */
static uint32_t next_id(struct worker *w, const struct ip_addr *src, const struct ip_addr *dst,
			uint8_t proto)
{
	uint64_t flow = hash_u64(w->vx->key, src->d[0] ^ dst->d[0], src->d[1] + dst->d[1] * 3);
	uint32_t *id = &w->inet->ip_id[(flow ^ proto * 0x9e3779b9u) % IP_IDS];

	return ++*id * w->vx->n_workers + w->id;
}

uint16_t ip4_next_id(struct worker *w, const struct ip_addr *src, const struct ip_addr *dst,
		     uint8_t proto)
{
	return (uint16_t)next_id(w, src, dst, proto);
}

uint32_t ip6_next_id(struct worker *w, const struct ip_addr *src, const struct ip_addr *dst)
{
	return next_id(w, src, dst, IP6_FRAGMENT);
}

static void push_ip4(struct worker *w, struct pkt *p, const struct ip_out *o, uint8_t ttl)
{
	struct ip4_hdr *ip;

	if (o->opts_len)
		memcpy(pkt_push(p, o->opts_len), o->opts, o->opts_len);
	ip = pkt_push(p, sizeof(*ip));
	*ip = (struct ip4_hdr){
		.ver_ihl = (uint8_t)(0x45 + o->opts_len / 4),
		.tos = o->tos,
		.id = be16_put(ip4_next_id(w, &o->src, &o->dst, o->proto)),
		.frag = be16_put(o->df ? IP4_DF : 0),
		.ttl = ttl,
		.proto = o->proto,
		.src = ip_get4(&o->src),
		.dst = ip_get4(&o->dst),
	};
	p->protocol = be16_put(ETHTYPE_IP4);
}

static void push_ip6(struct pkt *p, const struct ip_out *o, uint8_t ttl)
{
	struct ip6_hdr *ip = pkt_push(p, sizeof(*ip));

	ip->vtc_flow = ip6_vtc_flow(o->tos, o->label);
	ip->next = o->proto;
	ip->hop_limit = ttl;
	memcpy(ip->src, o->src.b, 16);
	memcpy(ip->dst, o->dst.b, 16);
	p->protocol = be16_put(ETHTYPE_IP6);
}

int ip_send(struct worker *w, struct pkt *p, const struct ip_out *o, const struct dst *d)
{
	uint8_t ttl = o->ttl ? o->ttl : d->hoplimit ? d->hoplimit : DEFAULT_TTL;

	p->l4_off = pkt_off(p);
	if (ip_is4(&o->dst))
		push_ip4(w, p, o, ttl);
	else
		push_ip6(p, o, ttl);
	p->net_off = pkt_off(p);
	if (!p->dev) /* of this stack's own making; a tunnel's keeps the tunnel's until ip_output */
		p->dev = d->dev;
	p->may_cut = !o->df;
	p->dst = (struct dst *)d;
	return ip_local_out(w, p);
}

COLD static void trace_route(struct pkt *p, enum stage stage, const struct dst *d)
{
	struct trace_step *s = trace_add(p, stage, SAY_ROUTE);

	s->ip = d->gateway;
	s->u[0] = d->mtu;
	if (d->dev)
		memcpy(s->dev, d->dev->name, sizeof(s->dev));
}

COLD static int xmit_traced(struct worker *w, struct pkt *p, const struct ip_out *o,
			    const struct dst *d)
{
	trace_route(p, STAGE_ip_tunnel_xmit, d);
	return ip_send(w, p, o, d);
}

int ip_tunnel_xmit(struct worker *w, struct pkt *p, const struct ip_out *o, const struct dst *d)
{
	return unlikely(pkt_trace(p)) ? xmit_traced(w, p, o, d) : ip_send(w, p, o, d);
}

int ip_send_routed(struct worker *w, struct pkt *p, struct ip_out *o, uint32_t ifindex)
{
	struct udp_flow f = {.dst = o->dst, .src = o->src, .ifindex = ifindex};
	struct dst d;
	int err = route_output(w, &f, &d);

	if (err == 0 && ip_is_none(&d.src))
		err = -EADDRNOTAVAIL;
	if (err < 0) {
		if (ip_is4(&o->dst))
			MIB_INC(w, IpOutNoRoutes);
		else
			MIB_INC(w, Ip6OutNoRoutes);
		pkt_drop_at(w, p, DROP_ip_no_route, STAGE_ip_local_out);
		return err;
	}
	o->src = d.src;
	return ip_send(w, p, o, &d);
}

/* --- stages ------------------------------------------------------------------------------------
 */

/* Nobody looks at p here: no hook is registered, and it has no trace.  One branch for both. */
static inline bool is_unwatched(const struct worker *w, const struct pkt *p)
{
	const struct hook_table *t =
		atomic_load_explicit(&w->vx->inet->hooks, memory_order_relaxed);

	return likely(!((uintptr_t)t | (uintptr_t)pkt_trace(p)));
}

COLD static int local_out_watched(struct worker *w, struct pkt *p)
{
	if (pkt_trace(p))
		trace_add(p, STAGE_ip_local_out, SAY_NOTHING)->len = pkt_total(p);
	switch (hook_run(w, HOOK_OUTPUT, p)) {
	case HOOK_ACCEPT:
		return p->dst->output(w, p);
	case HOOK_DROP:
		return -EPERM;
	case HOOK_STOLEN:
		break;
	}
	return 0;
}

int ip_local_out(struct worker *w, struct pkt *p)
{
	uint32_t len = pkt_total(p);

	if (unlikely(len > 65535 + (p->data[0] >> 4 == 6 ? sizeof(struct ip6_hdr) : 0))) {
		pkt_drop_at(w, p, DROP_ip_out_too_big, STAGE_ip_local_out);
		return -EMSGSIZE;
	}
	if (p->data[0] >> 4 == 4) {
		struct ip4_hdr *ip = (struct ip4_hdr *)p->data;

		MIB_INC(w, IpOutRequests);
		ip->len = be16_put((uint16_t)len);
		ip->csum = (be16){0};
		ip->csum = csum(ip, ip4_hdr_len(ip));
	} else {
		MIB_INC(w, Ip6OutRequests);
		((struct ip6_hdr *)p->data)->payload_len =
			be16_put((uint16_t)(len - sizeof(struct ip6_hdr)));
	}
	return is_unwatched(w, p) ? p->dst->output(w, p) : local_out_watched(w, p);
}

/* To an address of this host: received again, in this turn or the next. */
static int loop_back(struct worker *w, struct pkt *p)
{
	if (w->inet->loop.n >= BACKLOG_MAX) {
		pkt_drop_at(w, p, DROP_cpu_backlog, STAGE_ip_output);
		return -ENOBUFS;
	}
	p->dst = NULL;
	p->dev = p->orig_dev = NULL;
	p->has_tun = false;
	p->type = PKT_HOST;
	pkt_queue_add(&w->inet->loop, p);
	return 0;
}

static void count_out(struct worker *w, const struct pkt *p, const struct dst *d)
{
	uint32_t len = pkt_total(p);

	if (be16_get(p->protocol) == ETHTYPE_IP6) {
		MIB_INC(w, Ip6OutTransmits);
		return;
	}
	MIB_INC(w, IpOutTransmits);
	MIB_ADD(w, IpExtOutOctets, len);
	if (d->type == DST_MULTICAST)
		MIB_INC(w, IpExtOutMcastPkts);
}

static int too_big(struct worker *w, struct pkt *p, uint32_t mtu)
{
	bool is4 = be16_get(p->protocol) == ETHTYPE_IP4;

	if (is4 && !(be16_get(((const struct ip4_hdr *)p->data)->frag) & IP4_DF))
		return ip4_fragment(w, p, mtu);
	if (!is4 && p->may_cut)
		return ip6_fragment(w, p, mtu);
	if (is4)
		MIB_INC(w, IpFragFails);
	else
		MIB_INC(w, Ip6FragFails);
	pkt_drop_at(w, p, DROP_ip_out_too_big, STAGE_ip_output);
	return -EMSGSIZE;
}

COLD static enum hook_verdict postrouting_watched(struct worker *w, struct pkt *p,
						  const struct dst *d)
{
	if (pkt_trace(p))
		trace_route(p, STAGE_ip_output, d);
	return hook_run(w, HOOK_POSTROUTING, p);
}

int ip_output(struct worker *w, struct pkt *p)
{
	const struct dst *d = p->dst;
	enum hook_verdict v;

	count_out(w, p, d);
	p->dev = d->dev;
	p->orig_dev = d->dev;
	if (!is_unwatched(w, p)) {
		v = postrouting_watched(w, p, d);
		if (v != HOOK_ACCEPT)
			return v == HOOK_DROP ? -EPERM : 0;
	}
	if (unlikely(d->type == DST_LOCAL))
		return loop_back(w, p);
	if (unlikely(pkt_total(p) > d->mtu))
		return too_big(w, p, d->mtu);
	return neigh_output(w, p);
}
