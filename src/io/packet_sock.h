/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host interface as a port, through one AF_PACKET socket with virtio-net headers: super-frames
 * and unfinished checksums cross whole, both ways.  Link types 'packet' and 'netif' share it.
 *
 * Control makes and closes.  The worker of the napi receives; any worker may transmit.
 */
#ifndef VX_IO_PACKET_SOCK_H
#define VX_IO_PACKET_SOCK_H

#include "io/open.h"
#include "io/wake.h"
#include "net/host.h"
#include "net/link.h"
#include "net/napi.h"

/* Buffers that wait for the next recvmmsg(), shared by the ports of one worker: most frames are
 * small, so a super-frame's room is used rarely and lies ready for each of a batch. */
struct packet_reserve {
	struct pkt *small[BATCH_MAX], *big[BATCH_MAX];
};

/* What the two link types need.  The owner fills in the first part, registers the types, and
 * keeps it until after vx_free(). */
struct packet_ctx {
	struct io_wake wake;
	struct io_open open;
	/* Something that the user ought to know; one sentence.  May be NULL. */
	void (*warn)(void *ctx, const char *text);
	void *warn_ctx;

	struct link_type packet_type, netif_type; /* from here on: not the owner's */
	uint32_t n_ports;
	struct packet_reserve *reserve; /* [n_workers] while there are ports */
};

/* Options of both types. */
struct packet_opts {
	char dev[DEV_NAME_MAX];
};
enum { PACKET_NL_DEV = 0x2001 };

struct packet_port {
	struct io io;
	struct napi napi;
	struct packet_ctx *ctx;
	struct hide hide;
	int fd;
	bool always_promiscuous, is_promiscuous, mtu_is_set;
	uint32_t host_mtu;
	char host_name[DEV_NAME_MAX];
};

/* Opens o->dev and makes it d->io; MAC and MTU become the host's.  Type's newlink in large part.
 * 0, or a negative errno with a sentence. */
int packet_port_add(struct packet_ctx *c, struct dev *d, const struct link_cfg *cfg,
		    const struct packet_opts *o, const char *kind, bool promiscuous,
		    struct vx_err *err);
static inline struct packet_port *packet_port_of(struct dev *d)
{
	return container_of(atomic_load(&d->io), struct packet_port, io);
}

/* The parts of it, for a port that is another device's host side (io/veth).  pp->host_name says
 * which interface; nothing is bound yet.  0 or a negative errno with a sentence. */
int packet_port_open(struct packet_ctx *c, struct packet_port *pp, struct vx *vx,
		     struct host_link *l, struct vx_err *err);
int packet_port_bind(struct packet_port *pp, bool on); /* frames arrive while it is bound */
void packet_port_detach(struct packet_port *pp);  /* no frame comes any more */
void packet_port_release(struct packet_port *pp); /* after a grace period; pp stays the caller's */

/* What both types have in common. */
extern const struct dev_ops packet_port_dev_ops;
int packet_validate(struct vx *vx, const struct link_cfg *cfg, const void *opts, uint64_t present,
		    struct vx_err *err);
void packet_fill_info(struct dev *d, void *opts);

void packet_host_renamed(struct dev *d, const char *name); /* d: any device over that interface */
bool packet_mtu_is_set(struct dev *d); /* by control: it does not follow the interface's */

/* The host changed an interface (or, 'gone', removed it): its ports follow in MAC and MTU, as far
 * as they were not set.  Control; for the owner of the host's notifications. */
void packet_host_changed(struct vx *vx, const struct host_link *l, bool gone);

#endif
