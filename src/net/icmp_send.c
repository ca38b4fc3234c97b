/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP and ICMPv6 errors that this host sends (stack.md C1 to C3). */
#include "net/icmp.h"
#include "net/icmp_limit.h"
#include "net/output.h"
#include "net/route.h"
#include "wire/csum.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { QUOTE4_MAX = 576, QUOTE6_MAX = 1280 };

/* --- IPv4 ------------------------------------------------------------------------------------- */

/* What nobody knows may be one, too. */
bool icmp4_is_error(uint8_t type)
{
	return type > ICMP4_LAST || type == ICMP4_UNREACH || type == ICMP4_QUENCH || type == ICMP4_REDIRECT ||
	       type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAM;
}

bool icmp_is_single_host(const struct ip_addr *a)
{
	return !ip_is_any(a) && !ip_is_multicast(a) && !ip_is_loopback(a) &&
	       !(ip_is4(a) && (a->b[12] == 0 || be32_get(ip_get4(a)) == 0xffffffff));
}

/* C2: is p something an error may be about? */
static bool may_complain4(const struct pkt *p, const struct ip_addr *src, const struct ip_addr *dst)
{
	const struct ip4_hdr *ip = (const struct ip4_hdr *)p->data;
	uint32_t hlen = ip4_hdr_len(ip);
	uint8_t type;

	if (p->type != PKT_HOST || be16_get(ip->frag) & IP4_OFFSET || !icmp_is_single_host(src) ||
	    ip_is_multicast(dst) || be32_get(ip->dst) == 0xffffffff)
		return false;
	if (p->dst && (p->dst->type == DST_BROADCAST || p->dst->type == DST_MULTICAST))
		return false;
	if (ip->proto != IPPROTO_ICMP4_)
		return true;
	if (pkt_total(p) <= hlen)
		return false;
	pkt_copy_out(p, hlen, &type, 1);
	return !icmp4_is_error(type);
}

/* The message: header, then as much of p as 'max' allows. */
static struct pkt *make_error(struct worker *w, const struct pkt *p, uint8_t type, uint8_t code,
			      uint32_t info, uint32_t max)
{
	uint32_t quote = MIN(pkt_total(p), max - (uint32_t)sizeof(struct icmp_hdr));
	struct pkt *e = pkt_make(w, sizeof(struct icmp_hdr) + quote);
	struct icmp_hdr *h;

	if (!e)
		return NULL;
	h = pkt_append(e, sizeof(*h) + quote);
	*h = (struct icmp_hdr){.type = type, .code = code, .info = be32_put(info)};
	pkt_copy_out(p, 0, h + 1, quote);
	e->mark = p->mark;
	return e;
}

static bool is_allowed4(struct worker *w, const struct ip_addr *to)
{
	switch (icmp_allow(w, to)) {
	case ICMP_ALLOWED:
		return true;
	case ICMP_LIMIT_HOST:
		MIB_INC(w, IcmpOutRateLimitHost);
		return false;
	case ICMP_LIMIT_GLOBAL:
		MIB_INC(w, IcmpOutRateLimitGlobal);
	}
	return false;
}

static void count4(struct worker *w, uint8_t type)
{
	MIB_INC(w, IcmpOutMsgs);
	if (type == ICMP4_UNREACH)
		MIB_INC(w, IcmpOutDestUnreachs);
	else if (type == ICMP4_TIME_EXCEEDED)
		MIB_INC(w, IcmpOutTimeExcds);
	else if (type == ICMP4_PARAM)
		MIB_INC(w, IcmpOutParmProbs);
}

void icmp_send(struct worker *w, const struct pkt *p, uint8_t type, uint8_t code, uint32_t info)
{
	const struct ip4_hdr *ip = (const struct ip4_hdr *)p->data;
	struct ip_addr src = ip_from4(ip->src), dst = ip_from4(ip->dst);
	struct ip_out o = {
		.dst = src, .proto = IPPROTO_ICMP4_, .tos = (uint8_t)(0xc0 | (ip->tos & 0x1c))};
	struct icmp_hdr *h;
	struct pkt *e;

	if (!may_complain4(p, &src, &dst) || !is_allowed4(w, &src))
		return;
	if (route_is_local(w->vx->inet, &dst))
		o.src = dst;
	e = make_error(w, p, type, code, info, QUOTE4_MAX - (uint32_t)sizeof(*ip));
	if (!e)
		return;
	h = (struct icmp_hdr *)e->data;
	h->csum = csum(e->data, e->len);
	count4(w, type);
	ip_send_routed(w, e, &o, 0);
}

/* --- IPv6 ------------------------------------------------------------------------------------- */

bool icmp6_is_error(uint8_t type)
{
	return !(type & 0x80) || type == ICMP6_REDIRECT;
}

/* RFC 4443, 2.4 (e).  Too big and an option's "tell even if multicast" may be about a group. */
static bool may_complain6(const struct pkt *p, const struct ip_addr *src, const struct ip_addr *dst,
			  uint8_t type, uint8_t code)
{
	const struct ip6_hdr *ip = (const struct ip6_hdr *)p->data;
	bool even_group =
		type == ICMP6_TOO_BIG || (type == ICMP6_PARAM && code == ICMP6_PARAM_OPTION);
	uint8_t inner;

	if (!icmp_is_single_host(src))
		return false;
	if (!even_group && (ip_is_multicast(dst) || p->type != PKT_HOST))
		return false;
	if (ip->next != IPPROTO_ICMP6_)
		return true;
	if (pkt_total(p) <= sizeof(*ip))
		return false;
	pkt_copy_out(p, sizeof(*ip), &inner, 1);
	return !icmp6_is_error(inner);
}

static void count6(struct worker *w, uint8_t type)
{
	MIB_INC(w, Icmp6OutMsgs);
	if (type == ICMP6_UNREACH)
		MIB_INC(w, Icmp6OutDestUnreachs);
	else if (type == ICMP6_TOO_BIG)
		MIB_INC(w, Icmp6OutPktTooBigs);
	else if (type == ICMP6_TIME_EXCEEDED)
		MIB_INC(w, Icmp6OutTimeExcds);
	else if (type == ICMP6_PARAM)
		MIB_INC(w, Icmp6OutParmProblems);
}

void icmp6_send(struct worker *w, const struct pkt *p, uint8_t type, uint8_t code, uint32_t info)
{
	const struct ip6_hdr *ip = (const struct ip6_hdr *)p->data;
	struct ip_addr src = ip_from6(ip->src), dst = ip_from6(ip->dst);
	uint32_t ifindex = ip_is_linklocal(&src) && p->dev ? p->dev->ifindex : 0;
	struct ip_out o = {.dst = src, .proto = IPPROTO_ICMP6_};
	struct icmp_hdr *h;
	struct pkt *e;

	if (!may_complain6(p, &src, &dst, type, code))
		return;
	if (icmp_allow(w, &src) != ICMP_ALLOWED) {
		MIB_INC(w, Icmp6OutRateLimitHost);
		return;
	}
	if (route_is_local(w->vx->inet, &dst))
		o.src = dst;
	else if (!route_source(w->vx->inet, p->dev ? p->dev->ifindex : 0, &src, &o.src))
		return;
	e = make_error(w, p, type, code, info, QUOTE6_MAX - (uint32_t)sizeof(*ip));
	if (!e)
		return;
	h = (struct icmp_hdr *)e->data;
	h->csum = csum_fold(
		csum_add(csum_pseudo(&o.src, &o.dst, IPPROTO_ICMP6_, e->len), e->data, e->len));
	count6(w, type);
	ip_send_routed(w, e, &o, ifindex);
}

void icmp_unreach(struct worker *w, int fam, struct pkt *p, bool port)
{
	/* The header itself stays linear while it lies before 'data'. */
	pkt_push(p, pkt_off(p) - p->net_off);
	if (fam == INET_V4)
		icmp_send(w, p, ICMP4_UNREACH, port ? ICMP4_UNREACH_PORT : ICMP4_UNREACH_PROTO, 0);
	else if (port)
		icmp6_send(w, p, ICMP6_UNREACH, ICMP6_UNREACH_PORT, 0);
	else /* the pointer names the field that holds the number */
		icmp6_send(w, p, ICMP6_PARAM, ICMP6_PARAM_NEXT, (uint32_t)p->cb[0]);
}
