/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of flows as text: a bridge that has port 7, "h0". */
#ifndef VX_OVS_TESTING_H
#define VX_OVS_TESTING_H

#include "ovs/flow_text.h"

static inline bool t_find_h0(void *ctx, const char *name, uint16_t *no)
{
	(void)ctx;
	*no = 7;
	return !strcmp(name, "h0");
}

static inline const char *t_name_h0(void *ctx, uint16_t no)
{
	(void)ctx;
	return no == 7 ? "h0" : NULL;
}

static const struct flow_ports ports = {.find = t_find_h0, .name = t_name_h0};

#endif
