/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object that "vx exec" preloads: leads NETLINK_ROUTE sockets to vxd; spec/control.md 3.
 *
 * socket(AF_NETLINK, ..., NETLINK_ROUTE) gives a Unix SOCK_SEQPACKET socket connected to $VX_NL
 * (vxd.nl), a "led" socket.  It is a real descriptor, so poll, select and epoll need no help; the
 * calls of this directory make the rest of it look like netlink.  All other sockets and files pass
 * untouched.  The calls are in descriptor.c (close, dup, fcntl), sock.c (addresses and options),
 * send.c, recv.c and ioctl.c (interfaces); each begins here.  Below them:
 *
 *   led       one led socket
 *   fdtable   which descriptors are led
 *   portid    the port ids of this process
 *   channel   the connection to vxd: what is sent, what comes, what vxd is done with
 *   question  a request of our own, which link uses to answer for the interfaces
 *   real      libc's own functions
 *
 * Threads: the lock of fdtable guards the table and the led sockets; what is called under it
 * neither waits nor is a point of cancellation (hence bare system calls).  A signal handler must
 * not use a led socket.  exec() loses the table: a led socket that is not close-on-exec is a bare
 * Unix socket to the next program (ip and bridge close theirs).
 *
 * Not led: what libc does inside (getifaddrs(), if_nameindex()), sockets received over SCM_RIGHTS.
 */
#ifndef START_H
#define START_H

#include "real.h"

/* Every call comes through here: constructors of other objects may run before ours. */
void start(void);

/* start(), then the led socket behind 'fd', for fdtable_put(); NULL if it is not led.  Keeps
 * errno. */
struct led *start_led(int fd);

#endif
