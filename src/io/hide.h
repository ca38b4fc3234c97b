/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While a host interface is a port of vx its frames must not reach the host's own stack, too: a
 * two-instruction eBPF program at its tc ingress drops them, behind the packet socket, which still
 * sees every frame.  TCX (a link that goes with its descriptor), or, before Linux 6.6, a filter on
 * a clsact qdisc, which hide_del() takes away again.
 */
#ifndef VX_IO_HIDE_H
#define VX_IO_HIDE_H

#include "io/open.h"

int hide_add(uint32_t ifindex, struct hide *out); /* 0 or a negative errno */
/* By one of the ways alone. */
int hide_add_by(uint32_t ifindex, enum hide_how how, struct hide *out);
void hide_del(struct hide *h);			  /* harmless on what hide_add() refused */

#endif
