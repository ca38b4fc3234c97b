/* SPDX-License-Identifier: Apache-2.0 */
/* vx's side of vxd.nl: requests, answers, names of devices. */
#ifndef VX_VX_NL_H
#define VX_VX_NL_H

#include <libmnl/libmnl.h>
#include <stdint.h>

enum { NL_EXIT = 2 }; /* exit code of what vxd refused (ip's); bridge's is 255 */

struct nl {
	int fd;
	uint32_t seq;
	char error[512]; /* why the last call failed, as ip prints it */
};

/* 0, or -1 with n->error: vxd does not run, no permission. */
int nl_open(struct nl *n, const char *rundir);
void nl_close(struct nl *n);
/* Sends nlh and hands each message of the answer to cb (may be NULL; returns MNL_CB_OK).
 * 0; -1 with n->error. */
int nl_talk(struct nl *n, struct nlmsghdr *nlh, mnl_cb_t cb, void *data);
/* Joins notification groups (bits as of nl_groups), then hands on messages until the end. */
int nl_monitor(struct nl *n, uint32_t groups, mnl_cb_t cb, void *data);
/* Index by name, 0 if unknown; name by index ("ifN" if it was never known). */
uint32_t nl_ifindex(void *ctx, const char *name);
const char *nl_ifname(struct nl *n, uint32_t ifindex, char *buf);

#endif
