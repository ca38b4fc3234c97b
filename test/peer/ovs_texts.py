# SPDX-License-Identifier: Apache-2.0
"""What ovs-appctl gets from vxd (V) and from ovs-vswitchd 3.1 (O), and what is taken out of it before
it is compared, each with its reason."""
import os
import re

from lib import TMP, Tap, fail, run
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


V, O = Daemon("V", os.environ["V_CTL"]), Daemon("O", TMP + "/ovsO/ctl")


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


def lookups(text):
    """3.1's underlay went through its datapath, too."""
    return re.sub(r"hit:\d+ missed:\d+", "hit:N missed:N", text)


def hits(d):
    return [int(n) for n in re.search(r"hit:(\d+) missed:(\d+)", d.text("dpif/show")).groups()]


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


def received(text):
    """Of tunnels' flows alone.  The host's socket does not say whether the outer datagram had DF or a
    checksum: vxd does not look at them there (ovs.md 11.9)."""
    text = "\n".join(x for x in text.splitlines() if "tunnel(tun_id" in x.split("actions")[0])
    text = re.sub(r"flags\([-+]df[-+]csum\+key\)", "flags(+key)", text)
    return flows(text).replace(",tp_src=*/0,tp_dst=*/0", "")   # as other members of -m


def as_netdev(text):
    """A datapath of type system is the same thing by another name."""
    return text.replace("ovs-system", "ovs-netdev").replace("system@", "netdev@").replace(
        "(internal)", "(tap)")


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
