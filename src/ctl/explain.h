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
/* The same as an object: id, time, dev, bytes, packet, steps, outcome, drop, and "show" for the
 * command line: both texts, and the frame's first bytes in hex with its full length and its time in
 * ns since 1970, which is the trace's and 'epoch'. */
json_t *explain_json(struct vx *vx, const struct trace *t, uint64_t began, uint64_t epoch);
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

/* near.c: the sentence of a step about a VNI or a port that is none here, and what is nearest. */
void explain_vni(struct vx *vx, const struct trace_step *s, bool host, struct text *out);
void explain_no_socket(struct vx *vx, const struct trace_step *s, const struct packet_view *v,
		       bool host, struct text *out);
void explain_socket(struct vx *vx, const struct trace_step *s, struct text *out);
/* What else is to be said of a drop: begins with "; " or "(". */
void explain_near(struct vx *vx, const struct trace_step *s, const struct packet_view *v,
		  struct text *out);
/* The device that a packet for this VNI was nearly for; NULL: none. */
enum near { NEAR_DOWN, NEAR_FAMILY, NEAR_PORT, NEAR_FORM };
struct dev *near_dev(struct vx *vx, uint32_t vni, uint16_t port, bool is6, bool host,
		     enum near *why);
/* Are the stages before the tunnel's the host's own? */
static inline bool trace_is_host(const struct trace *t)
{
	return t->from_udp || t->of_host;
}

/* counters.c: what the drop moved besides `vx drops`, "" if nothing: "rx_errors of vxlan1". */
void explain_counters(struct vx *vx, const struct trace *t, const struct trace_step *drop,
		      char *out, size_t size);


/* advice.c: the reason's advice with its {words} filled in; "" if there is none. */
void explain_advice(struct vx *vx, const struct trace *t, const struct trace_step *drop,
		    const struct packet_view *v, char *out, size_t size);

#endif
