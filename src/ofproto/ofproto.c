/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges: how they come and go, and their settings. */
#include "ofproto/ofproto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ofproto/ofproto_priv.h"

enum { AGING_MIN = 15, AGING_DEFAULT = 300, AGING_MAX = 3600 };
enum { MACS_MIN = 10, MACS_DEFAULT = 8192, MACS_MAX = 1000000 };

/* --- life ------------------------------------------------------------------------------------ */

static void ofproto_free(void *arg)
{
	struct ofproto *p = arg;

	mac_table_done(&p->macs);
	hmap_done(&p->by_aux);
	free(p->by_no);
	free(p->ofport_used);
	free(p->rule);
	free(p);
}

static struct ofproto *ofproto_new(struct dpif *d, const char *bridge)
{
	struct ofproto *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->ofport_used = calloc(OFPORT_MAX, sizeof(*p->ofport_used));
	p->rule = port_counters_new(d->vx);
	p->by_no = calloc(OFPORT_LOCAL + 1, sizeof(*p->by_no)); /* touched where ports are */
	if (!p->ofport_used || !p->rule || !p->by_no || mac_table_init(&p->macs, d->vx, NULL) < 0) {
		free(p->by_no);
		free(p->ofport_used);
		free(p->rule);
		free(p);
		return NULL;
	}
	p->d = d;
	p->created = p->rule_made = vx_now(d->vx);
	snprintf(p->name, sizeof(p->name), "%s", bridge);
	list_init(&p->ports);
	list_init(&p->bundles);
	p->mac_aging_s = AGING_DEFAULT;
	p->macs.limit = MACS_DEFAULT;
	mac_usage_keep(&p->macs);
	p->macs.changed = revalidate_note_mac;
	p->macs.ctx = d;
	return p;
}

/* In order of name, as they are listed. */
static void insert_bridge(struct dpif *d, struct ofproto *p)
{
	struct list *at = &d->bridges;

	list_for_each (x, &d->bridges, struct ofproto, node)
		if (strcmp(x->name, p->name) < 0)
			at = &x->node;
	list_insert_after(at, &p->node);
}

int ofproto_open(struct vx *vx, const char *bridge, const char *type, struct vx_err *err,
		 struct ofproto **out)
{
	struct ofproto *p;
	struct dpif *d;
	int r;

	if (strlen(bridge) >= DEV_NAME_MAX)
		return vx_fail(err, -EINVAL, "\"%s\" is no valid interface name", bridge);
	r = dpif_open(vx, *type ? type : "system", err, &d);
	if (r < 0)
		return r;
	p = ofproto_new(d, bridge);
	if (!p) {
		dpif_close(d);
		return -ENOMEM;
	}
	insert_bridge(d, p);
	*out = p;
	return 0;
}

void ofproto_destroy(struct ofproto *p, bool del)
{
	ofproto_hold(p->d->vx);
	while (!list_is_empty(&p->ports))
		ofproto_port_del(p, container_of(p->ports.prev, struct ofproto_port, node)->ofport,
				 del);
	while (!list_is_empty(&p->bundles))
		ofproto_bundle_del(p,
				   container_of(p->bundles.prev, struct ofproto_bundle, node)->aux);
	list_remove(&p->node);
	pending_publish(p->d);
	ofproto_release(p->d->vx);
	/* Who still learns tells the datapath of it, which goes later. */
	quiesce_defer(&p->d->vx->quiesce, ofproto_free, p);
	dpif_close(p->d);
}

const char *ofproto_name(const struct ofproto *p)
{
	return p->name;
}

struct dpif *ofproto_dpif(struct ofproto *p)
{
	return p->d;
}

/* --- rules ----------------------------------------------------------------------------------- */

/* What the default rule took, or ('missed') what no rule took. */
READS_COUNTERS static struct ofproto_rule_counts rule_counts(const struct ofproto *p, bool missed)
{
	struct ofproto_rule_counts sum = {0};

	for (uint32_t i = 0; i <= p->d->vx->n_workers; i++) {
		const struct port_counters *c = &p->rule[i];

		sum.packets += missed ? COUNTER_NOW(&c->tx_packets) : COUNTER_NOW(&c->rx_packets);
		sum.bytes += missed ? COUNTER_NOW(&c->tx_bytes) : COUNTER_NOW(&c->rx_bytes);
	}
	return sum;
}

uint32_t ofproto_rules(struct ofproto *p, int (*fn)(void *ctx, const struct ofproto_rule *r),
		       void *ctx)
{
	struct ofproto_rule_counts hit = rule_counts(p, false), missed = rule_counts(p, true);
	uint64_t now = vx_now(p->d->vx), age = now - p->created;
	struct ofproto_rule rules[] = {
		{0, 0, "", "NORMAL", hit.packets - p->before.packets, hit.bytes - p->before.bytes,
		 now - p->rule_made},
		{254, 2, "recirc_id=0", "drop", .age = age},
		{254, 0, "reg0=0x1", "controller(reason=)", .age = age},
		{254, 0, "reg0=0x2", "drop", missed.packets, missed.bytes, age},
		{254, 0, "reg0=0x3", "drop", .age = age},
	};

	for (uint32_t i = p->secure; fn && i < ARRAY_LEN(rules); i++)
		if (fn(ctx, &rules[i]))
			break;
	return (uint32_t)ARRAY_LEN(rules) - p->secure;
}

bool ofproto_has_flow(struct ofproto *p, const struct flow_key *k)
{
	const struct snap_port *in = snap_ingress(atomic_load(&p->d->snap), k);

	return in && in->br->macs == &p->macs;
}

/* --- what is due ------------------------------------------------------------------------------ */

void ofproto_run(struct ofproto *p, uint64_t now)
{
	if (now >= p->next_age) {
		mac_vlan_expire(&p->macs, now, p->mac_aging_s * 1000ull);
		p->next_age = now + NS_PER_S;
	}
	dpif_run(p->d, now);
}

void ofproto_settle(struct ofproto *p, uint64_t now)
{
	revalidate_settle(p->d, now);
}

uint64_t ofproto_wait(struct ofproto *p, uint64_t now)
{
	return MIN(p->next_age, dpif_wait(p->d, now));
}

/* --- settings --------------------------------------------------------------------------------- */

void ofproto_set_mac_aging_time(struct ofproto *p, uint32_t s)
{
	p->mac_aging_s = MAX((uint32_t)AGING_MIN, MIN(s, (uint32_t)AGING_MAX));
	p->next_age = 0;
}

void ofproto_set_mac_table_size(struct ofproto *p, uint32_t n)
{
	mac_vlan_set_limit(&p->macs, MAX((uint32_t)MACS_MIN, MIN(n, (uint32_t)MACS_MAX)));
}

void ofproto_set_flood_vlans(struct ofproto *p, const uint64_t *bitmap)
{
	static const uint64_t none[64];

	if (!bitmap)
		bitmap = none;
	if (!memcmp(p->flood_vlans, bitmap, sizeof(p->flood_vlans)))
		return;
	memcpy(p->flood_vlans, bitmap, sizeof(p->flood_vlans));
	mac_flush(&p->macs, NULL, true, NULL);
	pending_change(p->d);
}

static void set_flag(struct ofproto *p, bool *flag, bool on)
{
	if (*flag == on)
		return;
	*flag = on;
	pending_change(p->d);
}

void ofproto_set_forward_bpdu(struct ofproto *p, bool on)
{
	set_flag(p, &p->forward_bpdu, on);
}

void ofproto_set_fail_secure(struct ofproto *p, bool on)
{
	if (p->secure && !on) { /* the default rule is made anew */
		p->before = rule_counts(p, false);
		p->rule_made = vx_now(p->d->vx);
	}
	set_flag(p, &p->secure, on);
}

/* --- the MAC table --------------------------------------------------------------------------- */

struct mac_teller {
	int (*fn)(void *ctx, const struct ofproto_mac *m);
	void *ctx;
};

static uint16_t ofport_of(struct mac_port *m)
{
	const struct ofproto_bundle *b = container_of(m, struct ofproto_bundle, macs);

	return b->port ? b->port->ofport : OFPORT_NONE;
}

static struct ofproto_mac mac_of(const struct mac_row *r)
{
	return (struct ofproto_mac){.ofport = ofport_of(r->port),
				    .vlan = r->vlan,
				    .mac = r->mac,
				    .is_static = r->is_static,
				    .age = (uint32_t)(r->age / NS_PER_S)};
}

static int tell_mac(void *ctx, const struct mac_row *r)
{
	const struct mac_teller *t = ctx;
	struct ofproto_mac m = mac_of(r);

	return t->fn(t->ctx, &m);
}

int ofproto_mac_get(struct ofproto *p, uint16_t vlan, const struct mac *mac,
		    struct ofproto_mac *out)
{
	struct mac_row row;
	int r = mac_vlan_get(&p->macs, mac, vlan, &row);

	if (r == 0)
		*out = mac_of(&row);
	return r;
}

int ofproto_macs(struct ofproto *p, int (*fn)(void *ctx, const struct ofproto_mac *m), void *ctx)
{
	struct mac_teller t = {fn, ctx};

	return mac_vlan_walk(&p->macs, tell_mac, &t);
}

void ofproto_mac_summary(struct ofproto *p, struct mac_summary *out)
{
	mac_vlan_summary(&p->macs, out);
}

void ofproto_mac_clear_totals(struct ofproto *p)
{
	mac_vlan_clear_totals(&p->macs);
}

void ofproto_mac_flush(struct ofproto *p)
{
	mac_flush(&p->macs, NULL, true, NULL);
}

int ofproto_mac_add(struct ofproto *p, uint16_t ofport, uint16_t vlan, const struct mac *mac,
		    uint16_t *was)
{
	struct ofproto_port *port = ofproto_port_at(p, ofport);
	struct mac_port *old;
	int r;

	if (!port || !port->bundle)
		return -ENODEV;
	r = mac_vlan_set_static(&p->macs, mac, vlan, &port->bundle->macs, &old);
	*was = r == 0 && old ? ofport_of(old) : OFPORT_NONE;
	return r;
}

int ofproto_mac_del(struct ofproto *p, uint16_t vlan, const struct mac *mac)
{
	return mac_vlan_del_static(&p->macs, mac, vlan);
}
