/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flow key: what a packet is told apart by (spec/ovs.md 5.1), and how it is taken from one.
 *
 * A key is an array of 64-bit words, so that masks, hashes and comparisons are loops over words.
 * What most packets leave zero comes last: ARP's and ND's addresses, then the tunnel; so a key
 * says by how many words it ends (key_words()), and only those are hashed.
 *
 * Members of the wire are kept in network order.  A member that does not apply is zero.
 */
#ifndef VX_DATAPATH_KEY_H
#define VX_DATAPATH_KEY_H

#include "net/vx.h"
#include "wire/types.h"

enum flow_frag { FRAG_NO, FRAG_FIRST, FRAG_LATER }; /* FRAG_MASK: exact */
enum { FRAG_MASK = 3 };

enum flow_tun_flag { TUN_DF = 1, TUN_CSUM = 2, TUN_KEY = 4, TUN_PRESENT = 0x80 };

/* gbp of struct tun_info: the policy in the low 16 bits, flags (D 0x40, A 0x08) above. */
static inline uint16_t gbp_id(uint32_t gbp)
{
	return (uint16_t)gbp;
}

static inline uint8_t gbp_flags(uint32_t gbp)
{
	return (uint8_t)(gbp >> 16);
}

enum { VLAN_PRESENT = 0x1000, VLAN_VID = 0x0fff, VLAN_PCP = 0xe000, VLAN_PCP_SHIFT = 13 };

struct flow_vlan {
	be16 tpid;
	be16 tci; /* bit 0x1000 says that there is a tag */
};

struct flow_tun {
	struct ip_addr src, dst;
	uint64_t id; /* VNI, host order */
	be16 tp_src, tp_dst;
	uint8_t tos, ttl;
	uint8_t flags; /* enum flow_tun_flag */
	uint8_t gbp_flags;
	uint16_t gbp_id;
	uint8_t rsvd[6];
};

struct flow_key {
	uint32_t in_port, recirc_id; /* both exact in every mask */
	uint32_t skb_mark, skb_priority;

	struct mac eth_src, eth_dst;
	be16 eth_type;	  /* behind VLAN tags; 0x05ff of 802.3 without SNAP */
	uint8_t ip_frag;  /* enum flow_frag */
	uint8_t ip_proto; /* of ARP the operation */

	struct flow_vlan vlan[2];

	be16 tp_src, tp_dst; /* of ICMP type and code */
	be16 tcp_flags;	     /* 12 bits */
	uint8_t ip_tos, ip_ttl;

	struct ip_addr ip_src, ip_dst; /* ARP's, too; IPv4 as ::ffff:a.b.c.d */

	be32 ip6_label; /* 20 bits */
	uint8_t rsvd[4];

	struct ip_addr nd_target;
	struct mac sha, tha; /* ARP's; of ND the source's and target's link-layer address */
	uint8_t rsvd2[4];

	struct flow_tun tun;
};

enum {
	KEY_WORDS = sizeof(struct flow_key) / sizeof(uint64_t),
	KEY_WORDS_PLAIN = offsetof(struct flow_key, nd_target) / sizeof(uint64_t),
	KEY_WORDS_ADDRS = offsetof(struct flow_key, tun) / sizeof(uint64_t),
};
static_assert(sizeof(struct flow_key) == KEY_WORDS * 8 &&
		      offsetof(struct flow_key, nd_target) % 8 == 0 &&
		      offsetof(struct flow_key, tun) % 8 == 0 &&
		      offsetof(struct flow_key, ip_src) % 8 == 0,
	      "masks, hashes and comparisons go by words without holes");
enum { ETHTYPE_NONE = 0x05ff }; /* OpenFlow's mark of a frame without EtherType */

static inline uint64_t key_word(const struct flow_key *k, uint32_t i)
{
	uint64_t v;

	memcpy(&v, (const uint8_t *)k + i * sizeof(v), sizeof(v));
	return v;
}

/* All words from this one on are zero.  Cheap, and never too few. */
static inline uint32_t key_words(const struct flow_key *k)
{
	if (unlikely(k->tun.flags))
		return KEY_WORDS;
	return key_word(k, KEY_WORDS_ADDRS - 1) | key_word(k, KEY_WORDS_ADDRS - 2) |
			       key_word(k, KEY_WORDS_PLAIN) | key_word(k, KEY_WORDS_PLAIN + 1)
		       ? KEY_WORDS_ADDRS
		       : KEY_WORDS_PLAIN;
}

/* Hash of the first 'n' words. */
uint64_t key_hash(struct hash_key key, const struct flow_key *k, uint32_t n);

static inline bool key_has_tag(const struct flow_key *k, uint32_t i)
{
	return be16_get(k->vlan[i].tci) & VLAN_PRESENT;
}

/* What actions need to know of where the headers are, kept with the packet: 0 is "not there". */
struct flow_layers {
	uint16_t eth_type;
	uint8_t ip_proto; /* where the transport header is there whole */
	uint8_t frag;	  /* enum flow_frag, and LAYER_ROUTED */
};
/* A routing header with hops left: the pseudo-header has another destination (RFC 8200, 8.1). */
enum { LAYER_ROUTED = 0x80 };

/* Stage flow_key_extract.  p: data at the Ethernet header.  Fills 'k' and 'l', sets mac_off,
 * net_off, l4_off; all headers that 'k' tells of are linear then.  DROP_NONE, or why the packet is
 * malformed: an Ethernet header or first VLAN tag that is cut.  Other headers that are cut, or whose
 * lengths lie, are in neither of the two. */
enum drop flow_key_extract(struct worker *w, struct pkt *p, uint32_t in_port, struct flow_key *k,
			   struct flow_layers *l);

#endif
