/* SPDX-License-Identifier: Apache-2.0 */
/* Options of a bridge, with IFLA_BR_*'s numbers and iproute2's words. */
#ifndef VX_BRIDGE_OPTIONS_H
#define VX_BRIDGE_OPTIONS_H

#include "net/attr.h"

enum { BRIDGE_REFUSED_MAX = 32 };

struct bridge_opts {
	uint32_t ageing_time; /* centiseconds */
	uint32_t fdb_max_learned; /* 0: the cap */
	bool fdb_flush;
	uint32_t refused[BRIDGE_REFUSED_MAX]; /* what is not built; only the defaults are taken */
};

enum bridge_attr { BRA_AGEING_TIME, BRA_FDB_MAX_LEARNED, BRA_FDB_FLUSH, BRA_FIRST_REFUSED };

#define BRA_BIT(a) (1ull << (a))

extern const struct attr_set bridge_attrs;

#endif
