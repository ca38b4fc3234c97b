/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/hostlink.h"
#include "io/side.h"
#include "net/vx.h"
#include "vxd/helper_made.h"
#include "vxd/helper_ns.h"
#include "vxd/sandbox.h"

struct helper {
	uint32_t linger;
	struct list made;
};

/* --- jobs, here or in another namespace ------------------------------------------------------ */

static int job_tap(const struct helper_req *q, struct helper_rep *rep)
{
	struct vx_err err = {0};
	struct side_ask a = q->side;
	int r = tap_open(&a, &rep->ifindex, &err);

	memcpy(rep->text, err.text, sizeof(rep->text));
	rep->where.mtu = a.mtu;
	rep->where.mac = a.mac;
	rep->where.flags = a.is_up ? IFF_UP : 0;
	return r;
}

static int job_side_find(const struct helper_req *q, struct helper_rep *rep)
{
	struct host_link l;

	return hostlink_get(0, q->side.name, &l);
}

/* By the name that its queue told, or else by the index. */
static int get(const struct helper_req *q, const struct helper_rep *rep, struct host_link *l)
{
	return hostlink_get(*rep->where.name ? 0 : q->link.ifindex, rep->where.name, l);
}

static int job_find(const struct helper_req *q, struct helper_rep *rep)
{
	struct host_link l;
	int r = get(q, rep, &l);

	if (r == 0)
		rep->where = hostlink_where(&l, "");
	return r;
}

static int job_settle(const struct helper_req *q, struct helper_rep *rep)
{
	struct vx_err err = {0};
	struct host_link l;
	int r = side_settle(&q->side, &l, &err);

	memcpy(rep->text, err.text, sizeof(rep->text));
	if (r == 0)
		rep->ifindex = l.ifindex;
	return r;
}

static int job_link_set(const struct helper_req *q, struct helper_rep *rep)
{
	struct link_ask a = q->link;
	struct host_link l;
	int r = get(q, rep, &l);

	a.ifindex = l.ifindex;
	return r < 0 ? r : hostlink_set(&a);
}

static int job_link_del(const struct helper_req *q, struct helper_rep *rep)
{
	struct host_link l;
	int r = get(q, rep, &l);

	return r < 0 ? r : hostlink_del(l.ifindex);
}

/* Does the job in that namespace; *fd as ns_do().  'ns_fd' -1: in our own. */
static int run(int ns_fd, ns_job *job, const struct helper_req *q, struct helper_rep *rep, int *fd)
{
	int r;

	if (ns_fd >= 0)
		return ns_do(ns_fd, job, q, rep, fd);
	r = job(q, rep);
	*fd = r > 0 ? r : -1;
	return rep->error = r < 0 ? r : 0;
}

/* Opens what q's netns says; -1: our own.  Less than -1: a negative errno, in rep->error, too. */
static int open_ns(const char *netns, struct helper_rep *rep)
{
	int fd = *netns ? ns_find(netns, rep) : -1;

	if (*netns && fd < 0) {
		rep->error = fd;
		return fd == -1 ? -ENOENT : fd; /* -1 is -EPERM */
	}
	return fd;
}

/* --- TAPs ------------------------------------------------------------------------------------ */

/*
 * A TAP for another namespace is made in ours and moved: a descriptor belongs to the namespace
 * where it was opened and keeps that alive, so one that was opened in a container's would outlive
 * the container.  Taking over one that is there already cannot be done but inside, nor can making
 * one where vxd has rights inside only.
 */
static int tap_elsewhere(int ns_fd, const struct helper_req *q, struct helper_rep *rep, int *fd)
{
	const struct side_ask *a = &q->side;
	char name[IF_NAME_MAX];
	struct vx_err err = {0};
	struct host_link l;
	int queue, r, none;

	if (a->adopt && ns_do(ns_fd, job_side_find, q, rep, &none) == 0)
		return ns_do(ns_fd, job_tap, q, rep, fd);
	queue = tap_queue("vxd%d", TAP_FRESH, &err); /* its name may be taken here */
	if (queue == -EPERM)
		return ns_do(ns_fd, job_tap, q, rep, fd);
	r = queue < 0 ? queue : tap_name(queue, name);
	if (r == 0)
		r = hostlink_get(0, name, &l);
	if (r == 0) {
		r = hostlink_move(l.ifindex, ns_fd, a->name);
		if (r < 0)
			vx_fail(&err, r,
				"the host refuses to move the TAP %s to the network "
				"namespace \"%s\" (%s)",
				a->name, a->netns, strerror(-r));
	}
	memcpy(rep->text, err.text, sizeof(rep->text));
	rep->error = r < 0 ? r : 0;
	if (r == 0)
		r = ns_do(ns_fd, job_settle, q, rep, &none);
	if (r == 0) {
		*fd = queue;
		return 0;
	}
	if (queue >= 0)
		close(queue); /* and the TAP goes: it is not persistent yet */
	return r;
}

/* A gift is taken: it is where the host had it, as it is, or else as vxd wants it. */
static bool accept_gift(struct made *m, int ns_fd, const struct helper_req *q,
			struct helper_rep *rep, int *fd)
{
	bool as_it_is = q->side.adopt == ADOPT_ANY;
	int none;

	if (run(ns_fd, as_it_is ? job_find : job_settle, q, rep, &none) < 0)
		return false;
	if (as_it_is)
		rep->ifindex = rep->where.ifindex;
	memcpy(rep->where.netns, q->side.netns, sizeof(rep->where.netns));
	*fd = m->fd;
	m->fd = -1;
	return true;
}

/* The queue that a former helper held; false: there is none, or it is of no use any more. */
static bool tap_from_gift(struct helper *h, int ns_fd, const struct helper_req *q,
			  struct helper_rep *rep, int *fd)
{
	struct made *m = made_gift(&h->made, q->side.name, ns_ino(ns_fd));

	if (!m || q->side.adopt == ADOPT_NONE)
		return false;
	memcpy(rep->where.name, m->name, sizeof(m->name));
	if (tap_attach(m->fd, true) == 0)
		accept_gift(m, ns_fd, q, rep, fd);
	made_free(m);
	return *fd >= 0;
}

/* One that the host moved elsewhere, and perhaps calls otherwise there: it stays there.  *ns_fd is
 * the caller's to close. */
static bool tap_from_afar(struct helper *h, int *ns_fd, const struct helper_req *q,
			  struct helper_rep *rep, int *fd)
{
	struct made *m = made_gift_anywhere(&h->made, q->side.name);
	int none;

	if (!m || q->side.adopt != ADOPT_ANY || *q->side.netns ||
	    run(-1, job_side_find, q, rep, &none) == 0)
		return false;
	tap_attach(m->fd, true); /* a single queue is */
	*ns_fd = tap_name(m->fd, rep->where.name) < 0 ? -1 : tap_netns(m->fd);
	if (*ns_fd >= 0 && accept_gift(m, *ns_fd, q, rep, fd))
		ns_text(*ns_fd, rep->where.netns);
	made_free(m);
	if (*fd >= 0)
		return true;
	if (*ns_fd >= 0)
		close(*ns_fd);
	*ns_fd = -1;
	return false;
}

static void note_made(struct helper *h, const struct helper_req *q, const struct helper_rep *rep,
		      int ns_fd, int fd)
{
	struct made *m = made_add(&h->made, rep->where.netns, rep->where.name, rep->ifindex,
				  ns_ino(ns_fd), fcntl(fd, F_DUPFD_CLOEXEC, 3));

	if (m)
		memcpy(m->asked, q->side.name, sizeof(m->asked));
}

static int op_tap(struct helper *h, const struct helper_req *q, struct helper_rep *rep)
{
	const struct side_ask *a = &q->side;
	struct link_where asked = {.mtu = a->mtu, .mac = a->mac};
	int ns_fd = open_ns(a->netns, rep), fd = -1;

	if (ns_fd < -1)
		return -1;
	memcpy(asked.netns, a->netns, sizeof(asked.netns));
	memcpy(asked.name, a->name, sizeof(asked.name));
	rep->where = asked;
	if (!tap_from_gift(h, ns_fd, q, rep, &fd) && !tap_from_afar(h, &ns_fd, q, rep, &fd)) {
		rep->where = asked;
		rep->text[0] = 0;
		if (*a->netns)
			tap_elsewhere(ns_fd, q, rep, &fd);
		else
			run(-1, job_tap, q, rep, &fd);
	}
	if (fd >= 0)
		note_made(h, q, rep, ns_fd, fd);
	if (ns_fd >= 0) {
		ns_number(ns_fd);
		close(ns_fd);
	}
	return fd;
}

/* --- the other operations -------------------------------------------------------------------- */

static void op_veth(struct helper *h, const struct helper_req *q, struct helper_rep *rep)
{
	const struct side_ask *a = &q->side;
	int ns_fd = open_ns(a->netns, rep), none;
	struct vx_err err = {0};
	struct host_link l;
	struct made *m;

	if (ns_fd < -1)
		return;
	rep->error = veth_make(a, ns_fd, &err);
	memcpy(rep->text, err.text, sizeof(rep->text));
	if (rep->error == 0 && run(ns_fd, job_settle, q, rep, &none) < 0 &&
	    hostlink_get(0, a->hidden, &l) == 0)
		hostlink_del(l.ifindex);
	if (rep->error == 0) {
		m = made_add(&h->made, a->netns, a->name, rep->ifindex, ns_ino(ns_fd), -1);
		if (m && hostlink_get(0, a->hidden, &l) == 0)
			m->hidden = l.ifindex;
	}
	if (ns_fd >= 0) {
		ns_number(ns_fd);
		close(ns_fd);
	}
}

/* The namespace where the interface of m is (*ns_fd -1: our own): where its queue says, which
 * tells its name, too, or else where it was made.  0 or a negative errno, in rep->error, too. */
static int place_of(const struct made *m, struct helper_rep *rep, int *ns_fd)
{
	int r = m->fd < 0 ? -EPERM : tap_name(m->fd, rep->where.name);

	if (r == 0)
		r = *ns_fd = tap_netns(m->fd);
	if (r >= 0 && ns_ino(*ns_fd) == ns_ino(-1)) {
		close(*ns_fd);
		*ns_fd = -1;
	} else if (r < 0 && r != -ENODEV) { /* a container's, whose namespace is none of ours */
		rep->where.name[0] = 0;
		r = *ns_fd = open_ns(m->netns, rep);
		if (r < -1)
			return rep->error;
		/* A container that was started anew may have the same name and index. */
		r = ns_ino(*ns_fd) == m->ino ? 0 : -ENODEV;
	}
	return rep->error = r < 0 ? r : 0;
}

static void rename_hidden(const struct made *m)
{
	struct link_ask a = {.ifindex = m->hidden, .up = -1};

	snprintf(a.name, sizeof(a.name), HIDDEN_NAME, m->name);
	hostlink_set(&a);
}

/* Only what was made here is changed or removed. */
static void op_link(struct helper *h, const struct helper_req *q, struct helper_rep *rep)
{
	struct made *m = made_find(&h->made, q->link.netns, q->link.ifindex);
	int ns_fd = -1, none;

	rep->error = m ? 0 : -EPERM;
	if (!m)
		return;
	if (q->op != HELPER_TAP_DONE && place_of(m, rep, &ns_fd) == 0)
		run(ns_fd, q->op == HELPER_LINK_SET ? job_link_set : job_link_del, q, rep, &none);
	if (rep->error == 0 && q->op == HELPER_LINK_SET && *q->link.name) {
		memcpy(m->name, q->link.name, sizeof(m->name));
		memcpy(m->asked, q->link.name, sizeof(m->asked));
		if (m->hidden)
			rename_hidden(m);
	}
	if (q->op != HELPER_LINK_SET)
		made_free(m);
	if (ns_fd >= 0)
		close(ns_fd);
}

/* The host may have moved it, or given it another name. */
static void op_find(struct helper *h, const struct helper_req *q, struct helper_rep *rep)
{
	struct made *m = made_find(&h->made, q->link.netns, q->link.ifindex);
	int ns_fd = -1, none;

	rep->error = m ? 0 : -EPERM;
	if (!m || place_of(m, rep, &ns_fd) < 0)
		return;
	if (run(ns_fd, job_find, q, rep, &none) == 0) {
		if (ns_fd < 0)
			m->netns[0] = 0;
		else if (ns_ino(ns_fd) != m->ino)
			ns_text(ns_fd, m->netns);
		if (ns_fd >= 0)
			ns_number(ns_fd);
		m->ino = ns_ino(ns_fd);
		m->ifindex = rep->where.ifindex;
		memcpy(m->name, rep->where.name, sizeof(m->name));
		memcpy(rep->where.netns, m->netns, sizeof(m->netns));
	}
	if (ns_fd >= 0)
		close(ns_fd);
}

static int opened(int r, struct helper_rep *rep)
{
	rep->error = r < 0 ? r : 0;
	return r < 0 ? -1 : r;
}

static int op_hide(const struct helper_req *q, struct helper_rep *rep)
{
	struct hide hide = {.fd = -1};

	if (q->op == HELPER_UNHIDE) {
		hide = (struct hide){.how = HIDE_CLSACT, .fd = -1, .ifindex = q->hide.ifindex};
		io_open_direct.unhide(NULL, &hide);
		return -1;
	}
	rep->error = io_open_direct.hide(NULL, q->hide.ifindex, &hide);
	rep->how = hide.how;
	return hide.fd;
}

/* Does what q asks; the descriptor that goes with the reply, or -1. */
static int serve(struct helper *h, const struct helper_req *q, struct helper_rep *rep)
{
	switch (q->op) {
	case HELPER_TAP:
		return op_tap(h, q, rep);
	case HELPER_VETH:
		op_veth(h, q, rep);
		return -1;
	case HELPER_TAP_DONE:
	case HELPER_LINK_SET:
	case HELPER_LINK_DEL:
		op_link(h, q, rep);
		return -1;
	case HELPER_LINK_FIND:
		op_find(h, q, rep);
		return -1;
	case HELPER_PACKET:
		return opened(io_open_direct.packet(NULL, q->dev), rep);
	case HELPER_HIDE:
	case HELPER_UNHIDE:
		return op_hide(q, rep);
	case HELPER_PORT_MTU:
		rep->error = io_open_direct.port_mtu(NULL, q->port.ifindex, q->port.mtu);
		return -1;
	case HELPER_UDP:
		return opened(io_open_direct.udp(NULL, &q->udp), rep);
	case HELPER_SETTLED:
		made_drop_gifts(&h->made);
		return -1;
	}
	return -1;
}

/* One request.  False: vxd is gone; *bye: it said so. */
static bool turn(struct helper *h, int sock, bool *bye)
{
	struct helper_rep rep = {.len = sizeof(rep)};
	struct helper_req q = {0};
	size_t got;
	int fd, r = helper_recv(sock, &q, sizeof(q), &got, &fd);

	if (r < 0 && r != -EBADMSG)
		return false;
	rep.seq = q.seq;
	if (r == 0)
		r = helper_req_check(&q, fd);
	if (fd >= 0)
		close(fd);
	fd = -1;
	rep.error = r;
	if (r == 0) {
		*bye = q.op == HELPER_BYE;
		fd = serve(h, &q, &rep);
	}
	r = helper_send(sock, &rep, sizeof(rep), fd);
	if (fd >= 0)
		close(fd);
	return r == 0;
}

/* Nothing of vxd's but the pair and where it writes errors. */
static int detach(int sock, const struct helper_config *cfg)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid(); /* a terminal's signals are for vxd, which ends us */
	signal(SIGTERM, SIG_IGN); /* so are systemd's */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_NAME, "vxd-helper");
	if (null >= 0) {
		dup2(null, 0);
		dup2(null, 1);
	}
	if (cfg->chdir && chdir("/") < 0)
		fprintf(stderr, "vxd: its helper cannot change to /: %s\n", strerror(errno));
	if (cfg->quiet)
		dup2(cfg->err_fd >= 0 ? cfg->err_fd : null, 2);
	if (sock != 3)
		dup3(sock, 3, O_CLOEXEC);
	close_range(4, ~0u, 0);
	return 3;
}

/* Whoever waits for the end of vxd's standard error shall not wait for us. */
static void let_go(int sock)
{
	close(sock);
	dup2(0, 2);
	signal(SIGTERM, SIG_DFL);
}

_Noreturn void helper_main(int sock, const struct helper_config *cfg)
{
	struct helper_rep ready = {.len = sizeof(ready)};
	struct helper h = {.linger = cfg->linger};
	int listener = -1;
	char path[128];
	bool bye = false;

	list_init(&h.made);
	sock = detach(sock, cfg);
	snprintf(path, sizeof(path), "%s/vxd.helper", cfg->dir);
	sandbox_helper();
	made_take_over(&h.made, path);
	unlink(path); /* the former one's: whoever holds vxd.pid has taken over from it */
	if (cfg->linger)
		listener = made_listen(path);
	if (helper_send(sock, &ready, sizeof(ready), -1) == 0)
		while (turn(&h, sock, &bye) && !bye)
			;
	if (bye && listener >= 0)
		unlink(path);
	let_go(sock);
	if (!bye)
		made_linger(&h.made, listener, path, cfg->linger);
	_exit(0);
}
