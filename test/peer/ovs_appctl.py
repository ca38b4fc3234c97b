# SPDX-License-Identifier: Apache-2.0
"""ovs-appctl's commands, asked of vxd and of ovs-vswitchd 3.1 (see ovs_appctl_test.sh).

Texts have to be the same but for what ovs_texts.py takes out.  Numbers in brackets, as [S66], are statements of
the specification's list."""
import json
import re
import socket
import struct
import threading
import time

from lib import (TAG, Tap, arp, eth, fail, finish, in6, inner4, inner6, ip4, ip6, mac, outer4, sh,
                 until, vlan, vxlan)
from ovs_texts import (ages, as_netdev, both, flows, hits, in_any_order, lookups, macs, memory, O,
                       parse_all, received, rules, same, statistics, TUNNEL_PORTS, upcalls, V)


# --- the configuration ------------------------------------------------------------------------------

def configure(d, datapath_type="netdev"):
    for br in ("br1", "br2"):
        d.vsctl("add-br", br, "--", "set", "bridge", br, "datapath_type=" + datapath_type)
    for br, port, no, *settings in (
            ("br1", "h0", 2), ("br1", "h1", 5), ("br2", "h2", 4),
            ("br1", "vx1", 1, "type=vxlan", "options:remote_ip=10.1.1.2", "options:key=100"),
            ("br1", "vx2", 6, "type=vxlan", "options:remote_ip=10.1.1.3", "options:csum=true",
             "options:df_default=false", "options:tos=0xb8", "options:ttl=44"),
            ("br1", "vx3", 7, "type=vxlan", "options:remote_ip=10.1.1.3", "options:in_key=flow",
             "options:out_key=9", "options:dst_port=4790"),
            ("br1", "vxf", 10, "type=vxlan", "options:remote_ip=flow", "options:key=flow",
             "options:dst_port=4790"),
            ("br1", "px1", 3, "type=patch", "options:peer=px2"),
            ("br2", "px2", 3, "type=patch", "options:peer=px1")):
        d.vsctl("add-port", br, port, "--", "set", "interface", port, "ofport_request=%d" % no,
                *settings)
    d.vsctl("set", "port", "h1", "tag=10")
    d.vsctl("set", "bridge", "br1", "flood_vlans=5")


def test_tables():
    both("dpif/show")                                                               # [S36, S66]
    both("dpctl/show")                                                              # [S37, S66]
    both("dpctl/show -s", statistics)
    both("dpctl/show -s netdev@ovs-netdev", statistics)
    both("dpif/dump-dps")
    both("dpctl/dump-dps")
    both("ofproto/list", in_any_order)
    both("ofproto/list-tunnels", in_any_order)                                      # [S66]
    both("fdb/show br1")
    both("fdb/stats-show br1")
    both("dpif/dump-flows br1")
    both("dpctl/dump-flows")


# More options, one port at a time.
TUNNELS = (
    ("remote_ip=10.9.9.9",), ("remote_ip=fd00::9", "key=7"), ("remote_ip=10.9.9.9", "key=0"),
    ("remote_ip=10.9.9.9", "local_ip=10.9.9.1", "key=16777215"),
    ("remote_ip=fd00::9", "local_ip=fd00::1", "key=flow"),
    ("remote_ip=flow", "local_ip=flow", "key=5", "dst_port=8472"),
    ("remote_ip=flow", "local_ip=10.9.9.1", "key=5", "dst_port=8472"),
    ("remote_ip=10.9.9.9", "in_key=7"), ("remote_ip=10.9.9.9", "out_key=7"),
    ("remote_ip=10.9.9.9", "in_key=7", "out_key=7"), ("remote_ip=10.9.9.9", "in_key=7", "out_key=8"),
    ("remote_ip=10.9.9.9", "in_key=flow", "out_key=flow"),
    ("remote_ip=10.9.9.9", "in_key=7", "out_key=flow"),
    ("remote_ip=10.9.9.9", "out_key=flow"), ("remote_ip=10.9.9.9", "out_key=0"),
    ("remote_ip=10.9.9.9", "tos=inherit", "ttl=inherit"),
    ("remote_ip=10.9.9.9", "tos=0x10", "ttl=255", "csum=false"),
    ("remote_ip=10.9.9.9", "egress_pkt_mark=7", "df_default=true", "ttl=64"),
    ("remote_ip=10.9.9.9", "exts=gbp", "dst_port=4791", "key=1"),
)


def test_tunnels():
    """Options as dpif/show and list-tunnels have them [S36, S37, S66]."""
    for options in TUNNELS:
        for d in (V, O):
            d.vsctl("add-port", "br2", "t", "--", "set", "interface", "t", "type=vxlan",
                    *("options:" + o for o in options))
        both("ofproto/list-tunnels", in_any_order)
        both("dpif/show", lambda text: lookups(re.sub(r" t \d+/", " t N/", text)))
        both("dpctl/show", lookups)
        for d in (V, O):
            d.vsctl("del-port", "t")
    both("dpctl/show", lookups)                                                     # [S37]


def test_errors():
    """Texts and exit status of what goes wrong [S62, S63, S65]."""
    for words in (
            "fdb/show", "fdb/show nobr", "fdb/flush nobr", "fdb/stats-show nobr", "fdb/stats-clear nobr",
            "fdb/add br1", "fdb/add br1 h0 0 xx", "fdb/add br1 nop 0 02:00:00:00:00:01",
            "fdb/add nobr h0 0 02:00:00:00:00:01", "fdb/add br1 px2 0 02:00:00:00:00:01",
            "fdb/add br1 h0 0 02:00:00:00:00:01 more", "fdb/del br1 0 zz",
            "fdb/del nobr 0 02:00:00:00:00:04", "fdb/del br1 0 02:00:00:00:00:04",
            "dpif/show x", "dpif/dump-flows", "dpif/dump-flows nobr", "dpif/dump-flows br1 -m",
            "dpif/show-dp-features nobr", "dpif/set-dp-features nobr",
            "dpif/set-dp-features br1 foo true", "dpif/set-dp-features br1 trunc 1",
            "dpif/set-dp-features br1 sample_nesting xx",
            "dpif/set-dp-features br1 sample_nesting 20", "dpif/set-dp-features br1 ufid true",
            "dpctl/show nodp", "dpctl/show netdev@nodp", "dpctl/show foo@bar", "dpctl/show -x",
            "dpctl/show nodp ovs-netdev", "dpctl/dump-dps x",
            "dpctl/dump-flows nodp", "dpctl/dump-flows ovs-netdev", "dpctl/dump-flows type=foo",
            "dpctl/dump-flows a b c d e f g", "dpctl/dump-flows -z", "dpctl/get-flow",
            "dpctl/get-flow xx", "dpctl/get-flow netdev@ovs-netdev xx",
            "dpctl/get-flow ufid:00000000-0000-0000-0000-000000000001",
            "dpctl/get-flow nodp ufid:00000000-0000-0000-0000-000000000001",
            "dpctl/dump-flows filter=foo", "dpctl/dump-flows filter=tcp,foo=1",
            "dpctl/dump-flows filter=nw_dst=1.2.3.4", "dpctl/dump-flows filter=ip,nw_dst=x",
            "dpctl/dump-flows filter=ip,nw_dst=1.2.3", "dpctl/dump-flows filter=dl_src=x",
            "dpctl/dump-flows filter=tcp,tp_dst=x", "dpctl/dump-flows filter=tcp,tp_dst=70000",
            "dpctl/dump-flows filter=tp_dst=5", "dpctl/dump-flows filter=udp,tp_dst=5",
            "dpctl/dump-flows filter=tcp,udp_dst=5", "dpctl/dump-flows filter=in_port=x",
            "dpctl/dump-flows filter=in_port", "dpctl/dump-flows filter=dl_type=0x10000",
            "dpctl/dump-flows filter=ip,nw_proto=300", "dpctl/dump-flows filter=dl_vlan=x",
            "dpctl/dump-flows filter=tun_id=x", "dpctl/dump-flows filter=ipv6,ipv6_src=x",
            "dpctl/dump-flows filter=tun_id=0x10000000000000000", "dpctl/dump-flows filter=ip,arp",
            "dpctl/dump-flows filter=arp,arp_op=x", "dpctl/dump-flows filter=icmp,icmp_type=300",
            "dpctl/dump-flows filter=arp,nw_src=1.2.3.4", "dpctl/dump-flows filter=ip_frag=no",
            "dpctl/dump-flows filter=dl_dst=01:00:00:00:00:00/01:00:00:00:00:00",
            "dpctl/dump-flows filter=ipv6,nd_target=fd00::1", "dpctl/dump-flows filter=actions=5",
            "ofproto/list-tunnels x", "no/such", "bridge/dump-flows nobr", "bridge/dump-flows",
            "upcall/show x", "upcall/set-flow-limit", "revalidator/wait x", "revalidator/purge x",
            "memory/show x", "tnl/neigh/set br1 x 02:00:00:00:00:02",
            "tnl/neigh/set br1 10.1.1.2 xx", "tnl/arp/set br1", "tnl/neigh/aging x",
            "tnl/neigh/aging 0", "ovs/route/lookup x", "ovs/route/lookup 1.1.1.1 pkt_mark=x",
            "ovs/route/lookup 1.1.1.1", "ovs/route/add x br1", "ovs/route/add 1.1.1.1/33 br1",
            "ovs/route/del x", "ovs/route/show x", "mdb/show nobr", "mdb/show br1", "stp/show br1",
            "rstp/show br1", "lacp/show h0", "bond/show h0", "bfd/show vx1", "cfm/show vx1",
            "qos/show nop", "bond/list x", "coverage/read-counter nop", "coverage/show x",
            "tnl/egress_port_range 1 2 3"):
        both(words)


def test_unused():
    """What is not configured in 3.1 is not there in vxd; the underlay is as 11.12 says."""
    for words in ("stp/show", "rstp/show", "lacp/show", "bond/list", "bond/show", "bfd/show",
                  "cfm/show", "qos/show h0", "qos/show vx1", "qos/show px1", "tnl/neigh/show",
                  "tnl/arp/show", "tnl/neigh/flush", "tnl/arp/flush", "tnl/egress_port_range",
                  "tnl/egress_port_range 1"):
        both(words)
    same("tnl/ports/show", V.text("tnl/ports/show"), "Listening ports:\n")
    same("tnl/ports/show -v", V.text("tnl/ports/show", "-v"), "Listening ports:\n")
    refused = "tunnels use the host's routes and neighbours: use ip route, ip neigh\n"
    for words in ("tnl/neigh/set br1 10.1.1.2 02:00:00:00:00:02", "ovs/route/add 10.9.9.0/24 br1",
                  "tnl/arp/set br1 10.1.1.2 02:00:00:00:00:02", "ovs/route/del 10.9.9.0/24",
                  "tnl/neigh/aging", "tnl/neigh/aging 5"):
        rc, text = V.app(*words.split())
        if rc != 2 or text != refused:
            fail(words, "exit %d: %s" % (rc, text))


def test_routes():
    """Of the same host 3.1 shows the same routes."""
    both("ovs/route/show", lambda text: in_any_order(re.sub(".* dev eth0 .*\n", "", text)))
    for ip in ("10.7.7.9", "10.7.8.9", "10.77.1.1", "10.99.9.9", "fd77::1"):
        both("ovs/route/lookup " + ip)


def test_usage():
    """vxd's commands are 3.1's, with 3.1's words, in the same order [S64]."""
    got = V.text("list-commands").splitlines()
    want = [x for x in O.text("list-commands").splitlines() if x in got]
    same("list-commands", "\n".join(got), "\n".join(want))
    if len(got) < 50:
        fail("few commands", "\n".join(got))


def test_coverage():
    """What 3.1 counts by the same name is the same number; lines look the same."""
    for event in ("evicted", "moved"):   # not learned: the underlay of 3.1 learns, too
        both("coverage/read-counter mac_learning_" + event)
    lines = V.text("coverage/show").splitlines()
    line = r"[a-z0-9_]+ +\d+\.\d/sec +\d+\.\d{3}/sec +\d+\.\d{4}/sec   total: \d+"
    for text in (lines[1:-1], O.text("coverage/show").splitlines()[1:-1]):
        for x in text:
            if not re.fullmatch(line, x):
                fail("coverage/show", x)
    head = r"Event coverage, avg rate over last: 5 seconds, last minute, last hour,  hash=[0-9a-f]{8}:"
    if not re.fullmatch(head, lines[0]) or not re.fullmatch(r"\d+ events never hit", lines[-1]):
        fail("coverage/show", lines[0] + "\n" + lines[-1])
    missed = re.search(r"missed:(\d+)", V.text("dpctl/show")).group(1)
    same("coverage/read-counter", V.text("coverage/read-counter", "datapath_missed"), missed + "\n")


def test_fdb():
    """Static entries beside one another and beside learnt ones [S58, S65]."""
    for words in ("br1 h0 0 02:00:00:00:00:01", "br1 vx1 0 02:00:00:00:00:04",
                  "br1 px1 0 02:00:00:00:00:05", "br1 br1 0 02:00:00:00:00:06",
                  "br1 h0 4095 02:00:00:00:00:25",
                  "br1 h1 0 02:00:00:00:00:01",   # overrides a static one
                  "br1 h1 0 02:00:00:00:00:01"):  # again: nothing to say
        both("fdb/add " + words)
    both("fdb/show br1")
    both("fdb/stats-show br1")
    both("fdb/del br1 0 02:00:00:00:00:04")
    both("fdb/flush br1")
    both("fdb/show br1")                                                            # [S58]
    for d in (V, O):
        d.ports[0].send(eth("ff:ff:ff:ff:ff:ff", "02:00:00:00:00:77", 0x88B5, bytes(46)))
    for d in (V, O):
        until(lambda: "00:77" in d.text("fdb/show", "br1"))
    both("fdb/add br1 h1 0 02:00:00:00:00:77")    # overrides a learnt one
    both("fdb/show br1", ages)
    for entry in ("0 02:00:00:00:00:01", "0 02:00:00:00:00:05", "0 02:00:00:00:00:06",
                "4095 02:00:00:00:00:25", "0 02:00:00:00:00:77"):
        both("fdb/del br1 " + entry)
    both("fdb/stats-clear br1")
    both("fdb/stats-show br1")
    both("fdb/flush")
    both("fdb/stats-clear")


# --- flows ------------------------------------------------------------------------------------------

A, B, C = "02:00:00:00:0a:01", "02:00:00:00:0b:01", "02:00:00:00:0c:01"   # at h0, h1, h2
ALL = "ff:ff:ff:ff:ff:ff"


def tcp(src, dst, flags=0x02):
    return struct.pack("!HHIIBBHHH", 1000, 80, 1, 0, 0x50, flags, 1000, 0, 0)


def icmp6(kind, body=bytes(20)):
    return struct.pack("!BBH", kind, 0, 0) + body


FRAMES = (   # port, frame
    (0, arp(ALL, A)), (2, arp(A, C)), (0, arp(C, A)), (1, arp(ALL, B)),
    (0, inner4(dmac=C, smac=A)), (2, inner4(dmac=A, smac=C, src="192.168.9.1", dst="192.168.9.2")),
    (0, inner4(dmac="02:00:00:00:99:99", smac=A, tos=0x01)),     # not known: flooded, ECN looked at
    (0, eth(C, A, 0x0800, ip4("192.168.9.2", "192.168.9.1", 6, tcp(0, 0)))),
    (0, eth("01:00:5e:00:00:05", A, 0x0800, ip4("192.168.9.2", "224.0.0.5", 89, bytes(20)))),
    (0, inner6(dmac=C, smac=A)),
    (0, eth("33:33:ff:00:00:01", A, 0x86DD,
            ip6("fd09::2", "ff02::1:ff00:1", 58, icmp6(135, bytes(4) + in6("fd09::1"))))),
    (2, inner6(dmac="33:33:00:00:00:01", smac=C, src="fd09::1", dst="ff02::1")),
    (0, inner4(dmac=C, smac=A, frag=0x2000)),
    (0, eth(C, A, 0x0800, ip4("192.168.9.2", "192.168.9.1", 17, bytes(40), frag=185))),
    (0, vlan(inner4(dmac=ALL, smac=A), 0x6000 | 20)),            # PCP 3
    (0, vlan(arp(ALL, A), 10)), (1, inner4(dmac=A, smac=B)),     # VLAN 10, at h1 without a tag
    (0, vlan(inner4(dmac=B, smac=A), 10)),
    (0, vlan(arp(ALL, "02:00:00:00:05:05"), 5)),                 # a VLAN without learning [S56]
    (0, vlan(inner4(dmac=ALL, smac=A), 0)),                      # a priority tag
    (1, vlan(inner4(dmac=A, smac=B), 30)),                       # on an access port: dropped
    (0, eth("01:80:c2:00:00:00", A, 0x88CC, bytes(46))),         # [S57]
    (0, inner4(dmac=A, smac=A)),                                 # back to where it came from
    (0, eth(C, A, 0x88B5, bytes(46))),
)


def settle():
    """Learnt MACs are looked at by all flows."""
    time.sleep(0.6)


def play(d, times=1):
    for _ in range(times):
        for port, frame in FRAMES:
            d.ports[port].send(frame)
            time.sleep(0.01)


def test_flows():
    TUNNEL_PORTS.update(re.findall(r"port (\d+): vxlan_sys", V.text("dpctl/show")))
    both("dpif/set-dp-features br1 tnl_push_pop false")
    for d in (V, O):
        d.text("dpctl/del-flows")
        play(d)
    settle()
    both("dpctl/dump-flows", flows)
    both("fdb/show br1", macs)
    both("fdb/show br2", macs)
    both("fdb/stats-show br1")
    before = [hits(V), hits(O)]
    for d in (V, O):
        play(d, 3)
    for words in ("dpctl/dump-flows", "dpctl/dump-flows -m", "dpctl/dump-flows --names",
                  "dpctl/dump-flows -m --no-names", "dpctl/dump-flows netdev@ovs-netdev",
                  "dpctl/dump-flows type=ovs,tc", "dpctl/dump-flows type=tc",
                  "dpctl/dump-flows type=all", "dpctl/dump-flows pmd=0", "dpif/dump-flows br1",
                  "dpif/dump-flows br2", "dpif/dump-flows -m br1", "dpif/dump-flows --names br1",
                  "dpif/dump-flows -m --no-names br1"):
        text = both(words, flows)
        if words in ("dpctl/dump-flows type=tc", "dpctl/dump-flows pmd=0"):
            continue
        # 3.1's parser does not take what 3.1 prints here: no comma behind the ufid.
        if words.startswith("dpif/dump-flows -m"):
            text = re.sub("(ufid:[^ ]+) ", r"\1, ", text)
        if parse_all(text) < 3:
            fail("few flows: " + words, text)
    for d, (hit, missed) in zip((V, O), before):
        now = hits(d)
        same("hits and misses of " + d.letter, str([now[0] - hit, now[1] - missed]),
             str([3 * len(FRAMES), 0]))
    both("fdb/show br1", macs)
    found = 0
    for words in ("arp", "ip", "ipv6", "icmp6", "tcp,tp_dst=80", "in_port=3", "in_port=h0", "in_port(4)",
                  "in_port=h0,dl_vlan=10", "dl_vlan=65535", "dl_vlan_pcp=3", "vlan_tci=0x100a",
                  "vlan_vid=0x1014", "dl_src=" + A, "eth_dst:" + C, "dl_type=0x88b5", "tun_id=0x64",
                  "arp,arp_op=1", "arp arp_op=2", "ip,nw_ecn=1", "ip,nw_ecn=2", "ip,ip_frag=later",
                  "ip,nw_dst=1.2.3.4", "recirc_id=0", "recirc_id=1", "dl_src=02:00:00:00:ff:ff",
                  "ipv6,nw_tos=4", ""):
        found += len(both(["dpctl/dump-flows", "filter=" + words], flows).splitlines())
    if found < 50:
        fail("filters let few flows by: %d" % found)
    both("dpctl/dump-flows --names type=ovs filter=in_port=h0", flows)
    # One flow by its ufid.
    for line in V.text("dpctl/dump-flows", "-m").splitlines()[1:4]:
        ufid, rest = line.split(", ", 1)
        got = V.text("dpctl/get-flow", "-m", ufid)
        same("get-flow", re.sub("used:[^,]*", "", got.split(", ", 1)[1]).rstrip(),
             re.sub("used:[^,]*", "", rest))
        same("get-flow", V.text("dpctl/get-flow", "netdev@ovs-netdev", ufid).split(" used")[0],
             V.text("dpctl/get-flow", ufid).split(" used")[0])
    test_rules()
    for d in (V, O):
        d.text("revalidator/purge")
    both("dpctl/dump-flows")
    settle()   # 3.1 counts flows ten times a second
    both("upcall/show", upcalls)


def test_rules():
    """Rules have counted what came to the bridge [S82]."""
    for d in (V, O):
        d.text("revalidator/wait")
    both("bridge/dump-flows br1", rules)
    both("bridge/dump-flows --offload-stats br2", rules)
    both("memory/show", memory)
    both("upcall/show", upcalls)
    for d in (V, O):
        d.vsctl("set-fail-mode", "br1", "secure")
        play(d)
        d.text("revalidator/wait")
    both("bridge/dump-flows br1", rules)
    both("bridge/dump-flows br2", rules)
    for d in (V, O):
        d.vsctl("del-fail-mode", "br1")
    both("bridge/dump-flows br1", rules)


# --- tunnels receive --------------------------------------------------------------------------------

def link_mac(letter, dev):
    return json.loads(sh("ip", "-n", TAG + letter, "-j", "link", "show", dev))[0]["address"]


def test_received():
    """Flows of what tunnels receive, and the underlay's MACs stay out of them [S36, S40, S41, S67]."""
    O.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev", "--",
            "add-port", "br0", "p0")
    sh("ip", "-n", TAG + "O", "addr", "add", "10.1.1.1/24", "dev", "br0")
    sh("ip", "-n", TAG + "O", "link", "set", "br0", "up")
    for d, dev, wire in ((V, "eth0", Tap("P", "vu")), (O, "br0", Tap("P", "ou"))):
        to = mac(link_mac(d.letter, dev))

        def send(inner, remote, vni, port=4789):
            frame = outer4(vxlan(inner, vni), src=remote, dst="10.1.1.1", dport=port)
            wire.send(to + frame[6:])
            time.sleep(0.02)

        d.ports[0].send(arp(ALL, A))   # A is at h0
        d.ports[0].send(vlan(arp(ALL, A), 10))
        time.sleep(0.1)
        for _ in range(3):
            send(inner4(dmac=A, smac="02:00:00:00:0d:01"), "10.1.1.2", 100)           # by vx1
            send(inner4(dmac=A, smac="02:00:00:00:0d:02"), "10.1.1.3", 0)             # by vx2
            send(inner4(dmac=A, smac="02:00:00:00:0d:03", tos=1), "10.1.1.3", 77, 4790)  # by vx3
            send(inner6(dmac=A, smac="02:00:00:00:0d:04"), "10.1.1.9", 78, 4790)      # by vxf
            send(vlan(inner4(dmac=A, smac="02:00:00:00:0d:05"), 10), "10.1.1.2", 100)
        d.ports[0].send(inner4(dmac="02:00:00:00:0d:01", smac=A))
    for words in ("dpctl/dump-flows", "dpctl/dump-flows -m", "dpif/dump-flows br1",
                  "dpctl/dump-flows --names"):
        text = both(words, received)
        if parse_all(text) < 5 or received(text).count("packets:2") < 4:
            fail("few flows of tunnels", text)
    both("fdb/show br1", macs)
    O.vsctl("del-br", "br0")
    for d in (V, O):
        d.text("fdb/flush")
        d.text("fdb/stats-clear")
        d.text("revalidator/purge")


# --- what goes by itself ----------------------------------------------------------------------------

def test_changes():
    """A tag that is changed, and a MAC that moves, change flows within a second [S74]."""
    def has(words):
        return lambda: words in V.text("dpif/dump-flows", "br1")

    play(V)
    if not until(has("push_vlan(vid=10,pcp=0)")):
        fail("no flow from VLAN 10")
    V.vsctl("set", "port", "h1", "tag=20")
    if not until(lambda: not has("push_vlan(vid=10,pcp=0)")(), 1.0):
        fail("flows of the old tag", V.text("dpif/dump-flows", "br1"))
    V.vsctl("set", "port", "h1", "tag=10")
    to_c = "src=%s,dst=%s),eth_type(0x0800)" % (A, C)
    V.ports[0].send(inner4(dmac=C, smac=A))
    if not until(has(to_c)):
        fail("no flow to C", V.text("dpif/dump-flows", "br1"))

    def to_c_goes_back():
        line = [x for x in V.text("dpif/dump-flows", "br1").splitlines() if to_c in x]
        return not line or line[0].endswith("actions:drop")

    V.ports[0].send(arp(ALL, C))   # C is where A is
    if not until(to_c_goes_back, 1.0):
        fail("C has moved", V.text("dpif/dump-flows", "br1"))


def test_under_load():
    """Answers within 100 ms while packets come as fast as they can [S72]."""
    end, times = time.time() + 1.5, []
    frame = inner4(dmac=C, smac=A)

    def flood():
        while time.time() < end:
            V.ports[0].send(frame)

    flooder = threading.Thread(target=flood)
    flooder.start()
    while time.time() < end:
        began = time.time()
        s = socket.socket(socket.AF_UNIX)
        s.connect(V.path)
        s.send(json.dumps({"id": 1, "method": "fdb/show", "params": ["br1"]}).encode())
        if b'"error":null' not in s.recv(65536):
            fail("no answer under load")
        times.append(time.time() - began)
        s.close()
    flooder.join()
    times.sort()
    print("%d answers under load, %.1f ms in the middle, %.1f ms the last of them" %
          (len(times), times[len(times) // 2] * 1000, times[-1] * 1000))
    if len(times) < 5 or times[len(times) // 2] > 0.1:
        fail("answers under load", times)


def test_time():
    """Flows go when idle for 10 s [S73], MACs after mac-aging-time, which is 15 s at least [S55]."""
    for d in (V, O):
        d.vsctl("set", "bridge", "br2", "other_config:mac-aging-time=3",
                "other_config:mac-table-size=5")
        d.text("fdb/stats-clear")
    both("fdb/stats-show br2")                                                      # [S55]
    V.text("revalidator/purge")
    V.text("fdb/flush")
    began = time.time()
    V.ports[2].send(inner4(dmac=ALL, smac=C))
    while "LOCAL" not in V.text("fdb/show", "br2"):
        if not any("in_port(5)" in x for x in V.text("dpif/dump-flows", "br2").splitlines()):
            break
        if time.time() - began > 13:
            fail("idle flow after 13 s", V.text("dpif/dump-flows", "br2"))
            break
        time.sleep(0.1)
    took = time.time() - began
    if took < 9.5:
        fail("a flow went after %.1f s" % took)
    if C not in V.text("fdb/show", "br2"):
        fail("a MAC went after %.1f s" % took)
    time.sleep(max(0, 13.5 - took))
    if C not in V.text("fdb/show", "br2"):
        fail("a MAC went before 15 s", V.text("fdb/show", "br2"))
    if not until(lambda: C not in V.text("fdb/show", "br2"), 5):
        fail("a MAC after 18 s", V.text("fdb/show", "br2"))


# --- datapaths --------------------------------------------------------------------------------------

def test_system():
    for d in (V, O):
        d.vsctl("del-br", "br1", "--", "del-br", "br2")
    for words in ("dpif/show", "ofproto/list-tunnels", "dpif/dump-dps", "dpctl/dump-flows",
                  "dpctl/get-flow ufid:00000000-0000-0000-0000-000000000001",
                  "dpctl/show netdev@ovs-netdev", "upcall/show", "fdb/flush", "revalidator/purge"):
        both(words)   # there is none
    # 3.1 without the kernel's module fails here, and says nothing; there are none of them.
    same("dpctl/show", V.text("dpctl/show"), "")
    same("dpctl/dump-dps", V.text("dpctl/dump-dps"), "")
    V.text("revalidator/wait")   # of 3.1: "can't wait on multiple udpifs."
    configure(V, "system")
    configure(O, "netdev")
    play(V)
    O.text("dpif/set-dp-features", "br1", "tnl_push_pop", "false")
    play(O)
    settle()
    for words in ("dpif/show", "dpctl/show", "dpif/dump-dps", "dpctl/dump-dps"):
        both(words, as_netdev)
    for words in ("ofproto/list-tunnels", "fdb/show br1"):
        both(words, macs)
    for words in ("dpctl/dump-flows", "dpctl/dump-flows -m", "dpif/dump-flows br1"):
        both(words, lambda text: flows(as_netdev(text)))
    # Two datapaths: one has to be named.
    V.vsctl("add-br", "br9", "--", "set", "bridge", "br9", "datapath_type=netdev")
    O.vsctl("add-br", "br9", "--", "set", "bridge", "br9", "datapath_type=dummy")
    both("dpctl/dump-flows")
    both("dpctl/get-flow ufid:00000000-0000-0000-0000-000000000001")
    V.text("revalidator/wait")
    same("dpctl/dump-dps", V.text("dpctl/dump-dps"), "netdev@ovs-netdev\nsystem@ovs-system\n")
    same("dpif/dump-dps", V.text("dpif/dump-dps"), "netdev@br9\nsystem@br1\nsystem@br2\n")
    for d in (V, O):
        d.vsctl("del-br", "br9")


def test_many():
    """500 ports of one UDP port are one port of the datapath; one more takes less than 1 s [S85]."""
    words = ["add-br", "br8"]
    for i in range(500):
        words += ["--", "add-port", "br8", "t%d" % i, "--", "set", "interface", "t%d" % i,
                  "type=vxlan", "options:remote_ip=10.200.%d.%d" % (i // 250, i % 250 + 1),
                  "options:key=%d" % i]
    V.vsctl(*words)
    tunnels = V.text("ofproto/list-tunnels")
    if len(re.findall(r"^port \d+: t\d+ ", tunnels, re.M)) != 500:
        fail("500 tunnels", tunnels)
    same("dpctl/show", str(V.text("dpctl/show").count("vxlan_sys_4789")), "1")
    took = []
    for i in range(3):   # most of it is ovs-vsctl's own, on a machine that has other work
        began = time.time()
        V.vsctl("add-port", "br8", "u%d" % i, "--", "set", "interface", "u%d" % i, "type=vxlan",
                "options:remote_ip=10.200.9.%d" % (i + 1))
        took.append(time.time() - began)
    print("one more port beside 500: %.2f s" % min(took))
    if min(took) > 1:
        fail("one more port", took)
    V.vsctl("del-br", "br8")


def main():
    for d in (V, O):
        configure(d)
    test_tables()
    test_errors()
    test_received()   # while tunnels are new: 3.1 forgets ports that it listens on
    test_unused()
    test_routes()
    test_tunnels()
    test_usage()
    test_fdb()
    test_flows()
    test_coverage()
    test_changes()
    test_under_load()
    test_time()
    test_system()
    test_many()
    finish()


main()
