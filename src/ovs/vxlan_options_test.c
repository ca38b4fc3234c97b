/* SPDX-License-Identifier: Apache-2.0 */
/* Interface.options of type=vxlan: statements 31 to 34, 38, 39 of ovs.md 9, and 11.4. */
#include "ovs/vxlan_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"

/* "k=v k=v" */
static void make(struct ovsdb_datum *d, const char *words)
{
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", words);
	ovsdb_datum_init(d, OVSDB_STRING, OVSDB_STRING);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		char *eq = strchr(w, '=');

		*eq = 0;
		assert_true(ovsdb_datum_put_pair(d, w, eq + 1));
	}
}

static void one(const char *words, const char *error, const char *warning, struct tunnel_cfg *t)
{
	struct text err = {0}, warn = {0};
	struct ovsdb_datum d;
	bool good;

	make(&d, words);
	good = vxlan_options_parse("N", &d, t, &err, &warn);
	if (good != !*error || strcmp(text_get(&err), error) || strcmp(text_get(&warn), warning))
		fail_msg("%s: \"%s\" \"%s\", not \"%s\" \"%s\"", words, text_get(&err),
			 text_get(&warn), error, warning);
	text_done(&err);
	text_done(&warn);
	ovsdb_datum_done(&d);
}

static const struct {
	const char *options, *error, *warning;
} row[] = {
	{"remote_ip=10.1.1.2", "", ""},
	{"", "N: vxlan type requires valid 'remote_ip' argument", ""},
	{"remote_ip=nohost",
	 "N: bad vxlan 'remote_ip'\nN: vxlan type requires valid 'remote_ip' argument", ""},
	{"remote_ip=0.0.0.0",
	 "N: bad vxlan 'remote_ip'\nN: vxlan type requires valid 'remote_ip' argument", ""},
	{"remote_ip=239.1.1.1", "N: multicast remote_ip=239.1.1.1 not allowed", ""},
	{"remote_ip=ff02::5", "N: multicast remote_ip=ff02::5 not allowed", ""},
	{"remote_ip=10.1.1.2 local_ip=flow",
	 "N: vxlan type requires 'remote_ip=flow' with 'local_ip=flow'", ""},
	{"remote_ip=fd00::1 local_ip=10.1.1.1",
	 "N: 'remote_ip' and 'local_ip' has to be of the same address family", ""},
	{"remote_ip=flow local_ip=flow key=flow", "", ""},
	{"remote_ip=10.1.1.2 local_ip=here",
	 "N: option local_ip=here is wrong: an IPv4 or IPv6 address, or flow", ""},
	{"remote_ip=10.1.1.2 key=badkey", "N: option key=badkey is wrong: 0 to 16777215, or flow",
	 ""},
	{"remote_ip=10.1.1.2 key=0x1000000",
	 "N: option key=0x1000000 is wrong: 0 to 16777215, or flow", ""},
	{"remote_ip=10.1.1.2 dst_port=70000", "N: option dst_port=70000 is wrong: 1 to 65535", ""},
	{"remote_ip=10.1.1.2 dst_port=0", "N: option dst_port=0 is wrong: 1 to 65535", ""},
	{"remote_ip=10.1.1.2 ttl=0", "N: option ttl=0 is wrong: 1 to 255, or inherit", ""},
	{"remote_ip=10.1.1.2 ttl=300", "N: option ttl=300 is wrong: 1 to 255, or inherit", ""},
	{"remote_ip=10.1.1.2 csum=yes", "N: option csum=yes is wrong: true or false", ""},
	{"remote_ip=10.1.1.2 exts=gbp,foo", "", "N: unknown extension 'foo'\n"},
	{"remote_ip=10.1.1.2 tos=3", "", "N: invalid TOS 3\n"},
	{"remote_ip=10.1.1.2 bogus=1", "", "N: unknown vxlan argument 'bogus'\n"},
	{"remote_ip=10.1.1.2 psk=x ipsec_cert=y", "", ""},
	{"remote_ip=10.1.1.2 packet_type=x", "N: unknown packet_type 'x'", ""},
	{"remote_ip=10.1.1.2 packet_type=legacy_l3",
	 "N: legacy_l3 configured on VXLAN (without GPE) tunnel that cannot carry L3 traffic", ""},
	{"remote_ip=10.1.1.2 packet_type=ptap",
	 "N: option packet_type=ptap is wrong: legacy_l2; others are not built", ""},
};

static void sentences(void **state)
{
	struct tunnel_cfg t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++)
		one(row[i].options, row[i].error, row[i].warning, &t);
}

static void values(void **state)
{
	struct tunnel_cfg t;

	(void)state;
	one("remote_ip=10.1.1.2", "", "", &t);
	assert_true(t.dst_port == 4789 && t.ttl == 64 && t.df_default && !t.in_key_present &&
		    !t.out_key_present && t.csum == TUNNEL_CSUM_UNSET && !t.has_mark);
	one("remote_ip=fd00::2 local_ip=fd00::1 key=100 dst_port=8472 tos=0xb8 ttl=44 "
	    "df_default=false "
	    "csum=true exts=gbp egress_pkt_mark=7",
	    "", "", &t);
	assert_true(!ip_is4(&t.remote) && !ip_is4(&t.local) && t.in_key == 100 &&
		    t.out_key == 100 && t.dst_port == 8472 && t.tos == 0xb8 && t.ttl == 44 &&
		    !t.df_default && t.csum == TUNNEL_CSUM_ON && t.gbp && t.has_mark &&
		    t.egress_pkt_mark == 7);
	one("remote_ip=10.1.1.2 key=5 in_key=6 out_key=flow tos=inherit ttl=inherit", "", "", &t);
	assert_true(t.in_key == 6 && !t.in_key_flow && t.out_key_flow && t.tos_inherit &&
		    t.ttl_inherit);
	one("remote_ip=10.1.1.2 key=flow out_key=9", "", "", &t);
	assert_true(t.in_key_flow && t.out_key == 9 && !t.out_key_flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(sentences), cmocka_unit_test(values)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
