/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What netlink may not do to a device that the Open vSwitch database made: what the database says of
 * it (control.md I2).  Up and down are anybody's, MTU and address where the database has none.
 * 0, or -EOPNOTSUPP and who does it.
 */
#ifndef VX_CTL_OWNED_H
#define VX_CTL_OWNED_H

#include "net/link.h"

int owned_check_del(const struct dev *d, struct vx_err *err);
/* 'options': of the device's type. */
int owned_check_change(const struct dev *d, const struct link_cfg *cfg, bool options,
		       struct vx_err *err);

#endif
