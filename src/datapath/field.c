/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/field.h"

#define AT(member) offsetof(struct flow_key, member)

/* In the order of the text. */
const struct field flow_fields[] = {
	{"tunnel", "tun_id", FIELD_X64, 0, AT(tun.id)},
	{"tunnel", "src", FIELD_IP4, FIELD_IF_SET, AT(tun.src)},
	{"tunnel", "dst", FIELD_IP4, FIELD_IF_SET, AT(tun.dst)},
	{"tunnel", "ipv6_src", FIELD_IP6, FIELD_IF_SET, AT(tun.src)},
	{"tunnel", "ipv6_dst", FIELD_IP6, FIELD_IF_SET, AT(tun.dst)},
	{"tunnel", "tos", FIELD_X8, FIELD_IF_SET, AT(tun.tos)},
	{"tunnel", "ttl", FIELD_U8, 0, AT(tun.ttl)},
	{"tunnel", "tp_src", FIELD_BE16, FIELD_IF_SET, AT(tun.tp_src)},
	{"tunnel", "tp_dst", FIELD_BE16, FIELD_IF_SET, AT(tun.tp_dst)},
	{"eth", "src", FIELD_MAC, 0, AT(eth_src)},
	{"eth", "dst", FIELD_MAC, 0, AT(eth_dst)},
	{"ipv4", "src", FIELD_IP4, 0, AT(ip_src)},
	{"ipv4", "dst", FIELD_IP4, 0, AT(ip_dst)},
	{"ipv4", "proto", FIELD_U8, 0, AT(ip_proto)},
	{"ipv4", "tos", FIELD_X8, 0, AT(ip_tos)},
	{"ipv4", "ttl", FIELD_U8, 0, AT(ip_ttl)},
	{"ipv4", "frag", FIELD_FRAG, 0, AT(ip_frag)},
	{"ipv6", "src", FIELD_IP6, 0, AT(ip_src)},
	{"ipv6", "dst", FIELD_IP6, 0, AT(ip_dst)},
	{"ipv6", "label", FIELD_LABEL, 0, AT(ip6_label)},
	{"ipv6", "proto", FIELD_U8, 0, AT(ip_proto)},
	{"ipv6", "tclass", FIELD_X8, 0, AT(ip_tos)},
	{"ipv6", "hlimit", FIELD_U8, 0, AT(ip_ttl)},
	{"ipv6", "frag", FIELD_FRAG, 0, AT(ip_frag)},
	{"arp", "sip", FIELD_IP4, 0, AT(ip_src)},
	{"arp", "tip", FIELD_IP4, 0, AT(ip_dst)},
	{"arp", "op", FIELD_U8, 0, AT(ip_proto)},
	{"arp", "sha", FIELD_MAC, 0, AT(sha)},
	{"arp", "tha", FIELD_MAC, 0, AT(tha)},
	{"tcp", "src", FIELD_BE16, 0, AT(tp_src)},
	{"tcp", "dst", FIELD_BE16, 0, AT(tp_dst)},
	{"udp", "src", FIELD_BE16, 0, AT(tp_src)},
	{"udp", "dst", FIELD_BE16, 0, AT(tp_dst)},
	{"sctp", "src", FIELD_BE16, 0, AT(tp_src)},
	{"sctp", "dst", FIELD_BE16, 0, AT(tp_dst)},
	{"icmp", "type", FIELD_ICMP, 0, AT(tp_src)},
	{"icmp", "code", FIELD_ICMP, 0, AT(tp_dst)},
	{"icmpv6", "type", FIELD_ICMP, 0, AT(tp_src)},
	{"icmpv6", "code", FIELD_ICMP, 0, AT(tp_dst)},
	{"nd", "target", FIELD_IP6, 0, AT(nd_target)},
	{"nd", "sll", FIELD_MAC, 0, AT(sha)},
	{"nd", "tll", FIELD_MAC, 0, AT(tha)},
};
const uint32_t n_flow_fields = ARRAY_LEN(flow_fields);

const struct flow_flag tun_flag_names[3] = {{TUN_DF, "df"}, {TUN_CSUM, "csum"}, {TUN_KEY, "key"}};
const struct flow_flag tcp_flag_names[12] = {{0x001, "fin"},   {0x002, "syn"},	 {0x004, "rst"},
					     {0x008, "psh"},   {0x010, "ack"},	 {0x020, "urg"},
					     {0x040, "ece"},   {0x080, "cwr"},	 {0x100, "ns"},
					     {0x200, "[200]"}, {0x400, "[400]"}, {0x800, "[800]"}};
const struct flow_flag slow_path_names[8] = {{SLOW_CFM, "cfm"},	    {SLOW_BFD, "bfd"},
					     {SLOW_LACP, "lacp"},   {SLOW_STP, "stp"},
					     {SLOW_LLDP, "lldp"},   {SLOW_CONTROLLER, "controller"},
					     {SLOW_MATCH, "match"}, {SLOW_ACTION, "action"}};
const char *const frag_names[3] = {"no", "first", "later"};

static void tunnel_to_key(const struct tun_info *t, struct flow_tun *k, struct flow_tun *m)
{
	*k = (struct flow_tun){
		.src = t->src,
		.dst = t->dst,
		.id = t->id,
		.tp_src = be16_put(t->sport),
		.tp_dst = be16_put(t->dport),
		.tos = t->tos,
		.ttl = t->ttl,
		.flags = (uint8_t)((t->df ? TUN_DF : 0) | (t->has_csum ? TUN_CSUM : 0) |
				   (t->has_key ? TUN_KEY : 0)),
		.gbp_flags = gbp_flags(t->gbp),
		.gbp_id = gbp_id(t->gbp),
	};
	memset(m, 0xff, sizeof(*m));
	if (!t->id && !t->has_key)
		m->id = 0;
}

void act_to_key(const struct act *a, struct flow_key *k, struct flow_key *m)
{
	const struct act_eth *e = (const struct act_eth *)a;
	const struct act_ip4 *i4 = (const struct act_ip4 *)a;
	const struct act_ip6 *i6 = (const struct act_ip6 *)a;
	const struct act_ports *p = (const struct act_ports *)a;

	memset(k, 0, sizeof(*k));
	memset(m, 0, sizeof(*m));
	switch (a->type) {
	case ACT_SET_ETH:
		*k = (struct flow_key){.eth_src = e->src, .eth_dst = e->dst};
		*m = (struct flow_key){.eth_src = e->src_mask, .eth_dst = e->dst_mask};
		return;
	case ACT_SET_IP4:
		*k = (struct flow_key){.ip_src = ip_from4(i4->src),
				       .ip_dst = ip_from4(i4->dst),
				       .ip_tos = i4->tos,
				       .ip_ttl = i4->ttl};
		*m = (struct flow_key){.ip_tos = i4->tos_mask, .ip_ttl = i4->ttl_mask};
		m->ip_src.w[3] = i4->src_mask;
		m->ip_dst.w[3] = i4->dst_mask;
		return;
	case ACT_SET_IP6:
		*k = (struct flow_key){.ip_src = i6->src,
				       .ip_dst = i6->dst,
				       .ip6_label = i6->label,
				       .ip_tos = i6->tclass,
				       .ip_ttl = i6->hlimit};
		*m = (struct flow_key){.ip_src = i6->src_mask,
				       .ip_dst = i6->dst_mask,
				       .ip6_label = i6->label_mask,
				       .ip_tos = i6->tclass_mask,
				       .ip_ttl = i6->hlimit_mask};
		return;
	case ACT_SET_TCP:
	case ACT_SET_UDP:
	case ACT_SET_SCTP:
		*k = (struct flow_key){.tp_src = p->src, .tp_dst = p->dst};
		*m = (struct flow_key){.tp_src = p->src_mask, .tp_dst = p->dst_mask};
		return;
	case ACT_SET_TUNNEL:
		tunnel_to_key(&((const struct act_tunnel *)a)->tun, &k->tun, &m->tun);
		return;
	}
}
