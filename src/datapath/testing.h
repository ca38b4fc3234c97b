/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a list of actions, executed on a packet without a flow. */
#ifndef VX_DATAPATH_TESTING_H
#define VX_DATAPATH_TESTING_H

#include "datapath/action.h"
#include "datapath/dp.h"

/* Takes p, which is counted already.  What it leads to leaves at the turn's end. */
static inline void t_execute(struct worker *w, struct dp *dp, struct pkt *p, const struct actions *a,
			     uint32_t in_port)
{
	struct dp_worker *dw = &dp->workers[w->id];
	struct flow_layers l;
	struct flow_key k;
	enum drop why = flow_key_extract(w, p, in_port, &k, &l);

	flush_queue(w, &dw->flush);
	if (why != DROP_NONE) {
		pkt_drop_at(w, p, why, STAGE_flow_key_extract);
		return;
	}
	execute_actions(w, dw, p, a, in_port, l);
	dp_send_all(w, dw);
}

#endif
