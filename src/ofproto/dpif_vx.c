/* SPDX-License-Identifier: Apache-2.0 */
/* vx's own datapath as a kind of dpif: its ports are devices, its tunnels external VXLAN devices.
 */
#include "ofproto/dpif.h"

#include <errno.h>
#include <stdlib.h>

#include "datapath/internal.h"
#include "net/link.h"
#include "ofproto/ofproto_priv.h"
#include "ofproto/translate.h"
#include "vxlan/device.h"

static const char *const types[] = {"system", "netdev", NULL};

/* --- the datapath ---------------------------------------------------------------------------- */

/* A device of a port was removed: by netlink, or with its interface on the host. */
static void port_gone(void *ctx, const struct vport *v)
{
	struct dpif *d = ctx;

	list_for_each (port, &d->ports, struct dpif_port, node)
		if (port->vport == v) {
			port->vport = NULL;
			port->dev = NULL;
			port->gone = true;
			ofproto_port_lost(d, port);
			return;
		}
}

static int vx_open(struct dpif *d, struct vx_err *err)
{
	int r = dp_new(d->vx, d->name, err, &d->dp);

	if (r < 0)
		return r;
	d->dp->ctx = d;
	d->dp->upcall = translate_upcall;
	d->dp->port_gone = port_gone;
	d->table = &d->dp->table;
	return 0;
}

static void vx_close(struct dpif *d)
{
	if (d->dp)
		dp_del(d->dp);
	d->dp = NULL;
}

static void vx_get_stats(struct dpif *d, struct dp_stats *out)
{
	dp_sum_stats(d->dp, out);
}

/* --- ports ----------------------------------------------------------------------------------- */

static int link_port(struct dpif *d, struct dpif_port *port, bool is_tunnel, struct vx_err *err)
{
	int r = vport_new(d->dp, port->name, VPORT_ANY, is_tunnel, err, &port->vport);

	if (r == 0) {
		port->no = port->vport->no;
		port->dev = port->vport->dev;
	}
	return r;
}

/* A device that is made for this port, and goes with it. */
static int made_port(struct dpif *d, struct dpif_port *port, const struct link_type *t,
		     const struct link_cfg *cfg, const void *opts, uint64_t present, bool is_tunnel,
		     struct vx_err *err)
{
	struct dev *dev;
	int r = link_newlink(d->vx, t, cfg, opts, present, err, &dev);

	if (r < 0)
		return r;
	r = link_port(d, port, is_tunnel, err);
	if (r < 0)
		link_dellink(dev, false);
	else
		port->made_dev = true;
	return r;
}

/* vxlan_sys_4789: spec/ovs.md 3.3, 11.3.  A name or UDP port that is taken, by whomever, is "in
 * use". */
static int add_tunnel(struct dpif *d, const struct dpif_port_cfg *c, struct dpif_port *port,
		      struct vx_err *err)
{
	const struct link_type *t = link_type_find(d->vx, "vxlan");
	struct link_cfg cfg = {.owner = OWNER_OVSDB,
			       .has_mtu = true,
			       .mtu = 65000,
			       .nohost = true,
			       .has_nohost = true,
			       .has_up = true,
			       .up = true,
			       .maker = "ovs-vsctl"};
	struct vxlan_opts o = {0};
	int r;

	if (!t)
		return vx_fail(err, -EOPNOTSUPP, "there is no link type vxlan");
	memcpy(cfg.name, c->name, sizeof(cfg.name));
	attr_defaults(&vxlan_attrs, &o);
	o.external = true;
	o.learning = false;
	o.udp6zerocsumrx = true;
	o.gbp = c->gbp;
	o.dstport = c->udp_port;
	r = made_port(d, port, t, &cfg, &o,
		      VXA_BIT(VXA_EXTERNAL) | VXA_BIT(VXA_LEARNING) | VXA_BIT(VXA_ZCSUM6RX) |
			      VXA_BIT(VXA_DSTPORT) | (c->gbp ? VXA_BIT(VXA_GBP) : 0),
		      true, err);
	if (r == 0)
		port->sees_outer = !vxlan_dev(port->dev)->host;
	return r == -EEXIST ? -EADDRINUSE : r;
}

/* One of vx's devices, else one of the host's, which is taken in. */
static int add_system(struct dpif *d, const struct dpif_port_cfg *c, struct dpif_port *port,
		      struct vx_err *err)
{
	const struct link_type *t = link_type_find(d->vx, "netif");
	struct link_cfg cfg = {.owner = OWNER_OVSDB,
			       .has_up = true,
			       .up = true,
			       .takes_in = true,
			       .maker = "ovs-vsctl"};
	int at = t ? attr_by_word(t->attrs, "dev", &(bool){false}) : -1, r;
	uint8_t *opts;

	if (dev_by_name(d->vx, c->name))
		return link_port(d, port, false, err);
	if (at < 0)
		return vx_fail(err, -ENODEV, "there is no device %s", c->name);
	opts = calloc(1, t->opts_size);
	if (!opts)
		return -ENOMEM;
	attr_defaults(t->attrs, opts);
	memcpy(opts + t->attrs->attrs[at].off, c->name, sizeof(c->name));
	memcpy(cfg.name, c->name, sizeof(cfg.name));
	r = made_port(d, port, t, &cfg, opts, 1ull << at, false, err);
	free(opts);
	return r;
}

static int add_internal(struct dpif *d, const struct dpif_port_cfg *c, struct dpif_port *port,
			struct vx_err *err)
{
	int r = internal_new(d->dp, c->name, VPORT_ANY, err, &port->vport);

	if (r < 0) /* a name that is anybody else's: as 3.1 has it */
		return r == -EEXIST ? -EINVAL : r;
	port->no = port->vport->no;
	port->dev = port->vport->dev;
	port->made_dev = true;
	return 0;
}

static int vx_port_add(struct dpif *d, const struct dpif_port_cfg *cfg, struct dpif_port *port,
		       struct vx_err *err)
{
	/* That would be "any number" in a device's name. */
	if (strcmp(cfg->type, "vxlan") != 0 && strchr(cfg->name, '%'))
		return vx_fail(err, -EINVAL, "\"%s\" is no valid interface name", cfg->name);
	if (!strcmp(cfg->type, "internal"))
		return add_internal(d, cfg, port, err);
	if (!strcmp(cfg->type, "vxlan"))
		return add_tunnel(d, cfg, port, err);
	return add_system(d, cfg, port, err);
}

static void vx_port_del(struct dpif *d, struct dpif_port *port, bool del)
{
	struct vport *v = port->vport;
	struct dev *dev = port->dev;

	(void)d;
	if (!v)
		return;
	port->vport = NULL;
	if (v->is_internal) { /* not one of another datapath, as whose system port it is here */
		internal_del(v, !del);
		return;
	}
	vport_del(v);
	if (port->made_dev)
		link_dellink(dev, false);
}

const struct dpif_class dpif_vx_class = {
	.types = types,
	.open = vx_open,
	.close = vx_close,
	.port_add = vx_port_add,
	.port_del = vx_port_del,
	.get_stats = vx_get_stats,
};
