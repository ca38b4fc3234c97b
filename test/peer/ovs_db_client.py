#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# A client of ovsdb-server, JSON-RPC by hand, for what ovs-vsctl does not do.
#
#   ovs_db_client.py SOCKET steal SECONDS   takes vxd's lock, prints "stolen", holds it, counts the
#                                           changes of the tables meanwhile ("changes N")
#   ovs_db_client.py SOCKET junk N          N ports and interfaces of a bridge that is none, in one
#                                           transaction
#   ovs_db_client.py SOCKET unjunk          they go
#   ovs_db_client.py SOCKET ports BRIDGE N  N VXLAN ports in one transaction
#   ovs_db_client.py SOCKET unports BRIDGE  they go, in one transaction
import json
import socket
import sys
import time


class Client:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.text = ""
        self.next_id = 1
        self.notices = []
        self.decoder = json.JSONDecoder()

    def receive(self, until):
        """The next message, or None when the time is over."""
        while True:
            self.text = self.text.lstrip()
            if self.text:
                try:
                    message, end = self.decoder.raw_decode(self.text)
                    self.text = self.text[end:]
                    return message
                except ValueError:
                    pass  # not whole yet
            left = until - time.monotonic()
            if left <= 0:
                return None
            self.sock.settimeout(left)
            try:
                got = self.sock.recv(1 << 20)
            except socket.timeout:
                return None
            if not got:
                sys.exit("the server closed the connection")
            self.text += got.decode()

    def ask(self, method, *params, seconds=60):
        self.next_id += 1
        request = {"id": self.next_id, "method": method, "params": list(params)}
        self.sock.settimeout(seconds)
        self.sock.sendall(json.dumps(request).encode())
        until = time.monotonic() + seconds
        while True:
            m = self.receive(until)
            if m is None:
                sys.exit(f"no answer to {method}")
            if m.get("id") == self.next_id:
                if m.get("error"):
                    sys.exit(f"{method}: {m['error']}")
                return m["result"]
            self.notices.append(m)

    def transact(self, *ops):
        for r in self.ask("transact", "Open_vSwitch", *ops):
            if r and r.get("error"):
                sys.exit(f"transact: {r}")


def steal(client, seconds):
    written = {"Open_vSwitch": ["cur_cfg", "iface_types"], "Bridge": ["datapath_id", "status"],
               "Interface": ["ofport", "error", "statistics", "status", "link_state", "mac_in_use"]}
    tables = {t: [{"columns": c, "select": {"initial": False, "insert": False}}]
              for t, c in written.items()}
    client.ask("steal", "ovs_vswitchd")
    client.ask("monitor", "Open_vSwitch", None, tables)
    print("stolen", flush=True)
    until, changes = time.monotonic() + float(seconds), 0
    while (m := client.receive(until)) is not None:
        changes += m.get("method") == "update"
    print("changes", changes, flush=True)
    client.ask("unlock", "ovs_vswitchd")


def junk(client, n):
    """Interfaces of ports that vxd has never seen: of a bridge that it has to refuse."""
    ops = [{"op": "insert", "table": "Port", "uuid-name": f"p{i}",
            "row": {"name": f"j{i}", "interfaces": ["named-uuid", f"i{i}"],
                    "external_ids": ["map", [["junk", "x" * 40]]]}} for i in range(n)]
    ops += [{"op": "insert", "table": "Interface", "uuid-name": f"i{i}",
             "row": {"name": f"j{i}", "type": "nosuchtype",
                     "external_ids": ["map", [["junk", "y" * 40]]]}} for i in range(n)]
    ops.append({"op": "insert", "table": "Bridge", "uuid-name": "b",
                "row": {"name": "junk", "datapath_type": "nosuch",
                        "ports": ["set", [["named-uuid", f"p{i}"] for i in range(n)]]}})
    ops.append({"op": "mutate", "table": "Open_vSwitch", "where": [],
                "mutations": [["bridges", "insert", ["named-uuid", "b"]], ["next_cfg", "+=", 1]]})
    client.transact(*ops)


def unjunk(client):
    row = client.ask("transact", "Open_vSwitch", {
        "op": "select", "table": "Bridge", "where": [["name", "==", "junk"]],
        "columns": ["_uuid"]})[0]["rows"][0]["_uuid"]
    client.transact({"op": "mutate", "table": "Open_vSwitch", "where": [],
                     "mutations": [["bridges", "delete", row], ["next_cfg", "+=", 1]]})


def ports(client, bridge, n):
    ops = []
    for i in range(n):
        ops.append({"op": "insert", "table": "Interface", "uuid-name": f"i{i}",
                    "row": {"name": f"m{i}", "type": "vxlan", "options":
                            ["map", [["remote_ip", f"10.9.{i >> 8}.{i & 255}"], ["key", str(i)]]]}})
        ops.append({"op": "insert", "table": "Port", "uuid-name": f"p{i}",
                    "row": {"name": f"m{i}", "interfaces": ["named-uuid", f"i{i}"]}})
    ops.append({"op": "mutate", "table": "Bridge", "where": [["name", "==", bridge]],
                "mutations": [["ports", "insert",
                               ["set", [["named-uuid", f"p{i}"] for i in range(n)]]]]})
    ops.append({"op": "mutate", "table": "Open_vSwitch", "where": [],
                "mutations": [["next_cfg", "+=", 1]]})
    client.transact(*ops)


def unports(client, bridge):
    rows = client.ask("transact", "Open_vSwitch", {
        "op": "select", "table": "Port", "where": [], "columns": ["_uuid", "name"]})[0]["rows"]
    mine = [r["_uuid"] for r in rows if r["name"][0] == "m" and r["name"][1:].isdigit()]
    client.transact(
        {"op": "mutate", "table": "Bridge", "where": [["name", "==", bridge]],
         "mutations": [["ports", "delete", ["set", mine]]]},
        {"op": "mutate", "table": "Open_vSwitch", "where": [],
         "mutations": [["next_cfg", "+=", 1]]})


def main():
    client, what, args = Client(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if what == "steal":
        steal(client, args[0])
    elif what == "junk":
        junk(client, int(args[0]))
    elif what == "unjunk":
        unjunk(client)
    elif what == "ports":
        ports(client, args[0], int(args[1]))
    elif what == "unports":
        unports(client, args[0])
    else:
        sys.exit(f"unknown: {what}")


main()
