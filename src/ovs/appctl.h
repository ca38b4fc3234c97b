/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ovs-appctl asks an ovs-vswitchd (ovs.md 4.3), answered from the bridges that are there, in
 * 3.1's words.  Each file appctl_NAME.c adds the commands of one group.  Within ovs/; control's
 * thread.
 */
#ifndef VX_OVS_APPCTL_H
#define VX_OVS_APPCTL_H

#include "base/text.h"
#include "ofproto/dpif.h"
#include "ovs/model.h"
#include "rpc/unixctl.h"

void appctl_add_coverage(struct unixctl_server *s, struct ovs *o); /* coverage/... */
void appctl_add_dpctl(struct unixctl_server *s, struct ovs *o);	   /* dpctl/... */
void appctl_add_dpif(struct unixctl_server *s, struct ovs *o);	   /* dpif/... */
void appctl_add_fdb(struct unixctl_server *s, struct ovs *o);	   /* fdb/... */
void appctl_add_ofproto(struct unixctl_server *s, struct ovs *o);  /* ofproto/..., bridge/... */
void appctl_add_trace(struct unixctl_server *s, struct ovs *o);	   /* ofproto/trace */
void appctl_add_tnl(struct unixctl_server *s, struct ovs *o);	   /* tnl/..., ovs/route/... */
void appctl_add_unused(struct unixctl_server *s, struct ovs *o);   /* of what there is not */
void appctl_add_upcall(struct unixctl_server *s, struct ovs *o);   /* and revalidator, memory */
/* Answers who waited for a revalidation that is done by now; who waits still, at the end. */
void appctl_upcall_run(struct ovs *o);
void appctl_upcall_exit(struct ovs *o);

int appctl_coverage_init(struct ovs *o); /* 0 or -ENOMEM */
/* Takes over what has been counted; before a counter is set to zero, and after. */
void appctl_coverage_take(struct ovs *o);
/* Returns when it wants to be called again. */
uint64_t appctl_coverage_run(struct ovs *o, uint64_t now);

/* The bridge of that name that is open; NULL: there is none. */
struct bridge *appctl_bridge(struct ovs *o, const char *name);
/* The open bridge, on that datapath (NULL: any), that follows 'prev' in order of name; NULL before
 * the first, and behind the last. */
struct bridge *appctl_next_bridge(struct ovs *o, const struct dpif *d, const struct bridge *prev);
/* The same of datapaths in use, in order of type. */
struct dpif *appctl_next_dpif(struct ovs *o, const struct dpif *prev);
/* What ovs-appctl calls a port's type: internal ones are TAPs in a datapath of type netdev. */
const char *appctl_port_type(const struct dpif *d, const char *type);

struct appctl_ports {
	struct ofproto_port_view *v;
	size_t n, size;
	bool failed; /* memory */
};
/* A bridge's ports in order of name; their names are good until ports change. */
void appctl_ports_init(struct appctl_ports *ports, struct bridge *b);
void appctl_ports_done(struct appctl_ports *ports);

/* Is it --names or --no-names?  Then *names is 1 or 0; -1 before: nothing was said. */
bool appctl_take_names(const char *word, int *names);
/* FORMAT_NAMES or 0: without a word ports have names where everything is shown (-m). */
uint32_t appctl_names(int names, uint32_t flags);
/* Answers with the text, and frees it. */
void appctl_reply(struct unixctl_conn *c, struct text *t);

#endif
