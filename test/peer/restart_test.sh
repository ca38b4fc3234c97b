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

# --- a full disk: told once, and what was changed meanwhile is written when there is room ---
mkdir "$TMP/small"
ip netns exec ${NSTAG}A sh -c 'mount -t tmpfs -o size=8k none "$0" && exec "$@"' "$TMP/small" \
	"$VXD" --statedir "$TMP/small" --rundir "$TMP/F" 2>"$TMP/F.err" &
pids+=($!)
vxds+=(F)
VXD_PID_F=$!
await test -S "$TMP/F/vxd.ctl"
inside() { nsenter -t $VXD_PID_F -m "$@"; }
inside sh -c 'cat /dev/zero >"$0/filler"' "$TMP/small" 2>/dev/null
for i in $(seq 60); do vx F link add v$i nohost type vxlan id $i dstport 4789 || fail "link add"; done
same "complaints of a full disk" 1 "$(grep -c "cannot write $TMP/small/vxd.state: No space left" "$TMP/F.err")"
inside rm "$TMP/small/filler"
inside mount -o remount,size=1m "$TMP/small"
vx F link del v7 || fail "link del"
same "it is written again" 1 "$(grep -c "vxd.state is written again" "$TMP/F.err")"
inside cat "$TMP/small/vxd.state" | awk '/^link add v/ { n++ } /^link del v7$/ { n-- } END { print n }' >"$TMP/written"
same "what is written" 59 "$(cat "$TMP/written")"
: >"$TMP/F.err" # its complaint was wanted
# Another vxd's is left alone.
had=$(inside cat "$TMP/small/vxd.state")
beside="nsenter -t $VXD_PID_F -m -n"
$beside timeout 5 "$VXD" --statedir "$TMP/small" --rundir "$TMP/G" 2>"$TMP/err" && fail "two of one state"
grep -q "another vxd keeps its state in $TMP/small: name another directory" "$TMP/err" || fail "$(cat "$TMP/err")"
$beside "$VXD" --rundir "$TMP/G" --statedir "$TMP/small/other" 2>"$TMP/err" &
pids+=($!)
await test -S "$TMP/G/vxd.ctl"
vx G link add w1 nohost type vxlan id 99 dstport 4791 || fail "link add w1"
same "the state beside another vxd" "$had" "$(inside cat "$TMP/small/vxd.state")"
# Where nobody asked for a directory there is none for a second one.
ip netns exec ${NSTAG}A sh -c 'mount -t tmpfs none /var/lib && exec "$@"' sh "$VXD" --rundir "$TMP/H" 2>"$TMP/err" &
pids+=($!)
first=$!
await test -S "$TMP/H/vxd.ctl"
vx H link add w2 nohost type vxlan id 98 dstport 4792 || fail "link add w2"
nsenter -t $first -m -n "$VXD" --rundir "$TMP/I" 2>"$TMP/err" &
pids+=($!)
await test -S "$TMP/I/vxd.ctl"
grep -q "another vxd keeps its state in /var/lib/vx: .*; none is kept now" "$TMP/err" || fail "$(cat "$TMP/err")"
vx I link add w3 nohost type vxlan id 97 dstport 4793 || fail "link add w3"
nsenter -t $first -m grep -q 'link add w2 ' /var/lib/vx/vxd.state || fail "its state went"
nsenter -t $first -m grep -q 'link add w3 ' /var/lib/vx/vxd.state && fail "two in one state"
# One that cannot be read is no empty one: it stays.
mkdir -p "$TMP/unreadable/vxd.state"
LIMIT=5 in_ns A "$VXD" --statedir "$TMP/unreadable" --rundir "$TMP/G" 2>"$TMP/err" && fail "a state that is a directory"
finish
