/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What translation reads: bridges, ports, VLANs and tunnels of one datapath as control had them
 * when it published this.  Made whole, never changed, freed after a grace period, so a worker may
 * use it to the end of its turn without a lock.
 *
 * Its 'live' pointers lead to control's own objects, which live for a grace period longer than the
 * last snapshot that names them.  Of those workers use what is made for them: MAC tables, counters.
 */
#ifndef VX_OFPROTO_SNAPSHOT_H
#define VX_OFPROTO_SNAPSHOT_H

#include "bridge/mac.h"
#include "ofproto/ofproto.h"

struct dpif;
struct ofproto_bundle;

#define DP_PORT_NONE UINT32_MAX

/* Of one port, by one worker or control. */
struct CACHE_ALIGNED port_counters {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
};

struct snap_port;

enum { TRUNK_WORDS = 4096 / 64 };

struct snap_bundle {
	struct ofproto_bundle *live;
	struct mac_port *macs; /* live's; NULL: nothing is learnt on it */
	const struct snap_port *port;
	uint8_t mode, priority_tags; /* enum vlan_mode, enum priority_tags */
	bool protected_;
	uint16_t tag;
	const uint64_t *trunks; /* [TRUNK_WORDS]; NULL: all */
};

struct snap_bridge;

struct snap_port {
	const struct snap_bridge *br;
	const struct snap_bundle *bundle; /* NULL: takes part in nothing */
	const struct snap_port *peer;	  /* of a patch port; may be NULL */
	struct port_counters *counters;	  /* live: [n_workers + 1], the last is control's */
	uint32_t dp_port;		  /* DP_PORT_NONE: a patch port, or gone */
	uint16_t ofport;
	bool is_tunnel;
	struct tunnel_cfg tun;
	char name[OFPORT_NAME_MAX];
};

struct snap_bridge {
	char name[DEV_NAME_MAX];
	struct mac_table *macs; /* live */
	struct port_counters *rule; /* live: ofproto.rule */
	bool secure, forward_bpdu;
	uint64_t flood_vlans[64];
	uint32_t n_ports, n_bundles;
	struct snap_port *ports;     /* in order of ofport */
	struct snap_bundle *bundles; /* by ofproto_bundle.slot */
};

struct snap {
	uint64_t seq;
	uint32_t n_bridges, n_dp_ports;
	struct snap_bridge *bridges;
	struct snap_port *ports;
	struct snap_bundle *bundles;
	uint64_t *trunks; /* of those bundles that have any */
	const struct snap_port **by_dp; /* NULL: none, or a tunnel's */
	/* By datapath port, of a tunnel's: which flags of the outer packet are known there (enum
	 * flow_tun_flag); 0: no tunnel's. */
	uint8_t *tun_flags;
	struct tunnel_map *tunnels;
};

static inline bool vlan_is_in(const uint64_t *bitmap, uint16_t vlan)
{
	return bitmap[vlan / 64] >> vlan % 64 & 1;
}

struct snap *snap_new(struct dpif *d, uint64_t seq); /* NULL: memory */
/* One with nothing in it. */
struct snap *snap_new_empty(struct vx *vx);
void snap_free(void *snap); /* NULL is fine */

/* The port of a bridge that a packet with this key comes in by; NULL: no bridge's. */
const struct snap_port *snap_ingress(const struct snap *s, const struct flow_key *k);

/* The bundle that a MAC table's port is part of; NULL: not in this snapshot. */
const struct snap_bundle *snap_bundle_of(const struct snap_bridge *br, struct mac_port *m);

#endif
