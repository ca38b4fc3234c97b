/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host below: its links, routes and notifications by rtnetlink; maker of TAPs and UDP
 * sockets.  Implements struct host_ops.
 *
 * Control's, but for host_route() and host_route_gen(), which workers call.
 */
#ifndef VX_IO_HOST_H
#define VX_IO_HOST_H

#include <pthread.h>

#include "io/open.h"
#include "io/wake.h"
#include "net/host.h"

struct io_host {
	struct vx *vx; /* set by the owner once it exists */
	const struct io_wake *wake;
	const struct io_open *open; /* what needs privileges; io_open_direct unless the owner sets it */
	int nl;	     /* requests of control */
	int monitor; /* notifications; readable: netdev_run() */
	/* Those of links in other namespaces, -1: none; readable: host_elsewhere_run().  Opened by
	 * the owner with hostnl_open_all() while it has the right to. */
	int elsewhere;
	_Atomic uint64_t route_gen; /* never 0 */
	struct list closing; /* host_udp.node: workers may still have them, and so their ports */
	uint16_t port_low, port_high; /* net.ipv4.ip_local_port_range */
	struct packet_ctx *packet;  /* for veth pairs where there is no /dev/net/tun; or NULL */
	int route_nl[VX_WORKERS_MAX]; /* of each worker; -1 until its first question */
	/* The link that its routes led through last, as of that generation. */
	struct {
		uint64_t gen;
		uint32_t ifindex, mtu;
	} route_link[VX_WORKERS_MAX];
	/* A link of the host changed or went (flags 0xffffffff): told to the owner. */
	void (*link_changed)(void *ctx, const struct host_link *l, bool gone);
	/* A link with this index, in another namespace, changed or went. */
	void (*elsewhere_changed)(void *ctx, uint32_t ifindex);
	/* Notifications were lost: anything may have changed. */
	void (*overrun)(void *ctx);
	/* A worker found that a device's host side is gone: the owner's control has to look for it
	 * with host_side_is_lost().  May be NULL. */
	void (*side_lost)(void *ctx);
	void *ctx;
};

/* 0 or a negative errno. */
int io_host_init(struct io_host *h, const struct io_wake *wake);
void io_host_done(struct io_host *h);
extern const struct host_ops io_host_ops; /* ctx is a struct io_host */

int host_link_get(struct io_host *h, uint32_t ifindex, const char *name, struct host_link *out);
/* Sets MTU, MAC or up of a link that was made for us (0, NULL, -1: as it is); "" is our own
 * namespace. */
int host_link_set(struct io_host *h, const char *netns, uint32_t ifindex, uint32_t mtu,
		  const struct mac *mac, int up);
int host_link_rename(struct io_host *h, const char *netns, uint32_t ifindex, const char *name);
struct nlmsghdr;
/* Any request to the host's rtnetlink; 'cb' gets each message of the answer and returns 1. */
int host_request(struct io_host *h, struct nlmsghdr *nlh,
		 int (*cb)(const struct nlmsghdr *nlh, void *data), void *data);
/* The host's route, as worker 'w' asks. */
int host_route(struct io_host *h, struct worker *w, const struct udp_flow *f, struct dst *out);
void netdev_run(struct io_host *h);
void host_elsewhere_run(struct io_host *h);

static inline uint64_t host_route_gen(const struct io_host *h)
{
	return atomic_load_explicit(&((struct io_host *)h)->route_gen, memory_order_acquire);
}

/* tap.c */
int tap_side_add(struct io_host *h, struct dev *d, bool adopt, struct vx_err *err);
bool host_side_is_lost(struct dev *d);
/* Where the host's side of d is, and how: 0; -ENODEV: it is gone; another negative errno: somewhere,
 * and it works, but nothing is known of it. */
int host_side_find(struct dev *d, struct link_where *out);
/* Its index there. */
uint32_t host_side_index(struct dev *d);
void host_side_set_index(struct dev *d, uint32_t ifindex);
void host_side_ask(struct side_ask *a, const struct dev *d, bool adopt);
/* veth.c: the same as a veth pair; 'why' says why there is no TAP. */
int veth_side_add(struct io_host *h, struct dev *d, bool adopt, const char *why,
		  struct vx_err *err);
struct io;
int veth_side_find(struct dev *d, struct link_where *out);
uint32_t *veth_side_index(struct io *io);
/* udp.c */
int host_udp_open(void *ctx, const struct udp_sock_cfg *cfg, struct udp_sock **out,
		  struct vx_err *err);

#endif
