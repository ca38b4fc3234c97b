/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP and UDP-Lite of vx's own stack (stack.md 7 and 8): sockets, receive, the provider of struct
 * udp_sock_ops for tunnels.  Control opens, binds and closes; workers receive and send.
 */
#ifndef VX_NET_UDP_INET_H
#define VX_NET_UDP_INET_H

#include "net/inet.h"
#include "net/udp.h"

struct inet_udp {
	struct udp_sock sk;		 /* first */
	_Atomic(struct inet_udp *) next; /* in its bucket */
	bool is6;
	struct ip_addr peer; /* connected to; none: to nobody */
	uint16_t peer_port;
	/* UDP-Lite: the least coverage that is taken; 0 demands all (X6); LITE_ANY takes all. */
	_Atomic uint32_t lite_min;
	_Atomic uint32_t queued; /* bytes in all queues */
	void (*_Atomic ready)(struct worker *w, struct udp_sock *sk, void *ctx);
	void *ready_ctx;
	struct pkt_queue q[]; /* [n_workers] */
};

enum { LITE_ANY = 1, UDP_RCVBUF = 212992, UDP_EPHEMERAL_LOW = 32768, UDP_EPHEMERAL_HIGH = 60999 };

static inline struct inet_udp *inet_udp_of(struct udp_sock *sk)
{
	return (struct inet_udp *)sk;
}

/* --- control: ordinary sockets (inet_udp_open() in udp.h; port 0 chooses one) --------------------
 */

int inet_udp_connect(struct udp_sock *sk, const struct ip_addr *peer, uint16_t port);
/* UDP-Lite receiver's demand: least coverage, or 0: all. */
void inet_udp_set_coverage(struct udp_sock *sk, uint32_t least);
/* 'ready' is called by a worker whose queue got something. */
void inet_udp_set_reader(struct udp_sock *sk,
			 void (*ready)(struct worker *w, struct udp_sock *sk, void *ctx),
			 void *ctx);

/* --- workers -------------------------------------------------------------------------------------
 */

struct udp_from {
	struct ip_addr src, dst;
	uint16_t sport;
	uint8_t tos, ttl;
	uint32_t ifindex;
	uint32_t len; /* of the datagram, of which at most 'size' bytes were copied */
};
/* The oldest datagram of this worker's queue: consumed.  Bytes copied, or -EAGAIN. */
int inet_udp_recv(struct worker *w, struct udp_sock *sk, void *buf, uint32_t size,
		  struct udp_from *from);
/* 0 or a negative errno. */
int inet_udp_send(struct worker *w, struct udp_sock *sk, const struct ip_addr *to, uint16_t port,
		  const void *buf, uint32_t len);

/* The best receiver of a datagram (U6), or NULL. */
struct inet_udp *udp_find(struct inet *in, bool is6, bool lite, const struct ip_addr *src,
			  uint16_t sport, const struct ip_addr *dst, uint16_t dport);
/* The first from s on that takes it. */
struct inet_udp *udp_next(struct inet_udp *s, bool is6, bool lite, const struct ip_addr *src,
			  uint16_t sport, const struct ip_addr *dst, uint16_t dport);

/* The tunnel's socket on this port whose outer packets merge (tunnel.gro_receive), or NULL. */
struct udp_sock *udp_tunnel_on(struct inet *in, bool is6, uint16_t port);

extern const struct inet_proto udp_proto, udplite_proto;
extern const struct udp_sock_ops inet_udp_ops;

uint64_t udp_held(struct worker *w);
void udp_drop_held(struct worker *w);
void udp_close(struct udp_sock *sk);
void udp_free_all(struct inet *in);
void udp_turn(struct worker *w);	/* drops what this worker holds of closed sockets */
uint32_t udp_reap(struct inet *in); /* control: frees those that hold nothing; how many are left */

/* Counters of the four kinds of UDP: MIB_Udp, MIB_Udp6, MIB_UdpLite, MIB_UdpLite6 in one order. */
enum udp_mib {
	UDP_InDatagrams,
	UDP_NoPorts,
	UDP_InErrors,
	UDP_OutDatagrams,
	UDP_RcvbufErrors,
	UDP_SndbufErrors,
	UDP_InCsumErrors,
	UDP_IgnoredMulti,
};
static_assert(MIB_UdpInCsumErrors - MIB_UdpInDatagrams == UDP_InCsumErrors &&
		      MIB_UdpLiteInCsumErrors - MIB_UdpLiteInDatagrams == UDP_InCsumErrors &&
		      MIB_Udp6InCsumErrors - MIB_Udp6InDatagrams == UDP_InCsumErrors &&
		      MIB_UdpLite6InCsumErrors - MIB_UdpLite6InDatagrams == UDP_InCsumErrors &&
		      MIB_Udp6NoPorts - MIB_Udp6InDatagrams == UDP_NoPorts &&
		      MIB_UdpIgnoredMulti - MIB_UdpInDatagrams == UDP_IgnoredMulti,
	      "mib_list.h keeps them in one order");

static inline void udp_count(struct worker *w, bool is6, bool lite, enum udp_mib what, uint32_t n)
{
	static const uint16_t base[2][2] = {{MIB_UdpInDatagrams, MIB_UdpLiteInDatagrams},
					    {MIB_Udp6InDatagrams, MIB_UdpLite6InDatagrams}};

	if (is6 && lite && what == UDP_IgnoredMulti) /* the kernel has none */
		return;
	w->mib.c[base[is6][lite] + what] += n;
}

#endif
