/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stages bridge_rcv and bridge_xmit: from a frame to the ports that get it.
 *
 * The rx handler sees one frame at a time, so frames of a turn are gathered per worker, looked up
 * together, and leave gathered per port.
 */
#include "bridge/bridge.h"
#include "wire/eth.h"

static const struct eth_hdr *eth_of(const struct pkt *p)
{
	return (const struct eth_hdr *)p->data;
}

/* 01:80:c2:00:00:00 to :0f stay on the link (IEEE 802.1Q, 8.6.3). */
static bool is_link_local(const struct mac *m)
{
	static const uint8_t group[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};

	return !memcmp(m->b, group, sizeof(group)) && m->b[5] < 0x10;
}

static bool is_up(const struct bridge_port *port)
{
	return dev_is_up(port->dev);
}

/* --- out ------------------------------------------------------------------------------------- */

static void send_port(struct worker *w, struct bridge_out *o)
{
	struct batch b;

	/* Taken out first: what the device below does may lead here again. */
	b.n = o->b.n;
	b.traced = o->port->br->workers[w->id].traced;
	memcpy(b.p, o->b.p, b.n * sizeof(b.p[0]));
	batch_init(&o->b);
	list_remove(&o->node);
	dev_queue_xmit(w, o->port->dev, &b);
}

static void send_up(struct worker *w, struct bridge_worker *bw)
{
	struct dev *d = bw->br->dev;
	struct dev_stats *st = dev_stats(d, w);
	struct batch b = bw->up;

	b.traced = bw->traced;
	batch_init(&bw->up);
	for (uint32_t i = 0; i < b.n; i++) {
		struct pkt *p = b.p[i];

		st->rx_packets++;
		st->rx_bytes += pkt_total(p);
		eth_type_trans(p, d); /* cannot fail: the header was there before */
		if (p->type == PKT_OTHERHOST) /* a port's address is ours, too */
			p->type = PKT_HOST;
		st->multicast += p->type == PKT_MULTICAST;
		p->orig_dev = d;
	}
	netif_receive(w, &b);
}

static void send_all(struct worker *w, struct bridge_worker *bw)
{
	while (!list_is_empty(&bw->dirty))
		send_port(w, container_of(bw->dirty.next, struct bridge_out, node));
	if (bw->up.n)
		send_up(w, bw);
}

static void put_up(struct worker *w, struct bridge_worker *bw, struct pkt *p)
{
	if (batch_is_full(&bw->up))
		send_up(w, bw);
	batch_add(&bw->up, p);
}

static void put_port(struct worker *w, struct bridge_worker *bw, struct bridge_port *port,
		     struct pkt *p)
{
	struct bridge_out *o = &port->out[w->id];
	uint32_t max = port->dev->mtu + sizeof(struct eth_hdr) + sizeof(struct vlan_hdr);

	if (unlikely(pkt_total(p) > max && !p->gso_size)) {
		dev_stats(port->dev, w)->tx_dropped++;
		p->dev = port->dev;
		pkt_drop_at(w, p, DROP_tx_too_big, STAGE_bridge_rcv);
		return;
	}
	if (batch_is_full(&o->b))
		send_port(w, o);
	if (!o->b.n)
		list_append(&bw->dirty, &o->node);
	batch_add(&o->b, p);
}

/* --- decide ---------------------------------------------------------------------------------- */

/* One frame's way: where it came from (NULL: the bridge device sends it). */
struct way {
	struct worker *w;
	struct bridge *br;
	struct bridge_worker *bw;
	struct bridge_port *from;
	enum stage stage;
};

static void drop(const struct way *y, struct pkt *p, enum drop why)
{
	pkt_drop_at(y->w, p, why, y->stage);
}

/* Whose address is it: the bridge's own, or a port's? */
static bool is_local(const struct mac_entry *entry)
{
	struct mac_entry *e = (struct mac_entry *)entry;

	return atomic_load_explicit(&e->kind, memory_order_relaxed) == MAC_LOCAL ||
	       !atomic_load_explicit(&e->port, memory_order_relaxed);
}

COLD static void trace_port(const struct way *y, struct pkt *p, const struct mac_entry *e,
			    const struct bridge_port *to)
{
	struct trace_step *s = trace_add(p, y->stage, SAY_BRIDGE_PORT);
	struct fdb_view v;

	s->mac = eth_of(p)->dst;
	memcpy(s->dev, is_local(e) ? y->br->dev->name : to->dev->name, sizeof(s->dev));
	mac_view(&y->br->macs, e, &v);
	s->state = (uint8_t)v.state;
	s->maker = v.maker;
}

COLD static void trace_flood(const struct way *y, struct pkt *p, const struct bridge_ports *ports,
			     bool up)
{
	struct trace_step *s = trace_add(p, y->stage, SAY_BRIDGE_FLOOD);

	s->mac = eth_of(p)->dst;
	memcpy(s->dev, y->br->dev->name, sizeof(s->dev));
	for (uint32_t i = 0; i < ports->n; i++)
		s->u[0] += ports->p[i] != y->from && is_up(ports->p[i]);
	s->u[1] = up;
}

static void put_clone(const struct way *y, struct bridge_port *port, const struct pkt *p)
{
	struct pkt *c = pkt_make_clone(y->w, p);

	if (c)
		put_port(y->w, y->bw, port, c);
	else
		dev_stats(port->dev, y->w)->tx_dropped++;
}

/* To all other ports that are up, and with 'up' to the bridge device; the last gets p itself. */
static void flood(const struct way *y, struct pkt *p, bool up)
{
	const struct bridge_ports *ports =
		atomic_load_explicit(&y->br->ports, memory_order_acquire);
	struct bridge_port *last = NULL;

	if (unlikely(pkt_trace(p)))
		trace_flood(y, p, ports, up);
	for (uint32_t i = 0; i < ports->n; i++) {
		struct bridge_port *port = ports->p[i];

		if (port == y->from || !is_up(port))
			continue;
		if (last)
			put_clone(y, last, p);
		last = port;
	}
	if (!last && !up) {
		drop(y, p, DROP_bridge_no_port);
		return;
	}
	if (last && up)
		put_clone(y, last, p);
	if (up)
		put_up(y->w, y->bw, p);
	else
		put_port(y->w, y->bw, last, p);
}

/* The destination is known. */
static ALWAYS_INLINE void forward(const struct way *y, struct pkt *p, struct mac_entry *e,
				  bool promiscuous, bool traced)
{
	struct bridge_port *to =
		bridge_port_at(atomic_load_explicit(&e->port, memory_order_acquire));
	bool local = is_local(e);
	struct pkt *c;

	mac_touch_used(e, y->w->now);
	if (traced && pkt_trace(p))
		trace_port(y, p, e, to);
	if (local && y->from) {
		put_up(y->w, y->bw, p);
		return;
	}
	if (unlikely(promiscuous)) {
		c = pkt_make_clone(y->w, p);
		if (c)
			put_up(y->w, y->bw, c);
	}
	if (local || to == y->from)
		drop(y, p, DROP_bridge_same_port);
	else if (unlikely(!is_up(to)))
		drop(y, p, DROP_bridge_port_down);
	else
		put_port(y->w, y->bw, to, p);
}

/* Does anybody listen to groups on the bridge device?  Without a host side and an address nobody
 * does, and a copy for each broadcast would only be made to be dropped. */
static bool has_listener(const struct bridge *br)
{
	struct dev *d = br->dev;

	return atomic_load_explicit(&d->host, memory_order_relaxed) ||
	       atomic_load_explicit(&d->has_addr, memory_order_relaxed);
}

/* 'traced' is known when this is compiled: a batch without a trace asks no packet for one. */
static ALWAYS_INLINE void decide(const struct way *y, struct pkt *p, uint64_t hash, bool traced)
{
	const struct mac *dst = &eth_of(p)->dst;
	bool promiscuous = y->from && (atomic_load_explicit(&y->br->dev->flags,
							    memory_order_relaxed) & IFF_PROMISC);
	struct mac_entry *e;

	if (mac_is_multicast(dst)) {
		flood(y, p, promiscuous || (y->from && has_listener(y->br)));
		return;
	}
	e = mac_lookup(&y->br->macs, hash, dst);
	if (e)
		forward(y, p, e, promiscuous, traced);
	else
		flood(y, p, promiscuous);
}

/* --- in -------------------------------------------------------------------------------------- */

static ALWAYS_INLINE void learn(const struct way *y, const struct pkt *p, uint64_t hash)
{
	struct mac_table *t = &y->br->macs;
	const struct mac *src = &eth_of(p)->src;

	if (unlikely(!atomic_load_explicit(&y->br->ageing_cs, memory_order_relaxed)))
		return;
	mac_learn(t, src, &y->from->macs, y->w->now, mac_lookup(t, hash, src));
}

static void decide_bare(const struct way *y, struct pkt *p, uint64_t hash)
{
	decide(y, p, hash, false);
}

COLD static void decide_traced(const struct way *y, struct pkt *p, uint64_t hash)
{
	decide(y, p, hash, true);
}

static ALWAYS_INLINE void run_all(struct way *y, struct batch *b, const uint64_t *src,
				  const uint64_t *dst, bool traced)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];

		y->from = p->cb_ptr[0];
		if (unlikely(!dev_is_up(y->br->dev) || !is_up(y->from))) {
			drop(y, p, DROP_bridge_port_down);
			continue;
		}
		learn(y, p, src[i]);
		if (traced)
			decide_traced(y, p, dst[i]);
		else
			decide_bare(y, p, dst[i]);
	}
}

void bridge_turn(struct flush *f, struct worker *w)
{
	struct bridge_worker *bw = container_of(f, struct bridge_worker, flush);
	struct way y = {.w = w, .br = bw->br, .bw = bw, .stage = STAGE_bridge_rcv};
	uint64_t src[BATCH_MAX], dst[BATCH_MAX];
	struct batch b = bw->in;
	bool was_traced = bw->traced; /* what a port's device does may lead here again */

	batch_init(&bw->in);
	for (uint32_t i = 0; i < b.n; i++) {
		const struct eth_hdr *eth = eth_of(b.p[i]);

		src[i] = mac_hash(&y.br->macs, &eth->src);
		dst[i] = mac_hash(&y.br->macs, &eth->dst);
		mac_prefetch(&y.br->macs, src[i]);
		mac_prefetch(&y.br->macs, dst[i]);
	}
	for (uint32_t i = 0; i < b.n; i++) {
		mac_prefetch_entry(&y.br->macs, src[i]);
		mac_prefetch_entry(&y.br->macs, dst[i]);
	}
	bw->traced |= b.traced;
	if (unlikely(bw->traced))
		run_all(&y, &b, src, dst, true);
	else
		run_all(&y, &b, src, dst, false);
	send_all(w, bw);
	bw->traced = was_traced;
}

enum rx_result bridge_rcv(struct worker *w, struct dev *dev, struct pkt *p)
{
	struct bridge_port *port = atomic_load_explicit(&dev->bridge_port, memory_order_acquire);
	struct bridge_worker *bw = &port->br->workers[w->id];
	const struct eth_hdr *eth = (const struct eth_hdr *)pkt_at(p, p->mac_off);

	if (unlikely(!mac_is_unicast(&eth->src))) {
		dev_stats(dev, w)->rx_dropped++;
		pkt_drop_at(w, p, DROP_bridge_bad_source, STAGE_bridge_rcv);
		return RX_CONSUMED;
	}
	if (unlikely(is_link_local(&eth->dst)))
		return RX_PASS; /* for whoever listens on the port itself */
	pkt_push(p, pkt_off(p) - p->mac_off);
	p->cb_ptr[0] = port;
	p->dst = NULL;
	if (batch_is_full(&bw->in))
		bridge_turn(&bw->flush, w);
	if (unlikely(pkt_trace(p)))
		bw->in.traced = true;
	batch_add(&bw->in, p);
	flush_queue(w, &bw->flush);
	return RX_CONSUMED;
}

void bridge_xmit(struct worker *w, struct dev *d, struct batch *b)
{
	struct bridge *br = bridge_of(d);
	struct dev_stats *st = dev_stats(d, w);
	struct way y = {.w = w, .br = br, .bw = &br->workers[w->id], .stage = STAGE_bridge_xmit};
	bool was_traced = y.bw->traced;
	uint64_t dst[BATCH_MAX];

	for (uint32_t i = 0; i < b->n; i++) {
		dst[i] = mac_hash(&br->macs, &eth_of(b->p[i])->dst);
		mac_prefetch(&br->macs, dst[i]);
	}
	y.bw->traced |= b->traced;
	for (uint32_t i = 0; i < b->n; i++) {
		st->tx_packets++;
		st->tx_bytes += pkt_total(b->p[i]);
		if (unlikely(b->traced))
			decide_traced(&y, b->p[i], dst[i]);
		else
			decide_bare(&y, b->p[i], dst[i]);
	}
	send_all(w, y.bw);
	y.bw->traced = was_traced;
}
