/* SPDX-License-Identifier: Apache-2.0 */
/* Reasons for a drop; drop_list.h is the list. */
#ifndef VX_PKT_DROP_H
#define VX_PKT_DROP_H

enum drop {
	DROP_NONE = 0, /* not dropped */
#define DROP(id, kernel, counters, text, advice) DROP_##id,
#include "pkt/drop_list.h"
#undef DROP
	DROP_COUNT
};

struct drop_info {
	const char *name;   /* as in `vx drops` */
	const char *kernel; /* Linux's SKB_DROP_REASON_..., or "" */
	const char *counters; /* of the device, that it moves; or "" */
	const char *text;
	const char *advice; /* what to change, with {words} to fill in; or "" */
};

extern const struct drop_info drop_infos[DROP_COUNT];

#endif
