/* SPDX-License-Identifier: Apache-2.0 */
#include "pkt/note.h"

static const struct {
	const char *text;
	enum note_kind kind;
} notes[NOTE_COUNT] = {
#define NOTE(name, kind, text) {text, NOTE_##kind},
#include "pkt/note_list.h"
#undef NOTE
};

enum note_kind note_kind(const struct trace_step *s)
{
	return notes[s->state].kind;
}

/* The word in braces that 'at' begins with: told.  Behind it. */
static const char *put_word(struct text *out, const struct trace_step *s, const char *at)
{
	const char *end = strchr(at, '}');
	char mac[MAC_TEXT_MAX];

	assert(end);
	if (!strncmp(at, "{mac}", 5))
		text_printf(out, "%s", mac_text(&s->mac, mac));
	else if (!strncmp(at, "{dev}", 5))
		text_printf(out, "%s", s->dev);
	else if (!strncmp(at, "{port}", 6))
		text_printf(out, "%u", s->port);
	else
		text_printf(out, "%u", s->u[strncmp(at, "{vlan}", 6) != 0]);
	return end + 1;
}

void note_text(struct text *out, const struct trace_step *s)
{
	const char *at = notes[s->state].text;

	while (*at) {
		size_t n = strcspn(at, "{");

		text_append(out, at, n);
		at += n;
		if (*at)
			at = put_word(out, s, at);
	}
}
