/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link type's options as one table: word, netlink number, kind, range, default, place in the
 * type's options struct.  Netlink (ctl/rtnl) and words (ctl/words) are two front ends of it;
 * dump, state, help and doc/options.md grow from it.
 *
 * A type may have at most 64 attributes: bit i of a "present" mask is attribute i.
 */
#ifndef VX_NET_ATTR_H
#define VX_NET_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum attr_kind {
	ATTR_U8,
	ATTR_U16,
	ATTR_U32,
	ATTR_BE16,  /* uint16_t here, network order in netlink */
	ATTR_BE32,  /* uint32_t here, network order in netlink */
	ATTR_BE64,  /* uint64_t here, network order in netlink */
	ATTR_BOOL,  /* bool here, u8 in netlink; words NAME and noNAME */
	ATTR_FLAG,  /* bool here, no payload in netlink; word NAME alone */
	ATTR_IP,    /* struct ip_addr; nl for IPv4, nl6 for IPv6 */
	ATTR_DEV,   /* uint32_t ifindex; word is a device name */
	ATTR_RANGE, /* struct attr_range; two be16 in netlink; two words */
	ATTR_STRING,/* char[size] */
	ATTR_WORDS, /* uint8_t: index into 'words' */
};

enum attr_flag {
	ATTR_CHANGE = 1,    /* accepted by changelink */
	ATTR_EXACT = 2,	    /* the word is not abbreviated */
	ATTR_NOT_BUILT = 4, /* refused with 'refusal' when it asks for more than the default */
	ATTR_NO_WORD = 8,   /* netlink only */
	ATTR_ZERO_NONE = 16,/* 0 is what an absent attribute means: not dumped as words */
};

struct attr_range {
	uint16_t low, high;
};

struct attr {
	const char *name, *alias; /* alias may be NULL */
	uint16_t nl, nl6;
	uint8_t kind, flags;
	uint16_t off, size; /* in the options struct */
	uint64_t min, max, def;
	const char *const *words; /* ATTR_WORDS, NULL-terminated */
	const char *why;	  /* what a parser says after `argument "X" is wrong: ` */
	const char *refusal;	  /* ATTR_NOT_BUILT: the sentence; else the one of a refused change */
	const char *arg, *help;	  /* for help and documentation */
};

struct attr_set {
	const char *kind; /* of the link type */
	const struct attr *attrs;
	uint32_t n;
	size_t opts_size;
};

/* Fills opts with the defaults. */
void attr_defaults(const struct attr_set *s, void *opts);
/* Index by netlink number; -1 if unknown.  *is6 says which of nl, nl6 it was. */
int attr_by_nl(const struct attr_set *s, uint16_t nl, bool *is6);
/* Index by word as iproute2 matches: exact, else the first in table order that begins with it.
 * *negated: it was "no" + a boolean's name. */
int attr_by_word(const struct attr_set *s, const char *word, bool *negated);
/* Value of an integral or boolean attribute in opts. */
uint64_t attr_get(const struct attr *a, const void *opts);
void attr_put(const struct attr *a, void *opts, uint64_t v);

#endif
