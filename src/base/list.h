/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intrusive doubly linked list with a head.  One writer; no reader beside it.
 */
#ifndef VX_BASE_LIST_H
#define VX_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static inline void list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_insert_after(struct list *at, struct list *item)
{
	item->next = at->next;
	item->prev = at;
	at->next->prev = item;
	at->next = item;
}

static inline void list_append(struct list *head, struct list *item)
{
	list_insert_after(head->prev, item);
}

/* Leaves 'item' a list of its own, so a second removal is harmless. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#define list_for_each(pos, head, type, member)                                                     \
	for (type *pos = container_of((head)->next, type, member); &pos->member != (head);         \
	     pos = container_of(pos->member.next, type, member))

/* 'pos' may be removed and freed in the body. */
#define list_for_each_safe(pos, head, type, member)                                                \
	for (type *pos = container_of((head)->next, type, member),                                 \
		  *pos##_next = container_of(pos->member.next, type, member);                      \
	     &pos->member != (head);                                                               \
	     pos = pos##_next, pos##_next = container_of(pos->member.next, type, member))

#endif
