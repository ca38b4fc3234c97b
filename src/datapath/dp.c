/* SPDX-License-Identifier: Apache-2.0 */
/* The datapath as a link type and device: how it is made and removed, its ports, its counters. */
#include "datapath/dp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/link.h"

/* --- ports ----------------------------------------------------------------------------------- */

enum { PORTS_MIN = 64 };

static int grow_ports(struct dp *dp, uint32_t no)
{
	struct dp_ports *old = atomic_load(&dp->ports), *t;
	uint32_t n = MAX(PORTS_MIN, old->n);

	while (n <= no)
		n *= 2;
	t = calloc(1, sizeof(*t) + n * sizeof(t->p[0]));
	if (!t)
		return -ENOMEM;
	t->n = n;
	for (uint32_t i = 0; i < old->n; i++)
		atomic_store_explicit(&t->p[i], atomic_load(&old->p[i]), memory_order_relaxed);
	atomic_store_explicit(&dp->ports, t, memory_order_release);
	quiesce_defer(&dp->dev->vx->quiesce, free, old);
	return 0;
}

int dp_set_port(struct dp *dp, uint32_t no, struct vport *v)
{
	if (no >= atomic_load(&dp->ports)->n) {
		int r = v ? grow_ports(dp, no) : 0;

		if (r < 0 || !v)
			return r;
	}
	/* Release: who finds the port finds it complete. */
	atomic_store_explicit(&atomic_load(&dp->ports)->p[no], v, memory_order_release);
	return 0;
}

uint32_t dp_free_port(struct dp *dp)
{
	uint32_t no = 1;

	while (dp_port(dp, no))
		no++;
	return no;
}

/* --- counters -------------------------------------------------------------------------------- */

READS_COUNTERS void dp_sum_stats(struct dp *dp, struct dp_stats *sum)
{
	*sum = (struct dp_stats){0};
	for (uint32_t i = 0; i < dp->dev->vx->n_workers; i++) {
		const uint64_t *from = (const uint64_t *)&dp->workers[i].stats;
		uint64_t *to = (uint64_t *)sum;

		for (size_t k = 0; k < sizeof(*sum) / sizeof(*to); k++)
			to[k] += COUNTER_NOW(&from[k]);
	}
}

void dp_note_held(struct worker *w, struct dp_worker *dw)
{
	uint32_t n = dw->waiting.n + dw->upcalls.n;

	(void)w;
	if (n != atomic_load_explicit(&dw->held, memory_order_relaxed))
		atomic_store_explicit(&dw->held, n, memory_order_release);
	if (n)
		napi_schedule(&dw->napi);
}

static uint32_t dp_held(struct dev *d)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < d->vx->n_workers; i++)
		n += atomic_load_explicit(&dp_of(d)->workers[i].held, memory_order_acquire);
	return n;
}

static void dp_drop_held(struct worker *w, struct dev *d)
{
	struct dp_worker *dw = &dp_of(d)->workers[w->id];

	upcalls_drop(w, dw, DROP_shutdown);
	actions_drop_waiting(w, dw, DROP_shutdown);
	atomic_store(&dw->held, 0);
}

/* --- device ---------------------------------------------------------------------------------- */

/* The next turn goes on where the last one had done its share. */
static uint32_t dp_poll(struct napi *n, struct worker *w, uint32_t budget)
{
	struct dp_worker *dw = n->ctx;

	(void)budget;
	actions_resume(w, dw);
	flush_queue(w, &dw->flush);
	return 0;
}

static int dp_init(struct dev *d)
{
	struct dp *dp = dp_of(d);
	uint32_t n = d->vx->n_workers;
	struct dp_ports *none = calloc(1, sizeof(*none));

	dp->dev = d;
	dp->workers = aligned_alloc(CACHE_LINE, n * sizeof(*dp->workers));
	if (!none || !dp->workers || table_init(&dp->table, d->vx) < 0) {
		free(none);
		free(dp->workers);
		return -ENOMEM;
	}
	atomic_store(&dp->ports, none);
	memset(dp->workers, 0, n * sizeof(*dp->workers));
	for (uint32_t i = 0; i < n; i++) {
		struct dp_worker *dw = &dp->workers[i];

		dw->dp = dp;
		dw->flush.fn = dp_run;
		list_init(&dw->flush.node);
		list_init(&dw->dirty);
		napi_init(&dw->napi, d->vx->workers[i], dp_poll, dw);
		upcalls_init(&dw->upcalls);
	}
	return 0;
}

static void dp_uninit(struct dev *d)
{
	struct dp *dp = dp_of(d);

	for (uint32_t i = 0; i < d->vx->n_workers; i++) {
		struct dp_worker *dw = &dp->workers[i];

		assert(!dw->in.n && !dw->flush.queued && !dw->waiting.n && !dw->upcalls.n);
		napi_remove(&dw->napi);
	}
	table_done(&dp->table);
	free(dp->workers);
	free(atomic_load(&dp->ports));
}

/* What the datapath's own device sends comes in by port 0. */
static void dp_xmit(struct worker *w, struct dev *d, struct batch *b)
{
	vport_xmit(w, d, dp_port(dp_of(d), VPORT_LOCAL), b);
}

static const struct dev_ops dp_ops = {
	.init = dp_init,
	.uninit = dp_uninit,
	.xmit = dp_xmit,
	.add_slave = vport_add_slave,
	.del_slave = vport_del_slave,
	.held = dp_held,
	.drop_held = dp_drop_held,
};

bool dev_is_dp(const struct dev *d)
{
	return d->ops == &dp_ops;
}

/* --- link type ------------------------------------------------------------------------------- */

static void dp_setup(struct dev *d)
{
	d->ops = &dp_ops;
}

static int dp_validate(struct vx *vx, const struct link_cfg *cfg, const void *opts,
		       uint64_t present, struct vx_err *err)
{
	(void)vx, (void)opts, (void)present;
	if (cfg->owner != OWNER_OVSDB)
		return vx_fail(err, -EOPNOTSUPP,
			       "datapaths belong to Open vSwitch's database: use "
			       "ovs-vsctl add-br");
	return 0;
}

static int dp_newlink(struct dev *d, const struct link_cfg *cfg, const void *opts, uint64_t present,
		      struct vx_err *err)
{
	(void)cfg, (void)opts, (void)present;
	return vport_new_internal(dp_of(d), d, VPORT_LOCAL, err, &dp_of(d)->local);
}

/* Its ports, slaves of it, are gone already. */
static void dp_dellink(struct dev *d)
{
	struct dp *dp = dp_of(d);

	if (dp->local)
		vport_del(dp->local);
	dp->local = NULL;
	table_flush(&dp->table);
}

static const struct attr_set dp_attrs = {.kind = "openvswitch"};

static const struct link_type dp_type = {
	.kind = "openvswitch",
	.attrs = &dp_attrs,
	.priv_size = sizeof(struct dp),
	.setup = dp_setup,
	.validate = dp_validate,
	.newlink = dp_newlink,
	.dellink = dp_dellink,
};

int dp_init_module(struct vx *vx)
{
	return link_register(vx, &dp_type);
}

int dp_new(struct vx *vx, const char *name, struct vx_err *err, struct dp **out)
{
	/* The host may have one of that name: ovs-vswitchd leaves a TAP, the kernel's module has
	 * its device.  It has nothing to do with ours, and stays. */
	struct link_cfg cfg = {
		.owner = OWNER_OVSDB, .nohost = true, .has_nohost = true, .takes_in = true};
	struct dev *d;
	int r;

	if ((size_t)snprintf(cfg.name, sizeof(cfg.name), "%s", name) >= sizeof(cfg.name))
		return vx_fail(err, -EINVAL, "\"%s\" is no valid interface name", name);
	r = link_newlink(vx, &dp_type, &cfg, NULL, 0, err, &d);
	if (r == 0)
		*out = dp_of(d);
	return r;
}

void dp_del(struct dp *dp)
{
	link_dellink(dp->dev, false);
}
