/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of a virtual device: a TAP under the device's own name, with virtio-net headers,
 * so that super-frames and unfinished checksums cross whole.  Multi-queue and persistent from the
 * first, one queue attached.  One that somebody else left may be single-queue, and stays so: the
 * kernel does not change that.
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io/host.h"
#include "io/side.h"
#include "io/vnet.h"
#include "net/dev.h"
#include "net/link.h"
#include "net/napi.h"
#include "wire/eth.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

struct tap {
	struct io io;
	struct io_host *host;
	struct napi napi;
	int fd;
	_Atomic bool lost; /* its interface is gone */
	struct pkt *big; /* room for the rest of a super-frame, kept from read to read */
};

static struct tap *tap_of(struct io *io)
{
	return container_of(io, struct tap, io);
}

/* The interface went without us, with its namespace perhaps, which tells nobody: control has to
 * know, or the descriptor would be ready for ever (control.md I3). */
static void lose(struct tap *t)
{
	if (!atomic_exchange(&t->lost, true) && t->host->side_lost)
		t->host->side_lost(t->host->ctx);
}

/* One frame: its first bytes into a small buffer, the rest of a super-frame into a big one.
 * NULL: nothing there, or no buffer (*err: what read said). */
static struct pkt *read_frame(struct tap *t, struct worker *w, bool *dropped)
{
	struct pkt *p = pkt_new(w->pool, PBUF_SMALL);
	struct virtio_net_hdr h;
	struct iovec iov[3];
	ssize_t n;

	*dropped = false;
	if (!t->big)
		t->big = pkt_new(w->pool, PBUF_BIG);
	if (!p || !t->big) {
		pkt_free(p);
		return NULL;
	}
	iov[0] = (struct iovec){&h, sizeof(h)};
	iov[1] = (struct iovec){p->data, PBUF_SMALL};
	iov[2] = (struct iovec){t->big->data, PBUF_BIG};
	n = readv(t->fd, iov, 3);
	if (n < (ssize_t)sizeof(h)) {
		if (n < 0 && errno == EBADFD)
			lose(t);
		pkt_free(p);
		return NULL;
	}
	w->acct.rx++;
	n -= (ssize_t)sizeof(h);
	p->len = MIN((uint32_t)n, (uint32_t)PBUF_SMALL);
	p->dev = p->orig_dev = t->io.dev;
	if (n > PBUF_SMALL) {
		t->big->len = (uint32_t)n - PBUF_SMALL;
		pkt_add_frag(p, t->big);
		t->big = NULL;
	}
	if (!vnet_get(p, &h) || p->len < sizeof(struct eth_hdr)) {
		pkt_drop_at(w, p, DROP_pkt_too_small, STAGE_io_rx);
		*dropped = true;
		return NULL;
	}
	return p;
}

/* Of one poll: super-frames that are still in the cache when they are cut and sent. */
enum { RX_BYTES = 256 << 10 };

static uint32_t tap_rx(struct io *io, struct worker *w, struct batch *b, uint32_t budget)
{
	uint32_t n = 0, bytes = 0;

	while (n < budget && bytes < RX_BYTES) {
		bool dropped;
		struct pkt *p = read_frame(tap_of(io), w, &dropped);

		if (!p && !dropped)
			return n;
		n++;
		if (p) {
			bytes += pkt_total(p);
			batch_add(b, p);
		}
	}
	return budget; /* there may be more */
}

enum { TX_IOV = 64 };

/* Header, linear part and frags as an iovec; 0 if there are too many pieces. */
static int gather(const struct pkt *p, struct virtio_net_hdr *h, struct iovec *iov)
{
	int n = 0;

	iov[n++] = (struct iovec){h, sizeof(*h)};
	iov[n++] = (struct iovec){p->data, p->len};
	for (const struct pkt *f = p->frags; f; f = f->next) {
		if (n == TX_IOV)
			return 0;
		iov[n++] = (struct iovec){f->data, f->len};
	}
	return n;
}

static void tap_tx(struct io *io, struct worker *w, struct batch *b)
{
	struct tap *t = tap_of(io);

	for (uint32_t i = 0; i < b->n; i++) {
		struct pkt *p = b->p[i];
		struct virtio_net_hdr h;
		struct iovec iov[TX_IOV];
		int n;

		vnet_put(p, &h);
		n = gather(p, &h, iov);
		if (n && writev(t->fd, iov, n) >= 0) {
			w->acct.tx++;
			pkt_free(p);
			continue;
		}
		/* EIO: the interface is down. */
		pkt_drop_at(w, p, !n ? DROP_tx_too_big : errno == EAGAIN ? DROP_tx_queue_full
						     : errno == EIO    ? DROP_host_refused
								       : DROP_tx_failed,
			    STAGE_dev_to_host);
	}
	b->n = 0;
}

static int tap_set_mac(struct io *io, const struct mac *mac)
{
	return host_link_set(tap_of(io)->host, io->dev->netns, io->ifindex, 0, mac, -1);
}

static int tap_set_mtu(struct io *io, uint32_t mtu)
{
	return host_link_set(tap_of(io)->host, io->dev->netns, io->ifindex, mtu, NULL, -1);
}

static int tap_set_up(struct io *io, bool up)
{
	return host_link_set(tap_of(io)->host, io->dev->netns, io->ifindex, 0, NULL, up);
}

static int tap_set_name(struct io *io, const char *name)
{
	return host_link_rename(tap_of(io)->host, io->dev->netns, io->ifindex, name);
}

static void tap_free(void *arg)
{
	struct tap *t = arg;

	close(t->fd);
	pkt_free(t->big);
	free(t);
}

/* What others hold of it goes with our descriptor.  A worker may have that for a while: the interface
 * goes at once, as its name may be wanted. */
static void give_up(struct tap *t, const char *netns, uint32_t ifindex, bool keep)
{
	const struct io_open *open = t->host->open;

	if (!keep)
		ioctl(t->fd, TUNSETPERSIST, 0);
	if (keep || open->link_del(open->ctx, netns, ifindex) < 0)
		open->tap_done(open->ctx, netns, ifindex);
}

static void tap_close(struct io *io, bool keep)
{
	struct tap *t = tap_of(io);

	t->host->wake->del(t->host->wake->ctx, t->fd, &t->napi);
	atomic_store(&io->dev->host, NULL);
	give_up(t, io->dev->netns, io->ifindex, keep);
	quiesce_defer(&io->vx->quiesce, tap_free, t);
}

static const struct io_ops tap_ops = {
	.name = "tap",
	.rx = tap_rx,
	.tx = tap_tx,
	.set_mac = tap_set_mac,
	.set_mtu = tap_set_mtu,
	.set_up = tap_set_up,
	.set_name = tap_set_name,
	.close = tap_close,
};

bool host_side_is_lost(struct dev *d)
{
	struct io *io = atomic_load(&d->host);

	return io && io->ops == &tap_ops && atomic_load(&tap_of(io)->lost);
}

int host_side_find(struct dev *d, struct link_where *out)
{
	struct io *io = atomic_load(&d->host);
	const struct io_open *open;

	if (io->ops != &tap_ops)
		return veth_side_find(d, out);
	/* The queue knows best, and needs nobody. */
	if (tap_name(tap_of(io)->fd, out->name) < 0)
		return -ENODEV;
	open = tap_of(io)->host->open;
	return open->link_find(open->ctx, d->netns, io->ifindex, out) < 0 ? -EAGAIN : 0;
}

static uint32_t *index_of(struct dev *d)
{
	struct io *io = atomic_load(&d->host);

	return io->ops == &tap_ops ? &io->ifindex : veth_side_index(io);
}

uint32_t host_side_index(struct dev *d)
{
	return *index_of(d);
}

void host_side_set_index(struct dev *d, uint32_t ifindex)
{
	*index_of(d) = ifindex;
}

void host_side_ask(struct side_ask *a, const struct dev *d, bool adopt)
{
	*a = (struct side_ask){.mtu = d->mtu, .mac = d->mac};
	a->adopt = !adopt ? ADOPT_NONE : d->owner == OWNER_OVSDB ? ADOPT_ANY : ADOPT_OURS;
	memcpy(a->netns, d->netns, sizeof(a->netns));
	memcpy(a->name, *d->host_name ? d->host_name : d->name, sizeof(a->name));
}

/* Sets *can to what the host takes and gives. */
static int set_offloads(int fd, uint32_t *can)
{
	unsigned int basic = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	int size = sizeof(struct virtio_net_hdr);

	if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0)
		return -errno;
	*can = IO_CAN_CSUM | IO_CAN_TSO | IO_CAN_FRAGS;
	/* USO since Linux 6.2. */
	if (ioctl(fd, TUNSETOFFLOAD, basic | TUN_F_USO4 | TUN_F_USO6) == 0)
		*can |= IO_CAN_USO;
	else if (ioctl(fd, TUNSETOFFLOAD, basic) < 0)
		return -errno;
	return ioctl(fd, TUNSETPERSIST, 1) < 0 ? -errno : 0;
}

static int start(struct tap *t, struct dev *d, uint32_t ifindex, struct vx_err *err)
{
	struct vx *vx = d->vx;
	uint32_t can = 0;
	int r = set_offloads(t->fd, &can);

	if (r < 0)
		return vx_fail(err, r, "the host refuses settings of the TAP %s (%s)", d->name,
			       strerror(-r));

	t->io = (struct io){.ops = &tap_ops, .vx = vx, .dev = d, .ifindex = ifindex,
			    .kind = "tap", .napi = &t->napi, .can = can};
	napi_init(&t->napi, vx->workers[ifindex % vx->n_workers], port_host_poll, &t->io);
	t->napi.name = d->name;
	atomic_store_explicit(&d->host, &t->io, memory_order_release);
	r = t->host->wake->add(t->host->wake->ctx, t->fd, &t->napi);
	if (r < 0)
		atomic_store(&d->host, NULL);
	return r;
}

/* One that was there may be anything: d is as it is. */
static void take_form(struct dev *d, const struct side_ask *a, uint32_t ifindex)
{
	d->mtu = a->mtu;
	d->mac = a->mac;
	memcpy(d->netns, a->netns, sizeof(d->netns));
	if (strcmp(a->name, *d->host_name ? d->host_name : d->name) && link_name_prints(a->name))
		memcpy(d->host_name, a->name, sizeof(d->host_name));
	/* Elsewhere it counts from 2^20, as a device without a host side does (control.md I1). */
	if (!*d->netns)
		d->ifindex = ifindex;
	if (a->is_up)
		dev_change_flags(d, true, NULL);
}

int tap_side_add(struct io_host *h, struct dev *d, bool adopt, struct vx_err *err)
{
	struct tap *t = calloc(1, sizeof(*t));
	struct vx_err dummy = {0};
	struct host_link l;
	struct side_ask ask;
	uint32_t ifindex = 0;
	int r;

	if (!err)
		err = &dummy;
	if (!t)
		return -ENOMEM;
	t->host = h;
	host_side_ask(&ask, d, adopt);
	if (adopt && !*d->netns && host_link_get(h, 0, d->name, &l) == 0)
		d->link_flags |= DEV_TAKEN_OVER;
	r = t->fd = h->open->tap(h->open->ctx, &ask, &ifindex, err);
	if (r < 0 && !*err->text)
		r = veth_side_add(h, d, adopt, strerror(-r), err);
	if (t->fd < 0)
		goto out_free;
	take_form(d, &ask, ifindex);
	r = start(t, d, ifindex, err);
	if (r == 0)
		return 0;
	give_up(t, d->netns, ifindex, false);
	close(t->fd);
out_free:
	free(t);
	return r;
}
