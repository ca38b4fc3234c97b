/* SPDX-License-Identifier: Apache-2.0 */
/* TCP header (RFC 9293, 3.1): for segmentation, merging and RST only. */
#ifndef VX_WIRE_TCP_H
#define VX_WIRE_TCP_H

#include "wire/types.h"

struct WIRE tcp_hdr {
	be16 src, dst;
	be32 seq, ack;
	uint8_t off; /* header length in 32-bit words << 4 */
	uint8_t flags;
	be16 window;
	be16 csum;
	be16 urg;
};
static_assert(sizeof(struct tcp_hdr) == 20, "RFC 9293, 3.1");

enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
};

static inline uint32_t tcp_hdr_len(const struct tcp_hdr *h)
{
	return (h->off >> 4) * 4u;
}

#endif
