/* SPDX-License-Identifier: Apache-2.0 */
/* What revalidation costs: flows that are translated anew, counted. */
#include "ofproto/testing.h"

enum { STATIONS = 317, FLOWS = STATIONS * (STATIONS - 1) };
static_assert(FLOWS >= 100000, "as many as item 6 of the measurements asks for");

static struct o_world W;

static int setup(void **state)
{
	(void)state;
	o_init(&W);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	o_end(&W);
	return 0;
}

static struct mac station(uint32_t i)
{
	return (struct mac){{2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}};
}

static void packet(uint32_t port, uint32_t from, uint32_t to)
{
	struct flow_key k = {.in_port = port,
			     .eth_src = station(from),
			     .eth_dst = station(to),
			     .eth_type = be16_put(0x1234)};
	enum drop why;

	actions_put(dpif_dummy_packet(W.d, &k, 100, &why));
}

static uint64_t translated_by_a_walk(void)
{
	uint64_t before = W.d->reval.translated;

	t_advance(W.t, 10 * NS_PER_MS);
	revalidate_all(W.d, W.t->now);
	return W.d->reval.translated - before;
}

/* Everybody has talked to everybody; one moves: its own flows are translated, nobody else's. */
static void one_mac_moves(void **state)
{
	uint16_t b;

	(void)state;
	o_port(W.br, "a", "internal", NULL);
	b = o_port(W.br, "b", "internal", NULL);
	for (uint32_t i = 0; i < STATIONS; i++)
		packet(2, i, STATIONS);
	for (uint32_t i = 0; i < FLOWS; i++)
		packet(2, i / (STATIONS - 1), (i / (STATIONS - 1) + 1 + i % (STATIONS - 1)) % STATIONS);
	assert_int_equal(o_flows(&W), FLOWS + STATIONS);
	translated_by_a_walk(); /* new ones are: the MACs had just come */
	assert_int_equal(translated_by_a_walk(), 0);
	packet(3, 7, STATIONS); /* and its flow is new */
	assert_int_equal(translated_by_a_walk(), 2 * (STATIONS - 1) + 2);
	assert_int_equal(translated_by_a_walk(), 0);
	/* What is new of a port is everybody's: a snapshot. */
	o_bundle(W.br, b, (struct bundle_cfg){.vlan_mode = VLAN_ACCESS, .tag = 5});
	assert_in_range(translated_by_a_walk(), FLOWS, FLOWS + 2 * STATIONS);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(one_mac_moves)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
