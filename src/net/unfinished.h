/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames from a virtual link whose checksum nobody has finished, and super-frames without a mark
 * (spec/stack.md 12, W1-W4): a host's UDP socket says nothing of either, so the bytes have to.
 */
#ifndef VX_NET_UNFINISHED_H
#define VX_NET_UNFINISHED_H

#include "pkt/pkt.h"

struct worker;

/* p: data at the inner network header, protocol set, csum_state CSUM_UNSURE.  Sets CSUM_PARTIAL
 * where the transport checksum equals the pseudo-header's sum, else CSUM_NONE, and, for a TCP or
 * UDP frame longer than 'mtu', the GSO fields. */
void unfinished_check(struct worker *w, struct pkt *p, uint32_t mtu);

/* How many bytes the first frame of a tunnel datagram has, tunnel header included: what its inner
 * Ethernet, VLAN and IP headers claim; 0 if they claim nothing (not IP, cut). */
uint32_t inner_claims(const uint8_t *p, uint32_t len);

#endif
