/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP: rows C1 to C6 of stack.md, and ICMPv6. */
#include "net/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/route.h"
#include "net/watch.h"
#include "wire/csum.h"

static uint8_t f[T_FRAME_MAX];
static uint32_t len;

static struct t_net *net(struct t_port **p)
{
	struct t_net *t = t_new();

	*p = t_add_port(t, "up0", T_ME, "10.0.0.1/24");
	t_add_addr(*p, "fd00::1/64");
	t_add_neigh(*p, "10.0.0.2", T_HER);
	t_add_neigh(*p, "fd00::2", T_HER);
	return t;
}

/* C1: the error's own header. */
static void c1_header(void **state)
{
	static uint8_t data[4000];

	(void)state;
	for (uint32_t n = 0; n < 2000; n += 519) {
		struct t_port *p;
		struct t_net *t = net(&p);
		const struct t_frame *o;
		uint32_t quote;

		len = t_udp(f,
			    &(struct t_ip){.src = "10.0.0.2",
					   .dst = "10.0.0.1",
					   .tos = 0xb8,
					   .ttl = 9,
					   .data = data,
					   .len = n},
			    1, 2);
		t_inject(p, f, len);
		o = t_out(p);
		t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_ICMP4_);
		quote = MIN(len - 14, 576u - 28);
		assert_int_equal(o->len, 14 + 28 + quote);
		assert_memory_equal(o->b + 42, f + 14, quote);
		assert_int_equal(t_ip4_of(o->b)->tos, 0xd8);
		assert_int_equal(t_ip4_of(o->b)->ttl, 64);
		assert_int_equal(be16_get(t_ip4_of(o->b)->frag), 0);
		t_end(t);
	}
}

/* C2: what no error is about. */
static void c2_never(void **state)
{
	static const struct {
		const char *row, *src, *dst, *dmac;
		uint16_t frag;
		int icmp_type; /* -1: protocol 250 */
	} row[] = {
		{"answered", "10.0.0.2", "10.0.0.1", T_ME, 0, -1},
		{"broadcast frame", "10.0.0.2", "10.0.0.1", "ff:ff:ff:ff:ff:ff", 0, -1},
		{"broadcast", "10.0.0.2", "10.0.0.255", "ff:ff:ff:ff:ff:ff", 0, -1},
		{"limited broadcast", "10.0.0.2", "255.255.255.255", "ff:ff:ff:ff:ff:ff", 0, -1},
		{"all hosts", "10.0.0.2", "224.0.0.1", "01:00:5e:00:00:01", 0, -1},
		{"no host", "0.0.0.0", "255.255.255.255", "ff:ff:ff:ff:ff:ff", 0, -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct t_port *p;
		struct t_net *t = net(&p);

		len = t_ip(f, &(struct t_ip){.src = row[i].src,
					     .dst = row[i].dst,
					     .dmac = row[i].dmac,
					     .proto = 250,
					     .data = "x",
					     .len = 1});
		t_inject(p, f, len);
		if (!t_out(p) != (i != 0))
			fail_msg("%s", row[i].row);
		t_end(t);
	}
}

/* C2: an error about an error; called with what a protocol 1 packet would be about. */
static void c2_icmp(void **state)
{
	static const struct {
		uint8_t type;
		bool answered;
	} row[] = {{3, false}, {4, false}, {5, false}, {11, false}, {12, false},
		   {8, true},  {0, true},  {13, true}, {19, false}};
	static const uint8_t bad_option[8] = {7, 9, 4};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		uint8_t b[8] = {row[i].type};

		/* A malformed option would be answered with 12/0. */
		len = t_ip(f, &(struct t_ip){.src = "10.0.0.2",
					     .dst = "10.0.0.1",
					     .proto = IPPROTO_ICMP4_,
					     .opts = bad_option,
					     .opts_len = 8,
					     .data = b,
					     .len = 8});
		t_inject(p, f, len);
		assert_int_equal(t_out(p) != NULL, row[i].answered);
		/* Nor about a later fragment. */
		len = t_ip(f, &(struct t_ip){.src = "10.0.0.2",
					     .dst = "10.0.0.1",
					     .proto = 250,
					     .opts = bad_option,
					     .opts_len = 8,
					     .frag = 1,
					     .data = b,
					     .len = 8});
		t_inject(p, f, len);
		t_assert_silent(p);
		t_end(t);
	}
}

/* C3: burst of 6, then 1 a second per destination. */
static void c3_per_host(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	int n = 0;

	(void)state;
	len = t_udp(f, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1"}, 1, 2);
	t_mark(t);
	for (int i = 0; i < 20; i++)
		t_inject(p, f, len);
	while (t_out(p))
		n++;
	assert_int_equal(n, 6);
	assert_int_equal(T_MOVED(t, IcmpOutRateLimitHost), 14);
	assert_int_equal(T_MOVED(t, UdpNoPorts), 20);
	t_advance(t, NS_PER_S);
	t_inject(p, f, len);
	t_inject(p, f, len);
	assert_non_null(t_out(p));
	t_assert_silent(p);
	t_advance(t, 100 * NS_PER_S); /* not saved up beyond 6 */
	for (int i = 0; i < 20; i++)
		t_inject(p, f, len);
	for (n = 0; t_out(p); n++)
		;
	assert_int_equal(n, 6);
	t_end(t);
}

/* C3: in total 50 at once, 1,000 a second. */
static void c3_total(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	char ip[32];
	int n;

	(void)state;
	t_mark(t);
	for (int round = 0; round < 2; round++) {
		for (int i = 3; i < 120; i++) {
			snprintf(ip, sizeof(ip), "10.0.0.%d", i);
			if (!round)
				t_add_neigh(p, ip, T_HER);
			len = t_udp(f, &(struct t_ip){.src = ip, .dst = "10.0.0.1"}, 1, 2);
			t_inject(p, f, len);
		}
		for (n = 0; t_out(p); n++)
			;
		assert_int_equal(n, round ? 20 : 50);
		assert_int_equal(T_MOVED(t, IcmpOutRateLimitGlobal), round ? 67 + 97 : 67);
		t_advance(t, 20 * NS_PER_MS);
	}
	t_end(t);
}

/* C4: TOS copied. */
static void c4_echo(void **state)
{
	static const uint8_t tos[] = {0, 0x13, 0xb8, 0xff};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tos); i++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		const struct t_frame *o;

		len = t_echo(f,
			     &(struct t_ip){
				     .src = "10.0.0.2", .dst = "10.0.0.1", .tos = tos[i], .ttl = 3},
			     100);
		t_mark(t);
		t_inject(p, f, len);
		o = t_out(p);
		t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_ICMP4_);
		assert_int_equal(t_ip4_of(o->b)->tos, tos[i]);
		assert_int_equal(t_ip4_of(o->b)->ttl, 64);
		assert_int_equal(T_MOVED(t, IpOutTransmits), 1);
		assert_int_equal(T_MOVED(t, IpExtInOctets), 128);
		assert_int_equal(T_MOVED(t, IpExtOutOctets), 128);
		T_ASSERT_MOVED(t, MIB_IpInReceives, MIB_IpInDelivers, MIB_IpOutRequests,
			       MIB_IcmpInMsgs, MIB_IcmpInEchos, MIB_IcmpOutMsgs,
			       MIB_IcmpOutEchoReps);
		t_end(t);
	}
}

/* C5, C6. */
static void c5_c6(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	len = t_echo(f, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1"}, 20);
	f[50] ^= 1;
	t_mark(t);
	t_inject(p, f, len);
	T_ASSERT_MOVED(t, MIB_IpInReceives, MIB_IpInDelivers, MIB_IcmpInMsgs, MIB_IcmpInErrors,
		       MIB_IcmpInCsumErrors);
	assert_int_equal(t_dropped(t, DROP_icmp_csum), 1);
	t_assert_silent(p);
	len = t_echo(
		f,
		&(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.255", .dmac = "ff:ff:ff:ff:ff:ff"},
		20);
	t_mark(t);
	t_inject(p, f, len);
	assert_int_equal(T_MOVED(t, IcmpInEchos), 1);
	assert_int_equal(t_dropped(t, DROP_icmp_invalid), 1);
	t_assert_silent(p);
	t_end(t);
}

/* Errors that quote nonsense, or nothing of ours, change nothing. */
static void hostile_errors(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 40; n++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		uint8_t b[64] = {3, 4, 0, 0, 0, 0, 0x05, 0};
		struct icmp_hdr *h = (struct icmp_hdr *)b;

		b[8] = n % 2 ? 0x4f : 0x45;
		h->csum = csum(b, n);
		len = t_ip(f, &(struct t_ip){.src = "10.0.0.2",
					     .dst = "10.0.0.1",
					     .proto = IPPROTO_ICMP4_,
					     .data = b,
					     .len = n});
		t_inject(p, f, len);
		t_assert_silent(p);
		t_end(t);
	}
}

/* Each type counts as what it is; none of these is answered. */
static void types(void **state)
{
	static const struct {
		bool is6;
		uint8_t type;
		enum mib_counter in;
		bool error;
	} row[] = {
		{false, 0, MIB_IcmpInEchoReps, false},
		{false, 3, MIB_IcmpInDestUnreachs, false},
		{false, 5, MIB_IcmpInRedirects, false},
		{false, 11, MIB_IcmpInTimeExcds, false},
		{false, 12, MIB_IcmpInParmProbs, false},
		{false, 77, MIB_IcmpInErrors, true},
		{true, 129, MIB_Icmp6InEchoReplies, false},
		{true, 1, MIB_Icmp6InDestUnreachs, false},
		{true, 2, MIB_Icmp6InPktTooBigs, false},
		{true, 3, MIB_Icmp6InTimeExcds, false},
		{true, 4, MIB_Icmp6InParmProblems, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		bool is6 = row[i].is6;
		struct t_ip ip = {.src = is6 ? "fd00::1" : "10.0.0.1",
				  .dst = is6 ? "fd00::2" : "10.0.0.2",
				  .proto = 250,
				  .data = "12345678",
				  .len = 8};
		struct ip_addr s = t_addr(ip.dst), d = t_addr(ip.src);
		uint8_t b[100] = {row[i].type};
		uint32_t n = 8 + t_ip(f, &ip) - 14;
		be16 c;

		memcpy(b + 8, f + 14, n - 8);
		c = csum_fold(csum_add(is6 ? csum_pseudo(&s, &d, IPPROTO_ICMP6_, n) : 0, b, n));
		memcpy(b + 2, &c, 2);
		ip = (struct t_ip){.src = ip.dst,
				   .dst = ip.src,
				   .data = b,
				   .len = n,
				   .proto = is6 ? IPPROTO_ICMP6_ : IPPROTO_ICMP4_};
		len = t_ip(f, &ip);
		t_mark(t);
		t_inject(p, f, len);
		T_ASSERT_MOVED(t, is6 ? MIB_Ip6InReceives : MIB_IpInReceives,
			       is6 ? MIB_Ip6InDelivers : MIB_IpInDelivers,
			       is6 ? MIB_Icmp6InMsgs : MIB_IcmpInMsgs, row[i].in);
		t_assert_silent(p);
		t_end(t);
	}
}

/* An answer that has no way back. */
static void no_route(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	len = t_echo(f, &(struct t_ip){.src = "10.9.9.9", .dst = "10.0.0.1"}, 10);
	t_mark(t);
	t_inject(p, f, len);
	assert_int_equal(T_MOVED(t, IpOutNoRoutes), 1);
	assert_int_equal(T_MOVED(t, IpOutTransmits), 0);
	len = t_echo(f, &(struct t_ip){.src = "fd09::9", .dst = "fd00::1"}, 10);
	t_inject(p, f, len);
	assert_int_equal(T_MOVED(t, Ip6OutNoRoutes), 1);
	assert_int_equal(t_dropped(t, DROP_ip_no_route), 2);
	t_assert_silent(p);
	t_end(t);
}

/* Explain: a ping's way in and the answer's way out, every stage by its name. */
static char stages[2048];
static void keep(void *ctx, struct trace *t)
{
	(void)ctx;
	for (int i = 0; i < t->n_steps; i++) {
		strcat(stages, stage_names[t->steps[i].stage]);
		strcat(stages, " ");
	}
	free(t);
}
static uint64_t any(struct watch *wt, const struct batch *b, bool from_udp)
{
	(void)wt, (void)from_udp;
	return UINT64_MAX >> (64 - b->n);
}

static void explained(void **state)
{
	struct watch wt = {.match = any, .done = keep, .left = 1};
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	len = t_echo(f, &(struct t_ip){.src = "10.0.0.2", .dst = "10.0.0.1"}, 100);
	watch_set(t->vx, &wt);
	t_inject(p, f, len);
	watch_set(t->vx, NULL);
	assert_non_null(t_out(p));
	assert_string_equal(
		stages,
		"napi_schedule napi_poll io_rx gro_receive netif_receive ip4_rcv hook_prerouting "
		"ip4_rcv_finish route_input dst_input ip_local_deliver hook_input "
		"ip_local_deliver_finish icmp_rcv icmp_rcv ip_local_out hook_output ip_output "
		"hook_postrouting neigh_output dev_queue_xmit io_tx ");
	t_end(t);
}

static void icmp6(void **state)
{
	static uint8_t data[2000];
	struct t_port *p;
	struct t_net *t = net(&p);
	const struct t_frame *o;

	(void)state;
	len = t_echo(f, &(struct t_ip){.src = "fd00::2", .dst = "fd00::1", .tos = 0x13}, 100);
	t_mark(t);
	t_inject(p, f, len);
	o = t_out(p);
	t_assert_ip6(o, "fd00::1", "fd00::2", IPPROTO_ICMP6_);
	assert_int_equal(o->b[54], ICMP6_ECHO_REPLY);
	assert_int_equal(ip6_tclass(t_ip6_of(o->b)), 0x13);
	T_ASSERT_MOVED(t, MIB_Ip6InReceives, MIB_Ip6InDelivers, MIB_Ip6OutRequests, MIB_Icmp6InMsgs,
		       MIB_Icmp6InEchos, MIB_Icmp6OutMsgs, MIB_Icmp6OutEchoReplies);
	/* Closed port: 1/4, at most 1280 in all. */
	len = t_udp(f,
		    &(struct t_ip){
			    .src = "fd00::2", .dst = "fd00::1", .data = data, .len = sizeof(data)},
		    1, 2);
	t_mark(t);
	t_inject(p, f, len);
	o = t_out(p);
	t_assert_ip6(o, "fd00::1", "fd00::2", IPPROTO_ICMP6_);
	assert_int_equal(o->len, 14 + 1280);
	assert_int_equal(o->b[54], ICMP6_UNREACH);
	assert_int_equal(o->b[55], ICMP6_UNREACH_PORT);
	assert_int_equal(T_MOVED(t, Udp6NoPorts), 1);
	assert_int_equal(T_MOVED(t, Icmp6OutMsgs), 1);
	assert_int_equal(T_MOVED(t, Ip6OutTransmits), 1);
	assert_int_equal(T_MOVED(t, Icmp6OutDestUnreachs), 1);
	/* Unknown protocol: 4/1, the pointer at the field that names it. */
	len = t_ip(f, &(struct t_ip){.src = "fd00::2", .dst = "fd00::1", .proto = 250});
	t_mark(t);
	t_inject(p, f, len);
	o = t_out(p);
	assert_int_equal(o->b[54], ICMP6_PARAM);
	assert_int_equal(o->b[55], ICMP6_PARAM_NEXT);
	assert_int_equal(o->b[61], 6);
	assert_int_equal(T_MOVED(t, Ip6InUnknownProtos), 1);
	assert_int_equal(T_MOVED(t, Icmp6OutParmProblems), 1);
	for (int i = 0; i < 10; i++) /* C3 */
		t_inject(p, f, len);
	assert_int_equal(T_MOVED(t, Icmp6OutRateLimitHost), 6);
	while (t_out(p))
		;
	/* Bad checksum. */
	len = t_echo(f, &(struct t_ip){.src = "fd00::2", .dst = "fd00::1"}, 10);
	f[len - 1] ^= 1;
	t_mark(t);
	t_inject(p, f, len);
	assert_int_equal(T_MOVED(t, Icmp6InCsumErrors), 1);
	assert_int_equal(T_MOVED(t, Icmp6InErrors), 1);
	t_assert_silent(p);
	/* To all nodes: answered from an address of this host. */
	len = t_echo(
		f, &(struct t_ip){.src = "fd00::2", .dst = "ff02::1", .dmac = "33:33:00:00:00:01"},
		10);
	t_mark(t);
	t_inject(p, f, len);
	o = t_out(p);
	t_assert_ip6(o, "fd00::1", "fd00::2", IPPROTO_ICMP6_);
	assert_int_equal(T_MOVED(t, Ip6InMcastPkts), 1);
	t_end(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c1_header), cmocka_unit_test(c2_never),
		cmocka_unit_test(c2_icmp),   cmocka_unit_test(c3_per_host),
		cmocka_unit_test(c3_total),  cmocka_unit_test(c4_echo),
		cmocka_unit_test(c5_c6),     cmocka_unit_test(hostile_errors),
		cmocka_unit_test(explained), cmocka_unit_test(icmp6),
		cmocka_unit_test(types),     cmocka_unit_test(no_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
