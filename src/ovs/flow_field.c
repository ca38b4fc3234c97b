/* SPDX-License-Identifier: Apache-2.0 */
#include "ovs/flow_field.h"

#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip4.h"

#define AT(member) offsetof(struct flow_key, member)

static const struct of_field fields[] = {
	{"in_port", NULL, OF_PORT, NEED_NOTHING, AT(in_port)},
	{"pkt_mark", NULL, OF_U32, NEED_NOTHING, AT(skb_mark)},
	{"recirc_id", NULL, OF_U32, NEED_NOTHING, AT(recirc_id)},
	{"skb_priority", NULL, OF_U32, NEED_NOTHING, AT(skb_priority)},
	{"tun_id", "tunnel_id", OF_U64, NEED_NOTHING, AT(tun.id)},
	{"tun_src", NULL, OF_IP4, NEED_NOTHING, AT(tun.src)},
	{"tun_dst", NULL, OF_IP4, NEED_NOTHING, AT(tun.dst)},
	{"tun_ipv6_src", NULL, OF_IP6, NEED_NOTHING, AT(tun.src)},
	{"tun_ipv6_dst", NULL, OF_IP6, NEED_NOTHING, AT(tun.dst)},
	{"tun_ttl", NULL, OF_U8, NEED_NOTHING, AT(tun.ttl)},
	{"tun_tos", NULL, OF_U8, NEED_NOTHING, AT(tun.tos)},
	{"tun_flags", NULL, OF_TUN_FLAGS, NEED_NOTHING, AT(tun.flags)},
	{"tun_gbp_id", NULL, OF_U16, NEED_NOTHING, AT(tun.gbp_id)},
	{"tun_gbp_flags", NULL, OF_U8, NEED_NOTHING, AT(tun.gbp_flags)},
	{"eth_src", "dl_src", OF_MAC, NEED_NOTHING, AT(eth_src)},
	{"eth_dst", "dl_dst", OF_MAC, NEED_NOTHING, AT(eth_dst)},
	{"eth_type", "dl_type", OF_BE16, NEED_NOTHING, AT(eth_type)},
	{"vlan_tci", NULL, OF_TCI, NEED_NOTHING, AT(vlan)},
	{"dl_vlan", NULL, OF_DL_VLAN, NEED_NOTHING, AT(vlan)},
	{"vlan_vid", NULL, OF_VID, NEED_NOTHING, AT(vlan)},
	{"dl_vlan_pcp", NULL, OF_PCP, NEED_NOTHING, AT(vlan)},
	{"vlan_pcp", NULL, OF_PCP, NEED_VLAN, AT(vlan)},
	{"ip_src", "nw_src", OF_IP4, NEED_IP4, AT(ip_src)},
	{"ip_dst", "nw_dst", OF_IP4, NEED_IP4, AT(ip_dst)},
	{"ipv6_src", NULL, OF_IP6, NEED_IP6, AT(ip_src)},
	{"ipv6_dst", NULL, OF_IP6, NEED_IP6, AT(ip_dst)},
	{"ipv6_label", NULL, OF_LABEL, NEED_IP6, AT(ip6_label)},
	{"nw_proto", "ip_proto", OF_U8, NEED_IP, AT(ip_proto)},
	{"nw_tos", NULL, OF_TOS, NEED_IP, AT(ip_tos)},
	{"ip_dscp", NULL, OF_DSCP, NEED_IP, AT(ip_tos)},
	{"nw_ecn", "ip_ecn", OF_ECN, NEED_IP, AT(ip_tos)},
	{"nw_ttl", NULL, OF_U8, NEED_IP, AT(ip_ttl)},
	{"ip_frag", "nw_frag", OF_FRAG, NEED_IP, AT(ip_frag)},
	{"arp_op", NULL, OF_OP, NEED_ARP, AT(ip_proto)},
	{"arp_spa", NULL, OF_IP4, NEED_ARP, AT(ip_src)},
	{"arp_tpa", NULL, OF_IP4, NEED_ARP, AT(ip_dst)},
	{"arp_sha", NULL, OF_MAC, NEED_ARP, AT(sha)},
	{"arp_tha", NULL, OF_MAC, NEED_ARP, AT(tha)},
	{"tcp_src", "tp_src", OF_BE16, NEED_TCP, AT(tp_src)},
	{"tcp_dst", "tp_dst", OF_BE16, NEED_TCP, AT(tp_dst)},
	{"tcp_flags", NULL, OF_TCP_FLAGS, NEED_TCP, AT(tcp_flags)},
	{"udp_src", NULL, OF_BE16, NEED_UDP, AT(tp_src)},
	{"udp_dst", NULL, OF_BE16, NEED_UDP, AT(tp_dst)},
	{"sctp_src", NULL, OF_BE16, NEED_SCTP, AT(tp_src)},
	{"sctp_dst", NULL, OF_BE16, NEED_SCTP, AT(tp_dst)},
	{"icmp_type", NULL, OF_LOW8, NEED_ICMP4, AT(tp_src)},
	{"icmp_code", NULL, OF_LOW8, NEED_ICMP4, AT(tp_dst)},
	{"icmpv6_type", NULL, OF_LOW8, NEED_ICMP6, AT(tp_src)},
	{"icmpv6_code", NULL, OF_LOW8, NEED_ICMP6, AT(tp_dst)},
	{"nd_target", NULL, OF_IP6, NEED_ND, AT(nd_target)},
	{"nd_sll", NULL, OF_MAC, NEED_NS, AT(sha)},
	{"nd_tll", NULL, OF_MAC, NEED_NA, AT(tha)},
	{"metadata", NULL, OF_NOT, NEED_NOTHING, 0},
	{"dp_hash", NULL, OF_NOT, NEED_NOTHING, 0},
	{"conj_id", NULL, OF_NOT, NEED_NOTHING, 0},
	{"packet_type", NULL, OF_NOT, NEED_NOTHING, 0},
	{"actset_output", NULL, OF_NOT, NEED_NOTHING, 0},
};

/* The beginnings of further names of 3.1's. */
static const char *const no_fields[] = {"reg",	"xreg",	 "xxreg",	 "ct_",	       "mpls_",
					"nsh_", "gtpu_", "tun_metadata", "tun_erspan_"};

const struct of_field *of_field_find(const char *name, size_t n)
{
	static const struct of_field none = {"", NULL, OF_NOT, NEED_NOTHING, 0};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct of_field *f = &fields[i];

		if ((strlen(f->name) == n && !memcmp(f->name, name, n)) ||
		    (f->also && strlen(f->also) == n && !memcmp(f->also, name, n)))
			return f;
	}
	for (size_t i = 0; i < ARRAY_LEN(no_fields); i++)
		if (n > strlen(no_fields[i]) && !memcmp(name, no_fields[i], strlen(no_fields[i])))
			return &none;
	return NULL;
}

/* --- what is needed -------------------------------------------------------------------------- */

static bool is_proto(const struct flow_key *k, uint8_t proto4, uint8_t proto6)
{
	uint16_t type = be16_get(k->eth_type);

	return !(k->ip_frag == FRAG_LATER) && ((type == ETHTYPE_IP4 && k->ip_proto == proto4) ||
					       (type == ETHTYPE_IP6 && k->ip_proto == proto6));
}

static bool is_nd(const struct flow_key *k, bool ns, bool na)
{
	uint16_t type = be16_get(k->tp_src);

	return is_proto(k, 0, IPPROTO_ICMP6_) && be16_get(k->eth_type) == ETHTYPE_IP6 &&
	       !k->tp_dst.raw && ((ns && type == ICMP6_NS) || (na && type == ICMP6_NA));
}

bool of_is_met(const struct flow_key *k, enum of_need need)
{
	uint16_t type = be16_get(k->eth_type);

	switch (need) {
	case NEED_NOTHING:
		return true;
	case NEED_VLAN:
		return key_has_tag(k, 0);
	case NEED_IP4:
		return type == ETHTYPE_IP4;
	case NEED_IP6:
		return type == ETHTYPE_IP6;
	case NEED_IP:
		return type == ETHTYPE_IP4 || type == ETHTYPE_IP6;
	case NEED_ARP:
		return type == ETHTYPE_ARP || type == ETHTYPE_RARP;
	case NEED_TCP:
		return is_proto(k, IPPROTO_TCP_, IPPROTO_TCP_);
	case NEED_UDP:
		return is_proto(k, IPPROTO_UDP_, IPPROTO_UDP_);
	case NEED_SCTP:
		return is_proto(k, IPPROTO_SCTP_, IPPROTO_SCTP_);
	case NEED_ICMP4:
		return type == ETHTYPE_IP4 && is_proto(k, IPPROTO_ICMP4_, 0);
	case NEED_ICMP6:
		return type == ETHTYPE_IP6 && is_proto(k, 0, IPPROTO_ICMP6_);
	case NEED_ND:
		return is_nd(k, true, true);
	case NEED_NS:
		return is_nd(k, true, false);
	case NEED_NA:
		return is_nd(k, false, true);
	}
	return false;
}

/* --- numbers --------------------------------------------------------------------------------- */

uint32_t of_bytes(const struct of_field *f)
{
	switch (f->kind) {
	case OF_BE16:
	case OF_U16:
	case OF_OP:
	case OF_TCI:
	case OF_DL_VLAN:
	case OF_VID:
		return 2;
	case OF_U32:
	case OF_LABEL:
		return 4;
	case OF_U64:
		return 8;
	default:
		return 1;
	}
}

bool of_takes_mask(const struct of_field *f)
{
	switch (f->kind) {
	case OF_U8:
		return f->off == AT(tun.gbp_flags);
	case OF_BE16:
		return f->off != AT(eth_type);
	case OF_U32:
		return f->off == AT(skb_mark);
	case OF_LOW8:
	case OF_OP:
	case OF_TOS:
	case OF_DSCP:
	case OF_ECN:
	case OF_DL_VLAN:
	case OF_PCP:
		return false;
	default:
		return true;
	}
}

static void set_tci(struct flow_key *k, uint32_t tci)
{
	k->vlan[0].tci = be16_put((uint16_t)tci);
	k->vlan[0].tpid = be16_put(tci & VLAN_PRESENT ? ETHTYPE_VLAN : 0);
}

/* Those of VLANs, which are parts of one member, as are those of the TOS byte. */
static void set_part(const struct of_field *f, struct flow_key *k, uint32_t v)
{
	uint32_t tci = be16_get(k->vlan[0].tci), tos = k->ip_tos;

	switch (f->kind) {
	case OF_TOS:
		k->ip_tos = (uint8_t)((tos & 3) | (v & 0xfc));
		return;
	case OF_DSCP:
		k->ip_tos = (uint8_t)((tos & 3) | (v << 2 & 0xfc));
		return;
	case OF_ECN:
		k->ip_tos = (uint8_t)((tos & 0xfc) | (v & 3));
		return;
	case OF_TCI:
		set_tci(k, v);
		return;
	case OF_DL_VLAN: /* 0xffff: without a tag, as OpenFlow 1.0 has it */
		set_tci(k, v == UINT16_MAX ? 0 : (tci & VLAN_PCP) | (v & VLAN_VID) | VLAN_PRESENT);
		return;
	case OF_VID:
		set_tci(k, (tci & VLAN_PCP) | (v & (VLAN_VID | VLAN_PRESENT)));
		return;
	default:
		set_tci(k, (tci & VLAN_VID) | (v << VLAN_PCP_SHIFT & VLAN_PCP) | VLAN_PRESENT);
	}
}

void of_set_number(const struct of_field *f, struct flow_key *k, uint64_t v)
{
	uint8_t *at = (uint8_t *)k + f->off;
	uint32_t u32 = (uint32_t)v;
	uint16_t u16 = (uint16_t)v;

	switch (f->kind) {
	case OF_U8:
	case OF_OP:
		*at = (uint8_t)v;
		return;
	case OF_BE16:
	case OF_LOW8:
		*(be16 *)at = be16_put(u16);
		return;
	case OF_U16:
		memcpy(at, &u16, sizeof(u16));
		return;
	case OF_U32:
		memcpy(at, &u32, sizeof(u32));
		return;
	case OF_U64:
		memcpy(at, &v, sizeof(v));
		return;
	case OF_LABEL:
		*(be32 *)at = be32_put(u32 & 0xfffff);
		return;
	default:
		set_part(f, k, u32);
	}
}

bool of_is_zero(const struct of_field *f, const struct flow_key *k)
{
	static const struct flow_key none;
	const uint8_t *at = (const uint8_t *)k + f->off;
	uint32_t tci = be16_get(k->vlan[0].tci);

	switch (f->kind) {
	case OF_MAC:
		return !memcmp(at, &none, sizeof(struct mac));
	case OF_IP4:
	case OF_IP6:
		return ip_is_any((const void *)at);
	case OF_PORT:
		return !k->in_port;
	case OF_TCP_FLAGS:
		return !k->tcp_flags.raw;
	case OF_TOS:
	case OF_DSCP:
		return !(k->ip_tos & 0xfc);
	case OF_ECN:
		return !(k->ip_tos & 3);
	case OF_TCI:
		return !tci;
	case OF_DL_VLAN:
		return !(tci & VLAN_VID);
	case OF_VID:
		return !(tci & (VLAN_VID | VLAN_PRESENT));
	case OF_PCP:
		return !(tci & VLAN_PCP);
	default:
		return !memcmp(at, &none,
			       f->kind == OF_OP	    ? 1
			       : f->kind == OF_LOW8 ? 2
						    : of_bytes(f));
	}
}
