/* SPDX-License-Identifier: Apache-2.0 */
/* vx has no TCP sockets: a segment for this host is answered with RST (stack.md L5). */
#ifndef VX_NET_TCP_H
#define VX_NET_TCP_H

#include "net/inet.h"

extern const struct inet_proto tcp_proto;

#endif
