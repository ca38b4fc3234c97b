# SPDX-License-Identifier: Apache-2.0
"""Frames that leave: the outer headers of vx and of the kernel field by field (identification and
source port by property), copies, counters, vx's drop reason.  Called by tx_test.sh.

Differences that are meant (vxlan.md section 12): srcport MIN MAX includes MAX in vx.
Not tested here: 92 (a TAP does not carry the host's packet mark); 94-96 (pmtu.py); 91 with the port of
another socket, which vx reaches through the underlay.
A consequence of the host underlay: with DF set an unconnected UDP socket's identification is 0, where
the driver counts on; RFC 6864 lets both."""
from lib import *

BOTH = sides()
VXS, KERNEL = BOTH
MARKER_MAC = "02:00:00:00:ff:01"   # its FDB entry leads to .4, always
UNKNOWN = "02:00:00:00:ee:ee"
seq = 0


def transmit(side, frames, dev):
    """Sends; (outer packets, how the counters moved), without the marker's part."""
    global seq
    seq += 1
    end = inner4(b"marker %025d" % seq, dmac=MARKER_MAC)
    before = side.counters(dev)
    side.wire.read()
    for f in frames + [end]:
        side.tap.send(f)
    got = []

    def ended():
        got.extend(filter(None, (dissect(f) for _, f in side.wire.read(0.2))))
        return any(d.get("inner") == end for d in got)

    if not until(ended):
        fail("%s: the frame after it did not leave" % side.name)
    got = [d for d in got if d.get("inner") != end]
    moved = minus(side.counters(dev), before)
    for k, v in (("tx packets", 1), ("tx bytes", 60)):
        moved[k] = moved.get(k, 0) - v
    return got, {k: v for k, v in moved.items() if v}


def sent(n=60, copies=1):
    return {"tx packets": copies, "tx bytes": n * copies}


BY_PROPERTY = ("ident", "sport")


def expect(what, frames, packets, counters=None, reason=None, dev="vxlan1", inner=True):
    """packets: a list of dicts, fields that each outer packet must have."""
    if isinstance(frames, bytes):
        frames = [frames]
    old, res = drops(), {}
    if counters is None:
        counters = sent(len(frames[0]) - 14, len(packets))
    for side in BOTH:
        got, moved = transmit(side, frames, dev)
        res[side.name] = got
        if moved != counters:
            fail("%s: %s: counters" % (what, side.name),
                 "moved  %s\nwanted %s" % (moved, counters))
        if len(got) != len(packets):
            fail("%s: %s: %d packets left, not %d" % (what, side.name, len(got), len(packets)))
        for d, want in zip(got, packets):
            bad = {k: d.get(k) for k in want if d.get(k) != want[k]}
            if bad:
                fail("%s: %s" % (what, side.name), "got    %s\nwanted %s" % (bad, want))
            if inner and not d["frag"] and d["inner"] not in frames:
                fail("%s: %s: another frame inside" % (what, side.name), d["inner"].hex())
    strip = [[{k: v for k, v in d.items() if k not in BY_PROPERTY} for d in res[n]] for n in res]
    if strip[0] != strip[1]:
        fail(what + ": not the same as the kernel's", "vx     %s\nkernel %s" % tuple(strip))
    new = minus(drops(), old)
    if new != ({reason: 1} if reason else {}):
        fail(what + ": reason", "dropped %s, wanted %s" % (new, reason))
    return res


# --- set-up ------------------------------------------------------------------------------------------

V4 = ["id", "100", "dstport", "4789", "local", VTEP]
V6 = ["id", "100", "dstport", "4789", "local", VTEP6]


def device(*options, raw=None, six=False):
    for s in BOTH:
        s.make(*options, raw=raw)
        ok(s, s.fdb("add", MARKER_MAC, "dev", "vxlan1", "dst", "fd00::4" if six else "10.0.0.4"))


def ok(side, result):
    if result[0]:
        fail("%s: set-up" % side.name, result[2])


def both(kind, *words):
    for s in BOTH:
        ok(s, getattr(s, kind)(*words))


def without():
    for s in BOTH:
        s.remove()


def host(*words):
    """ip in both namespaces; then vxd has to hear of it."""
    both("ip", *words)
    time.sleep(0.05)


frame = inner4(dmac=UNKNOWN)
HEAD4 = dict(family=4, dmac=PEER_MAC, src=VTEP, dst=PEER, ihl=5, head="good", tos=0, ttl=64, df=0,
             frag=0, dport=4789, ulen=0, sum="good", word0="08000000", vni=100, low=0, pad=0)
HEAD6 = dict(family=6, dmac=PEER_MAC, src=VTEP6, dst=PEER6, tos=0, ttl=64, label=0, dport=4789, ulen=0,
             sum="good", word0="08000000", vni=100, low=0, pad=0)


# --- cases -------------------------------------------------------------------------------------------

def targets():
    device(*V4)
    expect("74 no entry, no default", frame, [], {"tx dropped": 1}, "no_target")
    expect("74 broadcast, no default", arp(), [], {"tx dropped": 1}, "no_target")
    without()
    device(*V4, "remote", PEER)
    expect("87 plain", frame, [HEAD4])
    expect("destination MAC 0", inner4(dmac="00:00:00:00:00:00"), [HEAD4])
    expect("ARP", arp(), [HEAD4])
    both("fdb", "append", "00:00:00:00:00:00", "dev", "vxlan1", "dst", "10.0.0.3")
    both("fdb", "append", "00:00:00:00:00:00", "dev", "vxlan1", "dst", "10.0.0.4")
    order = [dict(HEAD4, dst="10.0.0.%d" % i, dmac="02:00:00:00:bb:0%d" % i) for i in (3, 4, 2)]
    expect("75 order", frame, order, sent(60, 3))
    expect("75 order of an ARP", arp(), order, sent(28, 3))
    both("fdb", "add", "ff:ff:ff:ff:ff:ff", "dev", "vxlan1", "dst", "10.0.0.3")
    expect("76 own entry for broadcast", arp(), order[:1])
    m = "01:00:5e:01:02:03"
    both("fdb", "add", m, "dev", "vxlan1", "dst", "10.0.0.4")
    expect("76 own entry for a group", inner4(dmac=m), order[1:2])
    for i, (words, want) in enumerate((
            (["vni", "55", "port", "5000"], dict(vni=55, dport=5000)),
            (["vni", "0"], dict(vni=0)),
            (["port", "8472"], dict(dport=8472)),
            (["via", "eth0"], {}))):
        m = "02:00:00:00:07:%02d" % i
        both("fdb", "add", m, "dev", "vxlan1", "dst", PEER, *words)
        expect("77 entry with %s" % words, inner4(dmac=m), [dict(HEAD4, **want)])
    both("fdb", "add", "02:00:00:00:08:01", "dev", "vxlan1", "dst", "0.0.0.0")
    expect("88 remote 0.0.0.0", inner4(dmac="02:00:00:00:08:01"), [], {"tx dropped": 1}, "dst_any")
    without()


def sizes():
    device(*V4, "remote", PEER)
    for n in (15, 20, 33):
        f = frame[:n]
        expect("IPv4 frame of %d bytes" % n, f, [], {"tx dropped": 1}, "pkt_too_small")
    expect("IPv4 frame of 34 bytes", frame[:34], [HEAD4])
    expect("IPv6 frame of 53 bytes", inner6(dmac=UNKNOWN)[:53], [], {"tx dropped": 1},
           "pkt_too_small")
    f = eth(UNKNOWN, HOST_MAC, 0x1234, b"z" * 30)
    expect("unknown EtherType", f, [HEAD4])
    # 3.8: sent, but counted as dropped
    expect("bare Ethernet", eth(UNKNOWN, HOST_MAC, 0x1234), [HEAD4], {"tx dropped": 1})
    f = vlan(inner4(dmac=UNKNOWN))
    expect("87 VLAN tag not in tx_bytes", f, [HEAD4], sent(60))
    without()


def ttls(ip_version):
    six = ip_version == 6
    base, head, peer = (V6, HEAD6, PEER6) if six else (V4, HEAD4, PEER)
    base = base + ["remote", peer]
    device(*base, six=six)
    expect("78 v%d auto" % ip_version, frame, [dict(head, ttl=64)])
    for s in BOTH:
        s.sysctl("net.ipv6.conf.eth0.hop_limit=77" if six else "net.ipv4.ip_default_ttl=77")
    time.sleep(0.05)
    expect("78 v%d default 77" % ip_version, frame, [dict(head, ttl=77)])
    for s in BOTH:
        s.sysctl("net.ipv6.conf.eth0.hop_limit=64" if six else "net.ipv4.ip_default_ttl=64")
    host("route", "add", peer, "dev", "eth0", "hoplimit", "33")
    expect("78 v%d metric 33" % ip_version, frame, [dict(head, ttl=33)])
    host("route", "del", peer, "dev", "eth0", "hoplimit", "33")
    both("link", "set", "vxlan1", "type", "vxlan", "ttl", "7")
    expect("78 v%d ttl 7" % ip_version, frame, [dict(head, ttl=7)])
    both("link", "set", "vxlan1", "type", "vxlan", "ttl", "255")
    expect("78 v%d ttl 255" % ip_version, frame, [dict(head, ttl=255)])
    without()
    device(*base, "ttl", "inherit", six=six)
    expect("79 v%d inherit of IPv4" % ip_version, inner4(dmac=UNKNOWN, ttl=33), [dict(head, ttl=33)])
    expect("79 v%d inherit of IPv6" % ip_version, inner6(dmac=UNKNOWN, hop=44), [dict(head, ttl=44)])
    expect("79 v%d inherit of ARP" % ip_version, arp(), [dict(head, ttl=64)])
    expect("79 v%d inherit of VLAN" % ip_version, vlan(inner4(dmac=UNKNOWN, ttl=33)),
           [dict(head, ttl=33)], sent(60))
    without()


def toses(ip_version):
    six = ip_version == 6
    base, head, peer = (V6, HEAD6, PEER6) if six else (V4, HEAD4, PEER)
    base = base + ["remote", peer]
    v = "v%d " % ip_version
    device(*base, "tos", "0x13", six=six)
    for t, o in ((0, 0x10), (0x4B, 0x12), (0x49, 0x11), (0x4A, 0x12)):
        expect(v + "80 fixed, inner 0x%x" % t, inner4(dmac=UNKNOWN, tos=t), [dict(head, tos=o)])
        expect(v + "80 fixed, inner v6 0x%x" % t, inner6(dmac=UNKNOWN, tclass=t), [dict(head, tos=o)])
    expect(v + "80 fixed, ARP", arp(), [dict(head, tos=0x10)])
    without()
    device(*base, "tos", "inherit", six=six)
    for t, o in ((0, 0), (0x4B, 0x4A), (0x49, 0x49), (0xB8, 0xB8), (0xFF, 0xFE), (0x03, 0x02)):
        expect(v + "81 inherit 0x%x" % t, inner4(dmac=UNKNOWN, tos=t), [dict(head, tos=o)])
        expect(v + "81 inherit v6 0x%x" % t, inner6(dmac=UNKNOWN, tclass=t), [dict(head, tos=o)])
    expect(v + "81 inherit, ARP", arp(), [head])
    expect(v + "81 inherit through VLAN", vlan(inner4(dmac=UNKNOWN, tos=0x48)),
           [dict(head, tos=0x48)], sent(60))
    without()
    device(*base, six=six)
    for t, o in ((0x4B, 2), (0x49, 1), (0x4A, 2), (0x48, 0)):
        expect(v + "ECN alone, inner 0x%x" % t, inner4(dmac=UNKNOWN, tos=t), [dict(head, tos=o)])
    without()


def dfs():
    cases = (("IPv4", inner4(dmac=UNKNOWN), 0), ("IPv4 DF", inner4(dmac=UNKNOWN, frag=0x4000), 1),
             ("IPv6", inner6(dmac=UNKNOWN), 1), ("ARP", arp(), 0),
             ("VLAN IPv4 DF", vlan(inner4(dmac=UNKNOWN, frag=0x4000)), 0))
    for word in ("unset", "set", "inherit"):
        device(*V4, "remote", PEER, "df", word)
        for name, f, inherited in cases:
            df = {"unset": 0, "set": 1, "inherit": inherited}[word]
            n = len(f) - 14 - 4 * name.startswith("VLAN")
            res = expect("82 df %s, %s" % (word, name), f, [dict(HEAD4, df=df)], sent(n))
            if not all(d["ident"] for d in res["kernel"]):
                fail("82 df %s: the kernel's identification is 0" % word)
            if not df and not all(d["ident"] for d in res["vx"]):
                fail("82 df %s: vx's identification is 0" % word)
        without()


def labels():
    device(*V6, "remote", PEER6, "flowlabel", "0xabcde", six=True)
    expect("83 label", frame, [dict(HEAD6, label=0xABCDE)])
    expect("83 label, inner label", inner6(dmac=UNKNOWN, label=0x12345), [dict(HEAD6, label=0xABCDE)])
    both("link", "set", "vxlan1", "type", "vxlan", "flowlabel", "0")
    expect("83 no label", inner6(dmac=UNKNOWN, label=0x12345), [HEAD6])
    without()


def sums():
    device(*V4, "remote", PEER, "noudpcsum")
    expect("84 noudpcsum", frame, [dict(HEAD4, sum="zero")])
    without()
    device(*V6, "remote", PEER6, "udp6zerocsumtx", six=True)
    expect("84 udp6zerocsumtx", frame, [dict(HEAD6, sum="zero")])
    without()
    device(*V6, "remote", PEER6, "noudpcsum", six=True)
    expect("84 noudpcsum says nothing of IPv6", frame, [HEAD6])
    without()


def flows(n, **more):
    return [inner4(dmac=UNKNOWN, sport=1000 + i, **more) for i in range(n)]


def ports_of(side, frames):
    got, _ = transmit(side, frames, "vxlan1")
    by = {d["inner"]: d["sport"] for d in got}
    if len(got) != len(frames):
        fail("%s: %d of %d frames left" % (side.name, len(got), len(frames)))
    return [by.get(f, -1) for f in frames]


def spread(what, options, allowed, want_all):
    """Source ports of 64 flows are among the allowed, and with want_all every one of those occurs."""
    device(*V4, "remote", PEER, *options)
    for s in BOTH:
        seen = set(ports_of(s, flows(64)))
        if not seen <= set(allowed[s.name]) or (want_all and seen != set(allowed[s.name])):
            fail("%s: %s: ports %s" % (what, s.name, sorted(seen)))
        if not want_all and len(seen) < 32:
            fail("%s: %s: only %d ports for 64 flows" % (what, s.name, len(seen)))
    without()


def source_ports():
    default = range(32768, 61000)
    spread("85 default range", [], {"vx": default, "kernel": default}, False)
    # On purpose: MAX is included.
    spread("85 5000 5003", ["srcport", "5000", "5003"],
           {"vx": range(5000, 5004), "kernel": range(5000, 5003)}, True)
    spread("85 5000 5001", ["srcport", "5000", "5001"], {"vx": [5000, 5001], "kernel": [5000]}, True)
    device(*V4, "remote", PEER)
    for s in BOTH:
        once, again = ports_of(s, flows(20)), ports_of(s, flows(20))
        if once != again:
            fail("86 %s: a flow's port changes" % s.name, "%s\n%s" % (once, again))
        other = inner4(dmac="02:00:00:00:ee:01", smac="02:00:00:00:dd:05", sport=1000)
        back = inner4(dmac=UNKNOWN, src="192.168.9.1", dst="192.168.9.2", sport=2222, dport=1000)
        ttl = inner4(dmac=UNKNOWN, sport=1000, ttl=9, tos=8)
        same = ports_of(s, [other, back, ttl])
        if set(same) != {once[0]}:
            fail("86 %s: other MACs, other direction, other TTL: %s, not %d" % (s.name, same, once[0]))
        plain = [eth(UNKNOWN, "02:00:00:00:dd:%02d" % i, 0x1234, b"q" * 30) for i in range(8)]
        if len(set(ports_of(s, plain))) != 1:
            fail("86 %s: frames of one EtherType that is not IP have several ports" % s.name)
        late = [inner4(dmac=UNKNOWN, sport=i, frag=0x2000) for i in range(4)]
        if len(set(ports_of(s, late))) != 1:
            fail("86 %s: ports of fragments" % s.name)
    without()


def routes(ip_version):
    six = ip_version == 6
    base, head, peer = (V6, HEAD6, PEER6) if six else (V4, HEAD4, PEER)
    none = {"tx errors": 1, "tx carrier_errors": 1}
    v = "89 v%d " % ip_version
    far = "2001:db8::9" if six else "172.16.0.9"
    device(*base, "remote", far, six=six)
    expect(v + "no route", frame, [], none, "tunnel_no_route")
    for kind in ("blackhole", "unreachable", "prohibit"):
        host("route", "add", kind, far)
        expect(v + kind, frame, [], none, "tunnel_no_route")
        host("route", "del", kind, far)
    host("route", "add", far, "via", peer, "dev", "eth0")
    expect(v + "through a gateway", frame, [dict(head, dst=far)])
    host("route", "del", far, "via", peer, "dev", "eth0")
    expect(v + "the route went away", frame, [], none, "tunnel_no_route")
    if not six:  # IPv6 on the device would send by itself
        host("route", "add", far, "dev", "vxlan1")
        expect("90 through itself", frame, [], {"tx errors": 1, "tx collisions": 1},
               "tunnel_loop")
        host("route", "del", far, "dev", "vxlan1")
    without()
    stranger = "fd00::77" if six else "10.0.0.77"
    base = ["id", "100", "dstport", "4789", "local", stranger, "remote", peer]
    device(*base, six=six)
    seen = {}
    for s in BOTH:
        before = s.counters()
        s.wire.read()
        s.tap.send(frame)
        time.sleep(0.1)
        seen[s.name] = minus(s.counters(), before), len([f for _, f in s.wire.read() if dissect(f)])
    if seen["vx"] != seen["kernel"] or (not six and seen["vx"] != (none, 0)):
        fail("19 v%d local address not on this host" % ip_version, seen)
    without()


def bypass():
    """91: the remote is this host.  A frame and what happened to both devices."""
    device(*V4, "remote", PEER)
    for s in BOTH:
        s.make("id", "200", "dstport", "4789", "local", VTEP, dev="vxlan2", tap=False)
    both("fdb", "add", "02:00:00:00:09:01", "dev", "vxlan1", "dst", OTHER_LOCAL)
    both("fdb", "add", "02:00:00:00:09:02", "dev", "vxlan1", "dst", OTHER_LOCAL, "vni", "200")
    both("fdb", "add", "02:00:00:00:09:03", "dev", "vxlan1", "dst", VTEP, "vni", "300")
    for s in BOTH:
        s.two = s.counters("vxlan2")
    expect("91 to itself", inner4(dmac="02:00:00:00:09:01"), [],
           {"tx packets": 1, "tx bytes": 74, "rx packets": 1, "rx bytes": 74})
    expect("91 to the other device", inner4(dmac="02:00:00:00:09:02"), [],
           {"tx packets": 1, "tx bytes": 74})
    expect("91 no device", inner4(dmac="02:00:00:00:09:03"), [], {"tx errors": 1}, "bypass_no_device")
    for s in BOTH:
        moved = minus(s.counters("vxlan2"), s.two)
        if moved != {"rx packets": 1, "rx bytes": 74}:
            fail("91 the other device of %s" % s.name, moved)
        for dev in ("vxlan1", "vxlan2"):
            out = s.fdb("show", "dev", dev)[1]
            if HOST_MAC + " dst 127.0.0.1 self" not in out:
                fail("91 learnt by %s of %s" % (dev, s.name), out)
        s.remove("vxlan2")
    without()
    device(*V4, "nolocalbypass", raw={31: b"\0"})
    both("fdb", "add", "02:00:00:00:09:01", "dev", "vxlan1", "dst", OTHER_LOCAL)
    for s in BOTH:
        before = s.counters()
        s.tap.send(inner4(dmac="02:00:00:00:09:01"))
        want = {"tx packets": 1, "tx bytes": 60, "rx packets": 1, "rx bytes": 60}
        if not until(lambda: minus(s.counters(), before) == want):
            fail("91 nolocalbypass of %s" % s.name, minus(s.counters(), before))
        out = s.fdb("show", "dev", "vxlan1")[1]
        if HOST_MAC + " dst %s self" % VTEP not in out:
            fail("91 nolocalbypass learnt by %s" % s.name, out)
    without()


def too_big():
    big = inner4(b"B" * 1472, dmac=UNKNOWN)
    device(*V4, "remote", PEER)
    res = expect("93 df unset", big, [dict(frag=0x2000, df=0), dict(df=0)], sent(1500))
    for name, got in res.items():
        if len(got) == 2 and got[0]["ident"] != got[1]["ident"]:
            fail("93 %s: two identifications" % name)
    expect("93 the largest that fits", inner4(b"B" * 1422, dmac=UNKNOWN), [HEAD4])
    without()
    device(*V4, "remote", PEER, "df", "set")
    expect("93 df set", big, [], {"tx dropped": 1}, "tunnel_too_big")
    expect("93 df set, fits", inner4(b"B" * 1422, dmac=UNKNOWN), [dict(HEAD4, df=1)])
    for words, df in ((["mtu", "1400"], 1), (["mtu", "lock", "1400"], 0)):  # 3.5: DF of a locked route
        host("route", "add", PEER, "dev", "eth0", *words)
        expect("93 df set, route with " + " ".join(words), frame, [dict(HEAD4, df=df)])
        host("route", "del", PEER, "dev", "eth0", *words)
    expect("93 df set, a byte more", inner4(b"B" * 1423, dmac=UNKNOWN), [], {"tx dropped": 1},
           "tunnel_too_big")
    without()
    device(*V6, "remote", PEER6, six=True)
    expect("93 IPv6", big, [], {"tx errors": 1, "tx aborted_errors": 1}, "tunnel_too_big")
    expect("93 IPv6, fits", inner4(b"B" * 1402, dmac=UNKNOWN), [HEAD6])
    without()


def path_mtu():
    """48: fragmentation needed, quoting a datagram of ours; the next large frame is cut to that."""
    device(*V4, "remote", PEER)
    big = inner4(b"P" * 1372, dmac=UNKNOWN)
    for s in BOTH:
        got, _ = transmit(s, [big], "vxlan1")
        quote = ip4(VTEP, PEER, 17, struct.pack("!HHHH", got[0]["sport"], 4789, 1416 + 16 + 14, 0) +
                    vxlan(b"")) if got else b""
        icmp = struct.pack("!BBHHH", 3, 4, 0, 0, 1300) + quote
        icmp = icmp[:2] + struct.pack("!H", csum(icmp)) + icmp[4:]
        s.wire.send(eth(ETH0_MAC, PEER_MAC, 0x0800, ip4(PEER, VTEP, 1, icmp)))
        if not until(lambda: "mtu 1300" in s.ip("route", "get", PEER)[1]):
            fail("48 %s: the route has no mtu 1300" % s.name, s.ip("route", "get", PEER)[1])
    expect("48 cut to 1300", big, [dict(frag=0x2000, df=0), dict(df=0)], sent(1400))
    both("link", "set", "vxlan1", "type", "vxlan", "df", "set")
    expect("48 df set: too big", big, [], {"tx dropped": 1}, "tunnel_too_big")
    host("route", "flush", "cache")
    expect("48 forgotten", big, [dict(HEAD4, df=1)])
    without()


targets()
sizes()
path_mtu()
for version in (4, 6):
    ttls(version)
    toses(version)
    routes(version)
dfs()
labels()
sums()
source_ports()
bypass()
too_big()
finish()
