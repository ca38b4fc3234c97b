/* SPDX-License-Identifier: Apache-2.0 */
/* What mac.c (look-up, learning) and mac_ctl.c (control's requests) share.  All under the lock. */
#ifndef VX_BRIDGE_MAC_PRIV_H
#define VX_BRIDGE_MAC_PRIV_H

#include "bridge/mac.h"

struct mac_index {
	uint32_t n;    /* buckets, a power of two */
	uint32_t link; /* which of an entry's two links its chains use */
	_Atomic(struct mac_entry *) bucket[];
};

static inline uint32_t mac_ticks(uint64_t now)
{
	return (uint32_t)(now / (MAC_TICK_MS * NS_PER_MS));
}

struct mac_entry *mac_find(struct mac_table *t, const struct mac *mac, uint16_t vlan);
/* NULL: the bridge's own. */
struct mac_list *mac_list_of(struct mac_table *t, struct mac_port *port);
/* Into, and out of, the list of its port and kind; around a change of either. */
void mac_list_put(struct mac_table *t, struct mac_entry *e);
void mac_list_take(struct mac_table *t, struct mac_entry *e);
/* l has one more, or one less, learnt entry. */
void mac_usage_changed(struct mac_table *t, struct mac_list *l);
void mac_usage_room(struct mac_table *t); /* there is one list more */
void mac_usage_done(struct mac_table *t);
struct mac_list *mac_usage_most(const struct mac_table *t); /* NULL: nobody has any */
/* Linked, not told; NULL: no memory, or too many entries in limbo. */
struct mac_entry *mac_entry_new(struct mac_table *t, const struct mac *mac, uint16_t vlan,
				enum mac_kind kind,
				uint8_t flags, struct mac_port *port, enum maker_how how,
				const char *maker, uint64_t now);
void mac_entry_move(struct mac_table *t, struct mac_entry *e, struct mac_port *port);
void mac_entry_remove(struct mac_table *t, struct mac_entry *e); /* told; to limbo */
struct mac_entry *mac_limbo_take(struct mac_table *t); /* NULL: none is due */
void mac_tell(struct mac_table *t, enum vx_event_kind kind, const struct mac_entry *e);
uint16_t mac_nud_state(const struct mac_entry *e);
uint8_t mac_ntf_flags(const struct mac_entry *e);

#endif
