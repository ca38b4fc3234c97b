/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon says of itself: lines with a module and a level, to the console (standard error),
 * a file and the system's log, each with a level a module and a pattern of its own.  Levels,
 * patterns and their text are those that ovs-appctl vlog/... knows (ovs.md 4.3).
 *
 * Process-wide, for one thread: control's.  Nothing that a packet does is logged; what a peer or the
 * host can cause again and again goes through vlog_limited().
 */
#ifndef VX_LOG_VLOG_H
#define VX_LOG_VLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define VLOG_MODULES(X)                                                                            \
	X(BRIDGE, "bridge")       /* what the database asks for */                                 \
	X(DAEMON, "daemon_unix")  /* the process: detached, watched, started again */              \
	X(HOST, "netdev_linux")   /* the host's side of interfaces */                              \
	X(RECONNECT, "reconnect") /* the connection to the database */                             \
	X(STATE, "state")         /* vxd.state */                                                  \
	X(VLOG, "vlog")                                                                            \
	X(VSWITCHD, "vswitchd")

enum vlog_module {
#define X(name, text) VLM_##name,
	VLOG_MODULES(X)
#undef X
	VLM_COUNT
};

enum vlog_level { VLL_OFF, VLL_EMER, VLL_ERR, VLL_WARN, VLL_INFO, VLL_DBG };
enum vlog_dest { VLF_SYSLOG, VLF_CONSOLE, VLF_FILE, VLF_COUNT };

/* Every module says INFO to every destination; the file is none yet.  'program' is borrowed, and
 * %A; with 'plain' the console's lines are "PROGRAM: message". */
void vlog_init(const char *program, bool plain);

void vlog(enum vlog_module m, enum vlog_level l, const char *fmt, ...) PRINTF(3, 4);
/* As vlog(), at most 60 lines at once and 1 a second of a module; then how many were left out. */
void vlog_limited(enum vlog_module m, enum vlog_level l, const char *fmt, ...) PRINTF(3, 4);

/* A word of -v or vlog/set: "bridge:file:dbg", "ANY:console:off", "PATTERN:file:%m".  False: *why
 * says what is wrong, and nothing was set.  NULL or "" is all of it at dbg. */
bool vlog_set(const char *spec, struct text *why);

/* Opens the file to append to.  0 or a negative errno, and all is as before. */
int vlog_set_file(const char *path);
int vlog_reopen(void); /* -ENOENT: no file was ever set */
void vlog_close(void);
/* The file's descriptor; -1: there is none. */
int vlog_fd(void);
/* No console from now on: there is nobody behind it. */
void vlog_close_console(void);

/* False: no such module. */
bool vlog_limit(const char *module, bool on);
void vlog_list(struct text *t);
void vlog_list_patterns(struct text *t);

#endif
