/* SPDX-License-Identifier: Apache-2.0 */
#include "net/nd.h"

#include "net/neigh.h"
#include "net/output.h"
#include "net/route.h"
#include "wire/csum.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/nd.h"

enum { ND_LOOK = 256 }; /* bytes of a message that are looked at */

static const struct ip_addr all_nodes = {.b = {0xff, 0x02, [15] = 1}};

struct ip_addr nd_solicited_node(const struct ip_addr *ip)
{
	struct ip_addr r = {.b = {0xff, 0x02, [11] = 1, [12] = 0xff}};

	memcpy(&r.b[13], &ip->b[13], 3);
	return r;
}

/* --- sending ---------------------------------------------------------------------------------- */

static void send_msg(struct worker *w, struct dev *d, uint8_t type, uint32_t flags,
		     const struct ip_addr *src, const struct ip_addr *dst,
		     const struct ip_addr *target)
{
	struct pkt *p = pkt_make(w, sizeof(struct nd_msg) + sizeof(struct nd_lladdr_opt));
	struct ip_out o = {.src = *src, .dst = *dst, .proto = IPPROTO_ICMP6_, .ttl = 255};
	struct dst to = {.type = ip_is_multicast(dst) ? DST_MULTICAST : DST_UNICAST,
			 .mtu = d->mtu,
			 .ifindex = d->ifindex,
			 .dev = d,
			 .gateway = *dst,
			 .output = ip_output};
	struct nd_lladdr_opt *opt;
	struct nd_msg *m;

	if (!p)
		return;
	m = pkt_append(p, sizeof(*m) + sizeof(*opt));
	opt = (struct nd_lladdr_opt *)(m + 1);
	*m = (struct nd_msg){.type = type, .flags = be32_put(flags)};
	memcpy(m->target, target->b, 16);
	*opt = (struct nd_lladdr_opt){
		.type = type == ICMP6_NS ? ND_OPT_SOURCE_LLADDR : ND_OPT_TARGET_LLADDR,
		.len = 1,
		.addr = dev_mac(d),
	};
	m->csum =
		csum_fold(csum_add(csum_pseudo(src, dst, IPPROTO_ICMP6_, p->len), p->data, p->len));
	MIB_INC(w, Icmp6OutMsgs);
	if (type == ICMP6_NS)
		MIB_INC(w, Icmp6OutNeighborSolicits);
	else
		MIB_INC(w, Icmp6OutNeighborAdvertisements);
	ip_send(w, p, &o, &to);
}

void nd_ask(struct worker *w, struct dev *d, const struct ip_addr *ip, const struct mac *to)
{
	struct ip_addr group = nd_solicited_node(ip), src;

	if (route_source(w->vx->inet, d->ifindex, ip, &src))
		send_msg(w, d, ICMP6_NS, 0, &src, to ? ip : &group, ip);
}

/* --- receiving -------------------------------------------------------------------------------- */

struct nd_in {
	struct nd_msg m;
	struct ip_addr target;
	bool has_mac;
	struct mac mac; /* of the option */
};

/* The gate (RFC 4861, 7.1): false if the message is to be ignored. */
static bool open_msg(const struct pkt *p, struct nd_in *in)
{
	uint8_t b[ND_LOOK];
	uint32_t len = MIN(pkt_total(p), (uint32_t)sizeof(b));
	uint8_t want;

	if (p->tun.ttl != 255 || len < sizeof(in->m))
		return false;
	pkt_copy_out(p, 0, b, len);
	memcpy(&in->m, b, sizeof(in->m));
	in->target = ip_from6(in->m.target);
	in->has_mac = false;
	if (in->m.code || ip_is_multicast(&in->target) || ip_is4(&in->target))
		return false;
	want = in->m.type == ICMP6_NS ? ND_OPT_SOURCE_LLADDR : ND_OPT_TARGET_LLADDR;
	for (uint32_t at = sizeof(in->m); at < len;) {
		uint32_t n;

		if (len - at < 2 || !b[at + 1])
			return false;
		n = b[at + 1] * 8u;
		if (n > len - at)
			return len == sizeof(b); /* beyond what is looked at, or a lie */
		if (b[at] == want && n == sizeof(struct nd_lladdr_opt)) {
			in->has_mac = true;
			memcpy(&in->mac, b + at + 2, sizeof(in->mac));
		}
		at += n;
	}
	return true;
}

/* Somebody asks for one of our addresses. */
static bool rcv_ns(struct worker *w, struct pkt *p, const struct nd_in *in)
{
	bool probe = ip_is_none(&p->tun.src); /* looks for a duplicate */
	struct ip_addr group = nd_solicited_node(&in->target);

	if (probe && (in->has_mac || !ip_eq(&p->tun.dst, &group)))
		return false;
	if (!route_is_local(w->vx->inet, &in->target))
		return true;
	if (!probe && in->has_mac) {
		struct neigh_news news = {.mac = in->mac, .create = true, .override = true};

		neigh_learn(w, p->dev, &p->tun.src, &news);
	}
	if (unlikely(pkt_trace(p)))
		trace_add(p, STAGE_nd_rcv, SAY_REPLY)->ip = in->target;
	send_msg(w, p->dev, ICMP6_NA, ND_NA_OVERRIDE | (probe ? 0 : ND_NA_SOLICITED), &in->target,
		 probe ? &all_nodes : &p->tun.src, &in->target);
	return true;
}

/* An answer, or news. */
static bool rcv_na(struct worker *w, struct pkt *p, const struct nd_in *in)
{
	uint32_t flags = be32_get(in->m.flags);
	struct neigh_news news = {.mac = in->mac,
				  .confirms = flags & ND_NA_SOLICITED,
				  .override = flags & ND_NA_OVERRIDE};

	if (ip_is_multicast(&p->tun.dst) && (flags & ND_NA_SOLICITED))
		return false;
	if (in->has_mac && !route_is_local(w->vx->inet, &in->target))
		neigh_learn(w, p->dev, &in->target, &news);
	return true;
}

void nd_rcv(struct worker *w, struct pkt *p)
{
	struct nd_in in;
	bool ok = open_msg(p, &in);

	if (unlikely(pkt_trace(p)))
		trace_add(p, STAGE_nd_rcv, SAY_NOTHING);
	if (ok && in.m.type == ICMP6_NS)
		ok = rcv_ns(w, p, &in);
	else if (ok && in.m.type == ICMP6_NA)
		ok = rcv_na(w, p, &in);
	/* Router messages and redirects: vx's routes are control's. */
	if (ok)
		pkt_consume(w, p);
	else
		pkt_drop_at(w, p, DROP_arp_invalid, STAGE_nd_rcv);
}
