/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of advice share: advice.c fills words in, advice_near.c knows near misses. */
#ifndef VX_CTL_ADVICE_H
#define VX_CTL_ADVICE_H

#include "ctl/explain.h"

struct advice {
	struct vx *vx;
	const struct trace *t;
	const struct trace_step *drop;
	const struct packet_view *v;
	bool unknown; /* a word of the command had no value */
};

/* A template that fits better than the list's, or NULL; in 'buf', or constant. */
const char *advice_nearer(const struct advice *x, char *buf, size_t size);

/* The device that dropped, else the one that a step before it named last. */
const char *advice_dev(const struct advice *x);
/* The VXLAN device on the packet's way, or NULL. */
struct dev *advice_tunnel(const struct advice *x);
/* The last step that says so, or NULL. */
const struct trace_step *advice_step(const struct advice *x, enum trace_say say);
/* Where the packet was to go, or NULL. */
const struct ip_addr *advice_target(const struct advice *x);
/* A remote that d could use: whoever sent to it last, a remote of another device, the only
 * neighbour of the underlay. */
bool advice_remote(const struct advice *x, struct dev *d, struct ip_addr *ip);

#endif
