/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Link type 'pcap': a port that receives what a capture file holds ('read FILE') and writes what
 * it sends into another ('write FILE'), as libpcap files of Ethernet frames.  Either may be left
 * out.  Frames come as fast as they are polled, once the device is up; written ones have the
 * worker's time (w->now) as their stamp, in nanoseconds.
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
	struct link_type type; /* not the owner's */
};

extern const struct attr_set pcap_attrs;
int pcap_init_module(struct vx *vx, struct pcap_ctx *c); /* 0 or -ENOMEM */

/* Has everything been read, and does nothing follow?  True where there is no file to read. */
bool io_pcap_is_at_end(struct dev *d);
uint64_t io_pcap_frames(struct dev *d);	 /* read so far */
/* Stamp of the last frame read, ns since 1970; 0: none yet. */
uint64_t io_pcap_time(struct dev *d);
/* Why reading ended before the end of the file, or a write failed; NULL: it did not. */
const char *io_pcap_error(struct dev *d);

#endif
