/* SPDX-License-Identifier: Apache-2.0 */
/* One line about a packet's bytes, as tcpdump would say it: outer addresses, VNI, inner frame. */
#include <stdio.h>

#include "ctl/explain.h"
#include "net/dev.h"
#include "vxlan/device.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"
#include "wire/vxlan.h"

struct bytes {
	const uint8_t *p;
	size_t len;
};

static const void *take(struct bytes *b, size_t n)
{
	const uint8_t *at = b->p;

	if (b->len < n)
		return NULL;
	b->p += n;
	b->len -= n;
	return at;
}

struct ip_view {
	struct ip_addr src, dst;
	uint8_t proto;
	bool later_fragment;
};

static bool take_ip(struct bytes *b, uint16_t type, struct ip_view *v)
{
	*v = (struct ip_view){0};
	if (type == ETHTYPE_IP4) {
		const struct ip4_hdr *ip = take(b, sizeof(*ip));

		if (!ip || ip4_hdr_len(ip) < sizeof(*ip) ||
		    (ip4_hdr_len(ip) > sizeof(*ip) && !take(b, ip4_hdr_len(ip) - sizeof(*ip))))
			return false;
		v->src = ip_from4(ip->src);
		v->dst = ip_from4(ip->dst);
		v->proto = ip->proto;
		v->later_fragment = be16_get(ip->frag) & IP4_OFFSET;
		return true;
	}
	if (type == ETHTYPE_IP6) {
		const struct ip6_hdr *ip = take(b, sizeof(*ip));

		if (!ip)
			return false;
		v->src = ip_from6(ip->src);
		v->dst = ip_from6(ip->dst);
		v->proto = ip->next;
		return true;
	}
	return false;
}

static const char *proto_name(uint8_t proto, char *buf)
{
	switch (proto) {
	case IPPROTO_ICMP4_:
		return "icmp";
	case IPPROTO_ICMP6_:
		return "icmp6";
	case IPPROTO_TCP_:
		return "tcp";
	case IPPROTO_UDP_:
		return "udp";
	case IPPROTO_UDPLITE_:
		return "udplite";
	}
	snprintf(buf, 16, "proto %u", proto);
	return buf;
}

static bool has_ports(const struct ip_view *ip)
{
	return !ip->later_fragment && (ip->proto == IPPROTO_TCP_ || ip->proto == IPPROTO_UDP_ ||
				       ip->proto == IPPROTO_UDPLITE_);
}

static void say_ip(struct text *t, struct bytes b, uint16_t type, const struct ip_view *ip)
{
	char src[IP_TEXT_MAX], dst[IP_TEXT_MAX], proto[16];
	const struct udp_hdr *ports = has_ports(ip) ? take(&b, 4) : NULL;

	text_printf(t, " %s %s ", type == ETHTYPE_IP4 ? "ipv4" : "ipv6",
		    proto_name(ip->proto, proto));
	ip_text(&ip->src, src);
	ip_text(&ip->dst, dst);
	if (ports)
		text_printf(t, ip_is4(&ip->src) ? "%s:%u > %s:%u" : "[%s]:%u > [%s]:%u", src,
			    be16_get(ports->src), dst, be16_get(ports->dst));
	else
		text_printf(t, "%s > %s", src, dst);
}

static void say_arp(struct text *t, struct bytes b, struct packet_view *v)
{
	const struct arp_hdr *a = take(&b, sizeof(*a));
	char spa[IP_TEXT_MAX], tpa[IP_TEXT_MAX];
	struct ip_addr s, d;

	if (!a) {
		text_printf(t, " arp, cut");
		return;
	}
	s = ip_from4(a->spa);
	d = ip_from4(a->tpa);
	v->inner_ip = true;
	v->inner_ip_src = s;
	v->inner_ip_dst = d;
	if (be16_get(a->op) == ARP_REQUEST)
		text_printf(t, " arp who-has %s tell %s", ip_text(&d, tpa), ip_text(&s, spa));
	else
		text_printf(t, " arp reply %s", ip_text(&s, spa));
}

/* "02:..:02 > 02:..:01 ipv4 udp ..." */
static void say_frame(struct text *t, struct bytes b, struct packet_view *v)
{
	const struct eth_hdr *eth = take(&b, sizeof(*eth));
	char src[MAC_TEXT_MAX], dst[MAC_TEXT_MAX];
	struct ip_view ip;
	be16 type;

	if (!eth) {
		text_printf(t, "no Ethernet header");
		return;
	}
	v->has_inner = true;
	v->inner_src = eth->src;
	v->inner_dst = eth->dst;
	text_printf(t, "%s > %s", mac_text(&eth->src, src), mac_text(&eth->dst, dst));
	type = eth->type;
	while (ethtype_is_vlan(type)) {
		const struct vlan_hdr *vlan = take(&b, sizeof(*vlan));

		if (!vlan)
			return;
		text_printf(t, " vlan %u", be16_get(vlan->tci) & 0xfff);
		type = vlan->type;
	}
	if (be16_get(type) == ETHTYPE_ARP) {
		say_arp(t, b, v);
	} else if (take_ip(&b, be16_get(type), &ip)) {
		v->inner_ip = true;
		v->inner_ip_src = ip.src;
		v->inner_ip_dst = ip.dst;
		say_ip(t, b, be16_get(type), &ip);
	} else {
		text_printf(t, " ethertype 0x%04x", be16_get(type));
	}
}

/* A port of vx's devices, or one that is known for it. */
static bool is_vxlan_port(struct vx *vx, uint16_t port)
{
	list_for_each (d, &vx->devs, struct dev, node)
		if (dev_is_vxlan(d) && vxlan_opts(vxlan_dev(d))->dstport == port)
			return true;
	return port == VXLAN_PORT_IANA || port == VXLAN_PORT_LINUX;
}

/* On whatever port: the I flag alone, and room for a frame. */
static bool looks_like_vxlan(struct bytes b)
{
	const struct vxlan_hdr *h = take(&b, sizeof(*h));

	return h && b.len >= sizeof(struct eth_hdr) && be32_get(h->flags) == VXLAN_F_VNI &&
	       !(be32_get(h->vni) & 0xff);
}

/* VXLAN header and inner frame. */
static void say_tunnel(struct text *t, struct bytes b, struct packet_view *v)
{
	const struct vxlan_hdr *h = take(&b, sizeof(*h));

	if (!h) {
		text_printf(t, " no VXLAN header");
		return;
	}
	v->has_vni = true;
	v->vni = vxlan_hdr_vni(h).v;
	if (be32_get(h->flags) & VXLAN_F_VNI)
		text_printf(t, " vni %u | ", v->vni);
	else
		text_printf(t, " flags 0x%08x | ", be32_get(h->flags));
	say_frame(t, b, v);
}

static void say_outer(struct text *t, struct packet_view *v)
{
	char src[IP_TEXT_MAX], dst[IP_TEXT_MAX];

	v->has_outer = true;
	text_printf(t, ip_is4(&v->src) ? "%s:%u > %s:%u" : "[%s]:%u > [%s]:%u",
		    ip_text(&v->src, src), v->sport, ip_text(&v->dst, dst), v->dport);
}

/* An Ethernet frame of the underlay that holds a VXLAN packet: the rest, at the VXLAN header. */
static bool outer_of_frame(struct vx *vx, struct bytes *b, struct packet_view *v)
{
	const struct eth_hdr *eth = take(b, sizeof(*eth));
	const struct udp_hdr *udp;
	struct ip_view ip;

	if (!eth || !take_ip(b, be16_get(eth->type), &ip) || ip.proto != IPPROTO_UDP_ ||
	    ip.later_fragment)
		return false;
	udp = take(b, sizeof(*udp));
	if (!udp || (!is_vxlan_port(vx, be16_get(udp->dst)) && !looks_like_vxlan(*b)))
		return false;
	v->src = ip.src;
	v->dst = ip.dst;
	v->sport = be16_get(udp->src);
	v->dport = be16_get(udp->dst);
	return true;
}

void explain_packet(struct vx *vx, const struct trace *t, struct packet_view *v)
{
	struct bytes b = {t->bytes, t->n_bytes}, rest = b;
	struct text text = {0};

	*v = (struct packet_view){0};
	if (*t->dev)
		text_printf(&text, "%s > ", t->dev);
	if (t->from_udp) {
		v->src = t->src;
		v->dst = t->dst;
		v->sport = t->sport;
		v->dport = t->dport;
		say_outer(&text, v);
		say_tunnel(&text, b, v);
	} else if (outer_of_frame(vx, &rest, v)) {
		say_outer(&text, v);
		say_tunnel(&text, rest, v);
	} else {
		say_frame(&text, b, v);
	}
	snprintf(v->line, sizeof(v->line), "%s", text_get(&text));
	text_done(&text);
}
