/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vxd.nl: the kernel's rtnetlink, spoken by vxd (spec/control.md 2).
 *
 * rtnl.c dispatches and answers, rtnl_link.c and rtnl_fdb.c do the work, rtnl_sock.c carries
 * datagrams.  All of it runs on control's thread, but for the queue of FDB events that workers
 * fill.
 */
#ifndef VX_CTL_RTNL_H
#define VX_CTL_RTNL_H

#include <libmnl/libmnl.h>
#include <pthread.h>

#include "ctl/canon.h"
#include "ctl/state.h"
#include "io/host.h"
#include "net/link.h"

enum {
	/* Attributes of vx's own, in IFLA_*. */
	IFLA_VX_NOHOST = 0x2000, /* flag */
	IFLA_VX_NETNS = 0x2001,	 /* string: name, pid or path of the host side's namespace */
	IFLA_VX_OWN = 0x2002,	 /* flag, in a dump request (also of IFA, RTA, NDA): vx's own only */
	IFLA_VX_MAKER = 0x2003,	 /* string: the command, for explain */
	IFLA_VX_HOSTKIND = 0x2004, /* string: what the host's side is ("tap", "veth") */
	IFLA_VX_OWNER = 0x2005,	 /* string: netlink or ovsdb */
	IFLA_VX_NETNAME = 0x2006, /* string: the host side's name in its namespace, if it is another */

	RTNL_GROUPS = 64,
	RTNL_MSG_MAX = 8192,	      /* one message of ours */
	RTNL_REPLY_QUEUE = 64 << 20,  /* bytes of answers that wait in a connection */
	RTNL_NOTIFY_QUEUE = 4 << 20,  /* bytes of notifications that do */
	RTNL_EVENTS_MAX = 65536,      /* FDB events between two turns of control */
};

struct rtnl_out; /* a datagram, or a mark that a request is done */

struct rtnl_conn {
	struct list node;
	struct rtnl *r;
	int fd, done_fd; /* done_fd -1: nobody counts */
	bool ext_ack, cap_ack, strict, overrun, closing;
	uint64_t groups; /* bit g-1: member of RTNLGRP g */
	struct rtnl_out *first, **last;
	size_t queued;
	/* The dump or answer that is being gathered. */
	uint8_t *buf;
	size_t len;
	/* Of the request at work. */
	uint32_t seq, pid;
};

struct fdb_event {
	enum vx_event_kind kind;
	uint32_t ifindex;
	uint16_t dev_port;
	uint32_t dev_vni;
	struct fdb_view view;
};

struct rtnl {
	struct vx *vx;
	struct io_host *host;
	struct list conns;
	struct state *state; /* what was accepted is recorded there; NULL: nowhere */
	bool adopt;	     /* devices take over what a former vxd left on the host */
	/* FDB events from workers. */
	pthread_mutex_t lock;
	struct fdb_event *events;
	uint32_t n_events, cap_events;
	bool lost_events;
	int wake_fd; /* written when events wait */
};

int rtnl_init(struct rtnl *r, struct vx *vx, struct io_host *host, int wake_fd);
void rtnl_done(struct rtnl *r);
/* vx_events. */
void rtnl_link_event(void *ctx, enum vx_event_kind kind, struct dev *d);
void rtnl_fdb_event(void *ctx, enum vx_event_kind kind, struct dev *d, const struct fdb_view *e);
void rtnl_run_events(struct rtnl *r); /* control: sends what workers queued */

/* One datagram of messages from c: does and answers them. */
void rtnl_datagram(struct rtnl_conn *c, const void *buf, size_t len, int passed_fd);

/* A request of vxd itself (-f, state): 0 or a negative errno. */
int rtnl_do(struct rtnl *r, const struct nlmsghdr *nlh, struct vx_err *err);

/* --- for rtnl_link.c and rtnl_fdb.c ---------------------------------------------------------- */

typedef int rtnl_handler(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err);
/* Reads from the host what vx does not keep. */
rtnl_handler rtnl_relay;
rtnl_handler rtnl_newaddr, rtnl_deladdr, rtnl_getaddr, rtnl_newroute, rtnl_delroute, rtnl_getroute;
/* Neighbours of vx's own stack: the other families of RTM_*NEIGH. */
rtnl_handler rtnl_newneigh_ip, rtnl_delneigh_ip, rtnl_getneigh_ip;
rtnl_handler rtnl_newlink, rtnl_dellink, rtnl_getlink, rtnl_getstats, rtnl_newneigh, rtnl_delneigh, rtnl_getneigh;

/* A message of an answer: begun in a buffer of the connection, ended by rtnl_put(). */
struct nlmsghdr *rtnl_begin(struct rtnl_conn *c, uint8_t *buf, uint16_t type, uint16_t flags);
void rtnl_put(struct rtnl_conn *c, const struct nlmsghdr *nlh);
/* A notification to all members of the group. */
void rtnl_notify(struct rtnl *r, uint32_t group, const struct nlmsghdr *nlh);
void rtnl_fill_link(struct nlmsghdr *nlh, struct dev *d, uint32_t change);
void rtnl_fill_fdb(struct nlmsghdr *nlh, uint32_t ifindex, uint16_t dev_port, uint32_t dev_vni,
		   const struct fdb_view *v);

/* rtnl_sock.c */
struct rtnl_conn *rtnl_conn_new(struct rtnl *r, int fd);
void rtnl_conn_free(struct rtnl_conn *c);
/* Queues a datagram ('done' NULL buf: a mark). Sends what the socket takes. */
void rtnl_conn_send(struct rtnl_conn *c, const void *buf, size_t len, bool notification);
void rtnl_conn_mark_done(struct rtnl_conn *c);
/* Sends what waits; returns true while something is left. */
bool rtnl_conn_flush(struct rtnl_conn *c);
/* Reads and handles one datagram.  False: the connection ended. */
bool rtnl_conn_read(struct rtnl_conn *c);

#endif
