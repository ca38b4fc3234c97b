#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Between vxd and ovsdb-server: records each message, and does what servers, or networks, may do.
#
#   ovs_proxy.py LISTEN SERVER LOG [split] [refuse=METHOD,...] [echo=SECONDS] [garbage=TEXT]
#
# A line of LOG is "> MESSAGE" (vxd's) or "< MESSAGE", and "connected".  split: what the server says
# comes byte by byte.  refuse: these methods are answered "unknown method".  echo: the server's side
# asks that often.  garbage: TEXT is put in once, a moment after the first connection.
import json
import os
import select
import socket
import sys
import time

LISTEN, SERVER, LOG = sys.argv[1:4]
WORDS = dict(w.partition("=")[::2] for w in sys.argv[4:])
REFUSED = WORDS.get("refuse", "").split(",")
log = open(LOG, "a", buffering=1)
decoder = json.JSONDecoder()


def messages(buf):
    """Whole messages from the front of the bytes; what is left."""
    out, text = [], buf.decode(errors="surrogateescape")
    while text:
        try:
            m, end = decoder.raw_decode(text)
        except ValueError:
            break
        out.append(m)
        text = text[end:].lstrip()
    return out, text.encode(errors="surrogateescape")


def send(sock, data):
    if "split" not in WORDS:
        sock.sendall(data)
        return
    for i in range(len(data)):
        sock.sendall(data[i:i + 1])


def note(mark, message):
    log.write(f"{mark} {json.dumps(message)}\n")


class Pair:
    """One connection of vxd's, and its own to the server."""

    def __init__(self, vxd):
        self.vxd = vxd
        self.server = socket.socket(socket.AF_UNIX)
        self.server.connect(SERVER)
        self.rest = {self.vxd: b"", self.server: b""}
        self.to_server = b""    # the server reads nothing while it has something to write
        now = time.monotonic()
        self.garbage_at = now + 0.3 if "garbage" in WORDS else None
        self.echo_at = now + 0.1 if "echo" in WORDS else None

    def due(self, now):
        if self.garbage_at and now >= self.garbage_at:
            self.garbage_at = None
            log.write("garbage\n")
            self.vxd.sendall(WORDS.pop("garbage").encode(errors="surrogateescape"))
        if self.echo_at and now >= self.echo_at:
            self.echo_at = now + float(WORDS["echo"])
            m = {"id": ["an", {"id": now}], "method": "echo", "params": [now, "\u20ac\u0001", {}]}
            note("<", m)
            send(self.vxd, json.dumps(m).encode())

    def carry(self, sock):
        data = sock.recv(1 << 18)
        if not data:
            return False
        found, self.rest[sock] = messages(self.rest[sock] + data)
        for m in found:
            if sock is self.server:
                note("<", m)
                send(self.vxd, json.dumps(m).encode())
                continue
            note(">", m)
            if m.get("method") in REFUSED:
                m = {"id": m["id"], "error": "unknown method", "result": None}
                note("<", m)
                send(self.vxd, json.dumps(m).encode())
            elif m.get("method") or not isinstance(m.get("id"), list):
                self.to_server += json.dumps(m).encode()
        return True

    def write(self):
        try:
            n = self.server.send(self.to_server, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        self.to_server = self.to_server[n:]

    def close(self):
        self.vxd.close()
        self.server.close()


def main():
    if os.path.exists(LISTEN):
        os.unlink(LISTEN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(LISTEN)
    listener.listen(8)
    pairs = []
    while True:
        socks = [s for p in pairs for s in p.rest]
        waiting = [p.server for p in pairs if p.to_server]
        ready, writable, _ = select.select([listener] + socks, waiting, [], 0.05)
        if listener in ready:
            try:
                pairs.append(Pair(listener.accept()[0]))
                log.write("connected\n")
            except OSError as e:
                log.write(f"no server: {e}\n")
        for p in list(pairs):
            try:
                if p.server in writable:
                    p.write()
                alive = all([p.carry(s) for s in p.rest if s in ready])
                if alive:
                    p.due(time.monotonic())
            except OSError:
                alive = False
            if not alive:
                log.write("closed\n")
                p.close()
                pairs.remove(p)


main()
