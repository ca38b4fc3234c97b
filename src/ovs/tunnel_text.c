/* SPDX-License-Identifier: Apache-2.0 */
#include "ovs/tunnel_text.h"

#include <string.h>

enum { TTL_DEFAULT = 64, VXLAN_PORT = 4789 };

static const char *ip_or_any(const struct ip_addr *ip, char *buf)
{
	return ip_is_any(ip) ? "::" : ip_text(ip, buf);
}

/* --- options --------------------------------------------------------------------------------- */

/* One more of a list that began at 'from'. */
static void put_name(struct text *t, size_t from, const char *name)
{
	text_printf(t, "%s%s=", t->len > from ? ", " : "", name);
}

static void put_key(struct text *t, size_t from, const char *name, bool flow, uint32_t key)
{
	put_name(t, from, name);
	if (flow)
		text_printf(t, "flow");
	else
		text_printf(t, "%u", key);
}

static void put_ip(struct text *t, size_t from, const char *name, bool flow,
		   const struct ip_addr *ip)
{
	char buf[IP_TEXT_MAX];

	if (!flow && ip_is_any(ip))
		return;
	put_name(t, from, name);
	text_printf(t, "%s", flow ? "flow" : ip_text(ip, buf));
}

/* One key for both directions is "key". */
static bool is_one_key(const struct tunnel_cfg *c)
{
	return c->in_key_present && c->out_key_present && c->in_key_flow == c->out_key_flow &&
	       (c->in_key_flow || c->in_key == c->out_key);
}

static void put_tos_ttl(struct text *t, size_t from, const struct tunnel_cfg *c)
{
	if (c->tos_inherit || c->tos) {
		put_name(t, from, "tos");
		if (c->tos_inherit)
			text_printf(t, "inherit");
		else
			text_printf(t, "0x%x", c->tos);
	}
	if (c->ttl_inherit || c->ttl != TTL_DEFAULT) {
		put_name(t, from, "ttl");
		if (c->ttl_inherit)
			text_printf(t, "inherit");
		else
			text_printf(t, "%u", c->ttl);
	}
}

void tunnel_text_config(struct text *t, const struct tunnel_cfg *c)
{
	size_t from = t->len;
	bool one = is_one_key(c);

	if (c->csum == TUNNEL_CSUM_ON) {
		put_name(t, from, "csum");
		text_printf(t, "true");
	}
	if (!c->df_default) {
		put_name(t, from, "df_default");
		text_printf(t, "false");
	}
	if (c->dst_port != VXLAN_PORT) {
		put_name(t, from, "dst_port");
		text_printf(t, "%u", c->dst_port);
	}
	if (c->has_mark) {
		put_name(t, from, "egress_pkt_mark");
		text_printf(t, "%u", c->egress_pkt_mark);
	}
	if (c->in_key_present && !one)
		put_key(t, from, "in_key", c->in_key_flow, c->in_key);
	if (one)
		put_key(t, from, "key", c->in_key_flow, c->in_key);
	put_ip(t, from, "local_ip", c->local_flow, &c->local);
	if (c->out_key_present && !one)
		put_key(t, from, "out_key", c->out_key_flow, c->out_key);
	put_ip(t, from, "remote_ip", c->remote_flow, &c->remote);
	put_tos_ttl(t, from, c);
}

/* --- ofproto/list-tunnels -------------------------------------------------------------------- */

static void put_out_key(struct text *t, const struct tunnel_cfg *c)
{
	if (c->in_key_present == c->out_key_present && c->in_key_flow == c->out_key_flow &&
	    c->in_key == c->out_key)
		return;
	if (!c->out_key_present)
		text_printf(t, ", out_key=none");
	else if (c->out_key_flow)
		text_printf(t, ", out_key=flow");
	else
		text_printf(t, ", out_key=%#x", c->out_key);
}

void tunnel_text_line(struct text *t, const struct ofproto_port_view *v)
{
	const struct tunnel_cfg *c = v->tun;
	char local[IP_TEXT_MAX], remote[IP_TEXT_MAX];

	text_printf(t, "port %u: %s (%s: %s->%s, key=", v->dp_port, v->name, v->type,
		    c->local_flow ? "flow" : ip_or_any(&c->local, local),
		    c->remote_flow ? "flow" : ip_text(&c->remote, remote));
	if (c->in_key_flow)
		text_printf(t, "flow");
	else
		text_printf(t, "%#x", c->in_key_present ? c->in_key : 0);
	text_printf(t, ", legacy_l2, dp port=%u", v->dp_port);
	put_out_key(t, c);
	if (c->ttl_inherit)
		text_printf(t, ", ttl=inherit");
	else
		text_printf(t, ", ttl=%u", c->ttl);
	if (c->tos_inherit)
		text_printf(t, ", tos=inherit");
	else if (c->tos)
		text_printf(t, ", tos=%#x", c->tos);
	text_printf(t, "%s%s)\n", c->df_default ? "" : ", df=false",
		    c->csum == TUNNEL_CSUM_ON ? ", csum=true" : "");
}
