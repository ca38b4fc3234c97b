/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vxd's end of the pair: struct io_open by requests to the helper, one at a time, from any thread.
 *
 * Without the helper (it was killed) what is open goes on.  A UDP socket is then opened here, with
 * what everybody may; all else is refused with -EPIPE, and one line on stderr said why.
 */
#ifndef VX_VXD_HELPER_CLIENT_H
#define VX_VXD_HELPER_CLIENT_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "io/open.h"
#include "vxd/helper.h"

struct helper_client {
	int sock; /* ready (EPOLLHUP) when the helper has ended: helper_check() */
	pid_t pid;
	pthread_mutex_t lock;
	uint32_t seq;
	_Atomic bool lost;
	struct io_open open;
};

/* Forks the helper and waits until it is ready.  Before any thread, and before this process gives
 * up its privileges.  0 or a negative errno. */
int helper_start(struct helper_client *c, const struct helper_config *cfg);
/* All that a former vxd left has been taken over: what else its helper held goes. */
void helper_settled(struct helper_client *c);
void helper_check(struct helper_client *c);
/* A clean stop: the helper is gone when it returns, and holds nothing. */
void helper_stop(struct helper_client *c);

#endif
