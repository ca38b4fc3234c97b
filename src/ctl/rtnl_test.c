/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vxd.nl over a socket pair: messages in, answers out (spec/control.md 2 and 3), on a struct vx whose
 * host is made of nothing (vxlan/testing.h).
 */
#include "vxlan/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/nlproto.h"
#include "ctl/rtnl.h"
#include "ctl/words.h"

static struct h_host H;
static struct rtnl R;
static struct rtnl_conn *conn;
static int fd, wake; /* the client's end */
static uint32_t seq;

static uint32_t ifindex(void *ctx, const char *name)
{
	struct dev *d = dev_by_name(H.t->vx, name);

	(void)ctx;
	return d ? d->ifindex : 0;
}

static void begin(void)
{
	int sv[2];

	h_init(&H);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv), 0);
	wake = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(rtnl_init(&R, H.t->vx, NULL, wake), 0);
	H.t->vx->events = (struct vx_events){rtnl_link_event, rtnl_fdb_event, &R};
	conn = rtnl_conn_new(&R, sv[0]);
	fd = sv[1];
}

static void end(void)
{
	rtnl_done(&R);
	H.t->vx->events = (struct vx_events){0};
	close(fd);
	close(wake);
	h_end(&H);
}

/* --- the client ----------------------------------------------------------------------------------- */

static void say(const void *buf, size_t len)
{
	assert_int_equal(send(fd, buf, len, 0), len);
	assert_true(rtnl_conn_read(conn));
}

static void option(uint32_t opt, uint32_t v)
{
	struct {
		struct nlmsghdr h;
		struct nlproto_option o;
	} m = {{.nlmsg_len = sizeof(m), .nlmsg_type = NLPROTO_OPTION}, {opt, v}};

	say(&m, sizeof(m));
}

/* The next datagram; its length, 0 if there is none. */
static _Alignas(8) uint8_t in[65536];
static size_t hear(void)
{
	ssize_t n = recv(fd, in, sizeof(in), MSG_DONTWAIT);

	assert_true(n > 0 || errno == EAGAIN);
	return n > 0 ? (size_t)n : 0;
}

static const char *text_of(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	size_t at = sizeof(*e) + (h->nlmsg_flags & NLM_F_CAPPED
					  ? 0
					  : MNL_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg));
	const struct nlattr *a;

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return "";
	mnl_attr_for_each(a, h, (unsigned int)at)
		if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG)
			return mnl_attr_get_str(a);
	return "";
}

/* One answer, which has to be an ACK or error and the only one. */
static int acked(const char *text)
{
	const struct nlmsghdr *h = (const void *)in;
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	size_t n = hear();
	int error;

	assert_true(n >= sizeof(*h) + sizeof(*e));
	assert_int_equal(h->nlmsg_type, NLMSG_ERROR);
	assert_int_equal(h->nlmsg_len, n);
	assert_int_equal(h->nlmsg_seq, seq);
	assert_int_equal(h->nlmsg_pid, 4711);
	assert_int_equal(e->msg.nlmsg_seq, seq);
	error = e->error;
	if (text && strcmp(text_of(h), text))
		fail_msg("\"%s\", not \"%s\"", text_of(h), text);
	assert_int_equal(hear(), 0);
	return error;
}

static struct words X;

/* The message of a command line, with a number and a port id. */
static struct nlmsghdr *line(const char *text)
{
	static char buf[512];
	char *argv[64];
	int argc = 0;

	snprintf(buf, sizeof(buf), "%s", text);
	for (char *w = strtok(buf, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	X.ifindex = ifindex;
	if (words_parse(&X, argc, argv) < 0)
		fail_msg("%s: %s", text, X.error);
	X.nlh->nlmsg_seq = ++seq;
	X.nlh->nlmsg_pid = 4711;
	return X.nlh;
}

static void say_line(const char *text)
{
	struct nlmsghdr *h = line(text);

	say(h, h->nlmsg_len);
}

static int command(const char *text, const char *error)
{
	say_line(text);
	return acked(error);
}

static struct nlmsghdr *request(uint16_t type, uint16_t flags, const void *head, size_t size)
{
	static _Alignas(8) uint8_t buf[1024];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

	memset(buf + sizeof(*h), 0, sizeof(buf) - sizeof(*h));
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = ++seq;
	h->nlmsg_pid = 4711;
	if (size)
		memcpy(mnl_nlmsg_put_extra_header(h, size), head, size);
	return h;
}

/* --- messages and their ends ------------------------------------------------------------------------- */

/* N5: what `ip link` sends first. */
static void bare_newlink(void **state)
{
	struct ifinfomsg ifi = {0};
	struct nlmsghdr *h;

	(void)state;
	begin();
	h = request(RTM_NEWLINK, NLM_F_ACK, &ifi, sizeof(ifi));
	say(h, h->nlmsg_len);
	assert_int_equal(acked(""), -ENODEV);
	end();
}

/* N1: zeros behind the message. */
static void trailing_rest(void **state)
{
	uint8_t d[284] = {0};
	struct nlmsghdr *h;

	(void)state;
	begin();
	option(NLPROTO_EXT_ACK, 1);
	h = line("link add vx type vxlan id 100 dstport 4789");
	assert_true(h->nlmsg_len < sizeof(d) - 16);
	memcpy(d, h, h->nlmsg_len);
	say(d, sizeof(d));
	assert_int_equal(acked(""), 0);
	assert_non_null(dev_by_name(H.t->vx, "vx"));
	/* A rest shorter than a header. */
	h = line("link del vx");
	memset(d, 0xff, sizeof(d));
	memcpy(d, h, h->nlmsg_len);
	say(d, h->nlmsg_len + 15);
	assert_int_equal(acked(""), 0);
	end();
}

static void several_messages(void **state)
{
	uint8_t d[1024];
	size_t n;
	struct nlmsghdr *h;
	uint32_t first;

	(void)state;
	begin();
	h = line("link add vx type vxlan id 100 dstport 4789");
	memcpy(d, h, h->nlmsg_len);
	n = MNL_ALIGN(h->nlmsg_len);
	first = seq;
	h = line("link add vx2 type vxlan id 101 dstport 4789");
	memcpy(d + n, h, h->nlmsg_len);
	say(d, n + h->nlmsg_len);
	n = hear(); /* their ACKs, in order, may come in one datagram */
	for (uint32_t i = 0; i < 2; i++) {
		const struct nlmsghdr *a = (const void *)in;

		if (i && n > a->nlmsg_len)
			a = (const void *)(in + a->nlmsg_len);
		else if (i)
			n = hear();
		assert_true(n > 0);
		assert_int_equal(a->nlmsg_type, NLMSG_ERROR);
		assert_int_equal(a->nlmsg_seq, first + i);
		assert_int_equal(((const struct nlmsgerr *)mnl_nlmsg_get_payload(a))->error, 0);
	}
	assert_int_equal(hear(), 0);
	end();
}

/* Attributes of a neighbour message whose payload is too short or too long. */
static void wrong_lengths(void)
{
	static const struct {
		uint16_t type, len, or_len;
	} rows[] = {{NDA_LLADDR, 6, 6},	 {NDA_DST, 4, 16},     {NDA_PORT, 2, 2},    {NDA_VNI, 4, 4},
		    {NDA_IFINDEX, 4, 4}, {NDA_SRC_VNI, 4, 4}, {NDA_NH_ID, 4, 4}, {NDA_MASTER, 4, 4},
		    {NDA_PROTOCOL, 1, 1}, {NDA_VLAN, 2, 2}};
	static const uint8_t zero[20];
	struct ndmsg ndm = {.ndm_family = AF_BRIDGE, .ndm_flags = NTF_SELF};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (uint16_t n = 0; n <= sizeof(zero); n++) {
			struct nlmsghdr *h = request(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE, &ndm,
						     sizeof(ndm));

			if (n == rows[i].len || n == rows[i].or_len)
				continue;
			mnl_attr_put(h, rows[i].type, n, zero);
			say(h, h->nlmsg_len);
			assert_int_equal(acked(NULL), -EINVAL);
		}
}

static void lying_lengths(void **state)
{
	struct ifinfomsg ifi = {0};

	(void)state;
	begin();
	option(NLPROTO_EXT_ACK, 1);
	for (int i = 0; i < 6; i++) {
		static const uint32_t lies[] = {15, 1, 33, 0x7fffffff, 0xffffffff, 1000};
		struct nlmsghdr *h = request(RTM_NEWLINK, NLM_F_ACK, &ifi, sizeof(ifi));
		size_t n = h->nlmsg_len;

		h->nlmsg_len = lies[i];
		say(h, n);
		assert_int_equal(acked("a message's length does not fit the datagram"), -EINVAL);
	}
	/* Attributes that lie: inside, or beyond. */
	for (int i = 0; i < 4; i++) {
		static const uint16_t lies[] = {0, 3, 100, 0xffff};
		struct nlmsghdr *h = request(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE, &ifi, sizeof(ifi));

		mnl_attr_put_strz(h, IFLA_IFNAME, "vx");
		((struct nlattr *)((uint8_t *)h + 32))->nla_len = lies[i];
		say(h, h->nlmsg_len);
		assert_true(acked(NULL) < 0);
	}
	wrong_lengths();
	/* Shorter than any header: nothing to answer. */
	say("abc", 3);
	assert_int_equal(hear(), 0);
	/* Headers of each kind, cut. */
	for (uint16_t type = RTM_NEWLINK; type <= RTM_GETSTATS; type++) {
		for (uint32_t n = 0; n < 12; n += 4) {
			struct nlmsghdr *h = request(type, NLM_F_ACK | NLM_F_CREATE, &ifi, n);

			say(h, h->nlmsg_len);
			assert_true(hear() > 0); /* an error, or what needs no more of a header */
			assert_int_equal(hear(), 0);
		}
	}
	assert_int_equal(command("link add vx type vxlan id 100 dstport 4789", ""), 0);
	end();
}

static void unknown_type(void **state)
{
	const struct nlmsghdr *h = (const void *)in;
	uint32_t four = 4;

	(void)state;
	begin();
	for (int ext = 0; ext < 2; ext++) {
		for (int cap = 0; cap < 2; cap++) {
			struct nlmsghdr *q = request(RTM_NEWQDISC, NLM_F_ACK, &four, sizeof(four));

			option(NLPROTO_EXT_ACK, (uint32_t)ext);
			option(NLPROTO_CAP_ACK, (uint32_t)cap);
			say(q, q->nlmsg_len);
			assert_int_equal(acked(ext ? "vx does not serve rtnetlink message type 36" : ""),
					 -EOPNOTSUPP);
			assert_int_equal(!!(h->nlmsg_flags & NLM_F_ACK_TLVS), ext);
			/* The request is quoted whole, or its header alone. */
			assert_int_equal(!!(h->nlmsg_flags & NLM_F_CAPPED), cap);
			if (!cap)
				assert_memory_equal(in + 20, q, q->nlmsg_len);
			if (!ext)
				assert_int_equal(h->nlmsg_len, 16 + 20 + (cap ? 0 : 4));
		}
	}
	/* Not a request, or a control message: no answer. */
	{
		struct nlmsghdr *q = request(RTM_NEWQDISC, NLM_F_ACK, &four, 4);

		q->nlmsg_flags = NLM_F_ACK;
		say(q, q->nlmsg_len);
		q->nlmsg_flags = NLM_F_ACK | NLM_F_REQUEST;
		q->nlmsg_type = NLMSG_NOOP;
		say(q, q->nlmsg_len);
		assert_int_equal(hear(), 0);
	}
	end();
}

/* What only an index can say wrong. */
static void indices(void **state)
{
	static const int bad[] = {-1, INT32_MIN, INT32_MAX};

	(void)state;
	begin();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct nlmsghdr *h = line("link add vx type vxlan id 100 dstport 4789");

		((struct ifinfomsg *)mnl_nlmsg_get_payload(h))->ifi_index = bad[i];
		say(h, h->nlmsg_len);
		assert_int_equal(acked(NULL), -EINVAL);
	}
	assert_int_equal(command("link add vx type vxlan id 100 dstport 4789", NULL), 0);
	assert_true(dev_by_name(H.t->vx, "vx")->ifindex == VX_IFINDEX_FIRST);
	/* One that is asked for. */
	{
		struct nlmsghdr *h = line("link add vx2 type vxlan id 101 dstport 4789");

		((struct ifinfomsg *)mnl_nlmsg_get_payload(h))->ifi_index = 2000000;
		say(h, h->nlmsg_len);
		assert_int_equal(acked(NULL), 0);
		assert_ptr_equal(dev_by_index(H.t->vx, 2000000), dev_by_name(H.t->vx, "vx2"));
	}
	end();
}

/* The kernel's errors and sentences come through. */
static void commands(void **state)
{
	static const struct {
		const char *line;
		int rc;
		const char *text;
	} rows[] = {
		{"link add vx type vxlan id 100 dstport 4789", 0, ""},
		{"link add vx type vxlan id 101 dstport 4789", -EEXIST, ""},
		{"link add vx2 type vxlan id 100 dstport 4789", -EEXIST,
		 "A VXLAN device with the specified VNI already exists"},
		{"link add v2 mtu 67 type vxlan id 101", -EINVAL, "MTU must be between 68 and 65535"},
		{"link add v2 type vxlan id 101 proxy", -EOPNOTSUPP,
		 "proxy (answering ARP and ND) is not built yet: leave it out"},
		{"link add v2 type vxlan id 101 srcport 5 4", -EINVAL, "Invalid source port range"},
		{"link set vx type vxlan ttl 7", 0, ""},
		{"link set vx type vxlan dstport 4789", -EOPNOTSUPP, "Cannot change port"},
		{"link set vx type vxlan id 101", -EOPNOTSUPP, "Cannot change VNI"},
		{"link set vx type vxlan noproxy", -EOPNOTSUPP, "vxlan: cannot change PROXY flag"},
		{"link set vx mtu 67", -EINVAL, "mtu less than device minimum"},
		{"link set vx up", 0, ""},
		{"fdb add 02:00:00:00:00:01 dev vx dst 10.0.0.2", 0, ""},
		{"fdb add 02:00:00:00:00:01 dev vx dst 10.0.0.3", -EEXIST, ""},
		{"fdb append 02:00:00:00:00:01 dev vx dst 10.0.0.3", -EEXIST,
		 "a unicast entry has one remote: change it with \"vx fdb replace\""},
		{"fdb add 02:00:00:00:00:02 dev vx dst fd00::2", -EAFNOSUPPORT, ""},
		{"fdb add 02:00:00:00:00:02 dev vx", -EINVAL, ""},
		{"fdb add 02:00:00:00:00:02 dev vx dst 10.0.0.2 master", -EOPNOTSUPP, ""},
		{"fdb append 00:00:00:00:00:00 dev vx dst 10.0.0.2", 0, ""},
		{"fdb replace 00:00:00:00:00:00 dev vx dst 10.0.0.2", -EOPNOTSUPP,
		 "Cannot replace non-unicast fdb entries"},
		{"fdb flush dev vx sticky", -EINVAL, "Unsupported fdb flush ndm flag bits set"},
		{"fdb flush dev vx vlan 5", -EINVAL, "Unsupported attribute"},
		{"fdb flush dev vx", 0, ""},
		{"fdb del 02:00:00:00:00:01 dev vx", -ENOENT, ""},
		{"link del vx", 0, ""},
	};

	(void)state;
	begin();
	option(NLPROTO_EXT_ACK, 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int rc = command(rows[i].line, rows[i].text);

		if (rc != rows[i].rc)
			fail_msg("%s: %d", rows[i].line, rc);
	}
	end();
}

/* --- dumps -------------------------------------------------------------------------------------------- */

enum { MANY = 5000 };

static void add_many(uint32_t n)
{
	struct dev *d = dev_by_name(H.t->vx, "vx");

	for (uint32_t i = 0; i < n; i++) {
		struct fdb_req q = {.mac = {{2, 0, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}},
				    .state = FDB_PERMANENT, .flags = NTF_SELF,
				    .nl_flags = NLM_F_CREATE | NLM_F_EXCL, .has_dst = true,
				    .dst = t_addr("10.0.0.2")};

		assert_int_equal(d->ops->fdb_add(d, &q, NULL), 0);
	}
}

static uint64_t done_count(int efd)
{
	uint64_t n = 0;

	return read(efd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

/* The hand-over of a descriptor. */
static void hand_over(int passed)
{
	struct {
		struct nlmsghdr h;
		struct nlproto_option o;
	} m = {{.nlmsg_len = sizeof(m), .nlmsg_type = NLPROTO_OPTION}, {NLPROTO_DONE_FD, 0}};
	_Alignas(struct cmsghdr) char ctl[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = sizeof(ctl)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &passed, sizeof(int));
	assert_int_equal(sendmsg(fd, &mh, 0), sizeof(m));
	assert_true(rtnl_conn_read(conn));
}

/* A slow reader gets the whole dump, newest entry first, then its end; the request is done when all
 * of it is written (X4). */
static void slow_dump(void **state)
{
	static const size_t heads[] = {sizeof(struct ndmsg), sizeof(struct ifinfomsg)}; /* N2 */
	int efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), small = 20000;

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(heads); k++) {
		uint8_t head[16] = {AF_BRIDGE};
		struct nlmsghdr *h;
		uint32_t n = 0;
		uint64_t counted;
		bool done = false;
		size_t len;

		begin();
		setsockopt(conn->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
		hand_over(efd);
		assert_int_equal(done_count(efd), 0);
		assert_int_equal(command("link add vx type vxlan id 100 dstport 4789", NULL), 0);
		assert_int_equal(done_count(efd), 1);
		add_many(MANY);
		h = request(RTM_GETNEIGH, NLM_F_DUMP, head, heads[k]);
		say(h, h->nlmsg_len);
		counted = done_count(efd);
		assert_int_equal(counted, 0);
		while (!done) {
			const struct nlmsghdr *m = (const void *)in;
			int left;

			len = hear();
			assert_true(len > 0);
			left = (int)len;
			for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
				const struct nlattr *a;
				const uint8_t *mac = NULL;

				assert_int_equal(m->nlmsg_seq, seq);
				assert_int_equal(m->nlmsg_pid, 4711);
				assert_true(m->nlmsg_flags & NLM_F_MULTI);
				assert_false(done);
				if (m->nlmsg_type == NLMSG_DONE) {
					done = true;
					continue;
				}
				mnl_attr_for_each(a, m, sizeof(struct ndmsg))
					if (mnl_attr_get_type(a) == NDA_LLADDR)
						mac = mnl_attr_get_payload(a);
				assert_non_null(mac);
				n++;
				assert_int_equal(mac[3] << 16 | mac[4] << 8 | mac[5], MANY - n);
			}
			rtnl_conn_flush(conn);
			counted += done_count(efd);
			assert_int_equal(counted, conn->first ? 0 : 1);
		}
		assert_int_equal(n, MANY);
		assert_int_equal(counted, 1);
		end();
	}
	close(efd);
}

/* What is handed over has to be an eventfd that never blocks: else vxd could be stopped by it. */
static void hand_over_refused(void **state)
{
	int p[2], efd = eventfd(0, EFD_NONBLOCK), blocking = eventfd(0, 0);

	(void)state;
	begin();
	assert_int_equal(pipe(p), 0);
	hand_over(p[1]);
	assert_int_equal(conn->done_fd, -1);
	hand_over(blocking);
	assert_int_equal(conn->done_fd, -1);
	hand_over(efd);
	assert_true(conn->done_fd >= 0);
	hand_over(efd); /* a second one is not taken, and not kept open */
	close(p[0]);
	close(p[1]);
	close(blocking);
	assert_int_equal(command("link add vx type vxlan id 100 dstport 4789", NULL), 0);
	assert_int_equal(done_count(efd), 1);
	close(efd);
	end();
}

/* A datagram is counted once, whatever was in it: nothing, options, several messages. */
static void done_counts(void **state)
{
	int efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	(void)state;
	begin();
	hand_over(efd);
	option(NLPROTO_EXT_ACK, 1);
	assert_int_equal(done_count(efd), 1);
	say("x", 1);
	assert_int_equal(done_count(efd), 1);
	command("link add vx type vxlan id 100 dstport 4789", NULL);
	command("link add vx type vxlan id 100 dstport 4789", NULL);
	assert_int_equal(done_count(efd), 2);
	close(efd);
	end();
}

/* --- notifications -------------------------------------------------------------------------------------- */

static void run_events(void)
{
	uint64_t n;

	if (read(wake, &n, sizeof(n)) == sizeof(n))
		rtnl_run_events(&R);
}

static void notifications(void **state)
{
	const struct nlmsghdr *h = (const void *)in;

	(void)state;
	begin();
	option(NLPROTO_BIND_GROUPS, 1u << (RTNLGRP_LINK - 1));
	say_line("link add vx type vxlan id 100 dstport 4789");
	assert_true(hear() && h->nlmsg_type == RTM_NEWLINK && !h->nlmsg_pid);
	assert_int_equal(acked(NULL), 0);
	say_line("link del vx");
	assert_true(hear() && h->nlmsg_type == RTM_DELLINK);
	assert_int_equal(acked(NULL), 0);
	end();
	begin();
	/* Not a member: nothing. */
	assert_int_equal(command("link add vx type vxlan id 100 dstport 4789", NULL), 0);
	assert_int_equal(command("fdb add 02:00:00:01:00:01 dev vx dst 10.0.0.2", NULL), 0);
	run_events();
	assert_int_equal(hear(), 0);
	option(NLPROTO_ADD_MEMBERSHIP, RTNLGRP_NEIGH);
	add_many(3);
	run_events();
	for (int i = 0; i < 3; i++) { /* one a datagram; nobody's port id (N4) */
		size_t len = hear();

		assert_int_equal(len, h->nlmsg_len);
		assert_true(h->nlmsg_type == RTM_NEWNEIGH && !h->nlmsg_pid && !h->nlmsg_seq);
	}
	assert_int_equal(hear(), 0);
	option(NLPROTO_DROP_MEMBERSHIP, RTNLGRP_NEIGH);
	assert_int_equal(command("fdb flush dev vx", NULL), 0);
	run_events();
	assert_int_equal(hear(), 0);
	/* Groups that do not exist. */
	option(NLPROTO_ADD_MEMBERSHIP, 0);
	option(NLPROTO_ADD_MEMBERSHIP, 65);
	option(NLPROTO_ADD_MEMBERSHIP, 0xffffffff);
	assert_true(conn->groups == 0);
	end();
}

/* N4: what a reader misses is told as an overrun, after what still was queued; then it goes on. */
static void overrun(void **state)
{
	const struct nlmsghdr *h = (const void *)in;
	struct fdb_view v = {.mac = {{2, 0, 0, 0, 0, 1}}, .state = FDB_REACHABLE};
	uint32_t n = 0, sent = 0, told = 0;

	(void)state;
	begin();
	assert_int_equal(command("link add vx type vxlan id 100 dstport 4789", NULL), 0);
	option(NLPROTO_ADD_MEMBERSHIP, RTNLGRP_NEIGH);
	for (int k = 0; k < 3; k++) {
		for (int i = 0; i < 40000; i++, sent++)
			rtnl_fdb_event(&R, VX_FDB_NEW, dev_by_name(H.t->vx, "vx"), &v);
		run_events();
	}
	assert_true(conn->overrun);
	assert_true(conn->queued <= RTNL_NOTIFY_QUEUE);
	while (hear()) {
		if (h->nlmsg_type == NLMSG_OVERRUN) {
			assert_int_equal(h->nlmsg_len, 16);
			told++;
		} else {
			n++;
		}
		rtnl_conn_flush(conn);
	}
	assert_int_equal(told, 1);
	assert_true(n < sent && n > 1000);
	assert_false(conn->overrun);
	rtnl_fdb_event(&R, VX_FDB_DEL, dev_by_name(H.t->vx, "vx"), &v);
	run_events();
	assert_true(hear() && h->nlmsg_type == RTM_DELNEIGH);
	/* More between two turns of control than are kept. */
	for (uint32_t i = 0; i < RTNL_EVENTS_MAX + 10; i++)
		rtnl_fdb_event(&R, VX_FDB_NEW, dev_by_name(H.t->vx, "vx"), &v);
	assert_true(R.lost_events);
	run_events();
	for (told = 0; hear(); rtnl_conn_flush(conn))
		told += h->nlmsg_type == NLMSG_OVERRUN;
	assert_int_equal(told, 1);
	end();
}

/* A client that went away ends its connection, not vxd. */
static void client_gone(void **state)
{
	uint8_t head[12] = {AF_BRIDGE};
	struct nlmsghdr *h;

	(void)state;
	begin();
	assert_int_equal(command("link add vx type vxlan id 100 dstport 4789", NULL), 0);
	add_many(1000);
	h = request(RTM_GETNEIGH, NLM_F_DUMP, head, sizeof(head));
	assert_int_equal(send(fd, h, h->nlmsg_len, 0), h->nlmsg_len);
	close(fd);
	fd = -1;
	rtnl_conn_read(conn);
	assert_true(conn->closing || !rtnl_conn_read(conn));
	end();
}

/* --- mutations ----------------------------------------------------------------------------------------- */

static const char *const seeds[] = {
	("link add vx2 mtu 1400 address 02:00:00:00:00:09 type vxlan id 101 remote 10.0.0.2 local 10.0.0.1 "
	 "ttl 5 tos 0x10 df set ageing 5 maxaddress 7 srcport 5 9 dstport 4789 nolearning peers known"),
	"link add vx3 type vxlan id 102 remote fd00::2 local fd00::1 flowlabel 5 udp6zerocsumrx",
	"link set vx type vxlan ttl 7 remote 10.0.0.3",
	"link set vx up mtu 1300",
	"link del vx",
	"fdb add 02:00:00:00:00:01 dev vx dst 10.0.0.2 port 5 vni 6 via vx src_vni 100",
	"fdb append 00:00:00:00:00:00 dev vx dst 10.0.0.2",
	"fdb replace 02:00:00:00:00:01 dev vx dst 10.0.0.3 dynamic",
	"fdb del 02:00:00:00:00:01 dev vx dst 10.0.0.2",
	"fdb flush dev vx permanent dst 10.0.0.2",
	"addr add 192.168.9.1/24 dev vx",
	"route add 10.9.0.0/16 via 192.168.9.2 dev vx mtu 1400",
	"neigh add 192.168.9.2 lladdr 02:00:00:00:00:02 dev vx",
};

static void keep_small(void)
{
	struct vx *vx = H.t->vx;

	while (vx->n_devs > 20)
		link_dellink(container_of(vx->devs.prev, struct dev, node), false);
	t_advance(H.t, NS_PER_MS);
	if (!dev_by_name(vx, "vx")) {
		struct vxlan_opts o = h_opts(100, 4789);
		struct link_cfg cfg = {.name = "vx"};

		link_newlink(vx, link_type_find(vx, "vxlan"), &cfg, &o, VXA_BIT(VXA_ID), NULL, NULL);
	}
}

static void mutations(void **state)
{
	enum { N = ARRAY_LEN(seeds) + 4 };
	static _Alignas(8) uint8_t msg[N][1024], d[1024];
	static const uint16_t dumps[] = {RTM_GETLINK, RTM_GETNEIGH, RTM_GETSTATS, RTM_GETROUTE};
	uint32_t len[N];
	uint64_t rnd = 1;

	(void)state;
	begin();
	keep_small();
	for (uint32_t i = 0; i < N; i++) {
		uint8_t head[16] = {AF_BRIDGE};
		struct nlmsghdr *h = i < ARRAY_LEN(seeds)
					     ? line(seeds[i])
					     : request(dumps[i - ARRAY_LEN(seeds)], NLM_F_DUMP, head, 16);

		len[i] = h->nlmsg_len;
		memcpy(msg[i], h, len[i]);
	}
	for (int i = 0; i < 100000; i++) {
		uint64_t r = random_next(&rnd);
		uint32_t k = (uint32_t)(r >> 32) % N, flips = 1 + r % 6;

		memcpy(d, msg[k], len[k]);
		for (uint32_t f = 0; f < flips; f++) {
			uint64_t x = random_next(&rnd);

			/* The header's length and type are enough as they are most of the time. */
			d[(x & 7 ? 16 : 0) + (x >> 8) % (len[k] - 16)] ^= (uint8_t)(1u << (x >> 40) % 8);
		}
		/* Answers are made, and sent one time in 64. */
		conn->closing = i % 64 != 0;
		rtnl_datagram(conn, d, len[k] - (r >> 20) % 4 * (r >> 24 & 1), -1);
		if (i % 64 == 0)
			while (hear())
				rtnl_conn_flush(conn);
		if (i % 256 == 0)
			keep_small();
	}
	conn->closing = false;
	while (rtnl_conn_flush(conn) || hear())
		;
	assert_int_equal(command("link set vx down", NULL), 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bare_newlink),	    cmocka_unit_test(trailing_rest),
		cmocka_unit_test(several_messages), cmocka_unit_test(lying_lengths),
		cmocka_unit_test(unknown_type),	    cmocka_unit_test(indices),
		cmocka_unit_test(commands),	    cmocka_unit_test(slow_dump),
		cmocka_unit_test(hand_over_refused), cmocka_unit_test(done_counts),
		cmocka_unit_test(notifications),    cmocka_unit_test(overrun),
		cmocka_unit_test(client_gone),	    cmocka_unit_test(mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
