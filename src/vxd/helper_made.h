/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the helper made and may change or remove again: TAPs and veth pairs.  Of each TAP it keeps
 * the queue's descriptor, too: it tells where the TAP is, should the host move it, and a vxd that
 * crashes leaves the interface with its carrier (unless --linger is 0); detached then, until the
 * next one's helper takes it over.
 */
#ifndef VX_VXD_HELPER_MADE_H
#define VX_VXD_HELPER_MADE_H

#include <stdbool.h>

#include "base/list.h"
#include "vxd/helper_proto.h"

struct made {
	struct list node;
	char netns[NETNS_TEXT_MAX], name[IF_NAME_MAX];
	char asked[IF_NAME_MAX]; /* vxd's name for it; the host may have given it another one */
	uint32_t ifindex; /* 0 while 'gift' */
	uint32_t hidden;  /* of a veth pair: the other end, in our namespace; 0: a TAP */
	uint64_t ino;	  /* of the namespace */
	int fd;		  /* a copy of a TAP's queue; -1: none */
	bool gift;	  /* from a former helper, detached, not asked for yet */
};

/* Takes fd.  NULL: no memory (fd is closed). */
struct made *made_add(struct list *l, const char *netns, const char *name, uint32_t ifindex,
		      uint64_t ino, int fd);
struct made *made_find(struct list *l, const char *netns, uint32_t ifindex); /* no gift */
struct made *made_gift(struct list *l, const char *name, uint64_t ino);
struct made *made_gift_anywhere(struct list *l, const char *asked);
void made_free(struct made *m);
void made_drop_gifts(struct list *l);

/* Takes over what the helper at 'path' holds, if there is one; waits for it a few seconds. */
void made_take_over(struct list *l, const char *path);
/* A listening socket for the next one at 'path', which is free; the descriptor or a negative
 * errno. */
int made_listen(const char *path);
/* Our vxd is gone: detaches the queues and holds them until the next helper has them or the time
 * is over.  Returns at once if there is nothing to hold. */
void made_linger(struct list *l, int listener, const char *path, uint32_t seconds);

#endif
