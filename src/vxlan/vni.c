/* SPDX-License-Identifier: Apache-2.0 */
/* VNI table; vni.h holds the contract. */
#include "vxlan/vni.h"

#include <errno.h>
#include <stdlib.h>

static_assert(ATOMIC_POINTER_LOCK_FREE == 2, "memory from calloc() has to be a valid empty table");

struct vni_table *vni_table_new(void)
{
	return calloc(1, sizeof(struct vni_table));
}

void vni_table_free(struct vni_table *t)
{
	if (!t)
		return;
	for (int i = 0; i < VNI_PAGES; i++)
		free(atomic_load_explicit(&t->page[i], memory_order_relaxed));
	free(t);
}

/* The page that covers 'vni', added if it is not there yet; NULL if out of memory. */
static struct vni_page *page_for(struct vni_table *t, vni_t vni)
{
	_Atomic(struct vni_page *) *slot = &t->page[vni.v >> VNI_PAGE_BITS];
	struct vni_page *page = atomic_load_explicit(slot, memory_order_relaxed);

	if (page)
		return page;
	page = calloc(1, sizeof(*page));
	/* Release pairs with the acquire in lookup: whoever finds the page finds it zeroed. */
	if (page)
		atomic_store_explicit(slot, page, memory_order_release);
	return page;
}

int vni_table_set(struct vni_table *t, vni_t vni, struct dev *dev)
{
	struct vni_page *page;

	assert(vni.v <= VNI_MAX && dev);
	if (vni_table_lookup(t, vni))
		return -EEXIST;
	page = page_for(t, vni);
	if (!page)
		return -ENOMEM;
	/* Release, as above: the device is complete before a worker can find it. */
	atomic_store_explicit(&page->dev[vni.v % VNI_PAGE_SIZE], dev, memory_order_release);
	t->n++;
	return 0;
}

void vni_table_clear(struct vni_table *t, vni_t vni)
{
	struct vni_page *page =
		atomic_load_explicit(&t->page[vni.v >> VNI_PAGE_BITS], memory_order_relaxed);

	if (page && atomic_exchange(&page->dev[vni.v % VNI_PAGE_SIZE], NULL))
		t->n--;
}

void vni_table_each(const struct vni_table *t, bool (*fn)(void *ctx, vni_t vni, struct dev *d),
		    void *ctx)
{
	for (uint32_t i = 0; i < VNI_PAGES; i++) {
		struct vni_page *page = atomic_load_explicit(&t->page[i], memory_order_acquire);

		for (uint32_t k = 0; page && k < VNI_PAGE_SIZE; k++) {
			struct dev *d = atomic_load_explicit(&page->dev[k], memory_order_acquire);

			if (d && !fn(ctx, (vni_t){i << VNI_PAGE_BITS | k}, d))
				return;
		}
	}
}
