/* SPDX-License-Identifier: Apache-2.0 */
/* What both providers of UDP sockets share; udp.h has the contract. */
#include <errno.h>
#include <sys/socket.h>

#include "net/dev.h"
#include "net/host.h"

int udp_sock_create(const struct udp_sock_cfg *cfg, bool host, struct udp_sock **out,
		    struct vx_err *err)
{
	struct vx *vx = cfg->vx;

	if (!host)
		return inet_udp_open(cfg, out, err);
	if (!vx->host || !vx->host->udp_open)
		return vx_fail(err, -EOPNOTSUPP, "there is no host to open a UDP socket on");
	return vx->host->udp_open(vx->host_ctx, cfg, out, err);
}

static void announce(struct udp_sock *sk, bool add)
{
	list_for_each (d, &sk->cfg.vx->devs, struct dev, node) {
		struct io *io = atomic_load(&d->io);
		void (*fn)(struct io *, int, uint16_t);

		if (!io)
			continue;
		fn = add ? io->ops->udp_port_add : io->ops->udp_port_del;
		if (fn)
			fn(io, sk->cfg.family, sk->cfg.port);
	}
}

void udp_tunnel_setup(struct udp_sock *sk, const struct udp_tunnel_cfg *cfg)
{
	sk->tunnel.user_data = cfg->user_data;
	sk->tunnel.encap_type = cfg->encap_type;
	sk->tunnel.err_lookup = cfg->err_lookup;
	sk->tunnel.destroy = cfg->destroy;
	sk->tunnel.gro_receive = cfg->gro_receive;
	/* Last, and the only one that is looked at before: a worker that sees the hook sees what belongs
	 * to it. */
	__atomic_store_n(&sk->tunnel.rcv, cfg->rcv, __ATOMIC_RELEASE);
	announce(sk, true);
}

void udp_sock_release(struct udp_sock *sk)
{
	if (!sk)
		return;
	if (sk->tunnel.rcv)
		announce(sk, false);
	if (sk->tunnel.destroy)
		sk->tunnel.destroy(sk);
	sk->ops->close(sk);
}

/* Stage udp_queue_rcv: the encapsulation hook first; what it leaves is ordinary UDP, for which
 * a tunnel's socket has no reader. */
uint32_t udp_queue_rcv(struct worker *w, struct udp_sock *sk, struct batch *b)
{
	udp_encap_fn *rcv = __atomic_load_n(&sk->tunnel.rcv, __ATOMIC_ACQUIRE);
	uint32_t n = b->n;

	if (unlikely(b->traced))
		for (uint32_t i = 0; i < b->n; i++)
			if (pkt_trace(b->p[i])) {
				struct trace_step *s =
					trace_add(b->p[i], STAGE_udp_queue_rcv, SAY_SOCKET);

				s->port = sk->cfg.port;
			}
	if (likely(rcv != NULL))
		rcv(w, sk, b);
	if (likely(!b->n))
		return n;
	return n - udp_queue_ordinary(w, sk, b);
}

COLD static void xmit_traced(struct worker *w, struct udp_sock *sk, struct pkt *p,
			     const struct udp_flow *f, const struct dst *d)
{
	struct trace_step *s = trace_add(p, STAGE_udp_tunnel_xmit, SAY_REMOTE);

	s->ip = f->dst;
	s->port = f->dport;
	s->len = pkt_total(p);
	sk->ops->xmit(w, sk, p, f, d);
}

void udp_tunnel_xmit(struct worker *w, struct udp_sock *sk, struct pkt *p,
		     const struct udp_flow *f, const struct dst *d)
{
	if (unlikely(pkt_trace(p)))
		xmit_traced(w, sk, p, f, d);
	else
		sk->ops->xmit(w, sk, p, f, d);
}

/* vxlan.md 3.8: what IP output says becomes the device's counters. */
void udp_tunnel_sent(struct worker *w, struct dev *dev, uint32_t l3_len, int family, int err)
{
	struct dev_stats *st = dev_stats(dev, w);

	if (!err && l3_len) {
		st->tx_packets++;
		st->tx_bytes += l3_len;
	} else if (err && family == AF_INET6) {
		st->tx_errors++;
		st->tx_aborted_errors++;
	} else {
		st->tx_dropped++;
	}
}
