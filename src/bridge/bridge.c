/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge as a link type and device: how it is made, changed and removed, and its FDB. */
#include "bridge/bridge.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <stdlib.h>

#include "bridge/options.h"

/* --- options --------------------------------------------------------------------------------- */

static int check(const struct bridge_opts *o, uint64_t present, struct vx_err *err)
{
	for (uint32_t i = BRA_FIRST_REFUSED; i < bridge_attrs.n; i++) {
		const struct attr *a = &bridge_attrs.attrs[i];

		if ((present & BRA_BIT(i)) && attr_get(a, o) != a->def) {
			if (err)
				err->attr = a->nl;
			return vx_fail(err, -EOPNOTSUPP, "%s", a->refusal);
		}
	}
	return 0;
}

static int bridge_validate(struct vx *vx, const struct link_cfg *cfg, const void *opts,
			   uint64_t present, struct vx_err *err)
{
	(void)vx;
	(void)cfg;
	return check(opts, present, err);
}

static void set_max_learned(struct bridge *br, uint32_t n)
{
	br->max_learned = n;
	pthread_mutex_lock(&br->macs.lock);
	br->macs.limit = n ? MIN(n, (uint32_t)MAC_LIMIT) : MAC_LIMIT;
	pthread_mutex_unlock(&br->macs.lock);
}

static int bridge_newlink(struct dev *d, const struct link_cfg *cfg, const void *opts,
			  uint64_t present, struct vx_err *err)
{
	const struct bridge_opts *o = opts;
	struct bridge *br = bridge_of(d);

	(void)present;
	(void)err;
	atomic_store(&br->ageing_cs, o->ageing_time);
	set_max_learned(br, o->fdb_max_learned);
	br->mtu_is_set = cfg->has_mtu;
	if (cfg->has_mtu)
		d->mtu = cfg->mtu;
	br->addr = d->mac;
	mac_add_local(&br->macs, &br->addr, NULL);
	return 0;
}

static int bridge_changelink(struct dev *d, const void *opts, uint64_t present, struct vx_err *err)
{
	const struct bridge_opts *o = opts;
	struct bridge *br = bridge_of(d);
	int r = check(o, present, err);

	if (r < 0)
		return r;
	if (present & BRA_BIT(BRA_AGEING_TIME)) {
		atomic_store(&br->ageing_cs, o->ageing_time);
		br->next_age = 0;
	}
	if (present & BRA_BIT(BRA_FDB_MAX_LEARNED))
		set_max_learned(br, o->fdb_max_learned);
	if ((present & BRA_BIT(BRA_FDB_FLUSH)) && o->fdb_flush)
		mac_flush(&br->macs, NULL, true, NULL);
	return 0;
}

static void bridge_fill_info(struct dev *d, void *opts)
{
	struct bridge_opts *o = opts;

	attr_defaults(&bridge_attrs, o);
	o->ageing_time = atomic_load(&bridge_of(d)->ageing_cs);
	o->fdb_max_learned = bridge_of(d)->max_learned;
}

/* --- device ---------------------------------------------------------------------------------- */

static int bridge_init(struct dev *d)
{
	struct bridge *br = bridge_of(d);
	uint32_t n = d->vx->n_workers;
	struct bridge_ports *none = calloc(1, sizeof(*none));

	br->dev = d;
	br->workers = aligned_alloc(CACHE_LINE, n * sizeof(*br->workers));
	if (!none || !br->workers || mac_table_init(&br->macs, d->vx, d) < 0) {
		free(none);
		free(br->workers);
		return -ENOMEM;
	}
	memset(br->workers, 0, n * sizeof(*br->workers));
	for (uint32_t i = 0; i < n; i++) {
		br->workers[i].br = br;
		br->workers[i].flush.fn = bridge_turn;
		list_init(&br->workers[i].flush.node);
		list_init(&br->workers[i].dirty);
	}
	atomic_store(&br->ports, none);
	return 0;
}

static void bridge_uninit(struct dev *d)
{
	struct bridge *br = bridge_of(d);

	/* Frames are in there within a turn only, whose end flushes, and no turn is under way. */
	for (uint32_t i = 0; i < d->vx->n_workers; i++)
		assert(!br->workers[i].in.n && !br->workers[i].flush.queued);
	mac_table_done(&br->macs);
	free(br->workers);
	free(atomic_load(&br->ports));
}

static int bridge_open(struct dev *d, struct vx_err *err)
{
	(void)err;
	bridge_of(d)->next_age = 0;
	return 0;
}

static void bridge_stop(struct dev *d)
{
	mac_flush(&bridge_of(d)->macs, NULL, true, NULL);
}

void bridge_follow_mtu(struct bridge *br)
{
	struct bridge_ports *ports = atomic_load(&br->ports);
	uint32_t mtu = ports->n ? UINT32_MAX : 1500;

	for (uint32_t i = 0; i < ports->n; i++)
		mtu = MIN(mtu, ports->p[i]->dev->mtu);
	if (br->mtu_is_set)
		return;
	br->mtu_is_auto = true;
	dev_set_mtu(br->dev, mtu, NULL);
	br->mtu_is_auto = false;
}

static int bridge_change_mtu(struct dev *d, uint32_t mtu, struct vx_err *err)
{
	(void)mtu;
	(void)err;
	bridge_of(d)->mtu_is_set |= !bridge_of(d)->mtu_is_auto;
	return 0;
}

static int bridge_set_mac(struct dev *d, const struct mac *mac, struct vx_err *err)
{
	struct bridge *br = bridge_of(d);

	(void)err;
	mac_del_local(&br->macs, &br->addr, NULL);
	br->addr = *mac;
	mac_add_local(&br->macs, &br->addr, NULL);
	return 0;
}

static uint64_t bridge_timer(struct dev *d, uint64_t now)
{
	struct bridge *br = bridge_of(d);
	uint32_t cs = atomic_load(&br->ageing_cs);

	if (!dev_is_up(d))
		return UINT64_MAX;
	if (now >= br->next_age)
		br->next_age = now + mac_age(&br->macs, now, cs * 10ull) * NS_PER_MS;
	return br->next_age;
}

/* --- FDB ------------------------------------------------------------------------------------- */

/* The bridge that a request is for, and its port, NULL: the bridge itself. */
static struct bridge *fdb_target(struct dev *d, struct dev *port_dev, struct bridge_port **port)
{
	if (!dev_is_bridge(d)) {
		port_dev = d;
		d = d->master;
	}
	*port = port_dev && port_dev->master == d ? bridge_port_of(port_dev) : NULL;
	return bridge_of(d);
}

static int check_request(struct dev *d, const struct fdb_req *r, bool to_bridge, struct vx_err *err)
{
	if (!mac_is_unicast(&r->mac))
		return vx_fail(err, -EINVAL,
			       "a bridge forwards groups to all ports: only unicast addresses "
			       "can be bound to one");
	if (r->vlan)
		return vx_fail(err, -EINVAL,
			       "RTM_NEWNEIGH with unconfigured vlan %u on %s: bridges have no "
			       "VLANs yet",
			       r->vlan, d->name);
	if (r->has_dst || r->has_port || r->has_vni || r->has_src_vni || r->has_nhid)
		return vx_fail(err, -EINVAL,
			       "dst, port, vni and nhid belong to a vxlan device: leave "
			       "\"master\" out");
	if (to_bridge && !(r->state & NUD_PERMANENT))
		return vx_fail(err, -EINVAL, "FDB entry towards bridge must be permanent");
	if ((r->flags & NTF_STICKY) && (r->state & NUD_PERMANENT))
		return vx_fail(err, -EINVAL, "Sticky entries must not be permanent");
	return 0;
}

static int bridge_fdb_add(struct dev *d, const struct fdb_req *r, struct vx_err *err)
{
	struct bridge_port *port;
	struct bridge *br = fdb_target(d, r->port_dev, &port);
	int rc = check_request(d, r, !port, err);

	return rc < 0 ? rc : mac_update(&br->macs, r, macs_of(port), err);
}

static int bridge_fdb_del(struct dev *d, const struct fdb_req *r, struct vx_err *err)
{
	struct bridge_port *port;
	struct bridge *br = fdb_target(d, r->port_dev, &port);
	int rc = mac_delete(&br->macs, &r->mac, macs_of(port));

	if (rc == -EBUSY)
		return vx_fail(err, rc, "this is the address of %s itself",
			       port ? port->dev->name : d->name);
	return rc;
}

static int bridge_fdb_get(struct dev *d, const struct fdb_req *r, struct fdb_view *out,
			  struct vx_err *err)
{
	struct bridge_port *port;
	struct bridge *br = fdb_target(d, r->port_dev, &port);

	if (mac_get(&br->macs, &r->mac, out) < 0)
		return vx_fail(err, -ENOENT, "Fdb entry not found");
	return 0;
}

static int bridge_fdb_flush(struct dev *d, const struct fdb_flush *f, struct vx_err *err)
{
	struct bridge_port *port;
	struct bridge *br = fdb_target(d, NULL, &port);
	bool all = !port;

	if (f->has_dst || f->has_port || f->has_vni || f->has_src_vni)
		return vx_fail(err, -EINVAL, "dst, port and vni belong to a vxlan device");
	if (f->has_ifindex) {
		struct dev *p = dev_by_index(d->vx, f->ifindex);

		port = p && p->master == br->dev ? bridge_port_of(p) : NULL;
		if (!port)
			return vx_fail(err, -EINVAL, "interface %u is no port of %s", f->ifindex,
				       br->dev->name);
		all = false;
	}
	mac_flush(&br->macs, macs_of(port), all, f);
	return 0;
}

static int bridge_fdb_dump(struct dev *d, int (*fn)(void *ctx, const struct fdb_view *e), void *ctx)
{
	struct bridge_port *port;
	struct bridge *br = fdb_target(d, NULL, &port);

	return mac_walk(&br->macs, macs_of(port), !port, fn, ctx);
}

static const struct dev_ops bridge_ops = {
	.init = bridge_init,
	.uninit = bridge_uninit,
	.open = bridge_open,
	.stop = bridge_stop,
	.xmit = bridge_xmit,
	.change_mtu = bridge_change_mtu,
	.set_mac = bridge_set_mac,
	.fdb_add = bridge_fdb_add,
	.fdb_del = bridge_fdb_del,
	.fdb_get = bridge_fdb_get,
	.fdb_flush = bridge_fdb_flush,
	.fdb_dump = bridge_fdb_dump,
	.add_slave = bridge_add_slave,
	.del_slave = bridge_del_slave,
	.slave_changed = bridge_slave_changed,
	.timer = bridge_timer,
};

bool dev_is_bridge(const struct dev *d)
{
	return d->ops == &bridge_ops;
}

static void bridge_setup(struct dev *d)
{
	d->ops = &bridge_ops;
}

static const struct link_type bridge_type = {
	.kind = "bridge",
	.attrs = &bridge_attrs,
	.priv_size = sizeof(struct bridge),
	.opts_size = sizeof(struct bridge_opts),
	.has_host_side = true,
	.setup = bridge_setup,
	.validate = bridge_validate,
	.newlink = bridge_newlink,
	.changelink = bridge_changelink,
	.fill_info = bridge_fill_info,
};

int bridge_init_module(struct vx *vx)
{
	return link_register(vx, &bridge_type);
}
