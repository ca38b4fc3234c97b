/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 input: the checks of stack.md 4's last line (RFC 8200), extension headers. */
#include "net/testing.h"

#include "net/raw.h"
#include "wire/eth.h"

static uint8_t f[T_FRAME_MAX];
static uint32_t len;

static struct t_net *net(struct t_port **p)
{
	struct t_net *t = t_new();

	*p = t_add_port(t, "up0", T_ME, "fd00::1/64");
	t_add_neigh(*p, "fd00::2", T_HER);
	return t;
}

#define NO  MIB_COUNT
#define RCV MIB_Ip6InReceives
#define ERR MIB_Ip6InHdrErrors

static void no_change(void)
{
}
static void other_mac(void)
{
	f[5] = 9;
}
static void version(void)
{
	f[14] = 0x40;
}
static void cut(void)
{
	len = 14 + 39;
}
static void beyond(void)
{
	t_ip6_of(f)->payload_len = be16_put((uint16_t)(len - 54 + 1));
}
static void padded(void)
{
	memset(f + len, 0xee, 9);
	len += 9;
}
static void hop0(void)
{
	t_ip6_of(f)->hop_limit = 0;
}
static void jumbo(void)
{
	t_ip6_of(f)->payload_len = be16_put(0);
	t_ip6_of(f)->next = 0;
}

static const struct row {
	const char *row;
	void (*change)(void);
	const char *src, *dst;
	enum drop drop;
	enum mib_counter moved[5];
} rows[] = {
	{"otherhost", other_mac, NULL, NULL, DROP_otherhost, {NO}},
	{"version", version, NULL, NULL, DROP_ip_hdr_error, {RCV, ERR, NO}},
	{"cut", cut, NULL, NULL, DROP_pkt_too_small, {RCV, ERR, NO}},
	{"beyond", beyond, NULL, NULL, DROP_ip_truncated, {RCV, MIB_Ip6InTruncatedPkts, NO}},
	{"padded", padded, NULL, NULL, DROP_NONE, {NO}},
	{"hop limit 0", hop0, NULL, NULL, DROP_NONE, {NO}},
	{"jumbogram", jumbo, NULL, NULL, DROP_ip6_jumbo, {RCV, ERR, NO}},
	{"loopback", no_change, "::1", NULL, DROP_ip_hdr_error, {RCV, ERR, NO}},
	{"to loopback", no_change, NULL, "::1", DROP_ip_hdr_error, {RCV, ERR, NO}},
	{"multicast source", no_change, "ff02::1", NULL, DROP_ip_hdr_error, {RCV, ERR, NO}},
	{"interface-local group", no_change, NULL, "ff01::1", DROP_ip_hdr_error, {RCV, ERR, NO}},
	{"own source", no_change, "fd00::1", NULL, DROP_ip_martian, {RCV, NO}},
	{"no source", no_change, "::", NULL, DROP_ip_martian, {RCV, NO}},
	{"not joined", no_change, NULL, "ff02::77", DROP_ip_group_not_joined, {RCV, NO}},
	{"not local",
	 no_change,
	 NULL,
	 "fd00::9",
	 DROP_ip_not_local,
	 {RCV, MIB_Ip6InAddrErrors, NO}},
};

static void one_row(const struct row *r, uint32_t split)
{
	struct t_port *p;
	struct t_net *t = net(&p);

	p->split = split;
	len = t_echo(f,
		     &(struct t_ip){.src = r->src ? r->src : "fd00::2",
				    .dst = r->dst ? r->dst : "fd00::1"},
		     56);
	r->change();
	t_mark(t);
	t_inject(p, f, len);
	if (r->drop) {
		if (t_dropped(t, r->drop) != 1)
			fail_msg("%s", r->row);
		t_assert_moved(t, r->moved);
	} else {
		t_assert_ip6(t_out(p), "fd00::1", "fd00::2", IPPROTO_ICMP6_);
	}
	t_assert_silent(p);
	t_end(t);
}

/* I-v6. */
static void input_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		one_row(&rows[i], 0);
		one_row(&rows[i], 15);
	}
}

/* Extension headers before an echo request; the first number is 'first'. */
static const struct ext {
	const char *row;
	uint8_t first, n;
	uint8_t b[24];
	int answer; /* ICMPv6 type that comes back; -1 none */
	int code, pointer;
	bool error;
} exts[] = {
	{"hop-by-hop, padded", 0, 8, {58, 0, 1, 4}, ICMP6_ECHO_REPLY, 0, -1, false},
	{"router alert", 0, 8, {58, 0, 5, 2, 0, 0, 1, 0}, ICMP6_ECHO_REPLY, 0, -1, false},
	{"unknown 00", 0, 8, {58, 0, 0x1e, 4}, ICMP6_ECHO_REPLY, 0, -1, false},
	{"unknown 01", 0, 8, {58, 0, 0x5e, 4}, -1, 0, -1, true},
	{"unknown 10", 0, 8, {58, 0, 0x9e, 4}, ICMP6_PARAM, 2, 42, true},
	{"unknown 11", 0, 8, {58, 0, 0xde, 4}, ICMP6_PARAM, 2, 42, true},
	{"option beyond", 0, 8, {58, 0, 1, 5}, -1, 0, -1, true},
	{"jumbo option", 0, 8, {58, 0, 0xc2, 4}, -1, 0, -1, true},
	{"beyond the packet", 0, 8, {58, 60, 1, 4}, -1, 0, -1, true},
	{"destination", 60, 8, {58, 0, 1, 4}, ICMP6_ECHO_REPLY, 0, -1, false},
	{"destination, unknown 10", 60, 8, {58, 0, 0x9e, 4}, ICMP6_PARAM, 2, 42, true},
	{"hop-by-hop, destination",
	 0,
	 16,
	 {60, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4},
	 ICMP6_ECHO_REPLY,
	 0,
	 -1,
	 false},
	{"hop-by-hop second",
	 60,
	 16,
	 {0, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4},
	 ICMP6_PARAM,
	 1,
	 40,
	 false},
	{"routing, none left", 43, 8, {58, 0, 0, 0}, ICMP6_ECHO_REPLY, 0, -1, false},
	{"routing, one left", 43, 24, {58, 2, 0, 1}, ICMP6_PARAM, 0, 42, true},
	{"nothing", 59, 0, {0}, -1, 0, -1, false},
};

/* I-v6. */
static void extension_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(exts); i++) {
		const struct ext *e = &exts[i / 2];
		struct t_port *p;
		struct t_net *t = net(&p);
		const struct t_frame *o;

		p->split = i % 2 ? 56 : 0;
		len = t_echo(f,
			     &(struct t_ip){.src = "fd00::2",
					    .dst = "fd00::1",
					    .proto = e->first,
					    .opts = e->b,
					    .opts_len = e->n},
			     8);
		t_ip6_of(f)->next = e->first;
		t_mark(t);
		t_inject(p, f, len);
		o = t_out(p);
		if (!o != (e->answer < 0))
			fail_msg("%s: answered %d", e->row, o != NULL);
		if (o) {
			t_assert_ip6(o, "fd00::1", "fd00::2", IPPROTO_ICMP6_);
			if (o->b[54] != e->answer || o->b[55] != e->code ||
			    (e->pointer >= 0 && o->b[61] != e->pointer))
				fail_msg("%s: type %d, code %d, pointer %d", e->row, o->b[54],
					 o->b[55], o->b[61]);
		}
		if ((T_MOVED(t, Ip6InHdrErrors) != 0) != e->error)
			fail_msg("%s: InHdrErrors", e->row);
		t_assert_silent(p);
		t_end(t);
	}
}

/* More headers than anybody needs. */
static void too_many(void **state)
{
	uint8_t ext[80] = {0};
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	for (int i = 0; i < 10; i++) {
		ext[8 * i] = i == 9 ? IPPROTO_ICMP6_ : IP6_DSTOPTS;
		ext[8 * i + 2] = 1;
		ext[8 * i + 3] = 4;
	}
	len = t_echo(f,
		     &(struct t_ip){.src = "fd00::2",
				    .dst = "fd00::1",
				    .proto = IP6_DSTOPTS,
				    .opts = ext,
				    .opts_len = sizeof(ext)},
		     8);
	t_mark(t);
	t_inject(p, f, len);
	assert_int_equal(t_dropped(t, DROP_ip6_ext_hdr), 1);
	t_end(t);
}

static uint32_t got;
static void raw_rcv(struct worker *w, const struct raw_listener *l, struct pkt *p)
{
	(void)l;
	got = pkt_total(p);
	pkt_consume(w, p);
}

static void raw6(void **state)
{
	struct raw_listener l = {.fam = INET_V6, .proto = 250, .rcv = raw_rcv};
	struct t_port *p;
	struct t_net *t = net(&p);

	(void)state;
	raw_register(t->vx, &l);
	len = t_ip(
		f,
		&(struct t_ip){
			.src = "fd00::2", .dst = "fd00::1", .proto = 250, .data = "abc", .len = 3});
	t_mark(t);
	t_inject(p, f, len);
	assert_int_equal(got, 3); /* IPv6: without the IP header */
	T_ASSERT_MOVED(t, RCV, MIB_Ip6InDelivers);
	raw_unregister(t->vx, &l);
	t_end(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(input_rows),
		cmocka_unit_test(extension_headers),
		cmocka_unit_test(too_many),
		cmocka_unit_test(raw6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
