/* SPDX-License-Identifier: Apache-2.0 */
/* A device and its interface on the host are one: what happens to that happens to the device. */
#ifndef VX_VXD_HOST_SIDE_H
#define VX_VXD_HOST_SIDE_H

#include <stdbool.h>

struct host_link;
struct vxd;

/* The host changed one of our interfaces, or took away what a device stands on (control.md I2). */
void host_side_changed(void *ctx, const struct host_link *l, bool gone);
/* A worker found that the host side of some device is gone; wakes control. */
void host_side_lost(void *ctx);
void host_side_remove_lost(struct vxd *d); /* control: removes such devices */

#endif
