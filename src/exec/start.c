/* SPDX-License-Identifier: Apache-2.0 */
/* What is done before the first call; start.h holds the contract. */
#include "start.h"

#include "channel.h"
#include "fdtable.h"

#include <pthread.h>

static void start_once(void)
{
	real_start();
	channel_start();
	fdtable_start();
}

void start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start_once);
}

/* At load, before the program can change its environment. */
__attribute__((constructor)) static void at_load(void)
{
	start();
}

struct led *start_led(int fd)
{
	start();
	return fdtable_get(fd);
}
