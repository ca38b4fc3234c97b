/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a key as text has them: one table for both directions, and for set() actions. */
#ifndef VX_DATAPATH_FIELD_H
#define VX_DATAPATH_FIELD_H

#include "datapath/action.h"

enum field_kind {
	FIELD_MAC,
	FIELD_IP4, /* a struct ip_addr */
	FIELD_IP6,
	FIELD_U8,
	FIELD_X8, /* hexadecimal */
	FIELD_BE16,
	FIELD_ICMP,  /* 8 bits in a be16 */
	FIELD_LABEL, /* 20 bits in a be32, hexadecimal */
	FIELD_X64,
	FIELD_FRAG,
};

enum field_flag {
	FIELD_IF_SET = 1, /* left out where the key has zero (a tunnel's) */
};

struct field {
	const char *group, *name;
	uint8_t kind, flags;
	uint16_t off; /* in struct flow_key */
};

extern const struct field flow_fields[];
extern const uint32_t n_flow_fields;

struct flow_flag {
	uint32_t bit;
	const char *name;
};
extern const struct flow_flag tun_flag_names[3], tcp_flag_names[12], slow_path_names[8];
extern const char *const frag_names[3];

/* A set() action as a key and the bits that it sets, and back. */
void act_to_key(const struct act *a, struct flow_key *k, struct flow_key *m);

#endif
