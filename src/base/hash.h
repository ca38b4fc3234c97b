/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keyed hash for table keys that a peer chooses.  The key is secret, so that no stranger can aim
 * at one bucket; it is not a MAC.  Two multiplications per 16 bytes of input.
 */
#ifndef VX_BASE_HASH_H
#define VX_BASE_HASH_H

#include <stdint.h>

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

#endif
