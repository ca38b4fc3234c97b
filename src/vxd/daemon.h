/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process as a daemon (ovs.md 6.1): detached, watched by a monitor, with a pid file that is
 * locked for as long as it lives.
 */
#ifndef VX_VXD_DAEMON_H
#define VX_VXD_DAEMON_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct daemon_config {
	const char *pidfile; /* NULL: none */
	bool must_pidfile;   /* not being able to write it is an error, not a warning */
	bool detach;	     /* the caller's process ends when daemon_complete() was called */
	bool monitor;	     /* another process starts this one again when it crashes */
	bool chdir;	     /* to "/", when all is up */
	bool overwrite;	     /* the pid file, even if somebody runs with it */
};

/* Before threads, and before anything that a child would not inherit.  Returns in the process that
 * is to do the work; the others end in here.  0, or -1: told on stderr. */
int daemon_start(const struct daemon_config *cfg);
/* Up and configured: who started us may go on.  Later calls do nothing. */
void daemon_complete(void);
/* daemon_complete() is still to come, after which nobody reads what is said on stderr. */
bool daemon_is_detached(void);
/* Removes the pid file. */
void daemon_done(void);
/* Ends this process as 'signal' would have. */
_Noreturn void daemon_die(int signal);

#endif
