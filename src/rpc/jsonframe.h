/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds where a JSON object ends in a stream of objects without separators (ovs.md 1.1), each byte
 * looked at once however the stream was cut.  Only strings and brackets are understood: whether it
 * is JSON at all is for the parser to say.
 */
#ifndef VX_RPC_JSONFRAME_H
#define VX_RPC_JSONFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	JSONFRAME_DEPTH_MAX = 64, /* OVSDB's deepest message has a dozen */
	/* Values in one object: a parsed one takes some 100 bytes whatever its text, so the size of
	 * the text alone bounds nothing. */
	JSONFRAME_VALUES_MAX = 8 << 20,
	JSONFRAME_SIZE_MAX = 256 << 20,
};

/* All zero before the first byte of an object. */
struct jsonframe {
	size_t at; /* bytes looked at */
	uint32_t depth, values;
	bool in_string, escaped;
};

/* 's' is all that was read since the last object's end.  Returns 1 and the object's place in it,
 * blanks before it left out; 0 when more has to be read; -1 and why when no object can come of it.
 */
int jsonframe_next(struct jsonframe *f, const char *s, size_t len, size_t *start, size_t *end,
		   const char **why);

#endif
