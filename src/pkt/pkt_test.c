/* SPDX-License-Identifier: Apache-2.0 */
/* Packets and pools: caps, other threads, and every operation on bytes against a flat model. */
#include "pkt/pkt.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/csum.h"

static void assert_all_back(struct pool *p)
{
	struct pool_stats s;

	pool_get_stats(p, &s);
	assert_int_equal(s.pkts_out, 0);
	assert_int_equal(s.small_out, 0);
	assert_int_equal(s.big_out, 0);
}

/* --- pools ------------------------------------------------------------------------------------- */

static void caps(void **state)
{
	struct pool *p = pool_new(10, 4, 2);
	struct pkt *k[10], *c[10];
	struct pool_stats s;

	(void)state;
	for (int round = 0; round < 3; round++) {
		int n = 0;

		for (int i = 0; i < 4; i++)
			assert_non_null(k[n++] = pkt_new(p, 100));
		assert_null(pkt_new(p, 100)); /* no small buffer */
		for (int i = 0; i < 2; i++)
			assert_non_null(k[n++] = pkt_new(p, PBUF_SMALL + 1));
		assert_null(pkt_new(p, PBUF_SMALL + 1)); /* no big one */
		pool_get_stats(p, &s);
		assert_true(s.pkts_out == 6 && s.small_out == 4 && s.big_out == 2);
		for (int i = 0; i < 4; i++)
			assert_non_null(c[i] = pkt_clone(p, k[0]));
		assert_null(pkt_clone(p, k[0])); /* no packet */
		assert_null(pkt_slice(p, k[0], 0, 0));
		/* No buffer for a copy: the packet stays as it was. */
		assert_int_equal(pkt_cow(p, c[0]), -ENOMEM);
		assert_ptr_equal(c[0]->buf, k[0]->buf);
		for (int i = 0; i < 4; i++)
			pkt_free(c[i]);
		while (n)
			pkt_free(k[--n]);
		assert_all_back(p);
	}
	assert_null(pkt_new(p, PBUF_BIG + 1));
	assert_non_null(k[0] = pkt_new(p, PBUF_BIG));
	assert_int_equal(pkt_tailroom(k[0]), PBUF_BIG);
	pkt_free(k[0]);
	assert_non_null(k[0] = pkt_new(p, PBUF_SMALL));
	assert_int_equal(pkt_tailroom(k[0]), PBUF_SMALL);
	assert_int_equal(pkt_headroom(k[0]), PKT_HEADROOM);
	pkt_free(k[0]);
	pkt_free(NULL);
	assert_all_back(p);
	pool_free(p);
	pool_free(NULL);
}

/* A clone of a packet whose frags cannot all be cloned leaves nothing behind. */
static void clone_fails_half_way(void **state)
{
	struct pool *p = pool_new(5, 5, 1);
	struct pkt *k = pkt_new(p, 10);

	(void)state;
	for (int i = 0; i < 2; i++)
		pkt_add_frag(k, pkt_new(p, 10));
	assert_null(pkt_clone(p, k)); /* 3 + 3 > 5 */
	assert_false(pkt_is_shared(k));
	pkt_free(k);
	assert_all_back(p);
	pool_free(p);
}

struct belt {
	pthread_mutex_t lock;
	struct pkt *slot[64];
	uint32_t in, out;
	bool stop;
	struct pool *own; /* the receiver's */
};

static void *free_them(void *arg)
{
	struct belt *b = arg;

	for (;;) {
		struct pkt *k = NULL, *mine = pkt_new(b->own, 50);
		bool stop;

		pthread_mutex_lock(&b->lock);
		if (b->out != b->in)
			k = b->slot[b->out++ % 64];
		stop = b->stop && !k;
		pthread_mutex_unlock(&b->lock);
		pkt_free(mine);
		pkt_free(k);
		if (stop)
			return NULL;
	}
}

/* Another worker frees what this one made; all of it can be had again. */
static void returned_by_another(void **state)
{
	struct pool *p = pool_new(40, 20, 4);
	struct belt b = {.lock = PTHREAD_MUTEX_INITIALIZER, .own = pool_new(4, 4, 1)};
	uint32_t sent = 0;
	pthread_t th;

	(void)state;
	assert_int_equal(pthread_create(&th, NULL, free_them, &b), 0);
	while (sent < 20000) {
		struct pkt *k = pkt_new(p, sent % 7 ? 100 : 3000);

		if (!k)
			continue; /* the other holds all */
		if (sent % 3 == 0) {
			struct pkt *c = pkt_clone(p, k);

			if (c) {
				pkt_free(k); /* the clone's buffer goes home from there */
				k = c;
			}
		}
		pthread_mutex_lock(&b.lock);
		if (b.in - b.out < 64) {
			b.slot[b.in++ % 64] = k;
			sent++;
			k = NULL;
		}
		pthread_mutex_unlock(&b.lock);
		pkt_free(k);
	}
	pthread_mutex_lock(&b.lock);
	b.stop = true;
	pthread_mutex_unlock(&b.lock);
	pthread_join(th, NULL);
	assert_all_back(p);
	assert_all_back(b.own);
	for (int i = 0; i < 20; i++) /* the caps are whole again */
		assert_non_null(b.slot[i] = pkt_new(p, 1));
	assert_null(pkt_new(p, 1));
	for (int i = 0; i < 20; i++)
		pkt_free(b.slot[i]);
	pool_free(p);
	pool_free(b.own);
}

/* --- bytes ---------------------------------------------------------------------------------------- */

static uint64_t rnd = 1;
static uint32_t pick(uint32_t n)
{
	rnd = rnd * 6364136223846793005ull + 1442695040888963407ull;
	return n ? (uint32_t)(rnd >> 33) % n : 0;
}

enum { PACKETS = 8, MODEL_MAX = 200000 };

struct model {
	struct pkt *p;
	uint8_t *b; /* all bytes, flat */
	uint32_t len;
};

static struct model M[PACKETS];

static void check(const struct model *m)
{
	static uint8_t out[MODEL_MAX];
	uint32_t frags = 0, off, len;
	const struct pkt *last = NULL;

	assert_int_equal(pkt_total(m->p), m->len);
	for (const struct pkt *f = m->p->frags; f; f = f->next) {
		frags += f->len;
		last = f;
		assert_null(f->frags);
	}
	assert_int_equal(frags, m->p->frag_len);
	assert_ptr_equal(last, m->p->last_frag);
	pkt_copy_out(m->p, 0, out, m->len);
	assert_memory_equal(out, m->b, m->len);
	off = pick(m->len + 1);
	len = pick(m->len - off + 1);
	memset(out, 0xee, len + 1);
	pkt_copy_out(m->p, off, out, len);
	assert_memory_equal(out, m->b + off, len);
	assert_int_equal(out[len], 0xee);
	assert_int_equal(csum_reduce(pkt_csum(m->p, off, len)) % 0xffff,
			 csum_reduce(csum_add(0, m->b + off, len)) % 0xffff);
}

static void drop(struct model *m)
{
	pkt_free(m->p);
	m->p = NULL;
	m->len = 0;
}

static void make(struct pool *pool, struct model *m)
{
	uint32_t n = pick(4) ? pick(300) : pick(5000);

	m->p = pkt_new(pool, n);
	assert_non_null(m->p);
	m->len = n;
	for (uint32_t i = 0; i < n; i++)
		m->b[i] = (uint8_t)pick(256);
	memcpy(pkt_append(m->p, n), m->b, n);
}

static void step(struct pool *pool)
{
	struct model *m = &M[pick(PACKETS)], *o = &M[pick(PACKETS)];
	uint32_t n, off;
	struct pkt *f;

	if (!m->p) {
		make(pool, m);
		return;
	}
	switch (pick(12)) {
	case 0:
		drop(m);
		return;
	case 1: /* clone */
		if (o == m)
			break;
		drop(o);
		o->p = pkt_clone(pool, m->p);
		assert_non_null(o->p);
		memcpy(o->b, m->b, m->len);
		o->len = m->len;
		break;
	case 2: /* slice of the linear part */
		if (o == m)
			break;
		drop(o);
		off = pick(m->p->len + 1);
		n = pick(m->p->len - off + 1);
		o->p = pkt_slice(pool, m->p, off, n);
		assert_non_null(o->p);
		memcpy(o->b, m->b + off, n);
		o->len = n;
		break;
	case 3: /* references to any bytes of another */
		if (!o->p || o == m || m->len + o->len > 20000)
			break;
		off = pick(o->len + 1);
		n = pick(o->len - off + 1);
		assert_int_equal(pkt_add_slices(pool, m->p, o->p, off, n), 0);
		memcpy(m->b + m->len, o->b + off, n);
		m->len += n;
		break;
	case 4: /* a frag */
		if (m->len > 20000)
			break;
		n = pick(200);
		f = pkt_new(pool, n);
		for (uint32_t i = 0; i < n; i++)
			m->b[m->len + i] = (uint8_t)pick(256);
		memcpy(pkt_append(f, n), m->b + m->len, n);
		pkt_add_frag(m->p, f);
		m->len += n;
		break;
	case 5:
	case 6: /* trim, beyond the end, too */
		n = pick(m->len + 10);
		pkt_trim(m->p, n);
		m->len = MIN(n, m->len);
		break;
	case 7:
	case 8: /* pull from frags */
		n = pick(m->len + 3);
		if (pkt_pull_frags(pool, m->p, n) == 0) {
			assert_true(n <= m->len && m->p->len >= n);
			assert_non_null(n ? pkt_peek(m->p, n) : m->p);
		} else {
			assert_true(n > m->len);
		}
		break;
	case 9: /* write: only one's own */
		assert_int_equal(pkt_cow(pool, m->p), 0);
		assert_false(pkt_is_shared(m->p));
		for (uint32_t i = 0; i < 5 && m->p->len; i++) {
			off = pick(m->p->len);
			m->b[off] = m->p->data[off] = (uint8_t)pick(256);
		}
		break;
	case 10: /* header off */
		n = pick(m->p->len + 1);
		if (pkt_pull(m->p, n)) {
			memmove(m->b, m->b + n, m->len - n);
			m->len -= n;
		}
		assert_null(pkt_pull(m->p, m->p->len + 1));
		break;
	case 11: /* header on */
		n = pick(60);
		if (pkt_headroom(m->p) < n)
			break;
		assert_int_equal(pkt_cow(pool, m->p), 0);
		memmove(m->b + n, m->b, m->len);
		for (uint32_t i = 0; i < n; i++)
			m->b[i] = (uint8_t)pick(256);
		memcpy(pkt_push(m->p, n), m->b, n);
		m->len += n;
		break;
	}
}

static void random_operations(void **state)
{
	struct pool *pool = pool_new(20000, 20000, 100);

	(void)state;
	for (int i = 0; i < PACKETS; i++)
		M[i] = (struct model){.b = malloc(MODEL_MAX)};
	for (int i = 0; i < 60000; i++) {
		step(pool);
		for (int k = 0; k < PACKETS; k++)
			if (M[k].p && (i % 16 == 0 || k == (int)pick(PACKETS)))
				check(&M[k]);
	}
	for (int i = 0; i < PACKETS; i++) {
		drop(&M[i]);
		free(M[i].b);
	}
	assert_all_back(pool);
	pool_free(pool);
}

/* What was pulled stays before the data, also in a copy: mac_off and its like stay right. */
static void offsets_stay(void **state)
{
	struct pool *pool = pool_new(10, 10, 2);
	struct pkt *p = pkt_new(pool, 100), *c;
	uint8_t *b = pkt_append(p, 60);

	(void)state;
	for (int i = 0; i < 60; i++)
		b[i] = (uint8_t)i;
	p->mac_off = pkt_off(p);
	pkt_pull(p, 14);
	p->net_off = pkt_off(p);
	c = pkt_clone(pool, p);
	assert_ptr_equal(c->data, p->data);
	assert_int_equal(pkt_cow(pool, c), 0);
	assert_ptr_not_equal(c->buf, p->buf);
	assert_int_equal(*pkt_at(c, c->mac_off), 0);
	assert_int_equal(*pkt_at(c, c->net_off), 14);
	assert_ptr_equal(pkt_push(c, 14), pkt_at(c, c->mac_off));
	pkt_free(c);
	/* Also when the linear part has to move to grow. */
	pkt_add_frag(p, pkt_new(pool, 3000));
	memset(pkt_append(p->frags, 3000), 7, 3000);
	p->frag_len += 3000;
	assert_int_equal(pkt_pull_frags(pool, p, 3000), 0);
	assert_int_equal(*pkt_at(p, p->mac_off), 0);
	assert_int_equal(*pkt_at(p, p->net_off), 14);
	assert_int_equal(p->data[46], 7);
	pkt_free(p);
	assert_all_back(pool);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caps),		       cmocka_unit_test(clone_fails_half_way),
		cmocka_unit_test(returned_by_another), cmocka_unit_test(random_operations),
		cmocka_unit_test(offsets_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
