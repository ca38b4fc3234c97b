# SPDX-License-Identifier: Apache-2.0
"""Steps of restart_test.sh.  Namespace A has vxd and eth0 (underlay), eth1 and eth2 (to become ports);
interfaces are moved to C and back."""
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

TAG, TMP, VX, VXD = (os.environ[k] for k in ("NSTAG", "TMP", "VX", "VXD"))
OPTIONS = os.environ.get("VXD_OPTIONS", "").split()
SEED, ROUNDS = int(os.environ["SEED"]), int(os.environ["ROUNDS"])
CHANGES = 100
A, C = TAG + "A", TAG + "C"
STATE = TMP + "/state/vxd.state"

rnd = random.Random(SEED)
failures = 0
log = []          # what was accepted since the last start
state_file = ""   # when vxd was killed


def fail(what, detail=""):
    global failures
    failures += 1
    print("FAIL:", what)
    for line in str(detail).splitlines():
        print("   ", line)
    sys.stdout.flush()


def run(*argv, limit=20):
    r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                       timeout=limit, errors="replace")
    return r.returncode, r.stdout, r.stderr


def sh(*argv):
    rc, out, err = run(*argv)
    if rc:
        raise RuntimeError("%s: %d %s" % (argv, rc, err))
    return out


def vx(*words):
    return run(VX, "--rundir", TMP + "/A", *words)


def ip(ns, *words):
    return run("ip", "-n", ns, *words)


def until(fn, limit=5.0):
    end = time.time() + limit
    while True:
        v = fn()
        if v or time.time() > end:
            return v
        time.sleep(0.02)


# --- vxd ---------------------------------------------------------------------------------------------

class Vxd:
    def __init__(self):
        self.proc = None
        self.err = open(TMP + "/A.vxd", "w+")

    def start(self, *options, state=True, wait=True):
        self.err.seek(0, 2)
        self.from_ = self.err.tell()
        kept = ["--statedir", TMP + "/state"] if state else []
        self.proc = subprocess.Popen(
            ["ip", "netns", "exec", A, VXD, "--rundir", TMP + "/A", *kept, *OPTIONS, *options],
            stderr=self.err)
        if wait and not until(lambda: vx("link", "show")[0] == 0):
            raise RuntimeError("vxd does not start")

    def said(self):
        with open(self.err.name, "rb") as f:
            f.seek(self.from_)
            return f.read().decode(errors="replace")

    def kill(self):
        self.proc.send_signal(signal.SIGKILL)
        self.proc.wait()

    def stop(self):
        self.proc.terminate()
        rc = self.proc.wait(20)
        if rc:
            fail("vxd ends with exit code %d" % rc, self.said())
        self.proc = None

    def quiet(self, when):
        if self.said():
            fail("vxd said %s" % when, self.said())


vxd = Vxd()


def helpers():
    out = run("ip", "netns", "pids", A)[1].split()
    found = []
    for p in out:
        try:
            with open("/proc/%s/comm" % p) as f:
                if f.read() == "vxd-helper\n":
                    found.append(int(p))
        except OSError:
            pass   # it has ended meanwhile
    return found


def save():
    rc, out, err = vx("save")
    if rc:
        raise RuntimeError("vx save: %d %s" % (rc, err))
    return out


def links():
    """What "vx -j -d link show" says, but for what is of this run only."""
    found = json.loads(vx("-j", "-d", "link", "show")[1] or "[]")
    for l in found:
        for k in ("qdisc", "promiscuity", "stats64"):
            l.pop(k, None)
    return sorted(found, key=lambda l: l["ifindex"])


def entries():
    """All of the FDB that is not learnt, nor the address of a device: if several ports of a bridge have
    one, it is the first's, as in the kernel."""
    macs = {l["address"] for l in links()}
    return sorted(json.dumps(e, sort_keys=True) for e in json.loads(vx("-j", "fdb", "show")[1] or "[]")
                  if e["state"] and not ("master" in e and e["mac"] in macs))


def host():
    """Interfaces, addresses and routes of the host."""
    out = []
    for ns in (A, C):
        addrs = json.loads(sh("ip", "-n", ns, "-j", "addr", "show"))
        for a in addrs:
            out.append([ns, a["ifindex"], a["ifname"], a.get("address"), a["mtu"],
                        sorted(f for f in a["flags"] if f in ("UP", "LOWER_UP", "NO-CARRIER")),
                        sorted((i["local"], i["prefixlen"]) for i in a["addr_info"])])
        for family in ("-4", "-6"):
            routes = json.loads(sh("ip", "-n", ns, "-j", family, "route", "show", "table", "all"))
            out += sorted([ns, json.dumps(r, sort_keys=True)] for r in routes)
    return out


def settled():
    """The host's changes reach vxd a little later: until nothing changes any more."""
    last, since = None, time.time()
    while time.time() < since + 10:
        now = (save(), host())
        if now == last:
            return now
        last = now
        time.sleep(0.15)
    raise RuntimeError("it does not settle")


def state_lines():
    with open(STATE) as f:
        return "".join(l for l in f if not l.startswith("#"))


def same(what, before, after):
    if before == after:
        return
    a, b = ([x if isinstance(x, str) else json.dumps(x) for x in
             (t.splitlines() if isinstance(t, str) else t)] for t in (before, after))
    lines = ["- " + x for x in a if x not in b] + ["+ " + x for x in b if x not in a]
    if not lines:
        lines = ["the order:"] + ["- %s\n+ %s" % p for p in zip(a, b) if p[0] != p[1]]
    fail("%s (SEED=%d)" % (what, SEED),
         "\n".join(lines) + "\nafter\n" + "\n".join(" ".join(w) for w in log) +
         "\nthe state file was\n" + state_file)


# --- random changes ----------------------------------------------------------------------------------

NAMES = ["v%d" % i for i in range(6)] + ["b0", "b1", "p0", "m0", "m1", "type", "q#x"]


def pick(*of):
    return rnd.choice(of)


def chance(p):
    return rnd.random() < p


def mac():
    return "02:00:00:00:%02x:%02x" % (rnd.randrange(2), rnd.randrange(6))


def ip4():
    return "10.0.0.%d" % rnd.randrange(1, 9)


def remote(six=False):
    return "fd00::%x" % rnd.randrange(2, 9) if six else ip4()


def kind(l):
    return l.get("linkinfo", {}).get("info_kind")


def vxlan_options(six, new):
    o = []
    if new or chance(.1):
        o += ["id", str(rnd.randrange(1, 2000))]
    if chance(.6):
        o += ["remote", remote(six)]
    if chance(.4):
        o += ["local", "fd00::1" if six else "10.0.0.1"]
    if new:
        o += ["dstport", str(pick(4789, 4790, 8472, 0))]
    once = .15 if new else 0   # what a change may not touch
    for p, words in ((.2, ["ttl", str(pick(0, 1, 64, 255, "inherit", "auto"))]),
                     (.2, ["tos", str(pick("inherit", "0x10", "4", "0"))]),
                     (.2, ["df", pick("set", "unset", "inherit")]),
                     (.15 if six else 0, ["flowlabel", str(pick(0, 5, 0xfffff, "inherit"))]),
                     (.2, ["ageing", str(pick(0, 30, "none", 4000))]),
                     (.2, ["maxaddress", str(pick(50, 1000, "unlimited"))]),
                     (.2, [pick("learning", "nolearning")]),
                     (once, ["srcport", *pick(("0", "0"), ("1000", "2000"), ("40000", "40000"))]),
                     (once, [pick("udpcsum", "noudpcsum")]),
                     (once, [pick("udp6zerocsumtx", "noudp6zerocsumtx")]),
                     (once, [pick("udp6zerocsumrx", "noudp6zerocsumrx")]),
                     (.15, [pick("localbypass", "nolocalbypass")]),
                     (.15, ["peers", pick("any", "known")]),
                     (once, ["gbp"]),
                     (once, ["reserved_bits", pick("0xf7ffffff000000ff", "0x1")]),
                     (.2, ["dev", "eth0"])):
        if chance(p):
            o += words
    return o


def link_add():
    words = ["link", "add", "dev", rnd.choice(NAMES)]
    if chance(.3):
        words += ["address", "02:00:00:00:cc:%02x" % rnd.randrange(200)]
    if chance(.3):
        words += ["mtu", str(pick(68, 1280, 1400, 1500, 9000, 65535))]
    if chance(.5):
        words += ["nohost"]
    elif chance(.15):
        words += ["netns", C, *pick([], ["netname", "in%d" % rnd.randrange(3)])]
    if chance(.3):
        words += ["up"]
    if chance(.2):
        words += ["master", pick("b0", "b1")]
    t = pick("vxlan", "vxlan", "vxlan", "bridge", "packet", "netif", "mem")
    if t in ("packet", "netif", "mem"):
        words = [w for w in words if w != "nohost"]
    words += ["type", t]
    if t == "vxlan":
        words += vxlan_options(chance(.3), True)
    elif t == "bridge":
        if chance(.5):
            words += ["ageing_time", str(pick(0, 3000, 30000))]
        if chance(.3):
            words += ["fdb_max_learned", str(pick(0, 10, 1000))]
    elif t == "mem":
        words += pick([], ["peer", pick("m0", "m1")], ["peer", pick("m0", "m1")])
    else:
        words += ["dev", pick("eth1", "eth2")]
    return words


def link_set(devs):
    name = rnd.choice(list(devs))
    words = ["link", "set", "dev", name]
    for p, more in ((.3, [pick("up", "down")]),
                    (.2, ["mtu", str(pick(68, 1280, 1399, 1500, 8000, 65535, 70000))]),
                    (.2, ["address", pick(mac(), mac(), "01:00:00:00:00:01")]),
                    (.15, ["name", rnd.choice(NAMES)]),
                    (.2, pick(["master", pick("b0", "b1", name)], ["nomaster"]))):
        if chance(p):
            words += more
    if kind(devs[name]) == "vxlan" and chance(.3):
        words += ["type", "vxlan", *vxlan_options(chance(.3), False)]
    if kind(devs[name]) == "bridge" and chance(.3):
        words += ["type", "bridge", "ageing_time", str(pick(0, 1000, 40000))]
    return words


def fdb(devs):
    d = rnd.choice(list(devs))
    if chance(.1):
        return ["fdb", "flush", "dev", d, *pick([], ["permanent"], ["static"], ["dst", ip4()],
                                               ["nopermanent"])]
    words = ["fdb", pick("add", "append", "append", "replace", "del"),
             pick(mac(), mac(), "00:00:00:00:00:00"), "dev", d]
    if kind(devs[d]) != "vxlan" or chance(.1):
        return words + ["master", pick("static", "permanent", "dynamic")]
    o = devs[d]["linkinfo"].get("info_data", {})
    if words[2] == "00:00:00:00:00:00" and o.get("remote") and chance(.3):
        return ["fdb", "del", words[2], "dev", d, *pick([], ["dst", o["remote"]])]
    words += ["dst", remote("fd00" in json.dumps(o))]
    for p, more in ((.15, ["port", str(pick(4789, 1234))]), (.15, ["vni", str(pick(7, 100))]),
                    (.1, ["via", "eth0"]), (.3, [pick("static", "dynamic", "permanent")]),
                    (.1, ["router"])):
        if chance(p):
            words += more
    return words


def inet(devs):
    d = rnd.choice(list(devs))
    net = "192.168.%d" % rnd.randrange(3)
    what = pick("addr", "addr", "route", "neigh")
    six = chance(.3)
    if what == "addr":
        a = "fd09:%x::%x/64" % (rnd.randrange(3), rnd.randrange(1, 4)) if six else \
            "%s.%d/%d" % (net, rnd.randrange(1, 4), pick(24, 32, 16))
        return ["addr", pick("add", "add", "del"), a, "dev", d]
    if what == "neigh":
        return ["neigh", pick("add", "replace", "del"), "fd09::9" if six else net + ".9",
                *([] if chance(.1) else ["lladdr", mac()]),
                *(["nud", pick("permanent", "noarp")] if chance(.5) else []), "dev", d]
    to = pick("default", "172.16.%d.0/24" % rnd.randrange(3), net + ".77/32")
    words = ["route", pick("add", "append", "replace", "del"), to]
    if chance(.15):
        return words[:2] + [pick("blackhole", "unreachable"), to]
    words += pick(["via", net + ".2"], ["dev", d], ["via", net + ".2", "dev", d])
    for p, more in ((.2, ["metric", str(pick(5, 100))]), (.2, ["mtu", "1300"]),
                    (.2, ["hoplimit", "9"]), (.2, ["src", net + ".1"])):
        if chance(p):
            words += more
    return words


def rule():
    if chance(.3):
        return ["rule", "del", str(rnd.randrange(1, 9))]
    return ["rule", "add", pick("prerouting", "input", "output", "postrouting"),
            pick("accept", "drop"), *pick([], ["udp"], ["host", ip4(), "and", "icmp"],
                                          ["tcp port 80 or udp port 53"])]


def by_exec(devs):
    """The same by ip and bridge."""
    d = rnd.choice(list(devs))
    return pick(["ip", "link", "set", "dev", d, pick("up", "down")],
                ["ip", "link", "set", "dev", d, "mtu", str(pick(1300, 1450))],
                ["ip", "link", "set", "dev", d, "name", rnd.choice(NAMES)],
                ["ip", "link", "del", "dev", d],
                ["bridge", "fdb", "append", mac(), "dev", d, "dst", ip4()],
                ["ip", "link", "add", rnd.choice(NAMES), "type", "vxlan", "id",
                 str(rnd.randrange(2000, 2100)), "dstport", "4789", "local", "10.0.0.1"])


def by_host():
    sides = []
    for ns in (A, C):
        for l in json.loads(sh("ip", "-n", ns, "-j", "link", "show")):
            if l["ifname"] != "lo" and not l["ifname"].startswith("eth"):
                sides.append((ns, l["ifname"]))
    if not sides:
        return None
    ns, d = rnd.choice(sides)
    net = rnd.randrange(20, 60)
    words = pick(["link", "set", "dev", d, "mtu", str(pick(1280, 1350, 1500, 4000))],
                 ["link", "set", "dev", d, "address", "02:00:00:00:ee:%02x" % rnd.randrange(99)],
                 ["link", "set", "dev", d, pick("up", "up", "down")],
                 ["link", "set", "dev", d, "name", rnd.choice(NAMES)],
                 ["addr", "add", "192.168.%d.1/24" % net, "dev", d],
                 ["addr", "add", "fd19:%x::1/64" % net, "dev", d, "nodad"],
                 ["route", "add", "172.20.%d.0/24" % net, "dev", d],
                 ["link", "set", "dev", d, "netns", C if ns == A else A],
                 ["link", "del", "dev", d] if chance(.4) else ["link", "set", "dev", d, "up"])
    return [ns, *words]


def change():
    """One random change; was it accepted?"""
    devs = {l["ifname"]: l for l in links()}
    x = rnd.random()
    if x < .2 or not devs:
        words = link_add()
    elif x < .4:
        words = link_set(devs)
    elif x < .43:
        words = ["link", "del", "dev", rnd.choice(list(devs))]
    elif x < .65:
        words = fdb(devs)
    elif x < .8:
        words = inet(devs)
    elif x < .83:
        words = rule()
    elif x < .9:
        words = ["exec", *by_exec(devs)]
    else:
        words = by_host()
        if not words or ip(*words)[0]:
            return False
        log.append(["ip", "-n", *words])
        time.sleep(.03)
        return True
    rc, _, err = vx(*words)
    if rc in (124, 137) or rc < 0:
        raise RuntimeError("%s: %d %s" % (words, rc, err))
    if rc == 0:
        log.append(words)
    return rc == 0


def round_of_changes(n):
    global state_file
    accepted = tried = 0
    while accepted < CHANGES:
        accepted += change()
        tried += 1
        if tried > 40 * CHANGES:
            raise RuntimeError("only %d of %d were accepted" % (accepted, tried))
    before, was_links, was_entries = settled(), links(), entries()
    said = vxd.said()
    vxd.kill()
    with open(STATE) as f:
        state_file = f.read()
    vxd.start()
    same("round %d: vx save" % n, before[0], save())
    same("round %d: vx link show" % n, was_links, links())
    same("round %d: vx fdb show" % n, was_entries, entries())
    same("round %d: the host" % n, before[1], settled()[1])
    vxd.quiet("in a restart")
    same("round %d: the state file" % n, before[0], state_lines())
    kinds = {}
    for w in log:
        k = w[0] if w[0] in ("ip", "exec") else " ".join(w[:2])
        kinds[k] = kinds.get(k, 0) + 1
    print("round %d: %d of %d accepted: %s" % (n, accepted, tried, kinds))
    for line in said.splitlines():
        if "is set back" not in line:
            fail("vxd said", line)
    del log[:]


# --- killed amid a burst -----------------------------------------------------------------------------

def burst(n):
    """Three clients at once, each with changes of its own, and kill -9: all that was acknowledged, and
    of each client at most one more."""
    if vx("link", "add", "burst", "nohost", "type", "vxlan", "id", "3000", "dstport", "4799")[0]:
        raise RuntimeError("no device for a burst")
    acked, sent = [[] for _ in range(3)], [0, 0, 0]
    stop = threading.Event()

    def client(c):
        while not stop.is_set():
            text = "0a:00:%02x:%02x:%02x:%02x" % (n, c, sent[c] >> 8, sent[c] & 255)
            sent[c] += 1
            if vx("fdb", "add", text, "dev", "burst", "dst", "10.0.0.2")[0]:
                return
            acked[c].append(text)

    threads = [threading.Thread(target=client, args=(c,)) for c in range(3)]
    for t in threads:
        t.start()
    time.sleep(rnd.uniform(.1, .5))
    vxd.kill()
    stop.set()
    for t in threads:
        t.join()
    vxd.start()
    have = set(re.findall(r"0a:00:%02x(?::[0-9a-f]{2}){3}" % n, save()))
    for c in range(3):
        lost = [m for m in acked[c] if m not in have]
        if lost:
            fail("acknowledged and lost", lost)
        if len([m for m in have if m.startswith("0a:00:%02x:%02x" % (n, c))]) > len(acked[c]) + 1:
            fail("more than was sent")
    if not any(acked):
        fail("a burst of nothing")
    torn = re.sub(r"vxd: .* is torn and was ignored\n", "", vxd.said())
    if torn:
        fail("vxd said after a burst", torn)
    vx("link", "del", "burst")
    print("burst %d: %d acknowledged, %d there" % (n, sum(map(len, acked)), len(have)))


# --- spoilt state files ------------------------------------------------------------------------------

def torn():
    vx("link", "add", "last", "nohost", "type", "vxlan", "id", "3001", "dstport", "4799")
    before = save()
    vx("fdb", "add", "02:00:00:00:00:99", "dev", "last", "dst", "10.0.0.9")
    vxd.kill()
    with open(STATE, "rb") as f:
        whole = f.read()
    if not whole.endswith(b"\n"):
        fail("the state does not end in a line's end")
    length = len(whole) - whole[:-1].rfind(b"\n") - 1
    with open(STATE, "wb") as f:
        f.write(whole[:-rnd.randrange(1, length)])
    vxd.start()
    same("a torn last line", before, save())
    if "is torn and was ignored" not in vxd.said() or len(vxd.said().splitlines()) != 1:
        fail("a torn line is not told", vxd.said())
    if vx("fdb", "add", "02:00:00:00:00:98", "dev", "last", "dst", "10.0.0.9")[0]:
        fail("a change after a torn line")


def garbage():
    before = save()
    vxd.kill()
    with open(STATE, "rb") as f:
        lines = f.read().splitlines(True)
    noise = bytes(rnd.randrange(128, 256) for _ in range(3000))
    for g in (b"\0\0\0\0\n", b"link add\n", b"link add x type vxlan id 5\0 dstport 1\n", b"'\n",
              b"fdb add\n", b"rule add nowhere drop\n", b"stop\n", b"x" * 100000 + b"\n",
              b"a " * 5000 + b"\n", noise + b"\n", b"\xff\xfe\n", b"link set nosuch up\n",
              b"exec ls\n", b"\n", b"  # nothing\n"):
        lines.insert(rnd.randrange(1, len(lines)), g)
    with open(STATE, "wb") as f:
        f.write(b"".join(lines))
    vxd.start()
    same("a state with garbage", before, save())
    if vxd.said().count("could not be restored") != 13:
        fail("garbage is not told", vxd.said())
    with open(STATE + ".bad", "rb") as f:
        if f.read() != b"".join(lines):
            fail("vxd.state.bad is not the file as it was")
    same("the state after garbage", before, state_lines())
    vxd.kill()
    with open(STATE, "wb") as f:
        f.write(bytes(rnd.randrange(256) for _ in range(20000)) + b"\n")
    vxd.start()
    same("nothing but garbage", "", save())
    for ns in (A, C):   # which nobody knows of any more
        for l in json.loads(sh("ip", "-n", ns, "-j", "-d", "link", "show")):
            if l.get("linkinfo", {}).get("info_kind") == "tun":
                ip(ns, "link", "del", l["ifname"])


# --- vxd -f ------------------------------------------------------------------------------------------

def config(text):
    with open(TMP + "/config", "w") as f:
        f.write(text)
    return ["-f", TMP + "/config"]


def side(name):
    rc, out, _ = ip(A, "-j", "-d", "addr", "show", "dev", name)
    return json.loads(out)[0] if rc == 0 else None


def fails_to_start(what, text, *options):
    vxd.start(*options, state=False, wait=False)
    rc = vxd.proc.wait(10)
    if rc != 1 or text not in vxd.said():
        fail(what, "%d %s" % (rc, vxd.said()))


WORDS = "link add f0 address 02:00:00:00:00:f0 type vxlan id 5 dstport 4789\n" \
        "link set f0 up\nlink add fb type bridge\n"


def taken_over(linger):
    vxd.start(*config(WORDS), "--linger", linger, state=False)
    ip(A, "addr", "add", "192.168.99.1/24", "dev", "f0")
    was = side("f0")["ifindex"]
    for i in range(3):
        vxd.kill()
        if i == 1:   # the helper's time is over, or it was killed as well
            for h in helpers():
                os.kill(h, signal.SIGKILL)
            until(lambda: not helpers())
        vxd.start(*config(WORDS), "--linger", linger, state=False)
        vxd.quiet("in a start with -f after a crash")
        now = side("f0")
        if not now or now["ifindex"] != was or "LOWER_UP" not in now["flags"] or \
                "192.168.99.1" not in json.dumps(now):
            fail("f0 is not the one of before", now)
    # What somebody has open, and what is no TAP as vxd makes them, is left alone.
    other = subprocess.run(["ip", "netns", "exec", A, VXD, "--rundir", TMP + "/other", "--no-state",
                            *config(WORDS)], stderr=subprocess.PIPE, text=True, timeout=20)
    if other.returncode != 1 or "somebody else has the TAP f0 open" not in other.stderr:
        fail("a second vxd takes the TAP", other.stderr)
    vxd.kill()
    # An error further on: nothing was made, and what was there is there.
    fails_to_start("an error in the file", "line 4", *config(WORDS + "link add f0 type bridge\n"))
    if not side("f0") or side("f0")["ifindex"] != was:
        fail("f0 went with a start that failed", side("f0"))
    fails_to_start("eth0 as a device", "no TAP that a former vxd left",
                   *config("link add new type bridge\nlink add eth0 type bridge\n"))
    fails_to_start("eth0 as a device without a host side", "File exists",
                   *config("link add eth0 nohost type bridge\n"))
    if side("new"):
        fail("new stays after a start that failed")
    sh("ip", "-n", A, "tuntap", "add", "mine", "mode", "tap")
    fails_to_start("another's TAP", "no TAP that a former vxd left",
                   *config("link add mine type bridge\n"))
    ip(A, "link", "del", "mine")
    vxd.start(*config(WORDS), state=False)
    vxd.stop()
    if side("f0"):
        fail("f0 stays after a clean stop")


# --- all ---------------------------------------------------------------------------------------------

def main():
    vxd.start()
    for n in range(ROUNDS):
        round_of_changes(n)
        burst(n)
    # A stop keeps the state, and takes what it made on the host along.
    before = save()
    vxd.stop()
    vxd.start()
    same("after a clean stop", before, save())
    vxd.quiet("in a start after a clean stop")
    torn()
    garbage()
    vxd.stop()
    taken_over("60")
    taken_over("0")


try:
    main()
except Exception as e:
    fail("%s: %s (SEED=%d)" % (type(e).__name__, e, SEED),
         vxd.said() + "\n".join(" ".join(w) for w in log))
finally:
    if vxd.proc and vxd.proc.poll() is None:
        vxd.proc.kill()
    for h in helpers():
        os.kill(h, signal.SIGKILL)
print("%d failed" % failures if failures else "ok")
sys.exit(1 if failures else 0)
