/* SPDX-License-Identifier: Apache-2.0 */
#include "io/open.h"

#include <errno.h>
#include <sys/socket.h>

#include "io/hide.h"

enum { PACKET_BUF = 4 << 20 }; /* 64 super-frames */

static void set_buffer(int fd, int force, int plain)
{
	int size = PACKET_BUF;

	/* Without CAP_NET_ADMIN the system's limit holds; a smaller buffer is no failure. */
	if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, plain, &size, sizeof(size));
}

static int open_packet(void *ctx, const char *dev)
{
	/* Protocol 0: nothing arrives until it is bound. */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)ctx;
	(void)dev;
	if (fd < 0)
		return -errno;
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	return fd;
}

static int open_hide(void *ctx, uint32_t ifindex, struct hide *out)
{
	(void)ctx;
	return hide_add(ifindex, out);
}

static void open_unhide(void *ctx, struct hide *h)
{
	(void)ctx;
	hide_del(h);
}

const struct io_open io_open_direct = {
	.packet = open_packet,
	.hide = open_hide,
	.unhide = open_unhide,
};
