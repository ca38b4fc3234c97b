/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/table.h"

#include <errno.h>
#include <stdlib.h>

#include "datapath/action.h"

struct flow_index {
	uint32_t n;    /* buckets, a power of two */
	uint32_t link; /* which of a flow's two links its chains use */
	_Atomic(struct flow *) bucket[];
};

struct flow_chunk {
	struct flow_stats *stats; /* [n_workers][FLOW_CHUNK] */
	struct flow flow[FLOW_CHUNK];
};

/* Published as a whole. */
struct mask_list {
	uint32_t n;
	struct mask *m[];
};

enum {
	BUCKETS_MIN = 64,
	LIMBO_MAX = 4096, /* deleted flows that wait for workers, beyond the limit */
};

static struct flow_index *index_new(uint32_t n, uint32_t link)
{
	struct flow_index *x = calloc(1, sizeof(*x) + n * sizeof(x->bucket[0]));

	if (x) {
		x->n = n;
		x->link = link;
	}
	return x;
}

void flow_source_init(struct flow_source *s)
{
	list_init(&s->node);
	list_init(&s->flows);
	s->n = 0;
	s->gone = false;
}

int table_init(struct table *t, struct vx *vx)
{
	struct flow_index *x = index_new(BUCKETS_MIN, 0);
	struct mask_list *none = calloc(1, sizeof(*none));

	if (!x || !none) {
		free(x);
		free(none);
		return -ENOMEM;
	}
	*t = (struct table){.vx = vx, .limit = TABLE_LIMIT};
	atomic_store(&t->index, x);
	atomic_store(&t->masks, none);
	pthread_mutex_init(&t->lock, NULL);
	list_init(&t->sources);
	list_init(&t->free);
	list_init(&t->limbo);
	flow_source_init(&t->none);
	return 0;
}

void table_done(struct table *t)
{
	struct mask_list *masks = atomic_load(&t->masks);

	for (uint32_t i = 0; i < t->n_chunks; i++) {
		for (uint32_t k = 0; k < FLOW_CHUNK; k++)
			actions_put(atomic_load(&t->chunk[i]->flow[k].actions));
		free(t->chunk[i]->stats);
		free(t->chunk[i]);
	}
	for (uint32_t i = 0; i < masks->n; i++)
		free(masks->m[i]);
	free(masks);
	free(atomic_load(&t->index));
	free(t->growing);
	pthread_mutex_destroy(&t->lock);
}

/* --- look-up --------------------------------------------------------------------------------- */

void table_prefetch_flow(const struct flow_cache *c, uint64_t hash)
{
	const struct flow_cache_line *l = &c->line[hash % FLOW_CACHE_LINES];
	uint32_t tag = (uint32_t)(hash >> 32);

	for (uint32_t i = 0; i < FLOW_CACHE_WAYS; i++)
		if (l->e[i].tag == tag) {
			__builtin_prefetch(l->e[i].flow);
			__builtin_prefetch((const char *)l->e[i].flow + CACHE_LINE);
			return;
		}
}

static struct flow *find(struct table *t, const struct mask *m, const uint64_t *packed)
{
	uint64_t h = mask_hash(m, t->vx->key, packed);
	struct flow_index *x = atomic_load_explicit(&t->index, memory_order_acquire);
	struct flow *f = atomic_load_explicit(&x->bucket[h & (x->n - 1)], memory_order_acquire);

	while (f &&
	       !(f->hash == h && f->mask == m && !memcmp(f->key, packed, m->n * sizeof(packed[0]))))
		f = atomic_load_explicit(&f->next[x->link], memory_order_acquire);
	return f;
}

/* Tries every mask. */
static struct flow *search(struct table *t, const struct flow_key *k, uint32_t *tried)
{
	struct mask_list *masks = atomic_load_explicit(&t->masks, memory_order_acquire);
	uint64_t packed[KEY_WORDS];

	for (uint32_t i = 0; i < masks->n; i++) {
		struct flow *f;

		++*tried;
		mask_apply(masks->m[i], k, packed);
		f = find(t, masks->m[i], packed);
		if (f)
			return f;
	}
	return NULL;
}

/* Puts f in an entry that names no flow any more, else in one by the hash. */
static void remember(struct flow_cache_line *l, uint64_t hash, struct flow *f)
{
	uint32_t gen = atomic_load_explicit(&f->gen, memory_order_acquire);
	struct flow_cache_entry *e = &l->e[hash >> 30 & (FLOW_CACHE_WAYS - 1)];

	if (!(gen & 1)) /* deleted meanwhile */
		return;
	for (uint32_t i = 0; i < FLOW_CACHE_WAYS; i++)
		if (!l->e[i].flow ||
		    atomic_load_explicit(&l->e[i].flow->gen, memory_order_relaxed) != l->e[i].gen) {
			e = &l->e[i];
			break;
		}
	*e = (struct flow_cache_entry){(uint32_t)(hash >> 32), gen, f};
}

struct flow *table_lookup(struct table *t, struct flow_cache *c, const struct flow_key *k,
			  uint64_t hash, uint32_t *tried)
{
	struct flow_cache_line *l = &c->line[hash % FLOW_CACHE_LINES];
	uint32_t tag = (uint32_t)(hash >> 32);
	struct flow *f;

	*tried = 0;
	for (uint32_t i = 0; i < FLOW_CACHE_WAYS; i++) {
		f = l->e[i].flow;
		/* Acquire: with this generation the slot is as it was made, and stays so until this
		 * worker's next quiescent state, since it is used again only after that. */
		if (l->e[i].tag == tag && f &&
		    atomic_load_explicit(&f->gen, memory_order_acquire) == l->e[i].gen &&
		    mask_matches(f->mask, k, f->key))
			return f;
	}
	f = search(t, k, tried);
	if (f)
		remember(l, hash, f);
	return f;
}

/* --- index, under the lock ------------------------------------------------------------------- */

static void index_add(struct flow_index *x, struct flow *f)
{
	_Atomic(struct flow *) *head = &x->bucket[f->hash & (x->n - 1)];

	atomic_store_explicit(&f->next[x->link], atomic_load(head), memory_order_relaxed);
	/* Release: who finds the flow finds it complete. */
	atomic_store_explicit(head, f, memory_order_release);
}

static void index_del(struct flow_index *x, struct flow *f)
{
	_Atomic(struct flow *) *at = &x->bucket[f->hash & (x->n - 1)];
	struct flow *q;

	while ((q = atomic_load(at)) && q != f)
		at = &q->next[x->link];
	if (q)
		atomic_store_explicit(at, atomic_load(&f->next[x->link]), memory_order_release);
}

static void grow_step(struct table *t)
{
	struct flow_index *x = atomic_load(&t->index);
	uint32_t moved = 0;

	while (moved < TABLE_STEP && t->grow_at < x->n) {
		struct flow *f = atomic_load(&x->bucket[t->grow_at++]);

		for (; f; f = atomic_load(&f->next[x->link]), moved++)
			index_add(t->growing, f);
		moved++;
	}
	if (t->grow_at < x->n)
		return;
	atomic_store_explicit(&t->index, t->growing, memory_order_release);
	t->growing = NULL;
	t->grown_at = quiesce_mark(&t->vx->quiesce);
	quiesce_defer(&t->vx->quiesce, free, x);
}

/* In the index being filled, too, if its bucket was moved already. */
static bool is_moved(struct table *t, const struct flow *f)
{
	struct flow_index *x = atomic_load(&t->index);

	return t->growing && (f->hash & (x->n - 1)) < t->grow_at;
}

static void link_flow(struct table *t, struct flow *f)
{
	struct flow_index *x = atomic_load(&t->index);

	index_add(x, f);
	if (is_moved(t, f))
		index_add(t->growing, f);
	t->n++;
	/* The links that a new index uses are those of the one before: its readers must be gone. */
	if (!t->growing && t->n > x->n && quiesce_has_passed(&t->vx->quiesce, t->grown_at)) {
		t->growing = index_new(x->n * 2, !x->link);
		t->grow_at = 0;
	}
	if (t->growing)
		grow_step(t);
}

/* --- masks, under the lock ------------------------------------------------------------------- */

static void publish_masks(struct table *t, struct mask_list *list)
{
	struct mask_list *old = atomic_load(&t->masks);

	atomic_store_explicit(&t->masks, list, memory_order_release);
	quiesce_defer(&t->vx->quiesce, free, old);
}

static struct mask *mask_find(struct table *t, const struct flow_key *key)
{
	struct mask_list *list = atomic_load(&t->masks);
	struct flow_key m = *key;

	mask_finish(&m);
	for (uint32_t i = 0; i < list->n; i++)
		if (!memcmp(&list->m[i]->key, &m, sizeof(m)))
			return list->m[i];
	return NULL;
}

static struct mask *mask_add(struct table *t, const struct flow_key *key)
{
	struct mask_list *old = atomic_load(&t->masks);
	struct mask_list *list = malloc(sizeof(*list) + (old->n + 1) * sizeof(list->m[0]));
	struct mask *m = mask_new(key, t->next_mask++);

	if (!list || !m) {
		free(list);
		free(m);
		return NULL;
	}
	memcpy(list->m, old->m, old->n * sizeof(list->m[0]));
	list->n = old->n;
	list->m[list->n++] = m;
	publish_masks(t, list);
	return m;
}

/* A mask without flows goes.  Without memory for a shorter list it stays, and is used again. */
static void mask_put(struct table *t, struct mask *m)
{
	struct mask_list *old = atomic_load(&t->masks), *list;

	if (m->n_flows)
		return;
	list = malloc(sizeof(*list) + old->n * sizeof(list->m[0]));
	if (!list)
		return;
	list->n = 0;
	for (uint32_t i = 0; i < old->n; i++)
		if (old->m[i] != m)
			list->m[list->n++] = old->m[i];
	publish_masks(t, list);
	quiesce_defer(&t->vx->quiesce, free, m);
}

/* --- slots, under the lock ------------------------------------------------------------------- */

static int add_chunk(struct table *t)
{
	uint32_t n = t->vx->n_workers, base = t->n_chunks * FLOW_CHUNK;
	struct flow_chunk *c;

	if (t->n_chunks == FLOW_CHUNKS_MAX || base >= t->limit + LIMBO_MAX)
		return -ENOSPC;
	c = aligned_alloc(CACHE_LINE, (sizeof(*c) + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1));
	if (!c)
		return -ENOMEM;
	memset(c, 0, sizeof(*c));
	c->stats = aligned_alloc(CACHE_LINE, n * FLOW_CHUNK * sizeof(c->stats[0]));
	if (!c->stats) {
		free(c);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < FLOW_CHUNK; i++) {
		c->flow[i].index = base + i;
		c->flow[i].stats = &c->stats[i];
		list_append(&t->free, &c->flow[i].node);
	}
	t->chunk[t->n_chunks++] = c;
	return 0;
}

static struct flow *slot_at(struct table *t, uint32_t index)
{
	if (index >= t->n_chunks * FLOW_CHUNK)
		return NULL;
	return &t->chunk[index / FLOW_CHUNK]->flow[index % FLOW_CHUNK];
}

static int slot_take(struct table *t, struct flow **out)
{
	struct flow *f =
		list_is_empty(&t->limbo) ? NULL : container_of(t->limbo.next, struct flow, node);
	int r;

	if (!f || !quiesce_has_passed(&t->vx->quiesce, f->mark)) {
		r = list_is_empty(&t->free) ? add_chunk(t) : 0;
		if (r < 0)
			return r;
		f = container_of(t->free.next, struct flow, node);
	}
	list_remove(&f->node);
	actions_put(atomic_load(&f->actions));
	atomic_store_explicit(&f->actions, NULL, memory_order_relaxed);
	for (uint32_t i = 0; i < t->vx->n_workers; i++)
		f->stats[i * FLOW_CHUNK] = (struct flow_stats){0};
	*out = f;
	return 0;
}

static void flow_delete(struct table *t, struct flow *f)
{
	struct mask *m = (struct mask *)f->mask;

	atomic_store_explicit(&f->gen, f->gen + 1, memory_order_seq_cst);
	if (is_moved(t, f))
		index_del(t->growing, f);
	index_del(atomic_load(&t->index), f);
	t->n--;
	list_remove(&f->node);
	if (!--f->source->n)
		list_remove(&f->source->node);
	m->n_flows--;
	mask_put(t, m);
	f->mark = quiesce_mark(&t->vx->quiesce);
	list_append(&t->limbo, &f->node);
}

/* Beyond the limit: the source that has most loses its oldest. */
static void evict(struct table *t)
{
	struct flow_source *most = NULL;

	list_for_each (s, &t->sources, struct flow_source, node)
		if (!most || s->n > most->n)
			most = s;
	if (most)
		flow_delete(t, container_of(most->flows.next, struct flow, node));
}

/* --- flows ----------------------------------------------------------------------------------- */

static struct flow *find_exact(struct table *t, const struct flow_key *key,
			       const struct flow_key *mask)
{
	struct mask *m = mask_find(t, mask);
	uint64_t packed[KEY_WORDS];

	if (!m)
		return NULL;
	mask_apply(m, key, packed);
	return find(t, m, packed);
}

static void actions_unref(void *acts)
{
	actions_put(acts);
}

static int modify(struct table *t, struct flow *f, struct actions *acts)
{
	struct actions *old = atomic_load(&f->actions);

	atomic_store_explicit(&f->actions, acts, memory_order_release);
	quiesce_defer(&t->vx->quiesce, actions_unref, old);
	return 0;
}

static int create(struct table *t, const struct flow_key *key, const struct flow_key *mask,
		  struct actions *acts, struct flow_source *src, struct flow **out)
{
	struct flow *f;
	struct mask *m;
	int r;

	if (src->gone)
		return -ENODEV;
	if (t->n >= t->limit)
		evict(t);
	r = slot_take(t, &f);
	if (r < 0)
		return r;
	m = mask_find(t, mask);
	if (!m)
		m = mask_add(t, mask);
	if (!m) {
		list_append(&t->free, &f->node);
		return -ENOMEM;
	}
	m->n_flows++;
	f->mask = m;
	mask_apply(m, key, f->key);
	f->hash = mask_hash(m, t->vx->key, f->key);
	f->source = src;
	f->created = vx_now(t->vx);
	atomic_store_explicit(&f->actions, acts, memory_order_relaxed);
	/* Release: a cache takes the slot by its generation. */
	atomic_store_explicit(&f->gen, f->gen + 1, memory_order_release);
	if (!src->n++)
		list_append(&t->sources, &src->node);
	list_append(&src->flows, &f->node);
	link_flow(t, f);
	*out = f;
	return 0;
}

int table_put(struct table *t, const struct flow_key *key, const struct flow_key *mask,
	      struct actions *acts, struct flow_source *src, uint32_t flags, struct flow_id *id)
{
	struct flow *f;
	int r;

	pthread_mutex_lock(&t->lock);
	f = find_exact(t, key, mask);
	if (f)
		r = flags & TABLE_MODIFY ? modify(t, f, acts) : -EEXIST;
	else
		r = flags & TABLE_CREATE ? create(t, key, mask, acts, src ? src : &t->none, &f)
					 : -ENOENT;
	if (r == 0 && id)
		*id = (struct flow_id){f->index, f->gen};
	pthread_mutex_unlock(&t->lock);
	if (r < 0)
		actions_put(acts);
	return r;
}

READS_COUNTERS static void sum_stats(struct table *t, const struct flow *f, struct flow_stats *s)
{
	*s = (struct flow_stats){0};
	for (uint32_t i = 0; i < t->vx->n_workers; i++) {
		const struct flow_stats *one = &f->stats[i * FLOW_CHUNK];
		uint64_t used = COUNTER_NOW(&one->used);

		s->packets += COUNTER_NOW(&one->packets);
		s->bytes += COUNTER_NOW(&one->bytes);
		s->used = MAX(s->used, used);
		s->tcp_flags |= COUNTER_NOW(&one->tcp_flags);
	}
}

/* Under the lock. */
static void view(struct table *t, struct flow *f, struct flow_view *v)
{
	struct hash_key other = {t->vx->key.b, t->vx->key.a};

	v->id = (struct flow_id){f->index, f->gen};
	mask_unpack(f->mask, f->key, &v->key);
	v->mask = f->mask->key;
	sum_stats(t, f, &v->stats);
	v->ufid[0] =
		key_hash(t->vx->key, &v->key, KEY_WORDS) ^ key_hash(other, &v->mask, KEY_WORDS);
	v->ufid[1] =
		key_hash(other, &v->key, KEY_WORDS) ^ key_hash(t->vx->key, &v->mask, KEY_WORDS);
	v->created = f->created;
	v->source = f->source;
	v->actions = actions_get(atomic_load(&f->actions));
}

static struct flow *by_id(struct table *t, struct flow_id id)
{
	struct flow *f = slot_at(t, id.index);

	return f && (id.gen & 1) && f->gen == id.gen ? f : NULL;
}

int table_del(struct table *t, struct flow_id id, struct flow_view *out)
{
	struct flow *f;

	pthread_mutex_lock(&t->lock);
	f = by_id(t, id);
	if (f && out)
		view(t, f, out);
	if (f)
		flow_delete(t, f);
	pthread_mutex_unlock(&t->lock);
	return f ? 0 : -ENOENT;
}

int table_get(struct table *t, struct flow_id id, struct flow_view *out)
{
	struct flow *f;

	pthread_mutex_lock(&t->lock);
	f = by_id(t, id);
	if (f)
		view(t, f, out);
	pthread_mutex_unlock(&t->lock);
	return f ? 0 : -ENOENT;
}

int table_find(struct table *t, const struct flow_key *key, const struct flow_key *mask,
	       struct flow_view *out)
{
	struct flow *f;

	pthread_mutex_lock(&t->lock);
	f = find_exact(t, key, mask);
	if (f)
		view(t, f, out);
	pthread_mutex_unlock(&t->lock);
	return f ? 0 : -ENOENT;
}

bool table_next(struct table *t, uint32_t *cursor, struct flow_view *out)
{
	struct flow *f = NULL;

	pthread_mutex_lock(&t->lock);
	while ((f = slot_at(t, *cursor))) {
		++*cursor;
		if (f->gen & 1) {
			view(t, f, out);
			break;
		}
	}
	pthread_mutex_unlock(&t->lock);
	return f != NULL;
}

static void flush_source(struct table *t, struct flow_source *src)
{
	while (!list_is_empty(&src->flows))
		flow_delete(t, container_of(src->flows.next, struct flow, node));
}

void table_flush_source(struct table *t, struct flow_source *src)
{
	pthread_mutex_lock(&t->lock);
	src->gone = true;
	flush_source(t, src);
	pthread_mutex_unlock(&t->lock);
}

void table_flush(struct table *t)
{
	pthread_mutex_lock(&t->lock);
	while (!list_is_empty(&t->sources))
		flush_source(t, container_of(t->sources.next, struct flow_source, node));
	pthread_mutex_unlock(&t->lock);
}

void table_count(struct table *t, uint32_t *flows, uint32_t *masks)
{
	pthread_mutex_lock(&t->lock);
	*flows = t->n;
	*masks = atomic_load(&t->masks)->n;
	pthread_mutex_unlock(&t->lock);
}

void table_set_limit(struct table *t, uint32_t limit)
{
	pthread_mutex_lock(&t->lock);
	t->limit = MAX(1u, MIN(limit, (uint32_t)(FLOW_CHUNK * FLOW_CHUNKS_MAX - LIMBO_MAX)));
	while (t->n > t->limit)
		evict(t);
	pthread_mutex_unlock(&t->lock);
}
