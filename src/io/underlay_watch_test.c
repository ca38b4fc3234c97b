/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host keeps from a VXLAN socket and why: datagrams over the loopback interface of a network
 * namespace of the test's own.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/testing.h"
#include "io/underlay_watch.h"

enum { PORT = 4789, LEN = 1000 };

static struct {
	struct underlay_watch *u;
	int from, to; /* sockets; -1: none */
	struct sockaddr_in addr, me;
	bool has_socket;
} T;

static int setup(void **state)
{
	const uint16_t port = PORT;
	socklen_t len = sizeof(T.me);
	int least = 1;

	(void)state;
	T.has_socket = true;
	T.addr = T.me = (struct sockaddr_in){.sin_family = AF_INET,
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	T.addr.sin_port = htons(PORT);
	T.from = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(T.from, (struct sockaddr *)&T.me, sizeof(T.me)), 0);
	assert_int_equal(getsockname(T.from, (struct sockaddr *)&T.me, &len), 0);
	T.to = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(T.to, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
	assert_int_equal(bind(T.to, (struct sockaddr *)&T.addr, sizeof(T.addr)), 0);
	assert_int_equal(underlay_watch_open(&T.u, &io_open_direct, &port, 1), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	underlay_watch_close(T.u);
	close(T.from);
	if (T.to >= 0)
		close(T.to);
	return 0;
}

static void send_one(uint8_t fill)
{
	uint8_t b[LEN];

	memset(b, fill, sizeof(b));
	assert_int_equal(
		sendto(T.from, b, sizeof(b), 0, (struct sockaddr *)&T.addr, sizeof(T.addr)),
		sizeof(b));
}

/* As a worker: the datagram with these bytes came out of the socket. */
static void saw(uint8_t fill)
{
	struct pool *pool = pool_new(1, 1, 1);
	struct pkt *p = pkt_new(pool, LEN);
	be32 a;

	memset(pkt_append(p, LEN), fill, LEN);
	memcpy(&a, &T.me.sin_addr, sizeof(a));
	p->tun.src = ip_from4(a);
	p->tun.sport = ntohs(T.me.sin_port);
	underlay_watch_saw(T.u, p);
	pkt_free(p);
	pool_free(pool);
}

static bool want_all(void *ctx, const uint8_t *p, uint32_t len, uint32_t full)
{
	(void)ctx, (void)p;
	assert_int_equal(full, 14 + 20 + 8 + LEN);
	return len >= 14 + 20 + 8;
}

static bool has_socket(void *ctx, const struct underlay_frame *f)
{
	(void)ctx;
	assert_int_equal(f->dport, PORT);
	return T.has_socket;
}

/* How many are lost by 'now', all of them for this reason and with this counter. */
static uint32_t lost(uint64_t now, enum drop why, const char *counter)
{
	struct underlay_frame f;
	struct underlay_loss l;
	uint32_t n = 0;

	underlay_watch_read(T.u, 0, want_all, NULL);
	for (; underlay_watch_next(T.u, now, has_socket, NULL, &f, &l); n++) {
		assert_int_equal(l.why, why);
		assert_string_equal(l.counter, counter);
		assert_string_equal(f.dev, "lo");
	}
	return n;
}

static void arrived(void **state)
{
	(void)state;
	send_one(1);
	saw(1);
	assert_int_equal(lost(UNDERLAY_LONG, DROP_NONE, ""), 0);
	assert_int_equal(underlay_watch_timer(T.u), UINT64_MAX);
}

/* Of several the counter tells of the last; those that the worker took are not told of. */
static void full(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < 20; i++)
		send_one(i);
	for (uint8_t i = 0; i < 19; i++)
		saw(i);
	assert_int_equal(lost(UNDERLAY_WAIT - 1, DROP_NONE, ""), 0); /* a worker may be late */
	assert_int_equal(lost(UNDERLAY_WAIT, DROP_host_socket_full, "UdpRcvbufErrors"), 1);
}

static void no_socket(void **state)
{
	(void)state;
	close(T.to);
	T.to = -1;
	T.has_socket = false;
	send_one(1);
	assert_int_equal(lost(UNDERLAY_WAIT, DROP_host_no_socket, "UdpNoPorts"), 1);
}

/* No counter moved: told only after a longer time. */
static void filtered(void **state)
{
	(void)state;
	send_one(1);
	assert_int_equal(lost(UNDERLAY_WAIT, DROP_NONE, ""), 0);
	assert_int_equal(underlay_watch_timer(T.u), UNDERLAY_LONG);
	assert_int_equal(lost(UNDERLAY_LONG, DROP_host_filtered, ""), 1);
}

/* It is somebody else's socket: that nothing came out of it here says nothing. */
static void not_ours(void **state)
{
	(void)state;
	T.has_socket = false;
	send_one(1);
	assert_int_equal(lost(UNDERLAY_LONG, DROP_NONE, ""), 0);
}

int main(int argc, char **argv)
{
#define C(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {C(arrived), C(full), C(no_socket), C(filtered),
					   C(not_ours)};

	(void)argc;
	io_test_enter(argv, "ip link set lo up", "cannot use a loopback interface here");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
