/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What vx reads and writes of the Open_vSwitch database (ovs.md 2): tables and columns by number.
 */
#ifndef VX_OVS_TABLES_H
#define VX_OVS_TABLES_H

#include "ovsdb/cache.h"

enum ovs_table { OVS_ROOT, OVS_BRIDGE, OVS_PORT, OVS_INTERFACE, OVS_TABLES };

enum ovs_root_column {
	ROOT_BRIDGES,
	ROOT_NEXT_CFG,
	ROOT_CUR_CFG,
	ROOT_DATAPATH_TYPES,
	ROOT_IFACE_TYPES,
};

enum ovs_bridge_column {
	BRIDGE_NAME,
	BRIDGE_DATAPATH_TYPE,
	BRIDGE_PORTS,
	BRIDGE_DATAPATH_ID,
	BRIDGE_DATAPATH_VERSION,
	BRIDGE_FAIL_MODE,
	BRIDGE_OTHER_CONFIG,
	BRIDGE_FLOOD_VLANS,
};

enum ovs_port_column {
	PORT_NAME,
	PORT_INTERFACES,
	PORT_TAG,
	PORT_TRUNKS,
	PORT_VLAN_MODE,
	PORT_OTHER_CONFIG,
};

enum ovs_interface_column {
	IFACE_NAME,
	IFACE_TYPE,
	IFACE_OPTIONS,
	IFACE_OFPORT_REQUEST,
	IFACE_OFPORT,
	IFACE_ERROR,
	IFACE_MAC,
	IFACE_MTU_REQUEST,
	IFACE_MAC_IN_USE,
	IFACE_IFINDEX,
	IFACE_ADMIN_STATE,
	IFACE_LINK_STATE,
	IFACE_LINK_RESETS,
	IFACE_LINK_SPEED,
	IFACE_DUPLEX,
	IFACE_MTU,
	IFACE_STATUS,
	IFACE_STATISTICS,
};

extern const struct ovsdb_db_def ovs_db;

#endif
