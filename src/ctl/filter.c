/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/filter.h"

#include <stdio.h>

#include "ctl/outer.h"
#include "vxlan/device.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"
#include "wire/vxlan.h"

enum { LOOK = 320 };

int filter_init(struct filter *f, struct vx *vx, enum filter_where where, const char *expr,
		char *why, size_t why_size)
{
	pcap_t *dead;
	int r;

	*f = (struct filter){.all = !expr || !*expr, .where = where};
	list_for_each (s, &vx->vxlan_socks, struct vxlan_sock, node)
		if (f->n_ports < FILTER_PORTS)
			f->ports[f->n_ports++] = s->port;
	if (!f->n_ports)
		f->ports[f->n_ports++] = VXLAN_PORT_IANA;
	if (f->all)
		return 0;
	dead = pcap_open_dead(DLT_EN10MB, 65535);
	if (!dead) {
		snprintf(why, why_size, "no memory for the filter");
		return -1;
	}
	r = pcap_compile(dead, &f->prog, expr, 1, PCAP_NETMASK_UNKNOWN);
	if (r < 0)
		snprintf(why, why_size, "the filter \"%s\" is wrong: %s", expr, pcap_geterr(dead));
	pcap_close(dead);
	return r < 0 ? -1 : 0;
}

void filter_done(struct filter *f)
{
	if (!f->all)
		pcap_freecode(&f->prog);
}

static bool match_bytes(const struct filter *f, const uint8_t *p, uint32_t len, uint32_t full)
{
	struct pcap_pkthdr h = {.caplen = len, .len = full};

	return pcap_offline_filter(&f->prog, &h, p) != 0;
}

/* On whatever port: the I flag alone. */
static bool looks_like_vxlan(const uint8_t *p)
{
	const struct vxlan_hdr *h = (const void *)p;

	return be32_get(h->flags) == VXLAN_F_VNI && !(be32_get(h->vni) & 0xff);
}

/* Where the inner frame of an underlay frame begins; 0 if there is none. */
static uint32_t inner_at(const struct filter *f, const uint8_t *p, uint32_t len)
{
	uint32_t at = sizeof(struct eth_hdr);
	const struct udp_hdr *udp;
	uint16_t type;

	if (len < at)
		return 0;
	type = be16_get(((const struct eth_hdr *)p)->type);
	if (type == ETHTYPE_IP4 && len >= at + sizeof(struct ip4_hdr) && p[at + 9] == IPPROTO_UDP_)
		at += ip4_hdr_len((const struct ip4_hdr *)(p + at));
	else if (type == ETHTYPE_IP6 && len >= at + sizeof(struct ip6_hdr) &&
		 p[at + 6] == IPPROTO_UDP_)
		at += sizeof(struct ip6_hdr);
	else
		return 0;
	if (len < at + sizeof(*udp) + sizeof(struct vxlan_hdr))
		return 0;
	udp = (const struct udp_hdr *)(p + at);
	at += sizeof(*udp);
	for (uint32_t i = 0; i < f->n_ports; i++)
		if (be16_get(udp->dst) == f->ports[i])
			return at + (uint32_t)sizeof(struct vxlan_hdr);
	return looks_like_vxlan(p + at) ? at + (uint32_t)sizeof(struct vxlan_hdr) : 0;
}

bool filter_match_frame(const struct filter *f, const uint8_t *p, uint32_t len, uint32_t full)
{
	uint32_t inner;

	if (f->all || (f->where != FILTER_INNER && match_bytes(f, p, len, full)))
		return true;
	if (f->where == FILTER_OUTER)
		return false;
	inner = inner_at(f, p, len);
	/* A frame that is no tunnel packet is itself the inner one (from the host's side). */
	return match_bytes(f, p + inner, len - inner, full - inner);
}

/* From a host's socket: the headers before it are made again. */
static bool match_datagram(const struct filter *f, const struct pkt *p)
{
	uint8_t buf[OUTER_HEAD_MAX + LOOK];
	uint32_t total = pkt_total(p), n = MIN(total, (uint32_t)LOOK);
	uint32_t head = outer_head(&p->tun, total, buf), inner;

	pkt_copy_out(p, 0, buf + head, n);
	if (f->where != FILTER_INNER && match_bytes(f, buf, head + n, head + total))
		return true;
	if (f->where == FILTER_OUTER || n < sizeof(struct vxlan_hdr))
		return false;
	inner = head + (uint32_t)sizeof(struct vxlan_hdr);
	return match_bytes(f, buf + inner, head + n - inner, head + total - inner);
}

static bool match_pkt(const struct filter *f, const struct pkt *p, bool from_udp)
{
	uint8_t buf[LOOK];
	uint32_t n = MIN(pkt_total(p), (uint32_t)LOOK);

	if (f->all)
		return true;
	if (from_udp)
		return match_datagram(f, p);
	pkt_copy_out(p, 0, buf, n);
	return filter_match_frame(f, buf, n, pkt_total(p));
}

uint64_t filter_match_batch(const struct filter *f, const struct batch *b, bool from_udp)
{
	uint64_t taken = 0;

	for (uint32_t i = 0; i < b->n; i++)
		taken |= (uint64_t)match_pkt(f, b->p[i], from_udp) << i;
	return taken;
}
