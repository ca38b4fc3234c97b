/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ptype.h"

#include <errno.h>
#include <stdlib.h>

static int replace(struct vx *vx, struct ptype *add, struct ptype *del)
{
	struct ptype_table *old = atomic_load(&vx->ptypes), *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	for (uint32_t i = 0; old && i < old->n; i++)
		if (old->p[i] != del)
			t->p[t->n++] = old->p[i];
	if (add && t->n == PTYPES_MAX) {
		free(t);
		return -ENOSPC;
	}
	if (add)
		t->p[t->n++] = add;
	for (uint32_t i = 0; i < t->n; i++)
		t->n_taps += t->p[i]->type == PTYPE_ALL;
	atomic_store_explicit(&vx->ptypes, t, memory_order_release);
	if (old)
		quiesce_defer(&vx->quiesce, free, old);
	return 0;
}

int ptype_add(struct vx *vx, struct ptype *pt)
{
	return replace(vx, pt, NULL);
}

void ptype_del(struct vx *vx, struct ptype *pt)
{
	/* Without memory for a smaller table the old one has to go: readers are waited for. */
	if (replace(vx, NULL, pt) == 0)
		return;
	struct ptype_table *t = atomic_load(&vx->ptypes);

	quiesce_wait(&vx->quiesce);
	for (uint32_t i = 0; t && i < t->n; i++)
		if (t->p[i] == pt)
			t->p[i] = t->p[--t->n];
}
