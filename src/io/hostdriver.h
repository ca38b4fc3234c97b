/* SPDX-License-Identifier: Apache-2.0 */
/* What drives an interface of the host, and how fast, as ethtool tells.  Control's. */
#ifndef VX_IO_HOSTDRIVER_H
#define VX_IO_HOSTDRIVER_H

#include <stdbool.h>
#include <stdint.h>

struct host_driver {
	char name[33], version[33], firmware[33];
	uint64_t speed; /* bit/s; 0: unknown */
	bool is_full;	/* duplex */
};

/* In the namespace of the calling process.  0 or a negative errno. */
int host_driver(const char *name, struct host_driver *out);

#endif
