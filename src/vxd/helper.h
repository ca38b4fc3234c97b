/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The helper: a process beside vxd that has the privileges, and does only what helper_proto.h
 * lists.  Forked before vxd opens anything or has a thread.
 *
 * It ends with vxd.  After a crash it stays for --linger seconds, holding the TAPs' queues, so that
 * the host sees no loss of carrier and keeps its neighbours (spec/stack.md W9); sockets are vxd's
 * alone and close with it.
 */
#ifndef VX_VXD_HELPER_H
#define VX_VXD_HELPER_H

#include <stdbool.h>
#include <stdint.h>

struct helper_config {
	const char *dir; /* the run directory: vxd.helper is there */
	uint32_t linger; /* seconds; 0: nothing is held */
	bool quiet;	 /* nobody will read stderr: complaints go to err_fd, if that is one */
	int err_fd;
	bool chdir; /* to "/": it keeps no directory from being unmounted */
};

/* The helper's life on its end of the pair; called in the child. */
_Noreturn void helper_main(int sock, const struct helper_config *cfg);

#endif
