/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revalidation (spec/ovs.md 5.7, 11.21): control walks the flows, a slice at a time.  Of each it
 * pushes what was counted since the last time to ports and MAC table; removes it when it was idle
 * for too long; and translates it anew when it is new, when the snapshot is another, or when a MAC
 * that it looked up is new, elsewhere or gone.
 */
#ifndef VX_OFPROTO_REVALIDATE_H
#define VX_OFPROTO_REVALIDATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "wire/types.h"

struct dpif;
struct flow_note;

enum {
	REVALIDATE_SLICE = 1000, /* flows a call */
	REVALIDATE_SETTLE = 10000, /* flows that a change waits for */
	REVALIDATE_MS = 500,	 /* a walk begins at least so often; other_config:max-revalidator */
	REVALIDATE_CHANGE_MS = 20,  /* and at most so often when something has changed */
	REVALIDATE_IDLE_MS = 10000, /* other_config:max-idle */
	REVALIDATE_MACS = 4096,	    /* changes of a walk that are told apart */
};

/* MACs that changed; any thread adds, under 'lock'. */
struct mac_changes {
	uint32_t n;
	bool all;			    /* too many */
	uint64_t slot[2 * REVALIDATE_MACS]; /* the MAC and bit 48; 0 is free */
};

struct revalidator {
	pthread_mutex_t lock;
	struct mac_changes *coming, *now; /* 'now': of the walk that is under way */
	_Atomic uint32_t n_coming;
	uint64_t seq; /* of the snapshot that the last walk began with */
	bool walking;
	uint32_t cursor;
	uint64_t begun;		     /* the walk, ns */
	uint32_t max_idle, interval; /* ms */
	bool keep_idle;		     /* flow-restore-wait: nothing expires */
	bool soon;		     /* the next walk need not wait */
	uint32_t walks;		     /* completed */
	uint32_t max_flows, avg_flows; /* when walks began */
	uint64_t took;		     /* the last walk, ns */
	uint64_t translated;	     /* flows, anew, by all of them */
	struct flow_note **notes;    /* chunks of NOTES_CHUNK, by slot */
	uint32_t n_chunks;
};

int revalidator_init(struct dpif *d); /* 0 or -ENOMEM */
void revalidator_done(struct dpif *d);
void revalidate_run(struct dpif *d, uint64_t now);
uint64_t revalidate_wait(struct dpif *d, uint64_t now);
/* Calls for a walk now; the number of 'walks' when one that began after this is completed. */
uint32_t revalidate_soon(struct dpif *d);
/* A whole walk, at once. */
void revalidate_all(struct dpif *d, uint64_t now);
/* What changed holds for the next packet: a walk now, as far as one can be waited for. */
void revalidate_settle(struct dpif *d, uint64_t now);
/* Removes all flows; what they counted is pushed. */
void revalidate_purge(struct dpif *d, uint64_t now);
/* mac_table.changed; ctx is the struct dpif. */
void revalidate_note_mac(void *dpif, const struct mac *mac, uint16_t vlan);

#endif
