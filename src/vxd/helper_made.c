/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/helper_made.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "io/side.h"
#include "vxd/helper_ns.h"

enum { GIFT_WAIT = 3 /* seconds for the next message of a hand-over */ };

struct made *made_add(struct list *l, const char *netns, const char *name, uint32_t ifindex,
		      uint64_t ino, int fd)
{
	struct made *m = calloc(1, sizeof(*m));

	if (!m) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	memcpy(m->netns, netns, sizeof(m->netns));
	memcpy(m->name, name, sizeof(m->name));
	memcpy(m->asked, name, sizeof(m->asked));
	m->ifindex = ifindex;
	m->ino = ino;
	m->fd = fd;
	list_append(l, &m->node);
	return m;
}

struct made *made_find(struct list *l, const char *netns, uint32_t ifindex)
{
	list_for_each (m, l, struct made, node)
		if (!m->gift && m->ifindex == ifindex && !strcmp(m->netns, netns))
			return m;
	return NULL;
}

struct made *made_gift(struct list *l, const char *name, uint64_t ino)
{
	list_for_each (m, l, struct made, node)
		if (m->gift && m->ino == ino && !strcmp(m->name, name))
			return m;
	return NULL;
}

struct made *made_gift_anywhere(struct list *l, const char *asked)
{
	list_for_each (m, l, struct made, node)
		if (m->gift && !strcmp(m->asked, asked))
			return m;
	return NULL;
}

void made_free(struct made *m)
{
	if (!m)
		return;
	list_remove(&m->node);
	if (m->fd >= 0)
		close(m->fd);
	free(m);
}

void made_drop_gifts(struct list *l)
{
	list_for_each_safe (m, l, struct made, node)
		if (m->gift)
			made_free(m);
}

/* --- hand-over ------------------------------------------------------------------------------- */

static bool address_of(const char *path, struct sockaddr_un *sa)
{
	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(sa->sun_path))
		return false;
	memcpy(sa->sun_path, path, strlen(path));
	return true;
}

/* Is the other end our user's, or root's? */
static bool is_friend(int fd)
{
	struct ucred c;
	socklen_t len = sizeof(c);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) == 0 &&
	       (c.uid == 0 || c.uid == geteuid());
}

static void set_timeout(int fd)
{
	struct timeval tv = {.tv_sec = GIFT_WAIT};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

void made_take_over(struct list *l, const char *path)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), queue;
	struct helper_gift g;
	struct sockaddr_un sa;
	size_t got;

	if (fd < 0)
		return;
	set_timeout(fd);
	if (!address_of(path, &sa) || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    !is_friend(fd))
		goto out_close;
	while (helper_recv(fd, &g, sizeof(g), &got, &queue) == 0) {
		struct made *m;

		if (helper_gift_check(&g, queue) < 0 || g.last) {
			if (queue >= 0)
				close(queue);
			break;
		}
		m = made_add(l, g.netns, g.name, 0, g.ino, queue);
		if (!m)
			continue;
		m->gift = true;
		memcpy(m->asked, g.asked, sizeof(m->asked));
	}
out_close:
	close(fd);
}

int made_listen(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), r;
	struct sockaddr_un sa;

	if (fd < 0)
		return -errno;
	if (address_of(path, &sa) && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
	    chmod(path, 0600) == 0 && listen(fd, 4) == 0)
		return fd;
	r = errno ? -errno : -ENAMETOOLONG;
	close(fd);
	return r;
}

/* False: they do not have all of it. */
static bool give(struct list *l, int fd)
{
	struct helper_gift g = {.len = sizeof(g)};

	list_for_each (m, l, struct made, node) {
		if (m->fd < 0)
			continue;
		g.ino = m->ino;
		memcpy(g.netns, m->netns, sizeof(g.netns));
		memcpy(g.name, m->name, sizeof(g.name));
		memcpy(g.asked, m->asked, sizeof(g.asked));
		if (helper_send(fd, &g, sizeof(g), m->fd) < 0)
			return false;
	}
	g = (struct helper_gift){.len = sizeof(g), .last = 1};
	return helper_send(fd, &g, sizeof(g), -1) == 0;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* What the host called it at last, and where: a detached queue does not tell. */
static void note_place(struct made *m)
{
	int ns_fd = tap_netns(m->fd);

	tap_name(m->fd, m->name);
	if (ns_fd >= 0) {
		m->ino = ns_ino(ns_fd);
		close(ns_fd);
	}
}

/* A TAP's only queue cannot be detached: kept, it would keep everybody else from the TAP.  One that
 * is in another namespace nobody else would look for. */
static bool may_hold(const struct made *m)
{
	return tap_attach(m->fd, false) == 0 || m->ino != ns_ino(-1);
}

static bool hold(struct list *l)
{
	bool any = false;

	list_for_each_safe (m, l, struct made, node) {
		/* A gift that was not asked for yet is detached already. */
		if (m->fd >= 0 && !m->gift)
			note_place(m);
		if (m->fd >= 0 && (m->gift || may_hold(m)))
			any = true;
		else
			made_free(m);
	}
	return any;
}

void made_linger(struct list *l, int listener, const char *path, uint32_t seconds)
{
	uint64_t end = now_ms() + seconds * 1000ull, now;
	struct pollfd p = {.fd = listener, .events = POLLIN};
	bool given = false;

	if (!seconds || !hold(l))
		seconds = 0;
	while (seconds && listener >= 0 && !given && (now = now_ms()) < end) {
		int fd;

		if (poll(&p, 1, (int)(end - now)) <= 0)
			continue;
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		set_timeout(fd);
		given = is_friend(fd) && give(l, fd);
		close(fd);
	}
	/* Before the socket closes: who finds it gone may bind the path anew. */
	if (!given)
		unlink(path);
}
