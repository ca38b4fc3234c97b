/* SPDX-License-Identifier: Apache-2.0 */
#include "ovs/vxlan_options.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "wire/types.h"

/* What is being read, and what became of it. */
struct reader {
	const char *name; /* the interface's */
	struct tunnel_cfg *t;
	struct text *error, *warning;
	bool has_remote, has_in_key, has_out_key;
};

static bool refuse(struct reader *r, const char *option, const char *value, const char *accepted)
{
	text_printf(r->error, "%s: option %s=%s is wrong: %s", r->name, option, value, accepted);
	return false;
}

static bool number(struct reader *r, const char *option, const char *value, uint64_t min,
		   uint64_t max, const char *accepted, uint64_t *out)
{
	unsigned long long n;

	if (text_to_u64(value, max, &n) < 0 || n < min)
		return refuse(r, option, value, accepted);
	*out = n;
	return true;
}

static bool boolean(struct reader *r, const char *option, const char *value, bool *out)
{
	*out = !strcmp(value, "true");
	return *out || !strcmp(value, "false") || refuse(r, option, value, "true or false");
}

static bool remote_ip(struct reader *r, const char *value)
{
	struct tunnel_cfg *t = r->t;

	r->has_remote = true;
	t->remote_flow = !strcmp(value, "flow");
	if (t->remote_flow)
		return true;
	if (ip_parse(value, &t->remote) < 0 || ip_is_any(&t->remote)) {
		text_printf(r->error,
			    "%s: bad vxlan 'remote_ip'\n%s: vxlan type requires valid 'remote_ip' "
			    "argument",
			    r->name, r->name);
		return false;
	}
	if (ip_is_multicast(&t->remote)) {
		text_printf(r->error, "%s: multicast remote_ip=%s not allowed", r->name, value);
		return false;
	}
	return true;
}

static bool local_ip(struct reader *r, const char *value)
{
	r->t->local_flow = !strcmp(value, "flow");
	return r->t->local_flow || ip_parse(value, &r->t->local) == 0 ||
	       refuse(r, "local_ip", value, "an IPv4 or IPv6 address, or flow");
}

static bool key(struct reader *r, const char *option, const char *value, bool in, bool out)
{
	bool flow = !strcmp(value, "flow");
	uint64_t n = 0;

	if (!flow && !number(r, option, value, 0, 0xffffff, "0 to 16777215, or flow", &n))
		return false;
	if (in) {
		r->t->in_key = (uint32_t)n;
		r->t->in_key_flow = flow;
		r->t->in_key_present = true;
	}
	if (out) {
		r->t->out_key = (uint32_t)n;
		r->t->out_key_flow = flow;
		r->t->out_key_present = true;
	}
	return true;
}

static bool tos(struct reader *r, const char *value)
{
	unsigned long long n;

	r->t->tos_inherit = !strcmp(value, "inherit");
	if (r->t->tos_inherit)
		return true;
	if (text_to_u64(value, 255, &n) < 0 || n & 3) /* 3.1: warns, and takes none */
		text_printf(r->warning, "%s: invalid TOS %s\n", r->name, value);
	else
		r->t->tos = (uint8_t)n;
	return true;
}

static bool ttl(struct reader *r, const char *value)
{
	uint64_t n;

	r->t->ttl_inherit = !strcmp(value, "inherit");
	if (r->t->ttl_inherit)
		return true;
	if (!number(r, "ttl", value, 1, 255, "1 to 255, or inherit", &n))
		return false;
	r->t->ttl = (uint8_t)n;
	return true;
}

static bool exts(struct reader *r, const char *value)
{
	char word[64];

	for (const char *s = value; *s;) {
		size_t n = strcspn(s, ",");

		snprintf(word, sizeof(word), "%.*s", (int)n, s);
		if (!strcmp(word, "gbp"))
			r->t->gbp = true;
		else if (!strcmp(word, "gpe"))
			return refuse(r, "exts", value, "gpe is not built");
		else if (n)
			text_printf(r->warning, "%s: unknown extension '%s'\n", r->name, word);
		s += n + (s[n] == ',');
	}
	return true;
}

static bool csum(struct reader *r, const char *value)
{
	bool on;

	if (!boolean(r, "csum", value, &on))
		return false;
	r->t->csum = on ? TUNNEL_CSUM_ON : TUNNEL_CSUM_OFF;
	return true;
}

static bool packet_type(struct reader *r, const char *k, const char *v)
{
	if (!strcmp(v, "legacy_l2"))
		return true;
	if (!strcmp(v, "legacy_l3")) { /* exts=gpe, which could, is refused */
		text_printf(r->error,
			    "%s: legacy_l3 configured on VXLAN (without GPE) tunnel that cannot "
			    "carry L3 traffic",
			    r->name);
		return false;
	}
	if (!strcmp(v, "ptap"))
		return refuse(r, k, v, "legacy_l2; others are not built");
	text_printf(r->error, "%s: unknown packet_type '%s'", r->name, v);
	return false;
}

static bool one(struct reader *r, const char *k, const char *v)
{
	uint64_t n;

	if (!strcmp(k, "remote_ip"))
		return remote_ip(r, v);
	if (!strcmp(k, "local_ip"))
		return local_ip(r, v);
	if (!strcmp(k, "key")) /* in_key and out_key, which come first by name, override it */
		return key(r, k, v, !r->has_in_key, !r->has_out_key);
	if (!strcmp(k, "in_key"))
		return r->has_in_key = true, key(r, k, v, true, false);
	if (!strcmp(k, "out_key"))
		return r->has_out_key = true, key(r, k, v, false, true);
	if (!strcmp(k, "dst_port")) {
		if (!number(r, k, v, 1, 65535, "1 to 65535", &n))
			return false;
		r->t->dst_port = (uint16_t)n;
		return true;
	}
	if (!strcmp(k, "tos"))
		return tos(r, v);
	if (!strcmp(k, "ttl"))
		return ttl(r, v);
	if (!strcmp(k, "df_default"))
		return boolean(r, k, v, &r->t->df_default);
	if (!strcmp(k, "csum"))
		return csum(r, v);
	if (!strcmp(k, "exts"))
		return exts(r, v);
	if (!strcmp(k, "egress_pkt_mark")) {
		if (!number(r, k, v, 0, UINT32_MAX, "0 to 4294967295", &n))
			return false;
		r->t->egress_pkt_mark = (uint32_t)n;
		r->t->has_mark = true;
		return true;
	}
	if (!strcmp(k, "packet_type"))
		return packet_type(r, k, v);
	if (strcmp(k, "psk") && strcmp(k, "remote_cert") && strcmp(k, "remote_name") &&
	    strncmp(k, "ipsec_", 6))
		text_printf(r->warning, "%s: unknown vxlan argument '%s'\n", r->name, k);
	return true;
}

static bool whole(struct reader *r)
{
	const struct tunnel_cfg *t = r->t;

	if (!r->has_remote)
		text_printf(r->error, "%s: vxlan type requires valid 'remote_ip' argument",
			    r->name);
	else if (t->local_flow && !t->remote_flow)
		text_printf(r->error,
			    "%s: vxlan type requires 'remote_ip=flow' with 'local_ip=flow'",
			    r->name);
	else if (!ip_is_none(&t->remote) && !ip_is_none(&t->local) &&
		 ip_is4(&t->remote) != ip_is4(&t->local))
		text_printf(r->error,
			    "%s: 'remote_ip' and 'local_ip' has to be of the same address family",
			    r->name);
	return !r->error->len;
}

bool vxlan_options_parse(const char *name, const struct ovsdb_datum *options,
			 struct tunnel_cfg *out, struct text *error, struct text *warning)
{
	struct reader r = {.name = name, .t = out, .error = error, .warning = warning};

	*out = (struct tunnel_cfg){.dst_port = 4789, .ttl = 64, .df_default = true};
	for (int last = 0; last < 2; last++) /* "key" is last: what overrides it has been seen */
		for (uint32_t i = 0; i < options->n; i++) {
			const char *k = options->keys[i].string;
			bool is_key = !strcmp(k, "key");

			if (is_key == last && !one(&r, k, options->values[i].string))
				return false;
		}
	return whole(&r);
}
