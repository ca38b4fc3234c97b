/* SPDX-License-Identifier: Apache-2.0 */
/* Path MTU exceptions; route.h has the rest of the contract. */
#ifndef VX_NET_PMTU_H
#define VX_NET_PMTU_H

#include "net/inet.h"
#include "net/route.h"

/* Lowers d->mtu to what is known of 'to'. */
void pmtu_apply(struct inet *in, uint64_t now, const struct ip_addr *to, struct dst *d);

#endif
