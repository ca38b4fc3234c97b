/* SPDX-License-Identifier: Apache-2.0 */
#include "vx/kept.h"

#include <stdlib.h>
#include <string.h>

int kept_add(const struct nlmsghdr *nlh, void *kept)
{
	struct kept *k = kept;
	size_t n = MNL_ALIGN(nlh->nlmsg_len);

	if (k->len + n > k->size) {
		size_t size = (k->len + n) * 2 + 65536;
		char *buf = realloc(k->buf, size);

		if (!buf)
			return MNL_CB_OK;
		k->buf = buf;
		k->size = size;
	}
	memcpy(k->buf + k->len, nlh, nlh->nlmsg_len);
	k->len += n;
	return MNL_CB_OK;
}

void kept_done(struct kept *k)
{
	free(k->buf);
	*k = (struct kept){0};
}
