/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges, ports and interfaces as they are, beside the rows that ask for them.  Within ovs/. */
#ifndef VX_OVS_MODEL_H
#define VX_OVS_MODEL_H

#include "base/hmap.h"
#include "base/list.h"
#include "base/text.h"
#include "net/vx.h"
#include "ofproto/ofproto.h"
#include "ovs/bridge.h"
#include "ovs/tables.h"
#include "ovsdb/idl.h"

enum { OFPORT_FAILED = -1, OVS_NAME_MAX = OFPORT_NAME_MAX, REFUSAL_MAX = 200 };

/* Where a tunnel leaves the host, as of a generation of the host's links and routes. */
struct egress {
	uint64_t gen; /* 0: never asked */
	struct ip_addr remote;
	uint32_t mark;
	char dev[DEV_NAME_MAX]; /* "": nowhere */
	bool carrier;
};

/* An interface that the database names; it may or may not be there. */
struct iface {
	struct list node; /* bridge.ifaces */
	struct hmap_node by_uuid;
	struct bridge *bridge;
	struct uuid uuid; /* of its row */
	char name[OVS_NAME_MAX];
	char type[16];
	int32_t ofport; /* the number, OFPORT_NONE or OFPORT_FAILED */
	int32_t had_ofport; /* before its device went, if it did */
	struct text error;
	struct mac mac; /* of one without a device: what the database gets to see */
	bool wanted;
	char refusal[REFUSAL_MAX]; /* why its port cannot be; "": it can */
	bool keep;		   /* what it has on the host stays when it goes */
	bool has_mtu_request;
	bool knows_mtu;	     /* was told the MTU that internal ports have */
	struct egress egress;
	struct text unbuilt; /* what the log said of its columns */
	struct text warned;  /* and of its options */
	bool had_carrier, knows_carrier;
	int64_t link_resets;
};

struct bridge {
	struct list node; /* ovs.bridges */
	struct ovs *ovs;
	struct uuid uuid;
	char name[OVS_NAME_MAX];
	char type[16];
	struct ofproto *ofproto;
	struct list ifaces;
	struct hmap by_uuid; /* ifaces */
	bool wanted, is_secure, told_failure;
	struct mac mac; /* of the local port */
	uint64_t dpid;
	uint32_t mtu; /* that internal ports follow; 0: they were never told */
	struct text unbuilt;
};

struct ovs {
	struct ovs_config cfg;
	struct ovsdb_idl *idl;
	struct list bridges;
	struct list waiters; /* appctl_upcall.c */
	struct coverage *coverage;
	uint64_t reconfigured, next_coverage;
	unsigned seen;		   /* ovsdb_idl_seqno() of the last configuration */
	struct ovsdb_idl_txn *txn; /* on its way; NULL */
	struct ovsdb_idl_txn *status_txn;
	uint64_t next_status; /* when statistics are due */
	uint32_t stats_ms;
	struct text unbuilt; /* as bridge.unbuilt */
	bool links_changed;
	bool is_configured, is_contended;
	bool told_error, was_connected, told_attempt; /* what the log says */
};

/* settings.c */

void settings_root(struct ovs *o, const struct ovsdb_row *root);
void settings_bridge(struct bridge *b, const struct ovsdb_row *row);
void settings_address(struct bridge *b, const struct ovsdb_row *row);
/* After its port was made, or failed. */
void settings_iface(struct iface *i, const struct ovsdb_row *port, const struct ovsdb_row *row);
void settings_bundle(struct iface *i, const struct ovsdb_row *port);
/* After all of a bridge's interfaces. */
void settings_mtus(struct bridge *b);

/* iface.c */

/* Its device; NULL: it has none. */
struct dev *iface_dev(const struct iface *i);

/* What the row asks for, in a form that ofproto takes.  False: iface->error says what is wrong. */
bool iface_parse(struct iface *i, const struct ovsdb_row *row, struct ofproto_port_cfg *cfg);
/* Makes it, or changes it to what the row asks for; sets ofport and error. */
void iface_create(struct iface *i, const struct ovsdb_row *row);
void iface_destroy(struct iface *i);
/* Those whose row requests another number get it, from who has it without a request (ovs.md 2.4). */
void ifaces_renumber(struct bridge *b);
/* Statistics and what else moves by itself. */
void iface_tell_status(struct iface *i, const struct ovsdb_row *row, struct ovsdb_idl_txn *txn);
/* Columns that go with cur_cfg. */
void iface_tell(struct iface *i, const struct ovsdb_row *row, struct ovsdb_idl_txn *txn);

#endif
