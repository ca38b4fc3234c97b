/* SPDX-License-Identifier: Apache-2.0 */
/* vxd: the daemon.  main() makes the parts, control's loop runs them, the workers carry packets. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/formers.h"
#include "io/hostnl.h"
#include "log/vlog.h"
#include "vxd/commands.h"
#include "vxd/config.h"
#include "vxd/host_side.h"
#include "vxd/options.h"
#include "vxd/sandbox.h"
#include "vxd/vswitchd.h"
#include "vxd/vxd.h"
#include "vxlan/device.h"

/* --- what control waits for -------------------------------------------------------------------- */

static void signals_ready(struct loop_source *s, uint32_t events)
{
	struct vxd *d = s->ctx;
	struct signalfd_siginfo si;

	if (read(s->fd, &si, sizeof(si)) != sizeof(si))
		return;
	d->loop.stop = true;
	d->signal = (int)si.ssi_signo;
}

static void monitor_ready(struct loop_source *s, uint32_t events)
{
	struct io_host *h = s->ctx;

	netdev_run(h);
	bridge_links_changed(container_of(h, struct vxd, host)->ovs);
}

static void elsewhere_ready(struct loop_source *s, uint32_t events)
{
	host_elsewhere_run(s->ctx);
}

static void events_ready(struct loop_source *s, uint32_t events)
{
	struct vxd *d = s->ctx;
	uint64_t n;

	if (read(s->fd, &n, sizeof(n)) == sizeof(n))
		rtnl_run_events(&d->rtnl);
	host_side_remove_lost(d);
	explain_run(d);
	pinger_run(d->pinger);
}

static void helper_ended(struct loop_source *s, uint32_t events)
{
	struct vxd *d = s->ctx;

	loop_del(&d->loop, s);
	helper_check(&d->helper);
}

static int add_source(struct vxd *d, struct loop_source *s, int fd,
		      void (*ready)(struct loop_source *, uint32_t), void *ctx)
{
	*s = (struct loop_source){fd, ready, ctx};
	return fd < 0 ? -errno : loop_add(&d->loop, s, EPOLLIN);
}

static int watch_all(struct vxd *d, int wake_fd)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL); /* before any thread */
	r = add_source(d, &d->signals, signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		       signals_ready, d);
	if (r == 0)
		r = add_source(d, &d->monitor, d->host.monitor, monitor_ready, &d->host);
	if (r == 0 && d->host.elsewhere >= 0)
		r = add_source(d, &d->elsewhere, d->host.elsewhere, elsewhere_ready, &d->host);
	if (r == 0)
		r = add_source(d, &d->events, wake_fd, events_ready, d);
	if (r == 0)
		r = add_source(d, &d->helper_end, d->helper.sock, helper_ended, d);
	if (r == 0) /* its answers are read by who asked; this is for its end alone, EPOLLHUP */
		r = loop_change(&d->loop, &d->helper_end, 0);
	return r;
}

/* --- life ------------------------------------------------------------------------------------------ */

/* What the database makes is for the state, too: names and indices (control.md S2). */
static void note_made(struct vxd *d, enum vx_event_kind kind, struct dev *dev)
{
	struct text *t = state_text(&d->state);

	if (!t || dev->link_flags & DEV_LEFT)
		return;
	if (kind == VX_LINK_DEL) {
		formers_del_line(t, dev);
		dev->link_flags &= (uint16_t)~DEV_NOTED;
	} else if (!(dev->link_flags & DEV_NOTED)) {
		formers_add_line(t, dev);
		dev->link_flags |= DEV_NOTED;
	}
}

/* For whoever monitors, and for ports that wait for a device, or have lost theirs. */
static void link_event(void *ctx, enum vx_event_kind kind, struct dev *dev)
{
	struct vxd *d = ctx;

	rtnl_link_event(&d->rtnl, kind, dev);
	if (dev->owner == OWNER_NETLINK)
		bridge_links_changed(d->ovs);
	else
		note_made(d, kind, dev);
}

static void fdb_event(void *ctx, enum vx_event_kind kind, struct dev *dev, const struct fdb_view *e)
{
	rtnl_fdb_event(&((struct vxd *)ctx)->rtnl, kind, dev, e);
}

static int make_vx(struct vxd *d, const struct options *o)
{
	struct vx_config cfg = {.n_workers = o->workers, .now = clock_now(), .host = &io_host_ops,
				.host_ctx = &d->host, .wake_worker = workers_kick,
				.wake_ctx = &d->workers};

	if (getrandom(&cfg.key, sizeof(cfg.key), 0) != sizeof(cfg.key) ||
	    getrandom(&cfg.random, sizeof(cfg.random), 0) != sizeof(cfg.random))
		return -errno;
	cfg.events.link = link_event;
	cfg.events.fdb = fdb_event;
	cfg.events.ctx = d;
	d->vx = vx_new(&cfg);
	if (!d->vx)
		return -ENOMEM;
	d->host.vx = d->vx;
	d->host.link_changed = host_side_changed;
	d->host.elsewhere_changed = host_side_changed_elsewhere;
	d->host.overrun = host_side_check_all;
	d->host.side_lost = host_side_lost;
	d->host.ctx = d;
	d->started = cfg.now;
	return register_types(d);
}

/* systemd's readiness protocol: a datagram to $NOTIFY_SOCKET. */
static void notify_systemd(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (!len || len >= sizeof(sa.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(sa.sun_path, path, len);
	if (*path == '@')
		sa.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&sa,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		fprintf(stderr, "vxd: cannot tell systemd \"%s\": %s\n", text, strerror(errno));
	close(fd);
}

/* Started without one of the standard descriptors, a socket would take its number and get our
 * complaints. */
static void fill_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd < 3);
	if (fd >= 0)
		close(fd);
}

/* Devices are many descriptors: as many as we are let have. */
static void raise_limits(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return;
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
}

static void run(struct vxd *d)
{
	while (!d->loop.stop) {
		uint64_t now = clock_now();
		uint64_t ovs = vswitchd_turn(d, now);
		uint64_t next = MIN(vx_control_turn(d->vx, now), MIN(explain_timer(d, now), pinger_timer(d->pinger, now)));
		int ms;

		next = MIN(next, ovs);
		ms = next == UINT64_MAX ? -1
			 : next <= now
				 ? 0
				 : (int)MIN((next - now + NS_PER_MS - 1) / NS_PER_MS, 60000ull);

		if (service_flush(&d->service)) /* who may have asked for something else to be done */
			ms = 0;
		poll_block(&d->loop, ms);
	}
}

static void remove_all(struct vxd *d)
{
	while (!list_is_empty(&d->vx->devs))
		link_dellink(container_of(d->vx->devs.prev, struct dev, node), d->keep);
}

/* After a start that failed: what was taken over is left as it was found. */
static void remove_new(struct vxd *d)
{
	while (!list_is_empty(&d->vx->devs)) {
		struct dev *dev = container_of(d->vx->devs.prev, struct dev, node);

		link_dellink(dev, dev->link_flags & DEV_TAKEN_OVER);
	}
}

static void more_state(void *ctx, struct text *t)
{
	struct vxd *d = ctx;

	rules_canon(&d->rules, t);
	formers_canon(d->vx, t);
}

/* The state, or -f FILE (control.md S3).  -1: told on stderr. */
static int restore(struct vxd *d, const struct options *o)
{
	char why[PATH_MAX + 200];
	int r = 0;

	d->state.fd = -1;
	if (!o->no_state && (!o->file || o->statedir))
		r = state_open(&d->state, o->statedir, why, sizeof(why));
	if (r == -EBUSY && !o->statedir) { /* one that waits, or lives in another namespace */
		vlog(VLM_STATE, VLL_WARN, "%s; none is kept now", why);
	} else if (r < 0) {
		fprintf(stderr, "vxd: %s\n", why);
		return -1;
	}
	d->state.vx = d->vx;
	d->state.more = more_state;
	d->state.ctx = d;
	d->rtnl.state = &d->state;
	if (!state_is_empty(&d->state))
		return config_restore(d);
	if (o->file && config_run(d, o->file) < 0)
		return -1;
	return state_compact(&d->state, d->vx);
}

/* The helper has the privileges from now on; this process, and every thread of it, has none. */
static int part_ways(struct vxd *d, const struct options *o)
{
	struct helper_config cfg = {.dir = d->service.dir, .linger = o->linger,
				    .quiet = daemon_is_detached(), .err_fd = vlog_fd(),
				    .chdir = o->daemon.chdir};
	int r = helper_start(&d->helper, &cfg);

	if (r < 0)
		fprintf(stderr, "vxd: cannot start its helper: %s\n", strerror(-r));
	if (r < 0)
		return r;
	/* Who opened it counts: it goes on hearing of the namespaces that devices are moved to. */
	d->elsewhere_fd = hostnl_open_all(RTMGRP_LINK);
	sandbox_vxd();
	return 0;
}

/* The parts, none of them at work yet.  0 or a negative errno. */
static int make_parts(struct vxd *d, const struct options *o)
{
	int r;

	d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->wake = (struct io_wake){workers_wake_add, workers_wake_del, &d->workers};
	r = loop_init(&d->loop);
	if (r == 0)
		r = io_host_init(&d->host, &d->wake);
	d->host.elsewhere = d->elsewhere_fd;
	d->host.open = &d->helper.open;
	if (r == 0)
		r = watch_all(d, d->wake_fd);
	if (r == 0)
		r = workers_init(&d->workers, o->workers);
	if (r == 0)
		r = make_vx(d, o);
	if (r == 0)
		r = rtnl_init(&d->rtnl, d->vx, &d->host, d->wake_fd);
	if (r < 0)
		return r;
	commands_init(d);
	rules_init(&d->rules, d->vx);
	d->pinger = pinger_new(d);
	return d->pinger ? 0 : -ENOMEM;
}

/* Everything but the run directory, which is taken already.  0 or an exit code. */
static int live(struct vxd *d, const struct options *o)
{
	int r = make_parts(d, o), code = 0;

	if (r < 0) {
		fprintf(stderr, "%s: cannot start: %s\n", program_invocation_short_name, strerror(-r));
		return 1;
	}
	if (restore(d, o) < 0) {
		remove_new(d);
		vx_free(d->vx);
		return 1;
	}
	if (!*o->ovsdb) /* else when what the database asks for is there, too */
		helper_settled(&d->helper);
	r = workers_start(&d->workers, d->vx);
	if (r == 0)
		r = service_listen(&d->service, &d->loop, &d->rtnl, &d->ctl);
	if (r < 0) {
		fprintf(stderr, "%s: cannot start: %s\n", program_invocation_short_name, strerror(-r));
		workers_stop(&d->workers);
		vx_free(d->vx);
		return 1;
	}
	if (vswitchd_start(d, o) < 0)
		code = 1;
	else
		notify_systemd("READY=1");
	if (!d->ovs && code == 0)
		daemon_complete();
	d->loop.stop = code != 0;
	run(d);
	if (o->is_vswitchd && d->signal) /* before the pid file goes, for whom that is the sign */
		vlog(VLM_DAEMON, VLL_WARN, "terminating with signal %d (%s)", d->signal,
		     strsignal(d->signal));
	notify_systemd("STOPPING=1");
	explain_end(d);
	vswitchd_stop(d);
	if (d->cleanup) { /* for good */
		d->state.stale = true;
		state_commit(&d->state);
	}
	d->state.replaying = true; /* what a stop removes stays in the state */
	remove_all(d);
	workers_stop(&d->workers);
	service_close_sockets(&d->service);
	daemon_done();
	vswitchd_answer_exit(d);
	service_close_clients(&d->service);
	pinger_free(d->pinger);
	rules_done(&d->rules);
	rtnl_done(&d->rtnl);
	vx_free(d->vx);
	unixctl_server_destroy(&d->ctl);
	unixctl_server_destroy(&d->ovs_ctl);
	workers_done(&d->workers);
	io_host_done(&d->host);
	state_close(&d->state);
	return code;
}

/* As OVS's daemons end: whoever waits for them sees which signal it was (ovs.md 6.3). */
static void end_by_signal(const struct vxd *d, const struct options *o)
{
	if (o->is_vswitchd && d->signal)
		daemon_die(d->signal);
}

/* What is allocated later, too.  Where the limit stays, allocations would fail at it once the
 * privileges are gone: better not locked than not running. */
static void lock_memory(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	if (setrlimit(RLIMIT_MEMLOCK, &all) < 0)
		vlog(VLM_VSWITCHD, VLL_WARN, "memory is not locked: the limit of what may be "
					     "(ulimit -l) cannot be raised: %s", strerror(errno));
	else if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		vlog(VLM_VSWITCHD, VLL_ERR, "mlockall failed: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	static struct vxd d;
	static struct options o;
	char why[256];
	int r = options_parse(argc, argv, &o);

	if (r >= 0)
		return r;
	fill_standard();
	raise_limits();
	if (daemon_start(&o.daemon) < 0)
		return 1;
	if (service_lock(&d.service, o.rundir, why, sizeof(why)) < 0) {
		fprintf(stderr, "%s: %s\n", program_invocation_short_name, why);
		daemon_done();
		return 1;
	}
	if (o.mlockall)
		lock_memory();
	r = part_ways(&d, &o) < 0 ? 1 : live(&d, &o);
	helper_stop(&d.helper);
	service_done(&d.service);
	daemon_done();
	end_by_signal(&d, &o);
	return r;
}
