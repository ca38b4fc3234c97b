/* SPDX-License-Identifier: Apache-2.0 */
/* Changes that wait for one snapshot (ofproto/pending), and what they cost. */
#include "ofproto/testing.h"

#include <errno.h>
#include <stdio.h>

#include "ofproto/ofproto_priv.h"

enum { MANY = 1000 };

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

static struct snap *snap(void)
{
	return atomic_load(&W.d->snap);
}

static struct tunnel_cfg tun(int i)
{
	char remote[32];

	snprintf(remote, sizeof(remote), "10.1.%d.%d", i >> 8, i & 255);
	return o_tun(remote, (uint32_t)i);
}

static void add_many(uint16_t *no)
{
	for (int i = 0; i < MANY; i++) {
		struct tunnel_cfg t = tun(i);
		char name[16];

		snprintf(name, sizeof(name), "vx%d", i);
		no[i] = o_vxlan(W.br, name, &t);
	}
}

/* A thousand ports are one snapshot, which knows each of them; taking them away is one, too. */
static void one_snapshot(void **state)
{
	struct vx *vx = W.t->vx;
	uint64_t seq = W.d->seq;
	static uint16_t no[MANY];
	char why[64];

	(void)state;
	ofproto_hold(vx);
	ofproto_hold(vx);
	add_many(no);
	ofproto_release(vx);
	assert_int_equal(W.d->seq, seq);
	assert_int_equal(snap()->bridges[0].n_ports, 1);
	ofproto_release(vx);
	assert_int_equal(W.d->seq, seq + 1);
	assert_int_equal(snap()->bridges[0].n_ports, MANY + 1);
	for (int i = 0; i < MANY; i++) {
		struct tunnel_cfg t = tun(i);

		snprintf(why, sizeof(why), "vx%d", i);
		assert_int_equal(ofproto_port_find(W.br, why), no[i]);
		assert_int_equal(ofproto_port_add(W.br,
						  &(struct ofproto_port_cfg){
							  .name = "twin", .type = "vxlan", .tun = t},
						  &no[i], NULL),
				 -EEXIST);
	}
	/* As they are already: nothing to tell. */
	for (int i = 0; i < MANY; i++) {
		struct tunnel_cfg t = tun(i);

		assert_int_equal(ofproto_port_reconfigure(
					 W.br, no[i], &(struct ofproto_port_cfg){.tun = t}, NULL),
				 0);
	}
	assert_int_equal(W.d->seq, seq + 1);
	ofproto_destroy(W.br, true);
	W.br = NULL;
}

/* What is taken away is there for workers until the snapshot goes that names it; what comes in its
 * place has to wait for that. */
static void leaves_late(void **state)
{
	struct vx *vx = W.t->vx;
	uint16_t a = o_port(W.br, "a", "internal", NULL), again;
	uint64_t seq = W.d->seq;

	(void)state;
	ofproto_hold(vx);
	ofproto_bundle_del(W.br, (void *)(uintptr_t)a);
	assert_int_equal(ofproto_port_del(W.br, a, true), 0);
	assert_int_equal(W.d->seq, seq);
	assert_int_equal(list_is_empty(&W.d->leaving_ports), false);
	assert_int_equal(snap()->by_dp[2]->ofport, a);
	assert_int_equal(ofproto_port_find(W.br, "a"), OFPORT_NONE);
	assert_int_equal(ofproto_port_del(W.br, a, true), -ENOENT);
	again = o_port(W.br, "a", "internal", NULL); /* its name is free now */
	assert_true(list_is_empty(&W.d->leaving_ports));
	assert_int_equal(W.d->seq, seq + 1);
	ofproto_release(vx);
	assert_int_equal(W.d->seq, seq + 2);
	assert_int_equal(snap()->by_dp[2]->ofport, again);
}

/* A tunnel's device stays while a snapshot leads packets to it, and goes with the last. */
static void device_late(void **state)
{
	struct tunnel_cfg t = tun(1), other = t;
	uint16_t no = o_vxlan(W.br, "vx1", &t);
	struct ofproto_port_view v;

	(void)state;
	other.dst_port = 4790;
	ofproto_hold(W.t->vx);
	assert_int_equal(ofproto_port_reconfigure(W.br, no,
						  &(struct ofproto_port_cfg){.tun = other}, NULL),
			 0);
	assert_int_equal(container_of(W.d->ports.prev->prev, struct dpif_port, node)->udp_port,
			 4789);
	ofproto_release(W.t->vx);
	list_for_each (dp, &W.d->ports, struct dpif_port, node)
		assert_int_not_equal(dp->udp_port, 4789);
	assert_true(ofproto_port_by_name(W.d, "vx1", &v));
	assert_int_equal(v.tun->dst_port, 4790);
	/* The identity of before is free, that of now is not. */
	o_vxlan(W.br, "vx2", &t);
	assert_int_equal(ofproto_port_add(W.br,
					  &(struct ofproto_port_cfg){
						  .name = "vx3", .type = "vxlan", .tun = other},
					  &no, NULL),
			 -EEXIST);
}

/* Without memory workers are given the snapshot that is kept in reserve for that; no other comes before
 * there is one in reserve again. */
static void reserve(void **state)
{
	(void)state;
	snap_free(W.d->empty);
	W.d->empty = NULL; /* as after dpif_publish_removal() without memory */
	o_port(W.br, "a", "internal", NULL);
	assert_non_null(W.d->empty);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(one_snapshot), T(leaves_late), T(device_late), T(reserve)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
