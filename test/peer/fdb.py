# SPDX-License-Identifier: Apache-2.0
"""Steps on three devices at once: vx fdb, vx exec bridge fdb, and bridge fdb on the kernel's.  Text,
exit code and events have to be the same, but for steps that name why not.  Called by fdb_test.sh."""
import atexit
import re

from lib import *

VXS, EXEC, KERNEL = Side("vx", "V", "pv"), Side("exec", "X", "px"), Side("kernel", "K", "pk")
ALL = (VXS, EXEC, KERNEL)
DEV = ["dev", "vxlan1"]
ZERO = "00:00:00:00:00:00"


def m(n):
    return "02:00:00:00:01:%02x" % n


# --- events ------------------------------------------------------------------------------------------

class Events:
    """What a side's monitor of FDB changes prints."""

    def __init__(self, side):
        words = ["monitor", "fdb"]
        if side.name == "kernel":
            words = ["ip", "netns", "exec", TAG + "K", "stdbuf", "-oL", "bridge"] + words
        else:
            words = side.bridge(*words)
            if side.name == "exec":
                words.insert(words.index("bridge"), "stdbuf")
                words.insert(words.index("bridge"), "-oL")
        self.p = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(self.p.stdout.fileno(), False)
        atexit.register(self.p.kill)
        self.text = ""

    def read(self):
        try:
            self.text += os.read(self.p.stdout.fileno(), 1 << 20).decode()
        except BlockingIOError:
            pass
        return self.text

    def of(self, dev):
        """Lines about the device since the last question.  The host's interfaces are not vx's, and
        what only the kernel takes (step(differs=...)) is not compared."""
        lines = [s.rstrip() for s in self.read().splitlines()]
        return [s for s in lines if " dev %s " % dev in s + " " and m(13) not in s and
                "239.1.1.1" not in s]


EVENTS = {}


def settle(dev="vxlan1"):
    """The sides' events once none comes any more, forgotten then."""
    last = None
    for _ in range(40):
        now = [EVENTS[s.name].of(dev) for s in ALL]
        if now == last:
            break
        last = now
        time.sleep(0.05)
    for e in EVENTS.values():
        e.text = ""
    return last


def same_events(what, dev="vxlan1"):
    v, x, k = settle(dev)
    for name, got in (("vx", v), ("exec", x)):
        if got != k:
            fail("%s: events of %s" % (what, name), "\n".join(
                ["got    " + s for s in got] + ["kernel " + s for s in k]))
    return k


# --- commands ----------------------------------------------------------------------------------------

def text(result):
    """Of bridge 6.1 what later ones (and vx) put differently: an empty line, "is a garbage"."""
    rc, out, err = result
    err = "".join(s + "\n" for s in err.replace("is a garbage", "is garbage").splitlines() if s)
    return "rc %d\n%s%s" % (rc, out, err)


def step(*words, rc=None, says=None, differs=None, vx=None):
    """A fdb command on all; vx's faces give what the kernel's gives.  differs: why not (section 12),
    then vx = (exit code, text) is what they give."""
    what = "fdb " + " ".join(words)
    k = KERNEL.fdb(*words)
    if rc is not None and k[0] != rc or says and says not in k[1] + k[2]:
        fail(what + ": the kernel", text(k))
    for side in (VXS, EXEC):
        r = side.fdb(*words)
        if differs:
            if r[0] != vx[0] or vx[1] not in r[1] + r[2] or len(r[2].strip().splitlines()) != 1:
                fail("%s: %s (%s)" % (what, side.name, differs), text(r) + "wanted %s" % (vx,))
        elif text(r) != text(k):
            fail("%s: %s" % (what, side.name), text(r) + "kernel: " + text(k))
    return k[1]


def links(*words):
    for s in ALL:
        r = s.link(*words)
        if r[0]:
            fail("%s: link %s" % (s.name, " ".join(words)), r[2])


def show(what, wanted=None):
    out = step("show", *DEV, rc=0)
    if wanted is not None and out.splitlines() != wanted:
        fail(what + ": shown", out + "wanted\n" + "\n".join(wanted))


def make(*options):
    for s in ALL:
        s.make("id", "100", "dstport", "4789", "local", VTEP, *options)


def without():
    for s in ALL:
        s.remove()


def arrives(what, smac, src, delivered=True):
    """A frame from a MAC behind a remote."""
    f = inner4(smac=smac)
    for s in ALL:
        before = s.counters()
        s.tap.read()
        s.wire.send(outer4(vxlan(f), src=src))
        got = until(lambda: s.tap.read(0.05), 1.0 if delivered else 0.1)
        if delivered != bool(got) or delivered != bool(minus(s.counters(), before)):
            fail("%s: %s" % (what, s.name), "delivered %s, counters %s" % (
                got, minus(s.counters(), before)))


def learnt(mac_, dst):
    return "%s dst %s self " % (mac_, dst)


# --- the steps ---------------------------------------------------------------------------------------

DEFAULT = ZERO + " dst 10.0.0.2 self permanent"


def learning():
    make("remote", PEER)
    show("after add", [DEFAULT])
    settle()
    arrives("49 learn", m(1), PEER)
    show("49", [learnt(m(1), PEER), DEFAULT])
    arrives("49 again", m(1), PEER)
    same_events("49")
    arrives("50 roam", m(1), "10.0.0.3")
    show("50", [learnt(m(1), "10.0.0.3"), DEFAULT])
    if len(same_events("50")) != 1:
        fail("50: not one event")
    for i, word in ((2, "static"), (3, "permanent")):
        step("add", m(i), *DEV, "dst", "10.0.0.3", word, rc=0)
        arrives("51 %s from elsewhere" % word, m(i), PEER, False)
        arrives("51 %s from there" % word, m(i), "10.0.0.3")
    step("add", m(4), *DEV, "dst", "10.0.0.3", "dynamic", "port", "5000", "vni", "7", rc=0)
    arrives("52 dynamic entry roams", m(4), PEER)
    show("52: port and VNI stay")
    step("add", m(5), *DEV, "dst", "10.0.0.3", "dynamic", "extern_learn", rc=0)
    arrives("52 extern_learn dynamic roams", m(5), PEER)
    step("add", m(6), *DEV, "dst", "0.0.0.0", "dynamic", rc=0)
    arrives("53 dst 0.0.0.0 is overwritten", m(6), PEER)
    show("52, 53, 72: newest first")
    same_events("51-53")
    links("set", "vxlan1", "down")
    show("70 down")
    same_events("70")
    links("set", "vxlan1", "up")
    for s in ALL:
        s.tap.read()
    arrives("70 up again", m(1), PEER)
    show("70 up again")
    same_events("70 up")
    without()
    same_events("link del")


def commands():
    make("remote", PEER)
    settle()
    step("add", m(1), *DEV, "dst", "10.0.0.3", rc=0)
    step("add", m(1), *DEV, "dst", "10.0.0.3", rc=255, says="File exists")
    step("add", m(1), *DEV, "dst", "10.0.0.4", rc=255, says="File exists")
    step("append", m(1), *DEV, "dst", "10.0.0.3", rc=0)
    step("append", m(1), *DEV, "dst", "10.0.0.4", rc=0, differs="58 on purpose: an error, not silence",
         vx=(255, "vx fdb replace"))
    show("57, 58", [m(1) + " dst 10.0.0.3 self permanent", DEFAULT])
    step("replace", m(1), *DEV, "dst", "10.0.0.4", rc=0)
    step("replace", m(1), *DEV, "dst", "10.0.0.4", rc=0)
    step("replace", m(1), *DEV, "dst", "10.0.0.4", "static", rc=0)
    step("replace", m(2), *DEV, "dst", "10.0.0.4", "dynamic", rc=0)
    step("append", m(3), *DEV, "dst", "10.0.0.4", rc=0)
    show("59")
    step("replace", ZERO, *DEV, "dst", "10.0.0.3", rc=255, says="Cannot replace non-unicast")
    step("replace", "01:00:5e:00:00:01", *DEV, "dst", "10.0.0.3", rc=255,
         says="Operation not supported")
    step("append", ZERO, *DEV, "dst", PEER, rc=0)
    step("append", ZERO, *DEV, "dst", "10.0.0.3", rc=0)
    step("append", ZERO, *DEV, "dst", "10.0.0.3", rc=0)
    step("append", ZERO, *DEV, "dst", "10.0.0.3", "port", "5000", rc=0)
    step("append", ZERO, *DEV, "dst", "10.0.0.4", "via", "eth0", rc=0)
    step("append", "ff:ff:ff:ff:ff:ff", *DEV, "dst", "10.0.0.4", "vni", "9", rc=0)
    show("61")
    step("del", m(1), *DEV, "dst", "10.0.0.3", rc=0, differs="62 on purpose: an error, not silence",
         vx=(255, "has no such remote 10.0.0.3"))
    step("del", m(9), *DEV, rc=255, says="No such file or directory")
    step("del", m(9), *DEV, "dst", PEER, rc=255, says="No such file or directory")
    step("del", m(1), *DEV, "dst", "10.0.0.4", rc=0)
    step("del", ZERO, *DEV, "dst", "10.0.0.3", "port", "5000", rc=0)
    step("del", ZERO, *DEV, "dst", "10.0.0.3", rc=0)
    show("62")
    step("del", ZERO, *DEV, rc=0)
    show("63")
    step("add", ZERO, *DEV, "dst", PEER, rc=0)
    step("add", m(4), *DEV, rc=255, says="Invalid argument")
    step("add", m(4), *DEV, "dst", "fd00::2", rc=255, says="Address family not supported by protocol")
    step("add", m(4), *DEV, "dst", "239.1.1.1", rc=0, differs="multicast underlay is not built",
         vx=(255, "not built yet"))
    KERNEL.fdb("del", m(4), *DEV)
    step("add", m(5), *DEV, "dst", PEER, "port", "4789", "vni", "100", rc=0)
    step("add", m(6), *DEV, "dst", PEER, "port", "4790", "vni", "101", rc=0)
    step("add", m(7), *DEV, "dst", PEER, "vlan", "5", rc=0)
    step("add", m(8), *DEV, "dst", PEER, "router", rc=0)
    step("add", m(9), *DEV, "dst", PEER, "extern_learn", rc=0)
    step("add", m(10), *DEV, "dst", PEER, "sticky", rc=0)
    step("add", m(11), *DEV, "dst", PEER, "temp", rc=0)
    step("add", m(12), *DEV, "dst", PEER, "local", rc=0)
    step("add", m(13), *DEV, "dst", PEER, "src_vni", "5", rc=0,
         differs="4.4 on purpose: refused, not an orphan", vx=(255, "src_vni"))
    same_events("57-65")
    step("get", m(5), *DEV, "self", rc=0)
    step("get", m(60), *DEV, "self", rc=254, says="Fdb entry not found")
    step("get", m(5), *DEV, rc=254, says="not a bridge port")
    out = KERNEL.fdb("show", *DEV)[1]
    for s in (VXS, EXEC):  # the orphan is the kernel's alone, and cannot be deleted there
        mine = s.fdb("show", *DEV)[1]
        if mine != "".join(x + "\n" for x in out.splitlines() if not x.startswith(m(13))):
            fail("72, 73: shown by " + s.name, mine + "kernel\n" + out)
    jk = json.loads(run("bridge", "-n", TAG + "K", "-j", "fdb", "show", *DEV)[1])
    jk = [e for e in jk if e["mac"] != m(13)]
    for s, words in ((VXS, [*VXS.vx, "-j", "fdb", "show", *DEV]),
                     (EXEC, [*EXEC.vx, "exec", "bridge", "-j", "fdb", "show", *DEV])):
        if json.loads(run(*words)[1]) != jk:
            fail("JSON of " + s.name, run(*words)[1] + json.dumps(jk))
    parse_errors()
    step("flush", *DEV, rc=0)
    show("69 flush", [])
    same_events("69")
    without()
    settle()


def parse_errors():
    for words in (["add", m(20), *DEV, "dst", PEER, "vni", "16777216"],
                  ["add", m(20), *DEV, "dst", PEER, "port", "70000"],
                  ["add", "02:00:00:00:01", *DEV, "dst", PEER],
                  ["add", *DEV, "dst", PEER], ["add", m(20), "dst", PEER],
                  ["add", m(20), "dev", "absent", "dst", PEER],
                  ["add", m(20), *DEV, "dst", PEER, "via", "absent"],
                  ["add", m(20), *DEV, "dst", PEER, "dst", "10.0.0.3"],
                  ["add", m(20), *DEV, "dst"], ["add", m(20), *DEV, "dst", "10.0.0.x"],
                  ["add", m(20), *DEV, "dst", PEER, "master"],
                  ["show", "dev", "absent"], ["del", m(20), "dev", "absent"]):
        step(*words)


def limits():
    make("remote", PEER, "maxaddress", "2")
    settle()
    step("add", m(1), *DEV, "dst", PEER, rc=0)
    step("add", m(2), *DEV, "dst", PEER, rc=255, says="No space left on device")
    arrives("66 learning over the limit", m(3), PEER)
    show("66", [m(1) + " dst 10.0.0.2 self permanent", DEFAULT])
    step("append", ZERO, *DEV, "dst", "10.0.0.3", rc=0)
    step("del", m(1), *DEV, rc=0)
    step("add", m(2), *DEV, "dst", PEER, rc=0)
    without()
    make("remote", PEER, "maxaddress", "1")
    step("add", m(1), *DEV, "dst", PEER, rc=255, says="No space left on device")
    without()
    settle()


def remotes():
    make("remote", PEER)
    step("append", ZERO, *DEV, "dst", "10.0.0.3", rc=0)
    settle()
    links("set", "vxlan1", "type", "vxlan", "remote", "10.0.0.4")
    show("68 remote changed", [ZERO + " dst 10.0.0.3 self permanent",
                               ZERO + " dst 10.0.0.4 self permanent"])
    if len(same_events("68")) != 2:
        fail("68: not two events")
    links("set", "vxlan1", "type", "vxlan", "remote", "10.0.0.3")
    show("4.8 one that was appended", [ZERO + " dst 10.0.0.3 self permanent"])
    links("set", "vxlan1", "type", "vxlan", "remote", "0.0.0.0")
    show("4.8 remote removed")
    same_events("4.8")
    without()
    for s in ALL:
        s.make("id", "100", "dstport", "4789", "local", VTEP, "remote", PEER, "dev", "eth0")
    show("default entry with dev", [ZERO + " dst 10.0.0.2 via eth0 self permanent"])
    without()
    for s in ALL:
        s.make("id", "100", "dstport", "4789", "local", VTEP6, "remote", PEER6)
    step("add", m(1), *DEV, "dst", "fd00::3", rc=0)
    step("add", m(2), *DEV, "dst", "10.0.0.3", rc=255, says="Address family not supported")
    ll = "fe80::bb"
    for s in ALL:
        s.wire.send(outer6(vxlan(inner4(smac=m(5))), src=ll, dst=VTEP6))
        s.wire.send(outer6(vxlan(inner4(smac=m(6)))))
        until(lambda: len(s.fdb("show", *DEV)[1].splitlines()) == 4)
    show("55 link-local source has via", [learnt(m(6), PEER6), m(5) + " dst fe80::bb via eth0 self ",
                                          m(1) + " dst fd00::3 self permanent",
                                          ZERO + " dst fd00::2 self permanent"])
    without()
    settle()


def ageing():
    """56.  One entry is sent to all the time, which does not keep it; another is heard again."""
    make("remote", PEER, "ageing", "3")
    start = time.time()
    settle()
    arrives("56", m(1), PEER)
    step("add", m(2), *DEV, "dst", PEER, "dynamic", rc=0)
    step("add", m(3), *DEV, "dst", PEER, "static", rc=0)
    step("add", m(4), *DEV, "dst", PEER, "dynamic", "extern_learn", rc=0)
    gone = {}
    last = time.time()
    while len(gone) < 3 and time.time() < start + 22:
        for s in ALL:
            s.tap.send(inner4(dmac=m(1)))
            s.wire.send(outer4(vxlan(inner4(smac=m(7)))))
            out = s.fdb("show", *DEV)[1]
            if m(1) not in out and m(2) not in out:
                gone.setdefault(s.name, time.time() - last)
            if m(3) not in out or m(4) not in out:
                fail("56 %s: a static or extern_learn entry aged" % s.name, out)
        time.sleep(0.3)
    for s in ALL:
        if not 2.9 <= gone.get(s.name, 99) <= 14:
            fail("56 %s: gone after %s s" % (s.name, gone.get(s.name)))
        if m(7) not in s.fdb("show", *DEV)[1]:
            fail("56 %s: an entry that is heard of aged" % s.name)
    for name, got in zip(("vx", "exec", "kernel"), settle()):
        for mac_ in (m(1), m(2)):
            if got.count("Deleted %s dev vxlan1 dst 10.0.0.2 self stale" % mac_) != 1:
                fail("56 %s: no event of ageing" % name, "\n".join(got))
    print("aged after", {n: round(t, 1) for n, t in gone.items()})
    without()


for s in ALL:
    EVENTS[s.name] = Events(s)
time.sleep(0.3)
learning()
commands()
limits()
remotes()
ageing()
finish()
