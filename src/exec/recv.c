/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that receive. */
#include "start.h"

#include "channel.h"
#include "fdtable.h"
#include "iov.h"

#include <stdlib.h>
#include <unistd.h>

typedef ssize_t recv_fn(struct led *l, int fd, struct msghdr *msg, int flags);

static ssize_t recv_more(struct led *l, int fd, struct msghdr *msg, int flags)
{
	return channel_recv_more(fd, msg, flags);
}

/* 'fn' takes the datagram; the address and the length are netlink's. */
static ssize_t recv_by(recv_fn *fn, struct led *l, int fd, struct msghdr *msg, int flags)
{
	struct msghdr own = *msg;
	size_t room = iov_bytes(msg->msg_iov, msg->msg_iovlen);
	ssize_t n;

	own.msg_name = NULL;
	own.msg_namelen = 0;
	n = fn(l, fd, &own, flags);
	if (n < 0)
		return n;
	msg->msg_controllen = own.msg_controllen;
	msg->msg_flags = own.msg_flags;
	if (msg->msg_name)
		channel_peer(msg->msg_name, &msg->msg_namelen);
	return flags & MSG_TRUNC || (size_t)n <= room ? n : (ssize_t)room;
}

static ssize_t recv_led(struct led *l, int fd, struct msghdr *msg, int flags)
{
	if (flags & MSG_ERRQUEUE)
		return real.recvmsg(fd, msg, flags);
	return recv_by(channel_recv, l, fd, msg, flags);
}

static ssize_t recv_buf(struct led *l, int fd, void *buf, size_t len, int flags)
{
	struct iovec iov = {buf, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	return recv_led(l, fd, &msg, flags);
}

EXPORT ssize_t recv(int fd, void *buf, size_t len, int flags)
{
	struct led *l = start_led(fd);
	ssize_t n;

	if (!l)
		return real.recv(fd, buf, len, flags);
	n = recv_buf(l, fd, buf, len, flags);
	fdtable_put(l);
	return n;
}

EXPORT ssize_t recvfrom(int fd, void *restrict buf, size_t len, int flags, __SOCKADDR_ARG from,
			socklen_t *restrict from_len)
{
	struct led *l = start_led(fd);
	ssize_t n;

	if (!l)
		return real.recvfrom(fd, buf, len, flags, from.__sockaddr__, from_len);
	n = recv_buf(l, fd, buf, len, flags);
	if (n >= 0 && from.__sockaddr__ && from_len)
		channel_peer(from.__sockaddr__, from_len);
	fdtable_put(l);
	return n;
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct led *l = start_led(fd);
	ssize_t n;

	if (!l)
		return real.recvmsg(fd, msg, flags);
	n = recv_led(l, fd, msg, flags);
	fdtable_put(l);
	return n;
}

/*
 * Waits for the first as recvmsg() does and takes what else is there: 'timeout' is not needed.  A
 * loss behind the first is left for the next call, which has nothing else to return.
 */
EXPORT int recvmmsg(int fd, struct mmsghdr *msgs, unsigned int count, int flags,
		    struct timespec *timeout)
{
	struct led *l = start_led(fd);
	unsigned int i;

	if (!l)
		return real.recvmmsg(fd, msgs, count, flags, timeout);
	flags &= ~MSG_WAITFORONE;
	for (i = 0; i < count; i++) {
		struct msghdr *msg = &msgs[i].msg_hdr;
		ssize_t n = i ? recv_by(recv_more, l, fd, msg, flags) : recv_led(l, fd, msg, flags);

		if (n < 0)
			break;
		msgs[i].msg_len = n;
	}
	fdtable_put(l);
	return i || !count ? (int)i : -1;
}

/* Without room, read() and readv() do not get as far as to the socket: its datagram stays. */
EXPORT ssize_t read(int fd, void *buf, size_t len)
{
	struct led *l = start_led(fd);
	ssize_t n;

	if (!l)
		return real.read(fd, buf, len);
	n = len ? recv_buf(l, fd, buf, len, 0) : 0;
	fdtable_put(l);
	return n;
}

EXPORT ssize_t readv(int fd, const struct iovec *iov, int count)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = count};
	struct led *l = start_led(fd);
	ssize_t n;

	if (!l)
		return real.readv(fd, iov, count);
	if (count >= 0 && count <= IOV_MAX && iov_bytes(iov, count))
		n = recv_led(l, fd, &msg, 0);
	else
		n = real.readv(fd, iov, count);
	fdtable_put(l);
	return n;
}

/* What a program built with _FORTIFY_SOURCE calls; libc's own would go around the calls above. */
EXPORT ssize_t __read_chk(int fd, void *buf, size_t len, size_t size);
EXPORT ssize_t __recv_chk(int fd, void *buf, size_t len, size_t size, int flags);
EXPORT ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t len, size_t size, int flags,
			      __SOCKADDR_ARG from, socklen_t *restrict from_len);

ssize_t __read_chk(int fd, void *buf, size_t len, size_t size)
{
	if (len > size)
		abort();
	return read(fd, buf, len);
}

ssize_t __recv_chk(int fd, void *buf, size_t len, size_t size, int flags)
{
	if (len > size)
		abort();
	return recv(fd, buf, len, flags);
}

ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t len, size_t size, int flags,
		       __SOCKADDR_ARG from, socklen_t *restrict from_len)
{
	if (len > size)
		abort();
	return recvfrom(fd, buf, len, flags, from, from_len);
}
