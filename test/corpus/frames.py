# SPDX-License-Identifier: Apache-2.0
"""Frames and their parts, for make.py and scripts.py."""
import os
import struct
import socket

top = os.path.dirname(os.path.abspath(__file__))
ME, HER, X = bytes.fromhex('020000000001'), bytes.fromhex('020000000002'), bytes.fromhex('020000000099')
BC = b'\xff' * 6


def put(target, name, data):
    os.makedirs(f'{top}/{target}', exist_ok=True)
    with open(f'{top}/{target}/{name}', 'wb') as f:
        f.write(data)


def ip(a):
    return socket.inet_pton(socket.AF_INET6 if ':' in a else socket.AF_INET, a)


def csum(b):
    b += b'\0' * (len(b) & 1)
    s = sum(struct.unpack(f'!{len(b) // 2}H', b))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def eth(payload, kind, dst=ME, src=HER, tags=()):
    return dst + src + b''.join(struct.pack('!HH', t, 7) for t in tags) + struct.pack('!H', kind) + payload


def ip4(payload, proto, src='10.0.0.2', dst='10.0.0.1', tos=0, frag=0, opts=b'', ttl=64):
    n = 5 + len(opts) // 4
    h = struct.pack('!BBHHHBBH', 0x40 | n, tos, n * 4 + len(payload), 7, frag, ttl, proto, 0) + ip(src) + ip(dst) + opts
    return h[:10] + struct.pack('!H', csum(h)) + h[12:] + payload


def ip6(payload, proto, src='fd00::2', dst='fd00::1', tos=0, ext=b'', hops=64):
    return struct.pack('!IHBB', 6 << 28 | tos << 20, len(ext) + len(payload), proto, hops) + ip(src) + ip(dst) + ext + payload


def l4sum(src, dst, proto, seg, at):
    pseudo = ip(src) + ip(dst) + struct.pack('!II', len(seg), proto)
    return seg[:at] + struct.pack('!H', csum(pseudo + seg)) + seg[at + 2:]


def partial_sum(src, dst, proto, seg, at):
    """The sum of the pseudo-header alone, as a virtual link leaves it."""
    pseudo = ip(src) + ip(dst) + struct.pack('!II', len(seg), proto)
    return seg[:at] + struct.pack('!H', 0xffff & ~csum(pseudo)) + seg[at + 2:]


def udp(data, src, dst, sport=4000, dport=7000, partial=False):
    seg = struct.pack('!HHHH', sport, dport, 8 + len(data), 0) + data
    return (partial_sum if partial else l4sum)(src, dst, 17, seg, 6)


def lite(data, src, dst, cover=0, sport=4000, dport=7000):
    seg = struct.pack('!HHHH', sport, dport, cover, 0) + data
    part = seg[:cover] if cover else seg
    pseudo = ip(src) + ip(dst) + struct.pack('!II', len(seg), 136)
    return seg[:6] + struct.pack('!H', csum(pseudo + part)) + seg[8:]


def tcp(data, src, dst, flags=0x18, partial=False, seq=1, sport=1000):
    seg = struct.pack('!HHIIBBHHH', sport, 80, seq, 2, 5 << 4, flags, 1000, 0, 0) + data
    return (partial_sum if partial else l4sum)(src, dst, 6, seg, 16)


me4, her4, me6, her6 = '10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2'


def icmp6(kind, body, src=her6, dst=me6, hops=64, code=0):
    return ip6(l4sum(src, dst, 58, struct.pack('!BBH', kind, code, 0) + body, 2), 58, src, dst, hops=hops)


def icmp4(kind, code, body, src=her4, dst=me4):
    b = struct.pack('!BBH', kind, code, 0) + body
    return ip4(b[:2] + struct.pack('!H', csum(b)) + b[4:], 1, src, dst)


def frag6(off, more, nxt, part, ident=9, rsvd=0, ext=b'', first=44):
    return eth(ip6(part, first, ext=ext + struct.pack('!BBHI', nxt, rsvd, off << 3 | more, ident)), 0x86dd)


def arp(op, dst=ME, sender=her4, target=me4, sha=HER):
    return eth(struct.pack('!HHBBH', 1, 0x800, 6, 4, op) + sha + ip(sender) + ME + ip(target), 0x806, dst, sha)


def vxlan(frame, vni=100, flags=8, rest=0, policy=0):
    return struct.pack('!II', flags << 24 | policy, vni << 8 | rest) + frame
