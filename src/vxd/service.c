/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A client's socket in the loop. */
struct client {
	struct loop_source src;
	struct service *s;
	struct rtnl_conn *nl;	 /* one of the two */
	struct unixctl_conn *uc;
	struct list node;
	uint32_t events;
};

static int path_of(const struct service *s, const char *name, char *path)
{
	return snprintf(path, RUNDIR_MAX + 16, "%s/%s", s->dir, name);
}

int service_lock(struct service *s, const char *asked, char *why, size_t why_size)
{
	struct flock lk = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[RUNDIR_MAX + 16], pid[32];
	const char *reason = "";
	int n;

	if (rundir_make(asked, s->dir, &reason) < 0) {
		snprintf(why, why_size, "cannot use the run directory %s: %s; name another with "
			 "--rundir", s->dir, reason);
		return -1;
	}
	path_of(s, "vxd.pid", path);
	s->pid_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (s->pid_fd < 0) {
		snprintf(why, why_size, "cannot write %s: %s", path, strerror(errno));
		return -1;
	}
	if (fcntl(s->pid_fd, F_SETLK, &lk) < 0) {
		snprintf(why, why_size, "another vxd runs with the run directory %s: stop it (vx "
			 "stop) or name another with --rundir", s->dir);
		close(s->pid_fd);
		return -1;
	}
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(s->pid_fd, 0) < 0 || write(s->pid_fd, pid, (size_t)n) != n) {
		snprintf(why, why_size, "cannot write %s: %s", path, strerror(errno));
		return -1;
	}
	return 0;
}

static int listen_on(const char *path, int type)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd, err;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	unlink(path); /* left by a vxd that crashed: the lock says that none runs */
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 && chmod(path, 0660) == 0 &&
	    listen(fd, 64) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void client_free(struct client *c)
{
	loop_del(c->s->loop, &c->src);
	list_remove(&c->node);
	rtnl_conn_free(c->nl);
	unixctl_conn_free(c->uc);
	free(c);
}

static bool wants_write(struct client *c)
{
	if (c->nl)
		return rtnl_conn_flush(c->nl);
	return unixctl_conn_wants_write(c->uc);
}

static void update_events(struct client *c)
{
	/* A reader that does not read its answers may not ask for more. */
	bool busy = wants_write(c), waits = c->uc && c->uc->id;
	uint32_t events = busy ? EPOLLOUT : waits ? EPOLLRDHUP : EPOLLIN;

	if (events == c->events)
		return;
	c->events = events;
	loop_change(c->s->loop, &c->src, events);
}

static void client_ready(struct loop_source *src, uint32_t events)
{
	struct client *c = src->ctx;
	bool alive = !(events & (EPOLLERR | EPOLLRDHUP));

	if (c->nl && events & EPOLLIN)
		alive = alive && rtnl_conn_read(c->nl);
	else if (c->nl && events & EPOLLHUP)
		alive = false;
	else if (c->uc)
		alive = alive && unixctl_server_run(c->uc);
	if (!alive || (c->nl && c->nl->closing) || (c->uc && c->uc->closing))
		client_free(c);
	else
		update_events(c);
}

/* All descriptors are in use: whoever comes is let go by the one in reserve, or he would be "ready"
 * for ever. */
static void turn_away(struct service *s, int listener)
{
	int fd;

	close(s->spare_fd);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void accept_one(struct loop_source *src, uint32_t events)
{
	struct service_socket *k = src->ctx;
	struct service *s = k->s;
	int fd = accept4(src->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c;

	(void)events;
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			turn_away(s, src->fd);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (c && !k->ctl)
		c->nl = rtnl_conn_new(s->rtnl, fd);
	else if (c)
		c->uc = unixctl_conn_new(k->ctl, fd);
	if (!c || (!c->nl && !c->uc)) {
		close(fd);
		free(c);
		return;
	}
	c->s = s;
	c->events = EPOLLIN;
	c->src = (struct loop_source){fd, client_ready, c};
	list_append(&s->clients, &c->node);
	loop_add(s->loop, &c->src, EPOLLIN);
}

static int add_socket(struct service *s, const char *path, int type, struct unixctl_server *ctl)
{
	struct service_socket *k = &s->sockets[s->n_sockets];
	int fd = listen_on(path, type);

	if (fd < 0)
		return fd;
	s->n_sockets++;
	k->s = s;
	k->ctl = ctl;
	snprintf(k->path, sizeof(k->path), "%s", path);
	k->src = (struct loop_source){fd, accept_one, k};
	return loop_add(s->loop, &k->src, EPOLLIN);
}

int service_listen(struct service *s, struct loop *loop, struct rtnl *rtnl,
		   struct unixctl_server *ctl)
{
	char path[RUNDIR_MAX + 16];
	int r;

	s->loop = loop;
	s->rtnl = rtnl;
	list_init(&s->clients);
	s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	path_of(s, "vxd.nl", path);
	r = add_socket(s, path, SOCK_SEQPACKET, NULL);
	path_of(s, "vxd.ctl", path);
	return r < 0 ? r : add_socket(s, path, SOCK_STREAM, ctl);
}

int service_add_unixctl(struct service *s, const char *path, struct unixctl_server *ctl)
{
	return add_socket(s, path, SOCK_STREAM, ctl);
}

bool service_flush(struct service *s)
{
	bool served = false;

	list_for_each_safe (c, &s->clients, struct client, node) {
		if (c->uc && c->uc->resumed) {
			client_ready(&c->src, 0);
			served = true;
		} else {
			update_events(c);
		}
	}
	return served;
}

void service_close_clients(struct service *s)
{
	while (!list_is_empty(&s->clients))
		client_free(container_of(s->clients.next, struct client, node));
}

void service_close_sockets(struct service *s)
{
	for (uint32_t i = 0; i < s->n_sockets; i++) {
		loop_del(s->loop, &s->sockets[i].src);
		close(s->sockets[i].src.fd);
		unlink(s->sockets[i].path);
	}
	s->n_sockets = 0;
}

void service_done(struct service *s)
{
	char path[RUNDIR_MAX + 16];

	if (s->loop) {
		service_close_clients(s);
		service_close_sockets(s);
		close(s->spare_fd);
	}
	path_of(s, "vxd.pid", path);
	unlink(path);
	close(s->pid_fd);
}
