/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions: what happens to a packet that matched (spec/ovs.md 5.4).
 *
 * A list is one block of records, each a struct act and what its type adds, in units of 8 bytes; a
 * clone's own list lies inside it.  Lists are made once with act_buf, then shared and never
 * changed; flows, and packets that wait, hold references.
 *
 * Which action is the last that needs the packet is found when a list is made: that one gets the
 * packet itself, those before it copies, which share the payload.
 */
#ifndef VX_DATAPATH_ACTION_H
#define VX_DATAPATH_ACTION_H

#include "datapath/key.h"

struct dp;
struct dp_worker;

enum act_type {
	ACT_OUTPUT,
	ACT_PUSH_VLAN,
	ACT_POP_VLAN,
	ACT_SET_ETH,
	ACT_SET_IP4,
	ACT_SET_IP6,
	ACT_SET_TCP,
	ACT_SET_UDP,
	ACT_SET_SCTP,
	ACT_SET_TUNNEL,
	ACT_SET_MARK,
	ACT_USERSPACE,
	ACT_CLONE,
	ACT_DROP,
	ACT_TYPES
};

enum act_flag {
	ACT_LAST = 1, /* no action after it needs the packet */
	ACT_USES = 2, /* needs a packet: output, userspace, drop, a clone with one of these in it */
};

struct act {
	uint8_t type, flags;
	uint16_t len; /* of the whole record, in units of 8 bytes */
	uint32_t arg; /* output: port; userspace: pid; drop: the reason */
};

struct act_vlan {
	struct act a;
	be16 tpid,
		tci; /* 0x1000 of tci is CFI's inverse in text; on the wire it is the tag's bit */
	uint8_t rsvd[4];
};

struct act_eth {
	struct act a;
	struct mac src, dst, src_mask, dst_mask;
};

struct act_ip4 {
	struct act a;
	be32 src, dst, src_mask, dst_mask;
	uint8_t tos, ttl, tos_mask, ttl_mask;
	uint8_t rsvd[4];
};

struct act_ip6 {
	struct act a;
	struct ip_addr src, dst, src_mask, dst_mask;
	be32 label, label_mask;
	uint8_t tclass, hlimit, tclass_mask, hlimit_mask;
	uint8_t rsvd[4];
};

struct act_ports { /* TCP, UDP, SCTP */
	struct act a;
	be16 src, dst, src_mask, dst_mask;
};

struct act_tunnel {
	struct act a;
	struct tun_info tun; /* is_tx set */
};

struct act_mark {
	struct act a;
	uint32_t mark, mask;
};

enum userspace_kind { USERSPACE_PLAIN, USERSPACE_SLOW_PATH, USERSPACE_CONTROLLER };

/* Fits the packet's cb[], where it waits for the upcall. */
struct act_userspace {
	struct act a;
	uint8_t kind;	/* enum userspace_kind */
	uint8_t reason; /* controller */
	bool dont_send, continuation;
	uint16_t controller_id, max_len;
	uint32_t recirc_id;
	uint32_t slow; /* bits of enum slow_path */
	uint64_t rule_cookie;
};
static_assert(sizeof(struct act_userspace) <= 4 * sizeof(uint64_t), "cb[] of struct pkt");

enum slow_path {
	SLOW_CFM = 1,
	SLOW_BFD = 2,
	SLOW_LACP = 4,
	SLOW_STP = 8,
	SLOW_LLDP = 16,
	SLOW_CONTROLLER = 32,
	SLOW_MATCH = 64,
	SLOW_ACTION = 128
};

struct actions {
	_Atomic uint32_t refs;
	uint32_t len; /* bytes */
	uint8_t b[] __attribute__((aligned(8)));
};

static inline const struct act *act_at(const struct actions *a, uint32_t at)
{
	return (const struct act *)(a->b + at);
}

struct actions *actions_get(struct actions *a); /* NULL is fine */
void actions_put(struct actions *a);		/* NULL is fine */
static inline bool actions_eq(const struct actions *a, const struct actions *b)
{
	return a->len == b->len && !memcmp(a->b, b->b, a->len);
}

/* --- making a list ---------------------------------------------------------------------------- */

enum { ACTS_MAX = 1 << 19, ACT_DEPTH_MAX = 8 };

/* All zero is an empty one.  What fails (memory, length, depth) is told at the end. */
struct act_buf {
	struct actions *a;
	uint32_t size;
	uint32_t open[ACT_DEPTH_MAX], depth; /* clones that are not closed */
	int err;
};

void act_output(struct act_buf *b, uint32_t port);
void act_push_vlan(struct act_buf *b, uint16_t tpid, uint16_t tci);
void act_pop_vlan(struct act_buf *b);
void act_set_eth(struct act_buf *b,
		 const struct act_eth *v); /* .a is not looked at, in all of these */
void act_set_ip4(struct act_buf *b, const struct act_ip4 *v);
void act_set_ip6(struct act_buf *b, const struct act_ip6 *v);
void act_set_ports(struct act_buf *b, enum act_type type, const struct act_ports *v);
void act_set_tunnel(struct act_buf *b, const struct tun_info *t);
void act_set_mark(struct act_buf *b, uint32_t mark, uint32_t mask);
void act_userspace(struct act_buf *b, uint32_t pid, const struct act_userspace *v);
void act_clone(struct act_buf *b); /* until act_clone_end() */
void act_clone_end(struct act_buf *b);
void act_drop(struct act_buf *b, enum drop why); /* DROP_NONE: flow_drop */
/* The list, which is the caller's.  NULL and *err where it failed: -ENOMEM, -E2BIG, -EINVAL.  The
 * buffer is empty then. */
struct actions *act_buf_done(struct act_buf *b, int *err);
void act_buf_drop(struct act_buf *b);

/* --- doing it ----------------------------------------------------------------------------------
 */

/* Stage execute_actions.  Takes p: data at the Ethernet header, its headers where
 * flow_key_extract() found them.  What is output is gathered per port; dp_flush() sends it. */
void execute_actions(struct worker *w, struct dp_worker *dw, struct pkt *p, const struct actions *a,
		     uint32_t in_port, struct flow_layers l);
/* The list as a step of p's trace: before it is executed, where a packet has one. */
COLD void actions_trace(const struct dp *dp, struct pkt *p, const struct actions *a);
/* Goes on with what waits because the last turn had made its copies.  True if something is left. */
bool actions_resume(struct worker *w, struct dp_worker *dw);
void actions_drop_waiting(struct worker *w, struct dp_worker *dw, enum drop why);

/* A copy waits in upcalls for what its action says: NULL of any other packet. */
const struct act_userspace *act_of_upcall(const struct pkt *p);

/* The rewriting actions, one packet: 0, or -ENOMEM, or -ENOBUFS (no headroom). */
int act_rewrite(struct worker *w, struct pkt *p, const struct act *a, const struct flow_layers *l);

#endif
