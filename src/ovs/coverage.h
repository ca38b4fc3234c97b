/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of events with their rates over the last five seconds, minute and hour, as 3.1's
 * coverage/show has them.  Whoever owns the events brings their counters every COVERAGE_MS.
 */
#ifndef VX_OVS_COVERAGE_H
#define VX_OVS_COVERAGE_H

#include <stdint.h>

#include "base/text.h"

enum { COVERAGE_MS = 5000, COVERAGE_NAME_MAX = 48 };

struct coverage;

struct coverage *coverage_new(uint32_t n_events); /* NULL: memory */
void coverage_free(struct coverage *c);		  /* NULL is fine */
void coverage_name(struct coverage *c, uint32_t event, const char *prefix, const char *name);
/* The counter stands at 'now'.  One that stands lower than before has begun anew: what it counted
 * counts on. */
void coverage_take(struct coverage *c, uint32_t event, uint64_t now);
/* A span of COVERAGE_MS is over. */
void coverage_step(struct coverage *c);
void coverage_show(const struct coverage *c, struct text *t);
/* False: there is no such event. */
bool coverage_read(const struct coverage *c, const char *name, uint64_t *total);

#endif
