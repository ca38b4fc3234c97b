/* SPDX-License-Identifier: Apache-2.0 */
/* One question to the host's rtnetlink and its answer. */
#ifndef VX_IO_HOSTNL_H
#define VX_IO_HOSTNL_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A socket, member of the groups (RTMGRP_*); the descriptor or a negative errno. */
int hostnl_open(uint32_t groups, bool nonblock);
/* A non-blocking one that hears of all namespaces which have a number here.  Needs CAP_NET_BROADCAST:
 * a negative errno without. */
int hostnl_open_all(uint32_t groups);
/* A datagram of it: its length or a negative errno; *is_ours: from our own namespace. */
ssize_t hostnl_recv_all(int fd, void *buf, size_t size, bool *is_ours);
/* Sends 'nlh' and calls cb for each message of the answer.  0, cb's or the kernel's error. */
int hostnl_talk(int fd, struct nlmsghdr *nlh, mnl_cb_t cb, void *data);
/* The same by a socket of its own. */
int hostnl_ask(struct nlmsghdr *nlh, mnl_cb_t cb, void *data);

#endif
