/* SPDX-License-Identifier: Apache-2.0 */
/* The forwarding database: spec/vxlan.md 2.3 and 4, row by row; growth, memory, threads. */
#include "vxlan/testing.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	PERM = FDB_PERMANENT | FDB_NOARP,
	STATIC = FDB_REACHABLE | FDB_NOARP,
	DYN = FDB_REACHABLE,
	ADD = NLM_F_CREATE | NLM_F_EXCL,
	APP = NLM_F_CREATE | NLM_F_APPEND,
	REP = NLM_F_CREATE | NLM_F_REPLACE,
	MOD = 0,
	DEL = 0x8000, /* of this file */
};

/* --- counting memory (linked with --wrap) ----------------------------------------------------- */

static _Atomic int64_t live_bytes;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t a, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t a, size_t n);
void __wrap_free(void *p);

static void *count(void *p)
{
	if (p)
		live_bytes += (int64_t)malloc_usable_size(p);
	return p;
}

void *__wrap_malloc(size_t n)
{
	return count(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t m)
{
	return count(__real_calloc(n, m));
}

void *__wrap_realloc(void *p, size_t n)
{
	live_bytes -= p ? (int64_t)malloc_usable_size(p) : 0;
	return count(__real_realloc(p, n));
}

void *__wrap_aligned_alloc(size_t a, size_t n)
{
	return count(__real_aligned_alloc(a, n));
}

void __wrap_free(void *p)
{
	live_bytes -= p ? (int64_t)malloc_usable_size(p) : 0;
	__real_free(p);
}

/* --- helpers ---------------------------------------------------------------------------------- */

static struct h_host H;

static struct dev *make(uint32_t limit, const char *remote)
{
	struct vxlan_opts o;

	h_init(&H);
	o = h_opts(100, 4789);
	o.maxaddress = limit;
	if (remote)
		o.remote = t_addr(remote);
	return h_vxlan(&H, "vx", &o, 0);
}

static struct fdb *fdb_of(struct dev *d)
{
	return &vxlan_dev(d)->fdb;
}

/* "a1>10.0.0.2p": the MAC's last byte (or its first three), remote, what differs from the device,
 * state. */
struct shown {
	char s[1024];
};

static int show_one(void *ctx, const struct fdb_view *v)
{
	struct shown *x = ctx;
	char ip[IP_TEXT_MAX], port[8] = "", vni[12] = "", via[12] = "";

	if (v->port != 4789)
		snprintf(port, sizeof(port), "@%u", v->port);
	if (v->vni != 100)
		snprintf(vni, sizeof(vni), "#%u", v->vni);
	if (v->ifindex)
		snprintf(via, sizeof(via), "%%%u", v->ifindex);
	snprintf(x->s + strlen(x->s), sizeof(x->s) - strlen(x->s), "%s%02x>%s%s%s%s%s%s",
		 *x->s ? " " : "", v->mac.b[5], ip_text(&v->dst, ip), port, vni, via,
		 v->state == PERM     ? "p"
		 : v->state == STATIC ? "s"
		 : v->state == DYN    ? "d"
				      : "?",
		 v->flags & NTF_EXT_LEARNED ? "x" : v->flags & NTF_ROUTER ? "r" : "");
	return 0;
}

static const char *show(struct dev *d)
{
	static struct shown x;

	x.s[0] = 0;
	assert_int_equal(d->ops->fdb_dump(d, show_one, &x), 0);
	return x.s;
}

static int request(struct dev *d, int op, const struct fdb_req *q, struct vx_err *err)
{
	struct fdb_req r = *q;

	if (op == DEL)
		return d->ops->fdb_del(d, &r, err);
	r.nl_flags = (uint16_t)op;
	return d->ops->fdb_add(d, &r, err);
}

/* --- 4.3: operations -------------------------------------------------------------------------- */

struct row {
	int op;
	const char *mac, *dst;
	uint16_t state;
	uint8_t flags;
	int rc;
	const char *text; /* part of the sentence; "" is none */
	const char *after;
	const char *events; /* N and D in order */
	uint16_t port;
	uint32_t vni, via;
};

#define A  "02:00:00:00:00:a1"
#define B  "02:00:00:00:00:b1"
#define Z  "00:00:00:00:00:00"
#define FF "ff:ff:ff:ff:ff:ff"
#define MC "01:00:5e:00:00:05"

static const struct row unicast_rows[] = {
	{ADD, A, "10.0.0.2", PERM, 0, 0, "", "a1>10.0.0.2p", "N"},
	{ADD, A, "10.0.0.2", PERM, 0, -EEXIST, "", "a1>10.0.0.2p", ""},
	{ADD, A, "10.0.0.3", PERM, 0, -EEXIST, "", "a1>10.0.0.2p", ""},
	/* Section 12: appending another remote is refused with the way out; the same one is silent. */
	{APP, A, "10.0.0.3", PERM, 0, -EEXIST, "vx fdb replace", "a1>10.0.0.2p", ""},
	{APP, A, "10.0.0.2", PERM, 0, 0, "", "a1>10.0.0.2p", ""},
	{APP, A, "10.0.0.2", STATIC, 0, 0, "", "a1>10.0.0.2s", "N"},
	{REP, A, "10.0.0.3", STATIC, 0, 0, "", "a1>10.0.0.3s", "N"},
	{REP, A, "10.0.0.3", STATIC, 0, 0, "", "a1>10.0.0.3s", ""},
	{REP, A, "10.0.0.3", STATIC, 0, 0, "", "a1>10.0.0.3@5000s", "N", 5000},
	{REP, A, "10.0.0.3", STATIC, 0, 0, "", "a1>10.0.0.3#7s", "N", 0, 7},
	{REP, A, "10.0.0.3", STATIC, 0, 0, "", "a1>10.0.0.3%2s", "N", 0, 0, 2},
	{REP, A, "10.0.0.3", DYN, 0, 0, "", "a1>10.0.0.3d", "N"},
	{MOD, A, "10.0.0.3", STATIC, 0, 0, "", "a1>10.0.0.3s", "N"},
	{MOD, B, "10.0.0.3", STATIC, 0, -ENOENT, "", "a1>10.0.0.3s", ""},
	{REP, B, "0.0.0.0", PERM, 0, 0, "", "b1>0.0.0.0p a1>10.0.0.3s", "N"},
	{APP, "02:00:00:00:00:c1", "10.0.0.9", DYN, 0, 0, "",
	 "c1>10.0.0.9d b1>0.0.0.0p a1>10.0.0.3s", "N"},
	/* The remote given has to be the stored one, port, VNI and via included. */
	{DEL, A, "10.0.0.4", 0, 0, -ENOENT, "no such remote", "c1>10.0.0.9d b1>0.0.0.0p a1>10.0.0.3s",
	 ""},
	{DEL, A, "10.0.0.3", 0, 0, -ENOENT, "no such remote", "c1>10.0.0.9d b1>0.0.0.0p a1>10.0.0.3s",
	 "", 5000},
	{DEL, A, "10.0.0.3", 0, 0, -ENOENT, "no such remote", "c1>10.0.0.9d b1>0.0.0.0p a1>10.0.0.3s",
	 "", 0, 7},
	{DEL, A, "10.0.0.3", 0, 0, -ENOENT, "no such remote", "c1>10.0.0.9d b1>0.0.0.0p a1>10.0.0.3s",
	 "", 0, 0, 2},
	{DEL, A, "10.0.0.3", 0, 0, 0, "", "c1>10.0.0.9d b1>0.0.0.0p", "D"},
	{DEL, A, NULL, 0, 0, -ENOENT, "", "c1>10.0.0.9d b1>0.0.0.0p", ""},
	{DEL, B, NULL, 0, 0, 0, "", "c1>10.0.0.9d", "D"},
	/* States: PERMANENT or REACHABLE is needed. */
	{ADD, A, "10.0.0.2", FDB_NOARP, 0, -EINVAL, "", "c1>10.0.0.9d", ""},
	{ADD, A, "10.0.0.2", 0, 0, -EINVAL, "", "c1>10.0.0.9d", ""},
	/* Remotes. */
	{ADD, A, NULL, PERM, 0, -EINVAL, "", "c1>10.0.0.9d", ""},
	{ADD, A, "fd00::2", PERM, 0, -EAFNOSUPPORT, "", "c1>10.0.0.9d", ""},
	{DEL, "02:00:00:00:00:c1", "fd00::2", 0, 0, -EAFNOSUPPORT, "", "c1>10.0.0.9d", ""},
	{ADD, A, "10.0.0.2", PERM, 0, -EADDRNOTAVAIL, "Device not found", "c1>10.0.0.9d", "", 0, 0, 77},
	/* An extern_learn update of what control made keeps state and flags; the remote moves. */
	{ADD, A, "10.0.0.2", PERM, 0, 0, "", "a1>10.0.0.2p c1>10.0.0.9d", "N"},
	{REP, A, "10.0.0.5", DYN, NTF_EXT_LEARNED, 0, "", "a1>10.0.0.5p c1>10.0.0.9d", "N"},
	{REP, A, "10.0.0.5", DYN, NTF_EXT_LEARNED, 0, "", "a1>10.0.0.5p c1>10.0.0.9d", ""},
	/* router is stored; "use" is no flag of the entry. */
	{REP, A, "10.0.0.5", PERM, NTF_ROUTER, 0, "", "a1>10.0.0.5pr c1>10.0.0.9d", "N"},
	{REP, A, "10.0.0.5", PERM, NTF_ROUTER | NTF_USE, 0, "", "a1>10.0.0.5pr c1>10.0.0.9d", ""},
};

static const struct row flood_rows[] = {
	{REP, Z, "10.0.0.2", PERM, 0, -EOPNOTSUPP, "", "", ""},
	{REP, FF, "10.0.0.2", PERM, 0, -EOPNOTSUPP, "", "", ""},
	{ADD, Z, "10.0.0.2", PERM, 0, 0, "", "00>10.0.0.2p", "N"},
	{ADD, Z, "10.0.0.3", PERM, 0, -EEXIST, "", "00>10.0.0.2p", ""},
	{APP, Z, "10.0.0.3", PERM, 0, 0, "", "00>10.0.0.2p 00>10.0.0.3p", "N"},
	{APP, Z, "10.0.0.3", PERM, 0, 0, "", "00>10.0.0.2p 00>10.0.0.3p", ""},
	{APP, Z, "10.0.0.3", PERM, 0, 0, "", "00>10.0.0.2p 00>10.0.0.3p 00>10.0.0.3@5000p", "N", 5000},
	{REP, Z, "10.0.0.4", PERM, 0, -EOPNOTSUPP, "Cannot replace non-unicast fdb entries",
	 "00>10.0.0.2p 00>10.0.0.3p 00>10.0.0.3@5000p", ""},
	{APP, FF, "10.0.0.9", STATIC, 0, 0, "",
	 "ff>10.0.0.9s 00>10.0.0.2p 00>10.0.0.3p 00>10.0.0.3@5000p", "N"},
	{APP, MC, "10.0.0.8", PERM, 0, 0, "",
	 "05>10.0.0.8p ff>10.0.0.9s 00>10.0.0.2p 00>10.0.0.3p 00>10.0.0.3@5000p", "N"},
	{REP, MC, "10.0.0.4", PERM, 0, -EOPNOTSUPP, "Cannot replace non-unicast fdb entries",
	 "05>10.0.0.8p ff>10.0.0.9s 00>10.0.0.2p 00>10.0.0.3p 00>10.0.0.3@5000p", ""},
	{DEL, MC, NULL, 0, 0, 0, "", "ff>10.0.0.9s 00>10.0.0.2p 00>10.0.0.3p 00>10.0.0.3@5000p", "D"},
	{DEL, Z, "10.0.0.2", 0, 0, 0, "", "ff>10.0.0.9s 00>10.0.0.3p 00>10.0.0.3@5000p", "D"},
	{DEL, Z, "10.0.0.7", 0, 0, -ENOENT, "no such remote",
	 "ff>10.0.0.9s 00>10.0.0.3p 00>10.0.0.3@5000p", ""},
	{APP, Z, "10.0.0.6", PERM, 0, 0, "",
	 "ff>10.0.0.9s 00>10.0.0.3p 00>10.0.0.3@5000p 00>10.0.0.6p", "N"},
	{DEL, FF, "10.0.0.9", 0, 0, 0, "", "00>10.0.0.3p 00>10.0.0.3@5000p 00>10.0.0.6p", "D"},
	{DEL, Z, NULL, 0, 0, 0, "", "", "DDD"},
};

static void run_rows(struct dev *d, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		struct fdb_req q = {.mac = t_mac(r->mac),
				    .state = r->state,
				    .flags = r->flags | NTF_SELF,
				    .has_dst = r->dst != NULL,
				    .has_port = r->port,
				    .port = r->port,
				    .has_vni = r->vni,
				    .vni = r->vni,
				    .has_ifindex = r->via,
				    .ifindex = r->via};
		struct vx_err err = {0};
		char ev[64] = "";
		int rc;

		if (r->dst)
			q.dst = t_addr(r->dst);
		H.n_events = 0;
		rc = request(d, r->op, &q, &err);
		for (uint32_t k = 0; k < H.n_events; k++)
			ev[k] = H.event[k].kind == VX_FDB_NEW ? 'N' : 'D';
		if (rc != r->rc || (*r->text ? !strstr(err.text, r->text) : *err.text) ||
		    strcmp(show(d), r->after) || strcmp(ev, r->events))
			fail_msg("row %zu: %d \"%s\" {%s} events %s, not %d \"%s\" {%s} %s", i, rc,
				 err.text, show(d), ev, r->rc, r->text, r->after, r->events);
	}
}

static void operations_unicast(void **state)
{
	struct dev *d = make(0, NULL);

	(void)state;
	run_rows(d, unicast_rows, ARRAY_LEN(unicast_rows));
	h_end(&H);
}

static void operations_flood(void **state)
{
	struct dev *d = make(0, NULL);

	(void)state;
	run_rows(d, flood_rows, ARRAY_LEN(flood_rows));
	h_end(&H);
}

/* What a device refuses before it looks at the table. */
static void refusals(void **state)
{
	struct dev *d = make(0, NULL);
	struct fdb_req q = {.mac = t_mac(A), .state = PERM, .nl_flags = ADD, .has_dst = true,
			    .dst = t_addr("10.0.0.2")};
	struct fdb_view v;
	struct vx_err err;

	(void)state;
	q.has_nhid = true;
	err.text[0] = 0;
	assert_int_equal(d->ops->fdb_add(d, &q, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "nhid"));
	q.has_nhid = false;
	q.has_src_vni = true;
	q.src_vni = 101; /* section 12: no orphans */
	assert_int_equal(d->ops->fdb_add(d, &q, &err), -EINVAL);
	assert_non_null(strstr(err.text, "src_vni 101"));
	q.src_vni = 100;
	assert_int_equal(d->ops->fdb_add(d, &q, &err), 0);
	q.has_src_vni = false;
	q.dst = t_addr("239.1.1.1");
	q.mac = t_mac(B);
	assert_int_equal(d->ops->fdb_add(d, &q, &err), -EOPNOTSUPP);
	assert_string_equal(show(d), "a1>10.0.0.2p");
	/* get */
	q.mac = t_mac(A);
	assert_int_equal(d->ops->fdb_get(d, &q, &v, &err), 0);
	assert_true(v.has_dst && v.state == PERM && v.src_vni == 100);
	q.mac = t_mac(B);
	assert_int_equal(d->ops->fdb_get(d, &q, &v, &err), -ENOENT);
	assert_string_equal(err.text, "Fdb entry not found");
	h_end(&H);
}

/* --- 2.3: learning ------------------------------------------------------------------------------ */

static enum fdb_learned learn(struct dev *d, const char *mac, const char *ip, uint32_t ifindex)
{
	struct fdb *f = fdb_of(d);
	struct mac m = t_mac(mac);
	struct ip_addr a = t_addr(ip);
	struct fdb_entry *e = fdb_lookup(f, fdb_hash(f, &m, 100), &m, 100);

	return fdb_learn(f, &m, 100, &a, ifindex, 4789, vx_now(H.t->vx), &e);
}

static void learning(void **state)
{
	struct dev *d = make(3, NULL);

	(void)state;
	/* 3: new, with the device's port and VNI. */
	assert_int_equal(learn(d, A, "10.0.0.2", 0), FDB_NEW);
	assert_string_equal(show(d), "a1>10.0.0.2d");
	assert_int_equal(H.n_events, 1);
	assert_int_equal(H.event[0].kind, VX_FDB_NEW);
	assert_int_equal(H.event[0].v.flags, NTF_SELF);
	assert_int_equal(H.event[0].v.maker.how, MAKER_LEARNED);
	/* 2c: the same again, no event. */
	assert_int_equal(learn(d, A, "10.0.0.2", 0), FDB_KEEP);
	assert_int_equal(H.n_events, 1);
	/* 2e: moves. */
	assert_int_equal(learn(d, A, "10.0.0.3", 0), FDB_ROAMED);
	assert_string_equal(show(d), "a1>10.0.0.3d");
	assert_int_equal(H.n_events, 2);
	assert_int_equal(H.event[1].kind, VX_FDB_NEW);
	/* 2d: permanent and static stay; from the same remote the frame is taken. */
	assert_int_equal(h_fdb(d, ADD, B, "10.0.0.4", STATIC, 0, NULL), 0);
	assert_int_equal(learn(d, B, "10.0.0.5", 0), FDB_STATIC);
	assert_int_equal(learn(d, B, "10.0.0.4", 0), FDB_KEEP);
	assert_int_equal(h_fdb(d, REP, B, "10.0.0.4", PERM, 0, NULL), 0);
	assert_int_equal(learn(d, B, "10.0.0.5", 0), FDB_STATIC);
	/* dynamic entries of control roam, extern_learn ones, too; port and VNI stay. */
	assert_int_equal(h_fdb(d, REP, B, "0.0.0.0", DYN, 0, NULL), 0);
	assert_int_equal(learn(d, B, "10.0.0.5", 0), FDB_ROAMED);
	assert_string_equal(show(d), "b1>10.0.0.5d a1>10.0.0.3d");
	{
		struct fdb_req q = {.mac = t_mac("02:00:00:00:00:c1"), .state = DYN, .nl_flags = ADD,
				    .flags = NTF_EXT_LEARNED | NTF_SELF, .has_dst = true,
				    .dst = t_addr("10.0.0.6"), .has_port = true, .port = 5000,
				    .has_vni = true, .vni = 9};

		assert_int_equal(d->ops->fdb_add(d, &q, NULL), 0);
	}
	assert_int_equal(learn(d, "02:00:00:00:00:c1", "10.0.0.7", 0), FDB_ROAMED);
	assert_string_equal(show(d), "c1>10.0.0.7@5000#9dx b1>10.0.0.5d a1>10.0.0.3d");
	/* maxaddress: silently not learnt. */
	H.n_events = 0;
	assert_int_equal(learn(d, "02:00:00:00:00:d1", "10.0.0.7", 0), FDB_FULL);
	assert_int_equal(H.n_events, 0);
	h_end(&H);
}

/* A link-local source is learnt with where it came from. */
static void learning_linklocal(void **state)
{
	struct vxlan_opts o;
	struct dev *d;

	(void)state;
	h_init(&H);
	o = h_opts(100, 4789);
	o.local = t_addr("fd00::1");
	d = h_vxlan(&H, "vx", &o, 0);
	assert_int_equal(learn(d, A, "fe80::2", 2), FDB_NEW);
	assert_string_equal(show(d), "a1>fe80::2%2d");
	assert_int_equal(learn(d, A, "fe80::2", 2), FDB_KEEP);
	assert_int_equal(learn(d, A, "fe80::3", 2), FDB_ROAMED);
	assert_string_equal(show(d), "a1>fe80::3%2d");
	h_end(&H);
}

/* --- 4.7: ageing ----------------------------------------------------------------------------------- */

static void ageing(void **state)
{
	struct dev *d = make(0, "10.0.0.2");
	struct fdb *f = fdb_of(d);
	struct mac a = t_mac(A);
	struct fdb_entry *e;
	uint64_t now = H.t->now;

	(void)state;
	assert_int_equal(learn(d, A, "10.0.0.2", 0), FDB_NEW);
	assert_int_equal(h_fdb(d, ADD, B, "10.0.0.3", DYN, 0, NULL), 0);
	assert_int_equal(h_fdb(d, ADD, "02:00:00:00:00:c1", "10.0.0.3", DYN, NTF_EXT_LEARNED, NULL),
			 0);
	assert_int_equal(h_fdb(d, ADD, "02:00:00:00:00:d1", "10.0.0.3", STATIC, 0, NULL), 0);
	H.n_events = 0;
	assert_int_equal(fdb_age(f, now, 0), 100); /* never */
	assert_int_equal(fdb_age(f, now + 1000 * NS_PER_S, 0), 100);
	assert_int_equal(fdb_age(f, now, 300), 100); /* at most 10 s until the next look */
	assert_int_equal(fdb_age(f, now + 2 * NS_PER_S, 3), 10); /* one second is left */
	/* Sending moves "used" and keeps nothing alive; learning moves "updated". */
	e = fdb_find(f, &a, 100);
	fdb_touch_used(e, now + 2900 * NS_PER_MS);
	assert_int_equal(fdb_age(f, now + 2900 * NS_PER_MS, 3), 1);
	assert_int_equal(H.n_events, 0);
	fdb_learn(f, &a, 100, &(struct ip_addr){.b = {[10] = 0xff, 0xff, 10, 0, 0, 2}}, 0, 4789,
		  now + 2 * NS_PER_S, &e);
	assert_int_equal(fdb_age(f, now + 3 * NS_PER_S, 3), 20);
	assert_int_equal(H.n_events, 1);
	assert_int_equal(H.event[0].kind, VX_FDB_DEL);
	assert_int_equal(H.event[0].v.state, FDB_STALE);
	assert_int_equal(H.event[0].v.mac.b[5], 0xb1);
	assert_int_equal(fdb_age(f, now + 5 * NS_PER_S, 3), 100);
	assert_string_equal(show(d), "d1>10.0.0.3s c1>10.0.0.3dx 00>10.0.0.2p");
	h_end(&H);
}

/* The device's timer: first after 10 s, at once when ageing changes, only while up. */
static void ageing_timer(void **state)
{
	struct dev *d = make(0, NULL);
	struct vxlan_opts o = h_opts(100, 4789);

	(void)state;
	o.ageing = 3;
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_AGEING), NULL), 0);
	t_advance(H.t, 0);
	learn(d, A, "10.0.0.2", 0);
	t_advance(H.t, 9 * NS_PER_S);
	assert_string_equal(show(d), "a1>10.0.0.2d"); /* looked at 0 s, next at 10 s */
	t_advance(H.t, 1 * NS_PER_S);
	assert_string_equal(show(d), "");
	learn(d, A, "10.0.0.2", 0);
	t_advance(H.t, 0);
	t_advance(H.t, 2 * NS_PER_S);
	assert_string_equal(show(d), "a1>10.0.0.2d");
	o.ageing = 1;
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_AGEING), NULL), 0);
	t_advance(H.t, 0);
	assert_string_equal(show(d), "");
	o.ageing = 0; /* section 12: never */
	assert_int_equal(link_changelink(d, &o, VXA_BIT(VXA_AGEING), NULL), 0);
	learn(d, A, "10.0.0.2", 0);
	t_advance(H.t, 100000 * NS_PER_S);
	assert_string_equal(show(d), "a1>10.0.0.2d");
	assert_int_equal(dev_change_flags(d, false, NULL), 0);
	assert_true(d->ops->timer(d, H.t->now) == UINT64_MAX);
	h_end(&H);
}

/* "use" and any change move "updated". */
static void use_refreshes(void **state)
{
	struct dev *d = make(0, NULL);
	struct fdb_req q = {.mac = t_mac(A)};
	struct fdb_view v;

	(void)state;
	assert_int_equal(h_fdb(d, ADD, A, "10.0.0.2", DYN, 0, NULL), 0);
	t_advance(H.t, 5 * NS_PER_S);
	assert_int_equal(d->ops->fdb_get(d, &q, &v, NULL), 0);
	assert_true(v.updated == 5 * NS_PER_S && v.used == 5 * NS_PER_S);
	assert_int_equal(h_fdb(d, REP, A, "10.0.0.2", DYN, NTF_USE, NULL), 0);
	assert_int_equal(d->ops->fdb_get(d, &q, &v, NULL), 0);
	assert_true(v.updated == 0 && v.used == 5 * NS_PER_S);
	assert_int_equal(v.flags, NTF_SELF);
	h_end(&H);
}

/* --- 4.6, 4.8: flush, limit ------------------------------------------------------------------------- */

static void fill(struct dev *d)
{
	struct fdb_req q = {.mac = t_mac(B), .state = STATIC, .nl_flags = ADD, .has_dst = true,
			    .flags = NTF_SELF | NTF_ROUTER, .dst = t_addr("10.0.0.3"),
			    .has_vni = true, .vni = 7};

	assert_int_equal(h_fdb(d, ADD, Z, "10.0.0.2", PERM, 0, NULL), 0);
	assert_int_equal(h_fdb(d, APP, Z, "10.0.0.3", PERM, 0, NULL), 0);
	assert_int_equal(h_fdb(d, ADD, A, "10.0.0.2", PERM, 0, NULL), 0);
	assert_int_equal(d->ops->fdb_add(d, &q, NULL), 0);
	q = (struct fdb_req){.mac = t_mac("02:00:00:00:00:c1"), .state = DYN, .nl_flags = ADD,
			     .has_dst = true, .dst = t_addr("10.0.0.3"), .flags = NTF_SELF |
			     NTF_EXT_LEARNED, .has_port = true, .port = 5000};
	assert_int_equal(d->ops->fdb_add(d, &q, NULL), 0);
	q = (struct fdb_req){.mac = t_mac("02:00:00:00:00:d1"), .state = DYN, .nl_flags = ADD,
			     .has_dst = true, .dst = t_addr("10.0.0.4"), .flags = NTF_SELF,
			     .has_ifindex = true, .ifindex = 2};
	assert_int_equal(d->ops->fdb_add(d, &q, NULL), 0);
}

#define ALL "d1>10.0.0.4%2d c1>10.0.0.3@5000dx b1>10.0.0.3#7sr a1>10.0.0.2p 00>10.0.0.2p 00>10.0.0.3p"

static void flush(void **state)
{
	static const struct {
		struct fdb_flush f;
		const char *after;
	} rows[] = {
		{{0}, ""},
		{{.state = FDB_PERMANENT, .state_mask = FDB_PERMANENT},
		 "d1>10.0.0.4%2d c1>10.0.0.3@5000dx b1>10.0.0.3#7sr"},
		{{.state = 0, .state_mask = FDB_PERMANENT}, "a1>10.0.0.2p 00>10.0.0.2p 00>10.0.0.3p"},
		{{.state = FDB_NOARP, .state_mask = FDB_NOARP | FDB_PERMANENT},
		 "d1>10.0.0.4%2d c1>10.0.0.3@5000dx a1>10.0.0.2p 00>10.0.0.2p 00>10.0.0.3p"},
		{{.state = 0, .state_mask = FDB_NOARP | FDB_PERMANENT},
		 "b1>10.0.0.3#7sr a1>10.0.0.2p 00>10.0.0.2p 00>10.0.0.3p"},
		{{.flags = NTF_ROUTER, .flags_mask = NTF_ROUTER},
		 "d1>10.0.0.4%2d c1>10.0.0.3@5000dx a1>10.0.0.2p 00>10.0.0.2p 00>10.0.0.3p"},
		{{.flags = 0, .flags_mask = NTF_EXT_LEARNED}, "c1>10.0.0.3@5000dx"},
		{{.has_dst = true, .dst = {.b = {[10] = 0xff, 0xff, 10, 0, 0, 3}}},
		 "d1>10.0.0.4%2d a1>10.0.0.2p 00>10.0.0.2p"},
		{{.has_dst = true, .dst = {.b = {[10] = 0xff, 0xff, 10, 0, 0, 2}}},
		 "d1>10.0.0.4%2d c1>10.0.0.3@5000dx b1>10.0.0.3#7sr 00>10.0.0.3p"},
		{{.has_port = true, .port = 5000},
		 "d1>10.0.0.4%2d b1>10.0.0.3#7sr a1>10.0.0.2p 00>10.0.0.2p 00>10.0.0.3p"},
		{{.has_vni = true, .vni = 7},
		 "d1>10.0.0.4%2d c1>10.0.0.3@5000dx a1>10.0.0.2p 00>10.0.0.2p 00>10.0.0.3p"},
		{{.has_ifindex = true, .ifindex = 2},
		 "c1>10.0.0.3@5000dx b1>10.0.0.3#7sr a1>10.0.0.2p 00>10.0.0.2p 00>10.0.0.3p"},
		{{.has_src_vni = true, .src_vni = 101}, ALL},
		{{.has_src_vni = true, .src_vni = 100}, ""},
		/* AND-ed. */
		{{.has_dst = true, .dst = {.b = {[10] = 0xff, 0xff, 10, 0, 0, 3}}, .has_vni = true,
		  .vni = 7},
		 "d1>10.0.0.4%2d c1>10.0.0.3@5000dx a1>10.0.0.2p 00>10.0.0.2p 00>10.0.0.3p"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dev *d = make(0, NULL);

		fill(d);
		assert_string_equal(show(d), ALL);
		H.n_events = 0;
		assert_int_equal(d->ops->fdb_flush(d, &rows[i].f, NULL), 0);
		if (strcmp(show(d), rows[i].after))
			fail_msg("row %zu: %s", i, show(d));
		/* One event for each remote that went. */
		for (const char *c = rows[i].after; *c; c++)
			H.n_events += *c == '>';
		assert_int_equal(H.n_events, 6);
		h_end(&H);
	}
}

static void down_flushes_dynamic(void **state)
{
	struct dev *d = make(0, NULL);

	(void)state;
	fill(d);
	learn(d, "02:00:00:00:00:e1", "10.0.0.9", 0);
	assert_int_equal(h_fdb(d, APP, Z, "10.0.0.2", DYN, 0, NULL), 0); /* the default stays even so */
	assert_int_equal(dev_change_flags(d, false, NULL), 0);
	assert_string_equal(show(d), "b1>10.0.0.3#7sr a1>10.0.0.2p 00>10.0.0.2d 00>10.0.0.3d");
	h_end(&H);
}

/* 4.8: entries count, not remotes, the default one included. */
static void limit(void **state)
{
	struct dev *d = make(2, "10.0.0.2");

	(void)state;
	assert_int_equal(h_fdb(d, APP, Z, "10.0.0.3", PERM, 0, NULL), 0);
	assert_int_equal(h_fdb(d, ADD, A, "10.0.0.3", PERM, 0, NULL), 0);
	assert_int_equal(h_fdb(d, ADD, B, "10.0.0.3", PERM, 0, NULL), -ENOSPC);
	assert_int_equal(learn(d, B, "10.0.0.3", 0), FDB_FULL);
	assert_int_equal(h_fdb(d, REP, A, "10.0.0.4", PERM, 0, NULL), 0);
	assert_string_equal(show(d), "a1>10.0.0.4p 00>10.0.0.2p 00>10.0.0.3p");
	h_end(&H);
	d = make(1, "10.0.0.2");
	assert_int_equal(h_fdb(d, ADD, A, "10.0.0.3", PERM, 0, NULL), -ENOSPC);
	h_end(&H);
}

/* Peers are shared, counted, and "known" only while control names them. */
static void peers(void **state)
{
	struct dev *d = make(0, NULL);
	struct fdb *f = fdb_of(d);
	struct ip_addr two = t_addr("10.0.0.2"), three = t_addr("10.0.0.3");

	(void)state;
	learn(d, A, "10.0.0.2", 0);
	learn(d, B, "10.0.0.2", 0);
	assert_int_equal(f->peers.n, 1);
	assert_false(peer_is_known(&f->peers, &two)); /* learnt ones would confirm themselves */
	assert_int_equal(h_fdb(d, REP, A, "10.0.0.2", PERM, 0, NULL), 0);
	assert_true(peer_is_known(&f->peers, &two));
	assert_int_equal(h_fdb(d, REP, A, "10.0.0.3", PERM, 0, NULL), 0);
	assert_false(peer_is_known(&f->peers, &two));
	assert_true(peer_is_known(&f->peers, &three));
	assert_int_equal(f->peers.n, 2);
	d->ops->fdb_flush(d, &(struct fdb_flush){0}, NULL);
	assert_int_equal(f->peers.n, 0);
	assert_false(peer_is_known(&f->peers, &three));
	/* A dynamic entry of control that roams stays control's. */
	assert_int_equal(h_fdb(d, ADD, A, "10.0.0.2", DYN, 0, NULL), 0);
	learn(d, A, "10.0.0.3", 0);
	assert_false(peer_is_known(&f->peers, &two));
	h_end(&H);
}

/* --- growth ------------------------------------------------------------------------------------------ */

enum { MANY = 100000 };

static struct mac nth(uint32_t i)
{
	return (struct mac){{2, 9, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8),
			     (uint8_t)i}};
}

static void assert_there(struct fdb *f, uint32_t i, bool there)
{
	struct mac m = nth(i);
	struct fdb_entry *e = fdb_lookup(f, fdb_hash(f, &m, 100), &m, 100);

	if (there != !!e || (e && !mac_eq(&e->mac, &m)))
		fail_msg("entry %u is %sthere", i, e ? "" : "not ");
}

static void growth(void **state)
{
	struct dev *d = make(0, NULL);
	struct fdb *f = fdb_of(d);
	struct ip_addr ip = t_addr("10.0.0.2");
	uint32_t buckets = 16;
	uint64_t rnd = 7;
	int64_t base = live_bytes, most = 0;

	(void)state;
	H.t->vx->events.fdb = NULL;
	for (uint32_t i = 0; i < MANY; i++) {
		struct mac m = nth(i);
		struct fdb_entry *e = NULL;
		struct fdb_index *before = f->index;
		uint32_t at = f->growing ? f->grow_at : 0;

		assert_int_equal(fdb_learn(f, &m, 100, &ip, 0, 4789, H.t->now, &e), FDB_NEW);
		/* A bounded step, the last one of a new index, too. */
		if (f->index != before) {
			assert_true(buckets - at <= FDB_STEP);
			buckets *= 2;
		} else if (f->growing) {
			assert_true(f->grow_at - at <= FDB_STEP);
		}
		assert_there(f, i, true);
		assert_there(f, i + 1, false);
		for (int k = 0; k < 4; k++)
			assert_there(f, (uint32_t)(random_next(&rnd) % (i + 1)), true);
		if (i % 64 == 63) { /* a turn: the index left behind may go */
			vx_turn(H.t->vx, 0, H.t->now);
			quiesce_reap(&H.t->vx->quiesce);
		}
		if (i > 10000)
			most = MAX(most, (live_bytes - base) / (i + 1));
		if (i % 10000 == 9999)
			for (uint32_t k = 0; k <= i; k++)
				assert_there(f, k, true);
	}
	assert_int_equal(f->n, MANY);
	print_message("%d bytes an entry\n", (int)most);
	assert_true(most <= 128);
	/* Every other one goes, in the middle of growing, too. */
	for (uint32_t i = 0; i < MANY; i += 2) {
		struct mac m = nth(i);

		assert_int_equal(fdb_delete(f, &m, 100, NULL, NULL), 0);
	}
	for (uint32_t i = 0; i < MANY; i++)
		assert_there(f, i, i & 1);
	fdb_flush_dynamic(f);
	assert_int_equal(f->n, 0);
	vx_turn(H.t->vx, 0, H.t->now);
	assert_int_equal(quiesce_reap(&H.t->vx->quiesce), 0);
	assert_true(live_bytes - base < MANY * 16 + 4096); /* the index alone */
	h_end(&H);
}

/* Insertions and deletions at random while growing, against a flat model. */
static void churn(void **state)
{
	enum { N = 4096 };
	static bool model[N];
	struct dev *d = make(0, NULL);
	struct fdb *f = fdb_of(d);
	struct ip_addr ip = t_addr("10.0.0.2");
	uint64_t rnd = 99;
	uint32_t n = 0;

	(void)state;
	memset(model, 0, sizeof(model));
	H.t->vx->events.fdb = NULL;
	for (int i = 0; i < 60000; i++) {
		uint64_t r = random_next(&rnd);
		uint32_t k = (uint32_t)(r >> 16) % N;
		struct mac m = nth(k);
		struct fdb_entry *e = NULL;

		if ((r & 7) < (i < 30000 ? 6 : 3)) {
			assert_int_equal(fdb_learn(f, &m, 100, &ip, 0, 4789, H.t->now, &e),
					 model[k] ? FDB_KEEP : FDB_NEW);
			n += !model[k];
			model[k] = true;
		} else {
			assert_int_equal(fdb_delete(f, &m, 100, NULL, NULL),
					 model[k] ? 0 : -ENOENT);
			n -= model[k];
			model[k] = false;
		}
		assert_int_equal(f->n, n);
		k = (uint32_t)(r >> 40) % N;
		assert_there(f, k, model[k]);
		if (!(r >> 60)) {
			vx_turn(H.t->vx, 0, H.t->now);
			quiesce_reap(&H.t->vx->quiesce);
		}
	}
	for (uint32_t k = 0; k < N; k++)
		assert_there(f, k, model[k]);
	h_end(&H);
}

/* --- threads ----------------------------------------------------------------------------------------- */

struct reader {
	struct fdb *f;
	struct quiesce *q;
	uint32_t id;
	_Atomic bool *stop;
	_Atomic uint64_t looked, found;
};

/* A worker: looks up, learns, reads what it finds, passes a quiescent state every 16 frames. */
static void *read_and_learn(void *arg)
{
	struct reader *r = arg;
	uint64_t rnd = r->id + 1;

	while (!atomic_load(r->stop)) {
		quiesce_pass(r->q, r->id);
		for (int i = 0; i < 16; i++) {
			uint64_t x = random_next(&rnd);
			struct mac m = nth((uint32_t)x % 3000);
			struct ip_addr ip = ip_from4(be32_put(0x0a000000 + (x >> 32) % 3));
			struct fdb_entry *e = fdb_lookup(r->f, fdb_hash(r->f, &m, 100), &m, 100);
			struct peer *p;

			r->looked++;
			fdb_learn(r->f, &m, 100, &ip, 0, 4789, 1000 * NS_PER_S + x % NS_PER_S, &e);
			if (!e)
				continue;
			r->found++;
			assert(mac_eq(&e->mac, &m));
			fdb_touch_used(e, x);
			p = atomic_load_explicit(&e->peer, memory_order_acquire);
			assert(p->port == 4789 || p->port == 5000);
			peer_is_known(&r->f->peers, &ip);
		}
		if (!(random_next(&rnd) % 64))
			quiesce_idle(r->q, r->id);
	}
	quiesce_idle(r->q, r->id);
	return NULL;
}

static int count_one(void *ctx, const struct fdb_view *v)
{
	(void)v;
	++*(uint32_t *)ctx;
	return 0;
}

static void control_step(struct dev *d, struct fdb *f, uint64_t x)
{
	struct mac m = nth((uint32_t)(x >> 8) % 3000);
	struct fdb_req q = {.mac = m, .state = DYN, .flags = NTF_SELF, .nl_flags = REP,
			    .has_dst = true, .dst = ip_from4(be32_put(0x0a000000 + (x >> 40) % 3)),
			    .has_port = x >> 63, .port = 5000};
	uint32_t n = 0;

	switch (x & 15) {
	case 0:
		fdb_walk(f, count_one, &n);
		break;
	case 1:
		fdb_age(f, 1000 * NS_PER_S + x % (4 * NS_PER_S), 2);
		break;
	case 2: {
		struct fdb_flush fl = {.has_dst = true, .dst = q.dst, .has_port = true, .port = 5000};

		fdb_flush_matching(f, &fl);
		break;
	}
	case 3:
		q.mac = (struct mac){0};
		q.nl_flags = APP;
		d->ops->fdb_add(d, &q, NULL);
		break;
	case 4:
		q.mac = (struct mac){0};
		d->ops->fdb_del(d, &q, NULL);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
		fdb_delete(f, &m, 100, NULL, NULL);
		break;
	default:
		d->ops->fdb_add(d, &q, NULL);
	}
}

static void threads(void **state)
{
	struct reader r[2];
	pthread_t th[2];
	_Atomic bool stop = false;
	uint64_t rnd = 5;
	struct vxlan_opts o;
	struct dev *d;

	(void)state;
	h_init_workers(&H, 2);
	o = h_opts(100, 4789);
	d = h_vxlan(&H, "vx", &o, 0);
	H.t->vx->events.fdb = NULL;
	for (uint32_t i = 0; i < 2; i++) {
		r[i] = (struct reader){fdb_of(d), &H.t->vx->quiesce, i, &stop, 0, 0};
		assert_int_equal(pthread_create(&th[i], NULL, read_and_learn, &r[i]), 0);
	}
	/* On a busy machine the readers may begin late: they have to have had their part. */
	for (int i = 0; i < 6000 || (i < 2000000 && !(r[0].found && r[1].found)); i++) {
		control_step(d, fdb_of(d), random_next(&rnd));
		quiesce_reap(&H.t->vx->quiesce);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++) {
		pthread_join(th[i], NULL);
		assert_true(r[i].looked && r[i].found);
	}
	d->ops->fdb_flush(d, &(struct fdb_flush){0}, NULL);
	assert_int_equal(fdb_of(d)->n, 0);
	assert_int_equal(fdb_of(d)->peers.n, 0);
	assert_int_equal(quiesce_reap(&H.t->vx->quiesce), 0);
	h_end(&H);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_unicast), cmocka_unit_test(operations_flood),
		cmocka_unit_test(refusals),	      cmocka_unit_test(learning),
		cmocka_unit_test(learning_linklocal), cmocka_unit_test(ageing),
		cmocka_unit_test(ageing_timer),	      cmocka_unit_test(use_refreshes),
		cmocka_unit_test(flush),	      cmocka_unit_test(down_flushes_dynamic),
		cmocka_unit_test(limit),	      cmocka_unit_test(peers),
		cmocka_unit_test(growth),	      cmocka_unit_test(churn),
		cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
