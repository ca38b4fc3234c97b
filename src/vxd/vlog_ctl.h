/* SPDX-License-Identifier: Apache-2.0 */
/* ovs-appctl vlog/...: what is logged, and where. */
#ifndef VX_VXD_VLOG_CTL_H
#define VX_VXD_VLOG_CTL_H

#include "rpc/unixctl.h"

void vlog_add_commands(struct unixctl_server *s);

#endif
