#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Floods of frames of which no two are of one flow, and probes of new flows beside them.
#
#   ovs_flood.py port DEV RATE SECONDS           random addresses
#   ovs_flood.py remote DEV RATE SECONDS PEER    the same in VXLAN, VNI 100, from DEV's own address
#   ovs_flood.py sources DEV RATE SECONDS PEER   the same, each from another outer source
#     PEER is MAC/ADDRESS of the tunnel's other end.  Prints the rate that was reached.
#   ovs_flood.py probe DEV ADDRESS N             N times: who has ADDRESS, asked by a new MAC; prints
#                                                the milliseconds until the answer came, "lost"
import ctypes
import fcntl
import os
import random
import select
import socket
import struct
import sys
import time

BATCH = 256


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32),
                ("iov", ctypes.POINTER(Iovec)), ("iovlen", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class Mmsghdr(ctypes.Structure):
    _fields_ = [("hdr", Msghdr), ("len", ctypes.c_uint32)]


libc = ctypes.CDLL(None, use_errno=True)


def raw_socket(dev, protocol=0):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    s.bind((dev, protocol))
    return s


def mac_of(sock, dev):
    return fcntl.ioctl(sock, 0x8927, struct.pack("256s", dev.encode()))[18:24]


def address_of(dev):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        return fcntl.ioctl(s, 0x8915, struct.pack("256s", dev.encode()))[20:24]


def checksum(data):
    n = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return ~n & 0xffff


def ip_header(src, dst, length):
    h = struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, 0, 0x4000, 64, 17, 0, src, dst)
    return h[:10] + struct.pack("!H", checksum(h)) + h[12:]


def inner():
    udp = struct.pack("!HHHH", 1, 9, 26, 0) + bytes(18)
    return bytes(12) + b"\x08\x00" + ip_header(b"\x0a\1\1\1", b"\x0a\1\1\2", 46) + udp


def outer(sock, dev, peer):
    mac, address = peer.split("/")
    body = struct.pack("!II", 0x08000000, 100 << 8) + inner()
    udp = struct.pack("!HHHH", 40000, 4789, 8 + len(body), 0)
    ip = ip_header(address_of(dev), socket.inet_aton(address), 28 + len(body))
    return bytes.fromhex(mac.replace(":", "")) + mac_of(sock, dev) + b"\x08\x00" + ip + udp + body


class Sender:
    """Frames like 'frame', in one buffer that sendmmsg() takes as it is."""

    def __init__(self, sock, frame):
        self.fd = sock.fileno()
        self.size = len(frame)
        self.buf = (ctypes.c_char * (BATCH * self.size)).from_buffer(bytearray(frame * BATCH))
        self.iov = (Iovec * BATCH)()
        self.msgs = (Mmsghdr * BATCH)()
        for i in range(BATCH):
            self.iov[i] = Iovec(ctypes.addressof(self.buf) + i * self.size, self.size)
            self.msgs[i].hdr.iov = ctypes.pointer(self.iov[i])
            self.msgs[i].hdr.iovlen = 1

    def send(self):
        n = libc.sendmmsg(self.fd, self.msgs, BATCH, 0)
        if n < 0 and ctypes.get_errno() not in (11, 105):  # EAGAIN, ENOBUFS
            raise OSError(ctypes.get_errno(), "sendmmsg")
        return max(n, 0)


def flood(what, dev, rate, seconds, peer=None):
    sock = raw_socket(dev)
    frame = inner() if what == "port" else outer(sock, dev, peer)
    macs = 0 if what == "port" else 50
    s = Sender(sock, frame)
    began = now = time.monotonic()
    n, serial = 0, os.getpid() << 24
    sources = random.Random(1)
    while now < began + float(seconds):
        for at in range(macs, BATCH * s.size, s.size):
            serial += 1
            # Locally administered, unicast, both unlike all before.
            struct.pack_into("!HIHI", s.buf, at, 0x0200 | serial >> 32 & 0xff, serial & 0xffffffff,
                             0x0600 | serial >> 32 & 0xff, serial & 0xffffffff)
            if what == "sources":
                ip = at - macs + 14
                struct.pack_into("!H", s.buf, ip + 10, 0)
                struct.pack_into("!I", s.buf, ip + 12, 0x0b000000 | sources.getrandbits(24))
                struct.pack_into("!H", s.buf, ip + 10, checksum(bytes(s.buf[ip:ip + 20])))
        n += s.send()
        now = time.monotonic()
        ahead = began + n / float(rate) - now
        if ahead > 0:
            time.sleep(ahead)
            now = time.monotonic()
    print(f"{n / (now - began):.0f}")


def probe(dev, address, count):
    sock = raw_socket(dev, 0x0806)
    target = socket.inet_aton(address)
    took = []
    for i in range(int(count)):
        mac = bytes([2, 0x77]) + os.urandom(4)
        own = target[:3] + bytes([100 + i % 100])
        arp = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, mac, own, bytes(6), target)
        began = time.monotonic()
        sock.send(b"\xff" * 6 + mac + b"\x08\x06" + arp + bytes(18))
        answer = None
        while answer is None and (left := began + 1 - time.monotonic()) > 0:
            if not select.select([sock], [], [], left)[0]:
                break
            got = sock.recv(2048)
            if got[:6] == mac and got[20:22] == b"\x00\x02":
                answer = (time.monotonic() - began) * 1000
        took.append("lost" if answer is None else f"{answer:.1f}")
        time.sleep(0.05)
    print(*took)


if sys.argv[1] == "probe":
    probe(*sys.argv[2:])
else:
    flood(*sys.argv[1:])
