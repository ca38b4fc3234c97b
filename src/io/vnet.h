/* SPDX-License-Identifier: Apache-2.0 */
/* The virtio-net header that TAPs and packet sockets put before a frame: from and to metadata. */
#ifndef VX_IO_VNET_H
#define VX_IO_VNET_H

#include <linux/virtio_net.h>

#include "pkt/pkt.h"

/* Takes over what h says of p, whose data is at the Ethernet header.  The gate for its offsets:
 * false if they lie outside the frame or make no sense; p is then to be dropped. */
bool vnet_get(struct pkt *p, const struct virtio_net_hdr *h);
void vnet_put(const struct pkt *p, struct virtio_net_hdr *h);

#endif
