/* SPDX-License-Identifier: Apache-2.0 */
/* Raw listeners: each gets a clone of what is delivered here for its protocol (stack.md L1). */
#ifndef VX_NET_RAW_H
#define VX_NET_RAW_H

#include "net/inet.h"

struct raw_listener {
	int fam; /* INET_V4, INET_V6 */
	uint8_t proto;
	/* Takes a clone: IPv4 with data at the IP header, IPv6 at the transport header.  Usually
	 * ends in pkt_consume().  Any worker's thread. */
	void (*rcv)(struct worker *w, const struct raw_listener *l, struct pkt *p);
	void *ctx;
};

enum { RAW_MAX = 32 };

struct raw_table {
	uint32_t n;
	struct raw_listener *l[RAW_MAX];
};

int raw_register(struct vx *vx, struct raw_listener *l); /* -ENOSPC, -ENOMEM; stays the caller's */
void raw_unregister(struct vx *vx, struct raw_listener *l); /* unused after a grace period */

/* Data at the transport header.  True: somebody listens. */
bool raw_deliver(struct worker *w, int fam, struct pkt *p);

#endif
