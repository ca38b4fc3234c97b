#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same packets into the same bridges, once Open vSwitch's in user space, once vx's: outputs and MAC
tables have to be equal (issue 4, differential).

    diff.py --switch PROGRAM [--cases N] [--seed S] [--first I] [--tmp DIR]

Case I of a seed is always the same.  What differs is made as small as it goes, and printed.  Exit code 1:
something differs, or too few cases output a packet.
"""
import argparse
import os
import re
import shutil
import signal
import sys
import tempfile
import time

import cases
from switches import Failed, Ours, Theirs

BATCH = 25
SHARE = 0.6   # of the cases has to output a packet, and of the packets has to be output
ENOUGH = 1000 # cases for that to mean something
LINES = 20    # of one difference
SHOWN = 3     # differences that are made small

# What is not compared, and why (doc/parity.md).
#
# dei     The drop eligible bit of a tag is lost where a tag is taken off and put on again for an earlier
#         output of the same packet, and 3.1 floods in an order that depends on a hash.
# own     A packet for its own source.  A flow that was made before the source moved leads, once it was
#         revalidated, to where it is now: in 3.1, too, but here all its flows are removed after each packet.
#         So vx's are, before such a packet.
# static  The number of static entries: 3.1 does not count down when one goes with its port, or with the
#         settings of that ("0 of 8192, 1 static").  The entries are compared.
# order   Of MAC tables that are not small, as time stands still for them: 3.1 moves an entry up once it is a
#         second old.
# circle  Patch ports in a circle are not made: 3.1 sends a frame out again each time that it comes by, some
#         60 times; vx drops it as patch_loop.


def without_dei(line):
    """An output whose outermost tag has no drop eligible bit."""
    port, _, frame = line.partition(" ")
    if frame[24:28] in ("8100", "88a8") and len(frame) > 28:
        frame = frame[:28] + "%x" % (int(frame[28], 16) & 0xE) + frame[29:]
    return port + " " + frame


def without_static(line):
    return re.sub(r", \d+ static,", ",", line)


def differences(case, ours, theirs):
    """Text of each place where they differ."""
    found = []
    for k, (a, b) in enumerate(zip(ours[0], theirs[0])):
        a, b = (sorted(map(without_dei, x)) for x in (a, b))
        if a != b:
            found.append("step %d, %s\n%s" % (k, " ".join(map(str, case["steps"][k][:2])), columns(a, b)))
    for i, (a, b) in enumerate(zip(ours[1], theirs[1])):
        a, b = (list(map(without_static, x)) for x in (a, b))
        if case["bridges"][i]["limit"] != cases.FEW:
            a, b = sorted(a), sorted(b) # else the order of use counts
        if a != b:
            found.append("MAC table of b%d at the end\n%s" % (i, columns(a, b)))
    return found


def columns(ours, theirs):
    only = [("only vx:  ", x) for x in extra(ours, theirs)] + [("only OVS: ", x) for x in extra(theirs, ours)]
    more = ["    and %d more" % (len(only) - LINES)] if len(only) > LINES else []
    if not only:
        return "    vx:  %s\n    OVS: %s" % (ours, theirs) # the order is another
    return "\n".join(["    " + who + what for who, what in only[:LINES]] + more)


def extra(a, b):
    """Those of a, counted, that are not in b."""
    b, out = list(b), []
    for x in a:
        if x in b:
            b.remove(x)
        else:
            out.append(x)
    return out


class Pair:
    def __init__(self, ours, theirs):
        self.ours, self.theirs = ours, theirs

    def compare(self, batch):
        """Per case: differences, and whether each of its packets came out somewhere."""
        a, b = self.ours.run(batch), self.theirs.run(batch)
        return [(differences(c, x, y), [bool(out) for s, out in zip(c["steps"], y[0]) if s[0] == "packet"])
                for c, x, y in zip(batch, a, b)]


def shrink(pair, case):
    """The smallest case found that still differs, each step trying all that has a little less."""
    while True:
        tries = [c for c in map(cases.clean, cases.smaller(case)) if c]
        for at in range(0, len(tries), BATCH):
            batch = [cases.renumbered(c, i) for i, c in enumerate(tries[at:at + BATCH])]
            bad = [c for c, (found, _) in zip(batch, pair.compare(batch)) if found]
            if bad and pair.compare(bad[:1])[0][0]: # each time
                case = bad[0]
                break
        else:
            return case


def tell(pair, seed, number, case, found):
    print("FAIL: case %d of seed %s (diff.py --seed %s --first %d --cases 1)" % (number, seed, seed, number))
    print(*found, sep="\n")
    if not pair.compare([case])[0][0]:
        print("It does not when it is run again.")
        return
    small = shrink(pair, case)
    print("The shortest that differs:")
    print(cases.text(small))
    for k, s in enumerate(small["steps"]):
        print("step %d: %s" % (k, " ".join(map(str, s))))
    for found in pair.compare([small])[0][0]:
        print(found)
    print("vx dropped:", ", ".join(pair.ours.tell("drops")) or "nothing")
    sys.stdout.flush()


def run(args, pair):
    began = time.monotonic()
    bad, n_out, packets, packets_out = [], 0, 0, 0
    for at in range(args.first, args.first + args.cases, BATCH):
        numbers = range(at, min(at + BATCH, args.first + args.cases))
        batch = [cases.make(args.seed, i) for i in numbers]
        try:
            results = pair.compare(batch)
        except Failed as e:
            raise Failed("cases %d to %d of seed %s: %s" % (at, numbers[-1], args.seed, e))
        for number, case, (found, out) in zip(numbers, batch, results):
            packets += len(out)
            packets_out += sum(out)
            n_out += any(out)
            if found:
                bad.append((number, case, found))
    for number, case, found in bad[:SHOWN]:
        tell(pair, args.seed, number, case, found)
    hits, all_ = pair.ours.hits()
    rc = pair.ours.end()
    print("%d cases of seed %s: %d differ; %.0f %% of the cases and %.0f %% of %d packets came out; %.0f %% "
          "of vx's packets hit a flow; %.0f s" %
          (args.cases, args.seed, len(bad), 100 * n_out / args.cases, 100 * packets_out / max(packets, 1),
           packets, 100 * hits / max(all_, 1), time.monotonic() - began))
    if bad:
        print("differ:", *[n for n, *_ in bad[:40]])
    few = args.cases >= ENOUGH and (n_out < SHARE * args.cases or packets_out < SHARE * packets)
    if few:
        print("FAIL: fewer than %.0f %% came out" % (100 * SHARE))
    if rc:
        print("FAIL: vx ended with", rc)
    return bool(bad) or bool(rc) or few


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--switch", required=True)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", default=os.urandom(4).hex())
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--tmp")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1)) # with all that was started
    tmp = args.tmp or tempfile.mkdtemp(prefix="vxdiff.")
    theirs = None
    try:
        theirs = Theirs(tmp)
        return run(args, Pair(Ours(args.switch), theirs))
    except Failed as e:
        print("FAIL:", e)
        return 1
    finally:
        if theirs:
            theirs.end()
        if not args.tmp:
            shutil.rmtree(tmp)


if __name__ == "__main__":
    sys.exit(main())
