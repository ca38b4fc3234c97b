/* SPDX-License-Identifier: Apache-2.0 */
/* Routes and addresses: rows D1 to D3 of stack.md, and control's functions. */
#include "net/testing.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "net/ip4.h"
#include "net/link.h"
#include "net/output.h"
#include "net/route.h"

static struct t_net *net(struct t_port **p, struct t_port **q)
{
	struct t_net *t = t_new();

	*p = t_add_port(t, "up0", T_ME, "10.0.0.1/24");
	t_add_addr(*p, "fd00::1/64");
	*q = t_add_port(t, "up1", "02:00:00:00:01:01", "10.1.0.1/16");
	t_add_addr(*q, "10.1.0.7/16");
	t_turn(t);
	return t;
}

static int add(struct t_net *t, const char *prefix, int plen, const char *via, struct t_port *dev,
	       uint32_t metric, uint8_t type, uint16_t flags)
{
	struct route_req r = {.dst = t_addr(prefix),
			      .plen = (uint8_t)plen,
			      .type = type,
			      .metric = metric,
			      .nl_flags = flags,
			      .maker = "vx route add"};

	r.family = ip_is4(&r.dst) ? AF_INET : AF_INET6;
	if (via)
		r.gateway = t_addr(via);
	if (dev)
		r.ifindex = dev->dev->ifindex;
	return route_add(t->vx, &r, NULL);
}

#define NEW (NLM_F_CREATE | NLM_F_EXCL)

static int way(struct t_net *t, const char *to, struct dst *d)
{
	struct udp_flow f = {.dst = t_addr(to)};

	return route_output(t->vx->workers[0], &f, d);
}

static void assert_way(struct t_net *t, const char *to, struct t_port *dev, const char *via,
		       const char *src)
{
	struct ip_addr g = t_addr(via), s = t_addr(src);
	struct dst d;
	int err = way(t, to, &d);

	if (err)
		fail_msg("%s: %d", to, err);
	if (d.dev != dev->dev || !ip_eq(&d.gateway, &g) || !ip_eq(&d.src, &s))
		fail_msg("%s: wrong way", to);
	assert_ptr_equal(d.output, ip_output); /* D1: always */
	assert_int_equal(d.gen, inet_gen(t->vx->inet));
}

/* D1. */
static void longest_prefix(void **state)
{
	struct t_port *p, *q;
	struct t_net *t = net(&p, &q);
	struct dst d;

	(void)state;
	assert_way(t, "10.0.0.9", p, "10.0.0.9", "10.0.0.1");
	assert_way(t, "10.1.9.9", q, "10.1.9.9", "10.1.0.1");
	assert_way(t, "fd00::77", p, "fd00::77", "fd00::1");
	assert_int_equal(way(t, "10.2.0.1", &d), -ENETUNREACH);
	assert_int_equal(add(t, "0.0.0.0", 0, "10.0.0.254", NULL, 0, DST_UNICAST, NEW), 0);
	assert_int_equal(add(t, "10.2.0.0", 16, "10.1.0.254", NULL, 0, DST_UNICAST, NEW), 0);
	assert_int_equal(add(t, "10.2.3.0", 24, NULL, p, 0, DST_UNICAST, NEW), 0);
	assert_int_equal(add(t, "10.2.4.0", 24, NULL, NULL, 0, DST_BLACKHOLE, NEW), 0);
	assert_int_equal(add(t, "10.2.5.0", 24, NULL, NULL, 0, DST_UNREACHABLE, NEW), 0);
	assert_int_equal(add(t, "fd01::", 16, "fd00::99", NULL, 0, DST_UNICAST, NEW), 0);
	assert_way(t, "8.8.8.8", p, "10.0.0.254", "10.0.0.1");
	assert_way(t, "10.2.0.1", q, "10.1.0.254", "10.1.0.1");
	assert_way(t, "10.2.3.1", p, "10.2.3.1", "10.0.0.1");
	assert_way(t, "fd01::5", p, "fd00::99", "fd00::1");
	assert_int_equal(way(t, "10.2.4.1", &d), -EINVAL);
	assert_int_equal(way(t, "10.2.5.1", &d), -EHOSTUNREACH);
	assert_int_equal(d.type, DST_UNREACHABLE);
	assert_int_equal(way(t, "fe00::1", &d), -ENETUNREACH);
	t_end(t);
}

static void metrics(void **state)
{
	struct t_port *p, *q;
	struct t_net *t = net(&p, &q);
	struct route_req r = {.family = AF_INET,
			      .dst = t_addr("10.9.0.0"),
			      .plen = 16,
			      .type = DST_UNICAST,
			      .gateway = t_addr("10.0.0.3"),
			      .mtu = 1400,
			      .hoplimit = 17,
			      .src = t_addr("10.1.0.7"),
			      .nl_flags = NEW};
	struct dst d;

	(void)state;
	assert_int_equal(route_add(t->vx, &r, NULL), 0);
	assert_int_equal(way(t, "10.9.1.1", &d), 0);
	assert_int_equal(d.mtu, 1400);
	assert_int_equal(d.hoplimit, 17);
	assert_true(ip_eq(&d.src, &r.src));
	/* A lower metric wins; the same prefix and metric again is refused. */
	assert_int_equal(add(t, "10.9.0.0", 16, "10.1.0.3", NULL, 5, DST_UNICAST, NEW), 0);
	assert_int_equal(way(t, "10.9.1.1", &d), 0);
	assert_ptr_equal(d.dev, p->dev);
	assert_int_equal(add(t, "10.9.0.0", 16, "10.1.0.4", NULL, 5, DST_UNICAST, NEW), -EEXIST);
	assert_int_equal(add(t, "10.9.0.0", 16, "10.1.0.4", NULL, 5, DST_UNICAST,
			     NLM_F_CREATE | NLM_F_REPLACE),
			 0);
	assert_int_equal(add(t, "10.8.0.0", 16, "10.1.0.4", NULL, 5, DST_UNICAST, NLM_F_REPLACE),
			 -ENOENT);
	r.metric = 0;
	assert_int_equal(route_del(t->vx, &r, NULL), 0);
	assert_way(t, "10.9.1.1", q, "10.1.0.4", "10.1.0.1");
	assert_int_equal(route_del(t->vx,
				   &(struct route_req){.family = AF_INET,
						       .dst = t_addr("10.9.0.0"),
						       .plen = 16},
				   NULL),
			 0);
	assert_int_equal(way(t, "10.9.1.1", &d), -ENETUNREACH);
	assert_int_equal(route_del(t->vx, &r, NULL), -ESRCH);
	/* A gateway that is not on link, a source that is not ours. */
	assert_int_equal(add(t, "10.9.0.0", 16, "10.7.0.1", NULL, 0, DST_UNICAST, NEW),
			 -ENETUNREACH);
	r.src = t_addr("10.9.9.9");
	assert_int_equal(route_add(t->vx, &r, NULL), -EINVAL);
	t_end(t);
}

/* D1, D3: what route_input says of a destination. */
static void d1_input(void **state)
{
	static const struct {
		const char *to;
		enum dst_type type;
		enum drop why;
	} row[] = {
		{"10.0.0.1", DST_LOCAL, 0},
		{"10.1.0.7", DST_LOCAL, 0},
		{"10.0.0.255", DST_BROADCAST, 0},
		{"10.1.255.255", DST_BROADCAST, 0},
		{"255.255.255.255", DST_BROADCAST, 0},
		{"224.0.0.1", DST_MULTICAST, 0},
		{"10.0.0.9", DST_UNREACHABLE, 0},
		{"239.0.0.1", DST_NONE, DROP_ip_group_not_joined},
		{"0.0.0.0", DST_NONE, DROP_ip_martian},
		{"127.0.0.1", DST_NONE, DROP_ip_martian},
	};
	struct t_port *p, *q;
	struct t_net *t = net(&p, &q);
	struct pkt pk = {.dev = p->dev};
	struct ip_addr her = t_addr("10.0.0.2");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct ip_addr to = t_addr(row[i].to);
		enum drop why;
		struct dst *d = route_input(t->vx->workers[0], &pk, &her, &to, &why);

		if (!d) {
			assert_int_equal(row[i].type, DST_NONE);
			assert_int_equal(why, row[i].why);
			continue;
		}
		assert_int_equal(d->type, row[i].type);
		assert_ptr_equal(d->input,
				 d->type == DST_UNREACHABLE ? ip_error : ip_local_deliver);
		assert_ptr_equal(d->output, ip_output);
	}
	t_end(t);
}

/* D2: every change makes a new generation. */
static void d2_generation(void **state)
{
	struct t_port *p, *q;
	struct t_net *t = net(&p, &q);
	struct ip_addr a = t_addr("10.5.0.1");
	struct dst d;
	uint64_t gen;

	(void)state;
	assert_int_equal(way(t, "10.0.0.9", &d), 0);
	assert_int_equal(d.gen, inet_gen(t->vx->inet));
#define CHANGES(x)                                                                                 \
	do {                                                                                       \
		gen = inet_gen(t->vx->inet);                                                       \
		x;                                                                                 \
		assert_true(inet_gen(t->vx->inet) > gen);                                          \
	} while (0)
	CHANGES(inet_addr_add(p->dev, &a, 24, NULL, NULL, NULL));
	CHANGES(inet_addr_del(p->dev, &a, 24, NULL));
	CHANGES(add(t, "0.0.0.0", 0, "10.0.0.254", NULL, 0, DST_UNICAST, NEW));
	CHANGES(dev_set_mtu(p->dev, 1400, NULL));
	CHANGES(route_update_pmtu(t->vx->workers[0], &a, 1300));
	gen = inet_gen(t->vx->inet);
	route_update_pmtu(t->vx->workers[0], &a, 1300); /* nothing new */
	route_update_pmtu(t->vx->workers[0], &a, 1350); /* not lower */
	assert_int_equal(inet_gen(t->vx->inet), gen);
	assert_int_equal(way(t, "10.5.0.1", &d), 0);
	assert_int_equal(d.mtu, 1300);
	CHANGES(t_advance(t, 600 * NS_PER_S));
	assert_int_equal(way(t, "10.5.0.1", &d), 0);
	assert_int_equal(d.mtu, 1400);
	CHANGES(link_dellink(q->dev, false));
	assert_int_equal(way(t, "10.1.0.9", &d), 0);
	assert_ptr_equal(d.dev, p->dev); /* by the default route now */
	t_end(t);
}

/* A stranger's reports fill no more than the table. */
static void pmtu_cap(void **state)
{
	struct t_port *p, *q;
	struct t_net *t = net(&p, &q);
	struct ip_addr a = t_addr("10.0.0.0");

	(void)state;
	for (int i = 0; i < 5000; i++) {
		a.b[14] = (uint8_t)(i >> 8);
		a.b[15] = (uint8_t)i;
		route_update_pmtu(t->vx->workers[0], &a, 1000);
	}
	t_advance(t, 601 * NS_PER_S);
	assert_int_equal(vx_control_turn(t->vx, t->now), UINT64_MAX);
	t_end(t);
}

static int count_addr(void *ctx, const struct inet_addr *a)
{
	(void)a;
	++*(int *)ctx;
	return 0;
}
static int count_route(void *ctx, const struct route_view *v)
{
	int *n = ctx;

	n[v->connected]++;
	if (v->connected && v->r.plen == 16)
		assert_int_equal(v->r.dst.b[14] | v->r.dst.b[15], 0);
	return 0;
}

static void addresses(void **state)
{
	struct t_port *p, *q;
	struct t_net *t = net(&p, &q);
	struct ip_addr a = t_addr("10.0.0.1");
	int n = 0, r[2] = {0};

	(void)state;
	assert_int_equal(inet_addr_add(p->dev, &a, 24, NULL, NULL, NULL), -EEXIST);
	assert_int_equal(inet_addr_del(p->dev, &a, 25, NULL), -EADDRNOTAVAIL);
	a = t_addr("224.0.0.1");
	assert_int_equal(inet_addr_add(p->dev, &a, 24, NULL, NULL, NULL), -EADDRNOTAVAIL);
	a = t_addr("10.0.3.3");
	assert_int_equal(inet_addr_add(p->dev, &a, 33, NULL, NULL, NULL), -EINVAL);
	assert_int_equal(atomic_load(&p->dev->has_addr), 2);
	inet_addr_each(t->vx, count_addr, &n);
	assert_int_equal(n, 4);
	add(t, "0.0.0.0", 0, "10.0.0.254", NULL, 0, DST_UNICAST, NEW);
	route_each(t->vx, AF_UNSPEC, count_route, r);
	assert_int_equal(r[0], 1);
	assert_int_equal(r[1], 4);
	a = t_addr("10.0.0.1");
	assert_int_equal(inet_addr_del(p->dev, &a, 24, NULL), 0);
	a = t_addr("fd00::1");
	assert_int_equal(inet_addr_del(p->dev, &a, 64, NULL), 0);
	assert_int_equal(atomic_load(&p->dev->has_addr), 0);
	link_dellink(q->dev, false);
	n = 0;
	inet_addr_each(t->vx, count_addr, &n);
	assert_int_equal(n, 0);
	t_end(t);
}

static int sources(void *ctx, const struct route_view *v)
{
	int *n = ctx;

	if (!v->connected) {
		n[0]++;
		n[1] += !ip_is_none(&v->r.src);
	}
	return 0;
}

/* The preferred source of a route goes: in IPv4 the route does, too (Linux 6.18). */
static void source_gone(void **state)
{
	struct t_port *p, *q;
	struct t_net *t = net(&p, &q);
	struct ip_addr a = t_addr("10.7.0.1"), b = t_addr("fd07::1");
	struct route_req r = {.family = AF_INET, .dst = t_addr("10.8.0.0"), .plen = 24,
			      .type = DST_UNICAST, .ifindex = p->dev->ifindex, .src = a,
			      .nl_flags = NLM_F_CREATE};
	int n[2] = {0};

	(void)state;
	assert_int_equal(inet_addr_add(p->dev, &a, 24, NULL, NULL, NULL), 0);
	assert_int_equal(inet_addr_add(q->dev, &a, 32, NULL, NULL, NULL), 0);
	assert_int_equal(inet_addr_add(q->dev, &b, 64, NULL, NULL, NULL), 0);
	assert_int_equal(route_add(t->vx, &r, NULL), 0);
	r.family = AF_INET6;
	r.dst = t_addr("fd08::");
	r.plen = 64;
	r.src = b;
	assert_int_equal(route_add(t->vx, &r, NULL), 0);
	assert_int_equal(inet_addr_del(p->dev, &a, 24, NULL), 0); /* q has it, too */
	route_each(t->vx, AF_UNSPEC, sources, n);
	assert_int_equal(n[0], 2);
	assert_int_equal(n[1], 2);
	link_dellink(q->dev, false);
	n[0] = n[1] = 0;
	route_each(t->vx, AF_UNSPEC, sources, n);
	assert_int_equal(n[0], 1);
	assert_int_equal(n[1], 0);
	/* A gateway that is on no link: only a state may say so. */
	r = (struct route_req){.family = AF_INET, .dst = t_addr("10.9.0.0"), .plen = 24,
			       .type = DST_UNICAST, .gateway = t_addr("10.99.0.1"),
			       .ifindex = p->dev->ifindex, .nl_flags = NLM_F_CREATE};
	assert_int_equal(route_add(t->vx, &r, NULL), -ENETUNREACH);
	r.restored = true;
	assert_int_equal(route_add(t->vx, &r, NULL), 0);
	t_end(t);
}

/* Many routes: each is found. */
static void many(void **state)
{
	struct t_port *p, *q;
	struct t_net *t = net(&p, &q);
	char a[32];

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(a, sizeof(a), "20.%d.%d.0", i / 100, i % 100);
		assert_int_equal(
			add(t, a, 24, i % 2 ? "10.0.0.9" : "10.1.0.9", NULL, 0, DST_UNICAST, NEW),
			0);
		vx_control_turn(t->vx, t->now);
	}
	for (int i = 0; i < 300; i++) {
		snprintf(a, sizeof(a), "20.%d.%d.77", i / 100, i % 100);
		assert_way(t, a, i % 2 ? p : q, i % 2 ? "10.0.0.9" : "10.1.0.9",
			   i % 2 ? "10.0.0.1" : "10.1.0.1");
	}
	t_end(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest_prefix), cmocka_unit_test(metrics),
		cmocka_unit_test(d1_input),	  cmocka_unit_test(d2_generation),
		cmocka_unit_test(pmtu_cap),	  cmocka_unit_test(addresses), cmocka_unit_test(source_gone),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
