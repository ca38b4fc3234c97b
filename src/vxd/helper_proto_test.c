/* SPDX-License-Identifier: Apache-2.0 */
/* What the helper and vxd take from each other: rows of messages that are wrong in one thing. */
#include "vxd/helper_proto.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"

static int pair[2];

static int begin(void **state)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
}

static int end(void **state)
{
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static struct helper_req req(enum helper_op op)
{
	struct helper_req q = {.len = sizeof(q), .op = op, .seq = 1};

	switch (op) {
	case HELPER_TAP:
	case HELPER_VETH:
		strcpy(q.side.name, "vxlan1");
		if (op == HELPER_VETH)
			strcpy(q.side.hidden, "vxlan1.vxh");
		q.side.mtu = 1500;
		break;
	case HELPER_TAP_DONE:
	case HELPER_LINK_SET:
	case HELPER_LINK_FIND:
	case HELPER_LINK_DEL:
		q.link = (struct link_ask){.netns = "blue", .ifindex = 7, .up = -1};
		break;
	case HELPER_PACKET:
		strcpy(q.dev, "eth0");
		break;
	case HELPER_PORT_MTU:
		q.port.ifindex = 7;
		q.port.mtu = 9000;
		break;
	case HELPER_HIDE:
	case HELPER_UNHIDE:
		q.hide.ifindex = 7;
		break;
	case HELPER_UDP:
		q.udp = (struct udp_ask){.family = AF_INET6, .port = 4789};
		break;
	default:
		break;
	}
	return q;
}

static void good_requests(void **state)
{
	for (int op = HELPER_TAP; op < HELPER_OPS; op++) {
		struct helper_req q = req(op), got;
		size_t n;
		int fd;

		assert_int_equal(helper_send(pair[0], &q, sizeof(q), -1), 0);
		assert_int_equal(helper_recv(pair[1], &got, sizeof(got), &n, &fd), 0);
		assert_int_equal(n, sizeof(q));
		assert_int_equal(fd, -1);
		assert_memory_equal(&q, &got, sizeof(q));
		assert_int_equal(helper_req_check(&got, fd), 0);
		/* No request brings a descriptor. */
		assert_int_equal(helper_req_check(&got, 0), -EBADMSG);
	}
}

/* One field of a good request is spoilt: 'size' bytes at 'off' become 'value'. */
static const struct {
	enum helper_op op;
	size_t off, size;
	const char *value;
} spoilt[] = {
#define AT(member, size, value) offsetof(struct helper_req, member), size, value
#define SIXTEEN			"0123456789abcdef"
	{HELPER_TAP, AT(len, 4, "\x00\x00\x00\x00")},
	{HELPER_TAP, AT(len, 4, "\xff\xff\xff\xff")},
	{HELPER_TAP, AT(len, 1, "\x04")},
	{HELPER_TAP, AT(seq, 4, "\0\0\0\0")},
	{HELPER_TAP, AT(op, 4, "\0\0\0\0")},
	{HELPER_TAP, AT(op, 4, "\xff\xff\xff\x7f")},
	{HELPER_TAP, AT(side.name, 16, SIXTEEN)}, /* does not end */
	{HELPER_TAP, AT(side.name, 1, "\0")},
	{HELPER_TAP, AT(side.name, 3, "..\0")},
	{HELPER_TAP, AT(side.name, 1, "/")},
	{HELPER_TAP, AT(side.name, 5, "tap%d")}, /* the kernel would choose */
	{HELPER_TAP, AT(side.name, 1, "\n")},
	{HELPER_TAP, AT(side.netns, 64, SIXTEEN SIXTEEN SIXTEEN SIXTEEN)},
	{HELPER_TAP, AT(side.hidden, 1, "x")}, /* a TAP has none */
	{HELPER_TAP, AT(side.mtu, 4, "\0\0\1\0")},
	{HELPER_TAP, AT(side.adopt, 1, "\3")},
	{HELPER_TAP, AT(side.is_up, 1, "\1")}, /* the answer's */
	{HELPER_VETH, AT(side.hidden, 1, "\0")},
	{HELPER_VETH, AT(side.hidden, 16, SIXTEEN)},
	{HELPER_LINK_SET, AT(link.ifindex, 4, "\0\0\0\0")},
	{HELPER_LINK_SET, AT(link.ifindex, 4, "\0\0\0\x80")},
	{HELPER_LINK_SET, AT(link.up, 1, "\2")},
	{HELPER_LINK_SET, AT(link.has_mac, 1, "\2")},
	{HELPER_LINK_SET, AT(link.name, 16, SIXTEEN)},
	{HELPER_LINK_SET, AT(link.name, 5, "tap%d")},
	{HELPER_LINK_FIND, AT(link.ifindex, 4, "\0\0\0\0")},
	{HELPER_LINK_DEL, AT(link.netns, 64, SIXTEEN SIXTEEN SIXTEEN SIXTEEN)},
	{HELPER_TAP_DONE, AT(link.ifindex, 4, "\0\0\0\0")},
	{HELPER_PACKET, AT(dev, 16, SIXTEEN)},
	{HELPER_PACKET, AT(dev, 1, "\0")},
	{HELPER_HIDE, AT(hide.ifindex, 4, "\0\0\0\0")},
	{HELPER_UNHIDE, AT(hide.ifindex, 4, "\xff\xff\xff\xff")},
	{HELPER_PORT_MTU, AT(port.ifindex, 4, "\0\0\0\0")},
	{HELPER_PORT_MTU, AT(port.ifindex, 4, "\0\0\0\x80")},
	{HELPER_PORT_MTU, AT(port.mtu, 4, "\0\0\0\0")},
	{HELPER_PORT_MTU, AT(port.mtu, 4, "\0\0\1\0")},
	{HELPER_UDP, AT(udp.family, 2, "\1\0")},   /* AF_UNIX */
	{HELPER_UDP, AT(udp.family, 2, "\x11\0")}, /* AF_PACKET */
	{HELPER_UDP, AT(udp.sends, 1, "\2")},
	{HELPER_UDP, AT(udp.csum, 1, "\xff")},
};

static void spoilt_requests(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(spoilt); i++) {
		struct helper_req q = req(spoilt[i].op);

		assert_int_equal(helper_req_check(&q, -1), 0);
		memcpy((char *)&q + spoilt[i].off, spoilt[i].value, spoilt[i].size);
		if (helper_req_check(&q, -1) != -EBADMSG)
			fail_msg("row %zu passes", i);
	}
}

static void spoilt_ports(void **state)
{
	struct helper_req q = req(HELPER_UDP);

	q.udp.sends = 1;
	q.udp.port_min = 5;
	q.udp.port_max = 4;
	assert_int_equal(helper_req_check(&q, -1), -EBADMSG);
	q.udp.port_max = 5;
	assert_int_equal(helper_req_check(&q, -1), 0);
}

/* Every length but the right one, with a descriptor, which is closed. */
static void truncated(void **state)
{
	struct helper_req q = req(HELPER_TAP), got;
	char longer[sizeof(q) + 1] = {0};
	int before = count_fds(), fd;
	size_t n;

	memcpy(longer, &q, sizeof(q));
	for (size_t len = 1; len <= sizeof(longer); len++) {
		assert_int_equal(helper_send(pair[0], longer, len, len % 2 ? 0 : -1), 0);
		if (len == sizeof(q)) {
			assert_int_equal(helper_recv(pair[1], &got, sizeof(got), &n, &fd), 0);
			if (fd >= 0)
				close(fd);
			continue;
		}
		assert_int_equal(helper_recv(pair[1], &got, sizeof(got), &n, &fd), -EBADMSG);
		assert_int_equal(fd, -1);
	}
	assert_int_equal(count_fds(), before);
	assert_int_equal(helper_recv(pair[1], &got, sizeof(got), &n, &fd), -EAGAIN);
}

static void send_fds(const struct helper_rep *r, int n)
{
	_Alignas(struct cmsghdr) char ctl[CMSG_SPACE(16 * sizeof(int))] = {0};
	struct iovec iov = {(void *)(uintptr_t)r, sizeof(*r)};
	struct msghdr mh = {.msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = ctl,
			    .msg_controllen = CMSG_SPACE((size_t)n * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN((size_t)n * sizeof(int)); /* all are descriptor 0 */
	assert_true(sendmsg(pair[0], &mh, 0) > 0);
}

static void descriptors(void **state)
{
	struct helper_rep r = {.len = sizeof(r), .seq = 1}, got;
	int before = count_fds(), fd;
	size_t n;

	send_fds(&r, 1);
	assert_int_equal(helper_recv(pair[1], &got, sizeof(got), &n, &fd), 0);
	assert_true(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
	assert_int_equal(helper_rep_check(&got, fd), 0);
	got.error = -EPERM; /* then none belongs there */
	assert_int_equal(helper_rep_check(&got, fd), -EBADMSG);
	close(fd);
	for (int many = 2; many <= 16; many++) {
		send_fds(&r, many);
		assert_int_equal(helper_recv(pair[1], &got, sizeof(got), &n, &fd), -EBADMSG);
		assert_int_equal(fd, -1);
		assert_int_equal(count_fds(), before);
	}
}

static void replies(void **state)
{
	struct helper_rep r = {.len = sizeof(r), .seq = 1};

	assert_int_equal(helper_rep_check(&r, -1), 0);
	r.error = 1;
	assert_int_equal(helper_rep_check(&r, -1), -EBADMSG);
	r.error = -5000;
	assert_int_equal(helper_rep_check(&r, -1), -EBADMSG);
	r.error = 0;
	r.how = HIDE_CLSACT + 1;
	assert_int_equal(helper_rep_check(&r, -1), -EBADMSG);
	r.how = 0;
	memset(r.text, 'x', sizeof(r.text));
	assert_int_equal(helper_rep_check(&r, -1), -EBADMSG);
	r.text[sizeof(r.text) - 1] = 0;
	assert_int_equal(helper_rep_check(&r, -1), 0);
	r.len--;
	assert_int_equal(helper_rep_check(&r, -1), -EBADMSG);
}

static void gifts(void **state)
{
	struct helper_gift g = {.len = sizeof(g), .name = "vxlan1", .asked = "vxlan1"},
			   last = {.len = sizeof(g), .last = 1};

	assert_int_equal(helper_gift_check(&g, 3), 0);
	assert_int_equal(helper_gift_check(&g, -1), -EBADMSG);
	assert_int_equal(helper_gift_check(&last, -1), 0);
	assert_int_equal(helper_gift_check(&last, 3), -EBADMSG);
	memset(g.name, 'x', sizeof(g.name));
	assert_int_equal(helper_gift_check(&g, 3), -EBADMSG);
	strcpy(g.name, "vxlan1");
	g.asked[0] = 0;
	assert_int_equal(helper_gift_check(&g, 3), -EBADMSG);
	strcpy(g.asked, "vxlan1");
	assert_int_equal(helper_gift_check(&g, 3), 0);
	memset(g.netns, 'x', sizeof(g.netns));
	assert_int_equal(helper_gift_check(&g, 3), -EBADMSG);
}

static void the_end(void **state)
{
	struct helper_rep r;
	size_t n;
	int fd;

	close(pair[0]);
	pair[0] = -1;
	assert_int_equal(helper_recv(pair[1], &r, sizeof(r), &n, &fd), -EPIPE);
	assert_int_equal(helper_send(pair[1], &r, sizeof(r), -1), -EPIPE);
}

/* Noise never passes as something with a name in it that is none. */
static void noise(void **state)
{
	struct helper_req q;

	srand(1);
	for (int i = 0; i < 200000; i++) {
		q = req(1 + rand() % (HELPER_OPS - 1));
		for (int k = rand() % 4; k >= 0; k--)
			((uint8_t *)&q)[rand() % (int)sizeof(q)] = (uint8_t)rand();
		if (helper_req_check(&q, -1) == 0 && (q.op == HELPER_TAP || q.op == HELPER_VETH))
			assert_true(strlen(q.side.name) < IF_NAME_MAX && !strchr(q.side.name, '/'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
		TEST(good_requests), TEST(spoilt_requests), TEST(spoilt_ports),
		TEST(truncated),     TEST(descriptors),	    TEST(replies),
		TEST(gifts),	     TEST(the_end),	    TEST(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
