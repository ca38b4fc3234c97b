/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of ports in memory, across two struct vx and inside one. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "io/mem.h"
#include "net/napi.h"
#include "net/ptype.h"
#include "wire/eth.h"

enum { TYPE = 0x88b5 };

/* One struct vx with a receiver that keeps what it gets. */
struct side {
	struct vx *vx;
	struct mem_ctx ctx;
	struct ptype rcv;
	uint32_t n;
	struct pkt *last;
};
static struct side A, B;

static void keep(struct side *s, struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		s->n++;
		w->acct.local++;
		pkt_free(s->last);
		s->last = b->p[i];
	}
}

static void keep_a(struct worker *w, struct batch *b)
{
	keep(&A, w, b);
}

static void keep_b(struct worker *w, struct batch *b)
{
	keep(&B, w, b);
}

static void side_init(struct side *s, void (*rcv)(struct worker *, struct batch *))
{
	struct vx_config cfg = {.n_workers = 1, .key = {1, 2}, .random = 3, .now = NS_PER_S};

	*s = (struct side){.vx = vx_new(&cfg)};
	assert_int_equal(mem_init_module(s->vx, &s->ctx), 0);
	s->rcv = (struct ptype){.type = TYPE, .rcv = rcv};
	assert_int_equal(ptype_add(s->vx, &s->rcv), 0);
}

static void check(struct side *s)
{
	struct account a;

	vx_account(s->vx, &a);
	assert_int_equal(account_open(&a), 0);
	pkt_free(s->last);
	s->last = NULL;
	while (s->vx->n_devs)
		link_dellink(container_of(s->vx->devs.prev, struct dev, node), false);
	quiesce_idle(&s->vx->quiesce, 0);
	quiesce_reap(&s->vx->quiesce);
}

static void side_done(struct side *s)
{
	assert_int_equal(vx_pool_stats(s->vx).pkts_out, 0);
	assert_int_equal(vx_pool_stats(s->vx).small_out, 0);
	assert_int_equal(vx_pool_stats(s->vx).big_out, 0);
	ptype_del(s->vx, &s->rcv);
	vx_free(s->vx);
}

static int setup(void **state)
{
	side_init(&A, keep_a);
	side_init(&B, keep_b);
	return 0;
}

static int teardown(void **state)
{
	check(&A);
	check(&B);
	side_done(&A);
	side_done(&B);
	return 0;
}

static int add(struct side *s, const char *name, const char *peer, struct dev **out)
{
	struct link_cfg c = {.has_up = true, .up = true};
	struct {
		char peer[DEV_NAME_MAX];
		uint32_t index;
	} o = {""};

	snprintf(c.name, sizeof(c.name), "%s", name);
	if (peer)
		snprintf(o.peer, sizeof(o.peer), "%s", peer);
	return link_newlink(s->vx, link_type_find(s->vx, "mem"), &c, &o, peer != NULL, NULL, out);
}

static struct pkt *frame(struct side *s, uint32_t len, uint8_t fill)
{
	struct pkt *p = pkt_make(s->vx->workers[0], len);
	struct eth_hdr *eth = pkt_append(p, len);

	memset(eth, fill, len);
	eth->type = be16_put(TYPE);
	return p;
}

static void xmit(struct side *s, struct dev *d, struct pkt *p)
{
	struct batch b = {.n = 1, .p = {p}};

	dev_queue_xmit(s->vx->workers[0], d, &b);
}

static void run(void)
{
	bool more = true;

	while (more) {
		more = vx_turn(A.vx, 0, 2 * NS_PER_S);
		more |= vx_turn(B.vx, 0, 2 * NS_PER_S);
	}
}

static uint64_t dropped(struct side *s, enum drop why)
{
	struct account a;

	vx_account(s->vx, &a);
	return a.dropped[why];
}

static void join(struct dev **a, struct dev **b)
{
	assert_int_equal(add(&A, "a", NULL, a), 0);
	assert_int_equal(add(&B, "b", NULL, b), 0);
	assert_int_equal(io_mem_pair(*a, *b), 0);
}

static void across(void **state)
{
	struct dev *a, *b;
	struct account acct;

	join(&a, &b);
	assert_ptr_equal(io_mem_peer(a), b);
	assert_int_equal(io_mem_pair(a, b), -EBUSY);
	xmit(&A, a, frame(&A, 60, 7));
	xmit(&A, a, frame(&A, 1514, 8));
	run();
	assert_int_equal(B.n, 2);
	assert_int_equal(B.last->len, 1500); /* behind the Ethernet header */
	assert_int_equal(B.last->data[1499], 8);
	assert_ptr_equal(B.last->pool, B.vx->workers[0]->pool);
	xmit(&B, b, frame(&B, 60, 9));
	run();
	assert_int_equal(A.n, 1);
	vx_account(A.vx, &acct);
	assert_int_equal(acct.tx, 2);
	assert_int_equal(acct.rx, 1);
	vx_account(B.vx, &acct);
	assert_int_equal(acct.tx, 1);
	assert_int_equal(acct.rx, 2);
	assert_int_equal(dev_stats(a, A.vx->workers[0])->tx_bytes, 60 + 1514);
	assert_int_equal(dev_stats(b, B.vx->workers[0])->rx_bytes, 60 + 1514);
}

/* A super-frame in pieces arrives whole, its unfinished checksum where it was. */
static void super_frame(void **state)
{
	struct dev *a, *b;
	struct pkt *p;

	join(&a, &b);
	p = frame(&A, 1000, 1);
	p->csum_state = CSUM_PARTIAL;
	p->csum_start = pkt_off(p) + 34;
	p->csum_offset = 16;
	p->gso_type = GSO_TCP4;
	p->gso_size = 1448;
	p->gso_segs = 40;
	for (int i = 2; i < 40; i++) {
		struct pkt *f = pkt_new(A.vx->workers[0]->pool, 1500);

		memset(pkt_append(f, 1500), i, 1500);
		pkt_add_frag(p, f);
	}
	pkt_push(p, 20); /* another headroom than a new packet's */
	memset(p->data, 0, 20);
	((struct eth_hdr *)p->data)->type = be16_put(TYPE);
	xmit(&A, a, p);
	run();
	assert_int_equal(B.n, 1);
	assert_int_equal(pkt_total(B.last) + 14, 1020 + 38 * 1500);
	assert_int_equal(B.last->csum_state, CSUM_PARTIAL);
	assert_int_equal(B.last->csum_start - B.last->mac_off, 34 + 20);
	assert_int_equal(B.last->csum_offset, 16);
	assert_int_equal(B.last->gso_type, GSO_TCP4);
	assert_int_equal(B.last->gso_size, 1448);
	assert_int_equal(B.last->gso_segs, 40);
	assert_int_equal(B.last->data[B.last->len - 1], 39);
}

/* O2. */
static void full(void **state)
{
	struct dev *a, *b;

	join(&a, &b);
	for (int i = 0; i < MEM_QUEUE_MAX + 5; i++)
		xmit(&A, a, frame(&A, 60, 1));
	assert_int_equal(dropped(&A, DROP_tx_queue_full), 5);
	assert_int_equal(dev_stats(a, A.vx->workers[0])->tx_dropped, 5);
	run();
	assert_int_equal(B.n, MEM_QUEUE_MAX);
}

static void alone(void **state)
{
	struct dev *a, *b, *c;

	assert_int_equal(add(&A, "a", NULL, &a), 0);
	xmit(&A, a, frame(&A, 60, 1)); /* never had a peer */
	assert_int_equal(dropped(&A, DROP_tx_failed), 1);
	assert_int_equal(add(&B, "b", NULL, &b), 0);
	assert_int_equal(io_mem_pair(a, b), 0);
	xmit(&A, a, frame(&A, 60, 1)); /* on its way when the end goes */
	link_dellink(b, false);
	xmit(&A, a, frame(&A, 60, 1));
	assert_int_equal(dropped(&A, DROP_tx_failed), 2);
	assert_null(io_mem_peer(a));
	assert_int_equal(add(&B, "c", NULL, &c), 0);
	assert_int_equal(io_mem_pair(a, c), 0); /* before the old end is quite gone */
	run();
	vx_control_turn(B.vx, 3 * NS_PER_S);
	vx_control_turn(A.vx, 3 * NS_PER_S);
	xmit(&A, a, frame(&A, 60, 2));
	xmit(&B, c, frame(&B, 60, 2));
	run();
	assert_int_equal(B.n, 1);
	assert_int_equal(A.n, 1);
}

static void sender_goes_first(void **state)
{
	struct dev *a, *b;

	join(&a, &b);
	xmit(&A, a, frame(&A, 60, 1));
	xmit(&B, b, frame(&B, 60, 1));
	check(&A); /* its packet must not outlive its pool */
	assert_int_equal(vx_pool_stats(A.vx).pkts_out, 0);
	run();
	assert_int_equal(B.n, 0);
}

static void port_down(void **state)
{
	struct dev *a, *b;

	join(&a, &b);
	dev_change_flags(b, false, NULL);
	xmit(&A, a, frame(&A, 60, 1));
	run();
	assert_int_equal(dropped(&B, DROP_dev_down), 1);
}

static void no_buffers(void **state)
{
	struct pkt *hold[4];
	struct vx_config cfg = {.n_workers = 1, .now = NS_PER_S, .pool_pkts = 4, .pool_small = 4,
				.pool_big = 1};
	struct side c = {.vx = vx_new(&cfg)};
	struct dev *a, *d;

	assert_int_equal(mem_init_module(c.vx, &c.ctx), 0);
	assert_int_equal(add(&A, "a", NULL, &a), 0);
	assert_int_equal(add(&c, "c", NULL, &d), 0);
	assert_int_equal(io_mem_pair(a, d), 0);
	for (int i = 0; i < 4; i++)
		hold[i] = pkt_new(c.vx->workers[0]->pool, 60);
	xmit(&A, a, frame(&A, 60, 1));
	vx_turn(c.vx, 0, NS_PER_S);
	assert_int_equal(dropped(&c, DROP_no_memory), 1);
	for (int i = 0; i < 4; i++)
		pkt_free(hold[i]);
	vx_free(c.vx);
}

/* `vx link add m0 type mem peer m1` */
static void inside_one(void **state)
{
	struct dev *m0, *m1;
	struct {
		char peer[DEV_NAME_MAX];
		uint32_t index;
	} o;

	assert_int_equal(add(&A, "m0", "m1", &m0), 0);
	m1 = dev_by_name(A.vx, "m1");
	assert_non_null(m1);
	assert_ptr_equal(io_mem_peer(m0), m1);
	assert_true(m1->link_flags & DEV_SECOND);
	m1->type->fill_info(m1, &o);
	assert_string_equal(o.peer, "m0");
	assert_int_equal(o.index, 0);
	m0->type->fill_info(m0, &o);
	assert_int_equal(o.index, m1->ifindex);
	dev_change_flags(m1, true, NULL);
	xmit(&A, m0, frame(&A, 60, 1));
	run();
	assert_int_equal(A.n, 1);
	assert_ptr_equal(A.last->dev, m1);
	link_dellink(m0, false); /* takes m1 with it */
	assert_null(dev_by_name(A.vx, "m1"));
	assert_int_equal(add(&A, "m0", "m1", &m0), 0);
	link_dellink(dev_by_name(A.vx, "m1"), false); /* leaves m0 */
	assert_ptr_equal(dev_by_name(A.vx, "m0"), m0);
	assert_int_equal(add(&A, "m2", "m0", &m1), 0); /* joins the lonely one */
	assert_ptr_equal(io_mem_peer(m0), m1);
	link_dellink(m1, false);
	assert_ptr_equal(dev_by_name(A.vx, "m0"), m0);
}

static void refused(void **state)
{
	struct dev *d;

	assert_int_equal(add(&A, "m0", "m0", &d), -EINVAL);
	assert_int_equal(add(&A, "m0", "a/b", &d), -EINVAL);
	assert_int_equal(A.vx->n_devs, 0);
	assert_int_equal(add(&A, "m0", "m1", &d), 0);
	assert_int_equal(add(&A, "m2", "m1", &d), -EEXIST);
	assert_int_equal(A.vx->n_devs, 2);
}

static void wake(void *ctx, struct napi *n)
{
	++*(int *)ctx;
	napi_schedule(n);
}

static void own_wake(void **state)
{
	struct dev *a, *b;
	int woken = 0;

	join(&a, &b);
	io_mem_set_wake(b, wake, &woken);
	xmit(&A, a, frame(&A, 60, 1));
	assert_int_equal(woken, 1);
	run();
	assert_int_equal(B.n, 1);
}

/* Two workers: who sends on one wakes the other through an eventfd, and itself without one. */
static struct {
	int fd;
	struct napi *n;
} loop[2];

static int loop_add(void *ctx, int fd, struct napi *n)
{
	loop[n->w->id].fd = fd;
	loop[n->w->id].n = n;
	return 0;
}

static void loop_del(void *ctx, int fd, struct napi *n)
{
	assert_int_equal(fd, loop[n->w->id].fd);
	loop[n->w->id].n = NULL;
}

static bool readable(int i)
{
	struct pollfd p = {.fd = loop[i].fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void two_workers(void **state)
{
	const struct io_wake wk = {loop_add, loop_del, NULL};
	struct vx_config cfg = {.n_workers = 2, .now = NS_PER_S};
	struct side c = {.vx = vx_new(&cfg), .ctx = {.wake = &wk}};
	struct dev *d[2];
	struct account a;
	struct batch b = {.n = 1};

	assert_int_equal(mem_init_module(c.vx, &c.ctx), 0);
	assert_int_equal(add(&c, "m0", "m1", &d[0]), 0);
	d[1] = dev_by_name(c.vx, "m1");
	dev_change_flags(d[1], true, NULL);
	if (loop[0].n->ctx != atomic_load(&d[0]->io)) { /* d[i]'s napi is worker i's */
		d[1] = d[0];
		d[0] = dev_by_name(c.vx, "m1");
	}
	b.p[0] = frame(&c, 60, 1); /* worker 0's */
	dev_queue_xmit(c.vx->workers[0], d[0], &b);
	assert_true(readable(1));
	assert_false(loop[1].n->scheduled);
	napi_schedule(loop[1].n); /* as the event loop does */
	while (vx_turn(c.vx, 1, NS_PER_S))
		;
	assert_false(readable(1));
	b.p[0] = frame(&c, 60, 1);
	b.n = 1;
	dev_queue_xmit(c.vx->workers[0], d[1], &b); /* to a port of its own */
	assert_false(readable(0));
	while (vx_turn(c.vx, 0, NS_PER_S))
		;
	vx_account(c.vx, &a);
	assert_int_equal(a.rx, 2);
	assert_int_equal(a.tx, 2);
	assert_int_equal(a.dropped[DROP_unhandled_proto], 2);
	vx_free(c.vx);
	assert_null(loop[0].n);
	assert_null(loop[1].n);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(across), T(super_frame), T(full), T(alone), T(sender_goes_first), T(port_down),
		T(no_buffers), T(inside_one), T(refused), T(own_wake), T(two_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
