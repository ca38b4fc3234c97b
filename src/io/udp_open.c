/* SPDX-License-Identifier: Apache-2.0 */
#include "io/udp_open.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"

enum {
	RECEIVE_BUF = 8 << 20,
	SEND_BUF = 4 << 20,
	PORT_TRIES = 16,
	FLOWINFO_SEND = 33, /* IPV6_FLOWINFO_SEND: linux/in6.h does not go with netinet/in.h */
};

static int set(int fd, int level, int opt, int v)
{
	return setsockopt(fd, level, opt, &v, sizeof(v));
}

static int set_receive_options(int fd, const struct udp_ask *a)
{
	int r;

	set(fd, SOL_UDP, UDP_GRO, 1);
	/* As much as the host lets us; SO_RCVBUFFORCE needs a capability. */
	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUF) < 0)
		set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUF);
	if (a->family == AF_INET) {
		r = set(fd, IPPROTO_IP, IP_PKTINFO, 1);
		r |= set(fd, IPPROTO_IP, IP_RECVTOS, 1);
		r |= set(fd, IPPROTO_IP, IP_RECVTTL, 1);
		return r;
	}
	r = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	r |= set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	r |= set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	r |= set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	if (a->zero_csum6_rx)
		r |= set(fd, SOL_UDP, UDP_NO_CHECK6_RX, 1);
	return r;
}

/* A send socket receives nothing: a filter that drops all, and no buffer to speak of. */
static void make_deaf(int fd)
{
	struct sock_filter none[] = {{BPF_RET | BPF_K, 0, 0, 0}};
	struct sock_fprog prog = {1, none};

	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
	set(fd, SOL_SOCKET, SO_RCVBUF, 1);
	if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUF) < 0)
		set(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUF);
}

static void set_send_options(int fd, const struct udp_ask *a)
{
	make_deaf(fd);
	if (a->family == AF_INET) {
		set(fd, IPPROTO_IP, IP_MTU_DISCOVER, a->df ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
		if (!a->csum)
			set(fd, SOL_SOCKET, SO_NO_CHECK, 1);
		return;
	}
	/* An outer IPv6 packet is never fragmented (vxlan.md 3.8). */
	set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO);
	set(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
	/* The label is the address's (put_address()), not one of the host's making. */
	set(fd, IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 0);
	set(fd, IPPROTO_IPV6, FLOWINFO_SEND, 1);
	/* The driver sends from a 'local' that the host has not, where IPv6 routing allows it. */
	set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	if (!a->csum)
		set(fd, SOL_UDP, UDP_NO_CHECK6_TX, 1);
}

static int bind_port(int fd, int family, uint16_t port)
{
	struct sockaddr_in6 sa = {.sin6_family = (sa_family_t)family, .sin6_port = htons(port)};

	return bind(fd, (struct sockaddr *)&sa,
		    family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(sa));
}

/* The port, or, where a send socket's is in use, one after it in its range. */
static int bind_any(int fd, const struct udp_ask *a)
{
	uint32_t n = a->sends ? (uint32_t)a->port_max - a->port_min + 1 : 1;
	uint32_t min = a->sends ? a->port_min : a->port;

	for (uint32_t i = 0; i < MIN(n, (uint32_t)PORT_TRIES); i++)
		if (bind_port(fd, a->family, (uint16_t)(min + (a->port - min + i) % n)) == 0)
			return 0;
	return -errno;
}

int udp_open(const struct udp_ask *a)
{
	int fd, r = 0;

	if (a->sends && a->port_min > a->port_max)
		return -EINVAL;
	fd = socket(a->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (a->sends)
		set_send_options(fd, a);
	else if (set_receive_options(fd, a) < 0)
		r = -errno;
	if (r == 0 && a->mark && set(fd, SOL_SOCKET, SO_MARK, (int)a->mark) < 0)
		r = -errno;
	if (r == 0)
		r = bind_any(fd, a);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}
