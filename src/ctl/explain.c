/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/explain.h"

#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>

#include "ctl/outer.h"
#include "net/dev.h"
#include "pkt/note.h"
#include "vxlan/device.h"
#include "wire/vxlan.h"

enum drop explain_drop(const struct trace *t)
{
	for (uint16_t i = 0; i < t->n_steps; i++)
		if (t->steps[i].say == SAY_DROP)
			return (enum drop)t->steps[i].drop;
	return DROP_NONE;
}

/* --- sentences ---------------------------------------------------------------------------------- */

/* What the sentences of one trace draw on. */
struct teller {
	struct vx *vx;
	const struct trace *t;
	const struct packet_view *v;
};

static void ago(struct text *out, uint64_t ns)
{
	uint64_t s = ns / NS_PER_S;

	if (s < 120)
		text_printf(out, "%llu s ago", (unsigned long long)s);
	else if (s < 7200)
		text_printf(out, "%llu min ago", (unsigned long long)s / 60);
	else
		text_printf(out, "%llu h ago", (unsigned long long)s / 3600);
}

/* "(learned 12 s ago)", "(permanent, by "vx fdb", 3 min ago)" */
static void origin(struct vx *vx, const struct trace_step *s, struct text *out)
{
	uint64_t now = vx_now(vx), age = now > s->maker.at ? now - s->maker.at : 0;

	if (s->maker.how == MAKER_LEARNED) {
		text_printf(out, " (learned ");
	} else {
		const char *state = s->state & NUD_PERMANENT ? "permanent"
				    : s->state & NUD_NOARP ? "static"
							   : "dynamic";

		text_printf(out, " (%s, by %s%s%s, ", state, *s->maker.text ? "\"" : "",
			    *s->maker.text		     ? s->maker.text
			    : s->maker.how == MAKER_OPTION ? "the remote option"
							   : "vx fdb",
			    *s->maker.text ? "\"" : "");
	}
	ago(out, age);
	text_printf(out, ")");
}

static void say_learned(struct vx *vx, const struct trace_step *s, struct text *out)
{
	char mac[MAC_TEXT_MAX], ip[IP_TEXT_MAX];

	mac_text(&s->mac, mac);
	ip_text(&s->ip, ip);
	switch (s->u[0]) {
	case FDB_NEW:
		text_printf(out, "%s is new at %s: learned now", mac, ip);
		return;
	case FDB_ROAMED:
		text_printf(out, "%s has moved to %s", mac, ip);
		return;
	case FDB_FULL:
		text_printf(out, "%s is not learned: the table is full (maxaddress)", mac);
		return;
	case FDB_STATIC:
		text_printf(out, "%s is bound to %s", mac, ip);
		break;
	default:
		text_printf(out, "%s is known at %s", mac, ip);
	}
	origin(vx, s, out);
}

static void say_entry(struct vx *vx, const struct trace_step *s, struct text *out)
{
	char mac[MAC_TEXT_MAX], ip[IP_TEXT_MAX];

	mac_text(&s->mac, mac);
	if (s->say == SAY_FDB_DEFAULT)
		text_printf(out, "no entry for %s: the default entry", mac);
	else
		text_printf(out, "%s", mac);
	if (s->u[0] > 1)
		text_printf(out, " goes to %u remotes, %s the first", s->u[0], ip_text(&s->ip, ip));
	else
		text_printf(out, s->say == SAY_FDB_DEFAULT ? " leads to %s" : " is at %s",
			    ip_text(&s->ip, ip));
	origin(vx, s, out);
}

static void say_remote(struct vx *vx, const struct trace_step *s, struct text *out)
{
	char ip[IP_TEXT_MAX];

	text_printf(out, "to %s", ip_text(&s->ip, ip));
	if (s->port)
		text_printf(out, " port %u", s->port);
	if (s->stage == STAGE_vxlan_xmit_one)
		text_printf(out, " vni %u", s->vni);
	if (s->u[1]) {
		struct dev *d = dev_by_index(vx, s->u[1]);

		if (d)
			text_printf(out, " by %s", d->name);
	}
}

/* The extension that a reserved bit belongs to, as Linux knows them. */
static void say_reserved(const struct trace_step *s, struct text *out)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} known[] = {{0x80000000, "group policy (gbp)"},
		     {0x00200000, "remote checksum (remcsumtx)"},
		     {0x04000000, "next protocol (gpe)"},
		     {0x01000000, "OAM (gpe)"},
		     {0x000000ff, "next protocol (gpe)"}};
	uint32_t n = 0;

	text_printf(out, "reserved bits 0x%08x%08x are set", s->u[0], s->u[1]);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (s->u[0] & known[i].bit)
			text_printf(out, "%s%s", n++ ? ", " : ": ", known[i].name);
}

static void say_policy(const struct trace_step *s, struct text *out)
{
	text_printf(out, "group policy %u%s%s", s->u[0] & VXLAN_GBP_ID,
		    s->u[0] & VXLAN_GBP_APPLIED ? ", applied" : "",
		    s->u[0] & VXLAN_GBP_DONT_LEARN ? ", not to be learnt from" : "");
}

static void say_ecn(const struct trace_step *s, struct text *out)
{
	static const char *const names[] = {"Not-ECT", "ECT(1)", "ECT(0)", "CE"};

	text_printf(out, "the outer ECN field is %s, the inner %s", names[s->u[1] & 3],
		    names[s->u[0] & 3]);
}

static void say_host_lost(const struct trace_step *s, struct text *out)
{
	text_printf(out, "arrived on %s, never reached the socket of port %u", s->dev, s->port);
	if (*s->maker.text)
		text_printf(out, "; %s rose by %u", s->maker.text, s->u[0]);
	else
		text_printf(out, "; no counter of the host rose");
}

/* On receipt: where a packet is for, and what is wrong with it. */
static bool sentence_in(const struct teller *x, const struct trace_step *s, struct text *out)
{
	struct vx *vx = x->vx;
	char ip[IP_TEXT_MAX];

	switch (s->say) {
	case SAY_LOCAL:
		text_printf(out, "to this host (%s%s%s)", ip_text(&s->ip, ip), *s->dev ? " on " : "",
			    s->dev);
		return true;
	case SAY_HOST_STACK:
		text_printf(out, "to %s; what comes before is the host's own stack",
			    ip_text(&s->ip, ip));
		return true;
	case SAY_SOCKET:
		explain_socket(vx, s, out);
		return true;
	case SAY_VNI:
		explain_vni(vx, s, trace_is_host(x->t), out);
		return true;
	case SAY_NO_SOCKET:
		explain_no_socket(vx, s, x->v, trace_is_host(x->t), out);
		return true;
	case SAY_RESERVED:
		say_reserved(s, out);
		return true;
	case SAY_POLICY:
		say_policy(s, out);
		return true;
	case SAY_ECN:
		say_ecn(s, out);
		return true;
	case SAY_HOST_LOST:
		say_host_lost(s, out);
		return true;
	case SAY_LEARNED:
		say_learned(vx, s, out);
		return true;
	}
	return false;
}

/* Where it goes: entries, remotes, next hops, ports. */
static bool sentence_out(const struct teller *x, const struct trace_step *s, struct text *out)
{
	struct vx *vx = x->vx;
	char ip[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

	switch (s->say) {
	case SAY_FDB:
	case SAY_FDB_DEFAULT:
		say_entry(vx, s, out);
		return true;
	case SAY_REMOTE:
		say_remote(vx, s, out);
		return true;
	case SAY_ROUTE:
		text_printf(out, "%s%s%s", ip_text(&s->ip, ip), *s->dev ? " by " : "", s->dev);
		return true;
	case SAY_SENT:
		text_printf(out, "%s%s%u bytes", s->dev, *s->dev ? ", " : "", s->len);
		return true;
	case SAY_NEIGH:
		text_printf(out, "%s is at %s", ip_text(&s->ip, ip), mac_text(&s->mac, mac));
		return true;
	case SAY_BRIDGE_PORT:
		text_printf(out, "%s is on %s", mac_text(&s->mac, mac), s->dev);
		origin(vx, s, out);
		return true;
	case SAY_BRIDGE_FLOOD:
		text_printf(out, "%s: %s goes to all ports", s->dev, mac_text(&s->mac, mac));
		return true;
	}
	return false;
}

static void say_upcall(const struct trace_step *s, struct text *out)
{
	static const char *const what[] = {
		"no flow matches: waits to be translated",
		"the flow sends it there: waits to be translated",
		"translated, for this packet alone",
		"translated, and a flow made for those that follow",
	};

	text_printf(out, "%s", what[s->u[0] & 3]);
}

static void say_bridge(const struct trace_step *s, struct text *out)
{
	static const char *const where[] = {"", ", to the port that its destination is on",
					    ", flooded"};

	text_printf(out, "%s: by port %u (%s)", s->maker.text, s->port, s->dev);
	if (s->u[0])
		text_printf(out, ", VLAN %u", s->u[0]);
	text_printf(out, "%s", where[s->u[1] % ARRAY_LEN(where)]);
}

/* That a bridge was entered has its name besides; all else is one text. */
static void say_note(const struct trace_step *s, struct text *out)
{
	if (s->state == NOTE_bridge)
		say_bridge(s, out);
	else
		note_text(out, s);
}

/* Open vSwitch's datapath. */
static bool sentence_flow(const struct teller *x, const struct trace_step *s, struct text *out)
{
	uint64_t now = vx_now(x->vx);

	switch (s->say) {
	case SAY_VPORT:
		text_printf(out, "port %u (%s)", s->u[0], s->dev);
		return true;
	case SAY_FLOW:
		text_printf(out, "%s: matches flow %u, made ", s->dev, s->u[0]);
		ago(out, now > s->maker.at ? now - s->maker.at : 0);
		if (s->u[1])
			text_printf(out, "; %u mask%s tried", s->u[1], s->u[1] == 1 ? "" : "s");
		return true;
	case SAY_NO_FLOW:
		text_printf(out, "%s: no flow matches, %u mask%s tried", s->dev, s->u[1],
			    s->u[1] == 1 ? "" : "s");
		return true;
	case SAY_ACTIONS:
		text_printf(out, "%s", s->maker.text);
		return true;
	case SAY_BRIDGE:
		say_bridge(s, out);
		return true;
	case SAY_NOTE:
		say_note(s, out);
		return true;
	case SAY_UPCALL:
		say_upcall(s, out);
		return true;
	case SAY_NEXT_TURN:
		text_printf(out, "more copies than a turn makes: goes on in the next");
		return true;
	}
	return false;
}

static void sentence(const struct teller *x, const struct trace_step *s, struct text *out)
{
	char ip[IP_TEXT_MAX];

	if (sentence_in(x, s, out) || sentence_out(x, s, out) || sentence_flow(x, s, out))
		return;
	switch (s->say) {
	case SAY_DEV:
		text_printf(out, "%s, %u bytes%s", s->dev, s->len,
			    s->u[0] ? "; the host sees these frames too" : "");
		return;
	case SAY_BYPASS:
		text_printf(out, "the remote is this host: handed to %s", s->dev);
		return;
	case SAY_QUEUED:
		text_printf(out, "waits for %s", ip_text(&s->ip, ip));
		return;
	case SAY_CUT:
		text_printf(out, "cut into %u pieces of %u bytes", s->u[0], s->u[1]);
		return;
	case SAY_PARTIAL:
		text_printf(out, "inner checksum unfinished, from a virtual link");
		if (s->u[0])
			text_printf(out, "; a super-frame of %u byte segments", s->u[0]);
		return;
	case SAY_WORKER:
		text_printf(out, "to worker %u, which its flow belongs to", s->u[0]);
		return;
	case SAY_MERGED:
		text_printf(out, "merged with what came before");
		return;
	case SAY_TOLD:
		text_printf(out, "longer than the path takes: the sender is told, %u bytes",
			    s->u[0]);
		return;
	case SAY_REPLY:
		text_printf(out, "answered");
		return;
	case SAY_HOOK:
		text_printf(out, "rule %u", s->u[0]);
		return;
	case SAY_PROTO:
		text_printf(out, "protocol %u", s->u[0]);
		return;
	case SAY_DROP:
		text_printf(out, "dropped: %s", drop_infos[s->drop].text);
		explain_near(x->vx, s, x->v, out);
		return;
	}
}

/* --- the tree -------------------------------------------------------------------------------------- */

enum { COLUMN = 24, DEPTH_MAX = 64 };

static bool is_shown(const struct trace_step *s, bool detail)
{
	if (detail)
		return true;
	switch (s->say) {
	case SAY_NOTHING:
	case SAY_PROTO:
	case SAY_NOTE:
		return false;
	case SAY_DEV: /* where a packet is; not each time it passes a queue */
		return s->stage == STAGE_netif_receive || s->stage == STAGE_dev_queue_xmit || s->u[0];
	}
	return true;
}

/* A further sentence of the stage of the step before. */
static bool joins(const struct trace *t, uint16_t i, uint16_t last)
{
	return i && last < i && t->steps[i].stage == t->steps[last].stage && t->steps[i].say != SAY_DEV;
}

/* How far a shown step is indented: the stages above it that are shown. */
struct tree {
	uint8_t stack[DEPTH_MAX];
	uint32_t n;
};

static uint32_t indent_of(struct tree *tr, const struct trace_step *s)
{
	uint32_t n;

	while (tr->n && tr->stack[tr->n - 1] >= s->depth)
		tr->n--;
	n = tr->n;
	if (tr->n < DEPTH_MAX)
		tr->stack[tr->n++] = s->depth;
	return n;
}

/* The column where sentences begin: behind the longest name with its indentation. */
static uint32_t column_of(const struct trace *t, bool detail)
{
	uint32_t column = COLUMN;
	struct tree tr = {.n = 0};

	for (uint16_t i = 0, last = UINT16_MAX; i < t->n_steps; i++) {
		const struct trace_step *s = &t->steps[i];

		if (!is_shown(s, detail) || (last != UINT16_MAX && joins(t, i, last)))
			continue;
		column = MAX(column, indent_of(&tr, s) * 2 + (uint32_t)strlen(stage_names[s->stage]) + 2);
		last = i;
	}
	return column;
}

static void one_step(const struct teller *x, const struct trace_step *s, uint32_t indent, uint32_t column,
		     struct text *out)
{
	uint32_t used = indent * 2 + (uint32_t)strlen(stage_names[s->stage]);

	if (indent)
		text_printf(out, "%*s\u2514\u2500", (int)(indent - 1) * 2, "");
	text_printf(out, "%s%*s", stage_names[s->stage], (int)(column - used), "");
	sentence(x, s, out);
	while (out->len && out->s[out->len - 1] == ' ')
		out->len--;
	text_printf(out, "\n");
}

static void tree(const struct teller *x, bool detail, struct text *out)
{
	const struct trace *t = x->t;
	uint32_t column = column_of(t, detail);
	struct tree tr = {.n = 0};

	for (uint16_t i = 0, last = UINT16_MAX; i < t->n_steps; i++) {
		const struct trace_step *s = &t->steps[i];

		if (!is_shown(s, detail))
			continue;
		if (last != UINT16_MAX && joins(t, i, last)) {
			out->len -= out->len && out->s[out->len - 1] == '\n';
			text_printf(out, "; ");
			sentence(x, s, out);
			text_printf(out, "\n");
		} else {
			one_step(x, s, indent_of(&tr, s), column, out);
		}
		last = i;
	}
	if (t->overflow)
		text_printf(out, "(more steps than a trace holds)\n");
}

/* "delivered", "queued", "dropped": by what its copies came to. */
static const char *outcome(const struct trace *t)
{
	bool queued = false, consumed = false;
	int sent = 0;

	for (uint16_t i = 0; i < t->n_steps; i++) {
		const struct trace_step *s = &t->steps[i];

		if (s->say == SAY_SENT)
			sent += s->stage == STAGE_dev_to_host || s->stage == STAGE_io_tx ||
				s->stage == STAGE_udp_send;
		/* These two say it before the system call. */
		if (s->say == SAY_DROP)
			sent -= s->stage == STAGE_dev_to_host || s->stage == STAGE_io_tx;
		queued |= s->say == SAY_QUEUED || s->say == SAY_UPCALL || s->say == SAY_NEXT_TURN;
		consumed |= s->stage == STAGE_arp_rcv || s->stage == STAGE_nd_rcv ||
			    s->stage == STAGE_icmp_rcv;
	}
	if (explain_drop(t) != DROP_NONE)
		return sent > 0 ? "partly dropped" : "dropped";
	return sent > 0 ? "delivered" : queued && !consumed ? "queued" : "consumed";
}

static const struct trace_step *drop_step(const struct trace *t)
{
	for (uint16_t i = 0; i < t->n_steps; i++)
		if (t->steps[i].say == SAY_DROP)
			return &t->steps[i];
	return NULL;
}

void explain_text(struct vx *vx, const struct trace *t, uint64_t began, bool detail,
		  struct text *out)
{
	const struct trace_step *drop = drop_step(t);
	struct packet_view v;
	uint64_t at = t->at > began ? t->at - began : 0;
	char advice[400], counters[200];

	explain_packet(vx, t, &v);
	text_printf(out, "#%u  %llu.%06llu  %s\n", t->id, (unsigned long long)(at / NS_PER_S),
		    (unsigned long long)(at % NS_PER_S / 1000), v.line);
	tree(&(struct teller){vx, t, &v}, detail, out);
	if (!drop) {
		text_printf(out, "%s\n", outcome(t));
		return;
	}
	text_printf(out, "%s: %s: %s\n", outcome(t), drop_infos[drop->drop].name,
		    drop_infos[drop->drop].text);
	explain_counters(vx, t, drop, counters, sizeof(counters));
	if (!t->of_host)
		text_printf(out, "counter: \"vx drops\" %s%s%s\n", drop_infos[drop->drop].name,
			    *counters ? "; " : "", counters);
	else if (*counters)
		text_printf(out, "counter: %s\n", counters);
	explain_advice(vx, t, drop, &v, advice, sizeof(advice));
	if (*advice)
		text_printf(out, "advice: %s\n", advice);
}

static json_t *string(const char *s)
{
	json_t *j = json_string(s);

	return j ? j : json_string("");
}

/* The command of an advice: what stands in backquotes. */
static json_t *command_of(const char *advice)
{
	const char *from = strchr(advice, '`'), *to = from ? strchr(from + 1, '`') : NULL;

	return to ? json_stringn(from + 1, (size_t)(to - from - 1)) : json_null();
}

static json_t *json_step(const struct teller *x, const struct trace_step *s)
{
	struct text text = {0};
	json_t *j = json_pack("{s:s, s:i}", "stage", stage_names[s->stage], "depth", (int)s->depth);

	sentence(x, s, &text);
	if (text.len)
		json_object_set_new(j, "text", string(text_get(&text)));
	if (*s->dev)
		json_object_set_new(j, "dev", string(s->dev));
	if (s->say == SAY_DROP)
		json_object_set_new(j, "drop", json_string(drop_infos[s->drop].name));
	text_done(&text);
	return j;
}

static json_t *json_drop(struct vx *vx, const struct trace *t, const struct trace_step *drop,
			 const struct packet_view *v)
{
	const struct drop_info *d = &drop_infos[drop->drop];
	char advice[400], counters[200];

	explain_advice(vx, t, drop, v, advice, sizeof(advice));
	explain_counters(vx, t, drop, counters, sizeof(counters));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "reason", d->name, "stage",
			 stage_names[drop->stage], "text", d->text, "kernel", d->kernel, "counters",
			 counters, "dev", drop->dev, "advice", string(advice), "command",
			 command_of(advice));
}

/* Of a frame from a host's socket, the headers that it took off, too. */
static json_t *frame_hex(const struct trace *t, uint32_t *full)
{
	uint8_t frame[OUTER_HEAD_MAX + TRACE_BYTES];
	char hex[2 * sizeof(frame) + 1];
	uint32_t head = 0;

	if (t->from_udp)
		head = outer_head(&(struct tun_info){.src = t->src, .dst = t->dst, .sport = t->sport,
						     .dport = t->dport, .ttl = 64},
				  t->len, frame);
	memcpy(frame + head, t->bytes, t->n_bytes);
	*full = head + t->len;
	for (uint32_t i = 0; i < head + t->n_bytes; i++)
		snprintf(hex + 2 * i, 3, "%02x", frame[i]);
	return json_stringn(hex, 2 * (head + t->n_bytes));
}

/* What the command line needs besides, and takes away from what it prints as JSON. */
static json_t *json_show(struct vx *vx, const struct trace *t, uint64_t began, uint64_t epoch)
{
	struct text text = {0};
	json_t *j = json_object();
	uint32_t full;

	explain_text(vx, t, began, false, &text);
	json_object_set_new(j, "text", string(text_get(&text)));
	text_clear(&text);
	explain_text(vx, t, began, true, &text);
	json_object_set_new(j, "detail", string(text_get(&text)));
	text_done(&text);
	json_object_set_new(j, "frame", frame_hex(t, &full));
	json_object_set_new(j, "full", json_integer(full));
	json_object_set_new(j, "at", json_integer((json_int_t)(epoch + t->at)));
	return j;
}

json_t *explain_json(struct vx *vx, const struct trace *t, uint64_t began, uint64_t epoch)
{
	const struct trace_step *drop = drop_step(t);
	json_t *j = json_object(), *steps = json_array();
	uint64_t at = t->at > began ? t->at - began : 0;
	struct packet_view v;

	explain_packet(vx, t, &v);
	for (uint16_t i = 0; i < t->n_steps; i++)
		json_array_append_new(steps, json_step(&(struct teller){vx, t, &v}, &t->steps[i]));
	json_object_set_new(j, "id", json_integer(t->id));
	json_object_set_new(j, "time", json_real((double)at / 1e9));
	json_object_set_new(j, "dev", string(t->dev));
	json_object_set_new(j, "bytes", json_integer(t->len));
	json_object_set_new(j, "packet", string(v.line));
	json_object_set_new(j, "steps", steps);
	json_object_set_new(j, "outcome", json_string(outcome(t)));
	if (drop)
		json_object_set_new(j, "drop", json_drop(vx, t, drop, &v));
	json_object_set_new(j, "show", json_show(vx, t, began, epoch));
	return j;
}
