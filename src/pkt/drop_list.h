/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every reason for which vx drops a packet: DROP(enum, kernel's name, interface
 * counters, text, advice).
 *
 * This list is the only place; enum, counter, `vx drops`, `vx explain` and doc/drops.md (`meson
 * compile drops`) grow from it.  One cause, one reason.  "kernel" is the SKB_DROP_REASON that Linux
 * 6.18 gives, "" where it has none.
 *
 * "counters" is what else the drop moves: in small letters counters of the device as in `ip -s -s
 * link`, "A|B" being A over IPv4 and B over IPv6; with capitals, in parentheses, those of `vx nstat`
 * (Ip6..., Udp6... over IPv6), or for a reason that begins with host_ the host's own.
 *
 * In an advice, words in braces are filled in by ctl/advice, and a command stands in backquotes,
 * ready to be run; where something nearer is known (a device that is down, say) ctl/advice takes
 * that.  What only another host can change is prose: which side, and which setting.
 */
/* clang-format off */
/* Any layer */
DROP(no_memory, "NOMEM", "", "no packet buffer was free",
     "the pool of this worker is empty: look for a queue that does not drain with 'vx -s link show'")
DROP(pkt_too_small, "PKT_TOO_SMALL", "", "shorter than its headers",
     "the sender or a box between cuts packets: capture there and compare lengths")
DROP(otherhost, "OTHERHOST", "", "the Ethernet destination is another host's",
     "{peer} has a wrong MAC for this host: there 'ip neigh flush dev DEV', or correct its static "
     "neighbour entry")
DROP(unhandled_proto, "UNHANDLED_PROTO", "rx_dropped", "no receiver for this EtherType on this device",
     "`vx addr add {addr} dev {dev}`, or give the device a master: vx link set {dev} master BRIDGE")
DROP(rx_loop, "", "", "still not delivered after 8 rounds of receive handlers",
     "two devices hand packets to each other: look at 'vx link show' for masters that form a loop")
DROP(cpu_backlog, "CPU_BACKLOG", "rx_dropped", "the worker's backlog is full",
     "the workers are overloaded: start vxd with more of them (vxd --workers N)")
DROP(cell_full, "CPU_BACKLOG", "rx_dropped", "the device's receive cell is full",
     "the workers are overloaded: start vxd with more of them (vxd --workers N)")
DROP(dev_down, "DEV_READY", "rx_dropped or tx_dropped", "the device is down",
     "`vx link set {dev} up`")
DROP(tx_queue_full, "", "", "the queue to the interface below is full",
     "the host cannot send as fast as this arrives: its interface or its socket buffer is the limit")
DROP(rx_too_big, "PKT_TOO_BIG", "", "longer than any frame that vx holds (64 KB)",
     "the sender, or an offload on the way, makes longer packets than any link has: lower the MTU there")
DROP(tx_too_big, "PKT_TOO_BIG", "tx_dropped", "longer than the device can send",
     "`vx link set {dev} mtu {mtu}`, or lower the MTU on the side that sends")
DROP(tx_failed, "", "", "the host refused to send the packet",
     "the host's log says why: a limit or a filter of the host")
DROP(host_refused, "", "", "the host's side of the device took no packet (its interface is down)",
     "`ip link set {hostdev} up`")
DROP(hook_rule, "NETFILTER_DROP", "", "a rule of 'vx rule' says drop",
     "`vx rule del {rule}` if it should not; 'vx rule show' lists them all")
/* IP input */
DROP(ip_hdr_error, "IP_INHDR", "(IpInHdrErrors)", "bad IP header",
     "{peer}, or a box on the way from it, damages IP headers: capture on both sides and compare; there, "
     "switch offloads off (ethtool -K DEV tx off)")
DROP(ip_csum, "IP_CSUM", "(IpInHdrErrors, IpExtInCsumErrors)", "bad IPv4 header checksum",
     "{peer}, or a box on the way from it, sends wrong IP header checksums: there, switch checksum offload "
     "off (ethtool -K DEV tx off)")
DROP(ip_truncated, "PKT_TOO_SMALL", "(IpExtInTruncatedPkts)", "the IP length goes beyond the frame",
     "{peer}, or a box on the way from it, cuts packets: make the MTUs on the way the same")
DROP(ip_martian, "IP_INVALID_SOURCE", "", "the IP source address cannot be a sender's",
     "{peer} sends with a source address that is this host's, or none: change the address on {peer} (its "
     "'local', or ip addr)")
DROP(ip_not_local, "IP_INADDRERRORS", "(IpInAddrErrors)", "the IP destination is not an address of this host",
     "`vx addr add {addr} dev {dev}`, or let {peer} send to an address that 'vx addr show' lists")
DROP(ip_group_not_joined, "IP_INNOROUTES", "", "multicast group that nobody joined",
     "{peer} sends to a multicast group: set its 'remote' (Linux: group) to an address of this host, since "
     "multicast groups are not built")
DROP(ip_source_route, "IP_INHDR", "", "source routing is not accepted",
     "{peer} sends IP source routes: switch that off there")
DROP(ip_no_proto, "IP_NOPROTO", "(IpInUnknownProtos)", "nobody speaks this IP protocol here",
     "{peer} sends an IP protocol that vx does not speak: the tunnel type there has to be VXLAN (UDP)")
DROP(ip_resubmit, "", "", "handed on from protocol to protocol more than 4 times", "")
DROP(ip_reasm_overlap, "DUP_FRAG", "", "overlapping fragments",
     "{peer}, or a box on the way, makes fragments that overlap: lower the MTU of the overlay there, so "
     "that nothing is fragmented")
DROP(ip_reasm_duplicate, "DUP_FRAG", "", "a fragment that was there already", "")
DROP(ip_reasm_timeout, "FRAG_REASM_TIMEOUT", "(IpReasmFails)", "not all fragments came within 30 s",
     "a fragment is lost on the way from {peer}: lower the MTU of the overlay there, so that nothing is "
     "fragmented")
DROP(ip_reasm_limit, "FRAG_REASM_TIMEOUT", "", "too many fragments wait",
     "more fragments wait than vx holds: lower the MTU of the overlay on {peer}, so that nothing is "
     "fragmented")
DROP(ip_reasm_error, "PKT_TOO_SMALL", "", "fragments that do not fit together",
     "{peer}, or a box on the way, makes broken fragments: lower the MTU of the overlay there, so that "
     "nothing is fragmented")
DROP(ip6_ext_hdr, "IP_INHDR", "", "IPv6 extension header that is not understood",
     "{peer} sends IPv6 extension headers that vx does not take: switch them off there")
DROP(ip6_jumbo, "IP_INHDR", "", "IPv6 jumbograms are not accepted",
     "{peer} sends jumbograms: lower its MTU to 65535 or less")
/* IP output, neighbours */
DROP(ip_no_route, "IP_OUTNOROUTES", "(IpOutNoRoutes)", "no route to the destination",
     "`vx route add {ip} dev {under}`")
DROP(ip_out_too_big, "PKT_TOO_BIG", "tx_dropped|tx_errors and tx_aborted_errors",
     "longer than the path's MTU and not to be fragmented",
     "`vx link set {tunnel} mtu {mtu}`")
DROP(no_headroom, "", "tx_dropped|tx_errors and tx_aborted_errors",
     "no room is left before the packet for another header",
     "a tunnel leads through itself, or too many lie in each other: look with 'vx -d link show' at what "
     "each one's 'dev' is")
DROP(neigh_failed, "NEIGH_FAILED", "", "nobody answers for the next hop's address",
     "nobody answers for {next} on {under}: is that host up, on this link, and has it this address? There: "
     "ip addr add {next} dev DEV")
DROP(neigh_queue_full, "NEIGH_QUEUEFULL", "", "too many packets wait for the next hop's address",
     "nobody answers for {next} on {under}: is that host up, on this link, and has it this address? There: "
     "ip addr add {next} dev DEV")
DROP(arp_invalid, "", "", "ARP or ND message that makes no sense",
     "a neighbour on {dev} sends broken ARP or ND: capture there")
/* Transport */
DROP(icmp_csum, "ICMP_CSUM", "(IcmpInErrors, IcmpInCsumErrors)", "bad ICMP checksum",
     "the sender or a box between damages packets")
DROP(icmp_invalid, "INVALID_PROTO", "", "ICMP message that cannot be used", "")
DROP(udp_len, "PKT_TOO_SMALL", "(UdpInErrors)", "UDP length does not fit the packet",
     "{peer}, or a box on the way from it, damages UDP lengths: capture on both sides and compare")
DROP(udp_csum, "UDP_CSUM", "(UdpInErrors, UdpInCsumErrors)", "bad UDP checksum",
     "{peer} sends wrong outer UDP checksums: an offload there is broken. On {peer}: ethtool -K DEV tx off "
     "tx-udp_tnl-csum-segmentation off")
DROP(udp_zero_csum, "UDP_CSUM", "(UdpInErrors, UdpInCsumErrors)", "UDP over IPv6 without a checksum",
     "{peer} sends without checksums over IPv6: make its device with 'noudp6zerocsumtx' (Linux: "
     "udp6zerocsumtx off), or this one anew with 'udp6zerocsumrx'")
DROP(udp_no_socket, "NO_SOCKET", "(UdpNoPorts)", "nobody listens on this UDP port",
     "`vx link add {newdev} up type vxlan id {vni} remote {peer} dstport {port}{on}`, or let {peer} use a "
     "port of 'vx link show' (its dstport)")
DROP(udp_queue_full, "SOCKET_RCVBUFF", "(UdpInErrors, UdpRcvbufErrors)", "the UDP socket's queue is full",
     "the reader is too slow")
DROP(udplite_coverage, "UDP_CSUM", "", "UDP-Lite coverage that is not accepted", "")
DROP(tcp_reset, "NO_SOCKET", "", "vx has no TCP services; answered with a reset", "")
DROP(tcp_csum, "TCP_CSUM", "", "bad TCP checksum", "the sender or a box between damages packets")
/* VXLAN receive */
DROP(vxlan_too_short, "PKT_TOO_SMALL", "", "too short for a VXLAN header",
     "what {peer} sends to port {port} is no VXLAN: let it use another port, or correct its tunnel type")
DROP(vxlan_no_i_flag, "VXLAN_INVALID_HDR", "", "the I flag is not set: no valid VNI",
     "what {peer} sends is no VXLAN with a VNI (RFC 7348, 5): set its tunnel type to VXLAN")
DROP(vxlan_unknown_vni, "VXLAN_VNI_NOT_FOUND", "", "no device here has this VNI",
     "`vx link add {newdev} up type vxlan id {vni} remote {peer} dstport {port}{on}`, or let {peer} use a "
     "VNI of this host (its id)")
DROP(vxlan_reserved_bits, "VXLAN_INVALID_HDR", "rx_errors and rx_frame_errors", "reserved bits of the header are set",
     "{peer} uses an extension (gbp, gpe, remcsumtx) that {dev} does not: make its device without it there, or {dev} with gbp")
DROP(inner_too_short, "NOMEM", "", "no room for an inner Ethernet header",
     "{peer}, or a box on the way from it, cuts packets: make the MTUs on the way the same")
DROP(inner_ip_too_short, "PKT_TOO_SMALL", "rx_errors and rx_length_errors", "the inner IP header is cut",
     "the host with the MAC {src} behind {peer} sends cut IP packets: look at its MTU and offloads")
DROP(own_mac, "LOCAL_MAC", "", "the inner source MAC is this device's own",
     "`vx link set {dev} address {newmac}` if another host has this MAC; if it is a loop, take one of the "
     "two ways away on {peer}")
DROP(inner_bad_source, "MAC_INVALID_SOURCE", "", "the inner source MAC is zero or multicast",
     "a host behind {peer} sends with the source MAC {src}: give its interface a unicast address there (ip "
     "link set DEV address)")
DROP(fdb_static_elsewhere, "VXLAN_ENTRY_EXISTS", "", "the source MAC is bound to another remote by a static entry",
     "`vx fdb replace {src} dev {dev} dst {peer}` if that host has moved; if not, somebody uses its MAC")
DROP(ecn_not_ect, "IP_TUNNEL_ECN", "rx_errors and rx_frame_errors",
     "congestion was marked on a packet that does not know ECN",
     "{peer}, or a router on the way from it, marks congestion in the outer header of packets that do not "
     "know ECN: clear the ECN field there (the tunnel's 'tos', or the marking queue)")
DROP(unknown_peer, "", "", "the remote is not a known peer",
     "`vx fdb append 00:00:00:00:00:00 dev {dev} dst {peer}` if it is a remote of yours")
/* VXLAN transmit */
DROP(no_target, "NO_TX_TARGET", "tx_dropped", "no entry for this destination and no default",
     "`vx fdb append 00:00:00:00:00:00 dev {dev} dst {known}`")
DROP(dst_any, "NOT_SPECIFIED", "tx_dropped", "the entry's remote is 0.0.0.0",
     "`vx fdb replace {entry} dev {dev} dst {known}`")
DROP(no_tunnel_info, "TUNNEL_TXINFO", "", "an external device, and nothing says where the packet goes",
     "{dev} sends only what comes with a tunnel's addresses, as from a port of Open vSwitch: give it "
     "no address and no route of the host")
DROP(no_socket, "DEV_READY", "tx_errors", "the device has no socket", "`vx link set {dev} up`")
DROP(tunnel_no_route, "IP_OUTNOROUTES", "tx_errors and tx_carrier_errors", "no route to the remote",
     "`ip route replace {to} dev {under}` if {to} is on that link, else by 'via' its router; on the "
     "stack underlay, vx route")
DROP(tunnel_loop, "IP_OUTNOROUTES", "tx_errors and collisions",
     "the route to the remote leads into the tunnel itself",
     "`ip route replace {to} dev {under}`: a route to {to} that does not use {dev}")
DROP(tunnel_too_deep, "", "tx_errors", "more than 5 tunnels in each other",
     "a tunnel leads through itself, or too many lie in each other: look with 'vx -d link show' at what "
     "each one's 'dev' and 'remote' are")
DROP(tunnel_too_big, "PKT_TOO_BIG", "tx_dropped|tx_errors and tx_aborted_errors",
     "the encapsulated packet is too big for the path and may not be fragmented",
     "`vx link set {tunnel} mtu {mtu}`")
DROP(bypass_no_device, "VXLAN_VNI_NOT_FOUND", "tx_errors", "the remote is this host, but no device here has the VNI",
     "`vx link add {newdev} up type vxlan id {vni} dstport {port}{on}`, or correct the remote of {dev}")
/* Bridge */
DROP(bridge_bad_source, "MAC_INVALID_SOURCE", "rx_dropped", "the source MAC is zero or multicast",
     "a host behind {dev} sends with the source MAC {src}: give its interface a unicast address there (ip "
     "link set DEV address)")
DROP(bridge_port_down, "", "", "the bridge or the port is down", "`vx link set {dev} up`")
DROP(bridge_same_port, "", "", "the destination is on the port it came from",
     "{dst} is on the port that the frame came from; if it has moved, it has to send once")
DROP(bridge_no_port, "", "", "the bridge has no other port that is up",
     "the bridge has no other port that is up: add one (vx link set DEV master {dev})")
/* Open vSwitch's datapath */
DROP(flow_vlan_cut, "", "", "the frame ends in its VLAN tag",
     "the sender or a box between cuts packets: capture there and compare lengths")
DROP(flow_drop, "", "", "the flow that it matches says drop",
     "'vx explain' names the flow; 'ovs-appctl ofproto/trace' says which rule it comes from")
DROP(flow_no_handler, "", "", "no flow matches and nobody is there to make one",
     "the bridge of this datapath is not configured yet: look at 'ovs-vsctl show'")
DROP(upcall_queue_full, "", "", "too many packets of this source wait for a flow to be made",
     "this source opens flows faster than vx makes them: find it with 'vx explain' and limit it there")
DROP(upcall_lost, "", "", "no flow could be made for it", "")
DROP(copies_waiting, "", "", "too many packets wait to be copied to their ports",
     "a flow has very many outputs: look at 'ovs-appctl dpctl/dump-flows'")
DROP(port_gone, "", "", "the datapath has no such port any more", "")
DROP(port_too_big, "PKT_TOO_BIG", "tx_errors", "longer than the port's MTU",
     "`vx link set {dev} mtu {mtu}`, or lower the MTU on the side that sends")
/* Open vSwitch's bridges */
DROP(tunnel_port_not_found, "", "", "no tunnel port takes packets with this key from this remote",
     "make a port with options remote_ip={peer} and key={vni}, or compare both with 'ovs-vsctl show'")
DROP(tunnel_no_remote, "", "", "its only way is a tunnel to nowhere, or back to where it came from",
     "NORMAL does not know the remote of a port with remote_ip=flow: give a port for {peer} its own "
     "remote_ip")
DROP(ofport_unconnected, "", "", "the port is no bridge's, or of no row of table Port that forwards",
     "'ovs-vsctl show' tells the ports that have an error")
DROP(patch_loop, "", "", "it went through 64 patch ports",
     "patch ports lead in a circle: look at 'ovs-vsctl show' and remove one pair")
DROP(fail_secure, "", "", "the bridge has fail_mode=secure, and OpenFlow is not built",
     "'ovs-vsctl del-fail-mode BRIDGE' lets it switch as others do")
DROP(vlan_tagged_on_access, "", "", "a tagged frame on an access port",
     "the sender tags: let it send untagged, or make the port a trunk with 'ovs-vsctl clear "
     "port PORT tag'")
DROP(vlan_not_on_port, "", "", "the port does not take part in this VLAN",
     "'ovs-vsctl get port PORT trunks' has to contain the frame's VLAN")
DROP(normal_half_tag, "", "", "a patch port took the outer of two tags off, of VLAN 0",
     "the sender's outer tag has to name a VLAN, as it is on the trunk between the bridges")
DROP(normal_reserved_dst, "", "", "the destination is reserved for protocols between switches",
     "other_config:forward-bpdu=true of the bridge lets it pass")
DROP(port_protected, "", "", "both ports are protected",
     "'ovs-vsctl set port PORT protected=false' on one of them")
DROP(normal_no_port, "", "", "no other port takes part in its VLAN",
     "'ovs-vsctl list port' tells tag and trunks of each port")
/* GRO, GSO */
DROP(gso_failed, "SKB_GSO_SEG", "tx_dropped", "a super-frame that cannot be cut", "")
/* Not by vx: the host's own stack took it from the VXLAN socket's way.  Seen by `vx explain` with
 * CAP_NET_RAW (io/underlay_watch); `vx drops` never counts them. */
DROP(host_no_socket, "NO_SOCKET", "(UdpNoPorts)", "the host has no socket on this UDP port",
     "`vx link add {newdev} up type vxlan id {vni} remote {peer} dstport {port}{on}`, or let {peer} "
     "use a port of 'vx link show' (its dstport)")
DROP(host_csum, "UDP_CSUM", "(UdpInErrors, UdpInCsumErrors)", "bad UDP checksum, found by the host",
     "{peer} sends wrong outer UDP checksums: an offload there is broken. On {peer}: ethtool -K DEV "
     "tx off tx-udp_tnl-csum-segmentation off")
DROP(host_ip_header, "IP_INHDR", "(IpInHdrErrors)", "bad IP header, found by the host",
     "{peer}, or a box on the way from it, damages IP headers: there, switch offloads off (ethtool "
     "-K DEV tx off)")
DROP(host_not_local, "IP_INADDRERRORS", "(IpInAddrErrors)", "the IP destination is not an address of this host",
     "`ip addr add {dest} dev {dev}`, or let {peer} send to an address of this host (its remote)")
DROP(host_rpfilter, "IP_RPFILTER", "(TcpExtIPReversePathFilter)", "the host's route back to the sender leads elsewhere (rp_filter)",
     "`ip route replace {peer} dev {dev}` if {peer} is on that link, else by 'via' its router")
DROP(host_socket_full, "SOCKET_RCVBUFF", "(UdpInErrors, UdpRcvbufErrors)", "the socket's queue on the host is full",
     "the workers are overloaded: start vxd with more of them (vxd --workers N); larger queues need "
     "net.core.rmem_max")
DROP(host_filtered, "NETFILTER_DROP", "", "the host took it and no counter says why: its firewall",
     "this host's firewall has to let UDP to port {port} in: 'nft list ruleset' or 'iptables -L -v' "
     "shows the rule")
/* Ends without a fault */
DROP(shutdown, "", "", "in flight when vxd ended", "")
/* clang-format on */
