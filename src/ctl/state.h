/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state file (spec/control.md 5): canonical words of what was accepted, one line each,
 * appended and synced before the answer leaves; replayed and compacted at a start.
 */
#ifndef VX_CTL_STATE_H
#define VX_CTL_STATE_H

#include <limits.h>
#include <stdbool.h>

#include "base/text.h"

struct vx;

struct state {
	int fd; /* -1: none is kept */
	int dir_fd; /* locks the directory */
	char path[PATH_MAX];
	struct text pending; /* lines since the last commit */
	bool replaying;	     /* nothing is recorded meanwhile */
	bool failing;	     /* it cannot be written; that was told */
	bool stale;	     /* the next commit writes the model as it is instead */
	struct vx *vx;	     /* the model; set by the owner */
	/* Appends what the model does not hold (rules); NULL: nothing. */
	void (*more)(void *ctx, struct text *t);
	void *ctx;
};

/* Finds the directory ('asked' may be NULL), opens or makes vxd.state in it.
 * -1 and *why; -EBUSY: another vxd has it. */
int state_open(struct state *s, const char *asked, char *why, size_t size);
void state_close(struct state *s);
bool state_is_empty(const struct state *s);
typedef int state_line_fn(void *ctx, int argc, char **argv, char *why, size_t size);
/* Runs each line by fn (as lines_run()).  A line that fails is told on stderr and kept out, unless a
 * later one deletes what it is about; a torn last line, which nobody was told of, is ignored and told.
 * Returns how many lines failed, or a negative errno: the file cannot be read, nothing was run. */
int state_replay(struct state *s, state_line_fn *fn, void *ctx);
/* Keeps the file, of which not all could be restored, under another name; told on stderr. */
void state_keep_copy(struct state *s);
/* Writes the model as it is in place of all lines. */
int state_compact(struct state *s, struct vx *vx);
/* Writes and syncs what is pending; told on stderr when it fails. */
void state_commit(struct state *s);
/* Where a caller adds its line; NULL: nothing is recorded now. */
static inline struct text *state_text(struct state *s)
{
	return s && s->fd >= 0 && !s->replaying ? &s->pending : 0;
}

#endif
