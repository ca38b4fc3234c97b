/* SPDX-License-Identifier: Apache-2.0 */
/* Near misses: what is here that is almost what a packet was for. */
#include <sys/socket.h>

#include "ctl/explain.h"
#include "net/dev.h"
#include "vxlan/device.h"

/* Devices on VXLAN sockets of a port. */
struct vni_list {
	struct text *out;
	uint32_t n;
};

static bool add_vni(void *ctx, vni_t vni, struct dev *d)
{
	struct vni_list *l = ctx;

	if (l->n++ < 8)
		text_printf(l->out, "%s%u %s", l->n > 1 ? ", " : "", vni.v, d->name);
	else if (l->n == 10)
		text_printf(l->out, ", ...");
	return true;
}

static void vnis_of_port(struct vx *vx, uint16_t port, struct text *out)
{
	struct vni_list l = {out, 0};

	list_for_each (s, &vx->vxlan_socks, struct vxlan_sock, node) {
		struct dev *all = s->external ? vni_table_lookup(s->vnis, (vni_t){0}) : NULL;

		if (s->port != port)
			continue;
		if (!all)
			vni_table_each(s->vnis, add_vni, &l);
		else if (!l.n++) /* and once more over IPv6 */
			text_printf(out, "all %s", all->name);
	}
	if (!l.n)
		text_printf(out, "none");
}

void explain_socket(struct vx *vx, const struct trace_step *s, struct text *out)
{
	text_printf(out, "port %u is a VXLAN socket (", s->port);
	vnis_of_port(vx, s->port, out);
	text_printf(out, ")");
}

/* --- the device that was nearly meant --------------------------------------------------------- */

/* How near: lower is nearer; 0 is no candidate. */
static int rank(const struct dev *d, uint32_t vni, uint16_t port, bool is6, bool host,
		enum near *why)
{
	const struct vxlan_dev *v = vxlan_dev(d);
	const struct vxlan_opts *o = vxlan_opts(v);

	if (o->id != vni)
		return 0;
	if (v->host != host)
		*why = NEAR_FORM;
	else if (v->is6 != is6)
		*why = NEAR_FAMILY;
	else if (o->dstport != port)
		*why = NEAR_PORT;
	else if (!dev_is_up(d))
		*why = NEAR_DOWN;
	else
		return 0;
	return 1 + (*why == NEAR_FORM) * 8 + (v->is6 != is6) * 4 + (o->dstport != port) * 2 +
	       !dev_is_up(d);
}

struct dev *near_dev(struct vx *vx, uint32_t vni, uint16_t port, bool is6, bool host,
		     enum near *why)
{
	struct dev *best = NULL;
	int best_rank = 100, r;
	enum near x;

	list_for_each (d, &vx->devs, struct dev, node) {
		r = dev_is_vxlan(d) ? rank(d, vni, port, is6, host, &x) : 0;
		if (!r || r >= best_rank)
			continue;
		best = d;
		best_rank = r;
		*why = x;
	}
	return best;
}

static void say_near_dev(struct vx *vx, uint32_t vni, uint16_t port, bool is6, bool host,
			 struct text *out)
{
	enum near why;
	const struct dev *d = near_dev(vx, vni, port, is6, host, &why);

	if (!d)
		return;
	text_printf(out, "; %s has vni %u", d->name, vni);
	switch (why) {
	case NEAR_DOWN:
		text_printf(out, " and is down");
		return;
	case NEAR_FAMILY:
		text_printf(out, " over %s only", is6 ? "IPv4" : "IPv6");
		break;
	case NEAR_PORT:
		break;
	case NEAR_FORM:
		text_printf(out, host ? " on a port of vx, not on the host's sockets"
				      : " on the host's sockets, not on a port of vx");
		return;
	}
	if (vxlan_opts(vxlan_dev(d))->dstport != port)
		text_printf(out, " on port %u", vxlan_opts(vxlan_dev(d))->dstport);
}

/* --- sentences ---------------------------------------------------------------------------------- */

void explain_vni(struct vx *vx, const struct trace_step *s, bool host, struct text *out)
{
	struct dev *found = NULL;

	list_for_each (sock, &vx->vxlan_socks, struct vxlan_sock, node)
		if (sock->port == s->port && (sock->family == AF_INET) == ip_is4(&s->ip) &&
		    sock->host == host && !found)
			found = vni_table_lookup(sock->vnis, (vni_t){s->vni & sock->vni_mask});
	if (found) {
		text_printf(out, "vni %u is %s%s", s->vni, found->name,
			    vxlan_opts(vxlan_dev(found))->external ? "'s, as all are" : "");
		return;
	}
	text_printf(out, "vni %u is no device here; port %u has: ", s->vni, s->port);
	vnis_of_port(vx, s->port, out);
	say_near_dev(vx, s->vni, s->port, !ip_is4(&s->ip), host, out);
}

void explain_no_socket(struct vx *vx, const struct trace_step *s, const struct packet_view *v,
		       bool host, struct text *out)
{
	bool is6 = !ip_is4(&s->ip);
	uint32_t n = 0;

	text_printf(out, "nobody listens on port %u over %s", s->port, is6 ? "IPv6" : "IPv4");
	list_for_each (sock, &vx->vxlan_socks, struct vxlan_sock, node) {
		text_printf(out, "%s%u over %s%s (", n++ ? ", " : "; VXLAN sockets: ", sock->port,
			    sock->family == AF_INET ? "IPv4" : "IPv6",
			    sock->host ? " of the host" : "");
		vnis_of_port(vx, sock->port, out);
		text_printf(out, ")");
	}
	if (!n)
		text_printf(out, "; there are no VXLAN sockets");
	if (v->has_vni)
		say_near_dev(vx, v->vni, s->port, is6, host, out);
}

static void say_peers(struct vx *vx, const struct trace_step *s, struct text *out)
{
	const struct dev *d = dev_by_name(vx, s->dev);

	if (d && dev_is_vxlan(d))
		text_printf(out, ": %s takes packets of remotes in its forwarding database only "
			    "(peers known)", d->name);
}

static void say_room(struct vx *vx, const struct trace_step *s, struct text *out)
{
	const struct dev *d = dev_by_name(vx, s->dev);
	const struct fdb *f;

	if (!d || !dev_is_vxlan(d))
		return;
	f = &vxlan_dev(d)->fdb;
	if (f->limit && f->n >= f->limit)
		text_printf(out, "; the table is full (maxaddress %u): nothing more is learned",
			    f->limit);
}

void explain_near(struct vx *vx, const struct trace_step *s, const struct packet_view *v,
		  struct text *out)
{
	char ip[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

	switch (s->drop) {
	case DROP_dev_down:
		text_printf(out, ": %s", s->dev);
		return;
	case DROP_unknown_peer:
		text_printf(out, " (%s)", ip_text(&v->src, ip));
		say_peers(vx, s, out);
		return;
	case DROP_own_mac:
		text_printf(out, " (%s of %s)", mac_text(&v->inner_src, mac), s->dev);
		return;
	case DROP_inner_bad_source:
	case DROP_bridge_bad_source:
		text_printf(out, " (%s)", mac_text(&v->inner_src, mac));
		return;
	case DROP_no_target:
		text_printf(out, " (%s on %s)", mac_text(&v->inner_dst, mac), s->dev);
		say_room(vx, s, out);
		return;
	case DROP_ip_not_local:
	case DROP_ip_martian:
	case DROP_ip_csum:
	case DROP_udp_csum:
	case DROP_udp_zero_csum:
		if (v->has_outer)
			text_printf(out, " (%s)",
				    ip_text(s->drop == DROP_ip_not_local ? &v->dst : &v->src, ip));
		return;
	}
}
