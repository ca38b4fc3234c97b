#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch's ports in numbers: vxd beside the real ovs-vswitchd, in one run.

    ovs_load.py          everything (make bench, 4 minutes)
    ovs_load.py quick    what cannot depend on how busy the machine is (make check, suite 'bench')

Each switch has a namespace, an ovsdb-server and a run directory of its own; both get
datapath_type=netdev.  Measured are: 1,000 VXLAN ports in one transaction, in ROUNDS rounds, one
switch after the other; ports that come one by one; CPU time of a minute in which nothing happens;
memory; and a broadcast to 1,000 ports a hundred times a second with a known flow beside it.

    VX, VXD         the programs
    ROUNDS, PORTS   5 rounds of 1,000 ports
    IDLE, FLOOD     seconds: 60 of idling, 5 of broadcasts

CPU time is the sum of schedstat over a process's threads.  Exits with 1 if something is lost, or
costs more than it may; a line that ends with "busy" tells that other programs had a part of the
machine (or "noisy": it was stolen), and then nothing that is a time decides.
"""
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
import tcp as bench  # noqa: E402

ROUNDS = int(os.environ.get('ROUNDS', 5))
PORTS = int(os.environ.get('PORTS', 1000))
IDLE = float(os.environ.get('IDLE', 60))
FLOOD = float(os.environ.get('FLOOD', 5))
SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
IDLE_MAX = 0.1     # per cent of a core
LATENCY_MAX = 1.0  # s of one add-port of 500
TAG = f'vxl{os.getpid()}'
run, stop = bench.run, bench.stop


def remote(i):
    return f'10.1.{i >> 8}.{i & 255}'


def add_words(bridge, i, prefix='vx'):
    """ovs-vsctl's words for VXLAN port number i."""
    return ['--', 'add-port', bridge, f'{prefix}{i}', '--', 'set', 'interface', f'{prefix}{i}',
            'type=vxlan', f'options:remote_ip={remote(i)}', f'options:key={i}']


class Switch:
    """A switch with its database, in a namespace."""

    def __init__(self, kind, programs):
        self.kind, self.ns = kind, f'{TAG}{kind}'
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix=f'vxload-{kind}-'))
        self.env = {**os.environ, 'OVS_RUNDIR': str(self.tmp)}
        self.db = f'unix:{self.tmp}/db.sock'
        self.programs, self.procs = programs, []

    def start(self, *argv):
        p = subprocess.Popen([str(x) for x in argv], stdin=subprocess.DEVNULL, env=self.env,
                             stdout=subprocess.DEVNULL, stderr=open(self.tmp / 'err', 'ab'))
        self.procs.append(p)
        return p

    def make(self):
        run(['ip', 'netns', 'add', self.ns])
        run(['ip', '-n', self.ns, 'link', 'set', 'lo', 'up'])
        self.inside('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1')
        run(['ovsdb-tool', 'create', self.tmp / 'conf.db', SCHEMA])
        self.start('ovsdb-server', self.tmp / 'conf.db', f'--remote=punix:{self.tmp}/db.sock',
                   '--unixctl=none', '--no-chdir', '-vconsole:off')
        for _ in range(200):
            if (self.tmp / 'db.sock').exists():
                break
            time.sleep(0.02)
        self.vsctl('--no-wait', 'init')
        daemon = ([self.programs['vxd'], '--no-state', '--rundir', self.tmp / 'vx', '--ovsdb', self.db]
                  if self.kind == 'vx' else ['ovs-vswitchd', self.db, '--no-chdir'])
        self.pid = self.start('ip', 'netns', 'exec', self.ns, *daemon, '-vconsole:warn',
                              f'--unixctl={self.tmp}/switch.ctl').pid
        self.bridge('br1')
        return self

    def bridge(self, name):
        self.vsctl('add-br', name, '--', 'set', 'bridge', name, 'datapath_type=netdev')

    def vsctl(self, *words, limit=60):
        """How long it took, s."""
        began = time.monotonic()
        p = subprocess.run(['ovs-vsctl', f'--db={self.db}', f'--timeout={limit}', *map(str, words)],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=self.env,
                           stderr=subprocess.STDOUT, text=True, timeout=limit + 5, check=False)
        if p.returncode or 'rror' in p.stdout:
            raise RuntimeError(f'{self.kind}: ovs-vsctl: {p.stdout.strip()[-500:]}')
        self.said = p.stdout.strip()
        return time.monotonic() - began

    def ask(self, *words):
        self.vsctl(*words)
        return self.said

    def flows(self):
        out = run(['ovs-appctl', '-t', f'{self.tmp}/switch.ctl', 'upcall/show'])
        return int(re.search(r'flows +: \(current (\d+)\)', out)[1])

    def inside(self, *argv, limit=20):
        return run(['ip', 'netns', 'exec', self.ns, *argv], limit)

    def cpu(self):
        """s"""
        return sum(int(t.read_text().split()[0]) for t in
                   pathlib.Path(f'/proc/{self.pid}/task').glob('*/schedstat')) / 1e9

    def memory(self):
        """Bytes that are resident and nobody else's."""
        text = pathlib.Path(f'/proc/{self.pid}/smaps_rollup').read_text()
        return sum(int(x) for x in re.findall(r'^Private_\w+: +(\d+) kB', text, re.M)) * 1024

    def calm_memory(self):
        """The same once what was freed is given back or used again."""
        time.sleep(1.5)
        return self.memory()

    def end(self):
        """Problems found."""
        bad = [] if self.procs[-1].poll() is None else [f'{self.kind}: ended by itself']
        for p in reversed(self.procs):
            p.send_signal(signal.SIGTERM)
        for p in self.procs:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                bad.append(f'{self.kind}: {p.args[0]} does not end')
                p.kill()
                p.wait()
        run(['ip', 'netns', 'del', self.ns], may_fail=True)
        shutil.rmtree(self.tmp, ignore_errors=True)
        return bad


class Report:
    def __init__(self):
        self.bad = []
        self.disturbed = False

    def say(self, text, noise=None):
        note = ''
        if noise:
            stolen, others = noise.end()
            note = (f'   steal {stolen * 100:.1f} %, others {others * 100:.1f} %'
                    + (' noisy' if stolen >= bench.NOISY else '')
                    + (' busy' if others >= bench.NOISY else ''))
            self.disturbed = max(stolen, others) >= bench.NOISY
        print(text + note, flush=True)

    def need(self, good, what, is_time=False):
        """A time decides only where nothing disturbed it."""
        if not good:
            print(f'{"FAIL" if not (is_time and self.disturbed) else "missed"}: {what}', flush=True)
            if not (is_time and self.disturbed):
                self.bad.append(what)


def one_switch(kind, programs, fn):
    s = Switch(kind, programs)
    try:
        s.make()
        result = fn(s)
    finally:
        bad = s.end()
    if bad:
        raise RuntimeError('; '.join(bad))
    return result


# --- a transaction of many ports --------------------------------------------------------------------


MORE = 5


def add_all(s):
    """{what: figure} of PORTS ports in one transaction, and of each of a few more."""
    time.sleep(0.5)
    cpu = s.cpu()
    wall = s.vsctl(*(w for i in range(1, PORTS + 1) for w in add_words('br1', i)))
    time.sleep(0.5)
    all_cpu = s.cpu() - cpu
    cpu = s.cpu()
    more = [s.vsctl(*add_words('br1', PORTS + i)[1:]) for i in range(1, MORE + 1)]
    time.sleep(0.5)
    return {'wall': wall, 'cpu': all_cpu, 'one': statistics.median(more),
            'one_cpu': (s.cpu() - cpu) / MORE}


def transaction(programs, report):
    rows = {'ovs': [], 'vx': []}
    for n in range(ROUNDS):
        for kind in ('ovs', 'vx') if n % 2 == 0 else ('vx', 'ovs'):
            noise = bench.Noise()
            r = one_switch(kind, programs, add_all)
            rows[kind].append(r)
            report.say(f'  {kind:<4} {PORTS} ports: ovs-vsctl {r["wall"] * 1e3:6.0f} ms, CPU '
                       f'{r["cpu"] * 1e3:6.1f} ms; one more {r["one"] * 1e3:5.0f} ms, CPU '
                       f'{r["one_cpu"] * 1e3:5.1f} ms', noise)
    med = {k: {x: statistics.median(r[x] for r in rows[k]) for x in rows[k][0]} for k in rows}
    for what, unit, scale in (('wall', 'ms, ovs-vsctl', 1e3), ('cpu', 'ms CPU', 1e3),
                              ('one', 'ms, ovs-vsctl, one more', 1e3),
                              ('one_cpu', 'ms CPU, one more', 1e3)):
        spread = {k: [f(r[what] for r in rows[k]) * scale for f in (min, max)] for k in rows}
        print(f'median  3.1 {med["ovs"][what] * scale:8.1f} ({spread["ovs"][0]:.1f} to '
              f'{spread["ovs"][1]:.1f})   vxd {med["vx"][what] * scale:8.1f} ({spread["vx"][0]:.1f} to '
              f'{spread["vx"][1]:.1f})   {unit}')
    report.need(med['vx']['cpu'] <= med['ovs']['cpu'], 'CPU time of the transaction', True)
    report.need(med['vx']['wall'] <= med['ovs']['wall'], 'ovs-vsctl returns later', True)


# --- one by one (statement 85) ----------------------------------------------------------------------


def one_by_one(n):
    def measure(s):
        took = [s.vsctl(*add_words('br1', i)[1:], limit=20) for i in range(1, n + 1)]
        ports = json.loads(run([programs_of(s)['vx'], '--rundir', s.tmp / 'vx', '-j', 'link', 'show']))
        tunnels = [p for p in ports if p.get('ifname', p.get('name', '')).startswith('vxlan_sys_')]
        numbers = s.ask('--columns=ofport', '-f', 'csv', '--no-headings', 'list', 'interface').split()
        return took, len(tunnels), len(set(numbers))
    return measure


def programs_of(s):
    return s.programs


def latency(programs, report, n):
    noise = bench.Noise()
    took, tunnels, numbers = one_switch('vx', programs, one_by_one(n))
    report.say(f'{n} ports one by one: {statistics.median(took) * 1e3:.0f} ms each, the slowest '
               f'{max(took) * 1e3:.0f} ms, {tunnels} tunnel device', noise)
    report.need(tunnels == 1, f'{tunnels} tunnel devices for one UDP port')
    report.need(numbers == n + 1, f'{numbers} port numbers of {n + 1} ports')
    report.need(max(took) < LATENCY_MAX, f'an add-port took {max(took):.2f} s', True)


# --- nothing to do ----------------------------------------------------------------------------------


def idle(programs, report):
    switches = [Switch(k, programs) for k in ('ovs', 'vx')]
    share = {}
    try:
        for s in switches:
            s.make()
            s.vsctl(*(w for i in range(1, PORTS + 1) for w in add_words('br1', i)))
        time.sleep(7)  # the first statistics
        noise, began, before = bench.Noise(), time.monotonic(), {s.kind: s.cpu() for s in switches}
        time.sleep(IDLE)
        for s in switches:
            share[s.kind] = (s.cpu() - before[s.kind]) / (time.monotonic() - began) * 100
    finally:
        bad = [b for s in switches for b in s.end()]
    report.bad += bad
    report.say(f'idle for {IDLE:g} s with {PORTS} ports: 3.1 {share["ovs"]:.3f} %, vxd '
               f'{share["vx"]:.3f} % of a core', noise)
    report.need(share['vx'] < IDLE_MAX, 'idling costs too much', True)


# --- broadcast --------------------------------------------------------------------------------------

KNOWN_RATE = 1000
KNOWN = ('192.168.9.2', 7777)
SO_RCVBUFFORCE = 33
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def counters(ns):
    """IPv4's, of the namespace."""
    head, row = [x.split()[1:] for x in run(['ip', 'netns', 'exec', ns, 'cat', '/proc/net/snmp'])
                 .splitlines() if x.startswith('Ip:')]
    return dict(zip(head, map(int, row)))


def open_in(ns, fn):
    """A socket that fn() makes there."""
    home = os.open('/proc/self/ns/net', os.O_RDONLY)
    there = os.open(f'/run/netns/{ns}', os.O_RDONLY)
    try:
        if LIBC.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f'setns {ns}')
        return fn()
    finally:
        if LIBC.setns(home, CLONE_NEWNET):
            stop('cannot come back from a namespace')
        os.close(home)
        os.close(there)


def beside(fn, *args):
    """fn(*args) in a process of its own, from now on: a function that waits for the result."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(w, json.dumps(fn(*args)).encode())
        except OSError:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(w)

    def result():
        with os.fdopen(r) as f:
            text = f.read()
        os.waitpid(pid, 0)
        if not text:
            raise RuntimeError(f'{fn.__name__} failed')
        return json.loads(text)
    return result


def paced(rate, seconds, send):
    """Calls send(i) that often; how often."""
    began, n = time.monotonic(), int(rate * seconds)
    for i in range(n):
        wait = began + i / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        send(i)
    return n


def raw_socket(dev):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((dev, 0))
    return s


def udp_socket(address=None, peer=None):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
    if address:
        s.bind(address)
    if peer:
        s.connect(peer)
    return s


def send_broadcasts(s, rate, seconds):
    frame = bytes.fromhex('ffffffffffff' '020000000077' '88b5') + bytes(46)
    return paced(rate, seconds, lambda i: s.send(frame))


def send_known(s, seconds):
    return paced(KNOWN_RATE, seconds, lambda i: s.send(b'%d' % i))


def receive_known(s):
    """How many different ones, until none has come for a while."""
    seen = set()
    s.settimeout(3)
    try:
        while True:
            seen.add(s.recv(64))
    except socket.timeout:
        return len(seen)


def settled_account(s):
    """vxd's accounting once no packet is on its way any more, 5 s at most."""
    for _ in range(50):
        a = json.loads(run([s.programs['vx'], '--rundir', s.tmp / 'vx', '-j', 'account']))
        if a['open'] == a['held'] == 0:
            break
        time.sleep(0.1)
    return a


def flood_net(s, peer, ports):
    """The peer takes the copies of all ports but one for somebody else's, and counts them."""
    s.make()
    run(['ip', 'netns', 'add', peer])
    run(['ip', '-n', s.ns, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', peer])
    for ns, n in ((s.ns, 1), (peer, 2)):
        run(['ip', '-n', ns, 'link', 'set', 'eth0', 'up'])
        run(['ip', '-n', ns, 'addr', 'add', f'172.16.0.{n}/24', 'dev', 'eth0'])
        run(['ip', 'netns', 'exec', ns, 'sysctl', '-qw', 'net.ipv4.ip_forward=0',
             'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.eth0.rp_filter=0'])
        run(['ip', 'netns', 'exec', ns, 'ethtool', '-K', 'eth0', 'tx', 'off'], may_fail=True)
    run(['ip', '-n', s.ns, 'route', 'add', '10.1.0.0/16', 'via', '172.16.0.2'])
    run(['ip', '-n', peer, 'link', 'add', 'vxlan1', 'type', 'vxlan', 'id', ports + 99, 'dstport', 4789,
         'local', '172.16.0.2', 'remote', '172.16.0.1', 'dev', 'eth0'])
    run(['ip', '-n', peer, 'link', 'set', 'vxlan1', 'up'])
    run(['ip', '-n', peer, 'addr', 'add', '192.168.9.2/24', 'dev', 'vxlan1'])
    s.vsctl('add-port', 'br1', 'p1', '--', 'set', 'interface', 'p1', 'type=internal', '--',
            'add-port', 'br1', 'known', '--', 'set', 'interface', 'known', 'type=vxlan',
            'options:remote_ip=172.16.0.2', f'options:key={ports + 99}',
            *(w for i in range(1, ports + 1) for w in add_words('br1', i)))
    run(['ip', '-n', s.ns, 'link', 'set', 'br1', 'up'])
    run(['ip', '-n', s.ns, 'link', 'set', 'p1', 'up'])
    run(['ip', '-n', s.ns, 'addr', 'add', '192.168.9.1/24', 'dev', 'br1'])
    s.inside('ping', '-q', '-c', 3, '-i', 0.2, '-W', 2, '192.168.9.2')
    time.sleep(1)


def flood(programs, report, ports, rate, seconds):
    s, peer = Switch('vx', programs), f'{TAG}p'
    try:
        flood_net(s, peer, ports)
        taker = open_in(peer, lambda: udp_socket(address=KNOWN))
        sender = open_in(s.ns, lambda: udp_socket(peer=KNOWN))
        caster = open_in(s.ns, lambda: raw_socket('p1'))
        noise, before, cpu = bench.Noise(), counters(peer), s.cpu()
        account = settled_account(s)
        got = beside(receive_known, taker)
        sent = [beside(send_broadcasts, caster, rate, seconds), beside(send_known, sender, seconds)]
        casts, known = (x() for x in sent)
        cpu = s.cpu() - cpu
        after, known_got = settled_account(s), got()
        copies = counters(peer)['InAddrErrors'] - before['InAddrErrors']
        dropped = after['dropped'] - account['dropped']
        report.say(f'{casts} broadcasts to {ports} ports, {rate}/s: {copies} of {casts * ports} '
                   f'copies arrive, vxd drops {dropped}; of a known flow beside it {known_got} of '
                   f'{known}; vxd {cpu / seconds * 100:.0f} % of a core', noise)
        report.need(after['open'] == after['held'], 'the accounting does not add up')
        report.need(dropped == 0, f'vxd drops {dropped}', True)
        # ARP of the known flow goes to everybody, too; one copy that is lost leaves a remainder.
        report.need(copies % ports == 0 and casts * ports <= copies <= (casts + 10) * ports,
                    f'{copies} copies: some are lost', True)
        report.need(known_got == known, f'{known - known_got} datagrams of the known flow lost')
    finally:
        report.bad += s.end()
        run(['ip', 'netns', 'del', peer], may_fail=True)


# --- memory -----------------------------------------------------------------------------------------


def port_memory(programs, report):
    """Of ports beyond the first: what a transaction of so many needs for itself is there by then."""
    def measure(s):
        used = []
        for n in range(3):
            s.vsctl(*(w for i in range(1, PORTS + 1) for w in add_words('br1', n * PORTS + i)))
            used.append(s.calm_memory())
        return used[-1] - used[0]
    used = {k: one_switch(k, programs, measure) / 2 / PORTS for k in ('ovs', 'vx')}
    report.say(f'{2 * PORTS} ports beside {PORTS}: 3.1 {used["ovs"]:.0f}, vxd {used["vx"]:.0f} bytes a '
               'port (resident)')


def flow_memory(programs, report, flows):
    def measure(s):
        s.vsctl('set', 'open_vswitch', '.', 'other_config:max-idle=600000', '--', 'add-port', 'br1', 'p1',
                '--', 'set', 'interface', 'p1', 'type=internal')
        run(['ip', '-n', s.ns, 'link', 'set', 'br1', 'up'])
        run(['ip', '-n', s.ns, 'link', 'set', 'p1', 'up'])
        before = s.calm_memory()
        out = open_in(s.ns, lambda: raw_socket('p1'))
        rest = bytes.fromhex('020000000077' '88b5') + bytes(46)
        paced(2500, flows / 2500, lambda i: out.send(b'\x02' + (i + 1).to_bytes(5, 'big') + rest))
        return (s.calm_memory() - before, s.flows())
    used = {k: one_switch(k, programs, measure) for k in ('ovs', 'vx')}
    each = {k: b / max(n, 1) for k, (b, n) in used.items()}
    report.say(f'{used["ovs"][1]} flows of 3.1, {used["vx"][1]} of vxd: {each["ovs"]:.0f}, {each["vx"]:.0f} '
               'bytes a flow (resident)')
    report.need(used['vx'][1] >= flows, f'{used["vx"][1]} of {flows} flows are there', True)


# --- all --------------------------------------------------------------------------------------------


def full(programs, report):
    print(f'{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} at the beginning')
    transaction(programs, report)
    latency(programs, report, 500)
    idle(programs, report)
    port_memory(programs, report)
    flow_memory(programs, report, 20000)
    flood(programs, report, PORTS, 100, FLOOD)


# Twice the ports may take so many times the CPU time: linear is 2, the square 4.  Of the better of
# three, and of a time that is well above the clock's grain.
GROWTH_MAX = 3.2


def growth(programs, report):
    """CPU time that a transaction takes on top of a small one's, N ports and 2 N."""
    def cost(n):
        def measure(s):
            before = s.cpu()
            s.vsctl(*(w for i in range(1, n + 1) for w in add_words('br1', i)))
            return s.cpu() - before
        return min(one_switch('vx', programs, measure) for _ in range(3))
    few, many = cost(500), cost(1000)
    report.say(f'CPU time: 500 ports {few * 1e3:.1f} ms, 1,000 {many * 1e3:.1f} ms')
    report.need(many <= few * GROWTH_MAX + 0.01, f'twice the ports take {many / few:.1f} times as long')


def quick(programs, report):
    growth(programs, report)
    flood(programs, report, 1000, 50, 2)


def main():
    programs = {k.lower(): os.path.realpath(os.environ[k]) for k in ('VX', 'VXD') if k in os.environ}
    if len(programs) != 2:
        stop('VX and VXD name the programs')
    if os.getuid():
        stop('skip: needs root for network namespaces', 77)
    for tool in ('ip', 'ping', 'ovsdb-server', 'ovsdb-tool', 'ovs-vsctl', 'ovs-vswitchd', 'ethtool'):
        if not shutil.which(tool):
            stop(f'skip: no {tool}', 77)
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, lambda *_: sys.exit(1))
    report = Report()
    (quick if sys.argv[1:] == ['quick'] else full)(programs, report)
    for b in report.bad:
        print('FAIL:', b)
    return 1 if report.bad else 0


if __name__ == '__main__':
    sys.exit(main())
