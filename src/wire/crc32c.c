/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/crc32c.h"

enum { POLYNOMIAL = 0x82f63b78 }; /* 0x1edc6f41 with its bits reversed */

uint32_t crc32c_add(uint32_t crc, const void *p, size_t len)
{
	const uint8_t *b = p;

	while (len--) {
		crc ^= *b++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? (uint32_t)POLYNOMIAL : 0);
	}
	return crc;
}
