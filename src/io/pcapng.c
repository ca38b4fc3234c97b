/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pcapng.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BLOCK_SHB = 0x0a0d0d0a,
	BLOCK_IDB = 1,
	BLOCK_EPB = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d, /* tells the reader our byte order: all is as in memory */
	LINKTYPE_ETHERNET = 1,

	OPT_END = 0,
	OPT_COMMENT = 1,
	OPT_SHB_USERAPPL = 4,
	OPT_IF_NAME = 2,
	OPT_IF_TSRESOL = 9,

	IFACES_MAX = 256, /* further names share the last interface */
};

struct pcapng {
	FILE *out;
	int err; /* of the first write that failed */
	uint32_t n_ifaces;
	char iface[IFACES_MAX][PCAPNG_NAME_MAX];
};

static uint32_t padded(size_t len)
{
	return (uint32_t)(len + 3) & ~3u;
}

static void put(struct pcapng *f, const void *p, size_t len)
{
	if (len && !f->err && fwrite(p, 1, len, f->out) != len)
		f->err = errno ? -errno : -EIO;
}

static void put32(struct pcapng *f, uint32_t v)
{
	put(f, &v, sizeof(v));
}

static void put_padded(struct pcapng *f, const void *p, size_t len)
{
	static const uint8_t zero[4];

	put(f, p, len);
	put(f, zero, padded(len) - len);
}

static uint32_t option_size(size_t len)
{
	return 4 + padded(len);
}

static void put_option(struct pcapng *f, uint16_t code, const void *p, size_t len)
{
	uint16_t head[2] = {code, (uint16_t)len};

	put(f, head, sizeof(head));
	put_padded(f, p, len);
}

static void put_section(struct pcapng *f)
{
	static const char appl[] = "vx";
	uint16_t version[2] = {1, 0};
	int64_t length = -1; /* not known */
	uint32_t size = 28 + option_size(sizeof(appl) - 1) + option_size(0);

	put32(f, BLOCK_SHB);
	put32(f, size);
	put32(f, BYTE_ORDER_MAGIC);
	put(f, version, sizeof(version));
	put(f, &length, sizeof(length));
	put_option(f, OPT_SHB_USERAPPL, appl, sizeof(appl) - 1);
	put_option(f, OPT_END, NULL, 0);
	put32(f, size);
}

static void put_iface(struct pcapng *f, const char *name)
{
	uint16_t link[2] = {LINKTYPE_ETHERNET, 0};
	uint8_t resolution = 9; /* 10^-9 s */
	size_t len = strlen(name);
	uint32_t size = 20 + option_size(len) + option_size(1) + option_size(0);

	put32(f, BLOCK_IDB);
	put32(f, size);
	put(f, link, sizeof(link));
	put32(f, 0); /* no snap length */
	put_option(f, OPT_IF_NAME, name, len);
	put_option(f, OPT_IF_TSRESOL, &resolution, 1);
	put_option(f, OPT_END, NULL, 0);
	put32(f, size);
}

/* Number of the interface, described in the file on its first use. */
static uint32_t iface_index(struct pcapng *f, const char *name)
{
	uint32_t i;

	for (i = 0; i < f->n_ifaces; i++)
		if (!strncmp(f->iface[i], name, PCAPNG_NAME_MAX - 1))
			return i;
	if (i == IFACES_MAX)
		return i - 1;
	snprintf(f->iface[i], PCAPNG_NAME_MAX, "%s", name);
	put_iface(f, f->iface[i]);
	return f->n_ifaces++;
}

struct pcapng *pcapng_create(const char *file)
{
	struct pcapng *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return NULL;
	f->out = strcmp(file, "-") ? fopen(file, "we") : fdopen(dup(STDOUT_FILENO), "w");
	if (!f->out) {
		err = errno;
		free(f);
		errno = err;
		return NULL;
	}
	put_section(f);
	return f;
}

/* Not in the middle of a UTF-8 sequence. */
static size_t comment_len(const char *s)
{
	size_t len = s ? strlen(s) : 0;

	if (len <= PCAPNG_COMMENT_MAX)
		return len;
	len = PCAPNG_COMMENT_MAX;
	while (len && ((uint8_t)s[len] & 0xc0) == 0x80)
		len--;
	return len;
}

int pcapng_write(struct pcapng *f, const char *name, uint64_t at_ns, const void *frame, size_t len,
		 size_t full_len, const char *comment)
{
	uint32_t iface = iface_index(f, name);
	size_t text = comment_len(comment);
	uint32_t size = 32 + padded(len) + (text ? option_size(text) + option_size(0) : 0);

	if (len > UINT32_MAX / 2 || full_len > UINT32_MAX)
		return -EMSGSIZE;
	put32(f, BLOCK_EPB);
	put32(f, size);
	put32(f, iface);
	put32(f, (uint32_t)(at_ns >> 32));
	put32(f, (uint32_t)at_ns);
	put32(f, (uint32_t)len);
	put32(f, (uint32_t)full_len);
	put_padded(f, frame, len);
	if (text) {
		put_option(f, OPT_COMMENT, comment, text);
		put_option(f, OPT_END, NULL, 0);
	}
	put32(f, size);
	return f->err;
}

int pcapng_flush(struct pcapng *f)
{
	if (!f->err && fflush(f->out) != 0)
		f->err = -errno;
	return f->err;
}

int pcapng_close(struct pcapng *f)
{
	int err;

	if (!f)
		return 0;
	err = pcapng_flush(f);
	if (fclose(f->out) != 0 && !err)
		err = -errno;
	free(f);
	return err;
}
