/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pcap.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/napi.h"
#include "wire/eth.h"

struct pcap_opts {
	char read[PCAP_FILE_MAX], write[PCAP_FILE_MAX];
};

struct pcap_port {
	struct io io;
	struct napi napi;
	struct pcap_opts o;
	const struct pcap_ctx *ctx;
	int fd; /* an eventfd that is readable while there is something to read; -1: none */
	/* Reading: the worker of the napi. */
	pcap_t *in;
	bool at_end;
	/* Writing: any worker, under the lock. */
	pthread_mutex_t lock;
	pcap_t *dead;
	pcap_dumper_t *out;
	bool out_failed;
	struct flush flush[VX_WORKERS_MAX];
	uint8_t frame[PKT_LEN_MAX];
};

static struct pcap_port *port_of(struct io *io)
{
	return container_of(io, struct pcap_port, io);
}

static struct pcap_port *dev_port(struct dev *d)
{
	return port_of(atomic_load(&d->io));
}

static void warn(const struct pcap_port *pp, const char *what, const char *file, const char *why)
{
	char text[PCAP_FILE_MAX + PCAP_ERRBUF_SIZE + 64];

	if (!pp->ctx->warn)
		return;
	snprintf(text, sizeof(text), "%s: cannot %s %s: %s", pp->io.dev->name, what, file, why);
	pp->ctx->warn(pp->ctx->warn_ctx, text);
}

/* --- reading --------------------------------------------------------------------------------- */

static struct pkt *make_frame(struct io *io, struct worker *w, const struct pcap_pkthdr *h,
			      const uint8_t *bytes)
{
	struct pkt *p = h->caplen <= PBUF_BIG ? pkt_new(w->pool, h->caplen) : NULL;

	w->acct.rx++;
	if (unlikely(!p)) {
		w->acct.dropped[h->caplen <= PBUF_BIG ? DROP_no_memory : DROP_rx_too_big]++;
		dev_stats(io->dev, w)->rx_dropped++;
		return NULL;
	}
	memcpy(pkt_append(p, h->caplen), bytes, h->caplen);
	p->dev = p->orig_dev = io->dev;
	return p;
}

/* The event loop need not schedule us any more. */
static void calm(struct pcap_port *pp)
{
	uint64_t n;

	if (pp->fd >= 0)
		(void)!read(pp->fd, &n, sizeof(n));
}

static uint32_t pcap_rx(struct io *io, struct worker *w, struct batch *b, uint32_t budget)
{
	struct pcap_port *pp = port_of(io);
	uint32_t n;

	if (pp->at_end || !dev_is_up(io->dev)) {
		calm(pp);
		return 0;
	}
	for (n = 0; n < budget && !batch_is_full(b) && !pp->at_end; n++) {
		struct pcap_pkthdr *h;
		const uint8_t *bytes;
		int r = pcap_next_ex(pp->in, &h, &bytes);
		struct pkt *p;

		if (r != 1) {
			pp->at_end = true;
			if (r != PCAP_ERROR_BREAK)
				warn(pp, "read all of", pp->o.read, pcap_geterr(pp->in));
			break;
		}
		p = make_frame(io, w, h, bytes);
		if (p)
			batch_add(b, p);
	}
	return n;
}

/* --- writing --------------------------------------------------------------------------------- */

/* What was written in this turn reaches the file. */
static void flush_file(struct flush *f, struct worker *w)
{
	struct pcap_port *pp =
		(struct pcap_port *)((char *)(f - w->id) - offsetof(struct pcap_port, flush));

	pthread_mutex_lock(&pp->lock);
	if (pcap_dump_flush(pp->out) < 0 && !pp->out_failed) {
		pp->out_failed = true;
		warn(pp, "write", pp->o.write, strerror(errno));
	}
	pthread_mutex_unlock(&pp->lock);
}

static void pcap_tx(struct io *io, struct worker *w, struct batch *b)
{
	struct pcap_port *pp = port_of(io);
	uint64_t at = w->now + pp->ctx->epoch;

	pthread_mutex_lock(&pp->lock);
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];
		struct pcap_pkthdr h = {.caplen = pkt_total(p), .len = pkt_total(p)};

		if (unlikely(!pp->out || pp->out_failed || h.len > sizeof(pp->frame))) {
			dev_stats(io->dev, w)->tx_dropped++;
			pkt_drop_at(w, p, DROP_tx_failed, STAGE_io_tx);
			continue;
		}
		h.ts.tv_sec = (time_t)(at / NS_PER_S);
		h.ts.tv_usec = (suseconds_t)(at % NS_PER_S); /* ns: so the file says */
		pkt_copy_out(p, 0, pp->frame, h.len);
		pcap_dump((uint8_t *)pp->out, &h, pp->frame);
		w->acct.tx++;
		pkt_free(p);
	}
	pthread_mutex_unlock(&pp->lock);
	if (pp->out)
		flush_queue(w, &pp->flush[w->id]);
	b->n = 0;
}

/* --- life ------------------------------------------------------------------------------------ */

/* Up: reading begins or goes on. */
static int pcap_set_up(struct io *io, bool up)
{
	struct pcap_port *pp = port_of(io);

	uint64_t one = 1;

	if (!up || pp->at_end)
		return 0;
	if (pp->fd >= 0)
		(void)!write(pp->fd, &one, sizeof(one)); /* cannot fail: non-blocking, tiny */
	else
		napi_schedule(&pp->napi);
	return 0;
}

static void pcap_port_free(void *arg)
{
	struct pcap_port *pp = arg;

	napi_remove(&pp->napi);
	if (pp->fd >= 0)
		close(pp->fd);
	if (pp->in)
		pcap_close(pp->in);
	for (uint32_t i = 0; i < pp->io.vx->n_workers; i++)
		if (pp->flush[i].queued)
			list_remove(&pp->flush[i].node);
	if (pp->out)
		pcap_dump_close(pp->out);
	if (pp->dead)
		pcap_close(pp->dead);
	pthread_mutex_destroy(&pp->lock);
	free(pp);
}

static void pcap_port_close(struct io *io, bool keep)
{
	struct pcap_port *pp = port_of(io);

	(void)keep;
	if (pp->fd >= 0)
		io_wake_del(pp->ctx->wake, pp->fd, &pp->napi);
	quiesce_defer(&io->vx->quiesce, pcap_port_free, pp);
}

static const struct io_ops pcap_ops = {
	.name = "pcap",
	.rx = pcap_rx,
	.tx = pcap_tx,
	.set_up = pcap_set_up,
	.close = pcap_port_close,
};

static const struct dev_ops pcap_dev_ops = {
	.xmit = port_xmit,
};

static void pcap_setup(struct dev *d)
{
	d->ops = &pcap_dev_ops;
}

static int open_read(struct pcap_port *pp, struct vx_err *err)
{
	char text[PCAP_ERRBUF_SIZE];

	pp->at_end = !*pp->o.read;
	if (pp->at_end)
		return 0;
	pp->in = pcap_open_offline_with_tstamp_precision(pp->o.read, PCAP_TSTAMP_PRECISION_NANO,
							 text);
	if (!pp->in)
		return vx_fail(err, -ENOENT, "cannot read %s", text);
	if (pcap_datalink(pp->in) != DLT_EN10MB)
		return vx_fail(err, -EINVAL, "%s holds no Ethernet frames but %s", pp->o.read,
			       pcap_datalink_val_to_description_or_dlt(pcap_datalink(pp->in)));
	return 0;
}

static int open_write(struct pcap_port *pp, struct vx_err *err)
{
	if (!*pp->o.write)
		return 0;
	pp->dead = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, PKT_LEN_MAX,
							PCAP_TSTAMP_PRECISION_NANO);
	if (!pp->dead)
		return -ENOMEM;
	pp->out = pcap_dump_open(pp->dead, pp->o.write);
	if (!pp->out)
		return vx_fail(err, -EACCES, "cannot write %s", pcap_geterr(pp->dead));
	return 0;
}

static int add_eventfd(struct pcap_port *pp, const struct io_wake *wake)
{
	int r;

	if (!wake || !wake->add || pp->at_end)
		return 0;
	pp->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (pp->fd < 0)
		return -errno;
	r = io_wake_add(wake, pp->fd, &pp->napi);
	if (r < 0) {
		close(pp->fd);
		pp->fd = -1;
	}
	return r;
}

static int pcap_newlink(struct dev *d, const struct link_cfg *cfg, const void *opts,
			uint64_t present, struct vx_err *err)
{
	const struct pcap_ctx *c = container_of(d->type, struct pcap_ctx, type);
	struct pcap_port *pp = calloc(1, sizeof(*pp));
	struct vx *vx = d->vx;
	int r;

	(void)present;
	if (!pp)
		return -ENOMEM;
	pp->fd = -1;
	pp->ctx = c;
	pp->o = *(const struct pcap_opts *)opts;
	pp->io = (struct io){.ops = &pcap_ops, .vx = vx, .dev = d, .kind = "pcap",
			     .napi = &pp->napi, .can = IO_CAN_FRAGS};
	pthread_mutex_init(&pp->lock, NULL);
	napi_init(&pp->napi, vx->workers[vx->n_devs % vx->n_workers], port_poll, &pp->io);
	pp->napi.name = d->name;
	for (uint32_t i = 0; i < vx->n_workers; i++)
		pp->flush[i].fn = flush_file;
	r = open_read(pp, err);
	if (r == 0)
		r = open_write(pp, err);
	if (r == 0)
		r = add_eventfd(pp, c->wake);
	if (r < 0) {
		pcap_port_free(pp);
		return r;
	}
	if (cfg->has_mtu)
		d->mtu = cfg->mtu;
	atomic_store_explicit(&d->io, &pp->io, memory_order_release);
	return 0;
}

static void pcap_fill_info(struct dev *d, void *opts)
{
	*(struct pcap_opts *)opts = dev_port(d)->o;
}

static const struct attr table[] = {
	{.name = "read", .nl = PCAP_NL_READ, .kind = ATTR_STRING,
	 .off = offsetof(struct pcap_opts, read), .size = PCAP_FILE_MAX, .arg = "FILE",
	 .refusal = "Cannot change read", .help = "the capture whose frames are received"},
	{.name = "write", .nl = PCAP_NL_WRITE, .kind = ATTR_STRING,
	 .off = offsetof(struct pcap_opts, write), .size = PCAP_FILE_MAX, .arg = "FILE",
	 .refusal = "Cannot change write", .help = "where what is sent is written"},
};
const struct attr_set pcap_attrs = {"pcap", table, ARRAY_LEN(table),
				sizeof(struct pcap_opts)};

int pcap_init_module(struct vx *vx, struct pcap_ctx *c)
{
	c->type = (struct link_type){
		.kind = "pcap",
		.attrs = &pcap_attrs,
		.opts_size = sizeof(struct pcap_opts),
		.setup = pcap_setup,
		.newlink = pcap_newlink,
		.fill_info = pcap_fill_info,
	};
	return link_register(vx, &c->type);
}
