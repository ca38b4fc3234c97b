/* SPDX-License-Identifier: Apache-2.0 */
#include "io/vnet.h"

#include <linux/virtio_net.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

static bool get_gso(struct pkt *p, const struct virtio_net_hdr *h)
{
	switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		p->gso_type = GSO_TCP4;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		p->gso_type = GSO_TCP6;
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		p->gso_type = GSO_UDP;
		break;
	default:
		return false;
	}
	if (!h->gso_size || p->csum_state != CSUM_PARTIAL)
		return false;
	p->gso_size = h->gso_size;
	p->gso_segs = (uint16_t)((pkt_total(p) + h->gso_size - 1) / h->gso_size);
	return true;
}

bool vnet_get(struct pkt *p, const struct virtio_net_hdr *h)
{
	p->csum_state = CSUM_NONE;
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if ((uint32_t)h->csum_start + h->csum_offset + 2 > pkt_total(p))
			return false;
		p->csum_state = CSUM_PARTIAL;
		p->csum_start = pkt_off(p) + h->csum_start;
		p->csum_offset = h->csum_offset;
	} else if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
		p->csum_state = CSUM_UNNECESSARY;
	}
	return get_gso(p, h);
}

void vnet_put(const struct pkt *p, struct virtio_net_hdr *h)
{
	*h = (struct virtio_net_hdr){0};
	if (p->csum_state == CSUM_PARTIAL) {
		h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h->csum_start = (uint16_t)(p->csum_start - pkt_headroom(p));
		h->csum_offset = p->csum_offset;
	} else if (p->csum_state == CSUM_UNNECESSARY || p->csum_state == CSUM_COMPLETE) {
		h->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
	if (!p->gso_size)
		return;
	h->gso_size = p->gso_size;
	h->gso_type = p->gso_type == GSO_TCP4	? VIRTIO_NET_HDR_GSO_TCPV4
		      : p->gso_type == GSO_TCP6 ? VIRTIO_NET_HDR_GSO_TCPV6
						: VIRTIO_NET_HDR_GSO_UDP_L4;
	/* Headers up to the payload; a receiver that trusts it gets at least the fixed part. */
	h->hdr_len = (uint16_t)(h->csum_start + (p->gso_type == GSO_UDP ? 8 : 20));
}
