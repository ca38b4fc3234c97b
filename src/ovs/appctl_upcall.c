/* SPDX-License-Identifier: Apache-2.0 */
/* ovs-appctl upcall/..., revalidator/..., memory/show: what makes flows, and looks after them. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "ovs/appctl.h"

/* Flows are revalidated by control alone: in 3.1's terms one revalidator, number 1. */
enum { REVALIDATORS = 1 };

static uint32_t n_flows(struct dpif *d)
{
	uint32_t flows, masks;

	table_count(d->table, &flows, &masks);
	return flows;
}

/* --- upcall/... ------------------------------------------------------------------------------ */

static void show(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct text t = {0};

	(void)argc, (void)argv;
	for (struct dpif *d = NULL; (d = appctl_next_dpif(aux, d));) {
		const struct revalidator *r = &d->reval;
		uint32_t n = n_flows(d);

		text_printf(&t, "%s@%s:\n", d->type, d->name);
		text_printf(&t, "  flows         : (current %u) (avg %u) (max %u) (limit %u)\n", n,
			    r->avg_flows, r->max_flows, d->table->limit);
		text_printf(&t, "  dump duration : %llums\n",
			    (unsigned long long)MAX(r->took / NS_PER_MS, 1ull));
		text_printf(&t, "  ufid enabled : true\n\n  %d: (keys %u)\n", REVALIDATORS, n);
	}
	appctl_reply(c, &t);
}

/* Until the next configuration brings other_config:flow-limit back. */
static void set_flow_limit(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct ovs *o = aux;
	unsigned long long n;
	struct text t = {0};

	(void)argc;
	if (text_to_u64(argv[1], UINT32_MAX, &n) < 0 || !n) {
		unixctl_fail(c, "bad flow limit, a number from 1 on is accepted");
		return;
	}
	dpif_set_flow_limit(o->cfg.vx, (uint32_t)n);
	text_printf(&t, "set flow_limit to %llu", n);
	appctl_reply(c, &t);
}

/* --- revalidator/... ------------------------------------------------------------------------- */

enum { DPIFS_MAX = 4 };

/* A revalidator/wait that is not answered yet. */
struct waiter {
	struct list node; /* ovs.waiters */
	struct unixctl_conn *c;
	struct {
		const char *type; /* a datapath's; NULL: no more */
		uint32_t walks;	  /* that it has to have completed */
	} want[DPIFS_MAX];
};

static void forget(struct unixctl_conn *c, void *aux)
{
	struct waiter *w = aux;

	(void)c;
	list_remove(&w->node);
	free(w);
}

static void answer(struct waiter *w)
{
	struct unixctl_conn *c = w->c;

	forget(c, w);
	unixctl_reply(c, "");
}

static void wait(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct waiter *w = calloc(1, sizeof(*w));
	struct ovs *o = aux;
	int n = 0;

	(void)argc, (void)argv;
	if (!w) {
		unixctl_fail(c, "out of memory");
		return;
	}
	for (struct dpif *d = NULL; n < DPIFS_MAX && (d = appctl_next_dpif(o, d)); n++) {
		w->want[n].type = d->type;
		w->want[n].walks = revalidate_soon(d);
	}
	w->c = c;
	c->gone = forget;
	c->aux = w;
	list_append(&o->waiters, &w->node);
}

/* A datapath that went has nothing left to revalidate. */
static bool is_done(struct ovs *o, const struct waiter *w)
{
	for (int i = 0; i < DPIFS_MAX && w->want[i].type; i++) {
		const struct dpif *d = dpif_find(o->cfg.vx, w->want[i].type);

		if (d && (int32_t)(d->reval.walks - w->want[i].walks) < 0)
			return false;
	}
	return true;
}

void appctl_upcall_run(struct ovs *o)
{
	list_for_each_safe (w, &o->waiters, struct waiter, node)
		if (is_done(o, w))
			answer(w);
}

void appctl_upcall_exit(struct ovs *o)
{
	list_for_each_safe (w, &o->waiters, struct waiter, node)
		answer(w);
}

static void purge(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	(void)argc, (void)argv;
	for (struct dpif *d = NULL; (d = appctl_next_dpif(aux, d));)
		revalidate_purge(d, vx_now(d->vx));
	unixctl_reply(c, "");
}

/* --- memory/show ----------------------------------------------------------------------------- */

struct usage {
	unsigned long long handlers, ports, revalidators, rules, keys;
};

static int count_port(void *ctx, const struct ofproto_port_view *v)
{
	struct usage *u = ctx;

	(void)v;
	u->ports++;
	return 0;
}

static void put_usage(struct text *t, const char *name, unsigned long long n)
{
	if (n)
		text_printf(t, "%s%s:%llu", t->len ? " " : "", name, n);
}

/* A cell is a column of a row. */
static unsigned long long idl_cells(struct ovs *o)
{
	unsigned long long n = 0;

	for (uint32_t i = 0; i < OVS_TABLES; i++) {
		const struct ovsdb_table *t = ovsdb_idl_table(o->idl, i);

		n += t->rows.n * t->def->n_columns;
	}
	return n;
}

static void memory_show(struct unixctl_conn *c, int argc, const char *argv[], void *aux)
{
	struct usage u = {0};
	struct ovs *o = aux;
	struct text t = {0};

	(void)argc, (void)argv;
	for (struct dpif *d = NULL; (d = appctl_next_dpif(o, d));) {
		u.handlers += o->cfg.vx->n_workers; /* who has a miss translates it */
		u.revalidators += REVALIDATORS;
		u.keys += n_flows(d);
	}
	for (struct bridge *b = NULL; (b = appctl_next_bridge(o, NULL, b));) {
		ofproto_ports(b->ofproto, count_port, &u);
		u.rules += ofproto_rules(b->ofproto, NULL, NULL);
	}
	put_usage(&t, "handlers", u.handlers);
	put_usage(&t, "idl-cells-Open_vSwitch", idl_cells(o));
	put_usage(&t, "ports", u.ports);
	put_usage(&t, "revalidators", u.revalidators);
	put_usage(&t, "rules", u.rules);
	put_usage(&t, "udpif keys", u.keys);
	appctl_reply(c, &t);
}

void appctl_add_upcall(struct unixctl_server *s, struct ovs *o)
{
	static const struct unixctl_command commands[] = {
		{"memory/show", "", 0, 0, memory_show},
		{"revalidator/purge", "", 0, 0, purge},
		{"revalidator/wait", "", 0, 0, wait},
		{"upcall/set-flow-limit", "flow-limit-number", 1, 1, set_flow_limit},
		{"upcall/show", "", 0, 0, show},
	};

	unixctl_add(s, commands, ARRAY_LEN(commands), o);
}
