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

static int set_link(struct io *io, uint32_t mtu, const struct mac *mac, int up)
{
	return host_link_set(veth_of(io)->host, io->dev->netns, veth_of(io)->ifindex, mtu, mac, up);
}

static int veth_set_mac(struct io *io, const struct mac *mac)
{
	return set_link(io, 0, mac, -1);
}

static int veth_set_mtu(struct io *io, uint32_t mtu)
{
	return set_link(io, mtu, NULL, -1);
}

static int veth_set_up(struct io *io, bool up)
{
	return set_link(io, 0, NULL, up);
}

static int veth_set_name(struct io *io, const char *name)
{
	struct veth *v = veth_of(io);
	int r = host_link_rename(v->host, io->dev->netns, v->ifindex, name);

	/* The hidden end goes along: the next start looks for it by this name. */
	if (r == 0)
		snprintf(v->pp.host_name, sizeof(v->pp.host_name), HIDDEN_NAME, name);
	return r;
}

/* The pair lives as long as its hidden end, which is in our namespace. */
int veth_side_find(struct dev *d, struct link_where *out)
{
	struct veth *v = veth_of(atomic_load(&d->host));
	struct io_host *h = v->host;
	struct host_link l;

	if (host_link_get(h, v->pp.io.ifindex, NULL, &l) < 0)
		return -ENODEV;
	return h->open->link_find(h->open->ctx, d->netns, v->ifindex, out) < 0 ? -EAGAIN : 0;
}

uint32_t *veth_side_index(struct io *io)
{
	return &veth_of(io)->ifindex;
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
		v->host->open->link_del(v->host->open->ctx, io->dev->netns, v->ifindex);
	quiesce_defer(&io->vx->quiesce, veth_free, v);
}

static const struct io_ops veth_ops = {
	.name = "veth",
	.rx = packet_rx,
	.tx = packet_tx,
	.set_mac = veth_set_mac,
	.set_mtu = veth_set_mtu,
	.set_up = veth_set_up,
	.set_name = veth_set_name,
	.close = veth_close,
};

/* The pair, its settings, the socket on the hidden end. */
static int make(struct veth *v, struct dev *d, bool adopt, const char *why, struct vx_err *err)
{
	const struct io_open *open = v->host->open;
	struct side_ask ask;
	struct host_link l;
	int r;

	host_side_ask(&ask, d, adopt);
	memcpy(ask.hidden, v->pp.host_name, sizeof(ask.hidden));
	r = open->veth(open->ctx, &ask, &v->ifindex, err);
	if (r == -EPERM || (r < 0 && !*err->text))
		return vx_fail(err, r,
			       "cannot open /dev/net/tun (%s) nor make a veth pair (%s): run as root "
			       "or in a user namespace, or make the device with \"nohost\"",
			       why, strerror(-r));
	return r < 0 ? r : packet_port_open(v->host->packet, &v->pp, d->vx, &l, err);
}

int veth_side_add(struct io_host *h, struct dev *d, bool adopt, const char *why, struct vx_err *err)
{
	struct veth *v;
	struct vx *vx = d->vx;
	int r;

	if (!h->packet)
		return vx_fail(err, -EOPNOTSUPP, "cannot open /dev/net/tun (%s)", why);
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->host = h;
	snprintf(v->pp.host_name, sizeof(v->pp.host_name), HIDDEN_NAME, d->name);
	r = make(v, d, adopt, why, err);
	if (r < 0)
		goto out_del;
	if (!*d->netns)
		d->ifindex = v->ifindex;
	v->pp.io.ops = &veth_ops;
	v->pp.io.dev = d;
	v->pp.io.kind = "veth";
	/* The host does not see what its other end sends; where this is refused it drops it, as
	 * frames for somebody else. */
	h->packet->open.hide(h->packet->open.ctx, v->pp.io.ifindex, &v->pp.hide);
	napi_init(&v->pp.napi, vx->workers[v->ifindex % vx->n_workers], port_host_poll, &v->pp.io);
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
		h->open->link_del(h->open->ctx, d->netns, v->ifindex);
	free(v);
	return r;
}
