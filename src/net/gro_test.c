/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging of frames: a device with a GRO cell and a host side in memory.  Whatever comes out is cut
 * again, and the pieces have to be the frames that went in, byte by byte and in order.
 */
#include "net/gro.h"

#include <stdlib.h>

#include "net/gso.h"
#include "net/gro_flow.h"
#include "net/link.h"
#include "net/testing.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/tcp.h"

enum { OUTS = 256 };

struct out {
	uint32_t len, segs, size, type; /* as it came out */
	uint8_t csum_state;
	bool traced;
};

/* The device under test; what it gave to its host, and the same cut to frames. */
static struct rig {
	struct t_net *t;
	struct worker *w;
	struct dev *dev;
	struct io host;
	struct out out[OUTS];
	uint32_t n_out;
	struct t_frame frame[OUTS];
	uint32_t n_frames;
} R;

static void put_frame(struct pkt *p)
{
	struct t_frame *f = &R.frame[R.n_frames++];

	assert_true(R.n_frames <= OUTS);
	f->len = pkt_total(p);
	f->b = malloc(f->len);
	pkt_copy_out(p, 0, f->b, f->len);
	R.w->acct.tx++;
	pkt_free(p);
}

static void host_tx(struct io *io, struct worker *w, struct batch *b)
{
	(void)io;
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];
		struct pkt_queue q = {0};

		assert_true(R.n_out < OUTS);
		R.out[R.n_out++] = (struct out){pkt_total(p), p->gso_segs,   p->gso_size,
						p->gso_type,  p->csum_state, p->trace != NULL};
		assert_true(b->traced || !p->trace);
		if (!p->gso_size) {
			assert_int_equal(csum_finish(w, p), 0);
			put_frame(p);
			continue;
		}
		assert_int_equal(gso_segment(w, p, true, &q), 0);
		for (struct pkt *s = q.first, *next; s; s = next) {
			next = s->next;
			put_frame(s);
		}
	}
	b->n = 0;
}

static enum rx_result to_host(struct worker *w, struct dev *d, struct pkt *p)
{
	struct batch b = {.n = 1, .p = {p}};

	(void)d;
	pkt_push(p, pkt_off(p) - p->mac_off);
	host_tx(NULL, w, &b);
	return RX_CONSUMED;
}

static int dev_init(struct dev *d)
{
	return gro_cells_init(d);
}

static const struct dev_ops gro_dev_ops = {.init = dev_init};

static void setup(struct dev *d)
{
	d->ops = &gro_dev_ops;
}

static int newlink(struct dev *d, const struct link_cfg *cfg, const void *opts, uint64_t present,
		   struct vx_err *err)
{
	(void)d, (void)cfg, (void)opts, (void)present, (void)err;
	return 0;
}

static const struct link_type g_type = {.kind = "g", .setup = setup, .newlink = newlink};
static const struct io_ops host_ops = {.name = "host", .tx = host_tx};

static void begin(uint32_t can)
{
	struct link_cfg cfg = {.name = "g0", .has_up = true, .up = true};

	R = (struct rig){.t = t_new()};
	R.w = R.t->vx->workers[0];
	assert_int_equal(link_register(R.t->vx, &g_type), 0);
	assert_int_equal(link_newlink(R.t->vx, &g_type, &cfg, NULL, 0, NULL, &R.dev), 0);
	R.host = (struct io){.ops = &host_ops, .vx = R.t->vx, .dev = R.dev, .can = can};
	if (can)
		atomic_store(&R.dev->host, &R.host);
}

static void forget(void)
{
	for (uint32_t i = 0; i < R.n_frames; i++)
		free(R.frame[i].b);
	R.n_frames = R.n_out = 0;
}

static void end(void)
{
	t_turn(R.t);
	assert_int_equal(vx_held(R.t->vx), 0);
	atomic_store(&R.dev->host, NULL);
	forget();
	t_end(R.t);
}

enum { CAN_ALL = IO_CAN_CSUM | IO_CAN_TSO | IO_CAN_USO | IO_CAN_FRAGS };

/* --- frames ----------------------------------------------------------------------------------- */

enum kind { T4, T6, U4, U6 };

struct seg {
	enum kind kind;
	uint16_t sport;
	uint32_t seq;
	uint16_t id, len;
	uint8_t flags; /* 0: ACK */
	uint16_t frag;
};

enum { TCP_OPTS = 12 };

static bool is_tcp(enum kind k)
{
	return k == T4 || k == T6;
}

static uint32_t l4_at(const uint8_t *f)
{
	return f[12] == 0x08 ? 34 : 54;
}

/* Writes the transport checksum: right, or as a virtual link leaves it. */
static void fix_l4(uint8_t *f, uint32_t len, bool partial)
{
	uint32_t at = l4_at(f), n = len - at, off;
	bool tcp = f[at == 34 ? 23 : 20] == IPPROTO_TCP_, is6 = at == 54;
	struct ip_addr s = is6 ? ip_from6(f + 22) : ip_from4(t_ip4_of(f)->src);
	struct ip_addr d = is6 ? ip_from6(f + 38) : ip_from4(t_ip4_of(f)->dst);
	uint64_t sum = csum_pseudo(&s, &d, tcp ? IPPROTO_TCP_ : IPPROTO_UDP_, n);
	be16 c = {0};

	off = at + (tcp ? 16 : 6);
	memcpy(f + off, &c, 2);
	c = partial ? (be16){csum_reduce(sum)} : csum_fold_udp(csum_add(sum, f + at, n));
	memcpy(f + off, &c, 2);
}

static uint32_t make(uint8_t *f, const struct seg *s)
{
	static uint8_t l4[T_FRAME_MAX];
	bool v6 = s->kind == T6 || s->kind == U6;
	uint32_t hlen = is_tcp(s->kind) ? 20 + TCP_OPTS : 8, len;
	struct t_ip ip = {.src = v6 ? "fd09::1" : "192.168.9.1",
			  .dst = v6 ? "fd09::2" : "192.168.9.2",
			  .proto = is_tcp(s->kind) ? IPPROTO_TCP_ : IPPROTO_UDP_,
			  .id = s->id,
			  .frag = s->frag,
			  .data = l4,
			  .len = hlen + s->len};
	struct tcp_hdr *t = (struct tcp_hdr *)l4;

	if (is_tcp(s->kind)) {
		*t = (struct tcp_hdr){.seq = be32_put(s->seq),
				      .ack = be32_put(777),
				      .off = (5 + TCP_OPTS / 4) << 4,
				      .flags = s->flags ? s->flags : TCP_ACK,
				      .window = be16_put(500)};
		memset(l4 + 20, 1, TCP_OPTS);
	} else {
		*(struct udp_hdr *)l4 = (struct udp_hdr){.len = be16_put((uint16_t)(8 + s->len))};
	}
	*(be16 *)l4 = be16_put(s->sport ? s->sport : 1000);
	*(be16 *)(l4 + 2) = be16_put(80);
	for (uint32_t i = 0; i < s->len; i++)
		l4[hlen + i] = (uint8_t)((s->seq + i) * 7 ^ (s->seq + i) >> 8);
	len = t_ip(f, &ip);
	fix_l4(f, len, false);
	return len;
}

/* The frame as it comes out of a tunnel. */
static struct pkt *to_pkt(const uint8_t *f, uint32_t len, uint8_t state)
{
	struct pkt *p = pkt_new(R.w->pool, len);

	R.w->acct.rx++;
	memcpy(pkt_append(p, len), f, len);
	p->csum_state = state;
	p->csum_start = pkt_off(p) + l4_at(f);
	p->csum_offset = f[l4_at(f) == 34 ? 23 : 20] == IPPROTO_TCP_ ? 16 : 6;
	return p;
}

static void feed(struct pkt *p)
{
	assert_true(eth_type_trans(p, R.dev));
	p->orig_dev = R.dev;
	gro_cells_receive(R.w, R.dev, p);
}

static void feed_frame(const uint8_t *f, uint32_t len, uint8_t state)
{
	feed(to_pkt(f, len, state));
}

static void assert_frame(uint32_t i, const uint8_t *f, uint32_t len)
{
	assert_true(i < R.n_frames);
	assert_int_equal(R.frame[i].len, len);
	assert_memory_equal(R.frame[i].b, f, len);
}

/* --- two frames: each rule ---------------------------------------------------------------------- */

enum { FIX_NONE, FIX_IP = 1, FIX_L4 = 2, FIX = 3 };

/* The second frame of a flow, one bit changed. */
static const struct {
	const char *row;
	enum kind kind;
	uint16_t at;
	uint8_t flip, fix;
	bool merges, other_flow;
} rule[] = {
	{"v4 as it should be", T4, 0, 0, FIX, true, false},
	{"v6 as it should be", T6, 0, 0, FIX, true, false},
	{"udp4 as it should be", U4, 0, 0, FIX, true, false},
	{"udp6 as it should be", U6, 0, 0, FIX, true, false},
	{"to another MAC", T4, 5, 1, FIX, false, false},
	{"from another MAC", T4, 11, 1, FIX, false, false},
	{"v4 tos", T4, 15, 4, FIX, false, false},
	{"v4 ECN", T4, 15, 1, FIX, false, false},
	{"v4 id", T4, 19, 4, FIX, false, false},
	{"v4 reserved bit", T4, 20, 0x80, FIX, false, false},
	{"v4 DF of one", T4, 20, 0x40, FIX, false, false},
	{"v4 more fragments", T4, 20, 0x20, FIX, false, false},
	{"v4 offset", T4, 21, 1, FIX, false, false},
	{"v4 ttl", T4, 22, 1, FIX, false, false},
	{"v4 header checksum", T4, 24, 1, FIX_NONE, false, false},
	{"v4 source", T4, 29, 1, FIX, false, true},
	{"v4 destination", T4, 33, 4, FIX, false, true},
	{"v4 source port", T4, 35, 1, FIX, false, true},
	{"v4 destination port", T4, 37, 1, FIX, false, true},
	{"gap in seq", T4, 41, 1, FIX, false, false},
	{"ack", T4, 45, 1, FIX, false, false},
	{"FIN", T4, 47, TCP_FIN, FIX, false, false},
	{"SYN", T4, 47, TCP_SYN, FIX, false, false},
	{"RST", T4, 47, TCP_RST, FIX, false, false},
	{"PSH", T4, 47, TCP_PSH, FIX, true, false},
	{"no ACK", T4, 47, TCP_ACK, FIX, false, false},
	{"URG", T4, 47, TCP_URG, FIX, false, false},
	{"ECE of one", T4, 47, TCP_ECE, FIX, false, false},
	{"CWR", T4, 47, TCP_CWR, FIX, false, false},
	{"window", T4, 49, 1, FIX, false, false},
	{"urgent pointer", T4, 53, 1, FIX, false, false},
	{"option", T4, 60, 1, FIX, false, false},
	{"data offset", T4, 46, 0x10, FIX, false, false},
	{"data offset too small", T4, 46, 0xc0, FIX, false, false},
	{"data offset too large", T4, 46, 0x70, FIX, false, false},
	{"payload damaged", T4, 200, 1, FIX_NONE, false, false},
	{"checksum damaged", T4, 50, 1, FIX_NONE, false, false},
	{"v6 traffic class", T6, 14, 1, FIX, false, false},
	{"v6 ECN", T6, 15, 0x20, FIX, false, false},
	{"v6 flow label", T6, 17, 1, FIX, false, false},
	{"v6 hop limit", T6, 21, 1, FIX, false, false},
	{"v6 source", T6, 37, 1, FIX, false, true},
	{"v6 destination", T6, 53, 1, FIX, false, true},
	{"v6 port", T6, 55, 1, FIX, false, true},
	{"v6 seq", T6, 61, 1, FIX, false, false},
	{"v6 payload damaged", T6, 300, 1, FIX_NONE, false, false},
	{"udp4 port", U4, 35, 1, FIX, false, true},
	{"udp4 tos", U4, 15, 4, FIX, false, false},
	{"udp4 id", U4, 19, 4, FIX, false, false},
	{"udp4 length field", U4, 39, 1, FIX, false, false},
	{"udp4 payload damaged", U4, 200, 1, FIX_NONE, false, false},
	{"udp6 hop limit", U6, 21, 1, FIX, false, false},
	{"udp6 payload damaged", U6, 300, 1, FIX_NONE, false, false},
};

static void change(uint8_t *f, uint32_t len, uint16_t at, uint8_t flip, uint8_t fix)
{
	f[at] ^= flip;
	if (fix & FIX_L4)
		fix_l4(f, len, false);
	if ((fix & FIX_IP) && f[12] == 0x08)
		t_fix_ip4(f);
}

static void one_rule(size_t i, uint8_t *a, uint8_t *b)
{
	uint32_t la, lb;
	bool swap;

	la = make(a, &(struct seg){.kind = rule[i].kind, .seq = 1, .id = 8, .len = 1000});
	lb = make(b, &(struct seg){.kind = rule[i].kind, .seq = 1001, .id = 9, .len = 1000});
	change(b, lb, rule[i].at, rule[i].flip, rule[i].fix);
	feed_frame(a, la, CSUM_NONE);
	feed_frame(b, lb, CSUM_NONE);
	t_turn(R.t);
	if (R.n_out != (rule[i].merges ? 1 : 2) || R.n_frames != 2)
		fail_msg("%s: %u packets of %u frames", rule[i].row, R.n_out, R.n_frames);
	/* Flows have no order among each other. */
	swap = rule[i].other_flow && memcmp(R.frame[0].b, a, la) != 0;
	assert_frame(swap, a, la);
	assert_frame(!swap, b, lb);
	if (!rule[i].merges)
		assert_int_equal(R.out[0].size + R.out[1].size, 0);
}

static void rules(void **state)
{
	static uint8_t a[2000], b[2000];

	(void)state;
	begin(CAN_ALL);
	for (size_t i = 0; i < ARRAY_LEN(rule); i++) {
		one_rule(i, a, b);
		forget();
	}
	end();
}

/* --- runs of sizes -------------------------------------------------------------------------------- */

/* Payload sizes of frames of one flow; what comes out. */
static const struct {
	const char *row;
	uint32_t n;
	uint16_t in[4];
	uint32_t n_out, out[4];
} run[] = {
	{"equal", 3, {1000, 1000, 1000}, 1, {3000}},
	{"the last is shorter", 3, {1000, 1000, 500}, 1, {2500}},
	{"nothing follows a shorter one", 4, {1000, 500, 1000, 1000}, 2, {1500, 2000}},
	{"a longer one begins anew", 3, {500, 1000, 1000}, 2, {500, 2000}},
	{"one byte", 4, {1, 1, 1, 1}, 1, {4}},
	{"odd", 3, {1001, 1001, 333}, 1, {2335}},
	{"no payload", 2, {0, 0}, 2, {0, 0}},
	{"none between", 3, {1000, 0, 1000}, 3, {1000, 0, 1000}},
	{"alone", 1, {1000}, 1, {1000}},
};

static void one_run(size_t i, enum kind kind)
{
	static uint8_t f[4][2000];
	uint32_t len[4], n = run[i].n, seq = 1, made = 0;
	uint32_t hlen = (kind == T4 || kind == U4 ? 34 : 54) + (is_tcp(kind) ? 32 : 8);
	uint64_t merged = R.w->acct.merged;

	for (uint32_t k = 0; k < n; k++) {
		len[k] = make(f[k], &(struct seg){.kind = kind, .seq = seq, .id = (uint16_t)k,
						  .len = run[i].in[k]});
		seq += run[i].in[k];
		feed_frame(f[k], len[k], CSUM_NONE);
	}
	t_turn(R.t);
	assert_int_equal(R.n_frames, n);
	for (uint32_t k = 0; k < n; k++)
		assert_frame(k, f[k], len[k]);
	assert_int_equal(R.n_out, run[i].n_out);
	for (uint32_t k = 0; k < R.n_out; k++) {
		if (R.out[k].len - hlen != run[i].out[k])
			fail_msg("%s: packet %u has %u bytes", run[i].row, k, R.out[k].len - hlen);
		made += R.out[k].segs;
	}
	/* Each follower, and each super-frame that the host cut. */
	assert_int_equal(R.w->acct.merged - merged, made);
}

static void runs(void **state)
{
	(void)state;
	begin(CAN_ALL);
	for (size_t i = 0; i < ARRAY_LEN(run); i++)
		for (enum kind k = T4; k <= U6; k++) {
			one_run(i, k);
			forget();
		}
	end();
}

/* n frames of 'len' bytes; what comes out has 'first' of them in its first packet. */
static void one_limit(enum kind kind, uint32_t n, uint16_t len, uint32_t first)
{
	static uint8_t f[64][2000];
	uint32_t l[64];

	begin(CAN_ALL);
	for (uint32_t i = 0; i < n; i++) {
		l[i] = make(f[i], &(struct seg){.kind = kind, .seq = len * i, .id = (uint16_t)i, .len = len});
		feed_frame(f[i], l[i], CSUM_NONE);
	}
	t_turn(R.t);
	assert_int_equal(R.n_out, 2);
	assert_int_equal(R.out[0].segs, first);
	assert_int_equal(R.out[0].size, len);
	assert_int_equal(R.out[0].csum_state, CSUM_PARTIAL);
	assert_int_equal(R.out[0].type, is_tcp(kind) ? kind == T4 ? GSO_TCP4 : GSO_TCP6 : GSO_UDP);
	for (uint32_t i = 0; i < n; i++)
		assert_frame(i, f[i], l[i]);
	end();
}

/* 64 KB of IP; pieces that a TAP takes. */
static void limits(void **state)
{
	(void)state;
	one_limit(T4, 50, 1448, 45);
	one_limit(T6, 50, 1400, 46);
	one_limit(U4, 50, 1472, 44);
	one_limit(T4, 64, 100, GRO_PIECES);
}

/* --- IPv4 ids --------------------------------------------------------------------------------------- */

static void ids(void **state)
{
	static const struct {
		const char *row;
		bool df;
		uint16_t id[3];
		uint32_t out;
	} row[] = {
		{"count", false, {7, 8, 9}, 1},	       {"count, DF", true, {7, 8, 9}, 1},
		{"wrap", false, {65535, 0, 1}, 1},     {"fixed, DF", true, {7, 7, 7}, 1},
		{"fixed", false, {7, 7, 7}, 3},	       {"fixed, then count", true, {7, 7, 9}, 2},
		{"count, then fixed", true, {7, 8, 7}, 2}, {"jump", true, {7, 9, 10}, 2},
	};
	static uint8_t f[3][2000];

	(void)state;
	begin(CAN_ALL);
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		uint32_t len = 0;

		for (uint32_t k = 0; k < 3; k++) {
			len = make(f[k], &(struct seg){.kind = T4, .seq = 100 * k, .len = 100,
						       .id = row[i].id[k],
						       .frag = row[i].df ? IP4_DF : 0});
			feed_frame(f[k], len, CSUM_NONE);
		}
		t_turn(R.t);
		if (R.n_out != row[i].out)
			fail_msg("%s: %u packets", row[i].row, R.n_out);
		for (uint32_t k = 0; k < 3; k++)
			assert_frame(k, f[k], len);
		forget();
	}
	end();
}

/* --- checksums -------------------------------------------------------------------------------------- */

static void checksums(void **state)
{
	enum { GOOD, BAD, PSEUDO };
	static const struct {
		const char *row;
		uint8_t state[2], content[2];
		bool merges;
		uint8_t then; /* state of the first packet */
	} row[] = {
		{"good", {CSUM_NONE, CSUM_NONE}, {GOOD, GOOD}, true, CSUM_PARTIAL},
		{"known good", {CSUM_UNNECESSARY, CSUM_UNNECESSARY}, {GOOD, GOOD}, true, CSUM_PARTIAL},
		{"known good is not summed", {CSUM_UNNECESSARY, CSUM_UNNECESSARY}, {GOOD, PSEUDO}, true,
		 CSUM_PARTIAL},
		{"unfinished", {CSUM_PARTIAL, CSUM_PARTIAL}, {PSEUDO, PSEUDO}, true, CSUM_PARTIAL},
		{"unfinished and good", {CSUM_PARTIAL, CSUM_NONE}, {PSEUDO, GOOD}, true, CSUM_PARTIAL},
		{"head bad", {CSUM_NONE, CSUM_NONE}, {BAD, GOOD}, false, CSUM_NONE},
		{"second bad", {CSUM_NONE, CSUM_NONE}, {GOOD, BAD}, false, CSUM_NONE},
		{"both bad", {CSUM_NONE, CSUM_NONE}, {BAD, BAD}, false, CSUM_NONE},
		{"pseudo sum that nobody knows of", {CSUM_NONE, CSUM_NONE}, {PSEUDO, PSEUDO}, false,
		 CSUM_NONE},
	};
	static uint8_t f[2][2000];

	(void)state;
	begin(CAN_ALL);
	for (size_t i = 0; i < ARRAY_LEN(row); i++)
		for (enum kind kind = T4; kind <= U6; kind++) {
			uint32_t len = 0;

			for (uint32_t k = 0; k < 2; k++) {
				len = make(f[k], &(struct seg){.kind = kind, .seq = 500 * k,
							       .id = (uint16_t)k, .len = 500});
				if (row[i].content[k] == PSEUDO)
					fix_l4(f[k], len, true);
				if (row[i].content[k] == BAD)
					f[k][len - 1] ^= 1;
				feed_frame(f[k], len, row[i].state[k]);
			}
			t_turn(R.t);
			if (R.n_out != (row[i].merges ? 1 : 2))
				fail_msg("%s: %u packets", row[i].row, R.n_out);
			assert_int_equal(R.out[0].csum_state, row[i].then);
			assert_int_equal(R.n_frames, 2);
			for (uint32_t k = 0; k < 2; k++) {
				if (row[i].merges) /* cut and summed: right, whatever it was */
					fix_l4(f[k], len, false);
				assert_frame(k, f[k], len);
			}
			forget();
		}
	end();
}

/* UDP without a checksum, and a checksum to be written deeper inside. */
static void not_for_us(void **state)
{
	static uint8_t f[2][2000];

	(void)state;
	begin(CAN_ALL);
	for (int what = 0; what < 2; what++) {
		uint32_t len = 0;

		for (uint32_t k = 0; k < 2; k++) {
			struct pkt *p;

			len = make(f[k], &(struct seg){.kind = U4, .id = (uint16_t)k, .len = 500});
			if (!what)
				memset(f[k] + 40, 0, 2);
			p = to_pkt(f[k], len, what ? CSUM_PARTIAL : CSUM_NONE);
			if (what)
				p->csum_start += 50;
			feed(p);
		}
		t_turn(R.t);
		assert_int_equal(R.n_out, 2);
		forget();
	}
	end();
}

/* --- who gets them ---------------------------------------------------------------------------------- */

static void receivers(void **state)
{
	static const struct {
		const char *row;
		uint32_t can;
		bool handler;
		uint32_t tcp, udp; /* packets of two frames */
	} row[] = {
		{"host with all", CAN_ALL, false, 1, 1},
		{"host without UDP", IO_CAN_CSUM | IO_CAN_TSO, false, 1, 2},
		{"host without anything", IO_CAN_FRAGS, false, 2, 2},
		{"bridge", 0, true, 1, 2},
		{"bridge, and a host", CAN_ALL, true, 1, 2},
	};
	static uint8_t f[2000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		begin(row[i].can);
		if (row[i].handler)
			assert_int_equal(dev_set_rx_handler(R.dev, to_host), 0);
		for (int udp = 0; udp < 2; udp++) {
			for (uint32_t k = 0; k < 2; k++) {
				uint32_t len = make(f, &(struct seg){.kind = udp ? U4 : T4, .len = 100,
								     .seq = k * 100, .id = (uint16_t)k});

				feed_frame(f, len, CSUM_NONE);
			}
			t_turn(R.t);
			if (R.n_out != (udp ? row[i].udp : row[i].tcp))
				fail_msg("%s: %u packets", row[i].row, R.n_out);
			assert_int_equal(R.n_frames, 2);
			forget();
		}
		if (row[i].handler)
			dev_set_rx_handler(R.dev, NULL);
		end();
	}
}

/* --- order ------------------------------------------------------------------------------------------ */

/* Sequence numbers, in the order of arrival, of the frames of one source port. */
static void assert_order(uint16_t sport, const uint32_t *want, uint32_t n)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < R.n_frames; i++) {
		const uint8_t *l4 = R.frame[i].b + 34;

		if (be16_get(*(const be16 *)l4) != sport)
			continue;
		assert_true(k < n);
		assert_int_equal(be32_get(((const struct tcp_hdr *)l4)->seq), want[k++]);
	}
	assert_int_equal(k, n);
}

/* N3 of stack.md.  Two flows, mixed; each with something in between that cannot be merged. */
static void order(void **state)
{
	static const struct seg in[] = {
		{T4, 1, 0, 0, 100, 0, 0},	   {T4, 2, 0, 0, 100, 0, 0},
		{T4, 1, 100, 1, 100, 0, 0},	   {T4, 2, 100, 1, 0, 0, 0},
		{T4, 1, 200, 2, 100, TCP_ACK | TCP_FIN, 0}, {T4, 2, 100, 2, 100, 0, 0},
		{T4, 1, 300, 3, 100, 0, 0},	   {T4, 2, 200, 3, 50, 0, 0},
		{T4, 1, 500, 4, 100, 0, 0},	   {T4, 2, 250, 4, 100, 0, 0},
		{T4, 1, 400, 5, 100, 0, 0},	   {T4, 2, 350, 5, 100, TCP_ACK | TCP_PSH, 0},
		{T4, 1, 500, 6, 100, 0, 0},	   {T4, 2, 450, 6, 100, 0, 0},
	};
	static uint8_t f[2000];

	(void)state;
	begin(CAN_ALL);
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		feed_frame(f, make(f, &in[i]), CSUM_NONE);
	t_turn(R.t);
	assert_order(1, (const uint32_t[]){0, 100, 200, 300, 500, 400, 500}, 7);
	assert_order(2, (const uint32_t[]){0, 100, 100, 200, 250, 350, 450}, 7);
	assert_int_equal(R.n_frames, ARRAY_LEN(in));
	assert_int_equal(R.n_out, 10);
	end();
}

/* A fragment has no ports: all that is held between its addresses goes before it. */
static void before_fragment(void **state)
{
	static uint8_t f[2000];
	uint32_t len;

	(void)state;
	begin(CAN_ALL);
	for (uint16_t i = 0; i < 6; i++)
		feed_frame(f, make(f, &(struct seg){U4, i, 0, i, 100, 0, 0}), CSUM_NONE);
	len = make(f, &(struct seg){U4, 1, 0, 9, 104, 0, IP4_MF});
	feed_frame(f, len, CSUM_NONE);
	feed_frame(f, t_arp(f, 1, T_HER, "192.168.9.2", "192.168.9.1", T_ME), CSUM_NONE);
	gro_cells_run(R.w);
	assert_int_equal(R.n_out, 8);
	assert_int_equal(R.frame[6].len, len);
	end();
}

/* N3: a super-frame of somebody else's making passes, behind what is held of its flow. */
static void super_frame(void **state)
{
	static uint8_t a[2000], b[2000];
	uint32_t la = make(a, &(struct seg){.kind = T4, .seq = 0, .len = 500}), lb;
	struct pkt *p;

	(void)state;
	begin(CAN_ALL);
	lb = make(b, &(struct seg){.kind = T4, .seq = 500, .id = 1, .len = 1500});
	fix_l4(b, lb, true);
	p = to_pkt(b, lb, CSUM_PARTIAL);
	p->gso_size = 500;
	p->gso_type = GSO_TCP4;
	feed_frame(a, la, CSUM_NONE);
	feed(p);
	feed_frame(a, la, CSUM_NONE);
	t_turn(R.t);
	assert_int_equal(R.n_out, 3);
	assert_int_equal(R.out[1].len, lb);
	assert_int_equal(R.n_frames, 5);
	end();
}

/* --- buffers ---------------------------------------------------------------------------------------- */

/* Slices of one buffer, as a train of datagrams is cut; nothing is written to it. */
static void train(void **state)
{
	enum { N = 20, LEN = 1000 };
	static uint8_t all[N * 2000], *f[N];
	struct pkt *big, *keep;
	uint32_t len = 0;

	(void)state;
	begin(CAN_ALL);
	big = pkt_new(R.w->pool, PBUF_BIG);
	for (uint32_t i = 0; i < N; i++) {
		f[i] = all + i * len;
		len = make(f[i], &(struct seg){.kind = T4, .seq = i * LEN, .id = (uint16_t)i, .len = LEN});
		memcpy(pkt_append(big, len), f[i], len);
	}
	for (uint32_t i = 0; i < N; i++) {
		R.w->acct.rx++;
		feed(pkt_slice(R.w->pool, big, i * len, len));
	}
	keep = pkt_clone(R.w->pool, big);
	pkt_free(big);
	t_turn(R.t);
	assert_int_equal(R.n_out, 1);
	assert_int_equal(R.out[0].segs, N);
	for (uint32_t i = 0; i < N; i++)
		assert_frame(i, f[i], len);
	assert_memory_equal(keep->data, all, N * len);
	pkt_free(keep);
	end();
}

/* Headers and payload spread over pieces. */
static void in_pieces(void **state)
{
	static const uint32_t cut[] = {14 + 20, 14 + 20 + 20, 14 + 20 + 32, 100, 101};
	static uint8_t f[ARRAY_LEN(cut)][2000];
	uint32_t len = 0;

	(void)state;
	begin(CAN_ALL);
	for (uint32_t i = 0; i < ARRAY_LEN(cut); i++) {
		struct pkt *p, *rest;

		len = make(f[i], &(struct seg){.kind = T4, .seq = i * 501, .id = (uint16_t)i, .len = 501});
		p = to_pkt(f[i], cut[i], CSUM_NONE);
		rest = pkt_new(R.w->pool, len);
		memcpy(pkt_append(rest, 200), f[i] + cut[i], 200);
		pkt_add_frag(p, rest);
		rest = pkt_new(R.w->pool, len);
		memcpy(pkt_append(rest, len - cut[i] - 200), f[i] + cut[i] + 200, len - cut[i] - 200);
		pkt_add_frag(p, rest);
		feed(p);
	}
	t_turn(R.t);
	assert_int_equal(R.n_out, 1);
	for (uint32_t i = 0; i < ARRAY_LEN(cut); i++)
		assert_frame(i, f[i], len);
	end();
}

/* Bytes behind the IP packet, and a packet that lacks some, are left alone. */
static void padding(void **state)
{
	static uint8_t f[2000];

	(void)state;
	begin(CAN_ALL);
	for (int by = -4; by <= 4; by += 8) {
		for (uint32_t i = 0; i < 2; i++) {
			uint32_t len = make(f, &(struct seg){.kind = T4, .seq = i * 100,
							     .id = (uint16_t)i, .len = 100});

			feed_frame(f, len + (uint32_t)by, CSUM_UNNECESSARY);
		}
		t_turn(R.t);
		assert_int_equal(R.n_out, 2);
		forget();
	}
	end();
}

/* --- table ------------------------------------------------------------------------------------------ */

/* More flows than it holds: the oldest of a bucket goes, all come out, held is what is missing. */
static void many_flows(void **state)
{
	static uint8_t f[2000];
	const uint32_t n = 100;

	(void)state;
	begin(CAN_ALL);
	for (uint32_t i = 0; i < n; i++)
		feed_frame(f, make(f, &(struct seg){T4, (uint16_t)(i + 1), 0, 0, 100, 0, 0}), CSUM_NONE);
	assert_int_equal(vx_held(R.t->vx), n);
	t_check(R.t);
	gro_cells_run(R.w);
	assert_true(gro_held(R.w) <= GRO_BUCKETS * GRO_DEPTH && gro_held(R.w) > 20);
	assert_int_equal(vx_held(R.t->vx), n - R.n_out);
	t_check(R.t);
	t_turn(R.t);
	assert_int_equal(R.n_out, n);
	end();
}

/* What is held when the program stops is dropped with a reason; a turn leaves nothing behind. */
static void shutdown_drops(void **state)
{
	static uint8_t f[2000];

	(void)state;
	begin(CAN_ALL);
	for (uint32_t i = 0; i < 3; i++)
		feed_frame(f, make(f, &(struct seg){T4, 5, i * 100, (uint16_t)i, 100, 0, 0}), CSUM_NONE);
	gro_cells_run(R.w);
	assert_int_equal(gro_held(R.w), 1);
	assert_int_equal(R.w->acct.merged, 2);
	t_mark(R.t);
	gro_drop(R.w);
	assert_int_equal(t_dropped(R.t, DROP_shutdown), 1);
	assert_int_equal(gro_held(R.w), 0);
	t_check(R.t);
	end();
}

/* No buffer for the head's own headers: the frames go as they are. */
static void no_memory(void **state)
{
	static uint8_t f[2000];
	struct pkt *keep[2], *all[40000];
	uint32_t n = 0, len;

	(void)state;
	begin(CAN_ALL);
	for (uint32_t i = 0; i < 2; i++) {
		struct pkt *p;

		len = make(f, &(struct seg){T4, 5, i * 100, (uint16_t)i, 100, 0, 0});
		p = to_pkt(f, len, CSUM_NONE);
		keep[i] = pkt_clone(R.w->pool, p);
		feed(p);
	}
	while (n < ARRAY_LEN(all) && (all[n] = pkt_clone(R.w->pool, keep[0])))
		n++;
	t_turn(R.t);
	assert_int_equal(R.n_out, 2);
	while (n)
		pkt_free(all[--n]);
	pkt_free(keep[0]);
	pkt_free(keep[1]);
	end();
}

/* --- explain ---------------------------------------------------------------------------------------- */

static uint32_t n_done;

static void trace_done(void *ctx, struct trace *t)
{
	bool merged = false;

	for (uint32_t i = 0; i < t->n_steps; i++)
		merged |= t->steps[i].stage == STAGE_gro_receive && t->steps[i].say == SAY_MERGED;
	assert_int_equal(merged, t->id != 0);
	(void)ctx;
	n_done++;
	free(t);
}

/* Frames 0 and 2 are traced, then 1 and 2: a follower's trace moves to a head that has none. */
static void traces(void **state)
{
	static const struct {
		uint8_t mask;
		bool head;
		uint32_t done_before;
	} row[] = {{1 | 4, true, 1}, {2 | 4, true, 1}, {4, true, 0}};
	static uint8_t f[2000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		begin(CAN_ALL);
		n_done = 0;
		for (uint32_t k = 0; k < 3; k++) {
			uint32_t len = make(f, &(struct seg){T4, 5, k * 100, (uint16_t)k, 100, 0, 0});
			struct pkt *p = to_pkt(f, len, CSUM_NONE);

			if (row[i].mask & 1 << k) {
				p->trace = calloc(1, sizeof(*p->trace));
				*p->trace = (struct trace){.done = trace_done, .id = k, .refs = 1};
			}
			feed(p);
		}
		gro_cells_run(R.w);
		assert_int_equal(n_done, row[i].done_before);
		t_turn(R.t);
		assert_int_equal(R.n_out, 1);
		assert_int_equal(R.out[0].traced, row[i].head);
		assert_int_equal(n_done, row[i].done_before + 1);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),	  cmocka_unit_test(runs),
		cmocka_unit_test(limits),	  cmocka_unit_test(ids),
		cmocka_unit_test(checksums),	  cmocka_unit_test(not_for_us),
		cmocka_unit_test(receivers),	  cmocka_unit_test(order),
		cmocka_unit_test(before_fragment), cmocka_unit_test(super_frame),
		cmocka_unit_test(train),	  cmocka_unit_test(in_pieces),
		cmocka_unit_test(padding),	  cmocka_unit_test(many_flows),
		cmocka_unit_test(shutdown_drops), cmocka_unit_test(no_memory),
		cmocka_unit_test(traces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
