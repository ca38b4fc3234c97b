/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge, frames in and frames out: ports are a link type of the test's own, which receives
 * what the test puts in and keeps what is sent.  After every case the accounting has to be exact
 * and every buffer back in its pool.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bridge/bridge.h"
#include "bridge/options.h"
#include "net/backlog.h"
#include "net/napi.h"
#include "net/ptype.h"
#include "net/watch.h"
#include "wire/eth.h"

/* --- ports ----------------------------------------------------------------------------------- */

struct tport {
	struct io io;
	struct napi napi;
	struct pkt_queue in, out;
};

static struct tport *tport_of(struct dev *d)
{
	return container_of(atomic_load(&d->io), struct tport, io);
}

static uint32_t tport_rx(struct io *io, struct worker *w, struct batch *b, uint32_t budget)
{
	struct tport *t = container_of(io, struct tport, io);
	uint32_t n = pkt_queue_take(&t->in, b, budget);

	for (uint32_t i = 0; i < b->n; i++)
		b->p[i]->dev = io->dev;
	w->acct.rx += n;
	return n;
}

static void tport_tx(struct io *io, struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		pkt_queue_add(&container_of(io, struct tport, io)->out, b->p[i]);
	w->acct.tx += b->n;
	b->n = 0;
}

static void tport_free(void *arg)
{
	struct tport *t = arg;
	struct batch b;

	napi_remove(&t->napi);
	do {
		batch_init(&b);
		pkt_queue_take(&t->in, &b, BATCH_MAX);
		if (!b.n)
			pkt_queue_take(&t->out, &b, BATCH_MAX);
		for (uint32_t i = 0; i < b.n; i++)
			pkt_free(b.p[i]);
	} while (b.n);
	free(t);
}

static void tport_close(struct io *io, bool keep)
{
	quiesce_defer(&io->vx->quiesce, tport_free, container_of(io, struct tport, io));
}

static const struct io_ops tport_ops = {
	.name = "tport", .rx = tport_rx, .tx = tport_tx, .close = tport_close};
static const struct dev_ops tport_dev_ops = {.xmit = port_xmit};

static void tport_setup(struct dev *d)
{
	d->ops = &tport_dev_ops;
}

static int tport_newlink(struct dev *d, const struct link_cfg *cfg, const void *opts,
			 uint64_t present, struct vx_err *err)
{
	struct tport *t = calloc(1, sizeof(*t));

	t->io = (struct io){.ops = &tport_ops, .vx = d->vx, .dev = d, .kind = "tport",
			    .can = IO_CAN_CSUM | IO_CAN_TSO | IO_CAN_FRAGS};
	napi_init(&t->napi, d->vx->workers[0], port_poll, &t->io);
	if (cfg->has_mtu)
		d->mtu = cfg->mtu;
	atomic_store(&d->io, &t->io);
	return 0;
}

static const struct attr_set no_attrs = {"tport", NULL, 0, 1};
static const struct link_type tport_type = {.kind = "tport", .attrs = &no_attrs,
					    .setup = tport_setup, .newlink = tport_newlink};

/* --- the world: a bridge with ports p0 to p3 ------------------------------------------------- */

enum { PORTS = 4 };

struct world {
	struct vx *vx;
	struct dev *br, *p[PORTS];
	uint64_t now;
	struct ptype up; /* a receiver on the bridge device */
	uint32_t n_up, n_new, n_del;
	enum pkt_type up_type;
};
static struct world W;

static void take_up(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		W.n_up++;
		W.up_type = b->p[i]->type;
		assert_ptr_equal(b->p[i]->dev, W.br);
		pkt_consume(w, b->p[i]);
	}
}

static void count_fdb(void *ctx, enum vx_event_kind kind, struct dev *d, const struct fdb_view *e)
{
	assert_true(dev_is_bridge(d));
	W.n_new += kind == VX_FDB_NEW;
	W.n_del += kind == VX_FDB_DEL;
}

static struct dev *make_port(const char *name, uint32_t mtu, struct dev *master)
{
	struct link_cfg c = {.has_up = true, .up = true, .has_mtu = true, .mtu = mtu,
			     .has_master = master != NULL};
	struct vx_err err = {0};
	struct dev *d;

	snprintf(c.name, sizeof(c.name), "%s", name);
	c.master = master ? master->ifindex : 0;
	assert_int_equal(link_newlink(W.vx, &tport_type, &c, "", 0, &err, &d), 0);
	return d;
}

static int setup_with(const struct bridge_opts *o, uint64_t present)
{
	struct vx_config cfg = {.n_workers = 1, .key = {1, 2}, .random = 3, .now = NS_PER_S,
				.events = {.fdb = count_fdb}};
	struct link_cfg c = {.name = "br0", .has_up = true, .up = true};

	W = (struct world){.now = NS_PER_S};
	W.vx = vx_new(&cfg);
	assert_int_equal(bridge_init_module(W.vx), 0);
	assert_int_equal(link_newlink(W.vx, link_type_find(W.vx, "bridge"), &c, o, present, NULL,
				      &W.br), 0);
	for (int i = 0; i < PORTS; i++) {
		snprintf(c.name, sizeof(c.name), "p%d", i);
		W.p[i] = make_port(c.name, 1500, W.br);
	}
	W.up = (struct ptype){.type = 0x88b5, .dev = W.br, .rcv = take_up};
	assert_int_equal(ptype_add(W.vx, &W.up), 0);
	atomic_store(&W.br->has_addr, 1);
	W.n_new = W.n_del = 0;
	return 0;
}

static int setup(void **state)
{
	struct bridge_opts o;

	attr_defaults(&bridge_attrs, &o);
	return setup_with(&o, 0);
}

static int teardown(void **state)
{
	struct account a;

	vx_account(W.vx, &a);
	assert_int_equal(account_open(&a), (int64_t)vx_held(W.vx));
	ptype_del(W.vx, &W.up);
	while (W.vx->n_devs)
		link_dellink(container_of(W.vx->devs.prev, struct dev, node), false);
	quiesce_idle(&W.vx->quiesce, 0);
	quiesce_reap(&W.vx->quiesce);
	assert_int_equal(vx_pool_stats(W.vx).pkts_out, 0);
	assert_int_equal(vx_pool_stats(W.vx).small_out, 0);
	vx_free(W.vx);
	return 0;
}

static struct mac station(int i)
{
	return (struct mac){{2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}};
}

static const struct mac broadcast = {{255, 255, 255, 255, 255, 255}};

static struct pkt *frame(struct mac dst, struct mac src, uint32_t len)
{
	struct worker *w = W.vx->workers[0];
	struct pkt *p = pkt_new(w->pool, len);
	struct eth_hdr *eth = pkt_append(p, len);

	memset(eth, 0x5a, len);
	*eth = (struct eth_hdr){dst, src, be16_put(0x88b5)};
	return p;
}

static void run(void)
{
	while (vx_turn(W.vx, 0, W.now))
		;
}

static void put(int port, struct pkt *p)
{
	pkt_queue_add(&tport_of(W.p[port])->in, p);
	napi_schedule(&tport_of(W.p[port])->napi);
}

static void rx_len(int port, struct mac dst, struct mac src, uint32_t len)
{
	put(port, frame(dst, src, len));
	run();
}

static void rx(int port, struct mac dst, struct mac src)
{
	rx_len(port, dst, src, 60);
}

/* How many frames left by the port since the last question. */
static uint32_t sent(int port)
{
	struct tport *t = tport_of(W.p[port]);
	struct batch b;
	uint32_t n = 0;

	do {
		batch_init(&b);
		pkt_queue_take(&t->out, &b, BATCH_MAX);
		n += b.n;
		for (uint32_t i = 0; i < b.n; i++)
			pkt_free(b.p[i]);
	} while (b.n);
	return n;
}

/* One digit per port: how many frames left by it. */
static uint32_t out(void)
{
	uint32_t n = 0;

	for (int i = 0; i < PORTS; i++)
		n = n * 10 + sent(i);
	return n;
}

static uint64_t dropped(enum drop why)
{
	struct account a;

	vx_account(W.vx, &a);
	return a.dropped[why];
}

static int get(struct mac mac, struct fdb_view *v)
{
	struct fdb_req r = {.mac = mac};

	return W.br->ops->fdb_get(W.br, &r, v, NULL);
}

static int add(struct dev *d, struct mac mac, uint16_t state, uint8_t flags, uint16_t nl)
{
	struct fdb_req r = {.mac = mac, .state = state, .flags = flags, .nl_flags = nl,
			    .maker = "vx fdb add"};

	return W.br->ops->fdb_add(d, &r, NULL);
}

/* --- forwarding ------------------------------------------------------------------------------ */

static void learn_then_unicast(void **state)
{
	struct fdb_view v;

	rx(0, station(2), station(1)); /* unknown: to all others, not up */
	assert_int_equal(out(), 111);
	assert_int_equal(W.n_up, 0);
	assert_int_equal(W.n_new, 1);
	rx(1, station(1), station(2)); /* known */
	assert_int_equal(out(), 1000);
	rx(0, station(2), station(1));
	assert_int_equal(out(), 100);
	assert_int_equal(get(station(1), &v), 0);
	assert_ptr_equal(v.port_dev, W.p[0]);
	assert_int_equal(v.state, NUD_REACHABLE);
	assert_int_equal(v.maker.how, MAKER_LEARNED);
	assert_int_equal(W.n_new, 2);
}

static void same_port_is_dropped(void **state)
{
	rx(0, broadcast, station(1));
	out();
	rx(0, station(1), station(2));
	assert_int_equal(out(), 0);
	assert_int_equal(dropped(DROP_bridge_same_port), 1);
}

static void groups_flood_and_go_up(void **state)
{
	struct mac group = {{0x33, 0x33, 0, 0, 0, 1}};

	rx(2, broadcast, station(1));
	assert_int_equal(out(), 1101);
	assert_int_equal(W.n_up, 1);
	assert_int_equal(W.up_type, PKT_BROADCAST);
	rx(2, group, station(1));
	assert_int_equal(out(), 1101);
	assert_int_equal(W.n_up, 2);
	assert_int_equal(W.up_type, PKT_MULTICAST);
	assert_int_equal(dev_stats(W.br, W.vx->workers[0])->multicast, 1);
	assert_int_equal(dev_stats(W.br, W.vx->workers[0])->rx_packets, 2);
	assert_int_equal(dev_stats(W.br, W.vx->workers[0])->rx_bytes, 120);
}

static void own_addresses_go_up(void **state)
{
	rx(0, W.br->mac, station(1));
	rx(0, W.p[3]->mac, station(1)); /* a port's */
	assert_int_equal(out(), 0);
	assert_int_equal(W.n_up, 2);
	assert_int_equal(W.up_type, PKT_HOST);
}

static void new_addresses_count(void **state)
{
	struct mac old = W.br->mac, old_port = W.p[3]->mac, m = station(77), n = station(78);
	struct fdb_view v;

	assert_int_equal(dev_set_mac(W.br, &m, NULL), 0);
	assert_int_equal(dev_set_mac(W.p[3], &n, NULL), 0);
	rx(0, m, station(1));
	rx(0, n, station(1));
	assert_int_equal(W.n_up, 2);
	assert_int_equal(get(old, &v), -ENOENT);
	assert_int_equal(get(old_port, &v), -ENOENT);
}

static void link_local_stays(void **state)
{
	for (int i = 0; i < 16; i++)
		rx(0, (struct mac){{1, 0x80, 0xc2, 0, 0, (uint8_t)i}}, station(1));
	assert_int_equal(out(), 0);
	assert_int_equal(W.n_up, 0);
	assert_int_equal(dropped(DROP_unhandled_proto), 16);
	rx(0, (struct mac){{1, 0x80, 0xc2, 0, 0, 0x10}}, station(1));
	assert_int_equal(out(), 111);
}

static void bad_sources_are_dropped(void **state)
{
	rx(0, broadcast, (struct mac){{0}});
	rx(0, broadcast, broadcast);
	assert_int_equal(out(), 0);
	assert_int_equal(dropped(DROP_bridge_bad_source), 2);
	assert_int_equal(W.n_new, 0);
}

/* A frame of own source address is forwarded, and changes nothing (br_fdb_update). */
static void own_source_is_not_learnt(void **state)
{
	struct fdb_view v;

	rx(0, station(9), W.br->mac);
	assert_int_equal(out(), 111);
	assert_int_equal(get(W.br->mac, &v), 0);
	assert_null(v.port_dev);
	assert_int_equal(v.state, NUD_PERMANENT);
}

static void ports_down(void **state)
{
	struct fdb_view v;

	rx(1, broadcast, station(1));
	out();
	dev_change_flags(W.p[1], false, NULL);
	assert_int_equal(get(station(1), &v), -ENOENT); /* may be elsewhere by now */
	rx(0, broadcast, station(2));
	assert_int_equal(out(), 11);
	add(W.p[1], station(1), NUD_NOARP, 0, NLM_F_CREATE);
	rx(0, station(1), station(2)); /* by name of control */
	assert_int_equal(out(), 0);
	assert_int_equal(dropped(DROP_bridge_port_down), 1);
	dev_change_flags(W.p[1], true, NULL);
	dev_change_flags(W.br, false, NULL);
	rx(0, station(1), station(2));
	assert_int_equal(out(), 0);
	assert_int_equal(dropped(DROP_bridge_port_down), 2);
	assert_int_equal(get(station(2), &v), -ENOENT);
}

static void alone(void **state)
{
	for (int i = 1; i < PORTS; i++)
		assert_int_equal(dev_set_master(W.p[i], NULL, NULL), 0);
	rx(0, station(1), station(2));
	assert_int_equal(dropped(DROP_bridge_no_port), 1);
	rx(0, broadcast, station(2));
	assert_int_equal(W.n_up, 1);
	atomic_store(&W.br->has_addr, 0); /* nobody listens to groups */
	rx(0, broadcast, station(2));
	assert_int_equal(W.n_up, 1);
	assert_int_equal(dropped(DROP_bridge_no_port), 2);
	rx(1, broadcast, station(3)); /* no port any more */
	assert_int_equal(dropped(DROP_unhandled_proto), 1);
}

static void leaving_forgets(void **state)
{
	struct fdb_view v;
	struct mac m = W.p[1]->mac;

	rx(1, broadcast, station(1));
	add(W.p[1], station(2), NUD_NOARP, 0, NLM_F_CREATE);
	out();
	dev_set_master(W.p[1], NULL, NULL);
	assert_int_equal(W.p[1]->promiscuity, 0);
	assert_int_equal(get(station(1), &v), -ENOENT);
	assert_int_equal(get(station(2), &v), -ENOENT);
	assert_int_equal(get(m, &v), -ENOENT);
	rx(0, station(1), station(3));
	assert_int_equal(out(), 11);
	link_dellink(W.p[2], false);
	W.p[2] = make_port("p2", 1500, W.br);
	rx(0, station(1), station(3));
	assert_int_equal(out(), 11);
}

static void bridge_sends(void **state)
{
	struct batch b;

	rx(2, broadcast, station(1));
	out();
	batch_init(&b);
	batch_add(&b, frame(station(1), W.br->mac, 60));
	batch_add(&b, frame(broadcast, W.br->mac, 60));
	batch_add(&b, frame(station(8), W.br->mac, 60));
	batch_add(&b, frame(W.p[0]->mac, W.br->mac, 60));
	W.vx->workers[0]->acct.made += b.n;
	dev_queue_xmit(W.vx->workers[0], W.br, &b);
	assert_int_equal(out(), 2232);
	assert_int_equal(W.n_up, 1);
	assert_int_equal(dropped(DROP_bridge_same_port), 1);
	assert_int_equal(dev_stats(W.br, W.vx->workers[0])->tx_packets, 4);
}

static void promiscuous_bridge_sees_all(void **state)
{
	dev_set_promiscuity(W.br, 1);
	rx(0, station(2), station(1));
	rx(1, station(1), station(2));
	assert_int_equal(out(), 1111);
	assert_int_equal(W.n_up, 2);
	dev_set_promiscuity(W.br, -1);
}

/* 200 frames of one flow and broadcasts between them keep their order on a port. */
static void order_is_kept(void **state)
{
	struct tport *t = tport_of(W.p[1]);
	uint8_t want = 0;

	rx(1, broadcast, station(2));
	out();
	for (int i = 0; i < 200; i++) {
		struct pkt *p = frame(i % 7 ? station(2) : broadcast, station(1), 60);

		p->data[20] = (uint8_t)i;
		put(0, p);
	}
	run();
	assert_int_equal(t->out.n, 200);
	for (struct pkt *p = t->out.first; p; p = p->next)
		assert_int_equal(p->data[20], want++);
	sent(1);
	assert_int_equal(out(), 29 * 11); /* the broadcasts */
}

static void too_long_for_a_port(void **state)
{
	struct pkt *p;

	dev_set_mtu(W.p[1], 1000, NULL);
	rx_len(0, broadcast, station(1), 1000 + 18);
	assert_int_equal(out(), 111);
	rx_len(0, broadcast, station(1), 1000 + 19);
	assert_int_equal(out(), 11);
	assert_int_equal(dropped(DROP_tx_too_big), 1);
	p = frame(broadcast, station(1), 1400);
	p->gso_size = 500; /* a super-frame is cut by whoever cannot take it */
	p->gso_type = GSO_TCP4;
	p->csum_state = CSUM_PARTIAL;
	put(0, p);
	run();
	assert_int_equal(out(), 111);
}

static void mtu_follows_ports(void **state)
{
	struct dev *d;

	assert_int_equal(W.br->mtu, 1500);
	dev_set_mtu(W.p[1], 1400, NULL);
	assert_int_equal(W.br->mtu, 1400);
	d = make_port("small", 900, W.br);
	assert_int_equal(W.br->mtu, 900);
	link_dellink(d, false);
	assert_int_equal(W.br->mtu, 1400);
	dev_set_mtu(W.br, 1300, NULL); /* from here on the user's */
	dev_set_mtu(W.p[1], 1200, NULL);
	assert_int_equal(W.br->mtu, 1300);
}

/* --- table ----------------------------------------------------------------------------------- */

static void advance(uint64_t s)
{
	for (uint64_t end = W.now + s * NS_PER_S; W.now < end;) {
		uint64_t next = vx_control_turn(W.vx, W.now);

		W.now = MIN(end, MAX(next, W.now + 1));
		run();
	}
	vx_control_turn(W.vx, W.now);
}

static void ageing(void **state)
{
	struct fdb_view v;

	rx(0, broadcast, station(1));
	add(W.p[1], station(2), NUD_NOARP, 0, NLM_F_CREATE);
	add(W.p[1], station(3), NUD_REACHABLE, NTF_EXT_LEARNED, NLM_F_CREATE);
	advance(200);
	rx(0, broadcast, station(1)); /* seen again */
	advance(299);
	assert_int_equal(get(station(1), &v), 0);
	assert_in_range(v.updated, 299 * NS_PER_S - NS_PER_S / 5, 299 * NS_PER_S + NS_PER_S / 5);
	advance(3);
	assert_int_equal(get(station(1), &v), -ENOENT);
	assert_int_equal(get(station(2), &v), 0);
	assert_int_equal(get(station(3), &v), 0);
	out();
}

static void ageing_0_is_a_hub(void **state)
{
	struct bridge_opts o = {.ageing_time = 0};
	struct fdb_view v;

	assert_int_equal(link_changelink(W.br, &o, BRA_BIT(BRA_AGEING_TIME), NULL), 0);
	rx(0, broadcast, station(1));
	assert_int_equal(get(station(1), &v), -ENOENT);
	out();
	rx(1, station(1), station(2));
	assert_int_equal(out(), 1011);
}

static void roaming(void **state)
{
	struct fdb_view v;

	rx(0, broadcast, station(1));
	rx(1, broadcast, station(1));
	assert_int_equal(W.n_new, 2);
	assert_int_equal(get(station(1), &v), 0);
	assert_ptr_equal(v.port_dev, W.p[1]);
	out();
	rx(0, station(1), station(2));
	assert_int_equal(out(), 100);
}

/* As the kernel: static entries move with the address, sticky ones do not. */
static void static_and_sticky(void **state)
{
	struct fdb_view v;
	struct fdb_req r;

	assert_int_equal(add(W.p[1], station(1), NUD_NOARP, 0, NLM_F_CREATE | NLM_F_EXCL), 0);
	assert_int_equal(add(W.p[1], station(1), NUD_NOARP, 0, NLM_F_CREATE | NLM_F_EXCL), -EEXIST);
	r = (struct fdb_req){.mac = station(5), .state = NUD_NOARP, .nl_flags = NLM_F_CREATE,
			     .port_dev = W.p[3]}; /* the other way to name a port */
	assert_int_equal(W.br->ops->fdb_add(W.br, &r, NULL), 0);
	assert_int_equal(get(station(5), &v), 0);
	assert_ptr_equal(v.port_dev, W.p[3]);
	assert_int_equal(W.br->ops->fdb_del(W.br, &r, NULL), 0);
	assert_int_equal(add(W.p[2], station(2), NUD_NOARP, NTF_STICKY, NLM_F_CREATE), 0);
	assert_int_equal(add(W.p[2], station(3), NUD_NOARP, 0, 0), -ENOENT);
	assert_int_equal(get(station(1), &v), 0);
	assert_int_equal(v.state, NUD_NOARP);
	assert_string_equal(v.maker.text, "vx fdb add");
	assert_int_equal(v.maker.how, MAKER_CONTROL);
	rx(0, station(1), station(4));
	assert_int_equal(out(), 100);
	rx(3, station(2), station(1));
	assert_int_equal(out(), 10);
	assert_int_equal(get(station(1), &v), 0);
	assert_ptr_equal(v.port_dev, W.p[3]);
	assert_int_equal(v.state, NUD_NOARP);
	rx(3, station(9), station(2));
	assert_int_equal(get(station(2), &v), 0);
	assert_ptr_equal(v.port_dev, W.p[2]);
	assert_int_equal(v.flags, NTF_STICKY);
	out();
}

static void requests_that_are_refused(void **state)
{
	struct fdb_req r = {.mac = station(1), .state = NUD_NOARP, .nl_flags = NLM_F_CREATE,
			    .vlan = 5};
	struct fdb_flush f = {.has_ifindex = true, .ifindex = 4711};

	assert_int_equal(add(W.p[0], broadcast, NUD_NOARP, 0, NLM_F_CREATE), -EINVAL);
	assert_int_equal(add(W.p[0], station(1), 0, 0, NLM_F_CREATE), -EINVAL);
	assert_int_equal(add(W.br, station(1), NUD_NOARP, 0, NLM_F_CREATE), -EINVAL);
	assert_int_equal(add(W.p[0], station(1), NUD_PERMANENT, NTF_STICKY, NLM_F_CREATE), -EINVAL);
	assert_int_equal(W.br->ops->fdb_add(W.p[0], &r, NULL), -EINVAL);
	r.vlan = 0;
	r.has_dst = true;
	assert_int_equal(W.br->ops->fdb_add(W.p[0], &r, NULL), -EINVAL);
	assert_int_equal(W.br->ops->fdb_flush(W.br, &f, NULL), -EINVAL);
	r.mac = W.p[0]->mac;
	assert_int_equal(W.br->ops->fdb_del(W.p[0], &r, NULL), -EBUSY);
}

static void delete_and_flush(void **state)
{
	struct fdb_req r = {.mac = station(1)};
	struct fdb_flush f = {.has_ifindex = true};
	struct fdb_view v;

	rx(0, broadcast, station(1));
	rx(0, broadcast, station(2));
	rx(1, broadcast, station(3));
	add(W.p[0], station(4), NUD_NOARP, 0, NLM_F_CREATE);
	out();
	assert_int_equal(W.br->ops->fdb_del(W.p[1], &r, NULL), -ENOENT);
	assert_int_equal(W.br->ops->fdb_del(W.p[0], &r, NULL), 0);
	assert_int_equal(get(station(1), &v), -ENOENT);
	f.ifindex = W.p[0]->ifindex;
	f.state = 0;
	f.state_mask = NUD_NOARP; /* not static */
	assert_int_equal(W.br->ops->fdb_flush(W.br, &f, NULL), 0);
	assert_int_equal(get(station(2), &v), -ENOENT);
	assert_int_equal(get(station(3), &v), 0);
	assert_int_equal(get(station(4), &v), 0);
	f = (struct fdb_flush){0};
	assert_int_equal(W.br->ops->fdb_flush(W.br, &f, NULL), 0);
	assert_int_equal(get(station(3), &v), -ENOENT);
	assert_int_equal(get(station(4), &v), -ENOENT);
	assert_int_equal(get(W.br->mac, &v), 0); /* own addresses stay */
	assert_int_equal(W.n_del, 4);
}

struct dump {
	uint32_t n;
	struct mac first;
};

static int count(void *ctx, const struct fdb_view *e)
{
	struct dump *d = ctx;

	if (!d->n++)
		d->first = e->mac;
	return 0;
}

static void dumps(void **state)
{
	struct dump d = {0}, one = {0};
	struct mac m = station(2);

	rx(0, broadcast, station(1));
	rx(1, broadcast, station(2));
	out();
	assert_int_equal(W.br->ops->fdb_dump(W.br, count, &d), 0);
	assert_int_equal(d.n, 1 + PORTS + 2);
	assert_true(mac_eq(&d.first, &m)); /* newest first */
	assert_int_equal(W.br->ops->fdb_dump(W.p[1], count, &one), 0);
	assert_int_equal(one.n, 2);
}

/* The table is full: who floods it displaces its own; a quiet port keeps its stations. */
static void cap_is_fair(void **state)
{
	struct bridge *br = bridge_of(W.br);
	struct bridge_opts o = {.fdb_max_learned = 100};
	struct fdb_view v;

	assert_int_equal(link_changelink(W.br, &o, BRA_BIT(BRA_FDB_MAX_LEARNED), NULL), 0);
	for (int i = 0; i < 10; i++)
		rx(1, broadcast, station(i));
	for (int i = 0; i < 5000; i++) {
		rx(0, broadcast, station(1000 + i));
		W.now += 1000;
	}
	assert_int_equal(br->macs.n_learned, 100);
	for (int i = 0; i < 10; i++)
		assert_int_equal(get(station(i), &v), 0);
	assert_int_equal(get(station(5999), &v), 0); /* the newest is there */
	for (int i = 0; i < 20; i++) /* a newcomer takes from the largest */
		rx(2, broadcast, station(i + 100));
	assert_int_equal(br->macs.n_learned, 100);
	assert_int_equal(bridge_port_of(W.p[2])->macs.list.n_learned, 20);
	assert_int_equal(bridge_port_of(W.p[1])->macs.list.n_learned, 10);
	assert_in_range(br->macs.n_limbo, 0, MAC_LIMBO);
	for (int i = 0; i < PORTS; i++)
		sent(i);
}

/* A worker that never rests cannot make removed entries pile up. */
static void limbo_is_bounded(void **state)
{
	struct bridge *br = bridge_of(W.br);

	br->macs.limit = 16;
	run(); /* no longer asleep */
	for (int i = 0; i < 3 * MAC_LIMBO; i++) { /* one turn without end */
		struct pkt *p = frame(broadcast, station(i), 60);

		W.vx->workers[0]->acct.rx++;
		eth_type_trans(p, W.p[0]);
		assert_int_equal(bridge_rcv(W.vx->workers[0], W.p[0], p), RX_CONSUMED);
		for (int k = 1; k < PORTS; k++)
			sent(k);
	}
	assert_int_equal(br->macs.n_limbo, MAC_LIMBO);
	assert_in_range(br->macs.n_learned, 1, 16);
	run();
	run();
	rx(0, broadcast, station(1));
	assert_int_equal(br->macs.n_learned, 16);
	out();
	advance(20);
	assert_int_equal(br->macs.n_limbo, 0);
}

static void many(void **state)
{
	struct bridge *br = bridge_of(W.br);
	struct fdb_view v;

	for (int i = 0; i < 20000; i++) {
		rx(i % PORTS, broadcast, station(i));
		if (i % 100 == 0)
			out();
	}
	assert_int_equal(br->macs.n_learned, 20000);
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(get(station(i), &v), 0);
		assert_ptr_equal(v.port_dev, W.p[i % PORTS]);
	}
	advance(400);
	assert_int_equal(br->macs.n_learned, 0);
	assert_int_equal(br->macs.n, 1 + PORTS);
	for (int i = 0; i < PORTS; i++)
		sent(i);
}

/* --- explain --------------------------------------------------------------------------------- */

static struct trace *traces[8];
static int n_traces;

static uint64_t match(struct watch *wt, const struct batch *b, bool from_udp)
{
	return UINT64_MAX >> (64 - b->n);
}

static void keep_trace(void *ctx, struct trace *t)
{
	traces[n_traces++] = t;
}

static const struct trace_step *find_step(const struct trace *t, enum stage stage,
					  enum trace_say say)
{
	for (uint32_t i = 0; i < t->n_steps; i++)
		if (t->steps[i].stage == stage && t->steps[i].say == say)
			return &t->steps[i];
	fail_msg("no such step");
	return NULL;
}

static void explained(void **state)
{
	struct watch wt = {.match = match, .done = keep_trace, .left = 3};
	const struct trace_step *s;
	struct mac m = station(1);

	n_traces = 0;
	add(W.p[2], station(1), NUD_NOARP, 0, NLM_F_CREATE);
	watch_set(W.vx, &wt);
	rx(0, station(1), station(2));
	rx(1, station(3), station(4));
	rx(0, station(2), station(4));
	watch_set(W.vx, NULL);
	sent(0);
	sent(1);
	sent(2);
	sent(3);
	assert_int_equal(n_traces, 3);
	for (int i = 0; i < 3; i++) { /* the flooded one is complete when its last clone is gone */
		if (traces[i]->id == 1) {
			s = find_step(traces[i], STAGE_bridge_rcv, SAY_BRIDGE_PORT);
			assert_string_equal(s->dev, "p2");
			assert_true(mac_eq(&s->mac, &m));
			assert_int_equal(s->state, NUD_NOARP);
			assert_string_equal(s->maker.text, "vx fdb add");
		} else if (traces[i]->id == 2) {
			s = find_step(traces[i], STAGE_bridge_rcv, SAY_BRIDGE_FLOOD);
			assert_string_equal(s->dev, "br0");
			assert_int_equal(s->u[0], 3);
			assert_int_equal(s->u[1], 0);
		} else {
			s = find_step(traces[i], STAGE_bridge_rcv, SAY_DROP);
			assert_int_equal(s->drop, DROP_bridge_same_port);
		}
		free(traces[i]);
	}
}

/* --- options, masters ------------------------------------------------------------------------ */

static void options(void **state)
{
	struct link_cfg c = {.name = "br1"};
	struct vx_err err = {0};
	struct bridge_opts o;
	struct dev *d;
	bool is6;
	int i = attr_by_nl(&bridge_attrs, 5, &is6); /* stp_state */

	attr_defaults(&bridge_attrs, &o);
	attr_put(&bridge_attrs.attrs[i], &o, 1);
	assert_int_equal(link_newlink(W.vx, link_type_find(W.vx, "bridge"), &c, &o,
				      BRA_BIT(i), &err, &d), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "stp_state"));
	attr_put(&bridge_attrs.attrs[i], &o, 0); /* what vx does */
	assert_int_equal(link_newlink(W.vx, link_type_find(W.vx, "bridge"), &c, &o,
				      BRA_BIT(i), &err, &d), 0);
	assert_int_equal(dev_set_master(d, W.br, &err), -ELOOP);
	assert_int_equal(dev_set_master(W.p[0], d, &err), 0); /* moves */
	assert_ptr_equal(W.p[0]->master, d);
	d->type->fill_info(d, &o);
	assert_int_equal(o.ageing_time, 30000);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(learn_then_unicast), T(same_port_is_dropped), T(groups_flood_and_go_up),
		T(own_addresses_go_up), T(new_addresses_count), T(link_local_stays),
		T(bad_sources_are_dropped), T(own_source_is_not_learnt), T(ports_down), T(alone),
		T(leaving_forgets), T(bridge_sends), T(promiscuous_bridge_sees_all),
		T(order_is_kept), T(too_long_for_a_port), T(mtu_follows_ports), T(ageing),
		T(ageing_0_is_a_hub), T(roaming), T(static_and_sticky),
		T(requests_that_are_refused), T(delete_and_flush), T(dumps), T(cap_is_fair),
		T(limbo_is_bounded), T(many), T(explained), T(options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
