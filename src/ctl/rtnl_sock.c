/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections of vxd.nl.  net.unix.max_dgram_qlen is small, so vxd keeps what the socket does not
 * take, in order, up to a bound; what is lost beyond it is told as an overrun (N4).
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/nlproto.h"
#include "ctl/rtnl.h"

struct rtnl_out {
	struct rtnl_out *next;
	size_t len; /* 0: a request is done here */
	uint8_t buf[];
};

enum { READ_MAX = 65536, ANSWER_MAX = 32768 };

struct rtnl_conn *rtnl_conn_new(struct rtnl *r, int fd)
{
	struct rtnl_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->buf = malloc(ANSWER_MAX);
	if (!c->buf) {
		free(c);
		return NULL;
	}
	c->r = r;
	c->fd = fd;
	c->done_fd = -1;
	c->last = &c->first;
	list_append(&r->conns, &c->node);
	return c;
}

void rtnl_conn_free(struct rtnl_conn *c)
{
	if (!c)
		return;
	list_remove(&c->node);
	while (c->first) {
		struct rtnl_out *o = c->first;

		c->first = o->next;
		free(o);
	}
	close(c->fd);
	if (c->done_fd >= 0)
		close(c->done_fd);
	free(c->buf);
	free(c);
}

static void count_done(struct rtnl_conn *c)
{
	uint64_t one = 1;

	if (c->done_fd >= 0 && write(c->done_fd, &one, sizeof(one)) < 0)
		c->closing |= errno != EAGAIN;
}

static void enqueue(struct rtnl_conn *c, const void *buf, size_t len)
{
	struct rtnl_out *o = malloc(sizeof(*o) + len);

	if (!o) {
		c->overrun = true;
		return;
	}
	o->next = NULL;
	o->len = len;
	if (len)
		memcpy(o->buf, buf, len);
	*c->last = o;
	c->last = &o->next;
	c->queued += len;
}

/* 1 sent, 0 not now, -1 the peer is gone. */
static int try_send(struct rtnl_conn *c, const void *buf, size_t len)
{
	if (send(c->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 1;
	if (errno == EAGAIN || errno == ENOBUFS)
		return 0;
	c->closing = true;
	return -1;
}

static void tell_overrun(struct rtnl_conn *c)
{
	struct nlmsghdr nlh = {.nlmsg_len = sizeof(nlh), .nlmsg_type = NLMSG_OVERRUN};

	if (try_send(c, &nlh, sizeof(nlh)) == 1)
		c->overrun = false;
}

bool rtnl_conn_flush(struct rtnl_conn *c)
{
	while (c->first && !c->closing) {
		struct rtnl_out *o = c->first;

		if (!o->len)
			count_done(c);
		else if (try_send(c, o->buf, o->len) <= 0)
			break;
		c->queued -= o->len;
		c->first = o->next;
		if (!c->first)
			c->last = &c->first;
		free(o);
	}
	if (!c->first && c->overrun && !c->closing)
		tell_overrun(c);
	return (c->first || c->overrun) && !c->closing;
}

void rtnl_conn_send(struct rtnl_conn *c, const void *buf, size_t len, bool notification)
{
	if (c->closing)
		return;
	if (rtnl_conn_flush(c)) {
		if (c->queued + len > (notification ? RTNL_NOTIFY_QUEUE : RTNL_REPLY_QUEUE))
			c->overrun = true;
		else
			enqueue(c, buf, len);
		return;
	}
	if (try_send(c, buf, len) == 0)
		enqueue(c, buf, len);
}

void rtnl_conn_mark_done(struct rtnl_conn *c)
{
	if (rtnl_conn_flush(c))
		enqueue(c, NULL, 0);
	else
		count_done(c);
}

static int passed_fd(struct msghdr *mh)
{
	int fd = -1;

	for (struct cmsghdr *m = CMSG_FIRSTHDR(mh); m; m = CMSG_NXTHDR(mh, m)) {
		size_t n = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int f;

			memcpy(&f, CMSG_DATA(m) + i * sizeof(f), sizeof(f));
			if (fd < 0)
				fd = f;
			else
				close(f);
		}
	}
	return fd;
}

bool rtnl_conn_read(struct rtnl_conn *c)
{
	_Alignas(struct nlmsghdr) uint8_t buf[READ_MAX];
	_Alignas(struct cmsghdr) uint8_t ctl[128];
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = sizeof(ctl)};
	ssize_t n = recvmsg(c->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0 || c->closing)
		return false;
	rtnl_datagram(c, buf, (size_t)n, passed_fd(&mh));
	return !c->closing;
}
