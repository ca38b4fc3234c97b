/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of control behind ofproto.h, for ofproto/ alone. */
#ifndef VX_OFPROTO_PRIV_H
#define VX_OFPROTO_PRIV_H

#include "ofproto/dpif.h"

enum port_kind { PORT_SYSTEM, PORT_INTERNAL, PORT_PATCH, PORT_VXLAN, PORT_KINDS };
extern const char *const port_kinds[PORT_KINDS];

struct ofproto_bundle;

struct ofproto_port {
	struct list node; /* ofproto.ports, in order of ofport */
	struct ofproto *p;
	enum port_kind kind;
	uint16_t ofport;
	char name[OFPORT_NAME_MAX], peer[OFPORT_NAME_MAX];
	struct dpif_port *dp; /* NULL: a patch port */
	struct tunnel_cfg tun;
	struct port_counters *counters; /* [n_workers + 1] */
	struct ofproto_bundle *bundle;
	struct snap_port *snap; /* while a snapshot is made */
};

struct ofproto_bundle {
	struct list node; /* ofproto.bundles, by slot */
	struct ofproto *p;
	const void *aux;
	uint32_t slot;
	struct mac_port macs;
	struct ofproto_port *port; /* NULL: none, or several, so that it takes part in nothing */
	uint8_t mode, priority_tags;
	bool has_trunks, is_protected;
	uint16_t tag;
	uint64_t trunks[64];
};

struct ofproto {
	struct list node; /* dpif.bridges */
	struct dpif *d;
	char name[DEV_NAME_MAX];
	struct list ports, bundles;
	uint32_t n_ports, n_bundles; /* n_bundles: slots, one more than the highest */
	struct mac_table macs;
	uint32_t mac_aging_s;
	uint64_t next_age;
	uint64_t flood_vlans[64];
	bool secure, forward_bpdu;
	/* [n_workers + 1], as a port's: rx what the default rule took, tx what no rule took. */
	struct port_counters *rule;
	struct ofproto_rule_counts {
		uint64_t packets, bytes;
	} before;		     /* the default rule was made */
	uint64_t created, rule_made; /* the bridge, its default rule */
	uint16_t last_ofport;
	uint64_t *ofport_used; /* [OFPORT_MAX]: when it was given back; 0: never, or in use */
};

/* Counters of a port or rule, [n_workers + 1]; NULL: memory. */
struct port_counters *port_counters_new(struct vx *vx);

/* The device of 'dp' went. */
void ofproto_port_lost(struct dpif *d, const struct dpif_port *dp);

#endif
