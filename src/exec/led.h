/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One led socket: a Unix socket that the program takes for netlink, and the eventfd that counts
 * what vxd is done with.
 *
 * Belongs to the table of descriptors (fdtable.h), whose lock guards all members that are neither
 * atomic nor set for good before the socket is entered.  Counts that parent and child of a fork()
 * both need lie in a shared page.
 */
#ifndef LED_H
#define LED_H

#include "real.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LED_GROUPS = 256 }; /* rtnetlink has 36 today */

/* Shared by all processes that hold the socket. */
struct led_shared {
	_Atomic uint64_t sent; /* datagrams that vxd will count, +1 before each is sent */
	_Atomic uint64_t done; /* what was read from the eventfd so far */
	atomic_bool gone;      /* the loss of vxd was told as ENOBUFS */
};

struct file_id {
	dev_t dev;
	ino_t ino;
};

struct led {
	int refs; /* descriptors of this process, and calls under way */
	struct file_id socket, counter;
	atomic_int done_fd; /* the eventfd: moves when the program wants its number; -1: none */
	int type;	    /* what the program asked for: SOCK_RAW or SOCK_DGRAM */
	atomic_bool bound;
	_Atomic uint32_t port;
	uint32_t groups[LED_GROUPS / 32]; /* memberships, group 1 is bit 0 */
	uint32_t flags;			  /* NETLINK_* on/off options by number */
	struct led_shared *shared;
};

/* Without descriptors yet.  NULL with errno. */
struct led *led_new(int type);
/* Closes the eventfd, too, if it still is ours.  Keeps errno. */
void led_free(struct led *l);

/* Takes note of which socket and eventfd they are.  0, or -1 with errno. */
int led_set_socket(struct led *l, int fd);
int led_set_counter(struct led *l, int done_fd);

/* Whether 'fd' is what was noted, or was closed behind our back and the number used again.  An
 * eventfd can be told from files and sockets only, not from other eventfds. */
bool led_is_socket(const struct led *l, int fd);
bool led_is_counter(const struct led *l, int fd);

#endif
