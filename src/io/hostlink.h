/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links of the host made and changed by rtnetlink, in the namespace of the calling thread.  Needs
 * CAP_NET_ADMIN: vxd's helper calls it, or a program without one through io_open_direct.
 *
 * All return 0 or a negative errno.
 */
#ifndef VX_IO_HOSTLINK_H
#define VX_IO_HOSTLINK_H

#include "io/open.h"
#include "net/host.h"

int hostlink_get(uint32_t ifindex, const char *name, struct host_link *out);
/* Sets what a->... asks for and is not so already: setting the same MAC once more would throw away
 * the interface's neighbours.  a->netns is the caller's to have entered. */
int hostlink_set(const struct link_ask *a);
int hostlink_del(uint32_t ifindex);
struct link_where hostlink_where(const struct host_link *l, const char *netns);

/* What the host says of a TAP. */
struct host_tap {
	bool is_tun, is_tap, has_pi, has_vnet_hdr, is_multi_queue, is_persistent;
	uint32_t n_queues; /* those in use, without the detached ones */
};

/* Is 'name' a persistent TAP without a queue in use, of the form in which vxd makes them unless
 * 'any'?  0; -ENODEV: no such interface, -EBUSY: somebody has it open, -EEXIST: it is something
 * else. */
int hostlink_tap_is_left(const char *name, bool any, struct host_tap *t);
/* Moves a link to the namespace behind 'netns_fd', where it gets that name. */
int hostlink_move(uint32_t ifindex, int netns_fd, const char *name);
/* A veth pair: 'name' in the namespace behind 'netns_fd' (-1: here), 'hidden' here. */
int hostlink_veth_add(const char *name, const char *hidden, int netns_fd);
/* Keeps the host's own stack away from a link, and sets it up. */
int hostlink_silence(const char *name, uint32_t ifindex);
/* What a message says of a link. */
struct nlmsghdr;
void hostlink_parse(const struct nlmsghdr *nlh, struct host_link *l);

#endif
