/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a port's descriptor gets its napi scheduled.  The event loop (vxd) fills this in; io/ only
 * registers.  Level triggered: while the descriptor is readable and the napi is not scheduled, the
 * thread of worker n->w calls napi_schedule(n) before its next vx_turn().
 *
 * Called by control.  When del() returns, 'n' is not scheduled and the loop does not touch it again
 * (with workers of their own threads: the worker itself calls napi_remove(), and del() waits).
 */
#ifndef VX_IO_WAKE_H
#define VX_IO_WAKE_H

struct napi;

struct io_wake {
	int (*add)(void *ctx, int fd, struct napi *n); /* 0 or a negative errno */
	void (*del)(void *ctx, int fd, struct napi *n); /* before the descriptor is closed */
	void *ctx;
};

static inline int io_wake_add(const struct io_wake *k, int fd, struct napi *n)
{
	return k->add ? k->add(k->ctx, fd, n) : 0;
}

static inline void io_wake_del(const struct io_wake *k, int fd, struct napi *n)
{
	if (k->del)
		k->del(k->ctx, fd, n);
}

#endif
