/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving on the host's UDP socket (architecture section 5, stack.md 12).  Batches of up to 64
 * with UDP_GRO on; a train of datagrams is cut, a super-frame is not; packets enter the stages at
 * udp_queue_rcv.
 */
#include "io/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/dev.h"
#include "net/gro.h"
#include "net/unfinished.h"
#include "net/watch.h"

/* What the control messages of one datagram say. */
struct rx_info {
	struct ip_addr dst;
	uint32_t ifindex;
	uint8_t tos, ttl;
	uint16_t gro_size; /* 0: none */
};

enum {
	CLOSE_TRIES = 1000, /* a tenth of a second */
	CONTROL_LEN = 256,
	POLL_BYTES = 256 << 10, /* of one call: should still be in the cache when they are sent on */
};

static void read_cmsg(const struct cmsghdr *c, struct rx_info *in)
{
	const void *data = CMSG_DATA(c);
	int v;

	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		const struct in_pktinfo *pi = data;
		be32 a;

		memcpy(&a, &pi->ipi_addr, sizeof(a));
		in->dst = ip_from4(a);
		in->ifindex = (uint32_t)pi->ipi_ifindex;
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		const struct in6_pktinfo *pi = data;

		in->dst = ip_from6(&pi->ipi6_addr);
		in->ifindex = pi->ipi6_ifindex;
	} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
		in->tos = *(const uint8_t *)data;
	} else {
		memcpy(&v, data, sizeof(v));
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT))
			in->ttl = (uint8_t)v;
		else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS)
			in->tos = (uint8_t)v;
		else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			in->gro_size = (uint16_t)v;
	}
}

static void fill_tun(struct pkt *p, const struct msghdr *mh, const struct rx_info *in,
		     uint16_t port)
{
	const struct sockaddr_in6 *sa6 = mh->msg_name;
	const struct sockaddr_in *sa4 = mh->msg_name;
	be32 a;

	p->tun = (struct tun_info){.dst = in->dst, .ifindex = in->ifindex, .tos = in->tos,
				   .ttl = in->ttl, .dport = port};
	if (sa6->sin6_family == AF_INET6) {
		p->tun.src = ip_from6(&sa6->sin6_addr);
		p->tun.sport = ntohs(sa6->sin6_port);
	} else {
		memcpy(&a, &sa4->sin_addr, sizeof(a));
		p->tun.src = ip_from4(a);
		p->tun.sport = ntohs(sa4->sin_port);
	}
	p->has_tun = true;
	p->csum_state = CSUM_UNSURE;
	p->outer_csum_ok = true;
}

static void pass_on(struct host_udp *u, struct worker *w, struct batch *b)
{
	if (!b->n)
		return;
	if (watch_is_on(w)) {
		watch_batch(w, b, true);
		for (uint32_t i = 0; i < b->n; i++)
			if (pkt_trace(b->p[i]))
				trace_add(b->p[i], STAGE_udp_rcv, SAY_HOST_STACK)->ip =
					b->p[i]->tun.dst;
	}
	udp_queue_rcv(w, &u->sk, b);
	batch_init(b);
	gro_cells_run(w);
}

/* Cuts a train into datagrams that refer to its bytes. */
static void cut_train(struct host_udp *u, struct worker *w, struct pkt *p, uint32_t size,
		      struct batch *b)
{
	for (uint32_t off = 0; off < p->len; off += size) {
		struct pkt *s = pkt_slice(w->pool, p, off, MIN(size, p->len - off));

		w->acct.rx++; /* each datagram of the train was taken from the socket */
		if (!s) {
			w->acct.dropped[DROP_no_memory]++;
			continue;
		}
		if (batch_is_full(b))
			pass_on(u, w, b);
		batch_add(b, s);
	}
	pkt_free(p);
}

static void take(struct host_udp *u, struct worker *w, struct pkt *p, const struct msghdr *mh,
		 uint32_t len, struct batch *b)
{
	struct rx_info in = {0};
	uint32_t claims;

	p->len = len;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR((struct msghdr *)mh, c))
		read_cmsg(c, &in);
	fill_tun(p, mh, &in, u->sk.cfg.port);
	claims = in.gro_size && in.gro_size < len ? inner_claims(p->data, len) : len;
	if (claims != len) {
		cut_train(u, w, p, in.gro_size, b);
		return;
	}
	/* One frame: then the size is the inner segments' (W4). */
	p->gso_size = in.gro_size && in.gro_size < len ? in.gro_size : 0;
	w->acct.rx++;
	if (batch_is_full(b))
		pass_on(u, w, b);
	batch_add(b, p);
}

static uint32_t post_buffers(struct host_udp *u, struct worker *w, struct mmsghdr *mm,
			     struct iovec *iov, struct sockaddr_in6 *sa, uint8_t (*ctl)[CONTROL_LEN],
			     uint32_t budget)
{
	uint32_t n;

	for (n = 0; n < budget; n++) {
		if (!u->rx[n])
			u->rx[n] = pkt_new(w->pool, PBUF_BIG);
		if (!u->rx[n])
			break;
		iov[n] = (struct iovec){u->rx[n]->data, 65536};
		mm[n].msg_hdr = (struct msghdr){.msg_name = &sa[n],
						.msg_namelen = sizeof(sa[n]),
						.msg_iov = &iov[n],
						.msg_iovlen = 1,
						.msg_control = ctl[n],
						.msg_controllen = CONTROL_LEN};
	}
	return n;
}

/* A call of 64 trains would be 4 MB and a long time for everybody else: fewer, then, next time. */
static void adapt(struct host_udp *u, bool full, uint32_t bytes)
{
	if (bytes > POLL_BYTES)
		u->rx_n = MAX(u->rx_n / 2, 1u);
	else if (full && bytes < POLL_BYTES / 2)
		u->rx_n = MIN(u->rx_n * 2, (uint32_t)BATCH_MAX);
}

static uint32_t host_udp_poll(struct napi *napi, struct worker *w, uint32_t budget)
{
	struct host_udp *u = napi->ctx;
	struct mmsghdr mm[BATCH_MAX];
	struct iovec iov[BATCH_MAX];
	struct sockaddr_in6 sa[BATCH_MAX];
	_Alignas(struct cmsghdr) uint8_t ctl[BATCH_MAX][CONTROL_LEN];
	struct batch b;
	uint32_t bytes = 0, n = post_buffers(u, w, mm, iov, sa, ctl, MIN(budget, u->rx_n));
	int got = n ? recvmmsg(u->fd, mm, n, MSG_DONTWAIT, NULL) : 0;

	if (got <= 0)
		return 0; /* nothing, or an error that the socket has told now */
	batch_init(&b);
	for (int i = 0; i < got; i++) {
		struct pkt *p = u->rx[i];

		u->rx[i] = NULL;
		bytes += mm[i].msg_len;
		take(u, w, p, &mm[i].msg_hdr, mm[i].msg_len, &b);
	}
	pass_on(u, w, &b);
	/* Those not filled move to the front. */
	memmove(u->rx, u->rx + got, (n - (uint32_t)got) * sizeof(u->rx[0]));
	memset(u->rx + n - got, 0, (uint32_t)got * sizeof(u->rx[0]));
	adapt(u, (uint32_t)got == n, bytes);
	return (uint32_t)got == n ? budget : (uint32_t)got;
}

static int host_udp_route(struct worker *w, struct udp_sock *sk, const struct udp_flow *f,
			  struct dst *out)
{
	return host_route(host_udp(sk)->host, w, f, out);
}

static uint64_t host_udp_generation(struct udp_sock *sk)
{
	return host_route_gen(host_udp(sk)->host);
}

static void host_udp_free(void *arg)
{
	struct host_udp *u = arg;

	list_remove(&u->node);
	if (u->fd >= 0)
		close(u->fd);
	host_udp_close_pools(u);
	for (int i = 0; i < BATCH_MAX; i++)
		pkt_free(u->rx[i]);
	pthread_mutex_destroy(&u->lock);
	free(u->tx);
	free(u);
}

static void host_udp_close(struct udp_sock *sk)
{
	struct host_udp *u = host_udp(sk);

	u->host->wake->del(u->host->wake->ctx, u->fd, &u->napi);
	list_append(&u->host->closing, &u->node);
	u->closed = quiesce_mark(&sk->cfg.vx->quiesce);
	quiesce_defer(&sk->cfg.vx->quiesce, host_udp_free, u);
}

static const struct udp_sock_ops host_udp_ops = {
	.route = host_udp_route,
	.generation = host_udp_generation,
	.xmit = host_udp_xmit,
	.flush = host_udp_flush,
	.close = host_udp_close,
};

/* Who was closed a moment ago gives up his port when no worker has him any more, which is soon.  True:
 * one did. */
static bool take_over_port(struct io_host *h, const struct udp_sock_cfg *cfg)
{
	const struct timespec moment = {.tv_nsec = 100 * NS_PER_US};

	list_for_each (u, &h->closing, struct host_udp, node) {
		if (u->fd < 0 || u->sk.cfg.port != cfg->port || u->sk.cfg.family != cfg->family)
			continue;
		for (int i = 0; i < CLOSE_TRIES; i++) {
			if (quiesce_has_passed(&cfg->vx->quiesce, u->closed)) {
				close(u->fd);
				u->fd = -1;
				return true;
			}
			nanosleep(&moment, NULL);
		}
	}
	return false;
}

static int open_bound(struct io_host *h, const struct udp_sock_cfg *cfg, struct vx_err *err)
{
	struct udp_ask ask = {.family = (uint16_t)cfg->family, .port = cfg->port,
			      .zero_csum6_rx = cfg->zero_csum6_rx};
	int r = h->open->udp(h->open->ctx, &ask);

	if (r == -EADDRINUSE && take_over_port(h, cfg))
		r = h->open->udp(h->open->ctx, &ask);

	if (r >= 0 || r == -EADDRINUSE) /* the kernel's own answer: "Address already in use" */
		return r;
	return vx_fail(err, r, "cannot open UDP port %u (%s)%s", cfg->port, strerror(-r),
		       r == -EACCES ? ": ports below 1024 need a privilege" : "");
}

int host_udp_open(void *ctx, const struct udp_sock_cfg *cfg, struct udp_sock **out,
		  struct vx_err *err)
{
	struct io_host *h = ctx;
	struct vx *vx = cfg->vx;
	struct host_udp *u = calloc(1, sizeof(*u));
	int r = -ENOMEM;

	if (!u)
		return r;
	u->tx = calloc(vx->n_workers, sizeof(*u->tx));
	if (!u->tx)
		goto out_free;
	u->sk = (struct udp_sock){.ops = &host_udp_ops, .cfg = *cfg, .is_host = true};
	u->host = h;
	u->rx_n = 8;
	for (uint32_t i = 0; i < vx->n_workers; i++) {
		u->tx[i].flush.fn = host_udp_turn;
		u->tx[i].u = u;
	}
	pthread_mutex_init(&u->lock, NULL);
	r = u->fd = open_bound(h, cfg, err);
	if (r < 0)
		goto out_free;
	napi_init(&u->napi, vx->workers[cfg->port % vx->n_workers], host_udp_poll, u);
	u->napi.name = "udp";
	r = h->wake->add(h->wake->ctx, u->fd, &u->napi);
	if (r < 0)
		goto out_close;
	*out = &u->sk;
	return 0;
out_close:
	close(u->fd);
out_free:
	free(u->tx);
	free(u);
	return r;
}
