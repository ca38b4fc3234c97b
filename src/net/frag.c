/* SPDX-License-Identifier: Apache-2.0 */
#include "net/frag.h"

#include <stdlib.h>

struct frag_table { int dummy; };
struct frag_table *frag_table_new(void) { return calloc(1, sizeof(struct frag_table)); }
void frag_table_free(struct frag_table *t) { free(t); }
struct pkt *ip4_defrag(struct worker *w, struct pkt *p)
{
	pkt_drop_at(w, p, DROP_ip_reasm_error, STAGE_ip_defrag);
	return NULL;
}
struct pkt *ip6_defrag(struct worker *w, struct pkt *p, uint32_t at, uint32_t prev)
{
	(void)at; (void)prev;
	pkt_drop_at(w, p, DROP_ip_reasm_error, STAGE_ip_defrag);
	return NULL;
}
uint64_t frag_held(const struct frag_table *t) { (void)t; return 0; }
void frag_turn(struct worker *w) { (void)w; }
uint64_t frag_next_timer(const struct frag_table *t) { (void)t; return UINT64_MAX; }
void frag_drop_held(struct worker *w) { (void)w; }
