/* SPDX-License-Identifier: Apache-2.0 */
#include "io/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/backlog.h"
#include "net/link.h"
#include "net/napi.h"

struct mem_port;

/* What joins two ports; outlives the first that goes.  The lock is held for a few stores. */
struct mem_pair {
	pthread_spinlock_t lock;
	uint32_t refs; /* under the lock */
	bool one_vx;   /* the packets' pools live as long as both ends */
	struct mem_port *end[2];  /* NULL: gone */
	struct pkt_queue to[2];	  /* on their way to end[i] */
};

struct mem_port {
	struct io io;
	struct napi napi;
	struct mem_pair *_Atomic pair; /* set once */
	uint32_t side;
	const struct io_wake *wake;
	int fd; /* eventfd, or -1 */
	void (*wake_fn)(void *ctx, struct napi *n);
	void *wake_ctx;
};

struct mem_opts {
	char peer[DEV_NAME_MAX];
	uint32_t peer_index;
};

static struct mem_port *mem_of(struct io *io)
{
	return container_of(io, struct mem_port, io);
}

static const struct io_ops mem_ops;

static struct mem_port *mem_port(struct dev *d)
{
	struct io *io = atomic_load(&d->io);

	return io && io->ops == &mem_ops ? mem_of(io) : NULL;
}

/* --- pairs ----------------------------------------------------------------------------------- */

static void queue_free(struct pkt_queue *q)
{
	struct batch b;

	do {
		batch_init(&b);
		pkt_queue_take(q, &b, BATCH_MAX);
		for (uint32_t i = 0; i < b.n; i++)
			pkt_free(b.p[i]);
	} while (b.n);
}

/* One port less; what is on its way is lost on the wire: sent, never received. */
static void pair_put(void *arg)
{
	struct mem_pair *pair = arg;
	struct pkt_queue to[2];
	uint32_t refs;

	if (!pair)
		return;
	pthread_spin_lock(&pair->lock);
	memcpy(to, pair->to, sizeof(to));
	memset(pair->to, 0, sizeof(pair->to));
	refs = --pair->refs;
	pthread_spin_unlock(&pair->lock);
	queue_free(&to[0]);
	queue_free(&to[1]);
	if (refs)
		return;
	pthread_spin_destroy(&pair->lock);
	free(pair);
}

static struct mem_port *peer_of(struct mem_port *m)
{
	struct mem_pair *pair = atomic_load(&m->pair);
	struct mem_port *peer = NULL;

	if (pair) {
		pthread_spin_lock(&pair->lock);
		peer = pair->end[!m->side];
		pthread_spin_unlock(&pair->lock);
	}
	return peer;
}

/* Takes the port out of a pair whose other end is gone; its workers may still look at it. */
static void forget(struct mem_port *m)
{
	struct mem_pair *pair = atomic_exchange(&m->pair, NULL);

	if (pair)
		quiesce_defer(&m->io.vx->quiesce, pair_put, pair);
}

int io_mem_pair(struct dev *a, struct dev *b)
{
	struct mem_port *ma = mem_port(a), *mb = mem_port(b);
	struct mem_pair *pair;

	if (!ma || !mb || ma == mb)
		return -EINVAL;
	if (peer_of(ma) || peer_of(mb))
		return -EBUSY;
	pair = calloc(1, sizeof(*pair));
	if (!pair)
		return -ENOMEM;
	forget(ma);
	forget(mb);
	pthread_spin_init(&pair->lock, PTHREAD_PROCESS_PRIVATE);
	pair->refs = 2;
	pair->one_vx = a->vx == b->vx;
	pair->end[0] = ma;
	pair->end[1] = mb;
	ma->side = 0;
	mb->side = 1;
	atomic_store(&ma->pair, pair);
	atomic_store(&mb->pair, pair);
	return 0;
}

struct dev *io_mem_peer(struct dev *d)
{
	struct mem_port *m = mem_port(d);
	struct mem_port *peer = m ? peer_of(m) : NULL;

	return peer ? peer->io.dev : NULL;
}

void io_mem_set_wake(struct dev *d, void (*fn)(void *ctx, struct napi *n), void *ctx)
{
	struct mem_port *m = mem_port(d);

	m->wake_ctx = ctx;
	m->wake_fn = fn;
}

/* --- packets --------------------------------------------------------------------------------- */

/* The other end sees bytes, checksum state and GSO; nothing of this side's own. */
static void strip(struct pkt *p)
{
	if (pkt_trace(p))
		trace_put(p->trace);
	p->trace = NULL;
	p->trace_depth = 0;
	p->dev = p->orig_dev = NULL;
	p->dst = NULL;
	p->mark = 0;
	p->rounds = p->resubmits = p->again = 0;
	p->has_tun = p->outer_csum_ok = false;
	p->hash = 0;
}

/* By a thread that may not be the peer's; under the lock, so that the peer stays. */
static void wake_peer(struct mem_port *peer, const struct worker *w)
{
	uint64_t one = 1;

	if (peer->wake_fn)
		peer->wake_fn(peer->wake_ctx, &peer->napi);
	else if (peer->fd >= 0 && peer->napi.w != w)
		(void)!write(peer->fd, &one, sizeof(one)); /* cannot fail: non-blocking, tiny */
	else
		napi_schedule(&peer->napi);
}

static void mem_tx(struct io *io, struct worker *w, struct batch *b)
{
	struct mem_port *m = mem_of(io);
	struct mem_pair *pair = atomic_load_explicit(&m->pair, memory_order_acquire);
	struct pkt_queue *q = pair ? &pair->to[!m->side] : NULL;
	struct mem_port *peer = NULL;
	uint32_t i, n = 0;

	if (pair) {
		for (i = 0; i < b->n; i++)
			strip(b->p[i]);
		pthread_spin_lock(&pair->lock);
		peer = pair->end[!m->side];
		for (; peer && n < b->n && q->n < MEM_QUEUE_MAX; n++)
			pkt_queue_add(q, b->p[n]);
		if (n)
			wake_peer(peer, w);
		pthread_spin_unlock(&pair->lock);
	}
	w->acct.tx += n;
	for (i = n; i < b->n; i++) {
		b->p[i]->dev = io->dev;
		dev_stats(io->dev, w)->tx_dropped++;
		pkt_drop_at(w, b->p[i], peer ? DROP_tx_queue_full : DROP_tx_failed, STAGE_io_tx);
	}
	b->n = 0;
}

/* The same frame in this worker's own buffers; NULL if there is none. */
static struct pkt *copy(struct worker *w, const struct pkt *p)
{
	uint32_t len = pkt_total(p), head = pkt_headroom(p);
	struct pkt *c = pkt_new(w->pool, len);

	if (!c)
		return NULL;
	pkt_copy_out(p, 0, pkt_append(c, len), len);
	c->csum_state = p->csum_state;
	c->csum_start = p->csum_start - head + pkt_headroom(c);
	c->csum_offset = p->csum_offset;
	c->csum = p->csum;
	c->net_off = p->net_off - head + pkt_headroom(c);
	c->gso_type = p->gso_type;
	c->gso_size = p->gso_size;
	c->gso_segs = p->gso_segs;
	return c;
}

static void take_in(struct io *io, struct worker *w, struct batch *b, struct pkt *p, bool own)
{
	struct pkt *c = p;

	w->acct.rx++;
	if (!own) {
		c = copy(w, p);
		pkt_free(p);
		if (unlikely(!c)) {
			w->acct.dropped[DROP_no_memory]++;
			dev_stats(io->dev, w)->rx_dropped++;
			return;
		}
	}
	c->dev = c->orig_dev = io->dev;
	batch_add(b, c);
}

static uint32_t mem_rx(struct io *io, struct worker *w, struct batch *b, uint32_t budget)
{
	struct mem_port *m = mem_of(io);
	struct mem_pair *pair = atomic_load_explicit(&m->pair, memory_order_acquire);
	struct batch got;
	uint64_t n;

	batch_init(&got);
	if (m->fd >= 0)
		(void)!read(m->fd, &n, sizeof(n)); /* first: what comes later wakes again */
	if (!pair)
		return 0;
	pthread_spin_lock(&pair->lock);
	pkt_queue_take(&pair->to[m->side], &got, MIN(budget, (uint32_t)BATCH_MAX - b->n));
	pthread_spin_unlock(&pair->lock);
	for (uint32_t i = 0; i < got.n; i++)
		take_in(io, w, b, got.p[i], pair->one_vx);
	return got.n;
}

/* --- life ------------------------------------------------------------------------------------ */

static void mem_free(void *arg)
{
	struct mem_port *m = arg;

	napi_remove(&m->napi);
	pair_put(atomic_load(&m->pair)); /* the workers of this side look at the pair no longer */
	if (m->fd >= 0)
		close(m->fd);
	free(m);
}

static void mem_close(struct io *io, bool keep)
{
	struct mem_port *m = mem_of(io);
	struct mem_pair *pair = atomic_load(&m->pair);

	(void)keep;
	if (m->fd >= 0)
		io_wake_del(m->wake, m->fd, &m->napi);
	if (pair) { /* nobody queues for this end, or wakes it, any more */
		pthread_spin_lock(&pair->lock);
		pair->end[m->side] = NULL;
		pthread_spin_unlock(&pair->lock);
	}
	quiesce_defer(&io->vx->quiesce, mem_free, m);
}

static const struct io_ops mem_ops = {
	.name = "mem",
	.rx = mem_rx,
	.tx = mem_tx,
	.close = mem_close,
};

static const struct dev_ops mem_dev_ops = {
	.xmit = port_xmit,
};

static void mem_setup(struct dev *d)
{
	d->ops = &mem_dev_ops;
}

/* Several workers on threads of their own: the other side wakes this one through an eventfd. */
static int add_eventfd(struct mem_port *m, const struct io_wake *wake)
{
	int r;

	m->fd = -1;
	m->wake = wake;
	if (!wake || !wake->add || m->io.vx->n_workers == 1)
		return 0;
	m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (m->fd < 0)
		return -errno;
	r = io_wake_add(wake, m->fd, &m->napi);
	if (r < 0)
		close(m->fd);
	return r;
}

static int add_port(struct dev *d)
{
	const struct mem_ctx *c = container_of(d->type, struct mem_ctx, type);
	struct mem_port *m = calloc(1, sizeof(*m));
	struct vx *vx = d->vx;
	int r;

	if (!m)
		return -ENOMEM;
	m->io = (struct io){.ops = &mem_ops, .vx = vx, .dev = d, .kind = "mem", .napi = &m->napi,
			    .can = IO_CAN_CSUM | IO_CAN_TSO | IO_CAN_USO | IO_CAN_FRAGS};
	napi_init(&m->napi, vx->workers[vx->n_devs % vx->n_workers], port_poll, &m->io);
	m->napi.name = d->name;
	r = add_eventfd(m, c->wake);
	if (r < 0) {
		free(m);
		return r;
	}
	atomic_store_explicit(&d->io, &m->io, memory_order_release);
	return 0;
}

/* The other end, made now or found without a peer. */
static int find_peer(struct dev *d, const struct link_cfg *cfg, const struct mem_opts *o,
		     struct dev **out, struct vx_err *err)
{
	const char *name = o->peer;
	struct link_cfg c = {.has_up = false, .owner = cfg->owner, .maker = cfg->maker,
			     .has_mtu = cfg->has_mtu, .mtu = cfg->mtu};
	struct mem_opts none = {.peer = ""};
	int r;

	c.ifindex = o->peer_index;
	*out = dev_by_name(d->vx, name);
	if (*out == d)
		return vx_fail(err, -EINVAL, "%s cannot be its own peer", name);
	if (*out && (!mem_port(*out) || peer_of(mem_port(*out))))
		return vx_fail(err, -EEXIST, "%s exists and is no mem port without a peer", name);
	if (*out)
		return 0;
	memcpy(c.name, name, sizeof(c.name));
	r = link_newlink(d->vx, d->type, &c, &none, 0, err, out);
	if (r < 0)
		return r;
	(*out)->lower = d; /* goes with it */
	(*out)->link_flags |= DEV_SECOND;
	memcpy((*out)->lower_name, d->name, sizeof((*out)->lower_name));
	return 0;
}

static int mem_newlink(struct dev *d, const struct link_cfg *cfg, const void *opts,
		       uint64_t present, struct vx_err *err)
{
	const struct mem_opts *o = opts;
	struct dev *peer;
	int r = add_port(d);

	(void)present;
	if (r == 0 && cfg->has_mtu)
		d->mtu = cfg->mtu;
	if (r < 0 || !*o->peer)
		return r;
	r = find_peer(d, cfg, o, &peer, err);
	if (r < 0)
		return r;
	r = io_mem_pair(d, peer);
	if (r < 0 && peer->lower == d)
		link_dellink(peer, false);
	return r;
}

/* What was made with a port goes with it, also when its making fails further on. */
static void mem_dellink(struct dev *d)
{
	struct dev *peer = io_mem_peer(d);

	if (peer && peer->lower == d)
		link_dellink(peer, false);
}

static void mem_fill_info(struct dev *d, void *opts)
{
	struct dev *peer = io_mem_peer(d);
	struct mem_opts *o = opts;

	memset(o, 0, sizeof(*o));
	if (peer)
		memcpy(o->peer, peer->name, sizeof(o->peer));
	if (peer && peer->lower == d)
		o->peer_index = peer->ifindex;
}

static const struct attr table[] = {
	{.name = "peer", .nl = MEM_NL_PEER, .kind = ATTR_STRING,
	 .off = offsetof(struct mem_opts, peer), .size = DEV_NAME_MAX, .arg = "NAME",
	 .refusal = "Cannot change peer", .help = "the other end, made with it if it is not there"},
	{.name = "peerindex", .nl = MEM_NL_PEER_INDEX, .kind = ATTR_U32,
	 .off = offsetof(struct mem_opts, peer_index), .size = 4, .max = INT32_MAX, .arg = "N",
	 .refusal = "Cannot change peerindex", .help = "index of the other end, if it is made with it"},
};
const struct attr_set mem_attrs = {"mem", table, ARRAY_LEN(table),
				sizeof(struct mem_opts)};

int mem_init_module(struct vx *vx, struct mem_ctx *c)
{
	c->type = (struct link_type){
		.kind = "mem",
		.attrs = &mem_attrs,
		.opts_size = sizeof(struct mem_opts),
		.setup = mem_setup,
		.newlink = mem_newlink,
		.dellink = mem_dellink,
		.fill_info = mem_fill_info,
	};
	return link_register(vx, &c->type);
}
