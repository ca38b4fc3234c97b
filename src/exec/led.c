/* SPDX-License-Identifier: Apache-2.0 */
/* One led socket; led.h holds the contract. */
#include "led.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct led *led_new(int type)
{
	struct led *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->type = type;
	l->done_fd = -1;
	l->shared = mmap(NULL, sizeof(*l->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l->shared != MAP_FAILED)
		return l;
	free(l);
	errno = ENOMEM;
	return NULL;
}

void led_free(struct led *l)
{
	int saved = errno;

	if (!l)
		return;
	if (led_is_counter(l, l->done_fd))
		syscall(SYS_close, l->done_fd);
	munmap(l->shared, sizeof(*l->shared));
	free(l);
	errno = saved;
}

static int file_id_get(int fd, struct file_id *id)
{
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	*id = (struct file_id){st.st_dev, st.st_ino};
	return 0;
}

static bool file_id_is(const struct file_id *id, int fd)
{
	struct file_id found;

	return fd >= 0 && !file_id_get(fd, &found) && found.dev == id->dev && found.ino == id->ino;
}

int led_set_socket(struct led *l, int fd)
{
	return file_id_get(fd, &l->socket);
}

int led_set_counter(struct led *l, int done_fd)
{
	if (file_id_get(done_fd, &l->counter))
		return -1;
	l->done_fd = done_fd;
	return 0;
}

bool led_is_socket(const struct led *l, int fd)
{
	return file_id_is(&l->socket, fd);
}

bool led_is_counter(const struct led *l, int fd)
{
	return file_id_is(&l->counter, fd);
}
