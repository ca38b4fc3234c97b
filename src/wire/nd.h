/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour solicitation and advertisement (RFC 4861, 4.3 and 4.4). */
#ifndef VX_WIRE_ND_H
#define VX_WIRE_ND_H

#include "wire/types.h"

struct WIRE nd_msg {
	uint8_t type, code;
	be16 csum;
	be32 flags; /* of an advertisement */
	uint8_t target[16];
};
static_assert(sizeof(struct nd_msg) == 24, "RFC 4861, 4.3");

struct WIRE nd_lladdr_opt {
	uint8_t type, len; /* len in units of 8 bytes */
	struct mac addr;
};
static_assert(sizeof(struct nd_lladdr_opt) == 8, "RFC 4861, 4.6.1");

enum {
	ND_OPT_SOURCE_LLADDR = 1,
	ND_OPT_TARGET_LLADDR = 2,
};
#define ND_NA_ROUTER	0x80000000u
#define ND_NA_SOLICITED 0x40000000u
#define ND_NA_OVERRIDE	0x20000000u

#endif
