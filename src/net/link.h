/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Link types, and how devices are made, changed and removed.  Control only.
 *
 * link_newlink() takes typed values: the RTM_NEWLINK handler calls it, the OVS face, and tests.
 */
#ifndef VX_NET_LINK_H
#define VX_NET_LINK_H

#include "net/attr.h"
#include "net/dev.h"

struct link_cfg {
	char name[DEV_NAME_MAX]; /* "" or with %d: chosen; "" takes the type's kind */
	uint32_t ifindex;	 /* 0: chosen */
	bool has_mtu, has_mac, has_up, up, has_master, has_netns, nohost, has_nohost;
	uint32_t mtu;
	struct mac mac;
	uint32_t master; /* ifindex, 0: none */
	char netns[64];	 /* of the host side */
	char host_name[DEV_NAME_MAX]; /* its name there; "": the device's */
	enum dev_owner owner;
	const char *maker; /* the command, for explain; may be NULL */
	uint32_t n_rx_queues, n_tx_queues;
	bool takes_in; /* the host may have an interface of that name: the one it takes in */
	bool adopt; /* of a state file: take over what a former vxd left on the host */
};

struct link_type {
	const char *kind;
	const struct attr_set *attrs; /* its options */
	size_t priv_size, opts_size;
	bool has_host_side; /* gets a TAP unless nohost */
	void (*setup)(struct dev *d);
	int (*validate)(struct vx *vx, const struct link_cfg *cfg, const void *opts,
			uint64_t present, struct vx_err *err);
	int (*newlink)(struct dev *d, const struct link_cfg *cfg, const void *opts,
		       uint64_t present, struct vx_err *err);
	int (*changelink)(struct dev *d, const void *opts, uint64_t present, struct vx_err *err);
	void (*dellink)(struct dev *d);
	/* Copies the options as they are now. */
	void (*fill_info)(struct dev *d, void *opts);
};

int link_register(struct vx *vx, const struct link_type *t);
const struct link_type *link_type_find(struct vx *vx, const char *kind);
void link_types_free(struct vx *vx);
/* Calls fn for each type. */
void link_types_each(struct vx *vx, void (*fn)(void *ctx, const struct link_type *t), void *ctx);

void link_random_mac(struct vx *vx, struct mac *m); /* a locally administered one */

/* 'opts' are the type's options with defaults filled in, 'present' has bit i for attribute i that
 * was given.  0, or a negative errno with err set where there is more to say. */
int link_newlink(struct vx *vx, const struct link_type *t, const struct link_cfg *cfg,
		 const void *opts, uint64_t present, struct vx_err *err, struct dev **out);
int link_changelink(struct dev *d, const void *opts, uint64_t present, struct vx_err *err);
/* Applies the generic members that are present: mac, mtu, name, master, up; in this order, until one
 * is refused. */
int link_setlink(struct dev *d, const struct link_cfg *cfg, struct vx_err *err);
/* Nothing in it that would spoil a table, or a terminal: the kernel takes more than that. */
bool link_name_prints(const char *name);
/* The host gave its side of d another name, or moved it to another namespace, where it has that
 * index.  A negative errno: d cannot have the name, which its side has alone if it is elsewhere. */
int link_follow_name(struct dev *d, const char *name);
void link_follow_netns(struct dev *d, const char *netns, uint32_t host_index);
/* 'keep_host' leaves the host's interface (a stop with --keep). */
void link_dellink(struct dev *d, bool keep_host);
/* The part below link_dellink(): d alone; 'announced' says that others know of it. */
void link_remove(struct dev *d, bool keep_host, bool announced);

#endif
