# SPDX-License-Identifier: Apache-2.0
"""A bridge of one VXLAN device; its host sends frames that do not fit.  The answers byte by byte, the
device's counters, what leaves all the same; then the host's own ping.  Called by pmtu_test.sh.

A difference that is meant: the host behind a device that is no port hears by an ICMP error, not by its
route alone, as the route is not vx's (doc/parity.md)."""
from lib import *

BOTH = sides()
VXS, KERNEL = BOTH
TO, ME = "02:00:00:00:ee:01", "02:00:00:00:cc:07"
MARKER_TO = "02:00:00:00:ff:01"
seq = 0


def must(side, result):
    if result[0]:
        fail("%s: set-up" % side.name, result[2])


def make(six):
    local, remote = (VTEP6, PEER6) if six else (VTEP, PEER)
    for s in BOTH:
        must(s, s.link("add", "br0", "address", ME, "type", "bridge"))
        if not s.is_vx:  # it would join the snoopers' group
            must(s, s.ip("link", "set", "br0", "type", "bridge", "mcast_snooping", "0"))
        must(s, s.link("add", "vxlan1", "type", "vxlan", "id", "100", "dstport", "4789", "local", local,
                       "remote", remote))
        must(s, s.link("set", "vxlan1", "master", "br0"))
        for dev in "vxlan1", "br0":
            must(s, s.ip("link", "set", dev, "multicast", "off"))  # no IGMP of the host's
            must(s, s.link("set", dev, "up"))
        s.tap = Tap(s.letter, "br0")


def remove():
    for s in BOTH:
        s.tap.close()
        for dev in "vxlan1", "br0":
            must(s, s.link("del", dev))


def try_one(side, frame):
    """(frames that came back, counters of the device, datagrams that left) without the marker's part."""
    global seq
    seq += 1
    end = inner4(b"marker %025d" % seq, dmac=MARKER_TO, smac=ME)
    before = side.counters()
    side.wire.read()
    side.tap.read()
    side.tap.send(frame)
    side.tap.send(end)
    left = []

    def ended():
        left.extend(f for _, f in side.wire.read(0.2) if f[6:12] == mac(ETH0_MAC))
        return any(end in f for f in left)

    if not until(ended):
        fail("%s: the frame after it did not leave" % side.name)
    back = [f for _, f in side.tap.read(0.05)]
    moved = minus(side.counters(), before)
    for k, v in (("tx packets", 1), ("tx bytes", 60)):
        moved[k] = moved.get(k, 0) - v
    return back, {k: v for k, v in moved.items() if v}, sum(end not in f for f in left)


def expect(what, frame, told, size=590):
    """told: the MTU that the one answer names; 0: there is none."""
    res = [try_one(s, frame) for s in BOTH]
    if res[0] != res[1]:
        fail(what + ": not the same as the kernel's",
             "\n".join("%-6s %s %s %s" % (s.name, [f.hex() for f in r[0]], r[1], r[2])
                       for s, r in zip(BOTH, res)))
    for s, (back, moved, left) in zip(BOTH, res):
        if len(back) != (1 if told else 0):
            fail("%s: %s: %d answers" % (what, s.name, len(back)))
        elif told:
            at = 14 + (20 if size == 590 else 40)
            got = struct.unpack("!I", back[0][at + 4:at + 8])[0]
            if got != told or len(back[0]) != size or left:
                fail("%s: %s" % (what, s.name), "mtu %d, %d bytes, %d left" % (got, len(back[0]), left))
            if moved != {"rx packets": 1, "rx bytes": size, "tx packets": 1, "tx bytes": size}:
                fail("%s: %s: counters" % (what, s.name), moved)


def big4(n, **more):
    return inner4(b"B" * (n - 28), smac=ME, **dict({"dmac": TO, "frag": 0x4000}, **more))


def icmp4(kind, n):
    body = struct.pack("!BBHI", kind, 0, 0, 0) + b"e" * (n - 28)
    body = body[:2] + struct.pack("!H", csum(body)) + body[4:]
    return eth(TO, ME, 0x0800, ip4("192.168.9.2", "192.168.9.1", 1, body, frag=0x4000))


def big6(n, nxt=17, head=b"", src="fd09::2"):
    return eth(TO, ME, 0x86DD, ip6(src, "fd09::1", nxt, head + b"6" * (n - 40 - len(head)), hop=33))


def bridged(six):
    """3.9-2."""
    most = 1430 if six else 1450
    make(six)
    expect("94 one byte too long", big4(most + 1), most)
    expect("94 the longest that fits", big4(most), 0)
    expect("94 as long as the bridge lets it be", big4(1500, ttl=7, tos=0x28), most)
    expect("94 DF clear", big4(most + 1, frag=0), 0)
    expect("94 a first piece", big4(most + 1, frag=0x6000), 0)
    expect("94 to a group", big4(most + 1, dst="239.1.1.1", dmac="01:00:5e:01:01:01"), 0)
    expect("94 to all", big4(most + 1, dst="255.255.255.255", dmac="ff:ff:ff:ff:ff:ff"), 0)
    expect("94 from nobody", big4(most + 1, src="0.0.0.0"), 0)
    expect("94 from itself", big4(most + 1, src="127.0.0.1"), 0)
    expect("94 echo", icmp4(8, 1451), most)
    expect("94 an error", icmp4(3, 1451), 0)
    expect("94 tagged", vlan(big4(most + 1)), 0)
    expect("94 no IP", eth(TO, ME, 0x1234, b"q" * 1490), 0)
    expect("95 IPv6", big6(1500), most, 1294)
    expect("95 IPv6 that fits", big6(most), 0)
    expect("95 echo", big6(1500, 58, b"\x80\0\0\0"), most, 1294)
    expect("95 an error", big6(1500, 58, b"\x01\0\0\0"), 0)
    expect("95 redirect", big6(1500, 58, b"\x89\0\0\0"), 0)
    expect("95 options", big6(1500, 0, b"\x11\0\1\4\0\0\0\0"), most, 1294)
    expect("95 no next header", big6(1500, 59), 0)
    expect("95 from nobody", big6(1500, src="::"), 0)
    expect("95 later piece", big6(1500, 44, b"\x11\0\0\x09\0\0\0\1"), most, 1294)
    host("route", "add", PEER6 if six else PEER, "dev", "eth0", "mtu", "1330")
    expect("a route with less", big4(1400), 1330 - 1500 + most)
    expect("a route with less, IPv6", big6(1400), 1280 if not six else 0, 1294)
    host("route", "del", PEER6 if six else PEER, "dev", "eth0", "mtu", "1330")
    remove()


def host(*words):
    for s in BOTH:
        must(s, s.ip(*words))
    time.sleep(0.05)


def own_ping():
    """3.9-1, 96: the host's own packets.  The first goes on, in fragments; then its route knows."""
    for s in BOTH:
        s.make("id", "100", "dstport", "4789", "local", VTEP, "remote", PEER, tap=False)
        must(s, s.ip("addr", "add", "192.168.9.1/24", "dev", "vxlan1"))
        must(s, s.ip("neigh", "add", "192.168.9.2", "lladdr", TO, "dev", "vxlan1"))
        s.wire.read()
        ns = TAG + s.letter
        rc, out, err = run("ip", "netns", "exec", ns, "ping", "-M", "do", "-s", "1423", "-c", "3", "-i", "0.2",
                           "-W", "1", "192.168.9.2")
        left = [f for _, f in s.wire.read(0.2) if f[6:12] == mac(ETH0_MAC) and f[12:14] == b"\x08\0"]
        if len(left) != 2:
            fail("96 %s: the first in two pieces" % s.name, len(left))
        if "message too long, mtu=1450" not in err + out:
            fail("96 %s: no local error" % s.name, out + err)
        if not until(lambda: "mtu 1450" in s.ip("route", "get", "192.168.9.2")[1]):
            fail("96 %s: the route" % s.name, s.ip("route", "get", "192.168.9.2")[1])
        s.remove()


bridged(False)
bridged(True)
own_ping()
finish()
