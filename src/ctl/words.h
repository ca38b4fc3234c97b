/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar: words as `vx` takes them (iproute2's and bridge's) to rtnetlink messages.  Used by
 * vx, by vxd -f and by the state.  Errors have iproute2's texts and exit codes (vxlan.md 9).
 */
#ifndef VX_CTL_WORDS_H
#define VX_CTL_WORDS_H

#include <libmnl/libmnl.h>

#include "net/attr.h"
#include "wire/types.h"

enum {
	WORDS_MSG_MAX = 8192,
	WORDS_ARGC_MAX = 128, /* their attributes fit a message, however often a word is repeated */
	WORDS_EXIT_USAGE = 255, /* iproute2's -1 */
	WORDS_EXIT_TYPE = 1,	/* a link type's own parser */
};

/* What the words are about, for who has to show or send the answer. */
struct words {
	/* Index of a device by name; 0 if there is none. */
	uint32_t (*ifindex)(void *ctx, const char *name);
	void *ctx;
	/* Result. */
	_Alignas(8) uint8_t buf[WORDS_MSG_MAX];
	struct nlmsghdr *nlh;
	int exit_code;	/* of an error */
	char error[512];
	char note[512]; /* something to say on stderr although all is well; or "" */
	/* While parsing. */
	int argc, at;
	char **argv;
	int family; /* of a link's addresses so far, 0 if there was none */
};

/* Words without the program's name: "link", "add", ...  0: x->nlh is a request with an ACK; -1:
 * x->error and x->exit_code say why not.  Handles what changes something: link add|set|del, fdb
 * add|append|replace|del|flush, addr add|del, route and neigh add|replace|del. */
int words_parse(struct words *x, int argc, char **argv);
/* Does words_parse() handle them? */
bool words_is_change(int argc, char **argv);

/* The options of a link type; NULL if vx has no such type. */
const struct attr_set *words_attrs(const char *kind);

/* --- for words_link.c and words_fdb.c --------------------------------------------------------- */

int words_link(struct words *x, const char *cmd);
int words_fdb(struct words *x, const char *cmd);
int words_addr(struct words *x, const char *cmd);
int words_route(struct words *x, const char *cmd);
int words_neigh(struct words *x, const char *cmd);

int words_fail(struct words *x, int exit_code, const char *fmt, ...) PRINTF(3, 4);
int words_bad_arg(struct words *x, const char *arg, const char *why);
int words_duplicate(struct words *x, const char *key, const char *arg);
int words_no_device(struct words *x, const char *name);
/* The next word, NULL at the end. */
const char *words_next(struct words *x);
/* The next word, which has to be there: NULL and an error if it is not. */
const char *words_need(struct words *x);
/* Is 'word' a beginning of 'full'?  (iproute2's matches()) */
bool words_match(const char *word, const char *full);
struct ifinfomsg *words_begin_link(struct words *x, uint16_t type, uint16_t flags);
/* A fresh message of 'type' with 'size' bytes of fixed header. */
void *words_begin(struct words *x, uint16_t type, uint16_t flags, size_t size);

#endif
