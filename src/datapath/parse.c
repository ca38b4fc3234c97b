/* SPDX-License-Identifier: Apache-2.0 */
/* Flows from text: what format.c writes, read by the same table of fields. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/dp.h"
#include "datapath/field.h"
#include "datapath/format.h"
#include "wire/eth.h"

struct reader {
	const char *s; /* what is left */
	const struct dp *dp;
	int err; /* 0, -EINVAL or -ENOMEM: then nothing is read any more */
	bool has_network; /* a key's ipv4(), ipv6() or arp() */
};

enum { WORD_MAX = 48, NEST_MAX = ACT_DEPTH_MAX };

static bool fail(struct reader *r)
{
	if (!r->err)
		r->err = -EINVAL;
	return false;
}

/* --- words ----------------------------------------------------------------------------------- */

static bool take(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if (r->err || strncmp(r->s, word, n))
		return false;
	r->s += n;
	return true;
}

static bool need(struct reader *r, const char *word)
{
	return take(r, word) || fail(r);
}

/* Between two of a list: not behind the last. */
static void comma(struct reader *r)
{
	if (!r->err && *r->s && need(r, ",") && !*r->s)
		fail(r);
}

/* Up to one of 'ends', which stays. */
static bool word(struct reader *r, char *out, const char *ends)
{
	size_t n = r->err ? 0 : strcspn(r->s, ends);

	if (!n || n >= WORD_MAX)
		return fail(r);
	memcpy(out, r->s, n);
	out[n] = '\0';
	r->s += n;
	return true;
}

static bool to_number(struct reader *r, const char *s, uint64_t max, uint64_t *v)
{
	unsigned long long n;

	if (*s == '-' || text_to_u64(s, max, &n) < 0)
		return fail(r);
	*v = n;
	return true;
}

static bool number(struct reader *r, uint64_t max, uint64_t *v)
{
	char b[WORD_MAX];

	return word(r, b, "/,()") && to_number(r, b, max, v);
}

/* "V" or "V/M"; without a mask all of max. */
static bool masked(struct reader *r, uint64_t max, uint64_t *v, uint64_t *m)
{
	*m = max;
	if (!number(r, max, v) || (take(r, "/") && !number(r, max, m)))
		return false;
	*v &= *m;
	return true;
}

/* --- fields ---------------------------------------------------------------------------------- */

static bool macs(struct reader *r, struct mac *v, struct mac *m)
{
	char b[WORD_MAX];

	memset(m, 0xff, sizeof(*m));
	if (!word(r, b, "/,)") || mac_parse(b, v) < 0)
		return fail(r);
	if (take(r, "/") && (!word(r, b, ",)") || mac_parse(b, m) < 0))
		return fail(r);
	for (size_t i = 0; i < sizeof(*v); i++)
		v->b[i] &= m->b[i];
	return true;
}

static bool ips(struct reader *r, bool is4, struct ip_addr *v, struct ip_addr *m)
{
	char b[WORD_MAX];

	memset(m, 0xff, sizeof(*m));
	if (!word(r, b, "/,)") || ip_parse(b, v) < 0 || ip_is4(v) != is4)
		return fail(r);
	if (take(r, "/") && (!word(r, b, ",)") || ip_parse(b, m) < 0 || ip_is4(m) != is4))
		return fail(r);
	if (is4)
		m->d[0] = 0, m->w[2] = (be32){0};
	else
		v->d[0] &= m->d[0], v->d[1] &= m->d[1];
	v->w[3].raw &= m->w[3].raw;
	return true;
}

static bool frag(struct reader *r, uint8_t *v, uint8_t *m)
{
	for (uint8_t i = 0; i < ARRAY_LEN(frag_names); i++)
		if (take(r, frag_names[i])) {
			*v = i;
			*m = FRAG_MASK;
			return true;
		}
	return fail(r);
}

static bool field(struct reader *r, const struct field *f, struct flow_key *k, struct flow_key *m)
{
	void *kv = (uint8_t *)k + f->off, *mv = (uint8_t *)m + f->off;
	uint64_t v, bits;

	switch (f->kind) {
	case FIELD_MAC:
		return macs(r, kv, mv);
	case FIELD_IP4:
	case FIELD_IP6:
		return ips(r, f->kind == FIELD_IP4, kv, mv);
	case FIELD_FRAG:
		return frag(r, kv, mv);
	case FIELD_U8:
	case FIELD_X8:
		if (!masked(r, UINT8_MAX, &v, &bits))
			return false;
		*(uint8_t *)kv = (uint8_t)v;
		*(uint8_t *)mv = (uint8_t)bits;
		return true;
	case FIELD_BE16:
	case FIELD_ICMP:
		if (!masked(r, f->kind == FIELD_ICMP ? UINT8_MAX : UINT16_MAX, &v, &bits))
			return false;
		*(be16 *)kv = be16_put((uint16_t)v);
		*(be16 *)mv = be16_put((uint16_t)bits);
		return true;
	case FIELD_LABEL:
		if (!masked(r, 0xfffff, &v, &bits))
			return false;
		*(be32 *)kv = be32_put((uint32_t)v);
		*(be32 *)mv = be32_put((uint32_t)bits);
		return true;
	default:
		if (!masked(r, UINT64_MAX, &v, &bits))
			return false;
		memcpy(kv, &v, sizeof(v));
		memcpy(mv, &bits, sizeof(bits));
		return true;
	}
}

/* One "name=value" of a group, with what the text leaves to it. */
static bool member(struct reader *r, const char *group, struct flow_key *k, struct flow_key *m)
{
	for (uint32_t i = 0; i < n_flow_fields; i++) {
		const struct field *f = &flow_fields[i];
		size_t n = strlen(f->name);

		if (strcmp(f->group, group) || strncmp(r->s, f->name, n) || r->s[n] != '=')
			continue;
		r->s += n + 1;
		return field(r, f, k, m);
	}
	return fail(r);
}

/* Behind the "(": members up to the ")". */
static bool members(struct reader *r, const char *group, struct flow_key *k, struct flow_key *m)
{
	while (!r->err && !take(r, ")")) {
		if (!member(r, group, k, m))
			return false;
		if (*r->s != ')')
			need(r, ",");
	}
	return !r->err;
}

/* "a|b" is exact, "+a-b" what is masked, "0" none. */
static bool flags(struct reader *r, const struct flow_flag *names, uint32_t n, uint32_t all,
		  uint32_t *v, uint32_t *m)
{
	bool signs = *r->s == '+' || *r->s == '-';

	*v = *m = 0;
	if (take(r, "0/0)"))
		return true;
	if (take(r, "0)")) {
		*m = all;
		return true;
	}
	while (!r->err && !take(r, ")")) {
		bool set = !signs || *r->s == '+';
		uint32_t i = 0;

		r->s += signs && *r->s;
		while (i < n && !take(r, names[i].name))
			i++;
		if (i == n)
			return fail(r);
		*m |= names[i].bit;
		*v |= set ? names[i].bit : 0;
		take(r, "|");
	}
	if (!signs)
		*m = all;
	return !r->err;
}

/* --- groups of their own kind ------------------------------------------------------------------
 */

static bool gbp(struct reader *r, struct flow_tun *k, struct flow_tun *m)
{
	uint64_t id, id_mask, fl, fl_mask;

	if (!masked(r, UINT16_MAX, &id, &id_mask) || !need(r, ",flags=") ||
	    !masked(r, UINT8_MAX, &fl, &fl_mask) || !need(r, "))"))
		return false;
	k->gbp_id = (uint16_t)id;
	m->gbp_id = (uint16_t)id_mask;
	k->gbp_flags = (uint8_t)fl;
	m->gbp_flags = (uint8_t)fl_mask;
	return true;
}

static bool tunnel(struct reader *r, struct flow_key *k, struct flow_key *m)
{
	uint32_t v, bits;

	while (!r->err && !take(r, ")")) {
		if (take(r, "flags(")) {
			if (!flags(r, tun_flag_names, ARRAY_LEN(tun_flag_names),
				   TUN_DF | TUN_CSUM | TUN_KEY, &v, &bits))
				return false;
			k->tun.flags |= (uint8_t)v;
			m->tun.flags |= (uint8_t)bits;
		} else if (take(r, "vxlan(gbp(id=")) {
			if (!gbp(r, &k->tun, &m->tun))
				return false;
		} else if (!member(r, "tunnel", k, m)) {
			return false;
		}
		if (*r->s != ')')
			need(r, ",");
	}
	k->tun.flags |= TUN_PRESENT;
	m->tun.flags |= TUN_PRESENT;
	return !r->err;
}

/* The EtherType before it was the tag's. */
static bool vlan(struct reader *r, struct flow_key *k, struct flow_key *m)
{
	uint32_t i = key_has_tag(k, 0), tci = VLAN_PRESENT, mask = VLAN_PRESENT;
	uint64_t v, bits;

	if (i && key_has_tag(k, 1))
		return fail(r);
	while (!r->err && !take(r, ")")) {
		if (take(r, "vid=")) {
			if (!masked(r, VLAN_VID, &v, &bits))
				return false;
			tci |= (uint32_t)v;
			mask |= (uint32_t)bits;
		} else if (take(r, "pcp=")) {
			if (!masked(r, 7, &v, &bits))
				return false;
			tci |= (uint32_t)v << VLAN_PCP_SHIFT;
			mask |= (uint32_t)bits << VLAN_PCP_SHIFT;
		} else {
			return fail(r);
		}
		if (*r->s != ')')
			need(r, ",");
	}
	k->vlan[i] = (struct flow_vlan){k->eth_type, be16_put((uint16_t)tci)};
	m->vlan[i] = (struct flow_vlan){be16_put(0xffff), be16_put((uint16_t)mask)};
	return !r->err;
}

static bool port(struct reader *r, const char *ends, uint32_t *no)
{
	char b[WORD_MAX];
	unsigned long long n;

	if (!word(r, b, ends))
		return false;
	if (text_to_u64(b, VPORT_MAX, &n) == 0 && *b != '-') {
		*no = (uint32_t)n;
		return true;
	}
	for (uint32_t i = 0; r->dp && i <= VPORT_MAX; i++) {
		const struct vport *v = dp_port(r->dp, i);

		if (v && !strcmp(v->name, b)) {
			*no = i;
			return true;
		}
	}
	return fail(r);
}

static bool scalar(struct reader *r, uint64_t max, uint32_t *k, uint32_t *m)
{
	uint64_t v, bits;

	if (!masked(r, max, &v, &bits) || !need(r, ")"))
		return false;
	*k = (uint32_t)v;
	*m = (uint32_t)bits;
	return true;
}

static bool eth_type(struct reader *r, struct flow_key *k, struct flow_key *m)
{
	uint64_t v;

	if (r->has_network)
		return fail(r);
	if (!number(r, UINT16_MAX, &v) || !need(r, ")"))
		return false;
	k->eth_type = be16_put((uint16_t)v);
	m->eth_type = be16_put(UINT16_MAX);
	return true;
}

static bool tcp_flags(struct reader *r, struct flow_key *k, struct flow_key *m)
{
	uint32_t v, bits;

	if (!flags(r, tcp_flag_names, ARRAY_LEN(tcp_flag_names), 0xfff, &v, &bits))
		return false;
	k->tcp_flags = be16_put((uint16_t)v);
	m->tcp_flags = be16_put((uint16_t)bits);
	return true;
}

/* What a key cannot have: taken where nothing looks at it. */
static bool nothing(struct reader *r)
{
	static const char *const names[] = {"ct_state(0/0)", "ct_zone(0/0)",
					    "ct_mark(0/0)",  "ct_label(0/0)",
					    "dp_hash(0/0)",  "packet_type(ns=0,id=0)"};

	for (uint32_t i = 0; i < ARRAY_LEN(names); i++)
		if (take(r, names[i]))
			return true;
	return false;
}

static bool plain_group(struct reader *r, struct flow_key *k, struct flow_key *m)
{
	static const char *const names[] = {"eth", "ipv4", "ipv6", "arp",    "tcp",
					    "udp", "sctp", "icmp", "icmpv6", "nd"};

	for (uint32_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t n = strlen(names[i]);

		if (strncmp(r->s, names[i], n) || r->s[n] != '(')
			continue;
		r->s += n + 1;
		return members(r, names[i], k, m);
	}
	return fail(r);
}

/* Networks share members of the key: there is one, and it is what eth_type() says if that is there.
 */
static bool check_network(struct reader *r, const struct flow_key *k, const struct flow_key *m)
{
	static const struct {
		const char *name;
		uint16_t eth_type;
	} networks[] = {{"ipv4(", ETHTYPE_IP4}, {"ipv6(", ETHTYPE_IP6}, {"arp(", ETHTYPE_ARP}};

	for (uint32_t i = 0; i < ARRAY_LEN(networks); i++) {
		if (strncmp(r->s, networks[i].name, strlen(networks[i].name)) != 0)
			continue;
		if (r->has_network || (be16_get(m->eth_type) &&
				       be16_get(k->eth_type) != networks[i].eth_type))
			return fail(r);
		r->has_network = true;
	}
	return true;
}

/* Of all groups but encap(). */
static bool group(struct reader *r, struct flow_key *k, struct flow_key *m)
{
	if (take(r, "tunnel("))
		return tunnel(r, k, m);
	if (take(r, "vlan("))
		return vlan(r, k, m);
	if (take(r, "eth_type("))
		return eth_type(r, k, m);
	if (take(r, "tcp_flags("))
		return tcp_flags(r, k, m);
	if (take(r, "skb_priority("))
		return scalar(r, UINT32_MAX, &k->skb_priority, &m->skb_priority);
	if (take(r, "skb_mark("))
		return scalar(r, UINT32_MAX, &k->skb_mark, &m->skb_mark);
	if (take(r, "recirc_id("))
		return scalar(r, UINT32_MAX, &k->recirc_id, &m->recirc_id);
	if (take(r, "in_port(")) {
		m->in_port = UINT32_MAX;
		return port(r, ")", &k->in_port) && need(r, ")");
	}
	return nothing(r) || (check_network(r, k, m) && plain_group(r, k, m));
}

static int done(struct reader *r, const char *s, uint32_t *at)
{
	if (!r->err && *r->s)
		fail(r);
	if (at)
		*at = (uint32_t)(r->s - s);
	return r->err;
}

int parse_key(const char *s, const struct dp *dp, struct flow_key *k, struct flow_key *m,
	      uint32_t *at)
{
	struct reader r = {.s = s, .dp = dp};
	uint32_t depth = 0;

	memset(k, 0, sizeof(*k));
	memset(m, 0, sizeof(*m));
	while (!r.err && *r.s) {
		if (take(&r, "encap(")) {
			depth++;
			continue;
		}
		group(&r, k, m);
		while (depth && take(&r, ")"))
			depth--;
		comma(&r);
	}
	if (depth)
		fail(&r);
	return done(&r, s, at);
}

/* --- actions --------------------------------------------------------------------------------- */

static bool push_vlan(struct reader *r, struct act_buf *b)
{
	uint64_t tpid = ETHTYPE_VLAN, vid, pcp;

	if ((take(r, "tpid=") && (!number(r, UINT16_MAX, &tpid) || !need(r, ","))) ||
	    !need(r, "vid=") || !number(r, VLAN_VID, &vid) || !need(r, ",pcp=") ||
	    !number(r, 7, &pcp) || !need(r, ")"))
		return false;
	act_push_vlan(b, (uint16_t)tpid, (uint16_t)(vid | pcp << VLAN_PCP_SHIFT));
	return true;
}

static bool slow_path(struct reader *r, struct act_userspace *u)
{
	uint32_t bits;

	u->kind = USERSPACE_SLOW_PATH;
	if (take(r, ")"))
		return true;
	return flags(r, slow_path_names, ARRAY_LEN(slow_path_names), 0, &u->slow, &bits);
}

static bool controller(struct reader *r, struct act_userspace *u)
{
	static const char *const names[] = {
		"reason=",	 ",dont_send=",	    ",continuation=", ",recirc_id=",
		",rule_cookie=", ",controller_id=", ",max_len="};
	static const uint64_t max[] = {UINT8_MAX,  1,	       1,	  UINT32_MAX,
				       UINT64_MAX, UINT16_MAX, UINT16_MAX};
	uint64_t v[ARRAY_LEN(names)];

	for (uint32_t i = 0; i < ARRAY_LEN(names); i++)
		if (!need(r, names[i]) || !number(r, max[i], &v[i]))
			return false;
	u->kind = USERSPACE_CONTROLLER;
	u->reason = (uint8_t)v[0];
	u->dont_send = v[1];
	u->continuation = v[2];
	u->recirc_id = (uint32_t)v[3];
	u->rule_cookie = v[4];
	u->controller_id = (uint16_t)v[5];
	u->max_len = (uint16_t)v[6];
	return need(r, ")");
}

static bool userspace(struct reader *r, struct act_buf *b)
{
	struct act_userspace u = {.kind = USERSPACE_PLAIN};
	uint64_t pid;

	if (!need(r, "pid=") || !number(r, UINT32_MAX, &pid))
		return false;
	if (take(r, ",slow_path(") && !slow_path(r, &u))
		return false;
	if (take(r, ",controller(") && !controller(r, &u))
		return false;
	act_userspace(b, (uint32_t)pid, &u);
	return need(r, ")");
}

static bool set_tunnel(struct reader *r, struct act_buf *b)
{
	struct flow_key k = {0}, m = {0};

	if (!tunnel(r, &k, &m))
		return false;
	act_set_tunnel(b, &(struct tun_info){
				  .src = k.tun.src,
				  .dst = k.tun.dst,
				  .id = k.tun.id,
				  .sport = be16_get(k.tun.tp_src),
				  .dport = be16_get(k.tun.tp_dst),
				  .tos = k.tun.tos,
				  .ttl = k.tun.ttl,
				  .df = k.tun.flags & TUN_DF,
				  .has_csum = k.tun.flags & TUN_CSUM,
				  .has_key = k.tun.flags & TUN_KEY,
				  .gbp = k.tun.gbp_id | (uint32_t)k.tun.gbp_flags << 16,
			  });
	return true;
}

/* A set() of header fields, as a key and the bits that it sets. */
static bool set_fields(struct reader *r, struct act_buf *b)
{
	struct flow_key k = {0}, m = {0};
	const char *s = r->s;

	if (!plain_group(r, &k, &m))
		return false;
	if (m.ip_proto || m.ip_frag) /* cannot be set */
		return fail(r);
	if (!strncmp(s, "eth(", 4))
		act_set_eth(b, &(struct act_eth){.src = k.eth_src,
						 .dst = k.eth_dst,
						 .src_mask = m.eth_src,
						 .dst_mask = m.eth_dst});
	else if (!strncmp(s, "ipv4(", 5))
		act_set_ip4(b, &(struct act_ip4){.src = k.ip_src.w[3],
						 .dst = k.ip_dst.w[3],
						 .src_mask = m.ip_src.w[3],
						 .dst_mask = m.ip_dst.w[3],
						 .tos = k.ip_tos,
						 .ttl = k.ip_ttl,
						 .tos_mask = m.ip_tos,
						 .ttl_mask = m.ip_ttl});
	else if (!strncmp(s, "ipv6(", 5))
		act_set_ip6(b, &(struct act_ip6){.src = k.ip_src,
						 .dst = k.ip_dst,
						 .src_mask = m.ip_src,
						 .dst_mask = m.ip_dst,
						 .label = k.ip6_label,
						 .label_mask = m.ip6_label,
						 .tclass = k.ip_tos,
						 .hlimit = k.ip_ttl,
						 .tclass_mask = m.ip_tos,
						 .hlimit_mask = m.ip_ttl});
	else if (!strncmp(s, "tcp(", 4) || !strncmp(s, "udp(", 4) || !strncmp(s, "sctp(", 5))
		act_set_ports(b,
			      *s == 't'	  ? ACT_SET_TCP
			      : *s == 'u' ? ACT_SET_UDP
					  : ACT_SET_SCTP,
			      &(struct act_ports){.src = k.tp_src,
						  .dst = k.tp_dst,
						  .src_mask = m.tp_src,
						  .dst_mask = m.tp_dst});
	else
		return fail(r);
	return true;
}

static bool set(struct reader *r, struct act_buf *b)
{
	uint32_t mark, mask;

	if (take(r, "tunnel(")) {
		if (!set_tunnel(r, b))
			return false;
	} else if (take(r, "skb_mark(")) {
		if (!scalar(r, UINT32_MAX, &mark, &mask))
			return false;
		if (!mask) /* sets nothing, and has no text */
			return fail(r);
		act_set_mark(b, mark, mask);
	} else if (!set_fields(r, b)) {
		return false;
	}
	return need(r, ")");
}

static bool action(struct reader *r, struct act_buf *b)
{
	uint32_t no;

	if (take(r, "push_vlan("))
		return push_vlan(r, b);
	if (take(r, "userspace("))
		return userspace(r, b);
	if (take(r, "set("))
		return set(r, b);
	if (take(r, "pop_vlan"))
		act_pop_vlan(b);
	else if (take(r, "drop"))
		act_drop(b, DROP_NONE);
	else if (port(r, ",)", &no))
		act_output(b, no);
	return !r->err;
}

int parse_actions(const char *s, const struct dp *dp, struct actions **out, uint32_t *at)
{
	struct reader r = {.s = s, .dp = dp};
	struct act_buf b = {0};
	bool empty = !strcmp(s, "drop"); /* the whole list: no action */
	int err = 0;

	if (!*s)
		fail(&r);
	if (empty)
		r.s += strlen(s);
	while (!r.err && *r.s) {
		if (take(&r, "clone(")) {
			act_clone(&b);
			if (!take(&r, ")"))
				continue;
			act_clone_end(&b);
		} else {
			action(&r, &b);
		}
		while (!r.err && b.depth && take(&r, ")"))
			act_clone_end(&b);
		if (b.err)
			break;
		comma(&r);
	}
	if (done(&r, s, at) < 0) {
		act_buf_drop(&b);
		return r.err;
	}
	*out = act_buf_done(&b, &err);
	return *out ? 0 : err;
}
