/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection to vxd: the Unix socket behind a led one.
 *
 * A datagram is what the program sent, byte for byte, except that every message of the batch
 * carries our port id in nlmsg_pid.  Beyond that ctl/nlproto.h has the words: options travel as
 * messages of type NLPROTO_OPTION, and an eventfd, handed over first of all, counts the datagrams
 * vxd is done with.  With it a receive knows whether something can still come: in the kernel a
 * request is done when sendmsg() returns, and programs that read with O_NONBLOCK rely on it.
 *
 * Functions give -1 with errno where they fail.  None may be called with the table locked.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include "real.h"

#include <stdint.h>

struct led;

/* Takes $VX_NL. */
void channel_start(void);

/* A socket connected to vxd, with SOCK_CLOEXEC or 0. */
int channel_connect(int cloexec);
/* The same for 'l', which gets an eventfd that was handed over. */
int channel_open(struct led *l, int cloexec);

/* The address of the other end, in the kernel's place; '*len' is the room, then the length. */
void channel_peer(void *to, socklen_t *len);

/* Sends one datagram.  Waits for room even on a non-blocking socket and across signals, as a
 * request to the kernel is not refused for either. */
ssize_t channel_send(struct led *l, int fd, const void *data, size_t len);
int channel_send_option(struct led *l, int fd, uint32_t option, uint32_t value);

/* Receives one datagram, waiting as the program and the requests under way ask for.  The loss of
 * messages is ENOBUFS; so is the first time that vxd is gone, the later are ECONNRESET: never an
 * end of file. */
ssize_t channel_recv(struct led *l, int fd, struct msghdr *msg, int flags);
/* Receives one more if it is there.  -1 if not: a loss is left for channel_recv() to tell. */
ssize_t channel_recv_more(int fd, struct msghdr *msg, int flags);

#endif
