/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/csum.h"

uint64_t csum_add(uint64_t sum, const void *p, size_t len)
{
	const uint8_t *b = p;
	uint64_t a = sum & 0xffffffff, c = sum >> 32; /* two chains of 32-bit words */

	for (; len >= 16; len -= 16, b += 16) {
		uint64_t x, y;

		memcpy(&x, b, 8);
		memcpy(&y, b + 8, 8);
		a += (x & 0xffffffff) + (y & 0xffffffff);
		c += (x >> 32) + (y >> 32);
	}
	for (; len >= 4; len -= 4, b += 4) {
		uint32_t x;

		memcpy(&x, b, 4);
		a += x;
	}
	if (len >= 2) {
		uint16_t x;

		memcpy(&x, b, 2);
		a += x;
		b += 2;
		len -= 2;
	}
	if (len) {
		uint8_t last[2] = {*b, 0};
		uint16_t x;

		memcpy(&x, last, 2);
		a += x;
	}
	/* Fold each chain below 2^33, so that a caller may add many such sums. */
	a = (a & 0xffffffff) + (a >> 32);
	c = (c & 0xffffffff) + (c >> 32);
	return a + c;
}

uint64_t csum_add_odd(uint64_t sum, const void *p, size_t len)
{
	uint16_t part = csum_reduce(csum_add(0, p, len));

	return sum + (uint16_t)(part << 8 | part >> 8);
}

uint64_t csum_pseudo(const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto,
		     uint32_t len)
{
	be32 tail[2] = {be32_put(len), be32_put(proto)};
	uint64_t sum = csum_add(0, tail, sizeof(tail));

	if (ip_is4(src))
		return csum_add(csum_add(sum, &src->b[12], 4), &dst->b[12], 4);
	return csum_add(csum_add(sum, src->b, 16), dst->b, 16);
}
