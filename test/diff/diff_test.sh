#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Open vSwitch 3.1 in user space and vx's bridges: 2,000 random cases have to come out alike (diff.py).
# SWITCH is the program made of switch.c; CASES and SEED as diff.py has them.  The cases are the same
# each time, so that a change is what makes this fail; SEED=random, or diff.py by hand, looks for more.
set -u
: "${SWITCH:?}" "${PYTHON:=/usr/bin/python3}"
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin

skip() { echo "skip: $*"; exit 77; }
for p in ovsdb-server ovsdb-tool ovs-vsctl ovs-vswitchd; do
	command -v $p >/dev/null || skip "needs openvswitch-switch"
done
: "${SEED:=2c638941}" # one that found something
seed=
[ "$SEED" = random ] || seed="--seed $SEED"
own=
unshare -n true 2>/dev/null && own="unshare -n" # no other device is seen, nothing is asked for outside
exec $own "$PYTHON" "$here/diff.py" --switch "$SWITCH" --cases "${CASES:-2000}" $seed
