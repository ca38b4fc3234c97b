/* SPDX-License-Identifier: Apache-2.0 */
/* Internet checksum: RFC 1071's example, against a naive sum at every length and offset, updates. */
#include "wire/csum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* 16-bit words in network order, the last byte padded: RFC 1071, 4.1. */
static uint16_t naive(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The same value, 0 and 0xffff being one. */
static void assert_sum(uint16_t got, uint16_t want)
{
	assert_int_equal(be16_get((be16){got}) % 0xffff, want % 0xffff);
}

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)rand();
}

static void rfc1071(void **state)
{
	static const uint8_t b[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	/* A header as it is known from textbooks. */
	static const uint8_t ip[] = {0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11,
				     0,	   0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7};

	(void)state;
	assert_int_equal(be16_get((be16){csum_reduce(csum_add(0, b, sizeof(b)))}), 0xddf2);
	assert_int_equal(be16_get(csum(b, sizeof(b))), 0x220d);
	assert_int_equal(be16_get(csum(ip, sizeof(ip))), 0xb861);
	assert_int_equal(be16_get(csum(b, 0)), 0xffff);
}

static void every_length_and_offset(void **state)
{
	uint8_t *b = malloc(400);

	(void)state;
	fill(b, 400);
	for (size_t off = 0; off < 20; off++)
		for (size_t len = 0; len <= 300; len++)
			assert_sum(csum_reduce(csum_add(0, b + off, len)), naive(b + off, len));
	/* All ones carry the most. */
	memset(b, 0xff, 400);
	for (size_t len = 0; len <= 400; len++)
		assert_sum(csum_reduce(csum_add(0, b, len)), naive(b, len));
	free(b);
}

/* Pieces add: even ones as they are, those at odd offsets by their own function. */
static void pieces(void **state)
{
	uint8_t b[1000];

	(void)state;
	fill(b, sizeof(b));
	for (int i = 0; i < 20000; i++) {
		size_t at = 0, end = (size_t)rand() % sizeof(b);
		uint64_t sum = 0;

		while (at < end) {
			size_t n = 1 + (size_t)rand() % (end - at);

			sum = at & 1 ? csum_add_odd(sum, b + at, n) : csum_add(sum, b + at, n);
			at += n;
		}
		assert_sum(csum_reduce(sum), naive(b, end));
	}
}

/* A long chain of sums loses no carry. */
static void no_overflow(void **state)
{
	static uint8_t b[65536];
	uint64_t sum = 0, model = 0;

	(void)state;
	memset(b, 0xff, sizeof(b));
	b[77] = 0x12;
	for (int i = 0; i < 3000; i++) {
		sum = csum_add(sum, b, sizeof(b));
		model += naive(b, sizeof(b));
	}
	assert_sum(csum_reduce(sum), (uint16_t)(model % 0xffff));
	assert_sum(csum_reduce(0xffffffffffffffffull), 0xffff);
}

static void update(void **state)
{
	(void)state;
	/* RFC 1624, 4: the case in which RFC 1141's way gives 0xffff. */
	assert_int_equal(be16_get(csum_update16(be16_put(0xdd2f), be16_put(0x5555), be16_put(0x3285))),
			 0x0000);
	for (int i = 0; i < 100000; i++) {
		uint8_t b[20];
		size_t at = (size_t)rand() % 10 * 2;
		be16 old, from, to;

		fill(b, sizeof(b));
		b[0] = 0x45; /* as of a real header: not all zero */
		old = csum(b, sizeof(b));
		memcpy(&from, b + at, 2);
		to = be16_put((uint16_t)rand());
		if (i % 16 == 0)
			to = be16_put(i % 32 ? 0 : 0xffff);
		memcpy(b + at, &to, 2);
		if (at == 0 && !b[0])
			continue;
		assert_int_equal(csum_update16(old, from, to).raw, csum(b, sizeof(b)).raw);
	}
}

static void udp_zero(void **state)
{
	(void)state;
	assert_int_equal(csum_fold_udp(0xffff).raw, 0xffff);
	assert_int_equal(csum_fold(0xffff).raw, 0);
	assert_int_equal(csum_fold_udp(0).raw, 0xffff);
	assert_int_equal(csum_fold_udp(1).raw, 0xfffe);
}

static void pseudo(void **state)
{
	/* Source, destination, then length and protocol (RFC 768; RFC 8200, 8.1). */
	uint8_t h4[12] = {10, 0, 0, 1, 10, 0, 0, 2, 0, 17, 0x12, 0x34}, h6[40] = {0};
	struct ip_addr s = {.b = {[10] = 0xff, 0xff, 10, 0, 0, 1}};
	struct ip_addr d = {.b = {[10] = 0xff, 0xff, 10, 0, 0, 2}};

	(void)state;
	assert_sum(csum_reduce(csum_pseudo(&s, &d, 17, 0x1234)), naive(h4, 12));
	for (int i = 0; i < 16; i++) {
		s.b[i] = h6[i] = (uint8_t)(0x20 + i);
		d.b[i] = h6[16 + i] = (uint8_t)(0x40 + i);
	}
	h6[33] = 1; /* a length beyond 16 bits */
	h6[34] = 0x12;
	h6[35] = 0x34;
	h6[39] = 58;
	assert_sum(csum_reduce(csum_pseudo(&s, &d, 58, 0x11234)), naive(h6, 40));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc1071), cmocka_unit_test(every_length_and_offset),
		cmocka_unit_test(pieces),  cmocka_unit_test(no_overflow),
		cmocka_unit_test(update),  cmocka_unit_test(udp_zero),
		cmocka_unit_test(pseudo),
	};

	srand(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
