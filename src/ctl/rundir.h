/* SPDX-License-Identifier: Apache-2.0 */
/* Where vxd's sockets are (spec/control.md C1). */
#ifndef VX_CTL_RUNDIR_H
#define VX_CTL_RUNDIR_H

#include <stdbool.h>
#include <stddef.h>

enum { RUNDIR_MAX = 90 }; /* a socket's path has 108 bytes */

/* vxd: 'asked' (may be NULL), $VX_RUNDIR, /run/vx, $XDG_RUNTIME_DIR/vx or a folder of the user's
 * in the temporary directory: the first that can be made and written.  0, or -1 and *why. */
int rundir_make(const char *asked, char *dir, const char **why);
/* vx: the same order, the first that has a vxd.ctl; else the first that vxd would take. */
void rundir_find(const char *asked, char *dir);

#endif
