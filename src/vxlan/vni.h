/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VNI table of one socket: which device a VNI belongs to.
 *
 * Two levels of arrays indexed by the VNI itself, so no peer can slow look-ups by its choice of
 * VNIs.  Control sets and clears.  Workers look up at any time without a lock, which is safe
 * because a page, once added, stays until vni_table_free().
 */
#ifndef VX_VXLAN_VNI_H
#define VX_VXLAN_VNI_H

#include <stdatomic.h>

#include "wire/types.h"

struct dev;

enum { VNI_PAGE_BITS = 12, VNI_PAGE_SIZE = 1 << VNI_PAGE_BITS,
       VNI_PAGES = (VNI_MAX + 1) >> VNI_PAGE_BITS };

/* Open to view only for vni_table_lookup(). */
struct vni_page {
	_Atomic(struct dev *) dev[VNI_PAGE_SIZE];
};
struct vni_table {
	_Atomic(struct vni_page *) page[VNI_PAGES];
	uint32_t n;
};

struct vni_table *vni_table_new(void);	  /* NULL if out of memory */
void vni_table_free(struct vni_table *t); /* NULL is fine; no worker may still use 't' */

/* Maps 'vni' to 'dev'.  Returns 0, -EEXIST if 'vni' is mapped already, or -ENOMEM. */
int vni_table_set(struct vni_table *t, vni_t vni, struct dev *dev);

/* Unmaps 'vni', mapped or not.  Packets already in a worker's hands may still reach the old
 * device, so free that device only after the next grace period. */
void vni_table_clear(struct vni_table *t, vni_t vni);

/* Calls fn for each mapped VNI until it returns false. */
void vni_table_each(const struct vni_table *t, bool (*fn)(void *ctx, vni_t vni, struct dev *d),
		    void *ctx);

/* The device for 'vni', or NULL.  Runs once per packet. */
static inline struct dev *vni_table_lookup(const struct vni_table *t, vni_t vni)
{
	const struct vni_page *page =
		atomic_load_explicit(&t->page[vni.v >> VNI_PAGE_BITS], memory_order_acquire);

	if (!page)
		return NULL;
	return atomic_load_explicit(&page->dev[vni.v % VNI_PAGE_SIZE], memory_order_acquire);
}

#endif
