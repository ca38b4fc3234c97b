/* SPDX-License-Identifier: Apache-2.0 */
/* How packets come from a struct io into the stack, and the xmit of a device that is a port. */
#include "net/port.h"

#include "net/dev.h"
#include "net/napi.h"
#include "net/watch.h"

COLD static void trace_poll(struct batch *b, struct io *io)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (pkt_trace(b->p[i])) {
			struct trace_step *s;

			trace_add(b->p[i], STAGE_napi_schedule, SAY_NOTHING);
			trace_add(b->p[i], STAGE_napi_poll, SAY_NOTHING);
			s = trace_add(b->p[i], STAGE_io_rx, SAY_DEV);
			memcpy(s->dev, io->dev->name, sizeof(s->dev));
			s->len = pkt_total(b->p[i]);
			s->u[0] = io->shared;
		}
}

static uint32_t port_rx(struct io *io, struct worker *w, struct batch *b, uint32_t budget)
{
	uint32_t took;

	batch_init(b);
	took = io->ops->rx(io, w, b, budget);
	if (watch_is_on(w)) {
		watch_batch(w, b, false);
		if (b->traced)
			trace_poll(b, io);
	}
	return took;
}

uint32_t port_poll(struct napi *n, struct worker *w, uint32_t budget)
{
	struct io *io = n->ctx;
	struct dev *d = io->dev;
	struct dev_stats *st = dev_stats(d, w);
	struct batch b;
	uint32_t took = port_rx(io, w, &b, budget), kept = 0;

	for (uint32_t i = 0; i < b.n; i++) {
		struct pkt *p = b.p[i];

		if (unlikely(!dev_is_up(d) || !eth_type_trans(p, d))) {
			st->rx_dropped++;
			pkt_drop_at(w, p, dev_is_up(d) ? DROP_pkt_too_small : DROP_dev_down,
				    STAGE_io_rx);
			continue;
		}
		st->rx_packets++;
		st->rx_bytes += pkt_total(p) + (pkt_off(p) - p->mac_off);
		st->multicast += p->type == PKT_MULTICAST;
		p->orig_dev = d;
		b.p[kept++] = p;
	}
	b.n = kept;
	if (b.n)
		gro_receive(w, &b);
	return took;
}

uint32_t port_host_poll(struct napi *n, struct worker *w, uint32_t budget)
{
	struct io *io = n->ctx;
	struct batch b;
	uint32_t took = port_rx(io, w, &b, budget);

	if (b.n)
		dev_queue_xmit(w, io->dev, &b);
	return took;
}

COLD static void trace_send(struct batch *b, const struct dev *d)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (pkt_trace(b->p[i])) {
			struct trace_step *s = trace_add(b->p[i], STAGE_io_tx, SAY_SENT);

			memcpy(s->dev, d->name, sizeof(s->dev));
			s->len = pkt_total(b->p[i]);
		}
}

void port_xmit(struct worker *w, struct dev *d, struct batch *b)
{
	struct io *io = atomic_load_explicit(&d->io, memory_order_acquire);
	struct dev_stats *st = dev_stats(d, w);

	for (uint32_t i = 0; i < b->n; i++) {
		st->tx_packets++;
		st->tx_bytes += pkt_total(b->p[i]);
	}
	if (unlikely(b->traced))
		trace_send(b, d);
	io->ops->tx(io, w, b);
}
