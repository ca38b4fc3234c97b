/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers that translate and learn while control changes, flushes and revalidates what they look
 * at.  For ThreadSanitizer, and for the sanitizer that sees what was freed too early.
 */
#include <stdio.h>

#include "ofproto/testing.h"
#include "ofproto/translate.h"

enum { WORKERS = 2, PACKETS = 20000, ROUNDS_MIN = 50 };

static struct t_net *T;
static struct dpif *D;
static _Atomic bool stop;
static _Atomic uint64_t done[WORKERS], dropped;

static void one(uint32_t id, uint32_t i)
{
	struct flow_key k = {.in_port = 2 + i % 6, .eth_type = be16_put(0x1234)};
	struct translation t = {.snap = atomic_load_explicit(&D->snap, memory_order_acquire),
				.key = &k,
				.learn = true,
				.seen = vx_now(T->vx)};

	k.eth_src = (struct mac){{2, 0, 0, 0, (uint8_t)id, (uint8_t)(i * 7)}};
	k.eth_dst = (struct mac){{2, 0, 0, 0, (uint8_t)!id, (uint8_t)i}};
	if (i % 6 == 4) {
		k.tun.flags = TUN_PRESENT | TUN_KEY;
		k.tun.src = t_addr("10.1.1.2");
		k.tun.id = 100;
	}
	translate(&t);
	effects_push(t.effects.e, t.effects.n, &k.eth_src, 1, 100, id, t.seen);
	if (!t.actions)
		atomic_fetch_add(&dropped, 1);
	if (t.install)
		table_put(D->table, &k, &t.mask, actions_get(t.actions), NULL, TABLE_CREATE, NULL);
	translation_done(&t);
}

static void *worker(void *arg)
{
	uint32_t id = (uint32_t)(uintptr_t)arg;

	for (uint32_t i = 0; !stop; i++) {
		quiesce_pass(&T->vx->quiesce, id);
		one(id, i);
		atomic_store(&done[id], i + 1);
	}
	quiesce_idle(&T->vx->quiesce, id);
	return NULL;
}

/* Everything that control may do to a bridge while packets come. */
static void round_of(struct ofproto *br, uint32_t i, uint16_t *no)
{
	struct bundle_cfg b = {.tag = i % 3 ? 10 : -1,
			       .vlan_mode = i % 3 ? VLAN_NATIVE_UNTAGGED : VLAN_TRUNK};
	struct tunnel_cfg t = o_tun("10.1.1.2", i % 2 ? 100 : 101);

	o_bundle(br, no[0], b);
	ofproto_port_reconfigure(br, no[4], &(struct ofproto_port_cfg){.tun = t}, NULL);
	ofproto_bundle_del(br, (void *)(uintptr_t)no[1]);
	ofproto_port_del(br, no[1], true);
	no[1] = o_port(br, "p1", "", NULL);
	if (i % 5 == 0)
		ofproto_mac_flush(br);
	T->now += 50 * NS_PER_MS;
	vx_control_turn(T->vx, T->now);
	ofproto_run(br, T->now);
	if (i % 7 == 0)
		revalidate_all(D, T->now);
	quiesce_reap(&T->vx->quiesce);
}

/* Each worker has done something; packets came by the tunnel, and for a key that it had not. */
static bool had_share(struct ofproto *br, uint16_t vx1)
{
	struct ofproto_port_stats st;

	assert_int_equal(ofproto_port_stats(br, vx1, &st), 0);
	return done[0] >= PACKETS && done[1] >= PACKETS && st.rx_packets && dropped;
}

static void together(void **state)
{
	static const char *const names[] = {"p0", "p1", "p2", "p3", "vx1"};
	struct tunnel_cfg tun = o_tun("10.1.1.2", 100);
	struct ofproto_port_stats st;
	struct ofproto *br, *second;
	pthread_t thread[WORKERS];
	uint16_t no[5];
	uint32_t i = 0;

	(void)state;
	T = t_new_workers(WORKERS);
	dpif_dummy_enable(T->vx);
	assert_int_equal(o_create(T->vx, "br0", "dummy", NULL, &br), 0);
	D = ofproto_dpif(br);
	for (int k = 0; k < 4; k++)
		no[k] = o_port(br, names[k], "", NULL);
	no[4] = o_vxlan(br, names[4], &tun);
	ofproto_set_mac_table_size(br, 100);
	for (uintptr_t k = 0; k < WORKERS; k++)
		assert_int_equal(pthread_create(&thread[k], NULL, worker, (void *)k), 0);
	while (i < ROUNDS_MIN || !had_share(br, no[4])) {
		round_of(br, i++, no);
		if (i % 10 == 0) { /* a bridge comes and goes */
			assert_int_equal(o_create(T->vx, "br1", "dummy", NULL, &second), 0);
			o_port(second, "q", "patch", "nobody");
			ofproto_destroy(second, true);
		}
	}
	stop = true;
	for (int k = 0; k < WORKERS; k++)
		pthread_join(thread[k], NULL);
	/* Each of the tunnel's packets that was taken is counted once. */
	assert_int_equal(ofproto_port_stats(br, no[4], &st), 0);
	assert_true(st.rx_packets <= (done[0] + done[1]) / 6 + WORKERS);
	assert_int_equal(st.rx_bytes, st.rx_packets * 100);
	ofproto_destroy(br, true);
	t_end(T);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
