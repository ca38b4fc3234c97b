/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wire/crc32c.h"

/* The examples of RFC 3720, appendix B.4. */
static void test_known(void **state)
{
	uint8_t b[32];

	memset(b, 0, sizeof(b));
	assert_int_equal(~crc32c_add(~0u, b, sizeof(b)), 0x8a9136aa);
	memset(b, 0xff, sizeof(b));
	assert_int_equal(~crc32c_add(~0u, b, sizeof(b)), 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		b[i] = (uint8_t)i;
	assert_int_equal(~crc32c_add(~0u, b, sizeof(b)), 0x46dd794e);
	/* In pieces. */
	assert_int_equal(~crc32c_add(crc32c_add(~0u, b, 7), b + 7, 25), 0x46dd794e);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_known)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
