/* SPDX-License-Identifier: Apache-2.0 */
/* Stage ip_fragment (stack.md O1): a packet that is longer than the path's MTU leaves in pieces,
 * whose payload is referenced, not copied. */
#include <errno.h>

#include "net/neigh.h"
#include "net/output.h"
#include "wire/csum.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

/* What a piece has from the whole; its transport header, or the fragment header, is at hlen. */
static void take_over(struct pkt *f, const struct pkt *p, uint32_t hlen)
{
	f->dev = p->dev;
	f->orig_dev = p->orig_dev;
	f->protocol = p->protocol;
	f->hash = p->hash;
	f->mark = p->mark;
	f->net_off = pkt_off(f);
	f->l4_off = pkt_off(f) + hlen;
	f->csum_state = p->csum_state;
	f->dst = p->dst;
}

COLD static void trace_cut(struct pkt *p, uint32_t payload, uint32_t room)
{
	if (unlikely(pkt_trace(p))) {
		struct trace_step *s = trace_add(p, STAGE_ip_fragment, SAY_CUT);

		s->u[0] = (payload + room - 1) / room;
		s->u[1] = room;
	}
}

/* --- IPv4 ----------------------------------------------------------------------------------------
 */

/* A piece with a header of its own.  Only the first keeps the options: vx sends none with the copy
 * bit (RFC 791, 3.1). */
static struct pkt *make4(struct worker *w, const struct pkt *p, uint32_t hlen, uint32_t off,
			 uint32_t len, bool last)
{
	uint32_t mine = off ? (uint32_t)sizeof(struct ip4_hdr) : hlen;
	struct pkt *f = pkt_make(w, mine);
	struct ip4_hdr *ip;

	if (!f)
		return NULL;
	if (unlikely(pkt_trace(p)))
		trace_fork(p, f);
	ip = pkt_append(f, mine);
	memcpy(ip, p->data, mine);
	if (pkt_add_slices(w->pool, f, p, hlen + off, len) < 0) {
		pkt_drop_at(w, f, DROP_no_memory, STAGE_ip_fragment);
		return NULL;
	}
	ip->ver_ihl = (uint8_t)(0x40 + mine / 4);
	ip->len = be16_put((uint16_t)(mine + len));
	ip->frag = be16_put((uint16_t)(off / 8 | (last ? 0 : IP4_MF)));
	ip->csum = (be16){0};
	ip->csum = csum(ip, mine);
	take_over(f, p, mine);
	return f;
}

int ip4_fragment(struct worker *w, struct pkt *p, uint32_t mtu)
{
	uint32_t hlen = ip4_hdr_len((const struct ip4_hdr *)p->data);
	uint32_t payload = pkt_total(p) - hlen, room = (mtu - hlen) & ~7u;
	int err = 0;

	trace_cut(p, payload, room);
	for (uint32_t off = 0; off < payload && !err; off += room) {
		uint32_t len = MIN(room, payload - off);
		struct pkt *f = make4(w, p, hlen, off, len, off + len == payload);

		if (!f) {
			err = -ENOMEM;
			break;
		}
		MIB_INC(w, IpFragCreates);
		err = neigh_output(w, f);
	}
	if (err) {
		MIB_INC(w, IpFragFails);
		pkt_drop_at(w, p, DROP_no_memory, STAGE_ip_fragment);
		return err;
	}
	MIB_INC(w, IpFragOKs);
	w->acct.merged++; /* its bytes live on in the pieces */
	pkt_free(p);
	return 0;
}

/* --- IPv6: only what this host made itself -------------------------------------------------------
 */

static struct pkt *make6(struct worker *w, const struct pkt *p, uint32_t id, uint32_t off,
			 uint32_t len, bool last)
{
	struct pkt *f = pkt_make(w, sizeof(struct ip6_hdr) + sizeof(struct ip6_frag_hdr));
	struct ip6_frag_hdr *fh;
	struct ip6_hdr *ip;

	if (!f)
		return NULL;
	if (unlikely(pkt_trace(p)))
		trace_fork(p, f);
	ip = pkt_append(f, sizeof(*ip) + sizeof(*fh));
	memcpy(ip, p->data, sizeof(*ip));
	fh = (struct ip6_frag_hdr *)(ip + 1);
	*fh = (struct ip6_frag_hdr){
		.next = ip->next, .frag = be16_put((uint16_t)(off | !last)), .id = be32_put(id)};
	if (pkt_add_slices(w->pool, f, p, (uint32_t)sizeof(*ip) + off, len) < 0) {
		pkt_drop_at(w, f, DROP_no_memory, STAGE_ip_fragment);
		return NULL;
	}
	ip->next = IP6_FRAGMENT;
	ip->payload_len = be16_put((uint16_t)(sizeof(*fh) + len));
	take_over(f, p, (uint32_t)sizeof(*ip));
	return f;
}

int ip6_fragment(struct worker *w, struct pkt *p, uint32_t mtu)
{
	const struct ip6_hdr *ip = (const struct ip6_hdr *)p->data;
	uint32_t hlen = (uint32_t)(sizeof(*ip) + sizeof(struct ip6_frag_hdr));
	uint32_t payload = pkt_total(p) - (uint32_t)sizeof(*ip), room;
	struct ip_addr src = ip_from6(ip->src), dst = ip_from6(ip->dst);
	uint32_t id = ip6_next_id(w, &src, &dst);
	int err = 0;

	room = (MAX(mtu, 1280u) - hlen) & ~7u;
	trace_cut(p, payload, room);
	for (uint32_t off = 0; off < payload && !err; off += room) {
		uint32_t len = MIN(room, payload - off);
		struct pkt *f = make6(w, p, id, off, len, off + len == payload);

		if (!f) {
			err = -ENOMEM;
			break;
		}
		MIB_INC(w, Ip6FragCreates);
		err = neigh_output(w, f);
	}
	if (err) {
		MIB_INC(w, Ip6FragFails);
		pkt_drop_at(w, p, DROP_no_memory, STAGE_ip_fragment);
		return err;
	}
	MIB_INC(w, Ip6FragOKs);
	w->acct.merged++;
	pkt_free(p);
	return 0;
}
