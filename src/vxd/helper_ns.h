/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work in another network namespace, by a child of the helper: who has entered a user namespace
 * cannot go back, and the helper itself stays where it is.
 */
#ifndef VX_VXD_HELPER_NS_H
#define VX_VXD_HELPER_NS_H

#include "vxd/helper_proto.h"

/* The namespace of that name (ip netns), process id, path or inode (NETNS_INO_TEXT); a descriptor, or
 * a negative errno with a sentence in rep->text.  Nothing but a network namespace is ever opened. */
int ns_find(const char *netns, struct helper_rep *rep);
uint64_t ns_ino(int ns_fd); /* -1: of our own */
/* Gives it a number in our own namespace, which is what lets vxd hear of its links. */
void ns_number(int ns_fd);
/* What ns_find() finds it by, in NETNS_TEXT_MAX bytes: its name, or else its inode. */
void ns_text(int ns_fd, char *text);

/* Fills in *rep (text, ifindex); a descriptor, 0 or a negative errno. */
typedef int ns_job(const struct helper_req *req, struct helper_rep *rep);
/* Runs the job in there: user namespace first, so that whoever may enter a container's has the
 * rights that it gives.  *fd: what the job opened, or -1.  0 or a negative errno, in rep->error,
 * too. */
int ns_do(int ns_fd, ns_job *job, const struct helper_req *req, struct helper_rep *rep, int *fd);

#endif
