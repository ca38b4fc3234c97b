/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An Open vSwitch bridge: ports by OpenFlow number, bundles of them with VLANs, a MAC table, and
 * NORMAL as its only rule (spec/ovs.md 3.2 to 3.6).  Bridges of one datapath type share a datapath
 * (ofproto/dpif), and patch ports lead from one to the other.
 *
 * All of this is control's.  What workers need of it is published as a snapshot (ofproto/snapshot).
 */
#ifndef VX_OFPROTO_OFPROTO_H
#define VX_OFPROTO_OFPROTO_H

#include "net/dev.h"
#include "ofproto/tunnel.h"

struct dpif;
struct ofproto;

enum { OFPORT_NONE = 0, OFPORT_LOCAL = 65534, OFPORT_MAX = 0xff00 };

/* A port's name, with its end; one that is a device has a device's. */
enum { OFPORT_NAME_MAX = 64 };

/* --- bridges --------------------------------------------------------------------------------- */

/* Type "system" or "netdev" ("": system).  Opens the datapath if it is the first; there is no port
 * yet.  -EAFNOSUPPORT: there is no such type. */
int ofproto_open(struct vx *vx, const char *bridge, const char *type, struct vx_err *err,
		 struct ofproto **out);
/* 'del': what it made on the host goes; else it is left there (spec/ovs.md 11.23). */
void ofproto_destroy(struct ofproto *p, bool del);
const char *ofproto_name(const struct ofproto *p);
struct dpif *ofproto_dpif(struct ofproto *p);

/* Between the two, changes of all bridges wait and become one snapshot.  Nests. */
void ofproto_hold(struct vx *vx);
void ofproto_release(struct vx *vx);

/* What is due: ageing, revalidation of a part of the flows, statistics. */
void ofproto_run(struct ofproto *p, uint64_t now);
/* What was changed holds for the next packet, but where there are very many flows. */
void ofproto_settle(struct ofproto *p, uint64_t now);
/* When it wants to be run again. */
uint64_t ofproto_wait(struct ofproto *p, uint64_t now);

/* --- ports ----------------------------------------------------------------------------------- */

struct ofproto_port_cfg {
	const char *name;
	const char *type; /* "system" (or ""), "internal", "patch", "vxlan" */
	const char *peer; /* of a patch port */
	struct tunnel_cfg tun;
	uint16_t ofport_request; /* 0: none */
};

/* A failure undoes all that was done.  -EEXIST: a tunnel port like it, or a port of that name, is
 * there; -EADDRINUSE: its UDP port is somebody else's; -EBUSY; -ENODEV; -EINVAL; -ENOMEM. */
int ofproto_port_add(struct ofproto *p, const struct ofproto_port_cfg *cfg, uint16_t *ofport,
		     struct vx_err *err);
int ofproto_port_del(struct ofproto *p, uint16_t ofport, bool del); /* -ENOENT */
/* The port goes on under another number, *to; 0 is any, and becomes the one that it got.  -ENOENT:
 * there is no such port; -EEXIST: another has that number; -EFBIG: none is free. */
int ofproto_port_renumber(struct ofproto *p, uint16_t from, uint16_t *to);
/* Other options of a tunnel or patch port, which keeps its number.  If it fails all is as before.
 */
int ofproto_port_reconfigure(struct ofproto *p, uint16_t ofport, const struct ofproto_port_cfg *cfg,
			     struct vx_err *err);

struct ofproto_port_view {
	const char *name, *type, *peer; /* peer "": none */
	uint16_t ofport;
	uint32_t dp_port; /* DP_PORT_NONE of patch ports and what is gone */
	bool gone;	  /* its device was removed: ofproto_port_del() is what is left to do */
	struct dev *dev;  /* NULL: it has none of its own */
	const struct tunnel_cfg *tun; /* NULL: no tunnel */
};
/* In order of ofport, until fn returns non-zero, which is returned. */
int ofproto_ports(struct ofproto *p, int (*fn)(void *ctx, const struct ofproto_port_view *v),
		  void *ctx);
/* The tunnel ports of all bridges of a datapath, in the order in which packets ask for them. */
int ofproto_tunnels(struct dpif *d,
		    int (*fn)(void *ctx, struct ofproto *p, const struct ofproto_port_view *v),
		    void *ctx);
bool ofproto_port_get(struct ofproto *p, uint16_t ofport, struct ofproto_port_view *out);
uint16_t ofproto_port_find(struct ofproto *p, const char *name); /* OFPORT_NONE */
/* On any bridge of the datapath. */
bool ofproto_port_by_name(struct dpif *d, const char *name, struct ofproto_port_view *out);

struct ofproto_port_stats {
	bool only_counts; /* a tunnel or patch port: the first four are all there is */
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	struct dev_stats dev;
};
int ofproto_port_stats(struct ofproto *p, uint16_t ofport, struct ofproto_port_stats *out);

/* A rule of the bridge's OpenFlow tables.  As long as there is no OpenFlow: the default one, unless
 * it fails secure, and those that 3.1 keeps in table 254 (hidden from OpenFlow itself), of which
 * only what no rule takes is ever met. */
struct ofproto_rule {
	uint8_t table;
	uint16_t priority;
	const char *match, *actions; /* match "": all */
	uint64_t packets, bytes;
	uint64_t age; /* ns */
};
uint32_t ofproto_rules(struct ofproto *p, int (*fn)(void *ctx, const struct ofproto_rule *r),
		       void *ctx); /* fn NULL: counts alone; else until it returns non-zero */

struct flow_key;
/* Is a flow of the datapath with this key one of packets that come in by a port of this bridge? */
bool ofproto_has_flow(struct ofproto *p, const struct flow_key *k);

/* --- bundles --------------------------------------------------------------------------------- */

enum vlan_mode { VLAN_TRUNK, VLAN_ACCESS, VLAN_NATIVE_TAGGED, VLAN_NATIVE_UNTAGGED };
enum priority_tags { PRIORITY_TAGS_NEVER, PRIORITY_TAGS_IF_NONZERO, PRIORITY_TAGS_ALWAYS };

/* A row of table Port. */
struct bundle_cfg {
	const char *name;
	const uint16_t *ports;
	uint32_t n_ports; /* only a bundle of exactly one port forwards: no bonds */
	enum vlan_mode vlan_mode;
	int tag;		/* -1: none, as 0 */
	const uint64_t *trunks; /* [64], a bit a VLAN; NULL: all */
	enum priority_tags priority_tags;
	bool is_protected; /* nothing goes from one such to another */
};

/* Makes or changes the bundle that 'aux' names.  0 or -ENOMEM. */
int ofproto_bundle_set(struct ofproto *p, const void *aux, const struct bundle_cfg *cfg);
void ofproto_bundle_del(struct ofproto *p, const void *aux);

/* --- settings -------------------------------------------------------------------------------- */

void ofproto_set_mac_aging_time(struct ofproto *p, uint32_t s);		 /* held to 15..3600 */
void ofproto_set_mac_table_size(struct ofproto *p, uint32_t n);		 /* held to 10..1000000 */
void ofproto_set_flood_vlans(struct ofproto *p, const uint64_t *bitmap); /* NULL: none */
void ofproto_set_forward_bpdu(struct ofproto *p, bool on);
void ofproto_set_fail_secure(struct ofproto *p, bool on); /* there is no OpenFlow: drops all */

/* --- the MAC table --------------------------------------------------------------------------- */

struct ofproto_mac {
	uint16_t ofport, vlan;
	struct mac mac;
	bool is_static;
	uint32_t age; /* s since it was last seen */
};
/* Least recently seen first. */
int ofproto_macs(struct ofproto *p, int (*fn)(void *ctx, const struct ofproto_mac *m), void *ctx);
int ofproto_mac_get(struct ofproto *p, uint16_t vlan, const struct mac *mac,
		    struct ofproto_mac *out); /* -ENOENT */
struct mac_summary;
void ofproto_mac_summary(struct ofproto *p, struct mac_summary *out);
void ofproto_mac_clear_totals(struct ofproto *p);
void ofproto_mac_flush(struct ofproto *p); /* dynamic ones */
/* *was: the ofport of a dynamic entry that it overrides, else OFPORT_NONE.  -ENODEV, -ENOMEM. */
int ofproto_mac_add(struct ofproto *p, uint16_t ofport, uint16_t vlan, const struct mac *mac,
		    uint16_t *was);
int ofproto_mac_del(struct ofproto *p, uint16_t vlan, const struct mac *mac); /* -ENOENT */

#endif
