/* SPDX-License-Identifier: Apache-2.0 */
/* What a flow hash covers and what not: spec/vxlan.md 3.6. */
#include "wire/flowhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

static const struct hash_key key = {0x1234567, 0x89abcdef};

/* A frame of any of these: a is the source. */
struct spec {
	bool is6;
	uint8_t a, b, proto, ttl, tos, mac;
	uint16_t sport, dport, frag, id, icmp_id;
	uint8_t opts;	/* IPv4 options, or IPv6 extension headers: kinds of 8 bytes each */
	uint16_t tags[3];
	bool frag6;
};

static uint8_t f[256];

static uint8_t *put4(uint8_t *p, const struct spec *s)
{
	struct ip4_hdr *ip = (struct ip4_hdr *)p;
	uint8_t hlen = (uint8_t)(20 + 4 * s->opts);

	*ip = (struct ip4_hdr){.ver_ihl = (uint8_t)(0x40 | hlen / 4), .tos = s->tos, .ttl = s->ttl,
			       .proto = s->proto, .frag = be16_put(s->frag), .id = be16_put(s->id),
			       .src = be32_put(0x0a000000u + s->a), .dst = be32_put(0x0a000000u + s->b)};
	return p + hlen;
}

static uint8_t *put6(uint8_t *p, const struct spec *s)
{
	static const uint8_t kinds[] = {IP6_HOPOPTS, IP6_ROUTING, IP6_DSTOPTS};
	struct ip6_hdr *ip = (struct ip6_hdr *)p;
	uint8_t *next = &ip->next;

	*ip = (struct ip6_hdr){.vtc_flow = ip6_vtc_flow(s->tos, s->id), .hop_limit = s->ttl};
	ip->src[15] = s->a;
	ip->dst[15] = s->b;
	p += 40;
	for (int i = 0; i < s->opts; i++, p += 8) {
		*next = kinds[i % 3];
		next = p;
	}
	if (s->frag6) {
		struct ip6_frag_hdr *h = (struct ip6_frag_hdr *)p;

		*next = IP6_FRAGMENT;
		h->frag = be16_put(s->frag);
		h->id = be32_put(s->id);
		next = &h->next;
		p += 8;
	}
	*next = s->proto;
	return p;
}

static uint32_t build(const struct spec *s)
{
	struct eth_hdr *eth = (struct eth_hdr *)f;
	uint8_t *p = f + 12;

	memset(f, 0, sizeof(f));
	eth->dst.b[5] = s->mac;
	eth->src.b[5] = (uint8_t)(s->mac * 3);
	for (int i = 0; i < 3 && s->tags[i]; i++, p += 4) {
		p[0] = (uint8_t)(s->tags[i] >> 8);
		p[1] = (uint8_t)s->tags[i];
		p[3] = (uint8_t)(s->mac + i); /* the VLAN */
	}
	p[0] = s->is6 ? 0x86 : 8;
	p[1] = s->is6 ? 0xdd : 0;
	p = s->is6 ? put6(p + 2, s) : put4(p + 2, s);
	p[0] = (uint8_t)(s->sport >> 8);
	p[1] = (uint8_t)s->sport;
	p[2] = (uint8_t)(s->dport >> 8);
	p[3] = (uint8_t)s->dport;
	p[5] = (uint8_t)s->icmp_id;
	return (uint32_t)(p + 20 - f);
}

static uint32_t hash(const struct spec *s)
{
	uint32_t len = build(s), h = flow_hash(key, f, len);

	assert_int_not_equal(h, 0);
	return h;
}

static const struct spec base4 = {.a = 1, .b = 2, .proto = 17, .ttl = 64, .sport = 1000, .dport = 53};
static const struct spec base6 = {.is6 = true, .a = 1, .b = 2, .proto = 6, .ttl = 64, .sport = 1000,
				  .dport = 80};

#define SAME(base, ...)                                                                            \
	do {                                                                                       \
		struct spec x_ = base;                                                             \
		(void)(x_.__VA_ARGS__);                                                            \
		assert_int_equal(hash(&base), hash(&x_));                                          \
	} while (0)
#define OTHER(base, ...)                                                                           \
	do {                                                                                       \
		struct spec x_ = base;                                                             \
		(void)(x_.__VA_ARGS__);                                                            \
		assert_int_not_equal(hash(&base), hash(&x_));                                      \
	} while (0)

static void covers(void **state)
{
	(void)state;
	OTHER(base4, a = 3);
	OTHER(base4, b = 3);
	OTHER(base4, sport = 1001);
	OTHER(base4, dport = 54);
	OTHER(base4, proto = 6);
	OTHER(base4, proto = 136);
	OTHER(base4, proto = 132);
	OTHER(base6, a = 3);
	OTHER(base6, b = 3);
	OTHER(base6, sport = 1001);
	OTHER(base6, dport = 54);
	OTHER(base6, proto = 17);
	assert_int_not_equal(hash(&base4), hash(&base6));
}

static void covers_not(void **state)
{
	struct spec icmp4 = base4, icmp6 = base6;

	(void)state;
	SAME(base4, mac = 7);
	SAME(base4, ttl = 7);
	SAME(base4, tos = 7);
	SAME(base4, id = 7);
	SAME(base4, frag = IP4_DF);
	SAME(base4, opts = 3);
	SAME(base6, mac = 7);
	SAME(base6, ttl = 7);
	SAME(base6, tos = 7);
	SAME(base6, id = 7); /* flow label */
	SAME(base6, opts = 1);
	SAME(base6, opts = 3);
	icmp4.proto = 1;
	icmp6.proto = 58;
	SAME(icmp4, icmp_id = 9);
	SAME(icmp4, sport = 9); /* type and code */
	SAME(icmp6, icmp_id = 9);
	/* VLAN tags. */
	SAME(base4, tags[0] = 0x8100);
	SAME(base6, tags[0] = 0x88a8);
	for (uint8_t m = 0; m < 5; m++) {
		struct spec x = base4;

		x.tags[0] = 0x88a8;
		x.tags[1] = 0x8100;
		x.mac = m;
		assert_int_equal(hash(&base4), hash(&x));
	}
}

/* Neither the first piece of a fragmented packet nor the others have ports. */
static void fragments(void **state)
{
	struct spec first = base4, other = base4, bare = base4, f6 = base6;

	(void)state;
	first.frag = IP4_MF;
	other.frag = 5;
	other.sport = 77;
	other.dport = 88;
	assert_int_equal(hash(&first), hash(&other));
	bare.sport = bare.dport = 0;
	assert_int_equal(hash(&first), hash(&bare));
	SAME(first, dport = 99);
	f6.frag6 = true;
	f6.frag = 1;
	SAME(f6, dport = 99);
	SAME(f6, frag = 8);
	SAME(f6, id = 4);
	OTHER(f6, a = 9);
	bare = base6;
	bare.sport = bare.dport = 0;
	assert_int_equal(hash(&f6), hash(&bare));
}

static void symmetric(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct spec s = i & 1 ? base6 : base4, back;

		s.a = (uint8_t)(rand() % 3);
		s.b = (uint8_t)(rand() % 3); /* often both ends are one */
		s.sport = (uint16_t)(rand() % 3 * 257);
		s.dport = (uint16_t)(rand() % 3 * 511);
		s.opts = (uint8_t)(rand() % 3);
		back = s;
		back.a = s.b;
		back.b = s.a;
		back.sport = s.dport;
		back.dport = s.sport;
		assert_int_equal(hash(&s), hash(&back));
	}
}

/* Other frames: by their EtherType alone. */
static void not_ip(void **state)
{
	uint8_t a[64] = {0}, b[64];
	uint32_t arp, other;

	(void)state;
	for (int i = 0; i < 64; i++)
		b[i] = (uint8_t)(i * 7);
	a[12] = b[12] = 8;
	a[13] = b[13] = 6;
	arp = flow_hash(key, a, 64);
	assert_int_equal(arp, flow_hash(key, b, 64));
	assert_int_equal(arp, flow_hash(key, b, 14));
	b[13] = 7;
	other = flow_hash(key, b, 64);
	assert_int_not_equal(arp, other);
}

/* Any length is looked at no further than it goes (the sanitizer sees), and gives a stable value. */
static void short_frames(void **state)
{
	struct spec specs[] = {base4, base6, base4, base6};

	(void)state;
	specs[2].tags[0] = 0x88a8;
	specs[2].tags[1] = 0x8100;
	specs[2].opts = 5;
	specs[3].opts = 9;
	specs[3].tags[0] = 0x8100;
	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		uint32_t len = build(&specs[i]);

		for (uint32_t n = 0; n <= len; n++) {
			uint8_t *p = malloc(n + !n);
			uint32_t h;

			memcpy(p, f, n);
			h = flow_hash(key, p, n);
			assert_int_not_equal(h, 0);
			assert_int_equal(h, flow_hash(key, p, n));
			free(p);
		}
	}
}

/* The key matters, and ports of a range spread. */
static void spread(void **state)
{
	uint32_t bins[16] = {0};

	(void)state;
	for (int i = 0; i < 4096; i++) {
		struct spec s = base4;

		s.sport = (uint16_t)(1024 + i);
		build(&s);
		bins[flow_hash(key, f, 60) >> 28]++;
		assert_int_not_equal(flow_hash(key, f, 60),
				     flow_hash((struct hash_key){1, 2}, f, 60));
	}
	for (int i = 0; i < 16; i++)
		assert_in_range(bins[i], 180, 340); /* 256 each, give or take 5 sigma */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(covers),    cmocka_unit_test(covers_not),
		cmocka_unit_test(fragments), cmocka_unit_test(symmetric),
		cmocka_unit_test(not_ip),    cmocka_unit_test(short_frames),
		cmocka_unit_test(spread),
	};

	srand(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
