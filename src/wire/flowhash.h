/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow hash of an Ethernet frame: keyed, and the same for both directions of a flow.
 *
 * Covers the EtherType behind VLAN tags, IP addresses, the protocol and TCP/UDP/UDP-Lite/SCTP
 * ports (no ports for any piece of a fragmented packet); not MACs, TTL, TOS or ICMP ids.  A frame
 * that is not IP is hashed by its EtherType alone, so that its source port is stable.
 */
#ifndef VX_WIRE_FLOWHASH_H
#define VX_WIRE_FLOWHASH_H

#include "base/hash.h"
#include "wire/types.h"

/* Never 0.  'len' bytes at 'frame' are looked at, however short. */
uint32_t flow_hash(struct hash_key key, const void *frame, size_t len);

#endif
