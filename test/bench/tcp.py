#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TCP, small datagrams and ping through a tunnel (stack.md W7): vxd beside Linux's own driver, in one run.

      a: kernel and vxd ---- veth, MTU 1500 ---- b: kernel and vxd

Between the two namespaces three tunnels per family of the underlay, each on a port of its own and
with the same options: kernel to kernel, vxd to vxd, and from the kernel's device to vxd.  A round
measures the three one after the other.  Of ROUNDS rounds (15) the KEEP (5) with the least noise
count: CPU time stolen from this machine, and time that programs not of this benchmark took.  Shown
are medians and their ratio to the kernel's.  A line says "noisy" if in a round that counts 5 % or more
was stolen, and "busy" if other programs took that much: neither is a verdict.

    VX, VXD         the programs
    ROUNDS, SECONDS, KEEP   15 rounds of 2 s, 5 of which count; ROUNDS=2 KEEP=2 takes 2 minutes
    ONLY            of tcp4 tcp6 udp ping, those wanted (all)
    VXD_OPTIONS     more options for both vxds
    VERDICT=0       only the accounting decides on the exit code

Exits with 1 if a ratio is less than it has to be in a line that is neither, or if a vxd's
accounting does not add up in the end.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = int(os.environ.get('ROUNDS', 15))
SECONDS = float(os.environ.get('SECONDS', 2))
KEEP = min(int(os.environ.get('KEEP', 5)), ROUNDS)
ONLY = os.environ.get('ONLY', 'tcp4 tcp6 udp ping').split()
NOISY = 0.05
VERDICT = os.environ.get('VERDICT', '1') != '0'
# (streams, least ratio of vxd to vxd, of the kernel's device to vxd)
WANTED = {1: (0.45, 0.75), 4: (0.30, 0.75)}
IP6_FACTOR = 0.9
PATHS = ['kernel', 'vxd', 'mixed']
TAG = f'vxb{os.getpid()}'
NS = {x: TAG + x for x in 'ab'}
CPUS = os.cpu_count()


def stop(message, code=1):
    print(message)
    sys.exit(code)


def run(argv, limit=20, may_fail=False):
    p = subprocess.run([str(x) for x in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, timeout=limit, check=False)
    if p.returncode and not may_fail:
        raise RuntimeError(f'{" ".join(map(str, argv))}: {p.stdout.strip()[-500:]}')
    return p.stdout


def inside(side, *argv, limit=20, may_fail=False):
    return run(['ip', 'netns', 'exec', NS[side], *argv], limit, may_fail)


# --- noise ------------------------------------------------------------------------------------------


def machine():
    """Ticks since the machine started: (stolen, of programs and the kernel's threads, all)"""
    f = [int(x) for x in pathlib.Path('/proc/stat').read_text().split('\n', 1)[0].split()[1:9]]
    return f[7], f[0] + f[1] + f[2], sum(f)


def ours():
    """Ticks that we, our children and the kernel's threads took."""
    parent, ticks = {}, {}
    for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            text = stat.read_text()
        except OSError:
            continue
        rest = text.rsplit(')', 1)[1].split()
        pid = int(text.split(' ', 1)[0])
        parent[pid], ticks[pid] = int(rest[1]), int(rest[11]) + int(rest[12])
        if pid == os.getpid():
            ticks[pid] += int(rest[13]) + int(rest[14])  # of children that have ended

    def is_ours(pid):
        while pid in parent and pid not in (2, os.getpid()):
            pid = parent[pid]
        return pid in (2, os.getpid())
    return sum(t for p, t in ticks.items() if is_ours(p))


class Noise:
    """Shares of the machine's time between its making and end(): stolen, and of other programs."""

    def __init__(self):
        self.machine, self.ours = machine(), ours()

    def end(self):
        stolen, busy, ticks = (b - a for a, b in zip(self.machine, machine()))
        return stolen / max(ticks, 1), max(0, busy - (ours() - self.ours)) / max(ticks, 1)


# --- the topology -----------------------------------------------------------------------------------


class Net:
    def __init__(self, vx, vxd):
        self.vx, self.procs = vx, []
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix='vxbench-'))
        self.vxd = vxd
        self.log = open(self.tmp / 'log', 'wb')

    def start(self, argv):
        self.procs.append(subprocess.Popen([str(x) for x in argv], stdin=subprocess.DEVNULL,
                                           stdout=subprocess.DEVNULL, stderr=self.log,
                                           start_new_session=True))

    def vx_cmd(self, side, *argv, limit=20):
        return run([self.vx, '--rundir', self.tmp / side, *argv], limit)

    def make(self):
        for ns in NS.values():
            run(['ip', 'netns', 'add', ns])
        run(['ip', '-n', NS['a'], 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0',
             'netns', NS['b']])
        for n, side in enumerate('ab', 1):
            inside(side, 'ip', 'link', 'set', 'lo', 'up')
            inside(side, 'ip', 'link', 'set', 'eth0', 'up')
            inside(side, 'ip', 'addr', 'add', f'10.0.0.{n}/24', 'dev', 'eth0')
            inside(side, 'ip', 'addr', 'add', f'fd00::{n}/64', 'dev', 'eth0', 'nodad')
            self.start(['ip', 'netns', 'exec', NS[side], self.vxd, '--no-state', '--rundir',
                        self.tmp / side, *os.environ.get('VXD_OPTIONS', '').split()])
        for side in 'ab':
            for _ in range(200):
                if (self.tmp / side / 'vxd.ctl').exists():
                    break
                time.sleep(0.05)
            else:
                raise RuntimeError('vxd does not start')
        for net, (path, is6) in enumerate(((p, s) for s in (False, True) for p in PATHS), 1):
            self.tunnel(net, path, is6)
        for server in range(len(PATHS) * 2):
            self.start(['ip', 'netns', 'exec', NS['b'], 'iperf3', '-s', '-p', 5201 + server])
        time.sleep(0.5)

    def tunnel(self, net, path, is6):
        """Tunnel number 'net': 192.168.net.1 in a, .2 in b."""
        for n, side in enumerate('ab', 1):
            by_vxd = path == 'vxd' or (path == 'mixed' and side == 'b')
            me, her = (f'fd00::{n}', f'fd00::{3 - n}') if is6 else (f'10.0.0.{n}', f'10.0.0.{3 - n}')
            words = ['link', 'add', f't{net}', 'type', 'vxlan', 'id', net, 'local', me, 'remote', her,
                     'dstport', 4800 + net, 'dev', 'eth0']
            if by_vxd:
                self.vx_cmd(side, *words)
                self.vx_cmd(side, 'link', 'set', f't{net}', 'up')
            else:
                inside(side, 'ip', *words)
                inside(side, 'ip', 'link', 'set', f't{net}', 'up')
            inside(side, 'ip', 'addr', 'add', f'192.168.{net}.{n}/24', 'dev', f't{net}')

    def check(self):
        """Each vxd's accounting: what is open is what is held.  Problems found."""
        bad = []
        for side in 'ab':
            for _ in range(20):  # only exact while no packet is on its way
                a = json.loads(self.vx_cmd(side, '-j', 'account'))
                if a['open'] == a['held']:
                    break
                time.sleep(0.1)
            else:
                bad.append(f'vxd in {side}: open {a["open"]}, held {a["held"]}')
            print(f'vxd in {side}: rx {a["rx"]} made {a["made"]} tx {a["tx"]} merged {a["merged"]} '
                  f'dropped {a["dropped"]} open {a["open"]} held {a["held"]}')
        return bad

    def remove(self):
        for p in self.procs:
            p.send_signal(signal.SIGTERM)
        for p in self.procs:
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        for ns in NS.values():
            run(['ip', 'netns', 'del', ns], may_fail=True)
        self.log.close()
        shutil.rmtree(self.tmp, ignore_errors=True)


# --- what is measured -------------------------------------------------------------------------------


def net_of(path, is6):
    return 1 + PATHS.index(path) + (len(PATHS) if is6 else 0)


def iperf(path, is6, *argv):
    net = net_of(path, is6)
    for _ in range(3):  # "the server is busy": the run before is not quite over
        out = inside('a', 'timeout', int(SECONDS) + 15, 'iperf3', '-c', f'192.168.{net}.2', '-p',
                     5200 + net, '-t', SECONDS if SECONDS != int(SECONDS) else int(SECONDS), '-J',
                     *argv, limit=SECONDS + 20, may_fail=True)
        try:
            result = json.loads(out)
        except ValueError:
            result = {'error': out[-200:]}
        if 'error' not in result:
            return result['end']
        time.sleep(0.5)
    raise RuntimeError(f'iperf3, {path}: {result["error"]}')


def tcp(path, is6, streams):
    """Gbit/s"""
    return iperf(path, is6, '-P', streams)['sum_received']['bits_per_second'] / 1e9


def udp(path, is6, streams):
    """1,000 datagrams of 64 bytes that arrive in a second; the sender sends what it can."""
    end = iperf(path, is6, '-u', '-l', 64, '-b', 0, '-P', streams)['sum']
    return (end['packets'] - end['lost_packets']) / end['seconds'] / 1e3


def ping(path, is6, _):
    """Microseconds: median of the round-trip's average, one at a time"""
    out = inside('a', 'ping', '-f', '-q', '-c', 2000, '-w', 10, f'192.168.{net_of(path, is6)}.2',
                 limit=20)
    return float(re.search(r'= [\d.]+/([\d.]+)/', out)[1]) * 1e3


def rounds(measure, is6, streams, paths):
    """[{path: figure, 'steal': share, 'others': share}], the KEEP best."""
    done = []
    for _ in range(ROUNDS):
        noise = Noise()
        row = {path: measure(path, is6, streams) for path in paths}
        row['steal'], row['others'] = noise.end()
        done.append(row)
    return sorted(done, key=lambda r: r['steal'] + r['others'])[:KEEP]


def line(label, measure, is6, streams, wanted=None):
    """Measures and prints a line; False if it is not what it has to be."""
    rows = rounds(measure, is6, streams, PATHS)
    med = {p: statistics.median(r[p] for r in rows) for p in PATHS}
    noise = max(r['steal'] for r in rows)
    other = max(r['others'] for r in rows)
    ratio = {p: med[p] / med['kernel'] for p in PATHS}
    short = wanted and any(ratio[p] < w for p, w in zip(('vxd', 'mixed'), wanted))
    disturbed = max(noise, other) >= NOISY
    note = (' noisy' if noise >= NOISY else '') + (' busy' if other >= NOISY else '')
    note += ' LESS THAN ' + '/'.join(f'{w:.2f}' for w in wanted) if short else ''
    print(f'{label:<26} {med["kernel"]:>8.2f} {med["vxd"]:>8.2f} {ratio["vxd"]:>6.2f} '
          f'{med["mixed"]:>8.2f} {ratio["mixed"]:>6.2f} {noise * 100:>6.1f} {other * 100:>7.1f}'
          f'{note}', flush=True)
    return not short or disturbed or not VERDICT


def measure_all():
    good = True
    print(f'{ROUNDS} rounds of {SECONDS:g} s, the {KEEP} with the least noise; {CPUS} CPUs, load '
          f'{os.getloadavg()[0]:.1f} at the beginning')
    print(f'{"":<26} {"kernel":>8} {"vxd":>8} {"ratio":>6} {"k->vxd":>8} {"ratio":>6} {"steal%":>6} '
          f'{"others%":>7}')
    for is6 in (False, True):
        if ('tcp6' if is6 else 'tcp4') not in ONLY:
            continue
        for streams, wanted in WANTED.items():
            if is6:
                wanted = tuple(w * IP6_FACTOR for w in wanted)
            good &= line(f'TCP, IPv{6 if is6 else 4}, {streams} stream{"s" * (streams > 1)}, Gbit/s',
                         tcp, is6, streams, wanted)
    if 'udp' in ONLY:
        line('UDP, 64 bytes, 1,000/s', udp, False, 1)
    if 'ping' in ONLY:
        line('ping -f, microseconds', ping, False, 1)
    return good


def main():
    vx, vxd = os.environ.get('VX'), os.environ.get('VXD')
    if not vx or not vxd:
        stop('VX and VXD name the programs')
    if os.getuid():
        stop('skip: needs root for network namespaces', 77)
    for tool in ('ip', 'iperf3', 'ping', 'timeout'):
        if not shutil.which(tool):
            stop(f'skip: no {tool}', 77)
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, lambda *_: sys.exit(1))
    net = Net(os.path.realpath(vx), os.path.realpath(vxd))
    try:
        net.make()
        good = measure_all()
        bad = net.check()
    except (RuntimeError, subprocess.TimeoutExpired) as e:
        good, bad = False, [str(e)]
    finally:
        net.remove()
    for b in bad:
        print('FAIL:', b)
    return 0 if good and not bad else 1


if __name__ == '__main__':
    sys.exit(main())
