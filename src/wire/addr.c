/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text. */
#include "wire/types.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

const char *ip_text(const struct ip_addr *a, char *buf)
{
	if (ip_is4(a))
		inet_ntop(AF_INET, &a->b[12], buf, IP_TEXT_MAX);
	else
		inet_ntop(AF_INET6, a->b, buf, IP_TEXT_MAX);
	return buf;
}

const char *mac_text(const struct mac *m, char *buf)
{
	snprintf(buf, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", m->b[0], m->b[1], m->b[2],
		 m->b[3], m->b[4], m->b[5]);
	return buf;
}

int ip_parse(const char *s, struct ip_addr *out)
{
	uint8_t b[16];

	if (inet_pton(AF_INET, s, b) == 1) {
		be32 v;

		memcpy(&v, b, 4);
		*out = ip_from4(v);
		return 0;
	}
	if (inet_pton(AF_INET6, s, b) != 1)
		return -EINVAL;
	*out = ip_from6(b);
	return 0;
}

/* One or two hexadecimal digits; NULL if there are none. */
static const char *hex_byte(const char *s, uint8_t *out)
{
	unsigned int v = 0;
	int n = 0;

	for (; n < 2 && isxdigit((unsigned char)*s); n++, s++)
		v = v << 4 | (unsigned int)(isdigit((unsigned char)*s) ? *s - '0'
								       : (*s | 0x20) - 'a' + 10);
	*out = (uint8_t)v;
	return n ? s : NULL;
}

int mac_parse(const char *s, struct mac *out)
{
	struct mac m;

	for (int i = 0; i < 6; i++) {
		if (i && *s++ != ':')
			return -EINVAL;
		s = hex_byte(s, &m.b[i]);
		if (!s)
			return -EINVAL;
	}
	if (*s)
		return -EINVAL;
	*out = m;
	return 0;
}
