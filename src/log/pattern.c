/* SPDX-License-Identifier: Apache-2.0 */
#include "log/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"

const char *vlog_level_name(enum vlog_level l)
{
	static const char *const names[] = {"OFF", "EMER", "ERR", "WARN", "INFO", "DBG"};

	return names[l];
}

enum { TIME_MAX = 128, WIDTH_MAX = 64 };

/* strftime() and the milliseconds' digits. */
static void put_time(char out[TIME_MAX], const char *format, size_t len, int64_t ms, bool utc)
{
	char f[TIME_MAX], digits[4];
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	int n = 0;

	if (!len) {
		format = "%Y-%m-%d %H:%M:%S.###";
		len = strlen(format);
	}
	snprintf(f, sizeof(f), "%.*s", (int)MIN(len, sizeof(f) - 1), format);
	if (!(utc ? gmtime_r(&s, &tm) : localtime_r(&s, &tm)) || !strftime(out, TIME_MAX, f, &tm))
		*out = 0;
	snprintf(digits, sizeof(digits), "%03u", (unsigned)(ms % 1000) % 1000u);
	for (char *c = out; *c; c++)
		if (*c == '#')
			*c = n < 3 ? digits[n++] : '0';
}

/* A letter's value, in 'buf' where it has to be made; *p is behind the letter, and goes behind {...}.
 */
static const char *value(const char **p, char letter, const struct pattern_values *v,
			 char buf[TIME_MAX])
{
	const char *arg = *p, *end = *arg == '{' ? strchr(arg, '}') : NULL;
	size_t len = end ? (size_t)(end - arg - 1) : 0;

	switch (letter) {
	case 'A':
		return v->program;
	case 'c':
		return v->module;
	case 'D':
	case 'd':
		put_time(buf, arg + 1, len, v->ms, letter == 'D');
		*p = end ? end + 1 : *p;
		return buf;
	case 'E':
		if (gethostname(buf, TIME_MAX) < 0)
			*buf = 0;
		buf[TIME_MAX - 1] = 0;
		return buf;
	case 'm':
		return v->message;
	case 'N':
		snprintf(buf, TIME_MAX, "%u", v->serial);
		return buf;
	case 'n':
		return "\n";
	case 'P':
		snprintf(buf, TIME_MAX, "%d", (int)getpid());
		return buf;
	case 'p':
		return vlog_level_name(v->level);
	case 't':
		return "main";
	case '%':
		return "%";
	}
	return ""; /* %T: control is the main thread */
}

void pattern_format(struct text *t, const char *pattern, const struct pattern_values *v)
{
	const char *p = pattern;

	while (*p) {
		char buf[TIME_MAX], fill = ' ';
		const char *s;
		bool behind;
		int width = 0, pad;

		if (*p != '%') {
			size_t len = strcspn(p, "%");

			text_append(t, p, len);
			p += len;
			continue;
		}
		p++;
		behind = *p == '-';
		p += behind;
		if (*p == '0')
			fill = '0';
		for (; *p >= '0' && *p <= '9'; p++)
			width = MIN(width * 10 + (*p - '0'), WIDTH_MAX);
		if (!*p)
			return;
		p++;
		s = value(&p, p[-1], v, buf);
		pad = width - (int)MIN(strlen(s), (size_t)WIDTH_MAX);
		for (int i = 0; !behind && i < pad; i++)
			text_append(t, &fill, 1);
		text_append(t, s, strlen(s));
		for (int i = 0; behind && i < pad; i++)
			text_append(t, " ", 1);
	}
}
