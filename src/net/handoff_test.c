/* SPDX-License-Identifier: Apache-2.0 */
/* Handing packets to the worker of their flow (stack.md B3), with three workers: on one thread, and on
 * one each. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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

static _Atomic uint32_t wakes;

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
	atomic_fetch_add(&wakes, 1);
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

/* Nothing is left anywhere; how many were dropped. */
static uint64_t check_end(struct vx *vx)
{
	struct pool_stats ps = vx_pool_stats(vx);
	struct account a;

	vx_account(vx, &a);
	assert_int_equal(account_open(&a), vx_held(vx));
	assert_int_equal(vx_held(vx), 0);
	assert_int_equal(a.to_worker, a.from_worker);
	assert_int_equal(ps.pkts_out + ps.small_out + ps.big_out, 0);
	return account_dropped(&a);
}

static void check_account(struct vx *vx, uint64_t dropped)
{
	assert_int_equal(check_end(vx), dropped);
}

/* B3. */
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

/* --- threads ----------------------------------------------------------------------------------- */

enum { DEVICES = 300, FLOWS = 12, ENOUGH = 3000 };

/* One worker: its frames come from a napi of its own, for whichever device is there. */
struct thread {
	pthread_t thread;
	struct vx *vx;
	uint32_t id;
	struct napi napi;
	uint32_t seq;
	_Atomic uint64_t arrived;
};

static struct thread threads[WORKERS];
static _Atomic(struct dev *) device;
static _Atomic uint32_t running;
static _Atomic bool stop;

static uint32_t receive(struct napi *n, struct worker *w, uint32_t budget)
{
	struct thread *t = n->ctx;
	struct dev *d = atomic_load(&device);

	for (int i = 0; i < 8 && d; i++) {
		t->seq++;
		gro_cells_receive(w, d, frame(w, d, (uint8_t)(t->seq % FLOWS), t->seq));
	}
	return budget; /* there is always more */
}

static void count(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		atomic_fetch_add(&threads[w->id].arrived, b->p[i]->dev->ifindex != 0);
		pkt_consume(w, b->p[i]);
	}
}

static void *turns(void *arg)
{
	struct thread *t = arg;

	napi_init(&t->napi, t->vx->workers[t->id], receive, t);
	atomic_fetch_add(&running, 1);
	while (!atomic_load(&stop)) {
		napi_schedule(&t->napi);
		vx_turn(t->vx, t->id, 1);
		sched_yield(); /* there may be fewer processors */
	}
	napi_remove(&t->napi);
	quiesce_idle(&t->vx->quiesce, t->id);
	return NULL;
}

/* Have all of them worked, beside each other and beside control? */
static bool is_enough(void)
{
	for (uint32_t k = 0; k < WORKERS; k++)
		if (atomic_load(&threads[k].arrived) < ENOUGH)
			return false;
	return true;
}

/* Devices come and go while frames of theirs are on their way between workers. */
static void devices_come_and_go(void **state)
{
	struct link_cfg link = {.has_up = true, .up = true};
	struct dev *d, *old;
	struct vx *vx;

	all.rcv = count;
	vx = make(&d);
	atomic_store(&device, d);
	for (uint32_t k = 0; k < WORKERS; k++) {
		threads[k] = (struct thread){.vx = vx, .id = k};
		assert_int_equal(pthread_create(&threads[k].thread, NULL, turns, &threads[k]), 0);
	}
	while (atomic_load(&running) < WORKERS)
		sched_yield();
	for (uint32_t i = 0; i < DEVICES || !is_enough(); i++) {
		snprintf(link.name, sizeof(link.name), "t%u", i + 1);
		assert_int_equal(link_newlink(vx, &type, &link, NULL, 0, NULL, &d), 0);
		old = atomic_exchange(&device, d);
		link_dellink(old, false);
		for (int k = 0; k < 4; k++) {
			quiesce_wait(&vx->quiesce);
			quiesce_reap(&vx->quiesce);
		}
	}
	atomic_store(&stop, true);
	for (uint32_t k = 0; k < WORKERS; k++)
		pthread_join(threads[k].thread, NULL);
	turn_all(vx);
	vx_drop_held(vx);
	check_end(vx);
	vx_free(vx);
	all.rcv = arrived;
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
		cmocka_unit_test(devices_come_and_go),
		cmocka_unit_test(shutdown_drops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
