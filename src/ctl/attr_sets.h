/* SPDX-License-Identifier: Apache-2.0 */
/* Options of the link types other than vxlan: ATTR_SET(table). */
ATTR_SET(bridge_attrs)
ATTR_SET(mem_attrs)
ATTR_SET(netif_attrs)
ATTR_SET(packet_attrs)
ATTR_SET(pcap_attrs)
