/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NORMAL: a learning switch with VLANs (spec/ovs.md 3.5, 3.6).
 */
#include "ofproto/translate.h"

#include "wire/arp.h"
#include "wire/eth.h"

/* --- VLANs ----------------------------------------------------------------------------------- */

/* The VLAN that a frame is in, and what its tag has to be made from. */
struct vlan {
	uint16_t vid, pcp; /* pcp: in its place of a TCI */
	uint16_t tpid;	   /* 0: untagged, and no port gave it a VLAN */
};

static struct vlan vlan_of(const struct frame_tag *tag)
{
	if (!tag->present)
		return (struct vlan){0};
	return (struct vlan){tag->tci & VLAN_VID, tag->tci & VLAN_PCP, tag->tpid};
}

/* Does the bundle take part in this VLAN?  (A native VLAN is among its trunks.) */
static bool has_vlan(const struct snap_bundle *b, uint16_t vid)
{
	if (b->mode == VLAN_ACCESS)
		return vid == b->tag;
	return !b->trunks || vlan_is_in(b->trunks, vid);
}

/* v: of the frame as it came, then as the bridge sees it.  DROP_NONE, or why it has no VLAN. */
static enum drop vlan_in(const struct snap_bundle *b, struct vlan *v)
{
	if (b->mode == VLAN_ACCESS && v->vid)
		return DROP_vlan_tagged_on_access;
	if (b->mode != VLAN_TRUNK && !v->vid) {
		v->vid = b->tag;
		v->tpid = v->tpid ? v->tpid : ETHTYPE_VLAN;
		return DROP_NONE;
	}
	return has_vlan(b, v->vid) ? DROP_NONE : DROP_vlan_not_on_port;
}

/* The tag that a frame in 'v', come in with this PCP, leaves by b with.  What has neither VLAN nor
 * PCP has none, unless the port wants one of all frames that have known one. */
static struct frame_tag tag_out(const struct snap_bundle *b, const struct vlan *v, uint16_t pcp)
{
	struct vlan out = *v;
	uint16_t tci;

	if (b->mode == VLAN_ACCESS || (b->mode == VLAN_NATIVE_UNTAGGED && v->vid == b->tag))
		out = (struct vlan){0};
	if (b->priority_tags != PRIORITY_TAGS_NEVER)
		out.pcp = pcp;
	tci = out.vid | out.pcp;
	return (struct frame_tag){.present = tci ||
					     (b->priority_tags == PRIORITY_TAGS_ALWAYS && out.tpid),
				  .tpid = out.tpid ? out.tpid : ETHTYPE_VLAN,
				  .tci = tci};
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

static void learn(struct translation *t, const struct snap_bundle *in, uint16_t vid)
{
	const struct snap_bridge *br = in->port->br;

	look_at_arp(t);
	if (mac_is_multicast(&t->key->eth_src) || vlan_is_in(br->flood_vlans, vid) || !in->macs)
		return;
	translate_learn(t, in, br->macs, vid);
}

/* --- out ------------------------------------------------------------------------------------- */

/* A frame under way in one bridge. */
struct passing {
	const struct snap_bundle *in;
	struct vlan vlan;
	bool tagged;  /* it came so */
	uint16_t pcp; /* with this */
};

static void send_by(struct translation *t, const struct passing *f, const struct snap_bundle *out)
{
	t->tag = tag_out(out, &f->vlan, f->pcp);
	/* Did its priority decide whether it has a tag, or which? */
	if (f->tagged &&
	    (out->priority_tags == PRIORITY_TAGS_IF_NONZERO || !(t->tag.tci & VLAN_VID)))
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

static void flood(struct translation *t, const struct passing *f)
{
	const struct snap_bridge *br = f->in->port->br;
	uint32_t before = t->outputs, n = 0;

	translate_tell(t, NOTE_flood, f->in->port, f->vlan.vid, 0);
	for (uint32_t i = 0; i < br->n_ports; i++) {
		const struct snap_bundle *b = br->ports[i].bundle;

		if (!b || b == f->in || !has_vlan(b, f->vlan.vid) || !may_pass(t, f->in, b))
			continue;
		send_by(t, f, b);
		n++;
	}
	if (!n && t->outputs == before)
		translate_drop(t, DROP_normal_no_port);
}

/* In a VLAN that is flooded nobody is looked up, not even who was put into the table by hand. */
static const struct snap_bundle *look_up(const struct translation *t, const struct passing *f)
{
	const struct snap_bridge *br = f->in->port->br;
	struct mac_port *m = NULL;

	if (!mac_is_multicast(&t->key->eth_dst) && !vlan_is_in(br->flood_vlans, f->vlan.vid))
		m = mac_vlan_lookup(br->macs, &t->key->eth_dst, f->vlan.vid);
	return m ? snap_bundle_of(br, m) : NULL;
}

static void drop_same_port(struct translation *t, const struct snap_bundle *b)
{
	translate_tell(t, NOTE_same_port, b->port, 0, 0);
	translate_drop(t, DROP_bridge_same_port);
}

/* To the port that the destination was learnt on, or put on by hand, whatever its trunks say. */
static void send_to(struct translation *t, const struct passing *f, const struct snap_bundle *out)
{
	translate_tell(t, NOTE_known, out->port, f->vlan.vid, 0);
	if (!may_pass(t, f->in, out))
		translate_drop(t, DROP_port_protected);
	else
		send_by(t, f, out);
}

static void forward(struct translation *t, const struct passing *f)
{
	const struct snap_bundle *out = look_up(t, f);

	if (!t->depth)
		t->way = out && out->port ? WAY_KNOWN : WAY_FLOOD;
	if (!out || !out->port)
		flood(t, f);
	else if (out == f->in)
		drop_same_port(t, out);
	else
		send_to(t, f, out);
}

/* What switches tell each other and stays on its link (forward-bpdu of 3.1). */
static const struct {
	uint64_t first, n;
} reserved[] = {
	{0x0180c2000000, 16}, /* IEEE 802.1D: STP, pause, LACP, LLDP, ... */
	{0x00e02b000000, 1},  {0x00e02b000004, 1}, {0x00e02b000006, 1}, /* Extreme: EDP, EAPS */
	{0x01000c000000, 1},						/* Cisco: ISL */
	{0x01000cccccc0, 8},						/* CFM */
	{0x01000ccccccc, 2},						/* CDP, VTP, PVST+, ... */
	{0x01000ccdcdcd, 1},						/* Uplink Fast */
};

static bool is_reserved(const struct mac *m)
{
	uint64_t a = 0;

	for (int i = 0; i < 6; i++)
		a = a << 8 | m->b[i];
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (a - reserved[i].first < reserved[i].n)
			return true;
	return false;
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

/* As 3.1, which parses one tag, sees a frame whose outer one, of VLAN 0, was taken off on the way
 * into this bridge. */
static bool has_half_tag(const struct translation *t)
{
	const struct flow_key *k = t->key;

	return !t->tag.present &&
	       ethtype_is_vlan(key_has_tag(k, 1) ? k->vlan[1].tpid : k->eth_type);
}

void normal(struct translation *t, const struct snap_port *from)
{
	const struct frame_tag tag = t->tag;
	struct passing f = {.in = from->bundle, .vlan = vlan_of(&tag), .tagged = tag.present};
	enum drop why;

	look_at_frame(t);
	if (!f.in) {
		drop_unknown_port(t, from);
		return;
	}
	if (has_half_tag(t)) {
		translate_tell(t, NOTE_half_tag, from, 0, 0);
		translate_drop(t, DROP_normal_half_tag);
		return;
	}
	f.pcp = f.vlan.pcp;
	why = vlan_in(f.in, &f.vlan);
	if (why != DROP_NONE) {
		drop_bad_vlan(t, f.in, f.vlan.vid, why);
		return;
	}
	if (is_reserved(&t->key->eth_dst) && !from->br->forward_bpdu) {
		translate_tell(t, NOTE_reserved_dst, from, 0, 0);
		translate_drop(t, DROP_normal_reserved_dst);
		return;
	}
	if (!t->depth)
		t->vlan = f.vlan.vid;
	learn(t, f.in, f.vlan.vid);
	forward(t, &f);
	t->tag = tag;
}
