# SPDX-License-Identifier: Apache-2.0
"""The two switches.  Each runs a batch of cases and says, per case, what came out at each step and what
the MAC tables are at the end:

    ([["PORT HEX", .. or "refused"] sorted, per step],
     [["OFPORT VLAN MAC static|learned", .., counters], per bridge])
"""
import ctypes
import glob
import json
import os
import re
import signal
import socket
import struct
import subprocess
import time

import cases as cases_

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
LOCAL = "65534"
PCAP_HEADER, PCAP_RECORD = 24, 16
LOOP = 10 # commands of a connection in a turn of ovs-vswitchd's main loop


class Failed(Exception):
    """A switch did not do what it was told."""


def end_with_me():
    """In a child: it does not outlive the one that started it, however that ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM) # PR_SET_PDEATHSIG


# --- vx -----------------------------------------------------------------------------------------------

class Ours:
    """switch.c, by lines of words."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        bufsize=1 << 16, preexec_fn=end_with_me)

    def tell(self, *words):
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        lines = []
        for line in self.process.stdout:
            if line == ".\n":
                return lines
            lines.append(line.rstrip("\n"))
        raise Failed("vx ended at: %s" % (words,))

    @staticmethod
    def list_of(vlans):
        return ",".join(map(str, vlans)) or "-"

    def set_bridge(self, b, s):
        self.tell("set", "b%d" % b, self.list_of(s["flood"]), int(s["bpdu"]), s["limit"],
                  int(s["secure"]))

    def bundle(self, name, p):
        mode, tag = cases_.effective(p)
        self.tell("bundle", name, mode, "-" if tag is None else tag, self.list_of(p["trunks"]), p["prio"],
                  int(p["protected"]))

    def add(self, p):
        if not cases_.is_local(p):
            kind = ["patch", p["peer"]] if p["peer"] else ["internal" if p["internal"] else "device"]
            self.tell("port", "b%d" % p["bridge"], p["name"], p["ofport"], *kind)
        self.bundle(p["name"], p)

    def step(self, case, s):
        kind, what, rest = s[0], s[1], s[2:]
        if kind == "packet":
            if any(f[:12] == f[12:24] for f in rest[0]):
                self.tell("purge") # diff.py, "own"
            return sorted(self.tell("packet", what, *rest[0]))
        if kind in ("flush", "mac-del"):
            return self.tell(kind, "b%d" % what, *rest)
        if kind == "mac-add":
            return self.tell(kind, what, *rest)
        if kind == "bundle":
            self.bundle(what, rest[0])
        elif kind == "set":
            self.set_bridge(what, rest[0])
        elif kind == "peer":
            self.tell("peer", what, rest[0])
        elif kind == "add":
            self.add(next(p for p in case["ports"] if p["name"] == what))
        else:
            self.tell("del", what)
        return []

    def run_one(self, case):
        self.tell("reset")
        for b, settings in enumerate(case["bridges"]):
            self.tell("bridge", "b%d" % b)
            self.set_bridge(b, settings)
        for p in case["ports"]:
            self.add(p)
        out = [self.step(case, s) for s in case["steps"]]
        return out, [self.tell("macs", "b%d" % b) for b in range(len(case["bridges"]))]

    def run(self, batch):
        return [self.run_one(c) for c in batch]

    def hits(self):
        """Packets that hit a flow, and all."""
        hit, missed = map(int, self.tell("count")[0].split())
        return hit, hit + missed

    def end(self):
        self.process.stdin.close()
        return self.process.wait(timeout=20)


# --- Open vSwitch -------------------------------------------------------------------------------------

class Rpc:
    """JSON-RPC as ovsdb-server and ovs-appctl's other end speak it."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(path)
        self.text, self.id, self.decoder = "", 0, json.JSONDecoder()

    def receive(self):
        while True:
            self.text = self.text.lstrip()
            try:
                reply, end = self.decoder.raw_decode(self.text)
                self.text = self.text[end:]
                return reply
            except ValueError:
                data = self.sock.recv(1 << 16)
                if not data:
                    raise Failed("Open vSwitch ended")
                self.text += data.decode()

    def ask(self, calls):
        """[(method, params)]: the replies, in order."""
        out = ""
        for method, params in calls:
            self.id += 1
            out += json.dumps({"id": self.id, "method": method, "params": params})
        self.sock.sendall(out.encode())
        return [self.receive() for _ in calls]

    def calls(self, calls):
        """Their results."""
        replies = self.ask(calls)
        for call, reply in zip(calls, replies):
            if reply.get("error"):
                raise Failed("%s: %s" % (call, reply["error"]))
        return [r["result"] for r in replies]


class Database:
    def __init__(self, path):
        self.rpc = Rpc(path)
        self.cfg = 0

    def transact(self, ops):
        got = self.rpc.calls([("transact", ["Open_vSwitch"] + ops)])[0]
        for op in got:
            if op is None or "error" in op:
                raise Failed("%s: %s" % (ops, got))
        return got

    def commit(self, ops):
        """Until ovs-vswitchd has done it."""
        got = self.transact(ops + [{"op": "mutate", "table": "Open_vSwitch", "where": [],
                                    "mutations": [["next_cfg", "+=", 1]]}])
        self.cfg += 1
        self.transact([{"op": "wait", "table": "Open_vSwitch", "where": [], "columns": ["cur_cfg"],
                        "until": "==", "rows": [{"cur_cfg": self.cfg}], "timeout": 15000}])
        return got


def optional(value):
    return ["set", [] if value is None else [value]]


def many(values):
    return ["set", list(values)]


def pairs(**kw):
    return ["map", [[k.replace("_", "-"), v] for k, v in kw.items()]]


def port_row(p):
    return {"vlan_mode": optional(p["mode"]), "tag": optional(p["tag"]), "trunks": many(p["trunks"]),
            "protected": p["protected"], "other_config": pairs(priority_tags=p["prio"])}


def bridge_row(b):
    return {"flood_vlans": many(b["flood"]), "fail_mode": optional("secure" if b["secure"] else None),
            "other_config": pairs(forward_bpdu="true" if b["bpdu"] else "false",
                                  mac_table_size=str(b["limit"]))}


class Pcap:
    """What a dummy port sent, as it grows."""

    def __init__(self, path):
        self.path, self.fd, self.at = path, -1, PCAP_HEADER

    def more(self):
        if self.fd < 0:
            self.fd = os.open(self.path, os.O_RDONLY)
        data, frames, at = os.pread(self.fd, 1 << 20, self.at), [], 0
        while at < len(data):
            length = struct.unpack_from("=I", data, at + 8)[0]
            frames.append(data[at + PCAP_RECORD:at + PCAP_RECORD + length].hex())
            at += PCAP_RECORD + length
        self.at += at
        return frames

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)


class Slot:
    """A case of a batch: its bridges are c7b0, c7b1, .., its ports c7p1, .."""

    def __init__(self, number, case, tmp):
        self.case, self.tmp, self.tag = case, tmp, "c%d" % number
        self.pcaps, self.uuids, self.generation = {}, {}, 0
        self.ports = {p["name"]: p for p in case["ports"]}

    def name(self, name):
        return self.tag + name

    def bridge(self, b):
        return self.name("b%d" % b)

    def port_ops(self, p):
        """The rows of a port; its reference."""
        name, row = self.name(p["name"]), {}
        if p["peer"]:
            row = {"type": "patch", "options": pairs(peer=self.name(p["peer"]))}
        else:
            self.generation += 1
            path = "%s/%s.%d.pcap" % (self.tmp, name, self.generation)
            self.pcaps[p["name"]] = Pcap(path)
            row = {"type": "internal" if p["internal"] else "dummy",
                   "options": ["map", [["tx_pcap", path]]]}
        if not cases_.is_local(p):
            row["ofport_request"] = p["ofport"]
        return [{"op": "insert", "table": "Interface", "uuid-name": "i_" + name, "row": dict(row, name=name)},
                {"op": "insert", "table": "Port", "uuid-name": "p_" + name,
                 "row": dict(port_row(p), name=name, interfaces=["named-uuid", "i_" + name])}]

    def set_up(self):
        ops = []
        for p in self.case["ports"]:
            ops += self.port_ops(p)
        for b, settings in enumerate(self.case["bridges"]):
            ports = [["named-uuid", "p_" + self.name(p["name"])] for p in self.case["ports"]
                     if p["bridge"] == b]
            ops.append({"op": "insert", "table": "Bridge", "uuid-name": self.bridge(b),
                        "row": dict(bridge_row(settings), name=self.bridge(b), datapath_type="dummy",
                                    ports=["set", ports])})
        return ops

    def where(self, name):
        return [["name", "==", self.name(name)]]

    def config_ops(self, s):
        """What of a step goes into the database."""
        kind, what = s[0], s[1]
        if kind == "bundle":
            return [{"op": "update", "table": "Port", "where": self.where(what), "row": port_row(s[2])}]
        if kind == "set":
            return [{"op": "update", "table": "Bridge", "where": self.where("b%d" % what),
                     "row": bridge_row(s[2])}]
        if kind == "peer":
            return [{"op": "update", "table": "Interface", "where": self.where(what),
                     "row": {"options": pairs(peer=self.name(s[2]))}}]
        if kind == "add":
            p = self.ports[what]
            change, ref, ops = "insert", ["named-uuid", "p_" + self.name(what)], self.port_ops(p)
        elif kind == "del":
            p = self.ports[what]
            change, ref, ops = "delete", ["uuid", self.uuids[what]], []
        else:
            return []
        return ops + [{"op": "mutate", "table": "Bridge", "where": self.where("b%d" % p["bridge"]),
                       "mutations": [["ports", change, ["set", [ref]]]]}]

    def made(self, ops, results):
        """Remembers what rows were made."""
        for op, got in zip(ops, results):
            if op["op"] == "insert" and op["table"] == "Port":
                self.uuids[op["row"]["name"][len(self.tag):]] = got["uuid"][1]

    def control(self, s):
        """What of a step is a command."""
        kind, what = s[0], s[1]
        if kind == "flush":
            return [("fdb/flush", [self.bridge(what)])]
        if kind == "mac-del":
            return [("fdb/del", [self.bridge(what), str(s[2]), s[3]])]
        if kind == "mac-add":
            return [("fdb/add", [self.bridge(self.ports[what]["bridge"]), self.name(what), str(s[2]), s[3]])]
        return []

    def sent(self):
        return ["%s %s" % (name, f) for name, pcap in self.pcaps.items() for f in pcap.more()]


class Theirs:
    """ovs-vswitchd with the datapath "dummy", which is the one of user space, and its dummy ports.  Time
    stands still, or goes on by a second a turn.  After each packet all flows are removed, so that it
    learns from each."""

    def __init__(self, tmp):
        self.tmp = tmp
        self.processes = []
        env = dict(os.environ, OVS_RUNDIR=tmp, OVS_LOGDIR=tmp, OVS_DBDIR=tmp)
        self.env = env
        subprocess.run(["ovsdb-tool", "create", tmp + "/conf.db", SCHEMA], check=True, env=env)
        db = tmp + "/db.sock"
        self.start("ovsdb-server", tmp + "/conf.db", "--remote=punix:" + db, "--unixctl=" + tmp + "/db.ctl")
        self.await_server(db)
        subprocess.run(["ovs-vsctl", "--db=unix:" + db, "--no-wait", "init"], check=True, env=env)
        self.start("ovs-vswitchd", "unix:" + db, "--enable-dummy", "--unixctl=" + tmp + "/ctl")
        self.await_server(tmp + "/ctl")
        self.db, self.ctl = Database(db), Rpc(tmp + "/ctl")
        self.db.commit([])
        self.ctl.calls([("time/stop", [])])

    def start(self, *argv):
        log = open(self.tmp + "/" + argv[0] + ".log", "w")
        self.processes.append(subprocess.Popen([*argv, "--no-chdir", "-vconsole:warn"], env=self.env,
                                               stdout=log, stderr=log, preexec_fn=end_with_me))

    @staticmethod
    def await_server(path):
        """Until somebody answers there."""
        for _ in range(400):
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(path)
                return
            except OSError:
                time.sleep(0.025)
        raise Failed("nobody at " + path)

    def turn(self, calls, seconds):
        """Commands, then the packets that they brought, then no flow is left.  The main loop takes at most
        ten commands of a connection before it looks at its ports, so what comes after ten more finds all
        packets forwarded."""
        self.ctl.calls([("time/warp", ["1000"])] * seconds + calls + [("version", [])] * LOOP +
                       [("revalidator/purge", [])])

    def control(self, slot, step):
        replies = self.ctl.ask(slot.control(step))
        return ["refused" for r in replies if r["error"]]

    def step(self, k, slots):
        live = [s for s in slots if k < len(s.case["steps"])]
        ops = [(s, s.config_ops(s.case["steps"][k])) for s in live]
        if any(o for _, o in ops):
            results = self.db.commit([x for _, o in ops for x in o])
            for s, o in ops:
                s.made(o, results[:len(o)])
                results = results[len(o):]
        bringing = [s for s in live if s.case["steps"][k][0] == "packet"]
        out = {s: self.control(s, s.case["steps"][k]) for s in live}
        # An entry's place in the order of use changes once it is a second old.
        seconds = int(any(b["limit"] == cases_.FEW for s in live for b in s.case["bridges"]))
        for i in range(max([len(s.case["steps"][k][2]) for s in bringing], default=0)):
            those = [s for s in bringing if i < len(s.case["steps"][k][2])]
            self.turn([("netdev-dummy/receive", [s.name(s.case["steps"][k][1]), s.case["steps"][k][2][i]])
                       for s in those], seconds)
            for s in those:
                out[s] += s.sent()
        return out

    def macs(self, bridge):
        table, stats = self.ctl.calls([("fdb/show", [bridge]), ("fdb/stats-show", [bridge])])
        rows = []
        for line in table.splitlines()[1:]:
            port, vlan, mac, age = line.split()
            rows.append("%s %s %s %s" % (LOCAL if port == "LOCAL" else port, vlan, mac,
                                         "static" if age == "static" else "learned"))
        counters = re.findall(r": *(\d+)(?:/(\d+))?$", stats, re.M)
        return rows + ["%s of %s, %s static, %s learned, %s expired, %s evicted, %s moved" %
                       (*counters[0], *(c for c, _ in counters[1:]))]

    def run(self, batch):
        slots = [Slot(i, c, self.tmp) for i, c in enumerate(batch)]
        ops = [(s, s.set_up()) for s in slots]
        bridges = [["named-uuid", s.bridge(b)] for s in slots for b in range(len(s.case["bridges"]))]
        results = self.db.commit([x for _, o in ops for x in o] +
                                 [{"op": "update", "table": "Open_vSwitch", "where": [],
                                   "row": {"bridges": ["set", bridges]}}])
        for s, o in ops:
            s.made(o, results[:len(o)])
            results = results[len(o):]
        out = {s: [] for s in slots}
        for k in range(max(len(s.case["steps"]) for s in slots)):
            for s, frames in self.step(k, slots).items():
                out[s].append(sorted(frames))
        found = [(out[s], [self.macs(s.bridge(b)) for b in range(len(s.case["bridges"]))]) for s in slots]
        self.db.commit([{"op": "update", "table": "Open_vSwitch", "where": [],
                         "row": {"bridges": ["set", []]}}])
        for s in slots:
            for pcap in s.pcaps.values():
                pcap.close()
        for path in glob.glob(self.tmp + "/*.pcap"):
            os.unlink(path)
        return found

    def end(self):
        for p in reversed(self.processes):
            p.terminate()
        for p in self.processes:
            p.wait(timeout=20)
