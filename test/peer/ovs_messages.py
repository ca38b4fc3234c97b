#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# What vxd and ovsdb-server said to each other, as ovs_proxy.py wrote it down.
#
#   ovs_messages.py LOG asserted          each transaction ends with an assert of the lock
#   ovs_messages.py LOG echoed            each echo was answered, id and params as they were
#   ovs_messages.py LOG columns SCHEMA    monitors name columns of the schema only
#   ovs_messages.py LOG used METHOD       the Open_vSwitch database came by this method
import json
import sys


def read(path):
    for line in open(path):
        if line[:2] in ("> ", "< "):
            yield line[0], json.loads(line[2:])


def asserted(log):
    n = 0
    for who, m in log:
        if who == ">" and m.get("method") == "transact":
            n += 1
            last = m["params"][-1]
            assert last == {"op": "assert", "lock": "ovs_vswitchd"}, m
    assert n, "no transaction"


def echoed(log):
    asked = [m for who, m in log if who == "<" and m.get("method") == "echo"]
    got = [m for who, m in log if who == ">" and "result" in m and isinstance(m.get("id"), list)]
    assert len(asked) > 2 and len(got) >= len(asked) - 1, (asked, got)
    for a, g in zip(asked, got):
        assert g["id"] == a["id"] and g["result"] == a["params"] and g["error"] is None, (a, g)


def columns(log, schema):
    tables = json.load(open(schema))["tables"]
    n = 0
    for who, m in log:
        if who != ">" or not str(m.get("method")).startswith("monitor") or \
                m["params"][0] != "Open_vSwitch":
            continue
        for table, requests in m["params"][2].items():
            for r in requests if isinstance(requests, list) else [requests]:
                n += len(r["columns"])
                unknown = set(r["columns"]) - set(tables[table]["columns"])
                assert not unknown, (table, unknown)
    assert n, "no monitor"


def used(log, method):
    said = [m["method"] for who, m in log if who == ">" and m.get("params") and
            str(m.get("method")).startswith("monitor") and m["params"][0] == "Open_vSwitch"]
    assert said and said[-1] == method, said


try:
    globals()[sys.argv[2]](list(read(sys.argv[1])), *sys.argv[3:])
except AssertionError as e:
    sys.exit(f"{sys.argv[2]}: {str(e)[:2000]}")
