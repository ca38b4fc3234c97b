# SPDX-License-Identifier: Apache-2.0
"""Builds each broken set-up of rows.py, sends one packet, reads `vx explain`, mends, sends again.

Each row has two namespaces of its own, A with vxd and B, the peer.  Called by broken_test.sh; words
on the command line pick the rows whose names contain them.  -v shows what was said."""
import json
import multiprocessing
import os
import re
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "peer")]
os.environ.setdefault("NSTAG", "vxe%d" % os.getpid())
os.environ.setdefault("TMP", tempfile.mkdtemp(prefix="vxexplain."))
import lib  # noqa: E402
from rows import KERNEL_DEVICE, ROWS, SENDER, Row  # noqa: E402

VX, VXD = os.environ["VX"], os.environ["VXD"]
OVERLAY_HOST = "02:00:00:00:ee:01"   # behind the peer: whom the host's frames are for
STACK = ["link add up0 type packet dev eth0", "link set up0 up", "addr add 10.0.0.1/24 dev up0",
         "addr add fd00::1/64 dev up0"]
PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b|[{}]")


class Failed(Exception):
    pass


# --- packets -----------------------------------------------------------------------------------------

def frame_in(marker, s):
    """A frame of the underlay as the peer sends it, by its settings."""
    inner = lib.inner4(marker, dmac=s.get("dmac") or lib.DEV_MAC, smac=s.get("smac") or SENDER,
                       dport=s.get("inner_port", 2222))
    if s.get("cut"):
        inner = inner[:s["cut"]]
    payload = s.get("payload") or lib.vxlan(inner, s.get("vni", 100), s.get("word0", 0x08000000))
    v6 = s.get("v6")
    src = lib.PEER6 if v6 else s.get("src", lib.PEER)
    dst = lib.VTEP6 if v6 else s.get("dst", lib.VTEP)
    u = lib.udp(src, dst, 40000, s.get("dport", 4789), payload, s.get("check"))
    if s.get("udp_len"):
        u = u[:4] + struct.pack("!H", s["udp_len"]) + u[6:]
    if v6:
        return lib.eth(lib.ETH0_MAC, lib.PEER_MAC, 0x86DD, lib.ip6(src, dst, 17, u))
    f = lib.eth(s.get("eth_dst") or lib.ETH0_MAC, lib.PEER_MAC, 0x0800,
                lib.ip4(src, dst, 17, u, tos=s.get("tos", 0), bad=s.get("ip_bad", 0)))
    return f[:len(f) - s.get("cut_frame", 0)]


# --- the bench ---------------------------------------------------------------------------------------

class Bench:
    def __init__(self, row, number):
        self.row, self.tag = row, "%s-%d" % (os.environ["NSTAG"], number)
        self.dir = os.path.join(os.environ["TMP"], str(number))
        self.dev = "up0" if row.form == "stack" else "eth0"
        self.settings = dict(row.peer or {})
        self.vxd = None
        self.count = 0
        os.mkdir(self.dir)
        lib.TAG = self.tag

    def sh(self, side, words, check=True, limit=10):
        cmd = ["ip", "netns", "exec", self.tag + side] + words
        r = subprocess.run(cmd, capture_output=True, text=True, timeout=limit,
                           env=dict(os.environ, VX_RUNDIR=self.dir))
        if check and r.returncode:
            raise Failed("%s: %s%s" % (" ".join(words), r.stdout, r.stderr))
        return r.stdout

    def fill(self, line):
        return line.replace("{dev}", self.dev).replace("{mac}", lib.DEV_MAC) \
            .replace("{peer_mac}", lib.PEER_MAC)

    def vx(self, line, check=True):
        return self.sh("A", [VX] + shlex.split(self.fill(line)), check)

    def build(self, wrap=()):
        script = ["netns add %sA" % self.tag, "netns add %sB" % self.tag]
        for line in script:
            subprocess.run(["ip"] + line.split(), check=True)
        script = "link add eth0 address %s type veth peer name eth0 address %s netns %sB\n" \
            "link set lo up\nlink set eth0 up\n" % (lib.ETH0_MAC, lib.PEER_MAC, self.tag)
        if self.row.form == "host":
            script += "addr add 10.0.0.1/24 dev eth0\naddr add fd00::1/64 dev eth0 nodad\n"
        subprocess.run(["ip", "-n", self.tag + "A", "-b", "-"], input=script, text=True, check=True)
        script = "link set lo up\nlink set eth0 up\naddr add 10.0.0.2/24 dev eth0\n" \
            "addr add fd00::2/64 dev eth0 nodad\n"
        subprocess.run(["ip", "-n", self.tag + "B", "-b", "-"], input=script, text=True, check=True)
        for side in "AB":
            self.sh(side, ["sh", "-c", "ethtool -K eth0 tx off tso off gso off gro off; sysctl -qw "
                           "net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0 "
                           "net.ipv6.conf.default.accept_dad=0 "
                           "net.ipv6.conf.default.router_solicitations=0"], check=False)
        self.vxd = subprocess.Popen(["ip", "netns", "exec", self.tag + "A"] + list(wrap) +
                                    [VXD, "--no-state", "--rundir", self.dir],
                                    stderr=open(self.dir + "/err", "w"))
        if not lib.until(lambda: os.path.exists(self.dir + "/vxd.ctl"), 5):
            raise Failed("vxd does not start: " + open(self.dir + "/err").read())

    def configure(self):
        for line in (STACK if self.row.form == "stack" else []) + list(self.row.vx):
            self.vx(line)
        for line in self.row.kernel:
            self.sh("B", ["ip"] + line.split())
        for line in self.row.host:
            self.sh("A", shlex.split(line))
        self.wire = lib.Tap("B", "eth0")
        for line in self.row.first:
            self.step(line)

    def step(self, line):
        """One line of `first` or `mend`."""
        side, _, rest = line.partition(":")
        if side == "peer":
            self.sh("B", shlex.split(rest), check=False)
        elif side == "host":
            self.sh("A", shlex.split(rest))
        elif side == "send":
            # From a host behind the peer; it is learned.
            mac = rest.strip() or SENDER
            self.wire.send(frame_in(b"first", {"smac": mac, "inner_port": 3333}))
            time.sleep(0.1)
        elif line.startswith("up0 mtu") and self.row.form == "stack":
            self.vx("link set up0 mtu " + line.split()[-1])

    def done(self):
        if self.vxd:
            self.vxd.terminate()
            try:
                self.vxd.wait(5)
            except subprocess.TimeoutExpired:
                self.vxd.kill()
                self.vxd.wait()
        for side in "AB":
            subprocess.run(["ip", "netns", "del", self.tag + side], capture_output=True)
        said = open(self.dir + "/err").read() if self.vxd else ""
        shutil.rmtree(self.dir, ignore_errors=True)
        if self.vxd and (self.vxd.returncode or "Sanitizer" in said or "runtime error" in said):
            return "vxd ended with %s: %s" % (self.vxd.returncode, said)
        return None

    # --- sending and catching ---

    def marker(self):
        self.count += 1
        return b"broken %03d %020d" % (self.count, time.monotonic_ns())

    def send_big(self, marker):
        """A datagram of the host's own stack: it heeds the device's MTU."""
        self.sh("A", ["ip", "addr", "replace", "192.168.9.1/24", "dev", "vxlan1"])
        self.sh("A", ["ip", "neigh", "replace", "192.168.9.2", "lladdr", OVERLAY_HOST, "dev", "vxlan1"])
        with lib.inside("A"):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER: fragment
        s.sendto(marker + bytes(1400 - len(marker)), ("192.168.9.2", 2222))
        s.close()

    def send(self, marker):
        row = self.row
        if row.way == "kernel":
            self.sh("B", ["ip", "neigh", "flush", "dev", "vxlan1"])
            self.sh("B", ["ping", "-c", "1", "-W", "0.1", "192.168.9.1"], check=False)
        elif row.kind == "big":
            self.send_big(marker)
        elif row.way == "out":
            if row.kind == "exchange":
                self.wire.send(frame_in(b"exchange", {"smac": OVERLAY_HOST, "inner_port": 3333}))
                time.sleep(0.1)
            tap = lib.Tap("A", row.tap)
            tap.send(lib.inner4(marker, dmac=OVERLAY_HOST, smac=lib.DEV_MAC))
            tap.close()
        else:
            self.wire.send(frame_in(marker, self.settings))

    def arrives(self):
        """The packet, again: does it reach `at`?"""
        catch = lib.Tap("B", "eth0") if self.row.at == "peer" else lib.Tap("A", self.row.at)
        end = time.time() + 4
        while time.time() < end:
            marker = self.marker()
            self.send(marker)
            want = socket.inet_aton("192.168.9.2") if self.row.way == "kernel" else marker
            if lib.until(lambda: any(want in f for _, f in catch.read(0.05)), 0.4):
                return True
        return False

    # --- explain ---

    def explain(self):
        p = subprocess.Popen(["ip", "netns", "exec", self.tag + "A", VX, "--rundir", self.dir, "-d",
                              "-j", "explain", "-c", "1", self.row.expr], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = p.stderr.readline()
        if "waiting" not in line or ("are seen, too" in line) != (self.row.form == "host"):
            p.kill()
            raise Failed("vx explain: " + line + p.communicate()[1])
        self.send(self.marker())
        try:
            out, err = p.communicate(timeout=6)
        except subprocess.TimeoutExpired:
            p.kill()
            p.communicate()
            raise Failed("vx explain saw nothing; drops: " + self.vx("drops"))
        return json.loads(out)


# --- what was said -----------------------------------------------------------------------------------

def pick(value, form):
    return value[form] if isinstance(value, dict) else value


def everything(t):
    return "; ".join(s.get("text", "") for s in t["steps"]) + "; " + t.get("drop", {}).get("text", "")


def check_said(row, t, where="explain"):
    d = t.get("drop")
    if not d:
        raise Failed("%s: no drop: %s" % (where, json.dumps(t)))
    for key, want in (("reason", pick(row.reason, row.form)), ("stage", pick(row.stage, row.form))):
        if d[key] != want and not (where == "offline" and key == "stage"):
            raise Failed("%s: %s is %s, wanted %s: %s" % (where, key, d[key], want, everything(t)))
    if not re.search(row.says, everything(t)):
        raise Failed("%s: /%s/ is not in: %s" % (where, row.says, everything(t)))
    if not re.search(row.counter, d["counters"]):
        raise Failed("%s: /%s/ is not in the counters: %s" % (where, row.counter, d["counters"]))
    if not d["advice"]:
        raise Failed("%s: no advice" % where)


def check_counters(b, t):
    """The counters that were named have moved."""
    d = t["drop"]
    if not d["reason"].startswith("host_") and "arrived on" not in everything(t):
        drops = {x["reason"]: x["packets"] for x in json.loads(b.vx("-j drops"))}
        if not drops.get(d["reason"]):
            raise Failed("vx drops has no %s: %s" % (d["reason"], drops))
    for part in filter(None, d["counters"].split("; ")):
        names, _, where = part.rpartition(" of ")
        if where == '"vx nstat"':
            stat = dict(l.split()[:2] for l in b.vx("nstat").splitlines())
        elif where == "the host's nstat":
            out = b.sh("A", ["nstat", "-az"], check=False)
            stat = dict(l.split()[:2] for l in out.splitlines() if l[0] != "#")
        else:
            s = json.loads(b.sh("A", [VX, "exec", "ip", "-j", "-s", "-s", "link", "show", where]))
            s = s[0]["stats64"]
            stat = {"%s_%s" % (way, k): v for way in ("rx", "tx") for k, v in s[way].items()}
            stat["collisions"] = s["tx"].get("collisions", 0)
        for name in re.split(r", | and ", names):
            if stat and not int(stat.get(name, 0)):
                raise Failed("%s of %s did not move" % (name, where))


def mend(b, t):
    row, d = b.row, t["drop"]
    if row.mend != "run":
        if not re.search(row.advice, d["advice"]):
            raise Failed("advice: /%s/ is not in: %s" % (row.advice, d["advice"]))
        if isinstance(row.mend, dict):
            for k, v in row.mend.items():
                b.settings.pop(k, None)
                if v is not None:
                    b.settings[k] = v
        else:
            for line in row.mend:
                b.step(line)
        return
    cmd = d["command"]
    if not cmd:
        raise Failed("no command in the advice: " + d["advice"])
    words = shlex.split(cmd)
    if words[0] not in ("vx", "ip") or PLACEHOLDER.search(cmd):
        raise Failed("not to be run as printed: " + cmd)
    if words[0] == "vx":
        words[0] = VX
    b.sh("A", words)


# --- offline -----------------------------------------------------------------------------------------

def pcap(path, frame):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        f.write(struct.pack("<IIII", 1000, 0, len(frame), len(frame)) + frame)


def offline(b):
    row = b.row
    base = STACK if row.form == "stack" else []
    with open(b.dir + "/config", "w") as f:
        f.write("".join(b.fill(l) + "\n" for l in base + list(row.vx)))
    pcap(b.dir + "/in.pcap", frame_in(b.marker(), row.peer or {}))
    out = b.sh("A", [VX, "-d", "-j", "explain", "-f", b.dir + "/config", b.dir + "/in.pcap"]
               + row.expr.split())
    check_said(row, json.loads(out.splitlines()[0]), "offline")


# --- all ---------------------------------------------------------------------------------------------

def accounted(b):
    a = json.loads(b.vx("account"))
    return a["open"] == a["held"]


def one(number):
    began = time.time()
    b = Bench(ROWS[number], number)
    why, said = attempt(b)
    return number, b.done() or why, said, time.time() - began


def attempt(b):
    """What went wrong, or None; what was said of the drop."""
    row, said = b.row, ""
    try:
        b.build()
        b.configure()
        if row.offline:
            offline(b)
        t = b.explain()
        said = json.dumps(t.get("drop"))
        check_said(row, t)
        check_counters(b, t)
        mend(b, t)
        if not b.arrives():
            raise Failed("mended by %s, the packet does not arrive; drops: %s" % (
                t["drop"]["command"] if row.mend == "run" else row.mend, b.vx("drops")))
        if not lib.until(lambda: accounted(b)):
            raise Failed("packets are lost: " + b.vx("account"))
    except Failed as e:
        return str(e), said
    except Exception as e:  # a row that breaks must not take the others along
        return "%s: %s" % (type(e).__name__, e), said
    return None, said


def blind():
    """Without CAP_NET_RAW the first line says so; what reaches a socket is explained all the same."""
    row = next(r for r in ROWS if r.form == "host" and r.reason == "vxlan_unknown_vni")
    b = Bench(row, len(ROWS))
    p = None
    try:
        b.build(["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"])
        b.configure()
        p = subprocess.Popen([VX, "--rundir", b.dir, "explain", "-c", "1", row.expr], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = p.stderr.readline()
        b.send(b.marker())
        out = p.communicate(timeout=5)[0]
        if "cannot be seen" not in line or "CAP_NET_RAW" not in line or row.reason not in out:
            return line + out
    except (Failed, subprocess.TimeoutExpired) as e:
        return str(e)
    finally:
        if p:
            p.kill()
        b.done()
    return None


def quiet():
    """No false alarm: of much that arrives (pings, TCP in super-frames) nothing counts as lost."""
    row = Row("quiet", "host", None, None, "", "run", kernel=KERNEL_DEVICE)
    b = Bench(row, len(ROWS) + 1)
    p = None
    try:
        b.build()
        b.configure()
        b.sh("A", ["ip", "addr", "add", "192.168.9.1/24", "dev", "vxlan1"])
        for side in "AB":
            b.sh(side, ["ethtool", "-K", "eth0", "tx", "on", "tso", "on", "gso", "on", "gro", "on"],
                 check=False)
        p = subprocess.Popen([VX, "--rundir", b.dir, "explain", "-c", "1", "drop", "host_filtered"],
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stderr.readline()
        b.sh("B", ["ping", "-q", "-i", "0.002", "-c", "300", "192.168.9.1"])
        with lib.inside("A"):
            s = socket.create_server(("192.168.9.1", 5001))
        with lib.inside("B"):
            c = socket.create_connection(("192.168.9.1", 5001), timeout=3)
        r, n = s.accept()[0], 0
        sender = multiprocessing.Process(target=c.sendall, args=(bytes(32 << 20),))
        sender.start()
        c.close()
        r.settimeout(5)
        while n < 32 << 20:
            got = len(r.recv(1 << 20))
            if not got:
                raise Failed("TCP ended after %d bytes" % n)
            n += got
        sender.join(5)
        try:
            return p.communicate(timeout=1.5)[0] or "explain ended"
        except subprocess.TimeoutExpired:
            return None
    except (Failed, OSError) as e:
        return str(e)
    finally:
        if p:
            p.kill()
        b.done()


def main():
    words = [w for w in sys.argv[1:] if w != "-v"]
    numbers = [i for i, r in enumerate(ROWS) if not words or any(w in r.name for w in words)]
    bad = ran = off = 0
    with multiprocessing.Pool(int(os.environ.get("JOBS", "4")), maxtasksperchild=1) as pool:
        for n, why, said, took in pool.imap(one, numbers):
            row = ROWS[n]
            if "-v" in sys.argv:
                print("%-60s %.1f s  %s" % (row.name, took, said))
            if why:
                bad += 1
                print("FAIL: %s: %s\n    %s" % (row.name, why, said))
            else:
                ran += row.mend == "run"
                off += row.offline
            sys.stdout.flush()
    good = len(numbers) - bad
    why = None if words else blind()
    if why:
        bad += 1
        print("FAIL: without CAP_NET_RAW: " + why)
    why = None if words else quiet()
    if why:
        bad += 1
        print("FAIL: false alarm: " + why)
    print("%d of %d set-ups explained and mended: %d by the advised command as printed, %d at the "
          "other side; %d offline, too" % (good, len(numbers), ran, good - ran, off))
    shutil.rmtree(os.environ["TMP"], ignore_errors=True)
    if not words and (ran < 20 or good < 30):
        bad += 1
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
