/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `vx rule`: accept or drop at the hooks of vx's own stack, by pcap expression (tried on the IP
 * packet).  The first rule of a hook that matches decides.  Control adds and removes; workers ask.
 */
#ifndef VX_CTL_RULES_H
#define VX_CTL_RULES_H

#include "base/text.h"
#include "net/hook.h"

struct rule_table; /* of one hook: what workers read, replaced as a whole */

struct rules {
	struct vx *vx;
	struct list list; /* in order of creation */
	uint32_t next_id;
	struct hook hook[HOOK_POINTS]; /* one for all rules of a point; registered while it has any */
	_Atomic(struct rule_table *) table[HOOK_POINTS];
};

void rules_init(struct rules *r, struct vx *vx);
void rules_done(struct rules *r); /* no worker runs */
/* Words: "add HOOK accept|drop [EXPRESSION...]", "del ID", "show".  0; -1 with the error in 'out',
 * which else gets the answer. */
int rules_command(struct rules *r, int argc, char *const argv[], struct text *out);
/* "rule add ..." lines, for state and save. */
void rules_canon(struct rules *r, struct text *t);

#endif
