/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging by outer headers (vxlan.md 8, outer level): TCP in VXLAN comes to a port of vx's own
 * stack.  What vxlan1 gives to its host's side is cut again, and the pieces have to be the inner
 * frames that went in; how many packets vxlan1 counted says what was merged before it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/gso.h"
#include "net/link.h"
#include "net/testing.h"
#include "vxlan/device.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/tcp.h"

enum { OUTS = 128, LEN = 1000 };

static struct rig {
	struct t_net *t;
	struct t_port *up;
	struct dev *dev[2]; /* VNI 100 and 101 */
	struct io host[2];
	struct t_frame out[OUTS];
	uint32_t n_out;
	bool is6, gbp;
} R;

static void take(struct worker *w, struct pkt *p)
{
	struct t_frame *f = &R.out[R.n_out++];

	assert_true(R.n_out <= OUTS);
	f->len = pkt_total(p);
	f->b = malloc(f->len);
	pkt_copy_out(p, 0, f->b, f->len);
	w->acct.tx++;
	pkt_free(p);
}

static void host_tx(struct io *io, struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];
		struct pkt_queue q = {0};

		if (!p->gso_size) {
			assert_int_equal(csum_finish(w, p), 0);
			take(w, p);
			continue;
		}
		assert_int_equal(gso_segment(w, p, true, &q), 0);
		for (struct pkt *s = q.first, *next; s; s = next) {
			next = s->next;
			take(w, s);
		}
	}
	b->n = 0;
}

static const struct io_ops host_ops = {.name = "host", .tx = host_tx};

static void add_device(uint32_t i)
{
	struct link_cfg cfg = {.has_up = true, .up = true};
	struct vxlan_opts o;

	snprintf(cfg.name, sizeof(cfg.name), "vxlan%u", i + 1);
	attr_defaults(&vxlan_attrs, &o);
	o.id = 100 + i;
	o.dev = R.up->dev->ifindex;
	o.local = t_addr(R.is6 ? "fd00::1" : "10.0.0.1");
	o.dstport = 4789;
	o.gbp = R.gbp;
	assert_int_equal(link_newlink(R.t->vx, link_type_find(R.t->vx, "vxlan"), &cfg, &o,
				      VXA_BIT(VXA_ID) | VXA_BIT(VXA_DEV) | (R.gbp ? VXA_BIT(VXA_GBP) : 0),
				      NULL, &R.dev[i]), 0);
	R.host[i] = (struct io){.ops = &host_ops, .vx = R.t->vx, .dev = R.dev[i],
				.can = IO_CAN_CSUM | IO_CAN_TSO | IO_CAN_USO | IO_CAN_FRAGS};
	atomic_store(&R.dev[i]->host, &R.host[i]);
}

static void begin_with(bool is6, bool gbp)
{
	R = (struct rig){.t = t_new(), .is6 = is6, .gbp = gbp};
	vxlan_init_module(R.t->vx);
	R.up = t_add_port(R.t, "up0", T_ME, is6 ? "fd00::1/64" : "10.0.0.1/24");
	add_device(0);
	add_device(1);
	t_mark(R.t);
}

static void begin(bool is6)
{
	begin_with(is6, false);
}

static void end(void)
{
	for (uint32_t i = 0; i < R.n_out; i++)
		free(R.out[i].b);
	for (uint32_t i = 0; i < 2; i++)
		atomic_store(&R.dev[i]->host, NULL);
	t_end(R.t);
}

static uint64_t counted(uint32_t i)
{
	struct dev_stats st;

	dev_sum_stats(R.dev[i], &st);
	return st.rx_packets;
}

/* --- frames ----------------------------------------------------------------------------------- */

/* Where the outer UDP header is, and the inner frame. */
static uint32_t udp_at(void)
{
	return R.is6 ? 54 : 34;
}

static uint32_t inner_at(void)
{
	return udp_at() + 16;
}

static void fix_inner(uint8_t *f, uint32_t len)
{
	struct tcp_hdr *t = (struct tcp_hdr *)(f + 34);
	struct ip_addr s = ip_from4(t_ip4_of(f)->src), d = ip_from4(t_ip4_of(f)->dst);

	t->csum = (be16){0};
	t->csum = csum_fold(csum_add(csum_pseudo(&s, &d, IPPROTO_TCP_, len - 34), t, len - 34));
	t_fix_ip4(f);
}

static void fix_outer(uint8_t *f, uint32_t len)
{
	struct udp_hdr *u = (struct udp_hdr *)(f + udp_at());
	struct ip_addr s = R.is6 ? ip_from6(t_ip6_of(f)->src) : ip_from4(t_ip4_of(f)->src);
	struct ip_addr d = R.is6 ? ip_from6(t_ip6_of(f)->dst) : ip_from4(t_ip4_of(f)->dst);
	uint32_t n = len - udp_at();

	u->csum = (be16){0};
	u->csum = csum_fold_udp(csum_add(csum_pseudo(&s, &d, IPPROTO_UDP_, n), u, n));
}

/* Segment 'i' of a connection, in VXLAN. */
static uint32_t make(uint8_t *f, uint32_t i, uint32_t len)
{
	static uint8_t tcp[T_FRAME_MAX], in[T_FRAME_MAX];
	struct t_ip ip = {.src = "192.168.9.2", .dst = "192.168.9.1", .proto = IPPROTO_TCP_,
			  .id = (uint16_t)(7 + i), .data = tcp, .len = 20 + len};
	struct t_ip out = {.src = R.is6 ? "fd00::2" : "10.0.0.2", .data = in,
			   .dst = R.is6 ? "fd00::1" : "10.0.0.1", .id = (uint16_t)(500 * i)};

	*(struct tcp_hdr *)tcp = (struct tcp_hdr){.seq = be32_put(i * LEN), .ack = be32_put(1),
						  .off = 0x50, .flags = TCP_ACK,
						  .window = be16_put(99)};
	memcpy(tcp, "\x03\xe8\0\x50", 4); /* ports */
	for (uint32_t k = 0; k < len; k++)
		tcp[20 + k] = (uint8_t)(k * 7 ^ i);
	memcpy(in, "\x08\0\0\0\0\0\x64\0", 8);
	out.len = 8 + t_ip(in + 8, &ip);
	fix_inner(in + 8, out.len - 8);
	return t_udp(f, &out, 40000, 4789);
}

static bool is_out(uint32_t i, const uint8_t *f, uint32_t len)
{
	return i < R.n_out && R.out[i].len == len - inner_at() &&
	       !memcmp(R.out[i].b, f + inner_at(), R.out[i].len);
}

/* --- two frames: each rule ---------------------------------------------------------------------- */

enum { IN = 1, OUT = 2, IP = 4, ALL = 7 };

/* The second frame of a connection, one bit changed at a place that counts from the frame ('v4',
 * 'v6') or from the inner one; which checksums are made right again; packets that vxlan1 counts;
 * frames that arrive. */
static const struct {
	const char *row;
	uint16_t at;
	bool is6, inner;
	uint8_t flip, fix, packets, frames;
} rule[] = {
	{"v4 as it should be", 0, false, false, 0, ALL, 1, 2},
	{"v6 as it should be", 0, true, false, 0, ALL, 1, 2},
	{"v4 id: nothing is left of it", 19, false, false, 1, ALL, 1, 2},
	{"v4 tos", 15, false, false, 4, ALL, 2, 2},
	{"v4 ttl", 22, false, false, 1, ALL, 2, 2},
	{"v4 DF of one", 20, false, false, 0x40, ALL, 2, 2},
	{"v4 header checksum", 24, false, false, 1, OUT, 1, 1},
	{"v4 source", 29, false, false, 4, ALL, 2, 2},
	{"v6 traffic class", 14, true, false, 1, ALL, 2, 2},
	{"v6 flow label", 17, true, false, 1, ALL, 2, 2},
	{"v6 hop limit", 21, true, false, 1, ALL, 2, 2},
	{"v6 source", 37, true, false, 4, ALL, 2, 2},
	{"source port", 35, false, false, 1, ALL, 2, 2},
	{"another port", 37, false, false, 1, ALL, 1, 1},
	{"UDP length", 39, false, false, 1, ALL, 1, 1},
	{"outer checksum damaged", 40, false, false, 1, 0, 1, 1},
	{"no I flag", 42, false, false, 8, ALL, 1, 1},
	{"a reserved bit", 42, false, false, 1, ALL, 1, 1},
	{"a VNI that is nobody's", 48, false, false, 0x80, ALL, 1, 1},
	{"to another inner MAC", 5, false, true, 1, ALL, 2, 2},
	{"from another inner MAC", 11, false, true, 1, ALL, 2, 2},
	{"inner tos", 15, false, true, 4, ALL, 2, 2},
	{"inner id", 19, false, true, 4, ALL, 2, 2},
	{"inner TCP: gap in seq", 41, false, true, 1, ALL, 2, 2},
	{"inner TCP: FIN", 47, false, true, TCP_FIN, ALL, 2, 2},
	{"inner TCP: PSH", 47, false, true, TCP_PSH, ALL, 1, 2},
	{"inner TCP: payload damaged", 99, false, true, 1, OUT, 2, 2},
	{"inner TCP over IPv6: damaged", 99, true, true, 1, OUT, 2, 2},
};

static void rules(void **state)
{
	static uint8_t a[T_FRAME_MAX], b[T_FRAME_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rule); i++) {
		uint32_t la, lb;

		begin(rule[i].is6);
		la = make(a, 0, LEN);
		lb = make(b, 1, LEN);
		b[rule[i].at + (rule[i].inner ? inner_at() : 0)] ^= rule[i].flip;
		if (rule[i].fix & IN)
			fix_inner(b + inner_at(), lb - inner_at());
		if (rule[i].fix & OUT)
			fix_outer(b, lb);
		if (rule[i].fix & IP && !R.is6)
			t_fix_ip4(b);
		t_feed(R.up, a, la);
		t_feed(R.up, b, lb);
		t_turn(R.t);
		if (counted(0) != rule[i].packets || R.n_out != rule[i].frames ||
		    !is_out(0, a, la) || (R.n_out == 2 && !is_out(1, b, lb)))
			fail_msg("%s: %u packets, %u frames", rule[i].row, (unsigned)counted(0),
				 R.n_out);
		end();
	}
}

/* Both with or both without an outer checksum. */
static void zero_checksums(void **state)
{
	static uint8_t f[2][T_FRAME_MAX];
	uint32_t len[2];

	(void)state;
	for (uint32_t zero = 0; zero < 4; zero++) {
		begin(false);
		for (uint32_t i = 0; i < 2; i++) {
			len[i] = make(f[i], i, LEN);
			if (zero >> i & 1)
				t_udp_of(f[i])->csum = (be16){0};
			t_feed(R.up, f[i], len[i]);
		}
		t_turn(R.t);
		assert_int_equal(counted(0), zero == 0 || zero == 3 ? 1 : 2);
		assert_true(is_out(0, f[0], len[0]) && is_out(1, f[1], len[1]));
		end();
	}
}

/* Two tunnels with the same inner connection have nothing to do with each other. */
static void two_networks(void **state)
{
	static uint8_t f[4][T_FRAME_MAX];

	(void)state;
	begin(false);
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t len = make(f[i], i / 2, LEN);

		f[i][48] = (uint8_t)(100 + i % 2);
		fix_outer(f[i], len);
		t_feed(R.up, f[i], len);
	}
	t_turn(R.t);
	assert_int_equal(counted(0), 1);
	assert_int_equal(counted(1), 1);
	assert_int_equal(R.n_out, 4);
	end();
}

/* What has another policy is not merged. */
static void policies(void **state)
{
	static const struct {
		uint8_t policy[2];
		uint32_t packets, merged;
	} rows[] = {{{5, 5}, 1, 2}, {{5, 6}, 2, 0}};
	static uint8_t f[2][T_FRAME_MAX];
	uint32_t len[2];

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		begin_with(false, true);
		for (uint32_t i = 0; i < 2; i++) {
			len[i] = make(f[i], i, LEN);
			f[i][42] = 0x88;
			f[i][45] = rows[k].policy[i];
			fix_outer(f[i], len[i]);
			t_feed(R.up, f[i], len[i]);
		}
		t_turn(R.t);
		assert_int_equal(counted(0), rows[k].packets);
		assert_int_equal(R.t->vx->workers[0]->acct.merged, rows[k].merged);
		assert_true(is_out(0, f[0], len[0]) && is_out(1, f[1], len[1]));
		end();
	}
}

/* From a virtual link: the inner checksum is not finished, and the outer one is wrong. */
static void unfinished(void **state)
{
	static uint8_t f[2][T_FRAME_MAX];

	(void)state;
	begin(false);
	R.up->csum_state = CSUM_PARTIAL;
	R.up->csum_start = inner_at() + 34;
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t len = make(f[i], i, LEN);

		t_udp_of(f[i])->csum.raw ^= 77;
		t_feed(R.up, f[i], len);
	}
	t_turn(R.t);
	assert_int_equal(counted(0), 1);
	assert_int_equal(R.n_out, 2);
	end();
}

/* As many as IP's length field has room for; the counters of the outer IP count what is merged
 * once. */
static void long_train(void **state)
{
	static uint8_t f[T_FRAME_MAX], want[T_FRAME_MAX];
	uint32_t n = 64;

	(void)state;
	for (int is6 = 0; is6 < 2; is6++) {
		begin(is6);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t len = make(f, i, LEN);

			t_feed(R.up, f, len);
		}
		t_turn(R.t);
		assert_int_equal(R.n_out, n);
		for (uint32_t i = 0; i < n; i++)
			assert_true(is_out(i, want, make(want, i, LEN)));
		assert_int_equal(counted(0), 2);
		assert_int_equal(is6 ? T_MOVED(R.t, Ip6InReceives) : T_MOVED(R.t, IpInReceives), 2);
		assert_int_equal(is6 ? T_MOVED(R.t, Udp6InDatagrams) : T_MOVED(R.t, UdpInDatagrams), 2);
		/* 62 here, and the two that host_tx() cut. */
		assert_int_equal(R.t->vx->workers[0]->acct.merged, n);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),	cmocka_unit_test(zero_checksums),
		cmocka_unit_test(two_networks), cmocka_unit_test(unfinished),
		cmocka_unit_test(long_train),	cmocka_unit_test(policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
