/* SPDX-License-Identifier: Apache-2.0 */
/* Link types that this vxd has, and -f FILE. */
#ifndef VX_VXD_CONFIG_H
#define VX_VXD_CONFIG_H

#include "vxd/vxd.h"

int register_types(struct vxd *d); /* 0 or a negative errno */
/* Runs the commands of 'path', a line each.  -1 after the first error, which is told on stderr with
 * its line; what was made before is the caller's to remove (all or nothing). */
int config_run(struct vxd *d, const char *path);
/* Replays the state, taking over what a former vxd left on the host, and compacts it.  -1: it cannot
 * be read, told on stderr. */
int config_restore(struct vxd *d);

#endif
