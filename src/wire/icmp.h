/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP (RFC 792) and ICMPv6 (RFC 4443). */
#ifndef VX_WIRE_ICMP_H
#define VX_WIRE_ICMP_H

#include "wire/types.h"

struct WIRE icmp_hdr {
	uint8_t type, code;
	be16 csum;
	union {
		struct WIRE {
			be16 id, seq;
		} echo;
		struct WIRE {
			be16 unused, mtu;
		} frag;	    /* 3/4, RFC 1191 */
		be32 info;  /* ICMPv6 2/0: mtu; 12/0 of ICMP: pointer in the first byte */
		uint8_t b[4];
	};
};
static_assert(sizeof(struct icmp_hdr) == 8, "RFC 792");

enum {
	ICMP4_ECHO_REPLY = 0,
	ICMP4_UNREACH = 3,
	ICMP4_QUENCH = 4,
	ICMP4_REDIRECT = 5,
	ICMP4_ECHO = 8,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAM = 12,
	ICMP4_LAST = 18, /* that is known */

	ICMP4_UNREACH_NET = 0,
	ICMP4_UNREACH_HOST = 1,
	ICMP4_UNREACH_PROTO = 2,
	ICMP4_UNREACH_PORT = 3,
	ICMP4_UNREACH_FRAG = 4,
	ICMP4_UNREACH_SRCROUTE = 5,

	ICMP4_EXC_TTL = 0,
	ICMP4_EXC_REASM = 1,

	ICMP6_UNREACH = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAM = 4,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_RS = 133,
	ICMP6_RA = 134,
	ICMP6_NS = 135,
	ICMP6_NA = 136,
	ICMP6_REDIRECT = 137,

	ICMP6_UNREACH_PORT = 4,
	ICMP6_EXC_REASM = 1,
	ICMP6_PARAM_FIELD = 0,
	ICMP6_PARAM_NEXT = 1,
	ICMP6_PARAM_OPTION = 2,
};

#endif
