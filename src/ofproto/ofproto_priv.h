/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of control behind ofproto.h, for ofproto/ alone. */
#ifndef VX_OFPROTO_PRIV_H
#define VX_OFPROTO_PRIV_H

#include "ofproto/dpif.h"

enum port_kind { PORT_SYSTEM, PORT_INTERNAL, PORT_PATCH, PORT_VXLAN, PORT_KINDS };
extern const char *const port_kinds[PORT_KINDS];

struct ofproto_bundle;

struct ofproto_port {
	struct list node; /* ofproto.ports, in order of ofport; dpif.leaving_ports */
	struct hmap_node by_name, by_id;
	struct ofproto *p;
	enum port_kind kind;
	uint16_t ofport;
	char name[OFPORT_NAME_MAX], peer[OFPORT_NAME_MAX];
	struct dpif_port *dp; /* NULL: a patch port */
	struct tunnel_cfg tun;
	struct port_counters *counters; /* [n_workers + 1] */
	struct ofproto_bundle *bundle;
	bool del; /* leaves, and what it has on the host does */
	struct snap_port *snap; /* while a snapshot is made */
};

struct ofproto_bundle {
	struct list node; /* ofproto.bundles, by slot; dpif.leaving_bundles */
	struct hmap_node by_aux;
	struct ofproto *p;
	const void *aux;
	uint32_t slot;
	struct mac_port macs;
	struct ofproto_port *port; /* NULL: none, or several, so that it takes part in nothing */
	uint8_t mode, priority_tags;
	bool has_trunks, is_protected, must_flush, must_clear;
	uint16_t tag;
	uint64_t trunks[64];
};

struct ofproto {
	struct list node; /* dpif.bridges */
	struct dpif *d;
	char name[DEV_NAME_MAX];
	struct list ports, bundles;
	struct hmap by_aux;	      /* bundles */
	struct ofproto_port **by_no; /* [OFPORT_LOCAL + 1] */
	uint32_t n_ports, n_bundles; /* n_bundles: slots, one more than the highest */
	uint32_t n_slots_used;
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

static inline struct ofproto_port *ofproto_port_at(const struct ofproto *p, uint16_t ofport)
{
	return ofport <= OFPORT_LOCAL ? p->by_no[ofport] : NULL;
}

/* On any bridge of the datapath; NULL. */
struct ofproto_port *ofproto_port_named(struct dpif *d, const char *name);
/* A port that no snapshot names. */
void ofproto_port_disconnect(struct ofproto_port *port);
void ofproto_port_free(void *port);

/* --- pending.c --- */

/* Publishes, and ends what waited for that. */
void pending_publish(struct dpif *d);
/* The same, but only where names, numbers or devices of what leaves are still taken. */
void pending_make_room(struct dpif *d);
/* Translation has to know: settles now, or when the datapaths are released. */
void pending_change(struct dpif *d);
/* The same of what can be undone.  -ENOMEM: it has to be.  (Not while they are held: then the
 * release is as dpif_publish_removal().) */
int pending_try_change(struct dpif *d);
/* After the next snapshot goes: what was learnt on it; that and what was put there; a user of a
 * tunnel's device. */
void pending_flush(struct ofproto_bundle *b);
void pending_clear(struct ofproto_bundle *b);
void pending_put(struct dpif *d, struct dpif_port *dp);

/* The device of 'dp' went. */
void ofproto_port_lost(struct dpif *d, const struct dpif_port *dp);

#endif
