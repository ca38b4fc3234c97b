# SPDX-License-Identifier: Apache-2.0
"""Cases: bridges, their ports, and what happens, one step after the other.  A case is plain data:

    oui      what its addresses begin with
    bridges  [{flood: VLANs, bpdu, secure: bool, limit: n}]               called b0, b1, ..
    ports    [{name, bridge, ofport, internal, peer, mode, tag, trunks, prio, protected}]
             b0, b1, .. among them: the bridges' local ports; a patch port has a peer
    steps    ["packet", port, [frame in hex, ..]]  ["bundle", port, {settings}]  ["set", bridge, {settings}]
             ["del", port]  ["add", port]  ["flush", bridge]  ["mac-add", port, vlan, mac]
             ["mac-del", bridge, vlan, mac]  ["peer", port, its peer from now on]
"""
import copy
import json
import random

import frames

MODES = [None, "trunk", "access", "native-tagged", "native-untagged"]
BUNDLE = {"mode": None, "tag": None, "trunks": [], "prio": "never", "protected": False}
BRIDGE = {"flood": [], "bpdu": False, "limit": 8192, "secure": False}
BUNDLE_KEYS = tuple(BUNDLE)
FEW = 10 # the smallest MAC table


def is_local(port):
    return port["name"].startswith("b")


def effective(port):
    """Mode and tag as table Port means them."""
    mode = port["mode"] or ("trunk" if port["tag"] is None else "access")
    return mode, port["tag"]


# --- making one ---------------------------------------------------------------------------------------

def oui(number):
    return "02:%02x:%02x" % (number >> 8 & 0xFF, number & 0xFF)


def renumbered(case, number):
    """With the addresses of another one, for a batch of cases that are alike."""
    old, new, text_ = case["oui"], oui(number), json.dumps(dict(case, oui=oui(number)))
    return json.loads(text_.replace(old, new).replace(old.replace(":", ""), new.replace(":", "")))


class Maker:
    def __init__(self, seed, number):
        self.rng = random.Random("%s/%d" % (seed, number))
        # No other case of a batch has these: Open vSwitch forgets what was learned by a port that goes in
        # all its bridges.
        self.oui = oui(number)
        self.vlans = self.rng.sample([1, 2, 5, 10, 20, 100, 4094, 4095], 4)
        # More addresses than a small MAC table holds, most of them on one port, so that it is always that one
        # which has to give one up.  Whole batches of these, as time has to go on for them.
        self.crowd = number // 25 % 16 == 7
        n = self.rng.randrange(2, 7)
        self.hosts = [self.oui + ":00:00:%02x" % (i + 1) for i in range(16 if self.crowd else n)]
        self.home = {}

    def chance(self, p):
        return self.rng.random() < p

    def some_vlans(self, low=1):
        return sorted(self.rng.sample(self.vlans + [0], self.rng.randrange(low, 4)))

    def bundle(self):
        mode = self.rng.choice(MODES)
        tag = self.rng.choice(self.vlans[:3]) if self.chance(0.85 if mode and mode != "trunk" else 0.3) \
            else None
        if mode is not None and self.chance(0.03):
            tag = 0
        return {"mode": mode, "tag": tag,
                "trunks": self.some_vlans() if self.chance(0.35) else [],
                "prio": self.rng.choice(["never", "never", "never", "if-nonzero", "always"]),
                "protected": self.chance(0.15)}

    def bridge(self):
        return {"flood": self.some_vlans() if self.chance(0.15) else [], "bpdu": self.chance(0.2),
                "limit": FEW if self.crowd else self.rng.choice([8192, 8192, 8192, 100]),
                "secure": self.chance(0.01)}

    def ports(self, n_bridges):
        ports, n = [], 0
        for b in range(n_bridges):
            local = dict(BUNDLE) if self.chance(0.5) else self.bundle()
            ports.append(dict(local, name="b%d" % b, bridge=b, ofport=65534, internal=True,
                              peer=None))
            for _ in range(self.rng.randrange(2, 7 if n_bridges == 1 else 4)):
                n += 1
                ports.append(dict(self.bundle(), name="p%d" % n, bridge=b, ofport=n,
                                  internal=self.chance(0.15), peer=None))
        pairs = [(b - 1, b) for b in range(1, n_bridges)] # a chain, no circle (diff.py, "circle")
        for n, pair in enumerate(pairs, 1): # each end is a port as any other
            for side, at in enumerate(pair):
                settings = dict(BUNDLE) if self.chance(0.6) else self.bundle()
                ports.append(dict(settings, name="q%d%d" % (n, side), bridge=at, ofport=50 + 2 * n + side,
                                  internal=False, peer="q%d%d" % (n, 1 - side)))
        if self.chance(0.04):
            ports.append(dict(BUNDLE, name="q99", bridge=0, ofport=99, internal=False,
                              peer="nobody"))
        return ports

    # --- packets

    def destination(self):
        r = self.rng.random()
        if r < 0.63:
            return self.rng.choice(self.hosts)
        if r < 0.70:
            return self.oui + ":00:00:ee" # nobody's
        return frames.BROADCAST if r < 0.89 else self.rng.choice(frames.GROUPS)

    def source(self, port):
        r = self.rng.random()
        if r < 0.03:
            return self.rng.choice(["03:00:00:00:00:01", frames.BROADCAST, "01:80:c2:00:00:00"])
        at_home = [h for h in self.hosts if self.home[h] == port["name"]]
        if self.crowd:
            return self.rng.choice(at_home or [frames.BROADCAST])
        return self.rng.choice(at_home) if at_home and r < 0.9 else self.rng.choice(self.hosts)

    def tags(self, port):
        """Mostly what the port takes."""
        mode, tag = effective(port)
        vid = self.rng.choice((port["trunks"] or self.vlans) + [0])
        if self.chance(0.1):
            vid = self.rng.choice(self.vlans)
        tagged = mode != "access" and self.chance(0.6)
        if mode == "access" and self.chance(0.12):
            tagged, vid = True, self.rng.choice([0, 0, tag or 0])
        out = []
        if tagged:
            out.append((0x88A8 if self.chance(0.06) else 0x8100,
                        vid | (self.rng.randrange(8) << 13 if self.chance(0.4) else 0) |
                        (0x1000 if self.chance(0.06) else 0)))
        while out and self.chance(0.1):
            out.append((self.rng.choice([0x8100, 0x8100, 0x88A8, 0x9100]), self.rng.choice(self.vlans)))
        return out

    def packet(self, port):
        src, dst = self.source(port), self.destination()
        hosts = [self.hosts.index(m) + 1 if m in self.hosts else 77 for m in (src, dst)]
        if self.chance(0.02):
            return [frames.truncated(self.rng, dst, src, self.rng.choice([0x8100, 0x8100, 0x88A8]))]
        tags = self.tags(port)
        if self.chance(0.03):
            return frames.segments(self.rng, dst, src, tags, hosts)
        kind, data = frames.payload(self.rng, src, *hosts)
        out = [frames.frame(dst, src, tags, kind, data)]
        return out * (self.rng.randrange(2, 4) if self.chance(0.03) else 1)

    def varied(self, frame):
        """Almost the same, in hex: does a flow take more than it should?"""
        tagged = frame[24:28] in ("8100", "88a8") and len(frame) >= 36
        what = self.rng.randrange(5)
        if what == 0 and tagged: # another priority
            return frame[:28] + "%x" % (int(frame[28], 16) ^ 2 * self.rng.randrange(1, 8)) + frame[29:]
        if what == 1 and tagged: # another VLAN
            return frame[:29] + "%03x" % self.rng.choice(self.vlans + [0]) + frame[32:]
        if what == 2: # a tag less, or more
            tag = "" if tagged else "8100%04x" % self.rng.choice(self.vlans)
            return frame[:24] + tag + frame[32 if tagged else 24:]
        if what == 3:
            return frames.mac(self.rng.choice(self.hosts)).hex() + frame[12:]
        return frame[:-2] + "%02x" % self.rng.randrange(256)

    # --- steps

    def crowd_step(self, case):
        homes = [p for p in case["ports"] if p["name"] in self.home.values()]
        port = homes[0] if self.chance(0.8) else self.rng.choice(homes)
        return ["packet", port["name"], [f.hex() for f in self.packet(port)]]

    def step(self, case, gone):
        if self.crowd:
            return self.crowd_step(case)
        real = [p for p in case["ports"] if not p["peer"] and p["name"] not in gone]
        port = self.rng.choice(real)
        if gone and self.chance(0.2):
            return ["add", self.rng.choice(sorted(gone))]
        sent = [s for s in case["steps"] if s[0] == "packet" and s[1] not in gone]
        if sent and self.chance(0.35): # once more: there is a flow, or was
            kind, name, packets = self.rng.choice(sent)
            return [kind, name, packets if self.chance(0.6) else [self.varied(packets[0])]]
        r = self.rng.random()
        if r < 0.92:
            return ["packet", port["name"], [f.hex() for f in self.packet(port)]]
        any_port = self.rng.choice([p for p in case["ports"] if p["name"] not in gone])
        bridge = any_port["bridge"]
        if r < 0.945:
            return ["bundle", any_port["name"], self.bundle()]
        if r < 0.955:
            flood = case["bridges"][bridge]["flood"]    # never a VLAN with a static entry
            return ["set", bridge, self.bridge() | {"flood": flood if self.chance(0.5) else []}]
        if r < 0.96:
            return ["flush", bridge]
        if r < 0.965 and any_port["peer"]:
            return ["peer", any_port["name"],
                    self.rng.choice([any_port["peer"], "nobody"])]
        vlan, host = self.rng.choice(self.vlans + [0]), self.rng.choice(self.hosts)
        flooded = vlan in case["bridges"][bridge]["flood"]   # doc/parity.md
        if r < 0.975 and not flooded:
            return ["mac-add", any_port["name"], vlan, host]
        if r < 0.982 and not flooded:
            return ["mac-del", bridge, vlan, host]
        return ["del", any_port["name"]] if not is_local(any_port) and len(real) > 2 else ["flush", bridge]

    def case(self):
        n = 1 if self.crowd else self.rng.choice([1, 1, 1, 2, 2, 3])
        case = {"oui": self.oui, "bridges": [self.bridge() for _ in range(n)], "ports": self.ports(n),
                "steps": []}
        real = [p["name"] for p in case["ports"] if not p["peer"]]
        self.home = {h: self.rng.choice(real) for h in self.hosts}
        if self.crowd:
            self.home = {h: real[i] if i < 3 else real[0] for i, h in enumerate(self.hosts)}
        gone = set()
        for _ in range(24 if self.crowd else self.rng.randrange(4, 17)):
            step = self.step(case, gone)
            if step[0] == "del":
                gone.add(step[1])
            elif step[0] == "add":
                gone.discard(step[1])
            case["steps"].append(step)
        return case


def make(seed, number):
    return Maker(seed, number).case()


# --- making it smaller --------------------------------------------------------------------------------

def clean(case):
    """Without steps of what is not there; None: nothing is left."""
    there = {p["name"]: True for p in case["ports"]}
    steps = []
    for s in case["steps"]:
        if s[0] in ("packet", "bundle", "del", "mac-add", "peer"):
            if not there.get(s[1]):
                continue
            there[s[1]] = s[0] != "del"
        elif s[0] == "add":
            if there.get(s[1], True):
                continue
            there[s[1]] = True
        elif s[1] >= len(case["bridges"]):
            continue
        steps.append(s)
    case["steps"] = steps
    return case if steps else None


def without(case, key, keep):
    c = copy.deepcopy(case)
    c[key] = [x for i, x in enumerate(c[key]) if keep(i, x)]
    return c


def plainer(case, kind, defaults):
    for i, x in enumerate(case[kind]):
        for key, value in defaults.items():
            if x[key] != value:
                c = copy.deepcopy(case)
                c[kind][i][key] = value
                yield c


def shorter_packets(case):
    for i, s in enumerate(case["steps"]):
        if s[0] != "packet":
            continue
        for k in range(len(s[2])) if len(s[2]) > 1 else []:
            c = copy.deepcopy(case)
            del c["steps"][i][2][k]
            yield c
        for size in (14, 18, 22, 34, 42, 60):
            if any(len(f) > 2 * size for f in s[2]):
                c = copy.deepcopy(case)
                c["steps"][i][2] = [f[:2 * size] for f in s[2]]
                yield c


def smaller(case):
    """Cases with something less, the boldest first."""
    n = len(case["steps"])
    size = n
    while size >= 1:
        for at in range(0, n, size):
            yield without(case, "steps", lambda i, x, at=at: not at <= i < at + size)
        size //= 2
    if len(case["bridges"]) > 1:
        last = len(case["bridges"]) - 1
        c = without(case, "ports", lambda i, p: p["bridge"] != last)
        c["bridges"].pop()
        yield c
    for i, p in enumerate(case["ports"]):
        if not is_local(p):
            yield without(case, "ports", lambda j, x, i=i: j != i)
    yield from plainer(case, "ports", BUNDLE)
    yield from plainer(case, "bridges", BRIDGE)
    yield from shorter_packets(case)


def text(case):
    """For the reader."""
    lines = ["bridge b%d: flood-vlans %s, forward-bpdu %s, mac-table-size %d, fail_mode=secure %s" %
             (i, b["flood"], b["bpdu"], b["limit"], b["secure"]) for i, b in enumerate(case["bridges"])]
    for p in case["ports"]:
        lines.append("port %s of b%d, ofport %d%s: %s" % (
            p["name"], p["bridge"], p["ofport"], ", peer " + p["peer"] if p["peer"] else "",
            ", ".join("%s %s" % (k, p[k]) for k in BUNDLE_KEYS)))
    return "\n".join(lines)
