/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a packet that was not there: what the bridges of a datapath say of it while it is
 * translated (pkt/note.h), as ofproto/trace prints it.  Control's thread.
 */
#ifndef VX_OVS_TRACE_H
#define VX_OVS_TRACE_H

#include "base/text.h"
#include "ofproto/dpif.h"

struct trace_request {
	struct dpif *d;
	const char *bridge; /* key.in_port is a port of this one; NULL: one of the datapath */
	struct flow_key key;
	bool learn; /* else nothing changes */
	bool names; /* ports by name */
};

/* 0 and the report, or -EINVAL and why there is none. */
int trace_run(struct trace_request *r, struct text *out);

#endif
