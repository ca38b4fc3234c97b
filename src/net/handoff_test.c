/* SPDX-License-Identifier: Apache-2.0 */
/* Handing packets to the worker of their flow (stack.md B3), with three workers on one thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/backlog.h"
#include "net/gro.h"
#include "net/handoff.h"
#include "net/link.h"
#include "net/ptype.h"
#include "wire/eth.h"

enum { WORKERS = 3, ETHTYPE_TEST = 0x88b5, MANY = 2500 };

/* What arrived, by worker and in order. */
static struct {
	uint32_t n;
	uint8_t worker;
	uint32_t seq[16]; /* last of each flow */
	uint8_t on[16];	  /* the flow's worker + 1 */
	bool bad;
	void (*then)(struct worker *w); /* while the packets are in the worker's hands */
} seen;

static uint32_t wakes;

static void arrived(struct worker *w, struct batch *b)
{
	if (seen.then)
		seen.then(w);
	for (uint32_t i = 0; i < b->n; i++) {
		uint32_t flow = b->p[i]->data[0], seq;

		memcpy(&seq, b->p[i]->data + 1, sizeof(seq));
		seen.bad |= seen.on[flow] && seen.on[flow] != w->id + 1;
		seen.bad |= seq <= seen.seq[flow];
		seen.on[flow] = (uint8_t)(w->id + 1);
		seen.seq[flow] = seq;
		seen.n++;
		pkt_consume(w, b->p[i]);
	}
}

static void on_wake(void *ctx, uint32_t id)
{
	(void)ctx;
	assert_true(id < WORKERS);
	wakes++;
}

static void no_xmit(struct worker *w, struct dev *d, struct batch *b)
{
	(void)d;
	for (uint32_t i = 0; i < b->n; i++)
		pkt_drop(w, b->p[i], DROP_tx_failed);
}

static int cells_init(struct dev *d)
{
	return gro_cells_init(d);
}

static bool is_freed;

static void freed(struct dev *d)
{
	(void)d;
	is_freed = true;
}

static void test_setup(struct dev *d)
{
	static const struct dev_ops ops = {
		.init = cells_init, .uninit = freed, .xmit = no_xmit};

	d->ops = &ops;
}

static int test_newlink(struct dev *d, const struct link_cfg *cfg, const void *opts,
			uint64_t present, struct vx_err *err)
{
	return 0;
}

static struct ptype all = {.type = ETHTYPE_TEST, .rcv = arrived};
static const struct link_type type = {.kind = "test", .setup = test_setup, .newlink = test_newlink};

static struct vx *make(struct dev **d)
{
	struct vx_config cfg = {.n_workers = WORKERS, .key = {1, 2}, .random = 3,
				.wake_worker = on_wake};
	struct link_cfg link = {.name = "t0", .has_up = true, .up = true};
	struct vx *vx = vx_new(&cfg);

	assert_non_null(vx);
	memset(&seen, 0, sizeof(seen));
	wakes = 0;
	assert_int_equal(link_register(vx, &type), 0);
	assert_int_equal(ptype_add(vx, &all), 0);
	assert_int_equal(link_newlink(vx, &type, &link, NULL, 0, NULL, d), 0);
	return vx;
}

/* A frame of flow 'flow', as it leaves vxlan_rcv; the hash is the flow's. */
static struct pkt *frame(struct worker *w, struct dev *d, uint8_t flow, uint32_t seq)
{
	struct pkt *p = pkt_make(w, 100);
	struct eth_hdr *eth = pkt_append(p, sizeof(*eth));
	uint8_t *body;

	*eth = (struct eth_hdr){.dst = d->mac, .type = be16_put(ETHTYPE_TEST)};
	body = pkt_append(p, 40);
	body[0] = flow;
	memcpy(body + 1, &seq, sizeof(seq));
	assert_true(eth_type_trans(p, d));
	p->orig_dev = d;
	p->hash = flow + 1u;
	return p;
}

static void turn_all(struct vx *vx)
{
	for (int i = 0; i < 64; i++)
		for (uint32_t k = 0; k < WORKERS; k++)
			vx_turn(vx, k, 1);
}

/* Nothing is left anywhere. */
static void check_account(struct vx *vx, uint64_t dropped)
{
	struct pool_stats ps = vx_pool_stats(vx);
	struct account a;

	vx_account(vx, &a);
	assert_int_equal(account_open(&a), vx_held(vx));
	assert_int_equal(vx_held(vx), 0);
	assert_int_equal(a.to_worker, a.from_worker);
	assert_int_equal(account_dropped(&a), dropped);
	assert_int_equal(ps.pkts_out + ps.small_out + ps.big_out, 0);
}

static void flows_keep_their_worker(void **state)
{
	struct dev *d;
	struct vx *vx = make(&d);
	struct account a;

	for (uint32_t seq = 1; seq <= 20; seq++) {
		struct batch b;

		batch_init(&b);
		for (uint8_t flow = 0; flow < 12; flow++)
			batch_add(&b, frame(vx->workers[seq % WORKERS], d, flow, seq));
		handoff_receive(vx->workers[seq % WORKERS], &b);
		/* One worker is behind the others: order within a flow has to hold all the same. */
		vx_turn(vx, seq % 2, 1);
		turn_all(vx);
	}
	assert_int_equal(seen.n, 20 * 12);
	assert_false(seen.bad);
	assert_true(wakes > 0);
	vx_account(vx, &a);
	assert_int_equal(a.to_worker, 20 * 8); /* of 12 flows 4 are each worker's own */
	check_account(vx, 0);
	vx_free(vx);
}

static void a_full_backlog_drops(void **state)
{
	struct dev *d;
	struct vx *vx = make(&d);
	struct dev_stats st;
	uint32_t seq = 0;

	while (seq < MANY) {
		struct batch b;

		batch_init(&b);
		for (int i = 0; i < BATCH_MAX && seq < MANY; i++)
			batch_add(&b, frame(vx->workers[0], d, 0, ++seq)); /* hash 1: worker 1's */
		handoff_receive(vx->workers[0], &b);
	}
	dev_sum_stats(d, &st);
	assert_int_equal(st.rx_dropped, MANY - BACKLOG_MAX);
	turn_all(vx);
	assert_int_equal(seen.n, BACKLOG_MAX);
	assert_false(seen.bad);
	check_account(vx, MANY - BACKLOG_MAX);
	vx_free(vx);
}

/* A device that goes while packets of it wait for another worker stays until they are gone. */
static void a_device_outlives_its_packets(void **state)
{
	struct dev *d;
	struct vx *vx = make(&d);
	struct batch b;

	batch_init(&b);
	batch_add(&b, frame(vx->workers[0], d, 0, 1));
	handoff_receive(vx->workers[0], &b);
	link_dellink(d, false);
	for (uint32_t k = 0; k < WORKERS; k++)
		if (k != 1)
			vx_turn(vx, k, 1);
	quiesce_reap(&vx->quiesce);
	turn_all(vx);
	assert_int_equal(seen.n, 1);
	quiesce_reap(&vx->quiesce);
	check_account(vx, 0);
	vx_free(vx);
}

/* Control looks while the packet waits nowhere, but is in a worker's hands. */
static void look(struct worker *w)
{
	quiesce_reap(&w->vx->quiesce);
	assert_false(is_freed);
}

static void a_device_outlives_what_is_in_hands(void **state)
{
	struct dev *d;
	struct vx *vx = make(&d);
	struct pkt *p = frame(vx->workers[0], d, 0, 1);

	is_freed = false;
	seen.then = look;
	pkt_push(p, pkt_off(p) - p->mac_off);
	gro_cells_receive(vx->workers[0], d, p);
	link_dellink(d, false);
	vx_turn(vx, 0, 1); /* from its cell to worker 1 */
	look(vx->workers[0]);
	vx_turn(vx, 0, 1);
	vx_turn(vx, 2, 1);
	vx_turn(vx, 1, 1); /* has it in hands, and all have passed */
	assert_int_equal(seen.n, 1);
	for (int i = 0; i < 8 && !is_freed; i++) {
		turn_all(vx);
		quiesce_reap(&vx->quiesce);
	}
	assert_true(is_freed);
	check_account(vx, 0);
	vx_free(vx);
}

static void shutdown_drops(void **state)
{
	struct dev *d;
	struct vx *vx = make(&d);
	struct batch b;

	batch_init(&b);
	batch_add(&b, frame(vx->workers[0], d, 0, 1));
	handoff_receive(vx->workers[0], &b);
	assert_int_equal(vx_held(vx), 0); /* no walk finds it: it is counted as handed over */
	vx_drop_held(vx);
	assert_int_equal(seen.n, 0);
	check_account(vx, 1);
	vx_free(vx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_keep_their_worker),
		cmocka_unit_test(a_full_backlog_drops),
		cmocka_unit_test(a_device_outlives_its_packets),
		cmocka_unit_test(a_device_outlives_what_is_in_hands),
		cmocka_unit_test(shutdown_drops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
