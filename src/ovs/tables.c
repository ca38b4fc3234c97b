/* SPDX-License-Identifier: Apache-2.0 */
#include "ovs/tables.h"

#include "base/util.h"

#define STR(n, f)                                                                                  \
	{                                                                                          \
		.name = n, .key = OVSDB_STRING, .flags = f                                         \
	}
#define INT(n, f)                                                                                  \
	{                                                                                          \
		.name = n, .key = OVSDB_INTEGER, .flags = f                                        \
	}
#define BOOL(n, f)                                                                                 \
	{                                                                                          \
		.name = n, .key = OVSDB_BOOLEAN, .flags = f                                        \
	}
#define REF(n)                                                                                     \
	{                                                                                          \
		.name = n, .key = OVSDB_UUID                                                       \
	}
#define MAP(n, f)                                                                                  \
	{                                                                                          \
		.name = n, .key = OVSDB_STRING, .value = OVSDB_STRING, .flags = f                  \
	}
#define COUNTS(n, f)                                                                               \
	{                                                                                          \
		.name = n, .key = OVSDB_STRING, .value = OVSDB_INTEGER, .flags = f                 \
	}
#define OURS OVSDB_NO_ALERT /* written here: a change of it is no reason to configure anew */

static const struct ovsdb_column root[] = {
	[ROOT_BRIDGES] = REF("bridges"),
	[ROOT_NEXT_CFG] = INT("next_cfg", 0),
	[ROOT_CUR_CFG] = INT("cur_cfg", OURS),
	[ROOT_DATAPATH_TYPES] = STR("datapath_types", OURS),
	[ROOT_IFACE_TYPES] = STR("iface_types", OURS),
	[ROOT_OTHER_CONFIG] = MAP("other_config", 0),
	[ROOT_DPDK_INITIALIZED] = BOOL("dpdk_initialized", OURS),
	[ROOT_DPDK_VERSION] = STR("dpdk_version", OURS),
};

static const struct ovsdb_column bridge[] = {
	[BRIDGE_NAME] = STR("name", 0),
	[BRIDGE_DATAPATH_TYPE] = STR("datapath_type", 0),
	[BRIDGE_PORTS] = REF("ports"),
	[BRIDGE_DATAPATH_ID] = STR("datapath_id", OURS),
	[BRIDGE_DATAPATH_VERSION] = STR("datapath_version", OURS),
	[BRIDGE_FAIL_MODE] = STR("fail_mode", 0),
	[BRIDGE_OTHER_CONFIG] = MAP("other_config", 0),
	[BRIDGE_FLOOD_VLANS] = INT("flood_vlans", 0),
	[BRIDGE_CONTROLLER] = REF("controller"),
	[BRIDGE_MIRRORS] = REF("mirrors"),
	[BRIDGE_NETFLOW] = REF("netflow"),
	[BRIDGE_SFLOW] = REF("sflow"),
	[BRIDGE_IPFIX] = REF("ipfix"),
	[BRIDGE_STP] = BOOL("stp_enable", 0),
	[BRIDGE_RSTP] = BOOL("rstp_enable", 0),
	[BRIDGE_MCAST_SNOOPING] = BOOL("mcast_snooping_enable", 0),
	[BRIDGE_FLOW_TABLES] = {.name = "flow_tables", .key = OVSDB_INTEGER, .value = OVSDB_UUID},
};

static const struct ovsdb_column port[] = {
	[PORT_NAME] = STR("name", 0),
	[PORT_INTERFACES] = REF("interfaces"),
	[PORT_TAG] = INT("tag", 0),
	[PORT_TRUNKS] = INT("trunks", 0),
	[PORT_VLAN_MODE] = STR("vlan_mode", 0),
	[PORT_OTHER_CONFIG] = MAP("other_config", 0),
	[PORT_PROTECTED] = BOOL("protected", 0),
	[PORT_MAC] = STR("mac", 0),
	[PORT_QOS] = REF("qos"),
	[PORT_LACP] = STR("lacp", 0),
};

static const struct ovsdb_column interface[] = {
	[IFACE_NAME] = STR("name", 0),
	[IFACE_TYPE] = STR("type", 0),
	[IFACE_OPTIONS] = MAP("options", 0),
	[IFACE_OFPORT_REQUEST] = INT("ofport_request", 0),
	[IFACE_OFPORT] = INT("ofport", OURS),
	[IFACE_ERROR] = STR("error", OURS),
	[IFACE_MAC] = STR("mac", 0),
	[IFACE_MTU_REQUEST] = INT("mtu_request", 0),
	[IFACE_MAC_IN_USE] = STR("mac_in_use", OURS),
	[IFACE_IFINDEX] = INT("ifindex", OURS),
	[IFACE_ADMIN_STATE] = STR("admin_state", OURS),
	[IFACE_LINK_STATE] = STR("link_state", OURS),
	[IFACE_LINK_RESETS] = INT("link_resets", OURS),
	[IFACE_LINK_SPEED] = INT("link_speed", OURS),
	[IFACE_DUPLEX] = STR("duplex", OURS),
	[IFACE_MTU] = INT("mtu", OURS),
	[IFACE_STATUS] = MAP("status", OURS),
	[IFACE_STATISTICS] = COUNTS("statistics", OURS),
	[IFACE_POLICING_RATE] = INT("ingress_policing_rate", 0),
	[IFACE_POLICING_KPKTS] = INT("ingress_policing_kpkts_rate", 0),
	[IFACE_BFD] = MAP("bfd", 0),
	[IFACE_CFM_MPID] = INT("cfm_mpid", 0),
	[IFACE_LLDP] = MAP("lldp", 0),
};

#define TABLE(n, c)                                                                                \
	{                                                                                          \
		.name = n, .columns = c, .n_columns = ARRAY_LEN(c)                                 \
	}

static const struct ovsdb_table_def tables[OVS_TABLES] = {
	[OVS_ROOT] = TABLE("Open_vSwitch", root),
	[OVS_BRIDGE] = TABLE("Bridge", bridge),
	[OVS_PORT] = TABLE("Port", port),
	[OVS_INTERFACE] = TABLE("Interface", interface),
};

const struct ovsdb_db_def ovs_db = {"Open_vSwitch", tables, OVS_TABLES};
