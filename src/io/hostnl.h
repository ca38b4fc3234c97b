/* SPDX-License-Identifier: Apache-2.0 */
/* One question to the host's rtnetlink and its answer. */
#ifndef VX_IO_HOSTNL_H
#define VX_IO_HOSTNL_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

/* A socket, member of the groups (RTMGRP_*); the descriptor or a negative errno. */
int hostnl_open(uint32_t groups, bool nonblock);
/* Sends 'nlh' and calls cb for each message of the answer.  0, cb's or the kernel's error. */
int hostnl_talk(int fd, struct nlmsghdr *nlh, mnl_cb_t cb, void *data);
/* The same by a socket of its own. */
int hostnl_ask(struct nlmsghdr *nlh, mnl_cb_t cb, void *data);

#endif
