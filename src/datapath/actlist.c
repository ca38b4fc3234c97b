/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of actions: how they are made. */
#include "datapath/action.h"

#include <errno.h>
#include <stdlib.h>

struct actions *actions_get(struct actions *a)
{
	if (a)
		atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
	return a;
}

void actions_put(struct actions *a)
{
	if (a && atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) == 1)
		free(a);
}

static int reserve(struct act_buf *b, uint32_t more)
{
	uint32_t len = b->a ? b->a->len : 0, size = MAX(b->size * 2, 128u);
	struct actions *a;

	if (b->a && b->size - len >= more)
		return 0;
	if (len + more > ACTS_MAX)
		return -E2BIG;
	while (size - len < more)
		size *= 2;
	a = realloc(b->a, sizeof(*a) + size);
	if (!a)
		return -ENOMEM;
	if (!b->a) {
		a->len = 0;
		atomic_init(&a->refs, 1);
	}
	b->a = a;
	b->size = size;
	return 0;
}

/* A record of 'size' bytes, copied from 'v' but for its struct act; NULL: b->err says why. */
static struct act *add(struct act_buf *b, enum act_type type, uint32_t size, const void *v)
{
	uint32_t len = (size + 7) & ~7u;
	struct act *a;

	if (!b->err)
		b->err = reserve(b, len);
	if (b->err)
		return NULL;
	a = (struct act *)(b->a->b + b->a->len);
	memset(a, 0, len);
	if (v)
		memcpy(a + 1, (const struct act *)v + 1, size - sizeof(*a));
	a->type = (uint8_t)type;
	a->len = (uint16_t)(len / 8);
	b->a->len += len;
	return a;
}

void act_output(struct act_buf *b, uint32_t port)
{
	struct act *a = add(b, ACT_OUTPUT, sizeof(*a), NULL);

	if (a)
		a->arg = port;
}

void act_push_vlan(struct act_buf *b, uint16_t tpid, uint16_t tci)
{
	const struct act_vlan v = {.tpid = be16_put(tpid),
				   .tci = be16_put((uint16_t)(tci & ~VLAN_PRESENT))};

	add(b, ACT_PUSH_VLAN, sizeof(v), &v);
}

void act_pop_vlan(struct act_buf *b)
{
	add(b, ACT_POP_VLAN, sizeof(struct act), NULL);
}

void act_set_eth(struct act_buf *b, const struct act_eth *v)
{
	add(b, ACT_SET_ETH, sizeof(*v), v);
}

void act_set_ip4(struct act_buf *b, const struct act_ip4 *v)
{
	add(b, ACT_SET_IP4, sizeof(*v), v);
}

void act_set_ip6(struct act_buf *b, const struct act_ip6 *v)
{
	add(b, ACT_SET_IP6, sizeof(*v), v);
}

void act_set_ports(struct act_buf *b, enum act_type type, const struct act_ports *v)
{
	assert(type == ACT_SET_TCP || type == ACT_SET_UDP || type == ACT_SET_SCTP);
	add(b, type, sizeof(*v), v);
}

/* Member by member: lists are compared by bytes, and the caller's may have any between them. */
void act_set_tunnel(struct act_buf *b, const struct tun_info *t)
{
	struct act_tunnel *a = (struct act_tunnel *)add(b, ACT_SET_TUNNEL, sizeof(*a), NULL);

	if (!a)
		return;
	a->tun.src = t->src;
	a->tun.dst = t->dst;
	a->tun.id = t->id;
	a->tun.sport = t->sport;
	a->tun.dport = t->dport;
	a->tun.tos = t->tos;
	a->tun.ttl = t->ttl;
	a->tun.is_tx = true;
	a->tun.has_csum = t->has_csum;
	a->tun.has_key = t->has_key;
	a->tun.df = t->df;
	a->tun.label = t->label;
	a->tun.gbp = t->gbp;
}

void act_set_mark(struct act_buf *b, uint32_t mark, uint32_t mask)
{
	const struct act_mark v = {.mark = mark, .mask = mask};

	add(b, ACT_SET_MARK, sizeof(v), &v);
}

void act_userspace(struct act_buf *b, uint32_t pid, const struct act_userspace *v)
{
	struct act *a = add(b, ACT_USERSPACE, sizeof(*v), v);

	if (a)
		a->arg = pid;
}

void act_drop(struct act_buf *b, enum drop why)
{
	struct act *a = add(b, ACT_DROP, sizeof(*a), NULL);

	if (a)
		a->arg = why;
}

void act_clone(struct act_buf *b)
{
	if (!b->err && b->depth == ACT_DEPTH_MAX)
		b->err = -EINVAL;
	if (add(b, ACT_CLONE, sizeof(struct act), NULL))
		b->open[b->depth++] = b->a->len - (uint32_t)sizeof(struct act);
}

void act_clone_end(struct act_buf *b)
{
	struct act *a;

	if (!b->err && !b->depth)
		b->err = -EINVAL;
	if (b->err)
		return;
	b->depth--;
	a = (struct act *)(b->a->b + b->open[b->depth]);
	a->len = (uint16_t)((b->a->len - b->open[b->depth]) / 8);
}

/* Marks what needs the packet in [from, to), and the last of these.  True if there is one. */
static bool mark(struct actions *a, uint32_t from, uint32_t to)
{
	struct act *last = NULL;

	for (uint32_t at = from; at < to;) {
		struct act *x = (struct act *)(a->b + at);
		uint32_t end = at + x->len * 8u;
		bool uses =
			x->type == ACT_OUTPUT || x->type == ACT_USERSPACE || x->type == ACT_DROP;

		if (x->type == ACT_CLONE)
			uses = mark(a, at + (uint32_t)sizeof(*x), end);
		if (uses) {
			x->flags |= ACT_USES;
			last = x;
		}
		at = end;
		if (x->type == ACT_DROP) /* nothing behind it is ever reached */
			break;
	}
	if (last)
		last->flags |= ACT_LAST;
	return last != NULL;
}

struct actions *act_buf_done(struct act_buf *b, int *err)
{
	struct actions *a;

	if (!b->err && b->depth)
		b->err = -EINVAL;
	if (!b->err)
		b->err = reserve(b, 0);
	if (b->err) {
		*err = b->err;
		act_buf_drop(b);
		return NULL;
	}
	a = b->a;
	*b = (struct act_buf){0};
	mark(a, 0, a->len);
	return a;
}

void act_buf_drop(struct act_buf *b)
{
	free(b->a);
	*b = (struct act_buf){0};
}
