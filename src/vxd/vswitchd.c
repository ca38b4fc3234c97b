/* SPDX-License-Identifier: Apache-2.0 */
#include "vxd/vswitchd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "datapath/internal.h"
#include "log/vlog.h"
#include "net/former.h"
#include "vxd/vlog_ctl.h"

/* --- commands ---------------------------------------------------------------------------------- */

static void version(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	unixctl_reply(c, "ovs-vswitchd (Open vSwitch) " OVS_VERSION);
}

static void exit_gone(struct unixctl_conn *c, void *aux)
{
	struct vxd *d = aux;

	d->exit_conn = NULL;
}

/* Answered when all is done (ovs.md 6.3). */
static void cmd_exit(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct vxd *d = aux;

	if (argc > 1 && strcmp(argv[1], "--cleanup")) {
		unixctl_fail(c, "exit takes --cleanup or nothing");
		return;
	}
	d->cleanup |= argc > 1;
	d->loop.stop = true;
	if (d->exit_conn) { /* a second one: the first is told when it is done */
		unixctl_reply(c, "");
		return;
	}
	d->exit_conn = c;
	c->gone = exit_gone;
	c->aux = d;
}

static void add_commands(struct vxd *d)
{
	static const struct unixctl_command both[] = {{"exit", "[--cleanup]", 0, 1, cmd_exit}};
	static const struct unixctl_command own[] = {{"version", "", 0, 0, version}};

	for (int i = 0; i < 2; i++) {
		struct unixctl_server *s = i ? &d->ovs_ctl : &d->ctl;

		unixctl_add(s, both, 1, d);
		vlog_add_commands(s);
		bridge_add_commands(d->ovs, s);
	}
	bridge_add_own_commands(d->ovs, &d->ctl);
	unixctl_add(&d->ovs_ctl, own, 1, d);
}

/* --- life -------------------------------------------------------------------------------------- */

/* The socket that ovs-appctl goes to.  What it cannot find is worth a word, but no reason not to
 * switch. */
static int listen_appctl(struct vxd *d, const struct options *o)
{
	char path[RUNDIR_MAX + 40];
	int r;

	if (o->unixctl && !strcmp(o->unixctl, "none"))
		return 0;
	if (o->unixctl && *o->unixctl == '/')
		snprintf(path, sizeof(path), "%s", o->unixctl);
	else if (o->unixctl)
		snprintf(path, sizeof(path), "%.*s/%s", (int)RUNDIR_MAX, o->ovs_rundir, o->unixctl);
	else
		snprintf(path, sizeof(path), "%.*s/ovs-vswitchd.%d.ctl", (int)RUNDIR_MAX,
			 o->ovs_rundir, (int)getpid());
	r = service_add_unixctl(&d->service, path, &d->ovs_ctl);
	if (r == 0)
		return 0;
	if (o->is_vswitchd || o->unixctl) {
		fprintf(stderr, "%s: %s: cannot listen: %s\n", program_invocation_short_name, path,
			strerror(-r));
		return -1;
	}
	vlog(VLM_VSWITCHD, VLL_WARN, "%s: cannot listen, so ovs-appctl does not find this vxd: %s", path,
	     strerror(-r));
	return 0;
}

static void ovs_ready(struct loop_source *s, uint32_t events)
{
	/* bridge_run() reads; it is called each round. */
}

int vswitchd_start(struct vxd *d, const struct options *o)
{
	struct ovs_config cfg = {.vx = d->vx, .remote = o->ovsdb, .rundir = o->ovs_rundir};
	char why[300];
	int r;

	if (!*o->ovsdb)
		return 0;
	r = bridge_init(&d->ovs, &cfg, why, sizeof(why));
	if (r < 0) {
		fprintf(stderr, "%s: --ovsdb %s: %s\n", program_invocation_short_name, o->ovsdb, why);
		return -1;
	}
	add_commands(d);
	if (listen_appctl(d, o) < 0)
		return -1;
	d->ovs_src = (struct loop_source){bridge_fd(d->ovs), ovs_ready, d};
	return loop_add(&d->loop, &d->ovs_src, EPOLLIN);
}

/* What was taken out of the database while no vxd ran (ovs.md 11.23). */
static void remove_left(struct vxd *d)
{
	list_for_each_safe (f, &d->vx->formers, struct former, node) {
		struct former was = *f;
		struct vx_err err = {0};
		int r;

		if (bridge_wants(d->ovs, was.name))
			continue;
		r = was.has_side ? internal_remove_left(d->vx, &was, &err) : -ENODEV;
		if (r == 0)
			vlog(VLM_BRIDGE, VLL_INFO, "%s went from the database while no vxd ran: removed",
			     was.name);
		else if (r != -ENODEV)
			vlog(VLM_BRIDGE, VLL_WARN, "%s went from the database while no vxd ran, and "
						   "cannot be removed: %s", was.name,
			     *err.text ? err.text : strerror(-r));
		former_free(former_find(d->vx, was.name)); /* unless the device took it */
	}
	d->state.stale = state_text(&d->state) != NULL;
}

uint64_t vswitchd_turn(struct vxd *d, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	if (!d->ovs)
		return next;
	bridge_run(d->ovs, now);
	if (bridge_is_ready(d->ovs) && !d->is_settled) {
		d->is_settled = true;
		remove_left(d);
		helper_settled(&d->helper);
		daemon_complete();
	}
	/* Where it cannot be written each change tries again, not each turn. */
	if (d->state.pending.len || !d->state.failing)
		state_commit(&d->state);
	bridge_wait(d->ovs, now, &next);
	return next;
}

void vswitchd_stop(struct vxd *d)
{
	bridge_exit(d->ovs, d->cleanup);
	d->ovs = NULL;
}

void vswitchd_answer_exit(struct vxd *d)
{
	if (d->exit_conn)
		unixctl_reply(d->exit_conn, "");
}
