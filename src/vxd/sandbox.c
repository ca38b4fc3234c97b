/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/util.h"

/* A sanitizer's run time makes calls of its own (ptrace at the end, for one). */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
	__has_feature(memory_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

#define CALL(name) SCMP_SYS(name)

/* Both: memory, descriptors, time, an orderly end; what the C library does by itself. */
static const int common_calls[] = {
	CALL(read),
	CALL(write),
	CALL(readv),
	CALL(writev),
	CALL(pread64),
	CALL(pwrite64),
	CALL(lseek),
	CALL(close),
	CALL(close_range),
	CALL(dup),
	CALL(dup2),
	CALL(dup3),
	CALL(fcntl),
	CALL(fstat),
	CALL(newfstatat),
	CALL(stat),
	CALL(lstat),
	CALL(statx),
	CALL(mmap),
	CALL(munmap),
	CALL(mremap),
	CALL(mprotect),
	CALL(madvise),
	CALL(brk),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(sigaltstack),
	CALL(restart_syscall),
	CALL(getpid),
	CALL(gettid),
	CALL(getppid),
	CALL(tgkill),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(exit),
	CALL(exit_group),
	CALL(futex),
	CALL(set_robust_list),
	CALL(rseq),
	CALL(uname),
	CALL(getrandom),
	CALL(clock_gettime),
	CALL(clock_nanosleep),
	CALL(nanosleep),
	CALL(gettimeofday),
	CALL(time),
	CALL(poll),
	CALL(ppoll),
	CALL(wait4),
	/* sockets made or passed; which families can be opened is said below */
	CALL(socketpair),
	CALL(bind),
	CALL(listen),
	CALL(accept),
	CALL(accept4),
	CALL(connect),
	CALL(getsockname),
	CALL(getpeername),
	CALL(getsockopt),
	CALL(setsockopt),
	CALL(sendto),
	CALL(sendmsg),
	CALL(recvfrom),
	CALL(recvmsg),
	CALL(shutdown),
	/* files, as far as permissions let: vxd's sockets, /proc/sys, vxd.helper */
	CALL(open),
	CALL(openat),
	CALL(unlink),
	CALL(unlinkat),
	CALL(chmod),
	CALL(fchmodat),
	CALL(access),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(readlink),
	CALL(readlinkat),
	CALL(fstatfs),
	CALL(umask),
};

static const int vxd_calls[] = {
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(epoll_wait),
	CALL(epoll_pwait),
	CALL(epoll_pwait2),
	CALL(eventfd2),
	CALL(signalfd4),
	CALL(timerfd_create),
	CALL(timerfd_settime),
	CALL(recvmmsg),
	CALL(sendmmsg), /* loops and packets */
	CALL(preadv),
	CALL(pwritev),
	CALL(preadv2),
	CALL(pwritev2),
	CALL(pselect6),
	CALL(select),
	/* the state, capture files */
	CALL(rename),
	CALL(renameat),
	CALL(renameat2),
	CALL(mkdir),
	CALL(mkdirat),
	CALL(ftruncate),
	CALL(fsync),
	CALL(fdatasync),
	CALL(fallocate),
	CALL(getdents64),
	CALL(getcwd),
	CALL(chdir), /* once, to "/" */
	CALL(chown),
	CALL(fchown),
	CALL(fchownat),
	CALL(fchmod),
	CALL(flock),
	/* workers; clone3 keeps its flags where a filter cannot look: a process that is made so is
	 * filtered like this one, and can execute nothing else */
	CALL(clone),
	CALL(clone3),
	CALL(sched_yield),
	CALL(sched_getaffinity),
	CALL(sched_setaffinity),
	CALL(getcpu),
	CALL(membarrier),
	CALL(prlimit64),
	CALL(getrusage),
	CALL(sysinfo),
	CALL(get_robust_list),
};

static const int helper_calls[] = {
	CALL(bpf),				 /* what hides a port's frames from the host */
	CALL(setns),				 /* netns of a device */
	CALL(fork),   CALL(clone), CALL(clone3), /* a child enters the namespace */
	CALL(setsid), CALL(mkdir),
	CALL(getdents64),			 /* the name of a namespace */
};

static const int vxd_families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
static const int helper_families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET};

static const unsigned long vxd_ioctls[] = {
	TUNSETPERSIST, TUNSETOFFLOAD, TUNSETVNETHDRSZ, TUNSETQUEUE,
	TUNGETIFF, /* of a TAP that was passed */
	SIOCGIFINDEX,  SIOCGIFMTU,    SIOCGIFHWADDR,   SIOCGIFFLAGS,
	SIOCGIFNAME,			      /* of a packet port */
	SIOCETHTOOL, /* drivers; what it could set needs a capability */
	FIONREAD,      FIONBIO,	      TCGETS, /* the C library's */
};
static const unsigned long helper_ioctls[] = {
	TUNSETIFF,     TUNGETIFF,     TUNGETDEVNETNS, TUNSETQUEUE,
	NS_GET_NSTYPE, NS_GET_USERNS, TCGETS,
};

/* --- the filter ------------------------------------------------------------------------------ */

static int allow(scmp_filter_ctx f, const int *calls, size_t n)
{
	int r = 0;

	/* A call that this machine has not (stat on arm64) is no error. */
	for (size_t i = 0; i < n && r == 0; i++)
		if (calls[i] >= 0)
			r = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
	return r;
}

static int allow_families(scmp_filter_ctx f, const int *families, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(socket), 1,
				     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	return r;
}

static int allow_ioctls(scmp_filter_ctx f, const unsigned long *cmds, size_t n)
{
	int r = 0;

	/* The kernel looks at the lower 32 bits. */
	for (size_t i = 0; i < n && r == 0; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(ioctl), 1,
				     SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, cmds[i]));
	return r;
}

/* Names of threads, and of the helper. */
static int allow_names(scmp_filter_ctx f)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, CALL(prctl), 1,
				SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
}

static scmp_filter_ctx filter_new(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

	if (!f)
		return NULL;
	seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1);
	seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree: the hot calls are many */
	return f;
}

static void load(scmp_filter_ctx f, int r, const char *who)
{
	if (f && r == 0)
		r = seccomp_load(f);
	if (!f || r < 0)
		fprintf(stderr, "%s: runs without a system-call filter (%s)\n", who,
			strerror(f ? -r : ENOMEM));
	seccomp_release(f);
}

/* --- capabilities ---------------------------------------------------------------------------- */

/* What a helper may have, for: interfaces and socket buffers, packet sockets, namespaces, ports
 * below 1024, eBPF; and the namespace of a process, which /proc gives to who may trace it. */
static const unsigned int helper_caps[] = {
	CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN, CAP_NET_BIND_SERVICE, CAP_BPF, CAP_SYS_PTRACE,
};

/* Keeps those of 'caps' that are there. */
static void keep_caps(const unsigned int *caps, size_t n, const char *who)
{
	bool has[ARRAY_LEN(helper_caps)];
	bool bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	int r;

	for (size_t i = 0; i < n; i++)
		has[i] = capng_have_capability(CAPNG_PERMITTED, caps[i]);
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < n; i++)
		if (has[i])
			capng_update(CAPNG_ADD,
				     CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
				     caps[i]);
	/* Without CAP_SETPCAP the bounding set stays, and no_new_privs does its work. */
	r = capng_apply(bound ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);
	if (r < 0)
		fprintf(stderr, "%s: keeps capabilities that it does not need (%d)\n", who, r);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fprintf(stderr, "%s: cannot give up new privileges: %s\n", who, strerror(errno));
}

void sandbox_vxd(void)
{
	scmp_filter_ctx f;
	int r = 0;

	keep_caps(NULL, 0, "vxd");
	if (IS_SANITIZED)
		return;
	f = filter_new();
	if (f)
		r = allow(f, common_calls, ARRAY_LEN(common_calls));
	if (f && r == 0)
		r = allow(f, vxd_calls, ARRAY_LEN(vxd_calls));
	if (f && r == 0)
		r = allow_families(f, vxd_families, ARRAY_LEN(vxd_families));
	if (f && r == 0)
		r = allow_ioctls(f, vxd_ioctls, ARRAY_LEN(vxd_ioctls));
	if (f && r == 0)
		r = allow_names(f);
	load(f, r, "vxd");
}

void sandbox_helper(void)
{
	scmp_filter_ctx f;
	int r = 0;

	keep_caps(helper_caps, ARRAY_LEN(helper_caps), "vxd's helper");
	if (IS_SANITIZED)
		return;
	f = filter_new();
	if (f)
		r = allow(f, common_calls, ARRAY_LEN(common_calls));
	if (f && r == 0)
		r = allow(f, helper_calls, ARRAY_LEN(helper_calls));
	if (f && r == 0)
		r = allow_families(f, helper_families, ARRAY_LEN(helper_families));
	if (f && r == 0)
		r = allow_ioctls(f, helper_ioctls, ARRAY_LEN(helper_ioctls));
	load(f, r, "vxd's helper");
}
