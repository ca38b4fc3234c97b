/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows as text, as ovs-appctl's dpctl/dump-flows has them (spec/ovs.md 5.6), and back.
 */
#ifndef VX_DATAPATH_FORMAT_H
#define VX_DATAPATH_FORMAT_H

#include "base/text.h"
#include "datapath/table.h"

struct dp;

enum format_flag {
	FORMAT_NAMES = 1,  /* --names: ports by name */
	FORMAT_MORE = 2,   /* -m: every member, with its mask; the ufid */
	FORMAT_BRIDGE = 4, /* dpif/dump-flows, which has less to say than dpctl/dump-flows */
};

/* 'dp' has the ports' names; NULL: numbers. */
void format_key(struct text *t, const struct flow_key *k, const struct flow_key *m,
		const struct dp *dp, uint32_t flags);
void format_actions(struct text *t, const struct actions *a, const struct dp *dp, uint32_t flags);
/* One line, without its end.  'now' is the clock of vx_turn(). */
void format_flow(struct text *t, const struct flow_view *v, const struct dp *dp, uint64_t now,
		 uint32_t flags);

/* Port names are looked up in 'dp' (NULL: numbers only).  0; -EINVAL with the place in *at, counted
 * from the start of s; -ENOMEM.  'm' has what mask_finish() adds only where the text says it. */
int parse_key(const char *s, const struct dp *dp, struct flow_key *k, struct flow_key *m,
	      uint32_t *at);
int parse_actions(const char *s, const struct dp *dp, struct actions **out, uint32_t *at);

#endif
