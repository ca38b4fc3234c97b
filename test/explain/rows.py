# SPDX-License-Identifier: Apache-2.0
"""The broken set-ups of broken_test.sh.

A row: a set-up, one packet, what `vx explain` has to name, and what mends it.  The host has
eth0 (10.0.0.1, fd00::1) and vxd; the peer has eth0 (10.0.0.2, fd00::2).  Both forms of the underlay:
"host" uses the host's sockets, "stack" a packet port up0 with those addresses.

    vx     commands of vxd before the packet, {dev} being eth0 or up0; default: STD
    host   commands at the host (ip, nft, sysctl); run after vx
    peer   settings of the sender, a raw socket: see broken.py, frame_in(); way "in"
    kernel commands of ip at the peer
    way    "in": from the peer's raw socket, "kernel": a ping of the peer's own vxlan device, "out": from
           the host's side of the device `tap`
    kind   "big": a datagram of 1400 bytes from the host's own stack; "exchange": the peer sends first
    first  like mend: before the packet is sent
    offline  the row as a capture and a configuration, too: `vx explain -f`
    says   a regular expression for the sentences
    counter  another, for the counters besides `vx drops`
    mend   "run": the advised command, executed as printed; else what changes at the other side: a dict
           of the sender's settings or a list of commands ("peer: ip ...", "host: nft ...", "send:" =
           the peer sends one frame).  `advice` is a regular expression for that side and setting
    at     where the packet arrives in the end: an interface of the host, or "peer"
"""

STD = ["link add vxlan1 address {mac} up type vxlan id 100 remote 10.0.0.2 dstport 4789 dev {dev}"]
NO_REMOTE = [STD[0].replace("remote 10.0.0.2 ", "")]
NO_DEV = [STD[0].replace(" dev {dev}", "").replace("10.0.0.2", "10.9.9.9")]
V6 = ["link add vxlan1 address {mac} up type vxlan id 100 remote fd00::2 dstport 4789 dev {dev}"]
DEV2 = "link add vxlan2 {up}type vxlan id 200 remote 10.0.0.2 dstport {port} dev {{dev}}"
BRIDGE = ["link add br0 type bridge", STD[0].replace("up type", "up nohost master br0 type")]
KERNEL_DEVICE = ["link add vxlan1 type vxlan id 100 remote 10.0.0.1 local 10.0.0.2 dstport 4789 dev eth0",
                 "addr add 192.168.9.2/24 dev vxlan1", "link set vxlan1 up"]
SENDER = "02:00:00:00:dd:01"   # the inner host at the peer


class Row:
    def __init__(self, name, form, reason, stage, says, mend, counter="", vx=STD, host=(), peer=None,
                 kernel=(), way="in", at="vxlan1", tap="vxlan1", expr="udp port 2222", advice="",
                 offline=False, first=(), kind="udp"):
        self.__dict__.update(locals())
        del self.__dict__["self"]
        if way == "out" and at == "vxlan1":
            self.at = "peer"


def both(name, *args, **kw):
    return [Row("%s (%s)" % (name, form), form, *args, **kw) for form in ("host", "stack")]


def host(name, *args, **kw):
    return Row(name, "host", *args, **kw)


def stack(name, *args, **kw):
    return Row(name, "stack", *args, **kw)


RX_FRAME = r"rx_errors and rx_frame_errors of vxlan1"

ROWS = [
    # --- the tunnel's numbers ---
    *both("wrong VNI", "vxlan_unknown_vni", "vxlan_rcv",
          r"vni 101 is no device here; port 4789 has: 100 vxlan1", "run", peer={"vni": 101},
          at="vxlan101", offline=True),
    *both("the VNI's device is down, others on the port are up", "vxlan_unknown_vni", "vxlan_rcv",
          r"vxlan2 has vni 200 and is down", "run", vx=STD + [DEV2.format(up="", port=4789)],
          peer={"vni": 200}, at="vxlan2", offline=True),
    *both("the VNI is on another port", "vxlan_unknown_vni", "vxlan_rcv",
          r"vxlan2 has vni 200 on port 4790", {"dport": 4790}, advice=r"on 10.0.0.2 set 'dstport' to 4790",
          vx=STD + [DEV2.format(up="up ", port=4790)], peer={"vni": 200}, at="vxlan2", offline=True),
    stack("wrong port", "udp_no_socket", "udp_rcv",
          r"nobody listens on port 8472 over IPv4; VXLAN sockets: 4789 over IPv4 \(100 vxlan1\); "
          r"vxlan1 has vni 100 on port 4789", {"dport": 4789}, counter=r"UdpNoPorts",
          advice=r"on 10.0.0.2 set 'dstport' to 4789", peer={"dport": 8472}),
    stack("wrong port, and no device has the VNI", "udp_no_socket", "udp_rcv",
          r"nobody listens on port 8472", "run", counter=r"UdpNoPorts",
          peer={"dport": 8472, "vni": 300}, at="vxlan300"),
    host("wrong port (host)", "host_no_socket", "udp_rcv",
         r"arrived on eth0, never reached the socket of port 8472; UdpNoPorts rose by 1.*"
         r"vxlan1 has vni 100 on port 4789", {"dport": 4789}, counter=r"UdpNoPorts of the host",
         advice=r"on 10.0.0.2 set 'dstport' to 4789", peer={"dport": 8472}),
    host("wrong port, and no device has the VNI (host)", "host_no_socket", "udp_rcv",
         r"UdpNoPorts rose by 1", "run", counter=r"UdpNoPorts", peer={"dport": 8472, "vni": 300},
         at="vxlan300"),

    # --- the other family ---
    stack("other family", "udp_no_socket", "udp_rcv",
          r"nobody listens on port 4789 over IPv6;.*vxlan1 has vni 100 over IPv4 only", {"v6": False},
          counter=r"Udp6NoPorts", advice=r"on fd00::2 set 'remote' to an IPv4 address",
          peer={"v6": True}),
    host("other family (host)", "host_no_socket", "udp_rcv",
         r"Udp6NoPorts rose by 1.*vxlan1 has vni 100 over IPv4 only", {"v6": False},
         counter=r"Udp6NoPorts", advice=r"on fd00::2 set 'remote' to an IPv4 address",
         peer={"v6": True}),
    *both("other family, the port has a socket of both", "vxlan_unknown_vni", "vxlan_rcv",
          r"vxlan1 has vni 100 over IPv4 only", {"v6": False},
          vx=STD + ["link add vxlan6 up type vxlan id 600 remote fd00::2 dstport 4789 dev {dev}"],
          advice=r"on fd00::2 set 'remote' to an IPv4 address", peer={"v6": True}, offline=True),

    # --- devices that are down ---
    host("the device is down (host)", "host_no_socket", "udp_rcv", r"vxlan1 has vni 100 and is down",
         "run", counter=r"UdpNoPorts", vx=[STD[0].replace(" up ", " ")]),
    stack("the device is down", "udp_no_socket", "udp_rcv", r"vxlan1 has vni 100 and is down", "run",
          counter=r"UdpNoPorts", vx=[STD[0].replace(" up ", " ")]),
    host("the TAP is down", "host_no_socket", "udp_rcv", r"vxlan1 has vni 100 and is down", "run",
         host=["ip link set vxlan1 down"]),
    stack("the underlay port is down", "dev_down", "io_rx", r"the device is down: up0", "run",
          vx=STD + ["link set up0 down"], counter=r"rx_dropped of up0"),
    host("the underlay interface is down (host)", "tunnel_no_route", "vxlan_xmit_one", r"to 10.0.0.2",
         "run", host=["ip link set eth0 down"], way="out",
         counter=r"tx_errors and tx_carrier_errors of vxlan1"),
    stack("the interface under the port is down", "host_refused", "io_tx", r"its interface is down",
          "run", host=["ip link set eth0 down"], way="out",
          vx=STD + ["neigh replace 10.0.0.2 lladdr {peer_mac} dev up0"]),
    *both("the bridge is down", "bridge_port_down", "bridge_rcv", r"the bridge or the port is down",
          "run", vx=BRIDGE, at="br0"),
    *both("the bridge's other port is down", "bridge_no_port", "bridge_rcv", r"no other port that is up",
          "run", vx=["link add br0 nohost up type bridge",
                     STD[0].replace("up type", "up nohost master br0 type"),
                     "link add vxlan2 nohost master br0 type vxlan id 200 remote 10.0.0.2 "
                     "dstport 4789 dev {dev}"], at="peer", peer={"dmac": "02:00:00:00:ee:01"}),

    # --- what only the peer can mend: damaged or foreign packets ---
    stack("bad UDP checksum", "udp_csum", "udp_rcv", r"bad UDP checksum \(10.0.0.2\)", {"check": None},
          counter=r"UdpInErrors, UdpInCsumErrors", peer={"check": 0x1234},
          advice=r"On 10.0.0.2: ethtool", offline=True),
    host("bad UDP checksum (host)", "host_csum", "udp_rcv",
         r"arrived on eth0, never reached the socket of port 4789; UdpInCsumErrors rose by 1",
         {"check": None}, counter=r"UdpInCsumErrors of the host", peer={"check": 0x1234},
         advice=r"On 10.0.0.2: ethtool"),
    stack("no UDP checksum over IPv6", "udp_zero_csum", "udp_rcv", r"without a checksum \(fd00::2\)",
          {"check": None}, counter=r"Udp6InErrors, Udp6InCsumErrors", vx=V6,
          peer={"v6": True, "check": 0}, advice=r"fd00::2 .*noudp6zerocsumtx"),
    stack("bad IP header checksum", "ip_csum", "ip4_rcv", r"bad IPv4 header checksum \(10.0.0.2\)",
          {"ip_bad": 0}, counter=r"IpInHdrErrors, IpExtInCsumErrors", peer={"ip_bad": 1},
          advice=r"10.0.0.2, or a box", offline=True),
    host("bad IP header checksum (host)", "host_ip_header", "udp_rcv", r"IpInHdrErrors rose by 1",
         {"ip_bad": 0}, counter=r"IpInHdrErrors of the host", peer={"ip_bad": 1},
         advice=r"10.0.0.2, or a box"),
    *both("reserved bit: group policy", "vxlan_reserved_bits", "vxlan_rcv",
          r"reserved bits 0x80000000.* are set: group policy \(gbp\)", {"word0": 0x08000000},
          counter=RX_FRAME, peer={"word0": 0x88000000}, advice=r"10.0.0.2 uses an extension .gbp",
          offline=True),
    *both("no I flag", "vxlan_no_i_flag", "vxlan_rcv", r"the I flag is not set", {"word0": 0x08000000},
          peer={"word0": 0}, advice=r"10.0.0.2 .*tunnel type", offline=True),
    *both("not VXLAN at all", "vxlan_too_short", "vxlan_rcv", r"too short for a VXLAN header",
          {"payload": None}, peer={"payload": b"hello"}, expr="udp port 4789",
          advice=r"10.0.0.2 .*tunnel type", offline=True),
    *both("inner Ethernet header cut", "inner_too_short", "vxlan_rcv", r"no room for an inner Ethernet",
          {"cut": None}, peer={"cut": 10}, expr="udp port 4789", advice=r"10.0.0.2.*MTUs", offline=True),
    *both("inner IP header cut", "inner_ip_too_short", "vxlan_rcv", r"the inner IP header is cut",
          {"cut": None}, peer={"cut": 20}, expr="udp port 4789",
          counter=r"rx_errors and rx_length_errors of vxlan1", advice=SENDER + " behind 10.0.0.2",
          offline=True),
    *both("inner source is multicast", "inner_bad_source", "vxlan_rcv", r"01:00:5e:00:00:01",
          {"smac": SENDER}, peer={"smac": "01:00:5e:00:00:01"}, advice=r"behind 10.0.0.2 .*address",
          offline=True),
    *both("ECN: congestion on a packet that does not know it", "ecn_not_ect", "vxlan_rcv",
          r"the outer ECN field is CE, the inner Not-ECT", {"tos": 0}, counter=RX_FRAME,
          peer={"tos": 3}, advice=r"10.0.0.2, or a router .*clear the ECN field", offline=True),
    stack("UDP length too long", "udp_len", "udp_rcv", r"UDP length", {"udp_len": None},
          counter=r"UdpInErrors", peer={"udp_len": 999}, advice=r"10.0.0.2, or a box"),
    stack("truncated on the way", "ip_truncated", "ip4_rcv", r"IP length goes beyond the frame",
          {"cut_frame": 0}, counter=r"IpExtInTruncatedPkts", peer={"cut_frame": 10},
          advice=r"10.0.0.2, or a box.*MTUs"),

    # --- the sender's addresses ---
    *both("own MAC", "own_mac", "vxlan_rcv", r"02:00:00:00:cc:01 of vxlan1", "run",
          peer={"smac": "02:00:00:00:cc:01"}, offline=True),
    stack("two devices with one MAC", "own_mac", "vxlan_rcv", r"02:00:00:00:cc:01 of vxlan1", "run",
          kernel=[KERNEL_DEVICE[0].replace("type", "address 02:00:00:00:cc:01 type")]
          + KERNEL_DEVICE[1:], way="kernel", expr="arp host 192.168.9.2"),
    *both("unknown peer", "unknown_peer", "vxlan_rcv",
          r"\(10.0.0.3\): vxlan1 takes packets of remotes in its forwarding database only", "run",
          vx=[STD[0] + " peers known"], peer={"src": "10.0.0.3"}, offline=True),
    *both("static entry elsewhere", "fdb_static_elsewhere", "vxlan_rcv",
          SENDER + r" is bound to 10.0.0.7 \(static", "run",
          vx=STD + ["fdb add %s dev vxlan1 dst 10.0.0.7 static" % SENDER], offline=True),
    stack("an address of the peer's that is ours", "ip_martian", "route_input", r"\(10.0.0.1\)",
          {"src": "10.0.0.2"}, peer={"src": "10.0.0.1"}, advice=r"change the address on", offline=True),
    stack("sent to an address that we have not", "ip_not_local", "dst_input", r"\(10.0.0.77\)", "run",
          counter=r"IpInAddrErrors", peer={"dst": "10.0.0.77"}),
    host("sent to an address that we have not (host)", "host_not_local", "udp_rcv",
         r"IpInAddrErrors rose by 1", "run", counter=r"IpInAddrErrors of the host",
         peer={"dst": "10.0.0.77"}),
    stack("sent to another MAC", "otherhost", "ip4_rcv", r"another host's", {"eth_dst": None},
          peer={"eth_dst": "02:00:00:00:99:99"}, advice=r"10.0.0.2 has a wrong MAC"),
    host("sent to another MAC (host)", "otherhost", "udp_rcv", r"arrived on eth0.*another host's",
         {"eth_dst": None}, peer={"eth_dst": "02:00:00:00:99:99"}, advice=r"10.0.0.2 has a wrong MAC"),
    host("reverse path filter", "host_rpfilter", "udp_rcv", r"TcpExtIPReversePathFilter rose by 1",
         "run", counter=r"TcpExtIPReversePathFilter of the host", peer={"src": "10.77.0.2"},
         host=["sysctl -qw net.ipv4.conf.all.rp_filter=1", "sysctl -qw net.ipv4.conf.eth0.rp_filter=1"]),
    host("firewall", "host_filtered", "udp_rcv",
         r"never reached the socket of port 4789; no counter of the host rose",
         ["host: nft delete table inet broken"], advice=r"this host's firewall has to let UDP to port 4789",
         host=["nft add table inet broken",
               "nft add chain inet broken in { type filter hook input priority 0 ; }",
               "nft add rule inet broken in udp dport 4789 drop"]),

    stack("a rule of our own", "hook_rule", "hook_input", r"rule 1", "run",
          vx=STD + ["rule add input drop udp port 4789"]),

    # --- where frames are to go ---
    *both("no remote, the peer is known by what it sent", "no_target", "vxlan_xmit",
          r"\(02:00:00:00:ee:01 on vxlan1\)", "run", counter=r"tx_dropped of vxlan1", vx=NO_REMOTE,
          first=["send:"], way="out"),
    stack("no remote, one neighbour is known", "no_target", "vxlan_xmit", r"02:00:00:00:ee:01 on vxlan1",
          "run", counter=r"tx_dropped of vxlan1", vx=NO_REMOTE, way="out",
          first=["peer: ping -c 1 -W 1 10.0.0.1"]),
    *both("no remote, nothing is known", "no_target", "vxlan_xmit", r"no entry for this destination",
          ["send: 02:00:00:00:ee:01"], advice=r"let the host with the MAC 02:00:00:00:ee:01 send first",
          counter=r"tx_dropped of vxlan1", vx=NO_REMOTE, way="out"),
    *both("full table", "no_target", "vxlan_xmit",
          r"the table is full \(maxaddress 1\): nothing more is learned", "run",
          vx=[NO_REMOTE[0] + " maxaddress 1"], first=["send: 02:00:00:00:dd:77"], way="out",
          kind="exchange"),
    *both("an entry without an address", "dst_any", "vxlan_xmit_one", r"02:00:00:00:ee:01.*0\.0\.0\.0",
          "run", counter=r"tx_dropped of vxlan1", first=["send:"],
          vx=STD + ["fdb add 02:00:00:00:ee:01 dev vxlan1 dst 0.0.0.0"], way="out"),
    host("no route (host)", "tunnel_no_route", "vxlan_xmit_one", r"to 10.9.9.9", "run", vx=NO_DEV,
         counter=r"tx_errors and tx_carrier_errors of vxlan1", kernel=["addr add 10.9.9.9/32 dev eth0"],
         way="out"),
    stack("an unreachable route", "tunnel_no_route", "vxlan_xmit_one", r"to 10.0.0.2", "run",
          counter=r"tx_errors and tx_carrier_errors of vxlan1",
          vx=STD + ["route add unreachable 10.0.0.2"], way="out"),
    host("an unreachable route (host)", "tunnel_no_route", "vxlan_xmit_one", r"to 10.0.0.2", "run",
         vx=[STD[0].replace(" dev {dev}", "")], host=["ip route add unreachable 10.0.0.2"], way="out"),
    host("the route leads into the tunnel", "tunnel_loop", "vxlan_xmit_one", r"into the tunnel itself",
         "run", counter=r"tx_errors and collisions of vxlan1", vx=NO_DEV,
         kernel=["addr add 10.9.9.9/32 dev eth0"], host=["ip route add 10.9.9.9 dev vxlan1"], way="out"),
    stack("neighbour unresolved", "neigh_failed", "neigh_output",
          r"waits for 10.0.0.9", ["peer: ip addr add 10.0.0.9/24 dev eth0"],
          advice=r"nobody answers for 10.0.0.9 on up0",
          vx=[STD[0].replace("remote 10.0.0.2", "remote 10.0.0.9")], way="out"),
    *both("MTU: don't fragment", {"host": "tunnel_too_big", "stack": "ip_out_too_big"},
          {"host": "udp_send", "stack": "ip_output"}, r"", "run", counter=r"tx_dropped of vxlan1",
          vx=[STD[0] + " df set", "link set vxlan1 mtu 1450"], kind="big",
          host=["ip link set eth0 mtu 1400"], way="out", first=["up0 mtu 1400"]),
    stack("MTU over IPv6", "ip_out_too_big", "ip_output", r"", "run", vx=V6,
          counter=r"tx_errors and tx_aborted_errors of vxlan1", kind="big",
          host=["ip link set eth0 mtu 1400"], way="out", first=["up0 mtu 1400"]),
    *both("the remote is this host, nobody has its VNI", "bypass_no_device", "vxlan_xmit_one",
          r"to 10.0.0.1 port 4789 vni 222", "run", counter=r"tx_errors of vxlan1",
          vx=STD + ["fdb add 02:00:00:00:ee:01 dev vxlan1 dst 10.0.0.1 vni 222"], way="out",
          at="vxlan222"),
    *both("no host side and no address", "unhandled_proto", "netif_receive", r"vxlan1", "run",
          counter=r"rx_dropped of vxlan1", vx=[STD[0].replace("up type", "up nohost type")],
          kernel=KERNEL_DEVICE, way="kernel", expr="arp host 192.168.9.1", at="peer"),
]
