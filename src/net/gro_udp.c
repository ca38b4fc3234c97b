/* SPDX-License-Identifier: Apache-2.0 */
/* Merging: UDP.  Datagrams without a checksum stay alone, as segmentation would give them one. */
#include "net/gro_flow.h"

#include "wire/csum.h"
#include "wire/udp.h"

static struct udp_hdr *udp_of(const struct gro_frame *f)
{
	return (struct udp_hdr *)(f->p->data + f->l4);
}

bool gro_udp_find(struct worker *w, struct gro_frame *f)
{
	const struct udp_hdr *u;
	uint32_t at = f->l4 + (uint32_t)sizeof(*u);

	if (pkt_pull_frags(w->pool, f->p, at) < 0)
		return false;
	u = udp_of(f);
	if (at >= f->end || be16_get(u->len) != f->end - f->l4)
		return true;
	f->payload = (uint16_t)at;
	f->len = (uint16_t)(f->end - at);
	f->may_merge = u->csum.raw != 0;
	return true;
}

void gro_udp_finish(struct gro_flow *flow, uint64_t sum, uint32_t len)
{
	struct udp_hdr *u = udp_of(&flow->head);

	u->len = be16_put((uint16_t)len);
	u->csum = (be16){csum_reduce(sum)};
	flow->head.p->csum_offset = offsetof(struct udp_hdr, csum);
	flow->head.p->gso_type = GSO_UDP;
}
