/* SPDX-License-Identifier: Apache-2.0 */
#include "net/mib.h"

const char *const mib_names[MIB_COUNT] = {
#define MIB(name) [MIB_##name] = #name,
#include "net/mib_list.h"
#undef MIB
};
