/* SPDX-License-Identifier: Apache-2.0 */
#include "pkt/drop.h"

const struct drop_info drop_infos[DROP_COUNT] = {
	[DROP_NONE] = {"none", "", "", "not dropped", ""},
#define DROP(id, kernel, counters, text, advice) [DROP_##id] = {#id, kernel, counters, text, advice},
#include "pkt/drop_list.h"
#undef DROP
};
