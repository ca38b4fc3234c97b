/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Canonical words: the inverse of the grammar (spec/control.md S1).  What is printed here
 * words_parse() reads back; `vx save`, the state file and tests are made of it.
 */
#ifndef VX_CTL_CANON_H
#define VX_CTL_CANON_H

#include "base/text.h"
#include "net/inet.h"
#include "net/link.h"
#include "net/neigh.h"
#include "net/route.h"

/* "link add NAME index N ... type KIND ...": the device as it is, down and without master; nothing
 * for one that another makes. */
void canon_link_add(struct text *t, struct dev *d);
/* "type KIND ..." of the options in the mask. */
void canon_options(struct text *t, struct vx *vx, const struct link_type *type, const void *opts,
		   uint64_t mask);
/* "link set NAME ..." of what cfg has, and of the options in the mask; nothing if there is none. */
void canon_link_set(struct text *t, struct dev *d, const struct link_cfg *cfg, const void *opts,
		    uint64_t mask);
void canon_link_del(struct text *t, struct dev *d);
/* "fdb CMD MAC dev NAME ..." */
void canon_fdb(struct text *t, struct dev *d, const char *cmd, const struct fdb_req *r);
void canon_addr(struct text *t, const char *cmd, struct dev *d, const struct ip_addr *ip,
		uint8_t plen, const struct ip_addr *broadcast);
void canon_route(struct text *t, struct vx *vx, const char *cmd, const struct route_req *r);
void canon_neigh(struct text *t, const char *cmd, struct dev *d, const struct ip_addr *ip,
		 bool has_mac, const struct mac *mac, uint16_t state);
/* A blank and the word as line_split() finds it; 'quote': in quotes even where it needs none. */
void canon_word(struct text *t, const char *s, bool quote);
/* Everything that control made, in an order that can be run. */
void canon_all(struct text *t, struct vx *vx);

#endif
