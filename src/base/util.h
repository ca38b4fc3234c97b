/* SPDX-License-Identifier: Apache-2.0 */
/* The few macros that every layer uses. */
#ifndef VX_BASE_UTIL_H
#define VX_BASE_UTIL_H

#include <assert.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MAX(a, b)    ((a) > (b) ? (a) : (b))
#define likely(x)    __builtin_expect(!!(x), 1)
#define unlikely(x)  __builtin_expect(!!(x), 0)
#define WIRE	     __attribute__((packed, may_alias))
/* Kept out of its callers, whose registers it would cost. */
#define COLD	     __attribute__((cold, noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
/* A function that reads counters which other threads move with plain increments: aligned loads,
 * each value as of some moment.  ThreadSanitizer need not look; it would at an atomic load, even
 * here, so these are volatile ones. */
#define READS_COUNTERS __attribute__((no_sanitize("thread")))
#define COUNTER_NOW(p) (*(const volatile __typeof__(*(p)) *)(p))
#define CACHE_LINE   64
#define CACHE_ALIGNED __attribute__((aligned(CACHE_LINE)))

#define NS_PER_US 1000ull
#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

#endif
