/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/rules.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>

static const char *const hook_names[HOOK_POINTS] = {"prerouting", "input", "output", "postrouting"};

static const enum stage stages[HOOK_POINTS] = {STAGE_hook_prerouting, STAGE_hook_input,
					       STAGE_hook_output, STAGE_hook_postrouting};

struct rule {
	struct list node;
	enum hook_point point;
	struct bpf_program prog;
	bool all; /* no expression */
	enum hook_verdict verdict;
	_Atomic uint64_t packets;
	uint32_t id;
	char *expr;
};

struct rule_table {
	uint32_t n;
	struct rule *r[];
};

enum { LOOK = 256 };

/* The first rule that matches decides; without one the packet goes on. */
static enum hook_verdict ask(struct worker *w, const struct hook *h, struct pkt *p)
{
	struct rules *all = h->ctx;
	struct rule_table *t = atomic_load_explicit(&all->table[h->point], memory_order_acquire);
	struct pcap_pkthdr head = {.len = pkt_total(p), .caplen = MIN(pkt_total(p), (uint32_t)LOOK)};
	uint8_t buf[LOOK];

	(void)w;
	pkt_copy_out(p, 0, buf, head.caplen);
	for (uint32_t i = 0; t && i < t->n; i++) {
		struct rule *r = t->r[i];

		if (!r->all && !pcap_offline_filter(&r->prog, &head, buf))
			continue;
		atomic_fetch_add_explicit(&r->packets, 1, memory_order_relaxed);
		if (unlikely(pkt_trace(p)))
			trace_add(p, stages[h->point], SAY_HOOK)->u[0] = r->id;
		return r->verdict;
	}
	return HOOK_ACCEPT;
}

void rules_init(struct rules *r, struct vx *vx)
{
	*r = (struct rules){.vx = vx, .next_id = 1};
	list_init(&r->list);
	for (int i = 0; i < HOOK_POINTS; i++)
		r->hook[i] = (struct hook){.point = (enum hook_point)i, .fn = ask, .ctx = r};
}

/* Publishes the rules of a point as the list has them now. */
static int publish(struct rules *r, enum hook_point point)
{
	struct rule_table *old = atomic_load(&r->table[point]), *t = NULL;
	uint32_t n = 0;
	int err = 0;

	list_for_each (u, &r->list, struct rule, node)
		n += u->point == point;
	if (n) {
		t = malloc(sizeof(*t) + n * sizeof(t->r[0]));
		if (!t)
			return -ENOMEM;
		t->n = 0;
		list_for_each (u, &r->list, struct rule, node)
			if (u->point == point)
				t->r[t->n++] = u;
	}
	if (t && !old)
		err = hook_register(r->vx, &r->hook[point]);
	if (err < 0) {
		free(t);
		return err;
	}
	atomic_store_explicit(&r->table[point], t, memory_order_release);
	if (old && !t)
		hook_unregister(r->vx, &r->hook[point]);
	if (old)
		quiesce_defer(&r->vx->quiesce, free, old);
	return 0;
}

static void rule_free(void *arg)
{
	struct rule *u = arg;

	if (!u->all)
		pcap_freecode(&u->prog);
	free(u->expr);
	free(u);
}

void rules_done(struct rules *r)
{
	for (int i = 0; i < HOOK_POINTS; i++) {
		struct rule_table *t = atomic_exchange(&r->table[i], NULL);

		if (t)
			hook_unregister(r->vx, &r->hook[i]);
		free(t);
	}
	list_for_each_safe (u, &r->list, struct rule, node) {
		list_remove(&u->node);
		rule_free(u);
	}
}

static int compile(struct rule *u, struct text *out)
{
	pcap_t *dead;
	int r;

	u->all = !*u->expr;
	if (u->all)
		return 0;
	dead = pcap_open_dead(DLT_RAW, 65535);
	if (!dead)
		return -1;
	r = pcap_compile(dead, &u->prog, u->expr, 1, PCAP_NETMASK_UNKNOWN);
	if (r < 0) {
		u->all = true; /* nothing to be freed */
		text_printf(out, "the expression \"%s\" is wrong: %s", u->expr, pcap_geterr(dead));
	}
	pcap_close(dead);
	return r < 0 ? -1 : 0;
}

static int find_hook(const char *name)
{
	for (int i = 0; i < HOOK_POINTS; i++)
		if (!strcmp(name, hook_names[i]))
			return i;
	return -1;
}

static int add(struct rules *r, int argc, char *const argv[], struct text *out)
{
	int point = argc > 1 ? find_hook(argv[1]) : -1, err;
	struct text expr = {0};
	struct rule *u;

	if (point < 0 || argc < 3 || (strcmp(argv[2], "accept") && strcmp(argv[2], "drop"))) {
		text_printf(out, "\"%s\" is no hook and verdict: rule add "
				 "prerouting|input|output|postrouting accept|drop [EXPRESSION]",
			    point < 0 && argc > 1 ? argv[1] : argc > 2 ? argv[2] : "");
		return -1;
	}
	u = calloc(1, sizeof(*u));
	for (int i = 3; i < argc; i++)
		text_printf(&expr, "%s%s", i > 3 ? " " : "", argv[i]);
	if (!u || !(u->expr = strdup(text_get(&expr)))) {
		free(u);
		text_done(&expr);
		return -1;
	}
	text_done(&expr);
	u->verdict = *argv[2] == 'd' ? HOOK_DROP : HOOK_ACCEPT;
	if (compile(u, out) < 0) {
		rule_free(u);
		return -1;
	}
	u->id = r->next_id++;
	u->point = (enum hook_point)point;
	list_append(&r->list, &u->node);
	err = publish(r, u->point);
	if (err < 0) {
		text_printf(out, "the rule cannot be added: %s", strerror(-err));
		list_remove(&u->node);
		rule_free(u);
		return -1;
	}
	return 0;
}

static int del(struct rules *r, int argc, char *const argv[], struct text *out)
{
	unsigned long long id;

	if (argc != 2 || text_to_u64(argv[1], UINT32_MAX, &id) < 0) {
		text_printf(out, "rule del takes a number of \"vx rule show\"");
		return -1;
	}
	list_for_each_safe (u, &r->list, struct rule, node) {
		if (u->id != id)
			continue;
		list_remove(&u->node);
		if (publish(r, u->point) < 0) {
			list_append(&r->list, &u->node);
			text_printf(out, "no memory");
			return -1;
		}
		quiesce_defer(&r->vx->quiesce, rule_free, u);
		return 0;
	}
	text_printf(out, "there is no rule %llu: \"vx rule show\" lists them", id);
	return -1;
}

static void show(struct rules *r, struct text *out)
{
	list_for_each (u, &r->list, struct rule, node)
		text_printf(out, "%u: %s %s%s%s  (%llu packets)\n", u->id, hook_names[u->point],
			    u->verdict == HOOK_DROP ? "drop" : "accept", *u->expr ? " " : "",
			    u->expr, (unsigned long long)atomic_load(&u->packets));
}

int rules_command(struct rules *r, int argc, char *const argv[], struct text *out)
{
	if (argc < 1 || !strcmp(argv[0], "show")) {
		show(r, out);
		return 0;
	}
	if (!strcmp(argv[0], "add"))
		return add(r, argc, argv, out);
	if (!strncmp(argv[0], "del", 3))
		return del(r, argc, argv, out);
	text_printf(out, "\"%s\" is unknown: rule add, rule del, rule show", argv[0]);
	return -1;
}

void rules_canon(struct rules *r, struct text *t)
{
	list_for_each (u, &r->list, struct rule, node)
		text_printf(t, "rule add %s %s%s%s%s\n", hook_names[u->point],
			    u->verdict == HOOK_DROP ? "drop" : "accept", *u->expr ? " \"" : "",
			    u->expr, *u->expr ? "\"" : "");
}
