/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damaged frames of every kind that the stack takes: nothing is read beyond its end (the sanitizers
 * look), nothing is lost (the accounting is checked after each), and all buffers come back.
 */
#include "net/testing.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "net/udp_inet.h"
#include "wire/arp.h"
#include "wire/eth.h"

static uint8_t f[T_FRAME_MAX], data[3000];
static uint64_t seed = 1;

static uint32_t roll(uint32_t n)
{
	return (uint32_t)(random_next(&seed) % n);
}

static void encap(struct worker *w, struct udp_sock *sk, struct batch *b)
{
	uint32_t kept = 0;

	(void)sk;
	for (uint32_t i = 0; i < b->n; i++) {
		b->p[i]->again = roll(4) ? 0 : (uint8_t)roll(256);
		if (roll(2))
			b->p[kept++] = b->p[i];
		else
			pkt_consume(w, b->p[i]);
	}
	b->n = kept;
}

/* A good frame of a random kind. */
static uint32_t good(void)
{
	static const uint8_t ext[][24] = {
		{58, 0, 1, 4},
		{17, 0, 5, 2, 0, 0, 1, 0},
		{60, 0, 1, 4, 0, 0, 0, 0, 58, 0, 0x9e, 4},
		{43, 1, 1, 4, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0},
		{58, 0, 0, 1, 0, 0, 0, 9},
	};
	static const uint8_t opts[][8] = {
		{7, 7, 4}, {68, 8, 5, 0}, {131, 7, 4}, {1, 1, 7, 5, 4}, {148, 4}};
	struct t_ip ip4 = {.src = roll(8) ? "10.0.0.2" : "0.0.0.0",
			   .dst = roll(4) ? "10.0.0.1" : "10.0.0.255",
			   .dmac = roll(4) ? T_ME : "ff:ff:ff:ff:ff:ff",
			   .data = data,
			   .len = roll(1400),
			   .tos = (uint8_t)roll(256),
			   .id = (uint16_t)roll(4)};
	struct t_ip ip6 = ip4;

	ip6.src = "fd00::2";
	ip6.dst = roll(4) ? "fd00::1" : "ff02::1:ff00:1";
	if (!roll(3)) {
		ip4.opts = opts[roll(5)];
		ip4.opts_len = 8;
		ip6.opts = ext[roll(5)];
		ip6.opts_len = 8 * (1 + roll(3));
		ip6.proto = (uint8_t[]){0, 60, 43, 44}[roll(4)];
	}
	if (!roll(3))
		ip4.frag = (uint16_t)(roll(300) | (roll(2) ? IP4_MF : 0));
	if (!roll(6))
		ip4.proto = IPPROTO_UDPLITE_;
	switch (roll(8)) {
	case 0:
		return t_echo(f, &ip4, roll(1400));
	case 1:
		return t_echo(f, &ip6, roll(1400));
	case 2:
		return t_udp(f, &ip4, 1, roll(2) ? 4789 : 7000);
	case 3:
		return t_udp(f, &ip6, 1, roll(2) ? 4789 : 7000);
	case 4:
		return t_arp(f, (uint16_t)(1 + roll(2)), T_HER, "10.0.0.2", "10.0.0.1", T_ME);
	case 5:
		ip6.proto = IPPROTO_ICMP6_;
		ip6.opts_len = 0;
		ip6.ttl = 255;
		data[0] = (uint8_t)(128 + roll(12));
		data[1] = 0;
		return t_ip(f, &ip6);
	case 6:
		ip4.proto = (uint8_t[]){1, 6, 17, 136, 2, 250}[roll(6)];
		data[0] = (uint8_t)(roll(2) ? 3 : roll(20));
		return t_ip(f, &ip4);
	default:
		ip6.proto = (uint8_t[]){0, 6, 17, 136, 43, 44, 59, 60, 250}[roll(9)];
		return t_ip(f, &ip6);
	}
}

static void damaged(void **state)
{
	static uint8_t buf[4000];
	struct t_net *t = t_new();
	struct t_port *p = t_add_port(t, "up0", T_ME, "10.0.0.1/24");
	struct udp_sock_cfg c = {.vx = t->vx, .rcvbuf = 20000, .port = 7000};
	struct udp_tunnel_cfg tc = {.rcv = encap};
	struct udp_sock *sk, *tun;
	const char *rounds = getenv("VX_HOSTILE_ROUNDS");

	(void)state;
	t_add_addr(p, "fd00::1/64");
	for (int i = 0; i < 2; i++) {
		c.family = i ? AF_INET6 : AF_INET;
		c.port = 4789;
		assert_int_equal(inet_udp_open(&c, &tun, NULL), 0);
		udp_tunnel_setup(tun, &tc);
		c.port = 7000;
		assert_int_equal(inet_udp_open(&c, &sk, NULL), 0);
	}
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)roll(256);
	for (int i = rounds ? atoi(rounds) : 20000; i > 0; i--) {
		uint32_t len = good();

		for (uint32_t k = roll(4); k > 0; k--)
			f[roll(roll(2) ? len : MIN(len, 80u))] = (uint8_t)roll(256);
		if (!roll(8))
			len = 14 + roll(len - 13);
		if (roll(4) && f[12] == 8 && f[13] == 0 && (f[14] & 15) >= 5)
			t_fix_ip4(f);
		p->csum_state = roll(2) ? CSUM_UNNECESSARY : roll(2) ? CSUM_NONE : CSUM_COMPLETE;
		p->split = roll(2) ? 0 : 14 + roll(80);
		t_feed(p, f, len);
		if (!roll(8))
			t_advance(t, NS_PER_S / 10 * roll(30));
		if (!roll(8))
			while (inet_udp_recv(t->vx->workers[0], sk, buf, sizeof(buf), NULL) >= 0)
				;
		t_turn(t);
		while (t_out(p))
			;
	}
	t_end(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
