/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of what lies on a VXLAN device: a host made of nothing.  It has links by table, host
 * sides that keep the frames they get, and UDP sockets that record each packet with its flow.
 */
#ifndef VX_VXLAN_TESTING_H
#define VX_VXLAN_TESTING_H

#include "net/testing.h"

#include "net/host.h"
#include "net/link.h"
#include "vxlan/device.h"

enum { H_SOCKS = 8, H_LINKS = 8, H_SENT = 64 };

/* A packet at a tunnel socket: what it was to be sent with, and its bytes from the VXLAN header on. */
struct h_sent {
	struct udp_flow flow;
	uint32_t len;
	uint8_t *b;
	uint16_t gso_size, gso_type;
	uint8_t csum_state;
};

struct h_host;

struct h_sock {
	struct udp_sock sk;
	struct h_host *h;
	bool open;
};

struct h_host {
	struct t_net *t;
	struct host_link links[H_LINKS];
	uint32_t n_links;
	struct h_sock sock[H_SOCKS];
	/* What the sockets say and do. */
	struct dst route;    /* of every destination */
	int route_err;	     /* 0: there is one */
	uint64_t generation; /* of routes */
	uint32_t n_routes;   /* how often one was asked for */
	struct udp_flow last_route;
	int xmit_err; /* what IP output answers */
	int open_err;
	struct h_sent sent[H_SENT];
	uint32_t sent_head, sent_tail;
	/* Frames that devices handed to their host side, in order. */
	struct t_frame in[T_OUT];
	const struct dev *in_dev[T_OUT];
	uint32_t in_head, in_tail;
	/* Of the last one: */
	uint8_t side_csum_state;
	uint16_t side_gso_size, side_gso_type;
	bool forget;		 /* keep neither packets nor frames (fuzzing) */
	/* FDB events. */
	struct {
		enum vx_event_kind kind;
		struct fdb_view v;
	} event[256];
	uint32_t n_events;
};

/* A net whose host is h: made first, before any device.  Two links: 2 "eth0", mtu 1500, and
 * 3 "eth1", mtu 100 and no IPv6. */
void h_init(struct h_host *h);
void h_init_workers(struct h_host *h, uint32_t n);
void h_init_net(struct h_host *h, struct t_net *t); /* t is h's from then on */
void h_end(struct h_host *h); /* with t_end()'s checks */

/* The options' defaults, id and port. */
struct vxlan_opts h_opts(uint32_t id, uint16_t port);
/* A device that is up; bits of 'present' beyond id and dstport. */
struct dev *h_vxlan(struct h_host *h, const char *name, const struct vxlan_opts *o,
		    uint64_t present);
int h_try(struct h_host *h, const char *name, const struct vxlan_opts *o, uint64_t present,
	  struct vx_err *err, struct dev **out);

/* A datagram for the socket of 'family' and 'port', with a turn: payload from the VXLAN header. */
void h_datagram(struct h_host *h, int family, uint16_t port, const char *src, uint8_t tos,
		const void *payload, uint32_t len);
/* A frame that d's owner sends, and a turn.  'split': bytes in the linear part, 0 is all. */
void h_send(struct h_host *h, struct dev *d, const void *frame, uint32_t len, uint32_t split);
/* The next packet at a socket, the next frame at a host side; NULL. */
const struct h_sent *h_sent(struct h_host *h);
const struct t_frame *h_got(struct h_host *h);
struct dev_stats h_stats(struct dev *d);

/* An entry as control asks for it; state is NUD bits. */
int h_fdb(struct dev *d, uint16_t nl_flags, const char *mac, const char *dst, uint16_t state,
	  uint8_t flags, struct vx_err *err);

/* VXLAN header at b, 8 bytes. */
void h_vxlan_hdr(uint8_t *b, uint32_t flags, uint32_t vni_field);

#endif
