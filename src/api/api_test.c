/* SPDX-License-Identifier: Apache-2.0 */
/* The public face (include/vx.h): frames in and out by the caller's hand, all accounted for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/vx.h"
#include "vx.h"

static const uint8_t her[6] = {2, 0, 0, 0, 0, 2};
/* Who has 10.0.0.1? */
static const uint8_t request[42] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,  0, 0, 0, 2, 8, 6, 0, 1, 8, 0,  6, 4, 0,
	1,    2,    0,	  0,	0,    0,    2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1,
};

static char mine[] = "mine";
static uint32_t replies;

static void sent(void *ctx, const void *frame, size_t len)
{
	assert_ptr_equal(ctx, mine);
	assert_true(len >= sizeof(request));
	replies += memcmp(frame, her, sizeof(her)) == 0;
}

static struct account check(struct vx *vx)
{
	struct account a;

	vx_account(vx, &a);
	assert_int_equal(account_open(&a), (int64_t)vx_held(vx));
	return a;
}

static void frames(void **state)
{
	struct vx *vx = vx_create(1);
	struct vx_port *port;
	struct account a;

	(void)state;
	assert_int_equal(vx_port_open(vx, "up0", sent, mine, &port), 0);
	assert_int_equal(vx_do(vx, "link set up0 up"), 0);
	assert_int_equal(vx_do(vx, "addr add 10.0.0.1/24 dev up0"), 0);
	vx_run(vx, 1000);
	a = check(vx);
	for (uint32_t i = 1; i <= 3; i++) {
		uint64_t rx = a.rx, tx = a.tx;

		assert_int_equal(vx_port_input(port, request, sizeof(request)), 0);
		vx_run(vx, 1000 + i);
		a = check(vx);
		assert_int_equal(a.rx - rx, 1);
		assert_int_equal(a.tx - tx, 1);
		assert_int_equal(replies, i);
	}
	assert_int_equal(vx_do(vx, "link set up0 sideways"), -22);
	assert_true(*vx_error(vx));
	vx_destroy(vx);
}

/* What waits in a port when its switch goes. */
static void frames_at_the_end(void **state)
{
	struct vx *vx = vx_create(1);
	struct vx_port *port;

	(void)state;
	assert_int_equal(vx_port_open(vx, "up0", sent, mine, &port), 0);
	assert_int_equal(vx_port_input(port, request, sizeof(request)), 0);
	check(vx);	/* not received yet */
	vx_destroy(vx); /* the sanitizer tells what is left */
}

/* Two switches on a cable; on one of them two sockets share a port, and both get a broadcast. */
static void shared_port(void **state)
{
	struct vx *a = vx_create(1), *b = vx_create(2);
	struct vx_port *pa, *pb;
	struct vx_udp *from, *to[2], *third;
	char buf[16];

	(void)state;
	assert_int_equal(vx_port_open(a, "up0", NULL, NULL, &pa), 0);
	assert_int_equal(vx_port_open(b, "up0", NULL, NULL, &pb), 0);
	assert_int_equal(vx_port_join(pa, pb), 0);
	assert_int_equal(vx_do(a, "link set up0 up") | vx_do(b, "link set up0 up"), 0);
	assert_int_equal(vx_do(a, "addr add 10.0.0.1/24 dev up0"), 0);
	assert_int_equal(vx_do(b, "addr add 10.0.0.2/24 dev up0"), 0);
	assert_int_equal(vx_udp_open(a, 4, 1000, 0, &from), 0);
	assert_int_equal(vx_udp_open(b, 4, 2000, VX_UDP_REUSE, &to[0]), 0);
	assert_int_equal(vx_udp_open(b, 4, 2000, VX_UDP_REUSE, &to[1]), 0);
	assert_int_equal(vx_udp_open(b, 4, 2000, 0, &third), -98 /* EADDRINUSE */);
	assert_int_equal(vx_udp_open(b, 4, 2001, 4, &third), -22);
	assert_int_equal(vx_udp_send(from, "255.255.255.255", 2000, "hello", 5), 0);
	for (int i = 1; i < 5; i++) {
		vx_run(a, 1000 + i);
		vx_run(b, 1000 + i);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vx_udp_recv(to[i], buf, sizeof(buf), NULL, NULL), 5);
		assert_memory_equal(buf, "hello", 5);
	}
	check(b);
	vx_destroy(a);
	vx_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames),
		cmocka_unit_test(frames_at_the_end),
		cmocka_unit_test(shared_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
