/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/csum.h"

enum { BULK = 128 }; /* bytes from which on a vector is worth its beginning and end */

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

/* A payload, in pieces of 32 bytes: each vector gathers the low or the high halves of 64-bit words,
 * which cannot overflow within 2^32 pieces. */
static uint64_t add_bulk(const uint8_t *b, size_t len)
{
	typedef uint64_t words __attribute__((vector_size(16)));
	const words low = {0xffffffff, 0xffffffff};
	words a = {0}, c = {0}, d = {0}, e = {0};

	for (; len >= 32; len -= 32, b += 32) {
		words x, y;

		memcpy(&x, b, 16);
		memcpy(&y, b + 16, 16);
		a += x & low;
		c += x >> 32;
		d += y & low;
		e += y >> 32;
	}
	a += c + d + e;
	return fold(a[0]) + fold(a[1]);
}

uint64_t csum_add(uint64_t sum, const void *p, size_t len)
{
	const uint8_t *b = p;
	uint64_t bulk = 0, a = 0;

	if (len >= BULK) {
		bulk = add_bulk(b, len);
		b += len & ~(size_t)31;
		len &= 31;
	}
	for (; len >= 8; len -= 8, b += 8)
		a = add_word(a, b);
	/* Below 2^33 each, so that a caller may add many such sums. */
	a = fold(a) + fold(bulk) + fold(sum);
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
