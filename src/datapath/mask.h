/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which bits of a key a flow looks at (a "megaflow mask"), packed: the words that have a bit.
 *
 * A mask is made once, shared by its flows, and never changes.
 */
#ifndef VX_DATAPATH_MASK_H
#define VX_DATAPATH_MASK_H

#include "datapath/key.h"

struct mask {
	uint32_t n;  /* words */
	uint32_t id; /* seeds the hash: two masks of a table look in different buckets */
	uint32_t n_flows;
	uint8_t at[KEY_WORDS]; /* which word of the key */
	uint64_t bits[KEY_WORDS];
	struct flow_key key; /* the mask unpacked */
};

/* NULL: memory.  'm' gets the bits that are always exact (mask_finish()). */
struct mask *mask_new(const struct flow_key *m, uint32_t id);

/* What every flow looks at: the port, the EtherType, the kind of fragment, whether there is a
 * tunnel, and which tags there are, but not what they say (spec/ovs.md 5.2). */
void mask_finish(struct flow_key *m);

/* Packs k's words under the mask to 'out', which holds m->n. */
static inline void mask_apply(const struct mask *m, const struct flow_key *k, uint64_t *out)
{
	for (uint32_t i = 0; i < m->n; i++)
		out[i] = key_word(k, m->at[i]) & m->bits[i];
}

/* Is 'packed' what k is under the mask? */
static inline bool mask_matches(const struct mask *m, const struct flow_key *k,
				const uint64_t *packed)
{
	uint64_t diff = 0;

	for (uint32_t i = 0; i < m->n; i++)
		diff |= (key_word(k, m->at[i]) & m->bits[i]) ^ packed[i];
	return !diff;
}

uint64_t mask_hash(const struct mask *m, struct hash_key key, const uint64_t *packed);
/* The key of 'packed', the other bits zero. */
void mask_unpack(const struct mask *m, const uint64_t *packed, struct flow_key *k);

#endif
