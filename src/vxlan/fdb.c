/* SPDX-License-Identifier: Apache-2.0 */
#include "vxlan/fdb.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <stdlib.h>

struct fdb_index {
	uint32_t n;  /* buckets, a power of two */
	uint32_t link; /* which of an entry's two links its chains use */
	_Atomic(struct fdb_entry *) bucket[];
};

enum {
	FDB_BUCKETS_MIN = 16,
	FDB_LARGE = 4096, /* buckets */
};

static struct fdb_index *index_new(uint32_t n, uint32_t link)
{
	struct fdb_index *x = calloc(1, sizeof(*x) + n * sizeof(x->bucket[0]));

	if (x) {
		x->n = n;
		x->link = link;
	}
	return x;
}

int fdb_init(struct fdb *f, struct dev *d)
{
	struct fdb_index *x = index_new(FDB_BUCKETS_MIN, 0);

	if (!x)
		return -ENOMEM;
	*f = (struct fdb){.vx = d->vx, .dev = d, .peers = {.vx = d->vx}};
	atomic_store(&f->index, x);
	pthread_mutex_init(&f->lock, NULL);
	return 0;
}

static void entry_free(void *arg)
{
	struct fdb_entry *e = arg;

	free(atomic_load(&e->more));
	free(e);
}

void fdb_done(struct fdb *f)
{
	struct fdb_index *x = atomic_load(&f->index);

	for (uint32_t i = 0; x && i < x->n; i++)
		for (struct fdb_entry *e = atomic_load(&x->bucket[i]), *next; e; e = next) {
			next = atomic_load(&e->next[x->link]);
			entry_free(e);
		}
	free(x);
	free(f->growing);
	peer_table_free(&f->peers);
	pthread_mutex_destroy(&f->lock);
}

uint64_t fdb_hash(const struct fdb *f, const struct mac *mac, uint32_t vni)
{
	uint64_t m = 0;

	memcpy(&m, mac->b, sizeof(mac->b));
	return hash_u64(f->vx->key, m, vni);
}

void fdb_prefetch(const struct fdb *f, uint64_t hash)
{
	struct fdb_index *x = atomic_load_explicit(&f->index, memory_order_acquire);

	__builtin_prefetch(&x->bucket[hash & (x->n - 1)]);
}

void fdb_prefetch_entry(const struct fdb *f, uint64_t hash)
{
	struct fdb_index *x = atomic_load_explicit(&f->index, memory_order_acquire);

	__builtin_prefetch(
		atomic_load_explicit(&x->bucket[hash & (x->n - 1)], memory_order_relaxed));
}

struct fdb_entry *fdb_lookup(const struct fdb *f, uint64_t hash, const struct mac *mac,
			     uint32_t vni)
{
	struct fdb_index *x = atomic_load_explicit(&f->index, memory_order_acquire);
	struct fdb_entry *e =
		atomic_load_explicit(&x->bucket[hash & (x->n - 1)], memory_order_acquire);

	while (e && !(mac_eq(&e->mac, mac) && fdb_entry_vni(e) == vni))
		e = atomic_load_explicit(&e->next[x->link], memory_order_acquire);
	return e;
}

struct fdb_entry *fdb_find(struct fdb *f, const struct mac *mac, uint32_t src_vni)
{
	return fdb_lookup(f, fdb_hash(f, mac, src_vni), mac, src_vni);
}

/* --- index, under the lock ----------------------------------------------------------------- */

static void index_add(struct fdb *f, struct fdb_index *x, struct fdb_entry *e)
{
	_Atomic(struct fdb_entry *) *head =
		&x->bucket[fdb_hash(f, &e->mac, fdb_entry_vni(e)) & (x->n - 1)];

	atomic_store_explicit(&e->next[x->link], atomic_load(head), memory_order_relaxed);
	/* Release: who finds the entry finds it complete. */
	atomic_store_explicit(head, e, memory_order_release);
}

static void index_del(struct fdb *f, struct fdb_index *x, struct fdb_entry *e)
{
	_Atomic(struct fdb_entry *) *at =
		&x->bucket[fdb_hash(f, &e->mac, fdb_entry_vni(e)) & (x->n - 1)];
	struct fdb_entry *q;

	while ((q = atomic_load(at)) && q != e)
		at = &q->next[x->link];
	if (q)
		atomic_store_explicit(at, atomic_load(&e->next[x->link]), memory_order_release);
}

static void grow_finish(struct fdb *f)
{
	struct fdb_index *old = atomic_load(&f->index);

	atomic_store_explicit(&f->index, f->growing, memory_order_release);
	atomic_store_explicit(&f->is_large, f->growing->n >= FDB_LARGE, memory_order_relaxed);
	f->growing = NULL;
	f->grown_at = quiesce_mark(&f->vx->quiesce);
	quiesce_defer(&f->vx->quiesce, free, old);
}

/* Moves a bounded number of entries to the larger index. */
static void grow_step(struct fdb *f)
{
	struct fdb_index *x = atomic_load(&f->index);
	uint32_t moved = 0;

	while (moved < FDB_STEP && f->grow_at < x->n) {
		struct fdb_entry *e = atomic_load(&x->bucket[f->grow_at++]);

		for (; e; e = atomic_load(&e->next[x->link]), moved++)
			index_add(f, f->growing, e);
		moved++;
	}
	if (f->grow_at == x->n)
		grow_finish(f);
}

/* In the index being filled, too, if the entry's bucket was moved already. */
static bool is_moved(struct fdb *f, const struct fdb_entry *e)
{
	struct fdb_index *x = atomic_load(&f->index);

	return f->growing &&
	       (fdb_hash(f, &e->mac, fdb_entry_vni(e)) & (x->n - 1)) < f->grow_at;
}

static void link_entry(struct fdb *f, struct fdb_entry *e)
{
	struct fdb_index *x = atomic_load(&f->index);

	index_add(f, x, e);
	if (is_moved(f, e))
		index_add(f, f->growing, e);
	f->n++;
	/* The links that a new index uses are those of the one before: its readers must be gone. */
	if (!f->growing && f->n > x->n && quiesce_has_passed(&f->vx->quiesce, f->grown_at)) {
		f->growing = index_new(x->n * 2, !x->link);
		f->grow_at = 0;
	}
	if (f->growing)
		grow_step(f);
}

static void unlink_entry(struct fdb *f, struct fdb_entry *e)
{
	if (is_moved(f, e))
		index_del(f, f->growing, e);
	index_del(f, atomic_load(&f->index), e);
	f->n--;
}

/* --- remotes, under the lock ---------------------------------------------------------------- */

static uint32_t remotes(const struct fdb_entry *e)
{
	struct fdb_more *m = atomic_load(&((struct fdb_entry *)e)->more);

	return m ? m->n : atomic_load(&((struct fdb_entry *)e)->peer) ? 1 : 0;
}

static struct peer *remote_at(const struct fdb_entry *e, uint32_t i)
{
	struct fdb_more *m = atomic_load(&((struct fdb_entry *)e)->more);

	return m ? m->peer[i] : atomic_load(&((struct fdb_entry *)e)->peer);
}

static bool by_control(const struct fdb_entry *e)
{
	return fdb_entry_how(e) != MAKER_LEARNED;
}

static bool peer_is(const struct peer *p, const struct fdb_remote *to)
{
	return ip_eq(&p->ip, &to->ip) && p->port == to->port && p->vni == to->vni &&
	       p->ifindex == to->ifindex;
}

static int find_remote(const struct fdb_entry *e, const struct fdb_remote *to)
{
	for (uint32_t i = 0; i < remotes(e); i++)
		if (peer_is(remote_at(e, i), to))
			return (int)i;
	return -1;
}

/* Publishes the list of 'n' peers; the old list goes after a grace period. */
static int set_remotes(struct fdb *f, struct fdb_entry *e, struct peer **list, uint32_t n)
{
	struct fdb_more *old = atomic_load(&e->more), *m = NULL;

	if (n > 1) {
		m = malloc(sizeof(*m) + n * sizeof(m->peer[0]));
		if (!m)
			return -ENOMEM;
		m->n = n;
		memcpy(m->peer, list, n * sizeof(m->peer[0]));
	}
	atomic_store_explicit(&e->peer, list[0], memory_order_release);
	atomic_store_explicit(&e->more, m, memory_order_release);
	if (old)
		quiesce_defer(&f->vx->quiesce, free, old);
	return 0;
}

static int add_remote(struct fdb *f, struct fdb_entry *e, const struct fdb_remote *to)
{
	uint32_t n = remotes(e);
	struct peer **list = malloc((n + 1) * sizeof(*list));
	struct peer *p = peer_get(&f->peers, &to->ip, to->port, to->vni, to->ifindex,
				  by_control(e));
	int r = -ENOMEM;

	if (list && p) {
		for (uint32_t i = 0; i < n; i++)
			list[i] = remote_at(e, i);
		list[n] = p;
		r = set_remotes(f, e, list, n + 1);
	}
	if (r < 0 && p)
		peer_put(&f->peers, p, by_control(e));
	free(list);
	return r;
}

/* Not the last one. */
static int del_remote(struct fdb *f, struct fdb_entry *e, uint32_t which)
{
	uint32_t n = remotes(e), k = 0;
	struct peer *gone = remote_at(e, which), **list = malloc(n * sizeof(*list));
	int r;

	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		if (i != which)
			list[k++] = remote_at(e, i);
	r = set_remotes(f, e, list, n - 1);
	free(list);
	if (r == 0)
		peer_put(&f->peers, gone, by_control(e));
	return r;
}

/* --- entries --------------------------------------------------------------------------------- */

static void view_at(struct fdb *f, const struct fdb_entry *e, uint32_t i, struct fdb_view *v)
{
	struct peer *p = remotes(e) ? remote_at(e, i) : NULL;
	uint32_t now = fdb_ticks(vx_now(f->vx));
	uint64_t tick = FDB_TICK_MS * NS_PER_MS;
	struct fdb_entry *me = (struct fdb_entry *)e;

	*v = (struct fdb_view){
		.mac = e->mac,
		.state = e->state,
		.flags = e->flags,
		.protocol = (uint8_t)e->protocol,
		.src_vni = fdb_entry_vni(e),
		.used = (uint32_t)(now - atomic_load_explicit(&me->used, memory_order_relaxed)) *
			tick,
		.updated = (uint32_t)(now -
				      atomic_load_explicit(&me->updated, memory_order_relaxed)) *
			   tick,
		.maker = {.at = e->created * tick, .how = (uint8_t)fdb_entry_how(e)},
	};
	if (!p)
		return;
	v->has_dst = true;
	v->dst = p->ip;
	v->port = p->port;
	v->vni = p->vni;
	v->ifindex = p->ifindex;
}

void fdb_view_of(struct fdb *f, const struct fdb_entry *e, uint32_t remote, struct fdb_view *v)
{
	view_at(f, e, remote, v);
}

static void tell(struct fdb *f, enum vx_event_kind kind, const struct fdb_entry *e, uint32_t i)
{
	struct fdb_view v;

	if (!f->vx->events.fdb)
		return;
	view_at(f, e, i, &v);
	f->vx->events.fdb(f->vx->events.ctx, kind, f->dev, &v);
}

static struct fdb_entry *entry_new(struct fdb *f, const struct mac *mac, uint32_t vni,
				   uint8_t state, uint8_t flags, enum maker_how how,
				   const struct fdb_remote *to, uint64_t now)
{
	struct fdb_entry *e;
	struct peer *p;

	if (f->limit && f->n >= f->limit)
		return NULL;
	e = aligned_alloc(8, sizeof(*e));
	p = peer_get(&f->peers, &to->ip, to->port, to->vni, to->ifindex, how != MAKER_LEARNED);
	if (!e || !p) {
		free(e);
		if (p)
			peer_put(&f->peers, p, how != MAKER_LEARNED);
		return NULL;
	}
	memset(e, 0, sizeof(*e));
	e->mac = *mac;
	e->vni = vni << 8 | how;
	e->state = state;
	e->flags = flags;
	e->seq = f->seq++;
	e->created = fdb_ticks(now);
	atomic_store(&e->used, e->created);
	atomic_store(&e->updated, e->created);
	atomic_store(&e->peer, p);
	link_entry(f, e);
	return e;
}

static void entry_remove(struct fdb *f, struct fdb_entry *e)
{
	unlink_entry(f, e);
	for (uint32_t i = 0; i < remotes(e); i++) {
		tell(f, VX_FDB_DEL, e, i);
		peer_put(&f->peers, remote_at(e, i), by_control(e));
	}
	quiesce_defer(&f->vx->quiesce, entry_free, e);
}

static void touch(_Atomic uint32_t *at, uint32_t now)
{
	/* A store only when it changes: other workers read this line. */
	if (atomic_load_explicit(at, memory_order_relaxed) != now)
		atomic_store_explicit(at, now, memory_order_relaxed);
}

void fdb_touch_used(struct fdb_entry *e, uint64_t now)
{
	touch(&e->used, fdb_ticks(now));
}

/* --- learning --------------------------------------------------------------------------------- */

static enum fdb_learned learn_new(struct fdb *f, const struct mac *mac, uint32_t vni,
				  const struct fdb_remote *to, uint64_t now,
				  struct fdb_entry **out)
{
	struct fdb_entry *e;
	enum fdb_learned r = FDB_KEEP;

	pthread_mutex_lock(&f->lock);
	e = fdb_find(f, mac, vni); /* another worker may have been faster */
	if (!e) {
		e = entry_new(f, mac, vni, FDB_REACHABLE, NTF_SELF, MAKER_LEARNED, to, now);
		r = e ? FDB_NEW : FDB_FULL;
		if (e)
			tell(f, VX_FDB_NEW, e, 0);
	}
	*out = e;
	pthread_mutex_unlock(&f->lock);
	return r;
}

/* Only the first remote's address moves; its port and VNI stay (2.3, 2e).  The interface is the one
 * that the new address needs: the kernel keeps the old one, and then every frame roams again. */
static enum fdb_learned roam(struct fdb *f, struct fdb_entry *e, const struct ip_addr *ip,
			     uint32_t ifindex)
{
	enum fdb_learned r = FDB_KEEP;
	struct peer *old, *p;

	pthread_mutex_lock(&f->lock);
	old = atomic_load(&e->peer);
	/* Control may have been faster: the entry may be gone, or no longer roam. */
	if (fdb_find(f, &e->mac, fdb_entry_vni(e)) == e && !ip_eq(&old->ip, ip) &&
	    !(atomic_load(&e->state) & (FDB_PERMANENT | FDB_NOARP)) && !atomic_load(&e->more)) {
		p = peer_get(&f->peers, ip, old->port, old->vni, ifindex, by_control(e));
		if (p) {
			atomic_store_explicit(&e->peer, p, memory_order_release);
			peer_put(&f->peers, old, by_control(e));
			tell(f, VX_FDB_NEW, e, 0);
			r = FDB_ROAMED;
		}
	}
	pthread_mutex_unlock(&f->lock);
	return r;
}

static bool is_at(const struct fdb_entry *e, const struct ip_addr *ip, uint32_t ifindex)
{
	const struct peer *p =
		atomic_load_explicit(&((struct fdb_entry *)e)->peer, memory_order_acquire);

	return likely(ip_eq(&p->ip, ip) && p->ifindex == ifindex);
}

static bool is_fixed(const struct fdb_entry *e)
{
	return atomic_load_explicit(&((struct fdb_entry *)e)->state, memory_order_relaxed) &
	       (FDB_PERMANENT | FDB_NOARP);
}

enum fdb_learned fdb_check(const struct fdb_entry *e, const struct ip_addr *ip, uint32_t ifindex)
{
	return e && !is_at(e, ip, ifindex) && is_fixed(e) ? FDB_STATIC : FDB_KEEP;
}

enum fdb_learned fdb_learn(struct fdb *f, const struct mac *mac, uint32_t vni,
			   const struct ip_addr *ip, uint32_t ifindex, uint16_t port,
			   uint64_t now, struct fdb_entry **e)
{
	if (!*e) {
		struct fdb_remote to = {*ip, port, vni, ifindex};

		return learn_new(f, mac, vni, &to, now, e);
	}
	touch(&(*e)->updated, fdb_ticks(now));
	if (is_at(*e, ip, ifindex))
		return FDB_KEEP;
	if (is_fixed(*e))
		return FDB_STATIC;
	return roam(f, *e, ip, ifindex);
}

/* --- requests of control ------------------------------------------------------------------ */

static bool is_unicast(const struct mac *m)
{
	return mac_is_unicast(m);
}

/* "use" asks for a refresh and is no property of the entry. */
static uint8_t stored_flags(const struct fdb_req *r)
{
	return r->flags & (uint8_t)~NTF_USE;
}

static int create(struct fdb *f, const struct fdb_req *r, uint32_t vni,
		  const struct fdb_remote *to, enum maker_how how)
{
	struct fdb_entry *e;

	if (!(r->nl_flags & NLM_F_CREATE))
		return -ENOENT;
	if ((r->nl_flags & NLM_F_REPLACE) && !is_unicast(&r->mac))
		return -EOPNOTSUPP;
	if (f->limit && f->n >= f->limit)
		return -ENOSPC;
	e = entry_new(f, &r->mac, vni, (uint8_t)r->state, stored_flags(r), how, to, vx_now(f->vx));
	if (!e)
		return -ENOMEM;
	e->protocol = r->has_protocol ? r->protocol : 0;
	tell(f, VX_FDB_NEW, e, 0);
	return 0;
}

/* The entry is control's from now on, whoever made it. */
static void claim(struct fdb_entry *e, enum maker_how how)
{
	if (!by_control(e) && how != MAKER_LEARNED)
		for (uint32_t i = 0; i < remotes(e); i++)
			atomic_fetch_add(&remote_at(e, i)->control_refs, 1);
	atomic_store(&e->vni, fdb_entry_vni(e) << 8 | how);
}

static int replace_remote(struct fdb *f, struct fdb_entry *e, const struct fdb_remote *to,
			  bool *changed)
{
	struct peer *old = remote_at(e, 0), *p;

	if (peer_is(old, to))
		return 0;
	p = peer_get(&f->peers, &to->ip, to->port, to->vni, to->ifindex, by_control(e));
	if (!p)
		return -ENOMEM;
	atomic_store_explicit(&e->peer, p, memory_order_release);
	peer_put(&f->peers, old, by_control(e));
	*changed = true;
	return 0;
}

static int change(struct fdb *f, struct fdb_entry *e, const struct fdb_req *r,
		  const struct fdb_remote *to, enum maker_how how, struct vx_err *err)
{
	bool unicast = is_unicast(&r->mac), changed = false;
	/* Who learns elsewhere may move an entry of control's, not take it over (4.2). */
	bool keeps_state = (r->flags & NTF_EXT_LEARNED) && fdb_entry_how(e) == MAKER_CONTROL;
	uint32_t at = 0;
	int rc = 0;

	if (r->nl_flags & NLM_F_EXCL)
		return -EEXIST;
	if ((r->nl_flags & NLM_F_REPLACE) && !unicast)
		return vx_fail(err, -EOPNOTSUPP, "Cannot replace non-unicast fdb entries");
	if ((r->nl_flags & NLM_F_APPEND) && unicast && find_remote(e, to) < 0)
		return vx_fail(err, -EEXIST,
			       "a unicast entry has one remote: change it with \"vx fdb replace\"");
	claim(e, how);
	if ((r->nl_flags & NLM_F_REPLACE))
		rc = replace_remote(f, e, to, &changed);
	else if ((r->nl_flags & NLM_F_APPEND) && !unicast && find_remote(e, to) < 0) {
		rc = add_remote(f, e, to);
		at = remotes(e) - 1;
		changed = rc == 0;
	}
	if (rc < 0)
		return rc;
	if (!keeps_state &&
	    (atomic_load(&e->state) != (uint8_t)r->state || e->flags != stored_flags(r))) {
		atomic_store(&e->state, (uint8_t)r->state);
		e->flags = stored_flags(r);
		changed = true;
	}
	atomic_store(&e->updated, fdb_ticks(vx_now(f->vx)));
	if (changed)
		tell(f, VX_FDB_NEW, e, at);
	return 0;
}

int fdb_update(struct fdb *f, const struct fdb_req *r, uint32_t src_vni,
	       const struct fdb_remote *to, enum maker_how how, struct vx_err *err)
{
	struct fdb_entry *e;
	int rc;

	if (!(r->state & (FDB_PERMANENT | FDB_REACHABLE)))
		return -EINVAL;
	pthread_mutex_lock(&f->lock);
	e = fdb_find(f, &r->mac, src_vni);
	rc = e ? change(f, e, r, to, how, err) : create(f, r, src_vni, to, how);
	pthread_mutex_unlock(&f->lock);
	return rc;
}

static int delete_locked(struct fdb *f, const struct mac *mac, uint32_t src_vni,
			 const struct fdb_remote *to, struct vx_err *err)
{
	struct fdb_entry *e = fdb_find(f, mac, src_vni);
	char ip[IP_TEXT_MAX];
	int i;

	if (!e)
		return -ENOENT;
	if (!to) {
		entry_remove(f, e);
		return 0;
	}
	i = find_remote(e, to);
	if (i < 0)
		return vx_fail(err, -ENOENT,
			       "the entry has no such remote %s: \"vx fdb show dev %s\" lists them",
			       ip_text(&to->ip, ip), f->dev->name);
	if (remotes(e) == 1) {
		entry_remove(f, e);
		return 0;
	}
	tell(f, VX_FDB_DEL, e, (uint32_t)i);
	return del_remote(f, e, (uint32_t)i);
}

int fdb_delete(struct fdb *f, const struct mac *mac, uint32_t src_vni, const struct fdb_remote *to,
	       struct vx_err *err)
{
	int rc;

	pthread_mutex_lock(&f->lock);
	rc = delete_locked(f, mac, src_vni, to, err);
	pthread_mutex_unlock(&f->lock);
	return rc;
}

/* --- all entries ----------------------------------------------------------------------------- */

static int newest_first(const void *a, const void *b)
{
	uint32_t x = (*(struct fdb_entry *const *)a)->seq, y = (*(struct fdb_entry *const *)b)->seq;

	return x == y ? 0 : (int32_t)(y - x) < 0 ? -1 : 1;
}

/* All entries in an array of *n, under the lock; NULL if there are none or no memory (then *n is not
 * 0). */
static struct fdb_entry **collect(struct fdb *f, uint32_t *n)
{
	struct fdb_index *x = atomic_load(&f->index);
	struct fdb_entry **list;
	uint32_t k = 0;

	*n = f->n;
	list = f->n ? malloc(f->n * sizeof(*list)) : NULL;
	if (!list)
		return NULL;
	for (uint32_t i = 0; i < x->n; i++)
		for (struct fdb_entry *e = atomic_load(&x->bucket[i]); e;
		     e = atomic_load(&e->next[x->link]))
			list[k++] = e;
	assert(k == f->n);
	return list;
}

static void sort(struct fdb_entry **list, uint32_t n)
{
	if (list)
		qsort(list, n, sizeof(*list), newest_first);
}

int fdb_walk(struct fdb *f, int (*fn)(void *ctx, const struct fdb_view *e), void *ctx)
{
	struct fdb_entry **list;
	struct fdb_view v;
	uint32_t n;
	int rc = 0;

	pthread_mutex_lock(&f->lock);
	list = collect(f, &n);
	/* Workers may learn meanwhile; entries and peers are freed by control alone, which is here. */
	pthread_mutex_unlock(&f->lock);
	if (!list && n)
		rc = -ENOMEM;
	sort(list, n);
	for (uint32_t i = 0; list && i < n && !rc; i++)
		for (uint32_t k = 0; k < remotes(list[i]) && !rc; k++) {
			view_at(f, list[i], k, &v);
			rc = fn(ctx, &v);
		}
	free(list);
	return rc;
}

static bool entry_matches(const struct fdb_entry *e, const struct fdb_flush *m)
{
	if ((atomic_load(&((struct fdb_entry *)e)->state) ^ m->state) & m->state_mask)
		return false;
	if ((e->flags ^ m->flags) & m->flags_mask)
		return false;
	return !m->has_src_vni || fdb_entry_vni(e) == m->src_vni;
}

static bool remote_matches(const struct peer *p, const struct fdb_flush *m)
{
	return (!m->has_dst || ip_eq(&p->ip, &m->dst)) && (!m->has_port || p->port == m->port) &&
	       (!m->has_vni || p->vni == m->vni) &&
	       (!m->has_ifindex || p->ifindex == m->ifindex);
}

static void flush_entry(struct fdb *f, struct fdb_entry *e, const struct fdb_flush *m)
{
	bool all = true;

	for (uint32_t i = 0; i < remotes(e); i++)
		all &= remote_matches(remote_at(e, i), m);
	if (all) {
		entry_remove(f, e);
		return;
	}
	for (uint32_t i = remotes(e); i-- > 0;)
		if (remote_matches(remote_at(e, i), m)) {
			tell(f, VX_FDB_DEL, e, i);
			if (del_remote(f, e, i) < 0)
				return;
		}
}

void fdb_flush_matching(struct fdb *f, const struct fdb_flush *m)
{
	struct fdb_entry **list;
	uint32_t n;

	pthread_mutex_lock(&f->lock);
	list = collect(f, &n);
	sort(list, n);
	for (uint32_t i = 0; list && i < n; i++)
		if (entry_matches(list[i], m))
			flush_entry(f, list[i], m);
	pthread_mutex_unlock(&f->lock);
	free(list);
}

void fdb_flush_dynamic(struct fdb *f)
{
	struct fdb_entry **list;
	uint32_t n;

	pthread_mutex_lock(&f->lock);
	list = collect(f, &n);
	sort(list, n);
	for (uint32_t i = 0; list && i < n; i++)
		if (!(atomic_load(&list[i]->state) & (FDB_PERMANENT | FDB_NOARP)) &&
		    !mac_is_zero(&list[i]->mac))
			entry_remove(f, list[i]);
	pthread_mutex_unlock(&f->lock);
	free(list);
}

static bool ages(struct fdb_entry *e)
{
	return !(atomic_load(&e->state) & (FDB_PERMANENT | FDB_NOARP)) &&
	       !(e->flags & NTF_EXT_LEARNED);
}

uint32_t fdb_age(struct fdb *f, uint64_t now, uint32_t ageing)
{
	uint32_t t = fdb_ticks(now), next = 100, per_s = 1000 / FDB_TICK_MS;
	struct fdb_index *x;

	if (!ageing)
		return next;
	pthread_mutex_lock(&f->lock);
	x = atomic_load(&f->index);
	for (uint32_t i = 0; i < x->n; i++) {
		for (struct fdb_entry *e = atomic_load(&x->bucket[i]), *follow; e; e = follow) {
			uint64_t left = (uint64_t)ageing * per_s;
			uint32_t age = t - atomic_load(&e->updated);

			follow = atomic_load(&e->next[x->link]);
			if (!ages(e))
				continue;
			if ((int32_t)age >= 0 && age >= left) {
				atomic_store(&e->state, FDB_STALE);
				entry_remove(f, e);
			} else if ((int32_t)age >= 0) {
				next = MIN(next, (uint32_t)MIN(left - age, 100));
			}
		}
	}
	pthread_mutex_unlock(&f->lock);
	return MAX(next, 1u);
}
