/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out in a fuzz target's script.  The targets are linked with --wrap of what is
 * here (src/meson.build), so that only what is built from src/ is refused.
 */
#include <stdlib.h>

#include "base/quiesce.h"
#include "net/script.h"

static uint32_t before, fails; /* so many get their memory; then so many do not */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t align, size_t n);
void __real_quiesce_defer(struct quiesce *q, void (*fn)(void *arg), void *arg);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t n);
void __wrap_quiesce_defer(struct quiesce *q, void (*fn)(void *arg), void *arg);

void script_memory(uint32_t good, uint32_t bad)
{
	before = good;
	fails = bad;
}

static bool is_refused(void)
{
	if (likely(!fails))
		return false;
	if (before) {
		before--;
		return false;
	}
	fails--;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return is_refused() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	return is_refused() ? NULL : __real_aligned_alloc(align, n);
}

/* What cannot be deferred is never freed: meant so (base/quiesce.h), and a leak to the sanitizer.
 */
void __wrap_quiesce_defer(struct quiesce *q, void (*fn)(void *arg), void *arg)
{
	uint32_t kept = fails;

	fails = 0;
	__real_quiesce_defer(q, fn, arg);
	fails = kept;
}
