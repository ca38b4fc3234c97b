/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ovs-appctl asks an ovs-vswitchd (ovs.md 4.3), answered from the bridges that are there, in
 * 3.1's words.  Each file appctl_NAME.c adds the commands of one group.  Within ovs/; control's
 * thread.
 */
#ifndef VX_OVS_APPCTL_H
#define VX_OVS_APPCTL_H

#include "base/text.h"
#include "ovs/model.h"
#include "rpc/unixctl.h"

void appctl_add_ofproto(struct unixctl_server *s, struct ovs *o); /* ofproto/... */
void appctl_add_trace(struct unixctl_server *s, struct ovs *o);	  /* ofproto/trace */

/* The bridge of that name that is open; NULL: there is none. */
struct bridge *appctl_bridge(struct ovs *o, const char *name);
/* Answers with the text, and frees it. */
void appctl_reply(struct unixctl_conn *c, struct text *t);

#endif
