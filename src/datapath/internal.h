/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An internal port of a datapath: a device of its own, also of link type 'openvswitch', with a TAP
 * on the host (spec/ovs.md 11.13).  What the host sends there comes in by the port; what is output
 * to the port goes to the host.  It is made down, has no master, is promiscuous.
 */
#ifndef VX_DATAPATH_INTERNAL_H
#define VX_DATAPATH_INTERNAL_H

#include "datapath/dp.h"
#include "net/former.h"

/* Device and port.  A persistent TAP of that name without a holder is taken over. */
int internal_new(struct dp *dp, const char *name, uint32_t no, struct vx_err *err,
		 struct vport **out);
/* Both go; 'keep_host' leaves the TAP. */
void internal_del(struct vport *v, bool keep_host);
/* Removes the interface of the host that was left for one that nobody asks for any more, if it is
 * there still.  0, -ENODEV (not as it was left), or another negative errno and err. */
int internal_remove_left(struct vx *vx, const struct former *f, struct vx_err *err);
bool dev_is_internal(const struct dev *d);

#endif
