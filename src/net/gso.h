/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segmentation: a super-frame becomes frames of gso_size payload bytes each.  Headers are
 * replicated, the payload is referenced (pkt_slice), never copied.
 */
#ifndef VX_NET_GSO_H
#define VX_NET_GSO_H

#include "net/vx.h"

/* Cuts p (data at the Ethernet header; gso_size set; CSUM_PARTIAL with csum_start at the
 * transport header).  Appends the segments to 'out' in order, each with CSUM_PARTIAL, or, with
 * 'csum', finished.  Takes p: freed, counted as merged (its bytes live on in the segments, which
 * count as made).  Returns 0, or a negative errno with p untouched. */
struct pkt_queue;
int gso_segment(struct worker *w, struct pkt *p, bool csum, struct pkt_queue *out);

/* How long a whole segment of the super-frame p is, from its network header on; 0: p is none, or cannot
 * be cut. */
uint32_t gso_network_len(struct worker *w, struct pkt *p);

/* Writes the checksum of a CSUM_PARTIAL packet.  Data may be at any header before it.
 * 0 or -ENOMEM (the buffer is shared and cannot be copied) or -EINVAL (offsets beyond the bytes). */
int csum_finish(struct worker *w, struct pkt *p);

#endif
