/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/rundir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Candidate number i; false after the last.  One that was asked for is the only one. */
static bool candidate(const char *asked, int i, char *dir)
{
	const char *env = getenv("VX_RUNDIR"), *xdg = getenv("XDG_RUNTIME_DIR"),
		   *tmp = getenv("TMPDIR");

	if (!asked && env && *env)
		asked = env;
	if (asked) {
		snprintf(dir, RUNDIR_MAX, "%s", asked);
		return i == 0;
	}
	if (i == 0)
		snprintf(dir, RUNDIR_MAX, "/run/vx");
	else if (i == 1)
		snprintf(dir, RUNDIR_MAX, "%s/vx", xdg && *xdg ? xdg : "/run/vx");
	else
		snprintf(dir, RUNDIR_MAX, "%s/vx-%u", tmp && *tmp ? tmp : "/tmp", (unsigned)getuid());
	return i < 3;
}

/* A folder of the user's own in a place where anybody may write is 0700 and his. */
static bool usable(const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return false;
	if (lstat(dir, &st) < 0)
		return false;
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return false;
	}
	if (st.st_uid != getuid() && strncmp(dir, "/run/", 5)) {
		errno = EPERM;
		return false;
	}
	return access(dir, W_OK | X_OK) == 0;
}

int rundir_make(const char *asked, char *dir, const char **why)
{
	if ((asked && strlen(asked) >= RUNDIR_MAX)) {
		*why = "the path is too long for a socket";
		snprintf(dir, RUNDIR_MAX, "%s", asked);
		return -1;
	}
	for (int i = 0; candidate(asked, i, dir); i++)
		if (usable(dir))
			return 0;
	candidate(asked, 0, dir);
	*why = strerror(errno);
	return -1;
}

void rundir_find(const char *asked, char *dir)
{
	char path[RUNDIR_MAX + 16], first[RUNDIR_MAX];

	candidate(asked, 0, first);
	for (int i = 0; candidate(asked, i, dir); i++) {
		snprintf(path, sizeof(path), "%s/vxd.nl", dir);
		if (access(path, F_OK) == 0)
			return;
	}
	memcpy(dir, first, RUNDIR_MAX);
}
