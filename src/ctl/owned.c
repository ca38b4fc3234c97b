/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/owned.h"

#include <errno.h>
#include <string.h>

static int refuse(const struct dev *d, const char *what, const char *use, struct vx_err *err)
{
	return vx_fail(err, -EOPNOTSUPP, "%s is the Open vSwitch database's, and so is its %s: use %s",
		       d->name, what, use);
}

int owned_check_del(const struct dev *d, struct vx_err *err)
{
	if (d->owner != OWNER_OVSDB)
		return 0;
	return vx_fail(err, -EOPNOTSUPP,
		       "%s is the Open vSwitch database's: use ovs-vsctl del-port or del-br", d->name);
}

int owned_check_change(const struct dev *d, const struct link_cfg *cfg, bool options,
		       struct vx_err *err)
{
	if (d->owner != OWNER_OVSDB)
		return 0;
	if (options)
		return refuse(d, "set of options", "ovs-vsctl set interface", err);
	if (*cfg->name && strcmp(cfg->name, d->name))
		return refuse(d, "name", "ovs-vsctl del-port and add-port", err);
	if (cfg->has_master && (!d->master || cfg->master != d->master->ifindex))
		return refuse(d, "master", "ovs-vsctl add-port or del-port", err);
	if (cfg->has_mtu && d->link_flags & DEV_MTU_OWNED && cfg->mtu != d->mtu)
		return refuse(d, "MTU", "ovs-vsctl set interface ... mtu_request", err);
	if (cfg->has_mac && d->link_flags & DEV_MAC_OWNED && !mac_eq(&cfg->mac, &d->mac))
		return refuse(d, "address", "ovs-vsctl set bridge ... other-config:hwaddr, or set "
					    "interface ... mac", err);
	return 0;
}
