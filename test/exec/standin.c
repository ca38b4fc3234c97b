/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for vxd.nl: relays each client's messages to a NETLINK_ROUTE socket of its own in the
 * network namespace it was started in, so that what a program sees through vx exec can be compared
 * with what it sees from the kernel.
 *
 * usage: standin PATH
 *
 * The kernel does a request within sendmsg() and produces a dump within recvmsg(), so a datagram is
 * processed when sendmsg() has returned and the kernel's socket is empty.  Replies and counts pass
 * through one queue per client, so a count is given only after the replies before it are written.
 * SIGUSR1 makes it tell every client of an overrun, SIGUSR2 makes it slow (100 ms per request).
 */
#include "ctl/nlproto.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS_MAX = 200, BUF_SIZE = 1 << 18 };

/* A datagram to be written, or with 'len' 0 the count of one processed. */
struct item {
	struct item *next;
	size_t len;
	char data[];
};

struct client {
	int fd; /* -1: free */
	int kernel;
	int done_fd;   /* -1: none handed over */
	uint32_t port; /* what the client calls itself */
	uint32_t kernel_port;
	struct item *first, **last;
};

static struct client clients[CLIENTS_MAX];
static char buf[BUF_SIZE];
static volatile sig_atomic_t overrun_asked, slow;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		overrun_asked = 1;
	else
		slow = !slow;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void enqueue(struct client *c, const void *data, size_t len)
{
	struct item *item = malloc(sizeof(*item) + len);

	if (!item)
		die("malloc");
	item->next = NULL;
	item->len = len;
	memcpy(item->data, data, len);
	*c->last = item;
	c->last = &item->next;
}

static void client_end(struct client *c)
{
	while (c->first) {
		struct item *item = c->first;

		c->first = item->next;
		free(item);
	}
	close(c->fd);
	close(c->kernel);
	if (c->done_fd >= 0)
		close(c->done_fd);
	c->fd = -1;
}

static void flush(struct client *c)
{
	const uint64_t one = 1;

	while (c->first) {
		struct item *item = c->first;

		if (item->len &&
		    send(c->fd, item->data, item->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			return; /* full: poll() tells when to go on; closed: recv() will tell */
		if (!item->len && c->done_fd >= 0 &&
		    write(c->done_fd, &one, sizeof(one)) != sizeof(one))
			die("eventfd");
		c->first = item->next;
		if (!c->first)
			c->last = &c->first;
		free(item);
	}
}

/* The port the client knows for the kernel's 'port'. */
static uint32_t client_port(uint32_t port)
{
	for (struct client *c = clients; port && c < clients + CLIENTS_MAX; c++)
		if (c->fd >= 0 && c->kernel_port == port)
			return c->port;
	return port;
}

static void relay_from_kernel(struct client *c)
{
	ssize_t n;

	while ((n = recv(c->kernel, buf, sizeof(buf), MSG_DONTWAIT)) != 0) {
		struct nlmsghdr *head = (void *)buf;
		size_t left = n;

		if (n < 0 && errno == ENOBUFS) {
			struct nlmsghdr lost = {.nlmsg_len = sizeof(lost),
						.nlmsg_type = NLMSG_OVERRUN};

			enqueue(c, &lost, sizeof(lost));
			continue;
		}
		if (n < 0)
			return;
		for (; NLMSG_OK(head, left); head = NLMSG_NEXT(head, left))
			head->nlmsg_pid = client_port(head->nlmsg_pid);
		enqueue(c, buf, n);
	}
}

static void set_option(struct client *c, const struct nlproto_option *o)
{
	int one_value = o->value;

	if (o->option != NLPROTO_BIND_GROUPS) {
		if (setsockopt(c->kernel, SOL_NETLINK, o->option, &one_value, sizeof(one_value)))
			perror("standin: option");
		return;
	}
	for (int bit = 0; bit < 32; bit++) {
		int group = bit + 1;

		if (o->value & 1u << bit)
			setsockopt(c->kernel, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
				   sizeof(group));
	}
}

/* The descriptor in 'msg', or -1. */
static int passed_fd(struct msghdr *msg)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	int fd;

	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

static void from_client(struct client *c)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct nlmsghdr *head = (void *)buf;
	struct nlproto_option *o = NLMSG_DATA(head);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < (ssize_t)sizeof(*head)) {
		client_end(c);
		return;
	}
	if (head->nlmsg_type == NLPROTO_OPTION && o->option == NLPROTO_DONE_FD) {
		c->done_fd = passed_fd(&msg);
		return;
	}
	if (slow)
		usleep(100000);
	if (head->nlmsg_type == NLPROTO_OPTION) {
		set_option(c, o);
	} else {
		c->port = head->nlmsg_pid;
		if (send(c->kernel, buf, n, 0) < 0)
			perror("standin: send");
		relay_from_kernel(c);
	}
	enqueue(c, NULL, 0);
}

static void client_new(int listener)
{
	struct sockaddr_nl own = {.nl_family = AF_NETLINK};
	socklen_t len = sizeof(own);
	struct client *c = clients;
	int size = 1 << 22, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	while (c < clients + CLIENTS_MAX && c->fd >= 0)
		c++;
	if (c == clients + CLIENTS_MAX) {
		close(fd);
		return;
	}
	*c = (struct client){.fd = fd, .done_fd = -1, .last = &c->first};
	c->kernel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (c->kernel < 0 || bind(c->kernel, (struct sockaddr *)&own, sizeof(own)) ||
	    getsockname(c->kernel, (struct sockaddr *)&own, &len))
		die("netlink");
	setsockopt(c->kernel, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	c->kernel_port = own.nl_pid;
}

static int listen_at(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(addr.sun_path))
		exit(2);
	strcpy(addr.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 64))
		die(path);
	return fd;
}

static void tell_overrun(void)
{
	struct nlmsghdr lost = {.nlmsg_len = sizeof(lost), .nlmsg_type = NLMSG_OVERRUN};

	overrun_asked = 0;
	for (struct client *c = clients; c < clients + CLIENTS_MAX; c++) {
		if (c->fd < 0)
			continue;
		enqueue(c, &lost, sizeof(lost));
		flush(c);
	}
}

static void turn(int listener)
{
	struct pollfd pfd[1 + 2 * CLIENTS_MAX] = {{.fd = listener, .events = POLLIN}};

	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &clients[i];
		short more = c->fd >= 0 && c->first ? POLLOUT : 0;

		pfd[1 + 2 * i] = (struct pollfd){.fd = c->fd, .events = POLLIN | more};
		pfd[2 + 2 * i] =
			(struct pollfd){.fd = c->fd < 0 ? -1 : c->kernel, .events = POLLIN};
	}
	if (poll(pfd, 1 + 2 * CLIENTS_MAX, -1) < 0)
		return;
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &clients[i];

		if (c->fd >= 0 && pfd[2 + 2 * i].revents)
			relay_from_kernel(c);
		if (c->fd >= 0 && pfd[1 + 2 * i].revents & ~POLLOUT)
			from_client(c);
		if (c->fd >= 0)
			flush(c);
	}
	if (pfd[0].revents)
		client_new(listener);
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_signal};
	int listener;

	if (argc != 2) {
		fputs("usage: standin PATH\n", stderr);
		return 2;
	}
	for (int i = 0; i < CLIENTS_MAX; i++)
		clients[i].fd = -1;
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	listener = listen_at(argv[1]);
	for (;;) {
		if (overrun_asked)
			tell_overrun();
		turn(listener);
	}
}
