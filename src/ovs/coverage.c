/* SPDX-License-Identifier: Apache-2.0 */
#include "ovs/coverage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { MINUTE = 12, HOUR = 60 }; /* spans in a minute, minutes in an hour */

struct event {
	char name[COVERAGE_NAME_MAX];
	uint64_t total, last;		     /* last: where the counter stood */
	uint64_t span_began;		     /* total at the last step */
	uint64_t minute[MINUTE], hour[HOUR]; /* rings: of each span, of each minute */
};

struct coverage {
	uint32_t n, steps;
	struct event e[];
};

struct coverage *coverage_new(uint32_t n_events)
{
	struct coverage *c = calloc(1, sizeof(*c) + n_events * sizeof(c->e[0]));

	if (c)
		c->n = n_events;
	return c;
}

void coverage_free(struct coverage *c)
{
	free(c);
}

void coverage_name(struct coverage *c, uint32_t event, const char *prefix, const char *name)
{
	snprintf(c->e[event].name, sizeof(c->e[event].name), "%s%s", prefix, name);
}

void coverage_take(struct coverage *c, uint32_t event, uint64_t now)
{
	struct event *e = &c->e[event];

	if (now > e->last)
		e->total += now - e->last;
	e->last = now;
}

static uint64_t sum(const uint64_t *ring, uint32_t n)
{
	uint64_t s = 0;

	while (n--)
		s += ring[n];
	return s;
}

void coverage_step(struct coverage *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		struct event *e = &c->e[i];

		e->minute[c->steps % MINUTE] = e->total - e->span_began;
		e->span_began = e->total;
		if (c->steps % MINUTE == MINUTE - 1)
			e->hour[c->steps / MINUTE % HOUR] = sum(e->minute, MINUTE);
	}
	c->steps++;
}

/* The same number for the same set of events that were hit. */
static uint32_t hash_of(const struct coverage *c)
{
	uint64_t h = 0;

	for (uint32_t i = 0; i < c->n; i++)
		for (const char *s = c->e[i].total ? c->e[i].name : ""; *s; s++)
			h = hash_mum(h ^ (uint8_t)*s, 0x9e3779b97f4a7c15ull);
	return (uint32_t)h;
}

static void show_event(const struct coverage *c, const struct event *e, struct text *t)
{
	/* The minutes that are over, and what is under way of this one. */
	uint64_t hour = sum(e->hour, HOUR) + sum(e->minute, c->steps % MINUTE);
	double span = c->steps ? (double)e->minute[(c->steps - 1) % MINUTE] : 0;

	text_printf(t, "%-24s %5.1f/sec %9.3f/sec %13.4f/sec   total: %llu\n", e->name, span / 5,
		    (double)sum(e->minute, MINUTE) / 60, (double)hour / 3600,
		    (unsigned long long)e->total);
}

void coverage_show(const struct coverage *c, struct text *t)
{
	uint32_t never = 0;

	text_printf(t,
		    "Event coverage, avg rate over last: 5 seconds, last minute, last hour,  "
		    "hash=%08x:\n",
		    hash_of(c));
	for (uint32_t i = 0; i < c->n; i++) {
		if (c->e[i].total)
			show_event(c, &c->e[i], t);
		never += !c->e[i].total;
	}
	text_printf(t, "%u events never hit\n", never);
}

bool coverage_read(const struct coverage *c, const char *name, uint64_t *total)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (!strcmp(c->e[i].name, name)) {
			*total = c->e[i].total;
			return true;
		}
	return false;
}
