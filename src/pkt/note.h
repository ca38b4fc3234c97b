/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes: what a bridge decided about a packet, one sentence each (pkt/note_list.h).
 *
 * A note is a step of a trace (pkt/trace.h) that says SAY_NOTE: 'state' is the enum note, 'depth'
 * how many bridges deep it is; mac, dev, port, u[0] (the VLAN) and u[1] (the port's tag) are what
 * its text draws on.
 */
#ifndef VX_PKT_NOTE_H
#define VX_PKT_NOTE_H

#include "base/text.h"
#include "pkt/trace.h"

enum note {
#define NOTE(name, kind, text) NOTE_##name,
#include "pkt/note_list.h"
#undef NOTE
	NOTE_COUNT
};

enum note_kind { NOTE_TITLE, NOTE_DETAIL, NOTE_WARNING, NOTE_ERROR };

enum note_kind note_kind(const struct trace_step *s);
void note_text(struct text *out, const struct trace_step *s);

#endif
