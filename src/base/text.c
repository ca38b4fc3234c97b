/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for 'more' bytes and the NUL. */
static bool reserve(struct text *t, size_t more)
{
	size_t size = t->size ? t->size : 128;
	char *s;

	if (t->failed)
		return false;
	if (t->s && t->size - t->len > more)
		return true;
	while (size - t->len <= more)
		size *= 2;
	s = realloc(t->s, size);
	if (!s) {
		t->failed = true;
		return false;
	}
	t->s = s;
	t->size = size;
	return true;
}

void text_cut(struct text *t, size_t len)
{
	if (len >= t->len)
		return;
	t->len = len;
	t->s[len] = 0;
}

void text_append(struct text *t, const char *s, size_t len)
{
	if (!reserve(t, len))
		return;
	memcpy(t->s + t->len, s, len);
	t->len += len;
	t->s[t->len] = 0;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(t, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(t->s + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
}

void text_clear(struct text *t)
{
	t->len = 0;
	if (t->s)
		t->s[0] = 0;
}

void text_done(struct text *t)
{
	free(t->s);
	*t = (struct text){0};
}

const char *text_get(const struct text *t)
{
	return t->s ? t->s : "";
}

int text_to_u64(const char *s, unsigned long long max, unsigned long long *out)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	v = strtoull(s, &end, 0);
	if (*end)
		return -EINVAL;
	if (errno == ERANGE || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

/* Length of the UTF-8 letter at the front of s, 0 if there is none.  No surrogates, no overlong forms,
 * nothing above 0x10ffff. */
static size_t letter_len(const uint8_t *s, size_t len)
{
	uint8_t lo = 0x80, hi = 0xbf;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n > len)
		return 0;
	if (s[0] == 0xe0)
		lo = 0xa0;
	else if (s[0] == 0xed)
		hi = 0x9f;
	else if (s[0] == 0xf0)
		lo = 0x90;
	else if (s[0] == 0xf4)
		hi = 0x8f;
	if (s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool text_mend_utf8(char *s, size_t len)
{
	bool mended = false;

	for (size_t at = 0; at < len;) {
		size_t n = letter_len((const uint8_t *)s + at, len - at);

		if (!n) {
			s[at] = '?';
			mended = true;
			n = 1;
		}
		at += n;
	}
	return mended;
}
