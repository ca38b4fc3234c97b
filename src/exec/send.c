/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that send. */
#include "start.h"

#include "channel.h"
#include "fdtable.h"
#include "iov.h"
#include "led.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ON_STACK = 4096 };

/* Writes the port id into every message.  A lying length ends it: vxd shall see it and say so. */
static void stamp(char *data, size_t len, uint32_t port)
{
	struct nlmsghdr head;
	size_t step;

	while (len >= sizeof(head)) {
		memcpy(&head, data, sizeof(head));
		if (head.nlmsg_len < sizeof(head))
			return;
		head.nlmsg_pid = port;
		memcpy(data, &head, sizeof(head));
		step = NLMSG_ALIGN((size_t)head.nlmsg_len);
		if (step > len)
			return;
		data += step;
		len -= step;
	}
}

static void gather(char *to, const struct iovec *iov, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (iov[i].iov_len)
			memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
}

/* Only the kernel's place is taken by vxd; there is nobody else to talk to.  0 or an errno. */
static int check_receiver(const struct sockaddr_nl *to, socklen_t len)
{
	if (!to || !len)
		return 0;
	if (len < sizeof(*to) || to->nl_family != AF_NETLINK)
		return EINVAL;
	return to->nl_pid ? ECONNREFUSED : 0;
}

static ssize_t send_led(struct led *l, int fd, const struct msghdr *msg)
{
	size_t len = iov_bytes(msg->msg_iov, msg->msg_iovlen);
	int err = check_receiver(msg->msg_name, msg->msg_namelen);
	char small[ON_STACK], *data = small;
	ssize_t n = -1;

	if (!err && !len)
		err = ENODATA;
	if (!err && len > IOV_BYTES_MAX)
		err = EMSGSIZE;
	if (!err && len > sizeof(small)) {
		data = malloc(len);
		err = data ? 0 : ENOBUFS;
	}
	if (err) {
		errno = err;
		return -1;
	}
	gather(data, msg->msg_iov, msg->msg_iovlen);
	stamp(data, len, l->port);
	l->bound = true;
	n = channel_send(l, fd, data, len);
	if (data != small)
		free(data);
	return n;
}

/* send_led(), and takes 'l' back. */
static ssize_t send_put(struct led *l, int fd, const struct msghdr *msg)
{
	ssize_t n = send_led(l, fd, msg);

	fdtable_put(l);
	return n;
}

EXPORT ssize_t send(int fd, const void *buf, size_t len, int flags)
{
	struct iovec iov = {(void *)buf, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct led *l = start_led(fd);

	return l ? send_put(l, fd, &msg) : real.send(fd, buf, len, flags);
}

EXPORT ssize_t sendto(int fd, const void *buf, size_t len, int flags, __CONST_SOCKADDR_ARG to,
		      socklen_t to_len)
{
	struct iovec iov = {(void *)buf, len};
	struct msghdr msg = {.msg_name = (void *)to.__sockaddr__,
			     .msg_namelen = to_len,
			     .msg_iov = &iov,
			     .msg_iovlen = 1};
	struct led *l = start_led(fd);

	return l ? send_put(l, fd, &msg)
		 : real.sendto(fd, buf, len, flags, to.__sockaddr__, to_len);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct led *l = start_led(fd);

	return l ? send_put(l, fd, msg) : real.sendmsg(fd, msg, flags);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int count, int flags)
{
	struct led *l = start_led(fd);
	unsigned int i;

	if (!l)
		return real.sendmmsg(fd, msgs, count, flags);
	for (i = 0; i < count; i++) {
		ssize_t n = send_led(l, fd, &msgs[i].msg_hdr);

		if (n < 0)
			break;
		msgs[i].msg_len = n;
	}
	fdtable_put(l);
	return i || !count ? (int)i : -1;
}

EXPORT ssize_t write(int fd, const void *buf, size_t len)
{
	struct iovec iov = {(void *)buf, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct led *l = start_led(fd);

	return l ? send_put(l, fd, &msg) : real.write(fd, buf, len);
}

/* Counts that the kernel refuses, and no bytes at all, do not get as far as to the socket. */
EXPORT ssize_t writev(int fd, const struct iovec *iov, int count)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = count};
	struct led *l = start_led(fd);

	if (!l)
		return real.writev(fd, iov, count);
	if (count >= 0 && count <= IOV_MAX && iov_bytes(iov, count))
		return send_put(l, fd, &msg);
	fdtable_put(l);
	return real.writev(fd, iov, count);
}
