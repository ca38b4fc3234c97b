/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few calls of io/ that need privileges, as a table, so that a helper process can make them
 * for a vxd that has none.  io_open_direct makes them in this process, in its own namespace.
 *
 * Called by control; udp() by workers, too.  What is asked for is a struct without pointers, which
 * is what the helper's protocol carries.  Functions return 0 (or a descriptor) or a negative errno.
 */
#ifndef VX_IO_OPEN_H
#define VX_IO_OPEN_H

#include <stdint.h>

#include "wire/types.h"

struct vx_err;

enum hide_how { HIDE_NONE, HIDE_TCX, HIDE_CLSACT };

/* What hides an interface's frames from the host's own stack. */
struct hide {
	enum hide_how how;
	int fd; /* HIDE_TCX: the link; the program goes when it is closed.  Else -1 */
	uint32_t ifindex;
};

enum { NETNS_TEXT_MAX = 64, IF_NAME_MAX = 16 };

/* A namespace without a name in /run/netns is called by its inode, as in /proc/PID/ns. */
#define NETNS_INO_TEXT "net:[%llu]"

/* Of the device's name: the end of a veth pair that vxd keeps. */
#define HIDDEN_NAME "%.11s.vxh"

/* Is one of that name taken over?  Of a former vxd, by its form; or any persistent TAP without a
 * holder, wherever the host has moved it, as it is: what ovs-vswitchd leaves, too. */
enum side_adopt { ADOPT_NONE, ADOPT_OURS, ADOPT_ANY };

/* The host's side of a device. */
struct side_ask {
	char netns[NETNS_TEXT_MAX]; /* where it is: name, pid or path; "": vxd's own namespace */
	char name[IF_NAME_MAX];
	char hidden[IF_NAME_MAX]; /* of a veth pair: the end that vxd keeps in its own namespace */
	uint32_t mtu;
	struct mac mac;
	uint8_t adopt; /* enum side_adopt */
	uint8_t is_up; /* of one that was there; not asked for */
};

/* Settings of a link that was made here. */
struct link_ask {
	char netns[NETNS_TEXT_MAX];
	char name[IF_NAME_MAX]; /* "": as it is */
	uint32_t ifindex;
	uint32_t mtu; /* 0: as it is */
	struct mac mac;
	uint8_t has_mac;
	int8_t up; /* -1: as it is */
};

/* A link that was made here, as it is and where it is now. */
struct link_where {
	char netns[NETNS_TEXT_MAX]; /* "": vxd's own */
	char name[IF_NAME_MAX];
	uint32_t ifindex, mtu, flags; /* IFF_* */
	struct mac mac;
};

struct udp_ask {
	uint16_t family;       /* AF_INET or AF_INET6 (IPv6 only) */
	uint8_t sends;	       /* a send socket, which receives nothing; else one that receives */
	uint8_t df, csum;      /* of a send socket */
	uint8_t zero_csum6_rx; /* of a receiving one */
	uint16_t port;
	uint16_t port_min, port_max; /* a send socket's may be moved within, where it is in use */
	uint32_t mark;		     /* 0: none */
};

struct io_open {
	/* An AF_PACKET socket (SOCK_RAW) for interface 'dev', non-blocking, buffers enlarged, not
	 * bound: nothing arrives yet, and what is left to do needs no privileges. */
	int (*packet)(void *ctx, const char *dev);
	/* Drops at tc ingress; 0 or a negative errno (then out->how is HIDE_NONE). */
	int (*hide)(void *ctx, uint32_t ifindex, struct hide *out);
	void (*unhide)(void *ctx, struct hide *h); /* harmless if nothing is hidden */

	/* Sets the MTU of an interface of the host's that a port has taken in. */
	int (*port_mtu)(void *ctx, uint32_t ifindex, uint32_t mtu);

	/* The queue of a TAP with virtio-net headers, MTU and MAC set, not persistent yet if it is
	 * new; its index there in *ifindex.  With ADOPT_ANY one that was there keeps its MTU, MAC,
	 * name, namespace and up, which *a says then.  An error has a sentence, unless /dev/net/tun
	 * itself cannot be opened. */
	int (*tap)(void *ctx, struct side_ask *a, uint32_t *ifindex, struct vx_err *err);
	/* The TAP is given up: a copy kept for the next vxd goes. */
	void (*tap_done)(void *ctx, const char *netns, uint32_t ifindex);
	/* A veth pair with its settings, the hidden end silenced and up; index of a->name. */
	int (*veth)(void *ctx, const struct side_ask *a, uint32_t *ifindex, struct vx_err *err);
	/* Of what tap() and veth() made. */
	int (*link_set)(void *ctx, const struct link_ask *a);
	/* Looks for one that the host may have moved to another namespace: from then on it is known
	 * by what *out says.  -ENODEV: it is gone. */
	int (*link_find)(void *ctx, const char *netns, uint32_t ifindex, struct link_where *out);
	int (*link_del)(void *ctx, const char *netns, uint32_t ifindex);

	/* A UDP socket, non-blocking, all its options set, buffers enlarged, bound. */
	int (*udp)(void *ctx, const struct udp_ask *a);
	void *ctx;
};

extern const struct io_open io_open_direct;

#endif
