/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pcap expression that is tried on the outer and on the inner packet.  Compiled by control;
 * the others may be called by any worker.
 */
#ifndef VX_CTL_FILTER_H
#define VX_CTL_FILTER_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/vx.h"

enum filter_where { FILTER_ANY, FILTER_OUTER, FILTER_INNER };
enum { FILTER_PORTS = 16 };

struct filter {
	bool all; /* no expression: everything */
	enum filter_where where;
	struct bpf_program prog;
	uint16_t ports[FILTER_PORTS]; /* UDP ports that hold VXLAN */
	uint32_t n_ports;
};

/* expr NULL or "": everything.  -1 with *why (why_size bytes) if it does not compile. */
int filter_init(struct filter *f, struct vx *vx, enum filter_where where, const char *expr,
		char *why, size_t why_size);
void filter_done(struct filter *f);
/* As struct watch has it. */
uint64_t filter_match_batch(const struct filter *f, const struct batch *b, bool from_udp);
/* The same for an Ethernet frame as it lies: 'len' of its 'full' bytes. */
bool filter_match_frame(const struct filter *f, const uint8_t *p, uint32_t len, uint32_t full);

#endif
