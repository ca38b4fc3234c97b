/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a packet costs between its source and its sink: libvx in memory, no system call, batches of
 * 64 frames with 60 bytes inside.
 *
 *     path_bench [-t TURNS] [-e N] [SCENARIO...]     without SCENARIO all of them
 *
 * prints "SCENARIO MEDIAN MIN" in TSC cycles per packet; -e explains one packet in N.  Under
 * callgrind (--collect-atstart=no --instr-atstart=no) each scenario's instructions are dumped as a
 * part of its own instead (test/bench/callgrind.py reads them).
 *
 * What is measured is vx_turn(), packet and buffer taken from the pool and given back included;
 * writing a frame's bytes into its buffer is not.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <x86intrin.h>

#include <valgrind/callgrind.h>

#include "bridge/bridge.h"
#include "bridge/options.h"
#include "datapath/action.h"
#include "datapath/dp.h"
#include "net/host.h"
#include "net/inet.h"
#include "net/link.h"
#include "net/napi.h"
#include "net/neigh.h"
#include "net/udp.h"
#include "net/watch.h"
#include "vxlan/device.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/udp.h"
#include "wire/vxlan.h"

enum { INNER = 60, OUTER = 50, FRAME = INNER + OUTER, VNI = 100, PORT = 4789 };

/* --- the clock: what is counted, and what is not ---------------------------------------------- */

static uint64_t clock_sum, clock_from;

static void clock_on(void)
{
	CALLGRIND_TOGGLE_COLLECT;
	clock_from = __rdtsc();
}

static void clock_off(void)
{
	clock_sum += __rdtsc() - clock_from;
	CALLGRIND_TOGGLE_COLLECT;
}

/* --- one bench
 * ------------------------------------------------------------------------------------ */

struct bench;

struct port {
	struct io io;
	struct napi napi;
	struct bench *bench;
	uint64_t got;
};

struct host_sock {
	struct udp_sock sk;
	struct napi napi;
	struct bench *bench;
};

/* The frames of a source are one template in which a station's number is filled in: its MAC's low
 * bytes, its inner address, and whatever depends on them. */
struct bench {
	struct vx *vx;
	struct port *up, *a, *b; /* underlay; two ports of a bridge */
	struct port *side;	 /* stands for vxlan1's TAP */
	struct dev *vxlan, *bridge;
	struct host_sock sock, sock6;
	struct napi *source;
	void (*fill)(struct bench *t, uint8_t *f, uint32_t station);
	uint32_t frame_len, stations, due; /* due: frames that the source still has */
	bool in_order;
	uint32_t next;
	uint64_t made;
	uint32_t explain;
	struct watch watch;
	uint64_t watched, traces;
};

#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "path_bench: %s:%d: %s\n", __FILE__, __LINE__, #x);        \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static uint32_t next_station(struct bench *t)
{
	if (t->in_order)
		return t->next++ % t->stations;
	t->next = t->next * 1664525 + 1013904223; /* no order that a cache could foresee */
	return (uint32_t)(((uint64_t)t->next * t->stations) >> 32);
}

/* --- ports ------------------------------------------------------------------------------------ */

static uint32_t make_frames(struct bench *t, struct worker *w, struct batch *b, uint32_t budget,
			    uint32_t skip)
{
	uint32_t n = MIN(budget, t->due);

	for (uint32_t i = 0; i < n; i++) {
		struct pkt *p = pkt_new(w->pool, t->frame_len - skip);

		CHECK(p);
		pkt_append(p, t->frame_len - skip);
		batch_add(b, p);
	}
	w->acct.rx += n;
	t->due -= n;
	clock_off();
	for (uint32_t i = 0; i < n; i++) {
		uint8_t f[FRAME];

		t->fill(t, f, next_station(t));
		memcpy(b->p[i]->data, f + skip, t->frame_len - skip);
	}
	t->made += n;
	clock_on();
	return n;
}

static uint32_t port_rx(struct io *io, struct worker *w, struct batch *b, uint32_t budget)
{
	struct port *p = (struct port *)io;

	return make_frames(p->bench, w, b, budget, 0);
}

static void port_tx(struct io *io, struct worker *w, struct batch *b)
{
	struct port *p = (struct port *)io;

	p->got += b->n;
	w->acct.tx += b->n;
	for (uint32_t i = 0; i < b->n; i++)
		pkt_free(b->p[i]);
}

static void port_close(struct io *io, bool keep)
{
	struct port *p = (struct port *)io;

	(void)keep;
	napi_remove(&p->napi);
	atomic_store(&io->dev->io, NULL);
	atomic_store(&io->dev->host, NULL);
}

static const struct io_ops port_ops = {
	.name = "bench", .rx = port_rx, .tx = port_tx, .close = port_close};
static const struct dev_ops dev_ops = {.xmit = port_xmit};

static void setup(struct dev *d)
{
	d->ops = &dev_ops;
}

static int newlink(struct dev *d, const struct link_cfg *cfg, const void *opts, uint64_t present,
		   struct vx_err *err)
{
	(void)d, (void)cfg, (void)opts, (void)present, (void)err;
	return 0;
}

static const struct link_type port_type = {.kind = "bench", .setup = setup, .newlink = newlink};

static struct mac station_mac(uint8_t kind, uint32_t n)
{
	return (struct mac){{2, kind, 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static struct port *port_new(struct bench *t, struct dev *d,
			     uint32_t (*poll)(struct napi *, struct worker *, uint32_t))
{
	struct port *p = calloc(1, sizeof(*p));

	CHECK(p);
	p->bench = t;
	/* Like a TAP, but for UDP: every frame here is of one small flow per station, and merging
	 * some of them would measure something else. */
	p->io = (struct io){.ops = &port_ops,
			    .vx = t->vx,
			    .dev = d,
			    .kind = "bench",
			    .napi = &p->napi,
			    .can = IO_CAN_CSUM | IO_CAN_TSO | IO_CAN_FRAGS};
	napi_init(&p->napi, t->vx->workers[0], poll, &p->io);
	return p;
}

static struct port *add_port(struct bench *t, const char *name, uint8_t number)
{
	struct link_cfg cfg = {
		.has_mac = true, .mac = station_mac(0, number), .has_up = true, .up = true};
	struct port *p;
	struct dev *d;

	snprintf(cfg.name, sizeof(cfg.name), "%s", name);
	CHECK(link_newlink(t->vx, &port_type, &cfg, NULL, 0, NULL, &d) == 0);
	p = port_new(t, d, port_poll);
	atomic_store(&d->io, &p->io);
	return p;
}

/* --- the host ------------------------------------------------------------------------------------
 */

static int host_link(void *ctx, uint32_t ifindex, const char *name, struct host_link *out)
{
	(void)ctx;
	if (ifindex ? ifindex != 2 : strcmp(name, "eth0") != 0)
		return -ENODEV;
	*out = (struct host_link){.ifindex = 2, .mtu = 1500, .name = "eth0"};
	return 0;
}

static int side_add(void *ctx, struct dev *d, bool adopt, struct vx_err *err)
{
	struct bench *t = ctx;

	(void)adopt, (void)err;
	t->side = port_new(t, d, port_host_poll);
	atomic_store(&d->host, &t->side->io);
	return 0;
}

static int sock_route(struct worker *w, struct udp_sock *sk, const struct udp_flow *f,
		      struct dst *out)
{
	(void)w, (void)sk, (void)f;
	*out = (struct dst){.gen = 1, .type = DST_UNICAST, .mtu = 1500, .ifindex = 2};
	return 0;
}

static uint64_t sock_generation(struct udp_sock *sk)
{
	(void)sk;
	return 1;
}

static void sock_xmit(struct worker *w, struct udp_sock *sk, struct pkt *p,
		      const struct udp_flow *f, const struct dst *d)
{
	struct host_sock *s = container_of(sk, struct host_sock, sk);

	(void)f, (void)d;
	udp_tunnel_sent(w, p->dev, udp_tunnel_get_len(p), sk->cfg.family, 0);
	s->bench->up->got++;
	w->acct.tx++;
	pkt_free(p);
}

static void sock_close(struct udp_sock *sk)
{
	napi_remove(&container_of(sk, struct host_sock, sk)->napi);
}

static const struct udp_sock_ops sock_ops = {
	.route = sock_route, .generation = sock_generation, .xmit = sock_xmit, .close = sock_close};

/* As io/udp has it: payload from the VXLAN header on, the rest as metadata. */
static uint32_t sock_poll(struct napi *n, struct worker *w, uint32_t budget)
{
	static const struct tun_info tun = {.tos = 0, .ttl = 64, .dport = PORT, .ifindex = 2};
	struct host_sock *s = n->ctx;
	struct ip_addr from = ip_from4(be32_put(0x0a000002));
	struct batch b;
	uint32_t took;

	batch_init(&b);
	took = make_frames(s->bench, w, &b, budget, OUTER - (uint32_t)sizeof(struct vxlan_hdr));
	for (uint32_t i = 0; i < b.n; i++) {
		b.p[i]->tun = tun;
		b.p[i]->tun.src = from;
		b.p[i]->has_tun = true;
		b.p[i]->csum_state = CSUM_UNSURE;
		b.p[i]->outer_csum_ok = true;
	}
	if (watch_is_on(w))
		watch_batch(w, &b, true);
	if (b.n)
		udp_queue_rcv(w, &s->sk, &b);
	return took;
}

static int udp_open(void *ctx, const struct udp_sock_cfg *cfg, struct udp_sock **out,
		    struct vx_err *err)
{
	struct bench *t = ctx;
	struct host_sock *s = cfg->family == AF_INET6 ? &t->sock6 : &t->sock;

	(void)err;
	*s = (struct host_sock){.sk = {.ops = &sock_ops, .cfg = *cfg, .is_host = true}, .bench = t};
	list_init(&s->sk.node);
	napi_init(&s->napi, t->vx->workers[0], sock_poll, s);
	*out = &s->sk;
	return 0;
}

static const struct host_ops host_ops = {
	.link = host_link, .side_add = side_add, .udp_open = udp_open};

/* --- frames ------------------------------------------------------------------------------------
 */

/* Far stations (02:f0) are those whose number varies; the near one is 02:0e:..:00. */
static void put_inner(uint8_t *f, bool to_far, uint32_t station)
{
	struct mac near = station_mac(0x0e, 0), far = station_mac(0xf0, station);
	be32 near_ip = be32_put(0xc0a80901), far_ip = be32_put(0xac100000 + station);
	struct eth_hdr *eth = (struct eth_hdr *)f;
	struct ip4_hdr *ip = (struct ip4_hdr *)(eth + 1);
	struct udp_hdr *u = (struct udp_hdr *)(ip + 1);

	memset(f, 0, INNER);
	*eth = (struct eth_hdr){.dst = to_far ? far : near,
				.src = to_far ? near : far,
				.type = be16_put(ETHTYPE_IP4)};
	*ip = (struct ip4_hdr){.ver_ihl = 0x45,
			       .len = be16_put(INNER - 14),
			       .ttl = 64,
			       .proto = IPPROTO_UDP_,
			       .src = to_far ? near_ip : far_ip,
			       .dst = to_far ? far_ip : near_ip};
	ip->csum = csum(ip, sizeof(*ip));
	*u = (struct udp_hdr){.src = be16_put(1000),
			      .dst = be16_put(2000),
			      .len = be16_put(INNER - 34),
			      .csum = be16_put(1)};
}

static void fill_to_far(struct bench *t, uint8_t *f, uint32_t station)
{
	(void)t;
	put_inner(f, true, station);
}

static void fill_tunnel(struct bench *t, uint8_t *f, uint32_t station)
{
	struct eth_hdr *eth = (struct eth_hdr *)f;
	struct ip4_hdr *ip = (struct ip4_hdr *)(eth + 1);
	struct udp_hdr *u = (struct udp_hdr *)(ip + 1);
	struct vxlan_hdr *h = (struct vxlan_hdr *)(u + 1);

	(void)t;
	*eth = (struct eth_hdr){
		.dst = station_mac(0, 1), .src = station_mac(1, 1), .type = be16_put(ETHTYPE_IP4)};
	*ip = (struct ip4_hdr){.ver_ihl = 0x45,
			       .len = be16_put(FRAME - 14),
			       .ttl = 64,
			       .proto = IPPROTO_UDP_,
			       .src = be32_put(0x0a000002),
			       .dst = be32_put(0x0a000001)};
	ip->csum = csum(ip, sizeof(*ip));
	*u = (struct udp_hdr){.src = be16_put((uint16_t)(32768 + station % 16384)),
			      .dst = be16_put(PORT),
			      .len = be16_put(FRAME - 34)};
	*h = (struct vxlan_hdr){.flags = be32_put(VXLAN_F_VNI),
				.vni = vxlan_vni_field((vni_t){VNI})};
	put_inner(f + OUTER, false, station);
}

/* --- topologies ----------------------------------------------------------------------------------
 */

static void add_underlay(struct bench *t)
{
	struct ip_addr me = ip_from4(be32_put(0x0a000001));
	struct neigh_req r = {.ip = ip_from4(be32_put(0x0a000002)),
			      .has_mac = true,
			      .mac = station_mac(1, 1),
			      .nl_flags = NLM_F_CREATE};

	t->up = add_port(t, "up0", 1);
	CHECK(inet_addr_add(t->up->io.dev, &me, 24, NULL, "bench", NULL) == 0);
	r.dev = t->up->io.dev;
	CHECK(neigh_add(t->vx, &r, NULL) == 0);
}

static void add_vxlan(struct bench *t, bool host, bool nohost, bool with_entries)
{
	struct link_cfg cfg = {.name = "vxlan1",
			       .has_mac = true,
			       .mac = station_mac(0x0e, 0),
			       .has_up = true,
			       .up = true,
			       .has_nohost = true,
			       .nohost = nohost};
	struct vxlan_opts o;

	attr_defaults(&vxlan_attrs, &o);
	o.id = VNI;
	o.dstport = PORT;
	o.dev = host ? 2 : t->up->io.dev->ifindex;
	CHECK(link_newlink(t->vx, link_type_find(t->vx, "vxlan"), &cfg, &o,
			   VXA_BIT(VXA_ID) | VXA_BIT(VXA_DEV) | VXA_BIT(VXA_DSTPORT), NULL,
			   &t->vxlan) == 0);
	for (uint32_t i = 0; with_entries && i < t->stations; i++) {
		struct fdb_req r = {.mac = station_mac(0xf0, i),
				    .state = NUD_REACHABLE | NUD_NOARP,
				    .flags = NTF_SELF,
				    .nl_flags = NLM_F_CREATE,
				    .has_dst = true,
				    .dst = ip_from4(be32_put(0x0a000002))};

		CHECK(t->vxlan->ops->fdb_add(t->vxlan, &r, NULL) == 0);
	}
}

/* A bridge of two ports, far stations behind 'far', the near one behind 'near'. */
static void add_bridge(struct bench *t, struct dev *far, struct dev *near)
{
	struct link_cfg cfg = {
		.name = "br0", .has_up = true, .up = true, .has_nohost = true, .nohost = true};
	struct bridge_opts o = {0};

	attr_defaults(&bridge_attrs, &o);
	CHECK(link_newlink(t->vx, link_type_find(t->vx, "bridge"), &cfg, &o, 0, NULL, &t->bridge) ==
	      0);
	CHECK(dev_set_master(far, t->bridge, NULL) == 0);
	CHECK(dev_set_master(near, t->bridge, NULL) == 0);
	for (uint32_t i = 0; i <= t->stations; i++) {
		bool is_far = i < t->stations;
		struct fdb_req r = {.mac = is_far ? station_mac(0xf0, i) : station_mac(0x0e, 0),
				    .state = NUD_NOARP,
				    .flags = NTF_MASTER,
				    .nl_flags = NLM_F_CREATE,
				    .port_dev = is_far ? far : near};

		/* The number of the tunnel's own MAC is another's here. */
		CHECK(t->bridge->ops->fdb_add(t->bridge, &r, NULL) == 0);
	}
}

static void make_rx(struct bench *t)
{
	add_underlay(t);
	add_vxlan(t, false, false, false);
	t->source = &t->up->napi;
	t->fill = fill_tunnel;
	t->frame_len = FRAME;
}

static void make_tx(struct bench *t)
{
	add_underlay(t);
	add_vxlan(t, false, false, true);
	t->source = &t->side->napi;
	t->fill = fill_to_far;
	t->frame_len = INNER;
}

static void make_rx_host(struct bench *t)
{
	add_vxlan(t, true, false, false);
	t->source = &t->sock.napi;
	t->fill = fill_tunnel;
	t->frame_len = FRAME;
}

static void make_bridge(struct bench *t)
{
	t->a = add_port(t, "a", 2);
	t->b = add_port(t, "b", 3);
	add_bridge(t, t->b->io.dev, t->a->io.dev);
	t->source = &t->a->napi;
	t->fill = fill_to_far;
	t->frame_len = INNER;
}

static void make_bridge_tx(struct bench *t)
{
	add_underlay(t);
	t->a = add_port(t, "a", 2);
	add_vxlan(t, false, true, true);
	CHECK(dev_set_mac(t->vxlan, &(struct mac){{2, 9, 0, 0, 0, 9}}, NULL) == 0);
	add_bridge(t, t->vxlan, t->a->io.dev);
	t->source = &t->a->napi;
	t->fill = fill_to_far;
	t->frame_len = INNER;
}

static void make_bridge_rx(struct bench *t)
{
	make_bridge_tx(t);
	t->source = &t->up->napi;
	t->fill = fill_tunnel;
	t->frame_len = FRAME;
}

enum { DP_FROM = 1, DP_TO = 2 }; /* datapath ports */

/* Flows of the datapath from DP_FROM to DP_TO, one for each station. */
struct flows {
	uint32_t masks; /* they are spread over so many, all of which look at both addresses */
	bool from_tunnel, to_tunnel;
};

static struct tun_info outer(bool is_tx)
{
	static const struct ip_addr any;
	struct ip_addr her = ip_from4(be32_put(0x0a000002));

	return (struct tun_info){.src = is_tx ? any : her,
				 .dst = is_tx ? her : any, /* sock_poll() has none */
				 .id = VNI,
				 .dport = PORT,
				 .ttl = 64,
				 .has_key = true,
				 .df = true,
				 .is_tx = is_tx};
}

static struct actions *flow_actions(const struct flows *f)
{
	struct tun_info tx = outer(true);
	struct act_buf b = {0};
	int err;

	if (f->to_tunnel)
		act_set_tunnel(&b, &tx);
	act_output(&b, DP_TO);
	return act_buf_done(&b, &err);
}

static void add_flows(struct bench *t, struct dp *dp, const struct flows *f)
{
	table_set_limit(&dp->table, 200000);
	for (uint32_t i = 0; i < t->stations; i++) {
		struct flow_key m = {.ip_tos = (uint8_t)(i % f->masks)}, k;
		struct worker *w = t->vx->workers[0];
		struct flow_layers l;
		struct pkt *p = pkt_new(w->pool, INNER);

		memset(&m.eth_src, 0xff, sizeof(m.eth_src));
		memset(&m.eth_dst, 0xff, sizeof(m.eth_dst));
		put_inner(pkt_append(p, INNER), !f->from_tunnel, i);
		if (f->from_tunnel) {
			p->tun = outer(false);
			p->has_tun = true;
			memset(&m.tun.src, 0xff, sizeof(m.tun.src));
			memset(&m.tun.dst, 0xff, sizeof(m.tun.dst));
			m.tun.id = UINT64_MAX;
			m.tun.flags = TUN_PRESENT | TUN_KEY;
		}
		CHECK(flow_key_extract(w, p, DP_FROM, &k, &l) == DROP_NONE);
		pkt_free(p);
		CHECK(table_put(&dp->table, &k, &m, flow_actions(f), NULL, TABLE_CREATE, NULL) == 0);
	}
}

static struct dp *new_dp(struct bench *t)
{
	struct dp *dp;

	CHECK(dp_init_module(t->vx) == 0 && dp_new(t->vx, "ovs-system", NULL, &dp) == 0);
	return dp;
}

static void add_dp(struct bench *t, uint32_t masks)
{
	struct dp *dp = new_dp(t);

	t->a = add_port(t, "a", 2);
	t->b = add_port(t, "b", 3);
	CHECK(vport_new(dp, "a", DP_FROM, false, NULL, NULL) == 0);
	CHECK(vport_new(dp, "b", DP_TO, false, NULL, NULL) == 0);
	add_flows(t, dp, &(struct flows){.masks = masks});
	t->source = &t->a->napi;
	t->fill = fill_to_far;
	t->frame_len = INNER;
}

/* vxlan_sys_4789, as ofproto makes it, with sockets of the host's.  (up0 is what counts.) */
static void add_external(struct bench *t)
{
	struct link_cfg cfg = {.name = "vxlan_sys_4789",
			       .has_mtu = true,
			       .mtu = 65000,
			       .has_up = true,
			       .up = true,
			       .has_nohost = true,
			       .nohost = true};
	struct vxlan_opts o;

	add_underlay(t);
	attr_defaults(&vxlan_attrs, &o);
	o.external = true;
	o.learning = false;
	o.udp6zerocsumrx = true;
	o.dstport = PORT;
	CHECK(link_newlink(t->vx, link_type_find(t->vx, "vxlan"), &cfg, &o,
			   VXA_BIT(VXA_EXTERNAL) | VXA_BIT(VXA_LEARNING) | VXA_BIT(VXA_ZCSUM6RX) |
				   VXA_BIT(VXA_DSTPORT),
			   NULL, &t->vxlan) == 0);
}

static void make_dp_rx(struct bench *t)
{
	struct dp *dp = new_dp(t);

	add_external(t);
	t->a = add_port(t, "a", 2);
	CHECK(vport_new(dp, "vxlan_sys_4789", DP_FROM, true, NULL, NULL) == 0);
	CHECK(vport_new(dp, "a", DP_TO, false, NULL, NULL) == 0);
	add_flows(t, dp, &(struct flows){.masks = 1, .from_tunnel = true});
	t->source = &t->sock.napi;
	t->fill = fill_tunnel;
	t->frame_len = FRAME;
}

static void make_dp_tx(struct bench *t)
{
	struct dp *dp = new_dp(t);

	add_external(t);
	t->a = add_port(t, "a", 2);
	CHECK(vport_new(dp, "a", DP_FROM, false, NULL, NULL) == 0);
	CHECK(vport_new(dp, "vxlan_sys_4789", DP_TO, true, NULL, NULL) == 0);
	add_flows(t, dp, &(struct flows){.masks = 1, .to_tunnel = true});
	t->source = &t->a->napi;
	t->fill = fill_to_far;
	t->frame_len = INNER;
}

static void make_dp(struct bench *t)
{
	add_dp(t, 1);
}

static void make_dp_masks(struct bench *t)
{
	add_dp(t, 32);
}

static const struct scenario {
	const char *name;
	void (*make)(struct bench *t);
} scenarios[] = {
	{"rx", make_rx},	       /* up0 -> vxlan1 -> its TAP */
	{"tx", make_tx},	       /* vxlan1's TAP -> up0 */
	{"rx_host", make_rx_host},     /* a host's socket -> vxlan1 -> its TAP */
	{"bridge", make_bridge},       /* a -> br0 -> b */
	{"bridge_tx", make_bridge_tx}, /* a -> br0 -> vxlan1 -> up0 */
	{"bridge_rx", make_bridge_rx}, /* up0 -> vxlan1 -> br0 -> a */
	{"dp", make_dp},	       /* a -> ovs-system -> b, flows of one mask */
	{"dp_masks", make_dp_masks},   /* the same, flows of 32 masks */
	{"dp_rx", make_dp_rx},	       /* a host's socket -> vxlan_sys_4789 -> ovs-system -> a */
	{"dp_tx", make_dp_tx},	       /* a -> ovs-system, tunnel set -> vxlan_sys_4789 -> a host's socket */
};

static const uint32_t counts[] = {1, 1000, 100000};

/* --- running -------------------------------------------------------------------------------------
 */

/* One in so many: of each batch the packets at which the counter ends. */
static uint64_t match(struct watch *wt, const struct batch *b, bool from_udp)
{
	struct bench *t = container_of(wt, struct bench, watch);
	uint64_t taken = 0;

	(void)from_udp;
	for (uint32_t i = 0; i < b->n; i++) {
		if (--t->watched)
			continue;
		t->watched = t->explain;
		taken |= 1ull << i;
	}
	return taken;
}

static void trace_done(void *ctx, struct trace *tr)
{
	((struct bench *)ctx)->traces++;
	atomic_fetch_sub(&((struct bench *)ctx)->watch.out, 1);
	free(tr);
}

static double turn(struct bench *t)
{
	uint64_t now = vx_now(t->vx);

	t->due = BATCH_MAX;
	napi_schedule(t->source);
	clock_sum = 0;
	clock_on();
	while (vx_turn(t->vx, 0, now))
		;
	clock_off();
	return (double)clock_sum / BATCH_MAX;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Everything that went in has come out, at the other end. */
static void check(struct bench *t)
{
	struct account a;
	uint64_t out = (t->up ? t->up->got : 0) + (t->side ? t->side->got : 0) +
		       (t->a ? t->a->got : 0) + (t->b ? t->b->got : 0);

	vx_account(t->vx, &a);
	CHECK(account_open(&a) == 0 && vx_held(t->vx) == 0);
	CHECK(account_dropped(&a) == 0 && a.local == 0 && a.merged == 0);
	CHECK(out == t->made);
	CHECK(!t->explain || !TRACE_IS_BUILT || t->traces);
}

static void run(const struct scenario *s, uint32_t stations, uint32_t turns, uint32_t explain)
{
	struct vx_config cfg = {.n_workers = 1,
				.key = {0x1234567, 0x89abcde},
				.random = 42,
				.now = 1000 * NS_PER_S,
				.host = &host_ops};
	struct bench *t = calloc(1, sizeof(*t));
	double *took = calloc(turns, sizeof(*took));
	char name[64];

	CHECK(t && took);
	cfg.host_ctx = t;
	t->stations = stations;
	t->explain = explain;
	t->vx = vx_new(&cfg);
	CHECK(t->vx && link_register(t->vx, &port_type) == 0 && vxlan_init_module(t->vx) == 0 &&
	      bridge_init_module(t->vx) == 0);
	s->make(t);
	t->in_order = true; /* every station is learnt */
	for (uint32_t i = 0; i < 20 + 2 * stations / BATCH_MAX; i++)
		turn(t);
	vx_control_turn(t->vx, vx_now(t->vx));
	t->in_order = false;
	if (explain) {
		t->watch = (struct watch){.match = match, .done = trace_done, .ctx = t};
		atomic_store(&t->watch.left, INT64_MAX);
		t->watched = explain;
		watch_set(t->vx, &t->watch);
	}
	CALLGRIND_START_INSTRUMENTATION;
	for (uint32_t i = 0; i < turns; i++)
		took[i] = turn(t);
	CALLGRIND_STOP_INSTRUMENTATION;
	snprintf(name, sizeof(name), "%s/%u", s->name, stations);
	CALLGRIND_DUMP_STATS_AT(name);
	check(t);
	qsort(took, turns, sizeof(*took), by_size);
	printf("%s %.1f %.1f\n", name, took[turns / 2], took[0]);
	fflush(stdout);
	watch_set(t->vx, NULL);
	vx_free(t->vx);
	free(t->up);
	free(t->a);
	free(t->b);
	free(t->side);
	free(t);
	free(took);
}

int main(int argc, char **argv)
{
	uint32_t turns = 4000, explain = 0;
	int opt;

	while ((opt = getopt(argc, argv, "t:e:")) != -1) {
		if (opt == 't')
			turns = (uint32_t)atoi(optarg);
		else if (opt == 'e')
			explain = (uint32_t)atoi(optarg);
		else
			return 2;
	}
	CHECK(turns);
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
		for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
			bool wanted = optind == argc;
			char name[64];

			snprintf(name, sizeof(name), "%s/%u", scenarios[i].name, counts[k]);
			for (int a = optind; a < argc; a++)
				wanted |= !strcmp(argv[a], name);
			if (wanted)
				run(&scenarios[i], counts[k], turns, explain);
		}
	return 0;
}
