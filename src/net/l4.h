/* SPDX-License-Identifier: Apache-2.0 */
/* The transport checksum on receipt, for every protocol and state (stack.md 7 and 12). */
#ifndef VX_NET_L4_H
#define VX_NET_L4_H

#include "pkt/pkt.h"
#include "wire/csum.h"

/* Data at the transport header, whose checksum covers the first 'len' bytes; 'pseudo' is the sum of
 * the pseudo-header (0 for ICMP over IPv4). */
static inline bool l4_csum_ok(const struct pkt *p, uint32_t len, uint64_t pseudo)
{
	uint64_t sum;

	switch (p->csum_state) {
	case CSUM_UNNECESSARY:
		return true;
	case CSUM_PARTIAL: /* from a virtual link: what is to be filled in begins here or later */
		if (p->csum_start >= pkt_off(p))
			return true;
		break;
	case CSUM_COMPLETE: /* all from net_off on, less what lies before us */
		if (len != pkt_total(p))
			break;
		sum = csum_add(0, pkt_at(p, p->net_off), pkt_off(p) - p->net_off);
		if (csum_reduce(pseudo + p->csum + (uint16_t)~csum_reduce(sum)) == 0xffff)
			return true;
		break;
	default:
		break;
	}
	return csum_reduce(pseudo + pkt_csum(p, 0, len)) == 0xffff;
}

#endif
