/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's routes by rtnetlink, in the namespace of the calling thread: for who lists them.
 * Control's.
 */
#ifndef VX_IO_HOSTROUTE_H
#define VX_IO_HOSTROUTE_H

#include <stddef.h>

#include "wire/types.h"

struct host_route {
	struct ip_addr dst, gateway; /* gateway zero: none */
	struct ip_addr src;	     /* as it says, or the device's in its network; zero: neither */
	uint8_t plen;		     /* of the family's own addresses */
	bool is_local;
	char dev[16];
};

/* Routes of the tables local, main and default: *n of them, the caller's to free(); 0 or a negative
 * errno. */
int host_routes(struct host_route **out, size_t *n);
/* How the host reaches 'dst' with packets of that mark: 0; -ENETUNREACH or another errno. */
int host_route_to(const struct ip_addr *dst, uint32_t mark, struct host_route *out);

#endif
