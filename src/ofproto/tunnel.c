/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/tunnel.h"

#include <stdlib.h>

#include "wire/eth.h"

/* --- identity -------------------------------------------------------------------------------- */

void tunnel_id_of(const struct tunnel_cfg *c, uint32_t dp_port, struct tunnel_id *id)
{
	memset(id, 0, sizeof(*id));
	id->dp_port = dp_port;
	id->in_key_flow = c->in_key_flow;
	id->remote_flow = c->remote_flow;
	id->local_kind = (uint8_t)(c->local_flow	  ? TUNNEL_LOCAL_FLOW
				   : ip_is_any(&c->local) ? TUNNEL_LOCAL_ANY
							  : TUNNEL_LOCAL_EXACT);
	if (!c->in_key_flow)
		id->in_key = c->in_key_present ? c->in_key : 0;
	if (!c->remote_flow)
		id->remote = c->remote;
	if (id->local_kind == TUNNEL_LOCAL_EXACT)
		id->local = c->local;
}

uint64_t tunnel_id_hash(struct hash_key key, const struct tunnel_id *id)
{
	return hash_bytes(key, id, sizeof(*id));
}

/* --- map ------------------------------------------------------------------------------------- */

struct tunnel_map {
	struct hash_key key;
	uint32_t size;			   /* a power of two, at most half full */
	uint32_t in_class[TUNNEL_CLASSES]; /* a packet asks for those that are there */
	struct slot {
		struct tunnel_id id;
		void *what;
	} slot[];
};

struct tunnel_map *tunnel_map_new(struct hash_key key, uint32_t n)
{
	uint32_t size = 8;
	struct tunnel_map *m;

	while (size < 2 * n)
		size *= 2;
	m = calloc(1, sizeof(*m) + size * sizeof(m->slot[0]));
	if (m) {
		m->key = key;
		m->size = size;
	}
	return m;
}

void tunnel_map_free(struct tunnel_map *m)
{
	free(m);
}

uint32_t tunnel_class(const struct tunnel_id *id)
{
	return (id->in_key_flow * 2u + id->remote_flow) * 3u + id->local_kind;
}

static uint32_t first_slot(const struct tunnel_map *m, const struct tunnel_id *id)
{
	return (uint32_t)tunnel_id_hash(m->key, id) & (m->size - 1);
}

void tunnel_map_add(struct tunnel_map *m, const struct tunnel_id *id, void *what)
{
	uint32_t i = first_slot(m, id);

	while (m->slot[i].what)
		i = (i + 1) & (m->size - 1);
	m->slot[i].id = *id;
	m->slot[i].what = what;
	m->in_class[tunnel_class(id)]++;
}

static void *find(const struct tunnel_map *m, const struct tunnel_id *id)
{
	if (!m->in_class[tunnel_class(id)])
		return NULL;
	for (uint32_t i = first_slot(m, id); m->slot[i].what; i = (i + 1) & (m->size - 1))
		if (tunnel_id_eq(&m->slot[i].id, id))
			return m->slot[i].what;
	return NULL;
}

void *tunnel_map_find(const struct tunnel_map *m, uint32_t dp_port, const struct flow_tun *t)
{
	for (uint8_t c = 0; c < TUNNEL_CLASSES; c++) {
		struct tunnel_id id = {.dp_port = dp_port,
				       .in_key_flow = c / 6,
				       .remote_flow = c / 3 % 2,
				       .local_kind = c % 3};
		void *what;

		if (!id.in_key_flow)
			id.in_key = (uint32_t)t->id;
		if (!id.remote_flow)
			id.remote = t->src;
		if (id.local_kind == TUNNEL_LOCAL_EXACT)
			id.local = t->dst;
		what = find(m, &id);
		if (what)
			return what;
	}
	return NULL;
}

/* --- transmit -------------------------------------------------------------------------------- */

enum { ECN = 3, ECN_ECT0 = 2, ECN_CE = 3 };

static bool is_ip(const struct flow_key *k)
{
	return be16_get(k->eth_type) == ETHTYPE_IP4 || be16_get(k->eth_type) == ETHTYPE_IP6;
}

/* The ECN field is always the inner packet's. */
static void fill_tos(const struct tunnel_cfg *c, const struct flow_key *k, struct flow_key *m,
		     struct tun_info *out)
{
	out->tos = c->tos_inherit ? 0 : c->tos;
	out->ttl = c->ttl;
	if (!is_ip(k))
		return;
	m->ip_tos |= ECN;
	out->tos |= (k->ip_tos & ECN) == ECN_CE ? ECN_ECT0 : k->ip_tos & ECN;
	if (c->tos_inherit) {
		m->ip_tos |= (uint8_t)~ECN;
		out->tos |= k->ip_tos & (uint8_t)~ECN;
	}
	if (c->ttl_inherit) {
		m->ip_ttl = 0xff;
		out->ttl = k->ip_ttl;
	}
}

void tunnel_fill(const struct tunnel_cfg *c, const struct flow_key *k, const struct flow_tun *tun,
		 struct flow_key *m, struct tun_info *out)
{
	memset(out, 0, sizeof(*out)); /* compared as bytes, holes and all */
	out->dst = c->remote_flow ? tun->dst : c->remote;
	out->src = c->local_flow ? tun->src : c->local;
	out->id = c->out_key_flow ? tun->id : c->out_key_present ? c->out_key : 0;
	out->dport = c->dst_port;
	out->has_key = c->out_key_present || c->out_key_flow;
	out->df = c->df_default;
	out->has_csum = c->csum == TUNNEL_CSUM_ON;
	out->is_tx = true;
	fill_tos(c, k, m, out);
	/* A policy goes on from tunnel to tunnel. */
	if (c->gbp && tun->flags) {
		m->tun.gbp_id = 0xffff;
		m->tun.gbp_flags = 0xff;
		out->gbp = tun->gbp_id | (uint32_t)tun->gbp_flags << 16;
	}
}
