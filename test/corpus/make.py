#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the fuzz targets, test/corpus/TARGET/NAME; each target's input is told in its source.

Only seeds that a person can name are here; what a fuzzer found is a file of its own beside them.
"""
import scripts  # those of the targets that take scripts
from frames import *

A4, B4, A6, B6 = '192.168.9.2', '192.168.9.1', 'fd09::2', 'fd09::1'
inner = {
    'udp4': eth(ip4(udp(b'x' * 40, A4, B4), 17, A4, B4, tos=2), 0x800, src=X),
    'udp4-unfinished': eth(ip4(udp(b'x' * 40, A4, B4, partial=True), 17, A4, B4), 0x800, src=X),
    'tcp6': eth(ip6(tcp(b'y' * 40, A6, B6), 6, A6, B6, tos=1), 0x86dd, src=X),
    'arp': eth(struct.pack('!HHBBH', 1, 0x800, 6, 4, 1) + X + ip(A4) + b'\0' * 6 + ip(B4), 0x806, BC, X),
    'tagged': eth(ip4(b'z' * 20, 200, A4, B4), 0x800, src=X, tags=(0x88a8, 0x8100)),
    'cut4': eth(ip4(b'', 17, A4, B4)[:19], 0x800, src=X),
    'cut6': eth(ip6(b'', 17, A6, B6)[:39], 0x86dd, src=X),
    'bare': eth(b'', 0x1234, src=X),
    'own-mac': eth(b'0' * 46, 0x1234, src=ME),
    'bad-source': eth(b'0' * 46, 0x1234, src=BC),
    'length': eth(b'0' * 46, 0x0026, src=X),
}


n = 0
for name, f in inner.items():
    for vni in (100, 200, 300):
        n += 1
        put('rcv', f'{name}-{vni}', bytes([n & 1 | (n & 2) | n << 4 & 0x30, 9 + n % 40, 2]) + vxlan(f, vni))
put('rcv', 'no-flag', b'\0\0\2' + vxlan(inner['udp4'], flags=0))
put('rcv', 'reserved', b'\0\0\2' + vxlan(inner['udp4'], rest=1))
put('rcv', 'unknown-vni', b'\0\0\2' + vxlan(inner['udp4'], 101))
for n, (fl, policy) in enumerate(((0x88, 0x480020), (8, 0xffffff), (0x88, 0xffffff), (0x98, 0))):
    put('rcv', f'policy{n}', bytes([0x40 | n & 1, 0, 2]) + vxlan(inner['udp4'], (100, 300, 200, 100)[n], fl, policy=policy))
put('rcv', 'short', b'\0\0\2' + vxlan(b'')[:7])
for v6 in (0, 1):  # a super-frame without a mark, as a host's socket gives it
    t = tcp(b'a' * 3000, A6 if v6 else A4, B6 if v6 else B4, partial=True)
    f = eth(ip6(t, 6, A6, B6) if v6 else ip4(t, 6, A4, B4), 0x86dd if v6 else 0x800, src=X)
    put('rcv', f'super-{v6}', b'\0\0\2' + vxlan(f, 300))

for i, (name, f) in enumerate(inner.items()):
    put('xmit', name, struct.pack('!BBHHH', i & 7, 15 + i, 0, 0, 0) + f)
for dev, mark in enumerate((0, 0x481234, 0xffffffff, 0x10000)):
    put('xmit', f'policy{dev}', struct.pack('!BBHHHI', dev | 0x40, 0, 0, 0, 0, mark) + inner['udp4'])
for dev in range(4):
    for gso, (start, off) in ((1, (34, 16)), (2, (54, 16)), (3, (34, 6))):
        if gso == 1:
            f = eth(ip4(tcp(b'a' * 3000, A4, B4, partial=True), 6, A4, B4), 0x800)
        elif gso == 2:
            f = eth(ip6(tcp(b'a' * 3000, A6, B6, partial=True), 6, A6, B6), 0x86dd)
        else:
            f = eth(ip4(udp(b'a' * 3000, A4, B4, partial=True), 17, A4, B4), 0x800)
        put('xmit', f'gso{gso}-dev{dev}', struct.pack('!BBHHH', dev | 8 | gso << 4, 60, start, off, 1000) + f)
    put('xmit', f'csum-dev{dev}', struct.pack('!BBHHH', dev | 8 | 4, 20, 34, 6, 0) + inner['udp4-unfinished'])

# Longer than the path takes, to a port of a bridge (0x40) and to the host.
opts = b'\x2c\0\1\4\0\0\0\0' + b'\x11\0\0\1\0\0\0\0'
for i, f in enumerate((eth(ip4(udp(b'a' * 1472, A4, B4), 17, A4, B4, frag=0x4000), 0x800),
                       eth(ip6(udp(b'a' * 1452, A6, B6), 17, A6, B6), 0x86dd),
                       eth(ip6(udp(b'a' * 1436, A6, B6), 60, A6, B6, ext=opts), 0x86dd))):
    for dev in range(2):
        put('xmit', f'long{i}-port{dev}', struct.pack('!BBHHHI', dev | 0x40, 60, 0, 0, 0, 5) + f)
        put('xmit', f'long{i}-host{dev}', struct.pack('!BBHHH', dev | 4, 60, 0, 0, 0) + f)

# IPv6 behind extension headers, and what has no ports, for the hash that chooses the source port.
ports = udp(b'x' * 9, A6, B6)
for i, (nxt, more) in enumerate(((0, b'\x3c\0\1\4\0\0\0\0' + b'\x11\0\1\4\0\0\0\0'), (43, b'\x11\0\0\0\0\0\0\0'),
                                 (44, b'\x11\0\0\0\0\0\0\1'), (60, b'\x11\x09\0\0\0\0\0\0'), (60, b''))):
    f = eth(ip6(ports if more else b'', nxt, A6, B6, ext=more), 0x86dd, dst=X)
    put('xmit', f'extension-{i}', struct.pack('!BBHHH', i & 3, 0, 0, 0, 0) + f)
for i, f in enumerate((eth(ip4(ports, 17, A4, B4, frag=0x2000), 0x800), eth(ip4(ports, 17, A4, B4)[:30], 0x800),
                       eth(b'\x41' + ip4(ports, 17)[1:], 0x800))):
    put('xmit', f'no-ports-{i}', struct.pack('!BBHHH', i & 3, 0, 0, 0, 0) + f)


def frames(*fs, flags=0, cut=0):
    return b''.join(struct.pack('!BBH', flags, cut, len(f)) + f for f in fs)


u4, u6 = udp(b'd' * 64, her4, me4), udp(b'd' * 64, her6, me6)
stack = {
    'udp4': frames(eth(ip4(u4, 17), 0x800)),
    'udp6': frames(eth(ip6(u6, 17), 0x86dd)),
    'udp4-cut': frames(eth(ip4(u4, 17), 0x800), flags=1, cut=20),
    'udp6-cut': frames(eth(ip6(u6, 17), 0x86dd), flags=1, cut=40),
    'closed': frames(arp(1), eth(ip4(udp(b'q', her4, me4, dport=9), 17), 0x800)),
    'closed6': frames(eth(ip6(udp(b'q', her6, me6, dport=9), 17), 0x86dd)),
    'arp': frames(arp(1, BC), arp(2), arp(2)),
    'echo4': frames(arp(1), eth(icmp4(8, 0, b'\0\1\0\2hello'), 0x800)),
    'echo6': frames(eth(icmp6(128, b'\0\1\0\2hello'), 0x86dd)),
    'ns': frames(eth(icmp6(135, b'\0' * 4 + ip(me6) + b'\1\1' + HER, hops=255), 0x86dd)),
    'na': frames(eth(icmp6(136, b'\x60\0\0\0' + ip(her6) + b'\2\1' + HER, hops=255), 0x86dd)),
    'too-big4': frames(eth(icmp4(3, 4, b'\0\0\5\0' + ip4(udp(b'd' * 8, me4, her4, sport=7000, dport=4000), 17, me4, her4)), 0x800)),
    'unreachable': frames(eth(icmp4(3, 3, b'\0' * 4 + ip4(udp(b'd' * 8, me4, her4, sport=7000, dport=4000), 17, me4, her4)), 0x800)),
    'too-big6': frames(eth(icmp6(2, b'\0\0\5\0' + ip6(udp(b'd' * 8, me6, her6, sport=7000, dport=4000), 17, me6, her6)), 0x86dd)),
    'frag4': frames(eth(ip4(u4[:32], 17, frag=0x2000), 0x800), eth(ip4(u4[32:], 17, frag=4), 0x800)),
    'frag4-3': frames(eth(ip4(u4[48:], 17, frag=6), 0x800), eth(ip4(u4[:16], 17, frag=0x2000), 0x800),
                      eth(ip4(u4[16:48], 17, frag=0x2002), 0x800)),
    'frag4-overlap': frames(eth(ip4(u4[:32], 17, frag=0x2000), 0x800), eth(ip4(u4[16:48], 17, frag=0x2002), 0x800)),
    'frag4-late': frames(eth(ip4(u4[:32], 17, frag=0x2000), 0x800)) + frames(*[arp(1)] * 8, flags=0x40),
    'frag6': frames(frag6(0, 1, 17, u6[:32]), frag6(4, 0, 17, u6[32:])),
    'ext6': frames(eth(ip6(u6, 0, ext=b'\x3c\0\1\4\0\0\0\0' + b'\x11\0\1\4\0\0\0\0'), 0x86dd)),
    'routing6': frames(eth(ip6(u6, 43, ext=b'\x11\0\0\1\0\0\0\0'), 0x86dd)),
    'options4': frames(eth(ip4(u4, 17, opts=b'\x07\x07\x04\0\0\0\0\0'), 0x800)),
    'tcp': frames(arp(1), eth(ip4(tcp(b'', her4, me4, flags=2), 6), 0x800), eth(ip6(tcp(b'', her6, me6, flags=2), 6), 0x86dd)),
    'forward': frames(eth(ip4(u4, 17, dst='10.9.9.9', ttl=1), 0x800)),
    'lite': frames(eth(ip4(l4sum(her4, me4, 136, struct.pack('!HHHH', 1, 7000, 0, 0) + b'd' * 9, 6), 136), 0x800)),
    'complete': frames(eth(ip4(u4, 17), 0x800), eth(ip6(u6, 17), 0x86dd), flags=4),
    'tagged': frames(eth(ip4(u4, 17), 0x800, tags=(0x8100,))),
    'unknown-proto': frames(arp(1), eth(ip4(b'x' * 20, 200), 0x800), eth(ip6(b'x' * 20, 200), 0x86dd)),
}
for name, b in stack.items():
    put('stack', name, b)

for name, h in {'plain': (0, 0, 0, 0, 0, 0), 'csum': (1, 0, 0, 0, 34, 6), 'valid': (2, 0, 0, 0, 0, 0), 'tso4': (1, 1, 54, 500, 34, 16),
                'tso6': (1, 4, 74, 500, 54, 16), 'uso': (1, 5, 42, 500, 34, 6), 'ufo': (1, 3, 42, 500, 34, 6), 'ecn': (1, 0x81, 54, 500, 34, 16)}.items():
    f = eth(ip6(tcp(b'a' * 1500, A6, B6, partial=True), 6, A6, B6), 0x86dd) if name == 'tso6' else \
        eth(ip4(udp(b'a' * 1500, A4, B4, partial=True), 17, A4, B4), 0x800) if name in ('uso', 'csum') else \
        eth(ip4(tcp(b'a' * 1500, A4, B4, partial=True), 6, A4, B4), 0x800)
    for flags in range(4):
        put('vnet', f'{name}-{flags}', bytes([flags, 54]) + struct.pack('<BBHHHH', *h) + f)


def attr(kind, data):
    return struct.pack('=HH', 4 + len(data), kind) + data + b'\0' * (-len(data) % 4)


def msg(kind, flags, body, more=b''):
    m = struct.pack('=IHHII', 16 + len(body), kind, 1 | flags, 7, 4711) + body + more
    return bytes([0]) + m


ifi = lambda index=0, flags=0, change=0: struct.pack('=BxHiII', 0, 0, index, flags, change)
ndm = lambda index=1 << 20, state=0x80, flags=2, fam=7: struct.pack('=BxHiHBB', fam, 0, index, state, flags, 0)
u32 = lambda v: struct.pack('=I', v)
opts = b''.join([attr(1, u32(101)), attr(2, ip('10.0.0.2')), attr(4, ip('10.0.0.1')), attr(5, b'\5'), attr(6, b'\x10'), attr(29, b'\1'),
                 attr(8, u32(5)), attr(9, u32(7)), attr(10, b'\0\5\0\x09'), attr(15, b'\x12\xb5'), attr(7, b'\0'), attr(18, b'\1'),
                 attr(31, b'\0'), attr(33, b'\xf7\xff\xff\xff\0\0\0\xff'), attr(0x2001, b'\1')])
opts6 = attr(1, u32(102)) + attr(16, ip('fd00::2')) + attr(17, ip('fd00::1')) + attr(26, u32(5)) + attr(20, b'\1') + attr(28, b'')
info = lambda o: attr(18, attr(1, b'vxlan\0') + attr(2, o))
put('rtnl', 'newlink', msg(16, 0x604, ifi() + attr(3, b'vx2\0') + attr(4, u32(1400)) + attr(1, X) + info(opts)))
put('rtnl', 'newlink6', msg(16, 0x604, ifi(0, 1, 1) + attr(3, b'v%d\0') + info(opts6)))
put('rtnl', 'change', msg(16, 4, ifi(1 << 20) + info(attr(5, b'\7') + attr(2, ip('10.0.0.3')))))
put('rtnl', 'up', msg(16, 4, ifi(1 << 20, 1, 1) + attr(4, u32(1300))))
put('rtnl', 'dellink', msg(17, 4, ifi() + attr(3, b'vx\0')))
put('rtnl', 'getlink', msg(18, 0x300, ifi() + attr(0x2002, b'')))
put('rtnl', 'getlink-one', msg(18, 4, ifi() + attr(3, b'vx\0') + attr(29, u32(1))))
fdb = attr(2, X) + attr(1, ip('10.0.0.2')) + attr(6, b'\0\5') + attr(7, u32(6)) + attr(8, u32(1 << 20)) + attr(11, u32(100)) + attr(12, b'\x10')
put('rtnl', 'newneigh', msg(28, 0x604, ndm() + fdb))
put('rtnl', 'append', msg(28, 0xc04, ndm() + attr(2, b'\0' * 6) + attr(1, ip('10.0.0.2'))))
put('rtnl', 'replace', msg(28, 0x504, ndm(state=2) + attr(2, X) + attr(1, ip('10.0.0.3'))))
put('rtnl', 'delneigh', msg(29, 4, ndm() + attr(2, X)))
put('rtnl', 'flush', msg(29, 0x204, ndm() + attr(16, struct.pack('=H', 0x80)) + attr(17, b'\x80') + attr(1, ip('10.0.0.2'))))
put('rtnl', 'getneigh', msg(30, 0x300, ndm(0)))
put('rtnl', 'getneigh-old', msg(30, 0x300, ifi()))
put('rtnl', 'getneigh-one', msg(30, 4, ndm() + attr(2, X)))
put('rtnl', 'addr', msg(20, 0x604, struct.pack('=BBBBI', 2, 24, 0, 0, 1 << 20) + attr(2, ip('10.9.0.1')) + attr(1, ip('10.9.0.1'))))
put('rtnl', 'route', msg(24, 0x604, struct.pack('=BBBBBBBBI', 2, 16, 0, 0, 254, 3, 0, 1, 0) + attr(1, ip('10.8.0.0')) +
                             attr(5, ip('10.9.0.2')) + attr(4, u32(1 << 20)) + attr(8, attr(2, u32(1400)))))
put('rtnl', 'getroute', msg(26, 0x300, struct.pack('=BBBBBBBBI', 2, 0, 0, 0, 0, 0, 0, 0, 0) + attr(0x2002, b'')))
put('rtnl', 'neigh', msg(28, 0x604, ndm(fam=2, flags=0) + attr(1, ip('10.9.0.2')) + attr(2, X)))
put('rtnl', 'stats', msg(94, 0x300, struct.pack('=BBHII', 0, 0, 0, 0, 1)))
put('rtnl', 'option', struct.pack('=BIHHIIII', 0, 24, 0xff00, 0, 0, 0, 1, 3))
put('rtnl', 'bare', msg(16, 4, ifi(), b'\0' * 100))
put('rtnl', 'two', msg(16, 4, ifi()) + msg(18, 0x300, ifi() + attr(0x2002, b''))[1:])

for i, line in enumerate('''link add vx2 mtu 1400 address 02:00:00:00:00:09 type vxlan id 101 remote 10.0.0.2 local 10.0.0.1 dev eth0 ttl 5 tos 0x10 df set
link add v%d nohost up type vxlan vni 102 remote fd00::2 local fd00::1 flowlabel 0x5 udp6zerocsumrx noudpcsum dstport 4789
link add vx3 type vxlan id 3 srcport 5 9 ageing 10 maxaddress 7 nolearning peers known nolocalbypass reserved_bits 0xf7ffffff000000ff
link add vx4 type vxlan external gbp gpe vnifilter proxy rsc l2miss l3miss remcsumtx
link add br0 type bridge
link set vx type vxlan ttl inherit remote 10.0.0.3
link set dev vx up mtu 1300 master br0 nomaster
link del vx
fdb add 02:00:00:00:00:01 dev vx dst 10.0.0.2 port 5000 vni 6 via eth0 src_vni 100 vlan 5
fdb append to 00:00:00:00:00:00 dev vx dst 10.0.0.2 self permanent
fdb replace 2:0:0:0:0:1 dev vx dst 10.0.0.3 dynamic extern_learn use router sticky
fdb del 02:00:00:00:00:01 dev vx dst 10.0.0.2
fdb flush dev vx nopermanent static dst 10.0.0.2 port 5 router noextern_learn
addr add 192.168.9.1/24 brd 192.168.9.255 dev vx
addr del local fd00::1/64 dev vx
route add 10.9.0.0/16 via 192.168.9.2 dev vx mtu 1400 hoplimit 9 metric 5 src 192.168.9.1
route replace blackhole default
neigh add 192.168.9.2 lladdr 02:00:00:00:00:02 dev vx nud permanent'''.splitlines()):
    put('words', f'{i:02}-' + '-'.join(line.split()[:2]), line.encode())

put('words', 'endless', ('addr add 10.0.0.1 dev vx ' + 'brd ::1 ' * 500).encode())

req = '{"method":"echo","params":%s,"id":%s}'
for i, (p, d) in enumerate((('[]', '0'), ('["a b","\\u00e9\\n\\ud83d\\ude00"]', '"x"'), ('["é😀"]', 'null'), ('[1,-2.5e3,true,false,null,{}]', '[1]'),
                            ('["a","b","c","d","e","f"]', '2'), ('{}', '{"a":[]}'))):
    put('unixctl', f'request-{i}', bytes([i]) + (req % (p, d)).encode())
put('unixctl', 'two', b'\xff' + (req % ('[]', 0) + '\n' + req % ('["x"]', 1)).encode())
put('unixctl', 'no-method', b'\xff[1,2]{"params":[]}')
put('unixctl', 'no-json', b'\xffGET / HTTP/1.0\r\n\r\n')

session = [  # what ovsdb-server and vswitchd said (ovs.md 1.2)
    '{"id":3,"method":"get_schema","params":["_Server"]}', '{"id":4,"method":"lock","params":["ovs_vswitchd"]}',
    '{"id":4,"result":{"locked":true},"error":null}', '{"id":"echo","method":"echo","params":[]}',
    '{"id":null,"method":"locked","params":["ovs_vswitchd"]}', '{"id":6,"error":"unknown method"}',
    '{"id":8,"result":[{"count":1},{}],"error":null}']
put('jsonrpc', 'session', b'\x05' + ''.join(session).encode())
put('jsonrpc', 'blanks', b'\x00' + ' \r\n\t'.join(session).encode() + b'\n')
put('jsonrpc', 'strings', b'\x02{"id":[1,{}],"result":"}\\"]{\\\\","x":"\\u00e9\xc3\xa9\\ud83d\\ude00"}')
put('jsonrpc', 'not-utf8', b'\x01{"id":1,"result":"a\xffb\xc3"}{"id":2,"result":1}')
put('jsonrpc', 'deep', b'\x3f{"id":1,"result":' + b'[' * 70)
put('jsonrpc', 'deep-enough', b'\x3f{"id":1,"result":' + b'[' * 63 + b']' * 63 + b'}')
put('jsonrpc', 'no-object', b'\x03[1]{"id":1,"result":2}')
put('jsonrpc', 'no-json', b'\x03{"id":1,]}')

BR, PORT, IFACE = (f'{x}000000-0000-0000-0000-0000000000{x}' for x in ('77', '31', '83'))
vxlan = ('{"Bridge":{"%s":{"%s":{"ports":["uuid","%s"]}}},"Interface":{"%s":{"insert":{"name":"vx1","options":["map",'
         '[["key","100"],["remote_ip","10.1.1.2"]]],"type":"vxlan","statistics":["map",[["rx",1],["tx",-2]]]}}},'
         '"Port":{"%s":{"insert":{"interfaces":["uuid","%s"],"name":"vx1","tag":5}}}}')
start = 'b{"Open_vSwitch":{"%s":{"initial":{}}},"Bridge":{"%s":{"initial":{"flood_vlans":["set",[1,3]]}}}}\n' % (PORT, BR)
for name, lines in {
        'vxlan': [vxlan % (BR, 'insert', PORT, IFACE, PORT, IFACE)],
        'differences': [vxlan % (BR, 'modify', PORT, IFACE, PORT, IFACE),
                        '{"Interface":{"%s":{"modify":{"options":["map",[["key","100"],["remote_ip","x"],["ttl","1"]]],'
                        '"ofport":["set",[]],"error":"no"}}}}' % IFACE,
                        '{"Bridge":{"%s":{"modify":{"flood_vlans":["set",[3,5]],"ports":["uuid","%s"],"fail_mode":"secure",'
                        '"stp_enable":true}}}}' % (BR, PORT),
                        '{"Interface":{"%s":{"delete":null}},"Port":{"%s":{"delete":null}}}' % (IFACE, PORT)],
        'gone': ['{"Bridge":{"%s":{"delete":null}}}' % BR, '{"Bridge":{"%s":{"modify":{}}}}' % BR],
        'twice': ['{"Interface":{"%s":{"insert":{"options":["map",[["a","1"],["a","2"]]]}}}}' % IFACE]}.items():
    put('ovsdb', name, (start + '\n'.join('2' + x for x in lines)).encode())
put('ovsdb', 'form-1', ('a{"Interface":{"%s":{"new":{"name":"a","ofport":["set",[]]}}}}\n1{"Interface":{"%s":{"old":{"ofport":'
                        '["set",[]]},"new":{"name":"a","ofport":3}}}}\n1{"Interface":{"%s":{"old":{"name":"a"}}}}'
                        % (IFACE, IFACE, IFACE)).encode())
put('ovsdb', 'schema', (start + 's{"name":"Open_vSwitch","tables":{"Bridge":{"columns":{"name":{"type":"string"},'
                        '"flood_vlans":{"type":{"key":{"type":"integer"},"min":0,"max":1}}}}}}\n'
                        'b{"Bridge":{"%s":{"initial":{"name":"x","flood_vlans":4}}}}\n2{"Bridge":{"%s":{"modify":{"flood_vlans":4}}}}'
                        % (BR, BR)).encode())

# Of flow: a flag byte, the cut, the number of actions, each a kind and eight bytes, then the frame.
def acts(*kinds):
    return bytes([len(kinds)]) + b''.join(bytes([k]) + bytes([2, 0, 0, 0, 0x5a, 0xff, 3, 0xc]) for k in kinds)


OUT, PUSH, POP, ETH, IP4, IP6, TCP, UDP, SCTP, TUN, MARK, USER, CLONE, DROP, END = range(15)
sctp = struct.pack('!HHI', 5, 6, 7) + b'\0' * 12
ns = icmp6(135, b'\0' * 4 + ip('fd00::9') + b'\1\1' + HER)
for name, frame in {
        'udp': eth(ip4(udp(b'abcd', '10.0.0.2', '10.0.0.1'), 17), 0x800),
        'tcp': eth(ip4(tcp(b'abcd' * 100, '10.0.0.2', '10.0.0.1'), 6), 0x800),
        'tagged': eth(ip4(tcp(b'', '10.0.0.2', '10.0.0.1'), 6), 0x800, tags=(0x88a8, 0x8100)),
        'udp6': eth(ip6(udp(b'abcd', 'fd00::2', 'fd00::1'), 17), 0x86dd),
        'ext6': eth(ip6(udp(b'abcd', 'fd00::2', 'fd00::1'), 0, ext=b'\x2b\0' + b'\0' * 6 + b'\x2c\0\0\1' + b'\0' * 4 +
                        b'\x11\0\0\1' + b'\0' * 4), 0x86dd),
        'fragment': eth(ip4(b'abcdefgh', 17, frag=10), 0x800),
        'sctp': eth(ip4(sctp, 132), 0x800),
        'nd': eth(ns, 0x86dd),
        'arp': eth(struct.pack('!HHBBH', 1, 0x800, 6, 4, 1) + HER + ip('10.0.0.2') + b'\0' * 6 + ip('10.0.0.1'), 0x806),
        'llc': eth(b'\xaa\xaa\3\0\0\0\x08\0' + ip4(b'', 17), 28)}.items():
    put('flow', name, b'\x20\0' + acts(ETH, IP4, IP6, TCP, UDP, SCTP, OUT) + frame)
    put('flow', name + '-tags', b'\x35\x14' + acts(PUSH, CLONE, POP, POP, OUT, END, USER, PUSH, OUT, OUT) + frame)
    put('flow', name + '-partial', b'\x12\0' + acts(IP4, IP6, PUSH, TUN, MARK, OUT, UDP, TCP, OUT, DROP) + frame)
    put('flow', name + '-super', b'\x0b\x50' + acts(IP4, TCP, OUT) + frame)

for i, line in enumerate('''tunnel(tun_id=0x64,src=10.1.1.2,dst=10.1.1.1,tos=0x2,ttl=63,tp_src=1,vxlan(gbp(id=85,flags=0x8/0xf)),flags(-df+csum+key)),recirc_id(0),in_port(4),packet_type(ns=0,id=0),eth(src=c2:37:46:a8:c6:7a),eth_type(0x0800),ipv4(tos=0/0x3,frag=no)
in_port(5),eth(dst=02:00:00:00:00:02),eth_type(0x88a8),vlan(vid=20/0xff,pcp=3),encap(eth_type(0x8100),vlan(vid=1),encap(eth_type(0x0800),ipv4(src=10.0.0.0/255.0.0.0,proto=6,frag=no),tcp(dst=440/0xfff8),tcp_flags(+syn-ack)))
in_port(1),eth_type(0x86dd),ipv6(src=fd00::/ffff::,label=0x12,proto=58,hlimit=64,frag=first),icmpv6(type=135,code=0),nd(target=fd00::9,sll=02:00:00:00:00:07)
skb_mark(0x5/0xff),in_port(5),eth_type(0x0806),arp(sip=192.168.10.2,tip=192.168.10.1,op=1,sha=02:00:00:00:00:07)
skb_priority(0/0),ct_state(0/0),ct_zone(0/0),dp_hash(0/0),tunnel(ipv6_src=fd00::2,ipv6_dst=fd00::1,flags(df|key)),tcp_flags(0/0)'''.splitlines()):
    put('flowtext', f'key-{i}', b'\0' + line.encode())
for i, line in enumerate('''in_port=1,dl_src=2:0:0:0:0:1,dl_dst=ff:ff:ff:ff:ff:ff,dl_vlan=5,dl_vlan_pcp=3,arp,arp_op=1,arp_spa=10.0.0.1,arp_tpa=10.0.0.2,arp_sha=2:0:0:0:0:1,arp_tha=2:0:0:0:0:2
in_port=h0,tcp,nw_src=10.0.0.1/32,nw_dst=10.0.0.2/255.255.255.255,nw_tos=0xb8,nw_ecn=1,nw_ttl=64,tp_src=80,tcp_dst=0x50/0xffff,tcp_flags=syn|ack
in_port(LOCAL) udp6 ipv6_src:fd00::1,ipv6_dst=fd00::2/128,ipv6_label=0x12345,udp_src=5,udp_dst=6,ip_frag=first
icmp6,icmpv6_type=135,nd_target=fe80::1,nd_sll=2:0:0:0:0:1,vlan_vid=0x1005,vlan_pcp=2,pkt_mark=5,skb_priority=6
in_port="h0",tun_id=0x64,tun_src=10.1.1.2,tun_dst=10.1.1.1,tun_ttl=64,tun_tos=4,tun_gbp_id=85,tun_gbp_flags=8,tun_flags=0,vlan_tci=0xb005
tun_ipv6_src=fd00::1,tun_ipv6_dst=fd00::2,icmp,icmp_type=8,icmp_code=0,ip_dscp=46,recirc_id=1
dl_type=0x800,nw_proto=132,sctp_src=5,tcp_flags=+syn-ack,reg0=1,ct_state=trk,nw_src=(1),=,:
ip,nw_ttl=99999999999999999999,nw_src=10.0.0.0/8,ipv6_src=fe80::/10,tp_src=70000,in_port=,nw_frag=yes'''.splitlines()):
    put('openflow', f'text-{i}', b'\0' + line.encode())
put('openflow', 'key', b'\1' + bytes(i * 7 & 0xff for i in range(480)))
for i, line in enumerate('''set(eth(dst=02:00:00:00:00:99)),set(ipv4(dst=9.9.9.9,tos=0xb8/0xfc,ttl=63)),set(udp(dst=99)),4
set(tunnel(tun_id=0x1234,dst=10.1.1.2,ttl=64,tp_dst=4790,vxlan(gbp(id=85,flags=0x8)),flags(df|key))),6
push_vlan(tpid=0x88a8,vid=10,pcp=0),1,clone(push_vlan(vid=7,pcp=3),clone(3)),12,pop_vlan,drop
userspace(pid=0,controller(reason=1,dont_send=1,continuation=0,recirc_id=1,rule_cookie=0,controller_id=0,max_len=64)),userspace(pid=7,slow_path(lacp|stp))
set(ipv6(src=fd00::1,label=0x5,tclass=0x3/0x3,hlimit=9)),set(sctp(src=16/0xff0)),set(skb_mark(0x1/0xf)),1
set(skb_mark(0x1/0)),1'''.splitlines()):
    put('flowtext', f'acts-{i}', b'\1' + line.encode())
