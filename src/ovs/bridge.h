/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Open_vSwitch database asks for, made: bridges, ports, interfaces (ovs.md 2 and 6.2).
 *
 * Control's thread.  The owner's loop polls bridge_fd() for reading until the deadline and calls
 * bridge_run().
 */
#ifndef VX_OVS_BRIDGE_H
#define VX_OVS_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ovs;
struct unixctl_server;
struct vx;

struct ovs_config {
	struct vx *vx;
	const char *remote, *rundir; /* as ovsdb_idl_config has them */
};

/* 0, or a negative errno and why. */
int bridge_init(struct ovs **ovs, const struct ovs_config *cfg, char *why, size_t why_size);
/* 'cleanup' takes away what is on the host, too. */
void bridge_exit(struct ovs *ovs, bool cleanup);
int bridge_fd(const struct ovs *ovs);
void bridge_run(struct ovs *ovs, uint64_t now);
/* Lowers *deadline to when bridge_run() has to be called. */
void bridge_wait(const struct ovs *ovs, uint64_t now, uint64_t *deadline);
/* The first configuration is done and told to the database, or there is nothing to configure. */
bool bridge_is_ready(const struct ovs *ovs);
/* Does the database ask for an interface of that name, whether it can be had or not? */
bool bridge_wants(const struct ovs *ovs, const char *name);
/* A link of the host's came, went or changed: what could not be opened may be there now. */
void bridge_links_changed(struct ovs *ovs); /* NULL is fine */
/* Adds the commands that ovs-appctl knows (ovs/appctl); nobody calls them after bridge_exit(). */
void bridge_add_commands(struct ovs *ovs, struct unixctl_server *s);
/* Those that only "vx" asks. */
void bridge_add_own_commands(struct ovs *ovs, struct unixctl_server *s);

#endif
