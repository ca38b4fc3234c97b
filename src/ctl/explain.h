/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sentences for a trace: what `vx explain` prints, live and offline.
 *
 * A trace says what each stage decided, with a copy of the entry; what is told besides (which VNIs
 * a port has, the names of devices) is looked up in the model when the text is made.  Control's
 * thread.
 */
#ifndef VX_CTL_EXPLAIN_H
#define VX_CTL_EXPLAIN_H

#include <jansson.h>

#include "base/text.h"
#include "net/vx.h"

/* The packet, its way and what became of it.  'detail' has every stage; 'began' is the time that
 * counts as 0. */
void explain_text(struct vx *vx, const struct trace *t, uint64_t began, bool detail,
		  struct text *out);
/* The same as an object: id, time, dev, bytes, packet, steps, outcome, drop, and with 'texts' the
 * members "text" and "detail". */
json_t *explain_json(struct vx *vx, const struct trace *t, uint64_t began, bool texts);
/* The reason of the first drop, DROP_NONE if there is none. */
enum drop explain_drop(const struct trace *t);

/* explain_packet.c: one line about the bytes, outer and inner. */
struct packet_view {
	bool has_outer, has_vni, has_inner;
	struct ip_addr src, dst; /* outer */
	uint16_t sport, dport;
	uint32_t vni;
	struct mac inner_src, inner_dst;
	bool inner_ip;
	struct ip_addr inner_ip_src, inner_ip_dst;
	char line[512];
};
void explain_packet(struct vx *vx, const struct trace *t, struct packet_view *v);

/* advice.c: the reason's advice with its {words} filled in; "" if there is none. */
void explain_advice(struct vx *vx, const struct trace *t, const struct trace_step *drop,
		    const struct packet_view *v, char *out, size_t size);

#endif
