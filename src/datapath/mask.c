/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/mask.h"

#include <stdlib.h>

void mask_finish(struct flow_key *m)
{
	m->in_port = m->recirc_id = UINT32_MAX;
	m->eth_type = be16_put(0xffff);
	m->ip_frag = FRAG_MASK;
	for (uint32_t i = 0; i < ARRAY_LEN(m->vlan); i++) {
		m->vlan[i].tpid = be16_put(0xffff);
		m->vlan[i].tci = be16_put(be16_get(m->vlan[i].tci) | VLAN_PRESENT);
	}
	m->tun.flags |= TUN_PRESENT;
}

struct mask *mask_new(const struct flow_key *key, uint32_t id)
{
	struct mask *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->id = id;
	m->key = *key;
	mask_finish(&m->key);
	for (uint32_t i = 0; i < KEY_WORDS; i++) {
		uint64_t bits = key_word(&m->key, i);

		if (!bits)
			continue;
		m->at[m->n] = (uint8_t)i;
		m->bits[m->n++] = bits;
	}
	return m;
}

uint64_t mask_hash(const struct mask *m, struct hash_key key, const uint64_t *packed)
{
	uint64_t h = key.a ^ m->id;
	uint32_t i;

	for (i = 0; i + 1 < m->n; i += 2)
		h = hash_mum(h ^ packed[i], packed[i + 1] ^ key.b ^ i);
	if (i < m->n)
		h = hash_mum(h ^ packed[i], key.b ^ i);
	return hash_mum(h ^ key.b, 0xd6e8feb86659fd93ull);
}

void mask_unpack(const struct mask *m, const uint64_t *packed, struct flow_key *k)
{
	memset(k, 0, sizeof(*k));
	for (uint32_t i = 0; i < m->n; i++)
		memcpy((uint8_t *)k + m->at[i] * sizeof(packed[i]), &packed[i], sizeof(packed[i]));
}
