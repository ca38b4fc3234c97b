/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/testing.h"

#include <stdio.h>

#include "datapath/format.h"
#include "ofproto/ofproto_priv.h"

int o_create(struct vx *vx, const char *bridge, const char *type, struct vx_err *err,
	     struct ofproto **out)
{
	struct ofproto_port_cfg local = {
		.name = bridge, .type = "internal", .ofport_request = OFPORT_LOCAL};
	struct ofproto *p;
	uint16_t no;
	int r = ofproto_open(vx, bridge, type, err, &p);

	if (r < 0)
		return r;
	r = ofproto_port_add(p, &local, &no, err);
	if (r < 0)
		ofproto_destroy(p, true);
	else
		*out = p;
	return r;
}

void o_init(struct o_world *w)
{
	struct vx_err err = {0};

	*w = (struct o_world){.t = t_new()};
	dpif_dummy_enable(w->t->vx);
	if (o_create(w->t->vx, "br0", "dummy", &err, &w->br) < 0)
		fail_msg("%s", err.text);
	w->d = ofproto_dpif(w->br);
	o_bundle(w->br, OFPORT_LOCAL, (struct bundle_cfg){.tag = -1});
}

void o_end(struct o_world *w)
{
	if (w->br)
		ofproto_destroy(w->br, true);
	t_end(w->t);
}

void o_bundle(struct ofproto *br, uint16_t ofport, struct bundle_cfg b)
{
	b.ports = &ofport;
	b.n_ports = 1;
	assert_int_equal(ofproto_bundle_set(br, (void *)(uintptr_t)ofport, &b), 0);
}

static uint16_t add(struct ofproto *br, const struct ofproto_port_cfg *c)
{
	struct vx_err err = {0};
	uint16_t no;
	int r = ofproto_port_add(br, c, &no, &err);

	if (r < 0)
		fail_msg("%s: %d %s", c->name, r, err.text);
	o_bundle(br, no, (struct bundle_cfg){.tag = -1, .name = c->name});
	return no;
}

uint16_t o_port(struct ofproto *br, const char *name, const char *type, const char *peer)
{
	return add(br, &(struct ofproto_port_cfg){.name = name, .type = type, .peer = peer});
}

uint16_t o_vxlan(struct ofproto *br, const char *name, const struct tunnel_cfg *t)
{
	return add(br, &(struct ofproto_port_cfg){.name = name, .type = "vxlan", .tun = *t});
}

struct tunnel_cfg o_tun(const char *remote, uint32_t key)
{
	return (struct tunnel_cfg){.remote = t_addr(remote),
				   .in_key_present = true,
				   .out_key_present = true,
				   .in_key = key,
				   .out_key = key,
				   .dst_port = 4789,
				   .ttl = 64,
				   .df_default = true};
}

const char *o_packet(struct o_world *w, const char *key)
{
	static char out[4096];
	struct text text = {0};
	struct flow_key k, m;
	struct actions *a;
	uint32_t at;

	if (parse_key(key, NULL, &k, &m, &at) < 0)
		fail_msg("%s: at %u", key, at);
	a = dpif_dummy_packet(w->d, &k, 100, &w->why);
	out[0] = 0;
	if (a) {
		format_actions(&text, a, NULL, 0);
		snprintf(out, sizeof(out), "%s", text_get(&text));
		if (!strcmp(out, "drop"))
			w->why = act_at(a, 0)->arg;
	}
	text_done(&text);
	actions_put(a);
	return out;
}

const char *o_flow(struct dpif *d)
{
	static char out[1024];
	struct flow_view v = {0};
	struct text text = {0};
	uint32_t cursor = 0;

	assert_true(table_next(d->table, &cursor, &v));
	format_key(&text, &v.key, &v.mask, NULL, 0);
	snprintf(out, sizeof(out), "%s", text_get(&text));
	text_done(&text);
	actions_put(v.actions);
	assert_false(table_next(d->table, &cursor, &v));
	return out;
}

const char *o_frame(struct o_world *w, uint32_t port, int src, int dst, int tci)
{
	char key[256], mac[2][18];
	int m[2] = {src, dst};

	for (int i = 0; i < 2; i++)
		snprintf(mac[i], sizeof(mac[i]),
			 m[i] == 0xff ? "ff:ff:ff:ff:ff:%02x" : "02:00:00:00:00:%02x", m[i]);
	if (tci < 0)
		snprintf(key, sizeof(key), "in_port(%u),eth(src=%s,dst=%s),eth_type(0x1234)", port,
			 mac[0], mac[1]);
	else
		snprintf(key, sizeof(key),
			 "in_port(%u),eth(src=%s,dst=%s),eth_type(0x8100),vlan(vid=%d,pcp=%d),"
			 "encap(eth_type(0x1234))",
			 port, mac[0], mac[1], tci & VLAN_VID, tci >> VLAN_PCP_SHIFT);
	return o_packet(w, key);
}

void o_pass(struct o_world *w, uint64_t ms)
{
	for (uint64_t at = 0; at < ms; at += 100) {
		t_advance(w->t, MIN(ms - at, (uint64_t)100) * NS_PER_MS);
		list_for_each (p, &w->d->bridges, struct ofproto, node)
			ofproto_run(p, w->t->now);
	}
}

uint32_t o_flows(struct o_world *w)
{
	uint32_t flows, masks;

	table_count(w->d->table, &flows, &masks);
	return flows;
}
