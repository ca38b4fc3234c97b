#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# vxd killed and started: 100 random changes that were accepted, of every kind, by vx, by ip and by the
# host; then "vx save" is the same as before, and the host's interfaces have kept index, addresses and
# routes.  Killed amid a burst: what was acknowledged is there.  State files that were torn or spoilt;
# vxd -f after a crash.  restart.py has the steps.
#
#   SEED    of the random changes; printed, from the clock unless set
#   ROUNDS  of 100 changes (default 3)
. "$(dirname "$0")/lib.sh"
: "${SEED:=$(($(date +%s) % 1000000))}" "${ROUNDS:=3}"
export SEED ROUNDS
echo "SEED=$SEED"
for n in A B C; do netns $n; done
wire A eth0 B eth0
wire A eth1 B eth1
wire A eth2 B eth2
ip -n ${NSTAG}A addr add 10.0.0.1/24 dev eth0
ip -n ${NSTAG}A addr add fd00::1/64 dev eth0 nodad
timeout 250 "$PYTHON" "$here/restart.py" || failures=$((failures + 1))
finish
