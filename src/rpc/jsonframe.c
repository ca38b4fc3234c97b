/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/jsonframe.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* One byte outside of strings.  What is wrong with it, or NULL. */
static const char *outside(struct jsonframe *f, char c)
{
	switch (c) {
	case '"':
		f->in_string = true;
		break;
	case '{':
	case '[':
		if (++f->depth > JSONFRAME_DEPTH_MAX)
			return "a message nested too deep";
		if (++f->values > JSONFRAME_VALUES_MAX)
			return "a message of too many values";
		break;
	case '}':
	case ']':
		f->depth--;
		break;
	case ',':
	case ':':
		if (++f->values > JSONFRAME_VALUES_MAX)
			return "a message of too many values";
		break;
	}
	return NULL;
}

int jsonframe_next(struct jsonframe *f, const char *s, size_t len, size_t *start, size_t *end,
		   const char **why)
{
	size_t from = 0;

	while (from < len && is_blank(s[from]))
		from++;
	if (f->at < from)
		f->at = from;
	for (; f->at < len; f->at++) {
		char c = s[f->at];

		if (f->at == from && c != '{') {
			*why = "something that is no JSON object";
			return -1;
		}
		if (f->in_string) {
			if (!f->escaped && c == '"')
				f->in_string = false;
			f->escaped = !f->escaped && c == '\\';
			continue;
		}
		*why = outside(f, c);
		if (*why)
			return -1;
		if (!f->depth) {
			*start = from;
			*end = f->at + 1;
			return 1;
		}
	}
	if (len <= JSONFRAME_SIZE_MAX) /* endless blanks, too, have an end */
		return 0;
	*why = "a message of more than 256 MiB";
	return -1;
}
