/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of a vxd: run directory, vxd.nl, vxd.ctl, vxd.pid. */
#ifndef VX_VXD_SERVICE_H
#define VX_VXD_SERVICE_H

#include "ctl/rtnl.h"
#include "ctl/rundir.h"
#include "rpc/unixctl.h"
#include "vxd/loop.h"

/* A socket that clients come to. */
struct service_socket {
	struct loop_source src;
	struct service *s;
	struct unixctl_server *ctl; /* NULL: netlink */
	char path[RUNDIR_MAX + 40];
};

enum { SERVICE_SOCKETS = 3 };

struct service {
	struct loop *loop;
	struct rtnl *rtnl;
	char dir[RUNDIR_MAX];
	int pid_fd;
	int spare_fd; /* turns clients away where there is no other */
	struct service_socket sockets[SERVICE_SOCKETS];
	uint32_t n_sockets;
	struct list clients;
};

/* Takes the run directory: -1 and *why if another vxd has it or it cannot be made. */
int service_lock(struct service *s, const char *asked, char *why, size_t why_size);
int service_listen(struct service *s, struct loop *loop, struct rtnl *rtnl,
		   struct unixctl_server *ctl);
/* Another socket for commands; after service_listen().  0 or a negative errno. */
int service_add_unixctl(struct service *s, const char *path, struct unixctl_server *ctl);
/* Writes what waits for slow readers, serves who was answered at last; called after each round. */
bool service_flush(struct service *s); /* true: a client was served */
/* Closes all connections: before what they belong to (rtnl, unixctl) goes. */
void service_close_clients(struct service *s);
/* Nobody comes any more: the sockets and their names go. */
void service_close_sockets(struct service *s);
void service_done(struct service *s); /* removes the sockets and the pid file */

#endif
