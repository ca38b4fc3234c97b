/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/ping.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/output.h"
#include "net/raw.h"
#include "net/udp_inet.h"
#include "vxd/vxd.h"
#include "wire/csum.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { PINGS_MAX = 64, UDP_TEXT_MAX = 1400, TIMEOUT_MS = 1000 };

/*
 * FREE, and ASKED for: control's.  SENT: the id is in the state, too, and whoever makes it TAKEN may
 * write the rest: a worker that got the reply or could not send, or control, whose patience ended.
 * REPLY and FAILED: control's again.
 */
enum ping_state { PING_FREE, PING_ASKED, PING_SENT, PING_TAKEN, PING_REPLY, PING_FAILED };

struct ping {
	_Atomic uint32_t state;
	struct unixctl_conn *conn; /* NULL: its client went */
	struct ip_addr to, from;
	uint16_t id;
	uint32_t size;
	uint8_t ttl, reply_ttl;
	uint32_t reply_size;
	uint64_t sent, replied; /* ns */
	int error;
};

struct datagram {
	struct datagram *next;
	struct udp_from from;
	char text[UDP_TEXT_MAX + 1];
};

struct pinger {
	struct vxd *d;
	struct ping ping[PINGS_MAX];
	uint16_t next_id;
	struct raw_listener raw[2];
	struct list sending; /* struct udp_call.node */
	/* udp/listen: one at a time. */
	struct udp_sock *udp;
	struct unixctl_conn *reader; /* in udp/next */
	pthread_mutex_t lock;
	struct datagram *first, **last;
	uint32_t n;
};

static void wake(struct pinger *p)
{
	uint64_t one = 1;

	if (write(p->d->events.fd, &one, sizeof(one)) < 0)
		return; /* its counter is full: control is awake anyway */
}

/* --- echo, the worker's side -------------------------------------------------------------------- */

static uint32_t sent_as(uint16_t id)
{
	return (uint32_t)id << 8 | PING_SENT;
}

static bool take(struct ping *g, uint32_t state)
{
	return atomic_compare_exchange_strong(&g->state, &state, PING_TAKEN);
}

/* Ours?  Then the reply is noted. */
static void take_reply(struct pinger *p, struct worker *w, const struct ip_addr *from, uint8_t ttl,
		       const struct icmp_hdr *h, uint32_t size)
{
	struct ping *g = &p->ping[be16_get(h->echo.seq) % PINGS_MAX];

	if (!take(g, sent_as(be16_get(h->echo.id))))
		return;
	g->from = *from;
	g->reply_ttl = ttl;
	g->reply_size = size;
	g->replied = w->now;
	atomic_store_explicit(&g->state, PING_REPLY, memory_order_release);
	wake(p);
}

static void raw_rcv(struct worker *w, const struct raw_listener *l, struct pkt *pkt)
{
	struct pinger *p = l->ctx;
	uint32_t skip = 0;
	const struct icmp_hdr *h;

	if (l->fam == INET_V4) {
		const struct ip4_hdr *ip = PKT_PEEK(pkt, struct ip4_hdr);

		skip = ip ? ip4_hdr_len(ip) : UINT32_MAX;
	}
	if (skip != UINT32_MAX && pkt_pull(pkt, skip)) {
		h = PKT_PEEK(pkt, struct icmp_hdr);
		if (h && h->type == (l->fam == INET_V4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY))
			take_reply(p, w, &pkt->tun.src, pkt->tun.ttl, h, pkt_total(pkt));
	}
	pkt_consume(w, pkt);
}

struct ping_call {
	struct worker_call call;
	struct pinger *p;
	struct ping *g;
	uint16_t id;
};

static int send_echo(struct pinger *p, struct worker *w, struct ping *g)
{
	bool is4 = ip_is4(&g->to);
	struct pkt *pkt = pkt_make(w, sizeof(struct icmp_hdr) + g->size);
	struct ip_out o = {.dst = g->to, .ttl = g->ttl,
			   .proto = is4 ? IPPROTO_ICMP4_ : IPPROTO_ICMP6_};
	struct udp_flow f = {.dst = g->to};
	struct icmp_hdr *h;
	struct dst dst;
	uint32_t len = (uint32_t)sizeof(*h) + g->size;
	int r;

	if (!pkt)
		return -ENOMEM;
	r = route_output(w, &f, &dst);
	if (r < 0) {
		pkt_drop_at(w, pkt, DROP_ip_no_route, STAGE_ip_local_out);
		return r;
	}
	o.src = dst.src;
	h = pkt_append(pkt, len);
	memset(h, 0, len);
	h->type = is4 ? ICMP4_ECHO : ICMP6_ECHO;
	h->echo.id = be16_put(g->id);
	h->echo.seq = be16_put((uint16_t)(g - p->ping));
	h->csum = csum_fold(csum_add(is4 ? 0 : csum_pseudo(&o.src, &o.dst, o.proto, len), h, len));
	g->sent = w->now;
	atomic_store(&g->state, sent_as(g->id));
	if (is4)
		MIB_INC(w, IcmpOutEchos);
	else
		MIB_INC(w, Icmp6OutEchos);
	return ip_send(w, pkt, &o, &dst);
}

static void ping_on_worker(struct worker *w, struct worker_call *call)
{
	struct ping_call *c = (struct ping_call *)call;
	int r = send_echo(c->p, w, c->g);

	if (r < 0 && (take(c->g, PING_ASKED) || take(c->g, sent_as(c->id)))) {
		c->g->error = -r;
		atomic_store(&c->g->state, PING_FAILED);
		wake(c->p);
	}
	free(c);
}

/* --- echo, control's side ------------------------------------------------------------------------- */

static void ping_gone(struct unixctl_conn *c, void *aux)
{
	((struct ping *)aux)->conn = NULL;
}

void cmd_ping(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct pinger *p = ((struct vxd *)aux)->pinger;
	struct ping_call *call;
	unsigned long long size, ttl;
	struct ping *g = NULL;
	struct ip_addr to;

	if (ip_parse(argv[1], &to) < 0 || text_to_u64(argv[2], 65000, &size) < 0 ||
	    text_to_u64(argv[3], 255, &ttl) < 0) {
		unixctl_fail(c, "ping takes an IP address, a size up to 65000 and a TTL");
		return;
	}
	for (int i = 0; i < PINGS_MAX && !g; i++)
		if (atomic_load(&p->ping[i].state) == PING_FREE)
			g = &p->ping[i];
	call = calloc(1, sizeof(*call));
	if (!g || !call) {
		free(call);
		unixctl_fail(c, "too many pings at once");
		return;
	}
	g->conn = c;
	g->to = to;
	g->size = (uint32_t)size;
	g->ttl = (uint8_t)ttl;
	g->id = p->next_id++;
	g->error = 0;
	atomic_store(&g->state, PING_ASKED);
	c->gone = ping_gone;
	c->aux = g;
	*call = (struct ping_call){
		.call = {.fn = ping_on_worker}, .p = p, .g = g, .id = g->id};
	workers_call(&p->d->workers, 0, &call->call);
}

static void answer_ping(struct ping *g, uint32_t state)
{
	char text[200], ip[IP_TEXT_MAX];

	if (state == PING_REPLY)
		snprintf(text, sizeof(text), "%u bytes from %s: ttl=%u time=%.3f ms", g->reply_size,
			 ip_text(&g->from, ip), g->reply_ttl,
			 (double)(g->replied - g->sent) / 1e6);
	else if (state == PING_FAILED)
		snprintf(text, sizeof(text), "failed: %s", strerror(g->error));
	else
		snprintf(text, sizeof(text), "timeout");
	if (g->conn)
		unixctl_reply(g->conn, text);
	g->conn = NULL;
	atomic_store(&g->state, PING_FREE);
}

/* --- UDP ---------------------------------------------------------------------------------------------- */

/* One to be sent: the worker's until it is done, then control's to release. */
struct udp_call {
	struct worker_call call;
	struct list node; /* of pinger.sending */
	_Atomic bool done;
	struct pinger *p;
	struct udp_sock *sk;
	struct ip_addr to;
	uint16_t port;
	uint32_t len;
	char text[UDP_TEXT_MAX];
};

static void udp_on_worker(struct worker *w, struct worker_call *call)
{
	struct udp_call *c = (struct udp_call *)call;
	struct pinger *p = c->p;

	inet_udp_send(w, c->sk, &c->to, c->port, c->text, c->len);
	atomic_store_explicit(&c->done, true, memory_order_release);
	wake(p);
}

static void udp_call_free(struct udp_call *c)
{
	list_remove(&c->node);
	udp_sock_release(c->sk);
	free(c);
}

/* "lite" or "" and the coverage: of a sender what it covers, of a receiver the least it takes. */
static bool parse_lite(const char *lite, const char *coverage, bool *is_lite,
		       unsigned long long *cov)
{
	*is_lite = !strcmp(lite, "lite");
	return text_to_u64(coverage, 65535, cov) == 0;
}

static int open_udp(struct pinger *p, int family, uint16_t port, bool lite, struct udp_sock **sk,
		    struct vx_err *err)
{
	struct udp_sock_cfg cfg = {.vx = p->d->vx, .family = family, .port = port, .lite = lite};

	return udp_sock_create(&cfg, false, sk, err);
}

void cmd_udp_send(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct pinger *p = ((struct vxd *)aux)->pinger;
	struct udp_call *call = calloc(1, sizeof(*call));
	unsigned long long port, cov;
	struct vx_err err = {0};
	bool lite;

	if (!call || ip_parse(argv[1], &call->to) < 0 || text_to_u64(argv[2], 65535, &port) < 0 ||
	    !parse_lite(argv[3], argv[4], &lite, &cov) || strlen(argv[5]) > UDP_TEXT_MAX) {
		unixctl_fail(c, "udp send takes an IP address, a port, and a text of at most 1400 bytes");
		free(call);
		return;
	}
	if (open_udp(p, ip_is4(&call->to) ? AF_INET : AF_INET6, 0, lite, &call->sk, &err) < 0) {
		unixctl_fail(c, *err.text ? err.text : "no socket");
		free(call);
		return;
	}
	if (lite)
		inet_udp_set_coverage(call->sk, (uint32_t)cov);
	call->call.fn = udp_on_worker;
	call->p = p;
	call->port = (uint16_t)port;
	call->len = (uint32_t)strlen(argv[5]);
	memcpy(call->text, argv[5], call->len);
	list_append(&p->sending, &call->node);
	workers_call(&p->d->workers, 0, &call->call);
	unixctl_reply(c, "");
}

static void udp_ready(struct worker *w, struct udp_sock *sk, void *ctx)
{
	struct pinger *p = ctx;

	for (;;) {
		struct datagram *g = calloc(1, sizeof(*g));
		int n = g ? inet_udp_recv(w, sk, g->text, UDP_TEXT_MAX, &g->from) : -ENOMEM;

		if (n < 0) {
			free(g);
			return;
		}
		pthread_mutex_lock(&p->lock);
		if (p->n < 1024) {
			*p->last = g;
			p->last = &g->next;
			p->n++;
		} else {
			free(g);
		}
		pthread_mutex_unlock(&p->lock);
		wake(p);
	}
}

static void udp_end(struct pinger *p)
{
	if (p->udp)
		udp_sock_release(p->udp);
	p->udp = NULL;
	if (p->reader) {
		p->reader->gone = NULL;
		unixctl_fail(p->reader, "ended");
	}
	p->reader = NULL;
}

void cmd_udp_listen(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct pinger *p = ((struct vxd *)aux)->pinger;
	int family = !strcmp(argv[4], "6") ? AF_INET6 : AF_INET;
	unsigned long long port, cov;
	struct vx_err err = {0};
	bool lite;

	if (text_to_u64(argv[1], 65535, &port) < 0 || !parse_lite(argv[2], argv[3], &lite, &cov)) {
		unixctl_fail(c, "udp listen takes a port");
		return;
	}
	udp_end(p);
	int r = open_udp(p, family, (uint16_t)port, lite, &p->udp, &err);

	if (r < 0) {
		p->udp = NULL;
		unixctl_fail(c, *err.text ? err.text : strerror(-r));
		return;
	}
	if (lite)
		inet_udp_set_coverage(p->udp, cov ? (uint32_t)cov : LITE_ANY);
	inet_udp_set_reader(p->udp, udp_ready, p);
	unixctl_reply(c, "");
}

static void reader_gone(struct unixctl_conn *c, void *aux)
{
	struct pinger *p = aux;

	p->reader = NULL;
	udp_end(p);
}

static void answer_reader(struct pinger *p)
{
	struct datagram *g;
	char ip[IP_TEXT_MAX];
	struct text t = {0};

	pthread_mutex_lock(&p->lock);
	g = p->first;
	if (g && p->reader) {
		p->first = g->next;
		if (!p->first)
			p->last = &p->first;
		p->n--;
	}
	pthread_mutex_unlock(&p->lock);
	if (!g || !p->reader)
		return;
	text_printf(&t, ip_is4(&g->from.src) ? "%s:%u: %s" : "[%s]:%u: %s",
		    ip_text(&g->from.src, ip), g->from.sport, g->text);
	unixctl_reply(p->reader, text_get(&t));
	p->reader = NULL;
	text_done(&t);
	free(g);
}

void cmd_udp_next(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct pinger *p = ((struct vxd *)aux)->pinger;

	if (!p->udp || p->reader) {
		unixctl_fail(c, "nobody listens");
		return;
	}
	p->reader = c;
	c->gone = reader_gone;
	c->aux = p;
	answer_reader(p);
}

void cmd_udp_stop(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	udp_end(((struct vxd *)aux)->pinger);
	unixctl_reply(c, "");
}

/* --- life ----------------------------------------------------------------------------------------------- */

void pinger_run(struct pinger *p)
{
	for (int i = 0; i < PINGS_MAX; i++) {
		uint32_t s = atomic_load_explicit(&p->ping[i].state, memory_order_acquire);

		if (s == PING_REPLY || s == PING_FAILED)
			answer_ping(&p->ping[i], s);
	}
	list_for_each_safe (c, &p->sending, struct udp_call, node)
		if (atomic_load_explicit(&c->done, memory_order_acquire))
			udp_call_free(c);
	answer_reader(p);
}

uint64_t pinger_timer(struct pinger *p, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (int i = 0; i < PINGS_MAX; i++) {
		struct ping *g = &p->ping[i];
		uint32_t s = atomic_load(&g->state);
		uint64_t end;

		if (s == PING_ASKED) /* its worker will send it soon, and tells nobody */
			next = MIN(next, now + TIMEOUT_MS * NS_PER_MS);
		if ((s & 0xff) != PING_SENT)
			continue;
		end = g->sent + TIMEOUT_MS * NS_PER_MS;
		if (now < end)
			next = MIN(next, end);
		else if (take(g, s))
			answer_ping(g, PING_SENT);
	}
	return next;
}

struct pinger *pinger_new(struct vxd *d)
{
	struct pinger *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->d = d;
	p->next_id = (uint16_t)random_next(&d->vx->random);
	p->last = &p->first;
	list_init(&p->sending);
	pthread_mutex_init(&p->lock, NULL);
	p->raw[0] = (struct raw_listener){INET_V4, IPPROTO_ICMP4_, raw_rcv, p};
	p->raw[1] = (struct raw_listener){INET_V6, IPPROTO_ICMP6_, raw_rcv, p};
	raw_register(d->vx, &p->raw[0]);
	raw_register(d->vx, &p->raw[1]);
	return p;
}

void pinger_free(struct pinger *p)
{
	if (!p)
		return;
	udp_end(p);
	list_for_each_safe (c, &p->sending, struct udp_call, node)
		udp_call_free(c);
	raw_unregister(p->d->vx, &p->raw[0]);
	raw_unregister(p->d->vx, &p->raw[1]);
	while (p->first) {
		struct datagram *g = p->first;

		p->first = g->next;
		free(g);
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}
