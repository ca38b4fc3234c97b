/* SPDX-License-Identifier: Apache-2.0 */
#include "ovs/trace.h"

#include <errno.h>
#include <stdlib.h>

#include "datapath/format.h"
#include "ofproto/translate.h"
#include "ovs/flow_text.h"

/* --- notes ----------------------------------------------------------------------------------- */

enum { NOTES_MAX = 65536 }; /* a flood through bridges that all are joined says more */

struct notes {
	struct trace_step *at;
	uint32_t n, size;
	bool lost; /* there were more */
};

static void keep(void *ctx, const struct trace_step *note)
{
	struct notes *x = ctx;

	if (x->n == x->size && x->size < NOTES_MAX) {
		uint32_t size = x->size ? 2 * x->size : 32;
		struct trace_step *more = realloc(x->at, size * sizeof(*more));

		if (more) {
			x->at = more;
			x->size = size;
		}
	}
	if (x->n < x->size)
		x->at[x->n++] = *note;
	else
		x->lost = true;
}

/* Does anything else follow in the bridge that leads to the one entered at 'i'? */
static bool is_followed(const struct notes *x, uint32_t i)
{
	uint8_t depth = x->at[i].depth;

	for (uint32_t j = i + 1; j < x->n; j++) {
		const struct trace_step *s = &x->at[j];
		bool enters = s->state == NOTE_bridge;

		if (s->depth > depth || (s->depth == depth && !enters))
			continue; /* what that bridge itself says */
		return s->depth == (enters ? depth : depth - 1);
	}
	return false;
}

static void put_bridge(struct text *out, const struct trace_step *s, uint32_t indent)
{
	int n = (int)strlen(s->maker.text) + (int)sizeof("bridge(\"\")") - 1;

	text_printf(out, "\n%*sbridge(\"%s\")\n%*s", (int)indent, "", s->maker.text, (int)indent,
		    "");
	while (n--)
		text_append(out, "-", 1);
	text_append(out, "\n", 1);
}

static void put_note(struct text *out, const struct trace_step *s, uint32_t indent)
{
	static const char *const marks[][2] = {[NOTE_DETAIL] = {" -> ", ""},
					       [NOTE_WARNING] = {" >> ", ""},
					       [NOTE_ERROR] = {" >>>> ", " <<<<"}};

	if (note_kind(s) == NOTE_TITLE) { /* a rule's: its table and match, and its actions */
		bool is_there = s->state == NOTE_rule;

		text_printf(out, "%*s 0. %s\n%*s%s\n", (int)indent, "",
			    is_there ? "priority 0" : "No match.", (int)indent + 4, "",
			    is_there ? "NORMAL" : "drop");
		return;
	}
	text_printf(out, "%*s%s", (int)indent + 4, "", marks[note_kind(s)][0]);
	note_text(out, s);
	text_printf(out, "%s\n", marks[note_kind(s)][1]);
}

/* A bridge that is the last thing of the one before stands where that one does, any other two
 * steps to the right. */
static void put_notes(struct text *out, const struct notes *x)
{
	uint32_t indent[TRANSLATE_DEPTH + 2] = {0};

	for (uint32_t i = 0; i < x->n; i++) {
		const struct trace_step *s = &x->at[i];
		uint32_t step = 0;

		if (s->state != NOTE_bridge) {
			put_note(out, s, indent[s->depth]);
			continue;
		}
		if (s->depth) {
			step = is_followed(x, i) ? 4 : 0;
			indent[s->depth] = indent[s->depth - 1] + 2 * step;
		}
		put_bridge(out, s, indent[s->depth] - step);
	}
	if (x->lost)
		text_printf(out, "(more than can be told)\n");
}

/* --- where it comes from --------------------------------------------------------------------- */

static const struct snap_bridge *bridge_of(const struct snap *s, const char *name)
{
	for (uint32_t i = 0; i < s->n_bridges; i++)
		if (!strcmp(s->bridges[i].name, name))
			return &s->bridges[i];
	return NULL;
}

static const struct snap_port *port_of(const struct snap_bridge *br, uint16_t ofport)
{
	for (uint32_t i = 0; i < br->n_ports; i++)
		if (br->ports[i].ofport == ofport)
			return &br->ports[i];
	return NULL;
}

/* What stands for a port that the bridge has not.  From the controller, or from nowhere in
 * particular, a packet may come, in any VLAN, but nothing is learnt of it. */
struct stand_in {
	struct snap_port port;
	struct snap_bundle bundle;
};

static const struct snap_port *stand_in(struct stand_in *x, const struct snap_bridge *br,
					uint16_t ofport)
{
	enum { OFPP_CONTROLLER = 0xfffd };

	*x = (struct stand_in){.port = {.br = br, .ofport = ofport, .dp_port = DP_PORT_NONE},
			       .bundle = {.port = &x->port, .mode = VLAN_TRUNK}};
	if (ofport == OFPP_NONE || ofport == OFPP_CONTROLLER)
		x->port.bundle = &x->bundle;
	return &x->port;
}

/* --- names ----------------------------------------------------------------------------------- */

static const char *port_name(void *ctx, uint16_t no)
{
	const struct snap_port *port = port_of(ctx, no);

	return port ? port->name : NULL;
}

/* --- the report ------------------------------------------------------------------------------ */

static void report(struct trace_request *r, const struct translation *t, const struct notes *notes,
		   struct text *out)
{
	struct flow_ports ports = {.name = port_name, .ctx = (void *)t->in->br};
	const struct flow_ports *names = r->names ? &ports : NULL;
	struct flow_key k = r->key;

	k.in_port = t->in->ofport;
	text_printf(out, "Flow: ");
	flow_put(out, &k, names);
	text_printf(out, "\n");
	put_notes(out, notes);
	text_printf(out, "\nFinal flow: unchanged\nMegaflow: ");
	flow_put_masked(out, &k, &t->mask, names);
	text_printf(out, "\nDatapath actions: ");
	if (t->actions)
		format_actions(out, t->actions, r->d->dp, r->names ? FORMAT_NAMES : 0);
	else
		text_printf(out, "drop");
	text_printf(out, "\n");
}

static int no_port(const struct trace_request *r, struct text *out)
{
	if (r->key.tun.flags & TUN_PRESENT)
		text_printf(out, "no OpenFlow tunnel port for this packet");
	else
		text_printf(out, "no OpenFlow port for datapath port %u", r->key.in_port);
	return -EINVAL;
}

int trace_run(struct trace_request *r, struct text *out)
{
	const struct snap *s = atomic_load_explicit(&r->d->snap, memory_order_acquire);
	const struct snap_bridge *br = r->bridge ? bridge_of(s, r->bridge) : NULL;
	struct notes notes = {0};
	struct translation t = {.snap = s,
				.key = &r->key,
				.learn = r->learn,
				.seen = vx_now(r->d->vx),
				.report = keep,
				.report_ctx = &notes};
	struct stand_in other;
	int err = 0;

	if (r->bridge && !br) { /* a datapath without memory has none */
		text_printf(out, "%s: unknown bridge", r->bridge);
		return -EINVAL;
	}
	if (br)
		t.from = port_of(br, (uint16_t)r->key.in_port);
	if (br && !t.from)
		t.from = stand_in(&other, br, (uint16_t)r->key.in_port);
	translate(&t);
	if (t.in)
		report(r, &t, &notes, out);
	else
		err = no_port(r, out);
	translation_done(&t);
	free(notes.at);
	return err;
}
