/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet.
 *
 * A packet is metadata (struct pkt) and bytes: a linear part at data[0..len), which holds all
 * headers, and optionally a chain of further packets (frags) whose bytes follow it, in order.
 * The bytes lie in a reference-counted buffer, so that a clone, a segment of a super-frame or a
 * merged packet refers to a payload and never copies it.
 *
 * One owner at a time, who passes it on, frees it with the right counter moved, or drops it
 * with a reason (worker.h).  Only bytes of a buffer with one reference may be written: pkt_cow().
 * Header positions are offsets from the start of the buffer, so pushing and pulling leaves them
 * right.  A worker allocates from its own pools; any worker may free.
 */
#ifndef VX_PKT_PKT_H
#define VX_PKT_PKT_H

#include <stdatomic.h>

#include "pkt/drop.h"
#include "wire/types.h"

#ifdef VX_NO_TRACE
enum { TRACE_IS_BUILT = 0 };
#else
enum { TRACE_IS_BUILT = 1 };
#endif

struct dev;
struct dst;
struct trace;
struct pool;

/* Bytes of a packet.  'refs' is shared by workers; all else is set once. */
struct pbuf {
	_Atomic uint32_t refs;
	uint32_t size; /* bytes in bytes[] */
	struct pool *pool;
	struct pbuf *next; /* in its pool */
	uint8_t bytes[] CACHE_ALIGNED;
};

enum {
	PKT_HEADROOM = 192,   /* outer headers (70), a VLAN tag, virtio-net header, and to spare */
	PBUF_SMALL = 2048,    /* bytes of a small buffer beyond the headroom */
	PBUF_BIG = 65536 + 64,/* the same of a big one: a super-frame and its Ethernet header */
	PKT_LEN_MAX = 65536 + 64,
};

enum csum_state {
	CSUM_NONE,	  /* nothing known */
	CSUM_UNNECESSARY, /* the innermost checksum known to be good */
	CSUM_COMPLETE,	  /* csum is the sum over everything from net_off on */
	CSUM_PARTIAL,	  /* the checksum at csum_start + csum_offset is still to be written;
			   * there lies the sum of the pseudo-header, not complemented */
	CSUM_UNSURE,	  /* from a host's socket: good, bad or unfinished (net/unfinished) */
};

enum gso_type { GSO_NONE, GSO_TCP4, GSO_TCP6, GSO_UDP }; /* GSO_UDP: UDP_SEGMENT's, v4 or v6 */

enum pkt_type { PKT_HOST, PKT_BROADCAST, PKT_MULTICAST, PKT_OTHERHOST, PKT_OUTGOING };

/* Where a packet came from through a tunnel (rx), or is to go (tx). */
struct tun_info {
	struct ip_addr src, dst;
	uint64_t id;	     /* VNI */
	uint16_t sport, dport;
	uint8_t tos, ttl;
	bool is_tx, has_csum, has_key, df;
	uint32_t label;
	uint32_t ifindex; /* rx: where the outer packet arrived */
	uint32_t gbp; /* VXLAN option; 0 is none */
};

struct pkt {
	/* First line: what every stage touches. */
	uint8_t *data;
	uint32_t len;	   /* linear bytes */
	uint32_t frag_len; /* bytes in frags */
	struct pkt *frags, *last_frag;
	struct pkt *next; /* link of the queue or chain it is in */
	struct pbuf *buf;
	struct dev *dev;
	uint32_t mac_off, net_off, l4_off; /* from buf->bytes */

	/* Second line. */
	be16 protocol; /* EtherType; of a tagged frame the tag's */
	uint32_t hash; /* flow hash; 0 is not known yet */
	uint8_t type;  /* enum pkt_type */
	uint8_t csum_state;
	uint8_t gso_type;
	uint8_t rounds;	     /* through netif_receive */
	uint8_t trace_depth;
	uint32_t csum_start; /* from buf->bytes */
	uint16_t csum_offset;
	uint16_t gso_size; /* payload bytes of a segment; 0 is no super-frame */
	uint16_t gso_segs;
	uint32_t mark;
	uint32_t csum; /* with CSUM_COMPLETE */
	struct dev *orig_dev;
	struct dst *dst; /* the worker's, valid within the turn */
	struct trace *trace;

	bool has_tun;
	bool outer_csum_ok; /* the outer UDP checksum was verified, here or by the host */
	uint8_t resubmits;
	uint8_t again; /* an encapsulation hook's: go on as this IP protocol */
	uint8_t ip_proto;   /* transport protocol while in local delivery */
	bool gso_fixed_id;  /* a super-frame whose segments have one IPv4 id (DF) */
	bool may_cut;	    /* IPv6 output: of this host's own making, may be sent in fragments */
	struct pool *pool;
	union {
		uint64_t cb[6]; /* for the stage that holds the packet; nothing survives a hand-over */
		void *cb_ptr[6];
	};
	struct tun_info tun;
};

/* A worker's supply of packets and buffers. */
struct pool *pool_new(uint32_t max_pkts, uint32_t max_small, uint32_t max_big); /* NULL: memory */
void pool_free(struct pool *p); /* all must be back; NULL is fine */

struct pool_stats {
	uint64_t pkts_out, small_out, big_out; /* not in the pool now */
};
void pool_get_stats(struct pool *p, struct pool_stats *out);

/* A packet with an empty linear part behind PKT_HEADROOM and room for 'size' bytes.
 * NULL if the pool is exhausted.  Accounting is the caller's (rx or made). */
struct pkt *pkt_new(struct pool *p, uint32_t size);
/* Another packet with the same bytes and metadata (no frags copied: chained packets are cloned,
 * too).  The trace stays with the original. */
struct pkt *pkt_clone(struct pool *p, const struct pkt *pkt);
/* A packet of its own that refers to [off, off + len) of pkt's linear part. */
struct pkt *pkt_slice(struct pool *p, const struct pkt *pkt, uint32_t off, uint32_t len);
/* Back to the pool, with its frags.  Moves no counter. */
void pkt_free(struct pkt *pkt);
/* Makes the first 'n' linear bytes and the headroom writable by this owner alone: copies the
 * linear part when the buffer is shared.  Returns 0 or -ENOMEM.  Of the bytes before 'data' the
 * last PKT_HEADROOM at least are kept; mac_off and its like move along. */
int pkt_cow(struct pool *p, struct pkt *pkt);
/* The first 'n' linear bytes become the whole linear part, in a buffer of the packet's own; those
 * behind them the first frag, by reference.  Bytes before 'data' are not kept; mac_off and its
 * like, which may not lie before it, move along.  0 or -ENOMEM, then nothing has changed. */
int pkt_split(struct pool *p, struct pkt *pkt, uint32_t n);
/* pkt_pull_frags() where the linear part is too short. */
int pkt_pull_more(struct pool *p, struct pkt *pkt, uint32_t n);
/* Appends 'frag' (with no frags of its own) behind the packet's bytes. */
void pkt_add_frag(struct pkt *pkt, struct pkt *frag);
/* Appends references to [off, off + len) of all bytes of 'from', as frags.  0 or -ENOMEM (then some
 * may be there). */
int pkt_add_slices(struct pool *p, struct pkt *to, const struct pkt *from, uint32_t off,
		   uint32_t len);
/* Cuts bytes from the end until 'len' are left in all. */
void pkt_trim(struct pkt *pkt, uint32_t len);
/* Copies [off, off + len) of all bytes.  The range must be there. */
void pkt_copy_out(const struct pkt *pkt, uint32_t off, void *to, uint32_t len);
/* Internet sum over [off, off + len) of all bytes. */
uint64_t pkt_csum(const struct pkt *pkt, uint32_t off, uint32_t len);

/* What explain records the packet's way in; NULL for most.  In a build without explain
 * (-Dtrace=disabled) always, so that the compiler drops all that depends on it. */
static inline struct trace *pkt_trace(const struct pkt *p)
{
	return TRACE_IS_BUILT ? p->trace : NULL;
}

static inline uint32_t pkt_total(const struct pkt *p)
{
	return p->len + p->frag_len;
}

static inline uint32_t pkt_headroom(const struct pkt *p)
{
	return (uint32_t)(p->data - p->buf->bytes);
}

static inline uint32_t pkt_tailroom(const struct pkt *p)
{
	return p->buf->size - pkt_headroom(p) - p->len;
}

/* Where 'data' is, as an offset for mac_off and its like. */
static inline uint32_t pkt_off(const struct pkt *p)
{
	return pkt_headroom(p);
}

static inline uint8_t *pkt_at(const struct pkt *p, uint32_t off)
{
	return p->buf->bytes + off;
}

/* Moves bytes from frags until the linear part has 'n'.  0, -EINVAL (not that long) or -ENOMEM. */
static inline int pkt_pull_frags(struct pool *p, struct pkt *pkt, uint32_t n)
{
	return likely(pkt->len >= n) ? 0 : pkt_pull_more(p, pkt, n);
}

/* The gate: NULL unless 'n' linear bytes are there; then they are, and stay, readable. */
static inline void *pkt_peek(const struct pkt *p, uint32_t n)
{
	return likely(p->len >= n) ? p->data : NULL;
}

/* As pkt_peek(), and moves 'data' behind them. */
static inline void *pkt_pull(struct pkt *p, uint32_t n)
{
	uint8_t *at = p->data;

	if (unlikely(p->len < n))
		return NULL;
	p->data += n;
	p->len -= n;
	return at;
}
#define PKT_PULL(p, type) ((const type *)pkt_pull(p, sizeof(type)))
#define PKT_PEEK(p, type) ((const type *)pkt_peek(p, sizeof(type)))

/* Undoes a pull, or makes room for a header.  The room must be there: PKT_HEADROOM covers all
 * that vx pushes. */
static inline void *pkt_push(struct pkt *p, uint32_t n)
{
	assert(pkt_headroom(p) >= n);
	p->data -= n;
	p->len += n;
	return p->data;
}

static inline void *pkt_append(struct pkt *p, uint32_t n)
{
	uint8_t *at = p->data + p->len;

	assert(pkt_tailroom(p) >= n);
	p->len += n;
	return at;
}

static inline bool pkt_is_shared(const struct pkt *p)
{
	return atomic_load_explicit(&p->buf->refs, memory_order_acquire) > 1;
}

#endif
