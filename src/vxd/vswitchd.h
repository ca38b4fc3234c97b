/* SPDX-License-Identifier: Apache-2.0 */
/* vxd in ovs-vswitchd's place: the database's bridges, and the socket of ovs-appctl. */
#ifndef VX_VXD_VSWITCHD_H
#define VX_VXD_VSWITCHD_H

#include "vxd/options.h"
#include "vxd/vxd.h"

/* Once the loop, the devices and the service are there.  0, or -1: told on stderr.  Nothing
 * happens without --ovsdb. */
int vswitchd_start(struct vxd *d, const struct options *o);
/* A turn of it; when the next is due. */
uint64_t vswitchd_turn(struct vxd *d, uint64_t now);
/* Takes down the bridges; before vswitchd_answer_exit(). */
void vswitchd_stop(struct vxd *d);
/* Tells who asked for the end with "exit" that it has come. */
void vswitchd_answer_exit(struct vxd *d);

#endif
