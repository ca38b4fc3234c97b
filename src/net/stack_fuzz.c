/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: Ethernet frames into a port that has addresses of both families, with a UDP socket.
 *
 * Input: frames, each {flags (1 in two pieces, 6 checksum state, 8 IPv4 header's checksum put right,
 * 0x40 some seconds pass), where it is cut, length, bytes}; so fragments and neighbours that belong
 * together can meet.
 */
#include "base/fuzz.h"

#include <sys/socket.h>

#include "net/testing.h"
#include "net/udp_inet.h"

static struct t_net *net;
static struct t_port *up;
static struct io_ops up_ops;
static struct udp_sock *sk[2];
static uint64_t runs;

static void take(struct io *io, struct worker *w, struct batch *b)
{
	(void)io;
	for (uint32_t i = 0; i < b->n; i++) {
		assert_true(b->p[i]->csum_state != CSUM_PARTIAL && !b->p[i]->gso_size);
		w->acct.tx++;
		pkt_free(b->p[i]);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	net = t_new();
	up = t_add_port(net, "up0", T_ME, "10.0.0.1/24");
	t_add_addr(up, "fd00::1/64");
	up_ops = *up->io.ops;
	up_ops.tx = take;
	up->io.ops = &up_ops;
	for (int i = 0; i < 2; i++) {
		struct udp_sock_cfg cfg = {.vx = net->vx, .family = i ? AF_INET6 : AF_INET, .port = 7000,
					   .rcvbuf = 4096};

		assert_int_equal(inet_udp_open(&cfg, &sk[i], NULL), 0);
	}
	return 0;
}

static void drain(void)
{
	uint8_t buf[2048];

	for (int i = 0; i < 2; i++)
		while (inet_udp_recv(net->vx->workers[0], sk[i], buf, sizeof(buf), NULL) >= 0)
			;
}

static void feed(const uint8_t *p, uint32_t len, bool fix)
{
	static uint8_t f[T_FRAME_MAX];

	memcpy(f, p, len);
	if (fix && len >= 34 && ip4_hdr_len(t_ip4_of(f)) <= len - 14)
		t_fix_ip4(f);
	t_feed(up, f, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = {data, size};

	while (in.n > 4) {
		uint8_t flags = fuzz_u8(&in), cut = fuzz_u8(&in);
		size_t len = fuzz_u16(&in);

		if (len > in.n)
			len = in.n;
		up->split = flags & 1 ? cut : 0;
		up->csum_state = (flags >> 1 & 3) == 1	 ? CSUM_UNNECESSARY
				 : (flags >> 1 & 3) == 2 ? (len >= 14 ? CSUM_COMPLETE : CSUM_NONE)
							 : CSUM_NONE;
		feed(in.p, (uint32_t)len, flags & 8);
		in.p += len;
		in.n -= len;
		net->now += flags & 0x40 ? 5 * NS_PER_S : NS_PER_MS;
		while (vx_turn(net->vx, 0, net->now))
			;
	}
	drain();
	if (++runs % 64 == 0) {
		vx_control_turn(net->vx, net->now);
		t_check(net);
	}
	return 0;
}

void fuzz_end(void)
{
	t_advance(net, 0);
	t_end(net);
}
