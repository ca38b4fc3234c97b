/* SPDX-License-Identifier: Apache-2.0 */
/* UDP and UDP-Lite: rows U1 to U10 and X1 to X6 of stack.md. */
#include "net/testing.h"

#include <errno.h>
#include <sys/socket.h>

#include "net/udp_inet.h"
#include "wire/csum.h"
#include "wire/eth.h"

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

static struct udp_sock *open_sock(struct t_net *t, int family, uint16_t port, const char *addr)
{
	struct udp_sock_cfg c = {.vx = t->vx, .family = family, .port = port};
	struct udp_sock *sk;

	if (addr)
		c.addr = t_addr(addr);
	assert_int_equal(inet_udp_open(&c, &sk, NULL), 0);
	return sk;
}

static struct udp_sock *open_lite(struct t_net *t, uint16_t port)
{
	struct udp_sock_cfg c = {.vx = t->vx, .family = AF_INET, .port = port, .lite = true};
	struct udp_sock *sk;

	assert_int_equal(inet_udp_open(&c, &sk, NULL), 0);
	return sk;
}

static int recv_len(struct t_net *t, struct udp_sock *sk)
{
	static uint8_t buf[T_FRAME_MAX];

	return inet_udp_recv(t->vx->workers[0], sk, buf, sizeof(buf), NULL);
}

static void datagram(const char *dst, uint16_t port, uint32_t n)
{
	static uint8_t data[T_FRAME_MAX];

	for (uint32_t i = 0; i < n; i++)
		data[i] = (uint8_t)(i + 1);
	len = t_udp(f,
		    &(struct t_ip){.src = strchr(dst, ':') ? "fd00::2" : "10.0.0.2",
				   .dst = dst,
				   .data = data,
				   .len = n},
		    3000, port);
}

/* U1, U2, U4, U5: what becomes of a datagram to an open port, IPv4. */
static void u_header(void **state)
{
	static const struct {
		const char *row;
		int32_t udp_len; /* added to the right one */
		uint16_t csum_xor;
		bool csum_zero;
		int got; /* length read; below 0 the reason is 'why' */
		enum drop why;
		bool csum_error;
	} row[] = {
		{"plain", 0, 0, false, 40, DROP_NONE, false},
		{"U1 below 8", -41, 0, false, -1, DROP_udp_len, false},
		{"U1 beyond", 1, 0, false, -1, DROP_udp_len, false},
		{"U2 shorter", -4, 0, true, 36, DROP_NONE, false},
		{"U4 wrong", 0, 1, false, -1, DROP_udp_csum, true},
		{"U5 zero", 0, 0, true, 40, DROP_NONE, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		struct udp_sock *sk = open_sock(t, AF_INET, 5000, NULL);
		struct udp_hdr *u;

		datagram("10.0.0.1", 5000, 40);
		u = t_udp_of(f);
		u->len = be16_put((uint16_t)(48 + row[i].udp_len));
		u->csum.raw ^= row[i].csum_xor;
		if (row[i].csum_zero)
			u->csum = (be16){0};
		p->split = i % 2 ? 36 : 0; /* the UDP header in two pieces */
		t_mark(t);
		t_inject(p, f, len);
		if (row[i].got < 0) {
			assert_int_equal(t_dropped(t, row[i].why), 1);
			assert_int_equal(T_MOVED(t, UdpInErrors), 1);
			assert_int_equal(T_MOVED(t, UdpInCsumErrors), row[i].csum_error);
		} else {
			assert_int_equal(T_MOVED(t, UdpInDatagrams), 0); /* U8 */
			assert_int_equal(recv_len(t, sk), row[i].got);
			T_ASSERT_MOVED(t, MIB_IpInReceives, MIB_IpInDelivers, MIB_UdpInDatagrams);
		}
		t_assert_silent(p);
		assert_int_equal(recv_len(t, sk), -EAGAIN);
		t_end(t);
	}
}

/* U3, U4: a closed port. */
static void u3_closed(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	const struct t_frame *o;

	(void)state;
	datagram("10.0.0.1", 5000, 20);
	t_mark(t);
	t_inject(p, f, len);
	T_ASSERT_MOVED(t, MIB_IpInReceives, MIB_IpInDelivers, MIB_UdpNoPorts, MIB_IcmpOutMsgs,
		       MIB_IcmpOutDestUnreachs, MIB_IpOutRequests);
	o = t_out(p);
	t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_ICMP4_);
	assert_int_equal(t_icmp_of(o->b)->type, 3);
	assert_int_equal(t_icmp_of(o->b)->code, 3);
	assert_memory_equal(o->b + 42, f + 14, len - 14);
	t_udp_of(f)->csum.raw ^= 1;
	t_mark(t);
	t_inject(p, f, len); /* U4: no ICMP */
	T_ASSERT_MOVED(t, MIB_IpInReceives, MIB_IpInDelivers, MIB_UdpInErrors, MIB_UdpInCsumErrors);
	t_assert_silent(p);
	datagram("10.0.0.1", 5000, 20);
	memset(f, 0xff, 6); /* the frame was broadcast */
	t_mark(t);
	t_inject(p, f, len);
	T_ASSERT_MOVED(t, MIB_IpInReceives, MIB_IpInDelivers, MIB_UdpNoPorts);
	t_assert_silent(p);
	datagram("10.0.0.255", 5000, 20);
	memset(f, 0xff, 6);
	t_mark(t);
	t_inject(p, f, len);
	T_ASSERT_MOVED(t, MIB_IpInReceives, MIB_IpInDelivers, MIB_IpExtInBcastPkts,
		       MIB_UdpIgnoredMulti);
	t_assert_silent(p);
	t_end(t);
}

/* U4, W2: what the source said of the checksum decides. */
static void u4_states(void **state)
{
	static const struct {
		uint8_t st;
		uint32_t start;
		bool wrong, got;
	} row[] = {
		{CSUM_UNNECESSARY, 0, true, true},
		{CSUM_COMPLETE, 0, false, true},
		{CSUM_COMPLETE, 0, true, false},
		{CSUM_PARTIAL, 34, true, true}, /* at the UDP header: still to be written */
		{CSUM_PARTIAL, 60, true, true}, /* inside: the outer one is taken as good */
		{CSUM_PARTIAL, 14, true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		struct udp_sock *sk = open_sock(t, AF_INET, 5000, NULL);

		datagram("10.0.0.1", 5000, 41);
		if (row[i].wrong)
			t_udp_of(f)->csum.raw ^= 1;
		p->csum_state = row[i].st;
		p->csum_start = row[i].start;
		t_inject(p, f, len);
		assert_int_equal(recv_len(t, sk), row[i].got ? 41 : -EAGAIN);
		memset(f + len, 0, 9); /* padding is no part of the sum */
		t_inject(p, f, len + 9);
		assert_int_equal(recv_len(t, sk), row[i].got ? 41 : -EAGAIN);
		t_end(t);
	}
}

/* U5 over IPv6. */
static void u5_zero6(void **state)
{
	struct udp_sock_cfg c = {.family = AF_INET6, .port = 5001, .zero_csum6_rx = true};
	struct t_port *p;
	struct t_net *t = net(&p);
	struct udp_sock *sk = open_sock(t, AF_INET6, 5000, NULL), *zero;

	(void)state;
	c.vx = t->vx;
	assert_int_equal(inet_udp_open(&c, &zero, NULL), 0);
	for (uint16_t port = 5000; port < 5002; port++) {
		datagram("fd00::1", port, 20);
		((struct udp_hdr *)(f + 54))->csum = (be16){0};
		t_mark(t);
		t_inject(p, f, len);
		if (port == 5000) {
			assert_int_equal(recv_len(t, sk), -EAGAIN);
			assert_int_equal(t_dropped(t, DROP_udp_zero_csum), 1);
			T_ASSERT_MOVED(t, MIB_Ip6InReceives, MIB_Ip6InDelivers, MIB_Udp6InErrors,
				       MIB_Udp6InCsumErrors);
		} else {
			assert_int_equal(recv_len(t, zero), 20);
		}
	}
	datagram("fd00::1", 5000, 20);
	t_inject(p, f, len);
	assert_int_equal(recv_len(t, sk), 20);
	t_end(t);
}

/* U6: address, port, and who it is connected to; a group by its address. */
static void u6_lookup(void **state)
{
	struct ip_addr her = t_addr("10.0.0.2"), g = t_addr("239.1.1.1");
	struct t_port *p;
	struct t_net *t = net(&p);
	struct udp_sock *any = open_sock(t, AF_INET, 5000, NULL), *bound, *conn;
	struct udp_sock_cfg c = {.vx = t->vx, .family = AF_INET, .port = 5000};

	(void)state;
	assert_int_equal(inet_udp_open(&c, &bound, NULL), -EADDRINUSE);
	udp_sock_release(any);
	vx_control_turn(t->vx, t->now);
	bound = open_sock(t, AF_INET, 5000, "10.0.0.1");
	conn = open_sock(t, AF_INET, 5000, "10.0.0.9");
	any = open_sock(t, AF_INET, 5001, NULL);
	datagram("10.0.0.1", 5000, 20);
	t_inject(p, f, len);
	assert_int_equal(recv_len(t, bound), 20);
	assert_int_equal(recv_len(t, conn), -EAGAIN);
	/* Connected to her other port: not for this socket any more. */
	inet_udp_connect(bound, &her, 3001);
	t_mark(t);
	t_inject(p, f, len);
	assert_int_equal(T_MOVED(t, UdpNoPorts), 1);
	inet_udp_connect(bound, &her, 3000);
	t_inject(p, f, len);
	assert_int_equal(recv_len(t, bound), 20);
	/* A group: two sockets of one port. */
	udp_sock_release(bound);
	udp_sock_release(conn);
	udp_sock_release(any);
	any = open_sock(t, AF_INET, 5000, "239.1.1.1");
	bound = open_sock(t, AF_INET, 5000, "10.0.0.1");
	inet_group_join(p->dev, &g, NULL);
	datagram("239.1.1.1", 5000, 20);
	memcpy(f, "\x01\x00\x5e\x01\x01\x01", 6);
	t_inject(p, f, len);
	assert_int_equal(recv_len(t, any), 20);
	assert_int_equal(recv_len(t, bound), -EAGAIN);
	datagram("10.0.0.255", 5000, 20);
	memset(f, 0xff, 6);
	t_mark(t);
	t_inject(p, f, len);
	assert_int_equal(T_MOVED(t, UdpIgnoredMulti), 1);
	t_end(t);
}

static struct udp_sock *open_shared(struct t_net *t, uint16_t port, const char *addr, bool lite)
{
	struct udp_sock_cfg c = {.vx = t->vx, .family = AF_INET, .port = port, .reuse = true, .lite = lite};
	struct udp_sock *sk;

	if (addr)
		c.addr = t_addr(addr);
	assert_int_equal(inet_udp_open(&c, &sk, NULL), 0);
	return sk;
}

/* U6: sockets that share a port, opened in either order: connected before address before port; a
 * broadcast goes to every one that takes it. */
static void u6_shared(void **state)
{
	struct ip_addr her = t_addr("10.0.0.2");

	(void)state;
	for (int order = 0; order < 2; order++) {
		struct udp_sock_cfg alone = {.family = AF_INET, .port = 5000};
		struct t_port *p;
		struct t_net *t = net(&p);
		struct udp_sock *any, *bound, *conn, *sk;

		any = order ? NULL : open_shared(t, 5000, NULL, false);
		bound = open_shared(t, 5000, "10.0.0.1", false);
		conn = open_shared(t, 5000, NULL, false);
		inet_udp_connect(conn, &her, 3000);
		if (order)
			any = open_shared(t, 5000, NULL, false);
		alone.vx = t->vx;
		assert_int_equal(inet_udp_open(&alone, &sk, NULL), -EADDRINUSE);
		datagram("10.0.0.1", 5000, 20);
		t_inject(p, f, len);
		assert_int_equal(recv_len(t, conn), 20);
		inet_udp_connect(conn, &her, 1);
		t_inject(p, f, len);
		assert_int_equal(recv_len(t, bound), 20);
		assert_int_equal(recv_len(t, any), -EAGAIN);
		datagram("10.0.0.255", 5000, 20);
		memset(f, 0xff, 6);
		t_inject(p, f, len);
		assert_int_equal(recv_len(t, any), 20);
		assert_int_equal(recv_len(t, bound), -EAGAIN); /* not its address */
		assert_int_equal(recv_len(t, conn), -EAGAIN);
		inet_udp_connect(conn, &her, 3000);
		t_mark(t);
		t_inject(p, f, len);
		assert_int_equal(recv_len(t, any), 20);
		assert_int_equal(recv_len(t, conn), 20);
		assert_int_equal(T_MOVED(t, UdpInDatagrams), 2);
		t_end(t);
	}
}

/* U7, U8. */
static void u7_full(void **state)
{
	struct udp_sock_cfg c = {.family = AF_INET, .port = 5000, .rcvbuf = 100};
	struct t_port *p;
	struct t_net *t = net(&p);
	struct udp_sock *sk;

	(void)state;
	c.vx = t->vx;
	assert_int_equal(inet_udp_open(&c, &sk, NULL), 0);
	datagram("10.0.0.1", 5000, 50);
	t_mark(t);
	for (int i = 0; i < 3; i++)
		t_inject(p, f, len);
	assert_int_equal(T_MOVED(t, UdpRcvbufErrors), 1);
	assert_int_equal(T_MOVED(t, UdpInErrors), 1);
	assert_int_equal(t_dropped(t, DROP_udp_queue_full), 1);
	assert_int_equal(vx_held(t->vx), 2);
	assert_int_equal(recv_len(t, sk), 50);
	t_inject(p, f, len);
	assert_int_equal(t_dropped(t, DROP_udp_queue_full), 1);
	assert_int_equal(T_MOVED(t, UdpInDatagrams), 1); /* U8: at reading */
	udp_sock_release(sk);				 /* what waits goes with it */
	t_advance(t, 1);
	t_advance(t, 1);
	assert_int_equal(vx_held(t->vx), 0);
	t_end(t);
}

/* U9: the hook's three answers, by the first byte: 'd' drops, 't' takes, '>' leaves, '<' resubmits.
 */
static uint32_t seen;
static void *user_data;
static void encap(struct worker *w, struct udp_sock *sk, struct batch *b)
{
	uint32_t kept = 0;

	user_data = sk->tunnel.user_data;
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];
		char what = 0;

		seen++;
		pkt_copy_out(p, 0, &what, 1);
		if (what == 'd') {
			pkt_drop(w, p, DROP_vxlan_unknown_vni);
		} else if (what == 't') {
			pkt_consume(w, p);
		} else {
			p->again = what == '<' ? 250 : 0;
			b->p[kept++] = p;
		}
	}
	b->n = kept;
}

static void u9_encap(void **state)
{
	static const struct {
		char what;
		uint32_t in_datagrams, delivers, unknown;
		enum drop why;
	} row[] = {
		{'d', 1, 1, 0, DROP_vxlan_unknown_vni},
		{'t', 1, 1, 0, DROP_NONE},
		{'>', 0, 1, 0, DROP_udp_no_socket},
		{'<', 1, 0, 1, DROP_ip_no_proto},
	};
	struct udp_tunnel_cfg tc = {.encap_type = 1, .rcv = encap};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		struct udp_sock *sk = open_sock(t, AF_INET, 4789, NULL);

		udp_tunnel_setup(sk, &tc);
		datagram("10.0.0.1", 4789, 20);
		f[42] = (uint8_t)row[i].what;
		t_udp_of(f)->csum = (be16){0};
		seen = 0;
		t_mark(t);
		t_inject(p, f, len);
		assert_int_equal(seen, 1);
		assert_int_equal(T_MOVED(t, UdpInDatagrams), row[i].in_datagrams);
		assert_int_equal(T_MOVED(t, IpInDelivers), row[i].delivers);
		assert_int_equal(T_MOVED(t, IpInUnknownProtos), row[i].unknown);
		if (row[i].why)
			assert_int_equal(t_dropped(t, row[i].why), 1);
		/* The checksum comes before the hook. */
		datagram("10.0.0.1", 4789, 20);
		t_udp_of(f)->csum.raw ^= 1;
		t_inject(p, f, len);
		assert_int_equal(seen, 1);
		t_end(t);
	}
}

/* U9: a batch for two sockets, mixed with a resubmitted one: order and accounting. */
static void u9_batch(void **state)
{
	struct udp_tunnel_cfg tc = {.encap_type = 1, .rcv = encap};
	struct t_port *p;
	struct t_net *t = net(&p);
	struct udp_sock *a = open_sock(t, AF_INET, 4789, NULL),
			*b = open_sock(t, AF_INET, 99, NULL);

	(void)state;
	udp_tunnel_setup(a, &tc);
	seen = 0;
	t_mark(t);
	for (int i = 0; i < 150; i++) {
		datagram("10.0.0.1", i % 3 ? 4789 : 99, 20);
		f[42] = i % 3 == 1 ? 't' : '<';
		t_udp_of(f)->csum = (be16){0};
		t_feed(p, f, len);
	}
	t_turn(t);
	assert_int_equal(seen, 100);
	assert_int_equal(T_MOVED(t, IpInUnknownProtos), 50);
	assert_int_equal(T_MOVED(t, IpInDelivers), 100);
	for (int i = 0; i < 50; i++)
		assert_int_equal(recv_len(t, b), 20);
	t_end(t);
}

/* U10: the port is announced to the io ports, opened and closed. */
static int announced;
static void port_add(struct io *io, int family, uint16_t port)
{
	(void)io;
	announced += family == AF_INET && port == 4789;
}
static void port_del(struct io *io, int family, uint16_t port)
{
	(void)io;
	announced -= family == AF_INET && port == 4789;
}

static uint32_t destroyed;
static void destroy(struct udp_sock *sk)
{
	destroyed += *(uint32_t *)sk->tunnel.user_data;
}

/* U10: the hook finds the tunnel's own data, and is told of the end. */
static void u10_user_data(void **state)
{
	uint32_t mine = 5;
	struct udp_tunnel_cfg tc = {.encap_type = 1, .rcv = encap, .destroy = destroy, .user_data = &mine};
	struct t_port *p;
	struct t_net *t = net(&p);
	struct udp_sock *sk = open_sock(t, AF_INET, 4789, NULL);

	(void)state;
	udp_tunnel_setup(sk, &tc);
	user_data = NULL;
	datagram("10.0.0.1", 4789, 20);
	f[42] = 't';
	t_udp_of(f)->csum = (be16){0};
	t_inject(p, f, len);
	assert_ptr_equal(user_data, &mine);
	destroyed = 0;
	udp_sock_release(sk);
	assert_int_equal(destroyed, 5);
	t_inject(p, f, len); /* closed now */
	assert_int_equal(t_icmp_of(t_out(p)->b)->code, 3);
	t_end(t);
}

static void u10_announced(void **state)
{
	struct udp_tunnel_cfg tc = {.encap_type = 1, .rcv = encap};
	struct t_port *p;
	struct t_net *t = net(&p);
	struct udp_sock *sk = open_sock(t, AF_INET, 4789, NULL);
	struct io_ops ops = *p->io.ops;

	(void)state;
	ops.udp_port_add = port_add;
	ops.udp_port_del = port_del;
	p->io.ops = &ops;
	udp_tunnel_setup(sk, &tc);
	assert_int_equal(announced, 1);
	udp_sock_release(sk);
	assert_int_equal(announced, 0);
	t_end(t);
}

/* UDP-Lite: 60 bytes of UDP, checksum over 'coverage' of them. */
static void lite(uint16_t coverage, bool zero_csum)
{
	struct ip_addr src = t_addr("10.0.0.2"), dst = t_addr("10.0.0.1");
	uint32_t n = coverage && coverage <= 60 ? coverage : 60;
	uint8_t data[52];
	struct udp_hdr *u;

	memset(data, 0x55, sizeof(data));
	len = t_udp(f,
		    &(struct t_ip){.src = "10.0.0.2",
				   .dst = "10.0.0.1",
				   .proto = IPPROTO_UDPLITE_,
				   .data = data,
				   .len = sizeof(data)},
		    3000, 6000);
	u = t_udp_of(f);
	u->len = be16_put(coverage);
	u->csum = (be16){0};
	if (!zero_csum)
		u->csum = csum_fold_udp(
			csum_add(csum_pseudo(&src, &dst, IPPROTO_UDPLITE_, 60), u, n));
}

static void x_rows(void **state)
{
	static const struct {
		const char *row;
		uint16_t coverage;
		bool zero;
		uint32_t least; /* receiver's */
		bool got, csum_error;
		enum drop why;
	} row[] = {
		{"X1", 0, false, LITE_ANY, true, false, DROP_NONE},
		{"X2", 1, false, LITE_ANY, false, true, DROP_udplite_coverage},
		{"X2", 7, false, LITE_ANY, false, true, DROP_udplite_coverage},
		{"X3", 61, false, LITE_ANY, false, false, DROP_udp_len},
		{"X4", 0, true, LITE_ANY, false, true, DROP_udp_csum},
		{"X5 8", 8, false, 20, false, false, DROP_udplite_coverage},
		{"X5 20", 20, false, 20, true, false, DROP_NONE},
		{"X5 full", 60, false, 20, true, false, DROP_NONE},
		{"X6 partial", 20, false, 0, false, false, DROP_udplite_coverage},
		{"X6 full", 0, false, 0, true, false, DROP_NONE},
		{"X6 no demand", 8, false, LITE_ANY, true, false, DROP_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		struct udp_sock *sk = open_lite(t, 6000);

		inet_udp_set_coverage(sk, row[i].least);
		lite(row[i].coverage, row[i].zero);
		t_mark(t);
		t_inject(p, f, len);
		if (recv_len(t, sk) != (row[i].got ? 52 : -EAGAIN))
			fail_msg("%s", row[i].row);
		assert_int_equal(T_MOVED(t, UdpLiteInErrors), !row[i].got);
		assert_int_equal(T_MOVED(t, UdpLiteInCsumErrors), row[i].csum_error);
		assert_int_equal(T_MOVED(t, UdpLiteInDatagrams), row[i].got);
		if (row[i].why)
			assert_int_equal(t_dropped(t, row[i].why), 1);
		/* What is not covered may be damaged. */
		f[14 + 20 + 59] ^= 1;
		t_inject(p, f, len);
		assert_int_equal(recv_len(t, sk),
				 row[i].got && row[i].coverage && row[i].coverage < 60 ? 52
										       : -EAGAIN);
		t_end(t);
	}
}

/* X6: closed. */
static void x_closed(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	const struct t_frame *o;

	(void)state;
	lite(8, false);
	t_mark(t);
	t_inject(p, f, len);
	assert_int_equal(T_MOVED(t, UdpLiteNoPorts), 1);
	o = t_out(p);
	t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_ICMP4_);
	assert_int_equal(t_icmp_of(o->b)->code, 3);
	t_end(t);
}

/* Sending: to her, and to this host itself. */
static void send_and_loop(void **state)
{
	static const char *const to[] = {"10.0.0.2", "fd00::2", "10.0.0.1", "fd00::1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		int family = i % 2 ? AF_INET6 : AF_INET;
		struct udp_sock *sk = open_sock(t, family, 7000, NULL);
		struct ip_addr a = t_addr(to[i]);

		vx_turn(t->vx, 0, t->now);
		t_mark(t);
		assert_int_equal(inet_udp_send(t->vx->workers[0], sk, &a, 7000, "hello", 5), 0);
		t_turn(t);
		if (i < 2) {
			const struct t_frame *o = t_out(p);

			if (i)
				t_assert_ip6(o, "fd00::1", to[i], IPPROTO_UDP_);
			else
				t_assert_ip4(o, "10.0.0.1", to[i], IPPROTO_UDP_);
			assert_memory_equal(o->b + o->len - 5, "hello", 5);
		} else {
			assert_int_equal(recv_len(t, sk), 5);
			assert_int_equal(T_MOVED(t, IpInReceives), i == 2);
			assert_int_equal(T_MOVED(t, Ip6InReceives), i == 3);
		}
		assert_int_equal(T_MOVED(t, UdpOutDatagrams) + T_MOVED(t, Udp6OutDatagrams), 1);
		t_assert_silent(p);
		t_end(t);
	}
}

/* To a group: no neighbour is asked, one hop. */
static void send_group(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	struct udp_sock *sk = open_sock(t, AF_INET, 7000, "10.0.0.1");
	struct ip_addr g = t_addr("239.129.1.2");
	const struct t_frame *o;

	(void)state;
	t_mark(t);
	vx_turn(t->vx, 0, t->now);
	assert_int_equal(inet_udp_send(t->vx->workers[0], sk, &g, 7000, "hello", 5), 0);
	t_turn(t);
	o = t_out(p);
	t_assert_ip4(o, "10.0.0.1", "239.129.1.2", IPPROTO_UDP_);
	assert_memory_equal(o->b, "\x01\x00\x5e\x01\x01\x02", 6);
	assert_int_equal(t_ip4_of(o->b)->ttl, 1);
	assert_int_equal(T_MOVED(t, IpExtOutMcastPkts), 1);
	t_end(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(u_header),	 cmocka_unit_test(u3_closed),
		cmocka_unit_test(u4_states),	 cmocka_unit_test(u5_zero6),
		cmocka_unit_test(u6_lookup),	  cmocka_unit_test(u6_shared),
		cmocka_unit_test(u7_full),
		cmocka_unit_test(u9_encap),	 cmocka_unit_test(u9_batch),
		cmocka_unit_test(u10_announced), cmocka_unit_test(x_rows),
		cmocka_unit_test(x_closed),	 cmocka_unit_test(send_and_loop),
		cmocka_unit_test(send_group),
		cmocka_unit_test(u10_user_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
