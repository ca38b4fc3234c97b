/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state's lines about what Open vSwitch's database made (spec/control.md S2); no command:
 *
 *   by-ovsdb NAME index N [side] [netns NETNS] [netname NAME]
 *   by-ovsdb del NAME
 */
#ifndef VX_CTL_FORMERS_H
#define VX_CTL_FORMERS_H

#include "base/text.h"
#include "net/former.h"

void formers_add_line(struct text *t, struct dev *d);
void formers_del_line(struct text *t, const struct dev *d);
/* All that there are, and all that are waited for. */
void formers_canon(struct vx *vx, struct text *t);
/* argv[0] is "by-ovsdb".  0, or -1 and why. */
int formers_line(struct vx *vx, int argc, char *const argv[], char *why, size_t size);

#endif
