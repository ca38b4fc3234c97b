/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For unit tests of the stack: a struct vx whose devices are ports in memory.  Whole frames go in
 * and come out; every step ends with the accounting checked, and the end with all buffers in their
 * pool.
 */
#ifndef VX_NET_TESTING_H
#define VX_NET_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/dev.h"
#include "net/inet.h"
#include "net/napi.h"
#include "wire/icmp.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/udp.h"

enum { T_FRAME_MAX = 66000, T_PORTS = 4 /* of scripts */, T_PORTS_MAX = 16, T_OUT = 256 };

struct t_frame {
	uint32_t len;
	uint8_t *b;
};

struct t_net;

struct t_port {
	struct io io;
	struct napi napi;
	struct t_net *net;
	struct dev *dev;
	struct t_frame in[T_OUT], out[T_OUT];
	uint32_t in_head, in_tail, out_head, out_tail;
	struct t_port *peer; /* the other end of a cable; NULL: frames wait for t_out() */
	/* How injected frames come in. */
	uint8_t csum_state;
	uint32_t csum_start, split; /* offset in the frame; bytes in the linear part, 0 is all */
};

struct t_net {
	struct vx *vx;
	uint64_t now;
	struct t_port *port[T_PORTS_MAX];
	uint32_t n_ports;
	uint64_t mib[MIB_COUNT]; /* at the last t_mark() */
	struct account acct;
};

struct t_net *t_new(void);
struct t_net *t_new_workers(uint32_t n); /* ports are the first one's */
struct t_net *t_new_pools(uint32_t n, uint32_t pkts); /* so many packets and buffers per worker */
void t_end(struct t_net *t);		 /* with all checks; NULL is fine */
/* A port that is up, with an address like "10.0.0.1/24" or NULL. */
struct t_port *t_add_port(struct t_net *t, const char *name, const char *mac, const char *addr);
void t_add_addr(struct t_port *p, const char *addr);
void t_join(struct t_port *a, struct t_port *b);		     /* a cable */
void t_add_neigh(struct t_port *p, const char *ip, const char *mac); /* permanent */

void t_turn(struct t_net *t);		      /* until no work is left; checks the accounting */
void t_advance(struct t_net *t, uint64_t ns); /* time, control's turn, turn */
void t_inject(struct t_port *p, const void *frame, uint32_t len); /* and a turn */
void t_feed(struct t_port *p, const void *frame, uint32_t len);	  /* and no turn */
/* The next frame that came out, valid until the next call; NULL. */
const struct t_frame *t_out(struct t_port *p);
void t_assert_silent(struct t_port *p);
void t_check(struct t_net *t); /* the accounting */
void t_show(struct t_net *t);  /* every counter that is not 0, for whoever looks at a failure */

/* What moved since t_mark(). */
void t_mark(struct t_net *t);
uint64_t t_moved(struct t_net *t, enum mib_counter c);
uint64_t t_dropped(struct t_net *t, enum drop why);
#define T_MOVED(t, name) t_moved(t, MIB_##name)
/* All of these moved by one, every other IP, ICMP, UDP counter not at all; ends with MIB_COUNT.
 * Octets and OutTransmits are not looked at. */
void t_assert_moved(struct t_net *t, const enum mib_counter *want);
#define T_ASSERT_MOVED(t, ...) t_assert_moved(t, (const enum mib_counter[]){__VA_ARGS__, MIB_COUNT})

/* A packet of these bytes, in two pieces if 'split' is not 0; nothing is counted.  Each piece ends where
 * its buffer does, so that the sanitizer sees a read beyond.  NULL: the pool is empty. */
struct pkt *t_pkt(struct worker *w, const void *b, uint32_t len, uint32_t split);

/* --- frames ----------------------------------------------------------------------------------- */

struct t_ip {
	const char *smac, *dmac; /* NULL: those of T_HER and T_ME */
	const char *src, *dst;
	uint8_t proto, tos, ttl; /* ttl 0: 64 */
	uint16_t id, frag;
	const void *opts;
	uint32_t opts_len;
	const void *data;
	uint32_t len;
};
#define T_ME  "02:00:00:00:00:01"
#define T_HER "02:00:00:00:00:02"

struct ip_addr t_addr(const char *text);
struct mac t_mac(const char *text);
/* A frame in a static buffer of T_FRAME_MAX bytes; returns its length.  IPv4 or IPv6 by the
 * address. */
uint32_t t_ip(uint8_t *f, const struct t_ip *ip);
/* With an UDP header before data, checksum right. */
uint32_t t_udp(uint8_t *f, const struct t_ip *ip, uint16_t sport, uint16_t dport);
/* An ICMP echo request (of either family) with 'len' bytes of data. */
uint32_t t_echo(uint8_t *f, const struct t_ip *ip, uint32_t len);
void t_fix_ip4(uint8_t *f); /* header checksum of a frame that was changed */
uint32_t t_arp(uint8_t *f, uint16_t op, const char *sha, const char *spa, const char *tpa,
	       const char *dmac);

static inline struct ip4_hdr *t_ip4_of(const void *f)
{
	return (struct ip4_hdr *)((uint8_t *)f + 14);
}
static inline struct ip6_hdr *t_ip6_of(const void *f)
{
	return (struct ip6_hdr *)((uint8_t *)f + 14);
}
static inline struct udp_hdr *t_udp_of(const void *f) /* no options */
{
	return (struct udp_hdr *)((uint8_t *)f + 34);
}
static inline struct icmp_hdr *t_icmp_of(const void *f)
{
	return (struct icmp_hdr *)((uint8_t *)f + 14 + ip4_hdr_len(t_ip4_of(f)));
}
/* Header, length and ICMP checksum of an IPv4 frame are right. */
void t_assert_ip4(const struct t_frame *f, const char *src, const char *dst, uint8_t proto);
void t_assert_ip6(const struct t_frame *f, const char *src, const char *dst, uint8_t next);

#endif
