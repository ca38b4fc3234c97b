/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending by the host's UDP sockets: super-frames are cut by reference, neighbours of one size and
 * one destination go as one UDP_SEGMENT train, and a flush is one sendmmsg per source port.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io/udp.h"
#include "net/dev.h"
#include "net/gso.h"

enum {
	TRAIN_SEGS = 64,     /* UDP_MAX_SEGMENTS of kernels before 6.9 */
	TRAIN_BYTES = 65000, /* of one datagram, below 65,535 less IP and UDP */
	TRAINS = 64, /* of one call */
	IOV_MAX_ = 1024,
	CONTROL_LEN = 160,
};

/* --- send sockets ------------------------------------------------------------------------------ */

/* A socket bound to f->sport, or, where that is in use, to a port after it in the range. */
static int open_sender(struct host_udp *u, const struct udp_flow *f)
{
	const struct io_open *open = u->host->open;
	struct udp_ask ask = {.family = (uint16_t)u->sk.cfg.family, .sends = 1, .df = f->df,
			      .csum = f->csum, .port = f->sport, .port_min = f->sport_min,
			      .port_max = f->sport_max};

	return open->udp(open->ctx, &ask);
}

static int sender_for(struct host_udp *u, const struct udp_flow *f)
{
	_Atomic int *slot = &u->pool[f->df][f->csum].fd[f->sport % SEND_SLOTS];
	int fd = atomic_load_explicit(slot, memory_order_acquire);

	if (likely(fd > 0))
		return fd;
	pthread_mutex_lock(&u->lock);
	fd = atomic_load(slot);
	if (fd <= 0) {
		fd = open_sender(u, f);
		/* No port is free: any other socket of the pool will do. */
		for (int i = 0; fd < 0 && i < SEND_SLOTS; i++)
			if (atomic_load(&u->pool[f->df][f->csum].fd[i]) > 0)
				fd = dup(atomic_load(&u->pool[f->df][f->csum].fd[i]));
		if (fd > 0)
			atomic_store_explicit(slot, fd, memory_order_release);
	}
	pthread_mutex_unlock(&u->lock);
	return fd;
}

void host_udp_close_pools(struct host_udp *u)
{
	for (int i = 0; i < 4 * SEND_SLOTS; i++) {
		int fd = atomic_load(&u->pool[i / SEND_SLOTS / 2][i / SEND_SLOTS % 2]
					      .fd[i % SEND_SLOTS]);

		if (fd > 0)
			close(fd);
	}
}

/* --- what became of it --------------------------------------------------------------------------- */

static enum drop reason_of(int err)
{
	switch (err) {
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EINVAL: /* the source address is none of this host */
	case EADDRNOTAVAIL:
		return DROP_tunnel_no_route;
	case EMSGSIZE:
		return DROP_tunnel_too_big;
	case ENOBUFS:
	case EAGAIN:
		return DROP_tx_queue_full;
	}
	return DROP_tx_failed;
}

static void count(struct worker *w, const struct tx_slot *s, int family, int err)
{
	struct dev_stats *st = dev_stats(s->dev, w);

	if (s->told)
		return;
	if (err && reason_of(err) == DROP_tunnel_no_route) {
		st->tx_errors++;
		st->tx_carrier_errors++;
		return;
	}
	udp_tunnel_sent(w, s->dev, s->l3_len, family, err);
}

static void finish(struct worker *w, struct host_udp *u, struct tx_slot *s, int err)
{
	count(w, s, u->sk.cfg.family, err);
	if (err) {
		if (err == EMSGSIZE) /* the path's MTU became smaller: ask for the route again */
			atomic_fetch_add(&u->host->route_gen, 1);
		pkt_drop_at(w, s->p, reason_of(err), STAGE_udp_send);
		return;
	}
	if (unlikely(pkt_trace(s->p)))
		trace_add(s->p, STAGE_udp_send, SAY_SENT)->len = pkt_total(s->p);
	w->acct.tx++;
	pkt_free(s->p);
}

/* --- one message ------------------------------------------------------------------------------------ */

struct train {
	struct mmsghdr *mm;
	struct iovec *iov;
	uint32_t n_iov;
	struct sockaddr_in6 sa;
	_Alignas(struct cmsghdr) uint8_t ctl[CONTROL_LEN];
	uint32_t first, n; /* slots in the order of sending */
	uint32_t size;	   /* of all its datagrams but the last */
	uint32_t bytes;
	bool closed;
};

static uint32_t pieces(const struct pkt *p)
{
	uint32_t n = 1;

	for (const struct pkt *f = p->frags; f; f = f->next)
		n++;
	return n;
}

static void *put_cmsg(struct msghdr *mh, int level, int type, const void *v, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)mh->msg_control + mh->msg_controllen);

	assert(mh->msg_controllen + CMSG_SPACE(len) <= CONTROL_LEN);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), v, len);
	mh->msg_controllen += CMSG_SPACE(len);
	return c;
}

static void put_source(struct msghdr *mh, const struct udp_flow *f)
{
	struct in_pktinfo p4 = {.ipi_ifindex = (int)f->ifindex};
	struct in6_pktinfo p6 = {.ipi6_ifindex = f->ifindex};

	if (ip_is_any(&f->src) && !f->ifindex)
		return;
	if (ip_is4(&f->dst)) {
		if (!ip_is_any(&f->src))
			memcpy(&p4.ipi_spec_dst, &f->src.b[12], 4);
		put_cmsg(mh, IPPROTO_IP, IP_PKTINFO, &p4, sizeof(p4));
	} else {
		if (!ip_is_any(&f->src))
			memcpy(&p6.ipi6_addr, f->src.b, 16);
		put_cmsg(mh, IPPROTO_IPV6, IPV6_PKTINFO, &p6, sizeof(p6));
	}
}

static void put_address(struct train *t, const struct udp_flow *f)
{
	if (ip_is4(&f->dst)) {
		struct sockaddr_in *sa = (struct sockaddr_in *)&t->sa;

		*sa = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(f->dport)};
		memcpy(&sa->sin_addr, &f->dst.b[12], 4);
		t->mm->msg_hdr.msg_namelen = sizeof(*sa);
		return;
	}
	t->sa = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(f->dport),
				      .sin6_flowinfo = htonl(f->label)};
	memcpy(&t->sa.sin6_addr, f->dst.b, 16);
	if (ip_is_linklocal(&f->dst))
		t->sa.sin6_scope_id = f->ifindex;
	t->mm->msg_hdr.msg_namelen = sizeof(t->sa);
}

static void put_control(struct train *t, const struct udp_flow *f)
{
	struct msghdr *mh = &t->mm->msg_hdr;
	int tos = f->tos, ttl = f->ttl;

	mh->msg_control = t->ctl;
	mh->msg_controllen = 0;
	put_source(mh, f);
	if (ip_is4(&f->dst)) {
		if (tos)
			put_cmsg(mh, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
		if (ttl)
			put_cmsg(mh, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	} else {
		if (tos)
			put_cmsg(mh, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
		if (ttl)
			put_cmsg(mh, IPPROTO_IPV6, IPV6_HOPLIMIT, &ttl, sizeof(ttl));
	}
	if (t->n > 1) {
		uint16_t size = (uint16_t)t->size;

		put_cmsg(mh, SOL_UDP, UDP_SEGMENT, &size, sizeof(size));
	}
	if (!mh->msg_controllen)
		mh->msg_control = NULL;
}

static bool same_way(const struct udp_flow *a, const struct udp_flow *b)
{
	return ip_eq(&a->dst, &b->dst) && ip_eq(&a->src, &b->src) && a->ifindex == b->ifindex &&
	       a->dport == b->dport && a->tos == b->tos && a->ttl == b->ttl &&
	       a->label == b->label;
}

static void train_begin(struct train *t, struct mmsghdr *mm, struct iovec *iov, uint32_t first)
{
	*t = (struct train){.mm = mm, .iov = iov, .first = first};
}

static void train_add(struct train *t, const struct tx_slot *s)
{
	uint32_t len = pkt_total(s->p);

	t->iov[t->n_iov++] = (struct iovec){s->p->data, s->p->len};
	for (const struct pkt *f = s->p->frags; f; f = f->next)
		t->iov[t->n_iov++] = (struct iovec){f->data, f->len};
	if (!t->n)
		t->size = len;
	t->closed |= len < t->size || !s->csum; /* UDP_SEGMENT needs a checksum (W5) */
	t->bytes += len;
	t->n++;
}

static bool train_takes(const struct train *t, const struct tx_slot *head, const struct tx_slot *s)
{
	uint32_t len = pkt_total(s->p);

	return !t->closed && t->n < TRAIN_SEGS && len <= t->size &&
	       t->bytes + len <= TRAIN_BYTES && same_way(&head->f, &s->f);
}

static void train_end(struct train *t, const struct tx_slot *head)
{
	t->mm->msg_hdr = (struct msghdr){.msg_iov = t->iov, .msg_iovlen = t->n_iov};
	put_address(t, &head->f);
	t->mm->msg_hdr.msg_name = &t->sa;
	put_control(t, &head->f);
}

/* --- flush --------------------------------------------------------------------------------------------- */

/* A train that the host's interface cannot cut (no checksum there, EIO), or whose datagrams are longer
 * than the path takes, which one alone may be (EMSGSIZE), goes packet by packet. */
static void send_alone(struct worker *w, struct host_udp *u, int fd, const struct train *t,
		       struct tx_slot **order)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct tx_slot *s = order[t->first + i];
		struct iovec iov[IOV_MAX_];
		struct train one;
		struct mmsghdr mm;
		int err;

		train_begin(&one, &mm, iov, t->first + i);
		train_add(&one, s);
		train_end(&one, s);
		do {
			err = sendmsg(fd, &mm.msg_hdr, MSG_DONTWAIT) < 0 ? errno : 0;
		} while (err == EINTR);
		finish(w, u, s, err);
	}
}

/* Sends the trains; tells each packet what became of its train. */
static void send_trains(struct worker *w, struct host_udp *u, int fd, struct mmsghdr *mm,
			struct train *t, uint32_t n, struct tx_slot **order)
{
	uint32_t done = 0;

	while (done < n) {
		int r = sendmmsg(fd, mm + done, n - done, MSG_DONTWAIT);
		int err = r <= 0 ? errno : 0;
		uint32_t upto = done + (r > 0 ? (uint32_t)r : 1);

		if (err == EINTR)
			continue;
		if ((err == EIO || err == EINVAL || err == EMSGSIZE) && t[done].n > 1) {
			send_alone(w, u, fd, &t[done++], order);
			continue;
		}
		for (; done < upto; done++)
			for (uint32_t i = 0; i < t[done].n; i++)
				finish(w, u, order[t[done].first + i], err);
	}
}

/* In more pieces than one call takes: one piece, if there is a buffer for it. */
static bool gather(struct worker *w, struct pkt *p)
{
	return likely(!p->frags) || pieces(p) <= IOV_MAX_ ||
	       pkt_pull_frags(w->pool, p, pkt_total(p)) == 0;
}

/* All waiting packets for one socket. */
static void flush_fd(struct worker *w, struct host_udp *u, struct tx_slot **order, uint32_t n)
{
	struct mmsghdr mm[TRAINS];
	struct train t[TRAINS];
	struct iovec iov[IOV_MAX_];
	uint32_t k = 0, used = 0, begun = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct tx_slot *s = order[i];
		uint32_t need = pieces(s->p);

		if (used + need > IOV_MAX_ || k == TRAINS) { /* enough for one call */
			if (k)
				train_end(&t[k - 1], order[t[k - 1].first]);
			send_trains(w, u, order[begun]->fd, mm, t, k, order);
			k = used = 0;
			begun = i;
		}
		if (!k || !train_takes(&t[k - 1], order[t[k - 1].first], s)) {
			if (k)
				train_end(&t[k - 1], order[t[k - 1].first]);
			train_begin(&t[k], &mm[k], iov + used, i);
			k++;
		}
		train_add(&t[k - 1], s);
		used += need;
	}
	if (!k)
		return;
	train_end(&t[k - 1], order[t[k - 1].first]);
	send_trains(w, u, order[begun]->fd, mm, t, k, order);
}

void host_udp_flush(struct worker *w, struct udp_sock *sk)
{
	struct host_udp *u = host_udp(sk);
	struct host_tx *tx = &u->tx[w->id];
	struct tx_slot *order[TX_SLOTS];
	uint32_t left = tx->n;

	for (uint32_t from = 0; left; from++) {
		uint32_t n = 0;
		int fd = tx->slot[from].fd;

		if (!fd)
			continue; /* went with an earlier one */
		for (uint32_t i = from; i < tx->n; i++)
			if (tx->slot[i].fd == fd)
				order[n++] = &tx->slot[i];
		flush_fd(w, u, order, n);
		for (uint32_t i = from; i < tx->n; i++)
			if (tx->slot[i].fd == fd)
				tx->slot[i].fd = 0;
		left -= n;
	}
	tx->n = 0;
}

void host_udp_turn(struct flush *f, struct worker *w)
{
	host_udp_flush(w, &container_of(f, struct host_tx, flush)->u->sk);
}

static void queue(struct worker *w, struct host_udp *u, struct pkt *p, const struct udp_flow *f,
		  struct dev *dev, uint32_t l3_len, bool told)
{
	struct host_tx *tx = &u->tx[w->id];
	struct tx_slot s = {.p = p, .dev = dev, .f = *f, .l3_len = l3_len, .csum = f->csum,
			    .told = told};

	s.fd = gather(w, p) ? sender_for(u, f) : -ENOMEM;
	if (s.fd < 0) {
		finish(w, u, &s, -s.fd);
		return;
	}
	if (tx->n == TX_SLOTS)
		host_udp_flush(w, &u->sk);
	tx->slot[tx->n++] = s;
	flush_queue(w, &tx->flush);
}

void host_udp_xmit(struct worker *w, struct udp_sock *sk, struct pkt *p, const struct udp_flow *f,
		   const struct dst *d)
{
	struct host_udp *u = host_udp(sk);
	uint32_t l3_len = udp_tunnel_get_len(p);
	struct dev *dev = p->dev;
	struct pkt_queue q = {0};
	bool told = false;
	int r;

	if (!p->gso_size) {
		r = csum_finish(w, p);
		if (r == 0) {
			queue(w, u, p, f, dev, l3_len, false);
			return;
		}
	} else {
		r = gso_segment(w, p, true, &q);
	}
	if (r < 0) {
		udp_tunnel_sent(w, dev, l3_len, sk->cfg.family, -r);
		pkt_drop_at(w, p, DROP_gso_failed, STAGE_udp_send);
		return;
	}
	for (struct pkt *s = q.first, *next; s; s = next) {
		next = s->next;
		s->next = NULL;
		queue(w, u, s, f, dev, l3_len, told);
		told = true;
	}
}
