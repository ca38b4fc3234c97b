/* SPDX-License-Identifier: Apache-2.0 */
/* The VXLAN link type: how a device is checked, made, changed and removed (vxlan.md 1). */
#include "vxlan/device.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/gro.h"
#include "net/host.h"
#include "wire/vxlan.h"

static const struct mac default_mac; /* all zero: the default entry's */

/* --- underlay ------------------------------------------------------------------------------- */

/* What 'dev NAME' leads to. */
struct lower {
	struct dev *dev; /* a device of vx: stack form */
	uint32_t ifindex, mtu;
	char name[DEV_NAME_MAX];
	bool host, ip6_disabled;
};

static int find_lower(struct vx *vx, uint32_t ifindex, struct lower *l, struct vx_err *err)
{
	struct host_link hl;

	*l = (struct lower){.host = vx->host && vx->host->udp_open, .ifindex = ifindex};
	if (!ifindex)
		return 0;
	l->dev = dev_by_index(vx, ifindex);
	if (l->dev && !atomic_load(&l->dev->host)) {
		l->mtu = l->dev->mtu;
		l->host = false;
		memcpy(l->name, l->dev->name, sizeof(l->name));
		return 0;
	}
	l->dev = NULL;
	if (!vx->host || !vx->host->link ||
	    vx->host->link(vx->host_ctx, ifindex, NULL, &hl) < 0)
		return vx_fail(err, -ENODEV, "Invalid local interface, device not found");
	l->mtu = hl.mtu;
	l->ip6_disabled = hl.ip6_disabled;
	memcpy(l->name, hl.name, sizeof(l->name));
	return 0;
}

static uint32_t mtu_over(uint32_t lower_mtu, bool is6)
{
	return lower_mtu > vxlan_overhead(is6) + DEV_MTU_MIN ? lower_mtu - vxlan_overhead(is6)
							     : DEV_MTU_MIN;
}

/* --- validation (1.2, from step 6 on) ---------------------------------------------------------- */

/* The underlay's family, which stays: what has no address any more is what it was.  'self' NULL: it
 * is not made yet. */
static bool is6(const struct vxlan_opts *o, const struct dev *self)
{
	if (!ip_is_none(&o->remote))
		return !ip_is4(&o->remote);
	if (!ip_is_none(&o->local))
		return !ip_is4(&o->local);
	return self && vxlan_dev(self)->is6;
}

static int check_not_built(const struct vxlan_opts *o, uint64_t present, struct vx_err *err)
{
	for (uint32_t i = 0; i < vxlan_attrs.n; i++) {
		const struct attr *a = &vxlan_attrs.attrs[i];

		if ((a->flags & ATTR_NOT_BUILT) && (present & VXA_BIT(i)) && attr_get(a, o) != a->def)
			return vx_fail(err, -EOPNOTSUPP, "%s", a->refusal);
	}
	if (ip_is_multicast(&o->remote))
		return vx_fail(err, -EOPNOTSUPP,
			       "multicast groups are not built yet: list the peers with "
			       "`vx fdb append 00:00:00:00:00:00 dev DEV dst IP`");
	return 0;
}

static int check_addresses(const struct vxlan_opts *o, bool six, struct vx_err *err)
{
	const struct ip_addr *l = &o->local, *r = &o->remote;
	bool local_ll = ip_is_linklocal(l), remote_ll = ip_is_linklocal(r);

	if (!ip_is_none(l) && !ip_is_none(r) && ip_is4(l) != ip_is4(r))
		return vx_fail(err, -EINVAL,
			       "Local and remote address must be from the same family");
	if (ip_is_multicast(l))
		return vx_fail(err, -EINVAL, "Local address cannot be multicast");
	if (six && ((local_ll && !ip_is_any(r) && !remote_ll) ||
		       (!local_ll && remote_ll && !ip_is_multicast(r))))
		return vx_fail(err, -EINVAL,
			       "Invalid combination of local and remote address scopes");
	if (!six && o->flowlabel)
		return vx_fail(err, -EINVAL, "Label attribute only applies to IPv6 VXLAN devices");
	if (!six && o->label_policy)
		return vx_fail(err, -EINVAL, "Label policy only applies to IPv6 VXLAN devices");
	return 0;
}

static int check_lower(struct vx *vx, const struct vxlan_opts *o, bool six, struct lower *l,
		       struct vx_err *err)
{
	int r = find_lower(vx, o->dev, l, err);

	if (r < 0)
		return r;
	if (o->dev && six && l->ip6_disabled)
		return vx_fail(err, -EPERM, "IPv6 support disabled by administrator");
	if (!o->dev && (ip_is_linklocal(&o->local) || ip_is_linklocal(&o->remote)))
		return vx_fail(err, -EINVAL,
			       "Local interface required for link-local local/remote addresses");
	return 0;
}

/* 1.6: same underlay form, VNI, port and receive flags. */
static int check_duplicate(struct vx *vx, const struct dev *self, const struct vxlan_opts *o,
			   bool six, bool host, struct vx_err *err)
{
	list_for_each (d, &vx->devs, struct dev, node) {
		const struct vxlan_dev *v = vxlan_dev(d);
		const struct vxlan_opts *x;

		if (d == self || !dev_is_vxlan(d))
			continue;
		x = vxlan_opts(v);
		if (x->id != o->id || x->dstport != o->dstport || v->host != host ||
		    x->udp6zerocsumrx != o->udp6zerocsumrx || x->external != o->external ||
		    x->gbp != o->gbp || v->is6 != six)
			continue;
		if (ip_is_linklocal(&o->local) && x->dev != o->dev)
			continue;
		return vx_fail(err, -EEXIST,
			       "A VXLAN device with the specified VNI already exists");
	}
	return 0;
}

/* 1.4: the bits of the header that mean something. */
static uint64_t used_bits(const struct vxlan_opts *o)
{
	uint64_t word0 = o->gbp ? VXLAN_F_VNI | VXLAN_GBP_USED : VXLAN_F_VNI;

	return word0 << 32 | 0xffffff00u;
}

/* Whole check; fills in what has a default that depends on something. */
static int check(struct vx *vx, const struct dev *self, struct vxlan_opts *o, uint64_t present,
		 struct lower *l, struct vx_err *err)
{
	const uint64_t used = used_bits(o);
	bool six = is6(o, self);
	int r;

	if (o->id > VNI_MAX)
		return vx_fail(err, -ERANGE, "VXLAN ID must be lower than 16777216");
	if (o->srcport.high < o->srcport.low)
		return vx_fail(err, -EINVAL, "Invalid source port range");
	if (o->df > DF_INHERIT)
		return vx_fail(err, -EINVAL, "Invalid DF attribute");
	if ((present & VXA_BIT(VXA_RESERVED_BITS)) && (o->reserved_bits & used))
		return vx_fail(err, -EINVAL,
			       "Used bits 0x%016llx cannot overlap reserved bits 0x%016llx",
			       (unsigned long long)used, (unsigned long long)o->reserved_bits);
	r = check_not_built(o, present, err);
	if (r == 0)
		r = check_addresses(o, six, err);
	if (r == 0)
		r = check_lower(vx, o, six, l, err);
	if (r < 0)
		return r;
	if (!o->dstport)
		o->dstport = VXLAN_PORT_LINUX;
	o->reserved_bits &= ~used;
	return check_duplicate(vx, self, o, six, l->host, err);
}

static int vxlan_validate(struct vx *vx, const struct link_cfg *cfg, const void *opts,
			  uint64_t present, struct vx_err *err)
{
	struct vxlan_opts o = *(const struct vxlan_opts *)opts;
	struct lower l;

	(void)cfg;
	if (!present)
		return vx_fail(err, -EINVAL,
			       "Required attributes not provided to perform the operation");
	return check(vx, NULL, &o, present, &l, err);
}

/* --- default entry (4.8) ------------------------------------------------------------------------ */

static struct fdb_remote default_remote(const struct vxlan_opts *o, const struct ip_addr *ip)
{
	return (struct fdb_remote){*ip, o->dstport, o->id, o->dev};
}

static int default_add(struct vxlan_dev *v, const struct vxlan_opts *o)
{
	struct fdb_req r = {.mac = default_mac,
			    .state = FDB_PERMANENT | FDB_NOARP,
			    .flags = NTF_SELF,
			    .nl_flags = NLM_F_CREATE | NLM_F_APPEND};
	struct fdb_remote to = default_remote(o, &o->remote);

	if (ip_is_any(&o->remote))
		return 0;
	return fdb_update(&v->fdb, &r, o->id, &to, MAKER_OPTION, NULL);
}

static void default_del(struct vxlan_dev *v, const struct vxlan_opts *o)
{
	struct fdb_remote to = default_remote(o, &o->remote);

	if (!ip_is_any(&o->remote))
		fdb_delete(&v->fdb, &default_mac, o->id, &to, NULL);
}

/* --- life ------------------------------------------------------------------------------------------ */

static void publish(struct vxlan_dev *v, struct vxlan_opts *o)
{
	struct vxlan_opts *old = atomic_exchange(&v->opts, o);

	if (old)
		quiesce_defer(&v->dev->vx->quiesce, free, old);
}

static struct vxlan_opts *copy(const struct vxlan_opts *from)
{
	struct vxlan_opts *o = malloc(sizeof(*o));

	if (o)
		*o = *from;
	return o;
}

static void set_lower(struct dev *d, const struct lower *l)
{
	d->lower = l->dev;
	d->lower_index = l->ifindex;
	memcpy(d->lower_name, l->name, sizeof(d->lower_name));
}

static int vxlan_newlink(struct dev *d, const struct link_cfg *cfg, const void *opts,
			 uint64_t present, struct vx_err *err)
{
	struct vxlan_dev *v = vxlan_dev(d);
	struct vxlan_opts *o = copy(opts);
	struct lower l;
	int r;

	if (!o)
		return -ENOMEM;
	r = check(d->vx, d, o, present, &l, err);
	if (r < 0) {
		free(o);
		return r;
	}
	v->is6 = is6(o, NULL);
	v->overhead = vxlan_overhead(v->is6);
	v->host = l.host;
	v->fdb.limit = o->maxaddress;
	publish(v, o);
	if (o->external && !(v->routes = info_routes_new(d->vx)))
		return -ENOMEM;
	set_lower(d, &l);
	d->headroom = (uint16_t)vxlan_overhead(true);
	if (o->dev)
		d->mtu = mtu_over(l.mtu, v->is6);
	if (cfg->has_mtu)
		d->mtu = o->dev ? MIN(cfg->mtu, d->mtu) : cfg->mtu;
	return default_add(v, o);
}

/* The kernel's name of what is not built here, in its sentence about a change (1.8). */
static const char *kernel_name(uint32_t attr)
{
	static const char *const names[VXA_COUNT] = {
		[VXA_PROXY] = "PROXY ",
		[VXA_RSC] = "RSC ",
		[VXA_L2MISS] = "L2MISS ",
		[VXA_L3MISS] = "L3MISS ",
		[VXA_REMCSUMTX] = "REMCSUM_TX ",
		[VXA_REMCSUMRX] = "REMCSUM_RX ",
		[VXA_GPE] = "GPE ",
	};

	return names[attr] ? names[attr] : "";
}

/* 1.8: what may not change, with the kernel's sentence for each. */
static int check_change(const struct vxlan_dev *v, const struct vxlan_opts *o, uint64_t present,
			struct vx_err *err)
{
	const struct vxlan_opts *old = vxlan_opts(v);

	for (uint32_t i = 0; i < vxlan_attrs.n; i++) {
		const struct attr *a = &vxlan_attrs.attrs[i];

		if (!(present & VXA_BIT(i)) || (a->flags & ATTR_CHANGE))
			continue;
		if (i == VXA_ID && o->id == old->id)
			continue;
		if (i == VXA_MCROUTE && o->mcroute == old->mcroute)
			continue;
		if ((a->flags & ATTR_NOT_BUILT) && i != VXA_MCROUTE)
			return vx_fail(err, -EOPNOTSUPP, "vxlan: cannot change %sflag",
				       kernel_name(i));
		return vx_fail(err, -EOPNOTSUPP, "%s", a->refusal);
	}
	if ((present & VXA_BIT(VXA_REMOTE)) && ip_is4(&o->remote) == v->is6)
		return vx_fail(err, -EOPNOTSUPP,
			       "New group address family does not match old group");
	if ((present & VXA_BIT(VXA_LOCAL)) && ip_is4(&o->local) == v->is6)
		return vx_fail(err, -EOPNOTSUPP, "New local address family does not match old");
	return 0;
}

/* The options as they are, with those of the message that are present. */
static void merge(struct vxlan_opts *o, const struct vxlan_opts *from, uint64_t present)
{
	for (uint32_t i = 0; i < vxlan_attrs.n; i++) {
		const struct attr *a = &vxlan_attrs.attrs[i];

		if (present & VXA_BIT(i))
			memcpy((char *)o + a->off, (const char *)from + a->off, a->size);
	}
	if (present & VXA_BIT(VXA_LABEL) && !(present & VXA_BIT(VXA_LABEL_POLICY)))
		o->label_policy = LABEL_FIXED;
}

static int vxlan_changelink(struct dev *d, const void *opts, uint64_t present, struct vx_err *err)
{
	struct vxlan_dev *v = vxlan_dev(d);
	const struct vxlan_opts *old = vxlan_opts(v);
	struct vxlan_opts *o = copy(old);
	struct lower l;
	int r;

	if (!o)
		return -ENOMEM;
	merge(o, opts, present);
	r = check_change(v, o, present, err);
	if (r == 0)
		r = check(d->vx, d, o, present, &l, err);
	if (r == 0 && l.host != v->host && dev_is_up(d))
		r = vx_fail(err, -EBUSY,
			    "\"dev %s\" leads to another kind of underlay: take %s down first",
			    l.name, d->name);
	if (r < 0) {
		free(o);
		return r;
	}
	if (!ip_eq(&o->remote, &old->remote) || o->dev != old->dev) {
		r = default_add(v, o);
		if (r < 0) {
			free(o);
			return r;
		}
		default_del(v, old);
	}
	if (o->dev && o->dev != old->dev && d->mtu > mtu_over(l.mtu, v->is6))
		dev_set_mtu(d, mtu_over(l.mtu, v->is6), NULL);
	v->host = l.host;
	v->next_age = 0;
	set_lower(d, &l);
	publish(v, o); /* frees old after a grace period */
	return 0;
}

static void vxlan_fill_info(struct dev *d, void *opts)
{
	*(struct vxlan_opts *)opts = *vxlan_opts(vxlan_dev(d));
}

/* --- device operations ------------------------------------------------------------------------------ */

static int vxlan_init(struct dev *d)
{
	struct vxlan_dev *v = vxlan_dev(d);
	int r = fdb_init(&v->fdb, d);

	v->dev = d;
	if (r == 0) {
		r = gro_cells_init(d);
		if (r < 0)
			fdb_done(&v->fdb);
	}
	return r;
}

static void vxlan_uninit(struct dev *d)
{
	struct vxlan_dev *v = vxlan_dev(d);

	fdb_done(&v->fdb);
	free(v->routes);
	free(atomic_load(&v->opts));
}

/* All entries go, and each is told of, before the device is gone for control. */
static void vxlan_dellink(struct dev *d)
{
	fdb_flush_matching(&vxlan_dev(d)->fdb, &(struct fdb_flush){0});
}

static int vxlan_open(struct dev *d, struct vx_err *err)
{
	struct vxlan_dev *v = vxlan_dev(d);

	v->next_age = vx_now(d->vx) + 10 * NS_PER_S;
	return vxlan_sock_attach(v, err);
}

static void vxlan_stop(struct dev *d)
{
	struct vxlan_dev *v = vxlan_dev(d);

	vxlan_sock_detach(v);
	fdb_flush_dynamic(&v->fdb);
}

static int vxlan_change_mtu(struct dev *d, uint32_t mtu, struct vx_err *err)
{
	struct vxlan_dev *v = vxlan_dev(d);
	struct lower l;

	if (!d->lower_index || find_lower(d->vx, d->lower_index, &l, NULL) < 0)
		return 0;
	if (mtu > mtu_over(l.mtu, v->is6))
		return vx_fail(err, -EINVAL, "%s has mtu %u, which leaves %u for %s", l.name, l.mtu,
			       mtu_over(l.mtu, v->is6), d->name);
	return 0;
}

/* The remote that a request names; what it leaves out is the device's. */
static int request_remote(struct vxlan_dev *v, const struct fdb_req *r, struct fdb_remote *to,
			  struct vx_err *err)
{
	const struct vxlan_opts *o = vxlan_opts(v);
	struct lower l;

	if (r->has_nhid)
		return vx_fail(err, -EOPNOTSUPP,
			       "nhid (next hop groups) is not built yet: list the remotes");
	if (r->has_src_vni && r->src_vni != o->id && !o->external)
		return vx_fail(err, -EINVAL,
			       "src_vni %u is not the VNI of %s: only external devices have several",
			       r->src_vni, v->dev->name);
	if (r->has_dst && !ip_is_none(&r->dst) && ip_is4(&r->dst) == v->is6 && !o->external)
		return -EAFNOSUPPORT;
	if (r->has_ifindex && find_lower(v->dev->vx, r->ifindex, &l, NULL) < 0)
		return vx_fail(err, -EADDRNOTAVAIL, "Device not found");
	*to = (struct fdb_remote){
		.ip = r->dst,
		.port = r->has_port ? r->port : o->dstport,
		.vni = r->has_vni ? r->vni : o->id,
		.ifindex = r->has_ifindex ? r->ifindex : 0,
	};
	return 0;
}

/* An external device's entries have the VNI that they are for as part of their key. */
static uint32_t source_vni(const struct vxlan_dev *v, const struct fdb_req *r)
{
	return r->has_src_vni ? r->src_vni : vxlan_opts(v)->id;
}

static int vxlan_fdb_add(struct dev *d, const struct fdb_req *r, struct vx_err *err)
{
	struct vxlan_dev *v = vxlan_dev(d);
	struct fdb_remote to;
	int rc;

	if (!r->has_dst && !r->has_nhid)
		return -EINVAL;
	if (ip_is_multicast(&r->dst))
		return vx_fail(err, -EOPNOTSUPP,
			       "multicast destinations are not built yet: list the remotes");
	rc = request_remote(v, r, &to, err);
	return rc < 0 ? rc
		      : fdb_update(&v->fdb, r, source_vni(v, r), &to, MAKER_CONTROL, err);
}

static int vxlan_fdb_del(struct dev *d, const struct fdb_req *r, struct vx_err *err)
{
	struct vxlan_dev *v = vxlan_dev(d);
	struct fdb_remote to;
	int rc = request_remote(v, r, &to, err);

	if (rc < 0)
		return rc;
	return fdb_delete(&v->fdb, &r->mac, source_vni(v, r), r->has_dst ? &to : NULL, err);
}

static int vxlan_fdb_get(struct dev *d, const struct fdb_req *r, struct fdb_view *out,
			 struct vx_err *err)
{
	struct vxlan_dev *v = vxlan_dev(d);
	struct fdb_entry *e;

	pthread_mutex_lock(&v->fdb.lock);
	e = fdb_find(&v->fdb, &r->mac, source_vni(v, r));
	if (e)
		fdb_view_of(&v->fdb, e, 0, out);
	pthread_mutex_unlock(&v->fdb.lock);
	return e ? 0 : vx_fail(err, -ENOENT, "Fdb entry not found");
}

static int vxlan_fdb_flush(struct dev *d, const struct fdb_flush *f, struct vx_err *err)
{
	(void)err;
	fdb_flush_matching(&vxlan_dev(d)->fdb, f);
	return 0;
}

static int vxlan_fdb_dump(struct dev *d, int (*fn)(void *ctx, const struct fdb_view *e), void *ctx)
{
	return fdb_walk(&vxlan_dev(d)->fdb, fn, ctx);
}

static uint64_t vxlan_timer(struct dev *d, uint64_t now)
{
	struct vxlan_dev *v = vxlan_dev(d);

	if (!dev_is_up(d))
		return UINT64_MAX;
	if (now >= v->next_age)
		v->next_age = now + (uint64_t)fdb_age(&v->fdb, now, vxlan_opts(v)->ageing) *
					    FDB_TICK_MS * NS_PER_MS;
	return v->next_age;
}

static const struct dev_ops vxlan_ops = {
	.init = vxlan_init,
	.uninit = vxlan_uninit,
	.open = vxlan_open,
	.stop = vxlan_stop,
	.xmit = vxlan_xmit,
	.change_mtu = vxlan_change_mtu,
	.fdb_add = vxlan_fdb_add,
	.fdb_del = vxlan_fdb_del,
	.fdb_get = vxlan_fdb_get,
	.fdb_flush = vxlan_fdb_flush,
	.fdb_dump = vxlan_fdb_dump,
	.timer = vxlan_timer,
};

bool dev_is_vxlan(const struct dev *d)
{
	return d->ops == &vxlan_ops;
}

static void vxlan_setup(struct dev *d)
{
	d->ops = &vxlan_ops;
}

static const struct link_type vxlan_type = {
	.kind = "vxlan",
	.attrs = &vxlan_attrs,
	.priv_size = sizeof(struct vxlan_dev),
	.opts_size = sizeof(struct vxlan_opts),
	.has_host_side = true,
	.setup = vxlan_setup,
	.validate = vxlan_validate,
	.newlink = vxlan_newlink,
	.changelink = vxlan_changelink,
	.dellink = vxlan_dellink,
	.fill_info = vxlan_fill_info,
};

int vxlan_init_module(struct vx *vx)
{
	return link_register(vx, &vxlan_type);
}
