/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to vxd; channel.h holds the contract. */
#include "channel.h"

#include "ctl/nlproto.h"
#include "fdtable.h"
#include "led.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { COUNTER_MIN = 512 }; /* eventfds lie above what programs count on */
enum { RECHECK_MS = 20 };   /* another process may have read the eventfd we wait for */

static struct sockaddr_un vxd_addr = {.sun_family = AF_UNIX};
static bool vxd_known; /* $VX_NL was there and fits */

void channel_start(void)
{
	const char *path = getenv("VX_NL");

	if (path && *path && strlen(path) < sizeof(vxd_addr.sun_path)) {
		strcpy(vxd_addr.sun_path, path);
		vxd_known = true;
	}
}

/* ---- opening ---- */

struct option_msg {
	struct nlmsghdr head;
	struct nlproto_option body;
};

static struct option_msg option_msg(uint32_t port, uint32_t option, uint32_t value)
{
	return (struct option_msg){
		.head = {.nlmsg_len = sizeof(struct option_msg),
			 .nlmsg_type = NLPROTO_OPTION,
			 .nlmsg_pid = port},
		.body = {.option = option, .value = value},
	};
}

static int hand_over(int fd, int done_fd)
{
	struct option_msg om = option_msg(0, NLPROTO_DONE_FD, 0);
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {&om, sizeof(om)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &done_fd, sizeof(int));
	do {
		n = real.sendmsg(fd, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

/* An eventfd out of the program's way, if the limit on descriptors lets it. */
static int counter_new(void)
{
	int low = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int high;

	if (low < 0)
		return -1;
	high = real.fcntl(low, F_DUPFD_CLOEXEC, COUNTER_MIN);
	if (high < 0)
		return low;
	real.close(low);
	return high;
}

static void close_keeping_errno(int fd)
{
	int saved = errno;

	real.close(fd);
	errno = saved;
}

int channel_connect(int cloexec)
{
	int fd;

	if (!vxd_known) { /* never fall back to the host's own netlink */
		errno = ENOENT;
		return -1;
	}
	fd = real.socket(AF_UNIX, SOCK_SEQPACKET | cloexec, 0);
	if (fd < 0)
		return -1;
	while (real.connect(fd, (struct sockaddr *)&vxd_addr, sizeof(vxd_addr))) {
		if (errno != EINTR) {
			close_keeping_errno(fd);
			return -1;
		}
	}
	return fd;
}

int channel_open(struct led *l, int cloexec)
{
	int fd, done_fd;

	fd = channel_connect(cloexec);
	if (fd < 0)
		return -1;
	done_fd = counter_new();
	if (done_fd < 0)
		goto out_close_fd;
	if (hand_over(fd, done_fd) || led_set_socket(l, fd))
		goto out_close_done_fd;
	if (!led_set_counter(l, done_fd))
		return fd;
out_close_done_fd:
	close_keeping_errno(done_fd);
out_close_fd:
	close_keeping_errno(fd);
	return -1;
}

void channel_peer(void *to, socklen_t *len)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	memcpy(to, &kernel, *len < sizeof(kernel) ? *len : sizeof(kernel));
	*len = sizeof(kernel);
}

/* ---- sending ---- */

/* What a Unix socket says when the other end is closed. */
static bool is_gone(int err)
{
	return err == EPIPE || err == ECONNRESET || err == ECONNREFUSED || err == ENOTCONN;
}

ssize_t channel_send(struct led *l, int fd, const void *data, size_t len)
{
	ssize_t n;

	/* Before, not after: 'done' must never run ahead of it. */
	atomic_fetch_add(&l->shared->sent, 1);
	for (;;) {
		n = real.send(fd, data, len, MSG_NOSIGNAL);
		if (n >= 0)
			return n;
		if (errno == EAGAIN)
			poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, RECHECK_MS);
		else if (errno != EINTR)
			break;
	}
	atomic_fetch_sub(&l->shared->sent, 1);
	if (is_gone(errno))
		errno = ECONNRESET;
	return n;
}

int channel_send_option(struct led *l, int fd, uint32_t option, uint32_t value)
{
	struct option_msg om = option_msg(l->port, option, value);

	return channel_send(l, fd, &om, sizeof(om)) < 0 ? -1 : 0;
}

/* ---- receiving ---- */

/* What comes next on the socket. */
enum next {
	NEXT_ERROR, /* with errno; EAGAIN: nothing is there */
	NEXT_DATA,
	NEXT_LOSS, /* vxd says that messages were lost here */
	NEXT_END,
};

/* Looks without taking it.  Locked, so that what we look at is what we take. */
static enum next look(int fd)
{
	struct nlmsghdr head;
	ssize_t n = syscall(SYS_recvfrom, fd, &head, sizeof(head),
			    MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT, NULL, NULL);

	if (n == sizeof(head) && head.nlmsg_type == NLMSG_OVERRUN)
		return NEXT_LOSS;
	if (n > 0)
		return NEXT_DATA;
	return n == 0 || is_gone(errno) ? NEXT_END : NEXT_ERROR;
}

static ssize_t take(int fd, struct msghdr *msg, int flags)
{
	return syscall(SYS_recvmsg, fd, msg, flags | MSG_TRUNC | MSG_DONTWAIT);
}

/* vxd is gone: told as lost messages once, then as an error. */
static ssize_t gone(struct led *l)
{
	errno = atomic_exchange(&l->shared->gone, true) ? ECONNRESET : ENOBUFS;
	return -1;
}

static ssize_t lost(int fd)
{
	char c;

	syscall(SYS_recvfrom, fd, &c, sizeof(c), MSG_DONTWAIT, NULL, NULL);
	errno = ENOBUFS;
	return -1;
}

/* Receives what is there, without waiting; EAGAIN if nothing is. */
static ssize_t recv_now(struct led *l, int fd, struct msghdr *msg, int flags)
{
	ssize_t n = -1;

	fdtable_lock();
	switch (look(fd)) {
	case NEXT_DATA:
		n = take(fd, msg, flags);
		break;
	case NEXT_LOSS:
		n = lost(fd);
		break;
	case NEXT_END:
		n = gone(l);
		break;
	case NEXT_ERROR:
		break;
	}
	fdtable_unlock();
	return n;
}

ssize_t channel_recv_more(int fd, struct msghdr *msg, int flags)
{
	ssize_t n = -1;

	fdtable_lock();
	if (look(fd) == NEXT_DATA)
		n = take(fd, msg, flags);
	fdtable_unlock();
	return n;
}

/* Whether vxd has datagrams of ours that it is not done with; no, if nothing counts them. */
static bool outstanding(struct led *l)
{
	uint64_t sent = atomic_load(&l->shared->sent);
	uint64_t more;
	ssize_t n;

	fdtable_lock(); /* or the number could be the program's by now; it does not block */
	n = syscall(SYS_read, l->done_fd, &more, sizeof(more));
	fdtable_unlock();
	if (n == sizeof(more))
		atomic_fetch_add(&l->shared->done, more);
	else if (n >= 0 || errno != EAGAIN)
		return false;
	return atomic_load(&l->shared->done) < sent;
}

/* Waits until there may be data, or vxd may be done. */
static void wait_done(struct led *l, int fd)
{
	struct pollfd pfd[] = {{.fd = fd, .events = POLLIN}, {.fd = l->done_fd, .events = POLLIN}};

	poll(pfd, 2, RECHECK_MS);
}

ssize_t channel_recv(struct led *l, int fd, struct msghdr *msg, int flags)
{
	bool settled = false;

	for (;;) {
		ssize_t n = recv_now(l, fd, msg, flags);

		if (n >= 0 || errno != EAGAIN || settled)
			return n;
		/* The kernel knows O_NONBLOCK, SO_RCVTIMEO and which signals restart a call. */
		if (!(flags & MSG_DONTWAIT)) {
			if (real.recv(fd, NULL, 0, MSG_PEEK) >= 0)
				continue;
			if (is_gone(errno))
				return gone(l);
			if (errno != EAGAIN)
				return -1;
		}
		if (outstanding(l))
			wait_done(l, fd);
		else
			settled = true; /* all replies are written: one more look is the last */
	}
}
