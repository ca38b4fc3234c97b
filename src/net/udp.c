/* SPDX-License-Identifier: Apache-2.0 */
/* UDP sockets of vx's own stack: open, close, find, queue, read and write. */
#include "net/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/output.h"
#include "net/route.h"
#include "net/udp_inet.h"
#include "wire/csum.h"
#include "wire/ip4.h"
#include "wire/udp.h"

static _Atomic(struct inet_udp *) *bucket_of(struct inet *in, uint16_t port)
{
	return &in->udp[port % ARRAY_LEN(in->udp)];
}

/* --- control -------------------------------------------------------------------------------------
 */

static bool is_taken(struct inet *in, const struct udp_sock_cfg *c, uint16_t port)
{
	const struct inet_udp *s = atomic_load(bucket_of(in, port));

	for (; s; s = atomic_load(&((struct inet_udp *)s)->next))
		if (s->sk.cfg.port == port && s->sk.cfg.family == c->family &&
		    s->sk.cfg.lite == c->lite && !(s->sk.cfg.reuse && c->reuse) &&
		    (ip_is_any(&s->sk.cfg.addr) || ip_is_any(&c->addr) ||
		     ip_eq(&s->sk.cfg.addr, &c->addr)))
			return true;
	return false;
}

static uint16_t choose_port(struct vx *vx, const struct udp_sock_cfg *c)
{
	uint32_t n = UDP_EPHEMERAL_HIGH - UDP_EPHEMERAL_LOW + 1;
	uint32_t at = (uint32_t)(random_next(&vx->random) % n);

	for (uint32_t i = 0; i < n; i++, at = (at + 1) % n)
		if (!is_taken(vx->inet, c, (uint16_t)(UDP_EPHEMERAL_LOW + at)))
			return (uint16_t)(UDP_EPHEMERAL_LOW + at);
	return 0;
}

int inet_udp_open(const struct udp_sock_cfg *cfg, struct udp_sock **out, struct vx_err *err)
{
	struct inet *in = cfg->vx->inet;
	uint32_t n = cfg->vx->n_workers;
	_Atomic(struct inet_udp *) *at;
	struct inet_udp *s;
	uint16_t port = cfg->port ? cfg->port : choose_port(cfg->vx, cfg);

	if (!port || is_taken(in, cfg, port))
		return vx_fail(err, -EADDRINUSE, "UDP port %u is in use", port);
	s = calloc(1, sizeof(*s) + n * sizeof(s->q[0]));
	if (!s)
		return -ENOMEM;
	s->sk = (struct udp_sock){.ops = &inet_udp_ops, .cfg = *cfg};
	s->sk.cfg.port = port;
	if (!s->sk.cfg.rcvbuf)
		s->sk.cfg.rcvbuf = UDP_RCVBUF;
	s->is6 = cfg->family == AF_INET6;
	s->lite_min = LITE_ANY;
	list_init(&s->sk.node);
	at = bucket_of(in, port);
	atomic_store(&s->next, atomic_load(at));
	atomic_store_explicit(at, s, memory_order_release);
	*out = &s->sk;
	return 0;
}

int inet_udp_connect(struct udp_sock *sk, const struct ip_addr *peer, uint16_t port)
{
	struct inet_udp *s = inet_udp_of(sk);

	if (ip_is4(peer) == s->is6)
		return -EAFNOSUPPORT;
	s->peer = *peer;
	s->peer_port = port;
	return 0;
}

void inet_udp_set_coverage(struct udp_sock *sk, uint32_t least)
{
	inet_udp_of(sk)->lite_min = least;
}

void inet_udp_set_reader(struct udp_sock *sk,
			 void (*ready)(struct worker *w, struct udp_sock *sk, void *ctx), void *ctx)
{
	inet_udp_of(sk)->ready_ctx = ctx;
	/* Last: a worker that sees it sees its context. */
	atomic_store_explicit(&inet_udp_of(sk)->ready, ready, memory_order_release);
}

static bool is_empty(const struct inet_udp *s)
{
	for (uint32_t i = 0; i < s->sk.cfg.vx->n_workers; i++)
		if (s->q[i].n)
			return false;
	return true;
}

/* No worker finds the socket any more; but what a worker holds, it alone may drop. */
static void sock_free(void *arg)
{
	struct inet_udp *s = arg;
	struct inet *in = s->sk.cfg.vx->inet;

	list_remove(&s->sk.node);
	if (is_empty(s)) {
		free(s);
		return;
	}
	pthread_mutex_lock(&in->dying_lock);
	list_append(&in->dying, &s->sk.node);
	atomic_fetch_add(&in->n_dying, 1);
	pthread_mutex_unlock(&in->dying_lock);
}

void udp_turn(struct worker *w)
{
	struct inet *in = w->vx->inet;

	if (likely(!atomic_load_explicit(&in->n_dying, memory_order_relaxed)))
		return;
	pthread_mutex_lock(&in->dying_lock);
	list_for_each (sk, &in->dying, struct udp_sock, node)
		pkt_queue_drop(w, &inet_udp_of(sk)->q[w->id], DROP_udp_no_socket);
	pthread_mutex_unlock(&in->dying_lock);
}

uint32_t udp_reap(struct inet *in)
{
	uint32_t left;

	if (likely(!atomic_load_explicit(&in->n_dying, memory_order_relaxed)))
		return 0;
	pthread_mutex_lock(&in->dying_lock);
	list_for_each_safe (sk, &in->dying, struct udp_sock, node)
		if (is_empty(inet_udp_of(sk))) {
			list_remove(&sk->node);
			free(inet_udp_of(sk));
			atomic_fetch_sub(&in->n_dying, 1);
		}
	left = atomic_load(&in->n_dying);
	pthread_mutex_unlock(&in->dying_lock);
	return left;
}

void udp_close(struct udp_sock *sk)
{
	struct inet_udp *s = inet_udp_of(sk), *q;
	struct inet *in = sk->cfg.vx->inet;
	_Atomic(struct inet_udp *) *at = bucket_of(in, sk->cfg.port);

	while ((q = atomic_load(at)) != s)
		at = &q->next;
	atomic_store_explicit(at, atomic_load(&s->next), memory_order_release);
	list_append(&in->closing, &sk->node);
	quiesce_defer(&in->vx->quiesce, sock_free, s);
}

void udp_free_all(struct inet *in)
{
	for (size_t i = 0; i < ARRAY_LEN(in->udp); i++)
		for (struct inet_udp *s = atomic_load(&in->udp[i]), *next; s; s = next) {
			next = atomic_load(&s->next);
			free(s);
		}
	list_for_each_safe (sk, &in->dying, struct udp_sock, node)
		free(inet_udp_of(sk));
}

/* --- looking up (U6) -----------------------------------------------------------------------------
 */

static bool matches(const struct inet_udp *s, bool is6, bool lite, const struct ip_addr *src,
		    uint16_t sport, const struct ip_addr *dst, uint16_t dport)
{
	const struct udp_sock_cfg *c = &s->sk.cfg;

	if (c->port != dport || s->is6 != is6 || c->lite != lite)
		return false;
	if (!ip_is_any(&c->addr) && !ip_eq(&c->addr, dst))
		return false;
	return ip_is_none(&s->peer) || (ip_eq(&s->peer, src) && s->peer_port == sport);
}

static int score(const struct inet_udp *s)
{
	return (ip_is_none(&s->peer) ? 0 : 2) + (ip_is_any(&s->sk.cfg.addr) ? 0 : 1);
}

static ALWAYS_INLINE struct inet_udp *next_match(struct inet_udp *s, bool is6, bool lite,
						 const struct ip_addr *src, uint16_t sport,
						 const struct ip_addr *dst, uint16_t dport)
{
	while (s && !matches(s, is6, lite, src, sport, dst, dport))
		s = atomic_load_explicit(&s->next, memory_order_acquire);
	return s;
}

struct inet_udp *udp_next(struct inet_udp *s, bool is6, bool lite, const struct ip_addr *src,
			  uint16_t sport, const struct ip_addr *dst, uint16_t dport)
{
	return next_match(s, is6, lite, src, sport, dst, dport);
}

struct inet_udp *udp_find(struct inet *in, bool is6, bool lite, const struct ip_addr *src,
			  uint16_t sport, const struct ip_addr *dst, uint16_t dport)
{
	struct inet_udp *s = atomic_load_explicit(bucket_of(in, dport), memory_order_acquire), *best;

	s = best = next_match(s, is6, lite, src, sport, dst, dport);
	/* Only what shares its port can have company. */
	while (unlikely(s && s->sk.cfg.reuse)) {
		if (score(s) > score(best))
			best = s;
		s = udp_next(atomic_load_explicit(&s->next, memory_order_acquire), is6, lite, src,
			     sport, dst, dport);
	}
	return best;
}

struct udp_sock *udp_tunnel_on(struct inet *in, bool is6, uint16_t port)
{
	struct inet_udp *s = atomic_load_explicit(bucket_of(in, port), memory_order_acquire);

	for (; s; s = atomic_load_explicit(&s->next, memory_order_acquire))
		if (s->sk.cfg.port == port && s->is6 == is6 &&
		    __atomic_load_n(&s->sk.tunnel.rcv, __ATOMIC_ACQUIRE) && s->sk.tunnel.gro_receive)
			return &s->sk;
	return NULL;
}

/* --- queues of ordinary sockets (U7, U8) ---------------------------------------------------------
 */

static void queue_one(struct worker *w, struct inet_udp *s, struct pkt *p)
{
	uint32_t len = pkt_total(p);
	bool lite = s->sk.cfg.lite;

	if (__atomic_load_n(&s->sk.tunnel.rcv, __ATOMIC_RELAXED)) { /* a tunnel's socket has no reader */
		pkt_drop_at(w, p, DROP_udp_no_socket, STAGE_udp_queue_rcv);
		return;
	}
	if (atomic_load_explicit(&s->queued, memory_order_relaxed) + len > s->sk.cfg.rcvbuf) {
		udp_count(w, s->is6, lite, UDP_RcvbufErrors, 1);
		udp_count(w, s->is6, lite, UDP_InErrors, 1);
		pkt_drop_at(w, p, DROP_udp_queue_full, STAGE_udp_queue_rcv);
		return;
	}
	if (unlikely(pkt_trace(p)))
		trace_add(p, STAGE_udp_queue_rcv, SAY_QUEUED)->port = s->sk.cfg.port;
	p->dev = p->orig_dev = NULL; /* may go while p waits */
	p->dst = NULL;
	atomic_fetch_add_explicit(&s->queued, len, memory_order_relaxed);
	pkt_queue_add(&s->q[w->id], p);
}

uint32_t udp_queue_ordinary(struct worker *w, struct udp_sock *sk, struct batch *b)
{
	uint32_t kept = 0, n = b->n;
	struct inet_udp *s = sk->is_host ? NULL : inet_udp_of(sk);

	for (uint32_t i = 0; i < n; i++) {
		struct pkt *p = b->p[i];

		if (!s)
			pkt_drop_at(w, p, p->again ? DROP_ip_resubmit : DROP_udp_no_socket,
				    STAGE_udp_queue_rcv);
		else if (p->again)
			b->p[kept++] = p;
		else
			queue_one(w, s, p);
	}
	b->n = kept;
	if (s && s->q[w->id].n && atomic_load_explicit(&s->ready, memory_order_acquire))
		s->ready(w, sk, s->ready_ctx);
	return n - kept;
}

int inet_udp_recv(struct worker *w, struct udp_sock *sk, void *buf, uint32_t size,
		  struct udp_from *from)
{
	struct inet_udp *s = inet_udp_of(sk);
	struct batch b;
	struct pkt *p;
	uint32_t len;

	batch_init(&b);
	if (!pkt_queue_take(&s->q[w->id], &b, 1))
		return -EAGAIN;
	p = b.p[0];
	len = pkt_total(p);
	atomic_fetch_sub_explicit(&s->queued, len, memory_order_relaxed);
	if (from)
		*from = (struct udp_from){.src = p->tun.src,
					  .dst = p->tun.dst,
					  .sport = p->tun.sport,
					  .tos = p->tun.tos,
					  .ttl = p->tun.ttl,
					  .ifindex = p->tun.ifindex,
					  .len = len};
	size = MIN(size, len);
	pkt_copy_out(p, 0, buf, size);
	udp_count(w, s->is6, sk->cfg.lite, UDP_InDatagrams, 1);
	pkt_consume(w, p);
	return (int)size;
}

READS_COUNTERS static uint64_t look(struct worker *w, struct inet_udp *s, bool drop)
{
	uint64_t n = s->q[w->id].n;

	if (drop)
		pkt_queue_drop(w, &s->q[w->id], DROP_shutdown);
	return n;
}

static uint64_t each_queue(struct worker *w, bool drop)
{
	struct inet *in = w->vx->inet;
	uint64_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(in->udp); i++)
		for (struct inet_udp *s = atomic_load(&in->udp[i]); s; s = atomic_load(&s->next))
			n += look(w, s, drop);
	list_for_each (sk, &in->closing, struct udp_sock, node)
		n += look(w, inet_udp_of(sk), drop);
	list_for_each (sk, &in->dying, struct udp_sock, node)
		n += look(w, inet_udp_of(sk), drop);
	return n;
}

uint64_t udp_held(struct worker *w)
{
	return each_queue(w, false);
}

void udp_drop_held(struct worker *w)
{
	each_queue(w, true);
}

/* --- writing -------------------------------------------------------------------------------------
 */

int inet_udp_send(struct worker *w, struct udp_sock *sk, const struct ip_addr *to, uint16_t port,
		  const void *buf, uint32_t len)
{
	bool lite = sk->cfg.lite, is6 = inet_udp_of(sk)->is6;
	struct udp_flow f = {.dst = *to, .src = sk->cfg.addr};
	struct ip_out o = {.dst = *to, .proto = lite ? IPPROTO_UDPLITE_ : IPPROTO_UDP_};
	struct udp_hdr *u;
	struct dst d;
	struct pkt *p;
	int err;

	if (ip_is4(to) == is6)
		return -EAFNOSUPPORT;
	if (len > 65507)
		return -EMSGSIZE;
	if (ip_is_any(&f.src))
		f.src = (struct ip_addr){0};
	err = route_output(w, &f, &d);
	if (err < 0)
		return err;
	if (ip_is_none(&d.src))
		return -EADDRNOTAVAIL;
	p = pkt_make(w, sizeof(*u) + len);
	if (!p)
		return -ENOBUFS;
	o.src = d.src;
	o.ttl = ip_is_multicast(to) ? 1 : 0;
	u = pkt_append(p, sizeof(*u) + len);
	memcpy(u + 1, buf, len);
	*u = (struct udp_hdr){.src = be16_put(sk->cfg.port),
			      .dst = be16_put(port),
			      .len = be16_put((uint16_t)p->len)};
	u->csum = csum_fold_udp(csum_add(csum_pseudo(&o.src, &o.dst, o.proto, p->len), u, p->len));
	udp_count(w, is6, lite, UDP_OutDatagrams, 1);
	return ip_send(w, p, &o, &d);
}
