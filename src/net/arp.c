/* SPDX-License-Identifier: Apache-2.0 */
#include "net/arp.h"

#include "net/neigh.h"
#include "net/output.h"
#include "net/route.h"
#include "wire/arp.h"
#include "wire/eth.h"

static void arp_send(struct worker *w, struct dev *d, uint16_t op, const struct mac *eth_dst,
		     const struct ip_addr *spa, const struct mac *tha, const struct ip_addr *tpa)
{
	struct pkt *p = pkt_make(w, sizeof(struct arp_hdr));
	struct arp_hdr *a;

	if (!p)
		return;
	a = pkt_append(p, sizeof(*a));
	*a = (struct arp_hdr){
		.hw_type = be16_put(ARP_HW_ETHER),
		.proto = be16_put(ETHTYPE_IP4),
		.hw_len = 6,
		.proto_len = 4,
		.op = be16_put(op),
		.sha = dev_mac(d),
		.spa = ip_get4(spa),
		.tpa = ip_get4(tpa),
	};
	if (tha)
		a->tha = *tha;
	p->dev = p->orig_dev = d;
	p->protocol = be16_put(ETHTYPE_ARP);
	eth_push(p, d, eth_dst, ETHTYPE_ARP);
	inet_xmit(w, d, p);
}

void arp_ask(struct worker *w, struct dev *d, const struct ip_addr *ip, const struct mac *to)
{
	static const struct mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct ip_addr src;

	if (route_source(w->vx->inet, d->ifindex, ip, &src) ||
	    route_source(w->vx->inet, 0, ip, &src))
		arp_send(w, d, ARP_REQUEST, to ? to : &broadcast, &src, NULL, ip);
}

static bool is_sane(const struct arp_hdr *a)
{
	uint16_t op = be16_get(a->op);
	struct ip_addr spa = ip_from4(a->spa), tpa = ip_from4(a->tpa);

	return be16_get(a->hw_type) == ARP_HW_ETHER && be16_get(a->proto) == ETHTYPE_IP4 &&
	       a->hw_len == 6 && a->proto_len == 4 && (op == ARP_REQUEST || op == ARP_REPLY) &&
	       !ip_is_multicast(&tpa) && !ip_is_loopback(&tpa) && !ip_is_multicast(&spa) &&
	       !ip_is_loopback(&spa) && a->spa.raw != 0xffffffff;
}

static void learn(struct worker *w, struct pkt *p, const struct arp_hdr *a, bool create)
{
	bool announces = be32_eq(a->spa, a->tpa);
	struct ip_addr spa = ip_from4(a->spa);
	struct neigh_news news = {
		.mac = a->sha,
		.create = create,
		.confirms = be16_get(a->op) == ARP_REPLY && p->type == PKT_HOST && !announces,
		.override = true,
	};

	neigh_learn(w, p->dev, &spa, &news);
}

/* The gate, and what a message does. */
static void rcv_one(struct worker *w, struct pkt *p)
{
	struct inet *in = w->vx->inet;
	struct ip_addr spa, tpa;
	struct arp_hdr a;

	if (p->type == PKT_OTHERHOST) {
		pkt_drop_at(w, p, DROP_otherhost, STAGE_arp_rcv);
		return;
	}
	if (pkt_total(p) < sizeof(a)) {
		pkt_drop_at(w, p, DROP_arp_invalid, STAGE_arp_rcv);
		return;
	}
	pkt_copy_out(p, 0, &a, sizeof(a));
	if (!is_sane(&a)) {
		pkt_drop_at(w, p, DROP_arp_invalid, STAGE_arp_rcv);
		return;
	}
	spa = ip_from4(a.spa);
	tpa = ip_from4(a.tpa);
	if (be16_get(a.op) == ARP_REQUEST && route_is_local(in, &tpa) &&
	    !route_is_local(in, &spa)) {
		if (a.spa.raw) /* 0.0.0.0 looks for a duplicate address */
			learn(w, p, &a, true);
		if (unlikely(pkt_trace(p)))
			trace_add(p, STAGE_arp_rcv, SAY_REPLY)->ip = tpa;
		arp_send(w, p->dev, ARP_REPLY, &a.sha, &tpa, &a.sha, &spa);
	} else if (a.spa.raw && !route_is_local(in, &spa)) {
		learn(w, p, &a, false);
	}
	pkt_consume(w, p);
}

void arp_rcv(struct worker *w, struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		if (unlikely(pkt_trace(b->p[i])))
			trace_add(b->p[i], STAGE_arp_rcv, SAY_NOTHING);
		rcv_one(w, b->p[i]);
	}
}
