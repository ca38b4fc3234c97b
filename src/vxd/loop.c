/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

int loop_init(struct loop *l)
{
	*l = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	return l->epoll < 0 ? -errno : 0;
}

void loop_done(struct loop *l)
{
	close(l->epoll);
}

static int control(struct loop *l, int op, struct loop_source *s, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = s};

	return epoll_ctl(l->epoll, op, s->fd, &ev) < 0 ? -errno : 0;
}

int loop_add(struct loop *l, struct loop_source *s, uint32_t events)
{
	return control(l, EPOLL_CTL_ADD, s, events);
}

int loop_change(struct loop *l, struct loop_source *s, uint32_t events)
{
	return control(l, EPOLL_CTL_MOD, s, events);
}

void loop_del(struct loop *l, struct loop_source *s)
{
	control(l, EPOLL_CTL_DEL, s, 0);
	if (l->n_gone < sizeof(l->gone) / sizeof(l->gone[0]))
		l->gone[l->n_gone++] = s;
}

static bool is_gone(const struct loop *l, const struct loop_source *s)
{
	for (uint32_t i = 0; i < l->n_gone; i++)
		if (l->gone[i] == s)
			return true;
	return false;
}

void poll_block(struct loop *l, int ms)
{
	struct epoll_event ev[32]; /* fewer than gone[] remembers */
	int n = epoll_wait(l->epoll, ev, 32, ms);

	l->n_gone = 0;
	for (int i = 0; i < n; i++) {
		struct loop_source *s = ev[i].data.ptr;

		if (!is_gone(l, s))
			s->ready(s, ev[i].events);
	}
}
