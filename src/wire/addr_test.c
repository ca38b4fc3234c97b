/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text, and what kind of address they are. */
#include "wire/types.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void macs(void **state)
{
	static const struct {
		const char *text, *again; /* NULL: refused */
	} rows[] = {
		{"02:00:00:00:00:01", "02:00:00:00:00:01"},
		{"2:0:0:0:0:1", "02:00:00:00:00:01"},
		{"FF:aB:Cd:ef:FE:09", "ff:ab:cd:ef:fe:09"},
		{"", NULL},
		{"02:00:00:00:00", NULL},
		{"02:00:00:00:00:", NULL},
		{"02:00:00:00:00:01:02", NULL},
		{"02:00:00:00:00:01 ", NULL},
		{" 02:00:00:00:00:01", NULL},
		{"02: 0:00:00:00:01", NULL},
		{"02:00:00:00:00:0g", NULL},
		{"02:00:00:00:00:100", NULL},
		{"002:00:00:00:00:01", NULL},
		{"-1:00:00:00:00:01", NULL},
		{"+1:00:00:00:00:01", NULL},
		{"0x:00:00:00:00:01", NULL},
		{"02-00-00-00-00-01", NULL},
		{":::::", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mac m = {{9, 9, 9, 9, 9, 9}};
		char buf[MAC_TEXT_MAX];
		int r = mac_parse(rows[i].text, &m);

		if (r != (rows[i].again ? 0 : -EINVAL))
			fail_msg("%s: %d", rows[i].text, r);
		if (rows[i].again)
			assert_string_equal(mac_text(&m, buf), rows[i].again);
		else
			assert_int_equal(m.b[0], 9); /* stored only on success */
	}
}

static void mac_kinds(void **state)
{
	static const struct {
		const char *text;
		bool zero, multicast, broadcast, unicast;
	} rows[] = {
		{"00:00:00:00:00:00", true, false, false, false},
		{"ff:ff:ff:ff:ff:ff", false, true, true, false},
		{"01:00:5e:00:00:01", false, true, false, false},
		{"ff:ff:ff:ff:ff:fe", false, true, false, false},
		{"02:00:00:00:00:00", false, false, false, true},
		{"00:00:00:00:00:01", false, false, false, true},
		{"fe:ff:ff:ff:ff:ff", false, false, false, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mac m;

		assert_int_equal(mac_parse(rows[i].text, &m), 0);
		assert_true(mac_is_zero(&m) == rows[i].zero &&
			    mac_is_multicast(&m) == rows[i].multicast &&
			    mac_is_broadcast(&m) == rows[i].broadcast &&
			    mac_is_unicast(&m) == rows[i].unicast && mac_eq(&m, &m));
	}
}

static void ips(void **state)
{
	static const struct {
		const char *text, *again;
		bool is4, none, any, multicast, loopback, linklocal;
	} rows[] = {
		{"10.0.0.1", "10.0.0.1", 1, 0, 0, 0, 0, 0},
		{"0.0.0.0", "0.0.0.0", 1, 0, 1, 0, 0, 0},
		{"255.255.255.255", "255.255.255.255", 1, 0, 0, 0, 0, 0},
		{"127.9.9.9", "127.9.9.9", 1, 0, 0, 0, 1, 0},
		{"224.0.0.1", "224.0.0.1", 1, 0, 0, 1, 0, 0},
		{"239.255.255.255", "239.255.255.255", 1, 0, 0, 1, 0, 0},
		{"240.0.0.1", "240.0.0.1", 1, 0, 0, 0, 0, 0},
		{"223.255.255.255", "223.255.255.255", 1, 0, 0, 0, 0, 0},
		{"169.254.0.1", "169.254.0.1", 1, 0, 0, 0, 0, 0},
		{"::", "::", 0, 1, 1, 0, 0, 0},
		{"::1", "::1", 0, 0, 0, 0, 1, 0},
		{"FD00::1", "fd00::1", 0, 0, 0, 0, 0, 0},
		{"fe80::1", "fe80::1", 0, 0, 0, 0, 0, 1},
		{"febf::1", "febf::1", 0, 0, 0, 0, 0, 1},
		{"fec0::1", "fec0::1", 0, 0, 0, 0, 0, 0},
		{"ff02::1", "ff02::1", 0, 0, 0, 1, 0, 1},
		{"ff12::1", "ff12::1", 0, 0, 0, 1, 0, 1},
		{"ff05::1", "ff05::1", 0, 0, 0, 1, 0, 0},
		{"::10.0.0.1", "::10.0.0.1", 0, 0, 0, 0, 0, 0},
		{"::ffff:10.0.0.1", "10.0.0.1", 1, 0, 0, 0, 0, 0}, /* one way to say it */
	};
	static const char *const bad[] = {"", "10.0.0", "10.0.0.1/24", "10.0.0.256", "10.0.0.1 ", " 10.0.0.1",
					  "fe80::1%eth0", "fd00:::1", "fd00::1::", "any", "1:2:3:4:5:6:7:8:9",
					  "0x0a.0.0.1"};
	struct ip_addr a = {.b = {9}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char buf[IP_TEXT_MAX];

		assert_int_equal(ip_parse(rows[i].text, &a), 0);
		assert_string_equal(ip_text(&a, buf), rows[i].again);
		if (ip_is4(&a) != rows[i].is4 || ip_is_none(&a) != rows[i].none ||
		    ip_is_any(&a) != rows[i].any || ip_is_multicast(&a) != rows[i].multicast ||
		    ip_is_loopback(&a) != rows[i].loopback ||
		    ip_is_linklocal(&a) != rows[i].linklocal)
			fail_msg("%s", rows[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		a.b[0] = 9;
		if (ip_parse(bad[i], &a) != -EINVAL || a.b[0] != 9)
			fail_msg("%s", bad[i]);
	}
	/* The longest. */
	assert_int_equal(ip_parse("1111:2222:3333:4444:5555:6666:255.255.255.255", &a), 0);
	{
		char buf[IP_TEXT_MAX];

		assert_string_equal(ip_text(&a, buf), "1111:2222:3333:4444:5555:6666:ffff:ffff");
	}
}

static void byte_order(void **state)
{
	static const uint8_t b[4] = {0x12, 0x34, 0x56, 0x78};
	be16 x;
	be32 y;

	(void)state;
	memcpy(&x, b, 2);
	memcpy(&y, b, 4);
	assert_int_equal(be16_get(x), 0x1234);
	assert_int_equal(be32_get(y), 0x12345678);
	assert_true(be16_eq(be16_put(0x1234), x) && be32_eq(be32_put(0x12345678), y));
	assert_false(be16_eq(be16_put(0x3412), x) || be32_eq(be32_put(0x78563412), y));
	assert_true(be32_eq(ip_get4(&(struct ip_addr){.b = {[12] = 0x12, 0x34, 0x56, 0x78}}), y));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macs),
		cmocka_unit_test(mac_kinds),
		cmocka_unit_test(ips),
		cmocka_unit_test(byte_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
