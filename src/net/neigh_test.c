/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbours over ARP and ND: row O3 of stack.md, the states of neigh.h, answers. */
#include "net/testing.h"

#include <errno.h>
#include <stdio.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "net/link.h"
#include "net/neigh.h"
#include "net/udp_inet.h"
#include "wire/arp.h"
#include "wire/csum.h"
#include "wire/eth.h"
#include "wire/nd.h"

static uint8_t f[T_FRAME_MAX];
static uint32_t len;
static struct udp_sock *sk, *sk6;

static struct t_net *net(struct t_port **p)
{
	struct t_net *t = t_new();
	struct udp_sock_cfg c = {.vx = t->vx, .family = AF_INET, .port = 7000};

	*p = t_add_port(t, "up0", T_ME, "10.0.0.1/24");
	t_add_addr(*p, "fd00::1/64");
	assert_int_equal(inet_udp_open(&c, &sk, NULL), 0);
	c.family = AF_INET6;
	assert_int_equal(inet_udp_open(&c, &sk6, NULL), 0);
	t_turn(t);
	return t;
}

static void send_to(struct t_net *t, const char *ip, uint32_t n)
{
	static uint8_t data[65000];
	struct ip_addr a = t_addr(ip);

	assert_int_equal(inet_udp_send(t->vx->workers[0], ip_is4(&a) ? sk : sk6, &a, 9, data, n),
			 0);
	t_turn(t);
}

static int take_view(void *ctx, const struct neigh_view *v)
{
	*(struct neigh_view *)ctx = *v;
	return 1;
}

static uint16_t state_of(struct t_net *t)
{
	struct neigh_view v = {0};

	neigh_each(t->vx, NULL, take_view, &v);
	return v.state;
}

static void assert_question(struct t_port *p, const char *ip, bool alone)
{
	const struct t_frame *o = t_out(p);
	const struct arp_hdr *a;
	struct ip_addr tpa = t_addr(ip), spa = t_addr("10.0.0.1");
	struct mac me = t_mac(T_ME), her = t_mac(T_HER);

	assert_non_null(o);
	assert_int_equal(o->len, 42);
	a = (const struct arp_hdr *)(o->b + 14);
	assert_int_equal(be16_get(a->op), ARP_REQUEST);
	assert_true(be32_eq(a->tpa, ip_get4(&tpa)) && be32_eq(a->spa, ip_get4(&spa)));
	assert_true(mac_eq(&a->sha, &me));
	if (alone)
		assert_memory_equal(o->b, &her, 6);
	else
		assert_true(mac_is_broadcast((const struct mac *)o->b));
}

static void answer(struct t_port *p)
{
	len = t_arp(f, ARP_REPLY, T_HER, "10.0.0.2", "10.0.0.1", T_ME);
	t_inject(p, f, len);
}

/* The way of an entry: asked for, reachable, stale, delay, probe, failed. */
static void states(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	send_to(t, "10.0.0.2", 10);
	send_to(t, "10.0.0.2", 11);
	assert_question(p, "10.0.0.2", false);
	t_assert_silent(p);
	assert_int_equal(vx_held(t->vx), 2);
	assert_int_equal(state_of(t), NUD_INCOMPLETE);
	answer(p);
	assert_int_equal(state_of(t), NUD_REACHABLE);
	assert_int_equal(vx_held(t->vx), 0);
	assert_int_equal(t_out(p)->len, 52); /* in order */
	assert_int_equal(t_out(p)->len, 53);
	t_advance(t, 30 * NS_PER_S);
	assert_int_equal(state_of(t), NUD_STALE);
	t_assert_silent(p);
	send_to(t, "10.0.0.2", 10);
	assert_non_null(t_out(p)); /* a stale entry is used */
	assert_int_equal(state_of(t), NUD_DELAY);
	t_advance(t, 5 * NS_PER_S);
	assert_int_equal(state_of(t), NUD_PROBE);
	assert_question(p, "10.0.0.2", true);
	answer(p);
	assert_int_equal(state_of(t), NUD_REACHABLE);
	t_advance(t, 31 * NS_PER_S);
	send_to(t, "10.0.0.2", 10);
	assert_non_null(t_out(p));
	t_advance(t, 5 * NS_PER_S);
	assert_question(p, "10.0.0.2", true);
	for (int i = 0; i < 2; i++) {
		t_advance(t, NS_PER_S);
		assert_question(p, "10.0.0.2", true);
	}
	t_advance(t, NS_PER_S);
	t_assert_silent(p);
	assert_int_equal(state_of(t), NUD_FAILED);
	send_to(t, "10.0.0.2", 10); /* starts again */
	assert_question(p, "10.0.0.2", false);
	t_end(t);
}

/* O3: three probes a second apart, then unreachable. */
static void o3_unreachable(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	t_mark(t);
	send_to(t, "10.0.0.2", 10);
	for (int i = 0; i < 3; i++) {
		assert_question(p, "10.0.0.2", false);
		t_assert_silent(p);
		assert_int_equal(vx_next_timer(t->vx, 0), t->now + NS_PER_S);
		t_advance(t, NS_PER_S);
	}
	t_assert_silent(p);
	assert_int_equal(t_dropped(t, DROP_neigh_failed), 1);
	assert_int_equal(vx_held(t->vx), 0);
	t_advance(t, 61 * NS_PER_S);
	assert_int_equal(state_of(t), 0); /* forgotten */
	assert_int_equal(vx_next_timer(t->vx, 0), UINT64_MAX);
	t_end(t);
}

/* O3: 212,992 bytes, the oldest goes. */
static void o3_full(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	uint32_t n = NEIGH_QUEUE_BYTES / 1028;

	(void)state;
	assert_int_equal(NEIGH_QUEUE_BYTES, 212992);
	t_mark(t);
	for (uint32_t i = 0; i < n; i++)
		send_to(t, "10.0.0.2", i == 1 ? 998 : 1000);
	assert_int_equal(vx_held(t->vx), n);
	assert_int_equal(t_dropped(t, DROP_neigh_queue_full), 0);
	send_to(t, "10.0.0.2", 999);
	assert_int_equal(t_dropped(t, DROP_neigh_queue_full), 1);
	assert_int_equal(vx_held(t->vx), n);
	assert_question(p, "10.0.0.2", false);
	answer(p);
	assert_int_equal(t_out(p)->len, 42 + 998); /* the second is the first now */
	for (uint32_t i = 2; i < n; i++)
		assert_int_equal(t_out(p)->len, 42 + 1000);
	assert_int_equal(t_out(p)->len, 42 + 999);
	t_assert_silent(p);
	t_end(t);
}

/* A stranger cannot fill the table for good: the device with most entries gives its own. */
static void cap(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	char ip[32];

	(void)state;
	t_add_neigh(p, "10.0.0.2", T_HER);
	inet_addr_del(p->dev, &(struct ip_addr){0}, 24, NULL);
	t_add_addr(p, "10.1.0.1/16");
	for (int i = 0; i < NEIGH_MAX + 500; i++) {
		snprintf(ip, sizeof(ip), "10.1.%d.%d", 1 + i / 250, 1 + i % 250);
		send_to(t, ip, 1);
		while (t_out(p))
			;
	}
	assert_true(vx_held(t->vx) <= NEIGH_MAX);
	send_to(t, "10.0.0.2", 1);
	assert_non_null(t_out(p)); /* the permanent one is there */
	t_end(t);
}

static void answers_arp(void **state)
{
	static const struct {
		const char *row, *spa, *tpa, *dmac;
		bool answered, learned;
	} row[] = {
		{"for us", "10.0.0.2", "10.0.0.1", "ff:ff:ff:ff:ff:ff", true, true},
		{"alone", "10.0.0.2", "10.0.0.1", T_ME, true, true},
		{"duplicate?", "0.0.0.0", "10.0.0.1", "ff:ff:ff:ff:ff:ff", true, false},
		{"for another", "10.0.0.2", "10.0.0.3", "ff:ff:ff:ff:ff:ff", false, false},
		{"as us", "10.0.0.1", "10.0.0.1", "ff:ff:ff:ff:ff:ff", false, false},
		{"group", "10.0.0.2", "224.0.0.1", "ff:ff:ff:ff:ff:ff", false, false},
		{"broadcast", "10.0.0.2", "10.0.0.255", "ff:ff:ff:ff:ff:ff", false, false},
		{"to another", "10.0.0.2", "10.0.0.1", "02:00:00:00:00:09", false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		const struct t_frame *o;
		const struct arp_hdr *a;
		struct mac me = t_mac(T_ME), her = t_mac(T_HER);

		len = t_arp(f, ARP_REQUEST, T_HER, row[i].spa, row[i].tpa, row[i].dmac);
		t_inject(p, f, len);
		o = t_out(p);
		if (!o != !row[i].answered)
			fail_msg("%s", row[i].row);
		if (o) {
			a = (const struct arp_hdr *)(o->b + 14);
			assert_int_equal(be16_get(a->op), ARP_REPLY);
			assert_true(mac_eq(&a->sha, &me) && mac_eq(&a->tha, &her));
			assert_memory_equal(o->b, &her, 6);
		}
		assert_int_equal(state_of(t), row[i].learned ? NUD_STALE : 0);
		t_end(t);
	}
}

static void bad_arp(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	struct arp_hdr *a = (struct arp_hdr *)(f + 14);

	(void)state;
	for (int i = 0; i < 6; i++) {
		len = t_arp(f, ARP_REQUEST, T_HER, "10.0.0.2", "10.0.0.1", T_ME);
		if (i == 0)
			a->hw_type = be16_put(2);
		else if (i == 1)
			a->proto = be16_put(3);
		else if (i == 2)
			a->hw_len = 7;
		else if (i == 3)
			a->op = be16_put(9);
		else if (i == 4)
			len--;
		else
			a->spa = be32_put(0xe0000001);
		t_mark(t);
		t_inject(p, f, len);
		assert_int_equal(t_dropped(t, DROP_arp_invalid), 1);
		t_assert_silent(p);
	}
	t_end(t);
}

/* A reply that nobody asked for makes no entry; a new MAC takes over after a second. */
static void news(void **state)
{
	struct neigh_view v = {0};
	struct t_port *p;
	struct t_net *t = net(&p);
	struct mac other = t_mac("02:00:00:00:00:0b");

	(void)state;
	answer(p);
	assert_int_equal(state_of(t), 0);
	send_to(t, "10.0.0.2", 1);
	answer(p);
	len = t_arp(f, ARP_REPLY, "02:00:00:00:00:0b", "10.0.0.2", "10.0.0.1", T_ME);
	t_inject(p, f, len);
	neigh_each(t->vx, p->dev, take_view, &v);
	assert_false(mac_eq(&v.mac, &other)); /* too soon */
	t_advance(t, NS_PER_S);
	t_inject(p, f, len);
	neigh_each(t->vx, p->dev, take_view, &v);
	assert_true(mac_eq(&v.mac, &other));
	assert_int_equal(v.state, NUD_REACHABLE);
	t_end(t);
}

static void control(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	struct neigh_req r = {.dev = p->dev,
			      .ip = t_addr("10.0.0.2"),
			      .has_mac = true,
			      .mac = t_mac(T_HER),
			      .nl_flags = NLM_F_CREATE | NLM_F_EXCL,
			      .maker = "vx neigh add"};
	struct neigh_view v;

	(void)state;
	send_to(t, "10.0.0.2", 1); /* a packet waits */
	assert_question(p, "10.0.0.2", false);
	assert_int_equal(neigh_add(t->vx, &r, NULL), -EEXIST);
	r.nl_flags = NLM_F_CREATE | NLM_F_REPLACE;
	assert_int_equal(neigh_add(t->vx, &r, NULL), 0);
	t_turn(t);
	assert_non_null(t_out(p)); /* and leaves */
	neigh_each(t->vx, NULL, take_view, &v);
	assert_int_equal(v.state, NUD_PERMANENT);
	assert_string_equal(v.maker.text, "vx neigh add");
	t_advance(t, 100 * NS_PER_S);
	len = t_arp(f, ARP_REPLY, "02:00:00:00:00:0b", "10.0.0.2", "10.0.0.1", T_ME);
	t_inject(p, f, len);
	neigh_each(t->vx, NULL, take_view, &v);
	assert_true(mac_eq(&v.mac, &r.mac)); /* nobody changes a permanent one */
	assert_int_equal(neigh_del(t->vx, p->dev, &r.ip, NULL), 0);
	assert_int_equal(neigh_del(t->vx, p->dev, &r.ip, NULL), -ENOENT);
	r.nl_flags = 0;
	assert_int_equal(neigh_add(t->vx, &r, NULL), -ENOENT);
	t_end(t);
}

/* Entries and packets go with their device. */
static void device_gone(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	send_to(t, "10.0.0.2", 1);
	t_mark(t);
	link_dellink(p->dev, false);
	t_advance(t, 1);
	assert_int_equal(t_dropped(t, DROP_neigh_failed), 1);
	assert_int_equal(state_of(t), 0);
	t_end(t);
}

/* Two workers wait, one asks, the answer comes to the first; each sends its own. */
static void two_workers(void **state)
{
	struct t_net *t = t_new_workers(2);
	struct t_port *p = t_add_port(t, "up0", T_ME, "10.0.0.1/24");
	struct udp_sock_cfg c = {.vx = t->vx, .family = AF_INET, .port = 7000};
	struct ip_addr her = t_addr("10.0.0.2");
	uint16_t id[4];

	(void)state;
	assert_int_equal(inet_udp_open(&c, &sk, NULL), 0);
	t_turn(t);
	for (int i = 0; i < 4; i++)
		assert_int_equal(inet_udp_send(t->vx->workers[i % 2], sk, &her, 9, "x", 1), 0);
	t_turn(t);
	assert_question(p, "10.0.0.2", false);
	t_assert_silent(p);
	assert_int_equal(vx_held(t->vx), 4);
	assert_true(vx_next_timer(t->vx, 1) <= t->now + 2 * NS_PER_MS);
	answer(p);
	assert_int_equal(vx_held(t->vx), 0);
	for (int i = 0; i < 4; i++) {
		const struct t_frame *o = t_out(p);

		t_assert_ip4(o, "10.0.0.1", "10.0.0.2", IPPROTO_UDP_);
		id[i] = be16_get(t_ip4_of(o->b)->id);
		for (int k = 0; k < i; k++) /* no identification twice */
			assert_int_not_equal(id[i], id[k]);
	}
	t_end(t);
}

/* --- neighbour discovery ---------------------------------------------------------------------- */

static uint32_t nd(uint8_t type, uint32_t flags, const char *src, const char *dst,
		   const char *target, bool opt, uint8_t ttl, const char *dmac)
{
	struct {
		struct nd_msg m;
		struct nd_lladdr_opt o;
	} __attribute__((packed)) b = {.m = {.type = type, .flags = be32_put(flags)}};
	uint32_t n = sizeof(b.m) + (opt ? sizeof(b.o) : 0);
	struct ip_addr s = t_addr(src), d = t_addr(dst), tg = t_addr(target);

	memcpy(b.m.target, tg.b, 16);
	b.o = (struct nd_lladdr_opt){type == ICMP6_NS ? 1 : 2, 1, t_mac(T_HER)};
	b.m.csum = csum_fold(csum_add(csum_pseudo(&s, &d, IPPROTO_ICMP6_, n), &b, n));
	return t_ip(f, &(struct t_ip){.src = src,
				      .dst = dst,
				      .proto = IPPROTO_ICMP6_,
				      .ttl = ttl,
				      .data = &b,
				      .len = n,
				      .dmac = dmac});
}

static void nd_asks(void **state)
{
	struct t_port *p;
	struct t_net *t = net(&p);
	const struct t_frame *o;
	const struct nd_msg *m;

	(void)state;
	t_mark(t);
	send_to(t, "fd00::2", 5);
	o = t_out(p);
	t_assert_ip6(o, "fd00::1", "ff02::1:ff00:2", IPPROTO_ICMP6_);
	assert_memory_equal(o->b, "\x33\x33\xff\x00\x00\x02", 6);
	assert_int_equal(t_ip6_of(o->b)->hop_limit, 255);
	m = (const struct nd_msg *)(o->b + 54);
	assert_int_equal(m->type, ICMP6_NS);
	assert_int_equal(T_MOVED(t, Icmp6OutNeighborSolicits), 1);
	assert_int_equal(T_MOVED(t, Icmp6OutMsgs), 1);
	len = nd(ICMP6_NA, ND_NA_SOLICITED | ND_NA_OVERRIDE, "fd00::2", "fd00::1", "fd00::2", true,
		 255, T_ME);
	t_inject(p, f, len);
	assert_int_equal(state_of(t), NUD_REACHABLE);
	assert_int_equal(T_MOVED(t, Icmp6InNeighborAdvertisements), 1);
	o = t_out(p);
	t_assert_ip6(o, "fd00::1", "fd00::2", IPPROTO_UDP_);
	t_advance(t, 31 * NS_PER_S);
	send_to(t, "fd00::2", 5);
	assert_non_null(t_out(p));
	t_advance(t, 5 * NS_PER_S);
	o = t_out(p);
	t_assert_ip6(o, "fd00::1", "fd00::2", IPPROTO_ICMP6_); /* asks her alone */
	t_end(t);
}

static void nd_answers(void **state)
{
	static const struct {
		const char *row, *src, *dst, *target;
		bool opt;
		uint8_t ttl;
		const char *to; /* the answer's destination, NULL: none */
	} row[] = {
		{"group", "fd00::2", "ff02::1:ff00:1", "fd00::1", true, 255, "fd00::2"},
		{"alone", "fd00::2", "fd00::1", "fd00::1", true, 255, "fd00::2"},
		{"forwarded", "fd00::2", "fd00::1", "fd00::1", true, 254, NULL},
		{"another's", "fd00::2", "fd00::1", "fd00::3", true, 255, NULL},
		{"duplicate?", "::", "ff02::1:ff00:1", "fd00::1", false, 255, "ff02::1"},
		{"duplicate with option", "::", "ff02::1:ff00:1", "fd00::1", true, 255, NULL},
		{"duplicate alone", "::", "fd00::1", "fd00::1", false, 255, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct t_port *p;
		struct t_net *t = net(&p);
		const struct t_frame *o;

		len = nd(ICMP6_NS, 0, row[i].src, row[i].dst, row[i].target, row[i].opt, row[i].ttl,
			 T_ME);
		t_mark(t);
		t_inject(p, f, len);
		assert_int_equal(T_MOVED(t, Icmp6InNeighborSolicits), i < 6); /* the last: martian */
		assert_int_equal(T_MOVED(t, Icmp6OutNeighborAdvertisements), row[i].to != NULL);
		o = t_out(p);
		if (!o != !row[i].to)
			fail_msg("%s", row[i].row);
		if (o) {
			const struct nd_msg *m = (const struct nd_msg *)(o->b + 54);

			t_assert_ip6(o, "fd00::1", row[i].to, IPPROTO_ICMP6_);
			assert_int_equal(m->type, ICMP6_NA);
			assert_int_equal(be32_get(m->flags),
					 ND_NA_OVERRIDE | (i < 2 ? ND_NA_SOLICITED : 0));
			assert_int_equal(o->b[54 + 24], ND_OPT_TARGET_LLADDR);
			assert_memory_equal(o->b + 54 + 26, "\x02\0\0\0\0\x01", 6);
		}
		t_end(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states),      cmocka_unit_test(o3_unreachable),
		cmocka_unit_test(o3_full),     cmocka_unit_test(cap),
		cmocka_unit_test(answers_arp), cmocka_unit_test(bad_arp),
		cmocka_unit_test(news),	       cmocka_unit_test(control),
		cmocka_unit_test(device_gone), cmocka_unit_test(two_workers),
		cmocka_unit_test(nd_asks),     cmocka_unit_test(nd_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
