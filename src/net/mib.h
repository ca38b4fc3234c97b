/* SPDX-License-Identifier: Apache-2.0 */
/* MIB counters of vx's own stack, per worker, under the kernel's names (`vx nstat`). */
#ifndef VX_NET_MIB_H
#define VX_NET_MIB_H

#include <stdint.h>

enum mib_counter {
#define MIB(name) MIB_##name,
#include "net/mib_list.h"
#undef MIB
	MIB_COUNT
};

struct mib {
	uint64_t c[MIB_COUNT];
};

extern const char *const mib_names[MIB_COUNT];

#define MIB_INC(w, name) ((w)->mib.c[MIB_##name]++)
#define MIB_ADD(w, name, n) ((w)->mib.c[MIB_##name] += (n))

#endif
