/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Link type 'packet': a port on a host interface beside the host's own stack.  It has that
 * interface's MAC and MTU; the host goes on receiving the same frames (spec/control.md I4).
 */
#ifndef VX_IO_PACKET_H
#define VX_IO_PACKET_H

#include "io/packet_sock.h"

extern const struct attr_set packet_attrs;
int packet_init_module(struct vx *vx, struct packet_ctx *c); /* 0 or -ENOMEM */

#endif
