/* SPDX-License-Identifier: Apache-2.0 */
/* Stages ip6_rcv and ip6_rcv_finish, extension headers. */
#include "net/ip6.h"

#include "net/frag.h"
#include "net/icmp.h"
#include "net/ip4.h"
#include "net/route.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { EXT_MAX = 8, OPT_PAD1 = 0, OPT_PADN = 1, OPT_ROUTER_ALERT = 5, OPT_JUMBO = 0xc2 };

/* --- options of hop-by-hop and destination headers -------------------------------------------- */

/* An option that nobody knows: its two high bits say what happens (RFC 8200, 4.2). */
static bool skip_unknown(struct worker *w, struct pkt *p, uint8_t type, uint32_t at)
{
	const struct ip6_hdr *ip = (const struct ip6_hdr *)p->data;

	if (type >> 6 == 0)
		return true;
	if (type >> 6 == 2 || (type >> 6 == 3 && ip->dst[0] != 0xff))
		icmp6_send(w, p, ICMP6_PARAM, ICMP6_PARAM_OPTION, at);
	return false;
}

/* The options of the header at 'at' (data at the IPv6 header), which is linear.  What they say. */
static enum drop check_options(struct worker *w, struct pkt *p, uint32_t at, uint32_t len)
{
	const uint8_t *h = p->data;

	for (uint32_t i = at + 2, end = at + len; i < end;) {
		uint32_t n;

		if (h[i] == OPT_PAD1) {
			i++;
			continue;
		}
		if (end - i < 2 || h[i + 1] > end - i - 2)
			return DROP_ip6_ext_hdr;
		n = h[i + 1] + 2u;
		if (h[i] == OPT_JUMBO)
			return DROP_ip6_jumbo;
		if (h[i] != OPT_PADN && h[i] != OPT_ROUTER_ALERT && !skip_unknown(w, p, h[i], i))
			return DROP_ip6_ext_hdr;
		i += n;
	}
	return DROP_NONE;
}

/* The gate for an extension header: its whole length, linear; 0 if it is not there. */
static uint32_t ext_len(struct worker *w, struct pkt *p, uint32_t at)
{
	uint32_t len;

	if (pkt_pull_frags(w->pool, p, at + 8) < 0)
		return 0;
	len = (p->data[at + 1] + 1u) * 8;
	return pkt_pull_frags(w->pool, p, at + len) < 0 ? 0 : len;
}

/* --- ip6_rcv ---------------------------------------------------------------------------------- */

static bool addresses_are_sane(const struct ip6_hdr *ip)
{
	struct ip_addr src = ip_from6(ip->src), dst = ip_from6(ip->dst);

	/* An IPv4-mapped address must not come from the wire: inside vx it is IPv4. */
	return !ip_is_loopback(&src) && !ip_is_loopback(&dst) && !ip_is_multicast(&src) &&
	       !ip_is4(&src) && !ip_is4(&dst) && !(dst.b[0] == 0xff && (dst.b[1] & 0xf) < 2);
}

static enum drop check_header(struct worker *w, struct pkt *p)
{
	const struct ip6_hdr *ip;
	uint32_t len, ext;
	enum drop why;

	if (pkt_pull_frags(w->pool, p, sizeof(*ip)) < 0)
		return DROP_pkt_too_small;
	ip = (const struct ip6_hdr *)p->data;
	if (p->data[0] >> 4 != 6 || !addresses_are_sane(ip))
		return DROP_ip_hdr_error;
	len = be16_get(ip->payload_len);
	if (!len && ip->next == IP6_HOPOPTS)
		return DROP_ip6_jumbo;
	if (len > pkt_total(p) - sizeof(*ip))
		return DROP_ip_truncated;
	if (len < pkt_total(p) - sizeof(*ip)) {
		pkt_trim(p, len + (uint32_t)sizeof(*ip));
		if (p->csum_state == CSUM_COMPLETE)
			p->csum_state = CSUM_NONE;
	}
	p->net_off = pkt_off(p);
	if (likely(ip->next != IP6_HOPOPTS))
		return DROP_NONE;
	ext = ext_len(w, p, sizeof(*ip));
	why = ext ? check_options(w, p, sizeof(*ip), ext) : DROP_ip6_ext_hdr;
	p->net_off = pkt_off(p); /* pulling may have moved the bytes */
	return why;
}

static bool rcv_one(struct worker *w, struct pkt *p)
{
	enum drop why;

	if (unlikely(p->type == PKT_OTHERHOST)) {
		pkt_drop_at(w, p, DROP_otherhost, STAGE_ip6_rcv);
		return false;
	}
	MIB_INC(w, Ip6InReceives);
	why = check_header(w, p);
	if (likely(why == DROP_NONE))
		return true;
	if (why == DROP_ip_truncated)
		MIB_INC(w, Ip6InTruncatedPkts);
	else
		MIB_INC(w, Ip6InHdrErrors);
	pkt_drop_at(w, p, why, STAGE_ip6_rcv);
	return false;
}

static bool finish_one(struct worker *w, struct pkt *p)
{
	const struct ip6_hdr *ip = (const struct ip6_hdr *)p->data;
	struct ip_addr src = ip_from6(ip->src), dst = ip_from6(ip->dst);
	enum drop why;

	p->dst = route_input(w, p, &src, &dst, &why);
	if (unlikely(pkt_trace(p))) {
		bool local = p->dst && p->dst->input != ip_error;
		struct trace_step *s =
			trace_add(p, STAGE_route_input, local ? SAY_LOCAL : SAY_NOTHING);

		s->ip = dst;
		memcpy(s->dev, p->dev->name, sizeof(s->dev));
	}
	if (unlikely(!p->dst)) {
		pkt_drop_at(w, p, why, STAGE_route_input);
		return false;
	}
	if (p->dst->type == DST_MULTICAST)
		MIB_INC(w, Ip6InMcastPkts);
	return true;
}

static void trace_all(struct batch *b, enum stage stage)
{
	if (likely(!b->traced))
		return;
	for (uint32_t i = 0; i < b->n; i++)
		if (pkt_trace(b->p[i]))
			trace_add(b->p[i], stage, SAY_NOTHING)->len = pkt_total(b->p[i]);
}

static void ip6_rcv_finish(struct worker *w, struct batch *b)
{
	uint32_t kept = 0;

	trace_all(b, STAGE_ip6_rcv_finish);
	for (uint32_t i = 0; i < b->n; i++)
		if (finish_one(w, b->p[i]))
			b->p[kept++] = b->p[i];
	b->n = kept;
	if (kept)
		dst_input(w, INET_V6, b);
}

void ip6_rcv(struct worker *w, struct batch *b)
{
	uint32_t kept = 0;

	trace_all(b, STAGE_ip6_rcv);
	for (uint32_t i = 0; i < b->n; i++)
		if (rcv_one(w, b->p[i]))
			b->p[kept++] = b->p[i];
	b->n = kept;
	hook_run_batch(w, HOOK_PREROUTING, b);
	if (b->n)
		ip6_rcv_finish(w, b);
}

/* --- extension headers ------------------------------------------------------------------------ */

static void drop_ext(struct worker *w, struct pkt *p, enum drop why)
{
	MIB_INC(w, Ip6InHdrErrors);
	pkt_drop_at(w, p, why, STAGE_ip_local_deliver_finish);
}

/* Steps over the header of kind 'next' at *at.  False: p was taken. */
static bool step_over(struct worker *w, struct pkt *p, uint8_t next, uint32_t *at)
{
	uint32_t len = ext_len(w, p, *at);
	enum drop why;

	if (!len) {
		drop_ext(w, p, DROP_ip6_ext_hdr);
		return false;
	}
	if (next == IP6_ROUTING && p->data[*at + 3]) { /* segments are left: vx forwards nothing */
		icmp6_send(w, p, ICMP6_PARAM, ICMP6_PARAM_FIELD, *at + 2);
		drop_ext(w, p, DROP_ip_source_route);
		return false;
	}
	why = next == IP6_DSTOPTS ? check_options(w, p, *at, len) : DROP_NONE;
	if (why != DROP_NONE) {
		drop_ext(w, p, why);
		return false;
	}
	*at += len;
	return true;
}

static void fill_tun(struct pkt *p)
{
	const struct ip6_hdr *ip = (const struct ip6_hdr *)p->data;

	p->has_tun = true;
	p->tun = (struct tun_info){
		.src = ip_from6(ip->src),
		.dst = ip_from6(ip->dst),
		.tos = ip6_tclass(ip),
		.ttl = ip->hop_limit,
		.label = ip6_label(ip),
		.ifindex = p->dev->ifindex,
	};
}

bool ip6_open(struct worker *w, struct pkt **pp)
{
	struct pkt *p = *pp;
	uint32_t at = sizeof(struct ip6_hdr), prev = 6, was;
	uint8_t next = p->data[prev];

	for (int i = 0;; i++) {
		bool first = at == sizeof(struct ip6_hdr);

		if (next == IP6_FRAGMENT) {
			p = *pp = ip6_defrag(w, p, &at, &prev);
			if (!p)
				return false;
			next = p->data[prev];
			continue;
		}
		if (next != IP6_ROUTING && next != IP6_DSTOPTS && !(next == IP6_HOPOPTS && first))
			break;
		if (i == EXT_MAX) {
			drop_ext(w, p, DROP_ip6_ext_hdr);
			return false;
		}
		was = at;
		if (!step_over(w, p, next, &at))
			return false;
		prev = was;
		next = p->data[was];
	}
	if (next == IP6_NONEXT) {
		pkt_consume(w, p);
		return false;
	}
	p->net_off = pkt_off(p); /* pulling may have moved the bytes */
	fill_tun(p);
	p->ip_proto = next;
	p->cb[0] = prev;
	pkt_pull(p, at);
	p->l4_off = pkt_off(p);
	return true;
}
