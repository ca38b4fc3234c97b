/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte order as a type, MAC and IP addresses, VNI.
 *
 * be16 and be32 hold a number as it lies on the wire; only the functions here cross the border.
 * An IP address is one 16-byte type: IPv4 lies in it as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so
 * that the two families part only where the wire does.  All zero means "no address".
 */
#ifndef VX_WIRE_TYPES_H
#define VX_WIRE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/util.h"

typedef struct WIRE {
	uint16_t raw;
} be16;

typedef struct WIRE {
	uint32_t raw;
} be32;


static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ || __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
	      "a mixed byte order was never seen here");

static inline uint16_t be16_get(be16 v)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap16(v.raw) : v.raw;
}

static inline be16 be16_put(uint16_t v)
{
	return (be16){__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap16(v) : v};
}

static inline uint32_t be32_get(be32 v)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(v.raw) : v.raw;
}

static inline be32 be32_put(uint32_t v)
{
	return (be32){__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(v) : v};
}

static inline bool be16_eq(be16 a, be16 b)
{
	return a.raw == b.raw;
}

static inline bool be32_eq(be32 a, be32 b)
{
	return a.raw == b.raw;
}

struct WIRE mac {
	uint8_t b[6];
};

static inline bool mac_eq(const struct mac *a, const struct mac *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Eight bytes that begin with it and end with two zeroes, as they are loaded.  (Storing six and
 * loading eight would wait for the store.) */
static inline uint64_t mac_load(const struct mac *m)
{
	uint32_t a;
	uint16_t b;

	memcpy(&a, m, sizeof(a));
	memcpy(&b, (const uint8_t *)m + sizeof(a), sizeof(b));
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? a | (uint64_t)b << 32
							 : (uint64_t)a << 32 | (uint64_t)b << 16;
}

static inline bool mac_is_zero(const struct mac *m)
{
	return !mac_load(m);
}

static inline bool mac_is_multicast(const struct mac *m) /* broadcast, too */
{
	return m->b[0] & 1;
}

static inline bool mac_is_broadcast(const struct mac *m)
{
	return (m->b[0] & m->b[1] & m->b[2] & m->b[3] & m->b[4] & m->b[5]) == 0xff;
}

static inline bool mac_is_unicast(const struct mac *m)
{
	return !mac_is_multicast(m) && !mac_is_zero(m);
}

struct ip_addr {
	union {
		uint8_t b[16];
		be32 w[4];
		uint64_t d[2]; /* for comparing and hashing only */
	};
};

static inline struct ip_addr ip_from4(be32 a)
{
	struct ip_addr r = {.b = {[10] = 0xff, [11] = 0xff}};

	r.w[3] = a;
	return r;
}

static inline struct ip_addr ip_from6(const void *wire16)
{
	struct ip_addr r;

	memcpy(r.b, wire16, 16);
	return r;
}

static inline bool ip_eq(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->d[0] == b->d[0] && a->d[1] == b->d[1];
}

static inline bool ip_is_none(const struct ip_addr *a) /* not set; as IPv6 also "::" */
{
	return !(a->d[0] | a->d[1]);
}

static inline bool ip_is4(const struct ip_addr *a)
{
	return !a->d[0] && be32_eq(a->w[2], be32_put(0xffff));
}

static inline be32 ip_get4(const struct ip_addr *a)
{
	return a->w[3];
}

static inline bool ip_is_any(const struct ip_addr *a) /* 0.0.0.0, :: or not set */
{
	return ip_is_none(a) || (ip_is4(a) && !a->w[3].raw);
}

static inline bool ip_is_multicast(const struct ip_addr *a)
{
	return ip_is4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

static inline bool ip_is_loopback(const struct ip_addr *a)
{
	static const struct ip_addr one = {.b = {[15] = 1}};

	return ip_is4(a) ? a->b[12] == 127 : ip_eq(a, &one);
}

static inline bool ip_is_linklocal(const struct ip_addr *a) /* IPv6, unicast or multicast scope */
{
	if (ip_is4(a))
		return false;
	return (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80) ||
	       (a->b[0] == 0xff && (a->b[1] & 0x0f) == 0x02);
}

enum { IP_TEXT_MAX = 46, MAC_TEXT_MAX = 18 };

/* Return 'buf', which holds IP_TEXT_MAX (MAC_TEXT_MAX) bytes. */
const char *ip_text(const struct ip_addr *a, char *buf);
const char *mac_text(const struct mac *m, char *buf);
/* Parse the whole of 's'.  Return 0 or -EINVAL. */
int ip_parse(const char *s, struct ip_addr *out);
int mac_parse(const char *s, struct mac *out);

typedef struct {
	uint32_t v; /* 0..VNI_MAX */
} vni_t;

enum { VNI_MAX = 0xffffff };

#endif
