/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses in netlink attributes: 4 or 16 bytes, as the family goes. */
#ifndef VX_IO_NLIP_H
#define VX_IO_NLIP_H

#include <libmnl/libmnl.h>

#include "wire/types.h"

/* False if the payload is no address by its length. */
static inline bool nlip_get(const struct nlattr *a, struct ip_addr *ip)
{
	be32 v4;

	if (mnl_attr_get_payload_len(a) == 4) {
		memcpy(&v4, mnl_attr_get_payload(a), 4);
		*ip = ip_from4(v4);
		return true;
	}
	if (mnl_attr_get_payload_len(a) != 16)
		return false;
	*ip = ip_from6(mnl_attr_get_payload(a));
	return true;
}

/* Attribute 'type4' or 'type6'. */
static inline void nlip_put2(struct nlmsghdr *nlh, uint16_t type4, uint16_t type6,
			     const struct ip_addr *ip)
{
	if (ip_is4(ip))
		mnl_attr_put(nlh, type4, 4, &ip->b[12]);
	else
		mnl_attr_put(nlh, type6, 16, ip->b);
}

static inline void nlip_put(struct nlmsghdr *nlh, uint16_t type, const struct ip_addr *ip)
{
	nlip_put2(nlh, type, type, ip);
}

#endif
