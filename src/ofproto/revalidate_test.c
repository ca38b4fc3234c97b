/* SPDX-License-Identifier: Apache-2.0 */
/* What revalidation costs: flows that are translated anew, counted. */
#include <stdio.h>

#include "ofproto/ofproto_priv.h"
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

/* A turn of control is a slice, however many bridges share the datapath. */
static void one_slice_a_turn(void **state)
{
	struct ofproto *other[4];
	char name[8];

	(void)state;
	for (uint32_t i = 0; i < ARRAY_LEN(other); i++) {
		snprintf(name, sizeof(name), "other%u", i);
		assert_int_equal(o_create(W.t->vx, name, "dummy", NULL, &other[i]), 0);
	}
	for (uint32_t i = 0; i < 3 * REVALIDATE_SLICE; i++)
		packet(1, i, STATIONS);
	t_advance(W.t, NS_PER_S);
	list_for_each (p, &W.d->bridges, struct ofproto, node)
		ofproto_run(p, W.t->now);
	assert_int_equal(W.d->reval.cursor, REVALIDATE_SLICE);
	for (uint32_t i = 0; i < ARRAY_LEN(other); i++)
		ofproto_destroy(other[i], true);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(one_mac_moves), T(one_slice_a_turn)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
