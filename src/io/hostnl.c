/* SPDX-License-Identifier: Apache-2.0 */
#include "io/hostnl.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NL_BUF = 32768 };

int hostnl_open(uint32_t groups, bool nonblock)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (nonblock ? SOCK_NONBLOCK : 0),
			NETLINK_ROUTE);
	int err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int hostnl_open_all(uint32_t groups)
{
	int fd = hostnl_open(groups, true), one = 1, err;

	if (fd < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &one, sizeof(one)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

ssize_t hostnl_recv_all(int fd, void *buf, size_t size, bool *is_ours)
{
	_Alignas(struct cmsghdr) char ctl[CMSG_SPACE(sizeof(int)) + 64];
	struct iovec iov = {buf, size};
	struct msghdr mh = {.msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = ctl,
			    .msg_controllen = sizeof(ctl)};
	ssize_t n = recvmsg(fd, &mh, 0);

	if (n < 0)
		return -errno;
	*is_ours = true;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&mh); c; c = CMSG_NXTHDR(&mh, c))
		if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID)
			*is_ours = false;
	return n;
}

int hostnl_talk(int fd, struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	static _Atomic uint32_t seq = 1;
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK};
	char buf[NL_BUF];
	int r;

	nlh->nlmsg_seq = atomic_fetch_add(&seq, 1);
	if (sendto(fd, nlh, nlh->nlmsg_len, 0, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	do {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		errno = 0;
		r = mnl_cb_run(buf, (size_t)n, nlh->nlmsg_seq, 0, cb, data);
		if (r < 0 && errno == ESRCH) {
			r = 1; /* an answer to an older question */
			continue;
		}
		if (r < 0)
			return errno ? -errno : -EIO;
	} while (r > 0 && (nlh->nlmsg_flags & (NLM_F_DUMP | NLM_F_ACK)));
	return 0;
}

int hostnl_ask(struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	int fd = hostnl_open(0, false), r;

	if (fd < 0)
		return fd;
	r = hostnl_talk(fd, nlh, cb, data);
	close(fd);
	return r;
}
