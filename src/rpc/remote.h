/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a server is, as Open vSwitch's programs write it: unix:PATH, tcp:ADDRESS[:PORT], and
 * several with commas between them (ovs.md 1.1).  An address is a number: names would have to wait
 * for a resolver.
 */
#ifndef VX_RPC_REMOTE_H
#define VX_RPC_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { REMOTE_PORT = 6640, REMOTES_MAX = 16 };

struct remote {
	char *name; /* as written */
	struct sockaddr_storage sa;
	socklen_t sa_len;
	bool probes; /* by default: where a peer can vanish without a word */
};

struct remotes {
	struct remote r[REMOTES_MAX];
	size_t n;
};

/* A relative PATH is taken relative to 'rundir' (NULL: as it is).  0, -EINVAL and why, or -ENOMEM.
 */
int remotes_parse(struct remotes *rs, const char *text, const char *rundir, char *why,
		  size_t why_size);
void remotes_done(struct remotes *rs);

/* A non-blocking socket on its way to 'r'.  The descriptor, or a negative errno. */
int remote_connect(const struct remote *r);
/* The socket became writable: 0, or the negative errno of why it did not connect. */
int remote_connected(int fd);

#endif
