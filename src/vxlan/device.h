/* SPDX-License-Identifier: Apache-2.0 */
/* The VXLAN device: what its files share. */
#ifndef VX_VXLAN_DEVICE_H
#define VX_VXLAN_DEVICE_H

#include "net/link.h"
#include "net/udp.h"
#include "vxlan/fdb.h"
#include "vxlan/options.h"
#include "vxlan/vni.h"

/*
 * A UDP socket and the devices on it, shared by port, family, form and receive flags
 * (vxlan.md 1.7).  Control opens and closes it.
 */
struct vxlan_sock {
	struct list node; /* vx.vxlan_socks */
	struct udp_sock *udp;
	struct vni_table *vnis;
	struct vx *vx;
	int family;
	uint16_t port;
	bool host; /* form of the underlay */
	bool zero_csum6_rx, external, gbp;
	uint32_t vni_mask; /* of a packet's VNI, for the table: 0 for an external device */
	uint32_t refs;
};

struct vxlan_dev {
	struct dev *dev;
	struct fdb fdb;
	/* Over IPv4 and over IPv6: the one of the underlay's family, of an external device both; NULL
	 * while the device is down. */
	_Atomic(struct vxlan_sock *) sock[2];
	struct info_routes *routes; /* external devices' (metadata.c) */
	/* The options as in force: replaced as a whole, readable until the next quiescent state. */
	_Atomic(struct vxlan_opts *) opts;
	uint32_t overhead; /* of the outer headers, by that family; an external device's vary */
	bool is6;  /* family of the underlay */
	bool host; /* form of the underlay */
	uint64_t next_age; /* control's timer */
};

static inline struct vxlan_dev *vxlan_dev(const struct dev *d)
{
	return d->priv;
}

static inline const struct vxlan_opts *vxlan_opts(const struct vxlan_dev *v)
{
	return atomic_load_explicit(&((struct vxlan_dev *)v)->opts, memory_order_acquire);
}

/* Registers link type "vxlan". */
int vxlan_init_module(struct vx *vx);
bool dev_is_vxlan(const struct dev *d);

/* sock.c */
int vxlan_sock_attach(struct vxlan_dev *v, struct vx_err *err); /* opens or shares */
void vxlan_sock_detach(struct vxlan_dev *v);
static inline struct vxlan_sock *vxlan_sock_of(const struct vxlan_dev *v, bool is6)
{
	return atomic_load_explicit(&((struct vxlan_dev *)v)->sock[is6], memory_order_acquire);
}

/* The socket of this kind on another port; NULL if there is none.  Any worker. */
struct vxlan_sock *vxlan_sock_on_port(const struct vxlan_sock *s, uint16_t port);

/* rcv.c: the hook, and the half of it that a local bypass uses (frame at data). */
void vxlan_rcv(struct worker *w, struct udp_sock *sk, struct batch *b);
int vxlan_err_lookup(struct worker *w, struct udp_sock *sk, const uint8_t *p, uint32_t len);
uint32_t vxlan_gro_receive(const struct udp_sock *sk, const uint8_t *p, uint32_t len);
/* Learns; false: the frame was dropped. */
bool vxlan_snoop(struct worker *w, struct vxlan_dev *v, struct pkt *p, const struct mac *src,
		 struct fdb_entry *e, const struct ip_addr *ip, uint32_t ifindex);

/* xmit.c */
void vxlan_xmit(struct worker *w, struct dev *d, struct batch *b);

/* too_big.c: p is longer than the route 'd' takes.  Tells who sent it (vxlan.md 3.9); true: p is gone
 * with that, else it goes on.  A frame that fits after all, being a super-frame, is left alone. */
struct inner;
bool vxlan_too_big(struct worker *w, struct vxlan_dev *v, struct pkt *p, const struct inner *in,
		   const struct udp_flow *f, const struct dst *d);

/* metadata.c: an external device's packets go where their tunnel information says. */
struct info_routes *info_routes_new(struct vx *vx); /* NULL if out of memory */
void vxlan_xmit_info(struct worker *w, struct dev *d, struct batch *b);

#endif
