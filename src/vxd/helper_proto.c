/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/helper_proto.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"

enum { FDS_MAX = 4 }; /* more than anybody should send */

int helper_send(int sock, const void *msg, size_t len, int fd)
{
	_Alignas(struct cmsghdr) char ctl[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {(void *)(uintptr_t)msg, len};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *c;

		mh.msg_control = ctl;
		mh.msg_controllen = sizeof(ctl);
		c = CMSG_FIRSTHDR(&mh);
		*c = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
				      .cmsg_type = SCM_RIGHTS,
				      .cmsg_len = CMSG_LEN(sizeof(int))};
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	while (sendmsg(sock, &mh, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* The descriptors of a message, as far as there is room for them. */
static int take_fds(struct msghdr *mh, int *fds)
{
	int n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		size_t len = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < len / sizeof(int) && n < FDS_MAX; i++)
			memcpy(&fds[n++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
	return n;
}

int helper_recv(int sock, void *msg, size_t len, size_t *got, int *fd)
{
	_Alignas(struct cmsghdr) char ctl[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct iovec iov = {msg, len};
	struct msghdr mh = {.msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = ctl,
			    .msg_controllen = sizeof(ctl)};
	int fds[FDS_MAX], n_fds;
	ssize_t n;

	*fd = -1;
	*got = 0;
	do {
		n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	n_fds = take_fds(&mh, fds);
	*got = (size_t)n;
	if ((size_t)n == len && n_fds <= 1 && !(mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		if (n_fds)
			*fd = fds[0];
		return 0;
	}
	for (int i = 0; i < n_fds; i++)
		close(fds[i]);
	return n == 0 ? -EPIPE : -EBADMSG;
}

/* --- checks ---------------------------------------------------------------------------------- */

static bool is_string(const char *s, size_t size)
{
	return memchr(s, 0, size);
}

/* An interface's name, as the kernel takes it; no pattern. */
static bool is_name(const char *s)
{
	if (!is_string(s, IF_NAME_MAX) || !*s || !strcmp(s, ".") || !strcmp(s, ".."))
		return false;
	for (; *s; s++)
		if (*s == '/' || *s == ':' || *s == '%' || (unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

static bool side_is_good(const struct side_ask *a, bool veth)
{
	return is_string(a->netns, sizeof(a->netns)) && is_name(a->name) && a->mtu <= 65535 &&
	       a->adopt <= ADOPT_ANY && !a->is_up && (veth ? is_name(a->hidden) : !*a->hidden);
}

static bool link_is_good(const struct link_ask *a)
{
	return is_string(a->netns, sizeof(a->netns)) && is_string(a->name, sizeof(a->name)) &&
	       (!*a->name || is_name(a->name)) && a->ifindex && a->ifindex <= INT32_MAX && a->mtu <= 65535 && a->has_mac <= 1 && a->up >= -1 && a->up <= 1;
}

enum { FAMILY_INET = 2, FAMILY_INET6 = 10 };

static bool udp_is_good(const struct udp_ask *a)
{
	return (a->family == FAMILY_INET || a->family == FAMILY_INET6) && a->sends <= 1 &&
	       a->df <= 1 && a->csum <= 1 && a->zero_csum6_rx <= 1 &&
	       (!a->sends || a->port_min <= a->port_max);
}

int helper_req_check(const struct helper_req *r, int fd)
{
	bool good = r->len == sizeof(*r) && r->seq && fd < 0;

	switch (r->op) {
	case HELPER_TAP:
	case HELPER_VETH:
		good = good && side_is_good(&r->side, r->op == HELPER_VETH);
		break;
	case HELPER_TAP_DONE:
	case HELPER_LINK_SET:
	case HELPER_LINK_FIND:
	case HELPER_LINK_DEL:
		good = good && link_is_good(&r->link);
		break;
	case HELPER_PACKET:
		good = good && is_name(r->dev);
		break;
	case HELPER_HIDE:
	case HELPER_UNHIDE:
		good = good && r->hide.ifindex && r->hide.ifindex <= INT32_MAX;
		break;
	case HELPER_PORT_MTU:
		good = good && r->port.ifindex && r->port.ifindex <= INT32_MAX && r->port.mtu &&
		       r->port.mtu <= UINT16_MAX;
		break;
	case HELPER_UDP:
		good = good && udp_is_good(&r->udp);
		break;
	case HELPER_SETTLED:
	case HELPER_BYE:
		break;
	default:
		good = false;
	}
	return good ? 0 : -EBADMSG;
}

int helper_rep_check(const struct helper_rep *r, int fd)
{
	bool good = r->len == sizeof(*r) && r->error <= 0 && r->error > -4096 &&
		    r->how <= HIDE_CLSACT && is_string(r->text, sizeof(r->text)) &&
		    is_string(r->where.netns, sizeof(r->where.netns)) &&
		    is_string(r->where.name, sizeof(r->where.name)) &&
		    (fd < 0 || !r->error);

	return good ? 0 : -EBADMSG;
}

int helper_gift_check(const struct helper_gift *g, int fd)
{
	bool good =
		g->len == sizeof(*g) && g->last <= 1 &&
		(g->last ? fd < 0
			 : fd >= 0 && is_string(g->netns, sizeof(g->netns)) && is_name(g->name) &&
				   is_name(g->asked));

	return good ? 0 : -EBADMSG;
}
