/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/flowhash.h"

#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { MAX_TAGS = 2, MAX_EXT_HDRS = 8, PROTO_SCTP = 132 };

struct flow {
	struct ip_addr a, b;
	uint32_t ports; /* source << 16 | destination; 0 where there are none */
	uint16_t type;
	uint8_t proto;
};

static void take_ports(struct flow *f, const uint8_t *l4, size_t len)
{
	be16 p[2];

	if (f->proto != IPPROTO_TCP_ && f->proto != IPPROTO_UDP_ && f->proto != IPPROTO_UDPLITE_ &&
	    f->proto != PROTO_SCTP)
		return;
	if (len < sizeof(p))
		return;
	memcpy(p, l4, sizeof(p));
	f->ports = (uint32_t)be16_get(p[0]) << 16 | be16_get(p[1]);
}

static void take_ip4(struct flow *f, const uint8_t *p, size_t len)
{
	const struct ip4_hdr *ip = (const void *)p;
	uint32_t hlen;

	if (len < sizeof(*ip))
		return;
	f->a = ip_from4(ip->src);
	f->b = ip_from4(ip->dst);
	f->proto = ip->proto;
	hlen = ip4_hdr_len(ip);
	if (hlen < sizeof(*ip) || hlen > len || (be16_get(ip->frag) & (IP4_MF | IP4_OFFSET)))
		return;
	take_ports(f, p + hlen, len - hlen);
}

static void take_ip6(struct flow *f, const uint8_t *p, size_t len)
{
	const struct ip6_hdr *ip = (const void *)p;

	if (len < sizeof(*ip))
		return;
	f->a = ip_from6(ip->src);
	f->b = ip_from6(ip->dst);
	f->proto = ip->next;
	p += sizeof(*ip);
	len -= sizeof(*ip);
	for (int i = 0; i < MAX_EXT_HDRS; i++) {
		const struct ip6_ext_hdr *ext = (const void *)p;
		size_t n;

		if (f->proto != IP6_HOPOPTS && f->proto != IP6_ROUTING && f->proto != IP6_DSTOPTS &&
		    f->proto != IP6_FRAGMENT)
			break;
		if (len < 8)
			return;
		n = f->proto == IP6_FRAGMENT ? 8 : (ext->len + 1u) * 8;
		if (f->proto == IP6_FRAGMENT) {
			f->proto = ext->next;
			return;
		}
		if (n > len)
			return;
		f->proto = ext->next;
		p += n;
		len -= n;
	}
	take_ports(f, p, len);
}

/* Some order; which does not matter. */
static int compare(const struct ip_addr *a, const struct ip_addr *b)
{
	if (a->d[0] != b->d[0])
		return a->d[0] < b->d[0] ? -1 : 1;
	return a->d[1] < b->d[1] ? -1 : a->d[1] > b->d[1];
}

/* Puts the smaller end first, so that both directions give the same key. */
static void make_symmetric(struct flow *f)
{
	int c = compare(&f->a, &f->b);
	uint16_t src = (uint16_t)(f->ports >> 16), dst = (uint16_t)f->ports;

	if (c < 0 || (c == 0 && src <= dst))
		return;
	struct ip_addr t = f->a;

	f->a = f->b;
	f->b = t;
	f->ports = (uint32_t)dst << 16 | src;
}

uint32_t flow_hash(struct hash_key key, const void *frame, size_t len)
{
	const uint8_t *p = frame;
	struct flow f = {0};
	size_t at = sizeof(struct eth_hdr);
	uint64_t h;

	if (len >= at) {
		be16 type = ((const struct eth_hdr *)frame)->type;

		for (int i = 0; i < MAX_TAGS && ethtype_is_vlan(type); i++) {
			if (len - at < sizeof(struct vlan_hdr))
				break;
			type = ((const struct vlan_hdr *)(p + at))->type;
			at += sizeof(struct vlan_hdr);
		}
		f.type = be16_get(type);
		if (f.type == ETHTYPE_IP4)
			take_ip4(&f, p + at, len - at);
		else if (f.type == ETHTYPE_IP6)
			take_ip6(&f, p + at, len - at);
	}
	make_symmetric(&f);
	h = hash_u64(key, f.a.d[0], f.a.d[1]);
	h ^= hash_u64((struct hash_key){key.b, key.a}, f.b.d[0] ^ h, f.b.d[1]);
	h = hash_u64(key, h, (uint64_t)f.ports << 32 | (uint32_t)f.type << 8 | f.proto);
	return (uint32_t)h ? (uint32_t)h : 1;
}
