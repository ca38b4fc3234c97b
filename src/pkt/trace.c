/* SPDX-License-Identifier: Apache-2.0 */
#include "pkt/trace.h"

#include "pkt/pkt.h"

const char *const stage_names[STAGE_COUNT] = {
	[STAGE_NONE] = "",
#define STAGE(name) [STAGE_##name] = #name,
#include "pkt/stage_list.h"
#undef STAGE
};

void trace_put(struct trace *t)
{
	if (--t->refs == 0)
		t->done(t->ctx, t);
}

void trace_fork(const struct pkt *from, struct pkt *to)
{
	to->trace = from->trace;
	to->trace_depth = from->trace_depth;
	if (to->trace)
		to->trace->refs++;
}

struct trace_step *trace_add(struct pkt *p, enum stage stage, enum trace_say say)
{
	static _Thread_local struct trace_step nowhere;
	struct trace *t = p->trace;
	struct trace_step *s = &nowhere;

	if (t && t->n_steps < TRACE_STEPS)
		s = &t->steps[t->n_steps++];
	else if (t)
		t->overflow = true;
	*s = (struct trace_step){.stage = (uint8_t)stage,
				 .say = (uint8_t)say,
				 .depth = p->trace_depth};
	if (t && p->trace_depth < 255)
		p->trace_depth++;
	return s;
}
