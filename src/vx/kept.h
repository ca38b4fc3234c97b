/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a dump, kept until all are there: printing asks vxd for names meanwhile. */
#ifndef VX_VX_KEPT_H
#define VX_VX_KEPT_H

#include <libmnl/libmnl.h>
#include <stddef.h>

struct kept {
	char *buf;
	size_t len, size;
};

int kept_add(const struct nlmsghdr *nlh, void *kept); /* an mnl_cb_t */
void kept_done(struct kept *k);

/* The first message ('prev' NULL), or the next one; NULL after the last. */
static inline const struct nlmsghdr *kept_next(const struct kept *k, const struct nlmsghdr *prev)
{
	size_t at = prev ? (size_t)((const char *)prev - k->buf) + MNL_ALIGN(prev->nlmsg_len) : 0;

	return at < k->len ? (const struct nlmsghdr *)(k->buf + at) : NULL;
}

#endif
