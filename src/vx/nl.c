/* SPDX-License-Identifier: Apache-2.0 */
#include "vx/nl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/nlproto.h"

enum { ANSWER_MAX = 65536 };

static int send_option(struct nl *n, uint32_t option, uint32_t value)
{
	char buf[64] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nlproto_option *o = mnl_nlmsg_put_extra_header(nlh, sizeof(*o));

	nlh->nlmsg_type = NLPROTO_OPTION;
	*o = (struct nlproto_option){option, value};
	return send(n->fd, buf, nlh->nlmsg_len, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

int nl_open(struct nl *n, const char *rundir)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	*n = (struct nl){.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/vxd.nl", rundir);
	if (n->fd >= 0 && connect(n->fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return send_option(n, NLPROTO_EXT_ACK, 1);
	if (errno == ENOENT || errno == ECONNREFUSED)
		snprintf(n->error, sizeof(n->error),
			 "vxd is not running (nobody listens on %s): start it with \"vxd\"",
			 sa.sun_path);
	else
		snprintf(n->error, sizeof(n->error), "cannot connect to %s: %s", sa.sun_path,
			 strerror(errno));
	nl_close(n);
	return -1;
}

void nl_close(struct nl *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

/* An error message's text: the extended ACK's with a full stop, or the errno's. */
static void read_error(struct nl *n, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*e);
	const struct nlattr *a;

	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&e->msg);
	snprintf(n->error, sizeof(n->error), "RTNETLINK answers: %s", strerror(-e->error));
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	mnl_attr_for_each (a, nlh, (unsigned int)skip)
		if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG)
			snprintf(n->error, sizeof(n->error), "Error: %s.", mnl_attr_get_str(a));
}

/* 1: the answer ended well, 0: more to come, -1: it ended with an error. */
static int one_message(struct nl *n, const struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_seq != n->seq)
		return 0;
	if (nlh->nlmsg_type == NLMSG_DONE)
		return 1;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		if (!e->error)
			return 1;
		read_error(n, nlh);
		return -1;
	}
	if (cb)
		cb(nlh, data);
	return 0;
}

static int answer(struct nl *n, mnl_cb_t cb, void *data)
{
	_Alignas(8) static char buf[ANSWER_MAX];

	for (;;) {
		ssize_t len = recv(n->fd, buf, sizeof(buf), 0);
		const struct nlmsghdr *nlh = (const void *)buf;
		int left = (int)len, r;

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0) {
			snprintf(n->error, sizeof(n->error), "vxd went away before it answered");
			return -1;
		}
		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			r = one_message(n, nlh, cb, data);
			if (r)
				return r < 0 ? -1 : 0;
		}
	}
}

int nl_talk(struct nl *n, struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	nlh->nlmsg_seq = ++n->seq;
	if ((nlh->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		nlh->nlmsg_flags |= NLM_F_ACK;
	nlh->nlmsg_flags |= NLM_F_REQUEST;
	if (send(n->fd, nlh, nlh->nlmsg_len, MSG_NOSIGNAL) < 0) {
		snprintf(n->error, sizeof(n->error), "vxd went away: %s", strerror(errno));
		return -1;
	}
	return answer(n, cb, data);
}

int nl_monitor(struct nl *n, uint32_t groups, mnl_cb_t cb, void *data)
{
	_Alignas(8) static char buf[ANSWER_MAX];

	if (send_option(n, NLPROTO_BIND_GROUPS, groups) < 0)
		return -1;
	for (;;) {
		ssize_t len = recv(n->fd, buf, sizeof(buf), 0);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return 0;
		if (mnl_cb_run(buf, (size_t)len, 0, 0, cb, data) < 0)
			fprintf(stderr, "vx: some notifications were lost\n");
	}
}

static int take_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;
	struct if_nameindex *out = data;

	out->if_index = (unsigned int)ifi->ifi_index;
	mnl_attr_for_each (a, nlh, sizeof(*ifi))
		if (mnl_attr_get_type(a) == IFLA_IFNAME && out->if_name)
			snprintf(out->if_name, IFNAMSIZ, "%s", mnl_attr_get_str(a));
	return MNL_CB_OK;
}

static int find(struct nl *n, const char *name, struct if_nameindex *io)
{
	char buf[256] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	nlh->nlmsg_type = RTM_GETLINK;
	ifi->ifi_index = (int)io->if_index;
	if (name)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return nl_talk(n, nlh, take_link, io);
}

uint32_t nl_ifindex(void *ctx, const char *name)
{
	struct if_nameindex i = {0};

	if (strlen(name) >= IFNAMSIZ)
		return 0;
	return find(ctx, name, &i) < 0 ? 0 : i.if_index;
}

/* Names seen: a monitor prints what was of a device that is gone. */
static struct {
	uint32_t ifindex;
	char name[IFNAMSIZ];
} *seen;
static size_t n_seen;

static const char *remembered(uint32_t ifindex, const char *name)
{
	void *more;
	size_t i;

	for (i = 0; i < n_seen && seen[i].ifindex != ifindex; i++)
		;
	if (!name)
		return i < n_seen ? seen[i].name : NULL;
	if (i == n_seen) {
		more = realloc(seen, (n_seen + 1) * sizeof(*seen));
		if (!more)
			return name;
		seen = more;
		seen[n_seen++].ifindex = ifindex;
	}
	snprintf(seen[i].name, sizeof(seen[i].name), "%s", name);
	return name;
}

const char *nl_ifname(struct nl *n, uint32_t ifindex, char *buf)
{
	struct if_nameindex i = {ifindex, buf};
	const char *name;

	*buf = 0;
	if (ifindex && find(n, NULL, &i) == 0 && *buf) {
		remembered(ifindex, buf);
		return buf;
	}
	name = remembered(ifindex, NULL);
	if (name)
		snprintf(buf, IFNAMSIZ, "%s", name);
	else
		snprintf(buf, IFNAMSIZ, "if%u", ifindex);
	return buf;
}
