/* SPDX-License-Identifier: Apache-2.0 */
/* Stage execute_actions: what a list says, done to one packet. */
#include "datapath/action.h"

#include <errno.h>
#include <stdio.h>

#include "datapath/dp.h"
#include "datapath/format.h"

/* A list at work. */
struct job {
	struct worker *w;
	struct dp_worker *dw;
	const struct actions *acts;
	uint32_t in_port;
	struct flow_layers l;
};

/* Which bytes of the list: a clone's lie inside it. */
struct span {
	uint32_t at, end;
};

static void run(const struct job *j, struct pkt *p, struct span s);

static void drop(const struct job *j, struct pkt *p, enum drop why)
{
	pkt_drop_at(j->w, p, why, STAGE_execute_actions);
}

/* --- what waits ------------------------------------------------------------------------------ */

static bool may_copy(const struct job *j)
{
	if (j->dw->copies_turn != j->w->turns) {
		j->dw->copies_turn = j->w->turns;
		j->dw->copies = 0;
	}
	return j->dw->copies < DP_COPIES_A_TURN;
}

/* p goes on with the rest in the next turn. */
static void suspend(const struct job *j, struct pkt *p, struct span s)
{
	struct flow_layers l = j->l;

	if (j->dw->waiting.n >= DP_WAITING_MAX) {
		drop(j, p, DROP_copies_waiting);
		return;
	}
	if (unlikely(pkt_trace(p)))
		trace_add(p, STAGE_execute_actions, SAY_NEXT_TURN);
	p->cb_ptr[0] = actions_get((struct actions *)j->acts);
	p->cb[1] = s.at | (uint64_t)s.end << 32;
	p->cb[2] = j->in_port | (uint64_t)l.eth_type << 32 | (uint64_t)l.ip_proto << 48 |
		   (uint64_t)l.frag << 56;
	p->dev = p->orig_dev = j->dw->dp->dev; /* its own may go meanwhile */
	pkt_queue_add(&j->dw->waiting, p);
}

static struct pkt *take_waiting(struct dp_worker *dw)
{
	struct batch one;

	batch_init(&one);
	pkt_queue_take(&dw->waiting, &one, 1);
	return one.p[0];
}

bool actions_resume(struct worker *w, struct dp_worker *dw)
{
	struct job j = {.w = w, .dw = dw};
	bool was_traced = dw->traced;

	dw->traced = true; /* one of them may have a trace */
	for (uint32_t n = dw->waiting.n; n && may_copy(&j); n--) {
		struct pkt *p = take_waiting(dw);
		struct actions *acts = p->cb_ptr[0];
		struct span s = {(uint32_t)p->cb[1], (uint32_t)(p->cb[1] >> 32)};

		j.acts = acts;
		j.in_port = (uint32_t)p->cb[2];
		j.l = (struct flow_layers){.eth_type = (uint16_t)(p->cb[2] >> 32),
					   .ip_proto = (uint8_t)(p->cb[2] >> 48),
					   .frag = (uint8_t)(p->cb[2] >> 56)};
		run(&j, p, s);
		actions_put(acts);
	}
	dp_send_all(w, dw);
	dw->traced = was_traced;
	return dw->waiting.n;
}

void actions_drop_waiting(struct worker *w, struct dp_worker *dw, enum drop why)
{
	while (dw->waiting.n) {
		struct pkt *p = take_waiting(dw);

		actions_put(p->cb_ptr[0]);
		pkt_drop_at(w, p, why, STAGE_execute_actions);
	}
}

/* --- one action ------------------------------------------------------------------------------ */

static void to_userspace(const struct job *j, struct pkt *p, const struct act *a)
{
	struct vport *v = dp_port(j->dw->dp, j->in_port);

	if (unlikely(!v))
		drop(j, p, DROP_port_gone);
	else
		upcall(j->w, j->dw, vport_queue(v, j->w, p), p, (const struct act_userspace *)a);
}

/* What needs the packet.  Takes it. */
static void use(const struct job *j, struct pkt *p, uint32_t at)
{
	const struct act *a = act_at(j->acts, at);

	switch (a->type) {
	case ACT_OUTPUT:
		do_output(j->w, j->dw, p, a->arg);
		return;
	case ACT_USERSPACE:
		to_userspace(j, p, a);
		return;
	case ACT_CLONE:
		run(j, p, (struct span){at + (uint32_t)sizeof(*a), at + a->len * 8u});
		return;
	default:
		drop(j, p, a->arg ? (enum drop)a->arg : DROP_flow_drop);
	}
}

/* A copy for the action at 'at'; the payload is shared.  Without memory the packet goes on without
 * it, as the kernel's does. */
static void use_copy(const struct job *j, const struct pkt *p, uint32_t at)
{
	const struct act *a = act_at(j->acts, at);
	struct vport *v = a->type == ACT_OUTPUT ? dp_port(j->dw->dp, a->arg) : NULL;
	struct pkt *c = pkt_make_clone(j->w, p);

	j->dw->copies++;
	if (likely(c != NULL))
		use(j, c, at);
	else if (v)
		dev_stats(v->dev, j->w)->tx_dropped++;
}

static void run(const struct job *j, struct pkt *p, struct span s)
{
	for (uint32_t at = s.at; at < s.end;) {
		const struct act *a = act_at(j->acts, at);
		int r = 0;

		if (a->flags & ACT_LAST) {
			use(j, p, at);
			return;
		}
		if (a->flags & ACT_USES) {
			if (unlikely(!may_copy(j))) {
				suspend(j, p, (struct span){at, s.end});
				return;
			}
			use_copy(j, p, at);
		} else if (a->type != ACT_CLONE) { /* a clone that uses nothing does nothing */
			r = act_rewrite(j->w, p, a, &j->l);
		}
		if (unlikely(r < 0)) {
			drop(j, p, r == -ENOBUFS ? DROP_no_headroom : DROP_no_memory);
			return;
		}
		at += a->len * 8u;
	}
	drop(j, p, DROP_flow_drop);
}

void actions_trace(const struct dp *dp, struct pkt *p, const struct actions *a)
{
	struct trace_step *s = trace_add(p, STAGE_execute_actions, SAY_ACTIONS);
	struct text t = {0};

	format_actions(&t, a, dp, FORMAT_NAMES);
	snprintf(s->maker.text, sizeof(s->maker.text), "%.*s%s", (int)(sizeof(s->maker.text) - 4),
		 text_get(&t), t.len > sizeof(s->maker.text) - 4 ? "..." : "");
	text_done(&t);
}

void execute_actions(struct worker *w, struct dp_worker *dw, struct pkt *p, const struct actions *a,
		     uint32_t in_port, struct flow_layers l)
{
	const struct job j = {w, dw, a, in_port, l};

	run(&j, p, (struct span){0, a->len});
}
