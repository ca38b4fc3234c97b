/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/csum.h"

/* Adds with the carry brought round. */
static uint64_t add_word(uint64_t a, const uint8_t *b)
{
	uint64_t x;

	memcpy(&x, b, 8);
	a += x;
	return a + (a < x);
}

static uint64_t fold(uint64_t a)
{
	return (a & 0xffffffff) + (a >> 32);
}

uint64_t csum_add(uint64_t sum, const void *p, size_t len)
{
	const uint8_t *b = p;
	uint64_t a = 0, c = 0; /* two chains of 64-bit words */

	for (; len >= 32; len -= 32, b += 32) {
		a = add_word(a, b);
		c = add_word(c, b + 8);
		a = add_word(a, b + 16);
		c = add_word(c, b + 24);
	}
	for (; len >= 8; len -= 8, b += 8)
		a = add_word(a, b);
	/* Below 2^33 each, so that a caller may add many such sums. */
	a = fold(a) + fold(c) + fold(sum);
	if (len >= 4) {
		uint32_t x;

		memcpy(&x, b, 4);
		a += x;
		b += 4;
		len -= 4;
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
	return a;
}

uint64_t csum_add_odd(uint64_t sum, const void *p, size_t len)
{
	uint16_t part = csum_reduce(csum_add(0, p, len));

	return sum + (uint16_t)(part << 8 | part >> 8);
}

uint64_t csum_pseudo(const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto,
		     uint32_t len)
{
	uint64_t sum = (uint64_t)be32_put(len).raw + be32_put(proto).raw;

	if (ip_is4(src))
		return sum + src->w[3].raw + dst->w[3].raw;
	return csum_add(csum_add(sum, src->b, 16), dst->b, 16);
}
