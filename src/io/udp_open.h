/* SPDX-License-Identifier: Apache-2.0 */
/* UDP sockets of the host as io_open.udp gives them: options, buffers, port. */
#ifndef VX_IO_UDP_OPEN_H
#define VX_IO_UDP_OPEN_H

#include "io/open.h"

/* The descriptor or a negative errno.  Works without privileges, then with the buffers that the
 * host lets everybody have, no mark, and ports from 1024. */
int udp_open(const struct udp_ask *a);

#endif
