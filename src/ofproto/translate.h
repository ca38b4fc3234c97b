/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation: from the key of one packet to what is done with it and all like it.
 *
 * Runs on the worker that had the miss, or in control when flows are revalidated.  Everything that
 * is looked at is marked in the mask, so that the flow holds for every packet that is equal there.
 */
#ifndef VX_OFPROTO_TRANSLATE_H
#define VX_OFPROTO_TRANSLATE_H

#include "datapath/upcall.h"
#include "ofproto/snapshot.h"
#include "pkt/note.h"

enum {
	TRANSLATE_DEPTH = 64,	  /* patch ports in a row */
	TRANSLATE_BRIDGES = 4096, /* passed in all */
};

/* What a packet of this flow moves besides itself: kept with the flow, so that its counters can be
 * pushed without translating it again.  Good as long as the snapshot is the published one. */
struct effect {
	struct port_counters *counters; /* NULL: learning */
	bool tx;
	struct mac_table *macs;
	struct mac_port *port;
	uint16_t vlan;
};

enum { EFFECTS_INLINE = 24 };

struct effects {
	uint32_t n, size;
	bool lost;	  /* no memory for all of them */
	struct effect *e; /* 'few', or allocated */
	struct effect few[EFFECTS_INLINE];
};

void effects_init(struct effects *e);
void effects_done(struct effects *e);
/* So many packets and bytes; 'who': the worker's number, or vx.n_workers: control. */
void effects_push(const struct effect *e, uint32_t n, const struct mac *src, uint64_t packets,
		  uint64_t bytes, uint32_t who, uint64_t seen);

enum translation_way { WAY_NONE, WAY_KNOWN, WAY_FLOOD };

struct translation {
	/* In. */
	const struct snap *snap;
	const struct flow_key *key;
	bool learn; /* from this packet, seen at ... */
	uint64_t seen;
	const struct snap_port *from; /* it came in by this one; NULL: by the key's */
	/* Is told what is decided, a note (pkt/note.h) each; NULL: nobody asks. */
	void (*report)(void *ctx, const struct trace_step *note);
	void *report_ctx;
	/* Out; translation_done() frees what nobody took. */
	struct flow_key mask;
	struct actions *actions; /* NULL: none, 'why' says why */
	enum drop why;
	bool install;		    /* as a flow, too */
	const struct snap_port *in; /* NULL: no bridge's */
	uint16_t vlan;		    /* in the first bridge, as is */
	uint8_t way;		    /* enum translation_way */
	struct effects effects;

	/* Between translate.c and normal.c. */
	struct act_buf acts;
	struct frame_tag {
		bool present;
		uint16_t tpid, tci;
	} tag, done_tag;     /* as the bridge has the frame; as the actions so far have it */
	struct flow_tun tun; /* where it came from, as the bridge sees it */
	struct tun_info done_tun;
	uint32_t done_mark;
	uint32_t outputs, depth, bridges;
	bool is_loop; /* too deep or too many: then nothing is done at all */
};

void translate(struct translation *t);
void translation_done(struct translation *t);

/* A datapath's upcall; ctx is the struct dpif. */
upcall_fn translate_upcall;

/* --- for normal.c ------------------------------------------------------------------------------
 */

/* To a port, with the frame's tag as it is in t->tag. */
void translate_output(struct translation *t, const struct snap_port *out);
/* Nothing is done in this bridge, because of that.  The last reason is told if nothing is done in
 * any. */
static inline void translate_drop(struct translation *t, enum drop why)
{
	t->why = why;
}
void translate_learn(struct translation *t, const struct snap_bundle *b, struct mac_table *macs,
		     uint16_t vlan);
/* A note about 'port' (NULL: none), the frame's VLAN and the port's. */
COLD void translate_note(struct translation *t, enum note note, const struct snap_port *port,
			 uint16_t vlan, uint16_t tag);
static inline void translate_tell(struct translation *t, enum note note,
				  const struct snap_port *port, uint16_t vlan, uint16_t tag)
{
	if (unlikely(t->report))
		translate_note(t, note, port, vlan, tag);
}
/* NORMAL, for a frame that came in by 'in'. */
void normal(struct translation *t, const struct snap_port *in);

#endif
