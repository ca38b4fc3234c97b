/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: what its commands share. */
#ifndef VX_VX_VX_H
#define VX_VX_VX_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/rundir.h"
#include "vx/nl.h"

struct vx_cli {
	bool json, detail, stats;
	bool all_detail, all_stats; /* -d -d, -s -s */
	bool force;
	const char *preload; /* of vx exec; NULL: where it is installed */
	char rundir[RUNDIR_MAX];
	struct nl nl;
	bool connected;
};

/* Each returns the exit code.  argv[0] is the word after the object ("show"). */
int cmd_link_show(struct vx_cli *c, int argc, char **argv);
int cmd_fdb_show(struct vx_cli *c, int argc, char **argv);
int cmd_fdb_get(struct vx_cli *c, int argc, char **argv);
int cmd_inet_show(struct vx_cli *c, int argc, char **argv); /* argv[0]: addr, route, neigh */
int cmd_monitor(struct vx_cli *c, int argc, char **argv);
int cmd_ping(struct vx_cli *c, int argc, char **argv);
int cmd_udp(struct vx_cli *c, int argc, char **argv);
int cmd_check(struct vx_cli *c, int argc, char **argv);
int cmd_drops(struct vx_cli *c, int argc, char **argv);
int cmd_unixctl(struct vx_cli *c, int argc, char **argv); /* prints the answer as it is */

/* Connects to vxd.nl once; false: told on stderr. */
bool cli_connect(struct vx_cli *c);
/* A command on vxd.ctl: text (free()), or NULL and told on stderr. */
char *cli_call(struct vx_cli *c, int argc, const char *argv[]);
void print_json(json_t *j); /* as iproute2: one line; frees j */
void print_fdb(struct vx_cli *c, const struct nlmsghdr *nlh, bool with_dev, bool monitor);
void print_link(struct vx_cli *c, const struct nlmsghdr *nlh);
int cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* returns 255 */

#endif
