/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of OpenFlow's text by name, for flow_parse.c. */
#ifndef VX_OVS_FLOW_FIELD_H
#define VX_OVS_FLOW_FIELD_H

#include "datapath/key.h"

enum of_kind {
	OF_U8,
	OF_BE16,
	OF_U16,
	OF_LOW8, /* 8 bits in a be16 */
	OF_OP,	 /* two bytes as text, of which the key has the lower */
	OF_U32,
	OF_U64,
	OF_LABEL,
	OF_TOS,
	OF_DSCP,
	OF_ECN,
	OF_TCI,
	OF_DL_VLAN,
	OF_VID,
	OF_PCP,
	OF_MAC,
	OF_IP4,
	OF_IP6,
	OF_PORT,
	OF_FRAG,
	OF_TCP_FLAGS,
	OF_TUN_FLAGS,
	OF_NOT, /* 3.1's, but no key has it */
};

/* What has to stand before a field. */
enum of_need {
	NEED_NOTHING,
	NEED_VLAN,
	NEED_IP4,
	NEED_IP6,
	NEED_IP,
	NEED_ARP,
	NEED_TCP,
	NEED_UDP,
	NEED_SCTP,
	NEED_ICMP4,
	NEED_ICMP6,
	NEED_ND,
	NEED_NS,
	NEED_NA,
};

struct of_field {
	const char *name, *also; /* also: its other name, or NULL */
	uint8_t kind, need;
	uint16_t off; /* in struct flow_key */
};

/* By the first 'n' bytes of 'name'; NULL: there is none. */
const struct of_field *of_field_find(const char *name, size_t n);
bool of_is_met(const struct flow_key *k, enum of_need need);
/* Bytes of a number as text has it. */
uint32_t of_bytes(const struct of_field *f);
/* Could OpenFlow have it with a mask? */
bool of_takes_mask(const struct of_field *f);
void of_set_number(const struct of_field *f, struct flow_key *k, uint64_t v);
bool of_is_zero(const struct of_field *f, const struct flow_key *k);

#endif
