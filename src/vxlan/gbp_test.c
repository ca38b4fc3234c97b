/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group policy (vxlan.md 2.6, 3.7): a mark goes out in the header and comes back; an external
 * device's packets have it in their tunnel information instead.
 */
#include "vxlan/testing.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "wire/eth.h"
#include "wire/vxlan.h"

#define SRC	     "02:00:00:00:00:99"

static struct h_host H;
static struct dev *vx;

/* Stands for a bridge's port: keeps what came last. */
static struct seen {
	uint32_t n, mark, gbp;
	bool has_tun;
} S;

static enum rx_result look(struct worker *w, struct dev *d, struct pkt *p)
{
	(void)d;
	S = (struct seen){.n = S.n + 1, .mark = p->mark, .gbp = p->tun.gbp, .has_tun = p->has_tun};
	pkt_consume(w, p);
	return RX_CONSUMED;
}

static struct vxlan_opts opts(bool external)
{
	struct vxlan_opts o = h_opts(external ? 0 : 100, 4789);

	o.gbp = true;
	o.external = external;
	o.learning = !external;
	return o;
}

static void make(const struct vxlan_opts *o)
{
	h_init(&H);
	vx = h_vxlan(&H, "vx", o, VXA_BIT(VXA_GBP) | (o->external ? VXA_BIT(VXA_EXTERNAL) : 0));
	assert_int_equal(dev_set_rx_handler(vx, look), 0);
	S = (struct seen){0};
	t_mark(H.t);
}

static void end(void)
{
	dev_set_rx_handler(vx, NULL);
	h_end(&H);
}

static void arrives(const char *from, uint32_t word0)
{
	struct eth_hdr eth = {
		.dst = t_mac("02:00:00:00:00:98"), .src = t_mac(SRC), .type = be16_put(0x1234)};
	uint8_t b[8 + sizeof(eth) + 40] = {0};

	h_vxlan_hdr(b, word0, 100 << 8);
	memcpy(b + 8, &eth, sizeof(eth));
	h_datagram(&H, AF_INET, 4789, from, 0, b, sizeof(b));
}

/* 2.1-10, statement 41, and what the other bits are: tolerated, or reserved. */
static void received(void **state)
{
	static const struct {
		uint32_t word0, policy;
	} rows[] = {
		{0x88480020, 0x480020}, {0x88ffff21, 0x48ff21}, {0x88000001, 1},
		{0x88400000, 0x400000}, {0x88080000, 0x080000}, {0x8800ffff, 0xffff},
		{0x88000000, 0},	{0x08480020, 0},	{0x08ffffff, 0},
	};

	(void)state;
	for (int external = 0; external < 2; external++) {
		struct vxlan_opts o = opts(external);

		make(&o);
		for (uint32_t i = 0; i < ARRAY_LEN(rows); i++) {
			arrives("10.0.0.9", rows[i].word0);
			assert_int_equal(S.n, i + 1);
			assert_int_equal(S.mark, external ? 0 : rows[i].policy);
			assert_int_equal(S.has_tun, external);
			if (external)
				assert_int_equal(S.gbp, rows[i].policy);
		}
		for (uint32_t bit = 24; bit < 31; bit++)
			arrives("10.0.0.9", VXLAN_F_VNI | VXLAN_F_GBP | 1u << bit);
		assert_int_equal(S.n, ARRAY_LEN(rows) + 1); /* the I flag again */
		assert_int_equal(t_dropped(H.t, DROP_vxlan_reserved_bits), 6);
		assert_int_equal(h_stats(vx).rx_frame_errors, 6);
		end();
	}
}

static int count_entries(void *ctx, const struct fdb_view *v)
{
	(void)v;
	++*(uint32_t *)ctx;
	return 0;
}

static uint32_t entries(const struct dev *d)
{
	uint32_t n = 0;

	d->ops->fdb_dump((struct dev *)d, count_entries, &n);
	return n;
}

/* Where the sender's MAC is. */
static bool is_at(const char *ip)
{
	struct mac m = t_mac(SRC);
	struct fdb_entry *e = fdb_find(&vxlan_dev(vx)->fdb, &m, vxlan_opts(vxlan_dev(vx))->id);
	struct ip_addr a = t_addr(ip);
	struct fdb_view v;

	assert_non_null(e);
	fdb_view_of(&vxlan_dev(vx)->fdb, e, 0, &v);
	return ip_eq(&v.dst, &a);
}

/* 2.1-10, section 12: "do not learn" is honoured; what control made is held against such frames,
 * too. */
static void not_learnt(void **state)
{
	const uint32_t quiet = VXLAN_F_VNI | VXLAN_F_GBP | VXLAN_GBP_DONT_LEARN;
	struct vxlan_opts o = opts(false);

	(void)state;
	make(&o);
	arrives("10.0.0.9", quiet);
	assert_int_equal(S.n, 1);
	assert_int_equal(entries(vx), 0);
	arrives("10.0.0.9", VXLAN_F_VNI | VXLAN_GBP_DONT_LEARN); /* without G it says nothing */
	assert_int_equal(entries(vx), 1);
	arrives("10.0.0.8", quiet); /* does not move it */
	assert_int_equal(S.n, 3);
	assert_true(is_at("10.0.0.9"));
	arrives("10.0.0.9", quiet);
	assert_int_equal(S.n, 4);
	assert_int_equal(h_fdb(vx, NLM_F_CREATE | NLM_F_REPLACE, SRC, "10.0.0.9",
			       FDB_PERMANENT | FDB_NOARP, 0, NULL),
			 0);
	arrives("10.0.0.8", quiet);
	assert_int_equal(S.n, 4);
	assert_int_equal(t_dropped(H.t, DROP_fdb_static_elsewhere), 1);
	arrives("10.0.0.9", quiet);
	assert_int_equal(S.n, 5);
	end();

	o = opts(true);
	o.learning = true;
	make(&o);
	arrives("10.0.0.9", quiet);
	assert_int_equal(entries(vx), 0);
	arrives("10.0.0.9", VXLAN_F_VNI | VXLAN_F_GBP | 5);
	assert_int_equal(entries(vx), 1);
	assert_int_equal(S.n, 2);
	end();
}

/* --- transmit
 * ------------------------------------------------------------------------------------- */

static struct pkt *frame(uint32_t mark)
{
	struct t_ip ip = {.src = "192.168.9.1",
			  .dst = "192.168.9.2",
			  .proto = 17,
			  .ttl = 9,
			  .data = "0123456789",
			  .len = 10};
	struct worker *w = H.t->vx->workers[0];
	uint8_t f[T_FRAME_MAX];
	uint32_t len = t_ip(f, &ip);
	struct pkt *p = t_pkt(w, f, len, 0);

	w->acct.made++;
	p->mark = mark;
	return p;
}

static uint32_t sent_word0(struct pkt *p)
{
	struct batch b = {.n = 1, .p = {p}};
	const struct h_sent *s;

	dev_queue_xmit(H.t->vx->workers[0], vx, &b);
	t_turn(H.t);
	s = h_sent(&H);
	assert_non_null(s);
	return be32_get(((const struct vxlan_hdr *)s->b)->flags);
}

/* 3.7-gbp, statement 98. */
static const struct {
	uint32_t policy, word0;
} out_rows[] = {
	{0, 0x08000000},	  {0x481234, 0x88481234},   {0x10000, 0x88000000},
	{1, 0x88000001},	  {0x400000, 0x88400000},   {0x080000, 0x88080000},
	{0xffffffff, 0x8848ffff}, {0xffb70000, 0x88000000},
};

/* 3.7-gbp. */
static void sent(void **state)
{
	(void)state;
	for (int gbp = 0; gbp < 2; gbp++) {
		struct vxlan_opts o = opts(false);

		o.gbp = gbp;
		make(&o);
		assert_int_equal(h_fdb(vx, NLM_F_CREATE, "00:00:00:00:00:00", "10.0.0.2",
				       FDB_PERMANENT | FDB_NOARP, 0, NULL),
				 0);
		for (size_t i = 0; i < ARRAY_LEN(out_rows); i++)
			assert_int_equal(sent_word0(frame(out_rows[i].policy)),
					 gbp ? out_rows[i].word0 : VXLAN_F_VNI);
		end();
	}
}

/* 3.7-gbp: the tunnel's information says it, the mark does not. */
static void sent_by_information(void **state)
{
	(void)state;
	for (int gbp = 0; gbp < 2; gbp++) {
		struct vxlan_opts o = opts(true);

		o.gbp = gbp;
		make(&o);
		for (size_t i = 0; i < ARRAY_LEN(out_rows); i++) {
			struct pkt *p = frame(0x77);

			p->has_tun = true;
			p->tun = (struct tun_info){.dst = t_addr("10.0.0.2"),
						   .id = 5,
						   .ttl = 64,
						   .has_key = true,
						   .is_tx = true,
						   .gbp = out_rows[i].policy};
			assert_int_equal(sent_word0(p), gbp ? out_rows[i].word0 : VXLAN_F_VNI);
		}
		end();
	}
}

/* A remote that is this host, by the devices of the same kind alone (3.5-7); the mark stays. */
static void bypassed(void **state)
{
	struct fdb_req r = {.nl_flags = NLM_F_CREATE,
			    .state = FDB_PERMANENT | FDB_NOARP,
			    .has_dst = true,
			    .dst = t_addr("10.0.0.2"),
			    .has_vni = true};
	struct vxlan_opts o = opts(false), other = opts(false);
	struct dev *to;

	(void)state;
	make(&o);
	H.route.type = DST_LOCAL;
	r.vni = other.id = 200;
	assert_int_equal(vx->ops->fdb_add(vx, &r, NULL), 0);
	to = h_vxlan(&H, "vx2", &other, VXA_BIT(VXA_GBP));
	assert_int_equal(dev_set_rx_handler(to, look), 0);
	for (int quiet = 1; quiet >= 0; quiet--) {
		uint32_t mark = quiet ? VXLAN_GBP_DONT_LEARN | 7 : 7;
		struct batch b = {.n = 1, .p = {frame(mark)}};

		S.n = 0;
		dev_queue_xmit(H.t->vx->workers[0], vx, &b);
		t_turn(H.t);
		assert_int_equal(S.n, 1);
		assert_int_equal(S.mark, mark);
		assert_int_equal(entries(to), !quiet);
	}
	dev_set_rx_handler(to, NULL);
	end();
}

/* --- the option
 * ------------------------------------------------------------------------------------ */

static void option(void **state)
{
	struct vxlan_opts o = opts(false), plain = h_opts(100, 4789);
	struct vx_err err = {0};
	struct dev *d;

	(void)state;
	make(&o);
	assert_true(vxlan_opts(vxlan_dev(vx))->reserved_bits == VXLAN_RESERVED_GBP);
	/* 1.6: another kind of device may have the VNI, and not be up at the same time. */
	assert_int_equal(h_try(&H, "vx2", &plain, 0, &err, &d), -EADDRINUSE);
	assert_int_equal(h_try(&H, "vx2", &o, VXA_BIT(VXA_GBP), &err, &d), -EEXIST);
	assert_int_equal(vx->type->changelink(vx, &o, VXA_BIT(VXA_GBP), &err), -EOPNOTSUPP);
	assert_string_equal(err.text, "vxlan: cannot change GBP flag");
	/* No other change touches the mask (section 12; statement 13 is the kernel's). */
	o.ttl = 7;
	assert_int_equal(vx->type->changelink(vx, &o, VXA_BIT(VXA_TTL), &err), 0);
	assert_true(vxlan_opts(vxlan_dev(vx))->reserved_bits == VXLAN_RESERVED_GBP);
	arrives("10.0.0.9", 0x88000021);
	assert_int_equal(S.mark, 0x21);
	o = opts(false);
	o.id = 7;
	o.reserved_bits = 0x80000000ull << 32;
	assert_int_equal(
		h_try(&H, "vx3", &o, VXA_BIT(VXA_GBP) | VXA_BIT(VXA_RESERVED_BITS), &err, &d),
		-EINVAL);
	assert_string_equal(err.text, "Used bits 0x88ffffffffffff00 cannot overlap reserved bits "
				      "0x8000000000000000");
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(received), cmocka_unit_test(not_learnt),
		cmocka_unit_test(sent),	    cmocka_unit_test(sent_by_information),
		cmocka_unit_test(bypassed), cmocka_unit_test(option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
