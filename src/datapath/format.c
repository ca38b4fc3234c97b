/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/format.h"

#include <errno.h>

#include "datapath/dp.h"
#include "datapath/field.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip4.h"

struct writer {
	struct text *t;
	const struct dp *dp;
	uint32_t flags;
	bool more; /* every member */
};

static void put(struct writer *x, const char *s)
{
	text_append(x->t, s, strlen(s));
}

/* A comma, unless a group or the line begins here. */
static void sep(struct writer *x)
{
	char last = x->t->len ? x->t->s[x->t->len - 1] : '\n';

	if (!strchr("(, \n", last))
		put(x, ",");
}

static void put_port(struct writer *x, uint32_t no)
{
	const struct vport *v = x->dp && x->flags & FORMAT_NAMES ? dp_port(x->dp, no) : NULL;

	if (v)
		put(x, v->name);
	else
		text_printf(x->t, "%u", no);
}

/* --- fields ---------------------------------------------------------------------------------- */

static uint64_t number(const struct field *f, const struct flow_key *k)
{
	const uint8_t *at = (const uint8_t *)k + f->off;
	uint64_t v;

	switch (f->kind) {
	case FIELD_BE16:
		return be16_get(*(const be16 *)at);
	case FIELD_ICMP:
		return be16_get(*(const be16 *)at) & 0xff;
	case FIELD_LABEL:
		return be32_get(*(const be32 *)at) & 0xfffff;
	case FIELD_X64:
		memcpy(&v, at, sizeof(v));
		return v;
	default:
		return *at;
	}
}

static uint64_t number_max(const struct field *f)
{
	switch (f->kind) {
	case FIELD_BE16:
		return 0xffff;
	case FIELD_LABEL:
		return 0xfffff;
	case FIELD_X64:
		return UINT64_MAX;
	case FIELD_FRAG:
		return FRAG_MASK;
	default:
		return 0xff;
	}
}

static void put_number(struct writer *x, const struct field *f, uint64_t v, uint64_t m)
{
	switch (f->kind) {
	case FIELD_FRAG:
		put(x, frag_names[v < ARRAY_LEN(frag_names) ? v : 0]);
		return;
	case FIELD_X64:
		text_printf(x->t, "0x%llx", (unsigned long long)v);
		break;
	case FIELD_X8:
	case FIELD_LABEL:
		text_printf(x->t, "%#llx", (unsigned long long)v);
		break;
	default:
		text_printf(x->t, "%llu", (unsigned long long)v);
	}
	if (m != number_max(f))
		text_printf(x->t, "/%#llx", (unsigned long long)m);
}

static void put_mac(struct writer *x, const struct mac *v, const struct mac *m)
{
	char a[MAC_TEXT_MAX], b[MAC_TEXT_MAX];

	put(x, mac_text(v, a));
	if (!mac_is_broadcast(m))
		text_printf(x->t, "/%s", mac_text(m, b));
}

/* IPv4's mask lies in the last word alone. */
static void put_ip(struct writer *x, bool is4, const struct ip_addr *v, const struct ip_addr *m)
{
	static const struct ip_addr all = {.d = {UINT64_MAX, UINT64_MAX}};
	struct ip_addr v4 = ip_from4(v->w[3]), m4 = ip_from4(m->w[3]);
	char a[IP_TEXT_MAX], b[IP_TEXT_MAX];

	put(x, ip_text(is4 ? &v4 : v, a));
	if (is4 ? m->w[3].raw != UINT32_MAX : !ip_eq(m, &all))
		text_printf(x->t, "/%s", ip_text(is4 ? &m4 : m, b));
}

static bool is_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n--)
		if (*b++)
			return false;
	return true;
}

static bool is_masked(const struct field *f, const struct flow_key *m)
{
	const uint8_t *at = (const uint8_t *)m + f->off;

	switch (f->kind) {
	case FIELD_MAC:
		return !is_zero(at, sizeof(struct mac));
	case FIELD_IP4:
		return ((const struct ip_addr *)(const void *)at)->w[3].raw;
	case FIELD_IP6:
		return !is_zero(at, sizeof(struct ip_addr));
	default:
		return number(f, m);
	}
}

/* Is the field there in this key?  Of a tunnel both families share the addresses. */
static bool is_set(const struct field *f, const struct flow_key *k)
{
	const struct ip_addr *ip = (const void *)((const uint8_t *)k + f->off);

	if (!(f->flags & FIELD_IF_SET))
		return true;
	switch (f->kind) {
	case FIELD_IP4:
		return ip_is4(ip) && ip->w[3].raw;
	case FIELD_IP6:
		return !ip_is4(ip) && !ip_is_none(ip);
	default:
		return number(f, k);
	}
}

static void put_field(struct writer *x, const struct field *f, const struct flow_key *k,
		      const struct flow_key *m)
{
	const void *v = (const uint8_t *)k + f->off, *bits = (const uint8_t *)m + f->off;

	if (!is_set(f, k) || !(x->more || is_masked(f, m)))
		return;
	sep(x);
	text_printf(x->t, "%s=", f->name);
	switch (f->kind) {
	case FIELD_MAC:
		put_mac(x, v, bits);
		return;
	case FIELD_IP4:
	case FIELD_IP6:
		put_ip(x, f->kind == FIELD_IP4, v, bits);
		return;
	default:
		put_number(x, f, number(f, k), number(f, m));
	}
}

static void put_fields(struct writer *x, const char *group, const struct flow_key *k,
		       const struct flow_key *m)
{
	for (uint32_t i = 0; i < n_flow_fields; i++)
		if (!strcmp(flow_fields[i].group, group))
			put_field(x, &flow_fields[i], k, m);
}

static bool group_is_masked(const char *group, const struct flow_key *m)
{
	for (uint32_t i = 0; i < n_flow_fields; i++)
		if (!strcmp(flow_fields[i].group, group) && is_masked(&flow_fields[i], m))
			return true;
	return false;
}

/* A group that nothing looks at is left out. */
static void put_group(struct writer *x, const char *group, const struct flow_key *k,
		      const struct flow_key *m)
{
	if (!x->more && !group_is_masked(group, m))
		return;
	sep(x);
	text_printf(x->t, "%s(", group);
	put_fields(x, group, k, m);
	put(x, ")");
}

/* "df|key" of what is exact, "-df+key" of what is partly masked. */
static void put_flags(struct writer *x, const struct flow_flag *names, uint32_t n, uint32_t v,
		      uint32_t m, bool exact)
{
	const char *bar = "";

	if (exact ? !v : !m) {
		put(x, exact ? "0" : "0/0");
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (!exact && names[i].bit & m) {
			text_printf(x->t, "%c%s", v & names[i].bit ? '+' : '-', names[i].name);
		} else if (exact && names[i].bit & v) {
			text_printf(x->t, "%s%s", bar, names[i].name);
			bar = "|";
		}
	}
}

static void put_scalar(struct writer *x, const char *name, uint32_t v, uint32_t m)
{
	if (!m && !x->more)
		return;
	sep(x);
	text_printf(x->t, "%s(%#x", name, v);
	if (m != UINT32_MAX)
		text_printf(x->t, "/%#x", m);
	put(x, ")");
}

/* --- groups of their own kind ------------------------------------------------------------------
 */

static void put_gbp(struct writer *x, const struct flow_tun *k, const struct flow_tun *m)
{
	if (!(k->gbp_id | k->gbp_flags) || !(x->more || m->gbp_id | m->gbp_flags))
		return;
	sep(x);
	text_printf(x->t, "vxlan(gbp(id=%u", k->gbp_id);
	if (m->gbp_id != UINT16_MAX)
		text_printf(x->t, "/%#x", m->gbp_id);
	text_printf(x->t, ",flags=%#x", k->gbp_flags);
	if (m->gbp_flags != UINT8_MAX)
		text_printf(x->t, "/%#x", m->gbp_flags);
	put(x, "))");
}

/* 'exact': of an action. */
static void put_tunnel(struct writer *x, const struct flow_key *k, const struct flow_key *m,
		       bool exact)
{
	uint32_t all = TUN_DF | TUN_CSUM | TUN_KEY;

	sep(x);
	put(x, "tunnel(");
	put_fields(x, "tunnel", k, m);
	put_gbp(x, &k->tun, &m->tun);
	if (exact ? k->tun.flags & all : (m->tun.flags & all) || x->more) {
		sep(x);
		put(x, "flags(");
		put_flags(x, tun_flag_names, ARRAY_LEN(tun_flag_names), k->tun.flags & all,
			  m->tun.flags & all, exact);
		put(x, ")");
	}
	put(x, ")");
}

static void put_vlan(struct writer *x, const struct flow_vlan *k, const struct flow_vlan *m)
{
	uint32_t tci = be16_get(k->tci), mask = be16_get(m->tci);
	uint32_t vid = mask & VLAN_VID, pcp = (mask & VLAN_PCP) >> VLAN_PCP_SHIFT;

	sep(x);
	text_printf(x->t, "eth_type(0x%04x),vlan(", be16_get(k->tpid));
	if (vid || x->more) {
		text_printf(x->t, "vid=%u", tci & VLAN_VID);
		if (vid != VLAN_VID)
			text_printf(x->t, "/0x%x", vid);
	}
	if (pcp || x->more) {
		sep(x);
		text_printf(x->t, "pcp=%u", (tci & VLAN_PCP) >> VLAN_PCP_SHIFT);
		if (pcp != 7)
			text_printf(x->t, "/0x%x", pcp);
	}
	put(x, "),encap(");
}

static void put_tcp_flags(struct writer *x, const struct flow_key *k, const struct flow_key *m)
{
	uint32_t mask = be16_get(m->tcp_flags);

	if (!mask && !x->more)
		return;
	sep(x);
	put(x, "tcp_flags(");
	put_flags(x, tcp_flag_names, ARRAY_LEN(tcp_flag_names), be16_get(k->tcp_flags), mask,
		  (mask & 0xfff) == 0xfff);
	put(x, ")");
}

static void put_l4(struct writer *x, const struct flow_key *k, const struct flow_key *m, bool is6)
{
	uint16_t type = be16_get(k->tp_src);

	switch (k->ip_proto) {
	case IPPROTO_TCP_:
		put_group(x, "tcp", k, m);
		put_tcp_flags(x, k, m);
		return;
	case IPPROTO_UDP_:
		put_group(x, "udp", k, m);
		return;
	case IPPROTO_SCTP_:
		put_group(x, "sctp", k, m);
		return;
	case IPPROTO_ICMP4_:
		if (!is6)
			put_group(x, "icmp", k, m);
		return;
	case IPPROTO_ICMP6_:
		if (!is6)
			return;
		put_group(x, "icmpv6", k, m);
		if ((type == ICMP6_NS || type == ICMP6_NA) && (be16_get(m->tp_src) & 0xff))
			put_group(x, "nd", k, m);
		return;
	}
}

static void put_network(struct writer *x, const struct flow_key *k, const struct flow_key *m)
{
	switch (be16_get(k->eth_type)) {
	case ETHTYPE_IP4:
		put_group(x, "ipv4", k, m);
		put_l4(x, k, m, false);
		return;
	case ETHTYPE_IP6:
		put_group(x, "ipv6", k, m);
		put_l4(x, k, m, true);
		return;
	case ETHTYPE_ARP:
		put_group(x, "arp", k, m);
		return;
	}
}

void format_key(struct text *t, const struct flow_key *k, const struct flow_key *m,
		const struct dp *dp, uint32_t flags)
{
	struct writer x = {t, dp, flags, flags & FORMAT_MORE};
	uint32_t tags = 0;

	put_scalar(&x, "skb_priority", k->skb_priority, m->skb_priority);
	if (k->tun.flags & TUN_PRESENT)
		put_tunnel(&x, k, m, false);
	put_scalar(&x, "skb_mark", k->skb_mark, m->skb_mark);
	if (x.more) { /* no connection tracking, no hash: nothing looks at them */
		sep(&x);
		put(&x, "ct_state(0/0),ct_zone(0/0),ct_mark(0/0),ct_label(0/0)");
	}
	sep(&x);
	text_printf(t, "recirc_id(%#x),", k->recirc_id);
	if (x.more)
		put(&x, "dp_hash(0/0),");
	put(&x, "in_port(");
	put_port(&x, k->in_port);
	put(&x, "),packet_type(ns=0,id=0),eth(");
	put_fields(&x, "eth", k, m);
	put(&x, ")");
	for (; tags < ARRAY_LEN(k->vlan) && key_has_tag(k, tags); tags++)
		put_vlan(&x, &k->vlan[tags], &m->vlan[tags]);
	sep(&x);
	text_printf(t, "eth_type(0x%04x)", be16_get(k->eth_type));
	put_network(&x, k, m);
	while (tags--)
		put(&x, ")");
}

/* --- actions --------------------------------------------------------------------------------- */

static void put_actions(struct writer *x, const struct actions *a, uint32_t at, uint32_t end);

static void put_push_vlan(struct writer *x, const struct act_vlan *a)
{
	uint32_t tci = be16_get(a->tci);

	put(x, "push_vlan(");
	if (be16_get(a->tpid) != ETHTYPE_VLAN)
		text_printf(x->t, "tpid=0x%04x,", be16_get(a->tpid));
	text_printf(x->t, "vid=%u,pcp=%u)", tci & VLAN_VID, (tci & VLAN_PCP) >> VLAN_PCP_SHIFT);
}

static void put_userspace(struct writer *x, const struct act_userspace *a)
{
	text_printf(x->t, "userspace(pid=%u", a->a.arg);
	if (a->kind == USERSPACE_SLOW_PATH) {
		const char *bar = "";

		put(x, ",slow_path(");
		for (uint32_t i = 0; i < ARRAY_LEN(slow_path_names); i++)
			if (a->slow & slow_path_names[i].bit) {
				text_printf(x->t, "%s%s", bar, slow_path_names[i].name);
				bar = "|";
			}
		put(x, ")");
	} else if (a->kind == USERSPACE_CONTROLLER) {
		text_printf(x->t,
			    ",controller(reason=%u,dont_send=%d,continuation=%d,recirc_id=%u,"
			    "rule_cookie=%#llx,controller_id=%u,max_len=%u)",
			    a->reason, a->dont_send, a->continuation, a->recirc_id,
			    (unsigned long long)a->rule_cookie, a->controller_id, a->max_len);
	}
	put(x, ")");
}

static void put_set(struct writer *x, const struct act *a)
{
	static const char *const groups[ACT_TYPES] = {
		[ACT_SET_ETH] = "eth", [ACT_SET_IP4] = "ipv4", [ACT_SET_IP6] = "ipv6",
		[ACT_SET_TCP] = "tcp", [ACT_SET_UDP] = "udp",  [ACT_SET_SCTP] = "sctp",
	};
	const struct act_mark *mark = (const struct act_mark *)a;
	struct flow_key k, m;

	put(x, "set(");
	if (a->type == ACT_SET_MARK) {
		put_scalar(x, "skb_mark", mark->mark, mark->mask);
		put(x, ")");
		return;
	}
	act_to_key(a, &k, &m);
	if (a->type == ACT_SET_TUNNEL) {
		put_tunnel(x, &k, &m, true);
	} else {
		text_printf(x->t, "%s(", groups[a->type]);
		put_fields(x, groups[a->type], &k, &m);
		put(x, ")");
	}
	put(x, ")");
}

static void put_action(struct writer *x, const struct actions *list, uint32_t at)
{
	const struct act *a = act_at(list, at);

	sep(x);
	switch (a->type) {
	case ACT_OUTPUT:
		put_port(x, a->arg);
		return;
	case ACT_PUSH_VLAN:
		put_push_vlan(x, (const struct act_vlan *)a);
		return;
	case ACT_POP_VLAN:
		put(x, "pop_vlan");
		return;
	case ACT_USERSPACE:
		put_userspace(x, (const struct act_userspace *)a);
		return;
	case ACT_CLONE:
		put(x, "clone(");
		put_actions(x, list, at + (uint32_t)sizeof(*a), at + a->len * 8u);
		put(x, ")");
		return;
	case ACT_DROP:
		put(x, "drop");
		return;
	default:
		put_set(x, a);
	}
}

static void put_actions(struct writer *x, const struct actions *a, uint32_t at, uint32_t end)
{
	for (; at < end; at += act_at(a, at)->len * 8u)
		put_action(x, a, at);
}

void format_actions(struct text *t, const struct actions *a, const struct dp *dp, uint32_t flags)
{
	struct text own = {0};
	struct writer x = {&own, dp, flags, false};

	put_actions(&x, a, 0, a->len);
	text_append(t, a->len ? text_get(&own) : "drop", a->len ? own.len : 4);
	t->failed |= own.failed;
	text_done(&own);
}

/* --- a flow ---------------------------------------------------------------------------------- */

/* The order of ovs-appctl. */
static void put_seen(struct text *t, uint64_t flags)
{
	static const struct {
		uint32_t bit;
		const char *s;
	} letters[] = {{0x002, "S"}, {0x001, "F"},     {0x008, "P"},	 {0x004, "R"},
		       {0x020, "U"}, {0x010, "."},     {0x040, "E"},	 {0x080, "C"},
		       {0x100, "N"}, {0x200, "[200]"}, {0x400, "[400]"}, {0x800, "[800]"}};

	for (uint32_t i = 0; i < ARRAY_LEN(letters); i++)
		if (flags & letters[i].bit)
			text_append(t, letters[i].s, strlen(letters[i].s));
}

static void put_ufid(struct text *t, const uint64_t ufid[2])
{
	text_printf(t, "ufid:%08x-%04x-%04x-%04x-%012llx", (uint32_t)(ufid[0] >> 32),
		    (uint32_t)(ufid[0] >> 16) & 0xffff, (uint32_t)ufid[0] & 0xffff,
		    (uint32_t)(ufid[1] >> 48), (unsigned long long)(ufid[1] & 0xffffffffffffull));
}

void format_flow(struct text *t, const struct flow_view *v, const struct dp *dp, uint64_t now,
		 uint32_t flags)
{
	uint64_t ago = now > v->stats.used ? (now - v->stats.used) / NS_PER_MS : 0;
	bool more = flags & FORMAT_MORE, is_bridge = flags & FORMAT_BRIDGE;

	if (more) {
		put_ufid(t, v->ufid);
		text_printf(t, is_bridge ? " " : ", ");
	}
	format_key(t, &v->key, &v->mask, dp, flags);
	text_printf(t, ", packets:%llu, bytes:%llu, used:", (unsigned long long)v->stats.packets,
		    (unsigned long long)v->stats.bytes);
	if (v->stats.used)
		text_printf(t, "%llu.%03llus", (unsigned long long)(ago / 1000),
			    (unsigned long long)(ago % 1000));
	else
		text_printf(t, "never");
	if (v->stats.tcp_flags) {
		text_printf(t, ", flags:");
		put_seen(t, v->stats.tcp_flags);
	}
	text_printf(t, "%s, actions:", more && !is_bridge ? ", dp:ovs" : "");
	format_actions(t, v->actions, dp, flags);
}
