/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network device: operations, settings, counters, who made it.
 *
 * Made and changed by control through net/link.  Workers read flags, mtu, master and rx_handler
 * without a lock; a device is freed after a grace period.
 */
#ifndef VX_NET_DEV_H
#define VX_NET_DEV_H

#include <linux/if.h>
#include <stdatomic.h>
#include <string.h>

#include "base/list.h"
#include "net/port.h"
#include "net/vx.h"

struct link_type;
struct gro_cell;

enum {
	DEV_NAME_MAX = IFNAMSIZ, /* with the NUL */
	DEV_MTU_MIN = 68,
	DEV_MTU_MAX = 65535,
};

/* The kernel's counters (vxlan.md 7.1), one set per worker. */
struct CACHE_ALIGNED dev_stats {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t rx_errors, tx_errors, rx_dropped, tx_dropped;
	uint64_t rx_length_errors, rx_frame_errors, rx_over_errors, rx_crc_errors, rx_fifo_errors,
		rx_missed_errors, rx_nohandler, multicast;
	uint64_t tx_carrier_errors, tx_aborted_errors, collisions, tx_fifo_errors,
		tx_heartbeat_errors, tx_window_errors;
};

/* What a receive handler did with a batch (stack.md 2, R2). */
enum rx_result { RX_CONSUMED, RX_ANOTHER, RX_EXACT, RX_PASS };

/* Looks at one packet.  RX_ANOTHER: it set p->dev.  RX_CONSUMED: it owns p now. */
typedef enum rx_result rx_handler_fn(struct worker *w, struct dev *dev, struct pkt *p);

/* An FDB request as it comes from control (ndmsg and attributes). */
struct fdb_req {
	struct mac mac;
	uint16_t state;	 /* NUD_* */
	uint8_t flags;	 /* NTF_* */
	uint32_t ext_flags;
	uint16_t nl_flags; /* NLM_F_* */
	bool has_dst, has_port, has_vni, has_src_vni, has_ifindex, has_nhid, has_protocol;
	struct ip_addr dst;
	uint16_t port, vlan;
	uint32_t vni, src_vni, ifindex, nhid;
	uint8_t protocol;
	struct dev *port_dev; /* a bridge's entry: the port it is for; else NULL */
	const char *maker; /* the command, for explain; may be NULL */
};

/* One FDB entry with one of its remotes, as told to control. */
struct fdb_view {
	struct mac mac;
	uint16_t state;
	uint8_t flags;
	uint8_t protocol;
	bool has_dst;
	struct ip_addr dst;
	uint16_t port; /* 0: the device's */
	bool has_vni;  /* differs from the device's */
	uint32_t vni, src_vni, ifindex;
	uint64_t used, updated; /* ns ago */
	struct dev *port_dev;	/* of a bridge's entry: the port */
	struct maker maker;
};

/* Filters of a flush, AND-ed; vxlan.md 4.6. */
struct fdb_flush {
	uint16_t state, state_mask;
	uint8_t flags, flags_mask;
	bool has_dst, has_port, has_vni, has_src_vni, has_ifindex;
	struct ip_addr dst;
	uint16_t port;
	uint32_t vni, src_vni, ifindex;
};

struct dev_ops {
	int (*init)(struct dev *d);
	void (*uninit)(struct dev *d);
	int (*open)(struct dev *d, struct vx_err *err);
	void (*stop)(struct dev *d);
	/* Takes all packets of b, which have data at the Ethernet header. */
	void (*xmit)(struct worker *w, struct dev *d, struct batch *b);
	/* Adds what the device counts elsewhere.  NULL: the per-worker counters are all. */
	void (*stats)(struct dev *d, struct dev_stats *sum);
	void (*set_rx_mode)(struct dev *d);
	int (*change_mtu)(struct dev *d, uint32_t mtu, struct vx_err *err);
	int (*validate_addr)(struct dev *d);
	int (*set_mac)(struct dev *d, const struct mac *mac, struct vx_err *err);
	int (*fdb_add)(struct dev *d, const struct fdb_req *r, struct vx_err *err);
	int (*fdb_del)(struct dev *d, const struct fdb_req *r, struct vx_err *err);
	int (*fdb_get)(struct dev *d, const struct fdb_req *r, struct fdb_view *out,
		       struct vx_err *err);
	int (*fdb_flush)(struct dev *d, const struct fdb_flush *f, struct vx_err *err);
	/* Calls fn for each entry and remote, newest entry first, until it returns non-zero, which
	 * is then returned. */
	int (*fdb_dump)(struct dev *d, int (*fn)(void *ctx, const struct fdb_view *e), void *ctx);
	/* A port joined or left (a master's). */
	int (*add_slave)(struct dev *d, struct dev *slave, struct vx_err *err);
	void (*del_slave)(struct dev *d, struct dev *slave);
	/* A port went up or down, or has another MTU or MAC. */
	void (*slave_changed)(struct dev *d, struct dev *slave);
	/* Control's timer: does what is due and returns when it wants to be called again. */
	uint64_t (*timer)(struct dev *d, uint64_t now);
	/* Packets that wait in d across turns, of all workers; and, while no worker runs, dropped as
	 * DROP_shutdown.  NULL: none ever. */
	uint32_t (*held)(struct dev *d);
	void (*drop_held)(struct worker *w, struct dev *d);
};

enum dev_owner { OWNER_NETLINK, OWNER_OVSDB };

struct dev {
	/* What a packet touches. */
	struct vx *vx;
	const struct dev_ops *ops;
	_Atomic uint32_t flags; /* IFF_* */
	uint32_t ifindex;
	_Atomic uint32_t mtu;
	_Alignas(uint64_t) struct mac mac; /* workers: dev_mac(); changed by dev_follow_mac() */
	uint16_t no_mac;		   /* what dev_mac() loads of more: 0 */
	uint16_t headroom;		   /* bytes that its xmit pushes */
	_Atomic(rx_handler_fn *) rx_handler; /* set through dev_set_rx_handler() */
	/* What a handler works with, set before it and left when it goes.  One of each kind: who has
	 * read the handler of before must not find the next one's. */
	struct bridge_port *_Atomic bridge_port;
	struct vport *_Atomic vport;
	struct io *_Atomic io;	 /* an io port: where it sends; NULL for a virtual device */
	struct io *_Atomic host; /* the host side of a virtual device: TAP or veth; NULL: nohost */
	void *priv;		 /* of the type */
	struct dev_stats *stats; /* [n_workers] */
	_Atomic uint32_t has_addr; /* number of addresses of vx's own stack on it (net/inet) */
	struct gro_cell *cells;	 /* [n_workers], or NULL */

	/* Control's. */
	char name[DEV_NAME_MAX];
	const struct link_type *type;
	struct list node; /* vx.devs */
	struct dev *master;
	struct list slaves, slave_node;
	struct dev *lower;	    /* a device of vx that it sends through */
	uint32_t lower_index;	    /* ifindex of 'dev NAME', vx's or the host's; 0 is none */
	char lower_name[DEV_NAME_MAX];
	uint32_t min_mtu, max_mtu;
	uint32_t promiscuity;
	uint16_t link_flags;	    /* enum dev_link_flag */
	uint8_t owner;		    /* enum dev_owner */
	uint8_t quiet_looks;	    /* of a device that goes (link.c) */
	struct maker maker;
	char netns[64];		    /* of the host side; "" is vxd's own */
	char host_name[DEV_NAME_MAX]; /* of the host side, where it is not d's; else "" */
	void *opts;		    /* the type's options, type->opts_size bytes */
};

enum dev_link_flag {
	DEV_NOHOST = 1,
	DEV_WAS_UP = 2, /* was up at least once: its qdisc is "noqueue" from then on */
	DEV_SECOND = 4, /* made by another (a mem port's peer): no words make it, it goes with that one */
	DEV_TAKEN_OVER = 8, /* its host side was there already, left by a former vxd */
	DEV_MTU_OWNED = 16, /* its owner, a database, says which */
	DEV_MAC_OWNED = 32,
	DEV_LEFT = 64, /* it goes, and its host side stays as it is: up, with its routes */
	DEV_NOTED = 128, /* the state knows what the database made */
};

static inline bool dev_is_up(const struct dev *d)
{
	return atomic_load_explicit(&d->flags, memory_order_relaxed) & IFF_UP;
}

/* The MAC as a worker reads it, beside control that changes it: one load of eight bytes. */
static inline struct mac dev_mac(const struct dev *d)
{
	uint64_t v = __atomic_load_n((const uint64_t *)(const void *)&d->mac, __ATOMIC_RELAXED);
	struct mac m;

	memcpy(&m, &v, sizeof(m));
	return m;
}

/* Is it d's? */
static inline bool dev_mac_is(const struct dev *d, const struct mac *m)
{
	return mac_load(m) == __atomic_load_n((const uint64_t *)(const void *)&d->mac, __ATOMIC_RELAXED);
}

static inline struct dev_stats *dev_stats(const struct dev *d, const struct worker *w)
{
	return &d->stats[w->id];
}

struct dev *dev_by_name(struct vx *vx, const char *name);
struct dev *dev_by_index(struct vx *vx, uint32_t ifindex);
void dev_sum_stats(struct dev *d, struct dev_stats *sum);

/* Control.  Sets IFF_UP: open, or stop.  0 or a negative errno. */
int dev_change_flags(struct dev *d, bool up, struct vx_err *err);
int dev_set_mtu(struct dev *d, uint32_t mtu, struct vx_err *err);
int dev_set_mac(struct dev *d, const struct mac *mac, struct vx_err *err);
/* d has another MAC from now on: told to workers and to its bridge. */
void dev_follow_mac(struct dev *d, const struct mac *mac);
/* d has this name, which is free, from now on; its host side has it already, or one of its own. */
void dev_take_name(struct dev *d, const char *name);
int dev_set_master(struct dev *d, struct dev *master, struct vx_err *err);
int dev_set_promiscuity(struct dev *d, int by);
/* -EBUSY if one is set; fn NULL removes. */
int dev_set_rx_handler(struct dev *d, rx_handler_fn *fn);

/* The stages (architecture section 4). */
void netif_receive(struct worker *w, struct batch *b);  /* data at the network header, mac_off set */
void netif_rx(struct worker *w, struct pkt *p);		 /* to this worker's backlog */
bool backlog_run(struct worker *w);
void gro_receive(struct worker *w, struct batch *b);	 /* data at the Ethernet header; frames of one port */
void gro_cells_receive(struct worker *w, struct dev *d, struct pkt *p);
void gro_cells_add(struct worker *w, struct dev *d, struct pkt *p); /* the same; p has no trace */
void dev_to_host(struct worker *w, struct dev *d, struct batch *b);
/* Sends frames (data at the Ethernet header) that all belong to d. */
void dev_queue_xmit(struct worker *w, struct dev *d, struct batch *b);

/* Sets mac_off, type, protocol from the Ethernet header at data and pulls it.  The gate for 14
 * bytes: false if they are not there. */
bool eth_type_trans(struct pkt *p, struct dev *d);

#endif
