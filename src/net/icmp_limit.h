/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limits of ICMP errors (stack.md C3). */
#ifndef VX_NET_ICMP_LIMIT_H
#define VX_NET_ICMP_LIMIT_H

#include "net/inet.h"

enum icmp_verdict { ICMP_ALLOWED, ICMP_LIMIT_HOST, ICMP_LIMIT_GLOBAL };

struct icmp_limits *icmp_limits_new(struct vx *vx); /* a worker's; free() ends it */
/* May an error go to 'to' now?  If so it is paid for. */
enum icmp_verdict icmp_allow(struct worker *w, const struct ip_addr *to);

#endif
