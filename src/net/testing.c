/* SPDX-License-Identifier: Apache-2.0 */
#include "net/testing.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/link.h"
#include "net/neigh.h"
#include "wire/arp.h"
#include "wire/csum.h"
#include "wire/eth.h"

#include <linux/netlink.h>

/* --- the port --------------------------------------------------------------------------------- */

static void put(struct t_frame *ring, uint32_t *tail, uint32_t head, const void *b, uint32_t len)
{
	struct t_frame *f = &ring[*tail % T_OUT];

	assert_true(*tail - head < T_OUT);
	free(f->b);
	f->b = malloc(len + 1); /* exactly: a read beyond is seen */
	memcpy(f->b, b, len);
	f->len = len;
	++*tail;
}

/* Bytes that end where their buffer does. */
static struct pkt *tight(struct worker *w, const uint8_t *b, uint32_t len)
{
	struct pkt *p = pkt_new(w->pool, len);

	if (!p)
		return NULL;
	p->data = p->buf->bytes + p->buf->size - len;
	if (len)
		memcpy(pkt_append(p, len), b, len);
	return p;
}

struct pkt *t_pkt(struct worker *w, const void *b, uint32_t len, uint32_t split)
{
	uint32_t head = split && split < len ? split : len;
	struct pkt *p = tight(w, b, head), *rest;

	if (!p || head == len)
		return p;
	rest = tight(w, (const uint8_t *)b + head, len - head);
	if (!rest) {
		pkt_free(p);
		return NULL;
	}
	pkt_add_frag(p, rest);
	return p;
}

/* The frame as a packet, in one piece or two. */
static struct pkt *to_pkt(struct t_port *p, struct worker *w, const struct t_frame *f)
{
	struct pkt *pk = t_pkt(w, f->b, f->len, p->split);

	assert_non_null(pk);
	pk->csum_state = p->csum_state;
	if (p->csum_state == CSUM_PARTIAL)
		pk->csum_start = pkt_off(pk) + p->csum_start;
	if (p->csum_state == CSUM_COMPLETE)
		pk->csum = csum_reduce(csum_add(0, f->b + 14, f->len - 14));
	return pk;
}

static uint32_t port_rx(struct io *io, struct worker *w, struct batch *b, uint32_t budget)
{
	struct t_port *p = (struct t_port *)io;
	uint32_t n = 0;

	for (; p->in_head != p->in_tail && n < budget; n++) {
		batch_add(b, to_pkt(p, w, &p->in[p->in_head++ % T_OUT]));
		w->acct.rx++;
	}
	return n;
}

static void port_tx(struct io *io, struct worker *w, struct batch *b)
{
	static uint8_t buf[T_FRAME_MAX];
	struct t_port *p = (struct t_port *)io;

	for (uint32_t i = 0; i < b->n; i++) {
		uint32_t len = pkt_total(b->p[i]);

		assert_true(len <= sizeof(buf) && b->p[i]->csum_state != CSUM_PARTIAL);
		pkt_copy_out(b->p[i], 0, buf, len);
		if (p->peer)
			t_feed(p->peer, buf, len);
		else
			put(p->out, &p->out_tail, p->out_head, buf, len);
		w->acct.tx++;
		pkt_free(b->p[i]);
	}
}

static void port_close(struct io *io, bool keep)
{
	struct t_port *p = (struct t_port *)io;

	(void)keep;
	napi_remove(&p->napi);
	atomic_store(&p->dev->io, NULL);
	p->dev = NULL;
}

static const struct io_ops port_ops = {
	.name = "t", .rx = port_rx, .tx = port_tx, .close = port_close};
static const struct dev_ops dev_ops = {.xmit = port_xmit};

static void setup(struct dev *d)
{
	d->ops = &dev_ops;
}

static int newlink(struct dev *d, const struct link_cfg *cfg, const void *opts, uint64_t present,
		   struct vx_err *err)
{
	(void)d, (void)cfg, (void)opts, (void)present, (void)err;
	return 0;
}

static const struct link_type t_type = {.kind = "t", .setup = setup, .newlink = newlink};

/* --- the net ---------------------------------------------------------------------------------- */

struct t_net *t_new(void)
{
	return t_new_workers(1);
}

struct t_net *t_new_workers(uint32_t n)
{
	return t_new_pools(n, 0);
}

struct t_net *t_new_pools(uint32_t n, uint32_t pkts)
{
	struct t_net *t = calloc(1, sizeof(*t));
	struct vx_config cfg = {.n_workers = n,
				.key = {0x1234567, 0x89abcde},
				.random = 42,
				.now = 1000 * NS_PER_S,
				.pool_pkts = pkts,
				.pool_small = pkts,
				.pool_big = pkts};

	t->now = cfg.now;
	t->vx = vx_new(&cfg);
	assert_non_null(t->vx);
	assert_int_equal(link_register(t->vx, &t_type), 0);
	return t;
}

struct t_port *t_add_port(struct t_net *t, const char *name, const char *mac, const char *addr)
{
	struct link_cfg cfg = {.has_mac = true, .mac = t_mac(mac), .has_up = true, .up = true};
	struct t_port *p = calloc(1, sizeof(*p));

	snprintf(cfg.name, sizeof(cfg.name), "%s", name);
	assert_int_equal(link_newlink(t->vx, &t_type, &cfg, NULL, 0, NULL, &p->dev), 0);
	p->net = t;
	p->io = (struct io){.ops = &port_ops,
			    .vx = t->vx,
			    .dev = p->dev,
			    .can = IO_CAN_FRAGS,
			    .kind = "t",
			    .napi = &p->napi};
	napi_init(&p->napi, t->vx->workers[0], port_poll, &p->io);
	atomic_store(&p->dev->io, &p->io);
	t->port[t->n_ports++] = p;
	if (addr)
		t_add_addr(p, addr);
	return p;
}

void t_add_addr(struct t_port *p, const char *addr)
{
	char text[64];
	int plen;
	struct ip_addr ip;

	assert_int_equal(sscanf(addr, "%63[^/]/%d", text, &plen), 2);
	ip = t_addr(text);
	assert_int_equal(inet_addr_add(p->dev, &ip, (uint8_t)plen, NULL, "test", NULL), 0);
}

void t_add_neigh(struct t_port *p, const char *ip, const char *mac)
{
	struct neigh_req r = {.dev = p->dev,
			      .ip = t_addr(ip),
			      .has_mac = true,
			      .mac = t_mac(mac),
			      .nl_flags = NLM_F_CREATE};

	assert_int_equal(neigh_add(p->net->vx, &r, NULL), 0);
}

void t_join(struct t_port *a, struct t_port *b)
{
	a->peer = b;
	b->peer = a;
}

void t_check(struct t_net *t)
{
	struct account a;

	vx_account(t->vx, &a);
	assert_int_equal(account_open(&a), (int64_t)vx_held(t->vx));
}

void t_turn(struct t_net *t)
{
	int n = 0;

	for (uint32_t i = 0; i < t->vx->n_workers; i++) {
		while (vx_turn(t->vx, i, t->now))
			assert_true(++n < 1000);
		quiesce_idle(&t->vx->quiesce, i);
	}
	t_check(t);
}

void t_advance(struct t_net *t, uint64_t ns)
{
	t->now += ns;
	vx_control_turn(t->vx, t->now);
	t_turn(t);
}

void t_feed(struct t_port *p, const void *frame, uint32_t len)
{
	put(p->in, &p->in_tail, p->in_head, frame, len);
	napi_schedule(&p->napi);
}

void t_inject(struct t_port *p, const void *frame, uint32_t len)
{
	t_feed(p, frame, len);
	t_turn(p->net);
}

const struct t_frame *t_out(struct t_port *p)
{
	return p->out_head == p->out_tail ? NULL : &p->out[p->out_head++ % T_OUT];
}

void t_assert_silent(struct t_port *p)
{
	assert_null(t_out(p));
}

void t_end(struct t_net *t)
{
	struct pool_stats s;

	if (!t)
		return;
	t_check(t);
	vx_drop_held(t->vx);
	assert_int_equal(vx_held(t->vx), 0);
	t_check(t);
	s = vx_pool_stats(t->vx);
	assert_int_equal(s.pkts_out, 0);
	assert_int_equal(s.small_out, 0);
	assert_int_equal(s.big_out, 0);
	vx_free(t->vx);
	for (uint32_t i = 0; i < t->n_ports; i++) {
		for (int k = 0; k < T_OUT; k++) {
			free(t->port[i]->in[k].b);
			free(t->port[i]->out[k].b);
		}
		free(t->port[i]);
	}
	free(t);
}

void t_show(struct t_net *t)
{
	const struct worker *w = t->vx->workers[0];

	for (int i = 0; i < MIB_COUNT; i++)
		if (w->mib.c[i])
			print_message("%s %llu\n", mib_names[i], (unsigned long long)w->mib.c[i]);
	for (int i = 1; i < DROP_COUNT; i++)
		if (w->acct.dropped[i])
			print_message("dropped %s %llu\n", drop_infos[i].name,
				      (unsigned long long)w->acct.dropped[i]);
	print_message("held %llu\n", (unsigned long long)vx_held(t->vx));
}

/* --- counters --------------------------------------------------------------------------------- */

void t_mark(struct t_net *t)
{
	memcpy(t->mib, t->vx->workers[0]->mib.c, sizeof(t->mib));
	vx_account(t->vx, &t->acct);
}

uint64_t t_moved(struct t_net *t, enum mib_counter c)
{
	return t->vx->workers[0]->mib.c[c] - t->mib[c];
}

uint64_t t_dropped(struct t_net *t, enum drop why)
{
	return t->vx->workers[0]->acct.dropped[why] - t->acct.dropped[why];
}

static bool is_ignored(enum mib_counter c)
{
	return c == MIB_IpExtInOctets || c == MIB_IpExtOutOctets || c == MIB_IpOutTransmits ||
	       c == MIB_Ip6OutTransmits;
}

void t_assert_moved(struct t_net *t, const enum mib_counter *want)
{
	for (int c = 0; c < MIB_COUNT; c++) {
		uint64_t n = 0;

		if (is_ignored((enum mib_counter)c))
			continue;
		for (const enum mib_counter *x = want; *x != MIB_COUNT; x++)
			n += *x == (enum mib_counter)c;
		if (t_moved(t, (enum mib_counter)c) != n)
			fail_msg("%s moved by %llu, not by %llu", mib_names[c],
				 (unsigned long long)t_moved(t, (enum mib_counter)c),
				 (unsigned long long)n);
	}
}

/* --- frames ----------------------------------------------------------------------------------- */

struct ip_addr t_addr(const char *text)
{
	struct ip_addr a;

	if (ip_parse(text, &a) < 0)
		fail_msg("%s is no address", text);
	return a;
}

struct mac t_mac(const char *text)
{
	struct mac m;

	if (mac_parse(text, &m) < 0)
		fail_msg("%s is no MAC", text);
	return m;
}

static uint8_t *put_eth(uint8_t *f, const struct t_ip *ip, uint16_t type)
{
	struct eth_hdr *eth = (struct eth_hdr *)f;

	eth->dst = t_mac(ip->dmac ? ip->dmac : T_ME);
	eth->src = t_mac(ip->smac ? ip->smac : T_HER);
	eth->type = be16_put(type);
	return f + sizeof(*eth);
}

void t_fix_ip4(uint8_t *f)
{
	struct ip4_hdr *ip = t_ip4_of(f);

	ip->csum = (be16){0};
	ip->csum = csum(ip, ip4_hdr_len(ip));
}

static uint32_t ip4(uint8_t *f, const struct t_ip *s)
{
	struct ip4_hdr *ip = (struct ip4_hdr *)put_eth(f, s, ETHTYPE_IP4);
	struct ip_addr src = t_addr(s->src), dst = t_addr(s->dst);
	uint32_t hlen = (uint32_t)sizeof(*ip) + s->opts_len;

	*ip = (struct ip4_hdr){
		.ver_ihl = (uint8_t)(0x40 + hlen / 4),
		.tos = s->tos,
		.len = be16_put((uint16_t)(hlen + s->len)),
		.id = be16_put(s->id),
		.frag = be16_put(s->frag),
		.ttl = s->ttl ? s->ttl : 64,
		.proto = s->proto,
		.src = ip_get4(&src),
		.dst = ip_get4(&dst),
	};
	if (s->opts_len)
		memcpy(ip + 1, s->opts, s->opts_len);
	if (s->len)
		memmove((uint8_t *)ip + hlen, s->data, s->len);
	t_fix_ip4(f);
	return 14 + hlen + s->len;
}

static uint32_t ip6(uint8_t *f, const struct t_ip *s)
{
	struct ip6_hdr *ip = (struct ip6_hdr *)put_eth(f, s, ETHTYPE_IP6);
	struct ip_addr src = t_addr(s->src), dst = t_addr(s->dst);

	*ip = (struct ip6_hdr){
		.vtc_flow = ip6_vtc_flow(s->tos, 0),
		.payload_len = be16_put((uint16_t)(s->opts_len + s->len)),
		.next = s->proto,
		.hop_limit = s->ttl ? s->ttl : 64,
	};
	memcpy(ip->src, src.b, 16);
	memcpy(ip->dst, dst.b, 16);
	if (s->opts_len) /* extension headers */
		memcpy(ip + 1, s->opts, s->opts_len);
	if (s->len)
		memmove((uint8_t *)(ip + 1) + s->opts_len, s->data, s->len);
	return 54 + s->opts_len + s->len;
}

uint32_t t_ip(uint8_t *f, const struct t_ip *s)
{
	struct ip_addr dst = t_addr(s->dst);

	return ip_is4(&dst) ? ip4(f, s) : ip6(f, s);
}

uint32_t t_udp(uint8_t *f, const struct t_ip *s, uint16_t sport, uint16_t dport)
{
	static uint8_t buf[T_FRAME_MAX];
	struct ip_addr src = t_addr(s->src), dst = t_addr(s->dst);
	struct udp_hdr *u = (struct udp_hdr *)buf;
	uint8_t proto = s->proto == IPPROTO_UDPLITE_ ? IPPROTO_UDPLITE_ : IPPROTO_UDP_;
	struct t_ip ip = *s;

	*u = (struct udp_hdr){.src = be16_put(sport),
			      .dst = be16_put(dport),
			      .len = be16_put((uint16_t)(8 + s->len))};
	if (s->len)
		memcpy(u + 1, s->data, s->len);
	u->csum =
		csum_fold_udp(csum_add(csum_pseudo(&src, &dst, proto, 8 + s->len), u, 8 + s->len));
	if (!s->opts_len || ip_is4(&dst))
		ip.proto = proto;
	ip.data = buf;
	ip.len = 8 + s->len;
	return t_ip(f, &ip);
}

uint32_t t_echo(uint8_t *f, const struct t_ip *s, uint32_t len)
{
	static uint8_t buf[T_FRAME_MAX];
	struct ip_addr src = t_addr(s->src), dst = t_addr(s->dst);
	struct icmp_hdr *h = (struct icmp_hdr *)buf;
	bool is4 = ip_is4(&dst);
	struct t_ip ip = *s;

	*h = (struct icmp_hdr){.type = is4 ? ICMP4_ECHO : ICMP6_ECHO};
	h->echo.id = be16_put(7);
	h->echo.seq = be16_put(1);
	for (uint32_t i = 0; i < len; i++)
		buf[sizeof(*h) + i] = (uint8_t)(i * 7);
	h->csum = csum_fold(
		csum_add(is4 ? 0 : csum_pseudo(&src, &dst, IPPROTO_ICMP6_, 8 + len), buf, 8 + len));
	if (!s->opts_len || is4)
		ip.proto = is4 ? IPPROTO_ICMP4_ : IPPROTO_ICMP6_;
	ip.data = buf;
	ip.len = 8 + len;
	return t_ip(f, &ip);
}

uint32_t t_arp(uint8_t *f, uint16_t op, const char *sha, const char *spa, const char *tpa,
	       const char *dmac)
{
	struct t_ip s = {.smac = sha, .dmac = dmac};
	struct arp_hdr *a = (struct arp_hdr *)put_eth(f, &s, ETHTYPE_ARP);
	struct ip_addr sp = t_addr(spa), tp = t_addr(tpa);

	*a = (struct arp_hdr){.hw_type = be16_put(1),
			      .proto = be16_put(ETHTYPE_IP4),
			      .hw_len = 6,
			      .proto_len = 4,
			      .op = be16_put(op),
			      .sha = t_mac(sha),
			      .spa = ip_get4(&sp),
			      .tpa = ip_get4(&tp)};
	if (op == ARP_REPLY)
		a->tha = t_mac(dmac);
	return 14 + sizeof(*a);
}

void t_assert_ip4(const struct t_frame *f, const char *src, const char *dst, uint8_t proto)
{
	const struct ip4_hdr *ip;
	struct ip_addr s = t_addr(src), d = t_addr(dst);

	assert_non_null(f);
	assert_true(f->len >= 34);
	ip = t_ip4_of(f->b);
	assert_int_equal(be16_get(((const struct eth_hdr *)f->b)->type), ETHTYPE_IP4);
	assert_int_equal(be16_get(ip->len), f->len - 14);
	assert_int_equal(csum_reduce(csum_add(0, ip, ip4_hdr_len(ip))), 0xffff);
	assert_true(be32_eq(ip->src, ip_get4(&s)) && be32_eq(ip->dst, ip_get4(&d)));
	assert_int_equal(ip->proto, proto);
	if (proto == IPPROTO_ICMP4_ && !(be16_get(ip->frag) & (IP4_MF | IP4_OFFSET)))
		assert_int_equal(csum_reduce(csum_add(0, (const uint8_t *)ip + ip4_hdr_len(ip),
						      f->len - 14 - ip4_hdr_len(ip))),
				 0xffff);
}

void t_assert_ip6(const struct t_frame *f, const char *src, const char *dst, uint8_t next)
{
	const struct ip6_hdr *ip;
	struct ip_addr s = t_addr(src), d = t_addr(dst);

	assert_non_null(f);
	assert_true(f->len >= 54);
	ip = t_ip6_of(f->b);
	assert_int_equal(be16_get(((const struct eth_hdr *)f->b)->type), ETHTYPE_IP6);
	assert_int_equal(be16_get(ip->payload_len), f->len - 54);
	assert_memory_equal(ip->src, s.b, 16);
	assert_memory_equal(ip->dst, d.b, 16);
	assert_int_equal(ip->next, next);
	if (next == IPPROTO_ICMP6_ || next == IPPROTO_UDP_)
		assert_int_equal(csum_reduce(csum_add(csum_pseudo(&s, &d, next, f->len - 54),
						      ip + 1, f->len - 54)),
				 0xffff);
}
