/* SPDX-License-Identifier: Apache-2.0 */
/* The control side of a packet socket: opening, settings, closing.  packet_xfer.c moves frames. */
#include "io/packet_sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "io/packet_xfer.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static struct packet_port *port_of(struct io *io)
{
	return container_of(io, struct packet_port, io);
}

/* --- the socket ------------------------------------------------------------------------------ */

int packet_port_bind(struct packet_port *pp, bool on)
{
	struct sockaddr_ll sa = {.sll_family = AF_PACKET,
				 .sll_protocol = on ? htons(ETH_P_ALL) : 0,
				 .sll_ifindex = (int)pp->io.ifindex};

	return bind(pp->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0;
}

static int set_promiscuous(struct packet_port *pp, bool on)
{
	struct packet_mreq m = {.mr_ifindex = (int)pp->io.ifindex, .mr_type = PACKET_MR_PROMISC};

	if (on == pp->is_promiscuous)
		return 0;
	if (setsockopt(pp->fd, SOL_PACKET, on ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, &m,
		       sizeof(m)) < 0)
		return -errno;
	pp->is_promiscuous = on;
	return 0;
}

static int set_options(int fd)
{
	static const int opts[] = {PACKET_VNET_HDR, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING};
	int one = 1;

	for (size_t i = 0; i < ARRAY_LEN(opts); i++)
		if (setsockopt(fd, SOL_PACKET, opts[i], &one, sizeof(one)) < 0)
			return -errno;
	return 0;
}

/* UDP super-frames in a virtio-net header: since Linux 6.2; there is nothing to ask but this. */
static bool has_uso(void)
{
	struct utsname u;
	int major, minor;

	return uname(&u) == 0 && sscanf(u.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 2));
}

/* What the host says of an interface, asked through the port's own socket, which may lie in
 * another namespace than vxd. */
static int ask_host(int fd, const char *name, struct host_link *l, struct vx_err *err)
{
	struct ifreq r;

	memset(&r, 0, sizeof(r));
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFINDEX, &r) < 0)
		return vx_fail(err, -ENODEV, "the host has no interface %s", name);
	*l = (struct host_link){.ifindex = (uint32_t)r.ifr_ifindex};
	if (ioctl(fd, SIOCGIFMTU, &r) < 0)
		return -errno;
	l->mtu = (uint32_t)r.ifr_mtu;
	if (ioctl(fd, SIOCGIFHWADDR, &r) < 0)
		return -errno;
	if (r.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return vx_fail(err, -EINVAL, "%s of the host is no Ethernet interface", name);
	memcpy(l->mac.b, r.ifr_hwaddr.sa_data, sizeof(l->mac.b));
	return 0;
}

/* --- operations of the port ------------------------------------------------------------------ */

static int port_set_up(struct io *io, bool up)
{
	return packet_port_bind(port_of(io), up);
}

static void put_ctx(struct packet_ctx *c, struct vx *vx)
{
	if (--c->n_ports)
		return;
	for (uint32_t i = 0; i < vx->n_workers; i++)
		for (int k = 0; k < BATCH_MAX; k++) {
			pkt_free(c->reserve[i].small[k]);
			pkt_free(c->reserve[i].big[k]);
		}
	free(c->reserve);
	c->reserve = NULL;
}

void packet_port_release(struct packet_port *pp)
{
	napi_remove(&pp->napi);
	close(pp->fd);
	put_ctx(pp->ctx, pp->io.vx);
}

void packet_port_detach(struct packet_port *pp)
{
	io_wake_del(&pp->ctx->wake, pp->fd, &pp->napi);
	packet_port_bind(pp, false);
	set_promiscuous(pp, false);
	pp->ctx->open.unhide(pp->ctx->open.ctx, &pp->hide);
}

static void port_free(void *arg)
{
	packet_port_release(arg);
	free(arg);
}

static void port_close(struct io *io, bool keep)
{
	(void)keep;
	packet_port_detach(port_of(io));
	quiesce_defer(&io->vx->quiesce, port_free, port_of(io));
}

static const struct io_ops port_ops = {
	.name = "packet",
	.rx = packet_rx,
	.tx = packet_tx,
	.set_up = port_set_up,
	.close = port_close,
};

/* --- operations of the device ---------------------------------------------------------------- */

static void port_set_rx_mode(struct dev *d)
{
	struct packet_port *pp = packet_port_of(d);

	/* Refused only for want of memory or interface; then frames for others are missed. */
	if (set_promiscuous(pp, pp->always_promiscuous || d->promiscuity) < 0 && pp->ctx->warn) {
		char text[128];

		snprintf(text, sizeof(text), "%s: the host refuses promiscuous mode of %s", d->name,
			 pp->host_name);
		pp->ctx->warn(pp->ctx->warn_ctx, text);
	}
}

/* What the database takes in is the interface itself, and so is its MTU. */
static int change_hosts_mtu(struct packet_port *pp, uint32_t mtu, struct vx_err *err)
{
	const struct io_open *open = &pp->ctx->open;
	int r = mtu == pp->host_mtu ? 0 : open->port_mtu(open->ctx, pp->io.ifindex, mtu);

	if (r < 0)
		return vx_fail(err, r, "the host refuses mtu %u for %s (%s)", mtu, pp->host_name,
			       strerror(-r));
	pp->host_mtu = mtu;
	return 0;
}

static int port_change_mtu(struct dev *d, uint32_t mtu, struct vx_err *err)
{
	struct packet_port *pp = packet_port_of(d);

	if (d->owner == OWNER_OVSDB)
		return change_hosts_mtu(pp, mtu, err);
	if (mtu > pp->host_mtu)
		return vx_fail(err, -EINVAL, "%s of the host has mtu %u: raise it there first",
			       pp->host_name, pp->host_mtu);
	pp->mtu_is_set = true;
	return 0;
}

static int port_set_mac(struct dev *d, const struct mac *mac, struct vx_err *err)
{
	struct packet_port *pp = packet_port_of(d);

	if (mac_eq(mac, &d->mac))
		return 0;
	return vx_fail(err, -EOPNOTSUPP, "%s has the address of the host's %s: change it there",
		       d->name, pp->host_name);
}

const struct dev_ops packet_port_dev_ops = {
	.xmit = port_xmit,
	.set_rx_mode = port_set_rx_mode,
	.change_mtu = port_change_mtu,
	.set_mac = port_set_mac,
};

/* --- life ------------------------------------------------------------------------------------ */

static int get_ctx(struct packet_ctx *c, struct vx *vx)
{
	if (!c->n_ports) {
		c->reserve = calloc(vx->n_workers, sizeof(*c->reserve));
		if (!c->reserve)
			return -ENOMEM;
	}
	c->n_ports++;
	return 0;
}

int packet_validate(struct vx *vx, const struct link_cfg *cfg, const void *opts, uint64_t present,
		    struct vx_err *err)
{
	const struct packet_opts *o = opts;

	(void)vx;
	(void)cfg;
	(void)present;
	if (!*o->dev)
		return vx_fail(err, -EINVAL, "which interface of the host? Add \"dev NAME\"");
	return 0;
}

void packet_fill_info(struct dev *d, void *opts)
{
	struct packet_opts *o = opts;

	memcpy(o->dev, packet_port_of(d)->host_name, sizeof(o->dev));
}

int packet_port_open(struct packet_ctx *c, struct packet_port *pp, struct vx *vx,
		     struct host_link *l, struct vx_err *err)
{
	int r;

	pp->ctx = c;
	pp->hide = (struct hide){.how = HIDE_NONE, .fd = -1};
	pp->io = (struct io){.vx = vx, .napi = &pp->napi,
			     .can = IO_CAN_CSUM | IO_CAN_TSO | IO_CAN_FRAGS |
				    (has_uso() ? IO_CAN_USO : 0)};
	pp->fd = c->open.packet(c->open.ctx, pp->host_name);
	if (pp->fd < 0)
		return vx_fail(err, pp->fd, "cannot open a packet socket for %s (%s)%s",
			       pp->host_name, strerror(-pp->fd),
			       pp->fd == -EPERM   ? ": it needs root or CAP_NET_RAW"
			       : pp->fd == -EPIPE ? ": vxd's helper has ended, restart vxd"
						  : "");
	r = ask_host(pp->fd, pp->host_name, l, err);
	if (r == 0)
		r = set_options(pp->fd);
	if (r == 0)
		r = get_ctx(c, vx);
	if (r < 0) {
		close(pp->fd);
		return r;
	}
	pp->io.ifindex = l->ifindex;
	pp->host_mtu = MIN(l->mtu, (uint32_t)DEV_MTU_MAX);
	return 0;
}

/* The host's settings, and those of the request that do not contradict them. */
static int take_settings(struct packet_port *pp, struct dev *d, const struct link_cfg *cfg,
			 const struct host_link *l, struct vx_err *err)
{
	if (cfg->has_mac && !mac_eq(&cfg->mac, &l->mac))
		return vx_fail(err, -EOPNOTSUPP,
			       "a %s port has the address of its interface: leave it out or "
			       "change that of %s", d->type->kind, pp->host_name);
	if (cfg->has_mtu && cfg->mtu > pp->host_mtu)
		return vx_fail(err, -EINVAL, "%s of the host has mtu %u: raise it there first",
			       pp->host_name, pp->host_mtu);
	pp->mtu_is_set = cfg->has_mtu;
	d->mtu = cfg->has_mtu ? cfg->mtu : pp->host_mtu;
	d->mac = l->mac;
	d->lower_index = l->ifindex;
	memcpy(d->lower_name, pp->host_name, sizeof(d->lower_name));
	return 0;
}

int packet_port_add(struct packet_ctx *c, struct dev *d, const struct link_cfg *cfg,
		    const struct packet_opts *o, const char *kind, bool promiscuous,
		    struct vx_err *err)
{
	struct packet_port *pp = calloc(1, sizeof(*pp));
	struct vx *vx = d->vx;
	struct host_link l;
	int r;

	if (!pp)
		return -ENOMEM;
	pp->always_promiscuous = promiscuous;
	snprintf(pp->host_name, sizeof(pp->host_name), "%s", o->dev);
	r = packet_port_open(c, pp, vx, &l, err);
	if (r < 0)
		goto out_free;
	pp->io.ops = &port_ops;
	pp->io.dev = d;
	pp->io.kind = kind;
	r = take_settings(pp, d, cfg, &l, err);
	if (r < 0)
		goto out_put;
	napi_init(&pp->napi, vx->workers[vx->n_devs % vx->n_workers], port_poll, &pp->io);
	pp->napi.name = d->name;
	r = set_promiscuous(pp, promiscuous);
	if (r == 0)
		r = io_wake_add(&c->wake, pp->fd, &pp->napi);
	if (r < 0)
		goto out_put;
	atomic_store_explicit(&d->io, &pp->io, memory_order_release);
	return 0;
out_put:
	put_ctx(c, vx);
	close(pp->fd);
out_free:
	free(pp);
	return r;
}

void packet_host_renamed(struct dev *d, const char *name)
{
	if (d->ops == &packet_port_dev_ops)
		snprintf(packet_port_of(d)->host_name, DEV_NAME_MAX, "%s", name);
}

bool packet_mtu_is_set(struct dev *d)
{
	return packet_port_of(d)->mtu_is_set;
}

void packet_host_changed(struct vx *vx, const struct host_link *l, bool gone)
{
	list_for_each (d, &vx->devs, struct dev, node) {
		struct packet_port *pp;

		if (d->ops != &packet_port_dev_ops || d->lower_index != l->ifindex || gone)
			continue;
		pp = packet_port_of(d);
		pp->host_mtu = MIN(l->mtu, (uint32_t)DEV_MTU_MAX);
		if (!mac_is_zero(&l->mac) && !mac_eq(&l->mac, &d->mac))
			dev_follow_mac(d, &l->mac);
		if (pp->mtu_is_set && d->mtu <= pp->host_mtu)
			continue;
		dev_set_mtu(d, pp->host_mtu, NULL);
		pp->mtu_is_set = false;
	}
}
