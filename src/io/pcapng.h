/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writer of pcapng files (draft-ietf-opsawg-pcapng): one section, Ethernet interfaces by name,
 * frames with a comment each.  `vx explain -w` writes its explanations so.
 */
#ifndef VX_IO_PCAPNG_H
#define VX_IO_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

enum {
	PCAPNG_COMMENT_MAX = 65535, /* the option's length field; longer ones are cut */
	PCAPNG_NAME_MAX = 64,
};

struct pcapng; /* one file */

/* Creates the file, truncates an old one; "-" is standard output.  NULL with errno set. */
struct pcapng *pcapng_create(const char *file);
/* Stamps of interface 'name', made on its first frame, are nanoseconds since 1970.  'len' bytes
 * are stored of a frame that was 'full_len' long.  'comment' is UTF-8, may be NULL and have several
 * lines.  0 or a negative errno, and so all later calls. */
int pcapng_write(struct pcapng *f, const char *name, uint64_t at_ns, const void *frame, size_t len,
		 size_t full_len, const char *comment);
int pcapng_flush(struct pcapng *f);
int pcapng_close(struct pcapng *f); /* NULL is fine; what the file's end made fail */

#endif
