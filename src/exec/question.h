/* SPDX-License-Identifier: Apache-2.0 */
/* A request of our own, made to vxd on a connection of its own. */
#ifndef QUESTION_H
#define QUESTION_H

#include "real.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

struct question {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
	};
	char attrs[64];
};

/* Adds an attribute to what 'head' says is there already; the caller knows that it fits. */
void question_put(struct question *q, int type, const void *data, size_t len);

typedef void answer_fn(const struct nlmsghdr *head, void *arg);

/* Asks vxd, gives 'fn', unless NULL, the answers.  0, or a negative errno: vxd's, or -ENODEV if it
 * is not there.  Keeps errno. */
int question_ask(struct question *q, answer_fn *fn, void *arg);

#endif
