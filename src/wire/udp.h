/* SPDX-License-Identifier: Apache-2.0 */
/* UDP (RFC 768) and UDP-Lite (RFC 3828), which calls the length "coverage". */
#ifndef VX_WIRE_UDP_H
#define VX_WIRE_UDP_H

#include "wire/types.h"

struct WIRE udp_hdr {
	be16 src, dst;
	be16 len; /* header and payload */
	be16 csum;
};
static_assert(sizeof(struct udp_hdr) == 8, "RFC 768");

#endif
