/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object that "vx exec" preloads: leads NETLINK_ROUTE sockets to vxd; spec/control.md 3.
 *
 * socket(AF_NETLINK, ..., NETLINK_ROUTE) gives a Unix SOCK_SEQPACKET socket connected to $VX_NL
 * (vxd.nl), a "led" socket.  It is a real descriptor, so poll, select and epoll need no help; the
 * calls below make the rest of it look like netlink.  All other sockets and files pass untouched.
 *
 * The wire.  A datagram is what the program sent, byte for byte, except that every message of the
 * batch carries our port id in nlmsg_pid.  Beyond that ctl/nlproto.h has the words: options travel
 * as messages of type NLPROTO_OPTION, and an eventfd, handed over first of all, counts the
 * datagrams vxd is done with.  With it a receive knows whether something can still come: in the
 * kernel a request is done when sendmsg() returns, and programs that read with O_NONBLOCK rely on
 * it.
 *
 * Descriptors.  A two-level table maps a descriptor to its led socket; looking up one that is not
 * led takes no lock, as read() and write() of the whole program come through here.  A led one is
 * compared with the socket's inode, so that an entry gone stale (closed inside libc, or by a bare
 * system call) is noticed and dropped.  The eventfds are kept from the program: closing one gives
 * EBADF, dup2() onto one moves it away.  A child of vfork() shares our memory but not our
 * descriptors, so it changes no entry ('owner').
 *
 * Threads: 'lock' guards table and sockets; what is called under it neither waits nor is a point of
 * cancellation (hence bare system calls).  Counts that parent and child of a fork() both need lie
 * in a shared page.  A signal handler must not use a led socket.  exec() loses the table: a led
 * socket that is not close-on-exec is a bare Unix socket to the next program (ip and bridge close
 * theirs).
 *
 * Not led: what libc does inside (getifaddrs(), if_nameindex()), sockets received over SCM_RIGHTS.
 */
#undef _FILE_OFFSET_BITS /* or <fcntl.h> renames fcntl() to fcntl64() */
#undef _TIME_BITS
#undef _FORTIFY_SOURCE /* or some of the calls below are inline functions already */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/nlproto.h"

#define EXPORT __attribute__((visibility("default")))

enum { SLOT_BITS = 10, SLOTS = 1 << SLOT_BITS, SLOT_PAGES = 4096 };
enum { FD_MAX = SLOTS * SLOT_PAGES }; /* four times the kernel's default fs.nr_open */
enum { SLOT_DONE_FD = 1 };  /* low bit of a slot: this is the eventfd, hidden from the program */
enum { DONE_FD_MIN = 512 }; /* eventfds lie above what programs count on */
enum { RECHECK_MS = 20 };   /* another process may have read the eventfd we wait for */
enum { GROUPS_MAX = 256 };  /* rtnetlink has 36 today */
enum { SEND_MAX = 1 << 24, SEND_ON_STACK = 4096 };
enum { PORT_SEQ_BITS = 9, PORT_PID_MASK = (1 << 22) - 1 }; /* pid_max is at most 2^22 */

/* Shared by all processes that hold the socket. */
struct shared {
	_Atomic uint64_t sent; /* datagrams that vxd will count, +1 before each is sent */
	_Atomic uint64_t done; /* what was read from the eventfd so far */
	atomic_bool gone;      /* the loss of vxd was told as ENOBUFS */
};

struct led {
	int refs;	    /* descriptors of this process, and calls under way */
	atomic_int done_fd; /* moves when the program wants its number */
	dev_t dev;
	ino_t ino;
	int type; /* what the program asked for: SOCK_RAW or SOCK_DGRAM */
	atomic_bool bound;
	_Atomic uint32_t port;
	uint32_t bind_groups;
	uint32_t groups[GROUPS_MAX / 32]; /* memberships, group 1 is bit 0 */
	uint32_t flags;			  /* NETLINK_* on/off options by number */
	struct shared *shared;
};

/* libc's own functions. */
static struct {
	int (*socket)(int, int, int);
	int (*close)(int);
	int (*dup)(int);
	int (*dup2)(int, int);
	int (*dup3)(int, int, int);
	int (*fcntl)(int, int, ...);
	int (*ioctl)(int, unsigned long, ...);
	int (*bind)(int, const struct sockaddr *, socklen_t);
	int (*connect)(int, const struct sockaddr *, socklen_t);
	int (*getsockname)(int, struct sockaddr *, socklen_t *);
	int (*getpeername)(int, struct sockaddr *, socklen_t *);
	int (*setsockopt)(int, int, int, const void *, socklen_t);
	int (*getsockopt)(int, int, int, void *, socklen_t *);
	ssize_t (*send)(int, const void *, size_t, int);
	ssize_t (*sendto)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	ssize_t (*sendmsg)(int, const struct msghdr *, int);
	int (*sendmmsg)(int, struct mmsghdr *, unsigned int, int);
	ssize_t (*write)(int, const void *, size_t);
	ssize_t (*writev)(int, const struct iovec *, int);
	ssize_t (*recv)(int, void *, size_t, int);
	ssize_t (*recvfrom)(int, void *, size_t, int, struct sockaddr *, socklen_t *);
	ssize_t (*recvmsg)(int, struct msghdr *, int);
	int (*recvmmsg)(int, struct mmsghdr *, unsigned int, int, struct timespec *);
	ssize_t (*read)(int, void *, size_t);
	ssize_t (*readv)(int, const struct iovec *, int);
} real;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(_Atomic uintptr_t *) pages[SLOT_PAGES];
static pid_t owner; /* whose descriptors the table describes */
static atomic_uint port_seq;
static struct sockaddr_un vxd_addr = {.sun_family = AF_UNIX};
static bool vxd_known; /* $VX_NL was there and fits */

/* ---- start ---- */

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

static void after_fork_in_child(void)
{
	owner = getpid();
	atomic_store(&port_seq, 0);
	pthread_mutex_unlock(&lock);
}

static void find_calls(void)
{
#define FIND(name) (real.name = (__typeof__(real.name))dlsym(RTLD_NEXT, #name))
	FIND(socket), FIND(close), FIND(dup), FIND(dup2), FIND(dup3), FIND(fcntl), FIND(ioctl);
	FIND(bind), FIND(connect), FIND(getsockname), FIND(getpeername), FIND(setsockopt);
	FIND(getsockopt), FIND(send), FIND(sendto), FIND(sendmsg), FIND(sendmmsg), FIND(write);
	FIND(writev), FIND(recv), FIND(recvfrom), FIND(recvmsg), FIND(recvmmsg), FIND(read);
	FIND(readv);
#undef FIND
}

static void init_once(void)
{
	const char *path = getenv("VX_NL");

	find_calls();
	owner = getpid();
	if (path && *path && strlen(path) < sizeof(vxd_addr.sun_path)) {
		strcpy(vxd_addr.sun_path, path);
		vxd_known = true;
	}
	pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

/* Every call comes through here: constructors of other objects may run before ours. */
static void init(void)
{
	pthread_once(&once, init_once);
}

/* At load, before the program can change its environment. */
__attribute__((constructor)) static void at_load(void)
{
	init();
}

/* ---- table of descriptors; all but slot_get() under 'lock' ---- */

static uintptr_t slot_get(int fd)
{
	_Atomic uintptr_t *page;

	if (fd < 0 || fd >= FD_MAX)
		return 0;
	page = atomic_load_explicit(&pages[fd >> SLOT_BITS], memory_order_acquire);
	return page ? atomic_load_explicit(&page[fd % SLOTS], memory_order_acquire) : 0;
}

/* 0, or -1 with errno; clearing never fails.  Pages stay, so slot_get() needs no lock. */
static int slot_set(int fd, uintptr_t value)
{
	_Atomic uintptr_t *page;

	if (fd < 0 || fd >= FD_MAX) {
		errno = EMFILE;
		return value ? -1 : 0;
	}
	page = atomic_load_explicit(&pages[fd >> SLOT_BITS], memory_order_relaxed);
	if (!page && !value)
		return 0;
	if (!page) {
		page = calloc(SLOTS, sizeof(*page));
		if (!page)
			return -1;
		atomic_store_explicit(&pages[fd >> SLOT_BITS], page, memory_order_release);
	}
	atomic_store_explicit(&page[fd % SLOTS], value, memory_order_release);
	return 0;
}

/* The first slot in use from 'fd' on, FD_MAX if there is none. */
static int slot_next(int fd)
{
	while (fd < FD_MAX && !slot_get(fd)) {
		if (atomic_load_explicit(&pages[fd >> SLOT_BITS], memory_order_relaxed))
			fd++;
		else
			fd = (fd | (SLOTS - 1)) + 1;
	}
	return fd;
}

static struct led *slot_led(uintptr_t slot)
{
	return slot & SLOT_DONE_FD ? NULL : (struct led *)slot;
}

/* Whether we are a child of vfork(): our memory is the parent's, our descriptors are not. */
static bool borrowed(void)
{
	return getpid() != owner;
}

/* Takes one reference back; the last one ends 'l'.  'lock' is held, errno kept. */
static void unref(struct led *l, bool close_done_fd)
{
	int saved = errno;

	if (--l->refs)
		return;
	slot_set(l->done_fd, 0);
	if (close_done_fd)
		syscall(SYS_close, l->done_fd);
	munmap(l->shared, sizeof(*l->shared));
	free(l);
	errno = saved;
}

/* Forgets 'fd' if it is led. */
static void slot_drop(int fd)
{
	struct led *l = slot_led(slot_get(fd));

	if (l) {
		slot_set(fd, 0);
		unref(l, true);
	}
}

static bool is_socket_of(const struct led *l, int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_dev == l->dev && st.st_ino == l->ino;
}

/* The led socket behind 'fd', to be given back with led_put(); NULL if it is none. */
static struct led *led_get(int fd)
{
	int saved = errno;
	struct led *l;

	init();
	if (!slot_led(slot_get(fd)))
		return NULL;
	pthread_mutex_lock(&lock);
	l = slot_led(slot_get(fd));
	if (l && !is_socket_of(l, fd)) {
		/* Closed behind our back.  The eventfd may be, too: do not close its number. */
		if (!borrowed()) {
			slot_set(fd, 0);
			unref(l, false);
		}
		l = NULL;
	}
	if (l)
		l->refs++;
	pthread_mutex_unlock(&lock);
	errno = saved;
	return l;
}

static void led_put(struct led *l)
{
	pthread_mutex_lock(&lock);
	unref(l, true);
	pthread_mutex_unlock(&lock);
}

/* 'fd' is now one more descriptor of 'l', or, with NULL, something that is not led. */
static void slot_assign(int fd, struct led *l)
{
	pthread_mutex_lock(&lock);
	if (!borrowed()) {
		slot_drop(fd);
		if (l && !slot_set(fd, (uintptr_t)l))
			l->refs++;
	}
	pthread_mutex_unlock(&lock);
}

/* Moves our eventfd away from 'fd', which the program is about to use.  0, or -1 with errno. */
static int make_room(int fd)
{
	struct led *l;
	uintptr_t slot;
	int moved = fd;

	if (!(slot_get(fd) & SLOT_DONE_FD) || borrowed())
		return 0;
	pthread_mutex_lock(&lock);
	slot = slot_get(fd);
	if (slot & SLOT_DONE_FD) {
		l = (struct led *)(slot - SLOT_DONE_FD);
		moved = real.fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
		if (moved >= 0 && !slot_set(moved, slot)) {
			l->done_fd = moved;
			slot_set(fd, 0);
		}
	}
	pthread_mutex_unlock(&lock);
	if (moved >= 0)
		return 0;
	errno = EBUSY;
	return -1;
}

/* ---- connections to vxd ---- */

static bool port_in_use(uint32_t port)
{
	for (int fd = slot_next(0); fd < FD_MAX; fd = slot_next(fd + 1)) {
		struct led *l = slot_led(slot_get(fd));

		if (l && l->port == port)
			return true;
	}
	return false;
}

/*
 * A port id no other socket has: the first socket of a process gets its pid, as from the kernel,
 * the others the top bit, the pid and a count.  0 if all are in use.  'lock' is held.
 */
static uint32_t port_new(bool first)
{
	uint32_t pid = (uint32_t)getpid() & PORT_PID_MASK;

	if (first && !port_in_use(pid))
		return pid;
	for (int tries = 1 << PORT_SEQ_BITS; tries; tries--) {
		uint32_t seq = atomic_fetch_add(&port_seq, 1) % (1 << PORT_SEQ_BITS);
		uint32_t port = 1u << 31 | pid << PORT_SEQ_BITS | seq;

		if (!port_in_use(port))
			return port;
	}
	return 0;
}

struct option_msg {
	struct nlmsghdr head;
	struct nlproto_option body;
};

static struct option_msg option_msg(uint32_t port, uint32_t option, uint32_t value)
{
	return (struct option_msg){
		.head = {.nlmsg_len = sizeof(struct option_msg),
			 .nlmsg_type = NLPROTO_OPTION,
			 .nlmsg_pid = port},
		.body = {.option = option, .value = value},
	};
}

static int hand_over(int fd, int done_fd)
{
	struct option_msg om = option_msg(0, NLPROTO_DONE_FD, 0);
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {&om, sizeof(om)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &done_fd, sizeof(int));
	do {
		n = real.sendmsg(fd, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

/* An eventfd out of the program's way, if the limit on descriptors lets it. */
static int done_fd_new(void)
{
	int low = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int high;

	if (low < 0)
		return -1;
	high = real.fcntl(low, F_DUPFD_CLOEXEC, DONE_FD_MIN);
	if (high < 0)
		return low;
	real.close(low);
	return high;
}

/* Connects and hands the eventfd over.  The socket, or -1 with errno. */
static int vxd_connect(int cloexec, int *done_fd)
{
	int fd, saved;

	if (!vxd_known) { /* never fall back to the host's own netlink */
		errno = ENOENT;
		return -1;
	}
	*done_fd = done_fd_new();
	if (*done_fd < 0)
		return -1;
	fd = real.socket(AF_UNIX, SOCK_SEQPACKET | cloexec, 0);
	if (fd < 0)
		goto out_close_done_fd;
	while (real.connect(fd, (struct sockaddr *)&vxd_addr, sizeof(vxd_addr)))
		if (errno != EINTR)
			goto out_close_fd;
	if (!hand_over(fd, *done_fd))
		return fd;
out_close_fd:
	saved = errno;
	real.close(fd);
	errno = saved;
out_close_done_fd:
	saved = errno;
	real.close(*done_fd);
	errno = saved;
	return -1;
}

/* Gives 'l', connected as 'fd', its port id and puts it into the table.  'lock' is held. */
static int led_enter(struct led *l, int fd)
{
	struct stat st;

	l->port = port_new(true);
	if (!l->port || fstat(fd, &st))
		return -1;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	l->refs = 1;
	slot_drop(fd); /* a stale entry for what was closed behind our back */
	if (slot_set(l->done_fd, (uintptr_t)l | SLOT_DONE_FD))
		return -1;
	if (!slot_set(fd, (uintptr_t)l))
		return 0;
	slot_set(l->done_fd, 0);
	return -1;
}

static int led_open(int type)
{
	struct led *l = calloc(1, sizeof(*l));
	int fd, done_fd, failed;

	if (!l)
		return -1;
	l->type = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
	l->shared = mmap(NULL, sizeof(*l->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l->shared == MAP_FAILED)
		goto out_free;
	fd = vxd_connect(type & SOCK_CLOEXEC, &done_fd);
	if (fd < 0)
		goto out_unmap;
	l->done_fd = done_fd;
	/* Only now: a non-blocking connect() gives EAGAIN while vxd is busy accepting. */
	if (type & SOCK_NONBLOCK)
		real.fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	pthread_mutex_lock(&lock);
	failed = led_enter(l, fd);
	pthread_mutex_unlock(&lock);
	if (!failed)
		return fd;
	real.close(fd);
	real.close(done_fd);
	errno = EMFILE;
out_unmap:
	munmap(l->shared, sizeof(*l->shared));
out_free:
	free(l);
	return -1;
}

/* ---- sending ---- */

/* What a Unix socket says when the other end is closed. */
static bool is_gone(int err)
{
	return err == EPIPE || err == ECONNRESET || err == ECONNREFUSED || err == ENOTCONN;
}

/*
 * Sends one datagram.  Waits for room even on a non-blocking socket and across signals, as a
 * request to the kernel is not refused for either.
 */
static ssize_t led_put_datagram(struct led *l, int fd, const void *data, size_t len)
{
	ssize_t n;

	/* Before, not after: 'done' must never run ahead of it. */
	atomic_fetch_add(&l->shared->sent, 1);
	for (;;) {
		n = real.send(fd, data, len, MSG_NOSIGNAL);
		if (n >= 0)
			return n;
		if (errno == EAGAIN)
			poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, RECHECK_MS);
		else if (errno != EINTR)
			break;
	}
	atomic_fetch_sub(&l->shared->sent, 1);
	if (is_gone(errno))
		errno = ECONNRESET;
	return n;
}

static int send_option(struct led *l, int fd, uint32_t option, uint32_t value)
{
	struct option_msg om = option_msg(l->port, option, value);

	return led_put_datagram(l, fd, &om, sizeof(om)) < 0 ? -1 : 0;
}

/* Writes the port id into every message.  A lying length ends it: vxd shall see it and say so. */
static void stamp(char *data, size_t len, uint32_t port)
{
	struct nlmsghdr head;
	size_t step;

	while (len >= sizeof(head)) {
		memcpy(&head, data, sizeof(head));
		if (head.nlmsg_len < sizeof(head))
			return;
		head.nlmsg_pid = port;
		memcpy(data, &head, sizeof(head));
		step = NLMSG_ALIGN((size_t)head.nlmsg_len);
		if (step > len)
			return;
		data += step;
		len -= step;
	}
}

static void gather(char *to, const struct iovec *iov, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (iov[i].iov_len)
			memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
}

/* Bytes that 'iov' holds; SEND_MAX + 1 if that is more than SEND_MAX. */
static size_t iov_size(const struct iovec *iov, size_t count)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		if (iov[i].iov_len > SEND_MAX - sum)
			return SEND_MAX + 1;
		sum += iov[i].iov_len;
	}
	return sum;
}

static ssize_t led_send(struct led *l, int fd, const struct msghdr *msg)
{
	const struct sockaddr_nl *to = msg->msg_name;
	size_t len = iov_size(msg->msg_iov, msg->msg_iovlen);
	char small[SEND_ON_STACK], *data = small;
	ssize_t n;

	if (to && msg->msg_namelen >= sizeof(*to) && (to->nl_family != AF_NETLINK || to->nl_pid)) {
		/* Only the kernel's place is taken by vxd; there is nobody else to talk to. */
		errno = to->nl_family != AF_NETLINK ? EINVAL : ECONNREFUSED;
		return -1;
	}
	if (!len || len > SEND_MAX) {
		errno = len ? EMSGSIZE : ENODATA;
		return -1;
	}
	if (len > sizeof(small))
		data = malloc(len);
	if (!data) {
		errno = ENOBUFS;
		return -1;
	}
	gather(data, msg->msg_iov, msg->msg_iovlen);
	stamp(data, len, l->port);
	l->bound = true;
	n = led_put_datagram(l, fd, data, len);
	if (data != small)
		free(data);
	return n;
}

/* ---- receiving ---- */

/* Whether vxd has datagrams of ours that it is not done with. */
static bool outstanding(struct led *l)
{
	uint64_t sent = atomic_load(&l->shared->sent);
	uint64_t more;

	if (real.read(l->done_fd, &more, sizeof(more)) == sizeof(more))
		atomic_fetch_add(&l->shared->done, more);
	return atomic_load(&l->shared->done) < sent;
}

/* Waits until there may be data, or vxd may be done. */
static void wait_done(struct led *l, int fd)
{
	struct pollfd pfd[] = {{.fd = fd, .events = POLLIN}, {.fd = l->done_fd, .events = POLLIN}};

	poll(pfd, 2, RECHECK_MS);
}

/* vxd is gone: told as lost messages once, then as an error, never as an end of file. */
static ssize_t gone(struct led *l)
{
	errno = atomic_exchange(&l->shared->gone, true) ? ECONNRESET : ENOBUFS;
	return -1;
}

/* Receives what is there, without waiting; EAGAIN if nothing is. */
static ssize_t receive_now(struct led *l, int fd, struct msghdr *msg, int flags)
{
	struct nlmsghdr head;
	ssize_t n;

	pthread_mutex_lock(&lock); /* what we look at is what we take */
	n = syscall(SYS_recvfrom, fd, &head, sizeof(head), MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT,
		    NULL, NULL);
	if (n == sizeof(head) && head.nlmsg_type == NLMSG_OVERRUN) {
		syscall(SYS_recvfrom, fd, &head, sizeof(head), MSG_DONTWAIT, NULL, NULL);
		n = -1;
		errno = ENOBUFS;
	} else if (n > 0) {
		n = syscall(SYS_recvmsg, fd, msg, flags | MSG_TRUNC | MSG_DONTWAIT);
	} else if (n == 0 || is_gone(errno)) {
		n = gone(l);
	}
	pthread_mutex_unlock(&lock);
	return n;
}

/* receive_now(), waiting as the program and the requests under way ask for. */
static ssize_t receive(struct led *l, int fd, struct msghdr *msg, int flags)
{
	bool settled = false;

	for (;;) {
		ssize_t n = receive_now(l, fd, msg, flags);

		if (n >= 0 || errno != EAGAIN || settled)
			return n;
		/* The kernel knows O_NONBLOCK, SO_RCVTIMEO and which signals restart a call. */
		if (!(flags & MSG_DONTWAIT)) {
			if (real.recv(fd, NULL, 0, MSG_PEEK) >= 0)
				continue;
			if (is_gone(errno))
				return gone(l);
			if (errno != EAGAIN)
				return -1;
		}
		if (outstanding(l))
			wait_done(l, fd);
		else
			settled = true; /* all replies are written: one more look is the last */
	}
}

static void fill_kernel_addr(void *to, socklen_t *len)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	memcpy(to, &kernel, *len < sizeof(kernel) ? *len : sizeof(kernel));
	*len = sizeof(kernel);
}

static ssize_t led_recv(struct led *l, int fd, struct msghdr *msg, int flags)
{
	struct msghdr own = *msg;
	size_t room = iov_size(msg->msg_iov, msg->msg_iovlen);
	ssize_t n;

	if (flags & MSG_ERRQUEUE)
		return real.recvmsg(fd, msg, flags);
	own.msg_name = NULL;
	own.msg_namelen = 0;
	n = receive(l, fd, &own, flags);
	if (n < 0)
		return n;
	msg->msg_controllen = own.msg_controllen;
	msg->msg_flags = own.msg_flags;
	if (msg->msg_name)
		fill_kernel_addr(msg->msg_name, &msg->msg_namelen);
	return flags & MSG_TRUNC || (size_t)n <= room ? n : (ssize_t)room;
}

static ssize_t led_recv_buf(struct led *l, int fd, void *buf, size_t len, int flags)
{
	struct iovec iov = {buf, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	return led_recv(l, fd, &msg, flags);
}

/* ---- addresses and options ---- */

static int led_bind(struct led *l, int fd, const struct sockaddr_nl *addr, socklen_t len)
{
	int err = 0;

	if (len < sizeof(*addr) || addr->nl_family != AF_NETLINK) {
		errno = EINVAL;
		return -1;
	}
	pthread_mutex_lock(&lock);
	if (addr->nl_pid && addr->nl_pid != l->port) {
		if (l->bound)
			err = EINVAL;
		else if (port_in_use(addr->nl_pid))
			err = EADDRINUSE;
		else
			l->port = addr->nl_pid;
	}
	if (!err)
		l->bound = true;
	pthread_mutex_unlock(&lock);
	if (err) {
		errno = err;
		return -1;
	}
	if (addr->nl_groups == l->bind_groups)
		return 0;
	if (send_option(l, fd, NLPROTO_BIND_GROUPS, addr->nl_groups))
		return -1;
	pthread_mutex_lock(&lock);
	l->bind_groups = addr->nl_groups;
	l->groups[0] = addr->nl_groups;
	pthread_mutex_unlock(&lock);
	return 0;
}

static int led_getsockname(struct led *l, void *to, socklen_t *len)
{
	struct sockaddr_nl own = {.nl_family = AF_NETLINK};

	pthread_mutex_lock(&lock);
	own.nl_pid = l->port;
	own.nl_groups = l->groups[0];
	pthread_mutex_unlock(&lock);
	memcpy(to, &own, *len < sizeof(own) ? *len : sizeof(own));
	*len = sizeof(own);
	return 0;
}

static int set_membership(struct led *l, int fd, int option, uint32_t group)
{
	uint32_t bit = 1u << (group - 1) % 32;

	if (!group || group > GROUPS_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (send_option(l, fd, option, group))
		return -1;
	pthread_mutex_lock(&lock);
	if (option == NETLINK_ADD_MEMBERSHIP)
		l->groups[(group - 1) / 32] |= bit;
	else
		l->groups[(group - 1) / 32] &= ~bit;
	pthread_mutex_unlock(&lock);
	return 0;
}

static int led_setsockopt(struct led *l, int fd, int option, const void *value, socklen_t len)
{
	uint32_t v;

	if (len < sizeof(v)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(&v, value, sizeof(v));
	switch (option) {
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
		return set_membership(l, fd, option, v);
	case NETLINK_CAP_ACK:
	case NETLINK_EXT_ACK:
	case NETLINK_GET_STRICT_CHK:
		v = !!v;
		if (send_option(l, fd, option, v))
			return -1;
		break;
	default:
		break; /* taken and not sent: nothing of vxd's depends on it */
	}
	if (option > 0 && option < 32) {
		pthread_mutex_lock(&lock);
		l->flags = v ? l->flags | 1u << option : l->flags & ~(1u << option);
		pthread_mutex_unlock(&lock);
	}
	return 0;
}

static int give_option(void *to, socklen_t *len, const void *value, socklen_t size)
{
	memcpy(to, value, *len < size ? *len : size);
	*len = size;
	return 0;
}

static int led_getsockopt(struct led *l, int option, void *to, socklen_t *len)
{
	int flag = option > 0 && option < 32 && l->flags & 1u << option;

	if (option == NETLINK_LIST_MEMBERSHIPS)
		return give_option(to, len, l->groups, sizeof(l->groups));
	return give_option(to, len, &flag, sizeof(flag));
}

/* ---- questions of our own, each on a connection of its own ---- */

struct question {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
	};
	char attrs[64];
};

typedef void answer_fn(const struct nlmsghdr *head, void *arg);

static void put_attr(struct question *q, int type, const void *data, size_t len)
{
	struct rtattr *rta = (void *)((char *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	rta->rta_type = type;
	rta->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(rta), data, len);
	q->head.nlmsg_len = NLMSG_ALIGN(q->head.nlmsg_len) + RTA_ALIGN(rta->rta_len);
}

/* One datagram of answers.  1: more will come; else 0 or a negative errno, and the end. */
static int answers(const char *data, size_t left, answer_fn *fn, void *arg)
{
	const struct nlmsghdr *head = (const void *)data;
	int more = 1;

	for (; NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
		if (head->nlmsg_type == NLMSG_DONE)
			return 0;
		if (head->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(head))->error;
		if (fn)
			fn(head, arg);
		if (!(head->nlmsg_flags & NLM_F_MULTI))
			more = 0;
	}
	return more;
}

static int next_answers(int fd, answer_fn *fn, void *arg)
{
	ssize_t len;
	char *data;
	int r;

	do {
		len = real.recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
	} while (len < 0 && errno == EINTR);
	if (len <= 0)
		return -ENODEV;
	data = malloc(len);
	if (!data)
		return -ENOMEM;
	len = real.recv(fd, data, len, 0);
	r = len > 0 ? answers(data, len, fn, arg) : -ENODEV;
	free(data);
	return r;
}

/* Asks vxd, gives 'fn' the answers.  0, or a negative errno: vxd's, -ENODEV if it is not there. */
static int ask(struct question *q, answer_fn *fn, void *arg)
{
	int saved = errno, done_fd, fd, r = -ENODEV;

	fd = vxd_connect(SOCK_CLOEXEC, &done_fd);
	if (fd < 0)
		goto out;
	pthread_mutex_lock(&lock);
	q->head.nlmsg_pid = port_new(false);
	pthread_mutex_unlock(&lock);
	q->head.nlmsg_seq = 1;
	q->head.nlmsg_flags |= NLM_F_REQUEST;
	if (real.send(fd, q, q->head.nlmsg_len, MSG_NOSIGNAL) > 0) {
		do {
			r = next_answers(fd, fn, arg);
		} while (r > 0);
	}
	real.close(fd);
	real.close(done_fd);
out:
	errno = saved;
	return r;
}

struct link {
	int index;
	unsigned int flags, type, mtu, txqlen;
	char name[IFNAMSIZ];
	unsigned char addr[sizeof(((struct sockaddr *)0)->sa_data)];
};

static void link_parse(const struct nlmsghdr *head, void *arg)
{
	const struct ifinfomsg *ifi = NLMSG_DATA(head);
	const struct rtattr *rta = IFLA_RTA(ifi);
	int left = IFLA_PAYLOAD(head);
	struct link *link = arg;

	if (head->nlmsg_type != RTM_NEWLINK || left < 0)
		return;
	link->index = ifi->ifi_index;
	link->flags = ifi->ifi_flags;
	link->type = ifi->ifi_type;
	for (; RTA_OK(rta, left); rta = RTA_NEXT(rta, left)) {
		size_t len = RTA_PAYLOAD(rta);

		if (rta->rta_type == IFLA_MTU && len == 4)
			memcpy(&link->mtu, RTA_DATA(rta), 4);
		else if (rta->rta_type == IFLA_TXQLEN && len == 4)
			memcpy(&link->txqlen, RTA_DATA(rta), 4);
		else if (rta->rta_type == IFLA_IFNAME && len && len <= sizeof(link->name))
			memcpy(link->name, RTA_DATA(rta), len);
		else if (rta->rta_type == IFLA_ADDRESS && len <= sizeof(link->addr))
			memcpy(link->addr, RTA_DATA(rta), len);
	}
	link->name[IFNAMSIZ - 1] = '\0';
}

/* Looks a link up by 'name', or with NULL by 'index'. */
static int link_find(const char *name, int index, struct link *link)
{
	struct question q = {
		.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(q.link)), .nlmsg_type = RTM_GETLINK}};
	const uint32_t mask = RTEXT_FILTER_SKIP_STATS;
	int r;

	memset(link, 0, sizeof(*link));
	if (name) {
		size_t len = strnlen(name, IFNAMSIZ);

		if (!len || len == IFNAMSIZ)
			return -ENODEV;
		put_attr(&q, IFLA_IFNAME, name, len + 1);
	} else {
		q.link.ifi_index = index;
		if (index <= 0)
			return -ENODEV;
	}
	put_attr(&q, IFLA_EXT_MASK, &mask, sizeof(mask));
	r = ask(&q, link_parse, link);
	return r ? r : link->index ? 0 : -ENODEV;
}

static struct question link_change(const struct link *link)
{
	return (struct question){
		.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
			 .nlmsg_type = RTM_NEWLINK,
			 .nlmsg_flags = NLM_F_ACK},
		.link = {.ifi_index = link->index},
	};
}

struct addr_list {
	struct ifreq *reqs;
	size_t count, room; /* 'count' goes on where 'room' ends */
};

static void addr_parse(const struct nlmsghdr *head, void *arg)
{
	const struct ifaddrmsg *ifa = NLMSG_DATA(head);
	const struct rtattr *rta = IFA_RTA(ifa);
	int left = IFA_PAYLOAD(head);
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct addr_list *list = arg;
	char name[IFNAMSIZ] = "";

	if (head->nlmsg_type != RTM_NEWADDR || left < 0 || ifa->ifa_family != AF_INET)
		return;
	for (; RTA_OK(rta, left); rta = RTA_NEXT(rta, left)) {
		size_t len = RTA_PAYLOAD(rta);

		if (rta->rta_type == IFA_LOCAL && len == 4)
			memcpy(&sin.sin_addr, RTA_DATA(rta), 4);
		else if (rta->rta_type == IFA_LABEL && len <= sizeof(name))
			memcpy(name, RTA_DATA(rta), len);
	}
	name[IFNAMSIZ - 1] = '\0';
	if (list->count < list->room) {
		struct ifreq *req = &list->reqs[list->count];

		memset(req, 0, sizeof(*req));
		memcpy(req->ifr_name, name, sizeof(name));
		memcpy(&req->ifr_addr, &sin, sizeof(sin));
	}
	list->count++;
}

static int addr_dump(struct addr_list *list)
{
	struct question q = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(q.addr)),
				      .nlmsg_type = RTM_GETADDR,
				      .nlmsg_flags = NLM_F_DUMP},
			     .addr = {.ifa_family = AF_INET}};

	return ask(&q, addr_parse, list);
}

/* ---- interface ioctls: answered from vxd or ENODEV, never by the host ---- */

/* The IPv4 addresses; without a buffer only how much room they need. */
static int ioctl_conf(struct ifconf *conf)
{
	struct addr_list list = {.reqs = conf->ifc_req};
	int r;

	if (conf->ifc_buf && conf->ifc_len > 0)
		list.room = conf->ifc_len / sizeof(struct ifreq);
	r = addr_dump(&list);
	if (r)
		return r;
	if (conf->ifc_buf && list.count > list.room)
		list.count = list.room;
	conf->ifc_len = list.count * sizeof(struct ifreq);
	return 0;
}

static int ioctl_addr(struct ifreq *req)
{
	enum { ADDRS_MAX = 256 };
	struct addr_list list = {.reqs = calloc(ADDRS_MAX, sizeof(struct ifreq)),
				 .room = ADDRS_MAX};
	int r = list.reqs ? addr_dump(&list) : -ENOMEM;

	for (size_t i = 0; !r && i < list.count && i < list.room; i++) {
		if (!strncmp(list.reqs[i].ifr_name, req->ifr_name, IFNAMSIZ)) {
			req->ifr_addr = list.reqs[i].ifr_addr;
			free(list.reqs);
			return 0;
		}
	}
	free(list.reqs);
	return r ? r : -EADDRNOTAVAIL;
}

static int set_flags(const struct link *link, const struct ifreq *req)
{
	struct question q = link_change(link);
	unsigned int wanted = (unsigned short)req->ifr_flags;

	/* What dev_change_flags() lets be set; the rest of the word is state. */
	q.link.ifi_change =
		(link->flags ^ wanted) &
		(IFF_UP | IFF_DEBUG | IFF_NOTRAILERS | IFF_NOARP | IFF_PROMISC | IFF_ALLMULTI |
		 IFF_MULTICAST | IFF_PORTSEL | IFF_AUTOMEDIA | IFF_DYNAMIC);
	q.link.ifi_flags = wanted & q.link.ifi_change;
	return q.link.ifi_change ? ask(&q, NULL, NULL) : 0;
}

static int set_attr(const struct link *link, int type, const void *data, size_t len)
{
	struct question q = link_change(link);

	put_attr(&q, type, data, len);
	return ask(&q, NULL, NULL);
}

/* A request about the interface named in 'req', which is 'link'. */
static int ioctl_link(unsigned long request, struct ifreq *req, const struct link *link)
{
	switch (request) {
	case SIOCGIFINDEX:
		req->ifr_ifindex = link->index;
		return 0;
	case SIOCGIFFLAGS:
		req->ifr_flags = link->flags;
		return 0;
	case SIOCGIFMTU:
		req->ifr_mtu = link->mtu;
		return 0;
	case SIOCGIFTXQLEN:
		req->ifr_qlen = link->txqlen;
		return 0;
	case SIOCGIFMETRIC:
		req->ifr_metric = 0;
		return 0;
	case SIOCGIFHWADDR:
		req->ifr_hwaddr.sa_family = link->type;
		memcpy(req->ifr_hwaddr.sa_data, link->addr, sizeof(link->addr));
		return 0;
	case SIOCGIFADDR:
		return ioctl_addr(req);
	case SIOCSIFFLAGS:
		return set_flags(link, req);
	case SIOCSIFMTU:
		return set_attr(link, IFLA_MTU, &req->ifr_mtu, 4);
	case SIOCSIFTXQLEN:
		return set_attr(link, IFLA_TXQLEN, &req->ifr_qlen, 4);
	case SIOCSIFHWADDR:
		if (req->ifr_hwaddr.sa_family != link->type || link->type != ARPHRD_ETHER)
			return -EINVAL;
		return set_attr(link, IFLA_ADDRESS, req->ifr_hwaddr.sa_data, 6);
	case SIOCSIFNAME:
		return set_attr(link, IFLA_IFNAME, req->ifr_newname,
				strnlen(req->ifr_newname, IFNAMSIZ - 1) + 1);
	default:
		return -ENODEV;
	}
}

/* SIOC[GS]IF* by number: SIOCGIFNAME to SIOCSIFTXQLEN less what is no interface's, and the maps. */
static bool is_interface_ioctl(unsigned long request)
{
	if (request == SIOCGIFPFLAGS || request == SIOCSIFPFLAGS)
		return true;
	if (request == SIOCGIFMAP || request == SIOCSIFMAP)
		return true;
	return request >= SIOCGIFNAME && request <= SIOCSIFTXQLEN && request != SIOCSIFLINK;
}

static int ioctl_interface(unsigned long request, void *arg)
{
	struct ifreq *req = arg;
	struct link link;
	int r;

	if (!arg) {
		r = -EFAULT;
	} else if (request == SIOCGIFCONF) {
		r = ioctl_conf(arg);
	} else if (request == SIOCGIFNAME) {
		r = link_find(NULL, req->ifr_ifindex, &link);
		if (!r)
			memcpy(req->ifr_name, link.name, IFNAMSIZ);
	} else {
		r = link_find(req->ifr_name, 0, &link);
		if (!r)
			r = ioctl_link(request, req, &link);
	}
	if (!r)
		return 0;
	errno = -r;
	return -1;
}

/* A TUN/TAP file answers some of these numbers about itself, so only sockets are meant. */
static bool is_socket(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISSOCK(st.st_mode);
}

/* ---- the calls ---- */

EXPORT int socket(int domain, int type, int protocol)
{
	int kind = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);

	init();
	if (domain == AF_NETLINK && protocol == NETLINK_ROUTE &&
	    (kind == SOCK_RAW || kind == SOCK_DGRAM))
		return led_open(type);
	return real.socket(domain, type, protocol);
}

EXPORT int close(int fd)
{
	init();
	if (slot_get(fd) && !borrowed()) {
		/* Before the number is free: the next socket() may get it. */
		pthread_mutex_lock(&lock);
		if (slot_get(fd) & SLOT_DONE_FD) {
			pthread_mutex_unlock(&lock);
			errno = EBADF;
			return -1;
		}
		slot_drop(fd);
		pthread_mutex_unlock(&lock);
	}
	return real.close(fd);
}

/* Forgets the led sockets from 'first' to 'last', then closes all but eventfds still in use. */
static int close_span(unsigned int first, unsigned int last, int flags)
{
	int end = last < FD_MAX ? (int)last : FD_MAX - 1;
	int r = 0;

	pthread_mutex_lock(&lock);
	for (int fd = slot_next(first); fd <= end; fd = slot_next(fd + 1))
		slot_drop(fd);
	for (int fd = slot_next(first); fd <= end && !r; fd = slot_next(fd + 1)) {
		if ((unsigned int)fd > first)
			r = syscall(SYS_close_range, first, fd - 1, flags);
		first = fd + 1;
	}
	if (!r && first <= last)
		r = syscall(SYS_close_range, first, last, flags);
	pthread_mutex_unlock(&lock);
	return r;
}

EXPORT int close_range(unsigned int first, unsigned int last, int flags)
{
	init();
	if (first > last || first >= FD_MAX || flags & CLOSE_RANGE_CLOEXEC || borrowed())
		return syscall(SYS_close_range, first, last, flags);
	return close_span(first, last, flags);
}

EXPORT void closefrom(int low)
{
	close_range(low > 0 ? low : 0, ~0u, 0);
}

EXPORT int dup(int fd)
{
	struct led *l = led_get(fd);
	int copy = real.dup(fd);

	if (copy >= 0 && (l || slot_get(copy)))
		slot_assign(copy, l);
	if (l)
		led_put(l);
	return copy;
}

static int dup_to(int fd, int copy, int flags, bool three)
{
	struct led *l = led_get(fd);
	int r;

	if (fd != copy && make_room(copy))
		r = -1;
	else
		r = three ? real.dup3(fd, copy, flags) : real.dup2(fd, copy);
	if (r >= 0 && fd != copy && (l || slot_get(copy)))
		slot_assign(copy, l);
	if (l)
		led_put(l);
	return r;
}

EXPORT int dup2(int fd, int copy)
{
	return dup_to(fd, copy, 0, false);
}

EXPORT int dup3(int fd, int copy, int flags)
{
	return dup_to(fd, copy, flags, true);
}

EXPORT int fcntl(int fd, int cmd, ...)
{
	struct led *l = NULL;
	va_list ap;
	void *arg;
	int r;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	init();
	if (cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC)
		return real.fcntl(fd, cmd, arg);
	l = led_get(fd);
	r = real.fcntl(fd, cmd, arg);
	if (r >= 0 && (l || slot_get(r)))
		slot_assign(r, l);
	if (l)
		led_put(l);
	return r;
}

EXPORT int fcntl64(int fd, int cmd, ...) __attribute__((alias("fcntl")));

EXPORT int bind(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	struct led *l = led_get(fd);
	int r;

	if (!l)
		return real.bind(fd, addr.__sockaddr__, len);
	r = led_bind(l, fd, (const void *)addr.__sockaddr__, len);
	led_put(l);
	return r;
}

/* The only peer there is, is the kernel's place, taken by vxd. */
EXPORT int connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	const struct sockaddr_nl *to = (const void *)addr.__sockaddr__;
	struct led *l = led_get(fd);

	if (!l)
		return real.connect(fd, addr.__sockaddr__, len);
	led_put(l);
	if (len >= sizeof(to->nl_family) && to->nl_family == AF_UNSPEC)
		return 0;
	if (len < sizeof(*to) || to->nl_family != AF_NETLINK)
		errno = EINVAL;
	else if (to->nl_pid)
		errno = ECONNREFUSED;
	else
		return 0;
	return -1;
}

EXPORT int getsockname(int fd, __SOCKADDR_ARG addr, socklen_t *len)
{
	struct led *l = led_get(fd);
	int r;

	if (!l)
		return real.getsockname(fd, addr.__sockaddr__, len);
	r = led_getsockname(l, addr.__sockaddr__, len);
	led_put(l);
	return r;
}

EXPORT int getpeername(int fd, __SOCKADDR_ARG addr, socklen_t *len)
{
	struct led *l = led_get(fd);

	if (!l)
		return real.getpeername(fd, addr.__sockaddr__, len);
	fill_kernel_addr(addr.__sockaddr__, len);
	led_put(l);
	return 0;
}

EXPORT int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	struct led *l = level == SOL_NETLINK ? led_get(fd) : NULL;
	int r;

	init();
	if (!l)
		return real.setsockopt(fd, level, option, value, len);
	r = led_setsockopt(l, fd, option, value, len);
	led_put(l);
	return r;
}

EXPORT int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	static const int domain = AF_NETLINK;
	struct led *l = led_get(fd);
	int r;

	if (l && level == SOL_NETLINK)
		r = led_getsockopt(l, option, value, len);
	else if (l && level == SOL_SOCKET && option == SO_DOMAIN)
		r = give_option(value, len, &domain, sizeof(domain));
	else if (l && level == SOL_SOCKET && option == SO_TYPE)
		r = give_option(value, len, &l->type, sizeof(l->type));
	else /* SO_PROTOCOL too: 0 is also NETLINK_ROUTE */
		r = real.getsockopt(fd, level, option, value, len);
	if (l)
		led_put(l);
	return r;
}

static ssize_t send_iov(struct led *l, int fd, const struct iovec *iov, size_t count)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = count};
	ssize_t n = led_send(l, fd, &msg);

	led_put(l);
	return n;
}

EXPORT ssize_t send(int fd, const void *buf, size_t len, int flags)
{
	struct led *l = led_get(fd);
	struct iovec iov = {(void *)buf, len};

	return l ? send_iov(l, fd, &iov, 1) : real.send(fd, buf, len, flags);
}

EXPORT ssize_t sendto(int fd, const void *buf, size_t len, int flags, __CONST_SOCKADDR_ARG to,
		      socklen_t to_len)
{
	struct led *l = led_get(fd);
	struct iovec iov = {(void *)buf, len};
	struct msghdr msg = {.msg_name = (void *)to.__sockaddr__,
			     .msg_namelen = to_len,
			     .msg_iov = &iov,
			     .msg_iovlen = 1};
	ssize_t n;

	if (!l)
		return real.sendto(fd, buf, len, flags, to.__sockaddr__, to_len);
	n = led_send(l, fd, &msg);
	led_put(l);
	return n;
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct led *l = led_get(fd);
	ssize_t n;

	if (!l)
		return real.sendmsg(fd, msg, flags);
	n = led_send(l, fd, msg);
	led_put(l);
	return n;
}

EXPORT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int count, int flags)
{
	struct led *l = led_get(fd);
	unsigned int i;

	if (!l)
		return real.sendmmsg(fd, msgs, count, flags);
	for (i = 0; i < count; i++) {
		ssize_t n = led_send(l, fd, &msgs[i].msg_hdr);

		if (n < 0)
			break;
		msgs[i].msg_len = n;
	}
	led_put(l);
	return i || !count ? (int)i : -1;
}

EXPORT ssize_t write(int fd, const void *buf, size_t len)
{
	struct led *l = led_get(fd);
	struct iovec iov = {(void *)buf, len};

	return l ? send_iov(l, fd, &iov, 1) : real.write(fd, buf, len);
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int count)
{
	struct led *l = led_get(fd);

	return l ? send_iov(l, fd, iov, count < 0 ? 0 : count) : real.writev(fd, iov, count);
}

EXPORT ssize_t recv(int fd, void *buf, size_t len, int flags)
{
	struct led *l = led_get(fd);
	ssize_t n;

	if (!l)
		return real.recv(fd, buf, len, flags);
	n = led_recv_buf(l, fd, buf, len, flags);
	led_put(l);
	return n;
}

EXPORT ssize_t recvfrom(int fd, void *restrict buf, size_t len, int flags, __SOCKADDR_ARG from,
			socklen_t *restrict from_len)
{
	struct led *l = led_get(fd);
	ssize_t n;

	if (!l)
		return real.recvfrom(fd, buf, len, flags, from.__sockaddr__, from_len);
	n = led_recv_buf(l, fd, buf, len, flags);
	if (n >= 0 && from.__sockaddr__ && from_len)
		fill_kernel_addr(from.__sockaddr__, from_len);
	led_put(l);
	return n;
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct led *l = led_get(fd);
	ssize_t n;

	if (!l)
		return real.recvmsg(fd, msg, flags);
	n = led_recv(l, fd, msg, flags);
	led_put(l);
	return n;
}

/* Waits for the first as recvmsg() does and takes what else is there: 'timeout' is not needed. */
EXPORT int recvmmsg(int fd, struct mmsghdr *msgs, unsigned int count, int flags,
		    struct timespec *timeout)
{
	struct led *l = led_get(fd);
	unsigned int i;

	if (!l)
		return real.recvmmsg(fd, msgs, count, flags, timeout);
	for (i = 0; i < count; i++) {
		int more = i && flags & MSG_WAITFORONE ? MSG_DONTWAIT : 0;
		ssize_t n = led_recv(l, fd, &msgs[i].msg_hdr, (flags & ~MSG_WAITFORONE) | more);

		if (n < 0)
			break;
		msgs[i].msg_len = n;
	}
	led_put(l);
	return i || !count ? (int)i : -1;
}

EXPORT ssize_t read(int fd, void *buf, size_t len)
{
	struct led *l = led_get(fd);
	ssize_t n;

	if (!l)
		return real.read(fd, buf, len);
	n = led_recv_buf(l, fd, buf, len, 0);
	led_put(l);
	return n;
}

EXPORT ssize_t readv(int fd, const struct iovec *iov, int count)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = count < 0 ? 0 : count};
	struct led *l = led_get(fd);
	ssize_t n;

	if (!l)
		return real.readv(fd, iov, count);
	n = led_recv(l, fd, &msg, 0);
	led_put(l);
	return n;
}

/* What a program built with _FORTIFY_SOURCE calls; libc's own would go around the calls above. */
EXPORT ssize_t __read_chk(int fd, void *buf, size_t len, size_t size);
EXPORT ssize_t __recv_chk(int fd, void *buf, size_t len, size_t size, int flags);
EXPORT ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t len, size_t size, int flags,
			      __SOCKADDR_ARG from, socklen_t *restrict from_len);

ssize_t __read_chk(int fd, void *buf, size_t len, size_t size)
{
	if (len > size)
		abort();
	return read(fd, buf, len);
}

ssize_t __recv_chk(int fd, void *buf, size_t len, size_t size, int flags)
{
	if (len > size)
		abort();
	return recv(fd, buf, len, flags);
}

ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t len, size_t size, int flags,
		       __SOCKADDR_ARG from, socklen_t *restrict from_len)
{
	if (len > size)
		abort();
	return recvfrom(fd, buf, len, flags, from, from_len);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	init();
	if (is_interface_ioctl(request) && is_socket(fd))
		return ioctl_interface(request, arg);
	return real.ioctl(fd, request, arg);
}

EXPORT unsigned int if_nametoindex(const char *name)
{
	struct link link;
	int r;

	init();
	r = link_find(name, 0, &link);
	if (!r)
		return link.index;
	errno = -r;
	return 0;
}

EXPORT char *if_indextoname(unsigned int index, char name[IF_NAMESIZE])
{
	struct link link;

	init();
	if (index > INT32_MAX || link_find(NULL, index, &link)) {
		errno = ENXIO;
		return NULL;
	}
	return memcpy(name, link.name, IFNAMSIZ);
}
