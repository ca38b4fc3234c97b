/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP sockets as tunnels see them.  Two providers fill in struct udp_sock_ops: io/udp (the host's
 * sockets) and net/udp (vx's own stack).  One encapsulation hook, and nothing above knows which.
 */
#ifndef VX_NET_UDP_H
#define VX_NET_UDP_H

#include "base/list.h"
#include "net/dst.h"
#include "net/vx.h"

struct udp_sock;

/* What a tunnel sends with, and what a route is asked for. */
struct udp_flow {
	struct ip_addr dst, src; /* src none: chosen by the route */
	uint32_t ifindex;	 /* out; 0 is any */
	uint32_t mark;
	uint16_t sport, dport;
	uint16_t sport_min, sport_max; /* sport may be moved within, where it is in use */
	uint8_t tos, ttl;	 /* ttl 0: the route's hoplimit or the default */
	bool df, csum;
	uint32_t label;
};

/* The encapsulation hook (stack.md U9) for packets of one socket: data at the UDP payload, tun
 * filled in, checksum verified.  It removes from b what it takes or drops (0); what it leaves
 * goes on as ordinary UDP (> 0), or, with 'again' set to n, as IP protocol n (< 0). */
typedef void udp_encap_fn(struct worker *w, struct udp_sock *sk, struct batch *b);

struct udp_tunnel_cfg {
	void *user_data;
	uint8_t encap_type; /* 1: VXLAN */
	udp_encap_fn *rcv;
	/* An ICMP error quotes one of our datagrams: is it ours?  0 or -ENOENT.  'p' holds the quoted
	 * UDP header and what follows. */
	int (*err_lookup)(struct worker *w, struct udp_sock *sk, const uint8_t *p, uint32_t len);
	void (*destroy)(struct udp_sock *sk);
	/* GRO of outer packets (net/gro): how many bytes of tunnel header there are at p, of which
	 * 'len' can be seen, before an inner Ethernet frame; 0: this one is not to be merged.  NULL:
	 * none is. */
	uint32_t (*gro_receive)(const struct udp_sock *sk, const uint8_t *p, uint32_t len);
};

struct udp_sock_cfg {
	struct vx *vx;
	int family; /* AF_INET or AF_INET6 (IPv6 only) */
	uint16_t port;
	struct ip_addr addr; /* bound address; none: any */
	bool lite;	     /* UDP-Lite */
	bool zero_csum6_rx;  /* take IPv6 datagrams without checksum */
	bool reuse;	     /* shares address and port with others that say so (SO_REUSEADDR) */
	uint32_t rcvbuf;
};

struct udp_sock_ops {
	/* Finds the way to f->dst for 'w'.  0, or -ENETUNREACH and its like. */
	int (*route)(struct worker *w, struct udp_sock *sk, const struct udp_flow *f,
		     struct dst *out);
	/* The generation that a dst of this provider has to have. */
	uint64_t (*generation)(struct udp_sock *sk);
	/* Takes p: data at the UDP payload; sends it by f and d: now, at flush, or at the end of the
	 * turn at the latest.  Tells udp_tunnel_sent() what became of it. */
	void (*xmit)(struct worker *w, struct udp_sock *sk, struct pkt *p, const struct udp_flow *f,
		     const struct dst *d);
	void (*flush)(struct worker *w, struct udp_sock *sk);
	void (*close)(struct udp_sock *sk);
};

struct udp_sock {
	const struct udp_sock_ops *ops;
	struct udp_sock_cfg cfg;
	struct udp_tunnel_cfg tunnel; /* rcv NULL: an ordinary socket */
	struct list node;
	bool is_host;
};

/* Opens a socket of the stack form (host false) or the host form. */
int udp_sock_create(const struct udp_sock_cfg *cfg, bool host, struct udp_sock **out,
		    struct vx_err *err);
/* Makes it a tunnel's: hook, port announced to the io ports (udp_tunnel_port_add). */
void udp_tunnel_setup(struct udp_sock *sk, const struct udp_tunnel_cfg *cfg);
void udp_sock_release(struct udp_sock *sk); /* after a grace period */

/* The hook's caller, for packets that arrived at sk and passed length and checksum: data at the
 * UDP payload, tun filled in.  What is to go on as another IP protocol (again) stays in b, in the
 * stack form only.  Returns how many the hook took or left for another protocol. */
uint32_t udp_queue_rcv(struct worker *w, struct udp_sock *sk, struct batch *b);
/* Ordinary sockets, and what a hook left (net/udp).  Returns how many it took. */
uint32_t udp_queue_ordinary(struct worker *w, struct udp_sock *sk, struct batch *b);
/* A socket of vx's own stack (net/udp). */
int inet_udp_open(const struct udp_sock_cfg *cfg, struct udp_sock **out, struct vx_err *err);

/* Sends p (data at the tunnel header) for p->dev: stage udp_tunnel_xmit. */
void udp_tunnel_xmit(struct worker *w, struct udp_sock *sk, struct pkt *p,
		     const struct udp_flow *f, const struct dst *d);
/* Counts for p->dev what became of a tunnel packet with 'l3_len' inner bytes; err as an errno. */
void udp_tunnel_sent(struct worker *w, struct dev *dev, uint32_t l3_len, int family, int err);

/* Before xmit the tunnel stores here the inner length to be counted. */
static inline void udp_tunnel_set_len(struct pkt *p, uint32_t l3_len)
{
	p->cb[5] = l3_len;
}

static inline uint32_t udp_tunnel_get_len(const struct pkt *p)
{
	return (uint32_t)p->cb[5];
}

#endif
