/* SPDX-License-Identifier: Apache-2.0 */
/* Polling, netif_receive, dev_queue_xmit: rows N1, N2, R1 to R7 and O2 of stack.md. */
#include "net/testing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/backlog.h"
#include "net/ptype.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/tcp.h"

enum { TYPE = 0x88b5 }; /* for experiments (IEEE 802) */

static uint8_t f[64];

/* Who got a frame, in order; each packet with the device that it had. */
static char heard[256];
static struct pkt *kept[8];
static uint32_t n_kept;

static void hear(struct worker *w, struct batch *b, const char *who)
{
	for (uint32_t i = 0; i < b->n; i++) {
		size_t n = strlen(heard);

		snprintf(heard + n, sizeof(heard) - n, "%s:%s ", who, b->p[i]->dev->name);
		assert_int_equal(pkt_total(b->p[i]), 50); /* data behind the Ethernet header */
		kept[n_kept++] = b->p[i];
		(void)w;
	}
}

static void tap(struct worker *w, struct batch *b)
{
	hear(w, b, "tap");
}
static void any(struct worker *w, struct batch *b)
{
	hear(w, b, "any");
}
static void any2(struct worker *w, struct batch *b)
{
	hear(w, b, "any2");
}
static void on_a(struct worker *w, struct batch *b)
{
	hear(w, b, "a");
}
static void on_b(struct worker *w, struct batch *b)
{
	hear(w, b, "b");
}

struct net {
	struct t_net *t;
	struct t_port *a, *b;
	struct ptype tap, any, any2, on_a, on_b;
};

static void make(struct net *n, bool second)
{
	n->t = t_new();
	n->a = t_add_port(n->t, "a", T_ME, NULL);
	n->b = t_add_port(n->t, "b", T_HER, NULL);
	n->tap = (struct ptype){.type = PTYPE_ALL, .rcv = tap};
	n->any = (struct ptype){.type = TYPE, .rcv = any};
	n->any2 = (struct ptype){.type = TYPE, .rcv = any2};
	n->on_a = (struct ptype){.type = TYPE, .rcv = on_a, .dev = n->a->dev};
	n->on_b = (struct ptype){.type = TYPE, .rcv = on_b, .dev = n->b->dev};
	ptype_add(n->t->vx, &n->tap);
	ptype_add(n->t->vx, &n->any);
	if (second)
		ptype_add(n->t->vx, &n->any2);
	ptype_add(n->t->vx, &n->on_a);
	ptype_add(n->t->vx, &n->on_b);
	heard[0] = 0;
	n_kept = 0;
}

static void come(struct net *n, uint16_t type)
{
	struct eth_hdr *e = (struct eth_hdr *)f;

	e->dst = t_mac(T_ME);
	e->src = t_mac("02:00:00:00:00:99");
	e->type = be16_put(type);
	t_feed(n->a, f, sizeof(f));
	t_mark(n->t);
	while (vx_turn(n->t->vx, 0, n->t->now)) /* packets are in kept[], so no check here */
		;
}

/* R3: clones for all but the last. */
static void assert_clones(struct net *n, uint32_t clones)
{
	struct account a;

	vx_account(n->t->vx, &a);
	assert_int_equal(a.made - n->t->acct.made, clones);
}

/* All that was heard are packets of their own (R3), with an accounting that is right. */
static void done(struct net *n, const char *want)
{
	assert_string_equal(heard, want);
	for (uint32_t i = 0; i < n_kept; i++) {
		for (uint32_t k = 0; k < i; k++)
			assert_ptr_not_equal(kept[i], kept[k]);
		assert_int_equal(pkt_cow(n->t->vx->workers[0]->pool, kept[i]), 0);
		memset(kept[i]->data, (int)i + 1, 50); /* what one changes no other sees */
	}
	for (uint32_t i = 0; i < n_kept; i++) {
		assert_int_equal(kept[i]->data[49], i + 1);
		pkt_consume(n->t->vx->workers[0], kept[i]);
	}
	t_end(n->t);
}

/* R1, R3. */
static void r1_order(void **state)
{
	struct net n;

	(void)state;
	make(&n, true);
	come(&n, TYPE);
	assert_clones(&n, 3);
	done(&n, "tap:a any:a any2:a a:a ");
}

static enum rx_result result;
static struct dev *another;
static int asked;
static rx_handler_fn handler;
static enum rx_result handler(struct worker *w, struct dev *dev, struct pkt *p)
{
	size_t n = strlen(heard);

	asked++;
	snprintf(heard + n, sizeof(heard) - n, "h:%s ", dev->name);
	if (result == RX_CONSUMED)
		pkt_consume(w, p);
	if (result == RX_ANOTHER)
		p->dev = another;
	return result;
}

/* R2. */
static void r2_handler(void **state)
{
	static const struct {
		enum rx_result r;
		const char *heard;
	} row[] = {
		{RX_CONSUMED, "tap:a h:a "},
		/* R4: the original device's receiver, too. */
		{RX_ANOTHER, "tap:a h:a tap:b any:b a:b b:b "},
		{RX_EXACT, "tap:a h:a a:a "},
		{RX_PASS, "tap:a h:a any:a a:a "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct net n;

		make(&n, false);
		result = row[i].r;
		another = n.b->dev;
		assert_int_equal(dev_set_rx_handler(n.a->dev, handler), 0);
		assert_int_equal(dev_set_rx_handler(n.a->dev, handler), -EBUSY);
		come(&n, TYPE);
		done(&n, row[i].heard);
	}
}

static void r2_removed(void **state)
{
	struct net n;

	(void)state;
	make(&n, false);
	result = RX_CONSUMED;
	dev_set_rx_handler(n.a->dev, handler);
	dev_set_rx_handler(n.a->dev, NULL);
	come(&n, TYPE);
	done(&n, "tap:a any:a a:a ");
}

/* R5. */
static void r5_nobody(void **state)
{
	struct dev_stats st;
	struct net n;

	(void)state;
	make(&n, false);
	come(&n, TYPE + 1);
	dev_sum_stats(n.a->dev, &st);
	assert_int_equal(st.rx_dropped, 1);
	assert_int_equal(st.rx_nohandler, 0);
	assert_int_equal(t_dropped(n.t, DROP_unhandled_proto), 1);
	result = RX_EXACT;
	dev_set_rx_handler(n.a->dev, handler);
	heard[0] = 0;
	come(&n, TYPE + 1);
	dev_sum_stats(n.a->dev, &st);
	assert_int_equal(st.rx_dropped, 1);
	assert_int_equal(st.rx_nohandler, 1);
	assert_int_equal(t_dropped(n.t, DROP_unhandled_proto), 1);
	done(&n, "tap:a h:a ");
}

/* R6. */
static void r6_loop(void **state)
{
	struct net n;

	(void)state;
	make(&n, false);
	ptype_del(n.t->vx, &n.tap);
	result = RX_ANOTHER;
	another = n.a->dev;
	dev_set_rx_handler(n.a->dev, handler);
	asked = 0;
	t_mark(n.t);
	come(&n, TYPE);
	assert_int_equal(asked, 8);
	assert_int_equal(t_dropped(n.t, DROP_rx_loop), 1);
	done(&n, "h:a h:a h:a h:a h:a h:a h:a h:a ");
}

/* R7: a tagged frame goes to taps and rx handler, else to nobody. */
static void r7_tagged(void **state)
{
	struct net n;

	(void)state;
	make(&n, false);
	result = RX_PASS;
	dev_set_rx_handler(n.a->dev, handler);
	t_mark(n.t);
	come(&n, ETHTYPE_VLAN);
	assert_int_equal(t_dropped(n.t, DROP_unhandled_proto), 1);
	done(&n, "tap:a h:a ");
}

/* --- polling --------------------------------------------------------------------------------- */

/* Which device's packets, and whether the backlog's, came in which order: a letter each run. */
static char runs[64];
static uint32_t n_runs;
static void run_of(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		char who = be16_get(b->p[i]->protocol) == TYPE + 2 ? 'q' : b->p[i]->dev->name[0];

		if (!n_runs || runs[n_runs - 1] != who)
			runs[n_runs++] = who;
		runs[n_runs] = 0;
		pkt_consume(w, b->p[i]);
	}
}

static void put_in_backlog(struct net *n)
{
	struct worker *w = n->t->vx->workers[0];
	struct pkt *p = pkt_make(w, 64);

	pkt_append(p, 64);
	p->dev = p->orig_dev = n->a->dev;
	p->protocol = be16_put(TYPE + 2);
	netif_rx(w, p);
}

/* N1: a turn visits each that is scheduled once, with a budget of 64, then the backlogs; who used up the
 * budget stays scheduled, also if nothing was left. */
static void n1_polling(void **state)
{
	struct ptype ears[2] = {{.type = TYPE, .rcv = run_of}, {.type = TYPE + 2, .rcv = run_of}};
	struct eth_hdr *e = (struct eth_hdr *)f;
	struct net n = {.t = t_new()};
	struct vx *vx = n.t->vx;

	(void)state;
	n.a = t_add_port(n.t, "a", T_ME, NULL);
	n.b = t_add_port(n.t, "b", T_ME, NULL);
	assert_int_equal(NAPI_BUDGET, 64);
	ptype_add(vx, &ears[0]);
	ptype_add(vx, &ears[1]);
	*e = (struct eth_hdr){.dst = t_mac(T_ME), .src = t_mac(T_HER), .type = be16_put(TYPE)};
	for (int i = 0; i < 100; i++)
		t_feed(n.a, f, sizeof(f));
	for (int i = 0; i < 64; i++)
		t_feed(n.b, f, sizeof(f));
	put_in_backlog(&n);
	n_runs = 0;
	assert_true(vx_turn(vx, 0, n.t->now));
	assert_string_equal(runs, "abq");
	assert_int_equal(n.a->in_tail - n.a->in_head, 36);
	assert_int_equal(n.b->in_tail - n.b->in_head, 0);
	assert_true(n.a->napi.scheduled && n.b->napi.scheduled);
	assert_false(vx_turn(vx, 0, n.t->now)); /* both gave less than 64: complete */
	assert_int_equal(n.a->in_tail - n.a->in_head, 0);
	assert_false(n.a->napi.scheduled || n.b->napi.scheduled);
	assert_string_equal(runs, "abqa");
	/* Nothing is polled that is not scheduled again. */
	t_feed(n.a, f, sizeof(f));
	napi_remove(&n.a->napi);
	assert_false(vx_turn(vx, 0, n.t->now));
	assert_int_equal(n.a->in_tail - n.a->in_head, 1);
	napi_schedule(&n.a->napi);
	vx_turn(vx, 0, n.t->now);
	assert_int_equal(n.a->in_tail - n.a->in_head, 0);
	ptype_del(vx, &ears[0]);
	ptype_del(vx, &ears[1]);
	t_end(n.t);
}

/* N2: what a packet is when the taps see it. */
static struct pkt as_seen;
static void see(struct worker *w, struct batch *b)
{
	assert_int_equal(b->n, 1);
	as_seen = *b->p[0];
	as_seen.csum_start -= pkt_off(b->p[0]) - sizeof(struct eth_hdr);
	pkt_consume(w, b->p[0]);
}

static void n2_filled(void **state)
{
	static const struct {
		const char *row, *dmac;
		uint16_t type;
		uint8_t want, csum_state;
	} row[] = {
		{"host", T_ME, TYPE, PKT_HOST, CSUM_NONE},
		{"broadcast", "ff:ff:ff:ff:ff:ff", TYPE, PKT_BROADCAST, CSUM_UNNECESSARY},
		{"multicast", "01:00:5e:00:00:01", TYPE, PKT_MULTICAST, CSUM_COMPLETE},
		{"otherhost", T_HER, TYPE, PKT_OTHERHOST, CSUM_PARTIAL},
		{"tagged", T_ME, ETHTYPE_VLAN, PKT_HOST, CSUM_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct ptype ear = {.type = PTYPE_ALL, .rcv = see};
		struct t_net *t = t_new();
		struct t_port *a = t_add_port(t, "a", T_ME, NULL);
		struct eth_hdr *e = (struct eth_hdr *)f;

		memset(f, 0x5a, sizeof(f));
		*e = (struct eth_hdr){.dst = t_mac(row[i].dmac), .src = t_mac(T_HER),
				      .type = be16_put(row[i].type)};
		a->csum_state = row[i].csum_state;
		a->csum_start = 40;
		ptype_add(t->vx, &ear);
		t_inject(a, f, sizeof(f));
		assert_ptr_equal(as_seen.dev, a->dev);
		assert_ptr_equal(as_seen.orig_dev, a->dev);
		assert_int_equal(as_seen.type, row[i].want);
		assert_int_equal(be16_get(as_seen.protocol), row[i].type); /* a tag stays in the frame */
		assert_int_equal(pkt_total(&as_seen), 50);
		assert_int_equal(as_seen.csum_state, row[i].csum_state);
		if (row[i].csum_state == CSUM_PARTIAL)
			assert_int_equal(as_seen.csum_start, 40);
		if (row[i].csum_state == CSUM_COMPLETE)
			assert_int_equal(as_seen.csum, csum_reduce(csum_add(0, f + 14, 50)));
		assert_int_equal(t->vx->workers[0]->now, t->now);
		ptype_del(t->vx, &ear);
		t_end(t);
	}
}

/* --- dev_queue_xmit -------------------------------------------------------------------------- */

static uint32_t tap_len, n_tapped;
static void outgoing(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		assert_int_equal(b->p[i]->type, PKT_OUTGOING);
		tap_len = pkt_total(b->p[i]);
		n_tapped++;
		pkt_consume(w, b->p[i]);
	}
}

/* O2: the tap sees a super-frame whole; the device, which cannot, gets segments with their checksums. */
static void o2_xmit(void **state)
{
	struct ptype tap_all = {.type = PTYPE_ALL, .rcv = outgoing};
	struct tcp_hdr h = {.src = be16_put(1), .dst = be16_put(2), .off = 5 << 4, .flags = TCP_ACK};
	struct ip_addr s = t_addr("192.168.9.1"), d = t_addr("192.168.9.2");
	uint8_t data[20 + 2500] = {0}, frame[2600];
	struct t_net *t = t_new();
	struct t_port *a = t_add_port(t, "a", T_ME, NULL);
	struct worker *w = t->vx->workers[0];
	struct batch one = {.n = 1};
	uint32_t len;

	(void)state;
	h.csum.raw = csum_reduce(csum_pseudo(&s, &d, IPPROTO_TCP_, sizeof(data)));
	memcpy(data, &h, sizeof(h));
	len = t_ip(frame, &(struct t_ip){.src = "192.168.9.1", .dst = "192.168.9.2",
					 .proto = IPPROTO_TCP_, .data = data, .len = sizeof(data)});
	one.p[0] = pkt_make(w, len);
	memcpy(pkt_append(one.p[0], len), frame, len);
	one.p[0]->csum_state = CSUM_PARTIAL;
	one.p[0]->csum_start = pkt_off(one.p[0]) + 34;
	one.p[0]->csum_offset = 16;
	one.p[0]->gso_size = 1000;
	one.p[0]->gso_type = GSO_TCP4;
	ptype_add(t->vx, &tap_all);
	n_tapped = 0;
	dev_queue_xmit(w, a->dev, &one);
	t_turn(t);
	assert_int_equal(n_tapped, 1);
	assert_int_equal(tap_len, len);
	for (uint32_t i = 0; i < 3; i++) {
		const struct t_frame *o = t_out(a);
		uint32_t n = i == 2 ? 520 : 1020;

		t_assert_ip4(o, "192.168.9.1", "192.168.9.2", IPPROTO_TCP_);
		assert_int_equal(o->len, 34 + n);
		assert_int_equal(
			csum_reduce(csum_add(csum_pseudo(&s, &d, IPPROTO_TCP_, n), o->b + 34, n)),
			0xffff);
	}
	t_assert_silent(a);
	ptype_del(t->vx, &tap_all);
	t_end(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r1_order),   cmocka_unit_test(r2_handler),
		cmocka_unit_test(r2_removed), cmocka_unit_test(r5_nobody),
		cmocka_unit_test(r6_loop),    cmocka_unit_test(r7_tagged),
		cmocka_unit_test(n1_polling), cmocka_unit_test(n2_filled),
		cmocka_unit_test(o2_xmit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
