/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "log/vlog.h"

static struct {
	char pidfile[PATH_MAX]; /* "": none */
	int pid_fd;
	int ready_fd; /* to who waits for us; -1: nobody */
	bool detached, chdir;
} d = {.pid_fd = -1, .ready_fd = -1};

/* --- the pid file ------------------------------------------------------------------------------ */

/* The process that has the file locked; 0: none. */
static pid_t owner(int fd)
{
	struct flock lk = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_GETLK, &lk) == 0 && lk.l_type != F_UNLCK ? lk.l_pid : 0;
}

static int refuse_running(pid_t pid)
{
	fprintf(stderr, "%s: %s: already running as pid %d, aborting\n",
		program_invocation_short_name, d.pidfile, (int)pid);
	return -1;
}

/* Before any fork: the error is told to who started us. */
static int check_running(void)
{
	int fd = open(d.pidfile, O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (fd < 0)
		return 0;
	pid = owner(fd);
	close(fd);
	return pid ? refuse_running(pid) : 0;
}

/* The name may have gone to another file by the time that ours is locked. */
static bool is_the_one(int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(d.pidfile, &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

static int open_locked(void)
{
	struct flock lk = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	for (int tries = 0; tries < 10; tries++) {
		int fd = open(d.pidfile, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

		if (fd < 0 || fcntl(fd, F_SETLK, &lk) < 0)
			return fd < 0 ? -errno : (close(fd), -EAGAIN);
		if (is_the_one(fd))
			return fd;
		close(fd);
	}
	return -EAGAIN;
}

static int make_pidfile(bool overwrite, bool must)
{
	char line[32];
	int r, n = snprintf(line, sizeof(line), "%d\n", (int)getpid());

	if (!*d.pidfile)
		return 0;
	if (overwrite)
		unlink(d.pidfile);
	d.pid_fd = open_locked();
	if (d.pid_fd == -EAGAIN)
		return check_running() < 0 ? -1 : refuse_running(0);
	if (d.pid_fd >= 0 && ftruncate(d.pid_fd, 0) == 0 && write(d.pid_fd, line, (size_t)n) == n)
		return 0;
	r = d.pid_fd < 0 ? d.pid_fd : -errno;
	if (!must) {
		vlog(VLM_DAEMON, VLL_WARN, "%s: create failed (%s), so ovs-appctl does not find this "
					   "process", d.pidfile, strerror(-r));
		return 0;
	}
	fprintf(stderr, "%s: %s: create failed (%s)\n", program_invocation_short_name, d.pidfile,
		strerror(-r));
	return -1;
}

void daemon_done(void)
{
	if (d.pid_fd < 0)
		return;
	unlink(d.pidfile);
	close(d.pid_fd);
	d.pid_fd = -1;
}

/* --- processes --------------------------------------------------------------------------------- */

/* In the child 0, with d.ready_fd to tell the parent; in the parent the child, once that is up or
 * has ended: *status is what waitpid() has, -1 while it lives. */
static pid_t fork_and_wait(int *status)
{
	int p[2];
	pid_t pid;
	char c;
	ssize_t n;

	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(p[0]);
		if (d.ready_fd >= 0)
			close(d.ready_fd);
		d.ready_fd = p[1];
		return 0;
	}
	close(p[1]);
	*status = -1;
	do {
		n = pid < 0 ? 0 : read(p[0], &c, 1);
	} while (n < 0 && errno == EINTR);
	close(p[0]);
	if (pid > 0 && n != 1)
		while (waitpid(pid, status, 0) < 0 && errno == EINTR)
			;
	return pid;
}

static void close_standard(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	vlog_close_console();
}

static void tell_ready(void)
{
	char c = 0;

	if (d.ready_fd < 0)
		return;
	if (write(d.ready_fd, &c, 1) != 1)
		vlog(VLM_DAEMON, VLL_WARN, "who started this process went before it was up");
	close(d.ready_fd);
	d.ready_fd = -1;
}

void daemon_complete(void)
{
	if (d.chdir && chdir("/") < 0)
		vlog(VLM_DAEMON, VLL_WARN, "cannot change to /: %s", strerror(errno));
	d.chdir = false;
	if (d.detached) {
		close_standard();
		d.detached = false;
	}
	tell_ready();
}

static bool is_crash(int status)
{
	static const int crashes[] = {SIGABRT, SIGALRM, SIGBUS,  SIGFPE, SIGILL,
				      SIGPIPE, SIGSEGV, SIGXCPU, SIGXFSZ};

	for (size_t i = 0; i < ARRAY_LEN(crashes); i++)
		if (WIFSIGNALED(status) && WTERMSIG(status) == crashes[i])
			return true;
	return false;
}

static void tell_end(int status, pid_t pid)
{
	if (WIFEXITED(status))
		vlog(VLM_DAEMON, VLL_INFO, "pid %d died, exit status %d, exiting", (int)pid,
		     WEXITSTATUS(status));
	else if (is_crash(status))
		vlog(VLM_DAEMON, VLL_ERR, "pid %d died, killed (%s)%s, restarting", (int)pid,
		     strsignal(WTERMSIG(status)), WCOREDUMP(status) ? ", core dumped" : "");
	else
		vlog(VLM_DAEMON, VLL_WARN, "pid %d died, killed (%s), exiting", (int)pid,
		     strsignal(WTERMSIG(status)));
}

enum { RESTART_S = 10 };

/* Returns in each new child, and never in the monitor; 'pid' runs. */
static void monitor(pid_t pid)
{
	time_t last = 0;
	int status = -1;

	prctl(PR_SET_NAME, "vxd-monitor");
	if (d.detached)
		close_standard();
	tell_ready();
	for (;;) {
		if (status == -1)
			while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
				;
		tell_end(status, pid);
		if (!is_crash(status))
			exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
		/* One that crashes again and again shall not take the machine. */
		if (last && time(NULL) < last + RESTART_S)
			sleep((unsigned)(last + RESTART_S - time(NULL)));
		last = time(NULL);
		pid = fork_and_wait(&status);
		if (pid == 0)
			break;
		if (pid < 0)
			exit(1);
	}
	/* This one's caller is the monitor: its descriptors are /dev/null already. */
	d.detached = false;
	prctl(PR_SET_NAME, program_invocation_short_name);
}

/* The exit code of who started a child that ended before it was up. */
static int code_of(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status))
		return WEXITSTATUS(status);
	fprintf(stderr, "%s: the daemon ended before it was up%s%s\n", program_invocation_short_name,
		WIFSIGNALED(status) ? ": " : "",
		WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "");
	return 1;
}

/* The caller's process ends here, when the child is up. */
static void detach(void)
{
	int status;
	pid_t pid = fork_and_wait(&status);

	if (pid < 0) {
		fprintf(stderr, "%s: cannot fork: %s\n", program_invocation_short_name,
			strerror(errno));
		exit(1);
	}
	if (pid)
		_exit(status == -1 ? 0 : code_of(status));
	setsid();
	d.detached = true;
}

static void watch(void)
{
	int status;
	pid_t pid = fork_and_wait(&status);

	if (pid > 0 && status != -1 && !is_crash(status))
		exit(code_of(status));
	if (pid > 0 && status != -1)
		exit(1); /* one that cannot start is not started again */
	if (pid > 0)
		monitor(pid);
}

int daemon_start(const struct daemon_config *cfg)
{
	d.chdir = cfg->chdir;
	if (cfg->pidfile)
		snprintf(d.pidfile, sizeof(d.pidfile), "%s", cfg->pidfile);
	if (*d.pidfile && !cfg->overwrite && check_running() < 0)
		return -1;
	if (cfg->detach)
		detach();
	if (cfg->monitor)
		watch();
	return make_pidfile(cfg->overwrite, cfg->must_pidfile);
}

bool daemon_is_detached(void)
{
	return d.detached || d.ready_fd >= 0;
}

void daemon_die(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	signal(sig, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	_exit(1);
}
