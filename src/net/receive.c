/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage netif_receive (stack.md 2): taps, rx handler, then the host's side or the protocol
 * handlers.  Packets of a run with one device and one EtherType stay together.
 */
#include "net/dev.h"
#include "net/ptype.h"
#include "wire/eth.h"

enum { ROUNDS_MAX = 8 };

bool eth_type_trans(struct pkt *p, struct dev *d)
{
	const struct eth_hdr *eth;

	p->mac_off = pkt_off(p);
	eth = PKT_PULL(p, struct eth_hdr);
	if (!eth)
		return false;
	p->dev = d;
	p->net_off = pkt_off(p);
	p->protocol = eth->type;
	if (likely(dev_mac_is(d, &eth->dst)))
		p->type = PKT_HOST;
	else if (mac_is_broadcast(&eth->dst))
		p->type = PKT_BROADCAST;
	else if (mac_is_multicast(&eth->dst))
		p->type = PKT_MULTICAST;
	else
		p->type = PKT_OTHERHOST;
	return true;
}

/* Gives each packet of b to pt: clones, unless it is the last receiver. */
static void deliver(struct worker *w, struct ptype *pt, struct batch *b, bool last)
{
	struct batch copy;

	if (last) {
		pt->rcv(w, b);
		return;
	}
	batch_init(&copy);
	copy.traced = b->traced;
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *c = pkt_make_clone(w, b->p[i]);

		if (c) /* else the pool is empty: this receiver misses it, the packet goes on */
			batch_add(&copy, c);
	}
	if (copy.n)
		pt->rcv(w, &copy);
}

static void deliver_taps(struct worker *w, const struct ptype_table *t, struct pkt *p)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct batch one = {.n = 1, .traced = pkt_trace(p) != NULL, .p = {p}};

		if (t->p[i]->type == PTYPE_ALL && (!t->p[i]->dev || t->p[i]->dev == p->dev))
			deliver(w, t->p[i], &one, false);
	}
}

static void unhandled(struct worker *w, struct dev *d, struct batch *b, bool exact)
{
	struct dev_stats *st = dev_stats(d, w);

	for (uint32_t i = 0; i < b->n; i++) {
		if (exact)
			st->rx_nohandler++;
		else
			st->rx_dropped++;
		pkt_drop_at(w, b->p[i], DROP_unhandled_proto, STAGE_netif_receive);
	}
}

/* Is pt a receiver of this run?  'exact': only handlers bound to the device itself. */
static bool wants(const struct ptype *pt, struct dev *d, const struct pkt *p, bool exact)
{
	if (pt->type != be16_get(p->protocol))
		return false;
	if (pt->needs_addr && !atomic_load_explicit(&d->has_addr, memory_order_relaxed))
		return false;
	if (exact)
		return pt->dev == d;
	return !pt->dev || pt->dev == d || pt->dev == p->orig_dev;
}

/* A run: one device, one original device, one EtherType. */
static void deliver_run(struct worker *w, struct batch *b, bool exact)
{
	const struct ptype_table *t =
		atomic_load_explicit(&w->vx->ptypes, memory_order_acquire);
	struct pkt *p = b->p[0];
	struct dev *d = p->dev;
	struct ptype *last = NULL;

	if (!b->n)
		return;
	if (!exact && atomic_load_explicit(&d->host, memory_order_acquire)) {
		for (uint32_t i = 0; i < b->n; i++)
			pkt_push(b->p[i], pkt_off(b->p[i]) - b->p[i]->mac_off);
		dev_to_host(w, d, b);
		return;
	}
	for (uint32_t i = 0; t && i < t->n; i++) {
		if (!wants(t->p[i], d, p, exact))
			continue;
		if (last)
			deliver(w, last, b, false);
		last = t->p[i];
	}
	if (last)
		deliver(w, last, b, true);
	else
		unhandled(w, d, b, exact);
}

COLD static void trace_receive(struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];

		if (pkt_trace(p)) {
			struct trace_step *s = trace_add(p, STAGE_netif_receive, SAY_DEV);

			memcpy(s->dev, p->dev->name, sizeof(s->dev));
			s->len = pkt_total(p) + pkt_off(p) - p->mac_off;
		}
	}
}

/* Taps and rx handlers.  True: p goes to the protocol handlers, *exact says which. */
static bool handle(struct worker *w, struct pkt *p, bool *exact)
{
	const struct ptype_table *t =
		atomic_load_explicit(&w->vx->ptypes, memory_order_acquire);

	for (;;) {
		struct dev *d = p->dev;
		rx_handler_fn *fn;

		if (unlikely(t && t->n_taps))
			deliver_taps(w, t, p);
		fn = atomic_load_explicit(&d->rx_handler, memory_order_acquire);
		*exact = false;
		if (likely(!fn))
			return true;
		switch (fn(w, d, p)) {
		case RX_CONSUMED:
			return false;
		case RX_EXACT:
			*exact = true;
			return true;
		case RX_PASS:
			return true;
		case RX_ANOTHER:
			if (++p->rounds >= ROUNDS_MAX) {
				pkt_drop_at(w, p, DROP_rx_loop, STAGE_netif_receive);
				return false;
			}
		}
	}
}

void netif_receive(struct worker *w, struct batch *b)
{
	struct batch run;
	bool run_exact = false;

	if (unlikely(b->traced))
		trace_receive(b);
	batch_init(&run);
	run.traced = b->traced;
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];
		bool exact;

		if (!handle(w, p, &exact))
			continue;
		if (run.n && (run.p[0]->dev != p->dev || run.p[0]->orig_dev != p->orig_dev ||
			      !be16_eq(run.p[0]->protocol, p->protocol) || run_exact != exact)) {
			deliver_run(w, &run, run_exact);
			run.n = 0;
		}
		run_exact = exact;
		batch_add(&run, p);
	}
	if (run.n)
		deliver_run(w, &run, run_exact);
}

/* Stage dev_to_host: the host's own stack gets the frames through the TAP. */
void dev_to_host(struct worker *w, struct dev *d, struct batch *b)
{
	struct io *io = atomic_load_explicit(&d->host, memory_order_acquire);

	if (unlikely(b->traced))
		for (uint32_t i = 0; i < b->n; i++)
			if (pkt_trace(b->p[i])) {
				struct trace_step *s =
					trace_add(b->p[i], STAGE_dev_to_host, SAY_SENT);

				memcpy(s->dev, d->name, sizeof(s->dev));
				s->len = pkt_total(b->p[i]);
			}
	io->ops->tx(io, w, b);
}
