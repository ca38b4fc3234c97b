/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program for exec_test.sh to run through vx exec: does what ip and bridge do not.
 *
 *   client dump          reads a dump of all FDB entries with O_NONBLOCK; prints how many, then
 * "whole" client api DEV       checks the calls one by one on the link DEV; prints what fails
 *   client overrun       waits for a loss to be told, then goes on
 *   client gone          waits for the server to end
 *   client cpu CMD...    runs CMD (not led), prints its exit code and CPU time in ms
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			printf("%s:%d: %s (errno %d: %s)\n", __func__, __LINE__, #cond, errno,     \
			       strerror(errno));                                                   \
			failures++;                                                                \
		}                                                                                  \
	} while (0)

static struct sockaddr_nl kernel_addr = {.nl_family = AF_NETLINK};

struct request {
	struct nlmsghdr head;
	struct ifinfomsg ifi;
};

static struct request request(int type, int flags, int index)
{
	return (struct request){
		.head = {.nlmsg_len = sizeof(struct request),
			 .nlmsg_type = type,
			 .nlmsg_flags = NLM_F_REQUEST | flags,
			 .nlmsg_seq = 7},
		.ifi = {.ifi_index = index},
	};
}

static int open_route(int flags)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);
}

static uint32_t port_of(int fd)
{
	struct sockaddr_nl own = {0};
	socklen_t len = sizeof(own) + 4;

	CHECK(!getsockname(fd, (struct sockaddr *)&own, &len));
	CHECK(len == sizeof(own) && own.nl_family == AF_NETLINK);
	return own.nl_pid;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Whether 'fd' answers a question about link 'index', with our port id. */
static bool answers(int fd, int index)
{
	struct request q = request(RTM_GETLINK, 0, index);
	union {
		struct nlmsghdr head;
		char bytes[16384];
	} a;
	ssize_t n;

	if (send(fd, &q, sizeof(q), 0) != sizeof(q))
		return false;
	n = recv(fd, &a, sizeof(a), 0);
	return n > (ssize_t)sizeof(q) && a.head.nlmsg_type == RTM_NEWLINK &&
	       a.head.nlmsg_seq == 7 && a.head.nlmsg_pid == port_of(fd);
}

/* ---- dump ---- */

static int dump(void)
{
	static char buf[1 << 18];
	struct request q = request(RTM_GETNEIGH, NLM_F_DUMP, 0);
	int fd = open_route(0), count = 0, waits = 0;
	bool done = false;
	ssize_t n;

	q.ifi.ifi_family = AF_BRIDGE;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	CHECK(sendto(fd, &q, sizeof(q), 0, (void *)&kernel_addr, sizeof(kernel_addr)) == sizeof(q));
	while (!done && (n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		struct nlmsghdr *head = (void *)buf;
		size_t left = n;

		for (; NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
			count += head->nlmsg_type == RTM_NEWNEIGH;
			done |= head->nlmsg_type == NLMSG_DONE;
		}
		if (!(++waits % 4))
			usleep(2000); /* lets the server run into a full socket */
	}
	printf("%d %s\n", count, done ? "whole" : strerror(errno));
	CHECK(recv(fd, buf, sizeof(buf), 0) == -1 && errno == EAGAIN);
	return done ? 0 : 1;
}

/* ---- api ---- */

static uint32_t groups_of(int fd)
{
	struct sockaddr_nl own = {0};
	socklen_t len = sizeof(own);

	CHECK(!getsockname(fd, (struct sockaddr *)&own, &len));
	return own.nl_groups;
}

/* bind() and the options change the same groups: neither may trust what it set last. */
static void check_groups(void)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int fd = open_route(0), group = 1;

	CHECK(!bind(fd, (void *)&a, sizeof(a)) && groups_of(fd) == 1);
	CHECK(!setsockopt(fd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group, sizeof(group)));
	CHECK(groups_of(fd) == 0);
	CHECK(bind(fd, (void *)&a, sizeof(a)) == -1 && errno == EINVAL); /* bound, and not as 0 */
	a.nl_pid = port_of(fd);
	CHECK(!bind(fd, (void *)&a, sizeof(a)) && groups_of(fd) == 1);
	a.nl_groups = 0;
	CHECK(!bind(fd, (void *)&a, sizeof(a)) && groups_of(fd) == 0);
	CHECK(!setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)));
	CHECK(!bind(fd, (void *)&a, sizeof(a)) && groups_of(fd) == 0);
	close(fd);
}

/* What the kernel refuses, or does without asking the socket. */
static void check_refused(void)
{
	struct request q = request(RTM_GETLINK, 0, 1);
	struct iovec none = {&q, 0};
	volatile int minus = -1; /* or the compiler says it will not do */
	int fd = open_route(SOCK_NONBLOCK), v;
	socklen_t len = 2;

	CHECK(sendto(fd, &q, sizeof(q), 0, (void *)&kernel_addr, 4) == -1 && errno == EINVAL);
	CHECK(getsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &v, &len) == -1 && errno == EINVAL);
	CHECK(writev(fd, &none, 1) == 0);
	CHECK(writev(fd, &none, minus) == -1 && errno == EINVAL);
	CHECK(readv(fd, &none, minus) == -1 && errno == EINVAL);
	CHECK(write(fd, &q, sizeof(q)) == sizeof(q));
	CHECK(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 2000) == 1);
	CHECK(read(fd, &q, 0) == 0 && readv(fd, &none, 1) == 0);
	CHECK(recv(fd, NULL, 0, MSG_TRUNC) > 100); /* they left it there */
	close(fd);
}

static void check_addresses(void)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int one = open_route(0), two = open_route(0), three = open_route(0), v, list[8];
	socklen_t len = sizeof(v);

	CHECK(port_of(one) == (uint32_t)getpid());
	CHECK(port_of(two) != port_of(one) && port_of(two) >> 31);
	CHECK(port_of(three) != port_of(two) && port_of(three) != port_of(one));
	CHECK(!bind(one, (void *)&a, sizeof(a)));
	len = sizeof(a);
	CHECK(!getsockname(one, (void *)&a, &len) && a.nl_groups == 1);
	a.nl_pid = port_of(two);
	CHECK(bind(one, (void *)&a, sizeof(a)) == -1 && errno == EINVAL);
	CHECK(bind(three, (void *)&a, sizeof(a)) == -1 && errno == EADDRINUSE);
	a.nl_pid = 4711;
	CHECK(!bind(three, (void *)&a, sizeof(a)) && port_of(three) == 4711);
	CHECK(answers(three, 1));
	CHECK(!connect(two, (void *)&kernel_addr, sizeof(kernel_addr)));
	CHECK(sendto(two, &a, sizeof(a), 0, (void *)&a, sizeof(a)) == -1 && errno == ECONNREFUSED);
	CHECK(send(two, &a, 0, 0) == -1 && errno == ENODATA);
	len = sizeof(a);
	CHECK(!getpeername(two, (void *)&a, &len) && len == sizeof(a) && !a.nl_pid);
	len = sizeof(v);
	CHECK(!getsockopt(two, SOL_SOCKET, SO_DOMAIN, &v, &len) && v == AF_NETLINK);
	CHECK(!getsockopt(two, SOL_SOCKET, SO_PROTOCOL, &v, &len) && v == NETLINK_ROUTE);
	CHECK(!getsockopt(two, SOL_SOCKET, SO_TYPE, &v, &len) && v == SOCK_RAW);
	v = 33;
	CHECK(!setsockopt(two, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &v, sizeof(v)));
	len = sizeof(list);
	CHECK(!getsockopt(two, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, list, &len) && list[1] == 1);
	v = 1 << 16;
	CHECK(!setsockopt(two, SOL_SOCKET, SO_RCVBUF, &v, sizeof(v)));
	close(one), close(two), close(three);
	one = open_route(0);
	CHECK(port_of(one) == (uint32_t)getpid());
	close(one);
}

/* The length and address of the next datagram, every way of asking. */
static void check_receiving(void)
{
	struct request q = request(RTM_GETLINK, 0, 1);
	char buf[16384], small[20];
	struct sockaddr_nl from;
	socklen_t len = sizeof(from) + 4;
	struct iovec iov = {small, sizeof(small)};
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	int fd = open_route(SOCK_NONBLOCK);
	ssize_t whole;

	CHECK(recv(fd, buf, sizeof(buf), 0) == -1 && errno == EAGAIN);
	CHECK(write(fd, &q, sizeof(q)) == sizeof(q));
	whole = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
	CHECK(whole > 100);
	CHECK(recv(fd, NULL, 0, MSG_PEEK) == 0);
	CHECK(recvmsg(fd, &msg, MSG_PEEK | MSG_TRUNC) == whole && msg.msg_flags & MSG_TRUNC);
	CHECK(msg.msg_namelen == sizeof(from) && from.nl_family == AF_NETLINK && !from.nl_pid);
	CHECK(recvmsg(fd, &msg, MSG_PEEK) == sizeof(small) && msg.msg_flags & MSG_TRUNC);
	CHECK(recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &len) == whole);
	CHECK(len == sizeof(from) && from.nl_family == AF_NETLINK);
	CHECK(recv(fd, buf, sizeof(buf), 0) == -1 && errno == EAGAIN);
	CHECK(write(fd, &q, sizeof(q)) == sizeof(q));
	CHECK(read(fd, buf, sizeof(buf)) == whole);
	CHECK(write(fd, &q, sizeof(q)) == sizeof(q));
	iov = (struct iovec){buf, sizeof(buf)};
	CHECK(readv(fd, &iov, 1) == whole);
	close(fd);
}

/* Two requests in one datagram carry the port id both; zeros behind them do no harm. */
static void check_batch(void)
{
	struct {
		struct request one, two;
		char zeros[64];
	} q = {.one = request(RTM_GETLINK, 0, 1), .two = request(RTM_GETLINK, 0, 1)};
	struct iovec iov[] = {{&q, 10}, {(char *)&q + 10, sizeof(q) - 10}};
	char buf[16384];
	struct nlmsghdr *head = (void *)buf;
	int fd = open_route(SOCK_NONBLOCK), replies = 0;

	CHECK(writev(fd, iov, 2) == sizeof(q));
	while (recv(fd, buf, sizeof(buf), 0) > 0) {
		CHECK(head->nlmsg_type == RTM_NEWLINK && head->nlmsg_pid == port_of(fd));
		replies++;
	}
	CHECK(replies == 2 && errno == EAGAIN);
	close(fd);
}

static void check_copies(void)
{
	int fd = open_route(0), copy, high;

	copy = dup(fd);
	CHECK(copy >= 0 && port_of(copy) == port_of(fd) && answers(copy, 1));
	CHECK(!close(fd) && answers(copy, 1));
	high = fcntl(copy, F_DUPFD_CLOEXEC, 100);
	CHECK(high >= 100 && answers(high, 1));
	CHECK(dup2(high, 200) == 200 && dup3(high, 201, O_CLOEXEC) == 201);
	CHECK(dup2(high, high) == high);
	close(copy), close(high);
	CHECK(answers(200, 1) && answers(201, 1));
	/* A number that is no longer led is not: /dev/null is no socket. */
	fd = open("/dev/null", O_RDWR);
	CHECK(dup2(fd, 200) == 200 && write(200, "x", 1) == 1 && read(200, &fd, 1) == 0);
	CHECK(answers(201, 1));
	close(200), close(201), close(fd);
}

/* The descriptor from 512 on that is open: the counter kept from the program. */
static int hidden_fd(void)
{
	for (int fd = 512; fd < 600; fd++)
		if (is_open(fd))
			return fd;
	return -1;
}

static void check_hidden(void)
{
	int fd = open_route(SOCK_NONBLOCK), hidden = hidden_fd(), null = open("/dev/null", O_RDWR);

	CHECK(hidden >= 0 && close(hidden) == -1 && errno == EBADF && is_open(hidden));
	CHECK(dup2(null, hidden) == hidden && answers(fd, 1));
	CHECK(!close(hidden) && answers(fd, 1));
	CHECK(!close_range(300, ~0u, 0) && answers(fd, 1));
	closefrom(300);
	CHECK(answers(fd, 1));
	CHECK(close_range(fd, ~0u, 1 << 20) == -1 && errno == EINVAL && answers(fd, 1));
	close(null);
	CHECK(!close(fd) && hidden_fd() == -1);
	fd = open_route(0);
	CHECK(!close_range(fd, ~0u, 0) && !is_open(fd) && hidden_fd() == -1);
}

/* Closed inside libc, where the object cannot see it: the number must not stay led. */
static void check_stale(void)
{
	int fd = open_route(0);

	fclose(fdopen(fd, "r"));
	CHECK(open("/dev/null", O_RDWR) == fd && write(fd, "x", 1) == 1);
	CHECK(hidden_fd() == -1);
	close(fd);
	/* The same, and the number is closed before anything else is done with it. */
	fd = open_route(0);
	fclose(fdopen(fd, "r"));
	CHECK(open("/dev/null", O_RDWR) == fd && !close(fd) && hidden_fd() == -1);
}

/* The counter closed by a bare system call: its number is the program's, and receiving goes on. */
static void check_stale_counter(void)
{
	int fd = open_route(SOCK_NONBLOCK), hidden = hidden_fd(), null = open("/dev/null", O_RDWR);
	struct request q = request(RTM_GETLINK, 0, 1);

	syscall(SYS_close, hidden);
	CHECK(dup2(null, hidden) == hidden && !close(hidden) && !is_open(hidden));
	CHECK(send(fd, &q, sizeof(q), 0) == sizeof(q));
	CHECK(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 2000) == 1);
	CHECK(recv(fd, &q, sizeof(q), 0) == sizeof(q));
	CHECK(recv(fd, &q, sizeof(q), 0) == -1 && errno == EAGAIN);
	syscall(SYS_dup2, null, hidden); /* as if open() had given it */
	CHECK(!close(fd) && is_open(hidden) && !close(hidden));
	fd = open_route(0), hidden = hidden_fd();
	syscall(SYS_dup2, null, hidden);
	CHECK(!close(hidden) && !is_open(hidden));
	close(fd), close(null);
}

static void check_children(void)
{
	int fd = open_route(0), st;
	char c;
	pid_t pid;

	CHECK(answers(fd, 1));
	pid = fork();
	if (!pid) {
		int own = open_route(0);
		bool good = port_of(own) == (uint32_t)getpid() && answers(own, 1) && answers(fd, 1);

		/* Takes the count of the parent's request, too. */
		_exit(!(good && recv(fd, &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN));
	}
	CHECK(waitpid(pid, &st, 0) == pid && !st);
	CHECK(recv(fd, &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	CHECK(answers(fd, 1));
	pid = vfork();
	if (!pid) {
		close(fd);
		_exit(0);
	}
	CHECK(waitpid(pid, &st, 0) == pid && !st);
	CHECK(answers(fd, 1) && port_of(fd) == (uint32_t)getpid());
	close(fd);
}

static void *hammer(void *arg)
{
	long bad = 0;

	(void)arg;
	for (int i = 0; i < 50; i++) {
		int fd = open_route(i & 1 ? SOCK_NONBLOCK : 0), copy = dup(fd);

		bad += !answers(fd, 1);
		close(fd);
		bad += !answers(copy, 1);
		close(copy);
		bad += if_nametoindex("lo") != 1;
	}
	return (void *)bad;
}

static void check_threads(void)
{
	pthread_t t[4];
	void *bad;

	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&t[i], NULL, hammer, NULL));
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_join(t[i], &bad) && !bad);
	CHECK(hidden_fd() == -1);
}

static void check_timeout(void)
{
	struct timeval tv = {.tv_usec = 100000};
	int fd = open_route(0);
	char c;

	CHECK(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	CHECK(recv(fd, &c, 1, 0) == -1 && errno == EAGAIN);
	CHECK(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 10) == 0);
	close(fd);
}

static struct ifreq named(const char *dev)
{
	struct ifreq r = {0};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", dev);
	return r;
}

static void check_names(const char *dev, int fd)
{
	int index = if_nametoindex(dev);
	struct ifreq r = named(dev);
	char name[IFNAMSIZ];

	CHECK(index > 0);
	CHECK(if_indextoname(index, name) == name && !strcmp(name, dev));
	CHECK(!if_nametoindex("nosuch0") && errno == ENODEV);
	CHECK(!if_indextoname(999999, name) && errno == ENXIO);
	CHECK(!ioctl(fd, SIOCGIFINDEX, &r) && r.ifr_ifindex == index);
	memset(r.ifr_name, 0, sizeof(r.ifr_name));
	CHECK(!ioctl(fd, SIOCGIFNAME, &r) && !strcmp(r.ifr_name, dev));
	r = named("nosuch0");
	CHECK(ioctl(fd, SIOCGIFINDEX, &r) == -1 && errno == ENODEV);
	r = named(dev);
	CHECK(ioctl(fd, SIOCGIFDSTADDR, &r) == -1 && errno == ENODEV);
}

static void check_settings(const char *dev, int fd)
{
	struct ifreq r = named(dev);

	CHECK(!ioctl(fd, SIOCGIFFLAGS, &r) && r.ifr_flags & IFF_UP);
	r.ifr_flags &= ~IFF_UP;
	CHECK(!ioctl(fd, SIOCSIFFLAGS, &r));
	CHECK(!ioctl(fd, SIOCGIFFLAGS, &r) && !(r.ifr_flags & IFF_UP));
	CHECK(!ioctl(fd, SIOCGIFHWADDR, &r) && r.ifr_hwaddr.sa_family == 1);
	memcpy(r.ifr_hwaddr.sa_data, "\2\0\0\0\0\x42", 6);
	CHECK(!ioctl(fd, SIOCSIFHWADDR, &r));
	memset(&r.ifr_hwaddr, 0, sizeof(r.ifr_hwaddr));
	CHECK(!ioctl(fd, SIOCGIFHWADDR, &r) && r.ifr_hwaddr.sa_data[5] == 0x42);
	r.ifr_flags = IFF_UP;
	CHECK(!ioctl(fd, SIOCSIFFLAGS, &r));
	CHECK(!ioctl(fd, SIOCGIFMTU, &r) && r.ifr_mtu > 1000);
	r.ifr_mtu = 1234;
	CHECK(!ioctl(fd, SIOCSIFMTU, &r));
	r.ifr_mtu = 0;
	CHECK(!ioctl(fd, SIOCGIFMTU, &r) && r.ifr_mtu == 1234);
	r.ifr_mtu = 10;
	CHECK(ioctl(fd, SIOCSIFMTU, &r) == -1 && errno == EINVAL);
	CHECK(!ioctl(fd, SIOCGIFTXQLEN, &r) && r.ifr_qlen == 1000);
}

/* eth0 has 10.10.10.11 where the server is; 300 addresses of lo come first. */
static void check_conf(int fd)
{
	static struct ifreq reqs[512];
	struct ifreq r = named("eth0");
	struct ifconf conf = {.ifc_len = 0, .ifc_req = NULL};
	bool found = false;

	CHECK(!ioctl(fd, SIOCGIFCONF, &conf) && conf.ifc_len > 300 * (int)sizeof(struct ifreq));
	conf = (struct ifconf){.ifc_len = sizeof(reqs), .ifc_req = reqs};
	CHECK(!ioctl(fd, SIOCGIFCONF, &conf));
	for (size_t i = 0; i < conf.ifc_len / sizeof(*reqs); i++)
		found |= !strcmp(reqs[i].ifr_name, "eth0") &&
			 !memcmp(reqs[i].ifr_addr.sa_data + 2, "\x0a\x0a\x0a\x0b", 4);
	CHECK(found);
	CHECK(!ioctl(fd, SIOCGIFADDR, &r) &&
	      !memcmp(r.ifr_addr.sa_data + 2, "\x0a\x0a\x0a\x0b", 4));
	r = named("lo");
	CHECK(ioctl(fd, SIOCGIFADDR, &r) == -1 && errno == EADDRNOTAVAIL);
}

static int api(const char *dev)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), other;

	check_addresses();
	check_groups();
	check_refused();
	check_receiving();
	check_batch();
	check_copies();
	check_hidden();
	check_children();
	check_timeout();
	check_names(dev, fd);
	check_settings(dev, fd);
	check_conf(fd);
	close(fd);
	check_threads();
	check_stale();
	check_stale_counter();
	/* Other netlink is the host's still. */
	other = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	CHECK(other >= 0 && !bind(other, (void *)&kernel_addr, sizeof(kernel_addr)));
	CHECK(port_of(other) == (uint32_t)getpid());
	printf("api: %d failures\n", failures);
	return failures != 0;
}

/* ---- loss ---- */

static void listen_to_links(int fd)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};

	CHECK(!bind(fd, (void *)&a, sizeof(a)));
	puts("ready");
	fflush(stdout);
}

/* A loss behind a reply: recvmmsg() gives the reply, the next call tells of the loss. */
static void check_loss_behind(int fd)
{
	char one[16384], two[16384];
	struct iovec iov[] = {{one, sizeof(one)}, {two, sizeof(two)}};
	struct mmsghdr msgs[] = {{.msg_hdr = {.msg_iov = &iov[0], .msg_iovlen = 1}},
				 {.msg_hdr = {.msg_iov = &iov[1], .msg_iovlen = 1}}};

	CHECK(recvmmsg(fd, msgs, 2, 0, NULL) == 1 && msgs[0].msg_len > 100);
	CHECK(recvmmsg(fd, msgs, 2, 0, NULL) == -1 && errno == ENOBUFS);
	CHECK(recvmmsg(fd, msgs, 2, MSG_DONTWAIT, NULL) == -1 && errno == EAGAIN);
	CHECK(answers(fd, 1));
}

static int overrun(void)
{
	struct request q = request(RTM_GETLINK, 0, 1);
	int behind = open_route(0), fd = open_route(0);
	char buf[16384];

	CHECK(send(behind, &q, sizeof(q), 0) == sizeof(q));
	CHECK(poll(&(struct pollfd){.fd = behind, .events = POLLIN}, 1, 2000) == 1);
	listen_to_links(fd);
	CHECK(recv(fd, buf, sizeof(buf), MSG_PEEK | MSG_TRUNC) == -1 && errno == ENOBUFS);
	CHECK(answers(fd, 1));
	check_loss_behind(behind);
	return failures != 0;
}

static int server_gone(void)
{
	struct request q = request(RTM_GETLINK, 0, 1);
	int fd = open_route(0);
	char buf[16384];

	listen_to_links(fd);
	CHECK(recv(fd, buf, sizeof(buf), 0) == -1 && errno == ENOBUFS);
	for (int i = 0; i < 3; i++)
		CHECK(recv(fd, buf, sizeof(buf), i ? MSG_DONTWAIT : 0) == -1 &&
		      errno == ECONNRESET);
	CHECK(send(fd, &q, sizeof(q), 0) == -1 && errno == ECONNRESET);
	CHECK(recv(fd, buf, sizeof(buf), 0) == -1 && errno == ECONNRESET);
	for (int i = 0; i < 100 && (fd = open_route(0)) >= 0; i++) {
		close(fd); /* it closes its listener after our sockets */
		usleep(10000);
	}
	CHECK(fd == -1);
	CHECK(!if_nametoindex("lo"));
	return failures != 0;
}

static int cpu(char **argv)
{
	struct rusage use;
	pid_t pid = fork();
	int st;

	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (wait4(pid, &st, 0, &use) != pid)
		return 1;
	printf("%d %ld\n", WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st),
	       (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000 +
		       (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "dump"))
		return dump();
	if (!strcmp(what, "api") && argc > 2)
		return api(argv[2]);
	if (!strcmp(what, "overrun"))
		return overrun();
	if (!strcmp(what, "gone"))
		return server_gone();
	if (!strcmp(what, "cpu") && argc > 2)
		return cpu(argv + 2);
	return 2;
}
