/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that Open vSwitch's database made in a former run, as the state has them (control.md S2):
 * one that it asks for again gets its index, and its host side where the host had moved it.
 * Control only.
 */
#ifndef VX_NET_FORMER_H
#define VX_NET_FORMER_H

#include "net/dev.h"

struct former {
	struct list node; /* of vx.formers */
	char name[DEV_NAME_MAX];
	uint32_t ifindex;
	bool has_side; /* an interface of the host was left for it */
	char netns[64]; /* where the host moved that; "": nowhere */
	char host_name[DEV_NAME_MAX]; /* what it is called there; "": as the device */
};

/* A copy; one of the same name is replaced.  0 or -ENOMEM. */
int former_add(struct vx *vx, const struct former *f);
/* What has to be known of d. */
void former_of(struct former *f, struct dev *d);
struct former *former_find(struct vx *vx, const char *name); /* NULL */
void former_free(struct former *f);
void formers_free(struct vx *vx);

#endif
