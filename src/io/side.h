/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged half of a device's host side: TAPs and veth pairs are made here, in the namespace
 * of the calling thread (a->netns is the caller's to have entered).  Errors have a sentence.
 */
#ifndef VX_IO_SIDE_H
#define VX_IO_SIDE_H

#include <stdbool.h>

#include "io/open.h"
#include "net/host.h"

/* All of io_open.tap: queue and settings. */
int tap_open(struct side_ask *a, uint32_t *ifindex, struct vx_err *err);
enum tap_form {
	TAP_FRESH,  /* made, unless the name is taken */
	TAP_MULTI,  /* one that is there, or made */
	TAP_SINGLE, /* one that has a single queue */
};

/* The steps of it.  A queue of the TAP 'name'.  Without a sentence: /dev/net/tun itself cannot be
 * opened. */
int tap_queue(const char *name, enum tap_form form, struct vx_err *err);
/* Detached: the queue gets nothing, but keeps the carrier.  -EINVAL: it is so already, or the TAP's
 * only one. */
int tap_attach(int fd, bool on);
/* The name that the TAP has now, wherever it is, in IF_NAME_MAX bytes; -ENODEV: it is gone. */
int tap_name(int fd, char *name);
int tap_netns(int fd); /* a descriptor of the namespace where it is now, or a negative errno */
/* MTU and MAC as asked for, as far as they are not so already; *l: the link. */
int side_settle(const struct side_ask *a, struct host_link *l, struct vx_err *err);

/* The pair, the hidden end silenced and up; the other end in the namespace behind 'netns_fd' (-1:
 * here). */
int veth_make(const struct side_ask *a, int netns_fd, struct vx_err *err);
/* The end that the host has: side_settle(), after which the pair is complete. */
int veth_settle(const struct side_ask *a, struct host_link *l, struct vx_err *err);

#endif
