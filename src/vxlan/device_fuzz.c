/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: VXLAN devices from their first option to their end, a script (net/script.h) per
 * input: devices over a test's sockets and over vx's own stack, FDB requests, datagrams, frames,
 * ageing, a host whose routes and sockets fail.
 *
 * Input: flags (1 two workers, 2 few buffers, 4 no device to begin with, 8 the one there is over
 * vx's own stack, 16 over IPv6, 32 knows its peers, 64 is external, 128 takes group
 * policies), then the script.  After each step the
 * accounting has to be right, at the end every buffer is back and every socket closed.
 */
#include "net/script.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "net/unfinished.h"
#include "vxlan/testing.h"
#include "wire/eth.h"

enum { FEW = 40 };

static struct h_host H;
static struct vx_err err;

/* --- links ----------------------------------------------------------------------------- */

/* A port, a link of the host's or none at all. */
static uint32_t read_lower(struct script *s)
{
	struct dev *d = script_dev(s);
	uint32_t index = fuzz_u8(&s->in) % 5;

	return index == 4 && d ? d->ifindex : index;
}

static uint64_t read_number(struct script *s, const struct attr *a)
{
	uint64_t v;

	switch (a->size) {
	case 1:
		v = fuzz_u8(&s->in);
		break;
	case 2:
		v = fuzz_u16(&s->in);
		break;
	case 4:
		v = fuzz_u32(&s->in);
		break;
	default:
		v = fuzz_u32(&s->in);
		v = v << 32 | fuzz_u32(&s->in);
	}
	return MIN(v, a->max);
}

/* One option, named by its number, with a value of its kind. */
static uint64_t read_option(struct script *s, struct vxlan_opts *o)
{
	uint32_t i = fuzz_u8(&s->in) % VXA_COUNT;
	const struct attr *a = &vxlan_attrs.attrs[i];
	struct attr_range range;
	struct ip_addr ip;

	switch (a->kind) {
	case ATTR_IP:
		ip = script_ip(s);
		memcpy((char *)o + a->off, &ip, sizeof(ip));
		break;
	case ATTR_RANGE:
		range.low = fuzz_u16(&s->in);
		range.high = fuzz_u16(&s->in);
		memcpy((char *)o + a->off, &range, sizeof(range));
		break;
	case ATTR_DEV:
		o->dev = read_lower(s);
		break;
	case ATTR_BOOL:
	case ATTR_FLAG:
		attr_put(a, o, fuzz_u8(&s->in) & 1);
		break;
	default:
		attr_put(a, o, read_number(s, a));
	}
	return VXA_BIT(i);
}

static uint64_t read_options(struct script *s, struct vxlan_opts *o)
{
	uint64_t present = 0;

	for (uint8_t n = fuzz_u8(&s->in) % 16; n; n--)
		present |= read_option(s, o);
	return present;
}

static void read_link(struct script *s, struct link_cfg *cfg)
{
	static const char names[][8] = {"", "vx%d", "vx7", "up0", "a/b", "..", "eth0", "%d%d"};
	uint8_t what = fuzz_u8(&s->in);
	struct dev *master;

	memcpy(cfg->name, names[fuzz_u8(&s->in) % ARRAY_LEN(names)], sizeof(names[0]));
	cfg->has_up = cfg->up = what & 1;
	cfg->nohost = what & 2;
	cfg->has_mac = what & 4;
	if (cfg->has_mac)
		cfg->mac = script_mac(s);
	cfg->has_mtu = what & 8;
	if (cfg->has_mtu)
		cfg->mtu = script_mtu(s);
	cfg->ifindex = what & 16 ? (what & 32 ? VX_IFINDEX_FIRST : 0) + fuzz_u8(&s->in) : 0;
	cfg->has_master = what & 64;
	master = cfg->has_master ? script_dev(s) : NULL;
	cfg->master = master ? master->ifindex : 0;
	cfg->has_netns = what & 128;
	cfg->maker = "script";
}

static void op_new(struct script *s)
{
	struct vx *vx = s->t->vx;
	struct vxlan_opts o = h_opts(100, 4789);
	struct link_cfg cfg = {0};
	uint64_t present;

	read_link(s, &cfg);
	present = read_options(s, &o);
	if (vx->n_devs < SCRIPT_DEVS)
		link_newlink(vx, link_type_find(vx, "vxlan"), &cfg, &o, present, &err, NULL);
}

static void op_change(struct script *s)
{
	struct dev *d = script_dev(s);
	struct vxlan_opts o = h_opts(100, 4789);
	uint64_t present;

	if (d && dev_is_vxlan(d))
		d->type->fill_info(d, &o);
	present = read_options(s, &o);
	if (d)
		link_changelink(d, &o, present, &err);
}

/* --- FDB ------------------------------------------------------------------------------- */

static void read_request(struct script *s, struct fdb_req *r)
{
	static const uint16_t nl[] = {NLM_F_CREATE | NLM_F_EXCL,
				      NLM_F_CREATE | NLM_F_APPEND,
				      NLM_F_CREATE | NLM_F_REPLACE,
				      NLM_F_REPLACE,
				      NLM_F_APPEND,
				      0};
	uint8_t has = fuzz_u8(&s->in);
	struct dev *via;

	r->mac = script_mac(s);
	r->nl_flags = nl[fuzz_u8(&s->in) % ARRAY_LEN(nl)];
	r->state = fuzz_u8(&s->in);
	r->flags = fuzz_u8(&s->in);
	r->has_dst = has & 1;
	if (r->has_dst)
		r->dst = script_ip(s);
	r->has_port = has & 2;
	r->port = r->has_port ? fuzz_u16(&s->in) : 0;
	r->has_vni = has & 4;
	r->vni = r->has_vni ? fuzz_u8(&s->in) : 0;
	r->has_src_vni = has & 8;
	r->src_vni = r->has_src_vni ? fuzz_u8(&s->in) : 0;
	r->has_ifindex = has & 16;
	via = r->has_ifindex ? script_dev(s) : NULL;
	r->ifindex = via ? via->ifindex : 2;
	r->has_nhid = has & 32;
	r->has_protocol = has & 64;
	r->protocol = r->has_protocol ? fuzz_u8(&s->in) : 0;
}

static struct dev *vxlan_of(struct script *s)
{
	struct dev *d = script_dev(s);

	return d && dev_is_vxlan(d) ? d : NULL;
}

static void op_fdb(struct script *s)
{
	struct dev *d = vxlan_of(s);
	uint8_t what = fuzz_u8(&s->in);
	struct fdb_req r = {0};
	struct fdb_view v;

	read_request(s, &r);
	if (!d)
		return;
	if (what % 4 == 3)
		d->ops->fdb_get(d, &r, &v, &err);
	else if (what % 4 == 2)
		d->ops->fdb_del(d, &r, &err);
	else
		d->ops->fdb_add(d, &r, &err);
}

/* Many entries at once: the index grows. */
static void op_fdb_many(struct script *s)
{
	struct dev *d = vxlan_of(s);
	uint8_t n = fuzz_u8(&s->in), first = fuzz_u8(&s->in);
	struct fdb_req r = {0};

	read_request(s, &r);
	for (; d && n; n--) {
		r.mac = (struct mac){{2, 0, 0, 0, first, n}};
		d->ops->fdb_add(d, &r, &err);
	}
}

static void op_fdb_flush(struct script *s)
{
	struct dev *d = vxlan_of(s);
	uint8_t has = fuzz_u8(&s->in);
	struct fdb_flush f = {.state = fuzz_u8(&s->in)};

	f.flags = fuzz_u8(&s->in);
	f.state_mask = has & 1 ? fuzz_u8(&s->in) : 0;
	f.flags_mask = has & 2 ? fuzz_u8(&s->in) : 0;
	f.has_dst = has & 4;
	if (f.has_dst)
		f.dst = script_ip(s);
	f.has_port = has & 8;
	f.port = f.has_port ? fuzz_u16(&s->in) : 0;
	f.has_vni = has & 16;
	f.vni = f.has_vni ? fuzz_u8(&s->in) : 0;
	f.has_src_vni = has & 32;
	f.src_vni = f.has_src_vni ? fuzz_u8(&s->in) : 0;
	f.has_ifindex = has & 64;
	f.ifindex = f.has_ifindex ? fuzz_u8(&s->in) : 0;
	if (d)
		d->ops->fdb_flush(d, &f, &err);
}

static int see_entry(void *ctx, const struct fdb_view *v)
{
	assert_true(v->has_dst || ip_is_none(&v->dst));
	return --*(int *)ctx == 0;
}

static bool see_vni(void *ctx, vni_t vni, struct dev *d)
{
	assert_true(dev_is_vxlan(d) && vxlan_opts(vxlan_dev(d))->id == vni.v);
	return --*(int *)ctx != 0;
}

static void op_fdb_dump(struct script *s)
{
	struct dev *d = vxlan_of(s);
	int n = fuzz_u8(&s->in), m = n % 4;

	if (d)
		d->ops->fdb_dump(d, see_entry, &n);
	list_for_each (x, &s->t->vx->vxlan_socks, struct vxlan_sock, node)
		vni_table_each(x->vnis, see_vni, &m);
}

/* --- the host -------------------------------------------------------------------------- */

static void op_host(struct script *s)
{
	static const int errs[] = {0, -ENETUNREACH, -EHOSTUNREACH, -EINVAL, -EMSGSIZE, -EADDRINUSE};
	uint8_t what = fuzz_u8(&s->in), e = fuzz_u8(&s->in);
	int error = errs[e % ARRAY_LEN(errs)];

	H.generation++;
	H.route_err = what & 1 ? error : 0;
	H.xmit_err = what & 2 ? error : 0;
	H.open_err = what & 4 ? error : 0;
	H.route.type = what & 8 ? e % (DST_UNREACHABLE + 1) : DST_UNICAST;
	H.route.mtu = what & 16 ? script_mtu(s) : 1500;
	H.route.ifindex = what & 32 ? e : 2;
	H.route.src = what & 64 ? script_ip(s) : (struct ip_addr){0};
}

/* Datagrams at a test's socket, as io/udp hands them on: a batch of one and its copies.  0x80: what
 * waits at the device is polled with the next. */
static void op_datagram(struct script *s)
{
	struct worker *w = script_worker(s);
	struct h_sock *sk = &H.sock[fuzz_u8(&s->in) % H_SOCKS];
	uint8_t what = fuzz_u8(&s->in);
	struct ip_addr src = script_ip(s);
	struct pkt *p = script_pkt(s, w);
	struct batch b;

	if (!p)
		return;
	if (!sk->open || !pkt_total(p) || p->csum_state == CSUM_COMPLETE) {
		pkt_free(p);
		return;
	}
	assert_true(inner_claims(p->data, p->len) < 2 * PKT_LEN_MAX);
	p->tun = (struct tun_info){
		.src = src, .tos = what & 3, .ttl = 64, .ifindex = 2, .dport = sk->sk.cfg.port};
	p->has_tun = true;
	if (p->csum_state == CSUM_NONE && !(what & 4))
		p->csum_state = CSUM_UNSURE;
	p->outer_csum_ok = !(what & 8);
	w->acct.rx++;
	batch_init(&b);
	batch_add(&b, p);
	if (watch_is_on(w))
		watch_batch(w, &b, true);
	for (uint32_t n = what >> 4 & 7; n && (p = pkt_make_clone(w, b.p[0])); n--)
		batch_add(&b, p);
	udp_queue_rcv(w, &sk->sk, &b);
	if (!(what & 0x80))
		t_turn(s->t);
}

/* A frame for an external device, or any, with the tunnel that it is to take: what says which fields
 * are there. */
static void op_tunnel(struct script *s)
{
	struct worker *w = script_worker(s);
	struct dev *d = vxlan_of(s);
	uint8_t what = fuzz_u8(&s->in);
	struct tun_info t = {.id = fuzz_u32(&s->in),
			     .tos = what,
			     .ttl = what,
			     .is_tx = what & 1,
			     .has_csum = what & 2,
			     .df = what & 4,
			     .label = what << 4,
			     .dport = what & 8 ? 8472 : 0,
			     .gbp = what & 64 ? ~what : 0};
	struct pkt *p;
	struct batch b = {.n = 1};

	t.dst = script_ip(s);
	if (what & 16)
		t.src = script_ip(s);
	p = script_pkt(s, w);
	if (!p)
		return;
	if (!d || pkt_total(p) < sizeof(struct eth_hdr)) {
		pkt_free(p);
		return;
	}
	w->acct.made++;
	p->has_tun = !(what & 32);
	p->tun = t;
	p->mark = what & 128 ? what : 0;
	b.p[0] = p;
	dev_queue_xmit(w, d, &b);
	t_turn(s->t);
}

/* --- all ------------------------------------------------------------------------------- */

static void op(struct script *s, uint8_t code)
{
	static void (*const ops[])(struct script *) = {op_new,	    op_change,	  op_fdb,
						       op_fdb_many, op_fdb_flush, op_fdb_dump,
						       op_host,	    op_datagram,  op_tunnel};

	if (code >= SCRIPT_OPS && code < SCRIPT_OPS + ARRAY_LEN(ops))
		ops[code - SCRIPT_OPS](s);
	else
		script_op(s, code);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void first_device(struct script *s, uint8_t flags)
{
	struct vxlan_opts o = h_opts(flags & 64 ? 0 : 100, 4789);

	o.external = flags & 64;
	o.gbp = flags & 128;
	o.remote = t_addr(flags & 16 ? "fd00::2" : "10.0.0.2");
	o.dev = flags & 8 ? s->port[0].port->dev->ifindex : 0;
	o.peers = flags & 32 ? PEERS_KNOWN : PEERS_ANY;
	h_vxlan(&H, "vx0", &o, VXA_BIT(VXA_REMOTE) | VXA_BIT(VXA_EXTERNAL) | VXA_BIT(VXA_GBP));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct script s;
	uint8_t flags = size ? *data : 0;
	struct t_net *t = t_new_pools(1 + (flags & 1), flags & 2 ? FEW : 0);

	h_init_net(&H, t);
	H.forget = true;
	script_init(&s, t, data + !!size, size - !!size);
	script_add_port(&s, "10.0.0.1/24", "fd00::1/64");
	if (!(flags & 4))
		first_device(&s, flags);
	while (s.in.n) {
		op(&s, fuzz_u8(&s.in));
		t_check(t);
	}
	script_end(&s);
	h_end(&H);
	script_check(&s);
	return 0;
}

void fuzz_end(void)
{
}
