/* SPDX-License-Identifier: Apache-2.0 */
#include "io/open.h"

#include <errno.h>
#include <sys/socket.h>

#include "io/hide.h"
#include "io/hostlink.h"
#include "io/side.h"
#include "io/udp_open.h"

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

static int open_port_mtu(void *ctx, uint32_t ifindex, uint32_t mtu)
{
	(void)ctx;
	return hostlink_set(&(struct link_ask){.ifindex = ifindex, .mtu = mtu, .up = -1});
}

/* --- in this process ------------------------------------------------------------------------- */

static int not_here(const char *netns, struct vx_err *err)
{
	if (!*netns)
		return 0;
	return vx_fail(err, -EOPNOTSUPP, "only vxd's helper enters a network namespace");
}

static int direct_tap(void *ctx, struct side_ask *a, uint32_t *ifindex, struct vx_err *err)
{
	int r = not_here(a->netns, err);

	return r < 0 ? r : tap_open(a, ifindex, err);
}

static void direct_tap_done(void *ctx, const char *netns, uint32_t ifindex)
{
}

static int direct_veth(void *ctx, const struct side_ask *a, uint32_t *ifindex, struct vx_err *err)
{
	int r = not_here(a->netns, err);
	struct host_link l;

	if (r == 0)
		r = veth_make(a, -1, err);
	if (r == 0)
		r = veth_settle(a, &l, err);
	if (r == 0)
		*ifindex = l.ifindex;
	return r;
}

static int direct_link_set(void *ctx, const struct link_ask *a)
{
	return *a->netns ? -EOPNOTSUPP : hostlink_set(a);
}

static int direct_link_find(void *ctx, const char *netns, uint32_t ifindex, struct link_where *out)
{
	struct host_link l;
	int r = *netns ? -EOPNOTSUPP : hostlink_get(ifindex, NULL, &l);

	if (r == 0)
		*out = hostlink_where(&l, "");
	return r;
}

static int direct_link_del(void *ctx, const char *netns, uint32_t ifindex)
{
	return *netns ? -EOPNOTSUPP : hostlink_del(ifindex);
}

static int direct_udp(void *ctx, const struct udp_ask *a)
{
	return udp_open(a);
}

const struct io_open io_open_direct = {
	.packet = open_packet,
	.hide = open_hide,
	.unhide = open_unhide,
	.port_mtu = open_port_mtu,
	.tap = direct_tap,
	.tap_done = direct_tap_done,
	.veth = direct_veth,
	.link_set = direct_link_set,
	.link_find = direct_link_find,
	.link_del = direct_link_del,
	.udp = direct_udp,
};
