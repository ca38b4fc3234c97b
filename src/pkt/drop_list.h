/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every reason for which vx drops a packet: DROP(enum, kernel's name, interface
 * counters, text, advice).
 *
 * This list is the only place; enum, counter, `vx drops`, `vx explain` and doc/drops.md grow from
 * it.  One cause, one reason.  "kernel" is the SKB_DROP_REASON that Linux 6.18 gives, "" where it
 * has none; "counters" the counters of the device that the drop moves, as in `ip -s -s link`.  In an
 * advice, words in braces are filled in by ctl/advice, and a command stands in backquotes, ready to
 * be run.
 */
/* clang-format off */
/* Any layer */
DROP(no_memory, "NOMEM", "", "no packet buffer was free",
     "the pool of this worker is empty: look for a queue that does not drain with 'vx -s link show'")
DROP(pkt_too_small, "PKT_TOO_SMALL", "", "shorter than its headers",
     "the sender or a box between cuts packets: capture there and compare lengths")
DROP(otherhost, "OTHERHOST", "", "the Ethernet destination is another host's",
     "")
DROP(unhandled_proto, "UNHANDLED_PROTO", "rx_dropped", "no receiver for this EtherType on this device",
     "give the device an address (vx addr add) or a master (vx link set {dev} master BRIDGE)")
DROP(rx_loop, "", "", "still not delivered after 8 rounds of receive handlers",
     "two devices hand packets to each other: look at 'vx link show' for masters that form a loop")
DROP(cpu_backlog, "CPU_BACKLOG", "rx_dropped", "the worker's backlog is full",
     "the worker is overloaded: start vxd with more workers")
DROP(cell_full, "CPU_BACKLOG", "rx_dropped", "the device's receive cell is full",
     "the worker is overloaded: start vxd with more workers")
DROP(dev_down, "DEV_READY", "rx_dropped or tx_dropped", "the device is down",
     "`vx link set {dev} up`")
DROP(dev_gone, "DEV_READY", "", "the device was removed while the packet waited", "")
DROP(tx_queue_full, "", "", "the queue to the interface below is full",
     "the host cannot send as fast as this arrives: its interface or its socket buffer is the limit")
DROP(rx_too_big, "PKT_TOO_BIG", "", "longer than any frame that vx holds (64 KB)", "")
DROP(tx_too_big, "PKT_TOO_BIG", "", "longer than the device can send",
     "lower the MTU on the side that sends: vx link set {dev} mtu {mtu}")
DROP(tx_failed, "", "", "the host refused to send the packet",
     "the host's log says why: a limit or a filter of the host")
DROP(host_refused, "", "", "the host's side of the device took no packet (its interface is down)",
     "`ip link set {dev} up`")
DROP(hook_rule, "NETFILTER_DROP", "", "a rule of 'vx rule' says drop",
     "`vx rule del {rule}`; 'vx rule show' lists them all")
/* IP input */
DROP(ip_hdr_error, "IP_INHDR", "", "bad IP header", "the sender or a box between damages headers")
DROP(ip_csum, "IP_CSUM", "", "bad IPv4 header checksum", "the sender or a box between damages headers")
DROP(ip_truncated, "PKT_TOO_SMALL", "", "the IP length goes beyond the frame",
     "a box between cuts packets: look at MTUs on the way")
DROP(ip_martian, "IP_INVALID_SOURCE", "", "the IP source address cannot be a sender's",
     "another host uses an address of this one, or the sender has none")
DROP(ip_not_local, "IP_INADDRERRORS", "", "the IP destination is not an address of this host",
     "`vx addr add {ip} dev {dev}`, or let the sender use an address that 'vx addr show' lists")
DROP(ip_group_not_joined, "IP_INNOROUTES", "", "multicast group that nobody joined", "")
DROP(ip_blackhole, "IP_INNOROUTES", "", "a blackhole route", "`vx route del {route}`")
DROP(ip_source_route, "IP_INHDR", "", "source routing is not accepted", "")
DROP(ip_no_proto, "IP_NOPROTO", "", "nobody speaks this IP protocol here", "")
DROP(ip_rpfilter, "IP_RPFILTER", "", "the way back leads elsewhere", "")
DROP(ip_resubmit, "", "", "handed on from protocol to protocol more than 4 times", "")
DROP(ip_reasm_overlap, "DUP_FRAG", "", "overlapping fragments", "")
DROP(ip_reasm_duplicate, "DUP_FRAG", "", "a fragment that was there already", "")
DROP(ip_reasm_timeout, "FRAG_REASM_TIMEOUT", "", "not all fragments came within 30 s",
     "a fragment is lost on the way: lower the MTU of the sender's device to avoid fragments")
DROP(ip_reasm_limit, "FRAG_REASM_TIMEOUT", "", "too many fragments wait", "")
DROP(ip_reasm_error, "PKT_TOO_SMALL", "", "fragments that do not fit together", "")
DROP(ip6_ext_hdr, "IP_INHDR", "", "IPv6 extension header that is not understood", "")
DROP(ip6_jumbo, "IP_INHDR", "", "IPv6 jumbograms are not accepted", "")
/* IP output, neighbours */
DROP(ip_no_route, "IP_OUTNOROUTES", "", "no route to the destination", "`vx route add {ip} dev {dev}`")
DROP(ip_out_too_big, "PKT_TOO_BIG", "", "longer than the path's MTU and not to be fragmented",
     "`vx link set {dev} mtu {mtu}`")
DROP(no_headroom, "", "", "no room is left before the packet for another header",
     "a tunnel leads through itself, or too many lie in each other: 'vx route get {ip}' shows the way")
DROP(neigh_failed, "NEIGH_FAILED", "", "nobody answers for the next hop's address",
     "check that {ip} is up and on {dev}; or vx neigh add {ip} lladdr MAC dev {dev}")
DROP(neigh_queue_full, "NEIGH_QUEUEFULL", "", "too many packets wait for the next hop's address",
     "check that {ip} is up and on {dev}; or vx neigh add {ip} lladdr MAC dev {dev}")
DROP(arp_invalid, "", "", "ARP or ND message that makes no sense", "")
/* Transport */
DROP(icmp_csum, "ICMP_CSUM", "", "bad ICMP checksum", "the sender or a box between damages packets")
DROP(icmp_invalid, "INVALID_PROTO", "", "ICMP message that cannot be used", "")
DROP(udp_len, "PKT_TOO_SMALL", "", "UDP length does not fit the packet", "the sender or a box between damages packets")
DROP(udp_csum, "UDP_CSUM", "", "bad UDP checksum",
     "an offload on the sender's side is broken: on {peer} 'ethtool -K DEV tx-udp_tnl-csum-segmentation off tx off'")
DROP(udp_zero_csum, "UDP_CSUM", "", "UDP over IPv6 without a checksum",
     "make the device anew with 'udp6zerocsumrx', or let {peer} send checksums (noudp6zerocsumtx)")
DROP(udp_no_socket, "NO_SOCKET", "", "nobody listens on this UDP port",
     "`vx link add vxlan{vni} up type vxlan id {vni} remote {peer} dstport {port}`, or let the sender use a port of 'vx link show'")
DROP(udp_queue_full, "SOCKET_RCVBUFF", "", "the UDP socket's queue is full", "the reader is too slow")
DROP(udplite_coverage, "UDP_CSUM", "", "UDP-Lite coverage that is not accepted", "")
DROP(tcp_reset, "NO_SOCKET", "", "vx has no TCP services; answered with a reset", "")
DROP(tcp_csum, "TCP_CSUM", "", "bad TCP checksum", "the sender or a box between damages packets")
/* VXLAN receive */
DROP(vxlan_too_short, "PKT_TOO_SMALL", "", "too short for a VXLAN header",
     "what {peer} sends to this port is not VXLAN")
DROP(vxlan_no_i_flag, "VXLAN_INVALID_HDR", "", "the I flag is not set: no valid VNI",
     "what {peer} sends is not VXLAN (RFC 7348, 5): look at its tunnel type")
DROP(vxlan_unknown_vni, "VXLAN_VNI_NOT_FOUND", "", "no device here has this VNI",
     "`vx link add vxlan{vni} up type vxlan id {vni} remote {peer} dstport {port}`, or let {peer} use a VNI of this host")
DROP(vxlan_reserved_bits, "VXLAN_INVALID_HDR", "rx_errors and rx_frame_errors", "reserved bits of the header are set",
     "{peer} uses an extension (GBP, GPE, remote checksum) that {dev} does not: switch it off there")
DROP(inner_too_short, "NOMEM", "", "no room for an inner Ethernet header",
     "{peer} sends cut packets: capture there")
DROP(inner_ip_too_short, "PKT_TOO_SMALL", "rx_errors and rx_length_errors", "the inner IP header is cut",
     "the host that sent the inner frame is broken or hostile: {src}")
DROP(own_mac, "LOCAL_MAC", "", "the inner source MAC is this device's own",
     "a loop, or two hosts have one MAC: vx link set {dev} address MAC")
DROP(inner_bad_source, "MAC_INVALID_SOURCE", "", "the inner source MAC is zero or multicast",
     "the sender of the inner frame is broken: {src}")
DROP(fdb_static_elsewhere, "VXLAN_ENTRY_EXISTS", "", "the source MAC is bound to another remote by a static entry",
     "`vx fdb replace {src} dev {dev} dst {peer}`")
DROP(ecn_not_ect, "IP_TUNNEL_ECN", "rx_errors and rx_frame_errors", "congestion was marked on a packet that does not know ECN",
     "a router on the underlay marks packets that it must not: clear the outer ECN field on {peer}")
DROP(unknown_peer, "", "", "the remote is not a known peer",
     "`vx fdb append 00:00:00:00:00:00 dev {dev} dst {peer}`")
/* VXLAN transmit */
DROP(no_target, "NO_TX_TARGET", "tx_dropped", "no entry for this destination and no default",
     "`vx fdb append 00:00:00:00:00:00 dev {dev} dst REMOTE`")
DROP(dst_any, "NOT_SPECIFIED", "tx_dropped", "the entry's remote is 0.0.0.0",
     "`vx fdb replace {dst} dev {dev} dst REMOTE`")
DROP(no_socket, "DEV_READY", "tx_errors", "the device has no socket", "`vx link set {dev} up`")
DROP(tunnel_no_route, "IP_OUTNOROUTES", "tx_errors and tx_carrier_errors", "no route to the remote",
     "make {peer} reachable: 'ip route get {peer}' must succeed")
DROP(tunnel_loop, "IP_OUTNOROUTES", "tx_errors and collisions", "the route to the remote leads into the tunnel itself",
     "give {peer} a route that does not use {dev}")
DROP(tunnel_too_big, "PKT_TOO_BIG", "tx_dropped (IPv4), tx_errors and tx_aborted_errors (IPv6)", "the encapsulated packet is too big for the path and may not be fragmented",
     "`vx link set {dev} mtu {mtu}`")
DROP(bypass_no_device, "VXLAN_VNI_NOT_FOUND", "tx_errors", "the remote is this host, but no device here has the VNI",
     "`vx link add vxlan{vni}b up type vxlan id {vni} dstport {port}`, or correct the remote")
/* Bridge */
DROP(bridge_bad_source, "MAC_INVALID_SOURCE", "", "the source MAC is zero or multicast",
     "the sender of the frame is broken: {src}")
DROP(bridge_port_down, "", "", "the bridge or the port is down", "`vx link set {dev} up`")
DROP(bridge_same_port, "", "", "the destination is on the port it came from", "")
DROP(bridge_no_port, "", "", "the bridge has no other port that is up", "`vx link set DEV master {dev}`")
/* GRO, GSO */
DROP(gso_failed, "SKB_GSO_SEG", "tx_dropped", "a super-frame that cannot be cut", "")
/* Ends without a fault */
DROP(shutdown, "", "", "in flight when vxd ended", "")
/* clang-format on */
