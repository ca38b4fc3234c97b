# SPDX-License-Identifier: Apache-2.0
"""Random frames, as bytes: of every kind that a switch looks at, and broken ones."""
import ipaddress
import struct

BROADCAST = "ff:ff:ff:ff:ff:ff"
# Groups, reserved ones and those next to them, some of which other vendors' switches reserve.
GROUPS = ["01:00:5e:00:00:01", "33:33:00:00:00:01", "01:80:c2:00:00:00", "01:80:c2:00:00:0e",
          "01:80:c2:00:00:0f", "01:80:c2:00:00:10", "01:80:c2:00:00:20", "01:80:c2:00:01:00",
          "01:00:0c:cc:cc:cc", "01:00:0c:cc:cc:cd", "01:00:0c:cd:cd:cd", "01:00:0c:00:00:00",
          "01:00:0c:cc:cc:c3", "00:e0:2b:00:00:00", "00:e0:2b:00:00:04", "00:e0:2b:00:00:06",
          "00:e0:2b:00:00:05", "01:00:0c:cc:cc:c8", "01:00:00:00:00:00"]


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def csum(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def addr4(host):
    return bytes([10, 0, 0, host])


def addr6(host):
    return ipaddress.ip_address("fd00::%x" % host).packed


# --- what is in an IP packet -------------------------------------------------------------------------

def l4_udp(rng, pseudo, size):
    data = rng.randbytes(size)
    length = 8 + size
    h = struct.pack("!HHHH", rng.choice([53, 4789, 5000]), rng.choice([53, 67, 4789]), length, 0)
    sum_ = csum(pseudo(17, length) + h + data) if rng.random() < 0.8 else 0
    return 17, h[:6] + struct.pack("!H", sum_ or rng.choice([0, 0xFFFF])) + data


def tcp(pseudo, sport, dport, seq, flags, data):
    h = struct.pack("!HHIIBBHHH", sport, dport, seq, 1, 0x50, flags, 1000, 0, 0)
    return h[:16] + struct.pack("!H", csum(pseudo(6, 20 + len(data)) + h + data)) + h[18:] + data


def l4_tcp(rng, pseudo, size):
    flags = rng.choice([0x02, 0x10, 0x18, 0x11, 0x04, 0xC2, 0])
    return 6, tcp(pseudo, rng.choice([80, 1000]), rng.choice([80, 1000]), 7, flags, rng.randbytes(size))


def l4_icmp(rng, pseudo, size):
    version = 4 if len(pseudo(0, 0)) == 12 else 6
    kind = rng.choice([0, 3, 8] if version == 4 else [128, 129, 1, 135, 136, 133, 143])
    data = struct.pack("!BBHHH", kind, 0, 0, 1, 1) + rng.randbytes(size)
    if kind in (135, 136): # with a target, and perhaps a link-layer address
        data = data[:8] + addr6(rng.randrange(1, 5)) + (b"\x01\x01" + rng.randbytes(6)) * rng.randrange(2)
    sum_ = csum((pseudo(58, len(data)) if version == 6 else b"") + data)
    return (1 if version == 4 else 58), data[:2] + struct.pack("!H", sum_) + data[4:]


def l4_other(rng, pseudo, size):
    return rng.choice([2, 47, 50, 89, 132, 136, 253]), rng.randbytes(size)


def l4(rng, pseudo):
    fn = rng.choice([l4_udp, l4_udp, l4_tcp, l4_tcp, l4_icmp, l4_other])
    return fn(rng, pseudo, rng.choice([0, 1, 18, 100] if rng.random() < 0.97 else [1340]))


def ip4(rng, src, dst, proto, data, ident=0, frag=0, options=b""):
    words = 5 + len(options) // 4
    h = struct.pack("!BBHHHBBH", 0x40 | words, rng.choice([0, 0x10, 0xB9]), words * 4 + len(data), ident,
                    frag, rng.choice([64, 64, 1, 0]), proto, 0) + addr4(src) + addr4(dst) + options
    return h[:10] + struct.pack("!H", csum(h)) + h[12:] + data


def packet4(rng, src, dst):
    def pseudo(proto, length):
        return addr4(src) + addr4(dst) + struct.pack("!BBH", 0, proto, length)
    proto, data = l4(rng, pseudo)
    frag = rng.choice([0, 0, 0, 0, 0x4000, 0x2000, 0x2005, 0x0007])
    return 0x0800, ip4(rng, src, dst, proto, data, rng.randrange(65536), frag,
                       rng.choice([b"", b"", b"", b"\x94\x04\0\0"]))


def packet6(rng, src, dst):
    def pseudo(proto, length):
        return addr6(src) + addr6(dst) + struct.pack("!II", length, proto)
    proto, data = l4(rng, pseudo)
    extension = rng.choice([None, None, None, 0, 43, 44, 60])
    if extension is not None:
        data = struct.pack("!BBHI", proto, 0, rng.choice([0, 1, 8]), 5) + data
        proto = extension
    return 0x86DD, struct.pack("!IHBB", 6 << 28 | rng.choice([0, 0xB9 << 20, 5]), len(data), proto,
                               rng.choice([64, 255, 1])) + addr6(src) + addr6(dst) + data


def arp(rng, src_mac, src, dst, op=None):
    op = op or rng.choice([1, 1, 2, 3, 8])
    target = rng.choice([b"\0" * 6, mac(src_mac)])
    spa = addr4(src)
    tpa = rng.choice([addr4(dst), addr4(dst), spa]) # gratuitous
    return 0x0806, struct.pack("!HHBBH", 1, 0x0800, 6, 4, op) + mac(src_mac) + spa + target + tpa


# --- frames ------------------------------------------------------------------------------------------

def broken(rng, kind, data):
    """Too short, a wrong byte, padded."""
    how = rng.randrange(4)
    if how == 0:
        return kind, data[:rng.randrange(len(data) + 1)]
    if how == 1 and data:
        at = rng.randrange(min(len(data), 40))
        return kind, data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:]
    if how == 2:
        return kind, data + b"\0" * rng.randrange(1, 30)
    return rng.choice([0x0800, 0x86DD, 0x0806, 0x8847, 0x88CC, 0x894F, 0x8902, 0x8809, 0x6558]), data


def payload(rng, src_mac, src, dst):
    """(Ethernet type, bytes)."""
    what = rng.randrange(10)
    if what < 2:
        kind, data = arp(rng, src_mac, src, dst)
    elif what < 5:
        kind, data = packet4(rng, src, dst)
    elif what < 7:
        kind, data = packet6(rng, src, dst)
    elif what < 9:
        kind, data = 0x1234, rng.randbytes(rng.choice([200, 1450] if rng.random() < 0.1 else [0, 2, 46]))
    else:
        kind, data = rng.choice([10, 0x05FF, 0x0600]), b"\xaa\xaa\x03\0\0\0\x08\0" + rng.randbytes(30)
    if rng.random() < 0.12:
        kind, data = broken(rng, kind, data)
    if rng.random() < 0.15:
        data += b"\0" * (46 - len(data))
    return kind, data


def frame(dst, src, tags, kind, data):
    """'tags': (TPID, TCI) of each, the outermost first."""
    return mac(dst) + mac(src) + b"".join(struct.pack("!HH", *t) for t in tags) + \
        struct.pack("!H", kind) + data


def truncated(rng, dst, src, tpid):
    """A tag that is not all there."""
    return mac(dst) + mac(src) + struct.pack("!H", tpid) + rng.randbytes(rng.randrange(0, 4))


def segments(rng, dst, src, tags, hosts):
    """What one TCP connection sends: receivers may coalesce it."""
    size, seq, out = rng.choice([100, 500]), rng.randrange(1 << 31), []

    def pseudo(proto, length):
        return addr4(hosts[0]) + addr4(hosts[1]) + struct.pack("!BBH", 0, proto, length)
    for i in range(rng.randrange(2, 7)):
        data = rng.randbytes(size if rng.random() < 0.9 else size - 20)
        l4_bytes = tcp(pseudo, 80, 1000, seq, rng.choice([0x10, 0x10, 0x18]), data)
        h = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(l4_bytes), 100 + i, 0x4000, 64, 6, 0) + \
            addr4(hosts[0]) + addr4(hosts[1])
        h = h[:10] + struct.pack("!H", csum(h)) + h[12:]
        out.append(frame(dst, src, tags, 0x0800, h + l4_bytes))
        seq += len(data)
    return out
