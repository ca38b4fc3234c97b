/* SPDX-License-Identifier: Apache-2.0 */
/* vx_exec() alone, for exec_test.sh: VX_TEST_NL and VX_PRELOAD name the socket and the object. */
#include "vx/exec.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	const char *nl = getenv("VX_TEST_NL"), *preload = getenv("VX_PRELOAD");

	if (argc < 2 || !nl || !preload) {
		fputs("usage: VX_TEST_NL=PATH VX_PRELOAD=PATH driver CMD...\n", stderr);
		return 2;
	}
	return vx_exec(nl, preload, argv + 1);
}
