/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A string that grows.  Out of memory sets 'failed' and further calls do nothing, so that a
 * caller checks once, at the end.
 */
#ifndef VX_BASE_TEXT_H
#define VX_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

struct text {
	char *s; /* NUL terminated once anything was added; NULL before */
	size_t len, size;
	bool failed;
};

void text_printf(struct text *t, const char *fmt, ...) PRINTF(2, 3);
void text_cut(struct text *t, size_t len); /* to its first 'len' bytes */
void text_append(struct text *t, const char *s, size_t len);
void text_clear(struct text *t);	/* empty, memory kept */
void text_done(struct text *t);		/* memory freed; usable again */
const char *text_get(const struct text *t); /* never NULL */

/* Parses the whole of 's' as a number, decimal, 0x or 0 octal as strtoull has it.
 * Returns 0, or -EINVAL (not a number, or trailing characters) or -ERANGE (above 'max'). */
int text_to_u64(const char *s, unsigned long long max, unsigned long long *out);

/* Makes UTF-8 of 's': each byte that belongs to no letter becomes '?', the length stays.  True if
 * there was one.  (What JSON carries has to be UTF-8, names that come from elsewhere need not be.) */
bool text_mend_utf8(char *s, size_t len);

#endif
