/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/helper_client.h"

#include <assert.h>
#include <errno.h>
#include <linux/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/udp_open.h"
#include "net/vx.h"
#include "vxd/helper_proto.h"

enum { REAP_TRIES = 100, REAP_WAIT = 10 /* ms */ };
enum { ANSWER_WAIT = 30 /* seconds; the host's rtnetlink may be busy */ };

/* Told once. */
static int lose(struct helper_client *c)
{
	if (!atomic_exchange(&c->lost, true))
		fputs("vxd: its helper has ended: what is open goes on, but nothing that needs a "
		      "privilege can be opened or changed until vxd is restarted\n",
		      stderr);
	return -EPIPE;
}

/* The reply to 'seq'; replies to questions that were given up are thrown away. */
static int receive(struct helper_client *c, uint32_t seq, struct helper_rep *rep, int *fd)
{
	for (;;) {
		size_t got;
		int r = helper_recv(c->sock, rep, sizeof(*rep), &got, fd);

		if (r == 0)
			r = helper_rep_check(rep, *fd);
		if (r == 0 && rep->seq == seq)
			return 0;
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		if (r == -EAGAIN)
			return -ETIMEDOUT;
		if (r < 0)
			return lose(c);
	}
}

/* 0 or a negative errno; *fd the descriptor that came, or -1. */
static int ask(struct helper_client *c, struct helper_req *q, struct helper_rep *rep, int *fd)
{
	int r;

	*fd = -1;
	*rep = (struct helper_rep){0};
	if (atomic_load(&c->lost))
		return -EPIPE;
	pthread_mutex_lock(&c->lock);
	q->len = sizeof(*q);
	q->seq = ++c->seq ? c->seq : ++c->seq;
	r = helper_send(c->sock, q, sizeof(*q), -1) < 0 ? lose(c) : receive(c, q->seq, rep, fd);
	pthread_mutex_unlock(&c->lock);
	return r < 0 ? r : rep->error;
}

/* Where a descriptor has to come along. */
static int ask_fd(struct helper_client *c, struct helper_req *q, struct helper_rep *rep)
{
	int fd, r = ask(c, q, rep, &fd);

	return r < 0 ? r : fd < 0 ? -EBADMSG : fd;
}

static int ask_plain(struct helper_client *c, struct helper_req *q)
{
	struct helper_rep rep;
	int fd, r = ask(c, q, &rep, &fd);

	if (fd >= 0)
		close(fd);
	return r;
}

/* The helper's sentence becomes ours. */
static int explain(struct helper_client *c, int r, const struct helper_rep *rep, struct vx_err *err)
{
	if (r < 0 && atomic_load(&c->lost))
		return vx_fail(err, r, "vxd's helper has ended: restart vxd to add interfaces");
	return r < 0 && *rep->text ? vx_fail(err, r, "%s", rep->text) : r;
}

/* --- struct io_open -------------------------------------------------------------------------- */

static int client_packet(void *ctx, const char *dev)
{
	struct helper_req q = {.op = HELPER_PACKET};
	struct helper_rep rep;

	memcpy(q.dev, dev, strnlen(dev, sizeof(q.dev) - 1));
	return ask_fd(ctx, &q, &rep);
}

static int client_hide(void *ctx, uint32_t ifindex, struct hide *out)
{
	struct helper_req q = {.op = HELPER_HIDE, .hide = {ifindex}};
	struct helper_rep rep;
	int fd, r = ask(ctx, &q, &rep, &fd);

	*out = (struct hide){.how = HIDE_NONE, .fd = -1, .ifindex = ifindex};
	if (r < 0)
		return r;
	out->how = rep.how;
	out->fd = fd;
	return 0;
}

static void client_unhide(void *ctx, struct hide *h)
{
	struct helper_req q = {.op = HELPER_UNHIDE, .hide = {h->ifindex}};

	if (h->how == HIDE_TCX)
		close(h->fd);
	else if (h->how == HIDE_CLSACT)
		ask_plain(ctx, &q);
	*h = (struct hide){.how = HIDE_NONE, .fd = -1};
}

static int client_port_mtu(void *ctx, uint32_t ifindex, uint32_t mtu)
{
	struct helper_req q = {.op = HELPER_PORT_MTU, .port = {ifindex, mtu}};

	return ask_plain(ctx, &q);
}

static int client_tap(void *ctx, struct side_ask *a, uint32_t *ifindex, struct vx_err *err)
{
	struct helper_req q = {.op = HELPER_TAP, .side = *a};
	struct helper_rep rep;
	int fd = ask_fd(ctx, &q, &rep);

	if (fd < 0)
		return explain(ctx, fd, &rep, err);
	*ifindex = rep.ifindex;
	memcpy(a->netns, rep.where.netns, sizeof(a->netns));
	memcpy(a->name, rep.where.name, sizeof(a->name));
	a->mtu = rep.where.mtu;
	a->mac = rep.where.mac;
	a->is_up = rep.where.flags & IFF_UP;
	return fd;
}

static struct helper_req link_req(enum helper_op op, const char *netns, uint32_t ifindex)
{
	struct helper_req q = {.op = op, .link = {.ifindex = ifindex, .up = -1}};

	memcpy(q.link.netns, netns, strnlen(netns, sizeof(q.link.netns) - 1));
	return q;
}

static void client_tap_done(void *ctx, const char *netns, uint32_t ifindex)
{
	struct helper_req q = link_req(HELPER_TAP_DONE, netns, ifindex);

	ask_plain(ctx, &q);
}

static int client_veth(void *ctx, const struct side_ask *a, uint32_t *ifindex, struct vx_err *err)
{
	struct helper_req q = {.op = HELPER_VETH, .side = *a};
	struct helper_rep rep;
	int fd, r = ask(ctx, &q, &rep, &fd);

	if (fd >= 0)
		close(fd);
	if (r == 0)
		*ifindex = rep.ifindex;
	return explain(ctx, r, &rep, err);
}

static int client_link_set(void *ctx, const struct link_ask *a)
{
	struct helper_req q = {.op = HELPER_LINK_SET, .link = *a};

	return ask_plain(ctx, &q);
}

static int client_link_find(void *ctx, const char *netns, uint32_t ifindex, struct link_where *out)
{
	struct helper_req q = link_req(HELPER_LINK_FIND, netns, ifindex);
	struct helper_rep rep;
	int fd, r = ask(ctx, &q, &rep, &fd);

	if (fd >= 0)
		close(fd);
	if (r == 0)
		*out = rep.where;
	return r;
}

static int client_link_del(void *ctx, const char *netns, uint32_t ifindex)
{
	struct helper_req q = link_req(HELPER_LINK_DEL, netns, ifindex);

	return ask_plain(ctx, &q);
}

static int client_udp(void *ctx, const struct udp_ask *a)
{
	struct helper_req q = {.op = HELPER_UDP, .udp = *a};
	struct helper_rep rep;
	int r = ask_fd(ctx, &q, &rep);

	return r == -EPIPE || r == -ETIMEDOUT ? udp_open(a) : r;
}

static const struct io_open client_open = {
	.packet = client_packet,
	.hide = client_hide,
	.unhide = client_unhide,
	.port_mtu = client_port_mtu,
	.tap = client_tap,
	.tap_done = client_tap_done,
	.veth = client_veth,
	.link_set = client_link_set,
	.link_find = client_link_find,
	.link_del = client_link_del,
	.udp = client_udp,
};

/* --- life ------------------------------------------------------------------------------------ */

int helper_start(struct helper_client *c, const struct helper_config *cfg)
{
	struct timeval tv = {.tv_sec = ANSWER_WAIT};
	struct helper_rep rep;
	int pair[2], fd, r;

	static_assert((int)HELPER_TEXT_MAX == (int)ERR_TEXT_MAX,
		      "a sentence of one fits the other");
	*c = (struct helper_client){.sock = -1, .open = client_open};
	c->open.ctx = c;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	c->pid = fork();
	if (c->pid == 0)
		helper_main(pair[1], cfg);
	r = c->pid < 0 ? -errno : 0;
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		return r;
	}
	c->sock = pair[0];
	setsockopt(c->sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	pthread_mutex_init(&c->lock, NULL);
	return receive(c, 0, &rep, &fd);
}

void helper_settled(struct helper_client *c)
{
	struct helper_req q = {.op = HELPER_SETTLED};

	ask_plain(c, &q);
}

void helper_check(struct helper_client *c)
{
	lose(c);
	/* Its sockets close a little before it can be waited for. */
	for (int i = 0; i < REAP_TRIES && waitpid(c->pid, NULL, WNOHANG) == 0; i++)
		poll(NULL, 0, REAP_WAIT);
}

void helper_stop(struct helper_client *c)
{
	struct helper_req q = {.op = HELPER_BYE};

	if (c->sock < 0)
		return;
	ask_plain(c, &q);
	close(c->sock);
	c->sock = -1;
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
