/* SPDX-License-Identifier: Apache-2.0 */
/* netif_receive: rows R1 to R7 of stack.md. */
#include "net/testing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/ptype.h"
#include "wire/eth.h"

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
	while (vx_turn(n->t->vx, 0, n->t->now)) /* packets are in kept[], so no check here */
		;
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

static void r1_order(void **state)
{
	struct net n;

	(void)state;
	make(&n, true);
	come(&n, TYPE);
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
		assert_int_equal(dev_set_rx_handler(n.a->dev, handler, NULL), 0);
		assert_int_equal(dev_set_rx_handler(n.a->dev, handler, NULL), -EBUSY);
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
	dev_set_rx_handler(n.a->dev, handler, NULL);
	dev_set_rx_handler(n.a->dev, NULL, NULL);
	come(&n, TYPE);
	done(&n, "tap:a any:a a:a ");
}

static void r5_nobody(void **state)
{
	struct dev_stats st;
	struct net n;

	(void)state;
	make(&n, false);
	t_mark(n.t);
	come(&n, TYPE + 1);
	dev_sum_stats(n.a->dev, &st);
	assert_int_equal(st.rx_dropped, 1);
	assert_int_equal(st.rx_nohandler, 0);
	assert_int_equal(t_dropped(n.t, DROP_unhandled_proto), 1);
	result = RX_EXACT;
	dev_set_rx_handler(n.a->dev, handler, NULL);
	heard[0] = 0;
	come(&n, TYPE + 1);
	dev_sum_stats(n.a->dev, &st);
	assert_int_equal(st.rx_dropped, 1);
	assert_int_equal(st.rx_nohandler, 1);
	assert_int_equal(t_dropped(n.t, DROP_unhandled_proto), 2);
	done(&n, "tap:a h:a ");
}

static void r6_loop(void **state)
{
	struct net n;

	(void)state;
	make(&n, false);
	ptype_del(n.t->vx, &n.tap);
	result = RX_ANOTHER;
	another = n.a->dev;
	dev_set_rx_handler(n.a->dev, handler, NULL);
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
	dev_set_rx_handler(n.a->dev, handler, NULL);
	t_mark(n.t);
	come(&n, ETHTYPE_VLAN);
	assert_int_equal(t_dropped(n.t, DROP_unhandled_proto), 1);
	done(&n, "tap:a h:a ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r1_order),   cmocka_unit_test(r2_handler),
		cmocka_unit_test(r2_removed), cmocka_unit_test(r5_nobody),
		cmocka_unit_test(r6_loop),    cmocka_unit_test(r7_tagged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
