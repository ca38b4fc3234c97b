# SPDX-License-Identifier: Apache-2.0
"""What Open vSwitch's VXLAN ports send and take, by the options of the database.  A case is a list of
options; frames go in and come out by the bridge's own interface.  Called by ovs_tunnel_test.sh.

On a host's socket the host judges the outer checksum, and counts it; over vx's own stack see
ofproto/bridge_test.c."""
import re

from lib import *

FAR = "02:00:00:00:ee:01"    # a MAC beyond the tunnel; the bridge floods
NEAR = "02:00:00:00:cc:07"   # and one behind the bridge's interface
SYS = "vxlan_sys_4789"
wire, br1 = Tap("P", "pv"), Tap("V", "br1")
seq = 0


def vsctl(*words):
    rc, out, err = run("ovs-vsctl", "--db=" + os.environ["DB"], *words, limit=5)
    if rc:
        fail("ovs-vsctl " + " ".join(words), err)
    return out.strip()


def port(name="vx1", **options):
    """The port with these options, whatever it had before."""
    options.setdefault("remote_ip", PEER)
    vsctl("--may-exist", "add-port", "br1", name, "--", "clear", "interface", name, "options", "--", "set",
          "interface", name, "type=vxlan", *("options:%s=%s" % o for o in options.items()))
    return vsctl("get", "interface", name, "error")


def column(name, *columns):
    return [vsctl("get", "interface", name, c) for c in columns]


def no_port(*names):
    for name in names:
        vsctl("--if-exists", "del-port", name)


def counters():
    out = sh(VX, "--rundir", TMP + "/V", "exec", "ip", "-j", "-s", "-s", "link", "show", SYS)
    s = json.loads(out)[0]["stats64"]
    return {"%s %s" % (way, k): v for way in ("rx", "tx") for k, v in s[way].items() if v}


# --- out -------------------------------------------------------------------------------------------------

def unique(make=inner4, **more):
    """A frame like no other; make: of which kind."""
    global seq
    seq += 1
    return make(b"packet %025d" % seq, smac=NEAR, dmac=FAR, **more)


def outer_of(frame):
    """The outer packets in which a frame of the bridge's interface leaves."""
    got = []
    wire.read()
    br1.send(frame)

    def left():
        got.extend(d for d in (dissect(f) for _, f in wire.read(0.2)) if d and d.get("inner") == frame)
        return got

    until(left)
    return got


def sends(what, frame, **want):
    got = outer_of(frame)
    if len(got) != 1:
        fail("%s: %d packets left" % (what, len(got)))
        return
    bad = {k: got[0].get(k) for k in want if got[0].get(k) != want[k]}
    if bad:
        fail(what, "got    %s\nwanted %s" % (bad, want))


# --- in --------------------------------------------------------------------------------------------------

def takes(what, datagram, delivered=None, reason=None, moved=None):
    """delivered: the frame that comes out of the bridge's interface; else the reason of the drop, and the
    counters of the tunnels' device."""
    old, before = drops(), counters()
    br1.read()
    wire.send(datagram)
    got = [f for _, f in br1.read(1.0 if delivered else 0.1)]
    if got != ([delivered] if delivered else []):
        fail(what + ": delivered", "got    %s\nwanted %s" % ([f.hex() for f in got],
                                                         delivered and delivered.hex()))
    new = minus(drops(), old)
    if new != ({reason: 1} if reason else {}):
        fail(what + ": reason", "dropped %s, wanted %s" % (new, reason))
    now = minus(counters(), before)
    if moved is not None and now != moved:
        fail(what + ": counters", "moved %s, wanted %s" % (now, moved))


def inner_to(tos=0, make=inner4, **more):
    global seq
    seq += 1
    more["tos" if make is inner4 else "tclass"] = tos
    return make(b"packet %025d" % seq, smac=FAR, dmac=NEAR, **more)


# --- statements ------------------------------------------------------------------------------------------

def keys():
    """S41, S44: no key is VNI 0, and a change holds for the next packet."""
    port()
    sends("41 no key", unique(), vni=0, word0="08000000", low=0)
    frame = inner_to()
    takes("41 VNI 0", outer4(vxlan(frame, vni=0)), frame)
    for vni in 1, 100, 0xFFFFFF:
        takes("41 VNI %d" % vni, outer4(vxlan(frame, vni=vni)), reason="tunnel_port_not_found")
    before = column("vx1", "ofport")
    port(key=100)
    sends("44 key=100", unique(), vni=100)
    takes("44 key=100, VNI 100", outer4(vxlan(frame)), frame)
    takes("44 key=100, VNI 0", outer4(vxlan(frame, vni=0)), reason="tunnel_port_not_found")
    port(in_key=7, out_key=9)
    sends("44 out_key=9", unique(), vni=9)
    takes("44 in_key=7", outer4(vxlan(frame, vni=7)), frame)
    if column("vx1", "ofport") != before:
        fail("44 ofport", "%s, was %s" % (column("vx1", "ofport"), before))
    takes("11.7 another remote", outer4(vxlan(frame, vni=7), src="10.0.0.3"),
          reason="tunnel_port_not_found")


def heads(six):
    """S42."""
    v, remote = ("IPv6: ", PEER6) if six else ("IPv4: ", PEER)
    always = dict(family=6 if six else 4, dst=remote, vni=100, dport=4789, **({} if six else {"df": 1}))

    def of(name, frame, options, **want):
        port(key=100, remote_ip=remote, **options)
        sends("42 " + v + name, frame, **dict(always, **want))

    of("default", unique(ttl=9, tos=0xB8), {}, ttl=64, tos=0)
    of("ttl", unique(ttl=9), {"ttl": 44}, ttl=44)
    of("ttl=inherit", unique(ttl=33), {"ttl": "inherit"}, ttl=33)
    of("ttl=inherit, IPv6 inside", unique(inner6, hop=44), {"ttl": "inherit"}, ttl=44)
    of("ttl=inherit, ARP", arp(smac=NEAR), {"ttl": "inherit"}, ttl=64)
    of("tos", unique(tos=0x28), {"tos": 0xB8}, tos=0xB8)
    # The ECN field is the inner packet's, CE goes out as ECT(0).
    for inner, ecn in ((0, 0), (1, 1), (2, 2), (3, 2)):
        of("ECN %d" % inner, unique(tos=0x28 | inner), {}, tos=ecn)
        of("tos, ECN %d" % inner, unique(tos=0x28 | inner), {"tos": 0xB8}, tos=0xB8 | ecn)
        of("tos=inherit, ECN %d" % inner, unique(tos=0x28 | inner), {"tos": "inherit"}, tos=0x28 | ecn)
        of("tos=inherit, IPv6 inside, ECN %d" % inner, unique(inner6, tclass=0x28 | inner),
           {"tos": "inherit"}, tos=0x28 | ecn)
    of("tos=inherit, ARP", arp(smac=NEAR), {"tos": "inherit"}, tos=0)
    if not six:
        of("df_default=false", unique(frag=0x4000), {"df_default": "false"}, df=0)
        of("df_default=true", unique(), {"df_default": "true"}, df=1)
        of("local_ip", unique(), {"local_ip": OTHER_LOCAL}, src=OTHER_LOCAL)


def sums():
    """S43, and 11.11."""
    for remote, csum, want in ((PEER, None, "zero"), (PEER, "true", "good"), (PEER, "false", "zero"),
                               (PEER6, None, "good"), (PEER6, "true", "good"), (PEER6, "false", "good")):
        port(key=100, remote_ip=remote, **({"csum": csum} if csum else {}))
        sends("43 csum %s to %s" % (csum, remote), unique(), sum=want)


def source_ports():
    """S45."""
    port(key=100)
    seen = {}
    for i in range(64):
        for n in range(2):
            got = outer_of(unique(sport=1000 + i))
            if len(got) == 1:
                seen.setdefault(i, set()).add(got[0]["sport"])
    ports = set().union(*seen.values())
    if len(seen) != 64 or any(len(p) != 1 for p in seen.values()):
        fail("45 a flow's port changes, or packets are lost", seen)
    if len(ports) < 32 or min(ports) < 32768 or max(ports) > 61000:
        fail("45 %d ports for 64 flows" % len(ports), sorted(ports))


def host_csum_errors(family):
    name = "/proc/net/snmp" + ("6" if family == 6 else "")
    words = sh("ip", "netns", "exec", TAG + "V", "cat", name).split("\n")
    if family == 6:
        return int(dict(w.split() for w in words if w)["Udp6InCsumErrors"])
    head, values = [w.split() for w in words if w.startswith("Udp:")]
    return int(values[head.index("InCsumErrors")])


def broken():
    """S46, without IP options; and S47."""
    bits = {"rx errors": 1, "rx frame_errors": 1}
    port(key=100)
    frame = inner_to()
    takes("46 as it should be", outer4(vxlan(frame)), frame)
    takes("46 the I flag is clear", outer4(vxlan(frame, word0=0)), reason="vxlan_no_i_flag", moved={})
    for word0 in (0x88000000, 0x0C000000, 0x09000000, 0xFF000000, 0x08000001, 0x08800000):
        takes("46 flags 0x%08x" % word0, outer4(vxlan(frame, word0=word0)), None, "vxlan_reserved_bits",
              bits)
    takes("46 reserved byte", outer4(vxlan(frame, low=1)), None, "vxlan_reserved_bits", bits)
    takes("46 too short", outer4(vxlan(b"")[:7]), None, "vxlan_too_short", {})
    for family, remote, outer in (4, PEER, outer4), (6, PEER6, outer6):
        port(key=100, remote_ip=remote)
        before = host_csum_errors(family)
        takes("46 IPv%d: bad checksum" % family, outer(vxlan(frame), check=lambda c: c ^ 0x0101), None,
              None, {})
        if host_csum_errors(family) != before + 1:
            fail("46 IPv%d: the host does not count a bad checksum" % family)
        frame = inner_to()
        takes("46 IPv%d: checksum 0" % family, outer(vxlan(frame), check=0), frame)
        for make in inner4, inner6:
            v = "47 %s in IPv%d: " % (make.__name__, family)
            takes(v + "CE around Not-ECT", outer(vxlan(inner_to(0x28, make)), tos=0x47), None, "ecn_not_ect",
                  bits)
            for ecn, out, to in ((1, 3, 3), (2, 3, 3), (3, 3, 3), (2, 1, 1), (0, 2, 0), (3, 0, 3)):
                f = inner_to(0x28 | ecn, make)
                want = make(f[-32:], smac=FAR, dmac=NEAR,
                            **{"tos" if make is inner4 else "tclass": 0x28 | to})
                takes(v + "%d in %d" % (ecn, out), outer(vxlan(f), tos=0x44 | out), want)
        f = arp(smac=FAR)
        takes("47 IPv%d: CE around ARP" % family, outer(vxlan(f), tos=3), f)


# --- group policies --------------------------------------------------------------------------------------

TEXT = "\"%s: VXLAN-GBP, and non-VXLAN-GBP tunnels can't be configured on the same dst_port\""


def mixed():
    """S38, and a port that has its device alone."""
    port(key=100)
    for name, more in (("vx2", {"exts": "gbp"}), ("vx1", {})):
        error = port(name, key=200 if name == "vx2" else 100, **more)
        want = TEXT % name if more else '""'
        if error.replace("[]", '""') != want:
            fail("38 %s" % name, error)
    if column("vx2", "ofport") != ["-1"]:
        fail("38 ofport of vx2", column("vx2", "ofport"))
    if port("vx2", key=200, exts="gbp", dst_port=4790) != "[]":
        fail("38 on another dst_port", column("vx2", "error"))
    no_port("vx2")
    before = column("vx1", "ofport")
    for exts, word in (({"exts": "gbp"}, True), ({}, False), ({"exts": "gbp"}, True)):
        if port(key=100, **exts) != "[]" or column("vx1", "ofport") != before:
            fail("38 alone, %s" % exts, column("vx1", "error", "ofport"))
        out = sh(VX, "--rundir", TMP + "/V", "exec", "ip", "-d", "link", "show", SYS)
        if (" gbp " in out) != word:
            fail("38 the device, %s" % exts, out)


def raw_policies():
    """11.5: from tunnel to tunnel; a port's own traffic has none."""
    port(key=100, exts="gbp")
    port("vx2", key=200, exts="gbp", remote_ip="10.0.0.3")
    for word0, out in ((0x88481234, 0x88481234), (0x88000001, 0x88000001), (0x88FFFFFF, 0x8848FFFF),
                       (0x08480001, 0x08000000), (0x88000000, 0x08000000), (0x08000000, 0x08000000)):
        f = inner4(b"policy %08x" % word0, smac=FAR, dmac="02:00:00:00:ee:77")  # flooded
        wire.read()
        wire.send(outer4(vxlan(f, word0=word0)))
        got = []

        def left():
            got.extend(d for d in (dissect(x) for _, x in wire.read(0.2)) if d and d.get("inner") == f)
            return got

        until(left)
        if [(d["word0"], d["vni"], d["dst"]) for d in got] != [("%08x" % out, 200, "10.0.0.3")]:
            fail("11.5 0x%08x goes on" % word0, got)
        if f not in [x for _, x in br1.read(0.5)]:
            fail("11.5 0x%08x: not delivered" % word0)
    f = unique()
    if {(d["word0"], d["dst"]) for d in outer_of(f)} - {("08000000", PEER), ("08000000", "10.0.0.3")}:
        fail("11.5 the bridge's own")
    no_port("vx2")


def explained(expr, send, *says):
    """What `vx explain` tells of the packet that 'send' sends."""
    p = subprocess.Popen([VX, "--rundir", TMP + "/V", "-d", "explain", "-c", "1", *expr.split()], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    send()
    try:
        out = p.communicate(timeout=5)[0]
    except subprocess.TimeoutExpired:
        p.kill()
        out = p.communicate()[0]
    for words in says:
        if not re.search(words, out):
            fail("explain %s: no word of %s" % (expr, words), out)


def told():
    port(key=100, exts="gbp")
    port("vx2", key=200, exts="gbp", remote_ip="10.0.0.3")
    f = inner4(b"explained", smac=FAR, dmac="02:00:00:00:ee:77")
    explained("udp port 4789", lambda: wire.send(outer4(vxlan(f, word0=0x88481234))),
              r"vxlan_rcv .*; group policy 4660, applied, not to be learnt from",
              r"vxlan_build +group policy 4660, applied")
    no_port("vx2")
    explained("inner icmp", lambda: br1.send(
        eth(FAR, NEAR, 0x0800, ip4("192.168.9.7", "192.168.9.8", 1, b"\x08\0\xf7\xff" + bytes(1430), frag=0x4000))),
              r"vxlan_xmit_one .*; longer than the path takes: the sender is told, 1450 bytes",
              r"vport_frame_hook")


def kernel_policies():
    """11.5 with the kernel's driver: the mark of a socket in P is the mark in Q."""
    for ns, dev, addr, me in (("P", "pv", "10.0.0.2", "10.0.0.1"), ("Q", "qv", None, "10.0.1.1")):
        if addr:
            sh("ip", "-n", TAG + ns, "addr", "add", addr + "/24", "dev", dev)
            sh("ip", "-n", TAG + ns, "link", "set", dev, "address", PEER_MAC)
        sh("ip", "-n", TAG + ns, "link", "add", "k0", "type", "vxlan", "id", "100", "dstport", "4789", "local",
           addr or "10.0.1.2", "remote", me, "gbp")
        sh("ip", "-n", TAG + ns, "addr", "add", "192.168.9.%d/24" % (2 if addr else 3), "dev", "k0")
        sh("ip", "-n", TAG + ns, "link", "set", "k0", "up")
    port(key=100, exts="gbp")
    port("vx2", key=100, exts="gbp", remote_ip="10.0.1.2")
    with inside("Q"):
        to = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with inside("P"):
        by = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    to.bind(("192.168.9.3", 7000))
    to.settimeout(2)
    to.setsockopt(socket.SOL_SOCKET, 75, 1)  # SO_RCVMARK
    for mark, want in ((0x481234, 0x481234), (0, 0), (0x7, 0x7), (0x40FFFF, 0x40FFFF), (0x30005, 0x5)):
        by.setsockopt(socket.SOL_SOCKET, 36, mark)  # SO_MARK
        by.sendto(b"%x" % mark, ("192.168.9.3", 7000))
        try:
            data, control, _, _ = to.recvmsg(100, 100)
        except TimeoutError:
            fail("11.5 mark 0x%x: nothing came" % mark)
            continue
        got = [struct.unpack("I", v)[0] for level, kind, v in control if (level, kind) == (1, 36)]
        if data != b"%x" % mark or got != [want]:
            fail("11.5 mark 0x%x in P" % mark, "%s in Q, wanted 0x%x" % (got, want))


# --- the path's MTU ---------------------------------------------------------------------------------------

def pings(what, ns, to, size, says):
    rc, out, err = run("ip", "netns", "exec", TAG + ns, "ping", "-M", "do", "-s", str(size), "-c", "2", "-i",
                       "0.2", "-W", "1", to)
    if says not in out + err:
        fail(what, out + err)


def too_long():
    """vxlan.md 3.9: who hears of a path that takes less; the answer comes out of the tunnel."""
    sh("ip", "-n", TAG + "V", "addr", "add", "192.168.9.1/24", "dev", "br1")
    pings("fits", "V", "192.168.9.2", 1422, " 0% packet loss")
    pings("from the bridge's interface", "V", "192.168.9.2", 1423, "Frag needed and DF set (mtu = 1450)")
    # From tunnel to tunnel, the second path takes less.
    for ns, dev in ("V", "eth0"), ("P", "pv"):
        sh("ip", "-n", TAG + ns, "link", "set", dev, "mtu", "1400")
    pings("tunnel to tunnel, fits", "Q", "192.168.9.2", 1322, " 0% packet loss")
    pings("tunnel to tunnel", "Q", "192.168.9.2", 1323, "Frag needed and DF set (mtu = 1350)")


keys()
heads(False)
heads(True)
sums()
source_ports()
broken()
mixed()
raw_policies()
told()
kernel_policies()
too_long()
finish()
