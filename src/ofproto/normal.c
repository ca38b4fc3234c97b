/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NORMAL: a learning switch with VLANs (spec/ovs.md 3.5, 3.6).
 */
#include "ofproto/translate.h"

#include "wire/arp.h"
#include "wire/eth.h"

/* --- VLANs ----------------------------------------------------------------------------------- */

static uint16_t vid_of(const struct frame_tag *tag)
{
	return tag->present ? tag->tci & VLAN_VID : 0;
}

static bool is_native(const struct snap_bundle *b)
{
	return b->mode == VLAN_NATIVE_TAGGED || b->mode == VLAN_NATIVE_UNTAGGED;
}

/* Does the bundle take part in this VLAN? */
static bool has_vlan(const struct snap_bundle *b, uint16_t vlan)
{
	if (b->mode == VLAN_ACCESS)
		return vlan == b->tag;
	if (is_native(b) && !vlan) /* what has no tag is in the native one */
		return !b->tag;
	return !b->has_trunks || vlan_is_in(b->trunks, vlan) || (is_native(b) && vlan == b->tag);
}

/* The VLAN that a frame with this VID is in; false: 'why' it has none. */
static bool vlan_in(const struct snap_bundle *b, uint16_t vid, uint16_t *vlan, enum drop *why)
{
	*vlan = vid;
	*why = DROP_vlan_tagged_on_access;
	if (b->mode == VLAN_ACCESS && vid)
		return false;
	*why = DROP_vlan_not_on_port;
	if ((b->mode == VLAN_ACCESS || is_native(b)) && !vid)
		*vlan = b->tag;
	return has_vlan(b, *vlan);
}

/* The tag that a frame of 'vlan', come in with 'in', leaves by b with. */
static struct frame_tag tag_out(const struct snap_bundle *b, uint16_t vlan,
				const struct frame_tag *in)
{
	uint16_t pcp = in->present ? in->tci & VLAN_PCP : 0;
	struct frame_tag t = {.present = vlan != 0,
			      .tpid = in->present ? in->tpid : ETHTYPE_VLAN,
			      .tci = (uint16_t)(vlan | pcp)};

	if (b->mode == VLAN_ACCESS || (b->mode == VLAN_NATIVE_UNTAGGED && vlan == b->tag))
		t.present = false;
	if (!t.present && (b->priority_tags == PRIORITY_TAGS_ALWAYS ||
			   (b->priority_tags == PRIORITY_TAGS_IF_NONZERO && pcp))) {
		t.present = true;
		t.tci = pcp;
	}
	return t;
}

/* --- learning -------------------------------------------------------------------------------- */

/* What a gratuitous ARP is told by; learning looks at it, as in 3.1. */
static void look_at_arp(struct translation *t)
{
	const struct flow_key *k = t->key;

	if (be16_get(k->eth_type) != ETHTYPE_ARP || !mac_is_broadcast(&k->eth_dst))
		return;
	t->mask.ip_proto = 0xff;
	if (k->ip_proto != ARP_REQUEST)
		return;
	memset(&t->mask.ip_src, 0xff, sizeof(t->mask.ip_src));
	memset(&t->mask.ip_dst, 0xff, sizeof(t->mask.ip_dst));
}

static void learn(struct translation *t, const struct snap_bundle *in, uint16_t vlan)
{
	const struct snap_bridge *br = in->port->br;

	look_at_arp(t);
	if (mac_is_multicast(&t->key->eth_src) || vlan_is_in(br->flood_vlans, vlan) || !in->macs)
		return;
	translate_learn(t, in, br->macs, vlan);
}

/* --- out ------------------------------------------------------------------------------------- */

static void send_by(struct translation *t, const struct snap_bundle *out, uint16_t vlan,
		    const struct frame_tag *in)
{
	t->tag = tag_out(out, vlan, in);
	if (in->present && out->priority_tags == PRIORITY_TAGS_IF_NONZERO)
		t->mask.vlan[0].tci = be16_put(UINT16_MAX);
	translate_output(t, out->port);
}

static bool may_pass(struct translation *t, const struct snap_bundle *in,
		     const struct snap_bundle *out)
{
	if (!(in->protected_ && out->protected_))
		return true;
	translate_tell(t, NOTE_is_protected, out->port, 0, 0);
	return false;
}

static void flood(struct translation *t, const struct snap_bundle *in, uint16_t vlan,
		  const struct frame_tag *tag)
{
	const struct snap_bridge *br = in->port->br;
	uint32_t before = t->outputs, n = 0;

	translate_tell(t, NOTE_flood, in->port, vlan, 0);
	for (uint32_t i = 0; i < br->n_ports; i++) {
		const struct snap_bundle *b = br->ports[i].bundle;

		if (!b || b == in || !has_vlan(b, vlan) || !may_pass(t, in, b))
			continue;
		send_by(t, b, vlan, tag);
		n++;
	}
	if (!n && t->outputs == before)
		translate_drop(t, DROP_normal_no_port);
}

static void drop_same_port(struct translation *t, const struct snap_bundle *b)
{
	translate_tell(t, NOTE_same_port, b->port, 0, 0);
	translate_drop(t, DROP_bridge_same_port);
}

/* To the port that the destination was learnt on. */
static void send_to(struct translation *t, const struct snap_bundle *in,
		    const struct snap_bundle *out, uint16_t vlan, const struct frame_tag *tag)
{
	translate_tell(t, NOTE_known, out->port, vlan, 0);
	if (!may_pass(t, in, out))
		translate_drop(t, DROP_port_protected);
	else if (has_vlan(out, vlan))
		send_by(t, out, vlan, tag);
	else
		translate_drop(t, DROP_normal_no_port);
}

static void forward(struct translation *t, const struct snap_bundle *in, uint16_t vlan,
		    const struct frame_tag *tag)
{
	const struct snap_bridge *br = in->port->br;
	struct mac_port *m = mac_is_multicast(&t->key->eth_dst)
				     ? NULL
				     : mac_vlan_lookup(br->macs, &t->key->eth_dst, vlan);
	const struct snap_bundle *out = m ? snap_bundle_of(br, m) : NULL;

	if (!t->depth)
		t->way = out && out->port ? WAY_KNOWN : WAY_FLOOD;
	if (!out || !out->port)
		flood(t, in, vlan, tag);
	else if (out == in)
		drop_same_port(t, out);
	else
		send_to(t, in, out, vlan, tag);
}

/* 01:80:c2:00:00:00 to 0f stay on their link. */
static bool is_reserved(const struct mac *m)
{
	static const uint8_t base[5] = {0x01, 0x80, 0xc2, 0, 0};

	return !memcmp(m->b, base, sizeof(base)) && m->b[5] < 0x10;
}

static void look_at_frame(struct translation *t)
{
	memset(&t->mask.eth_src, 0xff, sizeof(t->mask.eth_src));
	memset(&t->mask.eth_dst, 0xff, sizeof(t->mask.eth_dst));
	if (key_has_tag(t->key, 0))
		t->mask.vlan[0].tci =
			be16_put(be16_get(t->mask.vlan[0].tci) | VLAN_PRESENT | VLAN_VID);
}

static void drop_unknown_port(struct translation *t, const struct snap_port *from)
{
	translate_tell(t, NOTE_unknown_port, from, 0, 0);
	translate_tell(t, NOTE_no_bundle, from, 0, 0);
	translate_drop(t, DROP_ofport_unconnected);
}

static void drop_bad_vlan(struct translation *t, const struct snap_bundle *in, uint16_t vlan,
			  enum drop why)
{
	translate_tell(t,
		       why == DROP_vlan_tagged_on_access ? NOTE_tagged_on_access : NOTE_not_trunked,
		       in->port, vlan, in->tag);
	translate_tell(t, NOTE_bad_vlan, in->port, vlan, in->tag);
	translate_drop(t, why);
}

void normal(struct translation *t, const struct snap_port *from)
{
	const struct snap_bundle *in = from->bundle;
	const struct frame_tag tag = t->tag;
	enum drop why;
	uint16_t vlan;

	look_at_frame(t);
	if (!in) {
		drop_unknown_port(t, from);
		return;
	}
	if (!vlan_in(in, vid_of(&tag), &vlan, &why)) {
		drop_bad_vlan(t, in, vlan, why);
		return;
	}
	if (is_reserved(&t->key->eth_dst) && !from->br->forward_bpdu) {
		translate_tell(t, NOTE_reserved_dst, from, 0, 0);
		translate_drop(t, DROP_normal_reserved_dst);
		return;
	}
	if (!t->depth)
		t->vlan = vlan;
	learn(t, in, vlan);
	forward(t, in, vlan, &tag);
	t->tag = tag;
}
