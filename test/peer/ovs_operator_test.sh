#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What an operator of Open vSwitch does on a bad day: names that are taken or too long, interfaces that
# are deleted behind the switch's back, a link that flaps, a database that is emptied.  Errors reach
# ovs-vsctl and the log, once; what the database asks for comes back by itself; nothing is left over.
. "$(dirname "$0")/lib.sh"
for p in ovsdb-server ovsdb-tool ovs-vsctl ovs-appctl; do
	command -v $p >/dev/null || skip "needs openvswitch-switch"
done

netns A
N=${NSTAG}A
export OVS_RUNDIR=$TMP/ovs
mkdir "$OVS_RUNDIR"
LOG=$TMP/log
ovsdb-tool create "$TMP/conf.db" /usr/share/openvswitch/vswitch.ovsschema
ovsdb-server "$TMP/conf.db" --remote="punix:$OVS_RUNDIR/db.sock" --unixctl=none --no-chdir \
	-vconsole:off 2>"$TMP/ovsdb.err" &
pids+=($!)
await test -S "$OVS_RUNDIR/db.sock"
vsctl() { timeout -k 1 6 ovs-vsctl -t 5 "$@" 2>&1; }
appctl() { timeout -k 1 6 ovs-appctl "$@" 2>&1; }
# is INTERFACE OFPORT ERROR
is() { same "$1" "$2 $3" "$(vsctl get interface "$1" ofport) $(vsctl get interface "$1" error)"; }
mtu_is() { same "MTU of $1 $3" "$2" "$(ip -n $N -o link show "$1" | grep -o 'mtu [0-9]*' | cut -d' ' -f2)"; }
index_of() { ip -n $N -o link show "$1" 2>/dev/null | cut -d: -f1; }
vsctl --no-wait init
start_vxd A -vconsole:off --log-file="$LOG" --ovsdb "unix:$OVS_RUNDIR/db.sock"
pid=$VXD_PID_A
await eval 'vsctl get Open_vSwitch . iface_types | grep -q vxlan'
for n in h0 h1; do
	ip -n $N link add $n type veth peer name p$n
	ip -n $N link set $n up
	ip -n $N link set p$n up
done
vsctl add-br br1 || fail "add-br"
vsctl add-br br2 || fail "add-br br2"

# --- names that something else on the host has (11.24): 3.1's sentence, and why in the log ---
taken='"could not open network device h0 (Invalid argument)"'
vsctl add-br h0 | grep -q "while setting up 'h0': could not open network device h0 (Invalid argument)" ||
	fail "add-br h0 does not say what is wrong"
is h0 -1 "$taken"
vsctl del-br h0
vsctl add-port br1 h0 -- set interface h0 type=internal >/dev/null
is h0 -1 "$taken"
vsctl del-port h0
vsctl add-port br1 h0 || fail "add-port h0"
grep -q "the host has an interface h0, which is no TAP" "$LOG" || fail "the log does not say why"

# --- long names: of what is no device ---
long=patch-br-physical-to-br-integration
vsctl add-port br1 $long-1 -- set interface $long-1 type=patch options:peer=$long-2 -- \
	add-port br2 $long-2 -- set interface $long-2 type=patch options:peer=$long-1 || fail "long names"
is $long-1 2 '[]'
is $long-2 1 '[]'
appctl ofproto/trace br1 in_port=LOCAL,dl_dst=ff:ff:ff:ff:ff:ff | grep -q 'bridge("br2")' ||
	fail "nothing crosses a patch with long names"
vsctl add-port br1 tunnel-to-172.16.0.39 -- set interface tunnel-to-172.16.0.39 type=vxlan \
	options:remote_ip=172.16.0.39 options:key=1 || fail "a tunnel with a long name"
vsctl del-port tunnel-to-172.16.0.39
huge=$(printf 'n%.0s' {1..64})
vsctl add-port br1 "$huge" -- set interface "$huge" type=vxlan options:remote_ip=172.16.0.39 |
	grep -q "a name has at most 63 bytes" || fail "a name of 64 bytes"
vsctl del-port "$huge"

# --- internal ports have the least MTU of the others, whenever they come ---
ip -n $N link set h0 mtu 1400
await eval '[ "$(vsctl get interface br1 mtu)" = 1400 ]'
vsctl add-port br1 i1 -- set interface i1 type=internal || fail "add-port i1"
mtu_is i1 1400 "that comes later"
vsctl set interface i1 mtu_request=9000
mtu_is i1 9000 "by request"
vsctl clear interface i1 mtu_request
mtu_is i1 1400 "whose request went"

# --- what the host deletes is made anew, and the log says so ---
made_anew() { # NAME BEFORE
	await eval '[ "$(index_of '"$1"')" ] && [ "$(index_of '"$1"')" != '"$2"' ]' || return
	grep -q "interface $1 was deleted on the host, and is made again" "$LOG" || fail "no word of $1"
}
for n in br1 i1; do
	before=$(index_of $n)
	ip -n $N link del $n
	made_anew $n "$before"
	mtu_is $n 1400 "made anew"
done
is br1 65534 '[]'
ip -n $N addr add 192.168.50.1/24 dev br1
ip -n $N link set br1 up
await eval '[ "$(vsctl get interface br1 link_state)" = up ]'
before=$(index_of i1)
ip netns add ${NSTAG}X
ip -n $N link set i1 netns ${NSTAG}X
sleep 0.2
ip netns del ${NSTAG}X # the TAP goes with it, without a word to vxd's own namespace
made_anew i1 0

# --- states are the host's ---
ip -n $N link set h0 down
await eval '[ "$(vsctl get interface h0 admin_state link_state | tr "\n" " ")" = "down down " ]'
ip -n $N link set h0 up
await eval '[ "$(vsctl get interface h0 admin_state link_state | tr "\n" " ")" = "up up " ]'

# --- a link that flaps does not fill the log ---
vsctl add-br h1 >/dev/null
vsctl add-port br1 nosuch0 >/dev/null
vsctl add-port br1 vx1 -- set interface vx1 type=vxlan options:remote_ip=172.16.0.39 options:zzz=1
grep -q "|bridge|WARN|could not open network device nosuch0 (No such device)" "$LOG" || fail "the log does not say what ovs-vsctl says"
lines=$(wc -l <"$LOG")
for _ in $(seq 20); do
	ip -n $N link set ph1 down
	ip -n $N link set ph1 up
	sleep 0.02
done
sleep 0.3
same "lines that a flapping link adds" "" "$(tail -n +$((lines + 1)) "$LOG")"
vsctl del-br h1 -- del-port nosuch0 -- del-port vx1

# --- a hundred ports come and go ---
vsctl add-port br1 vx1 -- set interface vx1 type=vxlan options:remote_ip=172.16.0.39
vsctl del-port vx1
fds=$(ls /proc/$pid/fd | wc -l)
for i in $(seq 25); do
	vsctl add-br c1 -- set bridge c1 datapath_type=netdev -- add-port c1 i2 -- set interface i2 type=internal -- \
		add-port c1 vx1 -- set interface vx1 type=vxlan options:remote_ip=172.16.0.39 -- \
		add-port c1 h1 || fail "round $i"
	vsctl del-br c1
done
await eval '[ "$(ls /proc/'"$pid"'/fd | wc -l)" -le '"$fds"' ]' || fail "descriptors: $fds, then $(ls /proc/$pid/fd | wc -l)"

# --- without its row the database asks for nothing, as in 3.1 ---
timeout 5 ovsdb-client transact "unix:$OVS_RUNDIR/db.sock" \
	'["Open_vSwitch",{"op":"delete","table":"Open_vSwitch","where":[]}]' >/dev/null || fail "delete"
await eval '! ip -n '$N' link show br1'
vsctl --no-wait init
vsctl add-br br1 || fail "add-br after that"
is br1 65534 '[]'

# --- a log file that cannot be is said, and no reason not to start ---
got=$(OVS_RUNDIR=$TMP/none LIMIT=5 in_ns A "$VXD" --no-state --rundir "$TMP/B" --log-file="$TMP/nodir/log" --workers 0 2>&1)
case $got in *"cannot write the log file $TMP/nodir/log: No such file or directory"*"--workers takes"*) ;; *) fail "$got" ;; esac
vsctl del-br br1
appctl exit --cleanup || fail "exit"
vxds=()
wait "$pid" || fail "exit code $?"
finish
