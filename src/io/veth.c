/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of a virtual device where /dev/net/tun cannot be opened: a veth pair.  The host
 * has the end with the device's name; vxd has the other one, NAME.vxh, as a packet socket with
 * virtio-net headers, and keeps the host's own stack away from it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/host.h"
#include "io/packet_sock.h"
#include "io/packet_xfer.h"
#include "net/dev.h"

struct veth {
	struct packet_port pp; /* the hidden end */
	struct io_host *host;
	uint32_t ifindex; /* of the end that the host has */
};

static struct veth *veth_of(struct io *io)
{
	return container_of(io, struct veth, pp.io);
}

static int veth_set_mac(struct io *io, const struct mac *mac)
{
	return host_link_set(veth_of(io)->host, veth_of(io)->ifindex, 0, mac, -1);
}

static int veth_set_mtu(struct io *io, uint32_t mtu)
{
	return host_link_set(veth_of(io)->host, veth_of(io)->ifindex, mtu, NULL, -1);
}

static int veth_set_up(struct io *io, bool up)
{
	return host_link_set(veth_of(io)->host, veth_of(io)->ifindex, 0, NULL, up);
}

static void veth_free(void *arg)
{
	struct veth *v = arg;

	packet_port_release(&v->pp);
	free(v);
}

static void veth_close(struct io *io, bool keep)
{
	struct veth *v = veth_of(io);

	packet_port_detach(&v->pp);
	atomic_store(&io->dev->host, NULL);
	if (!keep)
		host_link_del(v->host, v->ifindex);
	quiesce_defer(&io->vx->quiesce, veth_free, v);
}

static const struct io_ops veth_ops = {
	.name = "veth",
	.rx = packet_rx,
	.tx = packet_tx,
	.set_mac = veth_set_mac,
	.set_mtu = veth_set_mtu,
	.set_up = veth_set_up,
	.close = veth_close,
};

/* The pair, its settings, the socket on the hidden end. */
static int make(struct veth *v, struct dev *d, const char *why, struct vx_err *err)
{
	struct io_host *h = v->host;
	struct host_link l;
	int r = host_veth_add(h, d->name, v->pp.host_name);

	if (r < 0)
		return vx_fail(err, r,
			       "cannot open /dev/net/tun (%s) nor make a veth pair (%s): run as root "
			       "or in a user namespace, or make the device with \"nohost\"",
			       why, strerror(-r));
	r = host_link_get(h, 0, d->name, &l);
	if (r == 0) {
		v->ifindex = l.ifindex;
		r = host_link_set(h, l.ifindex, d->mtu, &d->mac, -1);
	}
	if (r == 0)
		r = host_link_get(h, 0, v->pp.host_name, &l);
	if (r < 0)
		return vx_fail(err, r, "the host refuses settings of the veth pair %s (%s)", d->name,
			       strerror(-r));
	host_link_silence(h, v->pp.host_name, l.ifindex);
	return packet_port_open(h->packet, &v->pp, d->vx, &l, err);
}

int veth_side_add(struct io_host *h, struct dev *d, bool adopt, const char *why, struct vx_err *err)
{
	struct veth *v;
	struct vx *vx = d->vx;
	int r;

	(void)adopt;
	if (!h->packet)
		return vx_fail(err, -EOPNOTSUPP, "cannot open /dev/net/tun (%s)", why);
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->host = h;
	snprintf(v->pp.host_name, sizeof(v->pp.host_name), "%.11s.vxh", d->name);
	r = make(v, d, why, err);
	if (r < 0)
		goto out_del;
	d->ifindex = v->ifindex;
	v->pp.io.ops = &veth_ops;
	v->pp.io.dev = d;
	v->pp.io.kind = "veth";
	/* The host does not see what its other end sends; where this is refused it drops it, as
	 * frames for somebody else. */
	h->packet->open.hide(h->packet->open.ctx, v->pp.io.ifindex, &v->pp.hide);
	napi_init(&v->pp.napi, vx->workers[d->ifindex % vx->n_workers], port_host_poll, &v->pp.io);
	v->pp.napi.name = d->name;
	atomic_store_explicit(&d->host, &v->pp.io, memory_order_release);
	r = packet_port_bind(&v->pp, true);
	if (r == 0)
		r = h->wake->add(h->wake->ctx, v->pp.fd, &v->pp.napi);
	if (r == 0)
		return 0;
	atomic_store(&d->host, NULL);
	packet_port_release(&v->pp);
out_del:
	if (v->ifindex)
		host_link_del(h, v->ifindex);
	free(v);
	return r;
}
