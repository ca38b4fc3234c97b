/* SPDX-License-Identifier: Apache-2.0 */
#include "vxlan/testing.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "wire/vxlan.h"

/* --- UDP sockets ------------------------------------------------------------------------------ */

static struct h_sock *sock_of(struct udp_sock *sk)
{
	return container_of(sk, struct h_sock, sk);
}

static int sock_route(struct worker *w, struct udp_sock *sk, const struct udp_flow *f,
		      struct dst *out)
{
	struct h_host *h = sock_of(sk)->h;

	(void)w;
	h->n_routes++;
	h->last_route = *f;
	*out = h->route;
	out->gen = h->generation;
	if (h->route_err)
		out->type = DST_UNREACHABLE;
	return h->route_err;
}

static uint64_t sock_generation(struct udp_sock *sk)
{
	return sock_of(sk)->h->generation;
}

static void record(struct h_host *h, const struct pkt *p, const struct udp_flow *f)
{
	struct h_sent *s = &h->sent[h->sent_tail++ % H_SENT];

	assert_true(h->sent_tail - h->sent_head <= H_SENT);
	free(s->b);
	s->flow = *f;
	s->len = pkt_total(p);
	s->b = malloc(s->len + 1);
	s->gso_size = p->gso_size;
	s->gso_type = p->gso_type;
	s->csum_state = p->csum_state;
	pkt_copy_out(p, 0, s->b, s->len);
}

static void sock_xmit(struct worker *w, struct udp_sock *sk, struct pkt *p,
		      const struct udp_flow *f, const struct dst *d)
{
	struct h_host *h = sock_of(sk)->h;

	(void)d;
	udp_tunnel_sent(w, p->dev, udp_tunnel_get_len(p), sk->cfg.family, h->xmit_err);
	if (h->xmit_err) {
		pkt_drop(w, p, DROP_tunnel_too_big);
		return;
	}
	if (!h->forget)
		record(h, p, f);
	w->acct.tx++;
	pkt_free(p);
}

static void sock_close(struct udp_sock *sk)
{
	assert_true(sock_of(sk)->open);
	sock_of(sk)->open = false;
}

static const struct udp_sock_ops sock_ops = {
	.route = sock_route, .generation = sock_generation, .xmit = sock_xmit, .close = sock_close};

static struct h_sock *find_sock(struct h_host *h, int family, uint16_t port)
{
	for (int i = 0; i < H_SOCKS; i++)
		if (h->sock[i].open && h->sock[i].sk.cfg.family == family &&
		    h->sock[i].sk.cfg.port == port)
			return &h->sock[i];
	return NULL;
}

static int udp_open(void *ctx, const struct udp_sock_cfg *cfg, struct udp_sock **out,
		    struct vx_err *err)
{
	struct h_host *h = ctx;

	if (h->open_err)
		return h->open_err;
	if (find_sock(h, cfg->family, cfg->port))
		return vx_fail(err, -EADDRINUSE, "UDP port %u is in use", cfg->port);
	for (int i = 0; i < H_SOCKS; i++) {
		struct h_sock *s = &h->sock[i];

		if (s->open)
			continue;
		*s = (struct h_sock){
			.sk = {.ops = &sock_ops, .cfg = *cfg, .is_host = true}, .h = h, .open = true};
		list_init(&s->sk.node);
		*out = &s->sk;
		return 0;
	}
	return -EMFILE;
}

/* --- links and host sides ----------------------------------------------------------------------- */

static int get_link(void *ctx, uint32_t ifindex, const char *name, struct host_link *out)
{
	struct h_host *h = ctx;

	for (uint32_t i = 0; i < h->n_links; i++)
		if (ifindex ? h->links[i].ifindex == ifindex : !strcmp(h->links[i].name, name)) {
			*out = h->links[i];
			return 0;
		}
	return -ENODEV;
}

static void side_tx(struct io *io, struct worker *w, struct batch *b)
{
	struct h_host *h = io->vx->host_ctx;

	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];
		struct t_frame *f = &h->in[h->in_tail % T_OUT];

		h->side_csum_state = p->csum_state;
		h->side_gso_size = p->gso_size;
		h->side_gso_type = p->gso_type;
		if (!h->forget) {
			assert_true(h->in_tail - h->in_head < T_OUT);
			free(f->b);
			f->len = pkt_total(p);
			f->b = malloc(f->len + 1);
			pkt_copy_out(p, 0, f->b, f->len);
			h->in_dev[h->in_tail++ % T_OUT] = io->dev;
		}
		w->acct.tx++;
		pkt_free(p);
	}
}

static void side_close(struct io *io, bool keep)
{
	(void)keep;
	atomic_store(&io->dev->host, NULL);
	free(io);
}

static const struct io_ops side_ops = {.name = "side", .tx = side_tx, .close = side_close};

static int side_add(void *ctx, struct dev *d, bool adopt, struct vx_err *err)
{
	struct h_host *h = ctx;
	struct io *io = calloc(1, sizeof(*io));

	(void)adopt, (void)err;
	if (!io)
		return -ENOMEM;
	*io = (struct io){.ops = &side_ops,
			  .vx = h->t->vx,
			  .dev = d,
			  .can = IO_CAN_CSUM | IO_CAN_TSO | IO_CAN_USO | IO_CAN_FRAGS,
			  .kind = "side"};
	atomic_store(&d->host, io);
	return 0;
}

static const struct host_ops host_ops = {
	.link = get_link, .side_add = side_add, .udp_open = udp_open};

static void on_fdb(void *ctx, enum vx_event_kind kind, struct dev *d, const struct fdb_view *v)
{
	struct h_host *h = ctx;

	(void)d;
	if (h->n_events == ARRAY_LEN(h->event))
		return;
	h->event[h->n_events].kind = kind;
	h->event[h->n_events++].v = *v;
}

/* --- the host ------------------------------------------------------------------------------------ */

void h_init_workers(struct h_host *h, uint32_t n)
{
	h_init_net(h, t_new_workers(n));
}

void h_init_net(struct h_host *h, struct t_net *t)
{
	*h = (struct h_host){.t = t, .generation = 1};
	h->route = (struct dst){.type = DST_UNICAST, .mtu = 1500, .ifindex = 2};
	h->links[0] = (struct host_link){.ifindex = 2, .mtu = 1500, .name = "eth0"};
	h->links[1] = (struct host_link){
		.ifindex = 3, .mtu = 100, .name = "eth1", .ip6_disabled = true};
	h->n_links = 2;
	h->t->vx->host = &host_ops;
	h->t->vx->host_ctx = h;
	h->t->vx->events = (struct vx_events){.fdb = on_fdb, .ctx = h};
	assert_int_equal(vxlan_init_module(h->t->vx), 0);
}

void h_init(struct h_host *h)
{
	h_init_workers(h, 1);
}

void h_end(struct h_host *h)
{
	t_end(h->t);
	for (uint32_t i = 0; i < H_SENT; i++)
		free(h->sent[i].b);
	for (uint32_t i = 0; i < T_OUT; i++)
		free(h->in[i].b);
	for (int i = 0; i < H_SOCKS; i++)
		assert_false(h->sock[i].open);
}

struct vxlan_opts h_opts(uint32_t id, uint16_t port)
{
	struct vxlan_opts o;

	attr_defaults(&vxlan_attrs, &o);
	o.id = id;
	o.dstport = port;
	return o;
}

int h_try(struct h_host *h, const char *name, const struct vxlan_opts *o, uint64_t present,
	  struct vx_err *err, struct dev **out)
{
	struct link_cfg cfg = {.has_up = true, .up = true};

	snprintf(cfg.name, sizeof(cfg.name), "%s", name);
	return link_newlink(h->t->vx, link_type_find(h->t->vx, "vxlan"), &cfg, o,
			    VXA_BIT(VXA_ID) | VXA_BIT(VXA_DSTPORT) | present, err, out);
}

struct dev *h_vxlan(struct h_host *h, const char *name, const struct vxlan_opts *o,
		    uint64_t present)
{
	struct vx_err err = {0};
	struct dev *d;
	int r = h_try(h, name, o, present, &err, &d);

	if (r < 0)
		fail_msg("%s: %d %s", name, r, err.text);
	return d;
}

void h_datagram(struct h_host *h, int family, uint16_t port, const char *src, uint8_t tos,
		const void *payload, uint32_t len)
{
	struct worker *w = h->t->vx->workers[0];
	struct h_sock *s = find_sock(h, family, port);
	struct pkt *p = t_pkt(w, payload, len, 0);
	struct batch b;

	assert_non_null(s);
	assert_non_null(p);
	w->acct.rx++;
	p->tun = (struct tun_info){.src = t_addr(src), .tos = tos, .ttl = 64, .dport = port,
				   .ifindex = 2};
	p->has_tun = true;
	p->csum_state = CSUM_UNSURE;
	p->outer_csum_ok = true;
	batch_init(&b);
	batch_add(&b, p);
	udp_queue_rcv(w, &s->sk, &b);
	t_turn(h->t);
}

void h_send(struct h_host *h, struct dev *d, const void *frame, uint32_t len, uint32_t split)
{
	struct worker *w = h->t->vx->workers[0];
	struct pkt *p = t_pkt(w, frame, len, split);
	struct batch b;

	w->acct.made++;
	batch_init(&b);
	batch_add(&b, p);
	dev_queue_xmit(w, d, &b);
	t_turn(h->t);
}

const struct h_sent *h_sent(struct h_host *h)
{
	return h->sent_head == h->sent_tail ? NULL : &h->sent[h->sent_head++ % H_SENT];
}

const struct t_frame *h_got(struct h_host *h)
{
	return h->in_head == h->in_tail ? NULL : &h->in[h->in_head++ % T_OUT];
}

struct dev_stats h_stats(struct dev *d)
{
	struct dev_stats st;

	dev_sum_stats(d, &st);
	return st;
}

int h_fdb(struct dev *d, uint16_t nl_flags, const char *mac, const char *dst, uint16_t state,
	  uint8_t flags, struct vx_err *err)
{
	struct fdb_req r = {.mac = t_mac(mac),
			    .state = state,
			    .flags = flags | NTF_SELF,
			    .nl_flags = nl_flags,
			    .has_dst = dst != NULL};

	if (dst)
		r.dst = t_addr(dst);
	return d->ops->fdb_add(d, &r, err);
}

void h_vxlan_hdr(uint8_t *b, uint32_t flags, uint32_t vni_field)
{
	struct vxlan_hdr hdr = {.flags = be32_put(flags), .vni = be32_put(vni_field)};

	memcpy(b, &hdr, sizeof(hdr));
}
