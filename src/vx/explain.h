/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VX_VX_EXPLAIN_H
#define VX_VX_EXPLAIN_H

#include "vx/vx.h"

struct pcapng;

/* Where explanations go: to standard output, or into a capture as comments of their packets. */
struct explain_out {
	struct vx_cli *c;
	struct pcapng *file; /* NULL: standard output */
	unsigned long long written;
	int err; /* of the file */
};

int cmd_explain(struct vx_cli *c, int argc, char **argv);
/* One trace (of explain_json()); frees it. */
void explain_put(struct explain_out *out, json_t *trace);
/* The same code over a capture: no daemon, no privilege.  Exit code. */
int explain_offline(struct explain_out *out, const char *config, const char *capture,
		    const char *where, const char *reason, const char *expr);

#endif
