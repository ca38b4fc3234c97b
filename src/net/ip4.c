/* SPDX-License-Identifier: Apache-2.0 */
/* Stages ip4_rcv to ip_local_deliver_finish.  The numbers are the rows of stack.md 4 and 6. */
#include "net/ip4.h"

#include "net/fib.h"
#include "net/frag.h"
#include "net/icmp.h"
#include "net/ip4_options.h"
#include "net/ip6.h"
#include "net/raw.h"
#include "net/route.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

static void trace_all(struct batch *b, enum stage stage)
{
	if (likely(!b->traced))
		return;
	for (uint32_t i = 0; i < b->n; i++)
		if (pkt_trace(b->p[i]))
			trace_add(b->p[i], stage, SAY_NOTHING)->len = pkt_total(b->p[i]);
}

/* --- ip4_rcv -------------------------------------------------------------------------------------
 */

/* I2 to I5.  After it header and total length can be trusted, and the header is linear. */
static enum drop check_header(struct worker *w, struct pkt *p)
{
	const struct ip4_hdr *ip;
	uint32_t hlen, len;

	if (pkt_pull_frags(w->pool, p, sizeof(*ip)) < 0)
		return DROP_pkt_too_small;
	ip = (const struct ip4_hdr *)p->data;
	hlen = ip4_hdr_len(ip);
	if (ip->ver_ihl >> 4 != 4 || hlen < sizeof(*ip))
		return DROP_ip_hdr_error;
	if (pkt_pull_frags(w->pool, p, hlen) < 0)
		return DROP_pkt_too_small;
	ip = (const struct ip4_hdr *)p->data;
	if (csum_reduce(csum_ip4_hdr(ip, hlen)) != 0xffff)
		return DROP_ip_csum;
	len = be16_get(ip->len);
	if (len > pkt_total(p))
		return DROP_ip_truncated;
	if (len < hlen)
		return DROP_ip_hdr_error;
	if (len < pkt_total(p)) {
		pkt_trim(p, len);
		if (p->csum_state == CSUM_COMPLETE) /* summed what is cut off, too */
			p->csum_state = CSUM_NONE;
	}
	p->net_off = pkt_off(p);
	p->l4_off = pkt_off(p) + hlen;
	return DROP_NONE;
}

static void count_bad(struct worker *w, enum drop why)
{
	if (why == DROP_ip_truncated) {
		MIB_INC(w, IpExtInTruncatedPkts);
		return;
	}
	if (why == DROP_ip_csum)
		MIB_INC(w, IpExtInCsumErrors);
	MIB_INC(w, IpInHdrErrors);
}

/* True: p goes on to ip4_rcv_finish. */
static bool rcv_one(struct worker *w, struct pkt *p)
{
	enum drop why;

	if (unlikely(p->type == PKT_OTHERHOST)) { /* I1 */
		pkt_drop_at(w, p, DROP_otherhost, STAGE_ip4_rcv);
		return false;
	}
	MIB_INC(w, IpInReceives);
	MIB_ADD(w, IpExtInOctets, pkt_total(p));
	why = check_header(w, p);
	if (likely(why == DROP_NONE))
		return true;
	count_bad(w, why);
	pkt_drop_at(w, p, why, STAGE_ip4_rcv);
	return false;
}

COLD static void trace_route(struct pkt *p, const struct ip_addr *to, const struct dst *d)
{
	struct trace_step *s = trace_add(p, STAGE_route_input,
					 d && d->input != ip_error ? SAY_LOCAL : SAY_NOTHING);

	s->ip = *to;
	if (d && d->dev)
		memcpy(s->dev, d->dev->name, sizeof(s->dev));
}

/* Route, options, counters; true: p->dst is set. */
static bool finish_one(struct worker *w, struct pkt *p)
{
	const struct ip4_hdr *ip = (const struct ip4_hdr *)p->data;
	struct ip_addr src = ip_from4(ip->src), dst = ip_from4(ip->dst);
	enum drop why;

	p->dst = route_input(w, p, &src, &dst, &why);
	if (unlikely(pkt_trace(p)))
		trace_route(p, &dst, p->dst);
	if (unlikely(!p->dst)) { /* I7, I9: no counter beyond InReceives */
		pkt_drop_at(w, p, why, STAGE_route_input);
		return false;
	}
	if (unlikely(ip4_hdr_len(ip) > sizeof(*ip)) &&
	    !ip4_options_rcv(w, p, p->dst->type == DST_LOCAL ? &dst : &p->dst->src))
		return false;
	if (p->dst->type == DST_MULTICAST)
		MIB_INC(w, IpExtInMcastPkts);
	else if (p->dst->type == DST_BROADCAST)
		MIB_INC(w, IpExtInBcastPkts);
	return true;
}

static void ip4_rcv_finish(struct worker *w, struct batch *b)
{
	uint32_t kept = 0;

	trace_all(b, STAGE_ip4_rcv_finish);
	for (uint32_t i = 0; i < b->n; i++)
		if (finish_one(w, b->p[i]))
			b->p[kept++] = b->p[i];
	b->n = kept;
	if (kept)
		dst_input(w, INET_V4, b);
}

void ip4_rcv(struct worker *w, struct batch *b)
{
	uint32_t kept = 0;

	trace_all(b, STAGE_ip4_rcv);
	for (uint32_t i = 0; i < b->n; i++)
		if (rcv_one(w, b->p[i]))
			b->p[kept++] = b->p[i];
	b->n = kept;
	hook_run_batch(w, HOOK_PREROUTING, b);
	if (b->n)
		ip4_rcv_finish(w, b);
}

void ip_error(struct worker *w, struct pkt *p)
{
	if (be16_get(p->protocol) == ETHTYPE_IP4)
		MIB_INC(w, IpInAddrErrors);
	else
		MIB_INC(w, Ip6InAddrErrors);
	pkt_drop_at(w, p, DROP_ip_not_local, STAGE_dst_input);
}

void dst_input(struct worker *w, int fam, struct batch *b)
{
	struct batch local;

	trace_all(b, STAGE_dst_input);
	batch_init(&local);
	local.traced = b->traced;
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];

		if (likely(p->dst->input == ip_local_deliver))
			batch_add(&local, p);
		else
			p->dst->input(w, p);
	}
	if (local.n)
		ip_local_deliver_batch(w, fam, &local);
}

/* --- local delivery ------------------------------------------------------------------------------
 */

void ip_local_deliver(struct worker *w, struct pkt *p)
{
	struct batch one = {.n = 1, .traced = pkt_trace(p) != NULL, .p = {p}};

	ip_local_deliver_batch(w, be16_get(p->protocol) == ETHTYPE_IP4 ? INET_V4 : INET_V6, &one);
}

static bool is_fragment(const struct pkt *p)
{
	return be16_get(((const struct ip4_hdr *)p->data)->frag) & (IP4_MF | IP4_OFFSET);
}

static void defrag(struct worker *w, struct batch *b)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];

		if (unlikely(is_fragment(p)))
			p = ip4_defrag(w, p);
		if (likely(p != NULL))
			b->p[kept++] = p;
	}
	b->n = kept;
}

/* Opens the IPv4 header: what transport and tunnel want to know of it goes to p->tun. */
static void open_ip4(struct pkt *p)
{
	const struct ip4_hdr *ip = (const struct ip4_hdr *)p->data;

	p->ip_proto = ip->proto;
	p->has_tun = true;
	p->tun = (struct tun_info){
		.src = ip_from4(ip->src),
		.dst = ip_from4(ip->dst),
		.tos = ip->tos,
		.ttl = ip->ttl,
		.df = be16_get(ip->frag) & IP4_DF,
		.ifindex = p->dev->ifindex,
	};
	pkt_pull(p, ip4_hdr_len(ip));
	p->l4_off = pkt_off(p);
}

static void ip_local_deliver_finish(struct worker *w, int fam, struct batch *b)
{
	uint32_t kept = 0;

	trace_all(b, STAGE_ip_local_deliver_finish);
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];

		if (fam == INET_V4)
			open_ip4(p);
		else if (!ip6_open(w, &p))
			continue;
		b->p[kept++] = p;
	}
	b->n = kept;
	if (kept)
		ip_deliver_protocols(w, fam, b);
}

void ip_local_deliver_batch(struct worker *w, int fam, struct batch *b)
{
	trace_all(b, STAGE_ip_local_deliver);
	if (fam == INET_V4)
		defrag(w, b);
	hook_run_batch(w, HOOK_INPUT, b);
	if (b->n)
		ip_local_deliver_finish(w, fam, b);
}

/* --- protocols -------------------------------------------------------------------------------- */

static void count_delivered(struct worker *w, int fam, uint32_t n)
{
	if (fam == INET_V4)
		MIB_ADD(w, IpInDelivers, n);
	else
		MIB_ADD(w, Ip6InDelivers, n);
}

/* L3: nobody speaks it. */
static void unknown_protocol(struct worker *w, int fam, struct pkt *p, bool raw)
{
	if (raw) {
		count_delivered(w, fam, 1);
		pkt_consume(w, p);
		return;
	}
	if (fam == INET_V4)
		MIB_INC(w, IpInUnknownProtos);
	else
		MIB_INC(w, Ip6InUnknownProtos);
	icmp_unreach(w, fam, p, false);
	pkt_drop_at(w, p, DROP_ip_no_proto, STAGE_ip_local_deliver_finish);
}

/* What a handler left goes on as another protocol (L2). */
static void resubmit(struct worker *w, int fam, struct batch *b)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];

		if (++p->resubmits > RESUBMITS_MAX) {
			pkt_drop_at(w, p, DROP_ip_resubmit, STAGE_ip_local_deliver_finish);
			continue;
		}
		p->ip_proto = p->again;
		p->again = 0;
		b->p[kept++] = p;
	}
	b->n = kept;
	if (kept)
		ip_deliver_protocols(w, fam, b);
}

/* A run of packets of one protocol. */
static void deliver_run(struct worker *w, int fam, struct batch *b)
{
	uint8_t proto = b->p[0]->ip_proto;
	const struct inet_proto *h =
		atomic_load_explicit(&w->vx->inet->proto[fam][proto], memory_order_acquire);
	bool has_raw = atomic_load_explicit(&w->vx->inet->raws, memory_order_relaxed) != NULL;
	uint32_t n = b->n;

	for (uint32_t i = 0; unlikely(has_raw || !h) && i < n; i++) {
		bool raw = raw_deliver(w, fam, b->p[i]);

		if (!h)
			unknown_protocol(w, fam, b->p[i], raw);
	}
	if (!h)
		return;
	h->handler(w, b);
	count_delivered(w, fam, n - b->n);
	if (unlikely(b->n))
		resubmit(w, fam, b);
}

void ip_deliver_protocols(struct worker *w, int fam, struct batch *b)
{
	struct batch run;

	if (unlikely(b->traced))
		for (uint32_t i = 0; i < b->n; i++)
			if (pkt_trace(b->p[i]) && b->p[i]->resubmits)
				trace_add(b->p[i], STAGE_ip_local_deliver_finish, SAY_PROTO)->u[0] =
					b->p[i]->ip_proto;
	batch_init(&run);
	run.traced = b->traced;
	for (uint32_t i = 0; i < b->n; i++) {
		if (run.n && run.p[0]->ip_proto != b->p[i]->ip_proto) {
			deliver_run(w, fam, &run);
			run.n = 0;
		}
		batch_add(&run, b->p[i]);
	}
	b->n = 0;
	if (run.n)
		deliver_run(w, fam, &run);
}

/* --- from this host to itself ----------------------------------------------------------------- */

/* The packet left ip_output for an address of ours: no Ethernet, no martian check. */
static void loop_one(struct worker *w, struct pkt *p)
{
	const struct fib *f = atomic_load_explicit(&w->vx->inet->fib, memory_order_acquire);
	bool is4 = be16_get(p->protocol) == ETHTYPE_IP4;
	struct ip_addr to = is4 ? ip_from4(((const struct ip4_hdr *)p->data)->dst)
				: ip_from6(((const struct ip6_hdr *)p->data)->dst);
	const struct fib_local *l = f ? fib_find_local(f, &to, 0) : NULL;

	if (is4)
		MIB_INC(w, IpInReceives);
	else
		MIB_INC(w, Ip6InReceives);
	if (!l) {
		pkt_drop_at(w, p, DROP_ip_not_local, STAGE_route_input);
		return;
	}
	p->dst = (struct dst *)&l->dst;
	p->dev = p->orig_dev = l->dst.dev;
	p->net_off = pkt_off(p);
	ip_local_deliver(w, p);
}

void ip_loop_rcv(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		loop_one(w, b->p[i]);
}
