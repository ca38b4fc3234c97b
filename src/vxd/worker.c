/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/worker.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "net/napi.h"

enum { EVENTS = 64 };

static uint64_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

uint64_t clock_epoch(void)
{
	return clock_read(CLOCK_REALTIME) - clock_now();
}

int workers_init(struct vxd_workers *ws, uint32_t n)
{
	*ws = (struct vxd_workers){0};
	for (uint32_t i = 0; i < n; i++) {
		struct vxd_worker *w = &ws->w[i];
		struct epoll_event ev = {.events = EPOLLIN};

		w->id = i;
		w->epoll = epoll_create1(EPOLL_CLOEXEC);
		w->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (w->epoll < 0 || w->kick < 0 ||
		    epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->kick, &ev) < 0)
			return -errno;
		sem_init(&w->done, 0, 0);
		ws->n++;
	}
	return 0;
}

static void kick(struct vxd_worker *w)
{
	uint64_t one = 1;

	if (write(w->kick, &one, sizeof(one)) < 0)
		return; /* full: it is awake */
}

/* Control waits until the napi is forgotten; a stopped worker cannot touch it. */
static void run_forget(struct vxd_worker *w)
{
	struct napi *n = atomic_exchange(&w->forget, NULL);

	if (!n)
		return;
	napi_remove(n);
	sem_post(&w->done);
}

/* Milliseconds until the next timer, rounded up; -1: none. */
static int sleep_ms(struct vxd_worker *w, bool more)
{
	uint64_t at, now;

	if (more)
		return 0;
	at = vx_next_timer(w->vx, w->id);
	if (at == UINT64_MAX)
		return -1;
	now = clock_now();
	return at <= now ? 0 : (int)MIN((at - now + NS_PER_MS - 1) / NS_PER_MS, 60000ull);
}

static void schedule(struct vxd_worker *w, const struct epoll_event *ev)
{
	uint64_t v;

	if (ev->data.ptr)
		napi_schedule(ev->data.ptr);
	else if (read(w->kick, &v, sizeof(v)) < 0)
		return; /* somebody read it before: nothing to do */
}

static void *run(void *arg)
{
	struct vxd_worker *w = arg;
	struct epoll_event ev[EVENTS];
	bool more = false;

	while (!atomic_load(&w->stop)) {
		int ms = sleep_ms(w, more), n;

		/* Idle only where it may sleep: control then need not wait for it. */
		if (ms)
			quiesce_idle(&w->vx->quiesce, w->id);
		n = epoll_wait(w->epoll, ev, EVENTS, ms);
		quiesce_pass(&w->vx->quiesce, w->id);
		for (int i = 0; i < n; i++)
			schedule(w, &ev[i]);
		run_forget(w); /* after the events, which may name it */
		more = vx_turn(w->vx, w->id, clock_now());
	}
	quiesce_idle(&w->vx->quiesce, w->id);
	return NULL;
}

int workers_start(struct vxd_workers *ws, struct vx *vx)
{
	for (uint32_t i = 0; i < ws->n; i++) {
		struct vxd_worker *w = &ws->w[i];
		char name[16];
		int r;

		w->vx = vx;
		r = pthread_create(&w->thread, NULL, run, w);
		if (r)
			return -r;
		w->running = true;
		snprintf(name, sizeof(name), "vxd-worker%u", i % 100);
		pthread_setname_np(w->thread, name);
	}
	return 0;
}

void workers_stop(struct vxd_workers *ws)
{
	for (uint32_t i = 0; i < ws->n; i++) {
		struct vxd_worker *w = &ws->w[i];

		if (!w->running)
			continue;
		atomic_store(&w->stop, true);
		kick(w);
		pthread_join(w->thread, NULL);
		w->running = false;
	}
}

void workers_done(struct vxd_workers *ws)
{
	workers_stop(ws);
	for (uint32_t i = 0; i < ws->n; i++) {
		close(ws->w[i].epoll);
		close(ws->w[i].kick);
		sem_destroy(&ws->w[i].done);
	}
}

void workers_kick(void *ctx, uint32_t id)
{
	kick(&((struct vxd_workers *)ctx)->w[id]);
}

void workers_call(struct vxd_workers *ws, uint32_t id, struct worker_call *call)
{
	vx_call(ws->w[id].vx, id, call);
	kick(&ws->w[id]);
}

int workers_wake_add(void *ctx, int fd, struct napi *n)
{
	struct vxd_workers *ws = ctx;
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = n};

	return epoll_ctl(ws->w[n->w->id].epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

void workers_wake_del(void *ctx, int fd, struct napi *n)
{
	struct vxd_workers *ws = ctx;
	struct vxd_worker *w = &ws->w[n->w->id];

	epoll_ctl(w->epoll, EPOLL_CTL_DEL, fd, NULL);
	if (!w->running) {
		napi_remove(n);
		return;
	}
	atomic_store(&w->forget, n);
	kick(w);
	while (sem_wait(&w->done) < 0 && errno == EINTR)
		;
}
