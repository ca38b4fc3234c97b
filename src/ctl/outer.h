/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers that a host's socket took off before a tunnel packet, made again as far as they are
 * known: no MACs, no identification, no UDP checksum.  For filters and captures.
 */
#ifndef VX_CTL_OUTER_H
#define VX_CTL_OUTER_H

#include "pkt/pkt.h"

enum { OUTER_HEAD_MAX = 14 + 40 + 8 };

/* 'payload' bytes come behind it.  Its length. */
uint32_t outer_head(const struct tun_info *t, uint32_t payload, uint8_t out[OUTER_HEAD_MAX]);

#endif
