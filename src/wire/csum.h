/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internet checksum (RFC 1071) and its incremental update (RFC 1624).
 *
 * A "sum" is an unfolded 64-bit accumulation of 16-bit words as they lie in memory; sums of
 * pieces that start at even offsets add.  csum_fold() gives the 16 bits to store.
 */
#ifndef VX_WIRE_CSUM_H
#define VX_WIRE_CSUM_H

#include "wire/types.h"

/* Sum over 'len' bytes at any address. */
uint64_t csum_add(uint64_t sum, const void *p, size_t len);
/* The same for a piece that starts at an odd offset of the whole. */
uint64_t csum_add_odd(uint64_t sum, const void *p, size_t len);

static inline uint16_t csum_reduce(uint64_t sum) /* 16 bits, not complemented */
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static inline be16 csum_fold(uint64_t sum)
{
	return (be16){(uint16_t)~csum_reduce(sum)};
}

/* UDP's: a computed 0 is sent as all ones (RFC 768). */
static inline be16 csum_fold_udp(uint64_t sum)
{
	be16 c = csum_fold(sum);

	return c.raw ? c : (be16){0xffff};
}

static inline be16 csum(const void *p, size_t len)
{
	return csum_fold(csum_add(0, p, len));
}

/* Sum over an IPv4 header of 'len' bytes, 20 at least: those without a loop. */
static inline uint64_t csum_ip4_hdr(const void *p, size_t len)
{
	uint32_t w[5];
	uint64_t sum;

	memcpy(w, p, sizeof(w));
	sum = (uint64_t)w[0] + w[1] + w[2] + w[3] + w[4];
	if (likely(len == sizeof(w)))
		return sum;
	return csum_add(sum, (const uint8_t *)p + sizeof(w), len - sizeof(w));
}

/* Pseudo-header of IPv4 or IPv6, chosen by the kind of 'src' (RFC 768; RFC 8200, 8.1).
 * 'len' is the length of transport header and payload. */
uint64_t csum_pseudo(const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto,
		     uint32_t len);

/* Header checksum 'c' after the 16-bit word 'from' became 'to' (RFC 1624, equation 3). */
static inline be16 csum_update16(be16 c, be16 from, be16 to)
{
	uint32_t sum = (uint16_t)~c.raw + (uint32_t)(uint16_t)~from.raw + to.raw;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (be16){(uint16_t)~sum};
}

#endif
