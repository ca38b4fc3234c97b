/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Link type 'netif': an existing interface of the host (a NIC, a container's veth) as a port.
 * Promiscuous; while it is a port its frames are hidden from the host's own stack (io/hide).
 * Where that is refused the port works all the same, packet_ctx.warn is told, and explain says so
 * (io.shared).
 */
#ifndef VX_IO_NETIF_H
#define VX_IO_NETIF_H

#include "io/packet_sock.h"

extern const struct attr_set netif_attrs;
int netif_init_module(struct vx *vx, struct packet_ctx *c); /* 0 or -ENOMEM */

#endif
