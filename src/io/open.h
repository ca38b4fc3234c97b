/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few calls of a packet port that need privileges, as a table, so that a helper process can
 * make them for a vxd that has none.  io_open_direct makes them in this process.
 *
 * Called by control.
 */
#ifndef VX_IO_OPEN_H
#define VX_IO_OPEN_H

#include <stdint.h>

enum hide_how { HIDE_NONE, HIDE_TCX, HIDE_CLSACT };

/* What hides an interface's frames from the host's own stack. */
struct hide {
	enum hide_how how;
	int fd; /* HIDE_TCX: the link; the program goes when it is closed.  Else -1 */
	uint32_t ifindex;
};

struct io_open {
	/* An AF_PACKET socket (SOCK_RAW) for interface 'dev', non-blocking, buffers enlarged, not
	 * bound: nothing arrives yet, and what is left to do needs no privileges.  Returns the
	 * descriptor or a negative errno. */
	int (*packet)(void *ctx, const char *dev);
	/* Drops at tc ingress; 0 or a negative errno (then out->how is HIDE_NONE). */
	int (*hide)(void *ctx, uint32_t ifindex, struct hide *out);
	void (*unhide)(void *ctx, struct hide *h); /* harmless if nothing is hidden */
	void *ctx;
};

extern const struct io_open io_open_direct;

#endif
