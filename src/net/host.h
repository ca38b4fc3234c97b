/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host below offers, filled in by io/: interfaces, TAPs, UDP sockets.  NULL in a pure
 * libvx.  Called by control.
 */
#ifndef VX_NET_HOST_H
#define VX_NET_HOST_H

#include "net/udp.h"

struct host_link {
	uint32_t ifindex, mtu, flags; /* IFF_* */
	char name[16];
	struct mac mac;
	bool ip6_disabled;
	uint32_t tso_max_size; /* 0: unknown */
};

struct host_ops {
	/* By index if it is not 0, else by name.  0 or -ENODEV. */
	int (*link)(void *ctx, uint32_t ifindex, const char *name, struct host_link *out);
	/* Gives d a host side under d's name: sets d->host and d->ifindex.  'adopt': takes over an
	 * interface of that name that a former vxd left. */
	int (*side_add)(void *ctx, struct dev *d, bool adopt, struct vx_err *err);
	/* A receiving UDP socket on a port, with its napi. */
	int (*udp_open)(void *ctx, const struct udp_sock_cfg *cfg, struct udp_sock **out,
			struct vx_err *err);
	/* Moves with each change of links, addresses and routes.  NULL: nobody looks. */
	uint64_t (*generation)(void *ctx);
};

#endif
