/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keyed hash for table keys that a peer chooses.  The key is secret, so that no stranger can aim
 * at one bucket; it is not a MAC.  Two multiplications per 16 bytes of input.
 */
#ifndef VX_BASE_HASH_H
#define VX_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hash_key {
	uint64_t a, b;
};

static inline uint64_t hash_mum(uint64_t x, uint64_t y)
{
	unsigned __int128 p = (unsigned __int128)x * y;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t hash_u64(struct hash_key k, uint64_t x, uint64_t y)
{
	uint64_t h = hash_mum(x ^ k.a, y ^ k.b ^ 0x9e3779b97f4a7c15ull);

	return hash_mum(h ^ k.b, 0xd6e8feb86659fd93ull);
}

static inline uint64_t hash_bytes(struct hash_key k, const void *p, size_t len)
{
	const uint8_t *b = (const uint8_t *)p;
	uint64_t h = len;

	for (size_t n; len; b += n, len -= n) {
		uint64_t w[2] = {0};

		n = len < sizeof(w) ? len : sizeof(w);
		memcpy(w, b, n);
		h = hash_u64(k, w[0] ^ h, w[1]);
	}
	return h;
}

#endif
