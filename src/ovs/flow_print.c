/* SPDX-License-Identifier: Apache-2.0 */
/* Flows to OpenFlow's text. */
#include <strings.h>

#include "datapath/field.h"
#include "ovs/flow_text.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip4.h"

/* --- ports ----------------------------------------------------------------------------------- */

static const struct {
	uint16_t no;
	const char *word;
} port_words[] = {
	{OFPP_UNSET, "UNSET"}, {0xfff8, "IN_PORT"}, {0xfff9, "TABLE"},	    {0xfffa, "NORMAL"},
	{0xfffb, "FLOOD"},     {0xfffc, "ALL"},	    {0xfffd, "CONTROLLER"}, {OFPP_LOCAL, "LOCAL"},
	{OFPP_NONE, "ANY"},    {OFPP_NONE, "NONE"},
};

const char *flow_port_word(uint16_t no)
{
	for (size_t i = 0; i < ARRAY_LEN(port_words); i++)
		if (port_words[i].no == no)
			return port_words[i].word;
	return NULL;
}

bool flow_port_by_word(const char *word, uint16_t *no)
{
	for (size_t i = 0; i < ARRAY_LEN(port_words); i++)
		if (!strcasecmp(port_words[i].word, word)) {
			*no = port_words[i].no;
			return true;
		}
	return false;
}

/* --- members --------------------------------------------------------------------------------- */

struct printer {
	struct text *t;
	const struct flow_key *k, *m;
	const struct flow_ports *ports;
};

/* A comma, unless the text begins here. */
static void sep(struct printer *x)
{
	char last = x->t->len ? x->t->s[x->t->len - 1] : ' ';

	if (last != ' ' && last != ',')
		text_append(x->t, ",", 1);
}

static void word(struct printer *x, const char *w)
{
	sep(x);
	text_append(x->t, w, strlen(w));
}

static void dec(struct printer *x, const char *name, uint32_t v, uint32_t m)
{
	if (!m)
		return;
	sep(x);
	text_printf(x->t, "%s=%u", name, v);
}

/* 'all': the bits that the field has. */
static void hex(struct printer *x, const char *name, uint64_t v, uint64_t m, uint64_t all)
{
	if (!m)
		return;
	sep(x);
	text_printf(x->t, "%s=%#llx", name, (unsigned long long)v);
	if (m != all)
		text_printf(x->t, "/%#llx", (unsigned long long)m);
}

static void mac(struct printer *x, const char *name, const struct mac *v, const struct mac *m)
{
	char a[MAC_TEXT_MAX];

	if (mac_is_zero(m))
		return;
	sep(x);
	text_printf(x->t, "%s=%s", name, mac_text(v, a));
	if (!mac_is_broadcast(m))
		text_printf(x->t, "/%s", mac_text(m, a));
}

static void put_addr(struct printer *x, const char *name, const struct ip_addr *v)
{
	char a[IP_TEXT_MAX];

	sep(x);
	text_printf(x->t, "%s=%s", name, ip_text(v, a));
}

static void ip4(struct printer *x, const char *name, const struct ip_addr *v,
		const struct ip_addr *m)
{
	struct ip_addr addr = ip_from4(v->w[3]), mask = ip_from4(m->w[3]);
	char a[IP_TEXT_MAX];

	if (!m->w[3].raw)
		return;
	put_addr(x, name, &addr);
	if (m->w[3].raw != UINT32_MAX)
		text_printf(x->t, "/%s", ip_text(&mask, a));
}

static void ip6(struct printer *x, const char *name, const struct ip_addr *v,
		const struct ip_addr *m)
{
	char a[IP_TEXT_MAX];

	if (ip_is_none(m))
		return;
	put_addr(x, name, v);
	if ((m->d[0] & m->d[1]) != UINT64_MAX)
		text_printf(x->t, "/%s", ip_text(m, a));
}

static void port(struct printer *x)
{
	uint16_t no = (uint16_t)x->k->in_port;
	const char *name = flow_port_word(no);

	if (!x->m->in_port)
		return;
	if (!name && x->ports)
		name = x->ports->name(x->ports->ctx, no);
	if (name) {
		sep(x);
		text_printf(x->t, "in_port=%s", name);
	} else {
		dec(x, "in_port", no, 1);
	}
}

/* --- protocols ------------------------------------------------------------------------------- */

/* What an EtherType, and an IP protocol, are called.  False: they have no name. */
static bool protocol(struct printer *x)
{
	uint16_t type = be16_get(x->k->eth_type);
	bool is6 = type == ETHTYPE_IP6;
	static const struct {
		uint8_t proto4, proto6;
		const char *name4, *name6;
	} known[] = {{IPPROTO_ICMP4_, IPPROTO_ICMP6_, "icmp", "icmp6"},
		     {IPPROTO_TCP_, IPPROTO_TCP_, "tcp", "tcp6"},
		     {IPPROTO_UDP_, IPPROTO_UDP_, "udp", "udp6"},
		     {IPPROTO_SCTP_, IPPROTO_SCTP_, "sctp", "sctp6"}};

	if (type != ETHTYPE_IP4 && !is6)
		return false;
	for (size_t i = 0; x->m->ip_proto == 0xff && i < ARRAY_LEN(known); i++)
		if (x->k->ip_proto == (is6 ? known[i].proto6 : known[i].proto4)) {
			word(x, is6 ? known[i].name6 : known[i].name4);
			return true;
		}
	word(x, is6 ? "ipv6" : "ip");
	return false;
}

/* Of what is no IP; NULL: it has no name. */
static const char *type_name(uint16_t type)
{
	switch (type) {
	case ETHTYPE_ARP:
		return "arp";
	case ETHTYPE_RARP:
		return "rarp";
	case ETHTYPE_MPLS:
		return "mpls";
	case ETHTYPE_MPLS_MC:
		return "mplsm";
	}
	return NULL;
}

static bool is_arp(uint16_t type)
{
	return type == ETHTYPE_ARP || type == ETHTYPE_RARP;
}

/* --- tunnel ---------------------------------------------------------------------------------- */

/* "+df-csum": each of the flags that are looked at, with its sign. */
static void tun_signs(struct printer *x, uint8_t v, uint8_t m)
{
	if (!(m & (TUN_DF | TUN_CSUM | TUN_KEY)))
		return;
	word(x, "tun_flags=");
	for (size_t i = 0; i < ARRAY_LEN(tun_flag_names); i++)
		if (m & tun_flag_names[i].bit)
			text_printf(x->t, "%c%s", v & tun_flag_names[i].bit ? '+' : '-',
				    tun_flag_names[i].name);
}

static void tun_names(struct printer *x, uint8_t v)
{
	const char *bar = "";

	word(x, "tun_flags=");
	for (size_t i = 0; i < ARRAY_LEN(tun_flag_names); i++)
		if (v & tun_flag_names[i].bit) {
			text_printf(x->t, "%s%s", bar, tun_flag_names[i].name);
			bar = "|";
		}
	if (!*bar)
		text_append(x->t, "0", 1);
}

static void tun_masked(struct printer *x)
{
	const struct flow_tun *k = &x->k->tun, *m = &x->m->tun;

	hex(x, "tun_id", k->id, m->id, UINT64_MAX);
	if (ip_is4(&k->dst)) {
		ip4(x, "tun_src", &k->src, &m->src);
		ip4(x, "tun_dst", &k->dst, &m->dst);
	} else {
		ip6(x, "tun_ipv6_src", &k->src, &m->src);
		ip6(x, "tun_ipv6_dst", &k->dst, &m->dst);
	}
	if (m->gbp_id)
		dec(x, "tun_gbp_id", k->gbp_id, m->gbp_id);
	hex(x, "tun_gbp_flags", k->gbp_flags, m->gbp_flags, 0xff);
	if (m->tos) {
		sep(x);
		text_printf(x->t, "tun_tos=%x", k->tos);
	}
	dec(x, "tun_ttl", k->ttl, m->ttl);
	tun_signs(x, k->flags, m->flags);
}

/* Both families, and what only other kinds of tunnel have: 3.1's list is one for all. */
static void tun_whole(struct printer *x)
{
	static const struct ip_addr none, all = {.d = {UINT64_MAX, UINT64_MAX}};
	const struct flow_tun *k = &x->k->tun;
	bool is4 = ip_is4(&k->dst);

	if (!(k->flags & TUN_PRESENT)) {
		hex(x, "tun_id", k->id, k->id ? UINT64_MAX : 0, UINT64_MAX);
		return;
	}
	if (k->flags & TUN_KEY)
		hex(x, "tun_id", k->id, UINT64_MAX, UINT64_MAX);
	ip4(x, "tun_src", is4 ? &k->src : &none, &all);
	ip4(x, "tun_dst", is4 ? &k->dst : &none, &all);
	ip6(x, "tun_ipv6_src", is4 ? &none : &k->src, &all);
	ip6(x, "tun_ipv6_dst", is4 ? &none : &k->dst, &all);
	dec(x, "tun_gbp_id", k->gbp_id, 1);
	hex(x, "tun_gbp_flags", k->gbp_flags, 0xff, 0xff);
	sep(x);
	text_printf(x->t, "tun_tos=%x", k->tos);
	dec(x, "tun_ttl", k->ttl, 1);
	word(x, "tun_erspan_ver=0,gtpu_flags=0,gtpu_msgtype=0");
	tun_names(x, k->flags);
}

/* --- layers ---------------------------------------------------------------------------------- */

static void vlan(struct printer *x, uint32_t i)
{
	uint32_t tci = be16_get(x->k->vlan[i].tci), mask = be16_get(x->m->vlan[i].tci);
	const char *no = i ? "1" : "";

	if (tci & mask & VLAN_PRESENT && mask & (VLAN_VID | VLAN_PCP)) {
		sep(x);
		if (mask & VLAN_VID)
			text_printf(x->t, "dl_vlan%s=%u", no, tci & VLAN_VID);
		if (mask & VLAN_PCP) {
			sep(x);
			text_printf(x->t, "dl_vlan_pcp%s=%u", no, tci >> VLAN_PCP_SHIFT);
		}
	} else if (mask == UINT16_MAX) {
		sep(x);
		text_printf(x->t, "vlan_tci%s=0x%04x", no, tci);
	}
}

static void ip_fields(struct printer *x, bool is6, bool has_name)
{
	const struct flow_key *k = x->k, *m = x->m;

	if (is6) {
		ip6(x, "ipv6_src", &k->ip_src, &m->ip_src);
		ip6(x, "ipv6_dst", &k->ip_dst, &m->ip_dst);
		if (m->ip6_label.raw) {
			sep(x);
			text_printf(x->t, "ipv6_label=0x%05x", be32_get(k->ip6_label));
		}
	} else {
		ip4(x, "nw_src", &k->ip_src, &m->ip_src);
		ip4(x, "nw_dst", &k->ip_dst, &m->ip_dst);
	}
	if (!has_name)
		dec(x, "nw_proto", k->ip_proto, m->ip_proto);
	dec(x, "nw_tos", k->ip_tos & 0xfcu, m->ip_tos & 0xfcu);
	dec(x, "nw_ecn", k->ip_tos & 3u, m->ip_tos & 3u);
	dec(x, "nw_ttl", k->ip_ttl, m->ip_ttl);
	if (m->ip_frag) {
		sep(x);
		text_printf(x->t, "nw_frag=%s", frag_names[k->ip_frag % ARRAY_LEN(frag_names)]);
	}
}

static void arp_fields(struct printer *x)
{
	ip4(x, "arp_spa", &x->k->ip_src, &x->m->ip_src);
	ip4(x, "arp_tpa", &x->k->ip_dst, &x->m->ip_dst);
	dec(x, "arp_op", x->k->ip_proto, x->m->ip_proto);
	mac(x, "arp_sha", &x->k->sha, &x->m->sha);
	mac(x, "arp_tha", &x->k->tha, &x->m->tha);
}

static void tcp_flags(struct printer *x)
{
	uint32_t v = be16_get(x->k->tcp_flags);
	const char *bar = "";

	if (!x->m->tcp_flags.raw)
		return;
	word(x, "tcp_flags=");
	for (size_t i = 0; i < ARRAY_LEN(tcp_flag_names); i++)
		if (v & tcp_flag_names[i].bit) {
			text_printf(x->t, "%s%s", bar, tcp_flag_names[i].name);
			bar = "|";
		}
	if (!*bar)
		text_append(x->t, "0", 1);
}

static bool is_nd(const struct flow_key *k)
{
	uint16_t type = be16_get(k->tp_src);

	return (type == ICMP6_NS || type == ICMP6_NA) && !k->tp_dst.raw;
}

static void l4_fields(struct printer *x, bool is6)
{
	const struct flow_key *k = x->k, *m = x->m;
	uint16_t src = be16_get(k->tp_src), dst = be16_get(k->tp_dst);
	bool is_icmp = k->ip_proto == (is6 ? IPPROTO_ICMP6_ : IPPROTO_ICMP4_);

	if (m->ip_proto != 0xff)
		return;
	dec(x, is_icmp ? "icmp_type" : "tp_src", src, m->tp_src.raw);
	dec(x, is_icmp ? "icmp_code" : "tp_dst", dst, m->tp_dst.raw);
	if (k->ip_proto == IPPROTO_TCP_)
		tcp_flags(x);
	if (is_icmp && is6 && is_nd(k)) {
		ip6(x, "nd_target", &k->nd_target, &m->nd_target);
		mac(x, "nd_sll", &k->sha, &m->sha);
		mac(x, "nd_tll", &k->tha, &m->tha);
	}
}

/* --- the whole ------------------------------------------------------------------------------- */

/* In the order that 3.1 has.  'exact': all of one packet. */
static void put(struct printer *x, bool exact)
{
	const struct flow_key *k = x->k, *m = x->m;
	uint16_t type = be16_get(k->eth_type);
	bool is6 = type == ETHTYPE_IP6, has_name;

	hex(x, "pkt_mark", k->skb_mark, m->skb_mark, UINT32_MAX);
	hex(x, "recirc_id", k->recirc_id, m->recirc_id, UINT32_MAX);
	hex(x, "skb_priority", k->skb_priority, m->skb_priority, UINT32_MAX);
	if (m->recirc_id)
		word(x, "eth");
	has_name = protocol(x);
	if (type_name(type))
		word(x, type_name(type));
	if (exact)
		tun_whole(x);
	else
		tun_masked(x);
	port(x);
	vlan(x, 0);
	vlan(x, 1);
	mac(x, "dl_src", &k->eth_src, &m->eth_src);
	mac(x, "dl_dst", &k->eth_dst, &m->eth_dst);
	if (is6 || type == ETHTYPE_IP4) {
		ip_fields(x, is6, has_name);
		l4_fields(x, is6);
	} else if (is_arp(type)) {
		arp_fields(x);
	} else if (!type_name(type) && m->eth_type.raw) {
		sep(x);
		text_printf(x->t, "dl_type=0x%04x", type);
	}
}

void flow_put_masked(struct text *t, const struct flow_key *k, const struct flow_key *m,
		     const struct flow_ports *ports)
{
	put(&(struct printer){t, k, m, ports}, false);
}

/* Has a packet of this key ports, or types and codes? */
static bool has_l4(const struct flow_key *k)
{
	if (k->ip_frag == FRAG_LATER)
		return false;
	switch (k->ip_proto) {
	case IPPROTO_TCP_:
	case IPPROTO_UDP_:
	case IPPROTO_SCTP_:
	case IPPROTO_IGMP_: /* whose type and code 3.1 shows as ports */
		return true;
	case IPPROTO_ICMP4_:
		return be16_get(k->eth_type) == ETHTYPE_IP4;
	case IPPROTO_ICMP6_:
		return be16_get(k->eth_type) == ETHTYPE_IP6;
	}
	return false;
}

void flow_put(struct text *t, const struct flow_key *k, const struct flow_ports *ports)
{
	struct flow_key m;

	memset(&m, 0xff, sizeof(m));
	if (!k->skb_mark)
		m.skb_mark = 0;
	if (!k->recirc_id)
		m.recirc_id = 0;
	if (!k->skb_priority)
		m.skb_priority = 0;
	if (!k->vlan[0].tci.raw)
		m.vlan[1].tci = be16_put(0);
	if (!has_l4(k))
		m.tp_src = m.tp_dst = be16_put(0);
	if (k->ip_frag == FRAG_LATER)
		m.tcp_flags = be16_put(0);
	put(&(struct printer){t, k, &m, ports}, true);
}
