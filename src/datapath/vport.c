/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/vport.h"

#include <errno.h>
#include <stdlib.h>

#include "datapath/dp.h"
#include "wire/eth.h"

/* --- life ------------------------------------------------------------------------------------ */

static void vport_free(void *arg)
{
	struct vport *v = arg;

	free(v->sources);
	free(v->out);
	free(v->queues);
	free((void *)v->waiting);
	free(v);
}

static struct vport *alloc(struct dp *dp, struct dev *dev, uint32_t no, uint32_t n_sources)
{
	uint32_t n = dp->dev->vx->n_workers;
	struct vport *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	*v = (struct vport){.vx = dev->vx, .dp = dp, .dev = dev, .no = no, .n_sources = n_sources};
	memcpy(v->name, dev->name, sizeof(v->name));
	v->sources = calloc(n_sources, sizeof(*v->sources));
	v->out = calloc(n, sizeof(*v->out));
	v->queues = calloc((size_t)n * n_sources, sizeof(*v->queues));
	v->waiting = calloc(n, sizeof(*v->waiting));
	if (!v->sources || !v->out || !v->queues || !v->waiting) {
		vport_free(v);
		return NULL;
	}
	for (uint32_t i = 0; i < n_sources; i++)
		flow_source_init(&v->sources[i]);
	for (uint32_t i = 0; i < n; i++) {
		list_init(&v->out[i].node);
		v->out[i].port = v;
		for (uint32_t k = 0; k < n_sources; k++)
			upcall_queue_init(&v->queues[i * n_sources + k], v, &v->sources[k]);
	}
	return v;
}

/* After a grace period nothing is added to its queues; workers drop what is in there, as it is
 * gone, a bounded part a turn.  Who took the last out of one has that queue in hand to the end of his
 * turn. */
static void vport_reap(void *arg)
{
	struct vport *v = arg;
	bool waits = false;

	for (uint32_t i = 0; i < v->vx->n_workers; i++)
		waits |= atomic_load_explicit(&v->waiting[i], memory_order_acquire) != 0;
	quiesce_defer(&v->vx->quiesce, waits && !v->vx->stopping ? vport_reap : vport_free, v);
}

/* Its number is free, its flows are gone.  No worker has it after a grace period. */
static void forget(struct vport *v)
{
	atomic_store(&v->gone, true);
	dp_set_port(v->dp, v->no, NULL);
	for (uint32_t i = 0; i < v->n_sources; i++)
		table_flush_source(&v->dp->table, &v->sources[i]);
	quiesce_defer(&v->vx->quiesce, vport_reap, v);
}

/* Port 0 is the datapath's own. */
static int choose_no(struct dp *dp, uint32_t *no, struct vx_err *err)
{
	if (*no == VPORT_ANY)
		*no = dp_free_port(dp);
	if (*no == VPORT_LOCAL || *no > VPORT_MAX)
		return vx_fail(err, -EINVAL, "port %u: ports are numbered from 1 to %d", *no,
			       VPORT_MAX);
	if (dp_port(dp, *no))
		return vx_fail(err, -EBUSY, "port %u of %s is %s", *no, dp->dev->name,
			       dp_port(dp, *no)->name);
	return 0;
}

int vport_new_internal(struct dp *dp, struct dev *dev, uint32_t no, struct vx_err *err,
		       struct vport **out)
{
	struct vport *v;
	int r = dev == dp->dev ? 0 : choose_no(dp, &no, err);

	if (r < 0)
		return r;
	v = alloc(dp, dev, no, 1);
	if (!v)
		return -ENOMEM;
	v->is_internal = true;
	r = dp_set_port(dp, no, v);
	if (r < 0)
		vport_free(v);
	else
		*out = v;
	return r;
}

int vport_new(struct dp *dp, const char *name, uint32_t no, bool is_tunnel, struct vx_err *err,
	      struct vport **out)
{
	struct dev *dev = dev_by_name(dp->dev->vx, name);
	struct vport *v;
	int r;

	if (!dev)
		return vx_fail(err, -ENODEV, "there is no device %s", name);
	if (dev_is_dp(dev))
		return vx_fail(err, -ELOOP, "%s is a datapath itself", name);
	r = choose_no(dp, &no, err);
	if (r < 0)
		return r;
	v = alloc(dp, dev, no, is_tunnel ? UPCALL_SOURCES : 1);
	if (!v)
		return -ENOMEM;
	v->is_tunnel = is_tunnel;
	r = dp_set_port(dp, no, v);
	if (r < 0)
		goto out_free;
	r = vport_link_netdev(v, err);
	if (r < 0)
		goto out_forget;
	if (out)
		*out = v;
	return 0;
out_forget:
	forget(v);
	return r;
out_free:
	vport_free(v);
	return r;
}

void vport_lost(struct vport *v)
{
	struct dp *dp = v->dp;

	atomic_store(&v->gone, true);
	if (dp->port_gone)
		dp->port_gone(dp->ctx, v);
	forget(v);
}

void vport_del(struct vport *v)
{
	atomic_store(&v->gone, true);
	vport_unlink_netdev(v);
	forget(v);
}

/* --- its device ------------------------------------------------------------------------------ */

/* Held: while it is a slave, its removal passes by vport_del_slave(). */
int vport_link_netdev(struct vport *v, struct vx_err *err)
{
	struct dp *dp = v->dp;
	int r;

	if (v->dev->master)
		return vx_fail(err, -EBUSY, "%s has the master %s already", v->dev->name,
			       v->dev->master->name);
	dp->joining = v;
	r = dev_set_master(v->dev, dp->dev, err);
	dp->joining = NULL;
	return r;
}

void vport_unlink_netdev(struct vport *v)
{
	dev_set_master(v->dev, NULL, NULL);
}

/* The LRO that Linux switches off has no like here: what vx merges (GRO) can be cut again. */
int vport_add_slave(struct dev *d, struct dev *slave, struct vx_err *err)
{
	const struct vport *v = dp_of(d)->joining;

	if (!v || v->dev != slave)
		return vx_fail(err, -EOPNOTSUPP,
			       "%s takes ports from Open vSwitch alone: use "
			       "ovs-vsctl add-port",
			       d->name);
	if (atomic_load(&slave->rx_handler))
		return vx_fail(err, -EBUSY, "%s has a receive handler already", slave->name);
	atomic_store(&slave->vport, (struct vport *)v);
	dev_set_rx_handler(slave, vport_frame_hook);
	dev_set_promiscuity(slave, 1);
	return 0;
}

void vport_del_slave(struct dev *d, struct dev *slave)
{
	struct vport *v = atomic_load(&slave->vport);

	(void)d;
	dev_set_promiscuity(slave, -1);
	dev_set_rx_handler(slave, NULL);
	if (atomic_load(&v->gone)) /* vport_del() */
		return;
	/* The device goes, or the datapath. */
	vport_lost(v);
}

/* --- in -------------------------------------------------------------------------------------- */

COLD static void trace_port(struct pkt *p, enum stage stage, const struct vport *v)
{
	struct trace_step *s = trace_add(p, stage, SAY_VPORT);

	s->u[0] = v->no;
	memcpy(s->dev, v->name, sizeof(s->dev));
}

enum rx_result vport_frame_hook(struct worker *w, struct dev *dev, struct pkt *p)
{
	pkt_push(p, pkt_off(p) - p->mac_off);
	vport_receive(w, atomic_load_explicit(&dev->vport, memory_order_acquire), p);
	return RX_CONSUMED;
}

COLD static void trace_receive(struct vport *v, struct dp_worker *dw, struct pkt *p)
{
	if (!v->is_internal)
		trace_add(p, STAGE_vport_frame_hook, SAY_NOTHING);
	trace_port(p, STAGE_vport_receive, v);
	dw->in.traced = true;
}

void vport_receive(struct worker *w, struct vport *v, struct pkt *p)
{
	struct dp_worker *dw = &v->dp->workers[w->id];

	if (batch_is_full(&dw->in)) {
		struct batch b = dw->in;

		batch_init(&dw->in);
		dp_process_packet(w, dw, &b);
	}
	if (unlikely(pkt_trace(p)))
		trace_receive(v, dw, p);
	p->cb_ptr[0] = v;
	p->dst = NULL;
	batch_add(&dw->in, p);
	flush_queue(w, &dw->flush);
}

void vport_xmit(struct worker *w, struct dev *d, struct vport *v, struct batch *b)
{
	struct dev_stats *st = dev_stats(d, w);

	for (uint32_t i = 0; i < b->n; i++) {
		if (unlikely(!v)) {
			st->tx_dropped++;
			pkt_drop_at(w, b->p[i], DROP_port_gone, STAGE_dev_queue_xmit);
			continue;
		}
		st->tx_packets++;
		st->tx_bytes += pkt_total(b->p[i]);
		vport_receive(w, v, b->p[i]);
	}
}

struct upcall_queue *vport_queue(struct vport *v, struct worker *w, const struct pkt *p)
{
	uint32_t i = 0;

	if (v->is_tunnel && p->has_tun)
		i = (uint32_t)hash_u64(w->vx->key, p->tun.src.d[0] ^ p->tun.src.d[1], p->tun.id) %
		    v->n_sources;
	return &v->queues[w->id * v->n_sources + i];
}

/* --- out ------------------------------------------------------------------------------------- */

/* What the datapath outputs to its own device comes up on it. */
static void send_up(struct worker *w, struct vport *v, struct batch *b)
{
	struct dev_stats *st = dev_stats(v->dev, w);
	struct batch up;

	up.n = 0;
	up.traced = b->traced;
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];

		p->dev = v->dev;
		if (!dev_is_up(v->dev) || !eth_type_trans(p, v->dev)) {
			st->rx_dropped++;
			pkt_drop_at(w, p, dev_is_up(v->dev) ? DROP_pkt_too_small : DROP_dev_down,
				    STAGE_vport_send);
			continue;
		}
		st->rx_packets++;
		st->rx_bytes += pkt_total(p) + sizeof(struct eth_hdr);
		p->orig_dev = v->dev;
		p->has_tun = false;
		batch_add(&up, p);
	}
	if (up.n)
		netif_receive(w, &up);
}

/* The MTU counts what lies behind Ethernet header and first tag. */
static bool is_too_big(const struct vport *v, const struct pkt *p)
{
	uint32_t len = pkt_total(p), head = sizeof(struct eth_hdr);

	if (likely(len <= atomic_load_explicit(&v->dev->mtu, memory_order_relaxed) + head))
		return false;
	if (ethtype_is_vlan(((const struct eth_hdr *)p->data)->type))
		head += sizeof(struct vlan_hdr);
	return !p->gso_size &&
	       len > atomic_load_explicit(&v->dev->mtu, memory_order_relaxed) + head;
}

COLD static void trace_send(const struct vport *v, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (pkt_trace(b->p[i]))
			trace_port(b->p[i], STAGE_vport_send, v);
}

void vport_send(struct worker *w, struct vport *v, struct batch *b)
{
	struct batch out;

	out.n = 0;
	out.traced = b->traced;
	if (unlikely(b->traced))
		trace_send(v, b);
	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];

		if (unlikely(is_too_big(v, p))) {
			dev_stats(v->dev, w)->tx_errors++;
			p->dev = v->dev;
			pkt_drop_at(w, p, DROP_port_too_big, STAGE_vport_send);
			continue;
		}
		/* Over IPv6 the outer checksum is always there (spec/ovs.md 11.11). */
		if (p->has_tun && !ip_is4(&p->tun.dst))
			p->tun.has_csum = true;
		batch_add(&out, p);
	}
	if (!out.n)
		return;
	if (v->is_internal)
		send_up(w, v, &out);
	else
		dev_queue_xmit(w, v->dev, &out);
}
