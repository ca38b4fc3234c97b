/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bridge says of a packet while it is translated: NOTE(name, kind, text), from which enum
 * and text grow.  The texts are those of Open vSwitch 3.1's ofproto/trace, so that what a user
 * searches for is found.  {mac}: the packet's source; {dev}: a port's name; {port}: its number;
 * {vlan}: the frame's VLAN; {tag}: the port's.
 */
/* clang-format off */
NOTE(bridge, TITLE, "{dev}") /* it enters this one, by port {port} */
NOTE(rule, TITLE, "NORMAL") /* the only rule that there is */
NOTE(no_rule, TITLE, "No match.")
NOTE(too_deep, ERROR, "over max translation depth {vlan}")
NOTE(unknown_port, ERROR, "received packet on unknown port {port}")
NOTE(no_bundle, WARNING, "no input bundle, dropping")
NOTE(tagged_on_access, ERROR, "dropping VLAN {vlan} tagged packet received on port {dev} configured as VLAN {tag} access port")
NOTE(not_trunked, ERROR, "dropping VLAN {vlan} packet received on port {dev} not configured for trunking VLAN {vlan}")
NOTE(bad_vlan, WARNING, "disallowed VLAN VID for this input port, dropping")
NOTE(half_tag, WARNING, "partial VLAN tag, dropping")
NOTE(reserved_dst, DETAIL, "packet has reserved destination MAC, dropping")
NOTE(learned, DETAIL, "learned that {mac} is on port {dev} in VLAN {vlan}")
NOTE(known, DETAIL, "forwarding to learned port")
NOTE(same_port, DETAIL, "learned port is input port, dropping")
NOTE(flood, DETAIL, "no learned MAC for destination, flooding")
NOTE(is_protected, WARNING, "Flow is between protected ports, skipping output.")
NOTE(own_address, WARNING, "Not tunneling to our own address")
NOTE(tunnel_output, DETAIL, "output to kernel tunnel")
NOTE(more, DETAIL, "and more")
/* clang-format on */
