# SPDX-License-Identifier: Apache-2.0
"""A policy comes in by vxlan1, is a mark while the frame crosses the bridge, and leaves by vxlan2.  A
TAP does not carry the host's mark, so this is how a mark gets into vx.  Called by gbp_test.sh.

Differences that are meant (vxlan.md section 12): "do not learn" is honoured; a change of the device
does not touch the reserved bits."""
from lib import *

BOTH = sides()
VXS, KERNEL = BOTH
TO = "02:00:00:00:ee:01"   # behind vxlan2
seq = 0


def must(side, result):
    if result[0]:
        fail("%s: set-up" % side.name, result[2])


def make(*second):
    """vxlan1 takes policies; of vxlan2 that is to be said.  A socket has one kind alone."""
    for s in BOTH:
        must(s, s.link("add", "br0", "type", "bridge"))
        for dev, vni, words in (("vxlan1", "100", ["dstport", "4789", "gbp"]), ("vxlan2", "200", second)):
            must(s, s.link("add", dev, "type", "vxlan", "id", vni, "local", VTEP, *words))
            must(s, s.link("set", dev, "master", "br0"))
            must(s, s.link("set", dev, "up"))
        must(s, s.link("set", "br0", "up"))
        must(s, s.fdb("add", "00:00:00:00:00:00", "dev", "vxlan2", "dst", "10.0.0.3"))


def remove():
    for s in BOTH:
        for dev in "vxlan1", "vxlan2", "br0":
            must(s, s.link("del", dev))


def relayed(side, word0, src=HOST_MAC):
    """The header's words with which a frame leaves that came with 'word0'; None: none did."""
    global seq
    seq += 1
    frame = inner4(b"relay %025d" % seq, dmac=TO, smac=src)
    side.wire.read()
    side.wire.send(outer4(vxlan(frame, word0=word0)))
    found = []

    def left():
        found.extend(f for _, f in side.wire.read(0.2) if f[50:] == frame and f[30:34] == socket.inet_aton("10.0.0.3"))
        return found

    until(left, 1.0)
    return found[0][42:50].hex() if found else None


def words(what, rows, vni="0000c800"):
    for word0, out in rows:
        for s in BOTH:
            got = relayed(s, word0)
            want = None if out is None else "%08x" % out + vni
            if got != want:
                fail("%s: %s: 0x%08x goes on" % (what, s.name, word0), "got    %s\nwanted %s" % (got, want))


def entries(side):
    rc, out, err = side.fdb("show", "dev", "vxlan1")
    return HOST_MAC + " dst " in out


# 2.1-10, 3.7-gbp, statements 41, 98: what comes in as a mark, and what a mark leaves as.
ROWS = [(0x08000000, 0x08000000), (0x88481234, 0x88481234), (0x88000000, 0x08000000),
        (0x88000001, 0x88000001), (0x8800FFFF, 0x8800FFFF), (0x88FFFF21, 0x8848FF21),
        (0x08480020, 0x08000000), (0x88080000, 0x88080000), (0x8C000001, None)]

make("dstport", "4789", "gbp")
words("gbp to gbp", ROWS)
# 13, but for vx, where the mask stays.
for s in BOTH:
    must(s, s.link("set", "vxlan1", "type", "vxlan", "ttl", "7"))
if relayed(VXS, 0x88000005) != "88000005" + "0000c800":
    fail("vx: a change of the ttl loses the policy")
if relayed(KERNEL, 0x88000005) is not None:
    fail("the kernel no longer resets reserved_bits with a change: see doc/parity.md")
remove()
make("dstport", "4790")
words("gbp to plain", [(w, out and 0x08000000) for w, out in ROWS])
remove()
# 42, but for vx.
make("dstport", "4789", "gbp")
for s in BOTH:
    relayed(s, 0x88400007)
if entries(VXS) or not entries(KERNEL):
    fail("42 do not learn", "vx %s, kernel %s" % (entries(VXS), entries(KERNEL)))
relayed(VXS, 0x88000007)
if not entries(VXS):
    fail("42 vx learns the others")
remove()
# 8: another kind of device on the port is made, and does not come up.
for s in BOTH:
    must(s, s.link("add", "vxlan1", "type", "vxlan", "id", "100", "dstport", "4789", "gbp"))
    must(s, s.link("set", "vxlan1", "up"))
    must(s, s.link("add", "vxlan2", "type", "vxlan", "id", "100", "dstport", "4789"))
    rc, out, err = s.link("set", "vxlan2", "up")
    if rc != 2 or "in use" not in err:
        fail("8 %s: two kinds on one port" % s.name, "exit %d: %s" % (rc, err))
    rc, out, err = s.link("set", "vxlan1", "type", "vxlan", "gbp")
    if rc != 2 or "cannot change GBP flag" not in err:
        fail("1.8 %s: changed" % s.name, "exit %d: %s" % (rc, err))
    for dev in "vxlan1", "vxlan2":
        must(s, s.link("del", dev))
finish()
