/* SPDX-License-Identifier: Apache-2.0 */
#include "vxlan/build.h"

#include <errno.h>

#include "vxlan/ecn.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/vxlan.h"

static void take_ip4(const struct ip4_hdr *ip, struct inner *in)
{
	in->tos = ip->tos;
	in->ttl = ip->ttl;
	in->df = be16_get(ip->frag) & IP4_DF;
}

static void take_ip6(const struct ip6_hdr *ip, struct inner *in)
{
	in->tos = ip6_tclass(ip);
	in->ttl = ip->hop_limit;
	in->label = ip6_label(ip);
	in->df = true;
}

int inner_parse(struct worker *w, struct pkt *p, struct inner *in)
{
	uint32_t at = sizeof(struct eth_hdr), need;

	*in = (struct inner){0};
	if (pkt_pull_frags(w->pool, p, at) < 0)
		return -EINVAL;
	in->type = be16_get(((const struct eth_hdr *)p->data)->type);
	while (in->type == ETHTYPE_VLAN || in->type == ETHTYPE_QINQ) {
		if (pkt_pull_frags(w->pool, p, at + sizeof(struct vlan_hdr)) < 0)
			return -EINVAL;
		in->type = be16_get(((const struct vlan_hdr *)(p->data + at))->type);
		in->tagged = true;
		at += sizeof(struct vlan_hdr);
	}
	need = in->type == ETHTYPE_IP4	 ? sizeof(struct ip4_hdr)
	       : in->type == ETHTYPE_IP6 ? sizeof(struct ip6_hdr)
					 : 0;
	if (pkt_pull_frags(w->pool, p, at + need) < 0)
		return -EINVAL;
	in->l3_len = pkt_total(p) - at;
	if (in->type == ETHTYPE_IP4)
		take_ip4((const struct ip4_hdr *)(p->data + at), in);
	else if (in->type == ETHTYPE_IP6)
		take_ip6((const struct ip6_hdr *)(p->data + at), in);
	return 0;
}

static bool wants_df(const struct vxlan_opts *o, const struct inner *in)
{
	if (o->df != DF_INHERIT)
		return o->df == DF_SET;
	return !in->tagged && in->df; /* of a tagged frame the kernel does not look at IP */
}

void flow_fill(const struct vxlan_opts *o, const struct inner *in, bool to_multicast, bool is6,
	       struct udp_flow *f)
{
	uint8_t tos = o->tos == 1 ? in->tos : o->tos;

	f->ttl = o->ttl_inherit ? in->ttl : o->ttl;
	if (!f->ttl && to_multicast && !o->ttl_inherit)
		f->ttl = 1;
	f->tos = ecn_encapsulate(tos, in->tos);
	f->df = !is6 && wants_df(o, in);
	f->csum = is6 ? !o->udp6zerocsumtx : o->udpcsum;
	f->label = !is6 ? 0 : o->label_policy == LABEL_INHERIT ? in->label : o->flowlabel;
}

void source_range(const struct vxlan_opts *o, struct udp_flow *f)
{
	bool given = o->srcport.low || o->srcport.high;

	f->sport_min = given ? o->srcport.low : VXLAN_SPORT_MIN;
	f->sport_max = given ? o->srcport.high : VXLAN_SPORT_MAX;
}

uint16_t source_port(uint32_t hash, uint16_t low, uint16_t high)
{
	uint32_t n = (uint32_t)high - low + 1;

	hash ^= hash << 16;
	return (uint16_t)(low + (((uint64_t)hash * n) >> 32));
}

int vxlan_build(struct worker *w, struct pkt *p, vni_t vni)
{
	struct vxlan_hdr *h;

	/* The push writes before the frame: another owner of the buffer may have headers there. */
	if (pkt_cow(w->pool, p) < 0)
		return -ENOMEM;
	h = pkt_push(p, sizeof(*h));
	h->flags = be32_put(VXLAN_F_VNI);
	h->vni = vxlan_vni_field(vni);
	return 0;
}

void vxlan_build_policy(struct pkt *p, uint32_t policy)
{
	struct vxlan_hdr *h = (struct vxlan_hdr *)p->data;

	if (policy)
		h->flags = be32_put(VXLAN_F_VNI | VXLAN_F_GBP | (policy & VXLAN_GBP_POLICY));
}

COLD void vxlan_build_trace(struct pkt *p)
{
	const struct vxlan_hdr *h = (const struct vxlan_hdr *)p->data;
	uint32_t flags = be32_get(h->flags);
	struct trace_step *s =
		trace_add(p, STAGE_vxlan_build, flags & VXLAN_F_GBP ? SAY_POLICY : SAY_NOTHING);

	s->vni = vxlan_hdr_vni(h).v;
	s->u[0] = flags & VXLAN_GBP_POLICY;
}
