/* SPDX-License-Identifier: Apache-2.0 */
#include "io/testing.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SKIPPED = 77 };

static void skip(const char *why)
{
	puts(why);
	exit(SKIPPED);
}

void io_test_enter(char **argv, const char *command, const char *lacks)
{
	if (geteuid() == 0 && unshare(CLONE_NEWNET) == 0) {
		if (system(command) != 0)
			skip(lacks);
		return;
	}
	if (getenv("VX_TEST_UNSHARED"))
		skip("no network namespace of our own");
	setenv("VX_TEST_UNSHARED", "1", 1);
	execlp("unshare", "unshare", "-Urnm", argv[0], NULL);
	skip("unshare(1) is missing");
}
