/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/translate.h"

#include <stdio.h>
#include <stdlib.h>

#include "datapath/dp.h"
#include "ofproto/dpif.h"
#include "wire/eth.h"

/* --- notes ----------------------------------------------------------------------------------- */

void translate_note(struct translation *t, enum note note, const struct snap_port *port,
		    uint16_t vlan, uint16_t tag)
{
	struct trace_step s = {.stage = STAGE_upcall,
			       .say = SAY_NOTE,
			       .state = (uint8_t)note,
			       .depth = (uint8_t)t->depth,
			       .port = port ? port->ofport : 0,
			       .u = {vlan, tag},
			       .mac = t->key->eth_src};

	if (note == NOTE_bridge)
		memcpy(s.maker.text, port->br->name, sizeof(port->br->name));
	if (port)
		snprintf(s.dev, sizeof(s.dev), "%.*s", (int)sizeof(s.dev) - 1, port->name);
	t->report(t->report_ctx, &s);
}

/* --- effects --------------------------------------------------------------------------------- */

void effects_init(struct effects *e)
{
	e->n = 0;
	e->size = EFFECTS_INLINE;
	e->lost = false;
	e->e = e->few;
}

void effects_done(struct effects *e)
{
	if (e->e != e->few)
		free(e->e);
	effects_init(e);
}

static void effects_add(struct effects *e, struct effect one)
{
	if (e->n == e->size) {
		struct effect *more = malloc(2 * e->size * sizeof(*more));

		if (!more) {
			e->lost = true;
			return;
		}
		memcpy(more, e->e, e->n * sizeof(*more));
		if (e->e != e->few)
			free(e->e);
		e->e = more;
		e->size *= 2;
	}
	e->e[e->n++] = one;
}

void effects_push(const struct effect *e, uint32_t n, const struct mac *src, uint64_t packets,
		  uint64_t bytes, uint32_t who, uint64_t seen)
{
	for (uint32_t i = 0; i < n; i++) {
		struct port_counters *c = e[i].counters ? &e[i].counters[who] : NULL;

		if (!c) {
			mac_vlan_learn(e[i].macs, src, e[i].vlan, e[i].port, seen);
		} else if (e[i].tx) {
			c->tx_packets += packets;
			c->tx_bytes += bytes;
		} else {
			c->rx_packets += packets;
			c->rx_bytes += bytes;
		}
	}
}

static void count(struct translation *t, struct port_counters *counters, bool tx)
{
	effects_add(&t->effects, (struct effect){.counters = counters, .tx = tx});
}

void translate_learn(struct translation *t, const struct snap_bundle *b, struct mac_table *macs,
		     uint16_t vlan)
{
	if (t->learn && mac_vlan_learn(macs, &t->key->eth_src, vlan, b->macs, t->seen))
		translate_tell(t, NOTE_learned, b->port, vlan, 0);
	effects_add(&t->effects, (struct effect){.macs = macs, .port = b->macs, .vlan = vlan});
}

/* --- out ------------------------------------------------------------------------------------- */

static bool tag_eq(const struct frame_tag *a, const struct frame_tag *b)
{
	return a->present == b->present &&
	       (!a->present || (a->tpid == b->tpid && a->tci == b->tci));
}

/* The frame as the actions have it gets the tag that the bridge gave it. */
static void commit_tag(struct translation *t)
{
	if (tag_eq(&t->done_tag, &t->tag))
		return;
	if (key_has_tag(t->key, 0)) /* the other tag has its priority */
		t->mask.vlan[0].tci = be16_put(UINT16_MAX);
	if (t->done_tag.present)
		act_pop_vlan(&t->acts);
	if (t->tag.present)
		act_push_vlan(&t->acts, t->tag.tpid, t->tag.tci);
	t->done_tag = t->tag;
}

static void commit_mark(struct translation *t, uint32_t mark)
{
	if (t->done_mark == mark)
		return;
	t->mask.skb_mark = UINT32_MAX;
	act_set_mark(&t->acts, mark, UINT32_MAX);
	t->done_mark = mark;
}

static void output_dp(struct translation *t, const struct snap_port *out)
{
	act_output(&t->acts, out->dp_port);
	count(t, out->counters, true);
	t->outputs++;
}

/* Back to where it came from, or nowhere: 3.1's "Not tunneling to our own address". */
static bool is_own(const struct translation *t, const struct tun_info *to)
{
	return ip_is_any(&to->dst) || ip_eq(&to->dst, &t->key->tun.dst);
}

static void output_tunnel(struct translation *t, const struct snap_port *out)
{
	struct tun_info tun;

	tunnel_fill(&out->tun, t->key, &t->tun, &t->mask, &tun);
	if (is_own(t, &tun)) {
		translate_tell(t, NOTE_own_address, out, 0, 0);
		translate_drop(t, DROP_tunnel_no_remote);
		return;
	}
	translate_tell(t, NOTE_tunnel_output, out, 0, 0);
	if (memcmp(&tun, &t->done_tun, sizeof(tun)) != 0)
		act_set_tunnel(&t->acts, &tun);
	t->done_tun = tun;
	commit_tag(t);
	commit_mark(t, out->tun.has_mark ? out->tun.egress_pkt_mark : t->key->skb_mark);
	output_dp(t, out);
}

static void enter(struct translation *t, const struct snap_port *in);

static void tell_loop(struct translation *t, const struct snap_port *in)
{
	t->depth++;
	translate_tell(t, NOTE_bridge, in, 0, 0);
	translate_tell(t, NOTE_too_deep, in, TRANSLATE_DEPTH, 0);
	t->depth--;
}

/* Goes on in the other bridge, where nothing is known of the tunnel that it came by. */
static void output_patch(struct translation *t, const struct snap_port *out)
{
	struct frame_tag tag = t->tag;
	struct flow_tun tun = t->tun;

	if (t->depth == TRANSLATE_DEPTH || t->bridges == TRANSLATE_BRIDGES) {
		t->is_loop = true;
		tell_loop(t, out->peer);
		return;
	}
	count(t, out->counters, true);
	t->depth++;
	memset(&t->tun, 0, sizeof(t->tun));
	enter(t, out->peer);
	t->depth--;
	t->tag = tag;
	t->tun = tun;
}

void translate_output(struct translation *t, const struct snap_port *out)
{
	if (t->is_loop)
		return;
	if (out->peer) {
		output_patch(t, out);
	} else if (out->dp_port == DP_PORT_NONE) {
		translate_drop(t, DROP_ofport_unconnected);
	} else if (out->is_tunnel) {
		output_tunnel(t, out);
	} else {
		commit_tag(t);
		commit_mark(t, t->key->skb_mark);
		output_dp(t, out);
	}
}

/* --- in -------------------------------------------------------------------------------------- */

/* A bridge's pipeline: as long as there is no OpenFlow, one rule. */
static void enter(struct translation *t, const struct snap_port *in)
{
	t->bridges++;
	translate_tell(t, NOTE_bridge, in, 0, 0);
	if (in->counters) /* else it is a port of no bridge, of which somebody asks */
		count(t, in->counters, false);
	count(t, in->br->rule, in->br->secure);
	translate_tell(t, in->br->secure ? NOTE_no_rule : NOTE_rule, in, 0, 0);
	if (in->br->secure)
		translate_drop(t, DROP_fail_secure);
	else
		normal(t, in);
}

/* What the port that a packet came by depends on, if it came by a tunnel; 'flags': those that are
 * known of the outer packet. */
static void look_at_tunnel(struct flow_key *m, uint8_t flags)
{
	m->tun.id = UINT64_MAX;
	memset(&m->tun.src, 0xff, sizeof(m->tun.src));
	memset(&m->tun.dst, 0xff, sizeof(m->tun.dst));
	m->tun.tos = 0xff;
	m->tun.flags |= flags;
}

static uint8_t flags_from(const struct snap *s, const struct snap_port *p)
{
	return p->is_tunnel && p->dp_port != DP_PORT_NONE ? s->tun_flags[p->dp_port] : TUN_KEY;
}

/* The port of a bridge that the packet came by.  NULL: 'why' says it. */
static const struct snap_port *ingress(struct translation *t)
{
	const struct flow_key *k = t->key;
	const struct snap *s = t->snap;

	t->why = DROP_ofport_unconnected;
	if (t->from) {
		if (k->tun.flags & TUN_PRESENT)
			look_at_tunnel(&t->mask, flags_from(s, t->from));
		return t->from;
	}
	if (k->in_port < s->n_dp_ports && s->tun_flags[k->in_port]) {
		t->why = DROP_tunnel_port_not_found;
		if (k->tun.flags & TUN_PRESENT)
			look_at_tunnel(&t->mask, s->tun_flags[k->in_port]);
	}
	return snap_ingress(s, k);
}

static void begin(struct translation *t)
{
	const struct flow_vlan *v = &t->key->vlan[0];

	memset(&t->mask, 0, sizeof(t->mask));
	mask_finish(&t->mask);
	t->actions = NULL;
	t->why = DROP_NONE;
	t->install = false;
	t->vlan = 0;
	t->way = WAY_NONE;
	effects_init(&t->effects);
	t->acts = (struct act_buf){0};
	t->tag = (struct frame_tag){.present = key_has_tag(t->key, 0),
				    .tpid = be16_get(v->tpid),
				    .tci = be16_get(v->tci) & (uint16_t)~VLAN_PRESENT};
	t->done_tag = t->tag;
	t->tun = t->key->tun;
	memset(&t->done_tun, 0, sizeof(t->done_tun));
	t->done_mark = t->key->skb_mark;
	t->outputs = t->depth = t->bridges = 0;
	t->is_loop = false;
}

void translate(struct translation *t)
{
	const struct snap_port *in;
	int err = 0;

	begin(t);
	in = t->in = ingress(t);
	if (!in)
		return;
	t->why = DROP_NONE;
	enter(t, in);
	if (t->is_loop) {
		act_buf_drop(&t->acts);
		t->outputs = 0;
		t->why = DROP_patch_loop;
	}
	if (!t->outputs) /* what is not sent needs no tag, either */
		act_drop(&t->acts, t->why);
	t->actions = act_buf_done(&t->acts, &err);
	t->install = t->actions != NULL;
	if (!t->actions)
		t->why = DROP_no_memory;
}

void translation_done(struct translation *t)
{
	actions_put(t->actions);
	t->actions = NULL;
	effects_done(&t->effects);
}

/* --- the datapath asks -------------------------------------------------------------------------
 */

enum { TOLD_MAX = 8 }; /* notes of one packet, of which its trace has room for some only */

struct teller {
	struct pkt *p;
	struct trace_step *bridge; /* the first bridge's; NULL: it came to none */
	uint32_t n;
};

COLD static void tell_bridge(struct teller *x, const struct trace_step *note)
{
	struct trace_step *s = trace_add(x->p, STAGE_upcall, SAY_BRIDGE);

	s->port = note->port;
	memcpy(s->dev, note->dev, sizeof(s->dev));
	s->maker = note->maker;
	x->bridge = s;
}

/* A note becomes a step of the packet's trace.  That a copy leaves by a tunnel its further way
 * says, and that there is one rule nobody needs to be told. */
COLD static void tell_packet(void *ctx, const struct trace_step *note)
{
	struct teller *x = ctx;
	struct trace_step *s;
	uint8_t depth;

	if (note->state == NOTE_bridge && !x->bridge) {
		tell_bridge(x, note);
		return;
	}
	if (note->state == NOTE_rule || note->state == NOTE_tunnel_output || x->n == TOLD_MAX)
		return;
	s = trace_add(x->p, STAGE_upcall, SAY_NOTE);
	depth = s->depth;
	*s = *note;
	s->depth = depth;
	if (++x->n == TOLD_MAX)
		s->state = NOTE_more;
}

void translate_upcall(void *ctx, struct upcall *u)
{
	struct dpif *d = ctx;
	struct translation t = {
		.snap = atomic_load_explicit(&d->snap, memory_order_acquire),
		.key = u->key,
		.learn = true,
		.seen = u->w->now,
	};
	struct teller x = {.p = u->p};

	if (unlikely(pkt_trace(u->p))) {
		t.report = tell_packet;
		t.report_ctx = &x;
	}
	translate(&t);
	if (unlikely(x.bridge)) {
		x.bridge->u[0] = t.vlan;
		x.bridge->u[1] = t.way;
	}
	if (!u->act) /* else the flow that asked has counted it */
		effects_push(t.effects.e, t.effects.n, &u->key->eth_src, 1, pkt_total(u->p),
			     u->w->id, u->w->now);
	u->actions = actions_get(t.actions);
	u->why = t.why;
	u->install = t.install && !u->act;
	u->mask = t.mask;
	translation_done(&t);
}
