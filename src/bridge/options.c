/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/options.h"

#include <linux/if_link.h>

#include "base/util.h"

/* Linux 6.7. */
enum { BR_FDB_MAX_LEARNED = 49 };

/* An option that vx does not have: its default is taken, anything else gets the sentence. */
#define REFUSED(i, word, number, k, bytes, most, deflt, what)                                      \
	{.name = word, .nl = number, .kind = k, .flags = ATTR_NOT_BUILT | ATTR_CHANGE,             \
	 .off = offsetof(struct bridge_opts, refused) + (i) * sizeof(uint32_t), .size = bytes,     \
	 .max = most, .def = deflt, .help = what,                                                  \
	 .refusal = word " (" what ") is not built: leave it out"}
#define STP "spanning tree"
#define VLAN "VLAN filtering"
#define MCAST "IGMP and MLD snooping"
#define NF "packet filter on bridges"

/* Defaults are what vx does, which is the kernel's but for mcast_snooping. */
static const struct attr table[] = {
	[BRA_AGEING_TIME] = {.name = "ageing_time", .nl = IFLA_BR_AGEING_TIME, .kind = ATTR_U32,
			     .flags = ATTR_CHANGE, .off = offsetof(struct bridge_opts, ageing_time),
			     .size = 4, .max = UINT32_MAX, .def = 30000,
			     .why = "invalid ageing_time", .arg = "CENTISECONDS",
			     .help = "how long a learnt address lives; 0: nothing is learnt"},
	[BRA_FDB_MAX_LEARNED] = {.name = "fdb_max_learned", .nl = BR_FDB_MAX_LEARNED,
				 .kind = ATTR_U32, .flags = ATTR_CHANGE,
				 .off = offsetof(struct bridge_opts, fdb_max_learned), .size = 4,
				 .max = UINT32_MAX, .why = "invalid fdb_max_learned", .arg = "N",
				 .help = "how many addresses are learnt at most; 0: 65536"},
	[BRA_FDB_FLUSH] = {.name = "fdb_flush", .nl = IFLA_BR_FDB_FLUSH, .kind = ATTR_FLAG,
			   .flags = ATTR_CHANGE, .off = offsetof(struct bridge_opts, fdb_flush),
			   .size = 1, .max = 1, .help = "forget what was learnt"},
	REFUSED(0, "forward_delay", IFLA_BR_FORWARD_DELAY, ATTR_U32, 4, UINT32_MAX, 1500, STP),
	REFUSED(1, "hello_time", IFLA_BR_HELLO_TIME, ATTR_U32, 4, UINT32_MAX, 200, STP),
	REFUSED(2, "max_age", IFLA_BR_MAX_AGE, ATTR_U32, 4, UINT32_MAX, 2000, STP),
	REFUSED(3, "stp_state", IFLA_BR_STP_STATE, ATTR_U32, 4, UINT32_MAX, 0, STP),
	REFUSED(4, "priority", IFLA_BR_PRIORITY, ATTR_U16, 2, 65535, 32768, STP),
	REFUSED(5, "group_fwd_mask", IFLA_BR_GROUP_FWD_MASK, ATTR_U16, 2, 65535, 0,
		"forwarding of link-local groups"),
	REFUSED(6, "vlan_filtering", IFLA_BR_VLAN_FILTERING, ATTR_U8, 1, 255, 0, VLAN),
	REFUSED(7, "vlan_protocol", IFLA_BR_VLAN_PROTOCOL, ATTR_BE16, 2, 65535, 0x8100, VLAN),
	REFUSED(8, "vlan_default_pvid", IFLA_BR_VLAN_DEFAULT_PVID, ATTR_U16, 2, 65535, 1, VLAN),
	REFUSED(9, "vlan_stats_enabled", IFLA_BR_VLAN_STATS_ENABLED, ATTR_U8, 1, 255, 0, VLAN),
	REFUSED(10, "vlan_stats_per_port", IFLA_BR_VLAN_STATS_PER_PORT, ATTR_U8, 1, 255, 0, VLAN),
	REFUSED(11, "mcast_snooping", IFLA_BR_MCAST_SNOOPING, ATTR_U8, 1, 255, 0, MCAST),
	REFUSED(12, "mcast_router", IFLA_BR_MCAST_ROUTER, ATTR_U8, 1, 255, 1, MCAST),
	REFUSED(13, "mcast_query_use_ifaddr", IFLA_BR_MCAST_QUERY_USE_IFADDR, ATTR_U8, 1, 255, 0,
		MCAST),
	REFUSED(14, "mcast_querier", IFLA_BR_MCAST_QUERIER, ATTR_U8, 1, 255, 0, MCAST),
	REFUSED(15, "mcast_hash_elasticity", IFLA_BR_MCAST_HASH_ELASTICITY, ATTR_U32, 4, UINT32_MAX,
		16, MCAST),
	REFUSED(16, "mcast_hash_max", IFLA_BR_MCAST_HASH_MAX, ATTR_U32, 4, UINT32_MAX, 4096, MCAST),
	REFUSED(17, "mcast_last_member_count", IFLA_BR_MCAST_LAST_MEMBER_CNT, ATTR_U32, 4,
		UINT32_MAX, 2, MCAST),
	REFUSED(18, "mcast_startup_query_count", IFLA_BR_MCAST_STARTUP_QUERY_CNT, ATTR_U32, 4,
		UINT32_MAX, 2, MCAST),
	REFUSED(19, "mcast_stats_enabled", IFLA_BR_MCAST_STATS_ENABLED, ATTR_U8, 1, 255, 0, MCAST),
	REFUSED(20, "mcast_igmp_version", IFLA_BR_MCAST_IGMP_VERSION, ATTR_U8, 1, 255, 2, MCAST),
	REFUSED(21, "mcast_mld_version", IFLA_BR_MCAST_MLD_VERSION, ATTR_U8, 1, 255, 1, MCAST),
	REFUSED(22, "nf_call_iptables", IFLA_BR_NF_CALL_IPTABLES, ATTR_U8, 1, 255, 0, NF),
	REFUSED(23, "nf_call_ip6tables", IFLA_BR_NF_CALL_IP6TABLES, ATTR_U8, 1, 255, 0, NF),
	REFUSED(24, "nf_call_arptables", IFLA_BR_NF_CALL_ARPTABLES, ATTR_U8, 1, 255, 0, NF),
};
static_assert(ARRAY_LEN(table) <= 64, "net/attr");

const struct attr_set bridge_attrs = {"bridge", table, ARRAY_LEN(table),
				      sizeof(struct bridge_opts)};
