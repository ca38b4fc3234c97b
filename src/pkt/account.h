/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The accounting of packets, per worker:
 *
 *   rx + made + from_worker = tx + local + merged + dropped + to_worker + held
 *
 * Each term is moved where it happens and none is computed from the others; "held" is found by
 * walking the queues.  Written by the worker alone, read by control as plain 64-bit loads.
 */
#ifndef VX_PKT_ACCOUNT_H
#define VX_PKT_ACCOUNT_H

#include <stdint.h>

#include "pkt/drop.h"

struct account {
	uint64_t rx;	      /* taken from an io port or socket */
	uint64_t made;	      /* clone, segment, fragment, reply, probe, injected */
	uint64_t from_worker; /* taken from another worker's hands */
	uint64_t tx;	      /* handed to an io port or socket */
	uint64_t local;	      /* consumed: ARP, ICMP, raw listener, UDP reader */
	uint64_t merged;      /* went into a GRO packet or a datagram */
	uint64_t to_worker;
	uint64_t dropped[DROP_COUNT];
};

static inline uint64_t account_dropped(const struct account *a)
{
	uint64_t n = 0;

	for (int i = 1; i < DROP_COUNT; i++)
		n += a->dropped[i];
	return n;
}

/* What came in minus what is accounted for: has to equal what is held. */
static inline int64_t account_open(const struct account *a)
{
	return (int64_t)(a->rx + a->made + a->from_worker) -
	       (int64_t)(a->tx + a->local + a->merged + a->to_worker + account_dropped(a));
}

#endif
