/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ip4_options.h"

#include "net/icmp.h"
#include "wire/csum.h"
#include "wire/icmp.h"
#include "wire/ip4.h"

enum {
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_RR = 7,
	OPT_TIMESTAMP = 68,
	OPT_LSRR = 131,
	OPT_SSRR = 137,
};

struct found {
	uint8_t rr;  /* offset of record route from the header, 0: none */
	uint8_t bad; /* offset of what is malformed, 0: none */
	bool source_route;
};

/* Is a route option, with its pointer, well formed?  Returns the offset of what is not, or 0. */
static uint8_t check_route(const uint8_t *o, uint32_t at, uint32_t len)
{
	if (len < 3)
		return (uint8_t)(at + 1);
	if (o[at + 2] < 4)
		return (uint8_t)(at + 2);
	if (o[at + 2] <= len && o[at + 2] + 3u > len)
		return (uint8_t)(at + 2);
	return 0;
}

static uint8_t check_timestamp(const uint8_t *o, uint32_t at, uint32_t len)
{
	if (len < 4)
		return (uint8_t)(at + 1);
	if (o[at + 2] < 5)
		return (uint8_t)(at + 2);
	if (o[at + 2] <= len && o[at + 2] + 3u > len)
		return (uint8_t)(at + 2);
	return 0;
}

static uint8_t check_one(const uint8_t *o, uint32_t at, uint32_t len, struct found *f)
{
	switch (o[at]) {
	case OPT_RR:
		if (f->rr)
			return (uint8_t)at;
		f->rr = (uint8_t)at;
		return check_route(o, at, len);
	case OPT_LSRR:
	case OPT_SSRR:
		if (f->source_route)
			return (uint8_t)at;
		f->source_route = true;
		return len < 3 ? (uint8_t)(at + 1) : o[at + 2] < 4 ? (uint8_t)(at + 2) : 0;
	case OPT_TIMESTAMP:
		return check_timestamp(o, at, len);
	default:
		return 0;
	}
}

/* The walk: 'h' is the header with all its options. */
static struct found find(const uint8_t *h, uint32_t hlen)
{
	struct found f = {0};

	for (uint32_t at = sizeof(struct ip4_hdr); at < hlen && !f.bad;) {
		uint32_t len;

		if (h[at] == OPT_END)
			break;
		if (h[at] == OPT_NOP) {
			at++;
			continue;
		}
		if (hlen - at < 2) {
			f.bad = (uint8_t)at;
			break;
		}
		len = h[at + 1];
		if (len < 2 || len > hlen - at) {
			f.bad = (uint8_t)at;
			break;
		}
		f.bad = check_one(h, at, len, &f);
		at += len;
	}
	return f;
}

/* Writes 'self' where the pointer stands, if there is room. */
static bool record(uint8_t *rr, const struct ip_addr *self)
{
	if (rr[2] > rr[1])
		return false;
	memcpy(rr + rr[2] - 1, &self->b[12], 4);
	rr[2] += 4;
	return true;
}

bool ip4_options_rcv(struct worker *w, struct pkt *p, const struct ip_addr *self)
{
	uint32_t hlen = ip4_hdr_len((const struct ip4_hdr *)p->data);
	struct found f = find(p->data, hlen);
	struct ip4_hdr *ip;

	if (f.bad) {
		MIB_INC(w, IpInHdrErrors);
		icmp_send(w, p, ICMP4_PARAM, 0, (uint32_t)f.bad << 24);
		pkt_drop_at(w, p, DROP_ip_hdr_error, STAGE_ip4_rcv_finish);
		return false;
	}
	if (f.source_route) {
		pkt_drop_at(w, p, DROP_ip_source_route, STAGE_ip4_rcv_finish);
		return false;
	}
	if (!f.rr || !ip_is4(self))
		return true;
	if (pkt_cow(w->pool, p) < 0) {
		pkt_drop_at(w, p, DROP_no_memory, STAGE_ip4_rcv_finish);
		return false;
	}
	if (record(p->data + f.rr, self)) {
		ip = (struct ip4_hdr *)p->data;
		ip->csum = (be16){0};
		ip->csum = csum(ip, hlen);
		p->csum_state = p->csum_state == CSUM_COMPLETE ? CSUM_NONE : p->csum_state;
	}
	return true;
}

uint8_t ip4_options_echo(const struct ip_addr *self, const void *h, uint8_t out[IP4_OPTS_MAX])
{
	const uint8_t *o = h;
	struct found f = find(o, ip4_hdr_len(h));
	uint8_t len;

	if (f.bad || !f.rr)
		return 0;
	len = o[f.rr + 1];
	memset(out, OPT_END, IP4_OPTS_MAX);
	memcpy(out, o + f.rr, len);
	record(out, self);
	return (uint8_t)((len + 3) & ~3);
}
