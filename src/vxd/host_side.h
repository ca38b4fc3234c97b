/* SPDX-License-Identifier: Apache-2.0 */
/* A device and its interface on the host are one: what happens to that happens to the device. */
#ifndef VX_VXD_HOST_SIDE_H
#define VX_VXD_HOST_SIDE_H

#include <stdbool.h>
#include <stdint.h>

struct host_link;
struct vxd;

/* The host changed one of our interfaces, or took away what a device stands on (control.md I2). */
void host_side_changed(void *ctx, const struct host_link *l, bool gone);
/* The same of one in another namespace, where it has that index. */
void host_side_changed_elsewhere(void *ctx, uint32_t ifindex);
/* Of any: notifications were lost. */
void host_side_check_all(void *ctx);
/* A worker found that the host side of some device is gone; wakes control. */
void host_side_lost(void *ctx);
void host_side_remove_lost(struct vxd *d); /* control: removes such devices */

#endif
