/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/revalidate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/dpif.h"
#include "ofproto/translate.h"

enum { NOTES_CHUNK = 1024 };

/* What control remembers of the flow in one slot of the table. */
struct flow_note {
	uint32_t gen;		 /* of the flow; 0: none */
	uint32_t n;		 /* effects */
	uint64_t seq;		 /* of the snapshot that they are of */
	uint64_t packets, bytes; /* pushed */
	struct effect *effects;
};

/* --- life ------------------------------------------------------------------------------------ */

int revalidator_init(struct dpif *d)
{
	struct revalidator *r = &d->reval;

	pthread_mutex_init(&r->lock, NULL);
	r->max_idle = REVALIDATE_IDLE_MS;
	r->interval = REVALIDATE_MS;
	r->coming = calloc(1, sizeof(*r->coming));
	r->now = calloc(1, sizeof(*r->now));
	return r->coming && r->now ? 0 : -ENOMEM;
}

void revalidator_done(struct dpif *d)
{
	struct revalidator *r = &d->reval;

	for (uint32_t i = 0; i < r->n_chunks; i++) {
		for (uint32_t k = 0; k < NOTES_CHUNK; k++)
			free(r->notes[i][k].effects);
		free(r->notes[i]);
	}
	free(r->notes);
	free(r->coming);
	free(r->now);
	pthread_mutex_destroy(&r->lock);
}

/* --- MACs that changed ----------------------------------------------------------------------- */

static uint64_t mac_word(const struct mac *mac)
{
	uint64_t v = 0;

	memcpy(&v, mac->b, sizeof(mac->b));
	return v | 1ull << 48;
}

/* Where it is, or the free place where it would be. */
static uint64_t *mac_slot(struct mac_changes *c, uint64_t word)
{
	uint32_t size = ARRAY_LEN(c->slot);
	uint32_t i = (uint32_t)(hash_mum(word, 0x9e3779b97f4a7c15ull) % size);

	while (c->slot[i] && c->slot[i] != word)
		i = (i + 1) % size;
	return &c->slot[i];
}

void revalidate_note_mac(void *dpif, const struct mac *mac, uint16_t vlan)
{
	struct revalidator *r = &((struct dpif *)dpif)->reval;
	uint64_t word = mac_word(mac), *slot;

	(void)vlan; /* patch ports lead from one VLAN to another: a flow knows the MAC alone */
	pthread_mutex_lock(&r->lock);
	slot = r->coming->n == REVALIDATE_MACS ? NULL : mac_slot(r->coming, word);
	if (!slot)
		r->coming->all = true;
	else if (!*slot)
		r->coming->n++;
	if (slot)
		*slot = word;
	atomic_store_explicit(&r->n_coming, r->coming->n, memory_order_relaxed);
	pthread_mutex_unlock(&r->lock);
}

static bool mac_changed(struct mac_changes *c, const struct mac *mac)
{
	return *mac_slot(c, mac_word(mac)) != 0;
}

static bool is_hit(struct mac_changes *c, const struct flow_key *k)
{
	return c->n && (c->all || mac_changed(c, &k->eth_src) || mac_changed(c, &k->eth_dst));
}

/* --- notes ----------------------------------------------------------------------------------- */

static bool add_chunk(struct revalidator *r)
{
	struct flow_note **notes = realloc(r->notes, (r->n_chunks + 1) * sizeof(*notes));

	if (!notes)
		return false;
	r->notes = notes;
	notes[r->n_chunks] = calloc(NOTES_CHUNK, sizeof(**notes));
	if (!notes[r->n_chunks])
		return false;
	r->n_chunks++;
	return true;
}

/* NULL: memory.  A new flow's is empty. */
static struct flow_note *note_of(struct revalidator *r, struct flow_id id)
{
	struct flow_note *n;

	while (id.index / NOTES_CHUNK >= r->n_chunks)
		if (!add_chunk(r))
			return NULL;
	n = &r->notes[id.index / NOTES_CHUNK][id.index % NOTES_CHUNK];
	if (n->gen != id.gen) {
		free(n->effects);
		*n = (struct flow_note){.gen = id.gen};
	}
	return n;
}

/* Keeps what a translation came to.  Without memory the next walk translates again. */
static void keep_effects(struct flow_note *n, const struct effects *e, uint64_t seq)
{
	free(n->effects);
	n->effects = e->lost ? NULL : malloc((e->n + 1) * sizeof(*n->effects));
	n->n = n->effects ? e->n : 0;
	n->seq = n->effects ? seq : 0;
	if (n->effects)
		memcpy(n->effects, e->e, e->n * sizeof(*n->effects));
}

/* --- one flow -------------------------------------------------------------------------------- */

static void push(struct dpif *d, struct flow_note *n, const struct flow_view *v,
		 const struct effect *e, uint32_t n_effects)
{
	uint64_t packets = v->stats.packets - n->packets, bytes = v->stats.bytes - n->bytes;

	n->packets = v->stats.packets;
	n->bytes = v->stats.bytes;
	if (packets)
		effects_push(e, n_effects, &v->key.eth_src, packets, bytes, d->vx->n_workers,
			     v->stats.used);
}

/* The last that it counted comes too late for walks to come. */
static void remove_flow(struct dpif *d, struct flow_note *n, struct flow_view *v,
			const struct effect *e, uint32_t n_effects)
{
	struct flow_view last;

	if (table_del(d->table, v->id, &last) < 0)
		return;
	push(d, n, &last, e, n_effects);
	actions_put(last.actions);
	n->gen = 0;
}

static bool is_idle(const struct dpif *d, const struct flow_view *v, uint64_t now)
{
	uint64_t used = MAX(v->stats.used, v->created);

	return !d->reval.keep_idle && now > used && now - used >= d->reval.max_idle * NS_PER_MS;
}

static bool mask_eq(const struct translation *t, const struct flow_view *v)
{
	struct flow_key m = t->mask;

	mask_finish(&m);
	return !memcmp(&m, &v->mask, sizeof(m));
}

static void translate_again(struct dpif *d, struct flow_note *n, struct flow_view *v,
			    const struct snap *s)
{
	struct translation t = {.snap = s,
				.key = &v->key,
				.seen = v->stats.used,
				.learn = v->stats.packets != n->packets};

	d->reval.translated++;
	translate(&t);
	if (!t.install || !mask_eq(&t, v)) {
		remove_flow(d, n, v, t.effects.e, t.effects.n);
	} else {
		push(d, n, v, t.effects.e, t.effects.n);
		keep_effects(n, &t.effects, s->seq);
		if (!actions_eq(t.actions, v->actions))
			table_put(d->table, &v->key, &v->mask, actions_get(t.actions), NULL,
				  TABLE_MODIFY, NULL);
	}
	translation_done(&t);
}

static void revalidate(struct dpif *d, struct flow_view *v, uint64_t now)
{
	const struct snap *s = atomic_load(&d->snap);
	struct flow_note *n = note_of(&d->reval, v->id);

	if (!n) /* forgotten, rather than wrong */
		table_del(d->table, v->id, NULL);
	else if (is_idle(d, v, now))
		remove_flow(d, n, v, n->effects, n->seq == s->seq ? n->n : 0);
	else if (n->seq != s->seq || is_hit(d->reval.now, &v->key))
		translate_again(d, n, v, s);
	else
		push(d, n, v, n->effects, n->n);
}

/* --- a walk ---------------------------------------------------------------------------------- */

static bool has_changed(struct dpif *d)
{
	return d->reval.seq != d->seq ||
	       atomic_load_explicit(&d->reval.n_coming, memory_order_relaxed);
}

static void begin(struct dpif *d, uint64_t now)
{
	struct revalidator *r = &d->reval;
	struct mac_changes *done = r->now;
	uint32_t flows, masks;

	table_count(d->table, &flows, &masks);
	r->max_flows = MAX(r->max_flows, flows);
	r->avg_flows = (r->avg_flows + flows) / 2;
	r->soon = false;
	if (done->n)
		memset(done, 0, sizeof(*done));
	pthread_mutex_lock(&r->lock);
	r->now = r->coming;
	r->coming = done;
	atomic_store_explicit(&r->n_coming, 0, memory_order_relaxed);
	pthread_mutex_unlock(&r->lock);
	r->seq = d->seq;
	r->cursor = 0;
	r->begun = now;
	r->walking = true;
}

static void walk(struct dpif *d, uint64_t now, uint32_t flows)
{
	struct flow_view v;

	for (; flows; flows--) {
		if (!table_next(d->table, &d->reval.cursor, &v)) {
			d->reval.walking = false;
			d->reval.took = now - d->reval.begun;
			d->reval.walks++;
			return;
		}
		revalidate(d, &v, now);
		actions_put(v.actions);
	}
}

uint64_t revalidate_wait(struct dpif *d, uint64_t now)
{
	struct revalidator *r = &d->reval;
	uint64_t ms =
		has_changed(d) ? MIN(r->interval, (uint32_t)REVALIDATE_CHANGE_MS) : r->interval;

	return r->walking || r->soon ? now : r->begun + ms * NS_PER_MS;
}

uint32_t revalidate_soon(struct dpif *d)
{
	d->reval.soon = true;
	return d->reval.walks + 1 + d->reval.walking;
}

void revalidate_run(struct dpif *d, uint64_t now)
{
	if (!d->reval.walking) {
		if (now < revalidate_wait(d, now))
			return;
		begin(d, now);
	}
	walk(d, now, REVALIDATE_SLICE);
}

void revalidate_purge(struct dpif *d, uint64_t now)
{
	struct flow_view v;
	uint32_t at = 0;

	revalidate_all(d, now);
	while (table_next(d->table, &at, &v)) {
		struct flow_note *n = note_of(&d->reval, v.id);
		bool is_good = n && n->seq == d->seq;

		if (n)
			remove_flow(d, n, &v, n->effects, is_good ? n->n : 0);
		else
			table_del(d->table, v.id, NULL);
		actions_put(v.actions);
	}
}

void revalidate_settle(struct dpif *d, uint64_t now)
{
	if (d->reval.seq == d->seq)
		return;
	begin(d, now);
	walk(d, now, REVALIDATE_SETTLE);
}

void revalidate_all(struct dpif *d, uint64_t now)
{
	begin(d, now);
	walk(d, now, UINT32_MAX);
}
