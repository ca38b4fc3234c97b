# SPDX-License-Identifier: Apache-2.0
"""Datagrams that a device takes or refuses: frames delivered, their bytes and class, every counter of
the interface the same for vx and the kernel; besides, vx's reason for the drop.  Called by rx_test.sh."""
from lib import *

BOTH = sides()
seq = 0


def ok(n=60):
    return {"rx packets": 1, "rx bytes": n}


OK = ok()
NONE = {}
FRAME = {"rx errors": 1, "rx frame_errors": 1}
LENGTH = {"rx errors": 1, "rx length_errors": 1}


def marker(outer):
    """A valid datagram that ends a case: what was sent before it has been dealt with."""
    global seq
    seq += 1
    frame = inner4(b"marker %025d" % seq)
    return frame, outer(vxlan(frame))


def deliver(side, frames, outer, n):
    """Sends; what the device delivered, and how its counters moved, without the marker's part."""
    before = side.counters()
    side.tap.read()
    end, datagram = marker(outer)
    for f in frames:
        side.wire.send(f)
    side.wire.send(datagram)
    got = []

    def ended():
        got.extend(side.tap.read(0.2))
        return any(f == end for _, f in got)

    seen = until(ended)
    if len(got) <= n:  # another flow: the marker may overtake it
        got.extend(side.tap.read(0.1))
    got = [g for g in got if g[1] != end]
    moved = minus(side.counters(), before)
    for k, v in ok().items():
        moved[k] = moved.get(k, 0) - v
    return got, {k: v for k, v in moved.items() if v}, seen


def expect(what, frames, counters, reason=None, delivered=None, outer=outer4):
    """counters: how they move; reason: vx's drop; delivered: frames, the very bytes."""
    if isinstance(frames, bytes):
        frames = [frames]
    old = drops()
    res = {}
    for side in BOTH:
        got, moved, seen = deliver(side, frames, outer, len(delivered or ()))
        res[side.name] = got
        if not seen:
            fail("%s: %s: the packet after it did not come" % (what, side.name))
        if moved != counters:
            fail("%s: %s: counters" % (what, side.name),
                 "moved  %s\nwanted %s" % (moved, counters))
        if delivered is not None and [f for _, f in got] != delivered:
            fail("%s: %s: delivered" % (what, side.name), "\n".join(
                ["got    " + f.hex() for _, f in got] + ["wanted " + f.hex() for f in delivered]))
    if res["vx"] != res["kernel"]:
        fail(what + ": not the same as the kernel's", "\n".join(
            "%-6s %d %s" % (n, t, f.hex()) for n in res for t, f in res[n]))
    new = minus(drops(), old)
    if new != ({reason: 1} if reason else {}):
        fail(what + ": reason", "dropped %s, wanted %s" % (new, reason))


def with_device(*options, raw=None):
    for s in BOTH:
        s.make(*options, raw=raw)


def without():
    for s in BOTH:
        s.remove()


V4 = ["id", "100", "dstport", "4789", "local", VTEP]
V6 = ["id", "100", "dstport", "4789", "local", VTEP6]
frame = inner4()


def headers():
    expect("21 valid", outer4(vxlan(frame)), OK, None, [frame])
    expect("22 I flag clear", outer4(vxlan(frame, word0=0)), NONE, "vxlan_no_i_flag", [])
    expect("22 all flags but I", outer4(vxlan(frame, word0=0xF7FFFFFF)), NONE, "vxlan_no_i_flag", [])
    expect("23 VNI 101", outer4(vxlan(frame, vni=101)), NONE, "vxlan_unknown_vni", [])
    expect("23 VNI 0", outer4(vxlan(frame, vni=0)), NONE, "vxlan_unknown_vni", [])
    expect("24 empty datagram", outer4(b""), NONE, "vxlan_too_short", [])
    expect("24 7 bytes", outer4(vxlan(b"")[:7]), NONE, "vxlan_too_short", [])
    expect("24 8 bytes", outer4(vxlan(b"")), NONE, "inner_too_short", [])
    expect("24 8 + 13 bytes", outer4(vxlan(frame[:13])), NONE, "inner_too_short", [])
    for bit in range(64):
        word0, low = (0x08000000 | 1 << (bit - 32), 0) if bit >= 32 else (0x08000000, 1 << bit)
        if bit == 59 or 8 <= bit < 32:
            continue  # I and the VNI
        expect("25 reserved bit %d" % bit, outer4(vxlan(frame, word0=word0, low=low)), FRAME,
               "vxlan_reserved_bits", [])
    expect("5 before 7: reserved bit, nothing inside", outer4(vxlan(b"", low=1)), FRAME,
           "vxlan_reserved_bits", [])


def inner():
    bare = eth(DEV_MAC, HOST_MAC, 0x0800)
    expect("26 bare Ethernet, IPv4", outer4(vxlan(bare)), LENGTH, "inner_ip_too_short", [])
    expect("26 19 bytes of IPv4", outer4(vxlan(frame[:33])), LENGTH, "inner_ip_too_short", [])
    expect("26 20 bytes of IPv4", outer4(vxlan(frame[:34])), ok(20), None, [frame[:34]])
    bare = eth(DEV_MAC, HOST_MAC, 0x1234)
    expect("27 bare Ethernet, 0x1234", outer4(vxlan(bare)), {"rx packets": 1}, None, [bare])
    six = inner6()
    expect("28 39 bytes of IPv6", outer4(vxlan(six[:53])), LENGTH, "inner_ip_too_short", [])
    expect("28 40 bytes of IPv6", outer4(vxlan(six[:54])), ok(40), None, [six[:54]])
    expect("IPv6", outer4(vxlan(six)), ok(80), None, [six])
    junk = eth(DEV_MAC, HOST_MAC, 0x0800, b"\xff" * 20)
    expect("IPv4 that is junk", outer4(vxlan(junk)), ok(20), None, [junk])
    llc = mac(DEV_MAC) + mac(HOST_MAC) + struct.pack("!H", 40) + bytes(40)
    expect("802.3 length", outer4(vxlan(llc)), ok(40), None, [llc])
    big = inner4(b"y" * 1422)
    expect("1450 bytes of IP", outer4(vxlan(big)), ok(1450), None, [big])
    expect("29 own MAC as source", outer4(vxlan(inner4(smac=DEV_MAC))), NONE, "own_mac", [])
    # Learning is on here: 12 comes before 13 and 14.
    for m in ("00:00:00:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff"):
        expect("30 source " + m, outer4(vxlan(inner4(smac=m))), NONE, "inner_bad_source", [])
    for name, m in (("unknown", "02:00:00:00:ee:ee"), ("broadcast", "ff:ff:ff:ff:ff:ff"),
                    ("multicast", "01:00:5e:01:02:03"), ("zero", "00:00:00:00:00:00")):
        f = inner4(dmac=m)
        expect("40 destination %s" % name, outer4(vxlan(f)), OK, None, [f])


def ecn(name, make, outer, field):
    """The 16 combinations of 2.7; 'field' changes the frame's ECN, DSCP stays."""
    table = {(0, 3): None, (1, 3): 3, (2, 3): 3, (2, 1): 1}
    for i in range(4):
        for o in range(4):
            f = make(0x28 | i)
            to = table.get((i, o), i)
            what = "36-38 %s inner %d outer %d" % (name, i, o)
            n = len(f) - 14
            d = outer(vxlan(f), tos=0x44 | o)
            if to is None:
                expect(what, d, FRAME, "ecn_not_ect", [], outer)
            else:
                expect(what, d, ok(n), None, [field(0x28 | to)], outer)


def ecn_all(outer):
    ecn("IPv4", lambda t: inner4(tos=t), outer, lambda t: inner4(tos=t))
    ecn("IPv6", lambda t: inner6(tclass=t), outer, lambda t: inner6(tclass=t))
    for name, f in (("ARP", arp()), ("VLAN", vlan(inner4()))):
        expect("39 %s, outer CE" % name, outer(vxlan(f), tos=3), ok(len(f) - 14), None, [f], outer)


def underlay4():
    expect("31 checksum 0", outer4(vxlan(frame), check=0), OK, None, [frame])
    expect("31 checksum wrong", outer4(vxlan(frame), check=lambda c: c ^ 0x0101), NONE, None, [])
    expect("33 another local address", outer4(vxlan(frame), dst=OTHER_LOCAL), OK, None, [frame])
    expect("34 two fragments", outer4_frags(vxlan(frame), 40), OK, None, [frame])
    expect("34 two fragments, second first", outer4_frags(vxlan(frame), 40)[::-1], OK, None, [frame])
    long = outer4(vxlan(frame)) + b"padding"
    expect("frame longer than IP says", long, OK, None, [frame])
    d = outer4(vxlan(frame))
    d = d[:38] + struct.pack("!H", 8 + 8 + len(frame) - 4) + b"\0\0" + d[42:]
    expect("UDP shorter than IP says", d, ok(56), None, [frame[:-4]])
    # stack.md W6: the kernel's sender uses many.
    expect("any source port", outer4(vxlan(frame), sport=1), OK, None, [frame])


def no_learning():
    for m in ("00:00:00:00:00:00", "01:00:5e:00:00:01"):
        f = inner4(smac=m)
        expect("30 nolearning, source " + m, outer4(vxlan(f)), OK, None, [f])
    expect("29 nolearning, own MAC", outer4(vxlan(inner4(smac=DEV_MAC))), NONE, "own_mac", [])


def down():
    """35: D down, another device up on the port."""
    for s in BOTH:
        s.make("id", "200", "dstport", "4789", "local", VTEP, dev="vxlan2", tap=False)
        s.link("set", "vxlan1", "down")
        before, old = s.counters(), drops()
        s.tap.read()
        s.wire.send(outer4(vxlan(frame)))
        time.sleep(0.1)
        moved = minus(s.counters(), before)
        got = s.tap.read()
        if got or moved:
            fail("35 down: " + s.name, "%s %s" % (moved, got))
        if s.is_vx and minus(drops(), old) != {"vxlan_unknown_vni": 1}:
            fail("35 reason", minus(drops(), old))
        s.up()
    expect("35 up again", outer4(vxlan(frame)), OK, None, [frame])
    for s in BOTH:
        s.remove("vxlan2")


def underlay6(zero_ok):
    expect("v6 valid", outer6(vxlan(frame)), OK, None, [frame], outer6)
    if zero_ok:
        expect("32 v6 checksum 0, udp6zerocsumrx", outer6(vxlan(frame), check=0), OK, None, [frame],
               outer6)
    else:
        expect("32 v6 checksum 0", outer6(vxlan(frame), check=0), NONE, None, [], outer6)
    expect("31 v6 checksum wrong", outer6(vxlan(frame), check=lambda c: c ^ 0x0101), NONE, None, [],
           outer6)
    expect("23 v6 VNI 101", outer6(vxlan(frame, vni=101)), NONE, "vxlan_unknown_vni", [], outer6)


def known_peers():
    """An option of vx alone (section 12)."""
    BOTH[0].make(*V4, "remote", PEER, "peers", "known")
    BOTH[0].fdb("add", "02:00:00:00:07:07", "dev", "vxlan1", "dst", "10.0.0.3")
    for src, counted, reason in ((PEER, OK, {}), ("10.0.0.3", OK, {}),
                                 ("10.0.0.4", NONE, {"unknown_peer": 1})):
        old = drops()
        got, moved, _ = deliver(BOTH[0], [outer4(vxlan(frame), src=src)], outer4, 1)
        if moved != counted or minus(drops(), old) != reason or len(got) != (counted == OK):
            fail("peers known, from " + src, "%s %s %s" % (moved, minus(drops(), old), got))
    BOTH[0].remove()


def masks():
    with_device(*V4, "reserved_bits", "0xf7ffffff00000000",
                raw={33: struct.pack("!Q", 0xF7FFFFFF00000000)})
    expect("14 last byte tolerated", outer4(vxlan(frame, low=0xFF)), OK, None, [frame])
    expect("14 flag bit 31", outer4(vxlan(frame, word0=0x88000000)), FRAME, "vxlan_reserved_bits", [])
    without()
    with_device(*V4, "reserved_bits", "0x0", raw={33: bytes(8)})
    expect("15 everything tolerated", outer4(vxlan(frame, word0=0xFFFFFFFF, low=0xFF)), OK, None,
           [frame])
    without()


def gbp():
    """2.6: which bits a device with group policies tolerates; the mark itself: gbp.py."""
    with_device(*V4, "gbp")
    for bit in [*range(8), *range(32, 64)]:
        word0, low = (0x88000000 | 1 << (bit - 32), 0) if bit >= 32 else (0x88000000, 1 << bit)
        what, d = "gbp: bit %d" % bit, outer4(vxlan(frame, word0=word0, low=low))
        if bit < 32 or bit in range(56, 63) and bit != 59:
            expect(what, d, FRAME, "vxlan_reserved_bits", [])
        else:
            expect(what, d, OK, None, [frame])
    expect("gbp: G clear", outer4(vxlan(frame, word0=0x08FFFFFF)), OK, None, [frame])
    without()


with_device(*V4)
headers()
inner()
underlay4()
ecn_all(outer4)
down()
without()
with_device(*V4, "nolearning")
no_learning()
without()
known_peers()
masks()
gbp()
with_device(*V6)
underlay6(False)
ecn_all(outer6)
without()
with_device(*V6, "udp6zerocsumrx")
underlay6(True)
without()
finish()
