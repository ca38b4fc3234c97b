/* SPDX-License-Identifier: Apache-2.0 */
/* vxd's command line; called as ovs-vswitchd it takes that program's (ovs.md 6.1), too. */
#ifndef VX_VXD_OPTIONS_H
#define VX_VXD_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "vxd/daemon.h"

#define OVS_VERSION "3.1.0" /* whose texts and tools are followed (ovs.md 11.8) */

struct options {
	const char *file, *rundir, *statedir;
	bool no_state;
	uint32_t workers, linger;
	/* Open vSwitch's place. */
	bool is_vswitchd; /* called by that name */
	char ovsdb[PATH_MAX + 16]; /* the database's remote; "": none */
	char ovs_rundir[PATH_MAX];
	char pidfile[PATH_MAX]; /* "": none */
	const char *unixctl;	/* NULL: the default; "none": none */
	bool mlockall;
	struct daemon_config daemon;
};

/* Sets up vlog, too: -v and --log-file.  -1: go on; else the exit code. */
int options_parse(int argc, char **argv, struct options *o);

#endif
