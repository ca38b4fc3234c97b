/* SPDX-License-Identifier: Apache-2.0 */
#include "pkt/drop.h"

const struct drop_info drop_infos[DROP_COUNT] = {
	[DROP_NONE] = {"none", "", "not dropped", ""},
#define DROP(id, kernel, text, advice) [DROP_##id] = {#id, kernel, text, advice},
#include "pkt/drop_list.h"
#undef DROP
};
