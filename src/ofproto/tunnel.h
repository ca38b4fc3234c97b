/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tunnel ports: what one is configured as, which of a datapath's ports takes a packet, and what a
 * packet is sent with (spec/ovs.md 3.1, 3.2).
 *
 * All tunnel ports of one UDP port share a datapath port; what tells them apart is their identity:
 * key, remote and local address, each exact, open or taken from the flow.
 */
#ifndef VX_OFPROTO_TUNNEL_H
#define VX_OFPROTO_TUNNEL_H

#include "datapath/key.h"

enum tunnel_csum { TUNNEL_CSUM_UNSET, TUNNEL_CSUM_ON, TUNNEL_CSUM_OFF };

/* Interface.options, parsed and checked. */
struct tunnel_cfg {
	struct ip_addr remote, local; /* local all zero: any */
	bool remote_flow, local_flow;
	bool in_key_present, in_key_flow, out_key_present, out_key_flow;
	uint32_t in_key, out_key;
	uint16_t dst_port;
	uint8_t tos, ttl;
	bool tos_inherit, ttl_inherit, df_default, gbp;
	uint8_t csum; /* enum tunnel_csum */
	bool has_mark;
	uint32_t egress_pkt_mark;
};

enum tunnel_local { TUNNEL_LOCAL_EXACT, TUNNEL_LOCAL_ANY, TUNNEL_LOCAL_FLOW };

struct tunnel_id {
	struct ip_addr remote, local; /* zero where they are not exact */
	uint32_t in_key;
	uint32_t dp_port;
	uint8_t in_key_flow, remote_flow, local_kind, rsvd[5];
};

void tunnel_id_of(const struct tunnel_cfg *c, uint32_t dp_port, struct tunnel_id *id);
static inline bool tunnel_id_eq(const struct tunnel_id *a, const struct tunnel_id *b)
{
	return !memcmp(a, b, sizeof(*a));
}

uint64_t tunnel_id_hash(struct hash_key key, const struct tunnel_id *id);

/* Its place in the order of look-up, from 0 on. */
enum { TUNNEL_CLASSES = 2 * 2 * 3 };
uint32_t tunnel_class(const struct tunnel_id *id);

/* Identities -> whatever has them.  Made once, then read by workers. */
struct tunnel_map;

struct tunnel_map *tunnel_map_new(struct hash_key key, uint32_t n); /* NULL: memory */
void tunnel_map_free(struct tunnel_map *m);			    /* NULL is fine */
void tunnel_map_add(struct tunnel_map *m, const struct tunnel_id *id, void *what);
/* By datapath port and outer header, in the order of spec/ovs.md 3.2; NULL. */
void *tunnel_map_find(const struct tunnel_map *m, uint32_t dp_port, const struct flow_tun *t);

/* What a packet with this key is sent with.  'tun' is where it came from as the bridge sees it
 * (flags 0: from no tunnel).  Marks in 'm' what was looked at. */
void tunnel_fill(const struct tunnel_cfg *c, const struct flow_key *k, const struct flow_tun *tun,
		 struct flow_key *m, struct tun_info *out);

#endif
