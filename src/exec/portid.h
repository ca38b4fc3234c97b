/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Port ids, which tell netlink sockets apart: the first socket of a process has its pid, as from
 * the kernel, the others the top bit, the pid and a count.
 *
 * All under the lock of the table (fdtable.h).
 */
#ifndef PORTID_H
#define PORTID_H

#include "real.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether a led socket of this process has it. */
bool portid_in_use(uint32_t port);

/* One that no socket has, the pid if it can be; 0 if all are in use. */
uint32_t portid_first(void);
/* One that no socket has and that is not the pid, which a socket of the program's may want; 0 if
 * all are in use. */
uint32_t portid_other(void);

#endif
