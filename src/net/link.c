/* SPDX-License-Identifier: Apache-2.0 */
#include "net/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/former.h"
#include "net/gro.h"
#include "net/handoff.h"
#include "net/host.h"
#include "net/inet.h"

struct link_type_reg {
	struct list node;
	const struct link_type *type;
};

int link_register(struct vx *vx, const struct link_type *t)
{
	struct link_type_reg *r = malloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->type = t;
	list_append(&vx->link_types, &r->node);
	return 0;
}

void link_types_free(struct vx *vx)
{
	list_for_each_safe (r, &vx->link_types, struct link_type_reg, node)
		free(r);
	list_init(&vx->link_types);
}

const struct link_type *link_type_find(struct vx *vx, const char *kind)
{
	list_for_each (r, &vx->link_types, struct link_type_reg, node)
		if (!strcmp(r->type->kind, kind))
			return r->type;
	return NULL;
}

void link_types_each(struct vx *vx, void (*fn)(void *ctx, const struct link_type *t), void *ctx)
{
	list_for_each (r, &vx->link_types, struct link_type_reg, node)
		fn(ctx, r->type);
}

static void tell(struct dev *d, enum vx_event_kind kind)
{
	if (d->vx->events.link)
		d->vx->events.link(d->vx->events.ctx, kind, d);
}

/* Do packets of d wait anywhere?  After a grace period nothing is added to d's cells any more, but
 * they, and what waits between workers and in backlogs, are emptied a bounded part a turn. */
static bool has_waiting(struct dev *d)
{
	for (uint32_t i = 0; i < d->vx->n_workers; i++)
		if (worker_has_waiting(d->vx->workers[i]))
			return true;
	return gro_cells_busy(d) || (d->ops && d->ops->held && d->ops->held(d));
}

/* A packet that waits nowhere may be in a worker's hands.  It is taken up at most three times: from
 * its cell, from another worker and from a backlog, each time for what is left of one turn.  So if
 * nothing waited at four looks in a row, with a grace period between each two, nothing is left. */
enum { LOOKS = 4 };

static bool is_busy(struct dev *d)
{
	d->quiet_looks = has_waiting(d) ? 0 : (uint8_t)(d->quiet_looks + 1);
	return d->quiet_looks < LOOKS;
}

static void dev_free(void *arg)
{
	struct dev *d = arg;

	if (!d->vx->stopping && is_busy(d)) {
		quiesce_defer(&d->vx->quiesce, dev_free, d);
		return;
	}
	list_remove(&d->node);
	for (uint32_t i = 0; i < d->vx->n_workers; i++)
		gro_cells_drop(d->vx->workers[i], d);
	if (d->ops && d->ops->uninit)
		d->ops->uninit(d);
	gro_cells_free(d);
	free(d->stats);
	free(d->priv);
	free(d->opts);
	free(d);
}

static bool name_is_valid(const char *name)
{
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (const char *c = name; *c; c++)
		if (*c == '/' || *c == ':' || *c == ' ' || (*c >= '\t' && *c <= '\r'))
			return false;
	return true;
}

static bool name_is_taken(struct vx *vx, const char *name)
{
	struct host_link l;

	return dev_by_name(vx, name) ||
	       (vx->host && vx->host->link && vx->host->link(vx->host_ctx, 0, name, &l) == 0);
}

/* A name that is free: as asked for, or a pattern's (or, for "", the kind's) first free number.
 * 'adopt': the host may have it. */
static int choose_name(struct vx *vx, const char *asked, const char *kind, bool adopt, char *name,
		       struct vx_err *err)
{
	const char *at = strstr(asked, "%d");

	if (*asked && !at) {
		if (!name_is_valid(asked) || strchr(asked, '%'))
			return vx_fail(err, -EINVAL, "\"%s\" is no valid interface name", asked);
		if (dev_by_name(vx, asked) || (!adopt && name_is_taken(vx, asked)))
			return -EEXIST;
		memcpy(name, asked, DEV_NAME_MAX);
		return 0;
	}
	if (*asked && (!name_is_valid(asked) || strchr(at + 1, '%') || strchr(asked, '%') != at))
		return vx_fail(err, -EINVAL, "\"%s\" is no valid interface name", asked);
	for (int i = 0; i < 4096; i++) {
		int n = at ? snprintf(name, DEV_NAME_MAX, "%.*s%d%s", (int)(at - asked), asked, i,
				      at + 2)
			   : snprintf(name, DEV_NAME_MAX, "%s%d", kind, i);

		if (n < DEV_NAME_MAX && !name_is_taken(vx, name))
			return 0;
	}
	return -ENFILE;
}

void link_random_mac(struct vx *vx, struct mac *m)
{
	uint64_t r = random_next(&vx->random);

	memcpy(m->b, &r, sizeof(m->b));
	m->b[0] = (uint8_t)((m->b[0] & 0xfe) | 0x02);
}

/* Allocates: device, counters, private part, options; runs the type's setup. */
static struct dev *link_create(struct vx *vx, const struct link_type *t, const char *name)
{
	struct dev *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->vx = vx;
	d->type = t;
	memcpy(d->name, name, DEV_NAME_MAX);
	list_init(&d->node);
	list_init(&d->slaves);
	list_init(&d->slave_node);
	d->mtu = 1500;
	d->min_mtu = DEV_MTU_MIN;
	d->max_mtu = DEV_MTU_MAX;
	d->flags = IFF_BROADCAST | IFF_MULTICAST;
	d->stats = aligned_alloc(CACHE_LINE, sizeof(*d->stats) * vx->n_workers);
	d->priv = calloc(1, t->priv_size + 1);
	d->opts = calloc(1, t->opts_size + 1);
	if (!d->stats || !d->priv || !d->opts) {
		free(d->stats);
		free(d->priv);
		free(d->opts);
		free(d);
		return NULL;
	}
	memset(d->stats, 0, sizeof(*d->stats) * vx->n_workers);
	t->setup(d);
	return d;
}

static void set_maker(struct dev *d, const struct link_cfg *cfg)
{
	d->owner = (uint8_t)cfg->owner;
	d->maker = (struct maker){.at = vx_now(d->vx), .how = MAKER_CONTROL};
	if (cfg->maker)
		snprintf(d->maker.text, sizeof(d->maker.text), "%s", cfg->maker);
}

/* The host's side: where the host had moved it in a former run; here, where that place is gone. */
static int add_side(struct dev *d, const struct link_cfg *cfg, const struct former *f,
		    struct vx_err *err)
{
	struct vx *vx = d->vx;
	struct vx_err moved = {0};

	if (f && *f->netns) {
		memcpy(d->netns, f->netns, sizeof(d->netns));
		memcpy(d->host_name, f->host_name, sizeof(d->host_name));
		if (vx->host->side_add(vx->host_ctx, d, cfg->adopt, &moved) == 0)
			return 0;
		d->netns[0] = d->host_name[0] = 0;
	}
	return vx->host->side_add(vx->host_ctx, d, cfg->adopt, err);
}

static void choose_index(struct dev *d, const struct link_cfg *cfg, const struct former *f)
{
	struct vx *vx = d->vx;

	if (!d->ifindex && f && f->ifindex >= VX_IFINDEX_FIRST && !dev_by_index(vx, f->ifindex))
		d->ifindex = f->ifindex;
	if (!d->ifindex)
		d->ifindex = cfg->ifindex ? cfg->ifindex : vx->next_ifindex++;
	if (d->ifindex >= vx->next_ifindex)
		vx->next_ifindex = d->ifindex + 1;
}

/* The host's side, index, master, up. */
static int link_configure(struct dev *d, const struct link_cfg *cfg, struct vx_err *err)
{
	struct vx *vx = d->vx;
	struct former *f = cfg->owner == OWNER_OVSDB ? former_find(vx, d->name) : NULL;
	int r;

	if (d->type->has_host_side && !cfg->nohost && vx->host && vx->host->side_add) {
		r = add_side(d, cfg, f, err);
		if (r < 0)
			return r;
	} else if (d->type->has_host_side) {
		d->link_flags |= DEV_NOHOST;
	}
	choose_index(d, cfg, f);
	former_free(f);
	if (cfg->has_master && cfg->master) {
		struct dev *m = dev_by_index(vx, cfg->master);

		if (!m)
			return vx_fail(err, -ENODEV, "the master is no device of vx");
		r = dev_set_master(d, m, err);
		if (r < 0)
			return r;
	}
	return cfg->has_up && cfg->up ? dev_change_flags(d, true, err) : 0;
}

int link_newlink(struct vx *vx, const struct link_type *t, const struct link_cfg *cfg,
		 const void *opts, uint64_t present, struct vx_err *err, struct dev **out)
{
	char name[DEV_NAME_MAX];
	struct dev *d;
	int r;

	if (cfg->has_mac && !mac_is_unicast(&cfg->mac))
		return vx_fail(err, -EADDRNOTAVAIL, "Provided Ethernet address is not unicast");
	if (cfg->has_mtu && (cfg->mtu < DEV_MTU_MIN || cfg->mtu > DEV_MTU_MAX))
		return vx_fail(err, -EINVAL, "MTU must be between %d and %d", DEV_MTU_MIN,
			       DEV_MTU_MAX);
	r = choose_name(vx, cfg->name, t->kind,
			cfg->takes_in || (cfg->adopt && t->has_host_side && !cfg->nohost), name,
			err);
	if (r < 0)
		return r;
	if (cfg->ifindex && cfg->ifindex < VX_IFINDEX_FIRST)
		return vx_fail(err, -EINVAL, "index %u is the host's to give: vx numbers from %d",
			       cfg->ifindex, VX_IFINDEX_FIRST);
	if (cfg->ifindex && dev_by_index(vx, cfg->ifindex))
		return vx_fail(err, -EBUSY, "index %u is in use", cfg->ifindex);
	if (*cfg->host_name && (!name_is_valid(cfg->host_name) || strchr(cfg->host_name, '%')))
		return vx_fail(err, -EINVAL, "\"%s\" is no valid interface name", cfg->host_name);
	if (t->validate) {
		r = t->validate(vx, cfg, opts, present, err);
		if (r < 0)
			return r;
	}
	d = link_create(vx, t, name);
	if (!d)
		return -ENOMEM;
	if (cfg->has_mac)
		d->mac = cfg->mac;
	else if (mac_is_zero(&d->mac))
		link_random_mac(vx, &d->mac);
	if (cfg->has_netns)
		memcpy(d->netns, cfg->netns, sizeof(d->netns));
	if (strcmp(cfg->host_name, name))
		memcpy(d->host_name, cfg->host_name, sizeof(d->host_name));
	set_maker(d, cfg);
	if (d->ops->init) {
		r = d->ops->init(d);
		if (r < 0) {
			d->ops = NULL;
			dev_free(d);
			return r;
		}
	}
	list_append(&vx->devs, &d->node);
	vx->n_devs++;
	r = t->newlink(d, cfg, opts, present, err);
	if (r == 0)
		r = link_configure(d, cfg, err);
	if (r < 0) {
		link_remove(d, false, false);
		return r;
	}
	tell(d, VX_LINK_NEW);
	if (out)
		*out = d;
	return 0;
}

int link_changelink(struct dev *d, const void *opts, uint64_t present, struct vx_err *err)
{
	int r;

	if (!d->type->changelink)
		return vx_fail(err, -EOPNOTSUPP, "options of a %s device cannot be changed",
			       d->type->kind);
	r = d->type->changelink(d, opts, present, err);
	if (r == 0 && present)
		tell(d, VX_LINK_NEW);
	return r;
}

/* Up or down, as in the kernel since Linux 6.2. */
static int link_rename(struct dev *d, const char *asked, struct vx_err *err)
{
	struct io *host = atomic_load(&d->host);
	char name[DEV_NAME_MAX];
	int r;

	if (!*asked || !strcmp(asked, d->name))
		return 0;
	r = choose_name(d->vx, asked, d->type->kind, false, name, err);
	if (r < 0)
		return r;
	if (host && host->ops->set_name && !*d->host_name) {
		r = host->ops->set_name(host, name);
		if (r < 0)
			return vx_fail(err, r, "the host refuses the name %s for its side of %s (%s)",
				       name, d->name, strerror(-r));
	}
	dev_take_name(d, name);
	return 0;
}

bool link_name_prints(const char *name)
{
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
	return true;
}

int link_follow_name(struct dev *d, const char *name)
{
	struct io *host = atomic_load(&d->host);
	bool is_taken = *d->netns ? name_is_taken(d->vx, name) : dev_by_name(d->vx, name) != NULL;

	if (!link_name_prints(name))
		return -EINVAL;
	/* Whose name the database says has another one elsewhere at most (control.md I2). */
	if (*d->host_name || is_taken || d->owner == OWNER_OVSDB) {
		if (*d->netns)
			memcpy(d->host_name, name, sizeof(d->host_name));
		return -EEXIST;
	}
	dev_take_name(d, name);
	if (host && host->ops->set_name)
		host->ops->set_name(host, name); /* whatever else is called after it */
	tell(d, VX_LINK_NEW);
	return 0;
}

int link_setlink(struct dev *d, const struct link_cfg *cfg, struct vx_err *err)
{
	struct dev *master = NULL;
	int r = 0;

	if (cfg->has_master && cfg->master) {
		master = dev_by_index(d->vx, cfg->master);
		if (!master)
			return vx_fail(err, -ENODEV, "the master is no device of vx");
	}
	if (cfg->has_master && master != d->master && d->master && d->master->owner == OWNER_OVSDB)
		return vx_fail(err, -EOPNOTSUPP, "%s is a port of %s: use ovs-vsctl del-port",
			       d->name, d->master->name);
	if (cfg->has_mac)
		r = dev_set_mac(d, &cfg->mac, err);
	if (r == 0 && cfg->has_mtu)
		r = dev_set_mtu(d, cfg->mtu, err);
	if (r == 0)
		r = link_rename(d, cfg->name, err);
	if (r == 0 && cfg->has_master)
		r = dev_set_master(d, master, err);
	if (r == 0 && cfg->has_up)
		r = dev_change_flags(d, cfg->up, err);
	if (r == 0)
		tell(d, VX_LINK_NEW);
	return r;
}

void link_remove(struct dev *d, bool keep_host, bool announced)
{
	struct vx *vx = d->vx;
	struct io *host = atomic_load(&d->host), *io = atomic_load(&d->io);
	struct former f;

	if (keep_host)
		d->link_flags |= DEV_LEFT;
	if (keep_host && d->owner == OWNER_OVSDB) {
		former_of(&f, d);
		former_add(vx, &f); /* without memory it is not known: as if there were no state */
	}
	dev_change_flags(d, false, NULL);
	while (!list_is_empty(&d->slaves))
		dev_set_master(container_of(d->slaves.next, struct dev, slave_node), NULL, NULL);
	dev_set_master(d, NULL, NULL);
	if (d->type->dellink)
		d->type->dellink(d);
	if (announced)
		tell(d, VX_LINK_DEL);
	inet_dev_gone(d);
	list_remove(&d->node);
	list_append(&vx->leaving, &d->node);
	vx->n_devs--;
	if (host)
		host->ops->close(host, keep_host);
	if (io)
		io->ops->close(io, keep_host);
	quiesce_defer(&vx->quiesce, dev_free, d);
}

/* A device goes with the one below it (vxlan.md 1.9). */
static void remove_uppers(struct dev *lower)
{
	struct vx *vx = lower->vx;
	bool found;

	do {
		found = false;
		list_for_each (d, &vx->devs, struct dev, node) {
			if (d->lower == lower) {
				link_dellink(d, false);
				found = true;
				break;
			}
		}
	} while (found);
}

void link_dellink(struct dev *d, bool keep_host)
{
	remove_uppers(d);
	link_remove(d, keep_host, true);
}

void link_follow_netns(struct dev *d, const char *netns, uint32_t host_index)
{
	remove_uppers(d);
	tell(d, VX_LINK_DEL); /* its index is another then (control.md I1) */
	if (!*netns)
		d->ifindex = host_index;
	else if (!*d->netns)
		d->ifindex = d->vx->next_ifindex++;
	snprintf(d->netns, sizeof(d->netns), "%s", netns);
	tell(d, VX_LINK_NEW);
}
