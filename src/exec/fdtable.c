/* SPDX-License-Identifier: Apache-2.0 */
/* Which descriptors are led; fdtable.h holds the contract. */
#include "fdtable.h"

#include "led.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLOT_BITS = 10, SLOTS = 1 << SLOT_BITS, SLOT_PAGES = 4096 };
enum { FD_MAX = SLOTS * SLOT_PAGES }; /* four times the kernel's default fs.nr_open */
enum { SLOT_COUNTER = 1 }; /* low bit of a slot: this is the eventfd, hidden from the program */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(_Atomic uintptr_t *) pages[SLOT_PAGES];
static pid_t owner; /* whose descriptors the table describes */

void fdtable_lock(void)
{
	pthread_mutex_lock(&lock);
}

void fdtable_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

static void after_fork_in_child(void)
{
	owner = getpid();
	fdtable_unlock();
}

void fdtable_start(void)
{
	owner = getpid();
	pthread_atfork(fdtable_lock, fdtable_unlock, after_fork_in_child);
}

/* Whether we are a child of vfork(): our memory is the parent's, our descriptors are not. */
static bool borrowed(void)
{
	return getpid() != owner;
}

/* ---- slots: all but slot_get() locked ---- */

static uintptr_t slot_get(int fd)
{
	_Atomic uintptr_t *page;

	if (fd < 0 || fd >= FD_MAX)
		return 0;
	page = atomic_load_explicit(&pages[fd >> SLOT_BITS], memory_order_acquire);
	return page ? atomic_load_explicit(&page[fd % SLOTS], memory_order_acquire) : 0;
}

/* 0 or -1; clearing never fails.  Pages stay, so slot_get() needs no lock. */
static int slot_set(int fd, uintptr_t value)
{
	_Atomic uintptr_t *page;

	if (fd < 0 || fd >= FD_MAX)
		return value ? -1 : 0;
	page = atomic_load_explicit(&pages[fd >> SLOT_BITS], memory_order_relaxed);
	if (!page && !value)
		return 0;
	if (!page) {
		page = calloc(SLOTS, sizeof(*page));
		if (!page)
			return -1;
		atomic_store_explicit(&pages[fd >> SLOT_BITS], page, memory_order_release);
	}
	atomic_store_explicit(&page[fd % SLOTS], value, memory_order_release);
	return 0;
}

/* The first slot in use from 'fd' on, FD_MAX if there is none. */
static int slot_next(int fd)
{
	while (fd < FD_MAX && !slot_get(fd)) {
		if (atomic_load_explicit(&pages[fd >> SLOT_BITS], memory_order_relaxed))
			fd++;
		else
			fd = (fd | (SLOTS - 1)) + 1;
	}
	return fd;
}

static struct led *slot_led(uintptr_t slot)
{
	return slot & SLOT_COUNTER ? NULL : (struct led *)slot;
}

static uintptr_t counter_slot(const struct led *l)
{
	return (uintptr_t)l | SLOT_COUNTER;
}

/* The led socket whose eventfd is 'fd', or NULL.  One closed behind our back is forgotten. */
static struct led *counter_led(int fd)
{
	uintptr_t slot = slot_get(fd);
	struct led *l;

	if (!(slot & SLOT_COUNTER))
		return NULL;
	l = (struct led *)(slot - SLOT_COUNTER);
	if (led_is_counter(l, fd))
		return l;
	slot_set(fd, 0);
	l->done_fd = -1;
	return NULL;
}

/* Takes one reference back; the last one ends 'l'.  Keeps errno. */
static void unref(struct led *l)
{
	if (--l->refs)
		return;
	if (slot_get(l->done_fd) == counter_slot(l))
		slot_set(l->done_fd, 0);
	else
		l->done_fd = -1;
	led_free(l);
}

/* Forgets 'fd' if it is led, or was a counter and is none now. */
static void slot_drop(int fd)
{
	struct led *l = slot_led(slot_get(fd));

	counter_led(fd);
	if (l) {
		slot_set(fd, 0);
		unref(l);
	}
}

/* ---- lookup ---- */

bool fdtable_has(int fd)
{
	return slot_get(fd);
}

struct led *fdtable_get(int fd)
{
	int saved = errno;
	struct led *l;

	if (!slot_led(slot_get(fd)))
		return NULL;
	fdtable_lock();
	l = slot_led(slot_get(fd));
	if (l && !led_is_socket(l, fd)) {
		if (!borrowed())
			slot_drop(fd); /* closed behind our back */
		l = NULL;
	}
	if (l)
		l->refs++;
	fdtable_unlock();
	errno = saved;
	return l;
}

void fdtable_put(struct led *l)
{
	fdtable_lock();
	unref(l);
	fdtable_unlock();
}

struct led *fdtable_next(int *fd)
{
	for (*fd = slot_next(*fd); *fd < FD_MAX; *fd = slot_next(*fd + 1))
		if (slot_led(slot_get(*fd)))
			return slot_led(slot_get(*fd));
	return NULL;
}

/* ---- changes ---- */

int fdtable_enter(int fd, struct led *l)
{
	slot_drop(fd); /* stale entries of what was closed behind our back */
	slot_drop(l->done_fd);
	if (slot_set(l->done_fd, counter_slot(l)))
		return -1;
	if (slot_set(fd, (uintptr_t)l)) {
		slot_set(l->done_fd, 0);
		return -1;
	}
	l->refs = 1;
	return 0;
}

int fdtable_assign(int fd, struct led *l)
{
	int r = 0;

	fdtable_lock();
	if (!borrowed()) {
		slot_drop(fd);
		if (l)
			r = slot_set(fd, (uintptr_t)l);
		if (l && !r)
			l->refs++;
	}
	fdtable_unlock();
	return r;
}

int fdtable_forget(int fd)
{
	int r = 0;

	if (!slot_get(fd) || borrowed())
		return 0;
	fdtable_lock();
	if (counter_led(fd))
		r = -1;
	else
		slot_drop(fd);
	fdtable_unlock();
	return r;
}

int fdtable_make_room(int fd)
{
	struct led *l;
	int moved = fd;

	if (!(slot_get(fd) & SLOT_COUNTER) || borrowed())
		return 0;
	fdtable_lock();
	l = counter_led(fd);
	if (l) {
		moved = real.fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
		if (moved >= 0 && slot_set(moved, counter_slot(l))) {
			syscall(SYS_close, moved);
			moved = -1;
		}
	}
	if (l && moved >= 0) {
		l->done_fd = moved;
		slot_set(fd, 0);
	}
	fdtable_unlock();
	if (moved >= 0)
		return 0;
	errno = EBUSY;
	return -1;
}

int fdtable_close_range(unsigned int first, unsigned int last, int flags)
{
	int end = last < FD_MAX ? (int)last : FD_MAX - 1;
	int r = 0;

	if (first > last || first >= FD_MAX || flags & ~CLOSE_RANGE_UNSHARE || borrowed())
		return syscall(SYS_close_range, first, last, flags);
	fdtable_lock();
	for (int fd = slot_next(first); fd <= end; fd = slot_next(fd + 1))
		slot_drop(fd);
	for (int fd = slot_next(first); fd <= end && !r; fd = slot_next(fd + 1)) {
		if ((unsigned int)fd > first)
			r = syscall(SYS_close_range, first, fd - 1, flags);
		first = fd + 1;
	}
	if (!r && first <= last)
		r = syscall(SYS_close_range, first, last, flags);
	fdtable_unlock();
	return r;
}
