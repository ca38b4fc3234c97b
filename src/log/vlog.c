/* SPDX-License-Identifier: Apache-2.0 */
#include "log/vlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "log/pattern.h"

static const char *const module_names[] = {
#define X(name, text) text,
	VLOG_MODULES(X)
#undef X
};

enum { LIMIT_BURST = 60, LIMIT_MS = 1000, PATTERN_MAX = 200 };

struct module {
	enum vlog_level level[VLF_COUNT];
	uint32_t tokens, left_out;
	int64_t filled, last_left_out; /* ms */
	bool is_unlimited;
};

struct destination {
	const char *name;
	char pattern[PATTERN_MAX];
};

static struct {
	const char *program;
	struct module modules[VLM_COUNT];
	struct destination dests[VLF_COUNT];
	char path[4096]; /* of the file; "": none was set */
	int fd;
	unsigned serial;
	bool has_console, has_syslog;
} v = {.fd = -1};

static int64_t now_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

void vlog_init(const char *program, bool plain)
{
	v.program = program;
	v.has_console = true;
	v.dests[VLF_SYSLOG] = (struct destination){"syslog", "ovs|%05N|%c%T|%p|%m"};
	v.dests[VLF_CONSOLE] =
		(struct destination){"console", "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m"};
	v.dests[VLF_FILE] =
		(struct destination){"file", "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m"};
	if (plain)
		strcpy(v.dests[VLF_CONSOLE].pattern, "%A: %m");
	for (int m = 0; m < VLM_COUNT; m++)
		v.modules[m] = (struct module){.level = {plain ? VLL_OFF : VLL_INFO, VLL_INFO, VLL_INFO},
					       .tokens = LIMIT_BURST};
}

/* --- lines ------------------------------------------------------------------------------------- */

static void put_syslog(enum vlog_level l, const char *line)
{
	static const int priority[] = {LOG_DEBUG, LOG_EMERG, LOG_ERR, LOG_WARNING, LOG_INFO,
				       LOG_DEBUG};

	if (!v.has_syslog)
		openlog(v.program, LOG_NDELAY, LOG_DAEMON);
	v.has_syslog = true;
	syslog(priority[l], "%s", line);
}

static void put(enum vlog_dest d, enum vlog_level l, struct text *line)
{
	if (d == VLF_SYSLOG) {
		put_syslog(l, text_get(line));
		return;
	}
	text_append(line, "\n", 1);
	/* A full disk loses lines: there is nobody to tell. */
	if (!line->failed && write(d == VLF_FILE ? v.fd : 2, line->s, line->len) < 0)
		return;
}

static bool wants(enum vlog_module m, enum vlog_level l, enum vlog_dest d)
{
	if ((d == VLF_FILE && v.fd < 0) || (d == VLF_CONSOLE && !v.has_console))
		return false;
	return v.program && l <= v.modules[m].level[d];
}

static void say(enum vlog_module m, enum vlog_level l, const char *message)
{
	struct pattern_values pv = {.program = v.program, .module = module_names[m], .level = l,
				    .message = message, .serial = ++v.serial,
				    .ms = now_ms(CLOCK_REALTIME)};
	struct text line = {0};

	for (int d = 0; d < VLF_COUNT; d++) {
		if (!wants(m, l, d))
			continue;
		text_clear(&line);
		pattern_format(&line, v.dests[d].pattern, &pv);
		put(d, l, &line);
	}
	text_done(&line);
}

static void say_all(enum vlog_module m, enum vlog_level l, const char *fmt, va_list ap)
{
	char message[1024];
	int saved = errno;
	bool wanted = false;

	for (int d = 0; d < VLF_COUNT; d++)
		wanted |= wants(m, l, d);
	if (!wanted)
		return;
	vsnprintf(message, sizeof(message), fmt, ap);
	for (char *c = message; *c; c++) /* one line, whatever a name contains */
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = ' ';
	say(m, l, message);
	errno = saved;
}

void vlog(enum vlog_module m, enum vlog_level l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_all(m, l, fmt, ap);
	va_end(ap);
}

static void take_tokens(struct module *mod, int64_t now)
{
	int64_t more = (now - mod->filled) / LIMIT_MS;

	if (more <= 0)
		return;
	mod->tokens = (uint32_t)MIN(mod->tokens + more, (int64_t)LIMIT_BURST);
	mod->filled += more * LIMIT_MS;
}

void vlog_limited(enum vlog_module m, enum vlog_level l, const char *fmt, ...)
{
	struct module *mod = &v.modules[m];
	int64_t now = now_ms(CLOCK_MONOTONIC);
	va_list ap;

	take_tokens(mod, now);
	if (!mod->tokens && !mod->is_unlimited) {
		mod->left_out++;
		mod->last_left_out = now;
		return;
	}
	if (mod->left_out)
		vlog(m, l, "Dropped %u log messages (most recently, %lld seconds ago) due to "
			   "excessive rate", mod->left_out,
		     (long long)(now - mod->last_left_out) / 1000);
	mod->left_out = 0;
	mod->tokens -= mod->tokens > 0;
	va_start(ap, fmt);
	say_all(m, l, fmt, ap);
	va_end(ap);
}

/* --- the file ---------------------------------------------------------------------------------- */

static int open_file(void)
{
	int fd = open(v.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

	return fd < 0 ? -errno : fd;
}

int vlog_set_file(const char *path)
{
	int fd;

	if (strlen(path) >= sizeof(v.path))
		return -ENAMETOOLONG;
	strcpy(v.path, path);
	fd = open_file();
	if (fd < 0)
		return fd;
	vlog_close();
	v.fd = fd;
	vlog(VLM_VLOG, VLL_INFO, "opened log file %s", v.path);
	return 0;
}

int vlog_reopen(void)
{
	int fd;

	if (!*v.path)
		return -ENOENT;
	fd = open_file();
	if (fd < 0)
		return fd;
	if (v.fd >= 0)
		vlog(VLM_VLOG, VLL_INFO, "closing log file");
	vlog_close();
	v.fd = fd;
	vlog(VLM_VLOG, VLL_INFO, "opened log file %s", v.path);
	return 0;
}

void vlog_close(void)
{
	if (v.fd >= 0)
		close(v.fd);
	v.fd = -1;
}

int vlog_fd(void)
{
	return v.fd;
}

void vlog_close_console(void)
{
	v.has_console = false;
}

/* --- settings ---------------------------------------------------------------------------------- */

/* The index of a name, however it is written; -1. */
static int find(const char *word, const char *const names[], int n)
{
	for (int i = 0; i < n; i++)
		if (!strcasecmp(word, names[i]))
			return i;
	return -1;
}

static int find_dest(const char *word)
{
	static const char *const names[] = {"syslog", "console", "file"};

	return find(word, names, VLF_COUNT);
}

static const char *const level_words[] = {"off", "emer", "err", "warn", "info", "dbg"};

static void set_levels(int m, int d, enum vlog_level l)
{
	for (int i = 0; i < VLM_COUNT; i++)
		for (int k = 0; k < VLF_COUNT; k++)
			if ((m < 0 || m == i) && (d < 0 || d == k))
				v.modules[i].level[k] = l;
}

static bool set_pattern(char *rest, struct text *why)
{
	char *colon = rest ? strchr(rest, ':') : NULL;
	int d;

	if (colon)
		*colon = 0;
	d = rest ? find_dest(rest) : -1;
	if (!rest || !*rest) {
		text_printf(why, "missing destination");
		return false;
	}
	if (d < 0 && strcasecmp(rest, "ANY")) {
		text_printf(why, "unknown destination \"%s\"", rest);
		return false;
	}
	if (!colon) {
		text_printf(why, "missing pattern");
		return false;
	}
	for (int i = 0; i < VLF_COUNT; i++)
		if (d < 0 || d == i)
			snprintf(v.dests[i].pattern, PATTERN_MAX, "%s", colon + 1);
	return true;
}

/* One word of a spec: a level, a destination or a module. */
static bool set_word(const char *word, int *m, int *d, int *l, struct text *why)
{
	int n;

	if (!strcasecmp(word, "ANY"))
		return true;
	if ((n = find_dest(word)) >= 0)
		*d = n;
	else if ((n = find(word, level_words, ARRAY_LEN(level_words))) >= 0)
		*l = n;
	else if ((n = find(word, module_names, VLM_COUNT)) >= 0)
		*m = n;
	else
		text_printf(why, "no destination, level, or module \"%s\"", word);
	return !why->len;
}

bool vlog_set(const char *spec, struct text *why)
{
	int m = -1, d = -1, l = VLL_DBG;
	char *copy = strdup(spec ? spec : ""), *rest = copy, *word;
	bool good = copy != NULL;

	if (!strncasecmp(copy ? copy : "", "PATTERN", 7) && (!copy[7] || copy[7] == ':')) {
		good = set_pattern(copy[7] ? copy + 8 : NULL, why);
	} else {
		while (good && (word = strsep(&rest, " :,\t")))
			good = !*word || set_word(word, &m, &d, &l, why);
		if (good)
			set_levels(m, d, (enum vlog_level)l);
	}
	free(copy);
	return good;
}

bool vlog_limit(const char *module, bool on)
{
	int m = find(module, module_names, VLM_COUNT);

	for (int i = 0; i < VLM_COUNT; i++)
		if (m == i || !strcasecmp(module, "ANY"))
			v.modules[i].is_unlimited = !on;
	return m >= 0 || !strcasecmp(module, "ANY");
}

void vlog_list(struct text *t)
{
	text_printf(t, "                 console    syslog    file\n"
		       "                 -------    ------    ------\n");
	for (int i = 0; i < VLM_COUNT; i++) {
		const enum vlog_level *l = v.modules[i].level;

		text_printf(t, "%-16s  %4s       %4s       %4s\n", module_names[i],
			    vlog_level_name(l[VLF_CONSOLE]), vlog_level_name(l[VLF_SYSLOG]),
			    vlog_level_name(l[VLF_FILE]));
	}
}

void vlog_list_patterns(struct text *t)
{
	static const char *const names[] = {"SYSLOG", "CONSOLE", "FILE"};

	text_printf(t, "         prefix                            format\n"
		       "         ------                            ------\n");
	for (int d = 0; d < VLF_COUNT; d++)
		text_printf(t, "%-7s  %-32s  %s\n", names[d],
			    d == VLF_SYSLOG ? "<%B> %D{%h %e %T} %E %A:" : "none",
			    v.dests[d].pattern);
}
