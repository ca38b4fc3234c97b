/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host side of a device, in a network namespace of the test's own:
 *
 *   vx: device t0 ---- TAP ==== host interface t0 ---- a raw socket of the test
 *
 * What no kernel hands over comes from a socket pair in the TAP's place.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/host.h"
#include "io/open.h"
#include "io/testing.h"
#include "net/dev.h"
#include "net/link.h"
#include "net/napi.h"
#include "wire/eth.h"

enum { TYPE = 0x88b5 };

static struct {
	struct vx *vx;
	struct io_host host;
	struct dev *d;
	int fd; /* the TAP's */
	struct napi *napi;
	int raw;    /* on the host's t0 */
	uint32_t n; /* frames of TYPE that the device sent */
	uint32_t lost;
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

static void side_lost(void *ctx)
{
	(void)ctx;
	T.lost++;
}

/* What came from the host goes out of the device. */
static void take(struct worker *w, struct dev *d, struct batch *b)
{
	(void)d;
	for (uint32_t i = 0; i < b->n; i++) {
		T.n += be16_get(b->p[i]->protocol) == TYPE;
		pkt_consume(w, b->p[i]);
	}
}

static void dev_setup(struct dev *d)
{
	static const struct dev_ops ops = {.xmit = take};

	d->ops = &ops;
}

static int newlink(struct dev *d, const struct link_cfg *cfg, const void *opts, uint64_t present,
		   struct vx_err *err)
{
	(void)d, (void)cfg, (void)opts, (void)present, (void)err;
	return 0;
}

static const struct link_type type = {
	.kind = "test", .has_host_side = true, .setup = dev_setup, .newlink = newlink};

static int open_raw(void)
{
	struct sockaddr_ll sa = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(TYPE),
				 .sll_ifindex = (int)if_nametoindex("t0")};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(TYPE));

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static int setup(void **state)
{
	struct vx_config cfg = {
		.n_workers = 1, .now = NS_PER_S, .host = &io_host_ops, .host_ctx = &T.host};
	struct link_cfg link = {.name = "t0", .has_up = true, .up = true};
	struct vx_err err = {0};

	(void)state;
	memset(&T, 0, sizeof(T));
	assert_int_equal(io_host_init(&T.host, &wake), 0);
	T.host.side_lost = side_lost;
	T.host.vx = T.vx = vx_new(&cfg);
	assert_int_equal(link_register(T.vx, &type), 0);
	if (link_newlink(T.vx, &type, &link, NULL, 0, &err, &T.d) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(system("ip link set t0 up"), 0);
	T.raw = open_raw();
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
	link_dellink(T.d, false);
	quiesce_idle(&T.vx->quiesce, 0);
	while (quiesce_reap(&T.vx->quiesce))
		;
	s = vx_pool_stats(T.vx);
	assert_int_equal(s.pkts_out + s.small_out + s.big_out, 0);
	vx_free(T.vx);
	io_host_done(&T.host);
	close(T.raw);
	return 0;
}

static void run(void)
{
	napi_schedule(T.napi);
	while (vx_turn(T.vx, 0, NS_PER_S))
		;
}

/* Turns until the device sent 'n' frames, or nothing comes for 300 ms. */
static void run_until(uint32_t n)
{
	struct pollfd pfd = {.fd = T.fd, .events = POLLIN};

	while (T.n < n && poll(&pfd, 1, 300) > 0)
		run();
}

static uint64_t dropped(enum drop why)
{
	struct account a;

	vx_account(T.vx, &a);
	return a.dropped[why];
}

static void put_frame(uint8_t *f, uint32_t len)
{
	struct eth_hdr *eth = (struct eth_hdr *)f;

	memset(f, 7, len);
	*eth = (struct eth_hdr){
		.dst = {{2, 0, 0, 0, 0, 9}}, .src = {{2, 0, 0, 0, 0, 8}}, .type = be16_put(TYPE)};
}

/* A frame for the host. */
static void give(uint32_t len)
{
	struct worker *w = T.vx->workers[0];
	struct pkt *p = pkt_make(w, len);
	struct batch one = {.n = 1, .p = {p}};

	put_frame(pkt_append(p, len), len);
	dev_to_host(w, T.d, &one);
}

/* --- cases ----------------------------------------------------------------------------------- */

static void from_the_host(void **state)
{
	uint8_t f[1500];
	struct account a;

	(void)state;
	put_frame(f, sizeof(f));
	for (int i = 0; i < 100; i++) {
		assert_int_equal(send(T.raw, f, sizeof(f), 0), sizeof(f));
		run_until(T.n + 1);
	}
	assert_int_equal(T.n, 100);
	vx_account(T.vx, &a);
	assert_true(a.rx >= 100); /* the host has something to say, too */
	assert_int_equal(a.rx, a.local);
}

static void to_the_host(void **state)
{
	uint8_t f[1500], got[2000];
	struct account a;

	(void)state;
	put_frame(f, sizeof(f));
	for (uint32_t i = 1; i <= 100; i++) {
		give(sizeof(f));
		vx_account(T.vx, &a);
		assert_int_equal(a.tx, i);
		assert_int_equal(recv(T.raw, got, sizeof(got), MSG_DONTWAIT), sizeof(f));
		assert_memory_equal(got, f, sizeof(f));
	}
}

/* A packet in more pieces than one call takes; the interface is down; it is gone. */
static void refused(void **state)
{
	struct worker *w = T.vx->workers[0];
	struct pkt *p = pkt_make(w, 20);
	struct batch one = {.n = 1, .p = {p}};

	(void)state;
	put_frame(pkt_append(p, 20), 20);
	for (int i = 0; i < 100; i++) {
		struct pkt *piece = pkt_new(w->pool, 1);

		pkt_append(piece, 1);
		pkt_add_frag(p, piece);
	}
	dev_to_host(w, T.d, &one);
	assert_int_equal(dropped(DROP_tx_too_big), 1);
	assert_int_equal(system("ip link set t0 down"), 0);
	give(60);
	assert_int_equal(dropped(DROP_host_refused), 1);
	assert_int_equal(system("ip link del t0"), 0);
	give(60);
	assert_int_equal(dropped(DROP_tx_failed), 1);
	assert_false(host_side_is_lost(T.d));
	run();
	run(); /* told once */
	assert_true(host_side_is_lost(T.d));
	assert_int_equal(T.lost, 1);
}

/* Frames that are none. */
static void cut(void **state)
{
	struct {
		struct virtio_net_hdr h;
		uint8_t frame[60];
	} m = {.h = {0}};
	int pair[2];
	static const struct {
		uint8_t flags, gso;
		uint32_t len;
		bool good;
	} row[] = {
		{0, 0, 60, true},
		{0, 0, 14, true},
		{0, 0, 13, false},
		{0, 0, 0, false},
		{VIRTIO_NET_HDR_F_NEEDS_CSUM, 0, 60, false}, /* of bytes that are not there */
		{0, VIRTIO_NET_HDR_GSO_TCPV4, 60, false},    /* a super-frame without a size */
		{0, 0x42, 60, false},			     /* of a kind that is none */
	};
	uint64_t bad = 0, good = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(dup2(pair[0], T.fd), T.fd);
	m.h.csum_start = 58;
	m.h.csum_offset = 1;
	put_frame(m.frame, sizeof(m.frame));
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		m.h.flags = row[i].flags;
		m.h.gso_type = row[i].gso;
		assert_true(send(pair[1], &m, sizeof(m.h) + row[i].len, 0) > 0);
		run();
		bad += !row[i].good;
		good += row[i].good;
		assert_int_equal(dropped(DROP_pkt_too_small), bad);
		assert_int_equal(T.n, good);
	}
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(system("ip link del t0"), 0); /* nobody holds it */
}

/* One that another program left, up, with a single queue and a MAC of its own: it is taken over by
 * who takes any, as it is, and left so. */
static void adopted(void **state)
{
	struct side_ask ask = {
		.name = "t1", .mtu = 1500, .mac = {{2, 0, 0, 0, 0, 1}}, .adopt = ADOPT_OURS};
	struct link_cfg cfg = {.name = "t1", .owner = OWNER_OVSDB, .adopt = true};
	struct vx_err err = {0};
	uint32_t ifindex;
	struct napi *napi = T.napi;
	int fd = T.fd;
	struct dev *d;

	(void)state;
	assert_int_equal(system("ip tuntap add mode tap name t1 &&"
				" ip link set t1 up mtu 1400 address 02:00:00:00:00:77"),
			 0);
	assert_int_equal(io_open_direct.tap(NULL, &ask, &ifindex, &err), -EEXIST);
	if (link_newlink(T.vx, &type, &cfg, NULL, 0, &err, &d) < 0)
		fail_msg("%s", err.text);
	assert_true(dev_is_up(d) && d->mtu == 1400 && d->mac.b[5] == 0x77);
	assert_int_equal(d->ifindex, if_nametoindex("t1"));
	assert_int_equal(system("ip -d -o link show t1 | grep -v multi_queue | grep -q "
				"'LOWER_UP.*persist on'"),
			 0);
	/* Somebody holds it now: us. */
	ask.adopt = ADOPT_ANY;
	assert_int_equal(io_open_direct.tap(NULL, &ask, &ifindex, &err), -EBUSY);
	link_dellink(d, true);
	quiesce_idle(&T.vx->quiesce, 0);
	while (quiesce_reap(&T.vx->quiesce))
		;
	assert_int_equal(system("ip -o link show t1 | grep -q '[<,]UP[,>].*mtu 1400'"), 0);
	assert_int_equal(system("ip link del t1"), 0);
	T.fd = fd;
	T.napi = napi;
}

int main(int argc, char **argv)
{
#define C(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		C(from_the_host), C(to_the_host), C(refused), C(cut), C(adopted),
	};

	(void)argc;
	io_test_enter(argv,
		      "ip link set lo up && ip tuntap add mode tap name t0 &&"
		      " ip link del t0",
		      "cannot make a TAP here");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
