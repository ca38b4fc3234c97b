/* SPDX-License-Identifier: Apache-2.0 */
/* Control's event loop: one epoll, a function per descriptor. */
#ifndef VX_VXD_LOOP_H
#define VX_VXD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop_source {
	int fd;
	/* Called while the descriptor is ready; may remove and free its own source. */
	void (*ready)(struct loop_source *s, uint32_t events);
	void *ctx;
};

struct loop {
	int epoll;
	bool stop;
	/* Sources removed during a round are remembered, so that no stale event reaches them. */
	struct loop_source *gone[64];
	uint32_t n_gone;
};

int loop_init(struct loop *l);
void loop_done(struct loop *l);
int loop_add(struct loop *l, struct loop_source *s, uint32_t events);
int loop_change(struct loop *l, struct loop_source *s, uint32_t events);
void loop_del(struct loop *l, struct loop_source *s);
/* One round: waits at most 'ms' (-1: for ever). */
void poll_block(struct loop *l, int ms);

#endif
