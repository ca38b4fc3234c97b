/* SPDX-License-Identifier: Apache-2.0 */
#include "io/side.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "io/hostlink.h"
#include "net/vx.h"

int side_settle(const struct side_ask *a, struct host_link *l, struct vx_err *err)
{
	struct link_ask set = {.mtu = a->mtu, .mac = a->mac, .has_mac = 1, .up = -1};
	int r = hostlink_get(0, a->name, l);

	if (r == 0) {
		set.ifindex = l->ifindex;
		r = hostlink_set(&set);
	}
	if (r < 0)
		return vx_fail(err, r, "the host refuses settings of the interface %s (%s)",
			       a->name, strerror(-r));
	return 0;
}

/* --- TAP ------------------------------------------------------------------------------------- */

int tap_queue(const char *name, enum tap_form form, struct vx_err *err)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	if (form == TAP_FRESH)
		ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_TUN_EXCL);
	if (form != TAP_SINGLE)
		ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_MULTI_QUEUE);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		r = -errno;
		close(fd);
		return vx_fail(err, r,
			       "the host refuses a TAP named %s (%s): run as root, or make "
			       "the device with \"nohost\"",
			       name, strerror(-r));
	}
	return fd;
}

int tap_name(int fd, char *name)
{
	struct ifreq ifr = {0};

	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		return errno == EBADFD ? -ENODEV : -errno;
	memcpy(name, ifr.ifr_name, IF_NAME_MAX);
	name[IF_NAME_MAX - 1] = 0;
	return 0;
}

int tap_netns(int fd)
{
	int ns_fd = ioctl(fd, TUNGETDEVNETNS);

	return ns_fd < 0 ? (errno == EBADFD ? -ENODEV : -errno) : ns_fd;
}

int tap_attach(int fd, bool on)
{
	struct ifreq ifr = {.ifr_flags = on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE};

	return ioctl(fd, TUNSETQUEUE, &ifr) < 0 ? -errno : 0;
}

enum { LEFT_TRIES = 50, LEFT_WAIT = 20 /* ms */ };

/* May the interface that 'a' names be taken over, if there is one?  1: yes; 0: there is none.
 * Whoever had it may be at its end just now. */
static int is_left(const struct side_ask *a, struct host_tap *t, struct vx_err *err)
{
	bool any = a->adopt == ADOPT_ANY;
	int r = hostlink_tap_is_left(a->name, any, t);

	for (int i = 0; i < LEFT_TRIES && r == -EBUSY; i++) {
		poll(NULL, 0, LEFT_WAIT);
		r = hostlink_tap_is_left(a->name, any, t);
	}
	if (r == -EBUSY)
		return vx_fail(err, r, "somebody else has the TAP %s open, another vxd perhaps",
			       a->name);
	if (r == -EEXIST)
		return vx_fail(err, r,
			       "the host has an interface %s, which is no TAP that a former vxd left",
			       a->name);
	return r == -ENODEV ? 0 : r < 0 ? r : 1;
}

/* One that stays as it is: *a says how that is. */
static int side_accept(struct side_ask *a, struct host_link *l)
{
	int r = hostlink_get(0, a->name, l);

	if (r < 0)
		return r;
	a->mtu = l->mtu;
	a->mac = l->mac;
	a->is_up = l->flags & IFF_UP;
	return 0;
}

int tap_open(struct side_ask *a, uint32_t *ifindex, struct vx_err *err)
{
	int r = 0, fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	struct host_tap t = {0};
	struct host_link l;

	if (fd < 0)
		return -errno;
	close(fd);
	if (a->adopt != ADOPT_NONE)
		r = is_left(a, &t, err);
	if (r < 0)
		return r;
	fd = tap_queue(a->name, !r ? TAP_FRESH : t.is_multi_queue ? TAP_MULTI : TAP_SINGLE, err);
	if (fd < 0)
		return fd;
	r = r && a->adopt == ADOPT_ANY ? side_accept(a, &l) : side_settle(a, &l, err);
	if (r < 0) {
		close(fd); /* a new one is not persistent yet and goes with it */
		return r;
	}
	*ifindex = l.ifindex;
	return fd;
}

/* --- veth ------------------------------------------------------------------------------------ */

int veth_make(const struct side_ask *a, int netns_fd, struct vx_err *err)
{
	struct host_link l;
	int r = hostlink_veth_add(a->name, a->hidden, netns_fd);

	/* A former vxd's: then the hidden end is there, too. */
	if (r == -EEXIST && a->adopt)
		r = 0;
	if (r < 0)
		return vx_fail(err, r, "the host refuses a veth pair %s (%s)", a->name,
			       strerror(-r));
	r = hostlink_get(0, a->hidden, &l);
	if (r == 0)
		r = hostlink_silence(a->hidden, l.ifindex);
	if (r < 0)
		vx_fail(err, r, "the host refuses settings of the veth pair %s (%s)", a->name,
			strerror(-r));
	return r;
}

int veth_settle(const struct side_ask *a, struct host_link *l, struct vx_err *err)
{
	int r = side_settle(a, l, err);
	struct host_link hidden;

	if (r < 0 && hostlink_get(0, a->hidden, &hidden) == 0)
		hostlink_del(hidden.ifindex);
	return r;
}
