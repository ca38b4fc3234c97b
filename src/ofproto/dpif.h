/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A datapath as bridges use it: its ports, shared tunnel devices among them, its flow table, and
 * the snapshot that misses are translated under.  One per datapath type in use, counted.
 *
 * Two kinds: vx's own datapath (dpif_vx), and "dummy" (dpif_dummy), which has ports and flows but
 * no packets, for tests; it is there only where struct vx says so (dpif_dummy_enable()).
 */
#ifndef VX_OFPROTO_DPIF_H
#define VX_OFPROTO_DPIF_H

#include "base/hmap.h"
#include "datapath/dp.h"
#include "ofproto/revalidate.h"
#include "ofproto/snapshot.h"

struct dpif_port_cfg {
	char name[DEV_NAME_MAX];
	const char *type; /* "system", "internal", "vxlan" */
	uint16_t udp_port;
	bool gbp;
};

struct dpif_port {
	struct list node; /* dpif.ports, by number */
	uint32_t no;
	char name[DEV_NAME_MAX];
	const char *type;
	struct dev *dev;     /* NULL: a dummy's */
	struct vport *vport; /* NULL: a dummy's, or gone */
	bool made_dev;	     /* the device goes with it */
	bool gone;	     /* the device went */
	/* Of a tunnel device, which several ports of bridges share: */
	uint32_t users;
	uint32_t leaving; /* users that go with the next snapshot */
	uint16_t udp_port;
	bool gbp;
	bool sees_outer; /* DF and checksum of what arrives: not of the host's sockets */
};

struct dpif_class {
	const char *const *types;			 /* NULL-terminated */
	int (*open)(struct dpif *d, struct vx_err *err); /* sets table */
	void (*close)(struct dpif *d);
	/* Fills in the port (its name and type are) and takes it up; undoes what it did if it
	 * fails. */
	int (*port_add)(struct dpif *d, const struct dpif_port_cfg *cfg, struct dpif_port *port,
			struct vx_err *err);
	void (*port_del)(struct dpif *d, struct dpif_port *port, bool del);
	void (*get_stats)(struct dpif *d, struct dp_stats *out);
};

struct dpif {
	struct list node; /* vx.dpifs */
	struct vx *vx;
	const struct dpif_class *class;
	const char *type;	 /* "system" */
	char name[DEV_NAME_MAX]; /* "ovs-system" */
	uint32_t users;
	struct list bridges; /* struct ofproto.node, in order of name */
	struct list ports;   /* struct dpif_port.node */
	struct hmap names;   /* struct ofproto_port.by_name, of all bridges */
	struct hmap tunnels; /* struct ofproto_port.by_id */
	/* Until the next snapshot (ofproto/pending): */
	struct list leaving_ports, leaving_bundles;
	bool is_dirty, must_flush, must_put;
	struct dp *dp;	     /* NULL: a dummy's */
	struct table *table;
	uint32_t limit;
	struct table own_table;	     /* a dummy's */
	struct dp_stats dummy;	     /* a dummy's counters */
	_Atomic(struct snap *) snap; /* never NULL */
	struct snap *empty;	     /* in reserve: deletions need no memory */
	uint64_t seq;
	bool stale; /* there was no memory for a snapshot */
	uint64_t ran; /* dpif_run(), ns */
	struct revalidator reval;
};

int dpif_open(struct vx *vx, const char *type, struct vx_err *err, struct dpif **out);
void dpif_close(struct dpif *d); /* the last one's closes the datapath */
void dpif_dummy_enable(struct vx *vx);
struct dpif *dpif_find(struct vx *vx, const char *type); /* NULL: not in use */
void dpif_get_stats(struct dpif *d, struct dp_stats *out);

/* Of all datapaths in use (those that come later have the defaults). */
struct dpif_limits {
	uint32_t flows;		  /* other_config:flow-limit */
	uint32_t max_idle;	  /* ms */
	uint32_t max_revalidator; /* ms */
	bool keep_idle;		  /* flow-restore-wait: nothing expires */
};
#define DPIF_LIMITS_DEFAULT                                                                        \
	((struct dpif_limits){TABLE_LIMIT, REVALIDATE_IDLE_MS, REVALIDATE_MS, false})
void dpif_set_limits(struct vx *vx, const struct dpif_limits *l);
void dpif_set_flow_limit(struct vx *vx, uint32_t flows); /* alone */

int dpif_port_add(struct dpif *d, const struct dpif_port_cfg *cfg, struct vx_err *err,
		  struct dpif_port **out);
void dpif_port_del(struct dpif *d, struct dpif_port *port, bool del);
/* The device of that UDP port, made for the first user, gone with the last. */
int dpif_tunnel_get(struct dpif *d, const char *user, uint16_t udp_port, bool gbp,
		    struct vx_err *err, struct dpif_port **out);
void dpif_tunnel_put(struct dpif *d, struct dpif_port *port);

/* Something that translation reads has changed: publishes.  0 or -ENOMEM, then all is as before. */
int dpif_publish(struct dpif *d);
/* The same where it may not fail: without memory nothing is forwarded until dpif_run() finds some.
 */
void dpif_publish_removal(struct dpif *d);
void dpif_run(struct dpif *d, uint64_t now); /* once for each 'now', whose bridges there are */
uint64_t dpif_wait(struct dpif *d, uint64_t now);

/* A packet of 'len' bytes with this key, on a dummy: translated, learnt from, a flow made; counted
 * for the flow if there is one.  For tests.  The actions are the caller's; NULL: dropped for *why.
 */
struct actions *dpif_dummy_packet(struct dpif *d, const struct flow_key *k, uint32_t len,
				  enum drop *why);

/* The kinds. */
extern const struct dpif_class dpif_vx_class, dpif_dummy_class;

#endif
