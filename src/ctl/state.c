/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/canon.h"
#include "ctl/lines.h"

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

int state_open(struct state *s, const char *asked, char *why, size_t size)
{
	char dir[PATH_MAX - 16];

	*s = (struct state){.fd = -1};
	for (int i = 0; candidate(asked, i, dir, sizeof(dir)); i++) {
		if (!make_dir(dir))
			continue;
		snprintf(s->path, sizeof(s->path), "%s/vxd.state", dir);
		s->fd = open(s->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (s->fd >= 0)
			return 0;
	}
	candidate(asked, 0, dir, sizeof(dir));
	snprintf(why, size, "cannot keep a state in %s (%s): name a directory with --statedir, or "
		 "start with --no-state", dir, strerror(errno));
	return -1;
}

void state_close(struct state *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	text_done(&s->pending);
}

bool state_is_empty(const struct state *s)
{
	struct stat st;

	return s->fd < 0 || fstat(s->fd, &st) < 0 || st.st_size == 0;
}

int state_replay(struct state *s,
		 int (*fn)(void *ctx, int argc, char **argv, char *why, size_t size), void *ctx)
{
	FILE *f = fopen(s->path, "re");
	char *line = NULL, *words[LINE_WORDS_MAX + 1], why[512];
	unsigned int number = 0;
	size_t size = 0;
	int done = 0;
	ssize_t n;

	s->replaying = true;
	while (f && (n = getline(&line, &size, f)) >= 0) {
		const char *bad = "";
		int k;

		number++;
		if (n && line[n - 1] != '\n') {
			fprintf(stderr, "vxd: %s, line %u is torn and was ignored\n", s->path, number);
			break;
		}
		k = line_split(line, words, LINE_WORDS_MAX, &bad);
		if (k == 0)
			continue;
		snprintf(why, sizeof(why), "%s", bad);
		if (k > 0)
			words[k] = NULL;
		if (k < 0 || fn(ctx, k, words, why, sizeof(why)) < 0)
			fprintf(stderr, "vxd: %s, line %u could not be restored: %s\n", s->path,
				number, why);
		else
			done++;
	}
	if (f)
		fclose(f);
	free(line);
	s->replaying = false;
	return done;
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
		fprintf(stderr, "vxd: cannot compact %s: %s\n", s->path, strerror(-r));
		return r;
	}
	close(s->fd);
	s->fd = fd;
	return 0;
}

void state_commit(struct state *s)
{
	int r;

	if (!s || s->fd < 0 || (!s->pending.len && !s->stale))
		return;
	if (s->stale) {
		s->stale = false;
		text_clear(&s->pending);
		state_compact(s, s->vx);
		return;
	}
	r = s->pending.failed ? -ENOMEM : write_all(s->fd, s->pending.s, s->pending.len);
	if (r < 0)
		fprintf(stderr, "vxd: cannot write %s: %s; what was changed now is lost at the next "
			"start\n", s->path, strerror(-r));
	text_clear(&s->pending);
	s->pending.failed = false;
}
