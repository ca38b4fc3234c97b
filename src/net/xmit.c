/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage dev_queue_xmit (stack.md 10, O2): taps, then in software what the device cannot do
 * itself (segments, checksum), then the device's xmit.
 */
#include "net/backlog.h"
#include "net/dev.h"
#include "net/gso.h"
#include "net/ptype.h"
#include "wire/eth.h"

/* Bit of enum io_can that this packet asks for. */
static uint32_t needs(const struct pkt *p)
{
	if (p->gso_size)
		return p->gso_type == GSO_UDP ? IO_CAN_USO : IO_CAN_TSO;
	return p->csum_state == CSUM_PARTIAL ? IO_CAN_CSUM : 0;
}

COLD static void trace_xmit(struct batch *b, struct dev *d)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];

		if (pkt_trace(p)) {
			struct trace_step *s = trace_add(p, STAGE_dev_queue_xmit, SAY_DEV);

			memcpy(s->dev, d->name, sizeof(s->dev));
			s->len = pkt_total(p);
		}
	}
}

static void send_out(struct worker *w, struct dev *d, struct batch *out)
{
	if (!out->n)
		return;
	d->ops->xmit(w, d, out);
	out->n = 0;
}

/* Cuts or completes p; what results goes to 'out'. */
static void validate(struct worker *w, struct dev *d, struct pkt *p, uint32_t can,
		     struct batch *out)
{
	struct pkt_queue q = {0};

	if (!p->gso_size) {
		if (csum_finish(w, p) < 0)
			pkt_drop_at(w, p, DROP_gso_failed, STAGE_dev_queue_xmit);
		else
			batch_add(out, p);
		return;
	}
	if (gso_segment(w, p, !(can & IO_CAN_CSUM), &q) < 0) {
		dev_stats(d, w)->tx_dropped++;
		pkt_drop_at(w, p, DROP_gso_failed, STAGE_dev_queue_xmit);
		return;
	}
	while (q.n) {
		if (batch_is_full(out))
			send_out(w, d, out);
		pkt_queue_take(&q, out, BATCH_MAX - out->n);
	}
}

static void tap_outgoing(struct worker *w, struct dev *d, const struct ptype_table *t,
			 struct batch *b)
{
	for (uint32_t i = 0; i < t->n; i++) {
		if (t->p[i]->type != PTYPE_ALL || (t->p[i]->dev && t->p[i]->dev != d))
			continue;
		for (uint32_t k = 0; k < b->n; k++) {
			struct pkt *c = pkt_make_clone(w, b->p[k]);
			struct batch one = {.n = 1, .p = {c}};

			if (!c)
				continue;
			c->type = PKT_OUTGOING;
			c->dev = d;
			one.traced = pkt_trace(c) != NULL;
			t->p[i]->rcv(w, &one);
		}
	}
}

/* Where the network header is: behind the Ethernet header and VLAN tags. */
static void find_net(struct pkt *p)
{
	const struct eth_hdr *eth = (const struct eth_hdr *)p->data;
	uint32_t at = sizeof(*eth);
	be16 type = eth->type;

	while (ethtype_is_vlan(type) && at + sizeof(struct vlan_hdr) <= p->len) {
		type = ((const struct vlan_hdr *)(p->data + at))->type;
		at += sizeof(struct vlan_hdr);
	}
	p->mac_off = pkt_off(p);
	p->net_off = pkt_off(p) + at;
	p->protocol = eth->type;
}

void dev_queue_xmit(struct worker *w, struct dev *d, struct batch *b)
{
	const struct ptype_table *t =
		atomic_load_explicit(&w->vx->ptypes, memory_order_acquire);
	struct io *io = atomic_load_explicit(&d->io, memory_order_acquire);
	uint32_t can = io ? io->can : ~0u;
	bool up = dev_is_up(d);
	struct batch out;

	if (unlikely(b->traced))
		trace_xmit(b, d);
	if (unlikely(t && t->n_taps))
		tap_outgoing(w, d, t, b);
	batch_init(&out);
	out.traced = b->traced;
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];

		if (unlikely(!up || !pkt_peek(p, sizeof(struct eth_hdr)))) {
			dev_stats(d, w)->tx_dropped++;
			pkt_drop_at(w, p, up ? DROP_pkt_too_small : DROP_dev_down,
				    STAGE_dev_queue_xmit);
			continue;
		}
		p->dev = d;
		find_net(p);
		if (batch_is_full(&out))
			send_out(w, d, &out);
		if (unlikely(needs(p) & ~can))
			validate(w, d, p, can, &out);
		else
			batch_add(&out, p);
	}
	send_out(w, d, &out);
}
