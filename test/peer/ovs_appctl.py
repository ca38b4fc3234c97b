# SPDX-License-Identifier: Apache-2.0
"""ovs-appctl's commands, asked of vxd and of ovs-vswitchd 3.1 (see ovs_appctl_test.sh).

Texts have to be the same but for what normalise() takes out, each with its reason.  Numbers in
brackets are statements of the specification's list."""
import os
import re
import socket
import struct
import sys
import time

from lib import (TMP, Tap, arp, eth, fail, finish, in6, inner4, inner6, ip4, ip6, run, udp, until,
                 vlan, vxlan)
from ovs.flow.odp import ODPFlow


class Daemon:
    def __init__(self, letter, socket_path):
        self.letter, self.path = letter, socket_path
        self.db = "unix:%s/ovs%s/db.sock" % (TMP, letter)
        self.ports = [Tap("P", "%s%d" % (letter.lower(), i)) for i in range(3)]

    def app(self, *words):
        """(exit status, what it printed)"""
        rc, out, err = run("ovs-appctl", "-t", self.path, *words)
        return rc, out + err.replace("ovs-appctl: %s: server returned an error\n" % self.path, "")

    def text(self, *words):
        rc, out = self.app(*words)
        if rc:
            fail("%s: %s: exit %d" % (self.letter, " ".join(words), rc), out)
        return out

    def vsctl(self, *words):
        rc, _, err = run("ovs-vsctl", "-t", "10", "--db=" + self.db, *words)
        if rc:
            fail("%s: ovs-vsctl %s" % (self.letter, " ".join(words)), err)


V, O = Daemon("V", TMP + "/V/vxd.ctl"), Daemon("O", TMP + "/ovsO/ctl")


def same(what, got, want):
    if got == want:
        return
    a, b = got.splitlines(), want.splitlines()
    fail(what, "\n".join(["vxd: " + x for x in a if x not in b] +
                         ["3.1: " + x for x in b if x not in a]) or got + "---\n" + want)


def both(words, change=lambda text: text):
    """The same answer of both, after 'change'; returns vxd's as it is."""
    words = words.split() if isinstance(words, str) else words
    (rc, got), (want_rc, want) = V.app(*words), O.app(*words)
    if rc != want_rc:
        fail("%s: exit %d, 3.1's is %d" % (" ".join(words), rc, want_rc), got + want)
    else:
        same(" ".join(words), change(got), change(want))
    return got


# --- what is taken out before texts are compared ----------------------------------------------------

def ages(text):
    """MAC table: the seconds since frames were sent, a moment apart for the two."""
    return re.sub(r"( [0-9a-f:]{17}  ) *\d+$", r"\1age", text, flags=re.M)


def macs(text):
    """3.1 refreshes an entry, and with it the order, once a second; vxd at each frame."""
    return in_any_order(ages(text))


def in_any_order(text):
    """Bridges, tunnels and flows: 3.1 lists those of a hash table."""
    return "\n".join(sorted(text.splitlines()))


def statistics(text):
    """3.1 shows a host interface's own counters, those of before it was a port with them; vxd's
    begin with the port, and count as dropped what is output to a TAP that is down."""
    return re.sub(r"(packets|dropped|bytes):\d+( \(\d+\.\d .iB\))?", r"\1:N", text)


TUNNEL_PORTS = set()   # of the datapath, by number


def outputs(key, actions):
    """Where a packet goes, and with what, as a set: 3.1 floods in the order of a hash table, and so
    VLAN tags come and go at other places of the list."""
    out, tunnel = [], ""
    tags = ["push_vlan" + t for t in re.findall(r"vlan(\([^)]*\))", key)]
    for a in re.findall(r"(?:[^,(]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))+", actions):
        if a.startswith("push_vlan"):
            tags.append(a)
        elif a == "pop_vlan":
            tags.pop()
        elif a.startswith("set(tunnel"):
            tunnel = a
        elif re.fullmatch(r"[A-Za-z0-9_]+", a) and a != "drop":
            is_tunnel = a in TUNNEL_PORTS or a.startswith("vxlan_sys")
            out.append("%s%s%s" % ("".join(tags), tunnel if is_tunnel else "", a))
        else:
            out.append(a)
    return " ".join(sorted(out))


def flow_line(line):
    line = re.sub(r"ufid:[0-9a-f-]{36}", "ufid:U", line)   # the hash is each one's own
    line = re.sub(r"used:\d+\.\d{3}s", "used:T", line)
    line = re.sub(r", dp-extra-info:.*", "", line)         # of 3.1's own classifier
    line = re.sub(r",pcp=\d/0x0", "", line)                # not looked at; 3.1 tells what is not 0
    # -m: of what a flow does not look at 3.1 shows the first packet's, vxd zero.
    line = re.sub(r"(\w+)=[^,()/]+/(0|::|0\.0\.0\.0|00:00:00:00:00:00)(?=[,)])", r"\1=*/\2", line)
    line = re.sub(r",(tcp|udp|sctp|icmp|icmpv6|nd)\((\w+=\*/[0:]+,?)+\)(,tcp_flags\([^)]*\))?", "",
                  line)
    key, actions = line.split("actions:") if "actions:" in line else (line, "")
    return key + "actions: " + outputs(key, actions)


def flows(text):
    head = [x for x in text.splitlines() if x.startswith("flow-dump")]
    rest = [x for x in text.splitlines() if not x.startswith("flow-dump") and x]
    return "\n".join(head + sorted(flow_line(x) for x in rest))


# --- the configuration ------------------------------------------------------------------------------

def configure(d):
    for br in ("br1", "br2"):
        d.vsctl("add-br", br, "--", "set", "bridge", br, "datapath_type=netdev")
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
    both("dpif/show")                                                               # [36, 66]
    both("dpctl/show")                                                              # [37, 66]
    both("dpctl/show -s", statistics)
    both("dpctl/show -s netdev@ovs-netdev", statistics)
    both("dpif/dump-dps")
    both("dpctl/dump-dps")
    both("ofproto/list", in_any_order)
    both("ofproto/list-tunnels", in_any_order)                                      # [66]
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
    ("remote_ip=10.9.9.9", "dst_port=4791", "key=1"),
)


def test_tunnels():
    """Options as dpif/show and list-tunnels have them [36, 37, 66]."""
    for options in TUNNELS:
        for d in (V, O):
            d.vsctl("add-port", "br2", "t", "--", "set", "interface", "t", "type=vxlan",
                    *("options:" + o for o in options))
        both("ofproto/list-tunnels", in_any_order)
        both("dpif/show", lambda text: re.sub(r" t \d+/", " t N/", text))
        both("dpctl/show")
        for d in (V, O):
            d.vsctl("del-port", "t")
    both("dpctl/show")                                                              # [37]


def test_errors():
    """Texts and exit status of what goes wrong [62, 63, 65]."""
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
            "dpctl/show nodp ovs-netdev", "dpctl/show nodp netdev@ovs-netdev", "dpctl/dump-dps x",
            "dpctl/dump-flows nodp", "dpctl/dump-flows ovs-netdev", "dpctl/dump-flows type=foo",
            "dpctl/dump-flows a b c d e f g", "dpctl/dump-flows -z", "dpctl/get-flow",
            "dpctl/get-flow xx", "dpctl/get-flow netdev@ovs-netdev xx",
            "dpctl/get-flow ufid:00000000-0000-0000-0000-000000000001",
            "dpctl/get-flow nodp ufid:00000000-0000-0000-0000-000000000001",
            "ofproto/list-tunnels x", "no/such", "bridge/dump-flows nobr", "bridge/dump-flows",
            "upcall/show x", "upcall/set-flow-limit", "revalidator/wait x", "revalidator/purge x",
            "memory/show x", "tnl/neigh/set br1 x 02:00:00:00:00:02",
            "tnl/neigh/set br1 10.1.1.2 xx", "tnl/arp/set br1", "tnl/neigh/aging x",
            "tnl/neigh/aging 0", "ovs/route/lookup x", "ovs/route/lookup 1.1.1.1 pkt_mark=x",
            "ovs/route/lookup 1.1.1.1", "ovs/route/add x br1", "ovs/route/add 1.1.1.1/33 br1",
            "ovs/route/del x", "ovs/route/show x", "mdb/show nobr", "mdb/show br1", "stp/show br1",
            "rstp/show br1", "lacp/show h0", "bond/show h0", "bfd/show vx1", "cfm/show vx1",
            "qos/show nop", "bond/list x"):
        both(words)


def test_unused():
    """What is not configured in 3.1 is not there in vxd; the underlay is as 11.12 says."""
    for words in ("stp/show", "rstp/show", "lacp/show", "bond/list", "bond/show", "bfd/show",
                  "cfm/show", "qos/show h0", "qos/show vx1", "qos/show px1", "tnl/neigh/show",
                  "tnl/arp/show", "tnl/neigh/flush", "tnl/arp/flush"):
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


def test_fdb():
    """Static entries beside one another and beside learnt ones [58, 65]."""
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
    both("fdb/show br1")                                                            # [58]
    for d in (V, O):
        d.ports[0].send(eth("ff:ff:ff:ff:ff:ff", "02:00:00:00:00:77", 0x88B5, bytes(46)))
    for d in (V, O):
        until(lambda: "00:77" in d.text("fdb/show", "br1"))
    both("fdb/add br1 h1 0 02:00:00:00:00:77")    # overrides a learnt one
    both("fdb/show br1", ages)
    for mac in ("0 02:00:00:00:00:01", "0 02:00:00:00:00:05", "0 02:00:00:00:00:06",
                "4095 02:00:00:00:00:25", "0 02:00:00:00:00:77"):
        both("fdb/del br1 " + mac)
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
    (0, vlan(arp(ALL, "02:00:00:00:05:05"), 5)),                 # a VLAN without learning [56]
    (0, vlan(inner4(dmac=ALL, smac=A), 0)),                      # a priority tag
    (1, vlan(inner4(dmac=A, smac=B), 30)),                       # on an access port: dropped
    (0, eth("01:80:c2:00:00:00", A, 0x88CC, bytes(46))),         # [57]
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


def parse_all(text):
    """3.1's own parser takes every line [67]."""
    n = 0
    for line in text.splitlines():
        if line.startswith("flow-dump"):
            continue
        n += 1
        try:
            flow = ODPFlow(line)
        except Exception as e:   # whatever it says
            fail("ODPFlow: %s" % e, line)
            continue
        if flow.info.get("packets") is None or not flow.actions:
            fail("ODPFlow misses something", line)
    return n


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
    both("dpif/show")   # hits and misses are the same
    both("fdb/show br1", macs)
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


def rules(text):
    """Seconds since they were made."""
    return re.sub(r"duration=\d+s", "duration=N", text)


def upcalls(text):
    """3.1's limit follows the speed of its walks, vxd's is flow-limit; vxd's walks are as many as
    there is to do; a revalidator is a thread by its number."""
    text = re.sub(r"\(avg \d+\) \(max \d+\) \(limit \d+\)", "(avg N) (max N) (limit N)", text)
    return re.sub(r"duration : \d+ms", "duration : N", re.sub(r"^  \d+:", "  N:", text, flags=re.M))


def memory(text):
    """Cells and handlers are each one's own."""
    return re.sub(r"(idl-cells-Open_vSwitch|handlers):\d+", r"\1:N", text)


def test_rules():
    """Rules have counted what came to the bridge [82]."""
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


def main():
    for d in (V, O):
        configure(d)
    test_tables()
    test_errors()
    test_unused()
    test_routes()
    test_tunnels()
    test_fdb()
    test_flows()
    finish()


main()
