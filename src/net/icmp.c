/* SPDX-License-Identifier: Apache-2.0 */
/* Stage icmp_rcv: echo is answered, errors reach the protocol that they quote (stack.md 9). */
#include "net/icmp.h"

#include "net/ip4_options.h"
#include "net/l4.h"
#include "net/nd.h"
#include "net/output.h"
#include "net/route.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { QUOTE_LOOK = 128 }; /* bytes of a quoted packet that are looked at */

static bool is_icmp6(const struct pkt *p)
{
	return p->ip_proto == IPPROTO_ICMP6_;
}

static void bad(struct worker *w, struct pkt *p, enum drop why)
{
	if (is_icmp6(p))
		MIB_INC(w, Icmp6InErrors);
	else
		MIB_INC(w, IcmpInErrors);
	pkt_drop_at(w, p, why, STAGE_icmp_rcv);
}

/* --- echo ------------------------------------------------------------------------------------- */

/* C4: the reply has the request's TOS and record route. */
static void echo(struct worker *w, struct pkt *p)
{
	bool is6 = is_icmp6(p);
	uint32_t total = pkt_total(p);
	struct ip_out o = {
		.dst = p->tun.src, .src = p->tun.dst, .proto = p->ip_proto, .tos = p->tun.tos};
	uint32_t ifindex = ip_is_linklocal(&o.dst) ? p->dev->ifindex : 0;
	uint8_t opts[IP4_OPTS_MAX];
	struct icmp_hdr *h;
	struct pkt *r;

	if (ip_is_multicast(&o.src)) /* IPv6: a ping to a group */
		o.src = (struct ip_addr){0};
	if (is6 && ip_is_none(&o.src) &&
	    !route_source(w->vx->inet, p->dev->ifindex, &o.dst, &o.src)) {
		bad(w, p, DROP_icmp_invalid);
		return;
	}
	if (!is6) {
		o.opts = opts;
		o.opts_len = ip4_options_echo(&o.src, pkt_at(p, p->net_off), opts);
	}
	r = pkt_make(w, total);
	if (!r) {
		pkt_drop_at(w, p, DROP_no_memory, STAGE_icmp_rcv);
		return;
	}
	pkt_copy_out(p, 0, pkt_append(r, total), total);
	h = (struct icmp_hdr *)r->data;
	h->type = is6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY;
	h->csum = (be16){0};
	h->csum = csum_fold(csum_add(is6 ? csum_pseudo(&o.src, &o.dst, IPPROTO_ICMP6_, total) : 0,
				     r->data, total));
	r->mark = p->mark;
	if (unlikely(pkt_trace(p))) {
		trace_add(p, STAGE_icmp_rcv, SAY_REPLY)->ip = o.dst;
		trace_fork(p, r);
	}
	if (is6) {
		MIB_INC(w, Icmp6OutMsgs);
		MIB_INC(w, Icmp6OutEchoReplies);
	} else {
		MIB_INC(w, IcmpOutMsgs);
		MIB_INC(w, IcmpOutEchoReps);
	}
	ip_send_routed(w, r, &o, ifindex);
	pkt_consume(w, p);
}

/* --- errors ----------------------------------------------------------------------------------- */

/* The gate for a quoted header: fills in e and the protocol; false: not to be used. */
static bool open_quote4(const uint8_t *q, uint32_t len, struct icmp_error *e, uint8_t *proto)
{
	const struct ip4_hdr *ip = (const struct ip4_hdr *)q;
	uint32_t hlen;

	if (len < sizeof(*ip))
		return false;
	hlen = ip4_hdr_len(ip);
	if (ip->ver_ihl >> 4 != 4 || hlen < sizeof(*ip) || len < hlen + 8 ||
	    be16_get(ip->frag) & IP4_OFFSET)
		return false;
	e->src = ip_from4(ip->src);
	e->dst = ip_from4(ip->dst);
	e->l4 = q + hlen;
	e->len = len - hlen;
	*proto = ip->proto;
	return true;
}

/* vx sends no extension headers, so what quotes vx has none. */
static bool open_quote6(const uint8_t *q, uint32_t len, struct icmp_error *e, uint8_t *proto)
{
	const struct ip6_hdr *ip = (const struct ip6_hdr *)q;

	if (len < sizeof(*ip) + 8 || q[0] >> 4 != 6)
		return false;
	e->src = ip_from6(ip->src);
	e->dst = ip_from6(ip->dst);
	e->l4 = q + sizeof(*ip);
	e->len = len - (uint32_t)sizeof(*ip);
	*proto = ip->next;
	return true;
}

static void error(struct worker *w, struct pkt *p, const struct icmp_hdr *h)
{
	bool is6 = is_icmp6(p);
	uint8_t q[QUOTE_LOOK], proto;
	uint32_t len = MIN(pkt_total(p) - (uint32_t)sizeof(*h), (uint32_t)sizeof(q));
	struct icmp_error e = {.fam = is6 ? INET_V6 : INET_V4,
			       .type = h->type,
			       .code = h->code,
			       .info = be32_get(h->info),
			       .dev = p->dev};
	const struct inet_proto *ip;

	pkt_copy_out(p, sizeof(*h), q, len);
	if (!(is6 ? open_quote6 : open_quote4)(q, len, &e, &proto)) {
		bad(w, p, DROP_icmp_invalid);
		return;
	}
	if (is6) {
		e.is_pmtu = h->type == ICMP6_TOO_BIG;
	} else {
		e.is_pmtu = h->type == ICMP4_UNREACH && h->code == ICMP4_UNREACH_FRAG;
		if (e.is_pmtu)
			e.info = be16_get(h->frag.mtu);
	}
	ip = atomic_load_explicit(&w->vx->inet->proto[e.fam][proto], memory_order_acquire);
	if (ip && ip->err_handler && route_is_local(w->vx->inet, &e.src) &&
	    ip->err_handler(w, &e) && e.is_pmtu && e.info)
		route_update_pmtu(w, &e.dst, e.info);
	pkt_consume(w, p);
}

/* --- messages --------------------------------------------------------------------------------- */

static bool is_to_group(const struct pkt *p)
{
	return p->dst && (p->dst->type == DST_BROADCAST || p->dst->type == DST_MULTICAST);
}

static void rcv4(struct worker *w, struct pkt *p, const struct icmp_hdr *h)
{
	switch (h->type) {
	case ICMP4_ECHO:
		MIB_INC(w, IcmpInEchos);
		if (is_to_group(p)) /* C6 */
			bad(w, p, DROP_icmp_invalid);
		else
			echo(w, p);
		return;
	case ICMP4_ECHO_REPLY:
		MIB_INC(w, IcmpInEchoReps);
		pkt_consume(w, p);
		return;
	case ICMP4_UNREACH:
		MIB_INC(w, IcmpInDestUnreachs);
		break;
	case ICMP4_TIME_EXCEEDED:
		MIB_INC(w, IcmpInTimeExcds);
		break;
	case ICMP4_PARAM:
		MIB_INC(w, IcmpInParmProbs);
		break;
	case ICMP4_QUENCH:
		break;
	case ICMP4_REDIRECT: /* not followed: vx's routes are control's */
		MIB_INC(w, IcmpInRedirects);
		pkt_consume(w, p);
		return;
	default:
		bad(w, p, DROP_icmp_invalid);
		return;
	}
	if (is_to_group(p))
		bad(w, p, DROP_icmp_invalid);
	else
		error(w, p, h);
}

static void rcv6(struct worker *w, struct pkt *p, const struct icmp_hdr *h)
{
	switch (h->type) {
	case ICMP6_ECHO:
		MIB_INC(w, Icmp6InEchos);
		echo(w, p);
		return;
	case ICMP6_ECHO_REPLY:
		MIB_INC(w, Icmp6InEchoReplies);
		pkt_consume(w, p);
		return;
	case ICMP6_UNREACH:
		MIB_INC(w, Icmp6InDestUnreachs);
		break;
	case ICMP6_TOO_BIG:
		MIB_INC(w, Icmp6InPktTooBigs);
		break;
	case ICMP6_TIME_EXCEEDED:
		MIB_INC(w, Icmp6InTimeExcds);
		break;
	case ICMP6_PARAM:
		MIB_INC(w, Icmp6InParmProblems);
		break;
	case ICMP6_NS:
		MIB_INC(w, Icmp6InNeighborSolicits);
		nd_rcv(w, p);
		return;
	case ICMP6_NA:
		MIB_INC(w, Icmp6InNeighborAdvertisements);
		nd_rcv(w, p);
		return;
	case ICMP6_RS:
	case ICMP6_RA:
	case ICMP6_REDIRECT:
		nd_rcv(w, p);
		return;
	default:
		/* RFC 4443, 2.4: an unknown error goes up, anything else is dropped. */
		pkt_drop_at(w, p, DROP_icmp_invalid, STAGE_icmp_rcv);
		return;
	}
	error(w, p, h);
}

/* The gate: header there, checksum good (C5). */
static void rcv_one(struct worker *w, struct pkt *p)
{
	bool is6 = is_icmp6(p);
	uint32_t len = pkt_total(p);
	struct icmp_hdr h;

	if (is6)
		MIB_INC(w, Icmp6InMsgs);
	else
		MIB_INC(w, IcmpInMsgs);
	if (unlikely(pkt_trace(p)))
		trace_add(p, STAGE_icmp_rcv, SAY_NOTHING)->len = len;
	if (len < sizeof(h)) {
		bad(w, p, DROP_pkt_too_small);
		return;
	}
	if (!l4_csum_ok(p, len,
			is6 ? csum_pseudo(&p->tun.src, &p->tun.dst, IPPROTO_ICMP6_, len) : 0)) {
		if (is6)
			MIB_INC(w, Icmp6InCsumErrors);
		else
			MIB_INC(w, IcmpInCsumErrors);
		bad(w, p, DROP_icmp_csum);
		return;
	}
	pkt_copy_out(p, 0, &h, sizeof(h));
	if (is6)
		rcv6(w, p, &h);
	else
		rcv4(w, p, &h);
}

static void icmp_rcv(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		rcv_one(w, b->p[i]);
	b->n = 0;
}

/* An error about an ICMP message of ours: only echo could have a reader, and vx sends none. */
static bool icmp_err(struct worker *w, const struct icmp_error *e)
{
	(void)w;
	(void)e;
	return false;
}

const struct inet_proto icmp4_proto = {.handler = icmp_rcv, .err_handler = icmp_err};
const struct inet_proto icmp6_proto = {.handler = icmp_rcv, .err_handler = icmp_err};
