/* SPDX-License-Identifier: Apache-2.0 */
/* The calls about interfaces: answered from vxd or ENODEV, never by the host. */
#include "start.h"

#include "link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* The IPv4 addresses; without a buffer only how much room they need. */
static int get_conf(struct ifconf *conf)
{
	size_t room = 0, count;
	int r;

	if (conf->ifc_buf && conf->ifc_len > 0)
		room = conf->ifc_len / sizeof(struct ifreq);
	r = link_addrs(NULL, conf->ifc_req, room, &count);
	if (r)
		return r;
	if (conf->ifc_buf && count > room)
		count = room;
	conf->ifc_len = count * sizeof(struct ifreq);
	return 0;
}

static int get_addr(struct ifreq *req)
{
	struct ifreq found;
	size_t count;
	int r = link_addrs(req->ifr_name, &found, 1, &count);

	if (r)
		return r;
	if (!count)
		return -EADDRNOTAVAIL;
	req->ifr_addr = found.ifr_addr;
	return 0;
}

static int set_hwaddr(const struct link *link, const struct ifreq *req)
{
	if (req->ifr_hwaddr.sa_family != link->type || link->type != ARPHRD_ETHER)
		return -EINVAL;
	return link_set_attr(link, IFLA_ADDRESS, req->ifr_hwaddr.sa_data, 6);
}

/* A request about the interface named in 'req', which is 'link'. */
static int about_link(unsigned long request, struct ifreq *req, const struct link *link)
{
	switch (request) {
	case SIOCGIFINDEX:
		req->ifr_ifindex = link->index;
		return 0;
	case SIOCGIFFLAGS:
		req->ifr_flags = link->flags;
		return 0;
	case SIOCGIFMTU:
		req->ifr_mtu = link->mtu;
		return 0;
	case SIOCGIFTXQLEN:
		req->ifr_qlen = link->txqlen;
		return 0;
	case SIOCGIFMETRIC:
		req->ifr_metric = 0;
		return 0;
	case SIOCGIFHWADDR:
		req->ifr_hwaddr.sa_family = link->type;
		memcpy(req->ifr_hwaddr.sa_data, link->addr, sizeof(link->addr));
		return 0;
	case SIOCGIFADDR:
		return get_addr(req);
	case SIOCSIFFLAGS:
		return link_set_flags(link, (unsigned short)req->ifr_flags);
	case SIOCSIFMTU:
		return link_set_attr(link, IFLA_MTU, &req->ifr_mtu, 4);
	case SIOCSIFTXQLEN:
		return link_set_attr(link, IFLA_TXQLEN, &req->ifr_qlen, 4);
	case SIOCSIFHWADDR:
		return set_hwaddr(link, req);
	case SIOCSIFNAME:
		return link_set_attr(link, IFLA_IFNAME, req->ifr_newname,
				     strnlen(req->ifr_newname, IFNAMSIZ - 1) + 1);
	default:
		return -ENODEV;
	}
}

/* SIOC[GS]IF* by number: SIOCGIFNAME to SIOCSIFTXQLEN less what is no interface's, and the maps. */
static bool is_interface_ioctl(unsigned long request)
{
	if (request == SIOCGIFMAP || request == SIOCSIFMAP)
		return true;
	return request >= SIOCGIFNAME && request <= SIOCSIFTXQLEN && request != SIOCSIFLINK;
}

static int interface_ioctl(unsigned long request, void *arg)
{
	struct ifreq *req = arg;
	struct link link;
	int r;

	if (!arg)
		return -EFAULT;
	if (request == SIOCGIFCONF)
		return get_conf(arg);
	if (request == SIOCGIFNAME) {
		r = link_find_index(req->ifr_ifindex, &link);
		if (!r)
			memcpy(req->ifr_name, link.name, IFNAMSIZ);
		return r;
	}
	r = link_find(req->ifr_name, &link);
	return r ? r : about_link(request, req, &link);
}

/* A TUN/TAP file answers some of these numbers about itself, so only sockets are meant. */
static bool is_socket(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISSOCK(st.st_mode);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;
	int r;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	start();
	if (!is_interface_ioctl(request) || !is_socket(fd))
		return real.ioctl(fd, request, arg);
	r = interface_ioctl(request, arg);
	if (!r)
		return 0;
	errno = -r;
	return -1;
}

EXPORT unsigned int if_nametoindex(const char *name)
{
	struct link link;
	int r;

	start();
	r = link_find(name, &link);
	if (!r)
		return link.index;
	errno = -r;
	return 0;
}

EXPORT char *if_indextoname(unsigned int index, char name[IF_NAMESIZE])
{
	struct link link;

	start();
	if (index > INT32_MAX || link_find_index(index, &link)) {
		errno = ENXIO;
		return NULL;
	}
	return memcpy(name, link.name, IFNAMSIZ);
}
