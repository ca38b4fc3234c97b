/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/internal.h"

#include <errno.h>
#include <stdio.h>

#include "net/host.h"
#include "net/link.h"

struct internal {
	_Atomic(struct vport *) port; /* NULL: it is gone, the device follows */
};

static struct internal *internal_of(const struct dev *d)
{
	return d->priv;
}

/* What the device's owner, the host, sends. */
static void internal_xmit(struct worker *w, struct dev *d, struct batch *b)
{
	vport_xmit(w, d, atomic_load_explicit(&internal_of(d)->port, memory_order_acquire), b);
}

static const struct dev_ops internal_ops = {.xmit = internal_xmit};

bool dev_is_internal(const struct dev *d)
{
	return d->ops == &internal_ops;
}

static void internal_setup(struct dev *d)
{
	d->ops = &internal_ops;
}

static int internal_newlink(struct dev *d, const struct link_cfg *cfg, const void *opts,
			    uint64_t present, struct vx_err *err)
{
	(void)cfg, (void)opts, (void)present, (void)err;
	dev_set_promiscuity(d, 1);
	return 0;
}

/* By internal_del() the port is gone already. */
static void internal_dellink(struct dev *d)
{
	struct vport *v = atomic_exchange(&internal_of(d)->port, NULL);

	if (v)
		vport_lost(v);
}

static const struct attr_set internal_attrs = {.kind = "openvswitch"};

/* Not registered: only internal_new() makes one. */
static const struct link_type internal_type = {
	.kind = "openvswitch",
	.attrs = &internal_attrs,
	.priv_size = sizeof(struct internal),
	.has_host_side = true,
	.setup = internal_setup,
	.newlink = internal_newlink,
	.dellink = internal_dellink,
};

int internal_new(struct dp *dp, const char *name, uint32_t no, struct vx_err *err,
		 struct vport **out)
{
	struct link_cfg cfg = {.owner = OWNER_OVSDB, .adopt = true};
	struct dev *d;
	int r;

	if ((size_t)snprintf(cfg.name, sizeof(cfg.name), "%s", name) >= sizeof(cfg.name))
		return vx_fail(err, -EINVAL, "\"%s\" is no valid interface name", name);
	r = link_newlink(dp->dev->vx, &internal_type, &cfg, NULL, 0, err, &d);
	if (r < 0)
		return r;
	r = vport_new_internal(dp, d, no, err, out);
	if (r < 0)
		link_dellink(d, d->link_flags & DEV_TAKEN_OVER);
	else
		atomic_store_explicit(&internal_of(d)->port, *out, memory_order_release);
	return r;
}

int internal_remove_left(struct vx *vx, const struct former *f, struct vx_err *err)
{
	struct link_cfg cfg = {.owner = OWNER_OVSDB, .adopt = true};
	struct host_link l;
	struct dev *d;
	int r;

	if (!vx->host || (!*f->netns && (vx->host->link(vx->host_ctx, 0, f->name, &l) < 0 ||
					 l.ifindex != f->ifindex)))
		return -ENODEV;
	memcpy(cfg.name, f->name, sizeof(cfg.name));
	r = link_newlink(vx, &internal_type, &cfg, NULL, 0, err, &d);
	if (r == 0)
		link_dellink(d, false);
	return r;
}

void internal_del(struct vport *v, bool keep_host)
{
	struct dev *d = v->dev;

	atomic_store(&internal_of(d)->port, NULL);
	vport_del(v);
	link_dellink(d, keep_host);
}
