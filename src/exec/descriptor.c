/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that copy and close descriptors. */
#include "start.h"

#include "fdtable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

EXPORT int close(int fd)
{
	start();
	if (fdtable_forget(fd)) { /* before the number is free: the next socket() may get it */
		errno = EBADF;
		return -1;
	}
	return real.close(fd);
}

EXPORT int close_range(unsigned int first, unsigned int last, int flags)
{
	start();
	return fdtable_close_range(first, last, flags);
}

EXPORT void closefrom(int low)
{
	close_range(low > 0 ? low : 0, ~0u, 0);
}

/* 'copy', unless negative, is now one more descriptor of 'l', or with NULL not led.  Takes 'l'. */
static int copied(int copy, struct led *l)
{
	if (copy >= 0 && (l || fdtable_has(copy)) && fdtable_assign(copy, l)) {
		real.close(copy);
		copy = -1;
		errno = EMFILE;
	}
	if (l)
		fdtable_put(l);
	return copy;
}

EXPORT int dup(int fd)
{
	struct led *l = start_led(fd);

	return copied(real.dup(fd), l);
}

EXPORT int dup2(int fd, int copy)
{
	struct led *l = start_led(fd);

	if (fd != copy && fdtable_make_room(copy))
		return copied(-1, l);
	return copied(real.dup2(fd, copy), l);
}

EXPORT int dup3(int fd, int copy, int flags)
{
	struct led *l = start_led(fd);

	if (fd != copy && fdtable_make_room(copy))
		return copied(-1, l);
	return copied(real.dup3(fd, copy, flags), l);
}

EXPORT int fcntl(int fd, int cmd, ...)
{
	struct led *l;
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	start();
	if (cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC)
		return real.fcntl(fd, cmd, arg);
	l = start_led(fd);
	return copied(real.fcntl(fd, cmd, arg), l);
}

EXPORT int fcntl64(int fd, int cmd, ...) __attribute__((alias("fcntl")));
