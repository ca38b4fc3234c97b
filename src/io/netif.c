/* SPDX-License-Identifier: Apache-2.0 */
#include "io/netif.h"

#include <errno.h>
#include <stdio.h>

static const struct attr table[] = {
	{.name = "dev", .nl = PACKET_NL_DEV, .kind = ATTR_STRING,
	 .off = offsetof(struct packet_opts, dev), .size = DEV_NAME_MAX, .arg = "NAME",
	 .refusal = "Cannot change dev", .help = "the interface of the host that becomes a port"},
};
const struct attr_set netif_attrs = {"netif", table, ARRAY_LEN(table),
				sizeof(struct packet_opts)};

static void netif_setup(struct dev *d)
{
	d->ops = &packet_port_dev_ops;
}

/* One interface cannot be two ports: each would get, and forward, every frame. */
static int netif_validate(struct vx *vx, const struct link_cfg *cfg, const void *opts,
			  uint64_t present, struct vx_err *err)
{
	const struct packet_opts *o = opts;
	int r = packet_validate(vx, cfg, opts, present, err);

	list_for_each (d, &vx->devs, struct dev, node)
		if (r == 0 && !strcmp(d->type->kind, "netif") &&
		    !strcmp(packet_port_of(d)->host_name, o->dev))
			r = vx_fail(err, -EBUSY, "%s of the host is the port %s already", o->dev,
				    d->name);
	return r;
}

static void hide(struct packet_ctx *c, struct dev *d, struct packet_port *pp)
{
	char text[256];
	int r = c->open.hide(c->open.ctx, pp->io.ifindex, &pp->hide);

	pp->io.shared = r != 0;
	if (r == 0 || !c->warn)
		return;
	snprintf(text, sizeof(text),
		 "%s: the host's own stack sees the frames of %s, too: it refuses an eBPF drop at "
		 "tc ingress (%s)", d->name, pp->host_name, strerror(-r));
	c->warn(c->warn_ctx, text);
}

static int netif_newlink(struct dev *d, const struct link_cfg *cfg, const void *opts,
			 uint64_t present, struct vx_err *err)
{
	struct packet_ctx *c = container_of(d->type, struct packet_ctx, netif_type);
	int r = packet_port_add(c, d, cfg, opts, "netif", true, err);

	(void)present;
	if (r == 0)
		hide(c, d, packet_port_of(d));
	return r;
}

int netif_init_module(struct vx *vx, struct packet_ctx *c)
{
	c->netif_type = (struct link_type){
		.kind = "netif",
		.attrs = &netif_attrs,
		.opts_size = sizeof(struct packet_opts),
		.setup = netif_setup,
		.validate = netif_validate,
		.newlink = netif_newlink,
		.fill_info = packet_fill_info,
	};
	return link_register(vx, &c->netif_type);
}
