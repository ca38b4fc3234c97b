/* SPDX-License-Identifier: Apache-2.0 */
/* The buffers of a message. */
#ifndef IOV_H
#define IOV_H

#include "real.h"

#include <limits.h>

enum { IOV_BYTES_MAX = 1 << 24 }; /* of a datagram; the kernel's own limits are lower */

/* Bytes that 'iov' holds; IOV_BYTES_MAX + 1 if that is more than IOV_BYTES_MAX. */
static inline size_t iov_bytes(const struct iovec *iov, size_t count)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		if (iov[i].iov_len > IOV_BYTES_MAX - sum)
			return IOV_BYTES_MAX + 1;
		sum += iov[i].iov_len;
	}
	return sum;
}

#endif
