/* SPDX-License-Identifier: Apache-2.0 */
#include "net/former.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/vx.h"

struct former *former_find(struct vx *vx, const char *name)
{
	list_for_each (f, &vx->formers, struct former, node)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

int former_add(struct vx *vx, const struct former *f)
{
	struct former *mine = malloc(sizeof(*mine));

	if (!mine)
		return -ENOMEM;
	former_free(former_find(vx, f->name));
	*mine = *f;
	list_init(&mine->node);
	list_append(&vx->formers, &mine->node);
	if (f->ifindex >= vx->next_ifindex) /* none is used twice */
		vx->next_ifindex = f->ifindex + 1;
	return 0;
}

void former_of(struct former *f, struct dev *d)
{
	*f = (struct former){.ifindex = d->ifindex, .has_side = atomic_load(&d->host) != NULL};
	memcpy(f->name, d->name, sizeof(f->name));
	memcpy(f->netns, d->netns, sizeof(f->netns));
	memcpy(f->host_name, d->host_name, sizeof(f->host_name));
}

void former_free(struct former *f)
{
	if (f)
		list_remove(&f->node);
	free(f);
}

void formers_free(struct vx *vx)
{
	list_for_each_safe (f, &vx->formers, struct former, node)
		former_free(f);
}
