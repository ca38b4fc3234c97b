/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VX_VX_EXPLAIN_H
#define VX_VX_EXPLAIN_H

#include "vx/vx.h"

int cmd_explain(struct vx_cli *c, int argc, char **argv);
/* Prints one trace (explain_json() with texts) as the options say; frees it. */
void explain_print(struct vx_cli *c, json_t *trace);
/* The same code over a capture: no daemon, no privilege.  Exit code. */
int explain_offline(struct vx_cli *c, const char *config, const char *capture, const char *where,
		    const char *reason, const char *expr);

#endif
