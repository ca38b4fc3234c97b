/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which descriptors are led.
 *
 * A two-level table maps a descriptor to its led socket; looking up one that is not led takes no
 * lock, as read() and write() of the whole program come through here.  A led one is compared with
 * the socket's inode, so that an entry gone stale (closed inside libc, or by a bare system call) is
 * noticed and dropped.  The eventfds are kept from the program: closing one gives EBADF, dup2()
 * onto one moves it away.  A child of vfork() shares our memory but not our descriptors, so it
 * changes no entry.
 *
 * Functions take the lock themselves unless they say "locked".  fork() waits for it.
 */
#ifndef FDTABLE_H
#define FDTABLE_H

#include "real.h"

#include <stdbool.h>

struct led;

void fdtable_start(void);

void fdtable_lock(void);
void fdtable_unlock(void);

/* The led socket behind 'fd', to be given back; NULL if it is none.  Keeps errno. */
struct led *fdtable_get(int fd);
void fdtable_put(struct led *l);

/* Whether 'fd' may have to do with us: not locked, for a quick no. */
bool fdtable_has(int fd);

/* The first led socket from descriptor '*fd' on, which is set to where it was found; NULL if there
 * is none.  Locked. */
struct led *fdtable_next(int *fd);

/* Enters 'fd' and the eventfd of 'l', which now belongs to the table.  0, or -1 if it cannot hold
 * them.  Locked. */
int fdtable_enter(int fd, struct led *l);

/* 'fd' is now one more descriptor of 'l', or, with NULL, something that is not led.  0, or -1 if
 * the table cannot hold it. */
int fdtable_assign(int fd, struct led *l);

/* The program is about to close 'fd': to be called while the number is still taken.  -1 if it must
 * not. */
int fdtable_forget(int fd);

/* Moves our eventfd away from 'fd', which the program is about to use.  0, or -1 with errno. */
int fdtable_make_room(int fd);

/* Forgets the led sockets from 'first' to 'last', then closes all but eventfds still in use. */
int fdtable_close_range(unsigned int first, unsigned int last, int flags);

#endif
