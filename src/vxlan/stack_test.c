/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VXLAN over the stack underlay, end to end: two struct vx, a cable between their ports in memory,
 * a VXLAN device on each, addresses on both layers.
 */
#include "net/testing.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/link.h"
#include "net/route.h"
#include "net/udp_inet.h"
#include "net/watch.h"
#include "vxlan/device.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/tcp.h"

struct host {
	struct t_net *t;
	struct t_port *up;
	struct dev *vxlan;
	struct udp_sock *sk;
};

static struct ip_addr under(bool is6, int n)
{
	char text[32];

	snprintf(text, sizeof(text), is6 ? "fd00::%d" : "10.0.0.%d", n);
	return t_addr(text);
}

static void make_host(struct host *h, bool is6, int me, int her, bool df)
{
	struct link_cfg cfg = {.name = "vxlan1", .has_up = true, .up = true};
	struct vxlan_opts o = {0};
	char addr[32], mac[24];
	struct udp_sock_cfg sc = {.family = AF_INET, .port = 7000};

	cfg.has_mac = true;
	cfg.mac = (struct mac){{2, 0, 0, 0, 1, (uint8_t)me}};
	h->t = t_new();
	vxlan_init_module(h->t->vx);
	snprintf(mac, sizeof(mac), "02:00:00:00:00:%02x", me);
	snprintf(addr, sizeof(addr), is6 ? "fd00::%d/64" : "10.0.0.%d/24", me);
	h->up = t_add_port(h->t, "up0", mac, addr);
	attr_defaults(&vxlan_attrs, &o);
	o.id = 100;
	o.dev = h->up->dev->ifindex;
	o.local = under(is6, me);
	o.remote = under(is6, her);
	o.dstport = 4789;
	o.df = df ? DF_SET : DF_UNSET;
	assert_int_equal(link_newlink(h->t->vx, link_type_find(h->t->vx, "vxlan"), &cfg, &o,
				      VXA_BIT(VXA_ID) | VXA_BIT(VXA_DEV), NULL, &h->vxlan),
			 0);
	snprintf(addr, sizeof(addr), "192.168.9.%d", me);
	assert_int_equal(inet_addr_add(h->vxlan, &(struct ip_addr){0}, 24, NULL, NULL, NULL),
			 -EADDRNOTAVAIL);
	sc.addr = t_addr(addr);
	assert_int_equal(inet_addr_add(h->vxlan, &sc.addr, 24, NULL, NULL, NULL), 0);
	sc.vx = h->t->vx;
	assert_int_equal(inet_udp_open(&sc, &h->sk, NULL), 0);
}

static void run(struct host *a, struct host *b)
{
	for (int i = 0; i < 10; i++) {
		t_turn(a->t);
		t_turn(b->t);
	}
}

/* A datagram through the tunnel; what arrived, or -EAGAIN. */
static int through(struct host *a, struct host *b, uint32_t n)
{
	static uint8_t out[65536], in[65536];
	struct ip_addr to = t_addr("192.168.9.2");
	int r;

	for (uint32_t i = 0; i < n; i++)
		out[i] = (uint8_t)(i * 31);
	a->t->now += NS_PER_S / 100;
	t_turn(a->t);
	assert_int_equal(inet_udp_send(a->t->vx->workers[0], a->sk, &to, 7000, out, n), 0);
	run(a, b);
	r = inet_udp_recv(b->t->vx->workers[0], b->sk, in, sizeof(in), NULL);
	if (r >= 0)
		assert_memory_equal(out, in, r);
	return r;
}

static void make_pair(struct host *a, struct host *b, bool is6, bool df)
{
	make_host(a, is6, 1, 2, df);
	make_host(b, is6, 2, 1, df);
	t_join(a->up, b->up);
}

static void done(struct host *a, struct host *b)
{
	t_end(a->t);
	t_end(b->t);
}

/* A ping's way: ARP above and below, learning, the counters of both devices. */
static void end_to_end(void **state)
{
	(void)state;
	for (int is6 = 0; is6 < 2; is6++) {
		struct dev_stats st;
		struct host a, b;

		make_pair(&a, &b, is6, false);
		t_mark(b.t);
		assert_int_equal(through(&a, &b, 100), 100);
		assert_int_equal(through(&a, &b, 1000), 1000);
		dev_sum_stats(b.vxlan, &st);
		assert_int_equal(st.rx_packets, 3); /* ARP and two datagrams */
		assert_int_equal(st.rx_dropped + st.rx_errors, 0);
		assert_int_equal(st.tx_packets, 1);
		dev_sum_stats(a.vxlan, &st);
		assert_int_equal(st.tx_packets, 3);
		assert_int_equal(st.tx_bytes, 28 + 128 + 1028);
		assert_int_equal(st.tx_dropped + st.tx_errors, 0);
		assert_int_equal(is6 ? T_MOVED(b.t, Udp6InDatagrams) - 0
				     : T_MOVED(b.t, UdpInDatagrams) - 2,
				 3);
		done(&a, &b);
	}
}

/* Bytes of the outer packet: header fields, checksum rules. */
static void outer_bytes(void **state)
{
	struct ip_addr to = t_addr("192.168.9.2");
	uint16_t last_id = 0;

	(void)state;
	for (int is6 = 0; is6 < 2; is6++) {
		const struct t_frame *o;
		struct host a;

		make_host(&a, is6, 1, 2, false);
		t_add_neigh(a.up, is6 ? "fd00::2" : "10.0.0.2", "02:00:00:00:00:02");
		t_turn(a.t);
		for (int i = 0; i < 3; i++) {
			inet_udp_send(a.t->vx->workers[0], a.sk, &to, 7000, "x", 1);
			t_advance(a.t, NS_PER_S);
			o = t_out(a.up); /* the ARP question, in VXLAN */
			assert_non_null(o);
			if (is6) {
				t_assert_ip6(o, "fd00::1", "fd00::2", IPPROTO_UDP_);
				assert_int_equal(t_ip6_of(o->b)->hop_limit, 64);
				assert_int_equal(o->len, 54 + 8 + 8 + 42);
				continue;
			}
			t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_UDP_);
			assert_int_equal(t_ip4_of(o->b)->ttl, 64);
			assert_int_equal(be16_get(t_ip4_of(o->b)->frag), 0);
			assert_int_equal(be16_get(t_udp_of(o->b)->dst), 4789);
			assert_int_equal(be16_get(t_udp_of(o->b)->len), 8 + 8 + 42);
			if (i)
				assert_int_equal(be16_get(t_ip4_of(o->b)->id),
						 (uint16_t)(last_id + 1));
			last_id = be16_get(t_ip4_of(o->b)->id);
		}
		t_end(a.t);
	}
}

/* O1: DF clear, fragments below; DF set, a local error that the device counts; IPv6 never cut. */
static void o1_too_big(void **state)
{
	static const struct {
		bool is6, df;
		int got;
		uint64_t dropped, errors;
	} row[] = {
		{false, false, 1400, 0, 0},
		{false, true, -EAGAIN, 1, 0},
		{true, false, -EAGAIN, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct dev_stats st;
		struct host a, b;

		make_pair(&a, &b, row[i].is6, row[i].df);
		assert_int_equal(through(&a, &b, 10), 10);
		dev_set_mtu(a.up->dev, 1300, NULL); /* less than what the tunnel was made for */
		t_mark(a.t);
		assert_int_equal(through(&a, &b, 1400), row[i].got);
		dev_sum_stats(a.vxlan, &st);
		assert_int_equal(st.tx_dropped, row[i].dropped);
		assert_int_equal(st.tx_errors, row[i].errors);
		assert_int_equal(st.tx_aborted_errors, row[i].errors);
		assert_int_equal(t_dropped(a.t, DROP_ip_out_too_big), row[i].got < 0);
		assert_int_equal(T_MOVED(a.t, IpFragFails), row[i].dropped);
		assert_int_equal(T_MOVED(a.t, Ip6FragFails), row[i].errors);
		if (row[i].got > 0) {
			assert_int_equal(T_MOVED(a.t, IpFragOKs), 1);
			assert_int_equal(T_MOVED(a.t, IpFragCreates), 2);
		}
		done(&a, &b);
	}
}

/* A super-frame is cut before the outer headers; each segment's checksum is finished. */
static void super_frame(void **state)
{
	struct t_net *t;
	struct host a, b;
	struct pkt *p;
	struct batch one;
	struct dev_stats st;
	uint8_t f[T_FRAME_MAX];
	struct tcp_hdr h = {
		.src = be16_put(1), .dst = be16_put(2), .off = 5 << 4, .flags = TCP_ACK};
	struct ip_addr s = t_addr("192.168.9.1"), d = t_addr("192.168.9.2");
	uint8_t data[20 + 5000];
	uint32_t len;

	(void)state;
	make_pair(&a, &b, false, false);
	assert_int_equal(through(&a, &b, 10), 10);
	t = a.t;
	a.up->peer = NULL;
	h.csum.raw = csum_reduce(csum_pseudo(&s, &d, IPPROTO_TCP_, sizeof(data)));
	memcpy(data, &h, 20);
	for (int i = 0; i < 5000; i++)
		data[20 + i] = (uint8_t)i;
	len = t_ip(f, &(struct t_ip){.smac = "02:00:00:00:00:77",
				     .dmac = T_HER,
				     .src = "192.168.9.1",
				     .dst = "192.168.9.2",
				     .proto = IPPROTO_TCP_,
				     .data = data,
				     .len = sizeof(data)});
	p = pkt_make(t->vx->workers[0], len);
	memcpy(pkt_append(p, len), f, len);
	p->csum_state = CSUM_PARTIAL;
	p->csum_start = pkt_off(p) + 34;
	p->csum_offset = 16;
	p->gso_size = 1000;
	p->gso_type = GSO_TCP4;
	batch_init(&one);
	batch_add(&one, p);
	dev_sum_stats(a.vxlan, &st);
	dev_queue_xmit(t->vx->workers[0], a.vxlan, &one);
	t_turn(t);
	for (uint32_t i = 0; i < 5; i++) {
		const struct t_frame *o = t_out(a.up);
		const struct ip4_hdr *ip;

		t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_UDP_);
		assert_int_equal(o->len, 50 + 14 + 40 + 1000);
		ip = (const struct ip4_hdr *)(o->b + 64);
		assert_int_equal(csum_reduce(csum_add(csum_pseudo(&s, &d, IPPROTO_TCP_, 1020),
						      ip + 1, 1020)),
				 0xffff);
		assert_int_equal(be32_get(((const struct tcp_hdr *)(ip + 1))->seq), i * 1000);
	}
	t_assert_silent(a.up);
	len = (uint32_t)st.tx_packets;
	dev_sum_stats(a.vxlan, &st);
	assert_int_equal(st.tx_packets, len + 1); /* told once */
	done(&a, &b);
}

/* vxlan.md 2.9: fragmentation needed lowers the path's MTU if it quotes a datagram of ours. */
static void pmtu(void **state)
{
	static const struct {
		const char *row;
		uint32_t quoted; /* bytes behind the quoted UDP header */
		uint8_t flags;
		uint32_t vni, mtu, want;
	} row[] = {
		{"ours", 8, 8, 100, 1300, 1300},	{"no I flag", 8, 0, 100, 1300, 1500},
		{"unknown VNI", 8, 8, 101, 1300, 1500}, {"only UDP", 0, 8, 100, 1300, 1500},
		{"too low", 8, 8, 100, 60, 552},	{"higher", 8, 8, 100, 9000, 1500},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		uint8_t q[128], f[T_FRAME_MAX], vx[8] = {row[i].flags};
		struct icmp_hdr h = {.type = 3, .code = 4};
		struct udp_flow fl = {.dst = t_addr("10.0.0.2")};
		struct dst d;
		struct host a;
		uint32_t len;

		make_host(&a, false, 1, 2, false);
		t_turn(a.t);
		vx[6] = (uint8_t)row[i].vni;
		t_udp(f, &(struct t_ip){.src = "10.0.0.1", .dst = "10.0.0.2", .data = vx, .len = 8},
		      40000, 4789);
		h.frag.mtu = be16_put((uint16_t)row[i].mtu);
		memcpy(q, &h, 8);
		memcpy(q + 8, f + 14, 28 + row[i].quoted);
		len = 8 + 28 + row[i].quoted;
		h.csum = csum(q, len);
		memcpy(q, &h, 8);
		len = t_ip(f, &(struct t_ip){.src = "10.0.0.9",
					     .dst = "10.0.0.1",
					     .proto = IPPROTO_ICMP4_,
					     .data = q,
					     .len = len});
		t_mark(a.t);
		t_inject(a.up, f, len);
		assert_int_equal(T_MOVED(a.t, IcmpInDestUnreachs), 1);
		assert_int_equal(route_output(a.t->vx->workers[0], &fl, &d), 0);
		if (d.mtu != row[i].want)
			fail_msg("%s: %u", row[i].row, d.mtu);
		t_advance(a.t, 601 * NS_PER_S); /* forgotten after 10 minutes */
		assert_int_equal(route_output(a.t->vx->workers[0], &fl, &d), 0);
		assert_int_equal(d.mtu, 1500);
		t_end(a.t);
	}
}

/* 3.5-6: no way to the remote: a route failure for every packet, not only the first. */
static void no_way(void **state)
{
	static const uint8_t type[] = {DST_BLACKHOLE, DST_UNREACHABLE, DST_NONE};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(type); i++) {
		struct route_req r = {.family = AF_INET,
				      .dst = t_addr("10.0.0.2"),
				      .plen = 32,
				      .type = type[i],
				      .nl_flags = NLM_F_CREATE};
		struct ip_addr to = t_addr("192.168.9.2"), me = t_addr("10.0.0.1");
		struct dev_stats st;
		struct host a;

		make_host(&a, false, 1, 2, false);
		if (type[i])
			assert_int_equal(route_add(a.t->vx, &r, NULL), 0);
		else /* no address at all: no source */
			assert_int_equal(inet_addr_del(a.up->dev, &me, 24, NULL), 0);
		for (int k = 0; k < 2; k++) {
			inet_udp_send(a.t->vx->workers[0], a.sk, &to, 7000, "x", 1);
			t_advance(a.t, NS_PER_S); /* an ARP question each */
		}
		dev_sum_stats(a.vxlan, &st);
		assert_true(st.tx_carrier_errors >= 2);
		assert_int_equal(st.tx_carrier_errors, st.tx_errors);
		t_assert_silent(a.up);
		t_end(a.t);
	}
}

/* A tunnel whose remote lies behind the tunnel itself ends, without a fault of memory. */
static void tunnel_in_tunnel(void **state)
{
	struct host a, b;
	struct vxlan_opts o = {0};
	struct link_cfg cfg = {.name = "vxlan2", .has_up = true, .up = true};
	struct dev *d;
	struct ip_addr ip = t_addr("172.16.0.1"), to = t_addr("172.16.0.2");

	(void)state;
	make_pair(&a, &b, false, false);
	assert_int_equal(through(&a, &b, 10), 10);
	attr_defaults(&vxlan_attrs, &o);
	o.id = 200;
	o.dev = a.vxlan->ifindex;
	o.remote = t_addr("192.168.9.2");
	o.local = t_addr("192.168.9.1");
	o.dstport = 4789;
	assert_int_equal(link_newlink(a.t->vx, link_type_find(a.t->vx, "vxlan"), &cfg, &o,
				      VXA_BIT(VXA_ID) | VXA_BIT(VXA_DEV), NULL, &d),
			 0);
	assert_int_equal(inet_addr_add(d, &ip, 24, NULL, NULL, NULL), 0);
	t_mark(b.t);
	assert_int_equal(inet_udp_send(a.t->vx->workers[0], a.sk, &to, 7000, "x", 1), 0);
	run(&a, &b);
	/* The ARP question arrived in two VXLAN headers; nobody has VNI 200 there. */
	assert_int_equal(t_dropped(b.t, DROP_vxlan_unknown_vni), 1);
	/* Now vxlan1's remote behind vxlan2, too: a loop. */
	assert_int_equal(inet_addr_del(a.up->dev,
				       &(struct ip_addr){.b = {[10] = 0xff, 0xff, 10, 0, 0, 1}}, 24,
				       NULL),
			 0);
	done(&a, &b);
}

/* Explain: a frame that came in and was delivered names every stage, in order. */
static char stages[2048];
static void keep(void *ctx, struct trace *t)
{
	(void)ctx;
	stages[0] = 0;
	for (int i = 0; i < t->n_steps; i++) {
		strcat(stages, stage_names[t->steps[i].stage]);
		strcat(stages, " ");
	}
	free(t);
}
static uint64_t large(struct watch *wt, const struct batch *b, bool from_udp)
{
	uint64_t taken = 0;

	(void)wt, (void)from_udp;
	for (uint32_t i = 0; i < b->n; i++)
		taken |= (uint64_t)(pkt_total(b->p[i]) > 100) << i;
	return taken;
}

static void explained(void **state)
{
	struct watch wt = {.match = large, .done = keep, .left = 1};
	struct host a, b;

	(void)state;
	make_pair(&a, &b, false, false);
	assert_int_equal(through(&a, &b, 10), 10);
	watch_set(b.t->vx, &wt);
	assert_int_equal(through(&a, &b, 100), 100);
	watch_set(b.t->vx, NULL);
	assert_string_equal(
		stages,
		"napi_schedule napi_poll io_rx gro_receive netif_receive ip4_rcv hook_prerouting "
		"ip4_rcv_finish route_input dst_input ip_local_deliver hook_input "
		"ip_local_deliver_finish udp_rcv udp_queue_rcv vxlan_rcv vxlan_rcv "
		"gro_cells_receive gro_receive netif_receive ip4_rcv hook_prerouting "
		"ip4_rcv_finish route_input dst_input ip_local_deliver hook_input "
		"ip_local_deliver_finish udp_rcv udp_queue_rcv udp_queue_rcv ");
	done(&a, &b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(end_to_end), cmocka_unit_test(outer_bytes),
		cmocka_unit_test(o1_too_big), cmocka_unit_test(super_frame),
		cmocka_unit_test(pmtu),	      cmocka_unit_test(tunnel_in_tunnel),
		cmocka_unit_test(explained),  cmocka_unit_test(no_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
