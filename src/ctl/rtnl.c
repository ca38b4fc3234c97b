/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/rtnl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/nlproto.h"
#include "vxlan/device.h"

int rtnl_init(struct rtnl *r, struct vx *vx, struct io_host *host, int wake_fd)
{
	*r = (struct rtnl){.vx = vx, .host = host, .wake_fd = wake_fd};
	list_init(&r->conns);
	return -pthread_mutex_init(&r->lock, NULL);
}

void rtnl_done(struct rtnl *r)
{
	while (!list_is_empty(&r->conns))
		rtnl_conn_free(container_of(r->conns.next, struct rtnl_conn, node));
	free(r->events);
	pthread_mutex_destroy(&r->lock);
}

/* --- answers ------------------------------------------------------------------------------- */

enum { DATAGRAM_MAX = 16384 };

/* What an answer says was done is on disk before it leaves. */
static void flush_answer(struct rtnl_conn *c)
{
	state_commit(c->r->state);
	if (c->len)
		rtnl_conn_send(c, c->buf, c->len, false);
	c->len = 0;
}

struct nlmsghdr *rtnl_begin(struct rtnl_conn *c, uint8_t *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	nlh->nlmsg_seq = c ? c->seq : 0;
	nlh->nlmsg_pid = c ? c->pid : 0;
	return nlh;
}

void rtnl_put(struct rtnl_conn *c, const struct nlmsghdr *nlh)
{
	if (c->len + nlh->nlmsg_len > DATAGRAM_MAX)
		flush_answer(c);
	memcpy(c->buf + c->len, nlh, nlh->nlmsg_len);
	c->len += MNL_ALIGN(nlh->nlmsg_len);
}

static void put_ack(struct rtnl_conn *c, const struct nlmsghdr *req, int error,
		    const struct vx_err *err)
{
	uint8_t buf[RTNL_MSG_MAX] = {0};
	struct nlmsghdr *nlh = rtnl_begin(c, buf, NLMSG_ERROR, 0);
	struct nlmsgerr *e = mnl_nlmsg_put_extra_header(nlh, sizeof(*e));
	size_t quoted = req->nlmsg_len - sizeof(*req);

	e->error = error;
	e->msg = *req;
	/* The request is quoted with an error, unless the client asked for its header alone. */
	if (error && !c->cap_ack && quoted <= sizeof(buf) / 2)
		memcpy(mnl_nlmsg_put_extra_header(nlh, quoted), req + 1, quoted);
	else
		nlh->nlmsg_flags |= NLM_F_CAPPED;
	if (c->ext_ack && *err->text) {
		nlh->nlmsg_flags |= NLM_F_ACK_TLVS;
		mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, err->text);
	}
	rtnl_put(c, nlh);
}

static void put_done(struct rtnl_conn *c)
{
	uint8_t buf[64] = {0};
	struct nlmsghdr *nlh = rtnl_begin(c, buf, NLMSG_DONE, NLM_F_MULTI);
	int *status = mnl_nlmsg_put_extra_header(nlh, sizeof(*status));

	*status = 0;
	rtnl_put(c, nlh);
}

/* --- dispatch ------------------------------------------------------------------------------- */

/* What vx does not keep is read from the host: addresses, routes, rules, neighbours. */
static int on_host_message(const struct nlmsghdr *nlh, void *data)
{
	struct rtnl_conn *c = data;
	uint8_t buf[RTNL_MSG_MAX];
	struct nlmsghdr *copy = (struct nlmsghdr *)buf;

	if (nlh->nlmsg_len > sizeof(buf) || nlh->nlmsg_type < NLMSG_MIN_TYPE)
		return MNL_CB_OK;
	memcpy(buf, nlh, nlh->nlmsg_len);
	copy->nlmsg_seq = c->seq;
	copy->nlmsg_pid = c->pid;
	rtnl_put(c, copy);
	return MNL_CB_OK;
}

int rtnl_relay(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	uint8_t buf[RTNL_MSG_MAX];
	struct nlmsghdr *copy = (struct nlmsghdr *)buf;

	(void)err;
	if (!c->r->host || nlh->nlmsg_len > sizeof(buf))
		return -EOPNOTSUPP;
	memcpy(buf, nlh, nlh->nlmsg_len);
	if (!(copy->nlmsg_flags & NLM_F_DUMP))
		copy->nlmsg_flags |= NLM_F_ACK;
	copy->nlmsg_pid = 0;
	return host_request(c->r->host, copy, on_host_message, c);
}

/* "ip monitor" asks for the number of every namespace it finds: none has one here. */
static int getnsid(struct rtnl_conn *c, const struct nlmsghdr *req, struct vx_err *err)
{
	uint8_t buf[64] = {0};
	struct nlmsghdr *nlh = rtnl_begin(c, buf, RTM_NEWNSID, 0);

	(void)err;
	if ((req->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP)
		return 0;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(nlh, NETNSA_NSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED);
	rtnl_put(c, nlh);
	return 0;
}

static const struct {
	uint16_t type;
	rtnl_handler *fn;
} handlers[] = {
	{RTM_NEWLINK, rtnl_newlink},	{RTM_SETLINK, rtnl_newlink},   {RTM_DELLINK, rtnl_dellink},
	{RTM_GETLINK, rtnl_getlink},	{RTM_NEWNEIGH, rtnl_newneigh}, {RTM_DELNEIGH, rtnl_delneigh},
	{RTM_GETNEIGH, rtnl_getneigh},	{RTM_GETADDR, rtnl_getaddr},   {RTM_GETROUTE, rtnl_getroute},
	{RTM_GETRULE, rtnl_relay},	{RTM_NEWADDR, rtnl_newaddr},   {RTM_DELADDR, rtnl_deladdr},
	{RTM_NEWROUTE, rtnl_newroute},	{RTM_DELROUTE, rtnl_delroute}, {RTM_GETNETCONF, rtnl_relay},
	{RTM_GETNEXTHOP, rtnl_relay},	{RTM_GETSTATS, rtnl_getstats},
	{RTM_GETNSID, getnsid},
};

static int dispatch(struct rtnl_conn *c, const struct nlmsghdr *nlh, struct vx_err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(handlers); i++)
		if (handlers[i].type == nlh->nlmsg_type)
			return handlers[i].fn(c, nlh, err);
	return vx_fail(err, -EOPNOTSUPP, "vx does not serve rtnetlink message type %u",
		       nlh->nlmsg_type);
}

int rtnl_do(struct rtnl *r, const struct nlmsghdr *nlh, struct vx_err *err)
{
	struct rtnl_conn c = {.r = r, .fd = -1, .done_fd = -1};
	int rc = dispatch(&c, nlh, err);

	state_commit(r->state);
	return rc;
}

static void one_message(struct rtnl_conn *c, const struct nlmsghdr *nlh)
{
	struct vx_err err = {0};
	bool dump = nlh->nlmsg_type >= RTM_BASE && (nlh->nlmsg_type & 3) == 2 &&
		    (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	int r;

	c->seq = nlh->nlmsg_seq;
	c->pid = nlh->nlmsg_pid;
	if (!(nlh->nlmsg_flags & NLM_F_REQUEST) || nlh->nlmsg_type < NLMSG_MIN_TYPE)
		return;
	r = dispatch(c, nlh, &err);
	if (r < 0 || (!dump && (nlh->nlmsg_flags & NLM_F_ACK)))
		put_ack(c, nlh, r, &err);
	else if (dump)
		put_done(c);
	if (dump) /* as in the kernel, datagrams of its own */
		flush_answer(c);
}

/* An eventfd (it is of no type that stat() knows) that does not block: with another descriptor a
 * client could stop vxd, or kill it with a SIGPIPE. */
static bool can_count(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && !(st.st_mode & S_IFMT) &&
	       (fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void one_option(struct rtnl_conn *c, const struct nlmsghdr *nlh, int passed_fd)
{
	const struct nlproto_option *o = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*o))
		return;
	switch (o->option) {
	case NLPROTO_DONE_FD:
		if (c->done_fd < 0 && can_count(passed_fd))
			c->done_fd = passed_fd;
		break;
	case NLPROTO_BIND_GROUPS:
		/* Group g is bit g - 1; those that bind() cannot name stay. */
		c->groups = (c->groups & ~0xffffffffull) | o->value;
		break;
	case NLPROTO_ADD_MEMBERSHIP:
		if (o->value >= 1 && o->value <= RTNL_GROUPS)
			c->groups |= 1ull << (o->value - 1);
		break;
	case NLPROTO_DROP_MEMBERSHIP:
		if (o->value >= 1 && o->value <= RTNL_GROUPS)
			c->groups &= ~(1ull << (o->value - 1));
		break;
	case NLPROTO_CAP_ACK:
		c->cap_ack = o->value;
		break;
	case NLPROTO_EXT_ACK:
		c->ext_ack = o->value;
		break;
	case NLPROTO_STRICT_CHK:
		c->strict = o->value;
		break;
	}
}

void rtnl_datagram(struct rtnl_conn *c, const void *buf, size_t len, int passed_fd)
{
	const uint8_t *p = buf;
	bool hand_over = false;

	while (len >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *nlh = (const void *)p;
		size_t step;

		if (!nlh->nlmsg_len) /* a rest that iproute2 sends along */
			break;
		if (nlh->nlmsg_len < sizeof(*nlh) || nlh->nlmsg_len > len) {
			struct vx_err err = {0};
			struct nlmsghdr head = *nlh;

			c->seq = nlh->nlmsg_seq;
			c->pid = nlh->nlmsg_pid;
			head.nlmsg_len = sizeof(head);
			vx_fail(&err, 0, "a message's length does not fit the datagram");
			put_ack(c, &head, -EINVAL, &err);
			break;
		}
		if (nlh->nlmsg_type == NLPROTO_OPTION) {
			hand_over |= passed_fd >= 0;
			one_option(c, nlh, passed_fd);
		} else {
			one_message(c, nlh);
		}
		step = MIN((size_t)MNL_ALIGN(nlh->nlmsg_len), len);
		p += step;
		len -= step;
	}
	flush_answer(c); /* one sync for all that the datagram changed */
	if (passed_fd >= 0 && c->done_fd != passed_fd)
		close(passed_fd);
	if (!hand_over)
		rtnl_conn_mark_done(c);
}

/* --- notifications ------------------------------------------------------------------------- */

void rtnl_notify(struct rtnl *r, uint32_t group, const struct nlmsghdr *nlh)
{
	list_for_each (c, &r->conns, struct rtnl_conn, node)
		if (c->groups & (1ull << (group - 1)))
			rtnl_conn_send(c, nlh, nlh->nlmsg_len, true);
}

void rtnl_link_event(void *ctx, enum vx_event_kind kind, struct dev *d)
{
	struct rtnl *r = ctx;
	uint8_t buf[RTNL_MSG_MAX] = {0};
	struct nlmsghdr *nlh =
		rtnl_begin(NULL, buf, kind == VX_LINK_NEW ? RTM_NEWLINK : RTM_DELLINK, 0);

	if (kind == VX_LINK_DEL)
		rtnl_run_events(r); /* of its FDB: these come before, as the kernel's do */
	rtnl_fill_link(nlh, d, kind == VX_LINK_NEW ? 0 : ~0u);
	rtnl_notify(r, RTNLGRP_LINK, nlh);
}

void rtnl_fdb_event(void *ctx, enum vx_event_kind kind, struct dev *d, const struct fdb_view *e)
{
	struct rtnl *r = ctx;
	uint64_t one = 1;
	bool first = false;

	pthread_mutex_lock(&r->lock);
	if (r->n_events == r->cap_events && r->cap_events < RTNL_EVENTS_MAX) {
		uint32_t cap = r->cap_events ? r->cap_events * 2 : 256;
		struct fdb_event *ev = realloc(r->events, cap * sizeof(*ev));

		if (ev) {
			r->events = ev;
			r->cap_events = cap;
		}
	}
	if (r->n_events < r->cap_events) {
		struct fdb_event *ev = &r->events[r->n_events++];

		*ev = (struct fdb_event){.kind = kind, .ifindex = d->ifindex, .view = *e};
		if (dev_is_vxlan(d)) {
			ev->dev_port = vxlan_opts(vxlan_dev(d))->dstport;
			ev->dev_vni = vxlan_opts(vxlan_dev(d))->id;
		}
		first = r->n_events == 1;
	} else {
		r->lost_events = true;
	}
	pthread_mutex_unlock(&r->lock);
	if (first && write(r->wake_fd, &one, sizeof(one)) < 0)
		return; /* its counter is full: control is awake anyway */
}

void rtnl_run_events(struct rtnl *r)
{
	uint8_t buf[RTNL_MSG_MAX];
	struct fdb_event *ev;
	uint32_t n;
	bool lost;

	pthread_mutex_lock(&r->lock);
	ev = r->events;
	n = r->n_events;
	lost = r->lost_events;
	r->events = NULL;
	r->n_events = r->cap_events = 0;
	r->lost_events = false;
	pthread_mutex_unlock(&r->lock);
	for (uint32_t i = 0; i < n; i++) {
		struct nlmsghdr *nlh;

		memset(buf, 0, 256);
		nlh = rtnl_begin(NULL, buf,
				 ev[i].kind == VX_FDB_NEW ? RTM_NEWNEIGH : RTM_DELNEIGH, 0);
		rtnl_fill_fdb(nlh, ev[i].ifindex, ev[i].dev_port, ev[i].dev_vni, &ev[i].view);
		rtnl_notify(r, RTNLGRP_NEIGH, nlh);
	}
	free(ev);
	if (lost)
		list_for_each (c, &r->conns, struct rtnl_conn, node)
			if (c->groups & (1ull << (RTNLGRP_NEIGH - 1)))
				c->overrun = true;
}
