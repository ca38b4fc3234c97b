/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of ovsdb/ share: the wanted columns of an Open_vSwitch database, and a schema of
 * it. */
#ifndef VX_OVSDB_TESTING_H
#define VX_OVSDB_TESTING_H

#include "base/util.h"
#include "ovsdb/cache.h"

enum { T_ROOT, T_BRIDGE, T_PORT, T_IFACE, N_TABLES };

enum { ROOT_BRIDGES, ROOT_CUR_CFG, ROOT_NEXT_CFG, ROOT_IFACE_TYPES, ROOT_OTHER_CONFIG };
enum {
	BRIDGE_NAME,
	BRIDGE_PORTS,
	BRIDGE_DATAPATH_ID,
	BRIDGE_FAIL_MODE,
	BRIDGE_STP_ENABLE,
	BRIDGE_FLOOD_VLANS
};
enum { PORT_NAME, PORT_INTERFACES, PORT_TAG };
enum {
	IFACE_NAME,
	IFACE_TYPE,
	IFACE_OPTIONS,
	IFACE_OFPORT,
	IFACE_ERROR,
	IFACE_STATISTICS,
	IFACE_STATUS,
	IFACE_MAC_IN_USE,
	IFACE_NOT_THERE,
	IFACE_OTHER_TYPE
};

static const struct ovsdb_column root_columns[] = {
	[ROOT_BRIDGES] = {"bridges", OVSDB_UUID, OVSDB_VOID, 0},
	[ROOT_CUR_CFG] = {"cur_cfg", OVSDB_INTEGER, OVSDB_VOID, OVSDB_NO_ALERT},
	[ROOT_NEXT_CFG] = {"next_cfg", OVSDB_INTEGER, OVSDB_VOID, 0},
	[ROOT_IFACE_TYPES] = {"iface_types", OVSDB_STRING, OVSDB_VOID, OVSDB_NO_ALERT},
	[ROOT_OTHER_CONFIG] = {"other_config", OVSDB_STRING, OVSDB_STRING, 0},
};
static const struct ovsdb_column bridge_columns[] = {
	[BRIDGE_NAME] = {"name", OVSDB_STRING, OVSDB_VOID, 0},
	[BRIDGE_PORTS] = {"ports", OVSDB_UUID, OVSDB_VOID, 0},
	[BRIDGE_DATAPATH_ID] = {"datapath_id", OVSDB_STRING, OVSDB_VOID, OVSDB_NO_ALERT},
	[BRIDGE_FAIL_MODE] = {"fail_mode", OVSDB_STRING, OVSDB_VOID, 0},
	[BRIDGE_STP_ENABLE] = {"stp_enable", OVSDB_BOOLEAN, OVSDB_VOID, 0},
	[BRIDGE_FLOOD_VLANS] = {"flood_vlans", OVSDB_INTEGER, OVSDB_VOID, 0},
};
static const struct ovsdb_column port_columns[] = {
	[PORT_NAME] = {"name", OVSDB_STRING, OVSDB_VOID, 0},
	[PORT_INTERFACES] = {"interfaces", OVSDB_UUID, OVSDB_VOID, 0},
	[PORT_TAG] = {"tag", OVSDB_INTEGER, OVSDB_VOID, 0},
};
static const struct ovsdb_column iface_columns[] = {
	[IFACE_NAME] = {"name", OVSDB_STRING, OVSDB_VOID, 0},
	[IFACE_TYPE] = {"type", OVSDB_STRING, OVSDB_VOID, 0},
	[IFACE_OPTIONS] = {"options", OVSDB_STRING, OVSDB_STRING, 0},
	[IFACE_OFPORT] = {"ofport", OVSDB_INTEGER, OVSDB_VOID, OVSDB_NO_ALERT},
	[IFACE_ERROR] = {"error", OVSDB_STRING, OVSDB_VOID, OVSDB_NO_ALERT},
	[IFACE_STATISTICS] = {"statistics", OVSDB_STRING, OVSDB_INTEGER, OVSDB_NO_ALERT},
	[IFACE_STATUS] = {"status", OVSDB_STRING, OVSDB_STRING, OVSDB_NO_ALERT},
	[IFACE_MAC_IN_USE] = {"mac_in_use", OVSDB_STRING, OVSDB_VOID, OVSDB_NO_ALERT},
	/* No schema has it; and one that every schema has with another type. */
	[IFACE_NOT_THERE] = {"not_there", OVSDB_INTEGER, OVSDB_VOID, 0},
	[IFACE_OTHER_TYPE] = {"external_ids", OVSDB_INTEGER, OVSDB_VOID, 0},
};

static const struct ovsdb_table_def test_tables[N_TABLES] = {
	[T_ROOT] = {"Open_vSwitch", root_columns, ARRAY_LEN(root_columns)},
	[T_BRIDGE] = {"Bridge", bridge_columns, ARRAY_LEN(bridge_columns)},
	[T_PORT] = {"Port", port_columns, ARRAY_LEN(port_columns)},
	[T_IFACE] = {"Interface", iface_columns, ARRAY_LEN(iface_columns)},
};
static const struct ovsdb_db_def test_db = {"Open_vSwitch", test_tables, N_TABLES};

#define STR_MAP                                                                                    \
	"{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}}"
#define UUID_SET(table)                                                                            \
	"{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"" table                              \
	"\"},\"min\":0,\"max\":\"unlimited\"}}"

/* The types as Open_vSwitch 8.3.1 has them. */
static const char test_schema[] =
	"{\"name\":\"Open_vSwitch\",\"version\":\"8.3.1\",\"tables\":{"
	"\"Open_vSwitch\":{\"isRoot\":true,\"maxRows\":1,\"columns\":{"
	"\"bridges\":" UUID_SET(
		"Bridge") ","
			  "\"cur_cfg\":{\"type\":\"integer\"},\"next_cfg\":{\"type\":\"integer\"},"
			  "\"iface_types\":{\"type\":{\"key\":{\"type\":\"string\"},\"min\":0,"
			  "\"max\":\"unlimited\"}},"
			  "\"other_config\":" STR_MAP "}},"
			  "\"Bridge\":{\"columns\":{"
			  "\"name\":{\"type\":\"string\",\"mutable\":false},\"ports\":" UUID_SET(
				  "Port") ","
					  "\"datapath_id\":{\"type\":{\"key\":\"string\",\"min\":0,"
					  "\"max\":1},\"ephemeral\":true},"
					  "\"fail_mode\":{\"type\":{\"key\":{\"type\":\"string\","
					  "\"enum\":[\"set\",[\"standalone\","
					  "\"secure\"]]},\"min\":0,\"max\":1}},"
					  "\"stp_enable\":{\"type\":\"boolean\"},"
					  "\"flood_vlans\":{\"type\":{\"key\":{\"type\":"
					  "\"integer\",\"minInteger\":0,"
					  "\"maxInteger\":4095},\"min\":0,\"max\":4096}}}},"
					  "\"Port\":{\"columns\":{\"name\":{\"type\":\"string\","
					  "\"mutable\":false},"
					  "\"interfaces\":{\"type\":{\"key\":{\"type\":\"uuid\","
					  "\"refTable\":\"Interface\"},\"min\":1,"
					  "\"max\":\"unlimited\"}},"
					  "\"tag\":{\"type\":{\"key\":{\"type\":\"integer\","
					  "\"minInteger\":0,\"maxInteger\":4095},"
					  "\"min\":0,\"max\":1}}}},"
					  "\"Interface\":{\"columns\":{\"name\":{\"type\":"
					  "\"string\",\"mutable\":false},"
					  "\"type\":{\"type\":\"string\"},\"options\":" STR_MAP
					  ",\"external_ids\":" STR_MAP ","
					  "\"ofport\":{\"type\":{\"key\":\"integer\",\"min\":0,"
					  "\"max\":1}},"
					  "\"error\":{\"type\":{\"key\":\"string\",\"min\":0,"
					  "\"max\":1}},"
					  "\"mac_in_use\":{\"type\":{\"key\":\"string\",\"min\":0,"
					  "\"max\":1},\"ephemeral\":true},"
					  "\"status\":" STR_MAP ","
					  "\"statistics\":{\"type\":{\"key\":\"string\",\"value\":"
					  "\"integer\",\"min\":0,"
					  "\"max\":\"unlimited\"},\"ephemeral\":true}}}}}";

#endif
