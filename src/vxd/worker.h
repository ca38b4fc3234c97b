/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that turns one worker of a struct vx: sleeps in epoll until a source is ready. */
#ifndef VX_VXD_WORKER_H
#define VX_VXD_WORKER_H

#include <pthread.h>
#include <semaphore.h>

#include "io/wake.h"
#include "net/vx.h"

struct vxd_worker {
	struct vx *vx;
	uint32_t id;
	pthread_t thread;
	int epoll, kick; /* kick: an eventfd that ends its sleep */
	_Atomic bool stop;
	bool running;
	/* A napi to be forgotten; control waits on 'done'. */
	_Atomic(struct napi *) forget;
	sem_t done;
};

struct vxd_workers {
	uint32_t n;
	struct vxd_worker w[VX_WORKERS_MAX];
};

int workers_init(struct vxd_workers *ws, uint32_t n); /* before vx_new() */
int workers_start(struct vxd_workers *ws, struct vx *vx);
void workers_stop(struct vxd_workers *ws); /* joined when it returns */
void workers_done(struct vxd_workers *ws);
/* What io/ registers descriptors with; ctx is a struct vxd_workers. */
int workers_wake_add(void *ctx, int fd, struct napi *n);
void workers_wake_del(void *ctx, int fd, struct napi *n);
void workers_call(struct vxd_workers *ws, uint32_t id, struct worker_call *call); /* and wakes it */
void workers_kick(void *ctx, uint32_t id); /* any thread; ctx is a struct vxd_workers */
uint64_t clock_now(void); /* CLOCK_MONOTONIC, ns */
uint64_t clock_epoch(void); /* what makes of it ns since 1970; moves when the clock is set */

#endif
