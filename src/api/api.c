/* SPDX-License-Identifier: Apache-2.0 */
/* libvx's public face (include/vx.h) over the layers below. */
#include "vx.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bridge/bridge.h"
#include "ctl/canon.h"
#include "ctl/lines.h"
#include "ctl/rtnl.h"
#include "ctl/words.h"
#include "net/napi.h"
#include "net/udp_inet.h"
#include "vxlan/device.h"

enum { QUEUE_MAX = 1024, TURNS_MAX = 1024 };

/* What a struct vx of this face has besides: found by its events' context. */
struct face {
	struct vx *vx;
	struct rtnl rtnl;
	struct list ports, udps;
	char error[512];
};

struct vx_port {
	struct list node;
	struct io io;
	struct napi napi;
	struct face *face;
	void (*send)(void *ctx, const void *frame, size_t len);
	void *ctx;
	struct vx_port *peer; /* joined: gets the frames instead of 'send' */
	struct pkt_queue in;
};

struct vx_udp {
	struct list node;
	struct face *face;
	struct udp_sock *sk;
};

static struct face *face_of(const struct vx *vx)
{
	return vx->events.ctx;
}

static int fail(struct face *f, int code, const char *text)
{
	snprintf(f->error, sizeof(f->error), "%s", text && *text ? text : strerror(-code));
	return code;
}

/* --- ports --------------------------------------------------------------------------------------- */

static struct vx_port *port_of(struct io *io)
{
	return container_of(io, struct vx_port, io);
}

static uint32_t port_rx(struct io *io, struct worker *w, struct batch *b, uint32_t budget)
{
	uint32_t n = pkt_queue_take(&port_of(io)->in, b, budget);

	w->acct.rx += n;
	return n;
}

static void port_tx(struct io *io, struct worker *w, struct batch *b)
{
	struct vx_port *p = port_of(io);
	static _Thread_local uint8_t frame[PKT_LEN_MAX];

	for (uint32_t i = 0; i < b->n; i++) {
		uint32_t len = pkt_total(b->p[i]);

		pkt_copy_out(b->p[i], 0, frame, len);
		if (p->peer)
			vx_port_input(p->peer, frame, len); /* full: lost on the wire */
		else if (p->send)
			p->send(p->ctx, frame, len);
		w->acct.tx++;
		pkt_free(b->p[i]);
	}
	b->n = 0;
}

static void port_free(void *arg)
{
	struct vx_port *p = arg;
	struct batch b;

	for (batch_init(&b); pkt_queue_take(&p->in, &b, BATCH_MAX); batch_init(&b))
		for (uint32_t i = 0; i < b.n; i++)
			pkt_free(b.p[i]);
	free(p);
}

static void port_close(struct io *io, bool keep)
{
	struct vx_port *p = port_of(io);

	(void)keep;
	if (p->peer)
		p->peer->peer = NULL;
	list_remove(&p->node);
	napi_remove(&p->napi);
	quiesce_defer(&io->vx->quiesce, port_free, p);
}

static const struct io_ops port_ops = {
	.name = "caller", .rx = port_rx, .tx = port_tx, .close = port_close};

static void port_setup(struct dev *d)
{
	static const struct dev_ops ops = {.xmit = port_xmit};

	d->ops = &ops;
}

static int port_newlink(struct dev *d, const struct link_cfg *cfg, const void *opts,
			uint64_t present, struct vx_err *err)
{
	struct vx_port *p = calloc(1, sizeof(*p));

	(void)cfg;
	(void)opts;
	(void)present;
	(void)err;
	if (!p)
		return -ENOMEM;
	p->face = face_of(d->vx);
	p->io = (struct io){.ops = &port_ops, .vx = d->vx, .dev = d, .kind = "caller",
			    .napi = &p->napi, .can = IO_CAN_FRAGS};
	napi_init(&p->napi, d->vx->workers[0], port_poll, &p->io);
	list_append(&p->face->ports, &p->node);
	atomic_store(&d->io, &p->io);
	return 0;
}

static const struct link_type port_type = {
	.kind = "port", .setup = port_setup, .newlink = port_newlink};

int vx_port_open(struct vx *vx, const char *name,
		 void (*send)(void *ctx, const void *frame, size_t len), void *ctx,
		 struct vx_port **port)
{
	struct face *f = face_of(vx);
	struct link_cfg cfg = {.maker = "vx_port_open()"};
	struct vx_err err = {0};
	struct dev *d;
	int r;

	if (strlen(name) >= DEV_NAME_MAX)
		return fail(f, -EINVAL, "a port's name has at most 15 letters");
	memcpy(cfg.name, name, strlen(name));
	r = link_newlink(vx, &port_type, &cfg, NULL, 0, &err, &d);
	if (r < 0)
		return fail(f, r, err.text);
	*port = port_of(atomic_load(&d->io));
	(*port)->send = send;
	(*port)->ctx = ctx;
	return 0;
}

int vx_port_input(struct vx_port *p, const void *frame, size_t len)
{
	struct pkt *pkt;

	if (len > PBUF_BIG)
		return -EMSGSIZE;
	pkt = p->in.n < QUEUE_MAX ? pkt_new(p->napi.w->pool, (uint32_t)len) : NULL;
	if (!pkt)
		return -ENOBUFS;
	memcpy(pkt_append(pkt, (uint32_t)len), frame, len);
	pkt->dev = pkt->orig_dev = p->io.dev;
	pkt_queue_add(&p->in, pkt);
	napi_schedule(&p->napi);
	return 0;
}

int vx_port_join(struct vx_port *a, struct vx_port *b)
{
	if (a == b || a->peer || b->peer)
		return fail(a->face, -EBUSY, "one of the ports is joined already");
	a->peer = b;
	b->peer = a;
	return 0;
}

/* --- commands -------------------------------------------------------------------------------------- */

static uint32_t index_of(void *ctx, const char *name)
{
	struct dev *d = dev_by_name(((struct face *)ctx)->vx, name);

	return d ? d->ifindex : 0;
}

static int do_words(struct face *f, int argc, char **argv)
{
	struct words *x = calloc(1, sizeof(*x));
	struct vx_err err = {0};
	int r;

	if (!x)
		return fail(f, -ENOMEM, NULL);
	x->ifindex = index_of;
	x->ctx = f;
	if (words_parse(x, argc, argv) < 0) {
		r = fail(f, -EINVAL, x->error);
	} else {
		r = rtnl_do(&f->rtnl, x->nlh, &err);
		if (r < 0)
			fail(f, r, err.text);
	}
	free(x);
	return r;
}

int vx_do(struct vx *vx, const char *command)
{
	struct face *f = face_of(vx);
	char *line = strdup(command), *words[LINE_WORDS_MAX + 1];
	const char *why = "an empty command";
	int n, r;

	*f->error = 0;
	if (!line)
		return fail(f, -ENOMEM, NULL);
	n = line_split(line, words, LINE_WORDS_MAX, &why);
	if (n > 0)
		words[n] = NULL;
	r = n > 0 ? do_words(f, n, words) : fail(f, -EINVAL, why);
	free(line);
	return r;
}

char *vx_save(struct vx *vx)
{
	struct text t = {0};

	canon_all(&t, vx);
	return t.s ? t.s : strdup("");
}

const char *vx_error(const struct vx *vx)
{
	return face_of(vx)->error;
}

/* --- life --------------------------------------------------------------------------------------------- */

struct vx *vx_create(uint64_t seed)
{
	struct face *f = calloc(1, sizeof(*f));
	struct vx_config cfg = {.n_workers = 1, .random = seed, .events.ctx = f};

	if (!f)
		return NULL;
	list_init(&f->ports);
	list_init(&f->udps);
	cfg.key = (struct hash_key){random_next(&cfg.random), random_next(&cfg.random)};
	f->vx = vx_new(&cfg);
	if (!f->vx) {
		free(f);
		return NULL;
	}
	if (vxlan_init_module(f->vx) == 0 && bridge_init_module(f->vx) == 0 &&
	    rtnl_init(&f->rtnl, f->vx, NULL, -1) == 0)
		return f->vx;
	vx_free(f->vx);
	free(f);
	return NULL;
}

void vx_destroy(struct vx *vx)
{
	struct face *f;

	if (!vx)
		return;
	f = face_of(vx);
	while (!list_is_empty(&f->udps))
		vx_udp_close(container_of(f->udps.next, struct vx_udp, node));
	rtnl_done(&f->rtnl);
	vx_free(vx);
	free(f);
}

uint64_t vx_run(struct vx *vx, uint64_t now)
{
	uint64_t next = vx_control_turn(vx, now);

	for (int i = 0; i < TURNS_MAX && vx_turn(vx, 0, now); i++)
		;
	quiesce_idle(&vx->quiesce, 0);
	return MIN(next, vx_next_timer(vx, 0));
}

/* --- UDP ------------------------------------------------------------------------------------------------ */

int vx_udp_open(struct vx *vx, int family, uint16_t port, int flags, struct vx_udp **udp)
{
	struct face *f = face_of(vx);
	struct udp_sock_cfg cfg = {.vx = vx, .family = family == 6 ? AF_INET6 : AF_INET,
				   .port = port, .lite = flags & VX_UDP_LITE,
				   .reuse = flags & VX_UDP_REUSE};
	struct vx_udp *u = calloc(1, sizeof(*u));
	struct vx_err err = {0};
	int r;

	if (!u)
		return fail(f, -ENOMEM, NULL);
	if (flags & ~(VX_UDP_LITE | VX_UDP_REUSE)) {
		free(u);
		return fail(f, -EINVAL, "unknown flag");
	}
	r = family == 4 || family == 6 ? udp_sock_create(&cfg, false, &u->sk, &err) : -EAFNOSUPPORT;
	if (r < 0) {
		free(u);
		return fail(f, r, err.text);
	}
	u->face = f;
	list_append(&f->udps, &u->node);
	*udp = u;
	return 0;
}

void vx_udp_close(struct vx_udp *u)
{
	if (!u)
		return;
	list_remove(&u->node);
	udp_sock_release(u->sk);
	free(u);
}

int vx_udp_send(struct vx_udp *u, const char *address, uint16_t port, const void *data, size_t len)
{
	struct ip_addr to;
	int r;

	if (ip_parse(address, &to) < 0)
		return fail(u->face, -EINVAL, "this is no IP address");
	if (len > 65507)
		return fail(u->face, -EMSGSIZE, NULL);
	r = inet_udp_send(u->face->vx->workers[0], u->sk, &to, port, data, (uint32_t)len);
	return r < 0 ? fail(u->face, r, NULL) : 0;
}

int vx_udp_recv(struct vx_udp *u, void *data, size_t size, char *from, uint16_t *port)
{
	struct udp_from who;
	int r = inet_udp_recv(u->face->vx->workers[0], u->sk, data,
			      (uint32_t)MIN(size, (size_t)UINT32_MAX), &who);

	if (r < 0)
		return r;
	if (from)
		ip_text(&who.src, from);
	if (port)
		*port = who.sport;
	return (int)who.len;
}
