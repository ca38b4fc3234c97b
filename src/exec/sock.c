/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that make sockets, and their addresses and options. */
#include "start.h"

#include "channel.h"
#include "ctl/nlproto.h"
#include "fdtable.h"
#include "led.h"
#include "portid.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <string.h>

/* Copies 'size' bytes, or as many as '*len' has room for; '*len' then says how many there were. */
static int give(void *to, socklen_t *len, const void *value, socklen_t size)
{
	memcpy(to, value, *len < size ? *len : size);
	*len = size;
	return 0;
}

static int fail(int err)
{
	errno = err;
	return -1;
}

/* ---- socket ---- */

/* Gives 'l', connected as 'fd', its port id and puts it into the table. */
static int enter(int fd, struct led *l)
{
	int r = -1;

	fdtable_lock();
	l->port = portid_first();
	if (l->port)
		r = fdtable_enter(fd, l);
	fdtable_unlock();
	return r;
}

static int open_led(int type)
{
	struct led *l = led_new(type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK));
	int fd;

	if (!l)
		return -1;
	fd = channel_open(l, type & SOCK_CLOEXEC);
	if (fd < 0)
		goto out_free;
	/* Only now: a non-blocking connect() gives EAGAIN while vxd is busy accepting. */
	if (type & SOCK_NONBLOCK)
		real.fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	if (!enter(fd, l))
		return fd;
	real.close(fd);
	errno = EMFILE;
out_free:
	led_free(l);
	return -1;
}

EXPORT int socket(int domain, int type, int protocol)
{
	int kind = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);

	start();
	if (domain == AF_NETLINK && protocol == NETLINK_ROUTE &&
	    (kind == SOCK_RAW || kind == SOCK_DGRAM))
		return open_led(type);
	return real.socket(domain, type, protocol);
}

/* ---- addresses ---- */

/* Takes the port id that the program wants, with 0 the one there is; once.  0 or an errno. */
static int bind_port(struct led *l, uint32_t port)
{
	int err = 0;

	fdtable_lock();
	if (l->bound && port != l->port)
		err = EINVAL;
	else if (port && port != l->port && portid_in_use(port))
		err = EADDRINUSE;
	else if (port)
		l->port = port;
	if (!err)
		l->bound = true;
	fdtable_unlock();
	return err;
}

static int bind_led(struct led *l, int fd, const struct sockaddr_nl *addr, socklen_t len)
{
	uint32_t old;
	int err;

	if (len < sizeof(*addr) || addr->nl_family != AF_NETLINK)
		return fail(EINVAL);
	err = bind_port(l, addr->nl_pid);
	if (err)
		return fail(err);
	fdtable_lock();
	old = l->groups[0];
	fdtable_unlock();
	if (addr->nl_groups == old)
		return 0;
	if (channel_send_option(l, fd, NLPROTO_BIND_GROUPS, addr->nl_groups))
		return -1;
	fdtable_lock();
	l->groups[0] = addr->nl_groups;
	fdtable_unlock();
	return 0;
}

EXPORT int bind(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	struct led *l = start_led(fd);
	int r;

	if (!l)
		return real.bind(fd, addr.__sockaddr__, len);
	r = bind_led(l, fd, (const void *)addr.__sockaddr__, len);
	fdtable_put(l);
	return r;
}

/* The only peer there is, is the kernel's place, taken by vxd. */
EXPORT int connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	const struct sockaddr_nl *to = (const void *)addr.__sockaddr__;
	struct led *l = start_led(fd);

	if (!l)
		return real.connect(fd, addr.__sockaddr__, len);
	fdtable_put(l);
	if (len >= sizeof(to->nl_family) && to->nl_family == AF_UNSPEC)
		return 0;
	if (len < sizeof(*to) || to->nl_family != AF_NETLINK)
		return fail(EINVAL);
	return to->nl_pid ? fail(ECONNREFUSED) : 0;
}

EXPORT int getsockname(int fd, __SOCKADDR_ARG addr, socklen_t *len)
{
	struct sockaddr_nl own = {.nl_family = AF_NETLINK};
	struct led *l = start_led(fd);

	if (!l)
		return real.getsockname(fd, addr.__sockaddr__, len);
	fdtable_lock();
	own.nl_pid = l->port;
	own.nl_groups = l->groups[0];
	fdtable_unlock();
	fdtable_put(l);
	return give(addr.__sockaddr__, len, &own, sizeof(own));
}

EXPORT int getpeername(int fd, __SOCKADDR_ARG addr, socklen_t *len)
{
	struct led *l = start_led(fd);

	if (!l)
		return real.getpeername(fd, addr.__sockaddr__, len);
	fdtable_put(l);
	channel_peer(addr.__sockaddr__, len);
	return 0;
}

/* ---- options ---- */

static int set_membership(struct led *l, int fd, int option, uint32_t group)
{
	uint32_t bit = 1u << (group - 1) % 32;

	if (!group || group > LED_GROUPS)
		return fail(EINVAL);
	if (channel_send_option(l, fd, option, group))
		return -1;
	fdtable_lock();
	if (option == NETLINK_ADD_MEMBERSHIP)
		l->groups[(group - 1) / 32] |= bit;
	else
		l->groups[(group - 1) / 32] &= ~bit;
	fdtable_unlock();
	return 0;
}

static int set_option(struct led *l, int fd, int option, const void *value, socklen_t len)
{
	uint32_t v;

	if (len < sizeof(v))
		return fail(EINVAL);
	memcpy(&v, value, sizeof(v));
	switch (option) {
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
		return set_membership(l, fd, option, v);
	case NETLINK_CAP_ACK:
	case NETLINK_EXT_ACK:
	case NETLINK_GET_STRICT_CHK:
		if (channel_send_option(l, fd, option, !!v))
			return -1;
		break;
	default:
		break; /* taken and not sent: nothing of vxd's depends on it */
	}
	if (option > 0 && option < 32) {
		fdtable_lock();
		l->flags = v ? l->flags | 1u << option : l->flags & ~(1u << option);
		fdtable_unlock();
	}
	return 0;
}

EXPORT int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	struct led *l;
	int r;

	start();
	l = level == SOL_NETLINK ? fdtable_get(fd) : NULL;
	if (!l)
		return real.setsockopt(fd, level, option, value, len);
	r = set_option(l, fd, option, value, len);
	fdtable_put(l);
	return r;
}

static int get_option(struct led *l, int option, void *to, socklen_t *len)
{
	uint32_t groups[LED_GROUPS / 32];
	int flag;

	fdtable_lock();
	memcpy(groups, l->groups, sizeof(groups));
	flag = option > 0 && option < 32 && l->flags & 1u << option;
	fdtable_unlock();
	if (option == NETLINK_LIST_MEMBERSHIPS)
		return give(to, len, groups, sizeof(groups));
	if (*len < sizeof(flag))
		return fail(EINVAL);
	return give(to, len, &flag, sizeof(flag));
}

EXPORT int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	static const int domain = AF_NETLINK;
	struct led *l = start_led(fd);
	int r;

	if (l && level == SOL_NETLINK)
		r = get_option(l, option, value, len);
	else if (l && level == SOL_SOCKET && option == SO_DOMAIN)
		r = give(value, len, &domain, sizeof(domain));
	else if (l && level == SOL_SOCKET && option == SO_TYPE)
		r = give(value, len, &l->type, sizeof(l->type));
	else /* SO_PROTOCOL too: 0 is also NETLINK_ROUTE */
		r = real.getsockopt(fd, level, option, value, len);
	if (l)
		fdtable_put(l);
	return r;
}
