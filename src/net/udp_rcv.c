/* SPDX-License-Identifier: Apache-2.0 */
/* Stage udp_rcv, for UDP and UDP-Lite.  The numbers are the rows of stack.md 7 and 8. */
#include "net/icmp.h"
#include "net/l4.h"
#include "net/udp_inet.h"
#include "wire/ip4.h"
#include "wire/udp.h"

/* What becomes known of a datagram before its socket is. */
struct datagram {
	struct inet_udp *s;
	uint32_t covered; /* bytes under the checksum */
	bool has_csum;
};

static void bad(struct worker *w, struct pkt *p, bool is6, bool lite, enum drop why, bool csum)
{
	udp_count(w, is6, lite, UDP_InErrors, 1);
	if (csum)
		udp_count(w, is6, lite, UDP_InCsumErrors, 1);
	pkt_drop_at(w, p, why, STAGE_udp_rcv);
}

/* UDP-Lite: length field is the coverage (X1 to X4). */
static bool open_lite(struct worker *w, struct pkt *p, bool is6, const struct udp_hdr *u,
		      struct datagram *g)
{
	uint32_t total = pkt_total(p);

	g->covered = be16_get(u->len);
	if (!g->covered)
		g->covered = total;
	if (g->covered < sizeof(*u)) {
		bad(w, p, is6, true, DROP_udplite_coverage, true);
		return false;
	}
	if (g->covered > total) {
		bad(w, p, is6, true, DROP_udp_len, false);
		return false;
	}
	if (!u->csum.raw) {
		bad(w, p, is6, true, DROP_udp_csum, true);
		return false;
	}
	return true;
}

/* The gate: U1, U2.  After it 8 bytes are linear and the packet ends where UDP does. */
static bool open_udp(struct worker *w, struct pkt *p, bool is6, bool lite, struct datagram *g)
{
	const struct udp_hdr *u;
	uint32_t len;

	if (unlikely(pkt_pull_frags(w->pool, p, sizeof(*u)) < 0)) {
		bad(w, p, is6, lite, DROP_udp_len, false);
		return false;
	}
	u = (const struct udp_hdr *)p->data;
	g->has_csum = u->csum.raw != 0;
	p->tun.sport = be16_get(u->src);
	p->tun.dport = be16_get(u->dst);
	p->tun.has_csum = g->has_csum;
	if (unlikely(lite))
		return open_lite(w, p, is6, u, g);
	len = be16_get(u->len);
	if (unlikely(len < sizeof(*u) || len > pkt_total(p))) {
		bad(w, p, is6, lite, DROP_udp_len, false);
		return false;
	}
	if (unlikely(len < pkt_total(p))) {
		pkt_trim(p, len);
		if (p->csum_state == CSUM_COMPLETE)
			p->csum_state = CSUM_NONE;
	}
	g->covered = len;
	return true;
}

/* U4, U5: true if the checksum is good, or absent where it may be. */
static bool csum_ok(struct pkt *p, bool is6, const struct datagram *g, enum drop *why)
{
	*why = DROP_udp_csum;
	if (!g->has_csum) {
		*why = DROP_udp_zero_csum;
		return !is6 || (g->s && g->s->sk.cfg.zero_csum6_rx);
	}
	if (!l4_csum_ok(p, g->covered,
			csum_pseudo(&p->tun.src, &p->tun.dst, p->ip_proto, pkt_total(p))))
		return false;
	p->outer_csum_ok = true;
	return true;
}

/* X5, X6: what the UDP-Lite receiver demands. */
static bool coverage_ok(const struct inet_udp *s, const struct pkt *p, const struct datagram *g)
{
	if (s->lite_min == LITE_ANY || g->covered == pkt_total(p))
		return true;
	return s->lite_min && g->covered >= s->lite_min;
}

/* What was said of the outer checksum says nothing of what is inside. */
static void forget_outer_csum(struct pkt *p)
{
	if (p->csum_state != CSUM_PARTIAL || p->csum_start <= pkt_off(p))
		p->csum_state = CSUM_NONE;
}

/* A run of datagrams of one socket, data at the UDP header; what is to be resubmitted stays in b.
 */
static void deliver_run(struct worker *w, struct inet_udp *s, struct batch *b)
{
	uint32_t taken;
	bool tunnel = __atomic_load_n(&s->sk.tunnel.rcv, __ATOMIC_ACQUIRE) != NULL;

	for (uint32_t i = 0; i < b->n; i++) {
		if (tunnel)
			forget_outer_csum(b->p[i]);
		pkt_pull(b->p[i], sizeof(struct udp_hdr));
	}
	taken = udp_queue_rcv(w, &s->sk, b);
	if (tunnel) /* U8: counted at once; ordinary ones when they are read */
		udp_count(w, s->is6, s->sk.cfg.lite, UDP_InDatagrams, taken);
}

/* U6: to a group that nobody here listens to. */
static void ignored(struct worker *w, struct pkt *p, bool is6, bool lite)
{
	udp_count(w, is6, lite, UDP_IgnoredMulti, 1);
	pkt_drop_at(w, p, DROP_udp_no_socket, STAGE_udp_rcv);
}

/* U3: a closed port. */
static void no_socket(struct worker *w, struct pkt *p, bool is6, bool lite)
{
	udp_count(w, is6, lite, UDP_NoPorts, 1);
	icmp_unreach(w, is6 ? INET_V6 : INET_V4, p, true);
	if (unlikely(pkt_trace(p))) {
		struct trace_step *s = trace_add(p, STAGE_udp_rcv, SAY_NO_SOCKET);

		s->port = p->tun.dport;
		s->ip = p->tun.src;
	}
	pkt_drop_at(w, p, DROP_udp_no_socket, STAGE_udp_rcv);
}

static bool is_to_group(const struct pkt *p)
{
	return p->dst && p->dst->type != DST_LOCAL;
}

/* U6: a group's datagram is for every socket that shares the port; g->s gets p itself.  None of
 * them is a tunnel's. */
static void copy_to_others(struct worker *w, struct pkt *p, bool is6, bool lite,
			   const struct datagram *g)
{
	struct inet_udp *s =
		atomic_load_explicit(&w->vx->inet->udp[p->tun.dport % ARRAY_LEN(w->vx->inet->udp)],
				     memory_order_acquire);

	while ((s = udp_next(s, is6, lite, &p->tun.src, p->tun.sport, &p->tun.dst, p->tun.dport))) {
		struct batch one = {.n = 1};

		if (s != g->s && (!lite || coverage_ok(s, p, g)) &&
		    (one.p[0] = pkt_make_clone(w, p))) {
			one.traced = pkt_trace(one.p[0]) != NULL;
			deliver_run(w, s, &one);
		}
		s = atomic_load_explicit(&s->next, memory_order_acquire);
	}
}

/* Everything up to the socket.  True: p goes to g->s. */
static bool rcv_one(struct worker *w, struct pkt *p, struct datagram *g)
{
	bool is6 = !ip_is4(&p->tun.dst), lite = p->ip_proto == IPPROTO_UDPLITE_;
	enum drop why;

	if (!open_udp(w, p, is6, lite, g))
		return false;
	g->s = udp_find(w->vx->inet, is6, lite, &p->tun.src, p->tun.sport, &p->tun.dst,
			p->tun.dport);
	if (unlikely(!g->s && is_to_group(p))) {
		ignored(w, p, is6, lite);
		return false;
	}
	if (unlikely(!csum_ok(p, is6, g, &why))) {
		bad(w, p, is6, lite, why, true);
		return false;
	}
	if (unlikely(!g->s)) {
		no_socket(w, p, is6, lite);
		return false;
	}
	if (unlikely(lite) && !coverage_ok(g->s, p, g)) {
		bad(w, p, is6, lite, DROP_udplite_coverage, false);
		return false;
	}
	if (unlikely(g->s->sk.cfg.reuse) && is_to_group(p))
		copy_to_others(w, p, is6, lite, g);
	return true;
}

COLD static void trace_udp(struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (pkt_trace(b->p[i])) {
			struct trace_step *s = trace_add(b->p[i], STAGE_udp_rcv, SAY_NOTHING);

			s->len = pkt_total(b->p[i]);
			s->u[0] = b->p[i]->ip_proto;
		}
}

static void udp_rcv(struct worker *w, struct batch *b)
{
	struct batch run, again;
	struct inet_udp *s = NULL;

	if (unlikely(b->traced))
		trace_udp(b);
	batch_init(&run);
	batch_init(&again);
	run.traced = b->traced;
	for (uint32_t i = 0; i < b->n; i++) {
		struct datagram g;

		if (!rcv_one(w, b->p[i], &g))
			continue;
		if (run.n && s != g.s) {
			deliver_run(w, s, &run);
			for (uint32_t k = 0; k < run.n; k++)
				batch_add(&again, run.p[k]);
			run.n = 0;
		}
		s = g.s;
		batch_add(&run, b->p[i]);
	}
	if (run.n) {
		deliver_run(w, s, &run);
		for (uint32_t k = 0; k < run.n; k++)
			batch_add(&again, run.p[k]);
	}
	b->n = again.n;
	memcpy(b->p, again.p, again.n * sizeof(again.p[0]));
}

/* --- errors --------------------------------------------------------------------------------------
 */

/* A quoted datagram: a tunnel is found by the port that it went to (vxlan.md 2.9), another socket
 * by the port that it came from. */
static bool err_of(struct worker *w, const struct icmp_error *e, bool lite)
{
	struct inet *in = w->vx->inet;
	bool is6 = e->fam == INET_V6;
	struct udp_hdr u;
	struct inet_udp *s;

	if (e->len < sizeof(u))
		return false;
	memcpy(&u, e->l4, sizeof(u));
	s = udp_find(in, is6, lite, &e->dst, be16_get(u.dst), &e->src, be16_get(u.src));
	if (s && !s->sk.tunnel.rcv)
		return true;
	s = udp_find(in, is6, lite, &e->dst, be16_get(u.src), &e->src, be16_get(u.dst));
	return s && s->sk.tunnel.err_lookup &&
	       s->sk.tunnel.err_lookup(w, &s->sk, e->l4, e->len) == 0;
}

static bool udp_err(struct worker *w, const struct icmp_error *e)
{
	return err_of(w, e, false);
}

static bool udplite_err(struct worker *w, const struct icmp_error *e)
{
	return err_of(w, e, true);
}

const struct inet_proto udp_proto = {.handler = udp_rcv, .err_handler = udp_err};
const struct inet_proto udplite_proto = {.handler = udp_rcv, .err_handler = udplite_err};
