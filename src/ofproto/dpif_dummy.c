/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A datapath without packets: ports are numbers, flows lie in a table, a packet is its key.  For
 * tests of what is above, as ovs-vswitchd's --enable-dummy.
 */
#include "ofproto/dpif.h"

#include <errno.h>
#include <stdlib.h>

#include "ofproto/translate.h"

static const char *const types[] = {"dummy", NULL};

static int dummy_open(struct dpif *d, struct vx_err *err)
{
	(void)err;
	d->table = &d->own_table;
	return table_init(&d->own_table, d->vx);
}

/* Nothing reads it but control. */
static void dummy_close(struct dpif *d)
{
	table_done(&d->own_table);
}

static int dummy_port_add(struct dpif *d, const struct dpif_port_cfg *cfg, struct dpif_port *port,
			  struct vx_err *err)
{
	uint32_t no = 1;

	list_for_each (x, &d->ports, struct dpif_port, node) {
		if (!strcmp(x->name, cfg->name))
			return vx_fail(err, -EEXIST, "there is a port %s", cfg->name);
		no += x->no == no; /* they are in order */
	}
	port->no = no;
	return 0;
}

/* Its flows go with it. */
static void dummy_port_del(struct dpif *d, struct dpif_port *port, bool del)
{
	struct flow_view v;
	uint32_t at = 0;

	(void)del;
	while (table_next(d->table, &at, &v)) {
		if (v.key.in_port == port->no)
			table_del(d->table, v.id, NULL);
		actions_put(v.actions);
	}
}

static void dummy_get_stats(struct dpif *d, struct dp_stats *out)
{
	*out = d->dummy;
}

const struct dpif_class dpif_dummy_class = {
	.types = types,
	.open = dummy_open,
	.close = dummy_close,
	.port_add = dummy_port_add,
	.port_del = dummy_port_del,
	.get_stats = dummy_get_stats,
};

/* --- a packet -------------------------------------------------------------------------------- */

static struct flow *find(struct dpif *d, const struct flow_key *k)
{
	struct flow_cache *none = aligned_alloc(CACHE_LINE, sizeof(*none));
	struct flow *f;
	uint32_t tried;

	if (!none)
		return NULL;
	memset(none, 0, sizeof(*none));
	f = table_lookup(d->table, none, k, key_hash(d->vx->key, k, key_words(k)), &tried);
	free(none);
	return f;
}

struct actions *dpif_dummy_packet(struct dpif *d, const struct flow_key *k, uint32_t len,
				  enum drop *why)
{
	struct translation t = {
		.snap = atomic_load(&d->snap), .key = k, .learn = true, .seen = vx_now(d->vx)};
	struct flow *f = find(d, k);
	struct actions *acts;

	if (f) {
		struct flow_stats *st = flow_stats(f, d->vx->workers[0]);

		d->dummy.hit++;
		st->packets++;
		st->bytes += len;
		st->used = vx_now(d->vx);
		return actions_get(atomic_load(&f->actions));
	}
	d->dummy.missed++;
	translate(&t);
	*why = t.why;
	effects_push(t.effects.e, t.effects.n, &k->eth_src, 1, len, 0, t.seen);
	acts = actions_get(t.actions);
	if (t.install)
		table_put(d->table, k, &t.mask, actions_get(t.actions), NULL, TABLE_CREATE, NULL);
	translation_done(&t);
	return acts;
}
