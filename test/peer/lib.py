# SPDX-License-Identifier: Apache-2.0
"""The bench of lib.sh from Python: sockets in its namespaces, frames, and the same question put to vx
and to the kernel."""
import ctypes
import errno
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

TAG, TMP, VX = os.environ["NSTAG"], os.environ["TMP"], os.environ["VX"]
VTEP, OTHER_LOCAL, PEER = "10.0.0.1", "10.0.0.11", "10.0.0.2"
VTEP6, PEER6 = "fd00::1", "fd00::2"
ETH0_MAC, PEER_MAC, DEV_MAC = "02:00:00:00:aa:01", "02:00:00:00:bb:02", "02:00:00:00:cc:01"
HOST_MAC = "02:00:00:00:dd:01"   # an inner sender
ETH_P_ALL = 3

failures = 0


def fail(what, detail=""):
    global failures
    failures += 1
    print("FAIL:", what)
    for line in str(detail).splitlines():
        print("   ", line)
    sys.stdout.flush()


def finish():
    print("%d failed" % failures if failures else "ok")
    sys.exit(1 if failures else 0)


# --- frames ------------------------------------------------------------------------------------------

def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def csum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def eth(dst, src, proto, data=b""):
    return mac(dst) + mac(src) + struct.pack("!H", proto) + data


def ip4(src, dst, proto, data, tos=0, ttl=64, ident=1, frag=0, bad=0):
    h = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + len(data), ident, frag, ttl, proto, 0,
                    socket.inet_aton(src), socket.inet_aton(dst))
    c = csum(h) ^ bad
    return h[:10] + struct.pack("!H", c) + h[12:] + data


def in6(a):
    return socket.inet_pton(socket.AF_INET6, a)


def ip6(src, dst, nxt, data, tclass=0, label=0, hop=64):
    return struct.pack("!IHBB", 6 << 28 | tclass << 20 | label, len(data), nxt, hop) + \
        in6(src) + in6(dst) + data


def udp(src, dst, sport, dport, data, check=None):
    """check: None right, else the value to put there; a function changes the right one."""
    h = struct.pack("!HHHH", sport, dport, 8 + len(data), 0)
    pack = in6 if ":" in src else socket.inet_aton
    pseudo = pack(src) + pack(dst) + struct.pack("!II", 8 + len(data), 17)
    c = csum(pseudo + h + data) or 0xFFFF
    if callable(check):
        c = check(c)
    elif check is not None:
        c = check
    return h[:6] + struct.pack("!H", c) + data


def vxlan(frame, vni=100, word0=0x08000000, low=0):
    return struct.pack("!II", word0, vni << 8 | low) + frame


def inner4(payload=b"x" * 32, src="192.168.9.2", dst="192.168.9.1", tos=0, ttl=64, frag=0,
           dmac=DEV_MAC, smac=HOST_MAC, sport=1111, dport=2222, ident=7):
    """With the default payload: 74 bytes."""
    return eth(dmac, smac, 0x0800,
               ip4(src, dst, 17, udp(src, dst, sport, dport, payload), tos, ttl, ident, frag))


def inner6(payload=b"x" * 32, src="fd09::2", dst="fd09::1", tclass=0, hop=64, label=0,
           dmac=DEV_MAC, smac=HOST_MAC, sport=1111, dport=2222):
    return eth(dmac, smac, 0x86DD,
               ip6(src, dst, 17, udp(src, dst, sport, dport, payload), tclass, label, hop))


def arp(dmac="ff:ff:ff:ff:ff:ff", smac=HOST_MAC):
    return eth(dmac, smac, 0x0806, struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac(smac) +
               socket.inet_aton("192.168.9.2") + bytes(6) + socket.inet_aton("192.168.9.1"))


def vlan(frame, vid=5):
    return frame[:12] + struct.pack("!HH", 0x8100, vid) + frame[12:]


def outer4(payload, src=PEER, dst=VTEP, sport=40000, dport=4789, check=None, tos=0, ttl=64):
    return eth(ETH0_MAC, PEER_MAC, 0x0800,
               ip4(src, dst, 17, udp(src, dst, sport, dport, payload, check), tos, ttl))


def outer6(payload, src=PEER6, dst=VTEP6, sport=40000, dport=4789, check=None, tos=0, hop=64):
    return eth(ETH0_MAC, PEER_MAC, 0x86DD,
               ip6(src, dst, 17, udp(src, dst, sport, dport, payload, check), tos, 0, hop))


def outer4_frags(payload, cut, src=PEER, dst=VTEP, sport=40000, ident=99):
    d = udp(src, dst, sport, 4789, payload)
    return [eth(ETH0_MAC, PEER_MAC, 0x0800, ip4(src, dst, 17, d[:cut], ident=ident, frag=0x2000)),
            eth(ETH0_MAC, PEER_MAC, 0x0800,
                ip4(src, dst, 17, d[cut:], ident=ident, frag=cut // 8))]


# --- what is on the wire -----------------------------------------------------------------------------

def check_sum(src, dst, seg):
    if seg[6:8] == b"\0\0":
        return "zero"
    pack = in6 if ":" in src else socket.inet_aton
    return "bad" if csum(pack(src) + pack(dst) + struct.pack("!II", len(seg), 17) + seg) else "good"


def dissect(f):
    """Fields of an outer packet, or None if it is not one."""
    d = {"dmac": f[:6].hex(":"), "smac": f[6:12].hex(":")}
    proto = struct.unpack("!H", f[12:14])[0]
    p = f[14:]
    if d["smac"] != ETH0_MAC:
        return None
    if proto == 0x0800 and p[9] == 17:
        n = struct.unpack("!H", p[2:4])[0]
        d.update(family=4, ihl=p[0] & 15, tos=p[1], ident=struct.unpack("!H", p[4:6])[0],
                 df=p[6] >> 6 & 1, frag=struct.unpack("!H", p[6:8])[0] & 0x3FFF, ttl=p[8],
                 head="bad" if csum(p[:20]) else "good", src=socket.inet_ntoa(p[12:16]),
                 dst=socket.inet_ntoa(p[16:20]), pad=len(p) - n)
        seg = p[20:n]
    elif proto == 0x86DD and p[6] == 17:
        w, n = struct.unpack("!IH", p[:6])
        d.update(family=6, tos=w >> 20 & 255, label=w & 0xFFFFF, ttl=p[7], frag=0,
                 src=socket.inet_ntop(socket.AF_INET6, p[8:24]),
                 dst=socket.inet_ntop(socket.AF_INET6, p[24:40]), pad=len(p) - 40 - n)
        seg = p[40:40 + n]
    else:
        return None
    if d["frag"]:
        first = d["frag"] == 0x2000
        d["bytes"] = (seg[2:6] + seg[8:] if first else seg).hex()  # not source port and checksum
        return d
    d["sport"], d["dport"], ulen = struct.unpack("!HHH", seg[:6])
    d.update(ulen=ulen - len(seg), sum=check_sum(d["src"], d["dst"], seg), word0=seg[8:12].hex(),
             vni=int.from_bytes(seg[12:15], "big"), low=seg[15], inner=seg[16:])
    return d


# --- namespaces and sockets --------------------------------------------------------------------------

libc = ctypes.CDLL(None, use_errno=True)


class inside:
    """with inside("V"): sockets are made in that namespace."""

    def __init__(self, letter):
        self.path = "/run/netns/" + TAG + letter

    def __enter__(self):
        self.old = os.open("/proc/self/ns/net", os.O_RDONLY)
        fd = os.open(self.path, os.O_RDONLY)
        if libc.setns(fd, 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(fd)

    def __exit__(self, *_):
        libc.setns(self.old, 0x40000000)
        os.close(self.old)


class Tap:
    """A packet socket on an interface: sends frames, keeps those that came in."""

    def __init__(self, letter, dev):
        with inside(letter):
            self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        with inside(letter):
            self.s.bind((dev, ETH_P_ALL))
            self.ifindex = socket.if_nametoindex(dev)
        self.s.setsockopt(263, 8, 1)  # PACKET_AUXDATA
        self.s.setsockopt(263, 1, struct.pack("iHH8s", self.ifindex, 1, 0, b""))  # promiscuous
        self.s.setblocking(False)

    def send(self, frame):
        self.s.setblocking(True)
        self.s.send(frame)
        self.s.setblocking(False)

    def read(self, wait=0.0):
        """[(packet type, frame)] that are there, after at most 'wait' seconds for the first."""
        out = []
        if wait and not select.select([self.s], [], [], wait)[0]:
            return out
        while True:
            try:
                data, control, _, addr = self.s.recvmsg(70000, 64)
            except OSError as e:
                if e.errno == errno.ENETDOWN:
                    continue
                return out
            if addr[2] == socket.PACKET_OUTGOING:
                continue
            for level, kind, aux in control:  # the host takes a VLAN tag out of the frame
                status, tci, tpid = struct.unpack("I12xHH", aux[:20])
                if (level, kind) == (263, 8) and status & 0x10:
                    data = data[:12] + struct.pack("!HH", tpid, tci) + data[12:]
            out.append((addr[2], data))

    def close(self):
        self.s.close()


def attr(kind, value):
    return struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def kernel_add(letter, dev, vni, local, extra):
    """A vxlan device of the kernel on port 4789 with attributes that an old ip has no word for."""
    address = attr(17, in6(local)) if ":" in local else attr(4, socket.inet_aton(local))
    data = attr(1, struct.pack("I", vni)) + attr(15, struct.pack("!H", 4789)) + address
    data += b"".join(attr(k, v) for k, v in extra.items())
    body = struct.pack("BxHiII", 0, 0, 0, 0, 0) + attr(3, dev.encode() + b"\0") + \
        attr(1, mac(DEV_MAC)) + attr(18, attr(1, b"vxlan\0") + attr(2, data))
    with inside(letter):
        s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    s.send(struct.pack("IHHII", 16 + len(body), 16, 0x605, 1, 0) + body)
    err = struct.unpack("i", s.recv(4096)[16:20])[0]
    s.close()
    if err:
        raise OSError(-err, "kernel_add")


def run(*words, limit=20):
    r = subprocess.run(words, capture_output=True, text=True, timeout=limit)
    return r.returncode, r.stdout, r.stderr


def sh(*words):
    rc, out, err = run(*words)
    if rc:
        raise RuntimeError("%s: exit %d: %s" % (" ".join(words), rc, err))
    return out


class Side:
    """'vx' in namespace V, 'kernel' in K, or 'exec' in X: iproute2 led to vxd by vx exec."""

    def __init__(self, name, letter, port):
        self.name, self.letter, self.port = name, letter, port
        self.wire = Tap("P", port)
        self.tap = None
        self.is_vx = name != "kernel"
        self.vx = [VX, "--rundir", TMP + "/" + letter]

    def ip(self, *words):
        """A command of the host: addresses, routes."""
        return run("ip", "-n", TAG + self.letter, *words)

    def link(self, *words):
        """... link WORDS, of vx or ip."""
        if self.name == "exec":
            return run(*self.vx, "exec", "ip", "link", *words)
        if self.is_vx:
            return run(*self.vx, "link", *words)
        return self.ip("link", *words)

    def fdb(self, *words):
        return run(*self.bridge("fdb", *words))

    def bridge(self, *words):
        """The command line of a bridge command."""
        if self.name == "exec":
            return [*self.vx, "exec", "bridge", *words]
        if self.is_vx:
            return [*self.vx, *words]
        return ["bridge", "-n", TAG + self.letter, *words]

    def sysctl(self, setting):
        sh("ip", "netns", "exec", TAG + self.letter, "sysctl", "-qw", setting)

    def make(self, *options, dev="vxlan1", tap=True, up=True, raw=None):
        """raw: for the kernel, {attribute: value} in place of the options (kernel_add())."""
        if raw and not self.is_vx:
            kernel_add(self.letter, dev, 100, options[options.index("local") + 1], raw)
            rc = 0
        else:
            rc, _, err = self.link("add", dev, "address", DEV_MAC, "type", "vxlan",
                                   *options)
        if rc:
            raise RuntimeError("%s: add %s: %s" % (self.name, options, err))
        if up:
            self.up(dev)
        if tap:
            self.tap = Tap(self.letter, dev)

    def up(self, dev="vxlan1"):
        rc, _, err = self.link("set", dev, "up")
        if rc:
            raise RuntimeError("%s: up: %s" % (self.name, err))

    def remove(self, dev="vxlan1"):
        if self.tap:
            self.tap.close()
            self.tap = None
        self.link("del", dev)

    def counters(self, dev="vxlan1"):
        """Those that are not 0, as {"rx packets": 1, ...}.  "otherhost" is IP's, not the driver's."""
        if self.is_vx:
            out = sh(*self.vx, "exec", "ip", "-j", "-s", "-s", "link", "show", dev)
        else:
            out = sh("ip", "-n", TAG + self.letter, "-j", "-s", "-s", "link", "show", dev)
        s = json.loads(out)[0]["stats64"]
        return {"%s %s" % (way, k): v for way in ("rx", "tx") for k, v in s[way].items()
                if v and k not in ("carrier_changes", "otherhost")}


def drops():
    out = sh(VX, "--rundir", TMP + "/V", "-j", "drops")
    return {d["reason"]: d["packets"] for d in json.loads(out)}


def minus(new, old):
    return {k: v - old.get(k, 0) for k, v in new.items() if v != old.get(k, 0)}


def sides():
    return Side("vx", "V", "pv"), Side("kernel", "K", "pk")


def until(fn, limit=2.0):
    """Calls fn until it gives something true; its last value."""
    end = time.time() + limit
    while True:
        v = fn()
        if v or time.time() > end:
            return v
        time.sleep(0.01)
