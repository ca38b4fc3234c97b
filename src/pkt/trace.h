/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of one packet, recorded by the stages themselves.
 *
 * A traced packet carries a struct trace; clones share it.  A stage adds a step: its name, what
 * it decided (a sentence number and a copy of what the sentence needs).  ctl/explain makes the
 * text.  The trace is complete when the last packet that carries it is freed; then 'done' gets
 * it.  All on one worker's thread.
 *
 * A stage asks once per batch (batch.traced), so packets without a trace cost no branch each.
 */
#ifndef VX_PKT_TRACE_H
#define VX_PKT_TRACE_H

#include "pkt/drop.h"
#include "wire/types.h"

struct pkt;

enum stage {
	STAGE_NONE,
#define STAGE(name) STAGE_##name,
#include "pkt/stage_list.h"
#undef STAGE
	STAGE_COUNT
};

extern const char *const stage_names[STAGE_COUNT];

/* What a step says; ctl/explain has the sentence for each, and which fields it uses. */
enum trace_say {
	SAY_NOTHING, /* the stage was passed; shown by -d only */
	SAY_DEV,     /* dev, len; u[0]: the host sees the frames, too */
	SAY_LOCAL,   /* ip (to this host), dev */
	SAY_HOST_STACK, /* the stages before were the host's; ip, port */
	SAY_SOCKET,  /* port; u: devices on it */
	SAY_VNI,     /* vni is dev */
	SAY_LEARNED, /* vni, dev, mac at ip: new, roamed or refreshed */
	SAY_FDB,     /* mac at ip by entry */
	SAY_FDB_DEFAULT, /* no entry for mac, the default entry; u[0] remotes */
	SAY_REMOTE,  /* copy to ip port vni */
	SAY_ROUTE,   /* ip through dev, mtu */
	SAY_SENT,    /* len bytes */
	SAY_NEIGH,   /* ip is at mac */
	SAY_BRIDGE_PORT, /* mac is on port dev */
	SAY_BRIDGE_FLOOD,
	SAY_BYPASS,  /* remote is this host: handed to dev */
	SAY_QUEUED,  /* held: waiting for something */
	SAY_MERGED,
	SAY_WORKER,  /* handed to worker u[0] */
	SAY_CUT,     /* u[0] segments of u[1] bytes */
	SAY_REPLY,   /* answered */
	SAY_TOLD,    /* too long: the sender is told that the path takes u[0] bytes */
	SAY_HOOK,    /* rule u[0] said ... */
	SAY_PARTIAL, /* unfinished inner checksum; u[0] is the segments' size of a super-frame, or 0 */
	SAY_RAW,
	SAY_PROTO,   /* u[0] the IP protocol */
	SAY_NO_SOCKET, /* nobody listens on port; ip: who sent there */
	SAY_RESERVED, /* u: the reserved bits that are set, flags word and VNI word */
	SAY_POLICY,  /* u[0]: a group policy as a mark has it */
	SAY_ECN,     /* u[0] the inner, u[1] the outer ECN field */
	SAY_HOST_LOST, /* came to the host's dev, not to the socket of port; maker.text is the
			* host's counter that rose by u[0], "" is none */
	SAY_VPORT,   /* dev is port u[0] */
	SAY_FLOW,    /* maker.at: made then; u[0] its slot, u[1] masks tried, 0 is by the cache */
	SAY_NO_FLOW,
	SAY_ACTIONS, /* maker.text: the list, cut */
	SAY_BRIDGE,  /* maker.text: Open vSwitch's bridge; dev its port, port the number; u[0] VLAN,
		      * u[1] 1: goes to where its MAC is, 2: flooded, 0: neither */
	SAY_UPCALL,  /* u[0]: 0 waits for it, 1 the flow asked, 2 answered, 3 and a flow made */
	SAY_NOTE,    /* pkt/note.h */
	SAY_NEXT_TURN, /* goes on with its actions then */
	SAY_DROP,    /* drop */
};

/* Where an entry comes from, copied with it. */
struct maker {
	uint64_t at;	 /* ns, the clock of vx_turn() */
	uint8_t how;	 /* enum maker_how */
	char text[31];	 /* the command, cut */
};
enum maker_how { MAKER_NONE, MAKER_LEARNED, MAKER_CONTROL, MAKER_OPTION };

struct trace_step {
	uint8_t stage, depth, say;
	uint8_t state; /* of an entry: its NUD bits; of SAY_NOTE: enum note */
	uint16_t drop, port;
	uint32_t len, vni;
	uint32_t u[2];
	char dev[16];
	struct mac mac;
	struct ip_addr ip;
	struct maker maker;
};

enum { TRACE_STEPS = 48, TRACE_BYTES = 192 };

struct trace {
	struct trace *next; /* in the list of its holder */
	void (*done)(void *ctx, struct trace *t); /* owns it from then on */
	void *ctx;
	uint64_t at; /* ns */
	uint32_t id, refs;
	uint32_t len; /* of the packet */
	uint16_t n_steps, n_bytes;
	bool overflow; /* steps beyond TRACE_STEPS are not there */
	bool outer;    /* bytes[] is an underlay packet */
	bool of_host;  /* seen on the host's interface; no stage of vx had it */
	bool from_udp; /* bytes[] begins at the VXLAN header; the rest in tun_src and its like */
	char dev[16];
	struct ip_addr src, dst;
	uint16_t sport, dport;
	uint8_t bytes[TRACE_BYTES];
	struct trace_step steps[TRACE_STEPS];
};

void trace_put(struct trace *t);
/* 'to', a copy of 'from', shares its trace. */
void trace_fork(const struct pkt *from, struct pkt *to);
/* A new step of p's trace, one level below the one before; never NULL: without a
 * trace or without room the step goes nowhere. */
COLD struct trace_step *trace_add(struct pkt *p, enum stage stage, enum trace_say say);

#endif
