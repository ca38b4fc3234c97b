/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host form of a UDP socket, by loopback in a network namespace of the test's own:
 *
 *   vx: socket on port 4789 ---- 127.0.0.1 ---- a plain socket of the test
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/testing.h"
#include "io/udp.h"
#include "net/dev.h"
#include "net/link.h"

enum { PORT = 4789, MTU = 1400, PKTS = 80, BIG = 16 };

static struct {
	struct vx *vx;
	struct worker *w;
	struct io_host host;
	struct dev *d;
	struct udp_sock *sk;
	int fd; /* of it */
	struct napi *napi;
	int plain; /* the test's */
	uint16_t plain_port;
	uint32_t n, bytes; /* datagrams that came in */
} T;

/* --- the world ------------------------------------------------------------------------------- */

static int wake_add(void *ctx, int fd, struct napi *n)
{
	(void)ctx;
	T.fd = fd;
	T.napi = n;
	return 0;
}

static void wake_del(void *ctx, int fd, struct napi *n)
{
	(void)ctx;
	assert_int_equal(fd, T.fd);
	napi_remove(n);
}

static const struct io_wake wake = {wake_add, wake_del, NULL};

static void take(struct worker *w, struct udp_sock *sk, struct batch *b)
{
	assert_ptr_equal(sk, T.sk);
	for (uint32_t i = 0; i < b->n; i++) {
		T.n++;
		T.bytes += pkt_total(b->p[i]);
		assert_int_equal(b->p[i]->tun.sport, T.plain_port);
		pkt_consume(w, b->p[i]);
	}
	b->n = 0;
}

static void dev_setup(struct dev *d)
{
	static const struct dev_ops ops = {.xmit = NULL};

	d->ops = &ops;
}

static int newlink(struct dev *d, const struct link_cfg *cfg, const void *opts, uint64_t present,
		   struct vx_err *err)
{
	(void)d, (void)cfg, (void)opts, (void)present, (void)err;
	return 0;
}

static const struct link_type type = {.kind = "test", .setup = dev_setup, .newlink = newlink};

static void open_plain(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(sa);

	T.plain = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(T.plain, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(T.plain, (struct sockaddr *)&sa, &len), 0);
	T.plain_port = ntohs(sa.sin_port);
}

static void say(const void *data, size_t len)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr = {htonl(INADDR_LOOPBACK)},
				 .sin_port = htons(PORT)};

	assert_int_equal(sendto(T.plain, data, len, 0, (struct sockaddr *)&sa, sizeof(sa)), len);
}

static int setup(void **state)
{
	struct vx_config cfg = {.n_workers = 1,
				.now = NS_PER_S,
				.host = &io_host_ops,
				.host_ctx = &T.host,
				.pool_pkts = PKTS,
				.pool_small = PKTS,
				.pool_big = BIG};
	struct link_cfg link = {.name = "t0", .has_up = true, .up = true};
	static const struct udp_tunnel_cfg tunnel = {.rcv = take};
	struct udp_sock_cfg sock = {.family = AF_INET, .port = PORT};

	(void)state;
	memset(&T, 0, sizeof(T));
	assert_int_equal(io_host_init(&T.host, &wake), 0);
	T.host.vx = T.vx = sock.vx = vx_new(&cfg);
	T.w = T.vx->workers[0];
	assert_int_equal(link_register(T.vx, &type), 0);
	assert_int_equal(link_newlink(T.vx, &type, &link, NULL, 0, NULL, &T.d), 0);
	assert_int_equal(udp_sock_create(&sock, true, &T.sk, NULL), 0);
	udp_tunnel_setup(T.sk, &tunnel);
	open_plain();
	return 0;
}

/* Whatever happened, every packet is accounted for. */
static int teardown(void **state)
{
	struct pool_stats s;
	struct account a;

	(void)state;
	vx_account(T.vx, &a);
	assert_int_equal(account_open(&a), 0);
	udp_sock_release(T.sk);
	quiesce_idle(&T.vx->quiesce, 0);
	quiesce_reap(&T.vx->quiesce);
	s = vx_pool_stats(T.vx);
	assert_int_equal(s.pkts_out + s.small_out + s.big_out, 0);
	vx_free(T.vx);
	io_host_done(&T.host);
	close(T.plain);
	return 0;
}

/* Turns until nothing comes for 300 ms, or 'n' datagrams were received or dropped. */
static struct account run_until(uint32_t n)
{
	struct pollfd pfd = {.fd = T.fd, .events = POLLIN};
	struct account a;

	for (;;) {
		vx_account(T.vx, &a);
		if (T.n + account_dropped(&a) >= n || poll(&pfd, 1, 300) <= 0)
			return a;
		napi_schedule(T.napi);
		while (vx_turn(T.vx, 0, NS_PER_S))
			;
	}
}

/* 'n' datagrams of 'size' bytes, from the test to vx, in one call: the kernel keeps them together.
 */
static void send_train(uint32_t n, int size)
{
	static const uint8_t zero[60000];

	assert_int_equal(setsockopt(T.plain, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
	say(zero, n * (size_t)size);
}

/* --- receiving ------------------------------------------------------------------------------- */

static void datagrams(void **state)
{
	struct account a;

	(void)state;
	for (uint32_t i = 1; i <= 100; i++) {
		say("12345678", 8);
		a = run_until(i);
		assert_int_equal(a.rx, i);
	}
	assert_int_equal(T.bytes, 800);
}

static void trains(void **state)
{
	struct account a;

	(void)state;
	send_train(30, 1000);
	a = run_until(30);
	assert_int_equal(T.n, 30);
	assert_int_equal(T.bytes, 30000);
	assert_int_equal(a.rx, 30);
	assert_int_equal(a.local, 30);
}

/* More datagrams in a train than there are packets left. */
static void no_buffers(void **state)
{
	struct pkt *held[PKTS - 12];
	struct account a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		held[i] = pkt_new(T.w->pool, 0);
	send_train(30, 1000); /* eight packets wait for datagrams: four are left for slices */
	a = run_until(30);
	assert_int_equal(a.rx, 30);
	assert_int_equal(T.n, 4);
	assert_int_equal(a.dropped[DROP_no_memory], 26);
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		pkt_free(held[i]);
	send_train(30, 1000);
	run_until(60);
	assert_int_equal(T.n, 34);
}

/* --- sending --------------------------------------------------------------------------------- */

static struct udp_flow flow_to(const char *ip)
{
	struct udp_flow f = {.sport = 40000,
			     .sport_min = 40000,
			     .sport_max = 40100,
			     .dport = T.plain_port,
			     .csum = true};

	assert_int_equal(ip_parse(ip, &f.dst), 0);
	return f;
}

static struct pkt *packet(uint32_t len)
{
	struct pkt *p = pkt_make(T.w, len);

	memset(pkt_append(p, len), 3, len);
	p->dev = T.d;
	udp_tunnel_set_len(p, len);
	return p;
}

static struct account send_out(struct pkt *p, const struct udp_flow *f)
{
	struct dst way = {0};
	struct account a;

	udp_tunnel_xmit(T.w, T.sk, p, f, &way);
	T.sk->ops->flush(T.w, T.sk);
	vx_account(T.vx, &a);
	return a;
}

/* Whose device lost the socket while it sent cannot flush it: the turn does. */
static void sent_by_the_turn(void **state)
{
	struct udp_flow f = flow_to("127.0.0.1");
	struct dst way = {0};
	struct account a;

	(void)state;
	udp_tunnel_xmit(T.w, T.sk, packet(100), &f, &way);
	vx_account(T.vx, &a);
	assert_int_equal(a.tx, 0);
	vx_turn(T.vx, 0, 1);
	vx_account(T.vx, &a);
	assert_int_equal(a.tx, 1);
	assert_int_equal(account_open(&a), 0);
}

static void check_stats(uint64_t packets, uint64_t dropped, uint64_t errors, uint64_t carrier)
{
	struct dev_stats s;

	dev_sum_stats(T.d, &s);
	assert_int_equal(s.tx_packets, packets);
	assert_int_equal(s.tx_dropped, dropped);
	assert_int_equal(s.tx_errors, errors);
	assert_int_equal(s.tx_carrier_errors, carrier);
}

/* One alone, and a train of several with a shorter one at its end. */
static void sent(void **state)
{
	struct udp_flow f = flow_to("127.0.0.1");
	struct dst way = {0};
	uint8_t got[2000];
	struct account a;

	(void)state;
	a = send_out(packet(100), &f);
	assert_int_equal(a.tx, 1);
	assert_int_equal(recv(T.plain, got, sizeof(got), MSG_DONTWAIT), 100);
	for (int i = 0; i < 10; i++)
		udp_tunnel_xmit(T.w, T.sk, packet(500), &f, &way);
	a = send_out(packet(20), &f);
	assert_int_equal(a.tx, 12);
	for (int i = 0; i < 10; i++)
		assert_int_equal(recv(T.plain, got, sizeof(got), MSG_DONTWAIT), 500);
	assert_int_equal(recv(T.plain, got, sizeof(got), MSG_DONTWAIT), 20);
	check_stats(12, 0, 0, 0);
}

/* What the host has to cut goes alone, and what is behind it is not lost with it; without a cut only
 * the long one is. */
static void longer_than_the_path(void **state)
{
	struct dst way = {0};
	uint8_t got[2000];
	struct account a;

	(void)state;
	for (int df = 0; df < 2; df++) {
		struct udp_flow f = flow_to("127.0.0.1");

		f.df = df;
		udp_tunnel_xmit(T.w, T.sk, packet(MTU), &f, &way);
		a = send_out(packet(30), &f);
		assert_int_equal(a.dropped[DROP_tunnel_too_big], df);
		assert_int_equal(a.tx, 2 + df);
		if (!df)
			assert_int_equal(recv(T.plain, got, sizeof(got), MSG_DONTWAIT), MTU);
		assert_int_equal(recv(T.plain, got, sizeof(got), MSG_DONTWAIT), 30);
	}
}

/* A route without a metric takes what its link does; asked for once as long as nothing changes. */
static void mtu_of_a_route(void **state)
{
	struct udp_flow f = flow_to("127.0.0.1");
	struct dst d;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(T.sk->ops->route(T.w, T.sk, &f, &d), 0);
		assert_int_equal(d.mtu, MTU);
		T.host.route_link[0].mtu -= i; /* kept */
	}
	assert_int_equal(T.sk->ops->route(T.w, T.sk, &f, &d), 0);
	assert_int_equal(d.mtu, MTU - 1);
	atomic_fetch_add(&T.host.route_gen, 1);
	assert_int_equal(T.sk->ops->route(T.w, T.sk, &f, &d), 0);
	assert_int_equal(d.mtu, MTU);
}

/* That there is none is kept, too, until something changes: here rules, then routes. */
static void no_route(void **state)
{
	static const char *const change[] = {"ip rule add fwmark 7 blackhole",
					     "ip -6 rule add fwmark 7 blackhole",
					     "ip route add 10.9.9.0/24 dev lo"};
	struct udp_flow f = flow_to("10.9.9.9");
	struct dst d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(change); i++) {
		uint64_t gen = host_route_gen(&T.host);

		assert_int_equal(T.sk->ops->route(T.w, T.sk, &f, &d), -EHOSTUNREACH);
		assert_int_equal(d.type, DST_UNREACHABLE);
		assert_int_equal(d.gen, gen);
		assert_int_equal(system(change[i]), 0);
		netdev_run(&T.host);
		assert_true(host_route_gen(&T.host) > gen);
	}
	assert_int_equal(T.sk->ops->route(T.w, T.sk, &f, &d), 0);
	assert_int_equal(system("ip route del 10.9.9.0/24 dev lo && ip rule del fwmark 7 && "
				"ip -6 rule del fwmark 7"), 0);
}

/* A port is free as soon as no worker has its socket, before that is freed; and not before. */
static void port_again(void **state)
{
	struct udp_sock_cfg c = T.sk->cfg;

	(void)state;
	quiesce_pass(&T.vx->quiesce, 0); /* the worker is under way */
	udp_sock_release(T.sk);
	assert_int_equal(udp_sock_create(&c, true, &T.sk, NULL), -EADDRINUSE);
	quiesce_idle(&T.vx->quiesce, 0);
	assert_int_equal(udp_sock_create(&c, true, &T.sk, NULL), 0);
	udp_sock_release(T.sk);
	assert_int_equal(udp_sock_create(&c, true, &T.sk, NULL), 0);
}

static int no_socket(void *ctx, const struct udp_ask *a)
{
	(void)ctx;
	(void)a;
	return -EMFILE;
}

/* By the host, each for a reason of its own. */
static void refused(void **state)
{
	struct udp_flow f = flow_to("10.9.9.9");
	struct io_open none = io_open_direct;
	struct account a;
	uint64_t gen;

	(void)state;
	a = send_out(packet(100), &f);
	assert_int_equal(a.dropped[DROP_tunnel_no_route], 1);
	check_stats(0, 0, 1, 1);
	f = flow_to("127.0.0.1");
	f.df = true;
	gen = host_route_gen(&T.host);
	a = send_out(packet(MTU), &f);
	assert_int_equal(a.dropped[DROP_tunnel_too_big], 1);
	assert_true(host_route_gen(&T.host) > gen);
	check_stats(0, 1, 1, 1);
	none.udp = no_socket;
	T.host.open = &none;
	f.df = f.csum = false; /* a pool without any socket yet */
	a = send_out(packet(100), &f);
	assert_int_equal(a.dropped[DROP_tx_failed], 1);
	check_stats(0, 2, 1, 1);
	T.host.open = &io_open_direct;
	a = send_out(packet(100), &f);
	assert_int_equal(a.tx, 1);
	check_stats(1, 2, 1, 1);
}

/* In more pieces than a call takes: what was put together from fragments of fragments can be. */
static void many_pieces(void **state)
{
	enum { PIECES = 1100, SIZE = 2 * PIECES };
	static uint8_t bytes[SIZE];
	struct udp_flow f = flow_to("127.0.0.1");
	struct pool *pool = pool_new(PIECES + 1, 1, 1);
	struct pkt *whole = pkt_new(pool, SIZE), *p = packet(1);
	uint8_t got[SIZE + 1];
	struct account a;

	(void)state;
	memset(bytes, 5, sizeof(bytes));
	memcpy(pkt_append(whole, SIZE), bytes, SIZE);
	for (uint32_t i = 0; i < PIECES; i++)
		pkt_add_frag(p, pkt_slice(pool, whole, 2 * i, 2));
	pkt_free(whole);
	a = send_out(p, &f);
	assert_int_equal(a.tx, 1);
	assert_int_equal(recv(T.plain, got, sizeof(got), MSG_DONTWAIT), SIZE + 1);
	assert_memory_equal(got + 1, bytes, SIZE);
	pool_free(pool);
}

/* A super-frame that is none, and a checksum outside the packet. */
static void lies(void **state)
{
	struct udp_flow f = flow_to("127.0.0.1");

	(void)state;
	for (int gso = 0; gso < 2; gso++) {
		struct pkt *p = packet(64);
		struct account a;

		p->csum_state = CSUM_PARTIAL;
		p->csum_start = pkt_off(p) + 70;
		p->gso_size = gso ? 10 : 0;
		p->gso_type = gso ? GSO_TCP4 : GSO_NONE;
		a = send_out(p, &f);
		assert_int_equal(a.dropped[DROP_gso_failed], gso + 1);
		check_stats(0, (uint64_t)gso + 1, 0, 0);
	}
}

int main(int argc, char **argv)
{
#define C(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		C(datagrams), C(trains), C(no_buffers), C(sent), C(sent_by_the_turn), C(refused),
		C(lies), C(longer_than_the_path), C(mtu_of_a_route),
		C(port_again), C(many_pieces), C(no_route),
	};

	(void)argc;
	io_test_enter(argv, "ip link set lo up mtu 1400", "cannot set up the loopback");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
