#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls of ofproto/trace, to vxd and to Open vSwitch 3.1 in turn; what they answer has to be equal.

usage: ovs_trace.py OURS.ctl THEIRS.ctl [later]

What is made equal before, and nothing else:
  actions  of more than one output: compared as the set of (port, frame as it leaves).  3.1 floods
           in the order in which ports came, vx by number, the local port last (ovs.md 11.16).
  flags    tun_flags of a mask: whether the outer datagram had DF or a checksum is not looked at
           (ovs.md 11.9).  Frames that do differ are no part of the table: a priority tag with PCP that
           leaves by a trunk in VLAN 0 (3.1 leaves the tag on, ovs.md 3.5 does not), and what came by
           a tunnel and reaches one with remote_ip=flow by a patch port (3.1 sends it to whatever
           remote the copy before went to); nor are datapath flows of tunnels without a ttl, which 3.1
           refuses and prints itself, fields that no packet of vx's has (metadata, registers, conntrack,
           MPLS, ::ffff:1.2.3.4, a tag without its CFI bit), and patch ports in a circle, where 3.1 sends what it had until it gave up.
  final    3.1 shows the flow again, "Final flow: FLOW", where a tunnel that it decided against, or
           one with egress_pkt_mark, has left its own fields changed: the same flow but for those.
  hidden   A bridge without rules that is reached by a patch port: 3.1 shows the rule of its table
           254 that drops, "reg0=0x2, priority 0", where it says "No match." elsewhere.
  numbers  of datapath ports become names: dummies are numbered by 3.1's own rule.
"""

import difflib
import json
import re
import socket
import sys


class Unixctl:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5)
        self.sock.connect(path)

    def call(self, *args):
        """("ok" or "error", text)"""
        self.sock.sendall(json.dumps({"id": 0, "method": args[0], "params": args[1:]}).encode())
        got = b""
        while True:
            got += self.sock.recv(1 << 20)
            try:
                reply = json.loads(got)
                break
            except json.JSONDecodeError:
                continue
        if reply.get("error") is not None:
            return "error", reply["error"]
        return "ok", reply["result"]


def split_actions(text):
    """At commas outside parentheses."""
    out, depth = [""], 0
    for c in text:
        depth += (c == "(") - (c == ")")
        if c == "," and not depth:
            out.append("")
        else:
            out[-1] += c
    return out


def leaves(actions):
    """Each output with what was done to the frame before it: the tag, the tunnel, the mark."""
    tags, tunnel, mark, out = "as it came", "", "0", []
    for a in split_actions(actions):
        if a == "pop_vlan":
            tags = "untagged"
        elif a.startswith("push_vlan("):
            tags = a
        elif a.startswith("set(tunnel("):
            tunnel = a
        elif a.startswith("set(skb_mark("):
            mark = a[len("set(skb_mark("):-2]
        elif a != "drop":
            is_tunnel = a.startswith("vxlan_sys_")
            out.append((a, tags, tunnel if is_tunnel else "", mark if is_tunnel else ""))
    return out


def settle_tags(outputs, flow):
    """A pop and a push of the tag that the frame came with leave it as it came."""
    m = re.search(r"dl_vlan=(\d+),dl_vlan_pcp=(\d+)", flow)
    own = "push_vlan(vid=%s,pcp=%s)" % m.groups() if m else "untagged"
    return sorted((p, "as it came" if tag == own else tag, tun, mark) for p, tag, tun, mark in outputs)


def bare(flow):
    """Without what a tunnel port changes."""
    return ",".join(w for w in flow.split(",") if not re.match("pkt_mark=|tun_|gtpu_", w))


def normalise(text, numbers):
    lines = text.split("\n")
    flow = next((l[len("Flow: "):] for l in lines if l.startswith("Flow: ")), "")
    for i, line in enumerate(lines):
        if line.startswith("Megaflow: "):
            lines[i] = re.sub(r"(tun_flags=)[-+]df[-+]csum", r"\1", line)
        elif line.startswith("Final flow: "):
            if bare(line[len("Final flow: "):]) == bare(flow):
                lines[i] = "Final flow: unchanged"
        elif line.strip() == "0. reg0=0x2, priority 0":
            lines[i] = line.replace("reg0=0x2, priority 0", "No match.")
        elif line.startswith("Datapath actions: "):
            acts = split_actions(line[len("Datapath actions: "):])
            acts = ",".join(numbers.get(a, a) for a in acts)
            outputs = leaves(acts)
            if len(outputs) > 1:
                acts = "\n" + "\n".join(map(str, settle_tags(outputs, flow)))
            lines[i] = "Datapath actions: " + acts
    return "\n".join(lines)


def numbers_of(ctl):
    """Datapath port numbers by floods with and without --names."""
    numbers = {}
    for br in "br1", "br2", "br3", "br4", "br5":
        for more in ",dl_vlan=10", ",dl_vlan=3", ",dl_vlan=30", "":
            flow = "in_port=any,dl_dst=ff:ff:ff:ff:ff:ff" + more
            acts = [re.search("^Datapath actions: (.*)$", ctl.call("ofproto/trace", br, flow, *names)[1],
                              re.M).group(1) for names in ((), ("--names",))]
            numbers.update(zip(*map(split_actions, acts)))
    return {n: name for n, name in numbers.items() if n.isdigit()}


def mac(n):
    return "02:00:00:00:00:%02x" % n


SRC, DST = "dl_src=" + mac(0x11), "dl_dst=" + mac(0x12)
BOTH = SRC + "," + DST
BCAST = "dl_dst=ff:ff:ff:ff:ff:ff"
ETH = "eth(src=%s,dst=%s)" % (mac(0x11), mac(0x12))
ARP = "ffffffffffff0200000000310806000108000604000102000000003" + "1c0a80a02000000000000c0a80a01"
UDP = "0200000000120200000000328100600a08004500001c000000004011000001020304050607080035003500080000"
TUN = "tunnel(tun_id=%s,src=%s,dst=10.1.1.1,ttl=64,flags(%s)),in_port(vxlan_sys_4789)"

# --- who is where ---------------------------------------------------------------------------------
LEARNING = [
    ["br1", "in_port=2," + BOTH],
    ["br1", "in_port=2," + BOTH],  # still nothing learnt (S69)
    ["br1", "in_port=2," + BOTH, "-generate"],
    ["br1", "in_port=2," + BOTH, "-generate"],
    ["br1", "in_port=1,dl_src=%s,dl_dst=%s" % (mac(0x12), mac(0x13)), "--generate"],
    ["br1", "in_port=6,tun_id=100,tun_src=10.1.1.2,tun_dst=10.1.1.1,dl_src=%s" % mac(0x21), "-generate"],
    ["-generate", "br1", "in_port=7,tun_id=9,tun_src=10.1.1.3,tun_dst=10.1.1.1,dl_src=%s" % mac(0x22)],
    ["br2", "in_port=2,dl_src=%s" % mac(0x23), "-generate"],
    ["br5", "in_port=2,tun_id=9,tun_src=10.1.1.3,tun_dst=10.1.1.1,dl_src=%s" % mac(0x24), "-generate"],
    ["br2", "in_port=3,dl_src=%s" % mac(0x25), "-generate"],
    ["br2", "in_port=4,dl_src=%s" % mac(0x26), "-generate"],
    ["br2", "in_port=5,dl_src=%s" % mac(0x27), "-generate"],
    ["br1", "in_port=LOCAL,dl_src=%s" % mac(0x28), "-generate"],
    ["br1", "in_port=5,dl_src=%s,dl_vlan=20" % mac(0x29), "-generate"],
    ["br1", "in_port=4,dl_src=%s" % mac(0x2a), "-generate"],
    ["br1", "in_port=9,dl_src=%s" % mac(0x2b), "-generate"],
    ["br1", "in_port=2,dl_src=01:00:5e:00:00:01", "-generate"],  # a group's address is nobody's
    ["br1", "ip,dl_src=%s" % mac(0x2c), "-generate"],  # in by no port
    ["br4", "in_port=2,dl_src=%s" % mac(0x2d), "-generate"],
    ["br4", "in_port=3,dl_vlan=7,dl_src=%s" % mac(0x2e), "-generate"],  # flood_vlans
    ["br1", "in_port=2", ARP],
    ["br1", "in_port=2", ARP],
    ["br1", "in_port=5,dl_src=%s" % mac(0x99), UDP],  # what the packet says counts
    ["in_port(t0)", ARP.replace("31", "33")],
    ["br1", "in_port=3,dl_vlan=10,dl_src=" + mac(0x12), "-generate"],  # moved
]


# --- forwarding -----------------------------------------------------------------------------------
def to(n, br, in_port, more=""):
    return [br, "in_port=%s,%s,dl_dst=%s%s" % (in_port, SRC, mac(n), more)]


FORWARDING = [
    to(0x11, "br1", 2),  # where it came from
    to(0x11, "br1", "LOCAL"),
    to(0x12, "br1", 1),
    to(0x12, "br1", 2),  # another VLAN
    to(0x12, "br1", 2, ",dl_vlan=10"),
    to(0x12, "br1", 2, ",dl_vlan=10,dl_vlan_pcp=5"),
    to(0x12, "br1", 4, ",dl_vlan=10"),
    to(0x12, "br1", 5),
    to(0x2a, "br1", 1),
    to(0x2a, "br1", 2, ",dl_vlan=10,dl_vlan_pcp=3"),
    to(0x29, "br1", 3, ",dl_vlan=20,dl_vlan_pcp=2"),
    to(0x32, "br1", 2, ",dl_vlan=10"),
    to(0x28, "br1", 2, ",tcp,tcp_dst=80"),
    to(0x28, "br1", 2, ",dl_vlan=0,dl_vlan_pcp=0"),
    to(0x11, "br1", 2, ",dl_vlan=0,dl_vlan_pcp=5"),
    to(0x21, "br1", 2),
    to(0x21, "br1", 2, ",ip,nw_tos=0xb8,nw_ecn=3,nw_ttl=9"),
    to(0x21, "br1", 2, ",ipv6,nw_tos=4,nw_ecn=1"),
    to(0x22, "br1", 2, ",icmp,icmp_type=8"),
    to(0x22, "br1", 2, ",tun_id=77"),
    to(0x22, "br1", 6, ",tun_id=100,tun_src=10.1.1.2,tun_dst=10.1.1.1,udp,nw_ecn=2"),
    to(0x22, "br1", 6, ",tun_id=100,tun_src=10.1.1.2,tun_dst=10.1.1.3"),  # its own address
    to(0x23, "br1", 2),
    to(0x23, "br2", 2),
    to(0x24, "br5", 1),  # remote_ip=flow
    ["br5", "in_port=1," + BOTH],
    to(0x25, "br1", 2),  # by the patch port
    to(0x25, "br2", 2, ",tcp,nw_tos=0x88,nw_ecn=3,nw_ttl=7"),
    to(0x25, "br2", 2, ",tcp6,nw_tos=0x88,nw_ecn=2,nw_ttl=7"),
    to(0x25, "br2", 2, ",arp"),
    to(0x26, "br2", 2),
    to(0x26, "br2", 2, ",ip,nw_ecn=1"),
    to(0x27, "br2", 2),  # a patch port without a peer
    to(0x2b, "br1", 10),  # from one protected port to another
    to(0x2b, "br1", 2, ",dl_vlan=30"),
    ["br1", "in_port=10," + BCAST],
    to(0x2d, "br3", 1, ",dl_vlan=3"),
    to(0x2e, "br4", "LOCAL", ",dl_vlan=7"),
    ["br3", "in_port=1," + BOTH],
    ["br4", "in_port=2," + BOTH],
    ["br4", "in_port=1," + BOTH],
    ["br2", "in_port=2,%s,tcp,nw_tos=0x88,nw_ecn=3,nw_ttl=9" % BOTH],
    ["br2", "in_port=1," + BOTH],
    ["br1", "in_port=1,%s,ip" % BOTH],
    ["br1", "in_port=4," + BOTH],
    ["br1", "in_port=5,%s,ip" % BOTH],
    ["br1", "in_port=3,dl_vlan=20,dl_vlan_pcp=7," + BOTH],
    ["br1", "in_port=8,dl_vlan=20," + BOTH],
    ["br1", "in_port=2,dl_dst=01:00:5e:00:00:05,ip,nw_dst=224.0.0.5"],
    ["br1", "in_port=2,dl_dst=02:00:00:00:ff:10"],  # the bridge's own address
    ["br1", "in_port=2,dl_dst=01:80:c2:00:00:00"],
    ["br1", "in_port=2,dl_dst=01:80:c2:00:00:0e,dl_type=0x88cc"],
    ["br1", "in_port=2,dl_dst=01:80:c2:00:00:10"],
    ["br1", "in_port=1,dl_vlan=5"],
    ["br1", "in_port=1,dl_vlan=10"],
    ["br1", "in_port=1,dl_vlan=0,dl_vlan_pcp=5," + BOTH],
    ["br1", "in_port=3,dl_vlan=30"],
    ["br1", "in_port=3"],
    ["br1", "in_port=4,dl_vlan=0,dl_vlan_pcp=6,%s" % BOTH],
    ["br1", "in_port=99"],
    ["br1", "in_port=NORMAL"],
    ["br1", "in_port=controller," + BOTH],
    ["br1", "in_port=2,arp,arp_op=1,arp_spa=1.2.3.4,arp_tpa=1.2.3.5,%s" % BCAST],
    ["br1", "in_port=2,arp,arp_op=2,arp_spa=1.2.3.4,arp_tpa=1.2.3.4,%s" % BCAST],
    ["br1", "in_port=2,arp,arp_op=1,arp_sha=%s,arp_tha=%s" % (mac(1), mac(2))],
]

# --- text -----------------------------------------------------------------------------------------
OWN = "in_port=2,dl_dst=" + mac(0x28) + ","
FLOWS = [OWN + more for more in (
    "", "dl_type=0x88cc", "dl_type=0x05ff", "ip", "ip,nw_src=10.0.0.1,nw_dst=10.0.0.2/32",
    "icmp,icmp_type=8,icmp_code=1", "tcp,tcp_src=1,tcp_dst=0xffff,tcp_flags=0x12",
    "tcp,tp_src=80,tp_dst=81,tcp_flags=syn|ack|[200]", "tcp,tcp_flags=0", "udp,udp_src=5,udp_dst=6",
    "sctp,sctp_src=5,sctp_dst=6", "ip,nw_proto=47", "ip,nw_proto=2", "ip,nw_proto=17,udp_src=9",
    "dl_type=0x0800,nw_proto=6,tcp_dst=5", "eth_type=0x86dd,ip_proto=58", "ipv6", "ip6",
    "ipv6,ipv6_src=fe80::1,ipv6_dst=ff02::1/128,ipv6_label=0x12345", "tcp6,tcp_src=5", "udp6,udp_dst=5",
    "sctp6,sctp_dst=5", "icmp6,icmpv6_type=128,icmpv6_code=1",
    "icmp6,icmpv6_type=135,nd_target=fe80::1,nd_sll=" + mac(1),
    "icmp6,icmpv6_type=136,nd_target=fe80::1,nd_tll=" + mac(1), "icmp6,icmpv6_type=135,icmpv6_code=1", "arp",
    "arp,arp_op=300", "rarp,arp_op=3", "ip,nw_tos=0xb9,nw_ecn=2,nw_ttl=255", "ip,ip_dscp=46,ip_ecn=1",
    "ip,nw_ecn=4", "ip,nw_ttl=010", "ip,nw_ttl=0,nw_ttl=7", "ip,nw_ttl=7/0xff", "ip,nw_frag=no",
    "ip,nw_frag=first", "tcp,ip_frag=later", "udp,nw_frag=first", "pkt_mark=0x5", "skb_priority=6",
    "pkt_mark=1,skb_priority=2,tcp", "tun_id=0x64", "tunnel_id=0xffffffffffffffff",
    "tun_src=1.2.3.4,tun_dst=4.3.2.1,tun_id=7,tun_tos=9,tun_ttl=3,tun_gbp_id=85,tun_gbp_flags=8",
    "tun_ttl=5,tun_tos=4", "tun_ipv6_src=fd00::1,tun_ipv6_dst=fd00::2,tun_id=5", "tun_ipv6_dst=fd00::2",
    "tun_dst=1.2.3.4,tun_flags=0", "dl_vlan=0xffff", "vlan_tci=0x1000", "dl_vlan=0,dl_type=0x1234",
    "eth_src=1:2:3:4:5:6", "dl_src=02:00:00:00:00:aa/ff:ff:ff:ff:ff:ff")]
FLOWS += ["in_port=2,dl_dst=%s,%s" % (mac(0x11), more)
          for more in ("dl_vlan_pcp=3", "vlan_vid=0x1000,vlan_pcp=4", "vlan_tci=0xb000")]
FLOWS += [
    "in_port=t0", 'in_port="t0"', "in_port=02", "in_port=0", "in_port:2", "in_port=2  ip\nnw_src=1.2.3.4",
    "in_port=2,,ip,", "in_port=any", "in_port=LOCAL", "in_port=65535", "in_port=unset", "in_port(2),ip",
    "in_port=2,dl_vlan=5", "in_port=2,vlan_tci=0xb005", "in_port=2,vlan_vid=0x1005,vlan_pcp=3",
    "in_port=2,dl_vlan=5000", "in_port=2,dl_vlan=5,dl_vlan_pcp=9", "in_port=2,dl_vlan_pcp=2,dl_vlan=7",
    "in_port=2,vlan_tci=0x1fff,udp",
]

BAD = [
    "foo", "foo=1", "in_port=2,foo=1", "=5", "in_port", "in_port=", "in_port=nosuch", "in_port=65536",
    "in_port=0x2", "in_port=-1", "in_port 1", "in_port=(1)", "in_port=2,in_port=2", "in_port=2,nw_src=1.2.3.4",
    "nw_src=1.2.3.4,ip", "tp_src=5", "udp,tp_src=5", "icmp6,icmp_type=3", "icmp,icmpv6_type=3",
    "arp,nw_src=1.2.3.4", "arp,nw_ttl=4", "ip,ipv6_src=::1", "ipv6,nw_src=1.2.3.4", "icmp6,nd_target=::1",
    "icmp6,icmpv6_type=135,nd_tll=" + mac(1), "icmp6,icmpv6_type=136,nd_sll=" + mac(1), "vlan_pcp=1",
    "tcp,nw_frag=later,tcp_src=5", "ip,tcp", "tcp,eth_type=0x800", "tcp,tcp_src=5,tp_src=6", "dl_vlan=5,dl_vlan=6",
    "dl_vlan=5,vlan_tci=0x1006", "dl_vlan=0,vlan_vid=0x1005", "dl_src=xx", "dl_src=",
    "dl_src=02:00:00:00:00:01:02", "dl_dst=1:2:3:4:5", "dl_src=02:00:00:00:00:01/ff:ff:ff:00:00:00",
    "ip,nw_src=1.2.3", "ip,nw_src=1.2.3.4.5", "ip,nw_src=", "ip,nw_src=::1", "ip,nw_src=10.0.0.0/8",
    "ip,nw_src=1.2.3.4/33", "ip,nw_src=1.2.3.4/x", "ip,nw_src=1.2.3.4/255.255.0.0", "ipv6,ipv6_src=zz",
    "ipv6,ipv6_src=fe80::/10", "ipv6,ipv6_src=::1/129", "tun_src=fd00::1", "tun_id=x", "tun_id=1/2",
    "tun_flags=df", "tun_flags=+key", "tun_flags=2", "tun_tp_src=5", "tcp,tp_src=70000", "tcp,tp_src=x",
    "tcp,tcp_src=5x", "ip,nw_ttl=300", "ip,nw_ttl=-1", "ip,nw_ttl=-x", "ip,nw_ttl=", "ip,nw_ttl=5/300",
    "ip,nw_ttl=5/", "ip,nw_ttl=5/254", "ip,nw_ttl=5/0", "dl_vlan=1/2", "dl_type=1/2", "pkt_mark=1/2",
    "skb_priority=1/2", "tun_gbp_flags=1/2", "ip,ip_dscp=1/2", "tcp,tp_dst=1/2", "icmp,icmp_type=1/2",
    "ipv6,ipv6_label=1/2", "ip,nw_ecn=1/2", "dl_vlan_pcp=1/2", "tun_ttl=1/2", "ip,nw_ttl=99999999999999999999",
    "ip,ip_proto=300", "ip,ip_ecn=x", "ip,ip_dscp=x", "ip,nw_tos=256", "dl_type=x", "dl_type=65536",
    "dl_vlan=65536", "vlan_tci=x", "vlan_vid=5/0xfff", "arp,arp_op=70000", "arp,arp_sha=x",
    "skb_priority=0x1ffffffff", "tcp,tcp_flags=4096", "tcp,tcp_flags=foo", "tcp,tcp_flags=syn|foo",
    "tcp,tcp_flags=+foo", "tcp,tcp_flags=+syn-ack", "tcp,tcp_flags=0x12/0xfff", "ip,nw_frag=yes",
    "ip,nw_frag=not_later", "ip,nw_frag=3", "ip,nw_frag=", "IN_PORT=2", "priority=5", "actions=drop", "icmpv6",
    "skb_mark=5",
]

CALLS = [["br1", flow] for flow in FLOWS + BAD] + [
    # Datapath flows.
    ["in_port(t0)"],
    ["in_port(t0)," + ETH],
    ["in_port(t0) %s  eth_type(0x0806)" % ETH],
    ["recirc_id(0),in_port(t0),packet_type(ns=0,id=0),%s,eth_type(0x8100),vlan(vid=20,pcp=3),"
     "encap(eth_type(0x1234))" % ETH],
    ["in_port(t0),%s,eth_type(0x88a8),vlan(vid=1,pcp=2),encap(eth_type(0x8100),vlan(vid=2,pcp=3),"
     "encap(eth_type(0x0800),ipv4(frag=no)))" % ETH],
    ["in_port(t0),%s,eth_type(0x0800),ipv4(src=1.2.3.4,dst=1.2.3.5,proto=6,tos=0,ttl=64,frag=no),"
     "tcp(src=5,dst=6),tcp_flags(syn)" % ETH],
    ["in_port(t0),%s,eth_type(0x86dd),ipv6(src=fe80::1,dst=fe80::2,label=0x5,proto=58,tclass=0x8,"
     "hlimit=255,frag=no),icmpv6(type=135,code=0),nd(target=fe80::2,sll=%s)" % (ETH, mac(0x11))],
    ["skb_priority(0x6),skb_mark(0x5),in_port(t0),%s,eth_type(0x0806),arp(sip=1.2.3.4,tip=1.2.3.5,op=1)" % ETH],
    [TUN % ("0x64", "10.1.1.2", "key") + ",%s,eth_type(0x0800),ipv4(frag=no)" % ETH],
    [TUN % ("0x64", "10.1.1.2", "df|csum|key") + ",%s,eth_type(0x0800),ipv4(tos=3,frag=no)" % ETH],
    [TUN % ("0x65", "10.1.1.3", "key") + "," + ETH],
    [TUN % ("0x65", "10.1.1.7", "key") + "," + ETH],
    [TUN % ("0x65", "10.1.1.2", "key") + "," + ETH, "-generate"],
    ["tunnel(tun_id=0x6,ipv6_src=fd00::9,ipv6_dst=fd00::1,ttl=9,flags(key)),in_port(vxlan_sys_4790)," + ETH],
    ["tunnel(tun_id=0x0,ipv6_src=fd00::9,ipv6_dst=fd00::1,ttl=9,flags(key)),in_port(vxlan_sys_4790)," + ETH],
    ["tunnel(tun_id=0x64,src=10.1.1.2,dst=10.1.1.1,ttl=64,flags(key)),in_port(vxlan_sys_4790)," + ETH],
    ["in_port(vxlan_sys_4789)," + ETH],
    ["in_port(7777)," + ETH],
    [ETH],
    ["in_port(nosuch)," + ETH],
    ["in_port(t0),eth_type(0x1234"],
    ["in_port(t0),foo(1),eth_type(0x1234)"],
    ["in_port(t0),eth_type(0x8100),vlan(vid=1),encap(eth_type(0x0800),ipv4(foo=1))"],
    ["in_port(t0),eth_type(0x8100),vlan(vid=1),encap(eth_type(0x0800)"],
    ["in_port(t0),eth(src=02:00:00:00:00:11,dst=02:00:00:00:00:zz)"],
    ["in_port(t0)%seth_type(0x1234)" % ETH],
    ["in_port(t0),,eth_type(0x1234)x"],
    ["br1"],
    [""],
    ["foo", "in_port(t0)"],
    ["br1", "in_port(t0)," + ETH],
    ["br1", ""],
    ["br1", "in_port(1),eth("],
    ["nobr", "in_port=1"],
    ["nobr", "foo"],
    ["DP1", "in_port(t0)," + ETH],
    ["DP1", "in_port(t0)", ARP],
    ["DP1", "in_port(nosuch)," + ETH],
    ["DP1", "foo"],
    ["DP2", "in_port(1)," + ETH],
    # Packets and options.
    ["br1", "in_port=2,%s" % BOTH, "--names"],
    ["--names", "br1", "in_port=LOCAL,dl_dst=" + mac(0x11)],
    ["br1", "--names", "in_port=77"],
    ["in_port(t0)," + ETH, "--names"],
    ["br1", "in_port=2", ARP[:28]],
    ["br1", "in_port=2", "0x" + ARP],
    ["br1", "in_port=2", ARP + "0"],
    ["br1", "in_port=2", "ffff"],
    ["br1", "in_port=2", "zz"],
    ["br1", "in_port=2", " ".join(ARP[i:i + 2] for i in range(0, len(ARP), 2))],
    ["br1", "in_port=2,pkt_mark=8,skb_priority=3,tun_id=7,tcp,tcp_src=8", ARP],
    ["br1", ARP],
    ["br1", "ffff"],
    ["nobr", "in_port=1", ARP],
    ["foo", "in_port(t0)", ARP],
    ["br1", "foo", ARP],
    ["br1", "in_port=2", "-generate", ARP],
    ["-generate"],
    [],
    ["br1", "in_port=2", "-foo"],
    ["br1", "in_port=2", "--no-names"],
    ["br1", "in_port=2", "--ct-next"],
    ["br1", "in_port=2", "--ct-next", "trk,new"],
    ["br1", "in_port=2", "--ct-next", "foo"],
    ["br1", "in_port=2", "--l7-len", "100"],
    ["br1", "in_port=2,udp,dl_src=%s" % mac(0x34), "--l7", "ab cd", "-generate"],
    ["br1", "in_port=2,udp", "--l7", "abc", "-generate"],
    ["br1", "in_port=2", "a", "b"],
    ["br1", "in_port=2", "a", "b", "c"],
]

# After forward-bpdu=true on br4, fail_mode=secure on br3, and a bridge n1 in another datapath.
LATER = [
    ["br4", "in_port=2,dl_dst=01:80:c2:00:00:00"],
    ["br3", "in_port=1," + BOTH],
    ["br3", "in_port=99," + BOTH],
    ["br3", "in_port=1," + BOTH, "-generate"],
    ["in_port(c1)," + ETH],
    ["in_port(1)," + ETH],
    ["DP1", "in_port(c1)," + ETH],
    ["DP2", "in_port(n1)," + ETH],
    ["DP2", "in_port(c1)," + ETH],
    ["DP2", "in_port(7777)," + ETH],
    ["n1", "in_port=LOCAL," + ETH],
    ["n1", "in_port=LOCAL," + BOTH],
]

# DP1 and DP2 in a call.
DATAPATHS = [("ovs-netdev", "ovs-system"), ("ovs-dummy", "ovs-netdev")]


def main():
    ours, theirs = Unixctl(sys.argv[1]), Unixctl(sys.argv[2])
    # 3.1's "bridge" and "dp" come by the same names.
    numbers = [numbers_of(ours), numbers_of(theirs)]
    table = LATER if sys.argv[3:] else LEARNING + FORWARDING + CALLS
    failed = 0
    for call in table:
        got = []
        for ctl, names, datapaths in zip((ours, theirs), numbers, DATAPATHS):
            args = [datapaths[int(a[2]) - 1] if re.fullmatch("DP[12]", a) else a for a in call]
            kind, text = ctl.call("ofproto/trace", *args)
            if args != call:
                text = text.replace(args[0], call[0])
            if kind == "ok":
                text = normalise(text, names)
            else:
                text = re.sub(r"(?<=datapath port )\d+", lambda m: names.get(m.group(), m.group()), text)
            got.append(kind + "\n" + text)
        if got[0] == got[1]:
            continue
        failed += 1
        print("FAIL: ofproto/trace", " ".join(map(repr, call)))
        print("\n".join(difflib.unified_diff(got[1].split("\n"), got[0].split("\n"), "3.1", "vx", "", "", 1, "")))
    print("%d calls of ofproto/trace, %d differ" % (len(table), failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
