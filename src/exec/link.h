/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links and their IPv4 addresses, as vxd knows them.
 *
 * Functions return 0 or a negative errno: vxd's, or -ENODEV.  They keep errno.
 */
#ifndef LINK_H
#define LINK_H

#include "real.h"

#include <net/if.h>

struct link {
	int index;
	unsigned int flags, type, mtu, txqlen;
	char name[IFNAMSIZ];
	unsigned char addr[sizeof(((struct sockaddr *)0)->sa_data)];
};

int link_find(const char *name, struct link *link);
int link_find_index(int index, struct link *link);

/* Sets the flags that may be set to what they are in 'flags'. */
int link_set_flags(const struct link *link, unsigned int flags);
/* Sets an IFLA_* attribute of at most IFNAMSIZ bytes. */
int link_set_attr(const struct link *link, int type, const void *data, size_t len);

/* The addresses with the label 'only', or with NULL all.  '*count' says how many there are; the
 * first 'room' of them are in 'reqs'. */
int link_addrs(const char *only, struct ifreq *reqs, size_t room, size_t *count);

#endif
