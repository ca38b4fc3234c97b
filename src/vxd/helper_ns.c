/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/helper_ns.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/net_namespace.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/hostnl.h"

static bool is_pid(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isdigit((unsigned char)*s))
			return false;
	return true;
}

static int refuse(struct helper_rep *rep, const char *netns, int err)
{
	size_t n = sizeof(rep->text);

	if (err == -EINVAL)
		snprintf(rep->text, n,
			 "\"%s\" is no network namespace: give one's name (ip netns "
			 "list), a process id or a path",
			 netns);
	else if (err != -ENOENT)
		snprintf(rep->text, n, "vxd may not enter the network namespace \"%s\" (%s)", netns,
			 strerror(-err));
	else if (is_pid(netns))
		snprintf(rep->text, n,
			 "there is no process %s whose network namespace could be "
			 "entered",
			 netns);
	else
		snprintf(rep->text, n,
			 "there is no network namespace \"%s\": give one's name (ip "
			 "netns list), a process id or a path",
			 netns);
	return err;
}

/* Opens what O_PATH showed to be of nsfs: opening anything else could have effects of its own. */
static int open_ns(const char *path)
{
	char again[32];
	struct statfs sf;
	int at = open(path, O_PATH | O_CLOEXEC), fd, r = -EINVAL;

	if (at < 0)
		return -errno;
	if (fstatfs(at, &sf) < 0 || sf.f_type != NSFS_MAGIC)
		goto out_close;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", at);
	fd = open(again, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : fd;
	if (fd >= 0 && ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
		close(fd);
		r = -EINVAL;
	}
out_close:
	close(at);
	return r;
}

uint64_t ns_ino(int ns_fd)
{
	struct stat st;
	int r = ns_fd < 0 ? stat("/proc/self/ns/net", &st) : fstat(ns_fd, &st);

	return r < 0 ? 0 : st.st_ino;
}

/* Opens the entry of 'dir' (with 'rest' behind its name) that is the namespace with this inode; its
 * name in 'name', unless that is NULL.  A descriptor or -ENOENT. */
static int find_ino(const char *dir, const char *rest, uint64_t ino, char *name)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int fd = -ENOENT;

	while (d && fd < 0 && (e = readdir(d))) {
		char path[PATH_MAX];
		struct stat st;
		size_t len = strlen(e->d_name);

		if (*e->d_name == '.' || (name && len >= NETNS_TEXT_MAX))
			continue;
		snprintf(path, sizeof(path), "%s/%s%s", dir, e->d_name, rest);
		if (stat(path, &st) < 0 || st.st_ino != ino)
			continue;
		fd = open_ns(path);
		if (fd >= 0 && ns_ino(fd) != ino) {
			close(fd);
			fd = -ENOENT;
		}
		if (fd >= 0 && name)
			memcpy(name, e->d_name, len + 1);
	}
	if (d)
		closedir(d);
	return fd < 0 ? -ENOENT : fd;
}

void ns_text(int ns_fd, char *text)
{
	int fd = find_ino("/run/netns", "", ns_ino(ns_fd), text);

	if (fd >= 0)
		close(fd);
	else
		snprintf(text, NETNS_TEXT_MAX, NETNS_INO_TEXT, (unsigned long long)ns_ino(ns_fd));
}

void ns_number(int ns_fd)
{
	char buf[128];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = RTM_NEWNSID;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(nlh, NETNSA_NSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED);
	mnl_attr_put_u32(nlh, NETNSA_FD, (uint32_t)ns_fd);
	hostnl_ask(nlh, NULL, NULL); /* -EEXIST: it has one */
}

static int find_by_ino(unsigned long long ino)
{
	int fd = find_ino("/run/netns", "", ino, NULL);

	return fd >= 0 ? fd : find_ino("/proc", "/ns/net", ino, NULL);
}

int ns_find(const char *netns, struct helper_rep *rep)
{
	char path[NETNS_TEXT_MAX + 32];
	unsigned long long ino;
	int fd;

	if (sscanf(netns, NETNS_INO_TEXT, &ino) == 1) {
		fd = find_by_ino(ino);
		return fd < 0 ? refuse(rep, netns, fd) : fd;
	}
	if (is_pid(netns))
		snprintf(path, sizeof(path), "/proc/%s/ns/net", netns);
	else if (strchr(netns, '/'))
		snprintf(path, sizeof(path), "%s", netns);
	else if (!strcmp(netns, ".") || !strcmp(netns, ".."))
		return refuse(rep, netns, -EINVAL);
	else
		snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open_ns(path);
	return fd < 0 ? refuse(rep, netns, fd) : fd;
}

/* --- the child ------------------------------------------------------------------------------- */

static int enter(int ns_fd)
{
	int user = ioctl(ns_fd, NS_GET_USERNS);
	struct stat theirs, ours;

	/* Refused where we are its owner's child, or above it with rights enough as we are. */
	if (user >= 0 && fstat(user, &theirs) == 0 && stat("/proc/self/ns/user", &ours) == 0 &&
	    (theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev))
		setns(user, CLONE_NEWUSER);
	if (user >= 0)
		close(user);
	return setns(ns_fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

static _Noreturn void child(int sock, int ns_fd, ns_job *job, const struct helper_req *req,
			    struct helper_rep *rep)
{
	int r = enter(ns_fd);

	if (r < 0)
		snprintf(rep->text, sizeof(rep->text),
			 "vxd may not enter that network namespace (%s): run it as root, or as the "
			 "owner of the namespace's user namespace",
			 strerror(-r));
	else
		r = job(req, rep);
	rep->error = r < 0 ? r : 0;
	_exit(helper_send(sock, rep, sizeof(*rep), r > 0 ? r : -1) < 0);
}

int ns_do(int ns_fd, ns_job *job, const struct helper_req *req, struct helper_rep *rep, int *fd)
{
	int pair[2], status;
	size_t got;
	pid_t pid;

	*fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return rep->error = -errno;
	pid = fork();
	if (pid == 0)
		child(pair[1], ns_fd, job, req, rep);
	close(pair[1]);
	if (pid < 0)
		rep->error = -errno;
	else if (helper_recv(pair[0], rep, sizeof(*rep), &got, fd) < 0)
		rep->error = -ECHILD;
	close(pair[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return rep->error;
}
