/* SPDX-License-Identifier: Apache-2.0 */
/* Port ids; portid.h holds the contract. */
#include "portid.h"

#include "fdtable.h"
#include "led.h"

#include <unistd.h>

enum { SEQ_BITS = 9, PID_MASK = (1 << 22) - 1 }; /* pid_max is at most 2^22 */

bool portid_in_use(uint32_t port)
{
	struct led *l;

	for (int fd = 0; (l = fdtable_next(&fd)); fd++)
		if (l->port == port)
			return true;
	return false;
}

static uint32_t own_pid(void)
{
	return (uint32_t)getpid() & PID_MASK;
}

uint32_t portid_first(void)
{
	return portid_in_use(own_pid()) ? portid_other() : own_pid();
}

uint32_t portid_other(void)
{
	static uint32_t last;

	for (int tries = 1 << SEQ_BITS; tries; tries--) {
		uint32_t seq = last++ % (1 << SEQ_BITS);
		uint32_t port = 1u << 31 | own_pid() << SEQ_BITS | seq;

		if (!portid_in_use(port))
			return port;
	}
	return 0;
}
