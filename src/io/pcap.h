/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Link type 'pcap': a port that receives what a capture file holds ('read FILE') and writes what
 * it sends into another ('write FILE'), as libpcap files of Ethernet frames.  Either may be left
 * out.  Frames come as fast as they are polled, once the device is up; written ones have the
 * worker's time (w->now) and pcap_ctx.epoch as their stamp, in nanoseconds.
 */
#ifndef VX_IO_PCAP_H
#define VX_IO_PCAP_H

#include "io/wake.h"
#include "net/link.h"

enum { PCAP_NL_READ = 0x2001, PCAP_NL_WRITE = 0x2002, PCAP_FILE_MAX = 256 };

/* The owner keeps it until after vx_free(). */
struct pcap_ctx {
	/* How a worker on a thread of its own is told that there is something to read.  NULL:
	 * control runs on the workers' one thread. */
	const struct io_wake *wake;
	uint64_t epoch; /* what makes of vx_turn()'s time ns since 1970 */
	/* Once per file: reading ended before its end, or writing failed.  Any worker's thread. */
	void (*warn)(void *ctx, const char *text);
	void *warn_ctx;
	struct link_type type; /* not the owner's */
};

extern const struct attr_set pcap_attrs;
int pcap_init_module(struct vx *vx, struct pcap_ctx *c); /* 0 or -ENOMEM */

#endif
