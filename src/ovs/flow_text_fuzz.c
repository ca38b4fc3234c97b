/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: flows of OpenFlow's text, which who asks for a trace writes.
 *
 * Input: the first byte says what the rest is: even, a text; odd, a key and a mask as bytes, which
 * are printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/fuzz.h"
#include "ovs/testing.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* What is taken is a packet that could be, and is printed; what is not has a word for it. */
static void one_text(const char *s)
{
	struct text out = {0}, err = {0};
	struct flow_key k, match, m;
	size_t n = strlen(s);

	/* As a match it means what it names, which the packet that it describes is. */
	if (flow_parse_match(s, &ports, &match, &m, &err) == 0)
		assert_true(flow_overlaps(&match, &m, &match, &m));
	text_clear(&err);
	if (flow_parse(s, &ports, &k, &err) < 0) {
		assert_true(err.len > n && !strncmp(text_get(&err), s, n));
	} else {
		assert_true(!err.len && k.in_port && k.in_port <= UINT16_MAX);
		assert_true(k.ip_frag <= FRAG_LATER);
		assert_int_equal(!ip_is_any(&k.tun.dst), k.tun.flags == TUN_PRESENT);
		assert_true(!k.vlan[0].tpid.raw == !key_has_tag(&k, 0) && !k.vlan[1].tci.raw);
		flow_put(&out, &k, &ports);
		assert_non_null(strstr(text_get(&out), "in_port="));
		assert_non_null(strstr(text_get(&out), "dl_dst="));
	}
	text_done(&out);
	text_done(&err);
}

static void one_key(const uint8_t *data, size_t size)
{
	struct flow_key k, m;
	struct text out = {0};

	if (size < sizeof(k) + sizeof(m))
		return;
	memcpy(&k, data, sizeof(k));
	memcpy(&m, data + sizeof(k), sizeof(m));
	flow_put_masked(&out, &k, &m, NULL);
	flow_put(&out, &k, NULL);
	assert_true(out.len && !out.failed && !strstr(text_get(&out), ",,"));
	text_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s;

	if (!size)
		return 0;
	if (data[0] & 1) {
		one_key(data + 1, size - 1);
		return 0;
	}
	s = malloc(size); /* exactly: a read beyond is seen */
	memcpy(s, data + 1, size - 1);
	s[size - 1] = '\0';
	one_text(s);
	free(s);
	return 0;
}

void fuzz_end(void)
{
}
