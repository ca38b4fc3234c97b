/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "ctl/canon.h"
#include "ctl/lines.h"
#include "log/vlog.h"

static const char head[] = "# vxd's state: written by vxd, replayed when it starts.\n";

/* Candidates in order: asked, /var/lib/vx, $XDG_STATE_HOME/vx, ~/.local/state/vx. */
static bool candidate(const char *asked, int i, char *dir, size_t size)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (asked) {
		snprintf(dir, size, "%s", asked);
		return i == 0;
	}
	if (i == 0)
		snprintf(dir, size, "/var/lib/vx");
	else if (i == 1)
		snprintf(dir, size, "%s/vx", xdg && *xdg ? xdg : "/var/lib");
	else
		snprintf(dir, size, "%s/.local/state/vx", home && *home ? home : "/nonexistent");
	return i < 3;
}

static bool make_dir(const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", dir);
	for (char *c = path + 1; *c; c++)
		if (*c == '/') {
			*c = 0;
			mkdir(path, 0755);
			*c = '/';
		}
	return (mkdir(path, 0700) == 0 || errno == EEXIST) && access(path, W_OK | X_OK) == 0;
}

/* The directory is ours until s->dir_fd is closed, or another vxd's: false. */
static bool take_dir(struct state *s, const char *dir)
{
	s->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0 || flock(s->dir_fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return true; /* where nobody can lock nobody does */
	close(s->dir_fd);
	return false;
}

int state_open(struct state *s, const char *asked, char *why, size_t size)
{
	char dir[PATH_MAX - 16];

	*s = (struct state){.fd = -1};
	for (int i = 0; candidate(asked, i, dir, sizeof(dir)); i++) {
		if (!make_dir(dir))
			continue;
		if (!take_dir(s, dir)) {
			snprintf(why, size,
				 "another vxd keeps its state in %s: name another directory with "
				 "--statedir, or start with --no-state", dir);
			return -EBUSY;
		}
		snprintf(s->path, sizeof(s->path), "%s/vxd.state", dir);
		s->fd = open(s->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (s->fd >= 0)
			return 0;
		if (s->dir_fd >= 0)
			close(s->dir_fd);
	}
	candidate(asked, 0, dir, sizeof(dir));
	snprintf(why, size, "cannot keep a state in %s (%s): name a directory with --statedir, or "
		 "start with --no-state", dir, strerror(errno));
	return -1;
}

void state_close(struct state *s)
{
	if (s->fd >= 0) {
		close(s->fd);
		close(s->dir_fd);
	}
	s->fd = -1;
	text_done(&s->pending);
}

bool state_is_empty(const struct state *s)
{
	struct stat st;

	return s->fd < 0 || fstat(s->fd, &st) < 0 || st.st_size == 0;
}

/* --- replay ---------------------------------------------------------------------------------- */

/* A line that failed: of no interest if what it was about is deleted by a later one. */
struct failure {
	struct list node;
	unsigned int line;
	char *words; /* each with its NUL */
	size_t len;
	char why[512];
};

static bool is_about(const struct failure *f, const char *name)
{
	for (size_t at = 0; at < f->len; at += strlen(f->words + at) + 1)
		if (!strcmp(f->words + at, name))
			return true;
	return false;
}

static void failure_free(struct failure *f)
{
	list_remove(&f->node);
	free(f->words);
	free(f);
}

static void note_failure(struct list *failures, unsigned int line, int n, char **words,
			 const char *why)
{
	struct failure *f = calloc(1, sizeof(*f));
	struct text t = {0};

	for (int i = 0; i < n; i++)
		text_append(&t, words[i], strlen(words[i]) + 1);
	if (!f || t.failed) {
		vlog(VLM_STATE, VLL_WARN, "line %u of the state could not be restored: %s", line, why);
		text_done(&t);
		free(f);
		return;
	}
	f->line = line;
	f->words = t.s;
	f->len = t.len;
	snprintf(f->why, sizeof(f->why), "%s", why);
	list_append(failures, &f->node);
}

static void forget_deleted(struct list *failures, const char *name)
{
	list_for_each_safe (f, failures, struct failure, node)
		if (is_about(f, name))
			failure_free(f);
}

/* Tells what is left; how many. */
static int tell_failures(struct list *failures, const char *path)
{
	int n = 0;

	list_for_each_safe (f, failures, struct failure, node) {
		vlog(VLM_STATE, VLL_WARN, "%s, line %u could not be restored: %s", path, f->line, f->why);
		failure_free(f);
		n++;
	}
	return n;
}

/* "link del [dev] NAME": the name, or NULL. */
static const char *deleted_one(int n, char **words)
{
	return n >= 3 && !strcmp(words[0], "link") && !strcmp(words[1], "del") ? words[n - 1] : NULL;
}

static void replay_line(char *line, unsigned int number, struct list *failures, state_line_fn *fn,
			void *ctx)
{
	char *words[LINE_WORDS_MAX + 1], why[512];
	const char *bad = "", *deleted;
	int n = line_split(line, words, LINE_WORDS_MAX, &bad), r;

	if (n == 0)
		return;
	snprintf(why, sizeof(why), "%s", bad);
	if (n > 0)
		words[n] = NULL;
	r = n < 0 ? n : fn(ctx, n, words, why, sizeof(why));
	deleted = deleted_one(n, words);
	if (deleted)
		forget_deleted(failures, deleted);
	else if (r < 0)
		note_failure(failures, number, n, words, why);
}

/* --- up and down -------------------------------------------------------------------------------
 * Interfaces were left on the host as they were: one that is replayed up and down again would lose
 * what the host drops with it, its IPv6 addresses. */

enum { LOOK_AHEAD = 4096 };

/* "link set [dev] NAME up|down": the name and its length, or NULL. */
static const char *flips(const char *line, size_t *len)
{
	static const char start[] = "link set ";
	const char *name, *end;

	if (strncmp(line, start, sizeof(start) - 1))
		return NULL;
	name = line + sizeof(start) - 1;
	if (!strncmp(name, "dev ", 4))
		name += 4;
	*len = strcspn(name, " \n");
	end = name + *len;
	return !strcmp(end, " up\n") || !strcmp(end, " down\n") ? name : NULL;
}

static bool names(const char *line, const char *name, size_t len)
{
	for (const char *at = line; (at = strchr(at, ' ')); at++)
		if (!strncmp(at + 1, name, len) && strchr(" \n", at[1 + len]))
			return true;
	return false;
}

/* The next line that is about this device, but for its FDB, sets it up or down once more. */
static bool is_overtaken(char *const *lines, size_t i, size_t n)
{
	size_t len, other;
	const char *name = flips(lines[i], &len);

	for (size_t k = i + 1; name && k < n && k <= i + LOOK_AHEAD; k++)
		if (strncmp(lines[k], "fdb ", 4) && names(lines[k], name, len))
			return flips(lines[k], &other) != NULL;
	return false;
}

/* --- the file ---------------------------------------------------------------------------------- */

struct lines {
	char **line; /* with their newlines; "": one that is no text */
	size_t n, room;
	bool torn; /* there is one more, which is not whole */
};

static void lines_free(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->line[i]);
	free(l->line);
}

static int add_line(struct lines *l, char *line)
{
	if (l->n == l->room) {
		char **more = realloc(l->line, (l->room + 256) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->line = more;
		l->room += 256;
	}
	l->line[l->n++] = line;
	return 0;
}

/* All of the file, or a negative errno: of a part a shorter state would be made. */
static int read_lines(const char *path, struct lines *l)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int r = 0;

	*l = (struct lines){0};
	if (!f)
		return -errno;
	while (r == 0 && !l->torn && (errno = 0, len = getline(&line, &size, f)) > 0) {
		l->torn = line[len - 1] != '\n';
		if (l->torn)
			break;
		if (strlen(line) != (size_t)len)
			*line = 0;
		r = add_line(l, line);
		line = r < 0 ? line : NULL;
		size = 0;
	}
	if (r == 0 && !l->torn && !feof(f))
		r = errno ? -errno : -EIO;
	free(line);
	fclose(f);
	if (r < 0)
		lines_free(l);
	return r;
}

int state_replay(struct state *s, state_line_fn *fn, void *ctx)
{
	struct list failures;
	struct lines l;
	int failed = read_lines(s->path, &l);

	if (failed < 0)
		return failed;
	list_init(&failures);
	s->replaying = true;
	for (size_t i = 0; i < l.n; i++) {
		if (!*l.line[i])
			note_failure(&failures, (unsigned)i + 1, 0, NULL, "it is no text");
		else if (!is_overtaken(l.line, i, l.n))
			replay_line(l.line[i], (unsigned)i + 1, &failures, fn, ctx);
	}
	if (l.torn)
		vlog(VLM_STATE, VLL_WARN, "%s, line %u is torn and was ignored", s->path,
		     (unsigned)l.n + 1);
	lines_free(&l);
	failed = tell_failures(&failures, s->path);
	s->replaying = false;
	return failed;
}

static int write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return fdatasync(fd) < 0 ? -errno : 0;
}

/* The name of a file is as durable as its bytes only then. */
static int sync_dir_of(const char *path)
{
	char dir[PATH_MAX];
	int fd, r;

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = 0;
	fd = open(*dir ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
	close(fd);
	return r;
}

/* Told when it begins and when it ends, not at each change in between. */
static int tell_written(struct state *s, int r)
{
	if (r < 0 && !s->failing)
		vlog(VLM_STATE, VLL_WARN,
		     "cannot write %s: %s; what is changed from now on is lost at the next start, "
		     "unless it can be written later", s->path, strerror(-r));
	else if (r == 0 && s->failing)
		vlog(VLM_STATE, VLL_INFO, "%s is written again", s->path);
	s->failing = r < 0;
	return r;
}

int state_compact(struct state *s, struct vx *vx)
{
	char tmp[PATH_MAX + 8];
	struct text t = {0};
	int fd, r;

	if (s->fd < 0)
		return 0;
	text_append(&t, head, sizeof(head) - 1);
	canon_all(&t, vx);
	if (s->more)
		s->more(s->ctx, &t);
	snprintf(tmp, sizeof(tmp), "%s.new", s->path);
	fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : t.failed ? -ENOMEM : write_all(fd, t.s, t.len);
	text_done(&t);
	if (r == 0 && rename(tmp, s->path) < 0)
		r = -errno;
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		unlink(tmp);
		return tell_written(s, r);
	}
	tell_written(s, 0);
	close(s->fd);
	s->fd = fd;
	r = sync_dir_of(s->path); /* it is there in any case, but for a crash of the host just now */
	if (r < 0)
		vlog_limited(VLM_STATE, VLL_WARN, "cannot sync the directory of %s: %s", s->path,
			     strerror(-r));
	return 0;
}

void state_commit(struct state *s)
{
	int r;

	if (!s || s->fd < 0 || (!s->pending.len && !s->stale))
		return;
	if (s->stale) {
		text_clear(&s->pending);
		s->stale = state_compact(s, s->vx) < 0; /* the next commit tries again */
		return;
	}
	r = s->pending.failed ? -ENOMEM : write_all(s->fd, s->pending.s, s->pending.len);
	s->stale = tell_written(s, r) < 0; /* a part of a line may be there */
	text_clear(&s->pending);
	s->pending.failed = false;
}

void state_keep_copy(struct state *s)
{
	char path[PATH_MAX + 8], buf[16384];
	int from = open(s->path, O_RDONLY | O_CLOEXEC), to, r = 0;
	ssize_t n = 0;

	snprintf(path, sizeof(path), "%s.bad", s->path);
	to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (from < 0 || to < 0)
		r = -errno;
	while (r == 0 && (n = read(from, buf, sizeof(buf))) > 0)
		r = write_all(to, buf, (size_t)n);
	if (r == 0 && n < 0)
		r = -errno;
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	if (r < 0)
		vlog(VLM_STATE, VLL_WARN, "cannot keep a copy as %s: %s", path, strerror(-r));
	else
		vlog(VLM_STATE, VLL_INFO, "the state as it was is kept as %s", path);
}
