/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows from OpenFlow's text: one packet, so every value is exact, and in order, so that what a
 * field needs ("tcp" for tcp_src) stands before it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/field.h"
#include "ovs/flow_field.h"
#include "ovs/flow_text.h"
#include "wire/eth.h"
#include "wire/ip4.h"

/* --- values ---------------------------------------------------------------------------------- */

struct reader {
	const char *whole; /* for what is wrong */
	char *at;	   /* what is left of a copy of it */
	const char *name, *value;
	const struct of_field *field;
	const struct flow_ports *ports;
	struct flow_key *k;
	struct flow_key *m; /* of what is named; NULL: nobody asks */
	struct text *err;
};

/* "FLOW: bad value for NAME (VALUE: what)" */
static bool bad(struct reader *r, const char *value, const char *what)
{
	text_printf(r->err, "%s: bad value for %s (%s: %s)", r->whole, r->name, value, what);
	return false;
}

static bool bad_wildcard(struct reader *r)
{
	return bad(r, r->value, "wildcards not allowed here");
}

/* A number up to 'end'; what is wrong: "bad syntax for nw_ttl value". */
static bool number(struct reader *r, const char *s, char end, const char *part, uint64_t *v)
{
	uint32_t n = of_bytes(r->field);
	uint64_t max = n == 8 ? UINT64_MAX : (1ull << n * 8) - 1;
	bool is_minus = *s == '-';
	char what[80], *tail;

	errno = 0;
	*v = strtoull(s + is_minus, &tail, 0);
	if (tail == s + is_minus || *tail != end) {
		snprintf(what, sizeof(what), "bad syntax for %s %s", r->field->name, part);
		return bad(r, r->value, what);
	}
	if (errno == ERANGE || *v > max || (is_minus && *v)) {
		snprintf(what, sizeof(what), "%s too large for %u-byte field %s", part, n,
			 r->field->name);
		return bad(r, r->value, what);
	}
	return true;
}

static bool bad_mask(struct reader *r, uint64_t m)
{
	char what[80];

	if (!m || of_takes_mask(r->field))
		return bad_wildcard(r);
	snprintf(what, sizeof(what), "invalid mask for field %s", r->field->name);
	return bad(r, r->value, what);
}

static bool read_number(struct reader *r)
{
	const char *slash = strchr(r->value, '/');
	uint32_t n = of_bytes(r->field);
	uint64_t v, m;

	if (!number(r, r->value, slash ? '/' : '\0', "value", &v))
		return false;
	if (slash) {
		if (!number(r, slash + 1, '\0', "mask", &m))
			return false;
		if (m != (n == 8 ? UINT64_MAX : (1ull << n * 8) - 1))
			return bad_mask(r, m);
	}
	of_set_number(r->field, r->k, v);
	return true;
}

/* Splits "VALUE/MASK" where the slash is; NULL: there is no mask. */
static const char *split(const char *value, char *buf, size_t size)
{
	size_t n = strcspn(value, "/");

	if (n >= size)
		n = 0; /* no address is as long */
	memcpy(buf, value, n);
	buf[n] = '\0';
	return value[strcspn(value, "/")] ? value + strcspn(value, "/") + 1 : NULL;
}

static bool read_mac(struct reader *r)
{
	char addr[MAC_TEXT_MAX];
	const char *mask = split(r->value, addr, sizeof(addr));
	struct mac v, m;

	if (mac_parse(addr, &v) < 0 || (mask && mac_parse(mask, &m) < 0))
		return bad(r, r->value, "invalid Ethernet address");
	if (mask && !mac_is_broadcast(&m))
		return bad_wildcard(r);
	memcpy((uint8_t *)r->k + r->field->off, &v, sizeof(v));
	return true;
}

/* A mask as a length or an address: 0, or why it is none. */
static const char *read_mask(const char *s, bool is4, bool *full)
{
	static const struct ip_addr all = {.d = {UINT64_MAX, UINT64_MAX}};
	struct ip_addr m;
	char *tail;
	unsigned long n = strtoul(s, &tail, 10);

	if (*s && !*tail) {
		*full = n == (is4 ? 32 : 128);
		if (n <= (is4 ? 32 : 128))
			return NULL;
		return is4 ? "IPv4 network prefix bits not between 0 and 32, inclusive"
			   : "IPv6 network prefix bits not between 0 and 128, inclusive";
	}
	if (ip_parse(s, &m) < 0 || ip_is4(&m) != is4)
		return is4 ? "invalid IP address" : "invalid IPv6 address";
	*full = is4 ? m.w[3].raw == UINT32_MAX : ip_eq(&m, &all);
	return NULL;
}

static bool read_ip(struct reader *r)
{
	bool is4 = r->field->kind == OF_IP4, full = true;
	char addr[IP_TEXT_MAX];
	const char *mask = split(r->value, addr, sizeof(addr)), *why;
	struct ip_addr v;

	/* ::ffff:1.2.3.4 is an IPv6 address as text, but no key's (wire/types.h). */
	if (ip_parse(addr, &v) < 0 || ip_is4(&v) != is4)
		return bad(r, r->value, is4 ? "invalid IP address" : "invalid IPv6 address");
	why = mask ? read_mask(mask, is4, &full) : NULL;
	if (why)
		return bad(r, r->value, why);
	if (!full)
		return bad_wildcard(r);
	memcpy((uint8_t *)r->k + r->field->off, &v, sizeof(v));
	return true;
}

static bool read_port(struct reader *r)
{
	size_t n = strlen(r->value);
	bool quoted = n > 1 && r->value[0] == '"' && r->value[n - 1] == '"';
	char name[64];
	uint16_t no;

	if (n && strspn(r->value, "0123456789") == n) {
		unsigned long v = strtoul(r->value, NULL, 10);

		if (v > UINT16_MAX)
			return bad(r, r->value, "invalid or unknown port for in_port");
		r->k->in_port = (uint32_t)v;
		return true;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(quoted ? n - 2 : n), r->value + quoted);
	if (!flow_port_by_word(name, &no) &&
	    !(r->ports && n < sizeof(name) && r->ports->find(r->ports->ctx, name, &no)))
		return bad(r, r->value, "invalid or unknown port for in_port");
	r->k->in_port = no;
	return true;
}

static bool read_frag(struct reader *r)
{
	for (uint8_t i = 0; i < ARRAY_LEN(frag_names); i++)
		if (!strcmp(r->value, frag_names[i])) {
			r->k->ip_frag = i;
			return true;
		}
	if (!strcmp(r->value, "yes") || !strcmp(r->value, "not_later"))
		return bad_wildcard(r);
	return bad(r, r->value,
		   "unknown fragment type (valid types are \"no\", \"yes\", \"first\", \"later\", "
		   "\"not_later\"");
}

/* --- flags ----------------------------------------------------------------------------------- */

static const struct flow_flag *flag_find(const struct flow_flag *names, uint32_t n, const char *s,
					 size_t len)
{
	for (uint32_t i = 0; i < n; i++)
		if (strlen(names[i].name) == len && !memcmp(names[i].name, s, len))
			return &names[i];
	return NULL;
}

/* "a|b"; a number does as well.  False: no such flag. */
static bool names_of(const struct flow_flag *names, uint32_t n, uint32_t all, const char *s,
		     uint32_t *v)
{
	unsigned long long number;

	*v = 0;
	if (text_to_u64(s, all, &number) == 0) {
		*v = (uint32_t)number;
		return true;
	}
	while (*s) {
		size_t len = strcspn(s, "|");
		const struct flow_flag *f = flag_find(names, n, s, len);

		if (!f)
			return false;
		*v |= f->bit;
		s += len + (s[len] == '|');
	}
	return true;
}

/* "+a-b" says of some flags only, which is no packet. */
static bool bad_signs(struct reader *r, const struct flow_flag *names, uint32_t n, const char *what)
{
	for (const char *s = r->value; *s;) {
		size_t len = strcspn(++s, "+-");

		if (!flag_find(names, n, s, len))
			return bad(r, s, what);
		s += len;
	}
	return bad_wildcard(r);
}

static bool read_flags(struct reader *r, const struct flow_flag *names, uint32_t n, uint32_t all,
		       const char *what, uint32_t *v)
{
	const char *slash = strchr(r->value, '/');

	if (*r->value == '+' || *r->value == '-')
		return bad_signs(r, names, n, what);
	if (slash && strspn(r->value, "0123456789abcdefxABCDEF/") == strlen(r->value))
		return bad_wildcard(r);
	if (!names_of(names, n, all, r->value, v))
		return bad(r, r->value, what);
	return true;
}

static bool read_tcp_flags(struct reader *r)
{
	uint32_t v;

	if (!read_flags(r, tcp_flag_names, ARRAY_LEN(tcp_flag_names), 0xfff, "unknown TCP flag(s)",
			&v))
		return false;
	r->k->tcp_flags = be16_put((uint16_t)v);
	return true;
}

/* OpenFlow has one, of OAM, which no key has: what is left is none at all. */
static bool read_tun_flags(struct reader *r)
{
	uint32_t v;

	return read_flags(r, NULL, 0, 0, "unknown tunnel flag(s)", &v);
}

static bool read_value(struct reader *r)
{
	switch (r->field->kind) {
	case OF_MAC:
		return read_mac(r);
	case OF_IP4:
	case OF_IP6:
		return read_ip(r);
	case OF_PORT:
		return read_port(r);
	case OF_FRAG:
		return read_frag(r);
	case OF_TCP_FLAGS:
		return read_tcp_flags(r);
	case OF_TUN_FLAGS:
		return read_tun_flags(r);
	default:
		return read_number(r);
	}
}

/* --- what was named -------------------------------------------------------------------------- */

static void mark_tag(struct flow_key *m, uint32_t bits)
{
	m->vlan[0].tci = be16_put((uint16_t)(be16_get(m->vlan[0].tci) | VLAN_PRESENT | bits));
}

static void mark(const struct of_field *f, struct flow_key *m)
{
	uint8_t *at = (uint8_t *)m + f->off;

	switch (f->kind) {
	case OF_MAC:
		memset(at, 0xff, sizeof(struct mac));
		return;
	case OF_IP4:
	case OF_IP6:
		memset(at, 0xff, sizeof(struct ip_addr));
		return;
	case OF_PORT:
		m->in_port = UINT32_MAX;
		return;
	case OF_FRAG:
		m->ip_frag = FRAG_MASK;
		return;
	case OF_TCP_FLAGS:
		m->tcp_flags = be16_put(0xfff);
		return;
	case OF_TUN_FLAGS:
		return;
	case OF_TCI:
		mark_tag(m, VLAN_VID | VLAN_PCP);
		return;
	case OF_DL_VLAN:
	case OF_VID:
		mark_tag(m, VLAN_VID);
		return;
	case OF_PCP:
		mark_tag(m, VLAN_PCP);
		return;
	default:
		of_set_number(f, m, UINT64_MAX);
	}
}

/* --- words ----------------------------------------------------------------------------------- */

static bool wrong(struct reader *r, const char *what)
{
	text_printf(r->err, "%s: %s%s", r->whole, what, r->name);
	return false;
}

/* "tcp": an EtherType, and an IP protocol for some.  False: it is no such word. */
static bool is_short(const char *name, uint16_t *type, uint8_t *proto)
{
	static const struct {
		const char *name;
		uint16_t type;
		uint8_t proto;
	} words[] = {{"ip", ETHTYPE_IP4, 0},
		     {"ipv6", ETHTYPE_IP6, 0},
		     {"ip6", ETHTYPE_IP6, 0},
		     {"icmp", ETHTYPE_IP4, IPPROTO_ICMP4_},
		     {"tcp", ETHTYPE_IP4, IPPROTO_TCP_},
		     {"udp", ETHTYPE_IP4, IPPROTO_UDP_},
		     {"sctp", ETHTYPE_IP4, IPPROTO_SCTP_},
		     {"icmp6", ETHTYPE_IP6, IPPROTO_ICMP6_},
		     {"tcp6", ETHTYPE_IP6, IPPROTO_TCP_},
		     {"udp6", ETHTYPE_IP6, IPPROTO_UDP_},
		     {"sctp6", ETHTYPE_IP6, IPPROTO_SCTP_},
		     {"arp", ETHTYPE_ARP, 0},
		     {"rarp", ETHTYPE_RARP, 0},
		     {"mpls", ETHTYPE_MPLS, 0},
		     {"mplsm", ETHTYPE_MPLS_MC, 0}};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i].name, name)) {
			*type = words[i].type;
			*proto = words[i].proto;
			return true;
		}
	return false;
}

/* One word, which stands in r->name and r->value. */
static bool take(struct reader *r)
{
	uint16_t type;
	uint8_t proto;

	if (is_short(r->name, &type, &proto)) {
		if (r->k->eth_type.raw) {
			text_printf(r->err, "%s: Ethernet type set multiple times", r->whole);
			return false;
		}
		r->k->eth_type = be16_put(type);
		if (proto)
			r->k->ip_proto = proto;
		if (r->m) {
			r->m->eth_type = be16_put(UINT16_MAX);
			r->m->ip_proto = proto ? UINT8_MAX : r->m->ip_proto;
		}
		return true;
	}
	r->field = of_field_find(r->name, strlen(r->name));
	if (!r->field)
		return wrong(r, "unknown field ");
	if (r->field->kind == OF_NOT)
		return wrong(r, "packets have no field ");
	if (!of_is_met(r->k, r->field->need))
		return wrong(r, "prerequisites not met for setting ");
	if (!of_is_zero(r->field, r->k)) {
		text_printf(r->err, "%s: field %s set multiple times", r->whole, r->name);
		return false;
	}
	if (!read_value(r))
		return false;
	if (r->m)
		mark(r->field, r->m);
	return true;
}

/* Behind the value at 's': what is in parentheses is part of it. */
static size_t value_len(const char *s)
{
	size_t n = 0;

	for (int depth = 0; s[n] && (depth > 0 || !strchr(", \t\r\n", s[n])); n++)
		depth += (s[n] == '(') - (s[n] == ')');
	return n;
}

/* Of "(value)", behind the first parenthesis. */
static size_t inner_len(const char *s)
{
	size_t n = 0;

	for (int depth = 1; s[n]; n++) {
		depth += (s[n] == '(') - (s[n] == ')');
		if (!depth)
			break;
	}
	return n;
}

/* Cuts the next "name", "name=value", "name:value" or "name(value)" off.  False: there is none. */
static bool next(struct reader *r)
{
	char *value, delim;
	size_t n;

	r->at += strspn(r->at, ", \t\r\n");
	if (!*r->at)
		return false;
	r->name = r->at;
	value = r->at + strcspn(r->at, ":=(, \t\r\n");
	delim = *value;
	if (delim)
		*value++ = '\0';
	r->value = delim == '=' || delim == ':' || delim == '(' ? value : "";
	r->at = value;
	if (!*r->value)
		return true;
	n = delim == '(' ? inner_len(value) : value_len(value);
	r->at = value + n + (value[n] != '\0');
	value[n] = '\0';
	return true;
}

/* --- the whole ------------------------------------------------------------------------------- */

/* What goes with what was said: the same as a packet would have. */
static void finish(struct flow_key *k)
{
	struct flow_tun *t = &k->tun;
	uint16_t type = be16_get(k->eth_type);

	if (!k->in_port)
		k->in_port = OFPP_NONE;
	if (type == ETHTYPE_IP4 || type == ETHTYPE_ARP) {
		k->ip_src = ip_from4(k->ip_src.w[3]);
		k->ip_dst = ip_from4(k->ip_dst.w[3]);
	}
	if (ip_is_any(&t->dst)) { /* from no tunnel, whatever else was said of one */
		t->src = t->dst = (struct ip_addr){.d = {0, 0}};
		return;
	}
	t->flags |= TUN_PRESENT;
	if (ip_is4(&t->dst) != ip_is4(&t->src))
		t->src = ip_is4(&t->dst) ? ip_from4(be32_put(0)) : (struct ip_addr){.d = {0, 0}};
}

static int parse(const char *s, const struct flow_ports *ports, struct flow_key *k,
		 struct flow_key *m, struct text *err)
{
	char *copy = strdup(s);
	struct reader r = {.whole = s, .at = copy, .ports = ports, .k = k, .m = m, .err = err};
	bool good = copy != NULL;

	memset(k, 0, sizeof(*k));
	if (!copy)
		text_printf(err, "%s: out of memory", s);
	while (good && next(&r))
		good = take(&r);
	free(copy);
	return good ? 0 : -EINVAL;
}

int flow_parse(const char *s, const struct flow_ports *ports, struct flow_key *k, struct text *err)
{
	int r = parse(s, ports, k, NULL, err);

	if (r == 0)
		finish(k);
	return r;
}

int flow_parse_match(const char *s, const struct flow_ports *ports, struct flow_key *k,
		     struct flow_key *m, struct text *err)
{
	memset(m, 0, sizeof(*m));
	return parse(s, ports, k, m, err);
}

bool flow_overlaps(const struct flow_key *k, const struct flow_key *m, const struct flow_key *key,
		   const struct flow_key *mask)
{
	for (uint32_t i = 0; i < KEY_WORDS; i++)
		if ((key_word(k, i) ^ key_word(key, i)) & key_word(m, i) & key_word(mask, i))
			return false;
	return true;
}
