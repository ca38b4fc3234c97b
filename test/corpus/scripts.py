# SPDX-License-Identifier: Apache-2.0
"""Seeds of the fuzz targets whose input is a script (src/net/script.h): control and device."""
from frames import *

TABLE = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.255', '10.9.0.1', '10.9.0.2', '239.1.1.1', '224.0.0.1', '127.0.0.1',
         '0.0.0.0', '255.255.255.255', '192.168.9.1', '192.168.9.2', '240.0.0.1', 'fd00::1', 'fd00::2', 'fd00::3', 'fe80::1',
         'fe80::2', 'ff02::1', 'ff0e::5', '::1', '::', 'fd09::1', 'fd09::2', '10.0.0.0', '11.0.0.1', 'fd77::1']
MTUS = [68, 100, 576, 1280, 1400, 1500, 9000, 65535, 60, 70000]
TENTHS = [0, 1, 5, 10, 20, 50, 100, 300, 600, 3010, 6010, 36000]
MACS = {'zero': 0, 'me': 1, 'her': 2, 'x': 3, 'all': 4, 'group4': 5, 'group6': 6}
PORTS = [7000, 4789, 7001, 7256, 0]


# --- steps of net/script.c and net/script_ctl.c ---
def at(a):
    """An address."""
    if a in TABLE:
        return bytes([TABLE.index(a)])
    return bytes([0xc0 if ':' in a else 0x80]) + ip(a)


def u16(*v):
    return struct.pack(f'!{len(v)}H', *v)


def opt(v):
    return b'' if v is None else bytes([v])


def step(op, *parts):
    return bytes([op]) + b''.join(bytes([p]) if isinstance(p, int) else p for p in parts)


def meta(f, flags, cut, start, off, gso):
    """What read_pkt() reads behind the flags."""
    return (bytes([cut]) if flags & 1 else b'') + (u16(start, off, gso) if flags & 8 else b'') + u16(len(f)) + f


# Flags: 1 cut, 2 known good, 4 summed, 8 unfinished, 0x30 GSO type, 0x40 IPv4 header made right, 0x80 wait for the next.
def frame(f, port=0, flags=0, cut=0, start=0, off=0, gso=0):
    return step(0, port, flags, meta(f, flags, cut, start, off, gso))


def frames(*fs, flags=0, **kw):
    """Polled together."""
    return b''.join(frame(f, flags=flags | 0x80 * (f is not fs[-1]), **kw) for f in fs)


def xmit(f, dev=0, n=1, flags=0, cut=0, start=0, off=0, gso=0, worker=0):
    return step(1, worker, dev, n - 1, flags, meta(f, flags, cut, start, off, gso))


def flood(f, n, offset, port=0, flags=0x40):
    """n frames, in which the 16 bits at 'offset' count."""
    return step(24, port, u16(n, offset), flags, u16(len(f)) + f)


def wait(seconds):
    return step(2, TENTHS.index(int(seconds * 10)))


def addr(a, plen, dev=0, delete=False, brd=None):
    return step(3, delete | (2 if brd else 0) | 4, plen, dev, at(a), at(brd) if brd else b'')


def group(a, dev=0, leave=False):
    return step(4, leave, dev, at(a))


def route(dst, plen, delete=False, how=0, kind=None, via=None, src=None, dev=None, bad_dev=False, metric=None, mtu=None,
          locked=False, hops=None):
    what = delete | (2 if ':' in dst else 0) | (0 if kind is None else 4) | 8 | how << 4
    has = (1 if via else 0) | (2 if src else 0) | (0 if dev is None else 4) | (8 if bad_dev else 0) | \
          (0 if metric is None else 16) | (0 if mtu is None else 32) | (64 if locked else 0) | (0 if hops is None else 128)
    return step(5, what, has, at(dst), plen, opt(kind), at(via) if via else b'', at(src) if src else b'', opt(dev), opt(metric),
                b'' if mtu is None else MTUS.index(mtu), opt(hops))


def route_get(dst, src='::', dev=None):
    return step(6, at(dst), at(src), dev or 0, 0 if dev is None else 1)


def neigh(a, mac='her', dev=0, delete=False, how=0, state=0x80):
    return step(7, delete | (2 if mac else 0) | how << 2 | 16, dev, at(a), state, MACS[mac] if mac else b'')


# Flags: 1 IPv6, 2 lite, 4 no checksum needed, 8 short queue, 16 bound, 32 tunnel, 64 reader, 128 coverage.
def sock(i, flags, port=7000, bind=None, cover=None):
    return step(8, i, flags | (16 if bind else 0) | (0 if cover is None else 128), PORTS.index(port), at(bind) if bind else b'',
                opt(cover))


def connect(i, a, port=4000):
    return step(9, i, at(a), u16(port))


def send(i, a, n=20, port=7000, worker=0):
    return step(10, worker, i, at(a), PORTS.index(port), u16(n))


def recv(i, worker=0):
    return step(11, worker, i)


def close(i):
    return step(12, i)


def hook(i, point, verdict=0, prio=0, off=False):
    return step(13, (not off) | point << 1 | verdict << 3, i, b'' if off else prio)


def raw(i, fam=0, number=17, off=False):
    return step(14, (not off) | fam << 1, i, b'' if off else number)


def ptype(i, kind=0, off=False, dev=None):
    return step(15, (not off) | kind << 1 | (0 if dev is None else 16), i, opt(dev))


def rx_handler(dev=0, on=True):
    return step(16, on, dev)


def proto(fam=0, on=True):
    return step(17, on | fam << 1)


def watch(n=60):
    return step(18, (n > 0) | n << 2)


def set_link(dev=0, mac=None, mtu=None, up=None, master=None, no_master=False):
    what = (1 if mac else 0) | (0 if mtu is None else 2) | (0 if up is None else 4) | (8 if up else 0) | \
           (0 if master is None and not no_master else 16) | (0 if master is None else 32) | (64 if no_master else 0)
    return step(19, what, dev, MACS[mac] if mac else b'', b'' if mtu is None else MTUS.index(mtu), opt(master))


def del_link(dev=0):
    return step(20, 0, dev)


def promisc(dev=0):
    return step(21, 0, dev)


def rename(dev=0):
    return step(21, 4, dev)


def dump(n=0, what=0, dev=0):
    return step(22, n | what << 3, dev)


def call(worker=0):
    return step(23, worker)


def memory(good, bad=1):
    """After 'good' allocations 'bad' ones fail."""
    return step(25, good, bad)


def every(*steps, n=4):
    """Each step with its first, second, ... allocation refused."""
    return [x for s in steps for i in range(n) for x in (memory(i), s)]


# --- steps of vxlan/device_fuzz.c ---
OPTS = {n: i for i, n in enumerate('''id remote local dev ttl ttl-inherit tos df label label-policy ageing limit srcport dstport
learning proxy rsc l2miss l3miss udpcsum zcsum6tx zcsum6rx remcsumtx remcsumrx remcsum-nopartial external vnifilter gbp gpe
localbypass reserved mcroute peers'''.split())}
NAMES = ['', 'vx%d', 'vx7', 'up0', 'a/b', '..', 'eth0', '%d%d']
WIDTH = {'ttl': 1, 'tos': 1, 'df': 1, 'peers': 1, 'dstport': 2}
BOOLS = set('''ttl-inherit learning proxy rsc l2miss l3miss udpcsum zcsum6tx zcsum6rx remcsumtx remcsumrx remcsum-nopartial
external vnifilter gbp gpe localbypass mcroute'''.split())


def options(**kw):
    out = bytes([len(kw)])
    for k, v in kw.items():
        k = k.replace('_', '-')
        out += bytes([OPTS[k]])
        if k in ('remote', 'local'):
            out += at(v)
        elif k == 'dev':  # (device, 4) or (0, index of the host's)
            out += bytes(v)
        elif k == 'srcport':
            out += u16(*v)
        elif k == 'reserved':
            out += struct.pack('!Q', v)
        elif k in BOOLS:
            out += bytes([v])
        else:
            out += v.to_bytes(WIDTH.get(k, 4), 'big')
    return out


def new(name='vx%d', up=True, nohost=False, mac=None, mtu=None, index=None, master=None, netns=False, **kw):
    what = up | nohost << 1 | (4 if mac else 0) | (0 if mtu is None else 8) | \
           (0 if index is None else 16 | (32 if index >= 0 else 0)) | (0 if master is None else 64) | netns << 7
    return step(32, what, NAMES.index(name), MACS[mac] if mac else b'', b'' if mtu is None else MTUS.index(mtu),
                b'' if index is None else abs(index), opt(master), options(**kw))


def change(which, **kw):
    return step(33, which, options(**kw))


NL = {'add': 0, 'append': 1, 'create-replace': 2, 'replace': 3, 'only-append': 4, 'none': 5}


def request(mac, how='add', state=0x80, flags=2, dst=None, port=None, vni=None, src_vni=None, via=None, nhid=False,
            protocol=None):
    has = (1 if dst else 0) | (0 if port is None else 2) | (0 if vni is None else 4) | (0 if src_vni is None else 8) | \
          (0 if via is None else 16) | nhid << 5 | (0 if protocol is None else 64)
    return bytes([has, MACS[mac] if isinstance(mac, str) else mac, NL[how], state, flags]) + (at(dst) if dst else b'') + \
        (b'' if port is None else u16(port)) + opt(vni) + opt(src_vni) + opt(via) + opt(protocol)


def fdb(dev, mac, how='add', **kw):
    return step(34, dev, 0, request(mac, how, **kw))


def fdb_del(dev, mac, **kw):
    return step(34, dev, 2, request(mac, **kw))


def fdb_get(dev, mac):
    return step(34, dev, 3, request(mac))


def fdb_many(dev, n, first=1):
    return step(35, dev, n, first, request(0, state=2, dst='10.0.0.2'))


def flush(dev, state=0, flags=0, state_mask=None, flags_mask=None, dst=None, port=None, vni=None, src_vni=None, via=None):
    has = (0 if state_mask is None else 1) | (0 if flags_mask is None else 2) | (4 if dst else 0) | \
          (0 if port is None else 8) | (0 if vni is None else 16) | (0 if src_vni is None else 32) | (0 if via is None else 64)
    return step(36, dev, has, state, flags, opt(state_mask), opt(flags_mask), at(dst) if dst else b'',
                b'' if port is None else u16(port), opt(vni), opt(src_vni), opt(via))


def fdb_dump(dev, n=0):
    return step(37, dev, n)


# What: 1 no route, 2 sending fails, 4 opening fails (with errno 'e'), 8 the route's type is e.
def host(what=0, e=0, mtu=None, index=False, src=None):
    return step(38, what | (0 if mtu is None else 16) | (32 if index else 0) | (64 if src else 0), e,
                b'' if mtu is None else MTUS.index(mtu), at(src) if src else b'')


# What: 3 outer ECN, 4 no mark of the checksum, 8 outer checksum not seen, n << 4 copies, 0x80 wait for the next.
def datagram(payload, sk=0, what=0, src='10.0.0.2', flags=0, cut=0, worker=0):
    return step(39, worker, sk, what, at(src), flags, meta(payload, flags, cut, 0, 0, 0))


# What: 1 to be sent, 2 checksum, 4 DF, 8 a port of its own, 16 a source, 32 no tunnel, 64 a policy, 128 a mark.
def tunnel(payload, dev=1, what=1, vni=5, dst='10.0.0.2', src='10.0.0.1', flags=0, cut=0, worker=0):
    return step(40, worker, dev, what, struct.pack('!I', vni), at(dst), at(src) if what & 16 else b'', flags,
                meta(payload, flags, cut, 0, 0, 0))


def together(*fs, flags=0, **kw):
    """Frames in datagrams that the device polls together."""
    return b''.join(datagram(vxlan(f), what=0x80 * (f is not fs[-1]), flags=flags, **kw) for f in fs)


def control(name, *steps, flags=0):
    """Flags: 1 two workers, 2 few buffers, 4 no sockets (else 0, 1 are tunnels' and 2, 3 ordinary, IPv4 and IPv6)."""
    put('control', name, bytes([flags]) + b''.join(steps))


def device(name, *steps, flags=0):
    """Flags: 1 two workers, 2 few buffers, 4 no device, 8 over vx's stack, 16 over IPv6, 32 peers known, 64 external,
    128 group policies.
    Device 0 is up0, 1 is vx0."""
    put('device', name, bytes([flags]) + b''.join(steps))


# --- frames ---
d4, d6 = udp(b'd' * 64, her4, me4), udp(b'd' * 64, her6, me6)
u4, u6 = eth(ip4(d4, 17), 0x800), eth(ip6(d6, 17), 0x86dd)
closed4 = eth(ip4(udp(b'q' * 300, her4, me4, dport=9), 17), 0x800)
closed6 = eth(ip6(udp(b'q' * 300, her6, me6, dport=9), 17), 0x86dd)
BC4 = eth(ip4(udp(b'b' * 8, her4, '10.0.0.255'), 17, dst='10.0.0.255'), 0x800, BC)
MC4 = eth(ip4(udp(b'm' * 8, her4, '239.1.1.1'), 17, dst='239.1.1.1'), 0x800, bytes.fromhex('01005e010101'))
MC6 = eth(ip6(udp(b'm' * 8, her6, 'ff0e::5'), 17, dst='ff0e::5'), 0x86dd, bytes.fromhex('333300000005'))
echo4 = eth(icmp4(8, 0, b'\0\1\0\2hello'), 0x800)
echo6 = eth(icmp6(128, b'\0\1\0\2hello'), 0x86dd)
ns = lambda body, src=her6, hops=255: frame(eth(icmp6(135, b'\0' * 4 + body, src=src, hops=hops), 0x86dd))
na = lambda flags, body: frame(eth(icmp6(136, flags + b'\0\0\0' + body, hops=255), 0x86dd))
f4 = lambda part, off, more=1, **kw: eth(ip4(part, 17, frag=more << 13 | off, **kw), 0x800)
mine4 = lambda to=her4, sport=7000, dport=4000: ip4(udp(b'd' * 8, me4, to, sport=sport, dport=dport), 17, me4, to)
mine6 = ip6(udp(b'd' * 8, me6, her6, sport=7000, dport=4000), 17, me6, her6)
A4, B4, A6, B6 = '192.168.9.2', '192.168.9.1', 'fd09::2', 'fd09::1'
IPX = lambda tos=0, n=40: eth(ip4(udp(b'x' * n, A4, B4), 17, A4, B4, tos=tos), 0x800, dst=X)
IPX6 = lambda tos=0, n=40: eth(ip6(udp(b'x' * n, A6, B6), 17, A6, B6, tos=tos), 0x86dd, dst=X)
L2 = lambda dst=X, src=HER: eth(b'x' * 46, 0x1234, dst, src)
over4 = lambda f, vni=100: eth(ip4(udp(vxlan(f, vni), her4, me4, dport=4789), 17), 0x800)
tso4 = lambda n, **kw: eth(ip4(tcp(b'a' * n, A4, B4, partial=True, **kw), 6, A4, B4), 0x800, dst=X)


def id4(f, i, df=True):
    h = f[14:18] + u16(i) + (b'\x40\0' if df else b'\0\0') + f[22:24] + b'\0\0' + f[26:34]
    return f[:14] + h[:10] + u16(csum(h)) + h[12:] + f[34:]


def train(n, v6=False, size=60, gap=0, last=None, sport=1000, flags=0x10):
    """TCP segments that follow each other."""
    s, d = (her6, me6) if v6 else (her4, me4)
    segs = [tcp(b'g' * (last if last is not None and i == n - 1 else size), s, d, seq=1 + i * (size + gap), sport=sport,
                flags=flags) for i in range(n)]
    return [eth(ip6(x, 6), 0x86dd) if v6 else id4(eth(ip4(x, 6), 0x800), 7 + i) for i, x in enumerate(segs)]


# --- control: what control changes ---
control('addresses', addr('10.0.0.3', 24), addr('10.0.0.3', 24), addr('10.0.0.3', 25, delete=True),
        addr('10.0.0.3', 24, delete=True), addr('fd00::3', 64), addr('10.0.0.2', 40), addr('fd00::2', 129),
        addr('239.1.1.1', 24), addr('127.0.0.1', 8), addr('0.0.0.0', 0), addr('240.0.0.1', 24),
        addr('192.168.9.1', 24, brd='192.168.9.2'), addr('10.9.0.2', 31), addr('fe80::1', 64), dump(), dump(2),
        addr('fd00::1', 64, delete=True), frame(u6), frame(echo6))
control('groups', group('239.1.1.1'), group('239.1.1.1'), group('ff0e::5'), group('10.0.0.2'), frame(MC4), frame(MC6),
        frame(BC4), recv(2), recv(3), *[group('239.1.1.1', leave=True)] * 3, frame(MC4), group('224.0.0.1', 1),
        send(2, '239.1.1.1'), send(3, 'ff0e::5'), send(2, '224.0.0.1'), wait(1), del_link(0))
control('routes', route('192.168.9.1', 24, via='10.0.0.2', metric=5, mtu=1400, hops=9), route('192.168.9.1', 24, how=1, dev=0),
        route('192.168.9.1', 24, how=3, via='10.0.0.3', metric=5, mtu=576, locked=True),
        route('192.168.9.1', 24, how=4, dev=1, metric=7), route('fd77::1', 64, via='fd00::2', src='fd00::1'),
        route('::', 0, via='fe80::2', dev=0), route('0.0.0.0', 0, via='10.0.0.2'), route('11.0.0.1', 32, kind=5),
        route('fd09::2', 128, kind=6), route('11.0.0.1', 8, kind=3), route('10.9.0.2', 33, dev=0),
        route('11.0.0.1', 8, bad_dev=True), route('11.0.0.1', 8, via='240.0.0.1'), route('11.0.0.1', 8),
        route('11.0.0.1', 8, dev=0, src='11.0.0.1'), route('fd77::1', 64, how=5), route('fd77::1', 64, how=2, via='fd00::3'),
        dump(), dump(what=1), dump(what=2), dump(1), dump(2), dump(3), route_get('192.168.9.2'), route_get('11.0.0.1'),
        route_get('fd09::2'), route_get('fd77::1'), route_get('10.0.0.1'), route_get('8.8.8.8'), route_get('::'),
        route_get('10.0.0.255'), route_get('255.255.255.255', dev=0), route_get('127.0.0.1'),
        route_get('192.168.9.2', '10.0.0.1', 1), neigh('10.0.0.3'), neigh('fd00::3'), send(2, '192.168.9.2', 700),
        send(2, '11.0.0.1'), send(3, 'fd77::1', 1500), send(3, 'fd09::2'), send(2, '8.8.8.8'),
        route('192.168.9.1', 24, delete=True, dev=1), route('fd77::1', 64, delete=True), route('fd77::1', 64, delete=True),
        route('0.0.0.0', 0, delete=True), del_link(0), dump())
control('route-get', route_get('239.1.1.1', dev=0), route_get('239.1.1.1', '10.0.0.1'), route_get('239.1.1.1', '10.0.0.9'),
        route_get('239.1.1.1'), route_get('ff0e::5', dev=0), route_get('10.77.0.1', dev=0), route_get('fd77::1', dev=1),
        route_get('fe80::2', dev=0), route_get('fe80::2'), route_get('10.0.0.2', '10.9.0.1'), route_get('10.0.0.2', '11.0.0.1'),
        route_get('0.0.0.0'), route_get('255.255.255.255'), route('::', 0, dev=0, mtu=576), route('0.0.0.0', 0, dev=0, mtu=60),
        route('fd77::1', 64, via='10.0.0.2'), route('11.0.0.1', 8, via='fd00::2'), route('11.0.0.1', 8, dev=0),
        route('11.0.0.1', 8, how=1, dev=0), route('240.0.0.1', 8, how=2, dev=0), send(2, '11.0.0.1'),
        addr('10.0.0.1', 24, delete=True), send(2, '11.0.0.1'), set_link(0, mtu=68), send(3, 'fd00::2'), dump(3, 1), dump(7, 2),
        send(2, '239.1.1.1'))
control('neighbours', neigh('10.0.0.2'), neigh('10.0.0.2'), neigh('10.0.0.2', how=1), neigh('10.0.0.3', how=2),
        neigh('10.0.0.3', how=3), neigh('10.0.0.3', None, state=1), neigh('10.0.0.2', 'x', how=2, state=2),
        neigh('fd00::2', 'all'), neigh('fd00::2', None), neigh('239.1.1.1'), neigh('fd00::2', state=4),
        neigh('10.0.0.1', state=0x40), neigh('fd00::3', state=0x10), dump(), dump(1), dump(16), send(2, '10.0.0.2'),
        send(3, 'fd00::2'), send(3, 'fd00::3'), wait(60), send(2, '10.0.0.2'), wait(5), *[wait(1)] * 5, send(2, '10.0.0.2'),
        neigh('10.0.0.2', delete=True), neigh('10.0.0.2', delete=True), wait(1))
control('unanswered', send(2, '10.0.0.2', 1400), send(3, 'fd00::2', 1200), *[wait(1)] * 4, send(2, '10.0.0.2'), frame(closed4),
        *[wait(1)] * 4)
control('answered', send(2, '10.0.0.2', 1400), send(2, '10.0.0.2', 4000), frame(arp(2)), send(3, 'fd00::2', 1200),
        na(b'\x60', ip(her6) + b'\2\1' + HER), wait(30), wait(30), frame(arp(2, sha=X)), frame(arp(1)), frame(arp(2)),
        send(2, '10.0.0.2'), neigh('10.0.0.2', 'x', how=2), send(2, '10.0.0.2'))
control('answer-by-control', *[send(2, '10.0.0.2', 100)] * 4, neigh('10.0.0.2', how=2), wait(0.1), flags=1)
control('answer-late', *[send(2, '10.0.0.2', 100, worker=1)] * 4, frame(arp(2)), wait(0.1), send(2, '10.0.0.3'),
        set_link(0, up=False), wait(1), flags=1)
control('neighbour-queue', *[send(2, '10.0.0.2', 60000)] * 6, frame(arp(2)))
control('links', set_link(0, 'x'), set_link(0, 'all'), set_link(0, 'me'), set_link(0, mtu=60), set_link(0, mtu=70000),
        set_link(0, mtu=1500), set_link(0, mtu=1280), set_link(0, mtu=9000), set_link(0, up=False), set_link(0, up=False),
        frame(u4), xmit(u4), set_link(0, up=True), set_link(0, master=1), set_link(0, no_master=True), promisc(), promisc(),
        rename(1), call(), frame(u4, flags=0x80), del_link(), frame(u4), del_link(), send(2, '10.0.0.1'), dump())
control('down-while-waiting', send(2, '10.0.0.2'), send(3, 'fd00::2'), frame(f4(d4[:32], 0)), set_link(0, up=False), wait(1),
        set_link(0, up=True), wait(1), del_link(), wait(30), wait(1))
control('gone-while-queued', frame(u4), frame(u6), close(2), del_link(), close(3), wait(0), wait(0.1))

# --- control: sockets ---
control('sockets', sock(0, 1), sock(1, 1, bind='fd00::1'), sock(2, 0, bind='10.0.0.1'), sock(3, 0), sock(4, 0, 0),
        sock(5, 1, 7256), connect(1, 'fd00::2'), connect(2, '10.0.0.2'), connect(2, 'fd00::2'), sock(0, 2), sock(5, 3),
        frame(u4), frame(u6), recv(1), recv(2), recv(3), recv(4), send(0, '10.0.0.2'), send(1, 'fd00::2', 65000),
        send(2, '10.0.0.2', 65535), send(2, '10.0.0.1', 3000), recv(2), recv(2), send(0, 'fd00::1', 9), close(2), close(1),
        frame(u4), close(3), close(0), close(0), wait(0.1), flags=4)
control('twice', sock(0, 0), sock(1, 0), sock(1, 0, 7001), sock(2, 1), sock(2, 1, 7001), send(1, '10.0.0.1'), recv(0), flags=4)
control('queue-full', sock(0, 8), *[frame(u4)] * 7, recv(0), frame(u4), close(0), wait(0), wait(0.1), flags=4)
control('queue-full6', sock(0, 9), *[frame(u6)] * 7, flags=4)
control('reader', sock(0, 64), sock(1, 65), sock(2, 0, 7001), frames(u4, u4, eth(ip4(udp(b'e', her4, me4, dport=7001), 17), 0x800),
                                                                     u4 + b'!'), frames(u6, u6), flags=4)
control('lite', sock(0, 2, cover=0), sock(1, 3, cover=20), sock(2, 2, 7001),
        *[frame(eth(ip4(lite(b'd' * 40, her4, me4, c, dport=p), 136), 0x800)) for c in (0, 7, 8, 20, 48, 99) for p in (7000, 7001)],
        *[frame(eth(ip6(lite(b'd' * 40, her6, me6, c), 136, her6, me6), 0x86dd)) for c in (0, 8, 20, 48)],
        frame(eth(ip4(lite(b'd', her4, me4)[:6] + b'\0\0' + b'd', 136), 0x800)), frame(eth(ip4(b'short', 136), 0x800)),
        frame(eth(ip6(lite(b'x', her6, me6, dport=9), 136), 0x86dd)), frame(eth(ip4(lite(b'x', her4, me4, dport=9), 136), 0x800)),
        frame(eth(ip4(lite(b'x', her4, '10.0.0.255'), 136, dst='10.0.0.255'), 0x800, BC)),
        frame(eth(icmp4(3, 3, b'\0' * 4 + ip4(lite(b'd' * 9, me4, her4, sport=7000), 136, me4, her4)), 0x800)),
        send(0, '10.0.0.2'), recv(0), recv(1), send(1, 'fd00::2'), close(0), flags=4)
control('broadcast', sock(0, 0), sock(1, 0, 7000, bind='10.0.0.255'), sock(2, 0, 7256), sock(3, 32, 4789), frame(BC4),
        frame(BC4[:-2]), frame(eth(ip4(udp(b'\x11x', her4, '10.0.0.255', dport=4789), 17, dst='10.0.0.255'), 0x800, BC)),
        frame(eth(ip4(udp(b'x', her4, '10.0.0.255', dport=9), 17, dst='10.0.0.255'), 0x800, BC)),
        frame(eth(ip4(udp(b'x', '0.0.0.0', '255.255.255.255'), 17, '0.0.0.0', '255.255.255.255'), 0x800, BC)),
        send(0, '10.0.0.255'), send(0, '255.255.255.255'), frame(eth(icmp4(8, 0, b'\0\1\0\2', dst='10.0.0.255'), 0x800, BC)),
        flags=4)
control('group-of-two', sock(0, 0), sock(1, 4, 7256), sock(2, 0, bind='239.1.1.1'), group('239.1.1.1'), sock(3, 0, 7001),
        frame(MC4), frame(MC4[:50]), flags=4)
control('resubmit', proto(0), proto(1), *[frame(eth(ip4(udp(b, her4, me4, dport=4789), 17), 0x800)) for b in
        (b'\x11' + d4, b'\xc9ab', b'\2ab', b'\3ab', b'\1' + b'\x08\0', b'')],
        frame(eth(ip6(udp(b'\x11', her6, me6, dport=4789), 17), 0x86dd)), frame(eth(ip4(b'\xc8' * 9, 200), 0x800)),
        frame(eth(ip4(b'\x11' + d4, 200), 0x800)), frame(eth(ip6(b'\x3b', 200), 0x86dd)),
        frames(*[eth(ip4(udp(b'\x11x' * i, her4, me4, dport=4789), 17), 0x800) for i in range(1, 4)]), proto(0, False),
        frame(eth(ip4(b'x' * 9, 200), 0x800)))
control('loop', send(2, '10.0.0.1'), send(2, '10.0.0.1', 5000), send(3, 'fd00::1', 5000), *[send(2, '10.0.0.1', 9)] * 3, recv(2),
        recv(3), send(0, '10.0.0.1', 9, 4789), send(2, '10.0.0.1', 9, 7001))

# --- control: ICMP ---
control('errors4', *[frame(eth(icmp4(k, c, b'\0\0\2\x40' + mine4()), 0x800)) for k, c in
        ((3, 0), (3, 1), (3, 2), (3, 3), (3, 4), (3, 5), (4, 0), (5, 0), (11, 0), (11, 1), (12, 0), (0, 0), (13, 0), (99, 0))],
        frame(eth(icmp4(3, 4, b'\0\0\0\x44' + mine4('10.0.0.3')), 0x800)),
        frame(eth(icmp4(3, 4, b'\0\0\0\x44' + mine4(dport=4789)), 0x800)),
        frame(eth(icmp4(3, 4, b'\0\0\2\x40' + mine4()[:24]), 0x800)),
        frame(eth(icmp4(3, 4, b'\0\0\2\x40' + b'\x66' + mine4()[1:]), 0x800)),
        frame(eth(icmp4(3, 3, b'\0' * 4 + ip4(icmp4(8, 0, b'\0' * 9)[20:], 1, me4, her4)), 0x800)),
        frame(eth(icmp4(3, 3, b'\0' * 4 + ip4(b'x' * 9, 6, me4, her4)), 0x800)), send(2, '10.0.0.2', 1400),
        send(2, '10.0.0.2', 30), neigh('10.0.0.2'), send(2, '10.0.0.2', 1400), route_get('10.0.0.2'), wait(601),
        send(2, '10.0.0.2', 1400), frame(eth(icmp4(3, 3, b'\0' * 4 + mine4(), dst='10.0.0.255'), 0x800, BC)),
        frame(eth(ip4(b'\3\3\0\0' + b'\0' * 30, 1), 0x800)), frame(eth(ip4(b'\3\3', 1), 0x800)))
control('errors6', *[frame(eth(icmp6(k, b'\0\0\5\0' + mine6, code=c), 0x86dd)) for k, c in
        ((1, 0), (1, 4), (2, 0), (3, 0), (3, 1), (4, 0), (4, 1), (129, 0), (130, 0), (200, 0), (100, 0), (133, 0), (134, 0), (137, 0))],
        frame(eth(icmp6(2, b'\0\0\5\0' + mine6[:44]), 0x86dd)), neigh('fd00::2'), send(3, 'fd00::2', 1400), wait(601), wait(601),
        frame(eth(icmp6(2, b'\0\0\0\x44' + mine6), 0x86dd)), send(3, 'fd00::2', 1400), frame(eth(ip6(b'\x80', 58), 0x86dd)),
        frame(eth(ip6(b'\x80\0\0\0hello-bad', 58), 0x86dd)))
control('solicitations', ns(ip(me6), hops=254), *[ns(ip(t) + o, src=s) for t, o, s in
        ((me6, b'\1\0', her6), (me6, b'\1\1' + HER, '::'), (me6, b'', '::'), ('ff02::1', b'', her6), (me6, b'\1\2' + HER, her6),
         (me6, b'\1\1' + BC, her6), (me6, b'\x0e\1abcdef' + b'\1\1' + HER, her6), ('fd00::9', b'\1\1' + HER, her6),
         (me6, b'\1\1' + HER, her6), (me6, b'', her6))], *[na(fl, ip(t) + o) for fl, t, o in
        ((b'\x60', 'fd00::9', b''), (b'\xa0', her6, b'\2\1' + X), (b'\x40', her6, b''), (b'\x60', 'ff02::1', b''),
         (b'\0', her6, b'\2\1' + X), (b'\x20', me6, b'\2\1' + HER))])
control('echo', frame(arp(1)), frame(echo4), frame(echo6), frame(echo4, flags=1, cut=36), frame(echo6, flags=5, cut=60),
        frame(eth(icmp4(8, 0, b'e' * 2000), 0x800)), frame(eth(icmp6(128, b'e' * 2000), 0x86dd)), wait(1),
        frame(eth(icmp6(128, b'\0\1\0\2', dst='ff02::1'), 0x86dd, bytes.fromhex('333300000001'))))
control('limit', frame(arp(1)), neigh('fd00::2'), *[frame(closed4)] * 9, *[frame(closed6)] * 9, wait(1), frame(closed4),
        frame(closed6))

# --- control: IP ---
control('options', frame(arp(1)), *[frame(eth(ip4(icmp4(8, 0, b'\0\1\0\2x')[20:], 1, opts=o + b'\0' * (-len(o) % 4)), 0x800)) for o in
        (b'\x07\x07\x04\0\0\0\0\0', b'\x07\x07\x08\x0a\0\0\2\0', b'\x07\x03\x04\1', b'\x07\x02\0\0', b'\x07\x07\x02\0\0\0\0\0',
         b'\x44\x08\5\0\0\0\0\0', b'\x44\x03\5\0', b'\x44\x08\4\0\0\0\0\0', b'\x44\x08\7\0\0\0\0\0', b'\x83\x07\4\x0a\0\0\3\0',
         b'\x89\x07\4\x0a\0\0\3\0', b'\x83\x03\3\0', b'\x83\x02\0\0', b'\x01\x01\x01\0', b'\x14\1\0\0', b'\x94\4\0\0', b'\x09',
         b'\x82\x63\0\0', b'\x83\x07\4\x0a\0\0\3\x01\x89\x07\4\x0a\0\0\3\x01', b'\x07\x07\x04\0\0\0\0\x07\x07\x04\0\0\0\0\0\0')])
control('headers', *[frame(f) for f in
        (b'', u4[:13], u4[:20], u6[:40], eth(ip4(d4, 17)[:30], 0x800), eth(b'\x65' + ip4(d4, 17)[1:], 0x800),
         eth(b'\x44' + ip4(d4, 17)[1:], 0x800), u4 + b'trail', u6 + b'trail', eth(ip4(d4, 17, src='127.0.0.1'), 0x800),
         eth(ip4(d4, 17, src='239.1.1.1'), 0x800), eth(ip4(d4, 17, src='10.0.0.1'), 0x800), eth(ip4(d4, 17, src='0.0.0.0'), 0x800),
         eth(ip4(d4, 17, dst='0.0.0.0'), 0x800), eth(ip4(d4, 17, dst='127.0.0.1'), 0x800), eth(ip4(d4, 17, dst='239.1.1.1'), 0x800, BC),
         eth(ip4(d4, 17, dst='10.0.0.7'), 0x800), eth(ip4(d4, 17, src='255.255.255.255'), 0x800), eth(ip6(d6, 17, src='::1'), 0x86dd),
         eth(ip6(d6, 17, dst='::1'), 0x86dd), eth(ip6(d6, 17, src='ff02::1'), 0x86dd), eth(ip6(d6, 17, dst='ff0e::5'), 0x86dd),
         eth(ip6(d6, 17, dst='::'), 0x86dd), eth(ip6(d6, 17, dst='fd00::7'), 0x86dd), u4[:24] + b'\1\1' + u4[26:], eth(b'', 0x800),
         u4[:30], eth(ip4(d4, 17), 0x800, X), eth(ip4(d4, 17), 0x800, BC), eth(b'x' * 46, 0x1234),
         eth(ip4(d4, 17), 0x800, tags=(0x8100, 0x88a8)))],
        frame(u4 + b'trail', flags=4), frame(u6 + b'trail', flags=4), frame(u4[:-9], flags=4))
control('extensions', neigh('fd00::2'), *[frame(eth(ip6(d6, n, ext=e), 0x86dd)) for n, e in
        ((0, b'\x3c\0\1\4\0\0\0\0' + b'\x11\0\1\4\0\0\0\0'), (0, b'\x11\0\5\2\0\0\0\0'), (0, b'\x11\0\xc2\4\0\1\0\0'),
         (0, b'\x11\0\x80\4\0\0\0\0'), (0, b'\x11\0\x40\4\0\0\0\0'), (0, b'\x11\0\xc0\4\0\0\0\0'), (0, b'\x11\0\1\x09\0\0\0\0'),
         (0, b'\x11\x20\1\4\0\0\0\0'), (60, b'\x11\0\x80\4\0\0\0\0'), (60, b'\0\0\1\4\0\0\0\0'), (43, b'\x11\0\0\1\0\0\0\0'),
         (43, b'\x11\2\2\0\0\0\0\0' + ip(her6)), (43, b'\x11\0\4\0\0\0\0\0'), (59, b''), (51, b'\x11\0\0\0\0\0\0\0'),
         (135, b'\x11\0\0\0\0\0\0\0'), (60, b'\x11'), (0, b''), (60, b'\x3c\0\1\4\0\0\0\0' * 9 + b'\x11\0\1\4\0\0\0\0'),
         (44, b'\x11\0\0\0\0\0\0\1'), (200, b''))],
        frame(eth(ip6(d6, 0, ext=b'\x3c\0\1\4\0\0\0\0' + b'\x11\0\1\4\0\0\0\0'), 0x86dd), flags=5, cut=58))
big, big6 = udp(b'f' * 1000, her4, me4), udp(b'f' * 1000, her6, me6)
control('fragments4', frame(f4(big[:480], 0)), frame(f4(big[480:960], 60)), frame(f4(big[960:], 120, 0)), recv(2),
        frame(f4(big[960:], 120, 0)), frame(f4(big[480:960], 60), flags=1, cut=36), frame(f4(big[:480], 0), flags=4),
        frame(f4(big[:480], 0)), frame(f4(big[:480], 0)), frame(f4(big[8:480], 1)), wait(30), wait(1), frame(f4(d4[:32], 0)),
        frame(f4(d4[:32], 0)), frame(f4(d4[24:], 3, 0)), frame(f4(d4[:31], 0)), frame(f4(d4, 8191, 0)), frame(f4(b'', 9)),
        frame(f4(d4[:8], 0, tos=1)), frame(f4(d4[8:], 1, 0, tos=3)), frame(f4(d4[:16], 0, tos=2)), frame(f4(d4[16:], 2, 0, tos=1)),
        frame(f4(d4[:40], 0, opts=b'\1\1\1\0')), frame(f4(d4[40:], 5, 0)), frame(f4(d4[40:48], 5, 0)), frame(f4(d4[:40], 0)))
control('fragments6', frame(frag6(0, 1, 17, big6[:480])), frame(frag6(60, 1, 17, big6[480:960])), frame(frag6(120, 0, 17, big6[960:])),
        recv(3), frame(frag6(0, 0, 17, d6)), frame(frag6(0, 1, 17, d6[:31])), frame(frag6(8191, 0, 17, d6)), frame(frag6(0, 1, 58, d6[:2])),
        frame(frag6(0, 1, 17, d6[:32], 8)), frame(frag6(4, 0, 17, d6[32:], 8), flags=1, cut=50), frame(frag6(0, 1, 17, d6[:32], 7)),
        frame(frag6(0, 1, 17, d6[:32], 7)), frame(frag6(3, 0, 17, d6[24:], 7)), frame(eth(ip6(b'\x11\0\0', 44), 0x86dd)), wait(60), wait(1),
        frame(frag6(0, 1, 60, b'\x11\0\1\4\0\0\0\0' + d6[:32], 6)), frame(frag6(5, 0, 60, d6[32:], 6)),
        frame(frag6(0, 1, 17, d6[:32], 5, ext=b'\x2c\0\1\4\0\0\0\0', first=60)),
        frame(frag6(4, 0, 17, d6[32:], 5, ext=b'\x2c\0\1\4\0\0\0\0', first=60)), frame(frag6(0, 1, 6, b'', 4)), neigh('fd00::2'),
        frame(frag6(0, 1, 17, d6[:33], 3)))
control('fragments-cut', neigh('10.0.0.2'), neigh('fd00::2'), send(2, '10.0.0.2', 5000), send(3, 'fd00::2', 5000), set_link(0, mtu=68),
        send(2, '10.0.0.2', 500), set_link(0, mtu=1280), set_link(0, mtu=576), send(3, 'fd00::2', 3000), set_link(0, mtu=100),
        send(3, 'fd00::2', 3000), flags=2)

# --- control: super-frames ---
control('super', frame(eth(ip4(tcp(b'a' * 500, her4, me4, partial=True), 6), 0x800), flags=0x18, start=34, off=16, gso=200),
        frame(eth(ip4(udp(b'a' * 500, her4, me4, partial=True), 17), 0x800), flags=0x38, start=34, off=6, gso=200),
        frame(eth(ip4(udp(b'a', her4, me4, partial=True), 17), 0x800), flags=8, start=34, off=6), frame(u4, flags=8, start=20, off=0),
        frame(u4, flags=8, start=200, off=0), frame(u4, flags=0x18, start=20, off=0))
for v6 in (False, True):
    s, d = (me6, her6) if v6 else (me4, her4)
    l4, kind, k = (54, 2, 6) if v6 else (34, 1, 4)
    wrap = (lambda p, n: eth(ip6(p, n, me6, her6), 0x86dd)) if v6 else (lambda p, n: eth(ip4(p, n, me4, her4), 0x800))
    seg = lambda n, flags=0x18: wrap(tcp(b'a' * n, s, d, partial=True, flags=flags), 6)
    control(f'gso{k}', *[xmit(seg(300, fl), dev=dv, flags=8 | kind << 4 | cut, cut=80, start=l4, off=16, gso=100)
            for fl in (0x18, 0x91) for dv in (0, 1) for cut in (0, 1)],
            xmit(wrap(udp(b'a' * 300, s, d, partial=True), 17), flags=0x38, start=l4, off=6, gso=100),
            xmit(wrap(udp(b'a' * 30, s, d, partial=True), 17), flags=8, start=l4, off=6), xmit(seg(30), flags=0x38, start=l4, off=6, gso=9),
            xmit(seg(300), flags=8 | (3 - kind) << 4, start=l4, off=16, gso=9), xmit(wrap(b'a' * 9, 6), flags=8 | kind << 4, start=l4, off=4, gso=3),
            xmit(seg(300), flags=8 | kind << 4, start=l4 + 1, off=16, gso=9),
            xmit(wrap(udp(b'', s, d), 17)[:l4 + 8], flags=0x38, start=l4, off=6, gso=9),
            xmit(seg(290)[:12] + b'\x81\0\0\7' + seg(290)[12:], flags=8 | kind << 4, start=l4 + 4, off=16, gso=100),
            xmit(seg(700), n=9, flags=8 | kind << 4, start=l4, off=16, gso=100), xmit(b'short'), xmit(wrap(b'', 6), n=64))
control('gso-few', *[xmit(eth(ip4(tcp(b'a' * 1500, me4, her4, partial=True), 6, me4, her4), 0x800), flags=0x18, start=34, off=16, gso=25)] * 2,
        flags=2)

# --- control: who else sees packets ---
control('watched', watch(), frame(u4), frame(u6), frame(closed4), frame(arp(1)), frame(echo4), frame(echo6), ns(ip(me6) + b'\1\1' + HER),
        frame(f4(d4[:32], 0)), frame(f4(d4[32:], 4, 0)), frames(*train(4)), watch(), raw(0), ptype(0), ptype(1, 2), hook(0, 0), hook(1, 1),
        hook(2, 2), hook(3, 3), frame(u4), frame(closed4), frame(eth(ip4(tcp(b'', her4, me4, flags=2), 6), 0x800)),
        frame(eth(icmp4(3, 4, b'\0\0\2\x40' + mine4()), 0x800)), frame(eth(ip4(d4, 17, dst='10.0.0.7'), 0x800)),
        frame(eth(ip4(udp(b'\x11' + d4, her4, me4, dport=4789), 17), 0x800)), rx_handler(), frame(eth(b'\2x', 0x1234)),
        frame(eth(b'x', 0x1234)), watch(0), frame(u4), wait(1))
control('watched-fragments', watch(), neigh('10.0.0.2'), neigh('fd00::2'), set_link(0, mtu=68),
        frame(eth(ip4(icmp4(8, 0, b'e' * 200)[20:], 1), 0x800)), frame(eth(icmp6(128, b'e' * 3000), 0x86dd)), frame(f4(d4[:32], 0)),
        frame(f4(d4[:32], 0)), wait(30), wait(1))
for point in range(4):
    control(f'hook-{point}', hook(0, point, prio=5), hook(1, point, 1, prio=6), hook(2, point, 2, prio=4), frame(arp(1)), frame(u4), frame(u6),
            frame(echo4), frame(echo6), send(2, '10.0.0.2'), send(3, 'fd00::2'), hook(2, point, off=True), frame(u4), frame(echo4),
            send(2, '10.0.0.2'), send(2, '10.0.0.1'), hook(1, point, off=True), frame(u6), hook(0, point, off=True),
            hook(0, point, off=True), frames(u4, u6), watch(), frame(echo4))
control('raw', raw(0), raw(1, 1), raw(2, 0, 1), raw(3, 0, 99), raw(4, 1, 58), raw(4), frame(u4), frame(u6), frame(echo4),
        frame(eth(ip4(b'x' * 9, 99), 0x800)), frame(echo6), raw(0, off=True), frame(u4), *[raw(i, off=True) for i in range(1, 5)],
        frame(eth(ip4(b'x' * 9, 99), 0x800)))
control('taps', ptype(0), ptype(1, 0, dev=0), ptype(2, 1), ptype(3, 2, dev=1), ptype(4, 3), frame(u4), frame(eth(b'x', 0x1234)), xmit(u4),
        frames(u4, u6), ptype(0, off=True), ptype(2, off=True), frame(eth(b'x', 0x1234)), *[ptype(i, off=True) for i in range(6)],
        frame(u4), flags=2)
control('rx-handler', rx_handler(), rx_handler(), *[frame(eth(bytes([i]) + b'x' * 50, 0x1234)) for i in range(4)], rx_handler(1),
        frame(eth(b'\1' * 50, 0x800), 1), ptype(0, 1, dev=0), frame(eth(b'\2xx', 0x1234)), rx_handler(0, False), frame(u4), watch(),
        rx_handler(), frame(eth(b'\1xx', 0x1234)))

# --- control: too much, too little ---
control('few', *[xmit(u4, n=64)] * 2, *[frame(u4)] * 45, frame(closed4), frame(echo4), frame(echo6), frame(arp(1, sender='10.0.0.9')),
        send(2, '10.0.0.9', 30000), wait(1), flags=2)
control('few-fragments', *[frame(f4(d4[:32], 0, src=f'10.0.0.{i}')) for i in range(2, 45)], frame(frag6(0, 1, 17, d6[:32])), frame(echo4),
        flags=2)
control('memory', *every(addr('10.0.0.3', 24), addr('10.0.0.3', 24, delete=True), group('239.1.1.1'), group('239.1.1.1', leave=True),
        route('11.0.0.1', 8, dev=0), route('11.0.0.1', 8, how=3, dev=0), route('11.0.0.1', 8, delete=True), neigh('10.0.0.2'),
        sock(0, 0, 7256), hook(0, 1), raw(0), ptype(0), set_link(0, mtu=1400)),
        *every(hook(0, 1, off=True), raw(0, off=True), ptype(0, off=True), n=2), memory(0, 9), frame(u4), frame(closed4), frame(echo6),
        watch(), memory(0, 2), frame(u4), send(2, '10.0.0.9'), memory(0, 255), wait(1), del_link(), memory(0, 0), dump(), send(3, 'fd00::2'))
control('flood-arp', addr('10.1.0.1', 16), flood(arp(1, sender='10.1.1.0', target='10.1.0.1'), 1100, 30), dump(), send(2, '10.1.99.9'),
        neigh('10.0.0.2'), wait(60), flood(arp(1, sender='10.1.8.0', target='10.1.0.1'), 100, 30))
control('flood-nd', flood(eth(icmp6(135, b'\0' * 4 + ip(me6) + b'\1\1' + HER, hops=255), 0x86dd), 1100, 36, flags=2), send(3, 'fd00::77'))
control('flood-fragments', flood(f4(d4[:32], 0), 1200, 18), flood(f4(d4[:32], 0), 300, 28), flood(frag6(0, 1, 17, d6[:32]), 300, 58),
        wait(30), wait(30))
control('flood-fragment', flood(f4(b'f' * 40, 0), 900, 20), flood(f4(b'f' * 1000, 0), 1200, 18), flood(f4(b'f' * 1000, 0), 700, 28))
control('flood-closed', neigh('10.0.0.2'), flood(closed4[:60], 60, 34, flags=0x42), addr('10.1.0.1', 16),
        flood(eth(ip4(b'q' * 9, 99, '10.1.2.1', '10.1.0.1'), 0x800), 1200, 28), wait(1))
control('flood-queue', *[send(2, '10.0.0.2', 60000)] * 3, flood(u4, 500, 34, flags=0x42), recv(2), close(2))
control('flood-too-big', neigh('10.0.0.2'), flood(eth(icmp4(3, 4, b'\0\0\2\x40' + mine4()), 0x800), 900, 60, flags=0x42),
        send(2, '10.0.0.2', 1400))

# --- device: options and links ---
device('options', new(id=1, remote='10.0.0.2', local='10.0.0.1', ttl=5, tos=16, df=1, ageing=5, limit=7, srcport=(5, 9), dstport=4789,
       learning=0, localbypass=0, peers=1), new(id=2, remote='fd00::2', local='fd00::1', label=5, ttl=64, zcsum6tx=1, zcsum6rx=1, udpcsum=0,
       reserved=0xf7ffffff000000ff, tos=1), new(id=3, remote='fe80::2', local='fe80::1', dev=(0, 4)),
       new(id=4, label_policy=1, remote='fd00::2', ttl_inherit=1), fdb_dump(1), dump(), flags=4)
device('options-refused', new(id=0x1000000), new(), new(id=1, srcport=(9, 5)), new(id=1, df=2, reserved=0xffffffffffffffff),
       new(id=1, remote='239.1.1.1'), new(id=1, remote='10.0.0.2', local='fd00::1'), new(id=1, local='239.1.1.1'),
       new(id=1, local='fe80::1', remote='fd00::2'), new(id=1, local='fd00::1', remote='fe80::2'), new(id=1, remote='10.0.0.2', label=5),
       new(id=1, remote='10.0.0.2', label_policy=1), new(id=1, dev=(0, 1)), new(id=1, remote='fd00::2', dev=(0, 3)),
       new(id=1, remote='fe80::2', local='fe80::1'), new(id=1), new(id=1), new(id=1, dev=(0, 2)),
       new(id=1, remote='fe80::2', local='fe80::1', dev=(0, 2)),
       *[new(id=9, **{o: 1}) for o in 'proxy rsc l2miss l3miss remcsumtx remcsumrx external vnifilter gbp gpe mcroute'.split()], flags=4)
device('links', new('vx7', id=1), new('vx7', id=2), new('up0', id=2), new('a/b', id=2), new('..', id=2), new('eth0', id=2), new('', id=2),
       new('%d%d', id=3), new(id=4, mac='all'), new(id=4, mtu=60), new(id=4, mtu=1400, mac='x', index=9), new(id=5, index=9),
       new(id=5, index=-9), new(id=5, master=0), new(id=5, netns=True, nohost=True), new(id=6, up=False, dev=(0, 2), mtu=9000),
       change(0, id=1), set_link(1, mtu=576), set_link(2, mtu=100), set_link(6, mtu=9000), set_link(6, mtu=576), del_link(3), dump(), flags=4)
device('change', *[change(1, **{o: v}) for o, v in
       (('id', 7), ('id', 100), ('ttl', 5), ('limit', 3), ('srcport', (1, 2)), ('dstport', 9), ('udpcsum', 0), ('proxy', 1), ('gbp', 1),
        ('external', 1), ('mcroute', 0), ('mcroute', 1), ('remote', 'fd00::2'), ('local', 'fd00::1'), ('remote', '10.0.0.3'),
        ('local', '10.0.0.1'), ('remote', '0.0.0.0'), ('dev', (0, 2)), ('dev', (0, 4)), ('dev', (0, 1)), ('ttl_inherit', 1), ('reserved', 0),
        ('learning', 0), ('ageing', 1), ('tos', 1), ('df', 2), ('peers', 1), ('label', 4), ('zcsum6rx', 1))],
       set_link(1, up=False), change(1, dev=(0, 4), remote='10.0.0.2'), set_link(1, up=True), xmit(IPX(), 1), fdb_dump(1), del_link(0))
device('change6', change(1, label=5), change(1, label_policy=1), change(1, label=3), change(1, remote='10.0.0.2'), change(1, dev=(0, 3)),
       change(1, remote='fd00::3'), xmit(IPX6(2), 1), flags=16)
device('shared-socket', new(id=1), new(id=2), new(id=1, dstport=9), set_link(2, up=False), set_link(2, up=True), *[del_link(2)] * 3,
       new(id=100, dev=(0, 4), remote='10.0.0.2'), host(4, 5), new(id=3, dstport=77), set_link(1, up=False), set_link(1, up=True), host(),
       new(id=100, remote='fd00::2'), new(id=100, remote='fd00::2', zcsum6rx=1), new(id=101, remote='fd00::2', zcsum6rx=1))
device('gone-with-packets', together(L2(), L2(BC))[:-len(L2(BC))], datagram(vxlan(L2()), what=0x80), del_link(1), dump(), wait(0.1))

# --- device: external ---
for n, fl in (('external', 64), ('external-stack', 64 | 8), ('external6', 64 | 16)):
    device(n, *[tunnel(f, what=w, dst=d) for f in (L2(), IPX(3), IPX6(1)) for w in (1, 2, 7, 9, 17, 32, 33) for d in ('10.0.0.2', 'fd00::2')],
           host(1, 1), tunnel(L2()), tunnel(L2()), host(32, 1), tunnel(L2()), host(0), tunnel(L2(), dst='0.0.0.0'), tunnel(L2()[:14]),
           tunnel(IPX()[:20]), new(dstport=4789, external=1, local='fd00::1'), new(dstport=4789, external=1),
           *[datagram(vxlan(f, v)) for v in (0, 5, 6) for f in (L2(), IPX())], fdb_dump(1), fdb(1, 'x', dst='10.0.0.3', src_vni=7),
           fdb_get(1, 'x'), set_link(1, up=False), tunnel(L2()), set_link(1, up=True), del_link(1), flags=fl)

# --- device: group policies ---
for n, fl in (('policy', 128), ('policy-stack', 128 | 8), ('policy-external', 128 | 64)):
    device(n, *[datagram(vxlan(f, 100, fl, policy=w)) for f in (L2(), IPX()) for fl in (8, 0x88, 0x98) for w in (0, 5, 0x400005)],
           fdb(1, 'x', 'replace', dst='10.0.0.3'), datagram(vxlan(L2(src=X), 100, 0x88, policy=0x400005)),
           *[tunnel(L2(), what=w) for w in (1, 65, 129, 193, 128)], new(id=100, dstport=4789), new(id=5, gbp=1, dstport=4789),
           change(1, gbp=1), fdb_dump(1), flags=fl)

# --- device: FDB ---
device('fdb', fdb(1, 'x', dst='10.0.0.2'), fdb(1, 'x', dst='10.0.0.2'), fdb(1, 'x', 'append', dst='10.0.0.3'),
       fdb(1, 'x', 'replace', dst='10.0.0.3', state=0x40), fdb(1, 'x', 'replace', dst='10.0.0.3', flags=18),
       fdb(1, 'her', 'replace', dst='10.0.0.3'), fdb(1, 'her', 'none', dst='10.0.0.3'), fdb(1, 'her'), fdb(1, 'her', dst='239.1.1.1'),
       fdb(1, 'her', dst='fd00::2'), fdb(1, 'her', dst='10.0.0.2', nhid=True), fdb(1, 'her', dst='10.0.0.2', src_vni=7),
       fdb(1, 'her', dst='10.0.0.2', src_vni=100, via=0, vni=7, port=77, protocol=9), fdb(1, 'her', dst='10.0.0.2', via=1),
       fdb(1, 'zero', 'append', dst='10.0.0.3'), *[fdb(1, 'zero', 'append', dst='10.0.0.1', port=9)] * 2,
       fdb(1, 'zero', 'create-replace', dst='10.0.0.2'), fdb(1, 'all', 'append', dst='10.0.0.2'), fdb(1, 'group4', 'append', dst='10.0.0.2'),
       fdb(1, 'group4', 'append', dst='10.0.0.3'), fdb(1, 'me', dst='10.0.0.2', state=0x81), fdb(1, 'me', dst='0.0.0.0', state=4),
       fdb(1, 'me', 'create-replace', dst='10.0.0.2', state=2), fdb_get(1, 'x'), fdb_get(1, 0x99), fdb_dump(1), fdb_dump(1, 1),
       fdb_dump(1, 3), xmit(L2(BC), 1), xmit(L2(), 1), xmit(L2(HER), 1), *[fdb_del(1, 'zero', dst='10.0.0.3')] * 2,
       fdb_del(1, 'group4', dst='10.0.0.2'), fdb_del(1, 'group4', dst='10.0.0.2', port=5), fdb_del(1, 'group4', dst='10.0.0.3'),
       fdb_del(1, 'x'), fdb_del(1, 'x'), fdb_del(1, 'her', dst='10.0.0.2', nhid=True), fdb_del(1, 'me', dst='fd00::2'))
device('fdb-flush', *[x for m in
       (flush(1), flush(1, 0x80, state_mask=0x80), flush(1, 0, state_mask=0xc0), flush(1, 0, 2, flags_mask=2), flush(1, dst='10.0.0.3'),
        flush(1, port=77), flush(1, vni=7), flush(1, src_vni=100), flush(1, src_vni=9), flush(1, via=2)) for x in
       (fdb_many(1, 5), fdb(1, 'zero', 'append', dst='10.0.0.3'), fdb(1, 'zero', 'append', dst='10.0.0.2', port=77, vni=7),
        fdb(1, 'x', dst='10.0.0.2', via=0), m)], fdb_dump(1))
device('fdb-grows', fdb_many(1, 255), fdb_many(1, 255, 2), fdb_dump(1), xmit(L2(bytes([2, 0, 0, 0, 1, 9])), 1, n=64), flush(1),
       fdb_many(1, 255, 3), fdb_del(1, 'x'))
device('fdb-limit', new(id=7, limit=3), fdb_many(2, 9),
       *[datagram(vxlan(L2(src=bytes([2, 0, 0, 0, 1, i])), 7)) for i in range(0x81, 0x88)], fdb_dump(2))
device('fdb-ages', new(id=7, ageing=2), new(id=8, ageing=0), *[datagram(vxlan(L2(), v), src=f) for v in (7, 8, 100) for f in
       ('10.0.0.2', '10.0.0.3')], fdb_many(2, 5), fdb(2, 'x', dst='10.0.0.3', flags=18, state=2), fdb(2, 'her', dst='10.0.0.3', state=0x40),
       wait(1), wait(1), wait(10), wait(10), fdb_dump(2), fdb_dump(3), wait(301), set_link(2, up=False), wait(10), fdb_dump(2))
device('peers-known', datagram(vxlan(L2())), datagram(vxlan(L2()), src='10.0.0.3'), fdb(1, 'x', dst='10.0.0.3'),
       datagram(vxlan(L2()), src='10.0.0.3'), fdb_del(1, 'x'), datagram(vxlan(L2()), src='10.0.0.3'), flags=32)

# --- device: packets ---
for v6 in (0, 1):
    src, more, dst, k = ('fd00::2', 'fd00::3', 'fd00::9', 6) if v6 else ('10.0.0.2', '10.0.0.3', '10.0.0.9', 4)
    device(f'receive{k}', *[datagram(vxlan(f, v, fl, r), src=src, what=w, flags=c, cut=9) for f, v, fl, r, w, c in
           ((L2(), 100, 8, 0, 0, 0), (L2(), 101, 8, 0, 0, 0), (L2(), 100, 0, 0, 0, 0), (L2(), 100, 9, 0, 0, 0), (L2(), 100, 8, 1, 0, 1),
            (L2()[:13], 100, 8, 0, 0, 0), (b'', 100, 8, 0, 0, 0), (L2(src=BC), 100, 8, 0, 0, 0), (L2(BC), 100, 8, 0, 0x50, 0),
            (IPX(1), 100, 8, 0, 3, 0), (IPX(0), 100, 8, 0, 3, 0), (IPX(2), 100, 8, 0, 1, 1), (IPX6(2), 100, 8, 0, 3, 1),
            (IPX6(0), 100, 8, 0, 3, 0), (IPX(3), 100, 8, 0, 1, 0), (IPX(), 100, 8, 0, 4, 2), (IPX()[:30], 100, 8, 0, 1, 0),
            (IPX6()[:50], 100, 8, 0, 1, 0))], datagram(vxlan(L2()), src=more), datagram(vxlan(L2()), src='::1'), datagram(b'\x08', src=src),
           fdb(1, 'her', 'create-replace', dst=src), datagram(vxlan(L2()), src=more), change(1, learning=0), datagram(vxlan(L2()), src=more),
           set_link(1, up=False), datagram(vxlan(L2()), src=src), flags=16 * v6)
    for dv, how in ((0, 'host'), (8, 'stack')):
        device(f'send{k}-{how}', neigh(src), neigh(more), fdb(1, 'x', dst=src), fdb(1, 'zero', 'append', dst=more),
               *[xmit(f, 1, flags=c, cut=14) for f in (L2(), L2(BC), IPX(1), IPX6(2), IPX()[:16], L2()[:13], b'', IPX(3)) for c in (0, 1)],
               change(1, tos=1, ttl_inherit=1, ttl=0, df=2), xmit(IPX(0xb9), 1), xmit(IPX6(0x2e), 1), change(1, ttl=9, tos=0x41),
               xmit(IPX(2), 1), *([change(1, label_policy=1), xmit(IPX6(), 1)] if v6 else []),
               xmit(tso4(600), 1, flags=0x18, start=34, off=16, gso=200),
               xmit(eth(ip6(tcp(b'a' * 600, A6, B6, partial=True), 6, A6, B6), 0x86dd, dst=X), 1, flags=0x28, start=54, off=16, gso=200),
               xmit(eth(ip4(udp(b'a' * 600, A4, B4, partial=True), 17, A4, B4), 0x800, dst=X), 1, flags=0x38, start=34, off=6, gso=200),
               xmit(IPX(), 1, n=64), fdb(1, 'her', dst=src, port=77, vni=7), fdb(1, 'me', dst='::' if v6 else '0.0.0.0'), xmit(L2(HER), 1),
               xmit(L2(ME), 1), fdb(1, 'x', 'create-replace', dst=dst), xmit(IPX(), 1), *[wait(1)] * 4,
               xmit(eth(ip4(udp(b'x', A4, B4), 17, A4, B4, opts=b'\1\1\1\0'), 0x800, dst=X, tags=(0x8100,)), 1), set_link(1, up=False),
               xmit(L2(), 1), flags=16 * v6 | dv)
        device(f'watched{k}-{how}', watch(), neigh(src), xmit(IPX(), 1), fdb(1, 'x', dst=src), xmit(IPX(), 1), frame(IPX()),
               datagram(vxlan(IPX(1)), src=src, what=3), datagram(vxlan(IPX(2)), src=src, what=1), datagram(vxlan(IPX(1)), src=src, what=3),
               datagram(vxlan(IPX(), 101), src=src), datagram(vxlan(IPX(), rest=1), src=src), datagram(vxlan(IPX()), src=more),
               datagram(b'x', src=src),
               datagram(vxlan(eth(ip4(udp(b'x', A4, B4, partial=True), 17, A4, B4), 0x800, src=X)), src=src),
               frame(eth(ip6(udp(vxlan(IPX()), her6, me6, dport=4789), 17), 0x86dd) if v6 else over4(IPX())), set_link(1, up=False),
               xmit(IPX(), 1), set_link(1, up=True), watch(), datagram(vxlan(IPX()), src=src, what=0x40), host(1, 1), xmit(IPX(), 1),
               flags=16 * v6 | dv)
device('host-fails', *[x for e in range(1, 5) for x in (host(1, e), xmit(L2(), 1), host(2, e), xmit(L2(), 1))],
       *[x for e in range(7) for x in (host(8, e), xmit(L2(), 1))], host(32, 1), xmit(L2(), 1), host(mtu=100), xmit(IPX(), 1),
       change(1, df=1), xmit(IPX(), 1), host(src='10.0.0.1'), xmit(IPX(), 1), watch(), host(1, 1), xmit(IPX(), 1), host(8, 2), xmit(IPX(), 1))
device('own-device', new(id=7), host(8, 2), xmit(L2(BC), 1), fdb(1, 'x', dst='10.0.0.2', vni=7), fdb(1, 'her', dst='10.0.0.2', vni=9),
       fdb(1, 'me', dst='10.0.0.2', vni=7, port=99), fdb(1, 'group4', 'append', dst='10.0.0.2', vni=7), xmit(L2(), 1), xmit(L2(HER), 1),
       xmit(L2(ME), 1), watch(), xmit(L2(), 1), fdb(2, 'her', 'create-replace', dst='10.0.0.9'), xmit(L2(), 1), set_link(2, up=False),
       xmit(L2(), 1), new(id=7, dstport=99), set_link(2, up=True), xmit(L2(ME), 1), change(1, localbypass=0), xmit(L2(), 1), frame(L2(), 0),
       xmit(L2(), 1, n=64))
device('own-device6', new(id=7, remote='fd00::2'), host(8, 2), fdb(1, 'x', dst='fd00::2', vni=7), xmit(L2(), 1), flags=16)
device('own-stack', new(id=7, remote='10.0.0.2', dev=(0, 4)), fdb(1, 'x', dst='10.0.0.1', vni=7), xmit(L2(), 1), change(1, localbypass=0),
       xmit(L2(), 1), wait(0.1), addr('192.168.9.1', 24, 1), flags=8)
for v6 in (0, 1):
    s, d, kind = (A6, B6, 0x86dd) if v6 else (A4, B4, 0x800)
    inner = lambda p, n: eth(ip6(p, n, s, d) if v6 else ip4(p, n, s, d), kind)
    plain = inner(udp(b'x' * 40, s, d), 17)
    device(f'stack-above{6 if v6 else 4}', new(id=7, nohost=True, mac='me', remote='10.0.0.2'), addr(d, 64 if v6 else 24, 2), sock(0, v6),
           *[datagram(vxlan(inner(p, n), 7)) for p, n in
             ((udp(b'x' * 40, s, d), 17), (udp(b'x' * 40, s, d, partial=True), 17), (udp(b'x' * 3000, s, d, partial=True), 17),
              (tcp(b'y' * 40, s, d, partial=True), 6), (tcp(b'y' * 2000, s, d, partial=True), 6), (tcp(b'', s, d), 6),
              (udp(b'x', s, d)[:7], 17), (tcp(b'', s, d)[:19], 6), (b'x' * 9, 99))],
           datagram(vxlan(plain[:12] + b'\x81\0\0\7' + plain[12:], 7)), datagram(vxlan(plain, 7), what=0x70),
           *[datagram(vxlan(f, 7), what=0x10) for f in train(3, v6)], recv(0), send(0, s), frame(inner(udp(b'x', s, d), 17), 0), wait(1),
           set_link(1, up=False), del_link(2))
q = lambda v: ip4(udp(vxlan(IPX(), v), me4, her4, sport=40000, dport=4789), 17, me4, her4)
q6 = ip6(udp(vxlan(IPX()), me6, her6, sport=40000, dport=4789), 17, me6, her6)
device('stack-errors', neigh('10.0.0.2'), xmit(IPX(), 1), *[frame(eth(icmp4(3, c, b'\0\0\2\x40' + p), 0x800)) for c, p in
       ((4, q(100)), (4, q(100)[:30]), (1, q(100)), (4, q(101)))], xmit(IPX(n=900), 1), change(1, df=1), xmit(IPX(n=900), 1),
       route('11.0.0.1', 32, kind=5), fdb(1, 'x', dst='11.0.0.1'), xmit(IPX(), 1), fdb(1, 'x', 'create-replace', dst='8.8.8.8'),
       xmit(IPX(), 1), set_link(0, mtu=100), xmit(IPX(), 1), del_link(0), flags=8)
device('stack-errors6', neigh('fd00::2'), xmit(IPX6(), 1), frame(eth(icmp6(2, b'\0\0\5\0' + q6), 0x86dd)), xmit(IPX6(n=1400), 1),
       set_link(0, up=False), xmit(IPX(), 1), wait(1), set_link(0, up=True), addr('fd00::1', 64, delete=True), xmit(IPX(), 1),
       frame(eth(ip6(udp(vxlan(IPX()), her6, me6, dport=4789)[:6] + b'\0\0' + vxlan(IPX()), 17), 0x86dd)), flags=24)
device('stack-receive', *[frame(over4(f, v), flags=c, cut=50) for f, v, c in
       ((IPX(), 100, 0), (IPX(), 100, 1), (IPX(), 101, 0), (L2(BC), 100, 2), (IPX()[:20], 100, 0), (b'', 100, 4))],
       frame(eth(ip4(udp(vxlan(IPX()), her4, me4, dport=4789)[:6] + b'\0\0' + vxlan(IPX()), 17), 0x800)),
       frames(*[over4(IPX(n=i)) for i in range(20)]), xmit(L2(HER), 1), fdb_dump(1), flags=8)
device('workers', new(id=7, nohost=True, mac='me'), addr('192.168.9.1', 24, 2), sock(0, 0), watch(),
       *[datagram(vxlan(eth(ip4(udp(b'x', A4, B4, sport=p), 17, A4, B4), 0x800), 7), worker=p & 1, what=0x20) for p in range(4000, 4012)],
       recv(0), recv(0, 1), *[datagram(vxlan(eth(ip4(udp(b'x' * 9, A4, B4, sport=p), 17, A4, B4), 0x800)), worker=1) for p in range(4000, 4004)],
       xmit(L2(), 1, worker=1), del_link(2), call(), call(1), wait(0.1), wait(0.1), flags=1)
device('workers-cells', new(id=7, nohost=True, mac='me', remote='10.0.0.2'), host(8, 2), new(id=8), fdb(3, 'x', dst='10.0.0.2', vni=7),
       *[xmit(L2(), 3, n=64, worker=i & 1) for i in range(4)], frame(L2(), 0), del_link(2), wait(0.1), flags=1)

# --- device: GRO, on the device and on the port below it ---
for v6 in (False, True):
    k, plain, cutup = (6, u6, frag6(0, 1, 17, d6[:32])) if v6 else (4, u4, f4(d4[:32], 0))
    x = lambda n: eth(ip6(udp(b'u' * n, her6, me6), 17), 0x86dd) if v6 else eth(ip4(udp(b'u' * n, her4, me4), 17), 0x800)
    device(f'gro-tcp{k}', together(*train(5, v6, last=40)), together(*train(3, v6), *train(3, v6, sport=1001)), together(*train(3, v6, gap=1)),
           together(*train(3, v6, flags=0x18)), together(*train(2, v6), *train(1, v6, flags=0x11)), together(*train(3, v6), flags=2),
           together(*train(3, v6), flags=1, cut=90), together(*train(20, v6, 9)), together(*train(2, v6), plain),
           together(*[f[:-1] + b'X' for f in train(3, v6)]), together(*train(2, v6), cutup))
    device(f'gro-udp{k}', together(*[x(100) for _ in range(4)]), together(x(100), x(100), x(40), x(100)), rx_handler(1),
           together(x(100), x(100)))
    device(f'gro-watched{k}', watch(), together(*train(4, v6)), watch(2), together(*train(4, v6)), del_link(1))
device('gro-ids', together(*[id4(f, 7) for f in train(4)]), together(*[id4(f, i, False) for i, f in enumerate(train(4))]),
       together(*[id4(f, 9 - i) for i, f in enumerate(train(4))]))
device('gro-many', together(*[f for p in range(24) for f in train(1, sport=p, size=9)]))
device('gro-handler', rx_handler(1), together(*train(4)), del_link(1))
device('gro-outer', new(id=7, nohost=True, mac='me', remote='10.0.0.2', dev=(0, 4)), addr('192.168.9.1', 24, 2),
       *[frames(*[id4(over4(f, 7), 20 + i) for i, f in enumerate(t)], flags=c, cut=60) for c in (0, 1) for t in
         (train(4), train(3, gap=1), train(3, last=9), train(3, True), train(2) + [IPX()])],
       frames(*[over4(f, 7) for f in train(3)]), frames(*[id4(over4(f, 7 + i % 2), i) for i, f in enumerate(train(4))]),
       watch(), frames(*[id4(over4(f, 7), 20 + i) for i, f in enumerate(train(4))]), flags=8)

# --- device: too much, too little ---
device('few', xmit(L2(BC), 1, n=64), xmit(IPX(), 1, n=64), datagram(vxlan(IPX(1)), what=0x73), fdb(1, 'zero', 'append', dst='10.0.0.3'),
       fdb(1, 'zero', 'append', dst='10.0.0.4'), xmit(L2(BC), 1, n=30), xmit(tso4(1500), 1, flags=0x18, start=34, off=16, gso=30), flags=2)
device('few-stack', xmit(L2(BC), 1, n=64), neigh('10.0.0.2'), xmit(tso4(1500), 1, flags=0x18, start=34, off=16, gso=30),
       xmit(IPX(), 1, n=64, flags=1, cut=20), flags=10)
device('memory', *every(new(id=7, remote='10.0.0.3', mtu=1400), n=16),
       *every(fdb(1, 'x', dst='10.0.0.2'), fdb(1, 'group4', 'append', dst='10.0.0.2'), fdb(1, 'group4', 'append', dst='10.0.0.3'),
              fdb(1, 'x', 'replace', dst='10.0.0.4'), fdb_dump(1), change(1, remote='10.0.0.4'), datagram(vxlan(L2())), xmit(L2(BC), 1),
              set_link(2, up=False), set_link(2, up=True), fdb_del(1, 'group4', dst='10.0.0.2'), flush(1, dst='10.0.0.3'), fdb_many(1, 60)),
       memory(0, 255), del_link(2), wait(1), del_link(1), memory(0, 0), wait(1))
device('memory-stack', new(id=7, dev=(0, 4), dstport=99), memory(0, 255), set_link(2, up=False), xmit(L2(), 1), del_link(0), memory(0, 0),
       xmit(L2(), 0), flags=8)
device('flood-learn', flood(over4(L2(src=bytes([2, 0, 0, 0, 0, 0]))), 600, 60, flags=0x42), fdb_dump(1, 200), xmit(L2(), 1, n=64),
       frames(*[over4(L2()) for _ in range(9)]), wait(301), set_link(1, up=False), flags=8)
device('flood-workers', new(id=7, nohost=True, mac='me', remote='10.0.0.2', dev=(0, 4)), addr('192.168.9.1', 24, 2),
       flood(over4(eth(ip4(udp(b'x', A4, B4), 17, A4, B4), 0x800), 7), 200, 84, flags=0x42), del_link(2), flags=9)
