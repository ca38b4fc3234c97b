/* SPDX-License-Identifier: Apache-2.0 */
/* vxd's unixctl commands. */
#ifndef VX_VXD_COMMANDS_H
#define VX_VXD_COMMANDS_H

#include "rpc/unixctl.h"
#include "vxd/vxd.h"

void commands_init(struct vxd *d);

#endif
